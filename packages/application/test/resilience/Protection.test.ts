import { assert, describe, it } from "@effect/vitest"
import { Cause, Clock, Deferred, Effect, Exit, Fiber, Option } from "effect"
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

describe("Protection.protect while a call waits for its place", () => {
  it.effect("does not send a call that waited when the circuit has opened meanwhile", () =>
    Effect.gen(function* () {
      const protection = yield* parts()
      const holder = yield* protection.bulkhead.acquire
      let runs = 0
      const call = Effect.sync(() => runs++)
      const waiting = yield* Effect.forkChild(Protection.protect(protection)(call), { startImmediately: true })
      yield* protection.breaker.forceOpen
      yield* holder.release
      const error = yield* Effect.flip(Fiber.join(waiting))
      assert.instanceOf(error, CircuitBreaker.CircuitOpen)
      assert.strictEqual(runs, 0)
      assert.strictEqual((yield* protection.bulkhead.metrics).running, 0)
      const { totals } = yield* protection.breaker.metrics
      assert.deepStrictEqual([totals.rejected, totals.failed, totals.late], [1, 0, 0])
    })
  )

  it.effect("makes a call that waited past a recovery one of the trial calls", () =>
    Effect.gen(function* () {
      const protection = yield* parts({ openMillis: 1_000, halfOpenCalls: 3 })
      const holder = yield* protection.bulkhead.acquire
      const waiting = yield* Effect.forkChild(Protection.protect(protection)(Effect.never), { startImmediately: true })
      const failing = protection.breaker.withBreaker(CircuitBreaker.classifyExit)(Effect.fail("down"))
      yield* Effect.repeat(Effect.exit(failing), { times: 1 })
      yield* TestClock.adjust(1_000)
      yield* holder.release
      yield* Effect.yieldNow
      const state = yield* protection.breaker.state
      assert.strictEqual(state._tag === "HalfOpen" ? state.permitsFree : undefined, 2)
      yield* Fiber.interrupt(waiting)
    })
  )

  it.effect("does not call it slow for the wait", () =>
    Effect.gen(function* () {
      const protection = yield* parts({ slowCallMillis: 1_000 })
      const holder = yield* protection.bulkhead.acquire
      const waiting = yield* Effect.forkChild(Protection.protect(protection)(Effect.sleep(999)))
      yield* TestClock.adjust(4_000)
      yield* holder.release
      yield* TestClock.adjust(999)
      yield* Fiber.join(waiting)
      assert.strictEqual((yield* protection.breaker.metrics).slowCalls, 0)
    })
  )

  it.effect("ignores a call that is interrupted while it waits", () =>
    Effect.gen(function* () {
      const protection = yield* parts()
      yield* protection.bulkhead.acquire
      const waiting = yield* Effect.forkChild(Protection.protect(protection)(Effect.void), { startImmediately: true })
      yield* Fiber.interrupt(waiting)
      const { totals } = yield* protection.breaker.metrics
      assert.deepStrictEqual([totals.ignored, totals.failed], [1, 0])
      assert.strictEqual((yield* protection.bulkhead.metrics).waiting, 0)
    })
  )

  it.effect("ignores the call and dies when the classification throws", () =>
    Effect.gen(function* () {
      const protection = yield* parts()
      const classify = (): "success" => {
        throw new Error("bug in classify")
      }
      assert.isTrue(Exit.hasDies(yield* Effect.exit(Protection.protect({ ...protection, classify })(Effect.void))))
      assert.strictEqual((yield* protection.breaker.metrics).totals.ignored, 1)
      assert.strictEqual((yield* protection.bulkhead.metrics).running, 0)
    })
  )
})

