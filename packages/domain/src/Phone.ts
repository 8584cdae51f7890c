/**
 * Korean mobile phone numbers.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

/** The fewest digits of a number. */
export const phoneDigitsMin = 10
/** The most digits of a number. */
export const phoneDigitsMax = 11

// Three digits of the network before those in the middle, four after them.
const pattern = new RegExp(`^01[016789]-?\\d{${phoneDigitsMin - 7},${phoneDigitsMax - 7}}-?\\d{4}$`)

/**
 * A Korean mobile number of {@link phoneDigitsMin} or {@link phoneDigitsMax} digits such as `010-1234-5678`; hyphens are
 * optional.
 */
export const Phone = Schema.String.check(
  Schema.isPattern(pattern, { expected: "a Korean mobile number such as 010-1234-5678" })
).pipe(Schema.brand("Phone"))
export type Phone = typeof Phone.Type

/** The text is no Korean mobile number; it is not repeated here, since it may be personal. */
export class PhoneInvalid extends Schema.TaggedError<PhoneInvalid>("@pillivery/domain/Phone/PhoneInvalid")(
  "PhoneInvalid",
  { length: Schema.Int }
) {
  override get message() {
    return "a phone is a Korean mobile number such as 010-1234-5678"
  }
}

/** The number with hyphens, so that one number has one spelling. */
export const normalize = (self: Phone): Phone => {
  const digits = self.replaceAll("-", "")
  return `${digits.slice(0, 3)}-${digits.slice(3, -4)}-${digits.slice(-4)}` as Phone
}

/**
 * Reads what a person typed as a mobile number and answers it with hyphens.
 *
 * **Details**
 *
 * White space, hyphens, dots and brackets may be anywhere, and so may the invisible marks that come along from a list of
 * contacts. Digits may be of full width, and a number may be written from abroad: `+82 10-1234-5678` and
 * `+82 (0)10 1234 5678` are `010-1234-5678`.
 */
export const parse = (text: string): Result.Result<Phone, PhoneInvalid> => {
  const digits = text
    .normalize("NFKC")
    .replaceAll(/[\s\p{Pd}\p{Cf}.()\u2212]/gu, "")
    .replace(/^\+820?/, "0")
  return pattern.test(digits)
    ? Result.succeed(normalize(digits as Phone))
    : Result.fail(new PhoneInvalid({ length: text.length }))
}
