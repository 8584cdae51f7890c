/**
 * Reviews: what buyers say of items.
 *
 * @since 0.1.0
 */
import { ReviewSort } from "@pillivery/application/ports/ReviewRepository"
import { ItemId, OrderId, ReviewId } from "@pillivery/domain/Ids"
import { starsMax, starsMin } from "@pillivery/domain/Rating"
import { contentLengthMax } from "@pillivery/domain/ReviewContent"
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Authentication } from "./Middleware.ts"
import { pageOf, pageQuery } from "./Pages.ts"
import * as Problems from "./Problems.ts"

// What a person types is measured by the domain, whose refusals say which rule was broken.
const typed = {
  stars: Schema.Finite.annotate({ description: `Whole stars, ${starsMin} to ${starsMax}.` }),
  content: Schema.String.annotate({ description: `1 to ${contentLengthMax} characters that are not blank.` })
}

const review = {
  id: ReviewId,
  itemId: ItemId,
  /** The author's present name. */
  author: Schema.Struct({ displayName: Schema.String, isWithdrawn: Schema.Boolean }),
  stars: Schema.Int,
  content: Schema.String,
  writtenAt: Schema.DateTimeUtc,
  /** When its stars or its content were last changed. */
  changedAt: Schema.DateTimeUtc
}

/** A review as everybody sees it. */
export const ReviewDto = Schema.Struct(review).annotate({ identifier: "Review" })

/** A review that its author took back; nobody sees it any more. */
export const RemovedReviewDto = Schema.Struct({ ...review, removedAt: Schema.DateTimeUtc }).annotate({
  identifier: "RemovedReview"
})

/** What is said of an item, and the paid order that has it. */
export const WriteReviewDto = Schema.Struct({ orderId: OrderId, itemId: ItemId, ...typed }).annotate({
  identifier: "WriteReview"
})

/** What is changed; what is not named stays. */
export const EditReviewDto = Schema.Struct({
  stars: Schema.optionalKey(typed.stars),
  content: Schema.optionalKey(typed.content)
})
  .check(
    Schema.makeFilter(({ content, stars }) => content !== undefined || stars !== undefined, {
      expected: "stars or content"
    })
  )
  .annotate({ identifier: "EditReview", examples: [{ stars: 4 }] })

const params = { reviewId: ReviewId }
const ReviewPage = pageOf("ReviewPage", ReviewDto)

/** Reviews. */
export const ReviewsGroup = HttpApiGroup.make("reviews")
  .add(
    HttpApiEndpoint.post("write", "/api/reviews", {
      payload: WriteReviewDto,
      success: ReviewDto.pipe(HttpApiSchema.status(201)),
      error: [Problems.notFound, Problems.conflict, Problems.unprocessable]
    })
      .middleware(Authentication)
      .annotate(OpenApi.Summary, "Review an item that one bought"),
    HttpApiEndpoint.patch("edit", "/api/reviews/:reviewId", {
      params,
      payload: EditReviewDto,
      success: ReviewDto,
      error: [Problems.notFound, Problems.conflict, Problems.unprocessable]
    })
      .middleware(Authentication)
      .annotate(OpenApi.Summary, "Change one's review"),
    HttpApiEndpoint.delete("remove", "/api/reviews/:reviewId", {
      params,
      success: RemovedReviewDto,
      error: [Problems.notFound, Problems.conflict]
    })
      .middleware(Authentication)
      .annotate(OpenApi.Summary, "Take one's review back"),
    HttpApiEndpoint.get("get", "/api/reviews/:reviewId", {
      params,
      success: ReviewDto,
      error: Problems.notFound
    }).annotate(OpenApi.Summary, "Read a review"),
    HttpApiEndpoint.get("listOfItem", "/api/items/:itemId/reviews", {
      params: { itemId: ItemId },
      query: { sort: Schema.optionalKey(ReviewSort), ...pageQuery },
      success: ReviewPage,
      error: Problems.notFound
    }).annotate(OpenApi.Summary, "List the reviews of an item, newest first unless told otherwise"),
    HttpApiEndpoint.get("listMine", "/api/users/me/reviews", { query: pageQuery, success: ReviewPage })
      .middleware(Authentication)
      .annotate(OpenApi.Summary, "List one's reviews, newest first")
  )
  .annotate(OpenApi.Description, "What buyers say of items.")
