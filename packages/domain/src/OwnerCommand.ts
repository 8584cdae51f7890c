/**
 * What the owner of a subscription may do with it, and what each command does to the books.
 *
 * A command reads the subscription and its open cycle, and answers the rows to write and what happened. While a charge
 * is sent or in doubt nothing may change that it depends on, its date, amount or key: such a command is refused with
 * {@link PaymentInProgress}. Cancelling alone is always accepted; the charge in flight then closes the cycle, and money it
 * turns out to have moved goes back. Once a cycle's first charge was sent its terms are fixed, and a change of quantity or
 * period counts from the next one.
 *
 * @since 0.1.0
 */
import type * as DateTime from "effect/DateTime"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as BillingCalendar from "./BillingCalendar.ts"
import * as BillingCycle from "./BillingCycle.ts"
import * as BillingKey from "./BillingKey.ts"
import * as BusinessDate from "./BusinessDate.ts"
import type { DeliveryPeriod } from "./DeliveryPeriod.ts"
import * as DomainEvent from "./DomainEvent.ts"
import { AttemptId, BillingKeyId, SubscriptionId } from "./Ids.ts"
import type { Quantity } from "./Quantity.ts"
import * as SubscriptionOrder from "./SubscriptionOrder.ts"
import type * as State from "./State.ts"
import type * as Won from "./Won.ts"

// -----------------------------------------------------------------------------
// books
// -----------------------------------------------------------------------------

/** The rows a command reads: the subscription and its open cycle. */
export interface Books {
  readonly subscription: SubscriptionOrder.SubscriptionOrder
  readonly cycle: BillingCycle.Open
}

/** The rows to write and what happened. An absent row is unchanged; every cycle of `opened` is new. */
export interface Entries {
  readonly subscription: SubscriptionOrder.SubscriptionOrder
  readonly cycle?: BillingCycle.BillingCycle
  readonly opened: ReadonlyArray<BillingCycle.BillingCycle>
  readonly events: ReadonlyArray<DomainEvent.DomainEvent>
}

// -----------------------------------------------------------------------------
// rejections
// -----------------------------------------------------------------------------

/** A charge of the open cycle is sent or in doubt, so that its date, amount and key cannot change now. */
export class PaymentInProgress extends Schema.TaggedError<PaymentInProgress>(
  "@pillivery/domain/OwnerCommand/PaymentInProgress"
)("PaymentInProgress", { subscriptionId: SubscriptionId, cycleNumber: Schema.Int, attemptId: AttemptId }) {
  override get message() {
    return `cycle ${this.cycleNumber} of subscription ${this.subscriptionId} is being charged by attempt ${this.attemptId}`
  }
}

/** A pause that does not end between tomorrow and {@link SubscriptionOrder.pauseDaysMax} days from today, in Korea. */
export class PauseInvalid extends Schema.TaggedError<PauseInvalid>("@pillivery/domain/OwnerCommand/PauseInvalid")(
  "PauseInvalid",
  {
    subscriptionId: SubscriptionId,
    resumeOn: BusinessDate.BusinessDate,
    earliest: BusinessDate.BusinessDate,
    latest: BusinessDate.BusinessDate
  }
) {
  override get message() {
    return `a pause ends between ${this.earliest} and ${this.latest}, not on ${this.resumeOn}`
  }
}

/** The billing key cannot be charged, or belongs to somebody else. */
export class BillingKeyUnusable extends Schema.TaggedError<BillingKeyUnusable>(
  "@pillivery/domain/OwnerCommand/BillingKeyUnusable"
)("BillingKeyUnusable", {
  billingKeyId: BillingKeyId,
  reason: Schema.Literals(["notActive", "notTheOwners", "sameKey"])
}) {
  override get message() {
    return this.reason === "notActive"
      ? `billing key ${this.billingKeyId} cannot be charged`
      : this.reason === "sameKey"
        ? `billing key ${this.billingKeyId} is the one in use`
        : `billing key ${this.billingKeyId} belongs to somebody else`
  }
}

