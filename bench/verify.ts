/**
 * `npm run bench -- verify [--subscriptions N]`: checking every rule on every row, on a database of its own.
 *
 * The rows are inserted set by set: each subscription with its first order, its billing key, a renewal that was charged
 * and one that is due, with the payments, attempts, orders, sales and events that belong to them. They obey every rule;
 * then one row is broken, and must be found. Durability as the server has it by default.
 *
 * @since 0.1.0
 */
import * as Client from "@pillivery/adapters-mysql/Client"
import { migrate } from "@pillivery/adapters-mysql/Migrations"
import * as Mysql from "@pillivery/adapters-mysql/Mysql"
import { type Verified, verify } from "@pillivery/application/Billing/Verify"
import { Effect, Layer, Redacted } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import { tmpdir } from "node:os"
import { parseArgs } from "node:util"
import { Cleanup, startServers } from "../scripts/internal/Servers.ts"
import { makeTemporaryFolder } from "../scripts/internal/Workspace.ts"

const subscriptionsDefault = 200_000
const rowsPerInsert = 20_000
const rounds = 3
const bytesPerMebibyte = 1_048_576

const { values } = parseArgs({ options: { subscriptions: { type: "string" } } })
const subscriptions = Number(values.subscriptions ?? subscriptionsDefault)

/** An id of its own for every number, in the order of numbers, as ids are in the order of time. */
const id = (kind: string, number = "n.i"): string => {
  const chance = `MD5(CONCAT('${kind}', ${number}))`
  return `UNHEX(CONCAT(LPAD(HEX(${number}), 12, '0'), '7', LEFT(${chance}, 3), '8', RIGHT(${chance}, 15)))`
}
const text = (bytes: string): string =>
  `LOWER(INSERT(INSERT(INSERT(INSERT(HEX(${bytes}), 9, 0, '-'), 14, 0, '-'), 19, 0, '-'), 24, 0, '-'))`
const at = "DATE_SUB(UTC_TIMESTAMP(3), INTERVAL 1 DAY)"
const receiver = "'김민지', '01012345678', '서울특별시 마포구', '101호'"

