/**
 * What happened, for whoever cares.
 *
 * An event is committed in the transaction that made it true and delivered at least once. Its id is derived from what
 * caused it, so writing or delivering it twice is recognised.
 *
 * @since 0.1.0
 */
import type * as DateTime from "effect/DateTime"
import * as Schema from "effect/Schema"
import { SkipReason } from "./BillingCycle.ts"
import * as BillingKey from "./BillingKey.ts"
import { BusinessDate } from "./BusinessDate.ts"
import { DeliveryPeriod } from "./DeliveryPeriod.ts"
import { AttemptId, BillingKeyId, EventId, ItemId, OrderId, RefundId, ReviewId, SubscriptionId, UserId } from "./Ids.ts"
import { Quantity } from "./Quantity.ts"
import { Rating } from "./Rating.ts"
import { CancelReason, type SubscriptionOrder } from "./SubscriptionOrder.ts"
import { Won } from "./Won.ts"

const common = { eventId: EventId, at: Schema.DateTimeUtc }

/** An order was paid. */
export class OrderPaid extends Schema.TaggedClass<OrderPaid>("@pillivery/domain/DomainEvent/OrderPaid")("OrderPaid", {
  ...common,
  orderId: OrderId,
  userId: UserId,
  attemptId: AttemptId,
  amount: Won
}) {}

/** An order was not paid in time. */
export class OrderExpired extends Schema.TaggedClass<OrderExpired>("@pillivery/domain/DomainEvent/OrderExpired")(
  "OrderExpired",
  { ...common, orderId: OrderId, userId: UserId }
) {}

/** A subscription began. */
export class SubscriptionStarted extends Schema.TaggedClass<SubscriptionStarted>(
  "@pillivery/domain/DomainEvent/SubscriptionStarted"
)("SubscriptionStarted", { ...common, subscriptionId: SubscriptionId, userId: UserId, nextDueDate: BusinessDate }) {}

const cycle = { subscriptionId: SubscriptionId, cycleNumber: Schema.Int, userId: UserId }

/** A renewal will be charged on a day that comes soon. */
export class ChargeUpcoming extends Schema.TaggedClass<ChargeUpcoming>("@pillivery/domain/DomainEvent/ChargeUpcoming")(
  "ChargeUpcoming",
  { ...common, ...cycle, on: BusinessDate, amount: Won }
) {}

/** A renewal was charged. */
export class CycleCharged extends Schema.TaggedClass<CycleCharged>("@pillivery/domain/DomainEvent/CycleCharged")(
  "CycleCharged",
  { ...common, ...cycle, attemptId: AttemptId, orderId: OrderId, amount: Won, chargedOn: BusinessDate }
) {}

/** A renewal was declined; `nextAttemptOn` is null when no further try follows. */
export class CycleDeclined extends Schema.TaggedClass<CycleDeclined>("@pillivery/domain/DomainEvent/CycleDeclined")(
  "CycleDeclined",
  {
    ...common,
    ...cycle,
    attemptId: AttemptId,
    severity: Schema.Literals(["Soft", "Hard", "Blocked"]),
    kind: Schema.String,
    nextAttemptOn: Schema.NullOr(BusinessDate)
  }
) {}

/** A delivery was left out: by its owner's wish, or because it could not be made. */
export class CycleSkipped extends Schema.TaggedClass<CycleSkipped>("@pillivery/domain/DomainEvent/CycleSkipped")(
  "CycleSkipped",
  { ...common, ...cycle, reason: SkipReason }
) {}

/** The owner moved a delivery from one due date to a later one. */
export class DeliveryPostponed extends Schema.TaggedClass<DeliveryPostponed>(
  "@pillivery/domain/DomainEvent/DeliveryPostponed"
)("DeliveryPostponed", { ...common, ...cycle, from: BusinessDate, to: BusinessDate }) {}

const subscription = { subscriptionId: SubscriptionId, userId: UserId }

