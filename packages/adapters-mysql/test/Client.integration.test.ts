/**
 * What goes wrong at the start is told at once and in words.
 *
 * @since 0.1.0
 */
import { assert, describe, it } from "@effect/vitest"
import { StorageError } from "@pillivery/application/ports/StorageError"
import { Effect, Layer, Logger, Redacted } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import * as Client from "../src/Client.ts"
import { freshUrl } from "./TestDatabase.ts"

const failureOf = (url: string) =>
  Effect.flip(Effect.scoped(Layer.build(Client.layer({ url: Redacted.make(url), connectTimeoutMillis: 500 }))))

describe("Client", () => {
  it.live("refuses an address that is not one of a MySQL database, without repeating it", () =>
    Effect.gen(function* () {
      for (const [url, reason] of [
        ["not a url", "malformed"],
        ["postgres://u:secret@h/db", "protocol"],
        ["mysql://u:secret@h", "database"],
        ["mysql://u:secret@h/a/b", "database"],
        ["mysql://u:%zz@h/db", "malformed"]
      ] as const) {
        const error = yield* failureOf(url)
        assert.instanceOf(error, Client.MysqlUrlInvalid)
        assert.strictEqual(error._tag === "MysqlUrlInvalid" && error.reason, reason)
        assert.notInclude(String(error), "secret")
      }
    })
  )

  it.live("names an unreachable database as unavailable", () =>
    Effect.gen(function* () {
      const error = yield* failureOf("mysql://root@127.0.0.1:1/pillivery")
      assert.instanceOf(error, StorageError)
      assert.strictEqual(error._tag === "StorageError" && error.reason, "unavailable")
    })
  )

  it.live("names a database that is not there, or that refuses us, as unavailable", () =>
    Effect.gen(function* () {
      const server = new URL(process.env["PILLIVERY_TEST_MYSQL_URL"] ?? "")
      const missing = new URL(server)
      missing.pathname = "/pillivery_of_nobody"
      const stranger = new URL(server)
      stranger.username = "nobody"
      stranger.password = "p%40ss"
      stranger.pathname = "/mysql"
      for (const url of [missing, stranger]) {
        const error = yield* failureOf(url.toString())
        assert.strictEqual(error._tag === "StorageError" && error.reason, "unavailable")
      }
    })
  )

  it.live("warns when the server may forget what it committed, and only then", () =>
    Effect.gen(function* () {
      const warnings: Array<string> = []
      const logger = Logger.make(({ message }) => {
        warnings.push(String(message))
      })
      const url = yield* freshUrl
      const layer = Client.layer({ url: Redacted.make(url) }).pipe(Layer.provide(Logger.layer([logger])))
      const flush = yield* Effect.flatMap(
        SqlClient,
        (sql) => sql`SHOW VARIABLES WHERE Variable_name = 'innodb_flush_log_at_trx_commit'`.valuesUnprepared
      ).pipe(Effect.provide(layer))
      const isDurable = ["1", "3"].includes(String(flush[0]?.[1]))
      assert.strictEqual(
        warnings.some((warning) => warning.includes("innodb_flush_log_at_trx_commit")),
        !isDurable
      )
    })
  )

  it.live("takes the locks of a process that was stopped in the middle of a transaction, where the server can", () =>
    Effect.gen(function* () {
      const layer = Client.layer({ url: Redacted.make(yield* freshUrl) })
      const found = yield* Effect.flatMap(
        SqlClient,
        (sql) => sql`SHOW SESSION VARIABLES LIKE 'idle_transaction_timeout'`.valuesUnprepared
      ).pipe(Effect.provide(layer))
      for (const [, seconds] of found) assert.strictEqual(seconds, "10")
    })
  )
})
