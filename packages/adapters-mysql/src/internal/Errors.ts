/**
 * What the errors of the driver and the servers mean to us.
 *
 * Decided by the server's error number and the socket's error code, which both servers share; never by a message. An
 * error number tells that the server answered, so that the statement had no effect; a lost connection tells nothing.
 *
 * @since 0.1.0
 */
import { StorageError } from "@pillivery/application/ports/StorageError"
import { type Cause, Predicate } from "effect"

/** How deep a cause is looked for inside an error: port error, SQL error, its reason, the driver's error. */
const causeDepthMax = 6

/**
 * Rivals won: deadlock, lock wait, record changed since read (MariaDB snapshot isolation), node not ready (Galera),
 * rolled back by certification (group replication).
 */
const rivalryErrnos: ReadonlySet<number> = new Set([1213, 1205, 1020, 1047, 3101])
/** Too many connections, host blocked, shutting down, read-only, connection killed or idle for too long. */
const unavailableErrnos: ReadonlySet<number> = new Set([
  1040, 1053, 1129, 1130, 1203, 1226, 1290, 1792, 1836, 1927, 3032, 3169, 4031
])
/** Not let in: wrong password, no right to the database, no such database. */
const accessErrnos: ReadonlySet<number> = new Set([1044, 1045, 1049])
/** The server gave up on a slow statement: MariaDB, MySQL, or killed by hand. */
const timedOutErrnos: ReadonlySet<number> = new Set([1969, 3024, 1317])
const duplicateColumnErrno = 1060
/** The table has an index of this name; not `duplicateKeyErrno`, which is about a row. */
const duplicateIndexErrno = 1061
const duplicateKeyErrno = 1062
/** Errors of the server begin here; smaller ones are the operating system's. */
const serverErrnoMin = 1_000

/** A statement only reads, or writes by itself, or stands in a transaction that is rolled back when it fails. */
export type Effects = "read" | "write" | "inTransaction"

/** Turns whatever a statement failed with into the port's error. */
export const toStorageError =
  (operation: string, effects: Effects) =>
  (error: unknown): StorageError =>
    error instanceof StorageError
      ? error
      : new StorageError({ operation, reason: reasonOf(error, effects), cause: error })

const reasonOf = (error: unknown, effects: Effects): StorageError["reason"] => {
  const errno = errnoOf(error)
  if (errno !== null) {
    if (rivalryErrnos.has(errno)) return "conflict"
    if (timedOutErrnos.has(errno)) return "timedOut"
    if (unavailableErrnos.has(errno) || accessErrnos.has(errno)) return "unavailable"
    return "failed"
  }
  if (isNeverSent(error)) return "unavailable"
  if (isConnectionLost(error)) return effects === "write" ? "outcomeUnknown" : "unavailable"
  return "failed"
}

/** The server's number of the error, wherever it is nested; null when the server did not answer. */
export const errnoOf = (error: unknown): number | null =>
  findInCauses(error, (candidate) =>
    Predicate.hasProperty(candidate, "errno") &&
    typeof candidate.errno === "number" &&
    candidate.errno >= serverErrnoMin
      ? candidate.errno
      : null
  )

/** Whether the same work may be tried again because rivals made the server give it up. */
export const isRivalry = (error: unknown): boolean => {
  const errno = errnoOf(error)
  return errno !== null && rivalryErrnos.has(errno)
}

/** Whether any failure or defect of a cause is rivalry; the driver reports some of them as defects. */
export const causeIsRivalry = (cause: Cause.Cause<unknown>): boolean =>
  cause.reasons.some((reason) =>
    reason._tag === "Fail" ? isRivalry(reason.error) : reason._tag === "Die" && isRivalry(reason.defect)
  )

/** Whether the table has the column or the index already. */
export const isAddedAlready = (error: unknown): boolean => {
  const errno = errnoOf(error)
  return errno === duplicateColumnErrno || errno === duplicateIndexErrno
}

/** Whether the row exists already. */
export const isDuplicateKey = (error: unknown): boolean => errnoOf(error) === duplicateKeyErrno

/** The key that a duplicate would have broken, as the server names it: `PRIMARY` or `table.PRIMARY`. */
export const duplicatedKeyOf = (error: unknown): string | null =>
  findInCauses(error, (candidate) =>
    Predicate.hasProperty(candidate, "constraint") && typeof candidate.constraint === "string"
      ? candidate.constraint.slice(candidate.constraint.lastIndexOf(".") + 1)
      : null
  )

/** Whether no byte of the statement can have reached the server: there was no connection yet. */
const isNeverSent = (error: unknown): boolean =>
  findInCauses(error, (candidate) => {
    if (Predicate.hasProperty(candidate, "syscall") && isConnectSyscall(candidate.syscall)) return true
    if (Predicate.isTagged(candidate, "ConnectionError")) return true
    return Predicate.hasProperty(candidate, "operation") &&
      (candidate.operation === "connect" || candidate.operation === "acquireConnection")
      ? true
      : null
  }) === true

const isConnectSyscall = (syscall: unknown): boolean => syscall === "connect" || syscall === "getaddrinfo"

const lostCodes: ReadonlySet<string> = new Set([
  "PROTOCOL_CONNECTION_LOST",
  "PROTOCOL_ENQUEUE_AFTER_FATAL_ERROR",
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ERR_STREAM_DESTROYED",
  "ERR_STREAM_WRITE_AFTER_END"
])

const isConnectionLost = (error: unknown): boolean =>
  findInCauses(error, (candidate) => {
    if (Predicate.hasProperty(candidate, "fatal") && candidate.fatal === true) return true
    return Predicate.hasProperty(candidate, "code") &&
      typeof candidate.code === "string" &&
      lostCodes.has(candidate.code)
      ? true
      : null
  }) === true

const findInCauses = <A>(error: unknown, find: (candidate: unknown) => A | null): A | null => {
  let candidate = error
  for (let depth = 0; depth < causeDepthMax; depth++) {
    const found = find(candidate)
    if (found !== null) return found
    if (Predicate.hasProperty(candidate, "reason") && typeof candidate.reason === "object") candidate = candidate.reason
    else if (Predicate.hasProperty(candidate, "cause")) candidate = candidate.cause
    else return null
  }
  return null
}
