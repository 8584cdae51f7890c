/**
 * Billing cycles and billing runs in memory.
 *
 * @since 0.1.0
 */
import {
  AnotherRunActive,
  BillingLedger,
  BillingRun,
  type CycleKey,
  type Owed
} from "@pillivery/application/ports/BillingLedger"
import * as BillingCycle from "@pillivery/domain/BillingCycle"
import type { BusinessDate } from "@pillivery/domain/BusinessDate"
import * as SubscriptionOrder from "@pillivery/domain/SubscriptionOrder"
import { Effect, Layer, Option, Result } from "effect"
import * as Table from "./internal/Table.ts"
import { type Rows, Store } from "./Store.ts"
import { subscriptions } from "./SubscriptionRepository.ts"

/** The id of a cycle. */
export const cycleId = (key: CycleKey): string => `${key.subscriptionId}/${Table.numberKey(key.number)}`

/** Whether a run may have to touch it: scheduled and held by nobody. */
const isWaiting = (cycle: BillingCycle.BillingCycle): cycle is BillingCycle.Chargeable | BillingCycle.AwaitingKey =>
  (BillingCycle.isChargeable(cycle) || (cycle._tag === "AwaitingKey" && cycle.nextAttemptOn !== null)) &&
  cycle.openAttempt === null

/** The table of cycles. */
export const cycles = Table.define<BillingCycle.BillingCycle>()({
  name: "cycle",
  idOf: cycleId,
  unique: { open: (cycle) => (BillingCycle.isOpen(cycle) ? cycle.subscriptionId : null) },
  indexes: {
    subscription: (cycle) => `${cycle.subscriptionId}/${Table.numberKey(cycle.number)}`,
    step: (cycle) => (isWaiting(cycle) ? `${Table.numberKey(cycle.step)}/${cycleId(cycle)}` : null),
    due: (cycle) => (isWaiting(cycle) ? `${cycle.nextAttemptOn}` : null),
    inFlight: (cycle) => (cycle._tag === "InFlight" ? cycle.nextAttemptOn : null),
    inDoubt: (cycle) => (cycle._tag === "InDoubt" ? cycle.nextAttemptOn : null)
  }
})

interface Worker {
  readonly job: string
  readonly date: BusinessDate
  readonly worker: string
  /** The end of its lease on the database's clock. */
  readonly leaseExpiresAtMillis: number
  readonly isAskedToStop: boolean
}

const runId = (job: string, date: BusinessDate): string => JSON.stringify([job, date])

const runs = Table.define<BillingRun>()({
  name: "billing run",
  idOf: (run) => runId(run.job, run.date),
  indexes: { job: (run) => `${JSON.stringify(run.job)}/${run.date}` }
})

const workerId = (job: string, date: BusinessDate, worker: string): string => JSON.stringify([job, date, worker])

const workers = Table.define<Worker>()({
  name: "worker",
  idOf: ({ date, job, worker }) => workerId(job, date, worker),
  indexes: { job: (worker) => JSON.stringify(worker.job) }
})

/** How far the workers of a run have come with the pages they share. */
interface TakenPages {
  readonly job: string
  readonly date: BusinessDate
  readonly step: number
  readonly last: CycleKey
}

const takenPages = Table.define<TakenPages>()({
  name: "taken pages",
  idOf: ({ date, job }) => runId(job, date),
  indexes: {}
})

const dueAfter = (
  rows: Rows,
  { after, date, limit, step }: Parameters<BillingLedger["Service"]["listDue"]>[0]
): ReadonlyArray<CycleKey> => {
  const keys: Array<CycleKey> = []
  if (limit <= 0) return keys
  const prefix = `${Table.numberKey(step)}/`
  const from = after === null ? prefix : Table.after(`${prefix}${cycleId(after)}`)
  rows.forEachFrom(cycles, "step", from, (cycle, entry) => {
    if (entry >= Table.after(prefix)) return false
    if (isOwed(rows, cycle, date)) keys.push({ subscriptionId: cycle.subscriptionId, number: cycle.number })
    return keys.length < limit
  })
  return keys
}

