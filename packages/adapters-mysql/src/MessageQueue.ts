/**
 * Messages on their way out: one row for each recipient and event, kept for a while after it was sent.
 *
 * A claim moves `due_at` to the end of its lease: a message that is not ended by then is due again. `tries` is the claim's
 * number: only the newest claim may say when to try again or to give up.
 *
 * @since 0.1.0
 */
import {
  errorLengthMax,
  Message,
  MessageQueue,
  MessageRecord,
  Recipient,
  type Replayed,
  replayedMax
} from "@pillivery/application/ports/MessageQueue"
import type { PageRequest } from "@pillivery/application/ports/Page"
import { Transaction } from "@pillivery/application/ports/Transaction"
import { DomainEvent } from "@pillivery/domain/DomainEvent"
import { type DateTime, Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import { randomBytes } from "node:crypto"
import { Instant, nullOr, toInstantText } from "./internal/Columns.ts"
import { affectedRows, columnsOf, entitiesFrom, inChunks, offsetOf, totalFrom } from "./internal/Rows.ts"
import { Statements } from "./Transaction.ts"

/** The most rows of one claim. */
const rowsMax = 1_000
const microsPerMilli = 1_000
const claimBytes = 16

const EventText = Schema.fromJsonString(Schema.toCodecJson(DomainEvent))
const encodeEvent = Schema.encodeSync(EventText)

const MessageRow = Schema.Struct({ recipient: Schema.String, event: EventText, tries: Schema.Int })

const RecordRow = Schema.Struct({
  event_id: Schema.String,
  tag: Schema.String,
  state: Schema.String,
  tries: Schema.Int,
  error: nullOr(Schema.String),
  queued_at: Instant,
  ended_at: nullOr(Instant)
})

const messagesFrom = entitiesFrom(MessageRow, Message, (row) => row)

const recordsFrom = entitiesFrom(RecordRow, MessageRecord, (row) => ({
  eventId: row.event_id,
  tag: row.tag,
  state: row.state,
  tries: row.tries,
  error: row.error,
  queuedAt: row.queued_at,
  endedAt: row.ended_at
}))

// MySQL's SUM of integers is a decimal, which the driver hands over as text.
const Sum = Schema.Union([Schema.Int, Schema.FiniteFromString])
const decodeCounts = Schema.decodeUnknownEffect(
  Schema.Array(Schema.Struct({ recipient: Recipient, pending: Sum, failed: Sum }))
)

/** Messages on MySQL. */
export const layer = Layer.effect(
  MessageQueue,
  Effect.gen(function* () {
    const sql = yield* SqlClient
    const { read, write } = yield* Statements
    const { run } = yield* Transaction
    const messageColumns = columnsOf(sql, MessageRow)
    const recordColumns = columnsOf(sql, RecordRow)

    const inMillis = (millis: number) =>
      sql`UTC_TIMESTAMP(3) + INTERVAL ${Math.max(0, Math.trunc(millis)) * microsPerMilli} MICROSECOND`

    /** The row of a message while its claim is the newest one. */
    const whereClaimed = ({ event, recipient, tries }: Message) =>
      sql`recipient = ${recipient} AND event_id = ${event.eventId} AND tries = ${tries} AND state = 'pending'`

    const whereReplayed = (which: Replayed) => {
      switch (which._tag) {
        case "One":
          return sql`event_id = ${which.eventId} AND state IN ('sent', 'failed')`
        case "Failed":
          return sql`state = 'failed'`
        case "Since":
          return sql`queued_at >= ${toInstantText(which.at)} AND state IN ('sent', 'failed')`
      }
    }

    return MessageQueue.of({
      queue: Effect.fn("MessageQueue.queue")((event: DomainEvent, recipients: ReadonlyArray<Recipient>) =>
        write("MessageQueue.queue")(
          inChunks(recipients, (some) => {
            const text = encodeEvent(event)
            const rows = sql.join(
              ", ",
              false
            )(
              some.map(
                (recipient) =>
                  sql`(${recipient}, ${event.eventId}, 'pending', ${event._tag}, ${text}, UTC_TIMESTAMP(3), 0, UTC_TIMESTAMP(3))`
              )
            )
            return sql`INSERT INTO message (recipient, event_id, state, tag, event, due_at, tries, queued_at)
              VALUES ${rows} ON DUPLICATE KEY UPDATE event_id = event_id`
          })
        )
      ),

      claim: Effect.fn("MessageQueue.claim")(function* ({
        leaseMillis,
        limit,
        owner,
        recipient
      }: {
        readonly recipient: Recipient
        readonly owner: string
        readonly limit: number
        readonly leaseMillis: number
      }) {
        const claim = randomBytes(claimBytes)
        return yield* run(
          write("MessageQueue.claim")(
            Effect.gen(function* () {
              const claimed = yield* affectedRows(
                sql`UPDATE message SET claim = ${claim}, owner = ${owner}, tries = tries + 1,
                    due_at = ${inMillis(leaseMillis)}
                  WHERE recipient = ${recipient} AND state = 'pending' AND due_at <= UTC_TIMESTAMP(3)
                  ORDER BY due_at, event_id LIMIT ${Math.min(limit, rowsMax)}`
              )
              if (claimed === 0) return []
              return yield* messagesFrom(
                sql`SELECT ${messageColumns} FROM message WHERE claim = ${claim}
                  ORDER BY queued_at, event_id LIMIT ${rowsMax}`
              )
            })
          )
        )
      }),

      // Sent is sent, even when the claim was lost meanwhile: another one is not wanted.
      complete: Effect.fn("MessageQueue.complete")(({ event, recipient }: Message) =>
        Effect.asVoid(
          write("MessageQueue.complete")(
            sql`UPDATE message SET state = 'sent', claim = NULL, owner = NULL, ended_at = UTC_TIMESTAMP(3)
              WHERE recipient = ${recipient} AND event_id = ${event.eventId} AND state = 'pending'`
          )
        )
      ),

      retryLater: Effect.fn("MessageQueue.retryLater")(
        (message: Message, options: { readonly delayMillis: number; readonly error: string }) =>
          Effect.asVoid(
            write("MessageQueue.retryLater")(
              sql`UPDATE message SET claim = NULL, owner = NULL, due_at = ${inMillis(options.delayMillis)},
                error = ${clip(options.error)} WHERE ${whereClaimed(message)}`
            )
          )
      ),

      giveUp: Effect.fn("MessageQueue.giveUp")((message: Message, error: string) =>
        Effect.asVoid(
          write("MessageQueue.giveUp")(
            sql`UPDATE message SET state = 'failed', claim = NULL, owner = NULL, error = ${clip(error)},
              ended_at = UTC_TIMESTAMP(3) WHERE ${whereClaimed(message)}`
          )
        )
      ),

      list: Effect.fn("MessageQueue.list")(function* (recipient: Recipient, page: PageRequest) {
        const operation = "MessageQueue.list"
        const totalElements = yield* read(operation)(
          totalFrom(sql`SELECT COUNT(*) AS total FROM message WHERE recipient = ${recipient}`)
        )
        const data = yield* read(operation)(
          recordsFrom(
            sql`SELECT ${recordColumns} FROM message WHERE recipient = ${recipient}
              ORDER BY queued_at DESC, event_id DESC LIMIT ${page.size} OFFSET ${offsetOf(page)}`
          )
        )
        return { data, totalElements }
      }),

      counts: read("MessageQueue.counts")(
        Effect.flatMap(
          sql`SELECT recipient, SUM(state = 'pending') AS pending, SUM(state = 'failed') AS failed
            FROM message WHERE state IN ('pending', 'failed') GROUP BY recipient`,
          decodeCounts
        )
      ),

      replay: Effect.fn("MessageQueue.replay")((recipient: Recipient, which: Replayed) =>
        write("MessageQueue.replay")(
          affectedRows(
            sql`UPDATE message SET state = 'pending', due_at = UTC_TIMESTAMP(3), ended_at = NULL
              WHERE recipient = ${recipient} AND ${whereReplayed(which)} LIMIT ${replayedMax}`
          )
        )
      ),

      purge: Effect.fn("MessageQueue.purge")((before: DateTime.Utc, limit: number) =>
        write("MessageQueue.purge")(
          affectedRows(
            sql`DELETE FROM message WHERE queued_at < ${toInstantText(before)} ORDER BY queued_at LIMIT ${limit}`
          )
        )
      )
    })
  })
)

const clip = (error: string): string => [...error].slice(0, errorLengthMax).join("")
