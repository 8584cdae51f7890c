import { assert, describe, it } from "@effect/vitest"
import { Cause, Deferred, Effect, Exit, Fiber, Metric, Option, References, Schema, Stream } from "effect"
import { TestClock } from "effect/testing"
import * as CircuitBreaker from "../../src/resilience/CircuitBreaker.ts"

const small = {
  name: "provider",
  window: { _tag: "Count", calls: 10 },
  callsMin: 4,
  failureRatePercent: 50,
  openMillis: 10_000,
  halfOpenCalls: 3
} as const satisfies CircuitBreaker.Options

/** The fewest operations a fiber can be made to yield after and still get on: its resumption takes two. */
const operationsMin = 3

const succeed = (breaker: CircuitBreaker.CircuitBreaker) =>
  breaker.withBreaker(CircuitBreaker.classifyExit)(Effect.succeed("answer"))

const fail = (breaker: CircuitBreaker.CircuitBreaker) =>
  Effect.exit(breaker.withBreaker(CircuitBreaker.classifyExit)(Effect.fail("down")))

const openCircuit = (options: CircuitBreaker.Options = small) =>
  Effect.gen(function* () {
    const breaker = yield* CircuitBreaker.make(options)
    yield* Effect.repeat(fail(breaker), { times: breaker.settings.callsMin - 1 })
    return breaker
  })

const halfOpenCircuit = (options: CircuitBreaker.Options = small) =>
  Effect.gen(function* () {
    const breaker = yield* openCircuit(options)
    yield* TestClock.adjust(breaker.settings.openMillis)
    return breaker
  })

const tagOf = (breaker: CircuitBreaker.CircuitBreaker) => Effect.map(breaker.state, (state) => state._tag)

const permitsFree = (breaker: CircuitBreaker.CircuitBreaker) =>
  Effect.map(breaker.state, (state) => (state._tag === "HalfOpen" ? state.permitsFree : assert.fail(state._tag)))

/** Subscribes before it returns, and reads what has been published when asked. */
const observe = (breaker: CircuitBreaker.CircuitBreaker) =>
  Effect.gen(function* () {
    const seen: Array<CircuitBreaker.Transition> = []
    yield* breaker.transitions.pipe(
      Stream.runForEach((transition) => Effect.sync(() => seen.push(transition))),
      Effect.forkScoped({ startImmediately: true })
    )
    return Effect.as(Effect.repeat(Effect.yieldNow, { times: 20 }), seen)
  })

describe("CircuitBreaker.make", () => {
  it.effect("starts closed, with the settings of the payment path", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make({ name: "kakaopay" })
      assert.strictEqual(yield* tagOf(breaker), "Closed")
      assert.deepStrictEqual(breaker.settings.window, { _tag: "Count", calls: 40 })
      assert.strictEqual(breaker.settings.halfOpenCalls, 10)
    })
  )

  it.effect("dies on settings out of their range", () =>
    Effect.gen(function* () {
      const exit = yield* Effect.exit(CircuitBreaker.make({ name: "kakaopay", halfOpenCalls: 0 }))
      assert.isTrue(Exit.hasDies(exit))
    })
  )
})

