/**
 * The contract of `IdGenerator`.
 *
 * @since 0.1.0
 */
import { assert } from "@effect/vitest"
import { AttemptId, OrderId } from "@pillivery/domain/Ids"
import { Effect } from "effect"
import { IdGenerator } from "../ports/IdGenerator.ts"
import { law, type Law, suiteOf } from "./Law.ts"

const madeMax = 10_000
const uuidV7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

/** Everything an `IdGenerator` promises. */
export const laws = (): ReadonlyArray<Law<IdGenerator>> => [
  law(
    "makes UUIDv7 texts in lower case, which every brand takes",
    Effect.gen(function* () {
      const ids = yield* IdGenerator
      for (let made = 0; made < 100; made++) {
        const id = yield* ids.next
        assert.match(id, uuidV7)
        assert.deepStrictEqual<ReadonlyArray<string>>([OrderId.make(id), AttemptId.make(id)], [id, id])
      }
    })
  ),

  law(
    "never makes the same twice, however many ask at once",
    Effect.gen(function* () {
      const ids = yield* IdGenerator
      const made = yield* Effect.forEach(Array.from({ length: madeMax }), () => ids.next, { concurrency: 8 })
      assert.strictEqual(new Set(made).size, madeMax)
    })
  )
]

/** Runs the laws against a layer. */
export const suite = suiteOf<IdGenerator>("IdGenerator", laws)
