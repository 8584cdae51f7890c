import { assert, describe, it } from "@effect/vitest"
import { MemoryProvider } from "@pillivery/application/testing/MemoryProvider"
import { Effect } from "effect"
import * as Shop from "./Shop.ts"

describe("a purchase", () => {
  it.live("FC5: goes from sign-up over cart and order to a paid order, and empties the cart", () =>
    Effect.gen(function* () {
      const body = Shop.signUpBody()
      const user = yield* Shop.send("POST", "/api/users", { body })
      assert.strictEqual(user.status, 201)
      assert.notInclude(user.text, "password")
      const session = yield* Shop.send("POST", "/api/users/auth", {
        body: { email: body.email, password: body.password }
      })
      const token = String(Shop.field(session, "accessToken"))
      assert.strictEqual(Shop.field(session, "expiresInSeconds"), 1_800)
      assert.strictEqual(Shop.field(yield* Shop.send("GET", "/api/users/me", { token }), "email"), body.email)

      const found = yield* Shop.send(
        "GET",
        `/api/items/search?keyword=${encodeURIComponent("비타민")}&priceMax=9000&onSale=true`
      )
      assert.strictEqual(Shop.field(found, "pageInfo", "totalElements"), 1)
      const itemId = String(Shop.field(found, "data", 0, "id"))
      assert.strictEqual(Shop.field(yield* Shop.send("GET", `/api/items/${itemId}`), "price", "real"), 9_000)
      assert.strictEqual((yield* Shop.send("GET", "/api/items/main")).status, 200)
      assert.strictEqual((yield* Shop.send("GET", "/api/items/categories")).status, 200)

      yield* Shop.send("POST", "/api/carts/normal/items", { token, body: { itemId, quantity: 1 } })
      const changed = yield* Shop.send("PATCH", `/api/carts/normal/items/${itemId}`, { token, body: { quantity: 2 } })
      assert.strictEqual(Shop.field(changed, "total"), 18_000)

      const order = yield* Shop.send("POST", "/api/orders", { token, body: { cart: "normal" } })
      assert.strictEqual(order.status, 201)
      assert.strictEqual(Shop.field(order, "receiver", "realName"), "김민지")
      const orderId = String(Shop.field(order, "id"))
      const { path } = yield* Shop.approveAtProvider(token, orderId)
      const waiting = yield* Shop.send("GET", `/api/orders/${orderId}/payment`, { token })
      assert.strictEqual(Shop.field(waiting, "payments", 0, "state"), "waiting")
      const approved = yield* Shop.send("GET", path)
      assert.strictEqual(approved.status, 200)
      assert.strictEqual(Shop.field(approved, "amount"), 18_000)
      assert.strictEqual(Shop.field(yield* Shop.send("GET", `/api/orders/${orderId}`, { token }), "state"), "Paid")

      yield* Shop.deliver
      assert.deepStrictEqual(Shop.field(yield* Shop.send("GET", "/api/carts/normal", { token }), "lines"), [])
      const told = yield* Shop.send("GET", "/api/users/me/notifications", { token })
      assert.strictEqual(Shop.field(told, "data", 0, "kind"), "OrderPaid")
      assert.strictEqual(Shop.field(yield* Shop.send("GET", "/api/orders", { token }), "pageInfo", "totalElements"), 1)

      const lineId = Shop.field(order, "lines", 0, "id")
      const refund = yield* Shop.send("POST", `/api/orders/${orderId}/refunds`, {
        token,
        body: { lines: [{ lineId, quantity: 1 }], reason: "단순 변심" }
      })
      assert.strictEqual(refund.status, 201)
      assert.strictEqual(Shop.field(refund, "amount"), 9_000)
      yield* Shop.deliver
      const refunds = yield* Shop.send("GET", `/api/orders/${orderId}/refunds`, { token })
      assert.strictEqual(Shop.field(refunds, "data", 0, "state"), "Completed")
    }).pipe(Effect.provide(Shop.layer))
  )

  it.live("of a subscription shows its next date, its cycles, and its end", () =>
    Effect.gen(function* () {
      const token = yield* Shop.logIn()
      const { path } = yield* Shop.approveAtProvider(token, yield* Shop.placeOrder(token, 30))
      assert.strictEqual((yield* Shop.send("GET", path)).status, 200)
      const listed = yield* Shop.send("GET", "/api/subscriptions", { token })
      const id = String(Shop.field(listed, "data", 0, "id"))
      const subscription = yield* Shop.send("GET", `/api/subscriptions/${id}`, { token })
      assert.strictEqual(Shop.field(subscription, "state"), "Active")
      assert.isString(Shop.field(subscription, "nextDueDate"))
      const cycles = yield* Shop.send("GET", `/api/subscriptions/${id}/cycles`, { token })
      assert.strictEqual(Shop.field(cycles, "data", 0, "state"), "Due")
      const ended = yield* Shop.send("DELETE", `/api/subscriptions/${id}`, { token })
      assert.strictEqual(Shop.field(ended, "subscription", "cancelReason"), "owner")
    }).pipe(Effect.provide(Shop.layer))
  )
})

