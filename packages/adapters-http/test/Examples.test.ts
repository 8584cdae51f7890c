/** Answers that no other test comes by: each is an example of the reference, too. */
import { assert, describe, it } from "@effect/vitest"
import * as MemoryProvider from "@pillivery/application/testing/MemoryProvider"
import { CartStore } from "@pillivery/application/ports/CartStore"
import { IdempotencyStore } from "@pillivery/application/ports/IdempotencyStore"
import { ItemRepository } from "@pillivery/application/ports/ItemRepository"
import { OrderRepository } from "@pillivery/application/ports/OrderRepository"
import { ReviewRepository } from "@pillivery/application/ports/ReviewRepository"
import { AlreadyExists, StaleWrite } from "@pillivery/application/ports/StorageError"
import { SubscriptionRepository } from "@pillivery/application/ports/SubscriptionRepository"
import { UserRepository } from "@pillivery/application/ports/UserRepository"
import { SubscriptionId } from "@pillivery/domain/Ids"
import { wonMax } from "@pillivery/domain/Won"
import { Effect, Layer } from "effect"
import * as Shop from "./Shop.ts"

const nowhere = "01890a5d-ac96-774b-bcce-b302099a8057"
const subscribed = Effect.fnUntraced(function* (token: string) {
  const orderId = yield* Shop.placeOrder(token, 30)
  yield* Shop.send("GET", (yield* Shop.approveAtProvider(token, orderId)).path)
  const page = yield* Shop.send("GET", "/api/subscriptions", { token })
  return { orderId, path: `/api/subscriptions/${String(Shop.field(page, "data", 0, "id"))}` }
})

describe("what is not there", () => {
  it.live("is told of in the words of each place", () =>
    Effect.gen(function* () {
      const token = yield* Shop.asAdmin
      const told = (method: string, path: string, body?: unknown) =>
        Effect.map(Shop.send(method, path, { token, ...(body === undefined ? {} : { body }) }), Shop.codeOf)
      assert.deepStrictEqual(yield* told("GET", `/api/admin/items/${nowhere}`), [404, "ITEM_NOT_FOUND"])
      assert.deepStrictEqual(yield* told("GET", `/api/payments/${nowhere}/approve?pg_token=abc`), [
        404,
        "PAYMENT_NOT_FOUND"
      ])
      assert.deepStrictEqual(yield* told("GET", `/api/payments/${nowhere}/cancel`), [404, "PAYMENT_NOT_FOUND"])
      assert.deepStrictEqual(yield* told("GET", `/api/payments/${nowhere}/fail`), [404, "PAYMENT_NOT_FOUND"])
      assert.deepStrictEqual(yield* told("PATCH", `/api/carts/normal/items/${nowhere}`, { quantity: 1 }), [
        404,
        "CART_LINE_NOT_FOUND"
      ])
      const broken = yield* Shop.send("POST", "/api/admin/items/import", {
        token,
        rawBody: 'key,productName\na,"no end',
        headers: { "content-type": "text/csv" }
      })
      assert.deepStrictEqual(Shop.codeOf(broken), [422, "FILE_UNREADABLE"])
    }).pipe(Effect.provide(Shop.layer))
  )
})

describe("an amount that is too large", () => {
  it.live("F27: is refused wherever it would come about, and nothing is charged", () =>
    Effect.gen(function* () {
      const token = yield* Shop.asAdmin
      const dear = { originPrice: wonMax, discountPercent: 0 }
      yield* Shop.send("POST", "/api/carts/normal/items", { token, body: { itemId: Shop.vitamin.id, quantity: 2 } })
      yield* Shop.send("POST", "/api/carts/normal/items", { token, body: { itemId: Shop.omega.id, quantity: 1 } })
      yield* Shop.send("PATCH", `/api/admin/items/${Shop.vitamin.id}`, { token, body: { version: 0, ...dear } })
      const tooLarge = [422, "AMOUNT_OUT_OF_RANGE"]
      const line = `/api/carts/normal/items/${Shop.vitamin.id}`
      assert.deepStrictEqual(Shop.codeOf(yield* Shop.send("GET", "/api/carts/normal", { token })), tooLarge)
      assert.deepStrictEqual(Shop.codeOf(yield* Shop.send("PATCH", line, { token, body: { quantity: 3 } })), tooLarge)
      assert.deepStrictEqual(
        Shop.codeOf(yield* Shop.send("DELETE", `/api/carts/normal/items/${Shop.omega.id}`, { token })),
        tooLarge
      )
      assert.deepStrictEqual(
        Shop.codeOf(yield* Shop.send("POST", "/api/orders", { token, body: { cart: "normal" } })),
        tooLarge
      )
      const lines = [{ itemId: Shop.vitamin.id, quantity: 1, period: 30 }]
      const order = yield* Shop.send("POST", "/api/orders", { token, body: { lines } })
      yield* Shop.send("GET", (yield* Shop.approveAtProvider(token, String(Shop.field(order, "id")))).path)
      const page = yield* Shop.send("GET", "/api/subscriptions", { token })
      const path = `/api/subscriptions/${String(Shop.field(page, "data", 0, "id"))}`
      assert.deepStrictEqual(Shop.codeOf(yield* Shop.send("PATCH", path, { token, body: { quantity: 2 } })), tooLarge)
    }).pipe(Effect.provide(Shop.layer))
  )
})

