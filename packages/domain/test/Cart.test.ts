import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import * as fc from "fast-check"
import * as Cart from "../src/Cart.ts"
import * as Item from "../src/Item.ts"
import { linesMax } from "../src/Order.ts"
import { quantityMax } from "../src/Quantity.ts"
import * as Arbitraries from "../src/testing/Arbitraries.ts"
import {
  anyItemId,
  anyUserId,
  cart,
  item,
  later,
  now,
  percent,
  period,
  quantity,
  won
} from "../src/testing/Fixtures.ts"
import { wonMax } from "../src/Won.ts"
import { law, rejected, succeeded } from "./Laws.ts"

const one = item()
const two = item({ origin: won(20_000), rate: percent(0) }, 1)
const adding = { itemId: one.id, quantity: quantity(2), period: null, seenPrice: one.price.real, at: later(1) }
const byId = (...items: ReadonlyArray<Item.Item>) => new Map(items.map((each) => [each.id, each]))

describe("Cart", () => {
  law(
    "holds each item once, within its limits, and periods only for subscriptions",
    [Arbitraries.cart],
    (self) => {
      assert.isTrue(Schema.is(Cart.Cart)(self))
      assert.isAtMost(self.lines.length, Cart.cartLinesMax)
      assert.strictEqual(new Set(self.lines.map((line) => line.itemId)).size, self.lines.length)
      for (const line of self.lines) assert.strictEqual(line.period !== null, self.kind === "subscription")
    },
    500
  )

  law("changes at most the line that is spoken of", [Arbitraries.cart, Arbitraries.quantity], (self, units) => {
    const [first, ...others] = self.lines
    if (first === undefined) return
    const changed = succeeded(Cart.changeQuantity(self, first.itemId, units))
    assert.deepStrictEqual(changed.lines.slice(1), others)
    assert.deepStrictEqual(changed.lines[0], new Cart.CartLine({ ...first, quantity: units }))
  })

  it("refuses to be built with an item twice, or with a line of the other kind", () => {
    const lines = cart().lines
    assert.throws(() => new Cart.Cart({ ...cart(), lines: [...lines, ...lines] }))
    assert.throws(() => new Cart.Cart({ ...cart(), kind: "subscription" }))
    assert.throws(() => new Cart.Cart({ ...cart({ kind: "subscription" }), kind: "normal" }))
  })

  it("fits into one order", () => assert.strictEqual(Cart.cartLinesMax, linesMax))

  law("survives being written and read", [Arbitraries.cart], (self) => {
    const codec = Schema.toCodecJson(Cart.Cart)
    assert.deepStrictEqual(
      Schema.decodeUnknownSync(codec)(JSON.parse(JSON.stringify(Schema.encodeSync(codec)(self)))),
      self
    )
  })
})

describe("Cart.add", () => {
  it("puts a new item at the end", () => {
    const filled = succeeded(Cart.add(cart({ items: [two] }), adding))
    assert.deepStrictEqual(
      filled.lines.map((line) => line.itemId),
      [two.id, one.id]
    )
  })

  it("adds the quantity of an item that is there, which then counts as added and seen now", () => {
    const filled = succeeded(Cart.add(cart(), { ...adding, seenPrice: won(8_000) }))
    assert.deepStrictEqual(
      filled.lines.map((line) => ({ ...line })),
      [{ itemId: one.id, quantity: quantity(3), period: null, seenPrice: won(8_000), addedAt: later(1) }]
    )
  })

  it("takes the new period of a subscription that is there", () => {
    const filled = succeeded(Cart.add(cart({ kind: "subscription" }), { ...adding, period: period(90) }))
    assert.strictEqual(filled.lines[0]?.period, 90)
  })

  it("refuses more units than a line may hold, new or grown", () => {
    const full = cart({ quantity: quantity(quantityMax - 1) })
    const rejection = rejected(Cart.add(full, adding), "CartQuantityExceeded")
    assert.deepStrictEqual([rejection.itemId, rejection.quantity], [one.id, quantityMax + 1])
    assert.strictEqual(rejection.message, "a line has at most 999 units, not 1000")
    assert.strictEqual(succeeded(Cart.add(full, { ...adding, quantity: quantity(1) })).lines[0]?.quantity, quantityMax)
  })

  it("refuses another item in a full cart, and still grows what is there", () => {
    const full = cart({ items: Array.from({ length: Cart.cartLinesMax }, (_, index) => item({}, index)) })
    const strange = { ...adding, itemId: anyItemId("strange") }
    assert.strictEqual(
      rejected(Cart.add(full, strange), "CartFull").message,
      "a cart has at most 50 lines, and this one has 50"
    )
    assert.strictEqual(succeeded(Cart.add(full, adding)).lines.length, Cart.cartLinesMax)
  })

  it("refuses a period in a normal cart, and none in a subscription cart", () => {
    assert.strictEqual(
      rejected(Cart.add(cart(), { ...adding, period: period(30) }), "CartPeriodInvalid").message,
      "only a subscription has a period"
    )
    assert.strictEqual(
      rejected(Cart.add(cart({ kind: "subscription" }), adding), "CartPeriodInvalid").message,
      "a subscription needs a period"
    )
  })

  law(
    "in any order of different items gives the same quantities",
    [fc.uniqueArray(Arbitraries.item, { selector: (each) => each.id })],
    (items) => {
      const quantities = (self: Cart.Cart) => new Map(self.lines.map((line) => [line.itemId, line.quantity]))
      assert.deepStrictEqual(quantities(cart({ items })), quantities(cart({ items: items.toReversed() })))
    }
  )
})

