/** A shop on a database of its own and a provider on this machine, with the billing CLI as real processes. */
import * as IdGenerator from "@pillivery/adapters-memory/IdGenerator"
import * as KakaoPay from "@pillivery/adapters-kakaopay/KakaoPay"
import * as Client from "@pillivery/adapters-mysql/Client"
import { migrate } from "@pillivery/adapters-mysql/Migrations"
import * as Mysql from "@pillivery/adapters-mysql/Mysql"
import * as ChargeDirectly from "@pillivery/application/Billing/ChargeDirectly"
import { approvePayment } from "@pillivery/application/Payments/ApprovePayment"
import { CallbackUrls } from "@pillivery/application/Payments/CallbackUrls"
import * as MoneyCalls from "@pillivery/application/Payments/MoneyCalls"
import { requestPayment } from "@pillivery/application/Payments/RequestPayment"
import { BillingLedger } from "@pillivery/application/ports/BillingLedger"
import { BusinessClock } from "@pillivery/application/ports/BusinessClock"
import { IdGenerator as Ids } from "@pillivery/application/ports/IdGenerator"
import { ItemRepository } from "@pillivery/application/ports/ItemRepository"
import { OrderRepository } from "@pillivery/application/ports/OrderRepository"
import { SubscriptionRepository } from "@pillivery/application/ports/SubscriptionRepository"
import * as BusinessDate from "@pillivery/domain/BusinessDate"
import { DeliveryPeriod } from "@pillivery/domain/DeliveryPeriod"
import { ItemId, OrderId, OrderLineId, SubscriptionId, UserId } from "@pillivery/domain/Ids"
import * as Order from "@pillivery/domain/Order"
import { ApprovalToken } from "@pillivery/domain/Provider"
import { Quantity } from "@pillivery/domain/Quantity"
import * as Fixtures from "@pillivery/domain/testing/Fixtures"
import { Won } from "@pillivery/domain/Won"
import { Config, Context, Duration, Effect, Layer, Option, Redacted, Schedule, Schema } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import * as Merchants from "kakaopay-simulator/Merchants"
import { Simulator } from "kakaopay-simulator/Simulator"
import * as SimulatorServer from "kakaopay-simulator/SimulatorServer"
import { type ChildProcess, spawn } from "node:child_process"
import { fileURLToPath } from "node:url"

const main = fileURLToPath(new URL("../src/main.ts", import.meta.url))
const minutesAtTen = 10 * 60

/** How long a lease lasts in these tests, in milliseconds. */
export const leaseMillis = 8_000

/** One finished CLI process. */
export interface Finished {
  readonly code: number | null
  readonly signal: string | null
  readonly stdout: string
  readonly stderr: string
}

/** One running CLI process. */
export interface Running {
  readonly child: ChildProcess
  readonly done: Effect.Effect<Finished>
}

const serverUrl = Config.String("PILLIVERY_TEST_MYSQL_URL")

/** A fresh, migrated database on the test server, dropped at the end; answers its URL. */
export const freshDatabase = Effect.gen(function* () {
  const base = new URL(yield* serverUrl)
  const name = `cli_${(yield* Effect.flatMap(Ids, (ids) => ids.next)).replaceAll("-", "")}`
  const admin = Client.layer({ url: Redacted.make(base.href), poolSize: 1 })
  yield* Effect.acquireRelease(
    Effect.provide(
      Effect.flatMap(SqlClient, (sql) => sql`CREATE DATABASE ${sql(name)}`),
      admin
    ),
    () =>
      Effect.provide(
        Effect.flatMap(SqlClient, (sql) => sql`DROP DATABASE IF EXISTS ${sql(name)}`),
        admin
      ).pipe(Effect.ignore)
  )
  base.pathname = `/${name}`
  return base.href
})

/** Starts the CLI. */
export const startCli = (args: ReadonlyArray<string>, env: Readonly<Record<string, string>>): Effect.Effect<Running> =>
  Effect.sync(() => {
    const child = spawn(process.execPath, ["--conditions=@pillivery/source", main, ...args], {
      env: { PATH: process.env["PATH"] ?? "", TZ: "America/New_York", ...env },
      stdio: ["ignore", "pipe", "pipe"]
    })
    let stdout = ""
    let stderr = ""
    child.stdout.on("data", (chunk) => (stdout += String(chunk)))
    child.stderr.on("data", (chunk) => (stderr += String(chunk)))
    const ended = new Promise<Finished>((resolve) =>
      child.on("close", (code, signal) => resolve({ code, signal, stdout, stderr }))
    )
    return { child, done: Effect.promise(() => ended) }
  })

/** Runs the CLI to its end. */
export const cli = (args: ReadonlyArray<string>, env: Readonly<Record<string, string>>) =>
  Effect.flatMap(startCli(args, env), (running) => running.done)

/** What the CLI processes of one shop are told. */
export const environment = (urls: { readonly mysql: string; readonly provider: string }) => ({
  PILLIVERY_MYSQL_URL: urls.mysql,
  PILLIVERY_KAKAOPAY_URL: urls.provider,
  PILLIVERY_KAKAOPAY_SECRET_KEY: Merchants.defaultSecretKey,
  PILLIVERY_LEASE_MILLIS: String(leaseMillis),
  PILLIVERY_WORKER_LEASE_MILLIS: String(leaseMillis)
})

/** Where the shop's own database is. */
export class MysqlUrl extends Context.Service<MysqlUrl, string>()("test/MysqlUrl") {}

