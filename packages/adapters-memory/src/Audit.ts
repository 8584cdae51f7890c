/**
 * Checking the rules between the rows of one store.
 *
 * @since 0.1.0
 */
import {
  aheadMinutesMax,
  lookBackDays,
  neglectedDays,
  type RuleName,
  type Subject
} from "@pillivery/application/Billing/Invariants"
import { Audit, type Broken } from "@pillivery/application/ports/Audit"
import { consumersOf } from "@pillivery/application/ports/Outbox"
import type * as Attempt from "@pillivery/domain/Attempt"
import * as BillingCycle from "@pillivery/domain/BillingCycle"
import type * as BillingKey from "@pillivery/domain/BillingKey"
import * as DomainEvent from "@pillivery/domain/DomainEvent"
import type { AttemptId } from "@pillivery/domain/Ids"
import type * as Order from "@pillivery/domain/Order"
import type * as Payment from "@pillivery/domain/Payment"
import type * as Refund from "@pillivery/domain/Refund"
import type * as Subscription from "@pillivery/domain/SubscriptionOrder"
import { Effect, Layer } from "effect"
import { billingKeys } from "./BillingKeyRepository.ts"
import { cycleId, cycles } from "./BillingLedger.ts"
import type * as Table from "./internal/Table.ts"
import { orders } from "./OrderRepository.ts"
import { deliveries, rowId as deliveryId } from "./Outbox.ts"
import { attempts, payments, slotKey, userSlots } from "./PaymentRepository.ts"
import { refunds } from "./RefundRepository.ts"
import { rowId as saleId, sales } from "./SalesLedger.ts"
import { type Rows, Store } from "./Store.ts"
import { subscriptions } from "./SubscriptionRepository.ts"

const millisPerDay = 86_400_000
const millisPerMinute = 60_000
/** The most rows of a kind that belong to one row: subscriptions of a key, refunds of a payment. */
const belongingMax = 100_000

interface Row {
  readonly subscription: Subscription.SubscriptionOrder
  readonly cycle: BillingCycle.BillingCycle
  readonly attempt: Attempt.Attempt
  readonly order: Order.Order
  readonly billingKey: BillingKey.BillingKey
  readonly refund: Refund.Refund
}

const tables: { readonly [S in Subject]: Table.Table<Row[S]> } = {
  subscription: subscriptions,
  cycle: cycles,
  attempt: attempts,
  order: orders,
  billingKey: billingKeys,
  refund: refunds
}

interface Read {
  readonly id: string
  readonly row: Row[Subject]
}

interface Times {
  readonly now: number
  readonly databaseNow: number
}

/** What is wrong with a row, or null. */
type Check<S extends Subject> = (rows: Rows, row: Row[S], times: Times) => string | null

type ChargeAttempt = Attempt.Attempt & { readonly purpose: Attempt.ForCycle }

const isCharge = (attempt: Attempt.Attempt): attempt is ChargeAttempt => attempt.purpose._tag === "ForCycle"
const isUndecided = (attempt: Attempt.Attempt | undefined): boolean =>
  attempt !== undefined && ["Prepared", "Sent", "Unknown", "ManualReview"].includes(attempt._tag)
const isInDoubt = ({ _tag }: Attempt.Attempt | Refund.Refund): boolean => _tag === "Sent" || _tag === "Unknown"
const isLive = ({ _tag }: Subscription.SubscriptionOrder): boolean => _tag !== "Cancelled"
const isPaid = (order: Order.Order | undefined): order is Order.Paid | Order.PartiallyRefunded | Order.Refunded =>
  order !== undefined && "paidBy" in order
const isUnsettled = ({ _tag }: Refund.Refund): boolean => _tag !== "Completed" && _tag !== "Rejected"

const attemptOf = (rows: Rows, id: AttemptId | null): Attempt.Attempt | undefined =>
  id === null ? undefined : rows.get(attempts, id)
const cycleOf = (rows: Rows, { purpose }: ChargeAttempt): BillingCycle.BillingCycle | undefined =>
  rows.get(cycles, cycleId({ subscriptionId: purpose.subscriptionId, number: purpose.cycleNumber }))
