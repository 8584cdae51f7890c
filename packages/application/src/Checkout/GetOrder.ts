/**
 * Reading one's orders. Somebody else's order is not there.
 *
 * @since 0.1.0
 */
import type { OrderId, UserId } from "@pillivery/domain/Ids"
import type { Tag as OrderTag } from "@pillivery/domain/Order"
import { OrderSubject } from "@pillivery/domain/Payment"
import { type DateTime, Effect, Option } from "effect"
import { OrderNotFound } from "../Payments/PaymentErrors.ts"
import { OrderRepository } from "../ports/OrderRepository.ts"
import type { PageRequest } from "../ports/Page.ts"
import { PaymentRepository } from "../ports/PaymentRepository.ts"
import { RefundRepository } from "../ports/RefundRepository.ts"

/** Whose order. */
export interface OrderKey {
  readonly orderId: OrderId
  readonly userId: UserId
}

/** An order of the user. */
export const getOrder = Effect.fn("getOrder")(function* ({ orderId, userId }: OrderKey) {
  const found = yield* (yield* OrderRepository).findById(orderId)
  return Option.isSome(found) && found.value.userId === userId ? found.value : yield* new OrderNotFound({ orderId })
})

/** The user's orders, newest first; all, or those in one state. */
export const listOrders = Effect.fn("listOrders")(function* (userId: UserId, page: PageRequest, state?: OrderTag) {
  return yield* (yield* OrderRepository).listByUser(userId, page, state)
})

/** Orders of all users that were paid after a moment and are to be delivered, those paid first before the others. */
export const listOrdersToDeliver = Effect.fn("listOrdersToDeliver")(function* (
  paidAfter: DateTime.Utc,
  page: PageRequest
) {
  return yield* (yield* OrderRepository).listToDeliver(paidAfter, page)
})

/** How the payment of an order stands: the order, and every attempt at paying it, oldest first. */
export const getOrderPayment = Effect.fn("getOrderPayment")(function* (key: OrderKey) {
  const payments = yield* PaymentRepository
  const order = yield* getOrder(key)
  if (order.origin._tag === "FromRenewal" && "paidBy" in order) {
    return { order, attempts: Option.toArray(yield* payments.findAttempt(order.paidBy)) }
  }
  const payment = yield* payments.findPaymentBySubject(new OrderSubject({ orderId: order.id }))
  return { order, attempts: Option.isNone(payment) ? [] : yield* payments.listAttempts(payment.value.id) }
})

/** The refunds of an order, oldest first. */
export const listRefunds = Effect.fn("listRefunds")(function* (key: OrderKey) {
  const refunds = yield* RefundRepository
  const order = yield* getOrder(key)
  return yield* refunds.listByOrder(order.id)
})
