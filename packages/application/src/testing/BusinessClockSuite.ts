/**
 * The contract of `BusinessClock`: of one that may be moved, and of one that may not.
 *
 * @since 0.1.0
 */
import { assert } from "@effect/vitest"
import { Duration, Effect } from "effect"
import { BusinessClock } from "../ports/BusinessClock.ts"
import { failsWith, law, type Law, suiteOf, type Timing } from "./Law.ts"

const millisPerDay = 86_400_000

/** The business clock between two readings of the database's. */
const reading = Effect.gen(function* () {
  const clock = yield* BusinessClock
  const before = yield* clock.databaseNow
  const offset = Duration.toMillis(yield* clock.offset)
  const now = yield* clock.now
  const after = yield* clock.databaseNow
  return { before: before.epochMilliseconds, now: now.epochMilliseconds, after: after.epochMilliseconds, offset }
})

const commonLaws = ({ leaseMillis, waitFor }: Timing): ReadonlyArray<Law<BusinessClock>> => [
  law(
    "is the database's time plus the offset",
    Effect.gen(function* () {
      const { after, before, now, offset } = yield* reading
      assert.isAtLeast(now, before + offset)
      assert.isAtMost(now, after + offset)
    })
  ),

  law(
    "tells both times of one moment",
    Effect.gen(function* () {
      const clock = yield* BusinessClock
      const { databaseNow, now } = yield* clock.times
      const offset = Duration.toMillis(yield* clock.offset)
      assert.strictEqual(now.epochMilliseconds, databaseNow.epochMilliseconds + offset)
      const { after } = yield* reading
      assert.isAtMost(databaseNow.epochMilliseconds, after)
    })
  ),

  law(
    "goes on with the database's time",
    Effect.gen(function* () {
      const first = yield* reading
      yield* waitFor(leaseMillis)
      const second = yield* reading
      assert.isAtLeast(second.before - first.after, leaseMillis * 0.9)
      assert.isAtLeast(second.now - first.now, leaseMillis * 0.9)
    })
  )
]

/** Everything a `BusinessClock` promises that may be moved. */
export const movableLaws = (timing: Timing): ReadonlyArray<Law<BusinessClock>> => [
  ...commonLaws(timing),

  law(
    "is moved forward by what was asked for, and moves no lease with it",
    Effect.gen(function* () {
      const clock = yield* BusinessClock
      const first = yield* reading
      yield* clock.advance(Duration.days(3))
      const second = yield* reading
      assert.strictEqual(second.offset - first.offset, 3 * millisPerDay)
      assert.isAtLeast(second.now - first.now, 3 * millisPerDay)
      assert.isBelow(second.before - first.after, millisPerDay)
    })
  ),

  law(
    "adds up what several move it by at once",
    Effect.gen(function* () {
      const clock = yield* BusinessClock
      const first = yield* clock.offset
      yield* Effect.forEach([1, 2, 3, 4], (hours) => clock.advance(Duration.hours(hours)), { concurrency: "unbounded" })
      assert.strictEqual(Duration.toMillis(yield* clock.offset) - Duration.toMillis(first), 10 * 3_600_000)
    })
  )
]

/** Everything a `BusinessClock` promises that may not be moved. */
export const fixedLaws = (timing: Timing): ReadonlyArray<Law<BusinessClock>> => [
  ...commonLaws(timing),

  law(
    "refuses to be moved",
    Effect.gen(function* () {
      const clock = yield* BusinessClock
      const before = yield* clock.offset
      yield* failsWith("ClockIsFixed", clock.advance(Duration.days(1)))
      assert.strictEqual(Duration.toMillis(yield* clock.offset), Duration.toMillis(before))
    })
  )
]

/** Runs the laws of a clock that may be moved against a layer. */
export const suite = suiteOf<BusinessClock>("BusinessClock that may be moved", movableLaws)

/** Runs the laws of a clock that may not be moved against a layer. */
export const suiteFixed = suiteOf<BusinessClock>("BusinessClock that may not be moved", fixedLaws)
