/**
 * The contract of `Audit`: a history that obeys every rule is passed, and each rule finds the row that breaks it.
 *
 * @since 0.1.0
 */
import { assert } from "@effect/vitest"
import * as Attempt from "@pillivery/domain/Attempt"
import * as BillingCycle from "@pillivery/domain/BillingCycle"
import * as BillingKey from "@pillivery/domain/BillingKey"
import * as DomainEvent from "@pillivery/domain/DomainEvent"
import { AttemptId, SubscriptionId } from "@pillivery/domain/Ids"
import * as Order from "@pillivery/domain/Order"
import * as Payment from "@pillivery/domain/Payment"
import { CustomerReference, TransactionId } from "@pillivery/domain/Provider"
import * as Refund from "@pillivery/domain/Refund"
import * as SubscriptionOrder from "@pillivery/domain/SubscriptionOrder"
import * as Fixtures from "@pillivery/domain/testing/Fixtures"
import { DateTime, Effect, Result } from "effect"
import { type RuleName, rules, rulesOver, subjects } from "../Billing/Invariants.ts"
import { Audit, type Broken } from "../ports/Audit.ts"
import { BillingKeyRepository } from "../ports/BillingKeyRepository.ts"
import { BillingLedger } from "../ports/BillingLedger.ts"
import { BusinessClock } from "../ports/BusinessClock.ts"
import type { IdGenerator } from "../ports/IdGenerator.ts"
import { OrderRepository } from "../ports/OrderRepository.ts"
import { Outbox } from "../ports/Outbox.ts"
import { PaymentRepository } from "../ports/PaymentRepository.ts"
import { RefundRepository } from "../ports/RefundRepository.ts"
import { type Sale, SalesLedger } from "../ports/SalesLedger.ts"
import { SubscriptionRepository } from "../ports/SubscriptionRepository.ts"
import { freshSeed, law, type Law, suiteOf } from "./Law.ts"

/** What the laws of this port need. */
export type Requirements =
  | Audit
  | BillingKeyRepository
  | BillingLedger
  | BusinessClock
  | IdGenerator
  | OrderRepository
  | Outbox
  | PaymentRepository
  | RefundRepository
  | SalesLedger
  | SubscriptionRepository

/** The moment of the audit, in the time of the fixtures. */
const now = Fixtures.later(60)
const chunkRows = 64
const chunksMax = 10_000

/** The fields of a state, for a constructor of another. */
const fieldsOf = <A extends { readonly _tag: string }>({ _tag: _, ...fields }: A): Omit<A, "_tag"> => fields

