/**
 * Carts: one for single orders, one for subscriptions.
 *
 * @since 0.1.0
 */
import { CartKind } from "@pillivery/domain/Cart"
import { DeliveryPeriod } from "@pillivery/domain/DeliveryPeriod"
import { ItemId } from "@pillivery/domain/Ids"
import { Quantity } from "@pillivery/domain/Quantity"
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { ItemSummaryDto } from "./Items.ts"
import { Authentication } from "./Middleware.ts"
import * as Problems from "./Problems.ts"

/** One line of a cart; `item` is null when it is not sold any more, and the line then costs nothing. */
export const CartLineDto = Schema.Struct({
  itemId: ItemId,
  quantity: Schema.Int,
  /** Days between two deliveries; null in the normal cart. */
  period: Schema.NullOr(Schema.Int),
  item: Schema.NullOr(ItemSummaryDto),
  priceChanged: Schema.Boolean,
  amount: Schema.Int,
  discount: Schema.Int
}).annotate({ identifier: "CartLine" })

/** A cart at today's prices. */
export const CartDto = Schema.Struct({
  kind: CartKind,
  lines: Schema.Array(CartLineDto),
  quantityTotal: Schema.Int,
  total: Schema.Int,
  discountTotal: Schema.Int
}).annotate({ identifier: "Cart" })

/** What is put into a cart; the subscription cart wants a period. */
export const AddToCartDto = Schema.Struct({
  itemId: ItemId,
  quantity: Quantity,
  period: Schema.optionalKey(DeliveryPeriod)
}).annotate({ identifier: "AddToCart" })

/** What is changed about a line; what is absent stays. */
export const ChangeCartLineDto = Schema.Struct({
  quantity: Schema.optionalKey(Quantity),
  period: Schema.optionalKey(DeliveryPeriod)
})
  .check(
    Schema.makeFilter(({ period, quantity }) => quantity !== undefined || period !== undefined, {
      expected: "a quantity, a period, or both"
    })
  )
  .annotate({ identifier: "ChangeCartLine" })

const line = { kind: CartKind, itemId: ItemId }

/** Carts. */
export const CartsGroup = HttpApiGroup.make("carts")
  .add(
    HttpApiEndpoint.get("get", "/api/carts/:kind", {
      params: { kind: CartKind },
      success: CartDto,
      error: Problems.unprocessable
    }).annotate(OpenApi.Summary, "Read a cart at today's prices"),
    HttpApiEndpoint.post("addItem", "/api/carts/:kind/items", {
      params: { kind: CartKind },
      payload: AddToCartDto,
      success: CartDto,
      error: [Problems.notFound, Problems.conflict, Problems.unprocessable]
    }).annotate(OpenApi.Summary, "Put units of an item into a cart"),
    HttpApiEndpoint.patch("changeLine", "/api/carts/:kind/items/:itemId", {
      params: line,
      payload: ChangeCartLineDto,
      success: CartDto,
      error: [Problems.notFound, Problems.conflict, Problems.unprocessable]
    }).annotate(OpenApi.Summary, "Change a line"),
    HttpApiEndpoint.delete("removeLine", "/api/carts/:kind/items/:itemId", {
      params: line,
      success: CartDto,
      error: [Problems.notFound, Problems.conflict, Problems.unprocessable]
    }).annotate(OpenApi.Summary, "Take an item out of a cart")
  )
  .middleware(Authentication)
  .annotate(OpenApi.Description, "Two carts a user: one for single orders, one for subscriptions.")
