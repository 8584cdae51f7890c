/**
 * How customers are told by e-mail.
 *
 * @since 0.1.0
 */
import * as MailFile from "@pillivery/adapters-mail/MailFile"
import type { SmtpUrlInvalid } from "@pillivery/adapters-mail/Smtp"
import * as MemoryMailer from "@pillivery/adapters-memory/Mailer"
import type { Mailer } from "@pillivery/application/ports/Mailer"
import { Effect, Layer } from "effect"
import type { Settings } from "./Settings.ts"

/** The mailer that the settings name; the driver of a mail server is loaded only where there is one. */
export const layer = ({ mail }: Settings): Layer.Layer<Mailer, SmtpUrlInvalid> => {
  switch (mail._tag) {
    case "None":
      return MemoryMailer.layerNone
    case "File":
      return MailFile.layer(mail)
    case "Smtp":
      return Layer.unwrap(
        Effect.map(
          Effect.promise(() => import("@pillivery/adapters-mail/Smtp")),
          (smtp) => smtp.layer(mail)
        )
      )
  }
}
