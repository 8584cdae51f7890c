import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import * as fc from "fast-check"
import * as Category from "../src/Category.ts"
import * as Item from "../src/Item.ts"
import * as Rating from "../src/Rating.ts"
import * as Arbitraries from "../src/testing/Arbitraries.ts"
import { item, percent, stars, won } from "../src/testing/Fixtures.ts"
import { wonMax } from "../src/Won.ts"
import { law, rejected, succeeded } from "./Laws.ts"

describe("Category.classify", () => {
  it("recognises every category by each of its words", () => {
    const cases: ReadonlyArray<[string, Category.CategoryName]> = [
      ["눈 건강에 도움", "EYE"],
      ["뼈의 형성과 유지", "BONE"],
      ["골다공증 발생 위험 감소", "BONE"],
      ["두뇌 영양", "BRAIN"],
      ["배변활동 원활", "INTESTINE"],
      ["장 건강", "INTESTINE"],
      ["유산균 증식", "INTESTINE"],
      ["간 건강", "LIVER"],
      ["피부 보습", "SKIN"],
      ["항산화에 도움", "ANTIOXIDANT"],
      ["피로 개선", "FATIGUE"],
      ["혈액순환에 도움", "FATIGUE"],
      ["기타", "ETC"]
    ]
    for (const [text, name] of cases) assert.deepStrictEqual([...Category.classify(text)], [name], text)
  })

  it("knows each category by these words and no others", () => {
    assert.deepStrictEqual(
      { ...Category.keywords },
      {
        EYE: ["눈"],
        BONE: ["뼈", "골다공증"],
        BRAIN: ["두뇌"],
        INTESTINE: ["배변", "장", "유산균"],
        LIVER: ["간"],
        SKIN: ["피부"],
        ANTIOXIDANT: ["항산화"],
        FATIGUE: ["피로", "혈액순환"],
        ETC: ["기타"]
      }
    )
  })

  it("finds a word inside another", () => {
    assert.deepStrictEqual([...Category.classify("위장 건강, 야간 시력")], ["INTESTINE", "LIVER"])
  })

  it("names every category a text speaks of, in one order and each once", () => {
    assert.deepStrictEqual(
      [...Category.classify("항산화, 피로 개선, 눈 건강, 눈의 피로도")],
      ["EYE", "ANTIOXIDANT", "FATIGUE"]
    )
  })

  it("calls what speaks of none ETC", () => {
    assert.deepStrictEqual([...Category.classify("면역력 증진에 도움을 줄 수 있음")], ["ETC"])
    assert.deepStrictEqual([...Category.classify("")], ["ETC"])
  })

  it("reads decomposed Korean as composed", () => {
    for (const [name, words] of Object.entries(Category.keywords)) {
      for (const word of words) assert.deepStrictEqual([...Category.classify(word.normalize("NFD"))], [name], word)
    }
  })

  law(
    "finds each category whose word is anywhere in a text",
    [fc.subarray([...Category.CategoryName.literals], { minLength: 1 }), fc.constantFrom("", "에 도움", " · ")],
    (names, between) => {
      const text = names.map((name) => Category.keywords[name][0]).join(between)
      assert.deepStrictEqual([...Category.classify(text)], names)
    }
  )

  law("is never empty", [fc.string({ unit: "grapheme" })], (text) => assert.isAbove(Category.classify(text).length, 0))
})

describe("Item.priceOf", () => {
  it("rounds the discount half up", () => {
    assert.deepStrictEqual(
      { ...Item.priceOf(won(10_000), percent(10)) },
      { origin: won(10_000), rate: percent(10), discount: won(1_000), real: won(9_000) }
    )
    assert.deepStrictEqual(
      [Item.priceOf(won(9_999), percent(10.5)).discount, Item.priceOf(won(5), percent(10)).discount],
      [won(1_050), won(1)]
    )
  })

  it("gives away at 100 % and takes nothing off at 0 %", () => {
    assert.strictEqual(Item.priceOf(won(wonMax), percent(100)).real, 0)
    assert.strictEqual(Item.priceOf(won(wonMax), percent(0)).real, wonMax)
  })

  law(
    "splits the origin price into discount and real price",
    [Arbitraries.price],
    (price) => {
      assert.strictEqual(price.discount + price.real, price.origin)
    },
    1_000
  )

  law("never rises with the rate", [Arbitraries.won, Arbitraries.rate, Arbitraries.rate], (origin, one, other) => {
    const [low, high] = one < other ? [one, other] : [other, one]
    assert.isAtLeast(Item.priceOf(origin, low).real, Item.priceOf(origin, high).real)
  })
})

