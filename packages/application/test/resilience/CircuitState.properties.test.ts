import { assert, describe, it } from "@effect/vitest"
import fc from "fast-check"
import * as CircuitState from "../../src/resilience/CircuitState.ts"
import { announce, seed } from "./Seed.ts"

const anySettings = fc
  .record({
    window: fc.oneof(
      fc.record({ _tag: fc.constant("Count" as const), calls: fc.integer({ min: 1, max: 12 }) }),
      fc.record({ _tag: fc.constant("Time" as const), seconds: fc.integer({ min: 1, max: 5 }) })
    ),
    callsMin: fc.integer({ min: 1, max: 10 }),
    failureRatePercent: fc.integer({ min: 1, max: 100 }),
    slowCallRatePercent: fc.integer({ min: 1, max: 100 }),
    slowCallMillis: fc.constant(100),
    openMillis: fc.integer({ min: 0, max: 3_000 }),
    halfOpenCalls: fc.integer({ min: 1, max: 5 }),
    halfOpenMillisMax: fc.constantFrom(0, 2_000)
  })
  .map((fields) => new CircuitState.Settings(fields))

type Step =
  | { readonly _tag: "admit" }
  | {
      readonly _tag: "record"
      readonly pick: number
      readonly outcome: CircuitState.Outcome
      readonly durationMillis: number
    }
  | { readonly _tag: "elapse"; readonly millis: number }
  | { readonly _tag: "command"; readonly command: "forceOpen" | "disable" | "metricsOnly" | "reset" }

const anyAdmit = fc.constant<Step>({ _tag: "admit" })
const anyRecord: fc.Arbitrary<Step> = fc.record({
  _tag: fc.constant("record" as const),
  pick: fc.nat(),
  outcome: fc.constantFrom<CircuitState.Outcome>("success", "failure", "failure", "ignored"),
  durationMillis: fc.constantFrom(0, 100, 101)
})
const anyElapse: fc.Arbitrary<Step> = fc.record({
  _tag: fc.constant("elapse" as const),
  millis: fc.integer({ min: 0, max: 2_000 })
})
const anyCommand: fc.Arbitrary<Step> = fc.record({
  _tag: fc.constant("command" as const),
  command: fc.constantFrom("forceOpen", "disable", "metricsOnly", "reset")
})
const anySteps = fc.array(
  fc.oneof(
    { weight: 12, arbitrary: anyAdmit },
    { weight: 10, arbitrary: anyRecord },
    { weight: 3, arbitrary: anyElapse },
    { weight: 1, arbitrary: anyCommand }
  ),
  { minLength: 50, maxLength: 150 }
)

const applyCommand = (
  state: CircuitState.State,
  settings: CircuitState.Settings,
  command: "forceOpen" | "disable" | "metricsOnly" | "reset"
): CircuitState.State => {
  switch (command) {
    case "forceOpen":
      return CircuitState.forceOpen(state)
    case "disable":
      return CircuitState.disable(state)
    case "metricsOnly":
      return CircuitState.metricsOnly(state, settings)
    case "reset":
      return CircuitState.reset(state, settings)
  }
}

interface Position {
  readonly state: CircuitState.State
  readonly permits: ReadonlyArray<CircuitState.Permit>
  readonly nowMillis: number
}

interface Move {
  readonly step: Step
  readonly before: Position
  readonly after: Position
  readonly admission: CircuitState.Admission | undefined
  readonly permit: CircuitState.Permit | undefined
}

