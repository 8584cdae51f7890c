import { assert, describe, it } from "@effect/vitest"
import { Option } from "effect"
import * as CircuitState from "../../src/resilience/CircuitState.ts"

const settingsOf = (overrides: Partial<typeof CircuitState.Settings.Type> = {}) =>
  new CircuitState.Settings({ ...CircuitState.settingsDefault, ...overrides })

const small = settingsOf({ window: { _tag: "Count", calls: 10 }, callsMin: 5, halfOpenCalls: 3 })

interface Call {
  readonly outcome?: CircuitState.Outcome
  readonly durationMillis?: number
  readonly nowMillis?: number
}

const admitted = (state: CircuitState.State, settings: CircuitState.Settings, nowMillis = 0) => {
  const admission = CircuitState.admit(state, settings, nowMillis)
  return admission._tag === "Admitted" ? admission : assert.fail(`rejected in ${admission.state._tag}`)
}

const rejected = (state: CircuitState.State, settings: CircuitState.Settings, nowMillis = 0) => {
  const admission = CircuitState.admit(state, settings, nowMillis)
  return admission._tag === "Rejected" ? admission : assert.fail(`admitted in ${admission.state._tag}`)
}

const call = (state: CircuitState.State, settings: CircuitState.Settings, call: Call = {}) => {
  const { durationMillis = 0, nowMillis = 0, outcome = "success" } = call
  const { permit, state: next } = admitted(state, settings, nowMillis)
  return CircuitState.record(next, settings, { permit, outcome, durationMillis }, nowMillis)
}

const calls = (state: CircuitState.State, settings: CircuitState.Settings, count: number, each: Call = {}) => {
  let next = state
  for (let n = 0; n < count; n++) next = call(next, settings, each)
  return next
}

const failure = { outcome: "failure" } as const

const openCircuit = (settings: CircuitState.Settings) =>
  calls(CircuitState.make(settings), settings, CircuitState.callsMinEffective(settings), failure)

const halfOpenCircuit = (settings: CircuitState.Settings, nowMillis = settings.openMillis) => {
  const state = CircuitState.settle(openCircuit(settings), settings, nowMillis)
  return state._tag === "HalfOpen" ? state : assert.fail(state._tag)
}

describe("CircuitState.settingsDefault", () => {
  it("opens at 12 failures of 20, not at 11", () => {
    const settings = CircuitState.settingsDefault
    const eleven = calls(calls(CircuitState.make(settings), settings, 9), settings, 11, failure)
    const twelve = calls(calls(CircuitState.make(settings), settings, 8), settings, 12, failure)
    assert.strictEqual(eleven._tag, "Closed")
    assert.strictEqual(twelve._tag, "Open")
  })

  it("stays closed below 20 calls, however many fail", () => {
    const settings = CircuitState.settingsDefault
    assert.strictEqual(calls(CircuitState.make(settings), settings, 19, failure)._tag, "Closed")
  })

  it("judges the latest 40 calls", () => {
    const settings = CircuitState.settingsDefault
    const healthy = calls(CircuitState.make(settings), settings, 1_000)
    assert.strictEqual(calls(healthy, settings, 23, failure)._tag, "Closed")
    assert.strictEqual(calls(healthy, settings, 24, failure)._tag, "Open")
  })

  it("is open for 10 s and then admits 10 calls", () => {
    const settings = CircuitState.settingsDefault
    const open = openCircuit(settings)
    assert.strictEqual(rejected(open, settings, 9_999).retryAfterMillis, 1)
    let state: CircuitState.State = open
    for (let n = 0; n < 10; n++) state = admitted(state, settings, 10_000).state
    assert.strictEqual(rejected(state, settings, 10_000).state._tag, "HalfOpen")
  })
})

describe("CircuitState settings", () => {
  it("rejects settings out of their range", () => {
    assert.throws(() => settingsOf({ halfOpenCalls: 0 }))
    assert.throws(() => settingsOf({ failureRatePercent: 0 }))
    assert.throws(() => settingsOf({ failureRatePercent: 101 }))
    assert.throws(() => settingsOf({ window: { _tag: "Count", calls: 0 } }))
    assert.throws(() => settingsOf({ openMillis: Number.NaN }))
  })

  it("caps the minimum to the length of a count window", () => {
    const settings = settingsOf({ window: { _tag: "Count", calls: 4 }, callsMin: 100 })
    assert.strictEqual(calls(CircuitState.make(settings), settings, 3, failure)._tag, "Closed")
    assert.strictEqual(calls(CircuitState.make(settings), settings, 4, failure)._tag, "Open")
  })

  it("does not cap the minimum to the length of a time window", () => {
    const settings = settingsOf({ window: { _tag: "Time", seconds: 4 }, callsMin: 100 })
    assert.strictEqual(calls(CircuitState.make(settings), settings, 99, failure)._tag, "Closed")
    assert.strictEqual(calls(CircuitState.make(settings), settings, 100, failure)._tag, "Open")
  })
})

