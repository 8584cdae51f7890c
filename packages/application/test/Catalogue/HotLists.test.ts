import * as Memory from "@pillivery/adapters-memory/Memory"
import { assert, describe, it } from "@effect/vitest"
import * as HotLists from "@pillivery/application/Catalogue/HotLists"
import { CatalogueChanges } from "@pillivery/application/ports/CatalogueChanges"
import { ItemRepository } from "@pillivery/application/ports/ItemRepository"
import { StorageError } from "@pillivery/application/ports/StorageError"
import * as Fixtures from "@pillivery/domain/testing/Fixtures"
import { Context, Deferred, Effect, Fiber, Layer } from "effect"
import { TestClock } from "effect/testing"

/** How often the catalogue was searched, and what happens before it is. */
class Searches extends Context.Service<Searches, { count: number; before: Effect.Effect<void, StorageError> }>()(
  "test/Searches"
) {}

const counted = Layer.effect(
  ItemRepository,
  Effect.gen(function* () {
    const items = yield* ItemRepository
    const searches = yield* Searches
    yield* items.insert([Fixtures.item({}, "1"), Fixtures.item({}, "2")])
    return ItemRepository.of({
      ...items,
      search: (query, page) =>
        Effect.suspend(() => {
          searches.count++
          return Effect.andThen(searches.before, items.search(query, page))
        })
    })
  })
)

const layer = HotLists.layer.pipe(
  Layer.provideMerge(counted),
  Layer.provideMerge(Layer.sync(Searches, () => ({ count: 0, before: Effect.void }))),
  Layer.provideMerge(Memory.layer)
)

const page = { page: 1, size: 8 }
const search = Effect.flatMap(HotLists.HotLists, (lists) => lists.search({ sort: "SALES" }, page))
const searched = Effect.map(Searches, ({ count }) => count)
const outlived = HotLists.keptMillis * (1 + HotLists.jitterPercent / 100)

describe("a hot list", () => {
  it.effect("is read once while its time lasts, and again when it is over", () =>
    Effect.gen(function* () {
      const first = yield* search
      assert.lengthOf(first.data, 2)
      assert.deepStrictEqual(yield* search, first)
      assert.strictEqual(yield* searched, 1)
      yield* TestClock.adjust(outlived)
      yield* search
      assert.strictEqual(yield* searched, 2)
    }).pipe(Effect.provide(layer))
  )

  it.effect("is read once for all who ask at the same moment", () =>
    Effect.gen(function* () {
      const searches = yield* Searches
      const gate = yield* Deferred.make<void>()
      searches.before = Deferred.await(gate)
      const asking = yield* Effect.forkChild(
        Effect.forEach(Array.from({ length: 50 }), () => search, { concurrency: "unbounded" })
      )
      yield* TestClock.adjust(1)
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.join(asking)
      assert.strictEqual(searches.count, 1)
    }).pipe(Effect.provide(layer))
  )

  it.effect("is another one for another order, page, size or category", () =>
    Effect.gen(function* () {
      const lists = yield* HotLists.HotLists
      const asked = [
        lists.search({ sort: "SALES" }, page),
        lists.search({ sort: "PRICE_L" }, page),
        lists.search({ sort: "SALES" }, { page: 2, size: 8 }),
        lists.search({ sort: "SALES" }, { page: 1, size: 9 }),
        lists.search({ sort: "SALES", category: "EYE" }, page),
        lists.search({ sort: "SALES", onSale: true }, page)
      ]
      yield* Effect.all([...asked, ...asked])
      assert.strictEqual(yield* searched, asked.length)
    }).pipe(Effect.provide(layer))
  )

  it.effect("is renewed while it is still answered, so that nobody waits", () =>
    Effect.gen(function* () {
      const searches = yield* Searches
      const before = yield* search
      // Loading it again never ends: who had to wait for it would wait for ever.
      searches.before = Effect.never
      for (let seconds = 0; seconds < outlived / 1_000 && searches.count === 1; seconds++) {
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(yield* search, before)
      }
      assert.deepStrictEqual(yield* search, before)
      assert.strictEqual(searches.count, 2)
    }).pipe(Effect.provide(layer))
  )

  it.effect("is dropped on every server when the catalogue changes", () =>
    Effect.gen(function* () {
      const items = yield* ItemRepository
      const { announce } = yield* CatalogueChanges
      yield* search
      yield* items.insert([Fixtures.item({}, "3")])
      assert.lengthOf((yield* search).data, 2)
      yield* announce
      yield* TestClock.adjust(1)
      assert.lengthOf((yield* search).data, 3)
    }).pipe(Effect.provide(layer))
  )

  it.effect("that was being read when the catalogue changed is not kept", () =>
    Effect.gen(function* () {
      const searches = yield* Searches
      const { announce } = yield* CatalogueChanges
      const gate = yield* Deferred.make<void>()
      searches.before = Deferred.await(gate)
      const asking = yield* Effect.forkChild(search)
      yield* TestClock.adjust(1)
      yield* announce
      yield* TestClock.adjust(1)
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.join(asking)
      yield* search
      assert.strictEqual(searches.count, 2)
    }).pipe(Effect.provide(layer))
  )

  it.effect("that could not be read is asked for again", () =>
    Effect.gen(function* () {
      const searches = yield* Searches
      searches.before = Effect.fail(
        new StorageError({ operation: "search", reason: "unavailable", cause: new Error("gone") })
      )
      assert.strictEqual((yield* Effect.flip(search))._tag, "StorageError")
      searches.before = Effect.void
      assert.lengthOf((yield* search).data, 2)
    }).pipe(Effect.provide(layer))
  )

  it.effect("FC10: is not made of what few ask for, and a late page is read, not refused", () =>
    Effect.gen(function* () {
      const lists = yield* HotLists.HotLists
      const asked = [
        lists.search({ sort: "SALES" }, { page: HotLists.pageKeptMax + 1, size: 8 }),
        lists.search({ sort: "SALES", keyword: "비타민" }, page),
        lists.search({ sort: "SALES", brand: "b" }, page),
        lists.search({ sort: "SALES", priceMin: 1 }, page),
        lists.search({ sort: "SALES", priceMax: 1 }, page)
      ]
      const answers = yield* Effect.all([...asked, ...asked])
      assert.strictEqual(answers[0]?.totalElements, 2)
      assert.strictEqual(yield* searched, asked.length * 2)
    }).pipe(Effect.provide(layer))
  )
})

describe("the main page", () => {
  it.effect("is kept like a list, and dropped with them", () =>
    Effect.gen(function* () {
      const { main } = yield* HotLists.HotLists
      yield* main
      const once = yield* searched
      yield* main
      assert.strictEqual(yield* searched, once)
      yield* (yield* CatalogueChanges).announce
      yield* TestClock.adjust(1)
      yield* main
      assert.strictEqual(yield* searched, once * 2)
    }).pipe(Effect.provide(layer))
  )
})