type Denied = SubscriptionOrder.SubscriptionTransitionDenied | BillingCycle.CycleTransitionDenied | PaymentInProgress

// -----------------------------------------------------------------------------
// commands
// -----------------------------------------------------------------------------

/**
 * Leaves out the open delivery and opens the next one; at most {@link SubscriptionOrder.skipsInARowMax} in a row. A
 * delivery that was declined is left out too, and its ladder with it.
 */
export const skip = (
  books: Books,
  at: DateTime.Utc
): Result.Result<Entries, Denied | SubscriptionOrder.SkipLimitReached> =>
  Result.gen(function* () {
    const { cycle } = books
    const subscription = yield* SubscriptionOrder.skip(yield* settled(books, "skip"))
    return {
      subscription,
      cycle: yield* BillingCycle.skip(cycle, "owner"),
      opened: followingOf(subscription, cycle, "outage", at),
      events: [
        new DomainEvent.CycleSkipped({
          eventId: DomainEvent.eventId(`${subscription.id}/${cycle.number}`, "CycleSkipped"),
          ...told(books, at),
          cycleNumber: cycle.number,
          reason: "owner"
        })
      ]
    }
  })

/**
 * Moves the open delivery `days` later, a whole number of at least 1; the grid stays, so the one after it comes when it
 * would have come. Only before its first charge was sent.
 */
export const postpone = (
  books: Books,
  days: number,
  at: DateTime.Utc
): Result.Result<Entries, Denied | BillingCycle.PostponeInvalid> =>
  Result.gen(function* () {
    const { cycle } = books
    const subscription = yield* SubscriptionOrder.touch(yield* settled(books, "touch"))
    const postponed = yield* BillingCycle.postpone(cycle, days, BusinessDate.fromInstant(at))
    return {
      subscription,
      cycle: postponed,
      opened: [],
      events: [
        new DomainEvent.DeliveryPostponed({
          eventId: causedBy(books, "DeliveryPostponed"),
          ...told(books, at),
          cycleNumber: cycle.number,
          from: cycle.dueDate,
          to: postponed.dueDate
        })
      ]
    }
  })

/** Charges and delivers nothing until resumed: by hand, or on `resumeOn` where one is given. */
export const pause = (
  books: Books,
  resumeOn: BusinessDate.BusinessDate | null,
  at: DateTime.Utc
): Result.Result<Entries, Denied | PauseInvalid> =>
  Result.gen(function* () {
    const subscription = yield* SubscriptionOrder.pause(yield* settled(books, "pause"), "owner", resumeOn)
    const today = BusinessDate.fromInstant(at)
    const earliest = BusinessDate.addDays(today, 1)
    const latest = BusinessDate.addDays(today, SubscriptionOrder.pauseDaysMax)
    if (resumeOn !== null && (resumeOn < earliest || resumeOn > latest)) {
      return yield* Result.fail(new PauseInvalid({ subscriptionId: subscription.id, resumeOn, earliest, latest }))
    }
    return {
      subscription,
      opened: [],
      events: [
        new DomainEvent.SubscriptionPaused({
          eventId: causedBy(books, "SubscriptionPaused"),
          ...told(books, at),
          by: "owner",
          resumeOn
        })
      ]
    }
  })

/**
 * Ends a pause. The open cycle goes on on its own date if that lies ahead; else it and every grid date up to today are
 * left out, and the first one after today opens, with no ladder.
 */
export const resume = (books: Books, at: DateTime.Utc): Result.Result<Entries, Denied> =>
  Result.gen(function* () {
    const { cycle } = books
    const subscription = yield* SubscriptionOrder.resume(yield* settled(books, "resume"))
    const today = BusinessDate.fromInstant(at)
    const goesOn = cycle.gridDate > today && BillingCycle.isMovable(cycle)
    const opened = goesOn ? [] : followingOf(subscription, cycle, "paused", at)
    const next = opened.at(-1)
    return {
      subscription,
      ...(goesOn ? {} : { cycle: yield* BillingCycle.skip(cycle, "paused") }),
      opened,
      events: [
        new DomainEvent.SubscriptionResumed({
          eventId: causedBy(books, "SubscriptionResumed"),
          ...told(books, at),
          nextDueDate: next?.dueDate ?? cycle.dueDate
        })
      ]
    }
  })

