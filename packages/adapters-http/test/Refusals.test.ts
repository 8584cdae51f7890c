import { assert, describe, it } from "@effect/vitest"
import { catalogue } from "@pillivery/adapters-http/api/ErrorCatalogue"
import * as Fixtures from "@pillivery/domain/testing/Fixtures"
import { Effect } from "effect"
import * as Shop from "./Shop.ts"

const isProblem = (answer: Shop.Answer, status: number, code: string) => {
  assert.deepStrictEqual({ status: answer.status, code: Shop.field(answer, "code") }, { status, code }, answer.text)
  assert.strictEqual(answer.headers.get("content-type"), "application/problem+json")
  assert.strictEqual(Shop.field(answer, "status"), status)
  assert.strictEqual(Shop.field(answer, "requestId"), answer.headers.get("x-request-id"))
  assert.match(String(Shop.field(answer, "text", "ko")), /[가-힣]/)
  assert.isString(Shop.field(answer, "text", "en"))
  assert.match(String(Shop.field(answer, "type")), /^urn:pillivery:problem:[a-z-]+$/)
  assert.notMatch(answer.text, /\.ts:|node_modules|    at /)
}

const pointers = (answer: Shop.Answer): ReadonlyArray<unknown> => {
  const errors = Shop.field(answer, "errors")
  return Array.isArray(errors) ? errors.map((error: { readonly pointer: unknown }) => error.pointer) : []
}

describe("a body", () => {
  it.live("FV2: that is no JSON, or has the wrong form, is refused with a pointer to each wrong field", () =>
    Effect.gen(function* () {
      const json = { "content-type": "application/json" }
      isProblem(yield* Shop.send("POST", "/api/users", { rawBody: "{bad", headers: json }), 400, "VALIDATION_FAILED")
      isProblem(yield* Shop.send("POST", "/api/users", { rawBody: "", headers: json }), 400, "VALIDATION_FAILED")
      const wrong = yield* Shop.send("POST", "/api/users", {
        body: { ...Shop.signUpBody(), email: 1, address: { city: "", detail: "x" } }
      })
      isProblem(wrong, 400, "VALIDATION_FAILED")
      assert.deepStrictEqual(pointers(wrong), ["/email", "/address/city"])
    }).pipe(Effect.provide(Shop.layer))
  )

  it.live("that breaks the rules of sign-up tells them all, and never repeats the password", () =>
    Effect.gen(function* () {
      const refused = yield* Shop.send("POST", "/api/users", {
        body: { ...Shop.signUpBody(), email: "nobody", password: "letters-only", phone: "1" }
      })
      isProblem(refused, 422, "SIGN_UP_INVALID")
      assert.deepStrictEqual(pointers(refused), ["/email", "/password", "/phone"])
      const long = yield* Shop.send("POST", "/api/users", {
        body: { ...Shop.signUpBody(), password: "s3cret".repeat(100) }
      })
      isProblem(long, 400, "VALIDATION_FAILED")
      for (const answer of [refused, long]) assert.notMatch(answer.text, /letters-only|s3cret/)
    }).pipe(Effect.provide(Shop.layer))
  )

  it.live("FV1: of an order that names a total or a price is refused, and nothing is placed", () =>
    Effect.gen(function* () {
      const token = yield* Shop.logIn()
      const line = { itemId: Shop.vitamin.id, quantity: 1 }
      const bodies = [
        { lines: [line], total: 1 },
        { lines: [{ ...line, unitPrice: 1 }] },
        { lines: [{ ...line, quantity: 0 }] },
        { lines: [{ ...line, quantity: 1.5 }] },
        { lines: [{ ...line, quantity: "1" }] },
        { lines: [] },
        { lines: [line], cart: "normal" },
        {},
        []
      ]
      for (const body of bodies) {
        isProblem(yield* Shop.send("POST", "/api/orders", { token, body }), 400, "VALIDATION_FAILED")
      }
      const placed = yield* Shop.send("GET", "/api/orders", { token })
      assert.strictEqual(Shop.field(placed, "pageInfo", "totalElements"), 0)
    }).pipe(Effect.provide(Shop.layer))
  )

  it.live("that is too large is refused, told by its length or found out while reading", () =>
    Effect.gen(function* () {
      const rawBody = JSON.stringify({ email: "x".repeat(300_000) })
      const headers = { "content-type": "application/json" }
      isProblem(yield* Shop.send("POST", "/api/users", { rawBody, headers }), 413, "BODY_TOO_LARGE")
      const told = { ...headers, "content-length": String(rawBody.length) }
      isProblem(yield* Shop.send("POST", "/api/users", { rawBody, headers: told }), 413, "BODY_TOO_LARGE")
    }).pipe(Effect.provide(Shop.layer))
  )

  it.live("of another kind is refused", () =>
    Effect.gen(function* () {
      const headers = { "content-type": "text/plain" }
      isProblem(yield* Shop.send("POST", "/api/users", { rawBody: "x", headers }), 415, "MEDIA_TYPE_UNSUPPORTED")
    }).pipe(Effect.provide(Shop.layer))
  )
})

