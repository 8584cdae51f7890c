import { assert, describe, it } from "@effect/vitest"
import { type Duration, Effect, Exit, Fiber, Random, References } from "effect"
import { TestClock } from "effect/testing"
import * as Bulkhead from "../../src/resilience/Bulkhead.ts"
import * as CircuitBreaker from "../../src/resilience/CircuitBreaker.ts"
import type * as CircuitState from "../../src/resilience/CircuitState.ts"
import * as Protection from "../../src/resilience/Protection.ts"
import * as TimeLimiter from "../../src/resilience/TimeLimiter.ts"
import { announce, seed } from "./Seed.ts"

const fibersTotal = 6_000
/** The most fibers that are forked between two looks at the circuit. */
const fibersAtOnceMax = 20
/** The fewest operations a fiber can be made to yield after and still get on: its resumption takes two. */
const operationsMin = 3
const openMillis = 10
const concurrentMax = 20
const halfOpenCalls = 5

const timeLimit = new TimeLimiter.TimeLimit({ name: "provider", millisMax: 40 })

const outcomes = [
  "success",
  "success",
  "success",
  "success",
  "failure",
  "ignored"
] as const satisfies Array<CircuitState.Outcome>

const below = (count: number) => Random.nextIntBetween(0, count - 1)

const oneOf = <A>(values: ReadonlyArray<A>) =>
  Effect.map(below(values.length), (index) => values[index] ?? assert.fail("an index out of range"))

/** Calls that yield, sleep and end as drawn, through every way there is to hold a permit. */
const makeCalls = (gate: Protection.Gate) => {
  const held = { now: 0, peak: 0 }
  const call = Effect.gen(function* () {
    const [yields, millis, outcome] = [yield* below(12), yield* below(10), yield* oneOf(outcomes)]
    yield* Effect.acquireUseRelease(
      Effect.sync(() => {
        held.now++
        held.peak = Math.max(held.peak, held.now)
      }),
      () => Effect.andThen(Effect.repeat(Effect.yieldNow, { times: yields }), Effect.sleep(millis)),
      () => Effect.sync(() => held.now--)
    )
    return outcome
  })
  const classify = (exit: Exit.Exit<CircuitState.Outcome, unknown>) =>
    Exit.isSuccess(exit) ? exit.value : ("failure" as const)
  const ways: ReadonlyArray<Effect.Effect<unknown, unknown>> = [
    gate.bulkhead.withBulkhead(gate.breaker.withBreaker(classify)(call)),
    Protection.guard(gate, classify)(call),
    Protection.protect({ ...gate, classify, timeLimit })(call),
    Effect.scoped(
      Effect.flatMap(Protection.acquire(gate), (permit) => Effect.flatMap(call, (outcome) => permit.record(outcome)))
    ),
    gate.bulkhead.withBulkhead(
      Effect.acquireUseRelease(
        gate.breaker.acquire,
        (permit) => Effect.flatMap(call, (outcome) => permit.record(outcome)),
        (permit) => permit.release
      )
    )
  ]
  return { held, ways }
}

const settle = Effect.repeat(Effect.yieldNow, { times: 50 })

const elapse = (duration: Duration.Input) => Effect.andThen(TestClock.adjust(duration), settle)

