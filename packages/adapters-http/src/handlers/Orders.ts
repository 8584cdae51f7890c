/**
 * Handlers of orders, their payment and their refunds.
 *
 * @since 0.1.0
 */
import { getOrder, getOrderPayment, listOrders, listRefunds } from "@pillivery/application/Checkout/GetOrder"
import { placeOrderOnce } from "@pillivery/application/Checkout/PlaceOrder"
import type { CallbackUrls } from "@pillivery/application/Payments/CallbackUrls"
import type { MoneyCalls } from "@pillivery/application/Payments/MoneyCalls"
import { requestPaymentOnce } from "@pillivery/application/Payments/RequestPayment"
import type { BusinessClock } from "@pillivery/application/ports/BusinessClock"
import type { CartStore } from "@pillivery/application/ports/CartStore"
import type { IdempotencyStore } from "@pillivery/application/ports/IdempotencyStore"
import type { IdGenerator } from "@pillivery/application/ports/IdGenerator"
import type { ItemRepository } from "@pillivery/application/ports/ItemRepository"
import type { OrderRepository } from "@pillivery/application/ports/OrderRepository"
import type { Outbox } from "@pillivery/application/ports/Outbox"
import type { PaymentRepository } from "@pillivery/application/ports/PaymentRepository"
import type { RefundRepository } from "@pillivery/application/ports/RefundRepository"
import type { Transaction } from "@pillivery/application/ports/Transaction"
import type { UserRepository } from "@pillivery/application/ports/UserRepository"
import { requestRefundOnce } from "@pillivery/application/Refunds/RequestRefund"
import type { Attempt, RedirectUrls } from "@pillivery/domain/Attempt"
import * as Order from "@pillivery/domain/Order"
import type { PaymentStrategies } from "@pillivery/domain/PaymentStrategy"
import { Address, Receiver } from "@pillivery/domain/Receiver"
import type { Refund } from "@pillivery/domain/Refund"
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { answer } from "../Answer.ts"
import { Api } from "../api/Api.ts"
import { CurrentIdentity } from "../api/Middleware.ts"
import type { OrderDto, OrderPaymentDto, OrderSummaryDto, PaymentState, ReceiverDto, RefundDto } from "../api/Orders.ts"
import { fromPage, toPageRequest } from "../api/Pages.ts"
import { asked } from "../internal/Asked.ts"
import { captured } from "../internal/Captured.ts"

const fromReceiver = (dto: typeof ReceiverDto.Type) => new Receiver({ ...dto, address: new Address(dto.address) })

const originOf = (origin: Order.Origin): (typeof OrderDto.Type)["origin"] => {
  const none = { cart: null, subscriptionId: null, cycleNumber: null }
  switch (origin._tag) {
    case "FromLines":
      return { ...none, kind: "lines" }
    case "FromCart":
      return { ...none, kind: "cart", cart: origin.cart }
    case "FromRenewal":
      return {
        ...none,
        kind: "renewal",
        subscriptionId: origin.subscriptionId,
        cycleNumber: origin.cycleNumber
      }
  }
}

/** An order as its owner and those who deliver it see it. */
export const toOrder = (order: Order.Order): typeof OrderDto.Type => ({
  id: order.id,
  state: order._tag,
  origin: originOf(order.origin),
  lines: order.lines.map((line) => ({ ...line })),
  receiver: {
    realName: order.receiver.realName,
    phone: order.receiver.phone,
    address: { city: order.receiver.address.city, detail: order.receiver.address.detail }
  },
  total: order.total,
  discountTotal: order.discountTotal,
  refundedTotal: "refundedTotal" in order ? order.refundedTotal : 0,
  placedAt: order.placedAt,
  expiresAt: order._tag === "Placed" ? order.expiresAt : null,
  paidAt: "paidAt" in order ? order.paidAt : null
})

const toSummary = (order: Order.Order): typeof OrderSummaryDto.Type => ({
  id: order.id,
  state: order._tag,
  name: Order.nameOf(order),
  total: order.total,
  placedAt: order.placedAt
})

const states = {
  Prepared: "inProgress",
  AwaitingCustomer: "waiting",
  Sent: "inProgress",
  Unknown: "inDoubt",
  ManualReview: "inDoubt",
  Approved: "approved",
  ApprovedSurplus: "over",
  Refunded: "over",
  Declined: "declined",
  NotExecuted: "over",
  Withdrawn: "over",
  Abandoned: "over",
  Superseded: "over"
} as const satisfies Record<Attempt["_tag"], typeof PaymentState.Type>