describe("a name of a request", () => {
  it.live("is for one order's payment, and for one subscription's registration", () =>
    Effect.gen(function* () {
      const token = yield* Shop.logIn()
      const headers = { "idempotency-key": "8f14e45f-ceea-467f-9b2d-2c3a1d7b9e10" }
      const [one, two] = [yield* Shop.placeOrder(token), yield* Shop.placeOrder(token)]
      yield* Shop.send("POST", `/api/orders/${one}/payments`, { token, headers })
      const other = yield* Shop.send("POST", `/api/orders/${two}/payments`, { token, headers })
      assert.deepStrictEqual(Shop.codeOf(other), [422, "IDEMPOTENCY_KEY_REUSED"])
    }).pipe(Effect.provide(Shop.layer))
  )
})

describe("a subscription", () => {
  it.live("F3: whose first payment gave no billing key is registered by its owner", () =>
    Effect.gen(function* () {
      const provider = yield* MemoryProvider.MemoryProvider
      const token = yield* Shop.logIn()
      const headers = { "idempotency-key": "8f14e45f-ceea-467f-9b2d-2c3a1d7b9e10" }
      const register = (path: string) => Shop.send("POST", `${path}/billing-key`, { token, headers })
      const orderId = yield* Shop.placeOrder(token, 30)
      const approval = yield* Shop.approveAtProvider(token, orderId)
      // The answer that would have brought the key is lost; the provider tells later that it was paid, and not the key.
      yield* provider.next({ _tag: "LoseAnswer" })
      yield* Shop.send("GET", approval.path)
      yield* Shop.settle
      const page = yield* Shop.send("GET", "/api/subscriptions", { token })
      assert.strictEqual(Shop.field(page, "data", 0, "state"), "AwaitingBillingKey", page.text)
      const path = `/api/subscriptions/${String(Shop.field(page, "data", 0, "id"))}`
      assert.strictEqual((yield* register(path)).status, 201)
      const other = yield* subscribed(token)
      assert.deepStrictEqual(Shop.codeOf(yield* register(other.path)), [422, "IDEMPOTENCY_KEY_REUSED"])
    }).pipe(Effect.provide(Shop.layer))
  )

  it.live("that has ended is not paused", () =>
    Effect.gen(function* () {
      const token = yield* Shop.logIn()
      const { path } = yield* subscribed(token)
      yield* Shop.send("DELETE", path, { token })
      const refused = yield* Shop.send("POST", `${path}/pause`, { token, body: { resumeOn: null } })
      assert.deepStrictEqual(Shop.codeOf(refused), [409, "SUBSCRIPTION_STATE"])
      const postponed = yield* Shop.send("POST", `${path}/postpone`, { token, body: { days: 1 } })
      assert.deepStrictEqual(Shop.codeOf(postponed), [409, "SUBSCRIPTION_STATE"])
    }).pipe(Effect.provide(Shop.layer))
  )
})

// -----------------------------------------------------------------------------
// rivals
// -----------------------------------------------------------------------------

const stale = () => Effect.fail(new StaleWrite({ entity: "row", id: "x" }))

