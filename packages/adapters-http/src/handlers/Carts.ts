/**
 * Handlers of carts.
 *
 * @since 0.1.0
 */
import { addItem, changeLine, removeLine } from "@pillivery/application/Carts/ChangeCart"
import { getCart } from "@pillivery/application/Carts/GetCart"
import type { BusinessClock } from "@pillivery/application/ports/BusinessClock"
import type { CartStore } from "@pillivery/application/ports/CartStore"
import type { ItemRepository } from "@pillivery/application/ports/ItemRepository"
import type { PricedCart, PricedLine } from "@pillivery/domain/Cart"
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { answer } from "../Answer.ts"
import { Api } from "../api/Api.ts"
import type { CartDto, CartLineDto } from "../api/Carts.ts"
import { CurrentIdentity } from "../api/Middleware.ts"
import { captured } from "../internal/Captured.ts"
import { toItemSummary } from "./Items.ts"

const toLine = (priced: PricedLine): typeof CartLineDto.Type => {
  const { itemId, period, quantity } = priced.line
  return priced.status === "available"
    ? {
        itemId,
        quantity,
        period,
        item: toItemSummary(priced.item),
        priceChanged: priced.priceChanged,
        amount: priced.amount,
        discount: priced.discount
      }
    : { itemId, quantity, period, item: null, priceChanged: false, amount: 0, discount: 0 }
}

const toCart = (priced: PricedCart): typeof CartDto.Type => ({
  kind: priced.cart.kind,
  lines: priced.lines.map(toLine),
  quantityTotal: priced.quantityTotal,
  total: priced.total,
  discountTotal: priced.discountTotal
})

/** Carts. */
export const layer = HttpApiBuilder.group(
  Api,
  "carts",
  Effect.fnUntraced(function* (handlers) {
    const provide = yield* captured<BusinessClock | CartStore | ItemRepository>()
    return handlers.handleAll({
      get: Effect.fnUntraced(function* ({ params }) {
        const { userId } = yield* CurrentIdentity
        return toCart(yield* getCart(userId, params.kind).pipe(answer, provide))
      }),
      addItem: Effect.fnUntraced(function* ({ params, payload }) {
        const { userId } = yield* CurrentIdentity
        const { itemId, period = null, quantity } = payload
        return toCart(yield* addItem({ userId, kind: params.kind, itemId, quantity, period }).pipe(answer, provide))
      }),
      changeLine: Effect.fnUntraced(function* ({ params, payload }) {
        const { userId } = yield* CurrentIdentity
        return toCart(yield* changeLine({ userId, ...params, ...payload }).pipe(answer, provide))
      }),
      removeLine: Effect.fnUntraced(function* ({ params }) {
        const { userId } = yield* CurrentIdentity
        return toCart(yield* removeLine({ userId, ...params }).pipe(answer, provide))
      })
    })
  })
)
