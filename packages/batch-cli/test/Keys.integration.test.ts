import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Client from "@pillivery/adapters-mysql/Client"
import { BillingKeyRepository } from "@pillivery/application/ports/BillingKeyRepository"
import { Simulator } from "kakaopay-simulator/Simulator"
import { SimulatorServer } from "kakaopay-simulator/SimulatorServer"
import { Effect, FileSystem, Layer, Option, Redacted, Schema } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import * as Shop from "./Shop.ts"

const checkedOf = Effect.fnUntraced(function* (ended: { readonly code: number | null; readonly stdout: string }) {
  assert.strictEqual(ended.code, 0)
  const Output = Schema.fromJsonString(Schema.Struct({ keys: Schema.Struct({ checked: Schema.Int }) }))
  const { keys } = yield* Schema.decodeUnknownEffect(Output)(ended.stdout.trim().split("\n").at(-1))
  return keys.checked
})

describe("restored", () => {
  it.live(
    "has the keys compared again that were compared today",
    () =>
      Effect.gen(function* () {
        yield* Shop.subscribe({ price: 10_000, period: 30 })
        yield* Shop.passTime("10 days")
        const env = Shop.environment({ mysql: yield* Shop.MysqlUrl, provider: (yield* SimulatorServer).url })
        const reconcile = Effect.flatMap(Shop.cli(["reconcile", "--json"], env), checkedOf)
        assert.strictEqual(yield* reconcile, 1)
        assert.strictEqual(yield* reconcile, 0)
        assert.strictEqual((yield* Shop.cli(["restored"], env)).code, 0)
        assert.strictEqual(yield* reconcile, 1)
      }).pipe(Effect.provide(Shop.layer)),
    60_000
  )
})

// Copies every table of the shop's database; answers what puts it back.
const backup = Effect.gen(function* () {
  const database = Client.layer({ url: Redacted.make(yield* Shop.MysqlUrl), poolSize: 1 })
  const copies = yield* Shop.freshDatabase
  const copy = new URL(copies).pathname.slice(1)
  const tables = yield* Shop.tables
  yield* Effect.forEach(tables, (table) =>
    Effect.flatMap(SqlClient, (sql) => sql`CREATE TABLE ${sql(copy)}.${sql(table)} AS SELECT * FROM ${sql(table)}`)
  ).pipe(Effect.provide(database))
  return Effect.forEach(tables, (table) =>
    Effect.gen(function* () {
      const sql = yield* SqlClient
      const rows = yield* sql`SELECT column_name AS name FROM information_schema.columns
        WHERE table_schema = DATABASE() AND table_name = ${table} AND COALESCE(generation_expression, '') = ''
        ORDER BY ordinal_position`
      const columns = sql.csv(rows.map(({ name }) => sql`${sql(String(name))}`))
      yield* sql`DELETE FROM ${sql(table)}`
      yield* sql`INSERT INTO ${sql(table)} (${columns}) SELECT ${columns} FROM ${sql(copy)}.${sql(table)}`
    })
  ).pipe(Effect.provide(database))
})

describe("a database that was restored from a backup", () => {
  it.live(
    "is noticed by the state file, and a charge that it forgot is not made again",
    () =>
      Effect.gen(function* () {
        const simulator = yield* Simulator
        const id = yield* Shop.subscribe({ price: 10_000, period: 30 })
        const idle = yield* Shop.subscribe({ price: 20_000, period: 60 })
        yield* Shop.passTime("30 days")
        const folder = yield* (yield* FileSystem.FileSystem).makeTempDirectoryScoped()
        const env = {
          ...Shop.environment({ mysql: yield* Shop.MysqlUrl, provider: (yield* SimulatorServer).url }),
          PILLIVERY_STATE_FILE: `${folder}/pillivery-billing.state`
        }
        const restore = yield* backup
        const first = yield* Shop.cli(["run", "--json"], env)
        assert.deepStrictEqual([first.code, first.stdout.includes('"charged":1')], [0, true], first.stderr)
        yield* restore

        const second = yield* Shop.cli(["run", "--json"], env)
        assert.include(second.stderr, "lost charges")
        assert.include(second.stdout, '"charged":0')
        const keyOf = (subscriptionId: typeof id) =>
          Effect.gen(function* () {
            const { subscription } = yield* Shop.read(subscriptionId)
            const keys = yield* BillingKeyRepository
            return subscription._tag === "AwaitingBillingKey" || subscription.billingKeyId === null
              ? null
              : Option.getOrThrow(yield* keys.findById(subscription.billingKeyId))._tag
          })
        assert.deepStrictEqual([yield* keyOf(id), yield* keyOf(idle)], ["Frozen", "Active"])
        assert.strictEqual((yield* simulator.ledger.totals()).captureCount, 3)

        const third = yield* Shop.cli(["reconcile", "--json"], env)
        assert.notInclude(third.stderr, "lost charges")
      }).pipe(Effect.scoped, Effect.provide(Layer.merge(Shop.layer, NodeServices.layer))),
    90_000
  )
})
