/**
 * One dispatch to a payment provider, and what is known of it.
 *
 * An attempt is committed before the provider is called and carries, frozen, everything the call sends. A resend is a
 * new attempt. `Sent` and `Unknown` mean that money may have moved; nothing leads from them back to a state that sends
 * again, except a customer's approval of the same transaction once the provider said that it is not done. A definite
 * answer is recorded whenever it comes, even after evidence already settled the attempt.
 *
 * @since 0.1.0
 */
import type * as DateTime from "effect/DateTime"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { DeclineReason } from "./DeclineReason.ts"
import { AttemptId, BillingKeyId, OrderId, PaymentId, RefundId, SubscriptionId, UserId } from "./Ids.ts"
import {
  ApprovalId,
  ApprovalToken,
  CustomerReference,
  MerchantAccount,
  PaymentMethod,
  ProviderBillingKey,
  ProviderName,
  TransactionId
} from "./Provider.ts"
import type * as ProviderAnswer from "./ProviderAnswer.ts"
import * as State from "./State.ts"
import * as Won from "./Won.ts"

/** Pays an order; with `issuesBillingKey` the same approval also issues a billing key. */
export class ForOrder extends Schema.TaggedClass<ForOrder>("@pillivery/domain/Attempt/ForOrder")("ForOrder", {
  orderId: OrderId,
  userId: UserId,
  issuesBillingKey: Schema.Boolean
}) {}

/** Registers a billing key without charging. */
export class ForRegistration extends Schema.TaggedClass<ForRegistration>("@pillivery/domain/Attempt/ForRegistration")(
  "ForRegistration",
  { billingKeyId: BillingKeyId, userId: UserId }
) {}

/** Charges one billing cycle with a billing key; `step` is 0 for the first try and the ladder's index after it. */
export class ForCycle extends Schema.TaggedClass<ForCycle>("@pillivery/domain/Attempt/ForCycle")("ForCycle", {
  subscriptionId: SubscriptionId,
  cycleNumber: Schema.Int,
  userId: UserId,
  billingKeyId: BillingKeyId,
  billingKey: ProviderBillingKey,
  step: Schema.Int
}) {}

/** What an attempt pays for. */
export const Purpose = Schema.Union([ForOrder, ForRegistration, ForCycle]).pipe(Schema.toTaggedUnion("_tag"))
export type Purpose = typeof Purpose.Type

/** Who may finish an attempt: its `owner`, until `expiresAt` on the database's own clock. */
export class Lease extends Schema.Class<Lease>("@pillivery/domain/Attempt/Lease")({
  owner: Schema.String.check(Schema.isMaxLength(64)),
  epoch: Schema.Int,
  expiresAt: Schema.DateTimeUtc
}) {}

/** Where the customer's browser is sent. */
export class RedirectUrls extends Schema.Class<RedirectUrls>("@pillivery/domain/Attempt/RedirectUrls")({
  pc: Schema.String.check(Schema.isMaxLength(2_000)),
  mobile: Schema.String.check(Schema.isMaxLength(2_000)),
  app: Schema.String.check(Schema.isMaxLength(2_000))
}) {}

/** The provider named the payment: it can be looked up and refunded. */
export class Known extends Schema.TaggedClass<Known>("@pillivery/domain/Attempt/Known")("Known", {
  transactionId: TransactionId,
  approvalId: Schema.NullOr(ApprovalId),
  approvedAt: Schema.DateTimeUtc,
  method: Schema.NullOr(PaymentMethod)
}) {}

/** The provider's evidence shows that money moved, but not under which name; a settlement file will tell. */
export class Awaiting extends Schema.TaggedClass<Awaiting>("@pillivery/domain/Attempt/Awaiting")("Awaiting", {
  approvedAt: Schema.DateTimeUtc
}) {}

/** How an approved payment is known at the provider. */
export const Reference = Schema.Union([Known, Awaiting]).pipe(Schema.toTaggedUnion("_tag"))
export type Reference = typeof Reference.Type

const detail = Schema.String.check(Schema.isMaxLength(500))

