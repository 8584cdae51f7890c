/**
 * Checking the rules between the rows, set by set.
 *
 * Each rule is one statement over a range of ids, so it sees all tables at one moment. A statement walks the range by the
 * primary key and finds what the rows point at by keys too, so its time grows with the range and with nothing else.
 *
 * @since 0.1.0
 */
import { lookBackDays, neglectedDays, type RuleName, type Subject } from "@pillivery/application/Billing/Invariants"
import * as Invariants from "@pillivery/application/Billing/Invariants"
import { Audit, type Chunk, type Moment } from "@pillivery/application/ports/Audit"
import { AttemptId } from "@pillivery/domain/Ids"
import { DateTime, Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import { nullOr, toBytes, toInstantText, Uuid } from "./internal/Columns.ts"
import { idsFrom, totalFrom } from "./internal/Rows.ts"
import { Statements } from "./Transaction.ts"

/** The table of each kind of row, and the column whose order chunks follow. */
const tables: Readonly<Record<Subject, { readonly table: string; readonly id: string }>> = {
  subscription: { table: "subscription_order", id: "id" },
  cycle: { table: "billing_cycle", id: "subscription_id" },
  attempt: { table: "attempt", id: "id" },
  order: { table: "orders", id: "id" },
  billingKey: { table: "billing_key", id: "id" },
  refund: { table: "refund", id: "id" }
}

/** How one rule is broken; `x` is the row the rule is about. */
interface Check {
  /** Tables joined to `x`. */
  readonly join?: string
  /** Whether it compares with `moment`, one row of times. */
  readonly isTimed?: true
  /** True of the rows that break the rule. */
  readonly where: string
  /** What such a row says, as an SQL text. */
  readonly found: string
}

/** An id as text, the way it stands in the names of events. */
const text = (id: string): string =>
  `LOWER(INSERT(INSERT(INSERT(INSERT(HEX(${id}), 9, 0, '-'), 14, 0, '-'), 19, 0, '-'), 24, 0, '-'))`
const words = (...parts: ReadonlyArray<string>): string => `CONCAT_WS(' ', ${parts.join(", ")})`
/** An id to show, or `none`. */
const shown = (id: string): string => `COALESCE(${text(id)}, 'none')`

const undecided = "('Prepared', 'Sent', 'Unknown', 'ManualReview')"
const inDoubt = "('Sent', 'Unknown')"
const paid = "('Paid', 'PartiallyRefunded', 'Refunded')"
const approved = "('Approved', 'ApprovedSurplus', 'Refunded')"
const live = "('AwaitingBillingKey', 'Active', 'PastDue', 'Paused')"
const holds = `(holder.id IS NOT NULL AND holder.state IN ${undecided})`
const customerSlot = `LEFT JOIN user_slot ON user_slot.provider = a.provider
  AND user_slot.customer_reference = a.customer_reference`
const refundedOf = (column: string, states: string): string =>
  `(SELECT COALESCE(SUM(r.amount), 0) FROM refund r WHERE r.${column} = x.id AND r.state IN ${states})`
const completed = "('Completed')"
const unsettled = "('Requested', 'Parked', 'Sent', 'Unknown', 'ManualReview')"
const isToldOf = (id: string, event: string): string =>
  `EXISTS (SELECT 1 FROM outbox WHERE outbox.event_id = CONCAT(${text(id)}, ':${event}'))`

const checks: Readonly<Record<RuleName, Check>> = {
  liveSubscriptionHasOneOpenCycle: {
    where: `x.state IN ${live} AND (SELECT COUNT(*) FROM billing_cycle c WHERE c.open_key = x.id) <> 1`,
    found: words("x.state", "'with'", "(SELECT COUNT(*) FROM billing_cycle c WHERE c.open_key = x.id)", "'open cycles'")
  },
  endedSubscriptionHasNoFreeCycle: {
    join: "JOIN billing_cycle c ON c.open_key = x.id",
    where: "x.state = 'Cancelled' AND c.open_attempt IS NULL",
    found: words("'its cycle'", "c.number", "'is'", "c.state")
  },
  liveSubscriptionHasItsKey: {
    join: "LEFT JOIN billing_key k ON k.id = x.billing_key_id",
    where: `x.state IN ('Active', 'PastDue', 'Paused')
      AND (k.id IS NULL OR k.state IN ('Pending', 'Abandoned', 'Retiring', 'Retired'))`,
    found: words("x.state", "'with the billing key'", shown("x.billing_key_id"), "COALESCE(k.state, 'missing')")
  },
  subscriptionWasPaidFor: {
    join: "LEFT JOIN orders o ON o.id = x.order_id",
    where: `o.id IS NULL OR o.state NOT IN ${paid}`,
    found: words("'its order'", shown("x.order_id"), "'is'", "COALESCE(o.state, 'missing')")
  },
  cyclesAreNumberedWithoutGap: {
    join: "LEFT JOIN billing_cycle c ON c.subscription_id = x.subscription_id AND c.number = x.number - 1",
    where: "x.number < 1 OR (x.number > 1 AND c.number IS NULL)",
    found: "'the cycle before it is missing'"
  },
  openCycleIsTheLast: {
    join: "JOIN billing_cycle c ON c.subscription_id = x.subscription_id AND c.number = x.number + 1",
    where: "x.open_key IS NOT NULL",
    found: words("x.state", "'and followed by one that is'", "c.state")
  },
  cycleIsHeldByAnUndecidedAttempt: {
    join: `LEFT JOIN attempt holder ON holder.id = x.open_attempt AND holder.subscription_id = x.subscription_id
      AND holder.cycle_number = x.number`,
    where: `x.open_attempt IS NOT NULL AND NOT ${holds}`,
    found: words("x.state", "'and held by'", shown("x.open_attempt"), "COALESCE(holder.state, 'which is not of it')")
  },
  cycleSaysWhatItsHolderSays: {
    join: "LEFT JOIN attempt holder ON holder.id = x.open_attempt",
    where: `CASE x.state
      WHEN 'InFlight' THEN x.open_attempt IS NULL OR holder.state IN ('Unknown', 'ManualReview')
      WHEN 'InDoubt' THEN x.open_attempt IS NULL OR holder.state IN ('Prepared', 'Sent')
      ELSE x.open_key IS NOT NULL AND x.open_attempt IS NOT NULL END`,
    found: words("x.state", "'and held by'", shown("x.open_attempt"), "COALESCE(holder.state, 'which is missing')")
  },
  chargedCycleHasItsApproval: {
    join: `LEFT JOIN attempt a ON a.id = x.charged_by AND a.subscription_id = x.subscription_id
      AND a.cycle_number = x.number`,
    where: "x.state = 'Charged' AND (a.id IS NULL OR a.state NOT IN ('Approved', 'ManualReview'))",
    found: words("'charged by'", shown("x.charged_by"), "COALESCE(a.state, 'which is not of it')")
  },
  chargedCycleHasItsOrder: {
    join: "LEFT JOIN orders o ON o.origin_subscription_id = x.subscription_id AND o.origin_cycle_number = x.number",
    where: "x.state = 'Charged' AND o.id IS NULL",
    found: "'charged, and no order of it'"
  },
  attemptDispatchesWhatIsOwed: {
    join: "LEFT JOIN payment p ON p.id = x.payment_id",
    where: `p.id IS NULL OR p.amount <> x.amount OR CASE x.purpose
      WHEN 'ForOrder' THEN NOT (p.order_id <=> x.order_id)
      WHEN 'ForCycle' THEN NOT (p.subscription_id <=> x.subscription_id AND p.cycle_number <=> x.cycle_number)
      ELSE NOT (p.billing_key_id <=> x.billing_key_id) END`,
    found: words(
      "'asks for'",
      "x.amount",
      "'won, its payment'",
      shown("x.payment_id"),
      "'for'",
      "COALESCE(p.amount, 'none')"
    )
  },
  approvedChargeIsNamedByItsCycle: {
    join: "LEFT JOIN billing_cycle c ON c.subscription_id = x.subscription_id AND c.number = x.cycle_number",
    where: "x.purpose = 'ForCycle' AND x.state = 'Approved' AND NOT (c.charged_by <=> x.id)",
    found: words("'its cycle'", shown("x.subscription_id"), "x.cycle_number", "'was charged by'", shown("c.charged_by"))
  },
  approvedPaymentIsNamedByItsOrder: {
    join: "LEFT JOIN orders o ON o.id = x.order_id",
    where: "x.purpose = 'ForOrder' AND x.state = 'Approved' AND NOT (o.paid_by <=> x.id)",
    found: words("'its order'", shown("x.order_id"), "'was paid by'", shown("o.paid_by"))
  },
  undecidedChargeHoldsItsCycle: {
    join: "LEFT JOIN billing_cycle c ON c.subscription_id = x.subscription_id AND c.number = x.cycle_number",
    where: `x.purpose = 'ForCycle' AND x.state IN ${inDoubt} AND NOT (c.open_attempt <=> x.id)`,
    found: words(
      "x.state",
      "'and its cycle'",
      shown("x.subscription_id"),
      "x.cycle_number",
      "'is held by'",
      shown("c.open_attempt")
    )
  },
  undecidedChargeHoldsItsKey: {
    join: "LEFT JOIN billing_key k ON k.id = x.billing_key_id",
    where: `x.purpose = 'ForCycle' AND x.state IN ${inDoubt} AND NOT (k.in_flight <=> x.id)`,
    found: words("x.state", "'and its billing key'", shown("x.billing_key_id"), "'is held by'", shown("k.in_flight"))
  },
  unsentAndReviewedChargesHoldBothOrNone: {
    join: `LEFT JOIN billing_cycle c ON c.subscription_id = x.subscription_id AND c.number = x.cycle_number
      LEFT JOIN billing_key k ON k.id = x.billing_key_id`,
    where: `x.purpose = 'ForCycle' AND x.state IN ('Prepared', 'ManualReview')
      AND (c.open_attempt <=> x.id) <> (k.in_flight <=> x.id)`,
    found: words(
      "x.state",
      "'its cycle is held by'",
      shown("c.open_attempt"),
      "'its billing key by'",
      shown("k.in_flight")
    )
  },
  undecidedApprovalHoldsItsOrder: {
    join: "LEFT JOIN orders o ON o.id = x.order_id",
    where: `x.purpose = 'ForOrder' AND x.state IN ${inDoubt} AND NOT (o.approving_attempt <=> x.id)`,
    found: words("x.state", "'and its order'", shown("x.order_id"), "'is held by'", shown("o.approving_attempt"))
  },
  customerIsHeldWhileSent: {
    join: customerSlot.replaceAll("a.", "x."),
    where: `CASE WHEN x.state = 'Sent' THEN NOT (user_slot.attempt_id <=> x.id)
      ELSE x.state <> 'Prepared' AND user_slot.attempt_id <=> x.id END`,
    found: words("x.state", "'and its customer is held by'", shown("user_slot.attempt_id"))
  },
  approvalIsRememberedByItsKey: {
    join: "LEFT JOIN billing_key k ON k.id = x.billing_key_id",
    where: `x.purpose = 'ForCycle' AND x.state IN ${approved}
      AND (k.last_known_approval IS NULL OR k.last_known_approval < x.reference_approved_at)`,
    found: words(
      "'approved at'",
      "x.reference_approved_at",
      "'its billing key remembers'",
      "COALESCE(k.last_known_approval, 'none')"
    )
  },
  transactionNamesOneAttempt: {
    join: `JOIN attempt other FORCE INDEX (attempt_by_transaction) ON other.transaction_id = x.transaction_id
      AND other.id <> x.id AND other.provider = x.provider`,
    where: "x.transaction_id IS NOT NULL",
    found: words("x.transaction_id", "'is also'", shown("other.id"))
  },
  refundsAddUp: {
    where: `x.state IN ${approved} AND (x.refunded <> ${refundedOf("attempt_id", completed)}
      OR x.reserved <> ${refundedOf("attempt_id", unsettled)})`,
    found: words(
      "'refunded'",
      "x.refunded",
      "'of'",
      refundedOf("attempt_id", completed),
      "'set aside'",
      "x.reserved",
      "'of'",
      refundedOf("attempt_id", unsettled)
    )
  },
  surplusIsGivenBack: {
    where: `(x.state = 'ApprovedSurplus' AND x.refunded + x.reserved <> x.approved)
      OR (x.state = 'Refunded' AND x.refunded <> x.approved)`,
    found: words("x.state", "'approved'", "x.approved", "'refunded'", "x.refunded", "'set aside'", "x.reserved")
  },
  refundInFlightIsUndecided: {
    join: "LEFT JOIN refund r ON r.id = x.refund_in_flight AND r.attempt_id = x.id",
    where: `x.refund_in_flight IS NOT NULL AND (r.id IS NULL OR r.state NOT IN ('Sent', 'Unknown', 'ManualReview'))`,
    found: words("'held by the refund'", shown("x.refund_in_flight"), "COALESCE(r.state, 'which is not of it')")
  },
  settlementIsTold: {
    isTimed: true,
    where: `x.settled_at >= moment.since AND (
      (x.state = 'Approved' AND x.purpose = 'ForCycle' AND NOT ${isToldOf("x.id", "CycleCharged")})
      OR (x.state = 'Approved' AND x.purpose = 'ForOrder' AND NOT ${isToldOf("x.id", "OrderPaid")})
      OR (x.state = 'ApprovedSurplus' AND EXISTS (SELECT 1 FROM refund r WHERE r.attempt_id = x.id
        AND r.order_id IS NULL AND NOT ${isToldOf("r.id", "RefundRequested")})))`,
    found: words("x.state", "'since'", "x.settled_at", "'and nobody is told'")
  },
  nothingIsAheadOfTime: {
    isTimed: true,
    where: `x.sent_at > moment.soon OR x.settled_at > moment.soon`,
    found: words(
      "'sent at'",
      "x.sent_at",
      "'settled at'",
      "COALESCE(x.settled_at, 'no time')",
      "'and now is'",
      "moment.now"
    )
  },
  undecidedAttemptIsFollowedUp: {
    isTimed: true,
    where: `(x.state IN ('Prepared', 'Sent') AND x.lease_expires_at < moment.neglected_lease)
      OR (x.state = 'Unknown' AND x.next_ask_at < moment.neglected)`,
    found: words("x.state", "'and due since'", "COALESCE(x.next_ask_at, x.lease_expires_at)")
  },
  totalIsTheSumOfItsLines: {
    where: `x.total <> (SELECT COALESCE(SUM(l.unit_price * l.quantity), 0) FROM order_line l WHERE l.order_id = x.id)`,
    found: words("'its total is'", "x.total", "'won'")
  },
  paidOrderHasItsApproval: {
    join: "LEFT JOIN attempt a ON a.id = x.paid_by",
    where: `x.state IN ${paid} AND (a.id IS NULL
      OR NOT CASE WHEN x.origin_subscription_id IS NULL THEN a.order_id <=> x.id
        ELSE a.subscription_id <=> x.origin_subscription_id AND a.cycle_number <=> x.origin_cycle_number END
      OR a.state NOT IN ('Approved', 'ManualReview') OR (a.state = 'Approved' AND a.approved <> x.total))`,
    found: words(
      "x.total",
      "'won paid by'",
      shown("x.paid_by"),
      "COALESCE(a.state, 'which is missing')",
      "'with'",
      "COALESCE(a.approved, 'none')"
    )
  },
  renewalOrderHasItsCycle: {
    join: "LEFT JOIN billing_cycle c ON c.subscription_id = x.origin_subscription_id AND c.number = x.origin_cycle_number",
    where: "x.origin_subscription_id IS NOT NULL AND (c.number IS NULL OR c.state <> 'Charged')",
    found: words(
      "'its cycle'",
      shown("x.origin_subscription_id"),
      "x.origin_cycle_number",
      "'is'",
      "COALESCE(c.state, 'missing')"
    )
  },
  orderRefundsAddUp: {
    where: `x.state IN ${paid} AND (COALESCE(x.refunded_total, 0) <> ${refundedOf("order_id", completed)}
      OR COALESCE(x.refunded_total, 0) <>
        (SELECT COALESCE(SUM(l.unit_price * l.refunded_quantity), 0) FROM order_line l WHERE l.order_id = x.id))`,
    found: words(
      "'refunded'",
      "COALESCE(x.refunded_total, 0)",
      "'won, its refunds are'",
      refundedOf("order_id", completed)
    )
  },
  orderIsHeldByAnUndecidedAttempt: {
    join: "LEFT JOIN attempt holder ON holder.id = x.approving_attempt AND holder.order_id = x.id",
    where: `x.approving_attempt IS NOT NULL AND NOT ${holds}`,
    found: words(
      "x.state",
      "'and held by'",
      shown("x.approving_attempt"),
      "COALESCE(holder.state, 'which is not of it')"
    )
  },
  subscriptionLinesBegan: {
    join: `JOIN order_line l ON l.order_id = x.id AND l.period_days IS NOT NULL
      LEFT JOIN subscription_order s ON s.order_line_id = l.id`,
    where: `x.state IN ${paid} AND s.id IS NULL`,
    found: words("'its line'", shown("l.id"), "'began no subscription'")
  },
  salesAreRecorded: {
    isTimed: true,
    join: `JOIN order_line l ON l.order_id = x.id
      LEFT JOIN sales ON sales.cause = CONCAT(${text("x.paid_by")}, '/', ${text("l.id")}) AND sales.item_id = l.item_id`,
    where: `x.state IN ${paid} AND x.paid_at >= moment.since AND NOT (sales.quantity <=> l.quantity)`,
    found: words("'its line'", shown("l.id"), "'of'", "l.quantity", "'is counted as'", "COALESCE(sales.quantity, 0)")
  },
  keyIsHeldByAnUndecidedAttempt: {
    join: "LEFT JOIN attempt holder ON holder.id = x.in_flight AND holder.billing_key_id = x.id AND holder.purpose = 'ForCycle'",
    where: `x.in_flight IS NOT NULL AND NOT ${holds}`,
    found: words("x.state", "'and held by'", shown("x.in_flight"), "COALESCE(holder.state, 'which does not charge it')")
  },
  keyCountsItsSubscriptions: {
    where: `x.state NOT IN ('Pending', 'Abandoned') AND x.live_uses <>
      (SELECT COUNT(*) FROM subscription_order s WHERE s.billing_key_id = x.id AND s.state IN ${live})`,
    found: words(
      "'counts'",
      "x.live_uses",
      "'of'",
      `(SELECT COUNT(*) FROM subscription_order s WHERE s.billing_key_id = x.id AND s.state IN ${live})`
    )
  },
  sentRefundHoldsItsPayment: {
    join: "LEFT JOIN attempt a ON a.id = x.attempt_id",
    where: `x.state IN ${inDoubt} AND NOT (a.refund_in_flight <=> x.id)`,
    found: words("x.state", "'and its payment'", shown("x.attempt_id"), "'is held by'", shown("a.refund_in_flight"))
  },
  refundIsOfItsOrdersPayment: {
    join: "LEFT JOIN orders o ON o.id = x.order_id",
    where: "x.order_id IS NOT NULL AND NOT (o.paid_by <=> x.attempt_id)",
    found: words("'of'", shown("x.attempt_id"), "'and its order was paid by'", shown("o.paid_by"))
  },
  refundHoldsItsCustomerWhileSent: {
    join: `LEFT JOIN attempt a ON a.id = x.attempt_id ${customerSlot}`,
    where: "(x.state = 'Sent') <> (user_slot.attempt_id <=> x.id)",
    found: words("x.state", "'and its customer is held by'", shown("user_slot.attempt_id"))
  },
  undecidedRefundIsFollowedUp: {
    isTimed: true,
    where: `(x.state = 'Sent' AND x.lease_expires_at < moment.neglected_lease)
      OR (x.state = 'Unknown' AND x.next_ask_at < moment.neglected)`,
    found: words("x.state", "'and due since'", "COALESCE(x.next_ask_at, x.lease_expires_at)")
  }
}

const decodeBroken = Schema.decodeUnknownEffect(
  Schema.Array(Schema.Struct({ id: Uuid, number: nullOr(Schema.Int), found: Schema.String }))
)
const decodeUntil = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ id: Uuid })))

