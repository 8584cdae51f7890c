/**
 * How a store of ours can fail.
 *
 * All ports that keep rows share these two errors: the caller's choice is the same whichever of them failed.
 *
 * @since 0.1.0
 */
import { Schema } from "effect"

/**
 * The store could not do what was asked.
 *
 * **Details**
 *
 * `unavailable`: not reached, or no connection in time. `timedOut`: given up on a slow statement. `conflict`: rivals won
 * every try of a transaction. `outcomeUnknown`: the connection was lost while committing, so that the change may have
 * happened; read your own row again. `failed`: anything else.
 */
export class StorageError extends Schema.TaggedError<StorageError>("@pillivery/application/StorageError")(
  "StorageError",
  {
    operation: Schema.String,
    reason: Schema.Literals(["unavailable", "timedOut", "conflict", "outcomeUnknown", "failed"]),
    cause: Schema.Defect()
  }
) {
  /** Whether the same request may succeed a little later without having happened. */
  get isRetryable(): boolean {
    return this.reason === "unavailable" || this.reason === "timedOut" || this.reason === "conflict"
  }
  override get message() {
    return `${this.operation}: storage ${this.reason}`
  }
}

/** Whether the store is away, so that the same may succeed a little later. */
export const isAway = (error: unknown): error is StorageError => error instanceof StorageError && error.isRetryable

/** Another writer changed the row since it was read, or holds the slot: nothing was written, read again. */
export class StaleWrite extends Schema.TaggedError<StaleWrite>("@pillivery/application/StaleWrite")("StaleWrite", {
  entity: Schema.String,
  id: Schema.String
}) {
  override get message() {
    return `${this.entity} ${this.id} was changed by another writer`
  }
}

/** A row with this key exists already: somebody, perhaps an earlier try of ours, wrote it. */
export class AlreadyExists extends Schema.TaggedError<AlreadyExists>("@pillivery/application/AlreadyExists")(
  "AlreadyExists",
  { entity: Schema.String, key: Schema.String }
) {
  override get message() {
    return `${this.entity} ${this.key} exists already`
  }
}
