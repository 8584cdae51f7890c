import { assert, describe, it } from "@effect/vitest"
import { reconcile } from "@pillivery/application/Payments/Reconcile"
import { requestPaymentOnce } from "@pillivery/application/Payments/RequestPayment"
import { PaymentRepository } from "@pillivery/application/ports/PaymentRepository"
import { PaymentStrategies } from "@pillivery/domain/PaymentStrategy"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import * as World from "../World.ts"

describe("requestPaymentOnce", () => {
  it.effect("opens another transaction when the process died before the provider answered, and only then", () =>
    Effect.gen(function* () {
      yield* World.begin
      const order = yield* World.placeOrder([{ price: 12_000 }])
      const command = { orderId: order.id, userId: order.userId }
      const asked = { request: { principal: "user", endpoint: "payments", key: "k" }, fingerprint: "f" }
      const request = requestPaymentOnce(asked, command)

      const { preferred } = yield* PaymentStrategies
      const silent = { ...preferred, prepare: () => Effect.never }
      const dying = yield* Effect.forkChild(
        Effect.provideService(request, PaymentStrategies, { find: () => silent, preferred: silent }),
        { startImmediately: true }
      )
      yield* TestClock.adjust("1 second")
      yield* Fiber.interrupt(dying)

      const payments = yield* PaymentRepository
      // Its intent is committed: whoever asks again under the key is told to wait, and no second transaction is opened.
      assert.strictEqual((yield* World.withTime(Effect.flip(request)))._tag, "PaymentInProgress")
      yield* TestClock.adjust("10 minutes")
      yield* World.withTime(reconcile())
      const opened = yield* request
      assert.strictEqual(opened._tag, "AwaitingCustomer")
      const attempts = yield* payments.listAttempts(opened.paymentId)
      assert.deepStrictEqual(
        attempts.map(({ _tag }) => _tag),
        ["Withdrawn", "AwaitingCustomer"]
      )
      assert.strictEqual((yield* request).id, opened.id)
    }).pipe(Effect.provide(World.layer))
  )
})
