/**
 * Views: a row for each item and day, by which a day is added to an item once.
 *
 * @since 0.1.0
 */
import { Transaction } from "@pillivery/application/ports/Transaction"
import { type ItemViews, ViewLedger } from "@pillivery/application/ports/ViewCounter"
import type { BusinessDate } from "@pillivery/domain/BusinessDate"
import { Effect, Layer } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import { randomBytes } from "node:crypto"
import { toBytes } from "./internal/Columns.ts"
import { inChunks } from "./internal/Rows.ts"
import { Statements } from "./Transaction.ts"

const passIdBytes = 16

/** Views on MySQL. */
export const layer = Layer.effect(
  ViewLedger,
  Effect.gen(function* () {
    const sql = yield* SqlClient
    const { write } = yield* Statements
    const { run } = yield* Transaction

    return ViewLedger.of({
      add: Effect.fn("ViewLedger.add")(function* (day: BusinessDate, views: ReadonlyArray<ItemViews>) {
        if (views.length === 0) return
        const pass = randomBytes(passIdBytes)
        // One order for all, so that two who add at once wait for each other and do not deadlock.
        const ordered = views.toSorted((one, two) => (one.itemId < two.itemId ? -1 : 1))
        yield* run(
          write("ViewLedger.add")(
            Effect.gen(function* () {
              yield* inChunks(
                ordered.map(({ itemId, views }) => sql`(${day}, ${toBytes(itemId)}, ${views}, ${pass})`),
                (chunk) =>
                  sql`INSERT INTO item_view (view_date, item_id, views, added_by) VALUES ${sql.csv(chunk)}
                    ON DUPLICATE KEY UPDATE view_date = view_date`
              )
              yield* sql`UPDATE item JOIN item_view ON item_view.item_id = item.id
                SET item.views = item.views + item_view.views
                WHERE item_view.view_date = ${day} AND item_view.added_by = ${pass}`
            })
          )
        )
      })
    })
  })
)
