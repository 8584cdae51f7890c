/**
 * One order line that is delivered again and again.
 *
 * It owns the item, the quantity, the price agreed and the rhythm; each delivery to be charged is a `BillingCycle`. The
 * price never follows the catalogue: the customer agreed to this one.
 *
 * @since 0.1.0
 */
import { type DateTime, Result, Schema } from "effect"
import { BusinessDate } from "./BusinessDate.ts"
import { DeliveryPeriod } from "./DeliveryPeriod.ts"
import { BillingKeyId, ItemId, OrderId, OrderLineId, SubscriptionId, UserId } from "./Ids.ts"
import { Quantity } from "./Quantity.ts"
import { Receiver } from "./Receiver.ts"
import { fieldsOf } from "./State.ts"
import * as Won from "./Won.ts"

/** How many deliveries the owner may skip in a row. */
export const skipsInARowMax = 2
/** The furthest one delivery may be postponed at once, in days. */
export const postponeDaysMax = 60

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
export type Tag = SubscriptionOrder["_tag"]
export type Chargeable = Active | PastDue

/** Every allowed move. */
export const transitions = {
  AwaitingBillingKey: ["Active", "Cancelled"],
  Active: ["PastDue", "Paused", "Cancelled"],
  PastDue: ["Active", "Paused", "Cancelled"],
  Paused: ["Active", "Cancelled"],
  Cancelled: []
} as const satisfies Record<Tag, ReadonlyArray<Tag>>

/** The subscription is not in a state from which `command` leads anywhere. */
export class SubscriptionTransitionDenied extends Schema.TaggedError<SubscriptionTransitionDenied>(
  "@pillivery/domain/SubscriptionOrder/SubscriptionTransitionDenied"
)("SubscriptionTransitionDenied", { subscriptionId: SubscriptionId, from: Schema.String, command: Schema.String }) {
  override get message() {
    return `subscription ${this.subscriptionId} is ${this.from} and cannot ${this.command}`
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

type Denied<A> = Result.Result<A, SubscriptionTransitionDenied>

const denied = (self: SubscriptionOrder, command: string) =>
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

/** What one delivery costs. */
export const amountOf = (self: SubscriptionOrder): Result.Result<Won.Won, Won.WonOutOfRange> =>
  Won.multiply(self.unitPrice, self.quantity)

/** A charge is about to be sent: the version moves, so that an owner's command of the same moment loses. */
export const touch = (self: SubscriptionOrder): Denied<Chargeable> => {
  if (self._tag === "Active") return Result.succeed(new Active(self))
  if (self._tag === "PastDue") return Result.succeed(new PastDue(self))
  return denied(self, "be charged")
}

/** A renewal was charged: whatever was wrong is right again. */
export const settle = (self: SubscriptionOrder): Denied<Exclude<SubscriptionOrder, PastDue>> => {
  switch (self._tag) {
    case "Active":
      return Result.succeed(new Active({ ...self, skipsInARow: 0 }))
    case "PastDue":
      return Result.succeed(new Active({ ...fieldsOf(self), skipsInARow: 0 }))
    case "Paused":
      return Result.succeed(new Paused({ ...self, skipsInARow: 0 }))
    case "AwaitingBillingKey":
      return Result.succeed(new AwaitingBillingKey({ ...self, skipsInARow: 0 }))
    case "Cancelled":
      return denied(self, "be settled")
  }
}

/** A renewal was declined. */
export const fallBehind = (self: SubscriptionOrder): Denied<PastDue> =>
  isChargeable(self) ? Result.succeed(new PastDue(fieldsOf(self))) : denied(self, "fall behind")

/** The ladder ended with a skipped delivery: the subscription goes on. */
export const recover = (self: SubscriptionOrder): Denied<Active> =>
  isChargeable(self) ? Result.succeed(new Active(fieldsOf(self))) : denied(self, "recover")

/** Stops charging until resumed. */
export const pause = (self: SubscriptionOrder, by: Paused["by"], resumeOn: BusinessDate | null): Denied<Paused> =>
  isChargeable(self) ? Result.succeed(new Paused({ ...fieldsOf(self), by, resumeOn })) : denied(self, "be paused")

/** Charges again. */
export const resume = (self: SubscriptionOrder): Denied<Active> =>
  self._tag === "Paused" ? Result.succeed(new Active(fieldsOf(self))) : denied(self, "be resumed")

/** Ends it. */
export const cancel = (self: SubscriptionOrder, reason: CancelReason, at: DateTime.Utc): Denied<Cancelled> =>
  self._tag === "Cancelled"
    ? denied(self, "be cancelled")
    : Result.succeed(
        new Cancelled({
          ...fieldsOf(self),
          billingKeyId: self._tag === "AwaitingBillingKey" ? self.pendingBillingKeyId : self.billingKeyId,
          reason,
          cancelledAt: at
        })
      )

/** The owner leaves out one delivery. */
export const countSkip = (
  self: SubscriptionOrder
): Result.Result<Chargeable, SubscriptionTransitionDenied | SkipLimitReached> => {
  if (!isChargeable(self)) return denied(self, "skip a delivery")
  if (self.skipsInARow >= skipsInARowMax) {
    return Result.fail(new SkipLimitReached({ subscriptionId: self.id, skipsInARow: self.skipsInARow }))
  }
  const skipsInARow = self.skipsInARow + 1
  return Result.succeed(
    self._tag === "Active" ? new Active({ ...self, skipsInARow }) : new PastDue({ ...self, skipsInARow })
  )
}

/** The owner changes how many units are delivered, or how often. */
export const change = (
  self: SubscriptionOrder,
  changed: { readonly quantity?: Quantity; readonly period?: DeliveryPeriod }
): Denied<Exclude<SubscriptionOrder, Cancelled>> => {
  switch (self._tag) {
    case "Active":
      return Result.succeed(new Active({ ...self, ...changed }))
    case "PastDue":
      return Result.succeed(new PastDue({ ...self, ...changed }))
    case "Paused":
      return Result.succeed(new Paused({ ...self, ...changed }))
    case "AwaitingBillingKey":
      return Result.succeed(new AwaitingBillingKey({ ...self, ...changed }))
    case "Cancelled":
      return denied(self, "be changed")
  }
}

/** The owner was asked to register this key. */
export const expectKey = (self: SubscriptionOrder, billingKeyId: BillingKeyId): Denied<AwaitingBillingKey> =>
  self._tag === "AwaitingBillingKey"
    ? Result.succeed(new AwaitingBillingKey({ ...self, pendingBillingKeyId: billingKeyId }))
    : denied(self, "expect a billing key")

/** A new key is there. */
export const replaceKey = (self: SubscriptionOrder, billingKeyId: BillingKeyId): Denied<Active | PastDue | Paused> => {
  switch (self._tag) {
    case "AwaitingBillingKey":
      return Result.succeed(new Active({ ...fieldsOf(self), billingKeyId }))
    case "Active":
      return Result.succeed(new Active({ ...self, billingKeyId }))
    case "PastDue":
      return Result.succeed(new PastDue({ ...self, billingKeyId }))
    case "Paused":
      return Result.succeed(new Paused({ ...self, billingKeyId }))
    case "Cancelled":
      return denied(self, "take a billing key")
  }
}
