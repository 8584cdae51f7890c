/**
 * Every list query is served by an index, on a database with enough rows that it matters.
 *
 * The statements are those of the repositories: a transformer notes each one that runs, and EXPLAIN is asked about it
 * afterwards.
 *
 * @since 0.1.0
 */
import { assert, describe, it } from "@effect/vitest"
import { rulesOver, subjects } from "@pillivery/application/Billing/Invariants"
import { Audit } from "@pillivery/application/ports/Audit"
import { BillingKeyRepository } from "@pillivery/application/ports/BillingKeyRepository"
import { BillingLedger } from "@pillivery/application/ports/BillingLedger"
import { type ItemQuery, ItemRepository, ItemSort } from "@pillivery/application/ports/ItemRepository"
import { MessageQueue } from "@pillivery/application/ports/MessageQueue"
import { NotificationRepository } from "@pillivery/application/ports/NotificationRepository"
import { OrderRepository } from "@pillivery/application/ports/OrderRepository"
import { Outbox } from "@pillivery/application/ports/Outbox"
import { PaymentRepository } from "@pillivery/application/ports/PaymentRepository"
import { RefundRepository } from "@pillivery/application/ports/RefundRepository"
import { ReviewRepository, ReviewSort } from "@pillivery/application/ports/ReviewRepository"
import { SubscriptionRepository } from "@pillivery/application/ports/SubscriptionRepository"
import { UserRepository } from "@pillivery/application/ports/UserRepository"
import { WebhookEndpointId } from "@pillivery/application/ports/WebhookEndpoints"
import { Effect, Schema } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import { CurrentTransformer } from "effect/sql/Statement"
import * as Fixtures from "./Fixtures.ts"
import { layer } from "./TestDatabase.ts"

const page = { page: 1, size: 8 }

const Plan = Schema.Array(
  Schema.Struct({
    table: Schema.NullOr(Schema.String),
    type: Schema.NullOr(Schema.String),
    key: Schema.NullOr(Schema.String),
    Extra: Schema.NullOr(Schema.String)
  })
)

/** Runs an effect and answers the plan of each statement it ran. */
const plansOf = Effect.fnUntraced(function* <A, E, R>(effect: Effect.Effect<A, E, R>) {
  const sql = yield* SqlClient
  const statements: Array<readonly [string, ReadonlyArray<unknown>]> = []
  yield* Effect.provideService(effect, CurrentTransformer, (statement) =>
    Effect.sync(() => {
      statements.push(statement.compile())
      return statement
    })
  )
  return yield* Effect.forEach(
    statements.filter(([text]) => /^\s*(SELECT|UPDATE)/.test(text)),
    ([text, params]) =>
      Effect.map(
        Effect.flatMap(sql.unsafe(`EXPLAIN FORMAT = TRADITIONAL ${text}`, params), Schema.decodeUnknownEffect(Plan)),
        (plan) => ({ text, plan })
      )
  )
})

const assertIndexed = (plans: Effect.Success<ReturnType<typeof plansOf>>) => {
  assert.isAbove(plans.length, 0)
  for (const { plan, text } of plans) {
    for (const step of plan) {
      if (step.table === null || step.table.startsWith("<")) continue
      assert.isTrue(step.key !== null && step.type !== "ALL", `${JSON.stringify(step)} of ${text}`)
    }
  }
}

/** How EXPLAIN calls reading by a key, as opposed to walking an index. */
const byKey = new Set(["eq_ref", "ref", "const", "system", "range", "index_subquery", "unique_subquery"])

const assertNotSorted = (plans: Effect.Success<ReturnType<typeof plansOf>>) => {
  for (const { plan, text } of plans) {
    for (const step of plan) assert.notInclude(step.Extra ?? "", "filesort", text)
  }
}

/** Adds a thousand copies of the one row of a table, made different where they must be. */
const multiply = (table: string, columns: string, copies: string) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient
    const digits = Array.from({ length: 10 }, (_, digit) => `SELECT ${digit} AS d`).join(" UNION ALL ")
    yield* sql.unsafe(
      `INSERT INTO ${table} (${columns}) SELECT ${copies} FROM ${table},
        (SELECT a.d + 10 * b.d + 100 * c.d AS i FROM (${digits}) a, (${digits}) b, (${digits}) c) n`
    )
    yield* sql.unsafe(`ANALYZE TABLE ${table}`).unprepared
  })

