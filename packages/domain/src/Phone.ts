/**
 * Korean mobile phone numbers.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/** A Korean mobile number such as `010-1234-5678`; hyphens are optional. */
export const Phone = Schema.String.check(
  Schema.isPattern(/^01[016789]-?\d{3,4}-?\d{4}$/, { expected: "a Korean mobile number such as 010-1234-5678" })
).pipe(Schema.brand("Phone"))
export type Phone = typeof Phone.Type

/** The number with hyphens, so that one number has one spelling. */
export const normalize = (self: Phone): Phone => {
  const digits = self.replaceAll("-", "")
  return `${digits.slice(0, 3)}-${digits.slice(3, -4)}-${digits.slice(-4)}` as Phone
}
