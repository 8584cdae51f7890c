/**
 * E-mail to customers.
 *
 * @since 0.1.0
 */
import { Email } from "@pillivery/domain/Email"
import { Context, type Effect, Schema } from "effect"

/** One e-mail. `id` is the same each time the same mail is sent, so that a mailbox may recognise a repeat. */
export class Mail extends Schema.Class<Mail>("@pillivery/application/Mailer/Mail")({
  id: Schema.String,
  to: Email,
  subject: Schema.String,
  text: Schema.String
}) {}

/** It was not taken, or nobody knows whether it was; `isRetryable` is false when sending the same again cannot succeed. */
export class MailFailed extends Schema.TaggedError<MailFailed>("@pillivery/application/MailFailed")("MailFailed", {
  detail: Schema.String,
  isRetryable: Schema.Boolean
}) {
  override get message() {
    return this.detail
  }
}

/** Sends e-mail. */
export class Mailer extends Context.Service<
  Mailer,
  {
    /** Whether mail goes anywhere; where it does not, none is to be queued. */
    readonly isOn: boolean
    /** Ends when the next server has taken the mail. */
    readonly send: (mail: Mail) => Effect.Effect<void, MailFailed>
  }
>()("@pillivery/application/Mailer") {}
