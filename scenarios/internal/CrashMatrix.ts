/**
 * `kill -9` at every named point of the charging protocol, in real processes on real stores, and what is left afterwards.
 *
 * Each run has a database of its own and a provider of its own. A process is started that kills itself at one point; it
 * is started again, as cron or a supervisor would, time passes, and then the provider's ledger and our rows are compared.
 *
 * @since 0.1.0
 */
import { verify, verifyProvider } from "@pillivery/application/Billing/Verify"
import { jobName, runBilling } from "@pillivery/application/Billing/RunBilling"
import { drain } from "@pillivery/application/Events/Relay"
import { reconcile } from "@pillivery/application/Payments/Reconcile"
import { BillingKeyRepository } from "@pillivery/application/ports/BillingKeyRepository"
import { BusinessClock } from "@pillivery/application/ports/BusinessClock"
import { OrderRepository } from "@pillivery/application/ports/OrderRepository"
import { Outbox } from "@pillivery/application/ports/Outbox"
import { PaymentRepository } from "@pillivery/application/ports/PaymentRepository"
import { RefundRepository } from "@pillivery/application/ports/RefundRepository"
import { requestRefund } from "@pillivery/application/Refunds/RequestRefund"
import { cancelSubscription } from "@pillivery/application/Subscriptions/CancelSubscription"
import * as CartStore from "@pillivery/adapters-memory/CartStore"
import * as Mailer from "@pillivery/adapters-memory/Mailer"
import * as TokenStore from "@pillivery/adapters-memory/TokenStore"
import * as Store from "@pillivery/adapters-memory/Store"
import * as BusinessDate from "@pillivery/domain/BusinessDate"
import type { AttemptId, SubscriptionId } from "@pillivery/domain/Ids"
import { AttemptId as AttemptIds } from "@pillivery/domain/Ids"
import { Effect, Layer, Option } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import { Simulator } from "kakaopay-simulator/Simulator"
import { SimulatorServer } from "kakaopay-simulator/SimulatorServer"
import { type ChildProcess, spawn } from "node:child_process"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import * as Shop from "../../packages/batch-cli/test/Shop.ts"

const root = fileURLToPath(new URL("../..", import.meta.url))
const price = 30_000
const periodDays = 30

/** How long a process may take until it dies, or is ready, in milliseconds. */
const processMillisMax = 30_000
const pollMillis = 25
/** How long a restarted server is given to deliver what waits, in milliseconds. */
const settleMillisMax = 4_000
/** What passes after the restart, one after the other, until nothing is open any more: the first question, the grace. */
const waits = ["6 minutes", "1 day", "1 day", "1 day"] as const
/** A provider that takes its time, so that a process can die while it works. */
const workingMillis = 1_500

/** The points that every call which moves money passes. */
const callPoints = [
  "before the intent",
  "after the intent is committed",
  "before the first byte of the request",
  "after the request is written",
  "while the provider works",
  "when the answer begins",
  "when the answer is complete",
  "before the record",
  "after the record is committed"
] as const
/** The points of an intent and a record that are transactions of several statements. */
const transactionPoints = [
  "in the middle of the intent",
  "before the intent is committed",
  "while the intent is committed",
  "in the middle of the record",
  "before the record is committed",
  "while the record is committed"
] as const
/** The points of delivering an event. */
const eventPoints = ["after an event is claimed", "before a delivery is noted", "after a delivery is noted"] as const

/** Every named point, in the order in which a protocol passes them. */
export const points = [
  "after an event is claimed",
  "before the intent",
  "in the middle of the intent",
  "before the intent is committed",
  "while the intent is committed",
  "after the intent is committed",
  "before the first byte of the request",
  "after the request is written",
  "while the provider works",
  "when the answer begins",
  "when the answer is complete",
  "before the record",
  "in the middle of the record",
  "before the record is committed",
  "while the record is committed",
  "after the record is committed",
  "before a delivery is noted",
  "after a delivery is noted"
] as const
export type Point = (typeof points)[number]

/** What runs when the process dies, and which process it is. */
export type FlowName =
  | "renewal by the CLI"
  | "renewal by the server"
  | "refund by the CLI"
  | "payment by the server"
  | "refund by the server"
  | "retiring a key by the server"

/** One cell of the matrix. */
export interface Case {
  readonly flow: FlowName
  readonly point: Point
}

