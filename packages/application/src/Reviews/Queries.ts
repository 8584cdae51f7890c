/**
 * Reading reviews. What was removed is not there.
 *
 * @since 0.1.0
 */
import type { DisplayName } from "@pillivery/domain/DisplayName"
import { type ItemId, ReviewId, type UserId } from "@pillivery/domain/Ids"
import type { Active, Review } from "@pillivery/domain/Review"
import { Effect, Option, Schema } from "effect"
import { getItem } from "../Catalogue/Items.ts"
import type { Page, PageRequest } from "../ports/Page.ts"
import { ReviewRepository, type ReviewSort } from "../ports/ReviewRepository.ts"
import { UserRepository } from "../ports/UserRepository.ts"

/** There is no such review, it was removed, or, where its author is wanted, it is somebody else's. */
export class ReviewNotFound extends Schema.TaggedError<ReviewNotFound>("@pillivery/application/Reviews/ReviewNotFound")(
  "ReviewNotFound",
  { reviewId: ReviewId }
) {
  override get message() {
    return `there is no review ${this.reviewId}`
  }
}

/** A review and the present name of its author; null when the author has withdrawn. */
export interface ReviewView<out R extends Review = Active> {
  readonly review: R
  readonly author: DisplayName | null
}

/** Reviews with the names of all their authors, which are read at once. */
const viewsOf = Effect.fnUntraced(function* <R extends Review>(reviews: ReadonlyArray<R>) {
  const users = yield* UserRepository
  const names = yield* users.findDisplayNames([...new Set(reviews.map(({ userId }) => userId))])
  return reviews.map((review): ReviewView<R> => ({ review, author: names.get(review.userId) ?? null }))
})

/** A review with the name of its author. */
export const viewOf = Effect.fnUntraced(function* <R extends Review>(review: R) {
  const names = yield* (yield* UserRepository).findDisplayNames([review.userId])
  return { review, author: names.get(review.userId) ?? null } satisfies ReviewView<R>
})

const viewPageOf = Effect.fnUntraced(function* ({ data, totalElements }: Page<Active>) {
  return { data: yield* viewsOf(data), totalElements } satisfies Page<ReviewView>
})

/** A review that is shown. */
export const getReview = Effect.fn("getReview")(function* (reviewId: ReviewId) {
  const found = Option.getOrNull(yield* (yield* ReviewRepository).findById(reviewId))
  return found?._tag === "Active" ? yield* viewOf(found) : yield* new ReviewNotFound({ reviewId })
})

/** What buyers say of an item. */
export const listItemReviews = Effect.fn("listItemReviews")(function* (
  itemId: ItemId,
  sort: ReviewSort,
  page: PageRequest
) {
  yield* getItem(itemId)
  return yield* viewPageOf(yield* (yield* ReviewRepository).listByItem(itemId, sort, page))
})

/** What the user said of items, newest first. */
export const listMyReviews = Effect.fn("listMyReviews")(function* (userId: UserId, page: PageRequest) {
  return yield* viewPageOf(yield* (yield* ReviewRepository).listByUser(userId, page))
})
