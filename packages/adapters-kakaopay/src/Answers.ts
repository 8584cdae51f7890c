/**
 * From what came back over the wire to the answer classes of the port.
 *
 * A reply is read by its body first and by its status second: a complete approval is believed only with a successful
 * status, a listed code of the provider's at any status. 401 and 403 are ours to fix whatever their body says, unless it is
 * a listed code that leaves money in doubt; so is 429 without a listed code. Everything that is not understood is `Unknown`.
 *
 * @since 0.1.0
 */
import * as DeclineReason from "@pillivery/domain/DeclineReason"
import * as Strategy from "@pillivery/domain/PaymentStrategy"
import * as Answer from "@pillivery/domain/ProviderAnswer"
import { Option, Predicate, Result, Schema } from "effect"
import type { Lost, NotSent, Reply } from "./Client.ts"
import * as ErrorCodes from "./ErrorCodes.ts"
import { orNull } from "./wire/Fields.ts"
import * as Wire from "./wire/Responses.ts"

/** The provider refused, in its own words. */
export interface Refusal {
  readonly _tag: "Refusal"
  readonly answerClass: ErrorCodes.AnswerClass
  /** The raw codes, such as `-782/LACK_BALANCE`. */
  readonly code: string
  readonly message: string
}

/** Something answered, but not as documented. */
export interface NotUnderstood {
  readonly _tag: "NotUnderstood"
  readonly detail: string
}

/** What a reply says. */
export type Reading<A> = { readonly _tag: "Done"; readonly value: A } | Refusal | NotUnderstood | NotSent | Lost

const detailLengthMax = 500
const codeLengthMax = 100

/** The beginning of a text, at most `lengthMax` UTF-16 units long and never ending within a character. */
export const cut = (text: string, lengthMax: number): string => {
  if (text.length <= lengthMax) return text
  const last = text.charCodeAt(lengthMax - 1)
  const isHighSurrogate = last >= 0xd8_00 && last <= 0xdb_ff
  return text.slice(0, isHighSurrogate ? lengthMax - 1 : lengthMax)
}

/** Whoever answers so did not let us in, and did not look at what we asked for. */
const statusDenied: ReadonlySet<number> = new Set([401, 403])
const tooManyRequests = 429
const isOurs = (status: number): boolean => statusDenied.has(status) || status === tooManyRequests
const isSuccess = (status: number): boolean => status >= 200 && status < 300

const parse = (text: string): Result.Result<unknown, unknown> => Result.try((): unknown => JSON.parse(text))

const decodeFailure = Schema.decodeUnknownOption(Wire.Failure)
const decodeExtras = Schema.decodeUnknownOption(Wire.Extras)

const methodCodeLength = 4

/** The bank's or card's code as listed: cards' codes have four digits, also when they come as a number. */
const methodCodeText = (code: string | number): string =>
  typeof code === "number" ? String(code).padStart(methodCodeLength, "0") : code

interface Failure {
  readonly code: number
  readonly methodResultCode: string | null
  readonly message: string
}

const failureOf = (body: unknown): Failure | null => {
  if (!Predicate.hasProperty(body, "error_code") && !Predicate.hasProperty(body, "code")) return null
  const decoded = Option.getOrNull(decodeFailure(body))
  if (decoded === null) return null
  const [code, text] =
    "error_code" in decoded ? [decoded.error_code, orNull(decoded.error_message)] : [decoded.code, decoded.msg]
  const extras = Option.getOrNull(decodeExtras(decoded.extras))
  return {
    code: Number(code),
    methodResultCode: extras === null ? null : methodCodeText(extras.method_result_code),
    message: (extras === null ? null : orNull(extras.method_result_message)) ?? text ?? ""
  }
}

const classOf = (call: ErrorCodes.Call, status: number, failure: Failure): ErrorCodes.AnswerClass => {
  if (isOurs(status) && !ErrorCodes.isListed(failure.code)) return "Ours"
  const listed = ErrorCodes.classOf(call, failure.code, failure.methodResultCode)
  return statusDenied.has(status) && listed !== "Unknown" ? "Ours" : listed
}

const refusal = (call: ErrorCodes.Call, status: number, failure: Failure): Refusal => ({
  _tag: "Refusal",
  answerClass: classOf(call, status, failure),
  code: cut(
    failure.methodResultCode === null ? String(failure.code) : `${failure.code}/${failure.methodResultCode}`,
    codeLengthMax
  ),
  message: cut(failure.message, detailLengthMax)
})

const notUnderstood = (detail: string): NotUnderstood => ({ _tag: "NotUnderstood", detail })

