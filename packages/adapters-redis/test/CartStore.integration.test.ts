import { assert, describe, it } from "@effect/vitest"
import { CartStore } from "@pillivery/application/ports/CartStore"
import { suite } from "@pillivery/application/testing/CartStoreSuite"
import { live } from "@pillivery/application/testing/Law"
import * as Cart from "@pillivery/domain/Cart"
import { DeliveryPeriod } from "@pillivery/domain/DeliveryPeriod"
import { ItemId, UserId } from "@pillivery/domain/Ids"
import { Quantity } from "@pillivery/domain/Quantity"
import * as Won from "@pillivery/domain/Won"
import { Cause, Context, DateTime, Effect, Exit, Layer, type Redacted } from "effect"
import * as Redis from "effect/persistence/Redis"
import { randomUUID } from "node:crypto"
import * as RedisCartStore from "../src/CartStore.ts"
import * as Client from "../src/Client.ts"
import { client, eventually, ids, keyPrefix, runningRedis, timed, url } from "./TestRedis.ts"

const timeoutMillis = 300
const answerMillisMax = timeoutMillis * 2 + 700
const rivalsCount = 20
const roundsCount = 10
/** How far an expiry may have run down between writing and asking. */
const ttlSlackMillis = 60_000

/** A server of the shop: carts over a connection of its own. */
const server = (redisUrl: Redacted.Redacted = url) =>
  Effect.map(
    Layer.build(
      Layer.provideMerge(
        RedisCartStore.layerWith({ keyPrefix }),
        Client.layer({ url: redisUrl, connectTimeoutMillis: timeoutMillis, commandTimeoutMillis: timeoutMillis })
      )
    ),
    (context) => ({ ...Context.get(context, CartStore), redis: Context.get(context, Redis.Redis) })
  )

const anyUserId = () => UserId.make(randomUUID())
const [kind, otherKind] = Cart.CartKind.literals
const keyOf = (userId: UserId, of: Cart.CartKind = kind) => `${keyPrefix}cart:{${userId}}:${of}`
const versionOf = (cart: Cart.Cart) => cart.version

/** A cart with as many lines as one may have. */
const fullCart = (userId: UserId, of: Cart.CartKind) =>
  new Cart.Cart({
    ...Cart.empty(userId, of),
    lines: Array.from(
      { length: Cart.cartLinesMax },
      (_, index) =>
        new Cart.CartLine({
          itemId: ItemId.make(randomUUID()),
          quantity: Quantity.make(index + 1),
          period: of === "subscription" ? DeliveryPeriod.make(30) : null,
          seenPrice: Won.Won.make(index * 1_000),
          addedAt: DateTime.makeUnsafe(1_700_000_000_123 + index)
        })
    )
  })

suite("Redis", Layer.merge(Layer.provide(RedisCartStore.layerWith({ keyPrefix }), client), ids), live)

describe("CartStore on Redis", () => {
  it.live.each(Cart.CartKind.literals)("gives a full %s cart back as it was saved, at the next version", (of) =>
    Effect.gen(function* () {
      const carts = yield* server()
      const cart = fullCart(anyUserId(), of)
      yield* carts.save(cart)
      assert.deepStrictEqual(yield* carts.get(cart.userId, of), new Cart.Cart({ ...cart, version: 1 }))
    }).pipe(Effect.scoped)
  )

  it.live("lets exactly one of many rivals save each version", () =>
    Effect.gen(function* () {
      const servers = [yield* server(), yield* server()] as const
      const userId = anyUserId()
      for (let round = 0; round < roundsCount; round++) {
        const cart = yield* servers[0].get(userId, kind)
        assert.strictEqual(cart.version, round)
        const ends = yield* Effect.forEach(
          Array.from({ length: rivalsCount }, (_, rival) => servers[rival % 2 === 0 ? 0 : 1]),
          (rival) => Effect.result(rival.save(cart)),
          { concurrency: "unbounded" }
        )
        const losers = ends.filter((end) => end._tag === "Failure").map((end) => end.failure._tag)
        assert.deepStrictEqual(
          losers,
          Array.from({ length: rivalsCount - 1 }, () => "StaleWrite")
        )
      }
      assert.strictEqual(versionOf(yield* servers[1].get(userId, kind)), roundsCount)
    }).pipe(Effect.scoped)
  )

  it.live("FC3: shows an acknowledged save to every other connection at once", () =>
    Effect.gen(function* () {
      const [writer, reader] = [yield* server(), yield* server()]
      const userId = anyUserId()
      for (let version = 0; version < roundsCount; version++) {
        yield* writer.save(yield* reader.get(userId, kind))
        assert.strictEqual(versionOf(yield* reader.get(userId, kind)), version + 1)
      }
      assert.strictEqual(versionOf(yield* reader.get(userId, otherKind)), 0)
    }).pipe(Effect.scoped)
  )

  it.live("refuses a version from before the cart was removed", () =>
    Effect.gen(function* () {
      const carts = yield* server()
      const userId = anyUserId()
      yield* carts.save(Cart.empty(userId, kind))
      const before = yield* carts.get(userId, kind)
      yield* carts.remove(userId)
      assert.deepInclude(yield* Effect.flip(carts.save(before)), { _tag: "StaleWrite", entity: "cart" })
      assert.strictEqual(versionOf(yield* carts.get(userId, kind)), 0)
    }).pipe(Effect.scoped)
  )

  it.live("keeps a cart for 90 days after its last change", () =>
    Effect.gen(function* () {
      const carts = yield* server()
      const userId = anyUserId()
      const ttl = carts.redis.send<number>("PTTL", keyOf(userId))
      for (let round = 0; round < 2; round++) {
        yield* carts.save(yield* carts.get(userId, kind))
        assert.approximately(yield* ttl, 90 * 86_400_000, ttlSlackMillis)
        yield* carts.redis.send("PEXPIRE", keyOf(userId), "5000")
        yield* carts.get(userId, kind)
        assert.isAtMost(yield* ttl, 5_000)
      }
    }).pipe(Effect.scoped)
  )

  it.live("keeps both carts of a user on one node of a cluster", () =>
    Effect.gen(function* () {
      const carts = yield* server()
      const userId = anyUserId()
      for (const of of Cart.CartKind.literals) yield* carts.save(Cart.empty(userId, of))
      const keys = yield* carts.redis.send<ReadonlyArray<string>>("KEYS", `${keyPrefix}*${userId}*`)
      assert.deepStrictEqual([...keys].sort(), Cart.CartKind.literals.map((of) => keyOf(userId, of)).sort())
      for (const key of keys) assert.strictEqual(/\{(.*?)\}/.exec(key)?.[1], userId)
    }).pipe(Effect.scoped)
  )

  it.live("dies when a cart does not decode or is another's, and says which", () =>
    Effect.gen(function* () {
      const carts = yield* server()
      const [userId, other] = [anyUserId(), anyUserId()]
      yield* carts.save(Cart.empty(other, kind))
      const ofAnother = (yield* carts.redis.send<string | null>("HGET", keyOf(other), "cart")) ?? ""
      for (const text of ["", "{", "{}", "null", ofAnother]) {
        yield* carts.redis.send("HSET", keyOf(userId), "version", "1", "cart", text)
        const exit = yield* Effect.exit(carts.get(userId, kind))
        const cause = Exit.isFailure(exit) ? exit.cause : assert.fail(`decoded ${text}`)
        assert.isTrue(Cause.hasDies(cause))
        assert.include(Cause.pretty(cause), keyOf(userId))
      }
    }).pipe(Effect.scoped)
  )
})

