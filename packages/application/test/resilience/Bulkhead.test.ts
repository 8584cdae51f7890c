import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, References, Scope } from "effect"
import { TestClock } from "effect/testing"
import * as Bulkhead from "../../src/resilience/Bulkhead.ts"

const small = { name: "provider", concurrentMax: 2, queueMax: 3, waitMillisMax: 10_000 }

/** The fewest operations a fiber can be made to yield after and still get on: its resumption takes two. */
const operationsMin = 3

const running = (bulkhead: Bulkhead.Bulkhead) =>
  Effect.map(bulkhead.metrics, (metrics) => [metrics.running, metrics.waiting])

const settle = Effect.repeat(Effect.yieldNow, { times: 20 })

const forkHeld = (bulkhead: Bulkhead.Bulkhead, count: number) =>
  Effect.forEach(Array.from({ length: count }), () =>
    Effect.forkChild(bulkhead.withBulkhead(Effect.never), { startImmediately: true })
  )

describe("Bulkhead.withBulkhead", () => {
  it.effect("passes values and errors through and frees its place", () =>
    Effect.gen(function* () {
      const bulkhead = yield* Bulkhead.make(small)
      assert.strictEqual(yield* bulkhead.withBulkhead(Effect.succeed(1)), 1)
      assert.strictEqual(yield* Effect.flip(bulkhead.withBulkhead(Effect.fail("down"))), "down")
      assert.isTrue(Exit.hasDies(yield* Effect.exit(bulkhead.withBulkhead(Effect.die("bug")))))
      assert.deepStrictEqual(yield* running(bulkhead), [0, 0])
      assert.strictEqual((yield* bulkhead.metrics).admittedTotal, 3)
    })
  )

  it.effect("runs no more than its number at once, and all of them in the end", () =>
    Effect.gen(function* () {
      const bulkhead = yield* Bulkhead.make({ ...small, concurrentMax: 7, queueMax: 5_000 })
      let now = 0
      let peak = 0
      let done = 0
      const call = Effect.acquireUseRelease(
        Effect.sync(() => {
          now++
          peak = Math.max(peak, now)
        }),
        () => Effect.repeat(Effect.yieldNow, { times: 3 }),
        () =>
          Effect.sync(() => {
            now--
            done++
          })
      )
      yield* Effect.forEach(Array.from({ length: 3_000 }), () => bulkhead.withBulkhead(call), {
        concurrency: "unbounded",
        discard: true
      })
      assert.deepStrictEqual([peak, done, now], [7, 3_000, 0])
      assert.deepStrictEqual(yield* running(bulkhead), [0, 0])
    })
  )

  it.effect("rejects at once when the queue is full, without running the call", () =>
    Effect.gen(function* () {
      const bulkhead = yield* Bulkhead.make(small)
      yield* forkHeld(bulkhead, 5)
      assert.deepStrictEqual(yield* running(bulkhead), [2, 3])
      let runs = 0
      const error = yield* Effect.flip(bulkhead.withBulkhead(Effect.sync(() => runs++)))
      assert.deepStrictEqual(
        [error._tag, error.name, error.reason, error.concurrentMax],
        ["BulkheadFull", "provider", "QueueFull", 2]
      )
      assert.strictEqual(runs, 0)
      assert.strictEqual((yield* bulkhead.metrics).queueFullTotal, 1)
    })
  )

  it.effect("rejects after the longest wait and leaves the queue", () =>
    Effect.gen(function* () {
      const bulkhead = yield* Bulkhead.make(small)
      yield* forkHeld(bulkhead, 2)
      const fiber = yield* Effect.forkChild(Effect.flip(bulkhead.withBulkhead(Effect.void)))
      yield* TestClock.adjust(9_999)
      assert.deepStrictEqual(yield* running(bulkhead), [2, 1])
      yield* TestClock.adjust(1)
      assert.strictEqual((yield* Fiber.join(fiber)).reason, "WaitedTooLong")
      assert.deepStrictEqual(yield* running(bulkhead), [2, 0])
      assert.strictEqual((yield* bulkhead.metrics).waitedTooLongTotal, 1)
    })
  )

  it.effect("lets nobody wait when the wait or the queue is 0", () =>
    Effect.gen(function* () {
      for (const none of [{ waitMillisMax: 0 }, { queueMax: 0 }]) {
        const bulkhead = yield* Bulkhead.make({ ...small, ...none })
        yield* forkHeld(bulkhead, 2)
        assert.strictEqual((yield* Effect.flip(bulkhead.withBulkhead(Effect.void))).reason, "QueueFull")
      }
    })
  )

  it.effect("gives places in the order of asking", () =>
    Effect.gen(function* () {
      const bulkhead = yield* Bulkhead.make({ ...small, concurrentMax: 1 })
      const gate = yield* Deferred.make<void>()
      const order: Array<number> = []
      const fibers = yield* Effect.forEach([0, 1, 2, 3], (n) =>
        Effect.forkChild(
          bulkhead.withBulkhead(
            Effect.andThen(
              Deferred.await(gate),
              Effect.sync(() => order.push(n))
            )
          ),
          { startImmediately: true }
        )
      )
      yield* Deferred.succeed(gate, undefined)
      yield* Effect.forEach(fibers, Fiber.join)
      assert.deepStrictEqual(order, [0, 1, 2, 3])
    })
  )

  it.effect("frees the place of an interrupted call for the one that waited longest", () =>
    Effect.gen(function* () {
      const bulkhead = yield* Bulkhead.make(small)
      const held = yield* forkHeld(bulkhead, 2)
      const waiting = yield* Effect.forkChild(bulkhead.withBulkhead(Effect.succeed("ran")))
      yield* settle
      yield* Fiber.interruptAll(held.slice(0, 1))
      assert.strictEqual(yield* Fiber.join(waiting), "ran")
      assert.deepStrictEqual(yield* running(bulkhead), [1, 0])
    })
  )

  it.effect("forgets a call that is interrupted while it waits", () =>
    Effect.gen(function* () {
      const bulkhead = yield* Bulkhead.make(small)
      const held = yield* forkHeld(bulkhead, 2)
      const waiting = yield* forkHeld(bulkhead, 2)
      yield* Fiber.interruptAll(waiting)
      assert.deepStrictEqual(yield* running(bulkhead), [2, 0])
      yield* Fiber.interruptAll(held)
      assert.deepStrictEqual(yield* running(bulkhead), [0, 0])
    })
  )

  it.effect("loses no place, at whichever operation a waiting call is interrupted", () =>
    Effect.gen(function* () {
      const bulkhead = yield* Bulkhead.make({ ...small, concurrentMax: 1 })
      const ends = new Set<string>()
      for (let operations = 0; operations < 80; operations++) {
        const holder = yield* Effect.forkChild(bulkhead.withBulkhead(Effect.repeat(Effect.yieldNow, { times: 15 })), {
          startImmediately: true
        })
        const waiting = yield* bulkhead
          .withBulkhead(Effect.andThen(Effect.yieldNow, Effect.void))
          .pipe(
            Effect.provideService(References.MaxOpsBeforeYield, operationsMin),
            Effect.forkChild({ startImmediately: true })
          )
        for (let n = 0; n < operations; n++) yield* Effect.yieldNow
        yield* Fiber.interrupt(waiting)
        ends.add((yield* Fiber.await(waiting))._tag)
        yield* Fiber.join(holder)
        assert.deepStrictEqual(yield* running(bulkhead), [0, 0], `interrupted after ${operations} operations`)
      }
      assert.deepStrictEqual(ends, new Set(["Failure", "Success"]))
    })
  )
})

