import { assert, describe, it } from "@effect/vitest"
import { DistributedLock } from "@pillivery/application/ports/DistributedLock"
import { suite } from "@pillivery/application/testing/DistributedLockSuite"
import { live } from "@pillivery/application/testing/Law"
import { Context, Effect, Fiber, Layer, type Redacted } from "effect"
import * as Redis from "effect/persistence/Redis"
import { spawn } from "node:child_process"
import { randomUUID } from "node:crypto"
import { fileURLToPath } from "node:url"
import * as Client from "../src/Client.ts"
import * as RedisLock from "../src/DistributedLock.ts"
import { client, eventually, ids, keyPrefix, privateRedis, runningRedis, timed, url } from "./TestRedis.ts"

const leaseMillis = 400

/** A server of the shop: a lock over a connection of its own. */
const server = (redisUrl: Redacted.Redacted = url, options: RedisLock.Options = { leaseMillis }) =>
  Effect.map(
    Layer.build(
      Layer.provideMerge(
        RedisLock.layerWith({ keyPrefix, ...options }),
        Client.layer({ url: redisUrl, commandTimeoutMillis: 300, connectTimeoutMillis: 300 })
      )
    ),
    (context) => ({ ...Context.get(context, DistributedLock), redis: Context.get(context, Redis.Redis) })
  )

const anyKey = () => `orders/${randomUUID()}`
const redisKey = (key: string) => `${keyPrefix}lock:${key}`

suite(
  "Redis",
  Layer.merge(Layer.provide(RedisLock.layerWith({ keyPrefix, leaseMillis: live.leaseMillis }), client), ids),
  live
)

describe("DistributedLock on Redis", () => {
  it.live("lets one in at a time among 20 fibers on two connections", () =>
    Effect.gen(function* () {
      const servers = [yield* server(), yield* server()]
      const key = anyKey()
      let inside = 0
      let insideMax = 0
      let runs = 0
      const work = Effect.gen(function* () {
        inside++
        insideMax = Math.max(insideMax, inside)
        yield* Effect.sleep(5)
        inside--
        runs++
      })
      yield* Effect.forEach(
        Array.from({ length: 20 }, (_, index) => index),
        (index) => servers[index % 2]?.withLock(key, { waitMillis: 20_000 })(work) ?? Effect.die("no server"),
        { concurrency: "unbounded", discard: true }
      )
      assert.deepStrictEqual({ insideMax, runs }, { insideMax: 1, runs: 20 })
    }).pipe(Effect.scoped)
  )

  it.live("is held for as long as the effect runs, longer than its lease", () =>
    Effect.gen(function* () {
      const [holder, rival] = [yield* server(), yield* server()]
      const key = anyKey()
      const held = yield* Effect.forkChild(holder.withLock(key)(Effect.sleep(leaseMillis * 4)))
      yield* Effect.sleep(leaseMillis * 3)
      const error = yield* Effect.flip(rival.withLock(key, { waitMillis: 0 })(Effect.void))
      assert.deepInclude(error, { _tag: "LockUnavailable", key, reason: "held" })
      yield* Fiber.join(held)
      yield* rival.withLock(key, { waitMillis: 0 })(Effect.void)
    }).pipe(Effect.scoped)
  )

  it.live("is leased from the first moment", () =>
    Effect.gen(function* () {
      const holder = yield* server()
      const key = anyKey()
      const ttl = yield* holder.withLock(key)(holder.redis.send<number>("PTTL", redisKey(key)))
      assert.isAtMost(ttl, leaseMillis)
      assert.isAbove(ttl, 0)
    }).pipe(Effect.scoped)
  )

  it.live("waits no longer than asked", () =>
    Effect.gen(function* () {
      const [holder, rival] = [yield* server(), yield* server()]
      const key = anyKey()
      yield* Effect.forkChild(holder.withLock(key)(Effect.never))
      yield* eventually(Effect.flip(rival.withLock(key, { waitMillis: 0 })(Effect.void)))
      const { result, millis } = yield* timed(rival.withLock(key, { waitMillis: 300 })(Effect.void))
      assert.strictEqual(result._tag, "Failure")
      assert.isAtLeast(millis, 299)
      assert.isBelow(millis, 1_000)
    }).pipe(Effect.scoped)
  )

  it.live("is free within its lease after the process that held it was killed", () =>
    Effect.gen(function* () {
      const survivor = yield* server()
      const key = anyKey()
      const holder = spawn(
        process.execPath,
        [
          "--conditions=@pillivery/source",
          fileURLToPath(new URL("fixtures/holdLock.ts", import.meta.url)),
          JSON.stringify({ keyPrefix, key, leaseMillis })
        ],
        { stdio: ["ignore", "pipe", "inherit"] }
      )
      yield* Effect.addFinalizer(() => Effect.sync(() => holder.kill("SIGKILL")))
      yield* Effect.callback<void>((resume) => {
        holder.stdout.once("data", () => resume(Effect.void))
      })
      // Beyond the first lease, so that it is the renewing holder that dies.
      yield* Effect.sleep(leaseMillis * 1.5)
      assert.strictEqual((yield* Effect.flip(survivor.withLock(key, { waitMillis: 0 })(Effect.void))).reason, "held")
      holder.kill("SIGKILL")
      const { result, millis } = yield* timed(survivor.withLock(key)(Effect.succeed("mine")))
      assert.strictEqual(result._tag, "Success")
      assert.isBelow(millis, leaseMillis + 300)
    }).pipe(Effect.scoped)
  )

  it.live("is neither renewed nor released by one who lost it", () =>
    Effect.gen(function* () {
      const [holder, rival] = [yield* server(), yield* server()]
      const key = anyKey()
      const finish = yield* Effect.forkChild(holder.withLock(key)(Effect.as(Effect.sleep(leaseMillis), "finished")))
      yield* eventually(
        Effect.flatMap(rival.redis.send("GET", redisKey(key)), (token) =>
          token === null ? Effect.fail("not yet") : Effect.void
        )
      )
      // As if Redis had forgotten the lock and another had taken it.
      yield* rival.redis.send("SET", redisKey(key), "another", "PX", "60000")
      assert.strictEqual(yield* Fiber.join(finish), "finished")
      assert.strictEqual(yield* rival.redis.send("GET", redisKey(key)), "another")
      assert.isAbove(yield* rival.redis.send<number>("PTTL", redisKey(key)), 50_000)
      yield* rival.redis.send("DEL", redisKey(key))
    }).pipe(Effect.scoped)
  )

  it.live("is released when the effect fails, dies or is interrupted", () =>
    Effect.gen(function* () {
      const holder = yield* server()
      const key = anyKey()
      assert.strictEqual(yield* Effect.flip(holder.withLock(key)(Effect.fail("no"))), "no")
      yield* Effect.exit(holder.withLock(key)(Effect.die("bug")))
      const running = yield* Effect.forkChild(holder.withLock(key)(Effect.never))
      yield* Effect.sleep(50)
      yield* Fiber.interrupt(running)
      assert.strictEqual(yield* holder.redis.send("GET", redisKey(key)), null)
    }).pipe(Effect.scoped)
  )

  it.live("is not taken by one who was interrupted while waiting", () =>
    Effect.gen(function* () {
      const [holder, rival] = [yield* server(), yield* server()]
      const key = anyKey()
      const held = yield* Effect.forkChild(holder.withLock(key)(Effect.sleep(300)))
      yield* Effect.sleep(50)
      const waiting = yield* Effect.forkChild(rival.withLock(key)(Effect.die("entered")))
      yield* Effect.sleep(100)
      const { millis } = yield* timed(Fiber.interrupt(waiting))
      assert.isBelow(millis, 200)
      yield* Fiber.join(held)
      yield* Effect.sleep(RedisLock.pollMillis.max * 2)
      assert.strictEqual(yield* rival.redis.send("GET", redisKey(key)), null)
    }).pipe(Effect.scoped)
  )
})

