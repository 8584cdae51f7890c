/**
 * One delivery of a subscription that is to be charged.
 *
 * A subscription that is not cancelled has exactly one open cycle. Closing it opens the next. A cycle is identified by
 * the subscription and a number, never by a date, because the owner may move the date.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as BillingCalendar from "./BillingCalendar.ts"
import * as BusinessDate from "./BusinessDate.ts"
import type { DeliveryPeriod } from "./DeliveryPeriod.ts"
import * as DunningPolicy from "./DunningPolicy.ts"
import { AttemptId, SubscriptionId } from "./Ids.ts"
import { Quantity } from "./Quantity.ts"
import * as State from "./State.ts"

/** The furthest the owner may move a delivery from its grid date, in days. */
export const postponeDaysMax = 60

const common = {
  subscriptionId: SubscriptionId,
  /** 1 for the first renewal; the first delivery is paid with the order. */
  number: Schema.Int,
  /** The date on the subscription's grid. */
  gridDate: BusinessDate.BusinessDate,
  /** The date the owner wants it; the grid date unless moved. */
  dueDate: BusinessDate.BusinessDate,
  /** The date of the first definite decline: day 0 of the ladder. */
  ladderStart: Schema.NullOr(BusinessDate.BusinessDate),
  /** 0 before the first decline, then the rung of the ladder the next try stands on. */
  step: Schema.Int,
  /** The date of the last definite answer; there is at most one a day. */
  answeredOn: Schema.NullOr(BusinessDate.BusinessDate),
  /** Units of this delivery, fixed when its first charge was sent; null before, while the owner may still change it. */
  quantity: Schema.NullOr(Quantity),
  /** The attempt that holds the cycle. */
  openAttempt: Schema.NullOr(AttemptId),
  version: Schema.Int
}

const scheduled = { nextAttemptOn: BusinessDate.BusinessDate }

/** To be charged on `nextAttemptOn`. */
export class Due extends Schema.TaggedClass<Due>("@pillivery/domain/BillingCycle/Due")("Due", {
  ...common,
  ...scheduled
}) {}

/** Declined; to be tried again on `nextAttemptOn`. */
export class RetryDue extends Schema.TaggedClass<RetryDue>("@pillivery/domain/BillingCycle/RetryDue")("RetryDue", {
  ...common,
  ...scheduled
}) {}

/** The key was used up for this month; to be tried on `nextAttemptOn`, the first of the next. */
export class Blocked extends Schema.TaggedClass<Blocked>("@pillivery/domain/BillingCycle/Blocked")("Blocked", {
  ...common,
  ...scheduled
}) {}

/** No usable key. On `nextAttemptOn` the final action falls; null while no ladder runs. */
export class AwaitingKey extends Schema.TaggedClass<AwaitingKey>("@pillivery/domain/BillingCycle/AwaitingKey")(
  "AwaitingKey",
  { ...common, nextAttemptOn: Schema.NullOr(BusinessDate.BusinessDate) }
) {}

/** An attempt was sent for it. */
export class InFlight extends Schema.TaggedClass<InFlight>("@pillivery/domain/BillingCycle/InFlight")("InFlight", {
  ...common,
  ...scheduled
}) {}

/** An attempt was sent and its outcome is unknown. */
export class InDoubt extends Schema.TaggedClass<InDoubt>("@pillivery/domain/BillingCycle/InDoubt")("InDoubt", {
  ...common,
  ...scheduled
}) {}

/** Paid by `chargedBy`. */
export class Charged extends Schema.TaggedClass<Charged>("@pillivery/domain/BillingCycle/Charged")("Charged", {
  ...common,
  chargedBy: AttemptId,
  chargedOn: BusinessDate.BusinessDate
}) {}

/** Why a cycle was not charged, by rule or wish. */
export const SkipReason = Schema.Literals(["owner", "outage", "paused", "itemGone", "dunning"])
export type SkipReason = typeof SkipReason.Type

/** Left out. */
export class Skipped extends Schema.TaggedClass<Skipped>("@pillivery/domain/BillingCycle/Skipped")("Skipped", {
  ...common,
  reason: SkipReason
}) {}

/** Given up: declined to the end of the ladder, or its subscription was cancelled. */
export class Abandoned extends Schema.TaggedClass<Abandoned>("@pillivery/domain/BillingCycle/Abandoned")("Abandoned", {
  ...common,
  reason: Schema.Literals(["dunning", "cancelled"])
}) {}

