/**
 * Recording what became of a customer's approval: of an order, or of a billing key registered without a charge.
 *
 * @since 0.1.0
 */
import * as Attempt from "@pillivery/domain/Attempt"
import * as BillingCycle from "@pillivery/domain/BillingCycle"
import * as BillingKey from "@pillivery/domain/BillingKey"
import * as BusinessDate from "@pillivery/domain/BusinessDate"
import * as DomainEvent from "@pillivery/domain/DomainEvent"
import { type AttemptId, BillingKeyId, SubscriptionId } from "@pillivery/domain/Ids"
import type * as Order from "@pillivery/domain/Order"
import type { ProviderBillingKey } from "@pillivery/domain/Provider"
import * as Purchase from "@pillivery/domain/Purchase"
import * as SubscriptionOrder from "@pillivery/domain/SubscriptionOrder"
import { DateTime, Effect, Option, Result } from "effect"
import { BooksContradict, reportContradiction } from "../Billing/RecordCharge.ts"
import { salesOf } from "../Billing/WriteEntries.ts"
import { BillingKeyRepository } from "../ports/BillingKeyRepository.ts"
import { BillingLedger } from "../ports/BillingLedger.ts"
import { BusinessClock } from "../ports/BusinessClock.ts"
import { OrderRepository } from "../ports/OrderRepository.ts"
import { Outbox } from "../ports/Outbox.ts"
import { PaymentRepository } from "../ports/PaymentRepository.ts"
import { RefundRepository } from "../ports/RefundRepository.ts"
import { SalesLedger } from "../ports/SalesLedger.ts"
import { SubscriptionRepository } from "../ports/SubscriptionRepository.ts"
import { Transaction } from "../ports/Transaction.ts"
import { UserRepository } from "../ports/UserRepository.ts"
import { retryStale } from "../StaleRetry.ts"
import { cancelSubscription } from "../Subscriptions/CancelSubscription.ts"
import * as Evidence from "./Evidence.ts"
import { ProtocolSettings } from "./ProtocolSettings.ts"

/**
 * Records a finding in one transaction and answers the attempt as it is then; a settled attempt stays as it is.
 *
 * **Details**
 *
 * Whatever is not an approval speaks only for the dispatch it belongs to, named by when it was sent: when another visitor
 * has dispatched the attempt since, it changes nothing and releases nothing.
 */
export const recordApproval = Effect.fn("recordApproval")(function* (
  attemptId: AttemptId,
  finding: Purchase.Finding,
  sentAt: DateTime.Utc | null
) {
  const payments = yield* PaymentRepository
  const orders = yield* OrderRepository
  const clock = yield* BusinessClock
  const transaction = yield* Transaction
  const settings = yield* ProtocolSettings

  return yield* retryStale(
    transaction.run(
      Effect.gen(function* () {
        const at = yield* clock.now
        const found = yield* payments.findAttempt(attemptId)
        if (Option.isNone(found)) return yield* new BooksContradict({ attemptId, detail: "the attempt is missing" })
        const attempt = found.value
        if (finding._tag !== "Approved" && isOfAnother(attempt, sentAt)) return attempt
        yield* payments.releaseUserSlot(attempt.provider, attempt.customerReference, attempt.id)
        const outcome = finding._tag === "StillUnknown" ? Evidence.lost(settings, attempt, at, finding.detail) : finding
        if (attempt.purpose._tag === "ForRegistration") return yield* recordRegistration(attempt, outcome, at)
        if (attempt.purpose._tag !== "ForOrder") {
          return yield* new BooksContradict({ attemptId, detail: "the attempt pays for no order" })
        }
        const order = yield* orders.findById(attempt.purpose.orderId)
        if (Option.isNone(order)) return yield* new BooksContradict({ attemptId, detail: "the order is missing" })
        const entries = Purchase.settle({ attempt, order: order.value }, outcome, at)
        if (Result.isFailure(entries)) {
          if (entries.failure._tag !== "AttemptTransitionDenied") {
            return yield* new BooksContradict({ attemptId, detail: entries.failure.message })
          }
          if (finding._tag !== "Approved") return attempt
          if (attempt._tag === "Approved" && finding.billingKey !== null) {
            yield* adoptKey(attempt, order.value, finding.billingKey, at)
          }
          yield* reportContradiction(attempt, at)
          return attempt
        }
        yield* writePurchase(entries.success)
        return entries.success.attempt
      })
    )
  )
})

