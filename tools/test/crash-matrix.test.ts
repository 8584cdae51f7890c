/**
 * One run of every point of the crash matrix, spread over its flows; `npm run crash-matrix` runs all of them.
 */
import { Effect, References } from "effect"
import { assert, describe, it } from "vitest"
import * as CrashMatrix from "../../scenarios/internal/CrashMatrix.ts"

const caseMillisMax = 90_000

describe("a process killed at a named point of the protocol", () => {
  it("is tried at every point, and in every flow", () => {
    const chosen = CrashMatrix.casesOfEachPoint
    assert.sameMembers(
      chosen.map(({ point }) => point),
      [...CrashMatrix.points]
    )
    assert.sameMembers(
      [...new Set(chosen.map(({ flow }) => flow))],
      [...new Set(CrashMatrix.cases.map(({ flow }) => flow))]
    )
  })

  for (const each of CrashMatrix.casesOfEachPoint) {
    it(
      `leaves nothing charged twice, lost or unexplained: ${each.flow}, ${each.point}`,
      { timeout: caseMillisMax },
      async () => {
        const { double, lost, problems, unexplained } = await Effect.runPromise(
          CrashMatrix.runCase(each).pipe(Effect.provideService(References.MinimumLogLevel, "Fatal"))
        )
        assert.deepStrictEqual(
          { double, lost, unexplained, problems },
          { double: 0, lost: 0, unexplained: 0, problems: [] }
        )
      }
    )
  }
})
