/**
 * Orders and subscriptions bought through the whole protocol from a provider in memory, for tests.
 *
 * @since 0.1.0
 */
import { DeliveryPeriod } from "@pillivery/domain/DeliveryPeriod"
import { ItemId, OrderId, OrderLineId, SubscriptionId, UserId } from "@pillivery/domain/Ids"
import * as Order from "@pillivery/domain/Order"
import { Quantity } from "@pillivery/domain/Quantity"
import * as Fixtures from "@pillivery/domain/testing/Fixtures"
import { Won } from "@pillivery/domain/Won"
import { Effect } from "effect"
import { approvePayment } from "../Payments/ApprovePayment.ts"
import { requestPayment } from "../Payments/RequestPayment.ts"
import { BusinessClock } from "../ports/BusinessClock.ts"
import { IdGenerator } from "../ports/IdGenerator.ts"
import { ItemRepository } from "../ports/ItemRepository.ts"
import { OrderRepository } from "../ports/OrderRepository.ts"
import * as MemoryProvider from "./MemoryProvider.ts"

const newId = Effect.flatMap(IdGenerator, (ids) => ids.next)

/** Places an order of one or more lines; a line with a period is a subscription. */
export const placeOrder = Effect.fnUntraced(function* (
  lines: ReadonlyArray<{ readonly price: number; readonly quantity?: number; readonly period?: number }>
) {
  const orders = yield* OrderRepository
  const items = yield* ItemRepository
  const clock = yield* BusinessClock
  const userId = UserId.make(yield* newId)
  const made: Array<Order.OrderLine> = []
  for (const line of lines) {
    const itemId = ItemId.make(yield* newId)
    yield* items.insert([Fixtures.item({ id: itemId })])
    made.push(
      Order.OrderLine.make({
        id: OrderLineId.make(yield* newId),
        itemId,
        itemName: "비타민 C 1000",
        originPrice: Won.make(line.price),
        unitPrice: Won.make(line.price),
        quantity: Quantity.make(line.quantity ?? 1),
        period: line.period === undefined ? null : DeliveryPeriod.make(line.period),
        refundedQuantity: 0
      })
    )
  }
  const order = yield* Effect.fromResult(
    Order.place({
      id: OrderId.make(yield* newId),
      userId,
      origin: new Order.FromLines({}),
      lines: made,
      receiver: Fixtures.receiver(),
      at: yield* clock.now
    })
  )
  yield* orders.insert(order)
  return order
})

/** Asks for the payment of an order and approves it as the customer at the provider. */
export const prepareApproval = Effect.fnUntraced(function* (order: Order.Order) {
  const provider = yield* MemoryProvider.MemoryProvider
  const waiting = yield* requestPayment({ orderId: order.id, userId: order.userId })
  const token = yield* provider.approveAsCustomer(waiting.transactionId)
  return { attemptId: waiting.id, token, transactionId: waiting.transactionId }
})

/** Buys a subscription; answers its order. */
export const subscribe = Effect.fnUntraced(function* (options?: { readonly period?: number; readonly price?: number }) {
  const order = yield* placeOrder([{ price: options?.price ?? 30_000, period: options?.period ?? 30 }])
  const { attemptId, token } = yield* prepareApproval(order)
  yield* approvePayment(attemptId, token)
  return order
})

/** The subscription that an order's first line began. */
export const subscriptionIdOf = (order: Order.Order) => SubscriptionId.make(order.lines[0]?.id ?? "")
