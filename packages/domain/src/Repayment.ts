/**
 * Giving the money of an approved payment back: what may be asked for, what may be sent, and what each outcome does to the
 * books.
 *
 * A refund's amount is computed from an order's lines and set aside on the approved attempt with the request, so that no
 * two requests promise the same won. Refunds of one payment are sent one after the other, since a lost answer is decided
 * by how much the provider says it gave back in all. Each decision takes the rows as read and answers the rows to write
 * in one transaction, without any effect.
 *
 * @since 0.1.0
 */
import type * as DateTime from "effect/DateTime"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Attempt from "./Attempt.ts"
import * as DomainEvent from "./DomainEvent.ts"
import { AttemptId, type ItemId, type OrderLineId, RefundId } from "./Ids.ts"
import * as Order from "./Order.ts"
import type { RefundAnswer } from "./PaymentStrategy.ts"
import type { TransactionId } from "./Provider.ts"
import * as Refund from "./Refund.ts"
import type * as Won from "./Won.ts"

// -----------------------------------------------------------------------------
// asking
// -----------------------------------------------------------------------------

/** The rows a request reads: the order, the attempt that paid it, and every refund of the order so far. */
export interface Account {
  readonly order: Order.Order
  readonly attempt: Attempt.Attempt
  readonly refunds: ReadonlyArray<Refund.Refund>
}

/** The rows a request writes: the amount set aside, the new refund, and who is told. */
export interface Requested {
  readonly attempt: Attempt.Approved | Attempt.ApprovedSurplus
  readonly refund: Refund.Requested
  readonly events: ReadonlyArray<DomainEvent.DomainEvent>
}

/**
 * Requests a refund of some units of an order's lines, or of all that is left. Units that refunds under way have asked
 * for are not left.
 *
 * **Gotchas**
 *
 * The order is not changed, yet its version must move with the write: otherwise two requests at once could both count
 * the same units as left.
 */
export const request = (
  account: Account,
  asked: {
    readonly id: RefundId
    readonly lines: ReadonlyArray<Order.RefundLine> | "rest"
    readonly reason: string
    readonly at: DateTime.Utc
  }
): Result.Result<
  Requested,
  | Order.OrderTransitionDenied
  | Order.RefundLinesInvalid
  | Won.WonOutOfRange
  | Attempt.AttemptTransitionDenied
  | Attempt.RefundNotAvailable
> =>
  Result.gen(function* () {
    const { attempt, order, refunds } = account
    const pending = refunds.filter((refund) => !isSettled(refund)).flatMap((refund) => refund.lines)
    const { amount, lines } = yield* Order.refundAmount(order, asked.lines, pending)
    const reserved = yield* Attempt.reserveRefund(attempt, amount)
    const refund = new Refund.Requested({
      id: asked.id,
      attemptId: attempt.id,
      orderId: order.id,
      userId: order.userId,
      lines,
      amount,
      // A character of two units is left out whole where only its first unit would fit.
      reason: asked.reason.slice(0, Refund.reasonLengthMax).replace(/[\uD800-\uDBFF]$/, ""),
      requestedAt: asked.at,
      dispatches: 0,
      version: 0
    })
    return {
      attempt: reserved,
      refund,
      events: [
        new DomainEvent.RefundRequested({
          ...told(refund, asked.at),
          eventId: DomainEvent.eventId(refund.id, "RefundRequested")
        })
      ]
    }
  })

// -----------------------------------------------------------------------------
// sending
// -----------------------------------------------------------------------------

/** The provider's name of the payment is not known yet: the refund is to be parked until it is. */
export class PaymentUnnamed extends Schema.TaggedError<PaymentUnnamed>("@pillivery/domain/Repayment/PaymentUnnamed")(
  "PaymentUnnamed",
  { refundId: RefundId, attemptId: AttemptId }
) {
  override get message() {
    return `the provider's name of payment ${this.attemptId} is not known yet`
  }
}

/** Another refund of the payment is at the provider, or in doubt; this one waits. */
export class RefundUnderWay extends Schema.TaggedError<RefundUnderWay>("@pillivery/domain/Repayment/RefundUnderWay")(
  "RefundUnderWay",
  { attemptId: AttemptId, refundId: RefundId }
) {
  override get message() {
    return `refund ${this.refundId} of payment ${this.attemptId} is under way`
  }
}

/** The refund was sent often and for long: a person must decide. `dispatches` counts the calls. */
export class SentInVain extends Schema.TaggedError<SentInVain>("@pillivery/domain/Repayment/SentInVain")("SentInVain", {
  refundId: RefundId,
  dispatches: Schema.Int
}) {
  override get message() {
    return `refund ${this.refundId} was sent ${this.dispatches} times in vain`
  }
}

