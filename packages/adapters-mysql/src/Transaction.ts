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
import {
  Array as Arr,
  Cause,
  Context,
  Deferred,
  Effect,
  Exit,
  Layer,
  Predicate,
  Random,
  Request,
  RequestResolver,
  type Schema
} from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import type { Connection } from "effect/sql/SqlConnection"
import { isSqlError, type SqlError } from "effect/sql/SqlError"
import { poolSizeDefault } from "./Client.ts"
import { causeIsRivalry, type Effects, isRivalry, toStorageError } from "./internal/Errors.ts"
import { allMatched, type Reads, type Writes } from "./internal/Together.ts"
import { CurrentTry, Try } from "./internal/Try.ts"

/** How often a transaction that lost to rivals is run again. */
export const retriesMax = 5
/** How long to wait for a connection of the pool, in milliseconds. */
export const permitWaitMillisDefault = 3_000
/** The most callers that may wait for a connection at once, and for a shared transaction of one kind. */
export const waitersMax = 10_000
/** The first pause before another try, in milliseconds; each next one is twice as long, all of them jittered. */
const retryDelayMillis = 10

/** The most callers that share one transaction. */
export const sharersMax = 128
/** Shared transactions of one kind at a time: while one commits, the next may work. */
const sharedAtOnceMax = 2
/** How long a shared transaction waits for company when the one before it had some, in milliseconds. */
const gatherMillis = 30
/** How many callers of a shared transaction that failed run on their own at a time. */
const aloneAtOnceMax = 8
/** The most like reads that become one statement. */
const readsTogetherMax = 500

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
    /** A read that becomes one statement with like reads made at the same moment, outside of transactions too. */
    readonly readTogether: <Item, A, E>(
      operation: string,
      reads: Reads<Item, A, E>
    ) => (item: Item) => Effect.Effect<A, Translated<E>>
    /**
     * A write that becomes one statement with like writes of others who share its transaction.
     *
     * There it is put off until something is read or the transaction ends, and then leaves in one packet with all others
     * that were put off.
     */
    readonly writeTogether: <Item, A, E>(
      operation: string,
      writes: Writes<Item, A, E>
    ) => (item: Item) => Effect.Effect<A, Translated<E>>
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
      const transactions = makeTransactions(sql, permits)
      const read = makeStatement(sql, permits, "read")
      const write = makeStatement(sql, permits, "write")
      return Context.make(Transaction, Transaction.of(transactions)).pipe(
        Context.add(
          Statements,
          Statements.of({
            read,
            write,
            readTogether: makeReadTogether(permits, read),
            writeTogether: makeWriteTogether(permits, write)
          })
        )
      )
    })
  )

/** Transactions and statements on the pool. */
export const layer = layerWith({})

const endedDefect = () => new Error("rows were read or written in a transaction that had ended")

// -----------------------------------------------------------------------------
// Transactions
// -----------------------------------------------------------------------------

const makeTransactions = (
  sql: SqlClient.SqlClient,
  permits: Bulkhead.Bulkhead
): Pick<Transaction["Service"], "run" | "runShared"> => {
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
      const current = new Try(permits, false)
      return permits.withBulkhead(once(effect, current)).pipe(
        Effect.catchCause((cause): Effect.Effect<A, E | StorageError, R> => {
          const isLost = !Cause.hasInterrupts(cause) && (current.doomedBy !== null || causeIsRivalry(cause))
          return isLost && tries < retriesMax
            ? Effect.andThen(pauseBefore(tries), outermost(effect, tries + 1))
            : Effect.failCause(toCallersCause(cause, current, isLost))
        })
      )
    })

  const joined =
    <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    (begin: Effect.Effect<A, E | StorageError, R>): Effect.Effect<A, E | StorageError, R> =>
      Effect.flatMap(CurrentTry, (current) => {
        if (current === null || current.owner !== permits) return begin
        return current.hasEnded ? Effect.die(endedDefect()) : effect
      })

  const run = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | StorageError, R> =>
    joined(effect)(outermost(effect, 0))

  const share = makeShare((sharers) => runSharers(sql, permits, once, run, sharers))
  return { run, runShared: (kind) => (effect) => joined(effect)(share(kind, effect)) }
}

// -----------------------------------------------------------------------------
// Shared transactions
// -----------------------------------------------------------------------------

