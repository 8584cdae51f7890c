/**
 * Billing cycles and billing runs.
 *
 * @since 0.1.0
 */
import {
  AnotherRunActive,
  BillingLedger,
  BillingRun,
  type CycleKey,
  type RunCounts
} from "@pillivery/application/ports/BillingLedger"
import type { PageRequest } from "@pillivery/application/ports/Page"
import { Transaction } from "@pillivery/application/ports/Transaction"
import * as BillingCycle from "@pillivery/domain/BillingCycle"
import { BusinessDate } from "@pillivery/domain/BusinessDate"
import { SubscriptionId } from "@pillivery/domain/Ids"
import { type Array as Arr, type DateTime, Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import { fieldOrNull, Instant, nullOr, toBytes, toInstantText, Uuid, rowWriter } from "./internal/Columns.ts"
import {
  columnsOf,
  entitiesFrom,
  findsOf,
  first,
  insertsOf,
  offsetOf,
  preparedIfOne,
  totalFrom,
  updatesOf
} from "./internal/Rows.ts"
import { Statements } from "./Transaction.ts"

const microsPerMilli = 1_000

const CycleRow = Schema.Struct({
  subscription_id: Uuid,
  number: Schema.Int,
  state: Schema.String,
  grid_date: Schema.String,
  due_date: Schema.String,
  ladder_start: nullOr(Schema.String),
  step: Schema.Int,
  answered_on: nullOr(Schema.String),
  quantity: nullOr(Schema.Int),
  open_attempt: nullOr(Uuid),
  next_attempt_on: nullOr(Schema.String),
  charged_by: nullOr(Uuid),
  charged_on: nullOr(Schema.String),
  reason: nullOr(Schema.String),
  version: Schema.Int
})

const RunRow = Schema.Struct({
  job: Schema.String,
  run_date: Schema.String,
  status: Schema.String,
  started_at: Instant,
  finished_at: nullOr(Instant),
  charged: Schema.Int,
  declined: Schema.Int,
  not_executed: Schema.Int,
  unknown: Schema.Int,
  skipped: Schema.Int,
  cancelled: Schema.Int
})

const encodeRow = rowWriter(CycleRow)

const cycleToRow = (cycle: BillingCycle.BillingCycle): typeof CycleRow.Type => ({
  subscription_id: cycle.subscriptionId,
  number: cycle.number,
  state: cycle._tag,
  grid_date: cycle.gridDate,
  due_date: cycle.dueDate,
  ladder_start: cycle.ladderStart,
  step: cycle.step,
  answered_on: cycle.answeredOn,
  quantity: cycle.quantity,
  open_attempt: cycle.openAttempt,
  next_attempt_on: fieldOrNull(cycle, "nextAttemptOn"),
  charged_by: fieldOrNull(cycle, "chargedBy"),
  charged_on: fieldOrNull(cycle, "chargedOn"),
  reason: fieldOrNull(cycle, "reason"),
  version: cycle.version
})

/** All fields of all states; the union takes those of the row's state and refuses a row that lacks one. */
const rowToCycle = (row: typeof CycleRow.Type) => ({
  _tag: row.state,
  subscriptionId: row.subscription_id,
  number: row.number,
  gridDate: row.grid_date,
  dueDate: row.due_date,
  ladderStart: row.ladder_start,
  step: row.step,
  answeredOn: row.answered_on,
  quantity: row.quantity,
  openAttempt: row.open_attempt,
  nextAttemptOn: row.next_attempt_on,
  chargedBy: row.charged_by,
  chargedOn: row.charged_on,
  reason: row.reason,
  version: row.version
})

const rowToRun = (row: typeof RunRow.Type) => ({
  job: row.job,
  date: row.run_date,
  status: row.status,
  startedAt: row.started_at,
  finishedAt: row.finished_at,
  counts: {
    charged: row.charged,
    declined: row.declined,
    notExecuted: row.not_executed,
    unknown: row.unknown,
    skipped: row.skipped,
    cancelled: row.cancelled
  }
})

const cyclesFrom = entitiesFrom(CycleRow, BillingCycle.BillingCycle, rowToCycle)
const runsFrom = entitiesFrom(RunRow, BillingRun, rowToRun)
const decodeKeys = Schema.decodeUnknownEffect(
  Schema.Array(Schema.Struct({ subscription_id: Uuid, number: Schema.Int }))
)
const decodeOwed = Schema.decodeUnknownEffect(
  Schema.Tuple([Schema.Struct({ due: Schema.Int, in_flight: Schema.Int, in_doubt: Schema.Int })])
)
const decodeDates = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ run_date: BusinessDate })))
const decodeWorkers = Schema.decodeUnknownEffect(
  Schema.Array(Schema.Struct({ run_date: BusinessDate, worker: Schema.String }))
)
const decodeTaken = Schema.decodeUnknownEffect(
  Schema.Array(
    Schema.Struct({
      taken_step: nullOr(Schema.Int),
      taken_subscription_id: nullOr(Uuid),
      taken_number: nullOr(Schema.Int)
    })
  )
)
const decodeAsked = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ stop_asked: Schema.Int })))
const cycleKeyText = (key: CycleKey | BillingCycle.BillingCycle): string => `${key.subscriptionId}/${key.number}`

