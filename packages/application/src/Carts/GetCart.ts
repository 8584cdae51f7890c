/**
 * A cart as its owner sees it: at today's prices, with what has vanished marked as such.
 *
 * @since 0.1.0
 */
import * as Cart from "@pillivery/domain/Cart"
import type { UserId } from "@pillivery/domain/Ids"
import { Effect } from "effect"
import { CartStore } from "../ports/CartStore.ts"
import { ItemRepository } from "../ports/ItemRepository.ts"

/** One of the user's two carts. */
export const getCart = Effect.fn("getCart")(function* (userId: UserId, kind: Cart.CartKind) {
  const carts = yield* CartStore
  return yield* priceCart(yield* carts.get(userId, kind))
})

/** The cart with what its lines cost today. */
export const priceCart = Effect.fnUntraced(function* (cart: Cart.Cart) {
  const items = yield* ItemRepository
  const found = cart.lines.length === 0 ? [] : yield* items.findByIds(cart.lines.map((line) => line.itemId))
  return yield* Effect.fromResult(Cart.price(cart, new Map(found.map((item) => [item.id, item]))))
})