describe("Protection.acquire", () => {
  it.effect("holds permit and place until the scope closes, and records the outcome told", () =>
    Effect.gen(function* () {
      const gate = yield* parts()
      yield* Effect.scoped(
        Effect.gen(function* () {
          const permit = yield* Protection.acquire(gate)
          assert.strictEqual((yield* gate.bulkhead.metrics).running, 1)
          yield* permit.record("failure")
        })
      )
      const { totals } = yield* gate.breaker.metrics
      assert.deepStrictEqual([totals.failed, totals.ignored], [1, 0])
      assert.strictEqual((yield* gate.bulkhead.metrics).running, 0)
    })
  )

  it.effect("gives a permit back that was never recorded on", () =>
    Effect.gen(function* () {
      const gate = yield* parts()
      yield* Effect.scoped(Protection.acquire(gate))
      assert.strictEqual((yield* gate.breaker.metrics).totals.ignored, 1)
    })
  )

  it.effect("takes no place of an open circuit", () =>
    Effect.gen(function* () {
      const gate = yield* parts()
      yield* gate.bulkhead.acquire
      yield* gate.breaker.forceOpen
      const error = yield* Effect.flip(Effect.scoped(Protection.acquire(gate)))
      assert.instanceOf(error, CircuitBreaker.CircuitOpen)
    })
  )

  it.effect("gives the place back when the circuit has opened while it waited", () =>
    Effect.gen(function* () {
      const gate = yield* parts()
      const holder = yield* gate.bulkhead.acquire
      const waiting = yield* Effect.forkChild(Effect.flip(Effect.scoped(Protection.acquire(gate))), {
        startImmediately: true
      })
      yield* gate.breaker.forceOpen
      yield* holder.release
      assert.instanceOf(yield* Fiber.join(waiting), CircuitBreaker.CircuitOpen)
      assert.strictEqual((yield* gate.bulkhead.metrics).running, 0)
    })
  )
})

// -----------------------------------------------------------------------------
// Order
// -----------------------------------------------------------------------------

type Layer = "retry" | "breaker" | "bulkhead" | "timeLimit"

type Protect = (
  protection: Protection.Protection<unknown, string> & {
    readonly retry: RetryPolicy.RetryPolicy<Protection.Rejection | string>
  }
) => <A, E extends string>(self: Effect.Effect<A, E>) => Effect.Effect<A, E | Protection.Rejection>

/** The combinators by hand, from the outside in. */
const inOrder =
  (order: ReadonlyArray<Layer>): Protect =>
  ({ breaker, bulkhead, retry, timeLimit }) =>
  <A, E extends string>(self: Effect.Effect<A, E>) =>
    order.reduceRight<Effect.Effect<A, E | Protection.Rejection>>((inner, layer) => {
      switch (layer) {
        case "retry":
          return RetryPolicy.withRetry(retry)(inner)
        case "breaker":
          return breaker.withBreaker((exit: Exit.Exit<A, E | Protection.Rejection>) =>
            isTurnedAway(exit) ? "ignored" : CircuitBreaker.classifyExit(exit)
          )(inner)
        case "bulkhead":
          return bulkhead.withBulkhead(inner)
        case "timeLimit":
          return TimeLimiter.withTimeLimit(timeLimit)(inner)
      }
    }, self)

const isTurnedAway = (exit: Exit.Exit<unknown, unknown>) =>
  Exit.isFailure(exit) &&
  Option.exists(Cause.findErrorOption(exit.cause), (error) => error instanceof Bulkhead.BulkheadFull)

