/**
 * What the outcome of a renewal's charge does to the books.
 *
 * One charge touches an attempt, its cycle, the subscription and the billing key. This module decides, without any
 * effect, what each of them becomes, what is opened next and who is told; a use case reads the four, asks, and writes
 * the answer in one transaction.
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
import * as DunningPolicy from "./DunningPolicy.ts"
import { OrderId, OrderLineId } from "./Ids.ts"
import * as Order from "./Order.ts"
import type { Quantity } from "./Quantity.ts"
import * as Refund from "./Refund.ts"
import * as SubscriptionOrder from "./SubscriptionOrder.ts"
import * as Won from "./Won.ts"

/** What is known about a charge that was sent. */
export type Outcome =
  | { readonly _tag: "Approved"; readonly reference: Attempt.Reference; readonly amount: Won.Won }
  | { readonly _tag: "Declined"; readonly reason: DeclineReason }
  | { readonly _tag: "NotExecuted"; readonly why: Attempt.NotExecuted["why"]; readonly detail: string }
  | { readonly _tag: "Lost"; readonly nextAskAt: DateTime.Utc; readonly detail: string }
  | { readonly _tag: "NeedsReview"; readonly detail: string }

/** The rows a charge touches, as read. */
export interface Books {
  readonly attempt: Attempt.Attempt
  readonly cycle: BillingCycle.BillingCycle
  readonly subscription: SubscriptionOrder.SubscriptionOrder
  readonly key: BillingKey.BillingKey
}

/** The rows to write: changed ones, new ones, and what happened. Absent means unchanged. */
export interface Entries {
  readonly attempt?: Attempt.Attempt
  readonly cycle?: BillingCycle.BillingCycle
  readonly subscription?: SubscriptionOrder.SubscriptionOrder
  readonly key?: BillingKey.BillingKey
  readonly opened: ReadonlyArray<BillingCycle.BillingCycle>
  readonly order?: Order.Paid
  readonly refund?: Refund.Requested
  readonly events: ReadonlyArray<DomainEvent.DomainEvent>
}

/** When the books are written, in business time. */
export interface Context {
  readonly at: DateTime.Utc
  readonly policy: DunningPolicy.DunningPolicy
}

/** The books do not allow the outcome: it was recorded before, or contradicts them. */
export type Denied =
  | Attempt.AttemptTransitionDenied
  | Attempt.RefundNotAvailable
  | BillingCycle.CycleTransitionDenied
  | BillingKey.BillingKeyTransitionDenied
  | SubscriptionOrder.SubscriptionTransitionDenied
  | Won.WonOutOfRange

/** Decides what an outcome does to the books. */
export const settle = (books: Books, outcome: Outcome, context: Context): Result.Result<Entries, Denied> => {
  switch (outcome._tag) {
    case "Approved":
      return outcome.amount === books.attempt.amount
        ? approved(books, outcome.reference, context)
        : wrongAmount(books, outcome.reference, outcome.amount, context)
    case "Declined":
      return declined(books, outcome.reason, context)
    case "NotExecuted":
      return notExecuted(books, outcome.why, outcome.detail, context)
    case "Lost":
      return lost(books, outcome.nextAskAt, outcome.detail, context)
    case "NeedsReview":
      // Whoever asked about it may have read a row that was settled meanwhile: what is decided is no person's to decide.
      return books.attempt._tag === "Sent" || books.attempt._tag === "Unknown"
        ? needsReview(books, outcome.detail, context)
        : Result.fail(
            new Attempt.AttemptTransitionDenied({
              attemptId: books.attempt.id,
              from: books.attempt._tag,
              command: "review"
            })
          )
  }
}

/** Ends a cycle that no attempt holds, at the end of its ladder. */
export const giveUp = (books: Omit<Books, "attempt">, context: Context): Result.Result<Entries, Denied> =>
  finalAction(books, { attemptId: null, on: BusinessDate.fromInstant(context.at), key: books.key, context })

