/**
 * What waits for a person, on MySQL.
 *
 * @since 0.1.0
 */
import {
  type Decision,
  listedMax,
  ManualReviews,
  subjects,
  type Subject,
  type Waiting
} from "@pillivery/application/ports/ManualReviews"
import { UserId } from "@pillivery/domain/Ids"
import { Won } from "@pillivery/domain/Won"
import { Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import { Instant, nullOr, toBytes, toInstantText, Uuid } from "./internal/Columns.ts"
import { Statements } from "./Transaction.ts"

const decodeWaiting = Schema.decodeUnknownEffect(
  Schema.Array(
    Schema.Struct({
      id: Uuid,
      user_id: Uuid,
      amount: Schema.NullOr(Won),
      since: nullOr(Instant),
      detail: Schema.String
    })
  )
)

const decodeDecisions = Schema.decodeUnknownEffect(
  Schema.Array(
    Schema.Struct({
      id: Uuid,
      subject: Schema.Literals(subjects),
      subject_id: Uuid,
      decision: Schema.String,
      decided_by: Schema.String,
      why: Schema.String,
      transaction_id: Schema.NullOr(Schema.String),
      decided_at: Instant
    })
  )
)

/** What waits in one database. */
export const layer = Layer.effect(
  ManualReviews,
  Effect.gen(function* () {
    const sql = yield* SqlClient
    const { read, write } = yield* Statements

    const rowsOf = (subject: Subject) => {
      switch (subject) {
        case "attempt":
          return sql`SELECT id, user_id, amount, review_since AS since, detail FROM attempt WHERE state = 'ManualReview'`
        case "reference":
          return sql`SELECT awaiting_reference AS id, user_id, approved AS amount, settled_at AS since, state AS detail
            FROM attempt WHERE awaiting_reference IS NOT NULL`
        case "refund":
          return sql`SELECT id, user_id, amount, review_since AS since, detail FROM refund WHERE state = 'ManualReview'`
        case "billingKey":
          return sql`SELECT id, user_id, NULL AS amount, NULL AS since, state AS detail
            FROM billing_key WHERE state = 'Frozen'`
      }
    }
    const idOf = (subject: Subject) => sql.literal(subject === "reference" ? "awaiting_reference" : "id")

    return ManualReviews.of({
      list: Effect.fn("ManualReviews.list")(function* (subject: Subject, { after, limit }) {
        const behind = after === null ? sql.literal("TRUE") : sql`${idOf(subject)} > ${toBytes(after)}`
        const rows = yield* read("ManualReviews.list")(
          Effect.flatMap(
            sql`${rowsOf(subject)} AND ${behind} ORDER BY ${idOf(subject)} LIMIT ${Math.min(limit, listedMax)}`,
            decodeWaiting
          )
        )
        return rows.map(({ user_id, ...row }): Waiting => ({ subject, ...row, userId: UserId.make(user_id) }))
      }),

      record: Effect.fn("ManualReviews.record")((decision: Decision) =>
        write("ManualReviews.record")(
          Effect.asVoid(
            sql`INSERT INTO operator_decision
                (id, subject, subject_id, decision, decided_by, why, transaction_id, decided_at)
              VALUES (${toBytes(decision.id)}, ${decision.subject}, ${toBytes(decision.subjectId)}, ${decision.decision},
                ${decision.by}, ${decision.why}, ${decision.transactionId}, ${toInstantText(decision.at)})`
          )
        )
      ),

      decisionsOf: Effect.fn("ManualReviews.decisionsOf")(function* (subjectId: string) {
        const rows = yield* read("ManualReviews.decisionsOf")(
          Effect.flatMap(
            sql`SELECT id, subject, subject_id, decision, decided_by, why, transaction_id, decided_at
              FROM operator_decision WHERE subject_id = ${toBytes(subjectId)}
              ORDER BY decided_at, id LIMIT ${listedMax}`,
            decodeDecisions
          )
        )
        return rows.map((row): Decision => ({
          id: row.id,
          subject: row.subject,
          subjectId: row.subject_id,
          decision: row.decision,
          by: row.decided_by,
          why: row.why,
          transactionId: row.transaction_id,
          at: row.decided_at
        }))
      })
    })
  })
)
