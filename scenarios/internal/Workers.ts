/**
 * Many billing processes on one run, killed and stopped one after the other, against a provider that misbehaves.
 *
 * The processes are the real CLI on a database of their own; the provider loses answers before and after it executed,
 * resets connections, commits late and declines. What every subscription must have come to is predicted from the
 * provider's ledger alone.
 *
 * @since 0.1.0
 */
import { verify, verifyProvider } from "@pillivery/application/Billing/Verify"
import { BusinessClock } from "@pillivery/application/ports/BusinessClock"
import { PaymentRepository } from "@pillivery/application/ports/PaymentRepository"
import { Duration, Effect, Schema } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import { Simulator } from "kakaopay-simulator/Simulator"
import { SimulatorServer } from "kakaopay-simulator/SimulatorServer"
import { customerOf, fill } from "../../bench/billing/Subscriptions.ts"
import * as Shop from "../../packages/batch-cli/test/Shop.ts"
import type { Claim } from "./Report.ts"

/** How large it is. */
export interface Options {
  readonly subscriptions: number
  readonly workers: number
  /** How long a worker works until it is killed and started again, in milliseconds. */
  readonly killEveryMillis: number
  readonly seed: number
}

/** The whole scenario. */
export const optionsDefault: Options = { subscriptions: 20_000, workers: 4, killEveryMillis: 2_000, seed: 1 }

/** How long a call waits for its answer, in milliseconds: the provider's silence must not cost the scenario its time. */
const responseMillisMax = 2_000
const lateCommitMillis = 20 * 60_000
const workMillisMax = 20 * 60_000
const pollMillis = 100
/** How often each worker is killed or stopped at most, so that a slow machine comes to an end. */
const killsOfEach = 3
/** The days of the run and of the ladder after it, as what passes between them. */
const days = ["6 minutes", "1 day", "1 day", "1 day", "2 days", "1 day"] as const
const price = 29_900

const faults = [
  { kind: "reset-before", rate: 0.01 },
  { kind: "reset-after", rate: 0.01 },
  { kind: "timeout-before", rate: 0.005 },
  { kind: "timeout-after", rate: 0.005 },
  { kind: "late-commit", rate: 0.005, delayMillis: lateCommitMillis, answer: "reset" }
] as const
const declineRate = 0.05

/** What the run left. */
export interface Result {
  readonly claims: ReadonlyArray<Claim>
  /** How many subscriptions ended in which state, and their cycle in which. */
  readonly outcomes: Readonly<Record<string, number>>
  readonly summary: Readonly<Record<string, number>>
}

const Standing = Schema.Struct({
  customer: Schema.String,
  subscription: Schema.String,
  cycle: Schema.String,
  open: Schema.Int,
  key: Schema.String
})
const decodeStandings = Schema.decodeUnknownEffect(Schema.Array(Standing))

// The rows that the first payments of these subscriptions would have left.
const completeRows = Effect.gen(function* () {
  const sql = yield* SqlClient
  yield* sql`INSERT INTO orders (id, user_id, state, origin, receiver_name, receiver_phone, receiver_city,
      receiver_detail, total, discount_total, placed_at, paid_by, paid_at, refunded_total, version)
    SELECT order_id, user_id, 'Paid', 'FromLines', receiver_name, receiver_phone, receiver_city, receiver_detail,
      unit_price, 0, created_at, order_id, created_at, 0, 1 FROM subscription_order`
  yield* sql`INSERT INTO order_line (order_id, position, id, item_id, item_name, origin_price, unit_price, quantity,
      period_days, refunded_quantity)
    SELECT order_id, 0, order_line_id, item_id, item_name, unit_price, unit_price, 1, period_days, 0
    FROM subscription_order`
  yield* sql`INSERT INTO payment (id, user_id, subject, order_id, amount, created_at)
    SELECT order_id, user_id, 'OrderSubject', order_id, unit_price, created_at FROM subscription_order`
  yield* sql`INSERT INTO attempt (id, payment_id, state, purpose, user_id, order_id, issues_billing_key, provider,
      merchant_account, customer_reference, amount, item_name, quantity, created_at, version, lease_owner, lease_epoch,
      lease_expires_at, sent_at, dispatches, reference, reference_approved_at, approved, refunded, reserved, settled_at)
    SELECT s.order_id, s.order_id, 'Approved', 'ForOrder', s.user_id, s.order_id, 1, k.provider, k.merchant_account,
      k.customer_reference, s.unit_price, s.item_name, 1, s.created_at, 2, 'seed', 1, s.created_at, s.created_at, 1,
      'Awaiting', s.created_at, s.unit_price, 0, 0, s.created_at
    FROM subscription_order s JOIN billing_key k ON k.id = s.billing_key_id`
  yield* sql`INSERT INTO billing_cycle (subscription_id, number, state, grid_date, due_date, step, reason, version)
    SELECT id, 1, 'Skipped', anchor, anchor, 0, 'owner', 1 FROM subscription_order`
})

