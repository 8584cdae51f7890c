/**
 * The contract of `Transaction`, shown by two repositories.
 *
 * @since 0.1.0
 */
import { assert } from "@effect/vitest"
import * as BillingKey from "@pillivery/domain/BillingKey"
import * as Order from "@pillivery/domain/Order"
import * as Fixtures from "@pillivery/domain/testing/Fixtures"
import { Cause, Deferred, Effect, Exit, Fiber, Option, Result } from "effect"
import { BillingKeyRepository } from "../ports/BillingKeyRepository.ts"
import type { IdGenerator } from "../ports/IdGenerator.ts"
import { OrderRepository } from "../ports/OrderRepository.ts"
import { Transaction } from "../ports/Transaction.ts"
import { retryStale } from "../StaleRetry.ts"
import { failsWith, freshSeed, law, type Law, suiteOf } from "./Law.ts"
import { billingKeyStates } from "./Samples.ts"

/** What the laws of this port need. */
export type Requirements = Transaction | OrderRepository | BillingKeyRepository | IdGenerator

const writersCount = 8
const sharersCount = 12
const unwanted = Effect.fail({ _tag: "Unwanted" as const })

/** Writes an order and a billing key, and asks how many of the two there are. */
const twoRows = Effect.gen(function* () {
  const orders = yield* OrderRepository
  const keys = yield* BillingKeyRepository
  const seed = yield* freshSeed
  const order = Fixtures.placedOrder({}, seed)
  const key = billingKeyStates.Active(seed)
  return {
    order,
    key,
    write: Effect.andThen(orders.insert(order), keys.insert(key)),
    count: Effect.gen(function* () {
      const found = [Option.isSome(yield* orders.findById(order.id)), Option.isSome(yield* keys.findById(key.id))]
      return found.filter((isThere) => isThere).length
    })
  }
})

