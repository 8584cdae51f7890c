/**
 * What a person decides: of a payment or a refund in review, of an approval that has no name yet, of a frozen key.
 *
 * Every decision is written down with who made it and why, in the transaction that acts on it. Where the provider can be
 * asked, its word must agree: a name of a payment is taken only if the provider shows it for this attempt with this
 * amount, and money is taken for given back only if the provider shows that.
 *
 * @since 0.1.0
 */
import * as Attempt from "@pillivery/domain/Attempt"
import * as BillingKey from "@pillivery/domain/BillingKey"
import { Soft } from "@pillivery/domain/DeclineReason"
import { AttemptId, BillingKeyId, RefundId } from "@pillivery/domain/Ids"
import { PaymentStrategies } from "@pillivery/domain/PaymentStrategy"
import type { TransactionId } from "@pillivery/domain/Provider"
import * as Repayment from "@pillivery/domain/Repayment"
import { type DateTime, Effect, Option, type Result, Schema } from "effect"
import { recordCharge } from "../Billing/RecordCharge.ts"
import { BillingKeyRepository } from "../ports/BillingKeyRepository.ts"
import { BusinessClock } from "../ports/BusinessClock.ts"
import { IdGenerator } from "../ports/IdGenerator.ts"
import { byLengthMax, ManualReviews, type Subject, whyLengthMax } from "../ports/ManualReviews.ts"
import { OrderRepository } from "../ports/OrderRepository.ts"
import { PaymentRepository } from "../ports/PaymentRepository.ts"
import { RefundRepository } from "../ports/RefundRepository.ts"
import { Transaction } from "../ports/Transaction.ts"
import { writeRepayment } from "../Refunds/DispatchRefund.ts"
import { retryStale } from "../StaleRetry.ts"
import * as Evidence from "./Evidence.ts"
import { MoneyCalls } from "./MoneyCalls.ts"
import { ProtocolSettings } from "./ProtocolSettings.ts"
import { recordApproval } from "./RecordApproval.ts"

/** There is nothing of this kind in a state that this verdict ends. */
export class NothingToDecide extends Schema.TaggedError<NothingToDecide>(
  "@pillivery/application/Payments/NothingToDecide"
)("NothingToDecide", { id: Schema.String, state: Schema.NullOr(Schema.String), verdict: Schema.String }) {
  override get message() {
    const found = this.state === null ? "there is no such row" : `it is ${this.state}`
    return `${this.id} cannot be taken for ${this.verdict}: ${found}`
  }
}

/** The provider does not show what the person says, or could not be asked. */
export class EvidenceMissing extends Schema.TaggedError<EvidenceMissing>(
  "@pillivery/application/Payments/EvidenceMissing"
)("EvidenceMissing", { id: Schema.String, detail: Schema.String }) {
  override get message() {
    return `${this.id}: ${this.detail}`
  }
}

/** Who decides, and why; at most `byLengthMax` and `whyLengthMax` characters. */
export interface Responsible {
  readonly by: string
  readonly why: string
}

/** What a person may say of a payment. */
export type AttemptVerdict =
  /** It was approved under this name. */
  | { readonly _tag: "approved"; readonly transactionId: TransactionId }
  | { readonly _tag: "declined" }
  | { readonly _tag: "notExecuted" }

/** Ends the review of an attempt, or gives an approval that was inferred its name; answers the attempt as it is then. */
export const settleAttempt = Effect.fn("settleAttempt")(function* (
  id: AttemptId,
  verdict: AttemptVerdict,
  responsible: Responsible
) {
  const payments = yield* PaymentRepository
  const attempt = Option.getOrNull(yield* payments.findAttempt(id))
  const isNameless = attempt !== null && "reference" in attempt && attempt.reference._tag === "Awaiting"
  const mayBe = attempt?._tag === "ManualReview" || (isNameless && verdict._tag === "approved")
  if (attempt === null || !mayBe) {
    return yield* new NothingToDecide({ id, state: attempt?._tag ?? null, verdict: verdict._tag })
  }
  const reference = verdict._tag === "approved" ? yield* nameOf(attempt, verdict.transactionId) : null
  if (verdict._tag !== "approved") yield* assertNoMoneyMoved(attempt)
  return yield* decided(
    { subject: isNameless ? "reference" : "attempt", id, verdict: verdict._tag, responsible },
    reference?.transactionId ?? null,
    Effect.gen(function* () {
      const current = Option.getOrNull(yield* payments.findAttempt(id))
      if (current?.version !== attempt.version) {
        return yield* new NothingToDecide({ id, state: current?._tag ?? null, verdict: verdict._tag })
      }
      const finding = attemptFinding(attempt, verdict, reference, responsible.why)
      return attempt.purpose._tag === "ForCycle"
        ? yield* recordCharge(id, finding)
        : yield* recordApproval(
            id,
            finding._tag === "Approved" ? { ...finding, billingKey: null } : finding,
            "sentAt" in attempt ? attempt.sentAt : null
          )
    })
  )
})