describe("CircuitBreaker.withBreaker", () => {
  it.effect("passes values and errors through", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make(small)
      assert.strictEqual(yield* succeed(breaker), "answer")
      assert.deepStrictEqual(yield* fail(breaker), Exit.fail("down"))
    })
  )

  it.effect("does not run the call of an open circuit, and says when to try again", () =>
    Effect.gen(function* () {
      const breaker = yield* openCircuit()
      yield* TestClock.adjust(4_000)
      let runs = 0
      const call = Effect.sync(() => runs++)
      const error = yield* Effect.flip(breaker.withBreaker(CircuitBreaker.classifyExit)(call))
      assert.instanceOf(error, CircuitBreaker.CircuitOpen)
      assert.deepStrictEqual([error.name, error.state, error.retryAfterMillis], ["provider", "Open", 6_000])
      assert.strictEqual(runs, 0)
    })
  )

  it.effect("opens on a success that completes the minimum", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make(small)
      yield* Effect.repeat(fail(breaker), { times: 2 })
      assert.strictEqual(yield* tagOf(breaker), "Closed")
      yield* succeed(breaker)
      assert.strictEqual(yield* tagOf(breaker), "Open")
    })
  )

  it.effect("counts what the classification says, so that a decline is a success", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make(small)
      const declined = breaker.withBreaker(() => "success")(Effect.fail("declined"))
      yield* Effect.repeat(Effect.exit(declined), { times: 100 })
      assert.strictEqual(yield* tagOf(breaker), "Closed")
      assert.strictEqual((yield* breaker.metrics).calls, 10)
    })
  )

  it.effect("counts a defect as a failure and passes it on", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make(small)
      const exit = yield* Effect.exit(breaker.withBreaker(CircuitBreaker.classifyExit)(Effect.die("bug")))
      assert.isTrue(Exit.hasDies(exit))
      assert.strictEqual((yield* breaker.metrics).failedCalls, 1)
    })
  )

  it.effect("ignores the call and dies when the classification throws", () =>
    Effect.gen(function* () {
      const breaker = yield* halfOpenCircuit()
      const broken = breaker.withBreaker((): "success" => {
        throw new Error("bug in classify")
      })
      assert.isTrue(Exit.hasDies(yield* Effect.exit(broken(Effect.void))))
      assert.strictEqual(yield* permitsFree(breaker), 3)
    })
  )

  it.effect("opens when calls are slow by the clock", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make({ ...small, slowCallMillis: 5_000, slowCallRatePercent: 50 })
      const callOf = (millis: number) => breaker.withBreaker(CircuitBreaker.classifyExit)(Effect.sleep(millis))
      const fibers = yield* Effect.forEach([5_000, 5_000, 5_001, 5_001], (millis) => Effect.forkChild(callOf(millis)))
      yield* TestClock.adjust(5_000)
      assert.strictEqual(yield* tagOf(breaker), "Closed")
      yield* TestClock.adjust(1)
      yield* Effect.forEach(fibers, Fiber.join)
      assert.strictEqual(yield* tagOf(breaker), "Open")
      assert.strictEqual((yield* breaker.metrics).totals.slow, 2)
    })
  )

  it.effect("forgets failures that a time window no longer covers", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make({ ...small, window: { _tag: "Time", seconds: 10 } })
      yield* Effect.repeat(fail(breaker), { times: 2 })
      yield* TestClock.adjust(10_000)
      yield* fail(breaker)
      assert.strictEqual(yield* tagOf(breaker), "Closed")
      assert.strictEqual((yield* breaker.metrics).calls, 1)
    })
  )
})

