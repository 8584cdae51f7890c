import { assert, describe, it } from "@effect/vitest"
import { Config, Effect } from "effect"
import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import { freshDatabase } from "./TestShop.ts"

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

describe("the demo", () => {
  it.live("tells the same story from one process on memory", () => expectTold([]), millisMax)

  it.live(
    "tells the same story from processes on the real stores",
    () =>
      Effect.gen(function* () {
        const mysql = yield* freshDatabase("demo")
        const redis = yield* Config.String("PILLIVERY_TEST_REDIS_URL")
        yield* expectTold(["--mysql", mysql, "--redis", redis])
      }),
    millisMax
  )
})
