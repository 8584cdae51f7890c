/**
 * Trying again when a rival was first.
 *
 * @since 0.1.0
 */
import { Effect, Schedule } from "effect"
import { StaleWrite } from "./ports/StorageError.ts"

/** How often a transaction is begun again because a rival changed its rows. */
export const staleRetriesMax = 8

const pause = Schedule.exponential("2 millis").pipe(Schedule.jittered)

const isStale = (error: unknown): boolean => error instanceof StaleWrite

/** Begins the whole effect again, with fresh reads, when another writer was first; gives up after {@link staleRetriesMax}. */
export const retryStale = <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  // Hardly anybody meets a rival, so the schedule is made when one was met.
  Effect.catch(self, (error) =>
    isStale(error)
      ? Effect.retry(self, { while: isStale, times: staleRetriesMax - 1, schedule: pause })
      : Effect.fail(error)
  )
