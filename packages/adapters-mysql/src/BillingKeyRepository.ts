/**
 * Billing keys, unique by the provider's own key.
 *
 * @since 0.1.0
 */
import { BillingKeyRepository, neverCheckedOn, type Unchecked } from "@pillivery/application/ports/BillingKeyRepository"
import * as BillingKey from "@pillivery/domain/BillingKey"
import { BusinessDate } from "@pillivery/domain/BusinessDate"
import { BillingKeyId } from "@pillivery/domain/Ids"
import { Array as Arr, type DateTime, Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import { fieldOrNull, Instant, nullOr, toBytes, toInstantText, Uuid, rowWriter } from "./internal/Columns.ts"
import { columnsOf, entitiesFrom, findsOf, insertsOf, preparedIfOne, updatesOf, whereIn } from "./internal/Rows.ts"
import { Statements } from "./Transaction.ts"

const BillingKeyRow = Schema.Struct({
  id: Uuid,
  user_id: Uuid,
  state: Schema.String,
  provider: Schema.String,
  merchant_account: Schema.String,
  customer_reference: Schema.String,
  billing_key: nullOr(Schema.String),
  in_flight: nullOr(Uuid),
  last_known_approval: nullOr(Instant),
  live_uses: Schema.Int,
  created_at: Instant,
  version: Schema.Int
})

const encodeRow = rowWriter(BillingKeyRow)

const billingKeyToRow = (key: BillingKey.BillingKey): typeof BillingKeyRow.Type => ({
  id: key.id,
  user_id: key.userId,
  state: key._tag,
  provider: key.provider,
  merchant_account: key.merchantAccount,
  customer_reference: key.customerReference,
  billing_key: fieldOrNull(key, "billingKey"),
  in_flight: key.inFlight,
  last_known_approval: key.lastKnownApproval,
  live_uses: key.liveUses,
  created_at: key.createdAt,
  version: key.version
})

const rowToBillingKey = (row: typeof BillingKeyRow.Type) => ({
  _tag: row.state,
  id: row.id,
  userId: row.user_id,
  provider: row.provider,
  merchantAccount: row.merchant_account,
  customerReference: row.customer_reference,
  billingKey: row.billing_key,
  inFlight: row.in_flight,
  lastKnownApproval: row.last_known_approval,
  liveUses: row.live_uses,
  createdAt: row.created_at,
  version: row.version
})

const billingKeysFrom = entitiesFrom(BillingKeyRow, BillingKey.BillingKey, rowToBillingKey)

const decodeUnchecked = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ id: Uuid, checked_on: BusinessDate })))

/** Billing keys on MySQL. */
export const layer = Layer.effect(
  BillingKeyRepository,
  Effect.gen(function* () {
    const sql = yield* SqlClient
    const { read, readTogether, write, writeTogether } = yield* Statements
    const columns = columnsOf(sql, BillingKeyRow)
    const keys = {
      sql,
      table: "billing_key",
      entity: "billing key",
      idOf: (key: BillingKey.BillingKey) => key.id,
      toRow: (key: BillingKey.BillingKey) => encodeRow(billingKeyToRow(key))
    }

    return BillingKeyRepository.of({
      insert: Effect.fn("BillingKeyRepository.insert")((key: BillingKey.BillingKey) =>
        write("BillingKeyRepository.insert")(insertsOf(keys).one(key))
      ),

      findById: readTogether(
        "BillingKeyRepository.findById",
        findsOf({
          select: (ids: Arr.NonEmptyReadonlyArray<BillingKeyId>) =>
            billingKeysFrom(
              preparedIfOne(
                ids,
                sql`SELECT ${columns} FROM billing_key WHERE ${whereIn(sql, "id", Arr.map(ids, toBytes))}`
              )
            ),
          keyOf: (id) => id,
          keyOfEntity: keys.idOf
        })
      ),

      update: writeTogether(
        "BillingKeyRepository.update",
        updatesOf(keys, {
          keys: ["id"],
          fixed: ["user_id", "provider", "merchant_account", "customer_reference", "created_at"]
        })
      ),

      listUnchecked: Effect.fn("BillingKeyRepository.listUnchecked")(function* ({
        after,
        approvedBefore,
        limit,
        on
      }: {
        readonly on: BusinessDate
        readonly approvedBefore: DateTime.Utc
        readonly after: Unchecked | null
        readonly limit: number
      }) {
        const past =
          after === null
            ? sql`1 = 1`
            : sql`checked_on >= ${after.checkedOn} AND (checked_on > ${after.checkedOn} OR id > ${toBytes(after.id)})`
        const rows = yield* read("BillingKeyRepository.listUnchecked")(
          Effect.flatMap(
            sql`SELECT id, checked_on FROM billing_key
              WHERE state = 'Active' AND checked_on < ${on} AND ${past} AND in_flight IS NULL
                AND (last_known_approval IS NULL OR last_known_approval < ${toInstantText(approvedBefore)})
              ORDER BY checked_on, id LIMIT ${limit}`,
            decodeUnchecked
          )
        )
        return rows.map((row) => ({ id: BillingKeyId.make(row.id), checkedOn: row.checked_on }))
      }),

      markChecked: Effect.fn("BillingKeyRepository.markChecked")((id: BillingKeyId, on: BusinessDate) =>
        Effect.asVoid(
          write("BillingKeyRepository.markChecked")(
            sql`UPDATE billing_key SET checked_on = ${on} WHERE id = ${toBytes(id)}`
          )
        )
      ),

      uncheckAll: Effect.asVoid(
        write("BillingKeyRepository.uncheckAll")(
          sql`UPDATE billing_key SET checked_on = ${neverCheckedOn} WHERE checked_on <> ${neverCheckedOn}`
        )
      )
    })
  })
)
