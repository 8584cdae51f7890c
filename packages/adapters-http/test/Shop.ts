/** The whole HTTP side over a shop in memory and a provider in memory, answering requests without a socket. */
import * as Mailer from "@pillivery/adapters-memory/Mailer"
import * as Memory from "@pillivery/adapters-memory/Memory"
import * as HttpShop from "@pillivery/adapters-http/HttpShop"
import { Readiness, Sandbox } from "@pillivery/adapters-http/Operations"
import * as RefreshTokens from "@pillivery/adapters-http/RefreshTokens"
import * as Sealer from "@pillivery/adapters-http/Sealer"
import * as SocialIdentity from "@pillivery/adapters-http/SocialIdentity"
import * as WebhookSender from "@pillivery/adapters-http/WebhookSender"
import * as TokenSigner from "@pillivery/adapters-http/TokenSigner"
import * as HotLists from "@pillivery/application/Catalogue/HotLists"
import * as Views from "@pillivery/application/Catalogue/Views"
import { drain } from "@pillivery/application/Events/Relay"
import { CallbackUrls } from "@pillivery/application/Payments/CallbackUrls"
import { reconcile } from "@pillivery/application/Payments/Reconcile"
import * as MoneyCalls from "@pillivery/application/Payments/MoneyCalls"
import { ItemRepository } from "@pillivery/application/ports/ItemRepository"
import { chargeCycle } from "@pillivery/application/Billing/ChargeCycle"
import type { CycleKey } from "@pillivery/application/ports/BillingLedger"
import { BusinessClock } from "@pillivery/application/ports/BusinessClock"
import { OrderRepository } from "@pillivery/application/ports/OrderRepository"
import { SubscriptionRepository } from "@pillivery/application/ports/SubscriptionRepository"
import { PasswordHasher } from "@pillivery/application/ports/PasswordHasher"
import * as MemoryProvider from "@pillivery/application/testing/MemoryProvider"
import * as BusinessDate from "@pillivery/domain/BusinessDate"
import { grantAdmin } from "@pillivery/application/Users/GrantAdmin"
import { Email } from "@pillivery/domain/Email"
import * as Item from "@pillivery/domain/Item"
import { OrderId, SubscriptionId } from "@pillivery/domain/Ids"
import { TransactionId } from "@pillivery/domain/Provider"
import { Rate } from "@pillivery/domain/Rate"
import * as Fixtures from "@pillivery/domain/testing/Fixtures"
import { Won } from "@pillivery/domain/Won"
import { Context, Duration, Effect, Layer, Option, Redacted, Schema, Struct } from "effect"
import { HttpRouter, HttpServer } from "effect/http"
import { randomUUID } from "node:crypto"
import { record } from "./Recorder.ts"
import * as RateLimiter from "effect/persistence/RateLimiter"

/** What came back. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** The body as JSON; `{}` where there is none. */
  readonly json: Record<string, unknown>
}

