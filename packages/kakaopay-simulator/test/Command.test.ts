import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { type ChildProcess, spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import { paths, readyFields, send } from "./support.ts"

const launcher = fileURLToPath(new URL("../bin/kakaopay-simulator.js", import.meta.url))

const started = Effect.acquireRelease(
  Effect.callback<{ readonly child: ChildProcess; readonly url: string; readonly line: string }>((resume) => {
    const child = spawn(process.execPath, [launcher, "--port", "0", "--key", "a-key", "--seed", "1"], {
      env: { ...process.env, TZ: "America/New_York" },
      stdio: ["ignore", "pipe", "inherit"]
    })
    child.stdout.once("data", (chunk: Buffer) => {
      const line = chunk.toString("utf8").trim()
      resume(Effect.succeed({ child, line, url: line.split(" ").at(-1) ?? "" }))
    })
  }),
  ({ child }) =>
    Effect.sync(() => {
      child.kill("SIGKILL")
    })
)

const exitOf = (child: ChildProcess) =>
  Effect.callback<number | null>((resume) => {
    child.once("exit", (code) => resume(Effect.succeed(code)))
  })

describe("the command", () => {
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    it.live(
      `listens, writes Korean time in any zone, and stops on ${signal} with a call hanging`,
      () =>
        Effect.gen(function* () {
          const { child, line, url } = yield* started
          assert.match(line, /^kakaopay-simulator listening on http:\/\/127\.0\.0\.1:\d+$/)
          const ready = send("POST", url + paths.ready, {
            headers: { authorization: "SECRET_KEY a-key", "content-type": "application/json" },
            body: JSON.stringify(readyFields())
          })
          yield* send("POST", `${url}/control/clock`, {
            body: JSON.stringify({ offsetMillis: Date.parse("2026-03-02T10:00:00+09:00") - Date.now() })
          })
          assert.match(String((yield* ready).json["created_at"]), /^2026-03-02T10:00:0\d$/)
          yield* send("POST", `${url}/control/faults`, { body: JSON.stringify({ kind: "timeout-after" }) })
          yield* Effect.forkScoped(ready, { startImmediately: true })
          yield* Effect.sleep("200 millis")
          child.kill(signal)
          assert.strictEqual(yield* exitOf(child), 0)
        }).pipe(Effect.scoped),
      15_000
    )
  }
})
