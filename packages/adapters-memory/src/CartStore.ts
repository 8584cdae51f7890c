/**
 * Carts in memory.
 *
 * Carts live outside the database, so they take no part in transactions here either.
 *
 * @since 0.1.0
 */
import { CartStore } from "@pillivery/application/ports/CartStore"
import { StaleWrite } from "@pillivery/application/ports/StorageError"
import * as Cart from "@pillivery/domain/Cart"
import type { UserId } from "@pillivery/domain/Ids"
import { Effect, Layer } from "effect"

const keyOf = (userId: UserId, kind: Cart.CartKind): string => `${userId}/${kind}`

/** Carts of this process. */
export const layer: Layer.Layer<CartStore> = Layer.sync(CartStore, () => {
  const carts = new Map<string, Cart.Cart>()
  return CartStore.of({
    get: (userId, kind) => Effect.sync(() => carts.get(keyOf(userId, kind)) ?? Cart.empty(userId, kind)),
    save: (cart) =>
      Effect.suspend(() => {
        const id = keyOf(cart.userId, cart.kind)
        if ((carts.get(id)?.version ?? 0) !== cart.version) return Effect.fail(new StaleWrite({ entity: "cart", id }))
        carts.set(id, new Cart.Cart({ ...cart, version: cart.version + 1 }))
        return Effect.void
      }),
    remove: (userId) =>
      Effect.sync(() => {
        for (const kind of Cart.CartKind.literals) carts.delete(keyOf(userId, kind))
      })
  })
})
