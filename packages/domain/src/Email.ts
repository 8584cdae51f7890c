/**
 * E-mail addresses.
 *
 * An address is kept in one spelling, trimmed and in lower case, because it is the login name and must be unique.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

/** The longest address, in characters (RFC 5321). */
export const emailLengthMax = 254
/** The longest part before the `@`, in characters (RFC 5321). */
export const localPartLengthMax = 64

const label = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
const pattern = new RegExp(
  `^[a-z0-9!#$%&'*+/=?^_\`{|}~-]+(?:\\.[a-z0-9!#$%&'*+/=?^_\`{|}~-]+)*@(?:${label}\\.)+${label}$`
)

const isAddress = (text: string): boolean =>
  text.length <= emailLengthMax && text.indexOf("@") <= localPartLengthMax && pattern.test(text)

/** An e-mail address, trimmed and in lower case, of at most {@link emailLengthMax} characters. */
export const Email = Schema.String.check(
  Schema.makeFilter(isAddress, { expected: "an e-mail address in lower case such as minji@example.com" })
).pipe(Schema.brand("Email"))
export type Email = typeof Email.Type

/** The text is no e-mail address; it is not repeated here, since it may be personal. */
export class EmailInvalid extends Schema.TaggedError<EmailInvalid>("@pillivery/domain/Email/EmailInvalid")(
  "EmailInvalid",
  { reason: Schema.Literals(["tooLong", "malformed"]), length: Schema.Int }
) {
  override get message() {
    return this.reason === "tooLong"
      ? `an e-mail address has at most ${emailLengthMax} characters, not ${this.length}`
      : "this is not an e-mail address"
  }
}

/** The one spelling of what a person typed: without white space around it, in lower case. */
export const normalize = (text: string): string => text.trim().toLowerCase()

/** Reads what a person typed as an e-mail address. */
export const parse = (text: string): Result.Result<Email, EmailInvalid> => {
  const normalized = normalize(text)
  return isAddress(normalized)
    ? Result.succeed(normalized as Email)
    : Result.fail(
        new EmailInvalid({
          reason: normalized.length > emailLengthMax ? "tooLong" : "malformed",
          length: normalized.length
        })
      )
}
