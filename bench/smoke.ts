/**
 * `npm run bench -- smoke`: reading one item over HTTP on MySQL, beside the same thing written by hand with Fastify and
 * mysql2, in turns in one run; and how long the embedded server takes to start.
 *
 * @since 0.1.0
 */
import * as Client from "@pillivery/adapters-mysql/Client"
import { migrate } from "@pillivery/adapters-mysql/Migrations"
import * as Mysql from "@pillivery/adapters-mysql/Mysql"
import { sampleCatalogue } from "@pillivery/api-server/SampleCatalogue"
import { ItemRepository } from "@pillivery/application/ports/ItemRepository"
import autocannon from "autocannon"
import { Effect, Layer, Redacted } from "effect"
import { type ChildProcess, spawn } from "node:child_process"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { freePort } from "../scripts/internal/Process.ts"
import { Cleanup, startServers } from "../scripts/internal/Servers.ts"
import { makeTemporaryFolder, root } from "../scripts/internal/Workspace.ts"

const rounds = 5
const roundSeconds = 4
const connections = 50
const starts = 5
const startMillisMax = 30_000
const pollMillis = 10

const startProcess = (cleanup: Cleanup, file: string, env: Readonly<Record<string, string>>): ChildProcess => {
  const child = spawn(process.execPath, ["--conditions=@pillivery/source", join(root, file)], {
    env: { PATH: process.env["PATH"] ?? "", ...env },
    stdio: ["ignore", "ignore", "inherit"]
  })
  cleanup.addChild(child)
  return child
}

const stopProcess = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    child.once("exit", () => resolve())
    child.kill("SIGTERM")
  })

/** Waits until the address answers 200; answers how many milliseconds that took. */
const untilReady = async (url: string): Promise<number> => {
  const startedAt = performance.now()
  while (performance.now() - startedAt < startMillisMax) {
    const isReady = await fetch(url).then(
      (response) => response.ok,
      () => false
    )
    if (isReady) return performance.now() - startedAt
    await new Promise((resolve) => setTimeout(resolve, pollMillis))
  }
  throw new Error(`${url} did not become ready`)
}

const median = (values: ReadonlyArray<number>): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0

const requestsPerSecond = async (url: string): Promise<number> => {
  const result = await autocannon({ url, connections, duration: roundSeconds })
  if (result.non2xx > 0 || result.errors > 0)
    throw new Error(`${url}: ${result.non2xx} refused, ${result.errors} failed`)
  return result.requests.average
}

const measureStart = async (cleanup: Cleanup): Promise<number> => {
  const times: Array<number> = []
  for (let start = 0; start < starts; start++) {
    const port = await freePort()
    const child = startProcess(cleanup, "packages/api-server/src/main.ts", { PORT: String(port) })
    times.push(await untilReady(`http://127.0.0.1:${port}/health/ready`))
    await stopProcess(child)
  }
  return median(times)
}

const seed = (url: string) =>
  Effect.gen(function* () {
    yield* migrate
    const items = yield* ItemRepository
    if ((yield* items.count) === 0) yield* items.insert(sampleCatalogue)
  }).pipe(Effect.provide(Mysql.layer.pipe(Layer.provideMerge(Client.layer({ url: Redacted.make(url) })))))

const cleanup = new Cleanup()
const folder = makeTemporaryFolder(tmpdir())
cleanup.addFolder(folder)
const children: Array<ChildProcess> = []
try {
  const servers = await startServers(
    { database: "machine", durability: "default", needsBrowser: false },
    folder,
    cleanup
  )
  const mysqlUrl = servers["PILLIVERY_TEST_MYSQL_URL"] ?? ""
  await Effect.runPromise(seed(mysqlUrl))
  const [oursPort, fastifyPort] = [await freePort(), await freePort()]
  children.push(
    startProcess(cleanup, "packages/api-server/src/main.ts", {
      PORT: String(oursPort),
      PILLIVERY_TEST_CLOCK: "1",
      PILLIVERY_MYSQL_URL: mysqlUrl,
      PILLIVERY_REDIS_URL: servers["PILLIVERY_TEST_REDIS_URL"] ?? ""
    }),
    startProcess(cleanup, "bench/servers/fastifyItem.ts", { PORT: String(fastifyPort), PILLIVERY_MYSQL_URL: mysqlUrl })
  )
  const path = `/api/items/${sampleCatalogue[0]?.id ?? ""}`
  const ours = `http://127.0.0.1:${oursPort}${path}`
  const fastify = `http://127.0.0.1:${fastifyPort}${path}`
  await untilReady(ours)
  await untilReady(fastify)
  const same = JSON.stringify(await (await fetch(ours)).json()) === JSON.stringify(await (await fetch(fastify)).json())
  if (!same) throw new Error("the two servers answer different JSON")

  // One round each to warm up, then in turns.
  await requestsPerSecond(ours)
  await requestsPerSecond(fastify)
  const results: Array<{ readonly ours: number; readonly fastify: number }> = []
  for (let round = 1; round <= rounds; round++) {
    const result = { ours: await requestsPerSecond(ours), fastify: await requestsPerSecond(fastify) }
    results.push(result)
    console.log(`round ${round}: ours ${Math.round(result.ours)}/s, fastify ${Math.round(result.fastify)}/s`)
  }
  for (const child of children.splice(0)) await stopProcess(child)
  const ratio = median(results.map((result) => result.ours / result.fastify))
  const startMillis = await measureStart(cleanup)
  console.log(
    JSON.stringify({
      bench: "smoke",
      ratio: Number(ratio.toFixed(3)),
      startMillis: Math.round(startMillis),
      requestsPerSecond: Math.round(median(results.map((result) => result.ours))),
      fastifyRequestsPerSecond: Math.round(median(results.map((result) => result.fastify)))
    })
  )
} finally {
  for (const child of children) await stopProcess(child)
  await cleanup.run()
}
