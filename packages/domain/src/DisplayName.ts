/**
 * The name under which a user is seen by others.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

/** The longest display name, in characters. */
export const displayNameLengthMax = 20

const Reason = Schema.Literals(["blank", "tooLong", "unprintable"])

// Controls, invisible format characters and line separators let two names look the same.
const unprintable = /[\p{C}\u2028\u2029]/u

const reasonAgainst = (text: string): typeof Reason.Type | null => {
  if (!/[^\s\u2800\u3164\uFFA0\u115F\u1160]/u.test(text)) return "blank"
  if (unprintable.test(text)) return "unprintable"
  return [...text].length > displayNameLengthMax ? "tooLong" : null
}

/** A name of 1 to {@link displayNameLengthMax} visible characters, in NFC and without white space around it. */
export const DisplayName = Schema.String.check(
  Schema.makeFilter((text: string) => text === normalize(text) && reasonAgainst(text) === null, {
    expected: `1 to ${displayNameLengthMax} visible characters in NFC`
  })
).pipe(Schema.brand("DisplayName"))
export type DisplayName = typeof DisplayName.Type

/** The text cannot be a display name; `length` is in characters. */
export class DisplayNameInvalid extends Schema.TaggedError<DisplayNameInvalid>(
  "@pillivery/domain/DisplayName/DisplayNameInvalid"
)("DisplayNameInvalid", { reason: Reason, length: Schema.Int }) {
  override get message() {
    return this.reason === "blank"
      ? "a display name is not blank"
      : this.reason === "tooLong"
        ? `a display name has at most ${displayNameLengthMax} characters, not ${this.length}`
        : "a display name has no invisible characters"
  }
}

/** The one spelling of what a person typed: NFC, white space taken off both ends and one space for each inside. */
export function normalize(text: string): string {
  return text
    .normalize("NFC")
    .trim()
    .replaceAll(/[^\S\r\n\v\f\u2028\u2029]+/gu, " ")
}

/** Reads what a person typed as a display name. */
export const parse = (text: string): Result.Result<DisplayName, DisplayNameInvalid> => {
  const normalized = normalize(text)
  const reason = reasonAgainst(normalized)
  return reason === null
    ? Result.succeed(normalized as DisplayName)
    : Result.fail(new DisplayNameInvalid({ reason, length: [...normalized].length }))
}
