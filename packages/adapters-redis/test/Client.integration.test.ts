import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Context, Effect, Exit, Fiber, Layer, Queue, Redacted, Result, Scope } from "effect"
import * as Redis from "effect/persistence/Redis"
import { Socket } from "node:net"
import { vi } from "vitest"
import * as Client from "../src/Client.ts"
import { client, eventually, keyPrefix, privateRedis, runningRedis, timed, url } from "./TestRedis.ts"

const commandTimeoutMillis = 300
const connectTimeoutMillis = 300
/** Both time limits and room for a machine under load. */
const answerMillisMax = connectTimeoutMillis + commandTimeoutMillis + 700
/** An answer that waited for nothing. */
const atOnceMillisMax = 100

const connect = (options: Client.Options) =>
  Effect.map(Layer.build(Client.layer(options)), (context) => Context.get(context, Redis.Redis))

/** A client of that Redis that loses patience quickly. */
const impatient = (redisUrl: Redacted.Redacted) =>
  connect({ url: redisUrl, connectTimeoutMillis, commandTimeoutMillis })

const causeOf = <A>({ result }: { readonly result: Result.Result<A, Redis.RedisError> }) =>
  Result.isFailure(result) ? result.failure.cause : assert.fail("succeeded")

const ready = (redis: Redis.Redis["Service"]) => eventually(redis.send("PING"))

describe("Client.layer", () => {
  it.live("sends commands and runs scripts, again after Redis forgot the script", () =>
    Effect.gen(function* () {
      const redis = yield* Redis.Redis
      const script = Redis.script((key: string, value: number) => [key, value], {
        numberOfKeys: 1,
        lua: `return redis.call("INCRBY", KEYS[1], ARGV[1])`
      }).withReturnType<number>()
      const key = `${keyPrefix}script`
      assert.strictEqual(yield* redis.eval(script)(key, 2), 2)
      yield* redis.send("SCRIPT", "FLUSH")
      assert.strictEqual(yield* redis.eval(script)(key, 3), 5)
      assert.strictEqual(yield* redis.send("GET", key), "5")
      yield* redis.send("DEL", key)
    }).pipe(Effect.provide(client))
  )

  it.live("sends what is sent in one turn of the event loop as one packet, in its order", () =>
    Effect.gen(function* () {
      const redis = yield* connect({ url })
      yield* ready(redis)
      // A stream writes what was gathered by `_writev`, and anything alone by `_write`.
      const writes = yield* Effect.acquireRelease(
        Effect.sync(() => [vi.spyOn(Socket.prototype, "_write"), vi.spyOn(Socket.prototype, "_writev")] as const),
        (spies) => Effect.sync(() => spies.forEach((spy) => spy.mockRestore()))
      )
      const key = `${keyPrefix}together`
      const answers = yield* Effect.forEach(["a", "b", "c"], (text) => redis.send<number>("APPEND", key, text), {
        concurrency: "unbounded"
      })
      assert.deepStrictEqual(answers, [1, 2, 3])
      assert.deepStrictEqual(
        writes.map((spy) => spy.mock.calls.length),
        [0, 1]
      )
      assert.strictEqual(yield* redis.send<string>("GETDEL", key), "abc")
    }).pipe(Effect.scoped)
  )

  it.live("delivers what is published on a channel", () =>
    Effect.gen(function* () {
      const redis = yield* Redis.Redis
      const channel = `${keyPrefix}channel`
      const messages = yield* redis.subscribe(channel)
      yield* redis.send("PUBLISH", channel, "changed")
      assert.deepStrictEqual(yield* Queue.take(messages), { channel, message: "changed" })
    }).pipe(Effect.scoped, Effect.provide(client))
  )

  it.live("keeps a blocking command away from everybody else", () =>
    Effect.gen(function* () {
      const redis = yield* Redis.Redis
      const key = `${keyPrefix}list`
      const connection = yield* redis.reserve
      // Longer than a shared command may take.
      const popped = yield* Effect.forkChild(connection.send("BLPOP", key, "10"))
      yield* Effect.sleep(Client.commandTimeoutMillisDefault + 200)
      yield* redis.send("RPUSH", key, "value")
      assert.deepStrictEqual(yield* Fiber.join(popped), [key, "value"])
    }).pipe(Effect.scoped, Effect.provide(client))
  )

  it.live("keeps an error reply as the cause", () =>
    Effect.gen(function* () {
      const redis = yield* Redis.Redis
      const error = yield* Effect.flip(redis.send("NOSUCHCOMMAND"))
      assert.match(String(error.cause), /unknown command/)
      assert.strictEqual(Client.toStorageError("x", "write")(error).reason, "failed")
    }).pipe(Effect.provide(client))
  )

  it.live("closes its connections when the scope ends and refuses commands after it", () =>
    Effect.gen(function* () {
      const server = yield* runningRedis
      const observer = yield* impatient(server.url)
      const scope = yield* Scope.make()
      const redis = yield* Scope.provide(scope)(impatient(server.url))
      yield* ready(redis)
      yield* Scope.provide(scope)(redis.subscribe("channel"))
      const connections = Effect.map(observer.send<string>("CLIENT", "LIST"), (list) => list.trim().split("\n").length)
      assert.strictEqual(yield* connections, 3)
      yield* Scope.close(scope, Exit.void)
      yield* eventually(
        Effect.flatMap(connections, (count) => (count === 1 ? Effect.void : Effect.fail(`${count} connections`)))
      )
      const after = yield* timed(redis.send("PING"))
      assert.instanceOf(causeOf(after), Client.NotSent)
      assert.isBelow(after.millis, atOnceMillisMax)
    }).pipe(Effect.scoped)
  )

  it.live("refuses a URL that names no Redis, without repeating it", () =>
    Effect.gen(function* () {
      const invalid = [
        "",
        "redis",
        "http://secret@host",
        "redis://",
        "redis://secret@host/x",
        "redis://secret@host/-1",
        "redis://secret@host?connectTimeout=0",
        "redis://secret@host:99999",
        "redis://%E0%A4%A@host"
      ]
      for (const text of invalid) {
        const error = yield* Effect.flip(Layer.build(Client.layer({ url: Redacted.make(text) })))
        assert.strictEqual(error._tag, "RedisUrlInvalid", text)
        assert.notInclude(`${error.message} ${JSON.stringify(error)}`, "secret")
      }
    }).pipe(Effect.scoped)
  )

  it.live("logs in and chooses the database of the URL", () =>
    Effect.gen(function* () {
      const server = yield* runningRedis
      const admin = yield* impatient(server.url)
      yield* eventually(admin.send("ACL", "SETUSER", "shop", "on", ">p@ss/word", "~*", "&*", "+@all"))
      const withUser = Redacted.value(server.url).replace("//", "//shop:p%40ss%2Fword@") + "/3"
      const redis = yield* impatient(Redacted.make(withUser))
      assert.strictEqual(yield* redis.send("ACL", "WHOAMI"), "shop")
      yield* redis.send("SET", "key", "value")
      assert.strictEqual(yield* admin.send("GET", "key"), null)
      const stranger = yield* impatient(Redacted.make(withUser.replace("p%40ss", "wrong")))
      const refused = causeOf(yield* timed(stranger.send("PING")))
      assert.instanceOf(refused, Client.NotSent)
      assert.match(String(refused.cause), /WRONGPASS/)
    }).pipe(Effect.scoped)
  )
})

