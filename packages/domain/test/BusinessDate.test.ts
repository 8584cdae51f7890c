import { assert, describe, it } from "@effect/vitest"
import { DateTime, Result, Schema } from "effect"
import * as fc from "fast-check"
import * as BusinessDate from "../src/BusinessDate.ts"
import * as Arbitraries from "../src/testing/Arbitraries.ts"
import { day } from "../src/testing/Fixtures.ts"
import { law, rejected } from "./Laws.ts"

const at = (text: string) => DateTime.makeUnsafe(text)
const { businessDate } = Arbitraries
const millisPerDay = 86_400_000

describe("BusinessDate", () => {
  it("knows leap days", () => {
    for (const text of ["2024-02-29", "2000-02-29", "2028-02-29"])
      assert.deepStrictEqual(BusinessDate.parse(text), Result.succeed(day(text)))
    for (const text of ["2023-02-29", "2100-02-29", "2026-02-29"])
      rejected(BusinessDate.parse(text), "BusinessDateOutOfRange")
  })

  it("refuses what names no day, or no day in range", () => {
    for (const text of [
      "2026-00-10",
      "2026-13-01",
      "2026-04-31",
      "2026-1-1",
      "2026-01-01T00:00",
      " 2026-01-01",
      "",
      "1999-12-31",
      "2200-01-01",
      "٢٠٢٦-٠١-٠١"
    ]) {
      assert.strictEqual(rejected(BusinessDate.parse(text), "BusinessDateOutOfRange").date, text)
      assert.isFalse(Schema.is(BusinessDate.BusinessDate)(text))
    }
  })

  it("does not repeat a long text in its rejection", () => {
    const rejection = rejected(BusinessDate.parse("9".repeat(1_000)), "BusinessDateOutOfRange")
    assert.strictEqual(rejection.date.length, 40)
    assert.include(rejection.message, "is not between 2000-01-01 and 2199-12-31")
  })

  law(
    "is the day that the calendar of the language names",
    [businessDate],
    (date) => {
      assert.strictEqual(new Date(`${date}T00:00:00Z`).toISOString().slice(0, 10), date)
      assert.deepStrictEqual(BusinessDate.parse(date), Result.succeed(date))
    },
    1_000
  )
})

describe("BusinessDate.fromInstant", () => {
  it("begins a day at 15:00 UTC of the day before", () => {
    assert.strictEqual(BusinessDate.fromInstant(at("2026-02-13T14:59:59.999Z")), "2026-02-13")
    assert.strictEqual(BusinessDate.fromInstant(at("2026-02-13T15:00:00.000Z")), "2026-02-14")
  })

  it("crosses the year and the leap day at 15:00 UTC", () => {
    assert.strictEqual(BusinessDate.fromInstant(at("2025-12-31T14:59:59.999Z")), "2025-12-31")
    assert.strictEqual(BusinessDate.fromInstant(at("2025-12-31T15:00:00.000Z")), "2026-01-01")
    assert.strictEqual(BusinessDate.fromInstant(at("2024-02-28T15:00:00.000Z")), "2024-02-29")
    assert.strictEqual(BusinessDate.fromInstant(at("2024-02-29T15:00:00.000Z")), "2024-03-01")
  })

  it("answers the nearest date that can be named for an instant beyond", () => {
    assert.strictEqual(BusinessDate.fromInstant(at("1969-12-31T23:59:59Z")), BusinessDate.dateMin)
    assert.strictEqual(BusinessDate.fromInstant(DateTime.makeUnsafe(-8.64e15)), BusinessDate.dateMin)
    assert.strictEqual(BusinessDate.fromInstant(at("2199-12-31T15:00:00Z")), BusinessDate.dateMax)
    assert.strictEqual(BusinessDate.fromInstant(DateTime.makeUnsafe(8.64e15)), BusinessDate.dateMax)
  })

  law(
    "F35: agrees with a clock set to Korea",
    [Arbitraries.instant],
    (instant) => {
      const shifted = new Date(instant.epochMilliseconds + 9 * 3_600_000).toISOString()
      assert.strictEqual(BusinessDate.fromInstant(instant), shifted.slice(0, 10))
      assert.strictEqual(
        BusinessDate.minuteOfDay(instant),
        Number(shifted.slice(11, 13)) * 60 + Number(shifted.slice(14, 16))
      )
    },
    1_000
  )

  law("is a date for every instant there is", [fc.integer({ min: -8.64e15, max: 8.64e15 })], (millis) => {
    assert.isTrue(Schema.is(BusinessDate.BusinessDate)(BusinessDate.fromInstant(DateTime.makeUnsafe(millis))))
  })
})