/** Cycles and runs of one store. */
export const layer = Layer.effect(
  BillingLedger,
  Effect.map(Store, (store) =>
    BillingLedger.of({
      insertCycle: (cycle) => store.write("BillingLedger.insertCycle", (rows) => rows.insert(cycles, cycle)),
      findCycle: (key) =>
        store.read("BillingLedger.findCycle", (rows) => Option.fromUndefinedOr(rows.get(cycles, cycleId(key)))),
      findOpenCycle: (id) =>
        store.read("BillingLedger.findOpenCycle", (rows) => Option.fromUndefinedOr(rows.getBy(cycles, "open", id))),
      updateCycle: (cycle) => store.write("BillingLedger.updateCycle", (rows) => rows.update(cycles, cycle)),
      listCycles: (id, page) =>
        store.read("BillingLedger.listCycles", (rows) => rows.pageBackwards(cycles, "subscription", `${id}/`, page)),

      listDue: (options) => store.read("BillingLedger.listDue", (rows) => dueAfter(rows, options)),

      takeDue: ({ date, job, limit, step }) =>
        store.write("BillingLedger.takeDue", (rows) => {
          const taken = rows.get(takenPages, runId(job, date))
          if (taken !== undefined && taken.step > step) return Result.succeed([])
          const keys = dueAfter(rows, { date, step, limit, after: taken?.step === step ? taken.last : null })
          const last = keys.at(-1)
          if (last !== undefined) rows.put(takenPages, { job, date, step, last })
          return Result.succeed(keys)
        }),

      owed: (date) =>
        store.read("BillingLedger.owed", (rows): Owed => {
          let due = 0
          rows.forEachFrom(cycles, "due", "", (cycle, entry) => {
            if (entry >= Table.after(date)) return false
            if (isOwed(rows, cycle, date)) due++
            return true
          })
          return {
            due,
            inFlight: rows.countUntil(cycles, "inFlight", Table.after(date)),
            inDoubt: rows.countUntil(cycles, "inDoubt", Table.after(date))
          }
        }),

      joinRun: ({ at, date, isExclusive = false, job, leaseMillis, worker }) =>
        store.write("BillingLedger.joinRun", (rows, databaseNow): Result.Result<BillingRun, AnotherRunActive> => {
          const rival = living(rows, job, databaseNow).find(
            (other) => other.date !== date || (isExclusive && other.worker !== worker)
          )
          if (rival !== undefined) return Result.fail(new AnotherRunActive({ job, date: rival.date }))
          const before = rows.get(runs, runId(job, date))
          const run =
            before === undefined
              ? new BillingRun({ job, date, status: "Running", startedAt: at, finishedAt: null, counts: noCounts })
              : new BillingRun({ ...before, status: "Running", finishedAt: null })
          for (const dead of deadWorkers(rows, job, databaseNow)) {
            rows.remove(workers, workerId(dead.job, dead.date, dead.worker))
          }
          if (!living(rows, job, databaseNow).some((other) => other.worker !== worker)) {
            rows.remove(takenPages, runId(job, date))
          }
          rows.put(runs, run)
          rows.put(workers, {
            job,
            date,
            worker,
            leaseExpiresAtMillis: databaseNow + leaseMillis,
            isAskedToStop: false
          })
          return Result.succeed(run)
        }),

      renewWorker: ({ date, job, leaseMillis, worker }) =>
        store.write("BillingLedger.renewWorker", (rows, databaseNow) => {
          const isRunning = rows.get(runs, runId(job, date))?.status === "Running"
          // Whoever slept past its lease does not come back while another date runs.
          const goesOn = isRunning && living(rows, job, databaseNow).every((other) => other.date === date)
          if (!goesOn) return Result.succeed(false)
          const isAskedToStop = rows.get(workers, workerId(job, date, worker))?.isAskedToStop ?? false
          rows.put(workers, { job, date, worker, leaseExpiresAtMillis: databaseNow + leaseMillis, isAskedToStop })
          return Result.succeed(!isAskedToStop)
        }),

      askToStop: (job) =>
        store.write("BillingLedger.askToStop", (rows, databaseNow) => {
          for (const worker of workersOf(rows, job)) rows.put(workers, { ...worker, isAskedToStop: true })
          return Result.succeed(living(rows, job, databaseNow).map(({ date, worker }) => ({ date, worker })))
        }),

      addCounts: (job, date, counts) =>
        store.write("BillingLedger.addCounts", (rows) => {
          const run = rows.get(runs, runId(job, date))
          return Result.succeed(
            run === undefined
              ? undefined
              : rows.put(
                  runs,
                  new BillingRun({
                    ...run,
                    counts: {
                      charged: run.counts.charged + counts.charged,
                      declined: run.counts.declined + counts.declined,
                      notExecuted: run.counts.notExecuted + counts.notExecuted,
                      unknown: run.counts.unknown + counts.unknown,
                      skipped: run.counts.skipped + counts.skipped,
                      cancelled: run.counts.cancelled + counts.cancelled
                    }
                  })
                )
          )
        }),

      leaveRun: ({ at, date, job, status, worker }) =>
        store.write("BillingLedger.leaveRun", (rows, databaseNow) => {
          rows.remove(workers, workerId(job, date, worker))
          const run = rows.get(runs, runId(job, date))
          const isLast = living(rows, job, databaseNow).every((other) => other.date !== date)
          // A run that somebody ended already keeps its end.
          return Result.succeed(
            run?.status === "Running" && isLast
              ? rows.put(runs, new BillingRun({ ...run, status, finishedAt: at }))
              : undefined
          )
        }),

      findRun: (job, date) =>
        store.read("BillingLedger.findRun", (rows) => Option.fromUndefinedOr(rows.get(runs, runId(job, date)))),
      listRuns: (job, limit) =>
        store.read(
          "BillingLedger.listRuns",
          (rows) => rows.pageBackwards(runs, "job", `${JSON.stringify(job)}/`, { page: 1, size: limit }).data
        )
    })
  )
)

const noCounts = { charged: 0, declined: 0, notExecuted: 0, unknown: 0, skipped: 0, cancelled: 0 }

/** Whether a run for the date must touch the cycle. */
const isOwed = (rows: Rows, cycle: BillingCycle.BillingCycle, date: BusinessDate): boolean => {
  if (!isWaiting(cycle) || cycle.nextAttemptOn === null || cycle.nextAttemptOn > date) return false
  if (cycle.answeredOn === date) return false
  const subscription = rows.get(subscriptions, cycle.subscriptionId)
  return subscription !== undefined && SubscriptionOrder.isChargeable(subscription)
}

/** The most workers of one job that are looked at. */
const workersMax = 10_000

const workersOf = (rows: Rows, job: string): ReadonlyArray<Worker> =>
  rows.list(workers, "job", { prefix: `${JSON.stringify(job)}/`, limit: workersMax })

/** The workers of a job whose lease has not ended. */
const living = (rows: Rows, job: string, databaseNow: number): ReadonlyArray<Worker> =>
  workersOf(rows, job).filter((worker) => worker.leaseExpiresAtMillis > databaseNow)

const deadWorkers = (rows: Rows, job: string, databaseNow: number): ReadonlyArray<Worker> =>
  workersOf(rows, job).filter((worker) => worker.leaseExpiresAtMillis <= databaseNow)
