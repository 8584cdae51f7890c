/**
 * What only shows when several work on one database at once, or when text meets a collation.
 *
 * @since 0.1.0
 */
import { assert, describe, it } from "@effect/vitest"
import { BillingKeyRepository } from "@pillivery/application/ports/BillingKeyRepository"
import { BusinessClock } from "@pillivery/application/ports/BusinessClock"
import { IdempotencyStore, type RequestKey } from "@pillivery/application/ports/IdempotencyStore"
import { ItemRepository } from "@pillivery/application/ports/ItemRepository"
import { OrderRepository } from "@pillivery/application/ports/OrderRepository"
import { PaymentRepository } from "@pillivery/application/ports/PaymentRepository"
import { SalesLedger } from "@pillivery/application/ports/SalesLedger"
import { Transaction } from "@pillivery/application/ports/Transaction"
import { UserRepository } from "@pillivery/application/ports/UserRepository"
import * as BillingKey from "@pillivery/domain/BillingKey"
import * as Order from "@pillivery/domain/Order"
import { Array as Arr, Deferred, Duration, Effect, Exit, Fiber, Option, Result } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import { CurrentTransformer } from "effect/sql/Statement"
import { randomUUID } from "node:crypto"
import { waitersMax } from "../src/Transaction.ts"
import * as Fixtures from "./Fixtures.ts"
import { layer } from "./TestDatabase.ts"

const page = { page: 1, size: 20 }

