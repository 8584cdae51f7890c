import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import { Simulator } from "kakaopay-simulator/Simulator"
import { SimulatorServer } from "kakaopay-simulator/SimulatorServer"
import * as Shop from "./Shop.ts"

const environment = Effect.gen(function* () {
  return Shop.environment({ mysql: yield* Shop.MysqlUrl, provider: (yield* SimulatorServer).url })
})

describe("pillivery-billing verify", () => {
  it.live(
    "passes a shop whose renewals were charged, changes nothing, and asks the provider where it is told to",
    () =>
      Effect.gen(function* () {
        const env = yield* environment
        yield* Shop.subscribe({ price: 30_000, period: 30 })
        yield* Shop.passTime("30 days")
        assert.strictEqual((yield* Shop.cli(["run"], env)).code, 0)
        const before = yield* Shop.checksums
        const quiet = yield* Shop.cli(["verify"], { PILLIVERY_MYSQL_URL: env.PILLIVERY_MYSQL_URL })
        assert.strictEqual(quiet.code, 0, quiet.stderr)
        assert.match(quiet.stdout, /^\d+ rows, \d+ rules: none broken\n$/)
        const asked = yield* Shop.cli(["verify", "--provider", "--json"], env)
        assert.strictEqual(asked.code, 0, asked.stderr)
        const report = JSON.parse(asked.stdout)
        assert.deepStrictEqual([report.provider, report.broken], [{ compared: 3, notCompared: 0 }, []])
        assert.deepStrictEqual(yield* Shop.checksums, before)
      }).pipe(Effect.provide(Shop.layer)),
    60_000
  )

  it.live(
    "names a broken rule with its rows, and ends with 1",
    () =>
      Effect.gen(function* () {
        const env = yield* environment
        const id = yield* Shop.subscribe({ price: 30_000, period: 30 })
        yield* Shop.passTime("30 days")
        assert.strictEqual((yield* Shop.cli(["run"], env)).code, 0)
        const sql = yield* SqlClient
        yield* sql`UPDATE billing_key SET live_uses = 7`
        yield* sql`DELETE FROM billing_cycle WHERE state = 'Due'`
        const found = yield* Shop.cli(["verify"], env)
        assert.strictEqual(found.code, 1, found.stderr)
        assert.include(found.stdout, "keyCountsItsSubscriptions: 1 row breaks the rule.")
        assert.include(found.stdout, `  ${id}: Active with 0 open cycles`)
        assert.include(found.stdout, "2 broken")
        const counted = yield* Shop.cli(["verify", "--json", "--limit", "0"], env)
        const { broken } = JSON.parse(counted.stdout)
        assert.deepStrictEqual(
          broken.map((finding: { rule: string; count: number; rows: Array<unknown> }) => [
            finding.rule,
            finding.count,
            finding.rows.length
          ]),
          [
            ["liveSubscriptionHasOneOpenCycle", 1, 0],
            ["keyCountsItsSubscriptions", 1, 0]
          ]
        )
      }).pipe(Effect.provide(Shop.layer)),
    60_000
  )

  it.live(
    "finds a charge that our rows do not know only at the provider",
    () =>
      Effect.gen(function* () {
        const env = yield* environment
        const simulator = yield* Simulator
        yield* Shop.subscribe({ price: 30_000, period: 30 })
        yield* Shop.passTime("30 days")
        assert.strictEqual((yield* Shop.cli(["run"], env)).code, 0)
        // The renewal's rows are set back to before it was charged, as an old backup would.
        const sql = yield* SqlClient
        yield* sql`UPDATE billing_key SET last_known_approval = DATE_SUB(last_known_approval, INTERVAL 30 DAY)`
        yield* sql`UPDATE attempt SET reference_approved_at = DATE_SUB(reference_approved_at, INTERVAL 30 DAY)`
        assert.strictEqual((yield* Shop.cli(["verify"], env)).code, 0)
        const found = yield* Shop.cli(["verify", "--provider"], env)
        assert.strictEqual(found.code, 1, found.stderr)
        assert.include(found.stdout, "providerShowsNoOtherCharge: 1 row breaks the rule.")
        assert.strictEqual((yield* simulator.ledger.totals()).captureCount, 2)
      }).pipe(Effect.provide(Shop.layer)),
    60_000
  )

  it.live(
    "ends with 2 when the rows cannot be read",
    () =>
      Effect.gen(function* () {
        const env = yield* environment
        yield* (yield* SqlClient)`DROP TABLE refund`
        assert.strictEqual((yield* Shop.cli(["verify"], env)).code, 2)
        assert.strictEqual((yield* Shop.cli(["verify", "--sample", "0"], env)).code, 2)
      }).pipe(Effect.provide(Shop.layer)),
    60_000
  )
})
