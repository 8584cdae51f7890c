/**
 * Every state of every aggregate, for laws that hold for all of them.
 *
 * States are reached through the domain's transitions; all that follow from one seed have the same id, so that one can be
 * stored in the place of another.
 *
 * @since 0.1.0
 */
import * as Attempt from "@pillivery/domain/Attempt"
import * as BillingCycle from "@pillivery/domain/BillingCycle"
import * as BillingKey from "@pillivery/domain/BillingKey"
import * as BusinessDate from "@pillivery/domain/BusinessDate"
import * as DunningPolicy from "@pillivery/domain/DunningPolicy"
import * as Order from "@pillivery/domain/Order"
import { CustomerReference, ProviderBillingKey } from "@pillivery/domain/Provider"
import * as Refund from "@pillivery/domain/Refund"
import { fieldsOf } from "@pillivery/domain/State"
import * as SubscriptionOrder from "@pillivery/domain/SubscriptionOrder"
import * as Fixtures from "@pillivery/domain/testing/Fixtures"
import { Result } from "effect"

const { getOrThrow } = Result

/** A state of one aggregate for every seed. */
export type States<A extends { readonly _tag: string }> = {
  readonly [Tag in A["_tag"]]: (seed: string) => Extract<A, { readonly _tag: Tag }>
}

/** One way an aggregate may look. */
export interface Sample<out A> {
  readonly name: string
  readonly make: (seed: string) => A
}

/** All states and further varieties of them, by name. */
export const samplesOf = <A extends { readonly _tag: string }>(
  states: Readonly<Record<string, (seed: string) => A>>,
  varieties: Readonly<Record<string, (seed: string) => A>>
): ReadonlyArray<Sample<A>> =>
  [...Object.entries(states), ...Object.entries(varieties)].map(([name, make]) => ({ name, make }))

/** The same row at another version. */
export const atVersion = <A extends { readonly version: number }>(row: A, version: number): A =>
  Object.assign(Object.create(Object.getPrototypeOf(row)), row, { version })

// -----------------------------------------------------------------------------
// Orders
// -----------------------------------------------------------------------------

const refunded = (seed: string): Order.Refunded => {
  const order = Fixtures.paidOrder({}, seed)
  const { amount, lines } = getOrThrow(Order.refundAmount(order, "rest"))
  return new Order.Refunded(fieldsOf(getOrThrow(Order.refund(order, lines, amount))))
}

/** An order of one line in every state. */
export const orderStates: States<Order.Order> = {
  Placed: (seed) => Fixtures.placedOrder({}, seed),
  Paid: (seed) => Fixtures.paidOrder({}, seed),
  PartiallyRefunded: (seed) => Fixtures.partiallyRefundedOrder(seed),
  Refunded: refunded,
  Expired: (seed) => Fixtures.expiredOrder(seed),
  PaymentFailed: (seed) => getOrThrow(Order.failPayment(Fixtures.placedOrder({}, seed), Fixtures.later(3)))
}

/** Orders from elsewhere, of many lines or being approved. */
export const orderVarieties: Readonly<Record<string, (seed: string) => Order.Order>> = {
  "Placed from a cart of subscriptions": (seed) =>
    Fixtures.placedOrder(
      {
        origin: new Order.FromCart({ cart: "subscription" }),
        lines: [
          Fixtures.subscriptionLine({ itemName: "오메가-3 100% 🐟 \"'`\\" }, `${seed}/1`),
          Fixtures.subscriptionLine({ period: Fixtures.period(120) }, `${seed}/2`),
          Fixtures.orderLine({ quantity: Fixtures.quantity(999) }, `${seed}/3`)
        ]
      },
      seed
    ),
  "Placed and being approved": (seed) =>
    getOrThrow(Order.beginApproval(Fixtures.placedOrder({}, seed), Fixtures.anyAttemptId(seed), Fixtures.now)),
  "Paid as a renewal": (seed) =>
    getOrThrow(
      Order.renew({
        id: Fixtures.anyOrderId(seed),
        userId: Fixtures.anyUserId(seed),
        origin: new Order.FromRenewal({ subscriptionId: Fixtures.anySubscriptionId(seed), cycleNumber: 3 }),
        line: Fixtures.subscriptionLine({}, seed),
        receiver: Fixtures.receiver(),
        attemptId: Fixtures.anyAttemptId(seed),
        at: Fixtures.now
      })
    )
}

