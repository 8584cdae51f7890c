/** The audit of books that the protocol wrote, and what it says when a row or the provider disagrees. */
import { assert, describe, it } from "@effect/vitest"
import { verify, verifyProvider } from "@pillivery/application/Billing/Verify"
import { drain } from "@pillivery/application/Events/Relay"
import { approvePayment } from "@pillivery/application/Payments/ApprovePayment"
import { reconcile } from "@pillivery/application/Payments/Reconcile"
import { BillingKeyRepository } from "@pillivery/application/ports/BillingKeyRepository"
import { OrderRepository } from "@pillivery/application/ports/OrderRepository"
import { PaymentRepository } from "@pillivery/application/ports/PaymentRepository"
import { requestRefund } from "@pillivery/application/Refunds/RequestRefund"
import { cancelSubscription } from "@pillivery/application/Subscriptions/CancelSubscription"
import * as MemoryProvider from "@pillivery/application/testing/MemoryProvider"
import * as Attempt from "@pillivery/domain/Attempt"
import * as BillingKey from "@pillivery/domain/BillingKey"
import { Hard, Soft } from "@pillivery/domain/DeclineReason"
import type * as Order from "@pillivery/domain/Order"
import type { SubscriptionOrder } from "@pillivery/domain/SubscriptionOrder"
import { Won } from "@pillivery/domain/Won"
import { Effect, type Layer, Option } from "effect"
import { TestClock } from "effect/testing"
import * as World from "../World.ts"

/** Steps of one random history. */
const stepsCount = 150
const seeds = [1, 2, 3, 4, 5, 6]
const lateMillis = 20 * 60_000
const lettersMax = 2 ** 32

/** Numbers from 0 to below 1, the same for the same seed (mulberry32). */
const randomOf = (seed: number) => {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / lettersMax
  }
}

const faults: ReadonlyArray<MemoryProvider.Behaviour> = [
  { _tag: "Execute" },
  { _tag: "LoseAnswer" },
  { _tag: "LoseRequest" },
  { _tag: "CommitLate", afterMillis: lateMillis },
  { _tag: "NotExecuted", why: "local" },
  { _tag: "NotExecuted", why: "word" },
  { _tag: "WrongAmount", amount: Won.make(1_000) },
  { _tag: "Decline", reason: new Soft({ kind: "InsufficientFunds", code: "-780", message: "" }) },
  { _tag: "Decline", reason: new Hard({ kind: "BillingKeyRevoked", code: "-750", message: "" }) }
]

const assertSound = Effect.gen(function* () {
  const { broken } = yield* verify()
  assert.deepStrictEqual(broken, [])
})

describe("the audit", () => {
  for (const seed of seeds) {
    it.effect(`passes every moment of a random history (seed ${seed})`, () =>
      Effect.gen(function* () {
        const random = randomOf(seed)
        const pick = <A>(values: ReadonlyArray<A>): A | undefined => values[Math.floor(random() * values.length)]
        const provider = yield* MemoryProvider.MemoryProvider
        yield* World.begin
        const orders: Array<Order.Order> = []
        const subscriptions: Array<SubscriptionOrder> = []
        const steps: ReadonlyArray<Effect.Effect<unknown, unknown, Layer.Success<typeof World.layer>>> = [
          Effect.gen(function* () {
            const order = yield* World.placeOrder([
              { price: 10_000, quantity: 2 },
              ...(random() < 0.6 ? [{ price: 30_000, period: 30 }] : []),
              ...(random() < 0.3 ? [{ price: 20_000, period: 60 }] : [])
            ])
            const { attemptId, token } = yield* World.prepareApproval(order)
            yield* World.withTime(approvePayment(attemptId, token))
            orders.push(order)
            for (const line of order.lines) {
              if (line.period !== null) {
                const found = yield* World.subscriptionOf({ ...order, lines: [line] } as Order.Order)
                subscriptions.push(found.subscription)
              }
            }
          }),
          Effect.suspend(() => {
            const order = pick(orders)
            const line = order?.lines[0]
            return order === undefined || line === undefined
              ? Effect.void
              : requestRefund({
                  orderId: order.id,
                  userId: order.userId,
                  lines: random() < 0.5 ? "rest" : [{ lineId: line.id, quantity: 1 }],
                  reason: "random"
                })
          }),
          Effect.suspend(() => {
            const subscription = pick(subscriptions)
            return subscription === undefined || random() < 0.6
              ? Effect.void
              : cancelSubscription({
                  subscriptionId: subscription.id,
                  userId: subscription.userId,
                  reason: "owner"
                })
          }),
          Effect.suspend(() => provider.next(pick(faults) ?? { _tag: "Execute" })),
          World.withTime(drain()),
          World.withTime(reconcile()),
          World.run,
          TestClock.adjust("6 minutes"),
          TestClock.adjust("7 hours"),
          TestClock.adjust("1 day"),
          TestClock.adjust("30 days").pipe(Effect.andThen(World.run), Effect.andThen(World.withTime(drain())))
        ]
        for (let step = 0; step < stepsCount; step++) {
          yield* Effect.exit(pick(steps) ?? Effect.void)
          // Time passes in the world only while somebody reconciles, as on a server.
          yield* World.withTime(reconcile())
          yield* assertSound
        }
        assert.isAbove(orders.length, 0)
        assert.isAbove((yield* World.ledger).captures, 0)
      }).pipe(Effect.provide(World.layer))
    )
  }
})

