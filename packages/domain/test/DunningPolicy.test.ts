import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import * as BusinessDate from "../src/BusinessDate.ts"
import * as DunningPolicy from "../src/DunningPolicy.ts"
import * as Arbitraries from "../src/testing/Arbitraries.ts"
import { day } from "../src/testing/Fixtures.ts"
import { law } from "./Laws.ts"

const { standard } = DunningPolicy
const start = day("2026-02-27")

describe("DunningPolicy.standard", () => {
  it("tries on days 1, 3 and 5, then cancels", () => {
    assert.deepStrictEqual([...standard.ladderDays], [1, 3, 5])
    assert.strictEqual(standard.finalAction, "cancel")
    assert.isTrue(Schema.is(DunningPolicy.DunningPolicy)(standard))
  })
})

describe("DunningPolicy", () => {
  it("refuses a ladder that is empty, too long, not rising, or has a day outside 1 to 28", () => {
    const ladders = [[], [1, 1], [3, 1], [0], [29], [1.5], Array.from({ length: 11 }, (_, index) => index + 1)]
    for (const ladderDays of ladders) {
      const decoded = Schema.decodeUnknownResult(DunningPolicy.DunningPolicy)({ ladderDays, finalAction: "cancel" })
      assert.strictEqual(decoded._tag, "Failure", JSON.stringify(ladderDays))
    }
  })
})

describe("DunningPolicy.nextRetry", () => {
  it("climbs one rung after the other, over the month's end", () => {
    assert.deepStrictEqual(DunningPolicy.nextRetry(standard, start, start), { on: day("2026-02-28"), step: 1 })
    assert.deepStrictEqual(DunningPolicy.nextRetry(standard, start, day("2026-02-28")), {
      on: day("2026-03-02"),
      step: 2
    })
    assert.deepStrictEqual(DunningPolicy.nextRetry(standard, start, day("2026-03-02")), {
      on: day("2026-03-04"),
      step: 3
    })
  })

  it("has no rung left on the last day or after it", () => {
    assert.isNull(DunningPolicy.nextRetry(standard, start, day("2026-03-04")))
    assert.isNull(DunningPolicy.nextRetry(standard, start, day("2026-03-20")))
  })

  it("leaves out the rungs that an outage passed", () => {
    assert.deepStrictEqual(DunningPolicy.nextRetry(standard, start, day("2026-03-01")), {
      on: day("2026-03-02"),
      step: 2
    })
    assert.deepStrictEqual(DunningPolicy.nextRetry(standard, start, day("2026-03-03")), {
      on: day("2026-03-04"),
      step: 3
    })
  })

  law(
    "visits every day of the ladder once, when each retry is on time",
    [Arbitraries.dunningPolicy, Arbitraries.nearDate],
    (policy, from) => {
      const visited: Array<number> = []
      let rung = DunningPolicy.nextRetry(policy, from, from)
      while (rung !== null) {
        visited.push(BusinessDate.daysUntil(from, rung.on))
        assert.strictEqual(rung.step, visited.length)
        rung = DunningPolicy.nextRetry(policy, from, rung.on)
      }
      assert.deepStrictEqual(visited, [...policy.ladderDays])
    }
  )

  law(
    "is later than the day that was declined, never after the last day",
    [Arbitraries.dunningPolicy, Arbitraries.nearDate, Arbitraries.nearDate],
    (policy, from, on) => {
      const rung = DunningPolicy.nextRetry(policy, from, on)
      if (rung === null) assert.isTrue(DunningPolicy.lastDay(policy, from) <= on)
      else assert.isTrue(rung.on > on && rung.on <= DunningPolicy.lastDay(policy, from))
    }
  )
})

describe("DunningPolicy.lastDay", () => {
  it("is the last rung", () => assert.strictEqual(DunningPolicy.lastDay(standard, start), "2026-03-04"))
})
