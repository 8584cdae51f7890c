/** E-mail to a mail server over sockets, and into a file. */
import { assert, describe, it } from "@effect/vitest"
import { Mail, Mailer } from "@pillivery/application/ports/Mailer"
import { Email } from "@pillivery/domain/Email"
import { Effect, Redacted } from "effect"
import { type ParsedMail, simpleParser } from "mailparser"
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises"
import { createServer, type Socket } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { SMTPServer, type SMTPServerOptions } from "smtp-server"
import * as MailFile from "../src/MailFile.ts"
import * as Smtp from "../src/Smtp.ts"

const from = "Pillivery <shop@pillivery.example>"

const mail = new Mail({
  id: "018f/1:OrderPaid",
  to: Email.make("minji@example.com"),
  subject: `[Pillivery] ${"주문이 결제되었습니다. ".repeat(10)}`,
  text: "결제 금액 18,000원\n.begins with a dot\n..with two\n\n끝"
})

/** A mail server of the tests' own, and what it took. */
const server = Effect.fnUntraced(function* (options: SMTPServerOptions = {}, host = "127.0.0.1") {
  const received: Array<ParsedMail> = []
  const made = yield* Effect.acquireRelease(
    Effect.promise(
      () =>
        new Promise<SMTPServer>((resolve) => {
          const smtp = new SMTPServer({
            authOptional: true,
            disabledCommands: ["STARTTLS"],
            onData: (stream, _session, done) => {
              simpleParser(stream).then(
                (parsed) => {
                  received.push(parsed)
                  done()
                },
                (error: Error) => done(error)
              )
            },
            ...options
          })
          smtp.listen(0, host, () => resolve(smtp))
        })
    ),
    (smtp) => Effect.promise(() => new Promise<void>((resolve) => smtp.close(() => resolve())))
  )
  const address = made.server.address()
  const port = typeof address === "object" && address !== null ? address.port : 0
  return { received, port }
})

const send = (url: string, some: Mail = mail, options: Partial<Smtp.Options> = {}) =>
  Effect.flatMap(Mailer, (mailer) => mailer.send(some)).pipe(
    Effect.provide(Smtp.layer({ url: Redacted.make(url), from, ...options }))
  )

/** A server that speaks no SMTP. */
const listening = Effect.fnUntraced(function* (onConnection: (socket: Socket) => void) {
  const made = yield* Effect.acquireRelease(
    Effect.promise(
      () =>
        new Promise<ReturnType<typeof createServer>>((resolve) => {
          const silent = createServer(onConnection)
          silent.listen(0, "127.0.0.1", () => resolve(silent))
        })
    ),
    (silent) => Effect.sync(() => silent.close())
  )
  const address = made.address()
  return { port: typeof address === "object" && address !== null ? address.port : 0 }
})

const saying = (code: number) => Object.assign(new Error("no"), { responseCode: code })

