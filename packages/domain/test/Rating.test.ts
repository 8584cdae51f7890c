import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import * as fc from "fast-check"
import * as Rating from "../src/Rating.ts"
import * as Arbitraries from "../src/testing/Arbitraries.ts"
import { stars } from "../src/testing/Fixtures.ts"
import { law, rejected, succeeded } from "./Laws.ts"

const { rating: anyRating, ratingChange, ratingSum } = Arbitraries

describe("Rating.fromNumber", () => {
  it("takes one to five whole stars", () => {
    for (const count of [1, 2, 3, 4, 5]) assert.strictEqual(succeeded(Rating.fromNumber(count)), count)
  })

  it("refuses halves, none, six, and what is no number", () => {
    for (const count of [0, 6, -1, 3.5]) {
      assert.strictEqual(rejected(Rating.fromNumber(count), "RatingOutOfRange").stars, count)
    }
    for (const count of [Number.NaN, Number.POSITIVE_INFINITY]) {
      assert.strictEqual(rejected(Rating.fromNumber(count), "RatingOutOfRange").stars, 0)
    }
    assert.strictEqual(
      rejected(Rating.fromNumber(6), "RatingOutOfRange").message,
      "6 is not a whole number of 1 to 5 stars"
    )
  })

  law("accepts exactly what the schema accepts", [fc.oneof(fc.double(), fc.integer({ min: -9, max: 9 }))], (count) => {
    assert.strictEqual(Result.isSuccess(Rating.fromNumber(count)), Schema.is(Rating.Rating)(count))
  })
})

describe("RatingSum", () => {
  it("is a sum that so many ratings can have", () => {
    for (const [sum, count] of [
      [0, 0],
      [1, 1],
      [5, 1],
      [13, 3],
      [15, 3]
    ] as const) {
      assert.isTrue(Rating.isPossible(sum, count), `${count} with ${sum}`)
    }
    for (const [sum, count] of [
      [1, 0],
      [0, 1],
      [6, 1],
      [2, 3],
      [16, 3],
      [-1, -1],
      [1.5, 1],
      [2, 1.5],
      [2 ** 53, 2 ** 52],
      [Number.NaN, 0]
    ] as const) {
      assert.isFalse(Rating.isPossible(sum, count), `${count} with ${sum}`)
      assert.throws(() => Rating.RatingSum.make({ sum, count }))
    }
  })

  law("has an average of 1 to 5 stars, or 0 without any", [ratingSum], (self) => {
    const average = Rating.averageOf(self)
    if (self.count === 0) assert.strictEqual(average, 0)
    else assert.isTrue(average >= Rating.starsMin && average <= Rating.starsMax)
  })
})

describe("Rating.add, replace and takeAway", () => {
  law("count and add up the ratings they are given, in any order", [fc.array(anyRating)], (ratings) => {
    const all = succeeded(Rating.sumOf(ratings))
    assert.strictEqual(all.count, ratings.length)
    assert.deepStrictEqual(succeeded(Rating.sumOf(ratings.toReversed())), all)
    const oneByOne = ratings.reduce((sum, next) => succeeded(Rating.add(sum, next)), Rating.none)
    assert.deepStrictEqual(oneByOne, all)
  })

  law("take away what was added", [ratingSum, anyRating], (self, one) => {
    assert.deepStrictEqual(succeeded(Rating.takeAway(succeeded(Rating.add(self, one)), one)), self)
  })

  law("replace as if the one was never there", [ratingSum, anyRating, anyRating], (self, before, after) => {
    const replaced = Rating.replace(succeeded(Rating.add(self, before)), before, after)
    assert.deepStrictEqual(succeeded(replaced), succeeded(Rating.add(self, after)))
  })

  it("refuse to take away a rating that cannot be among them", () => {
    const denial = rejected(Rating.takeAway(Rating.none, stars(3)), "RatingSumImpossible")
    assert.deepStrictEqual(
      [denial.sum, denial.count, denial.message],
      [-3, -1, "-1 ratings cannot have -3 stars together"]
    )
    const three = Rating.RatingSum.make({ sum: 3, count: 3 })
    rejected(Rating.takeAway(three, stars(2)), "RatingSumImpossible")
    assert.deepStrictEqual({ ...succeeded(Rating.takeAway(three, stars(1))) }, { sum: 2, count: 2 })
    const one = Rating.RatingSum.make({ sum: 5, count: 1 })
    rejected(Rating.takeAway(one, stars(4)), "RatingSumImpossible")
    rejected(Rating.replace(one, stars(4), stars(5)), "RatingSumImpossible")
  })

  it("refuse a sum that is too large to be exact", () => {
    const count = Math.floor(Number.MAX_SAFE_INTEGER / 5)
    rejected(Rating.add(Rating.RatingSum.make({ sum: count * 5, count }), stars(5)), "RatingSumImpossible")
  })
})

describe("Rating.apply", () => {
  law("moves the sum and the count by the change's delta, or refuses", [ratingSum, ratingChange], (self, change) => {
    const delta = Rating.deltaOf(change)
    const after = Rating.apply(self, change)
    if (Result.isFailure(after)) return
    assert.deepStrictEqual({ ...after.success }, { sum: self.sum + delta.sum, count: self.count + delta.count })
  })

  law("refuses nothing that comes in, and only what cannot be there", [ratingSum, ratingChange], (self, change) => {
    const leaving = change._tag === "Added" ? null : change._tag === "Replaced" ? change.before : change.stars
    const isThere = leaving === null || Rating.isPossible(self.sum - leaving, self.count - 1)
    assert.strictEqual(Result.isSuccess(Rating.apply(self, change)), isThere)
  })

  law("is survived by a change that is written and read", [ratingChange], (change) => {
    const codec = Schema.toCodecJson(Rating.RatingChange)
    assert.deepStrictEqual(
      Schema.decodeUnknownSync(codec)(JSON.parse(JSON.stringify(Schema.encodeSync(codec)(change)))),
      change
    )
  })
})
