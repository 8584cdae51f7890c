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
  { readonly run: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E | StorageError, R> }
>()("@pillivery/application/Transaction") {}