/** A refund that can be sent, and what the call says. */
export interface Ready {
  readonly refund: Refund.Requested
  readonly attempt: Attempt.Approved | Attempt.ApprovedSurplus
  readonly transactionId: TransactionId
  /** What can still be given back by our books, in won, this refund included: the provider refuses on any other. */
  readonly available: Won.Won
}

/** How long and how often a refund is sent before a person must decide: until both are reached. */
export interface TryingMax {
  readonly dispatchesMax: number
  readonly until: DateTime.Utc
}

/** Whether a refund can be sent at `at`, or what stands in its way. */
export const ready = (
  books: { readonly refund: Refund.Refund; readonly attempt: Attempt.Attempt },
  trying: TryingMax,
  at: DateTime.Utc
): Result.Result<
  Ready,
  Refund.RefundTransitionDenied | Attempt.AttemptTransitionDenied | PaymentUnnamed | RefundUnderWay | SentInVain
> => {
  const { attempt, refund } = books
  if (refund._tag !== "Requested") {
    return Result.fail(new Refund.RefundTransitionDenied({ refundId: refund.id, from: refund._tag, command: "send" }))
  }
  if (attempt._tag !== "Approved" && attempt._tag !== "ApprovedSurplus") {
    const denied = { attemptId: attempt.id, from: attempt._tag, command: "beginRefund" }
    return Result.fail(new Attempt.AttemptTransitionDenied(denied))
  }
  if (attempt.reference._tag === "Awaiting") {
    return Result.fail(new PaymentUnnamed({ refundId: refund.id, attemptId: attempt.id }))
  }
  if (refund.dispatches >= trying.dispatchesMax && at.epochMilliseconds >= trying.until.epochMilliseconds) {
    return Result.fail(new SentInVain({ refundId: refund.id, dispatches: refund.dispatches }))
  }
  if (attempt.refundInFlight !== null) {
    return Result.fail(new RefundUnderWay({ attemptId: attempt.id, refundId: attempt.refundInFlight }))
  }
  const available = (attempt.approved - attempt.refunded) as Won.Won
  return Result.succeed({ refund, attempt, transactionId: attempt.reference.transactionId, available })
}

/** Sends a refund: it takes the one place that refunds of the payment have at the provider. */
export const send = (
  { attempt, refund }: Ready,
  dispatch: { readonly at: DateTime.Utc; readonly leaseExpiresAt: DateTime.Utc }
): Result.Result<
  { readonly refund: Refund.Sent; readonly attempt: Attempt.Approved | Attempt.ApprovedSurplus },
  Refund.RefundTransitionDenied | Attempt.AttemptTransitionDenied
> =>
  Result.gen(function* () {
    return {
      attempt: yield* Attempt.beginRefund(attempt, refund.id),
      refund: yield* Refund.send(refund, { ...dispatch, refundedBefore: attempt.refunded })
    }
  })

/** Parks a refund whose payment the provider has not named; null where it has, or where the refund was not requested. */
export const park = (books: {
  readonly refund: Refund.Refund
  readonly attempt: Attempt.Attempt
}): Refund.Parked | null =>
  "reference" in books.attempt && books.attempt.reference._tag === "Awaiting"
    ? Result.getOrNull(Refund.park(books.refund))
    : null

/** Hands a refund that cannot be sent to a person. */
export const review = (
  refund: Refund.Refund,
  why: string,
  at: DateTime.Utc
): Result.Result<
  { readonly refund: Refund.ManualReview; readonly events: ReadonlyArray<DomainEvent.DomainEvent> },
  Refund.RefundTransitionDenied
> =>
  Result.map(Refund.review(refund, at, why), (next) => ({ refund: next, events: [needsReview(next, next.detail, at)] }))

// -----------------------------------------------------------------------------
// what is known of it
// -----------------------------------------------------------------------------

/** What is known about a refund that was sent. */
export type Outcome =
  | { readonly _tag: "Done" }
  | { readonly _tag: "Refused"; readonly detail: string }
  /** Nothing was given back and nothing will be by that call: it may be sent again. */
  | { readonly _tag: "NotExecuted"; readonly detail: string }
  | { readonly _tag: "Lost"; readonly nextAskAt: DateTime.Utc; readonly detail: string }
  | { readonly _tag: "NeedsReview"; readonly detail: string }