/** A subscription was paused, by its owner or by policy; `resumeOn` is null where nothing but the owner ends it. */
export class SubscriptionPaused extends Schema.TaggedClass<SubscriptionPaused>(
  "@pillivery/domain/DomainEvent/SubscriptionPaused"
)("SubscriptionPaused", {
  ...common,
  ...subscription,
  by: Schema.Literals(["owner", "policy"]),
  resumeOn: Schema.NullOr(BusinessDate)
}) {}

/** A pause ended. */
export class SubscriptionResumed extends Schema.TaggedClass<SubscriptionResumed>(
  "@pillivery/domain/DomainEvent/SubscriptionResumed"
)("SubscriptionResumed", { ...common, ...subscription, nextDueDate: BusinessDate }) {}

/** The owner changed how many units are delivered, or how often. */
export class SubscriptionChanged extends Schema.TaggedClass<SubscriptionChanged>(
  "@pillivery/domain/DomainEvent/SubscriptionChanged"
)("SubscriptionChanged", {
  ...common,
  ...subscription,
  quantity: Quantity,
  period: DeliveryPeriod,
  nextDueDate: BusinessDate
}) {}

/** A subscription charges another billing key from now on. */
export class BillingKeyReplaced extends Schema.TaggedClass<BillingKeyReplaced>(
  "@pillivery/domain/DomainEvent/BillingKeyReplaced"
)("BillingKeyReplaced", { ...common, ...subscription, billingKeyId: BillingKeyId }) {}

/** A subscription ended. */
export class SubscriptionCancelled extends Schema.TaggedClass<SubscriptionCancelled>(
  "@pillivery/domain/DomainEvent/SubscriptionCancelled"
)("SubscriptionCancelled", { ...common, subscriptionId: SubscriptionId, userId: UserId, reason: CancelReason }) {}

/** A billing key must be registered by its customer, without a charge. */
export class BillingKeyRegistrationRequested extends Schema.TaggedClass<BillingKeyRegistrationRequested>(
  "@pillivery/domain/DomainEvent/BillingKeyRegistrationRequested"
)("BillingKeyRegistrationRequested", { ...common, subscriptionId: SubscriptionId, userId: UserId }) {}

/** A billing key can be charged. */
export class BillingKeyActivated extends Schema.TaggedClass<BillingKeyActivated>(
  "@pillivery/domain/DomainEvent/BillingKeyActivated"
)("BillingKeyActivated", { ...common, billingKeyId: BillingKeyId, userId: UserId }) {}

/** Nothing uses a billing key any more: the provider is to be told. */
export class BillingKeyUnused extends Schema.TaggedClass<BillingKeyUnused>(
  "@pillivery/domain/DomainEvent/BillingKeyUnused"
)("BillingKeyUnused", { ...common, billingKeyId: BillingKeyId, userId: UserId }) {}

/** The provider no longer accepts a billing key. */
export class BillingKeyRevoked extends Schema.TaggedClass<BillingKeyRevoked>(
  "@pillivery/domain/DomainEvent/BillingKeyRevoked"
)("BillingKeyRevoked", { ...common, billingKeyId: BillingKeyId, userId: UserId }) {}

/** The provider shows an approval of a billing key that our books do not explain: nothing is charged until it is cleared. */
export class BillingKeyFrozen extends Schema.TaggedClass<BillingKeyFrozen>(
  "@pillivery/domain/DomainEvent/BillingKeyFrozen"
)("BillingKeyFrozen", { ...common, billingKeyId: BillingKeyId, userId: UserId }) {}

const refund = {
  refundId: RefundId,
  attemptId: AttemptId,
  orderId: Schema.NullOr(OrderId),
  userId: UserId,
  amount: Won
}

/** Money is to be given back. */
export class RefundRequested extends Schema.TaggedClass<RefundRequested>(
  "@pillivery/domain/DomainEvent/RefundRequested"
)("RefundRequested", { ...common, ...refund }) {}

/** Money was given back. */
export class RefundCompleted extends Schema.TaggedClass<RefundCompleted>(
  "@pillivery/domain/DomainEvent/RefundCompleted"
)("RefundCompleted", { ...common, ...refund }) {}