/** Changes how many units are delivered, from the open cycle on, or from the next one when it was tried already. */
export const changeQuantity = (
  books: Books,
  quantity: Quantity,
  at: DateTime.Utc
): Result.Result<Entries, Denied | Won.WonOutOfRange> =>
  Result.gen(function* () {
    const subscription = yield* SubscriptionOrder.change(yield* settled(books, "change"), { quantity })
    yield* SubscriptionOrder.amountOf(subscription)
    return { subscription, opened: [], events: [changed(books, subscription, books.cycle.dueDate, at)] }
  })

/**
 * Changes how often it is delivered. The open cycle moves to a new period after the last paid due date, but never before
 * tomorrow nor within half a period of the delivery before it; one that was tried already stays, and the new period counts
 * from it. The same period again moves nothing.
 */
export const changePeriod = (
  books: Books & {
    /** The cycle before the open one; null for the first. */
    readonly previous: BillingCycle.BillingCycle | null
  },
  period: DeliveryPeriod,
  at: DateTime.Utc
): Result.Result<Entries, Denied> =>
  Result.gen(function* () {
    const { cycle, previous } = books
    const subscription = yield* SubscriptionOrder.change(yield* settled(books, "change"), { period })
    if (!BillingCycle.isMovable(cycle) || period === books.subscription.period) {
      return { subscription, opened: [], events: [changed(books, subscription, cycle.dueDate, at)] }
    }
    const gridDate = BillingCalendar.rescheduledGridDate({
      lastPaidDueDate: subscription.lastPaidDueDate,
      previousOn: previous === null ? null : previous._tag === "Charged" ? previous.chargedOn : previous.gridDate,
      period,
      today: BusinessDate.fromInstant(at)
    })
    return {
      subscription,
      cycle: yield* BillingCycle.reschedule(cycle, gridDate),
      opened: [],
      events: [changed(books, subscription, gridDate, at)]
    }
  })

/** The entries of a replaced key: also the key that is used from now on, and the one that was. */
export interface KeyEntries extends Entries {
  readonly key: BillingKey.BillingKey
  readonly oldKey?: BillingKey.BillingKey
}

/**
 * Charges another key of the same owner from now on. A cycle that waited for a key is due today, or tomorrow when it had a
 * definite answer today.
 */
export const replaceKey = (
  books: Books & {
    /** The key in use; null where the subscription has none. */
    readonly oldKey: BillingKey.BillingKey | null
    readonly newKey: BillingKey.BillingKey
  },
  at: DateTime.Utc
): Result.Result<KeyEntries, Denied | BillingKeyUnusable | BillingKey.BillingKeyTransitionDenied> =>
  Result.gen(function* () {
    const { cycle, newKey, oldKey } = books
    const subscription = yield* SubscriptionOrder.replaceKey(yield* settled(books, "replaceKey"), newKey.id)
    const unusable =
      newKey.userId !== subscription.userId
        ? "notTheOwners"
        : newKey.id === oldKey?.id
          ? "sameKey"
          : newKey._tag !== "Active"
            ? "notActive"
            : null
    if (unusable !== null) {
      return yield* Result.fail(new BillingKeyUnusable({ billingKeyId: newKey.id, reason: unusable }))
    }
    const detached = oldKey === null ? null : BillingKey.detach(oldKey)
    return {
      subscription,
      ...(cycle._tag === "AwaitingKey"
        ? { cycle: yield* BillingCycle.receiveKey(cycle, BusinessDate.fromInstant(at)) }
        : {}),
      key: yield* BillingKey.attach(newKey),
      ...(detached === null ? {} : { oldKey: detached }),
      opened: [],
      events: [
        new DomainEvent.BillingKeyReplaced({
          eventId: causedBy(books, "BillingKeyReplaced"),
          ...told(books, at),
          billingKeyId: newKey.id
        }),
        ...(detached === null ? [] : DomainEvent.billingKeyUnused(detached, causeOf(books), at))
      ]
    }
  })