describe("Item.priceFromPercent", () => {
  const price = (origin: number, off: number) => {
    const { discount, rate, real } = succeeded(Item.priceFromPercent(origin, off))
    return [Number(rate), Number(discount), Number(real)]
  }

  it("keeps one decimal of the percentage, and rounds it and the discount half up", () => {
    assert.deepStrictEqual(price(10_000, 10), [100, 1_000, 9_000])
    assert.deepStrictEqual(price(9_999, 10.5), [105, 1_050, 8_949])
    assert.deepStrictEqual(price(10_000, 10.05), [101, 1_010, 8_990])
    assert.deepStrictEqual(price(10_000, 10.04), [100, 1_000, 9_000])
    assert.deepStrictEqual(price(15, 10), [100, 2, 13])
    assert.deepStrictEqual(price(0, 50), [500, 0, 0])
    assert.deepStrictEqual(price(33_000, 0), [0, 0, 33_000])
    assert.deepStrictEqual(price(33_000, 100), [1_000, 33_000, 0])
  })

  it("refuses a negative price, parts of a won, a discount below nothing and one above all", () => {
    for (const origin of [-1, 0.5, Number.NaN, wonMax + 1]) {
      rejected(Item.priceFromPercent(origin, 10), "WonOutOfRange")
    }
    for (const off of [-10, -0.01, 100.05, 101, Number.NaN]) {
      rejected(Item.priceFromPercent(10_000, off), "RateOutOfRange")
    }
  })

  law(
    "answers real = origin − discount, neither below zero, with the discount rounded half up",
    [Arbitraries.won, fc.integer({ min: 0, max: 1_000 })],
    (origin, perMille) => {
      const { discount, real } = succeeded(Item.priceFromPercent(origin, perMille / 10))
      assert.strictEqual(BigInt(discount), (BigInt(origin) * BigInt(perMille) * 2n + 1_000n) / 2_000n)
      assert.strictEqual(real, origin - discount)
      assert.isAtLeast(real, 0)
    },
    1_000
  )

  law(
    "answers a price or a rejection for any numbers",
    [fc.oneof(fc.double(), Arbitraries.won), fc.oneof(fc.double(), fc.double({ min: -1, max: 101, noNaN: true }))],
    (origin, off) => {
      const made = Item.priceFromPercent(origin, off)
      if (Result.isSuccess(made)) assert.isTrue(Schema.is(Item.Price)(made.success))
    }
  )
})

describe("Item.Price", () => {
  it("refuses numbers that do not belong together", () => {
    const decode = Schema.decodeUnknownResult(Item.Price)
    assert.strictEqual(decode({ origin: 10_000, rate: 100, discount: 1_000, real: 9_000 })._tag, "Success")
    for (const wrong of [
      { discount: 999 },
      { real: 9_001 },
      { discount: 999, real: 9_001 },
      { rate: 1_001 },
      { origin: -1 }
    ]) {
      assert.strictEqual(decode({ origin: 10_000, rate: 100, discount: 1_000, real: 9_000, ...wrong })._tag, "Failure")
    }
    assert.throws(() => new Item.Price({ origin: won(10), rate: percent(10), discount: won(2), real: won(8) }))
  })
})

describe("Item", () => {
  it("begins with the categories of its main function, unseen, unsold and unrated", () => {
    const created = item({ mainFunction: "뼈 건강과 항산화" })
    assert.deepStrictEqual([...created.categories], ["BONE", "ANTIOXIDANT"])
    assert.deepStrictEqual({ ...created.statistics }, { views: 0, sales: 0, ratingSum: 0, ratingCount: 0 })
    assert.strictEqual(Item.averageRating(created), 0)
  })

  it("is on sale exactly with a discount rate", () => {
    assert.isTrue(Item.isOnSale(item()))
    assert.isFalse(Item.isOnSale(Item.reprice(item(), won(10_000), percent(0))))
  })

  it("keeps all but its price when repriced, and all but its label when relabelled", () => {
    const repriced = Item.reprice(item(), won(20_000), percent(50))
    assert.deepStrictEqual([repriced.price.real, repriced.information], [won(10_000), item().information])
    const information = new Item.Information({ ...item().information, mainFunction: "간 건강" })
    const relabelled = Item.relabel(item(), information)
    assert.deepStrictEqual([[...relabelled.categories], relabelled.price], [["LIVER"], item().price])
  })

  it("averages its ratings", () => {
    const statistics = new Item.Statistics({ views: 0, sales: 0, ratingSum: 13, ratingCount: 3 })
    assert.closeTo(Item.averageRating(new Item.Item({ ...item(), statistics })), 13 / 3, 1e-9)
  })

  it("takes ratings in, changes them and takes them away, and nothing else of it changes", () => {
    const rated = succeeded(Item.rate(item(), new Rating.Added({ stars: stars(4) })))
    assert.deepStrictEqual({ ...rated.statistics }, { views: 0, sales: 0, ratingSum: 4, ratingCount: 1 })
    assert.deepStrictEqual(new Item.Item({ ...rated, statistics: item().statistics }), item())
    const better = succeeded(Item.rate(rated, new Rating.Replaced({ before: stars(4), stars: stars(5) })))
    assert.deepStrictEqual({ ...Item.ratingOf(better) }, { sum: 5, count: 1 })
    assert.deepStrictEqual(succeeded(Item.rate(better, new Rating.TakenAway({ stars: stars(5) }))), item())
  })

  it("refuses to take away a rating nobody gave", () => {
    rejected(Item.rate(item(), new Rating.TakenAway({ stars: stars(1) })), "RatingSumImpossible")
  })

  it("refuses a sum that so many ratings cannot have", () => {
    for (const [ratingSum, ratingCount] of [
      [0, 1],
      [6, 1],
      [1, 0],
      [-1, 0]
    ] as const) {
      assert.throws(() => new Item.Statistics({ views: 0, sales: 0, ratingSum, ratingCount }))
    }
  })

  it("refuses a name that is blank, too long or decomposed, and a category twice", () => {
    for (const productName of ["", "   ", "x".repeat(Item.nameLengthMax + 1), "가".normalize("NFD")]) {
      assert.throws(() => item({ productName }))
    }
    assert.strictEqual(item({ productName: "x".repeat(Item.nameLengthMax) }).information.productName.length, 200)
    assert.throws(() => new Item.Item({ ...item(), categories: ["EYE", "EYE"] }))
    assert.throws(() => new Item.Item({ ...item(), categories: [] }))
  })

  law(
    "survives being written and read",
    [Arbitraries.item],
    (self) => {
      const codec = Schema.toCodecJson(Item.Item)
      assert.deepStrictEqual(
        Schema.decodeUnknownSync(codec)(JSON.parse(JSON.stringify(Schema.encodeSync(codec)(self)))),
        self
      )
    },
    100
  )
})
