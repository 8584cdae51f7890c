/**
 * Who may call what: every endpoint of the contract for everybody who may try.
 *
 * The endpoints come from the contract itself. One that has no entry in {@link access} fails the first test, and so does
 * one whose entry says something else than the contract. What is between our own processes is tried in Internal.test.ts.
 */
import { assert, describe, it } from "@effect/vitest"
import { grantAdmin } from "@pillivery/application/Users/GrantAdmin"
import { Email } from "@pillivery/domain/Email"
import { Effect } from "effect"
import { customer, type Endpoint, endpoints } from "./Contract.ts"
import * as Shop from "./Shop.ts"

/**
 * Who runs the shop; who owns a delivery that was charged (tried in Subscriptions.test.ts); who comes from a log-in elsewhere, alone or logged in (tried in Social.test.ts); everybody; who is logged in, about
 * oneself; the same, once; who owns what the path names; the provider's redirects; the sandbox.
 */
type Access =
  | "ownerOfCharged"
  | "admin"
  | "elsewhere"
  | "linking"
  | "public"
  | "user"
  | "ending"
  | "owner"
  | "provider"
  | "sandbox"
  | "service"

const access: Readonly<Record<string, Access>> = {
  "users.signUp": "public",
  "users.logIn": "public",
  "users.refresh": "public",
  "users.me": "user",
  "users.changeMe": "user",
  "social.authorize": "elsewhere",
  "social.callback": "elsewhere",
  "social.moreInfo": "elsewhere",
  "social.link": "linking",
  "notifications.list": "user",
  "notifications.read": "owner",
  "items.main": "public",
  "items.search": "public",
  "items.onSale": "public",
  "items.brands": "public",
  "items.categories": "public",
  "items.get": "public",
  "admin.getItem": "admin",
  "admin.createItem": "admin",
  "admin.changeItem": "admin",
  "admin.importItems": "admin",
  "admin.endSessions": "admin",
  "admin.billingRuns": "admin",
  "admin.ordersToDeliver": "admin",
  "admin.failedDeliveries": "admin",
  "admin.reviews": "admin",
  "admin.createWebhook": "admin",
  "admin.webhooks": "admin",
  "admin.changeWebhook": "admin",
  "admin.removeWebhook": "admin",
  "admin.rotateWebhookSecret": "admin",
  "admin.webhookMessages": "admin",
  "admin.replayWebhook": "admin",
  "carts.get": "user",
  "carts.addItem": "user",
  "carts.changeLine": "user",
  "carts.removeLine": "user",
  "orders.place": "user",
  "orders.list": "user",
  "orders.get": "owner",
  "orders.requestPayment": "owner",
  "orders.payment": "owner",
  "orders.requestRefund": "owner",
  "orders.refunds": "owner",
  "payments.approve": "provider",
  "payments.cancel": "provider",
  "payments.fail": "provider",
  "subscriptions.list": "user",
  "subscriptions.get": "owner",
  "subscriptions.change": "owner",
  "subscriptions.skip": "owner",
  "subscriptions.postpone": "owner",
  "subscriptions.pause": "owner",
  "subscriptions.resume": "owner",
  "subscriptions.cancel": "owner",
  "subscriptions.requestBillingKey": "owner",
  "subscriptions.upcomingCharges": "user",
  "subscriptions.cycles": "owner",
  "subscriptions.requestRefund": "ownerOfCharged",
  // An order of one's own proves the purchase.
  "reviews.write": "owner",
  "reviews.edit": "owner",
  "reviews.remove": "owner",
  "reviews.get": "public",
  "reviews.listOfItem": "public",
  "reviews.listMine": "user",
  "sandbox.advanceClock": "sandbox",
  "sandbox.runBilling": "sandbox",
  "sandbox.drain": "sandbox",
  // Last, since who left or logged out gets through to nothing.
  "users.logOut": "ending",
  "users.withdraw": "ending",
  "ops.live": "public",
  "ops.ready": "public",
  "ops.metrics": "public",
  "billing.charge": "service",
  "billing.reconcile": "service"
}

const guardOf: Readonly<Record<Access, Endpoint["guard"]>> = {
  public: "nobody",
  user: "token",
  ending: "token",
  ownerOfCharged: "token",
  admin: "token",
  elsewhere: "nobody",
  linking: "token",
  owner: "token",
  provider: "nobody",
  sandbox: "nobody",
  service: "service"
}

const of = (...wanted: ReadonlyArray<Access>) =>
  endpoints.filter(({ id }) => wanted.some((each) => each === access[id]))

const isRefusal = (status: number): boolean => status === 401 || status === 403 || status === 404

