/** Many at once, over sockets, on MySQL and Redis: one winner where there must be one, and never a fault of ours. */
import * as App from "@pillivery/api-server/App"
import { ProviderClock } from "@pillivery/api-server/Provider"
import { Listening } from "@pillivery/api-server/Server"
import { settingsDefault } from "@pillivery/api-server/Settings"
import { assert, it } from "@effect/vitest"
import { Config, Effect, Layer, Redacted, References } from "effect"
import { randomUUID } from "node:crypto"
import { freshDatabase, send, signUpBody } from "./TestShop.ts"

const many = 64
const timeoutMillis = 120_000

const layer = Layer.unwrap(
  Effect.gen(function* () {
    const mysqlUrl = Redacted.make(yield* freshDatabase("races"))
    const redisUrl = Redacted.make(yield* Config.String("PILLIVERY_TEST_REDIS_URL"))
    return App.layer({
      ...settingsDefault,
      port: 0,
      stores: { _tag: "External", mysqlUrl, redisUrl },
      rateLimits: { ofAddress: null, ofUser: null }
    })
  })
).pipe(Layer.provide(Layer.succeed(References.MinimumLogLevel, "Error")))

const together = <A, E, R>(request: (index: number) => Effect.Effect<A, E, R>) =>
  Effect.forEach(Array.from({ length: many }).keys(), request, { concurrency: "unbounded" })

const countBy = (answers: ReadonlyArray<{ readonly status: number }>): Record<number, number> => {
  const counts: Record<number, number> = {}
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1
  return counts
}

let users = 0
const user = Effect.gen(function* () {
  const body = signUpBody(`user${10_000_000 + ++users}`)
  yield* send("POST", "/api/users", { body })
  const { json } = yield* send("POST", "/api/users/auth", { body: { email: body.email, password: body.password } })
  return { token: String(json["accessToken"]), refreshToken: String(json["refreshToken"]) }
})

const anItem = Effect.gen(function* () {
  const { text } = yield* send("GET", "/api/items/search?sort=PRICE_L&size=1")
  const found = /"id":"([^"]+)"/.exec(text)?.[1]
  return found ?? assert.fail("the catalogue is empty")
})

const requested = Effect.fnUntraced(function* (token: string, quantity: number) {
  const body = { lines: [{ itemId: yield* anItem, quantity }] }
  const order = yield* send("POST", "/api/orders", { token, body })
  const orderId = String(order.json["id"])
  const payment = yield* send("POST", `/api/orders/${orderId}/payments`, { token })
  const page = /"pc":"([^"]+)"/.exec(payment.text)?.[1] ?? ""
  return { orderId, page }
})

/** The customer approves at the provider; answers the address back to the shop, not yet opened. */
const approved = (page: string) =>
  Effect.promise(async () => {
    const back = await fetch(`${page}/approve`, { method: "POST", redirect: "manual" })
    return back.headers.get("location") ?? ""
  })

const captures = Effect.gen(function* () {
  const { simulatorUrl } = yield* ProviderClock
  const text = yield* Effect.promise(async () => (await fetch(`${simulatorUrl ?? ""}/control/ledger`)).text())
  return text.split('"kind":"capture"').length - 1
})

