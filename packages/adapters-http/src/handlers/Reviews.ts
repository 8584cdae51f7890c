/**
 * Handlers of reviews.
 *
 * @since 0.1.0
 */
import type { BusinessClock } from "@pillivery/application/ports/BusinessClock"
import type { IdGenerator } from "@pillivery/application/ports/IdGenerator"
import type { ItemRepository } from "@pillivery/application/ports/ItemRepository"
import type { OrderRepository } from "@pillivery/application/ports/OrderRepository"
import type { Outbox } from "@pillivery/application/ports/Outbox"
import type { ReviewRepository } from "@pillivery/application/ports/ReviewRepository"
import type { Transaction } from "@pillivery/application/ports/Transaction"
import type { UserRepository } from "@pillivery/application/ports/UserRepository"
import { getReview, listItemReviews, listMyReviews, type ReviewView } from "@pillivery/application/Reviews/Queries"
import { editReview, removeReview, writeReview } from "@pillivery/application/Reviews/WriteReview"
import type { Deleted, Review } from "@pillivery/domain/Review"
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { answer } from "../Answer.ts"
import { Api } from "../api/Api.ts"
import { CurrentIdentity } from "../api/Middleware.ts"
import { fromPage, toPageRequest } from "../api/Pages.ts"
import type { RemovedReviewDto, ReviewDto } from "../api/Reviews.ts"
import { captured } from "../internal/Captured.ts"

/** Under which name somebody is seen who has none any more. */
const withdrawnName = "탈퇴한 회원"

const toReview = ({ author, review }: ReviewView<Review>): typeof ReviewDto.Type => ({
  id: review.id,
  itemId: review.itemId,
  author: { displayName: author ?? withdrawnName, isWithdrawn: author === null },
  stars: review.stars,
  content: review.content,
  writtenAt: review.writtenAt,
  changedAt: review.changedAt
})

const toRemovedReview = (view: ReviewView<Deleted>): typeof RemovedReviewDto.Type => ({
  ...toReview(view),
  removedAt: view.review.removedAt
})

/** Reviews. */
export const layer = HttpApiBuilder.group(
  Api,
  "reviews",
  Effect.fnUntraced(function* (handlers) {
    const provide = yield* captured<
      | BusinessClock
      | IdGenerator
      | ItemRepository
      | OrderRepository
      | Outbox
      | ReviewRepository
      | Transaction
      | UserRepository
    >()
    return handlers.handleAll({
      write: Effect.fnUntraced(function* ({ payload }) {
        const { userId } = yield* CurrentIdentity
        return toReview(yield* writeReview({ ...payload, userId }).pipe(answer, provide))
      }),
      edit: Effect.fnUntraced(function* ({ params, payload }) {
        const { userId } = yield* CurrentIdentity
        return toReview(yield* editReview({ ...params, ...payload, userId }).pipe(answer, provide))
      }),
      remove: Effect.fnUntraced(function* ({ params }) {
        const { userId } = yield* CurrentIdentity
        return toRemovedReview(yield* removeReview({ ...params, userId }).pipe(answer, provide))
      }),
      get: ({ params }) => getReview(params.reviewId).pipe(Effect.map(toReview), answer, provide),
      listOfItem: ({ params, query }) => {
        const page = toPageRequest(query)
        return listItemReviews(params.itemId, query.sort ?? "NEWEST", page).pipe(
          Effect.map((found) => fromPage(found, page, toReview)),
          answer,
          provide
        )
      },
      listMine: Effect.fnUntraced(function* ({ query }) {
        const { userId } = yield* CurrentIdentity
        const page = toPageRequest(query)
        return fromPage(yield* listMyReviews(userId, page).pipe(answer, provide), page, toReview)
      })
    })
  })
)
