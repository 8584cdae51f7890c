/**
 * Where reviews are kept.
 *
 * @since 0.1.0
 */
import type { ItemId, ReviewId, UserId } from "@pillivery/domain/Ids"
import type { Active, Review } from "@pillivery/domain/Review"
import { Context, type Effect, type Option, Schema } from "effect"
import type { Page, PageRequest } from "./Page.ts"
import type { AlreadyExists, StaleWrite, StorageError } from "./StorageError.ts"

/**
 * How the reviews of an item are ordered, by when they were written or by their stars; of equal stars the newest come
 * first. Ties are broken by id.
 */
export const ReviewSort = Schema.Literals(["NEWEST", "OLDEST", "STAR_H", "STAR_L"])
export type ReviewSort = typeof ReviewSort.Type

/**
 * Reviews, unique by user and item together, whether they are shown or were removed; `update` succeeds only at the version
 * read and then stores the next one. Lists have those that are shown, and no others.
 */
export class ReviewRepository extends Context.Service<
  ReviewRepository,
  {
    readonly insert: (review: Review) => Effect.Effect<void, StorageError | AlreadyExists>
    readonly findById: (id: ReviewId) => Effect.Effect<Option.Option<Review>, StorageError>
    readonly findByUserAndItem: (userId: UserId, itemId: ItemId) => Effect.Effect<Option.Option<Review>, StorageError>
    readonly update: (review: Review) => Effect.Effect<void, StorageError | StaleWrite>
    readonly listByItem: (
      itemId: ItemId,
      sort: ReviewSort,
      page: PageRequest
    ) => Effect.Effect<Page<Active>, StorageError>
    /** Newest first. */
    readonly listByUser: (userId: UserId, page: PageRequest) => Effect.Effect<Page<Active>, StorageError>
  }
>()("@pillivery/application/ReviewRepository") {}