/** The rows of one customer's story; a law breaks one of them before they are stored. */
const story = (seed: string, lease: Attempt.Lease) => {
  const id = (name: string) => `${seed}/${name}`
  const attemptId = (name: string) => Fixtures.anyAttemptId(id(name))
  const customer = (name: string) => CustomerReference.make(`${seed}/${name}`)
  const half = Fixtures.won(9_000)
  const whole = Fixtures.won(18_000)
  const key = Fixtures.activeKey({ customerReference: customer("key"), inFlight: attemptId("sent") }, id("key"))

  // An order of three lines, of which one unit was given back and another is being given back.
  const bought = Fixtures.orderLine({}, id("bought"))
  const begun = Fixtures.subscriptionLine({}, id("begun"))
  const ended = Fixtures.subscriptionLine({}, id("ended"))
  const order = new Order.PartiallyRefunded({
    ...fieldsOf(Fixtures.placedOrder({ lines: [{ ...bought, refundedQuantity: 1 }, begun, ended] }, id("order"))),
    paidBy: attemptId("paid"),
    paidAt: now,
    refundedTotal: half
  })
  const paidFor = Fixtures.payment(
    { subject: new Payment.OrderSubject({ orderId: order.id }), amount: order.total },
    id("order")
  )
  const approval = Fixtures.sentApproval(
    {
      id: attemptId("paid"),
      paymentId: paidFor.id,
      purpose: Fixtures.forOrder({ orderId: order.id, issuesBillingKey: true }),
      amount: order.total,
      customerReference: customer("order")
    },
    id("paid")
  )
  const settled = (at: DateTime.Utc, name: string) => ({
    reference: Fixtures.knownReference(at, id(name)),
    refunded: Fixtures.won(0),
    reserved: Fixtures.won(0),
    refundInFlight: null,
    settledAt: now
  })
  const line = (quantity: number) => [{ lineId: bought.id, quantity }]
  const refunded = new Refund.Completed({
    ...fieldsOf(
      Fixtures.requestedRefund({ attemptId: approval.id, orderId: order.id, lines: line(1) }, id("refunded"))
    ),
    completedAt: now
  })
  const refunding = new Refund.Sent({
    ...fieldsOf(
      Fixtures.requestedRefund({ attemptId: approval.id, orderId: order.id, lines: line(1) }, id("refunding"))
    ),
    sentAt: now,
    leaseExpiresAt: lease.expiresAt,
    refundedBefore: half
  })
  const paid = new Attempt.Approved({
    ...fieldsOf(approval),
    lease,
    ...settled(Fixtures.now, "paid"),
    approved: order.total,
    refunded: half,
    reserved: half,
    refundInFlight: refunding.id
  })

  // A subscription whose first renewal was charged and whose second is in flight, and one that has ended.
  const live = Fixtures.subscription(
    {
      id: SubscriptionId.make(begun.id),
      orderId: order.id,
      orderLineId: begun.id,
      billingKeyId: key.id
    },
    id("begun")
  )
  const over = new SubscriptionOrder.Cancelled({
    ...Fixtures.cancelledSubscription(id("ended")),
    id: SubscriptionId.make(ended.id),
    orderId: order.id,
    orderLineId: ended.id,
    billingKeyId: key.id
  })
  const cycleOf = (number: number, subscriptionId: SubscriptionId) => ({
    ...fieldsOf(Fixtures.dueCycle({ subscriptionId, number })),
    quantity: Fixtures.quantity(2)
  })
  const charge = (name: string, number: number) => {
    const payment = Fixtures.payment(
      { subject: new Payment.CycleSubject({ subscriptionId: live.id, cycleNumber: number }) },
      id(name)
    )
    const attempt = Fixtures.sentAttempt(
      {
        id: attemptId(name),
        paymentId: payment.id,
        purpose: Fixtures.forCycle({
          subscriptionId: live.id,
          cycleNumber: number,
          billingKeyId: key.id,
          billingKey: key.billingKey
        }),
        customerReference: customer("key")
      },
      id(name)
    )
    return { payment, attempt: new Attempt.Sent({ ...attempt, lease }) }
  }
  const first = charge("charged", 1)
  const second = charge("sent", 2)
  const charged = new Attempt.Approved({
    ...fieldsOf(first.attempt),
    ...settled(Fixtures.now, "charged"),
    approved: whole
  })
  const renewal = new Order.Paid({
    ...fieldsOf(
      Fixtures.placedOrder(
        {
          lines: [Fixtures.orderLine({}, id("renewal"))],
          origin: new Order.FromRenewal({ subscriptionId: live.id, cycleNumber: 1 })
        },
        id("renewal")
      )
    ),
    paidBy: charged.id,
    paidAt: now,
    refundedTotal: Fixtures.won(0)
  })

  // An order whose approval is at the provider, and one that was paid when it was over.
  const waiting = (name: string) => {
    const order = Fixtures.placedOrder({ lines: [Fixtures.orderLine({}, id(name))] }, id(name))
    const payment = Fixtures.payment({ subject: new Payment.OrderSubject({ orderId: order.id }) }, id(name))
    const sent = Fixtures.sentApproval(
      {
        id: attemptId(name),
        paymentId: payment.id,
        purpose: Fixtures.forOrder({ orderId: order.id }),
        customerReference: customer(name)
      },
      id(name)
    )
    return { order, payment, sent: new Attempt.Sent({ ...sent, lease }) }
  }
  const approving = waiting("approving")
  const late = waiting("late")
  const surplus = new Attempt.ApprovedSurplus({
    ...fieldsOf(late.sent),
    ...settled(Fixtures.now, "late"),
    approved: whole,
    reserved: whole
  })
  const givenBack = Fixtures.requestedRefund(
    { attemptId: surplus.id, orderId: null, lines: [], amount: whole },
    id("late")
  )

  const salesOf = (sold: { readonly lines: ReadonlyArray<Order.OrderLine> }, by: AttemptId): ReadonlyArray<Sale> =>
    sold.lines.map(({ id, itemId, quantity }) => ({ cause: `${by}/${id}`, itemId, quantity }))
  const told = { at: now, userId: order.userId }
  return {
    ids: { paid: paid.id, charged: charged.id, sent: second.attempt.id, order: order.id, key: key.id },
    keys: [key] as Array<BillingKey.BillingKey>,
    orders: [
      order,
      renewal,
      new Order.Placed({ ...approving.order, approvingAttempt: approving.sent.id }),
      Result.getOrThrow(Order.expire(late.order, Fixtures.later(Order.paymentWindowMinutes)))
    ] as Array<Order.Order>,
    payments: [paidFor, first.payment, second.payment, approving.payment, late.payment],
    attempts: [paid, charged, second.attempt, approving.sent, surplus] as Array<Attempt.Attempt>,
    subscriptions: [live, over] as Array<SubscriptionOrder.SubscriptionOrder>,
    cycles: [
      new BillingCycle.Charged({
        ...cycleOf(1, live.id),
        chargedBy: charged.id,
        chargedOn: Fixtures.day("2026-02-14")
      }),
      new BillingCycle.InFlight({ ...cycleOf(2, live.id), openAttempt: second.attempt.id }),
      new BillingCycle.Abandoned({ ...cycleOf(1, over.id), reason: "cancelled" })
    ] as Array<BillingCycle.BillingCycle>,
    refunds: [refunded, refunding, givenBack] as Array<Refund.Refund>,
    slots: [
      { customer: customer("order"), holder: refunding.id as string },
      { customer: customer("key"), holder: second.attempt.id as string },
      { customer: customer("approving"), holder: approving.sent.id as string }
    ],
    sales: [...salesOf(order, paid.id), ...salesOf(renewal, charged.id)] as Array<Sale>,
    events: [
      new DomainEvent.OrderPaid({
        ...told,
        eventId: DomainEvent.eventId(paid.id, "OrderPaid"),
        orderId: order.id,
        attemptId: paid.id,
        amount: order.total
      }),
      new DomainEvent.CycleCharged({
        ...told,
        eventId: DomainEvent.eventId(charged.id, "CycleCharged"),
        subscriptionId: live.id,
        cycleNumber: 1,
        attemptId: charged.id,
        orderId: renewal.id,
        amount: whole,
        chargedOn: Fixtures.day("2026-02-14")
      }),
      new DomainEvent.RefundRequested({
        ...told,
        eventId: DomainEvent.eventId(givenBack.id, "RefundRequested"),
        refundId: givenBack.id,
        attemptId: surplus.id,
        orderId: null,
        amount: whole
      })
    ] as Array<DomainEvent.DomainEvent>
  }
}