describe("an address", () => {
  it.live("that is not there, or does not take the method, is a problem", () =>
    Effect.gen(function* () {
      isProblem(yield* Shop.send("GET", "/nowhere"), 404, "ROUTE_NOT_FOUND")
      isProblem(yield* Shop.send("GET", "/api/items/search/deeper/down"), 404, "ROUTE_NOT_FOUND")
      const wrong = yield* Shop.send("PUT", "/api/orders")
      isProblem(wrong, 405, "METHOD_NOT_ALLOWED")
      assert.strictEqual(wrong.headers.get("allow"), "GET, HEAD, POST")
      isProblem(yield* Shop.send("DELETE", "/openapi.json"), 405, "METHOD_NOT_ALLOWED")
      assert.strictEqual((yield* Shop.send("HEAD", "/api/items/main")).status, 200)
    }).pipe(Effect.provide(Shop.layer))
  )

  it.live("with an id that is no id, a page out of bounds or an unknown sort is malformed", () =>
    Effect.gen(function* () {
      const paths = [
        "/api/items/1",
        "/api/items/search?page=0",
        "/api/items/search?size=101",
        "/api/items/search?sort=CHEAP",
        "/api/items/search?keyword=x",
        "/api/items/search?priceMin=-1",
        "/api/items/search?priceMin=ten"
      ]
      for (const path of paths) isProblem(yield* Shop.send("GET", path), 400, "VALIDATION_FAILED")
    }).pipe(Effect.provide(Shop.layer))
  )

  it.live("of the sandbox is not there where the sandbox is off", () =>
    Effect.gen(function* () {
      isProblem(yield* Shop.send("POST", "/embedded/drain"), 404, "SANDBOX_DISABLED")
      const advance = yield* Shop.send("POST", "/embedded/clock/advance", { body: { days: 1 } })
      isProblem(advance, 404, "SANDBOX_DISABLED")
      isProblem(yield* Shop.send("POST", "/embedded/billing/run"), 404, "SANDBOX_DISABLED")
    }).pipe(Effect.provide(Shop.layer))
  )
})

