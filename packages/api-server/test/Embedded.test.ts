import * as ShopClient from "@pillivery/adapters-http/client"
import * as Embedded from "@pillivery/api-server/Embedded"
import { ProviderClock } from "@pillivery/api-server/Provider"
import { Listening } from "@pillivery/api-server/Server"
import { assert, describe, it } from "@effect/vitest"
import { DeliveryPeriod } from "@pillivery/domain/DeliveryPeriod"
import { Quantity } from "@pillivery/domain/Quantity"
import { Effect, Redacted } from "effect"
import { FetchHttpClient } from "effect/http"
import { randomUUID } from "node:crypto"
import { connect } from "node:net"

const password = Redacted.make("correct-horse-7!")

const signUp = (seed: number) => ({
  email: `user${seed}@example.com`,
  password,
  displayName: `사용자${seed}`,
  realName: "김민지",
  phone: `010-1234-${1_000 + seed}`,
  address: { city: "서울특별시 마포구", detail: "월드컵로 1" }
})

const logIn = Effect.fnUntraced(function* (seed: number) {
  const { url } = yield* Listening
  const anonymous = yield* ShopClient.make({ baseUrl: url })
  const user = yield* anonymous.users.signUp({ payload: signUp(seed) })
  const session = yield* anonymous.users.logIn({ payload: { email: user.email, password } })
  return yield* ShopClient.make({ baseUrl: url, token: Effect.succeed(Redacted.make(session.accessToken)) })
})

/** What the customer's browser does: presses the provider's button and follows it back to the shop. */
const approveInBrowser = (page: string) =>
  Effect.promise(async () => {
    const back = await fetch(`${page}/approve`, { method: "POST" })
    return { status: back.status, body: await back.text(), url: back.url }
  })

/** Sends bytes and answers what comes back until the other side closes. */
const speak = (url: string, bytes: string) =>
  Effect.callback<string>((resume) => {
    const { hostname, port } = new URL(url)
    const socket = connect(Number(port), hostname, () => socket.write(bytes))
    let answer = ""
    socket.on("data", (chunk) => (answer += String(chunk)))
    socket.on("error", () => undefined)
    socket.on("close", () => resume(Effect.succeed(answer)))
  })

const named = () => ({ "idempotency-key": randomUUID() })

