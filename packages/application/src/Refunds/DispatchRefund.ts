/**
 * Giving money back through the provider, one refund of a payment at a time.
 *
 * @since 0.1.0
 */
import { AttemptId, type RefundId } from "@pillivery/domain/Ids"
import { PaymentStrategies, type RefundAnswer } from "@pillivery/domain/PaymentStrategy"
import type * as Refund from "@pillivery/domain/Refund"
import * as Repayment from "@pillivery/domain/Repayment"
import { DateTime, Effect, Option, Result } from "effect"
import { BooksContradict } from "../Billing/RecordCharge.ts"
import * as Evidence from "../Payments/Evidence.ts"
import { type CallHealth, MoneyCalls } from "../Payments/MoneyCalls.ts"
import { ProtocolSettings } from "../Payments/ProtocolSettings.ts"
import { isOfAnother } from "../Payments/RecordApproval.ts"
import { BusinessClock } from "../ports/BusinessClock.ts"
import { OrderRepository } from "../ports/OrderRepository.ts"
import { Outbox } from "../ports/Outbox.ts"
import { PaymentRepository } from "../ports/PaymentRepository.ts"
import { RefundRepository } from "../ports/RefundRepository.ts"
import { SalesLedger } from "../ports/SalesLedger.ts"
import { StaleWrite, type StorageError } from "../ports/StorageError.ts"
import { Transaction } from "../ports/Transaction.ts"
import { retryStale } from "../StaleRetry.ts"

/** Sends one requested refund, or leaves it where it is when it cannot be sent now. */
export const dispatchRefund = Effect.fn("dispatchRefund")(function* (refundId: RefundId) {
  const refunds = yield* RefundRepository
  const payments = yield* PaymentRepository
  const clock = yield* BusinessClock
  const transaction = yield* Transaction
  const calls = yield* MoneyCalls
  const strategies = yield* PaymentStrategies
  const settings = yield* ProtocolSettings

  const found = yield* refunds.findById(refundId)
  if (Option.isNone(found) || found.value._tag !== "Requested") return
  const requested = found.value
  const foundAttempt = yield* payments.findAttempt(requested.attemptId)
  if (Option.isNone(foundAttempt)) return yield* reviewUnsent(requested, "its payment is missing")
  const trying = {
    dispatchesMax: settings.refundDispatchesMax,
    until: DateTime.add(requested.requestedAt, { days: settings.refundTryingDays })
  }
  const judged = Repayment.ready({ refund: requested, attempt: foundAttempt.value }, trying, yield* clock.now)
  if (Result.isFailure(judged)) return yield* setAside(requested, judged.failure)
  const ready = judged.success
  const { attempt, refund } = ready
  const strategy = strategies.find(attempt.provider)
  if (strategy === null) return

  // Known also when the commit of the claim was in doubt: then it tells our dispatch from a rival's.
  let claimedAt: DateTime.Utc | null = null
  const claim = transaction.run(
    Effect.gen(function* () {
      const at = yield* clock.now
      claimedAt = at
      const leaseExpiresAt = DateTime.add(yield* clock.databaseNow, { milliseconds: settings.leaseMillis })
      const sending = yield* Effect.fromResult(Repayment.send(ready, { at, leaseExpiresAt }))
      yield* payments.updateAttempt(sending.attempt)
      const holder = AttemptId.make(refund.id)
      if (!(yield* payments.takeUserSlot(attempt.provider, attempt.customerReference, holder))) {
        return yield* new StaleWrite({ entity: "userSlot", id: attempt.customerReference })
      }
      yield* refunds.update(sending.refund)
      return sending.refund
    })
  )

  yield* calls
    .dispatch({
      claim,
      call: (sent, dispatchBefore) =>
        strategy.refund({
          refundId: sent.id,
          merchantAccount: attempt.merchantAccount,
          transactionId: ready.transactionId,
          amount: sent.amount,
          approved: ready.attempt.approved,
          available: ready.available,
          dispatchBefore
        }),
      health: refundHealth,
      record: (sent, answer) =>
        Effect.flatMap(findingOf(sent, answer), (finding) => recordRefund(sent.id, finding, sent.sentAt)),
      recordUnsent: Effect.suspend(() =>
        recordRefund(refundId, { _tag: "NotExecuted", detail: "nothing was sent" }, claimedAt)
      )
    })
    .pipe(
      // Held elsewhere or cut off: it stays requested and is tried again by the next pass.
      Effect.catchTags({
        StaleWrite: () => Effect.void,
        CircuitOpen: () => Effect.void,
        BulkheadFull: () => Effect.void,
        AttemptTransitionDenied: Effect.die,
        RefundTransitionDenied: Effect.die
      })
    )
})