/** What an answer or a lookup says of a refund, before it is decided when to ask again. */
export type Finding =
  | Exclude<Outcome, { readonly _tag: "Lost" }>
  | { readonly _tag: "StillUnknown"; readonly detail: string }

/**
 * What a provider's answer says about the refund that was sent. `shownTotal` is what a lookup after the answer showed
 * given back of the payment in all, in won; null where none was made or it told nothing. Only a refusal needs it.
 */
export const findingOf = (sent: Refund.Sent, answer: RefundAnswer, shownTotal: Won.Won | null): Finding => {
  const expected = expectedTotal(sent)
  switch (answer._tag) {
    case "RefundDone":
      return answer.refundedTotal === expected
        ? { _tag: "Done" }
        : { _tag: "StillUnknown", detail: `the provider gave back ${answer.refundedTotal} won in all` }
    case "RefundRefused":
      // A refusal is believed only when the provider also shows that nothing was given back. What we owe without an order
      // is never given up: it is tried again, and in the end shown to a person.
      if (shownTotal === expected) return { _tag: "Done" }
      return shownTotal === sent.refundedBefore && sent.orderId !== null
        ? { _tag: "Refused", detail: `${answer.code}: ${answer.detail}` }
        : { _tag: "StillUnknown", detail: `refused with ${answer.code}` }
    case "NotExecuted":
      return { _tag: answer.why === "word" ? "StillUnknown" : "NotExecuted", detail: answer.detail }
    case "Unknown":
      return { _tag: "StillUnknown", detail: answer.detail }
  }
}

/**
 * What the provider's own books show of a refund in doubt: `shownTotal` won given back of the payment in all, null where
 * the lookup told nothing. That nothing was given back is believed from `believedFrom`, by business time read before the
 * lookup.
 */
export const findingShown = (
  refund: Refund.Unknown,
  shownTotal: Won.Won | null,
  asked: { readonly askedAt: DateTime.Utc; readonly believedFrom: DateTime.Utc }
): Finding => {
  if (shownTotal === null) return { _tag: "StillUnknown", detail: "the lookup told nothing" }
  const expected = expectedTotal(refund)
  if (shownTotal === expected) return { _tag: "Done" }
  if (shownTotal !== refund.refundedBefore) {
    const detail = `the provider gave back ${shownTotal} won in all; ${refund.refundedBefore} or ${expected} were expected`
    return { _tag: "NeedsReview", detail }
  }
  return asked.askedAt.epochMilliseconds >= asked.believedFrom.epochMilliseconds
    ? { _tag: "NotExecuted", detail: "nothing was given back past the grace time" }
    : { _tag: "StillUnknown", detail: "nothing was given back yet" }
}

// -----------------------------------------------------------------------------
// recording it
// -----------------------------------------------------------------------------

/** The rows an outcome touches, as read; `order` is null for a surplus, which belongs to no order. */
export interface Books {
  readonly refund: Refund.Refund
  readonly attempt: Attempt.Attempt
  readonly order: Order.Order | null
}

/** Units that were sold and came back. */
export interface Returned {
  readonly lineId: OrderLineId
  readonly itemId: ItemId
  readonly quantity: number
}

/** The rows to write. Absent means unchanged. */
export interface Entries {
  readonly refund: Refund.Refund
  readonly attempt?: Attempt.Attempt
  readonly order?: Order.Order
  /** Sales to take back. */
  readonly returned: ReadonlyArray<Returned>
  readonly events: ReadonlyArray<DomainEvent.DomainEvent>
}

/** The books do not allow the outcome: it was recorded before (the first), or contradicts them. */
export type Denied = Refund.RefundTransitionDenied | Attempt.AttemptTransitionDenied | Order.OrderTransitionDenied

/** Decides what an outcome does to the books at `at`. */
export const settle = (books: Books, outcome: Outcome, at: DateTime.Utc): Result.Result<Entries, Denied> => {
  switch (outcome._tag) {
    case "Done":
      return done(books, at)
    case "Refused":
      return refused(books, outcome.detail, at)
    case "NotExecuted":
      return notExecuted(books)
    case "Lost":
      return Result.map(
        books.refund._tag === "Unknown"
          ? Refund.askAgain(books.refund, outcome.nextAskAt)
          : Refund.loseAnswer(books.refund, { at, nextAskAt: outcome.nextAskAt, detail: outcome.detail }),
        (refund) => ({ ...nothing, refund })
      )
    case "NeedsReview":
      // The payment's place stays taken: nothing else of it is sent before the person has decided.
      return books.refund._tag === "Unknown"
        ? Result.map(review(books.refund, outcome.detail, at), (entries) => ({ ...nothing, ...entries }))
        : denied(books.refund, "review")
  }
}