/** What became of an attempt, in the words of the contract. */
export const stateOf = (attempt: Attempt): typeof PaymentState.Type => states[attempt._tag]

const toRedirectUrls = ({ app, mobile, pc }: RedirectUrls) => ({ pc, mobile, app })

const toTry = (attempt: Attempt): (typeof OrderPaymentDto.Type)["payments"][number] => ({
  paymentId: attempt.id,
  state: stateOf(attempt),
  amount: attempt.amount,
  createdAt: attempt.createdAt,
  redirectUrls: attempt._tag === "AwaitingCustomer" ? toRedirectUrls(attempt.redirectUrls) : null,
  expiresAt: attempt._tag === "AwaitingCustomer" ? attempt.expiresAt : null,
  declined: attempt._tag === "Declined" ? { severity: attempt.reason._tag, kind: attempt.reason.kind } : null
})

/** Money on its way back. */
export const toRefund = (refund: Refund): typeof RefundDto.Type => ({
  id: refund.id,
  state: refund._tag,
  lines: refund.lines.map(({ lineId, quantity }) => ({ lineId, quantity })),
  amount: refund.amount,
  reason: refund.reason,
  requestedAt: refund.requestedAt,
  completedAt: refund._tag === "Completed" ? refund.completedAt : null
})

/** Orders. */
export const layer = HttpApiBuilder.group(
  Api,
  "orders",
  Effect.fnUntraced(function* (handlers) {
    const provide = yield* captured<
      | BusinessClock
      | CallbackUrls
      | CartStore
      | IdempotencyStore
      | IdGenerator
      | ItemRepository
      | MoneyCalls
      | OrderRepository
      | Outbox
      | PaymentRepository
      | PaymentStrategies
      | RefundRepository
      | Transaction
      | UserRepository
    >()
    return handlers.handleAll({
      place: Effect.fnUntraced(function* ({ headers, payload }) {
        const { userId } = yield* CurrentIdentity
        const { cart, lines = [], receiver } = payload
        const placed = yield* placeOrderOnce(asked(userId, "orders", { headers, payload }), {
          userId,
          wanted: cart === undefined ? { lines: lines.map((line) => ({ period: null, ...line })) } : { cart },
          receiver: receiver === undefined ? null : fromReceiver(receiver)
        }).pipe(answer, provide)
        return toOrder(placed)
      }),
      list: Effect.fnUntraced(function* ({ query }) {
        const { userId } = yield* CurrentIdentity
        const page = toPageRequest(query)
        return fromPage(yield* listOrders(userId, page, query.state).pipe(answer, provide), page, toSummary)
      }),
      get: Effect.fnUntraced(function* ({ params }) {
        const { userId } = yield* CurrentIdentity
        return toOrder(yield* getOrder({ ...params, userId }).pipe(answer, provide))
      }),
      requestPayment: Effect.fnUntraced(function* ({ headers, params }) {
        const { userId } = yield* CurrentIdentity
        const waiting = yield* requestPaymentOnce(asked(userId, "payments", { headers, params }), {
          ...params,
          userId
        }).pipe(answer, provide)
        return {
          paymentId: waiting.id,
          orderId: params.orderId,
          amount: waiting.amount,
          redirectUrls: toRedirectUrls(waiting.redirectUrls),
          expiresAt: waiting.expiresAt
        }
      }),
      payment: Effect.fnUntraced(function* ({ params }) {
        const { userId } = yield* CurrentIdentity
        const { attempts, order } = yield* getOrderPayment({ ...params, userId }).pipe(answer, provide)
        return { orderId: order.id, orderState: order._tag, total: order.total, payments: attempts.map(toTry) }
      }),
      requestRefund: Effect.fnUntraced(function* ({ headers, params, payload }) {
        const { userId } = yield* CurrentIdentity
        const { lines = "rest", reason } = payload
        const requested = yield* requestRefundOnce(asked(userId, "refunds", { headers, params, payload }), {
          ...params,
          userId,
          lines,
          reason
        }).pipe(
          Effect.catchTag("AlreadyExists", Effect.die), // its id was made just now
          answer,
          provide
        )
        return toRefund(requested)
      }),
      refunds: Effect.fnUntraced(function* ({ params }) {
        const { userId } = yield* CurrentIdentity
        const refunds = yield* listRefunds({ ...params, userId }).pipe(answer, provide)
        return { data: refunds.map(toRefund) }
      })
    })
  })
)
