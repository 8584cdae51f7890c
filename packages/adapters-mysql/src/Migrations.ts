/**
 * Brings the schema up to date.
 *
 * Effect's migrator records every pending step first, and the first DDL commits that: a failed one counts as done. This
 * runner records a step after it succeeded. Every step can be run again, so it may die anywhere; a named lock keeps two
 * starting servers from working at once, and where the lock does not reach (Galera) the steps themselves are safe.
 *
 * @since 0.1.0
 */
import { MysqlClient } from "@effect/sql-mysql2"
import { StorageError } from "@pillivery/application/ports/StorageError"
import { Effect, Schema } from "effect"
import type { Connection } from "effect/sql/SqlConnection"
import { SqlClient } from "effect/sql/SqlClient"
import { isSqlError, type SqlError } from "effect/sql/SqlError"
import { isAddedAlready, toStorageError } from "./internal/Errors.ts"
import { type Migration, migrations } from "./internal/MigrationList.ts"

/** How long to wait while another server migrates, in seconds. */
const lockWaitSeconds = 120
/** How long one step may take, in seconds. */
const stepSecondsMax = 3_600

/** The database says a step was something else than we know it as: it is not ours, or its history was changed. */
export class MigrationMismatch extends Schema.TaggedError<MigrationMismatch>(
  "@pillivery/adapters-mysql/Migrations/MigrationMismatch"
)("MigrationMismatch", { id: Schema.Int, expected: Schema.String, found: Schema.String }) {
  override get message() {
    return `migration ${this.id} is ${this.expected} here, but ${this.found} in the database`
  }
}

/**
 * Runs the pending steps and answers their names, oldest first.
 *
 * **Details**
 *
 * A schema of a newer release is left alone with a warning, since each release works with the schema of the next one.
 */
export const migrate: Effect.Effect<
  ReadonlyArray<string>,
  StorageError | MigrationMismatch,
  SqlClient | MysqlClient.MysqlClient
> = Effect.suspend(() => migrateWith({ migrations, checkpoint: Effect.void }))

/** The names of the steps that are still to be run, oldest first. */
export const pending: Effect.Effect<
  ReadonlyArray<string>,
  StorageError | MigrationMismatch,
  SqlClient | MysqlClient.MysqlClient
> = Effect.suspend(() =>
  onOwnConnection((connection) =>
    Effect.map(pendingOf(connection, migrations), (steps) => steps.map(({ name }) => name))
  )
)

/** Runs a list of steps; `checkpoint` runs between any two statements, so that tests can die there. */
export const migrateWith = Effect.fn("migrateWith")(function* (options: {
  readonly migrations: ReadonlyArray<Migration>
  readonly checkpoint: Effect.Effect<void>
}) {
  return yield* onOwnConnection((connection) =>
    withLock(
      connection,
      Effect.gen(function* () {
        const applied: Array<string> = []
        for (const { id, name, statement } of yield* pendingOf(connection, options.migrations)) {
          yield* options.checkpoint
          // A column that is there already was added by a server that died before it could say so.
          yield* run(connection, statement).pipe(Effect.catchIf(isAddedAlready, () => Effect.void))
          yield* options.checkpoint
          yield* run(connection, recordSql, [id, name, id])
          applied.push(name)
        }
        return applied
      })
    )
  )
})

const createTableSql = `CREATE TABLE IF NOT EXISTS schema_migration (
  id INT NOT NULL,
  name VARCHAR(100) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  applied_at DATETIME(3) NOT NULL,
  PRIMARY KEY (id)
) ENGINE = InnoDB`
const listSql = "SELECT id, name FROM schema_migration ORDER BY id"
const recordSql =
  "INSERT INTO schema_migration (id, name, applied_at) VALUES (?, ?, UTC_TIMESTAMP(3)) ON DUPLICATE KEY UPDATE id = ?"
/** The name is the server's, not the database's, so it carries a digest of the database's name. */
const takeLockSql = "SELECT GET_LOCK(CONCAT('pillivery:', LEFT(SHA2(DATABASE(), 256), 40)), ?) AS taken"
const releaseLockSql = "SELECT RELEASE_LOCK(CONCAT('pillivery:', LEFT(SHA2(DATABASE(), 256), 40))) AS released"
/** DDL takes longer than any statement of ours may. */
const patientSql = `SET SESSION lock_wait_timeout = ${lockWaitSeconds}
  /*M!100100 , SESSION max_statement_time = ${stepSecondsMax} */`

const run = (connection: Connection, statement: string, params: ReadonlyArray<unknown> = []) =>
  connection.executeUnprepared(statement, params, undefined)

/** A connection of its own, whose settings are put back when it returns to the pool. */
const onOwnConnection = <A, E>(
  use: (connection: Connection) => Effect.Effect<A, E | SqlError | Schema.SchemaError>
): Effect.Effect<A, E | StorageError, SqlClient | MysqlClient.MysqlClient> =>
  Effect.scoped(
    Effect.gen(function* () {
      const sql = yield* SqlClient
      const { config } = yield* MysqlClient.MysqlClient
      const connection = yield* sql.reserve
      const restore = config.onConnect === undefined ? Effect.void : Effect.ignore(run(connection, config.onConnect))
      return yield* Effect.ensuring(Effect.andThen(run(connection, patientSql), use(connection)), restore)
    })
  ).pipe(
    Effect.catch((error): Effect.Effect<never, E | StorageError> => {
      if (isSqlError(error)) return Effect.fail(toStorageError("migrate", "read")(error))
      return error instanceof Schema.SchemaError ? Effect.die(error) : Effect.fail(error)
    })
  )

const LockRows = Schema.Tuple([Schema.Struct({ taken: Schema.NullOr(Schema.Int) })])

const withLock = <A, E>(connection: Connection, effect: Effect.Effect<A, E>) =>
  Effect.gen(function* () {
    const [{ taken }] = yield* Effect.flatMap(
      run(connection, takeLockSql, [lockWaitSeconds]),
      Schema.decodeUnknownEffect(LockRows)
    )
    if (taken !== 1) {
      return yield* new StorageError({
        operation: "migrate",
        reason: "timedOut",
        cause: new Error("another server is still migrating this database")
      })
    }
    // A server that dies loses its connection, and with it the lock.
    return yield* Effect.ensuring(effect, Effect.ignore(run(connection, releaseLockSql)))
  })

const RecordedRows = Schema.Array(Schema.Struct({ id: Schema.Int, name: Schema.String }))

const pendingOf = Effect.fnUntraced(function* (connection: Connection, known: ReadonlyArray<Migration>) {
  yield* run(connection, createTableSql)
  const recorded = yield* Effect.flatMap(run(connection, listSql), Schema.decodeUnknownEffect(RecordedRows))
  const names = new Map(recorded.map(({ id, name }) => [id, name]))
  for (const { id, name } of known) {
    const found = names.get(id)
    if (found !== undefined && found !== name) return yield* new MigrationMismatch({ id, expected: name, found })
  }
  const newest = known.reduce((max, { id }) => Math.max(max, id), 0)
  const newer = recorded.filter(({ id }) => id > newest)
  if (newer.length > 0) {
    yield* Effect.logWarning(
      `the database was migrated by a newer release: ${newer.map(({ id, name }) => `${id} ${name}`).join(", ")}`
    )
  }
  return known.filter(({ id }) => !names.has(id))
})