const common = {
  id: AttemptId,
  paymentId: PaymentId,
  purpose: Purpose,
  provider: ProviderName,
  merchantAccount: MerchantAccount,
  customerReference: CustomerReference,
  amount: Won.Won,
  itemName: Schema.String.check(Schema.isMaxLength(100)),
  quantity: Schema.Int,
  createdAt: Schema.DateTimeUtc,
  version: Schema.Int
}

const dispatched = {
  sentAt: Schema.DateTimeUtc,
  lease: Lease,
  /** The key's last known approval when the call was sent; null where none is needed. */
  baseline: Schema.NullOr(Schema.DateTimeUtc),
  transactionId: Schema.NullOr(TransactionId),
  approvalToken: Schema.NullOr(ApprovalToken),
  expiresAt: Schema.NullOr(Schema.DateTimeUtc),
  redirectUrls: Schema.NullOr(RedirectUrls),
  dispatches: Schema.Int
}

const settled = {
  reference: Reference,
  approved: Won.Won,
  refunded: Won.Won,
  reserved: Won.Won,
  refundInFlight: Schema.NullOr(RefundId),
  settledAt: Schema.DateTimeUtc
}

/** Committed, not yet sent. */
export class Prepared extends Schema.TaggedClass<Prepared>("@pillivery/domain/Attempt/Prepared")("Prepared", {
  ...common,
  lease: Lease
}) {}

/** The provider knows the transaction and waits for the customer until `expiresAt`. */
export class AwaitingCustomer extends Schema.TaggedClass<AwaitingCustomer>(
  "@pillivery/domain/Attempt/AwaitingCustomer"
)("AwaitingCustomer", {
  ...common,
  transactionId: TransactionId,
  redirectUrls: RedirectUrls,
  expiresAt: Schema.DateTimeUtc,
  dispatches: Schema.Int
}) {}

/** About to be dispatched, or dispatched and not answered: money may move. */
export class Sent extends Schema.TaggedClass<Sent>("@pillivery/domain/Attempt/Sent")("Sent", {
  ...common,
  ...dispatched
}) {}

/** The answer was lost; the provider is asked at `nextAskAt`. */
export class Unknown extends Schema.TaggedClass<Unknown>("@pillivery/domain/Attempt/Unknown")("Unknown", {
  ...common,
  ...dispatched,
  unknownSince: Schema.DateTimeUtc,
  asks: Schema.Int,
  nextAskAt: Schema.DateTimeUtc,
  detail
}) {}

/** A person must decide; the billing key stays held. */
export class ManualReview extends Schema.TaggedClass<ManualReview>("@pillivery/domain/Attempt/ManualReview")(
  "ManualReview",
  { ...common, ...dispatched, reviewSince: Schema.DateTimeUtc, detail }
) {}

/** Money moved and is ours. */
export class Approved extends Schema.TaggedClass<Approved>("@pillivery/domain/Attempt/Approved")("Approved", {
  ...common,
  ...dispatched,
  ...settled
}) {}

/** Money moved though nothing was owed any more; it is being given back. */
export class ApprovedSurplus extends Schema.TaggedClass<ApprovedSurplus>("@pillivery/domain/Attempt/ApprovedSurplus")(
  "ApprovedSurplus",
  { ...common, ...dispatched, ...settled }
) {}

/** A surplus that was given back in full. */
export class Refunded extends Schema.TaggedClass<Refunded>("@pillivery/domain/Attempt/Refunded")("Refunded", {
  ...common,
  ...dispatched,
  ...settled
}) {}

/** No money moved, by the provider's definite word. */
export class Declined extends Schema.TaggedClass<Declined>("@pillivery/domain/Attempt/Declined")("Declined", {
  ...common,
  ...dispatched,
  reason: DeclineReason,
  endedAt: Schema.DateTimeUtc
}) {}

/** No money moved: nothing was sent, the provider did not try, or its evidence shows no charge after the grace time. */
export class NotExecuted extends Schema.TaggedClass<NotExecuted>("@pillivery/domain/Attempt/NotExecuted")(
  "NotExecuted",
  {
    ...common,
    ...dispatched,
    why: Schema.Literals(["local", "word", "ours", "inferred"]),
    detail,
    endedAt: Schema.DateTimeUtc
  }
) {}

