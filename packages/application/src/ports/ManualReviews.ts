/**
 * What waits for a person, and what persons decided.
 *
 * @since 0.1.0
 */
import type { UserId } from "@pillivery/domain/Ids"
import type { Won } from "@pillivery/domain/Won"
import { Context, type DateTime, type Effect } from "effect"
import type { StorageError } from "./StorageError.ts"

/** What may wait: attempts and refunds in review, approvals without a name at the provider, frozen billing keys. */
export const subjects = ["attempt", "reference", "refund", "billingKey"] as const
/** One kind of what may wait. */
export type Subject = (typeof subjects)[number]

/** Rows listed at most at once. */
export const listedMax = 500
/** The longest name of who decided, in characters. */
export const byLengthMax = 100
/** The longest reason, in characters. */
export const whyLengthMax = 500

/** One thing that waits for a person. */
export interface Waiting {
  readonly subject: Subject
  readonly id: string
  readonly userId: UserId
  /** Won; null for a billing key. */
  readonly amount: Won | null
  /** Since when; null for a billing key. */
  readonly since: DateTime.Utc | null
  readonly detail: string
}

/** What a person decided of an attempt, a refund or a billing key, and why. */
export interface Decision {
  readonly id: string
  readonly subject: Subject
  readonly subjectId: string
  readonly decision: string
  readonly by: string
  readonly why: string
  /** The provider's name of the payment that the person gave. */
  readonly transactionId: string | null
  readonly at: DateTime.Utc
}

/** What waits for a person. Decisions are written in the transaction that acts on them, and never changed. */
export class ManualReviews extends Context.Service<
  ManualReviews,
  {
    /** In the order of ids after `after`; at most `limit`, itself at most `listedMax`. */
    readonly list: (
      subject: Subject,
      page: { readonly after: string | null; readonly limit: number }
    ) => Effect.Effect<ReadonlyArray<Waiting>, StorageError>
    readonly record: (decision: Decision) => Effect.Effect<void, StorageError>
    /** Oldest first, at most `listedMax`. */
    readonly decisionsOf: (subjectId: string) => Effect.Effect<ReadonlyArray<Decision>, StorageError>
  }
>()("@pillivery/application/ManualReviews") {}
