/**
 * `npm run crash-matrix [-- --flow TEXT] [-- --point TEXT] [-- --database mysql9]`: kills a process at every named point of the protocol, starts it
 * again, and compares the provider's ledger with our rows. The last line is one JSON object; it exits 1 when money moved
 * twice, was lost, or is not explained.
 */
import "effect/schema/SchemaJITCompiler/enable"
import { Effect, References } from "effect"
import { tmpdir } from "node:os"
import { parseArgs } from "node:util"
import { Cleanup, startServers } from "../scripts/internal/Servers.ts"
import { makeTemporaryFolder } from "../scripts/internal/Workspace.ts"
import * as CrashMatrix from "./internal/CrashMatrix.ts"

const { values } = parseArgs({
  options: { flow: { type: "string" }, point: { type: "string" }, database: { type: "string" } }
})
const chosen = CrashMatrix.cases.filter(
  ({ flow, point }) => flow.includes(values.flow ?? "") && point.includes(values.point ?? "")
)

const cleanup = new Cleanup()
const folder = makeTemporaryFolder(tmpdir())
cleanup.addFolder(folder)
try {
  const servers = await startServers(
    { database: values.database === "mysql9" ? "mysql9" : "machine", durability: "relaxed", needsBrowser: false },
    folder,
    cleanup
  )
  Object.assign(process.env, servers)
  const results: Array<CrashMatrix.Result> = []
  for (const each of chosen) {
    cleanup.throwIfInterrupted()
    const result = await Effect.runPromise(
      CrashMatrix.runCase(each).pipe(Effect.provideService(References.MinimumLogLevel, "Fatal"))
    )
    results.push(result)
    const trouble = result.problems.length === 0 ? "" : ` !! ${result.problems.join("; ")}`
    console.log(`${result.flow}, ${result.point}: ${result.outcome} (${result.millis} ms)${trouble}`)
  }
  const sum = (of: (result: CrashMatrix.Result) => number): number =>
    results.reduce((total, result) => total + of(result), 0)
  const totals = {
    points: new Set(results.map(({ point }) => point)).size,
    runs: results.length,
    double: sum(({ double }) => double),
    lost: sum(({ lost }) => lost),
    unexplained: sum(({ unexplained }) => unexplained),
    problems: sum(({ problems }) => problems.length)
  }
  if (totals.double + totals.lost + totals.unexplained + totals.problems > 0) process.exitCode = 1
  console.log(JSON.stringify(totals))
} finally {
  await cleanup.run()
}