/** One caller of a shared transaction. */
interface Sharer {
  /** Its effect with the services it brought, and with what is added to them. */
  readonly effect: (added: <R>(brought: Context.Context<R>) => Context.Context<R>) => Effect.Effect<unknown, unknown>
  readonly answer: Deferred.Deferred<unknown, unknown>
}

/** Who waits for a shared transaction of one kind, and how many of them run. */
interface Waiting {
  readonly sharers: Array<Sharer>
  running: number
  hadCompany: boolean
}

/**
 * Gathers callers while others of their kind are busy, as a disk does with writes. Who comes alone waits for nobody, except
 * right after a transaction that had company: then more of it is expected and waited for, for `gatherMillis`.
 */
const makeShare = (runAll: (sharers: ReadonlyArray<Sharer>) => Effect.Effect<void>) => {
  const kinds = new Map<string, Waiting>()
  const waitingFor = (kind: string): Waiting => {
    const waiting = kinds.get(kind) ?? { sharers: [], running: 0, hadCompany: false }
    kinds.set(kind, waiting)
    return waiting
  }

  const serve = Effect.fnUntraced(function* (waiting: Waiting) {
    while (true) {
      // Those who ask at the same moment come along.
      yield* waiting.hadCompany && waiting.sharers.length < sharersMax ? Effect.sleep(gatherMillis) : Effect.yieldNow
      const sharers = waiting.sharers.splice(0, sharersMax)
      if (sharers.length === 0) break
      waiting.hadCompany = sharers.length > 1
      yield* runAll(sharers)
    }
    waiting.running--
  })

  return Effect.fnUntraced(function* <A, E, R>(
    kind: string,
    effect: Effect.Effect<A, E, R>
  ): Effect.fn.Return<A, E | StorageError, R> {
    const waiting = waitingFor(kind)
    if (waiting.sharers.length >= waitersMax) return yield* noPermit(`transaction of ${kind}`, tooMany)
    const answer = yield* Deferred.make<A, E | StorageError>()
    const context = yield* Effect.context<R>()
    waiting.sharers.push({
      effect: (added) => Effect.updateContext(effect, () => added(context)),
      // What is answered is of the types that are asked for, which a queue of all kinds of callers cannot say.
      answer: answer as Sharer["answer"]
    })
    if (waiting.running < sharedAtOnceMax) {
      waiting.running++
      yield* Effect.forkDetach(serve(waiting))
    }
    return yield* Deferred.await(answer)
  })
}

const tooMany = new Error("too many callers wait for a shared transaction")

/** All in one transaction; when one of them fails, or rivals win, nothing of it stays and each runs on its own. */
const runSharers = Effect.fnUntraced(function* (
  sql: SqlClient.SqlClient,
  permits: Bulkhead.Bulkhead,
  once: <A, E>(effect: Effect.Effect<A, E>, current: Try) => Effect.Effect<A, unknown>,
  run: <A, E>(effect: Effect.Effect<A, E>) => Effect.Effect<A, E | StorageError>,
  sharers: ReadonlyArray<Sharer>
) {
  if (sharers.length > 1) {
    const current = new Try(permits, true)
    const together = Effect.contextWith((around: Context.Context<never>) => {
      const connection = Context.getUnsafe(around, sql.transactionService)
      const added = <R>(brought: Context.Context<R>): Context.Context<R> =>
        brought.pipe(Context.add(CurrentTry, current), Context.add(sql.transactionService, connection))
      return Effect.forEach(sharers, ({ effect }) => effect(added), { concurrency: "unbounded" })
    }).pipe(Effect.tap(() => writePutOff(sql, current)))
    const exit = yield* Effect.exit(permits.withBulkhead(once(together, current)))
    if (Exit.isSuccess(exit)) {
      return yield* Effect.forEach(sharers, ({ answer }, index) => Deferred.succeed(answer, exit.value[index]), {
        discard: true
      })
    }
    if (current.controlFailure?.at === "commit" && !isRivalry(current.controlFailure.error)) {
      const unknown = toCallersCause(exit.cause, current, false)
      return yield* Effect.forEach(sharers, ({ answer }) => Deferred.failCause(answer, unknown), { discard: true })
    }
  }
  yield* Effect.forEach(
    sharers,
    ({ answer, effect }) =>
      Deferred.into(run(Effect.contextWith((around) => effect((brought) => Context.merge(around, brought)))), answer),
    { concurrency: aloneAtOnceMax, discard: true }
  )
})

