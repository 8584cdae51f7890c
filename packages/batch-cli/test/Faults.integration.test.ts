import { assert, describe, it } from "@effect/vitest"
import { Transaction } from "@pillivery/application/ports/Transaction"
import { Effect, Schema } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import { Simulator } from "kakaopay-simulator/Simulator"
import { SimulatorServer } from "kakaopay-simulator/SimulatorServer"
import { connect, createServer, type Server, type Socket } from "node:net"
import * as Shop from "./Shop.ts"

const subscribers = 12
/** How long the run waits for the database in these tests, in milliseconds. */
const patienceMillis = 3_000

const jsonOf = ({ stdout }: Shop.Finished) => JSON.parse(stdout.trim().split("\n").at(-1) ?? "{}")

const charges = Effect.gen(function* () {
  return (yield* (yield* Simulator).calls.list({ endpoint: "subscription" })).length
})

/** A way to the database that can be cut and mended, as when the database's machine goes away. */
const makeWay = Effect.fnUntraced(function* (mysql: string) {
  const target = new URL(mysql)
  const sockets = new Set<Socket>()
  const track = (socket: Socket) => {
    sockets.add(socket)
    socket.on("error", () => socket.destroy())
    socket.on("close", () => sockets.delete(socket))
    return socket
  }
  const listen = (port: number) =>
    Effect.callback<Server>((resume) => {
      const server = createServer((client) => {
        const upstream = track(connect(Number(target.port), target.hostname))
        track(client).pipe(upstream).pipe(client)
        client.on("close", () => upstream.destroy())
        upstream.on("close", () => client.destroy())
      })
      server.listen(port, "127.0.0.1", () => resume(Effect.succeed(server)))
    })
  let server = yield* listen(0)
  const address = server.address()
  const port = typeof address === "object" && address !== null ? address.port : 0
  const cut = Effect.sync(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  yield* Effect.addFinalizer(() => cut)
  const url = new URL(mysql)
  url.port = String(port)
  return { url: url.href, cut, mend: Effect.map(listen(port), (next) => (server = next)) }
})

/** So many subscriptions that are due, and what the CLI is told. */
const dueShop = Effect.fnUntraced(function* (count: number) {
  for (let n = 0; n < count; n++) yield* Shop.subscribe({ price: 10_000, period: 30 })
  yield* Shop.passTime("30 days")
  const mysql = yield* Shop.MysqlUrl
  const env = {
    ...Shop.environment({ mysql, provider: (yield* SimulatorServer).url }),
    PILLIVERY_RECORD_MILLIS: String(patienceMillis)
  }
  return { env, mysql }
})

const captures = Effect.map(
  Effect.flatMap(Simulator, (simulator) => simulator.ledger.totals()),
  ({ captureCount }) => captureCount
)

describe("A database that goes away in mid-run", () => {
  it.live(
    "is waited for, and the run goes on when it is back",
    () =>
      Effect.gen(function* () {
        const { env, mysql } = yield* dueShop(subscribers)
        const way = yield* makeWay(mysql)
        const simulator = yield* Simulator
        yield* simulator.faults.add({ kind: "slow", endpoint: "subscription", delayMillis: 1_500 })
        const running = yield* Shop.startCli(["run", "--json"], {
          ...env,
          PILLIVERY_MYSQL_URL: way.url,
          PILLIVERY_RECORD_MILLIS: "30000"
        })
        yield* Shop.until(Effect.map(charges, (count) => count > 0))
        yield* way.cut
        yield* Effect.sleep(3_000)
        yield* way.mend
        const ended = yield* running.done
        assert.strictEqual(ended.code, 0, ended.stderr)
        assert.deepStrictEqual(jsonOf(ended).owed, { due: 0, inFlight: 0, inDoubt: 0 })
        assert.strictEqual(yield* captures, 2 * subscribers)
      }).pipe(Effect.scoped, Effect.provide(Shop.layer)),
    90_000
  )

  it.live(
    "and stays away ends the run with 2 and one line, and the next start goes on: nothing is charged twice or lost",
    () =>
      Effect.gen(function* () {
        const { env, mysql } = yield* dueShop(subscribers)
        const way = yield* makeWay(mysql)
        const simulator = yield* Simulator
        yield* simulator.faults.add({ kind: "slow", endpoint: "subscription", delayMillis: 1_500 })
        const running = yield* Shop.startCli(["run"], { ...env, PILLIVERY_MYSQL_URL: way.url })
        yield* Shop.until(Effect.map(charges, (count) => count > 0))
        yield* way.cut
        const ended = yield* running.done
        assert.strictEqual(ended.code, 2, ended.stderr)
        assert.include(ended.stderr, "The database does not answer; the run waits for it")
        assert.match(ended.stderr.trim().split("\n").at(-1) ?? "", /^pillivery-billing: the database cannot be reached/)
        yield* simulator.faults.clear
        yield* Effect.sleep(Shop.leaseMillis)
        // The provider's evidence is believed from the next night on.
        assert.strictEqual((yield* Shop.cli(["run", "--json"], env)).code, 3)
        yield* Shop.passTime("1 day")
        yield* Shop.passTime("1 day")
        const resumed = yield* Shop.cli(["run", "--json"], env)
        assert.strictEqual(resumed.code, 0, resumed.stderr)
        assert.deepStrictEqual(jsonOf(resumed).owed, { due: 0, inFlight: 0, inDoubt: 0 })
        assert.strictEqual(yield* captures, 2 * subscribers)
      }).pipe(Effect.scoped, Effect.provide(Shop.layer)),
    120_000
  )
})

describe("A provider that is away for an hour", () => {
  it.live(
    "cuts the path off, so that the run ends soon with 1 and everything owed; an hour later all is charged once",
    () =>
      Effect.gen(function* () {
        const many = 40
        const { env } = yield* dueShop(many)
        const simulator = yield* Simulator
        yield* simulator.faults.add({ kind: "gateway-502", endpoint: "status" })
        yield* simulator.faults.add({ kind: "maintenance", endpoint: "subscription" })
        const during = yield* Shop.cli(["run", "--json"], env)
        assert.strictEqual(during.code, 1, during.stderr)
        assert.deepStrictEqual(jsonOf(during).owed, { due: many, inFlight: 0, inDoubt: 0 })
        assert.strictEqual(yield* charges, 0)
        yield* simulator.faults.clear
        yield* Shop.passTime("1 hour")
        const after = yield* Shop.cli(["run", "--json"], env)
        assert.strictEqual(after.code, 0, after.stderr)
        assert.strictEqual(yield* captures, 2 * many)
      }).pipe(Effect.provide(Shop.layer)),
    90_000
  )
})

const decodeWaiting = Schema.decodeUnknownEffect(Schema.Tuple([Schema.Struct({ waiting: Schema.Int })]))

describe("Errors of the database in mid-run", () => {
  it.live(
    "a full disk ends no charge twice: what could not be written down is not sent, and is charged when there is room",
    () =>
      Effect.gen(function* () {
        const { env } = yield* dueShop(2)
        const sql = yield* SqlClient
        yield* sql`CREATE TRIGGER full_disk BEFORE INSERT ON attempt FOR EACH ROW
          SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1114, MESSAGE_TEXT = 'The table is full'`.unprepared
        const full = yield* Shop.cli(["run", "--json"], env)
        assert.strictEqual(full.code, 1, full.stderr)
        assert.include(full.stderr, "The table is full")
        assert.deepStrictEqual(jsonOf(full).owed, { due: 2, inFlight: 0, inDoubt: 0 })
        assert.strictEqual(yield* charges, 0)
        yield* sql`DROP TRIGGER full_disk`.unprepared
        const roomy = yield* Shop.cli(["run", "--json"], env)
        assert.strictEqual(roomy.code, 0, roomy.stderr)
        assert.strictEqual(yield* captures, 4)
      }).pipe(Effect.provide(Shop.layer)),
    90_000
  )

  it.live(
    "a disk that is full when the answer comes: the provider's evidence explains the charge, which is not made again",
    () =>
      Effect.gen(function* () {
        const { env } = yield* dueShop(1)
        const sql = yield* SqlClient
        yield* sql`CREATE TRIGGER full_disk BEFORE UPDATE ON attempt FOR EACH ROW
          SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1114, MESSAGE_TEXT = 'The table is full'`.unprepared
        const full = yield* Shop.cli(["run", "--json"], env)
        assert.strictEqual(full.code, 1, full.stderr)
        assert.include(full.stderr, "An answer of the provider could not be recorded; its evidence will decide")
        assert.deepStrictEqual(jsonOf(full).owed, { due: 0, inFlight: 1, inDoubt: 0 })
        yield* sql`DROP TRIGGER full_disk`.unprepared
        yield* Effect.sleep(Shop.leaseMillis)
        yield* Shop.cli(["recover"], env)
        yield* Shop.passTime("10 minutes")
        const later = yield* Shop.cli(["run", "--json"], env)
        assert.strictEqual(later.code, 0, later.stderr)
        assert.strictEqual(yield* captures, 2)
      }).pipe(Effect.provide(Shop.layer)),
    90_000
  )

  it.live(
    "a deadlock with another writer is lost and tried again, or won; the cycle is charged once",
    () =>
      Effect.gen(function* () {
        const { env } = yield* dueShop(1)
        const sql = yield* SqlClient
        const waiting = Effect.flatMap(
          sql`SELECT COUNT(*) AS waiting FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'`,
          decodeWaiting
        )
        // The claim takes the key before the cycle; this takes them the other way round.
        const { run } = yield* Transaction
        const rival = run(
          Effect.gen(function* () {
            yield* sql`UPDATE billing_cycle SET step = step`
            yield* Shop.until(Effect.map(waiting, ([{ waiting }]) => waiting > 0))
            yield* sql`UPDATE billing_key SET live_uses = live_uses`
          })
        )
        const [ended] = yield* Effect.all([Shop.cli(["run", "--json"], env), Effect.exit(rival)], { concurrency: 2 })
        assert.strictEqual(ended.code, 0, ended.stderr)
        assert.strictEqual(yield* captures, 2)
      }).pipe(Effect.provide(Shop.layer)),
    60_000
  )
})