describe("the contract", () => {
  it("says of every endpoint who may call it, and nothing of others", () => {
    assert.sameMembers(
      endpoints.map(({ id }) => id),
      Object.keys(access)
    )
    for (const { guard, id } of endpoints) assert.strictEqual(guard, guardOf[access[id] ?? "public"], id)
  })
})

describe("nobody", () => {
  it.live("FS2: without a token, or with one that is none, gets anything that is somebody's, or changes it", () =>
    Effect.gen(function* () {
      const { call, read } = yield* customer
      const before = yield* read
      for (const endpoint of of("user", "owner", "ending", "linking", "admin", "ownerOfCharged")) {
        for (const sent of [{}, { token: "nonsense" }, { token: `${"a".repeat(20)}.${"b".repeat(20)}.c` }]) {
          assert.strictEqual((yield* call(endpoint, sent)).status, 401, endpoint.id)
        }
      }
      assert.deepStrictEqual(yield* read, before)
    }).pipe(Effect.provide(Shop.layer))
  )

  it.live("is refused what is for everybody", () =>
    Effect.gen(function* () {
      const { call } = yield* customer
      for (const endpoint of of("public")) {
        assert.isFalse(isRefusal((yield* call(endpoint)).status), endpoint.id)
      }
    }).pipe(Effect.provide(Shop.layer))
  )

  it.live("FS3: else finds what is one customer's, not even who runs the shop", () =>
    Effect.gen(function* () {
      const { call, read } = yield* customer
      const other = yield* Shop.logIn(2)
      yield* Shop.logIn(3)
      yield* grantAdmin(Email.make(Shop.signUpBody(3).email))
      const admin = yield* Shop.logIn(3)
      const before = yield* read
      for (const endpoint of of("owner", "ownerOfCharged")) {
        for (const token of [other, admin]) {
          const { json, status } = yield* call(endpoint, { token })
          assert.strictEqual(status, 404, endpoint.id)
          assert.match(String(json["code"]), /_NOT_FOUND$/, endpoint.id)
        }
      }
      assert.deepStrictEqual(yield* read, before)
    }).pipe(Effect.provide(Shop.layer))
  )

  it.live("FS7: but who runs the shop does what is theirs to do, and a role comes from us alone", () =>
    Effect.gen(function* () {
      const { call, token } = yield* customer
      for (const endpoint of of("admin")) {
        const { json, status } = yield* call(endpoint, { token })
        assert.deepStrictEqual([status, json["code"]], [403, "ADMIN_ONLY"], endpoint.id)
      }
      yield* grantAdmin(Email.make(Shop.signUpBody(1).email))
      // The token of before says what was so then.
      for (const endpoint of of("admin"))
        assert.strictEqual((yield* call(endpoint, { token })).status, 403, endpoint.id)
      const admin = yield* Shop.logInAgain(1)
      for (const endpoint of of("admin")) {
        const { status, text } = yield* call(endpoint, { token: admin })
        assert.isFalse(isRefusal(status), `${endpoint.id}: ${status} ${text}`)
      }
    }).pipe(Effect.provide(Shop.layer))
  )

  it.live("outside embedded mode finds the sandbox", () =>
    Effect.gen(function* () {
      const { call, token } = yield* customer
      for (const endpoint of of("sandbox")) {
        for (const sent of [{}, { token }]) assert.strictEqual((yield* call(endpoint, sent)).status, 404, endpoint.id)
      }
    }).pipe(Effect.provide(Shop.layer))
  )

  it.live("pays with a redirect that the provider did not send", () =>
    Effect.gen(function* () {
      const { call, token, unpaid } = yield* customer
      for (const endpoint of of("provider")) {
        const { json } = yield* call(endpoint)
        assert.notStrictEqual(json["state"], "approved", endpoint.id)
        const order = yield* Shop.send("GET", `/api/orders/${unpaid}`, { token })
        assert.strictEqual(Shop.field(order, "state"), "Placed", endpoint.id)
      }
    }).pipe(Effect.provide(Shop.layer))
  )
})

describe("the owner", () => {
  it.live("gets through to everything of one's own", () =>
    Effect.gen(function* () {
      const { call, token } = yield* customer
      for (const endpoint of of("user", "owner")) {
        const { status, text } = yield* call(endpoint, { token })
        assert.isFalse(isRefusal(status), `${endpoint.id}: ${status} ${text}`)
      }
      for (const endpoint of of("ending")) {
        const last = yield* Shop.logInAgain(1)
        assert.strictEqual((yield* call(endpoint, { token: last })).status, 204, endpoint.id)
        assert.strictEqual((yield* call(endpoint, { token: last })).status, 401, endpoint.id)
      }
    }).pipe(Effect.provide(Shop.layer))
  )
})