describe("Client.layerConfig", () => {
  it.live("reads PILLIVERY_REDIS_URL", () =>
    Effect.gen(function* () {
      const redis = yield* Redis.Redis
      assert.strictEqual(yield* redis.send("PING"), "PONG")
    }).pipe(
      Effect.provide(
        Layer.provide(
          Client.layerConfig,
          ConfigProvider.layer(ConfigProvider.fromUnknown({ PILLIVERY_REDIS_URL: Redacted.value(url) }))
        )
      )
    )
  )
})

describe("A Redis that is gone", () => {
  it.live("lets the client start, answers quickly, then at once, and serves when it is there", () =>
    Effect.gen(function* () {
      const server = yield* privateRedis
      const redis = yield* impatient(server.url)
      const first = yield* timed(redis.send("PING"))
      assert.instanceOf(causeOf(first), Client.NotSent)
      assert.isBelow(first.millis, answerMillisMax)
      const second = yield* timed(redis.send("PING"))
      assert.instanceOf(causeOf(second), Client.NotSent)
      assert.isBelow(second.millis, atOnceMillisMax)
      yield* server.start
      yield* ready(redis)
    }).pipe(Effect.scoped)
  )

  it.live("fails with unavailable when it stops, at once after a while, and serves soon after it is back", () =>
    Effect.gen(function* () {
      const server = yield* runningRedis
      const redis = yield* impatient(server.url)
      yield* ready(redis)
      yield* server.stop
      const ask = Effect.gen(function* () {
        const { result, millis } = yield* timed(redis.send("SET", "key", "value"))
        const error = Result.isFailure(result) ? result.failure : assert.fail("succeeded")
        assert.strictEqual(Client.toStorageError("save", "write")(error).reason, "unavailable")
        return millis
      })
      assert.isBelow(yield* ask, answerMillisMax)
      // Long enough for the pauses between tries to reach their longest.
      for (let asked = 0; asked < 34; asked++) {
        yield* Effect.sleep(50)
        assert.isBelow(yield* ask, atOnceMillisMax)
      }
      yield* server.start
      yield* Effect.sleep(Client.reconnectDelayMillisMax + connectTimeoutMillis)
      assert.strictEqual(yield* redis.send("PING"), "PONG")
    }).pipe(Effect.scoped)
  )

  it.live("fails what was sent as soon as the connection breaks", () =>
    Effect.gen(function* () {
      const server = yield* runningRedis
      const redis = yield* connect({ url: server.url, commandTimeoutMillis: 20_000 })
      yield* ready(redis)
      yield* server.freeze
      const sent = yield* Effect.forkChild(timed(redis.send("INCR", "counter")))
      yield* Effect.sleep(100)
      yield* server.kill
      const answer = yield* Fiber.join(sent)
      assert.deepInclude(causeOf(answer), { _tag: "AnswerLost", reason: "disconnected" })
      assert.isBelow(answer.millis, 5_000)
    }).pipe(Effect.scoped)
  )

  it.live("delivers to subscribers again after it is back", () =>
    Effect.gen(function* () {
      const server = yield* runningRedis
      const redis = yield* impatient(server.url)
      yield* ready(redis)
      const messages = yield* redis.subscribe("channel")
      yield* server.stop
      yield* server.start
      yield* eventually(
        Effect.flatMap(redis.send("PUBLISH", "channel", "after"), (heard) =>
          heard === 1 ? Effect.void : Effect.fail("")
        )
      )
      assert.strictEqual((yield* Queue.take(messages)).message, "after")
    }).pipe(Effect.scoped)
  )

  it.live("bounds how many commands wait for it", () =>
    Effect.gen(function* () {
      const server = yield* runningRedis
      // Patient enough that none of them gives up before all have been asked.
      const redis = yield* connect({ url: server.url, commandTimeoutMillis: 20_000 })
      yield* ready(redis)
      yield* server.freeze
      const tooMany = 100
      const ping = Effect.result(Effect.mapError(redis.send("PING"), (error) => String(error.cause)))
      const answers = yield* Effect.forkChild(
        Effect.all(
          Array.from({ length: Client.pendingCommandsMax + tooMany }, () => ping),
          { concurrency: "unbounded" }
        )
      )
      yield* Effect.sleep(1_000)
      yield* server.kill
      const failures = (yield* Fiber.join(answers)).map((answer) => (Result.isFailure(answer) ? answer.failure : ""))
      assert.isTrue(failures.slice(0, Client.pendingCommandsMax).every((text) => text.includes("AnswerLost")))
      assert.isTrue(failures.slice(Client.pendingCommandsMax).every((text) => text.includes("NotSent")))
      yield* server.start
      yield* ready(redis)
    }).pipe(Effect.scoped)
  )
})

