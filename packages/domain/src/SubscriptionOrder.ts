/**
 * One order line that is delivered again and again.
 *
 * It owns the item, the quantity, the price agreed and the rhythm; each delivery to be charged is a `BillingCycle`. The
 * price never follows the catalogue: the customer agreed to this one.
 *
 * @since 0.1.0
 */
import type * as DateTime from "effect/DateTime"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { BusinessDate } from "./BusinessDate.ts"
import { DeliveryPeriod } from "./DeliveryPeriod.ts"
import { BillingKeyId, ItemId, OrderId, OrderLineId, SubscriptionId, UserId } from "./Ids.ts"
import { Quantity } from "./Quantity.ts"
import { Receiver } from "./Receiver.ts"
import * as State from "./State.ts"
import * as Won from "./Won.ts"

/** How many deliveries the owner may skip in a row. */
export const skipsInARowMax = 2
/** The longest pause with an end, in days. */
export const pauseDaysMax = 365

const common = {
  id: SubscriptionId,
  userId: UserId,
  orderId: OrderId,
  orderLineId: OrderLineId,
  itemId: ItemId,
  itemName: Schema.String.check(Schema.isMaxLength(200)),
  unitPrice: Won.Won,
  quantity: Quantity,
  period: DeliveryPeriod,
  /** The Korean date on which the first payment was sent. */
  anchor: BusinessDate,
  /** The due date of the last delivery that was paid; the anchor until a renewal was. */
  lastPaidDueDate: BusinessDate,
  receiver: Receiver,
  /** Owner's skips since the last charge. */
  skipsInARow: Schema.Int,
  createdAt: Schema.DateTimeUtc,
  version: Schema.Int
}

const keyed = { billingKeyId: BillingKeyId }

/** The first payment gave no usable key, or the key was lost before the first renewal. */
export class AwaitingBillingKey extends Schema.TaggedClass<AwaitingBillingKey>(
  "@pillivery/domain/SubscriptionOrder/AwaitingBillingKey"
)("AwaitingBillingKey", {
  ...common,
  /** The key the owner was asked to register; null until one was prepared. */
  pendingBillingKeyId: Schema.NullOr(BillingKeyId)
}) {}

/** Delivered and charged on its dates. */
export class Active extends Schema.TaggedClass<Active>("@pillivery/domain/SubscriptionOrder/Active")("Active", {
  ...common,
  ...keyed
}) {}

/** A renewal was declined and the ladder is being climbed. */
export class PastDue extends Schema.TaggedClass<PastDue>("@pillivery/domain/SubscriptionOrder/PastDue")("PastDue", {
  ...common,
  ...keyed
}) {}

/** Nothing is charged until the owner, or `resumeOn`, resumes it. */
export class Paused extends Schema.TaggedClass<Paused>("@pillivery/domain/SubscriptionOrder/Paused")("Paused", {
  ...common,
  ...keyed,
  by: Schema.Literals(["owner", "policy"]),
  resumeOn: Schema.NullOr(BusinessDate)
}) {}

/** Why a subscription ended. */
export const CancelReason = Schema.Literals(["owner", "dunning", "noBillingKey", "withdrawal"])
export type CancelReason = typeof CancelReason.Type

/** Ended. */
export class Cancelled extends Schema.TaggedClass<Cancelled>("@pillivery/domain/SubscriptionOrder/Cancelled")(
  "Cancelled",
  {
    ...common,
    billingKeyId: Schema.NullOr(BillingKeyId),
    reason: CancelReason,
    cancelledAt: Schema.DateTimeUtc
  }
) {}

/** A subscription order in any of its states. */
export const SubscriptionOrder = Schema.Union([AwaitingBillingKey, Active, PastDue, Paused, Cancelled]).pipe(
  Schema.toTaggedUnion("_tag")
)
export type SubscriptionOrder = typeof SubscriptionOrder.Type
/** The name of a state of a subscription order. */
export type Tag = SubscriptionOrder["_tag"]
/** A subscription that the billing run may charge. */
export type Chargeable = Active | PastDue

