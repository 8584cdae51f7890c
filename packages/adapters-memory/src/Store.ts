/**
 * The rows of every repository, in one place, and transactions over them.
 *
 * All rows are one immutable value. A transaction takes the only writer's permit, works on a value of its own and puts it
 * in the place of the committed one when it succeeds; whatever else happens, nothing has changed. Who reads outside of it
 * sees the committed value.
 *
 * **Details**
 *
 * `read` and `write` are the one way to rows, and name their operation: this is where {@link layerFaulty} does harm.
 *
 * @since 0.1.0
 */
import { AlreadyExists, StaleWrite, StorageError } from "@pillivery/application/ports/StorageError"
import { Context, Effect, Exit, Layer, Result, Semaphore } from "effect"
import * as SortedMap from "./internal/SortedMap.ts"
import * as Table from "./internal/Table.ts"

type Tables = ReadonlyMap<string, Table.Contents<unknown>>

/** What a transaction has done so far. */
interface Work {
  readonly owner: object
  tables: Tables
  hasEnded: boolean
}

const CurrentWork = Context.Reference<Work | null>("@pillivery/adapters-memory/Store/CurrentWork", {
  defaultValue: () => null
})

/** Rows at one moment. */
export class Rows {
  protected tables: Tables

  constructor(tables: Tables) {
    this.tables = tables
  }

  get<A>(table: Table.Table<A>, id: string): A | undefined {
    return SortedMap.get(this.contents(table).rows, id)
  }

  /** The row that has this unique key. */
  getBy<A, Unique extends string>(table: Table.Table<A, Unique>, unique: Unique, key: string): A | undefined {
    const contents = this.contents(table)
    const id = SortedMap.get(contents.unique[unique] ?? null, key)
    return id === undefined ? undefined : SortedMap.get(contents.rows, id)
  }

  size<A>(table: Table.Table<A>): number {
    return SortedMap.size(this.contents(table).rows)
  }

  /** Tells the rows of a table at one moment from those at another. */
  moment<A>(table: Table.Table<A>): object {
    return this.contents(table)
  }

  all<A>(table: Table.Table<A>): ReadonlyArray<A> {
    const rows: Array<A> = []
    SortedMap.forEachFrom(this.contents(table).rows, "", (row) => rows.push(row) > 0)
    return rows
  }

  /** How many rows an index holds under a prefix. */
  count<A, Index extends string>(table: Table.Table<A, string, Index>, index: Index, prefix = ""): number {
    const ids = this.contents(table).indexes[index] ?? null
    return SortedMap.rank(ids, Table.after(prefix)) - SortedMap.rank(ids, prefix)
  }

  /** How many rows an index holds before a text. */
  countUntil<A, Index extends string>(table: Table.Table<A, string, Index>, index: Index, until: string): number {
    return SortedMap.rank(this.contents(table).indexes[index] ?? null, until)
  }

  /** Visits rows in the order of an index, from a text on, until `visit` answers false. */
  forEachFrom<A, Index extends string>(
    table: Table.Table<A, string, Index>,
    index: Index,
    from: string,
    visit: (row: A, entry: string) => boolean
  ): void {
    const contents = this.contents(table)
    SortedMap.forEachFrom(contents.indexes[index] ?? null, from, (id, entry) => {
      const row = SortedMap.get(contents.rows, id)
      return row === undefined || visit(row, entry)
    })
  }

  /** Rows under a prefix of an index, in its order. */
  list<A, Index extends string>(
    table: Table.Table<A, string, Index>,
    index: Index,
    options: { readonly prefix?: string; readonly until?: string; readonly limit: number }
  ): ReadonlyArray<A> {
    const { limit, prefix = "", until = Table.after(prefix) } = options
    const rows: Array<A> = []
    if (limit <= 0) return rows
    this.forEachFrom(table, index, prefix, (row, entry) => entry < until && rows.push(row) < limit)
    return rows
  }

  /** One page of the rows under a prefix of an index, or from a text on, in its order. */
  page<A, Index extends string>(
    table: Table.Table<A, string, Index>,
    index: Index,
    rows: string | { readonly from: string },
    page: { readonly page: number; readonly size: number }
  ): { readonly data: ReadonlyArray<A>; readonly totalElements: number } {
    const bounds = typeof rows === "string" ? under(rows) : { ...rows, until: Table.after("") }
    return this.pageOf(table, index, bounds, page, ({ begin }, place) => begin + place)
  }

