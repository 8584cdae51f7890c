import { assert, describe, it } from "@effect/vitest"
import { Cause, Clock, Effect, Exit, type Fiber, Option } from "effect"
import fc from "fast-check"
import * as CircuitBreaker from "../../src/resilience/CircuitBreaker.ts"
import * as CircuitState from "../../src/resilience/CircuitState.ts"
import { announce, seed } from "./Seed.ts"
import { VirtualClock } from "./VirtualClock.ts"

const anySettings = fc.record({
  window: fc.oneof(
    fc.record({ _tag: fc.constant("Count" as const), calls: fc.integer({ min: 1, max: 12 }) }),
    fc.record({ _tag: fc.constant("Time" as const), seconds: fc.integer({ min: 1, max: 5 }) })
  ),
  callsMin: fc.integer({ min: 1, max: 10 }),
  failureRatePercent: fc.integer({ min: 1, max: 100 }),
  slowCallRatePercent: fc.integer({ min: 1, max: 100 }),
  slowCallMillis: fc.constantFrom(0, 500),
  openMillis: fc.integer({ min: 0, max: 5_000 }),
  halfOpenCalls: fc.integer({ min: 1, max: 5 }),
  halfOpenMillisMax: fc.constantFrom(0, 2_000)
})

const numRuns = 500

const commands = ["forceOpen", "disable", "metricsOnly", "reset"] as const

type Step =
  | { readonly _tag: "begin"; readonly how: "acquire" | "withBreaker" }
  | { readonly _tag: "end"; readonly pick: number; readonly outcome: CircuitState.Outcome }
  | { readonly _tag: "interrupt"; readonly pick: number }
  | { readonly _tag: "renew"; readonly pick: number }
  | { readonly _tag: "elapse"; readonly millis: number }
  | { readonly _tag: "command"; readonly command: (typeof commands)[number] }

const anyPick = fc.nat()
const anyBegin: fc.Arbitrary<Step> = fc.record({
  _tag: fc.constant("begin" as const),
  how: fc.constantFrom("acquire", "withBreaker")
})
const anyEnd: fc.Arbitrary<Step> = fc.record({
  _tag: fc.constant("end" as const),
  pick: anyPick,
  outcome: fc.constantFrom<CircuitState.Outcome>("success", "failure", "failure", "ignored")
})
const anyInterrupt: fc.Arbitrary<Step> = fc.record({ _tag: fc.constant("interrupt" as const), pick: anyPick })
const anyRenew: fc.Arbitrary<Step> = fc.record({ _tag: fc.constant("renew" as const), pick: anyPick })
const anyElapse: fc.Arbitrary<Step> = fc.record({
  _tag: fc.constant("elapse" as const),
  millis: fc.integer({ min: 0, max: 2_000 })
})
const anyCommand: fc.Arbitrary<Step> = fc.record({
  _tag: fc.constant("command" as const),
  command: fc.constantFrom(...commands)
})
const anySteps = fc.array(
  fc.oneof(
    { weight: 12, arbitrary: anyBegin },
    { weight: 9, arbitrary: anyEnd },
    { weight: 2, arbitrary: anyInterrupt },
    { weight: 2, arbitrary: anyRenew },
    { weight: 4, arbitrary: anyElapse },
    { weight: 1, arbitrary: anyCommand }
  ),
  { minLength: 60, maxLength: 120 }
)

/** A call in flight: how to end it in the breaker, and the machine's permit for it. */
interface InFlight {
  readonly end: (outcome: CircuitState.Outcome) => void
  readonly interrupt: () => void
  readonly permit: CircuitBreaker.Permit | undefined
  readonly expected: CircuitState.Permit
  readonly startedAtMillis: number
}

const visible = (state: CircuitState.State, settings: CircuitState.Settings, nowMillis: number) => ({
  tag: state._tag,
  generation: state.generation,
  permitsFree: state._tag === "HalfOpen" ? state.permitsFree : undefined,
  untilMillis: "untilMillis" in state ? state.untilMillis : undefined,
  metrics: CircuitState.metrics(state, settings, nowMillis)
})