/** A billing cycle in any of its states. */
export const BillingCycle = Schema.Union([
  Due,
  RetryDue,
  Blocked,
  AwaitingKey,
  InFlight,
  InDoubt,
  Charged,
  Skipped,
  Abandoned
]).pipe(Schema.toTaggedUnion("_tag"))
export type BillingCycle = typeof BillingCycle.Type
/** The name of a state of a billing cycle. */
export type Tag = BillingCycle["_tag"]
/** A cycle for which a charge may begin. */
export type Chargeable = Due | RetryDue | Blocked
/** A cycle that still wants an end. */
export type Open = Chargeable | AwaitingKey | InFlight | InDoubt
/** A cycle that has ended. */
export type Closed = Charged | Skipped | Abandoned

const closing = {
  charge: ["Charged"],
  skip: ["Skipped"],
  abandon: ["Abandoned"],
  exhaust: ["Skipped", "Abandoned"]
} as const
const chargeable = { send: ["InFlight"], block: ["Blocked"], loseKey: ["AwaitingKey"], ...closing } as const
const answered = {
  charge: ["Charged"],
  giveBack: ["Due", "RetryDue"],
  block: ["Blocked"],
  declineSoftly: ["RetryDue"],
  declineHard: ["AwaitingKey"],
  exhaust: ["Skipped", "Abandoned"]
} as const

/** Every allowed move: which commands each state knows, and where each leads. */
export const transitions = {
  Due: { ...chargeable, postpone: ["Due"], reschedule: ["Due"] },
  RetryDue: chargeable,
  Blocked: chargeable,
  AwaitingKey: { receiveKey: ["Due", "RetryDue"], reschedule: ["AwaitingKey"], ...closing },
  InFlight: { doubt: ["InDoubt"], ...answered },
  InDoubt: answered,
  Charged: {},
  Skipped: {},
  Abandoned: {}
} as const satisfies State.Transitions<Tag>

/** The cycle is not in a state from which `command` leads anywhere. */
export class CycleTransitionDenied extends Schema.TaggedError<CycleTransitionDenied>(
  "@pillivery/domain/BillingCycle/CycleTransitionDenied"
)("CycleTransitionDenied", {
  subscriptionId: SubscriptionId,
  number: Schema.Int,
  from: Schema.String,
  command: Schema.String
}) {
  override get message() {
    return `cycle ${this.number} of subscription ${this.subscriptionId} is ${this.from} and does not allow ${this.command}`
  }
}

type Command = State.CommandOf<typeof transitions>
type Move<C extends Command, Args extends ReadonlyArray<unknown>, To, E = never> = State.Move<
  BillingCycle,
  typeof transitions,
  C,
  Args,
  Result.Result<To, CycleTransitionDenied | E>
>

const denied = (self: BillingCycle, command: Command) =>
  Result.fail(
    new CycleTransitionDenied({ subscriptionId: self.subscriptionId, number: self.number, from: self._tag, command })
  )

/** A new cycle, due on its grid date; `hasKey` is false while its subscription has no usable billing key. */
export const open = (options: {
  readonly subscriptionId: SubscriptionId
  readonly number: number
  readonly gridDate: BusinessDate.BusinessDate
  readonly hasKey: boolean
}): Due | AwaitingKey => {
  const { hasKey, ...fields } = options
  const fresh = {
    ...fields,
    dueDate: fields.gridDate,
    ladderStart: null,
    step: 0,
    answeredOn: null,
    quantity: null,
    openAttempt: null,
    version: 0
  }
  return hasKey
    ? new Due({ ...fresh, nextAttemptOn: fields.gridDate })
    : new AwaitingKey({ ...fresh, nextAttemptOn: null })
}

/** A grid date that passed while nothing could be charged. */
export const passed = (options: {
  readonly subscriptionId: SubscriptionId
  readonly number: number
  readonly gridDate: BusinessDate.BusinessDate
  readonly reason: "outage" | "paused"
}): Skipped =>
  new Skipped({
    ...options,
    dueDate: options.gridDate,
    ladderStart: null,
    step: 0,
    answeredOn: null,
    quantity: null,
    openAttempt: null,
    version: 0
  })

