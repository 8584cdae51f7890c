/**
 * What is remembered outside the database: the newest charge that was written down in it.
 *
 * A database that was restored from a backup, or that lost its last commits in a failover, does not know that it forgot.
 * A charge that is remembered here and missing there tells.
 *
 * @since 0.1.0
 */
import type { AttemptId } from "@pillivery/domain/Ids"
import { Context, Effect, Latch, Option, Schema, type Scope } from "effect"

/** The mark could not be read or written. */
export class MarkUnavailable extends Schema.TaggedError<MarkUnavailable>("@pillivery/application/MarkUnavailable")(
  "MarkUnavailable",
  { place: Schema.String, cause: Schema.Defect() }
) {
  override get message() {
    return `the ledger's mark in ${this.place} is not available`
  }
}

/**
 * The mark.
 *
 * **Details**
 *
 * `note` costs nothing: what was noted is kept by the next second, and when the process ends. Of several processes with one
 * mark the newest charge is kept.
 */
export interface Mark {
  readonly note: (id: AttemptId) => void
  readonly find: Effect.Effect<Option.Option<AttemptId>, MarkUnavailable>
  readonly forget: Effect.Effect<void, MarkUnavailable>
}

/** The mark in force; without one nothing is remembered. */
export const LedgerMark = Context.Reference<Mark>("@pillivery/application/LedgerMark", {
  defaultValue: () => ({ note: () => undefined, find: Effect.succeed(Option.none()), forget: Effect.void })
})

/** Where a mark is kept; `keep` leaves a newer one alone. */
export interface Place {
  readonly find: Effect.Effect<Option.Option<AttemptId>, MarkUnavailable>
  readonly keep: (id: AttemptId) => Effect.Effect<void, MarkUnavailable>
  readonly forget: Effect.Effect<void, MarkUnavailable>
}

/** How long after something was noted it is kept, and how often a place that is away is tried. */
export const keepAfter = "1 second"

/** A mark that is kept in a place, at most once a second and when the scope closes. Ids are ordered by their time. */
export const keptIn = Effect.fnUntraced(function* (place: Place): Effect.fn.Return<Mark, never, Scope.Scope> {
  const isNoted = yield* Latch.make()
  let newest: AttemptId | null = null
  const keep = Effect.gen(function* () {
    yield* isNoted.close
    if (newest !== null) yield* place.keep(newest)
  }).pipe(Effect.catch((error) => Effect.andThen(isNoted.open, Effect.logWarning(error.message, error))))
  yield* Effect.addFinalizer(() => keep)
  yield* isNoted.await.pipe(
    Effect.andThen(Effect.sleep(keepAfter)),
    Effect.andThen(keep),
    Effect.forever,
    Effect.forkScoped
  )
  return {
    note: (id) => {
      if (newest !== null && newest >= id) return
      newest = id
      isNoted.openUnsafe()
    },
    find: Effect.andThen(keep, place.find),
    forget: Effect.andThen(
      Effect.sync(() => void (newest = null)),
      place.forget
    )
  }
})