/** What a rejection says, as the machine has it. The breaker rounds the wait up. */
const rejectionOf = ({ retryAfterMillis, state }: CircuitState.Rejected) => {
  const step = CircuitBreaker.retryAfterStepMillis
  return [state._tag, Math.ceil(retryAfterMillis / step) * step]
}

/** Drives a breaker and the pure machine through the same steps, and compares what both say after each. */
class Twins {
  readonly clock = new VirtualClock()
  readonly settings: CircuitState.Settings
  readonly breaker: CircuitBreaker.CircuitBreaker
  readonly totals = { rejected: 0, succeeded: 0, failed: 0, ignored: 0, slow: 0, late: 0 }
  state: CircuitState.State
  inFlight: ReadonlyArray<InFlight> = []

  constructor(settings: typeof CircuitState.Settings.Type) {
    this.settings = new CircuitState.Settings(settings)
    this.breaker = Effect.runSync(CircuitBreaker.make({ name: "twin", ...settings }))
    this.state = CircuitState.make(this.settings)
  }

  private run<A, E>(effect: Effect.Effect<A, E>): Exit.Exit<A, E> {
    return Effect.runSyncExit(Effect.provideService(effect, Clock.Clock, this.clock))
  }

  step(step: Step): void {
    switch (step._tag) {
      case "begin":
        this.begin(step.how)
        break
      case "end":
        this.withPicked(step.pick, (call) => {
          call.end(step.outcome)
          this.expectRecorded(call, step.outcome)
        })
        break
      case "interrupt":
        this.withPicked(step.pick, (call) => {
          call.interrupt()
          this.expectRecorded(call, "ignored")
        })
        break
      case "renew":
        this.withPicked(step.pick, (call) => this.renew(call))
        break
      case "elapse":
        this.clock.millis += step.millis
        break
      case "command":
        this.run(this.breaker[step.command])
        this.state = this.command(step.command)
    }
    const { millis } = this.clock
    this.state = CircuitState.settle(this.state, this.settings, millis)
    const actual = Exit.getSuccess(this.run(this.breaker.state))
    assert.deepStrictEqual(
      Option.map(actual, (state) => visible(state, this.settings, millis)),
      Option.some(visible(this.state, this.settings, millis))
    )
    const metrics = Exit.getSuccess(this.run(this.breaker.metrics))
    assert.deepStrictEqual(
      Option.map(metrics, ({ totals }) => totals),
      Option.some({ ...this.totals })
    )
  }

  private command(command: (typeof commands)[number]): CircuitState.State {
    const settled = CircuitState.settle(this.state, this.settings, this.clock.millis)
    return command === "forceOpen" || command === "disable"
      ? CircuitState[command](settled)
      : CircuitState[command](settled, this.settings)
  }

  private withPicked(pick: number, use: (call: InFlight) => void): void {
    const call = this.inFlight[pick % Math.max(1, this.inFlight.length)]
    if (call === undefined) return
    this.inFlight = this.inFlight.filter((other) => other !== call)
    use(call)
  }

  private expectRecorded({ expected, startedAtMillis }: InFlight, outcome: CircuitState.Outcome): void {
    const durationMillis = this.clock.millis - startedAtMillis
    if (expected.generation !== this.state.generation) this.totals.late++
    if (outcome === "ignored") this.totals.ignored++
    else {
      if (outcome === "success") this.totals.succeeded++
      else this.totals.failed++
      if (durationMillis > this.settings.slowCallMillis) this.totals.slow++
    }
    const recorded = { permit: expected, outcome, durationMillis }
    this.state = CircuitState.record(this.state, this.settings, recorded, this.clock.millis)
  }

