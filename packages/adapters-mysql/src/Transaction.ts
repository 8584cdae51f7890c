/**
 * All or nothing, on MySQL and MariaDB; the one user of the driver's transactions.
 *
 * A transaction begun inside another joins it: a savepoint does not survive a deadlock, and what follows would commit
 * statement by statement. When rivals win, the whole outermost transaction is rolled back and run again. A transaction
 * in which a statement lost to rivals is doomed: whatever the caller makes of that failure, nothing of it commits.
 *
 * @since 0.1.0
 */
import { MysqlClient } from "@effect/sql-mysql2"
import { StorageError } from "@pillivery/application/ports/StorageError"
import { Transaction } from "@pillivery/application/ports/Transaction"
import * as Bulkhead from "@pillivery/application/resilience/Bulkhead"
import { Cause, Context, Effect, Layer, Predicate, Random, type Schema } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import type { Connection } from "effect/sql/SqlConnection"
import { isSqlError, type SqlError } from "effect/sql/SqlError"
import { poolSizeDefault } from "./Client.ts"
import { causeIsRivalry, type Effects, isRivalry, toStorageError } from "./internal/Errors.ts"

/** How often a transaction that lost to rivals is run again. */
export const retriesMax = 5
/** How long to wait for a connection of the pool, in milliseconds. */
export const permitWaitMillisDefault = 3_000
/** The most callers that may wait for a connection at once. */
const waitersMax = 10_000
/** The first pause before another try, in milliseconds; each next one is twice as long, all of them jittered. */
const retryDelayMillis = 10

/** How transactions and single statements wait for a connection. */
export interface Options {
  readonly permitWaitMillis?: number
}

/** What is left of a statement's errors: the driver's became the port's, and a row that does not decode is a defect. */
export type Translated<E> = Exclude<E, SqlError | Schema.SchemaError> | StorageError

/**
 * Runs the statements of repositories: in the transaction around them, or alone in a connection of their own.
 *
 * **Details**
 *
 * Failures of the driver become `StorageError`; a row that does not decode is a defect, since we wrote it. Alone, a
 * statement that lost to rivals is tried again like a transaction. `write` knows that a lost connection may have
 * written.
 */
export class Statements extends Context.Service<
  Statements,
  {
    readonly read: (operation: string) => <A, E>(effect: Effect.Effect<A, E>) => Effect.Effect<A, Translated<E>>
    readonly write: (operation: string) => <A, E>(effect: Effect.Effect<A, E>) => Effect.Effect<A, Translated<E>>
  }
>()("@pillivery/adapters-mysql/Transaction/Statements") {}

/** Transactions and statements on the pool, with the waiting time of `options`. */
export const layerWith = (
  options: Options
): Layer.Layer<Transaction | Statements, never, SqlClient.SqlClient | MysqlClient.MysqlClient> =>
  Layer.effectContext(
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const { config } = yield* MysqlClient.MysqlClient
      // As many permits as connections: nobody ever waits inside the driver, where waiting cannot be interrupted.
      const permits = yield* Bulkhead.make({
        name: "mysql",
        concurrentMax: config.maxConnections ?? poolSizeDefault,
        queueMax: waitersMax,
        waitMillisMax: options.permitWaitMillis ?? permitWaitMillisDefault
      })
      const run = makeRun(sql, permits)
      return Context.make(Transaction, Transaction.of({ run })).pipe(
        Context.add(
          Statements,
          Statements.of({ read: makeStatement(permits, "read"), write: makeStatement(permits, "write") })
        )
      )
    })
  )

/** Transactions and statements on the pool. */
export const layer = layerWith({})

/** One try of a transaction. */
class Try {
  /** The pool it runs on; a transaction on another database is none of ours. */
  readonly owner: Bulkhead.Bulkhead
  /** Why it can no longer commit. */
  doomedBy: Cause.Cause<unknown> | null = null
  /** What failed around the caller's effect: getting a connection, BEGIN or COMMIT. */
  controlFailure: { readonly at: "begin" | "commit"; readonly error: unknown } | null = null
  hasEnded = false

  constructor(owner: Bulkhead.Bulkhead) {
    this.owner = owner
  }
}

const CurrentTry = Context.Reference<Try | null>("@pillivery/adapters-mysql/Transaction/CurrentTry", {
  defaultValue: () => null
})

const endedDefect = () => new Error("rows were read or written in a transaction that had ended")

// -----------------------------------------------------------------------------
// Transactions
// -----------------------------------------------------------------------------

const makeRun = (sql: SqlClient.SqlClient, permits: Bulkhead.Bulkhead) => {
  const withTransaction = makeWithTransaction(sql)

  const once = <A, E, R>(effect: Effect.Effect<A, E, R>, current: Try) =>
    withTransaction(
      Effect.flatMap(effect, (a) =>
        current.doomedBy === null ? Effect.succeed(a) : Effect.fail(conflict("transaction", current.doomedBy))
      )
    ).pipe(
      Effect.ensuring(
        Effect.sync(() => {
          current.hasEnded = true
        })
      ),
      Effect.provideService(CurrentTry, current)
    )

  const outermost = <A, E, R>(effect: Effect.Effect<A, E, R>, tries: number): Effect.Effect<A, E | StorageError, R> =>
    Effect.suspend(() => {
      const current = new Try(permits)
      return permits.withBulkhead(once(effect, current)).pipe(
        Effect.catchCause((cause): Effect.Effect<A, E | StorageError, R> => {
          const isLost = !Cause.hasInterrupts(cause) && (current.doomedBy !== null || causeIsRivalry(cause))
          return isLost && tries < retriesMax
            ? Effect.andThen(pauseBefore(tries), outermost(effect, tries + 1))
            : Effect.failCause(toCallersCause(cause, current, isLost))
        })
      )
    })

  return <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | StorageError, R> =>
    Effect.flatMap(CurrentTry, (current) => {
      if (current === null || current.owner !== permits) return outermost(effect, 0)
      return current.hasEnded ? Effect.die(endedDefect()) : effect
    })
}