describe("DistributedLock without its Redis", () => {
  it.live("says so quickly, and works when Redis is back", () =>
    Effect.gen(function* () {
      const redis = yield* privateRedis
      const lock = yield* server(redis.url)
      for (let round = 0; round < 3; round++) {
        const { result, millis } = yield* timed(lock.withLock("key")(Effect.void))
        assert.deepInclude(result, { _tag: "Failure" })
        assert.isBelow(millis, 1_300)
      }
      const error = yield* Effect.flip(lock.withLock("key")(Effect.void))
      assert.deepInclude(error, { _tag: "LockUnavailable", key: "key", reason: "storeGone" })
      yield* redis.start
      yield* eventually(lock.withLock("key")(Effect.void))
    }).pipe(Effect.scoped)
  )

  it.live("lets the effect of a holder finish when Redis dies under it", () =>
    Effect.gen(function* () {
      const redis = yield* runningRedis
      const lock = yield* server(redis.url)
      const work = Effect.gen(function* () {
        yield* redis.stop
        yield* Effect.sleep(leaseMillis * 2)
        return "finished"
      })
      assert.strictEqual(yield* lock.withLock("key")(work), "finished")
    }).pipe(Effect.scoped)
  )

  it.live("keeps the lock over an outage shorter than the lease", () =>
    Effect.gen(function* () {
      const redis = yield* runningRedis
      const options = { leaseMillis: 3_000 }
      const [holder, rival] = [yield* server(redis.url, options), yield* server(redis.url, options)]
      const reason = Effect.map(
        Effect.flip(rival.withLock("key", { waitMillis: 0 })(Effect.void)),
        (error) => error.reason
      )
      const work = Effect.gen(function* () {
        yield* redis.stop
        // One renewal fails.
        yield* Effect.sleep(options.leaseMillis / 2)
        yield* redis.start
        yield* eventually(rival.redis.send("PING"))
        yield* Effect.sleep(options.leaseMillis)
        return yield* reason
      })
      assert.strictEqual(yield* holder.withLock("key")(work), "held")
    }).pipe(Effect.scoped)
  )
})
