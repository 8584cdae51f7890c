/**
 * What users are told.
 *
 * @since 0.1.0
 */
import { UserId } from "@pillivery/domain/Ids"
import { Context, type DateTime, type Effect, Schema } from "effect"
import type { Page, PageRequest } from "./Page.ts"
import type { StorageError } from "./StorageError.ts"

/** One message to one user, in Korean and English; `id` is the id of the event that caused it. */
export class Notification extends Schema.Class<Notification>("@pillivery/application/Notification")({
  id: Schema.String,
  userId: UserId,
  kind: Schema.String,
  korean: Schema.String,
  english: Schema.String,
  at: Schema.DateTimeUtc,
  readAt: Schema.NullOr(Schema.DateTimeUtc)
}) {}

/** Notifications, by id. */
export class NotificationRepository extends Context.Service<
  NotificationRepository,
  {
    /** Writing the same id again changes nothing. */
    readonly insert: (notification: Notification) => Effect.Effect<void, StorageError>
    /** Newest first. */
    readonly listByUser: (userId: UserId, page: PageRequest) => Effect.Effect<Page<Notification>, StorageError>
    /** Notes when the user read it, the first time; answers whether the user has such a notification. */
    readonly markRead: (userId: UserId, id: string, at: DateTime.Utc) => Effect.Effect<boolean, StorageError>
  }
>()("@pillivery/application/NotificationRepository") {}
