/**
 * Small runs of the scenarios, so that they cannot rot: the same code, the same claims, fewer calls.
 */
import { assert, describe, it } from "vitest"
import * as Breaker from "../../scenarios/internal/Breaker.ts"
import { between, type Claim } from "../../scenarios/internal/Report.ts"
import * as Retry from "../../scenarios/internal/Retry.ts"

const scenarioMillisMax = 120_000

const failedOf = (claims: ReadonlyArray<Claim>): ReadonlyArray<string> =>
  claims.flatMap(({ found, holds, what }) => (holds ? [] : [`${what}: ${found}`]))

const assertDrawn = (svg: string): void => {
  assert.match(svg, /^<svg [^>]*viewBox="0 0 \d+ \d+"/)
  assert.notMatch(svg, /NaN|Infinity|undefined/)
}

describe("a scenario", () => {
  it(
    "leaves a failing provider alone until it has recovered",
    async () => {
      const result = await Breaker.run({
        ...Breaker.optionsDefault,
        factor: 10,
        users: 20,
        healthyCalls: 30,
        afterMillis: 6_000,
        // The machine that runs the tests does other things too; whoever waited for the provider would take longer.
        openP99MillisMax: 250
      })
      assert.deepStrictEqual(failedOf(result.claims), [])
      assert.deepStrictEqual(result.states, ["closed", "open", "half-open", "closed"])
      assertDrawn(result.timeline)
    },
    scenarioMillisMax
  )

  it(
    "charges nobody twice when connections are refused and answers are lost",
    async () => {
      const result = await Retry.run({
        ...Retry.optionsDefault,
        users: 20,
        approvals: 300,
        // Of so few, a few more may fail.
        finalFailureRateMax: 0.05
      })
      assert.deepStrictEqual(failedOf(result.claims), [])
      assert.strictEqual(result.attempts, 300)
      assertDrawn(result.timeline)
    },
    scenarioMillisMax
  )
})

describe("the page of the scenarios", () => {
  const page = "before\n\n<!-- a: written by the scenario -->\n\nold\n\n<!-- a: end -->\n\nafter\n"

  it("takes new numbers between its markers and keeps the rest", () => {
    const next = between(page, "a", "new")
    assert.strictEqual(next, page.replace("old", "new"))
    assert.strictEqual(between(next, "a", "new"), next)
  })

  it("is left alone when it has no place for them", () => {
    assert.throws(() => between(page, "b", "new"), /no place for the numbers of b/)
  })
})
