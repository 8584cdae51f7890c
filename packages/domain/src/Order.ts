/**
 * The order aggregate and its life cycle.
 *
 * An order keeps the prices the customer agreed to; a later change of an item does not touch it. It is placed, then paid
 * or expired; a paid order may be refunded line by line. A renewal is born paid. While `approvingAttempt` is set an
 * approval may be moving money, so the order can neither expire nor be approved a second time.
 *
 * @since 0.1.0
 */
import * as DateTime from "effect/DateTime"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { DeliveryPeriod } from "./DeliveryPeriod.ts"
import { AttemptId, ItemId, OrderId, OrderLineId, SubscriptionId, UserId } from "./Ids.ts"
import { nameLengthMax as itemNameLengthMax } from "./Item.ts"
import { Quantity } from "./Quantity.ts"
import { Receiver } from "./Receiver.ts"
import * as State from "./State.ts"
import * as Tax from "./Tax.ts"
import * as Won from "./Won.ts"

/** The most lines of one order. */
export const linesMax = 50
/** The longest name of a whole order, in UTF-16 units. */
export const nameLengthMax = 100
/** Minutes after which an unpaid order expires. */
export const paymentWindowMinutes = 30

/**
 * One item of an order at the price agreed; `period` is set when the line is a subscription.
 *
 * **Details**
 *
 * A plain object and no class of its own: an order has up to {@link linesMax} of them, and reading one back takes half the
 * time so.
 */
export const OrderLine = Schema.Struct({
  id: OrderLineId,
  itemId: ItemId,
  itemName: Schema.String.check(Schema.isMaxLength(itemNameLengthMax)),
  originPrice: Won.Won,
  unitPrice: Won.Won,
  quantity: Quantity,
  period: Schema.NullOr(DeliveryPeriod),
  refundedQuantity: Schema.Int
})
/** One item of an order at the price agreed. */
export interface OrderLine extends Schema.Struct.Type<typeof OrderLine.fields> {}

/** Placed by a person from explicit lines. */
export class FromLines extends Schema.TaggedClass<FromLines>("@pillivery/domain/Order/FromLines")("FromLines", {}) {}

/** Placed from a cart; its lines leave the cart once paid. */
export class FromCart extends Schema.TaggedClass<FromCart>("@pillivery/domain/Order/FromCart")("FromCart", {
  cart: Schema.Literals(["normal", "subscription"])
}) {}

/** Made by the renewal of a subscription. */
export class FromRenewal extends Schema.TaggedClass<FromRenewal>("@pillivery/domain/Order/FromRenewal")("FromRenewal", {
  subscriptionId: SubscriptionId,
  cycleNumber: Schema.Int
}) {}

/** Where an order came from. */
export const Origin = Schema.Union([FromLines, FromCart, FromRenewal]).pipe(Schema.toTaggedUnion("_tag"))
export type Origin = typeof Origin.Type

const common = {
  id: OrderId,
  userId: UserId,
  origin: Origin,
  lines: Schema.Array(OrderLine).check(Schema.isMinLength(1), Schema.isMaxLength(linesMax)),
  receiver: Receiver,
  /** What is to be paid: Σ unit price × quantity. */
  total: Won.Won,
  /** What the customer saved against the origin prices. */
  discountTotal: Won.Won,
  placedAt: Schema.DateTimeUtc,
  version: Schema.Int
}

const paid = { paidBy: AttemptId, paidAt: Schema.DateTimeUtc, refundedTotal: Won.Won }

/** Waiting to be paid until `expiresAt`. */
export class Placed extends Schema.TaggedClass<Placed>("@pillivery/domain/Order/Placed")("Placed", {
  ...common,
  expiresAt: Schema.DateTimeUtc,
  approvingAttempt: Schema.NullOr(AttemptId)
}) {}

/** Paid in full. */
export class Paid extends Schema.TaggedClass<Paid>("@pillivery/domain/Order/Paid")("Paid", { ...common, ...paid }) {}

/** Paid, and given back in part. */
export class PartiallyRefunded extends Schema.TaggedClass<PartiallyRefunded>(
  "@pillivery/domain/Order/PartiallyRefunded"
)("PartiallyRefunded", { ...common, ...paid }) {}

/** Paid, and given back in full. */
export class Refunded extends Schema.TaggedClass<Refunded>("@pillivery/domain/Order/Refunded")("Refunded", {
  ...common,
  ...paid
}) {}

