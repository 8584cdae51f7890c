/**
 * Reading the rows to see whether the rules between them hold.
 *
 * @since 0.1.0
 */
import type { AttemptId } from "@pillivery/domain/Ids"
import { Context, type DateTime, type Effect } from "effect"
import type { RuleName, Subject } from "../Billing/Invariants.ts"
import type { StorageError } from "./StorageError.ts"

/** Some rows of one kind, by the order of their ids: those after `after` up to `until`; null means from the first, to the last. */
export interface Chunk {
  readonly subject: Subject
  readonly after: string | null
  readonly until: string | null
  readonly rows: number
}

/** A row that breaks a rule. A cycle is named by its subscription and number. */
export interface Broken {
  readonly id: string
  readonly number: number | null
  /** What the row says, and what it should. */
  readonly found: string
}

/** What rules about time are compared with; `now` is business time. */
export interface Moment {
  readonly now: DateTime.Utc
}

/**
 * The rows as an auditor reads them. Nothing is written, nothing is locked.
 *
 * **Details**
 *
 * `broken` sees all rows as they are at one moment, so that a transaction which commits meanwhile is seen wholly or not
 * at all, and a row that breaks a rule really does.
 */
export class Audit extends Context.Service<
  Audit,
  {
    /** The next rows of a kind, at most `limit` and the rest of the last one's siblings; null after the last. */
    readonly chunk: (subject: Subject, after: string | null, limit: number) => Effect.Effect<Chunk | null, StorageError>
    /** Every row of the chunk that breaks the rule, in the order of ids. */
    readonly broken: (
      rule: RuleName,
      chunk: Chunk,
      moment: Moment
    ) => Effect.Effect<ReadonlyArray<Broken>, StorageError>
    /** The attempts made last among those that are approved, newest first. */
    readonly lastApproved: (limit: number) => Effect.Effect<ReadonlyArray<AttemptId>, StorageError>
  }
>()("@pillivery/application/Audit") {}
