import { assert, describe, it } from "@effect/vitest"
import fc from "fast-check"
import * as SlidingWindow from "../../src/resilience/SlidingWindow.ts"
import { announce, seed } from "./Seed.ts"

const failed: SlidingWindow.Call = { isFailed: true, isSlow: false }
const slow: SlidingWindow.Call = { isFailed: false, isSlow: true }
const fine: SlidingWindow.Call = { isFailed: false, isSlow: false }

const counts = (window: SlidingWindow.SlidingWindow, nowMillis: number) => {
  const { calls, failed, slow } = SlidingWindow.countsAt(window, nowMillis)
  return { calls, failed, slow }
}

interface At {
  readonly call: SlidingWindow.Call
  readonly atMillis: number
}

const countNaively = (spec: SlidingWindow.Spec, history: ReadonlyArray<At>, nowMillis: number) => {
  const second = (millis: number) => Math.floor(millis / 1_000)
  const covered =
    spec._tag === "Count"
      ? history.slice(-spec.calls)
      : history.filter((entry) => second(entry.atMillis) > second(nowMillis) - spec.seconds)
  return {
    calls: covered.length,
    failed: covered.filter((entry) => entry.call.isFailed).length,
    slow: covered.filter((entry) => entry.call.isSlow).length
  }
}

const anySpec = fc.oneof(
  fc.record({ _tag: fc.constant("Count" as const), calls: fc.integer({ min: 1, max: 12 }) }),
  fc.record({ _tag: fc.constant("Time" as const), seconds: fc.integer({ min: 1, max: 6 }) })
)
const anyCall = fc.record({ isFailed: fc.boolean(), isSlow: fc.boolean() })

describe("SlidingWindow over calls", () => {
  it("counts failed and slow calls apart", () => {
    let window: SlidingWindow.SlidingWindow = SlidingWindow.makeCount(10)
    for (const call of [failed, slow, fine, { isFailed: true, isSlow: true }]) {
      window = SlidingWindow.record(window, call, 0)
    }
    assert.deepStrictEqual(counts(window, 0), { calls: 4, failed: 2, slow: 2 })
  })

  it("drops the oldest call when it is full", () => {
    let window: SlidingWindow.SlidingWindow = SlidingWindow.makeCount(3)
    for (const call of [failed, slow, fine]) window = SlidingWindow.record(window, call, 0)
    window = SlidingWindow.record(window, fine, 0)
    assert.deepStrictEqual(counts(window, 0), { calls: 3, failed: 0, slow: 1 })
    window = SlidingWindow.record(window, fine, 0)
    assert.deepStrictEqual(counts(window, 0), { calls: 3, failed: 0, slow: 0 })
  })

  it("keeps its calls however much time passes", () => {
    const window = SlidingWindow.record(SlidingWindow.makeCount(3), failed, 0)
    assert.deepStrictEqual(counts(window, 1e12), { calls: 1, failed: 1, slow: 0 })
  })
})

describe("SlidingWindow over time", () => {
  it("drops a whole second once it is as old as the window is long", () => {
    let window: SlidingWindow.SlidingWindow = SlidingWindow.makeTime(3)
    window = SlidingWindow.record(window, failed, 1_000)
    window = SlidingWindow.record(window, slow, 1_999)
    window = SlidingWindow.record(window, fine, 2_000)
    assert.deepStrictEqual(counts(window, 3_999), { calls: 3, failed: 1, slow: 1 })
    assert.deepStrictEqual(counts(window, 4_000), { calls: 1, failed: 0, slow: 0 })
    assert.deepStrictEqual(counts(window, 5_000), { calls: 0, failed: 0, slow: 0 })
  })

  it("holds more calls than it has seconds", () => {
    let window: SlidingWindow.SlidingWindow = SlidingWindow.makeTime(1)
    for (let n = 0; n < 100; n++) window = SlidingWindow.record(window, failed, 500)
    assert.deepStrictEqual(counts(window, 500), { calls: 100, failed: 100, slow: 0 })
  })

  it("counts a call in the running second when time goes back", () => {
    let window: SlidingWindow.SlidingWindow = SlidingWindow.makeTime(2)
    window = SlidingWindow.record(window, failed, 9_000)
    window = SlidingWindow.record(window, failed, 1_000)
    assert.deepStrictEqual(counts(window, 10_999), { calls: 2, failed: 2, slow: 0 })
    assert.deepStrictEqual(counts(window, 11_000), { calls: 0, failed: 0, slow: 0 })
  })
})

describe("SlidingWindow of one second", () => {
  it("bears a clock that keeps going back and forth", () => {
    let window: SlidingWindow.SlidingWindow = SlidingWindow.makeTime(1)
    for (let n = 0; n < 100; n++) window = SlidingWindow.record(window, failed, n % 2 === 0 ? 9_000 : 1_000)
    assert.deepStrictEqual(counts(window, 9_000), { calls: 100, failed: 100, slow: 0 })
    assert.deepStrictEqual(counts(window, 10_000), { calls: 0, failed: 0, slow: 0 })
  })
})

describe("SlidingWindow laws", () => {
  announce("SlidingWindow laws")

  it("agrees with counting the whole history", () => {
    const anyHistory = fc.array(fc.tuple(anyCall, fc.integer({ min: 0, max: 2_500 })), { maxLength: 120 })
    fc.assert(
      fc.property(anySpec, anyHistory, (spec, steps) => {
        let window = SlidingWindow.make(spec)
        let nowMillis = 0
        const history: Array<At> = []
        for (const [call, elapsedMillis] of steps) {
          nowMillis += elapsedMillis
          window = SlidingWindow.record(window, call, nowMillis)
          history.push({ call, atMillis: nowMillis })
          assert.deepStrictEqual(counts(window, nowMillis), countNaively(spec, history, nowMillis))
        }
      }),
      { seed, numRuns: 300 }
    )
  })

  it("leaves every older window as it was, whichever of them is recorded on", () => {
    const anySteps = fc.array(fc.tuple(anyCall, fc.nat(), fc.integer({ min: 0, max: 1_500 })), { maxLength: 80 })
    fc.assert(
      fc.property(anySpec, anySteps, (spec, steps) => {
        const versions: Array<{ window: SlidingWindow.SlidingWindow; history: ReadonlyArray<At> }> = [
          { window: SlidingWindow.make(spec), history: [] }
        ]
        let nowMillis = 0
        for (const [call, pick, elapsedMillis] of steps) {
          nowMillis += elapsedMillis
          // Mostly the newest, so that logs fill up, and now and then an older one.
          const from = versions[pick % 3 === 0 ? pick % versions.length : versions.length - 1] ?? assert.fail()
          versions.push({
            window: SlidingWindow.record(from.window, call, nowMillis),
            history: [...from.history, { call, atMillis: nowMillis }]
          })
        }
        for (const { history, window } of versions) {
          assert.deepStrictEqual(counts(window, nowMillis), countNaively(spec, history, nowMillis))
        }
      }),
      { seed, numRuns: 300 }
    )
  })
})