/** What was found after a run. */
export interface Result extends Case {
  /** Captures or refunds beyond what was owed. */
  readonly double: number
  /** What was owed, or what our rows say was done, and the provider did not. */
  readonly lost: number
  /** Money that moved without a row of ours, and rows that break a rule. */
  readonly unexplained: number
  /** Whatever else is not as it should be. */
  readonly problems: ReadonlyArray<string>
  /** What became of it. */
  readonly outcome: string
  readonly millis: number
}

type Services = Layer.Success<typeof layer>

interface Flow {
  readonly points: ReadonlyArray<Point>
  readonly endpoint: "subscription" | "cancel" | "approve" | "inactive"
  readonly prepare: Effect.Effect<Prepared, unknown, Services>
}

interface Prepared {
  /** Starts the process that does it, with the variables given; returns when it has nothing left to do, or is dead. */
  readonly play: (env: Readonly<Record<string, string>>) => Effect.Effect<Played, unknown, Services>
  /** Whether it came to its end. */
  readonly isOver: Effect.Effect<boolean, unknown, Services>
  /** What must be true in the end. */
  readonly judge: Effect.Effect<Pick<Result, "double" | "lost" | "outcome">, unknown, Services>
}

interface Played {
  readonly signal: string | null
}

/** A shop with a database and a provider of its own; carts are not what is tested, so they live in memory. */
const layer = Shop.layer.pipe(
  Layer.provideMerge(
    Layer.mergeAll(CartStore.layer.pipe(Layer.provide(Store.layer)), Mailer.layerNone, TokenStore.layer)
  )
)

// -----------------------------------------------------------------------------
// processes
// -----------------------------------------------------------------------------

const serviceToken = "a service token of the crash matrix, long enough"
const crashPoints = join(root, "scenarios/internal/crashPoints.ts")

const start = (file: string, args: ReadonlyArray<string>, env: Readonly<Record<string, string>>) => {
  const child = spawn(
    process.execPath,
    ["--conditions=@pillivery/source", "--import", crashPoints, join(root, file), ...args],
    { env: { PATH: process.env["PATH"] ?? "", ...env }, stdio: ["ignore", "pipe", "pipe"] }
  )
  const output = { stdout: "", stderr: "" }
  child.stdout.on("data", (chunk: Buffer) => (output.stdout += chunk.toString("utf8")))
  child.stderr.on("data", (chunk: Buffer) => (output.stderr += chunk.toString("utf8")))
  const ended = new Promise<Played>((resolve) => child.once("close", (_code, signal) => resolve({ signal })))
  return { child, ended, output }
}

const isRunning = (child: ChildProcess): boolean => child.exitCode === null && child.signalCode === null

const environment = Effect.gen(function* () {
  return Shop.environment({ mysql: yield* Shop.MysqlUrl, provider: (yield* SimulatorServer).url })
})

const playCli = (verb: "run" | "reconcile") => (env: Readonly<Record<string, string>>) =>
  Effect.gen(function* () {
    const running = start("packages/batch-cli/src/main.ts", [verb], { ...(yield* environment), ...env })
    return yield* Effect.promise(() => running.ended).pipe(
      Effect.timeoutOrElse({
        duration: processMillisMax,
        orElse: () => Effect.die(new Error(`the CLI did not end: ${running.output.stdout}${running.output.stderr}`))
      }),
      Effect.ensuring(Effect.sync(() => running.child.kill("SIGKILL")))
    )
  })

// Starts the server, lets somebody do something with it, and waits until `isDone` or until it is dead.
const playServer =
  (
    act: (url: string) => Effect.Effect<unknown, unknown, Services>,
    isDone: Effect.Effect<boolean, unknown, Services>
  ) =>
  (env: Readonly<Record<string, string>>) =>
    Effect.gen(function* () {
      const running = start("packages/api-server/src/main.ts", [], {
        ...(yield* environment),
        PORT: "0",
        PILLIVERY_REDIS_URL: process.env["PILLIVERY_TEST_REDIS_URL"] ?? "",
        PILLIVERY_TEST_CLOCK: "1",
        PILLIVERY_JWT_SECRET: "a secret of the crash matrix, long enough",
        PILLIVERY_SERVICE_TOKEN: serviceToken,
        ...env
      })
      const until = (isSo: () => boolean, millis: number) =>
        Effect.gen(function* () {
          for (let waited = 0; waited < millis && isRunning(running.child) && !isSo(); waited += pollMillis) {
            yield* Effect.sleep(pollMillis)
          }
        })
      return yield* Effect.gen(function* () {
        yield* until(() => running.output.stdout.includes("ready at"), processMillisMax)
        const url = /ready at (\S+)/.exec(running.output.stdout)?.[1]
        if (isRunning(running.child)) {
          if (url === undefined)
            return yield* Effect.die(new Error(`the server did not start: ${running.output.stderr}`))
          yield* act(url)
        }
        for (let waited = 0; waited < settleMillisMax && isRunning(running.child); waited += 4 * pollMillis) {
          if (yield* isDone) break
          yield* Effect.sleep(4 * pollMillis)
        }
        if (isRunning(running.child)) {
          // Whoever is to die at the last points needs the moment in which the last delivery is noted.
          yield* until(() => false, 10 * pollMillis)
          running.child.kill("SIGTERM")
        }
        return yield* Effect.promise(() => running.ended)
      }).pipe(Effect.ensuring(Effect.sync(() => running.child.kill("SIGKILL"))))
    })