// -----------------------------------------------------------------------------
// The driver's transaction
// -----------------------------------------------------------------------------

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
  (sql: SqlClient.SqlClient, permits: Bulkhead.Bulkhead, effects: "read" | "write") =>
  (operation: string) =>
  <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, Translated<E>> =>
    Effect.flatMap(CurrentTry, (current): Effect.Effect<A, Translated<E>> => {
      if (current === null || current.owner !== permits)
        return alone(permits, translated(effect, operation, effects), operation, 0)
      const own = translated(
        Effect.tapCause(effect, (cause) =>
          Effect.sync(() => {
            if (causeIsRivalry(cause)) current.doomedBy = cause
          })
        ),
        operation,
        "inTransaction"
      )
      return current.turns.withPermit(
        Effect.suspend((): Effect.Effect<A, Translated<E>> => {
          if (current.hasEnded) return Effect.die(endedDefect())
          if (current.doomedBy !== null) return Effect.fail(conflict(operation, current.doomedBy))
          return current.hasPutOff ? Effect.andThen(writePutOff(sql, current), own) : own
        })
      )
    })

/** One of the reads that are made together. */
class Read<Item, A, E> extends Request.Class<{ readonly item: Item }, A, E> {}

const makeReadTogether =
  (permits: Bulkhead.Bulkhead, statement: ReturnType<typeof makeStatement>) =>
  <Item, A, E>(operation: string, reads: Reads<Item, A, E>): ((item: Item) => Effect.Effect<A, Translated<E>>) => {
    const run = statement(operation)

    const resolver = RequestResolver.makeWith<Read<Item, A, Translated<E>>>({
      batchKey: ({ context }) => Context.get(context, CurrentTry),
      delay: Effect.yieldNow,
      collectWhile: (entries) => entries.size < readsTogetherMax,
      runAll: (entries) => {
        const each = Effect.forEach(
          entries,
          (entry) => Effect.map(Effect.exit(run(reads.one(entry.request.item))), (exit) => entry.completeUnsafe(exit)),
          { discard: true }
        )
        if (entries.length === 1) return each
        const items = Arr.map(entries, ({ request }) => request.item)
        return Effect.flatMap(Effect.exit(run(reads.many(items))), (exit) => {
          // A row that does not decode is the misfortune of who asked for it.
          if (Exit.isFailure(exit) && Cause.hasDies(exit.cause)) return each
          entries.forEach((entry, index) =>
            entry.completeUnsafe(
              Exit.isSuccess(exit) ? Exit.succeed(exit.value[index] as A) : Exit.failCause(exit.cause)
            )
          )
          return Effect.void
        })
      }
    })

    return (item) =>
      Effect.flatMap(CurrentTry, (current) =>
        current === null || current.owner !== permits || current.isShared
          ? Effect.request(new Read<Item, A, Translated<E>>({ item }), resolver)
          : run(reads.one(item))
      )
  }

const makeWriteTogether =
  (permits: Bulkhead.Bulkhead, statement: ReturnType<typeof makeStatement>) =>
  <Item, A, E>(operation: string, writes: Writes<Item, A, E>): ((item: Item) => Effect.Effect<A, Translated<E>>) => {
    const run = statement(operation)
    return (item) =>
      Effect.flatMap(CurrentTry, (current): Effect.Effect<A, Translated<E>> => {
        if (current === null || current.owner !== permits || !current.isShared) return run(writes.one(item))
        if (current.hasEnded) return Effect.die(endedDefect())
        if (current.doomedBy !== null) return Effect.fail(conflict(operation, current.doomedBy))
        current.putOff(writes, item)
        return Effect.succeed(writes.answer)
      })
  }

const refusal = new Error("a statement that stands for several was refused for one of them")

/** Makes the writes that were put off. What refuses one of them refuses all: nothing of the transaction may commit. */
const writePutOff = (sql: SqlClient.SqlClient, current: Try): Effect.Effect<void, StorageError> =>
  Effect.suspend(() => {
    const statements = current.takePutOff()
    if (statements.length === 0) return Effect.void
    const operation = "writes of a shared transaction"
    return translated(allMatched(sql, statements), operation, "inTransaction").pipe(
      Effect.flatMap((isDone) => (isDone ? Effect.void : Effect.fail(conflict(operation, refusal)))),
      Effect.tapCause((cause) =>
        Effect.sync(() => {
          current.doomedBy ??= cause
        })
      )
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
