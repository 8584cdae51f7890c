import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Metric } from "effect"
import { TestClock } from "effect/testing"
import * as TimeLimiter from "../../src/resilience/TimeLimiter.ts"

const limit = new TimeLimiter.TimeLimit({ name: "approve", millisMax: 30_000 })

describe("TimeLimiter.withTimeLimit", () => {
  it.effect("passes values and errors through", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* TimeLimiter.withTimeLimit(limit)(Effect.succeed(1)), 1)
      assert.strictEqual(yield* Effect.flip(TimeLimiter.withTimeLimit(limit)(Effect.fail("down"))), "down")
    })
  )

  it.effect("fails with the limit's name at the limit and interrupts the call", () =>
    Effect.gen(function* () {
      let wasInterrupted = false
      const call = Effect.onInterrupt(Effect.never, () => Effect.sync(() => (wasInterrupted = true)))
      const fiber = yield* Effect.forkChild(Effect.flip(TimeLimiter.withTimeLimit(limit)(call)))
      yield* TestClock.adjust(29_999)
      assert.isFalse(wasInterrupted)
      yield* TestClock.adjust(1)
      const error = yield* Fiber.join(fiber)
      assert.deepStrictEqual([error._tag, error.name, error.millisMax], ["TimedOut", "approve", 30_000])
      assert.isTrue(wasInterrupted)
    })
  )

  it.effect("lets a call finish that ends just before the limit", () =>
    Effect.gen(function* () {
      const call = Effect.as(Effect.sleep(29_999), "answer")
      const fiber = yield* Effect.forkChild(TimeLimiter.withTimeLimit(limit)(call))
      yield* TestClock.adjust(29_999)
      assert.strictEqual(yield* Fiber.join(fiber), "answer")
    })
  )

  it.effect("counts the calls cut short, by name", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.forkChild(Effect.exit(TimeLimiter.withTimeLimit(limit)(Effect.never)))
      yield* TestClock.adjust(30_000)
      yield* Fiber.join(fiber)
      const counter = Metric.withAttributes(TimeLimiter.timedOutTotal, { name: "approve" })
      assert.strictEqual((yield* Metric.value(counter)).count, 1)
    }).pipe(Effect.provideService(Metric.MetricRegistry, new Map()))
  )
})

describe("TimeLimiter.TimeLimit", () => {
  it("has the limits of the provider's connection", () => {
    const { bodyLimit, connectionAcquireLimit, connectLimit, responseLimit } = TimeLimiter
    assert.deepStrictEqual(
      [connectLimit, responseLimit, bodyLimit, connectionAcquireLimit].map(({ millisMax }) => millisMax),
      [10_000, 30_000, 25_000, 3_000]
    )
  })

  it("rejects a limit that is none", () => {
    for (const millisMax of [0, Number.POSITIVE_INFINITY, Number.NaN]) {
      assert.throws(() => new TimeLimiter.TimeLimit({ name: "approve", millisMax }))
    }
  })
})
