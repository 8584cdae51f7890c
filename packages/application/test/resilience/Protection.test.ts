import { assert, describe, it } from "@effect/vitest"
import { Clock, Deferred, Effect, Exit, Fiber } from "effect"
import { TestClock } from "effect/testing"
import * as Bulkhead from "../../src/resilience/Bulkhead.ts"
import * as CircuitBreaker from "../../src/resilience/CircuitBreaker.ts"
import * as Protection from "../../src/resilience/Protection.ts"
import * as RetryPolicy from "../../src/resilience/RetryPolicy.ts"
import * as TimeLimiter from "../../src/resilience/TimeLimiter.ts"

const timeLimit = new TimeLimiter.TimeLimit({ name: "approve", millisMax: 1_000 })

const parts = (options: Partial<CircuitBreaker.Options> = {}) =>
  Effect.gen(function* () {
    const breaker = yield* CircuitBreaker.make({
      name: "approve",
      callsMin: 2,
      failureRatePercent: 100,
      openMillis: 10_000,
      halfOpenCalls: 1,
      ...options
    })
    const bulkhead = yield* Bulkhead.make({ name: "approve", concurrentMax: 1, queueMax: 1, waitMillisMax: 5_000 })
    return { breaker, bulkhead, timeLimit, classify: CircuitBreaker.classifyExit }
  })

const retryOf = (isRetryable: (error: Protection.Rejection | string) => boolean, triesMax = 3) =>
  RetryPolicy.make({
    name: "approve",
    timing: new RetryPolicy.Timing({ ...RetryPolicy.providerTiming, triesMax }),
    isRetryable
  })

const isTimedOut = (error: Protection.Rejection | string) => error instanceof TimeLimiter.TimedOut

describe("Protection.protect", () => {
  it.effect("passes the value of a healthy call through", () =>
    Effect.gen(function* () {
      const protection = yield* parts()
      assert.strictEqual(yield* Protection.protect(protection)(Effect.succeed(1)), 1)
      assert.strictEqual((yield* protection.breaker.metrics).totals.succeeded, 1)
    })
  )

  it.effect("does not repeat a call without a retry policy", () =>
    Effect.gen(function* () {
      let tries = 0
      const call = Effect.suspend(() => {
        tries++
        return Effect.fail("down")
      })
      yield* Effect.exit(Protection.protect(yield* parts())(call))
      assert.strictEqual(tries, 1)
    })
  )

  it.effect("records each try of a retry in the breaker, and asks it again before each", () =>
    Effect.gen(function* () {
      const { breaker, ...others } = yield* parts()
      let tries = 0
      const call = Effect.suspend(() => {
        tries++
        return Effect.fail("down")
      })
      const protection = { ...others, breaker, retry: retryOf((error) => error === "down", 5) }
      const fiber = yield* Effect.forkChild(Effect.flip(Protection.protect(protection)(call)))
      yield* TestClock.adjust("1 hour")
      assert.instanceOf(yield* Fiber.join(fiber), CircuitBreaker.CircuitOpen)
      assert.strictEqual(tries, 2)
      assert.strictEqual((yield* breaker.metrics).totals.failed, 2)
    })
  )

  it.effect("rejects an open circuit without waiting for a place", () =>
    Effect.gen(function* () {
      const protection = yield* parts()
      yield* protection.bulkhead.acquire
      yield* protection.breaker.forceOpen
      const error = yield* Effect.flip(Protection.protect(protection)(Effect.void))
      assert.instanceOf(error, CircuitBreaker.CircuitOpen)
      assert.strictEqual((yield* protection.bulkhead.metrics).waiting, 0)
    })
  )

  it.effect("holds no place between two tries", () =>
    Effect.gen(function* () {
      const { bulkhead, ...others } = yield* parts()
      const protection = { ...others, bulkhead, retry: retryOf((error) => error === "down") }
      const fiber = yield* Effect.forkChild(Effect.exit(Protection.protect(protection)(Effect.fail("down"))))
      yield* TestClock.adjust(1_500)
      assert.strictEqual((yield* bulkhead.metrics).running, 0)
      yield* Fiber.interrupt(fiber)
    })
  )

  it.effect("leaves the full time of a call to one that waited for its place", () =>
    Effect.gen(function* () {
      const protection = yield* parts()
      const holder = yield* protection.bulkhead.acquire
      const gate = yield* Deferred.make<number>()
      const call = Effect.andThen(
        Effect.flatMap(Clock.currentTimeMillis, (now) => Deferred.succeed(gate, now)),
        Effect.sleep(900)
      )
      const fiber = yield* Effect.forkChild(Protection.protect(protection)(call))
      yield* TestClock.adjust(4_000)
      yield* holder.release
      assert.strictEqual(yield* Deferred.await(gate), 4_000)
      yield* TestClock.adjust(900)
      assert.deepStrictEqual(yield* Fiber.await(fiber), Exit.void)
    })
  )

  it.effect("counts a timeout as a failure, frees its place, and may try again", () =>
    Effect.gen(function* () {
      const protection = { ...(yield* parts()), retry: retryOf(isTimedOut, 2) }
      const fiber = yield* Effect.forkChild(Effect.flip(Protection.protect(protection)(Effect.never)))
      yield* TestClock.adjust(1_000)
      assert.strictEqual((yield* protection.breaker.metrics).failedCalls, 1)
      assert.strictEqual((yield* protection.bulkhead.metrics).running, 0)
      yield* TestClock.adjust("1 minute")
      assert.instanceOf(yield* Fiber.join(fiber), TimeLimiter.TimedOut)
      assert.strictEqual((yield* protection.breaker.state)._tag, "HalfOpen")
    })
  )

  it.effect("does not hold a full bulkhead against the dependency", () =>
    Effect.gen(function* () {
      const protection = yield* parts({ openMillis: 0 })
      yield* protection.bulkhead.acquire
      const waiting = yield* Effect.forkChild(Protection.protect(protection)(Effect.void), { startImmediately: true })
      for (let n = 0; n < 10; n++) {
        assert.instanceOf(yield* Effect.flip(Protection.protect(protection)(Effect.void)), Bulkhead.BulkheadFull)
      }
      const { state, totals } = yield* protection.breaker.metrics
      assert.deepStrictEqual([state, totals.failed, totals.ignored], ["Closed", 0, 10])
      yield* Fiber.interrupt(waiting)
    })
  )

  it.effect("gives permit and place back when it is interrupted", () =>
    Effect.gen(function* () {
      const protection = yield* parts()
      yield* Effect.repeat(Effect.exit(Protection.protect(protection)(Effect.fail("down"))), { times: 1 })
      yield* TestClock.adjust(10_000)
      const fiber = yield* Effect.forkChild(Protection.protect(protection)(Effect.never), { startImmediately: true })
      assert.strictEqual((yield* protection.bulkhead.metrics).running, 1)
      yield* Fiber.interrupt(fiber)
      const state = yield* protection.breaker.state
      assert.strictEqual(state._tag === "HalfOpen" ? state.permitsFree : undefined, 1)
      assert.strictEqual((yield* protection.bulkhead.metrics).running, 0)
    })
  )
})