/** Whether a charge may begin. */
export const isChargeable = (self: BillingCycle): self is Chargeable =>
  self._tag === "Due" || self._tag === "RetryDue" || self._tag === "Blocked"

/** Whether the cycle still wants an end. */
export const isOpen = (self: BillingCycle): self is Open =>
  isChargeable(self) || self._tag === "AwaitingKey" || self._tag === "InFlight" || self._tag === "InDoubt"

/** Whether a run for `on` must charge it: scheduled, due, not held, and without a definite answer that day. */
export const isDue = (self: BillingCycle, on: BusinessDate.BusinessDate): self is Chargeable =>
  isChargeable(self) && self.openAttempt === null && BillingCalendar.isDueOn(self, on)

/** Whether its date may still be moved: nothing holds it, no charge was ever sent for it and no ladder runs. */
export const isMovable = (self: BillingCycle): self is Due | AwaitingKey =>
  (self._tag === "Due" || self._tag === "AwaitingKey") &&
  self.openAttempt === null &&
  self.quantity === null &&
  self.ladderStart === null

/** How many units it delivers: those fixed by its first charge, else as many as its subscription says now. */
export const quantityOf = (self: BillingCycle, subscription: { readonly quantity: Quantity }): Quantity =>
  self.quantity ?? subscription.quantity

/** An attempt takes the cycle and is sent; the first one fixes how many units are delivered. */
export const send: Move<"send", [attemptId: AttemptId, quantity: Quantity], InFlight> = (
  self: BillingCycle,
  attemptId,
  quantity
) =>
  isChargeable(self) && self.openAttempt === null
    ? Result.succeed(State.next(InFlight, self, { openAttempt: attemptId, quantity: self.quantity ?? quantity }))
    : denied(self, "send")

/** The attempt's outcome became unknown. Only the attempt that holds the cycle can say so. */
export const doubt: Move<"doubt", [attemptId: AttemptId], InDoubt> = (self: BillingCycle, attemptId) =>
  self._tag === "InFlight" && self.openAttempt === attemptId
    ? Result.succeed(State.next(InDoubt, self, {}))
    : denied(self, "doubt")

/**
 * Paid. The holder closes the cycle; a late answer of another attempt may close it too, and leaves the slot to whoever
 * holds it.
 */
export const charge: Move<"charge", [attemptId: AttemptId, chargedOn: BusinessDate.BusinessDate], Charged> = (
  self: BillingCycle,
  attemptId,
  chargedOn
) =>
  isOpen(self)
    ? Result.succeed(
        State.next(Charged, self, {
          openAttempt: self.openAttempt === attemptId ? null : self.openAttempt,
          answeredOn: chargedOn,
          chargedBy: attemptId,
          chargedOn
        })
      )
    : denied(self, "charge")

/** The call was not executed: the cycle is as due as before, and no step of the ladder is used up. */
export const giveBack: Move<
  "giveBack",
  [attemptId: AttemptId, nextAttemptOn: BusinessDate.BusinessDate],
  Due | RetryDue
> = (self: BillingCycle, attemptId, nextAttemptOn) =>
  (self._tag === "InFlight" || self._tag === "InDoubt") && self.openAttempt === attemptId
    ? Result.succeed(
        self.ladderStart === null
          ? State.next(Due, self, { openAttempt: null, nextAttemptOn })
          : State.next(RetryDue, self, { openAttempt: null, nextAttemptOn })
      )
    : denied(self, "giveBack")

/**
 * The monthly uses of the key are spent: wait for the first of the next month. The provider answered so to the attempt, or
 * with null we counted them ourselves before one was made, which is no answer.
 */
export const block: Move<"block", [attemptId: AttemptId | null, on: BusinessDate.BusinessDate], Blocked> = (
  self: BillingCycle,
  attemptId,
  on
) => {
  const isAwaited = self._tag === "InFlight" || self._tag === "InDoubt"
  if ((attemptId === null ? !isChargeable(self) : !isAwaited) || self.openAttempt !== attemptId) {
    return denied(self, "block")
  }
  return Result.succeed(
    State.next(Blocked, self, {
      openAttempt: null,
      answeredOn: attemptId === null ? self.answeredOn : on,
      nextAttemptOn: BillingCalendar.blockedUntil(on)
    })
  )
}

