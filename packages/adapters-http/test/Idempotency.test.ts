/** Requests that are repeated under their key. */
import { assert, describe, it } from "@effect/vitest"
import * as MemoryProvider from "@pillivery/application/testing/MemoryProvider"
import { Effect } from "effect"
import * as Shop from "./Shop.ts"

const twinsCount = 8
const named = (key: string) => ({ headers: { "idempotency-key": key } })
const order = { body: { lines: [{ itemId: Shop.vitamin.id, quantity: 1 }] } }

const ordersOf = (token: string) =>
  Effect.map(Shop.send("GET", "/api/orders", { token }), (page) => Shop.field(page, "pageInfo", "totalElements"))

describe("a request that must be named", () => {
  it.live("is refused without a name, and with one that is none", () =>
    Effect.gen(function* () {
      const token = yield* Shop.logIn()
      for (const key of ["", " ", "a b", "a\tb", "é", "a".repeat(201)]) {
        const refused = yield* Shop.send("POST", "/api/orders", { token, ...order, ...named(key) })
        assert.deepStrictEqual(Shop.codeOf(refused), [400, "VALIDATION_FAILED"], key)
      }
      assert.strictEqual(yield* ordersOf(token), 0)
    }).pipe(Effect.provide(Shop.layer))
  )

  it.live("places one order however often it comes, also at once, and shows it to all", () =>
    Effect.gen(function* () {
      const token = yield* Shop.logIn()
      const place = Shop.send("POST", "/api/orders", { token, ...order, ...named("one") })
      const answers = yield* Effect.forEach(Array.from({ length: twinsCount }), () => place, {
        concurrency: "unbounded"
      })
      assert.deepStrictEqual(new Set(answers.map(({ status }) => status)), new Set([201]))
      assert.strictEqual(new Set([...answers, yield* place].map((answer) => Shop.field(answer, "id"))).size, 1)
      assert.strictEqual(yield* ordersOf(token), 1)
    }).pipe(Effect.provide(Shop.layer))
  )

  it.live("is not another request of the same name, and not somebody else's", () =>
    Effect.gen(function* () {
      const [token, stranger] = [yield* Shop.logIn(1), yield* Shop.logIn(2)]
      const first = yield* Shop.send("POST", "/api/orders", { token, ...order, ...named("one") })
      const other = { body: { lines: [{ itemId: Shop.vitamin.id, quantity: 2 }] } }
      const refused = yield* Shop.send("POST", "/api/orders", { token, ...other, ...named("one") })
      assert.deepStrictEqual(Shop.codeOf(refused), [422, "IDEMPOTENCY_KEY_REUSED"])
      const turned = { rawBody: JSON.stringify({ lines: [{ quantity: 1, itemId: Shop.vitamin.id }] }) }
      const same = yield* Shop.send("POST", "/api/orders", {
        token,
        ...turned,
        headers: { ...named("one").headers, "content-type": "application/json" }
      })
      assert.strictEqual(Shop.field(same, "id"), Shop.field(first, "id"), "the order of fields says nothing")
      const theirs = yield* Shop.send("POST", "/api/orders", { token: stranger, ...order, ...named("one") })
      assert.notStrictEqual(Shop.field(theirs, "id"), Shop.field(first, "id"))
      const payment = yield* Shop.send("POST", `/api/orders/${String(Shop.field(first, "id"))}/payments`, {
        token,
        ...named("one")
      })
      assert.strictEqual(payment.status, 201)
      assert.strictEqual(yield* ordersOf(token), 1)
    }).pipe(Effect.provide(Shop.layer))
  )

  it.live("that was refused made nothing, so that it may be mended under its name", () =>
    Effect.gen(function* () {
      const token = yield* Shop.logIn()
      const empty = yield* Shop.send("POST", "/api/orders", { token, body: { cart: "normal" }, ...named("one") })
      assert.deepStrictEqual(Shop.codeOf(empty), [422, "ORDER_LINES_INVALID"])
      assert.strictEqual((yield* Shop.send("POST", "/api/orders", { token, ...order, ...named("one") })).status, 201)
    }).pipe(Effect.provide(Shop.layer))
  )

  it.live("opens one transaction at the provider for all its twins, and is over when that is", () =>
    Effect.gen(function* () {
      const token = yield* Shop.logIn()
      const orderId = yield* Shop.placeOrder(token)
      const pay = Shop.send("POST", `/api/orders/${orderId}/payments`, { token, ...named("one") })
      const answers = yield* Effect.forEach(Array.from({ length: twinsCount }), () => pay, { concurrency: "unbounded" })
      assert.deepStrictEqual(
        new Set(answers.map((answer) => [answer.status, Shop.field(answer, "paymentId")].join(" "))).size,
        1,
        answers[0]?.text
      )
      assert.strictEqual(answers[0]?.status, 201)
      const tries = yield* Shop.send("GET", `/api/orders/${orderId}/payment`, { token })
      assert.lengthOf(Object.keys(Object(Shop.field(tries, "payments"))), 1)
      // A newer visit takes the place of this one.
      yield* Shop.send("POST", `/api/orders/${orderId}/payments`, { token })
      assert.deepStrictEqual(Shop.codeOf(yield* pay), [409, "PAYMENT_OVER"])
    }).pipe(Effect.provide(Shop.layer))
  )

  it.live("asks the provider again when it opened nothing the first time", () =>
    Effect.gen(function* () {
      const provider = yield* MemoryProvider.MemoryProvider
      const token = yield* Shop.logIn()
      const orderId = yield* Shop.placeOrder(token)
      const pay = Shop.send("POST", `/api/orders/${orderId}/payments`, { token, ...named("one") })
      yield* provider.nextAside({ _tag: "LoseAnswer" })
      assert.strictEqual((yield* pay).status, 503)
      const opened = yield* pay
      assert.strictEqual(opened.status, 201)
      assert.strictEqual(Shop.field(yield* pay, "paymentId"), Shop.field(opened, "paymentId"))
    }).pipe(Effect.provide(Shop.layer))
  )

  it.live("gives money back once for all its twins", () =>
    Effect.gen(function* () {
      const token = yield* Shop.logIn()
      const orderId = yield* Shop.placeOrder(token)
      yield* Shop.send("GET", (yield* Shop.approveAtProvider(token, orderId)).path)
      const lineId = Shop.field(yield* Shop.send("GET", `/api/orders/${orderId}`, { token }), "lines", 0, "id")
      const body = { lines: [{ lineId, quantity: 1 }], reason: "단순 변심" }
      const refund = Shop.send("POST", `/api/orders/${orderId}/refunds`, { token, body, ...named("one") })
      const answers = yield* Effect.forEach(Array.from({ length: twinsCount }), () => refund, {
        concurrency: "unbounded"
      })
      assert.deepStrictEqual(new Set(answers.map(({ status }) => status)), new Set([201]))
      const listed = yield* Shop.send("GET", `/api/orders/${orderId}/refunds`, { token })
      assert.lengthOf(Object.keys(Object(Shop.field(listed, "data"))), 1)
    }).pipe(Effect.provide(Shop.layer))
  )
})
