/**
 * Events that leave a transaction.
 *
 * @since 0.1.0
 */
import { DomainEvent, type Tag } from "@pillivery/domain/DomainEvent"
import { EventId } from "@pillivery/domain/Ids"
import { Context, type DateTime, type Effect, Schema } from "effect"
import type { StorageError } from "./StorageError.ts"

/** Who is told of events. Each has its own copy of an event, its own tries and its own failures. */
export const Consumer = Schema.Literals(["cart", "notification", "refund", "billingKey", "withdrawal"])
export type Consumer = typeof Consumer.Type

/** Which consumers are told of which event. */
export const consumersOf = {
  OrderPaid: ["cart", "notification"],
  OrderExpired: ["notification"],
  SubscriptionStarted: ["notification"],
  ChargeUpcoming: ["notification"],
  CycleCharged: ["notification"],
  CycleDeclined: ["notification"],
  CycleSkipped: ["notification"],
  DeliveryPostponed: ["notification"],
  SubscriptionPaused: ["notification"],
  SubscriptionResumed: ["notification"],
  SubscriptionChanged: ["notification"],
  SubscriptionCancelled: ["notification"],
  BillingKeyRegistrationRequested: ["billingKey", "notification"],
  BillingKeyActivated: ["notification"],
  BillingKeyReplaced: ["notification"],
  BillingKeyUnused: ["billingKey"],
  BillingKeyRevoked: ["notification"],
  BillingKeyFrozen: ["notification"],
  RefundRequested: ["refund", "notification"],
  RefundCompleted: ["notification"],
  RefundRejected: ["notification"],
  PaymentNeedsReview: ["notification"],
  ReviewWritten: [],
  ReviewEdited: [],
  ReviewRemoved: [],
  UserWithdrawn: ["withdrawal", "notification"]
} as const satisfies Record<Tag, ReadonlyArray<Consumer>>

/** One event on its way to one consumer. */
export class Delivery extends Schema.Class<Delivery>("@pillivery/application/Outbox/Delivery")({
  eventId: EventId,
  consumer: Consumer,
  event: DomainEvent,
  /** Which try this is, from 1. */
  tries: Schema.Int
}) {}

/** How many deliveries stand where. */
export interface OutboxCounts {
  readonly pending: number
  readonly dead: number
}

/** A delivery that was given up, for people to look at. */
export class DeadDelivery extends Schema.Class<DeadDelivery>("@pillivery/application/Outbox/DeadDelivery")({
  eventId: EventId,
  consumer: Consumer,
  tag: Schema.String,
  tries: Schema.Int,
  error: Schema.String,
  diedAt: Schema.DateTimeUtc
}) {}

/**
 * The outbox: events committed with what made them true, delivered at least once to each consumer.
 *
 * **Details**
 *
 * `publish` joins the transaction around it; an event with an id that is there already is not stored twice. `claim`
 * hands out deliveries that are due on the database's clock and held by nobody, for `leaseMillis`; a claim that is not
 * ended in time is handed out again.
 */
export class Outbox extends Context.Service<
  Outbox,
  {
    readonly publish: (events: ReadonlyArray<DomainEvent>) => Effect.Effect<void, StorageError>
    readonly claim: (options: {
      readonly owner: string
      readonly limit: number
      readonly leaseMillis: number
    }) => Effect.Effect<ReadonlyArray<Delivery>, StorageError>
    readonly complete: (delivery: Delivery) => Effect.Effect<void, StorageError>
    /** Due again `delayMillis` from now. */
    readonly retryLater: (
      delivery: Delivery,
      options: { readonly delayMillis: number; readonly error: string }
    ) => Effect.Effect<void, StorageError>
    readonly giveUp: (delivery: Delivery, error: string) => Effect.Effect<void, StorageError>
    readonly counts: Effect.Effect<OutboxCounts, StorageError>
    readonly listDead: (limit: number) => Effect.Effect<ReadonlyArray<DeadDelivery>, StorageError>
    /** Makes a dead delivery due again; false when there is none. */
    readonly revive: (eventId: EventId, consumer: Consumer) => Effect.Effect<boolean, StorageError>
    /**
     * Marks an event as consumed in the transaction around it; false when it was already, so that the effect is not
     * made twice.
     */
    readonly consumeOnce: (
      eventId: EventId,
      consumer: Consumer,
      at: DateTime.Utc
    ) => Effect.Effect<boolean, StorageError>
  }
>()("@pillivery/application/Outbox") {}
