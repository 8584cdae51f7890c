/**
 * Small steps every repository takes.
 *
 * @since 0.1.0
 */
import { AlreadyExists, StaleWrite } from "@pillivery/application/ports/StorageError"
import { Array as Arr, Effect, Option, Schema } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import type { SqlClient } from "effect/sql/SqlClient"
import type { Fragment, Statement } from "effect/sql/Statement"
import { Uuid } from "./Columns.ts"
import { isDuplicateKey } from "./Errors.ts"

const WriteResult = Schema.Struct({ affectedRows: Schema.Int })
const decodeWriteResult = Schema.decodeUnknownEffect(WriteResult)

/** How many rows a write matched; the driver asks the server for matched rows, changed or not. */
export const affectedRows = (statement: Statement<unknown>): Effect.Effect<number, SqlError | Schema.SchemaError> =>
  Effect.map(Effect.flatMap(statement.raw, decodeWriteResult), (result) => result.affectedRows)

/** Fails when a conditional write matched no row: another writer was first. */
export const orStale = (
  statement: Statement<unknown>,
  entity: string,
  id: string
): Effect.Effect<void, SqlError | Schema.SchemaError | StaleWrite> =>
  Effect.flatMap(affectedRows(statement), (rows) =>
    rows === 0 ? Effect.fail(new StaleWrite({ entity, id })) : Effect.void
  )

/** Fails with `AlreadyExists` when an insert meets a key that is there. */
export const orExists = <E>(
  insert: Effect.Effect<unknown, E>,
  entity: string,
  key: string
): Effect.Effect<void, E | AlreadyExists> =>
  Effect.catch(Effect.asVoid(insert), (error): Effect.Effect<never, E | AlreadyExists> =>
    Effect.fail(isDuplicateKey(error) ? new AlreadyExists({ entity, key }) : error)
  )

/** Whether an insert found its key free. */
export const wasInserted = <E>(insert: Effect.Effect<unknown, E>): Effect.Effect<boolean, E> =>
  Effect.catch(Effect.as(insert, true), (error): Effect.Effect<boolean, E> =>
    isDuplicateKey(error) ? Effect.succeed(false) : Effect.fail(error)
  )

const decodeCount = Schema.decodeUnknownEffect(Schema.Tuple([Schema.Struct({ total: Schema.Int })]))
const decodeIds = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ id: Uuid })))

/** Where a page begins. */
export const offsetOf = (page: { readonly page: number; readonly size: number }): number =>
  Math.max(0, Math.trunc(page.page) - 1) * page.size

/** The columns of a row schema by name, for `SELECT`, of one table when several are joined; one piece of text. */
export const columnsOf = (
  sql: SqlClient,
  row: { readonly fields: Readonly<Record<string, unknown>> },
  table?: string
): Fragment => {
  const owner = table === undefined ? "" : `\`${table}\`.`
  return sql.literal(
    Object.keys(row.fields)
      .map((name) => `${owner}\`${name}\``)
      .join(", ")
  )
}

/** The most rows of one statement; more are inserted by several. */
const rowsPerStatementMax = 500

/** Inserts some rows; inside a transaction when they may be many. */
export const insertRows = (
  sql: SqlClient,
  table: string,
  rows: ReadonlyArray<Readonly<Record<string, unknown>>>
): Effect.Effect<void, SqlError> => inChunks(rows, (chunk) => sql`INSERT INTO ${sql(table)} ${sql.insert(chunk)}`)

/** Runs a statement for each so many rows; inside a transaction when they may be many. */
export const inChunks = <A, E>(
  rows: ReadonlyArray<A>,
  statement: (chunk: Arr.NonEmptyReadonlyArray<A>) => Effect.Effect<unknown, E>
): Effect.Effect<void, E> => Effect.forEach(Arr.chunksOf(rows, rowsPerStatementMax), statement, { discard: true })

/** Reads rows and decodes what each stands for through the domain's own schema. */
export const entitiesFrom = <Row extends Schema.Codec<unknown, unknown>, Entity extends Schema.Codec<unknown, unknown>>(
  row: Row,
  entity: Entity,
  toFields: (row: Row["Type"]) => unknown
) => {
  const decodeRows = Schema.decodeUnknownEffect(Schema.Array(row))
  const decodeEntity = Schema.decodeUnknownEffect(entity)
  return (
    statement: Effect.Effect<ReadonlyArray<unknown>, SqlError>
  ): Effect.Effect<ReadonlyArray<Entity["Type"]>, SqlError | Schema.SchemaError> =>
    Effect.flatMap(Effect.flatMap(statement, decodeRows), (rows) =>
      Effect.forEach(rows, (decoded) => decodeEntity(toFields(decoded)))
    )
}

/** The first of some rows. */
export const first = <A>(rows: ReadonlyArray<A>): Option.Option<A> => Option.fromUndefinedOr(rows[0])

/** Reads `SELECT COUNT(*) AS total`. */
export const totalFrom = (
  statement: Effect.Effect<ReadonlyArray<unknown>, SqlError>
): Effect.Effect<number, SqlError | Schema.SchemaError> =>
  Effect.map(Effect.flatMap(statement, decodeCount), ([{ total }]) => total)

/** Reads `SELECT id`. */
export const idsFrom = (
  statement: Effect.Effect<ReadonlyArray<unknown>, SqlError>
): Effect.Effect<ReadonlyArray<string>, SqlError | Schema.SchemaError> =>
  Effect.map(Effect.flatMap(statement, decodeIds), (rows) => rows.map(({ id }) => id))