const keyOf = (rows: Rows, { purpose }: ChargeAttempt): BillingKey.BillingKey | undefined =>
  rows.get(billingKeys, purpose.billingKeyId)
const chargesCycle = (attempt: Attempt.Attempt | undefined, cycle: BillingCycle.BillingCycle): boolean =>
  attempt !== undefined &&
  isCharge(attempt) &&
  attempt.purpose.subscriptionId === cycle.subscriptionId &&
  attempt.purpose.cycleNumber === cycle.number
const liveUses = (rows: Rows, key: BillingKey.BillingKey): number => rows.count(subscriptions, "liveKey", `${key.id}/`)
const slotOf = (rows: Rows, { customerReference, provider }: Attempt.Attempt): string | null =>
  rows.get(userSlots, slotKey(provider, customerReference))?.holder ?? null
const sumOf = (some: ReadonlyArray<Refund.Refund>): number => some.reduce((sum, { amount }) => sum + amount, 0)
const completedOf = (some: ReadonlyArray<Refund.Refund>): number =>
  sumOf(some.filter(({ _tag }) => _tag === "Completed"))
const isPublished = (rows: Rows, cause: string, tag: DomainEvent.Tag): boolean =>
  consumersOf[tag].some(
    (consumer) => rows.get(deliveries, deliveryId(DomainEvent.eventId(cause, tag), consumer)) !== undefined
  )
const isSubjectOf = (payment: Payment.Payment, purpose: Attempt.Purpose): boolean => {
  switch (payment.subject._tag) {
    case "OrderSubject":
      return purpose._tag === "ForOrder" && purpose.orderId === payment.subject.orderId
    case "CycleSubject":
      return (
        purpose._tag === "ForCycle" &&
        purpose.subscriptionId === payment.subject.subscriptionId &&
        purpose.cycleNumber === payment.subject.cycleNumber
      )
    case "RegistrationSubject":
      return purpose._tag === "ForRegistration" && purpose.billingKeyId === payment.subject.billingKeyId
  }
}
const unless = (holds: boolean, found: () => string): string | null => (holds ? null : found())

const subscriptionChecks = {
  liveSubscriptionHasOneOpenCycle: (rows, row) =>
    unless(!isLive(row) || rows.getBy(cycles, "open", row.id) !== undefined, () => `${row._tag} with 0 open cycles`),
  endedSubscriptionHasNoFreeCycle: (rows, row) => {
    const open = rows.getBy(cycles, "open", row.id)
    return unless(isLive(row) || open === undefined || open.openAttempt !== null, () => `its cycle is ${open?._tag}`)
  },
  liveSubscriptionHasItsKey: (rows, row) => {
    if (row._tag === "AwaitingBillingKey" || row._tag === "Cancelled") return null
    const key = rows.get(billingKeys, row.billingKeyId)
    const isUsable = key !== undefined && ["Active", "Frozen", "Revoked"].includes(key._tag)
    return unless(isUsable, () => `${row._tag} with the billing key ${row.billingKeyId} ${key?._tag ?? "missing"}`)
  },
  subscriptionWasPaidFor: (rows, row) =>
    unless(isPaid(rows.get(orders, row.orderId)), () => `its order ${row.orderId} is not paid`)
} satisfies Record<string, Check<"subscription">>