describe("CartStore over the death of Redis", () => {
  it.live.each(["stop", "kill"] as const)("keeps what was saved over a restart after %s", (end) =>
    Effect.gen(function* () {
      const redis = yield* runningRedis
      const carts = yield* server(redis.url)
      const users = Array.from({ length: 20 }, anyUserId)
      yield* eventually(carts.redis.send("PING"))
      for (const userId of users) {
        yield* carts.save(Cart.empty(userId, kind))
        yield* carts.save(yield* carts.get(userId, kind))
      }
      yield* redis[end]
      yield* redis.start
      const afterwards = yield* server(redis.url)
      for (const userId of users) {
        const cart = yield* afterwards.get(userId, kind)
        assert.strictEqual(cart.version, 2)
        yield* afterwards.save(cart)
      }
    }).pipe(Effect.scoped)
  )

  it.live("fails with unavailable while Redis is stopped and goes on after it is back", () =>
    Effect.gen(function* () {
      const redis = yield* runningRedis
      const carts = yield* server(redis.url)
      const userId = anyUserId()
      yield* eventually(carts.save(Cart.empty(userId, kind)))
      const cart = yield* carts.get(userId, kind)
      yield* redis.stop
      const operations = {
        "CartStore.get": carts.get(userId, kind),
        "CartStore.save": carts.save(cart),
        "CartStore.remove": carts.remove(userId)
      }
      for (const [operation, effect] of Object.entries(operations)) {
        const { result, millis } = yield* timed(Effect.flip(effect))
        const error = result._tag === "Success" ? result.success : assert.fail(`${operation} succeeded`)
        assert.deepInclude(error, { _tag: "StorageError", operation, reason: "unavailable" })
        assert.isBelow(millis, answerMillisMax)
      }
      yield* redis.start
      assert.strictEqual(versionOf(yield* eventually(carts.get(userId, kind))), 1)
      yield* carts.save(cart)
    }).pipe(Effect.scoped)
  )

  it.live("does not claim to know whether a save without an answer happened", () =>
    Effect.gen(function* () {
      const redis = yield* runningRedis
      const carts = yield* server(redis.url)
      const userId = anyUserId()
      yield* eventually(carts.save(Cart.empty(userId, kind)))
      const cart = yield* carts.get(userId, kind)
      yield* redis.freeze
      const [read, write] = yield* Effect.all([Effect.flip(carts.get(userId, kind)), Effect.flip(carts.save(cart))], {
        concurrency: 2
      })
      assert.deepInclude(read, { _tag: "StorageError", reason: "timedOut" })
      assert.deepInclude(write, { _tag: "StorageError", reason: "outcomeUnknown" })
      yield* redis.thaw
      const now = yield* eventually(carts.get(userId, kind))
      yield* carts.save(now)
      assert.strictEqual(versionOf(yield* carts.get(userId, kind)), now.version + 1)
    }).pipe(Effect.scoped)
  )
})
