/**
 * The contracts of `ViewCounter` and `ViewLedger`.
 *
 * @since 0.1.0
 */
import { assert } from "@effect/vitest"
import { BusinessDate } from "@pillivery/domain/BusinessDate"
import { ItemId } from "@pillivery/domain/Ids"
import * as Fixtures from "@pillivery/domain/testing/Fixtures"
import { Effect, Option } from "effect"
import type { IdGenerator } from "../ports/IdGenerator.ts"
import { ItemRepository } from "../ports/ItemRepository.ts"
import { Transaction } from "../ports/Transaction.ts"
import { ViewCounter, ViewLedger } from "../ports/ViewCounter.ts"
import { failsWith, freshSeed, law, type Law, suiteOf } from "./Law.ts"

const visitorsCount = 500
// What an estimate of so many visitors may be off by: four times the standard error of HyperLogLog.
const errorMax = 0.04
const rivalsCount = 8
const one = BusinessDate.make("2026-03-01")
const two = BusinessDate.make("2026-03-02")

const freshItem = Effect.map(freshSeed, (seed) => ItemId.make(seed))

const viewsOf = (day: BusinessDate, itemId: ItemId) =>
  Effect.map(
    Effect.flatMap(ViewCounter, (counter) => counter.viewsOf(day)),
    (views) => views.filter((each) => each.itemId === itemId).map(({ views }) => views)
  )

/** Everything a `ViewCounter` promises. */
export const counterLaws = (): ReadonlyArray<Law<ViewCounter | IdGenerator>> => [
  law(
    "counts each visitor of an item and day once, whenever and however often it comes",
    Effect.gen(function* () {
      const counter = yield* ViewCounter
      const [seen, other] = [yield* freshItem, yield* freshItem]
      yield* counter.count(one, [])
      yield* counter.count(one, [
        { itemId: seen, visitor: "203.0.113.1" },
        { itemId: seen, visitor: "203.0.113.2" },
        { itemId: seen, visitor: "203.0.113.1" },
        { itemId: other, visitor: "203.0.113.1" }
      ])
      yield* counter.count(one, [{ itemId: seen, visitor: "203.0.113.2" }])
      yield* counter.count(two, [{ itemId: seen, visitor: "203.0.113.2" }])
      assert.deepStrictEqual(yield* viewsOf(one, seen), [2])
      assert.deepStrictEqual(yield* viewsOf(one, other), [1])
      assert.deepStrictEqual(yield* viewsOf(two, seen), [1])
      assert.deepStrictEqual(yield* viewsOf(one, yield* freshItem), [])
      const days = yield* counter.days
      assert.includeMembers([...days], [one, two])
      assert.deepStrictEqual(days, days.toSorted())
    })
  ),

  law(
    "is about right for many visitors",
    Effect.gen(function* () {
      const counter = yield* ViewCounter
      const itemId = yield* freshItem
      const visitors = Array.from({ length: visitorsCount }, (_, index) => `visitor ${index}`)
      yield* counter.count(
        one,
        visitors.map((visitor) => ({ itemId, visitor }))
      )
      const [count = 0] = yield* viewsOf(one, itemId)
      assert.approximately(count, visitorsCount, visitorsCount * errorMax)
    })
  ),

  law(
    "forgets a day, and no other",
    Effect.gen(function* () {
      const counter = yield* ViewCounter
      const day = BusinessDate.make("2026-03-09")
      const itemId = yield* freshItem
      yield* counter.count(day, [{ itemId, visitor: "a" }])
      yield* counter.count(two, [{ itemId, visitor: "a" }])
      yield* counter.forget(day)
      yield* counter.forget(day)
      assert.notInclude(yield* counter.days, day)
      assert.deepStrictEqual(yield* viewsOf(day, itemId), [])
      assert.deepStrictEqual(yield* viewsOf(two, itemId), [1])
    })
  )
]

/** What the laws of the ledger need. */
export type LedgerRequirements = ViewLedger | ItemRepository | Transaction | IdGenerator

const insertItem = Effect.gen(function* () {
  const item = Fixtures.item({}, yield* freshSeed)
  yield* (yield* ItemRepository).insert([item])
  return item
})

const storedViews = (id: ItemId) =>
  Effect.gen(function* () {
    return Option.getOrThrow(yield* (yield* ItemRepository).findById(id)).statistics.views
  })

/** Everything a `ViewLedger` promises. */
export const ledgerLaws = (): ReadonlyArray<Law<LedgerRequirements>> => [
  law(
    "adds a day's views to an item once, however often and by how many at once it is told to",
    Effect.gen(function* () {
      const ledger = yield* ViewLedger
      const { id: itemId, statistics } = yield* insertItem
      const add = ledger.add(one, [{ itemId, views: 7 }])
      yield* Effect.forEach(Array.from({ length: rivalsCount }), () => add, { concurrency: "unbounded" })
      yield* ledger.add(one, [{ itemId, views: 100 }])
      assert.strictEqual(yield* storedViews(itemId), statistics.views + 7)
      yield* ledger.add(two, [{ itemId, views: 1 }])
      assert.strictEqual(yield* storedViews(itemId), statistics.views + 8)
    })
  ),

  law(
    "adds to several items, passes over one that is gone, and leaves the rest of an item alone",
    Effect.gen(function* () {
      const ledger = yield* ViewLedger
      const [first, second] = [yield* insertItem, yield* insertItem]
      yield* ledger.add(one, [])
      yield* ledger.add(one, [
        { itemId: first.id, views: 2 },
        { itemId: yield* freshItem, views: 9 },
        { itemId: second.id, views: 3 }
      ])
      assert.strictEqual(yield* storedViews(first.id), first.statistics.views + 2)
      assert.strictEqual(yield* storedViews(second.id), second.statistics.views + 3)
      const found = Option.getOrThrow(yield* (yield* ItemRepository).findById(first.id))
      assert.deepStrictEqual(
        [found.version, found.statistics.sales, found.information],
        [first.version, first.statistics.sales, first.information]
      )
    })
  ),

  law(
    "adds in the transaction around it",
    Effect.gen(function* () {
      const ledger = yield* ViewLedger
      const { run } = yield* Transaction
      const { id: itemId, statistics } = yield* insertItem
      const add = ledger.add(one, [{ itemId, views: 7 }])
      yield* failsWith("Unwanted", run(Effect.andThen(add, Effect.fail({ _tag: "Unwanted" as const }))))
      assert.strictEqual(yield* storedViews(itemId), statistics.views)
      yield* run(add)
      assert.strictEqual(yield* storedViews(itemId), statistics.views + 7)
    })
  )
]

/** Runs the laws of a counter against a layer. */
export const counterSuite = suiteOf<ViewCounter | IdGenerator>("ViewCounter", counterLaws)

/** Runs the laws of a ledger against a layer. */
export const ledgerSuite = suiteOf<LedgerRequirements>("ViewLedger", ledgerLaws)
