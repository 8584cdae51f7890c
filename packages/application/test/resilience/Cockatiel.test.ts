/**
 * Our breaker beside cockatiel's count breaker, a second implementation of the same idea by other people.
 *
 * Both are driven by the same random histories of calls, outcomes and time, and must admit, reject, open and close alike,
 * except where they are meant to differ. Each difference has a test of its own below, which shows both sides, and the
 * driver of the histories steps around exactly these:
 *
 * 1. cockatiel opens above its threshold, we open at it. The driver gives it a threshold a hair lower.
 * 2. cockatiel judges after failures only, we after every outcome, so that a success can complete the minimum and open.
 *    The driver turns such a success into a failure.
 * 3. cockatiel keeps a trial call in the window of the circuit it closed, we start with an empty window. The driver
 *    records one more success on ours.
 * 4. cockatiel lets calls beyond the trial calls wait for the decision, we reject them. The driver makes none.
 * 5. cockatiel opens as soon as enough trial calls failed, we when all are recorded. The driver compares after all.
 * 6. cockatiel counts outcomes of calls sent before it opened, whatever it is now, we ignore them. The driver lets them
 *    come while the circuit is open, where they change nothing on either side.
 * 7. cockatiel takes an ignored trial call for a success, we give its permit back. The driver ignores none.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Cockatiel from "cockatiel"
import { Clock, Effect, Exit, Option } from "effect"
import fc from "fast-check"
import { afterEach, beforeEach, vi } from "vitest"
import * as CircuitBreaker from "../../src/resilience/CircuitBreaker.ts"
import type * as CircuitState from "../../src/resilience/CircuitState.ts"
import { announce, seed } from "./Seed.ts"
import { VirtualClock } from "./VirtualClock.ts"

/** Less than the smallest step between a rate and a threshold in whole percent, over windows of up to 40 calls. */
const hair = 0.0001

const numRuns = 200

interface Settings {
  readonly calls: number
  readonly callsMin: number
  readonly failureRatePercent: number
  readonly openMillis: number
  readonly halfOpenCalls: number
}

class Down extends Error {}
class Ignored extends Error {}

/** A call in flight, in both breakers. */
interface Call {
  readonly end: (outcome: CircuitState.Outcome) => Promise<void>
}

class Pair {
  readonly clock: VirtualClock
  readonly settings: Settings
  readonly ours: CircuitBreaker.CircuitBreaker
  readonly theirs: Cockatiel.CircuitBreakerPolicy

  constructor(clock: VirtualClock, settings: Settings, below = 0) {
    this.clock = clock
    this.settings = settings
    const { calls, callsMin, failureRatePercent, halfOpenCalls, openMillis } = settings
    this.ours = Effect.runSync(
      CircuitBreaker.make({
        name: "ours",
        window: { _tag: "Count", calls },
        callsMin,
        failureRatePercent,
        openMillis,
        halfOpenCalls
      })
    )
    const threshold = failureRatePercent / 100 - below
    this.theirs = Cockatiel.circuitBreaker(Cockatiel.handleType(Down), {
      halfOpenAfter: openMillis,
      breaker: new Cockatiel.CountBreaker({ threshold, size: calls, minimumNumberOfCalls: callsMin }),
      halfOpenSampling: { calls: halfOpenCalls, threshold }
    })
  }

  run<A, E>(effect: Effect.Effect<A, E>): Exit.Exit<A, E> {
    return Effect.runSyncExit(Effect.provideService(effect, Clock.Clock, this.clock))
  }

  state(): CircuitState.State {
    return Option.getOrThrow(Exit.getSuccess(this.run(this.ours.state)))
  }

  beginOurs(): Call | undefined {
    const permit = Option.getOrUndefined(Exit.getSuccess(this.run(this.ours.acquire)))
    if (permit === undefined) return undefined
    return {
      end: async (outcome) => {
        this.run(permit.record(outcome))
      }
    }
  }

  beginTheirs(): Call | undefined {
    const { promise, reject, resolve } = Promise.withResolvers<void>()
    let isAdmitted = false
    const done = this.theirs
      .execute(() => {
        isAdmitted = true
        return promise
      })
      .catch((error: unknown) => {
        const isExpected = [Down, Ignored, Cockatiel.BrokenCircuitError].some((kind) => error instanceof kind)
        if (!isExpected) throw error
      })
    if (!isAdmitted) return undefined
    return {
      end: (outcome) => {
        if (outcome === "success") resolve()
        else reject(outcome === "failure" ? new Down() : new Ignored())
        return done
      }
    }
  }

