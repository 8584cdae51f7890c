/**
 * The contract of `DistributedLock`.
 *
 * @since 0.1.0
 */
import { assert } from "@effect/vitest"
import { Cause, Deferred, Effect, Exit, Fiber } from "effect"
import { DistributedLock } from "../ports/DistributedLock.ts"
import type { IdGenerator } from "../ports/IdGenerator.ts"
import { failsWith, freshSeed, law, type Law, suiteOf, type Timing } from "./Law.ts"

/** What the laws of this port need. */
export type Requirements = DistributedLock | IdGenerator

const rivalsCount = 8
const atOnce = { waitMillis: 0 }
const patiently = { waitMillis: 30_000 }

const freshKey = Effect.map(freshSeed, (seed) => `lock ${seed}`)

/** Runs an effect that holds a lock until it is told to let go. */
const holding = Effect.fnUntraced(function* (key: string) {
  const lock = yield* DistributedLock
  const [taken, released] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
  const fiber = yield* Effect.forkChild(
    lock.withLock(key)(Effect.andThen(Deferred.succeed(taken, undefined), Deferred.await(released)))
  )
  yield* Deferred.await(taken)
  return { fiber, letGo: Effect.andThen(Deferred.succeed(released, undefined), Fiber.join(fiber)) }
})

/** Everything a `DistributedLock` promises. */
export const laws = ({ leaseMillis, waitFor }: Timing): ReadonlyArray<Law<Requirements>> => {
  const isFree = Effect.fnUntraced(function* (key: string) {
    const lock = yield* DistributedLock
    return yield* Effect.match(lock.withLock(key, atOnce)(Effect.void), {
      onFailure: () => false,
      onSuccess: () => true
    })
  })

  return [
    law(
      "answers the effect's value and passes on its failure and its defect",
      Effect.gen(function* () {
        const lock = yield* DistributedLock
        const key = yield* freshKey
        assert.strictEqual(yield* lock.withLock(key)(Effect.succeed("done")), "done")
        yield* failsWith("Unwanted", lock.withLock(key)(Effect.fail({ _tag: "Unwanted" as const })))
        const exit = yield* Effect.exit(lock.withLock(key)(Effect.die("a bug")))
        assert.isTrue(Exit.isFailure(exit) && Cause.hasDies(exit.cause))
        assert.isTrue(yield* isFree(key))
      })
    ),

    law(
      "lets one in at a time",
      Effect.gen(function* () {
        const lock = yield* DistributedLock
        const key = yield* freshKey
        let inside = 0
        let entered = 0
        const enter = Effect.gen(function* () {
          assert.strictEqual(++inside, 1)
          for (let turn = 0; turn < 5; turn++) yield* Effect.yieldNow
          entered++
          inside--
        })
        yield* Effect.forEach(
          Array.from({ length: rivalsCount }, () => lock.withLock(key, patiently)(enter)),
          (rival) => rival,
          { concurrency: "unbounded" }
        )
        assert.strictEqual(entered, rivalsCount)
      })
    ),

    law(
      "does not wait when no waiting is wanted, and says that the lock is held",
      Effect.gen(function* () {
        const lock = yield* DistributedLock
        const key = yield* freshKey
        const { letGo } = yield* holding(key)
        const refused = yield* Effect.flip(lock.withLock(key, atOnce)(Effect.die("two at once")))
        assert.deepStrictEqual([refused._tag, refused.key, refused.reason], ["LockUnavailable", key, "held"])
        yield* letGo
        assert.isTrue(yield* isFree(key))
      })
    ),

    law(
      "waits only so long, and leaves the lock to its holder",
      Effect.gen(function* () {
        const lock = yield* DistributedLock
        const key = yield* freshKey
        const { letGo } = yield* holding(key)
        const waiting = yield* Effect.forkChild(
          Effect.flip(lock.withLock(key, { waitMillis: leaseMillis })(Effect.die("two at once"))),
          { startImmediately: true }
        )
        yield* waitFor(leaseMillis * 2)
        assert.strictEqual((yield* Fiber.join(waiting)).reason, "held")
        assert.isFalse(yield* isFree(key))
        yield* letGo
        assert.isTrue(yield* isFree(key))
      })
    ),

    law(
      "keeps locks of other keys free",
      Effect.gen(function* () {
        const [key, other] = [yield* freshKey, yield* freshKey]
        const { letGo } = yield* holding(key)
        assert.isTrue(yield* isFree(other))
        yield* letGo
      })
    ),

    law(
      "frees the lock of a holder that is interrupted",
      Effect.gen(function* () {
        const key = yield* freshKey
        const { fiber } = yield* holding(key)
        assert.isFalse(yield* isFree(key))
        yield* Fiber.interrupt(fiber)
        assert.isTrue(yield* isFree(key))
      })
    ),

    law(
      "forgets a waiter that is interrupted",
      Effect.gen(function* () {
        const lock = yield* DistributedLock
        const key = yield* freshKey
        const { letGo } = yield* holding(key)
        const waiting = yield* Effect.forkChild(lock.withLock(key, patiently)(Effect.never), {
          startImmediately: true
        })
        yield* Fiber.interrupt(waiting)
        assert.isFalse(yield* isFree(key))
        yield* letGo
        assert.isTrue(yield* isFree(key))
      })
    )
  ]
}

/** Runs the laws against a layer. */
export const suite = suiteOf<Requirements>("DistributedLock", laws)
