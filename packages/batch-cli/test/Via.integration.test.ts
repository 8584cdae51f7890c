import { assert, describe, it } from "@effect/vitest"
import * as BusinessDate from "@pillivery/domain/BusinessDate"
import { BusinessClock } from "@pillivery/application/ports/BusinessClock"
import { Config, Effect } from "effect"
import { Simulator } from "kakaopay-simulator/Simulator"
import { SimulatorServer } from "kakaopay-simulator/SimulatorServer"
import { spawn } from "node:child_process"
import { createConnection } from "node:net"
import { fileURLToPath } from "node:url"
import * as Shop from "./Shop.ts"

const token = "the service token that both processes know"
const serverMain = fileURLToPath(new URL("../../api-server/src/main.ts", import.meta.url))
const announcement = /ready at (http:\/\/\S+)/

// A business server of this shop; ended with the test.
const startServer = Effect.gen(function* () {
  const env = Shop.environment({ mysql: yield* Shop.MysqlUrl, provider: (yield* SimulatorServer).url })
  const redis = yield* Config.String("PILLIVERY_TEST_REDIS_URL")
  return yield* Effect.acquireRelease(
    Effect.callback<{ readonly url: string; readonly kill: Effect.Effect<void> }>((resume) => {
      const child = spawn(process.execPath, ["--conditions=@pillivery/source", serverMain], {
        env: {
          PATH: process.env["PATH"] ?? "",
          ...env,
          PILLIVERY_REDIS_URL: redis,
          PILLIVERY_SERVICE_TOKEN: token,
          PORT: "0"
        },
        stdio: ["ignore", "pipe", "inherit"]
      })
      const ended = new Promise<void>((resolve) => child.once("close", () => resolve()))
      const kill = Effect.andThen(
        Effect.sync(() => child.kill("SIGKILL")),
        Effect.promise(() => ended)
      )
      let output = ""
      child.stdout.on("data", (chunk) => {
        output += String(chunk)
        const url = announcement.exec(output)?.[1]
        if (url !== undefined) resume(Effect.succeed({ url, kill }))
      })
      child.once("close", (code) => resume(Effect.die(new Error(`the server ended with ${code}: ${output}`))))
    }),
    ({ kill }) => kill
  )
})

/** What the CLI is told in this test: nothing of the provider. */
const environment = Effect.fnUntraced(function* (url: string, brought = token) {
  const {
    PILLIVERY_KAKAOPAY_SECRET_KEY: _,
    PILLIVERY_KAKAOPAY_URL: __,
    ...env
  } = Shop.environment({
    mysql: yield* Shop.MysqlUrl,
    provider: ""
  })
  return { ...env, PILLIVERY_API_URL: url, PILLIVERY_SERVICE_TOKEN: brought }
})

const due = Effect.fnUntraced(function* (count: number) {
  const ids = yield* Effect.forEach(
    Array.from({ length: count }, (_, index) => index),
    (index) => Shop.subscribe({ price: 10_000 + index, period: 30 })
  )
  yield* Shop.passTime("30 days")
  return ids
})

const tagsOf = (id: Parameters<typeof Shop.read>[0]) =>
  Effect.map(Shop.read(id), ({ cycles }) => cycles.map(({ _tag }) => _tag))

// What Redis holds under a key, as it sends it.
const inRedis = Effect.fnUntraced(function* (key: string) {
  const { hostname, port } = new URL(yield* Config.String("PILLIVERY_TEST_REDIS_URL"))
  return yield* Effect.callback<string>((resume) => {
    const socket = createConnection(Number(port), hostname, () => socket.write(`GET ${key}\r\nQUIT\r\n`))
    let answer = ""
    socket.on("data", (chunk) => (answer += String(chunk)))
    socket.once("error", (error) => resume(Effect.die(error)))
    socket.once("close", () => resume(Effect.succeed(answer)))
  })
})

const via = ["--via", "api"]