const attemptFinding = (
  attempt: Attempt.Attempt,
  verdict: AttemptVerdict,
  reference: Attempt.Known | null,
  why: string
) => {
  if (reference !== null) return { _tag: "Approved" as const, amount: attempt.amount, reference }
  return verdict._tag === "declined"
    ? {
        _tag: "Declined" as const,
        reason: new Soft({ kind: "Refused", code: "operator", message: why.slice(0, whyLengthMax) })
      }
    : { _tag: "NotExecuted" as const, why: "inferred" as const, detail: why.slice(0, whyLengthMax) }
}

// The name of a payment is believed if the provider shows this attempt and this amount under it.
const nameOf = Effect.fnUntraced(function* (attempt: Attempt.Attempt, transactionId: TransactionId) {
  const found = yield* lookUp(attempt, transactionId)
  if (found.attemptId !== attempt.id || found.amount !== attempt.amount) {
    const detail = `the provider shows ${transactionId} for ${found.attemptId ?? "no attempt"} and ${found.amount} won, not ${attempt.amount}`
    return yield* new EvidenceMissing({ id: attempt.id, detail })
  }
  if (found.standing !== "approved" || found.approvedAt === null) {
    return yield* new EvidenceMissing({
      id: attempt.id,
      detail: `the provider shows ${transactionId} ${found.standing}`
    })
  }
  return new Attempt.Known({ transactionId, approvalId: null, approvedAt: found.approvedAt, method: null })
})

// A charge that the provider shows executed is made a second time if it is taken for anything else. What it cannot tell is taken
// from the person.
const assertNoMoneyMoved = Effect.fnUntraced(function* (attempt: Attempt.Attempt) {
  const { id, purpose } = attempt
  if ("transactionId" in attempt && attempt.transactionId !== null) {
    const { amount, refundedTotal, standing } = yield* lookUp(attempt, attempt.transactionId)
    if (standing !== "approved" || refundedTotal >= amount) return
    return yield* new EvidenceMissing({ id, detail: `the provider shows ${attempt.transactionId} approved` })
  }
  if (purpose._tag !== "ForCycle" || !("baseline" in attempt)) return
  const key = Option.getOrNull(yield* (yield* BillingKeyRepository).findById(purpose.billingKeyId))
  const settings = yield* ProtocolSettings
  if (key === null || !("billingKey" in key)) return
  const answer = yield* lookUpKey(key)
  if (answer._tag === "BillingKeyFound" && Evidence.wasExecuted(settings, attempt, key, answer.lastApprovedAt)) {
    return yield* new EvidenceMissing({
      id,
      detail: "the provider shows an approval of its billing key that came after it was sent"
    })
  }
})

const lookUp = Effect.fnUntraced(function* (attempt: Attempt.Attempt, transactionId: TransactionId) {
  const calls = yield* MoneyCalls
  const strategy = (yield* PaymentStrategies).find(attempt.provider)
  const missing = (detail: string) => new EvidenceMissing({ id: attempt.id, detail })
  if (strategy === null) return yield* missing(`${attempt.provider} is not configured`)
  const answer = yield* calls
    .lookup(
      (result) => (result._tag === "LookupFailed" && !result.isOurFault ? "failure" : "success"),
      strategy.lookupPayment({ merchantAccount: attempt.merchantAccount, transactionId })
    )
    .pipe(Effect.mapError((refused) => missing(refused.message)))
  return answer._tag === "PaymentFound" ? answer : yield* missing(answer.detail)
})

/** Ends the review of a refund; answers it as it is then. */
export const settleRefund = Effect.fn("settleRefund")(function* (
  id: RefundId,
  verdict: Repayment.Verdict,
  responsible: Responsible
) {
  const refunds = yield* RefundRepository
  const payments = yield* PaymentRepository
  const orders = yield* OrderRepository
  const clock = yield* BusinessClock
  const nothing = (state: string | null) => new NothingToDecide({ id, state, verdict })
  const found = Option.getOrNull(yield* refunds.findById(id))
  if (found?._tag !== "ManualReview") return yield* nothing(found?._tag ?? null)
  const attempt = Option.getOrNull(yield* payments.findAttempt(found.attemptId))
  if (attempt === null || !("reference" in attempt) || attempt.reference._tag !== "Known") {
    return yield* new EvidenceMissing({ id, detail: "the payment has no name at the provider yet" })
  }
  const { refundedTotal } = yield* lookUp(attempt, attempt.reference.transactionId)
  const expected = verdict === "completed" ? attempt.refunded + found.amount : attempt.refunded
  if (refundedTotal !== expected) {
    const detail = `the provider gave back ${refundedTotal} won in all, and as ${verdict} it would be ${expected}`
    return yield* new EvidenceMissing({ id, detail })
  }
  return yield* decided(
    { subject: "refund", id, verdict, responsible },
    null,
    Effect.gen(function* () {
      const refund = Option.getOrNull(yield* refunds.findById(id))
      const payment = Option.getOrNull(yield* payments.findAttempt(found.attemptId))
      if (refund === null || payment === null) return yield* nothing(null)
      const order = refund.orderId === null ? null : Option.getOrNull(yield* orders.findById(refund.orderId))
      const books = { refund, attempt: payment, order }
      const entries = yield* Effect.fromResult(
        Repayment.decide(books, verdict, responsible.why, yield* clock.now)
      ).pipe(Effect.mapError(() => nothing(refund._tag)))
      yield* payments.releaseUserSlot(payment.provider, payment.customerReference, AttemptId.make(id))
      yield* writeRepayment(entries)
      return entries.refund
    })
  )
})