/** A shop in which from some moment on somebody else is always first. */
const layerWithRivals = Layer.unwrap(
  Effect.sync(() => {
    let areThere = false
    const unlessThere =
      <A, E, R, Args extends ReadonlyArray<unknown>>(write: (...args: Args) => Effect.Effect<A, E, R>) =>
      (...args: Args): Effect.Effect<A, E | StaleWrite, R> =>
        Effect.suspend((): Effect.Effect<A, E | StaleWrite, R> => (areThere ? stale() : write(...args)))
    const changed = Layer.mergeAll(
      Layer.effect(
        CartStore,
        Effect.map(CartStore, (real) => ({ ...real, save: unlessThere(real.save) }))
      ),
      Layer.effect(
        ItemRepository,
        Effect.map(ItemRepository, (real) => ({ ...real, update: unlessThere(real.update) }))
      ),
      Layer.effect(
        OrderRepository,
        Effect.map(OrderRepository, (real) => ({ ...real, update: unlessThere(real.update) }))
      ),
      Layer.effect(
        ReviewRepository,
        Effect.map(ReviewRepository, (real) => ({ ...real, update: unlessThere(real.update) }))
      ),
      Layer.effect(
        SubscriptionRepository,
        Effect.map(SubscriptionRepository, (real) => ({ ...real, update: unlessThere(real.update) }))
      ),
      Layer.effect(
        UserRepository,
        Effect.map(UserRepository, (real) => ({ ...real, update: unlessThere(real.update) }))
      ),
      Layer.effect(
        IdempotencyStore,
        Effect.map(IdempotencyStore, (real) => ({
          ...real,
          bind: (...args: Parameters<typeof real.bind>) =>
            Effect.suspend(() =>
              areThere ? Effect.fail(new AlreadyExists({ entity: "idempotencyKey", key: "x" })) : real.bind(...args)
            )
        }))
      ),
      Layer.succeed(Shop.Rivals, { come: Effect.sync(() => void (areThere = true)) })
    )
    return Shop.layerWith(changed)
  })
)

describe("a change for which somebody else is always first", () => {
  it.live("is given up, and may be tried again", () =>
    Effect.gen(function* () {
      const token = yield* Shop.asAdmin
      const { orderId, path } = yield* subscribed(token)
      yield* Shop.send("POST", "/api/carts/normal/items", { token, body: { itemId: Shop.vitamin.id, quantity: 1 } })
      const purchase = { orderId, itemId: Shop.vitamin.id }
      const review = yield* Shop.send("POST", "/api/reviews", { token, body: { ...purchase, ...Shop.words } })
      const reviewPath = `/api/reviews/${String(Shop.field(review, "id"))}`
      const line = { key: "a", productName: "상품", brand: "온결바이오", originPrice: 1_000 }
      const file = (changed: object) => ({
        rawBody: JSON.stringify({ ...line, ...changed }),
        headers: { "content-type": "application/x-ndjson" }
      })
      yield* Shop.send("POST", "/api/admin/items/import", { token, ...file({}) })
      yield* Shop.chargeAfter(30, { subscriptionId: SubscriptionId.make(path.split("/").at(-1) ?? ""), number: 1 })
      yield* (yield* Shop.Rivals).come
      const cart = `/api/carts/normal/items/${Shop.vitamin.id}`
      const order = { lines: [{ itemId: Shop.vitamin.id, quantity: 1 }] }
      const changes: ReadonlyArray<readonly [method: string, path: string, sent?: Shop.Sent]> = [
        ["POST", "/api/carts/normal/items", { body: { itemId: Shop.omega.id, quantity: 1 } }],
        ["PATCH", cart, { body: { quantity: 2 } }],
        ["DELETE", cart],
        ["POST", "/api/orders", { body: order }],
        ["POST", `/api/orders/${orderId}/refunds`, { body: { reason: "단순 변심" } }],
        ["POST", `${path}/cycles/1/refunds`, { body: { reason: "단순 변심" } }],
        ["PATCH", path, { body: { quantity: 2 } }],
        ["DELETE", path],
        ["PATCH", reviewPath, { body: { stars: 1 } }],
        ["DELETE", reviewPath],
        ["POST", "/api/admin/items/import", file({ originPrice: 2_000 })],
        ["PATCH", "/api/users/me", { body: { displayName: "새 이름" } }],
        ["DELETE", "/api/users/me"]
      ]
      for (const [method, path, sent] of changes) {
        const answer = yield* Shop.send(method, path, { token, ...sent })
        assert.deepStrictEqual([method, path, answer.status], [method, path, 409], answer.text)
        assert.isNotNull(answer.headers.get("retry-after"), `${method} ${path}`)
      }
    }).pipe(Effect.provide(layerWithRivals))
  )
})
