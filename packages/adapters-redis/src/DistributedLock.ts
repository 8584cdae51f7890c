/**
 * Locks in Redis: one key a lock, with a lease.
 *
 * The key holds a random token of the holder and expires by itself, so that a holder that dies frees it within the
 * lease. Renewing and releasing compare the token, so that nobody touches a lock that has become another's.
 *
 * **Gotchas**
 *
 * A holder that loses its lease (Redis forgot it, or could not be reached for longer than the lease) is not told and
 * goes on, so two may run at once. That is allowed: the lock saves work, and correctness rests on the database alone.
 *
 * @since 0.1.0
 */
import {
  DistributedLock,
  lockLeaseMillis,
  LockUnavailable,
  lockWaitMillis
} from "@pillivery/application/ports/DistributedLock"
import { Clock, Effect, Fiber, Layer, Random } from "effect"
import * as Redis from "effect/persistence/Redis"
import { randomUUID } from "node:crypto"
import { keyPrefixDefault } from "./Client.ts"

/** The shortest and the longest pause between two tries for a held lock, in milliseconds; drawn anew for each pause. */
export const pollMillis = { min: 50, max: 150 }

/** A lease is renewed this many times in its length, so that one that fails does not lose it. */
const renewalsPerLease = 3
/** A renewal that failed is tried again this many times in the length of a lease. */
const retriesPerLease = 20

/** How locks are kept; every default is the port's. */
export interface Options {
  readonly keyPrefix?: string
  readonly leaseMillis?: number
}

const extend = Redis.script((key: string, token: string, leaseMillis: number) => [key, token, leaseMillis], {
  numberOfKeys: 1,
  lua: `
if redis.call("GET", KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call("PEXPIRE", KEYS[1], ARGV[2])`
}).withReturnType<number>()

const release = Redis.script((key: string, token: string) => [key, token], {
  numberOfKeys: 1,
  lua: `
if redis.call("GET", KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call("DEL", KEYS[1])`
}).withReturnType<number>()

interface Held {
  readonly key: string
  readonly token: string
}

const make = Effect.fnUntraced(function* (options: Options) {
  const { keyPrefix = keyPrefixDefault, leaseMillis = lockLeaseMillis } = options
  const redis = yield* Redis.Redis
  const evalExtend = redis.eval(extend)
  const evalRelease = redis.eval(release)
  const redisKey = (key: string) => `${keyPrefix}lock:${key}`

  /** One try: whether the lock is ours now. */
  const take = ({ key, token }: Held) =>
    redis.send<string | null>("SET", redisKey(key), token, "NX", "PX", String(leaseMillis)).pipe(
      Effect.map((answer) => answer === "OK"),
      Effect.mapError(() => new LockUnavailable({ key, reason: "storeGone" }))
    )

  /** Tries until the lock is ours or the wait is over. Only the pauses can be interrupted: what was taken is known. */
  const takeWithin = Effect.fnUntraced(function* (
    held: Held,
    waitMillis: number,
    interruptibly: (pause: Effect.Effect<void>) => Effect.Effect<void>
  ): Effect.fn.Return<void, LockUnavailable> {
    const deadline = (yield* Clock.currentTimeMillis) + waitMillis
    while (!(yield* take(held))) {
      const left = deadline - (yield* Clock.currentTimeMillis)
      if (left <= 0) return yield* new LockUnavailable({ key: held.key, reason: "held" })
      const pause = yield* Random.nextBetween(pollMillis.min, pollMillis.max)
      yield* interruptibly(Effect.sleep(Math.min(pause, left)))
    }
  })

  /** Renews until the lock is no longer ours. A Redis out of reach may be back before the lease ends. */
  const renew = Effect.fnUntraced(function* ({ key, token }: Held) {
    let renewal: "done" | "failed" | "lost" = "done"
    while (renewal !== "lost") {
      yield* Effect.sleep(leaseMillis / (renewal === "done" ? renewalsPerLease : retriesPerLease))
      renewal = yield* Effect.match(evalExtend(redisKey(key), token, leaseMillis), {
        onFailure: () => "failed" as const,
        onSuccess: (extended) => (extended === 1 ? ("done" as const) : ("lost" as const))
      })
    }
    yield* Effect.logWarning(`lock ${key} was lost; its holder goes on without it`)
  })

  /** A release that fails leaves the lock to its lease. */
  const giveBack = ({ key, token }: Held) => Effect.ignore(evalRelease(redisKey(key), token))

  return DistributedLock.of({
    withLock:
      (key, { waitMillis = lockWaitMillis } = {}) =>
      (effect) =>
        Effect.uninterruptibleMask((restore) =>
          Effect.gen(function* () {
            const held = { key, token: randomUUID() }
            yield* takeWithin(held, waitMillis, restore)
            const renewal = yield* Effect.forkChild(renew(held))
            return yield* restore(effect).pipe(
              Effect.ensuring(Effect.andThen(Fiber.interrupt(renewal), giveBack(held)))
            )
          })
        )
  })
})

/** `DistributedLock` on Redis with these options; a lease shorter than the port's is for tests. */
export const layerWith = (options: Options): Layer.Layer<DistributedLock, never, Redis.Redis> =>
  Layer.effect(DistributedLock, make(options))

/** `DistributedLock` on Redis. */
export const layer: Layer.Layer<DistributedLock, never, Redis.Redis> = layerWith({})
