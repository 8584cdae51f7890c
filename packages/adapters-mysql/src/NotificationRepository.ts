/**
 * What users are told.
 *
 * @since 0.1.0
 */
import { Notification, NotificationRepository } from "@pillivery/application/ports/NotificationRepository"
import type { PageRequest } from "@pillivery/application/ports/Page"
import type { UserId } from "@pillivery/domain/Ids"
import { type DateTime, Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import { Instant, nullOr, toBytes, toInstantText, Uuid } from "./internal/Columns.ts"
import { columnsOf, entitiesFrom, offsetOf, totalFrom } from "./internal/Rows.ts"
import { Statements } from "./Transaction.ts"

const NotificationRow = Schema.Struct({
  id: Schema.String,
  user_id: Uuid,
  kind: Schema.String,
  korean: Schema.String,
  english: Schema.String,
  sent_at: Instant,
  read_at: nullOr(Instant)
})

const encodeRow = Schema.encodeSync(NotificationRow)

const notificationsFrom = entitiesFrom(NotificationRow, Notification, (row) => ({
  id: row.id,
  userId: row.user_id,
  kind: row.kind,
  korean: row.korean,
  english: row.english,
  at: row.sent_at,
  readAt: row.read_at
}))

/** Notifications on MySQL. */
export const layer = Layer.effect(
  NotificationRepository,
  Effect.gen(function* () {
    const sql = yield* SqlClient
    const { read, write } = yield* Statements
    const columns = columnsOf(sql, NotificationRow)

    return NotificationRepository.of({
      insert: Effect.fn("NotificationRepository.insert")((notification: Notification) => {
        const row = encodeRow({
          id: notification.id,
          user_id: notification.userId,
          kind: notification.kind,
          korean: notification.korean,
          english: notification.english,
          sent_at: notification.at,
          read_at: notification.readAt
        })
        return Effect.asVoid(
          write("NotificationRepository.insert")(
            sql`INSERT INTO notification ${sql.insert(row)} ON DUPLICATE KEY UPDATE id = id`
          )
        )
      }),

      listByUser: Effect.fn("NotificationRepository.listByUser")(function* (userId: UserId, page: PageRequest) {
        const operation = "NotificationRepository.listByUser"
        const user = toBytes(userId)
        const totalElements = yield* read(operation)(
          totalFrom(sql`SELECT COUNT(*) AS total FROM notification WHERE user_id = ${user}`)
        )
        const data = yield* read(operation)(
          notificationsFrom(
            sql`SELECT ${columns} FROM notification WHERE user_id = ${user}
              ORDER BY sent_at DESC, id DESC LIMIT ${page.size} OFFSET ${offsetOf(page)}`
          )
        )
        return { data, totalElements }
      }),

      markRead: Effect.fn("NotificationRepository.markRead")((userId: UserId, id: string, at: DateTime.Utc) =>
        write("NotificationRepository.markRead")(
          Effect.gen(function* () {
            const user = toBytes(userId)
            yield* sql`UPDATE notification SET read_at = ${toInstantText(at)}
              WHERE id = ${id} AND user_id = ${user} AND read_at IS NULL`
            return (
              (yield* totalFrom(
                sql`SELECT COUNT(*) AS total FROM notification WHERE id = ${id} AND user_id = ${user}`
              )) > 0
            )
          })
        )
      )
    })
  })
)
