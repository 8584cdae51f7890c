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
import { rowReader, Uuid } from "./Columns.ts"
import { isDuplicateKey } from "./Errors.ts"
import { type BatchStatement, type Reads, WriteResult, type Writes } from "./Together.ts"

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

// -----------------------------------------------------------------------------
// Calls that several callers make at the same time
// -----------------------------------------------------------------------------

type Row = Readonly<Record<string, unknown>>
type Written = SqlError | Schema.SchemaError

/** Reads of one entity each by its key. */
export const findsOf = <Item, Entity, E>(options: {
  /** Reads the entities of the rows that are asked for. */
  readonly select: (items: Arr.NonEmptyReadonlyArray<Item>) => Effect.Effect<ReadonlyArray<Entity>, E>
  readonly keyOf: (item: Item) => string
  readonly keyOfEntity: (entity: Entity) => string
}): Reads<Item, Option.Option<Entity>, E> => ({
  one: (item) => Effect.map(options.select([item]), first),
  many: (items) =>
    Effect.map(options.select(items), (entities) => {
      const found = new Map(entities.map((entity) => [options.keyOfEntity(entity), entity]))
      return items.map((item) => Option.fromUndefinedOr(found.get(options.keyOf(item))))
    })
})

/** The rows that a list of keys names; one key is asked for with a statement that stays the same and is prepared. */
export const whereIn = (sql: SqlClient, column: string, values: Arr.NonEmptyReadonlyArray<unknown>): Fragment =>
  values.length === 1 ? sql`${sql(column)} = ${values[0]}` : sql`${sql(column)} IN ${sql.in(values)}`

/** Runs a statement about one key prepared, and one about several as text, since it is different each time. */
export const preparedIfOne = <A>(
  keys: ReadonlyArray<unknown>,
  statement: Statement<A>
): Effect.Effect<ReadonlyArray<A>, SqlError> => (keys.length === 1 ? statement : statement.unprepared)

/** What updates and inserts of one table need to know. */
export interface Table<Item> {
  readonly sql: SqlClient
  readonly table: string
  /** The thing's name in errors. */
  readonly entity: string
  readonly idOf: (item: Item) => string
  readonly toRow: (item: Item) => Row
}

/** Inserts of one row each. */
export const insertsOf = <Item>({
  entity,
  idOf,
  sql,
  table,
  toRow
}: Table<Item>): Writes<Item, void, Written | AlreadyExists> => ({
  one: (item) => orExists(insertRows(sql, table, [toRow(item)]), entity, idOf(item)),
  many: (items) => [insertTogether(table, items.map(toRow))],
  answer: undefined
})

/** Inserts some rows by one statement that is different each time; a column that none of them fills is left out. */
export const insertTogether = (table: string, rows: ReadonlyArray<Row>): BatchStatement => {
  const names = Object.keys(rows[0] ?? {}).filter((name) => rows.some((row) => row[name] !== null))
  const row = `(${names.map(() => "?").join(", ")})`
  return {
    text: `INSERT INTO ${table} (${names.join(", ")}) VALUES ${Array(rows.length).fill(row).join(", ")}`,
    values: rows.flatMap((row) => names.map((name) => row[name]))
  }
}

/**
 * Inserts of lists of rows that may be there already, and then stay as they are.
 *
 * `row` spells one row: a place for each of its values, and what the server fills in.
 */
export const insertsOnceOf = <Item>({
  columns,
  row,
  same,
  sql,
  table,
  toRows
}: {
  readonly sql: SqlClient
  readonly table: string
  readonly columns: string
  readonly row: string
  /** A column that is set to itself. */
  readonly same: string
  readonly toRows: (items: ReadonlyArray<Item>) => ReadonlyArray<ReadonlyArray<unknown>>
}): Writes<ReadonlyArray<Item>, void, SqlError> => {
  const textOf = (count: number) =>
    `INSERT INTO ${table} (${columns}) VALUES ${Array(count).fill(row).join(", ")} ON DUPLICATE KEY UPDATE ${same} = ${same}`
  return {
    one: (items) => inChunks(toRows(items), (rows) => sql.unsafe(textOf(rows.length), rows.flat())),
    many: (lists) => {
      const rows = toRows(lists.flat())
      return rows.length === 0 ? [] : [{ text: textOf(rows.length), values: rows.flat() }]
    },
    answer: undefined
  }
}

/** Updates of one row each at the version it was read at, which is stored one higher. */
export const updatesOf = <Item extends { readonly version: number }>(
  { entity, idOf, sql, table, toRow }: Table<Item>,
  columns: {
    readonly keys: ReadonlyArray<string>
    /** Columns that never change after the insert, besides the keys. */
    readonly fixed?: ReadonlyArray<string>
  }
): Writes<Item, void, Written | StaleWrite> => {
  const unchanged = new Set([...columns.keys, ...(columns.fixed ?? [])])
  const changedOf = (row: Row): Row => Object.fromEntries(Object.entries(row).filter(([name]) => !unchanged.has(name)))
  return {
    one: (item) => {
      const row = toRow(item)
      const isRow = sql.and([...columns.keys, "version"].map((name) => sql`${sql(name)} = ${row[name]}`))
      return orStale(
        sql`UPDATE ${sql(table)} SET ${sql.update({ ...changedOf(row), version: item.version + 1 })} WHERE ${isRow}`,
        entity,
        idOf(item)
      )
    },
    many: (items) => {
      const rows = items.map(toRow)
      const first = rows[0] ?? {}
      const joined = [...columns.keys, "version"]
      const changed = Object.keys(changedOf(first)).filter((name) => name !== "version")
      // Most columns have one value in all rows of a moment: it is written once, not in each.
      const common = new Set(changed.filter((name) => rows.every((row) => row[name] === first[name])))
      const own = [...joined, ...changed.filter((name) => !common.has(name))]
      const set = changed.filter((name) => !common.has(name)).map((name) => `t.${name} = v.${name}`)
      return [
        {
          text: `UPDATE ${valuesTable(own, rows.length)} STRAIGHT_JOIN ${table} t
            ON ${joined.map((name) => `t.${name} = v.${name}`).join(" AND ")}
            SET ${[...set, ...[...common].map((name) => `t.${name} = ?`), "t.version = v.version + 1"].join(", ")}`,
          values: [...rows.flatMap((row) => own.map((name) => row[name])), ...[...common].map((name) => first[name])],
          matches: rows.length
        }
      ]
    },
    answer: undefined
  }
}

/** So many rows of placeholders as a table `v`, in a spelling that both servers know. */
export const valuesTable = (names: ReadonlyArray<string>, count: number): string => {
  const first = `SELECT ${names.map((name) => `? AS ${name}`).join(", ")}`
  const other = ` UNION ALL SELECT ${names.map(() => "?").join(", ")}`
  return `(${first}${other.repeat(count - 1)}) v`
}

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

/** Reads rows and decodes what each stands for through the domain's own schema; a row of ours that does not is a defect. */
export const entitiesFrom = <Row, Entity extends Schema.Codec<unknown, unknown>>(
  row: { readonly fields: Readonly<Record<string, object>>; readonly Type: Row },
  entity: Entity,
  toFields: (row: Row) => unknown
) => {
  const readRow = rowReader(row)
  const decode = Schema.decodeUnknownSync(entity)
  return <E>(statement: Effect.Effect<ReadonlyArray<unknown>, E>): Effect.Effect<ReadonlyArray<Entity["Type"]>, E> =>
    Effect.map(statement, (rows) => rows.map((stored) => decode(toFields(readRow(Object(stored))))))
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
