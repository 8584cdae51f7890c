/**
 * The catalogue in memory.
 *
 * @since 0.1.0
 */
import {
  type ItemQuery,
  ItemRepository,
  type ItemSort,
  RatingRefused
} from "@pillivery/application/ports/ItemRepository"
import { type AlreadyExists, StaleWrite } from "@pillivery/application/ports/StorageError"
import * as Item from "@pillivery/domain/Item"
import * as Rating from "@pillivery/domain/Rating"
import { Effect, Layer, Option, Result } from "effect"
import * as Table from "./internal/Table.ts"
import { nextVersion, offsetOf, type Rows, Store } from "./Store.ts"

/** The table of items, whose sales the sales ledger writes. */
export const items = Table.define<Item.Item>()({ name: "item", idOf: (item) => item.id })

/** What a sort orders by; the greater comes first. */
const valueOf: Readonly<Record<ItemSort, (item: Item.Item) => number>> = {
  SALES: (item) => item.statistics.sales,
  PRICE_H: (item) => item.price.real,
  PRICE_L: (item) => -item.price.real,
  DISCOUNT_RATE_H: (item) => item.price.rate,
  DISCOUNT_RATE_L: (item) => -item.price.rate,
  REVIEW_COUNT: (item) => item.statistics.ratingCount
}

/** The catalogue of one store. */
export const layer = Layer.effect(
  ItemRepository,
  Effect.map(Store, (store) => {
    // Items change rarely and are searched often: the order is kept until they change.
    const sorted = new WeakMap<object, Partial<Record<ItemSort, ReadonlyArray<Item.Item>>>>()

    const sortedBy = (rows: Rows, sort: ItemSort): ReadonlyArray<Item.Item> => {
      const moment = rows.moment(items)
      const known = sorted.get(moment) ?? {}
      const order = known[sort] ?? [...rows.all(items)].sort(compareBy(valueOf[sort]))
      sorted.set(moment, { ...known, [sort]: order })
      return order
    }

    return ItemRepository.of({
      insert: (added) =>
        store.write("ItemRepository.insert", (rows): Result.Result<void, AlreadyExists> => {
          for (const item of added) {
            const inserted = rows.insert(items, item)
            if (Result.isFailure(inserted)) return inserted
          }
          return Result.succeed(undefined)
        }),
      update: (changed) =>
        store.write("ItemRepository.update", (rows): Result.Result<void, StaleWrite> => {
          for (const item of changed) {
            const before = rows.get(items, item.id)
            if (before?.version !== item.version) return Result.fail(new StaleWrite({ entity: "item", id: item.id }))
            rows.put(items, nextVersion(new Item.Item({ ...item, statistics: before.statistics })))
          }
          return Result.succeed(undefined)
        }),
      findById: (id) => store.read("ItemRepository.findById", (rows) => Option.fromUndefinedOr(rows.get(items, id))),
      findByIds: (ids) =>
        store.read("ItemRepository.findByIds", (rows) => [...new Set(ids)].flatMap((id) => rows.get(items, id) ?? [])),
      search: (query, page) =>
        store.read("ItemRepository.search", (rows) => {
          const found = sortedBy(rows, query.sort).filter(matches(query))
          const offset = offsetOf(page)
          return { data: found.slice(offset, offset + page.size), totalElements: found.length }
        }),
      addRating: (id, by) =>
        store.write("ItemRepository.addRating", (rows): Result.Result<void, RatingRefused> => {
          const item = rows.get(items, id)
          if (item === undefined) return Result.fail(new RatingRefused({ itemId: id, ...by }))
          const [ratingSum, ratingCount] = [item.statistics.ratingSum + by.sum, item.statistics.ratingCount + by.count]
          if (!Rating.isPossible(ratingSum, ratingCount)) return Result.fail(new RatingRefused({ itemId: id, ...by }))
          const statistics = new Item.Statistics({ ...item.statistics, ratingSum, ratingCount })
          return Result.succeed(rows.put(items, new Item.Item({ ...item, statistics })))
        }),
      listBrands: (page) =>
        store.read("ItemRepository.listBrands", (rows) => {
          const counts = new Map<string, number>()
          for (const { information } of rows.all(items)) {
            counts.set(information.brand, (counts.get(information.brand) ?? 0) + 1)
          }
          const brands = [...counts].map(([name, items]) => ({ name, items }))
          const sorted = brands.toSorted((one, two) => compareCodePoints(one.name, two.name))
          const offset = offsetOf(page)
          return { data: sorted.slice(offset, offset + page.size), totalElements: sorted.length }
        }),
      count: store.read("ItemRepository.count", (rows) => rows.size(items))
    })
  })
)

/** The order of texts by their code points, which is that of their bytes in UTF-8. */
const compareCodePoints = (self: string, that: string): number => {
  const [ours, theirs] = [[...self], [...that]]
  const at = ours.findIndex((character, index) => character !== theirs[index])
  if (at === -1) return ours.length - theirs.length
  return (ours[at]?.codePointAt(0) ?? 0) - (theirs[at]?.codePointAt(0) ?? -1)
}

const compareBy =
  (value: (item: Item.Item) => number) =>
  (self: Item.Item, that: Item.Item): number =>
    value(that) - value(self) || (self.id < that.id ? -1 : 1)

const matches = (query: ItemQuery) => {
  const keyword = query.keyword === undefined ? undefined : searchable(query.keyword)
  return (item: Item.Item): boolean =>
    (keyword === undefined || searchable(item.information.productName).includes(keyword)) &&
    (query.category === undefined || item.categories.includes(query.category)) &&
    (query.brand === undefined || item.information.brand === query.brand) &&
    (query.onSale === undefined || Item.isOnSale(item) === query.onSale) &&
    (query.priceMin === undefined || item.price.real >= query.priceMin) &&
    (query.priceMax === undefined || item.price.real <= query.priceMax)
}

const searchable = (text: string): string => text.normalize("NFC").toLowerCase()
