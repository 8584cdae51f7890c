/**
 * Orders, their payment and their refunds.
 *
 * @since 0.1.0
 */
import { CartKind } from "@pillivery/domain/Cart"
import { DeliveryPeriod } from "@pillivery/domain/DeliveryPeriod"
import { AttemptId, ItemId, OrderId, OrderLineId, RefundId, SubscriptionId } from "@pillivery/domain/Ids"
import { linesMax, Order } from "@pillivery/domain/Order"
import { Quantity } from "@pillivery/domain/Quantity"
import { Phone } from "@pillivery/domain/Phone"
import { realNameLengthMax } from "@pillivery/domain/Receiver"
import { Refund } from "@pillivery/domain/Refund"
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { idempotencyHeaders } from "./IdempotencyKey.ts"
import { Authentication } from "./Middleware.ts"
import { pageOf, pageQuery } from "./Pages.ts"
import * as Problems from "./Problems.ts"
import { AddressDto } from "./Users.ts"

/** The longest reason of a refund, in characters. */
export const reasonLengthMax = 200

/** Who receives a delivery, and where. */
export const ReceiverDto = Schema.Struct({
  realName: Schema.String.check(
    Schema.isMaxLength(realNameLengthMax),
    Schema.isPattern(/\S/, { expected: "text that is not blank" })
  ),
  phone: Phone,
  address: AddressDto
}).annotate({ identifier: "Receiver" })

/** Units of one item that are wanted; with a period, in days, again and again. */
export const WantedLineDto = Schema.Struct({
  itemId: ItemId,
  quantity: Quantity,
  period: Schema.optionalKey(DeliveryPeriod)
}).annotate({ identifier: "WantedLine" })

/** What is ordered: either lines or a whole cart. Prices are the shop's; none is sent. */
export const PlaceOrderDto = Schema.Struct({
  lines: Schema.optionalKey(Schema.Array(WantedLineDto).check(Schema.isMinLength(1), Schema.isMaxLength(linesMax))),
  cart: Schema.optionalKey(CartKind),
  /** Absent: the user's own name, phone and address. */
  receiver: Schema.optionalKey(ReceiverDto)
})
  .check(
    Schema.makeFilter(({ cart, lines }) => (cart === undefined) !== (lines === undefined), {
      expected: "either lines or a cart"
    })
  )
  .annotate({ identifier: "PlaceOrder", examples: [{ cart: "normal" }] })

/** The state of an order. */
export const OrderState = Schema.Literals(Order.discriminants).annotate({ identifier: "OrderState" })

const OrderLineDto = Schema.Struct({
  id: OrderLineId,
  itemId: ItemId,
  itemName: Schema.String,
  originPrice: Schema.Int,
  unitPrice: Schema.Int,
  quantity: Schema.Int,
  period: Schema.NullOr(Schema.Int),
  refundedQuantity: Schema.Int
}).annotate({ identifier: "OrderLine" })

/** An order with the prices agreed. */
export const OrderDto = Schema.Struct({
  id: OrderId,
  state: OrderState,
  origin: Schema.Struct({
    kind: Schema.Literals(["lines", "cart", "renewal"]),
    cart: Schema.NullOr(CartKind),
    subscriptionId: Schema.NullOr(SubscriptionId),
    cycleNumber: Schema.NullOr(Schema.Int)
  }),
  lines: Schema.Array(OrderLineDto),
  receiver: ReceiverDto,
  total: Schema.Int,
  discountTotal: Schema.Int,
  refundedTotal: Schema.Int,
  placedAt: Schema.DateTimeUtc,
  /** Until when it can be paid; null once that is over. */
  expiresAt: Schema.NullOr(Schema.DateTimeUtc),
  paidAt: Schema.NullOr(Schema.DateTimeUtc)
}).annotate({ identifier: "Order" })

/** An order in a list. */
export const OrderSummaryDto = Schema.Struct({
  id: OrderId,
  state: OrderState,
  name: Schema.String,
  total: Schema.Int,
  placedAt: Schema.DateTimeUtc
}).annotate({ identifier: "OrderSummary" })

/** Where the customer's browser is sent. */
export const RedirectUrlsDto = Schema.Struct({ pc: Schema.String, mobile: Schema.String, app: Schema.String }).annotate(
  {
    identifier: "RedirectUrls"
  }
)

/** A payment that waits for the customer at the provider. */
export const RequestedPaymentDto = Schema.Struct({
  paymentId: AttemptId,
  orderId: OrderId,
  amount: Schema.Int,
  redirectUrls: RedirectUrlsDto,
  expiresAt: Schema.DateTimeUtc
}).annotate({ identifier: "RequestedPayment" })

