import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Exit, Fiber, Metric, Random, Schedule } from "effect"
import fc from "fast-check"
import { TestClock } from "effect/testing"
import * as RetryPolicy from "../../src/resilience/RetryPolicy.ts"
import { announce, seed } from "./Seed.ts"

interface CallError {
  readonly isNotExecuted: boolean
}

const notExecuted: CallError = { isNotExecuted: true }
const unknown: CallError = { isNotExecuted: false }

const policyOf = (timing: RetryPolicy.Timing) =>
  RetryPolicy.make<CallError>({ name: "approve", timing, isRetryable: (error) => error.isNotExecuted })

/** Runs a call that fails with the given errors and then succeeds, and gives the times of its tries. */
const triesOf = (policy: RetryPolicy.RetryPolicy<CallError>, errors: ReadonlyArray<CallError>) =>
  Effect.gen(function* () {
    const tries: Array<number> = []
    const call = Effect.gen(function* () {
      const error = errors[tries.length]
      tries.push(yield* Clock.currentTimeMillis)
      if (error !== undefined) return yield* Effect.fail(error)
      return "answer"
    })
    const fiber = yield* Effect.forkChild(Effect.exit(RetryPolicy.withRetry(policy)(call)))
    yield* TestClock.adjust("1 day")
    return { tries, exit: yield* Fiber.join(fiber) }
  })

describe("RetryPolicy.withRetry", () => {
  it.effect("tries 3 times, 3 s apart, and fails with the last error", () =>
    Effect.gen(function* () {
      const last: CallError = { isNotExecuted: true }
      const errors = [notExecuted, notExecuted, last, notExecuted]
      const { exit, tries } = yield* triesOf(policyOf(RetryPolicy.providerTiming), errors)
      assert.deepStrictEqual(tries, [0, 3_000, 6_000])
      assert.strictEqual(yield* Effect.flip(exit), last)
    })
  )

  it.effect("doubles the wait of the billing batch from 1 s", () =>
    Effect.gen(function* () {
      const errors = Array.from({ length: 5 }, () => notExecuted)
      const { tries } = yield* triesOf(policyOf(RetryPolicy.billingTiming), errors)
      assert.deepStrictEqual(tries, [0, 1_000, 3_000])
    })
  )

  it.effect("stops at the first success", () =>
    Effect.gen(function* () {
      const { exit, tries } = yield* triesOf(policyOf(RetryPolicy.providerTiming), [notExecuted])
      assert.deepStrictEqual(tries, [0, 3_000])
      assert.deepStrictEqual(exit, Exit.succeed("answer"))
    })
  )

  it.effect("never repeats a call whose outcome is unknown, also not after a retryable one", () =>
    Effect.gen(function* () {
      const policy = policyOf(RetryPolicy.providerTiming)
      assert.deepStrictEqual((yield* triesOf(policy, [unknown])).tries, [0])
      assert.strictEqual((yield* triesOf(policy, [notExecuted, unknown])).tries.length, 2)
    })
  )

  it.effect("never repeats a defect", () =>
    Effect.gen(function* () {
      let tries = 0
      const call = Effect.suspend(() => {
        tries++
        return Effect.die("bug")
      })
      yield* Effect.exit(RetryPolicy.withRetry(policyOf(RetryPolicy.providerTiming))(call))
      assert.strictEqual(tries, 1)
    })
  )

  it.effect("makes one try when only one is allowed", () =>
    Effect.gen(function* () {
      const timing = new RetryPolicy.Timing({ ...RetryPolicy.providerTiming, triesMax: 1 })
      assert.deepStrictEqual((yield* triesOf(policyOf(timing), [notExecuted])).tries, [0])
    })
  )

  it.effect("starts anew with each run", () =>
    Effect.gen(function* () {
      const policy = policyOf(RetryPolicy.providerTiming)
      const errors = [notExecuted, notExecuted, notExecuted]
      yield* triesOf(policy, errors)
      assert.strictEqual((yield* triesOf(policy, errors)).tries.length, 3)
    })
  )

  it.effect("counts the retries it makes, by name", () =>
    Effect.gen(function* () {
      yield* triesOf(policyOf(RetryPolicy.providerTiming), [notExecuted, notExecuted, notExecuted])
      const counter = Metric.withAttributes(RetryPolicy.retriesTotal, { name: "approve" })
      assert.strictEqual((yield* Metric.value(counter)).count, 2)
    }).pipe(Effect.provideService(Metric.MetricRegistry, new Map()))
  )
})

