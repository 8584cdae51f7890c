/**
 * Every state of every aggregate reads back as it was stored, after an insert and after an update.
 *
 * @since 0.1.0
 */
import { BillingKeyRepository } from "@pillivery/application/ports/BillingKeyRepository"
import { BillingLedger } from "@pillivery/application/ports/BillingLedger"
import { OrderRepository } from "@pillivery/application/ports/OrderRepository"
import { PaymentRepository } from "@pillivery/application/ports/PaymentRepository"
import { RefundRepository } from "@pillivery/application/ports/RefundRepository"
import { ReviewRepository } from "@pillivery/application/ports/ReviewRepository"
import { SubscriptionRepository } from "@pillivery/application/ports/SubscriptionRepository"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import * as Fixtures from "./Fixtures.ts"
import { layer } from "./TestDatabase.ts"

describe("round trips", () => {
  it.layer(layer(), { excludeTestServices: true })((it) => {
    it.effect("orders in every state", () =>
      Effect.gen(function* () {
        const repository = yield* OrderRepository
        for (const order of Fixtures.orders()) {
          yield* repository.insert(order)
          assert.deepStrictEqual(yield* repository.findById(order.id), Option.some(order))
          yield* repository.update(order)
          const updated = Option.getOrThrow(yield* repository.findById(order.id))
          assert.strictEqual(updated.version, 1)
          assert.deepStrictEqual({ ...updated, version: 0 }, { ...order })
        }
      })
    )

    it.effect("payments for every subject", () =>
      Effect.gen(function* () {
        const repository = yield* PaymentRepository
        for (const payment of Fixtures.payments()) {
          yield* repository.insertPayment(payment)
          assert.deepStrictEqual(yield* repository.findPayment(payment.id), Option.some(payment))
          assert.deepStrictEqual(yield* repository.findPaymentBySubject(payment.subject), Option.some(payment))
        }
      })
    )

    it.effect("attempts in every state, for every purpose", () =>
      Effect.gen(function* () {
        const repository = yield* PaymentRepository
        for (const attempt of Fixtures.attempts()) {
          yield* repository.insertAttempt(attempt)
          assert.deepStrictEqual(yield* repository.findAttempt(attempt.id), Option.some(attempt))
          yield* repository.updateAttempt(attempt)
          const updated = Option.getOrThrow(yield* repository.findAttempt(attempt.id))
          assert.deepStrictEqual({ ...updated, version: 0 }, { ...attempt })
        }
      })
    )

    it.effect("subscriptions in every state", () =>
      Effect.gen(function* () {
        const repository = yield* SubscriptionRepository
        for (const subscription of Fixtures.subscriptions()) {
          yield* repository.insert(subscription)
          assert.deepStrictEqual(yield* repository.findById(subscription.id), Option.some(subscription))
          yield* repository.update(subscription)
          const updated = Option.getOrThrow(yield* repository.findById(subscription.id))
          assert.deepStrictEqual({ ...updated, version: 0 }, { ...subscription })
        }
      })
    )

    it.effect("billing keys in every state", () =>
      Effect.gen(function* () {
        const repository = yield* BillingKeyRepository
        for (const key of Fixtures.billingKeys()) {
          yield* repository.insert(key)
          assert.deepStrictEqual(yield* repository.findById(key.id), Option.some(key))
          yield* repository.update(key)
          const updated = Option.getOrThrow(yield* repository.findById(key.id))
          assert.deepStrictEqual({ ...updated, version: 0 }, { ...key })
        }
      })
    )

    it.effect("cycles in every state", () =>
      Effect.gen(function* () {
        const ledger = yield* BillingLedger
        for (const cycle of Fixtures.cycles()) {
          yield* ledger.insertCycle(cycle)
          assert.deepStrictEqual(yield* ledger.findCycle(cycle), Option.some(cycle))
          yield* ledger.updateCycle(cycle)
          const updated = Option.getOrThrow(yield* ledger.findCycle(cycle))
          assert.deepStrictEqual({ ...updated, version: 0 }, { ...cycle })
        }
      })
    )

    it.effect("refunds in every state", () =>
      Effect.gen(function* () {
        const repository = yield* RefundRepository
        for (const refund of Fixtures.refunds()) {
          yield* repository.insert(refund)
          assert.deepStrictEqual(yield* repository.findById(refund.id), Option.some(refund))
          yield* repository.update(refund)
          const updated = Option.getOrThrow(yield* repository.findById(refund.id))
          assert.deepStrictEqual({ ...updated, version: 0 }, { ...refund })
        }
      })
    )

    it.effect("reviews in every state", () =>
      Effect.gen(function* () {
        const repository = yield* ReviewRepository
        for (const review of Fixtures.reviews()) {
          yield* repository.insert(review)
          assert.deepStrictEqual(yield* repository.findById(review.id), Option.some(review))
          yield* repository.update(review)
          const updated = Option.getOrThrow(yield* repository.findById(review.id))
          assert.deepStrictEqual({ ...updated, version: 0 }, { ...review })
        }
      })
    )

    it.effect("a row that lacks what its state needs is a defect", () =>
      Effect.gen(function* () {
        const sql = yield* SqlClient
        const repository = yield* OrderRepository
        const order = Fixtures.placedOrder()
        yield* repository.insert(order)
        yield* sql`UPDATE orders SET state = 'Paid' WHERE id = ${Buffer.from(order.id.replaceAll("-", ""), "hex")}`
        const exit = yield* Effect.exit(repository.findById(order.id))
        assert.strictEqual(exit._tag === "Failure" && exit.cause.reasons[0]?._tag, "Die")
      })
    )
  })
})
