/**
 * The ledger's mark in a file beside the billing CLI: one line with the newest charge that was written down.
 *
 * The file is replaced as a whole, so that a process that dies leaves the old one or the new one.
 */
import { keptIn, LedgerMark, MarkUnavailable, type Place } from "@pillivery/application/ports/LedgerMark"
import { AttemptId } from "@pillivery/domain/Ids"
import { Effect, FileSystem, Layer, Option, Schema, Semaphore } from "effect"

/** The longest content that is read. */
const lengthMax = 64

const decode = Schema.decodeUnknownOption(AttemptId)

/** The place in a file, which need not be there yet. */
export const place = Effect.fnUntraced(function* (path: string) {
  const files = yield* FileSystem.FileSystem
  const unavailable = Effect.mapError((cause: unknown) => new MarkUnavailable({ place: path, cause }))
  const one = (yield* Semaphore.make(1)).withPermits(1)
  const find = Effect.gen(function* () {
    if (!(yield* files.exists(path))) return Option.none<AttemptId>()
    const text = (yield* files.readFileString(path)).trim()
    if (text === "") return Option.none<AttemptId>()
    const id = text.length > lengthMax ? Option.none<AttemptId>() : decode(text)
    return Option.isSome(id) ? id : yield* new MarkUnavailable({ place: path, cause: "it holds something else" })
  }).pipe(unavailable)
  const write = (text: string) =>
    Effect.gen(function* () {
      const next = `${path}.${process.pid}`
      yield* files.writeFileString(next, text)
      yield* files.rename(next, path)
    }).pipe(unavailable)
  return {
    find,
    keep: (id) =>
      one(Effect.flatMap(find, (kept) => (Option.isSome(kept) && kept.value >= id ? Effect.void : write(`${id}\n`)))),
    forget: one(write(""))
  } satisfies Place
})

/** The mark in a file; a file that cannot be read, or is not one of ours, ends the command. */
export const layer = (path: string) =>
  Layer.effect(
    LedgerMark,
    Effect.gen(function* () {
      const inFile = yield* place(path)
      yield* inFile.find
      return yield* keptIn(inFile)
    })
  )
