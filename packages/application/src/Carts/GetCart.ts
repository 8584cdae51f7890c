/**
 * A cart as its owner sees it: at today's prices, with what has vanished marked as such.
 *
 * @since 0.1.0
 */
import * as Cart from "@pillivery/domain/Cart"
import type { UserId } from "@pillivery/domain/Ids"
import { Effect } from "effect"
import { itemsOf } from "../Catalogue/Items.ts"
import { CartStore } from "../ports/CartStore.ts"

/** One of the user's two carts. */
export const getCart = Effect.fn("getCart")(function* (userId: UserId, kind: Cart.CartKind) {
  const carts = yield* CartStore
  const cart = yield* carts.get(userId, kind)
  return yield* Effect.fromResult(Cart.price(cart, yield* itemsOf(cart.lines.map((line) => line.itemId))))
})
