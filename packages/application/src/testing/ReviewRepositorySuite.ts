/**
 * The contract of `ReviewRepository`.
 *
 * @since 0.1.0
 */
import { assert } from "@effect/vitest"
import * as Review from "@pillivery/domain/Review"
import * as Arbitraries from "@pillivery/domain/testing/Arbitraries"
import * as Fixtures from "@pillivery/domain/testing/Fixtures"
import { Effect, Option, Result } from "effect"
import type { IdGenerator } from "../ports/IdGenerator.ts"
import type { PageRequest } from "../ports/Page.ts"
import { ReviewRepository, ReviewSort } from "../ports/ReviewRepository.ts"
import type { Transaction } from "../ports/Transaction.ts"
import { aggregateLaws } from "./AggregateLaws.ts"
import { countOf, endsOf, failsWith, freshSeed, freshSeeds, law, type Law, suiteOf } from "./Law.ts"
import type { States } from "./Samples.ts"

/** What the laws of this port need. */
export type Requirements = ReviewRepository | Transaction | IdGenerator

const rivalsCount = 8
const { getOrThrow } = Result

const states: States<Review.Review> = {
  Active: (seed) => Fixtures.review({}, seed),
  Deleted: (seed) => Fixtures.deletedReview(seed)
}

const varieties: Readonly<Record<string, (seed: string) => Review.Review>> = {
  "Active and edited": (seed) => {
    const before = Fixtures.review({}, seed)
    const changed = { stars: Fixtures.stars(1), content: Fixtures.content("다시 보니 별로예요.\n😀 \"'`\\ % _") }
    return getOrThrow(Review.edit(before, before.userId, changed, Fixtures.later(90))).review
  },
  "Active with the longest text": (seed) => Fixtures.review({ content: Fixtures.content("🐟".repeat(1_000)) }, seed),
  "Active and written again": (seed) => {
    const before = Fixtures.deletedReview(seed)
    const order = Fixtures.paidOrder({}, seed)
    const words = { stars: Fixtures.stars(3), content: Fixtures.content("또 샀어요.") }
    return getOrThrow(Review.writeAgain(before, before.userId, order, words, Fixtures.later(200))).review
  }
}

type Pair = Pick<Review.Review, "userId" | "itemId">

const asOf = (review: Review.Review, { itemId, userId }: Pair): Review.Review =>
  review._tag === "Active"
    ? new Review.Active({ ...review, itemId, userId })
    : new Review.Deleted({ ...review, itemId, userId })

// Commands are those of one author about one item; here each history has an author and an item of its own.
const commandsOfAnybody = Arbitraries.reviewCommand.map((command) => ({
  ...command,
  run: (self: Review.Review) =>
    Result.map(command.run(asOf(self, { userId: Fixtures.anyUserId(), itemId: Fixtures.anyItemId() })), (next) =>
      asOf(next, self)
    )
}))

/** Reviews of one item that differ in stars and time, of which some have the same, and one that was removed. */
const reviewsOfOneItem = Effect.gen(function* () {
  const reviews = yield* ReviewRepository
  const itemId = Fixtures.anyItemId(yield* freshSeed)
  const drawn = [
    [5, 10],
    [1, 20],
    [3, 30],
    [3, 30],
    [5, 40],
    [3, 50],
    [1, 5]
  ] as const
  const seeds = yield* freshSeeds(drawn.length)
  const all = drawn.map(([stars, minutes], index) =>
    Fixtures.review(
      {
        itemId,
        userId: Fixtures.anyUserId(seeds[index]),
        stars: Fixtures.stars(stars),
        writtenAt: Fixtures.later(minutes),
        changedAt: Fixtures.later(500)
      },
      seeds[index]
    )
  )
  yield* Effect.forEach(all, reviews.insert)
  yield* reviews.insert(new Review.Deleted({ ...Fixtures.deletedReview(yield* freshSeed), itemId }))
  yield* reviews.insert(Fixtures.review({}, yield* freshSeed))
  return { itemId, all }
})

const newestFirst = (self: Review.Active, that: Review.Active): number =>
  that.writtenAt.epochMilliseconds - self.writtenAt.epochMilliseconds || (self.id < that.id ? 1 : -1)

const comparisons: Readonly<Record<ReviewSort, (self: Review.Active, that: Review.Active) => number>> = {
  NEWEST: newestFirst,
  OLDEST: (self, that) => newestFirst(that, self),
  STAR_H: (self, that) => that.stars - self.stars || newestFirst(self, that),
  STAR_L: (self, that) => self.stars - that.stars || newestFirst(self, that)
}

const idsOf = (reviews: ReadonlyArray<Review.Review>) => reviews.map(({ id }) => id)
const pages = [1, 2, 3, 4].map((page): PageRequest => ({ page, size: 3 }))

const orderLaws: ReadonlyArray<Law<Requirements>> = ReviewSort.literals.map((sort) =>
  law(
    `lists the reviews of an item by ${sort}, in pages that neither overlap nor leave out`,
    Effect.gen(function* () {
      const reviews = yield* ReviewRepository
      const { all, itemId } = yield* reviewsOfOneItem
      const found = yield* Effect.forEach(pages, (page) => reviews.listByItem(itemId, sort, page))
      assert.deepStrictEqual(idsOf(found.flatMap(({ data }) => data)), idsOf(all.toSorted(comparisons[sort])))
      assert.deepStrictEqual(
        found.map(({ data, totalElements }) => [data.length, totalElements]),
        [
          [3, 7],
          [3, 7],
          [1, 7],
          [0, 7]
        ]
      )
    })
  )
)

