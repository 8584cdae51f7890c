import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
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

describe("BillingCalendar.isBankCheck", () => {
  const check = (text: string, window = BillingCalendar.bankCheckWindow) =>
    BillingCalendar.isBankCheck(DateTime.makeUnsafe(text), window)

  it("holds from 23:20 to 00:45 in Korea", () => {
    assert.deepStrictEqual(
      [
        "2026-12-23T14:19:59Z",
        "2026-12-23T14:20:00Z",
        "2026-12-23T15:00:00Z",
        "2026-12-23T15:44:59Z",
        "2026-12-23T15:45:00Z"
      ].map((text) => check(text)),
      [false, true, true, true, false]
    )
  })

  it("is never, when it ends where it begins", () => {
    assert.isFalse(check("2026-12-23T03:00:00Z", { fromMinute: 720, untilMinute: 720 }))
  })

  it("may lie within one day", () => {
    const noon = { fromMinute: 720, untilMinute: 780 }
    assert.deepStrictEqual(
      ["2026-12-23T02:59:59Z", "2026-12-23T03:00:00Z", "2026-12-23T04:00:00Z"].map((text) => check(text, noon)),
      [false, true, false]
    )
  })
})

describe("BillingCalendar.gridDateAt", () => {
  it("counts periods from the anchor, over leap days and year ends", () => {
    const anchor = day("2024-01-30")
    assert.deepStrictEqual(
      [0, 1, 2, 13].map((n) => BillingCalendar.gridDateAt(anchor, period(30), n)),
      ["2024-01-30", "2024-02-29", "2024-03-30", "2025-02-23"].map(day)
    )
  })
})

describe("BillingCalendar.isDueOn", () => {
  it("takes what has come and was not answered that day", () => {
    const due = (nextAttemptOn: string, answeredOn: string | null, on: string) =>
      BillingCalendar.isDueOn(
        { nextAttemptOn: day(nextAttemptOn), answeredOn: answeredOn === null ? null : day(answeredOn) },
        day(on)
      )
    assert.isTrue(due("2026-02-14", null, "2026-02-14"))
    assert.isTrue(due("2026-02-14", "2026-02-13", "2026-02-14"))
    assert.isTrue(due("2026-02-01", null, "2026-02-14"))
    assert.isFalse(due("2026-02-15", null, "2026-02-14"))
    assert.isFalse(due("2026-02-14", "2026-02-14", "2026-02-14"))
  })
})

describe("BillingCalendar.missedDates", () => {
  it("names the dates of the grid that passed, today included", () => {
    const missed = (on: string) => BillingCalendar.missedDates(day("2026-02-14"), period(30), day(on))
    assert.deepStrictEqual(missed("2026-03-15"), [])
    assert.deepStrictEqual(missed("2026-03-16"), [day("2026-03-16")])
    assert.deepStrictEqual(missed("2026-05-01"), [day("2026-03-16"), day("2026-04-15")])
  })

  law("is what going on leaves behind", [late], ({ gridDate, period, today }) => {
    assert.deepStrictEqual(
      BillingCalendar.missedDates(gridDate, period, today),
      BillingCalendar.nextGridDate({ gridDate, period, today, chargedOn: null }).passed
    )
  })
})

describe("BillingCalendar.resumedGridDate", () => {
  const resumed = (today: string) =>
    BillingCalendar.resumedGridDate({ gridDate: day("2026-02-14"), period: period(30), today: day(today) }).gridDate

  it("leaves nothing behind while the date lies ahead", () => {
    const options = { gridDate: day("2026-02-14"), period: period(30), today: day("2026-02-13") }
    assert.deepStrictEqual([...BillingCalendar.resumedGridDate(options).passed], [])
  })

  it("is the date of the open cycle while it lies ahead, else the next one after today", () => {
    assert.deepStrictEqual(
      ["2026-02-13", "2026-02-14", "2026-03-15", "2026-03-16"].map(resumed),
      ["2026-02-14", "2026-03-16", "2026-03-16", "2026-04-15"].map(day)
    )
  })
})

describe("BillingCalendar.attemptWithNewKeyOn", () => {
  const on = (answeredOn: string | null, dueDate = "2026-02-14") =>
    BillingCalendar.attemptWithNewKeyOn({
      dueDate: day(dueDate),
      answeredOn: answeredOn === null ? null : day(answeredOn),
      today: day("2026-02-16")
    })

  it("is today, tomorrow after a definite answer today, and never before the due date", () => {
    assert.deepStrictEqual(
      [on(null), on("2026-02-15"), on("2026-02-16"), on(null, "2026-02-20"), on("2026-02-16", "2026-02-20")],
      ["2026-02-16", "2026-02-16", "2026-02-17", "2026-02-20", "2026-02-20"].map(day)
    )
  })
})

describe("BillingCalendar.blockedUntil", () => {
  it("is the first of the next month", () => {
    assert.deepStrictEqual(
      ["2026-02-01", "2026-02-28", "2026-12-31"].map((date) => BillingCalendar.blockedUntil(day(date))),
      ["2026-03-01", "2026-03-01", "2027-01-01"].map(day)
    )
  })
})