  /** Begins a call in both, which admit it or both do not. */
  begin(): Call | undefined {
    const [ours, theirs] = [this.beginOurs(), this.beginTheirs()]
    assert.strictEqual(theirs !== undefined, ours !== undefined, "one admitted what the other rejected")
    if (ours === undefined || theirs === undefined) return undefined
    return {
      end: async (outcome) => {
        await ours.end(outcome)
        await theirs.end(outcome)
      }
    }
  }

  async call(outcome: CircuitState.Outcome): Promise<void> {
    await this.begin()?.end(outcome)
  }

  async calls(count: number, outcome: CircuitState.Outcome): Promise<void> {
    for (let n = 0; n < count; n++) await this.call(outcome)
  }

  /** The two states. cockatiel notes that it is half-open only when it is called, so its time is looked at. */
  states(): readonly [ours: CircuitState.Tag, theirs: CircuitState.Tag] {
    const { ownState } = JSON.parse(JSON.stringify(this.theirs))
    const isWaitOver = this.clock.millis - (ownState.openedAt ?? 0) >= this.settings.openMillis
    const tags = {
      [Cockatiel.CircuitState.Closed]: "Closed",
      [Cockatiel.CircuitState.Open]: isWaitOver ? "HalfOpen" : "Open",
      [Cockatiel.CircuitState.HalfOpen]: "HalfOpen",
      [Cockatiel.CircuitState.Isolated]: "ForcedOpen"
    } as const
    return [this.state()._tag, tags[this.theirs.state]]
  }
}

const clock = new VirtualClock()

beforeEach(() => {
  clock.millis = 0
  vi.spyOn(Date, "now").mockImplementation(() => clock.millis)
})
afterEach(() => {
  vi.restoreAllMocks()
})

// -----------------------------------------------------------------------------
// Alike
// -----------------------------------------------------------------------------

const anySettings: fc.Arbitrary<Settings> = fc
  .record({
    calls: fc.integer({ min: 1, max: 40 }),
    callsMin: fc.integer({ min: 1, max: 40 }),
    failureRatePercent: fc.integer({ min: 1, max: 100 }),
    openMillis: fc.integer({ min: 1, max: 3_000 }),
    halfOpenCalls: fc.integer({ min: 1, max: 5 })
  })
  .map((fields) => ({ ...fields, callsMin: Math.min(fields.callsMin, fields.calls) }))

const anyOutcome = fc.constantFrom<CircuitState.Outcome>("success", "success", "failure", "failure", "ignored")

/** What happens next: some calls at once, ending in this order with these outcomes, and then time passes. */
const anyHistory = fc.array(
  fc.record({
    outcomes: fc.array(anyOutcome, { minLength: 1, maxLength: 8, size: "max" }),
    elapsedMillis: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 2_000 }))
  }),
  { minLength: 20, maxLength: 60, size: "max" }
)

/** The outcome to end a call with, so that difference 2 does not show. */
const judgedAlike = (pair: Pair, outcome: CircuitState.Outcome): CircuitState.Outcome => {
  const state = pair.state()
  if (outcome !== "success" || state._tag !== "Closed") return outcome
  const calls = state.window.calls + 1
  const completes = calls === pair.settings.callsMin
  return completes && state.window.failed * 100 >= pair.settings.failureRatePercent * calls ? "failure" : "success"
}

/** As many calls as there are trial calls, all in flight at once. */
const runTrials = async (pair: Pair, outcomes: ReadonlyArray<CircuitState.Outcome>): Promise<void> => {
  const trials = Array.from(
    { length: pair.settings.halfOpenCalls },
    () => pair.begin() ?? assert.fail("a trial call was rejected")
  )
  for (const [index, trial] of trials.entries()) {
    await trial.end(outcomes[index % outcomes.length] === "failure" ? "failure" : "success")
  }
  if (pair.state()._tag === "Closed") await pair.beginOurs()?.end("success")
}

const runAtOnce = async (pair: Pair, outcomes: ReadonlyArray<CircuitState.Outcome>): Promise<void> => {
  const calls = outcomes.map((outcome) => ({ outcome, call: pair.begin() }))
  for (const { call, outcome } of calls) await call?.end(judgedAlike(pair, outcome))
}

