/** The data set of `npm run seed-data`, a small one: it obeys every rule of the audit, and is the same for the same seed. */
import * as Client from "@pillivery/adapters-mysql/Client"
import { migrate } from "@pillivery/adapters-mysql/Migrations"
import * as Mysql from "@pillivery/adapters-mysql/Mysql"
import { verify } from "@pillivery/application/Billing/Verify"
import { ItemRepository } from "@pillivery/application/ports/ItemRepository"
import { Effect, Layer, Redacted } from "effect"
import { createConnection } from "mysql2/promise"
import { randomBytes } from "node:crypto"
import { afterAll, assert, describe, it } from "vitest"
import { run } from "../../scripts/internal/Process.ts"
import { fill } from "../../scripts/internal/SeedData.ts"
import { root } from "../../scripts/internal/Workspace.ts"

const timeoutMillis = 60_000
const sizes = { items: 120, users: 40, orders: 200 }
const server = new URL(process.env["PILLIVERY_TEST_MYSQL_URL"] ?? "mysql://unset")
const databases: Array<string> = []

const administer = async (statement: string): Promise<void> => {
  const connection = await createConnection({ uri: server.href })
  await connection.query(statement)
  await connection.end()
}

const filled = async (seed: number) => {
  const name = `seed_${randomBytes(6).toString("hex")}`
  databases.push(name)
  await administer(`CREATE DATABASE ${name} CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci`)
  const url = Redacted.make(Object.assign(new URL(server), { pathname: `/${name}` }).href)
  const layer = Mysql.layerWith({ isClockMovable: false }).pipe(Layer.provideMerge(Client.layer({ url })))
  await Effect.runPromise(Effect.provide(migrate, layer))
  await fill(url, seed, sizes, () => undefined)
  const listed = ItemRepository.use((items) => items.search({ sort: "SALES" }, { page: 1, size: 100 }))
  return {
    url,
    verified: await Effect.runPromise(Effect.provide(verify(), layer)),
    items: (await Effect.runPromise(Effect.provide(listed, layer))).data
  }
}

afterAll(async () => {
  for (const name of databases) await administer(`DROP DATABASE IF EXISTS ${name}`)
})

describe("the seeded data set", () => {
  it(
    "obeys every rule, is the same for the same seed, and is not put into a shop that has items",
    { timeout: timeoutMillis },
    async () => {
      const [one, same] = [await filled(7), await filled(7)]
      assert.deepStrictEqual(one.verified.broken, [])
      assert.strictEqual(one.verified.rows.order, sizes.orders)
      assert.deepStrictEqual(one.items, same.items)
      assert.isAbove(one.items[0]?.statistics.sales ?? 0, 0)
      const again = await run(process.execPath, ["--conditions=@pillivery/source", "scripts/seed-data.ts"], {
        cwd: root,
        env: { ...process.env, PILLIVERY_MYSQL_URL: Redacted.value(one.url) },
        timeoutMillis
      })
      assert.include(JSON.stringify(again), "the database has items already")
    }
  )
})
