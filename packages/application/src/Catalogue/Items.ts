/**
 * Reading the catalogue.
 *
 * @since 0.1.0
 */
import { ItemId } from "@pillivery/domain/Ids"
import { Effect, Option, Schema } from "effect"
import { type ItemQuery, ItemRepository } from "../ports/ItemRepository.ts"
import type { PageRequest } from "../ports/Page.ts"

/** How many items each list of the main page shows. */
export const mainListSize = 9

/** There is no such item. */
export class ItemNotFound extends Schema.TaggedError<ItemNotFound>("@pillivery/application/Catalogue/ItemNotFound")(
  "ItemNotFound",
  { itemId: ItemId }
) {
  override get message() {
    return `there is no item ${this.itemId}`
  }
}

/** One item. */
export const getItem = Effect.fnUntraced(function* (itemId: ItemId) {
  const found = yield* (yield* ItemRepository).findById(itemId)
  return Option.isSome(found) ? found.value : yield* new ItemNotFound({ itemId })
})

/** The items a query wants, a page at a time. */
export const searchItems = Effect.fn("searchItems")(function* (query: ItemQuery, page: PageRequest) {
  return yield* (yield* ItemRepository).search(query, page)
})

/** The brands, by name. */
export const listBrands = Effect.fn("listBrands")(function* (page: PageRequest) {
  return yield* (yield* ItemRepository).listBrands(page)
})

/** What the main page shows: what sells best, and what is most reduced. */
export const listMain = Effect.fn("listMain")(function* () {
  const items = yield* ItemRepository
  const page = { page: 1, size: mainListSize }
  const best = yield* items.search({ sort: "SALES" }, page)
  const reduced = yield* items.search({ sort: "DISCOUNT_RATE_H", onSale: true }, page)
  return { best: best.data, onSale: reduced.data }
})

/** The items that are there, by their ids. */
export const itemsOf = Effect.fnUntraced(function* (ids: ReadonlyArray<ItemId>) {
  const items = yield* ItemRepository
  const found = ids.length === 0 ? [] : yield* items.findByIds(ids)
  return new Map(found.map((item) => [item.id, item]))
})
