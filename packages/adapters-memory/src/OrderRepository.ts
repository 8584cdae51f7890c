/**
 * Orders in memory.
 *
 * @since 0.1.0
 */
import { OrderRepository } from "@pillivery/application/ports/OrderRepository"
import type { Order } from "@pillivery/domain/Order"
import { Effect, Layer, Option } from "effect"
import * as Table from "./internal/Table.ts"
import { Store } from "./Store.ts"

/** The table of orders. */
export const orders = Table.define<Order>()({
  name: "order",
  idOf: (order) => order.id,
  unique: {
    // A cycle that is charged makes one order.
    cycle: ({ origin }) => (origin._tag === "FromRenewal" ? `${origin.subscriptionId}/${origin.cycleNumber}` : null)
  },
  indexes: {
    user: (order) => `${order.userId}/${Table.timeKey(order.placedAt)}`,
    userState: (order) => `${order.userId}/${order._tag}/${Table.timeKey(order.placedAt)}`,
    toDeliver: (order) =>
      order._tag === "Paid" || order._tag === "PartiallyRefunded" ? Table.timeKey(order.paidAt) : null,
    expirable: (order) =>
      order._tag === "Placed" && order.approvingAttempt === null ? Table.timeKey(order.expiresAt) : null
  }
})

/** Orders of one store. */
export const layer = Layer.effect(
  OrderRepository,
  Effect.map(Store, (store) =>
    OrderRepository.of({
      insert: (order) => store.write("OrderRepository.insert", (rows) => rows.insert(orders, order)),
      findById: (id) => store.read("OrderRepository.findById", (rows) => Option.fromUndefinedOr(rows.get(orders, id))),
      update: (order) => store.write("OrderRepository.update", (rows) => rows.update(orders, order)),
      listByUser: (userId, page, state) =>
        store.read("OrderRepository.listByUser", (rows) =>
          state === undefined
            ? rows.pageBackwards(orders, "user", `${userId}/`, page)
            : rows.pageBackwards(orders, "userState", `${userId}/${state}/`, page)
        ),
      listToDeliver: (paidAfter, page) =>
        store.read("OrderRepository.listToDeliver", (rows) =>
          rows.page(orders, "toDeliver", { from: Table.after(Table.timeKey(paidAfter)) }, page)
        ),
      listExpirable: (at, limit) =>
        store.read("OrderRepository.listExpirable", (rows) =>
          rows.list(orders, "expirable", { until: Table.after(Table.timeKey(at)), limit }).map((order) => order.id)
        )
    })
  )
)
