/**
 * Giving money back through the provider, one refund of a payment at a time.
 *
 * @since 0.1.0
 */
import * as Attempt from "@pillivery/domain/Attempt"
import * as DomainEvent from "@pillivery/domain/DomainEvent"
import { AttemptId, type RefundId } from "@pillivery/domain/Ids"
import * as Order from "@pillivery/domain/Order"
import { PaymentStrategies, type RefundAnswer } from "@pillivery/domain/PaymentStrategy"
import * as Refund from "@pillivery/domain/Refund"
import type { Won } from "@pillivery/domain/Won"
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

/** What is known of a refund that was sent. */
export type Finding =
  | { readonly _tag: "Done" }
  | { readonly _tag: "Refused"; readonly detail: string }
  | { readonly _tag: "NotExecuted"; readonly detail: string }
  | { readonly _tag: "StillUnknown"; readonly detail: string }
  | { readonly _tag: "NeedsReview"; readonly detail: string }

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
  const refund = found.value
  const foundAttempt = yield* payments.findAttempt(refund.attemptId)
  if (Option.isNone(foundAttempt)) return yield* reviewUnsent(refund, "its payment is missing")
  const attempt = foundAttempt.value
  if (attempt._tag !== "Approved" && attempt._tag !== "ApprovedSurplus") {
    return yield* reviewUnsent(refund, `its payment is ${attempt._tag}`)
  }
  const { reference } = attempt
  if (reference._tag === "Awaiting") return yield* park(refund)
  const tryingUntil = DateTime.add(refund.requestedAt, { days: settings.refundTryingDays })
  if (
    refund.dispatches >= settings.refundDispatchesMax &&
    (yield* clock.now).epochMilliseconds >= tryingUntil.epochMilliseconds
  ) {
    return yield* reviewUnsent(refund, `it was sent ${refund.dispatches} times in vain`)
  }
  if (attempt.refundInFlight !== null) return
  const strategy = strategies.find(attempt.provider)
  if (strategy === null) return

  // Known also when the commit of the claim was in doubt: then it tells our dispatch from a rival's.
  let claimedAt: DateTime.Utc | null = null
  const claim = transaction.run(
    Effect.gen(function* () {
      const at = yield* clock.now
      claimedAt = at
      const leaseExpiresAt = DateTime.add(yield* clock.databaseNow, { milliseconds: settings.leaseMillis })
      yield* payments.updateAttempt(yield* Effect.fromResult(Attempt.beginRefund(attempt, refund.id)))
      const holder = AttemptId.make(refund.id)
      if (!(yield* payments.takeUserSlot(attempt.provider, attempt.customerReference, holder))) {
        return yield* new StaleWrite({ entity: "userSlot", id: attempt.customerReference })
      }
      const sent = yield* Effect.fromResult(
        Refund.send(refund, { at, leaseExpiresAt, refundedBefore: attempt.refunded })
      )
      yield* refunds.update(sent)
      return sent
    })
  )

  yield* calls
    .dispatch({
      claim,
      call: (sent, dispatchBefore) =>
        strategy.refund({
          refundId: sent.id,
          merchantAccount: attempt.merchantAccount,
          transactionId: reference.transactionId,
          amount: sent.amount,
          available: (attempt.approved - attempt.refunded) as Won,
          dispatchBefore
        }),
      health: refundHealth,
      record: (sent, answer) =>
        Effect.flatMap(findingOf(sent, answer), (finding) => recordRefund(sent.id, finding, sent.sentAt)),
      recordUnsent: Effect.suspend(() =>
        recordRefund(refundId, { _tag: "NotExecuted", detail: "the commit of the intent was in doubt" }, claimedAt)
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
  const total = yield* refundedTotal(refund)
  return yield* recordRefund(refund.id, finding(), refund.sentAt)

  function finding(): Finding {
    if (total === null) return { _tag: "StillUnknown", detail: "the lookup told nothing" }
    const expected = refund.refundedBefore + refund.amount
    if (total === expected) return { _tag: "Done" }
    if (total !== refund.refundedBefore) {
      const detail = `the provider gave back ${total} won in all; ${refund.refundedBefore} or ${expected} were expected`
      return { _tag: "NeedsReview", detail }
    }
    return now.epochMilliseconds >= Evidence.believedFrom(settings, refund.sentAt).epochMilliseconds
      ? { _tag: "NotExecuted", detail: "nothing was given back past the grace time" }
      : { _tag: "StillUnknown", detail: "nothing was given back yet" }
  }
})

/**
 * Records a finding in one transaction and answers the refund as it is then; a settled refund stays as it is, and one that
 * was dispatched again since is none of this dispatch's business.
 */
export const recordRefund = Effect.fn("recordRefund")(function* (
  refundId: RefundId,
  finding: Finding,
  sentAt: DateTime.Utc | null
) {
  const refunds = yield* RefundRepository
  const payments = yield* PaymentRepository
  const orders = yield* OrderRepository
  const outbox = yield* Outbox
  const sales = yield* SalesLedger
  const clock = yield* BusinessClock
  const transaction = yield* Transaction
  const settings = yield* ProtocolSettings

  const contradiction = (denied: { readonly message: string }) =>
    new BooksContradict({ attemptId: refundId, detail: denied.message })

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
        const next = nextState(refund)
        // Somebody recorded it before us.
        if (Result.isFailure(next)) return refund
        yield* refunds.update(next.success)
        if (next.success._tag === "ManualReview") {
          yield* outbox.publish([reviewEvent(refund, next.success.detail, at)])
        }
        const outcome = endOf[next.success._tag]
        if (outcome === null) return next.success
        yield* payments.updateAttempt(
          yield* Effect.fromResult(Attempt.endRefund(attempt.value, refund.id, refund.amount, outcome)).pipe(
            Effect.mapError(contradiction)
          )
        )
        const common = {
          at,
          refundId: refund.id,
          attemptId: refund.attemptId,
          orderId: refund.orderId,
          userId: refund.userId,
          amount: refund.amount
        }
        if (next.success._tag === "Completed") {
          const order = refund.orderId === null ? Option.none() : yield* orders.findById(refund.orderId)
          if (Option.isSome(order)) {
            yield* orders.update(
              yield* Effect.fromResult(Order.refund(order.value, refund.lines, refund.amount)).pipe(
                Effect.mapError(contradiction)
              )
            )
            yield* sales.record(
              refund.lines.flatMap((asked) => {
                const line = order.value.lines.find((candidate) => candidate.id === asked.lineId)
                return line === undefined
                  ? []
                  : [{ cause: `${refund.id}/${line.id}`, itemId: line.itemId, quantity: -asked.quantity }]
              })
            )
          }
          yield* outbox.publish([
            new DomainEvent.RefundCompleted({ ...common, eventId: DomainEvent.eventId(refund.id, "RefundCompleted") })
          ])
        }
        if (next.success._tag === "Rejected") {
          yield* outbox.publish([
            new DomainEvent.RefundRejected({
              ...common,
              eventId: DomainEvent.eventId(refund.id, "RefundRejected"),
              detail: next.success.detail
            })
          ])
        }
        return next.success

        function nextState(self: Refund.Refund): Result.Result<Refund.Refund, Refund.RefundTransitionDenied> {
          switch (finding._tag) {
            case "Done":
              return Refund.complete(self, at)
            case "Refused":
              return Refund.reject(self, at, finding.detail)
            case "NotExecuted":
              return self._tag === "Sent" || self._tag === "Unknown"
                ? Refund.requestAgain(self)
                : Result.fail(
                    new Refund.RefundTransitionDenied({
                      refundId: self.id,
                      from: self._tag,
                      command: "be requested again"
                    })
                  )
            case "NeedsReview":
              return self._tag === "Unknown"
                ? Refund.review(self, at, finding.detail)
                : Result.fail(
                    new Refund.RefundTransitionDenied({ refundId: self.id, from: self._tag, command: "be reviewed" })
                  )
            case "StillUnknown": {
              if (self._tag === "Unknown") {
                return Refund.askAgain(self, Evidence.nextAskAt(settings, self.unknownSince, self.asks + 1, at))
              }
              const nextAskAt = Evidence.nextAskAt(settings, at, 0, at)
              return Refund.loseAnswer(self, { at, nextAskAt, detail: finding.detail })
            }
          }
        }
      })
    )
  )
})

