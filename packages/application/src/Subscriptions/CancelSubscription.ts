/**
 * The owner ends a subscription.
 *
 * Always accepted. Where an attempt is in flight the open cycle is left to its outcome: money that turns out to have moved
 * goes back in full.
 *
 * @since 0.1.0
 */
import { SubscriptionId, type UserId } from "@pillivery/domain/Ids"
import * as OwnerCommand from "@pillivery/domain/OwnerCommand"
import type * as SubscriptionOrder from "@pillivery/domain/SubscriptionOrder"
import { Effect, Option, Schema } from "effect"
import { BillingKeyRepository } from "../ports/BillingKeyRepository.ts"
import { BillingLedger } from "../ports/BillingLedger.ts"
import { BusinessClock } from "../ports/BusinessClock.ts"
import { Outbox } from "../ports/Outbox.ts"
import { SubscriptionRepository } from "../ports/SubscriptionRepository.ts"
import { Transaction } from "../ports/Transaction.ts"
import { retryStale } from "../StaleRetry.ts"

/** There is no such subscription, or it is somebody else's. */
export class SubscriptionNotFound extends Schema.TaggedError<SubscriptionNotFound>(
  "@pillivery/application/Subscriptions/SubscriptionNotFound"
)("SubscriptionNotFound", { subscriptionId: SubscriptionId }) {
  override get message() {
    return `there is no subscription ${this.subscriptionId}`
  }
}

/** A subscription that has ended; `isPaymentInProgress` tells that a charge is still being settled. */
export interface CancelledSubscription {
  readonly subscription: SubscriptionOrder.SubscriptionOrder
  readonly isPaymentInProgress: boolean
}

/** Ends a subscription; ending it again answers the same. */
export const cancelSubscription = Effect.fn("cancelSubscription")(function* (request: {
  readonly subscriptionId: SubscriptionId
  readonly userId: UserId
  readonly reason: SubscriptionOrder.CancelReason
  /** Ends it in this state only; in another it stays as it is. */
  readonly onlyFrom?: SubscriptionOrder.Tag
}) {
  const subscriptions = yield* SubscriptionRepository
  const ledger = yield* BillingLedger
  const keys = yield* BillingKeyRepository
  const outbox = yield* Outbox
  const clock = yield* BusinessClock
  const transaction = yield* Transaction

  return yield* retryStale(
    transaction.run(
      Effect.gen(function* () {
        const found = yield* subscriptions.findById(request.subscriptionId)
        if (Option.isNone(found) || found.value.userId !== request.userId) {
          return yield* new SubscriptionNotFound({ subscriptionId: request.subscriptionId })
        }
        const subscription = found.value
        const cycle = Option.getOrNull(yield* ledger.findOpenCycle(subscription.id))
        // An ended subscription has an open cycle only while its last charge is being settled.
        if (subscription._tag === "Cancelled") {
          return { subscription, isPaymentInProgress: cycle !== null } satisfies CancelledSubscription
        }
        if (request.onlyFrom !== undefined && subscription._tag !== request.onlyFrom) {
          return { subscription, isPaymentInProgress: false } satisfies CancelledSubscription
        }
        // A key that is still to be registered is let go too, so that it is given back should the customer register it.
        const keyId =
          subscription._tag === "AwaitingBillingKey" ? subscription.pendingBillingKeyId : subscription.billingKeyId
        const key = keyId === null ? null : Option.getOrNull(yield* keys.findById(keyId))
        const entries = yield* Effect.fromResult(
          OwnerCommand.cancel({ subscription, cycle, key }, request.reason, yield* clock.now)
        ).pipe(Effect.orDie) // a subscription that is not cancelled can be, and its free cycle abandoned
        if (entries.key !== undefined) yield* keys.update(entries.key)
        // A held cycle is left to its attempt; its version moves all the same, so that the outcome sees the cancellation.
        if (cycle !== null) yield* ledger.updateCycle(entries.cycle ?? cycle)
        yield* subscriptions.update(entries.subscription)
        yield* outbox.publish(entries.events)
        return {
          subscription: entries.subscription,
          isPaymentInProgress: entries.isPaymentInProgress
        } satisfies CancelledSubscription
      })
    )
  )
})
