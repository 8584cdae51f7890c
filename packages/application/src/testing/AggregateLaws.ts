/**
 * The laws shared by all repositories of versioned aggregates.
 *
 * @since 0.1.0
 */
import { assert } from "@effect/vitest"
import { targetsOf, type Transitions } from "@pillivery/domain/State"
import { type Command, commandsMax } from "@pillivery/domain/testing/Arbitraries"
import { Effect, Option, Result, Schema } from "effect"
import * as fc from "fast-check"
import type { IdGenerator } from "../ports/IdGenerator.ts"
import type { AlreadyExists, StaleWrite, StorageError } from "../ports/StorageError.ts"
import { Transaction } from "../ports/Transaction.ts"
import type { UserExists } from "../ports/UserRepository.ts"
import { countOf, endsOf, failsWith, freshSeed, law, type Law } from "./Law.ts"
import { atVersion, type Sample, samplesOf } from "./Samples.ts"

/** How many writers want the same version at once. */
const rivalsCount = 8
/** How many share a transaction. */
const sharersCount = 3
/** How many random histories are stored step by step. */
const historiesCount = 30
/** Below this, seeds of histories are drawn. */
const historySeedMax = 2 ** 31

/** A repository as these laws see it, and what it keeps. */
export interface Aggregate<A extends { readonly _tag: string; readonly version: number }, E, I, R> {
  readonly schema: Schema.Codec<A, E>
  readonly states: Readonly<Record<string, (seed: string) => A>>
  readonly varieties: Readonly<Record<string, (seed: string) => A>>
  readonly transitions: Transitions<string>
  /** What may be done to an aggregate, and with which it may begin. */
  readonly histories?: {
    readonly begin: ReadonlyArray<(seed: string) => A>
    readonly commands: fc.Arbitrary<Command<A>>
  }
  readonly idOf: (row: A) => I
  readonly insert: (row: A) => Effect.Effect<void, StorageError | AlreadyExists | UserExists, R>
  readonly find: (id: I) => Effect.Effect<Option.Option<A>, StorageError, R>
  readonly update: (row: A) => Effect.Effect<void, StorageError | StaleWrite | UserExists, R>
  /** With what an insert of a row that is there may fail. */
  readonly duplicate?: ReadonlyArray<"AlreadyExists" | "UserExists" | "StorageError">
}

