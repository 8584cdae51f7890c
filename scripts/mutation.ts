/**
 * `npm run mutation`: tests the tests of the domain by changing its code, and writes `docs/reference/mutation.md`.
 *
 * ```text
 * npm run mutation                     all of it; writes the page
 * npm run mutation -- Order.ts Won.ts  only these modules of packages/domain/src; writes nothing
 * ```
 *
 * The last line is `{"mutationScore":…,"survivors":…}`. The exit code is not 0 when the score is too low, or when the
 * whole run leaves a survivor without a reason in `scripts/internal/MutationReasons.ts`.
 *
 * @since 0.1.0
 */
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join, relative } from "node:path"
import config from "../stryker.config.ts"
import { Failure, runMain } from "./internal/Failure.ts"
import {
  generate,
  outlived,
  path,
  percent,
  readReport,
  scoreOf,
  scorePercentMin,
  unexplained
} from "./internal/MutationReport.ts"
import { run } from "./internal/Process.ts"
import { root, tool } from "./internal/Workspace.ts"

const strykerTimeoutMillis = 20 * 60_000

/** The same values every time, so that a mutant does not survive by luck. */
const seed = 20_260_115

/** Runs of one law. Each law is run for hundreds of mutants. */
const lawRunsMax = 100

const reportPath = join(root, config.jsonReporter.fileName)

const toSource = (module: string): string => {
  const source = `packages/domain/src/${module.endsWith(".ts") ? module : `${module}.ts`}`
  if (!existsSync(join(root, source))) throw new Failure(`there is no ${source}`)
  return source
}

const runStryker = async (modules: ReadonlyArray<string>): Promise<void> => {
  rmSync(reportPath, { force: true })
  const only = modules.length === 0 ? [] : ["--mutate", modules.map(toSource).join()]
  const finished = await run(
    process.execPath,
    [tool("@stryker-mutator/core/bin/stryker.js"), "run", "stryker.config.ts", ...only],
    {
      cwd: root,
      env: { ...process.env, PILLIVERY_SEED: `${seed}`, PILLIVERY_RUNS: `${lawRunsMax}` },
      inherit: true,
      timeoutMillis: strykerTimeoutMillis
    }
  )
  if (finished.code !== 0 || !existsSync(reportPath)) throw new Failure(`Stryker ended with code ${finished.code}`)
}

await runMain(async () => {
  const modules = process.argv.slice(2)
  const isWhole = modules.length === 0
  await runStryker(modules)
  const reports = readReport(reportPath)
  if (reports.length === 0) throw new Failure("there was nothing to mutate")
  for (const { module, noticed, survivors } of reports) {
    console.log(`\n${module}: ${noticed} noticed, ${survivors.length} survived`)
    for (const { from, isCovered, line, to } of survivors) {
      console.log(`  line ${line}${isCovered ? "" : ", reached by no test"}: ${from} → ${to}`)
    }
  }
  const missing = unexplained(reports)
  if (isWhole) {
    const page = generate(reports)
    if (!existsSync(path) || readFileSync(path, "utf8") !== page) {
      writeFileSync(path, page)
      console.log(`\nwrote ${relative(root, path)}`)
    }
    if (missing.length > 0) console.log("\nno reason in scripts/internal/MutationReasons.ts for:")
    for (const { key } of missing) console.log(`  ${JSON.stringify(key)}`)
    const needless = outlived(reports)
    if (needless.length > 0) console.log("\nreasons for mutants that no longer survive:")
    for (const key of needless) console.log(`  ${JSON.stringify(key)}`)
  }
  const score = scoreOf(reports)
  const survivors = reports.reduce((sum, report) => sum + report.survivors.length, 0)
  if (score < scorePercentMin) console.log(`\nthe score is below ${scorePercentMin} %`)
  console.log(JSON.stringify({ mutationScore: percent(score), survivors }))
  return score < scorePercentMin || (isWhole && missing.length > 0) ? 1 : 0
})