const move = (settings: CircuitState.Settings, before: Position, step: Step): Move => {
  const { nowMillis, permits, state } = before
  switch (step._tag) {
    case "admit": {
      const admission = CircuitState.admit(state, settings, nowMillis)
      const held = admission._tag === "Admitted" ? [...permits, admission.permit] : permits
      return {
        step,
        before,
        after: { state: admission.state, permits: held, nowMillis },
        admission,
        permit: undefined
      }
    }
    case "record": {
      const permit = permits[step.pick % Math.max(1, permits.length)]
      if (permit === undefined) return { step, before, after: before, admission: undefined, permit }
      const call = { permit, outcome: step.outcome, durationMillis: step.durationMillis }
      const next = CircuitState.record(state, settings, call, nowMillis)
      const held = permits.filter((other) => other !== permit)
      return { step, before, after: { state: next, permits: held, nowMillis }, admission: undefined, permit }
    }
    case "elapse":
      return {
        step,
        before,
        after: { ...before, nowMillis: nowMillis + step.millis },
        admission: undefined,
        permit: undefined
      }
    case "command": {
      const next = applyCommand(state, settings, step.command)
      return { step, before, after: { ...before, state: next }, admission: undefined, permit: undefined }
    }
  }
}

const run = (settings: CircuitState.Settings, steps: ReadonlyArray<Step>, from: Position): ReadonlyArray<Move> => {
  const moves: Array<Move> = []
  let position = from
  for (const step of steps) {
    const made = move(settings, position, step)
    moves.push(made)
    position = made.after
  }
  return moves
}

const start = (settings: CircuitState.Settings): Position => ({
  state: CircuitState.make(settings),
  permits: [],
  nowMillis: 0
})

/** What can be seen of a state, without the log its window shares with others. */
const visible = (position: Position, settings: CircuitState.Settings) => ({
  tag: position.state._tag,
  generation: position.state.generation,
  permitsFree: position.state._tag === "HalfOpen" ? position.state.permitsFree : undefined,
  untilMillis: "untilMillis" in position.state ? position.state.untilMillis : undefined,
  metrics: CircuitState.metrics(position.state, settings, position.nowMillis)
})

const forAllMoves = (law: (made: Move, settings: CircuitState.Settings) => void) =>
  fc.assert(
    fc.property(anySettings, anySteps, (settings, steps) => {
      for (const made of run(settings, steps, start(settings))) law(made, settings)
    }),
    { seed, numRuns: 300 }
  )

/** The state once the step's own time has done its work, and the state the step then left. */
const tagsOf = ({ after, before }: Move, settings: CircuitState.Settings) => {
  const settled = CircuitState.settle(before.state, settings, before.nowMillis)
  return [before.state._tag, settled._tag, after.state._tag] as const
}

