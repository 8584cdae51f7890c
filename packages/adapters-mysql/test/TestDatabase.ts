/**
 * A fresh database for each test layer, on the server of PILLIVERY_TEST_MYSQL_URL, dropped afterwards.
 *
 * @since 0.1.0
 */
import { IdGenerator } from "@pillivery/application/ports/IdGenerator"
import { Effect, Layer, Redacted, References } from "effect"
import { createConnection } from "mysql2/promise"
import { randomBytes } from "node:crypto"
import * as Client from "../src/Client.ts"
import { migrate } from "../src/Migrations.ts"
import * as Mysql from "../src/Mysql.ts"

const serverUrl = process.env["PILLIVERY_TEST_MYSQL_URL"]
if (serverUrl === undefined || serverUrl === "") {
  throw new Error("PILLIVERY_TEST_MYSQL_URL is not set: run these tests with `npm test`, which starts a database")
}

const administer = (statement: string) =>
  Effect.promise(async () => {
    const connection = await createConnection({ uri: urlOf("").replace(/\/$/, "") })
    try {
      await connection.query(statement)
    } finally {
      await connection.end()
    }
  })

const urlOf = (database: string): string => {
  const url = new URL(serverUrl)
  url.pathname = `/${database}`
  return url.toString()
}

/** The URL of a database that exists until the scope closes. */
export const freshUrl = Effect.gen(function* () {
  const name = `pillivery_${randomBytes(6).toString("hex")}`
  yield* Effect.acquireRelease(
    administer(`CREATE DATABASE ${name} CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci`),
    () => administer(`DROP DATABASE IF EXISTS ${name}`)
  )
  return urlOf(name)
})

/** A pool on a fresh database without tables; test servers need not be durable, so nobody is warned. */
export const layerEmpty = (options: Omit<Client.Options, "url"> = {}) =>
  Layer.unwrap(Effect.map(freshUrl, (url) => Client.layer({ ...options, url: Redacted.make(url) }))).pipe(
    Layer.provide(Layer.succeed(References.MinimumLogLevel, "Error"))
  )

/** A pool on a fresh, migrated database. */
export const layerClient = (options: Omit<Client.Options, "url"> = {}) =>
  Layer.effectDiscard(migrate).pipe(Layer.provideMerge(layerEmpty(options)))

/** All ports on a fresh, migrated database, and its pool. */
export const layer = (options: Omit<Client.Options, "url"> & Mysql.Options = {}) =>
  Mysql.layerWith({ isClockMovable: true, ...options }).pipe(Layer.provideMerge(layerClient(options)))

let ids = 0

/** UUIDv7s: the time, a number of this process that only rises, and chance. */
const nextId = (): string => {
  const time = Date.now().toString(16).padStart(12, "0")
  const count = (ids++ % 0x1000).toString(16).padStart(3, "0")
  const chance = randomBytes(8).toString("hex").slice(1)
  return `${time.slice(0, 8)}-${time.slice(8)}-7${count}-8${chance.slice(0, 3)}-${chance.slice(3)}`
}

/** What contract suites need, on connections of a kind. */
export const layerContractWith = (options: Omit<Client.Options, "url">) =>
  Layer.merge(layer(options), Layer.succeed(IdGenerator, IdGenerator.of({ next: Effect.sync(nextId) })))

/** What contract suites need. */
export const layerContract = layerContractWith({})