type Story = ReturnType<typeof story>

const store = Effect.fnUntraced(function* (rows: Story) {
  const keys = yield* BillingKeyRepository
  const orders = yield* OrderRepository
  const payments = yield* PaymentRepository
  const subscriptions = yield* SubscriptionRepository
  const ledger = yield* BillingLedger
  const refunds = yield* RefundRepository
  const provider = Fixtures.anyProvider
  yield* Effect.forEach(rows.keys, keys.insert)
  yield* Effect.forEach(rows.orders, orders.insert)
  yield* Effect.forEach(rows.payments, payments.insertPayment)
  yield* Effect.forEach(rows.attempts, payments.insertAttempt)
  yield* Effect.forEach(rows.subscriptions, subscriptions.insert)
  yield* Effect.forEach(rows.cycles, ledger.insertCycle)
  yield* Effect.forEach(rows.refunds, refunds.insert)
  yield* Effect.forEach(rows.slots, ({ customer, holder }) =>
    payments.takeUserSlot(provider, customer, AttemptId.make(holder))
  )
  yield* (yield* SalesLedger).record(rows.sales)
  yield* (yield* Outbox).publish(rows.events)
})

const freshStory = Effect.gen(function* () {
  const clock = yield* BusinessClock
  const expiresAt = DateTime.add(yield* clock.databaseNow, { minutes: 1 })
  return story(yield* freshSeed, new Attempt.Lease({ owner: "server-1", epoch: 1, expiresAt }))
})

