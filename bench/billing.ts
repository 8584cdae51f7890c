/**
 * `npm run bench -- billing`: charges per second of a billing run, next to a raw loop that does the least one can.
 *
 * Real parts: a private MariaDB or MySQL with the flushing of a production server, KakaoPay's simulator in a process of its own, and the
 * billing CLI as its users run it. The raw loop (bench/billing/RawLoop.ts) inserts an intent row, calls the provider and commits the
 * outcome. The two run in turns, each on a fresh database; medians are told. A run's time is from its first claim to its last
 * record, by the database's clock.
 *
 * - `ratioRaw`: charges per second ÷ those of the raw loop, the provider answering at once.
 * - `ratioIdeal`: charges per second ÷ (calls in flight ÷ latency), the provider taking 100 ms for each answer.
 * - `rssRatio`: the run's peak memory with ten times as many subscriptions ÷ that with once as many.
 * - `twoProcessSpeedup`: two processes on one run ÷ one, the provider taking 100 ms.
 *
 * @since 0.1.0
 */
import { spawn } from "node:child_process"
import { readFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { createConnection, type RowDataPacket } from "mysql2/promise"
import { fill } from "./billing/Subscriptions.ts"
import { Cleanup, startServers } from "../scripts/internal/Servers.ts"
import { makeTemporaryFolder, root } from "../scripts/internal/Workspace.ts"

const secretKey = "DEVSIMULATOR0000000000000000000000000000"
const inFlight = 50
const latencyMillis = 100
const minutesAtTen = 10 * 60
const koreaMinutes = 9 * 60
const runMillisMax = 20 * 60_000

const { values } = parseArgs({
  options: {
    /** `machine` or `mysql9`, as for the tests. */
    database: { type: "string", default: "machine" },
    /** Which parts to run. */
    only: { type: "string", default: "raw,ideal,memory,two" },
    due: { type: "string", default: "20000" },
    rounds: { type: "string", default: "5" },
    memory: { type: "string", default: "20000" },
    /** A folder for the CPU profiles of all processes. */
    profile: { type: "string" }
  }
})
const { database } = values
if (database !== "machine" && database !== "mysql9") throw new Error("--database takes machine or mysql9")
const parts = new Set(values.only.split(","))
const dueCount = Number(values.due)
const rounds = Number(values.rounds)
const memoryCount = Number(values.memory)

/** Banks check their books around midnight in Korea, so it is ten in the morning there whenever this runs. */
const offsetMillis = (() => {
  const minuteOfDay = (Math.floor(Date.now() / 60_000) + koreaMinutes) % (24 * 60)
  return (((minutesAtTen - minuteOfDay + 24 * 60) % (24 * 60)) + 24 * 60) * 60_000
})()

const cleanup = new Cleanup()
const folder = makeTemporaryFolder(tmpdir())
cleanup.addFolder(folder)

const node = (file: string, args: ReadonlyArray<string>, env: Readonly<Record<string, string>> = {}) => {
  const child = spawn(
    process.execPath,
    [
      "--conditions=@pillivery/source",
      ...(values.profile === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${values.profile}`]),
      join(root, file),
      ...args
    ],
    {
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "inherit"]
    }
  )
  cleanup.addChild(child)
  return child
}

/** Runs a program to its end; answers what it printed, its CPU seconds and its peak memory in MiB. */
const runNode = (file: string, args: ReadonlyArray<string>, env?: Readonly<Record<string, string>>) =>
  new Promise<{
    readonly output: string
    readonly code: number | null
    readonly cpuSeconds: number
    readonly peakMiB: number
  }>((resolve, reject) => {
    const child = node(file, args, env)
    const watchdog = setTimeout(() => child.kill("SIGKILL"), runMillisMax)
    let output = ""
    let peakMiB = 0
    let cpuSeconds = 0
    const look = setInterval(() => {
      try {
        const status = readFileSync(`/proc/${child.pid}/status`, "utf8")
        peakMiB = Math.max(peakMiB, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1_024)
        const fields = readFileSync(`/proc/${child.pid}/stat`, "utf8").split(" ")
        cpuSeconds = (Number(fields[13]) + Number(fields[14])) / 100
      } catch {
        // It has just ended, or this is not Linux.
      }
    }, 50)
    child.stdout.on("data", (chunk) => (output += String(chunk)))
    child.on("error", reject)
    child.on("close", (code) => {
      clearInterval(look)
      clearTimeout(watchdog)
      resolve({ output, code, cpuSeconds, peakMiB })
    })
  })

const startProvider = async (keys: number, delayMillis: number) => {
  const file = join(folder, `keys-${keys}-${delayMillis}`)
  const child = node("bench/billing/Provider.ts", [String(keys), String(delayMillis), String(offsetMillis), file])
  const line = await new Promise<string>((resolve, reject) => {
    child.stdout.once("data", (chunk) => resolve(String(chunk).trim()))
    child.once("exit", () => reject(new Error("the provider did not start")))
  })
  const url = line.split(" ").at(-1) ?? ""
  return { url, file, sids: readFileSync(file, "utf8").split("\n"), stop: () => child.kill("SIGTERM") }
}
type Provider = Awaited<ReturnType<typeof startProvider>>

let databases = 0

const withDatabase = async <A>(server: string, use: (url: string) => Promise<A>): Promise<A> => {
  const admin = await createConnection({ uri: server })
  const name = `bench_${++databases}`
  const url = new URL(server)
  url.pathname = `/${name}`
  await admin.query(`CREATE DATABASE ${name}`)
  try {
    return await use(url.href)
  } finally {
    await admin.query(`DROP DATABASE ${name}`)
    await admin.end()
  }
}

/** How many statements the server was sent since it started. */
const statementsOf = async (url: string): Promise<number> => {
  const connection = await createConnection({ uri: url })
  const [[row]] = await connection.query<Array<RowDataPacket>>("SHOW GLOBAL STATUS LIKE 'Questions'")
  await connection.end()
  return Number(row?.["Value"])
}

const cliFile = "packages/batch-cli/src/main.ts"

/** One billing run by so many processes; every subscription must have been charged. */
const runEngine = (server: string, provider: Provider, processes = 1) =>
  withDatabase(server, async (url) => {
    const env = {
      PILLIVERY_MYSQL_URL: url,
      PILLIVERY_KAKAOPAY_URL: provider.url,
      PILLIVERY_KAKAOPAY_SECRET_KEY: secretKey
    }
    const migrated = await runNode(cliFile, ["migrate"], env)
    if (migrated.code !== 0) throw new Error(migrated.output)
    await fill(url, provider.sids, offsetMillis)
    const statementsBefore = await statementsOf(url)
    const runs = await Promise.all(Array.from({ length: processes }, () => runNode(cliFile, ["run", "--json"], env)))
    const statements = (await statementsOf(url)) - statementsBefore
    const connection = await createConnection({ uri: url, dateStrings: true })
    const [[row]] = await connection.query<Array<RowDataPacket>>(
      `SELECT SUM(state = 'Approved') AS charged,
        TIMESTAMPDIFF(MICROSECOND, MIN(created_at), MAX(settled_at)) / 1e6 AS seconds FROM attempt`
    )
    await connection.end()
    if (Number(row?.["charged"]) !== provider.sids.length) {
      throw new Error(
        `charged ${row?.["charged"]} of ${provider.sids.length}: ${runs.map((run) => run.output).join("\n")}`
      )
    }
    return {
      perSecond: provider.sids.length / Number(row?.["seconds"]),
      statements: statements / provider.sids.length,
      peakMiB: Math.max(...runs.map((run) => run.peakMiB)),
      cpuMillis: (1_000 * runs.reduce((sum, run) => sum + run.cpuSeconds, 0)) / provider.sids.length
    }
  })

const runRaw = (server: string, provider: Provider) =>
  withDatabase(server, async (url) => {
    const { cpuSeconds, output } = await runNode("bench/billing/RawLoop.ts", [
      url,
      provider.url,
      provider.file,
      String(inFlight),
      secretKey
    ])
    const found = /"perSecond":([\d.]+)/.exec(output)?.[1]
    if (found === undefined) throw new Error(output)
    return { perSecond: Number(found), cpuMillis: (1_000 * cpuSeconds) / provider.sids.length }
  })

const median = (values: ReadonlyArray<number>): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN
const rounded = (value: number): number => Number(value.toPrecision(3))

const main = async () => {
  const servers = await startServers({ database, durability: "default", needsBrowser: false }, folder, cleanup)
  const server = servers["PILLIVERY_TEST_MYSQL_URL"] ?? ""
  let ratioRaw = Number.NaN
  let ratioIdeal = Number.NaN
  let rssRatio = Number.NaN
  let twoProcessSpeedup = Number.NaN

  if (parts.has("raw")) {
    const provider = await startProvider(dueCount, 0)
    const ours: Array<number> = []
    const raw: Array<number> = []
    for (let round = 0; round < rounds; round++) {
      const engine = await runEngine(server, provider)
      const loop = await runRaw(server, provider)
      ours.push(engine.perSecond)
      raw.push(loop.perSecond)
      console.log(
        `0 ms, ${dueCount} due: engine ${rounded(engine.perSecond)}/s (${rounded(engine.cpuMillis)} ms of CPU and ${rounded(engine.statements)} statements a charge, ${rounded(engine.peakMiB)} MiB), raw loop ${rounded(loop.perSecond)}/s (${rounded(loop.cpuMillis)} ms)`
      )
    }
    ratioRaw = median(ours.map((value, index) => value / (raw[index] ?? Number.NaN)))
    provider.stop()
  }

  if (parts.has("ideal") || parts.has("two")) {
    const provider = await startProvider(dueCount * 2, latencyMillis)
    const one: Array<number> = []
    const two: Array<number> = []
    for (let round = 0; round < Math.min(rounds, 3); round++) {
      const single = await runEngine(server, provider)
      one.push(single.perSecond)
      console.log(
        `${latencyMillis} ms, one process: ${rounded(single.perSecond)}/s, ${rounded(single.cpuMillis)} ms of CPU and ${rounded(single.statements)} statements a charge`
      )
      if (parts.has("two")) {
        const pair = await runEngine(server, provider, 2)
        two.push(pair.perSecond)
        console.log(
          `${latencyMillis} ms, two processes: ${rounded(pair.perSecond)}/s, ${rounded(pair.cpuMillis)} ms of CPU and ${rounded(pair.statements)} statements a charge`
        )
      }
    }
    ratioIdeal = median(one) / (inFlight / (latencyMillis / 1_000))
    twoProcessSpeedup = median(two.map((value, index) => value / (one[index] ?? Number.NaN)))
    provider.stop()
  }

  if (parts.has("memory")) {
    const peaks: Array<number> = []
    for (const count of [memoryCount, 10 * memoryCount]) {
      const provider = await startProvider(count, 0)
      const { peakMiB, perSecond } = await runEngine(server, provider)
      peaks.push(peakMiB)
      console.log(`${count} due: peak ${rounded(peakMiB)} MiB, ${rounded(perSecond)}/s`)
      provider.stop()
    }
    rssRatio = (peaks[1] ?? Number.NaN) / (peaks[0] ?? Number.NaN)
  }

  console.log(
    JSON.stringify({
      bench: "billing",
      ratioRaw: rounded(ratioRaw),
      ratioIdeal: rounded(ratioIdeal),
      rssRatio: rounded(rssRatio),
      twoProcessSpeedup: rounded(twoProcessSpeedup)
    })
  )
}

try {
  await main()
} finally {
  await cleanup.run()
}
