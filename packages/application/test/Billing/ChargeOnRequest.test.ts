import { assert, describe, it } from "@effect/vitest"
import { chargeOnRequest } from "@pillivery/application/Billing/ChargeOnRequest"
import { BusinessClock } from "@pillivery/application/ports/BusinessClock"
import { MemoryProvider } from "@pillivery/application/testing/MemoryProvider"
import * as BusinessDate from "@pillivery/domain/BusinessDate"
import { Effect } from "effect"
import * as World from "../World.ts"

const request = { principal: "billing", endpoint: "charges", key: "one" }

// A subscription that is due, and the request to charge it.
const dueRequest = Effect.gen(function* () {
  yield* World.begin
  const { cycle, subscription } = yield* World.subscribe()
  yield* World.passDays(30)
  const date = BusinessDate.fromInstant(yield* (yield* BusinessClock).now)
  return { request, subscriptionId: subscription.id, number: cycle.number, date }
})

const captures = Effect.map(World.ledger, (totals) => totals.captures)
const idOf = (outcome: Effect.Success<ReturnType<typeof chargeOnRequest>>) =>
  outcome._tag === "Sent" ? outcome.attempt.id : outcome._tag
const tagOf = (outcome: Effect.Success<ReturnType<typeof chargeOnRequest>>) =>
  outcome._tag === "Sent" ? outcome.attempt._tag : outcome._tag

describe("chargeOnRequest", () => {
  it.effect("F16: charges once, and answers a repeat with the same attempt", () =>
    Effect.gen(function* () {
      const asked = yield* dueRequest
      const first = yield* World.withTime(chargeOnRequest(asked))
      const second = yield* chargeOnRequest(asked)
      assert.deepStrictEqual([idOf(second), tagOf(second)], [idOf(first), tagOf(first)])
      assert.strictEqual(tagOf(first), "Approved")
      assert.strictEqual(yield* captures, 2)
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("lets many at once charge once, and all of them see the same attempt", () =>
    Effect.gen(function* () {
      const asked = yield* dueRequest
      const outcomes = yield* World.withTime(
        Effect.all(
          Array.from({ length: 16 }, () => chargeOnRequest(asked)),
          { concurrency: "unbounded" }
        )
      )
      const ids = new Set(outcomes.map(idOf))
      assert.strictEqual(ids.size, 1)
      assert.strictEqual(yield* captures, 2)
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("never sends a lost charge again: a repeat observes that its outcome is unknown", () =>
    Effect.gen(function* () {
      const asked = yield* dueRequest
      yield* (yield* MemoryProvider).next({ _tag: "LoseAnswer" })
      assert.strictEqual(tagOf(yield* World.withTime(chargeOnRequest(asked))), "Unknown")
      assert.strictEqual(tagOf(yield* chargeOnRequest(asked)), "Unknown")
      assert.strictEqual(yield* captures, 2)
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("makes another attempt after one that provably was not sent", () =>
    Effect.gen(function* () {
      const asked = yield* dueRequest
      yield* (yield* MemoryProvider).next({ _tag: "NotExecuted", why: "local" })
      const first = yield* World.withTime(chargeOnRequest(asked))
      assert.strictEqual(tagOf(first), "NotExecuted")
      const second = yield* World.withTime(chargeOnRequest(asked))
      assert.strictEqual(tagOf(second), "Approved")
      assert.notStrictEqual(idOf(second), idOf(first))
      assert.strictEqual(idOf(yield* chargeOnRequest(asked)), idOf(second))
      assert.strictEqual(yield* captures, 2)
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("refuses a key that was used for another date, and charges nothing", () =>
    Effect.gen(function* () {
      const asked = yield* dueRequest
      yield* World.withTime(chargeOnRequest(asked))
      const refused = yield* Effect.flip(chargeOnRequest({ ...asked, date: BusinessDate.addDays(asked.date, -1) }))
      assert.strictEqual(refused._tag, "RequestKeyReused")
      assert.strictEqual(yield* captures, 2)
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("binds nothing where there is nothing to charge, so that the key can still be used", () =>
    Effect.gen(function* () {
      const asked = yield* dueRequest
      const tomorrow = { ...asked, date: BusinessDate.addDays(asked.date, 1) }
      assert.strictEqual(tagOf(yield* chargeOnRequest(tomorrow)), "Postponed")
      assert.strictEqual(tagOf(yield* World.withTime(chargeOnRequest(asked))), "Approved")
    }).pipe(Effect.provide(World.layer))
  )
})