/** Everything a `ReviewRepository` promises. */
export const laws = (): ReadonlyArray<Law<Requirements>> => [
  ...aggregateLaws({
    schema: Review.Review,
    states,
    varieties,
    transitions: Review.transitions,
    histories: { begin: [states.Active, states.Deleted], commands: commandsOfAnybody },
    idOf: (review) => review.id,
    insert: (review) => Effect.flatMap(ReviewRepository, (reviews) => reviews.insert(review)),
    find: (id) => Effect.flatMap(ReviewRepository, (reviews) => reviews.findById(id)),
    update: (review) => Effect.flatMap(ReviewRepository, (reviews) => reviews.update(review))
  }),

  law(
    "lets one of many rivals review an item as the same user",
    Effect.gen(function* () {
      const reviews = yield* ReviewRepository
      const userId = Fixtures.anyUserId(yield* freshSeed)
      const itemId = Fixtures.anyItemId(yield* freshSeed)
      const rivals = (yield* freshSeeds(rivalsCount)).map((seed) => Fixtures.review({ userId, itemId }, seed))
      const ends = yield* endsOf(rivals.map(reviews.insert))
      assert.strictEqual(countOf(ends, "success"), 1)
      assert.strictEqual(countOf(ends, "AlreadyExists"), rivalsCount - 1)
      const found = Option.getOrThrow(yield* reviews.findByUserAndItem(userId, itemId))
      assert.include(idsOf(rivals), found.id)
      assert.strictEqual((yield* reviews.listByItem(itemId, "NEWEST", { page: 1, size: 8 })).totalElements, 1)
    })
  ),

  law(
    "takes no second review of a user and an item when the first was removed, and finds that one",
    Effect.gen(function* () {
      const reviews = yield* ReviewRepository
      const [one, two] = yield* freshSeeds(2)
      const removed = Fixtures.deletedReview(one)
      const { itemId, userId } = removed
      yield* reviews.insert(removed)
      yield* failsWith("AlreadyExists", reviews.insert(Fixtures.review({ userId, itemId }, two)))
      const found = Option.getOrThrow(yield* reviews.findByUserAndItem(userId, itemId))
      assert.deepStrictEqual([found._tag, found.id], ["Deleted", removed.id])
    })
  ),

  law(
    "finds the review of one user and one item, and no other's",
    Effect.gen(function* () {
      const reviews = yield* ReviewRepository
      const [one, two] = yield* freshSeeds(2)
      const [first, second] = [
        Fixtures.review({ userId: Fixtures.anyUserId(one) }, one),
        Fixtures.review({ userId: Fixtures.anyUserId(two) }, two)
      ]
      yield* reviews.insert(first)
      yield* reviews.insert(second)
      const idOf = (userId: Review.Review["userId"], itemId: Review.Review["itemId"]) =>
        Effect.map(reviews.findByUserAndItem(userId, itemId), (found) =>
          Option.getOrNull(Option.map(found, ({ id }) => id))
        )
      assert.strictEqual(yield* idOf(first.userId, first.itemId), first.id)
      assert.strictEqual(yield* idOf(second.userId, second.itemId), second.id)
      assert.isNull(yield* idOf(first.userId, second.itemId))
      assert.isNull(yield* idOf(second.userId, first.itemId))
    })
  ),

  ...orderLaws,

  law(
    "lists a review no more once it was removed, and again at its new place once it is written again",
    Effect.gen(function* () {
      const reviews = yield* ReviewRepository
      const { all, itemId } = yield* reviewsOfOneItem
      const [first] = all
      if (first === undefined) return assert.fail("there are reviews")
      const listed = Effect.map(
        Effect.all([
          ...ReviewSort.literals.map((sort) => reviews.listByItem(itemId, sort, { page: 1, size: 10 })),
          reviews.listByUser(first.userId, { page: 1, size: 10 })
        ]),
        (lists) => lists.map(({ data, totalElements }) => [totalElements, idsOf(data).indexOf(first.id)])
      )
      const before = yield* listed
      const removed = getOrThrow(Review.remove(first, first.userId, Fixtures.later(600))).review
      yield* reviews.update(removed)
      assert.deepStrictEqual(yield* listed, [...ReviewSort.literals.map(() => [6, -1]), [0, -1]])
      yield* reviews.update(new Review.Active({ ...first, writtenAt: Fixtures.later(700), version: 1 }))
      const [newest, oldest, best, worst, own] = yield* listed
      assert.deepStrictEqual(
        [newest, oldest, best, worst, own],
        [
          [7, 0],
          [7, 6],
          [7, 0],
          [7, 5],
          [1, 0]
        ]
      )
      assert.notDeepEqual(before, yield* listed)
    })
  ),

  law(
    "lists a user's reviews newest first, in pages that neither overlap nor leave out, and no other's",
    Effect.gen(function* () {
      const reviews = yield* ReviewRepository
      const userId = Fixtures.anyUserId(yield* freshSeed)
      const all = (yield* freshSeeds(5)).map((seed, index) =>
        Fixtures.review({ userId, writtenAt: Fixtures.later(Math.min(index, 3)) }, seed)
      )
      yield* Effect.forEach(all, reviews.insert)
      yield* reviews.insert(new Review.Deleted({ ...Fixtures.deletedReview(yield* freshSeed), userId }))
      yield* reviews.insert(Fixtures.review({}, yield* freshSeed))
      const found = yield* Effect.forEach(pages, (page) => reviews.listByUser(userId, page))
      assert.deepStrictEqual(idsOf(found.flatMap(({ data }) => data)), idsOf(all.toSorted(newestFirst)))
      assert.deepStrictEqual(
        found.map(({ totalElements }) => totalElements),
        [5, 5, 5, 5]
      )
    })
  )
]

/** Runs the laws against a layer. */
export const suite = suiteOf<Requirements>("ReviewRepository", laws)
