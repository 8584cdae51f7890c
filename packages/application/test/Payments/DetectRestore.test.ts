import { assert, describe, it } from "@effect/vitest"
import { checkKeys } from "@pillivery/application/Payments/CheckKeys"
import { reconcile } from "@pillivery/application/Payments/Reconcile"
import { IdGenerator } from "@pillivery/application/ports/IdGenerator"
import { keptIn, LedgerMark, MarkUnavailable, type Place } from "@pillivery/application/ports/LedgerMark"
import { AttemptId } from "@pillivery/domain/Ids"
import { Effect, Layer, Option } from "effect"
import { TestClock } from "effect/testing"
import * as World from "../World.ts"

/** A place outside the store, which may be out of reach. */
const makePlace = () => {
  const state = { id: null as AttemptId | null, isAway: false, keeps: 0 }
  const orAway = <A>(effect: Effect.Effect<A>): Effect.Effect<A, MarkUnavailable> =>
    Effect.suspend(() =>
      state.isAway ? Effect.fail(new MarkUnavailable({ place: "a test", cause: "told to" })) : effect
    )
  const place: Place = {
    find: orAway(Effect.sync(() => Option.fromNullishOr(state.id))),
    keep: (id) => orAway(Effect.sync(() => void ((state.id = id), state.keeps++))),
    forget: orAway(Effect.sync(() => void (state.id = null)))
  }
  return { state, place }
}

const worldWith = (place: Place) => World.layer.pipe(Layer.provideMerge(Layer.effect(LedgerMark, keptIn(place))))

describe("a ledger's mark", () => {
  it.effect("is the newest charge, kept within a second", () => {
    const { place, state } = makePlace()
    return Effect.gen(function* () {
      yield* World.begin
      const { subscription } = yield* World.subscribe()
      yield* World.passDays(30)
      assert.isNull(state.id)
      yield* World.run
      yield* TestClock.adjust("1 second")
      const charged = (yield* World.read(subscription.id)).cycles.find((cycle) => cycle._tag === "Charged")
      assert.strictEqual(state.id, charged?._tag === "Charged" ? charged.chargedBy : null)
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(state.keeps, 1)
    }).pipe(Effect.provide(worldWith(place)))
  })

  it.effect("that names a charge which is missing has every key compared again, once", () => {
    const { place, state } = makePlace()
    return Effect.gen(function* () {
      yield* World.begin
      yield* World.subscribe()
      yield* World.passDays(1)
      assert.strictEqual((yield* World.withTime(checkKeys())).checked, 1)
      state.id = AttemptId.make(yield* (yield* IdGenerator).next)
      yield* World.withTime(reconcile())
      assert.isNull(state.id)
      assert.strictEqual((yield* World.withTime(checkKeys())).checked, 1)
      yield* World.withTime(reconcile())
      assert.strictEqual((yield* World.withTime(checkKeys())).checked, 0)
    }).pipe(Effect.provide(worldWith(place)))
  })

  it.effect("that names a charge which is there changes nothing", () => {
    const { place, state } = makePlace()
    return Effect.gen(function* () {
      yield* World.begin
      yield* World.subscribe()
      yield* World.passDays(30)
      yield* World.run
      yield* TestClock.adjust("1 second")
      yield* World.passDays(1)
      assert.strictEqual((yield* World.withTime(checkKeys())).checked, 1)
      const before = state.id
      yield* World.withTime(reconcile())
      assert.strictEqual(state.id, before)
      assert.strictEqual((yield* World.withTime(checkKeys())).checked, 0)
    }).pipe(Effect.provide(worldWith(place)))
  })

  it.effect("that is out of reach keeps nobody from charging, and is kept when it is back", () => {
    const { place, state } = makePlace()
    return Effect.gen(function* () {
      yield* World.begin
      yield* World.subscribe()
      yield* World.passDays(30)
      state.isAway = true
      assert.strictEqual((yield* World.run).counts.charged, 1)
      yield* TestClock.adjust("5 seconds")
      assert.isNull(state.id)
      state.isAway = false
      yield* TestClock.adjust("1 second")
      assert.isNotNull(state.id)
    }).pipe(Effect.provide(worldWith(place)))
  })
})
