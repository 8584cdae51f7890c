/**
 * What the transaction helper does when rivals win, connections die and nobody has a connection to spare.
 *
 * @since 0.1.0
 */
import { assert, describe, it } from "@effect/vitest"
import { StorageError } from "@pillivery/application/ports/StorageError"
import { Transaction } from "@pillivery/application/ports/Transaction"
import { type Context, Deferred, Effect, Exit, Fiber, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import type { Options } from "../src/Client.ts"
import * as TransactionLayer from "../src/Transaction.ts"
import { layerEmpty } from "./TestDatabase.ts"

/** Longer than the lock wait of a second, which MySQL only looks at once a second. */
const heldMillis = 4_500

const migrateCounters = Layer.effectDiscard(
  Effect.gen(function* () {
    const sql = yield* SqlClient
    yield* sql`CREATE TABLE counter (id INT PRIMARY KEY, amount INT NOT NULL) ENGINE = InnoDB`
    yield* sql`INSERT INTO counter (id, amount) VALUES (1, 0), (2, 0), (3, 0), (4, 0)`
  })
)

const layerCounters = (options: Omit<Options, "url"> & TransactionLayer.Options = {}) =>
  Layer.mergeAll(TransactionLayer.layerWith(options), migrateCounters).pipe(Layer.provideMerge(layerEmpty(options)))

const Amounts = Schema.Array(Schema.Struct({ amount: Schema.Int }))
const ConnectionIds = Schema.Tuple([Schema.Struct({ id: Schema.Int })])

const amountOf = Effect.fnUntraced(function* (id: number) {
  const sql = yield* SqlClient
  const rows = yield* Schema.decodeUnknownEffect(Amounts)(yield* sql`SELECT amount FROM counter WHERE id = ${id}`)
  return rows[0]?.amount ?? 0
})

const add = Effect.fnUntraced(function* (id: number, amount: number) {
  const sql = yield* SqlClient
  const { write } = yield* TransactionLayer.Statements
  yield* write("add")(sql`UPDATE counter SET amount = amount + ${amount} WHERE id = ${id}`)
})

const connectionId = Effect.gen(function* () {
  const sql = yield* SqlClient
  const [{ id }] = yield* Schema.decodeUnknownEffect(ConnectionIds)(yield* sql`SELECT CONNECTION_ID() AS id`)
  return id
})

const reasonOf = <A, E>(exit: Exit.Exit<A, E>): string | null => {
  if (Exit.isSuccess(exit)) return null
  const [reason] = exit.cause.reasons
  return reason?._tag === "Fail" && reason.error instanceof StorageError ? reason.error.reason : (reason?._tag ?? null)
}

const resetCounters = Effect.gen(function* () {
  const sql = yield* SqlClient
  yield* sql`UPDATE counter SET amount = 0`
})

/** Two transactions that take the same two rows in opposite order and meet in the middle on their first try. */
const deadlock = (options: { readonly swallows: boolean }) =>
  Effect.gen(function* () {
    const { run } = yield* Transaction
    yield* resetCounters
    let tries = 0
    const meeting = [yield* Deferred.make<void>(), yield* Deferred.make<void>()] as const
    const rival = (own: 0 | 1, first: number, second: number) =>
      run(
        Effect.gen(function* () {
          tries++
          yield* add(first, 1)
          yield* Deferred.succeed(meeting[own], undefined)
          yield* Deferred.await(meeting[own === 0 ? 1 : 0])
          yield* options.swallows ? Effect.ignore(add(second, 1)) : add(second, 1)
          // After a swallowed deadlock this would commit alone, were the transaction not doomed.
          yield* options.swallows ? Effect.ignore(add(3, 1)) : add(3, 1)
        })
      )
    yield* Effect.all([rival(0, 1, 2), rival(1, 2, 1)], { concurrency: 2 })
    assert.isAtLeast(tries, 3)
    assert.deepStrictEqual(yield* Effect.forEach([1, 2, 3], amountOf), [2, 2, 2])
  })

const laws = (isolation: "READ COMMITTED" | "REPEATABLE READ") => {
  const options = { isolation, poolSize: 4, lockWaitSeconds: 1 }

  it.layer(layerCounters(options), { excludeTestServices: true })(isolation, (it) => {
    it.effect("a deadlock is retried as a whole", () => deadlock({ swallows: false }))

    it.effect("a deadlock that the caller swallows commits nothing by itself", () => deadlock({ swallows: true }))

    it.effect("a lock that is held for too long is waited for again", () =>
      Effect.gen(function* () {
        const { run } = yield* Transaction
        yield* resetCounters
        const held = yield* Deferred.make<void>()
        const holder = yield* Effect.forkChild(
          run(Effect.andThen(add(1, 1), Effect.andThen(Deferred.succeed(held, undefined), Effect.sleep(heldMillis))))
        )
        yield* Deferred.await(held)
        let tries = 0
        yield* run(
          Effect.suspend(() => {
            tries++
            return Effect.andThen(add(2, 1), add(1, 1))
          })
        )
        yield* Fiber.join(holder)
        assert.isAtLeast(tries, 2)
        assert.deepStrictEqual(yield* Effect.forEach([1, 2], amountOf), [2, 1])
      })
    )

    it.effect("a transaction inside another joins it", () =>
      Effect.gen(function* () {
        const { run } = yield* Transaction
        yield* resetCounters
        const ids = yield* run(
          Effect.gen(function* () {
            const outer = yield* connectionId
            yield* add(1, 1)
            const inner = yield* run(Effect.andThen(add(2, 1), connectionId))
            return [outer, inner]
          })
        )
        assert.strictEqual(ids[0], ids[1])
        const failed = yield* Effect.exit(
          run(Effect.andThen(run(add(1, 10)), Effect.andThen(add(2, 10), Effect.fail("no"))))
        )
        assert.deepStrictEqual(failed, Exit.fail("no"))
        assert.deepStrictEqual(yield* Effect.forEach([1, 2], amountOf), [1, 1])
      })
    )

    it.effect("an interrupted transaction leaves nothing and no lock", () =>
      Effect.gen(function* () {
        const { run } = yield* Transaction
        yield* resetCounters
        const written = yield* Deferred.make<void>()
        const fiber = yield* Effect.forkChild(
          run(Effect.andThen(add(1, 1), Effect.andThen(Deferred.succeed(written, undefined), Effect.never)))
        )
        yield* Deferred.await(written)
        yield* Fiber.interrupt(fiber)
        yield* run(add(1, 5))
        assert.strictEqual(yield* amountOf(1), 5)
      })
    )

    it.effect("a connection lost before COMMIT wrote nothing and may be tried again", () =>
      Effect.gen(function* () {
        const { run } = yield* Transaction
        const sql = yield* SqlClient
        yield* resetCounters
        const outside = yield* Effect.context<SqlClient>()
        const exit = yield* Effect.exit(
          run(
            Effect.gen(function* () {
              yield* add(1, 1)
              yield* killFromOutside(yield* connectionId, outside)
              yield* add(2, 1)
            })
          )
        )
        assert.strictEqual(reasonOf(exit), "unavailable")
        assert.deepStrictEqual(yield* Effect.forEach([1, 2], amountOf), [0, 0])
        yield* run(sql`SELECT 1`)
      })
    )

    it.effect("a connection lost at COMMIT leaves the outcome unknown", () =>
      Effect.gen(function* () {
        const { run } = yield* Transaction
        yield* resetCounters
        const outside = yield* Effect.context<SqlClient>()
        const exit = yield* Effect.exit(
          run(
            Effect.gen(function* () {
              yield* add(1, 1)
              yield* killFromOutside(yield* connectionId, outside)
            })
          )
        )
        assert.strictEqual(reasonOf(exit), "outcomeUnknown")
        yield* run(add(1, 1))
        assert.strictEqual(yield* amountOf(1), 1)
      })
    )

    it.effect("a statement after its transaction ended is a defect", () =>
      Effect.gen(function* () {
        const { run } = yield* Transaction
        const go = yield* Deferred.make<void>()
        const late = yield* run(Effect.forkDetach(Effect.andThen(Deferred.await(go), add(1, 1))))
        yield* Deferred.succeed(go, undefined)
        assert.strictEqual(reasonOf(yield* Fiber.await(late)), "Die")
      })
    )

    it.effect("every connection speaks UTC, strict SQL and the chosen isolation", () =>
      Effect.gen(function* () {
        const sql = yield* SqlClient
        const rows = yield* sql`SHOW VARIABLES WHERE Variable_name IN ${sql.in([
          "time_zone",
          "sql_mode",
          "tx_isolation",
          "transaction_isolation",
          "innodb_lock_wait_timeout"
        ])}`.valuesUnprepared
        const variables = new Map(rows.map(([name, value]) => [String(name), String(value)]))
        assert.strictEqual(variables.get("time_zone"), "+00:00")
        assert.include(variables.get("sql_mode") ?? "", "STRICT_ALL_TABLES")
        assert.strictEqual(variables.get("innodb_lock_wait_timeout"), "1")
        assert.strictEqual(
          variables.get("transaction_isolation") ?? variables.get("tx_isolation"),
          isolation.replace(" ", "-")
        )
      })
    )
  })
}

/** Kills a connection through the pool, outside of any transaction. */
const killFromOutside = Effect.fnUntraced(function* (id: number, outside: Context.Context<SqlClient>) {
  const sql = yield* SqlClient
  const kill = Effect.scoped(
    Effect.flatMap(sql.reserve, (connection) => connection.executeUnprepared(`KILL ${id}`, [], undefined))
  )
  yield* Effect.provideContext(kill, outside)
  // The server closes the socket a moment after it answered.
  yield* Effect.sleep(100)
})

describe("Transaction", () => {
  laws("READ COMMITTED")
  laws("REPEATABLE READ")

  it.layer(layerCounters({ poolSize: 1, permitWaitMillis: 100 }), { excludeTestServices: true })(
    "one connection",
    (it) => {
      it.effect("waiting for a connection ends with a typed error", () =>
        Effect.gen(function* () {
          const { run } = yield* Transaction
          const held = yield* Deferred.make<void>()
          const holder = yield* Effect.forkChild(
            run(Effect.andThen(Deferred.succeed(held, undefined), Effect.sleep(600)))
          )
          yield* Deferred.await(held)
          const startedAt = performance.now()
          assert.strictEqual(reasonOf(yield* Effect.exit(run(add(1, 1)))), "unavailable")
          assert.strictEqual(reasonOf(yield* Effect.exit(add(1, 1))), "unavailable")
          assert.isBelow(performance.now() - startedAt, 500)
          yield* Fiber.join(holder)
          yield* run(add(1, 1))
        })
      )

      it.effect("waiting for a connection can be interrupted", () =>
        Effect.gen(function* () {
          const { run } = yield* Transaction
          const held = yield* Deferred.make<void>()
          const holder = yield* Effect.forkChild(
            run(Effect.andThen(Deferred.succeed(held, undefined), Effect.sleep(500)))
          )
          yield* Deferred.await(held)
          const waiter = yield* Effect.forkChild(run(add(1, 1)))
          yield* Effect.sleep(20)
          const startedAt = performance.now()
          yield* Fiber.interrupt(waiter)
          assert.isBelow(performance.now() - startedAt, 200)
          yield* Fiber.join(holder)
        })
      )
    }
  )

  it.layer(layerCounters({ statementTimeoutMillis: 300 }), { excludeTestServices: true })("a slow statement", (it) => {
    it.effect("is given up by the server", () =>
      Effect.gen(function* () {
        const sql = yield* SqlClient
        const { read } = yield* TransactionLayer.Statements
        const exit = yield* Effect.exit(
          read("slow")(
            sql`SELECT COUNT(*) AS total FROM information_schema.COLLATIONS a, information_schema.COLLATIONS b,
              information_schema.COLLATIONS c, information_schema.COLLATIONS d`
          )
        )
        assert.strictEqual(reasonOf(exit), "timedOut")
      })
    )
  })

  it.layer(layerCounters({ isolation: "REPEATABLE READ" }), { excludeTestServices: true })("snapshots", (it) => {
    it.effect("a record changed since it was read is retried as a whole where the server says so", () =>
      Effect.gen(function* () {
        const sql = yield* SqlClient
        const { run } = yield* Transaction
        const supported = yield* sql`SHOW VARIABLES LIKE 'innodb_snapshot_isolation'`.valuesUnprepared
        if (supported.length === 0) return
        const read = yield* Deferred.make<void>()
        const changed = yield* Deferred.make<void>()
        let tries = 0
        const slow = yield* Effect.forkChild(
          run(
            Effect.gen(function* () {
              tries++
              yield* sql`SET SESSION innodb_snapshot_isolation = ON`
              yield* amountOf(4)
              yield* Deferred.succeed(read, undefined)
              yield* Deferred.await(changed)
              yield* add(4, 1)
            })
          )
        )
        yield* Deferred.await(read)
        yield* run(add(4, 1))
        yield* Deferred.succeed(changed, undefined)
        yield* Fiber.join(slow)
        assert.strictEqual(tries, 2)
        assert.strictEqual(yield* amountOf(4), 2)
      })
    )
  })
})
