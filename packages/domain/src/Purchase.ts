/**
 * The payment of an order: which transaction may be opened and approved, and what its outcome does to the books.
 *
 * An order is paid by one transaction at a time. A newer one takes the place of those that still wait, and while an
 * approval is sent or in doubt it holds the order, so that no other can be sent. An approval makes the order paid and,
 * where lines are subscriptions, begins one subscription a line with the billing key that the same approval issued. Each
 * decision takes the rows as read and answers the rows to write in one transaction, without any effect.
 *
 * @since 0.1.0
 */
import * as DateTime from "effect/DateTime"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Attempt from "./Attempt.ts"
import * as BillingCycle from "./BillingCycle.ts"
import * as BillingKey from "./BillingKey.ts"
import * as BusinessDate from "./BusinessDate.ts"
import type { DeclineReason } from "./DeclineReason.ts"
import * as DomainEvent from "./DomainEvent.ts"
import { AttemptId, BillingKeyId, OrderId, SubscriptionId } from "./Ids.ts"
import * as Order from "./Order.ts"
import type { PaymentFound, Prepared } from "./PaymentStrategy.ts"
import type { ApprovalToken, ProviderBillingKey } from "./Provider.ts"
import type { ProviderAnswer } from "./ProviderAnswer.ts"
import * as Refund from "./Refund.ts"
import * as SubscriptionOrder from "./SubscriptionOrder.ts"
import type * as Won from "./Won.ts"

// -----------------------------------------------------------------------------
// opening a transaction
// -----------------------------------------------------------------------------

/** The order cannot be paid any more: it is paid, expired or failed, or its time is over (then `state` is `Expired`). */
export class OrderNotPayable extends Schema.TaggedError<OrderNotPayable>("@pillivery/domain/Purchase/OrderNotPayable")(
  "OrderNotPayable",
  { orderId: OrderId, state: Schema.String }
) {
  override get message() {
    return `order ${this.orderId} is ${this.state} and cannot be paid`
  }
}

/** An approval of the order is sent or in doubt; until it is settled no other may be. */
export class ApprovalUnderWay extends Schema.TaggedError<ApprovalUnderWay>(
  "@pillivery/domain/Purchase/ApprovalUnderWay"
)("ApprovalUnderWay", { orderId: OrderId, attemptId: AttemptId }) {
  override get message() {
    return `order ${this.orderId} is being paid by attempt ${this.attemptId}`
  }
}

/** An order for which a transaction may be opened at `at`. */
export const payable = (
  order: Order.Order,
  at: DateTime.Utc
): Result.Result<Order.Placed, OrderNotPayable | ApprovalUnderWay> => {
  if (order._tag !== "Placed") return Result.fail(new OrderNotPayable({ orderId: order.id, state: order._tag }))
  if (order.approvingAttempt !== null) {
    return Result.fail(new ApprovalUnderWay({ orderId: order.id, attemptId: order.approvingAttempt }))
  }
  return at.epochMilliseconds < order.expiresAt.epochMilliseconds
    ? Result.succeed(order)
    : Result.fail(new OrderNotPayable({ orderId: order.id, state: "Expired" }))
}

/** A transaction that the customer can approve now, and the older ones whose place it took. */
export interface Offer {
  readonly attempt: Attempt.AwaitingCustomer
  readonly superseded: ReadonlyArray<Attempt.Superseded>
}

/**
 * The provider opened the transaction of a prepared attempt: it waits for the customer, and `others` of the same payment
 * that wait are superseded. `order` is what it would pay, null where only a billing key is registered; it is judged
 * again, since it may have been paid or expired while the provider was asked.
 */
export const offer = (
  books: {
    readonly attempt: Attempt.Attempt
    readonly others: ReadonlyArray<Attempt.Attempt>
    readonly order: Order.Order | null
  },
  opened: Pick<Prepared, "transactionId" | "redirectUrls" | "expiresAt">,
  at: DateTime.Utc
): Result.Result<Offer, OrderNotPayable | ApprovalUnderWay | Attempt.AttemptTransitionDenied> =>
  Result.gen(function* () {
    if (books.order !== null) yield* payable(books.order, at)
    const attempt = yield* Attempt.awaitCustomer(books.attempt, opened)
    const superseded: Array<Attempt.Superseded> = []
    for (const other of books.others) {
      if (other._tag === "AwaitingCustomer" && other.id !== attempt.id) {
        superseded.push(yield* Attempt.supersede(other, at))
      }
    }
    return { attempt, superseded }
  })

/**
 * What a visit of the customer who turned back does, given how the provider shows the transaction: a waiting one that
 * failed there is abandoned; null where nothing changes. The visit itself proves nothing.
 */
export const leave = (
  attempt: Attempt.Attempt,
  standing: PaymentFound["standing"],
  at: DateTime.Utc
): Attempt.Abandoned | null =>
  attempt._tag === "AwaitingCustomer" && standing === "failed"
    ? Result.getOrNull(Attempt.abandon(attempt, at, "the customer turned back at the provider"))
    : null

/** What a waiting transaction becomes once its time to be approved is over; null while it is not. */
export const lapse = (attempt: Attempt.Attempt, at: DateTime.Utc): Attempt.Abandoned | null =>
  attempt._tag === "AwaitingCustomer" && attempt.expiresAt.epochMilliseconds <= at.epochMilliseconds
    ? Result.getOrNull(Attempt.abandon(attempt, at, "its time is over"))
    : null

