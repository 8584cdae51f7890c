/**
 * The connection pool.
 *
 * Every connection speaks UTC, strict SQL and one isolation level, and gives up on slow statements by itself. A first
 * connection asks the server what it is, so that a wrong address, a wrong password or weak durability is told at the
 * start and in words.
 *
 * @since 0.1.0
 */
import { MysqlClient } from "@effect/sql-mysql2"
import { StorageError } from "@pillivery/application/ports/StorageError"
import { Context, Effect, Layer, Redacted, Result, Schema, type Scope } from "effect"
import * as Reactivity from "effect/reactivity/Reactivity"
import { SqlClient } from "effect/sql/SqlClient"
import { toStorageError } from "./internal/Errors.ts"

/** How many connections one process keeps when the caller does not say. */
export const poolSizeDefault = 20
/** How long to wait for a connection to be made, in milliseconds. */
export const connectTimeoutMillisDefault = 3_000
/** How long a statement may take before the server gives up on it, in milliseconds. */
export const statementTimeoutMillisDefault = 10_000
/** How long a statement waits for a row lock, in seconds. */
export const lockWaitSecondsDefault = 5
/** How long a transaction may do nothing before MariaDB ends it, in seconds; MySQL knows no such bound. */
const idleTransactionSeconds = 10
/** How many prepared statements a connection keeps; the server's own bound is over all connections. */
const preparedStatementsMax = 200
/** How long an idle connection is kept, in milliseconds. */
const idleTimeoutMillis = 30_000
/** How long a connection may be silent before its peer is probed, in milliseconds. */
const keepAliveMillis = 10_000
/** What does not fit is refused, never made to fit. */
const sqlModes = [
  "ONLY_FULL_GROUP_BY",
  "STRICT_ALL_TABLES",
  "NO_ZERO_IN_DATE",
  "NO_ZERO_DATE",
  "ERROR_FOR_DIVISION_BY_ZERO",
  "NO_ENGINE_SUBSTITUTION"
]
const portDefault = 3_306

/** What the pool needs to know; everything but the address has a default. */
export interface Options {
  /** `mysql://user:password@host:port/database`, parts percent-encoded. */
  readonly url: Redacted.Redacted
  readonly poolSize?: number
  readonly isolation?: "READ COMMITTED" | "REPEATABLE READ"
  readonly connectTimeoutMillis?: number
  readonly statementTimeoutMillis?: number
  readonly lockWaitSeconds?: number
}

/** The address is not one of a MySQL database; it is not repeated here, because it may hold a password. */
export class MysqlUrlInvalid extends Schema.TaggedError<MysqlUrlInvalid>(
  "@pillivery/adapters-mysql/Client/MysqlUrlInvalid"
)("MysqlUrlInvalid", {
  reason: Schema.Literals(["malformed", "protocol", "host", "database"])
}) {
  override get message() {
    return `the database URL must look like mysql://user:password@host:3306/database (${this.reason})`
  }
}

/** The pool, as a MySQL client and as Effect's SQL client. */
export const layer = (
  options: Options
): Layer.Layer<MysqlClient.MysqlClient | SqlClient, MysqlUrlInvalid | StorageError> =>
  Layer.effectContext(
    Effect.gen(function* () {
      const address = yield* Effect.fromResult(addressOf(Redacted.value(options.url)))
      const server = yield* Effect.scoped(probe(address, options))
      for (const warning of durabilityWarnings(server)) yield* Effect.logWarning(warning)
      const client = yield* connect({
        ...poolConfig(address, options),
        maxConnections: options.poolSize ?? poolSizeDefault,
        onConnect: onConnectSql(options, server)
      })
      return Context.make(MysqlClient.MysqlClient, client).pipe(Context.add(SqlClient, client))
    })
  ).pipe(Layer.provide(Reactivity.layer))

interface Address {
  readonly host: string
  readonly port: number
  readonly database: string
  readonly username: string
  readonly password: Redacted.Redacted | undefined
}

/** Whether a text is the address of a MySQL database. */
export const isUrl = (text: string): boolean => Result.isSuccess(addressOf(text))

/** The driver ignores every other option when it is given a URL, so the URL is taken apart here. */
const addressOf = (text: string): Result.Result<Address, MysqlUrlInvalid> => {
  const url = URL.parse(text)
  if (url === null) return Result.fail(new MysqlUrlInvalid({ reason: "malformed" }))
  if (url.protocol !== "mysql:" && url.protocol !== "mariadb:") {
    return Result.fail(new MysqlUrlInvalid({ reason: "protocol" }))
  }
  if (url.hostname === "") return Result.fail(new MysqlUrlInvalid({ reason: "host" }))
  const database = decodePart(url.pathname.slice(1))
  const username = decodePart(url.username)
  const password = decodePart(url.password)
  if (database === null || username === null || password === null) {
    return Result.fail(new MysqlUrlInvalid({ reason: "malformed" }))
  }
  if (database === "" || database.includes("/")) return Result.fail(new MysqlUrlInvalid({ reason: "database" }))
  return Result.succeed({
    // Brackets belong to the URL, not to the address.
    host: url.hostname.replace(/^\[(.*)\]$/, "$1"),
    port: url.port === "" ? portDefault : Number(url.port),
    database,
    username: username === "" ? "root" : username,
    password: password === "" ? undefined : Redacted.make(password)
  })
}