describe("A Redis that hangs", () => {
  it.live("is given up within the time limits, and asked again when it wakes up", () =>
    Effect.gen(function* () {
      const server = yield* runningRedis
      const redis = yield* impatient(server.url)
      yield* ready(redis)
      yield* server.freeze
      const read = yield* timed(redis.send("GET", "key"))
      assert.isBelow(read.millis, answerMillisMax)
      const cause = causeOf(read)
      assert.instanceOf(cause, Client.AnswerLost)
      const error = new Redis.RedisError({ cause })
      assert.strictEqual(Client.toStorageError("get", "read")(error).reason, "timedOut")
      assert.strictEqual(Client.toStorageError("save", "write")(error).reason, "outcomeUnknown")
      // The silent connection is dropped, no new one answers, and from then on nobody waits.
      yield* eventually(
        Effect.flatMap(timed(redis.send("GET", "key")), ({ millis }) =>
          millis < atOnceMillisMax ? Effect.void : Effect.fail("still waiting")
        )
      )
      yield* server.thaw
      yield* ready(redis)
    }).pipe(Effect.scoped)
  )

  it.live("carries out a write whose answer was lost at most once", () =>
    Effect.gen(function* () {
      const server = yield* runningRedis
      const redis = yield* impatient(server.url)
      yield* ready(redis)
      yield* server.freeze
      const lost = yield* Effect.all(
        Array.from({ length: 20 }, () => timed(redis.send("INCR", "counter"))),
        { concurrency: "unbounded" }
      )
      for (const answer of lost) assert.instanceOf(causeOf(answer), Client.AnswerLost)
      yield* Effect.sleep(commandTimeoutMillis * 3)
      yield* server.thaw
      yield* ready(redis)
      assert.isAtMost(Number(yield* redis.send<string>("GET", "counter")), 20)
      yield* redis.send("SET", "counter", "0")
      yield* Effect.sleep(commandTimeoutMillis)
      assert.strictEqual(yield* redis.send("GET", "counter"), "0")
    }).pipe(Effect.scoped)
  )
})
