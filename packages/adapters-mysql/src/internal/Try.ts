/**
 * One try of a transaction, known to the statements inside it.
 *
 * @since 0.1.0
 */
import type * as Bulkhead from "@pillivery/application/resilience/Bulkhead"
import { type Cause, Context } from "effect"

/** One try of a transaction. */
export class Try {
  /** The pool it runs on; a transaction on another database is none of ours. */
  readonly owner: Bulkhead.Bulkhead
  /** Whether several callers share it, whose like statements are made one. */
  readonly isShared: boolean
  /** Why it can no longer commit. */
  doomedBy: Cause.Cause<unknown> | null = null
  /** What failed around the caller's effect: getting a connection, BEGIN or COMMIT. */
  controlFailure: { readonly at: "begin" | "commit"; readonly error: unknown } | null = null
  hasEnded = false

  constructor(owner: Bulkhead.Bulkhead, isShared: boolean) {
    this.owner = owner
    this.isShared = isShared
  }
}

/** The transaction around an effect. */
export const CurrentTry = Context.Reference<Try | null>("@pillivery/adapters-mysql/Transaction/CurrentTry", {
  defaultValue: () => null
})