// What each end of a refund does to the amount set aside on its payment; null while it has not ended.
const endOf = {
  Requested: "retry",
  Parked: null,
  Sent: null,
  Unknown: null,
  Completed: "completed",
  Rejected: "rejected",
  ManualReview: null
} as const satisfies Record<Refund.Tag, "completed" | "rejected" | "retry" | null>

// What an answer says about the refund that was sent.
const findingOf = Effect.fnUntraced(function* (
  sent: Refund.Sent,
  answer: RefundAnswer
): Effect.fn.Return<Finding, StorageError, MoneyCalls | PaymentRepository | PaymentStrategies> {
  const expected = sent.refundedBefore + sent.amount
  switch (answer._tag) {
    case "RefundDone":
      return answer.refundedTotal === expected
        ? { _tag: "Done" }
        : { _tag: "StillUnknown", detail: `the provider gave back ${answer.refundedTotal} won in all` }
    case "RefundRefused": {
      // A refusal is believed only when the provider also shows that nothing was given back. What we owe without an order
      // is never given up: it is tried again, and in the end shown to a person.
      const total = yield* refundedTotal(sent)
      if (total === expected) return { _tag: "Done" }
      return total === sent.refundedBefore && sent.orderId !== null
        ? { _tag: "Refused", detail: `${answer.code}: ${answer.detail}` }
        : { _tag: "StillUnknown", detail: `refused with ${answer.code}` }
    }
    case "NotExecuted":
      return { _tag: answer.why === "word" ? "StillUnknown" : "NotExecuted", detail: answer.detail }
    case "Unknown":
      return { _tag: "StillUnknown", detail: answer.detail }
  }
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

const reviewUnsent = Effect.fnUntraced(function* (refund: Refund.Requested, why: string) {
  const refunds = yield* RefundRepository
  const outbox = yield* Outbox
  const clock = yield* BusinessClock
  const transaction = yield* Transaction
  yield* transaction.run(
    Effect.gen(function* () {
      const at = yield* clock.now
      yield* Effect.fromResult(Refund.review(refund, at, why)).pipe(Effect.orDie, Effect.flatMap(refunds.update)) // it is requested
      yield* outbox.publish([reviewEvent(refund, why, at)])
    })
  )
})

const reviewEvent = (refund: Refund.Refund, detail: string, at: DateTime.Utc) =>
  new DomainEvent.PaymentNeedsReview({
    eventId: DomainEvent.eventId(`refund/${refund.id}`, "PaymentNeedsReview"),
    at,
    attemptId: refund.attemptId,
    userId: refund.userId,
    detail
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
        if (Option.isNone(attempt) || !("reference" in attempt.value)) return
        if (attempt.value.reference._tag === "Known") return
        yield* payments.updateAttempt(attempt.value)
        const found = yield* refunds.findById(refund.id)
        const parked = Option.isSome(found) ? Refund.park(found.value) : null
        if (parked?._tag === "Success") yield* refunds.update(parked.success)
      })
    )
  )
})