// -----------------------------------------------------------------------------
// Attempts
// -----------------------------------------------------------------------------

const purposes: Readonly<Record<string, (seed: string) => Attempt.Purpose>> = {
  ForOrder: (seed) => Fixtures.forOrder({ userId: Fixtures.anyUserId(seed), issuesBillingKey: true }, seed),
  ForCycle: (seed) => Fixtures.forCycle({ step: 2 }, seed),
  ForRegistration: (seed) => Fixtures.forRegistration(seed)
}

const forOrder = (seed: string): Attempt.Purpose => Fixtures.forOrder({}, seed)

const prepared = (seed: string, purpose: Attempt.Purpose): Attempt.Prepared =>
  Fixtures.preparedAttempt({ purpose, customerReference: CustomerReference.make(`customer-${seed}`) }, seed)

const sent = (seed: string, purpose: Attempt.Purpose): Attempt.Sent =>
  getOrThrow(
    Attempt.send(
      purpose._tag === "ForCycle" ? prepared(seed, purpose) : Fixtures.awaitingCustomerAttempt({ purpose }, seed),
      {
        at: Fixtures.later(2),
        lease: Fixtures.lease(7),
        baseline: purpose._tag === "ForCycle" ? Fixtures.now : null,
        approvalToken: purpose._tag === "ForCycle" ? null : Fixtures.anyApprovalToken
      }
    )
  )

const unknown = (seed: string, purpose: Attempt.Purpose): Attempt.Unknown =>
  getOrThrow(
    Attempt.askAgain(
      getOrThrow(
        Attempt.loseAnswer(sent(seed, purpose), {
          at: Fixtures.later(3),
          nextAskAt: Fixtures.later(8),
          detail: "읽기 시간 초과"
        })
      ),
      Fixtures.later(68)
    )
  )

const approved = (
  seed: string,
  purpose: Attempt.Purpose,
  isOwed: boolean
): Attempt.Approved | Attempt.ApprovedSurplus => {
  const before = sent(seed, purpose)
  return getOrThrow(
    Attempt.approve(before, {
      at: Fixtures.later(3),
      reference: Fixtures.knownReference(Fixtures.later(3), seed),
      amount: before.amount,
      isOwed
    })
  )
}

const refundedSurplus = (seed: string, purpose: Attempt.Purpose): Attempt.Refunded => {
  const surplus = approved(seed, purpose, false)
  const refundId = Fixtures.anyRefundId(seed)
  const reserved = getOrThrow(Attempt.reserveRefund(surplus, surplus.approved))
  const begun = getOrThrow(Attempt.beginRefund(reserved, refundId))
  return new Attempt.Refunded(fieldsOf(getOrThrow(Attempt.endRefund(begun, refundId, surplus.approved, "completed"))))
}

