/**
 * The contract of `SalesLedger`.
 *
 * @since 0.1.0
 */
import { assert } from "@effect/vitest"
import type { ItemId } from "@pillivery/domain/Ids"
import * as Item from "@pillivery/domain/Item"
import * as Fixtures from "@pillivery/domain/testing/Fixtures"
import { Effect, Option } from "effect"
import type { IdGenerator } from "../ports/IdGenerator.ts"
import { ItemRepository } from "../ports/ItemRepository.ts"
import { SalesLedger } from "../ports/SalesLedger.ts"
import { Transaction } from "../ports/Transaction.ts"
import { failsWith, freshSeed, law, type Law, suiteOf } from "./Law.ts"

/** What the laws of this port need. */
export type Requirements = SalesLedger | ItemRepository | Transaction | IdGenerator

const foldLimit = 1_000
const foldsMax = 1_000
const rivalsCount = 8

/** Folds until nothing is left. */
const foldAll = (limit: number) =>
  Effect.gen(function* () {
    const sales = yield* SalesLedger
    for (let fold = 0; fold < foldsMax; fold++) {
      const folded = yield* sales.fold(limit)
      assert.isAtMost(folded, limit)
      if (folded === 0) return
    }
    assert.fail("there is always something left to fold")
  })

const salesOf = (id: ItemId) =>
  Effect.gen(function* () {
    return Option.getOrThrow(yield* (yield* ItemRepository).findById(id)).statistics.sales
  })

/** An item that was sold so often before. */
const itemWith = (sold: number) =>
  Effect.gen(function* () {
    const item = Fixtures.item({}, yield* freshSeed)
    const statistics = new Item.Statistics({ ...item.statistics, views: 5, sales: sold, ratingSum: 9, ratingCount: 2 })
    yield* (yield* ItemRepository).insert([new Item.Item({ ...item, statistics })])
    return item.id
  })

/** Everything a `SalesLedger` promises. */
export const laws = (): ReadonlyArray<Law<Requirements>> => [
  law(
    "adds sales to the items' statistics when they are folded, and only then",
    Effect.gen(function* () {
      const sales = yield* SalesLedger
      const [one, two] = [yield* itemWith(100), yield* itemWith(0)]
      const cause = yield* freshSeed
      yield* foldAll(foldLimit)
      yield* sales.record([
        { cause: `${cause}/1`, itemId: one, quantity: 3 },
        { cause: `${cause}/2`, itemId: one, quantity: 4 },
        { cause: `${cause}/2`, itemId: two, quantity: 5 }
      ])
      yield* foldAll(foldLimit)
      assert.deepStrictEqual([yield* salesOf(one), yield* salesOf(two)], [107, 5])
      const { statistics } = Option.getOrThrow(yield* (yield* ItemRepository).findById(one))
      assert.deepStrictEqual({ ...statistics }, { views: 5, sales: 107, ratingSum: 9, ratingCount: 2 })
    })
  ),

  law(
    "folds each row once",
    Effect.gen(function* () {
      const sales = yield* SalesLedger
      const itemId = yield* itemWith(0)
      yield* sales.record([{ cause: yield* freshSeed, itemId, quantity: 3 }])
      yield* foldAll(1)
      yield* foldAll(foldLimit)
      assert.strictEqual(yield* sales.fold(foldLimit), 0)
      assert.strictEqual(yield* salesOf(itemId), 3)
    })
  ),

  law(
    "records a cause once for each item, before and after it was folded",
    Effect.gen(function* () {
      const sales = yield* SalesLedger
      const [one, two] = [yield* itemWith(0), yield* itemWith(0)]
      const cause = yield* freshSeed
      const sale = { cause, itemId: one, quantity: 3 }
      yield* sales.record([sale, sale])
      yield* sales.record([{ ...sale, quantity: 9 }])
      yield* foldAll(foldLimit)
      yield* sales.record([sale, { ...sale, itemId: two }])
      yield* foldAll(foldLimit)
      assert.deepStrictEqual([yield* salesOf(one), yield* salesOf(two)], [3, 3])
    })
  ),

  law(
    "takes back what was returned",
    Effect.gen(function* () {
      const sales = yield* SalesLedger
      const itemId = yield* itemWith(0)
      const cause = yield* freshSeed
      yield* sales.record([{ cause, itemId, quantity: 5 }])
      yield* foldAll(foldLimit)
      yield* sales.record([{ cause: `${cause}/refund`, itemId, quantity: -2 }])
      yield* foldAll(foldLimit)
      assert.strictEqual(yield* salesOf(itemId), 3)
    })
  ),

  law(
    "records in the transaction around it",
    Effect.gen(function* () {
      const sales = yield* SalesLedger
      const { run } = yield* Transaction
      const itemId = yield* itemWith(0)
      const sale = { cause: yield* freshSeed, itemId, quantity: 5 }
      yield* failsWith(
        "Unwanted",
        run(Effect.andThen(sales.record([sale]), Effect.fail({ _tag: "Unwanted" as const })))
      )
      yield* foldAll(foldLimit)
      assert.strictEqual(yield* salesOf(itemId), 0)
      yield* run(sales.record([sale]))
      yield* foldAll(foldLimit)
      assert.strictEqual(yield* salesOf(itemId), 5)
    })
  ),

  law(
    "adds every row once, however many fold at the same time",
    Effect.gen(function* () {
      const sales = yield* SalesLedger
      const itemId = yield* itemWith(0)
      const cause = yield* freshSeed
      yield* sales.record(
        Array.from({ length: 40 }, (_, index) => ({ cause: `${cause}/${index}`, itemId, quantity: index + 1 }))
      )
      yield* Effect.forEach(
        Array.from({ length: rivalsCount }, () => sales.fold(7)),
        (fold) => fold,
        { concurrency: "unbounded", discard: true }
      )
      yield* foldAll(foldLimit)
      assert.strictEqual(yield* salesOf(itemId), 820)
    })
  ),

  law(
    "is not held up by an item that is gone",
    Effect.gen(function* () {
      const sales = yield* SalesLedger
      const itemId = yield* itemWith(0)
      const cause = yield* freshSeed
      const gone = Fixtures.anyItemId(yield* freshSeed)
      yield* sales.record([{ cause, itemId: gone, quantity: 1 }])
      yield* sales.record([{ cause, itemId, quantity: 2 }])
      yield* foldAll(1)
      assert.strictEqual(yield* salesOf(itemId), 2)
    })
  ),

  law(
    "records no sales without complaint",
    Effect.gen(function* () {
      yield* (yield* SalesLedger).record([])
    })
  )
]

/** Runs the laws against a layer. */
export const suite = suiteOf<Requirements>("SalesLedger", laws)