/** The statements an effect made: what each did, and of what it read first. */
const statementsOf = Effect.fnUntraced(function* <A, E, R>(effect: Effect.Effect<A, E, R>) {
  const statements: Array<string> = []
  yield* Effect.provideService(effect, CurrentTransformer, (statement) =>
    Effect.sync(() => {
      const text = statement.compile()[0]
      const table = /\bFROM `?(\w+)/.exec(text)?.[1]
      statements.push([/\w+/.exec(text)?.[0], ...(table === undefined ? [] : [table])].join(" "))
      return statement
    })
  )
  return statements
})

describe("one database", () => {
  it.layer(layer({ poolSize: 8 }), { excludeTestServices: true })((it) => {
    it.effect("a keyword is a part of the name, whatever its characters mean elsewhere", () =>
      Effect.gen(function* () {
        const items = yield* ItemRepository
        const names = [
          "락토핏 100% 유산균",
          "락토핏 100x 유산균",
          "비타민_D",
          "비타민 D",
          "OMEGA-3 오메가",
          "😀😁 젤리",
          "ﬁber 식이섬유"
        ]
        const made = names.map((productName) => Fixtures.item({ productName, brand: "keyword" }))
        yield* items.insert(made)
        const find = Effect.fnUntraced(function* (keyword: string) {
          const found = yield* items.search({ keyword, brand: "keyword", sort: "SALES" }, page)
          assert.strictEqual(found.totalElements, found.data.length)
          return found.data.map((item) => item.information.productName).toSorted()
        })
        assert.deepStrictEqual(yield* find("100%"), ["락토핏 100% 유산균"])
        assert.deepStrictEqual(yield* find("민_D"), ["비타민_D"])
        assert.deepStrictEqual(yield* find("민 D"), ["비타민 D"])
        assert.deepStrictEqual(yield* find("민 d"), ["비타민 D"])
        assert.deepStrictEqual(yield* find("omega-3 오"), ["OMEGA-3 오메가"])
        assert.deepStrictEqual(yield* find("😁 젤"), ["😀😁 젤리"])
        assert.deepStrictEqual(yield* find("😀😀"), [])
        assert.deepStrictEqual(yield* find("유산균".normalize("NFD")), ["락토핏 100% 유산균", "락토핏 100x 유산균"])
        assert.deepStrictEqual(yield* find("' OR 1=1 --"), [])
        assert.deepStrictEqual(
          yield* items.findById(made[0]?.id ?? Fixtures.anyItemId()),
          Option.fromUndefinedOr(made[0])
        )
      })
    )

    it.effect("turns away who finds too many waiting for a shared transaction", () =>
      Effect.gen(function* () {
        const { runShared } = yield* Transaction
        const opened = yield* Deferred.make<void>()
        const wait = Effect.forkChild(Effect.exit(runShared("crowd")(Deferred.await(opened))), {
          startImmediately: true
        })
        const first = yield* wait
        yield* Effect.sleep("50 millis")
        const second = yield* wait
        yield* Effect.sleep("50 millis")
        const waiting = yield* Effect.replicateEffect(wait, waitersMax)
        const refused = yield* Effect.flip(runShared("crowd")(Effect.void))
        assert.strictEqual(refused.reason, "unavailable")
        yield* Deferred.succeed(opened, undefined)
        const exits = yield* Effect.forEach([first, second, ...waiting], Fiber.join)
        assert.isTrue(exits.every(Exit.isSuccess))
      })
    )

    it.effect("what many do at the same time in a shared transaction is one statement of each kind", () =>
      Effect.gen(function* () {
        const keys = yield* BillingKeyRepository
        const { runShared } = yield* Transaction
        const rows = Array.from({ length: 20 }, () => Fixtures.activeKey())
        for (const row of rows) yield* keys.insert(row)
        const update = (key: BillingKey.Active) =>
          runShared("keys")(
            Effect.gen(function* () {
              const found = Option.getOrThrow(yield* keys.findById(key.id))
              yield* keys.update(Result.getOrThrow(BillingKey.attach(found)))
            })
          )
        const statements = yield* statementsOf(Effect.forEach(rows, update, { concurrency: "unbounded" }))
        assert.deepStrictEqual(statements.toSorted(), ["SELECT billing_key", "UPDATE"])
        for (const row of rows) {
          assert.strictEqual(Option.getOrThrow(yield* keys.findById(row.id)).liveUses, row.liveUses + 1)
        }
      })
    )

    it.effect("what many read at the same time is read by one statement a table, and each gets their own", () =>
      Effect.gen(function* () {
        const [items, orders, users] = [yield* ItemRepository, yield* OrderRepository, yield* UserRepository]
        const madeItems = Array.from({ length: 6 }, () => Fixtures.item())
        const madeUsers = Array.from({ length: 6 }, () => Fixtures.activeUser())
        const madeOrders = Array.from({ length: 6 }, () => Fixtures.placedOrder())
        yield* items.insert(madeItems)
        yield* Effect.forEach(madeUsers, (user) => users.insert(user, null))
        yield* Effect.forEach(madeOrders, orders.insert)
        const atOnce = <A, B, E, R>(
          all: ReadonlyArray<A>,
          find: (one: A) => Effect.Effect<B, E, R>,
          isOwn: (found: B, one: A) => void
        ) =>
          Effect.forEach([...all, ...all], (one) => Effect.map(find(one), (found) => isOwn(found, one)), {
            concurrency: "unbounded"
          })
        const isSame = <A>(found: Option.Option<A>, one: A) => assert.deepStrictEqual(Option.getOrNull(found), one)

        const ofOrders = atOnce(madeOrders, ({ id }) => orders.findById(id), isSame)
        assert.deepStrictEqual(yield* statementsOf(ofOrders), ["SELECT orders", "SELECT order_line"])
        const ofItems = atOnce(madeItems, ({ id }) => items.findById(id), isSame)
        assert.deepStrictEqual(yield* statementsOf(ofItems), ["SELECT item", "SELECT item_category"])
        const ofUsers = atOnce(madeUsers, ({ id }) => users.findById(id), isSame)
        assert.deepStrictEqual(yield* statementsOf(ofUsers), ["SELECT app_user"])

        const lists = madeItems.map((item, index) => [item, ...madeItems.slice(index + 1), item])
        const ofLists = atOnce(
          lists,
          (list) => items.findByIds(list.map(({ id }) => id)),
          (found, list) => assert.deepStrictEqual(found, [...new Set(list)])
        )
        assert.deepStrictEqual(yield* statementsOf(ofLists), ["SELECT item", "SELECT item_category"])
        const missing = atOnce(
          [Fixtures.anyItemId()],
          (id) => items.findById(id),
          (found) => assert.isTrue(Option.isNone(found))
        )
        assert.deepStrictEqual(yield* statementsOf(missing), ["SELECT item"])
      })
    )

    it.effect("a row that is broken breaks the read of who asked for it, and of nobody beside", () =>
      Effect.gen(function* () {
        const [orders, sql] = [yield* OrderRepository, yield* SqlClient]
        const made = Array.from({ length: 4 }, () => Fixtures.placedOrder())
        yield* Effect.forEach(made, orders.insert)
        yield* sql`UPDATE orders SET total = -1 WHERE id = ${Buffer.from((made[1]?.id ?? "").replaceAll("-", ""), "hex")}`
        const exits = yield* Effect.forEach(made, ({ id }) => Effect.exit(orders.findById(id)), {
          concurrency: "unbounded"
        })
        assert.deepStrictEqual(exits.map(Exit.isSuccess), [true, false, true, true])
      })
    )

    it.effect("requests that are bound at the same time are bound once each, twins and all", () =>
      Effect.gen(function* () {
        const store = yield* IdempotencyStore
        const { runShared } = yield* Transaction
        const requests = Array.from({ length: 6 }, () => ({ principal: "u", endpoint: "orders", key: randomUUID() }))
        const orders = yield* OrderRepository
        const bind = (request: RequestKey) => {
          const order = Fixtures.placedOrder()
          const bound = { fingerprint: "f", resourceId: order.id }
          return Effect.as(runShared("bind")(Effect.andThen(store.bind(request, bound), orders.insert(order))), bound)
        }
        // The requests, the orders and their lines leave in one packet.
        const statements = yield* statementsOf(Effect.forEach(requests, bind, { concurrency: "unbounded" }))
        assert.deepStrictEqual(statements, ["INSERT"])

        const twins = requests.map(({ key, ...request }) => ({ ...request, key: `${key}-twin` }))
        const exits = yield* Effect.forEach([...twins, ...twins], (request) => Effect.exit(bind(request)), {
          concurrency: "unbounded"
        })
        const bound = exits.filter(Exit.isSuccess).map(({ value }) => value.resourceId)
        assert.strictEqual(bound.length, twins.length)
        const found = yield* Effect.forEach(twins, store.find, { concurrency: "unbounded" })
        assert.sameMembers(
          found.map((request) => Option.getOrThrow(request).resourceId),
          bound
        )
      })
    )

    it.effect("nothing that was under way beside a deadlock is left written when the shared transaction is gone", () =>
      Effect.gen(function* () {
        const [store, sql] = [yield* IdempotencyStore, yield* SqlClient]
        const { runShared } = yield* Transaction
        const requestOf = (key: string): RequestKey => ({ principal: "deadlock", endpoint: "orders", key })
        const [from, to] = [randomUUID(), randomUUID()]
        const keys = ["a", "b", "c", ...Array.from({ length: 60 }, (_, index) => `weight-${index}`)]
        for (const key of keys) yield* store.bind(requestOf(key), { fingerprint: "f", resourceId: from })
        const turn = (key: string) => store.rebind(requestOf(key), { from, to })

        // The rival holds b and much more, so that it is not the one whom the server chooses to lose.
        const rival = yield* sql.reserve
        const tell = (statement: string) => rival.executeUnprepared(statement, [], undefined)
        yield* tell("BEGIN")
        yield* tell(
          "UPDATE idempotency_key SET fingerprint = 'g' WHERE principal = 'deadlock' AND request_key NOT IN ('a', 'c')"
        )

        const sharers = yield* Effect.forkChild(
          Effect.all(
            [
              runShared("turn")(Effect.andThen(turn("a"), turn("b"))),
              runShared("turn")(Effect.andThen(Effect.sleep("300 millis"), turn("c")))
            ],
            { concurrency: 2 }
          )
        )
        yield* Effect.sleep("600 millis")
        yield* tell("UPDATE idempotency_key SET fingerprint = 'g' WHERE principal = 'deadlock' AND request_key = 'a'")
        yield* tell("ROLLBACK")
        // Each is made again by itself, on rows as they were before.
        yield* Fiber.join(sharers)
        for (const key of ["a", "b", "c"]) {
          assert.strictEqual(Option.getOrThrow(yield* store.find(requestOf(key))).resourceId, to)
        }
      }).pipe(Effect.scoped)
    )

    it.effect("the attempts of several payments that are listed at the same time stay apart", () =>
      Effect.gen(function* () {
        const payments = yield* PaymentRepository
        const made = yield* Effect.forEach(Array.from({ length: 5 }), () =>
          Effect.gen(function* () {
            const payment = Option.getOrThrow(Arr.head(Fixtures.payments()))
            yield* payments.insertPayment(payment)
            const attempts = [1, 2].map(() => Fixtures.preparedAttempt({ paymentId: payment.id }))
            yield* Effect.forEach(attempts, payments.insertAttempt)
            return { payment, ids: attempts.map(({ id }) => id) }
          })
        )
        const lists = Effect.forEach(
          made,
          ({ ids, payment }) =>
            Effect.map(payments.listAttempts(payment.id), (listed) =>
              assert.sameMembers(
                listed.map(({ id }) => id),
                ids
              )
            ),
          { concurrency: "unbounded" }
        )
        assert.strictEqual((yield* statementsOf(lists)).length, 1)
      })
    )

    it.effect("sales are folded once, whoever folds", () =>
      Effect.gen(function* () {
        const items = yield* ItemRepository
        const sales = yield* SalesLedger
        const made = [Fixtures.item(), Fixtures.item()]
        yield* items.insert(made)
        const sold = made.flatMap(({ id: itemId }) =>
          Array.from({ length: 30 }, () => ({ cause: randomUUID(), itemId, quantity: 2 }))
        )
        yield* sales.record(sold)
        yield* sales.record(sold)
        const folded = yield* Effect.all(
          Array.from({ length: 6 }, () => sales.fold(25)),
          { concurrency: 6 }
        )
        assert.strictEqual(
          folded.reduce((sum, rows) => sum + rows, 0),
          60
        )
        const after = yield* items.findByIds(made.map(({ id }) => id))
        assert.deepStrictEqual(
          after.map((item) => item.statistics.sales),
          [60, 60]
        )
      })
    )

    it.effect("one of several users takes a name, and emoji are told apart", () =>
      Effect.gen(function* () {
        const users = yield* UserRepository
        const rivals = Array.from({ length: 6 }, (_, index) =>
          Fixtures.activeUser({ displayName: index % 2 === 0 ? "민지 KIM" : "민지 kim" })
        )
        const exits = yield* Effect.forEach(rivals, (user) => Effect.exit(users.insert(user, null)), { concurrency: 6 })
        assert.strictEqual(exits.filter(Exit.isSuccess).length, 1)
        yield* users.insert(Fixtures.activeUser({ displayName: "😀" }), null)
        yield* users.insert(Fixtures.activeUser({ displayName: "😁" }), null)
      })
    )

    it.effect("the clock is moved for everybody, by each who moves it", () =>
      Effect.gen(function* () {
        const clock = yield* BusinessClock
        const before = yield* clock.offset
        yield* Effect.all(
          Array.from({ length: 5 }, () => clock.advance(Duration.hours(1))),
          { concurrency: 5 }
        )
        assert.strictEqual(Duration.toMillis(yield* clock.offset) - Duration.toMillis(before), 5 * 3_600_000)
        const [now, databaseNow] = yield* Effect.all([clock.now, clock.databaseNow])
        const ahead = now.epochMilliseconds - databaseNow.epochMilliseconds
        assert.isAtMost(Math.abs(ahead - 5 * 3_600_000), 1_000)
        assert.isAtMost(Math.abs(databaseNow.epochMilliseconds - Date.now()), 5_000)
      })
    )

    it.effect("an order is never read with the lines of another version", () =>
      Effect.gen(function* () {
        const orders = yield* OrderRepository
        const paid = Result.getOrThrow(Order.pay(Fixtures.placedOrder(), Fixtures.anyAttemptId(), Fixtures.later))
        yield* orders.insert(paid)
        const refunding = yield* Effect.forkChild(
          Effect.gen(function* () {
            for (const line of [...paid.lines, ...paid.lines, ...paid.lines]) {
              const order = Option.getOrThrow(yield* orders.findById(paid.id))
              yield* orders.update(
                Result.getOrThrow(Order.refund(order, [{ lineId: line.id, quantity: 1 }], line.unitPrice))
              )
            }
          })
        )
        let reads = 0
        while (refunding.pollUnsafe() === undefined || reads < 5) {
          const order = Option.getOrThrow(yield* orders.findById(paid.id))
          const units = order.lines.reduce((sum, line) => sum + line.refundedQuantity, 0)
          assert.strictEqual("refundedTotal" in order ? order.refundedTotal : -1, units * 10_000)
          reads++
        }
        yield* Fiber.join(refunding)
        assert.strictEqual(Option.getOrThrow(yield* orders.findById(paid.id))._tag, "Refunded")
      })
    )
  })
})