describe("BusinessDate.instantAt", () => {
  law("finds its date and minute again", [businessDate, fc.integer({ min: 0, max: 1_439 })], (date, minutes) => {
    const instant = BusinessDate.instantAt(date, minutes)
    assert.strictEqual(BusinessDate.fromInstant(instant), date)
    assert.strictEqual(BusinessDate.minuteOfDay(instant), minutes)
  })

  it("is midnight in Korea unless told otherwise", () => {
    assert.strictEqual(DateTime.formatIso(BusinessDate.instantAt(day("2026-01-01"))), "2025-12-31T15:00:00.000Z")
  })
})

describe("BusinessDate.minuteOfDay", () => {
  it("counts on from midnight before 1970 too", () => {
    assert.strictEqual(BusinessDate.minuteOfDay(DateTime.makeUnsafe(-9 * 3_600_000 - 1)), 1_439)
    assert.strictEqual(BusinessDate.minuteOfDay(DateTime.makeUnsafe(-9 * 3_600_000)), 0)
  })
})

describe("BusinessDate.addDays", () => {
  it("crosses leap days, centuries and year ends", () => {
    assert.strictEqual(BusinessDate.addDays(day("2024-02-28"), 1), "2024-02-29")
    assert.strictEqual(BusinessDate.addDays(day("2024-02-29"), 365), "2025-02-28")
    assert.strictEqual(BusinessDate.addDays(day("2100-02-28"), 1), "2100-03-01")
    assert.strictEqual(BusinessDate.addDays(day("2025-12-31"), 1), "2026-01-01")
    assert.strictEqual(BusinessDate.addDays(day("2026-01-01"), -1), "2025-12-31")
  })

  it("stops at the first and the last date that can be named", () => {
    assert.strictEqual(BusinessDate.addDays(day("2199-12-30"), 5), BusinessDate.dateMax)
    assert.strictEqual(BusinessDate.addDays(day("2000-01-02"), -5), BusinessDate.dateMin)
  })

  law(
    "is undone by going back, where it stays in range",
    [businessDate, fc.integer({ min: -500, max: 500 })],
    (date, days) => {
      const moved = BusinessDate.addDays(date, days)
      if (moved === BusinessDate.dateMin || moved === BusinessDate.dateMax) return
      assert.strictEqual(BusinessDate.daysUntil(date, moved), days)
      assert.strictEqual(BusinessDate.addDays(moved, -days), date)
      assert.strictEqual(
        BusinessDate.instantAt(moved).epochMilliseconds - BusinessDate.instantAt(date).epochMilliseconds,
        days * millisPerDay
      )
    },
    1_000
  )

  law("orders dates as their text does", [businessDate, businessDate], (one, other) => {
    assert.strictEqual(one < other, BusinessDate.daysUntil(one, other) > 0)
    assert.strictEqual(BusinessDate.max(one, other), one < other ? other : one)
    assert.strictEqual(BusinessDate.daysUntil(one, other) + BusinessDate.daysUntil(other, one), 0)
  })
})

describe("BusinessDate.firstOfMonth", () => {
  it("is the first day of the same month", () => {
    assert.strictEqual(BusinessDate.firstOfMonth(day("2026-12-31")), "2026-12-01")
    assert.strictEqual(BusinessDate.firstOfMonth(day("2026-02-01")), "2026-02-01")
  })
})

describe("BusinessDate.firstOfNextMonth", () => {
  it("crosses the year end and February", () => {
    assert.strictEqual(BusinessDate.firstOfNextMonth(day("2026-12-31")), "2027-01-01")
    assert.strictEqual(BusinessDate.firstOfNextMonth(day("2026-02-01")), "2026-03-01")
    assert.strictEqual(BusinessDate.firstOfNextMonth(day("2199-12-01")), BusinessDate.dateMax)
  })

  law("is the first, later, and at most 31 days away", [businessDate], (date) => {
    if (date >= "2199-12-01") return
    const first = BusinessDate.firstOfNextMonth(date)
    assert.strictEqual(first.slice(8), "01")
    assert.isTrue(first > date && BusinessDate.daysUntil(date, first) <= 31)
  })
})

describe("a date", () => {
  it("is a day that its month has", () => {
    const isDate = Schema.is(BusinessDate.BusinessDate)
    for (const text of [
      "2026-01-00",
      "2026-04-31",
      "2026-06-31",
      "2026-09-31",
      "2026-11-31",
      "2026-02-29",
      "2100-02-29"
    ]) {
      assert.isFalse(isDate(text), text)
    }
    for (const text of ["2026-01-31", "2026-04-30", "2026-12-31", "2028-02-29", "2000-02-29"])
      assert.isTrue(isDate(text), text)
  })

  it("may be the leap day that ends four hundred years", () => {
    assert.strictEqual(BusinessDate.addDays(BusinessDate.BusinessDate.make("2000-02-28"), 1), "2000-02-29")
    assert.strictEqual(BusinessDate.addDays(BusinessDate.BusinessDate.make("2000-02-29"), 1), "2000-03-01")
  })
})