describe("the audit against the provider", () => {
  it.effect("agrees after purchases, renewals and refunds", () =>
    Effect.gen(function* () {
      yield* World.begin
      const { subscription } = yield* World.subscribe()
      yield* World.passDays(30)
      yield* World.run
      yield* requestRefund({
        orderId: subscription.orderId,
        userId: subscription.userId,
        lines: "rest",
        reason: "changed my mind"
      })
      yield* World.withTime(reconcile())
      const found = yield* World.withTime(verifyProvider())
      assert.deepStrictEqual(found, { compared: 3, notCompared: 0, broken: [] })
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("finds a refund the rows do not know, and a charge that was made elsewhere", () =>
    Effect.gen(function* () {
      yield* World.begin
      const payments = yield* PaymentRepository
      const { key, subscription } = yield* World.subscribe()
      if (key?._tag !== "Active") return assert.fail("there is no key")
      yield* World.passDays(1)
      yield* (yield* MemoryProvider.MemoryProvider).chargeElsewhere(key.billingKey)
      const paid = yield* World.attempt(yield* payerOf(subscription.orderId))
      if (paid._tag !== "Approved") return assert.fail("it is not paid")
      yield* payments.updateAttempt(new Attempt.Approved({ ...paid, refunded: Won.make(1_000) }))
      const { broken } = yield* World.withTime(verifyProvider())
      assert.deepStrictEqual(
        broken.map(({ count, rows, rule }) => [rule, count, rows[0]?.id]),
        [
          ["providerShowsTheApproval", 1, paid.id],
          ["providerShowsNoOtherCharge", 1, key.id]
        ]
      )
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("leaves out what it cannot tell: a key that is held", () =>
    Effect.gen(function* () {
      yield* World.begin
      const keys = yield* BillingKeyRepository
      const { key, subscription } = yield* World.subscribe()
      if (key?._tag !== "Active") return assert.fail("there is no key")
      const payer = yield* payerOf(subscription.orderId)
      yield* keys.update(new BillingKey.Active({ ...key, inFlight: payer }))
      const found = yield* World.withTime(verifyProvider())
      assert.deepStrictEqual(found, { compared: 1, notCompared: 1, broken: [] })
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("shows no more rows of a broken rule than it was asked to, and counts them all", () =>
    Effect.gen(function* () {
      yield* World.begin
      const keys = yield* BillingKeyRepository
      for (let index = 0; index < 3; index++) {
        const { key } = yield* World.subscribe()
        if (key?._tag !== "Active") return assert.fail("there is no key")
        yield* keys.update(new BillingKey.Active({ ...key, liveUses: 5 }))
      }
      const { broken, rows } = yield* verify({ shown: 2 })
      assert.deepStrictEqual(
        broken.map(({ count, rows, rule }) => [rule, count, rows.length]),
        [["keyCountsItsSubscriptions", 3, 2]]
      )
      assert.deepStrictEqual(rows, { subscription: 3, cycle: 3, attempt: 3, order: 3, billingKey: 3, refund: 0 })
    }).pipe(Effect.provide(World.layer))
  )
})

const payerOf = Effect.fnUntraced(function* (orderId: Order.Order["id"]) {
  const found = yield* (yield* OrderRepository).findById(orderId)
  const order = Option.getOrThrow(found)
  return "paidBy" in order ? order.paidBy : yield* Effect.die("the order is not paid")
})
