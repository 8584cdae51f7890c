import * as Memory from "@pillivery/adapters-memory/Memory"
import { assert, describe, it } from "@effect/vitest"
import * as Views from "@pillivery/application/Catalogue/Views"
import { ItemRepository } from "@pillivery/application/ports/ItemRepository"
import { StorageError } from "@pillivery/application/ports/StorageError"
import { ViewCounter } from "@pillivery/application/ports/ViewCounter"
import * as Fixtures from "@pillivery/domain/testing/Fixtures"
import { DateTime, Effect, Layer, Option } from "effect"
import { TestClock } from "effect/testing"

const layer = Views.layer.pipe(Layer.provideMerge(Memory.layer))

const item = Fixtures.item({}, "seen")
const other = Fixtures.item({}, "other")
const viewsOf = (id: typeof item.id) =>
  Effect.gen(function* () {
    return Option.getOrThrow(yield* (yield* ItemRepository).findById(id)).statistics.views
  })

/** Noon in Korea of a day in March. */
const noon = (day: number) => DateTime.toEpochMillis(DateTime.makeUnsafe(`2026-03-0${day}T03:00:00Z`))
const minutes = (count: number) => count * 60 * 1_000

const open = Effect.gen(function* () {
  yield* TestClock.setTime(noon(1))
  yield* (yield* ItemRepository).insert([item, other])
})

describe("views", () => {
  it.effect("FC9: are the visitors of the item that was looked at, once a day, added after the night", () =>
    Effect.gen(function* () {
      yield* open
      const views = yield* Views.Views
      for (const visitor of ["203.0.113.1", "203.0.113.2", "203.0.113.1", null]) views.note(item.id, visitor)
      yield* TestClock.adjust(Views.gatherFor)
      views.note(item.id, "203.0.113.2")
      yield* TestClock.adjust(Views.gatherFor)
      assert.strictEqual(yield* Views.flushViews(), 0)
      // One minute before two in the morning nothing is added, at two it is.
      yield* TestClock.setTime(noon(1) + minutes(14 * 60 - 1))
      assert.strictEqual(yield* Views.flushViews(), 0)
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(yield* Views.flushViews(), 1)
      assert.strictEqual(yield* Views.flushViews(), 0)
      assert.deepStrictEqual(
        [yield* viewsOf(item.id), yield* viewsOf(other.id)],
        [item.statistics.views + 2, other.statistics.views]
      )
    }).pipe(Effect.provide(layer))
  )

  it.effect("are added once though a flush died before it could forget the day", () =>
    Effect.gen(function* () {
      yield* open
      const counter = yield* ViewCounter
      yield* counter.count(Fixtures.day("2026-03-01"), [{ itemId: item.id, visitor: "a" }])
      yield* TestClock.setTime(noon(2))
      const gone = new StorageError({ operation: "forget", reason: "unavailable", cause: new Error("gone") })
      const died = Views.flushViews().pipe(
        Effect.provideService(ViewCounter, { ...counter, forget: () => Effect.fail(gone) })
      )
      assert.strictEqual((yield* Effect.flip(died))._tag, "StorageError")
      assert.strictEqual(yield* Views.flushViews(), 1)
      assert.strictEqual(yield* viewsOf(item.id), item.statistics.views + 1)
      assert.deepStrictEqual(yield* counter.days, [])
    }).pipe(Effect.provide(layer))
  )

  it.effect("that cannot be counted are dropped, and trouble nobody", () =>
    Effect.gen(function* () {
      yield* open
      const views = yield* Views.Views
      views.note(item.id, "a")
      yield* TestClock.adjust(Views.gatherFor)
      views.note(item.id, "b")
      yield* TestClock.adjust(Views.gatherFor)
      yield* TestClock.setTime(noon(2))
      assert.strictEqual(yield* Views.flushViews(), 0)
    }).pipe(
      Effect.provide(
        Views.layer.pipe(
          Layer.provideMerge(
            Layer.effect(
              ViewCounter,
              Effect.map(ViewCounter, (counter) => ({
                ...counter,
                count: () =>
                  Effect.fail(new StorageError({ operation: "count", reason: "unavailable", cause: new Error("gone") }))
              }))
            )
          ),
          Layer.provideMerge(Memory.layer)
        )
      )
    )
  )

  it.effect("are gathered up to a bound", () =>
    Effect.gen(function* () {
      yield* open
      const views = yield* Views.Views
      for (let visitor = 0; visitor < Views.gatheredMax + 5; visitor++) views.note(item.id, String(visitor))
      yield* TestClock.adjust(Views.gatherFor)
      yield* TestClock.setTime(noon(2))
      yield* Views.flushViews()
      assert.strictEqual(yield* viewsOf(item.id), item.statistics.views + Views.gatheredMax)
    }).pipe(Effect.provide(layer))
  )
})
