/**
 * Reviews, one for each user and item.
 *
 * @since 0.1.0
 */
import type { PageRequest } from "@pillivery/application/ports/Page"
import { ReviewRepository, type ReviewSort } from "@pillivery/application/ports/ReviewRepository"
import type { ItemId, ReviewId, UserId } from "@pillivery/domain/Ids"
import * as Review from "@pillivery/domain/Review"
import { Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import type { Fragment } from "effect/sql/Statement"
import { fieldOrNull, Instant, nullOr, rowWriter, toBytes, Uuid } from "./internal/Columns.ts"
import { columnsOf, entitiesFrom, first, insertsOf, offsetOf, totalFrom, updatesOf } from "./internal/Rows.ts"
import { Statements } from "./Transaction.ts"

const ReviewRow = Schema.Struct({
  id: Uuid,
  user_id: Uuid,
  item_id: Uuid,
  order_id: Uuid,
  state: Schema.String,
  stars: Schema.Int,
  content: Schema.String,
  written_at: Instant,
  changed_at: Instant,
  removed_at: nullOr(Instant),
  version: Schema.Int
})

const encodeRow = rowWriter(ReviewRow)

const reviewToRow = (review: Review.Review): typeof ReviewRow.Type => ({
  id: review.id,
  user_id: review.userId,
  item_id: review.itemId,
  order_id: review.orderId,
  state: review._tag,
  stars: review.stars,
  content: review.content,
  written_at: review.writtenAt,
  changed_at: review.changedAt,
  removed_at: fieldOrNull(review, "removedAt"),
  version: review.version
})

/** All fields of all states; the union takes those of the row's state and refuses a row that lacks one. */
const rowToReview = (row: typeof ReviewRow.Type) => ({
  _tag: row.state,
  id: row.id,
  userId: row.user_id,
  itemId: row.item_id,
  orderId: row.order_id,
  stars: row.stars,
  content: row.content,
  writtenAt: row.written_at,
  changedAt: row.changed_at,
  removedAt: row.removed_at,
  version: row.version
})

const reviewsFrom = entitiesFrom(ReviewRow, Review.Review, rowToReview)
const activesFrom = entitiesFrom(ReviewRow, Review.Active, rowToReview)

/** Reviews on MySQL. */
export const layer = Layer.effect(
  ReviewRepository,
  Effect.gen(function* () {
    const sql = yield* SqlClient
    const { read, write } = yield* Statements
    const columns = columnsOf(sql, ReviewRow)
    const reviews = {
      sql,
      table: "review",
      entity: "review",
      idOf: (review: Review.Review) => review.id,
      toRow: (review: Review.Review) => encodeRow(reviewToRow(review))
    }

    const orders: Readonly<Record<ReviewSort, Fragment>> = {
      NEWEST: sql`written_at DESC, id DESC`,
      OLDEST: sql`written_at, id`,
      STAR_H: sql`stars DESC, written_at DESC, id DESC`,
      STAR_L: sql`stars, written_at DESC, id DESC`
    }

    const pageOf = Effect.fnUntraced(function* (
      operation: string,
      whose: Fragment,
      sort: ReviewSort,
      page: PageRequest
    ) {
      const where = sql`WHERE ${whose} AND state = 'Active'`
      const totalElements = yield* read(operation)(totalFrom(sql`SELECT COUNT(*) AS total FROM review ${where}`))
      const data = yield* read(operation)(
        activesFrom(
          sql`SELECT ${columns} FROM review ${where}
            ORDER BY ${orders[sort]} LIMIT ${page.size} OFFSET ${offsetOf(page)}`
        )
      )
      return { data, totalElements }
    })

    return ReviewRepository.of({
      insert: Effect.fn("ReviewRepository.insert")((review: Review.Review) =>
        write("ReviewRepository.insert")(insertsOf(reviews).one(review))
      ),

      findById: Effect.fn("ReviewRepository.findById")((id: ReviewId) =>
        Effect.map(
          read("ReviewRepository.findById")(reviewsFrom(sql`SELECT ${columns} FROM review WHERE id = ${toBytes(id)}`)),
          first
        )
      ),

      findByUserAndItem: Effect.fn("ReviewRepository.findByUserAndItem")((userId: UserId, itemId: ItemId) =>
        Effect.map(
          read("ReviewRepository.findByUserAndItem")(
            reviewsFrom(
              sql`SELECT ${columns} FROM review WHERE user_id = ${toBytes(userId)} AND item_id = ${toBytes(itemId)}`
            )
          ),
          first
        )
      ),

      update: Effect.fn("ReviewRepository.update")((review: Review.Review) =>
        write("ReviewRepository.update")(
          updatesOf(reviews, { keys: ["id"], fixed: ["user_id", "item_id"] }).one(review)
        )
      ),

      listByItem: Effect.fn("ReviewRepository.listByItem")((itemId: ItemId, sort: ReviewSort, page: PageRequest) =>
        pageOf("ReviewRepository.listByItem", sql`item_id = ${toBytes(itemId)}`, sort, page)
      ),

      listByUser: Effect.fn("ReviewRepository.listByUser")((userId: UserId, page: PageRequest) =>
        pageOf("ReviewRepository.listByUser", sql`user_id = ${toBytes(userId)}`, "NEWEST", page)
      )
    })
  })
)
