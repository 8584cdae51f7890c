/**
 * What a buyer says of an item, and how many stars it gets.
 *
 * A user has at most one review of an item, and only of an item it bought and did not give back in full. A removed review
 * is kept but not shown; writing again brings it back with new words. Every command also answers how the ratings of the
 * item change, so that these always equal its active reviews. The name under which the author is seen is not copied: it
 * is the user's present one.
 *
 * @since 0.1.0
 */
import type * as DateTime from "effect/DateTime"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as DomainEvent from "./DomainEvent.ts"
import { ItemId, OrderId, ReviewId, UserId } from "./Ids.ts"
import type { Order } from "./Order.ts"
import * as Rating from "./Rating.ts"
import { ReviewContent } from "./ReviewContent.ts"
import * as State from "./State.ts"

const common = {
  id: ReviewId,
  userId: UserId,
  itemId: ItemId,
  /** The order that proves the purchase. */
  orderId: OrderId,
  stars: Rating.Rating,
  content: ReviewContent,
  writtenAt: Schema.DateTimeUtc,
  /** When its words or stars were last changed; at first when it was written. */
  changedAt: Schema.DateTimeUtc,
  version: Schema.Int
}

/** Shown to everybody; its stars count. */
export class Active extends Schema.TaggedClass<Active>("@pillivery/domain/Review/Active")("Active", common) {}

/** Removed by its author: not shown, and its stars do not count. */
export class Deleted extends Schema.TaggedClass<Deleted>("@pillivery/domain/Review/Deleted")("Deleted", {
  ...common,
  removedAt: Schema.DateTimeUtc
}) {}

/** A review in any of its states. */
export const Review = Schema.Union([Active, Deleted]).pipe(Schema.toTaggedUnion("_tag"))
export type Review = typeof Review.Type
/** The name of a state of a review. */
export type Tag = Review["_tag"]

/** Every allowed move: which commands each state knows, and where each leads. */
export const transitions = {
  Active: { edit: ["Active"], remove: ["Deleted"] },
  Deleted: { writeAgain: ["Active"] }
} as const satisfies State.Transitions<Tag>

/** The review is not in a state from which `command` leads anywhere. */
export class ReviewTransitionDenied extends Schema.TaggedError<ReviewTransitionDenied>(
  "@pillivery/domain/Review/ReviewTransitionDenied"
)("ReviewTransitionDenied", { reviewId: ReviewId, from: Schema.String, command: Schema.String }) {
  override get message() {
    return `review ${this.reviewId} is ${this.from} and does not allow ${this.command}`
  }
}

/** Only its author may change a review; `userId` tried to. */
export class NotReviewAuthor extends Schema.TaggedError<NotReviewAuthor>("@pillivery/domain/Review/NotReviewAuthor")(
  "NotReviewAuthor",
  { reviewId: ReviewId, userId: UserId }
) {
  override get message() {
    return `user ${this.userId} did not write review ${this.reviewId}`
  }
}

/** The user has an active review of the item already; it can be edited. */
export class DuplicateReview extends Schema.TaggedError<DuplicateReview>("@pillivery/domain/Review/DuplicateReview")(
  "DuplicateReview",
  { reviewId: ReviewId, itemId: ItemId }
) {
  override get message() {
    return `review ${this.reviewId} of item ${this.itemId} is there already`
  }
}

/** The order does not prove that the user bought the item and kept some of it. */
export class ReviewNotPurchased extends Schema.TaggedError<ReviewNotPurchased>(
  "@pillivery/domain/Review/ReviewNotPurchased"
)("ReviewNotPurchased", {
  orderId: OrderId,
  itemId: ItemId,
  reason: Schema.Literals(["notTheirOrder", "notPaid", "notInOrder", "givenBack"])
}) {
  override get message() {
    const why = {
      notTheirOrder: "is of somebody else",
      notPaid: "is not paid",
      notInOrder: "does not have the item",
      givenBack: "was given back"
    }
    return `item ${this.itemId} cannot be reviewed: order ${this.orderId} ${why[this.reason]}`
  }
}

/** What an author says. */
export interface Words {
  readonly stars: Rating.Rating
  readonly content: ReviewContent
}

/** The review as it is to be stored, what becomes of the ratings of its item, and the event to publish. */
export interface Decision<Next extends Review, Event extends DomainEvent.DomainEvent> {
  readonly review: Next
  readonly rating: Rating.RatingChange
  readonly event: Event
}

type Command = State.CommandOf<typeof transitions>
type Move<
  C extends Command,
  Args extends ReadonlyArray<unknown>,
  To extends Review,
  Event extends DomainEvent.DomainEvent,
  E
> = State.Move<
  Review,
  typeof transitions,
  C,
  Args,
  Result.Result<Decision<To, Event>, ReviewTransitionDenied | NotReviewAuthor | E>
>

// A stranger is told that it is a stranger, not in which state the review is.
const refused = (self: Review, by: UserId, command: Command) =>
  Result.fail(
    self.userId === by
      ? new ReviewTransitionDenied({ reviewId: self.id, from: self._tag, command })
      : new NotReviewAuthor({ reviewId: self.id, userId: by })
  )

// Every stored version of a review is left once at most, so that its number tells repeated commands from the same one.
const about = (self: Review, tag: DomainEvent.Tag, at: DateTime.Utc) => ({
  eventId: DomainEvent.eventId(`${self.id}/${self.version}`, tag),
  at,
  reviewId: self.id,
  itemId: self.itemId,
  userId: self.userId
})