const cycleChecks = {
  cyclesAreNumberedWithoutGap: (rows, row) => {
    const before = rows.get(cycles, cycleId({ subscriptionId: row.subscriptionId, number: row.number - 1 }))
    return unless(row.number === 1 || (row.number > 1 && before !== undefined), () => "the cycle before it is missing")
  },
  openCycleIsTheLast: (rows, row) => {
    const next = rows.get(cycles, cycleId({ subscriptionId: row.subscriptionId, number: row.number + 1 }))
    return unless(!BillingCycle.isOpen(row) || next === undefined, () => `${row._tag} and followed by one`)
  },
  cycleIsHeldByAnUndecidedAttempt: (rows, row) => {
    if (row.openAttempt === null) return null
    const holder = attemptOf(rows, row.openAttempt)
    return unless(isUndecided(holder) && chargesCycle(holder, row), () => `${row._tag} and held by ${row.openAttempt}`)
  },
  cycleSaysWhatItsHolderSays: (rows, row) => {
    const holder = attemptOf(rows, row.openAttempt)
    const found = () => `${row._tag} and held by ${row.openAttempt ?? "none"} ${holder?._tag ?? ""}`
    switch (row._tag) {
      case "InFlight":
        return unless(holder?._tag !== "Unknown" && holder?._tag !== "ManualReview", found)
      case "InDoubt":
        return unless(holder?._tag !== "Prepared" && holder?._tag !== "Sent", found)
      case "Charged":
      case "Skipped":
      case "Abandoned":
        return null
      default:
        return unless(row.openAttempt === null, found)
    }
  },
  chargedCycleHasItsApproval: (rows, row) => {
    if (row._tag !== "Charged") return null
    const attempt = attemptOf(rows, row.chargedBy)
    const isApproved = attempt?._tag === "Approved" || attempt?._tag === "ManualReview"
    return unless(isApproved && chargesCycle(attempt, row), () => `charged by ${row.chargedBy}`)
  },
  chargedCycleHasItsOrder: (rows, row) =>
    unless(
      row._tag !== "Charged" || rows.getBy(orders, "cycle", `${row.subscriptionId}/${row.number}`) !== undefined,
      () => "charged, and no order of it"
    )
} satisfies Record<string, Check<"cycle">>