describe("CircuitBreaker when half-open", () => {
  it.effect("becomes half-open at its time without a call", () =>
    Effect.gen(function* () {
      const breaker = yield* openCircuit()
      yield* TestClock.adjust(9_999)
      assert.strictEqual(yield* tagOf(breaker), "Open")
      yield* TestClock.adjust(1)
      assert.strictEqual(yield* tagOf(breaker), "HalfOpen")
    })
  )

  it.effect("closes when enough trial calls succeed", () =>
    Effect.gen(function* () {
      const breaker = yield* halfOpenCircuit()
      yield* fail(breaker)
      yield* succeed(breaker)
      assert.strictEqual(yield* tagOf(breaker), "HalfOpen")
      yield* succeed(breaker)
      assert.strictEqual(yield* tagOf(breaker), "Closed")
      assert.strictEqual((yield* breaker.metrics).calls, 0)
    })
  )

  it.effect("opens again when enough trial calls fail", () =>
    Effect.gen(function* () {
      const breaker = yield* halfOpenCircuit()
      yield* Effect.repeat(fail(breaker), { times: 2 })
      assert.strictEqual(yield* tagOf(breaker), "Open")
      assert.strictEqual((yield* Effect.flip(breaker.acquire)).retryAfterMillis, 10_000)
    })
  )

  it.effect("runs exactly its number of calls among thousands of fibers, whichever way they interleave", () =>
    Effect.gen(function* () {
      const breaker = yield* halfOpenCircuit({ ...small, halfOpenCalls: 10 })
      let running = 0
      let rejected = 0
      const call = breaker
        .withBreaker(CircuitBreaker.classifyExit)(
          Effect.andThen(
            Effect.sync(() => running++),
            Effect.never
          )
        )
        .pipe(Effect.catchTag("CircuitOpen", () => Effect.sync(() => rejected++)))
      const fibers = yield* Effect.forEach(
        Array.from({ length: 5_000 }, (_, n) => n),
        (n) => Effect.forkChild(Effect.provideService(call, References.MaxOpsBeforeYield, operationsMin + (n % 7)))
      )
      yield* Effect.repeat(Effect.yieldNow, { times: 100 })
      assert.strictEqual(running, 10)
      assert.strictEqual(rejected, 4_990)
      yield* Fiber.interruptAll(fibers)
      assert.strictEqual(yield* permitsFree(breaker), 10)
    })
  )

  it.effect("gets the permit of an interrupted call back and keeps its others", () =>
    Effect.gen(function* () {
      const breaker = yield* halfOpenCircuit()
      const started = yield* Deferred.make<void>()
      const call = Effect.andThen(Deferred.succeed(started, undefined), Effect.never)
      const fiber = yield* Effect.forkChild(breaker.withBreaker(CircuitBreaker.classifyExit)(call))
      yield* Deferred.await(started)
      assert.strictEqual(yield* permitsFree(breaker), 2)
      yield* Fiber.interrupt(fiber)
      assert.strictEqual(yield* permitsFree(breaker), 3)
      assert.strictEqual((yield* breaker.metrics).totals.ignored, 1)
    })
  )

  it.effect("loses no permit, at whichever operation a call is interrupted", () =>
    Effect.gen(function* () {
      const breaker = yield* halfOpenCircuit({ ...small, halfOpenCalls: 1 })
      const call = breaker.withBreaker(() => "ignored")(Effect.andThen(Effect.yieldNow, Effect.void))
      const ends: Array<string> = []
      for (let operations = 0; operations < 60; operations++) {
        const fiber = yield* call.pipe(
          Effect.provideService(References.MaxOpsBeforeYield, operationsMin),
          Effect.forkChild({ startImmediately: true })
        )
        for (let n = 0; n < operations; n++) yield* Effect.yieldNow
        yield* Fiber.interrupt(fiber)
        const exit = yield* Fiber.await(fiber)
        ends.push(Exit.isSuccess(exit) ? "finished" : "interrupted")
        assert.strictEqual(yield* permitsFree(breaker), 1, `interrupted after ${operations} operations`)
      }
      assert.strictEqual(ends.at(0), "interrupted")
      assert.strictEqual(ends.at(-1), "finished")
    })
  )

  it.effect("counts the outcome of a trial call as late when its half-open time ended unseen", () =>
    Effect.gen(function* () {
      const breaker = yield* halfOpenCircuit({ ...small, halfOpenMillisMax: 4_000 })
      const trial = yield* breaker.acquire
      yield* TestClock.adjust(4_000)
      yield* trial.record("success")
      const { state, totals } = yield* breaker.metrics
      assert.deepStrictEqual([state, totals.late], ["Open", 1])
    })
  )

  it.effect("decides nothing from the late outcome of a call sent before it opened", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make(small)
      const late = yield* breaker.acquire
      yield* Effect.repeat(fail(breaker), { times: 3 })
      yield* TestClock.adjust(10_000)
      assert.strictEqual(yield* permitsFree(breaker), 3)
      yield* late.record("failure")
      const { calls, totals } = yield* breaker.metrics
      assert.deepStrictEqual([calls, totals.late], [0, 1])
      assert.strictEqual(yield* permitsFree(breaker), 3)
    })
  )

  it.effect("opens again when its bound passes without a decision", () =>
    Effect.gen(function* () {
      const breaker = yield* halfOpenCircuit({ ...small, halfOpenMillisMax: 60_000 })
      yield* Effect.repeat(breaker.acquire, { times: 2 })
      assert.strictEqual((yield* Effect.flip(breaker.acquire)).state, "HalfOpen")
      yield* TestClock.adjust(60_000)
      assert.strictEqual(yield* tagOf(breaker), "Open")
    })
  )
})