/** What a soft decline leads to: another day of the ladder, or its end. */
export const declineSoftly: Move<
  "declineSoftly",
  [attemptId: AttemptId, on: BusinessDate.BusinessDate, policy: DunningPolicy.DunningPolicy],
  RetryDue | "exhausted"
> = (self: BillingCycle, attemptId, on, policy) => {
  if ((self._tag !== "InFlight" && self._tag !== "InDoubt") || self.openAttempt !== attemptId) {
    return denied(self, "declineSoftly")
  }
  const ladderStart = self.ladderStart ?? on
  const next = DunningPolicy.nextRetry(policy, ladderStart, on)
  return Result.succeed(
    next === null
      ? ("exhausted" as const)
      : State.next(RetryDue, self, {
          openAttempt: null,
          answeredOn: on,
          ladderStart,
          step: next.step,
          nextAttemptOn: next.on
        })
  )
}

/**
 * A hard decline on the date `on`: the cycle waits for another key until the last day of the ladder. Where it became known
 * later, on `knownOn`, the user is told only then, and has as many days from then on.
 */
export const declineHard: Move<
  "declineHard",
  [
    attemptId: AttemptId,
    on: BusinessDate.BusinessDate,
    policy: DunningPolicy.DunningPolicy,
    knownOn: BusinessDate.BusinessDate
  ],
  AwaitingKey
> = (self: BillingCycle, attemptId, on, policy, knownOn) => {
  if ((self._tag !== "InFlight" && self._tag !== "InDoubt") || self.openAttempt !== attemptId) {
    return denied(self, "declineHard")
  }
  const ladderStart = self.ladderStart ?? on
  const lastDay = DunningPolicy.lastDay(policy, ladderStart)
  const daysLate = Math.max(0, BusinessDate.daysUntil(on, knownOn))
  return Result.succeed(
    State.next(AwaitingKey, self, {
      openAttempt: null,
      answeredOn: on,
      ladderStart,
      nextAttemptOn: lastDay > on ? BusinessDate.addDays(lastDay, daysLate) : lastDay
    })
  )
}

/** Another key is there: due today, or tomorrow when today already had a definite answer. */
export const receiveKey: Move<"receiveKey", [today: BusinessDate.BusinessDate], Due | RetryDue> = (
  self: BillingCycle,
  today
) => {
  if (self._tag !== "AwaitingKey") return denied(self, "receiveKey")
  const nextAttemptOn = BillingCalendar.attemptWithNewKeyOn({ ...self, today })
  return Result.succeed(
    self.ladderStart === null ? State.next(Due, self, { nextAttemptOn }) : State.next(RetryDue, self, { nextAttemptOn })
  )
}

/** Its key is dead before it was tried: as after a hard decline it waits for another until the ladder's last day. */
export const loseKey: Move<
  "loseKey",
  [on: BusinessDate.BusinessDate, policy: DunningPolicy.DunningPolicy],
  AwaitingKey
> = (self: BillingCycle, on, policy) => {
  if (!isChargeable(self) || self.openAttempt !== null) return denied(self, "loseKey")
  const ladderStart = self.ladderStart ?? on
  return Result.succeed(
    State.next(AwaitingKey, self, { ladderStart, nextAttemptOn: DunningPolicy.lastDay(policy, ladderStart) })
  )
}

/** Leaves the cycle out. An attempt in flight must settle first. */
export const skip: Move<"skip", [reason: SkipReason], Skipped> = (self: BillingCycle, reason) =>
  isOpen(self) && self.openAttempt === null
    ? Result.succeed(State.next(Skipped, self, { reason }))
    : denied(self, "skip")

/** Gives the cycle up. An attempt in flight must settle first. */
export const abandon: Move<"abandon", [reason: Abandoned["reason"]], Abandoned> = (self: BillingCycle, reason) =>
  isOpen(self) && self.openAttempt === null
    ? Result.succeed(State.next(Abandoned, self, { reason }))
    : denied(self, "abandon")

/**
 * Gives up or leaves out a cycle at the end of its ladder, by the attempt that holds it; `Cancelled` gives up one whose
 * subscription ended while the attempt was in flight, which is no fault of the ladder.
 */
export const exhaust: Move<
  "exhaust",
  [attemptId: AttemptId | null, on: BusinessDate.BusinessDate, outcome: "Abandoned" | "Skipped" | "Cancelled"],
  Abandoned | Skipped
