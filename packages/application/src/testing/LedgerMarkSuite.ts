/**
 * The contract of a place where a ledger's mark is kept.
 *
 * @since 0.1.0
 */
import { assert } from "@effect/vitest"
import { AttemptId } from "@pillivery/domain/Ids"
import { Context, Effect, Option } from "effect"
import type { IdGenerator } from "../ports/IdGenerator.ts"
import { keptIn, type Place } from "../ports/LedgerMark.ts"
import { freshSeeds, law, type Law, suiteOf } from "./Law.ts"

/** The place under test, which keeps one mark. */
export class MarkPlace extends Context.Service<MarkPlace, Place>()("@pillivery/application/testing/MarkPlace") {}

// In the order of their texts, as ids that carry their time are.
const freshIds = (count: number) =>
  Effect.map(freshSeeds(count), (seeds) => seeds.toSorted().map((seed) => AttemptId.make(seed)))

const twoIds = Effect.map(
  freshIds(2),
  ([older, newer]) =>
    [Option.getOrThrow(Option.fromNullishOr(older)), Option.getOrThrow(Option.fromNullishOr(newer))] as const
)

/** Everything a place of a mark promises. */
export const laws = (): ReadonlyArray<Law<MarkPlace | IdGenerator>> => [
  law(
    "keeps the newest, whatever the order",
    Effect.gen(function* () {
      const place = yield* MarkPlace
      const [older, newer] = yield* twoIds
      yield* place.forget
      assert.isTrue(Option.isNone(yield* place.find))
      yield* place.keep(newer)
      yield* place.keep(older)
      assert.deepStrictEqual(yield* place.find, Option.some(newer))
      yield* place.keep(newer)
      assert.deepStrictEqual(yield* place.find, Option.some(newer))
    })
  ),

  law(
    "forgets, and keeps an older one afterwards",
    Effect.gen(function* () {
      const place = yield* MarkPlace
      const [older, newer] = yield* twoIds
      yield* place.keep(newer)
      yield* place.forget
      assert.isTrue(Option.isNone(yield* place.find))
      yield* place.keep(older)
      assert.deepStrictEqual(yield* place.find, Option.some(older))
    })
  ),

  law(
    "keeps what was noted when the process ends, and shows it to another",
    Effect.gen(function* () {
      const place = yield* MarkPlace
      yield* place.forget
      const [first, second] = yield* twoIds
      yield* Effect.scoped(
        Effect.map(keptIn(place), (mark) => {
          mark.note(second)
          mark.note(first)
        })
      )
      const found = yield* Effect.scoped(Effect.flatMap(keptIn(place), (mark) => mark.find))
      assert.deepStrictEqual(found, Option.some(second))
    })
  ),

  law(
    "of many writers at once keeps the newest",
    Effect.gen(function* () {
      const place = yield* MarkPlace
      yield* place.forget
      const ids = yield* freshIds(16)
      yield* Effect.forEach(ids.toReversed(), (id) => place.keep(id), { concurrency: "unbounded", discard: true })
      assert.deepStrictEqual(yield* place.find, Option.fromNullishOr(ids.at(-1)))
    })
  )
]

/** Binds the contract to a layer, as the tests of an adapter do; `name` says which. */
export const suite = suiteOf("LedgerMark", laws)