describe("a caller", () => {
  const owned = (id: string) =>
    [
      ["GET", "/api/users/me"],
      ["GET", "/api/users/me/notifications"],
      ["GET", "/api/carts/normal"],
      ["POST", "/api/carts/normal/items"],
      ["PATCH", `/api/carts/normal/items/${id}`],
      ["DELETE", `/api/carts/normal/items/${id}`],
      ["POST", "/api/orders"],
      ["GET", "/api/orders"],
      ["GET", `/api/orders/${id}`],
      ["POST", `/api/orders/${id}/payments`],
      ["GET", `/api/orders/${id}/payment`],
      ["POST", `/api/orders/${id}/refunds`],
      ["GET", `/api/orders/${id}/refunds`],
      ["GET", "/api/subscriptions"],
      ["GET", `/api/subscriptions/${id}`],
      ["DELETE", `/api/subscriptions/${id}`],
      ["GET", `/api/subscriptions/${id}/cycles`]
    ] as const

  it.live("without a token, or with one that is not ours, sees nothing that is somebody's", () =>
    Effect.gen(function* () {
      for (const [method, path] of owned(Fixtures.anyOrderId())) {
        const anonymous = yield* Shop.send(method, path)
        isProblem(anonymous, 401, "UNAUTHENTICATED")
        assert.strictEqual(anonymous.headers.get("www-authenticate"), "Bearer")
        isProblem(yield* Shop.send(method, path, { token: "not.a.token" }), 401, "TOKEN_REJECTED")
      }
    }).pipe(Effect.provide(Shop.layer))
  )

  it.live("sees nothing of another's order or subscription, and changes nothing", () =>
    Effect.gen(function* () {
      const owner = yield* Shop.logIn(1)
      const stranger = yield* Shop.logIn(2)
      const orderId = yield* Shop.placeOrder(owner, 30)
      const refund = { token: stranger, body: { reason: "mine" } }
      isProblem(yield* Shop.send("GET", `/api/orders/${orderId}`, { token: stranger }), 404, "ORDER_NOT_FOUND")
      isProblem(
        yield* Shop.send("POST", `/api/orders/${orderId}/payments`, { token: stranger }),
        404,
        "ORDER_NOT_FOUND"
      )
      isProblem(yield* Shop.send("GET", `/api/orders/${orderId}/payment`, { token: stranger }), 404, "ORDER_NOT_FOUND")
      const { path } = yield* Shop.approveAtProvider(owner, orderId)
      yield* Shop.send("GET", path)
      isProblem(yield* Shop.send("POST", `/api/orders/${orderId}/refunds`, refund), 404, "ORDER_NOT_FOUND")
      isProblem(yield* Shop.send("GET", `/api/orders/${orderId}/refunds`, { token: stranger }), 404, "ORDER_NOT_FOUND")
      const id = String(Shop.field(yield* Shop.send("GET", "/api/subscriptions", { token: owner }), "data", 0, "id"))
      for (const [method, suffix] of [
        ["GET", ""],
        ["GET", "/cycles"],
        ["DELETE", ""]
      ] as const) {
        const answer = yield* Shop.send(method, `/api/subscriptions/${id}${suffix}`, { token: stranger })
        isProblem(answer, 404, "SUBSCRIPTION_NOT_FOUND")
      }
      const kept = yield* Shop.send("GET", `/api/subscriptions/${id}`, { token: owner })
      assert.strictEqual(Shop.field(kept, "state"), "Active")
    }).pipe(Effect.provide(Shop.layer))
  )

  it.live("has a cart of its own, whoever else fills one", () =>
    Effect.gen(function* () {
      const [owner, stranger] = [yield* Shop.logIn(1), yield* Shop.logIn(2)]
      yield* Shop.send("POST", "/api/carts/normal/items", {
        token: owner,
        body: { itemId: Shop.vitamin.id, quantity: 1 }
      })
      const other = yield* Shop.send("DELETE", `/api/carts/normal/items/${Shop.vitamin.id}`, { token: stranger })
      isProblem(other, 404, "CART_LINE_NOT_FOUND")
      assert.strictEqual(Shop.field(yield* Shop.send("GET", "/api/carts/normal", { token: owner }), "quantityTotal"), 1)
    }).pipe(Effect.provide(Shop.layer))
  )

  it.live("who signs up twice, or logs in wrongly, is told so in one way", () =>
    Effect.gen(function* () {
      const body = Shop.signUpBody()
      yield* Shop.send("POST", "/api/users", { body })
      const again = yield* Shop.send("POST", "/api/users", {
        body: { ...body, displayName: "다른이름", phone: "010-9999-0000" }
      })
      isProblem(again, 409, "USER_EXISTS")
      assert.deepStrictEqual(pointers(again), ["/email"])
      const wrong = yield* Shop.send("POST", "/api/users/auth", { body: { email: body.email, password: "wrong" } })
      const unknown = yield* Shop.send("POST", "/api/users/auth", { body: { email: "a@b.co", password: "wrong" } })
      isProblem(wrong, 401, "LOG_IN_REJECTED")
      assert.deepStrictEqual({ ...wrong.json, requestId: "" }, { ...unknown.json, requestId: "" })
    }).pipe(Effect.provide(Shop.layer))
  )
})