describe("CircuitState laws", () => {
  announce("CircuitState laws")

  it("moves only as the transition table allows", () => {
    forAllMoves((made, settings) => {
      const [from, , to] = tagsOf(made, settings)
      if (from === to) return
      const allowed: ReadonlyArray<CircuitState.Tag> = CircuitState.transitions[from]
      assert.include(allowed, to)
    })
  })

  it("enters every state under a new generation", () => {
    forAllMoves(({ after, before }) => {
      if (before.state._tag !== after.state._tag) assert.isAbove(after.state.generation, before.state.generation)
      else assert.isAtLeast(after.state.generation, before.state.generation)
    })
  })

  it("keeps permits free, out and recorded of a half-open circuit together the number it has", () => {
    forAllMoves(({ after: { permits, state } }, settings) => {
      if (state._tag !== "HalfOpen") return
      const out = permits.filter((permit) => permit.generation === state.generation).length
      assert.strictEqual(state.permitsFree + out + state.window.calls, settings.halfOpenCalls)
    })
  })

  it("changes nothing but what time changes for an outcome of an older generation", () => {
    forAllMoves(({ after, before, permit }, settings) => {
      const settled = CircuitState.settle(before.state, settings, before.nowMillis)
      if (permit !== undefined && permit.generation !== settled.generation) {
        assert.deepStrictEqual(visible(after, settings), visible({ ...before, state: settled }, settings))
      }
    })
  })

  it("is the same however often it is looked at in between", () => {
    fc.assert(
      fc.property(anySettings, anySteps, fc.array(fc.nat({ max: 20_000 })), (settings, steps, looks) => {
        const { after } = run(settings, steps, start(settings)).at(-1) ?? assert.fail("no step")
        const times = looks.toSorted((a, b) => a - b).map((millis) => after.nowMillis + millis)
        const nowMillis = after.nowMillis + 20_000
        const watched = [...times, nowMillis].reduce<CircuitState.State>(
          (state, millis) => CircuitState.settle(state, settings, millis),
          after.state
        )
        const unwatched = CircuitState.settle(after.state, settings, nowMillis)
        const ofTime = (state: CircuitState.State) => [state._tag, "untilMillis" in state && state.untilMillis]
        assert.deepStrictEqual(ofTime(watched), ofTime(unwatched))
      }),
      { seed, numRuns: 300 }
    )
  })

  it("rejects exactly when it is open, forced open, or half-open without a permit", () => {
    forAllMoves(({ admission, before }, settings) => {
      if (admission === undefined) return
      const settled = CircuitState.settle(before.state, settings, before.nowMillis)
      const isClosedToCalls =
        settled._tag === "Open" ||
        settled._tag === "ForcedOpen" ||
        (settled._tag === "HalfOpen" && settled.permitsFree === 0)
      assert.strictEqual(admission._tag === "Rejected", isClosedToCalls)
    })
  })

  it("tells a rejected caller of an open circuit the time at which it is half-open", () => {
    forAllMoves(({ admission, before }, settings) => {
      if (admission?._tag !== "Rejected" || admission.state._tag !== "Open") return
      const atMillis = before.nowMillis + admission.retryAfterMillis
      assert.strictEqual(CircuitState.settle(admission.state, settings, atMillis - 1)._tag, "Open")
      assert.strictEqual(CircuitState.settle(admission.state, settings, atMillis)._tag, "HalfOpen")
    })
  })

  it("opens exactly when a recorded outcome brings a rate to its threshold at or above the minimum", () => {
    fc.assert(
      fc.property(anySettings, anySteps, (settings, steps) => {
        // The reference keeps every outcome of the running generation and counts them anew each time.
        let outcomes: Array<{ isFailed: boolean; isSlow: boolean; second: number }> = []
        for (const { after, before, permit, step } of run(settings, steps, start(settings))) {
          const state = CircuitState.settle(before.state, settings, before.nowMillis)
          if (state.generation !== before.state.generation) outcomes = []
          if (
            step._tag === "record" &&
            permit?.generation === state.generation &&
            step.outcome !== "ignored" &&
            (state._tag === "Closed" || state._tag === "HalfOpen")
          ) {
            const second = Math.floor(before.nowMillis / 1_000)
            outcomes.push({
              isFailed: step.outcome === "failure",
              isSlow: step.durationMillis > settings.slowCallMillis,
              second
            })
            const { window } = settings
            const covered =
              state._tag === "HalfOpen"
                ? outcomes
                : window._tag === "Count"
                  ? outcomes.slice(-window.calls)
                  : outcomes.filter((outcome) => outcome.second > second - window.seconds)
            const callsMin =
              state._tag === "HalfOpen"
                ? settings.halfOpenCalls
                : window._tag === "Count"
                  ? Math.min(settings.callsMin, window.calls)
                  : settings.callsMin
            const failed = covered.filter((outcome) => outcome.isFailed).length
            const slow = covered.filter((outcome) => outcome.isSlow).length
            const isAtThreshold =
              failed * 100 >= settings.failureRatePercent * covered.length ||
              slow * 100 >= settings.slowCallRatePercent * covered.length
            const expected = covered.length < callsMin ? state._tag : isAtThreshold ? "Open" : "Closed"
            assert.strictEqual(after.state._tag, expected)
          }
          if (after.state.generation !== state.generation) outcomes = []
        }
      }),
      { seed, numRuns: 1_000 }
    )
  })

  it("gives the same again from any state it was in before", () => {
    fc.assert(
      fc.property(anySettings, anySteps, fc.nat(), (settings, steps, pick) => {
        const moves = run(settings, steps, start(settings))
        const at = moves.length === 0 ? 0 : pick % moves.length
        const from = moves[at]?.before ?? start(settings)
        const again = run(settings, steps.slice(at), from)
        assert.deepStrictEqual(
          again.map(({ after }) => visible(after, settings)),
          moves.slice(at).map(({ after }) => visible(after, settings))
        )
      }),
      { seed, numRuns: 300 }
    )
  })
})