describe("mail by SMTP", () => {
  it.live("arrives as it was written, and with the same name each time", () =>
    Effect.gen(function* () {
      const { port, received } = yield* server()
      yield* send(`smtp://127.0.0.1:${port}`)
      yield* send(`smtp://127.0.0.1:${port}`)
      const [first, second] = received
      assert.isDefined(first)
      assert.strictEqual(first.subject?.trim(), mail.subject.trim())
      assert.strictEqual(first.text?.trim(), mail.text)
      assert.deepStrictEqual(
        [first.from?.text, first.headers.get("auto-submitted")],
        ['"Pillivery" <shop@pillivery.example>', "auto-generated"]
      )
      assert.match(first.messageId ?? "", /^<[0-9a-f]{64}@pillivery\.example>$/)
      assert.strictEqual(first.messageId, second?.messageId)
    }).pipe(Effect.scoped)
  )

  it.live("has no header and no recipient that somebody wrote into a subject", () =>
    Effect.gen(function* () {
      const { port, received } = yield* server()
      yield* send(
        `smtp://127.0.0.1:${port}`,
        new Mail({ ...mail, subject: "주문\r\nBcc: thief@example.com\r\nX-Evil: 1\r\n\r\nbody" })
      )
      const [parsed] = received
      assert.isDefined(parsed)
      assert.isFalse(parsed.headers.has("x-evil"))
      assert.isFalse(parsed.headers.has("bcc"))
      assert.strictEqual(parsed.text?.trim(), mail.text)
    }).pipe(Effect.scoped)
  )

  it.live("is refused for good where 5xx is said of its recipient or of what it says, and never by 4xx", () =>
    Effect.gen(function* () {
      const refusing = (code: number): ReadonlyArray<SMTPServerOptions> => [
        { onRcptTo: (_address, _session, done) => done(saying(code)) },
        {
          onData: (stream, _session, done) => {
            stream.resume()
            stream.on("end", () => done(saying(code)))
          }
        }
      ]
      for (const [code, isRetryable] of [
        [550, false],
        [451, true]
      ] as const) {
        for (const options of refusing(code)) {
          const { port } = yield* server(options)
          const error = yield* Effect.flip(send(`smtp://127.0.0.1:${port}`))
          assert.strictEqual(error._tag === "MailFailed" && error.isRetryable, isRetryable, error.message)
          assert.include(error.message, String(code))
          assert.notInclude(error.message, "18,000")
        }
      }
    }).pipe(Effect.scoped)
  )

  it.live("may be tried again when 5xx is said of the shop: that can be mended, and the mail is right", () =>
    Effect.gen(function* () {
      for (const options of [
        { onConnect: (_session, done) => done(saying(554)) },
        { onMailFrom: (_address, _session, done) => done(saying(530)) },
        { onMailFrom: (_address, _session, done) => done(saying(550)) }
      ] satisfies ReadonlyArray<SMTPServerOptions>) {
        const { port } = yield* server(options)
        const error = yield* Effect.flip(send(`smtp://127.0.0.1:${port}`))
        assert.isTrue(error._tag === "MailFailed" && error.isRetryable, error.message)
      }
    }).pipe(Effect.scoped)
  )

  it.live("is handed over to a server on this machine whose certificate nobody knows", () =>
    Effect.gen(function* () {
      const { port, received } = yield* server({ disabledCommands: [] })
      yield* send(`smtp://127.0.0.1:${port}`)
      assert.strictEqual(received.length, 1)
    }).pipe(Effect.scoped)
  )

  it.live("may be tried again when the password is wrong, which is told to nobody", () =>
    Effect.gen(function* () {
      const { port } = yield* server({
        authOptional: false,
        allowInsecureAuth: true,
        onAuth: (_auth, _session, done) => done(saying(535))
      })
      const error = yield* Effect.flip(send(`smtp://shop:hunter2@127.0.0.1:${port}`))
      assert.isTrue(error._tag === "MailFailed" && error.isRetryable, error.message)
      assert.notInclude(JSON.stringify(error) + error.message, "hunter2")
    }).pipe(Effect.scoped)
  )

  it.live("may be tried again when the server is gone, or never says a word", () =>
    Effect.gen(function* () {
      const { port } = yield* listening(() => undefined)
      for (const url of [`smtp://127.0.0.1:${port}`, "smtp://127.0.0.1:1"]) {
        const error = yield* Effect.flip(send(url, mail, { connectMillisMax: 200, answerMillisMax: 200 }))
        assert.isTrue(error._tag === "MailFailed" && error.isRetryable, error.message)
      }
    }).pipe(Effect.scoped)
  )

  it.live("is tried once where the server hangs up: its sender has pauses of its own", () =>
    Effect.gen(function* () {
      let connections = 0
      const { port } = yield* listening((socket) => {
        connections++
        socket.destroy()
      })
      const error = yield* Effect.flip(send(`smtp://127.0.0.1:${port}`))
      assert.isTrue(error._tag === "MailFailed" && error.isRetryable, error.message)
      assert.strictEqual(connections, 1)
    }).pipe(Effect.scoped)
  )

  it.effect("is not handed over in the open, except on this machine", () =>
    Effect.gen(function* () {
      const transportOf = (url: string) => Smtp.toTransport({ url: Redacted.make(url), from })
      const open = yield* transportOf("smtp://mail.example.com")
      assert.deepStrictEqual([open.requireTLS, open.secure, open.port], [true, false, 587])
      const secure = yield* transportOf("smtps://a%40b:c@mail.example.com")
      assert.deepStrictEqual([secure.secure, secure.port, secure.auth], [true, 465, { user: "a@b", pass: "c" }])
      assert.isFalse((yield* transportOf("smtp://localhost:25")).requireTLS)
      for (const url of [
        "https://mail.example.com",
        "mail.example.com",
        "smtp://",
        "smtp://shop:hun%zzter2@mail.example.com"
      ]) {
        assert.strictEqual((yield* Effect.flip(transportOf(url)))._tag, "SmtpUrlInvalid", url)
      }
    })
  )

  it.live("gives up where TLS is wanted and not offered", () =>
    Effect.gen(function* () {
      // The same machine by an address that is not known to be this one.
      const elsewhere = "127.0.0.2"
      const { port, received } = yield* server({}, elsewhere)
      const error = yield* Effect.flip(send(`smtp://${elsewhere}:${port}`))
      assert.include(error.message, "ETLS")
      assert.isTrue(error._tag === "MailFailed" && error.isRetryable, error.message)
      assert.deepStrictEqual(received, [])
    }).pipe(Effect.scoped)
  )
})

