/**
 * What was sold.
 *
 * @since 0.1.0
 */
import type { ItemId } from "@pillivery/domain/Ids"
import { Context, type Effect } from "effect"
import type { StorageError } from "./StorageError.ts"

/** Units of one item sold, or taken back when negative; `cause` makes the row unique. */
export interface Sale {
  readonly cause: string
  readonly itemId: ItemId
  readonly quantity: number
}

/** Sales, written with the payment that made them and folded into the items' statistics later. */
export class SalesLedger extends Context.Service<
  SalesLedger,
  {
    /** Joins the transaction around it; a row with the same cause and item is written once. */
    readonly record: (sales: ReadonlyArray<Sale>) => Effect.Effect<void, StorageError>
    /** Adds unfolded rows to the items' statistics, in one transaction; answers how many rows. */
    readonly fold: (limit: number) => Effect.Effect<number, StorageError>
  }
>()("@pillivery/application/SalesLedger") {}
