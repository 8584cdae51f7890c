import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Simulator } from "kakaopay-simulator/Simulator"
import { SimulatorServer } from "kakaopay-simulator/SimulatorServer"
import * as Shop from "./Shop.ts"

const environment = Effect.gen(function* () {
  return Shop.environment({ mysql: yield* Shop.MysqlUrl, provider: (yield* SimulatorServer).url })
})

// Runs the CLI until the provider has received the charge, and kills it before the answer can arrive.
const killWhileSent = Effect.fnUntraced(function* (fault: "timeout-after" | "timeout-before") {
  const simulator = yield* Simulator
  const env = yield* environment
  yield* simulator.faults.add({ kind: fault, endpoint: "subscription", times: 1 })
  const running = yield* Shop.startCli(["run"], env)
  yield* Shop.until(Effect.map(simulator.calls.list({ endpoint: "subscription" }), (calls) => calls.length === 1))
  running.child.kill("SIGKILL")
  assert.strictEqual((yield* running.done).signal, "SIGKILL")
  return env
})

describe("a billing process killed between Sent and the answer", () => {
  it.live(
    "charges once when the provider had executed the charge",
    () =>
      Effect.gen(function* () {
        const simulator = yield* Simulator
        const id = yield* Shop.subscribe({ price: 30_000, period: 30 })
        yield* Shop.passTime("30 days")
        const env = yield* killWhileSent("timeout-after")
        assert.strictEqual((yield* Shop.read(id)).cycles[0]?._tag, "InFlight")

        // While the lease lasts nobody touches it; afterwards the outcome is unknown, and nothing is sent again.
        const early = yield* Shop.cli(["run", "--json"], env)
        assert.strictEqual(early.code, 1, early.stderr)
        yield* Effect.sleep(Shop.leaseMillis + 500)
        const unknown = yield* Shop.cli(["run", "--json"], env)
        assert.strictEqual(unknown.code, 3, unknown.stderr)
        assert.strictEqual((yield* Shop.read(id)).cycles[0]?._tag, "InDoubt")

        // Five minutes later the provider is asked, and its evidence settles the cycle.
        yield* Shop.passTime("6 minutes")
        const settled = yield* Shop.cli(["reconcile", "--json"], env)
        assert.strictEqual(settled.code, 0, settled.stderr)
        assert.deepStrictEqual(
          (yield* Shop.read(id)).cycles.map((cycle) => cycle._tag),
          ["Due", "Charged"]
        )
        assert.strictEqual((yield* Shop.cli(["run"], env)).code, 0)
        const totals = yield* simulator.ledger.totals()
        assert.deepStrictEqual([totals.captureCount, totals.capturedAmount], [2, 60_000])
      }).pipe(Effect.provide(Shop.layer)),
    60_000
  )

  it.live(
    "charges once when the provider had not executed the charge",
    () =>
      Effect.gen(function* () {
        const simulator = yield* Simulator
        const id = yield* Shop.subscribe({ price: 30_000, period: 30 })
        yield* Shop.passTime("30 days")
        const env = yield* killWhileSent("timeout-before")
        yield* Effect.sleep(Shop.leaseMillis + 500)
        assert.strictEqual((yield* Shop.cli(["run"], env)).code, 3)
        yield* Shop.passTime("6 minutes")
        assert.strictEqual((yield* Shop.cli(["reconcile"], env)).code, 3)
        assert.strictEqual((yield* simulator.ledger.totals()).captureCount, 1)

        // Only past the grace time is the silence believed, and the charge is sent in a later day's run.
        yield* Shop.passTime("1 day")
        const later = yield* Shop.cli(["run", "--json"], env)
        assert.strictEqual(later.code, 0, later.stderr)
        assert.deepStrictEqual(
          (yield* Shop.read(id)).cycles.map((cycle) => [cycle._tag, cycle.number]),
          [
            ["Due", 2],
            ["Charged", 1]
          ]
        )
        assert.strictEqual((yield* simulator.ledger.totals()).captureCount, 2)
      }).pipe(Effect.provide(Shop.layer)),
    60_000
  )
})