/** Leaves out a delivery that cannot be made, and opens the next. */
export const skip = (
  books: Omit<Books, "attempt">,
  reason: "itemGone",
  context: Context
): Result.Result<Entries, Denied> =>
  Result.gen(function* () {
    const { cycle, subscription } = books
    return {
      cycle: yield* BillingCycle.skip(cycle, reason),
      opened: openNext(subscription, cycle, null, context.at),
      events: [
        new DomainEvent.CycleSkipped({
          eventId: DomainEvent.eventId(`${subscription.id}/${cycle.number}`, "CycleSkipped"),
          at: context.at,
          subscriptionId: subscription.id,
          cycleNumber: cycle.number,
          userId: subscription.userId,
          reason
        })
      ]
    }
  })

/** The key died for another subscription: this one waits for a new key too, and its user is told. */
export const loseKey = (books: Omit<Books, "attempt">, context: Context): Result.Result<Entries, Denied> =>
  Result.gen(function* () {
    const { cycle, key, subscription } = books
    return {
      cycle: yield* BillingCycle.loseKey(cycle, BusinessDate.fromInstant(context.at), context.policy),
      subscription: yield* SubscriptionOrder.fallBehind(subscription),
      opened: [],
      events: [
        new DomainEvent.BillingKeyRevoked({
          eventId: DomainEvent.eventId(`${subscription.id}/${cycle.number}`, "BillingKeyRevoked"),
          at: context.at,
          billingKeyId: key.id,
          userId: subscription.userId
        })
      ]
    }
  })

/** The key was used as often as it may be this month: this cycle waits for the next one. */
export const block = (books: Omit<Books, "attempt">, context: Context): Result.Result<Entries, Denied> =>
  Result.map(BillingCycle.block(books.cycle, null, BusinessDate.fromInstant(context.at)), (cycle) => ({
    cycle,
    opened: [],
    events: []
  }))

const approved = (books: Books, reference: Attempt.Reference, context: Context): Result.Result<Entries, Denied> =>
  Result.gen(function* () {
    const { attempt, cycle, subscription } = books
    const released = BillingKey.rememberApproval(BillingKey.release(books.key, attempt.id), reference.approvedAt)
    // An approval that was inferred, or already given back as a surplus, only learns its name.
    if (attempt._tag === "Approved" || attempt._tag === "ApprovedSurplus") {
      return {
        attempt: yield* Attempt.approve(attempt, {
          at: context.at,
          reference,
          amount: attempt.amount,
          isOwed: attempt._tag === "Approved"
        }),
        key: released,
        opened: [],
        events: []
      }
    }
    const isOwed = BillingCycle.isOpen(cycle) && subscription._tag !== "Cancelled"
    const settled = yield* Attempt.approve(attempt, { at: context.at, reference, amount: attempt.amount, isOwed })
    if (!isOwed) return yield* surplus({ ...books, attempt: settled, key: released }, context)
    const chargedOn = BusinessDate.fromInstant(settled.sentAt)
    const orderId = OrderId.make(attempt.id)
    const order = yield* Order.renew({
      id: orderId,
      userId: subscription.userId,
      origin: new Order.FromRenewal({ subscriptionId: subscription.id, cycleNumber: cycle.number }),
      line: Order.OrderLine.make({
        id: OrderLineId.make(attempt.id),
        itemId: subscription.itemId,
        itemName: subscription.itemName,
        originPrice: subscription.unitPrice,
        unitPrice: subscription.unitPrice,
        quantity: attempt.quantity as Quantity,
        period: null,
        refundedQuantity: 0
      }),
      receiver: subscription.receiver,
      attemptId: attempt.id,
      at: context.at
    })
    return {
      attempt: settled,
      cycle: yield* BillingCycle.charge(cycle, attempt.id, chargedOn),
      subscription: yield* SubscriptionOrder.settle(subscription, cycle.dueDate),
      key: released,
      opened: openNext(subscription, cycle, chargedOn, context.at),
      order,
      events: [
        new DomainEvent.CycleCharged({
          eventId: DomainEvent.eventId(attempt.id, "CycleCharged"),
          at: context.at,
          subscriptionId: subscription.id,
          cycleNumber: cycle.number,
          userId: subscription.userId,
          attemptId: attempt.id,
          orderId,
          amount: attempt.amount,
          chargedOn
        })
      ]
    }
  })

