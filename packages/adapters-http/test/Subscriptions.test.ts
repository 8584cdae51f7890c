/** What an owner does with a subscription, over HTTP. */
import { assert, describe, it } from "@effect/vitest"
import { SubscriptionId } from "@pillivery/domain/Ids"
import { Effect } from "effect"
import * as Shop from "./Shop.ts"

const dayFromNow = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10)

/** A logged-in customer with a paid subscription. */
const subscribed = Effect.fnUntraced(function* (seed = 1) {
  const token = yield* Shop.logIn(seed)
  const orderId = yield* Shop.placeOrder(token, 30)
  const { path } = yield* Shop.approveAtProvider(token, orderId)
  yield* Shop.send("GET", path)
  const page = yield* Shop.send("GET", "/api/subscriptions", { token })
  return { token, path: `/api/subscriptions/${String(Shop.field(page, "data", 0, "id"))}` }
})

describe("a subscription", () => {
  it.live("is changed, postponed, skipped, paused and resumed by its owner", () =>
    Effect.gen(function* () {
      const { path, token } = yield* subscribed()
      const changed = yield* Shop.send("PATCH", path, { token, body: { quantity: 3, period: 45 } })
      assert.deepStrictEqual(
        [changed.status, Shop.field(changed, "quantity"), Shop.field(changed, "period"), Shop.field(changed, "amount")],
        [200, 3, 45, 27_000]
      )
      const due = Shop.field(changed, "nextDueDate")
      const postponed = yield* Shop.send("POST", `${path}/postpone`, { token, body: { days: 3 } })
      assert.strictEqual(postponed.status, 200)
      assert.isAbove(Date.parse(String(Shop.field(postponed, "nextDueDate"))), Date.parse(String(due)))
      assert.strictEqual(Shop.field(postponed, "openCycle", "gridDate"), due)

      const skipped = yield* Shop.send("POST", `${path}/skip`, { token })
      assert.deepStrictEqual([skipped.status, Shop.field(skipped, "openCycle", "number")], [200, 2])
      const paused = yield* Shop.send("POST", `${path}/pause`, { token, body: { resumeOn: null } })
      assert.deepStrictEqual([paused.status, Shop.field(paused, "state")], [200, "Paused"])
      const resumed = yield* Shop.send("POST", `${path}/resume`, { token })
      assert.deepStrictEqual([resumed.status, Shop.field(resumed, "state")], [200, "Active"])
      assert.deepStrictEqual((yield* Shop.send("GET", path, { token })).json, resumed.json)

      yield* Shop.deliver
      const told = yield* Shop.send("GET", "/api/users/me/notifications", { token })
      const kinds = [0, 1, 2, 3, 4].map((index) => Shop.field(told, "data", index, "kind"))
      assert.includeMembers(kinds, [
        "SubscriptionChanged",
        "DeliveryPostponed",
        "CycleSkipped",
        "SubscriptionPaused",
        "SubscriptionResumed"
      ])
    }).pipe(Effect.provide(Shop.layer))
  )

  it.live("refuses what breaks a rule, and stays as it was", () =>
    Effect.gen(function* () {
      const { path, token } = yield* subscribed()
      const before = (yield* Shop.send("GET", path, { token })).json
      const refused = (method: string, way: string, body?: unknown) =>
        Effect.map(Shop.send(method, `${path}${way}`, { token, ...(body === undefined ? {} : { body }) }), Shop.codeOf)
      assert.deepStrictEqual(yield* refused("PATCH", "", {}), [400, "VALIDATION_FAILED"])
      assert.deepStrictEqual(yield* refused("PATCH", "", { quantity: 0 }), [400, "VALIDATION_FAILED"])
      assert.deepStrictEqual(yield* refused("PATCH", "", { period: 29 }), [400, "VALIDATION_FAILED"])
      assert.deepStrictEqual(yield* refused("PATCH", "", { unitPrice: 1 }), [400, "VALIDATION_FAILED"])
      assert.deepStrictEqual(yield* refused("POST", "/postpone", { days: 61 }), [400, "VALIDATION_FAILED"])
      assert.deepStrictEqual(yield* refused("POST", "/postpone", { days: 1.5 }), [400, "VALIDATION_FAILED"])
      assert.deepStrictEqual(yield* refused("POST", "/pause", { resumeOn: "2026-02-30" }), [400, "VALIDATION_FAILED"])
      assert.deepStrictEqual(yield* refused("POST", "/pause", { resumeOn: dayFromNow(-3) }), [422, "PAUSE_INVALID"])
      assert.deepStrictEqual(yield* refused("POST", "/pause", { resumeOn: dayFromNow(400) }), [422, "PAUSE_INVALID"])
      assert.deepStrictEqual(yield* refused("POST", "/resume"), [409, "SUBSCRIPTION_STATE"])
      assert.deepStrictEqual((yield* Shop.send("GET", path, { token })).json, before)
      yield* Shop.send("POST", `${path}/skip`, { token })
      yield* Shop.send("POST", `${path}/skip`, { token })
      assert.deepStrictEqual(yield* refused("POST", "/skip"), [422, "SKIP_LIMIT_REACHED"])
      yield* Shop.send("POST", `${path}/postpone`, { token, body: { days: 60 } })
      assert.deepStrictEqual(yield* refused("POST", "/postpone", { days: 60 }), [422, "POSTPONE_INVALID"])
    }).pipe(Effect.provide(Shop.layer))
  )

  it.live("is there for its owner only", () =>
    Effect.gen(function* () {
      const { path } = yield* subscribed()
      const other = yield* Shop.logIn(2)
      const requests = [
        ["PATCH", "", { quantity: 2 }],
        ["POST", "/skip", undefined],
        ["POST", "/postpone", { days: 1 }],
        ["POST", "/pause", { resumeOn: null }],
        ["POST", "/resume", undefined]
      ] as const
      for (const [method, way, body] of requests) {
        const sent = body === undefined ? {} : { body }
        const theirs = yield* Shop.send(method, `${path}${way}`, { ...sent, token: other })
        assert.deepStrictEqual(Shop.codeOf(theirs), [404, "SUBSCRIPTION_NOT_FOUND"], way)
        assert.strictEqual((yield* Shop.send(method, `${path}${way}`, sent)).status, 401, way)
      }
    }).pipe(Effect.provide(Shop.layer))
  )
})

