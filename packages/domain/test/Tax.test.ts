import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import * as fc from "fast-check"
import * as Tax from "../src/Tax.ts"
import * as Arbitraries from "../src/testing/Arbitraries.ts"
import { won } from "../src/testing/Fixtures.ts"
import * as Won from "../src/Won.ts"
import { law, rejected, succeeded } from "./Laws.ts"

const amounts = (total: number, taxFree = 0): Tax.Amounts => ({ total: won(total), taxFree: won(taxFree) })
const nothing = amounts(0)
const plus = (one: Tax.Amounts, other: Tax.Amounts): Tax.Amounts =>
  amounts(one.total + other.total, one.taxFree + other.taxFree)

describe("Tax.split", () => {
  it("finds one eleventh of the taxable part, rounded half up", () => {
    assert.deepStrictEqual(
      { ...succeeded(Tax.split(amounts(1_100_000))) },
      { total: won(1_100_000), taxable: won(1_100_000), vat: won(100_000), taxFree: won(0) }
    )
    assert.deepStrictEqual(
      { ...succeeded(Tax.split(amounts(10_000, 4_000))) },
      { total: won(10_000), taxable: won(6_000), vat: won(545), taxFree: won(4_000) }
    )
    assert.deepStrictEqual([Tax.allTaxable(won(5)).vat, Tax.allTaxable(won(6)).vat], [won(0), won(1)])
  })

  it("of an amount that is free of tax has none", () => {
    assert.strictEqual(succeeded(Tax.split(amounts(Won.wonMax, Won.wonMax))).vat, 0)
  })

  it("refuses more that is free of tax than there is", () => {
    const denial = rejected(Tax.split(amounts(1_000, 1_001)), "TaxFreeExceedsTotal")
    assert.deepStrictEqual([denial.total, denial.taxFree], [won(1_000), won(1_001)])
    assert.strictEqual(denial.message, "1001 won of 1000 won cannot be free of tax")
  })

  law("has parts that make up the whole", [Arbitraries.taxAmounts], (given) => {
    const split = succeeded(Tax.split(given))
    assert.strictEqual(split.taxable + split.taxFree, given.total)
    assert.strictEqual(split.vat, Won.vatOf(split.taxable))
    assert.strictEqual(Tax.supplyOf(split) + split.vat, split.taxable)
    assert.isTrue(Schema.is(Won.Won)(Tax.supplyOf(split)))
  })

  law("of an amount without a tax-free part is all taxable", [Arbitraries.won], (total) => {
    assert.deepStrictEqual(Tax.allTaxable(total), succeeded(Tax.split(amounts(total))))
  })
})

describe("Tax.Split", () => {
  it("refuses numbers that do not belong together", () => {
    const decode = Schema.decodeUnknownResult(Tax.Split)
    const right = { total: 10_000, taxable: 6_000, vat: 545, taxFree: 4_000 }
    assert.strictEqual(decode(right)._tag, "Success")
    for (const wrong of [{ total: 10_001 }, { taxable: 5_999 }, { vat: 6_001 }, { vat: -1 }, { taxFree: 3_999 }]) {
      assert.strictEqual(decode({ ...right, ...wrong })._tag, "Failure", JSON.stringify(wrong))
    }
  })
})

