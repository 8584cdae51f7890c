/**
 * `npm test`: starts a private database and a private Redis, finds a browser, runs every test once, and stops the servers
 * whatever happens.
 *
 * ```text
 * npm test                                everything, on the MariaDB or MySQL of this machine; the domain with coverage
 * npm test -- packages/adapters-mysql     only these files; any vitest option works too
 * npm test -- packages/domain             the domain as in the whole run: every branch must be covered
 * npm test -- --database mysql9           the database suites on MySQL 9 (a cached Debian chroot)
 * npm test -- --durability default        with the flushing of a production server
 * npm test -- --report FILE               also writes { passed, failed } as JSON
 * ```
 *
 * Servers and browser are found, or taken from PILLIVERY_TEST_MYSQL_URL, PILLIVERY_TEST_REDIS_URL and
 * PILLIVERY_TEST_CHROMIUM, or installed (root on Debian and Ubuntu); if none of this works the run fails. Nothing is skipped.
 *
 * @since 0.1.0
 */
import { globSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { parseArgs } from "node:util"
import { Failure, runMain } from "./internal/Failure.ts"
import { run } from "./internal/Process.ts"
import { Cleanup, type ServerOptions, startServers } from "./internal/Servers.ts"
import { addCounts, type Counts, countTstyche, countVitest, noCounts } from "./internal/TestCounts.ts"
import { makeTemporaryFolder, root, tool } from "./internal/Workspace.ts"

const vitestTimeoutMillis = 20 * 60_000
const tstycheTimeoutMillis = 5 * 60_000

/** The files that say something about a database; everything else gives the same answer on every one. */
const databaseSuites = ["packages/adapters-mysql/test/", ".integration.test.ts", "--exclude=packages/adapters-redis/**"]

interface Options extends ServerOptions {
  readonly report: string | undefined
  /** Everything that is not ours goes to vitest. */
  readonly vitest: ReadonlyArray<string>
}

const ownOptions = { database: "string", durability: "string", report: "string" } as const

const parseOptions = (args: ReadonlyArray<string>): Options => {
  const own: Array<string> = []
  const vitest: Array<string> = []
  for (let index = 0; index < args.length; index++) {
    const argument = args[index] ?? ""
    const [name = "", inline] = argument.startsWith("--") ? argument.slice(2).split("=", 2) : []
    if (!(name in ownOptions)) vitest.push(argument)
    else if (inline !== undefined) own.push(argument)
    else own.push(argument, args[++index] ?? "")
  }
  const { values } = parseArgs({
    args: own,
    options: { database: { type: "string" }, durability: { type: "string" }, report: { type: "string" } }
  })
  const { database = "machine", durability = "relaxed", report } = values
  if (database !== "machine" && database !== "mysql9") throw new Failure("--database takes machine or mysql9")
  if (durability !== "relaxed" && durability !== "default") throw new Failure("--durability takes relaxed or default")
  return {
    database,
    durability,
    // The database suites are all that runs on MySQL 9 when no files are named.
    needsBrowser: database === "machine" || vitest.length > 0,
    report: report === undefined ? undefined : resolve(report),
    vitest
  }
}

/** The domain runs apart from the rest, because only its own tests count towards its coverage. */
const domain = "packages/domain"
const domainArguments = ["--config=vitest.domain.config.ts"]
const restArguments = [`--exclude=${domain}/**`]

/** The runs of vitest that were asked for, each by its arguments. */
const vitestRuns = ({ database, vitest }: Options): ReadonlyArray<ReadonlyArray<string>> => {
  if (vitest.length > 0) return [vitest.length === 1 && vitest[0] === domain ? domainArguments : vitest]
  return database === "mysql9" ? [databaseSuites] : [domainArguments, restArguments]
}

const runVitest = async (
  vitestArguments: ReadonlyArray<string>,
  env: NodeJS.ProcessEnv,
  folder: string,
  cleanup: Cleanup
): Promise<Counts> => {
  const report = join(folder, "vitest.json")
  rmSync(report, { force: true })
  const finished = await run(
    process.execPath,
    [
      tool("vitest/vitest.mjs"),
      "run",
      "--reporter=default",
      "--reporter=json",
      `--outputFile.json=${report}`,
      ...vitestArguments
    ],
    { cwd: root, env, inherit: true, timeoutMillis: vitestTimeoutMillis, onStart: cleanup.addChild }
  )
  return countVitest(report, finished.code)
}

const runTstyche = async (cleanup: Cleanup): Promise<Counts> => {
  if (globSync("packages/*/typetest/**/*.tst.ts", { cwd: root }).length === 0) return noCounts
  const finished = await run(process.execPath, [tool("tstyche/dist/bin.js")], {
    cwd: root,
    env: { ...process.env, TSTYCHE_NO_COLOR: "true" },
    timeoutMillis: tstycheTimeoutMillis,
    onStart: cleanup.addChild
  })
  console.log(finished.output)
  return countTstyche(finished.output, finished.code)
}

const runTests = async (options: Options, folder: string, cleanup: Cleanup): Promise<number> => {
  const servers = await startServers(options, folder, cleanup)
  const started = Date.now()
  let counts = noCounts
  for (const vitestArguments of vitestRuns(options)) {
    if (cleanup.isInterrupted) break
    counts = addCounts(counts, await runVitest(vitestArguments, { ...process.env, ...servers }, folder, cleanup))
  }
  if (options.vitest.length === 0 && options.database === "machine" && !cleanup.isInterrupted) {
    counts = addCounts(counts, await runTstyche(cleanup))
  }
  cleanup.throwIfInterrupted()
  if (options.report !== undefined) writeFileSync(options.report, JSON.stringify(counts))
  console.log(`${counts.passed} passed, ${counts.failed} failed in ${Math.round((Date.now() - started) / 1000)} s`)
  return counts.failed === 0 ? 0 : 1
}

const main = async (): Promise<number> => {
  const options = parseOptions(process.argv.slice(2))
  const cleanup = new Cleanup()
  const folder = makeTemporaryFolder(tmpdir())
  cleanup.addFolder(folder)
  try {
    return await runTests(options, folder, cleanup)
  } catch (error) {
    cleanup.throwIfInterrupted()
    throw error
  } finally {
    await cleanup.run()
  }
}

await runMain(main)