describe("CircuitState.record when closed", () => {
  it("opens on a success that completes the minimum", () => {
    const threeFailed = calls(CircuitState.make(small), small, 3, failure)
    const four = call(threeFailed, small)
    assert.strictEqual(four._tag, "Closed")
    assert.strictEqual(call(four, small)._tag, "Open")
  })

  it("opens at exactly the threshold", () => {
    const settings = settingsOf({ window: { _tag: "Count", calls: 100 }, callsMin: 100, failureRatePercent: 29 })
    const healthy = calls(CircuitState.make(settings), settings, 71)
    assert.strictEqual(calls(healthy, settings, 29, failure)._tag, "Open")
  })

  it("leaves an ignored call out of the window", () => {
    const state = calls(CircuitState.make(small), small, 100, { outcome: "ignored" })
    assert.strictEqual(CircuitState.metrics(state, small, 0).calls, 0)
    assert.strictEqual(state._tag, "Closed")
  })

  it("opens when enough calls are slow, though all succeed", () => {
    const settings = settingsOf({ callsMin: 5, slowCallRatePercent: 40, slowCallMillis: 100 })
    const fast = calls(CircuitState.make(settings), settings, 3, { durationMillis: 100 })
    const slow = calls(fast, settings, 2, { durationMillis: 101 })
    assert.strictEqual(slow._tag, "Open")
    assert.strictEqual(calls(fast, settings, 2, { durationMillis: 100 })._tag, "Closed")
  })

  it("counts a slow failure as slow and as failed", () => {
    const settings = settingsOf({ slowCallMillis: 100 })
    const state = call(CircuitState.make(settings), settings, { outcome: "failure", durationMillis: 500 })
    const metrics = CircuitState.metrics(state, settings, 0)
    assert.deepStrictEqual([metrics.calls, metrics.failedCalls, metrics.slowCalls], [1, 1, 1])
  })

  it("forgets failures that a time window no longer covers", () => {
    const settings = settingsOf({ window: { _tag: "Time", seconds: 10 }, callsMin: 5 })
    const four = calls(CircuitState.make(settings), settings, 4, failure)
    assert.strictEqual(call(four, settings, { outcome: "failure", nowMillis: 9_999 })._tag, "Open")
    assert.strictEqual(call(four, settings, { outcome: "failure", nowMillis: 10_000 })._tag, "Closed")
  })
})

describe("CircuitState.admit when open", () => {
  it("says how long the circuit stays open", () => {
    const open = openCircuit(small)
    assert.strictEqual(rejected(open, small, 0).retryAfterMillis, 10_000)
    assert.strictEqual(rejected(open, small, 4_000).retryAfterMillis, 6_000)
  })

  it("makes the circuit half-open at its time and admits the call that found it", () => {
    const { state } = admitted(openCircuit(small), small, small.openMillis)
    assert.strictEqual(state._tag, "HalfOpen")
  })

  it("starts half-open with an empty window", () => {
    assert.strictEqual(CircuitState.metrics(halfOpenCircuit(small), small, small.openMillis).calls, 0)
  })
})