/** What became of a payment, in words of the shop. */
export const PaymentState = Schema.Literals([
  "waiting",
  "inProgress",
  "inDoubt",
  "approved",
  "declined",
  "over"
]).annotate({
  identifier: "PaymentState"
})

/** How the payment of an order stands; `payments` are the tries, oldest first. */
export const OrderPaymentDto = Schema.Struct({
  orderId: OrderId,
  orderState: OrderState,
  total: Schema.Int,
  payments: Schema.Array(
    Schema.Struct({
      paymentId: AttemptId,
      state: PaymentState,
      amount: Schema.Int,
      createdAt: Schema.DateTimeUtc,
      redirectUrls: Schema.NullOr(RedirectUrlsDto),
      expiresAt: Schema.NullOr(Schema.DateTimeUtc),
      declined: Schema.NullOr(Schema.Struct({ severity: Schema.String, kind: Schema.String }))
    }).annotate({ identifier: "OrderPaymentTry" })
  )
}).annotate({ identifier: "OrderPayment" })

const RefundLineDto = Schema.Struct({ lineId: OrderLineId, quantity: Quantity }).annotate({ identifier: "RefundLine" })

/** What is to be given back: some units, or without lines everything that is left. The amount is the shop's to compute. */
export const RequestRefundDto = Schema.Struct({
  lines: Schema.optionalKey(Schema.Array(RefundLineDto).check(Schema.isMinLength(1), Schema.isMaxLength(linesMax))),
  reason: Schema.String.check(Schema.isMaxLength(reasonLengthMax))
}).annotate({ identifier: "RequestRefund" })

/** Money on its way back. */
export const RefundDto = Schema.Struct({
  id: RefundId,
  state: Schema.Literals(Refund.discriminants).annotate({ identifier: "RefundState" }),
  lines: Schema.Array(Schema.Struct({ lineId: OrderLineId, quantity: Schema.Int })),
  amount: Schema.Int,
  reason: Schema.String,
  requestedAt: Schema.DateTimeUtc,
  completedAt: Schema.NullOr(Schema.DateTimeUtc)
}).annotate({ identifier: "Refund" })

const params = { orderId: OrderId }

/** Orders. */
export const OrdersGroup = HttpApiGroup.make("orders")
  .add(
    HttpApiEndpoint.post("place", "/api/orders", {
      headers: idempotencyHeaders,
      payload: PlaceOrderDto,
      success: OrderDto.pipe(HttpApiSchema.status(201)),
      error: [Problems.conflict, Problems.unprocessable]
    }).annotate(OpenApi.Summary, "Place an order from lines or from a cart"),
    HttpApiEndpoint.get("list", "/api/orders", {
      query: { state: Schema.optionalKey(OrderState), ...pageQuery },
      success: pageOf("OrderPage", OrderSummaryDto)
    }).annotate(OpenApi.Summary, "List one's orders, all or those in one state, newest first"),
    HttpApiEndpoint.get("get", "/api/orders/:orderId", {
      params,
      success: OrderDto,
      error: Problems.notFound
    }).annotate(OpenApi.Summary, "Read an order"),
    HttpApiEndpoint.post("requestPayment", "/api/orders/:orderId/payments", {
      headers: idempotencyHeaders,
      params,
      success: RequestedPaymentDto.pipe(HttpApiSchema.status(201)),
      error: [Problems.notFound, Problems.conflict, Problems.unprocessable]
    }).annotate(OpenApi.Summary, "Request the payment of an order"),
    HttpApiEndpoint.get("payment", "/api/orders/:orderId/payment", {
      params,
      success: OrderPaymentDto,
      error: Problems.notFound
    }).annotate(OpenApi.Summary, "How the payment of an order stands"),
    HttpApiEndpoint.post("requestRefund", "/api/orders/:orderId/refunds", {
      headers: idempotencyHeaders,
      params,
      payload: RequestRefundDto,
      success: RefundDto.pipe(HttpApiSchema.status(201)),
      error: [Problems.notFound, Problems.conflict, Problems.unprocessable]
    }).annotate(OpenApi.Summary, "Request a refund of some units or of all"),
    HttpApiEndpoint.get("refunds", "/api/orders/:orderId/refunds", {
      params,
      success: Schema.Struct({ data: Schema.Array(RefundDto) }).annotate({ identifier: "Refunds" }),
      error: Problems.notFound
    }).annotate(OpenApi.Summary, "List the refunds of an order, oldest first")
  )
  .middleware(Authentication)
  .annotate(OpenApi.Description, "Orders, their payment and their refunds.")
