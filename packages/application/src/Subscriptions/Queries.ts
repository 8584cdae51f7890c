/**
 * Reading one's subscriptions. Somebody else's is not there.
 *
 * @since 0.1.0
 */
import type { BillingCycle } from "@pillivery/domain/BillingCycle"
import type { SubscriptionId, UserId } from "@pillivery/domain/Ids"
import type { SubscriptionOrder } from "@pillivery/domain/SubscriptionOrder"
import { Effect, Option } from "effect"
import { BillingLedger } from "../ports/BillingLedger.ts"
import type { PageRequest } from "../ports/Page.ts"
import { SubscriptionRepository } from "../ports/SubscriptionRepository.ts"
import { SubscriptionNotFound } from "./CancelSubscription.ts"

/** How many open cycles are read at once for one page. */
export const concurrency = 4

/** A subscription and the delivery that comes next; null when none does. */
export interface SubscriptionView {
  readonly subscription: SubscriptionOrder
  readonly openCycle: BillingCycle | null
}

const viewOf = Effect.fnUntraced(function* (subscription: SubscriptionOrder) {
  const ledger = yield* BillingLedger
  const openCycle =
    subscription._tag === "Cancelled" ? null : Option.getOrNull(yield* ledger.findOpenCycle(subscription.id))
  return { subscription, openCycle } satisfies SubscriptionView
})

const owned = Effect.fnUntraced(function* (subscriptionId: SubscriptionId, userId: UserId) {
  const found = yield* (yield* SubscriptionRepository).findById(subscriptionId)
  return Option.isSome(found) && found.value.userId === userId
    ? found.value
    : yield* new SubscriptionNotFound({ subscriptionId })
})

/** A subscription of the user. */
export const getSubscription = Effect.fn("getSubscription")(function* (subscriptionId: SubscriptionId, userId: UserId) {
  return yield* viewOf(yield* owned(subscriptionId, userId))
})

/** The user's subscriptions, newest first. */
export const listSubscriptions = Effect.fn("listSubscriptions")(function* (userId: UserId, page: PageRequest) {
  const found = yield* (yield* SubscriptionRepository).listByUser(userId, page)
  return { ...found, data: yield* Effect.forEach(found.data, viewOf, { concurrency }) }
})

/** What became of each delivery of a subscription, newest first. */
export const listCycles = Effect.fn("listCycles")(function* (
  subscriptionId: SubscriptionId,
  userId: UserId,
  page: PageRequest
) {
  const ledger = yield* BillingLedger
  yield* owned(subscriptionId, userId)
  return yield* ledger.listCycles(subscriptionId, page)
})
