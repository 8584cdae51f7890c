/** A shop in memory with a provider in memory, at 10:00 in Korea, and the steps that tests share. */
import * as Memory from "@pillivery/adapters-memory/Memory"
import { approvePayment } from "@pillivery/application/Payments/ApprovePayment"
import { CallbackUrls } from "@pillivery/application/Payments/CallbackUrls"
import * as MoneyCalls from "@pillivery/application/Payments/MoneyCalls"
import { requestPayment } from "@pillivery/application/Payments/RequestPayment"
import * as RunBilling from "@pillivery/application/Billing/RunBilling"
import { BillingKeyRepository } from "@pillivery/application/ports/BillingKeyRepository"
import { BillingLedger } from "@pillivery/application/ports/BillingLedger"
import { BusinessClock } from "@pillivery/application/ports/BusinessClock"
import { IdGenerator } from "@pillivery/application/ports/IdGenerator"
import { ItemRepository } from "@pillivery/application/ports/ItemRepository"
import { OrderRepository } from "@pillivery/application/ports/OrderRepository"
import { PaymentRepository } from "@pillivery/application/ports/PaymentRepository"
import { SubscriptionRepository } from "@pillivery/application/ports/SubscriptionRepository"
import * as MemoryProvider from "@pillivery/application/testing/MemoryProvider"
import * as BusinessDate from "@pillivery/domain/BusinessDate"
import { DeliveryPeriod } from "@pillivery/domain/DeliveryPeriod"
import { type AttemptId, ItemId, OrderId, OrderLineId, SubscriptionId, UserId } from "@pillivery/domain/Ids"
import * as Order from "@pillivery/domain/Order"
import { Quantity } from "@pillivery/domain/Quantity"
import * as Fixtures from "@pillivery/domain/testing/Fixtures"
import { Won } from "@pillivery/domain/Won"
import { DateTime, Effect, Layer, Option } from "effect"
import { TestClock } from "effect/testing"

/** Monday 2026-11-23, 10:00 in Korea. */
export const startedAt = DateTime.makeUnsafe("2026-11-23T01:00:00Z")

/** Where the provider sends browsers back to. */
export const callbacks = Layer.succeed(CallbackUrls, {
  of: (attemptId, way) => `http://shop.test/api/payments/${attemptId}/${way}`
})

/** Every port in memory, the protocol, and a provider in memory. */
export const layer = MoneyCalls.layer.pipe(
  Layer.provideMerge(Layer.mergeAll(Memory.layer, MemoryProvider.layer, callbacks))
)

/** Begins a test at {@link startedAt}. */
export const begin = TestClock.setTime(startedAt.epochMilliseconds)

/** Lets whole days pass. */
export const passDays = (days: number) => TestClock.adjust(`${days} days`)

/** Runs an effect that sleeps, letting time pass for it until it is done. */
export const withTime = Effect.fnUntraced(function* <A, E, R>(effect: Effect.Effect<A, E, R>) {
  const fiber = yield* Effect.forkChild(effect, { startImmediately: true })
  for (let step = 0; step < 200 && fiber.pollUnsafe() === undefined; step++) yield* TestClock.adjust("100 millis")
  const exit = fiber.pollUnsafe()
  if (exit === undefined) return yield* Effect.die("the effect did not end within 20 seconds of test time")
  return yield* exit
})

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

/** Buys a subscription and answers it with everything that belongs to it. */
export const subscribe = Effect.fnUntraced(function* (options?: { readonly period?: number; readonly price?: number }) {
  const order = yield* placeOrder([{ price: options?.price ?? 30_000, period: options?.period ?? 30 }])
  const { attemptId, token } = yield* prepareApproval(order)
  yield* approvePayment(attemptId, token)
  return yield* subscriptionOf(order)
})

/** The subscription an order's first line began, its open cycle and its key. */
export const subscriptionOf = Effect.fnUntraced(function* (order: Order.Order) {
  const line = order.lines[0]
  if (line === undefined) return yield* Effect.die("the order has no line")
  return yield* read(SubscriptionId.make(line.id))
})

/** Reads a subscription, its newest cycle and its key. */
export const read = Effect.fnUntraced(function* (id: SubscriptionId) {
  const subscription = Option.getOrThrow(yield* (yield* SubscriptionRepository).findById(id))
  const cycles = yield* (yield* BillingLedger).listCycles(id, { page: 1, size: 100 })
  const cycle = cycles.data[0]
  if (cycle === undefined) return yield* Effect.die("the subscription has no cycle")
  const keyId = subscription._tag === "AwaitingBillingKey" ? null : subscription.billingKeyId
  const key = keyId === null ? Option.none() : yield* (yield* BillingKeyRepository).findById(keyId)
  return { subscription, cycle, cycles: cycles.data, key: Option.getOrNull(key) }
})

/** An attempt as it is now. */
export const attempt = Effect.fnUntraced(function* (id: AttemptId) {
  return Option.getOrThrow(yield* (yield* PaymentRepository).findAttempt(id))
})

/** Today's billing run, letting time pass where it waits. */
export const run = Effect.gen(function* () {
  const today = BusinessDate.fromInstant(yield* (yield* BusinessClock).now)
  return yield* withTime(RunBilling.runBilling({ date: today, worker: "test" }))
})

/** What the provider really captured for renewals and orders, less what it gave back, and how often it captured. */
export const ledger = Effect.gen(function* () {
  const movements = yield* (yield* MemoryProvider.MemoryProvider).movements
  const captures = movements.filter((movement) => movement.kind === "capture")
  const refunds = movements.filter((movement) => movement.kind === "refund")
  const sum = (rows: typeof movements) => rows.reduce((total, row) => total + row.amount, 0)
  return { captures: captures.length, captured: sum(captures), refunds: refunds.length, refunded: sum(refunds) }
})
