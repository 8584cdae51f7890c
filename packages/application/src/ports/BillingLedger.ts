/**
 * Where billing cycles and billing runs are kept.
 *
 * @since 0.1.0
 */
import type { BillingCycle } from "@pillivery/domain/BillingCycle"
import { BusinessDate } from "@pillivery/domain/BusinessDate"
import type { SubscriptionId } from "@pillivery/domain/Ids"
import { Context, type DateTime, type Effect, type Option, Schema } from "effect"
import type { Page, PageRequest } from "./Page.ts"
import type { AlreadyExists, StaleWrite, StorageError } from "./StorageError.ts"

/** Names one cycle. */
export interface CycleKey {
  readonly subscriptionId: SubscriptionId
  readonly number: number
}

/** What a run still owes an answer for a date. */
export interface Owed {
  /** Chargeable cycles of subscriptions that are active or past due, and keys waited for to the end of the ladder. */
  readonly due: number
  /** Sent and not answered. */
  readonly inFlight: number
  /** Outcome unknown or in review. */
  readonly inDoubt: number
}

/** What one run did so far. */
export const RunCounts = Schema.Struct({
  charged: Schema.Int,
  declined: Schema.Int,
  notExecuted: Schema.Int,
  unknown: Schema.Int,
  skipped: Schema.Int,
  cancelled: Schema.Int
})
export type RunCounts = typeof RunCounts.Type

/** One run of a billing job for one business date. */
export class BillingRun extends Schema.Class<BillingRun>("@pillivery/application/BillingLedger/BillingRun")({
  job: Schema.String,
  date: BusinessDate,
  status: Schema.Literals(["Running", "Stopped", "Completed"]),
  startedAt: Schema.DateTimeUtc,
  finishedAt: Schema.NullOr(Schema.DateTimeUtc),
  counts: RunCounts
}) {}

/** Another date of this job is being run by a living worker. */
export class AnotherRunActive extends Schema.TaggedError<AnotherRunActive>("@pillivery/application/AnotherRunActive")(
  "AnotherRunActive",
  { job: Schema.String, date: BusinessDate }
) {
  override get message() {
    return `job ${this.job} is running for ${this.date}`
  }
}

/**
 * Cycles, unique by subscription and number, and runs, unique by job and date.
 *
 * **Details**
 *
 * `updateCycle` succeeds only at the version read and then stores the next one. `listDue` is paged by key, so that
 * rows which the run itself changes neither hide others nor come twice.
 */
export class BillingLedger extends Context.Service<
  BillingLedger,
  {
    readonly insertCycle: (cycle: BillingCycle) => Effect.Effect<void, StorageError | AlreadyExists>
    readonly findCycle: (key: CycleKey) => Effect.Effect<Option.Option<BillingCycle>, StorageError>
    /** The one cycle of a subscription that is not closed. */
    readonly findOpenCycle: (id: SubscriptionId) => Effect.Effect<Option.Option<BillingCycle>, StorageError>
    readonly updateCycle: (cycle: BillingCycle) => Effect.Effect<void, StorageError | StaleWrite>
    /** Newest first. */
    readonly listCycles: (id: SubscriptionId, page: PageRequest) => Effect.Effect<Page<BillingCycle>, StorageError>
    /**
     * Cycles of active and past-due subscriptions that a run for `date` must touch, in key order after `after`: not held,
     * `nextAttemptOn` on or before the date, no definite answer on the date; `step` is the ladder's rung, 0 the first try.
     */
    readonly listDue: (options: {
      readonly date: BusinessDate
      readonly step: number
      readonly after: CycleKey | null
      readonly limit: number
    }) => Effect.Effect<ReadonlyArray<CycleKey>, StorageError>
    /**
     * The next page of `listDue` that no worker of the run took since it began or was begun again; empty when all pages of
     * the step were taken. It keeps workers apart, and promises nothing: what a worker took and did not charge is still
     * listed as due.
     */
    readonly takeDue: (options: {
      readonly job: string
      readonly date: BusinessDate
      readonly step: number
      readonly limit: number
    }) => Effect.Effect<ReadonlyArray<CycleKey>, StorageError>
    readonly owed: (date: BusinessDate) => Effect.Effect<Owed, StorageError>
    /**
     * Starts, restarts or joins the run of a date, and registers this worker until `leaseMillis` from now on the
     * database's clock. Refused while a living worker runs another date of the job, or, if `isExclusive`, while any other
     * worker of the job lives.
     */
    readonly joinRun: (options: {
      readonly job: string
      readonly date: BusinessDate
      readonly worker: string
      readonly at: DateTime.Utc
      readonly leaseMillis: number
      readonly isExclusive?: boolean
    }) => Effect.Effect<BillingRun, StorageError | AnotherRunActive>
    /** Keeps this worker alive; answers false when it was asked to stop or its run has ended. */
    readonly renewWorker: (options: {
      readonly job: string
      readonly date: BusinessDate
      readonly worker: string
      readonly leaseMillis: number
    }) => Effect.Effect<boolean, StorageError>
    /**
     * Asks every worker of the job to stop, and answers those that live. Who is asked stays alive while it finishes what is
     * in flight; who joins later was not asked.
     */
    readonly askToStop: (
      job: string
    ) => Effect.Effect<ReadonlyArray<{ readonly date: BusinessDate; readonly worker: string }>, StorageError>
    /** Adds to the run's counts. */
    readonly addCounts: (job: string, date: BusinessDate, counts: RunCounts) => Effect.Effect<void, StorageError>
    /** This worker leaves; the last one to leave sets the run's status. */
    readonly leaveRun: (options: {
      readonly job: string
      readonly date: BusinessDate
      readonly worker: string
      readonly at: DateTime.Utc
      readonly status: "Stopped" | "Completed"
    }) => Effect.Effect<void, StorageError>
    readonly findRun: (job: string, date: BusinessDate) => Effect.Effect<Option.Option<BillingRun>, StorageError>
    /** Newest date first. */
    readonly listRuns: (job: string, limit: number) => Effect.Effect<ReadonlyArray<BillingRun>, StorageError>
  }
>()("@pillivery/application/BillingLedger") {}