describe("what is not there", () => {
  it.live("is named: items, lines, orders", () =>
    Effect.gen(function* () {
      const token = yield* Shop.logIn()
      const nothing = Fixtures.anyItemId(77)
      isProblem(yield* Shop.send("GET", `/api/items/${nothing}`), 404, "ITEM_NOT_FOUND")
      isProblem(yield* Shop.send("GET", `/api/orders/${nothing}`, { token }), 404, "ORDER_NOT_FOUND")
      const add = { token, body: { itemId: nothing, quantity: 1 } }
      isProblem(yield* Shop.send("POST", "/api/carts/normal/items", add), 404, "ITEM_NOT_FOUND")
      const order = { token, body: { lines: [{ itemId: nothing, quantity: 1 }] } }
      isProblem(yield* Shop.send("POST", "/api/orders", order), 422, "ITEMS_VANISHED")
      isProblem(
        yield* Shop.send("POST", "/api/orders", { token, body: { cart: "normal" } }),
        422,
        "ORDER_LINES_INVALID"
      )
      const period = { token, body: { itemId: Shop.vitamin.id, quantity: 1, period: 30 } }
      isProblem(yield* Shop.send("POST", "/api/carts/normal/items", period), 422, "PERIOD_INVALID")
    }).pipe(Effect.provide(Shop.layer))
  )

  it.live("cannot be given back", () =>
    Effect.gen(function* () {
      const token = yield* Shop.logIn()
      const orderId = yield* Shop.placeOrder(token)
      const body = { reason: "" }
      isProblem(
        yield* Shop.send("POST", `/api/orders/${orderId}/refunds`, { token, body }),
        409,
        "ORDER_STATE_CONFLICT"
      )
      const { path } = yield* Shop.approveAtProvider(token, orderId)
      yield* Shop.send("GET", path)
      const lineId = Shop.field(yield* Shop.send("GET", `/api/orders/${orderId}`, { token }), "lines", 0, "id")
      const tooMany = { token, body: { lines: [{ lineId, quantity: 3 }], reason: "" } }
      isProblem(yield* Shop.send("POST", `/api/orders/${orderId}/refunds`, tooMany), 422, "REFUND_LINES_INVALID")
      isProblem(yield* Shop.send("POST", `/api/orders/${orderId}/payments`, { token }), 409, "ORDER_NOT_PAYABLE")
    }).pipe(Effect.provide(Shop.layer))
  )
})

describe("every answer", () => {
  it.live("carries the request's name, a new one where none that can be trusted was brought", () =>
    Effect.gen(function* () {
      const brought = yield* Shop.send("GET", "/health/live", { headers: { "x-request-id": "from-nginx.1234" } })
      assert.strictEqual(brought.headers.get("x-request-id"), "from-nginx.1234")
      for (const bad of ["short", "has space in it", `x${"y".repeat(200)}`]) {
        const made = yield* Shop.send("GET", "/health/live", { headers: { "x-request-id": bad } })
        assert.match(made.headers.get("x-request-id") ?? "", /^[0-9a-f-]{36}$/)
      }
    }).pipe(Effect.provide(Shop.layer))
  )

  it.live("carries headers that keep browsers from mischief, refusals and the documentation too", () =>
    Effect.gen(function* () {
      for (const path of ["/health/live", "/nowhere", "/docs", "/openapi.json", "/metrics"]) {
        const answer = yield* Shop.send("GET", path)
        assert.strictEqual(answer.headers.get("x-content-type-options"), "nosniff", path)
        assert.include(answer.headers.get("content-security-policy") ?? "", "frame-ancestors 'none'")
      }
      assert.notMatch((yield* Shop.send("GET", "/docs")).text, /<(script|link)[^>]+(src|href)="https?:/)
    }).pipe(Effect.provide(Shop.layer))
  )
})

describe("the catalogue of errors", () => {
  it("has one code for each error, and words in both languages", () => {
    const entries = Object.values(catalogue)
    assert.strictEqual(new Set(entries.map(({ code }) => code)).size, entries.length)
    for (const { code, english, korean } of entries) {
      assert.match(code, /^[A-Z][A-Z_]+$/)
      assert.match(english, /^[A-Z].*\.$/)
      assert.match(korean, /[가-힣].*\.$/)
    }
  })
})