/** Taken back before it was sent. */
export class Withdrawn extends Schema.TaggedClass<Withdrawn>("@pillivery/domain/Attempt/Withdrawn")("Withdrawn", {
  ...common,
  detail,
  endedAt: Schema.DateTimeUtc
}) {}

/** The customer left, or the transaction's time ran out. */
export class Abandoned extends Schema.TaggedClass<Abandoned>("@pillivery/domain/Attempt/Abandoned")("Abandoned", {
  ...common,
  transactionId: Schema.NullOr(TransactionId),
  detail,
  endedAt: Schema.DateTimeUtc
}) {}

/** A newer transaction for the same payment took its place before the customer approved. */
export class Superseded extends Schema.TaggedClass<Superseded>("@pillivery/domain/Attempt/Superseded")("Superseded", {
  ...common,
  transactionId: TransactionId,
  endedAt: Schema.DateTimeUtc
}) {}

/** One dispatch to a provider in any of its states. */
export const Attempt = Schema.Union([
  Prepared,
  AwaitingCustomer,
  Sent,
  Unknown,
  ManualReview,
  Approved,
  ApprovedSurplus,
  Refunded,
  Declined,
  NotExecuted,
  Withdrawn,
  Abandoned,
  Superseded
]).pipe(Schema.toTaggedUnion("_tag"))
export type Attempt = typeof Attempt.Type
/** The name of a state of an attempt. */
export type Tag = Attempt["_tag"]

/** The states of an attempt that moved money, or may have. */
export const tagsThatMayHaveMovedMoney: ReadonlyArray<Tag> = [
  "Sent",
  "Unknown",
  "ManualReview",
  "Approved",
  "ApprovedSurplus",
  "Refunded"
]

/** Whether it moved money, or may have. */
export const mayHaveMovedMoney = (self: Attempt): boolean => tagsThatMayHaveMovedMoney.includes(self._tag)

/** Every allowed move: which commands each state knows, and where each leads. */
export const transitions = {
  Prepared: { awaitCustomer: ["AwaitingCustomer"], send: ["Sent"], withdraw: ["Withdrawn"] },
  AwaitingCustomer: { send: ["Sent"], abandon: ["Abandoned"], supersede: ["Superseded"] },
  Sent: {
    waitAgain: ["AwaitingCustomer"],
    approve: ["Approved", "ApprovedSurplus"],
    decline: ["Declined"],
    notExecuted: ["NotExecuted"],
    abandon: ["Abandoned"],
    loseAnswer: ["Unknown"],
    review: ["ManualReview"]
  },
  Unknown: {
    askAgain: ["Unknown"],
    approve: ["Approved", "ApprovedSurplus"],
    decline: ["Declined"],
    notExecuted: ["NotExecuted"],
    review: ["ManualReview"],
    send: ["Sent"],
    abandon: ["Abandoned"]
  },
  ManualReview: {
    approve: ["Approved", "ApprovedSurplus"],
    decline: ["Declined"],
    notExecuted: ["NotExecuted"]
  },
  Approved: {
    approve: ["Approved"],
    decline: ["ManualReview"],
    review: ["ManualReview"],
    reserveRefund: ["Approved"],
    beginRefund: ["Approved"],
    endRefund: ["Approved"]
  },
  ApprovedSurplus: {
    approve: ["ApprovedSurplus"],
    reserveRefund: ["ApprovedSurplus"],
    beginRefund: ["ApprovedSurplus"],
    endRefund: ["ApprovedSurplus", "Refunded"]
  },
  Refunded: {},
  Declined: {},
  NotExecuted: {
    approve: ["Approved", "ApprovedSurplus"],
    decline: ["Declined"],
    review: ["ManualReview"]
  },
  Withdrawn: {},
  Abandoned: {},
  Superseded: {}
} as const satisfies State.Transitions<Tag>

/** The attempt is not in a state from which `command` leads anywhere. */
export class AttemptTransitionDenied extends Schema.TaggedError<AttemptTransitionDenied>(
  "@pillivery/domain/Attempt/AttemptTransitionDenied"
)("AttemptTransitionDenied", { attemptId: AttemptId, from: Schema.String, command: Schema.String }) {
  override get message() {
    return `attempt ${this.attemptId} is ${this.from} and does not allow ${this.command}`
  }
}

