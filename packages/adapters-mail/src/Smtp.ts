/**
 * E-mail by SMTP.
 *
 * @since 0.1.0
 */
import { Mailer, MailFailed } from "@pillivery/application/ports/Mailer"
import { Effect, Layer, Redacted, Schema } from "effect"
import { createHash } from "node:crypto"
import { createTransport } from "nodemailer"

/** How long connecting, and then being greeted, may take, in milliseconds. */
export const connectMillisMax = 10_000
/** How long the server may take for an answer, in milliseconds. */
export const answerMillisMax = 30_000
/** Connections to the server at once. */
export const connectionsMax = 5
/** Mails of one connection. */
export const mailsPerConnectionMax = 100

const refusedFrom = 500
/** The commands whose refusal is about the mail; what else is refused is about the shop, and can be mended. */
const commandsAboutMail: ReadonlySet<string> = new Set(["RCPT TO", "DATA"])

/** Where mail is handed over, and who it is from. */
export interface Options {
  /** `smtp://user:password@host:587` or `smtps://…`. */
  readonly url: Redacted.Redacted
  readonly from: string
  readonly connectMillisMax?: number
  readonly answerMillisMax?: number
}

/** The address is not one of a mail server. */
export class SmtpUrlInvalid extends Schema.TaggedError<SmtpUrlInvalid>("@pillivery/adapters-mail/SmtpUrlInvalid")(
  "SmtpUrlInvalid",
  { detail: Schema.String }
) {
  override get message() {
    return this.detail
  }
}

const loopbacks: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "[::1]"])

const urlInvalid = () =>
  new SmtpUrlInvalid({
    detail: "the mail server needs an address such as smtp://user:password@mail.example.com:587"
  })

const decoded = (text: string) => Effect.try({ try: () => decodeURIComponent(text), catch: urlInvalid })

/** How a mail server is spoken to; only on this machine without TLS. */
export const toTransport = Effect.fnUntraced(function* (options: Options) {
  const url = URL.parse(Redacted.value(options.url))
  if (url === null || (url.protocol !== "smtp:" && url.protocol !== "smtps:") || url.hostname === "") {
    return yield* urlInvalid()
  }
  const [user, pass] = [yield* decoded(url.username), yield* decoded(url.password)]
  const secure = url.protocol === "smtps:"
  const isHere = loopbacks.has(url.hostname)
  return {
    pool: true as const,
    host: url.hostname.replaceAll(/[[\]]/g, ""),
    port: url.port === "" ? (secure ? 465 : 587) : Number(url.port),
    secure,
    requireTLS: !secure && !isHere,
    // Nobody gives this machine a certificate.
    ignoreTLS: isHere,
    ...(url.username === "" ? {} : { auth: { user, pass } }),
    connectionTimeout: options.connectMillisMax ?? connectMillisMax,
    greetingTimeout: options.connectMillisMax ?? connectMillisMax,
    socketTimeout: options.answerMillisMax ?? answerMillisMax,
    maxConnections: connectionsMax,
    maxMessages: mailsPerConnectionMax,
    // Whoever sends has pauses of its own between tries.
    maxRequeues: 0
  }
})

const SmtpError = Schema.Struct({
  code: Schema.optional(Schema.String),
  responseCode: Schema.optional(Schema.Int),
  command: Schema.optional(Schema.String)
})
const isSmtpError = Schema.is(SmtpError)

// What the server says may quote the mail; only what kind of answer it was is told.
const toFailed = (cause: unknown): MailFailed => {
  const { code, command, responseCode } = isSmtpError(cause) ? cause : {}
  const isRefused = responseCode !== undefined && responseCode >= refusedFrom && commandsAboutMail.has(command ?? "")
  const detail = [code ?? "unknown", responseCode, command].filter((part) => part !== undefined).join(" ")
  return new MailFailed({ detail: `the mail server did not take it: ${detail}`, isRetryable: !isRefused })
}

/** The part of `from` behind the last `@`. */
const hostOf = (from: string): string => /@([^@>\s]+)>?\s*$/.exec(from)?.[1] ?? "pillivery.invalid"

/** Mail by the server at an address. */
export const layer = (options: Options) =>
  Layer.effect(
    Mailer,
    Effect.gen(function* () {
      const settings = yield* toTransport(options)
      const transport = yield* Effect.acquireRelease(
        Effect.sync(() => createTransport(settings)),
        (made) => Effect.sync(() => made.close())
      )
      const host = hostOf(options.from)
      return Mailer.of({
        isOn: true,
        send: Effect.fn("Mailer.send")(({ id, subject, text, to }) =>
          Effect.asVoid(
            Effect.tryPromise({
              try: () =>
                transport.sendMail({
                  from: options.from,
                  to: { name: "", address: to },
                  subject,
                  text,
                  messageId: `<${createHash("sha256").update(id).digest("hex")}@${host}>`,
                  headers: { "Auto-Submitted": "auto-generated" },
                  disableFileAccess: true,
                  disableUrlAccess: true
                }),
              catch: toFailed
            })
          )
        )
      })
    })
  )