/** What a person may say of a frozen billing key: it is in order, or dead. */
export type KeyVerdict = "unfreeze" | "revoke"

/**
 * Ends the freeze of a billing key; answers it as it is then. A key that is taken for in order remembers the provider's last
 * approval of it, so that the same approval does not freeze it again.
 */
export const settleBillingKey = Effect.fn("settleBillingKey")(function* (
  id: BillingKeyId,
  verdict: KeyVerdict,
  responsible: Responsible
) {
  const keys = yield* BillingKeyRepository
  const found = Option.getOrNull(yield* keys.findById(id))
  if (found?._tag !== "Frozen") return yield* new NothingToDecide({ id, state: found?._tag ?? null, verdict })
  const lastApprovedAt = verdict === "unfreeze" ? yield* lastApprovalOf(found) : null
  return yield* decided(
    { subject: "billingKey", id, verdict, responsible },
    null,
    Effect.gen(function* () {
      const key = Option.getOrNull(yield* keys.findById(id))
      if (key?._tag !== "Frozen") return yield* new NothingToDecide({ id, state: key?._tag ?? null, verdict })
      const settled: Result.Result<BillingKey.BillingKey, BillingKey.BillingKeyTransitionDenied> =
        verdict === "unfreeze" ? BillingKey.unfreeze(key) : BillingKey.revoke(key)
      const known = yield* Effect.orDie(Effect.fromResult(settled)) // a frozen key knows both
      const remembered = lastApprovedAt === null ? known : BillingKey.rememberApproval(known, lastApprovedAt)
      yield* keys.update(remembered)
      return remembered
    })
  )
})

const lastApprovalOf = Effect.fnUntraced(function* (key: BillingKey.Frozen) {
  const missing = (detail: string) => new EvidenceMissing({ id: key.id, detail })
  const answer = yield* lookUpKey(key)
  if (answer._tag !== "BillingKeyFound") return yield* missing(answer.detail)
  return answer.isActive ? answer.lastApprovedAt : yield* missing("the provider shows it inactive: revoke it")
})

// What the provider says of a key; that it could not be asked is no answer.
const lookUpKey = Effect.fnUntraced(function* (
  key: Pick<BillingKey.Active, "id" | "provider" | "merchantAccount" | "billingKey">
) {
  const calls = yield* MoneyCalls
  const strategy = (yield* PaymentStrategies).find(key.provider)
  const missing = (detail: string) => new EvidenceMissing({ id: key.id, detail })
  if (strategy === null) return yield* missing(`${key.provider} is not configured`)
  const answer = yield* calls
    .lookup(
      (result) => (result._tag === "LookupFailed" && !result.isOurFault ? "failure" : "success"),
      strategy.lookupBillingKey({ merchantAccount: key.merchantAccount, billingKey: key.billingKey })
    )
    .pipe(Effect.mapError((refused) => missing(refused.message)))
  return answer._tag === "LookupFailed" ? yield* missing(answer.detail) : answer
})

// Acts on a decision and writes it down, both or neither.
const decided = Effect.fnUntraced(function* <A, E, R>(
  decision: {
    readonly subject: Subject
    readonly id: string
    readonly verdict: string
    readonly responsible: Responsible
  },
  transactionId: TransactionId | null,
  act: Effect.Effect<A, E, R>
) {
  const { run } = yield* Transaction
  const reviews = yield* ManualReviews
  const clock = yield* BusinessClock
  const ids = yield* IdGenerator
  const id = yield* ids.next
  return yield* retryStale(
    run(
      Effect.gen(function* () {
        const at: DateTime.Utc = yield* clock.now
        const done = yield* act
        yield* reviews.record({
          id,
          subject: decision.subject,
          subjectId: decision.id,
          decision: decision.verdict,
          by: decision.responsible.by.slice(0, byLengthMax),
          why: decision.responsible.why.slice(0, whyLengthMax),
          transactionId,
          at
        })
        return done
      })
    )
  )
})
