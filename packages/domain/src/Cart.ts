/**
 * What a customer is about to order.
 *
 * Each user has two carts: one for single orders, and one for subscriptions, whose lines have a period. A cart keeps no
 * prices but the one seen when a line was added; what it costs is always computed from today's catalogue, and an item
 * that changed its price or is gone is shown as such.
 *
 * @since 0.1.0
 */
import type * as DateTime from "effect/DateTime"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { DeliveryPeriod } from "./DeliveryPeriod.ts"
import { ItemId, UserId } from "./Ids.ts"
import type { Item } from "./Item.ts"
import { linesMax } from "./Order.ts"
import { Quantity, quantityMax } from "./Quantity.ts"
import * as Won from "./Won.ts"

/** The most lines of one cart: what fits into one order. */
export const cartLinesMax = linesMax

/** Which of a user's two carts. */
export const CartKind = Schema.Literals(["normal", "subscription"])
export type CartKind = typeof CartKind.Type

/** One item of a cart. */
export class CartLine extends Schema.Class<CartLine>("@pillivery/domain/Cart/CartLine")({
  itemId: ItemId,
  quantity: Quantity,
  /** Days between two deliveries; null in a normal cart. */
  period: Schema.NullOr(DeliveryPeriod),
  /** The price of one unit when the line was last added to. */
  seenPrice: Won.Won,
  /** When the line was last added to. */
  addedAt: Schema.DateTimeUtc
}) {}

/** A cart of one user; an item is in it at most once. */
export class Cart extends Schema.Class<Cart>("@pillivery/domain/Cart/Cart")(
  Schema.Struct({
    userId: UserId,
    kind: CartKind,
    lines: Schema.Array(CartLine).check(Schema.isMaxLength(cartLinesMax)),
    version: Schema.Int
  }).check(
    Schema.makeFilter(
      ({ kind, lines }) => lines.every((line) => (line.period !== null) === (kind === "subscription")),
      {
        expected: "lines with a period in a subscription cart, and without one in a normal cart"
      }
    ),
    Schema.makeFilter(({ lines }) => new Set(lines.map((line) => line.itemId)).size === lines.length, {
      expected: "each item once"
    })
  )
) {}

/** A cart with nothing in it. */
export const empty = (userId: UserId, kind: CartKind): Cart => new Cart({ userId, kind, lines: [], version: 0 })

/** The cart has as many lines as it may have. */
export class CartFull extends Schema.TaggedError<CartFull>("@pillivery/domain/Cart/CartFull")("CartFull", {
  lines: Schema.Int
}) {
  override get message() {
    return `a cart has at most ${cartLinesMax} lines, and this one has ${this.lines}`
  }
}

/** More units of one item were wanted than one line may hold; `quantity` is what the line would have held. */
export class CartQuantityExceeded extends Schema.TaggedError<CartQuantityExceeded>(
  "@pillivery/domain/Cart/CartQuantityExceeded"
)("CartQuantityExceeded", { itemId: ItemId, quantity: Schema.Int }) {
  override get message() {
    return `a line has at most ${quantityMax} units, not ${this.quantity}`
  }
}

/** A line of a subscription needs a period, and no other line has one. */
export class CartPeriodInvalid extends Schema.TaggedError<CartPeriodInvalid>(
  "@pillivery/domain/Cart/CartPeriodInvalid"
)("CartPeriodInvalid", {
  kind: CartKind,
  itemId: ItemId
}) {
  override get message() {
    return this.kind === "subscription" ? "a subscription needs a period" : "only a subscription has a period"
  }
}

/** The item is not in the cart. */
export class CartLineNotFound extends Schema.TaggedError<CartLineNotFound>("@pillivery/domain/Cart/CartLineNotFound")(
  "CartLineNotFound",
  {
    itemId: ItemId
  }
) {
  override get message() {
    return `item ${this.itemId} is not in the cart`
  }
}

/**
 * Puts units of an item into the cart; what is there already grows by them, and takes the new period.
 *
 * **Details**
 *
 * The line counts as added now, even where it was there before, so that an order placed earlier does not take the new
 * units out of the cart when it is paid.
 */
export const add = (
  self: Cart,
  added: {
    readonly itemId: ItemId
    readonly quantity: Quantity
    readonly period: DeliveryPeriod | null
    readonly seenPrice: Won.Won
    readonly at: DateTime.Utc
  }
): Result.Result<Cart, CartFull | CartQuantityExceeded | CartPeriodInvalid> => {
  const { at, ...fields } = added
  if ((fields.period !== null) !== (self.kind === "subscription")) {
    return Result.fail(new CartPeriodInvalid({ kind: self.kind, itemId: fields.itemId }))
  }
  const there = self.lines.find((line) => line.itemId === fields.itemId)
  if (there === undefined) {
    return self.lines.length >= cartLinesMax
      ? Result.fail(new CartFull({ lines: self.lines.length }))
      : Result.succeed(withLines(self, [...self.lines, new CartLine({ ...fields, addedAt: at })]))
  }
  const quantity = there.quantity + fields.quantity
  return quantity > quantityMax
    ? Result.fail(new CartQuantityExceeded({ itemId: fields.itemId, quantity }))
    : Result.succeed(replaced(self, new CartLine({ ...fields, quantity: Quantity.make(quantity), addedAt: at })))
}

