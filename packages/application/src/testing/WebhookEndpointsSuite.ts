/**
 * The contract of `WebhookEndpoints`.
 *
 * @since 0.1.0
 */
import { assert } from "@effect/vitest"
import * as Fixtures from "@pillivery/domain/testing/Fixtures"
import { Effect, Option, Redacted, Schema } from "effect"
import type { IdGenerator } from "../ports/IdGenerator.ts"
import {
  descriptionLengthMax,
  toldTags,
  urlLengthMax,
  WebhookEndpoint,
  WebhookEndpointId,
  WebhookEndpoints
} from "../ports/WebhookEndpoints.ts"
import { among, countOf, endsOf, failsWith, freshSeed, law, type Law, sameBy, suiteOf } from "./Law.ts"

/** What the laws of this port need. */
export type Requirements = WebhookEndpoints | IdGenerator

const rivalsCount = 8

const freshId = Effect.map(freshSeed, (seed) => WebhookEndpointId.make(seed))

const freshEndpoint = Effect.map(
  freshId,
  (id) =>
    new WebhookEndpoint({
      id,
      url: "https://erp.example.com/hooks",
      description: "창고",
      tags: ["OrderPaid", "RefundCompleted"],
      isActive: true,
      secret: Redacted.make("whsec_c2VjcmV0"),
      formerSecret: null,
      formerSecretUntil: null,
      createdAt: Fixtures.now,
      version: 0
    })
)

const reveal = (secret: Redacted.Redacted | null) => (secret === null ? null : Redacted.value(secret))
const sameEndpoint = sameBy(({ createdAt, formerSecret, formerSecretUntil, secret, ...rest }: WebhookEndpoint) => ({
  ...rest,
  createdAt: createdAt.epochMilliseconds,
  secret: reveal(secret),
  formerSecret: reveal(formerSecret),
  formerSecretUntil: formerSecretUntil?.epochMilliseconds ?? null
}))

const read = Effect.fnUntraced(function* (id: WebhookEndpointId) {
  const found = yield* (yield* WebhookEndpoints).findById(id)
  assert.isTrue(Option.isSome(found))
  return Option.getOrThrow(found)
})

/** Everything `WebhookEndpoints` promise. */
export const laws = (): ReadonlyArray<Law<Requirements>> => [
  law(
    "give back what was written",
    Effect.gen(function* () {
      const endpoints = yield* WebhookEndpoints
      const endpoint = yield* freshEndpoint
      const longest = new WebhookEndpoint({
        ...endpoint,
        id: yield* freshId,
        url: `https://example.com/${"x".repeat(urlLengthMax)}`.slice(0, urlLengthMax),
        description: "한".repeat(descriptionLengthMax),
        tags: toldTags,
        isActive: false,
        formerSecret: Redacted.make("whsec_Zm9ybWVy"),
        formerSecretUntil: Fixtures.later(1)
      })
      for (const each of [endpoint, longest]) {
        yield* endpoints.insert(each)
        sameEndpoint(yield* read(each.id), each)
      }
      assert.isTrue(Option.isNone(yield* endpoints.findById(yield* freshId)))
    })
  ),

  law(
    "take an id once",
    Effect.gen(function* () {
      const endpoints = yield* WebhookEndpoints
      const endpoint = yield* freshEndpoint
      yield* endpoints.insert(endpoint)
      yield* failsWith("AlreadyExists", endpoints.insert(endpoint))
    })
  ),

  law(
    "are changed at the version read, by one of many rivals",
    Effect.gen(function* () {
      const endpoints = yield* WebhookEndpoints
      const endpoint = yield* freshEndpoint
      yield* failsWith("StaleWrite", endpoints.update(endpoint))
      yield* endpoints.insert(endpoint)
      const changed = new WebhookEndpoint({
        ...endpoint,
        url: "https://other.example.com/",
        description: "",
        tags: ["CycleCharged"],
        isActive: false,
        secret: Redacted.make("whsec_bmV3"),
        formerSecret: endpoint.secret,
        formerSecretUntil: Fixtures.later(24)
      })
      const ends = yield* endsOf(Array.from({ length: rivalsCount }, () => endpoints.update(changed)))
      assert.deepStrictEqual([countOf(ends, "success"), countOf(ends, "StaleWrite")], [1, rivalsCount - 1])
      sameEndpoint(yield* read(endpoint.id), new WebhookEndpoint({ ...changed, version: 1 }))
    })
  ),

  law(
    "are listed oldest first, until they are removed",
    Effect.gen(function* () {
      const endpoints = yield* WebhookEndpoints
      const older = yield* freshEndpoint
      const newer = new WebhookEndpoint({ ...(yield* freshEndpoint), createdAt: Fixtures.later(1) })
      yield* endpoints.insert(newer)
      yield* endpoints.insert(older)
      const own = Effect.map(endpoints.list, (listed) =>
        among(
          listed.map(({ id }) => id),
          [older.id, newer.id]
        )
      )
      assert.deepStrictEqual(yield* own, [older.id, newer.id])
      assert.isTrue(yield* endpoints.remove(older.id))
      assert.isFalse(yield* endpoints.remove(older.id))
      assert.deepStrictEqual(yield* own, [newer.id])
      yield* failsWith("StaleWrite", endpoints.update(older))
    })
  ),

  law(
    "never show a secret where they are written out",
    Effect.gen(function* () {
      const endpoint = yield* freshEndpoint
      assert.notInclude(JSON.stringify(endpoint), "whsec_")
      assert.notInclude(String(Schema.encodeUnknownExit(WebhookEndpoint)(endpoint)), "whsec_")
    })
  )
]

/** Runs the laws against a layer. */
export const suite = suiteOf<Requirements>("WebhookEndpoints", laws)