/** Everything that is wrong with the rows of a story, by rule. */
const audit = Effect.fnUntraced(function* (rows: Story) {
  const { broken, chunk } = yield* Audit
  const own = new Set<string>([
    ...[...rows.keys, ...rows.orders, ...rows.attempts, ...rows.subscriptions, ...rows.refunds].map(({ id }) => id),
    ...rows.cycles.map(({ subscriptionId }) => subscriptionId)
  ])
  const found: Array<readonly [RuleName, Broken]> = []
  for (const subject of subjects) {
    let after: string | null = null
    for (let round = 0; round < chunksMax; round++) {
      const next: Effect.Success<ReturnType<typeof chunk>> = yield* chunk(subject, after, chunkRows)
      if (next === null) break
      for (const rule of rulesOver(subject)) {
        for (const row of yield* broken(rule, next, { now })) if (own.has(row.id)) found.push([rule, row])
      }
      after = next.until
      if (after === null) break
    }
  }
  return found
})

const replace = <A extends object>(rows: Array<A>, is: (row: A) => boolean, change: (row: A) => A): void => {
  const index = rows.findIndex(is)
  const row = rows[index]
  if (row === undefined) throw new Error("the story has no such row")
  rows[index] = change(row)
}

const attemptOf =
  <Tag extends Attempt.Tag>(id: AttemptId, tag: Tag) =>
  (rows: Story): Extract<Attempt.Attempt, { readonly _tag: Tag }> => {
    const found = rows.attempts.find((attempt) => attempt.id === id && attempt._tag === tag)
    if (found === undefined) throw new Error("the story has no such attempt")
    return found as Extract<Attempt.Attempt, { readonly _tag: Tag }>
  }

const changeAttempt = (rows: Story, next: Attempt.Attempt): void =>
  replace(
    rows.attempts,
    ({ id }) => id === next.id,
    () => next
  )

const changeKey = (rows: Story, fields: Partial<ConstructorParameters<typeof BillingKey.Active>[0]>): void =>
  replace(
    rows.keys,
    () => true,
    (key) => (key._tag === "Active" ? new BillingKey.Active({ ...key, ...fields }) : key)
  )

const changeRefund = (rows: Story, tag: Refund.Tag, change: (refund: Refund.Refund) => Refund.Refund): void =>
  replace(rows.refunds, ({ _tag }) => _tag === tag, change)

const changeCycle = (
  rows: Story,
  tag: BillingCycle.Tag,
  change: (cycle: BillingCycle.BillingCycle) => BillingCycle.BillingCycle
): void => replace(rows.cycles, ({ _tag }) => _tag === tag, change)

const changeOrder = (rows: Story, tag: Order.Tag, change: (order: Order.Order) => Order.Order): void =>
  replace(rows.orders, ({ _tag }) => _tag === tag, change)

const freeCustomer = (rows: Story, holder: string): void => {
  rows.slots = rows.slots.filter((slot) => slot.holder !== holder)
}

const passed = (rows: Story, number: number): BillingCycle.BillingCycle =>
  BillingCycle.passed({
    subscriptionId: rows.subscriptions[0]?.id ?? Fixtures.anySubscriptionId(),
    number,
    gridDate: Fixtures.day("2026-05-15"),
    reason: "outage"
  })

const stranger = Fixtures.anyAttemptId("nobody's")
const longAgo = Fixtures.timeOn("2025-01-01")

/** One way to break each rule, and what else cannot help being broken with it. */
const breaks: Readonly<
  Record<RuleName, { readonly break: (rows: Story) => void; readonly also?: ReadonlyArray<RuleName> }>
