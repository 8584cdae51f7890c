/**
 * Identifiers.
 *
 * Every id is a UUIDv7 made by the caller before the first write, so that a repeated write is recognised. One brand an
 * id: an order's id is never accepted where an item's is meant.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { remembered } from "./Remembered.ts"

/** The longest id of an event, in UTF-16 units. */
export const eventIdLengthMax = 190

const isUuid = Schema.isUUID()
const uuid = Schema.String.check(
  Schema.makeFilter(remembered(Schema.is(Schema.String.check(isUuid))), isUuid.annotations)
)

/** Identifies a user. */
export const UserId = uuid.pipe(Schema.brand("UserId"))
export type UserId = typeof UserId.Type

/** Identifies an item of the catalogue. */
export const ItemId = uuid.pipe(Schema.brand("ItemId"))
export type ItemId = typeof ItemId.Type

/** Identifies an order. */
export const OrderId = uuid.pipe(Schema.brand("OrderId"))
export type OrderId = typeof OrderId.Type

/** Identifies one line of an order. */
export const OrderLineId = uuid.pipe(Schema.brand("OrderLineId"))
export type OrderLineId = typeof OrderLineId.Type

/** Identifies a payment: what is owed for one order, one billing cycle or one registration. */
export const PaymentId = uuid.pipe(Schema.brand("PaymentId"))
export type PaymentId = typeof PaymentId.Type

/** Identifies one dispatch to a payment provider; the provider sees it as the merchant's order number. */
export const AttemptId = uuid.pipe(Schema.brand("AttemptId"))
export type AttemptId = typeof AttemptId.Type

/** Identifies a subscription order. */
export const SubscriptionId = uuid.pipe(Schema.brand("SubscriptionId"))
export type SubscriptionId = typeof SubscriptionId.Type

/** Identifies a billing key of ours; the provider's own name for it is a `ProviderBillingKey`. */
export const BillingKeyId = uuid.pipe(Schema.brand("BillingKeyId"))
export type BillingKeyId = typeof BillingKeyId.Type

/** Identifies a refund. */
export const RefundId = uuid.pipe(Schema.brand("RefundId"))
export type RefundId = typeof RefundId.Type

/** Identifies a review. */
export const ReviewId = uuid.pipe(Schema.brand("ReviewId"))
export type ReviewId = typeof ReviewId.Type

/**
 * Identifies one domain event, in 1 to {@link eventIdLengthMax} units; derived from what caused it, so that a repeated write
 * is the same event.
 */
export const EventId = Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(eventIdLengthMax)).pipe(
  Schema.brand("EventId")
)
export type EventId = typeof EventId.Type
