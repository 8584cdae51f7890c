/**
 * The billing run: everything that is due on a date gets its one answer.
 *
 * Any number of processes may work on the run of a date together; each cycle is claimed by one of them. A process that
 * dies leaves nothing to clean up: the next start finds its calls by their leases. A broken subscription never stops
 * another.
 *
 * @since 0.1.0
 */
import type * as Attempt from "@pillivery/domain/Attempt"
import type { BusinessDate } from "@pillivery/domain/BusinessDate"
import { type Cause, Effect, Option, Random, Ref, Schedule, Stream } from "effect"
import { type CheckedKeys, checkKeys } from "../Payments/CheckKeys.ts"
import { ProtocolSettings } from "../Payments/ProtocolSettings.ts"
import { reconcile, type Reconciled } from "../Payments/Reconcile.ts"
import { awaitKeys } from "../Subscriptions/AwaitKeys.ts"
import { BillingLedger, type CycleKey, type Owed, type RunCounts } from "../ports/BillingLedger.ts"
import { BusinessClock } from "../ports/BusinessClock.ts"
import { StaleWrite, StorageError } from "../ports/StorageError.ts"
import { askForBaseline, type ChargeOutcome, planCycle, type Planned, type Ready, sendCharge } from "./ChargeCycle.ts"
import { pageSize, pagesMax } from "./PlanCharge.ts"

/** The name of the daily charging job. */
export const jobName = "charge"
/** Passes over one step at most; each but the first charges what shared a billing key with the pass before. */
export const passesMax = 200
/** Cycles a worker takes at a time from those that the workers of a run share; at the end they may look at each other's. */
export const sharedPageSize = 200
/** Cycles that are planned together. */
export const plannedTogether = 50
/** Billing keys the provider is asked about at once: lookups have a place for most of them, and the next ones wait. */
export const askedAtOnce = 75
/** Charges being written down, sent and recorded at once; those being recorded hold no place in the bounds of calls. */
export const sentAtOnce = 150
/** How long a run waits before it asks a database again that does not answer. */
export const storePause = "1 second"
/** Answers in a row that only people of ours can mend, after which the run stops. */
export const oursInARowMax = 5

/** Which worker runs what. */
export interface RunRequest {
  readonly date: BusinessDate
  readonly worker: string
  /** Whether to refuse to share the run with another worker. */
  readonly isExclusive?: boolean
  /** Told of each step's end. */
  readonly onStep?: (step: StepReport) => Effect.Effect<void>
}

/** What one step did: 0 reconciles, 1 tries for the first time, the rest are the rungs of the ladder. */
export interface StepReport {
  readonly step: number
  readonly name: string
  readonly counts: RunCounts
}

/** What the run did, and what is still owed after it. */
export interface RunReport {
  readonly date: BusinessDate
  readonly counts: RunCounts
  readonly reconciled: Reconciled
  /** What the daily comparison of keys found. */
  readonly keys: CheckedKeys
  readonly owed: Owed
  /** Whether it stopped because the provider refused us, not the customers. */
  readonly isMisconfigured: boolean
  /** Whether it was asked to stop. */
  readonly isStopped: boolean
}

const noCounts: RunCounts = { charged: 0, declined: 0, notExecuted: 0, unknown: 0, skipped: 0, cancelled: 0 }

