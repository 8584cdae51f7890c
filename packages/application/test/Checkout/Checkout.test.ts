import { assert, describe, it } from "@effect/vitest"
import { addItem } from "@pillivery/application/Carts/ChangeCart"
import { expireOrders } from "@pillivery/application/Checkout/ExpireOrders"
import { getOrder, getOrderPayment, listOrders, listRefunds } from "@pillivery/application/Checkout/GetOrder"
import { placeOrder, type WantedLine } from "@pillivery/application/Checkout/PlaceOrder"
import { approvePayment } from "@pillivery/application/Payments/ApprovePayment"
import { ItemRepository } from "@pillivery/application/ports/ItemRepository"
import { requestRefund } from "@pillivery/application/Refunds/RequestRefund"
import { getSubscription, listCycles, listSubscriptions } from "@pillivery/application/Subscriptions/Queries"
import { cancelSubscription } from "@pillivery/application/Subscriptions/CancelSubscription"
import { DeliveryPeriod } from "@pillivery/domain/DeliveryPeriod"
import * as Item from "@pillivery/domain/Item"
import { linesMax } from "@pillivery/domain/Order"
import { Quantity } from "@pillivery/domain/Quantity"
import { Rate } from "@pillivery/domain/Rate"
import * as Fixtures from "@pillivery/domain/testing/Fixtures"
import { Won, zero } from "@pillivery/domain/Won"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import * as World from "../World.ts"

const userId = Fixtures.anyUserId()
const stranger = Fixtures.anyUserId(1)
const receiver = Fixtures.receiver()
const priced = (seed: number, origin: number) =>
  Item.reprice(Fixtures.item({ id: Fixtures.anyItemId(seed) }), Won.make(origin), Rate.make(100))
const vitamin = priced(1, 10_000)
const omega = priced(2, 20_000)
const page = { page: 1, size: 10 }

const begin = Effect.gen(function* () {
  yield* World.begin
  yield* (yield* ItemRepository).insert([
    vitamin,
    omega,
    Item.reprice(Fixtures.item({ id: Fixtures.anyItemId(3) }), zero, Rate.make(0))
  ])
})

const line = (item: Item.Item, quantity = 1, period: number | null = null): WantedLine => ({
  itemId: item.id,
  quantity: Quantity.make(quantity),
  period: period === null ? null : DeliveryPeriod.make(period)
})

const place = (...lines: ReadonlyArray<WantedLine>) => placeOrder({ userId, wanted: { lines }, receiver })