/** The attempt of an order's payment in every state. */
export const attemptStates: States<Attempt.Attempt> = {
  Prepared: (seed) => prepared(seed, forOrder(seed)),
  AwaitingCustomer: (seed) => Fixtures.awaitingCustomerAttempt({}, seed),
  Sent: (seed) => sent(seed, forOrder(seed)),
  Unknown: (seed) => unknown(seed, forOrder(seed)),
  ManualReview: (seed) => getOrThrow(Attempt.review(unknown(seed, forOrder(seed)), Fixtures.later(70), "모름")),
  Approved: (seed) => new Attempt.Approved(fieldsOf(approved(seed, forOrder(seed), true))),
  ApprovedSurplus: (seed) => new Attempt.ApprovedSurplus(fieldsOf(approved(seed, forOrder(seed), false))),
  Refunded: (seed) => refundedSurplus(seed, forOrder(seed)),
  Declined: (seed) => {
    const declined = getOrThrow(Attempt.decline(sent(seed, forOrder(seed)), Fixtures.later(3), Fixtures.softDecline()))
    if (declined._tag !== "Declined") throw new Error("a sent attempt can be declined")
    return declined
  },
  NotExecuted: (seed) =>
    getOrThrow(
      Attempt.notExecuted(sent(seed, forOrder(seed)), { at: Fixtures.later(3), why: "local", detail: "ECONNREFUSED" })
    ),
  Withdrawn: (seed) => getOrThrow(Attempt.withdraw(prepared(seed, forOrder(seed)), Fixtures.later(3), "취소")),
  Abandoned: (seed) =>
    getOrThrow(Attempt.abandon(Fixtures.awaitingCustomerAttempt({}, seed), Fixtures.later(20), "its time is over")),
  Superseded: (seed) => getOrThrow(Attempt.supersede(Fixtures.awaitingCustomerAttempt({}, seed), Fixtures.later(2)))
}

/** Attempts of other purposes, references and reasons. */
export const attemptVarieties: Readonly<Record<string, (seed: string) => Attempt.Attempt>> = {
  ...Object.fromEntries(
    Object.entries(purposes).flatMap(([name, purpose]) => [
      [`Prepared ${name}`, (seed: string) => prepared(seed, purpose(seed))],
      [`Sent ${name}`, (seed: string) => sent(seed, purpose(seed))],
      [`Unknown ${name}`, (seed: string) => unknown(seed, purpose(seed))],
      [`Approved ${name}`, (seed: string) => approved(seed, purpose(seed), true)]
    ])
  ),
  "Approved with a reference to come": (seed) => {
    const before = sent(seed, Fixtures.forCycle({}, seed))
    return getOrThrow(
      Attempt.approve(before, {
        at: Fixtures.later(3),
        reference: Fixtures.awaitingReference(),
        amount: before.amount,
        isOwed: true
      })
    )
  },
  "Approved without the provider's request id and method": (seed) => {
    const before = sent(seed, Fixtures.forCycle({}, seed))
    const reference = new Attempt.Known({ ...Fixtures.knownReference(), approvalId: null, method: null })
    return getOrThrow(
      Attempt.approve(before, { at: Fixtures.later(3), reference, amount: before.amount, isOwed: true })
    )
  },
  "Approved with a refund in flight": (seed) =>
    getOrThrow(
      Attempt.beginRefund(
        getOrThrow(Attempt.reserveRefund(approved(seed, forOrder(seed), true), Fixtures.won(9_000))),
        Fixtures.anyRefundId(seed)
      )
    ),
  ...Object.fromEntries(
    [Fixtures.hardDecline(), Fixtures.blockedDecline()].map((reason) => [
      `Declined ${reason._tag}`,
      (seed: string) => getOrThrow(Attempt.decline(sent(seed, forOrder(seed)), Fixtures.later(3), reason))
    ])
  ),
  ...Object.fromEntries(
    (["word", "ours", "inferred"] as const).map((why) => [
      `NotExecuted ${why}`,
      (seed: string) =>
        getOrThrow(Attempt.notExecuted(sent(seed, forOrder(seed)), { at: Fixtures.later(3), why, detail: "" }))
    ])
  ),
  "Abandoned after it was sent": (seed) =>
    getOrThrow(Attempt.abandon(sent(seed, forOrder(seed)), Fixtures.later(20), "its time is over"))
}

// -----------------------------------------------------------------------------
// Subscriptions, cycles and keys
// -----------------------------------------------------------------------------

/** A subscription in every state. */
export const subscriptionStates: States<SubscriptionOrder.SubscriptionOrder> = {
  AwaitingBillingKey: (seed) => Fixtures.keylessSubscription({}, seed),
  Active: (seed) => Fixtures.subscription({}, seed),
  PastDue: (seed) => Fixtures.pastDueSubscription(seed),
  Paused: (seed) => Fixtures.pausedSubscription(seed),
  Cancelled: (seed) => Fixtures.cancelledSubscription(seed)
}