it.layer(Embedded.layer(), { excludeTestServices: true, timeout: "30 seconds" })("the embedded shop", (it) => {
  it.effect("sells a subscription, renews it when its day has come, and ends it", () =>
    Effect.gen(function* () {
      const client = yield* logIn(1)
      const { data } = yield* client.items.search({ query: { sort: "PRICE_L", size: 2 } })
      const [item] = data
      if (item === undefined) return assert.fail("the catalogue is empty")
      yield* client.carts.addItem({
        params: { kind: "subscription" },
        payload: { itemId: item.id, quantity: Quantity.make(2), period: DeliveryPeriod.make(30) }
      })
      const order = yield* client.orders.place({ headers: named(), payload: { cart: "subscription" } })
      assert.strictEqual(order.total, item.price.real * 2)
      const payment = yield* client.orders.requestPayment({ headers: named(), params: { orderId: order.id } })
      const back = yield* approveInBrowser(payment.redirectUrls.pc)
      assert.strictEqual(back.status, 200)

      // Opening the way back again answers the same.
      const again = yield* Effect.promise(async () => (await fetch(back.url)).text())
      assert.strictEqual(again, back.body)

      const drained = yield* client.sandbox.drain()
      assert.deepStrictEqual({ pending: drained.pending, dead: drained.dead }, { pending: 0, dead: 0 })
      assert.strictEqual((yield* client.orders.get({ params: { orderId: order.id } })).state, "Paid")
      assert.deepStrictEqual((yield* client.carts.get({ params: { kind: "subscription" } })).lines, [])
      assert.strictEqual((yield* client.items.get({ params: { itemId: item.id } })).sales, 2)

      const before = yield* client.subscriptions.list({ query: {} })
      const [subscription] = before.data
      if (subscription === undefined) return assert.fail("there is no subscription")
      yield* client.sandbox.advanceClock({ payload: { days: 30 } })
      const report = yield* client.sandbox.runBilling()
      assert.strictEqual(report.date, subscription.nextDueDate)
      const cycles = yield* client.subscriptions.cycles({ params: { subscriptionId: subscription.id }, query: {} })
      // At night the provider's banks check their books, and nothing is charged: then it is still due.
      assert.include(["Charged", "Due"], cycles.data.at(-1)?.state)

      const ended = yield* client.subscriptions.cancel({ params: { subscriptionId: subscription.id } })
      assert.strictEqual(ended.subscription.state, "Cancelled")
    }).pipe(Effect.provide(FetchHttpClient.layer))
  )

  it.effect("moves the provider's clock with its own", () =>
    Effect.gen(function* () {
      const client = yield* logIn(2)
      const { simulatorUrl } = yield* ProviderClock
      const { now } = yield* client.sandbox.advanceClock({ payload: { hours: 5, minutes: 30 } })
      const theirs = yield* Effect.promise(async () => {
        const clock: unknown = await (await fetch(`${simulatorUrl ?? ""}/control/clock`)).json()
        return typeof clock === "object" && clock !== null && "nowMillis" in clock ? Number(clock.nowMillis) : 0
      })
      assert.isBelow(Math.abs(theirs - now.epochMilliseconds), 5_000)
    }).pipe(Effect.provide(FetchHttpClient.layer))
  )

  it.effect("tells a typed client what was refused, and why", () =>
    Effect.gen(function* () {
      const { url } = yield* Listening
      const client = yield* logIn(3)
      const refused = yield* Effect.flip(client.orders.place({ headers: named(), payload: { cart: "normal" } }))
      assert(refused._tag === "Unprocessable")
      assert.strictEqual(refused.code, "ORDER_LINES_INVALID")
      const anonymous = yield* ShopClient.make({ baseUrl: url })
      assert.strictEqual((yield* Effect.flip(anonymous.users.me()))._tag, "Unauthorized")
      const taken = yield* Effect.flip(anonymous.users.signUp({ payload: { ...signUp(3), phone: "010-0000-0000" } }))
      assert(taken._tag === "Conflict")
      assert.deepStrictEqual(
        taken.errors?.map(({ pointer }) => pointer),
        ["/email"]
      )
    }).pipe(Effect.provide(FetchHttpClient.layer))
  )

  it.effect("reads no more of a body than it may, and closes the connection", () =>
    Effect.gen(function* () {
      const { url } = yield* Listening
      const head = "POST /api/users HTTP/1.1\r\nhost: shop\r\ncontent-type: application/json\r\n"
      const told = yield* speak(url, `${head}content-length: 99999999\r\n\r\n{`)
      assert.match(told, /^HTTP\/1\.1 413 /)
      assert.include(told, "BODY_TOO_LARGE")
      const chunk = "x".repeat(65_536)
      const chunked = `${head}transfer-encoding: chunked\r\n\r\n${`10000\r\n${chunk}\r\n`.repeat(8)}`
      assert.match(yield* speak(url, chunked), /^HTTP\/1\.1 413 /)
    })
  )

  it.effect("survives nonsense on the wire", () =>
    Effect.gen(function* () {
      const { url } = yield* Listening
      assert.match(yield* speak(url, "NONSENSE\r\n\r\n"), /^HTTP\/1\.1 400 /)
      const odd = [
        "/%",
        "/api/items/%ff",
        `/${"a".repeat(5_000)}`,
        "//",
        "/api/orders?page=%00",
        "/api/payments/x/approve?pg_token=a&pg_token=b"
      ]
      for (const path of odd) {
        const answer = yield* speak(url, `GET ${path} HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n\r\n`)
        assert.match(answer, /^HTTP\/1\.1 4\d\d /, path)
        assert.include(answer, "application/problem+json", path)
      }
    })
  )
})

describe("the embedded shop, twice", () => {
  it.live("is two shops", () =>
    Effect.gen(function* () {
      const url = Effect.map(Listening, (listening) => listening.url)
      const [one, two] = yield* Effect.all([
        url.pipe(Effect.provide(Embedded.layer())),
        url.pipe(Effect.provide(Embedded.layer()))
      ])
      assert.notStrictEqual(one, two)
    })
  )
})