describe("CircuitBreaker.acquire", () => {
  it.effect("gives a permit that records one outcome", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make(small)
      const permit = yield* breaker.acquire
      yield* permit.record("failure")
      yield* permit.record("failure")
      yield* permit.release
      const { calls, totals } = yield* breaker.metrics
      assert.deepStrictEqual([calls, totals.failed, totals.ignored], [1, 1, 0])
    })
  )

  it.effect("gives a permit that can be released once", () =>
    Effect.gen(function* () {
      const breaker = yield* halfOpenCircuit()
      const permit = yield* breaker.acquire
      yield* breaker.acquire
      yield* permit.release
      yield* permit.release
      assert.strictEqual(yield* permitsFree(breaker), 2)
    })
  )

  it.effect("counts the time since the permit was acquired, unless told the call's own", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make({ ...small, slowCallMillis: 1_000 })
      const [waited, measured] = [yield* breaker.acquire, yield* breaker.acquire]
      yield* TestClock.adjust(1_001)
      yield* measured.record("success", 10)
      assert.strictEqual((yield* breaker.metrics).slowCalls, 0)
      yield* waited.record("success")
      assert.strictEqual((yield* breaker.metrics).slowCalls, 1)
    })
  )

  it.effect("gives a permit that stays as it is when it is renewed in the same state", () =>
    Effect.gen(function* () {
      const breaker = yield* halfOpenCircuit({ ...small, slowCallMillis: 1_000 })
      const permit = yield* breaker.acquire
      yield* TestClock.adjust(5_000)
      yield* permit.renew
      assert.strictEqual(yield* permitsFree(breaker), 2)
      yield* TestClock.adjust(1_000)
      yield* permit.record("success")
      const { calls, slowCalls, totals } = yield* breaker.metrics
      assert.deepStrictEqual([calls, slowCalls, totals.late], [1, 0, 0])
    })
  )

  it.effect("exchanges a permit of an older state for one of the state of now", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make(small)
      const permit = yield* breaker.acquire
      yield* Effect.repeat(fail(breaker), { times: 3 })
      yield* TestClock.adjust(10_000)
      yield* permit.renew
      assert.strictEqual(yield* permitsFree(breaker), 2)
      yield* permit.record("success")
      const { calls, totals } = yield* breaker.metrics
      assert.deepStrictEqual([calls, totals.late], [1, 0])
    })
  )

  it.effect("takes the call of a permit back when the circuit has opened since", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make(small)
      const permit = yield* breaker.acquire
      yield* Effect.repeat(fail(breaker), { times: 3 })
      assert.strictEqual((yield* Effect.flip(permit.renew)).state, "Open")
      yield* permit.record("failure")
      const { totals } = yield* breaker.metrics
      assert.deepStrictEqual([totals.failed, totals.late, totals.rejected], [4, 0, 1])
    })
  )

  it.effect("dies when a settled permit is renewed", () =>
    Effect.gen(function* () {
      const permit = yield* (yield* CircuitBreaker.make(small)).acquire
      yield* permit.release
      assert.isTrue(Exit.hasDies(yield* Effect.exit(permit.renew)))
    })
  )

  it.effect("fails without a permit when the circuit is open", () =>
    Effect.gen(function* () {
      const breaker = yield* openCircuit()
      const error = yield* Effect.flip(breaker.acquire)
      assert.strictEqual(error._tag, "CircuitOpen")
      assert.strictEqual((yield* breaker.metrics).totals.rejected, 1)
    })
  )
})