describe("placeOrder", () => {
  it.effect("F28: copies today's prices from the catalogue", () =>
    Effect.gen(function* () {
      yield* begin
      const order = yield* place(line(vitamin, 2), line(omega, 1, 30))
      assert.strictEqual(order.total, 2 * 9_000 + 18_000)
      assert.strictEqual(order.discountTotal, 2 * 1_000 + 2_000)
      assert.strictEqual(order.expiresAt.epochMilliseconds - order.placedAt.epochMilliseconds, 30 * 60_000)
      assert.deepStrictEqual(yield* getOrder({ orderId: order.id, userId }), order)
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("orders a whole cart and remembers which", () =>
    Effect.gen(function* () {
      yield* begin
      yield* addItem({ userId, kind: "subscription", ...line(omega, 3, 60), period: DeliveryPeriod.make(60) })
      const order = yield* placeOrder({ userId, wanted: { cart: "subscription" }, receiver })
      assert.strictEqual(order.origin._tag, "FromCart")
      assert.strictEqual(order.lines[0]?.period, 60)
      assert.strictEqual(order.total, 54_000)
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("refuses an empty cart, too many lines, a repeated line, vanished items and what costs nothing", () =>
    Effect.gen(function* () {
      yield* begin
      const refusals = [
        placeOrder({ userId, wanted: { cart: "normal" }, receiver }),
        place(...Array.from({ length: linesMax + 1 }, (_, index) => line(priced(100 + index, 1_000)))),
        place(line(vitamin, 1), line(vitamin, 2)),
        place(line(vitamin), line(priced(99, 1_000))),
        place(line(priced(3, 1_000)))
      ]
      const tags = yield* Effect.forEach(refusals, (refusal) => Effect.map(Effect.flip(refusal), (error) => error._tag))
      assert.deepStrictEqual(tags, [
        "OrderLinesInvalid",
        "OrderLinesInvalid",
        "OrderLineRepeated",
        "ItemsVanished",
        "OrderLinesInvalid"
      ])
      assert.strictEqual((yield* listOrders(userId, page)).totalElements, 0)
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("F8b: takes the same item once and again and again in one order", () =>
    Effect.gen(function* () {
      yield* begin
      assert.strictEqual((yield* place(line(vitamin), line(vitamin, 1, 30))).lines.length, 2)
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("sends it to the user when no receiver is named, and to nobody when there is no user", () =>
    Effect.gen(function* () {
      yield* begin
      const failure = yield* Effect.flip(placeOrder({ userId, wanted: { lines: [line(vitamin)] }, receiver: null }))
      assert.strictEqual(failure._tag, "UserGone")
    }).pipe(Effect.provide(World.layer))
  )
})

describe("expireOrders", () => {
  it.effect("FC11: ends unpaid orders half an hour after they were placed, and no other", () =>
    Effect.gen(function* () {
      yield* begin
      const early = yield* place(line(vitamin))
      yield* TestClock.adjust("29 minutes")
      const late = yield* place(line(omega))
      assert.strictEqual(yield* expireOrders(), 0)
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(yield* expireOrders(), 1)
      assert.strictEqual((yield* getOrder({ orderId: early.id, userId }))._tag, "Expired")
      assert.strictEqual((yield* getOrder({ orderId: late.id, userId }))._tag, "Placed")
      assert.strictEqual(yield* expireOrders(), 0)
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("leaves paid orders alone, and takes more than one batch", () =>
    Effect.gen(function* () {
      yield* begin
      const paid = yield* place(line(vitamin))
      const { attemptId, token } = yield* World.prepareApproval(paid)
      yield* approvePayment(attemptId, token)
      for (let count = 0; count < 150; count++) yield* place(line(omega))
      yield* TestClock.adjust("31 minutes")
      assert.strictEqual(yield* expireOrders(), 150)
      assert.strictEqual((yield* getOrder({ orderId: paid.id, userId }))._tag, "Paid")
    }).pipe(Effect.provide(World.layer))
  )
})

describe("reading", () => {
  it.effect("shows a stranger nothing of an order", () =>
    Effect.gen(function* () {
      yield* begin
      const key = { orderId: (yield* place(line(vitamin))).id, userId: stranger }
      assert.strictEqual((yield* Effect.flip(getOrder(key)))._tag, "OrderNotFound")
      assert.strictEqual((yield* Effect.flip(getOrderPayment(key)))._tag, "OrderNotFound")
      assert.strictEqual((yield* Effect.flip(listRefunds(key)))._tag, "OrderNotFound")
      assert.strictEqual((yield* listOrders(stranger, page)).totalElements, 0)
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("shows its owner the payment and the refunds of an order", () =>
    Effect.gen(function* () {
      yield* begin
      const order = yield* place(line(vitamin, 2))
      const key = { orderId: order.id, userId }
      assert.deepStrictEqual((yield* getOrderPayment(key)).attempts, [])
      const { attemptId, token } = yield* World.prepareApproval(order)
      yield* approvePayment(attemptId, token)
      assert.deepStrictEqual(
        (yield* getOrderPayment(key)).attempts.map(({ _tag, id }) => [id, _tag]),
        [[attemptId, "Approved"]]
      )
      yield* requestRefund({ ...key, lines: "rest", reason: "" })
      assert.deepStrictEqual(
        (yield* listRefunds(key)).map(({ amount }) => amount),
        [Won.make(18_000)]
      )
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("shows its owner a subscription with its next date, and a stranger nothing", () =>
    Effect.gen(function* () {
      yield* World.begin
      const { subscription } = yield* World.subscribe({ period: 30 })
      const owner = subscription.userId
      const view = yield* getSubscription(subscription.id, owner)
      assert.strictEqual(view.openCycle?.dueDate, "2026-12-23")
      assert.strictEqual((yield* listSubscriptions(owner, page)).data[0]?.openCycle?.number, 1)
      assert.strictEqual((yield* listCycles(subscription.id, owner, page)).totalElements, 1)
      assert.strictEqual((yield* Effect.flip(getSubscription(subscription.id, stranger)))._tag, "SubscriptionNotFound")
      assert.strictEqual((yield* Effect.flip(listCycles(subscription.id, stranger, page)))._tag, "SubscriptionNotFound")
      yield* cancelSubscription({ subscriptionId: subscription.id, userId: owner, reason: "owner" })
      assert.isNull((yield* getSubscription(subscription.id, owner)).openCycle)
    }).pipe(Effect.provide(World.layer))
  )
})