describe("Bulkhead when a place becomes free", () => {
  const waitingOn = (bulkhead: Bulkhead.Bulkhead) =>
    bulkhead
      .withBulkhead(Effect.succeed("ran"))
      .pipe(
        Effect.provideService(References.MaxOpsBeforeYield, operationsMin),
        Effect.exit,
        Effect.forkChild({ startImmediately: true })
      )

  it.effect("serves the waiting call at once, at whichever operation of its wait that is", () =>
    Effect.gen(function* () {
      for (let operations = 0; operations < 40; operations++) {
        const bulkhead = yield* Bulkhead.make({ ...small, concurrentMax: 1 })
        const permit = yield* bulkhead.acquire
        const waiting = yield* waitingOn(bulkhead)
        for (let n = 0; n < operations; n++) yield* Effect.yieldNow
        yield* permit.release
        assert.deepStrictEqual(yield* Fiber.join(waiting), Exit.succeed("ran"))
      }
    })
  )

  it.effect("serves the waiting call or rejects it, never both, at whichever operation of its timeout that is", () =>
    Effect.gen(function* () {
      const reasons = new Set<string>()
      for (let operations = 0; operations < 40; operations++) {
        const bulkhead = yield* Bulkhead.make({ ...small, concurrentMax: 1 })
        const permit = yield* bulkhead.acquire
        const waiting = yield* waitingOn(bulkhead)
        yield* settle
        const adjusting = yield* Effect.forkChild(TestClock.adjust(small.waitMillisMax), { startImmediately: true })
        for (let n = 0; n < operations; n++) yield* Effect.yieldNow
        yield* permit.release
        yield* Fiber.join(adjusting)
        const exit = yield* Fiber.join(waiting)
        const { admittedTotal, running, waitedTooLongTotal } = yield* bulkhead.metrics
        const expected = Exit.isSuccess(exit) ? [2, 0, 0] : [1, 1, 0]
        assert.deepStrictEqual([admittedTotal, waitedTooLongTotal, running], expected, `after ${operations} operations`)
        reasons.add(exit._tag)
      }
      assert.deepStrictEqual(reasons, new Set(["Success", "Failure"]))
    })
  )
})

