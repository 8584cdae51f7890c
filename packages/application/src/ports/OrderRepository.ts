/**
 * Where orders are kept.
 *
 * @since 0.1.0
 */
import type { OrderId, UserId } from "@pillivery/domain/Ids"
import type { Order, Tag as OrderTag } from "@pillivery/domain/Order"
import { Context, type DateTime, type Effect, type Option } from "effect"
import type { Page, PageRequest } from "./Page.ts"
import type { AlreadyExists, StaleWrite, StorageError } from "./StorageError.ts"

/** Orders, by id; `update` succeeds only at the version read and then stores the next one. */
export class OrderRepository extends Context.Service<
  OrderRepository,
  {
    readonly insert: (order: Order) => Effect.Effect<void, StorageError | AlreadyExists>
    readonly findById: (id: OrderId) => Effect.Effect<Option.Option<Order>, StorageError>
    readonly update: (order: Order) => Effect.Effect<void, StorageError | StaleWrite>
    /** Newest first; all, or those in one state. */
    readonly listByUser: (
      userId: UserId,
      page: PageRequest,
      state?: OrderTag
    ) => Effect.Effect<Page<Order>, StorageError>
    /** Orders paid after a moment of which something is still to be delivered, those paid first before the others. */
    readonly listToDeliver: (paidAfter: DateTime.Utc, page: PageRequest) => Effect.Effect<Page<Order>, StorageError>
    /** Unpaid orders whose time is over and for which no approval is under way, oldest first. */
    readonly listExpirable: (at: DateTime.Utc, limit: number) => Effect.Effect<ReadonlyArray<OrderId>, StorageError>
  }
>()("@pillivery/application/OrderRepository") {}
