/**
 * Reading what the shop knows of oneself.
 *
 * @since 0.1.0
 */
import { UserId } from "@pillivery/domain/Ids"
import { Effect, Option, Schema } from "effect"
import { BusinessClock } from "../ports/BusinessClock.ts"
import { NotificationRepository } from "../ports/NotificationRepository.ts"
import type { PageRequest } from "../ports/Page.ts"
import { UserRepository } from "../ports/UserRepository.ts"

/** The user has left, or never was. */
export class UserGone extends Schema.TaggedError<UserGone>("@pillivery/application/Users/UserGone")("UserGone", {
  userId: UserId
}) {
  override get message() {
    return `there is no user ${this.userId}`
  }
}

/** The user as the user sees it. */
export const getMe = Effect.fn("getMe")(function* (userId: UserId) {
  const found = yield* (yield* UserRepository).findById(userId)
  return Option.isSome(found) && found.value._tag === "Active" ? found.value : yield* new UserGone({ userId })
})

/** What the user was told, newest first. */
export const listNotifications = Effect.fn("listNotifications")(function* (userId: UserId, page: PageRequest) {
  return yield* (yield* NotificationRepository).listByUser(userId, page)
})

/** There is no such notification, or it is somebody else's. */
export class NotificationNotFound extends Schema.TaggedError<NotificationNotFound>(
  "@pillivery/application/Users/NotificationNotFound"
)("NotificationNotFound", { notificationId: Schema.String }) {
  override get message() {
    return "there is no such notification"
  }
}

/** The user has read a notification; reading it again changes nothing. */
export const readNotification = Effect.fn("readNotification")(function* (userId: UserId, notificationId: string) {
  const at = yield* (yield* BusinessClock).now
  const isThere = yield* (yield* NotificationRepository).markRead(userId, notificationId, at)
  if (!isThere) return yield* new NotificationNotFound({ notificationId })
})
