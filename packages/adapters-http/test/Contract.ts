/** The endpoints as the contract has them, and a customer who can send what each of them wants. */
import { Api } from "@pillivery/adapters-http/api/Api"
import { InternalApi, ServiceAccess } from "@pillivery/adapters-http/api/Internal"
import { Authentication } from "@pillivery/adapters-http/api/Middleware"
import { registerEndpoint } from "@pillivery/application/Webhooks/Endpoints"
import { Effect } from "effect"
import { HttpApi } from "effect/http-api"
import * as Shop from "./Shop.ts"

/** One endpoint. */
export interface Endpoint {
  readonly id: string
  readonly method: string
  readonly path: string
  /** Who the contract lets in. */
  readonly guard: "token" | "service" | "nobody"
}

/** Every endpoint of the shop's contract, and of the one between our own processes. */
export const endpoints: ReadonlyArray<Endpoint> = (() => {
  const found: Array<Endpoint> = []
  const visit: Parameters<typeof HttpApi.reflect>[1] = {
    onGroup: () => undefined,
    onEndpoint: ({ endpoint, group, middleware }) => {
      const keys = new Set([...middleware].map(({ key }) => key))
      const guard = keys.has(Authentication.key) ? "token" : keys.has(ServiceAccess.key) ? "service" : "nobody"
      found.push({
        id: `${group.identifier}.${endpoint.identifier}`,
        method: endpoint.method,
        path: endpoint.path,
        guard
      })
    }
  }
  HttpApi.reflect(Api, visit)
  HttpApi.reflect(InternalApi, visit)
  return found
})()

const nobody = "01890a5d-ac96-774b-bcce-b302099a8057"

/** A customer with a paid and reviewed subscription, an order that is not paid, and something in the cart. */
export const customer = Effect.gen(function* () {
  const token = yield* Shop.logIn(1)
  const paid = yield* Shop.placeOrder(token, 30)
  const approval = yield* Shop.approveAtProvider(token, paid)
  yield* Shop.send("GET", approval.path)
  const page = yield* Shop.send("GET", "/api/subscriptions", { token })
  const unpaid = yield* Shop.placeOrder(token)
  const waiting = yield* Shop.approveAtProvider(token, unpaid)
  yield* Shop.send("POST", "/api/carts/normal/items", { token, body: { itemId: Shop.vitamin.id, quantity: 1 } })
  yield* Shop.deliver
  const told = yield* Shop.send("GET", "/api/users/me/notifications", { token })
  const { refreshToken } = yield* Shop.beginSession(1)
  const lines = yield* Shop.send("GET", `/api/orders/${paid}`, { token })
  const purchase = { orderId: paid, itemId: Shop.vitamin.id }
  const review = yield* Shop.send("POST", "/api/reviews", { token, body: { ...purchase, ...Shop.words } })
  const webhook = yield* registerEndpoint({
    url: "https://erp.example.com/hooks",
    description: "",
    tags: ["OrderPaid"]
  })
  const names: Readonly<Record<string, string>> = {
    orderId: paid,
    subscriptionId: String(Shop.field(page, "data", 0, "id")),
    paymentId: waiting.paymentId,
    itemId: Shop.vitamin.id,
    notificationId: encodeURIComponent(String(Shop.field(told, "data", 0, "id"))),
    reviewId: String(Shop.field(review, "id")),
    userId: nobody,
    webhookId: webhook.id,
    number: "1",
    kind: "normal"
  }
  const bodies: Readonly<Record<string, unknown>> = {
    "users.signUp": Shop.signUpBody(9),
    "users.logIn": { email: Shop.signUpBody(1).email, password: Shop.signUpBody(1).password },
    "users.refresh": { refreshToken },
    "users.changeMe": { displayName: "새 이름" },
    "admin.createItem": { name: "새 상품", brand: "온결바이오", originPrice: 1_000 },
    "admin.changeItem": { version: 0, originPrice: 12_000 },
    "admin.importItems": { key: "a", productName: "가져온 상품", brand: "온결바이오", originPrice: 1_000 },
    "admin.createWebhook": { url: "https://erp.example.com/hooks", events: ["OrderPaid"] },
    "admin.changeWebhook": { isActive: false },
    "admin.replayWebhook": { failed: true },
    "carts.addItem": { itemId: Shop.omega.id, quantity: 1 },
    "carts.changeLine": { quantity: 2 },
    "orders.place": { lines: [{ itemId: Shop.vitamin.id, quantity: 1 }] },
    "orders.requestRefund": {
      lines: [{ lineId: Shop.field(lines, "lines", 0, "id"), quantity: 1 }],
      reason: "단순 변심"
    },
    "subscriptions.requestRefund": { reason: "단순 변심" },
    "subscriptions.change": { quantity: 2 },
    "subscriptions.postpone": { days: 1 },
    "subscriptions.pause": { resumeOn: null },
    "reviews.write": { ...purchase, ...Shop.words },
    "reviews.edit": { stars: 4 },
    "sandbox.advanceClock": { days: 1 }
  }
  const bodyOf = ({ id }: Endpoint): unknown => bodies[id]
  const queries: Readonly<Record<string, string>> = { "admin.ordersToDeliver": "?paidAfter=2000-01-01T00:00:00Z" }
  const addressOf = ({ id, path }: Endpoint): string =>
    path.replaceAll(/:([A-Za-z]+)/g, (_, name: string) => names[name] ?? "") + (queries[id] ?? "")
  const call = (endpoint: Endpoint, sent: { readonly token?: string } = {}) => {
    const body = bodyOf(endpoint)
    return Shop.send(endpoint.method, addressOf(endpoint), { ...sent, ...(body === undefined ? {} : { body }) })
  }
  const read = Effect.forEach(
    [
      "/api/users/me",
      "/api/carts/normal",
      "/api/orders",
      "/api/subscriptions",
      `/api/orders/${paid}/refunds`,
      "/api/users/me/reviews",
      `/api/items/${Shop.vitamin.id}`
    ],
    (path) => Effect.map(Shop.send("GET", path, { token }), ({ text }) => text)
  )
  return { token, unpaid, bodyOf, addressOf, call, read }
})
