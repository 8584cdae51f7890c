/**
 * All or nothing.
 *
 * @since 0.1.0
 */
import { Context, type Effect } from "effect"
import type { StorageError } from "./StorageError.ts"

/**
 * Runs writes of several repositories as one.
 *
 * **Details**
 *
 * A failure or interruption of the effect rolls everything back. A transaction begun inside another joins it. The whole
 * effect may be run again after a deadlock, so it does nothing but read and write rows. Never call a provider inside.
 */
export class Transaction extends Context.Service<
  Transaction,
  {
    readonly run: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E | StorageError, R>
    /**
     * As `run`, and may share one transaction with others of its kind that wait at the same time.
     *
     * **Details**
     *
     * Each succeeds or fails by itself all the same: when one of them fails, nothing of the shared transaction stays and
     * each runs in one of its own. Whoever is interrupted only stops waiting: the writes may be made. Give effects that
     * do much the same and touch different rows the same kind.
     */
    readonly runShared: (
      kind: string
    ) => <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E | StorageError, R>
  }
>()("@pillivery/application/Transaction") {}
