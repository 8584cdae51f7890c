import { assert, describe, it } from "@effect/vitest"
import { live } from "@pillivery/application/testing/Law"
import { suite } from "@pillivery/application/testing/TokenStoreSuite"
import { SessionId, TokenStore } from "@pillivery/application/ports/TokenStore"
import { UserId } from "@pillivery/domain/Ids"
import { Effect, Layer } from "effect"
import { randomUUID } from "node:crypto"
import * as Client from "../src/Client.ts"
import * as RedisTokenStore from "../src/TokenStore.ts"
import { client, ids, keyPrefix, runningRedis } from "./TestRedis.ts"

suite("Redis", Layer.merge(Layer.provide(RedisTokenStore.layerWith({ keyPrefix }), client), ids), live)

describe("sessions in Redis", () => {
  it.live("says quickly that they cannot be told when Redis is gone", () =>
    Effect.gen(function* () {
      const redis = yield* runningRedis
      const session = { userId: UserId.make(randomUUID()), sessionId: SessionId.make(randomUUID()) }
      yield* Effect.gen(function* () {
        const store = yield* TokenStore
        yield* store.begin(session, "token", Date.now())
        yield* redis.kill
        assert.strictEqual((yield* Effect.flip(store.isAlive(session)))._tag, "StorageError")
        assert.strictEqual((yield* Effect.flip(store.end(session)))._tag, "StorageError")
      }).pipe(
        Effect.provide(
          RedisTokenStore.layerWith({ keyPrefix }).pipe(
            Layer.provide(Client.layer({ url: redis.url, commandTimeoutMillis: 300, connectTimeoutMillis: 300 }))
          )
        )
      )
    }).pipe(Effect.scoped)
  )
})
