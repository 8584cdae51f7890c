import { assert, describe, it } from "@effect/vitest"
import { LedgerMark } from "@pillivery/application/ports/LedgerMark"
import { live } from "@pillivery/application/testing/Law"
import { MarkPlace, suite } from "@pillivery/application/testing/LedgerMarkSuite"
import { AttemptId } from "@pillivery/domain/Ids"
import * as Fixtures from "@pillivery/domain/testing/Fixtures"
import { Effect, Layer } from "effect"
import * as Client from "../src/Client.ts"
import * as RedisMark from "../src/LedgerMark.ts"
import { client, ids, keyPrefix, runningRedis } from "./TestRedis.ts"

const inRedis = Layer.effect(MarkPlace, RedisMark.place({ database: "one", keyPrefix }))

suite("redis", Layer.merge(Layer.provide(inRedis, client), ids), live)

describe("a mark in Redis", () => {
  it.live("is of its own database", () =>
    Effect.gen(function* () {
      const [one, two] = yield* Effect.forEach(["one", "two"], (database) => RedisMark.place({ database, keyPrefix }))
      if (one === undefined || two === undefined) return
      yield* one.forget
      yield* two.keep(AttemptId.make(Fixtures.anyAttemptId("1")))
      assert.strictEqual((yield* one.find)._tag, "None")
    }).pipe(Effect.provide(client))
  )

  it.live("says that it is not available when Redis is gone, and lets the process end", () =>
    Effect.gen(function* () {
      const redis = yield* runningRedis
      yield* Effect.gen(function* () {
        const mark = yield* LedgerMark
        yield* redis.kill
        mark.note(AttemptId.make(Fixtures.anyAttemptId("1")))
        const error = yield* Effect.flip(mark.find)
        assert.strictEqual(error._tag, "MarkUnavailable")
      }).pipe(
        Effect.provide(
          RedisMark.layer({ database: "one", keyPrefix }).pipe(
            Layer.provide(Client.layer({ url: redis.url, commandTimeoutMillis: 300, connectTimeoutMillis: 300 }))
          )
        )
      )
    }).pipe(Effect.scoped)
  )
})
