import { assert, describe, it } from "@effect/vitest"
import { MessageQueue } from "@pillivery/application/ports/MessageQueue"
import { Outbox } from "@pillivery/application/ports/Outbox"
import { BusinessClock } from "@pillivery/application/ports/BusinessClock"
import * as BusinessDate from "@pillivery/domain/BusinessDate"
import * as DomainEvent from "@pillivery/domain/DomainEvent"
import * as Fixtures from "@pillivery/domain/testing/Fixtures"
import { Effect } from "effect"
import { Simulator } from "kakaopay-simulator/Simulator"
import { SimulatorServer } from "kakaopay-simulator/SimulatorServer"
import * as Shop from "./Shop.ts"

const environment = Effect.gen(function* () {
  return Shop.environment({ mysql: yield* Shop.MysqlUrl, provider: (yield* SimulatorServer).url })
})

describe("pillivery-billing", () => {
  it.live(
    "charges what is due, says so, and charges nothing when started again",
    () =>
      Effect.gen(function* () {
        const simulator = yield* Simulator
        yield* Effect.forEach([10_000, 20_000, 30_000], (price) => Shop.subscribe({ price, period: 30 }))
        yield* Shop.passTime("30 days")
        const env = yield* environment
        const first = yield* Shop.cli(["run", "--json"], env)
        assert.strictEqual(first.code, 0, first.stderr)
        const report = JSON.parse(first.stdout.trim().split("\n").at(-1) ?? "{}")
        assert.strictEqual(report.counts.charged, 3)
        const second = yield* Shop.cli(["run"], env)
        assert.strictEqual(second.code, 0)
        assert.include(second.stdout, "nothing is owed")
        assert.strictEqual((yield* simulator.ledger.totals()).captureCount, 6)
      }).pipe(Effect.provide(Shop.layer)),
    60_000
  )

  it.live(
    "tells what a run would take and do, and writes nothing",
    () =>
      Effect.gen(function* () {
        const simulator = yield* Simulator
        const ids = yield* Effect.forEach([10_000, 20_000, 30_000], (price) => Shop.subscribe({ price, period: 30 }))
        yield* Shop.passTime("30 days")
        const env = yield* environment
        const [before, calls] = [yield* Shop.checksums, yield* simulator.calls.received]
        const due = yield* Shop.cli(["due", "--limit", "2"], env)
        assert.strictEqual(due.code, 0, due.stderr)
        const lines = due.stdout.trim().split("\n")
        assert.strictEqual(lines.length, 4, due.stdout)
        assert.match(lines[0] ?? "", /^[0-9a-f-]{36} cycle 1, first try$/)
        assert.include(lines[2] ?? "", "and 1 more")
        assert.include(lines[3] ?? "", "3 due")
        const dryRun = yield* Shop.cli(["dry-run", "--json"], env)
        const report = JSON.parse(dryRun.stdout)
        assert.deepStrictEqual([report.due, report.amount, report.plans.Charge], [3, 60_000, 3])
        assert.sameMembers(
          report.cycles.map((cycle: { readonly subscriptionId: string }) => cycle.subscriptionId),
          [...ids]
        )
        assert.include((yield* Shop.cli(["dry-run"], env)).stdout, "would charge 3 cycles, 60,000 won")
        assert.include((yield* Shop.cli(["due", "--date", "2000-01-01"], env)).stdout, "2000-01-01: 0 due")
        for (const bad of [
          ["--limit", "-1"],
          ["--limit", "1e9"],
          ["--date", "tomorrow"]
        ]) {
          assert.strictEqual((yield* Shop.cli(["due", ...bad], env)).code, 2, bad.join(" "))
        }
        assert.deepStrictEqual(yield* Shop.checksums, before)
        assert.strictEqual(yield* simulator.calls.received, calls)
        assert.strictEqual((yield* Shop.cli(["run"], env)).code, 0)
        assert.notDeepEqual(yield* Shop.checksums, before)
        assert.include((yield* Shop.cli(["dry-run"], env)).stdout, "would charge 0 cycles")
      }).pipe(Effect.provide(Shop.layer)),
    60_000
  )

  it.live(
    "lists deliveries that were given up, and has them tried again once",
    () =>
      Effect.gen(function* () {
        const outbox = yield* Outbox
        const eventsOf = (cause: string) =>
          new DomainEvent.OrderPaid({
            eventId: DomainEvent.eventId(cause, "OrderPaid"),
            at: Fixtures.now,
            userId: Fixtures.anyUserId(),
            orderId: Fixtures.anyOrderId(),
            attemptId: Fixtures.anyAttemptId(),
            amount: Fixtures.won(1_000)
          })
        const [first, second] = [eventsOf("first"), eventsOf("second")]
        yield* outbox.publish([first, second])
        const deliveries = yield* outbox.claim({ owner: "test", limit: 10, leaseMillis: 60_000 })
        yield* Effect.forEach(deliveries, (delivery) => outbox.giveUp(delivery, "메일 서버가\n대답하지 않음"), {
          discard: true
        })
        const env = yield* environment
        const list = yield* Shop.cli(["outbox", "list"], env)
        assert.strictEqual(list.code, 0, list.stderr)
        assert.strictEqual(list.stdout.trim().split("\n").length, deliveries.length + 1, list.stdout)
        assert.include(
          list.stdout,
          `OrderPaid ${first.eventId} to cart, given up after 1 tries: 메일 서버가 대답하지 않음`
        )
        assert.include(list.stdout, `0 deliveries wait, ${deliveries.length} were given up`)
        const retryFirst = ["outbox", "retry", first.eventId, "--json"]
        const retried = JSON.parse((yield* Shop.cli(retryFirst, env)).stdout)
        assert.sameMembers(
          retried.retried.map((one: { readonly consumer: string }) => one.consumer),
          ["cart", "notification"]
        )
        assert.deepStrictEqual([retried.pending, retried.dead], [2, 2])
        assert.deepStrictEqual(JSON.parse((yield* Shop.cli(retryFirst, env)).stdout).retried, [])
        for (const wrong of [
          ["outbox", "retry"],
          ["outbox", "retry", first.eventId, "--all"],
          ["outbox", "list", "--limit", "0"]
        ]) {
          assert.strictEqual((yield* Shop.cli(wrong, env)).code, 2, wrong.join(" "))
        }
        assert.strictEqual((yield* outbox.counts).dead, 2)
        assert.include(
          (yield* Shop.cli(["outbox", "retry", "--all"], env)).stdout,
          "2 deliveries will be tried once more; 0 are"
        )
        const again = yield* outbox.claim({ owner: "test", limit: 10, leaseMillis: 60_000 })
        assert.strictEqual(again.length, deliveries.length)
      }).pipe(Effect.provide(Shop.layer)),
    60_000
  )

  it.live(
    "counts messages that nobody took, and has them sent once more",
    () =>
      Effect.gen(function* () {
        const queue = yield* MessageQueue
        const event = new DomainEvent.OrderExpired({
          eventId: DomainEvent.eventId("untold", "OrderExpired"),
          at: Fixtures.now,
          userId: Fixtures.anyUserId(),
          orderId: Fixtures.anyOrderId()
        })
        yield* queue.queue(event, ["email"])
        const claim = queue.claim({ recipient: "email", owner: "test", limit: 10, leaseMillis: 60_000 })
        yield* Effect.flatMap(
          claim,
          Effect.forEach((message) => queue.giveUp(message, "550"))
        )
        const env = yield* environment
        const list = yield* Shop.cli(["message", "list"], env)
        assert.strictEqual(list.code, 0, list.stderr)
        assert.include(list.stdout, "email: 0 wait, 1 were given up")
        for (const wrong of [
          ["message", "replay"],
          ["message", "replay", "email"],
          ["message", "replay", "nobody", "--failed"],
          ["message", "replay", "email", "--failed", "--event", event.eventId],
          ["message", "replay", "email", "--since", "yesterday"]
        ]) {
          assert.strictEqual((yield* Shop.cli(wrong, env)).code, 2, wrong.join(" "))
        }
        assert.strictEqual((yield* claim).length, 0)
        const replay = (...flags: ReadonlyArray<string>) =>
          Effect.map(
            Shop.cli(["message", "replay", "email", ...flags, "--json"], env),
            ({ stdout }) => JSON.parse(stdout).replayed
          )
        assert.deepStrictEqual([yield* replay("--failed"), yield* replay("--failed")], [1, 0])
        yield* Effect.flatMap(claim, Effect.forEach(queue.complete))
        assert.strictEqual(yield* replay("--since", "2100-01-01T00:00:00Z"), 0)
        assert.strictEqual(yield* replay("--event", event.eventId), 1)
        assert.strictEqual((yield* claim).length, 1)
      }).pipe(Effect.provide(Shop.layer)),
    60_000
  )

  it.live(
    "lets several processes share one run, and charges each cycle once",
    () =>
      Effect.gen(function* () {
        const simulator = yield* Simulator
        for (let n = 0; n < 12; n++) yield* Shop.subscribe({ price: 10_000, period: 30 })
        yield* Shop.passTime("30 days")
        const env = yield* environment
        const finished = yield* Effect.all(
          [1, 2, 3].map(() => Shop.cli(["run", "--json"], env)),
          { concurrency: 3 }
        )
        for (const one of finished) assert.include([0, 1], one.code, one.stderr)
        assert.strictEqual((yield* Shop.cli(["run"], env)).code, 0)
        assert.strictEqual((yield* simulator.ledger.totals()).captureCount, 24)
      }).pipe(Effect.provide(Shop.layer)),
    60_000
  )

  it.live(
    "ends with 1 and owes everything while the provider cannot be reached",
    () =>
      Effect.gen(function* () {
        const simulator = yield* Simulator
        yield* Shop.subscribe({ price: 10_000, period: 30 })
        yield* Shop.passTime("30 days")
        const env = { ...(yield* environment), PILLIVERY_KAKAOPAY_URL: "http://127.0.0.1:9" }
        const run = yield* Shop.cli(["run", "--json"], env)
        assert.strictEqual(run.code, 1, run.stderr)
        assert.strictEqual((yield* simulator.ledger.totals()).captureCount, 1)
      }).pipe(Effect.provide(Shop.layer)),
    60_000
  )

  it.live(
    "stops with 2 and says why when the provider refuses our key",
    () =>
      Effect.gen(function* () {
        for (let n = 0; n < 6; n++) yield* Shop.subscribe({ price: 10_000, period: 30 })
        yield* Shop.passTime("30 days")
        const env = { ...(yield* environment), PILLIVERY_KAKAOPAY_SECRET_KEY: "DEVWRONG" }
        const run = yield* Shop.cli(["run"], env)
        assert.strictEqual(run.code, 2, run.stdout)
        assert.include(run.stderr, "secret key")
      }).pipe(Effect.provide(Shop.layer)),
    60_000
  )

  it.live(
    "charges ahead of its day what it is told to, once",
    () =>
      Effect.gen(function* () {
        const simulator = yield* Simulator
        yield* Shop.subscribe({ price: 30_000, period: 30 })
        yield* Shop.passTime("20 days")
        const date = BusinessDate.addDays(BusinessDate.fromInstant(yield* (yield* BusinessClock).now), 10)
        const env = yield* environment
        const ahead = yield* Shop.cli(["run", "--date", date, "--allow-future", "--json"], env)
        assert.deepStrictEqual([ahead.code, ahead.stdout.includes('"charged":1')], [0, true], ahead.stderr)
        yield* Shop.passTime("10 days")
        assert.strictEqual((yield* Shop.cli(["run"], env)).code, 0)
        assert.strictEqual((yield* simulator.ledger.totals()).captureCount, 2)
      }).pipe(Effect.provide(Shop.layer)),
    60_000
  )

  it.live(
    "refuses a date that is no date, a date after today, and an unknown verb, with 2 and one line",
    () =>
      Effect.gen(function* () {
        const env = yield* environment
        assert.strictEqual((yield* Shop.cli(["run", "--date", "2026-02-30"], env)).code, 2)
        const future = yield* Shop.cli(["run", "--date", "2199-01-01"], env)
        assert.strictEqual(future.code, 2)
        assert.include(future.stderr, "--allow-future")
        const far = yield* Shop.cli(["run", "--date", "2199-01-01", "--allow-future"], env)
        assert.deepStrictEqual([far.code, far.stderr.includes("more than 14 days")], [2, true])
        assert.strictEqual((yield* Shop.cli(["chrage"], env)).code, 2)
        assert.strictEqual((yield* Shop.cli(["--help"], env)).code, 0)
      }).pipe(Effect.provide(Shop.layer)),
    60_000
  )

  it.live(
    "says in one line and with 2 that the database is missing or cannot be reached",
    () =>
      Effect.gen(function* () {
        const missing = yield* Shop.cli(["run"], {})
        assert.strictEqual(missing.code, 2)
        assert.include(missing.stderr, "PILLIVERY_MYSQL_URL")
        const unreachable = yield* Shop.cli(["status"], { PILLIVERY_MYSQL_URL: "mysql://root@127.0.0.1:9/nowhere" })
        assert.strictEqual(unreachable.code, 2)
        assert.strictEqual(unreachable.stderr.trim().split("\n").length, 1, unreachable.stderr)
      }),
    60_000
  )
})
