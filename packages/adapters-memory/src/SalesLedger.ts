/**
 * Sales in memory.
 *
 * @since 0.1.0
 */
import { type Sale, SalesLedger } from "@pillivery/application/ports/SalesLedger"
import * as Item from "@pillivery/domain/Item"
import { Effect, Layer, Result } from "effect"
import * as Table from "./internal/Table.ts"
import { items } from "./ItemRepository.ts"
import { Store } from "./Store.ts"

interface Row extends Sale {
  readonly recordedAtMillis: number
  readonly isFolded: boolean
}

/** The id of a sale. */
export const rowId = ({ cause, itemId }: Pick<Sale, "cause" | "itemId">): string => `${itemId}/${cause}`

/** The table of sales. */
export const sales = Table.define<Row>()({
  name: "sale",
  idOf: rowId,
  indexes: { unfolded: (row) => (row.isFolded ? null : Table.millisKey(row.recordedAtMillis)) }
})

/** Sales of one store. */
export const layer = Layer.effect(
  SalesLedger,
  Effect.map(Store, (store) =>
    SalesLedger.of({
      record: (recorded) =>
        store.write("SalesLedger.record", (rows, databaseNow) => {
          for (const { cause, itemId, quantity } of recorded) {
            const row = { cause, itemId, quantity, recordedAtMillis: databaseNow, isFolded: false }
            if (rows.get(sales, rowId(row)) === undefined) rows.put(sales, row)
          }
          return Result.succeed(undefined)
        }),
      fold: (limit) =>
        store.write("SalesLedger.fold", (rows) => {
          const unfolded = rows.list(sales, "unfolded", { limit })
          for (const row of unfolded) {
            const item = rows.get(items, row.itemId)
            if (item !== undefined) rows.put(items, withSales(item, row.quantity))
            rows.put(sales, { ...row, isFolded: true })
          }
          return Result.succeed(unfolded.length)
        })
    })
  )
)

const withSales = (item: Item.Item, quantity: number): Item.Item =>
  new Item.Item({
    ...item,
    statistics: new Item.Statistics({
      ...item.statistics,
      sales: Math.max(0, item.statistics.sales + quantity)
    })
  })