/** Rows of one table, as columns and what stands in them for the number `n.i`. */
const fills: ReadonlyArray<readonly [table: string, columns: string, values: string]> = [
  [
    "orders",
    `id, user_id, state, origin, receiver_name, receiver_phone, receiver_city, receiver_detail, total, discount_total,
      placed_at, paid_by, paid_at, refunded_total, version`,
    `${id("o")}, ${id("u")}, 'Paid', 'FromLines', ${receiver}, 30000, 0, ${at}, ${id("a")}, ${at}, 0, 1`
  ],
  [
    "orders",
    `id, user_id, state, origin, origin_subscription_id, origin_cycle_number, receiver_name, receiver_phone, receiver_city,
      receiver_detail, total, discount_total, placed_at, paid_by, paid_at, refunded_total, version`,
    `${id("r")}, ${id("u")}, 'Paid', 'FromRenewal', ${id("s")}, 1, ${receiver}, 30000, 0, ${at}, ${id("b")}, ${at}, 0, 1`
  ],
  [
    "order_line",
    "order_id, position, id, item_id, item_name, origin_price, unit_price, quantity, period_days, refunded_quantity",
    `${id("o")}, 0, ${id("s")}, ${id("i")}, '오메가3', 30000, 30000, 1, 30, 0`
  ],
  [
    "order_line",
    "order_id, position, id, item_id, item_name, origin_price, unit_price, quantity, period_days, refunded_quantity",
    `${id("r")}, 0, ${id("l")}, ${id("i")}, '오메가3', 30000, 30000, 1, NULL, 0`
  ],
  [
    "payment",
    "id, user_id, subject, order_id, amount, created_at",
    `${id("p")}, ${id("u")}, 'OrderSubject', ${id("o")}, 30000, ${at}`
  ],
  [
    "payment",
    "id, user_id, subject, subscription_id, cycle_number, amount, created_at",
    `${id("q")}, ${id("u")}, 'CycleSubject', ${id("s")}, 1, 30000, ${at}`
  ],
  [
    "attempt",
    `id, payment_id, state, purpose, user_id, order_id, issues_billing_key, provider, merchant_account, customer_reference,
      amount, item_name, quantity, created_at, version, sent_at, transaction_id, dispatches, reference,
      reference_transaction_id, reference_approved_at, approved, refunded, reserved, settled_at`,
    `${id("a")}, ${id("p")}, 'Approved', 'ForOrder', ${id("u")}, ${id("o")}, 1, 'kakaopay', 'TCSUBSCRIP', CONCAT('c', n.i),
      30000, '오메가3', 1, ${at}, 3, ${at}, CONCAT('T', n.i), 1, 'Known', CONCAT('T', n.i), ${at}, 30000, 0, 0, ${at}`
  ],
  [
    "attempt",
    `id, payment_id, state, purpose, user_id, subscription_id, cycle_number, billing_key_id, billing_key, step, provider,
      merchant_account, customer_reference, amount, item_name, quantity, created_at, version, sent_at, dispatches,
      reference, reference_transaction_id, reference_approved_at, approved, refunded, reserved, settled_at`,
    `${id("b")}, ${id("q")}, 'Approved', 'ForCycle', ${id("u")}, ${id("s")}, 1, ${id("a")}, CONCAT('S', n.i), 0, 'kakaopay',
      'TCSUBSCRIP', CONCAT('c', n.i), 30000, '오메가3', 1, ${at}, 2, ${at}, 1, 'Known', CONCAT('U', n.i), ${at}, 30000, 0, 0,
      ${at}`
  ],
  ["user_slot", "provider, customer_reference", "'kakaopay', CONCAT('c', n.i)"],
  [
    "billing_key",
    `id, user_id, state, provider, merchant_account, customer_reference, billing_key, last_known_approval, live_uses,
      created_at, version`,
    `${id("a")}, ${id("u")}, 'Active', 'kakaopay', 'TCSUBSCRIP', CONCAT('c', n.i), CONCAT('S', n.i), UTC_TIMESTAMP(3), 1,
      ${at}, 2`
  ],
  [
    "subscription_order",
    `id, user_id, state, order_id, order_line_id, item_id, item_name, unit_price, quantity, period_days, anchor,
      receiver_name, receiver_phone, receiver_city, receiver_detail, skips_in_a_row, created_at, version, billing_key_id`,
    `${id("s")}, ${id("u")}, 'Active', ${id("o")}, ${id("s")}, ${id("i")}, '오메가3', 30000, 1, 30, '2026-01-01', ${receiver},
      0, ${at}, 2, ${id("a")}`
  ],
  [
    "billing_cycle",
    "subscription_id, number, state, grid_date, due_date, step, answered_on, charged_by, charged_on, version",
    `${id("s")}, 1, 'Charged', '2026-01-31', '2026-01-31', 0, '2026-01-31', ${id("b")}, '2026-01-31', 2`
  ],
  [
    "billing_cycle",
    "subscription_id, number, state, grid_date, due_date, step, next_attempt_on, version",
    `${id("s")}, 2, 'Due', '2026-03-02', '2026-03-02', 0, '2026-03-02', 0`
  ],
  [
    "sales",
    "cause, item_id, quantity, recorded_at",
    `CONCAT(${text(id("a"))}, '/', ${text(id("s"))}), ${id("i")}, 1, ${at}`
  ],
  [
    "sales",
    "cause, item_id, quantity, recorded_at",
    `CONCAT(${text(id("b"))}, '/', ${text(id("l"))}), ${id("i")}, 1, ${at}`
  ],
  [
    "outbox",
    "event_id, consumer, state, tag, event, due_at, tries, published_at, ended_at",
    `CONCAT(${text(id("a"))}, ':OrderPaid'), 'notification', 'done', 'OrderPaid', '{}', ${at}, 1, ${at}, ${at}`
  ],
  [
    "outbox",
    "event_id, consumer, state, tag, event, due_at, tries, published_at, ended_at",
    `CONCAT(${text(id("b"))}, ':CycleCharged'), 'notification', 'done', 'CycleCharged', '{}', ${at}, 1, ${at}, ${at}`
  ]
]