describe("RetryPolicy.toSchedule", () => {
  it.effect("draws its jitter from Random", () =>
    Effect.gen(function* () {
      const timing = new RetryPolicy.Timing({ ...RetryPolicy.providerTiming, triesMax: 50, jitterPercent: 20 })
      const delays = Effect.gen(function* () {
        const step = yield* Schedule.toStep(RetryPolicy.toSchedule(policyOf(timing)))
        const made: Array<string> = []
        for (let n = 0; n < 49; n++) made.push(String((yield* step(0, notExecuted))[1]))
        return made
      })
      const one = yield* Random.withSeed(delays, "one")
      assert.deepStrictEqual(yield* Random.withSeed(delays, "one"), one)
      assert.notDeepEqual(yield* Random.withSeed(delays, "two"), one)
      assert.isAbove(new Set(one).size, 40)
    })
  )
})

describe("RetryPolicy.delayMillisBefore", () => {
  announce("RetryPolicy.delayMillisBefore")

  const anyTiming = fc
    .record({
      triesMax: fc.integer({ min: 1, max: 100 }),
      backoff: fc.oneof(
        fc.record({ _tag: fc.constant("Fixed" as const), delayMillis: fc.integer({ min: 0, max: 10_000 }) }),
        fc.record({
          _tag: fc.constant("Exponential" as const),
          delayMillis: fc.integer({ min: 0, max: 10_000 }),
          factor: fc.integer({ min: 1, max: 10 }),
          delayMillisMax: fc.integer({ min: 0, max: 300_000 })
        })
      ),
      jitterPercent: fc.integer({ min: 0, max: 100 })
    })
    .map((fields) => new RetryPolicy.Timing(fields))
  const anyRandom = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
  const anyRetry = fc.integer({ min: 1, max: 99 })

  it("is finite, never negative, and never above the cap", () => {
    fc.assert(
      fc.property(anyTiming, anyRetry, anyRandom, (timing, retry, random) => {
        const delay = RetryPolicy.delayMillisBefore(timing, retry, random)
        assert.isTrue(Number.isFinite(delay) && delay >= 0)
        if (timing.backoff._tag === "Exponential") assert.isAtMost(delay, timing.backoff.delayMillisMax)
      }),
      { seed, numRuns: 500 }
    )
  })

  it("stays within the jitter of a fixed delay", () => {
    const timing = new RetryPolicy.Timing({ ...RetryPolicy.providerTiming, jitterPercent: 50 })
    assert.strictEqual(RetryPolicy.delayMillisBefore(timing, 1, 0), 1_500)
    assert.strictEqual(RetryPolicy.delayMillisBefore(timing, 1, 0.5), 3_000)
    assert.strictEqual(RetryPolicy.delayMillisBefore(timing, 1, 0.75), 3_750)
  })

  it("grows by the factor up to the cap", () => {
    const delays = [1, 2, 3, 8, 9, 10, 99].map((retry) =>
      RetryPolicy.delayMillisBefore(RetryPolicy.billingTiming, retry, 0)
    )
    assert.deepStrictEqual(delays, [1_000, 2_000, 4_000, 128_000, 256_000, 300_000, 300_000])
  })
})

describe("RetryPolicy.Timing", () => {
  it("rejects a policy without an end", () => {
    for (const triesMax of [0, 101, Number.POSITIVE_INFINITY]) {
      assert.throws(() => new RetryPolicy.Timing({ ...RetryPolicy.providerTiming, triesMax }))
    }
  })
})
