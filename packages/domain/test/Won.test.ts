import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import * as fc from "fast-check"
import * as Arbitraries from "../src/testing/Arbitraries.ts"
import { won } from "../src/testing/Fixtures.ts"
import * as Won from "../src/Won.ts"
import { law, rejected, succeeded } from "./Laws.ts"

const { won: anyWon } = Arbitraries

describe("Won", () => {
  it("takes zero and the largest amount, and nothing beyond them", () => {
    assert.strictEqual(succeeded(Won.fromNumber(0)), Won.zero)
    assert.strictEqual(succeeded(Won.fromNumber(Won.wonMax)), 99_999_999_999)
    assert.strictEqual(rejected(Won.fromNumber(-1), "WonOutOfRange").amount, -1)
    assert.strictEqual(rejected(Won.fromNumber(Won.wonMax + 1), "WonOutOfRange").amount, 100_000_000_000)
  })

  it("refuses what is not a whole number", () => {
    for (const amount of [0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      rejected(Won.fromNumber(amount), "WonOutOfRange")
      assert.isFalse(Schema.is(Won.Won)(amount))
    }
  })

  it("says which amount did not fit", () => {
    assert.strictEqual(rejected(Won.fromNumber(-5), "WonOutOfRange").message, "-5 won is not between 0 and 99999999999")
  })

  law(
    "fromNumber accepts exactly what the schema accepts",
    [fc.oneof(fc.double(), fc.maxSafeInteger(), anyWon)],
    (amount) => {
      assert.strictEqual(Result.isSuccess(Won.fromNumber(amount)), Schema.is(Won.Won)(amount))
    }
  )
})

describe("Won.add", () => {
  law("is commutative", [anyWon, anyWon], (one, other) => {
    assert.deepStrictEqual(Won.add(one, other), Won.add(other, one))
  })

  law("is associative where the sum fits", [anyWon, anyWon, anyWon], (a, b, c) => {
    const left = Result.flatMap(Won.add(a, b), (sum) => Won.add(sum, c))
    const right = Result.flatMap(Won.add(b, c), (sum) => Won.add(a, sum))
    assert.strictEqual(Result.isSuccess(left), Result.isSuccess(right))
    if (Result.isSuccess(left)) assert.deepStrictEqual(left, right)
  })

  law("of nothing changes nothing", [anyWon], (amount) => {
    assert.deepStrictEqual(Won.add(amount, Won.zero), Result.succeed(amount))
  })

  law("refuses exactly the sums above the largest amount", [anyWon, anyWon], (one, other) => {
    assert.strictEqual(Result.isFailure(Won.add(one, other)), one + other > Won.wonMax)
  })
})

describe("Won.subtract", () => {
  law("takes back what was added", [anyWon, anyWon], (one, other) => {
    const sum = Won.add(one, other)
    if (Result.isSuccess(sum)) assert.deepStrictEqual(Won.subtract(sum.success, other), Result.succeed(one))
  })

  law("never goes below zero", [anyWon, anyWon], (one, other) => {
    assert.strictEqual(Result.isFailure(Won.subtract(one, other)), other > one)
  })
})

describe("Won.multiply", () => {
  law(
    "is adding that many times",
    [fc.integer({ min: 0, max: 1_000_000 }).map(won), fc.integer({ min: 0, max: 50 })],
    (amount, times) => {
      const added = Won.sum(Array.from({ length: times }, () => amount))
      assert.deepStrictEqual(Won.multiply(amount, times), added)
    }
  )

  it("refuses a product above the largest amount", () => {
    assert.strictEqual(rejected(Won.multiply(won(Won.wonMax), 2), "WonOutOfRange").amount, 2 * Won.wonMax)
  })

  it("refuses a number of units that is not whole or below zero", () => {
    rejected(Won.multiply(won(10), 0.5), "WonOutOfRange")
    rejected(Won.multiply(won(10), -1), "WonOutOfRange")
    rejected(Won.multiply(won(0), -1), "WonOutOfRange")
  })
})

describe("Won.sum", () => {
  it("of no amounts is zero", () => assert.deepStrictEqual(Won.sum([]), Result.succeed(Won.zero)))

  law("does not depend on the order", [fc.array(anyWon, { maxLength: 30 })], (amounts) => {
    assert.deepStrictEqual(Won.sum(amounts), Won.sum(amounts.toReversed()))
  })
})

describe("Won.vatOf", () => {
  it("is one eleventh, rounded half up", () => {
    assert.deepStrictEqual(
      [11_000, 10_000, 5, 6, 0].map((amount) => Number(Won.vatOf(won(amount)))),
      [1_000, 909, 0, 1, 0]
    )
  })

  law("is never more than the amount it is in", [anyWon], (amount) => {
    assert.isTrue(Schema.is(Won.Won)(Won.vatOf(amount)))
    assert.isAtMost(Won.vatOf(amount), amount)
  })
})
