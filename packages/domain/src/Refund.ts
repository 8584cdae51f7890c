/**
 * Money on its way back to the customer.
 *
 * A refund is committed before the provider is asked, one at a time for each payment, and its amount is computed from
 * lines, never taken from a caller. An unknown outcome is decided by what the provider says was given back so far.
 *
 * @since 0.1.0
 */
import type * as DateTime from "effect/DateTime"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { AttemptId, OrderId, OrderLineId, RefundId, UserId } from "./Ids.ts"
import * as State from "./State.ts"
import { Won } from "./Won.ts"

/** The longest reason a customer may give, in UTF-16 units. */
export const reasonLengthMax = 200
/** The longest text about an outcome, in UTF-16 units; a longer one is cut. */
export const detailLengthMax = 500

const detail = Schema.String.check(Schema.isMaxLength(detailLengthMax))

const common = {
  id: RefundId,
  attemptId: AttemptId,
  /** The order whose lines are given back; null for a surplus, which belongs to no order. */
  orderId: Schema.NullOr(OrderId),
  userId: UserId,
  lines: Schema.Array(Schema.Struct({ lineId: OrderLineId, quantity: Schema.Int })),
  amount: Won,
  reason: Schema.String.check(Schema.isMaxLength(reasonLengthMax)),
  requestedAt: Schema.DateTimeUtc,
  /** How often it was sent to the provider. */
  dispatches: Schema.Int,
  version: Schema.Int
}

const sent = {
  sentAt: Schema.DateTimeUtc,
  /** The end of the sender's lease on the database's own clock. */
  leaseExpiresAt: Schema.DateTimeUtc,
  /** What was refunded of this payment before, by our books. */
  refundedBefore: Won
}

/** To be sent to the provider. */
export class Requested extends Schema.TaggedClass<Requested>("@pillivery/domain/Refund/Requested")("Requested", {
  ...common
}) {}

/** Waits until the provider's name for the payment is known. */
export class Parked extends Schema.TaggedClass<Parked>("@pillivery/domain/Refund/Parked")("Parked", { ...common }) {}

/** About to be sent, or sent and not answered. */
export class Sent extends Schema.TaggedClass<Sent>("@pillivery/domain/Refund/Sent")("Sent", { ...common, ...sent }) {}

/** The answer was lost; the provider is asked at `nextAskAt`. */
export class Unknown extends Schema.TaggedClass<Unknown>("@pillivery/domain/Refund/Unknown")("Unknown", {
  ...common,
  ...sent,
  unknownSince: Schema.DateTimeUtc,
  asks: Schema.Int,
  nextAskAt: Schema.DateTimeUtc,
  detail
}) {}

/** The provider gave the money back. */
export class Completed extends Schema.TaggedClass<Completed>("@pillivery/domain/Refund/Completed")("Completed", {
  ...common,
  completedAt: Schema.DateTimeUtc
}) {}

/** The provider refused; the amount is free again. */
export class Rejected extends Schema.TaggedClass<Rejected>("@pillivery/domain/Refund/Rejected")("Rejected", {
  ...common,
  rejectedAt: Schema.DateTimeUtc,
  detail
}) {}

/** A person must decide. */
export class ManualReview extends Schema.TaggedClass<ManualReview>("@pillivery/domain/Refund/ManualReview")(
  "ManualReview",
  { ...common, reviewSince: Schema.DateTimeUtc, detail }
) {}

/** A refund in any of its states. */
export const Refund = Schema.Union([Requested, Parked, Sent, Unknown, Completed, Rejected, ManualReview]).pipe(
  Schema.toTaggedUnion("_tag")
)
export type Refund = typeof Refund.Type
/** The name of a state of a refund. */
export type Tag = Refund["_tag"]

/** Every allowed move: which commands each state knows, and where each leads. */
export const transitions = {
  Requested: { park: ["Parked"], send: ["Sent"], review: ["ManualReview"] },
  Parked: { requestAgain: ["Requested"], review: ["ManualReview"] },
  Sent: { complete: ["Completed"], reject: ["Rejected"], requestAgain: ["Requested"], loseAnswer: ["Unknown"] },
  Unknown: {
    askAgain: ["Unknown"],
    complete: ["Completed"],
    reject: ["Rejected"],
    requestAgain: ["Requested"],
    review: ["ManualReview"]
  },
  Completed: {},
  Rejected: {},
  ManualReview: { complete: ["Completed"], reject: ["Rejected"], requestAgain: ["Requested"] }
} as const satisfies State.Transitions<Tag>