type Command = State.CommandOf<typeof transitions>
type Move<C extends Command, Args extends ReadonlyArray<unknown>, To, E = never> = State.Move<
  Attempt,
  typeof transitions,
  C,
  Args,
  Result.Result<To, AttemptTransitionDenied | E>
>

const denied = (self: Attempt, command: Command) =>
  Result.fail(new AttemptTransitionDenied({ attemptId: self.id, from: self._tag, command }))

/** Whether money may have moved and nobody knows. */
export const isInDoubt = (self: Attempt): self is Unknown | ManualReview =>
  self._tag === "Unknown" || self._tag === "ManualReview"

/** Whether the attempt may still move money or is being asked about. */
export const isOpen = (self: Attempt): self is Prepared | AwaitingCustomer | Sent | Unknown | ManualReview =>
  self._tag === "Prepared" || self._tag === "AwaitingCustomer" || self._tag === "Sent" || isInDoubt(self)

/** What of an approved payment can still be refunded. */
export const refundable = (self: Approved | ApprovedSurplus): Won.Won =>
  Math.max(0, self.approved - self.refunded - self.reserved) as Won.Won

/** The provider prepared the transaction; the customer must now approve it there. A charge of a cycle asks nobody. */
export const awaitCustomer: Move<
  "awaitCustomer",
  [
    prepared: {
      readonly transactionId: TransactionId
      readonly redirectUrls: RedirectUrls
      readonly expiresAt: DateTime.Utc
    }
  ],
  AwaitingCustomer
> = (self: Attempt, prepared) =>
  self._tag === "Prepared" && self.purpose._tag !== "ForCycle"
    ? Result.succeed(
        State.next(AwaitingCustomer, self, {
          transactionId: prepared.transactionId,
          redirectUrls: prepared.redirectUrls,
          expiresAt: prepared.expiresAt,
          dispatches: 0
        })
      )
    : denied(self, "awaitCustomer")

/** Takes back an attempt that was never sent. */
export const withdraw: Move<"withdraw", [at: DateTime.Utc, why: string], Withdrawn> = (self: Attempt, at, why) =>
  self._tag === "Prepared"
    ? Result.succeed(State.next(Withdrawn, self, { detail: why.slice(0, 500), endedAt: at }))
    : denied(self, "withdraw")

/** The intent of the call: from here on money may move. */
export const send: Move<
  "send",
  [
    dispatch: {
      readonly at: DateTime.Utc
      readonly lease: Lease
      readonly baseline: DateTime.Utc | null
      readonly approvalToken: ApprovalToken | null
    }
  ],
  Sent
> = (self: Attempt, dispatch) => {
  const { at, ...fields } = dispatch
  switch (self._tag) {
    case "Prepared":
      return Result.succeed(
        State.next(Sent, self, {
          ...fields,
          sentAt: at,
          transactionId: null,
          expiresAt: null,
          redirectUrls: null,
          dispatches: 1
        })
      )
    case "AwaitingCustomer":
      return Result.succeed(State.next(Sent, self, { ...fields, sentAt: at, dispatches: self.dispatches + 1 }))
    case "Unknown":
      return self.purpose._tag !== "ForCycle" && self.transactionId !== null
        ? Result.succeed(State.next(Sent, self, { ...fields, sentAt: at, dispatches: self.dispatches + 1 }))
        : denied(self, "send")
    default:
      return denied(self, "send")
  }
}

/** The customer left or the transaction can never be approved any more. */
export const abandon: Move<"abandon", [at: DateTime.Utc, why: string], Abandoned> = (self: Attempt, at, why) => {
  switch (self._tag) {
    case "AwaitingCustomer":
      return Result.succeed(State.next(Abandoned, self, { detail: why.slice(0, 500), endedAt: at }))
    case "Sent":
    case "Unknown":
      return self.purpose._tag !== "ForCycle"
        ? Result.succeed(State.next(Abandoned, self, { detail: why.slice(0, 500), endedAt: at }))
        : denied(self, "abandon")
    default:
      return denied(self, "abandon")
  }
}

