/**
 * Why a payment cannot go on.
 *
 * @since 0.1.0
 */
import { AttemptId, OrderId } from "@pillivery/domain/Ids"
import { Schema } from "effect"

/** There is no such order, or it is somebody else's. */
export class OrderNotFound extends Schema.TaggedError<OrderNotFound>("@pillivery/application/Payments/OrderNotFound")(
  "OrderNotFound",
  { orderId: OrderId }
) {
  override get message() {
    return `there is no order ${this.orderId}`
  }
}

/** There is no such payment. */
export class PaymentNotFound extends Schema.TaggedError<PaymentNotFound>(
  "@pillivery/application/Payments/PaymentNotFound"
)("PaymentNotFound", {
  attemptId: AttemptId
}) {
  override get message() {
    return `there is no payment ${this.attemptId}`
  }
}

/** A payment of this order is being made or its outcome is being asked for; nothing may change meanwhile. */
export class PaymentInProgress extends Schema.TaggedError<PaymentInProgress>(
  "@pillivery/application/Payments/PaymentInProgress"
)("PaymentInProgress", { attemptId: AttemptId, retryAfterSeconds: Schema.Int }) {
  override get message() {
    return `payment ${this.attemptId} is in progress`
  }
}

/** The provider says that the customer has not approved, or the approval is not the customer's. */
export class ApprovalNotAccepted extends Schema.TaggedError<ApprovalNotAccepted>(
  "@pillivery/application/Payments/ApprovalNotAccepted"
)("ApprovalNotAccepted", { attemptId: AttemptId }) {
  override get message() {
    return `the approval of payment ${this.attemptId} was not accepted`
  }
}

/** The provider refused the money. */
export class PaymentDeclined extends Schema.TaggedError<PaymentDeclined>(
  "@pillivery/application/Payments/PaymentDeclined"
)("PaymentDeclined", {
  attemptId: AttemptId,
  severity: Schema.String,
  kind: Schema.String
}) {
  override get message() {
    return `payment ${this.attemptId} was declined: ${this.kind}`
  }
}

/** This way to pay is over; a new one must be requested. */
export class PaymentOver extends Schema.TaggedError<PaymentOver>("@pillivery/application/Payments/PaymentOver")(
  "PaymentOver",
  { attemptId: AttemptId, state: Schema.String }
) {
  override get message() {
    return `payment ${this.attemptId} is ${this.state}; request a new one`
  }
}

/** The provider cannot be used now; nothing was sent. */
export class ProviderUnavailable extends Schema.TaggedError<ProviderUnavailable>(
  "@pillivery/application/Payments/ProviderUnavailable"
)("ProviderUnavailable", { retryAfterSeconds: Schema.Int, detail: Schema.String }) {
  override get message() {
    return `the payment provider is not available: ${this.detail}`
  }
}
