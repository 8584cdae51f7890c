/**
 * The billing run: everything that is due on a date gets its one answer.
 *
 * Any number of processes may work on the run of a date together; each cycle is claimed by one of them. A process that
 * dies leaves nothing to clean up: the next start finds its calls by their leases. A broken subscription never stops
 * another.
 *
 * @since 0.1.0
 */
import * as BusinessDate from "@pillivery/domain/BusinessDate"
import { Effect, Option, Random, Ref, Schedule, Stream } from "effect"
import type { CheckedKeys } from "../Payments/CheckKeys.ts"
import { ProtocolSettings } from "../Payments/ProtocolSettings.ts"
import type { Reconciled } from "../Payments/Reconcile.ts"
import { BillingLedger, type CycleKey, type Owed, type RunCounts } from "../ports/BillingLedger.ts"
import { BusinessClock } from "../ports/BusinessClock.ts"
import { isAway } from "../ports/StorageError.ts"
import { ChargeGate, type CycleOutcome } from "./ChargeGate.ts"
import { pageSize, pagesMax } from "./PlanCharge.ts"

/** The name of the daily charging job. */
export const jobName = "charge"
/** Passes over one step at most; each but the first charges what shared a billing key with the pass before. */
export const passesMax = 200
/** Cycles a worker takes at a time from those that the workers of a run share; at the end they may look at each other's. */
export const sharedPageSize = 200
/** How long a run waits before it asks a database again that does not answer. */
export const storePause = "1 second"
/** Answers in a row that only people of ours can mend, after which the run stops. */
export const oursInARowMax = 5

/** Which worker runs what. */
export interface RunRequest {
  readonly date: BusinessDate.BusinessDate
  readonly worker: string
  /** Whether the date may be one that has not come: then first attempts are made up to two weeks early. */
  readonly isAheadAllowed?: boolean
  /** Whether to refuse to share the run with another worker. */
  readonly isExclusive?: boolean
  /** Told of each cycle's outcome. */
  readonly onOutcome?: (outcome: CycleOutcome) => Effect.Effect<void>
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
  readonly date: BusinessDate.BusinessDate
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
  const gate = yield* ChargeGate
  const clock = yield* BusinessClock
  const settings = yield* ProtocolSettings
  const { date, isAheadAllowed = false, isExclusive = false, worker } = request
  const { workerLeaseMillis } = settings
  const identity = { job: jobName, date, worker }
  const startedAt = yield* clock.now
  yield* ledger.joinRun({ ...identity, at: startedAt, leaseMillis: workerLeaseMillis, isExclusive })

  const today = BusinessDate.fromInstant(startedAt)
  const isAhead = date > today
  // Nothing is owed ahead of its day; what was sent ahead and has no answer is in doubt all the same.
  const owedAfter = Effect.gen(function* () {
    const owed = yield* ledger.owed(date)
    return isAhead ? { ...owed, due: (yield* ledger.owed(today)).due } : owed
  })

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
  const waiting = Schedule.spaced(storePause).pipe(Schedule.upTo({ duration: settings.recordMillisMax }))
  const patiently = <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> => {
    const logged = Effect.tapError(self, (error) =>
      isAway(error) ? Effect.logWarning("The database does not answer; the run waits for it", error) : Effect.void
    )
    return Effect.catch(logged, (error) =>
      isAway(error)
        ? Effect.delay(Effect.retry(logged, { while: isAway, schedule: waiting }), storePause)
        : Effect.fail(error)
    )
  }

  const tally = Effect.fnUntraced(function* (counts: Ref.Ref<RunCounts>, outcome: CycleOutcome) {
    yield* Ref.update(counts, (current) => addOutcome(current, outcome))
    if (request.onOutcome !== undefined) yield* request.onOutcome(outcome)
    if ("isOurs" in outcome && outcome.isOurs) yield* Ref.update(oursInARow, (inARow) => inARow + 1)
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
    const note = Effect.fnUntraced(function* (outcome: CycleOutcome) {
      isAnySent ||= outcome._tag === "Sent"
      isAnyPostponed ||= outcome._tag === "Postponed"
      yield* tally(counts, outcome)
    })
    yield* gate.charge(due(step, isShared), { date, isAheadAllowed, isOver, patiently, note })
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
    const reconciled = yield* patiently(gate.settle)
    if (request.onStep !== undefined) yield* request.onStep({ step: 0, name: "reconcile", counts: noCounts })
    const stepLast = isAhead ? 0 : settings.dunningPolicy.ladderDays.length
    for (let step = 0; step <= stepLast; step++) yield* runStep(step)
    // Last, since who was charged was compared by that.
    const keys = yield* patiently(gate.checkKeys(isOver))
    return { ...reconciled, keys }
  })

  return yield* Effect.gen(function* () {
    const { keys, ...reconciled } = yield* Effect.raceFirst(work, Effect.andThen(heartbeat, Effect.never))
    const owed = yield* patiently(owedAfter)
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

const stepName = (step: number, settings: { readonly dunningPolicy: { readonly ladderDays: ReadonlyArray<number> } }) =>
  step === 0 ? "first attempts" : `retries of day ${settings.dunningPolicy.ladderDays[step - 1] ?? 0}`

const addOutcome = (counts: RunCounts, outcome: CycleOutcome): RunCounts => {
  switch (outcome._tag) {
    case "Sent":
      return { ...counts, [outcome.result]: counts[outcome.result] + 1 }
    case "Skipped":
      return { ...counts, skipped: counts.skipped + 1 }
    case "GivenUp":
      return { ...counts, cancelled: counts.cancelled + 1 }
    case "NotDue":
    case "KeyLost":
    case "Blocked":
    case "Postponed":
      return counts
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
