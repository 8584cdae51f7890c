/**
 * Where the catalogue is kept.
 *
 * @since 0.1.0
 */
import type { CategoryName } from "@pillivery/domain/Category"
import { ItemId } from "@pillivery/domain/Ids"
import type { Item } from "@pillivery/domain/Item"
import { Context, type Effect, type Option, Schema } from "effect"
import type { Page, PageRequest } from "./Page.ts"
import type { AlreadyExists, StaleWrite, StorageError } from "./StorageError.ts"

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

/** The ratings of an item cannot be changed so: there is no such item, or no ratings could have that sum. */
export class RatingRefused extends Schema.TaggedError<RatingRefused>("@pillivery/application/RatingRefused")(
  "RatingRefused",
  { itemId: ItemId, sum: Schema.Int, count: Schema.Int }
) {
  override get message() {
    return `item ${this.itemId} cannot have ${this.sum} stars and ${this.count} ratings more`
  }
}

/** A brand and how many items it has. */
export interface Brand {
  readonly name: string
  readonly items: number
}

/** The catalogue. */
export class ItemRepository extends Context.Service<
  ItemRepository,
  {
    readonly insert: (items: ReadonlyArray<Item>) => Effect.Effect<void, StorageError | AlreadyExists>
    /**
     * Writes label, price, pictures and categories of items at the versions read; all or, when one was changed since, none.
     * Statistics belong to those who count, and stay.
     */
    readonly update: (items: ReadonlyArray<Item>) => Effect.Effect<void, StorageError | StaleWrite>
    readonly findById: (id: ItemId) => Effect.Effect<Option.Option<Item>, StorageError>
    /** The ones that exist, in no order; at most as many as were asked for. */
    readonly findByIds: (ids: ReadonlyArray<ItemId>) => Effect.Effect<ReadonlyArray<Item>, StorageError>
    readonly search: (query: ItemQuery, page: PageRequest) => Effect.Effect<Page<Item>, StorageError>
    /**
     * Adds to the ratings of an item, or with numbers below zero takes away from them; refused, and nothing is written,
     * where no ratings could have the sum that comes out.
     *
     * **Details**
     *
     * The sum of two such changes does not depend on which is first, so no reader need have read the item and no rival is
     * stale. The item's version stays: whoever changes its label or its price meanwhile has read nothing that this
     * changes, and leaves the statistics alone. Joins the transaction around it; there it goes last, since everybody who
     * reviews the item waits for its end.
     */
    readonly addRating: (
      id: ItemId,
      by: { readonly sum: number; readonly count: number }
    ) => Effect.Effect<void, StorageError | RatingRefused>
    /** The brands, by name, each with how many items it has. */
    readonly listBrands: (page: PageRequest) => Effect.Effect<Page<Brand>, StorageError>
    readonly count: Effect.Effect<number, StorageError>
  }
>()("@pillivery/application/ItemRepository") {}
