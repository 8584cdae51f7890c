/**
 * Payments, attempts and the slots of customers.
 *
 * @since 0.1.0
 */
import { attemptsListedMax, PaymentRepository } from "@pillivery/application/ports/PaymentRepository"
import * as Attempt from "@pillivery/domain/Attempt"
import { type BillingKeyId, AttemptId, type PaymentId } from "@pillivery/domain/Ids"
import * as Payment from "@pillivery/domain/Payment"
import type { CustomerReference, ProviderName } from "@pillivery/domain/Provider"
import { Array as Arr, type DateTime, Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import { fieldOrNull, Flag, Instant, nullOr, toBytes, toInstantText, Uuid, rowWriter } from "./internal/Columns.ts"
import {
  affectedRows,
  columnsOf,
  entitiesFrom,
  findsOf,
  first,
  idsFrom,
  insertsOf,
  preparedIfOne,
  updatesOf,
  valuesTable,
  wasInserted,
  whereIn
} from "./internal/Rows.ts"
import { Statements } from "./Transaction.ts"

const PaymentRow = Schema.Struct({
  id: Uuid,
  user_id: Uuid,
  subject: Schema.String,
  order_id: nullOr(Uuid),
  subscription_id: nullOr(Uuid),
  cycle_number: nullOr(Schema.Int),
  billing_key_id: nullOr(Uuid),
  amount: Schema.Int,
  created_at: Instant
})

const AttemptRow = Schema.Struct({
  id: Uuid,
  payment_id: Uuid,
  state: Schema.String,
  purpose: Schema.String,
  user_id: Uuid,
  order_id: nullOr(Uuid),
  issues_billing_key: nullOr(Flag),
  subscription_id: nullOr(Uuid),
  cycle_number: nullOr(Schema.Int),
  billing_key_id: nullOr(Uuid),
  billing_key: nullOr(Schema.String),
  step: nullOr(Schema.Int),
  provider: Schema.String,
  merchant_account: Schema.String,
  customer_reference: Schema.String,
  amount: Schema.Int,
  item_name: Schema.String,
  quantity: Schema.Int,
  created_at: Instant,
  version: Schema.Int,
  lease_owner: nullOr(Schema.String),
  lease_epoch: nullOr(Schema.Int),
  lease_expires_at: nullOr(Instant),
  sent_at: nullOr(Instant),
  baseline: nullOr(Instant),
  transaction_id: nullOr(Schema.String),
  approval_token: nullOr(Schema.String),
  expires_at: nullOr(Instant),
  redirect_pc: nullOr(Schema.String),
  redirect_mobile: nullOr(Schema.String),
  redirect_app: nullOr(Schema.String),
  dispatches: nullOr(Schema.Int),
  unknown_since: nullOr(Instant),
  asks: nullOr(Schema.Int),
  next_ask_at: nullOr(Instant),
  review_since: nullOr(Instant),
  detail: nullOr(Schema.String),
  reference: nullOr(Schema.String),
  reference_transaction_id: nullOr(Schema.String),
  reference_approval_id: nullOr(Schema.String),
  reference_approved_at: nullOr(Instant),
  reference_method: nullOr(Schema.String),
  approved: nullOr(Schema.Int),
  refunded: nullOr(Schema.Int),
  reserved: nullOr(Schema.Int),
  refund_in_flight: nullOr(Uuid),
  settled_at: nullOr(Instant),
  decline: nullOr(Schema.String),
  decline_kind: nullOr(Schema.String),
  decline_code: nullOr(Schema.String),
  decline_message: nullOr(Schema.String),
  not_executed_why: nullOr(Schema.String),
  ended_at: nullOr(Instant)
})

/** What an attempt is made with and never changes. */
const fixedOfAttempt = [
  "payment_id",
  "purpose",
  "user_id",
  "order_id",
  "issues_billing_key",
  "subscription_id",
  "cycle_number",
  "billing_key_id",
  "billing_key",
  "step",
  "provider",
  "merchant_account",
  "amount",
  "item_name",
  "quantity",
  "created_at"
]

/** One attempt and the slot of its customer. */
interface SlotUse {
  readonly provider: ProviderName
  readonly customer: CustomerReference
  readonly attemptId: AttemptId
}

const encodePaymentRow = rowWriter(PaymentRow)
const encodeAttemptRow = rowWriter(AttemptRow)

const paymentToRow = ({ subject, ...payment }: Payment.Payment): typeof PaymentRow.Type => ({
  id: payment.id,
  user_id: payment.userId,
  subject: subject._tag,
  order_id: fieldOrNull(subject, "orderId"),
  subscription_id: fieldOrNull(subject, "subscriptionId"),
  cycle_number: fieldOrNull(subject, "cycleNumber"),
  billing_key_id: fieldOrNull(subject, "billingKeyId"),
  amount: payment.amount,
  created_at: payment.createdAt
})

const rowToPayment = (row: typeof PaymentRow.Type) => ({
  id: row.id,
  userId: row.user_id,
  subject: {
    _tag: row.subject,
    orderId: row.order_id,
    subscriptionId: row.subscription_id,
    cycleNumber: row.cycle_number,
    billingKeyId: row.billing_key_id
  },
  amount: row.amount,
  createdAt: row.created_at
})

const attemptToRow = (attempt: Attempt.Attempt): typeof AttemptRow.Type => {
  const { purpose } = attempt
  const lease = fieldOrNull(attempt, "lease")
  const redirectUrls = fieldOrNull(attempt, "redirectUrls")
  const reference = fieldOrNull(attempt, "reference")
  const reason = fieldOrNull(attempt, "reason")
  return {
    id: attempt.id,
    payment_id: attempt.paymentId,
    state: attempt._tag,
    purpose: purpose._tag,
    user_id: purpose.userId,
    order_id: fieldOrNull(purpose, "orderId"),
    issues_billing_key: fieldOrNull(purpose, "issuesBillingKey"),
    subscription_id: fieldOrNull(purpose, "subscriptionId"),
    cycle_number: fieldOrNull(purpose, "cycleNumber"),
    billing_key_id: fieldOrNull(purpose, "billingKeyId"),
    billing_key: fieldOrNull(purpose, "billingKey"),
    step: fieldOrNull(purpose, "step"),
    provider: attempt.provider,
    merchant_account: attempt.merchantAccount,
    customer_reference: attempt.customerReference,
    amount: attempt.amount,
    item_name: attempt.itemName,
    quantity: attempt.quantity,
    created_at: attempt.createdAt,
    version: attempt.version,
    lease_owner: lease?.owner ?? null,
    lease_epoch: lease?.epoch ?? null,
    lease_expires_at: lease?.expiresAt ?? null,
    sent_at: fieldOrNull(attempt, "sentAt"),
    baseline: fieldOrNull(attempt, "baseline"),
    transaction_id: fieldOrNull(attempt, "transactionId"),
    approval_token: fieldOrNull(attempt, "approvalToken"),
    expires_at: fieldOrNull(attempt, "expiresAt"),
    redirect_pc: redirectUrls?.pc ?? null,
    redirect_mobile: redirectUrls?.mobile ?? null,
    redirect_app: redirectUrls?.app ?? null,
    dispatches: fieldOrNull(attempt, "dispatches"),
    unknown_since: fieldOrNull(attempt, "unknownSince"),
    asks: fieldOrNull(attempt, "asks"),
    next_ask_at: fieldOrNull(attempt, "nextAskAt"),
    review_since: fieldOrNull(attempt, "reviewSince"),
    detail: fieldOrNull(attempt, "detail"),
    reference: reference?._tag ?? null,
    reference_transaction_id: reference === null ? null : fieldOrNull(reference, "transactionId"),
    reference_approval_id: reference === null ? null : fieldOrNull(reference, "approvalId"),
    reference_approved_at: reference?.approvedAt ?? null,
    reference_method: reference === null ? null : fieldOrNull(reference, "method"),
    approved: fieldOrNull(attempt, "approved"),
    refunded: fieldOrNull(attempt, "refunded"),
    reserved: fieldOrNull(attempt, "reserved"),
    refund_in_flight: fieldOrNull(attempt, "refundInFlight"),
    settled_at: fieldOrNull(attempt, "settledAt"),
    decline: reason?._tag ?? null,
    decline_kind: reason?.kind ?? null,
    decline_code: reason?.code ?? null,
    decline_message: reason?.message ?? null,
    not_executed_why: fieldOrNull(attempt, "why"),
    ended_at: fieldOrNull(attempt, "endedAt")
  }
}

/** All fields of all states; the union takes those of the row's state and refuses a row that lacks one. */
const rowToAttempt = (row: typeof AttemptRow.Type) => ({
  _tag: row.state,
  id: row.id,
  paymentId: row.payment_id,
  purpose: {
    _tag: row.purpose,
    userId: row.user_id,
    orderId: row.order_id,
    issuesBillingKey: row.issues_billing_key,
    subscriptionId: row.subscription_id,
    cycleNumber: row.cycle_number,
    billingKeyId: row.billing_key_id,
    billingKey: row.billing_key,
    step: row.step
  },
  provider: row.provider,
  merchantAccount: row.merchant_account,
  customerReference: row.customer_reference,
  amount: row.amount,
  itemName: row.item_name,
  quantity: row.quantity,
  createdAt: row.created_at,
  version: row.version,
  lease: { owner: row.lease_owner, epoch: row.lease_epoch, expiresAt: row.lease_expires_at },
  sentAt: row.sent_at,
  baseline: row.baseline,
  transactionId: row.transaction_id,
  approvalToken: row.approval_token,
  expiresAt: row.expires_at,
  redirectUrls:
    row.redirect_pc === null ? null : { pc: row.redirect_pc, mobile: row.redirect_mobile, app: row.redirect_app },
  dispatches: row.dispatches,
  unknownSince: row.unknown_since,
  asks: row.asks,
  nextAskAt: row.next_ask_at,
  reviewSince: row.review_since,
  detail: row.detail,
  reference: {
    _tag: row.reference,
    transactionId: row.reference_transaction_id,
    approvalId: row.reference_approval_id,
    approvedAt: row.reference_approved_at,
    method: row.reference_method
  },
  approved: row.approved,
  refunded: row.refunded,
  reserved: row.reserved,
  refundInFlight: row.refund_in_flight,
  settledAt: row.settled_at,
  reason: { _tag: row.decline, kind: row.decline_kind, code: row.decline_code, message: row.decline_message },
  why: row.not_executed_why,
  endedAt: row.ended_at
})

const paymentsFrom = entitiesFrom(PaymentRow, Payment.Payment, rowToPayment)
const attemptsFrom = entitiesFrom(AttemptRow, Attempt.Attempt, rowToAttempt)
const decodeUses = Schema.decodeUnknownEffect(Schema.Tuple([Schema.Struct({ uses: Schema.Int })]))
const decodeCounts = Schema.decodeUnknownEffect(
  Schema.Array(Schema.Struct({ state: Schema.String, total: Schema.Int }))
)

/** Payments on MySQL. */
export const layer = Layer.effect(
  PaymentRepository,
  Effect.gen(function* () {
    const sql = yield* SqlClient
    const { read, readTogether, writeTogether } = yield* Statements
    const paymentColumns = columnsOf(sql, PaymentRow)
    const attemptColumns = columnsOf(sql, AttemptRow)
    const payments = {
      sql,
      table: "payment",
      entity: "payment",
      idOf: (payment: Payment.Payment) => payment.id,
      toRow: (payment: Payment.Payment) => encodePaymentRow(paymentToRow(payment))
    }
    const attempts = {
      sql,
      table: "attempt",
      entity: "attempt",
      idOf: (attempt: Attempt.Attempt) => attempt.id,
      toRow: (attempt: Attempt.Attempt) => encodeAttemptRow(attemptToRow(attempt))
    }

    const attemptIds = (operation: string, statement: Parameters<typeof idsFrom>[0]) =>
      Effect.map(read(operation)(idsFrom(statement)), (ids) => ids.map((id) => AttemptId.make(id)))

    const whereSubject = (subject: Payment.Subject) =>
      Payment.Subject.match(subject, {
        OrderSubject: ({ orderId }) => sql`order_id = ${toBytes(orderId)}`,
        CycleSubject: ({ cycleNumber, subscriptionId }) =>
          sql`subscription_id = ${toBytes(subscriptionId)} AND cycle_number = ${cycleNumber}`,
        RegistrationSubject: ({ billingKeyId }) => sql`billing_key_id = ${toBytes(billingKeyId)}`
      })

    const attemptsOf = (paymentId: PaymentId) =>
      sql`SELECT ${attemptColumns} FROM attempt WHERE payment_id = ${toBytes(paymentId)}
        ORDER BY created_at, id LIMIT ${attemptsListedMax}`

    const inSlot = ({ attemptId, customer, provider }: SlotUse) => [provider, customer, toBytes(attemptId)]
    const slotNames = ["provider", "customer_reference", "attempt_id"]
    const slotOf = "t.provider = v.provider AND t.customer_reference = v.customer_reference"

    const takeSlot = writeTogether("PaymentRepository.takeUserSlot", {
      one: ({ attemptId, customer, provider }: SlotUse) => {
        const attempt = toBytes(attemptId)
        const take = affectedRows(
          sql`UPDATE user_slot SET attempt_id = ${attempt}
              WHERE provider = ${provider} AND customer_reference = ${customer}
                AND (attempt_id IS NULL OR attempt_id = ${attempt})`
        )
        const firstUse = wasInserted(
          sql`INSERT INTO user_slot (provider, customer_reference, attempt_id)
              VALUES (${provider}, ${customer}, ${attempt})`
        )
        return Effect.flatMap(take, (rows) => (rows > 0 ? Effect.succeed(true) : firstUse))
      },
      // A customer's first call makes the slot; then all are taken alike.
      many: (uses) => {
        const values = uses.flatMap(inSlot)
        return [
          {
            text: `INSERT IGNORE INTO user_slot (provider, customer_reference, attempt_id)
              SELECT v.provider, v.customer_reference, NULL FROM ${valuesTable(slotNames, uses.length)}`,
            values
          },
          {
            text: `UPDATE ${valuesTable(slotNames, uses.length)} STRAIGHT_JOIN user_slot t ON ${slotOf}
              AND (t.attempt_id IS NULL OR t.attempt_id = v.attempt_id) SET t.attempt_id = v.attempt_id`,
            values,
            matches: uses.length
          }
        ]
      },
      answer: true
    })

    const releaseSlot = writeTogether("PaymentRepository.releaseUserSlot", {
      one: ({ attemptId, customer, provider }: SlotUse) =>
        Effect.asVoid(
          sql`UPDATE user_slot SET attempt_id = NULL
            WHERE provider = ${provider} AND customer_reference = ${customer} AND attempt_id = ${toBytes(attemptId)}`
        ),
      many: (uses) => [
        {
          text: `UPDATE ${valuesTable(slotNames, uses.length)} STRAIGHT_JOIN user_slot t ON ${slotOf}
            AND t.attempt_id = v.attempt_id SET t.attempt_id = NULL`,
          values: uses.flatMap(inSlot)
        }
      ],
      answer: undefined
    })

    const subjectText = (subject: Payment.Subject): string =>
      Payment.Subject.match(subject, {
        OrderSubject: ({ orderId }) => orderId,
        CycleSubject: ({ cycleNumber, subscriptionId }) => `${subscriptionId}/${cycleNumber}`,
        RegistrationSubject: ({ billingKeyId }) => billingKeyId
      })

    return PaymentRepository.of({
      insertPayment: writeTogether("PaymentRepository.insertPayment", insertsOf(payments)),

      findPayment: Effect.fn("PaymentRepository.findPayment")((id: PaymentId) =>
        Effect.map(
          read("PaymentRepository.findPayment")(
            paymentsFrom(sql`SELECT ${paymentColumns} FROM payment WHERE id = ${toBytes(id)}`)
          ),
          first
        )
      ),

      findPaymentBySubject: readTogether(
        "PaymentRepository.findPaymentBySubject",
        findsOf({
          select: (subjects: Arr.NonEmptyReadonlyArray<Payment.Subject>) =>
            paymentsFrom(
              preparedIfOne(
                subjects,
                sql`SELECT ${paymentColumns} FROM payment WHERE ${sql.or(subjects.map((subject) => sql`(${whereSubject(subject)})`))}`
              )
            ),
          keyOf: subjectText,
          keyOfEntity: ({ subject }) => subjectText(subject)
        })
      ),

      insertAttempt: writeTogether("PaymentRepository.insertAttempt", insertsOf(attempts)),

      findAttempt: readTogether(
        "PaymentRepository.findAttempt",
        findsOf({
          select: (ids: Arr.NonEmptyReadonlyArray<AttemptId>) =>
            attemptsFrom(
              preparedIfOne(
                ids,
                sql`SELECT ${attemptColumns} FROM attempt WHERE ${whereIn(sql, "id", Arr.map(ids, toBytes))}`
              )
            ),
          keyOf: (id) => id,
          keyOfEntity: attempts.idOf
        })
      ),

      updateAttempt: writeTogether(
        "PaymentRepository.updateAttempt",
        updatesOf(attempts, { keys: ["id"], fixed: fixedOfAttempt })
      ),

      listAttempts: readTogether("PaymentRepository.listAttempts", {
        one: (paymentId: PaymentId) => attemptsFrom(attemptsOf(paymentId)),
        many: (paymentIds) => {
          const ids = Arr.dedupe(paymentIds)
          return Effect.map(
            attemptsFrom(sql`${sql.join(" UNION ALL ", false)(ids.map((id) => sql`(${attemptsOf(id)})`))}`.unprepared),
            (found) => {
              const byPayment = Arr.groupBy(found, ({ paymentId }) => paymentId)
              return paymentIds.map((id) => byPayment[id] ?? [])
            }
          )
        }
      }),

      listAbandonedBySender: Effect.fn("PaymentRepository.listAbandonedBySender")(
        (databaseNow: DateTime.Utc, limit: number) =>
          attemptIds(
            "PaymentRepository.listAbandonedBySender",
            sql`SELECT id FROM attempt WHERE state IN ('Prepared', 'Sent')
              AND lease_expires_at <= ${toInstantText(databaseNow)} ORDER BY lease_expires_at, id LIMIT ${limit}`
          )
      ),

      listToAskAbout: Effect.fn("PaymentRepository.listToAskAbout")((at: DateTime.Utc, limit: number) =>
        attemptIds(
          "PaymentRepository.listToAskAbout",
          sql`SELECT id FROM attempt WHERE state = 'Unknown' AND next_ask_at <= ${toInstantText(at)}
            ORDER BY next_ask_at, id LIMIT ${limit}`
        )
      ),

      listExpiredWaiting: Effect.fn("PaymentRepository.listExpiredWaiting")((at: DateTime.Utc, limit: number) =>
        attemptIds(
          "PaymentRepository.listExpiredWaiting",
          sql`SELECT id FROM attempt WHERE state = 'AwaitingCustomer' AND expires_at < ${toInstantText(at)}
            ORDER BY expires_at, id LIMIT ${limit}`
        )
      ),

      countKeyUses: Effect.fn("PaymentRepository.countKeyUses")(
        ({ billingKeyId, since }: { readonly billingKeyId: BillingKeyId; readonly since: DateTime.Utc }) =>
          Effect.map(
            read("PaymentRepository.countKeyUses")(
              Effect.flatMap(
                sql`SELECT COUNT(*) AS uses FROM attempt WHERE billing_key_id = ${toBytes(billingKeyId)}
                  AND created_at >= ${toInstantText(since)} AND purpose = 'ForCycle'
                  AND ${sql.in("state", Attempt.tagsThatMayHaveMovedMoney)}`,
                decodeUses
              )
            ),
            ([{ uses }]) => uses
          )
      ),

      takeUserSlot: (provider: ProviderName, customer: CustomerReference, attemptId: AttemptId) =>
        takeSlot({ provider, customer, attemptId }),

      releaseUserSlot: (provider: ProviderName, customer: CustomerReference, attemptId: AttemptId) =>
        releaseSlot({ provider, customer, attemptId }),

      countAttempts: Effect.map(
        read("PaymentRepository.countAttempts")(
          Effect.flatMap(sql`SELECT state, COUNT(*) AS total FROM attempt GROUP BY state`, decodeCounts)
        ),
        (rows) => {
          const totals = new Map(rows.map(({ state, total }) => [state, total]))
          const count = (tag: Attempt.Tag): number => totals.get(tag) ?? 0
          return {
            Prepared: count("Prepared"),
            AwaitingCustomer: count("AwaitingCustomer"),
            Sent: count("Sent"),
            Unknown: count("Unknown"),
            ManualReview: count("ManualReview"),
            Approved: count("Approved"),
            ApprovedSurplus: count("ApprovedSurplus"),
            Refunded: count("Refunded"),
            Declined: count("Declined"),
            NotExecuted: count("NotExecuted"),
            Withdrawn: count("Withdrawn"),
            Abandoned: count("Abandoned"),
            Superseded: count("Superseded")
          }
        }
      )
    })
  })
)
