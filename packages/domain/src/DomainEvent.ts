/**
 * What happened, for whoever cares.
 *
 * An event is committed in the transaction that made it true and delivered at least once. Its id is derived from what
 * caused it, so writing or delivering it twice is recognised.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { BusinessDate } from "./BusinessDate.ts"
import { AttemptId, BillingKeyId, EventId, OrderId, RefundId, SubscriptionId, UserId } from "./Ids.ts"
import { CancelReason } from "./SubscriptionOrder.ts"
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

/** A subscription began. */
export class SubscriptionStarted extends Schema.TaggedClass<SubscriptionStarted>(
  "@pillivery/domain/DomainEvent/SubscriptionStarted"
)("SubscriptionStarted", { ...common, subscriptionId: SubscriptionId, userId: UserId, nextDueDate: BusinessDate }) {}

const cycle = { subscriptionId: SubscriptionId, cycleNumber: Schema.Int, userId: UserId }

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

/** A delivery was left out without the owner's wish. */
export class CycleSkipped extends Schema.TaggedClass<CycleSkipped>("@pillivery/domain/DomainEvent/CycleSkipped")(
  "CycleSkipped",
  { ...common, ...cycle, reason: Schema.String }
) {}

/** A subscription was paused by policy. */
export class SubscriptionPaused extends Schema.TaggedClass<SubscriptionPaused>(
  "@pillivery/domain/DomainEvent/SubscriptionPaused"
)("SubscriptionPaused", { ...common, subscriptionId: SubscriptionId, userId: UserId }) {}

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

/** What happened. */
export const DomainEvent = Schema.Union([
  OrderPaid,
  SubscriptionStarted,
  CycleCharged,
  CycleDeclined,
  CycleSkipped,
  SubscriptionPaused,
  SubscriptionCancelled,
  BillingKeyRegistrationRequested,
  BillingKeyActivated,
  BillingKeyUnused,
  BillingKeyRevoked,
  RefundRequested,
  RefundCompleted,
  RefundRejected,
  PaymentNeedsReview
]).pipe(Schema.toTaggedUnion("_tag"))
export type DomainEvent = typeof DomainEvent.Type
export type Tag = DomainEvent["_tag"]

/** The id of an event, from what caused it and what it says. */
export const eventId = (cause: string, tag: Tag): EventId => EventId.make(`${cause}:${tag}`)