/** Whether a row was dispatched again, so that what is known of the dispatch sent at `sentAt` is not about it. */
export const isOfAnother = (row: object, sentAt: DateTime.Utc | null): boolean =>
  "sentAt" in row && DateTime.isDateTime(row.sentAt) && row.sentAt.epochMilliseconds !== sentAt?.epochMilliseconds

const writePurchase = Effect.fnUntraced(function* (entries: Purchase.Entries) {
  const payments = yield* PaymentRepository
  const orders = yield* OrderRepository
  const keys = yield* BillingKeyRepository
  const subscriptions = yield* SubscriptionRepository
  const ledger = yield* BillingLedger
  if (entries.order !== undefined) yield* orders.update(entries.order)
  yield* payments.updateAttempt(entries.attempt)
  if (entries.key !== undefined) yield* keys.insert(entries.key)
  for (const subscription of entries.subscriptions) yield* subscriptions.insert(subscription)
  for (const cycle of entries.cycles) yield* ledger.insertCycle(cycle)
  if (entries.isPaid && entries.order !== undefined) {
    yield* (yield* SalesLedger).record(salesOf(entries.order, entries.attempt.id))
  }
  if (entries.refund !== undefined) yield* (yield* RefundRepository).insert(entries.refund)
  if (entries.events.length > 0) yield* (yield* Outbox).publish(entries.events)
  yield* endForWithdrawn(entries.subscriptions)
})

// A user who left while the payment was under way has no subscription that begins after it. The user's row is written, so
// that a withdrawal at this moment sees what begins here, or is seen.
const endForWithdrawn = Effect.fnUntraced(function* (begun: ReadonlyArray<SubscriptionOrder.SubscriptionOrder>) {
  const [first] = begun
  if (first === undefined) return
  const users = yield* UserRepository
  const { userId } = first
  const user = yield* users.findById(userId)
  if (Option.isNone(user)) return
  if (user.value._tag === "Active") {
    // Nothing of it changes but its version.
    return yield* users.update(user.value).pipe(Effect.catchTag("UserExists", Effect.die))
  }
  for (const { id } of begun) {
    yield* cancelSubscription({ subscriptionId: id, userId, reason: "withdrawal" }).pipe(
      Effect.catchTag("SubscriptionNotFound", Effect.die)
    )
  }
})

// A registered key serves every subscription that waits for it: each becomes chargeable and its open cycle due.
const recordRegistration = Effect.fnUntraced(function* (
  attempt: Attempt.Attempt,
  outcome: Purchase.Outcome,
  at: DateTime.Utc
) {
  const payments = yield* PaymentRepository
  const keys = yield* BillingKeyRepository
  const subscriptions = yield* SubscriptionRepository
  if (attempt.purpose._tag !== "ForRegistration") return attempt
  const next = registrationOutcome(attempt, outcome, at)
  if (Result.isFailure(next)) return attempt
  yield* payments.updateAttempt(next.success)
  const billingKey = outcome._tag === "Approved" ? outcome.billingKey : null
  const key = yield* keys.findById(attempt.purpose.billingKeyId)
  if (next.success._tag !== "Approved" || billingKey === null || Option.isNone(key)) return next.success
  const contradiction = (detail: string) => () => new BooksContradict({ attemptId: attempt.id, detail })
  const active = yield* Effect.fromResult(BillingKey.activate(key.value, billingKey, null)).pipe(
    Effect.mapError(contradiction("the billing key was not pending"))
  )
  const waiting = yield* subscriptions.listLiveByBillingKey(active.id)
  yield* keys.update(new BillingKey.Active({ ...active, liveUses: waiting.length }))
  yield* attach(active, waiting, attempt.id, at)
  return next.success
})