/** Subscriptions that wait for a named key, resume by themselves, skipped, or ended for other reasons. */
export const subscriptionVarieties: Readonly<Record<string, (seed: string) => SubscriptionOrder.SubscriptionOrder>> = {
  "AwaitingBillingKey with a key to register": (seed) =>
    getOrThrow(SubscriptionOrder.expectKey(Fixtures.keylessSubscription({}, seed), Fixtures.anyBillingKeyId(seed))),
  "Active after a renewal": (seed) =>
    getOrThrow(SubscriptionOrder.settle(Fixtures.subscription({}, seed), Fixtures.day("2026-02-14"))),
  "Active after a skip": (seed) => getOrThrow(SubscriptionOrder.skip(Fixtures.subscription({}, seed))),
  "Paused by policy until a date": (seed) =>
    getOrThrow(SubscriptionOrder.pause(Fixtures.subscription({}, seed), "policy", Fixtures.day("2026-03-01"))),
  ...Object.fromEntries(
    SubscriptionOrder.CancelReason.literals.map((reason) => [
      `Cancelled ${reason} without a key`,
      (seed: string) =>
        getOrThrow(SubscriptionOrder.cancel(Fixtures.keylessSubscription({}, seed), reason, Fixtures.later(9)))
    ])
  )
}

const declined = (seed: string, policy = DunningPolicy.standard) =>
  BillingCycle.declineHard(
    Fixtures.inFlightCycle({}, seed),
    Fixtures.anyAttemptId(seed),
    Fixtures.day("2026-02-14"),
    policy,
    Fixtures.day("2026-02-14")
  )

/** A cycle in every state. */
export const cycleStates: States<BillingCycle.BillingCycle> = {
  Due: (seed) => Fixtures.dueCycle({}, seed),
  RetryDue: (seed) => Fixtures.retryDueCycle(seed),
  Blocked: (seed) =>
    getOrThrow(
      BillingCycle.block(Fixtures.inFlightCycle({}, seed), Fixtures.anyAttemptId(seed), Fixtures.day("2026-02-14"))
    ),
  AwaitingKey: (seed) => getOrThrow(declined(seed)),
  InFlight: (seed) => Fixtures.inFlightCycle({}, seed),
  InDoubt: (seed) => Fixtures.inDoubtCycle({}, seed),
  Charged: (seed) =>
    getOrThrow(
      BillingCycle.charge(Fixtures.inFlightCycle({}, seed), Fixtures.anyAttemptId(seed), Fixtures.day("2026-02-14"))
    ),
  Skipped: (seed) => getOrThrow(BillingCycle.skip(Fixtures.dueCycle({}, seed), "owner")),
  Abandoned: (seed) => getOrThrow(BillingCycle.abandon(Fixtures.dueCycle({}, seed), "cancelled"))
}

/** Cycles that were moved, wait without a ladder, or closed for other reasons. */
export const cycleVarieties: Readonly<Record<string, (seed: string) => BillingCycle.BillingCycle>> = {
  "Due again, with its quantity fixed": (seed) =>
    getOrThrow(
      BillingCycle.giveBack(Fixtures.inFlightCycle({}, seed), Fixtures.anyAttemptId(seed), Fixtures.day("2026-02-15"))
    ),
  "Due on a date the owner chose": (seed) =>
    getOrThrow(BillingCycle.postpone(Fixtures.dueCycle({}, seed), 5, Fixtures.day("2026-02-10"))),
  "AwaitingKey without a ladder": (seed) => Fixtures.keylessCycle(seed),
  "Charged by another attempt than its holder": (seed) =>
    getOrThrow(
      BillingCycle.charge(
        Fixtures.inDoubtCycle({}, seed),
        Fixtures.anyAttemptId(`${seed}/late`),
        Fixtures.day("2026-02-16")
      )
    ),
  ...Object.fromEntries(
    BillingCycle.SkipReason.literals.map((reason) => [
      `Skipped ${reason}`,
      (seed: string) => getOrThrow(BillingCycle.skip(Fixtures.dueCycle({}, seed), reason))
    ])
  ),
  "Abandoned at the end of its ladder": (seed) =>
    getOrThrow(
      BillingCycle.exhaust(
        Fixtures.inFlightCycle({}, seed),
        Fixtures.anyAttemptId(seed),
        BusinessDate.addDays(Fixtures.day("2026-02-14"), 5),
        "Abandoned"
      )
    )
}

