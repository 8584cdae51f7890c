/**
 * How this package's tests state laws: a sentence, a property, a number of runs.
 *
 * A failing law prints its seed and path; `PILLIVERY_SEED=<seed>` runs everything from that seed again.
 */
import { afterAll, assert, it } from "@effect/vitest"
import { Result } from "effect"
import * as fc from "fast-check"
import type { Command } from "../src/testing/Arbitraries.ts"

/** Runs of a law unless told otherwise. */
const runsDefault = 300
/** Histories looked at, at most, until every row of a transition table was seen. */
const historiesMax = 3_000
const historiesAtOnce = 100
/** Commands of one such history. */
const historyLength = 40

const seed = process.env["PILLIVERY_SEED"]
let laws = 0
let runs = 0

afterAll(() => {
  if (laws > 0) console.log(`${laws} laws held in ${runs} random runs`)
})

/** A law that holds for every generated value. */
export const law = <Values extends [unknown, ...Array<unknown>]>(
  sentence: string,
  arbitraries: { readonly [K in keyof Values]: fc.Arbitrary<Values[K]> },
  holds: (...values: Values) => void,
  numRuns = runsDefault
) =>
  it(sentence, () => {
    const details = fc.check(
      fc.property(fc.tuple(...arbitraries), (values) => holds(...(values as Values))),
      {
        numRuns,
        ...(seed === undefined ? {} : { seed: Number(seed) })
      }
    )
    laws++
    runs += details.numRuns
    if (details.failed) throw new Error(fc.defaultReportMessage(details) ?? "the law does not hold")
  })

/** What a `Result` succeeded with. */
export const succeeded = <A, E>(result: Result.Result<A, E>): A => {
  if (Result.isFailure(result)) throw new Error(`expected success, got ${String(result.failure)}`)
  return result.success
}

/** What a `Result` failed with; it must be the rejection called `tag`. */
export const rejected = <A, E extends { readonly _tag: string }, Tag extends E["_tag"]>(
  result: Result.Result<A, E>,
  tag: Tag
): Extract<E, { readonly _tag: Tag }> => {
  if (Result.isSuccess(result)) throw new Error(`expected ${tag}, got ${JSON.stringify(result.success)}`)
  assert.strictEqual(result.failure._tag, tag)
  return result.failure as Extract<E, { readonly _tag: Tag }>
}

/**
 * The laws of a machine: its commands move it along its table and nowhere else, every row of the table is moved along,
 * and an end has no way out.
 */
export const machineLaws = <State extends { readonly _tag: string }>(options: {
  readonly transitions: Readonly<Record<string, ReadonlyArray<string>>>
  readonly state: fc.Arbitrary<State>
  readonly command: fc.Arbitrary<Command<State>>
  /** Whether a state is one of the machine's, fields and all. */
  readonly is: (state: State) => boolean
  /** Ends that a command may still change in a field. */
  readonly touchedEnds?: ReadonlyArray<string>
}) => {
  const { command, is, state, touchedEnds = [], transitions } = options

  law(
    "moves only where the table allows, whatever the history and the command",
    [state, command],
    (self, { name, run }) => {
      const next = run(self)
      if (Result.isFailure(next) || next.success._tag === self._tag) return
      assert.isTrue(
        transitions[self._tag]?.includes(next.success._tag),
        `${self._tag} must not move to ${next.success._tag} by ${name}`
      )
    },
    2_000
  )

  law("is always in a state its own schema accepts", [state], (self) => assert.isTrue(is(self)))

  law(
    "refuses every command at its end",
    [state, command],
    (self, { run }) => {
      if (transitions[self._tag]?.length !== 0 || touchedEnds.includes(self._tag)) return
      const next = run(self)
      if (Result.isSuccess(next)) assert.deepStrictEqual(next.success, self)
    },
    1_000
  )

  it("moves along every row of the table", () => {
    const missing = new Set(
      Object.entries(transitions).flatMap(([from, targets]) =>
        targets.filter((to) => to !== from).map((to) => `${from} → ${to}`)
      )
    )
    // A fixed seed: whether a row is seen must not depend on the day.
    const history = fc.tuple(state, fc.array(command, { minLength: historyLength, maxLength: historyLength }))
    for (let seen = 0; seen < historiesMax && missing.size > 0; seen += historiesAtOnce) {
      for (const [start, commands] of fc.sample(history, { seed: seen, numRuns: historiesAtOnce })) {
        let self = start
        for (const { run } of commands) {
          const next = run(self)
          if (Result.isFailure(next)) continue
          missing.delete(`${self._tag} → ${next.success._tag}`)
          // At an end the history begins anew.
          self = transitions[next.success._tag]?.length === 0 ? start : next.success
        }
      }
    }
    assert.deepStrictEqual([...missing], [])
  })
}
