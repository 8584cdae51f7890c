/**
 * Like calls of several callers as one.
 *
 * @since 0.1.0
 */
import { type Array as Arr, Effect, Schema } from "effect"
import type { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"

/** A statement that stands for several writes. */
export interface BatchStatement {
  readonly text: string
  readonly values: ReadonlyArray<unknown>
  /** How many rows it must match, or one of the writes is refused. */
  readonly matches?: number
}

/** One read by itself, and several as one. */
export interface Reads<Item, A, E> {
  readonly one: (item: Item) => Effect.Effect<A, E>
  /** Their answers in order. */
  readonly many: (items: Arr.NonEmptyReadonlyArray<Item>) => Effect.Effect<ReadonlyArray<A>, E>
}

/** One write by itself, and several as one. */
export interface Writes<Item, A, E> {
  readonly one: (item: Item) => Effect.Effect<A, E>
  /** The statements that do the same for several. */
  readonly many: (items: Arr.NonEmptyReadonlyArray<Item>) => ReadonlyArray<BatchStatement>
  /** What each is answered; when one of them is refused, all are made again by themselves. */
  readonly answer: A
}

/** What the driver tells of a write. */
export const WriteResult = Schema.Struct({ affectedRows: Schema.Int })
const decodeHeaders = Schema.decodeUnknownEffect(Schema.Array(WriteResult))

/**
 * Runs statements in one packet; answers whether each matched as many rows as it must.
 *
 * **Details**
 *
 * They are different each time, and so not prepared. Sent as text, the driver's client answers what several statements came
 * to, and nothing for a write alone.
 */
export const allMatched = (
  sql: SqlClient,
  statements: ReadonlyArray<BatchStatement>
): Effect.Effect<boolean, SqlError | Schema.SchemaError> =>
  Effect.map(
    Effect.flatMap(
      sql.unsafe(
        [...statements.map(({ text }) => text), "DO 0"].join("; "),
        statements.flatMap(({ values }) => values)
      ).unprepared,
      decodeHeaders
    ),
    (results) =>
      statements.every(({ matches }, index) => matches === undefined || results[index]?.affectedRows === matches)
  )