  /** What the machine says to a call that asks, compared with what the breaker said. */
  private expectAdmission(error: Option.Option<CircuitBreaker.CircuitOpen>): CircuitState.Permit | undefined {
    const admission = CircuitState.admit(this.state, this.settings, this.clock.millis)
    this.state = admission.state
    const expected = admission._tag === "Rejected" ? Option.some(rejectionOf(admission)) : Option.none()
    assert.deepStrictEqual(
      Option.map(error, ({ retryAfterMillis, state }) => [state, retryAfterMillis]),
      expected
    )
    if (admission._tag === "Admitted") return admission.permit
    this.totals.rejected++
    return undefined
  }

  private begin(how: "acquire" | "withBreaker"): void {
    const call = how === "acquire" ? this.beginByPermit() : this.beginByWrapping()
    const expected = this.expectAdmission(call.error)
    if (expected !== undefined) {
      this.inFlight = [...this.inFlight, { ...call, expected, startedAtMillis: this.clock.millis }]
    }
  }

  private beginByPermit() {
    const exit = this.run(this.breaker.acquire)
    const permit = Option.getOrUndefined(Exit.getSuccess(exit))
    const end = (outcome: CircuitState.Outcome) => {
      this.run(permit?.record(outcome) ?? assert.fail("no permit"))
    }
    const interrupt = () => {
      this.run(permit?.release ?? assert.fail("no permit"))
    }
    return { error: Exit.findErrorOption(exit), end, interrupt, permit }
  }

  private beginByWrapping() {
    let resume: ((effect: Effect.Effect<CircuitState.Outcome>) => void) | undefined
    const call = Effect.callback<CircuitState.Outcome>((resumeCall) => {
      resume = resumeCall
    })
    const fiber: Fiber.Fiber<CircuitState.Outcome, CircuitBreaker.CircuitOpen> = Effect.runFork(
      this.breaker
        .withBreaker<CircuitState.Outcome, never>((exit) => (Exit.isSuccess(exit) ? exit.value : "failure"))(call)
        .pipe(Effect.provideService(Clock.Clock, this.clock))
    )
    const end = (outcome: CircuitState.Outcome) => {
      resume?.(Effect.succeed(outcome))
      assert.deepStrictEqual(fiber.pollUnsafe(), Exit.succeed(outcome))
    }
    const interrupt = () => {
      fiber.interruptUnsafe()
      const exit = fiber.pollUnsafe()
      assert.isTrue(exit !== undefined && Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause))
    }
    const exit = fiber.pollUnsafe()
    const error: Option.Option<CircuitBreaker.CircuitOpen> =
      exit === undefined ? Option.none() : Exit.findErrorOption(exit)
    return { error, end, interrupt, permit: undefined }
  }

  private renew(call: InFlight): void {
    if (call.permit === undefined) {
      this.inFlight = [...this.inFlight, call]
      return
    }
    const error = Exit.findErrorOption(this.run(call.permit.renew))
    const settled = CircuitState.settle(this.state, this.settings, this.clock.millis)
    const isOfNow = call.expected.generation === settled.generation
    const expected = isOfNow ? call.expected : this.expectAdmission(error)
    if (isOfNow) assert.deepStrictEqual(error, Option.none())
    if (expected === undefined) return
    this.inFlight = [...this.inFlight, { ...call, expected, startedAtMillis: this.clock.millis }]
  }
}

describe("CircuitBreaker and CircuitState", () => {
  announce("CircuitBreaker and CircuitState")

  it("say the same after every step of every history", () => {
    const seen = new Map<string, number>()
    fc.assert(
      fc.property(anySettings, anySteps, (settings, steps) => {
        const twins = new Twins(settings)
        for (const step of steps) {
          twins.step(step)
          seen.set(twins.state._tag, (seen.get(twins.state._tag) ?? 0) + 1)
        }
      }),
      { seed, numRuns }
    )
    for (const tag of Object.keys(CircuitState.transitions)) assert.isAbove(seen.get(tag) ?? 0, numRuns, tag)
  })
})