describe("the way back from the provider", () => {
  it.live("answers the same to everybody who opens it, and takes the money once", () =>
    Effect.gen(function* () {
      const token = yield* Shop.logIn()
      const { path } = yield* Shop.approveAtProvider(token, yield* Shop.placeOrder(token))
      const answers = yield* Effect.all(
        Array.from({ length: 8 }, () => Shop.send("GET", path)),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size, 1)
      assert.strictEqual(answers[0]?.status, 200)
      const movements = yield* (yield* MemoryProvider).movements
      assert.strictEqual(movements.length, 1)
    }).pipe(Effect.provide(Shop.layer))
  )

  it.live("refuses a forged token, and takes no money", () =>
    Effect.gen(function* () {
      const token = yield* Shop.logIn()
      const orderId = yield* Shop.placeOrder(token)
      const { path, paymentId } = yield* Shop.approveAtProvider(token, orderId)
      const forged = yield* Shop.send("GET", `/api/payments/${paymentId}/approve?pg_token=forged`)
      assert.strictEqual(forged.status, 422)
      assert.strictEqual(Shop.field(forged, "code"), "APPROVAL_NOT_ACCEPTED")
      assert.strictEqual((yield* (yield* MemoryProvider).movements).length, 0)
      assert.strictEqual((yield* Shop.send("GET", path)).status, 200)
    }).pipe(Effect.provide(Shop.layer))
  )

  it.live("is not opened by HEAD, and wants a token", () =>
    Effect.gen(function* () {
      const token = yield* Shop.logIn()
      const { path, paymentId } = yield* Shop.approveAtProvider(token, yield* Shop.placeOrder(token))
      const head = yield* Shop.send("HEAD", path)
      assert.strictEqual(head.status, 405)
      assert.strictEqual(head.headers.get("allow"), "GET")
      const bare = yield* Shop.send("GET", `/api/payments/${paymentId}/approve`)
      assert.strictEqual(bare.status, 400)
      assert.strictEqual(Shop.field(bare, "errors", 0, "pointer"), "/query/pg_token")
      assert.strictEqual((yield* (yield* MemoryProvider).movements).length, 0)
    }).pipe(Effect.provide(Shop.layer))
  )

  it.live("tells that a payment is left, and that there is none", () =>
    Effect.gen(function* () {
      const token = yield* Shop.logIn()
      const orderId = yield* Shop.placeOrder(token)
      const requested = yield* Shop.send("POST", `/api/orders/${orderId}/payments`, { token })
      const left = yield* Shop.send("GET", `/api/payments/${String(Shop.field(requested, "paymentId"))}/cancel`)
      assert.strictEqual(left.status, 200)
      assert.strictEqual(Shop.field(left, "orderId"), orderId)
      const none = yield* Shop.send("GET", `/api/payments/${orderId}/fail`)
      assert.strictEqual(Shop.field(none, "code"), "PAYMENT_NOT_FOUND")
    }).pipe(Effect.provide(Shop.layer))
  )

  it.live("answers 409 with Retry-After while the outcome is unknown, and the order cannot be paid twice", () =>
    Effect.gen(function* () {
      const token = yield* Shop.logIn()
      const orderId = yield* Shop.placeOrder(token)
      const { path } = yield* Shop.approveAtProvider(token, orderId)
      const provider = yield* MemoryProvider
      yield* provider.failLookups(true)
      yield* provider.next({ _tag: "LoseAnswer" })
      const lost = yield* Shop.send("GET", path)
      assert.strictEqual(lost.status, 409)
      assert.strictEqual(Shop.field(lost, "code"), "PAYMENT_IN_PROGRESS")
      assert.strictEqual(lost.headers.get("retry-after"), String(Shop.field(lost, "retryAfterSeconds")))
      const again = yield* Shop.send("POST", `/api/orders/${orderId}/payments`, { token })
      assert.strictEqual(again.status, 409)
      const state = yield* Shop.send("GET", `/api/orders/${orderId}/payment`, { token })
      assert.strictEqual(Shop.field(state, "payments", 0, "state"), "inDoubt")
      yield* provider.failLookups(false)
      assert.strictEqual((yield* Shop.send("GET", path)).status, 200)
      assert.strictEqual((yield* provider.movements).length, 1)
    }).pipe(Effect.provide(Shop.layer))
  )
})
