/**
 * The schema survives servers that die and servers that start together.
 *
 * @since 0.1.0
 */
import { MysqlClient } from "@effect/sql-mysql2"
import { assert, describe, it } from "@effect/vitest"
import { SubscriptionRepository } from "@pillivery/application/ports/SubscriptionRepository"
import { Effect, Exit, Option, Schema } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import { migrations } from "../src/internal/MigrationList.ts"
import * as Mysql from "../src/Mysql.ts"
import * as Fixtures from "./Fixtures.ts"
import { migrate, MigrationMismatch, migrateWith, pending } from "../src/Migrations.ts"
import { layerEmpty } from "./TestDatabase.ts"

const Names = Schema.Array(Schema.Struct({ name: Schema.String }))

const tableNames = Effect.gen(function* () {
  const sql = yield* SqlClient
  const rows = yield* Schema.decodeUnknownEffect(Names)(
    yield* sql`SELECT TABLE_NAME AS name FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() ORDER BY 1`
  )
  return rows.map(({ name }) => name)
})

const namesOf = (list: ReadonlyArray<{ readonly name: string }>) => list.map(({ name }) => name)
const created = migrations.filter(({ name }) => name.startsWith("create_"))

/** What the first release made, and what later ones added: a name never moves once a database was made with it. */
const firstRelease = [
  "create_business_clock",
  "create_app_user",
  "create_item",
  "create_item_category",
  "create_item_bigram",
  "create_orders",
  "create_order_line",
  "create_payment",
  "create_attempt",
  "create_user_slot",
  "create_subscription_order",
  "create_billing_key",
  "create_billing_cycle",
  "create_billing_job",
  "create_billing_run",
  "create_billing_run_worker",
  "create_refund",
  "create_outbox",
  "create_inbox",
  "create_sales",
  "create_notification"
]
const later = [
  "add_subscription_order_last_paid_due_date",
  "add_billing_cycle_quantity",
  "add_billing_run_worker_stop_asked",
  "add_billing_run_taken_step",
  "add_billing_run_taken_subscription_id",
  "add_billing_run_taken_number",
  "create_idempotency_key",
  "add_attempt_awaiting_reference",
  "create_operator_decision",
  "add_billing_key_checked_on",
  "add_subscription_order_by_state",
  "add_attempt_by_billing_key",
  "add_subscription_order_to_resume",
  "create_social_account",
  "create_item_view",
  "create_review",
  "add_orders_by_user_state",
  "add_orders_by_paid_at",
  "create_webhook_endpoint",
  "create_message"
]
const expectedTables = [...created.map(({ name }) => name.replace("create_", "")), "schema_migration"].sort()

describe("Migrations", () => {
  it("keep the place they were released with", () => {
    assert.deepStrictEqual(
      migrations.map(({ id, name }) => [id, name]),
      [...firstRelease, ...later].map((name, index) => [index + 1, name])
    )
  })

  it.live("run once, in order, and then have nothing to do", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* pending, namesOf(migrations))
      assert.deepStrictEqual(yield* migrate, namesOf(migrations))
      assert.deepStrictEqual((yield* tableNames).toSorted(), expectedTables)
      assert.deepStrictEqual(yield* migrate, [])
      assert.deepStrictEqual(yield* pending, [])
    }).pipe(Effect.provide(layerEmpty()))
  )

  it.live("finish after dying between any two statements", () =>
    Effect.gen(function* () {
      // Each run goes a little further than the one before and dies there, so every gap is died in once.
      for (let deaths = 0; deaths < migrations.length * 2; deaths++) {
        let passed = 0
        const limit = deaths % 2 === 0 ? 1 : 2
        const exit = yield* Effect.exit(
          migrateWith({
            migrations,
            checkpoint: Effect.suspend(() => (++passed >= limit ? Effect.die("killed") : Effect.void))
          })
        )
        assert.isTrue(Exit.isFailure(exit))
        // Dying after the statement and before its record leaves the step to be done again; take one step.
        if (limit === 2)
          yield* migrateWith({ migrations: migrations.slice(0, (deaths + 1) / 2), checkpoint: Effect.void })
      }
      assert.deepStrictEqual(yield* migrate, [])
      assert.deepStrictEqual((yield* tableNames).toSorted(), expectedTables)
    }).pipe(Effect.provide(layerEmpty()))
  )

  it.live("bring a database of an earlier release up to date, whose rows are read as they were meant", () =>
    Effect.gen(function* () {
      yield* migrateWith({ migrations: migrations.slice(0, firstRelease.length), checkpoint: Effect.void })
      assert.deepStrictEqual(yield* migrate, later)
      const sql = yield* SqlClient
      const subscription = Fixtures.activeSubscription()
      yield* Effect.gen(function* () {
        const subscriptions = yield* SubscriptionRepository
        yield* subscriptions.insert(subscription)
        // What a server of the release before writes: it does not know the column.
        yield* sql`UPDATE subscription_order SET last_paid_due_date = NULL`
        const found = Option.getOrThrow(yield* subscriptions.findById(subscription.id))
        assert.strictEqual(found.lastPaidDueDate, subscription.anchor)
        yield* subscriptions.update(found)
        const [row] = yield* sql`SELECT last_paid_due_date AS paid FROM subscription_order`.values
        assert.deepStrictEqual(row, [subscription.anchor])
      }).pipe(Effect.provide(Mysql.layerWith({ isClockMovable: true })))
    }).pipe(Effect.provide(layerEmpty()))
  )

  it.live("are done once when servers start together", () =>
    Effect.gen(function* () {
      const applied = yield* Effect.all([migrate, migrate, migrate], { concurrency: 3 })
      assert.deepStrictEqual(applied.flat(), namesOf(migrations))
      assert.deepStrictEqual((yield* tableNames).toSorted(), expectedTables)
    }).pipe(Effect.provide(layerEmpty()))
  )

  it.live("stop at a history that is not ours and leave a newer one alone", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient
      yield* migrate
      yield* sql`INSERT INTO schema_migration (id, name, applied_at)
        VALUES (9999, 'of_the_next_release', UTC_TIMESTAMP(3))`
      assert.deepStrictEqual(yield* migrate, [])
      yield* sql`UPDATE schema_migration SET name = 'something_else' WHERE id = 2`
      const error = yield* Effect.flip(migrate)
      assert.instanceOf(error, MigrationMismatch)
    }).pipe(Effect.provide(layerEmpty()))
  )

  it.live("put the connection's settings back", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient
      yield* migrate
      const variables = yield* sql`SHOW VARIABLES WHERE Variable_name IN ${sql.in([
        "max_statement_time",
        "max_execution_time"
      ])}`.valuesUnprepared
      assert.include(["10.000000", "10000"], String(variables[0]?.[1]))
    }).pipe(Effect.provide(layerEmpty({ poolSize: 1 })))
  )

  it.live("use the pool of the client", () =>
    Effect.gen(function* () {
      const { config } = yield* MysqlClient.MysqlClient
      assert.strictEqual(config.maxConnections, 3)
    }).pipe(Effect.provide(layerEmpty({ poolSize: 3 })))
  )
}, 60_000)