// Nothing is owed any more: the money goes back in full, queued in the same transaction.
const surplus = (books: Books, context: Context): Result.Result<Entries, Denied> =>
  Result.gen(function* () {
    const { attempt, cycle, key, subscription } = books
    const refundId = Refund.surplusId(attempt.id)
    const reserved = yield* Attempt.reserveRefund(attempt, attempt.amount)
    return {
      attempt: reserved,
      ...(BillingCycle.isOpen(cycle)
        ? yield* closeForCancelled(cycle, subscription, attempt.id, context)
        : letGo(cycle, attempt.id)),
      key,
      opened: [],
      refund: new Refund.Requested({
        id: refundId,
        attemptId: attempt.id,
        orderId: null,
        userId: subscription.userId,
        lines: [],
        amount: attempt.amount,
        reason: "charged though nothing was owed any more",
        requestedAt: context.at,
        dispatches: 0,
        version: 0
      }),
      events: [
        new DomainEvent.RefundRequested({
          eventId: DomainEvent.eventId(refundId, "RefundRequested"),
          at: context.at,
          refundId,
          attemptId: attempt.id,
          orderId: null,
          userId: subscription.userId,
          amount: attempt.amount
        }),
        ...DomainEvent.billingKeyUnused(key, attempt.id, context.at)
      ]
    }
  })

const declined = (books: Books, reason: DeclineReason, context: Context): Result.Result<Entries, Denied> =>
  Result.gen(function* () {
    const { attempt, cycle, subscription } = books
    const next = yield* Attempt.decline(attempt, context.at, reason)
    if (next._tag === "ManualReview") {
      // A key that is frozen already, or dead, cannot be charged either.
      const key = books.key._tag === "Active" ? yield* BillingKey.freeze(books.key) : books.key
      const frozen = key._tag === "Frozen" && books.key._tag !== "Frozen" ? [frozenEvent(key, attempt.id, context)] : []
      return { attempt: next, key, opened: [], events: [reviewEvent(books, next.detail, context), ...frozen] }
    }
    const released = BillingKey.release(books.key, attempt.id)
    const key =
      reason._tag === "Hard" && reason.kind === "BillingKeyRevoked" && released._tag === "Active"
        ? yield* BillingKey.revoke(released)
        : released
    const keyEvents =
      key._tag === "Revoked" && released._tag !== "Revoked"
        ? [
            new DomainEvent.BillingKeyRevoked({
              eventId: DomainEvent.eventId(key.id, "BillingKeyRevoked"),
              at: context.at,
              billingKeyId: key.id,
              userId: key.userId
            })
          ]
        : []
    const base = { attempt: next, key, opened: [], events: keyEvents }
    if (!BillingCycle.isOpen(cycle)) {
      return {
        ...base,
        ...letGo(cycle, attempt.id),
        events: [...base.events, ...DomainEvent.billingKeyUnused(key, attempt.id, context.at)]
      }
    }
    if (cycle.openAttempt !== attempt.id) return base
    if (subscription._tag === "Cancelled") {
      return {
        ...base,
        ...(yield* closeForCancelled(cycle, subscription, attempt.id, context)),
        events: [...keyEvents, ...DomainEvent.billingKeyUnused(key, attempt.id, context.at)]
      }
    }
    const on = BusinessDate.fromInstant(next.sentAt)
    const knownOn = BusinessDate.fromInstant(context.at)
    const event = (nextAttemptOn: BusinessDate.BusinessDate | null) =>
      new DomainEvent.CycleDeclined({
        eventId: DomainEvent.eventId(attempt.id, "CycleDeclined"),
        at: context.at,
        subscriptionId: subscription.id,
        cycleNumber: cycle.number,
        userId: subscription.userId,
        attemptId: attempt.id,
        severity: reason._tag,
        kind: reason.kind,
        nextAttemptOn
      })
    const behind = SubscriptionOrder.isChargeable(subscription)
      ? { subscription: yield* SubscriptionOrder.fallBehind(subscription) }
      : {}
    switch (reason._tag) {
      case "Blocked": {
        const blocked = yield* BillingCycle.block(cycle, attempt.id, on)
        return { ...base, cycle: blocked, events: [...keyEvents, event(blocked.nextAttemptOn)] }
      }
      case "Hard": {
        const waiting = yield* BillingCycle.declineHard(cycle, attempt.id, on, context.policy, knownOn)
        if (waiting.nextAttemptOn !== null && waiting.nextAttemptOn > on) {
          return { ...base, ...behind, cycle: waiting, events: [...keyEvents, event(null)] }
        }
        break
      }
      case "Soft": {
        const retry = yield* BillingCycle.declineSoftly(cycle, attempt.id, on, context.policy)
        if (retry !== "exhausted") {
          return { ...base, ...behind, cycle: retry, events: [...keyEvents, event(retry.nextAttemptOn)] }
        }
        break
      }
    }
    const ended = yield* finalAction({ cycle, subscription }, { attemptId: attempt.id, on, key, context })
    return { ...ended, attempt: next, events: [...keyEvents, event(null), ...ended.events] }
  })