describe("mail into a file", () => {
  const folder = Effect.acquireRelease(
    Effect.promise(() => mkdtemp(join(tmpdir(), "pillivery-mail-"))),
    (path) => Effect.promise(() => rm(path, { recursive: true }))
  )

  it.live("can be read there, each mail whole, and begins anew before it is too large", () =>
    Effect.gen(function* () {
      const path = join(yield* folder, "of", "mails.txt")
      const read = Effect.promise(() => readFile(path, "utf8"))
      yield* Effect.gen(function* () {
        const mailer = yield* Mailer
        const mails = Array.from(
          { length: 20 },
          (_, index) => new Mail({ ...mail, text: `mail ${index}\nend ${index}` })
        )
        yield* Effect.forEach(mails, (each) => mailer.send(each), { concurrency: "unbounded", discard: true })
        const written = yield* read
        for (let index = 0; index < mails.length; index++) assert.include(written, `mail ${index}\nend ${index}\n---`)
        assert.strictEqual((yield* Effect.promise(() => stat(path))).mode & 0o077, 0)
        assert.include(written, `To: minji@example.com\nSubject: ${mail.subject.trim()}`)
        yield* Effect.promise(() => writeFile(path, "x".repeat(MailFile.fileBytesMax)))
        yield* mailer.send(mail)
        assert.isBelow((yield* read).length, 1_000)
      }).pipe(Effect.provide(MailFile.layer({ path })))
    }).pipe(Effect.scoped)
  )

  it.live("is hidden from others in a file that was there, too", () =>
    Effect.gen(function* () {
      const path = join(yield* folder, "mails.txt")
      yield* Effect.promise(() => writeFile(path, "", { mode: 0o644 }))
      yield* Effect.flatMap(Mailer, (mailer) => mailer.send(mail)).pipe(Effect.provide(MailFile.layer({ path })))
      assert.strictEqual((yield* Effect.promise(() => stat(path))).mode & 0o077, 0)
    }).pipe(Effect.scoped)
  )

  it.live("may be tried again when it cannot be written", () =>
    Effect.gen(function* () {
      const path = join(yield* folder, "file")
      yield* Effect.promise(() => writeFile(path, ""))
      const error = yield* Effect.flip(
        Effect.flatMap(Mailer, (mailer) => mailer.send(mail)).pipe(
          Effect.provide(MailFile.layer({ path: join(path, "below", "mails.txt") }))
        )
      )
      assert.isTrue(error.isRetryable)
    }).pipe(Effect.scoped)
  )
})
