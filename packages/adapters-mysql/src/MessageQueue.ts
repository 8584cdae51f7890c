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
import type { DomainEvent } from "@pillivery/domain/DomainEvent"
import { type DateTime, Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import { claimedMax, clip, encodeEvent, EventText, inMillis, newClaim } from "./internal/Claims.ts"
import { Instant, nullOr, toInstantText } from "./internal/Columns.ts"
import { affectedRows, columnsOf, entitiesFrom, insertsOnceOf, offsetOf, totalFrom } from "./internal/Rows.ts"
import { Statements } from "./Transaction.ts"

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

    const inserts = insertsOnceOf({
      sql,
      table: "message",
      columns: "recipient, event_id, state, tag, event, due_at, tries, queued_at",
      row: "(?, ?, 'pending', ?, ?, UTC_TIMESTAMP(3), 0, UTC_TIMESTAMP(3))",
      same: "event_id",
      toRows: (messages: ReadonlyArray<Pick<Message, "recipient" | "event">>) =>
        messages.map(({ event, recipient }) => [recipient, event.eventId, event._tag, encodeEvent(event)])
    })

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
        write("MessageQueue.queue")(inserts.one(recipients.map((recipient) => ({ recipient, event }))))
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
        const claim = yield* newClaim
        return yield* run(
          write("MessageQueue.claim")(
            Effect.gen(function* () {
              const claimed = yield* affectedRows(
                sql`UPDATE message SET claim = ${claim}, owner = ${owner}, tries = tries + 1,
                    due_at = ${inMillis(sql, leaseMillis)}
                  WHERE recipient = ${recipient} AND state = 'pending' AND due_at <= UTC_TIMESTAMP(3)
                  ORDER BY due_at, event_id LIMIT ${Math.min(limit, claimedMax)}`
              )
              if (claimed === 0) return []
              return yield* messagesFrom(
                sql`SELECT ${messageColumns} FROM message WHERE claim = ${claim}
                  ORDER BY queued_at, event_id LIMIT ${claimedMax}`
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
              sql`UPDATE message SET claim = NULL, owner = NULL, due_at = ${inMillis(sql, options.delayMillis)},
                error = ${clip(options.error, errorLengthMax)} WHERE ${whereClaimed(message)}`
            )
          )
      ),

      giveUp: Effect.fn("MessageQueue.giveUp")((message: Message, error: string) =>
        Effect.asVoid(
          write("MessageQueue.giveUp")(
            sql`UPDATE message SET state = 'failed', claim = NULL, owner = NULL, error = ${clip(error, errorLengthMax)},
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
              WHERE recipient = ${recipient} AND ${whereReplayed(which)}
              ORDER BY queued_at, event_id LIMIT ${replayedMax}`
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
