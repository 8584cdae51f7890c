/**
 * One try of a transaction, known to the statements inside it.
 *
 * @since 0.1.0
 */
import type * as Bulkhead from "@pillivery/application/resilience/Bulkhead"
import { type Array as Arr, type Cause, Context, Semaphore } from "effect"
import type { BatchStatement } from "./Together.ts"

/** Writes of one kind. */
interface Batch {
  readonly items: Array<unknown>
  readonly statements: () => ReadonlyArray<BatchStatement>
}

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
  /**
   * One statement at a time. A deadlock ends the transaction in the server at once, and what was sent behind the statement that
   * lost would commit by itself. So a repository's statement never waits for another one inside itself.
   */
  readonly turns = Semaphore.makeUnsafe(1)
  readonly #putOff = new Map<unknown, Batch>()

  constructor(owner: Bulkhead.Bulkhead, isShared: boolean) {
    this.owner = owner
    this.isShared = isShared
  }

  get hasPutOff(): boolean {
    return this.#putOff.size > 0
  }

  /** Puts a write off; those of one kind become one, in the order in which the kinds came first. */
  putOff<Item>(
    kind: { readonly many: (items: Arr.NonEmptyReadonlyArray<Item>) => ReadonlyArray<BatchStatement> },
    item: Item
  ): void {
    const known = this.#putOff.get(kind)
    if (known !== undefined) {
      known.items.push(item)
      return
    }
    const items: Arr.NonEmptyArray<Item> = [item]
    this.#putOff.set(kind, { items, statements: () => kind.many(items) })
  }

  /** The statements of what was put off, which is no longer so. */
  takePutOff(): ReadonlyArray<BatchStatement> {
    const batches = [...this.#putOff.values()]
    this.#putOff.clear()
    return batches.flatMap(({ statements }) => statements())
  }
}

/** The transaction around an effect. */
export const CurrentTry = Context.Reference<Try | null>("@pillivery/adapters-mysql/Transaction/CurrentTry", {
  defaultValue: () => null
})
