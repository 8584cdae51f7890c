/** A database of its own, and requests to a server over sockets. */
import * as Client from "@pillivery/adapters-mysql/Client"
import { Listening } from "@pillivery/api-server/Server"
import { Config, Effect, Redacted, Schema } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import { randomBytes, randomUUID } from "node:crypto"

/** A database of its own on the server of this run, dropped when the scope ends; answers its address. */
export const freshDatabase = Effect.fnUntraced(function* (prefix: string) {
  const server = new URL(yield* Config.String("PILLIVERY_TEST_MYSQL_URL"))
  const name = `${prefix}_${randomBytes(6).toString("hex")}`
  const admin = Client.layer({ url: Redacted.make(server.href), poolSize: 1 })
  const run = (statement: "CREATE" | "DROP") =>
    Effect.flatMap(SqlClient, (sql) =>
      statement === "CREATE" ? sql`CREATE DATABASE ${sql(name)}` : sql`DROP DATABASE IF EXISTS ${sql(name)}`
    ).pipe(Effect.provide(admin), Effect.orDie)
  yield* Effect.acquireRelease(run("CREATE"), () => run("DROP"))
  server.pathname = `/${name}`
  return server.href
})

const JsonObject = Schema.fromJsonString(Schema.Record(Schema.String, Schema.Unknown))
const decodeJson = Schema.decodeUnknownSync(JsonObject)

/** What a request carries. */
export interface Sent {
  readonly token?: string
  readonly body?: unknown
}

/** Sends a request to the server of the layer, or to a whole address. */
export const send = Effect.fnUntraced(function* (method: string, path: string, { body, token }: Sent = {}) {
  const { url } = yield* Listening
  return yield* Effect.promise(async () => {
    const response = await fetch(path.startsWith("http") ? path : `${url}${path}`, {
      method,
      headers: {
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(method === "POST" ? { "idempotency-key": randomUUID() } : {})
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) })
    })
    const text = await response.text()
    return {
      status: response.status,
      headers: response.headers,
      text,
      json: text.startsWith("{") ? decodeJson(text) : {}
    }
  })
})

/** What a person types to become a user. */
export const signUpBody = (seed: string, name = seed) => ({
  email: `${seed}@example.com`,
  password: "correct-horse-7!",
  displayName: name,
  realName: "김민지",
  phone: `010-${name.slice(-8, -4).padStart(4, "0")}-${name.slice(-4).padStart(4, "0")}`,
  address: { city: "서울특별시 마포구", detail: "월드컵로 1" }
})
