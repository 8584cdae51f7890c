import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Simulator } from "kakaopay-simulator/Simulator"
import { SimulatorServer } from "kakaopay-simulator/SimulatorServer"
import * as Shop from "./Shop.ts"

const environment = Effect.gen(function* () {
  return Shop.environment({ mysql: yield* Shop.MysqlUrl, provider: (yield* SimulatorServer).url })
})

const charges = Effect.gen(function* () {
  return (yield* (yield* Simulator).calls.list({ endpoint: "subscription" })).length
})

// A run of one subscription whose charge the provider answers after two seconds, once the provider has received it.
const runWithChargeInFlight = Effect.gen(function* () {
  const simulator = yield* Simulator
  const id = yield* Shop.subscribe({ price: 10_000, period: 30 })
  yield* Shop.passTime("30 days")
  const env = yield* environment
  yield* simulator.faults.add({ kind: "slow", endpoint: "subscription", times: 1, delayMillis: 2_000 })
  const running = yield* Shop.startCli(["run", "--json"], env)
  yield* Shop.until(Effect.map(charges, (count) => count === 1))
  return { env, id, running }
})

describe("A run that is told to end", () => {
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    it.live(
      `F33: by ${signal} finishes and records the charge in flight, says so, and ends with 1`,
      () =>
        Effect.gen(function* () {
          const { env, id, running } = yield* runWithChargeInFlight
          running.child.kill(signal)
          const ended = yield* running.done
          assert.deepStrictEqual([ended.code, ended.signal], [1, null], ended.stderr)
          assert.include(ended.stderr, "Stopped; what was in flight is finished.")
          assert.strictEqual((yield* Shop.read(id)).cycles[1]?._tag, "Charged")
          const status = JSON.parse((yield* Shop.cli(["status", "--json"], env)).stdout)
          assert.strictEqual(status.runs[0].status, "Stopped")
          assert.deepStrictEqual(status.owed, { due: 0, inFlight: 0, inDoubt: 0 })
          assert.strictEqual((yield* Shop.cli(["run"], env)).code, 0)
          assert.strictEqual((yield* (yield* Simulator).ledger.totals()).captureCount, 2)
        }).pipe(Effect.provide(Shop.layer)),
      60_000
    )
  }

  it.live(
    "by nobody goes on to its end when nobody reads its output any more",
    () =>
      Effect.gen(function* () {
        const { id, running } = yield* runWithChargeInFlight
        running.child.stdout?.destroy()
        running.child.stderr?.destroy()
        const ended = yield* running.done
        assert.deepStrictEqual([ended.code, ended.signal], [0, null])
        assert.strictEqual((yield* Shop.read(id)).cycles[1]?._tag, "Charged")
        assert.strictEqual((yield* (yield* Simulator).ledger.totals()).captureCount, 2)
      }).pipe(Effect.provide(Shop.layer)),
    60_000
  )
})