/** Charges everything due on or before a date, and answers what is still owed. */
export const runBilling = Effect.fn("runBilling")(function* (request: RunRequest) {
  const ledger = yield* BillingLedger
  const clock = yield* BusinessClock
  const settings = yield* ProtocolSettings
  const { date, isExclusive = false, worker } = request
  const { workerLeaseMillis } = settings
  const identity = { job: jobName, date, worker }
  yield* ledger.joinRun({ ...identity, at: yield* clock.now, leaseMillis: workerLeaseMillis, isExclusive })

  const isStopped = yield* Ref.make(false)
  const oursInARow = yield* Ref.make(0)
  const total = yield* Ref.make(noCounts)
  const isOver = Effect.gen(function* () {
    return (yield* Ref.get(isStopped)) || (yield* Ref.get(oursInARow)) >= oursInARowMax
  })
  const heartbeat = ledger.renewWorker({ ...identity, leaseMillis: workerLeaseMillis }).pipe(
    Effect.flatMap((goesOn) => (goesOn ? Effect.void : Ref.set(isStopped, true))),
    Effect.catchTag("StorageError", (error) => Effect.logWarning("The run's heartbeat failed", error)),
    Effect.repeat(Schedule.spaced(workerLeaseMillis / 3))
  )

  // A database that is away for a moment is waited for as long as an answer is kept to be recorded; then the run fails, and
  // the next start finds what was due, sent and lost.
  const patiently = <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.retry(
      Effect.tapError(self, (error) =>
        isAway(error) ? Effect.logWarning("The database does not answer; the run waits for it", error) : Effect.void
      ),
      {
        while: isAway,
        schedule: Schedule.spaced(storePause).pipe(Schedule.upTo({ duration: settings.recordMillisMax }))
      }
    )

  const tally = Effect.fnUntraced(function* (counts: Ref.Ref<RunCounts>, outcome: ChargeOutcome) {
    yield* Ref.update(counts, (current) => addOutcome(current, outcome))
    if (isOurs(outcome)) yield* Ref.update(oursInARow, (inARow) => inARow + 1)
    else if (outcome._tag === "Sent") yield* Ref.set(oursInARow, 0)
  })

  // The cycles of one step, page by page; the run's own answers neither hide others nor make one come twice. In the first
  // pass the workers of the run share the pages, in the others each looks for what was left.
  const due = (step: number, isShared: boolean) => {
    const first: { readonly after: CycleKey | null; readonly page: number } = { after: null, page: 1 }
    const read = (after: CycleKey | null) =>
      isShared
        ? ledger.takeDue({ job: jobName, date, step, limit: sharedPageSize })
        : ledger.listDue({ date, step, after, limit: pageSize })
    // What was left is looked for by every worker, so each takes it in an order of its own.
    const ordered = (keys: ReadonlyArray<CycleKey>) => (isShared ? Effect.succeed(keys) : Random.shuffle(keys))
    return Stream.paginate(
      first,
      Effect.fnUntraced(function* ({ after, page }) {
        const keys = (yield* isOver) ? [] : yield* patiently(read(after))
        const isLast = keys.length < (isShared ? sharedPageSize : pageSize) || page === pagesMax
        return [
          yield* ordered(keys),
          isLast ? Option.none() : Option.some({ after: keys.at(-1) ?? null, page: page + 1 })
        ] as const
      })
    )
  }

  // One pass over what is due. Cycles of one customer are charged one after the other, so a pass that charged some and
  // postponed others is followed by another.
  const chargeAll = Effect.fnUntraced(function* (step: number, isShared: boolean, counts: Ref.Ref<RunCounts>) {
    let isAnySent = false
    let isAnyPostponed = false
    const charging = new Set<string>()

    const note = Effect.fnUntraced(function* (outcome: ChargeOutcome) {
      isAnySent ||= outcome._tag === "Sent"
      isAnyPostponed ||= outcome._tag === "Postponed"
      yield* tally(counts, outcome)
    })

    // Goes on with what is to be charged, and notes what came of the others.
    const orNote = <A>(made: (A & { readonly _tag: "Charge" }) | ChargeOutcome) =>
      made._tag === "Charge" ? Effect.succeed(made) : Effect.as(note(made), null)

    // One broken subscription never stops another; a database that is gone stops them all.
    const isolated = (key: CycleKey) => (cause: Cause.Cause<unknown>) =>
      Effect.gen(function* () {
        yield* Effect.logError("A cycle could not be charged", cause).pipe(
          Effect.annotateLogs({ subscriptionId: key.subscriptionId, cycle: key.number })
        )
        if (storageErrorIn(cause) !== null) {
          yield* note({ _tag: "Postponed", reason: "the database failed", isOurs: false })
        }
        return null
      })

    const plan = (key: CycleKey) =>
      patiently(Effect.flatMap(planCycle(key, date), orNote)).pipe(
        Effect.catchCause((cause) => {
          const error = storageErrorIn(cause)
          return error !== null && isAway(error) ? Effect.fail(error) : isolated(key)(cause)
        })
      )

    const ask = (planned: Planned) =>
      Effect.gen(function* () {
        return (yield* isOver) ? null : yield* orNote(yield* askForBaseline(planned))
      }).pipe(Effect.catchCause(isolated(planned.cycleKey)))

    const unlessOver = () =>
      Effect.flatMap(isOver, (is) => (is ? new StaleWrite({ entity: "billing run", id: date }) : Effect.void))

    const send = (ready: Ready) => {
      const customer = `${ready.key.provider} ${ready.key.customerReference}`
      if (charging.has(customer))
        return note({ _tag: "Postponed", reason: "its customer is being charged", isOurs: false })
      charging.add(customer)
      return Effect.gen(function* () {
        if (!(yield* isOver)) yield* note(yield* sendCharge(ready, unlessOver))
      }).pipe(
        Effect.catchCause(isolated(ready.cycleKey)),
        Effect.ensuring(Effect.sync(() => charging.delete(customer)))
      )
    }

    // Planned together, since what is read together is one statement.
    yield* due(step, isShared).pipe(
      Stream.grouped(plannedTogether),
      Stream.mapEffect((keys) => Effect.forEach(keys, plan, { concurrency: "unbounded" })),
      Stream.flattenIterable,
      Stream.filter((planned) => planned !== null),
      Stream.buffer({ capacity: plannedTogether }),
      Stream.mapEffect(ask, { concurrency: askedAtOnce, unordered: true }),
      Stream.filter((ready) => ready !== null),
      Stream.buffer({ capacity: plannedTogether }),
      Stream.mapEffect(send, { concurrency: sentAtOnce, unordered: true }),
      Stream.runDrain
    )
    return isAnySent && isAnyPostponed
  })

  const runStep = Effect.fnUntraced(function* (step: number) {
    const counts = yield* Ref.make(noCounts)
    yield* chargeAll(step, true, counts)
    for (let pass = 1; pass < passesMax; pass++) {
      if (!(yield* chargeAll(step, false, counts))) break
    }
    const done = yield* Ref.get(counts)
    yield* Ref.update(total, (current) => addCounts(current, done))
    yield* patiently(ledger.addCounts(jobName, date, done))
    if (request.onStep !== undefined)
      yield* request.onStep({ step: step + 1, name: stepName(step, settings), counts: done })
  })

  const work = Effect.gen(function* () {
    const reconciled = yield* patiently(reconcile())
    yield* patiently(awaitKeys())
    if (request.onStep !== undefined) yield* request.onStep({ step: 0, name: "reconcile", counts: noCounts })
    for (let step = 0; step <= settings.dunningPolicy.ladderDays.length; step++) yield* runStep(step)
    // Last, since who was charged was compared by that.
    const keys = yield* patiently(checkKeys(isOver))
    return { ...reconciled, keys }
  })

  return yield* Effect.gen(function* () {
    const { keys, ...reconciled } = yield* Effect.raceFirst(work, Effect.andThen(heartbeat, Effect.never))
    const owed = yield* patiently(ledger.owed(date))
    return {
      date,
      counts: yield* Ref.get(total),
      reconciled,
      keys,
      owed,
      isMisconfigured: (yield* Ref.get(oursInARow)) >= oursInARowMax,
      isStopped: yield* Ref.get(isStopped)
    } satisfies RunReport
  }).pipe(
    Effect.tap((report) =>
      Effect.gen(function* () {
        const isComplete = !report.isStopped && report.owed.due + report.owed.inFlight + report.owed.inDoubt === 0
        yield* ledger.leaveRun({ ...identity, at: yield* clock.now, status: isComplete ? "Completed" : "Stopped" })
      })
    ),
    // However it ends: a worker that is gone must not hold up the runs of other dates until its lease ends.
    Effect.onError(() =>
      clock.now.pipe(
        Effect.flatMap((at) => ledger.leaveRun({ ...identity, at, status: "Stopped" })),
        Effect.ignore({ log: true })
      )
    )
  )
})

