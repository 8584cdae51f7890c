/**
 * How this package's tests state laws: a sentence, a property, a number of runs.
 *
 * A failing law prints its seed and path; `PILLIVERY_SEED=<seed>` runs everything from that seed again.
 * `PILLIVERY_RUNS=<runs>` is the most runs any law gets: `npm run mutation` runs each law many times over.
 */
import { afterAll, assert, it } from "@effect/vitest"
import { Result } from "effect"
import * as fc from "fast-check"
import { type Tagged, targetsOf, type Transitions } from "../src/State.ts"
import type { Command } from "../src/testing/Arbitraries.ts"

/** Runs of a law unless told otherwise. */
const runsDefault = 300
/** Histories looked at, at most, until every row of a transition table was seen. */
const historiesMax = 3_000
const historiesAtOnce = 100
/** Commands of one such history. */
const historyLength = 40

const seed = process.env["PILLIVERY_SEED"]
const runsMax = Number(process.env["PILLIVERY_RUNS"] ?? Number.POSITIVE_INFINITY)
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
        numRuns: Math.min(numRuns, runsMax),
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

/** What the laws need to know of a machine. */
interface Machine<State extends Tagged> {
  readonly transitions: Transitions<State["_tag"]>
  readonly state: fc.Arbitrary<State>
  readonly command: fc.Arbitrary<Command<State>>
  /** Whether a state is one of the machine's, fields and all. */
  readonly is: (state: State) => boolean
}

/** Where the table lets a command lead from a state; null when the command is in no row, so that it may never move. */
const allowedBy = <State extends Tagged>(
  transitions: Transitions<State["_tag"]>,
  from: State["_tag"],
  command: string
): ReadonlyArray<string> | null => {
  const commands = new Set(Object.values<Readonly<Record<string, unknown>>>(transitions).flatMap(Object.keys))
  return commands.has(command) ? (transitions[from][command] ?? []) : null
}

/**
 * The laws of a machine: each command moves it along its rows of the table and nowhere else, it is refused in every state
 * that does not know it, and every row of the table is moved along.
 */
export const machineLaws = <State extends Tagged>({ command, is, state, transitions }: Machine<State>) => {
  law(
    "moves only along the rows of its table, and refuses a command where the table has none",
    [state, command],
    (self, { command, name, run }) => {
      const next = run(self)
      if (Result.isFailure(next)) return
      const allowed = allowedBy(transitions, self._tag, command) ?? [self._tag]
      assert.include(allowed, next.success._tag, `${self._tag} must not move to ${next.success._tag} by ${name}`)
    },
    2_000
  )

  law("is always in a state its own schema accepts", [state], (self) => assert.isTrue(is(self)))

  it("moves along every row of its table", () => {
    const rows = new Set(
      Object.entries<Transitions<State["_tag"]>[State["_tag"]]>(transitions).flatMap(([from, commands]) =>
        Object.entries(commands).flatMap(([command, targets]) => targets.map((to) => `${from} ${command} ${to}`))
      )
    )
    assert.isAbove(rows.size, 0)
    // A fixed seed: whether a row is seen must not depend on the day.
    const history = fc.tuple(state, fc.array(command, { minLength: historyLength, maxLength: historyLength }))
    for (let seen = 0; seen < historiesMax && rows.size > 0; seen += historiesAtOnce) {
      for (const [start, commands] of fc.sample(history, { seed: seen, numRuns: historiesAtOnce })) {
        let self = start
        for (const { command, run } of commands) {
          const next = run(self)
          if (Result.isFailure(next)) continue
          rows.delete(`${self._tag} ${command} ${next.success._tag}`)
          // At an end the history begins anew.
          self = targetsOf(transitions, next.success._tag).length === 0 ? start : next.success
        }
      }
    }
    assert.deepStrictEqual([...rows], [])
  })
}