const attemptChecks = {
  attemptDispatchesWhatIsOwed: (rows, row) => {
    const payment = rows.get(payments, row.paymentId)
    const isOwed = payment !== undefined && payment.amount === row.amount && isSubjectOf(payment, row.purpose)
    return unless(isOwed, () => `asks for ${row.amount} won, its payment ${row.paymentId} for ${payment?.amount}`)
  },
  approvedChargeIsNamedByItsCycle: (rows, row) => {
    if (!isCharge(row) || row._tag !== "Approved") return null
    const cycle = cycleOf(rows, row)
    const charger = cycle?._tag === "Charged" ? cycle.chargedBy : null
    return unless(charger === row.id, () => `its cycle was charged by ${charger ?? "none"}`)
  },
  approvedPaymentIsNamedByItsOrder: (rows, row) => {
    if (row.purpose._tag !== "ForOrder" || row._tag !== "Approved") return null
    const order = rows.get(orders, row.purpose.orderId)
    const payer = isPaid(order) ? order.paidBy : null
    return unless(payer === row.id, () => `its order was paid by ${payer ?? "none"}`)
  },
  undecidedChargeHoldsItsCycle: (rows, row) => {
    if (!isCharge(row) || !isInDoubt(row)) return null
    const holder = cycleOf(rows, row)?.openAttempt ?? null
    return unless(holder === row.id, () => `${row._tag} and its cycle is held by ${holder ?? "none"}`)
  },
  undecidedChargeHoldsItsKey: (rows, row) => {
    if (!isCharge(row) || !isInDoubt(row)) return null
    const holder = keyOf(rows, row)?.inFlight ?? null
    return unless(holder === row.id, () => `${row._tag} and its billing key is held by ${holder ?? "none"}`)
  },
  unsentAndReviewedChargesHoldBothOrNone: (rows, row) => {
    if (!isCharge(row) || (row._tag !== "Prepared" && row._tag !== "ManualReview")) return null
    const [cycle, key] = [cycleOf(rows, row)?.openAttempt === row.id, keyOf(rows, row)?.inFlight === row.id]
    return unless(cycle === key, () => `${row._tag} and holds only its ${cycle ? "cycle" : "billing key"}`)
  },
  undecidedApprovalHoldsItsOrder: (rows, row) => {
    if (row.purpose._tag !== "ForOrder" || !isInDoubt(row)) return null
    const order = rows.get(orders, row.purpose.orderId)
    const holder = order?._tag === "Placed" ? order.approvingAttempt : null
    return unless(holder === row.id, () => `${row._tag} and its order is held by ${holder ?? "none"}`)
  },
  customerIsHeldWhileSent: (rows, row) => {
    const isHolder = slotOf(rows, row) === row.id
    const holds = row._tag === "Sent" ? isHolder : row._tag === "Prepared" || !isHolder
    return unless(holds, () => `${row._tag} and its customer is held by ${slotOf(rows, row) ?? "none"}`)
  },
  approvalIsRememberedByItsKey: (rows, row) => {
    if (!isCharge(row) || !("reference" in row)) return null
    const remembered = keyOf(rows, row)?.lastKnownApproval ?? null
    const isRemembered =
      remembered !== null && remembered.epochMilliseconds >= row.reference.approvedAt.epochMilliseconds
    return unless(isRemembered, () => "approved later than its billing key remembers")
  },
  transactionNamesOneAttempt: (rows, row) => {
    if (!("transactionId" in row) || row.transactionId === null) return null
    const same = rows.list(attempts, "transaction", {
      prefix: `${JSON.stringify([row.provider, row.transactionId])}/`,
      limit: 2
    })
    return unless(same.length === 1, () => `${row.transactionId} also names another`)
  },
  refundsAddUp: (rows, row) => {
    if (!("reference" in row)) return null
    const own = rows.list(refunds, "attempt", { prefix: `${row.id}/`, limit: belongingMax })
    const [completed, reserved] = [completedOf(own), sumOf(own.filter(isUnsettled))]
    return unless(
      row.refunded === completed && row.reserved === reserved,
      () => `refunded ${row.refunded} of ${completed}, set aside ${row.reserved} of ${reserved}`
    )
  },
  surplusIsGivenBack: (_rows, row) => {
    const found = () => `${row._tag} and not given back in full`
    if (row._tag === "ApprovedSurplus") return unless(row.refunded + row.reserved === row.approved, found)
    return row._tag === "Refunded" ? unless(row.refunded === row.approved, found) : null
  },
  refundInFlightIsUndecided: (rows, row) => {
    if (!("refundInFlight" in row) || row.refundInFlight === null) return null
    const refund = rows.get(refunds, row.refundInFlight)
    const isHolder = refund !== undefined && ["Sent", "Unknown", "ManualReview"].includes(refund._tag)
    return unless(isHolder && refund.attemptId === row.id, () => `held by the refund ${row.refundInFlight}`)
  },
  settlementIsTold: (rows, row, { now }) => {
    if (!("reference" in row) || row.settledAt.epochMilliseconds < now - lookBackDays * millisPerDay) return null
    const found = () => `${row._tag} and nobody is told`
    if (row._tag === "Approved") {
      if (row.purpose._tag === "ForCycle") return unless(isPublished(rows, row.id, "CycleCharged"), found)
      return row.purpose._tag === "ForOrder" ? unless(isPublished(rows, row.id, "OrderPaid"), found) : null
    }
    if (row._tag !== "ApprovedSurplus") return null
    const own = rows.list(refunds, "attempt", { prefix: `${row.id}/`, limit: belongingMax })
    const untold = own.filter(({ id, orderId }) => orderId === null && !isPublished(rows, id, "RefundRequested"))
    return unless(untold.length === 0, found)
  },
  nothingIsAheadOfTime: (_rows, row, { now }) => {
    const soon = now + aheadMinutesMax * millisPerMinute
    const isSentAhead = "sentAt" in row && row.sentAt.epochMilliseconds > soon
    const isSettledAhead = "settledAt" in row && row.settledAt.epochMilliseconds > soon
    return unless(!isSentAhead && !isSettledAhead, () => `${row._tag} later than now`)
  },
  undecidedAttemptIsFollowedUp: (_rows, row, { databaseNow, now }) => {
    const neglected = neglectedDays * millisPerDay
    const isNeglected =
      row._tag === "Unknown"
        ? row.nextAskAt.epochMilliseconds < now - neglected
        : (row._tag === "Sent" || row._tag === "Prepared") &&
          row.lease.expiresAt.epochMilliseconds < databaseNow - neglected
    return unless(!isNeglected, () => `${row._tag} for long`)
  }
} satisfies Record<string, Check<"attempt">>

