/**
 * Subscription orders.
 *
 * @since 0.1.0
 */
import type { PageRequest } from "@pillivery/application/ports/Page"
import {
  SubscriptionRepository,
  subscriptionsOfKeyMax,
  type Waiting
} from "@pillivery/application/ports/SubscriptionRepository"
import type { BusinessDate } from "@pillivery/domain/BusinessDate"
import { type BillingKeyId, SubscriptionId, type UserId } from "@pillivery/domain/Ids"
import * as Subscription from "@pillivery/domain/SubscriptionOrder"
import { Array as Arr, type DateTime, Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import { fieldOrNull, Instant, nullOr, toBytes, toInstantText, Uuid, rowWriter } from "./internal/Columns.ts"
import { receiverColumns, receiverToRow, rowToReceiver } from "./internal/Receivers.ts"
import {
  columnsOf,
  entitiesFrom,
  findsOf,
  insertsOf,
  offsetOf,
  preparedIfOne,
  totalFrom,
  updatesOf,
  whereIn
} from "./internal/Rows.ts"
import { Statements } from "./Transaction.ts"

const SubscriptionRow = Schema.Struct({
  id: Uuid,
  user_id: Uuid,
  state: Schema.String,
  order_id: Uuid,
  order_line_id: Uuid,
  item_id: Uuid,
  item_name: Schema.String,
  unit_price: Schema.Int,
  quantity: Schema.Int,
  period_days: Schema.Int,
  anchor: Schema.String,
  last_paid_due_date: nullOr(Schema.String),
  ...receiverColumns,
  skips_in_a_row: Schema.Int,
  created_at: Instant,
  version: Schema.Int,
  /** The key it charges, or the one it waits for. */
  billing_key_id: nullOr(Uuid),
  paused_by: nullOr(Schema.String),
  resume_on: nullOr(Schema.String),
  cancel_reason: nullOr(Schema.String),
  cancelled_at: nullOr(Instant)
})

const encodeRow = rowWriter(SubscriptionRow)

const subscriptionToRow = (subscription: Subscription.SubscriptionOrder): typeof SubscriptionRow.Type => ({
  id: subscription.id,
  user_id: subscription.userId,
  state: subscription._tag,
  order_id: subscription.orderId,
  order_line_id: subscription.orderLineId,
  item_id: subscription.itemId,
  item_name: subscription.itemName,
  unit_price: subscription.unitPrice,
  quantity: subscription.quantity,
  period_days: subscription.period,
  anchor: subscription.anchor,
  last_paid_due_date: subscription.lastPaidDueDate,
  ...receiverToRow(subscription.receiver),
  skips_in_a_row: subscription.skipsInARow,
  created_at: subscription.createdAt,
  version: subscription.version,
  billing_key_id: fieldOrNull(subscription, "billingKeyId") ?? fieldOrNull(subscription, "pendingBillingKeyId"),
  paused_by: fieldOrNull(subscription, "by"),
  resume_on: fieldOrNull(subscription, "resumeOn"),
  cancel_reason: fieldOrNull(subscription, "reason"),
  cancelled_at: fieldOrNull(subscription, "cancelledAt")
})

/** All fields of all states; the union takes those of the row's state and refuses a row that lacks one. */
const rowToSubscription = (row: typeof SubscriptionRow.Type) => ({
  _tag: row.state,
  id: row.id,
  userId: row.user_id,
  orderId: row.order_id,
  orderLineId: row.order_line_id,
  itemId: row.item_id,
  itemName: row.item_name,
  unitPrice: row.unit_price,
  quantity: row.quantity,
  period: row.period_days,
  anchor: row.anchor,
  lastPaidDueDate: row.last_paid_due_date ?? row.anchor,
  receiver: rowToReceiver(row),
  skipsInARow: row.skips_in_a_row,
  createdAt: row.created_at,
  version: row.version,
  billingKeyId: row.billing_key_id,
  pendingBillingKeyId: row.billing_key_id,
  by: row.paused_by,
  resumeOn: row.resume_on,
  reason: row.cancel_reason,
  cancelledAt: row.cancelled_at
})

const subscriptionsFrom = entitiesFrom(SubscriptionRow, Subscription.SubscriptionOrder, rowToSubscription)

const decodeIds = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ id: Uuid })))
const decodeWaiting = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ id: Uuid, created_at: Instant })))