/** Not paid in time. */
export class Expired extends Schema.TaggedClass<Expired>("@pillivery/domain/Order/Expired")("Expired", {
  ...common,
  expiredAt: Schema.DateTimeUtc
}) {}

/** The provider refused the payment for good. */
export class PaymentFailed extends Schema.TaggedClass<PaymentFailed>("@pillivery/domain/Order/PaymentFailed")(
  "PaymentFailed",
  { ...common, failedAt: Schema.DateTimeUtc }
) {}

/** An order in any of its states. */
export const Order = Schema.Union([Placed, Paid, PartiallyRefunded, Refunded, Expired, PaymentFailed]).pipe(
  Schema.toTaggedUnion("_tag")
)
export type Order = typeof Order.Type
/** The name of a state of an order. */
export type Tag = Order["_tag"]

/** Every allowed move: which commands each state knows, and where each leads. */
export const transitions = {
  Placed: {
    beginApproval: ["Placed"],
    pay: ["Paid"],
    expire: ["Expired"],
    failPayment: ["PaymentFailed"]
  },
  Paid: { refund: ["PartiallyRefunded", "Refunded"] },
  PartiallyRefunded: { refund: ["PartiallyRefunded", "Refunded"] },
  Refunded: {},
  Expired: {},
  PaymentFailed: {}
} as const satisfies State.Transitions<Tag>

/** The order is not in a state from which `command` leads anywhere. */
export class OrderTransitionDenied extends Schema.TaggedError<OrderTransitionDenied>(
  "@pillivery/domain/Order/OrderTransitionDenied"
)("OrderTransitionDenied", { orderId: OrderId, from: Schema.String, command: Schema.String }) {
  override get message() {
    return `order ${this.orderId} is ${this.from} and does not allow ${this.command}`
  }
}

/** The order has no lines, too many, or costs nothing. */
export class OrderLinesInvalid extends Schema.TaggedError<OrderLinesInvalid>(
  "@pillivery/domain/Order/OrderLinesInvalid"
)("OrderLinesInvalid", { reason: Schema.Literals(["empty", "tooMany", "freeOfCharge"]), count: Schema.Int }) {
  override get message() {
    return this.reason === "empty"
      ? "an order needs at least one line"
      : this.reason === "tooMany"
        ? `an order has at most ${linesMax} lines, not ${this.count}`
        : "an order costs at least one won"
  }
}

type Command = State.CommandOf<typeof transitions>
type Move<C extends Command, Args extends ReadonlyArray<unknown>, To, E = never> = State.Move<
  Order,
  typeof transitions,
  C,
  Args,
  Result.Result<To, OrderTransitionDenied | E>
>

const denied = (self: Order, command: Command) =>
  Result.fail(new OrderTransitionDenied({ orderId: self.id, from: self._tag, command }))

/** Places an order: prices the lines and sets the time by which it must be paid. */
export const place = (options: {
  readonly id: OrderId
  readonly userId: UserId
  readonly origin: FromLines | FromCart
  readonly lines: ReadonlyArray<OrderLine>
  readonly receiver: Receiver
  readonly at: DateTime.Utc
}): Result.Result<Placed, OrderLinesInvalid | Won.WonOutOfRange> =>
  Result.gen(function* () {
    const { at, ...fields } = options
    if (fields.lines.length === 0) return yield* Result.fail(new OrderLinesInvalid({ reason: "empty", count: 0 }))
    if (fields.lines.length > linesMax) {
      return yield* Result.fail(new OrderLinesInvalid({ reason: "tooMany", count: fields.lines.length }))
    }
    const total = yield* totalOf(fields.lines)
    if (total === 0) {
      return yield* Result.fail(new OrderLinesInvalid({ reason: "freeOfCharge", count: fields.lines.length }))
    }
    const discountTotal = yield* discountOf(fields.lines)
    return new Placed({
      ...fields,
      total,
      discountTotal,
      placedAt: at,
      expiresAt: DateTime.add(at, { minutes: paymentWindowMinutes }),
      approvingAttempt: null,
      version: 0
    })
  })

/** The order a charged cycle makes: born paid, one line at the agreed price. */
export const renew = (options: {
  readonly id: OrderId
  readonly userId: UserId
  readonly origin: FromRenewal
  readonly line: OrderLine
  readonly receiver: Receiver
  readonly attemptId: AttemptId
  readonly at: DateTime.Utc
}): Result.Result<Paid, Won.WonOutOfRange> =>
  Result.gen(function* () {
    const { at, attemptId, line, ...fields } = options
    const total = yield* Won.multiply(line.unitPrice, line.quantity)
    const discountTotal = yield* discountOf([line])
    return new Paid({
      ...fields,
      lines: [line],
      total,
      discountTotal,
      placedAt: at,
      paidBy: attemptId,
      paidAt: at,
      refundedTotal: Won.zero,
      version: 0
    })
  })