/** Asks the provider how much it gave back, which decides a refund whose answer was lost. */
export const askAboutRefund = Effect.fn("askAboutRefund")(function* (refund: Refund.Unknown) {
  const clock = yield* BusinessClock
  const settings = yield* ProtocolSettings
  // Read before the lookup: what the provider showed may be believed only if the grace was over when it was asked.
  const now = yield* clock.now
  const asked = { askedAt: now, believedFrom: Evidence.believedFrom(settings, refund.sentAt) }
  const finding = Repayment.findingShown(refund, yield* refundedTotal(refund), asked)
  return yield* recordRefund(refund.id, finding, refund.sentAt)
})

/**
 * Records a finding in one transaction and answers the refund as it is then; a settled refund stays as it is, and one that
 * was dispatched again since is none of this dispatch's business.
 */
export const recordRefund = Effect.fn("recordRefund")(function* (
  refundId: RefundId,
  finding: Repayment.Finding,
  sentAt: DateTime.Utc | null
) {
  const refunds = yield* RefundRepository
  const payments = yield* PaymentRepository
  const orders = yield* OrderRepository
  const clock = yield* BusinessClock
  const transaction = yield* Transaction
  const settings = yield* ProtocolSettings

  return yield* retryStale(
    transaction.run(
      Effect.gen(function* () {
        const at = yield* clock.now
        const found = yield* refunds.findById(refundId)
        if (Option.isNone(found)) return yield* new BooksContradict({ attemptId: refundId, detail: "it is missing" })
        const refund = found.value
        if (finding._tag !== "Done" && isOfAnother(refund, sentAt)) return refund
        const attempt = yield* payments.findAttempt(refund.attemptId)
        if (Option.isNone(attempt)) {
          return yield* new BooksContradict({ attemptId: refundId, detail: "its payment is missing" })
        }
        yield* payments.releaseUserSlot(
          attempt.value.provider,
          attempt.value.customerReference,
          AttemptId.make(refund.id)
        )
        const order = refund.orderId === null ? null : Option.getOrNull(yield* orders.findById(refund.orderId))
        const entries = Repayment.settle(
          { refund, attempt: attempt.value, order },
          finding._tag === "StillUnknown" ? Evidence.lost(settings, refund, at, finding.detail) : finding,
          at
        )
        if (Result.isFailure(entries)) {
          // Somebody recorded it before us.
          if (entries.failure._tag === "RefundTransitionDenied") return refund
          return yield* new BooksContradict({ attemptId: refundId, detail: entries.failure.message })
        }
        yield* writeRepayment(entries.success)
        return entries.success.refund
      })
    )
  )
})

/** Writes what an outcome or a verdict does to the books of a refund; the caller's transaction makes it one. */
export const writeRepayment = Effect.fnUntraced(function* (entries: Repayment.Entries) {
  yield* (yield* RefundRepository).update(entries.refund)
  if (entries.attempt !== undefined) yield* (yield* PaymentRepository).updateAttempt(entries.attempt)
  if (entries.order !== undefined) {
    yield* (yield* OrderRepository).update(entries.order)
    yield* (yield* SalesLedger).record(
      entries.returned.map(({ itemId, lineId, quantity }) => ({
        cause: `${entries.refund.id}/${lineId}`,
        itemId,
        quantity: -quantity
      }))
    )
  }
  if (entries.events.length > 0) yield* (yield* Outbox).publish(entries.events)
})