> = {
  liveSubscriptionHasOneOpenCycle: {
    break: (rows) => {
      changeCycle(rows, "InFlight", () => passed(rows, 2))
      changeAttempt(
        rows,
        Result.getOrThrow(Attempt.decline(attemptOf(rows.ids.sent, "Sent")(rows), now, Fixtures.softDecline()))
      )
      changeKey(rows, { inFlight: null })
      freeCustomer(rows, rows.ids.sent)
    }
  },
  endedSubscriptionHasNoFreeCycle: {
    break: (rows) =>
      changeCycle(rows, "Abandoned", (cycle) => Fixtures.dueCycle({ subscriptionId: cycle.subscriptionId }))
  },
  liveSubscriptionHasItsKey: {
    break: (rows) =>
      replace(
        rows.keys,
        () => true,
        (key) => (key._tag === "Active" ? new BillingKey.Retired({ ...fieldsOf(key) }) : key)
      )
  },
  subscriptionWasPaidFor: {
    break: (rows) =>
      replace(
        rows.subscriptions,
        ({ _tag }) => _tag === "Active",
        (row) =>
          row._tag === "Active"
            ? new SubscriptionOrder.Active({ ...row, orderId: rows.orders[3]?.id ?? row.orderId })
            : row
      )
  },
  cyclesAreNumberedWithoutGap: { break: (rows) => void rows.cycles.push(passed(rows, 9)) },
  openCycleIsTheLast: { break: (rows) => void rows.cycles.push(passed(rows, 3)) },
  cycleIsHeldByAnUndecidedAttempt: {
    break: (rows) =>
      changeCycle(rows, "Charged", (row) =>
        row._tag === "Charged" ? new BillingCycle.Charged({ ...row, openAttempt: row.chargedBy }) : row
      )
  },
  cycleSaysWhatItsHolderSays: {
    break: (rows) => changeCycle(rows, "InFlight", (row) => Result.getOrThrow(BillingCycle.doubt(row, rows.ids.sent)))
  },
  chargedCycleHasItsApproval: {
    break: (rows) =>
      changeCycle(rows, "Charged", (row) =>
        row._tag === "Charged" ? new BillingCycle.Charged({ ...row, chargedBy: rows.ids.paid }) : row
      ),
    also: ["approvedChargeIsNamedByItsCycle"]
  },
  chargedCycleHasItsOrder: {
    break: (rows) => {
      rows.orders = rows.orders.filter(({ origin }) => origin._tag !== "FromRenewal")
    }
  },
  attemptDispatchesWhatIsOwed: {
    break: (rows) => {
      const sent = attemptOf(rows.ids.sent, "Sent")(rows)
      changeAttempt(rows, new Attempt.Sent({ ...sent, amount: Fixtures.won(17_999) }))
    }
  },
  approvedChargeIsNamedByItsCycle: {
    break: (rows) => {
      const charged = attemptOf(rows.ids.charged, "Approved")(rows)
      rows.attempts.push(
        new Attempt.Approved({ ...charged, id: Fixtures.anyAttemptId(`${charged.id}/twice`), settledAt: longAgo })
      )
    }
  },
  approvedPaymentIsNamedByItsOrder: {
    break: (rows) => {
      const paid = attemptOf(rows.ids.paid, "Approved")(rows)
      rows.attempts.push(
        new Attempt.Approved({
          ...paid,
          id: Fixtures.anyAttemptId(`${paid.id}/twice`),
          transactionId: TransactionId.make(`T${paid.id}`),
          refunded: Fixtures.won(0),
          reserved: Fixtures.won(0),
          refundInFlight: null,
          settledAt: longAgo
        })
      )
    }
  },
  undecidedChargeHoldsItsCycle: {
    break: (rows) =>
      changeCycle(rows, "InFlight", (row) => Fixtures.dueCycle({ subscriptionId: row.subscriptionId, number: 2 }))
  },
  undecidedChargeHoldsItsKey: { break: (rows) => changeKey(rows, { inFlight: null }) },
  unsentAndReviewedChargesHoldBothOrNone: {
    break: (rows) => {
      const sent = attemptOf(rows.ids.sent, "Sent")(rows)
      changeAttempt(rows, Result.getOrThrow(Attempt.review(sent, now, "")))
      changeCycle(rows, "InFlight", (row) => Result.getOrThrow(BillingCycle.doubt(row, rows.ids.sent)))
      changeKey(rows, { inFlight: null })
      freeCustomer(rows, rows.ids.sent)
    }
  },
  undecidedApprovalHoldsItsOrder: {
    break: (rows) =>
      changeOrder(rows, "Placed", (row) =>
        row._tag === "Placed" ? new Order.Placed({ ...row, approvingAttempt: null }) : row
      )
  },
  customerIsHeldWhileSent: { break: (rows) => freeCustomer(rows, rows.ids.sent) },
  approvalIsRememberedByItsKey: { break: (rows) => changeKey(rows, { lastKnownApproval: longAgo }) },
  transactionNamesOneAttempt: {
    break: (rows) => {
      const paid = attemptOf(rows.ids.paid, "Approved")(rows)
      rows.attempts.push(
        new Attempt.Abandoned({
          ...fieldsOf(paid),
          id: Fixtures.anyAttemptId(`${paid.id}/again`),
          detail: "",
          endedAt: now
        })
      )
    }
  },
  refundsAddUp: {
    break: (rows) => {
      const paid = attemptOf(rows.ids.paid, "Approved")(rows)
      changeAttempt(rows, new Attempt.Approved({ ...paid, reserved: Fixtures.won(paid.reserved + 1) }))
    }
  },
  surplusIsGivenBack: {
    break: (rows) => {
      const index = rows.attempts.findIndex(({ _tag }) => _tag === "ApprovedSurplus")
      const surplus = rows.attempts[index]
      if (surplus?._tag !== "ApprovedSurplus") return
      rows.attempts[index] = new Attempt.ApprovedSurplus({ ...surplus, reserved: Fixtures.won(0) })
      changeRefund(
        rows,
        "Requested",
        (refund) => new Refund.Rejected({ ...fieldsOf(refund), rejectedAt: now, detail: "" })
      )
    }
  },
  refundInFlightIsUndecided: {
    break: (rows) => {
      const paid = attemptOf(rows.ids.paid, "Approved")(rows)
      const completed = rows.refunds.find(({ _tag }) => _tag === "Completed")
      const sending = rows.refunds.find(({ _tag }) => _tag === "Sent")
      changeAttempt(rows, new Attempt.Approved({ ...paid, refundInFlight: completed?.id ?? null }))
      changeRefund(rows, "Sent", (refund) => new Refund.Requested({ ...fieldsOf(refund) }))
      freeCustomer(rows, sending?.id ?? "")
    }
  },
  settlementIsTold: {
    break: (rows) => {
      rows.events = rows.events.filter(({ _tag }) => _tag !== "CycleCharged")
    }
  },
  nothingIsAheadOfTime: {
    break: (rows) => {
      const sent = attemptOf(rows.ids.sent, "Sent")(rows)
      changeAttempt(rows, new Attempt.Sent({ ...sent, sentAt: DateTime.add(now, { hours: 1 }) }))
    }
  },
  undecidedAttemptIsFollowedUp: {
    break: (rows) => {
      const sent = attemptOf(rows.ids.sent, "Sent")(rows)
      const expiresAt = DateTime.subtract(sent.lease.expiresAt, { days: 3 })
      changeAttempt(rows, new Attempt.Sent({ ...sent, lease: new Attempt.Lease({ ...sent.lease, expiresAt }) }))
    }
  },
  totalIsTheSumOfItsLines: {
    break: (rows) =>
      changeOrder(rows, "Placed", (row) =>
        row._tag === "Placed" ? new Order.Placed({ ...row, total: Fixtures.won(row.total + 1) }) : row
      )
  },
  paidOrderHasItsApproval: {
    break: (rows) => {
      const order = Fixtures.paidOrder(
        { lines: [Fixtures.orderLine({}, `${rows.ids.order}/stranger`)], paidBy: stranger },
        `${rows.ids.order}/stranger`
      )
      rows.orders.push(order)
      rows.sales.push(...order.lines.map((line) => ({ ...line, cause: `${stranger}/${line.id}` })))
    }
  },
  renewalOrderHasItsCycle: {
    break: (rows) => {
      changeCycle(rows, "Charged", () => passed(rows, 1))
    },
    also: ["approvedChargeIsNamedByItsCycle"]
  },
  orderRefundsAddUp: {
    break: (rows) =>
      changeOrder(rows, "PartiallyRefunded", (row) =>
        row._tag === "PartiallyRefunded"
          ? new Order.PartiallyRefunded({ ...row, refundedTotal: Fixtures.won(row.refundedTotal + 1) })
          : row
      )
  },
  orderIsHeldByAnUndecidedAttempt: {
    break: (rows) => {
      const sent = rows.attempts.find(({ _tag, purpose }) => _tag === "Sent" && purpose._tag === "ForOrder")
      if (sent?._tag !== "Sent") return
      changeAttempt(rows, Result.getOrThrow(Attempt.abandon(sent, now, "")))
      freeCustomer(rows, sent.id)
    }
  },
  subscriptionLinesBegan: {
    break: (rows) => {
      rows.subscriptions = rows.subscriptions.filter(({ _tag }) => _tag !== "Cancelled")
    }
  },
  salesAreRecorded: { break: (rows) => void rows.sales.pop() },
  keyIsHeldByAnUndecidedAttempt: {
    break: (rows) => {
      rows.keys.push(Fixtures.activeKey({ inFlight: rows.ids.charged, liveUses: 0 }, `${rows.ids.key}/stranger`))
    }
  },
  keyCountsItsSubscriptions: { break: (rows) => changeKey(rows, { liveUses: 2 }) },
  sentRefundHoldsItsPayment: {
    break: (rows) => {
      const paid = attemptOf(rows.ids.paid, "Approved")(rows)
      changeAttempt(rows, new Attempt.Approved({ ...paid, refundInFlight: null }))
    }
  },
  refundIsOfItsOrdersPayment: {
    break: (rows) => {
      rows.refunds.push(
        new Refund.Rejected({
          ...fieldsOf(
            Fixtures.requestedRefund(
              { attemptId: rows.ids.charged, orderId: rows.ids.order },
              `${rows.ids.order}/rejected`
            )
          ),
          rejectedAt: now,
          detail: ""
        })
      )
    }
  },
  refundHoldsItsCustomerWhileSent: {
    break: (rows) => freeCustomer(rows, rows.refunds.find(({ _tag }) => _tag === "Sent")?.id ?? "")
  },
  undecidedRefundIsFollowedUp: {
    break: (rows) =>
      changeRefund(rows, "Sent", (row) =>
        row._tag === "Sent"
          ? new Refund.Sent({ ...row, leaseExpiresAt: DateTime.subtract(row.leaseExpiresAt, { days: 3 }) })
          : row
      )
  }
}

