/**
 * What was sold: rows written with the payment, later added to the items' statistics once.
 *
 * @since 0.1.0
 */
import { type Sale, SalesLedger } from "@pillivery/application/ports/SalesLedger"
import { Transaction } from "@pillivery/application/ports/Transaction"
import { Effect, Layer } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import { randomBytes } from "node:crypto"
import { toBytes } from "./internal/Columns.ts"
import { affectedRows, insertsOnceOf } from "./internal/Rows.ts"
import { Statements } from "./Transaction.ts"

const foldIdBytes = 16
/** The most rows of one fold, so that its transaction stays short. */
const rowsMax = 10_000

/** Sales on MySQL. */
export const layer = Layer.effect(
  SalesLedger,
  Effect.gen(function* () {
    const sql = yield* SqlClient
    const { write, writeTogether } = yield* Statements
    const { run } = yield* Transaction

    return SalesLedger.of({
      record: writeTogether(
        "SalesLedger.record",
        insertsOnceOf({
          sql,
          table: "sales",
          columns: "cause, item_id, quantity, recorded_at",
          row: "(?, ?, ?, UTC_TIMESTAMP(6))",
          same: "item_id",
          toRows: (sales: ReadonlyArray<Sale>) =>
            sales.map(({ cause, itemId, quantity }) => [cause, toBytes(itemId), quantity])
        })
      ),

      fold: Effect.fn("SalesLedger.fold")(function* (limit: number) {
        const foldId = randomBytes(foldIdBytes)
        return yield* run(
          write("SalesLedger.fold")(
            Effect.gen(function* () {
              // Oldest first, so that a sale is folded before it is taken back.
              const rows = yield* affectedRows(
                sql`UPDATE sales SET folded_by = ${foldId} WHERE folded_by IS NULL
              ORDER BY recorded_at, cause, item_id LIMIT ${Math.min(limit, rowsMax)}`
              )
              if (rows === 0) return 0
              yield* sql`UPDATE item JOIN (
              SELECT item_id, CAST(SUM(quantity) AS SIGNED) AS sold FROM sales
              WHERE folded_by = ${foldId} GROUP BY item_id
            ) folded ON folded.item_id = item.id SET item.sales = item.sales + folded.sold`
              return rows
            })
          )
        )
      })
    })
  })
)
