import { assert, describe, it } from "@effect/vitest"
import { IdGenerator } from "@pillivery/application/ports/IdGenerator"
import { suite } from "@pillivery/application/testing/IdGeneratorSuite"
import { Effect } from "effect"
import * as MemoryIdGenerator from "../src/IdGenerator.ts"

suite("memory", MemoryIdGenerator.layer)
suite("memory, sequential", MemoryIdGenerator.layerSequential(1))

const threeFrom = (seed: number) =>
  Effect.flatMap(IdGenerator, (ids) => Effect.replicateEffect(ids.next, 3)).pipe(
    Effect.provide(MemoryIdGenerator.layerSequential(seed))
  )

describe("IdGenerator.layer", () => {
  it.effect("draws new randomness for each id, also when what was drawn together is used up", () =>
    Effect.gen(function* () {
      const made = 5_000
      const ids = yield* Effect.replicateEffect(
        Effect.flatMap(IdGenerator, (ids) => ids.next),
        made
      )
      const ends = new Set(ids.map((id) => id.slice(-8)))
      // Of so few words of 32 bits hardly ever does one meet another.
      assert.isAtLeast(ends.size, made - 2)
    }).pipe(Effect.provide(MemoryIdGenerator.layer))
  )
})

describe("IdGenerator.layerSequential", () => {
  it.effect("makes the same ids for the same seed, in rising order, and others for another seed", () =>
    Effect.gen(function* () {
      const ids = yield* threeFrom(7)
      assert.deepStrictEqual(yield* threeFrom(7), ids)
      assert.deepStrictEqual([...ids].sort(), ids)
      assert.notDeepEqual(yield* threeFrom(8), ids)
    })
  )
})
