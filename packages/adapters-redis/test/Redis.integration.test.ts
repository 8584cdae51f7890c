import { assert, describe, it } from "@effect/vitest"
import { CartStore } from "@pillivery/application/ports/CartStore"
import { DistributedLock } from "@pillivery/application/ports/DistributedLock"
import * as Cart from "@pillivery/domain/Cart"
import { UserId } from "@pillivery/domain/Ids"
import { ConfigProvider, Effect, Layer, Redacted } from "effect"
import { randomUUID } from "node:crypto"
import * as Redis from "../src/Redis.ts"
import { keyPrefix, url } from "./TestRedis.ts"

/** Fills a cart while holding a lock, then takes it away again. */
const useAllPorts = Effect.gen(function* () {
  const carts = yield* CartStore
  const lock = yield* DistributedLock
  const userId = UserId.make(randomUUID())
  const saved = yield* lock.withLock(userId)(
    Effect.andThen(carts.save(Cart.empty(userId, "normal")), carts.get(userId, "normal"))
  )
  assert.strictEqual(saved.version, 1)
  yield* carts.remove(userId)
})

describe("Redis.layer", () => {
  it.live("provides every port over one connection", () => Effect.provide(useAllPorts, Redis.layer({ url, keyPrefix })))
})

describe("Redis.layerConfig", () => {
  it.live("reads PILLIVERY_REDIS_URL", () =>
    useAllPorts.pipe(
      Effect.provide(
        Layer.provide(
          Redis.layerConfig,
          ConfigProvider.layer(ConfigProvider.fromUnknown({ PILLIVERY_REDIS_URL: Redacted.value(url) }))
        )
      )
    )
  )

  it.live("fails with a message that says what is missing", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Layer.build(Redis.layerConfig))
      assert.include(error.message, "PILLIVERY_REDIS_URL")
    }).pipe(Effect.scoped, Effect.provide(ConfigProvider.layer(ConfigProvider.fromUnknown({}))))
  )
})
