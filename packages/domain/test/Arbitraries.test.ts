import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import * as fc from "fast-check"
import { BusinessDate } from "../src/BusinessDate.ts"
import { CategoryName } from "../src/Category.ts"
import * as DeclineReason from "../src/DeclineReason.ts"
import { DeliveryPeriod } from "../src/DeliveryPeriod.ts"
import { DisplayName } from "../src/DisplayName.ts"
import { DunningPolicy } from "../src/DunningPolicy.ts"
import { Email } from "../src/Email.ts"
import * as Ids from "../src/Ids.ts"
import { Price } from "../src/Item.ts"
import { Password } from "../src/Password.ts"
import { Phone } from "../src/Phone.ts"
import * as Provider from "../src/Provider.ts"
import { Quantity } from "../src/Quantity.ts"
import { Rate } from "../src/Rate.ts"
import { Rating, RatingChange, RatingSum } from "../src/Rating.ts"
import { Address, Receiver } from "../src/Receiver.ts"
import { ReviewContent } from "../src/ReviewContent.ts"
import { Split } from "../src/Tax.ts"
import * as Arbitraries from "../src/testing/Arbitraries.ts"
import { anyOrderId } from "../src/testing/Fixtures.ts"
import { Won } from "../src/Won.ts"
import { law } from "./Laws.ts"

/** What the tests need to know of a kind of value. */
interface Kind {
  readonly schema: Schema.Codec<unknown, unknown>
  readonly arbitrary: fc.Arbitrary<unknown>
  /** Encoded values that are almost one of the kind. */
  readonly nearMisses: ReadonlyArray<unknown>
}

const { eventIdLengthMax, EventId, ...uuids } = { ...Ids }
const wordSchemas = { ...Provider }
const uuidMisses = ["", anyOrderId().slice(1), `${anyOrderId()}0`, anyOrderId().replaceAll("-", ""), 1, null]

const { ids, providerWords } = Arbitraries
const address = { city: "서울", detail: "1" }

const kinds: Readonly<Record<string, Kind>> = {
  ...Object.fromEntries(
    Object.entries(uuids).map(([name, schema]) => [
      name,
      { schema, arbitrary: ids[name as keyof typeof uuids], nearMisses: uuidMisses }
    ])
  ),
  EventId: { schema: EventId, arbitrary: ids.EventId, nearMisses: ["", "x".repeat(eventIdLengthMax + 1), 1] },
  ...Object.fromEntries(
    Object.entries(providerWords).map(([name, arbitrary]) => [
      name,
      { schema: wordSchemas[name as keyof typeof providerWords], arbitrary, nearMisses: ["", "x".repeat(201), 1] }
    ])
  ),
  Won: { schema: Won, arbitrary: Arbitraries.won, nearMisses: [-1, 0.5, 100_000_000_000, "1", null] },
  "Won of a unit": { schema: Won, arbitrary: Arbitraries.unitPrice, nearMisses: [] },
  Rate: { schema: Rate, arbitrary: Arbitraries.rate, nearMisses: [-1, 1_001, 10.5, "10"] },
  Quantity: { schema: Quantity, arbitrary: Arbitraries.quantity, nearMisses: [0, 1_000, 1.5, "1"] },
  DeliveryPeriod: { schema: DeliveryPeriod, arbitrary: Arbitraries.period, nearMisses: [29, 366, 30.5] },
  BusinessDate: {
    schema: BusinessDate,
    arbitrary: Arbitraries.businessDate,
    nearMisses: ["2026-02-29", "2026-2-1", "1999-12-31", "2200-01-01", "2026-01-15T00:00", ""]
  },
  "BusinessDate nearby": { schema: BusinessDate, arbitrary: Arbitraries.nearDate, nearMisses: [] },
  "an instant": {
    schema: Schema.DateTimeUtc,
    arbitrary: Arbitraries.instant,
    nearMisses: [null, "2026-01-15", 1_768_438_800_000]
  },
  "an instant soon": { schema: Schema.DateTimeUtc, arbitrary: Arbitraries.soon, nearMisses: [] },
  Email: {
    schema: Email,
    arbitrary: Arbitraries.email,
    nearMisses: [
      "minji@example",
      "@example.com",
      "minji@",
      "Minji@example.com",
      " minji@example.com",
      "a b@example.com"
    ]
  },
  Phone: { schema: Phone, arbitrary: Arbitraries.phone, nearMisses: ["010-1234-567", "02-123-4567", "010 1234 5678"] },
  Password: { schema: Password, arbitrary: Arbitraries.password, nearMisses: ["secret1", "secret-word", "12345-678"] },
  DisplayName: {
    schema: DisplayName,
    arbitrary: Arbitraries.displayName,
    nearMisses: ["", " 민지", "민  지", "x".repeat(21), "민지".normalize("NFD"), "민\u200B지"]
  },
  "a real name": {
    schema: Receiver.fields.realName,
    arbitrary: Arbitraries.realName,
    nearMisses: ["", " ", "x".repeat(51)]
  },
  Address: {
    schema: Address,
    arbitrary: Arbitraries.address,
    nearMisses: [{ ...address, city: " " }, { ...address, detail: "x".repeat(201) }, { city: "서울" }]
  },
  Receiver: {
    schema: Receiver,
    arbitrary: Arbitraries.receiver,
    nearMisses: [
      { realName: "", phone: "010-1234-5678", address },
      { realName: "김민지", phone: "1234-5678", address },
      { realName: "김민지", phone: "010-1234-5678" }
    ]
  },
  CategoryName: { schema: CategoryName, arbitrary: Arbitraries.category, nearMisses: ["", "eye", "HEART"] },
  Price: {
    schema: Price,
    arbitrary: Arbitraries.price,
    nearMisses: [{ origin: 10_000, rate: 100, discount: 999, real: 9_001 }]
  },
  DeclineReason: {
    schema: DeclineReason.DeclineReason,
    arbitrary: Arbitraries.declineReason,
    nearMisses: [
      { _tag: "Soft", kind: "CardUnusable", code: "", message: "" },
      { _tag: "Hard", kind: "CardUnusable", code: "x".repeat(101), message: "" },
      { _tag: "Blocked", kind: "MonthlyUsesExceeded", code: "", message: "x".repeat(501) },
      { _tag: "Firm", kind: "Refused", code: "", message: "" }
    ]
  },
  DunningPolicy: {
    schema: DunningPolicy,
    arbitrary: Arbitraries.dunningPolicy,
    nearMisses: [
      { ladderDays: [], finalAction: "cancel" },
      { ladderDays: [1, 1], finalAction: "cancel" },
      { ladderDays: [3, 1], finalAction: "cancel" },
      { ladderDays: [1], finalAction: "stop" }
    ]
  },
  "Tax.Split": {
    schema: Split,
    arbitrary: Arbitraries.taxSplit,
    nearMisses: [
      { total: 11, taxable: 10, vat: 1, taxFree: 0 },
      { total: 11, taxable: 11, vat: 12, taxFree: 0 }
    ]
  },
  Rating: { schema: Rating, arbitrary: Arbitraries.rating, nearMisses: [0, 6, 4.5, "5"] },
  RatingSum: {
    schema: RatingSum,
    arbitrary: Arbitraries.ratingSum,
    nearMisses: [
      { sum: 1, count: 0 },
      { sum: 6, count: 1 },
      { sum: 0, count: 1 },
      { sum: -1, count: -1 }
    ]
  },
  RatingChange: {
    schema: RatingChange,
    arbitrary: Arbitraries.ratingChange,
    nearMisses: [
      { _tag: "Added", stars: 0 },
      { _tag: "Replaced", stars: 1 },
      { _tag: "Removed", stars: 1 }
    ]
  },
  ReviewContent: {
    schema: ReviewContent,
    arbitrary: Arbitraries.reviewContent,
    nearMisses: ["", " 굿", "굿\r\n굿", "눈".normalize("NFD"), "x".repeat(1_001), "굿\u0000"]
  }
}

