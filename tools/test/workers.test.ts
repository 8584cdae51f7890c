/**
 * A small run of the scenario in which workers share a run and are killed; the same code, the same claims.
 */
import { Effect, References } from "effect"
import { assert, describe, it } from "vitest"
import * as Workers from "../../scenarios/internal/Workers.ts"

const scenarioMillisMax = 240_000

describe("workers that share a billing run", () => {
  it("charge everybody once, though they are killed and stopped", { timeout: scenarioMillisMax }, async () => {
    const { claims, summary } = await Effect.runPromise(
      Workers.run({ ...Workers.optionsDefault, subscriptions: 400, killEveryMillis: 1_500 }).pipe(
        Effect.provideService(References.MinimumLogLevel, "Fatal")
      )
    )
    assert.deepStrictEqual(
      claims.flatMap(({ found, holds, what }) => (holds ? [] : [`${what}: ${found}`])),
      []
    )
    assert.isAtLeast(summary["captures"] ?? 0, 400)
  })
})
