import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import * as fc from "fast-check"
import * as Rate from "../src/Rate.ts"
import * as Arbitraries from "../src/testing/Arbitraries.ts"
import { percent, won } from "../src/testing/Fixtures.ts"
import { wonMax } from "../src/Won.ts"
import { law, rejected, succeeded } from "./Laws.ts"

describe("Rate.fromPercent", () => {
  it("keeps one decimal and rounds the rest half up", () => {
    const cases: ReadonlyArray<[number, number]> = [
      [0, 0],
      [10, 100],
      [10.5, 105],
      [10.04, 100],
      [10.05, 101],
      [1.15, 12],
      [16.35, 164],
      [33.349999, 333],
      [0.05, 1],
      [99.94, 999],
      [100, 1_000]
    ]
    for (const [given, perMille] of cases)
      assert.strictEqual(succeeded(Rate.fromPercent(given)), perMille, `${given} %`)
  })

  it("refuses what is below 0 or rounds above 100", () => {
    const below = rejected(Rate.fromPercent(-0.1), "RateOutOfRange")
    assert.deepStrictEqual([below.percent, below.message], [-0.1, "-0.1 % is not between 0 and 100 %"])
    assert.strictEqual(rejected(Rate.fromPercent(100.05), "RateOutOfRange").percent, 100.05)
    assert.strictEqual(rejected(Rate.fromPercent(Number.NaN), "RateOutOfRange").percent, 0)
    rejected(Rate.fromPercent(Number.POSITIVE_INFINITY), "RateOutOfRange")
  })

  law("reads back every rate from its percentage", [Arbitraries.rate], (rate) => {
    assert.deepStrictEqual(Rate.fromPercent(Rate.toPercent(rate)), Result.succeed(rate))
  })

  law("answers a rate or a rejection for any number", [fc.double()], (given) => {
    const rate = Rate.fromPercent(given)
    if (Result.isSuccess(rate)) assert.isTrue(Schema.is(Rate.Rate)(rate.success))
  })
})

describe("Rate.of", () => {
  it("rounds half a won up", () => {
    assert.strictEqual(Rate.of(percent(10), won(10_000)), 1_000)
    assert.strictEqual(Rate.of(percent(10), won(15)), 2)
    assert.strictEqual(Rate.of(percent(10), won(14)), 1)
    assert.strictEqual(Rate.of(percent(0.1), won(499)), 0)
    assert.strictEqual(Rate.of(percent(0.1), won(500)), 1)
  })

  it("is exact for the largest amount", () => {
    assert.strictEqual(Rate.of(percent(100), won(wonMax)), wonMax)
    assert.strictEqual(Rate.of(percent(99.9), won(wonMax)), 99_899_999_999)
  })

  law(
    "is what exact arithmetic says",
    [Arbitraries.rate, Arbitraries.won],
    (rate, amount) => {
      const exact = (BigInt(amount) * BigInt(rate) + 500n) / 1_000n
      assert.strictEqual(BigInt(Rate.of(rate, amount)), exact)
      assert.isAtMost(Rate.of(rate, amount), amount)
    },
    1_000
  )
})