describe("Tax.refundOf", () => {
  it("gives the tax of everything given back so far, less that of before", () => {
    // Each sixteen won for themselves would have a tax of 1; together they have 3.
    const approved = amounts(32)
    const first = succeeded(Tax.refundOf(approved, nothing, amounts(16)))
    const second = succeeded(Tax.refundOf(approved, amounts(16), amounts(16)))
    assert.deepStrictEqual([first.vat, second.vat], [won(1), won(2)])
    assert.strictEqual(first.vat + second.vat, succeeded(Tax.split(approved)).vat)
  })

  it("has no tax in what is free of tax", () => {
    const refund = succeeded(Tax.refundOf(amounts(10_000, 4_000), amounts(6_000), amounts(4_000, 4_000)))
    assert.deepStrictEqual([refund.vat, refund.taxable, refund.taxFree], [won(0), won(0), won(4_000)])
  })

  it("refuses more than the rest, in total and of each part", () => {
    const approved = amounts(10_000, 4_000)
    const ask = (refunded: Tax.Amounts, next: Tax.Amounts) =>
      rejected(Tax.refundOf(approved, refunded, next), "TaxRestExceeded")
    const total = ask(amounts(9_000, 4_000), amounts(1_001))
    assert.deepStrictEqual([total.part, total.asked, total.rest], ["total", won(1_001), won(1_000)])
    assert.strictEqual(total.message, "1001 won were asked back of the total part, of which 1000 won are left")
    const taxFree = ask(amounts(3_000, 3_000), amounts(1_001, 1_001))
    assert.deepStrictEqual([taxFree.part, taxFree.asked, taxFree.rest], ["taxFree", won(1_001), won(1_000)])
    const taxable = ask(amounts(5_000), amounts(1_500))
    assert.deepStrictEqual([taxable.part, taxable.asked, taxable.rest], ["taxable", won(1_500), won(1_000)])
  })

  it("has nothing left where more was given back than approved", () => {
    const denial = rejected(Tax.refundOf(amounts(100), amounts(200), amounts(1)), "TaxRestExceeded")
    assert.deepStrictEqual([denial.part, denial.rest], ["total", won(0)])
  })

  it("refuses parts that are larger than their whole, wherever they stand", () => {
    const wrong = amounts(100, 101)
    rejected(Tax.refundOf(wrong, nothing, nothing), "TaxFreeExceedsTotal")
    rejected(Tax.refundOf(amounts(1_000, 500), wrong, nothing), "TaxFreeExceedsTotal")
    rejected(Tax.refundOf(amounts(1_000, 500), nothing, wrong), "TaxFreeExceedsTotal")
  })

  /** A payment, and refunds that may be asked of it one after the other. */
  const refunds = fc.array(Arbitraries.taxAmounts, { maxLength: 8 })
  const small = fc.tuple(fc.nat(60), fc.nat(60)).map(([taxable, taxFree]) => amounts(taxable + taxFree, taxFree))

  /** Gives back what it can of what is asked, then the rest; answers the splits. */
  const giveBack = (approved: Tax.Amounts, asked: ReadonlyArray<Tax.Amounts>): ReadonlyArray<Tax.Split> => {
    let refunded = nothing
    const given: Array<Tax.Split> = []
    for (const next of asked) {
      const split = Tax.refundOf(approved, refunded, next)
      if (Result.isFailure(split)) continue
      given.push(split.success)
      refunded = plus(refunded, next)
    }
    const rest = amounts(approved.total - refunded.total, approved.taxFree - refunded.taxFree)
    return [...given, succeeded(Tax.refundOf(approved, refunded, rest))]
  }

  const vatOf = (splits: ReadonlyArray<Tax.Split>): number => splits.reduce((sum, { vat }) => sum + vat, 0)

  for (const [size, payment] of [
    ["any", Arbitraries.taxAmounts],
    ["small", small]
  ] as const) {
    law(
      `of all parts of ${size} payment adds up to its tax exactly`,
      [payment, size === "any" ? refunds : fc.array(small, { maxLength: 20 })],
      (approved, asked) => {
        assert.strictEqual(vatOf(giveBack(approved, asked)), succeeded(Tax.split(approved)).vat)
      },
      1_000
    )
  }

  law("is never below zero and never above what is left", [small, fc.array(small)], (approved, asked) => {
    let left = Number(succeeded(Tax.split(approved)).vat)
    for (const split of giveBack(approved, asked)) {
      assert.isAtLeast(split.vat, 0)
      assert.isAtMost(split.vat, split.taxable)
      assert.isAtMost(split.vat, left)
      left -= split.vat
    }
  })

  law(
    "adds up to the same whatever the order of the refunds",
    [
      fc
        .array(small, { minLength: 1, maxLength: 8 })
        .chain((parts) => fc.tuple(fc.constant(parts), fc.shuffledSubarray(parts, { minLength: parts.length })))
    ],
    ([parts, shuffled]) => {
      const approved = plus(parts.reduce(plus, nothing), amounts(7, 3))
      assert.strictEqual(vatOf(giveBack(approved, shuffled)), vatOf(giveBack(approved, parts)))
      const upTo = (asked: ReadonlyArray<Tax.Amounts>) => vatOf(giveBack(approved, asked).slice(0, -1))
      assert.strictEqual(upTo(shuffled), upTo(parts))
    }
  )

  law("of everything at once is the split of the payment", [Arbitraries.taxAmounts], (approved) => {
    assert.deepStrictEqual(succeeded(Tax.refundOf(approved, nothing, approved)), succeeded(Tax.split(approved)))
  })

  law(
    "of any amounts at all is a split or a rejection",
    [Arbitraries.won, Arbitraries.won, Arbitraries.won, Arbitraries.won, Arbitraries.won, Arbitraries.won],
    (a, b, c, d, e, f) => {
      const split = Tax.refundOf({ total: a, taxFree: b }, { total: c, taxFree: d }, { total: e, taxFree: f })
      if (Result.isSuccess(split)) assert.isTrue(Schema.is(Tax.Split)(split.success))
    }
  )
})