describe("a run via the server", () => {
  it.live(
    "charges everything due once, without the provider's credentials",
    () =>
      Effect.gen(function* () {
        const simulator = yield* Simulator
        const ids = yield* due(5)
        const { url } = yield* startServer
        const env = yield* environment(url)
        const first = yield* Shop.cli(["run", "--json", ...via], env)
        assert.strictEqual(first.code, 0, first.stderr)
        assert.include(first.stdout, '"charged":5')
        for (const id of ids) assert.deepStrictEqual(yield* tagsOf(id), ["Due", "Charged"])
        assert.strictEqual((yield* simulator.ledger.totals()).captureCount, 10)

        // The server remembers the newest charge outside of the database.
        const charged = (yield* Effect.forEach(ids, Shop.read)).flatMap(({ cycles }) =>
          cycles.flatMap((cycle) => (cycle._tag === "Charged" ? [cycle.chargedBy] : []))
        )
        const database = new URL(yield* Shop.MysqlUrl).pathname.slice(1)
        const newest = charged.toSorted().at(-1) ?? "none"
        yield* Shop.until(Effect.map(inRedis(`pillivery:ledger-mark:${database}`), (answer) => answer.includes(newest)))

        const again = yield* Shop.cli(["run", ...via], env)
        assert.deepStrictEqual([again.code, again.stdout.includes("nothing is owed")], [0, true])
        assert.strictEqual((yield* simulator.ledger.totals()).captureCount, 10)
      }).pipe(Effect.scoped, Effect.provide(Shop.layer)),
    60_000
  )

  it.live(
    "charges once when the server is killed between Sent and the answer",
    () =>
      Effect.gen(function* () {
        const simulator = yield* Simulator
        const [id] = yield* due(1)
        if (id === undefined) return yield* Effect.die("nothing is due")
        const server = yield* startServer
        yield* simulator.faults.add({ kind: "timeout-after", endpoint: "subscription", times: 1 })
        const running = yield* Shop.startCli(["run", "--json", ...via], yield* environment(server.url))
        yield* Shop.until(Effect.map(simulator.calls.list({ endpoint: "subscription" }), (calls) => calls.length === 1))
        yield* server.kill
        const lost = yield* running.done
        assert.strictEqual(lost.code, 1, lost.stderr)

        // A run through the next server finds the sender's lease over, and then asks the provider.
        const next = yield* startServer
        const env = yield* environment(next.url)
        yield* Effect.sleep(Shop.leaseMillis + 500)
        const unknown = yield* Shop.cli(["run", ...via], env)
        assert.strictEqual(unknown.code, 3, unknown.stderr)
        yield* Shop.passTime("6 minutes")
        const settled = yield* Shop.cli(["run", ...via], env)
        assert.strictEqual(settled.code, 0, settled.stderr)
        assert.deepStrictEqual(yield* tagsOf(id), ["Due", "Charged"])
        assert.strictEqual((yield* simulator.ledger.totals()).captureCount, 2)
      }).pipe(Effect.scoped, Effect.provide(Shop.layer)),
    90_000
  )

  it.live(
    "ends with 2 when the server refuses it, and with 1 when there is no server; both leave everything owed",
    () =>
      Effect.gen(function* () {
        const simulator = yield* Simulator
        yield* due(6)
        const { url } = yield* startServer
        const refused = yield* Shop.cli(
          ["run", ...via],
          yield* environment(url, "another token of somebody else, as long")
        )
        assert.strictEqual(refused.code, 2, refused.stderr)
        assert.include(refused.stderr, "PILLIVERY_SERVICE_TOKEN")
        assert.include(refused.stdout, "6 due")

        const nobody = yield* Shop.cli(["run", ...via], yield* environment("http://127.0.0.1:1"))
        assert.strictEqual(nobody.code, 1, nobody.stderr)
        assert.include(nobody.stdout, "6 due")
        assert.strictEqual((yield* simulator.ledger.totals()).captureCount, 6)
      }).pipe(Effect.scoped, Effect.provide(Shop.layer)),
    60_000
  )

  it.live("names the setting that is missing or wrong", () =>
    Effect.gen(function* () {
      const { PILLIVERY_API_URL: _, PILLIVERY_SERVICE_TOKEN: __, ...env } = yield* environment("")
      const date = BusinessDate.fromInstant(yield* (yield* BusinessClock).now)
      const unset = yield* Shop.cli(["run", "--date", date, ...via], env)
      assert.deepStrictEqual([unset.code, unset.stderr.includes("PILLIVERY_API_URL is not set")], [2, true])
      const wrong = yield* Shop.cli(["run", "--via", "post"], env)
      assert.deepStrictEqual([wrong.code, wrong.stderr.includes("PILLIVERY_VIA")], [2, true])
      const address = yield* Shop.cli(["run", ...via, "--api-url", "ftp://shop"], env)
      assert.deepStrictEqual([address.code, address.stderr.includes("PILLIVERY_API_URL")], [2, true])
    }).pipe(Effect.scoped, Effect.provide(Shop.layer))
  )
})