/** Reads a reply to `call` whose success has the shape `schema`. */
export const read = <S extends Schema.ConstraintDecoder<unknown>>(
  call: ErrorCodes.Call,
  schema: S
): ((reply: Reply) => Reading<S["Type"]>) => {
  const decode = Schema.decodeUnknownOption(schema)
  return (reply) => {
    if (reply._tag !== "Replied") return reply
    const { status } = reply
    const body = Result.getOrElse(parse(reply.body), () => undefined)
    const failure = failureOf(body)
    const done = isSuccess(status) ? Option.getOrNull(decode(body)) : null
    if (done !== null && failure !== null) {
      return notUnderstood(`status ${status} with both an answer and the error ${failure.code}`)
    }
    if (done !== null) return { _tag: "Done", value: done }
    if (failure !== null) return refusal(call, status, failure)
    return isOurs(status)
      ? { _tag: "Refusal", answerClass: "Ours", code: `HTTP ${status}`, message: "" }
      : notUnderstood(`status ${status} with a body that is not the provider's`)
  }
}

/** A refusal in one line, for people. */
export const detailOf = (self: Refusal): string =>
  cut(self.message === "" ? self.code : `${self.code} ${self.message}`, detailLengthMax)

const unknown = (detail: string) => new Answer.Unknown({ detail: cut(detail, detailLengthMax) })
const notExecuted = (why: Answer.NotExecuted["why"], detail: string) =>
  new Answer.NotExecuted({ why, detail: cut(detail, detailLengthMax) })

/** Why the customer's money did not move; null for refusals that are not about the customer. */
export const declineReason = (self: Refusal): DeclineReason.DeclineReason | null => {
  const raw = { code: self.code, message: self.message }
  const { answerClass } = self
  switch (answerClass) {
    case "InsufficientFunds":
    case "LimitExceeded":
    case "Refused":
      return new DeclineReason.Soft({ kind: answerClass, ...raw })
    case "CardUnusable":
    case "AccountUnusable":
    case "BillingKeyRevoked":
      return new DeclineReason.Hard({ kind: answerClass, ...raw })
    case "MonthlyUsesExceeded":
      return new DeclineReason.Blocked({ kind: answerClass, ...raw })
    default:
      return null
  }
}

type NotDone = Exclude<Reading<never>, { readonly _tag: "Done" }>

// What every call answers when the provider did not do what it was asked, unless the call has a better word for it.
const common = (self: NotDone): Answer.NotExecuted | Answer.Unknown => {
  switch (self._tag) {
    case "NotSent":
      return notExecuted(self.isOurFault ? "ours" : "local", self.detail)
    case "Refusal":
      if (self.answerClass === "Word") return notExecuted("word", detailOf(self))
      if (self.answerClass === "Ours") return notExecuted("ours", detailOf(self))
      return unknown(detailOf(self))
    case "Lost":
    case "NotUnderstood":
      return unknown(self.detail)
  }
}

/** The answer to an approval or a charge that did not succeed. */
export const toProviderAnswer = (self: NotDone): Answer.ProviderAnswer => {
  if (self._tag !== "Refusal") return common(self)
  if (self.answerClass === "NotYet") return new Answer.NotYet({ detail: detailOf(self) })
  if (self.answerClass === "Expired") return new Answer.Expired({ detail: detailOf(self) })
  const reason = declineReason(self)
  return reason === null ? common(self) : new Answer.Declined({ reason })
}

/** The answer to a request for a transaction that did not succeed; no money can move by it, so a refusal is their word. */
export const toPrepareAnswer = (self: NotDone): Answer.NotExecuted | Answer.Unknown =>
  self._tag === "Refusal" && ErrorCodes.isDecline(self.answerClass) ? notExecuted("word", detailOf(self)) : common(self)

/** The answer to a refund that did not succeed. */
export const toRefundAnswer = (self: NotDone): Strategy.RefundAnswer =>
  self._tag === "Refusal" && self.answerClass === "RefundRefused"
    ? new Strategy.RefundRefused({ code: self.code, detail: self.message })
    : common(self)

/** The answer to a deactivation that did not succeed. */
export const toDeactivateAnswer = (self: NotDone): Strategy.DeactivateAnswer =>
  self._tag === "Refusal" && self.answerClass === "AlreadyInactive" ? new Strategy.Deactivated({}) : common(self)

/** The answer to a lookup that told nothing. */
export const toLookupFailed = (self: NotDone): Strategy.LookupFailed =>
  new Strategy.LookupFailed(
    self._tag === "Refusal"
      ? { isOurFault: self.answerClass === "Ours", detail: detailOf(self) }
      : { isOurFault: self._tag === "NotSent" && self.isOurFault, detail: cut(self.detail, detailLengthMax) }
  )

/** The answer to a lookup of a payment that did not succeed. */
export const toPaymentLookupAnswer = (self: NotDone): Strategy.PaymentLookupAnswer =>
  self._tag === "Refusal" && self.answerClass === "Missing"
    ? new Strategy.PaymentMissing({ detail: detailOf(self) })
    : toLookupFailed(self)

/** The answer to a lookup of a billing key that did not succeed. */
export const toBillingKeyLookupAnswer = (self: NotDone): Strategy.BillingKeyLookupAnswer =>
  self._tag === "Refusal" && self.answerClass === "Missing"
    ? new Strategy.BillingKeyMissing({ detail: detailOf(self) })
    : toLookupFailed(self)
