import { assert, describe, it } from "@effect/vitest"
import * as MoneyCalls from "@pillivery/application/Payments/MoneyCalls"
import { StorageError } from "@pillivery/application/ports/StorageError"
import * as Bulkhead from "@pillivery/application/resilience/Bulkhead"
import { Deferred, Effect, Fiber, Number, Ref } from "effect"
import { TestClock } from "effect/testing"

const storageFails = (reason: StorageError["reason"]) =>
  new StorageError({ operation: "test", reason, cause: "told to" })

const call = (steps: Ref.Ref<ReadonlyArray<string>>) => ({
  claim: Ref.update(steps, (done) => [...done, "claim"]),
  call: () => Ref.update(steps, (done) => [...done, "call"]).pipe(Effect.as("answer")),
  health: () => "success" as const,
  record: () => Ref.update(steps, (done) => [...done, "record"]),
  recordUnsent: Ref.update(steps, (done) => [...done, "recordUnsent"])
})

const idle = {
  claim: Effect.void,
  call: (): Effect.Effect<void> => Effect.void,
  health: () => "success" as const,
  record: (): Effect.Effect<void> => Effect.void,
  recordUnsent: Effect.void
}

const places = Bulkhead.approveSettings.concurrentMax

const start = <A, E, R>(count: number, dispatch: Effect.Effect<A, E, R>) =>
  Effect.replicateEffect(Effect.forkChild(dispatch, { startImmediately: true }), count)

