/**
 * `npm run scenario -- workers [--subscriptions N] [--workers N] [--seed N]`: billing processes that share one run and are
 * killed, stopped and started again, against a provider that loses answers.
 */
import "effect/schema/SchemaJITCompiler/enable"
import { Effect, References } from "effect"
import { tmpdir } from "node:os"
import { parseArgs } from "node:util"
import { Cleanup, startServers } from "../scripts/internal/Servers.ts"
import { makeTemporaryFolder } from "../scripts/internal/Workspace.ts"
import * as Report from "./internal/Report.ts"
import * as Workers from "./internal/Workers.ts"

const { values } = parseArgs({
  options: {
    subscriptions: { type: "string" },
    workers: { type: "string" },
    seed: { type: "string" },
    "kill-every": { type: "string" }
  }
})
const options: Workers.Options = {
  ...Workers.optionsDefault,
  subscriptions: Number(values.subscriptions ?? Workers.optionsDefault.subscriptions),
  workers: Number(values.workers ?? Workers.optionsDefault.workers),
  seed: Number(values.seed ?? Workers.optionsDefault.seed),
  killEveryMillis: Number(values["kill-every"] ?? Workers.optionsDefault.killEveryMillis)
}

const cleanup = new Cleanup()
const folder = makeTemporaryFolder(tmpdir())
cleanup.addFolder(folder)
try {
  Object.assign(
    process.env,
    await startServers({ database: "machine", durability: "relaxed", needsBrowser: false }, folder, cleanup)
  )
  const result = await Effect.runPromise(
    Workers.run(options).pipe(Effect.provideService(References.MinimumLogLevel, "Fatal"))
  )
  for (const [what, count] of Object.entries(result.outcomes)) console.log(`  ${what}: ${count}`)
  if (!Report.judge(result.claims)) process.exitCode = 1
  console.log(JSON.stringify({ scenario: "workers", ...result.summary }))
} finally {
  await cleanup.run()
}
