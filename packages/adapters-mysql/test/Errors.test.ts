/**
 * What the driver's errors mean, above all when nobody can know whether a statement was executed.
 *
 * @since 0.1.0
 */
import { assert, describe, it } from "@effect/vitest"
import { StorageError } from "@pillivery/application/ports/StorageError"
import { SqlError, UnknownError } from "effect/sql/SqlError"
import { causeIsRivalry, duplicatedKeyOf, isDuplicateKey, isRivalry, toStorageError } from "../src/internal/Errors.ts"
import { Cause } from "effect"

const driverError = (fields: object) => Object.assign(new Error("from the driver"), fields)

const sqlError = (fields: object, operation = "execute") =>
  new SqlError({ reason: new UnknownError({ cause: driverError(fields), message: "failed", operation }) })

const reasons = (error: unknown) =>
  (["read", "write", "inTransaction"] as const).map((effects) => toStorageError("test", effects)(error).reason)

const same = (reason: StorageError["reason"]) => [reason, reason, reason]

describe("errors of the driver", () => {
  it("are conflicts when rivals won", () => {
    for (const errno of [1213, 1205, 1020, 1047, 3101]) {
      assert.deepStrictEqual(reasons(sqlError({ errno })), same("conflict"))
      assert.isTrue(isRivalry(toStorageError("test", "read")(sqlError({ errno }))))
      assert.isTrue(causeIsRivalry(Cause.die(sqlError({ errno }))))
    }
    assert.isFalse(isRivalry(sqlError({ errno: 1064 })))
    assert.isFalse(causeIsRivalry(Cause.interrupt(1)))
  })

  it("leave the outcome unknown only when a write of its own may have been executed", () => {
    for (const code of ["PROTOCOL_CONNECTION_LOST", "ECONNRESET", "EPIPE"]) {
      const lost = sqlError({ code, errno: -104, fatal: true })
      assert.deepStrictEqual(reasons(lost), ["unavailable", "outcomeUnknown", "unavailable"])
    }
    const neverSent = sqlError({ code: "ECONNREFUSED", errno: -111, syscall: "connect", fatal: true })
    assert.deepStrictEqual(reasons(neverSent), same("unavailable"))
    assert.deepStrictEqual(
      reasons(sqlError({ code: "ECONNRESET", fatal: true }, "acquireConnection")),
      same("unavailable")
    )
  })

  it("tell a slow statement and an unavailable server from a failure", () => {
    for (const errno of [1969, 3024, 1317]) assert.deepStrictEqual(reasons(sqlError({ errno })), same("timedOut"))
    for (const errno of [1040, 1045, 1049, 1053, 1927])
      assert.deepStrictEqual(reasons(sqlError({ errno })), same("unavailable"))
    for (const errno of [1064, 1062, 1406, 4025, 3819])
      assert.deepStrictEqual(reasons(sqlError({ errno })), same("failed"))
    assert.deepStrictEqual(reasons(new Error("whatever")), same("failed"))
    assert.deepStrictEqual(reasons(null), same("failed"))
  })

  it("name the key that a duplicate would have broken as both servers spell it", () => {
    const duplicate = (constraint: string) => ({ reason: { constraint, cause: driverError({ errno: 1062 }) } })
    assert.isTrue(isDuplicateKey(duplicate("PRIMARY")))
    assert.strictEqual(duplicatedKeyOf(duplicate("app_user_email")), "app_user_email")
    assert.strictEqual(duplicatedKeyOf(duplicate("app_user.app_user_email")), "app_user_email")
    assert.isNull(duplicatedKeyOf(driverError({ errno: 1213 })))
  })

  it("are passed on when they are storage errors already", () => {
    const error = new StorageError({ operation: "inner", reason: "timedOut", cause: null })
    assert.strictEqual(toStorageError("outer", "write")(error), error)
  })
})
