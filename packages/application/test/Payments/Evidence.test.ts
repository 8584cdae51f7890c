import { assert, describe, it } from "@effect/vitest"
import * as Evidence from "@pillivery/application/Payments/Evidence"
import { settingsDefault } from "@pillivery/application/Payments/ProtocolSettings"
import * as Attempt from "@pillivery/domain/Attempt"
import * as Fixtures from "@pillivery/domain/testing/Fixtures"
import { DateTime, Result } from "effect"

const at = (text: string) => DateTime.makeUnsafe(text)
const iso = (instant: DateTime.Utc) => DateTime.formatIso(instant)

describe("believedFrom", () => {
  it("waits twelve hours where a bank check night lies between", () => {
    // 20:00 in Korea; 01:00 comes first, twelve hours later.
    assert.strictEqual(
      iso(Evidence.believedFrom(settingsDefault, at("2026-11-23T11:00:00Z"))),
      "2026-11-23T23:00:00.000Z"
    )
  })

  it("waits past the next one o'clock at night in Korea where that is later", () => {
    // 10:00 in Korea: twelve hours end at 22:00, the night's check at 01:00.
    assert.strictEqual(
      iso(Evidence.believedFrom(settingsDefault, at("2026-11-23T01:00:00Z"))),
      "2026-11-23T16:00:00.000Z"
    )
  })

  it("takes the same night's one o'clock for a call sent after midnight", () => {
    // 00:50 in Korea: 01:00 is ten minutes away, twelve hours end at 12:50.
    assert.strictEqual(
      iso(Evidence.believedFrom(settingsDefault, at("2026-11-22T15:50:00Z"))),
      "2026-11-23T03:50:00.000Z"
    )
  })
})

describe("wasExecuted", () => {
  const key = (lastKnownApproval: DateTime.Utc | null) => ({ lastKnownApproval })
  const attempt = (baseline: DateTime.Utc | null) => ({ baseline })
  const old = at("2026-11-23T01:00:00Z")

  it("is false while the key was never approved", () => {
    assert.isFalse(Evidence.wasExecuted(settingsDefault, attempt(old), key(old), null))
  })

  it("is false for an approval that is the baseline itself, or a second of drift past it", () => {
    assert.isFalse(Evidence.wasExecuted(settingsDefault, attempt(old), key(old), old))
    assert.isFalse(Evidence.wasExecuted(settingsDefault, attempt(old), key(old), at("2026-11-23T01:00:01Z")))
  })

  it("is true for an approval two seconds past everything known, whatever our clock says", () => {
    assert.isTrue(Evidence.wasExecuted(settingsDefault, attempt(old), key(old), at("2026-11-23T01:00:02Z")))
    assert.isTrue(Evidence.wasExecuted(settingsDefault, attempt(old), key(old), at("2026-12-23T00:59:30Z")))
  })

  it("is false for an approval that another charge of the key explains", () => {
    const other = at("2026-12-23T01:00:05Z")
    assert.isFalse(Evidence.wasExecuted(settingsDefault, attempt(old), key(other), other))
  })

  it("is true for any approval of a key that had none", () => {
    assert.isTrue(Evidence.wasExecuted(settingsDefault, attempt(null), key(null), at("2026-12-23T01:00:00Z")))
  })
})

describe("mayBeJustApproved", () => {
  it("holds for a minute and some seconds after the last approval, since the provider's clock is not ours", () => {
    const last = at("2026-12-23T01:00:00Z")
    assert.isFalse(Evidence.mayBeJustApproved(settingsDefault, null, last))
    assert.isTrue(Evidence.mayBeJustApproved(settingsDefault, last, at("2026-12-23T01:01:02Z")))
    assert.isFalse(Evidence.mayBeJustApproved(settingsDefault, last, at("2026-12-23T01:01:03Z")))
  })
})

describe("nextAskAt", () => {
  const lostAt = at("2026-12-23T01:00:00Z")

  it("asks after five minutes, an hour, six hours, and then every day", () => {
    const asked = [0, 1, 2, 3, 4, 5].map((asks) => iso(Evidence.nextAskAt(settingsDefault, lostAt, asks, lostAt)))
    assert.deepStrictEqual(asked, [
      "2026-12-23T01:05:00.000Z",
      "2026-12-23T02:00:00.000Z",
      "2026-12-23T07:00:00.000Z",
      "2026-12-24T01:00:00.000Z",
      "2026-12-25T01:00:00.000Z",
      "2026-12-26T01:00:00.000Z"
    ])
  })

  it("never lies in the past", () => {
    const now = at("2026-12-30T01:00:00Z")
    assert.strictEqual(iso(Evidence.nextAskAt(settingsDefault, lostAt, 0, now)), "2026-12-30T01:05:00.000Z")
  })
})

describe("lost", () => {
  const minutesAfter = (from: DateTime.Utc, to: DateTime.Utc) =>
    (to.epochMilliseconds - from.epochMilliseconds) / 60_000

  it("begins the schedule when the answer is lost, and goes on from there each time it was asked in vain", () => {
    const sent = Fixtures.sentAttempt()
    const lostAt = at("2026-12-23T01:00:00Z")
    const first = Evidence.lost(settingsDefault, sent, lostAt, "no answer")
    assert.deepStrictEqual([first._tag, first.detail, minutesAfter(lostAt, first.nextAskAt)], ["Lost", "no answer", 5])
    const unknown = Result.getOrThrow(Attempt.loseAnswer(sent, { at: lostAt, ...first }))
    const second = Evidence.lost(settingsDefault, unknown, first.nextAskAt, "no answer")
    assert.strictEqual(minutesAfter(lostAt, second.nextAskAt), 60)
    const asked = Result.getOrThrow(Attempt.askAgain(unknown, second.nextAskAt))
    const third = Evidence.lost(settingsDefault, asked, second.nextAskAt, "no answer")
    assert.strictEqual(minutesAfter(lostAt, third.nextAskAt), 6 * 60)
  })
})