/** Whether any line is a subscription, so that paying must issue a billing key. */
export const hasSubscription = (self: Order): boolean => self.lines.some((line) => line.period !== null)

/** A short name for the whole order, such as `비타민 C 외 2건`; at most {@link nameLengthMax} characters. */
export const nameOf = (self: Order): string => {
  const first = self.lines
    .slice(0, 1)
    .map((line) => line.itemName)
    .join("")
  const suffix = self.lines.length > 1 ? ` 외 ${self.lines.length - 1}건` : ""
  // A character of two units is left out whole where only its first unit would fit.
  return first.slice(0, nameLengthMax - suffix.length).replace(/[\uD800-\uDBFF]$/, "") + suffix
}

/** An approval of this order is about to be sent. */
export const beginApproval: Move<"beginApproval", [attemptId: AttemptId, at: DateTime.Utc], Placed> = (
  self: Order,
  attemptId,
  at
) =>
  self._tag === "Placed" &&
  (self.approvingAttempt === null || self.approvingAttempt === attemptId) &&
  (self.approvingAttempt === attemptId || at.epochMilliseconds < self.expiresAt.epochMilliseconds)
    ? Result.succeed(State.next(Placed, self, { approvingAttempt: attemptId }))
    : denied(self, "beginApproval")

/** The approval ended without money moved; only its own attempt frees the order. */
export const endApproval = (self: Placed, attemptId: AttemptId): Placed =>
  self.approvingAttempt === attemptId ? State.next(Placed, self, { approvingAttempt: null }) : self

/** Money moved for it. */
export const pay: Move<"pay", [attemptId: AttemptId, at: DateTime.Utc], Paid> = (self: Order, attemptId, at) =>
  self._tag === "Placed"
    ? Result.succeed(State.next(Paid, self, { paidBy: attemptId, paidAt: at, refundedTotal: Won.zero }))
    : denied(self, "pay")

/** Its time is over and no approval is under way. */
export const expire: Move<"expire", [at: DateTime.Utc], Expired> = (self: Order, at) =>
  self._tag === "Placed" && self.approvingAttempt === null && self.expiresAt.epochMilliseconds <= at.epochMilliseconds
    ? Result.succeed(State.next(Expired, self, { expiredAt: at }))
    : denied(self, "expire")

/** The provider refused for good. */
export const failPayment: Move<"failPayment", [at: DateTime.Utc], PaymentFailed> = (self: Order, at) =>
  self._tag === "Placed"
    ? Result.succeed(State.next(PaymentFailed, self, { failedAt: at }))
    : denied(self, "failPayment")

/** How much of the order's total is tax; every health supplement is taxable. */
export const taxOf = (self: Order): Tax.Split => Tax.allTaxable(self.total)

/** Units of one line to give back. */
export interface RefundLine {
  readonly lineId: OrderLineId
  readonly quantity: number
}

/** What giving back some units comes to. */
export interface RefundDecision {
  /** Σ unit price × quantity. */
  readonly amount: Won.Won
  readonly lines: ReadonlyArray<RefundLine>
  /** How much of `amount` is tax. */
  readonly tax: Tax.Split
}

/** A line is not of this order, or more units are asked back than are left; `asked` is 0 where it was no whole number. */
export class RefundLinesInvalid extends Schema.TaggedError<RefundLinesInvalid>(
  "@pillivery/domain/Order/RefundLinesInvalid"
)("RefundLinesInvalid", {
  orderId: OrderId,
  lineId: Schema.NullOr(Schema.String),
  asked: Schema.Int,
  available: Schema.Int
}) {
  override get message() {
    return this.lineId === null
      ? "nothing is left to refund"
      : `${this.asked} of line ${this.lineId} cannot be refunded: ${this.available} are left`
  }
}

/**
 * What giving back these units comes to; for `rest`, everything that is left.
 *
 * **Details**
 *
 * The tax is that of all refunds up to and with this one less that of those before it, see {@link Tax.refundOf}: given back
 * are `refundedTotal` and what is pending. So the taxes of all refunds of an order add up to the tax of its total.
 *
 * **Gotchas**
 *
 * Pending refunds are taken to succeed. When the provider refuses one, the taxes of those decided meanwhile count on it.
 */
