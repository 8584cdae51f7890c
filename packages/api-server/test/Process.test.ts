import { assert, describe, it } from "@effect/vitest"
import { spawn } from "node:child_process"
import { createServer } from "node:net"
import { fileURLToPath } from "node:url"

const main = fileURLToPath(new URL("../src/main.ts", import.meta.url))
const startMillisMax = 25_000

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

const start = (env: Readonly<Record<string, string>>) => {
  const child = spawn(process.execPath, ["--conditions=@pillivery/source", main], {
    env: { PATH: process.env["PATH"] ?? "", ...env },
    stdio: ["ignore", "pipe", "pipe"]
  })
  const output = { stdout: "", stderr: "" }
  child.stdout.on("data", (chunk) => (output.stdout += String(chunk)))
  child.stderr.on("data", (chunk) => (output.stderr += String(chunk)))
  const ended = new Promise<Ended>((resolve) => {
    child.once("close", (code) => resolve({ code, ...output }))
  })
  return { child, ended, output }
}

const listening = (options: { readonly port: number }) =>
  new Promise<{ readonly port: number; readonly close: () => void }>((resolve) => {
    const server = createServer()
    server.listen(options.port, "127.0.0.1", () => {
      const address = server.address()
      resolve({ port: typeof address === "object" && address !== null ? address.port : 0, close: () => server.close() })
    })
  })

const startAndEnd = (env: Readonly<Record<string, string>>) => start(env).ended

const isOneLine = ({ code, stderr, stdout }: Ended, line: RegExp) => {
  assert.strictEqual(code, 2, stderr)
  assert.match(stderr, line)
  assert.strictEqual(stderr.trim().split("\n").length, 1, stderr)
  assert.strictEqual(stdout, "")
}

describe("the server as a process", () => {
  it("says where it is, answers, and ends with 0 when it is told to", { timeout: 60_000 }, async () => {
    const { child, ended, output } = start({ PORT: "0" })
    const startedAt = performance.now()
    while (!output.stdout.includes("Pillivery is ready at") && performance.now() - startedAt < startMillisMax) {
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    const url = /ready at (\S+)/.exec(output.stdout)?.[1] ?? ""
    assert.strictEqual((await fetch(`${url}/health/ready`)).status, 200)
    assert.include(output.stdout, `SHOP=${url}`)
    child.kill("SIGTERM")
    const { code, stderr } = await ended
    assert.deepStrictEqual({ code, stderr }, { code: 0, stderr: "" })
  })

  it("says in one line that its port is taken", { timeout: 60_000 }, async () => {
    const taken = await listening({ port: 0 })
    const ended = await startAndEnd({ PORT: String(taken.port) })
    taken.close()
    isOneLine(ended, new RegExp(`^pillivery: port ${taken.port} is taken: set PORT to another one$`, "m"))
  })

  it("F36: says in one line what of the environment cannot be used", { timeout: 120_000 }, async () => {
    isOneLine(await startAndEnd({ PORT: "eighty" }), /^pillivery: PORT must be a port/)
    isOneLine(await startAndEnd({ PILLIVERY_MYSQL_URL: "mysql://x/y" }), /go together/)
    isOneLine(await startAndEnd({ PILLIVERY_JWT_SECRET: "short" }), /at least 32 bytes/)
    isOneLine(await startAndEnd({ PILLIVERY_SMTP_URL: "smtp://mail.example.com" }), /PILLIVERY_MAIL_FROM go together/)
    isOneLine(
      await startAndEnd({ PILLIVERY_SMTP_URL: "mail.example.com", PILLIVERY_MAIL_FROM: "shop@example.com" }),
      /such as smtp:\/\//
    )
    const real = { PILLIVERY_TEST_CLOCK: "1", PILLIVERY_KAKAOPAY_URL: "https://open-api.kakaopay.com" }
    isOneLine(await startAndEnd(real), /needs a provider on this machine/)
  })

  it("says in one line that the database cannot be reached, and never its password", { timeout: 60_000 }, async () => {
    const gone = await listening({ port: 0 })
    gone.close()
    const ended = await startAndEnd({
      PORT: "0",
      PILLIVERY_MYSQL_URL: `mysql://shop:hush@127.0.0.1:${gone.port}/pillivery`,
      PILLIVERY_REDIS_URL: "redis://127.0.0.1:1"
    })
    isOneLine(ended, /^pillivery: the database of PILLIVERY_MYSQL_URL cannot be used/)
    assert.notInclude(ended.stderr, "hush")
  })
})
