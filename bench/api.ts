/**
 * `npm run bench -- api [--only NAME,…] [--rounds N]`: the shop's busiest requests over HTTP on MySQL with 40,000 items and
 * 100,000 orders, beside the same things written by hand with Fastify and mysql2, in turns in one run.
 *
 * Server, database, Redis, provider and load share the machine. Limits are off on ours, since one address makes all of the
 * load; caches are off except for `cachedList`.
 *
 * @since 0.1.0
 */
import * as TokenSigner from "@pillivery/adapters-http/TokenSigner"
import * as IdGenerator from "@pillivery/adapters-memory/IdGenerator"
import * as MysqlClient from "@pillivery/adapters-mysql/Client"
import { migrate } from "@pillivery/adapters-mysql/Migrations"
import * as RedisClient from "@pillivery/adapters-redis/Client"
import * as TokenStores from "@pillivery/adapters-redis/TokenStore"
import { Identity, TokenSigner as TokenSignerPort } from "@pillivery/application/ports/TokenSigner"
import { SessionId, TokenStore } from "@pillivery/application/ports/TokenStore"
import { UserId } from "@pillivery/domain/Ids"
import autocannon from "autocannon"
import { Effect, Layer, Redacted } from "effect"
import { createConnection } from "mysql2/promise"
import { type ChildProcess, spawn } from "node:child_process"
import { randomBytes, randomUUID } from "node:crypto"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { freePort } from "../scripts/internal/Process.ts"
import { fill, sizesDefault } from "../scripts/internal/SeedData.ts"
import { Cleanup, startServers } from "../scripts/internal/Servers.ts"
import { makeTemporaryFolder, root } from "../scripts/internal/Workspace.ts"

const { values } = parseArgs({
  options: {
    only: { type: "string" },
    rounds: { type: "string" },
    /** A folder for the CPU profiles of both servers. */
    profile: { type: "string" }
  }
})
const rounds = Number(values.rounds ?? 3)
const roundSeconds = 4
const connections = 100
const tokensCount = 2_000
const startMillisMax = 60_000
const pollMillis = 20
const seed = 1
const secret = randomBytes(32).toString("base64url")
const providerSecret = "DEVSIMULATOR0000000000000000000000000000"

const cleanup = new Cleanup()
const folder = makeTemporaryFolder(tmpdir())
cleanup.addFolder(folder)

const children: Array<ChildProcess> = []

const stop = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve()
    child.once("exit", () => resolve())
    child.kill("SIGTERM")
  })