export const refundAmount = (
  self: Order,
  asked: ReadonlyArray<RefundLine> | "rest",
  /** Units that refunds under way have already asked for. */
  pending: ReadonlyArray<RefundLine> = []
): Result.Result<RefundDecision, OrderTransitionDenied | RefundLinesInvalid | Won.WonOutOfRange> =>
  Result.gen(function* () {
    if (self._tag !== "Paid" && self._tag !== "PartiallyRefunded") return yield* denied(self, "refund")
    const left = (line: OrderLine) =>
      pending
        .filter((other) => other.lineId === line.id)
        .reduce((units, other) => units - other.quantity, line.quantity - line.refundedQuantity)
    const lines =
      asked === "rest"
        ? self.lines.map((line) => ({ lineId: line.id, quantity: left(line) })).filter((line) => line.quantity > 0)
        : asked
    if (lines.length === 0) {
      return yield* Result.fail(new RefundLinesInvalid({ orderId: self.id, lineId: null, asked: 0, available: 0 }))
    }
    const amounts: Array<Won.Won> = []
    const seen = new Set<string>()
    for (const { lineId, quantity } of lines) {
      const line = self.lines.find((candidate) => candidate.id === lineId)
      const available = line === undefined || seen.has(lineId) ? 0 : left(line)
      if (line === undefined || !Number.isInteger(quantity) || quantity < 1 || quantity > available) {
        const whole = Number.isSafeInteger(quantity) ? quantity : 0
        return yield* Result.fail(new RefundLinesInvalid({ orderId: self.id, lineId, asked: whole, available }))
      }
      seen.add(lineId)
      amounts.push(yield* Won.multiply(line.unitPrice, quantity))
    }
    const amount = yield* Won.sum(amounts)
    return { amount, lines, tax: yield* taxOfRefund(self, pending, amount) }
  })

const taxOfRefund = (self: Paid | PartiallyRefunded, pending: ReadonlyArray<RefundLine>, amount: Won.Won) =>
  Result.gen(function* () {
    const before = [self.refundedTotal]
    for (const { lineId, quantity } of pending) {
      const line = self.lines.find((candidate) => candidate.id === lineId)
      if (line !== undefined) before.push(yield* Won.multiply(line.unitPrice, quantity))
    }
    const given = yield* Won.sum(before)
    const taxable = (total: Won.Won): Tax.Amounts => ({ total, taxFree: Won.zero })
    return yield* Result.mapError(
      Tax.refundOf(taxable(self.total), taxable(given), taxable(amount)),
      // Units are never worth more than what is left of the total, unless the books were tampered with.
      () => new Won.WonOutOfRange({ amount: self.total - given - amount })
    )
  })

/** The provider confirmed a refund of these units. */
export const refund: Move<
  "refund",
  [lines: ReadonlyArray<RefundLine>, amount: Won.Won],
  PartiallyRefunded | Refunded
> = (self: Order, lines, amount) => {
  if (self._tag !== "Paid" && self._tag !== "PartiallyRefunded") return denied(self, "refund")
  const refundedByLine = new Map<string, number>(lines.map((line) => [line.lineId, line.quantity]))
  const changes = {
    refundedTotal: Math.min(self.total, self.refundedTotal + amount) as Won.Won,
    lines: self.lines.map((line) => ({
      ...line,
      refundedQuantity: Math.min(line.quantity, line.refundedQuantity + (refundedByLine.get(line.id) ?? 0))
    }))
  }
  return Result.succeed(
    changes.lines.every((line) => line.refundedQuantity === line.quantity)
      ? State.next(Refunded, self, changes)
      : State.next(PartiallyRefunded, self, changes)
  )
}

const totalOf = (lines: ReadonlyArray<OrderLine>) =>
  Result.gen(function* () {
    const amounts: Array<Won.Won> = []
    for (const line of lines) amounts.push(yield* Won.multiply(line.unitPrice, line.quantity))
    return yield* Won.sum(amounts)
  })

const discountOf = (lines: ReadonlyArray<OrderLine>) =>
  Result.gen(function* () {
    const amounts: Array<Won.Won> = []
    for (const line of lines) {
      amounts.push(yield* Won.multiply(yield* Won.subtract(line.originPrice, line.unitPrice), line.quantity))
    }
    return yield* Won.sum(amounts)
  })