/** What each rule of the order shows, and the two that it is about. */
const rules: ReadonlyArray<{
  readonly name: string
  readonly swap: readonly [outer: Layer, inner: Layer]
  readonly observe: (protect: Protect) => Effect.Effect<unknown, unknown>
  readonly inOrder: unknown
  readonly swapped: unknown
}> = [
  {
    name: "the breaker counts each try",
    swap: ["retry", "breaker"],
    observe: (protect) =>
      Effect.gen(function* () {
        const protection = { ...(yield* parts({ callsMin: 40 })), retry: retryOf((error) => error === "down") }
        const fiber = yield* Effect.forkChild(Effect.exit(protect(protection)(Effect.fail("down"))))
        yield* TestClock.adjust("1 minute")
        yield* Fiber.join(fiber)
        return (yield* protection.breaker.metrics).totals.failed
      }),
    inOrder: 3,
    swapped: 1
  },
  {
    name: "the tries end when the circuit opens",
    swap: ["retry", "breaker"],
    observe: (protect) =>
      Effect.gen(function* () {
        const protection = { ...(yield* parts()), retry: retryOf((error) => error === "down", 5) }
        let tries = 0
        const call = Effect.suspend(() => {
          tries++
          return Effect.fail("down")
        })
        const fiber = yield* Effect.forkChild(Effect.exit(protect(protection)(call)))
        yield* TestClock.adjust("1 minute")
        yield* Fiber.join(fiber)
        return tries
      }),
    inOrder: 2,
    swapped: 5
  },
  {
    name: "a call that the breaker rejects does not wait for a place",
    swap: ["breaker", "bulkhead"],
    observe: (protect) =>
      Effect.gen(function* () {
        const protection = { ...(yield* parts()), retry: retryOf(() => false) }
        yield* protection.bulkhead.acquire
        yield* protection.breaker.forceOpen
        const fiber = yield* Effect.forkChild(Effect.exit(protect(protection)(Effect.void)), { startImmediately: true })
        const { waiting } = yield* protection.bulkhead.metrics
        yield* TestClock.adjust("1 minute")
        const error = yield* Effect.flip(yield* Fiber.join(fiber))
        return [waiting, typeof error === "string" ? error : error._tag]
      }),
    inOrder: [0, "CircuitOpen"],
    swapped: [1, "BulkheadFull"]
  },
  {
    name: "a call that the breaker rejects takes no place",
    swap: ["breaker", "bulkhead"],
    observe: (protect) =>
      Effect.gen(function* () {
        const protection = { ...(yield* parts()), retry: retryOf(() => false) }
        yield* protection.breaker.forceOpen
        yield* Effect.exit(protect(protection)(Effect.void))
        return (yield* protection.bulkhead.metrics).admittedTotal
      }),
    inOrder: 0,
    swapped: 1
  },
  {
    name: "the time limit does not include the wait for a place",
    swap: ["bulkhead", "timeLimit"],
    observe: (protect) =>
      Effect.gen(function* () {
        const protection = { ...(yield* parts()), retry: retryOf(() => false) }
        const holder = yield* protection.bulkhead.acquire
        const fiber = yield* Effect.forkChild(Effect.exit(protect(protection)(Effect.as(Effect.sleep(900), "answer"))))
        yield* TestClock.adjust(4_000)
        yield* holder.release
        yield* TestClock.adjust(900)
        return yield* Effect.match(yield* Fiber.join(fiber), {
          onFailure: (error) => (typeof error === "string" ? error : error._tag),
          onSuccess: (answer) => answer
        })
      }),
    inOrder: "answer",
    swapped: "TimedOut"
  },
  {
    name: "no place is held between two tries",
    swap: ["retry", "bulkhead"],
    observe: (protect) =>
      Effect.gen(function* () {
        const protection = { ...(yield* parts()), retry: retryOf((error) => error === "down") }
        const fiber = yield* Effect.forkChild(Effect.exit(protect(protection)(Effect.fail("down"))))
        yield* TestClock.adjust(1_500)
        const { running } = yield* protection.bulkhead.metrics
        yield* Fiber.interrupt(fiber)
        return running
      }),
    inOrder: 0,
    swapped: 1
  },
  {
    name: "a call that takes too long counts as failed",
    swap: ["breaker", "timeLimit"],
    observe: (protect) =>
      Effect.gen(function* () {
        const protection = { ...(yield* parts()), retry: retryOf(() => false) }
        const fiber = yield* Effect.forkChild(Effect.exit(protect(protection)(Effect.never)))
        yield* TestClock.adjust(1_000)
        yield* Fiber.join(fiber)
        return (yield* protection.breaker.metrics).totals.failed
      }),
    inOrder: 1,
    swapped: 0
  }
]

const order: ReadonlyArray<Layer> = ["retry", "breaker", "bulkhead", "timeLimit"]

describe("Protection.protect is retry, breaker, bulkhead, time limit from the outside in", () => {
  for (const rule of rules) {
    const [outer, inner] = rule.swap
    it.effect(`${rule.name}, which ${inner} outside ${outer} would break`, () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* rule.observe(Protection.protect), rule.inOrder)
        assert.deepStrictEqual(yield* rule.observe(inOrder(order)), rule.inOrder)
        const swapped = order.map((layer) => (layer === outer ? inner : layer === inner ? outer : layer))
        assert.deepStrictEqual(yield* rule.observe(inOrder(swapped)), rule.swapped)
      })
    )
  }
})
