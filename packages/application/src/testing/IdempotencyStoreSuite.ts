/**
 * The contract of `IdempotencyStore`.
 *
 * @since 0.1.0
 */
import { assert } from "@effect/vitest"
import * as Fixtures from "@pillivery/domain/testing/Fixtures"
import { Effect, Option } from "effect"
import type { IdGenerator } from "../ports/IdGenerator.ts"
import {
  fingerprintLengthMax,
  IdempotencyStore,
  keyLengthMax,
  nameLengthMax,
  type RequestKey
} from "../ports/IdempotencyStore.ts"
import { Transaction } from "../ports/Transaction.ts"
import { countOf, endsOf, failsWith, freshSeed, law, type Law, suiteOf } from "./Law.ts"

/** What the laws of this port need. */
export type Requirements = IdempotencyStore | Transaction | IdGenerator

const rivalsCount = 8

const freshRequest = Effect.map(freshSeed, (seed): RequestKey => ({
  principal: "billing",
  endpoint: "charges",
  key: `key-${seed}`
}))

const [one, two, three] = [Fixtures.anyAttemptId("1"), Fixtures.anyAttemptId("2"), Fixtures.anyAttemptId("3")]

/** Everything an `IdempotencyStore` promises. */
export const laws = (): ReadonlyArray<Law<Requirements>> => [
  law(
    "finds what a request was bound to, and nothing before",
    Effect.gen(function* () {
      const store = yield* IdempotencyStore
      const request = yield* freshRequest
      assert.isTrue(Option.isNone(yield* store.find(request)))
      yield* store.bind(request, { fingerprint: "a", resourceId: one })
      assert.deepStrictEqual(Option.getOrThrow(yield* store.find(request)), { fingerprint: "a", resourceId: one })
    })
  ),

  law(
    "binds a request once, whatever it asks for",
    Effect.gen(function* () {
      const store = yield* IdempotencyStore
      const request = yield* freshRequest
      yield* store.bind(request, { fingerprint: "a", resourceId: one })
      yield* failsWith("AlreadyExists", store.bind(request, { fingerprint: "a", resourceId: one }))
      yield* failsWith("AlreadyExists", store.bind(request, { fingerprint: "b", resourceId: two }))
      assert.deepStrictEqual(Option.getOrThrow(yield* store.find(request)), { fingerprint: "a", resourceId: one })
    })
  ),

  law(
    "keeps principals, endpoints and the letters of keys apart",
    Effect.gen(function* () {
      const store = yield* IdempotencyStore
      const request = yield* freshRequest
      yield* store.bind(request, { fingerprint: "a", resourceId: one })
      for (const other of [
        { ...request, principal: "Billing" },
        { ...request, endpoint: "refunds" },
        { ...request, key: request.key.toUpperCase() },
        { ...request, key: `${request.key} ` }
      ]) {
        assert.isTrue(Option.isNone(yield* store.find(other)), JSON.stringify(other))
        yield* store.bind(other, { fingerprint: "b", resourceId: two })
      }
      assert.strictEqual(Option.getOrThrow(yield* store.find(request)).resourceId, one)
    })
  ),

  law(
    "keeps the longest names whole",
    Effect.gen(function* () {
      const store = yield* IdempotencyStore
      const seed = yield* freshSeed
      const request = {
        principal: "p".repeat(nameLengthMax),
        endpoint: "e".repeat(nameLengthMax),
        key: seed.padEnd(keyLengthMax, "k")
      }
      const bound = { fingerprint: "f".repeat(fingerprintLengthMax), resourceId: one }
      yield* store.bind(request, bound)
      assert.deepStrictEqual(Option.getOrThrow(yield* store.find(request)), bound)
    })
  ),

  law(
    "points a request elsewhere only from the one it was read with",
    Effect.gen(function* () {
      const store = yield* IdempotencyStore
      const request = yield* freshRequest
      yield* failsWith("StaleWrite", store.rebind(request, { from: one, to: two }))
      yield* store.bind(request, { fingerprint: "a", resourceId: one })
      yield* store.rebind(request, { from: one, to: two })
      yield* failsWith("StaleWrite", store.rebind(request, { from: one, to: three }))
      assert.deepStrictEqual(Option.getOrThrow(yield* store.find(request)), { fingerprint: "a", resourceId: two })
    })
  ),

  law(
    "lets one of many rivals bind a request, and one point it elsewhere",
    Effect.gen(function* () {
      const store = yield* IdempotencyStore
      const request = yield* freshRequest
      const resources = Array.from({ length: rivalsCount }, (_, index) => Fixtures.anyAttemptId(`rival ${index}`))
      const binds = yield* endsOf(resources.map((resourceId) => store.bind(request, { fingerprint: "a", resourceId })))
      assert.deepStrictEqual([countOf(binds, "success"), countOf(binds, "AlreadyExists")], [1, rivalsCount - 1])
      const from = Option.getOrThrow(yield* store.find(request)).resourceId
      const others = resources.filter((resourceId) => resourceId !== from)
      const rebinds = yield* endsOf(others.map((to) => store.rebind(request, { from, to })))
      assert.deepStrictEqual([countOf(rebinds, "success"), countOf(rebinds, "StaleWrite")], [1, others.length - 1])
    })
  ),

  law(
    "forgets what was bound in a transaction that failed",
    Effect.gen(function* () {
      const store = yield* IdempotencyStore
      const { run } = yield* Transaction
      const request = yield* freshRequest
      const bind = store.bind(request, { fingerprint: "a", resourceId: one })
      yield* failsWith("Unwanted", run(Effect.andThen(bind, Effect.fail({ _tag: "Unwanted" as const }))))
      assert.isTrue(Option.isNone(yield* store.find(request)))
      yield* run(bind)
      const rebind = store.rebind(request, { from: one, to: two })
      yield* failsWith("Unwanted", run(Effect.andThen(rebind, Effect.fail({ _tag: "Unwanted" as const }))))
      assert.strictEqual(Option.getOrThrow(yield* store.find(request)).resourceId, one)
    })
  )
]

/** Runs the laws against a layer. */
export const suite = suiteOf<Requirements>("IdempotencyStore", laws)