/** Sets how many units of an item are wanted. */
export const changeQuantity = (self: Cart, itemId: ItemId, quantity: Quantity): Result.Result<Cart, CartLineNotFound> =>
  Result.map(find(self, itemId), (line) => replaced(self, new CartLine({ ...line, quantity })))

/** Sets how often an item is to be delivered; only in a subscription cart. */
export const changePeriod = (
  self: Cart,
  itemId: ItemId,
  period: DeliveryPeriod
): Result.Result<Cart, CartLineNotFound | CartPeriodInvalid> =>
  self.kind === "subscription"
    ? Result.map(find(self, itemId), (line) => replaced(self, new CartLine({ ...line, period })))
    : Result.fail(new CartPeriodInvalid({ kind: self.kind, itemId }))

/** Takes an item out. */
export const remove = (self: Cart, itemId: ItemId): Result.Result<Cart, CartLineNotFound> =>
  Result.map(find(self, itemId), () =>
    withLines(
      self,
      self.lines.filter((line) => line.itemId !== itemId)
    )
  )

/** Takes out what a paid order took from the cart; lines added to after the order was placed stay. */
export const removeAddedBefore = (self: Cart, itemIds: ReadonlyArray<ItemId>, placedAt: DateTime.Utc): Cart => {
  const ordered = new Set(itemIds)
  const lines = self.lines.filter(
    (line) => !ordered.has(line.itemId) || line.addedAt.epochMilliseconds > placedAt.epochMilliseconds
  )
  return lines.length === self.lines.length ? self : withLines(self, lines)
}

/** A line whose item is in the catalogue, at today's price. */
export interface AvailableLine {
  readonly status: "available"
  readonly line: CartLine
  readonly item: Item
  /** Whether one unit costs another amount than when the line was last added to. */
  readonly priceChanged: boolean
  /** What the line costs: real price × quantity. */
  readonly amount: Won.Won
  /** What is saved against the price before the discount. */
  readonly discount: Won.Won
}

/** A line whose item is no longer in the catalogue; it costs nothing and cannot be ordered. */
export interface VanishedLine {
  readonly status: "vanished"
  readonly line: CartLine
}

/** A line of a cart as the customer sees it. */
export type PricedLine = AvailableLine | VanishedLine

/** A cart at today's prices; the totals count available lines only. */
export interface PricedCart {
  readonly cart: Cart
  readonly lines: ReadonlyArray<PricedLine>
  readonly quantityTotal: number
  /** What is to be paid. */
  readonly total: Won.Won
  readonly discountTotal: Won.Won
}

/** What the cart costs today, by the items of the catalogue that it names; an absent item has vanished. */
export const price = (self: Cart, itemsById: ReadonlyMap<ItemId, Item>): Result.Result<PricedCart, Won.WonOutOfRange> =>
  Result.gen(function* () {
    const lines: Array<PricedLine> = []
    let quantityTotal = 0
    let total = Won.zero
    let discountTotal = Won.zero
    for (const line of self.lines) {
      const item = itemsById.get(line.itemId)
      if (item === undefined) {
        lines.push({ status: "vanished", line })
        continue
      }
      const amount = yield* Won.multiply(item.price.real, line.quantity)
      const discount = yield* Won.multiply(item.price.discount, line.quantity)
      lines.push({
        status: "available",
        line,
        item,
        priceChanged: item.price.real !== line.seenPrice,
        amount,
        discount
      })
      quantityTotal += line.quantity
      total = yield* Won.add(total, amount)
      discountTotal = yield* Won.add(discountTotal, discount)
    }
    return { cart: self, lines, quantityTotal, total, discountTotal }
  })

const find = (self: Cart, itemId: ItemId): Result.Result<CartLine, CartLineNotFound> => {
  const line = self.lines.find((candidate) => candidate.itemId === itemId)
  return line === undefined ? Result.fail(new CartLineNotFound({ itemId })) : Result.succeed(line)
}

const withLines = (self: Cart, lines: ReadonlyArray<CartLine>): Cart => new Cart({ ...self, lines })

const replaced = (self: Cart, changed: CartLine): Cart =>
  withLines(
    self,
    self.lines.map((line) => (line.itemId === changed.itemId ? changed : line))
  )