describe("Breaker and bulkhead under random interruption", () => {
  announce("Breaker and bulkhead under random interruption")

  it.effect(`give every permit and place of ${fibersTotal} fibers back`, () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make({
        name: "provider",
        window: { _tag: "Count", calls: 10 },
        callsMin: 5,
        failureRatePercent: 50,
        openMillis,
        halfOpenCalls
      })
      const bulkhead = yield* Bulkhead.make({ name: "provider", concurrentMax, queueMax: 30, waitMillisMax: 40 })
      const { held, ways } = makeCalls({ breaker, bulkhead })
      const ends = { succeeded: 0, failed: 0, interrupted: 0 }
      const running = new Set<Fiber.Fiber<unknown, unknown>>()
      let forked = 0
      while (forked < fibersTotal) {
        const count = Math.min(1 + (yield* below(fibersAtOnceMax)), fibersTotal - forked)
        for (let n = 0; n < count; n++) {
          const fiber = yield* (yield* oneOf(ways)).pipe(
            Effect.provideService(References.MaxOpsBeforeYield, operationsMin + (yield* below(7))),
            Effect.forkChild({ startImmediately: (yield* below(2)) === 0 })
          )
          running.add(fiber)
          fiber.addObserver((exit) => {
            running.delete(fiber)
            if (Exit.isSuccess(exit)) ends.succeeded++
            else if (Exit.hasInterrupts(exit)) ends.interrupted++
            else ends.failed++
          })
        }
        forked += count
        yield* Effect.repeat(Effect.yieldNow, { times: yield* below(6) })
        for (const fiber of running) if ((yield* below(20)) === 0) fiber.interruptUnsafe()
        yield* TestClock.adjust(yield* below(20))
        const [state, { running: places }] = [yield* breaker.state, yield* bulkhead.metrics]
        assert.isAtMost(places, concurrentMax)
        if (state._tag === "HalfOpen") assert.isAtMost(state.permitsFree + state.window.calls, halfOpenCalls)
      }
      while (running.size > 0) yield* elapse(100)

      assert.isAtMost(held.peak, concurrentMax)
      for (const count of Object.values(ends)) assert.isAbove(count, fibersTotal / 100)
      const { running: places, waiting } = yield* bulkhead.metrics
      assert.deepStrictEqual([places, waiting, held.now], [0, 0, 0])
      const { totals } = yield* breaker.metrics
      for (const total of [totals.rejected, totals.succeeded, totals.failed, totals.ignored, totals.late]) {
        assert.isAbove(total, 0)
      }

      // Whatever it is now: with no call in flight, a half-open circuit has every permit it has not recorded on.
      yield* elapse(openMillis)
      const last = yield* breaker.state
      if (last._tag === "HalfOpen") assert.strictEqual(last.permitsFree + last.window.calls, halfOpenCalls)

      // And it is not stuck: from an empty half-open state, exactly its calls run, and close it.
      yield* breaker.reset
      const record = (outcome: CircuitState.Outcome) => breaker.withBreaker(() => outcome)(Effect.void)
      yield* Effect.repeat(record("failure"), { times: breaker.settings.callsMin - 1 })
      yield* elapse(openMillis)
      const trials = yield* Effect.replicateEffect(breaker.acquire, halfOpenCalls)
      assert.strictEqual((yield* Effect.flip(breaker.acquire)).state, "HalfOpen")
      yield* Effect.forEach(trials, (permit) => permit.record("success"))
      assert.strictEqual((yield* breaker.state)._tag, "Closed")
    }).pipe(Random.withSeed(seed))
  )

  it.effect("keep a half-open circuit whole while thousands of its trial calls are interrupted", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make({ name: "provider", callsMin: 1, openMillis, halfOpenCalls })
      yield* breaker.withBreaker(() => "failure")(Effect.void)
      yield* elapse(openMillis)
      let now = 0
      let interrupted = 0
      const call = Effect.acquireUseRelease(
        Effect.sync(() => now++),
        () => Effect.flatMap(below(12), (times) => Effect.repeat(Effect.yieldNow, { times })),
        () => Effect.sync(() => now--)
      )
      const ways = [
        breaker.withBreaker(() => "ignored")(call),
        Effect.acquireUseRelease(
          breaker.acquire,
          () => call,
          (permit) => permit.release
        )
      ]
      const running = new Set<Fiber.Fiber<unknown, unknown>>()
      for (let forked = 0; forked < fibersTotal; forked++) {
        const fiber = yield* (yield* oneOf(ways)).pipe(
          Effect.provideService(References.MaxOpsBeforeYield, operationsMin + (yield* below(7))),
          Effect.forkChild({ startImmediately: true })
        )
        running.add(fiber)
        fiber.addObserver((exit) => {
          running.delete(fiber)
          if (Exit.hasInterrupts(exit)) interrupted++
        })
        if ((yield* below(2)) === 0) yield* Effect.yieldNow
        for (const other of running) if ((yield* below(8)) === 0) other.interruptUnsafe()
        assert.isAtMost(now, halfOpenCalls)
      }
      yield* Effect.forEach([...running], Fiber.await)
      assert.isAbove(interrupted, fibersTotal / 10)
      const state = yield* breaker.state
      assert.strictEqual(state._tag === "HalfOpen" ? state.permitsFree : state._tag, halfOpenCalls)
    }).pipe(Random.withSeed(seed))
  )
})
