import { assert, describe, it } from "@effect/vitest"
import { BillingLedger } from "@pillivery/application/ports/BillingLedger"
import { OrderRepository } from "@pillivery/application/ports/OrderRepository"
import { SubscriptionRepository } from "@pillivery/application/ports/SubscriptionRepository"
import { Transaction } from "@pillivery/application/ports/Transaction"
import * as Fixtures from "@pillivery/domain/testing/Fixtures"
import { Cause, Deferred, Effect, Exit, Fiber, Layer, Option } from "effect"
import * as Memory from "../src/Memory.ts"
import * as Store from "../src/Store.ts"

const rowsCount = 5_000

const anotherStore = Effect.flatMap(Layer.build(Layer.fresh(Memory.layer)), (context) =>
  Effect.provideContext(Effect.all({ transaction: Transaction, orders: OrderRepository }), context)
)

describe("Store", () => {
  it.effect("dies of a write by a fiber that outlived its transaction", () =>
    Effect.gen(function* () {
      const { run } = yield* Transaction
      const orders = yield* OrderRepository
      const ended = yield* Deferred.make<void>()
      const order = Fixtures.placedOrder({}, "late")
      const late = yield* run(
        Effect.forkDetach(Effect.andThen(Deferred.await(ended), orders.insert(order)), { startImmediately: true })
      )
      yield* Deferred.succeed(ended, undefined)
      const exit = yield* Fiber.await(late)
      assert.include(Exit.isFailure(exit) ? Cause.pretty(exit.cause) : "", "in a transaction that had ended")
      assert.isTrue(Option.isNone(yield* orders.findById(order.id)))
    }).pipe(Effect.provide(Memory.layer))
  )

  it.effect("keeps the rows and transactions of two stores apart", () =>
    Effect.gen(function* () {
      const { run } = yield* Transaction
      const orders = yield* OrderRepository
      const other = yield* anotherStore
      const order = Fixtures.placedOrder({}, "twice")
      yield* orders.insert(order)
      const exit = yield* Effect.exit(
        run(
          Effect.gen(function* () {
            yield* orders.update(order)
            yield* other.transaction.run(other.orders.insert(order))
            return yield* Effect.fail("unwanted")
          })
        )
      )
      assert.isTrue(Exit.isFailure(exit))
      assert.strictEqual(Option.getOrThrow(yield* orders.findById(order.id)).version, 0)
      assert.isTrue(Option.isSome(yield* other.orders.findById(order.id)))
    }).pipe(Effect.provide(Memory.layer))
  )

  it.effect("lets a caller that waits for the writer go away", () =>
    Effect.gen(function* () {
      const { run } = yield* Transaction
      const orders = yield* OrderRepository
      const [first, second, release] = [
        Fixtures.placedOrder({}, "first"),
        Fixtures.placedOrder({}, "second"),
        yield* Deferred.make<void>()
      ]
      const writing = yield* Effect.forkChild(run(Deferred.await(release)), { startImmediately: true })
      const waiting = yield* Effect.forkChild(orders.insert(first), { startImmediately: true })
      const alsoWaiting = yield* Effect.forkChild(orders.insert(second), { startImmediately: true })
      yield* Fiber.interrupt(waiting)
      yield* Deferred.succeed(release, undefined)
      yield* Fiber.join(writing)
      yield* Fiber.join(alsoWaiting)
      assert.isTrue(Option.isNone(yield* orders.findById(first.id)))
      assert.isTrue(Option.isSome(yield* orders.findById(second.id)))
    }).pipe(Effect.provide(Memory.layer))
  )

  it.effect(`pages through ${rowsCount} due cycles`, () =>
    Effect.gen(function* () {
      const ledger = yield* BillingLedger
      const subscriptions = yield* SubscriptionRepository
      for (let index = 0; index < rowsCount; index++) {
        yield* subscriptions.insert(Fixtures.subscription({}, index))
        yield* ledger.insertCycle(Fixtures.dueCycle({}, index))
      }
      const options = { date: Fixtures.day("2026-02-14"), step: 0, limit: 500 }
      let listed = 0
      let page = yield* ledger.listDue({ ...options, after: null })
      while (page.length > 0) {
        listed += page.length
        page = yield* ledger.listDue({ ...options, after: page[page.length - 1] ?? null })
      }
      assert.strictEqual(listed, rowsCount)
      assert.strictEqual((yield* ledger.owed(options.date)).due, rowsCount)
    }).pipe(Effect.provide(Memory.layer))
  )

  it.effect("loses the answer of a commit, whether it was kept or not", () =>
    Effect.gen(function* () {
      const fates: Array<"keptUntold" | "lostUntold"> = ["keptUntold", "lostUntold", "keptUntold", "lostUntold"]
      const store = Store.layerFaulty({ commit: () => fates.shift() ?? "kept", behind: () => 0 })
      yield* Effect.gen(function* () {
        const { run } = yield* Transaction
        const orders = yield* OrderRepository
        const made = ["kept alone", "lost alone", "kept", "lost"].map((name) => Fixtures.placedOrder({}, name))
        const [keptAlone, lostAlone, kept, lost] = made.map((order) => orders.insert(order))
        for (const insert of [keptAlone, lostAlone, run(kept ?? Effect.void), run(lost ?? Effect.void)]) {
          const error = yield* Effect.flip(insert ?? Effect.void)
          assert.isTrue(error._tag === "StorageError" && error.reason === "outcomeUnknown")
        }
        const found = yield* Effect.forEach(made, (order) => orders.findById(order.id))
        assert.deepStrictEqual(found.map(Option.isSome), [true, false, true, false])
        yield* orders.insert(Fixtures.placedOrder({}, "afterwards"))
      }).pipe(Effect.provide(Memory.layerPorts.pipe(Layer.provideMerge(store))))
    })
  )

  it.effect("reads what was committed some commits ago, but in a transaction what is there", () =>
    Effect.gen(function* () {
      let behind = 0
      const store = Store.layerFaulty({ commit: () => "kept", behind: () => behind })
      yield* Effect.gen(function* () {
        const { run } = yield* Transaction
        const orders = yield* OrderRepository
        const [first, second] = [Fixtures.placedOrder({}, "first"), Fixtures.placedOrder({}, "second")]
        yield* orders.insert(first)
        yield* run(orders.insert(second))
        const standing = Effect.all([orders.findById(first.id), orders.findById(second.id)]).pipe(
          Effect.map((found) => found.map(Option.isSome))
        )
        assert.deepStrictEqual(yield* standing, [true, true])
        behind = 1
        assert.deepStrictEqual(yield* standing, [true, false])
        assert.deepStrictEqual(yield* run(standing), [true, true])
        behind = 2
        assert.deepStrictEqual(yield* standing, [false, false])
        behind = Store.behindMax
        assert.deepStrictEqual(yield* standing, [false, false])
      }).pipe(Effect.provide(Memory.layerPorts.pipe(Layer.provideMerge(store))))
    })
  )
})
