/**
 * Where the catalogue is kept.
 *
 * @since 0.1.0
 */
import type { CategoryName } from "@pillivery/domain/Category"
import type { ItemId } from "@pillivery/domain/Ids"
import type { Item } from "@pillivery/domain/Item"
import { Context, type Effect, type Option, Schema } from "effect"
import type { Page, PageRequest } from "./Page.ts"
import type { AlreadyExists, StorageError } from "./StorageError.ts"

/** How a list of items is ordered; ties are broken by id. */
export const ItemSort = Schema.Literals([
  "SALES",
  "PRICE_H",
  "PRICE_L",
  "DISCOUNT_RATE_H",
  "DISCOUNT_RATE_L",
  "REVIEW_COUNT"
])
export type ItemSort = typeof ItemSort.Type

/** Which items are wanted; a bound that is absent does not bound. */
export interface ItemQuery {
  /** A part of the product name, from two characters. */
  readonly keyword?: string
  readonly category?: CategoryName
  readonly brand?: string
  readonly onSale?: boolean
  readonly priceMin?: number
  readonly priceMax?: number
  readonly sort: ItemSort
}

/** The catalogue. */
export class ItemRepository extends Context.Service<
  ItemRepository,
  {
    readonly insert: (items: ReadonlyArray<Item>) => Effect.Effect<void, StorageError | AlreadyExists>
    readonly findById: (id: ItemId) => Effect.Effect<Option.Option<Item>, StorageError>
    /** The ones that exist, in no order; at most as many as were asked for. */
    readonly findByIds: (ids: ReadonlyArray<ItemId>) => Effect.Effect<ReadonlyArray<Item>, StorageError>
    readonly search: (query: ItemQuery, page: PageRequest) => Effect.Effect<Page<Item>, StorageError>
    readonly count: Effect.Effect<number, StorageError>
  }
>()("@pillivery/application/ItemRepository") {}