/** Lets time pass for the shop and for the provider. */
export const passTime = Effect.fnUntraced(function* (by: Duration.Input) {
  const clock = yield* BusinessClock
  const simulator = yield* Simulator
  yield* clock.advance(Duration.fromInputUnsafe(by))
  yield* simulator.clock.set({ offsetMillis: Duration.toMillis(yield* clock.offset) })
})

/** Charging is forbidden around midnight in Korea, so every test begins at ten in the morning there. */
const openAtTen = Effect.gen(function* () {
  const now = yield* (yield* BusinessClock).now
  const today = BusinessDate.fromInstant(now)
  const tomorrow = BusinessDate.instantAt(BusinessDate.addDays(today, 1), minutesAtTen)
  yield* passTime(Duration.millis(tomorrow.epochMilliseconds - now.epochMilliseconds))
})

const callbacks = Layer.succeed(CallbackUrls, { of: (id, way) => `http://127.0.0.1/api/payments/${id}/${way}` })

/** Everything a test needs: a fresh database, the provider, and the shop's ports on both. */
export const layer = Layer.unwrap(
  Effect.gen(function* () {
    const mysql = yield* freshDatabase
    const database = Client.layer({ url: Redacted.make(mysql), poolSize: 4 })
    const ports = Mysql.layerWith({ isClockMovable: true }).pipe(Layer.provideMerge(database))
    const provider = Layer.unwrap(
      Effect.map(SimulatorServer.SimulatorServer, ({ url }) =>
        KakaoPay.layer({
          ...KakaoPay.configDefault,
          baseUrl: new URL(url),
          secretKey: Redacted.make(Merchants.defaultSecretKey)
        })
      )
    )
    return Layer.effectDiscard(Effect.andThen(migrate, openAtTen)).pipe(
      Layer.provideMerge(ChargeDirectly.layer),
      Layer.provideMerge(MoneyCalls.layer),
      Layer.provideMerge(provider),
      Layer.provideMerge(Layer.mergeAll(ports, SimulatorServer.layer(), callbacks, Layer.succeed(MysqlUrl, mysql)))
    )
  })
).pipe(Layer.provideMerge(IdGenerator.layer))

const newId = Effect.flatMap(Ids, (ids) => ids.next)

/** Orders a subscription of one item, whose payment the customer has approved at the provider. */
export const awaitApproval = Effect.fnUntraced(function* (options: {
  readonly price: number
  readonly period: number
}) {
  const orders = yield* OrderRepository
  const items = yield* ItemRepository
  const simulator = yield* Simulator
  const userId = UserId.make(yield* newId)
  const itemId = ItemId.make(yield* newId)
  yield* items.insert([Fixtures.item({ id: itemId })])
  const lineId = OrderLineId.make(yield* newId)
  const order = yield* Effect.fromResult(
    Order.place({
      id: OrderId.make(yield* newId),
      userId,
      origin: new Order.FromLines({}),
      lines: [
        Order.OrderLine.make({
          id: lineId,
          itemId,
          itemName: "오메가3",
          originPrice: Won.make(options.price),
          unitPrice: Won.make(options.price),
          quantity: Quantity.make(1),
          period: DeliveryPeriod.make(options.period),
          refundedQuantity: 0
        })
      ],
      receiver: Fixtures.receiver(),
      at: yield* (yield* BusinessClock).now
    })
  )
  yield* orders.insert(order)
  const waiting = yield* requestPayment({ orderId: order.id, userId })
  const { pgToken } = yield* simulator.customers.approve(waiting.transactionId)
  return {
    attemptId: waiting.id,
    orderId: order.id,
    subscriptionId: SubscriptionId.make(lineId),
    token: ApprovalToken.make(pgToken ?? "")
  }
})

/** Buys a subscription of one item through the whole protocol; answers its id. */
export const subscribe = Effect.fnUntraced(function* (options: { readonly price: number; readonly period: number }) {
  const { attemptId, subscriptionId, token } = yield* awaitApproval(options)
  yield* approvePayment(attemptId, token)
  return subscriptionId
})

/** A subscription with its cycles, newest first. */
export const read = Effect.fnUntraced(function* (id: SubscriptionId) {
  const subscription = Option.getOrThrow(yield* (yield* SubscriptionRepository).findById(id))
  const cycles = (yield* (yield* BillingLedger).listCycles(id, { page: 1, size: 100 })).data
  return { subscription, cycles }
})

const decodeNames = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ name: Schema.String })))

/** The tables of the shop's database. */
export const tables = Effect.gen(function* () {
  const sql = yield* SqlClient
  const rows = yield* Effect.flatMap(
    sql`SELECT table_name AS name FROM information_schema.tables
      WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE' ORDER BY table_name`,
    decodeNames
  )
  return rows.map(({ name }) => name)
})

/** What every table of the shop's database holds, as one number each. */
export const checksums = Effect.gen(function* () {
  const sql = yield* SqlClient
  return yield* Effect.forEach(yield* tables, (name) => sql`CHECKSUM TABLE ${sql(name)}`)
})

/** Waits until something holds, at most ten seconds. */
export const until = <E, R>(holds: Effect.Effect<boolean, E, R>) =>
  holds.pipe(
    Effect.repeat({ until: (is) => is, schedule: Schedule.spaced("20 millis"), times: 500 }),
    Effect.flatMap((is) => (is ? Effect.void : Effect.die("it did not come to hold within ten seconds")))
  )
