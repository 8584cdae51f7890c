import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as IdGenerator from "@pillivery/adapters-memory/IdGenerator"
import { live } from "@pillivery/application/testing/Law"
import { MarkPlace, suite } from "@pillivery/application/testing/LedgerMarkSuite"
import { AttemptId } from "@pillivery/domain/Ids"
import * as Fixtures from "@pillivery/domain/testing/Fixtures"
import { Effect, FileSystem, Layer, Option } from "effect"
import * as StateFile from "../src/internal/StateFile.ts"

const inTemporaryFolder = Effect.flatMap(FileSystem.FileSystem, (files) =>
  Effect.map(files.makeTempDirectoryScoped(), (folder) => `${folder}/state`)
)

suite(
  "file",
  Layer.merge(
    Layer.effect(MarkPlace, Effect.flatMap(inTemporaryFolder, StateFile.place)).pipe(Layer.provide(NodeServices.layer)),
    IdGenerator.layer
  ),
  live
)

const id = AttemptId.make(Fixtures.anyAttemptId("1"))

describe("a state file", () => {
  it.live("is one line that another process reads", () =>
    Effect.gen(function* () {
      const path = yield* inTemporaryFolder
      yield* (yield* StateFile.place(path)).keep(id)
      assert.strictEqual(yield* (yield* FileSystem.FileSystem).readFileString(path), `${id}\n`)
      assert.deepStrictEqual(yield* (yield* StateFile.place(path)).find, Option.some(id))
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )

  it.live("that holds something else is refused, and left as it is", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const path = yield* inTemporaryFolder
      for (const content of ["a list of groceries", "x".repeat(1_000)]) {
        yield* files.writeFileString(path, content)
        const error = yield* Effect.flip(Effect.scoped(Layer.build(StateFile.layer(path))))
        assert.include(error.message, path)
        assert.strictEqual(yield* files.readFileString(path), content)
      }
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )

  it.live("that cannot be written is refused when the command begins", () =>
    Effect.gen(function* () {
      const folder = yield* inTemporaryFolder
      yield* (yield* FileSystem.FileSystem).makeDirectory(folder)
      const error = yield* Effect.flip(Effect.scoped(Layer.build(StateFile.layer(folder))))
      assert.strictEqual(error._tag, "MarkUnavailable")
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )
})
