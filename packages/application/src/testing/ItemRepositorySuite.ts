/**
 * The contract of `ItemRepository`.
 *
 * @since 0.1.0
 */
import { assert } from "@effect/vitest"
import * as Item from "@pillivery/domain/Item"
import * as Rate from "@pillivery/domain/Rate"
import * as Fixtures from "@pillivery/domain/testing/Fixtures"
import { Effect, Option, Schema } from "effect"
import type { IdGenerator } from "../ports/IdGenerator.ts"
import { type ItemQuery, ItemRepository, ItemSort } from "../ports/ItemRepository.ts"
import { Transaction } from "../ports/Transaction.ts"
import { countOf, endsOf, failsWith, freshSeed, freshSeeds, law, type Law, sameBy, suiteOf } from "./Law.ts"

/** What the laws of this port need. */
export type Requirements = ItemRepository | Transaction | IdGenerator

const rivalsCount = 8
const firstPage = { page: 1, size: 8 }
const sameItem = sameBy(Schema.encodeSync(Schema.toCodecJson(Item.Item)))

const withStatistics = (item: Item.Item, statistics: Partial<typeof Item.Statistics.Type>): Item.Item =>
  new Item.Item({ ...item, statistics: new Item.Statistics({ ...item.statistics, ...statistics }) })

/** Some items under a brand of their own, which keeps them apart from whatever else is there. */
const catalogue = Effect.fnUntraced(function* (make: ReadonlyArray<(seed: string, brand: string) => Item.Item>) {
  const items = yield* ItemRepository
  const brand = `온결바이오 ${yield* freshSeed}`
  const seeds = yield* freshSeeds(make.length)
  const all = make.map((make, index) => make(seeds[index] ?? "", brand))
  yield* items.insert(all)
  const find = (query: Partial<ItemQuery>) =>
    Effect.map(
      items.search({ sort: "PRICE_L", brand, ...query }, { page: 1, size: 100 }),
      ({ data, totalElements }) => {
        assert.strictEqual(totalElements, data.length)
        return data.map(({ id }) => all.findIndex((item) => item.id === id))
      }
    )
  return { all, brand, find }
})

const named = (productName: string) => (seed: string, brand: string) => Fixtures.item({ productName, brand }, seed)
const priced =
  (origin: number, percent = 0) =>
  (seed: string, brand: string) =>
    Fixtures.item({ origin: Fixtures.won(origin), rate: Fixtures.percent(percent), brand }, seed)