/** Every allowed move: which commands each state knows, and where each leads. */
export const transitions = {
  AwaitingBillingKey: {
    expectKey: ["AwaitingBillingKey"],
    replaceKey: ["Active"],
    settle: ["AwaitingBillingKey"],
    change: ["AwaitingBillingKey"],
    cancel: ["Cancelled"]
  },
  Active: {
    touch: ["Active"],
    settle: ["Active"],
    fallBehind: ["PastDue"],
    recover: ["Active"],
    pause: ["Paused"],
    skip: ["Active"],
    change: ["Active"],
    replaceKey: ["Active"],
    cancel: ["Cancelled"]
  },
  PastDue: {
    touch: ["PastDue"],
    settle: ["Active"],
    fallBehind: ["PastDue"],
    recover: ["Active"],
    pause: ["Paused"],
    skip: ["Active"],
    change: ["PastDue"],
    replaceKey: ["PastDue"],
    cancel: ["Cancelled"]
  },
  Paused: {
    settle: ["Paused"],
    pause: ["Paused"],
    resume: ["Active"],
    change: ["Paused"],
    replaceKey: ["Paused"],
    cancel: ["Cancelled"]
  },
  Cancelled: {}
} as const satisfies State.Transitions<Tag>

/** The subscription is not in a state from which `command` leads anywhere. */
export class SubscriptionTransitionDenied extends Schema.TaggedError<SubscriptionTransitionDenied>(
  "@pillivery/domain/SubscriptionOrder/SubscriptionTransitionDenied"
)("SubscriptionTransitionDenied", { subscriptionId: SubscriptionId, from: Schema.String, command: Schema.String }) {
  override get message() {
    return `subscription ${this.subscriptionId} is ${this.from} and does not allow ${this.command}`
  }
}

/** The owner has skipped as often in a row as is allowed. */
export class SkipLimitReached extends Schema.TaggedError<SkipLimitReached>(
  "@pillivery/domain/SubscriptionOrder/SkipLimitReached"
)("SkipLimitReached", { subscriptionId: SubscriptionId, skipsInARow: Schema.Int }) {
  override get message() {
    return `${this.skipsInARow} deliveries in a row were skipped; at most ${skipsInARowMax} may be`
  }
}

type Command = State.CommandOf<typeof transitions>
type Move<C extends Command, Args extends ReadonlyArray<unknown>, To, E = never> = State.Move<
  SubscriptionOrder,
  typeof transitions,
  C,
  Args,
  Result.Result<To, SubscriptionTransitionDenied | E>
>

const denied = (self: SubscriptionOrder, command: Command) =>
  Result.fail(new SubscriptionTransitionDenied({ subscriptionId: self.id, from: self._tag, command }))

/** The subscription an order line begins; without a key it waits for one. */
export const begin = (options: {
  readonly id: SubscriptionId
  readonly userId: UserId
  readonly orderId: OrderId
  readonly line: {
    readonly id: OrderLineId
    readonly itemId: ItemId
    readonly itemName: string
    readonly unitPrice: Won.Won
    readonly quantity: Quantity
  }
  readonly period: DeliveryPeriod
  readonly anchor: BusinessDate
  readonly receiver: Receiver
  readonly billingKeyId: BillingKeyId | null
  readonly at: DateTime.Utc
}): Active | AwaitingBillingKey => {
  const { at, billingKeyId, line, ...fields } = options
  const fresh = {
    ...fields,
    orderLineId: line.id,
    itemId: line.itemId,
    itemName: line.itemName,
    unitPrice: line.unitPrice,
    quantity: line.quantity,
    lastPaidDueDate: fields.anchor,
    skipsInARow: 0,
    createdAt: at,
    version: 0
  }
  return billingKeyId === null
    ? new AwaitingBillingKey({ ...fresh, pendingBillingKeyId: null })
    : new Active({ ...fresh, billingKeyId })
}

/** Whether the billing run may charge it. */
export const isChargeable = (self: SubscriptionOrder): self is Chargeable =>
  self._tag === "Active" || self._tag === "PastDue"

/** What a delivery of so many units costs, of as many as are agreed unless told otherwise. */
export const amountOf = (
  self: SubscriptionOrder,
  quantity: Quantity = self.quantity
): Result.Result<Won.Won, Won.WonOutOfRange> => Won.multiply(self.unitPrice, quantity)

/** A charge is about to be sent: the version moves, so that an owner's command of the same moment loses. */
export const touch: Move<"touch", [], Chargeable> = (self: SubscriptionOrder) => {
  if (self._tag === "Active") return Result.succeed(State.next(Active, self, {}))
  if (self._tag === "PastDue") return Result.succeed(State.next(PastDue, self, {}))
  return denied(self, "touch")
}

/** The renewal due on `lastPaidDueDate` was charged: whatever was wrong is right again. */
export const settle: Move<"settle", [lastPaidDueDate: BusinessDate], Exclude<SubscriptionOrder, PastDue>> = (
  self: SubscriptionOrder,
  lastPaidDueDate
) => {
  const settled = { lastPaidDueDate, skipsInARow: 0 }
  switch (self._tag) {
    case "Active":
    case "PastDue":
      return Result.succeed(State.next(Active, self, settled))
    case "Paused":
      return Result.succeed(State.next(Paused, self, settled))
    case "AwaitingBillingKey":
      return Result.succeed(State.next(AwaitingBillingKey, self, settled))
    case "Cancelled":
      return denied(self, "settle")
  }
}

