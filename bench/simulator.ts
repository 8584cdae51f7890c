/**
 * `npm run bench -- simulator`: calls per second of kakaopay-simulator over HTTP on one core, endpoint by endpoint.
 *
 * The server is pinned to one core and the load generator to another where the machine has `taskset` and a second core.
 * Keep-alive connections, no pipelining, in turns; medians are told. `perCoreSecond` divides by the CPU time the server used
 * instead of the time that passed, so that other programs on its core do not count.
 *
 * @since 0.1.0
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { connect } from "node:net"
import { availableParallelism } from "node:os"
import { join } from "node:path"
import { Cleanup } from "../scripts/internal/Servers.ts"
import { root } from "../scripts/internal/Workspace.ts"

const rounds = 5
const connections = 16
const callsPerRound = 3_000
const keyCount = 200
/** Refunds of 1 won made of one payment; the simulator accepts 100. */
const refundsPerPayment = 80
const secretKey = "DEVSIMULATOR0000000000000000000000000000"
const clockTicksPerSecond = 100

const endpoints = {
  ready: "/online/v1/payment/ready",
  approve: "/online/v1/payment/approve",
  subscription: "/online/v1/payment/subscription",
  cancel: "/online/v1/payment/cancel",
  order: "/online/v1/payment/order",
  inactive: "/online/v1/payment/manage/subscription/inactive",
  status: "/online/v1/payment/manage/subscription/status"
} as const
type Endpoint = keyof typeof endpoints
const names = Object.keys(endpoints) as ReadonlyArray<Endpoint>

type Fields = Readonly<Record<string, unknown>>

const headers = { authorization: `SECRET_KEY ${secretKey}`, "content-type": "application/json" }

const canPin = availableParallelism() > 1 && spawnSync("taskset", ["-V"], { stdio: "ignore" }).status === 0

const startServer = async (
  cleanup: Cleanup
): Promise<{ readonly child: ChildProcess; readonly pid: number; readonly url: string }> => {
  const command = [process.execPath, join(root, "packages/kakaopay-simulator/bin/kakaopay-simulator.js"), "--port", "0"]
  const [program = "", ...args] = canPin ? ["taskset", "-c", "1", ...command] : command
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] })
  cleanup.addChild(child)
  const line = await new Promise<string>((resolve, reject) => {
    child.stdout.once("data", (chunk: Buffer) => resolve(chunk.toString("utf8").trim()))
    child.once("exit", () => reject(new Error("the simulator did not start")))
  })
  return { child, pid: child.pid ?? 0, url: line.split(" ").at(-1) ?? "" }
}

/** CPU seconds a process has used, on Linux; elsewhere NaN. */
const cpuSecondsOf = (pid: number): number => {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(" ")
    return (Number(fields[13]) + Number(fields[14])) / clockTicksPerSecond
  } catch {
    return Number.NaN
  }
}

const post = async (url: string, body: unknown): Promise<Fields> => {
  const response = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) })
  const text = await response.text()
  if (!response.ok) throw new Error(text)
  const value: unknown = JSON.parse(text)
  return typeof value === "object" && value !== null ? { ...value } : {}
}

/** Makes `count` values, a few at a time. */
const many = async <A>(count: number, make: (index: number) => Promise<A>): Promise<ReadonlyArray<A>> => {
  const made: Array<A> = []
  let next = 0
  await Promise.all(
    Array.from({ length: connections }, async () => {
      while (next < count) {
        const index = next++
        made[index] = await make(index)
      }
    })
  )
  return made
}

const median = (values: ReadonlyArray<number>): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0

/** What one round of one endpoint showed. */
interface Round {
  readonly callsPerSecond: number
  readonly perCoreSecond: number
}

/**
 * Sends requests over one connection, each after the answer to the one before. Written by hand, since a general client on
 * the other core would be slower than the server it measures.
 */
const sendAll = (url: URL, requests: ReadonlyArray<string>): Promise<void> =>
  new Promise((resolve, reject) => {
    const socket = connect(Number(url.port), url.hostname)
    const fail = (detail: string): void => {
      socket.destroy()
      reject(new Error(detail))
    }
    let next = 0
    let received = ""
    const sendNext = (): void => {
      const request = requests[next++]
      if (request === undefined) socket.end(resolve)
      else socket.write(request)
    }
    socket.setNoDelay(true)
    // One character a byte, so that lengths agree.
    socket.setEncoding("latin1")
    socket.on("connect", sendNext)
    socket.on("error", reject)
    socket.on("close", () => reject(new Error("the server closed the connection")))
    socket.on("data", (chunk: string) => {
      received += chunk
      const bodyAt = received.indexOf("\r\n\r\n") + 4
      if (bodyAt === 3) return
      const length = /content-length: (\d+)/i.exec(received)?.[1]
      if (length === undefined) return fail(`an answer without a length: ${received}`)
      if (received.length < bodyAt + Number(length)) return
      if (!received.startsWith("HTTP/1.1 200 ")) return fail(received)
      received = ""
      sendNext()
    })
  })