> = (self: BillingCycle, attemptId, on, outcome) => {
  if (!isOpen(self) || self.openAttempt !== attemptId) return denied(self, "exhaust")
  if (outcome === "Cancelled") {
    return Result.succeed(State.next(Abandoned, self, { openAttempt: null, reason: "cancelled" }))
  }
  const changes = {
    openAttempt: null,
    answeredOn: on,
    ladderStart: self.ladderStart ?? on,
    reason: "dunning"
  } as const
  return Result.succeed(
    outcome === "Abandoned" ? State.next(Abandoned, self, changes) : State.next(Skipped, self, changes)
  )
}

/** Gives the slot of a closed cycle back; only its holder can, another attempt changes nothing. */
export const release = (self: Closed, attemptId: AttemptId): Closed => {
  if (self.openAttempt !== attemptId) return self
  switch (self._tag) {
    case "Charged":
      return State.next(Charged, self, { openAttempt: null })
    case "Skipped":
      return State.next(Skipped, self, { openAttempt: null })
    case "Abandoned":
      return State.next(Abandoned, self, { openAttempt: null })
  }
}

/** Not a whole number of days of at least 1, or further than `latest`, the last Korean date to which this one may go. */
export class PostponeInvalid extends Schema.TaggedError<PostponeInvalid>(
  "@pillivery/domain/BillingCycle/PostponeInvalid"
)("PostponeInvalid", { subscriptionId: SubscriptionId, days: Schema.Finite, latest: BusinessDate.BusinessDate }) {
  override get message() {
    return `a delivery is postponed by a whole number of days, until ${this.latest} at the latest, not by ${this.days}`
  }
}

/**
 * Moves the due date of this cycle; the grid stays. Only before its first charge was sent, and at most
 * {@link postponeDaysMax} days from its grid date, or from today where that has passed.
 */
export const postpone: Move<"postpone", [days: number, today: BusinessDate.BusinessDate], Due, PostponeInvalid> = (
  self: BillingCycle,
  days,
  today
) => {
  if (self._tag !== "Due" || !isMovable(self)) return denied(self, "postpone")
  const latest = BusinessDate.addDays(BusinessDate.max(self.gridDate, today), postponeDaysMax)
  const isWhole = Number.isSafeInteger(days) && days >= 1
  const dueDate = isWhole ? BillingCalendar.postponedDueDate({ dueDate: self.dueDate, days, today }) : null
  return dueDate === null || dueDate > latest
    ? Result.fail(
        new PostponeInvalid({
          subscriptionId: self.subscriptionId,
          days: Number.isFinite(days) ? days : 0,
          latest
        })
      )
    : Result.succeed(State.next(Due, self, { dueDate, nextAttemptOn: dueDate }))
}

/** Moves the cycle to another date of a changed grid. Only before its first charge was sent. */
export const reschedule: Move<"reschedule", [gridDate: BusinessDate.BusinessDate], Due | AwaitingKey> = (
  self: BillingCycle,
  gridDate
) => {
  if (!isMovable(self)) return denied(self, "reschedule")
  return Result.succeed(
    self._tag === "Due"
      ? State.next(Due, self, { gridDate, dueDate: gridDate, nextAttemptOn: gridDate })
      : State.next(AwaitingKey, self, { gridDate, dueDate: gridDate })
  )
}

/** The cycles that follow one that closes: the grid dates that were passed over, left out, and the next open one. */
export const following = (
  self: BillingCycle,
  options: {
    readonly period: DeliveryPeriod
    /** The later of the run's date and today in Korea. */
    readonly today: BusinessDate.BusinessDate
    /** When this cycle was charged; null when it was not. */
    readonly chargedOn: BusinessDate.BusinessDate | null
    /** Whether the subscription has a billing key. */
    readonly hasKey: boolean
    /** Why the passed ones were not delivered. */
    readonly reason: "outage" | "paused"
  }
): ReadonlyArray<Skipped | Due | AwaitingKey> => {
  const { hasKey, reason, ...dates } = options
  const next = BillingCalendar.nextGridDate({ gridDate: self.gridDate, ...dates })
  const { number, subscriptionId } = self
  return [
    ...next.passed.map((gridDate, index) => passed({ subscriptionId, number: number + 1 + index, gridDate, reason })),
    open({ subscriptionId, number: number + 1 + next.passed.length, gridDate: next.gridDate, hasKey })
  ]
}