/** The entries of an end: also the key it let go of. */
export interface CancelEntries extends Entries {
  readonly key?: BillingKey.BillingKey
  /** Whether a charge is still being settled, so that the cycle stays open until then. */
  readonly isPaymentInProgress: boolean
}

/**
 * Ends the subscription and lets go of its key. Always accepted: the open cycle is closed, or left to the charge in
 * flight, whose outcome closes it; money found to have moved is given back in full.
 */
export const cancel = (
  books: {
    readonly subscription: SubscriptionOrder.SubscriptionOrder
    /** The open cycle, if there is one. */
    readonly cycle: BillingCycle.BillingCycle | null
    readonly key: BillingKey.BillingKey | null
  },
  reason: SubscriptionOrder.CancelReason,
  at: DateTime.Utc
): Result.Result<CancelEntries, SubscriptionOrder.SubscriptionTransitionDenied | BillingCycle.CycleTransitionDenied> =>
  Result.gen(function* () {
    const { cycle, key, subscription } = books
    const detached = key === null ? null : BillingKey.detach(key)
    const isFree = cycle !== null && BillingCycle.isOpen(cycle) && cycle.openAttempt === null
    return {
      subscription: yield* SubscriptionOrder.cancel(subscription, reason, at),
      ...(isFree ? { cycle: yield* BillingCycle.abandon(cycle, "cancelled") } : {}),
      ...(detached === null ? {} : { key: detached }),
      isPaymentInProgress: cycle !== null && BillingCycle.isOpen(cycle) && !isFree,
      opened: [],
      events: [
        DomainEvent.subscriptionCancelled(subscription, reason, at),
        ...(detached === null ? [] : DomainEvent.billingKeyUnused(detached, subscription.id, at))
      ]
    }
  })

// -----------------------------------------------------------------------------
// shared
// -----------------------------------------------------------------------------

// The state is asked first, so that a subscription that has ended says so, then the charge in flight.
const settled = (
  { cycle, subscription }: Books,
  command: State.CommandOf<typeof SubscriptionOrder.transitions>
): Result.Result<SubscriptionOrder.SubscriptionOrder, PaymentInProgress> => {
  const isKnown = command in SubscriptionOrder.transitions[subscription._tag]
  return isKnown && cycle.openAttempt !== null
    ? Result.fail(
        new PaymentInProgress({
          subscriptionId: subscription.id,
          cycleNumber: cycle.number,
          attemptId: cycle.openAttempt
        })
      )
    : Result.succeed(subscription)
}

const followingOf = (
  subscription: SubscriptionOrder.SubscriptionOrder,
  cycle: BillingCycle.Open,
  reason: "outage" | "paused",
  at: DateTime.Utc
) =>
  BillingCycle.following(cycle, {
    period: subscription.period,
    today: BusinessDate.fromInstant(at),
    chargedOn: null,
    hasKey: subscription._tag !== "AwaitingBillingKey",
    reason
  })

// Every command moves the version of the subscription, so the one read makes the event's id unique.
const causeOf = ({ subscription }: Books): string => `${subscription.id}@${subscription.version}`
const causedBy = (books: Books, tag: DomainEvent.Tag) => DomainEvent.eventId(causeOf(books), tag)

const told = ({ subscription }: Books, at: DateTime.Utc) => ({
  at,
  subscriptionId: subscription.id,
  userId: subscription.userId
})

const changed = (
  books: Books,
  { period, quantity }: SubscriptionOrder.SubscriptionOrder,
  nextDueDate: BusinessDate.BusinessDate,
  at: DateTime.Utc
) =>
  new DomainEvent.SubscriptionChanged({
    eventId: causedBy(books, "SubscriptionChanged"),
    ...told(books, at),
    quantity,
    period,
    nextDueDate
  })