/** Runs it. */
export const run = (options: Options): Effect.Effect<Result, unknown> =>
  Effect.gen(function* () {
    const simulator = yield* Simulator
    const clock = yield* BusinessClock
    const sql = yield* SqlClient
    const env = {
      ...Shop.environment({ mysql: yield* Shop.MysqlUrl, provider: (yield* SimulatorServer).url }),
      PILLIVERY_KAKAOPAY_RESPONSE_MILLIS: String(responseMillisMax)
    }

    const sids: Array<string> = []
    for (let n = 0; n < options.subscriptions; n++) {
      sids.push(yield* simulator.billingKeys.issue({ partnerUserId: customerOf(n) }))
    }
    const offsetMillis = Duration.toMillis(yield* clock.offset)
    yield* sql`DELETE FROM business_clock`
    const mysqlUrl = yield* Shop.MysqlUrl
    yield* Effect.promise(() => fill(mysqlUrl, sids, offsetMillis))
    yield* completeRows
    yield* simulator.clock.set({ offsetMillis })
    const before = yield* verify()
    for (const [index, fault] of faults.entries()) {
      yield* simulator.faults.add({ ...fault, endpoint: "subscription", seed: options.seed + index })
    }
    yield* simulator.declines.add({ methodResultCode: "LACK_BALANCE", rate: declineRate, seed: options.seed })

    // The first day: while the workers share the run, one after another is killed and started again, and one is stopped.
    const startedAt = performance.now()
    const start = Shop.startCli(["run", "--json"], env)
    const running: Array<Shop.Running> = []
    for (let worker = 0; worker < options.workers; worker++) running.push(yield* start)
    const isOver = ({ child }: Shop.Running): boolean => child.exitCode !== null || child.signalCode !== null
    let kills = 0
    let stopped: Shop.Running | null = null
    let nextKillAt = performance.now() + options.killEveryMillis
    while (performance.now() - startedAt < workMillisMax) {
      yield* Effect.sleep(pollMillis)
      const working = running.filter((worker) => worker !== stopped)
      if (working.every(isOver)) break
      if (performance.now() < nextKillAt || kills >= killsOfEach * options.workers) continue
      nextKillAt = performance.now() + options.killEveryMillis
      const victim = kills % options.workers
      const worker = running[victim]
      if (worker === undefined || isOver(worker)) {
        kills++
        continue
      }
      if (kills === 1 && stopped === null) {
        worker.child.kill("SIGSTOP")
        stopped = worker
        kills++
        continue
      }
      if (worker === stopped) {
        kills++
        continue
      }
      worker.child.kill("SIGKILL")
      yield* worker.done
      kills++
      running[victim] = yield* start
    }
    const firstDayMillis = performance.now() - startedAt

    // The other days, each with one run; whoever was stopped goes on after the grace time, when others did its work.
    for (const [index, wait] of days.entries()) {
      // The leases of those who were killed on the first day.
      if (index === 0) yield* Effect.sleep(Shop.leaseMillis)
      yield* Shop.passTime(wait)
      yield* Shop.cli(["run", "--json"], env)
      yield* Shop.cli(["reconcile", "--json"], env)
      if (index === 2 && stopped !== null) {
        stopped.child.kill("SIGCONT")
        yield* stopped.done
      }
    }
    for (const worker of running) if (!isOver(worker)) worker.child.kill("SIGKILL")

    // What everybody must have come to, by the provider's ledger.
    const entries = yield* simulator.ledger.entries()
    const net = new Map<string, number>()
    for (const { amount, kind, partnerUserId } of entries) {
      net.set(partnerUserId, (net.get(partnerUserId) ?? 0) + (kind === "capture" ? amount : -amount))
    }
    const standings = yield* Effect.flatMap(
      sql`SELECT k.customer_reference AS customer, s.state AS subscription, c.state AS cycle, k.state AS \`key\`,
          (SELECT COUNT(*) FROM billing_cycle o WHERE o.open_key = s.id) AS open
        FROM subscription_order s JOIN billing_cycle c ON c.subscription_id = s.id AND c.number = 2
        JOIN billing_key k ON k.id = s.billing_key_id`,
      decodeStandings
    )
    let double = 0
    let lost = 0
    let unpredicted = 0
    const outcomes: Record<string, number> = {}
    for (const { customer, cycle, key, open, subscription } of standings) {
      outcomes[`${subscription}/${cycle}`] = (outcomes[`${subscription}/${cycle}`] ?? 0) + 1
      const taken = net.get(customer) ?? 0
      if (taken > price) double++
      if ((taken === price) !== (cycle === "Charged")) lost++
      // Charged once, and the next is due; or refused to the end of the ladder, and over.
      const isPredicted =
        taken === price
          ? subscription === "Active" && open === 1 && key === "Active"
          : subscription === "Cancelled" && cycle === "Abandoned" && open === 0
      if (!isPredicted) unpredicted++
    }
    const after = yield* verify()
    const asked = yield* verifyProvider()
    const attempts = yield* (yield* PaymentRepository).countAttempts
    const undecided = attempts.Prepared + attempts.Sent + attempts.Unknown + attempts.ManualReview
    const totals = yield* simulator.ledger.totals()
    const summary = {
      subscriptions: options.subscriptions,
      workers: options.workers,
      kills,
      captures: totals.captureCount,
      refunds: totals.refundCount,
      declined: attempts.Declined,
      notExecuted: attempts.NotExecuted,
      double,
      lost,
      unpredicted,
      undecided,
      broken: after.broken.length + asked.broken.length,
      firstDaySeconds: Math.round(firstDayMillis / 1_000)
    }
    const none = (what: string, found: number): Claim => ({ what, holds: found === 0, found: String(found) })
    return {
      summary,
      outcomes,
      claims: [
        none("rules broken before", before.broken.length),
        none("charged twice", double),
        none("charged by one ledger and not by the other", lost),
        none("not in the state that the provider's ledger predicts", unpredicted),
        none("attempts without a definite answer", undecided),
        {
          what: "rules broken afterwards",
          holds: after.broken.length + asked.broken.length === 0,
          found: JSON.stringify(
            [...after.broken, ...asked.broken].map(({ count, rule, rows }) => [rule, count, rows[0]])
          )
        },
        { what: "processes were killed", holds: kills > 1, found: String(kills) }
      ]
    }
  }).pipe(Effect.provide(Shop.layer), Effect.scoped)