it.layer(layer, { excludeTestServices: true, timeout: timeoutMillis })(`${many} at once`, (it) => {
  it.effect("FC1: who sign up with one e-mail are one user", () =>
    Effect.gen(function* () {
      const answers = yield* together((index) =>
        send("POST", "/api/users", { body: signUpBody("same", `이름${20_000_000 + index}`) })
      )
      assert.deepStrictEqual(countBy(answers), { 201: 1, 409: many - 1 })
    })
  )

  it.effect("who come back from one payment see the same, and it is taken once", () =>
    Effect.gen(function* () {
      const { token } = yield* user
      const { orderId, page } = yield* requested(token, 1)
      const back = yield* approved(page)
      const before = yield* captures
      const answers = yield* together(() => send("GET", back))
      assert.deepStrictEqual(countBy(answers), { 200: many })
      assert.strictEqual(new Set(answers.map(({ text }) => text)).size, 1)
      assert.strictEqual((yield* captures) - before, 1)
      assert.strictEqual((yield* send("GET", `/api/orders/${orderId}`, { token })).json["state"], "Paid")
    })
  )

  it.effect("refunds of a unit give back what there is, and never more", () =>
    Effect.gen(function* () {
      const units = 5
      const { token } = yield* user
      const { orderId, page } = yield* requested(token, units)
      yield* send("GET", yield* approved(page))
      const order = yield* send("GET", `/api/orders/${orderId}`, { token })
      const lineId = /"lines":\[\{"id":"([^"]+)"/.exec(order.text)?.[1]
      const body = { lines: [{ lineId, quantity: 1 }], reason: "단순 변심" }
      const answers = yield* together(() => send("POST", `/api/orders/${orderId}/refunds`, { token, body }))
      const { 201: made = 0, 409: later = 0, 422: refused = 0 } = countBy(answers)
      assert.strictEqual(made + later + refused, many, JSON.stringify(countBy(answers)))
      assert.isAtMost(made, units)
      // Whoever was told to come again does.
      for (let unit = made; unit < units; unit++) {
        assert.strictEqual((yield* send("POST", `/api/orders/${orderId}/refunds`, { token, body })).status, 201)
      }
      assert.strictEqual((yield* send("POST", `/api/orders/${orderId}/refunds`, { token, body })).status, 422)
      const listed = yield* send("GET", `/api/orders/${orderId}/refunds`, { token })
      const amounts = [...listed.text.matchAll(/"amount":(\d+)/g)].map(([, amount]) => Number(amount))
      assert.lengthOf(amounts, units)
      assert.strictEqual(
        amounts.reduce((sum, amount) => sum + amount, 0),
        order.json["total"]
      )
    })
  )

  it.effect("FC4: who add to one cart find every unit in it that they were told of", () =>
    Effect.gen(function* () {
      const { token } = yield* user
      const body = { itemId: yield* anItem, quantity: 1 }
      const answers = yield* together(() => send("POST", "/api/carts/normal/items", { token, body }))
      const { 200: added = 0, 409: later = 0 } = countBy(answers)
      assert.strictEqual(added + later, many, JSON.stringify(countBy(answers)))
      assert.isAbove(added, 0)
      const cart = yield* send("GET", "/api/carts/normal", { token })
      assert.include(cart.text, `"quantity":${added}`)
    })
  )

  it.effect("who refresh one token get one successor", () =>
    Effect.gen(function* () {
      const { refreshToken } = yield* user
      const answers = yield* together(() => send("POST", "/api/users/auth/refresh", { body: { refreshToken } }))
      assert.deepStrictEqual(countBy(answers), { 200: many })
      assert.strictEqual(new Set(answers.map(({ json }) => json["refreshToken"])).size, 1)
      const next = String(answers[0]?.json["refreshToken"])
      assert.strictEqual((yield* send("POST", "/api/users/auth/refresh", { body: { refreshToken: next } })).status, 200)
    })
  )

  it.effect("orders under one name are one order", () =>
    Effect.gen(function* () {
      const { url } = yield* Listening
      const { token } = yield* user
      const body = JSON.stringify({ lines: [{ itemId: yield* anItem, quantity: 1 }] })
      const key = randomUUID()
      const answers = yield* together(() =>
        Effect.promise(async () => {
          const response = await fetch(`${url}/api/orders`, {
            method: "POST",
            headers: { "content-type": "application/json", authorization: `Bearer ${token}`, "idempotency-key": key },
            body
          })
          return { status: response.status, text: await response.text() }
        })
      )
      assert.deepStrictEqual(countBy(answers), { 201: many })
      assert.strictEqual(new Set(answers.map(({ text }) => text)).size, 1)
    })
  )
})
