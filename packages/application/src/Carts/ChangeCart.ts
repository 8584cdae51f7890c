/**
 * Putting items into a cart, changing and removing them.
 *
 * Each change reads the cart, changes it and saves it at the version read; a rival's change in between is not lost, the
 * change is made again on top of it. A cart that would cost more than an amount can hold is not saved.
 *
 * @since 0.1.0
 */
import * as Cart from "@pillivery/domain/Cart"
import type { DeliveryPeriod } from "@pillivery/domain/DeliveryPeriod"
import type { ItemId, UserId } from "@pillivery/domain/Ids"
import type { Quantity } from "@pillivery/domain/Quantity"
import { Effect, Result } from "effect"
import type { Item } from "@pillivery/domain/Item"
import { ItemNotFound, itemsOf } from "../Catalogue/Items.ts"
import { BusinessClock } from "../ports/BusinessClock.ts"
import { CartStore } from "../ports/CartStore.ts"
import { retryStale } from "../StaleRetry.ts"

/** Which line of which cart. */
export interface LineKey {
  readonly userId: UserId
  readonly kind: Cart.CartKind
  readonly itemId: ItemId
}

/** Puts units of an item into a cart; what is there already grows by them. */
export const addItem = Effect.fn("addItem")(function* (
  command: LineKey & { readonly quantity: Quantity; readonly period: DeliveryPeriod | null }
) {
  const clock = yield* BusinessClock
  const { itemId, period, quantity } = command
  const at = yield* clock.now
  return yield* change(command, (cart, items) =>
    Result.gen(function* () {
      const item = items.get(itemId)
      if (item === undefined) return yield* Result.fail(new ItemNotFound({ itemId }))
      return yield* Cart.add(cart, { itemId, quantity, period, seenPrice: item.price.real, at })
    })
  )
})

/** Sets the quantity, the period, or both, of a line; what is absent stays. */
export const changeLine = Effect.fn("changeLine")(function* (
  command: LineKey & { readonly quantity?: Quantity; readonly period?: DeliveryPeriod }
) {
  const { itemId, period, quantity } = command
  return yield* change(command, (cart) =>
    Result.gen(function* () {
      const counted = quantity === undefined ? cart : yield* Cart.changeQuantity(cart, itemId, quantity)
      return period === undefined ? counted : yield* Cart.changePeriod(counted, itemId, period)
    })
  )
})

/** Takes an item out of a cart. */
export const removeLine = Effect.fn("removeLine")(function* (command: LineKey) {
  return yield* change(command, (cart) => Cart.remove(cart, command.itemId))
})

const change = Effect.fnUntraced(function* <E>(
  { itemId, kind, userId }: LineKey,
  by: (cart: Cart.Cart, items: ReadonlyMap<ItemId, Item>) => Result.Result<Cart.Cart, E>
) {
  const carts = yield* CartStore
  return yield* retryStale(
    Effect.gen(function* () {
      const cart = yield* carts.get(userId, kind)
      const items = yield* itemsOf([...cart.lines.map((line) => line.itemId), itemId])
      const next = yield* Effect.fromResult(by(cart, items))
      const priced = yield* Effect.fromResult(Cart.price(next, items))
      yield* carts.save(next)
      return priced
    })
  )
})