const seed = Effect.gen(function* () {
  const sql = yield* SqlClient
  yield* migrate
  yield* sql`CREATE TABLE number (i INT NOT NULL, PRIMARY KEY (i))`
  yield* sql`INSERT INTO number VALUES (0)`
  for (let count = 1; count < subscriptions; count *= 2) {
    yield* sql`INSERT INTO number SELECT i + ${count} FROM number WHERE i + ${count} < ${subscriptions}`
  }
  for (const [table, columns, row] of fills) {
    for (let from = 0; from < subscriptions; from += rowsPerInsert) {
      yield* sql.unsafe(
        `INSERT INTO ${table} (${columns}) SELECT ${row} FROM number n WHERE n.i >= ${from} AND n.i < ${from + rowsPerInsert}`
      )
    }
  }
  for (const table of new Set(fills.map(([name]) => name))) yield* sql.unsafe(`ANALYZE TABLE ${table}`).unprepared
})

const rowsOf = ({ rows }: Verified): number => Object.values(rows).reduce((sum, count) => sum + count, 0)

const measure = Effect.gen(function* () {
  const sql = yield* SqlClient
  const startedAt = performance.now()
  yield* seed
  console.log(`seeded ${subscriptions} subscriptions in ${Math.round((performance.now() - startedAt) / 1_000)} s`)
  const rates: Array<number> = []
  let last: Verified | null = null
  for (let round = 0; round < rounds; round++) {
    const verified: Verified = yield* verify()
    if (verified.broken.length > 0) throw new Error(`the rows are not sound: ${JSON.stringify(verified.broken)}`)
    const rate = rowsOf(verified) / (verified.millis / 1_000)
    rates.push(rate)
    console.log(
      `round ${round + 1}: ${rowsOf(verified)} rows, ${verified.rules} rules in ${(verified.millis / 1_000).toFixed(1)} s: ${Math.round(rate)} rows/s`
    )
    last = verified
  }
  yield* sql.unsafe(`UPDATE billing_key SET live_uses = 2 WHERE id = ${id("a", String(subscriptions >> 1))}`)
  const { broken } = yield* verify()
  const isFound = broken.length === 1 && broken[0]?.rule === "keyCountsItsSubscriptions" && broken[0].count === 1
  if (!isFound) throw new Error(`the broken row was not found alone: ${JSON.stringify(broken)}`)
  const rate = rates.toSorted((one, other) => one - other)[rounds >> 1] ?? 0
  const rows = last === null ? 0 : rowsOf(last)
  return {
    bench: "verify",
    subscriptions,
    rows,
    rules: last?.rules ?? 0,
    seconds: Number((rows / rate).toFixed(1)),
    rowsPerSecond: Math.round(rate),
    residentMiB: Math.round(process.memoryUsage().rss / bytesPerMebibyte)
  }
})

const cleanup = new Cleanup()
const folder = makeTemporaryFolder(tmpdir())
cleanup.addFolder(folder)
try {
  const servers = await startServers(
    { database: "machine", durability: "default", needsBrowser: false },
    folder,
    cleanup
  )
  const url = servers["PILLIVERY_TEST_MYSQL_URL"] ?? ""
  const ports = Mysql.layer.pipe(Layer.provideMerge(Client.layer({ url: Redacted.make(url) })))
  console.log(JSON.stringify(await Effect.runPromise(Effect.provide(measure, ports))))
} finally {
  await cleanup.run()
}