// -----------------------------------------------------------------------------
// flows
// -----------------------------------------------------------------------------

const capturesOf = (attempts: ReadonlyArray<AttemptId>) =>
  Effect.gen(function* () {
    const simulator = yield* Simulator
    const entries = yield* Effect.forEach(attempts, (partnerOrderId) => simulator.ledger.entries({ partnerOrderId }))
    return entries.flat().filter(({ kind }) => kind === "capture").length
  })

const isOutboxEmpty = Effect.gen(function* () {
  return (yield* (yield* Outbox).counts).pending === 0
})

const renewalOf = (id: SubscriptionId) =>
  Effect.map(Shop.read(id), ({ cycles }) => cycles.find(({ number }) => number === 1))

const isCharged = (id: SubscriptionId) => Effect.map(renewalOf(id), (cycle) => cycle?._tag === "Charged")

// What a run via the server sends it; whether it is answered is not what is tested.
const askToCharge = (id: SubscriptionId) => (url: string) =>
  Effect.gen(function* () {
    const date = BusinessDate.fromInstant(yield* (yield* BusinessClock).now)
    yield* Effect.promise(() =>
      fetch(`${url}/internal/billing/charges`, {
        method: "POST",
        headers: {
          authorization: `Bearer ${serviceToken}`,
          "content-type": "application/json",
          "idempotency-key": `${id}/1/${date}`
        },
        body: JSON.stringify({ subscriptionId: id, number: 1, date })
      }).then(
        () => undefined,
        () => undefined
      )
    )
  })

const renewalBy = (playOf: (id: SubscriptionId) => Prepared["play"]): Flow => ({
  points: [...callPoints, ...transactionPoints],
  endpoint: "subscription",
  prepare: Effect.gen(function* () {
    const id = yield* Shop.subscribe({ price, period: periodDays })
    yield* Shop.passTime(`${periodDays} days`)
    return {
      play: playOf(id),
      isOver: isCharged(id),
      judge: Effect.gen(function* () {
        const totals = yield* (yield* Simulator).ledger.totals()
        const cycle = yield* renewalOf(id)
        const captures = totals.captureCount - 1
        const attempt = cycle?._tag === "Charged" ? yield* findAttempt(cycle.chargedBy) : null
        const reference = attempt !== null && "reference" in attempt ? attempt.reference._tag : "none"
        return {
          double: Math.max(0, captures - 1),
          lost: captures === 1 && cycle?._tag === "Charged" ? 0 : 1,
          outcome: `${cycle?._tag ?? "missing"}, ${reference === "Awaiting" ? "by its evidence" : "by its answer"}`
        }
      })
    }
  })
})

const findAttempt = (id: AttemptId) =>
  Effect.flatMap(PaymentRepository, (payments) => Effect.map(payments.findAttempt(id), Option.getOrNull))

const bought = Effect.gen(function* () {
  return (yield* Shop.read(yield* Shop.subscribe({ price, period: periodDays }))).subscription
})

const refundOf = ({ orderId, userId }: Effect.Success<typeof bought>) =>
  requestRefund({ orderId, userId, lines: "rest", reason: "단순 변심" })

const refundsOf = ({ orderId }: Effect.Success<typeof bought>) =>
  Effect.flatMap(RefundRepository, (refunds) => refunds.listByOrder(orderId))