describe("CircuitState when half-open", () => {
  const at = { nowMillis: small.openMillis }

  it("admits exactly as many calls as it has permits", () => {
    let state: CircuitState.State = halfOpenCircuit(small)
    for (let n = 0; n < 3; n++) state = admitted(state, small, small.openMillis).state
    const { retryAfterMillis } = rejected(state, small, small.openMillis)
    assert.strictEqual(retryAfterMillis, CircuitState.halfOpenRetryAfterMillis)
  })

  it("takes no new call for one that was recorded", () => {
    let state: CircuitState.State = halfOpenCircuit(small)
    const first = admitted(state, small, small.openMillis)
    state = admitted(admitted(first.state, small, small.openMillis).state, small, small.openMillis).state
    const recorded = { permit: first.permit, outcome: "success", durationMillis: 0 } as const
    state = CircuitState.record(state, small, recorded, small.openMillis)
    assert.strictEqual(rejected(state, small, small.openMillis).state._tag, "HalfOpen")
  })

  it("decides only when all its calls are recorded", () => {
    const two = calls(halfOpenCircuit(small), small, 2, { ...failure, ...at })
    assert.strictEqual(two._tag, "HalfOpen")
    assert.strictEqual(call(two, small, { ...failure, ...at })._tag, "Open")
  })

  it("waits for all its calls also when the minimum of the closed state is lower", () => {
    const settings = settingsOf({ callsMin: 2, halfOpenCalls: 6 })
    const five = calls(halfOpenCircuit(settings), settings, 5, { nowMillis: settings.openMillis })
    assert.strictEqual(five._tag, "HalfOpen")
    assert.strictEqual(call(five, settings, { nowMillis: settings.openMillis })._tag, "Closed")
  })

  it("closes with an empty window when the rate is below the threshold", () => {
    const state = calls(call(halfOpenCircuit(small), small, { ...failure, ...at }), small, 2, at)
    assert.strictEqual(state._tag, "Closed")
    assert.strictEqual(CircuitState.metrics(state, small, small.openMillis).calls, 0)
  })

  it("opens for the whole open time again when the rate is at the threshold", () => {
    const settings = settingsOf({ callsMin: 5, halfOpenCalls: 5 })
    const nowMillis = 25_000
    const twoFine = calls(halfOpenCircuit(settings, nowMillis), settings, 2, { nowMillis })
    const state = calls(twoFine, settings, 3, { ...failure, nowMillis })
    assert.strictEqual(rejected(state, settings, nowMillis).retryAfterMillis, 10_000)
  })

  it("opens again when the trial calls succeed slowly", () => {
    const settings = settingsOf({ halfOpenCalls: 3, slowCallMillis: 100 })
    const slowly = { nowMillis: settings.openMillis, durationMillis: 101 }
    assert.strictEqual(calls(halfOpenCircuit(settings), settings, 3, slowly)._tag, "Open")
  })

  it("gets the permit of an ignored call back", () => {
    const state = calls(halfOpenCircuit(small), small, 100, { outcome: "ignored", ...at })
    assert.deepStrictEqual(state, halfOpenCircuit(small))
  })

  it("gets a released permit back", () => {
    const { permit, state } = admitted(halfOpenCircuit(small), small, small.openMillis)
    assert.deepStrictEqual(CircuitState.release(state, small, permit, small.openMillis), halfOpenCircuit(small))
  })

  it("stays half-open for ever when no bound is set", () => {
    assert.strictEqual(CircuitState.settle(halfOpenCircuit(small), small, 1e15)._tag, "HalfOpen")
  })

  it("opens again when its bound passes without a decision", () => {
    const settings = settingsOf({ halfOpenMillisMax: 5_000 })
    const stuck = halfOpenCircuit(settings)
    assert.strictEqual(CircuitState.settle(stuck, settings, 14_999)._tag, "HalfOpen")
    assert.strictEqual(rejected(stuck, settings, 15_000).retryAfterMillis, 10_000)
  })
})

describe("CircuitState.settle", () => {
  const settings = settingsOf({ openMillis: 10_000, halfOpenMillisMax: 5_000 })
  const seen = (state: CircuitState.State, nowMillis: number) => {
    const settled = CircuitState.settle(state, settings, nowMillis)
    return [settled._tag, "untilMillis" in settled ? settled.untilMillis : undefined]
  }

  it("makes each move at its own time, however late it is looked at", () => {
    const open = openCircuit(settings)
    assert.deepStrictEqual(seen(open, 9_999), ["Open", 10_000])
    assert.deepStrictEqual(seen(open, 14_999), ["HalfOpen", 15_000])
    assert.deepStrictEqual(seen(open, 15_000), ["Open", 25_000])
    assert.deepStrictEqual(seen(open, 25_000), ["HalfOpen", 30_000])
    assert.deepStrictEqual(seen(open, 15_000_000_000), ["Open", 15_000_010_000])
    assert.deepStrictEqual(seen(open, 15_000_010_000), ["HalfOpen", 15_000_015_000])
  })

  it("is half-open again at once when its open time is 0", () => {
    const never = settingsOf({ openMillis: 0, halfOpenMillisMax: 5_000 })
    const state = CircuitState.settle(openCircuit(never), never, 12_000)
    assert.deepStrictEqual([state._tag, "untilMillis" in state && state.untilMillis], ["HalfOpen", 15_000])
  })

  it("comes before an outcome, so that one after the bound of a half-open circuit decides nothing", () => {
    const { permit, state } = admitted(openCircuit(settings), settings, 10_000)
    const recorded = { permit, outcome: "success", durationMillis: 0 } as const
    const last = { ...settings, halfOpenCalls: 1 }
    assert.strictEqual(CircuitState.record(state, last, recorded, 14_999)._tag, "Closed")
    assert.strictEqual(CircuitState.record(state, last, recorded, 15_000)._tag, "Open")
  })
})