describe("a delivery that was charged", () => {
  it.live("is seen coming, then refunded like an order, by its owner", () =>
    Effect.gen(function* () {
      const { path, token } = yield* subscribed()
      const id = SubscriptionId.make(path.split("/").at(-1) ?? "")
      const upcoming = yield* Shop.send("GET", "/api/subscriptions/upcoming-charges", { token })
      assert.deepStrictEqual(
        [Shop.field(upcoming, "data", 0, "subscriptionId"), Shop.field(upcoming, "data", 0, "amount")],
        [id, 18_000]
      )
      const refund = (number: number, sent: { readonly token: string } = { token }) =>
        Shop.send("POST", `${path}/cycles/${number}/refunds`, { ...sent, body: { reason: "단순 변심" } })
      assert.deepStrictEqual(Shop.codeOf(yield* refund(1)), [404, "CYCLE_NOT_CHARGED"])
      const outcome = yield* Shop.chargeAfter(30, { subscriptionId: id, number: 1 })
      assert.strictEqual(outcome._tag, "Sent", JSON.stringify(outcome))
      const stranger = yield* Shop.logIn(2)
      assert.deepStrictEqual(Shop.codeOf(yield* refund(1, { token: stranger })), [404, "SUBSCRIPTION_NOT_FOUND"])
      const refunded = yield* refund(1)
      assert.deepStrictEqual([refunded.status, Shop.field(refunded, "amount")], [201, 18_000])
      assert.strictEqual((yield* refund(1)).status, 422)
      assert.strictEqual((yield* refund(0)).status, 400)
      const orders = yield* Shop.send("GET", "/api/orders?state=Paid", { token })
      assert.strictEqual(Shop.field(orders, "pageInfo", "totalElements"), 2)
    }).pipe(Effect.provide(Shop.layer))
  )
})