const start = (file: string, env: Readonly<Record<string, string>>, args: ReadonlyArray<string> = []): ChildProcess => {
  const profile = values.profile === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${values.profile}`]
  const child = spawn(process.execPath, ["--conditions=@pillivery/source", ...profile, join(root, file), ...args], {
    env: { PATH: process.env["PATH"] ?? "", ...env },
    stdio: ["ignore", "pipe", "inherit"]
  })
  cleanup.addChild(child)
  children.push(child)
  return child
}

const untilReady = async (url: string): Promise<void> => {
  const startedAt = performance.now()
  while (performance.now() - startedAt < startMillisMax) {
    const isReady = await fetch(`${url}/health/ready`).then(
      (response) => response.ok,
      () => false
    )
    if (isReady) return
    await new Promise((resolve) => setTimeout(resolve, pollMillis))
  }
  throw new Error(`${url} did not become ready`)
}

const firstLine = (child: ChildProcess, pattern: RegExp): Promise<string> =>
  new Promise((resolve) => {
    let text = ""
    child.stdout?.on("data", (chunk) => {
      text += String(chunk)
      const found = pattern.exec(text)?.[1]
      if (found !== undefined) resolve(found)
    })
  })

interface Customer {
  readonly userId: string
  readonly token: string
}

/** Customers who are logged in, without asking for a hash each. */
const logIn = (redisUrl: string, userIds: ReadonlyArray<string>) =>
  Effect.forEach(
    userIds,
    (text) =>
      Effect.gen(function* () {
        const [userId, sessionId] = [UserId.make(text), SessionId.make(randomUUID())]
        yield* (yield* TokenStore).begin({ userId, sessionId }, "benchmark", Date.now())
        const identity = new Identity({ userId, roles: ["USER"], sessionId })
        return { userId: text, token: (yield* (yield* TokenSignerPort).sign(identity)).token } satisfies Customer
      }),
    { concurrency: 50 }
  ).pipe(
    Effect.provide(
      Layer.mergeAll(
        TokenSigner.layer([{ id: "1", secret: Redacted.make(secret) }]).pipe(Layer.provide(IdGenerator.layer)),
        TokenStores.layer.pipe(Layer.provide(RedisClient.layer({ url: Redacted.make(redisUrl) })))
      )
    )
  )

/** One kind of load: what each request is, and how to see that both servers answer alike. */
interface Load {
  readonly name: string
  readonly requests: ReadonlyArray<autocannon.Request>
  readonly isCached: boolean
}

interface Measured {
  readonly perSecond: number
  readonly p99: number
}

const measure = async (url: string, { name, requests }: Load): Promise<Measured> => {
  const result = await autocannon({ url, connections, duration: roundSeconds, requests: [...requests] })
  if (result.errors > 0) throw new Error(`${name} at ${url}: ${result.errors} failed`)
  if (result.non2xx > 0) throw new Error(`${name} at ${url}: refused, ${JSON.stringify(result.statusCodeStats)}`)
  return { perSecond: result["2xx"] / result.duration, p99: result.latency.p99 }
}

const median = (numbers: ReadonlyArray<number>): number => numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? 0

const pick = <A>(all: ReadonlyArray<A>): A => {
  const found = all[Math.floor(Math.random() * all.length)]
  if (found === undefined) throw new Error("there is nothing to pick from")
  return found
}

const textOf = (bytes: Buffer): string =>
  bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5")

try {
  const servers = await startServers(
    { database: "machine", durability: "default", needsBrowser: false },
    folder,
    cleanup
  )
  const mysqlUrl = servers["PILLIVERY_TEST_MYSQL_URL"] ?? ""
  const redisUrl = servers["PILLIVERY_TEST_REDIS_URL"] ?? ""
  await Effect.runPromise(migrate.pipe(Effect.provide(MysqlClient.layer({ url: Redacted.make(mysqlUrl) }))))
  await fill(Redacted.make(mysqlUrl), seed, sizesDefault, (line) => console.log(line))

  const connection = await createConnection({ uri: mysqlUrl })
  const idsOf = async (statement: string): Promise<ReadonlyArray<Record<string, string>>> => {
    const [rows] = await connection.query(statement)
    if (!Array.isArray(rows)) return []
    return rows.map((row) =>
      Object.fromEntries(
        Object.entries(Object(row)).map(([name, value]) => [
          name,
          Buffer.isBuffer(value) ? textOf(value) : String(value)
        ])
      )
    )
  }
  const orders = await idsOf(
    `SELECT orders.id AS orderId, orders.user_id AS userId FROM orders
      WHERE (SELECT COUNT(*) FROM order_line WHERE order_id = orders.id) = 10 LIMIT ${tokensCount}`
  )
  const items = (await idsOf("SELECT id FROM item LIMIT 1000")).map(({ id = "" }) => id)
  const userIds = [...new Set(orders.map(({ userId = "" }) => userId))]
  const customers = await Effect.runPromise(logIn(redisUrl, userIds))
  const tokens = new Map(customers.map(({ token, userId }) => [userId, token]))
  await connection.end()

  const provider = start("bench/billing/Provider.ts", {}, ["0", "0", "0", join(folder, "keys")])
  const providerUrl = await firstLine(provider, /listening on (\S+)/)
  const shared = {
    PILLIVERY_MYSQL_URL: mysqlUrl,
    PILLIVERY_REDIS_URL: redisUrl,
    PILLIVERY_JWT_SECRET: secret,
    PILLIVERY_KAKAOPAY_URL: providerUrl,
    PILLIVERY_KAKAOPAY_SECRET_KEY: providerSecret
  }
  const ours = { ...shared, PILLIVERY_RATE_LIMIT_ADDRESS: "0", PILLIVERY_RATE_LIMIT_USER: "0" }
  const [oursPort, cachedPort, fastifyPort] = [await freePort(), await freePort(), await freePort()]
  start("packages/api-server/src/main.ts", { ...ours, PORT: String(oursPort), PILLIVERY_CATALOGUE_CACHE: "false" })
  start("packages/api-server/src/main.ts", { ...ours, PORT: String(cachedPort) })
  start("bench/servers/fastifyShop.ts", { ...shared, PORT: String(fastifyPort) })
  const urlOf = (port: number) => `http://127.0.0.1:${port}`
  await Promise.all([oursPort, cachedPort, fastifyPort].map((port) => untilReady(urlOf(port))))

  const asCustomer = (request: autocannon.Request, token: string, more: Record<string, string> = {}) => ({
    ...request,
    headers: { ...request.headers, authorization: `Bearer ${token}`, ...more }
  })
  const search = `/api/items/search?category=EYE&priceMin=10000&priceMax=60000&sort=PRICE_L`
  const keyword = `/api/items/search?keyword=${encodeURIComponent("루테인")}&sort=SALES`
  const list = "/api/items/search?category=LIVER&sort=SALES"
  const json = { "content-type": "application/json" }
  const loads: ReadonlyArray<Load> = [
    { name: "search", isCached: false, requests: [{ method: "GET", path: search }] },
    { name: "keyword", isCached: false, requests: [{ method: "GET", path: keyword }] },
    {
      name: "orderDetail",
      isCached: false,
      requests: [
        {
          method: "GET",
          setupRequest: (request) => {
            const { orderId = "", userId = "" } = pick(orders)
            return { ...asCustomer(request, tokens.get(userId) ?? ""), path: `/api/orders/${orderId}` }
          }
        }
      ]
    },
    {
      name: "addToCart",
      isCached: false,
      requests: [
        {
          method: "POST",
          path: "/api/carts/normal/items",
          headers: json,
          setupRequest: (request) => ({
            ...asCustomer(request, pick(customers).token),
            body: JSON.stringify({ itemId: items[0], quantity: 1 })
          })
        }
      ]
    },
    {
      name: "checkout",
      isCached: false,
      requests: [
        {
          method: "POST",
          path: "/api/orders",
          headers: json,
          setupRequest: (request, context) => {
            const { token } = pick(customers)
            Object.assign(context ?? {}, { token })
            const lines = [{ itemId: pick(items), quantity: 1 }]
            return {
              ...asCustomer(request, token, { "idempotency-key": randomUUID() }),
              body: JSON.stringify({ lines })
            }
          },
          onResponse: (_status, body, context) => {
            Object.assign(context ?? {}, { orderId: /"id":"([^"]+)"/.exec(body)?.[1] })
          }
        },
        {
          method: "POST",
          setupRequest: (request, context) => {
            const { orderId, token } = Object(context)
            return {
              ...asCustomer(request, String(token), { "idempotency-key": randomUUID() }),
              path: `/api/orders/${String(orderId)}/payments`
            }
          }
        }
      ]
    },
    { name: "cachedList", isCached: true, requests: [{ method: "GET", path: list }] }
  ]

  for (const path of [search, keyword, list]) {
    const [one, two] = await Promise.all(
      [oursPort, fastifyPort].map(async (port) => (await fetch(`${urlOf(port)}${path}`)).json())
    )
    if (JSON.stringify(one) !== JSON.stringify(two)) throw new Error(`${path}: the two servers answer different JSON`)
  }
  const sample = pick(orders)
  const [detail, other] = await Promise.all(
    [oursPort, fastifyPort].map(async (port) => {
      const headers = { authorization: `Bearer ${tokens.get(sample["userId"] ?? "") ?? ""}` }
      return (await fetch(`${urlOf(port)}/api/orders/${sample["orderId"] ?? ""}`, { headers })).json()
    })
  )
  if (JSON.stringify(detail) !== JSON.stringify(other)) throw new Error("orders differ")

  const wanted = values.only?.split(",") ?? loads.map(({ name }) => name)
  const ratios: Record<string, number> = {}
  const p99Millis: Record<string, number> = {}
  for (const load of loads.filter(({ name }) => wanted.includes(name))) {
    const [mine, theirs] = [urlOf(load.isCached ? cachedPort : oursPort), urlOf(fastifyPort)]
    // One round each to warm up, then in turns.
    await measure(mine, load)
    await measure(theirs, load)
    const results: Array<{ readonly ours: Measured; readonly fastify: Measured }> = []
    for (let round = 0; round < rounds; round++) {
      results.push({ ours: await measure(mine, load), fastify: await measure(theirs, load) })
    }
    ratios[load.name] = Number(
      median(results.map(({ fastify, ours }) => ours.perSecond / fastify.perSecond)).toFixed(2)
    )
    p99Millis[load.name] = median(results.map(({ ours }) => ours.p99))
    console.log(
      `${load.name}: ours ${Math.round(median(results.map(({ ours }) => ours.perSecond)))}/s, p99 ${p99Millis[load.name]} ms; ` +
        `fastify ${Math.round(median(results.map(({ fastify }) => fastify.perSecond)))}/s, ` +
        `p99 ${median(results.map(({ fastify }) => fastify.p99))} ms; ratio ${ratios[load.name]}`
    )
  }
  console.log(JSON.stringify({ bench: "api", ratios, p99Millis }))
} finally {
  await Promise.all(children.map(stop))
  await cleanup.run()
}