/** A newer transaction takes its place. */
export const supersede: Move<"supersede", [at: DateTime.Utc], Superseded> = (self: Attempt, at) =>
  self._tag === "AwaitingCustomer"
    ? Result.succeed(State.next(Superseded, self, { endedAt: at }))
    : denied(self, "supersede")

/** The answer was lost: the provider will be asked, first at `nextAskAt`. */
export const loseAnswer: Move<
  "loseAnswer",
  [lost: { readonly at: DateTime.Utc; readonly nextAskAt: DateTime.Utc; readonly detail: string }],
  Unknown
> = (self: Attempt, lost) =>
  self._tag === "Sent"
    ? Result.succeed(
        State.next(Unknown, self, {
          unknownSince: lost.at,
          asks: 0,
          nextAskAt: lost.nextAskAt,
          detail: lost.detail.slice(0, 500)
        })
      )
    : denied(self, "loseAnswer")

/** The provider was asked and had nothing definite to say yet. */
export const askAgain: Move<"askAgain", [nextAskAt: DateTime.Utc], Unknown> = (self: Attempt, nextAskAt) =>
  self._tag === "Unknown"
    ? Result.succeed(State.next(Unknown, self, { asks: self.asks + 1, nextAskAt }))
    : denied(self, "askAgain")

/** Hands the attempt to a person. An approval that the provider named is certain and may be refunded: it stays. */
export const review: Move<"review", [at: DateTime.Utc, why: string], ManualReview> = (self: Attempt, at, why) => {
  switch (self._tag) {
    case "Sent":
    case "Unknown":
    case "NotExecuted":
      return Result.succeed(State.next(ManualReview, self, { reviewSince: at, detail: why.slice(0, 500) }))
    case "Approved":
      return self.reference._tag === "Awaiting"
        ? Result.succeed(State.next(ManualReview, self, { reviewSince: at, detail: why.slice(0, 500) }))
        : denied(self, "review")
    default:
      return denied(self, "review")
  }
}

/** Takes an approval: ours where something is owed, a surplus to give back where nothing is owed any more. */
export const approve: Move<
  "approve",
  [
    approval: {
      readonly at: DateTime.Utc
      readonly reference: Reference
      readonly amount: Won.Won
      readonly isOwed: boolean
    }
  ],
  Approved | ApprovedSurplus
> = (self: Attempt, approval) => {
  switch (self._tag) {
    case "Sent":
    case "Unknown":
    case "ManualReview":
    case "NotExecuted": {
      const changes = {
        reference: approval.reference,
        approved: approval.amount,
        refunded: Won.zero,
        reserved: Won.zero,
        refundInFlight: null,
        settledAt: approval.at
      }
      return Result.succeed(
        approval.isOwed ? State.next(Approved, self, changes) : State.next(ApprovedSurplus, self, changes)
      )
    }
    case "Approved":
      return self.reference._tag === "Awaiting" && approval.reference._tag === "Known"
        ? Result.succeed(State.next(Approved, self, { reference: approval.reference }))
        : denied(self, "approve")
    case "ApprovedSurplus":
      return self.reference._tag === "Awaiting" && approval.reference._tag === "Known"
        ? Result.succeed(State.next(ApprovedSurplus, self, { reference: approval.reference }))
        : denied(self, "approve")
    default:
      return denied(self, "approve")
  }
}

/** Takes a definite refusal. After an inferred approval it contradicts our books: that is a person's to decide. */
export const decline: Move<"decline", [at: DateTime.Utc, reason: DeclineReason], Declined | ManualReview> = (
  self: Attempt,
  at,
  reason
) => {
  switch (self._tag) {
    case "Sent":
    case "Unknown":
    case "ManualReview":
    case "NotExecuted":
      return Result.succeed(State.next(Declined, self, { reason, endedAt: at }))
    case "Approved":
      return self.reference._tag === "Awaiting"
        ? review(self, at, `declined with ${reason.code} after an approval was inferred`)
        : denied(self, "decline")
    default:
      return denied(self, "decline")
  }
}

/** Records that the call was not executed. */
export const notExecuted: Move<
  "notExecuted",
  [outcome: { readonly at: DateTime.Utc; readonly why: NotExecuted["why"]; readonly detail: string }],
  NotExecuted