const notExecuted = (
  books: Books,
  why: Attempt.NotExecuted["why"],
  detail: string,
  context: Context
): Result.Result<Entries, Denied> =>
  Result.gen(function* () {
    const { attempt, cycle, subscription } = books
    const next = yield* Attempt.notExecuted(attempt, { at: context.at, why, detail })
    const key = BillingKey.release(books.key, attempt.id)
    const base = { attempt: next, key, opened: [], events: [] }
    if (!BillingCycle.isOpen(cycle)) {
      return {
        ...base,
        ...letGo(cycle, attempt.id),
        events: [...base.events, ...DomainEvent.billingKeyUnused(key, attempt.id, context.at)]
      }
    }
    if (cycle.openAttempt !== attempt.id) return base
    if (subscription._tag === "Cancelled") {
      return {
        ...base,
        ...(yield* closeForCancelled(cycle, subscription, attempt.id, context)),
        events: DomainEvent.billingKeyUnused(key, attempt.id, context.at)
      }
    }
    // What the provider's evidence decided is tried again in the run of a later day, never on the day it was sent.
    const sentOn = BusinessDate.fromInstant(next.sentAt)
    const on = why === "inferred" ? BusinessDate.addDays(sentOn, 1) : dateOf(cycle, sentOn)
    return { ...base, cycle: yield* BillingCycle.giveBack(cycle, attempt.id, on) }
  })

const lost = (
  books: Books,
  nextAskAt: DateTime.Utc,
  detail: string,
  context: Context
): Result.Result<Entries, Denied> =>
  Result.gen(function* () {
    const { attempt, cycle } = books
    if (attempt._tag === "Unknown") {
      return { attempt: yield* Attempt.askAgain(attempt, nextAskAt), opened: [], events: [] }
    }
    const next = yield* Attempt.loseAnswer(attempt, { at: context.at, nextAskAt, detail })
    return cycle._tag === "InFlight" && cycle.openAttempt === attempt.id
      ? { attempt: next, cycle: yield* BillingCycle.doubt(cycle, attempt.id), opened: [], events: [] }
      : { attempt: next, opened: [], events: [] }
  })

const needsReview = (books: Books, detail: string, context: Context): Result.Result<Entries, Denied> =>
  Result.gen(function* () {
    const { attempt, cycle } = books
    const next = yield* Attempt.review(attempt, context.at, detail)
    const events = [reviewEvent(books, detail, context)]
    return cycle._tag === "InFlight" && cycle.openAttempt === attempt.id
      ? { attempt: next, cycle: yield* BillingCycle.doubt(cycle, attempt.id), opened: [], events }
      : { attempt: next, opened: [], events }
  })

// Money moved, and not what was asked for: a person decides, with the payment's name at the provider at hand.
const wrongAmount = (
  books: Books,
  reference: Attempt.Reference,
  amount: Won.Won,
  context: Context
): Result.Result<Entries, Denied> =>
  Result.map(needsReview(books, `approved ${amount} won instead of ${books.attempt.amount}`, context), (entries) => ({
    ...entries,
    ...(entries.attempt?._tag === "ManualReview" && reference._tag === "Known"
      ? { attempt: new Attempt.ManualReview({ ...entries.attempt, transactionId: reference.transactionId }) }
      : {}),
    key: BillingKey.rememberApproval(books.key, reference.approvedAt)
  }))

