/**
 * Placing an order.
 *
 * Prices are today's, copied into the order; no caller names a price. From a cart every line is ordered; a line whose item
 * is gone stops the order, so that nobody pays for less than they saw.
 *
 * @since 0.1.0
 */
import type { CartKind } from "@pillivery/domain/Cart"
import type { DeliveryPeriod } from "@pillivery/domain/DeliveryPeriod"
import { ItemId, OrderId, OrderLineId, type UserId } from "@pillivery/domain/Ids"
import * as Order from "@pillivery/domain/Order"
import type { Quantity } from "@pillivery/domain/Quantity"
import { Receiver } from "@pillivery/domain/Receiver"
import { Effect, Schema } from "effect"
import { itemsOf } from "../Catalogue/Items.ts"
import { type Asked, bindNothing, type BindRequest, once } from "../Idempotency.ts"
import { BusinessClock } from "../ports/BusinessClock.ts"
import { CartStore } from "../ports/CartStore.ts"
import { IdGenerator } from "../ports/IdGenerator.ts"
import { OrderRepository } from "../ports/OrderRepository.ts"
import { Transaction } from "../ports/Transaction.ts"
import { getMe } from "../Users/GetMe.ts"

/** Units of one item that are wanted; with a period again and again. */
export interface WantedLine {
  readonly itemId: ItemId
  readonly quantity: Quantity
  readonly period: DeliveryPeriod | null
}

/** What is ordered: lines that the caller names, or a whole cart. */
export type Wanted = { readonly lines: ReadonlyArray<WantedLine> } | { readonly cart: CartKind }

/** Some items are not in the catalogue, or not any more. */
export class ItemsVanished extends Schema.TaggedError<ItemsVanished>("@pillivery/application/Checkout/ItemsVanished")(
  "ItemsVanished",
  { itemIds: Schema.Array(ItemId) }
) {
  override get message() {
    return `these items are not in the catalogue: ${this.itemIds.join(", ")}`
  }
}

/** The same item is wanted twice in the same way. */
export class OrderLineRepeated extends Schema.TaggedError<OrderLineRepeated>(
  "@pillivery/application/Checkout/OrderLineRepeated"
)("OrderLineRepeated", { itemId: ItemId }) {
  override get message() {
    return `item ${this.itemId} is in the order twice; name it once with the whole quantity`
  }
}

/** Places an order, to be paid within `Order.paymentWindowMinutes`; without a receiver it goes to the user. */
export const placeOrder = Effect.fn("placeOrder")(function* (command: {
  readonly userId: UserId
  readonly wanted: Wanted
  readonly receiver: Receiver | null
  readonly bind?: BindRequest
}) {
  const carts = yield* CartStore
  const orders = yield* OrderRepository
  const clock = yield* BusinessClock
  const ids = yield* IdGenerator
  const transaction = yield* Transaction

  const { userId, wanted } = command
  const receiver = command.receiver ?? (yield* ownReceiver(userId))
  // Read before the lines, so that what is added to the cart meanwhile counts as added after the order.
  const at = yield* clock.now
  const lines = "cart" in wanted ? (yield* carts.get(userId, wanted.cart)).lines : wanted.lines
  if (lines.length === 0) return yield* new Order.OrderLinesInvalid({ reason: "empty", count: 0 })
  if (lines.length > Order.linesMax) {
    return yield* new Order.OrderLinesInvalid({ reason: "tooMany", count: lines.length })
  }
  const repeated = lines.find((line, index) => lines.findIndex((other) => isSameLine(line, other)) !== index)
  if (repeated !== undefined) return yield* new OrderLineRepeated({ itemId: repeated.itemId })

  const itemIds = [...new Set(lines.map((line) => line.itemId))]
  const itemsById = yield* itemsOf(itemIds)
  const vanished = itemIds.filter((id) => !itemsById.has(id))
  const priced: Array<Order.OrderLine> = []
  for (const { itemId, period, quantity } of lines) {
    const item = itemsById.get(itemId)
    if (item === undefined) continue
    priced.push(
      Order.OrderLine.make({
        id: OrderLineId.make(yield* ids.next),
        itemId,
        itemName: item.information.productName,
        originPrice: item.price.origin,
        unitPrice: item.price.real,
        quantity,
        period,
        refundedQuantity: 0
      })
    )
  }
  if (vanished.length > 0) return yield* new ItemsVanished({ itemIds: vanished })

  const order = yield* Effect.fromResult(
    Order.place({
      id: OrderId.make(yield* ids.next),
      userId,
      origin: "cart" in wanted ? new Order.FromCart({ cart: wanted.cart }) : new Order.FromLines({}),
      lines: priced,
      receiver,
      at
    })
  )
  const { bind = bindNothing } = command
  yield* transaction.runShared("place order")(
    Effect.andThen(bind(order.id), Effect.catchTag(orders.insert(order), "AlreadyExists", Effect.die)) // its id is new
  )
  return order
})

/** Places an order for a request that may be repeated. */
export const placeOrderOnce = Effect.fn("placeOrderOnce")((asked: Asked, command: Parameters<typeof placeOrder>[0]) =>
  once(asked, {
    make: (bind) => placeOrder({ ...command, bind }),
    show: (id) => Effect.flatMap(OrderRepository, (orders) => orders.findById(OrderId.make(id)))
  })
)

const ownReceiver = Effect.fnUntraced(function* (userId: UserId) {
  const { address, phone, realName } = yield* getMe(userId)
  return new Receiver({ realName, phone, address })
})

const isSameLine = (self: WantedLine, that: WantedLine): boolean =>
  self.itemId === that.itemId && (self.period === null) === (that.period === null)