> = (self: Attempt, outcome) => {
  switch (self._tag) {
    case "Sent":
    case "Unknown":
    case "ManualReview":
      return Result.succeed(
        State.next(NotExecuted, self, { why: outcome.why, detail: outcome.detail.slice(0, 500), endedAt: outcome.at })
      )
    default:
      return denied(self, "notExecuted")
  }
}

/** The customer had not finished: the same transaction waits again. */
export const waitAgain: Move<"waitAgain", [], AwaitingCustomer> = (self: Attempt) =>
  self._tag === "Sent" && self.transactionId !== null && self.redirectUrls !== null && self.expiresAt !== null
    ? Result.succeed(
        State.next(AwaitingCustomer, self, {
          transactionId: self.transactionId,
          redirectUrls: self.redirectUrls,
          expiresAt: self.expiresAt
        })
      )
    : denied(self, "waitAgain")

/** Sets an amount aside for a refund, refusing more than is refundable. */
export const reserveRefund: Move<"reserveRefund", [amount: Won.Won], Approved | ApprovedSurplus, RefundNotAvailable> = (
  self: Attempt,
  amount
) => {
  if (self._tag !== "Approved" && self._tag !== "ApprovedSurplus") return denied(self, "reserveRefund")
  if (amount <= 0 || amount > refundable(self)) {
    return Result.fail(new RefundNotAvailable({ attemptId: self.id, asked: amount, available: refundable(self) }))
  }
  const reserved = (self.reserved + amount) as Won.Won
  return Result.succeed(
    self._tag === "Approved"
      ? State.next(Approved, self, { reserved })
      : State.next(ApprovedSurplus, self, { reserved })
  )
}

/** Takes the one place a refund of this payment has at the provider at a time. */
export const beginRefund: Move<"beginRefund", [refundId: RefundId], Approved | ApprovedSurplus> = (
  self: Attempt,
  refundId
) => {
  if ((self._tag !== "Approved" && self._tag !== "ApprovedSurplus") || self.refundInFlight !== null) {
    return denied(self, "beginRefund")
  }
  return Result.succeed(
    self._tag === "Approved"
      ? State.next(Approved, self, { refundInFlight: refundId })
      : State.next(ApprovedSurplus, self, { refundInFlight: refundId })
  )
}

/**
 * Ends the refund in flight: `completed` moves the amount from reserved to refunded, `rejected` frees it, `retry` keeps it
 * reserved. An amount that was not reserved is refused, so that no more is refunded than was approved.
 */
export const endRefund: Move<
  "endRefund",
  [refundId: RefundId, amount: Won.Won, outcome: "completed" | "rejected" | "retry"],
  Approved | ApprovedSurplus | Refunded
> = (self: Attempt, refundId, amount, outcome) => {
  if ((self._tag !== "Approved" && self._tag !== "ApprovedSurplus") || self.refundInFlight !== refundId) {
    return denied(self, "endRefund")
  }
  if (amount > self.reserved) return denied(self, "endRefund")
  const reserved = (outcome === "retry" ? self.reserved : self.reserved - amount) as Won.Won
  const refunded = (outcome === "completed" ? self.refunded + amount : self.refunded) as Won.Won
  const changes = { reserved, refunded, refundInFlight: null }
  if (self._tag === "Approved") return Result.succeed(State.next(Approved, self, changes))
  return Result.succeed(
    refunded === self.approved ? State.next(Refunded, self, changes) : State.next(ApprovedSurplus, self, changes)
  )
}

/** Less money is left to refund than was asked for; amounts are won. */
export class RefundNotAvailable extends Schema.TaggedError<RefundNotAvailable>(
  "@pillivery/domain/Attempt/RefundNotAvailable"
)("RefundNotAvailable", {
  attemptId: AttemptId,
  asked: Won.Won,
  available: Won.Won
}) {
  override get message() {
    return `${this.asked} won cannot be refunded: ${this.available} won are left`
  }
}

/** What a definite or indefinite answer of the provider is called, for logs and metrics. */
export const answerName = (answer: ProviderAnswer.ProviderAnswer): string =>
  answer._tag === "NotExecuted" ? `NotExecuted(${answer.why})` : answer._tag