const id = (salt: string) =>
  `UNHEX(INSERT(INSERT(LEFT(SHA2(CONCAT('${salt}', n.i), 256), 32), 13, 1, '7'), 17, 1, '8'))`

describe("plans", () => {
  it.layer(layer(), { excludeTestServices: true })((it) => {
    it.effect("due cycles are read in key order from an index", () =>
      Effect.gen(function* () {
        const ledger = yield* BillingLedger
        const subscriptions = yield* SubscriptionRepository
        const sql = yield* SqlClient
        yield* subscriptions.insert(Fixtures.activeSubscription())
        yield* multiply(
          "subscription_order",
          `id, user_id, state, order_id, order_line_id, item_id, item_name, unit_price, quantity, period_days, anchor,
            receiver_name, receiver_phone, receiver_city, receiver_detail, skips_in_a_row, created_at, version, billing_key_id`,
          `${id("s")}, ${id("u")}, state, order_id, ${id("l")}, item_id, item_name, unit_price, quantity, period_days,
            anchor, receiver_name, receiver_phone, receiver_city, receiver_detail, skips_in_a_row, created_at, version,
            ${id("k")}`
        )
        yield* sql`INSERT INTO billing_cycle
          (subscription_id, number, state, grid_date, due_date, step, next_attempt_on, version)
          SELECT id, 1, 'Due', '2026-03-01', '2026-03-01', 0,
            DATE_ADD('2026-03-01', INTERVAL CONV(SUBSTR(HEX(id), 1, 3), 16, 10) % 60 DAY), 0 FROM subscription_order`
        yield* sql`ANALYZE TABLE billing_cycle`.unprepared
        const date = Fixtures.date("2026-03-03")
        const [first] = yield* ledger.listDue({ date, step: 0, after: null, limit: 1 })
        assert.isDefined(first)
        for (const after of [null, first ?? null]) {
          const plans = yield* plansOf(ledger.listDue({ date, step: 0, after, limit: 50 }))
          assertIndexed(plans)
        }
        assertIndexed(yield* plansOf(ledger.owed(date)))
        assertIndexed(yield* plansOf(ledger.listCycles(Fixtures.anySubscriptionId(), page)))
        assertIndexed(yield* plansOf(ledger.findOpenCycle(Fixtures.anySubscriptionId())))
        assertIndexed(yield* plansOf(ledger.listRuns("renewals", 10)))
        assertIndexed(yield* plansOf(subscriptions.listByUser(Fixtures.anyUserId(), page)))
        assertNotSorted(yield* plansOf(subscriptions.listByUser(Fixtures.anyUserId(), page)))
        assertIndexed(yield* plansOf(subscriptions.listLiveByBillingKey(Fixtures.anyBillingKeyId())))
        // Every due cycle comes once, in order, however it is paged.
        const keys: Array<string> = []
        for (let after: typeof first | null = null; ;) {
          const keysOfPage: ReadonlyArray<NonNullable<typeof first>> = yield* ledger.listDue({
            date,
            step: 0,
            after,
            limit: 7
          })
          if (keysOfPage.length === 0) break
          keys.push(...keysOfPage.map(({ subscriptionId }) => subscriptionId))
          after = keysOfPage[keysOfPage.length - 1] ?? null
        }
        assert.deepStrictEqual(keys, keys.toSorted())
        assert.strictEqual(new Set(keys).size, keys.length)
        assert.strictEqual((yield* ledger.owed(date)).due, keys.length)
      })
    )

    it.effect("outbox rows are claimed by an index", () =>
      Effect.gen(function* () {
        const outbox = yield* Outbox
        const sql = yield* SqlClient
        yield* sql`INSERT INTO outbox (event_id, consumer, state, tag, event, due_at, tries, published_at)
          VALUES ('e', 'cart', 'done', 'OrderPaid', '{}', UTC_TIMESTAMP(3), 1, UTC_TIMESTAMP(3))`
        yield* multiply(
          "outbox",
          "event_id, consumer, state, tag, event, due_at, tries, published_at",
          "CONCAT('e', n.i), consumer, state, tag, event, due_at, tries, published_at"
        )
        yield* sql`INSERT INTO outbox (event_id, consumer, state, tag, event, due_at, tries, published_at)
          VALUES ('p', 'cart', 'dead', 'OrderPaid', '{}', UTC_TIMESTAMP(3), 1, UTC_TIMESTAMP(3))`
        assertIndexed(yield* plansOf(outbox.claim({ owner: "me", limit: 20, leaseMillis: 1_000 })))
        assertIndexed(yield* plansOf(outbox.counts))
        assertIndexed(yield* plansOf(outbox.listDead(10).pipe(Effect.ignoreCause)))
      })
    )

    it.effect("messages are claimed, listed and counted by an index", () =>
      Effect.gen(function* () {
        const messages = yield* MessageQueue
        const sql = yield* SqlClient
        const columns = "recipient, event_id, state, tag, event, due_at, tries, queued_at"
        yield* sql`INSERT INTO message (recipient, event_id, state, tag, event, due_at, tries, queued_at)
          VALUES ('email', 'e', 'sent', 'OrderPaid', '{}', UTC_TIMESTAMP(3), 1, UTC_TIMESTAMP(3))`
        yield* multiply(
          "message",
          columns,
          `recipient, CONCAT('e', n.i), ${columns.slice("recipient, event_id, ".length)}`
        )
        const recipient = WebhookEndpointId.make("01890a5d-ac96-774b-bcce-b302099a8057")
        assertIndexed(yield* plansOf(messages.list(recipient, page)))
        assertIndexed(yield* plansOf(messages.list("email", page).pipe(Effect.ignoreCause)))
        assertIndexed(yield* plansOf(messages.claim({ recipient, owner: "me", limit: 20, leaseMillis: 1_000 })))
        assertIndexed(yield* plansOf(messages.counts))
        assertIndexed(yield* plansOf(messages.replay(recipient, { _tag: "Failed" })))
      })
    )

    it.effect("orders, notifications and refunds are listed by an index", () =>
      Effect.gen(function* () {
        const orders = yield* OrderRepository
        const refunds = yield* RefundRepository
        const notifications = yield* NotificationRepository
        const sql = yield* SqlClient
        const order = Fixtures.placedOrder()
        yield* orders.insert(order)
        yield* multiply(
          "orders",
          `id, user_id, state, origin, receiver_name, receiver_phone, receiver_city, receiver_detail, total,
            discount_total, placed_at, expires_at, version`,
          `${id("o")}, ${id("u")}, 'Expired', origin, receiver_name, receiver_phone, receiver_city, receiver_detail, total,
            discount_total, placed_at, DATE_SUB(expires_at, INTERVAL n.i MINUTE), version`
        )
        const byUser = yield* plansOf(orders.listByUser(order.userId, page))
        assertIndexed(byUser)
        assertNotSorted(byUser.slice(0, 2))
        // An order with all its lines is two queries, however many lines it has.
        assert.lengthOf(yield* plansOf(orders.findById(order.id)), 2)
        const inOneState = yield* plansOf(orders.listByUser(order.userId, page, "Expired"))
        assertIndexed(inOneState)
        assertNotSorted(inOneState.slice(0, 2))
        const toDeliver = yield* plansOf(orders.listToDeliver(Fixtures.at, page))
        assertIndexed(toDeliver)
        assertNotSorted(toDeliver.slice(0, 2))
        const expirable = yield* plansOf(orders.listExpirable(Fixtures.later, 10))
        assertIndexed(expirable)
        assertNotSorted(expirable)
        const refund = Fixtures.requestedRefund()
        yield* refunds.insert(refund)
        yield* multiply(
          "refund",
          `id, attempt_id, order_id, user_id, state, amount, refund_lines, reason, requested_at, dispatches, version,
            completed_at`,
          `${id("r")}, ${id("a")}, ${id("o")}, user_id, 'Completed', amount, refund_lines, reason, requested_at, dispatches,
            version, requested_at`
        )
        const listed = yield* plansOf(
          Effect.all([
            refunds.listByOrder(Fixtures.anyOrderId()),
            refunds.listByAttempt(refund.attemptId),
            refunds.listRequested(10),
            refunds.listAbandonedBySender(Fixtures.later, 10),
            refunds.listToAskAbout(Fixtures.later, 10)
          ])
        )
        assertIndexed(listed)
        assertNotSorted(listed)
        yield* sql`INSERT INTO notification (id, user_id, kind, korean, english, sent_at)
          VALUES ('n', UNHEX(REPEAT('0a', 16)), 'k', '', '', UTC_TIMESTAMP(3))`
        yield* multiply(
          "notification",
          "id, user_id, kind, korean, english, sent_at",
          `CONCAT('n', n.i), ${id("u")}, kind, korean, english, sent_at`
        )
        const told = yield* plansOf(notifications.listByUser(Fixtures.anyUserId(), page))
        assertIndexed(told)
        assertNotSorted(told)
      })
    )

    it.effect("attempts are listed by an index", () =>
      Effect.gen(function* () {
        const payments = yield* PaymentRepository
        yield* payments.insertAttempt(Fixtures.preparedAttempt())
        yield* multiply(
          "attempt",
          `id, payment_id, state, purpose, user_id, order_id, issues_billing_key, provider, merchant_account,
            customer_reference, amount, item_name, quantity, created_at, version, detail, ended_at`,
          `${id("a")}, ${id("p")}, 'Withdrawn', purpose, user_id, order_id, issues_billing_key, provider, merchant_account,
            customer_reference, amount, item_name, quantity, created_at, version, 'why', created_at`
        )
        const listed = yield* plansOf(
          Effect.all([
            payments.listAttempts(Fixtures.preparedAttempt().paymentId),
            payments.listToAskAbout(Fixtures.later, 10),
            payments.listExpiredWaiting(Fixtures.later, 10)
          ])
        )
        assertIndexed(listed)
        assertNotSorted(listed)
        assertIndexed(yield* plansOf(payments.listAbandonedBySender(Fixtures.later, 10)))
        assertIndexed(yield* plansOf(payments.countAttempts))
      })
    )

    it.effect("billing keys that wait for their daily comparison are listed by an index", () =>
      Effect.gen(function* () {
        const keys = yield* BillingKeyRepository
        const sql = yield* SqlClient
        const key = Fixtures.activeKey()
        yield* keys.insert(key)
        yield* multiply(
          "billing_key",
          "id, user_id, state, provider, merchant_account, customer_reference, billing_key, live_uses, created_at, version",
          `${id("c")}, ${id("u")}, state, provider, merchant_account, customer_reference, CONCAT('k', n.i), 1, created_at, 0`
        )
        const on = Fixtures.date("2026-03-03")
        for (const after of [null, { id: key.id, checkedOn: Fixtures.date("2026-03-01") }]) {
          const plans = yield* plansOf(keys.listUnchecked({ on, approvedBefore: Fixtures.later, after, limit: 10 }))
          assertIndexed(plans)
          assertNotSorted(plans)
        }
        yield* sql`DELETE FROM billing_key`
      })
    )

    it.effect("items are searched and sorted by an index", () =>
      Effect.gen(function* () {
        const items = yield* ItemRepository
        const sql = yield* SqlClient
        yield* items.insert([Fixtures.item({ productName: "루테인 지아잔틴" })])
        const columns = `statement_number, registered_date, distribution_period, appearance, serving_use,
          preserve_period, intake, main_function, base_standard, thumbnail, description_image, views, rating_sum,
          rating_count, version`
        yield* multiply(
          "item",
          `id, product_name, search_name, brand, ${columns}, sales, price_origin, price_rate, price_discount, price_real`,
          `${id("i")}, CONCAT('비타민 ', n.i), CONCAT('비타민 ', n.i), CONCAT('brand ', n.i % 50), ${columns}, n.i, 1000 * (n.i + 1), IF(n.i % 20 = 0, 100, 0), (n.i + 1) * IF(n.i % 20 = 0, 100, 0),
            (n.i + 1) * IF(n.i % 20 = 0, 900, 1000)`
        )
        yield* sql`INSERT IGNORE INTO item_category (item_id, position, category) SELECT id, 0, 'BONE' FROM item`
        yield* sql`ANALYZE TABLE item_category`.unprepared
        const queries: ReadonlyArray<Omit<ItemQuery, "sort">> = [
          { keyword: "루테인" },
          { category: "EYE" },
          { brand: "brand 7" },
          { onSale: true },
          { priceMin: 15_000, priceMax: 15_100 }
        ]
        assertIndexed(yield* plansOf(items.listBrands(page)))
        for (const sort of ItemSort.literals) {
          for (const query of queries) assertIndexed(yield* plansOf(items.search({ ...query, sort }, page)))
          // Counting everything reads everything.
          const all = (yield* plansOf(items.search({ sort }, page))).slice(1)
          assertIndexed(all)
          assertNotSorted(all.filter(({ text }) => text.includes("ORDER BY item.")))
        }
      })
    )

    it.effect("reviews are listed in every order by an index, and their sums are added up by one", () =>
      Effect.gen(function* () {
        const reviews = yield* ReviewRepository
        const items = yield* ItemRepository
        const users = yield* UserRepository
        const review = Fixtures.review()
        yield* reviews.insert(review)
        // Of each ten one is of the same item and one of the same user.
        yield* multiply(
          "review",
          "id, user_id, item_id, order_id, state, content, changed_at, version, stars, written_at",
          `${id("r")}, IF(n.i % 10 = 1, user_id, ${id("u")}), IF(n.i % 10 = 0, item_id, ${id("i")}), order_id, state, content,
            changed_at, version, 1 + n.i % 5, DATE_ADD(written_at, INTERVAL n.i HOUR)`
        )
        const listed = yield* plansOf(
          Effect.all([
            ...ReviewSort.literals.map((sort) => reviews.listByItem(review.itemId, sort, page)),
            reviews.listByUser(review.userId, page)
          ])
        )
        assertIndexed(listed)
        assertNotSorted(listed)
        assertIndexed(yield* plansOf(reviews.findByUserAndItem(review.userId, review.itemId)))
        assertIndexed(yield* plansOf(Effect.ignore(items.addRating(review.itemId, { sum: 5, count: 1 }))))
        assertIndexed(yield* plansOf(users.findDisplayNames([review.userId, Fixtures.anyUserId()])))
      })
    )

    it.effect("every rule of the audit walks a range of ids and finds the rest by keys", () =>
      Effect.gen(function* () {
        const audit = yield* Audit
        const keys = yield* BillingKeyRepository
        const sql = yield* SqlClient
        yield* keys.insert(Fixtures.activeKey())
        yield* multiply(
          "billing_key",
          `id, user_id, state, provider, merchant_account, customer_reference, billing_key, live_uses, created_at, version`,
          `${id("k")}, user_id, state, provider, merchant_account, customer_reference, CONCAT('S', n.i), live_uses,
            created_at, version`
        )
        const numbers = "(SELECT a.d + 10 * b.d + 100 * c.d AS i FROM (DIGITS) a, (DIGITS) b, (DIGITS) c) n".replaceAll(
          "DIGITS",
          Array.from({ length: 10 }, (_, digit) => `SELECT ${digit} AS d`).join(" UNION ALL ")
        )
        const fill = (table: string, columns: string, values: string) =>
          Effect.andThen(
            sql.unsafe(`INSERT INTO ${table} (${columns}) SELECT ${values} FROM ${numbers}`),
            sql.unsafe(`ANALYZE TABLE ${table}`).unprepared
          )
        yield* fill(
          "payment",
          "id, user_id, subject, subscription_id, cycle_number, amount, created_at",
          `${id("p")}, ${id("u")}, 'CycleSubject', ${id("s")}, 1, 1000, '2026-03-01'`
        )
        yield* fill(
          "order_line",
          "order_id, position, id, item_id, item_name, origin_price, unit_price, quantity, period_days, refunded_quantity",
          `${id("o")}, 1, ${id("l")}, ${id("i")}, 'x', 1000, 1000, 1, 30, 0`
        )
        yield* fill("user_slot", "provider, customer_reference", "'kakaopay', CONCAT('c', n.i)")
        yield* fill("sales", "cause, item_id, quantity, recorded_at", `CONCAT('x', n.i), ${id("i")}, 1, '2026-03-01'`)
        for (const table of ["orders", "refund", "attempt", "outbox", "subscription_order", "billing_cycle"]) {
          yield* sql.unsafe(`ANALYZE TABLE ${table}`).unprepared
        }
        for (const subject of subjects) {
          const first = yield* audit.chunk(subject, null, 400)
          const chunk = yield* audit.chunk(subject, first?.until ?? null, 400)
          assert.strictEqual(chunk?.rows, 400, subject)
          if (chunk === null) continue
          assertIndexed(yield* plansOf(audit.chunk(subject, first?.until ?? null, 400)))
          for (const rule of rulesOver(subject)) {
            const plans = yield* plansOf(audit.broken(rule, chunk, { now: Fixtures.later }))
            assertIndexed(plans)
            const walked = plans.flatMap(({ plan }) => plan).filter(({ table }) => table === "x")
            assert.deepStrictEqual(
              [...new Set(walked.map(({ key, type }) => `${type} ${key}`))],
              ["range PRIMARY"],
              rule
            )
            for (const { plan, text } of plans) {
              for (const step of plan) {
                const isByKey = byKey.has(step.type ?? "system")
                assert.isTrue(isByKey || step.table?.startsWith("<"), `${JSON.stringify(step)} of ${text}`)
              }
            }
          }
        }
        assertIndexed(yield* plansOf(audit.lastApproved(10)))
      })
    )
  })
})
