/**
 * Reviews in memory.
 *
 * @since 0.1.0
 */
import { ReviewRepository, type ReviewSort } from "@pillivery/application/ports/ReviewRepository"
import { starsMax } from "@pillivery/domain/Rating"
import type { Active, Review } from "@pillivery/domain/Review"
import { Effect, Layer, Option } from "effect"
import * as Table from "./internal/Table.ts"
import { Store } from "./Store.ts"

const pairKey = ({ itemId, userId }: Pick<Review, "itemId" | "userId">) => `${userId}/${itemId}`

// What was removed is in no list.
const ofActive = (key: (review: Active) => string) => (review: Review) =>
  review._tag === "Active" ? key(review) : null

const reviews = Table.define<Review>()({
  name: "review",
  idOf: (review) => review.id,
  unique: { pair: pairKey },
  indexes: {
    item: ofActive(({ itemId, writtenAt }) => `${itemId}/${Table.timeKey(writtenAt)}`),
    stars: ofActive(({ itemId, stars, writtenAt }) => `${itemId}/${stars}/${Table.timeKey(writtenAt)}`),
    starsMissing: ofActive(
      ({ itemId, stars, writtenAt }) => `${itemId}/${starsMax - stars}/${Table.timeKey(writtenAt)}`
    ),
    user: ofActive(({ userId, writtenAt }) => `${userId}/${Table.timeKey(writtenAt)}`)
  }
})

/** Which index has the order of a sort, and from which end it is read. */
const orders = {
  NEWEST: { index: "item", read: "pageBackwards" },
  OLDEST: { index: "item", read: "page" },
  STAR_H: { index: "stars", read: "pageBackwards" },
  STAR_L: { index: "starsMissing", read: "pageBackwards" }
} as const satisfies Record<ReviewSort, unknown>

// What the indexes hold.
const actives = <Found extends { readonly data: ReadonlyArray<Review> }>(found: Found) => ({
  ...found,
  data: found.data.filter((review) => review._tag === "Active")
})

/** Reviews of one store. */
export const layer = Layer.effect(
  ReviewRepository,
  Effect.map(Store, (store) =>
    ReviewRepository.of({
      insert: (review) => store.write("ReviewRepository.insert", (rows) => rows.insert(reviews, review)),
      findById: (id) =>
        store.read("ReviewRepository.findById", (rows) => Option.fromUndefinedOr(rows.get(reviews, id))),
      findByUserAndItem: (userId, itemId) =>
        store.read("ReviewRepository.findByUserAndItem", (rows) =>
          Option.fromUndefinedOr(rows.getBy(reviews, "pair", pairKey({ userId, itemId })))
        ),
      update: (review) => store.write("ReviewRepository.update", (rows) => rows.update(reviews, review)),
      listByItem: (itemId, sort, page) =>
        store.read("ReviewRepository.listByItem", (rows) => {
          const { index, read } = orders[sort]
          return actives(rows[read](reviews, index, `${itemId}/`, page))
        }),
      listByUser: (userId, page) =>
        store.read("ReviewRepository.listByUser", (rows) =>
          actives(rows.pageBackwards(reviews, "user", `${userId}/`, page))
        )
    })
  )
)
