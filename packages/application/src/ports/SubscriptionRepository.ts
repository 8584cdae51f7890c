/**
 * Where subscription orders are kept.
 *
 * @since 0.1.0
 */
import type { BusinessDate } from "@pillivery/domain/BusinessDate"
import type { BillingKeyId, SubscriptionId, UserId } from "@pillivery/domain/Ids"
import type { AwaitingBillingKey, SubscriptionOrder } from "@pillivery/domain/SubscriptionOrder"
import { Context, type DateTime, type Effect, type Option } from "effect"
import type { Page, PageRequest } from "./Page.ts"
import type { AlreadyExists, StaleWrite, StorageError } from "./StorageError.ts"

/** The most subscriptions of one billing key that are listed at once. */
export const subscriptionsOfKeyMax = 200

/** Where a page of waiting subscriptions goes on. */
export type Waiting = Pick<AwaitingBillingKey, "id" | "createdAt">

/** Subscription orders, unique by order line; `update` succeeds only at the version read and then stores the next one. */
export class SubscriptionRepository extends Context.Service<
  SubscriptionRepository,
  {
    readonly insert: (subscription: SubscriptionOrder) => Effect.Effect<void, StorageError | AlreadyExists>
    readonly findById: (id: SubscriptionId) => Effect.Effect<Option.Option<SubscriptionOrder>, StorageError>
    readonly update: (subscription: SubscriptionOrder) => Effect.Effect<void, StorageError | StaleWrite>
    /** Newest first. */
    readonly listByUser: (userId: UserId, page: PageRequest) => Effect.Effect<Page<SubscriptionOrder>, StorageError>
    /** The ones that are not cancelled and use, or wait for, this key; at most `subscriptionsOfKeyMax`. */
    readonly listLiveByBillingKey: (id: BillingKeyId) => Effect.Effect<ReadonlyArray<SubscriptionOrder>, StorageError>
    /** The ones that wait for their first billing key and began at `until` or before, oldest first, after `after`. */
    readonly listAwaitingKey: (options: {
      readonly until: DateTime.Utc
      readonly after: Waiting | null
      readonly limit: number
    }) => Effect.Effect<ReadonlyArray<Waiting>, StorageError>
    /** The paused ones that go on by `on`, in the order of their days. */
    readonly listToResume: (
      on: BusinessDate,
      limit: number
    ) => Effect.Effect<ReadonlyArray<SubscriptionId>, StorageError>
  }
>()("@pillivery/application/SubscriptionRepository") {}
