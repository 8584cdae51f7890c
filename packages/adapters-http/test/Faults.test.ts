import { assert, describe, it } from "@effect/vitest"
import { ItemRepository } from "@pillivery/application/ports/ItemRepository"
import { StorageError } from "@pillivery/application/ports/StorageError"
import { Effect, Layer, Logger, Ref } from "effect"
import * as Shop from "./Shop.ts"

const failing = (failure: Effect.Effect<never, StorageError>) =>
  Shop.layerWith(
    Layer.effect(
      ItemRepository,
      Effect.map(ItemRepository, (items) => ItemRepository.of({ ...items, findById: () => failure }))
    )
  )

describe("a fault of ours", () => {
  it.live("is a problem without a trace, and one line in the log that the request's name finds", () =>
    Effect.gen(function* () {
      const lines = yield* Ref.make<ReadonlyArray<string>>([])
      const logger = Logger.map(Logger.formatJson, (line) => Effect.runSync(Ref.update(lines, (all) => [...all, line])))
      const answer = yield* Shop.send("GET", `/api/items/${Shop.vitamin.id}`).pipe(
        Effect.provide(failing(Effect.die(new Error("the plumbing burst"))).pipe(Layer.provide(Logger.layer([logger]))))
      )
      assert.strictEqual(answer.status, 500)
      assert.strictEqual(Shop.field(answer, "code"), "INTERNAL_ERROR")
      assert.notInclude(answer.text, "plumbing")
      const requestId = String(Shop.field(answer, "requestId"))
      const told = (yield* Ref.get(lines)).filter((line) => line.includes(requestId))
      assert.strictEqual(told.length, 1)
      assert.include(told[0], "the plumbing burst")
    })
  )

  it.live("of the store is 503 with Retry-After, and tells nothing of the store", () =>
    Effect.gen(function* () {
      const failure = new StorageError({
        operation: "findById",
        reason: "unavailable",
        cause: new Error("10.0.0.7 refused")
      })
      const answer = yield* Shop.send("GET", `/api/items/${Shop.vitamin.id}`).pipe(
        Effect.provide(failing(Effect.fail(failure)))
      )
      assert.strictEqual(answer.status, 503)
      assert.strictEqual(Shop.field(answer, "code"), "STORAGE_UNAVAILABLE")
      assert.isAbove(Number(answer.headers.get("retry-after")), 0)
      assert.notInclude(answer.text, "10.0.0.7")
      assert.notInclude(answer.text, "findById")
    })
  )
})