const finalAction = (
  books: Pick<Books, "cycle" | "subscription">,
  options: {
    readonly attemptId: Attempt.Attempt["id"] | null
    readonly on: BusinessDate.BusinessDate
    readonly key: BillingKey.BillingKey
    readonly context: Context
  }
): Result.Result<Entries, Denied> =>
  Result.gen(function* () {
    const { cycle, subscription } = books
    const { attemptId, context, key, on } = options
    const action = context.policy.finalAction
    const closed = yield* BillingCycle.exhaust(cycle, attemptId, on, action === "skip" ? "Skipped" : "Abandoned")
    switch (action) {
      case "cancel": {
        const detached = BillingKey.detach(key)
        return {
          cycle: closed,
          subscription: yield* SubscriptionOrder.cancel(subscription, "dunning", context.at),
          key: detached,
          opened: [],
          events: [
            DomainEvent.subscriptionCancelled(subscription, "dunning", context.at),
            ...DomainEvent.billingKeyUnused(detached, `${subscription.id}`, context.at)
          ]
        }
      }
      case "pause":
        return {
          cycle: closed,
          subscription: yield* SubscriptionOrder.pause(subscription, "policy", null),
          key,
          opened: openNext(subscription, cycle, null, context.at),
          events: [
            new DomainEvent.SubscriptionPaused({
              eventId: DomainEvent.eventId(`${subscription.id}/${cycle.number}`, "SubscriptionPaused"),
              at: context.at,
              subscriptionId: subscription.id,
              userId: subscription.userId,
              by: "policy",
              resumeOn: null
            })
          ]
        }
      case "skip":
        return {
          cycle: closed,
          subscription: yield* SubscriptionOrder.recover(subscription),
          key,
          opened: openNext(subscription, cycle, null, context.at),
          events: [
            new DomainEvent.CycleSkipped({
              eventId: DomainEvent.eventId(`${subscription.id}/${cycle.number}`, "CycleSkipped"),
              at: context.at,
              subscriptionId: subscription.id,
              cycleNumber: cycle.number,
              userId: subscription.userId,
              reason: "dunning"
            })
          ]
        }
    }
  })

// The cycle was closed by a late answer of another attempt while this one held it: the slot is free again.
const letGo = (cycle: BillingCycle.Closed, attemptId: Attempt.Attempt["id"]): Pick<Entries, "cycle"> =>
  cycle.openAttempt === attemptId ? { cycle: BillingCycle.release(cycle, attemptId) } : {}

const closeForCancelled = (
  cycle: BillingCycle.BillingCycle,
  subscription: SubscriptionOrder.SubscriptionOrder,
  attemptId: Attempt.Attempt["id"],
  context: Context
): Result.Result<Pick<Entries, "cycle">, Denied> =>
  Result.gen(function* () {
    if (subscription._tag !== "Cancelled" || !BillingCycle.isOpen(cycle) || cycle.openAttempt !== attemptId) return {}
    const closed = yield* BillingCycle.exhaust(cycle, attemptId, BusinessDate.fromInstant(context.at), "Cancelled")
    return { cycle: closed }
  })

const openNext = (
  subscription: SubscriptionOrder.SubscriptionOrder,
  cycle: BillingCycle.BillingCycle,
  chargedOn: BusinessDate.BusinessDate | null,
  at: DateTime.Utc
): ReadonlyArray<BillingCycle.BillingCycle> => {
  const today = BusinessDate.fromInstant(at)
  return BillingCycle.following(cycle, {
    period: subscription.period,
    today: chargedOn === null ? today : BusinessDate.max(chargedOn, today),
    chargedOn,
    hasKey: subscription._tag !== "AwaitingBillingKey",
    reason: "outage"
  })
}

const frozenEvent = (key: BillingKey.Frozen, cause: string, context: Context) =>
  new DomainEvent.BillingKeyFrozen({
    eventId: DomainEvent.eventId(cause, "BillingKeyFrozen"),
    at: context.at,
    billingKeyId: key.id,
    userId: key.userId
  })

const reviewEvent = (books: Books, detail: string, context: Context) =>
  new DomainEvent.PaymentNeedsReview({
    eventId: DomainEvent.eventId(books.attempt.id, "PaymentNeedsReview"),
    at: context.at,
    attemptId: books.attempt.id,
    userId: books.subscription.userId,
    detail: detail.slice(0, 500)
  })

const dateOf = (cycle: BillingCycle.BillingCycle, fallback: BusinessDate.BusinessDate): BusinessDate.BusinessDate =>
  cycle._tag === "InFlight" || cycle._tag === "InDoubt" ? cycle.nextAttemptOn : fallback
