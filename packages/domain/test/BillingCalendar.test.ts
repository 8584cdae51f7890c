import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import * as BillingCalendar from "../src/BillingCalendar.ts"
import * as BusinessDate from "../src/BusinessDate.ts"
import * as Arbitraries from "../src/testing/Arbitraries.ts"
import { day, period } from "../src/testing/Fixtures.ts"
import { law } from "./Laws.ts"

const next = (gridDate: string, days: number, today: string, chargedOn: string | null) =>
  BillingCalendar.nextGridDate({
    gridDate: day(gridDate),
    period: period(days),
    today: day(today),
    chargedOn: chargedOn === null ? null : day(chargedOn)
  })

// A charge some days after its grid date, seen on the day of the charge or later; far from the end of the calendar.
const late = fc
  .tuple(
    fc.integer({ min: 0, max: 36_500 }),
    Arbitraries.period,
    fc.integer({ min: 0, max: 900 }),
    fc.integer({ min: 0, max: 400 }),
    fc.boolean()
  )
  .map(([start, days, lateness, wait, isCharged]) => {
    const gridDate = BusinessDate.addDays(day("2000-01-01"), start)
    const chargedOn = BusinessDate.addDays(gridDate, lateness)
    return {
      gridDate,
      period: days,
      today: BusinessDate.addDays(chargedOn, wait),
      chargedOn: isCharged ? chargedOn : null
    }
  })

describe("BillingCalendar.nextGridDate", () => {
  it("is one period later when the charge was on time", () => {
    assert.deepStrictEqual(next("2026-02-14", 30, "2026-02-14", "2026-02-14"), {
      gridDate: day("2026-03-16"),
      passed: []
    })
  })

  it("does not move by a late charge", () => {
    assert.deepStrictEqual(next("2026-02-14", 30, "2026-02-19", "2026-02-19"), {
      gridDate: day("2026-03-16"),
      passed: []
    })
  })

  it("crosses a leap day and the year end by days, not months", () => {
    assert.strictEqual(next("2024-01-31", 30, "2024-01-31", "2024-01-31").gridDate, "2024-03-01")
    assert.strictEqual(next("2025-12-15", 30, "2025-12-15", "2025-12-15").gridDate, "2026-01-14")
  })

  it("leaves half a period, rounded up, since the last charge", () => {
    // Half of 31 is 16 days: a charge 15 days before the next grid date is too near, one 16 days before is not.
    assert.strictEqual(next("2026-01-01", 31, "2026-01-16", "2026-01-16").gridDate, "2026-02-01")
    const tooNear = next("2026-01-01", 31, "2026-01-17", "2026-01-17")
    assert.deepStrictEqual(tooNear, { gridDate: day("2026-03-04"), passed: [day("2026-02-01")] })
  })

  it("does not hold half a period against a cycle that was not charged", () => {
    assert.strictEqual(next("2026-01-01", 30, "2026-01-30", null).gridDate, "2026-01-31")
  })

  it("never answers today", () => {
    assert.deepStrictEqual(next("2026-01-01", 30, "2026-01-31", null), {
      gridDate: day("2026-03-02"),
      passed: [day("2026-01-31")]
    })
  })

  it("skips what passed in an outage instead of bunching it", () => {
    assert.deepStrictEqual(next("2026-01-01", 30, "2026-04-10", "2026-04-10"), {
      gridDate: day("2026-05-01"),
      passed: [day("2026-01-31"), day("2026-03-02"), day("2026-04-01")]
    })
  })

  it("records a bounded number of passed dates, the latest ones", () => {
    const { gridDate, passed } = next("2000-01-01", 30, "2100-01-01", null)
    assert.strictEqual(passed.length, BillingCalendar.passedDatesMax)
    assert.strictEqual(BusinessDate.addDays(passed.at(-1) ?? gridDate, 30), gridDate)
  })

  it("is one period later when the owner wants the delivery before its grid date", () => {
    assert.strictEqual(next("2026-02-14", 30, "2026-01-20", "2026-01-20").gridDate, "2026-03-16")
  })

  law(
    "keeps to the grid",
    [late],
    (options) => {
      const { gridDate } = BillingCalendar.nextGridDate(options)
      assert.strictEqual(BusinessDate.daysUntil(options.gridDate, gridDate) % options.period, 0)
    },
    1_000
  )

  law(
    "is later than today, and at least half a period after a charge",
    [late],
    (options) => {
      const { gridDate } = BillingCalendar.nextGridDate(options)
      assert.isTrue(gridDate > options.today && gridDate > options.gridDate)
      if (options.chargedOn !== null) {
        assert.isAtLeast(BusinessDate.daysUntil(options.chargedOn, gridDate) * 2, options.period)
      }
    },
    1_000
  )

  law(
    "is the first such date",
    [late],
    (options) => {
      const { gridDate } = BillingCalendar.nextGridDate(options)
      const before = BusinessDate.addDays(gridDate, -options.period)
      const isTooNear =
        options.chargedOn !== null && BusinessDate.daysUntil(options.chargedOn, before) * 2 < options.period
      assert.isTrue(before <= options.gridDate || before <= options.today || isTooNear)
    },
    1_000
  )

  law("names exactly the grid dates between the two as passed", [late], (options) => {
    const { gridDate, passed } = BillingCalendar.nextGridDate(options)
    const between = BusinessDate.daysUntil(options.gridDate, gridDate) / options.period - 1
    assert.strictEqual(passed.length, between)
    passed.forEach((date, index) =>
      assert.strictEqual(BusinessDate.daysUntil(options.gridDate, date), (index + 1) * options.period)
    )
  })

  law(
    "never bunches: charges over a history of late runs are at least half a period apart",
    [Arbitraries.period, fc.array(fc.integer({ min: 0, max: 200 }), { minLength: 2, maxLength: 20 })],
    (days, lateness) => {
      let gridDate = day("2026-01-15")
      let charged: BusinessDate.BusinessDate | null = null
      for (const lateDays of lateness) {
        const chargedOn = BusinessDate.addDays(gridDate, lateDays)
        if (charged !== null) assert.isAtLeast(BusinessDate.daysUntil(charged, chargedOn) * 2, days)
        charged = chargedOn
        gridDate = BillingCalendar.nextGridDate({ gridDate, period: days, today: chargedOn, chargedOn }).gridDate
      }
    }
  )
})