describe("MoneyCalls.dispatch", () => {
  it.effect("claims, then calls, then records", () =>
    Effect.gen(function* () {
      const steps = yield* Ref.make<ReadonlyArray<string>>([])
      yield* (yield* MoneyCalls.MoneyCalls).dispatch(call(steps))
      assert.deepStrictEqual(yield* Ref.get(steps), ["claim", "call", "record"])
    }).pipe(Effect.provide(MoneyCalls.layer))
  )

  it.effect("calls nobody when the claim fails", () =>
    Effect.gen(function* () {
      const steps = yield* Ref.make<ReadonlyArray<string>>([])
      const calls = yield* MoneyCalls.MoneyCalls
      const failed = yield* Effect.flip(calls.dispatch({ ...call(steps), claim: Effect.fail("a rival was first") }))
      assert.strictEqual(failed, "a rival was first")
      assert.deepStrictEqual(yield* Ref.get(steps), [])
    }).pipe(Effect.provide(MoneyCalls.layer))
  )

  it.effect("records that nothing was sent when nobody knows whether the claim was committed", () =>
    Effect.gen(function* () {
      const steps = yield* Ref.make<ReadonlyArray<string>>([])
      const calls = yield* MoneyCalls.MoneyCalls
      yield* Effect.flip(calls.dispatch({ ...call(steps), claim: Effect.fail(storageFails("outcomeUnknown")) }))
      assert.deepStrictEqual(yield* Ref.get(steps), ["recordUnsent"])
    }).pipe(Effect.provide(MoneyCalls.layer))
  )

  it.effect("goes on to the record when its caller goes away in the middle of the call", () =>
    Effect.gen(function* () {
      const steps = yield* Ref.make<ReadonlyArray<string>>([])
      const calls = yield* MoneyCalls.MoneyCalls
      const called = yield* Deferred.make<void>()
      const answered = yield* Deferred.make<string>()
      const caller = yield* Effect.forkChild(
        calls.dispatch({
          ...call(steps),
          call: () => Effect.andThen(Deferred.succeed(called, undefined), Deferred.await(answered))
        }),
        { startImmediately: true }
      )
      yield* Deferred.await(called)
      yield* Fiber.interrupt(caller)
      assert.deepStrictEqual(yield* Ref.get(steps), ["claim"])
      yield* Deferred.succeed(answered, "answer")
      yield* calls.drain
      assert.deepStrictEqual(yield* Ref.get(steps), ["claim", "record"])
    }).pipe(Effect.provide(MoneyCalls.layer))
  )

  it.effect("records an answer again and again while the store fails, and calls only once", () =>
    Effect.gen(function* () {
      const steps = yield* Ref.make<ReadonlyArray<string>>([])
      const calls = yield* MoneyCalls.MoneyCalls
      const tries = yield* Ref.make(0)
      const fiber = yield* Effect.forkChild(
        calls.dispatch({
          ...call(steps),
          record: () =>
            Ref.updateAndGet(tries, (count) => count + 1).pipe(
              Effect.flatMap((count) =>
                count < 4 ? Effect.fail(storageFails("unavailable")) : Effect.succeed("recorded")
              )
            )
        }),
        { startImmediately: true }
      )
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(yield* Fiber.join(fiber), "recorded")
      assert.deepStrictEqual(yield* Ref.get(steps), ["claim", "call"])
    }).pipe(Effect.provide(MoneyCalls.layer))
  )

  it.effect("tries again to record an answer when it was stopped for hours meanwhile", () =>
    Effect.gen(function* () {
      const steps = yield* Ref.make<ReadonlyArray<string>>([])
      const calls = yield* MoneyCalls.MoneyCalls
      const tries = yield* Ref.make(0)
      const record = () =>
        Effect.flatMap(
          Ref.updateAndGet(tries, (count) => count + 1),
          (count) =>
            count < MoneyCalls.recordTriesMin
              ? Effect.andThen(Effect.sleep("13 hours"), Effect.fail(storageFails("unavailable")))
              : Effect.succeed("recorded")
        )
      const fiber = yield* Effect.forkChild(calls.dispatch({ ...call(steps), record }), { startImmediately: true })
      yield* TestClock.adjust("5 days")
      assert.strictEqual(yield* Fiber.join(fiber), "recorded")
    }).pipe(Effect.provide(MoneyCalls.layer))
  )

  it.effect("gives an answer up when the store fails for longer than its time", () =>
    Effect.gen(function* () {
      const steps = yield* Ref.make<ReadonlyArray<string>>([])
      const calls = yield* MoneyCalls.MoneyCalls
      const record = () => Effect.fail(storageFails("unavailable"))
      const fiber = yield* Effect.forkChild(Effect.flip(calls.dispatch({ ...call(steps), record })), {
        startImmediately: true
      })
      yield* TestClock.adjust("55 seconds")
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust("20 seconds")
      assert.strictEqual((yield* Fiber.join(fiber))._tag, "StorageError")
    }).pipe(Effect.provide(MoneyCalls.layer))
  )

  it.effect("sends nothing more after the provider stayed silent too often", () =>
    Effect.gen(function* () {
      const calls = yield* MoneyCalls.MoneyCalls
      const sent = yield* Ref.make(0)
      const failing = {
        claim: Effect.void,
        call: () => Ref.update(sent, (count) => count + 1),
        health: () => "failure" as const,
        record: () => Effect.void,
        recordUnsent: Effect.void
      }
      yield* Effect.repeat(calls.dispatch(failing), { times: 19 })
      const refused = yield* Effect.flip(calls.dispatch(failing))
      assert.strictEqual(refused._tag, "CircuitOpen")
      assert.strictEqual(yield* Ref.get(sent), 20)
    }).pipe(Effect.provide(MoneyCalls.layer))
  )

  it.effect("refuses at once when the circuit opens with every place taken, and records unsent who was claimed", () =>
    Effect.gen(function* () {
      const calls = yield* MoneyCalls.MoneyCalls
      const money = calls.breakers.find(({ name }) => name === "money") ?? assert.fail("no breaker of money calls")
      const answered = yield* Deferred.make<string>()
      const sent = yield* Ref.make(0)
      const unsent = yield* Ref.make(0)
      const silent = {
        claim: Effect.void,
        call: () => Effect.andThen(Ref.update(sent, Number.increment), Deferred.await(answered)),
        health: () => "failure" as const,
        record: () => Effect.void,
        recordUnsent: Ref.update(unsent, Number.increment)
      }
      const dispatch = Effect.forkChild(Effect.exit(calls.dispatch(silent)), { startImmediately: true })
      const placed = yield* Effect.replicateEffect(dispatch, Bulkhead.approveSettings.concurrentMax)
      const waiting = yield* dispatch
      yield* money.forceOpen
      const refused = yield* Effect.flip(calls.dispatch(silent))
      assert.strictEqual(refused._tag, "CircuitOpen")
      yield* Deferred.succeed(answered, "answer")
      yield* Effect.forEach(placed, Fiber.join)
      assert.strictEqual((yield* Effect.flip(yield* Fiber.join(waiting)))._tag, "CircuitOpen")
      assert.strictEqual(yield* Ref.get(sent), Bulkhead.approveSettings.concurrentMax)
      assert.strictEqual(yield* Ref.get(unsent), 1)
    }).pipe(Effect.provide(MoneyCalls.layer))
  )

  it.effect("records unsent what was claimed and finds no place in time", () =>
    Effect.gen(function* () {
      const steps = yield* Ref.make<ReadonlyArray<string>>([])
      const calls = yield* MoneyCalls.MoneyCalls
      const answered = yield* Deferred.make<void>()
      const placed = yield* start(places, calls.dispatch({ ...idle, call: () => Deferred.await(answered) }))
      const waiting = yield* start(1, Effect.flip(calls.dispatch(call(steps))))
      yield* TestClock.adjust(Bulkhead.approveSettings.waitMillisMax)
      const [refused] = yield* Effect.forEach(waiting, Fiber.join)
      assert.strictEqual(refused?._tag, "BulkheadFull")
      assert.deepStrictEqual(yield* Ref.get(steps), ["claim", "recordUnsent"])
      yield* Deferred.succeed(answered, undefined)
      yield* Effect.forEach(placed, Fiber.join)
    }).pipe(Effect.provide(MoneyCalls.layer))
  )

  it.effect("holds no place at the provider while it claims and while it records", () =>
    Effect.gen(function* () {
      const steps = yield* Ref.make<ReadonlyArray<string>>([])
      const calls = yield* MoneyCalls.MoneyCalls
      const stored = yield* Deferred.make<void>()
      const recording = yield* start(places, calls.dispatch({ ...idle, record: () => Deferred.await(stored) }))
      const claiming = yield* start(places, calls.dispatch({ ...idle, claim: Deferred.await(stored) }))
      yield* calls.dispatch(call(steps))
      assert.deepStrictEqual(yield* Ref.get(steps), ["claim", "call", "record"])
      yield* Deferred.succeed(stored, undefined)
      yield* Effect.forEach([...recording, ...claiming], Fiber.join)
    }).pipe(Effect.provide(MoneyCalls.layer))
  )

  it.effect("claims no more than so many ahead of those that have a place", () =>
    Effect.gen(function* () {
      const claimed = yield* Ref.make(0)
      const calls = yield* MoneyCalls.MoneyCalls
      const answered = yield* Deferred.make<void>()
      const asking = { ...idle, claim: Ref.update(claimed, Number.increment), call: () => Deferred.await(answered) }
      const asked = yield* start(places + MoneyCalls.aheadMax + 10, calls.dispatch(asking))
      assert.strictEqual(yield* Ref.get(claimed), places + MoneyCalls.aheadMax)
      yield* Deferred.succeed(answered, undefined)
      yield* Effect.forEach(asked, Fiber.join)
      assert.strictEqual(yield* Ref.get(claimed), places + MoneyCalls.aheadMax + 10)
    }).pipe(Effect.provide(MoneyCalls.layer))
  )
})

describe("MoneyCalls.lookup", () => {
  it.effect("asks while money calls are cut off, and refuses at once when its own circuit opens", () =>
    Effect.gen(function* () {
      const calls = yield* MoneyCalls.MoneyCalls
      const [money, lookups] = calls.breakers
      const lookup = calls.lookup(() => "success", Effect.succeed("answer"))
      yield* money?.forceOpen ?? assert.fail()
      assert.strictEqual(yield* lookup, "answer")
      const asking = Effect.forkChild(
        calls.lookup(() => "success", Effect.never),
        { startImmediately: true }
      )
      const { concurrentMax, queueMax } = Bulkhead.lookupSettings
      yield* Effect.replicateEffect(asking, concurrentMax + queueMax)
      assert.strictEqual((yield* Effect.flip(lookup))._tag, "BulkheadFull")
      yield* lookups?.forceOpen ?? assert.fail()
      assert.strictEqual((yield* Effect.flip(lookup))._tag, "CircuitOpen")
    }).pipe(Effect.provide(MoneyCalls.layer))
  )
})