const worth = (order: Order.Order, unitsOf: (line: Order.OrderLine) => number): number =>
  order.lines.reduce((sum, line) => sum + line.unitPrice * unitsOf(line), 0)

const orderChecks = {
  totalIsTheSumOfItsLines: (_rows, row) =>
    unless(row.total === worth(row, ({ quantity }) => quantity), () => `its total is ${row.total} won`),
  paidOrderHasItsApproval: (rows, row) => {
    if (!isPaid(row)) return null
    const attempt = attemptOf(rows, row.paidBy)
    const { origin } = row
    const pays =
      origin._tag === "FromRenewal"
        ? attempt?.purpose._tag === "ForCycle" &&
          attempt.purpose.subscriptionId === origin.subscriptionId &&
          attempt.purpose.cycleNumber === origin.cycleNumber
        : attempt?.purpose._tag === "ForOrder" && attempt.purpose.orderId === row.id
    const isApproved =
      attempt?._tag === "ManualReview" || (attempt?._tag === "Approved" && attempt.approved === row.total)
    return unless(pays && isApproved, () => `${row.total} won paid by ${row.paidBy} ${attempt?._tag ?? "missing"}`)
  },
  renewalOrderHasItsCycle: (rows, row) => {
    if (row.origin._tag !== "FromRenewal") return null
    const { cycleNumber: number, subscriptionId } = row.origin
    const cycle = rows.get(cycles, cycleId({ subscriptionId, number }))
    return unless(cycle?._tag === "Charged", () => `its cycle is ${cycle?._tag ?? "missing"}`)
  },
  orderRefundsAddUp: (rows, row) => {
    if (!isPaid(row)) return null
    const own = rows.list(refunds, "order", { prefix: `${row.id}/`, limit: belongingMax })
    const [completed, units] = [completedOf(own), worth(row, ({ refundedQuantity }) => refundedQuantity)]
    return unless(
      row.refundedTotal === completed && row.refundedTotal === units,
      () => `refunded ${row.refundedTotal} won, its refunds are ${completed}`
    )
  },
  orderIsHeldByAnUndecidedAttempt: (rows, row) => {
    if (row._tag !== "Placed" || row.approvingAttempt === null) return null
    const holder = attemptOf(rows, row.approvingAttempt)
    const isOwn = holder?.purpose._tag === "ForOrder" && holder.purpose.orderId === row.id
    return unless(isOwn && isUndecided(holder), () => `held by ${row.approvingAttempt}`)
  },
  subscriptionLinesBegan: (rows, row) => {
    if (!isPaid(row)) return null
    const missing = row.lines.find(
      ({ id, period }) => period !== null && rows.getBy(subscriptions, "orderLine", id) === undefined
    )
    return unless(missing === undefined, () => `its line ${missing?.id} began no subscription`)
  },
  salesAreRecorded: (rows, row, { now }) => {
    if (!isPaid(row) || row.paidAt.epochMilliseconds < now - lookBackDays * millisPerDay) return null
    const missing = row.lines.find(({ id, itemId, quantity }) => {
      const sale = { cause: `${row.paidBy}/${id}`, itemId }
      return rows.get(sales, saleId(sale))?.quantity !== quantity
    })
    return unless(missing === undefined, () => `its line ${missing?.id} is not counted`)
  }
} satisfies Record<string, Check<"order">>

const keyChecks = {
  keyIsHeldByAnUndecidedAttempt: (rows, row) => {
    if (row.inFlight === null) return null
    const holder = attemptOf(rows, row.inFlight)
    const isOwn = holder !== undefined && isCharge(holder) && holder.purpose.billingKeyId === row.id
    return unless(isOwn && isUndecided(holder), () => `${row._tag} and held by ${row.inFlight}`)
  },
  keyCountsItsSubscriptions: (rows, row) =>
    unless(
      row._tag === "Pending" || row._tag === "Abandoned" || row.liveUses === liveUses(rows, row),
      () => `counts ${row.liveUses} of ${liveUses(rows, row)}`
    )
} satisfies Record<string, Check<"billingKey">>

