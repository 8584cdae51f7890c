/**
 * The time of business.
 *
 * @since 0.1.0
 */
import { Context, type DateTime, type Duration, type Effect, Schema } from "effect"
import type { StorageError } from "./StorageError.ts"

/** The clock may not be moved here: it follows the database except in tests against a local provider. */
export class ClockIsFixed extends Schema.TaggedError<ClockIsFixed>("@pillivery/application/ClockIsFixed")(
  "ClockIsFixed",
  {}
) {
  override get message() {
    return "the business clock can only be moved with PILLIVERY_TEST_CLOCK=1 and a provider on this machine"
  }
}

/** One moment as business and as leases see it. */
export interface Times {
  readonly now: DateTime.Utc
  readonly databaseNow: DateTime.Utc
}

/**
 * One clock for every server: the database's time plus an offset kept in one row.
 *
 * **Details**
 *
 * Dates, sent times, grace times and schedules of asking follow `now`. Only leases follow `databaseNow`, which no offset
 * moves.
 */
export class BusinessClock extends Context.Service<
  BusinessClock,
  {
    readonly now: Effect.Effect<DateTime.Utc, StorageError>
    readonly databaseNow: Effect.Effect<DateTime.Utc, StorageError>
    /** Both, of one moment. */
    readonly times: Effect.Effect<Times, StorageError>
    readonly offset: Effect.Effect<Duration.Duration, StorageError>
    /** Moves `now` forward for everybody; tests and demos only. */
    readonly advance: (by: Duration.Duration) => Effect.Effect<void, StorageError | ClockIsFixed>
  }
>()("@pillivery/application/BusinessClock") {}