/** Everything a `Transaction` promises. */
export const laws = (): ReadonlyArray<Law<Requirements>> => [
  law(
    "commits the writes of several repositories and answers the effect's value",
    Effect.gen(function* () {
      const { run } = yield* Transaction
      const { count, write } = yield* twoRows
      assert.strictEqual(yield* run(Effect.as(write, "done")), "done")
      assert.strictEqual(yield* count, 2)
    })
  ),

  law(
    "rolls everything back when the effect fails, and fails with its error",
    Effect.gen(function* () {
      const { run } = yield* Transaction
      const { count, write } = yield* twoRows
      yield* failsWith("Unwanted", run(Effect.andThen(write, unwanted)))
      assert.strictEqual(yield* count, 0)
    })
  ),

  law(
    "rolls everything back when the effect dies, and dies of its defect",
    Effect.gen(function* () {
      const { run } = yield* Transaction
      const { count, write } = yield* twoRows
      const exit = yield* Effect.exit(run(Effect.andThen(write, Effect.die("a bug"))))
      assert.isTrue(Exit.isFailure(exit) && Cause.hasDies(exit.cause))
      assert.include(Exit.isFailure(exit) ? Cause.pretty(exit.cause) : "", "a bug")
      assert.strictEqual(yield* count, 0)
    })
  ),

  law(
    "rolls everything back when the effect is interrupted",
    Effect.gen(function* () {
      const { run } = yield* Transaction
      const { count, write } = yield* twoRows
      const written = yield* Deferred.make<void>()
      const fiber = yield* Effect.forkChild(
        run(Effect.andThen(write, Effect.andThen(Deferred.succeed(written, undefined), Effect.never)))
      )
      yield* Deferred.await(written)
      yield* Fiber.interrupt(fiber)
      assert.strictEqual(yield* count, 0)
    })
  ),

  law(
    "keeps nothing of a refused write, and what was written before it when the effect goes on",
    Effect.gen(function* () {
      const { run } = yield* Transaction
      const orders = yield* OrderRepository
      const [one, two] = [yield* twoRows, yield* twoRows]
      yield* orders.insert(one.order)
      yield* failsWith("AlreadyExists", run(Effect.andThen(two.write, orders.insert(one.order))))
      assert.strictEqual(yield* two.count, 0)
      yield* run(Effect.andThen(two.write, Effect.ignore(orders.insert(one.order))))
      assert.strictEqual(yield* two.count, 2)
    })
  ),

  law(
    "reads what it wrote itself",
    Effect.gen(function* () {
      const { run } = yield* Transaction
      const orders = yield* OrderRepository
      const { count, order, write } = yield* twoRows
      const seen = yield* run(
        Effect.gen(function* () {
          yield* write
          yield* orders.update(Result.getOrThrow(Order.failPayment(order, Fixtures.later(1))))
          const listed = yield* orders.listExpirable(Fixtures.later(60), 10_000)
          const found = Option.getOrThrow(yield* orders.findById(order.id))
          return { count: yield* count, tag: found._tag, version: found.version, isListed: listed.includes(order.id) }
        })
      )
      assert.deepStrictEqual(seen, { count: 2, tag: "PaymentFailed", version: 1, isListed: false })
    })
  ),

  law(
    "shows nothing outside before it has committed",
    Effect.gen(function* () {
      const { run } = yield* Transaction
      const orders = yield* OrderRepository
      const { count, write } = yield* twoRows
      const changed = yield* twoRows
      yield* orders.insert(changed.order)
      const [written, looked] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      const fiber = yield* Effect.forkChild(
        run(
          Effect.gen(function* () {
            yield* write
            yield* orders.update(Result.getOrThrow(Order.failPayment(changed.order, Fixtures.later(1))))
            yield* Deferred.succeed(written, undefined)
            yield* Deferred.await(looked)
          })
        )
      )
      const tag = Effect.map(orders.findById(changed.order.id), (found) => Option.getOrThrow(found)._tag)
      yield* Deferred.await(written)
      assert.strictEqual(yield* count, 0)
      assert.strictEqual(yield* tag, "Placed")
      yield* Deferred.succeed(looked, undefined)
      yield* Fiber.join(fiber)
      assert.strictEqual(yield* count, 2)
      assert.strictEqual(yield* tag, "PaymentFailed")
    })
  ),

  law(
    "joins the transaction around it: both commit",
    Effect.gen(function* () {
      const { run } = yield* Transaction
      const [outer, inner] = [yield* twoRows, yield* twoRows]
      const seen = yield* run(
        Effect.gen(function* () {
          yield* outer.write
          const fromInside = yield* run(Effect.andThen(inner.write, outer.count))
          return [fromInside, yield* inner.count]
        })
      )
      assert.deepStrictEqual(seen, [2, 2])
      assert.deepStrictEqual([yield* outer.count, yield* inner.count], [2, 2])
    })
  ),

  law(
    "joins the transaction around it: what the inner one wrote is rolled back with the outer one",
    Effect.gen(function* () {
      const { run } = yield* Transaction
      const [outer, inner] = [yield* twoRows, yield* twoRows]
      yield* failsWith("Unwanted", run(outer.write.pipe(Effect.andThen(run(inner.write)), Effect.andThen(unwanted))))
      assert.deepStrictEqual([yield* outer.count, yield* inner.count], [0, 0])
    })
  ),

  law(
    "joins the transaction around it: a failure of the inner one rolls the outer one back",
    Effect.gen(function* () {
      const { run } = yield* Transaction
      const [outer, inner] = [yield* twoRows, yield* twoRows]
      yield* failsWith("Unwanted", run(outer.write.pipe(Effect.andThen(run(Effect.andThen(inner.write, unwanted))))))
      assert.deepStrictEqual([yield* outer.count, yield* inner.count], [0, 0])
    })
  ),

  law(
    "begins anew after one that failed, one that died and one that was interrupted",
    Effect.gen(function* () {
      const { run } = yield* Transaction
      const { count, write } = yield* twoRows
      yield* Effect.exit(run(unwanted))
      yield* Effect.exit(run(Effect.die("a bug")))
      yield* Fiber.interrupt(yield* Effect.forkChild(run(Effect.never), { startImmediately: true }))
      yield* run(write)
      assert.strictEqual(yield* count, 2)
    })
  ),

  law(
    "shares: each of many commits its own writes and is given its own answer",
    Effect.gen(function* () {
      const { runShared } = yield* Transaction
      const all = yield* Effect.replicateEffect(twoRows, sharersCount)
      const answers = yield* Effect.forEach(
        all,
        ({ order, write }) => runShared("orders")(Effect.as(write, order.id)),
        {
          concurrency: "unbounded"
        }
      )
      assert.deepStrictEqual(
        answers,
        all.map(({ order }) => order.id)
      )
      for (const { count } of all) assert.strictEqual(yield* count, 2)
    })
  ),

  law(
    "shares: who reads sees what was written before, by statements that were put off too",
    Effect.gen(function* () {
      const { runShared } = yield* Transaction
      const all = yield* Effect.replicateEffect(twoRows, sharersCount)
      const counts = yield* Effect.forEach(
        all,
        ({ count, write }) => runShared("orders")(Effect.andThen(write, count)),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(
        counts,
        all.map(() => 2)
      )
    })
  ),

  law(
    "shares: who fails, dies or is refused does so alone",
    Effect.gen(function* () {
      const { runShared } = yield* Transaction
      const orders = yield* OrderRepository
      const there = yield* twoRows
      yield* there.write
      const all = yield* Effect.replicateEffect(twoRows, sharersCount)
      const ends: ReadonlyArray<Effect.Effect<void, unknown>> = [
        unwanted,
        Effect.die("a bug"),
        Effect.asVoid(orders.insert(there.order)),
        ...Array.from({ length: sharersCount - 3 }, () => Effect.void)
      ]
      const exits = yield* Effect.forEach(
        all,
        ({ write }, index) => Effect.exit(runShared("orders")(Effect.andThen(write, ends[index] ?? Effect.void))),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(exits.map(Exit.isSuccess), [
        ...[false, false, false],
        ...Array.from({ length: sharersCount - 3 }, () => true)
      ])
      const errors = exits.map((exit) => (Exit.isFailure(exit) ? Cause.pretty(exit.cause) : ""))
      assert.include(errors[0] ?? "", "Unwanted")
      assert.include(errors[1] ?? "", "a bug")
      assert.include(errors[2] ?? "", "AlreadyExists")
      for (const [index, { count }] of all.entries()) assert.strictEqual(yield* count, index < 3 ? 0 : 2)
    })
  ),

  law(
    "shares: of those who change one row at one version, one succeeds and the others are told",
    Effect.gen(function* () {
      const { runShared } = yield* Transaction
      const keys = yield* BillingKeyRepository
      const rows = yield* Effect.replicateEffect(Effect.map(freshSeed, billingKeyStates.Active), sharersCount)
      yield* Effect.forEach(rows, (key) => keys.insert(key))
      const attempts = [...rows, ...rows.slice(0, 2)]
      const exits = yield* Effect.forEach(
        attempts,
        (key) => Effect.exit(runShared("keys")(keys.update(Result.getOrThrow(BillingKey.attach(key))))),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(exits.filter(Exit.isSuccess).length, rows.length)
      for (const exit of exits) {
        if (Exit.isFailure(exit)) assert.include(Cause.pretty(exit.cause), "StaleWrite")
      }
      for (const key of rows) {
        const found = Option.getOrThrow(yield* keys.findById(key.id))
        assert.deepStrictEqual([found.liveUses, found.version], [key.liveUses + 1, key.version + 1])
      }
    })
  ),

  law(
    "shares: joins the transaction around it",
    Effect.gen(function* () {
      const { run, runShared } = yield* Transaction
      const { count, write } = yield* twoRows
      yield* failsWith("Unwanted", run(Effect.andThen(runShared("orders")(write), unwanted)))
      assert.strictEqual(yield* count, 0)
      assert.strictEqual(yield* run(Effect.andThen(runShared("orders")(write), count)), 2)
    })
  ),

  law(
    "loses no change of writers that read, change and begin again when they are stale",
    Effect.gen(function* () {
      const { run } = yield* Transaction
      const keys = yield* BillingKeyRepository
      const key = billingKeyStates.Active(yield* freshSeed)
      yield* keys.insert(key)
      const attach = retryStale(
        run(
          Effect.gen(function* () {
            const found = Option.getOrThrow(yield* keys.findById(key.id))
            yield* Effect.yieldNow
            yield* keys.update(Result.getOrThrow(BillingKey.attach(found)))
          })
        )
      )
      const exits = yield* Effect.forEach(
        Array.from({ length: writersCount }, () => attach),
        (writer) => Effect.exit(writer),
        { concurrency: 2 }
      )
      const attached = exits.filter(Exit.isSuccess).length
      const found = Option.getOrThrow(yield* keys.findById(key.id))
      assert.isAbove(attached, 0)
      assert.deepStrictEqual([found.liveUses, found.version], [key.liveUses + attached, attached])
    })
  )
]

/** Runs the laws against a layer. */
export const suite = suiteOf<Requirements>("Transaction", laws)
