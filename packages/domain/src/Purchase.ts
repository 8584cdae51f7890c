/**
 * What the outcome of an order's payment does to the books.
 *
 * An approval makes the order paid and, where lines are subscriptions, begins one subscription a line with the billing
 * key that the same approval issued. It is decided here without any effect and written in one transaction.
 *
 * @since 0.1.0
 */
import type * as DateTime from "effect/DateTime"
import * as Result from "effect/Result"
import * as Attempt from "./Attempt.ts"
import * as BillingCycle from "./BillingCycle.ts"
import * as BillingKey from "./BillingKey.ts"
import * as BusinessDate from "./BusinessDate.ts"
import type { DeclineReason } from "./DeclineReason.ts"
import * as DomainEvent from "./DomainEvent.ts"
import { BillingKeyId, SubscriptionId } from "./Ids.ts"
import * as Order from "./Order.ts"
import type { ProviderBillingKey } from "./Provider.ts"
import * as Refund from "./Refund.ts"
import * as SubscriptionOrder from "./SubscriptionOrder.ts"
import type * as Won from "./Won.ts"

/** What is known about an approval that was sent. */
export type Outcome =
  | {
      readonly _tag: "Approved"
      readonly reference: Attempt.Known
      readonly amount: Won.Won
      readonly billingKey: ProviderBillingKey | null
    }
  | { readonly _tag: "Declined"; readonly reason: DeclineReason }
  /** The customer or the call had not finished: the same transaction may be approved later. */
  | { readonly _tag: "NotYet" }
  /** This transaction can never be approved any more. */
  | { readonly _tag: "Over"; readonly detail: string }
  | { readonly _tag: "Lost"; readonly nextAskAt: DateTime.Utc; readonly detail: string }
  | { readonly _tag: "NeedsReview"; readonly detail: string }

/** The rows a payment of an order touches, as read. */
export interface Books {
  readonly attempt: Attempt.Attempt
  readonly order: Order.Order
}

/** The rows to write. Absent means unchanged. */
export interface Entries {
  readonly attempt: Attempt.Attempt
  readonly order?: Order.Order
  /** Whether the order became paid by this. */
  readonly isPaid: boolean
  readonly key?: BillingKey.BillingKey
  readonly subscriptions: ReadonlyArray<SubscriptionOrder.Active | SubscriptionOrder.AwaitingBillingKey>
  readonly cycles: ReadonlyArray<BillingCycle.BillingCycle>
  readonly refund?: Refund.Requested
  readonly events: ReadonlyArray<DomainEvent.DomainEvent>
}

/** The books do not allow the outcome: it was recorded before, or contradicts them. */
export type Denied = Attempt.AttemptTransitionDenied | Attempt.RefundNotAvailable | Order.OrderTransitionDenied

/** Decides what an outcome does to the books at `at`. */
export const settle = (books: Books, outcome: Outcome, at: DateTime.Utc): Result.Result<Entries, Denied> => {
  const { attempt, order } = books
  switch (outcome._tag) {
    case "Approved":
      return outcome.amount === attempt.amount
        ? approved(books, outcome.reference, outcome.billingKey, at)
        : needsReview(attempt, `approved ${outcome.amount} won instead of ${attempt.amount}`, at)
    case "Declined":
      return Result.map(Attempt.decline(attempt, at, outcome.reason), (next) => ended(next, order))
    case "NotYet":
      return Result.map(Attempt.waitAgain(attempt), (next) => ended(next, order))
    case "Over":
      return Result.map(Attempt.abandon(attempt, at, outcome.detail), (next) => ended(next, order))
    case "Lost":
      return Result.map(
        attempt._tag === "Unknown"
          ? Attempt.askAgain(attempt, outcome.nextAskAt)
          : Attempt.loseAnswer(attempt, { at, nextAskAt: outcome.nextAskAt, detail: outcome.detail }),
        (next) => ({ ...nothing, attempt: next })
      )
    case "NeedsReview":
      return needsReview(attempt, outcome.detail, at)
  }
}

const nothing = { isPaid: false, subscriptions: [], cycles: [], events: [] }

// The order is free again for another try; only the attempt that held it frees it.
const ended = (attempt: Attempt.Attempt, order: Order.Order): Entries =>
  order._tag === "Placed" && order.approvingAttempt === attempt.id
    ? { ...nothing, attempt, order: Order.endApproval(order, attempt.id) }
    : { ...nothing, attempt }

