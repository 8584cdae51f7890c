/**
 * One at a time, across servers. It saves work; it never protects money.
 *
 * @since 0.1.0
 */
import { Context, type Effect, Schema } from "effect"

/** How long a caller waits for the lock, in milliseconds. */
export const lockWaitMillis = 3_000
/** How long the lock lasts without renewal, in milliseconds. */
export const lockLeaseMillis = 5_000

/** The lock is held elsewhere, or its store is gone: callers go on without it or leave the work to the holder. */
export class LockUnavailable extends Schema.TaggedError<LockUnavailable>("@pillivery/application/LockUnavailable")(
  "LockUnavailable",
  { key: Schema.String, reason: Schema.Literals(["held", "storeGone"]) }
) {
  override get message() {
    return this.reason === "held" ? `lock ${this.key} is held` : `lock ${this.key}: its store is gone`
  }
}

/** Named locks with a lease that is renewed while the effect runs and released only by its holder. */
export class DistributedLock extends Context.Service<
  DistributedLock,
  {
    readonly withLock: (
      key: string,
      options?: { readonly waitMillis?: number }
    ) => <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E | LockUnavailable, R>
  }
>()("@pillivery/application/DistributedLock") {}