/**
 * Whether an order proves that the user bought the item: it is the user's, paid, and of the item at least one unit was not
 * given back.
 */
const purchaseOf = (userId: UserId, itemId: ItemId, order: Order): Result.Result<OrderId, ReviewNotPurchased> => {
  const because = (reason: ReviewNotPurchased["reason"]) =>
    Result.fail(new ReviewNotPurchased({ orderId: order.id, itemId, reason }))
  if (order.userId !== userId) return because("notTheirOrder")
  if (order._tag !== "Paid" && order._tag !== "PartiallyRefunded" && order._tag !== "Refunded") {
    return because("notPaid")
  }
  const lines = order.lines.filter((line) => line.itemId === itemId)
  if (lines.length === 0) return because("notInOrder")
  return lines.some((line) => line.refundedQuantity < line.quantity) ? Result.succeed(order.id) : because("givenBack")
}

/**
 * Whether a user may review an item: answers its removed review, which writing brings back, or null where there is none.
 *
 * **Details**
 *
 * The order must be the user's, `Paid` or `PartiallyRefunded`, and have at least one unit of the item that was not given
 * back; a refund that was only asked for does not count yet. `existing` is the user's review of the item; one of another
 * user or item is no obstacle and is not touched. A refund after writing leaves the review as it is.
 */
export const mayReview = (asked: {
  readonly userId: UserId
  readonly itemId: ItemId
  readonly order: Order
  readonly existing: Review | null
}): Result.Result<Deleted | null, ReviewNotPurchased | DuplicateReview> => {
  const { existing, itemId, order, userId } = asked
  const own = existing?.userId === userId && existing.itemId === itemId ? existing : null
  return Result.flatMap(purchaseOf(userId, itemId, order), () =>
    own?._tag === "Active" ? Result.fail(new DuplicateReview({ reviewId: own.id, itemId })) : Result.succeed(own)
  )
}

/** Writes a review, or the removed one again; `id` is for a new one. Refused as {@link mayReview} says. */
export const write = (
  asked: Words & {
    readonly id: ReviewId
    readonly userId: UserId
    readonly itemId: ItemId
    readonly order: Order
    readonly existing: Review | null
    readonly at: DateTime.Utc
  }
): Result.Result<Decision<Active, DomainEvent.ReviewWritten>, ReviewNotPurchased | DuplicateReview> =>
  Result.map(mayReview(asked), (deleted) => {
    const { at, content, id, itemId, order, stars, userId } = asked
    if (deleted !== null) return broughtBack(deleted, order.id, asked, at)
    const review = new Active({
      id,
      userId,
      itemId,
      orderId: order.id,
      stars,
      content,
      writtenAt: at,
      changedAt: at,
      version: 0
    })
    return written(review, review, at)
  })

/** The author writes a removed review again, with an order that proves the purchase as {@link mayReview} wants it. */
export const writeAgain: Move<
  "writeAgain",
  [by: UserId, order: Order, words: Words, at: DateTime.Utc],
  Active,
  DomainEvent.ReviewWritten,
  ReviewNotPurchased
> = (self: Review, by, order, words, at) =>
  self._tag === "Deleted" && self.userId === by
    ? Result.map(purchaseOf(by, self.itemId, order), (orderId) => broughtBack(self, orderId, words, at))
    : refused(self, by, "writeAgain")

/** The author changes the words, the stars, or both. */
export const edit: Move<
  "edit",
  [by: UserId, changed: Partial<Words>, at: DateTime.Utc],
  Active,
  DomainEvent.ReviewEdited,
  never
> = (self: Review, by, changed, at) => {
  if (self._tag !== "Active" || self.userId !== by) return refused(self, by, "edit")
  const { content = self.content, stars = self.stars } = changed
  return Result.succeed({
    review: State.next(Active, self, { stars, content, changedAt: at }),
    rating: new Rating.Replaced({ before: self.stars, stars }),
    event: new DomainEvent.ReviewEdited({ ...about(self, "ReviewEdited", at), starsBefore: self.stars, stars })
  })
}

/** The author takes the review back. */
export const remove: Move<"remove", [by: UserId, at: DateTime.Utc], Deleted, DomainEvent.ReviewRemoved, never> = (
  self: Review,
  by,
  at
) =>
  self._tag === "Active" && self.userId === by
    ? Result.succeed({
        review: State.next(Deleted, self, { removedAt: at }),
        rating: new Rating.TakenAway({ stars: self.stars }),
        event: new DomainEvent.ReviewRemoved({ ...about(self, "ReviewRemoved", at), stars: self.stars })
      })
    : refused(self, by, "remove")

const broughtBack = (self: Deleted, orderId: OrderId, { content, stars }: Words, at: DateTime.Utc) =>
  written(self, State.next(Active, self, { orderId, stars, content, writtenAt: at, changedAt: at }), at)

const written = (before: Review, review: Active, at: DateTime.Utc): Decision<Active, DomainEvent.ReviewWritten> => ({
  review,
  rating: new Rating.Added({ stars: review.stars }),
  event: new DomainEvent.ReviewWritten({
    ...about(before, "ReviewWritten", at),
    orderId: review.orderId,
    stars: review.stars
  })
})
