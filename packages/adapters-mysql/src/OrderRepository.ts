/**
 * Orders in two tables: the order, and its lines with the prices agreed.
 *
 * @since 0.1.0
 */
import { OrderRepository } from "@pillivery/application/ports/OrderRepository"
import type { PageRequest } from "@pillivery/application/ports/Page"
import { StorageError } from "@pillivery/application/ports/StorageError"
import { Transaction } from "@pillivery/application/ports/Transaction"
import { OrderId, type UserId } from "@pillivery/domain/Ids"
import * as Order from "@pillivery/domain/Order"
import { Array as Arr, type DateTime, Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import type { Fragment } from "effect/sql/Statement"
import { fieldOrNull, Instant, nullOr, rowReader, rowWriter, toBytes, toInstantText, Uuid } from "./internal/Columns.ts"
import { receiverColumns, receiverToRow, rowToReceiver } from "./internal/Receivers.ts"
import {
  columnsOf,
  findsOf,
  idsFrom,
  insertRows,
  insertTogether,
  offsetOf,
  orExists,
  orStale,
  preparedIfOne,
  totalFrom,
  whereIn
} from "./internal/Rows.ts"
import { Statements } from "./Transaction.ts"

/** How often an order is read again because a writer came between its two queries. */
const readsMax = 5

const OrderRow = Schema.Struct({
  id: Uuid,
  user_id: Uuid,
  state: Schema.String,
  origin: Schema.String,
  origin_cart: nullOr(Schema.String),
  origin_subscription_id: nullOr(Uuid),
  origin_cycle_number: nullOr(Schema.Int),
  ...receiverColumns,
  total: Schema.Int,
  discount_total: Schema.Int,
  placed_at: Instant,
  expires_at: nullOr(Instant),
  approving_attempt: nullOr(Uuid),
  paid_by: nullOr(Uuid),
  paid_at: nullOr(Instant),
  refunded_total: nullOr(Schema.Int),
  expired_at: nullOr(Instant),
  failed_at: nullOr(Instant),
  version: Schema.Int
})

const LineRow = Schema.Struct({
  order_id: Uuid,
  position: Schema.Int,
  id: Uuid,
  item_id: Uuid,
  item_name: Schema.String,
  origin_price: Schema.Int,
  unit_price: Schema.Int,
  quantity: Schema.Int,
  period_days: nullOr(Schema.Int),
  refunded_quantity: Schema.Int
})

const LineReadRow = Schema.Struct({ ...LineRow.fields, order_version: Schema.Int })

const readOrderRow = rowReader(OrderRow)
const readLineRow = rowReader(LineReadRow)
const encodeOrderRow = rowWriter(OrderRow)
const encodeLineRow = rowWriter(LineRow)
const decodeOrder = Schema.decodeUnknownSync(Order.Order)

const orderToRow = (order: Order.Order): typeof OrderRow.Type => ({
  id: order.id,
  user_id: order.userId,
  state: order._tag,
  origin: order.origin._tag,
  origin_cart: fieldOrNull(order.origin, "cart"),
  origin_subscription_id: fieldOrNull(order.origin, "subscriptionId"),
  origin_cycle_number: fieldOrNull(order.origin, "cycleNumber"),
  ...receiverToRow(order.receiver),
  total: order.total,
  discount_total: order.discountTotal,
  placed_at: order.placedAt,
  expires_at: fieldOrNull(order, "expiresAt"),
  approving_attempt: fieldOrNull(order, "approvingAttempt"),
  paid_by: fieldOrNull(order, "paidBy"),
  paid_at: fieldOrNull(order, "paidAt"),
  refunded_total: fieldOrNull(order, "refundedTotal"),
  expired_at: fieldOrNull(order, "expiredAt"),
  failed_at: fieldOrNull(order, "failedAt"),
  version: order.version
})

const lineToRow =
  (orderId: OrderId) =>
  (line: Order.OrderLine, position: number): typeof LineRow.Type => ({
    order_id: orderId,
    position,
    id: line.id,
    item_id: line.itemId,
    item_name: line.itemName,
    origin_price: line.originPrice,
    unit_price: line.unitPrice,
    quantity: line.quantity,
    period_days: line.period,
    refunded_quantity: line.refundedQuantity
  })

/** All fields of all states; the union takes those of the row's state and refuses a row that lacks one. */
const rowToOrder = (row: typeof OrderRow.Type, lines: ReadonlyArray<typeof LineReadRow.Type>) => ({
  _tag: row.state,
  id: row.id,
  userId: row.user_id,
  origin: {
    _tag: row.origin,
    cart: row.origin_cart,
    subscriptionId: row.origin_subscription_id,
    cycleNumber: row.origin_cycle_number
  },
  lines: lines.map((line) => ({
    id: line.id,
    itemId: line.item_id,
    itemName: line.item_name,
    originPrice: line.origin_price,
    unitPrice: line.unit_price,
    quantity: line.quantity,
    period: line.period_days,
    refundedQuantity: line.refunded_quantity
  })),
  receiver: rowToReceiver(row),
  total: row.total,
  discountTotal: row.discount_total,
  placedAt: row.placed_at,
  expiresAt: row.expires_at,
  approvingAttempt: row.approving_attempt,
  paidBy: row.paid_by,
  paidAt: row.paid_at,
  refundedTotal: row.refunded_total,
  expiredAt: row.expired_at,
  failedAt: row.failed_at,
  version: row.version
})

/** Orders on MySQL. */
export const layer = Layer.effect(
  OrderRepository,
  Effect.gen(function* () {
    const sql = yield* SqlClient
    const { read, readTogether, write, writeTogether } = yield* Statements
    const { run } = yield* Transaction
    const orderColumns = columnsOf(sql, OrderRow)
    const lineColumns = columnsOf(sql, LineRow, "order_line")

    const ordersWhere = (where: Fragment, keys: ReadonlyArray<unknown>) =>
      Effect.map(preparedIfOne(keys, sql`SELECT ${orderColumns} FROM orders ${where}`), (rows) =>
        rows.map((row) => readOrderRow(Object(row)))
      )

    const ordersByIds = (ids: Arr.NonEmptyReadonlyArray<Uint8Array>) =>
      ordersWhere(sql`WHERE ${whereIn(sql, "id", ids)}`, ids)

    const linesByOrder = (ids: Arr.NonEmptyReadonlyArray<Uint8Array>) =>
      Effect.map(
        preparedIfOne(
          ids,
          sql`SELECT ${lineColumns}, orders.version AS order_version
            FROM order_line JOIN orders ON orders.id = order_line.order_id
            WHERE ${whereIn(sql, "order_line.order_id", ids)} ORDER BY order_line.order_id, order_line.position`
        ),
        (rows) =>
          Arr.groupBy(
            rows.map((row) => readLineRow(Object(row))),
            ({ order_id }) => order_id
          )
      )

    /** An order and its lines are two queries; those that a writer changed in between are read again. */
    const withLines = Effect.fnUntraced(function* (operation: string, rows: ReadonlyArray<typeof OrderRow.Type>) {
      const orders = new Map<string, Order.Order>()
      let unread = rows
      for (let reads = 0; reads < readsMax && Arr.isReadonlyArrayNonEmpty(unread); reads++) {
        const ids = Arr.map(unread, ({ id }) => toBytes(id))
        const standing = reads === 0 ? unread : yield* ordersByIds(ids)
        const lines = yield* linesByOrder(ids)
        unread = standing.filter((row) => {
          const ownLines = lines[row.id] ?? []
          const isChanged = ownLines.some(({ order_version }) => order_version !== row.version)
          if (!isChanged) orders.set(row.id, decodeOrder(rowToOrder(row, ownLines)))
          return isChanged
        })
      }
      if (unread.length > 0) {
        return yield* new StorageError({
          operation,
          reason: "conflict",
          cause: new Error("writers kept coming between")
        })
      }
      return rows.flatMap(({ id }) => orders.get(id) ?? [])
    })

    const orderRowOf = (order: Order.Order) => encodeOrderRow(orderToRow(order))
    const lineRowsOf = (order: Order.Order) => order.lines.map(lineToRow(order.id)).map((line) => encodeLineRow(line))

    const insertOrder = writeTogether("OrderRepository.insert", {
      one: (order: Order.Order) =>
        orExists(
          Effect.andThen(
            insertRows(sql, "orders", [orderRowOf(order)]),
            // The transaction around it may go on after this failed: then no half of an order may stay.
            Effect.tapError(
              insertRows(sql, "order_line", lineRowsOf(order)),
              () => sql`DELETE FROM orders WHERE id = ${toBytes(order.id)}`
            )
          ),
          "order",
          order.id
        ),
      many: (orders) => [
        insertTogether("orders", orders.map(orderRowOf)),
        insertTogether("order_line", orders.flatMap(lineRowsOf))
      ],
      answer: undefined
    })

    return OrderRepository.of({
      insert: Effect.fn("OrderRepository.insert")((order: Order.Order) => run(insertOrder(order))),

      findById: readTogether(
        "OrderRepository.findById",
        findsOf({
          select: (ids: Arr.NonEmptyReadonlyArray<OrderId>) =>
            Effect.flatMap(ordersByIds(Arr.map(Arr.dedupe(ids), toBytes)), (rows) =>
              withLines("OrderRepository.findById", rows)
            ),
          keyOf: (id) => id,
          keyOfEntity: ({ id }) => id
        })
      ),

      update: Effect.fn("OrderRepository.update")(function* (order: Order.Order) {
        const { id, ...row } = encodeOrderRow(orderToRow(order))
        const refunded = order.lines.filter((line) => line.refundedQuantity > 0)
        const updateOrder = sql`UPDATE orders SET ${sql.update({ ...row, version: order.version + 1 })}
          WHERE id = ${id} AND version = ${order.version}`
        // Of a line only the units given back ever change.
        const updateLines = Effect.forEach(
          refunded,
          (line) =>
            sql`UPDATE order_line SET refunded_quantity = ${line.refundedQuantity}
            WHERE id = ${toBytes(line.id)} AND order_id = ${id}`
        )
        yield* run(
          write("OrderRepository.update")(Effect.andThen(orStale(updateOrder, "order", order.id), updateLines))
        )
      }),

      listByUser: Effect.fn("OrderRepository.listByUser")(function* (
        userId: UserId,
        page: PageRequest,
        state?: Order.Tag
      ) {
        const operation = "OrderRepository.listByUser"
        const where =
          state === undefined
            ? sql`WHERE user_id = ${toBytes(userId)}`
            : sql`WHERE user_id = ${toBytes(userId)} AND state = ${state}`
        const totalElements = yield* read(operation)(totalFrom(sql`SELECT COUNT(*) AS total FROM orders ${where}`))
        const data = yield* read(operation)(
          Effect.flatMap(
            ordersWhere(sql`${where} ORDER BY placed_at DESC, id DESC LIMIT ${page.size} OFFSET ${offsetOf(page)}`, [
              userId
            ]),
            (rows) => withLines(operation, rows)
          )
        )
        return { data, totalElements }
      }),

      listToDeliver: Effect.fn("OrderRepository.listToDeliver")(function* (paidAfter: DateTime.Utc, page: PageRequest) {
        const operation = "OrderRepository.listToDeliver"
        const where = sql`WHERE paid_at > ${toInstantText(paidAfter)} AND state IN ('Paid', 'PartiallyRefunded')`
        const totalElements = yield* read(operation)(totalFrom(sql`SELECT COUNT(*) AS total FROM orders ${where}`))
        const data = yield* read(operation)(
          Effect.flatMap(
            ordersWhere(sql`${where} ORDER BY paid_at, id LIMIT ${page.size} OFFSET ${offsetOf(page)}`, [paidAfter]),
            (rows) => withLines(operation, rows)
          )
        )
        return { data, totalElements }
      }),

      listExpirable: Effect.fn("OrderRepository.listExpirable")(function* (at: DateTime.Utc, limit: number) {
        const ids = yield* read("OrderRepository.listExpirable")(
          idsFrom(
            sql`SELECT id FROM orders WHERE state = 'Placed' AND expires_at <= ${toInstantText(at)}
              AND approving_attempt IS NULL ORDER BY expires_at, id LIMIT ${limit}`
          )
        )
        return ids.map((id) => OrderId.make(id))
      })
    })
  })
)