/** A renewal was declined. */
export const fallBehind: Move<"fallBehind", [], PastDue> = (self: SubscriptionOrder) =>
  isChargeable(self) ? Result.succeed(State.next(PastDue, self, {})) : denied(self, "fallBehind")

/** The ladder ended with a skipped delivery: the subscription goes on. */
export const recover: Move<"recover", [], Active> = (self: SubscriptionOrder) =>
  isChargeable(self) ? Result.succeed(State.next(Active, self, {})) : denied(self, "recover")

/** Stops charging until resumed, by hand or on `resumeOn`. The owner may also give a pause another end. */
export const pause: Move<"pause", [by: Paused["by"], resumeOn: BusinessDate | null], Paused> = (
  self: SubscriptionOrder,
  by,
  resumeOn
) =>
  isChargeable(self) || (self._tag === "Paused" && by === "owner")
    ? Result.succeed(State.next(Paused, self, { by, resumeOn }))
    : denied(self, "pause")

/** Whether a pause ends on `today` or should have ended before. */
export const isResumeDue = (self: SubscriptionOrder, today: BusinessDate): self is Paused =>
  self._tag === "Paused" && self.resumeOn !== null && self.resumeOn <= today

/** Charges again. */
export const resume: Move<"resume", [], Active> = (self: SubscriptionOrder) =>
  self._tag === "Paused" ? Result.succeed(State.next(Active, self, {})) : denied(self, "resume")

/** Ends it. */
export const cancel: Move<"cancel", [reason: CancelReason, at: DateTime.Utc], Cancelled> = (
  self: SubscriptionOrder,
  reason,
  at
) =>
  self._tag === "Cancelled"
    ? denied(self, "cancel")
    : Result.succeed(
        State.next(Cancelled, self, {
          billingKeyId: self._tag === "AwaitingBillingKey" ? self.pendingBillingKeyId : self.billingKeyId,
          reason,
          cancelledAt: at
        })
      )

/** The owner leaves out one delivery. One that was declined is left out too: nothing is behind any more. */
export const skip: Move<"skip", [], Active, SkipLimitReached> = (self: SubscriptionOrder) => {
  if (!isChargeable(self)) return denied(self, "skip")
  return self.skipsInARow >= skipsInARowMax
    ? Result.fail(new SkipLimitReached({ subscriptionId: self.id, skipsInARow: self.skipsInARow }))
    : Result.succeed(State.next(Active, self, { skipsInARow: self.skipsInARow + 1 }))
}

/** The owner changes how many units are delivered, or how often. */
export const change: Move<
  "change",
  [changed: { readonly quantity?: Quantity; readonly period?: DeliveryPeriod }],
  Exclude<SubscriptionOrder, Cancelled>
> = (self: SubscriptionOrder, changed) => {
  switch (self._tag) {
    case "Active":
      return Result.succeed(State.next(Active, self, { ...changed }))
    case "PastDue":
      return Result.succeed(State.next(PastDue, self, { ...changed }))
    case "Paused":
      return Result.succeed(State.next(Paused, self, { ...changed }))
    case "AwaitingBillingKey":
      return Result.succeed(State.next(AwaitingBillingKey, self, { ...changed }))
    case "Cancelled":
      return denied(self, "change")
  }
}

/** The owner was asked to register this key. */
export const expectKey: Move<"expectKey", [billingKeyId: BillingKeyId], AwaitingBillingKey> = (
  self: SubscriptionOrder,
  billingKeyId
) =>
  self._tag === "AwaitingBillingKey"
    ? Result.succeed(State.next(AwaitingBillingKey, self, { pendingBillingKeyId: billingKeyId }))
    : denied(self, "expectKey")

/** A new key is there. */
export const replaceKey: Move<"replaceKey", [billingKeyId: BillingKeyId], Active | PastDue | Paused> = (
  self: SubscriptionOrder,
  billingKeyId
) => {
  switch (self._tag) {
    case "AwaitingBillingKey":
      return Result.succeed(State.next(Active, self, { billingKeyId }))
    case "Active":
      return Result.succeed(State.next(Active, self, { billingKeyId }))
    case "PastDue":
      return Result.succeed(State.next(PastDue, self, { billingKeyId }))
    case "Paused":
      return Result.succeed(State.next(Paused, self, { billingKeyId }))
    case "Cancelled":
      return denied(self, "replaceKey")
  }
}
