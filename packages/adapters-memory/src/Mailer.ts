/**
 * E-mail in memory, or none at all.
 *
 * @since 0.1.0
 */
import { type Mail, Mailer } from "@pillivery/application/ports/Mailer"
import { Context, Effect, Layer } from "effect"

/** The most mails that are kept; the oldest are dropped first. */
export const mailsMax = 10_000

/** What was sent, oldest first. */
export class SentMails extends Context.Service<SentMails, { readonly mails: Effect.Effect<ReadonlyArray<Mail>> }>()(
  "@pillivery/adapters-memory/Mailer/SentMails"
) {}

/** Keeps what is sent. */
export const layer = Layer.effectContext(
  Effect.sync(() => {
    const sent: Array<Mail> = []
    return Context.make(
      Mailer,
      Mailer.of({
        isOn: true,
        send: (mail) =>
          Effect.sync(() => {
            sent.push(mail)
            if (sent.length > mailsMax) sent.shift()
          })
      })
    ).pipe(Context.add(SentMails, SentMails.of({ mails: Effect.sync(() => [...sent]) })))
  })
)

/** Sends nothing. */
export const layerNone = Layer.succeed(Mailer, Mailer.of({ isOn: false, send: () => Effect.void }))
