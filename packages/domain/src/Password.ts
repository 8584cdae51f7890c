/**
 * The rules a password must keep.
 *
 * A `Password` is plain text on its way to a hash: it is never stored, logged or put into an event. The rules are values,
 * so that a page can show them and an error can name the ones that were broken.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

/** The shortest password, in characters. */
export const passwordLengthMin = 8
/** The longest password, in characters; it bounds the work of hashing. */
export const passwordLengthMax = 64

/** The name of a rule. */
export const RuleName = Schema.Literals(["lengthMin", "lengthMax", "printable", "letter", "digit", "special"])
export type RuleName = typeof RuleName.Type

/** One rule: its name, a sentence for people, and whether a text keeps it. */
export interface Rule {
  readonly name: RuleName
  readonly sentence: string
  readonly isKept: (text: string) => boolean
}

/** Every rule, in the order in which broken ones are named. A special character is a sign or symbol such as `!@#$%^+=-`. */
export const rules: ReadonlyArray<Rule> = [
  {
    name: "lengthMin",
    sentence: `has at least ${passwordLengthMin} characters`,
    isKept: (text) => [...text].length >= passwordLengthMin
  },
  {
    name: "lengthMax",
    sentence: `has at most ${passwordLengthMax} characters`,
    isKept: (text) => [...text].length <= passwordLengthMax
  },
  {
    name: "printable",
    sentence: "has no control characters",
    isKept: (text) => !/[\p{Cc}\p{Cs}\u2028\u2029]/u.test(text)
  },
  { name: "letter", sentence: "has a letter", isKept: (text) => /\p{L}/u.test(text) },
  { name: "digit", sentence: "has a digit", isKept: (text) => /[0-9]/.test(text) },
  { name: "special", sentence: "has a special character", isKept: (text) => /[\p{P}\p{S}]/u.test(text) }
]

/** A password that keeps every rule, in NFC. */
export const Password = Schema.String.check(
  Schema.makeFilter((text: string) => text === normalize(text) && rules.every((rule) => rule.isKept(text)), {
    expected: "a password that keeps every rule"
  })
).pipe(Schema.brand("Password"))
export type Password = typeof Password.Type

/** The rules that were broken; the text itself is not repeated. */
export class PasswordTooWeak extends Schema.TaggedError<PasswordTooWeak>("@pillivery/domain/Password/PasswordTooWeak")(
  "PasswordTooWeak",
  { failed: Schema.Array(RuleName) }
) {
  override get message() {
    const sentences = rules.filter((rule) => this.failed.includes(rule.name)).map((rule) => rule.sentence)
    return `a password ${sentences.join(", and ")}`
  }
}

/** One spelling for one password, however the keyboard composed it: NFC. What is verified must be normalized too. */
export function normalize(text: string): string {
  return text.normalize("NFC")
}

/** Takes a text as a password, naming every rule it breaks. */
export const check = (text: string): Result.Result<Password, PasswordTooWeak> => {
  const normalized = normalize(text)
  const failed = rules.filter((rule) => !rule.isKept(normalized)).map((rule) => rule.name)
  return failed.length === 0 ? Result.succeed(normalized as Password) : Result.fail(new PasswordTooWeak({ failed }))
}