  /** One page of the rows under a prefix of an index, last first. */
  pageBackwards<A, Index extends string>(
    table: Table.Table<A, string, Index>,
    index: Index,
    prefix: string,
    page: { readonly page: number; readonly size: number }
  ): { readonly data: ReadonlyArray<A>; readonly totalElements: number } {
    return this.pageOf(table, index, under(prefix), page, ({ end }, place) => end - 1 - place)
  }

  private pageOf<A, Index extends string>(
    table: Table.Table<A, string, Index>,
    index: Index,
    { from, until }: { readonly from: string; readonly until: string },
    page: { readonly page: number; readonly size: number },
    positionOf: (bounds: { readonly begin: number; readonly end: number }, place: number) => number
  ): { readonly data: ReadonlyArray<A>; readonly totalElements: number } {
    const contents = this.contents(table)
    const ids = contents.indexes[index] ?? null
    const begin = SortedMap.rank(ids, from)
    const end = Math.max(begin, SortedMap.rank(ids, until))
    const data: Array<A> = []
    const first = offsetOf(page)
    const places = Math.min(end - begin, first + page.size)
    for (let place = first; place < places; place++) {
      const id = SortedMap.at(ids, positionOf({ begin, end }, place))
      const row = id === undefined ? undefined : SortedMap.get(contents.rows, id)
      if (row !== undefined) data.push(row)
    }
    return { data, totalElements: end - begin }
  }

  protected contents<A>(table: Table.Table<A>): Table.Contents<A> {
    return (this.tables.get(table.name) ?? Table.empty) as Table.Contents<A>
  }
}

const under = (prefix: string) => ({ from: prefix, until: Table.after(prefix) })

/** Rows that a statement changes; they count only when it succeeds. */
export class Draft extends Rows {
  /** What the rows are now. */
  get current(): Tables {
    return this.tables
  }

  /** A row that must be new, by its id and its unique keys. */
  insert<A>(table: Table.Table<A>, row: A): Result.Result<void, AlreadyExists> {
    const id = table.idOf(row)
    if (this.get(table, id) !== undefined || this.conflictOf(table, row) !== null) {
      return Result.fail(new AlreadyExists({ entity: table.name, key: id }))
    }
    return Result.succeed(this.put(table, row))
  }

  /** A row in place of the one with the same id and version; its version goes up by one. */
  update<A extends { readonly version: number }>(
    table: Table.Table<A>,
    row: A
  ): Result.Result<void, StaleWrite | StorageError> {
    const id = table.idOf(row)
    if (this.get(table, id)?.version !== row.version) return Result.fail(new StaleWrite({ entity: table.name, id }))
    const broken = this.conflictOf(table, row)
    return broken === null
      ? Result.succeed(this.put(table, nextVersion(row)))
      : Result.fail(
          new StorageError({
            operation: `update ${table.name}`,
            reason: "failed",
            cause: new Error(`another ${table.name} has the same ${broken}`)
          })
        )
  }

  /** The unique key that a row would break. */
  conflictOf<A, Unique extends string>(table: Table.Table<A, Unique>, row: A): Unique | null {
    return Table.conflictOf(table, this.contents(table), row)
  }

  /** Writes a row whatever was there. */
  put<A>(table: Table.Table<A>, row: A): void {
    this.tables = new Map(this.tables).set(table.name, Table.put(table, this.contents(table), row))
  }

  /** Takes a row out, if it is there. */
  remove<A>(table: Table.Table<A>, id: string): void {
    this.tables = new Map(this.tables).set(table.name, Table.remove(table, this.contents(table), id))
  }
}

/** What goes wrong between a store and its callers, decided operation by operation. */
export interface Faults {
  /**
   * What becomes of a commit: `kept` and told, or its answer is lost (`outcomeUnknown`), whether it was kept or not. The
   * operation is the statement's, or `transaction`.
   */
  readonly commit: (operation: string) => "kept" | "keptUntold" | "lostUntold"
  /** How many commits a read outside of a transaction lags behind, from 0 to {@link behindMax}. */
  readonly behind: (operation: string) => number
}

/** The most commits a stale read may lag behind. */
export const behindMax = 16