// -----------------------------------------------------------------------------
// sending an approval
// -----------------------------------------------------------------------------

/** The rows an approval changes before it is sent. */
export interface Sending {
  readonly attempt: Attempt.Sent
  readonly order: Order.Placed
}

/**
 * Sends the customer's approval: the attempt takes the order's one place for an approval, unless the order is over or
 * another attempt holds it.
 *
 * **Gotchas**
 *
 * Only a waiting attempt can be sent. An approval in doubt is asked about and never sent again, not even while the
 * provider shows it waiting: an answer to the second call would say nothing about the first.
 */
export const sendApproval = (
  books: Books,
  dispatch: { readonly at: DateTime.Utc; readonly lease: Attempt.Lease; readonly approvalToken: ApprovalToken }
): Result.Result<Sending, Attempt.AttemptTransitionDenied | Order.OrderTransitionDenied> =>
  Result.gen(function* () {
    const { attempt } = books
    if (attempt._tag !== "AwaitingCustomer") {
      const denied = { attemptId: attempt.id, from: attempt._tag, command: "sendApproval" }
      return yield* Result.fail(new Attempt.AttemptTransitionDenied(denied))
    }
    const order = yield* Order.beginApproval(books.order, attempt.id, dispatch.at)
    return { order, attempt: yield* Attempt.send(attempt, { ...dispatch, baseline: null }) }
  })

// -----------------------------------------------------------------------------
// what is known of it
// -----------------------------------------------------------------------------

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
  /** A person found that no money moved. */
  | { readonly _tag: "NotExecuted"; readonly detail: string }
  | { readonly _tag: "Lost"; readonly nextAskAt: DateTime.Utc; readonly detail: string }
  | { readonly _tag: "NeedsReview"; readonly detail: string }

/** What an answer or a lookup says of an approval, before it is decided when to ask again. */
export type Finding =
  | Exclude<Outcome, { readonly _tag: "Lost" }>
  | { readonly _tag: "StillUnknown"; readonly detail: string }

/** What a provider's answer to an approval means for the books. */
export const findingOf = (answer: ProviderAnswer): Finding => {
  switch (answer._tag) {
    case "Approved":
      return {
        _tag: "Approved",
        amount: answer.amount,
        billingKey: answer.billingKey,
        reference: new Attempt.Known({
          transactionId: answer.transactionId,
          approvalId: answer.approvalId,
          approvedAt: answer.approvedAt,
          method: answer.method
        })
      }
    case "Declined":
      return { _tag: "Declined", reason: answer.reason }
    case "NotYet":
      return { _tag: "NotYet" }
    case "Expired":
      return { _tag: "Over", detail: answer.detail }
    case "NotExecuted":
      // The same transaction can still be approved, unless the provider's own word has to be checked first.
      return answer.why === "word" ? { _tag: "StillUnknown", detail: answer.detail } : { _tag: "NotYet" }
    case "Unknown":
      return { _tag: "StillUnknown", detail: answer.detail }
  }
}

/**
 * From when an approval that the provider does not show done never will be: `graceMinutes` after its transaction's time
 * to be approved is over. Until then it holds its order, and no new transaction may take its place.
 */
export const overFrom = (attempt: Attempt.Sent | Attempt.Unknown, graceMinutes: number): DateTime.Utc =>
  DateTime.add(attempt.expiresAt ?? attempt.sentAt, { minutes: graceMinutes })

/**
 * What the provider's own books show of an approval in doubt. `askedAt` is business time read before the lookup, so that
 * what was shown is not believed earlier than it may be.
 */
export const findingShown = (
  attempt: Attempt.Unknown,
  found: Pick<PaymentFound, "standing" | "attemptId" | "amount" | "refundedTotal" | "approvedAt">,
  asked: { readonly askedAt: DateTime.Utc; readonly graceMinutes: number }
): Finding => {
  if (found.attemptId !== null && found.attemptId !== attempt.id) {
    return { _tag: "NeedsReview", detail: `the provider shows it as payment ${found.attemptId}` }
  }
  if (found.refundedTotal > 0) {
    return { _tag: "NeedsReview", detail: `the provider gave back ${found.refundedTotal} won of it already` }
  }
  if (found.standing === "approved") {
    // Approved without a time is still approved: it can never be taken for over.
    return found.approvedAt === null || attempt.transactionId === null
      ? { _tag: "StillUnknown", detail: "the provider shows it approved" }
      : {
          _tag: "Approved",
          amount: found.amount,
          billingKey: null,
          reference: new Attempt.Known({
            transactionId: attempt.transactionId,
            approvalId: null,
            approvedAt: found.approvedAt,
            method: null
          })
        }
  }
  return asked.askedAt.epochMilliseconds >= overFrom(attempt, asked.graceMinutes).epochMilliseconds
    ? { _tag: "Over", detail: `the provider shows it ${found.standing} after its time` }
    : { _tag: "StillUnknown", detail: `the provider shows it ${found.standing}` }
}

// -----------------------------------------------------------------------------
// recording it
// -----------------------------------------------------------------------------

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
    case "NotExecuted":
      return Result.map(Attempt.notExecuted(attempt, { at, why: "inferred", detail: outcome.detail }), (next) =>
        ended(next, order)
      )
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
