/**
 * The outbox: one row for each event and consumer, kept after it was delivered, so that a repeat is recognised.
 *
 * A claim moves `due_at` to the end of its lease: a delivery that is not ended by then is due again. `tries` is the
 * claim's number: only the newest claim may say when to try again or to give up.
 *
 * @since 0.1.0
 */
import { Consumer, consumersOf, DeadDelivery, Delivery, Outbox } from "@pillivery/application/ports/Outbox"
import { Transaction } from "@pillivery/application/ports/Transaction"
import type { DomainEvent } from "@pillivery/domain/DomainEvent"
import type { EventId } from "@pillivery/domain/Ids"
import { type DateTime, Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import { claimedMax, clip, encodeEvent, EventText, inMillis, newClaim } from "./internal/Claims.ts"
import { Instant, toInstantText } from "./internal/Columns.ts"
import { affectedRows, columnsOf, entitiesFrom, insertsOnceOf, wasInserted } from "./internal/Rows.ts"
import { Statements } from "./Transaction.ts"

/** The longest error text kept with a delivery, in characters. */
const errorLengthMax = 2_000

const DeliveryRow = Schema.Struct({
  event_id: Schema.String,
  consumer: Schema.String,
  event: EventText,
  tries: Schema.Int
})

const DeadRow = Schema.Struct({
  event_id: Schema.String,
  consumer: Schema.String,
  tag: Schema.String,
  tries: Schema.Int,
  error: Schema.String,
  ended_at: Instant
})

const deliveriesFrom = entitiesFrom(DeliveryRow, Delivery, (row) => ({
  eventId: row.event_id,
  consumer: row.consumer,
  event: row.event,
  tries: row.tries
}))

const deadFrom = entitiesFrom(DeadRow, DeadDelivery, (row) => ({
  eventId: row.event_id,
  consumer: row.consumer,
  tag: row.tag,
  tries: row.tries,
  error: row.error,
  diedAt: row.ended_at
}))

const decodeCounts = Schema.decodeUnknownEffect(
  Schema.Tuple([Schema.Struct({ pending: Schema.Int, dead: Schema.Int })])
)

/** The outbox on MySQL. */
export const layer = Layer.effect(
  Outbox,
  Effect.gen(function* () {
    const sql = yield* SqlClient
    const { read, write, writeTogether } = yield* Statements
    const { run } = yield* Transaction
    const deliveryColumns = columnsOf(sql, DeliveryRow)
    const deadColumns = columnsOf(sql, DeadRow)

    /** The row of a delivery while its claim is the newest one. */
    const whereClaimed = ({ consumer, eventId, tries }: Delivery) =>
      sql`event_id = ${eventId} AND consumer = ${consumer} AND tries = ${tries} AND state = 'pending'`

    return Outbox.of({
      publish: writeTogether(
        "Outbox.publish",
        insertsOnceOf({
          sql,
          table: "outbox",
          columns: "event_id, consumer, state, tag, event, due_at, tries, published_at",
          row: "(?, ?, 'pending', ?, ?, UTC_TIMESTAMP(3), 0, UTC_TIMESTAMP(3))",
          same: "event_id",
          toRows: (events: ReadonlyArray<DomainEvent>) =>
            events.flatMap((event) =>
              consumersOf[event._tag].map((consumer) => [event.eventId, consumer, event._tag, encodeEvent(event)])
            )
        })
      ),

      claim: Effect.fn("Outbox.claim")(function* ({
        leaseMillis,
        limit,
        owner
      }: {
        readonly owner: string
        readonly limit: number
        readonly leaseMillis: number
      }) {
        const claim = yield* newClaim
        return yield* run(
          write("Outbox.claim")(
            Effect.gen(function* () {
              const claimed = yield* affectedRows(
                sql`UPDATE outbox SET claim = ${claim}, owner = ${owner}, tries = tries + 1,
                    due_at = ${inMillis(sql, leaseMillis)}
              WHERE state = 'pending' AND due_at <= UTC_TIMESTAMP(3)
              ORDER BY due_at, event_id, consumer LIMIT ${Math.min(limit, claimedMax)}`
              )
              if (claimed === 0) return []
              return yield* deliveriesFrom(
                sql`SELECT ${deliveryColumns} FROM outbox WHERE claim = ${claim}
              ORDER BY published_at, event_id, consumer LIMIT ${claimedMax}`
              )
            })
          )
        )
      }),

      // Done is done, even when the claim was lost meanwhile: another delivery of it is not wanted.
      complete: Effect.fn("Outbox.complete")(({ consumer, eventId }: Delivery) =>
        Effect.asVoid(
          write("Outbox.complete")(
            sql`UPDATE outbox SET state = 'done', claim = NULL, owner = NULL, ended_at = UTC_TIMESTAMP(3)
              WHERE event_id = ${eventId} AND consumer = ${consumer} AND state = 'pending'`
          )
        )
      ),

      retryLater: Effect.fn("Outbox.retryLater")(
        (delivery: Delivery, options: { readonly delayMillis: number; readonly error: string }) =>
          Effect.asVoid(
            write("Outbox.retryLater")(
              sql`UPDATE outbox SET claim = NULL, owner = NULL, due_at = ${inMillis(sql, options.delayMillis)},
                error = ${clip(options.error, errorLengthMax)} WHERE ${whereClaimed(delivery)}`
            )
          )
      ),

      giveUp: Effect.fn("Outbox.giveUp")((delivery: Delivery, error: string) =>
        Effect.asVoid(
          write("Outbox.giveUp")(
            sql`UPDATE outbox SET state = 'dead', claim = NULL, owner = NULL, error = ${clip(error, errorLengthMax)},
              ended_at = UTC_TIMESTAMP(3) WHERE ${whereClaimed(delivery)}`
          )
        )
      ),

      counts: Effect.map(
        read("Outbox.counts")(
          Effect.flatMap(
            sql`SELECT (SELECT COUNT(*) FROM outbox WHERE state = 'pending') AS pending,
              (SELECT COUNT(*) FROM outbox WHERE state = 'dead') AS dead`,
            decodeCounts
          )
        ),
        ([counts]) => counts
      ),

      listDead: Effect.fn("Outbox.listDead")((limit: number) =>
        read("Outbox.listDead")(
          deadFrom(
            sql`SELECT ${deadColumns} FROM outbox WHERE state = 'dead'
              ORDER BY ended_at, event_id, consumer LIMIT ${Math.min(limit, claimedMax)}`
          )
        )
      ),

      revive: Effect.fn("Outbox.revive")((eventId: EventId, consumer: Consumer) =>
        Effect.map(
          write("Outbox.revive")(
            affectedRows(
              sql`UPDATE outbox SET state = 'pending', due_at = UTC_TIMESTAMP(3), ended_at = NULL
                WHERE event_id = ${eventId} AND consumer = ${consumer} AND state = 'dead'`
            )
          ),
          (rows) => rows > 0
        )
      ),

      consumeOnce: Effect.fn("Outbox.consumeOnce")((eventId: EventId, consumer: Consumer, at: DateTime.Utc) =>
        write("Outbox.consumeOnce")(
          wasInserted(
            sql`INSERT INTO inbox (event_id, consumer, consumed_at)
              VALUES (${eventId}, ${consumer}, ${toInstantText(at)})`
          )
        )
      )
    })
  })
)
