/**
 * Notifications in memory.
 *
 * @since 0.1.0
 */
import { Notification, NotificationRepository } from "@pillivery/application/ports/NotificationRepository"
import { Effect, Layer, Result } from "effect"
import * as Table from "./internal/Table.ts"
import { Store } from "./Store.ts"

/** The table of notifications. */
export const notifications = Table.define<Notification>()({
  name: "notification",
  idOf: (notification) => notification.id,
  indexes: { user: (notification) => `${notification.userId}/${Table.timeKey(notification.at)}` }
})

/** Notifications of one store. */
export const layer = Layer.effect(
  NotificationRepository,
  Effect.map(Store, (store) =>
    NotificationRepository.of({
      insert: (notification) =>
        store.write("NotificationRepository.insert", (rows) =>
          Result.succeed(
            rows.get(notifications, notification.id) === undefined ? rows.put(notifications, notification) : undefined
          )
        ),
      listByUser: (userId, page) =>
        store.read("NotificationRepository.listByUser", (rows) =>
          rows.pageBackwards(notifications, "user", `${userId}/`, page)
        ),
      markRead: (userId, id, at) =>
        store.write("NotificationRepository.markRead", (rows) => {
          const found = rows.get(notifications, id)
          if (found?.userId !== userId) return Result.succeed(false)
          if (found.readAt === null) rows.put(notifications, new Notification({ ...found, readAt: at }))
          return Result.succeed(true)
        })
    })
  )
)
