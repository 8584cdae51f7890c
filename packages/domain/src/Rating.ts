/**
 * How many stars buyers give, one by one and all together.
 *
 * All ratings of an item are kept as their sum and their count, two whole numbers, so that their average never drifts and
 * one rating can be put in, replaced or taken away without reading the others.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

/** The fewest stars of one rating. */
export const starsMin = 1
/** The most stars of one rating. */
export const starsMax = 5

/** Whole stars, {@link starsMin} to {@link starsMax}. */
export const Rating = Schema.Int.check(Schema.isBetween({ minimum: starsMin, maximum: starsMax })).pipe(
  Schema.brand("Rating")
)
export type Rating = typeof Rating.Type

/** Stars that are not whole or not in range; `stars` is the number that did not fit, 0 where it was no number at all. */
export class RatingOutOfRange extends Schema.TaggedError<RatingOutOfRange>("@pillivery/domain/Rating/RatingOutOfRange")(
  "RatingOutOfRange",
  { stars: Schema.Finite }
) {
  override get message() {
    return `${this.stars} is not a whole number of ${starsMin} to ${starsMax} stars`
  }
}

/** Takes a number of stars, refusing what is not whole or not between {@link starsMin} and {@link starsMax}. */
export const fromNumber = (stars: number): Result.Result<Rating, RatingOutOfRange> =>
  Number.isInteger(stars) && stars >= starsMin && stars <= starsMax
    ? Result.succeed(stars as Rating)
    : Result.fail(new RatingOutOfRange({ stars: Number.isFinite(stars) ? stars : 0 }))

// -----------------------------------------------------------------------------
// all ratings of one item
// -----------------------------------------------------------------------------

/** Whether so many ratings can have this sum: each is {@link starsMin} to {@link starsMax} whole stars. */
export const isPossible = (sum: number, count: number): boolean =>
  Number.isSafeInteger(sum) &&
  Number.isSafeInteger(count) &&
  count >= 0 &&
  sum >= count * starsMin &&
  sum <= count * starsMax

/** The ratings of one item: the sum of their stars, and how many they are. */
export const RatingSum = Schema.Struct({ sum: Schema.Int, count: Schema.Int }).check(
  Schema.makeFilter(({ count, sum }) => isPossible(sum, count), { expected: "a sum of ratings of 1 to 5 stars each" })
)
export type RatingSum = typeof RatingSum.Type

/** No ratings could have that sum: one was taken away that was never put in, or the sum is too large to be exact. */
export class RatingSumImpossible extends Schema.TaggedError<RatingSumImpossible>(
  "@pillivery/domain/Rating/RatingSumImpossible"
)("RatingSumImpossible", { sum: Schema.Finite, count: Schema.Finite }) {
  override get message() {
    return `${this.count} ratings cannot have ${this.sum} stars together`
  }
}

/** No ratings. */
export const none: RatingSum = { sum: 0, count: 0 }

const made = (sum: number, count: number): Result.Result<RatingSum, RatingSumImpossible> =>
  isPossible(sum, count) ? Result.succeed({ sum, count }) : Result.fail(new RatingSumImpossible({ sum, count }))

/** With one rating more; refused only where the sum would be too large to be exact. */
export const add = (self: RatingSum, stars: Rating): Result.Result<RatingSum, RatingSumImpossible> =>
  made(self.sum + stars, self.count + 1)

/** Without one rating; refused where it cannot be among them. */
export const takeAway = (self: RatingSum, stars: Rating): Result.Result<RatingSum, RatingSumImpossible> =>
  made(self.sum - stars, self.count - 1)

/** With one rating in place of another; refused where `before` cannot be among them. */
export const replace = (
  self: RatingSum,
  before: Rating,
  after: Rating
): Result.Result<RatingSum, RatingSumImpossible> => Result.flatMap(takeAway(self, before), (rest) => add(rest, after))

/** Adds up ratings; the sum of none is {@link none}. */
export const sumOf = (ratings: ReadonlyArray<Rating>): Result.Result<RatingSum, RatingSumImpossible> =>
  made(
    ratings.reduce<number>((sum, stars) => sum + stars, 0),
    ratings.length
  )

/** The average of all ratings, {@link starsMin} to {@link starsMax} stars; 0 where there is none. */
export const averageOf = ({ count, sum }: RatingSum): number => (count === 0 ? 0 : sum / count)

// -----------------------------------------------------------------------------
// changes
// -----------------------------------------------------------------------------

/** One rating came in. */
export class Added extends Schema.TaggedClass<Added>("@pillivery/domain/Rating/Added")("Added", { stars: Rating }) {}

/** One rating became another. */
export class Replaced extends Schema.TaggedClass<Replaced>("@pillivery/domain/Rating/Replaced")("Replaced", {
  before: Rating,
  stars: Rating
}) {}

/** One rating no longer counts. */
export class TakenAway extends Schema.TaggedClass<TakenAway>("@pillivery/domain/Rating/TakenAway")("TakenAway", {
  stars: Rating
}) {}

/** What becomes of the ratings of an item when one of its reviews is written, edited or removed. */
export const RatingChange = Schema.Union([Added, Replaced, TakenAway]).pipe(Schema.toTaggedUnion("_tag"))
export type RatingChange = typeof RatingChange.Type

/** By how much a change moves the sum and the count, for whoever adds them up where they are stored. */
export const deltaOf = (change: RatingChange): { readonly sum: number; readonly count: number } => {
  switch (change._tag) {
    case "Added":
      return { sum: change.stars, count: 1 }
    case "Replaced":
      return { sum: change.stars - change.before, count: 0 }
    case "TakenAway":
      return { sum: -change.stars, count: -1 }
  }
}

/** The ratings after a change; refused where what it takes away cannot be among them. */
export const apply = (self: RatingSum, change: RatingChange): Result.Result<RatingSum, RatingSumImpossible> => {
  switch (change._tag) {
    case "Added":
      return add(self, change.stars)
    case "Replaced":
      return replace(self, change.before, change.stars)
    case "TakenAway":
      return takeAway(self, change.stars)
  }
}