/** The rows of every repository. */
export class Store extends Context.Service<
  Store,
  {
    /** Reads committed rows, or in a transaction those it has written itself. */
    readonly read: <A>(operation: string, f: (rows: Rows, databaseNow: number) => A) => Effect.Effect<A>
    /** One statement: all of it or, when it fails, nothing; in the transaction around it or by itself. */
    readonly write: <A, E>(
      operation: string,
      f: (rows: Draft, databaseNow: number) => Result.Result<A, E>
    ) => Effect.Effect<A, E | StorageError>
    /** Makes the statements of an effect one; joins the transaction around it. */
    readonly transaction: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E | StorageError, R>
  }
>()("@pillivery/adapters-memory/Store") {}

const make = Effect.fnUntraced(function* (faults: Faults | null) {
  const writer = yield* Semaphore.make(1)
  const owner = {}
  let committed: Tables = new Map()
  // What was committed before, latest first; kept only for those who want to read it.
  const before: Array<Tables> = []

  const commit = (tables: Tables, operation: string): Effect.Effect<void, StorageError> => {
    const fate = faults === null ? "kept" : faults.commit(operation)
    if (fate !== "lostUntold" && tables !== committed) {
      if (faults !== null) {
        before.unshift(committed)
        before.splice(behindMax)
      }
      committed = tables
    }
    return fate === "kept"
      ? Effect.void
      : Effect.fail(new StorageError({ operation, reason: "outcomeUnknown", cause: new Error("told to") }))
  }

  const readable = (operation: string): Tables => {
    const behind = faults === null ? 0 : Math.min(faults.behind(operation), before.length)
    return before[behind - 1] ?? committed
  }

  // A fiber may outlive the transaction it was begun in; writing then would slip past it unseen.
  const workAround: Effect.Effect<Work | null> = Effect.flatMap(CurrentWork, (work) => {
    if (work === null || work.owner !== owner) return Effect.succeed(null)
    return work.hasEnded
      ? Effect.die(new Error("rows were read or written in a transaction that had ended"))
      : Effect.succeed(work)
  })

  const statement = <A, E>(
    before: Tables,
    f: (rows: Draft, databaseNow: number) => Result.Result<A, E>,
    keep: (tables: Tables) => void
  ): Effect.Effect<A, E> =>
    Effect.clockWith((clock) => {
      const rows = new Draft(before)
      const result = f(rows, clock.currentTimeMillisUnsafe())
      if (Result.isSuccess(result)) keep(rows.current)
      return Effect.fromResult(result)
    })

  return Store.of({
    read: (operation, f) =>
      Effect.flatMap(workAround, (work) =>
        Effect.clockWith((clock) =>
          Effect.sync(() =>
            f(new Rows(work === null ? readable(operation) : work.tables), clock.currentTimeMillisUnsafe())
          )
        )
      ),

    write: (operation, f) =>
      Effect.flatMap(workAround, (work) =>
        work === null
          ? writer.withPermit(
              Effect.suspend(() => {
                let written = committed
                return Effect.tap(
                  statement(committed, f, (tables) => {
                    written = tables
                  }),
                  () => commit(written, operation)
                )
              })
            )
          : Effect.suspend(() =>
              statement(work.tables, f, (tables) => {
                work.tables = tables
              })
            )
      ),

    transaction: (effect) =>
      Effect.flatMap(workAround, (around) =>
        around !== null
          ? effect
          : writer.withPermit(
              Effect.suspend(() => {
                const work: Work = { owner, tables: committed, hasEnded: false }
                return effect.pipe(
                  Effect.provideService(CurrentWork, work),
                  Effect.onExit((exit) => {
                    work.hasEnded = true
                    return Exit.isSuccess(exit) ? commit(work.tables, "transaction") : Effect.void
                  })
                )
              })
            )
      )
  })
})

/** An empty store. */
export const layer: Layer.Layer<Store> = Layer.effect(Store, make(null))

/** An empty store that loses answers and reads old rows as it is told. */
export const layerFaulty = (faults: Faults): Layer.Layer<Store> => Layer.effect(Store, make(faults))

/** Where a page begins. */
export const offsetOf = (page: { readonly page: number; readonly size: number }): number =>
  Math.max(0, Math.trunc(page.page) - 1) * page.size

/** The same state at the next version. Only the version differs, so that there is nothing to validate again. */
export const nextVersion = <A extends { readonly version: number }>(row: A): A =>
  Object.assign(Object.create(Object.getPrototypeOf(row)), row, { version: row.version + 1 })
