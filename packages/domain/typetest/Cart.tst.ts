import type { Result } from "effect"
import { describe, expect, test } from "tstyche"
import * as Cart from "../src/Cart.ts"
import type { ItemId, OrderId } from "../src/Ids.ts"
import type { Quantity } from "../src/Quantity.ts"

declare const cart: Cart.Cart
declare const itemId: ItemId

describe("Cart", () => {
  test("takes items and quantities, not numbers or orders", () => {
    expect(Cart.remove).type.toBeCallableWith(cart, itemId)
    expect(Cart.remove).type.not.toBeCallableWith(cart, "" as OrderId)
    expect(Cart.changeQuantity).type.not.toBeCallableWith(cart, itemId, 3)
    expect(Cart.changeQuantity(cart, itemId, 3 as Quantity)).type.toBe<
      Result.Result<Cart.Cart, Cart.CartLineNotFound>
    >()
  })

  test("has no amount for a line that vanished", () => {
    expect<Cart.VanishedLine>().type.not.toHaveProperty("amount")
    expect<Cart.AvailableLine>().type.toHaveProperty("amount")
    expect<Cart.PricedLine>().type.not.toHaveProperty("amount")
  })
})
