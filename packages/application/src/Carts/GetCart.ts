/**
 * A cart as its owner sees it: at today's prices, with what has vanished marked as such.
 *
 * @since 0.1.0
 */
import * as Cart from "@pillivery/domain/Cart"
import type { ItemId, UserId } from "@pillivery/domain/Ids"
import { Effect } from "effect"
import { CartStore } from "../ports/CartStore.ts"
import { ItemRepository } from "../ports/ItemRepository.ts"

/** One of the user's two carts. */
export const getCart = Effect.fn("getCart")(function* (userId: UserId, kind: Cart.CartKind) {
  const carts = yield* CartStore
  const cart = yield* carts.get(userId, kind)
  return yield* Effect.fromResult(Cart.price(cart, yield* itemsOf(cart.lines.map((line) => line.itemId))))
})

/** The items that are there, by their ids. */
export const itemsOf = Effect.fnUntraced(function* (ids: ReadonlyArray<ItemId>) {
  const items = yield* ItemRepository
  const found = ids.length === 0 ? [] : yield* items.findByIds(ids)
  return new Map(found.map((item) => [item.id, item]))
})