const activeKey = (seed: string): BillingKey.Active =>
  Fixtures.activeKey({ billingKey: ProviderBillingKey.make(`S-${seed}`) }, seed)

const retiring = (seed: string): BillingKey.Retiring =>
  getOrThrow(BillingKey.retire(BillingKey.detach(activeKey(seed))))

/** A billing key in every state. */
export const billingKeyStates: States<BillingKey.BillingKey> = {
  Pending: (seed) => Fixtures.pendingKey({}, seed),
  Active: activeKey,
  Retiring: retiring,
  Retired: (seed) => getOrThrow(BillingKey.confirmRetired(retiring(seed))),
  Revoked: (seed) => getOrThrow(BillingKey.revoke(activeKey(seed))),
  Frozen: (seed) => getOrThrow(BillingKey.freeze(activeKey(seed))),
  Abandoned: (seed) => getOrThrow(BillingKey.abandon(Fixtures.pendingKey({}, seed)))
}

/** Billing keys that are held, or of which no approval is known. */
export const billingKeyVarieties: Readonly<Record<string, (seed: string) => BillingKey.BillingKey>> = {
  "Active and held": (seed) => getOrThrow(BillingKey.hold(activeKey(seed), Fixtures.anyAttemptId(seed))),
  "Active without a known approval": (seed) =>
    getOrThrow(
      BillingKey.activate(Fixtures.pendingKey({ liveUses: 0 }, seed), ProviderBillingKey.make(`S-${seed}`), null)
    )
}

// -----------------------------------------------------------------------------
// Refunds
// -----------------------------------------------------------------------------

const requested = (seed: string): Refund.Requested =>
  Fixtures.requestedRefund({ attemptId: Fixtures.anyAttemptId(seed) }, seed)

const sentRefund = (seed: string): Refund.Sent =>
  getOrThrow(
    Refund.send(requested(seed), {
      at: Fixtures.later(31),
      leaseExpiresAt: Fixtures.later(32),
      refundedBefore: Fixtures.won(1_000)
    })
  )

const unknownRefund = (seed: string): Refund.Unknown =>
  getOrThrow(
    Refund.loseAnswer(sentRefund(seed), { at: Fixtures.later(33), nextAskAt: Fixtures.later(38), detail: "시간 초과" })
  )

/** A refund in every state. */
export const refundStates: States<Refund.Refund> = {
  Requested: requested,
  Parked: (seed) => getOrThrow(Refund.park(requested(seed))),
  Sent: sentRefund,
  Unknown: unknownRefund,
  Completed: (seed) => getOrThrow(Refund.complete(sentRefund(seed), Fixtures.later(33))),
  Rejected: (seed) => getOrThrow(Refund.reject(sentRefund(seed), Fixtures.later(33), "기간 초과")),
  ManualReview: (seed) => getOrThrow(Refund.review(unknownRefund(seed), Fixtures.later(99), "모름"))
}

/** Refunds of a surplus, and of several lines. */
export const refundVarieties: Readonly<Record<string, (seed: string) => Refund.Refund>> = {
  "Requested for a surplus": (seed) => new Refund.Requested({ ...requested(seed), orderId: null, lines: [] }),
  "Requested for several lines": (seed) =>
    new Refund.Requested({
      ...requested(seed),
      lines: [
        { lineId: Fixtures.anyOrderLineId(`${seed}/1`), quantity: 1 },
        { lineId: Fixtures.anyOrderLineId(`${seed}/2`), quantity: 999 }
      ]
    }),
  "Unknown and asked about": (seed) => getOrThrow(Refund.askAgain(unknownRefund(seed), Fixtures.later(98)))
}