const judgeRefund = (subscription: Effect.Success<typeof bought>) =>
  Effect.gen(function* () {
    const totals = yield* (yield* Simulator).ledger.totals()
    const [refund] = yield* refundsOf(subscription)
    return {
      double: Math.max(0, totals.refundCount - 1),
      lost: totals.refundedAmount === price && refund?._tag === "Completed" ? 0 : 1,
      outcome: refund?._tag ?? "missing"
    }
  })

const isRefunded = (subscription: Effect.Success<typeof bought>) =>
  Effect.map(refundsOf(subscription), ([refund]) => refund?._tag === "Completed")

const both = (one: Effect.Effect<boolean, unknown, Services>, other: Effect.Effect<boolean, unknown, Services>) =>
  Effect.zipWith(one, other, (a, b) => a && b)

const refundByCli: Flow = {
  points: [...callPoints, ...transactionPoints],
  endpoint: "cancel",
  prepare: Effect.gen(function* () {
    const subscription = yield* bought
    yield* refundOf(subscription)
    return {
      play: playCli("reconcile"),
      isOver: isRefunded(subscription),
      judge: judgeRefund(subscription)
    }
  })
}

const refundByServer: Flow = {
  points: [...callPoints, ...transactionPoints, ...eventPoints],
  endpoint: "cancel",
  prepare: Effect.gen(function* () {
    const subscription = yield* bought
    const isOver = both(isRefunded(subscription), isOutboxEmpty)
    // Asked for when the server is up, so that the event brings it there and not the first look for what is open.
    const askOnce = Effect.gen(function* () {
      if ((yield* refundsOf(subscription)).length === 0) yield* refundOf(subscription)
    })
    return { play: playServer(() => askOnce, isOver), isOver, judge: judgeRefund(subscription) }
  })
}

const payment: Flow = {
  points: [...callPoints, ...transactionPoints, ...eventPoints],
  endpoint: "approve",
  prepare: Effect.gen(function* () {
    const { attemptId, orderId, token } = yield* Shop.awaitApproval({ price, period: periodDays })
    const order = Effect.map(
      Effect.flatMap(OrderRepository, (orders) => orders.findById(orderId)),
      Option.getOrNull
    )
    const isPaid = Effect.map(order, (found) => found?._tag === "Paid")
    const isAbandoned = Effect.map(findAttempt(attemptId), (attempt) => attempt?._tag === "Abandoned")
    return {
      play: playServer(
        (url) =>
          Effect.promise(() =>
            fetch(`${url}/api/payments/${attemptId}/approve?pg_token=${token}`).then(
              () => undefined,
              // The server died while it was asked.
              () => undefined
            )
          ),
        both(isPaid, isOutboxEmpty)
      ),
      isOver: Effect.zipWith(isPaid, isAbandoned, (one, other) => one || other),
      judge: Effect.gen(function* () {
        const captures = yield* capturesOf([attemptId])
        const isBought = yield* isPaid
        return {
          double: Math.max(0, captures - 1),
          lost: captures === (isBought ? 1 : 0) ? 0 : 1,
          outcome: isBought ? "Paid" : `${(yield* order)?._tag ?? "missing"}, to be paid anew`
        }
      })
    }
  })
}

const retiring: Flow = {
  // The intent and the record are one statement each.
  points: [...callPoints, ...eventPoints],
  endpoint: "inactive",
  prepare: Effect.gen(function* () {
    const id = yield* Shop.subscribe({ price, period: periodDays })
    const { subscription } = yield* Shop.read(id)
    const keyId = subscription._tag === "Active" ? subscription.billingKeyId : null
    if (keyId === null) return yield* Effect.die(new Error("the subscription has no billing key"))
    const key = Effect.map(
      Effect.flatMap(BillingKeyRepository, (keys) => keys.findById(keyId)),
      Option.getOrNull
    )
    yield* cancelSubscription({ subscriptionId: id, userId: subscription.userId, reason: "owner" })
    const isRetired = Effect.map(key, (found) => found?._tag === "Retired")
    return {
      play: playServer(() => Effect.void, both(isRetired, isOutboxEmpty)),
      isOver: both(isRetired, isOutboxEmpty),
      judge: Effect.gen(function* () {
        const found = yield* key
        const simulator = yield* Simulator
        const theirs =
          found !== null && "billingKey" in found
            ? Option.getOrNull(yield* simulator.billingKeys.find(found.billingKey))
            : null
        return {
          double: (yield* simulator.ledger.totals()).captureCount - 1,
          lost: found?._tag === "Retired" && theirs?.isActive === false ? 0 : 1,
          outcome: found?._tag ?? "missing"
        }
      })
    }
  })
}

