/**
 * Reading one's subscriptions. Somebody else's is not there.
 *
 * @since 0.1.0
 */
import type { BillingCycle } from "@pillivery/domain/BillingCycle"
import type { BusinessDate } from "@pillivery/domain/BusinessDate"
import { OrderId, type SubscriptionId, type UserId } from "@pillivery/domain/Ids"
import { isChargeable, type SubscriptionOrder } from "@pillivery/domain/SubscriptionOrder"
import { Effect, Option, Schema } from "effect"
import { BillingLedger, type CycleKey } from "../ports/BillingLedger.ts"
import { type PageRequest, pageSizeMax } from "../ports/Page.ts"
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

/** A delivery that will be charged. */
export interface UpcomingCharge {
  readonly subscription: SubscriptionOrder
  readonly cycle: BillingCycle
  readonly on: BusinessDate
}

/** What will be charged next for each subscription of the user, the earliest first; at most `pageSizeMax` of the newest. */
export const listUpcomingCharges = Effect.fn("listUpcomingCharges")(function* (userId: UserId) {
  const { data } = yield* listSubscriptions(userId, { page: 1, size: pageSizeMax })
  return data
    .flatMap(({ openCycle: cycle, subscription }): ReadonlyArray<UpcomingCharge> => {
      const on = cycle !== null && "nextAttemptOn" in cycle ? cycle.nextAttemptOn : null
      return cycle === null || on === null || !isChargeable(subscription) ? [] : [{ subscription, cycle, on }]
    })
    .toSorted((one, two) => (one.on < two.on ? -1 : one.on > two.on ? 1 : 0))
})

/** There is no such cycle, or it was not charged. */
export class CycleNotCharged extends Schema.TaggedError<CycleNotCharged>(
  "@pillivery/application/Subscriptions/CycleNotCharged"
)("CycleNotCharged", { number: Schema.Int }) {
  override get message() {
    return `delivery ${this.number} was not charged`
  }
}

/** The order that a charged cycle of the user made. */
export const orderOfCycle = Effect.fn("orderOfCycle")(function* ({ number, subscriptionId }: CycleKey, userId: UserId) {
  yield* owned(subscriptionId, userId)
  const cycle = yield* (yield* BillingLedger).findCycle({ subscriptionId, number })
  if (Option.isNone(cycle) || cycle.value._tag !== "Charged") return yield* new CycleNotCharged({ number })
  // A renewal's order has the id of the attempt that paid it.
  return OrderId.make(cycle.value.chargedBy)
})