const refundChecks = {
  sentRefundHoldsItsPayment: (rows, row) => {
    const attempt = attemptOf(rows, row.attemptId)
    const holder = attempt !== undefined && "refundInFlight" in attempt ? attempt.refundInFlight : null
    return unless(!isInDoubt(row) || holder === row.id, () => `${row._tag} and its payment is held by ${holder}`)
  },
  refundIsOfItsOrdersPayment: (rows, row) => {
    if (row.orderId === null) return null
    const order = rows.get(orders, row.orderId)
    const payer = isPaid(order) ? order.paidBy : null
    return unless(payer === row.attemptId, () => `of ${row.attemptId}, and its order was paid by ${payer ?? "none"}`)
  },
  refundHoldsItsCustomerWhileSent: (rows, row) => {
    const attempt = attemptOf(rows, row.attemptId)
    const isHolder = attempt !== undefined && String(slotOf(rows, attempt)) === row.id
    return unless(
      (row._tag === "Sent") === isHolder,
      () => `${row._tag} and ${isHolder ? "holds" : "does not hold"} it`
    )
  },
  undecidedRefundIsFollowedUp: (_rows, row, { databaseNow, now }) => {
    const neglected = neglectedDays * millisPerDay
    const isNeglected =
      row._tag === "Unknown"
        ? row.nextAskAt.epochMilliseconds < now - neglected
        : row._tag === "Sent" && row.leaseExpiresAt.epochMilliseconds < databaseNow - neglected
    return unless(!isNeglected, () => `${row._tag} for long`)
  }
} satisfies Record<string, Check<"refund">>

const checks = {
  ...subscriptionChecks,
  ...cycleChecks,
  ...attemptChecks,
  ...orderChecks,
  ...keyChecks,
  ...refundChecks
} satisfies Record<RuleName, unknown>

/** The audit of one store. */
export const layer = Layer.effect(
  Audit,
  Effect.map(Store, (store) => {
    const idOf = (subject: Subject, row: Row[Subject]): string =>
      subject === "cycle" ? (row as BillingCycle.BillingCycle).subscriptionId : (row as { readonly id: string }).id
    // Every rule reads the same rows of the same moment.
    const read = new Map<Subject, { readonly moment: object; readonly list: ReadonlyArray<Read> }>()
    const inOrder = (rows: Rows, subject: Subject): ReadonlyArray<Read> => {
      const table = tables[subject] as Table.Table<Row[Subject]>
      const moment = rows.moment(table)
      const known = read.get(subject)
      if (known?.moment === moment) return known.list
      const list = rows
        .all(table)
        .map((row) => ({ id: idOf(subject, row), row }))
        .sort((one, other) => (one.id < other.id ? -1 : one.id > other.id ? 1 : 0))
      read.set(subject, { moment, list })
      return list
    }

    return Audit.of({
      chunk: (subject, after, limit) =>
        store.read("Audit.chunk", (rows) => {
          const rest = inOrder(rows, subject).filter(({ id }) => after === null || id > after)
          const until = rest[limit - 1]?.id ?? null
          const count = rest.filter(({ id }) => until === null || id <= until).length
          return count === 0 ? null : { subject, after, until, rows: count }
        }),

      broken: (rule, { after, subject, until }, { now }) =>
        store.read("Audit.broken", (rows, databaseNow) => {
          const check = checks[rule] as Check<Subject>
          const times = { now: now.epochMilliseconds, databaseNow }
          const broken: Array<Broken> = []
          for (const { id, row } of inOrder(rows, subject)) {
            if ((after !== null && id <= after) || (until !== null && id > until)) continue
            const found = check(rows, row as never, times)
            if (found !== null) broken.push({ id, number: "number" in row ? row.number : null, found })
          }
          return broken
        }),

      lastApproved: (limit) =>
        store.read("Audit.lastApproved", (rows) =>
          rows
            .all(attempts)
            .filter((attempt) => "reference" in attempt)
            .map(({ id }) => id)
            .sort()
            .reverse()
            .slice(0, limit)
        )
    })
  })
)
