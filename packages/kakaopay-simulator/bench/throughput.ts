/**
 * Calls per second over loopback: the server in its own process, this one drives it with keep-alive connections.
 *
 * Run with `node bench/throughput.ts [calls] [connections]`.
 */
import { spawn } from "node:child_process"
import { readFileSync } from "node:fs"
import { Agent, request } from "node:http"

const callCount = Number(process.argv[2] ?? 20_000)
const connectionCount = Number(process.argv[3] ?? 16)

const server = spawn(
  process.execPath,
  [new URL("../bin/kakaopay-simulator.js", import.meta.url).pathname, "--port", "0"],
  {
    stdio: ["ignore", "pipe", "inherit"]
  }
)
const url = await new Promise<URL>((resolve) => {
  server.stdout.once("data", (chunk: Buffer) => resolve(new URL(String(chunk).trim().split(" ").at(-1) ?? "")))
})
const agent = new Agent({ keepAlive: true, maxSockets: connectionCount })

const post = (path: string, body: unknown): Promise<string> =>
  new Promise((resolve, reject) => {
    const text = JSON.stringify(body)
    const call = request(
      {
        agent,
        host: url.hostname,
        port: url.port,
        path,
        method: "POST",
        headers: {
          authorization: "SECRET_KEY DEVSIMULATOR0000000000000000000000000000",
          "content-type": "application/json",
          "content-length": Buffer.byteLength(text)
        }
      },
      (response) => {
        let answer = ""
        response.setEncoding("utf8")
        response.on("data", (chunk: string) => (answer += chunk))
        response.on("end", () =>
          response.statusCode === 200 || response.statusCode === 201 ? resolve(answer) : reject(new Error(answer))
        )
      }
    )
    call.on("error", reject)
    call.end(text)
  })

/** CPU seconds the server has used, on Linux; elsewhere NaN. */
const serverCpuSeconds = (): number => {
  try {
    const fields = readFileSync(`/proc/${server.pid}/stat`, "utf8").split(" ")
    return (Number(fields[13]) + Number(fields[14])) / 100
  } catch {
    return Number.NaN
  }
}

const measure = async (name: string, count: number, call: (index: number) => Promise<unknown>): Promise<void> => {
  let next = 0
  const startedAt = performance.now()
  const cpuAtStart = serverCpuSeconds()
  await Promise.all(
    Array.from({ length: connectionCount }, async () => {
      while (next < count) await call(next++)
    })
  )
  const seconds = (performance.now() - startedAt) / 1000
  const cpu = serverCpuSeconds() - cpuAtStart
  console.log(
    `${name}: ${count} calls in ${seconds.toFixed(2)} s = ${Math.round(count / seconds)} calls/s; ` +
      `server CPU ${cpu.toFixed(2)} s = ${Math.round(count / cpu)} calls per core second`
  )
}

try {
  const keys: Array<string> = []
  for (let index = 0; index < 100; index++) {
    const answer: unknown = JSON.parse(await post("/control/keys", { partnerUserId: `u${index}` }))
    keys.push(String(Reflect.get(Object(answer), "sid")))
  }
  const charge = (index: number) =>
    post("/online/v1/payment/subscription", {
      cid: "TCSUBSCRIP",
      sid: keys[index % keys.length],
      partner_order_id: `o${index}`,
      partner_user_id: `u${index % keys.length}`,
      item_name: "비타민 C",
      quantity: 1,
      total_amount: 12_900,
      tax_free_amount: 0
    })
  await measure("warm-up", 2_000, charge)
  await measure("subscription", callCount, charge)
  await measure("status", callCount, (index) =>
    post("/online/v1/payment/manage/subscription/status", { cid: "TCSUBSCRIP", sid: keys[index % keys.length] })
  )
} finally {
  agent.destroy()
  server.kill("SIGTERM")
}
