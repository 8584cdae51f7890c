/**
 * Contracts of ports as data, and their binding to vitest.
 *
 * A law is a sentence and an effect that fails when the sentence is not true of the ports it is given. All laws of a suite
 * run against one store, which may hold anything: each makes ids of its own and asks only about those.
 *
 * @since 0.1.0
 */
import { assert, it } from "@effect/vitest"
import { type Duration, Effect, type Layer, Result } from "effect"
import { TestClock } from "effect/testing"
import { IdGenerator } from "../ports/IdGenerator.ts"

/** One sentence of a port's contract. */
export interface Law<out R> {
  readonly name: string
  readonly law: Effect.Effect<void, unknown, R>
}

/** How time passes in the store under test. */
export interface Timing {
  /** A lease that outlasts a few statements, in milliseconds. */
  readonly leaseMillis: number
  /** Lets time pass on the store's clock. */
  readonly waitFor: (millis: number) => Effect.Effect<void>
  /** Whether the store keeps real time, so that drivers need the real clock. */
  readonly isLive: boolean
}

/** For stores that follow the clock of the process. */
export const onTestClock: Timing = {
  leaseMillis: 1_000,
  waitFor: (millis) => TestClock.adjust(millis),
  isLive: false
}

/** For stores with a clock of their own: leases are short and waiting is real. */
export const live: Timing = {
  leaseMillis: 600,
  waitFor: (millis) => Effect.sleep(millis),
  isLive: true
}

/** Writes a law down. */
export const law = <R, E>(name: string, effect: Effect.Effect<void, E, R>): Law<R> => ({ name, law: effect })

/** Runs every law of a port as one test against one layer. */
export const suiteOf =
  <R>(port: string, laws: (timing: Timing) => ReadonlyArray<Law<R>>) =>
  <E>(
    name: string,
    layer: Layer.Layer<R, E>,
    timing: Timing = onTestClock,
    options: { readonly timeout?: Duration.Input } = {}
  ): void => {
    it.layer(layer, { ...options, excludeTestServices: timing.isLive })(`${port} (${name})`, (it) => {
      for (const { law, name } of laws(timing)) it.effect(name, () => law)
    })
  }

/** A text nobody used before, from which ids, names and keys follow. */
export const freshSeed: Effect.Effect<string, never, IdGenerator> = Effect.flatMap(IdGenerator, (ids) => ids.next)

/** Several of them. */
export const freshSeeds = (count: number): Effect.Effect<ReadonlyArray<string>, never, IdGenerator> =>
  Effect.flatMap(IdGenerator, (ids) => Effect.replicateEffect(ids.next, count))

/** Asserts that two values are the same, class by class, by what they encode to. */
export const sameBy =
  <A>(encode: (value: A) => unknown) =>
  (actual: A, expected: A): void => {
    assert.deepStrictEqual(encode(actual), encode(expected))
  }

/** Asserts that an effect fails with an error of this tag, or of one of these. */
export const failsWith = <A, E extends { readonly _tag: string }, R>(
  tags: E["_tag"] | ReadonlyArray<string>,
  effect: Effect.Effect<A, E, R>
): Effect.Effect<void, never, R> =>
  Effect.map(Effect.result(effect), (result) => {
    assert.include(
      typeof tags === "string" ? [tags] : [...tags],
      Result.isFailure(result) ? result.failure._tag : "success"
    )
  })

/** Runs rivals at once and answers how each of them ended: with the tag of its failure, or `"success"`. */
export const endsOf = <E extends { readonly _tag: string }, R>(
  rivals: ReadonlyArray<Effect.Effect<unknown, E, R>>
): Effect.Effect<ReadonlyArray<E["_tag"] | "success">, never, R> =>
  Effect.forEach(
    rivals,
    (rival) =>
      Effect.map(Effect.result(rival), (result) => (Result.isFailure(result) ? result.failure._tag : "success")),
    { concurrency: "unbounded" }
  )

/** How many of some ends are this one. */
export const countOf = (ends: ReadonlyArray<string>, end: string): number => ends.filter((each) => each === end).length

/** Those of some ids that are in a list, in its order: what is left of a list when others' rows are taken out. */
export const among = <Id extends string>(listed: ReadonlyArray<Id>, own: ReadonlyArray<Id>): Array<Id> => {
  const ids = new Set(own)
  return listed.filter((id) => ids.has(id))
}