/** Subscription orders on MySQL. */
export const layer = Layer.effect(
  SubscriptionRepository,
  Effect.gen(function* () {
    const sql = yield* SqlClient
    const { read, readTogether, write, writeTogether } = yield* Statements
    const columns = columnsOf(sql, SubscriptionRow)
    const subscriptions = {
      sql,
      table: "subscription_order",
      entity: "subscription",
      idOf: (subscription: Subscription.SubscriptionOrder) => subscription.id,
      toRow: (subscription: Subscription.SubscriptionOrder) => encodeRow(subscriptionToRow(subscription))
    }

    return SubscriptionRepository.of({
      insert: Effect.fn("SubscriptionRepository.insert")((subscription: Subscription.SubscriptionOrder) =>
        write("SubscriptionRepository.insert")(insertsOf(subscriptions).one(subscription))
      ),

      findById: readTogether(
        "SubscriptionRepository.findById",
        findsOf({
          select: (ids: Arr.NonEmptyReadonlyArray<SubscriptionId>) =>
            subscriptionsFrom(
              preparedIfOne(
                ids,
                sql`SELECT ${columns} FROM subscription_order WHERE ${whereIn(sql, "id", Arr.map(ids, toBytes))}`
              )
            ),
          keyOf: (id) => id,
          keyOfEntity: subscriptions.idOf
        })
      ),

      update: writeTogether(
        "SubscriptionRepository.update",
        updatesOf(subscriptions, {
          keys: ["id"],
          fixed: ["user_id", "order_id", "order_line_id", "item_id", "created_at"]
        })
      ),

      listByUser: Effect.fn("SubscriptionRepository.listByUser")(function* (userId: UserId, page: PageRequest) {
        const operation = "SubscriptionRepository.listByUser"
        const user = toBytes(userId)
        const totalElements = yield* read(operation)(
          totalFrom(sql`SELECT COUNT(*) AS total FROM subscription_order WHERE user_id = ${user}`)
        )
        const data = yield* read(operation)(
          subscriptionsFrom(
            sql`SELECT ${columns} FROM subscription_order WHERE user_id = ${user}
              ORDER BY created_at DESC, id DESC LIMIT ${page.size} OFFSET ${offsetOf(page)}`
          )
        )
        return { data, totalElements }
      }),

      listLiveByBillingKey: Effect.fn("SubscriptionRepository.listLiveByBillingKey")((id: BillingKeyId) =>
        read("SubscriptionRepository.listLiveByBillingKey")(
          subscriptionsFrom(
            sql`SELECT ${columns} FROM subscription_order WHERE billing_key_id = ${toBytes(id)}
              AND state IN ('AwaitingBillingKey', 'Active', 'PastDue', 'Paused')
              ORDER BY created_at, id LIMIT ${subscriptionsOfKeyMax}`
          )
        )
      ),

      listAwaitingKey: Effect.fn("SubscriptionRepository.listAwaitingKey")(function* ({
        after,
        limit,
        until
      }: {
        readonly until: DateTime.Utc
        readonly after: Waiting | null
        readonly limit: number
      }) {
        const afterAt = after === null ? null : toInstantText(after.createdAt)
        const past =
          after === null
            ? sql`1 = 1`
            : sql`created_at >= ${afterAt} AND (created_at > ${afterAt} OR id > ${toBytes(after.id)})`
        const rows = yield* read("SubscriptionRepository.listAwaitingKey")(
          Effect.flatMap(
            sql`SELECT id, created_at FROM subscription_order
              WHERE state = 'AwaitingBillingKey' AND created_at <= ${toInstantText(until)} AND ${past}
              ORDER BY created_at, id LIMIT ${limit}`,
            decodeWaiting
          )
        )
        return rows.map((row) => ({ id: SubscriptionId.make(row.id), createdAt: row.created_at }))
      }),

      listToResume: Effect.fn("SubscriptionRepository.listToResume")((on: BusinessDate, limit: number) =>
        Effect.map(
          read("SubscriptionRepository.listToResume")(
            Effect.flatMap(
              sql`SELECT id FROM subscription_order WHERE state = 'Paused' AND resume_on <= ${on}
                ORDER BY resume_on, id LIMIT ${limit}`,
              decodeIds
            )
          ),
          (rows) => rows.map(({ id }) => SubscriptionId.make(id))
        )
      )
    })
  })
)
