/**
 * The how-to proved: a second strategy, written after the page, passes the conformance kit against a provider that works
 * unlike KakaoPay, and stands beside it in the registry.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Strategy from "@pillivery/domain/PaymentStrategy"
import { ApprovalToken, CustomerReference, ProviderBillingKey, ProviderName } from "@pillivery/domain/Provider"
import * as Fixtures from "@pillivery/domain/testing/Fixtures"
import { Won } from "@pillivery/domain/Won"
import { Clock, Effect, Layer, Redacted } from "effect"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { inspect } from "node:util"
import * as MemoryProvider from "../../src/testing/MemoryProvider.ts"
import { PaymentStrategyWorld, suite } from "../../src/testing/PaymentStrategySuite.ts"
import * as OtherPay from "./otherpay/OtherPay.ts"
import * as OtherPayServer from "./otherpay/OtherPayServer.ts"

const secret = "thesecretofotherpay"
const optionsOf = (port: number): OtherPay.Options => ({
  port,
  secret: Redacted.make(secret),
  connectMillisMax: 1_000,
  answerMillisMax: 400
})

const sum = (amounts: ReadonlyArray<{ readonly amount: number }>) =>
  amounts.reduce((total, { amount }) => total + amount, 0)

const world = Layer.effect(
  PaymentStrategyWorld,
  Effect.map(OtherPayServer.start, (server) =>
    PaymentStrategyWorld.of({
      strategy: OtherPay.make(optionsOf(server.port)),
      approveAsCustomer: (transactionId) =>
        Effect.map(server.approve(transactionId), (proof) => ApprovalToken.make(proof)),
      ledgerTotals: (attemptId) =>
        Effect.map(server.movementsOf(attemptId), (movements) => {
          const captures = movements.filter(({ kind }) => kind === "capture")
          const refunds = movements.filter(({ kind }) => kind === "refund")
          return {
            captures: captures.length,
            captured: sum(captures),
            refunds: refunds.length,
            refunded: sum(refunds)
          }
        }),
      failNext: server.failNext,
      revokeKey: server.endKey
    })
  )
)

suite("OtherPay", world)

const charge = (strategy: Strategy.PaymentStrategy) =>
  Effect.flatMap(Clock.Clock, (clock) =>
    strategy.charge({
      attemptId: Fixtures.anyAttemptId(),
      merchantAccount: strategy.merchantAccountFor("subscription"),
      customerReference: CustomerReference.make("customer-1"),
      billingKey: ProviderBillingKey.make("key-0"),
      itemName: "오메가-3",
      quantity: 1,
      amount: Won.make(12_000),
      dispatchBefore: {
        monotonicMillis: Number(clock.monotonicTimeNanosUnsafe()) / 1_000_000 + 60_000,
        wallMillis: clock.currentTimeMillisUnsafe() + 60_000
      }
    })
  )

/** A server that answers everything with one body. */
const saying = (status: number, body: string) =>
  Effect.acquireRelease(
    Effect.callback<{ readonly port: number; readonly close: Effect.Effect<void> }>((resume) => {
      const server = createServer((_request, response) => void response.writeHead(status).end(body))
      server.listen(0, "127.0.0.1", () => {
        const close = Effect.callback<void>((closed) => void server.close(() => closed(Effect.void)))
        resume(Effect.succeed({ port: (server.address() as AddressInfo).port, close }))
      })
    }),
    ({ close }) => close
  )

describe("OtherPay", () => {
  it.live("says that nothing was sent when nobody listens, and shows its secret to nobody", () =>
    Effect.gen(function* () {
      const { port } = yield* Effect.scoped(OtherPayServer.start)
      const answer = yield* charge(OtherPay.make(optionsOf(port)))
      assert.strictEqual(answer._tag === "NotExecuted" ? answer.why : answer._tag, "local")
      assert.notInclude(inspect(answer, { depth: 9, showHidden: true }), secret)
    })
  )

  it.live("sends the attempt's id as its idempotency key", () =>
    Effect.gen(function* () {
      const server = yield* OtherPayServer.start
      yield* charge(OtherPay.make(optionsOf(server.port)))
      assert.deepStrictEqual(server.seen, [
        { method: "charge", idempotencyKey: Fixtures.anyAttemptId(), authorization: `Bearer ${secret}` }
      ])
    })
  )

  it.live("knows nothing of what its table of codes does not list, and nothing by the status alone", () =>
    Effect.gen(function* () {
      for (const [status, body] of [
        [200, '{"ok":false,"reason":"something_new","text":""}'],
        [200, '{"ok":false,"reason":"no_such_key","text":""}'],
        [402, '{"ok":false,"reason":"more_than_left","text":""}'],
        [402, "payment required"],
        [500, ""],
        [200, "{}"],
        [200, '{"ok":true}']
      ] as const) {
        const { port } = yield* saying(status, body)
        assert.strictEqual((yield* charge(OtherPay.make(optionsOf(port))))._tag, "Unknown", body)
      }
      for (const row of OtherPay.rows) {
        const { port } = yield* saying(400, JSON.stringify({ ok: false, reason: row.reason, text: "" }))
        const answer = yield* charge(OtherPay.make(optionsOf(port)))
        assert.strictEqual(answer._tag === "Unknown", !row.methods.includes("charge"), row.reason)
      }
    })
  )

  it.effect("stands beside another provider, each found by the name that is stored on its payments", () =>
    Effect.gen(function* () {
      const other = OtherPay.make(optionsOf(1))
      const { strategy } = yield* MemoryProvider.MemoryProvider
      const strategies = [strategy, other]
      const registry: Strategy.PaymentStrategies["Service"] = {
        find: (provider) => strategies.find((each) => each.provider === provider) ?? null,
        preferred: other
      }
      assert.strictEqual(registry.find(ProviderName.make("otherpay")), other)
      assert.strictEqual(registry.find(ProviderName.make("memory")), strategy)
      assert.isNull(registry.find(ProviderName.make("nobody")))
    }).pipe(Effect.provide(MemoryProvider.layer))
  )
})