/** Inserts, finds, updates at a version, and joins transactions. */
export const aggregateLaws = <A extends { readonly _tag: string; readonly version: number }, E, I, R>(
  aggregate: Aggregate<A, E, I, R>
): ReadonlyArray<Law<R | IdGenerator | Transaction>> => {
  const {
    duplicate = ["AlreadyExists"],
    find,
    histories,
    idOf,
    insert,
    schema,
    states,
    transitions,
    update,
    varieties
  } = aggregate
  const encode = Schema.encodeSync(Schema.toCodecJson(schema))
  const samples = samplesOf(states, varieties)
  const [first = noSample] = samples

  const isStored = Effect.fnUntraced(function* (row: A) {
    const found = yield* find(idOf(row))
    assert.deepStrictEqual(Option.getOrNull(Option.map(found, encode)), encode(row))
  })

  const isAbsent = Effect.fnUntraced(function* (row: A) {
    assert.isTrue(Option.isNone(yield* find(idOf(row))))
  })

  const roundTrips = samples.map(({ make, name }) =>
    law(
      `finds what was inserted: ${name}`,
      Effect.gen(function* () {
        const row = make(yield* freshSeed)
        yield* insert(row)
        yield* isStored(row)
      })
    )
  )

  const allMoves = Object.keys(transitions).flatMap((from) => targetsOf(transitions, from).map((to) => ({ from, to })))

  const moved = Effect.fnUntraced(function* ({ from, to }: { readonly from: string; readonly to: string }) {
    const seed = yield* freshSeed
    const [before, after] = [states[from]?.(seed), states[to]?.(seed)]
    return before === undefined || after === undefined
      ? assert.fail(`no sample of ${from} or ${to}`)
      : { before, after }
  })

  const moves = allMoves.map((move) =>
    law(
      `stores the move from ${move.from} to ${move.to}`,
      Effect.gen(function* () {
        const { after, before } = yield* moved(move)
        yield* insert(before)
        yield* update(after)
        yield* isStored(atVersion(after, 1))
      })
    )
  )

  // What is written by one statement for many may mix up what they have in common and what is each one's own.
  const together = [
    law(
      "finds what was inserted in one transaction with rows of every kind",
      Effect.gen(function* () {
        const { runShared } = yield* Transaction
        const rows = yield* Effect.forEach(samples, ({ make }) => Effect.map(freshSeed, make))
        yield* Effect.forEach(rows, (row) => runShared("inserts")(insert(row)), { concurrency: "unbounded" })
        for (const row of rows) yield* isStored(row)
      })
    ),
    law(
      "stores every move made in one transaction with all others",
      Effect.gen(function* () {
        const { runShared } = yield* Transaction
        const rows = yield* Effect.forEach(allMoves, moved)
        for (const { before } of rows) yield* insert(before)
        yield* Effect.forEach(rows, ({ after }) => runShared("moves")(update(after)), { concurrency: "unbounded" })
        for (const { after } of rows) yield* isStored(atVersion(after, 1))
      })
    ),
    law(
      "stores each move that several make in one transaction",
      Effect.gen(function* () {
        const { runShared } = yield* Transaction
        for (const move of allMoves) {
          const rows = yield* Effect.replicateEffect(moved(move), sharersCount)
          for (const { before } of rows) yield* insert(before)
          yield* Effect.forEach(rows, ({ after }) => runShared("moves")(update(after)), { concurrency: "unbounded" })
          for (const { after } of rows) yield* isStored(atVersion(after, 1))
        }
      })
    )
  ]

  const storesHistories =
    histories === undefined
      ? []
      : [
          law(
            "stores whatever happens to an aggregate, step by step",
            Effect.gen(function* () {
              const seed = Number.parseInt((yield* freshSeed).slice(-8), 16) % historySeedMax
              const drawn = fc.sample(
                fc.tuple(fc.constantFrom(...histories.begin), fc.array(histories.commands, { maxLength: commandsMax })),
                { numRuns: historiesCount, seed }
              )
              for (const [begin, commands] of drawn) {
                let row = begin(yield* freshSeed)
                yield* insert(row)
                const done = [`seed ${seed}: ${row._tag}`]
                for (const { name, run } of commands) {
                  const next = Result.getOrElse(run(row), () => row)
                  if (next === row) continue
                  done.push(`${name} → ${next._tag}`)
                  yield* update(next)
                  row = atVersion(next, row.version + 1)
                  assert.deepStrictEqual(
                    Option.getOrNull(Option.map(yield* find(idOf(row)), encode)),
                    encode(row),
                    done.join(", ")
                  )
                }
              }
            })
          )
        ]

  return [
    ...roundTrips,
    ...moves,
    ...together,
    ...storesHistories,

    law(
      "finds nothing under an id nobody wrote",
      Effect.gen(function* () {
        yield* isAbsent(first.make(yield* freshSeed))
      })
    ),

    law(
      "refuses a second row with the same id, and keeps the first",
      Effect.gen(function* () {
        const row = first.make(yield* freshSeed)
        yield* insert(row)
        yield* failsWith(duplicate, insert(atVersion(row, 7)))
        yield* isStored(row)
      })
    ),

    law(
      "lets one of many rivals insert",
      Effect.gen(function* () {
        const row = first.make(yield* freshSeed)
        const ends = yield* endsOf(Array.from({ length: rivalsCount }, () => insert(row)))
        assert.strictEqual(countOf(ends, "success"), 1)
        assert.strictEqual(ends.filter((end) => duplicate.some((tag) => tag === end)).length, rivalsCount - 1)
      })
    ),

    law(
      "raises the version by one with every update",
      Effect.gen(function* () {
        const row = first.make(yield* freshSeed)
        yield* insert(row)
        for (let version = 0; version < 3; version++) {
          yield* update(atVersion(row, version))
          yield* isStored(atVersion(row, version + 1))
        }
      })
    ),

    law(
      "refuses an update at any version but the stored one",
      Effect.gen(function* () {
        const row = first.make(yield* freshSeed)
        yield* insert(row)
        yield* update(row)
        for (const version of [0, 2, 3]) yield* failsWith("StaleWrite", update(atVersion(row, version)))
        yield* isStored(atVersion(row, 1))
      })
    ),

    law(
      "refuses to update what was never inserted",
      Effect.gen(function* () {
        const row = first.make(yield* freshSeed)
        yield* failsWith("StaleWrite", update(row))
        yield* isAbsent(row)
      })
    ),

    law(
      "lets one of many rivals update a version",
      Effect.gen(function* () {
        const row = first.make(yield* freshSeed)
        yield* insert(row)
        for (let version = 0; version < 3; version++) {
          const ends = yield* endsOf(Array.from({ length: rivalsCount }, () => update(atVersion(row, version))))
          assert.strictEqual(countOf(ends, "success"), 1)
          assert.strictEqual(countOf(ends, "StaleWrite"), rivalsCount - 1)
        }
        yield* isStored(atVersion(row, 3))
      })
    ),

    law(
      "lets one of many transactions update the version they all read",
      Effect.gen(function* () {
        const { run } = yield* Transaction
        const row = first.make(yield* freshSeed)
        yield* insert(row)
        const readAndUpdate = run(
          Effect.flatMap(find(idOf(row)), (found) =>
            Option.isNone(found) ? Effect.void : Effect.andThen(Effect.yieldNow, update(atVersion(found.value, 0)))
          )
        )
        const ends = yield* endsOf(Array.from({ length: rivalsCount }, () => readAndUpdate))
        assert.strictEqual(countOf(ends, "success"), 1)
        yield* isStored(atVersion(row, 1))
      })
    ),

    law(
      "inserts and updates in the transaction around it",
      Effect.gen(function* () {
        const { run } = yield* Transaction
        const [kept, lost] = [first.make(yield* freshSeed), first.make(yield* freshSeed)]
        yield* insert(kept)
        yield* failsWith(
          "Unwanted",
          run(
            Effect.gen(function* () {
              yield* insert(lost)
              yield* update(kept)
              yield* isStored(lost)
              yield* isStored(atVersion(kept, 1))
              return yield* Effect.fail({ _tag: "Unwanted" as const })
            })
          )
        )
        yield* isAbsent(lost)
        yield* isStored(kept)
      })
    ),

    law(
      "goes on in a transaction after a refused write",
      Effect.gen(function* () {
        const { run } = yield* Transaction
        const [there, added] = [first.make(yield* freshSeed), first.make(yield* freshSeed)]
        yield* insert(there)
        yield* run(
          Effect.gen(function* () {
            yield* failsWith(duplicate, insert(there))
            yield* failsWith("StaleWrite", update(atVersion(there, 5)))
            yield* insert(added)
          })
        )
        yield* isStored(there)
        yield* isStored(added)
      })
    )
  ]
}

const noSample: Sample<never> = {
  name: "nothing",
  make: () => assert.fail("an aggregate has at least one state")
}