describe("Cart.changeQuantity, changePeriod and remove", () => {
  it("change one line", () => {
    assert.strictEqual(succeeded(Cart.changeQuantity(cart(), one.id, quantity(7))).lines[0]?.quantity, 7)
    assert.strictEqual(
      succeeded(Cart.changePeriod(cart({ kind: "subscription" }), one.id, period(60))).lines[0]?.period,
      60
    )
    assert.deepStrictEqual(
      succeeded(Cart.remove(cart({ items: [one, two] }), one.id)).lines.map((line) => line.itemId),
      [two.id]
    )
  })

  it("refuse an item that is not there", () => {
    const missing = anyItemId("missing")
    assert.strictEqual(rejected(Cart.changeQuantity(cart(), missing, quantity(1)), "CartLineNotFound").itemId, missing)
    assert.include(rejected(Cart.remove(cart(), missing), "CartLineNotFound").message, "is not in the cart")
    rejected(Cart.changePeriod(cart({ kind: "subscription" }), missing, period(30)), "CartLineNotFound")
  })

  it("refuse a period in a normal cart", () => {
    rejected(Cart.changePeriod(cart(), one.id, period(30)), "CartPeriodInvalid")
  })
})

describe("Cart.removeAddedBefore", () => {
  it("takes out what the order took, and nothing that came later", () => {
    const self = succeeded(Cart.add(cart({ items: [one, two], at: now }), { ...adding, at: later(10) }))
    assert.deepStrictEqual(
      Cart.removeAddedBefore(self, [one.id, two.id], later(5)).lines.map((line) => line.itemId),
      [one.id]
    )
    assert.deepStrictEqual([...Cart.removeAddedBefore(self, [one.id, two.id], later(10)).lines], [])
  })

  it("leaves items alone that were not ordered", () => {
    const self = cart({ items: [one, two] })
    assert.deepStrictEqual(
      Cart.removeAddedBefore(self, [two.id], later(5)).lines.map((line) => line.itemId),
      [one.id]
    )
    assert.strictEqual(Cart.removeAddedBefore(self, [anyItemId("other")], later(5)), self)
  })

  law(
    "done twice is done once",
    [Arbitraries.cart, fc.array(fc.nat(60), { maxLength: 20 }), Arbitraries.soon],
    (self, seeds, at) => {
      const ids = seeds.map(anyItemId)
      const removed = Cart.removeAddedBefore(self, ids, at)
      assert.strictEqual(Cart.removeAddedBefore(removed, ids, at), removed)
    }
  )
})

describe("Cart.price", () => {
  it("costs nothing when empty", () => {
    const priced = succeeded(Cart.price(Cart.empty(anyUserId(), "normal"), new Map()))
    assert.deepStrictEqual([priced.total, priced.discountTotal, priced.quantityTotal], [won(0), won(0), 0])
  })

  it("F24: takes off the discount once", () => {
    const priced = succeeded(Cart.price(cart({ items: [one, two], quantity: quantity(2) }), byId(one, two)))
    assert.deepStrictEqual([priced.total, priced.discountTotal, priced.quantityTotal], [won(58_000), won(2_000), 4])
  })

  it("costs what the catalogue says today, and shows that it changed", () => {
    const dearer = Item.reprice(one, won(12_000), percent(0))
    const [line] = succeeded(Cart.price(cart(), byId(dearer))).lines
    assert.isTrue(line?.status === "available" && line.priceChanged && line.amount === 12_000)
    const [same] = succeeded(Cart.price(cart(), byId(one))).lines
    assert.isTrue(same?.status === "available" && !same.priceChanged)
  })

  it("shows an item that is gone, and does not count it", () => {
    const priced = succeeded(Cart.price(cart({ items: [one, two] }), byId(two)))
    assert.deepStrictEqual(
      priced.lines.map((line) => line.status),
      ["vanished", "available"]
    )
    assert.deepStrictEqual([priced.total, priced.quantityTotal], [won(20_000), 1])
  })

  it("refuses a total that no amount can hold", () => {
    const dear = item({ origin: won(wonMax), rate: percent(0) })
    rejected(Cart.price(cart({ items: [dear], quantity: quantity(2) }), byId(dear)), "WonOutOfRange")
    rejected(Cart.price(cart({ items: [dear, two] }), byId(dear, two)), "WonOutOfRange")
  })

  law(
    "is the sum of its available lines",
    [Arbitraries.cart, fc.uniqueArray(Arbitraries.item, { selector: (each) => each.id })],
    (self, items) => {
      const priced = succeeded(Cart.price(self, byId(...items)))
      const available = priced.lines.filter((line) => line.status === "available")
      assert.strictEqual(
        priced.total,
        available.reduce((sum, { item: each, line }) => sum + each.price.real * line.quantity, 0)
      )
      assert.strictEqual(priced.lines.length, self.lines.length)
      assert.isTrue(
        priced.lines.every(
          (line) => (line.status === "available") === items.some((each) => each.id === line.line.itemId)
        )
      )
    }
  )

  law(
    "is refused only by amounts, never by quantities",
    [Arbitraries.cart],
    (self) => {
      assert.isTrue(Result.isSuccess(Cart.price(self, new Map())))
    },
    50
  )
})