const isAway = (error: unknown): boolean => error instanceof StorageError && error.isRetryable

const storageErrorIn = (cause: Cause.Cause<unknown>): StorageError | null => {
  for (const reason of cause.reasons) {
    if (reason._tag === "Fail" && reason.error instanceof StorageError) return reason.error
  }
  return null
}

// Whether the provider refused us, not the customer.
const isOurs = (outcome: ChargeOutcome): boolean =>
  (outcome._tag === "Postponed" && outcome.isOurs) ||
  (outcome._tag === "Sent" && outcome.attempt._tag === "NotExecuted" && outcome.attempt.why === "ours")

const stepName = (step: number, settings: { readonly dunningPolicy: { readonly ladderDays: ReadonlyArray<number> } }) =>
  step === 0 ? "first attempts" : `retries of day ${settings.dunningPolicy.ladderDays[step - 1] ?? 0}`

const addOutcome = (counts: RunCounts, outcome: ChargeOutcome): RunCounts => {
  switch (outcome._tag) {
    case "Sent":
      return { ...counts, [countOf(outcome.attempt)]: counts[countOf(outcome.attempt)] + 1 }
    case "Skipped":
      return { ...counts, skipped: counts.skipped + 1 }
    case "GivenUp":
      return { ...counts, cancelled: counts.cancelled + 1 }
    case "NotDue":
    case "KeyLost":
    case "Postponed":
      return counts
  }
}

const countOf = (attempt: Attempt.Attempt): keyof RunCounts => {
  switch (attempt._tag) {
    case "Approved":
    case "ApprovedSurplus":
      return "charged"
    case "Declined":
      return "declined"
    case "NotExecuted":
      return "notExecuted"
    default:
      return "unknown"
  }
}

const addCounts = (self: RunCounts, that: RunCounts): RunCounts => ({
  charged: self.charged + that.charged,
  declined: self.declined + that.declined,
  notExecuted: self.notExecuted + that.notExecuted,
  unknown: self.unknown + that.unknown,
  skipped: self.skipped + that.skipped,
  cancelled: self.cancelled + that.cancelled
})
