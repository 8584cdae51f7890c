/**
 * Writing, editing and removing reviews.
 *
 * Each is one transaction that reads the rows, has the domain decide, writes the review as it was read, and adds to the
 * ratings of the item what the review's stars change. A rival who was first has the decision made again, so that a change
 * that is repeated, or made twice at once, counts once.
 *
 * @since 0.1.0
 */
import type { DomainEvent } from "@pillivery/domain/DomainEvent"
import { type ItemId, type OrderId, ReviewId, type UserId } from "@pillivery/domain/Ids"
import * as Rating from "@pillivery/domain/Rating"
import * as Review from "@pillivery/domain/Review"
import * as ReviewContent from "@pillivery/domain/ReviewContent"
import { type DateTime, Effect, Option, Result } from "effect"
import { getItem } from "../Catalogue/Items.ts"
import { getOrder } from "../Checkout/GetOrder.ts"
import { BusinessClock } from "../ports/BusinessClock.ts"
import { IdGenerator } from "../ports/IdGenerator.ts"
import { ItemRepository } from "../ports/ItemRepository.ts"
import { Outbox } from "../ports/Outbox.ts"
import { ReviewRepository } from "../ports/ReviewRepository.ts"
import { AlreadyExists, StaleWrite } from "../ports/StorageError.ts"
import { Transaction } from "../ports/Transaction.ts"
import { retryStale } from "../StaleRetry.ts"
import { getMe } from "../Users/GetMe.ts"
import { ReviewNotFound, viewOf } from "./Queries.ts"

/** What a person types, still to be read as stars and content. */
export interface Typed {
  readonly stars: number
  readonly content: string
}

/** Whose review. */
export interface ReviewKey {
  readonly reviewId: ReviewId
  readonly userId: UserId
}

/** Writes a review of an item that the order proves to be bought; one that was removed is written again. */
export const writeReview = Effect.fn("writeReview")(function* (
  command: Typed & { readonly userId: UserId; readonly orderId: OrderId; readonly itemId: ItemId }
) {
  const { itemId, orderId, userId } = command
  const reviews = yield* ReviewRepository
  const clock = yield* BusinessClock
  const ids = yield* IdGenerator
  const transaction = yield* Transaction

  const stars = yield* Effect.fromResult(Rating.fromNumber(command.stars))
  const content = yield* Effect.fromResult(ReviewContent.parse(command.content))
  const id = ReviewId.make(yield* ids.next)
  return yield* retryStale(
    transaction.run(
      Effect.gen(function* () {
        yield* getMe(userId)
        const order = yield* getOrder({ orderId, userId })
        const existing = Option.getOrNull(yield* reviews.findByUserAndItem(userId, itemId))
        const at = yield* clock.now
        const decision = yield* Effect.fromResult(
          Review.write({ id, userId, itemId, order, existing, stars, content, at })
        )
        yield* getItem(itemId)
        yield* existing === null ? orStale(reviews.insert(decision.review)) : reviews.update(decision.review)
        return yield* enter(decision)
      })
    )
  )
})

/** Changes the stars, the content, or both; what is not named stays. */
export const editReview = Effect.fn("editReview")(function* (
  command: ReviewKey & { readonly stars?: number | undefined; readonly content?: string | undefined }
) {
  const { content, stars } = command
  const words = {
    ...(stars === undefined ? {} : { stars: yield* Effect.fromResult(Rating.fromNumber(stars)) }),
    ...(content === undefined ? {} : { content: yield* Effect.fromResult(ReviewContent.parse(content)) })
  }
  return yield* obey(command, (review, at) => Review.edit(review, command.userId, words, at))
})

/** Takes a review back: it is shown no more, and its stars do not count. */
export const removeReview = Effect.fn("removeReview")((key: ReviewKey) =>
  obey(key, (review, at) => Review.remove(review, key.userId, at))
)

// A review that was removed, or is somebody else's, is not there; which of the two is not told.
const obey = Effect.fnUntraced(function* <Next extends Review.Review, Event extends DomainEvent>(
  { reviewId }: ReviewKey,
  decide: (
    review: Review.Review,
    at: DateTime.Utc
  ) => Result.Result<Review.Decision<Next, Event>, Review.NotReviewAuthor | Review.ReviewTransitionDenied>
) {
  const reviews = yield* ReviewRepository
  const clock = yield* BusinessClock
  const transaction = yield* Transaction
  const notFound = new ReviewNotFound({ reviewId })
  return yield* retryStale(
    transaction.run(
      Effect.gen(function* () {
        const found = yield* reviews.findById(reviewId)
        if (Option.isNone(found)) return yield* notFound
        const decided = decide(found.value, yield* clock.now)
        if (Result.isFailure(decided)) return yield* notFound
        yield* reviews.update(decided.success.review)
        return yield* enter(decided.success)
      })
    )
  )
})

/** What a decision brings about besides the review itself. */
const enter = Effect.fnUntraced(function* <Next extends Review.Review, Event extends DomainEvent>({
  event,
  rating,
  review
}: Review.Decision<Next, Event>) {
  const items = yield* ItemRepository
  const outbox = yield* Outbox
  const view = yield* viewOf(review)
  yield* outbox.publish([event])
  const by = Rating.deltaOf(rating)
  // Last, since everybody who reviews the item waits for the end of this transaction; and not at all for words alone.
  if (by.sum !== 0 || by.count !== 0) {
    yield* items.addRating(review.itemId, by).pipe(Effect.catchTag("RatingRefused", Effect.die)) // it was put in before it is taken away
  }
  return view
})

// Whoever wrote the user's review of the item at the same moment was first.
const orStale = <A, E, R>(insert: Effect.Effect<A, E | AlreadyExists, R>) =>
  Effect.catchIf(
    insert,
    (error) => error instanceof AlreadyExists,
    ({ entity, key }) => Effect.fail(new StaleWrite({ entity, id: key }))
  )