/** The audit on MySQL. */
export const layer = Layer.effect(
  Audit,
  Effect.gen(function* () {
    const sql = yield* SqlClient
    const { read } = yield* Statements

    const inRange = (column: string, { after, until }: Pick<Chunk, "after" | "until">) => {
      const id = sql.literal(column)
      const lower = after === null ? sql`1 = 1` : sql`${id} > ${toBytes(after)}`
      return until === null ? lower : sql`${lower} AND ${id} <= ${toBytes(until)}`
    }

    // Rules about leases are the database's own clock's business, all others business time's.
    const momentOf = ({ now }: Moment) => {
      const back = (days: number) => toInstantText(DateTime.subtract(now, { days }))
      const soon = toInstantText(DateTime.add(now, { minutes: Invariants.aheadMinutesMax }))
      return sql`(SELECT CAST(${toInstantText(now)} AS DATETIME(3)) AS now,
        CAST(${soon} AS DATETIME(3)) AS soon,
        CAST(${back(lookBackDays)} AS DATETIME(3)) AS since,
        CAST(${back(neglectedDays)} AS DATETIME(3)) AS neglected,
        DATE_SUB(UTC_TIMESTAMP(3), INTERVAL ${sql.literal(String(neglectedDays))} DAY) AS neglected_lease) moment`
    }

    return Audit.of({
      chunk: Effect.fn("Audit.chunk")(function* (subject: Subject, after: string | null, limit: number) {
        const { id, table } = tables[subject]
        const [column, name] = [sql.literal(id), sql.literal(table)]
        const last = yield* read("Audit.chunk")(
          Effect.flatMap(
            sql`SELECT ${column} AS id FROM ${name} FORCE INDEX (PRIMARY) WHERE ${inRange(id, { after, until: null })}
              ORDER BY ${column} LIMIT 1 OFFSET ${Math.max(0, limit - 1)}`,
            decodeUntil
          )
        )
        const until = last[0]?.id ?? null
        const rows = yield* read("Audit.chunk")(
          totalFrom(sql`SELECT COUNT(*) AS total FROM ${name} FORCE INDEX (PRIMARY)
            WHERE ${inRange(id, { after, until })}`)
        )
        return rows === 0 ? null : { subject, after, until, rows }
      }),

      broken: Effect.fn("Audit.broken")((rule: RuleName, chunk: Chunk, moment: Moment) => {
        const { found, isTimed = false, join = "", where } = checks[rule]
        const { id, table } = tables[chunk.subject]
        const rows = sql.literal(`${table} x FORCE INDEX (PRIMARY) ${join}`)
        const from = isTimed ? sql`${momentOf(moment)} CROSS JOIN ${rows}` : rows
        return read(`Audit.broken ${rule}`)(
          Effect.flatMap(
            sql`SELECT STRAIGHT_JOIN x.${sql.literal(id)} AS id, ${sql.literal(chunk.subject === "cycle" ? "x.number" : "NULL")} AS number,
                ${sql.literal(found)} AS found
              FROM ${from} WHERE ${inRange(`x.${id}`, chunk)} AND (${sql.literal(where)})
              ORDER BY x.${sql.literal(id)}`,
            decodeBroken
          )
        )
      }),

      lastApproved: Effect.fn("Audit.lastApproved")((limit: number) =>
        Effect.map(
          read("Audit.lastApproved")(
            idsFrom(sql`SELECT id FROM attempt FORCE INDEX (PRIMARY)
              WHERE state IN ('Approved', 'ApprovedSurplus', 'Refunded') ORDER BY id DESC LIMIT ${limit}`)
          ),
          (ids) => ids.map((id) => AttemptId.make(id))
        )
      )
    })
  })
)