/** Cycles and runs on MySQL. */
export const layer = Layer.effect(
  BillingLedger,
  Effect.gen(function* () {
    const sql = yield* SqlClient
    const { read, readTogether, write, writeTogether } = yield* Statements
    const { run } = yield* Transaction
    const cycleColumns = columnsOf(sql, CycleRow)
    const runColumns = columnsOf(sql, RunRow)
    const cycles = {
      sql,
      table: "billing_cycle",
      entity: "cycle",
      idOf: cycleKeyText,
      toRow: (cycle: BillingCycle.BillingCycle) => encodeRow(cycleToRow(cycle))
    }
    const isCycle = ({ number, subscriptionId }: CycleKey) =>
      sql`(subscription_id = ${toBytes(subscriptionId)} AND number = ${number})`

    const leaseEnd = (leaseMillis: number) =>
      sql`UTC_TIMESTAMP(3) + INTERVAL ${Math.trunc(leaseMillis) * microsPerMilli} MICROSECOND`

    /** Every change of who runs what passes through the job's one row, so that rivals see each other. */
    const changeJob = (job: string) =>
      sql`INSERT INTO billing_job (job, changes) VALUES (${job}, 1) ON DUPLICATE KEY UPDATE changes = changes + 1`

    const livingOnOtherDates = (job: string, date: BusinessDate) =>
      Effect.flatMap(
        sql`SELECT run_date FROM billing_run_worker WHERE job = ${job} AND run_date <> ${date}
          AND lease_expires_at > UTC_TIMESTAMP(3) ORDER BY run_date LIMIT 1 FOR UPDATE`,
        decodeDates
      )

    const othersOnDate = (job: string, date: BusinessDate, worker: string) =>
      Effect.flatMap(
        sql`SELECT run_date FROM billing_run_worker WHERE job = ${job} AND run_date = ${date} AND worker <> ${worker}
          AND lease_expires_at > UTC_TIMESTAMP(3) LIMIT 1 FOR UPDATE`,
        decodeDates
      )

    const register = (job: string, date: BusinessDate, worker: string, leaseMillis: number) =>
      sql`INSERT INTO billing_run_worker (job, run_date, worker, lease_expires_at)
        VALUES (${job}, ${date}, ${worker}, ${leaseEnd(leaseMillis)})
        ON DUPLICATE KEY UPDATE lease_expires_at = ${leaseEnd(leaseMillis)}`

    const isAskedToStop = (job: string, date: BusinessDate, worker: string) =>
      Effect.map(
        Effect.flatMap(
          sql`SELECT stop_asked FROM billing_run_worker
            WHERE job = ${job} AND run_date = ${date} AND worker = ${worker}`,
          decodeAsked
        ),
        ([row]) => row !== undefined && row.stop_asked !== 0
      )

    const selectRun = (job: string, date: BusinessDate) =>
      runsFrom(sql`SELECT ${runColumns} FROM billing_run WHERE job = ${job} AND run_date = ${date}`)

    const selectDue = ({
      after,
      date,
      limit,
      step
    }: {
      readonly date: BusinessDate
      readonly step: number
      readonly after: CycleKey | null
      readonly limit: number
    }) => {
      const past =
        after === null
          ? sql`1 = 1`
          : sql`billing_cycle.subscription_id >= ${toBytes(after.subscriptionId)}
              AND (billing_cycle.subscription_id > ${toBytes(after.subscriptionId)}
                OR billing_cycle.number > ${after.number})`
      const rows = sql`SELECT billing_cycle.subscription_id, billing_cycle.number
        FROM billing_cycle JOIN subscription_order ON subscription_order.id = billing_cycle.subscription_id
        WHERE billing_cycle.due_step = ${step} AND billing_cycle.next_attempt_on <= ${date}
          AND (billing_cycle.answered_on IS NULL OR billing_cycle.answered_on <> ${date})
          AND subscription_order.state IN ('Active', 'PastDue') AND ${past}
        ORDER BY billing_cycle.subscription_id, billing_cycle.number LIMIT ${limit}`
      return Effect.map(Effect.flatMap(rows, decodeKeys), (keys) =>
        keys.map((key) => ({ subscriptionId: SubscriptionId.make(key.subscription_id), number: key.number }))
      )
    }

    return BillingLedger.of({
      insertCycle: writeTogether("BillingLedger.insertCycle", insertsOf(cycles)),

      findCycle: readTogether(
        "BillingLedger.findCycle",
        findsOf({
          select: (keys: Arr.NonEmptyReadonlyArray<CycleKey>) =>
            cyclesFrom(
              preparedIfOne(keys, sql`SELECT ${cycleColumns} FROM billing_cycle WHERE ${sql.or(keys.map(isCycle))}`)
            ),
          keyOf: cycleKeyText,
          keyOfEntity: cycleKeyText
        })
      ),

      findOpenCycle: Effect.fn("BillingLedger.findOpenCycle")((id: SubscriptionId) =>
        Effect.map(
          read("BillingLedger.findOpenCycle")(
            cyclesFrom(sql`SELECT ${cycleColumns} FROM billing_cycle WHERE open_key = ${toBytes(id)}`)
          ),
          first
        )
      ),

      updateCycle: writeTogether(
        "BillingLedger.updateCycle",
        updatesOf(cycles, { keys: ["subscription_id", "number"] })
      ),

      listCycles: Effect.fn("BillingLedger.listCycles")(function* (id: SubscriptionId, page: PageRequest) {
        const operation = "BillingLedger.listCycles"
        const subscription = toBytes(id)
        const totalElements = yield* read(operation)(
          totalFrom(sql`SELECT COUNT(*) AS total FROM billing_cycle WHERE subscription_id = ${subscription}`)
        )
        const data = yield* read(operation)(
          cyclesFrom(
            sql`SELECT ${cycleColumns} FROM billing_cycle WHERE subscription_id = ${subscription}
              ORDER BY number DESC LIMIT ${page.size} OFFSET ${offsetOf(page)}`
          )
        )
        return { data, totalElements }
      }),

      listDue: Effect.fn("BillingLedger.listDue")((due: Parameters<typeof selectDue>[0]) =>
        read("BillingLedger.listDue")(selectDue(due))
      ),

      takeDue: Effect.fn("BillingLedger.takeDue")(function* ({
        date,
        job,
        limit,
        step
      }: {
        readonly job: string
        readonly date: BusinessDate
        readonly step: number
        readonly limit: number
      }) {
        return yield* run(
          write("BillingLedger.takeDue")(
            Effect.gen(function* () {
              const [taken] = yield* Effect.flatMap(
                sql`SELECT taken_step, taken_subscription_id, taken_number FROM billing_run
                  WHERE job = ${job} AND run_date = ${date} FOR UPDATE`,
                decodeTaken
              )
              const takenStep = taken?.taken_step ?? null
              if (takenStep !== null && takenStep > step) return []
              const after =
                taken === undefined || takenStep !== step || taken.taken_subscription_id === null
                  ? null
                  : {
                      subscriptionId: SubscriptionId.make(taken.taken_subscription_id),
                      number: taken.taken_number ?? 0
                    }
              const keys = yield* selectDue({ date, step, after, limit })
              const last = keys.at(-1)
              if (last !== undefined) {
                yield* sql`UPDATE billing_run SET taken_step = ${step},
                  taken_subscription_id = ${toBytes(last.subscriptionId)}, taken_number = ${last.number}
                  WHERE job = ${job} AND run_date = ${date}`
              }
              return keys
            })
          )
        )
      }),

      owed: Effect.fn("BillingLedger.owed")(function* (date: BusinessDate) {
        const [{ due, in_doubt, in_flight }] = yield* read("BillingLedger.owed")(
          Effect.flatMap(
            sql`SELECT
              (SELECT COUNT(*) FROM billing_cycle
                JOIN subscription_order ON subscription_order.id = billing_cycle.subscription_id
                WHERE billing_cycle.next_attempt_on <= ${date} AND billing_cycle.due_step IS NOT NULL
                  AND (billing_cycle.answered_on IS NULL OR billing_cycle.answered_on <> ${date})
                  AND subscription_order.state IN ('Active', 'PastDue')) AS due,
              (SELECT COUNT(*) FROM billing_cycle WHERE state = 'InFlight' AND next_attempt_on <= ${date}) AS in_flight,
              (SELECT COUNT(*) FROM billing_cycle WHERE state = 'InDoubt' AND next_attempt_on <= ${date}) AS in_doubt`,
            decodeOwed
          )
        )
        return { due, inFlight: in_flight, inDoubt: in_doubt }
      }),

      joinRun: Effect.fn("BillingLedger.joinRun")(function* ({
        at,
        date,
        isExclusive = false,
        job,
        leaseMillis,
        worker
      }: {
        readonly job: string
        readonly date: BusinessDate
        readonly worker: string
        readonly at: DateTime.Utc
        readonly leaseMillis: number
        readonly isExclusive?: boolean
      }) {
        return yield* run(
          write("BillingLedger.joinRun")(
            Effect.gen(function* () {
              yield* changeJob(job)
              const [elsewhere] = yield* livingOnOtherDates(job, date)
              const [beside] = isExclusive ? yield* othersOnDate(job, date, worker) : []
              const other = elsewhere ?? beside
              if (other !== undefined) return yield* new AnotherRunActive({ job, date: other.run_date })
              yield* sql`DELETE FROM billing_run_worker WHERE job = ${job} AND lease_expires_at <= UTC_TIMESTAMP(3)`
              yield* sql`INSERT INTO billing_run ${sql.insert({
                job,
                run_date: date,
                status: "Running",
                started_at: toInstantText(at),
                finished_at: null,
                charged: 0,
                declined: 0,
                not_executed: 0,
                unknown: 0,
                skipped: 0,
                cancelled: 0
              })} ON DUPLICATE KEY UPDATE status = 'Running', finished_at = NULL`
              const others = yield* othersOnDate(job, date, worker)
              if (others.length === 0) {
                yield* sql`UPDATE billing_run SET taken_step = NULL WHERE job = ${job} AND run_date = ${date}`
              }
              yield* register(job, date, worker, leaseMillis)
              yield* sql`UPDATE billing_run_worker SET stop_asked = 0
                WHERE job = ${job} AND run_date = ${date} AND worker = ${worker}`
              const [joined] = yield* selectRun(job, date)
              return joined ?? (yield* Effect.die(new Error(`run ${job} ${date} vanished in its own transaction`)))
            })
          )
        )
      }),

      renewWorker: Effect.fn("BillingLedger.renewWorker")(function* ({
        date,
        job,
        leaseMillis,
        worker
      }: {
        readonly job: string
        readonly date: BusinessDate
        readonly worker: string
        readonly leaseMillis: number
      }) {
        return yield* run(
          write("BillingLedger.renewWorker")(
            Effect.gen(function* () {
              yield* changeJob(job)
              // Whoever slept past its lease does not come back while another date runs.
              const others = yield* livingOnOtherDates(job, date)
              const [found] = yield* selectRun(job, date)
              if (others.length > 0 || found?.status !== "Running") return false
              yield* register(job, date, worker, leaseMillis)
              return !(yield* isAskedToStop(job, date, worker))
            })
          )
        )
      }),

      askToStop: Effect.fn("BillingLedger.askToStop")(function* (job: string) {
        const living = yield* run(
          write("BillingLedger.askToStop")(
            Effect.gen(function* () {
              yield* changeJob(job)
              yield* sql`UPDATE billing_run_worker SET stop_asked = 1 WHERE job = ${job}`
              return yield* Effect.flatMap(
                sql`SELECT run_date, worker FROM billing_run_worker
                  WHERE job = ${job} AND lease_expires_at > UTC_TIMESTAMP(3) ORDER BY run_date, worker`,
                decodeWorkers
              )
            })
          )
        )
        return living.map(({ run_date, worker }) => ({ date: run_date, worker }))
      }),

      addCounts: Effect.fn("BillingLedger.addCounts")((job: string, date: BusinessDate, counts: RunCounts) =>
        Effect.asVoid(
          write("BillingLedger.addCounts")(
            sql`UPDATE billing_run SET charged = charged + ${counts.charged}, declined = declined + ${counts.declined},
              not_executed = not_executed + ${counts.notExecuted}, unknown = unknown + ${counts.unknown},
              skipped = skipped + ${counts.skipped}, cancelled = cancelled + ${counts.cancelled}
              WHERE job = ${job} AND run_date = ${date}`
          )
        )
      ),

      leaveRun: Effect.fn("BillingLedger.leaveRun")(function* ({
        at,
        date,
        job,
        status,
        worker
      }: {
        readonly job: string
        readonly date: BusinessDate
        readonly worker: string
        readonly at: DateTime.Utc
        readonly status: "Stopped" | "Completed"
      }) {
        yield* run(
          write("BillingLedger.leaveRun")(
            Effect.gen(function* () {
              yield* changeJob(job)
              yield* sql`DELETE FROM billing_run_worker WHERE job = ${job} AND run_date = ${date}
            AND (worker = ${worker} OR lease_expires_at <= UTC_TIMESTAMP(3))`
              const staying = yield* Effect.flatMap(
                sql`SELECT run_date FROM billing_run_worker WHERE job = ${job} AND run_date = ${date}
                    LIMIT 1 FOR UPDATE`,
                decodeDates
              )
              if (staying.length > 0) return
              yield* sql`UPDATE billing_run SET status = ${status}, finished_at = ${toInstantText(at)}
            WHERE job = ${job} AND run_date = ${date} AND status = 'Running'`
            })
          )
        )
      }),

      findRun: Effect.fn("BillingLedger.findRun")((job: string, date: BusinessDate) =>
        Effect.map(read("BillingLedger.findRun")(selectRun(job, date)), first)
      ),

      listRuns: Effect.fn("BillingLedger.listRuns")((job: string, limit: number) =>
        read("BillingLedger.listRuns")(
          runsFrom(sql`SELECT ${runColumns} FROM billing_run WHERE job = ${job} ORDER BY run_date DESC LIMIT ${limit}`)
        )
      )
    })
  })
)
