/**
 * How many visitors saw an item on a day.
 *
 * @since 0.1.0
 */
import type { BusinessDate } from "@pillivery/domain/BusinessDate"
import type { ItemId } from "@pillivery/domain/Ids"
import { Context, type Effect } from "effect"
import type { StorageError } from "./StorageError.ts"

/** One look of a visitor at an item. */
export interface View {
  readonly itemId: ItemId
  readonly visitor: string
}

/** The visitors of one item. */
export interface ItemViews {
  readonly itemId: ItemId
  readonly views: number
}

/** Distinct visitors of each item and day; counts may be off by a few in a hundred. */
export class ViewCounter extends Context.Service<
  ViewCounter,
  {
    readonly count: (day: BusinessDate, views: ReadonlyArray<View>) => Effect.Effect<void, StorageError>
    /** Days with views that were not forgotten, oldest first. */
    readonly days: Effect.Effect<ReadonlyArray<BusinessDate>, StorageError>
    /** Each item that was seen on the day, in no order. */
    readonly viewsOf: (day: BusinessDate) => Effect.Effect<ReadonlyArray<ItemViews>, StorageError>
    readonly forget: (day: BusinessDate) => Effect.Effect<void, StorageError>
  }
>()("@pillivery/application/ViewCounter") {}

/** Views as the items' statistics have them. */
export class ViewLedger extends Context.Service<
  ViewLedger,
  {
    /** Adds a day's views to items, in one transaction; an item that has that day's views already gets no more. */
    readonly add: (day: BusinessDate, views: ReadonlyArray<ItemViews>) => Effect.Effect<void, StorageError>
  }
>()("@pillivery/application/ViewLedger") {}