const flows: Readonly<Record<FlowName, Flow>> = {
  "renewal by the CLI": renewalBy(() => playCli("run")),
  "renewal by the server": renewalBy((id) => playServer(askToCharge(id), isCharged(id))),
  "refund by the CLI": refundByCli,
  "payment by the server": payment,
  "refund by the server": refundByServer,
  "retiring a key by the server": retiring
}

/** Every cell of the matrix. */
export const cases: ReadonlyArray<Case> = (Object.keys(flows) as Array<FlowName>).flatMap((flow) =>
  points.filter((point) => flows[flow].points.includes(point)).map((point) => ({ flow, point }))
)

/** One case of every point, spread over the flows. */
export const casesOfEachPoint: ReadonlyArray<Case> = points.flatMap((point, index) => {
  const some = cases.filter((each) => each.point === point)
  const chosen = some[index % some.length]
  return chosen === undefined ? [] : [chosen]
})

// -----------------------------------------------------------------------------
// one run
// -----------------------------------------------------------------------------

// Nobody waits for minutes here: the leases of whoever is dead are ended.
const endLeases = Effect.gen(function* () {
  const sql = yield* SqlClient
  yield* sql`UPDATE attempt SET lease_expires_at = UTC_TIMESTAMP(3) WHERE lease_expires_at > UTC_TIMESTAMP(3)`
  yield* sql`UPDATE refund SET lease_expires_at = UTC_TIMESTAMP(3) WHERE lease_expires_at > UTC_TIMESTAMP(3)`
  yield* sql`UPDATE outbox SET due_at = UTC_TIMESTAMP(3) WHERE state = 'pending' AND due_at > UTC_TIMESTAMP(3)`
  yield* sql`UPDATE billing_run_worker SET lease_expires_at = UTC_TIMESTAMP(3) WHERE job = ${jobName}`
})

const work = Effect.gen(function* () {
  const today = BusinessDate.fromInstant(yield* (yield* BusinessClock).now)
  yield* reconcile()
  yield* runBilling({ date: today, worker: "recovery" })
  yield* drain()
})

const unexplainedMoney = Effect.gen(function* () {
  const simulator = yield* Simulator
  const payments = yield* PaymentRepository
  let unexplained = 0
  for (const { amount, kind, partnerOrderId } of yield* simulator.ledger.entries()) {
    if (kind !== "capture") continue
    const attempt = Option.getOrNull(yield* payments.findAttempt(AttemptIds.make(partnerOrderId)))
    if (attempt === null || !("reference" in attempt) || attempt.approved !== amount) unexplained++
  }
  return unexplained
})

/** Runs one case from an empty shop to its judgement. */
export const runCase = ({ flow, point }: Case): Effect.Effect<Result, unknown> =>
  Effect.gen(function* () {
    const startedAt = performance.now()
    const simulator = yield* Simulator
    const { endpoint, prepare } = flows[flow]
    const { isOver, judge, play } = yield* prepare
    if (point === "while the provider works") {
      yield* simulator.faults.add({ kind: "slow", endpoint, delayMillis: workingMillis, times: 1 })
    }
    const problems: Array<string> = []
    const killed = yield* play({ PILLIVERY_CRASH_POINT: point })
    if (killed.signal !== "SIGKILL") problems.push("the process did not come to the point")

    yield* endLeases
    yield* play({})
    for (const wait of waits) {
      if (yield* isOver) break
      yield* Shop.passTime(wait)
      yield* endLeases
      yield* work
    }
    yield* drain()

    const judged = yield* judge
    const { broken } = yield* verify()
    const asked = yield* verifyProvider()
    for (const { count, rule } of [...broken, ...asked.broken]) problems.push(`${rule}: ${count}`)
    const attempts = yield* (yield* PaymentRepository).countAttempts
    for (const state of ["Prepared", "Sent", "Unknown", "ManualReview"] as const) {
      if (attempts[state] > 0) problems.push(`${attempts[state]} attempts are ${state}`)
    }
    const outbox = yield* (yield* Outbox).counts
    if (outbox.pending + outbox.dead > 0) problems.push(`${outbox.pending} events wait, ${outbox.dead} were given up`)
    return {
      flow,
      point,
      ...judged,
      unexplained: (yield* unexplainedMoney) + broken.length + asked.broken.length,
      problems,
      millis: Math.round(performance.now() - startedAt)
    }
  }).pipe(Effect.provide(layer), Effect.scoped)
