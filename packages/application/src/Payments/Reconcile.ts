/**
 * Bringing every open payment to an end.
 *
 * What a dead process left behind is found by its lease, what the provider never answered by its schedule of asking. It
 * runs on every server and before every billing run; two at once do no harm, since each change is a conditional update.
 *
 * @since 0.1.0
 */
import * as Attempt from "@pillivery/domain/Attempt"
import type { AttemptId, RefundId } from "@pillivery/domain/Ids"
import * as Purchase from "@pillivery/domain/Purchase"
import type * as Refund from "@pillivery/domain/Refund"
import { Effect, Option } from "effect"
import { recordCharge } from "../Billing/RecordCharge.ts"
import { BusinessClock } from "../ports/BusinessClock.ts"
import { PaymentRepository } from "../ports/PaymentRepository.ts"
import { RefundRepository } from "../ports/RefundRepository.ts"
import { askAboutRefund, dispatchRefund, recordRefund } from "../Refunds/DispatchRefund.ts"
import { askAbout } from "./AskProvider.ts"
import { detectRestore } from "./DetectRestore.ts"
import { recordApproval } from "./RecordApproval.ts"

/** How many rows of one kind are taken at a time. */
export const batchSize = 100
/** How many batches one pass takes of each kind. */
export const batchesMax = 1_000
/** How many provider calls one pass makes at once. */
export const concurrency = 8

/** What one pass did. */
export interface Reconciled {
  /** Calls whose sender is gone: now known as unknown. */
  readonly lost: number
  /** Attempts and refunds the provider was asked about. */
  readonly asked: number
  /** Of those, how many have a definite answer now. */
  readonly resolved: number
  /** Waiting transactions whose time is over. */
  readonly abandoned: number
  /** Refunds sent. */
  readonly refunded: number
}

/**
 * Takes what senders left whose lease is over; answers how many. What they sent is unknown from then on and asked about in
 * its turn; what they had not sent is withdrawn. Calls nobody.
 */
export const recover = Effect.fn("recover")(function* () {
  const payments = yield* PaymentRepository
  const refunds = yield* RefundRepository
  const databaseNow = yield* (yield* BusinessClock).databaseNow
  return (
    (yield* sweep(payments.listAbandonedBySender(databaseNow, batchSize), loseSent)) +
    (yield* sweep(refunds.listAbandonedBySender(databaseNow, batchSize), loseRefund))
  )
})

/** Makes one pass over everything that waits for an answer; one broken row never stops another. */
export const reconcile = Effect.fn("reconcile")(function* () {
  const payments = yield* PaymentRepository
  const refunds = yield* RefundRepository
  yield* detectRestore()
  const lost = yield* recover()
  const now = yield* (yield* BusinessClock).now
  const abandoned = yield* sweep(payments.listExpiredWaiting(now, batchSize), abandonWaiting)
  let asked = 0
  let resolved = 0
  const counted =
    <Id, E, R>(ask: (id: Id) => Effect.Effect<"resolved" | "open", E, R>) =>
    (id: Id) =>
      Effect.map(ask(id), (result) => {
        asked++
        if (result === "resolved") resolved++
      })
  yield* sweep(payments.listToAskAbout(now, batchSize), counted(askAttempt))
  yield* sweep(refunds.listToAskAbout(now, batchSize), counted(askRefund))
  const refunded = yield* sweep(refunds.listRequested(batchSize), dispatchRefund)
  return { lost, asked, resolved, abandoned, refunded } satisfies Reconciled
})

// Takes batches until one brings nothing new. A row that failed is logged and left for the next pass.
const sweep = Effect.fnUntraced(function* <Id extends string, A, E, R, EList, RList>(
  list: Effect.Effect<ReadonlyArray<Id>, EList, RList>,
  handle: (id: Id) => Effect.Effect<A, E, R>
) {
  const seen = new Set<Id>()
  for (let batch = 0; batch < batchesMax; batch++) {
    const fresh = (yield* list).filter((id) => !seen.has(id))
    if (fresh.length === 0) break
    for (const id of fresh) seen.add(id)
    yield* Effect.forEach(
      fresh,
      (id) =>
        handle(id).pipe(
          Effect.catchCause((cause) =>
            Effect.logError("A row could not be reconciled", cause).pipe(Effect.annotateLogs({ id }))
          )
        ),
      { concurrency, discard: true }
    )
  }
  return seen.size
})

// The sender's lease is over. What was prepared was never sent; what was sent may have moved money.
const loseSent = Effect.fnUntraced(function* (id: AttemptId) {
  const payments = yield* PaymentRepository
  const clock = yield* BusinessClock
  const found = yield* payments.findAttempt(id)
  if (Option.isNone(found)) return
  const attempt = found.value
  if (attempt._tag === "Prepared") {
    const withdrawn = Attempt.withdraw(attempt, yield* clock.now, "its sender is gone")
    if (withdrawn._tag === "Success") {
      yield* payments.updateAttempt(withdrawn.success).pipe(Effect.catchTag("StaleWrite", () => Effect.void))
    }
    return
  }
  if (attempt._tag !== "Sent") return
  const finding = { _tag: "StillUnknown", detail: "its sender is gone" } as const
  if (attempt.purpose._tag === "ForCycle") yield* recordCharge(id, finding)
  else yield* recordApproval(id, finding, attempt.sentAt)
})

const loseRefund = Effect.fnUntraced(function* (id: RefundId) {
  const refunds = yield* RefundRepository
  const found = yield* refunds.findById(id)
  if (Option.isNone(found) || found.value._tag !== "Sent") return
  yield* recordRefund(id, { _tag: "StillUnknown", detail: "its sender is gone" }, found.value.sentAt)
})

const abandonWaiting = Effect.fnUntraced(function* (id: AttemptId) {
  const payments = yield* PaymentRepository
  const clock = yield* BusinessClock
  const found = yield* payments.findAttempt(id)
  if (Option.isNone(found)) return
  const lapsed = Purchase.lapse(found.value, yield* clock.now)
  if (lapsed === null) return
  yield* payments.updateAttempt(lapsed).pipe(Effect.catchTag("StaleWrite", () => Effect.void))
})

const askAttempt = Effect.fnUntraced(function* (id: AttemptId) {
  const payments = yield* PaymentRepository
  const found = yield* payments.findAttempt(id)
  if (Option.isNone(found) || found.value._tag !== "Unknown") return "open" as const
  const asked = yield* askAbout(found.value)
  return asked._tag === "Unknown" ? ("open" as const) : ("resolved" as const)
})

const askRefund = Effect.fnUntraced(function* (id: RefundId) {
  const refunds = yield* RefundRepository
  const found = yield* refunds.findById(id)
  if (Option.isNone(found) || found.value._tag !== "Unknown") return "open" as const
  const asked: Refund.Refund = yield* askAboutRefund(found.value)
  return asked._tag === "Unknown" ? ("open" as const) : ("resolved" as const)
})
