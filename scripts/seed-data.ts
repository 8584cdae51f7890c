/**
 * `npm run seed-data -- [--seed S] [--items N] [--users N] [--orders N] [--add]`: fills the database of
 * PILLIVERY_MYSQL_URL with a shop's worth of rows, 40,000 items, 20,000 users and 100,000 paid orders unless told
 * otherwise, the same for the same seed. A database that has items already is left alone, unless `--add` says that the
 * rows are wanted beside them.
 *
 * @since 0.1.0
 */
import * as MysqlClient from "@pillivery/adapters-mysql/Client"
import { migrate } from "@pillivery/adapters-mysql/Migrations"
import * as Mysql from "@pillivery/adapters-mysql/Mysql"
import { ItemRepository } from "@pillivery/application/ports/ItemRepository"
import { Effect, Layer, Redacted } from "effect"
import { parseArgs } from "node:util"
import { Failure, runMain } from "./internal/Failure.ts"
import { fill, password, sizesDefault } from "./internal/SeedData.ts"

const seedDefault = 20_261_122
const countMax = 1_000_000
const seedMax = 2_147_483_647

const countOf = (name: string, text: string | undefined, byDefault: number, max = countMax): number => {
  const count = text === undefined ? byDefault : Number(text)
  if (Number.isSafeInteger(count) && count > 0 && count <= max) return count
  throw new Failure(`--${name} is a whole number, 1 to ${max}`)
}

const countItems = (url: Redacted.Redacted) =>
  Effect.gen(function* () {
    yield* migrate
    return yield* (yield* ItemRepository).count
  }).pipe(Effect.provide(Mysql.layer.pipe(Layer.provideMerge(MysqlClient.layer({ url, poolSize: 1 })))))

runMain(async () => {
  const text = { type: "string" } as const
  const { values } = parseArgs({
    options: { seed: text, items: text, users: text, orders: text, add: { type: "boolean", default: false } }
  })
  const address = process.env["PILLIVERY_MYSQL_URL"] ?? ""
  if (address === "") throw new Failure("set PILLIVERY_MYSQL_URL to the database to fill")
  const url = Redacted.make(address)
  const seed = countOf("seed", values.seed, seedDefault, seedMax)
  const sizes = {
    items: countOf("items", values.items, sizesDefault.items),
    users: countOf("users", values.users, sizesDefault.users),
    orders: countOf("orders", values.orders, sizesDefault.orders)
  }
  if ((await Effect.runPromise(countItems(url))) > 0 && !values.add) {
    throw new Failure("the database has items already: --add puts more beside them")
  }
  const began = performance.now()
  await fill(url, seed, sizes, console.log)
  console.log(`every customer logs in with ${password}, the first is user0@example.com`)
  console.log(JSON.stringify({ seed, ...sizes, seconds: Number(((performance.now() - began) / 1_000).toFixed(1)) }))
  return 0
})