// Each subscription that waited becomes chargeable and its open cycle due; a key that nobody waits for is given back.
const attach = Effect.fnUntraced(function* (
  active: BillingKey.Active,
  waiting: ReadonlyArray<SubscriptionOrder.SubscriptionOrder>,
  attemptId: AttemptId,
  at: DateTime.Utc
) {
  const subscriptions = yield* SubscriptionRepository
  const ledger = yield* BillingLedger
  const contradiction = (detail: string) => () => new BooksContradict({ attemptId, detail })
  const today = BusinessDate.fromInstant(at)
  for (const subscription of waiting) {
    const oldKeyId = subscription._tag === "AwaitingBillingKey" ? null : subscription.billingKeyId
    if (oldKeyId === active.id) continue
    yield* subscriptions.update(
      yield* Effect.fromResult(SubscriptionOrder.replaceKey(subscription, active.id)).pipe(
        Effect.mapError(contradiction("the subscription takes no key"))
      )
    )
    const cycle = yield* ledger.findOpenCycle(subscription.id)
    if (Option.isSome(cycle) && cycle.value._tag === "AwaitingKey") {
      yield* ledger.updateCycle(
        yield* Effect.fromResult(BillingCycle.receiveKey(cycle.value, today)).pipe(
          Effect.mapError(contradiction("the cycle takes no key"))
        )
      )
    }
  }
  const event = {
    at,
    billingKeyId: active.id,
    userId: active.userId
  }
  yield* (yield* Outbox).publish([
    waiting.length > 0
      ? new DomainEvent.BillingKeyActivated({
          ...event,
          eventId: DomainEvent.eventId(active.id, "BillingKeyActivated")
        })
      : new DomainEvent.BillingKeyUnused({ ...event, eventId: DomainEvent.eventId(active.id, "BillingKeyUnused") })
  ])
})

// The provider's own answer came after a lookup had told that the order was paid: it brings the billing key that the lookup
// could not tell.
const adoptKey = Effect.fnUntraced(function* (
  attempt: Attempt.Approved,
  order: Order.Order,
  billingKey: ProviderBillingKey,
  at: DateTime.Utc
) {
  const keys = yield* BillingKeyRepository
  const subscriptions = yield* SubscriptionRepository
  const id = BillingKeyId.make(attempt.id)
  if (Option.isSome(yield* keys.findById(id))) return
  const begun = yield* Effect.forEach(
    order.lines.filter((line) => line.period !== null),
    (line) => subscriptions.findById(SubscriptionId.make(line.id))
  )
  const waiting = begun
    .flatMap((found) => (Option.isSome(found) ? [found.value] : []))
    .filter((subscription) => subscription._tag === "AwaitingBillingKey")
  const active = BillingKey.issuedWithPayment({
    id,
    userId: order.userId,
    provider: attempt.provider,
    merchantAccount: attempt.merchantAccount,
    customerReference: attempt.customerReference,
    billingKey,
    liveUses: waiting.length,
    approvedAt: attempt.reference.approvedAt,
    at
  })
  yield* keys.insert(active)
  yield* attach(active, waiting, attempt.id, at)
})

const registrationOutcome = (
  attempt: Attempt.Attempt,
  outcome: Purchase.Outcome,
  at: DateTime.Utc
): Result.Result<Attempt.Attempt, Attempt.AttemptTransitionDenied> => {
  switch (outcome._tag) {
    case "Approved":
      // Found by a lookup, the key's name stays unknown: this registration is of no use, another one is made.
      return outcome.billingKey === null
        ? Attempt.abandon(attempt, at, "registered, but the billing key was never told")
        : Attempt.approve(attempt, { at, reference: outcome.reference, amount: attempt.amount, isOwed: true })
    case "Declined":
      return Attempt.decline(attempt, at, outcome.reason)
    case "NotYet":
      return Attempt.waitAgain(attempt)
    case "Over":
      return Attempt.abandon(attempt, at, outcome.detail)
    case "NotExecuted":
      return Attempt.notExecuted(attempt, { at, why: "inferred", detail: outcome.detail })
    case "NeedsReview":
      return Attempt.review(attempt, at, outcome.detail)
    case "Lost":
      return attempt._tag === "Unknown"
        ? Attempt.askAgain(attempt, outcome.nextAskAt)
        : Attempt.loseAnswer(attempt, { at, nextAskAt: outcome.nextAskAt, detail: outcome.detail })
  }
}