/** The driver's own transaction, except that it never nests and never gives a connection back with work left open. */
const makeWithTransaction = (sql: SqlClient.SqlClient) =>
  SqlClient.makeWithTransaction({
    transactionService: sql.transactionService,
    spanAttributes: [["db.system.name", "mysql"]],
    acquireConnection: () => Effect.tapError(sql.reserve, noteControlFailure("begin")),
    begin: (connection) => Effect.tapError(control(connection, "BEGIN"), noteControlFailure("begin")),
    commit: (connection) => Effect.tapError(control(connection, "COMMIT"), noteControlFailure("commit")),
    // The next BEGIN on this connection would commit whatever a failed COMMIT left open.
    onCommitFailure: rollBack,
    rollback: rollBack,
    savepoint: () => Effect.die(new Error("transactions join, they do not nest")),
    rollbackSavepoint: () => Effect.die(new Error("transactions join, they do not nest"))
  })

const control = (connection: Connection, statement: "BEGIN" | "COMMIT" | "ROLLBACK"): Effect.Effect<void, SqlError> =>
  Effect.asVoid(connection.executeUnprepared(statement, [], undefined))

const noteControlFailure =
  (at: "begin" | "commit") =>
  (error: unknown): Effect.Effect<void> =>
    Effect.map(CurrentTry, (current) => {
      if (current !== null) current.controlFailure = { at, error }
    })

/** Rolls back, or throws the connection away, which makes the server roll back. */
const rollBack = (connection: Connection): Effect.Effect<void> =>
  Effect.catch(control(connection, "ROLLBACK"), () =>
    Effect.sync(() => {
      const driver: unknown = Predicate.hasProperty(connection, "conn") ? connection.conn : null
      if (Predicate.hasProperty(driver, "destroy") && typeof driver.destroy === "function") driver.destroy()
    })
  )

/** Full jitter around an exponential delay, so that rivals do not meet again. */
const pauseBefore = (tries: number): Effect.Effect<void> =>
  Effect.flatMap(Random.next, (random) => Effect.sleep(retryDelayMillis * 2 ** tries * (0.5 + random)))

const toCallersCause = <E>(
  cause: Cause.Cause<E | SqlError | Bulkhead.BulkheadFull>,
  { controlFailure, doomedBy }: Try,
  isLost: boolean
): Cause.Cause<E | StorageError> => {
  if (controlFailure !== null) {
    return Cause.fail(
      controlFailure.at === "commit" && !isRivalry(controlFailure.error)
        ? new StorageError({ operation: "commit", reason: "outcomeUnknown", cause: controlFailure.error })
        : toStorageError(controlFailure.at, "inTransaction")(controlFailure.error)
    )
  }
  const isFull = cause.reasons.find((reason) => reason._tag === "Fail" && reason.error instanceof Bulkhead.BulkheadFull)
  if (isFull !== undefined) return Cause.fail(noPermit("transaction", isFull))
  if (isLost) return Cause.fail(conflict("transaction", doomedBy ?? cause))
  // What is left came from the caller's effect: the driver's own failures were noted above.
  return cause as Cause.Cause<E>
}

// -----------------------------------------------------------------------------
// Statements
// -----------------------------------------------------------------------------

const makeStatement =
  (permits: Bulkhead.Bulkhead, effects: "read" | "write") =>
  (operation: string) =>
  <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, Translated<E>> =>
    Effect.flatMap(CurrentTry, (current): Effect.Effect<A, Translated<E>> => {
      if (current === null || current.owner !== permits)
        return alone(permits, translated(effect, operation, effects), operation, 0)
      if (current.hasEnded) return Effect.die(endedDefect())
      if (current.doomedBy !== null) return Effect.fail(conflict(operation, current.doomedBy))
      return translated(
        Effect.tapCause(effect, (cause) =>
          Effect.sync(() => {
            if (causeIsRivalry(cause)) current.doomedBy = cause
          })
        ),
        operation,
        "inTransaction"
      )
    })

const alone = <A, E>(
  permits: Bulkhead.Bulkhead,
  effect: Effect.Effect<A, E | StorageError>,
  operation: string,
  tries: number
): Effect.Effect<A, E | StorageError> =>
  permits.withBulkhead(effect).pipe(
    Effect.catch((error): Effect.Effect<A, E | StorageError> => {
      if (error instanceof Bulkhead.BulkheadFull) return Effect.fail(noPermit(operation, error))
      return isRivalry(error) && tries < retriesMax
        ? Effect.andThen(pauseBefore(tries), alone(permits, effect, operation, tries + 1))
        : Effect.fail(error)
    })
  )

const translated = <A, E>(
  effect: Effect.Effect<A, E>,
  operation: string,
  effects: Effects
): Effect.Effect<A, Translated<E>> =>
  Effect.catch(effect, (error): Effect.Effect<never, Translated<E>> => {
    if (isSqlError(error)) return Effect.fail(toStorageError(operation, effects)(error))
    // Both kinds of error that the type leaves out are gone here, which the compiler cannot see.
    return isSchemaError(error) ? Effect.die(error) : Effect.fail(error as Translated<E>)
  })

const isSchemaError = (error: unknown): error is Schema.SchemaError => Predicate.isTagged(error, "SchemaError")

const conflict = (operation: string, cause: unknown) => new StorageError({ operation, reason: "conflict", cause })

const noPermit = (operation: string, cause: unknown) => new StorageError({ operation, reason: "unavailable", cause })