/** What is sent beside method and path. */
export interface Sent {
  readonly token?: string
  readonly body?: unknown
  readonly rawBody?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** A shop to send requests to. */
export class Shop extends Context.Service<
  Shop,
  { readonly send: (method: string, path: string, sent?: Sent) => Effect.Effect<Answer> }
>()("test/Shop") {}

export const secret = "a secret of the tests, with more than thirty-two bytes"

const priced = (seed: number, origin: number, productName: string) => {
  const item = Fixtures.item({ id: Fixtures.anyItemId(seed) })
  return Item.relabel(
    Item.reprice(item, Won.make(origin), Rate.make(100)),
    new Item.Information({ ...item.information, productName })
  )
}

export const vitamin = priced(1, 10_000, "비타민 C 1000")
export const omega = priced(2, 20_000, "오메가3")

// As slow as it must be elsewhere, and instant here.
const hasher = Layer.succeed(PasswordHasher, {
  hash: (password) => Effect.succeed(Redacted.make(`hash of ${Redacted.value(password)}`)),
  verify: (password, hash) =>
    Effect.succeed(hash !== null && Redacted.value(hash) === `hash of ${Redacted.value(password)}`)
})

const world = Layer.mergeAll(
  MoneyCalls.layer,
  hasher,
  TokenSigner.layer([{ id: "1", secret: Redacted.make(secret) }]),
  RefreshTokens.layer,
  Sealer.layer([{ id: "1", secret: Redacted.make(secret) }]),
  SocialIdentity.layerNone,
  WebhookSender.layer({ isLoopbackAllowed: false }),
  HotLists.layer,
  Views.layer,
  RateLimiter.layer.pipe(Layer.provide(RateLimiter.layerStoreMemory)),
  Layer.effectDiscard(Effect.flatMap(ItemRepository, (items) => items.insert([vitamin, omega]))),
  Layer.succeed(Readiness, { check: Effect.succeed({ isReady: true, checks: [] }) }),
  Layer.succeed(Sandbox, { controls: null }),
  Layer.succeed(CallbackUrls, { of: (id, way) => `http://shop.test/api/payments/${id}/${way}` })
).pipe(Layer.provideMerge(Layer.mergeAll(Memory.layer, Mailer.layer, MemoryProvider.layer)))

const JsonObject = Schema.fromJsonString(Schema.Record(Schema.String, Schema.Unknown))
const parse = (text: string): Record<string, unknown> => {
  try {
    return Schema.decodeUnknownSync(JsonObject)(text)
  } catch {
    return {}
  }
}

type World = Layer.Success<typeof world>

/** The shop with some of its services replaced. */
export const layerWith = <A>(changed: Layer.Layer<A, never, World>) =>
  Layer.effect(
    Shop,
    Effect.gen(function* () {
      const services = yield* Effect.context<World>()
      const { dispose, handler } = HttpRouter.toWebHandler(
        HttpShop.layer.pipe(
          Layer.provideMerge(Layer.succeedContext(services)),
          Layer.provide(HttpServer.layerServices)
        ),
        { disableLogger: true }
      )
      yield* Effect.addFinalizer(() => Effect.promise(dispose))
      return Shop.of({
        send: (method, path, sent = {}) =>
          Effect.promise(async () => {
            const body = sent.rawBody ?? (sent.body === undefined ? undefined : JSON.stringify(sent.body))
            const headers = {
              ...(sent.body === undefined ? {} : { "content-type": "application/json" }),
              ...(sent.token === undefined ? {} : { authorization: `Bearer ${sent.token}` }),
              ...(method === "POST" ? { "idempotency-key": randomUUID() } : {}),
              ...sent.headers
            }
            const response = await handler(
              new Request(`http://shop.test${path}`, { method, headers, ...(body === undefined ? {} : { body }) })
            )
            const text = await response.text()
            record({
              method,
              path,
              request: { headers, body: body ?? null },
              response: { status: response.status, headers: Object.fromEntries(response.headers), body: text }
            })
            return { status: response.status, headers: response.headers, text, json: parse(text) }
          })
      })
    })
  ).pipe(Layer.provideMerge(Layer.provideMerge(changed, world)))

/** The shop. */
export const layer = layerWith(Layer.empty)

/** Sends a request. */
export const send = (method: string, path: string, sent?: Sent) =>
  Effect.flatMap(Shop, (service) => service.send(method, path, sent))

/** The status of an answer and the code of its problem, if it is one. */
export const codeOf = (answer: Answer) => [answer.status, field(answer, "code")]

/** A field of an answer, by its path. */
export const field = (answer: Answer, ...path: ReadonlyArray<string | number>): unknown => {
  let value: unknown = answer.json
  for (const key of path)
    value = typeof value === "object" && value !== null ? Struct.get(Object(value), String(key)) : undefined
  return value
}

const text = (answer: Answer, ...path: ReadonlyArray<string | number>): string => String(field(answer, ...path))

/** What a person types to become a user; a seed makes another one. */
export const signUpBody = (seed = 1) => ({
  email: `user${seed}@example.com`,
  password: "correct-horse-7!",
  displayName: `사용자${seed}`,
  realName: "김민지",
  phone: `010-1234-${1_000 + seed}`,
  address: { city: "서울특별시 마포구", detail: "월드컵로 1" }
})

/** Signs up and logs in; answers the token. */
export const logIn = Effect.fnUntraced(function* (seed = 1) {
  yield* send("POST", "/api/users", { body: signUpBody(seed) })
  return yield* logInAgain(seed)
})

/** Logs in who has signed up; answers the token. */
export const logInAgain = (seed: number) => Effect.map(beginSession(seed), ({ accessToken }) => accessToken)

/** Logs in who has signed up; answers both tokens. */
export const beginSession = Effect.fnUntraced(function* (seed: number) {
  const { email, password } = signUpBody(seed)
  const session = yield* send("POST", "/api/users/auth", { body: { email, password } })
  return { accessToken: text(session, "accessToken"), refreshToken: text(session, "refreshToken") }
})

/** Signs up a user who runs the shop, and logs it in; answers its token. */
export const asAdmin = Effect.gen(function* () {
  yield* logIn(1)
  yield* grantAdmin(Email.make(signUpBody(1).email))
  return yield* logInAgain(1)
})

/** Places an order of two units; answers its id. */
export const placeOrder = Effect.fnUntraced(function* (token: string, period?: number) {
  const line = { itemId: vitamin.id, quantity: 2, ...(period === undefined ? {} : { period }) }
  return text(yield* send("POST", "/api/orders", { token, body: { lines: [line] } }), "id")
})

/** Requests a payment and approves it as the customer at the provider; answers the way back. */
export const approveAtProvider = Effect.fnUntraced(function* (token: string, orderId: string) {
  const provider = yield* MemoryProvider.MemoryProvider
  const requested = yield* send("POST", `/api/orders/${orderId}/payments`, { token })
  const transactionId = text(requested, "redirectUrls", "pc").replace("memory:", "")
  const approvalToken = yield* provider.approveAsCustomer(TransactionId.make(transactionId))
  const paymentId = text(requested, "paymentId")
  return { paymentId, path: `/api/payments/${paymentId}/approve?pg_token=${encodeURIComponent(approvalToken)}` }
})

/** What a person says of an item. */
export const words = { stars: 5, content: "눈이 한결 편해졌어요." }

/** Delivers every event. */
export const deliver = drain()

/** The state of the subscription that began with the first line of an order, whoever owns it. */
export const subscriptionState = Effect.fnUntraced(function* (orderId: string) {
  const order = Option.getOrThrow(yield* (yield* OrderRepository).findById(OrderId.make(orderId)))
  const [line] = order.lines
  if (line === undefined) return null
  const found = yield* (yield* SubscriptionRepository).findById(SubscriptionId.make(line.id))
  return Option.isSome(found) ? found.value._tag : null
})

/** Somebody who from some moment on is always first. */
export class Rivals extends Context.Service<Rivals, { readonly come: Effect.Effect<void> }>()("test/Rivals") {}

/** Lets an hour pass, and brings to an end what is in doubt. */
export const settle = Effect.gen(function* () {
  yield* (yield* BusinessClock).advance(Duration.hours(1))
  yield* reconcile()
})

const millisPerDay = 86_400_000
const noonInKorea = 3 * 3_600_000

/** Lets days pass until noon in Korea, since at night banks check their books, and charges a delivery that is due. */
export const chargeAfter = Effect.fnUntraced(function* (days: number, cycle: CycleKey) {
  const clock = yield* BusinessClock
  const { epochMilliseconds } = yield* clock.now
  const untilNoon = (noonInKorea - (epochMilliseconds % millisPerDay) + millisPerDay) % millisPerDay
  yield* clock.advance(Duration.millis(days * millisPerDay + untilNoon))
  return yield* chargeCycle(cycle, { date: BusinessDate.fromInstant(yield* clock.now) })
})
