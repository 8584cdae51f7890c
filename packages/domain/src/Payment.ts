/**
 * What is owed: for one order, one billing cycle, or nothing at all when only a billing key is registered.
 *
 * There is one payment for each thing owed, however often it is tried. Each try is an `Attempt`; what was approved,
 * reserved and refunded stands on the approved attempt.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { BillingKeyId, OrderId, PaymentId, SubscriptionId, UserId } from "./Ids.ts"
import { Won } from "./Won.ts"

/** The order is owed. */
export class OrderSubject extends Schema.TaggedClass<OrderSubject>("@pillivery/domain/Payment/OrderSubject")(
  "OrderSubject",
  { orderId: OrderId }
) {}

/** The cycle is owed. */
export class CycleSubject extends Schema.TaggedClass<CycleSubject>("@pillivery/domain/Payment/CycleSubject")(
  "CycleSubject",
  { subscriptionId: SubscriptionId, cycleNumber: Schema.Int }
) {}

/** Nothing is owed; a billing key is registered. */
export class RegistrationSubject extends Schema.TaggedClass<RegistrationSubject>(
  "@pillivery/domain/Payment/RegistrationSubject"
)("RegistrationSubject", { billingKeyId: BillingKeyId }) {}

/** What a payment is for; unique among payments. */
export const Subject = Schema.Union([OrderSubject, CycleSubject, RegistrationSubject]).pipe(
  Schema.toTaggedUnion("_tag")
)
export type Subject = typeof Subject.Type

/** What is owed for one subject. */
export class Payment extends Schema.Class<Payment>("@pillivery/domain/Payment/Payment")({
  id: PaymentId,
  userId: UserId,
  subject: Subject,
  amount: Won,
  createdAt: Schema.DateTimeUtc
}) {}