describe("CircuitOpen", () => {
  it.effect("never tells a caller to come back while the circuit is still open", () =>
    Effect.gen(function* () {
      const breaker = yield* openCircuit()
      yield* TestClock.adjust(4_001)
      const { retryAfterMillis } = yield* Effect.flip(breaker.acquire)
      assert.strictEqual(retryAfterMillis, 6_000)
      yield* TestClock.adjust(retryAfterMillis)
      yield* breaker.acquire
    })
  )

  it.effect("is shared by rejections of the same moment and says nothing of one caller's stack", () =>
    Effect.gen(function* () {
      const breaker = yield* openCircuit()
      const first = yield* Effect.flip(breaker.acquire)
      assert.strictEqual(yield* Effect.flip(breaker.acquire), first)
      assert.strictEqual(first.stack, "CircuitOpen: Circuit provider is Open, try again in 10000 ms")
      yield* TestClock.adjust(5_000)
      assert.strictEqual((yield* Effect.flip(breaker.acquire)).retryAfterMillis, 5_000)
    })
  )

  it.effect("names the state that rejected, also when the wait is the same", () =>
    Effect.gen(function* () {
      const breaker = yield* openCircuit()
      const open = yield* Effect.flip(breaker.acquire)
      yield* breaker.forceOpen
      const forced = yield* Effect.flip(breaker.acquire)
      assert.strictEqual(forced.retryAfterMillis, open.retryAfterMillis)
      assert.deepStrictEqual([open.state, forced.state], ["Open", "ForcedOpen"])
    })
  )

  it.effect("can be encoded and decoded", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip((yield* openCircuit()).acquire)
      const codec = Schema.toCodecJson(CircuitBreaker.CircuitOpen)
      const decoded = yield* Schema.decodeUnknownEffect(codec)(yield* Schema.encodeEffect(codec)(error))
      assert.deepStrictEqual(
        [decoded._tag, decoded.name, decoded.state, decoded.retryAfterMillis],
        ["CircuitOpen", "provider", "Open", 10_000]
      )
    })
  )
})

describe("CircuitBreaker commands", () => {
  it.effect("force a circuit open until it is reset", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make(small)
      yield* breaker.forceOpen
      yield* TestClock.adjust("30 days")
      assert.strictEqual((yield* Effect.flip(breaker.acquire)).state, "ForcedOpen")
      yield* breaker.reset
      assert.strictEqual(yield* succeed(breaker), "answer")
    })
  )

  it.effect("disable a circuit", () =>
    Effect.gen(function* () {
      const breaker = yield* openCircuit()
      yield* breaker.disable
      yield* Effect.repeat(fail(breaker), { times: 100 })
      assert.strictEqual(yield* tagOf(breaker), "Disabled")
      assert.strictEqual((yield* breaker.metrics).calls, 0)
    })
  )

  it.effect("let a circuit only measure", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make(small)
      yield* breaker.metricsOnly
      yield* Effect.repeat(fail(breaker), { times: 100 })
      const { failureRatePercent, state } = yield* breaker.metrics
      assert.deepStrictEqual([state, failureRatePercent], ["MetricsOnly", Option.some(100)])
    })
  )
})

