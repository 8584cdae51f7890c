/**
 * One delivery of a subscription that is to be charged.
 *
 * A subscription that is not cancelled has exactly one open cycle. Closing it opens the next. A cycle is identified by
 * the subscription and a number, never by a date, because the owner may move the date.
 *
 * @since 0.1.0
 */
import { Result, Schema } from "effect"
import * as BusinessDate from "./BusinessDate.ts"
import * as DunningPolicy from "./DunningPolicy.ts"
import { AttemptId, SubscriptionId } from "./Ids.ts"
import { fieldsOf } from "./State.ts"

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
export type Tag = BillingCycle["_tag"]
export type Chargeable = Due | RetryDue | Blocked
export type Open = Chargeable | AwaitingKey | InFlight | InDoubt
export type Closed = Charged | Skipped | Abandoned

const reopened = ["Charged", "Due", "RetryDue", "Blocked", "AwaitingKey", "Skipped", "Abandoned"] as const

/** Every allowed move. */
export const transitions = {
  Due: ["AwaitingKey", "InFlight", "Charged", "Skipped", "Abandoned"],
  RetryDue: ["AwaitingKey", "InFlight", "Charged", "Skipped", "Abandoned"],
  Blocked: ["AwaitingKey", "InFlight", "Charged", "Skipped", "Abandoned"],
  AwaitingKey: ["Due", "RetryDue", "Charged", "Skipped", "Abandoned"],
  InFlight: ["InDoubt", ...reopened],
  InDoubt: reopened,
  Charged: [],
  Skipped: [],
  Abandoned: []
} as const satisfies Record<Tag, ReadonlyArray<Tag>>

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
    return `cycle ${this.number} of subscription ${this.subscriptionId} is ${this.from} and cannot ${this.command}`
  }
}

type Denied<A> = Result.Result<A, CycleTransitionDenied>

const denied = (self: BillingCycle, command: string) =>
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
  isChargeable(self) && self.openAttempt === null && self.nextAttemptOn <= on && self.answeredOn !== on

/** An attempt takes the cycle and is sent. */
export const send = (self: BillingCycle, attemptId: AttemptId): Denied<InFlight> =>
  isChargeable(self) && self.openAttempt === null
    ? Result.succeed(new InFlight({ ...fieldsOf(self), openAttempt: attemptId }))
    : denied(self, "be charged")

/** The attempt's outcome became unknown. Only the attempt that holds the cycle can say so. */
export const doubt = (self: BillingCycle, attemptId: AttemptId): Denied<InDoubt> =>
  self._tag === "InFlight" && self.openAttempt === attemptId
    ? Result.succeed(new InDoubt(fieldsOf(self)))
    : denied(self, "be in doubt")

/**
 * Paid. The holder closes the cycle; a late answer of another attempt may close it too, and leaves the slot to whoever
 * holds it.
 */
export const charge = (
  self: BillingCycle,
  attemptId: AttemptId,
  chargedOn: BusinessDate.BusinessDate
): Denied<Charged> =>
  isOpen(self)
    ? Result.succeed(
        new Charged({
          ...fieldsOf(self),
          openAttempt: self.openAttempt === attemptId ? null : self.openAttempt,
          answeredOn: chargedOn,
          chargedBy: attemptId,
          chargedOn
        })
      )
    : denied(self, "be charged")

/** The call was not executed: the cycle is as due as before, and no step of the ladder is used up. */
export const giveBack = (
  self: BillingCycle,
  attemptId: AttemptId,
  nextAttemptOn: BusinessDate.BusinessDate
): Denied<Due | RetryDue> =>
  (self._tag === "InFlight" || self._tag === "InDoubt") && self.openAttempt === attemptId
    ? Result.succeed(
        self.ladderStart === null
          ? new Due({ ...fieldsOf(self), openAttempt: null, nextAttemptOn })
          : new RetryDue({ ...fieldsOf(self), openAttempt: null, nextAttemptOn })
      )
    : denied(self, "be given back")

/** The monthly uses of the key are spent: wait for the first of the next month. */
export const block = (self: BillingCycle, attemptId: AttemptId, on: BusinessDate.BusinessDate): Denied<Blocked> =>
  (self._tag === "InFlight" || self._tag === "InDoubt") && self.openAttempt === attemptId
    ? Result.succeed(
        new Blocked({
          ...fieldsOf(self),
          openAttempt: null,
          answeredOn: on,
          nextAttemptOn: BusinessDate.firstOfNextMonth(on)
        })
      )
    : denied(self, "be blocked")

/** What a soft decline leads to: another day of the ladder, or its end. */
export const declineSoftly = (
  self: BillingCycle,
  attemptId: AttemptId,
  on: BusinessDate.BusinessDate,
  policy: DunningPolicy.DunningPolicy
): Denied<RetryDue | "exhausted"> => {
  if ((self._tag !== "InFlight" && self._tag !== "InDoubt") || self.openAttempt !== attemptId) {
    return denied(self, "be declined")
  }
  const ladderStart = self.ladderStart ?? on
  const next = DunningPolicy.nextRetry(policy, ladderStart, on)
  return Result.succeed(
    next === null
      ? ("exhausted" as const)
      : new RetryDue({
          ...fieldsOf(self),
          openAttempt: null,
          answeredOn: on,
          ladderStart,
          step: next.step,
          nextAttemptOn: next.on
        })
  )
}