/** The provider refused to give money back. */
export class RefundRejected extends Schema.TaggedClass<RefundRejected>("@pillivery/domain/DomainEvent/RefundRejected")(
  "RefundRejected",
  { ...common, ...refund, detail: Schema.String }
) {}

/** A person must look at a payment. */
export class PaymentNeedsReview extends Schema.TaggedClass<PaymentNeedsReview>(
  "@pillivery/domain/DomainEvent/PaymentNeedsReview"
)("PaymentNeedsReview", { ...common, attemptId: AttemptId, userId: UserId, detail: Schema.String }) {}

const review = { reviewId: ReviewId, itemId: ItemId, userId: UserId }

/** A buyer wrote a review, for the first time or again. */
export class ReviewWritten extends Schema.TaggedClass<ReviewWritten>("@pillivery/domain/DomainEvent/ReviewWritten")(
  "ReviewWritten",
  { ...common, ...review, orderId: OrderId, stars: Rating }
) {}

/** A buyer changed a review. */
export class ReviewEdited extends Schema.TaggedClass<ReviewEdited>("@pillivery/domain/DomainEvent/ReviewEdited")(
  "ReviewEdited",
  { ...common, ...review, starsBefore: Rating, stars: Rating }
) {}

/** A buyer removed a review; `stars` no longer count. */
export class ReviewRemoved extends Schema.TaggedClass<ReviewRemoved>("@pillivery/domain/DomainEvent/ReviewRemoved")(
  "ReviewRemoved",
  { ...common, ...review, stars: Rating }
) {}

/** A user left; what is kept of it tells nobody who it was. */
export class UserWithdrawn extends Schema.TaggedClass<UserWithdrawn>("@pillivery/domain/DomainEvent/UserWithdrawn")(
  "UserWithdrawn",
  { ...common, userId: UserId }
) {}

/** What happened. */
export const DomainEvent = Schema.Union([
  OrderPaid,
  OrderExpired,
  SubscriptionStarted,
  ChargeUpcoming,
  CycleCharged,
  CycleDeclined,
  CycleSkipped,
  DeliveryPostponed,
  SubscriptionPaused,
  SubscriptionResumed,
  SubscriptionChanged,
  SubscriptionCancelled,
  BillingKeyRegistrationRequested,
  BillingKeyActivated,
  BillingKeyReplaced,
  BillingKeyUnused,
  BillingKeyRevoked,
  BillingKeyFrozen,
  RefundRequested,
  RefundCompleted,
  RefundRejected,
  PaymentNeedsReview,
  ReviewWritten,
  ReviewEdited,
  ReviewRemoved,
  UserWithdrawn
]).pipe(Schema.toTaggedUnion("_tag"))
export type DomainEvent = typeof DomainEvent.Type
/** The name of the kind of an event. */
export type Tag = DomainEvent["_tag"]

/** The id of an event, from what caused it and what it says; whether it is one is checked where the event is made. */
export const eventId = (cause: string, tag: Tag): EventId => `${cause}:${tag}` as EventId

/** That nothing uses a key any more, so that the provider is told; nothing where something still does. */
export const billingKeyUnused = (
  key: BillingKey.BillingKey,
  cause: string,
  at: DateTime.Utc
): ReadonlyArray<BillingKeyUnused> =>
  BillingKey.isRetirable(key)
    ? [
        new BillingKeyUnused({
          eventId: eventId(cause, "BillingKeyUnused"),
          at,
          billingKeyId: key.id,
          userId: key.userId
        })
      ]
    : []

/** That a subscription ended; it ends once, so its id alone makes the event's. */
export const subscriptionCancelled = (
  { id, userId }: SubscriptionOrder,
  reason: CancelReason,
  at: DateTime.Utc
): SubscriptionCancelled =>
  new SubscriptionCancelled({ eventId: eventId(id, "SubscriptionCancelled"), at, subscriptionId: id, userId, reason })
