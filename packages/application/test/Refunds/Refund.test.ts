import { assert, describe, it } from "@effect/vitest"
import { drain } from "@pillivery/application/Events/Relay"
import { approvePayment } from "@pillivery/application/Payments/ApprovePayment"
import { reconcile } from "@pillivery/application/Payments/Reconcile"
import { OrderRepository } from "@pillivery/application/ports/OrderRepository"
import { RefundRepository } from "@pillivery/application/ports/RefundRepository"
import { requestRefund } from "@pillivery/application/Refunds/RequestRefund"
import { MemoryProvider } from "@pillivery/application/testing/MemoryProvider"
import { Soft } from "@pillivery/domain/DeclineReason"
import type { RefundId } from "@pillivery/domain/Ids"
import type * as Order from "@pillivery/domain/Order"
import { Effect, Option } from "effect"
import { TestClock } from "effect/testing"
import * as World from "../World.ts"

const buy = Effect.gen(function* () {
  const order = yield* World.placeOrder([{ price: 10_000, quantity: 3 }, { price: 7_000 }])
  const { attemptId, token } = yield* World.prepareApproval(order)
  yield* approvePayment(attemptId, token)
  const [first, second] = order.lines
  if (first === undefined || second === undefined) return yield* Effect.die("the order has two lines")
  return { order, attemptId, first, second }
})

const ask = (order: Order.Order, lines: ReadonlyArray<Order.RefundLine> | "rest") =>
  requestRefund({ orderId: order.id, userId: order.userId, lines, reason: "changed my mind" })

const refundNow = Effect.fnUntraced(function* (id: RefundId) {
  return Option.getOrThrow(yield* (yield* RefundRepository).findById(id))
})
const orderNow = Effect.fnUntraced(function* (order: Order.Order) {
  return Option.getOrThrow(yield* (yield* OrderRepository).findById(order.id))
})

describe("requestRefund", () => {
  it.effect("F13: gives back some units, then the rest, and never more", () =>
    Effect.gen(function* () {
      yield* World.begin
      const { first, order } = yield* buy
      const part = yield* ask(order, [{ lineId: first.id, quantity: 2 }])
      assert.strictEqual(part.amount, 20_000)
      yield* World.withTime(drain())
      assert.strictEqual((yield* refundNow(part.id))._tag, "Completed")
      assert.strictEqual((yield* orderNow(order))._tag, "PartiallyRefunded")
      const rest = yield* ask(order, "rest")
      assert.strictEqual(rest.amount, 17_000)
      yield* World.withTime(drain())
      assert.strictEqual((yield* orderNow(order))._tag, "Refunded")
      assert.strictEqual((yield* Effect.flip(ask(order, "rest")))._tag, "OrderTransitionDenied")
      assert.deepStrictEqual(yield* World.ledger, { captures: 1, captured: 37_000, refunds: 2, refunded: 37_000 })
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("promises the same units to one of many who ask at once", () =>
    Effect.gen(function* () {
      yield* World.begin
      const { first, order } = yield* buy
      const results = yield* World.withTime(
        Effect.all(
          Array.from({ length: 24 }, () => Effect.result(ask(order, [{ lineId: first.id, quantity: 3 }]))),
          { concurrency: "unbounded" }
        )
      )
      assert.strictEqual(results.filter((result) => result._tag === "Success").length, 1)
      yield* World.withTime(drain())
      assert.strictEqual((yield* World.ledger).refunded, 30_000)
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("F21: refuses more units than are left, units of another line twice, and nothing at all", () =>
    Effect.gen(function* () {
      yield* World.begin
      const { first, order, second } = yield* buy
      for (const lines of [
        [{ lineId: first.id, quantity: 4 }],
        [{ lineId: first.id, quantity: 0 }],
        [
          { lineId: second.id, quantity: 1 },
          { lineId: second.id, quantity: 1 }
        ],
        []
      ]) {
        assert.strictEqual((yield* Effect.flip(ask(order, lines)))._tag, "RefundLinesInvalid")
      }
      assert.strictEqual((yield* World.ledger).refunds, 0)
    }).pipe(Effect.provide(World.layer))
  )
})

describe("dispatchRefund", () => {
  it.effect("finds a lost refund done by what the provider gave back, and does not send it again", () =>
    Effect.gen(function* () {
      yield* World.begin
      const { first, order } = yield* buy
      const refund = yield* ask(order, [{ lineId: first.id, quantity: 1 }])
      yield* (yield* MemoryProvider).next({ _tag: "LoseAnswer" })
      yield* World.withTime(drain())
      assert.strictEqual((yield* refundNow(refund.id))._tag, "Unknown")
      yield* World.withTime(reconcile())
      assert.strictEqual((yield* World.ledger).refunds, 1)
      yield* TestClock.adjust("6 minutes")
      yield* World.withTime(reconcile())
      assert.strictEqual((yield* refundNow(refund.id))._tag, "Completed")
      assert.deepStrictEqual(yield* World.ledger, { captures: 1, captured: 37_000, refunds: 1, refunded: 10_000 })
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("sends a refund again only when the provider shows past the grace time that nothing was given back", () =>
    Effect.gen(function* () {
      yield* World.begin
      const { first, order } = yield* buy
      const refund = yield* ask(order, [{ lineId: first.id, quantity: 1 }])
      yield* (yield* MemoryProvider).next({ _tag: "LoseRequest" })
      yield* World.withTime(drain())
      yield* TestClock.adjust("7 hours")
      yield* World.withTime(reconcile())
      assert.strictEqual((yield* refundNow(refund.id))._tag, "Unknown")
      yield* TestClock.adjust("24 hours")
      yield* World.withTime(reconcile())
      assert.strictEqual((yield* refundNow(refund.id))._tag, "Completed")
      assert.strictEqual((yield* World.ledger).refunds, 1)
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("frees the amount and tells the user when the provider refuses", () =>
    Effect.gen(function* () {
      yield* World.begin
      const { attemptId, first, order } = yield* buy
      const refund = yield* ask(order, [{ lineId: first.id, quantity: 1 }])
      yield* (yield* MemoryProvider).next({
        _tag: "Decline",
        reason: new Soft({ kind: "Refused", code: "-781", message: "" })
      })
      yield* World.withTime(drain())
      assert.strictEqual((yield* refundNow(refund.id))._tag, "Rejected")
      const attempt = yield* World.attempt(attemptId)
      assert.isTrue(attempt._tag === "Approved" && attempt.reserved === 0 && attempt.refundInFlight === null)
      assert.strictEqual((yield* ask(order, "rest")).amount, 37_000)
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("sends refunds of one payment one after the other", () =>
    Effect.gen(function* () {
      yield* World.begin
      const { first, order, second } = yield* buy
      yield* ask(order, [{ lineId: first.id, quantity: 1 }])
      yield* ask(order, [{ lineId: second.id, quantity: 1 }])
      yield* World.withTime(drain())
      yield* World.withTime(reconcile())
      assert.deepStrictEqual(yield* World.ledger, { captures: 1, captured: 37_000, refunds: 2, refunded: 17_000 })
    }).pipe(Effect.provide(World.layer))
  )
})