describe("CircuitBreaker.transitions", () => {
  it.effect("tells every change of state in order, with the time it was made at", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make(small)
      const seen = yield* observe(breaker)
      yield* TestClock.adjust(500)
      yield* Effect.repeat(fail(breaker), { times: 3 })
      yield* TestClock.adjust(10_000)
      yield* Effect.repeat(succeed(breaker), { times: 2 })
      assert.deepStrictEqual(yield* seen, [
        { name: "provider", from: "Closed", to: "Open", atMillis: 500 },
        { name: "provider", from: "Open", to: "HalfOpen", atMillis: 10_500 },
        { name: "provider", from: "HalfOpen", to: "Closed", atMillis: 10_500 }
      ])
    })
  )

  it.effect("tells that a circuit became half-open at its time, though nobody calls", () =>
    Effect.gen(function* () {
      const breaker = yield* openCircuit({ ...small, halfOpenMillisMax: 4_000 })
      const seen = yield* observe(breaker)
      yield* TestClock.adjust(9_999)
      assert.deepStrictEqual(yield* seen, [])
      yield* TestClock.adjust(4_001)
      assert.deepStrictEqual(yield* seen, [
        { name: "provider", from: "Open", to: "HalfOpen", atMillis: 10_000 },
        { name: "provider", from: "HalfOpen", to: "Open", atMillis: 14_000 }
      ])
    })
  )

  it.effect("tells that a circuit became half-open at its time, when it opened after the subscription", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make(small)
      const seen = yield* observe(breaker)
      yield* TestClock.adjust(1_000)
      yield* Effect.repeat(fail(breaker), { times: 3 })
      yield* TestClock.adjust(60_000)
      assert.deepStrictEqual((yield* seen).at(-1), {
        name: "provider",
        from: "Open",
        to: "HalfOpen",
        atMillis: 11_000
      })
    })
  )

  it.effect("leave nothing running when their subscribers are gone", () =>
    Effect.gen(function* () {
      const breaker = yield* openCircuit()
      const subscriber = yield* Effect.forkChild(Stream.runDrain(breaker.transitions), { startImmediately: true })
      yield* Fiber.interrupt(subscriber)
      yield* TestClock.adjust(12_000)
      // Nobody made the move at 10 s; the next subscriber's look at the circuit makes it.
      const seen = yield* observe(breaker)
      assert.deepStrictEqual(yield* seen, [{ name: "provider", from: "Open", to: "HalfOpen", atMillis: 12_000 }])
    })
  )

  it.effect("tells of commands, and nothing when the state stays the same", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make(small)
      const seen = yield* observe(breaker)
      yield* Effect.all([breaker.reset, breaker.forceOpen, breaker.forceOpen, breaker.disable, breaker.metricsOnly])
      assert.deepStrictEqual(
        (yield* seen).map(({ to }) => to),
        ["ForcedOpen", "Disabled", "MetricsOnly"]
      )
    })
  )

  it.effect("reach every subscriber, and only from its subscription on", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make(small)
      const first = yield* observe(breaker)
      yield* breaker.forceOpen
      const second = yield* observe(breaker)
      yield* breaker.reset
      assert.deepStrictEqual(
        (yield* first).map(({ to }) => to),
        ["ForcedOpen", "Closed"]
      )
      assert.deepStrictEqual(
        (yield* second).map(({ to }) => to),
        ["Closed"]
      )
    })
  )

  it.effect("cost a slow subscriber its oldest ones and hold nobody up", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make(small)
      const gate = yield* Deferred.make<void>()
      const seen: Array<CircuitBreaker.Transition> = []
      const slow = yield* breaker.transitions.pipe(
        Stream.runForEach((transition) =>
          Effect.andThen(
            Deferred.await(gate),
            Effect.sync(() => seen.push(transition))
          )
        ),
        Effect.forkChild({ startImmediately: true })
      )
      yield* Effect.repeat(Effect.andThen(breaker.forceOpen, breaker.reset), { times: 200 })
      yield* breaker.disable
      yield* Deferred.succeed(gate, undefined)
      yield* Effect.repeat(Effect.yieldNow, { times: 500 })
      yield* Fiber.interrupt(slow)
      assert.strictEqual(seen.at(-1)?.to, "Disabled")
      assert.isAtMost(seen.length, 2 * CircuitBreaker.transitionsBufferedMax)
    })
  )

  it.effect("are counted as a metric by name, from and to", () =>
    Effect.gen(function* () {
      yield* openCircuit()
      const counter = Metric.withAttributes(CircuitBreaker.transitionsTotal, {
        name: "provider",
        from: "Closed",
        to: "Open"
      })
      assert.strictEqual((yield* Metric.value(counter)).count, 1)
    }).pipe(Effect.provideService(Metric.MetricRegistry, new Map()))
  )
})

describe("CircuitBreaker.metrics", () => {
  it.effect("counts outcomes since the breaker was made, across states", () =>
    Effect.gen(function* () {
      const breaker = yield* halfOpenCircuit()
      yield* Effect.repeat(succeed(breaker), { times: 2 })
      yield* Effect.exit(breaker.withBreaker(CircuitBreaker.classifyExit)(Effect.interrupt))
      yield* breaker.forceOpen
      yield* Effect.exit(succeed(breaker))
      const { name, state, totals } = yield* breaker.metrics
      assert.deepStrictEqual([name, state], ["provider", "ForcedOpen"])
      assert.deepStrictEqual(totals, { rejected: 1, succeeded: 3, failed: 4, ignored: 1, slow: 0, late: 0 })
    })
  )
})

describe("CircuitBreaker.classifyExit", () => {
  it("says that a success is healthy and a failure or defect is not", () => {
    assert.strictEqual(CircuitBreaker.classifyExit(Exit.void), "success")
    assert.strictEqual(CircuitBreaker.classifyExit(Exit.fail("down")), "failure")
    assert.strictEqual(CircuitBreaker.classifyExit(Exit.failCause(Cause.die("bug"))), "failure")
  })
})