// A refusal is believed only after a lookup.
const findingOf = Effect.fnUntraced(function* (
  sent: Refund.Sent,
  answer: RefundAnswer
): Effect.fn.Return<Repayment.Finding, StorageError, MoneyCalls | PaymentRepository | PaymentStrategies> {
  const shownTotal = answer._tag === "RefundRefused" ? yield* refundedTotal(sent) : null
  return Repayment.findingOf(sent, answer, shownTotal)
})

const refundedTotal = Effect.fnUntraced(function* (refund: Refund.Sent | Refund.Unknown) {
  const payments = yield* PaymentRepository
  const calls = yield* MoneyCalls
  const strategies = yield* PaymentStrategies
  const found = yield* payments.findAttempt(refund.attemptId)
  if (Option.isNone(found) || !("reference" in found.value) || found.value.reference._tag !== "Known") return null
  const strategy = strategies.find(found.value.provider)
  if (strategy === null) return null
  const answer = yield* calls
    .lookup(
      (result) => (result._tag === "LookupFailed" && !result.isOurFault ? "failure" : "success"),
      strategy.lookupPayment({
        merchantAccount: found.value.merchantAccount,
        transactionId: found.value.reference.transactionId
      })
    )
    .pipe(Effect.catch(() => Effect.succeed(null)))
  return answer?._tag === "PaymentFound" ? answer.refundedTotal : null
})

const refundHealth = (answer: RefundAnswer): CallHealth => {
  switch (answer._tag) {
    case "RefundDone":
    case "RefundRefused":
      return "success"
    case "NotExecuted":
      return answer.why === "ours" ? "ignored" : "failure"
    case "Unknown":
      return "failure"
  }
}

// What stands in a refund's way decides who goes on: a person, whoever learns the payment's name, or the next pass.
const setAside = (
  refund: Refund.Requested,
  denied: Extract<ReturnType<typeof Repayment.ready>, { readonly _tag: "Failure" }>["failure"]
) => {
  switch (denied._tag) {
    case "AttemptTransitionDenied":
      return reviewUnsent(refund, `its payment is ${denied.from}`)
    case "SentInVain":
      return reviewUnsent(refund, `it was sent ${denied.dispatches} times in vain`)
    case "PaymentUnnamed":
      return park(refund)
    case "RefundUnderWay":
    case "RefundTransitionDenied":
      return Effect.void
  }
}

const reviewUnsent = Effect.fnUntraced(function* (refund: Refund.Requested, why: string) {
  const refunds = yield* RefundRepository
  const outbox = yield* Outbox
  const clock = yield* BusinessClock
  const transaction = yield* Transaction
  yield* transaction.run(
    Effect.gen(function* () {
      const reviewed = yield* Effect.fromResult(Repayment.review(refund, why, yield* clock.now)).pipe(Effect.orDie) // it is requested
      yield* refunds.update(reviewed.refund)
      yield* outbox.publish(reviewed.events)
    })
  )
})

// The payment's name at the provider is not known: the refund waits for it. The payment's version moves, so that whoever
// learns the name meanwhile sees the refund waiting.
const park = Effect.fnUntraced(function* (refund: Refund.Requested) {
  const payments = yield* PaymentRepository
  const refunds = yield* RefundRepository
  const transaction = yield* Transaction
  yield* retryStale(
    transaction.run(
      Effect.gen(function* () {
        const attempt = yield* payments.findAttempt(refund.attemptId)
        const found = yield* refunds.findById(refund.id)
        if (Option.isNone(attempt) || Option.isNone(found)) return
        const parked = Repayment.park({ refund: found.value, attempt: attempt.value })
        if (parked === null) return
        yield* payments.updateAttempt(attempt.value)
        yield* refunds.update(parked)
      })
    )
  )
})