describe("CircuitBreaker beside cockatiel", () => {
  announce("CircuitBreaker beside cockatiel")

  it("admits, rejects, opens and closes alike through random histories", async () => {
    const seen = { opened: 0, reclosed: 0, reopened: 0, rejected: 0 }
    await fc.assert(
      fc.asyncProperty(anySettings, anyHistory, async (settings, history) => {
        clock.millis = 0
        const pair = new Pair(clock, settings, hair)
        for (const { elapsedMillis, outcomes } of history) {
          const [before, theirs] = pair.states()
          assert.strictEqual(before, theirs)
          if (before === "HalfOpen") await runTrials(pair, outcomes)
          else await runAtOnce(pair, outcomes)
          const after = pair.states()
          assert.strictEqual(...after)
          if (before === "Open") seen.rejected++
          if (before === "Closed" && after[0] === "Open") seen.opened++
          if (before === "HalfOpen" && after[0] === "Closed") seen.reclosed++
          if (before === "HalfOpen" && after[0] === "Open") seen.reopened++
          clock.millis += elapsedMillis
        }
      }),
      { seed, numRuns }
    )
    for (const [what, count] of Object.entries(seen)) assert.isAbove(count, numRuns, what)
  })
})

// -----------------------------------------------------------------------------
// Different
// -----------------------------------------------------------------------------

const ten: Settings = { calls: 10, callsMin: 5, failureRatePercent: 60, openMillis: 1_000, halfOpenCalls: 3 }

const halfOpenPair = async () => {
  const pair = new Pair(clock, ten)
  await pair.calls(5, "failure")
  assert.deepStrictEqual(pair.states(), ["Open", "Open"])
  clock.millis += ten.openMillis
  return pair
}

describe("CircuitBreaker unlike cockatiel", () => {
  it("opens at the threshold, where cockatiel opens above it", async () => {
    const pair = new Pair(clock, { ...ten, calls: 5 })
    await pair.calls(2, "success")
    await pair.calls(3, "failure")
    assert.deepStrictEqual(pair.states(), ["Open", "Closed"])
  })

  it("opens on a success that completes the minimum, where cockatiel waits for the next failure", async () => {
    const pair = new Pair(clock, ten, hair)
    await pair.calls(4, "failure")
    await pair.call("success")
    assert.deepStrictEqual(pair.states(), ["Open", "Closed"])
    await pair.beginTheirs()?.end("failure")
    assert.deepStrictEqual(pair.states(), ["Open", "Open"])
  })

  it("closes with an empty window, where cockatiel keeps the last trial call in it", async () => {
    const pair = await halfOpenPair()
    const trials = [pair.begin(), pair.begin(), pair.begin()]
    for (const trial of trials) await trial?.end("success")
    const { breakerState } = JSON.parse(JSON.stringify(pair.theirs))
    const state = pair.state()
    assert.strictEqual(state._tag === "Closed" ? state.window.calls : state._tag, 0)
    assert.deepStrictEqual([breakerState.successes, breakerState.failures], [1, 0])
  })

  it("rejects calls beyond its trial calls, where cockatiel lets them wait for the decision", async () => {
    const pair = await halfOpenPair()
    const trials = [pair.begin(), pair.begin(), pair.begin()]
    assert.isUndefined(pair.beginOurs())
    const waiting = pair.theirs.execute(() => Promise.resolve("answer"))
    for (const trial of trials) await trial?.end("success")
    assert.strictEqual(await waiting, "answer")
  })

  it("opens again when all trial calls are recorded, where cockatiel does as soon as enough failed", async () => {
    const pair = await halfOpenPair()
    const trials = [pair.begin(), pair.begin(), pair.begin()]
    await trials[0]?.end("failure")
    await trials[1]?.end("failure")
    assert.deepStrictEqual(pair.states(), ["HalfOpen", "Open"])
    await trials[2]?.end("success")
    assert.deepStrictEqual(pair.states(), ["Open", "Open"])
  })

  it("ignores a failure that comes late, where cockatiel lets it open a half-open circuit", async () => {
    const pair = new Pair(clock, ten)
    const late = pair.begin()
    await pair.calls(5, "failure")
    clock.millis += ten.openMillis
    const trials = [pair.begin(), pair.begin()]
    assert.deepStrictEqual(pair.states(), ["HalfOpen", "HalfOpen"])
    await late?.end("failure")
    assert.deepStrictEqual(pair.states(), ["HalfOpen", "Open"])
    assert.strictEqual(trials.length, 2)
  })

  it("gives the permit of an ignored trial call back, where cockatiel takes the call for a success", async () => {
    const pair = await halfOpenPair()
    const trials = [pair.begin(), pair.begin(), pair.begin()]
    for (const trial of trials) await trial?.end("ignored")
    assert.deepStrictEqual(pair.states(), ["HalfOpen", "Closed"])
  })
})
