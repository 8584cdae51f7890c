/**
 * The text of a review.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

/** The longest text of a review, in characters. */
export const contentLengthMax = 1_000

const Reason = Schema.Literals(["unprintable", "blank", "tooLong"])

// A line feed is the only control; the others, halves of characters, and marks that turn the direction of what follows
// would let a review disturb the page around it. Joiners stay: emoji are made with them.
const unprintable = /[^\P{Cc}\n]|[\p{Cs}\u202A-\u202E\u2066-\u2069]/u
const visible = /[^\s\p{C}\u2800\u3164\uFFA0\u115F\u1160]/u

const reasonAgainst = (text: string): typeof Reason.Type | null => {
  if (unprintable.test(text)) return "unprintable"
  if (!visible.test(text)) return "blank"
  return [...text].length > contentLengthMax ? "tooLong" : null
}

/**
 * A text of 1 to {@link contentLengthMax} characters that is not blank: in NFC, without white space around it, and
 * without control characters except line feeds.
 */
export const ReviewContent = Schema.String.check(
  Schema.makeFilter((text: string) => text === normalize(text) && reasonAgainst(text) === null, {
    expected: `a text of 1 to ${contentLengthMax} characters in NFC that is not blank`
  })
).pipe(Schema.brand("ReviewContent"))
export type ReviewContent = typeof ReviewContent.Type

/** The text cannot be the content of a review; it is not repeated here, and `length` is in characters. */
export class ReviewContentInvalid extends Schema.TaggedError<ReviewContentInvalid>(
  "@pillivery/domain/ReviewContent/ReviewContentInvalid"
)("ReviewContentInvalid", { reason: Reason, length: Schema.Int }) {
  override get message() {
    return this.reason === "blank"
      ? "a review is not blank"
      : this.reason === "tooLong"
        ? `a review has at most ${contentLengthMax} characters, not ${this.length}`
        : "a review has no control characters"
  }
}

/** The one spelling of what a person typed: NFC, every line break a line feed, tabs as spaces, trimmed at both ends. */
export function normalize(text: string): string {
  return text
    .normalize("NFC")
    .replaceAll(/\r\n?|[\v\f\u2028\u2029]/g, "\n")
    .replaceAll("\t", " ")
    .trim()
}

/** Reads what a person typed as the content of a review. */
export const parse = (text: string): Result.Result<ReviewContent, ReviewContentInvalid> => {
  const normalized = normalize(text)
  const reason = reasonAgainst(normalized)
  return reason === null
    ? Result.succeed(normalized as ReviewContent)
    : Result.fail(new ReviewContentInvalid({ reason, length: [...normalized].length }))
}
