/**
 * E-mail into a file, for developers to read.
 *
 * @since 0.1.0
 */
import { Mailer, MailFailed } from "@pillivery/application/ports/Mailer"
import { Clock, DateTime, Effect, Layer, Semaphore } from "effect"
import { appendFile, chmod, mkdir, stat, writeFile } from "node:fs/promises"
import { dirname } from "node:path"

/** The size at which the file is begun anew, in bytes. */
export const fileBytesMax = 10 * 1024 * 1024

// It says who bought what.
const ownerOnly = 0o600

/** Where mail is written to. */
export interface Options {
  readonly path: string
}

const sizeOf = (path: string): Promise<number> =>
  stat(path).then(
    ({ size }) => size,
    () => 0
  )

const oneLine = (text: string): string => text.replaceAll(/\s+/g, " ")

/** Mail into a file; folders on the way to it are made. */
export const layer = ({ path }: Options) =>
  Layer.effect(
    Mailer,
    Effect.gen(function* () {
      const writer = yield* Semaphore.make(1)
      const write = async (entry: string) => {
        await mkdir(dirname(path), { recursive: true })
        const isOpen = (await sizeOf(path)) < fileBytesMax
        await (isOpen ? appendFile : writeFile)(path, entry, { mode: ownerOnly })
        // One that was there keeps its mode otherwise.
        await chmod(path, ownerOnly)
      }
      return Mailer.of({
        isOn: true,
        send: Effect.fn("Mailer.send")(function* ({ id, subject, text, to }) {
          const at = DateTime.formatIso(DateTime.makeUnsafe(yield* Clock.currentTimeMillis))
          const entry = `Date: ${at}\nTo: ${to}\nSubject: ${oneLine(subject)}\nMessage: ${oneLine(id)}\n\n${text}\n${"-".repeat(72)}\n`
          yield* writer.withPermit(
            Effect.tryPromise({
              try: () => write(entry),
              catch: (cause) =>
                new MailFailed({ detail: `${path} could not be written: ${String(cause)}`, isRetryable: true })
            })
          )
        })
      })
    })
  )
