import { assert, describe, it } from "@effect/vitest"
import * as ChargeDirectly from "@pillivery/application/Billing/ChargeDirectly"
import * as Bulkhead from "@pillivery/application/resilience/Bulkhead"
import { UserRepository } from "@pillivery/application/ports/UserRepository"
import * as Fixtures from "@pillivery/domain/testing/Fixtures"
import { Effect, Option } from "effect"
import { Simulator } from "kakaopay-simulator/Simulator"
import { SimulatorServer } from "kakaopay-simulator/SimulatorServer"
import * as Shop from "./Shop.ts"

const environment = Effect.gen(function* () {
  return Shop.environment({ mysql: yield* Shop.MysqlUrl, provider: (yield* SimulatorServer).url })
})

const charges = Effect.gen(function* () {
  return (yield* (yield* Simulator).calls.list({ endpoint: "subscription" })).length
})

const jsonOf = ({ stdout }: Shop.Finished) => JSON.parse(stdout.trim().split("\n").at(-1) ?? "{}")

describe("stop", () => {
  it.live(
    "lets what is in flight finish, begins nothing more, and a later run goes on",
    () =>
      Effect.gen(function* () {
        const simulator = yield* Simulator
        const left = 5
        const all = ChargeDirectly.sentAtOnce + left
        for (let n = 0; n < all; n++) yield* Shop.subscribe({ price: 10_000, period: 30 })
        yield* Shop.passTime("30 days")
        const env = { ...(yield* environment), PILLIVERY_WORKER_LEASE_MILLIS: "1500" }
        assert.include((yield* Shop.cli(["stop"], env)).stdout, "No run is going on")

        yield* simulator.faults.add({ kind: "slow", endpoint: "subscription", times: 1_000, delayMillis: 5_000 })
        const running = yield* Shop.startCli(["run", "--json"], env)
        yield* Shop.until(Effect.map(charges, (count) => count >= Bulkhead.approveSettings.concurrentMax / 2))
        const stop = yield* Shop.cli(["stop", "--json"], env)
        assert.strictEqual(stop.code, 0, stop.stderr)
        assert.strictEqual(jsonOf(stop).workers.length, 1)
        const stopped = yield* running.done
        assert.strictEqual(stopped.code, 1, stopped.stderr)
        const report = jsonOf(stopped)
        assert.isAtLeast(report.owed.due, left)
        assert.deepStrictEqual([report.counts.charged + report.owed.due, report.counts.unknown], [all, 0])
        assert.include((yield* Shop.cli(["status"], env)).stdout, "Stopped")

        yield* simulator.faults.clear
        const resumed = yield* Shop.cli(["run", "--json"], env)
        assert.strictEqual(resumed.code, 0, resumed.stderr)
        assert.strictEqual(jsonOf(resumed).counts.charged, report.owed.due)
        assert.strictEqual((yield* simulator.ledger.totals()).captureCount, 2 * all)
      }).pipe(Effect.provide(Shop.layer)),
    90_000
  )
})

describe("run --exclusive", () => {
  it.live(
    "ends with 75 while another worker lives, where a plain run shares; another date ends with 75 as well",
    () =>
      Effect.gen(function* () {
        const simulator = yield* Simulator
        const id = yield* Shop.subscribe({ price: 10_000, period: 30 })
        yield* Shop.passTime("30 days")
        const env = yield* environment
        yield* simulator.faults.add({ kind: "slow", endpoint: "subscription", times: 1, delayMillis: 7_000 })
        const first = yield* Shop.startCli(["run", "--exclusive", "--json"], env)
        yield* Shop.until(Effect.map(charges, (count) => count === 1))
        const { cycles } = yield* Shop.read(id)
        const date = cycles[0]?.dueDate ?? ""
        const [second, otherDate, shared] = yield* Effect.all(
          [["--exclusive"], ["--date", "2026-01-01"], ["--json"]].map((flags) => Shop.cli(["run", ...flags], env)),
          { concurrency: 3 }
        )
        for (const refused of [second, otherDate]) {
          assert.strictEqual(refused?.code, 75)
          assert.include(refused?.stderr, `running for ${date}`)
        }
        assert.strictEqual(shared?.code, 1, shared?.stderr)
        assert.deepStrictEqual(JSON.parse(shared?.stdout ?? "").owed, { due: 0, inFlight: 1, inDoubt: 0 })
        assert.strictEqual((yield* first.done).code, 0)
        assert.strictEqual((yield* Shop.cli(["run", "--exclusive"], env)).code, 0)
        assert.strictEqual((yield* simulator.ledger.totals()).captureCount, 2)
      }).pipe(Effect.provide(Shop.layer)),
    60_000
  )
})

describe("recover", () => {
  it.live(
    "takes over what a killed run left once its lease is over, and neither asks nor charges",
    () =>
      Effect.gen(function* () {
        const simulator = yield* Simulator
        const id = yield* Shop.subscribe({ price: 10_000, period: 30 })
        yield* Shop.passTime("30 days")
        const env = { ...(yield* environment), PILLIVERY_LEASE_MILLIS: "3000" }
        yield* simulator.faults.add({ kind: "timeout-after", endpoint: "subscription", times: 1 })
        const running = yield* Shop.startCli(["run"], env)
        yield* Shop.until(Effect.map(charges, (count) => count === 1))
        running.child.kill("SIGKILL")
        yield* running.done
        const received = yield* simulator.calls.received
        // Nothing needs the provider's secret here.
        const { PILLIVERY_KAKAOPAY_SECRET_KEY: _, ...keyless } = env
        yield* Effect.sleep(3_500)
        const recovered = yield* Shop.cli(["recover", "--json"], keyless)
        assert.strictEqual(recovered.code, 0, recovered.stderr)
        assert.deepStrictEqual(jsonOf(recovered), { lost: 1, owed: { due: 0, inFlight: 0, inDoubt: 1 } })
        assert.strictEqual((yield* Shop.read(id)).cycles[0]?._tag, "InDoubt")
        assert.include((yield* Shop.cli(["recover"], keyless)).stdout, "0 calls of dead processes")
        assert.strictEqual(yield* simulator.calls.received, received)
      }).pipe(Effect.provide(Shop.layer)),
    60_000
  )
})

describe("admin grant", () => {
  it.live(
    "makes a user who signed up ADMIN, once, and says when there is none",
    () =>
      Effect.gen(function* () {
        const users = yield* UserRepository
        const user = Fixtures.user({})
        yield* users.insert(user, null)
        const env = { PILLIVERY_MYSQL_URL: yield* Shop.MysqlUrl }
        const granted = yield* Shop.cli(["admin", "grant", ` ${user.email.toUpperCase()} `], env)
        assert.strictEqual(granted.code, 0, granted.stderr)
        assert.include(granted.stdout, `${user.email} is ADMIN now`)
        assert.include((yield* Shop.cli(["admin", "grant", user.email], env)).stdout, "was ADMIN already")
        assert.strictEqual(Option.getOrThrow(yield* users.findById(user.id)).role, "ADMIN")
        const unknown = yield* Shop.cli(["admin", "grant", "nobody@example.com"], env)
        assert.strictEqual(unknown.code, 2)
        assert.include(unknown.stderr, "pillivery-billing: nobody has signed up with nobody@example.com\n")
        const malformed = yield* Shop.cli(["admin", "grant", "nobody"], env)
        assert.strictEqual(malformed.code, 2)
        assert.include(malformed.stderr, "not an e-mail address")
      }).pipe(Effect.provide(Shop.layer)),
    60_000
  )
})
