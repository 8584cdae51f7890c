/**
 * The contract of `OrderRepository`.
 *
 * @since 0.1.0
 */
import { assert } from "@effect/vitest"
import * as Order from "@pillivery/domain/Order"
import * as Arbitraries from "@pillivery/domain/testing/Arbitraries"
import * as Fixtures from "@pillivery/domain/testing/Fixtures"
import { DateTime, Effect } from "effect"
import type { IdGenerator } from "../ports/IdGenerator.ts"
import { OrderRepository } from "../ports/OrderRepository.ts"
import type { Transaction } from "../ports/Transaction.ts"
import { aggregateLaws } from "./AggregateLaws.ts"
import { among, failsWith, freshSeed, freshSeeds, law, type Law, suiteOf } from "./Law.ts"
import { orderStates, orderVarieties } from "./Samples.ts"

/** What the laws of this port need. */
export type Requirements = OrderRepository | Transaction | IdGenerator

const listedMax = 10_000

/** Everything an `OrderRepository` promises. */
export const laws = (): ReadonlyArray<Law<Requirements>> => [
  ...aggregateLaws({
    schema: Order.Order,
    states: orderStates,
    varieties: orderVarieties,
    transitions: Order.transitions,
    histories: {
      begin: [orderStates.Placed, (seed) => Fixtures.paidOrder({}, seed)],
      commands: Arbitraries.orderCommand
    },
    idOf: (order) => order.id,
    insert: (order) => Effect.flatMap(OrderRepository, (orders) => orders.insert(order)),
    find: (id) => Effect.flatMap(OrderRepository, (orders) => orders.findById(id)),
    update: (order) => Effect.flatMap(OrderRepository, (orders) => orders.update(order))
  }),

  law(
    "lists a user's orders newest first, in pages that neither overlap nor leave out",
    Effect.gen(function* () {
      const orders = yield* OrderRepository
      const userId = Fixtures.anyUserId(yield* freshSeed)
      const seeds = yield* freshSeeds(7)
      // Two of them were placed at the same time.
      const placed = seeds.map((seed, index) =>
        Fixtures.placedOrder({ userId, placedAt: Fixtures.later(Math.min(index, 5)) }, seed)
      )
      yield* Effect.forEach(placed, orders.insert)
      yield* orders.insert(Fixtures.placedOrder({ userId: Fixtures.anyUserId(yield* freshSeed) }, yield* freshSeed))
      const pages = yield* Effect.forEach([1, 2, 3, 4], (page) => orders.listByUser(userId, { page, size: 3 }))
      assert.deepStrictEqual(
        pages.map(({ data }) => data.length),
        [3, 3, 1, 0]
      )
      assert.deepStrictEqual(
        pages.map(({ totalElements }) => totalElements),
        [7, 7, 7, 7]
      )
      const listed = pages.flatMap(({ data }) => data)
      assert.deepStrictEqual(new Set(listed.map((order) => order.id)), new Set(placed.map((order) => order.id)))
      const times = listed.map((order) => order.placedAt.epochMilliseconds)
      assert.deepStrictEqual(
        times,
        [...times].sort((self, that) => that - self)
      )
    })
  ),

  law(
    "lists a user's orders in one state, newest first, as they are now",
    Effect.gen(function* () {
      const orders = yield* OrderRepository
      const userId = Fixtures.anyUserId(yield* freshSeed)
      const seeds = yield* freshSeeds(4)
      for (const [index, seed] of seeds.entries()) {
        yield* orders.insert(Fixtures.placedOrder({ userId, placedAt: Fixtures.later(index) }, seed))
      }
      const paid = seeds.slice(1, 3)
      for (const seed of paid) yield* orders.update(Fixtures.paidOrder({ userId }, seed))
      const idsIn = (state: Order.Tag) =>
        Effect.map(orders.listByUser(userId, { page: 1, size: 8 }, state), ({ data, totalElements }) => {
          assert.strictEqual(totalElements, data.length)
          return data.map(({ id }) => id)
        })
      assert.sameMembers(
        [...(yield* idsIn("Paid"))],
        paid.map((seed) => Fixtures.anyOrderId(seed))
      )
      assert.deepStrictEqual(
        yield* idsIn("Placed"),
        [seeds[3], seeds[0]].map((seed) => Fixtures.anyOrderId(seed))
      )
      assert.deepStrictEqual(yield* idsIn("Refunded"), [])
      const page = yield* orders.listByUser(userId, { page: 2, size: 1 }, "Placed")
      assert.deepStrictEqual([page.data.map(({ id }) => id), page.totalElements], [[Fixtures.anyOrderId(seeds[0])], 2])
    })
  ),

  law(
    "lists a user's order as it is now",
    Effect.gen(function* () {
      const orders = yield* OrderRepository
      const [seed, userId] = [yield* freshSeed, Fixtures.anyUserId(yield* freshSeed)]
      yield* orders.insert(Fixtures.placedOrder({ userId }, seed))
      yield* orders.update(Fixtures.paidOrder({ userId }, seed))
      const { data } = yield* orders.listByUser(userId, { page: 1, size: 8 })
      assert.deepStrictEqual(
        data.map(({ _tag, version }) => [_tag, version]),
        [["Paid", 1]]
      )
      assert.deepStrictEqual(
        data.flatMap((order) => order.lines.map((line) => line.id)),
        [Fixtures.anyOrderLineId(seed)]
      )
    })
  ),

  law(
    "lists nothing for a user without orders",
    Effect.gen(function* () {
      const orders = yield* OrderRepository
      const page = yield* orders.listByUser(Fixtures.anyUserId(yield* freshSeed), { page: 1, size: 8 })
      assert.deepStrictEqual(page, { data: [], totalElements: 0 })
    })
  ),

  law(
    "lists what was paid after a moment and is still to be delivered, those paid first before the others",
    Effect.gen(function* () {
      const orders = yield* OrderRepository
      const paidAt = (minutes: number) => DateTime.add(Fixtures.now, { days: 1_000, minutes })
      const [first, second, partly, refunded, placed] = yield* freshSeeds(5)
      yield* orders.insert(Fixtures.paidOrder({ paidAt: paidAt(2) }, second))
      yield* orders.insert(Fixtures.paidOrder({ paidAt: paidAt(1) }, first))
      yield* orders.insert(Fixtures.placedOrder({}, placed))
      const partlyRefunded = Fixtures.partiallyRefundedOrder(partly)
      yield* orders.insert(new Order.PartiallyRefunded({ ...partlyRefunded, paidAt: paidAt(3) }))
      const { _tag: _, ...fields } = Fixtures.paidOrder({ paidAt: paidAt(4) }, refunded)
      yield* orders.insert(new Order.Refunded({ ...fields, refundedTotal: fields.total }))
      const list = (minutes: number, page = 1, size = 100) =>
        Effect.map(orders.listToDeliver(paidAt(minutes), { page, size }), ({ data, totalElements }) => ({
          ids: data.map(({ id }) => id),
          totalElements
        }))
      const own = [first, second, partly].map((seed) => Fixtures.anyOrderId(seed))
      const all = new Set([...own, ...[refunded, placed].map((seed) => Fixtures.anyOrderId(seed))])
      const { ids, totalElements } = yield* list(0)
      assert.deepStrictEqual(
        ids.filter((id) => all.has(id)),
        own
      )
      assert.strictEqual(totalElements, ids.length)
      assert.deepStrictEqual(yield* list(0, 2, 2), { ids: ids.slice(2, 4), totalElements })
      const later = (yield* list(1)).ids
      assert.deepStrictEqual(
        later.filter((id) => all.has(id)),
        own.slice(1)
      )
    })
  ),

  law(
    "lists unpaid orders whose time is over and that nobody approves, oldest first",
    Effect.gen(function* () {
      const orders = yield* OrderRepository
      const [early, late, exact, young, approving, paid] = yield* freshSeeds(6)
      const at = Fixtures.later(Order.paymentWindowMinutes)
      const placed = (seed: string | undefined, minutes: number) =>
        Fixtures.placedOrder({ placedAt: Fixtures.later(minutes) }, seed)
      yield* orders.insert(placed(late, -1))
      yield* orders.insert(placed(early, -2))
      yield* orders.insert(placed(exact, 0))
      yield* orders.insert(placed(young, 1))
      yield* orders.insert(
        new Order.Placed({ ...placed(approving, -3), approvingAttempt: Fixtures.anyAttemptId(approving) })
      )
      yield* orders.insert(Fixtures.paidOrder({}, paid))
      const own = [early, late, exact, young, approving, paid].map((seed) => Fixtures.anyOrderId(seed))
      const listed = among(yield* orders.listExpirable(at, listedMax), own)
      assert.deepStrictEqual(listed, own.slice(0, 3))
      const before = yield* orders.listExpirable(DateTime.subtract(at, { milliseconds: 1 }), listedMax)
      assert.deepStrictEqual(among(before, own), own.slice(0, 2))
      assert.strictEqual((yield* orders.listExpirable(at, 1)).length, 1)
    })
  ),

  law(
    "no longer lists an order that was expired",
    Effect.gen(function* () {
      const orders = yield* OrderRepository
      const seed = yield* freshSeed
      yield* orders.insert(Fixtures.placedOrder({}, seed))
      yield* orders.update(Fixtures.expiredOrder(seed))
      const listed = yield* orders.listExpirable(Fixtures.later(Order.paymentWindowMinutes), listedMax)
      assert.notInclude(listed, Fixtures.anyOrderId(seed))
    })
  ),

  law(
    "takes one order for each renewal of a subscription",
    Effect.gen(function* () {
      const orders = yield* OrderRepository
      const [one, two] = [yield* freshSeed, yield* freshSeed]
      const renewal = orderVarieties["Paid as a renewal"]?.(one)
      if (renewal?._tag !== "Paid") return assert.fail("a renewal is paid")
      const twin = (cycleNumber: number) =>
        new Order.Paid({
          ...Fixtures.paidOrder({}, two),
          origin: new Order.FromRenewal({ subscriptionId: Fixtures.anySubscriptionId(one), cycleNumber })
        })
      yield* orders.insert(renewal)
      yield* failsWith("AlreadyExists", orders.insert(twin(3)))
      yield* orders.insert(twin(4))
    })
  )
]

/** Runs the laws against a layer. */
export const suite = suiteOf<Requirements>("OrderRepository", laws)