/** Sends each body once; connection n sends the bodies n, n + connections, … */
const drive = async (
  server: { readonly url: string; readonly pid: number },
  endpoint: Endpoint,
  bodies: ReadonlyArray<Fields>
): Promise<Round> => {
  const url = new URL(server.url)
  const requests = bodies.map((fields) => {
    const body = JSON.stringify(fields)
    const lines = [
      `POST ${endpoints[endpoint]} HTTP/1.1`,
      `host: ${url.host}`,
      ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
      `content-length: ${Buffer.byteLength(body)}`
    ]
    return `${lines.join("\r\n")}\r\n\r\n${body}`
  })
  const cpuAtStart = cpuSecondsOf(server.pid)
  const startedAt = performance.now()
  await Promise.all(
    Array.from({ length: connections }, (_, connection) =>
      sendAll(
        url,
        requests.filter((_request, index) => index % connections === connection)
      )
    )
  )
  const seconds = (performance.now() - startedAt) / 1_000
  const cpuSeconds = cpuSecondsOf(server.pid) - cpuAtStart
  return { callsPerSecond: requests.length / seconds, perCoreSecond: requests.length / cpuSeconds }
}

const cleanup = new Cleanup()
try {
  const server = await startServer(cleanup)
  if (canPin) spawnSync("taskset", ["-a", "-p", "-c", "0", String(process.pid)], { stdio: "ignore" })
  const control = `${server.url}/control`
  const call = (endpoint: Endpoint, fields: Fields) => post(server.url + endpoints[endpoint], fields)

  const issue = () =>
    many(keyCount, async (index) => String((await post(`${control}/keys`, { partnerUserId: `u${index}` }))["sid"]))
  const keys = await issue()
  const closedKeys = await issue()

  const ready = (index: number) => ({
    cid: "TC0ONETIME",
    partner_order_id: `order-${index}`,
    partner_user_id: `user-${index}`,
    item_name: "비타민 C",
    quantity: 1,
    total_amount: 12_900,
    tax_free_amount: 0,
    approval_url: "http://shop.example/approved",
    cancel_url: "http://shop.example/cancelled",
    fail_url: "http://shop.example/failed"
  })
  const charge = (index: number) => ({
    cid: "TCSUBSCRIP",
    sid: keys[index % keyCount],
    partner_order_id: `cycle-${index}`,
    partner_user_id: `u${index % keyCount}`,
    item_name: "비타민 C",
    quantity: 1,
    total_amount: 12_900,
    tax_free_amount: 0
  })
  const paid = (count: number) => many(count, async (index) => (await call("subscription", charge(index)))["tid"])
  const ofKey = (sids: ReadonlyArray<string>) => (index: number) => ({ cid: "TCSUBSCRIP", sid: sids[index % keyCount] })

  /** The bodies of one round. Preparing them is not measured. */
  const bodies: Record<Endpoint, () => Promise<ReadonlyArray<Fields>>> = {
    ready: async () => Array.from({ length: callsPerRound }, (_, index) => ready(index)),
    approve: () =>
      many(callsPerRound, async (index) => {
        const { tid } = await call("ready", ready(index))
        const { pgToken } = await post(`${control}/customers/${String(tid)}/approve`, {})
        const { cid, partner_order_id, partner_user_id } = ready(index)
        return { cid, tid, pg_token: pgToken, partner_order_id, partner_user_id }
      }),
    subscription: async () => Array.from({ length: callsPerRound }, (_, index) => charge(index)),
    cancel: async () => {
      const tids = await paid(Math.ceil(callsPerRound / refundsPerPayment))
      return Array.from({ length: callsPerRound }, (_, index) => ({
        cid: "TCSUBSCRIP",
        tid: tids[index % tids.length],
        cancel_amount: 1,
        cancel_tax_free_amount: 0
      }))
    },
    order: async () => {
      const tids = await paid(keyCount)
      return Array.from({ length: callsPerRound }, (_, index) => ({ cid: "TCSUBSCRIP", tid: tids[index % keyCount] }))
    },
    inactive: async () => Array.from({ length: callsPerRound }, (_, index) => ofKey(closedKeys)(index)),
    status: async () => Array.from({ length: callsPerRound }, (_, index) => ofKey(keys)(index))
  }

  const results = new Map<Endpoint, Array<Round>>(names.map((name) => [name, []]))
  // Round 0 warms up.
  for (let round = 0; round <= rounds; round++) {
    for (const name of names) {
      const result = await drive(server, name, await bodies[name]())
      if (round > 0) results.get(name)?.push(result)
    }
  }
  const medians = names.map((name) => {
    const all = results.get(name) ?? []
    return {
      name,
      callsPerSecond: Math.round(median(all.map((round) => round.callsPerSecond))),
      best: Math.round(Math.max(...all.map((round) => round.callsPerSecond))),
      perCoreSecond: Math.round(median(all.map((round) => round.perCoreSecond)))
    }
  })
  for (const { best, callsPerSecond, name, perCoreSecond } of medians) {
    console.log(`${name}: ${callsPerSecond} calls/s, ${best} at best, ${perCoreSecond} per second of CPU`)
  }
  const subscription = medians.find(({ name }) => name === "subscription")
  console.log(
    JSON.stringify({
      bench: "simulator",
      callsPerSecond: subscription?.callsPerSecond,
      bestCallsPerSecond: subscription?.best,
      perCoreSecond: subscription?.perCoreSecond,
      pinned: canPin,
      byEndpoint: Object.fromEntries(medians.map(({ callsPerSecond, name }) => [name, callsPerSecond]))
    })
  )
  server.child.kill("SIGTERM")
  await new Promise((resolve) => server.child.once("exit", resolve))
} finally {
  await cleanup.run()
}