/** The refund is not in a state from which `command` leads anywhere. */
export class RefundTransitionDenied extends Schema.TaggedError<RefundTransitionDenied>(
  "@pillivery/domain/Refund/RefundTransitionDenied"
)("RefundTransitionDenied", { refundId: RefundId, from: Schema.String, command: Schema.String }) {
  override get message() {
    return `refund ${this.refundId} is ${this.from} and does not allow ${this.command}`
  }
}

/**
 * The id of the refund that gives a surplus back, derived from the attempt that took it: the same UUID as version 8, so
 * that a repeated write is recognised and nobody takes one for the other.
 */
export const surplusId = (attemptId: AttemptId): RefundId =>
  RefundId.make(`${attemptId.slice(0, 14)}8${attemptId.slice(15)}`)

type Command = State.CommandOf<typeof transitions>
type Move<C extends Command, Args extends ReadonlyArray<unknown>, To, E = never> = State.Move<
  Refund,
  typeof transitions,
  C,
  Args,
  Result.Result<To, RefundTransitionDenied | E>
>

const denied = (self: Refund, command: Command) =>
  Result.fail(new RefundTransitionDenied({ refundId: self.id, from: self._tag, command }))

/** Waits for the provider's name of the payment. */
export const park: Move<"park", [], Parked> = (self: Refund) =>
  self._tag === "Requested" ? Result.succeed(State.next(Parked, self, {})) : denied(self, "park")

/** The intent of the call. */
export const send: Move<
  "send",
  [dispatch: { readonly at: DateTime.Utc; readonly leaseExpiresAt: DateTime.Utc; readonly refundedBefore: Won }],
  Sent
> = (self: Refund, dispatch) => {
  const { at, ...fields } = dispatch
  return self._tag === "Requested"
    ? Result.succeed(State.next(Sent, self, { ...fields, sentAt: at, dispatches: self.dispatches + 1 }))
    : denied(self, "send")
}

/** The answer was lost. */
export const loseAnswer: Move<
  "loseAnswer",
  [lost: { readonly at: DateTime.Utc; readonly nextAskAt: DateTime.Utc; readonly detail: string }],
  Unknown
> = (self: Refund, lost) =>
  self._tag === "Sent"
    ? Result.succeed(
        State.next(Unknown, self, {
          unknownSince: lost.at,
          asks: 0,
          nextAskAt: lost.nextAskAt,
          detail: lost.detail.slice(0, detailLengthMax)
        })
      )
    : denied(self, "loseAnswer")

/** The provider was asked and had nothing definite to say yet. */
export const askAgain: Move<"askAgain", [nextAskAt: DateTime.Utc], Unknown> = (self: Refund, nextAskAt) =>
  self._tag === "Unknown"
    ? Result.succeed(State.next(Unknown, self, { asks: self.asks + 1, nextAskAt }))
    : denied(self, "askAgain")

/** The provider gave the money back. */
export const complete: Move<"complete", [at: DateTime.Utc], Completed> = (self: Refund, at) =>
  self._tag === "Sent" || self._tag === "Unknown" || self._tag === "ManualReview"
    ? Result.succeed(State.next(Completed, self, { completedAt: at }))
    : denied(self, "complete")

/** The provider refused for good. */
export const reject: Move<"reject", [at: DateTime.Utc, why: string], Rejected> = (self: Refund, at, why) =>
  self._tag === "Sent" || self._tag === "Unknown" || self._tag === "ManualReview"
    ? Result.succeed(State.next(Rejected, self, { rejectedAt: at, detail: why.slice(0, detailLengthMax) }))
    : denied(self, "reject")

/** It was not executed, or can now be sent: try again. */
export const requestAgain: Move<"requestAgain", [], Requested> = (self: Refund) =>
  self._tag === "Sent" || self._tag === "Unknown" || self._tag === "Parked" || self._tag === "ManualReview"
    ? Result.succeed(State.next(Requested, self, {}))
    : denied(self, "requestAgain")

/** Hands the refund to a person. */
export const review: Move<"review", [at: DateTime.Utc, why: string], ManualReview> = (self: Refund, at, why) =>
  self._tag === "Requested" || self._tag === "Parked" || self._tag === "Unknown"
    ? Result.succeed(State.next(ManualReview, self, { reviewSince: at, detail: why.slice(0, detailLengthMax) }))
    : denied(self, "review")
