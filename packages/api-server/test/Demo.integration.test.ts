import { assert, describe, it } from "@effect/vitest"
import { Config, Effect, Redacted } from "effect"
import * as Client from "@pillivery/adapters-mysql/Client"
import { SqlClient } from "effect/sql/SqlClient"
import { spawn } from "node:child_process"
import { randomBytes } from "node:crypto"
import { fileURLToPath } from "node:url"

const demo = fileURLToPath(new URL("../../../scripts/demo.ts", import.meta.url))
const millisMax = 180_000

const told = {
  purchases: 5,
  renewals: 6,
  declinesRecovered: 1,
  cancelledAfterDunning: 1,
  unknownResolved: 1,
  doubleCharges: 0,
  lostCharges: 0
}

const play = (args: ReadonlyArray<string>) =>
  Effect.promise(
    () =>
      new Promise<{ readonly code: number | null; readonly lines: ReadonlyArray<string> }>((resolve) => {
        const child = spawn(process.execPath, ["--conditions=@pillivery/source", demo, ...args], {
          env: { PATH: process.env["PATH"] ?? "" },
          stdio: ["ignore", "pipe", "pipe"]
        })
        let output = ""
        child.stdout.on("data", (chunk) => (output += String(chunk)))
        child.stderr.on("data", (chunk) => (output += String(chunk)))
        child.on("close", (code) => resolve({ code, lines: output.trim().split("\n") }))
      })
  )

const expectTold = Effect.fnUntraced(function* (args: ReadonlyArray<string>) {
  const played = yield* play(args)
  assert.strictEqual(played.code, 0, played.lines.join("\n"))
  assert.deepStrictEqual(JSON.parse(played.lines.at(-1) ?? ""), told)
})

const freshDatabase = Effect.gen(function* () {
  const server = new URL(yield* Config.String("PILLIVERY_TEST_MYSQL_URL"))
  const name = `demo_${randomBytes(6).toString("hex")}`
  const admin = Client.layer({ url: Redacted.make(server.href), poolSize: 1 })
  const run = (statement: "CREATE" | "DROP") =>
    Effect.flatMap(SqlClient, (sql) =>
      statement === "CREATE" ? sql`CREATE DATABASE ${sql(name)}` : sql`DROP DATABASE IF EXISTS ${sql(name)}`
    ).pipe(Effect.provide(admin), Effect.orDie)
  yield* Effect.acquireRelease(run("CREATE"), () => run("DROP"))
  server.pathname = `/${name}`
  return server.href
})

describe("the demo", () => {
  it.live("tells the same story from one process on memory", () => expectTold([]), millisMax)

  it.live(
    "tells the same story from processes on the real stores",
    () =>
      Effect.gen(function* () {
        const mysql = yield* freshDatabase
        const redis = yield* Config.String("PILLIVERY_TEST_REDIS_URL")
        yield* expectTold(["--mysql", mysql, "--redis", redis])
      }),
    millisMax
  )
})