describe("Bulkhead.acquire", () => {
  it.effect("gives a permit that frees its place once", () =>
    Effect.gen(function* () {
      const bulkhead = yield* Bulkhead.make(small)
      const first = yield* bulkhead.acquire
      yield* bulkhead.acquire
      yield* first.release
      yield* first.release
      assert.deepStrictEqual(yield* running(bulkhead), [1, 0])
    })
  )

  it.effect("waits for a place in an uninterruptible region, and no longer than it may", () =>
    Effect.gen(function* () {
      const bulkhead = yield* Bulkhead.make(small)
      const permit = yield* bulkhead.acquire
      yield* bulkhead.acquire
      const served = yield* Effect.forkChild(Effect.uninterruptible(bulkhead.acquire))
      const unserved = yield* Effect.forkChild(Effect.uninterruptible(Effect.flip(bulkhead.acquire)))
      yield* settle
      yield* permit.release
      yield* Fiber.join(served)
      yield* TestClock.adjust(10_000)
      assert.strictEqual((yield* Fiber.join(unserved)).reason, "WaitedTooLong")
      assert.deepStrictEqual(yield* running(bulkhead), [2, 0])
    })
  )

  it.effect("leaves the queue when it is interrupted while it waits", () =>
    Effect.gen(function* () {
      const bulkhead = yield* Bulkhead.make(small)
      yield* forkHeld(bulkhead, 2)
      const fiber = yield* Effect.forkChild(bulkhead.acquire, { startImmediately: true })
      assert.deepStrictEqual(yield* running(bulkhead), [2, 1])
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual(yield* running(bulkhead), [2, 0])
    })
  )
})

describe("Bulkhead.acquireScoped", () => {
  it.effect("holds its place until the scope closes", () =>
    Effect.gen(function* () {
      const bulkhead = yield* Bulkhead.make(small)
      const scope = yield* Scope.make()
      yield* Scope.provide(bulkhead.acquireScoped, scope)
      assert.deepStrictEqual(yield* running(bulkhead), [1, 0])
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual(yield* running(bulkhead), [0, 0])
    })
  )

  it.effect("frees its place once when it is released before the scope closes", () =>
    Effect.gen(function* () {
      const bulkhead = yield* Bulkhead.make(small)
      yield* bulkhead.acquire
      yield* Effect.scoped(Effect.flatMap(bulkhead.acquireScoped, (permit) => permit.release))
      assert.deepStrictEqual(yield* running(bulkhead), [1, 0])
    })
  )

  it.effect("loses no place, at whichever operation it is interrupted", () =>
    Effect.gen(function* () {
      const bulkhead = yield* Bulkhead.make({ ...small, concurrentMax: 1 })
      for (let operations = 0; operations < 80; operations++) {
        const holder = yield* Effect.forkChild(bulkhead.withBulkhead(Effect.repeat(Effect.yieldNow, { times: 15 })), {
          startImmediately: true
        })
        const waiting = yield* Effect.scoped(Effect.andThen(bulkhead.acquireScoped, Effect.void)).pipe(
          Effect.provideService(References.MaxOpsBeforeYield, operationsMin),
          Effect.forkChild({ startImmediately: true })
        )
        for (let n = 0; n < operations; n++) yield* Effect.yieldNow
        yield* Fiber.interrupt(waiting)
        yield* Fiber.join(holder)
        assert.deepStrictEqual(yield* running(bulkhead), [0, 0], `interrupted after ${operations} operations`)
      }
    })
  )
})

describe("Bulkhead.make", () => {
  it.effect("dies on settings out of their range", () =>
    Effect.gen(function* () {
      for (const wrong of [{ concurrentMax: 0 }, { queueMax: -1 }, { waitMillisMax: Number.POSITIVE_INFINITY }]) {
        assert.isTrue(Exit.hasDies(yield* Effect.exit(Bulkhead.make({ ...small, ...wrong }))))
      }
    })
  )

  it.effect("rejects the 101st lookup, and no approval before its 10 s are over", () =>
    Effect.gen(function* () {
      const lookups = yield* Bulkhead.make({ name: "lookup", ...Bulkhead.lookupSettings })
      yield* forkHeld(lookups, 100)
      assert.strictEqual((yield* Effect.flip(lookups.withBulkhead(Effect.void))).reason, "QueueFull")

      const approvals = yield* Bulkhead.make({ name: "approve", ...Bulkhead.approveSettings })
      yield* forkHeld(approvals, 50)
      const fiber = yield* Effect.forkChild(Effect.flip(approvals.withBulkhead(Effect.void)))
      yield* TestClock.adjust(9_999)
      assert.deepStrictEqual(yield* running(approvals), [50, 1])
      yield* TestClock.adjust(1)
      assert.strictEqual((yield* Fiber.join(fiber)).reason, "WaitedTooLong")
    })
  )
})
