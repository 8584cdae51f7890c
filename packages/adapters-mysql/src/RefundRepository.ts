/**
 * Refunds.
 *
 * @since 0.1.0
 */
import { RefundRepository, refundsListedMax } from "@pillivery/application/ports/RefundRepository"
import { type AttemptId, type OrderId, RefundId } from "@pillivery/domain/Ids"
import * as Refund from "@pillivery/domain/Refund"
import { type DateTime, Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import { fieldOrNull, Instant, nullOr, toBytes, toInstantText, Uuid } from "./internal/Columns.ts"
import { columnsOf, entitiesFrom, first, idsFrom, insertRows, orExists, orStale } from "./internal/Rows.ts"
import { Statements } from "./Transaction.ts"

/** The lines never change after the refund was asked for, so they stand in its row. */
const LinesText = Schema.fromJsonString(Schema.Array(Schema.Struct({ lineId: Schema.String, quantity: Schema.Int })))

const RefundRow = Schema.Struct({
  id: Uuid,
  attempt_id: Uuid,
  order_id: nullOr(Uuid),
  user_id: Uuid,
  state: Schema.String,
  amount: Schema.Int,
  refund_lines: LinesText,
  reason: Schema.String,
  requested_at: Instant,
  dispatches: Schema.Int,
  version: Schema.Int,
  sent_at: nullOr(Instant),
  lease_expires_at: nullOr(Instant),
  refunded_before: nullOr(Schema.Int),
  unknown_since: nullOr(Instant),
  asks: nullOr(Schema.Int),
  next_ask_at: nullOr(Instant),
  completed_at: nullOr(Instant),
  rejected_at: nullOr(Instant),
  review_since: nullOr(Instant),
  detail: nullOr(Schema.String)
})

const encodeRow = Schema.encodeSync(RefundRow)

const refundToRow = (refund: Refund.Refund): typeof RefundRow.Type => ({
  id: refund.id,
  attempt_id: refund.attemptId,
  order_id: refund.orderId,
  user_id: refund.userId,
  state: refund._tag,
  amount: refund.amount,
  refund_lines: refund.lines,
  reason: refund.reason,
  requested_at: refund.requestedAt,
  dispatches: refund.dispatches,
  version: refund.version,
  sent_at: fieldOrNull(refund, "sentAt"),
  lease_expires_at: fieldOrNull(refund, "leaseExpiresAt"),
  refunded_before: fieldOrNull(refund, "refundedBefore"),
  unknown_since: fieldOrNull(refund, "unknownSince"),
  asks: fieldOrNull(refund, "asks"),
  next_ask_at: fieldOrNull(refund, "nextAskAt"),
  completed_at: fieldOrNull(refund, "completedAt"),
  rejected_at: fieldOrNull(refund, "rejectedAt"),
  review_since: fieldOrNull(refund, "reviewSince"),
  detail: fieldOrNull(refund, "detail")
})

/** All fields of all states; the union takes those of the row's state and refuses a row that lacks one. */
const rowToRefund = (row: typeof RefundRow.Type) => ({
  _tag: row.state,
  id: row.id,
  attemptId: row.attempt_id,
  orderId: row.order_id,
  userId: row.user_id,
  lines: row.refund_lines,
  amount: row.amount,
  reason: row.reason,
  requestedAt: row.requested_at,
  dispatches: row.dispatches,
  version: row.version,
  sentAt: row.sent_at,
  leaseExpiresAt: row.lease_expires_at,
  refundedBefore: row.refunded_before,
  unknownSince: row.unknown_since,
  asks: row.asks,
  nextAskAt: row.next_ask_at,
  completedAt: row.completed_at,
  rejectedAt: row.rejected_at,
  reviewSince: row.review_since,
  detail: row.detail
})

const refundsFrom = entitiesFrom(RefundRow, Refund.Refund, rowToRefund)

/** Refunds on MySQL. */
export const layer = Layer.effect(
  RefundRepository,
  Effect.gen(function* () {
    const sql = yield* SqlClient
    const { read, write } = yield* Statements
    const columns = columnsOf(sql, RefundRow)

    const refundIds = (operation: string, statement: Parameters<typeof idsFrom>[0]) =>
      Effect.map(read(operation)(idsFrom(statement)), (ids) => ids.map((id) => RefundId.make(id)))

    return RefundRepository.of({
      insert: Effect.fn("RefundRepository.insert")((refund: Refund.Refund) =>
        write("RefundRepository.insert")(
          orExists(insertRows(sql, "refund", [encodeRow(refundToRow(refund))]), "refund", refund.id)
        )
      ),

      findById: Effect.fn("RefundRepository.findById")((id: RefundId) =>
        Effect.map(
          read("RefundRepository.findById")(refundsFrom(sql`SELECT ${columns} FROM refund WHERE id = ${toBytes(id)}`)),
          first
        )
      ),

      update: Effect.fn("RefundRepository.update")((refund: Refund.Refund) => {
        const { id, ...row } = encodeRow(refundToRow(refund))
        return write("RefundRepository.update")(
          orStale(
            sql`UPDATE refund SET ${sql.update({ ...row, version: refund.version + 1 })}
              WHERE id = ${id} AND version = ${refund.version}`,
            "refund",
            refund.id
          )
        )
      }),

      listByOrder: Effect.fn("RefundRepository.listByOrder")((id: OrderId) =>
        read("RefundRepository.listByOrder")(
          refundsFrom(
            sql`SELECT ${columns} FROM refund WHERE order_id = ${toBytes(id)}
              ORDER BY requested_at, id LIMIT ${refundsListedMax}`
          )
        )
      ),

      listByAttempt: Effect.fn("RefundRepository.listByAttempt")((id: AttemptId) =>
        read("RefundRepository.listByAttempt")(
          refundsFrom(
            sql`SELECT ${columns} FROM refund WHERE attempt_id = ${toBytes(id)}
              ORDER BY requested_at, id LIMIT ${refundsListedMax}`
          )
        )
      ),

      listRequested: Effect.fn("RefundRepository.listRequested")((limit: number) =>
        refundIds(
          "RefundRepository.listRequested",
          sql`SELECT id FROM refund WHERE state = 'Requested' ORDER BY requested_at, id LIMIT ${limit}`
        )
      ),

      listAbandonedBySender: Effect.fn("RefundRepository.listAbandonedBySender")(
        (databaseNow: DateTime.Utc, limit: number) =>
          refundIds(
            "RefundRepository.listAbandonedBySender",
            sql`SELECT id FROM refund WHERE state = 'Sent' AND lease_expires_at <= ${toInstantText(databaseNow)}
              ORDER BY lease_expires_at, id LIMIT ${limit}`
          )
      ),

      listToAskAbout: Effect.fn("RefundRepository.listToAskAbout")((at: DateTime.Utc, limit: number) =>
        refundIds(
          "RefundRepository.listToAskAbout",
          sql`SELECT id FROM refund WHERE state = 'Unknown' AND next_ask_at <= ${toInstantText(at)}
            ORDER BY next_ask_at, id LIMIT ${limit}`
        )
      )
    })
  })
)