describe("CircuitState.record of a late outcome", () => {
  const late = (state: CircuitState.State, outcome: CircuitState.Outcome, permit: CircuitState.Permit) =>
    CircuitState.record(state, small, { permit, outcome, durationMillis: 0 }, small.openMillis)

  it("changes nothing in the state that followed", () => {
    const { permit } = admitted(CircuitState.make(small), small)
    const halfOpen = halfOpenCircuit(small)
    const reclosed = calls(halfOpen, small, 3, { nowMillis: small.openMillis })
    for (const state of [openCircuit(small), halfOpen, reclosed]) {
      for (const outcome of ["success", "failure", "ignored"] as const) {
        const settled = CircuitState.settle(state, small, small.openMillis)
        assert.strictEqual(late(settled, outcome, permit), settled)
      }
    }
  })

  it("gives no extra permit to a later half-open state", () => {
    const first = admitted(halfOpenCircuit(small), small, small.openMillis)
    const reopened = calls(halfOpenCircuit(small), small, 3, { ...failure, nowMillis: small.openMillis })
    const second = CircuitState.settle(reopened, small, 2 * small.openMillis)
    assert.strictEqual(second._tag, "HalfOpen")
    assert.strictEqual(CircuitState.release(second, small, first.permit, 2 * small.openMillis), second)
  })
})

describe("CircuitState commands", () => {
  it("reject every call when forced open, whatever time passes", () => {
    const forced = CircuitState.forceOpen(CircuitState.make(small))
    assert.strictEqual(rejected(forced, small, 1e15).state._tag, "ForcedOpen")
    assert.strictEqual(CircuitState.forceOpen(forced), forced)
  })

  it("admit every call when disabled and record none", () => {
    const disabled = CircuitState.disable(openCircuit(small))
    assert.strictEqual(calls(disabled, small, 100, failure), disabled)
    assert.strictEqual(CircuitState.disable(disabled), disabled)
  })

  it("record every call in metrics-only and never open", () => {
    const state = calls(CircuitState.metricsOnly(openCircuit(small), small), small, 100, failure)
    assert.strictEqual(state._tag, "MetricsOnly")
    assert.deepStrictEqual(CircuitState.metrics(state, small, 0).failureRatePercent, Option.some(100))
    assert.strictEqual(CircuitState.metricsOnly(state, small), state)
    assert.strictEqual(call(state, small, { outcome: "ignored" }), state)
  })

  it("forget the outcomes of calls still running on reset", () => {
    const { permit, state } = admitted(calls(CircuitState.make(small), small, 4, failure), small)
    const fresh = CircuitState.reset(state, small)
    const recorded = { permit, outcome: "failure", durationMillis: 0 } as const
    assert.strictEqual(CircuitState.record(fresh, small, recorded, 0), fresh)
    assert.strictEqual(CircuitState.metrics(fresh, small, 0).calls, 0)
  })

  it("leave every special state by reset", () => {
    for (const state of [
      CircuitState.forceOpen(CircuitState.make(small)),
      CircuitState.disable(CircuitState.make(small)),
      CircuitState.metricsOnly(CircuitState.make(small), small),
      openCircuit(small),
      halfOpenCircuit(small)
    ]) {
      assert.strictEqual(CircuitState.reset(state, small)._tag, "Closed")
    }
  })
})

describe("CircuitState.metrics", () => {
  it("has no rates below the minimum number of calls", () => {
    const four = calls(CircuitState.make(small), small, 4)
    assert.deepStrictEqual(CircuitState.metrics(four, small, 0).failureRatePercent, Option.none())
    assert.deepStrictEqual(CircuitState.metrics(four, small, 0).slowCallRatePercent, Option.none())
    assert.deepStrictEqual(CircuitState.metrics(call(four, small), small, 0).failureRatePercent, Option.some(0))
  })

  it("counts what a time window covers now", () => {
    const settings = settingsOf({ window: { _tag: "Time", seconds: 2 } })
    const state = calls(CircuitState.make(settings), settings, 3, failure)
    assert.strictEqual(CircuitState.metrics(state, settings, 1_999).failedCalls, 3)
    assert.strictEqual(CircuitState.metrics(state, settings, 2_000).failedCalls, 0)
  })

  it("needs all trial calls for the rates of a half-open circuit", () => {
    const settings = settingsOf({ callsMin: 1, halfOpenCalls: 3 })
    const one = call(halfOpenCircuit(settings), settings, { ...failure, nowMillis: settings.openMillis })
    const metrics = CircuitState.metrics(one, settings, settings.openMillis)
    assert.deepStrictEqual([metrics.calls, metrics.failureRatePercent], [1, Option.none()])
  })

  it("is empty where nothing is recorded", () => {
    for (const state of [openCircuit(small), CircuitState.forceOpen(openCircuit(small))]) {
      assert.strictEqual(CircuitState.metrics(state, small, 0).calls, 0)
    }
  })
})
