/**
 * Subscription orders in memory.
 *
 * @since 0.1.0
 */
import { SubscriptionRepository, subscriptionsOfKeyMax } from "@pillivery/application/ports/SubscriptionRepository"
import type { BillingKeyId } from "@pillivery/domain/Ids"
import type { SubscriptionOrder } from "@pillivery/domain/SubscriptionOrder"
import { Effect, Layer, Option } from "effect"
import * as Table from "./internal/Table.ts"
import { Store } from "./Store.ts"

const liveKeyOf = (subscription: SubscriptionOrder): BillingKeyId | null => {
  switch (subscription._tag) {
    case "AwaitingBillingKey":
      return subscription.pendingBillingKeyId
    case "Cancelled":
      return null
    default:
      return subscription.billingKeyId
  }
}

/** The table of subscriptions, which the billing ledger reads too. */
export const subscriptions = Table.define<SubscriptionOrder>()({
  name: "subscription",
  idOf: (subscription) => subscription.id,
  unique: { orderLine: (subscription) => subscription.orderLineId },
  indexes: {
    user: (subscription) => `${subscription.userId}/${Table.timeKey(subscription.createdAt)}`,
    liveKey: liveKeyOf,
    awaitingKey: ({ _tag, createdAt }) => (_tag === "AwaitingBillingKey" ? Table.timeKey(createdAt) : null),
    toResume: (subscription) =>
      subscription._tag === "Paused" && subscription.resumeOn !== null ? `${subscription.resumeOn}/` : null
  }
})

/** Subscriptions of one store. */
export const layer = Layer.effect(
  SubscriptionRepository,
  Effect.map(Store, (store) =>
    SubscriptionRepository.of({
      insert: (subscription) =>
        store.write("SubscriptionRepository.insert", (rows) => rows.insert(subscriptions, subscription)),
      findById: (id) =>
        store.read("SubscriptionRepository.findById", (rows) => Option.fromUndefinedOr(rows.get(subscriptions, id))),
      update: (subscription) =>
        store.write("SubscriptionRepository.update", (rows) => rows.update(subscriptions, subscription)),
      listByUser: (userId, page) =>
        store.read("SubscriptionRepository.listByUser", (rows) =>
          rows.pageBackwards(subscriptions, "user", `${userId}/`, page)
        ),
      listLiveByBillingKey: (id) =>
        store.read("SubscriptionRepository.listLiveByBillingKey", (rows) =>
          rows.list(subscriptions, "liveKey", { prefix: `${id}/`, limit: subscriptionsOfKeyMax })
        ),
      listAwaitingKey: ({ after, limit, until }) =>
        store.read("SubscriptionRepository.listAwaitingKey", (rows) =>
          rows
            .list(subscriptions, "awaitingKey", {
              prefix: after === null ? "" : Table.after(`${Table.timeKey(after.createdAt)}/${after.id}`),
              until: Table.after(Table.timeKey(until)),
              limit
            })
            .map(({ createdAt, id }) => ({ createdAt, id }))
        ),
      listToResume: (on, limit) =>
        store.read("SubscriptionRepository.listToResume", (rows) =>
          rows.list(subscriptions, "toResume", { prefix: "", until: Table.after(`${on}/`), limit }).map(({ id }) => id)
        )
    })
  )
)
