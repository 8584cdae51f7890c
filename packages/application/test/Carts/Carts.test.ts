import * as Memory from "@pillivery/adapters-memory/Memory"
import { assert, describe, it } from "@effect/vitest"
import { addItem, changeLine, removeLine } from "@pillivery/application/Carts/ChangeCart"
import { getCart } from "@pillivery/application/Carts/GetCart"
import { CartStore } from "@pillivery/application/ports/CartStore"
import { ItemRepository } from "@pillivery/application/ports/ItemRepository"
import { StaleWrite } from "@pillivery/application/ports/StorageError"
import * as Cart from "@pillivery/domain/Cart"
import { DeliveryPeriod } from "@pillivery/domain/DeliveryPeriod"
import { Quantity } from "@pillivery/domain/Quantity"
import * as Item from "@pillivery/domain/Item"
import { Rate } from "@pillivery/domain/Rate"
import * as Fixtures from "@pillivery/domain/testing/Fixtures"
import { Won, wonMax } from "@pillivery/domain/Won"
import { DateTime, Effect, Layer } from "effect"

const userId = Fixtures.anyUserId()
const priced = (seed: number, origin: number) =>
  Item.reprice(Fixtures.item({ id: Fixtures.anyItemId(seed) }), Won.make(origin), Rate.make(100))
const vitamin = priced(1, 10_000)
const omega = priced(2, 20_000)
const gold = priced(3, wonMax)

const begin = Effect.flatMap(ItemRepository, (items) => items.insert([vitamin, omega, gold]))
const add = (item: Item.Item, quantity: number, period?: number) =>
  addItem({
    userId,
    kind: period === undefined ? "normal" : "subscription",
    itemId: item.id,
    quantity: Quantity.make(quantity),
    period: period === undefined ? null : DeliveryPeriod.make(period)
  })

describe("addItem", () => {
  it.effect("prices the cart at today's prices and adds to what is there", () =>
    Effect.gen(function* () {
      yield* begin
      yield* add(vitamin, 1)
      yield* add(omega, 1)
      const cart = yield* add(vitamin, 2)
      assert.strictEqual(cart.quantityTotal, 4)
      assert.strictEqual(cart.total, 3 * 9_000 + 18_000)
      assert.strictEqual(cart.discountTotal, 3 * 1_000 + 2_000)
      assert.deepStrictEqual((yield* getCart(userId, "normal")).total, cart.total)
    }).pipe(Effect.provide(Memory.layer))
  )

  it.effect("FC2: keeps the two carts apart", () =>
    Effect.gen(function* () {
      yield* begin
      yield* add(vitamin, 1)
      yield* add(omega, 1, 30)
      assert.strictEqual((yield* getCart(userId, "normal")).lines.length, 1)
      assert.strictEqual((yield* getCart(userId, "subscription")).lines[0]?.line.period, 30)
    }).pipe(Effect.provide(Memory.layer))
  )

  it.effect("refuses what is not there, a wrong period, too many units and too much money, and changes nothing", () =>
    Effect.gen(function* () {
      yield* begin
      yield* add(vitamin, 999)
      const unknown = priced(9, 1_000)
      assert.strictEqual((yield* Effect.flip(add(unknown, 1)))._tag, "ItemNotFound")
      assert.strictEqual((yield* Effect.flip(add(vitamin, 1)))._tag, "CartQuantityExceeded")
      assert.strictEqual((yield* Effect.flip(add(gold, 999)))._tag, "WonOutOfRange")
      const wrong = { userId, kind: "normal" as const, itemId: omega.id, quantity: Quantity.make(1) }
      assert.strictEqual(
        (yield* Effect.flip(addItem({ ...wrong, period: DeliveryPeriod.make(30) })))._tag,
        "CartPeriodInvalid"
      )
      assert.strictEqual((yield* getCart(userId, "normal")).quantityTotal, 999)
    }).pipe(Effect.provide(Memory.layer))
  )

  it.effect("FC4: loses no change of a rival", () =>
    Effect.gen(function* () {
      yield* begin
      yield* Effect.all(
        Array.from({ length: 8 }, () => add(vitamin, 1)),
        { concurrency: "unbounded" }
      )
      assert.strictEqual((yield* getCart(userId, "normal")).quantityTotal, 8)
    }).pipe(Effect.provide(Memory.layer))
  )

  it.live("makes the change again when a rival was first", () =>
    Effect.gen(function* () {
      yield* begin
      let stale = 3
      const carts = yield* CartStore
      const rivalled = Layer.succeed(CartStore, {
        ...carts,
        save: (cart) =>
          stale-- > 0 ? Effect.fail(new StaleWrite({ entity: "cart", id: cart.userId })) : carts.save(cart)
      })
      const cart = yield* add(vitamin, 1).pipe(Effect.provide(rivalled))
      assert.strictEqual(cart.quantityTotal, 1)
    }).pipe(Effect.provide(Memory.layer))
  )
})

describe("changeLine and removeLine", () => {
  it.effect("set quantity and period, and take a line out", () =>
    Effect.gen(function* () {
      yield* begin
      yield* add(vitamin, 1, 30)
      const key = { userId, kind: "subscription" as const, itemId: vitamin.id }
      const changed = yield* changeLine({ ...key, quantity: Quantity.make(5), period: DeliveryPeriod.make(60) })
      assert.strictEqual(changed.lines[0]?.line.quantity, 5)
      assert.strictEqual(changed.lines[0]?.line.period, 60)
      assert.strictEqual((yield* changeLine({ ...key, quantity: Quantity.make(2) })).lines[0]?.line.period, 60)
      assert.strictEqual((yield* removeLine(key)).lines.length, 0)
      assert.strictEqual((yield* Effect.flip(removeLine(key)))._tag, "CartLineNotFound")
      assert.strictEqual(
        (yield* Effect.flip(changeLine({ ...key, quantity: Quantity.make(2) })))._tag,
        "CartLineNotFound"
      )
    }).pipe(Effect.provide(Memory.layer))
  )
})

describe("getCart", () => {
  it.effect("shows an item that is gone as vanished, at no cost", () =>
    Effect.gen(function* () {
      const carts = yield* CartStore
      const cart = Cart.add(Cart.empty(userId, "normal"), {
        itemId: vitamin.id,
        quantity: Quantity.make(1),
        period: null,
        seenPrice: Won.make(9_000),
        at: DateTime.makeUnsafe(0)
      })
      yield* carts.save(yield* Effect.fromResult(cart))
      const shown = yield* getCart(userId, "normal")
      assert.strictEqual(shown.lines[0]?.status, "vanished")
      assert.strictEqual(shown.total, 0)
    }).pipe(Effect.provide(Memory.layer))
  )
})