/** A hard decline: the cycle waits for another key until the last day of the ladder. */
export const declineHard = (
  self: BillingCycle,
  attemptId: AttemptId,
  on: BusinessDate.BusinessDate,
  policy: DunningPolicy.DunningPolicy
): Denied<AwaitingKey> => {
  if ((self._tag !== "InFlight" && self._tag !== "InDoubt") || self.openAttempt !== attemptId) {
    return denied(self, "be declined")
  }
  const ladderStart = self.ladderStart ?? on
  return Result.succeed(
    new AwaitingKey({
      ...fieldsOf(self),
      openAttempt: null,
      answeredOn: on,
      ladderStart,
      nextAttemptOn: DunningPolicy.lastDay(policy, ladderStart)
    })
  )
}

/** Another key is there: due today, or tomorrow when today already had a definite answer. */
export const receiveKey = (self: BillingCycle, today: BusinessDate.BusinessDate): Denied<Due | RetryDue> => {
  if (self._tag !== "AwaitingKey") return denied(self, "receive a key")
  const earliest = self.answeredOn === today ? BusinessDate.addDays(today, 1) : today
  const nextAttemptOn = BusinessDate.max(earliest, self.dueDate)
  return Result.succeed(
    self.ladderStart === null
      ? new Due({ ...fieldsOf(self), nextAttemptOn })
      : new RetryDue({ ...fieldsOf(self), nextAttemptOn })
  )
}

/** Its key is dead before it was tried: as after a hard decline it waits for another until the ladder's last day. */
export const loseKey = (
  self: BillingCycle,
  on: BusinessDate.BusinessDate,
  policy: DunningPolicy.DunningPolicy
): Denied<AwaitingKey> => {
  if (!isChargeable(self) || self.openAttempt !== null) return denied(self, "lose its key")
  const ladderStart = self.ladderStart ?? on
  return Result.succeed(
    new AwaitingKey({ ...fieldsOf(self), ladderStart, nextAttemptOn: DunningPolicy.lastDay(policy, ladderStart) })
  )
}

/** Leaves the cycle out. An attempt in flight must settle first. */
export const skip = (self: BillingCycle, reason: SkipReason): Denied<Skipped> =>
  isOpen(self) && self.openAttempt === null
    ? Result.succeed(new Skipped({ ...fieldsOf(self), reason }))
    : denied(self, "be skipped")

/** Gives the cycle up. An attempt in flight must settle first. */
export const abandon = (self: BillingCycle, reason: Abandoned["reason"]): Denied<Abandoned> =>
  isOpen(self) && self.openAttempt === null
    ? Result.succeed(new Abandoned({ ...fieldsOf(self), reason }))
    : denied(self, "be abandoned")

/** Gives up or leaves out a cycle at the end of its ladder, by the attempt that holds it. */
export const exhaust = (
  self: BillingCycle,
  attemptId: AttemptId | null,
  on: BusinessDate.BusinessDate,
  outcome: "Abandoned" | "Skipped"
): Denied<Abandoned | Skipped> => {
  if (!isOpen(self) || self.openAttempt !== attemptId) return denied(self, "be exhausted")
  const fields = { ...fieldsOf(self), openAttempt: null, answeredOn: on, ladderStart: self.ladderStart ?? on }
  return Result.succeed(
    outcome === "Abandoned"
      ? new Abandoned({ ...fields, reason: "dunning" })
      : new Skipped({ ...fields, reason: "dunning" })
  )
}

/** Gives the slot of a closed cycle back; only its holder can, another attempt changes nothing. */
export const release = (self: Closed, attemptId: AttemptId): Closed => {
  if (self.openAttempt !== attemptId) return self
  switch (self._tag) {
    case "Charged":
      return new Charged({ ...self, openAttempt: null })
    case "Skipped":
      return new Skipped({ ...self, openAttempt: null })
    case "Abandoned":
      return new Abandoned({ ...self, openAttempt: null })
  }
}

/** Moves the due date of this cycle; the grid stays. Only before the cycle was ever tried. */
export const postpone = (self: BillingCycle, days: number): Denied<Due> => {
  if (self._tag !== "Due" || self.openAttempt !== null) return denied(self, "be postponed")
  const dueDate = BusinessDate.addDays(self.dueDate, days)
  return Result.succeed(new Due({ ...self, dueDate, nextAttemptOn: dueDate }))
}

/** Moves the cycle to another date of a changed grid. */
export const reschedule = (self: BillingCycle, gridDate: BusinessDate.BusinessDate): Denied<Due | AwaitingKey> => {
  if (self.openAttempt !== null) return denied(self, "be rescheduled")
  if (self._tag === "Due") {
    return Result.succeed(new Due({ ...self, gridDate, dueDate: gridDate, nextAttemptOn: gridDate }))
  }
  if (self._tag === "AwaitingKey") return Result.succeed(new AwaitingKey({ ...self, gridDate, dueDate: gridDate }))
  return denied(self, "be rescheduled")
}
