/**
 * Rows with unique keys and ordered indexes, as an immutable value.
 *
 * A row is one immutable instance of the domain: what is read is what was written. An index holds a row where its function
 * answers a text, in the order of that text and then of the row's id.
 *
 * @since 0.1.0
 */
import type { DateTime } from "effect"
import * as SortedMap from "./SortedMap.ts"

/** What a table holds and how its rows are found. */
export interface Table<A, Unique extends string = string, Index extends string = string> {
  readonly name: string
  readonly idOf: (row: A) => string
  /** At most one row has each of these texts; a row without one answers null. */
  readonly unique: Readonly<Record<Unique, (row: A) => string | null>>
  readonly indexes: Readonly<Record<Index, (row: A) => string | null>>
}

/** The rows of one table at one moment. */
export interface Contents<A> {
  readonly rows: SortedMap.SortedMap<A>
  readonly unique: Readonly<Record<string, SortedMap.SortedMap<string>>>
  readonly indexes: Readonly<Record<string, SortedMap.SortedMap<string>>>
}

/** Names a table's rows, keys and indexes. */
export const define =
  <A>() =>
  <const Unique extends string = never, const Index extends string = never>(table: {
    readonly name: string
    readonly idOf: (row: A) => string
    readonly unique?: Readonly<Record<Unique, (row: A) => string | null>>
    readonly indexes?: Readonly<Record<Index, (row: A) => string | null>>
  }): Table<A, Unique, Index> => {
    const none: Readonly<Record<string, (row: A) => string | null>> = {}
    return { ...table, unique: table.unique ?? none, indexes: table.indexes ?? none }
  }

/** A table without rows. */
export const empty: Contents<never> = { rows: null, unique: {}, indexes: {} }

/** The unique key a row would break, `"id"` for the id of another row, or null. */
export const conflictOf = <A, Unique extends string>(
  table: Table<A, Unique>,
  contents: Contents<A>,
  row: A
): Unique | null => {
  const id = table.idOf(row)
  for (const name of namesOf(table.unique)) {
    const key = table.unique[name](row)
    const holder = key === null ? undefined : SortedMap.get(contents.unique[name] ?? null, key)
    if (holder !== undefined && holder !== id) return name
  }
  return null
}

/** The rows with this one in the place of the one with the same id, if there is one. */
export const put = <A>(table: Table<A>, contents: Contents<A>, row: A): Contents<A> => {
  const id = table.idOf(row)
  const before = SortedMap.get(contents.rows, id)
  return {
    rows: SortedMap.set(contents.rows, id, row),
    unique: moved(table.unique, contents.unique, id, before, row, (key) => key),
    indexes: moved(table.indexes, contents.indexes, id, before, row, (key) => `${key}/${id}`)
  }
}

/** The rows without one. */
export const remove = <A>(table: Table<A>, contents: Contents<A>, id: string): Contents<A> => {
  const before = SortedMap.get(contents.rows, id)
  if (before === undefined) return contents
  return {
    rows: SortedMap.remove(contents.rows, id),
    unique: moved(table.unique, contents.unique, id, before, undefined, (key) => key),
    indexes: moved(table.indexes, contents.indexes, id, before, undefined, (key) => `${key}/${id}`)
  }
}

const namesOf = <Name extends string>(functions: Readonly<Record<Name, unknown>>): ReadonlyArray<Name> =>
  Object.keys(functions) as Array<Name>

const moved = <A>(
  functions: Readonly<Record<string, (row: A) => string | null>>,
  maps: Readonly<Record<string, SortedMap.SortedMap<string>>>,
  id: string,
  before: A | undefined,
  row: A | undefined,
  toEntry: (key: string) => string
): Readonly<Record<string, SortedMap.SortedMap<string>>> => {
  const next: Record<string, SortedMap.SortedMap<string>> = { ...maps }
  for (const [name, keyOf] of Object.entries(functions)) {
    const old = before === undefined ? null : keyOf(before)
    const key = row === undefined ? null : keyOf(row)
    if (old === key) continue
    let map = next[name] ?? null
    if (old !== null) map = SortedMap.remove(map, toEntry(old))
    if (key !== null) map = SortedMap.set(map, toEntry(key), id)
    next[name] = map
  }
  return next
}

/** Later than every text that begins with `prefix`. */
export const after = (prefix: string): string => `${prefix}\uFFFF`

/** An instant as text whose order is the order of time. */
export const timeKey = (at: DateTime.Utc): string => millisKey(at.epochMilliseconds)

const millisShift = 1_000_000_000_000_000

/** Milliseconds as text whose order is theirs. */
export const millisKey = (millis: number): string => String(millis + millisShift).padStart(16, "0")

/** A count as text whose order is theirs. */
export const numberKey = (count: number): string => String(count).padStart(12, "0")
