/** A shop in memory with a provider in memory, at 10:00 in Korea, and the steps that tests share. */
import * as Mailer from "@pillivery/adapters-memory/Mailer"
import * as Memory from "@pillivery/adapters-memory/Memory"
import { CallbackUrls } from "@pillivery/application/Payments/CallbackUrls"
import * as ChargeDirectly from "@pillivery/application/Billing/ChargeDirectly"
import * as MoneyCalls from "@pillivery/application/Payments/MoneyCalls"
import * as RunBilling from "@pillivery/application/Billing/RunBilling"
import { BillingKeyRepository } from "@pillivery/application/ports/BillingKeyRepository"
import { BillingLedger } from "@pillivery/application/ports/BillingLedger"
import { BusinessClock } from "@pillivery/application/ports/BusinessClock"
import { PaymentRepository } from "@pillivery/application/ports/PaymentRepository"
import { SubscriptionRepository } from "@pillivery/application/ports/SubscriptionRepository"
import * as MemoryProvider from "@pillivery/application/testing/MemoryProvider"
import * as Purchases from "@pillivery/application/testing/Purchases"
import * as BusinessDate from "@pillivery/domain/BusinessDate"
import type { AttemptId, SubscriptionId } from "@pillivery/domain/Ids"
import type * as Order from "@pillivery/domain/Order"
import { DateTime, Effect, Layer, Option } from "effect"
import { TestClock } from "effect/testing"

/** Monday 2026-11-23, 10:00 in Korea. */
export const startedAt = DateTime.makeUnsafe("2026-11-23T01:00:00Z")

export { placeOrder, prepareApproval } from "@pillivery/application/testing/Purchases"

/** Where the provider sends browsers back to. */
export const callbacks = Layer.succeed(CallbackUrls, {
  of: (attemptId, way) => `http://shop.test/api/payments/${attemptId}/${way}`
})

/** Every port in memory, the protocol, and a provider in memory. */
export const layer = ChargeDirectly.layer.pipe(
  Layer.provideMerge(MoneyCalls.layer),
  Layer.provideMerge(Layer.mergeAll(Memory.layer, Mailer.layer, MemoryProvider.layer, callbacks))
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

/** Buys a subscription and answers it with everything that belongs to it. */
export const subscribe = Effect.fnUntraced(function* (options?: { readonly period?: number; readonly price?: number }) {
  return yield* subscriptionOf(yield* Purchases.subscribe(options))
})

/** The subscription an order's first line began, its open cycle and its key. */
export const subscriptionOf = Effect.fnUntraced(function* (order: Order.Order) {
  return yield* read(Purchases.subscriptionIdOf(order))
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