/** What a person found of a refund in review. */
export type Verdict = "completed" | "rejected" | "requested"

/**
 * Decides what a person's verdict does to the books at `at`. A refund that was handed to the person before it was ever
 * sent takes the payment's place for that moment; while another refund of the payment is in flight it has to wait.
 */
export const decide = (books: Books, verdict: Verdict, why: string, at: DateTime.Utc): Result.Result<Entries, Denied> =>
  Result.gen(function* () {
    const { attempt, refund } = books
    if (refund._tag !== "ManualReview") return yield* denied(refund, verdict)
    const isHeld = "refundInFlight" in attempt && attempt.refundInFlight === refund.id
    const held = { ...books, attempt: isHeld ? attempt : yield* Attempt.beginRefund(attempt, refund.id) }
    switch (verdict) {
      case "completed":
        return yield* done(held, at)
      case "rejected":
        return yield* refused(held, why, at)
      case "requested":
        return {
          ...nothing,
          // Its tries are counted anew, else it would come back at once.
          refund: new Refund.Requested({ ...(yield* Refund.requestAgain(refund)), dispatches: 0 }),
          attempt: yield* Attempt.endRefund(held.attempt, refund.id, refund.amount, "retry")
        }
    }
  })

const nothing = { returned: [], events: [] }

const done = ({ attempt, order, refund }: Books, at: DateTime.Utc): Result.Result<Entries, Denied> =>
  Result.gen(function* () {
    const completed = yield* Refund.complete(refund, at)
    return {
      refund: completed,
      attempt: yield* Attempt.endRefund(attempt, refund.id, refund.amount, "completed"),
      ...(order === null ? {} : { order: yield* Order.refund(order, refund.lines, refund.amount) }),
      returned: order === null ? [] : returnedOf(order, refund),
      events: [
        new DomainEvent.RefundCompleted({
          ...told(refund, at),
          eventId: DomainEvent.eventId(refund.id, "RefundCompleted")
        })
      ]
    }
  })

const refused = ({ attempt, refund }: Books, detail: string, at: DateTime.Utc): Result.Result<Entries, Denied> =>
  Result.gen(function* () {
    const rejected = yield* Refund.reject(refund, at, detail)
    return {
      ...nothing,
      refund: rejected,
      attempt: yield* Attempt.endRefund(attempt, refund.id, refund.amount, "rejected"),
      events: [
        new DomainEvent.RefundRejected({
          ...told(refund, at),
          eventId: DomainEvent.eventId(refund.id, "RefundRejected"),
          detail: rejected.detail
        })
      ]
    }
  })

// A person's case, and one that waits for its payment's name, are not reopened by what a call was answered.
const notExecuted = ({ attempt, refund }: Books): Result.Result<Entries, Denied> =>
  refund._tag === "Sent" || refund._tag === "Unknown"
    ? Result.gen(function* () {
        return {
          ...nothing,
          refund: yield* Refund.requestAgain(refund),
          attempt: yield* Attempt.endRefund(attempt, refund.id, refund.amount, "retry")
        }
      })
    : denied(refund, "requestAgain")

const denied = (refund: Refund.Refund, command: string) =>
  Result.fail(new Refund.RefundTransitionDenied({ refundId: refund.id, from: refund._tag, command }))

const isSettled = (refund: Refund.Refund): boolean => refund._tag === "Completed" || refund._tag === "Rejected"

const expectedTotal = (refund: Refund.Sent | Refund.Unknown): number => refund.refundedBefore + refund.amount

const returnedOf = (order: Order.Order, refund: Refund.Refund): ReadonlyArray<Returned> =>
  refund.lines.flatMap(({ lineId, quantity }) => {
    const line = order.lines.find((candidate) => candidate.id === lineId)
    return line === undefined ? [] : [{ lineId, itemId: line.itemId, quantity }]
  })

const told = (refund: Refund.Refund, at: DateTime.Utc) => ({
  at,
  refundId: refund.id,
  attemptId: refund.attemptId,
  orderId: refund.orderId,
  userId: refund.userId,
  amount: refund.amount
})

const needsReview = (refund: Refund.Refund, detail: string, at: DateTime.Utc) =>
  new DomainEvent.PaymentNeedsReview({
    eventId: DomainEvent.eventId(`refund/${refund.id}`, "PaymentNeedsReview"),
    at,
    attemptId: refund.attemptId,
    userId: refund.userId,
    detail
  })