const needsReview = (attempt: Attempt.Attempt, detail: string, at: DateTime.Utc): Result.Result<Entries, Denied> =>
  Result.map(Attempt.review(attempt, at, detail), (next) => ({
    ...nothing,
    attempt: next,
    events: [
      new DomainEvent.PaymentNeedsReview({
        eventId: DomainEvent.eventId(attempt.id, "PaymentNeedsReview"),
        at,
        attemptId: attempt.id,
        userId: attempt.purpose.userId,
        detail: detail.slice(0, 500)
      })
    ]
  }))

const approved = (
  books: Books,
  reference: Attempt.Known,
  billingKey: ProviderBillingKey | null,
  at: DateTime.Utc
): Result.Result<Entries, Denied> =>
  Result.gen(function* () {
    const { attempt, order } = books
    const isOwed = order._tag === "Placed"
    const settled = yield* Attempt.approve(attempt, { at, reference, amount: attempt.amount, isOwed })
    if (!isOwed) return yield* surplus(settled, at)
    const paid = yield* Order.pay(order, attempt.id, at)
    const events: Array<DomainEvent.DomainEvent> = [
      new DomainEvent.OrderPaid({
        eventId: DomainEvent.eventId(attempt.id, "OrderPaid"),
        at,
        orderId: order.id,
        userId: order.userId,
        attemptId: attempt.id,
        amount: attempt.amount
      })
    ]
    const lines = paid.lines.flatMap((line) => (line.period === null ? [] : [{ line, period: line.period }]))
    const key =
      billingKey === null || lines.length === 0
        ? null
        : BillingKey.issuedWithPayment({
            id: BillingKeyId.make(attempt.id),
            userId: order.userId,
            provider: attempt.provider,
            merchantAccount: attempt.merchantAccount,
            customerReference: attempt.customerReference,
            billingKey,
            liveUses: lines.length,
            approvedAt: reference.approvedAt,
            at
          })
    const anchor = BusinessDate.fromInstant(settled.sentAt)
    const subscriptions: Array<SubscriptionOrder.Active | SubscriptionOrder.AwaitingBillingKey> = []
    const cycles: Array<BillingCycle.BillingCycle> = []
    for (const { line, period } of lines) {
      const subscription = SubscriptionOrder.begin({
        id: SubscriptionId.make(line.id),
        userId: order.userId,
        orderId: order.id,
        line,
        period,
        anchor,
        receiver: order.receiver,
        billingKeyId: key?.id ?? null,
        at
      })
      const gridDate = BusinessDate.addDays(anchor, period)
      subscriptions.push(subscription)
      cycles.push(BillingCycle.open({ subscriptionId: subscription.id, number: 1, gridDate, hasKey: key !== null }))
      events.push(
        new DomainEvent.SubscriptionStarted({
          eventId: DomainEvent.eventId(subscription.id, "SubscriptionStarted"),
          at,
          subscriptionId: subscription.id,
          userId: order.userId,
          nextDueDate: gridDate
        })
      )
      if (key === null) {
        events.push(
          new DomainEvent.BillingKeyRegistrationRequested({
            eventId: DomainEvent.eventId(subscription.id, "BillingKeyRegistrationRequested"),
            at,
            subscriptionId: subscription.id,
            userId: order.userId
          })
        )
      }
    }
    return {
      attempt: settled,
      order: paid,
      isPaid: true,
      ...(key === null ? {} : { key }),
      subscriptions,
      cycles,
      events
    }
  })

// The order was paid by another attempt or is over: the money goes back in full, queued in the same transaction.
const surplus = (
  settled: Attempt.Approved | Attempt.ApprovedSurplus,
  at: DateTime.Utc
): Result.Result<Entries, Denied> =>
  Result.gen(function* () {
    const refundId = Refund.surplusId(settled.id)
    const refund = {
      refundId,
      attemptId: settled.id,
      orderId: null,
      userId: settled.purpose.userId,
      amount: settled.approved
    }
    return {
      ...nothing,
      attempt: yield* Attempt.reserveRefund(settled, settled.approved),
      refund: new Refund.Requested({
        ...refund,
        id: refundId,
        lines: [],
        reason: "paid though the order was not open any more",
        requestedAt: at,
        dispatches: 0,
        version: 0
      }),
      events: [
        new DomainEvent.RefundRequested({
          ...refund,
          eventId: DomainEvent.eventId(refundId, "RefundRequested"),
          at
        })
      ]
    }
  })
