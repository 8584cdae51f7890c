import { describe, it } from "@effect/vitest"
import { CatalogueChanges } from "@pillivery/application/ports/CatalogueChanges"
import { Context, Effect, Layer, type Redacted, Stream } from "effect"
import * as RedisChanges from "../src/CatalogueChanges.ts"
import * as Client from "../src/Client.ts"
import { eventually, keyPrefix, runningRedis, url } from "./TestRedis.ts"

/** A server of the shop, and how often it was told of a change. */
const server = (redisUrl: Redacted.Redacted) =>
  Effect.gen(function* () {
    const changes = Context.get(
      yield* Layer.build(
        RedisChanges.layerWith({ keyPrefix }).pipe(
          Layer.provide(Client.layer({ url: redisUrl, connectTimeoutMillis: 300, commandTimeoutMillis: 300 }))
        )
      ),
      CatalogueChanges
    )
    let told = 0
    yield* Stream.runForEach(yield* changes.subscribe, () => Effect.sync(() => told++)).pipe(Effect.forkScoped)
    return { announce: changes.announce, told: () => told }
  })

const untilTrue = (isTrue: () => boolean, before: Effect.Effect<void> = Effect.void) =>
  eventually(
    Effect.andThen(
      before,
      Effect.suspend(() => (isTrue() ? Effect.void : Effect.fail("not yet")))
    )
  )

describe("changes of the catalogue over Redis", () => {
  it.live("are told to every server, also to the one that made them", () =>
    Effect.gen(function* () {
      const [one, two] = [yield* server(url), yield* server(url)]
      // The first element says that something may have been missed before.
      yield* untilTrue(() => one.told() === 1 && two.told() === 1)
      yield* one.announce
      yield* untilTrue(() => one.told() === 2 && two.told() === 2)
    }).pipe(Effect.scoped)
  )

  it.live("trouble nobody while Redis is gone, and are told again when it is back", () =>
    Effect.gen(function* () {
      const redis = yield* runningRedis
      const [one, two] = [yield* server(redis.url), yield* server(redis.url)]
      yield* untilTrue(() => one.told() === 1 && two.told() === 1)
      yield* redis.stop
      yield* one.announce
      yield* redis.start
      // What was announced in between may be lost; what comes after is not.
      yield* untilTrue(() => two.told() > 1, one.announce)
    }).pipe(Effect.scoped)
  )
})