/** Everything an `ItemRepository` promises. */
export const laws = (): ReadonlyArray<Law<Requirements>> => [
  law(
    "finds what was inserted",
    Effect.gen(function* () {
      const items = yield* ItemRepository
      const [plain, rich] = yield* freshSeeds(2)
      const item = Fixtures.item({}, plain)
      const other = withStatistics(
        Fixtures.item(
          {
            productName: "오메가-3 100% 🐟 \"'`\\",
            mainFunction: "눈과 뼈와 간, 항산화와 피로에",
            rate: Fixtures.percent(33.3),
            origin: Fixtures.won(99_999_999_999)
          },
          rich
        ),
        { views: 1_000_000, sales: 3, ratingSum: 14, ratingCount: 3 }
      )
      assert.isTrue(Option.isNone(yield* items.findById(item.id)))
      yield* items.insert([item, other])
      sameItem(Option.getOrThrow(yield* items.findById(item.id)), item)
      sameItem(Option.getOrThrow(yield* items.findById(other.id)), other)
    })
  ),

  law(
    "inserts all items or, when one is there already, none",
    Effect.gen(function* () {
      const items = yield* ItemRepository
      const [there, fresh] = [Fixtures.item({}, yield* freshSeed), Fixtures.item({}, yield* freshSeed)]
      yield* items.insert([there])
      yield* failsWith("AlreadyExists", items.insert([fresh, there]))
      assert.isTrue(Option.isNone(yield* items.findById(fresh.id)))
      yield* items.insert([])
    })
  ),

  law(
    "lets one of many rivals insert",
    Effect.gen(function* () {
      const items = yield* ItemRepository
      const item = Fixtures.item({}, yield* freshSeed)
      const ends = yield* endsOf(Array.from({ length: rivalsCount }, () => items.insert([item])))
      assert.strictEqual(countOf(ends, "success"), 1)
      assert.strictEqual(countOf(ends, "AlreadyExists"), rivalsCount - 1)
    })
  ),

  law(
    "inserts in the transaction around it",
    Effect.gen(function* () {
      const items = yield* ItemRepository
      const { run } = yield* Transaction
      const item = Fixtures.item({}, yield* freshSeed)
      yield* failsWith(
        "Unwanted",
        run(Effect.andThen(items.insert([item]), Effect.fail({ _tag: "Unwanted" as const })))
      )
      assert.isTrue(Option.isNone(yield* items.findById(item.id)))
    })
  ),

  law(
    "finds those of some ids that exist, each once",
    Effect.gen(function* () {
      const items = yield* ItemRepository
      const seeds = yield* freshSeeds(3)
      yield* items.insert(seeds.map((seed) => Fixtures.item({}, seed)))
      const ids = seeds.map((seed) => Fixtures.anyItemId(seed))
      const missing = Fixtures.anyItemId(yield* freshSeed)
      const [first = missing] = ids
      const found = yield* items.findByIds([...ids, missing, first])
      assert.sameMembers(
        found.map(({ id }) => id),
        ids
      )
      assert.deepStrictEqual(yield* items.findByIds([]), [])
      assert.deepStrictEqual(yield* items.findByIds([missing]), [])
    })
  ),

  law(
    "changes label, price and categories of items, finds them by their new names alone, and leaves what is counted",
    Effect.gen(function* () {
      const items = yield* ItemRepository
      const [before, other] = [Fixtures.item({}, yield* freshSeed), Fixtures.item({}, yield* freshSeed)]
      const statistics = new Item.Statistics({ views: 5, sales: 7, ratingSum: 9, ratingCount: 2 })
      yield* items.insert([new Item.Item({ ...before, statistics }), other])
      const productName = `새로운 ${yield* freshSeed}`
      const information = new Item.Information({ ...before.information, productName, mainFunction: "눈 건강" })
      const changed = Item.reprice(Item.relabel(before, information), Fixtures.won(5_000), Rate.Rate.make(100))
      yield* items.update([changed, other])
      const found = Option.getOrThrow(yield* items.findById(before.id))
      assert.deepStrictEqual(
        [found.information.productName, found.price.real, found.categories, found.version],
        [productName, 4_500, ["EYE"], 1]
      )
      assert.deepStrictEqual({ ...found.statistics }, { ...statistics })
      const named = (keyword: string) =>
        Effect.map(items.search({ keyword, sort: "SALES" }, firstPage), ({ totalElements }) => totalElements)
      assert.strictEqual(yield* named(productName), 1)
      const byCategory = yield* items.search({ keyword: productName, category: "EYE", sort: "SALES" }, firstPage)
      assert.strictEqual(byCategory.totalElements, 1)
      assert.strictEqual(Option.getOrThrow(yield* items.findById(other.id)).version, 1)
    })
  ),

  law(
    "changes all of some items or, when one was changed since, none",
    Effect.gen(function* () {
      const items = yield* ItemRepository
      const [one, two] = [Fixtures.item({}, yield* freshSeed), Fixtures.item({}, yield* freshSeed)]
      yield* items.insert([one, two])
      yield* items.update([two])
      yield* failsWith("StaleWrite", items.update([Item.reprice(one, Fixtures.won(1_000), Rate.Rate.make(0)), two]))
      yield* failsWith("StaleWrite", items.update([Fixtures.item({}, yield* freshSeed)]))
      const found = Option.getOrThrow(yield* items.findById(one.id))
      assert.deepStrictEqual([found.price.real, found.version], [one.price.real, 0])
      yield* items.update([])
    })
  ),

  law(
    "lists each brand once, by name, with its items",
    Effect.gen(function* () {
      const items = yield* ItemRepository
      const seed = yield* freshSeed
      const brands = [`${seed} 나`, `${seed} 가`, `${seed} 나`, `${seed} a`]
      const added = yield* Effect.forEach(brands, (brand) =>
        Effect.map(freshSeed, (seed) => {
          const item = Fixtures.item({}, seed)
          return Item.relabel(item, new Item.Information({ ...item.information, brand }))
        })
      )
      yield* items.insert(added)
      const pages = yield* Effect.forEach([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], (page) =>
        items.listBrands({ page, size: 100 })
      )
      const listed = pages.flatMap(({ data }) => data)
      assert.strictEqual(listed.length, Math.min(1_000, pages[0]?.totalElements ?? 0))
      assert.deepStrictEqual(
        listed.filter(({ name }) => name.startsWith(seed)),
        [
          { name: `${seed} a`, items: 1 },
          { name: `${seed} 가`, items: 1 },
          { name: `${seed} 나`, items: 2 }
        ]
      )
    })
  ),

  law(
    "counts the items",
    Effect.gen(function* () {
      const items = yield* ItemRepository
      const before = yield* items.count
      yield* items.insert((yield* freshSeeds(3)).map((seed) => Fixtures.item({}, seed)))
      assert.strictEqual(yield* items.count, before + 3)
    })
  ),

  law(
    "finds by any part of the name, in any case",
    Effect.gen(function* () {
      const { find } = yield* catalogue(["루테인 지아잔틴", "Omega-3 오메가", "밀크씨슬"].map(named))
      assert.deepStrictEqual(yield* find({ keyword: "루테" }), [0])
      assert.deepStrictEqual(yield* find({ keyword: "인 지" }), [0])
      assert.deepStrictEqual(yield* find({ keyword: "잔틴" }), [0])
      assert.deepStrictEqual(yield* find({ keyword: "omega-3" }), [1])
      assert.deepStrictEqual(yield* find({ keyword: "OMEGA" }), [1])
      assert.deepStrictEqual(yield* find({ keyword: "밀크씨슬" }), [2])
      assert.deepStrictEqual(yield* find({ keyword: "틴루" }), [])
      assert.deepStrictEqual(yield* find({ keyword: "루테인 지아잔틴 " }), [])
    })
  ),

  law(
    "takes every character of a keyword as it is",
    Effect.gen(function* () {
      const { find } = yield* catalogue(["비타민 100%", "비타민 100", "비타민_C", "비타민XC", "아연\\\"'"].map(named))
      assert.deepStrictEqual(yield* find({ keyword: "0%" }), [0])
      assert.deepStrictEqual(yield* find({ keyword: "민_C" }), [2])
      assert.deepStrictEqual(yield* find({ keyword: "연\\\"'" }), [4])
      assert.deepStrictEqual(yield* find({ keyword: "%%" }), [])
    })
  ),

  law(
    "finds by category, whichever of its categories it is",
    Effect.gen(function* () {
      const { find } = yield* catalogue(
        ["눈 건강", "뼈와 눈", "모름"].map(
          (mainFunction) => (seed, brand) => Fixtures.item({ mainFunction, brand }, seed)
        )
      )
      assert.sameMembers(yield* find({ category: "EYE" }), [0, 1])
      assert.deepStrictEqual(yield* find({ category: "BONE" }), [1])
      assert.deepStrictEqual(yield* find({ category: "ETC" }), [2])
      assert.deepStrictEqual(yield* find({ category: "LIVER" }), [])
    })
  ),

  law(
    "finds by brand and by what is sold at a discount",
    Effect.gen(function* () {
      const { all, find } = yield* catalogue([priced(1_000), priced(2_000, 10)])
      assert.deepStrictEqual(yield* find({ onSale: true }), [1])
      assert.deepStrictEqual(yield* find({}), [0, 1])
      assert.deepStrictEqual(yield* find({ brand: `${all[0]?.information.brand} 2` }), [])
    })
  ),

  law(
    "finds by the price to be paid, both bounds included and each optional",
    Effect.gen(function* () {
      const { find } = yield* catalogue([priced(1_000), priced(2_000), priced(4_000, 25), priced(4_000)])
      assert.deepStrictEqual(yield* find({ priceMin: 2_000 }), [1, 2, 3])
      assert.deepStrictEqual(yield* find({ priceMax: 3_000 }), [0, 1, 2])
      assert.deepStrictEqual(yield* find({ priceMin: 3_000, priceMax: 3_000 }), [2])
      assert.deepStrictEqual(yield* find({ priceMin: 3_001, priceMax: 3_999 }), [])
      assert.deepStrictEqual(yield* find({ priceMin: 0, priceMax: 0 }), [])
    })
  ),

  law(
    "wants every condition at once",
    Effect.gen(function* () {
      const make = (productName: string, mainFunction: string, percent: number) => (seed: string, brand: string) =>
        Fixtures.item({ productName, mainFunction, rate: Fixtures.percent(percent), brand }, seed)
      const { find } = yield* catalogue([
        make("루테인", "눈", 10),
        make("루테인", "뼈", 10),
        make("루테인", "눈", 0),
        make("칼슘", "눈", 10)
      ])
      const query: Partial<ItemQuery> = { keyword: "루테", category: "EYE", onSale: true, priceMin: 1, priceMax: 9_000 }
      assert.deepStrictEqual(yield* find(query), [0])
    })
  ),

  law(
    "orders by each sort, ties by id",
    Effect.gen(function* () {
      const made =
        (origin: number, percent: number, sales: number, ratingCount: number) => (seed: string, brand: string) =>
          withStatistics(priced(origin, percent)(seed, brand), { sales, ratingCount, ratingSum: ratingCount * 3 })
      const { all, find } = yield* catalogue([
        made(1_000, 10, 7, 0),
        made(2_000, 50, 9, 2),
        made(3_000, 0, 0, 2),
        made(1_000, 10, 8, 5)
      ])
      // Ids follow from seeds in no order.
      const tied = (...indexes: ReadonlyArray<number>) =>
        [...indexes].sort((self, that) => ((all[self]?.id ?? "") < (all[that]?.id ?? "") ? -1 : 1))
      const expected: Readonly<Record<ItemSort, ReadonlyArray<number>>> = {
        SALES: [1, 3, 0, 2],
        PRICE_H: [2, 1, ...tied(0, 3)],
        PRICE_L: [...tied(0, 3), 1, 2],
        DISCOUNT_RATE_H: [1, ...tied(0, 3), 2],
        DISCOUNT_RATE_L: [2, ...tied(0, 3), 1],
        REVIEW_COUNT: [3, ...tied(1, 2), 0]
      }
      for (const sort of ItemSort.literals) assert.deepStrictEqual(yield* find({ sort }), [...expected[sort]], sort)
    })
  ),

  law(
    "answers pages that neither overlap nor leave out, and how many there are in all",
    Effect.gen(function* () {
      const items = yield* ItemRepository
      const { all, brand } = yield* catalogue(Array.from({ length: 7 }, () => priced(1_000)))
      const pages = yield* Effect.forEach([1, 2, 3, 4], (page) =>
        items.search({ brand, sort: "SALES" }, { page, size: 3 })
      )
      assert.deepStrictEqual(
        pages.map(({ data }) => data.length),
        [3, 3, 1, 0]
      )
      assert.deepStrictEqual(
        pages.map(({ totalElements }) => totalElements),
        [7, 7, 7, 7]
      )
      const ids = pages.flatMap(({ data }) => data.map(({ id }) => id))
      assert.deepStrictEqual(ids, all.map(({ id }) => id).sort())
    })
  ),

  law(
    "adds to the ratings of an item and takes from them, and touches nothing else",
    Effect.gen(function* () {
      const items = yield* ItemRepository
      const item = withStatistics(Fixtures.item({}, yield* freshSeed), { views: 7, sales: 3 })
      yield* items.insert([item])
      const rated = (ratingSum: number, ratingCount: number) =>
        Effect.map(items.findById(item.id), (found) =>
          sameItem(Option.getOrThrow(found), withStatistics(item, { ratingSum, ratingCount }))
        )
      yield* items.addRating(item.id, { sum: 5, count: 1 })
      yield* items.addRating(item.id, { sum: 2, count: 1 })
      yield* rated(7, 2)
      yield* items.addRating(item.id, { sum: -4, count: 0 })
      yield* rated(3, 2)
      yield* items.addRating(item.id, { sum: -1, count: -1 })
      yield* items.addRating(item.id, { sum: -2, count: -1 })
      yield* rated(0, 0)
    })
  ),

  law(
    "refuses what no ratings could add up to, and changes nothing",
    Effect.gen(function* () {
      const items = yield* ItemRepository
      const item = withStatistics(Fixtures.item({}, yield* freshSeed), { ratingSum: 6, ratingCount: 2 })
      yield* items.insert([item])
      const impossible = [
        { sum: 5, count: 0 },
        { sum: -5, count: 0 },
        { sum: 0, count: 5 },
        { sum: 6, count: -2 },
        { sum: -6, count: -3 },
        { sum: -5, count: -2 },
        { sum: 0, count: -1 }
      ]
      for (const by of impossible) yield* failsWith("RatingRefused", items.addRating(item.id, by))
      yield* failsWith("RatingRefused", items.addRating(Fixtures.anyItemId(yield* freshSeed), { sum: 5, count: 1 }))
      sameItem(Option.getOrThrow(yield* items.findById(item.id)), item)
    })
  ),

  law(
    "adds the ratings of every rival",
    Effect.gen(function* () {
      const items = yield* ItemRepository
      const { run } = yield* Transaction
      const item = Fixtures.item({}, yield* freshSeed)
      yield* items.insert([item])
      const ends = yield* endsOf(
        Array.from({ length: rivalsCount * 4 }, (_, index) =>
          run(items.addRating(item.id, { sum: 1 + (index % 5), count: 1 }))
        )
      )
      assert.strictEqual(countOf(ends, "success"), rivalsCount * 4)
      const sum = Array.from(ends, (_, index) => 1 + (index % 5)).reduce((total, stars) => total + stars)
      const { statistics } = Option.getOrThrow(yield* items.findById(item.id))
      assert.deepStrictEqual([statistics.ratingSum, statistics.ratingCount], [sum, rivalsCount * 4])
    })
  ),

  law(
    "adds ratings in the transaction around it",
    Effect.gen(function* () {
      const items = yield* ItemRepository
      const { run } = yield* Transaction
      const item = Fixtures.item({}, yield* freshSeed)
      yield* items.insert([item])
      const added = items.addRating(item.id, { sum: 5, count: 1 })
      yield* failsWith("Unwanted", run(Effect.andThen(added, Effect.fail({ _tag: "Unwanted" as const }))))
      sameItem(Option.getOrThrow(yield* items.findById(item.id)), item)
    })
  )
]

/** Runs the laws against a layer. */
export const suite = suiteOf<Requirements>("ItemRepository", laws)