/** Everything an `Audit` promises. */
export const laws = (): ReadonlyArray<Law<Requirements>> => [
  law(
    "finds nothing wrong with a history that obeys the rules",
    Effect.gen(function* () {
      const rows = yield* freshStory
      yield* store(rows)
      assert.deepStrictEqual(yield* audit(rows), [])
    })
  ),

  ...(Object.keys(breaks) as Array<RuleName>).map((rule) =>
    law(
      `finds the row that breaks: ${rules[rule].sentence}`,
      Effect.gen(function* () {
        const rows = yield* freshStory
        const { also = [], break: breakRow } = breaks[rule]
        breakRow(rows)
        yield* store(rows)
        const found = yield* audit(rows)
        assert.deepStrictEqual([...new Set(found.map(([name]) => name))].sort(), [rule, ...also].sort())
        for (const [, { found: says }] of found) assert.isAbove(says.length, 0)
      })
    )
  ),

  law(
    "names a cycle by its subscription and number",
    Effect.gen(function* () {
      const rows = yield* freshStory
      breaks.cyclesAreNumberedWithoutGap.break(rows)
      yield* store(rows)
      const [found] = yield* audit(rows)
      assert.deepStrictEqual([found?.[1].id, found?.[1].number], [rows.subscriptions[0]?.id, 9])
    })
  ),

  law(
    "reads every row once, in chunks, and keeps the cycles of a subscription together",
    Effect.gen(function* () {
      const rows = yield* freshStory
      yield* store(rows)
      const { chunk } = yield* Audit
      for (const subject of subjects) {
        const whole = yield* chunk(subject, null, Number.MAX_SAFE_INTEGER)
        let after: string | null = null
        let seen = 0
        for (let round = 0; round < chunksMax; round++) {
          const next: typeof whole = yield* chunk(subject, after, 2)
          if (next === null) break
          if (subject !== "cycle" && next.until !== null) assert.strictEqual(next.rows, 2)
          assert.isTrue(next.until === null || after === null || next.until > after)
          seen += next.rows
          after = next.until
          if (after === null) break
        }
        assert.strictEqual(seen, whole?.rows)
      }
    })
  ),

  law(
    "tells the attempts approved last, newest first",
    Effect.gen(function* () {
      const rows = yield* freshStory
      yield* store(rows)
      const { lastApproved } = yield* Audit
      const all = yield* lastApproved(Number.MAX_SAFE_INTEGER)
      assert.deepStrictEqual([...all], [...all].sort().reverse())
      assert.includeMembers([...all], [rows.ids.paid, rows.ids.charged])
      assert.notInclude([...all], rows.ids.sent)
      assert.deepStrictEqual(yield* lastApproved(2), all.slice(0, 2))
    })
  )
]

/** Runs the laws against a layer. */
export const suite = suiteOf<Requirements>("Audit", laws)