const decodePart = (part: string): string | null => {
  try {
    return decodeURIComponent(part)
  } catch {
    return null
  }
}

const poolConfig = (address: Address, options: Options): MysqlClient.MysqlClientConfig => ({
  ...address,
  poolConfig: {
    charset: "utf8mb4_unicode_ci",
    connectTimeout: options.connectTimeoutMillis ?? connectTimeoutMillisDefault,
    dateStrings: true,
    idleTimeout: idleTimeoutMillis,
    keepAliveInitialDelay: keepAliveMillis,
    // The driver closes idle connections only when fewer of them may be kept than there may be in all.
    maxIdle: 1,
    maxPreparedStatements: preparedStatementsMax,
    timezone: "Z"
  }
})

const connect = (
  config: MysqlClient.MysqlClientConfig
): Effect.Effect<MysqlClient.MysqlClient, StorageError, Scope.Scope | Reactivity.Reactivity> =>
  Effect.mapError(MysqlClient.make(config), toStorageError("connect", "read"))

/** What the server says of itself that matters to us. */
interface Server {
  readonly variables: ReadonlyMap<string, string>
}

const VariableRows = Schema.Array(Schema.Tuple([Schema.String, Schema.String]))

/** One connection, closed again: whether the server lets us in, and what it is. */
const probe = Effect.fnUntraced(function* (address: Address, options: Options) {
  const sql = yield* connect({ ...poolConfig(address, options), maxConnections: 1 })
  const names = sql.in(["innodb_flush_log_at_trx_commit", "sync_binlog", "log_bin", "wsrep_sync_wait"])
  const rows = yield* sql`SHOW VARIABLES WHERE Variable_name IN ${names}`.valuesUnprepared.pipe(
    Effect.mapError(toStorageError("connect", "read"))
  )
  // SHOW answers the same two columns on every server.
  const variables = yield* Effect.orDie(Schema.decodeUnknownEffect(VariableRows)(rows))
  return { variables: new Map(variables.map(([name, value]) => [name.toLowerCase(), value])) } satisfies Server
})

/** Settings under which an acknowledged commit may be forgotten by a machine that loses its power. */
const durabilityWarnings = ({ variables }: Server): ReadonlyArray<string> => {
  const warnings: Array<string> = []
  const flush = variables.get("innodb_flush_log_at_trx_commit")
  if (flush !== undefined && flush !== "1" && flush !== "3") {
    warnings.push(`the database may forget committed payments: innodb_flush_log_at_trx_commit is ${flush}, not 1`)
  }
  if (variables.get("log_bin") === "ON" && variables.get("sync_binlog") === "0") {
    warnings.push("the database's binary log may miss committed payments: sync_binlog is 0, not 1")
  }
  return warnings
}

/**
 * What every new connection is told first, in one round trip.
 *
 * MariaDB skips comments of MySQL versions and MySQL skips comments of MariaDB, so that each sets its own statement
 * timeout. A process that is stopped in the middle of a transaction keeps its locks: MariaDB takes them away. `wsrep_sync_wait` makes reads of a Galera node wait until it has caught up.
 */
const onConnectSql = (options: Options, { variables }: Server): string => {
  const timeoutMillis = Math.max(1, Math.trunc(options.statementTimeoutMillis ?? statementTimeoutMillisDefault))
  const lockWaitSeconds = Math.max(1, Math.trunc(options.lockWaitSeconds ?? lockWaitSecondsDefault))
  const settings = [
    "time_zone = '+00:00'",
    `sql_mode = '${sqlModes.join(",")}'`,
    `innodb_lock_wait_timeout = ${lockWaitSeconds}`,
    ...(variables.has("wsrep_sync_wait") ? ["wsrep_sync_wait = 1"] : [])
  ]
  return `SET SESSION TRANSACTION ISOLATION LEVEL ${isolationSql(options.isolation)}; SET SESSION ${settings.join(
    ", SESSION "
  )} /*M!100300 , SESSION max_statement_time = ${timeoutMillis / 1_000},
      SESSION idle_transaction_timeout = ${idleTransactionSeconds} */
    /*!80000 , SESSION max_execution_time = ${timeoutMillis} */`
}

const isolationSql = (isolation: Options["isolation"]): string =>
  isolation === "REPEATABLE READ" ? "REPEATABLE READ" : "READ COMMITTED"