describe("the schema of each value", () => {
  for (const [name, { arbitrary, schema }] of Object.entries(kinds)) {
    law(`accepts whatever its arbitrary makes: ${name}`, [arbitrary], (value) =>
      assert.isTrue(Schema.is(schema)(value))
    )
  }

  it("refuses what is almost one", () => {
    for (const [name, { nearMisses, schema }] of Object.entries(kinds)) {
      const codec = Schema.toCodecJson(schema)
      for (const value of nearMisses) {
        assert.isFalse(Schema.is(schema)(value), `${name}: ${JSON.stringify(value)}`)
        if (name.startsWith("an instant")) continue
        const decoded = Schema.decodeUnknownResult(codec)(value)
        assert.strictEqual(decoded._tag, "Failure", `${name}: ${JSON.stringify(value)}`)
      }
    }
  })
})

describe("an arbitrary", () => {
  it("of a decline makes every kind, and text of every length", () => {
    const reasons = fc.sample(Arbitraries.declineReason, { seed: 1, numRuns: 500 })
    assert.strictEqual(new Set(reasons.map(({ kind }) => kind)).size, 7)
    assert.isTrue(reasons.some(({ code }) => code === ""))
    assert.isTrue(reasons.some(({ code }) => code.length === DeclineReason.codeLengthMax))
    assert.isTrue(reasons.some(({ message }) => message.length === DeclineReason.messageLengthMax))
  })

  it("shrinks to something small", () => {
    const smallest = <A>(arbitrary: fc.Arbitrary<A>, isLarge: (value: A) => boolean): A | undefined =>
      fc.check(
        fc.property(arbitrary, (value) => !isLarge(value)),
        { seed: 1, numRuns: 1_000 }
      ).counterexample?.[0]
    assert.strictEqual(
      smallest(Arbitraries.won, (amount) => amount >= 1_000),
      1_000
    )
    assert.strictEqual(
      smallest(Arbitraries.rating, (count) => count >= 3),
      3
    )
    assert.strictEqual(
      smallest(ids.OrderId, () => true),
      anyOrderId(0)
    )
    const all = () => true
    assert.strictEqual(smallest(Arbitraries.reviewContent, all)?.length, 1)
    assert.strictEqual(smallest(Arbitraries.displayName, all)?.length, 1)
    assert.strictEqual(smallest(Arbitraries.password, all)?.length, 8)
    assert.strictEqual(smallest(Arbitraries.taxSplit, ({ vat }) => vat > 0)?.total, 6)
  })
})
