import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { call, charge, control, issueKey, openWindow, recurring, refused, simulator, textAt } from "./support.ts"

describe("the control API", () => {
  it.live("refuses bad input with 400 and changes nothing", () =>
    Effect.gen(function* () {
      for (const [path, body] of [
        ["/clock", { offsetMillis: "1" }],
        ["/clock", { offset: 1 }],
        ["/clock", "{"],
        ["/faults", { kind: "explode" }],
        ["/faults", { kind: "slow", rate: 2 }],
        ["/faults", { kind: "slow", delayMillis: -1 }],
        ["/faults", { kind: "slow", times: 0 }],
        ["/faults", {}],
        ["/declines", { sid: "S1" }],
        ["/inactivate", {}],
        ["/switches", { unknownSwitch: true }],
        ["/switches", { extraKeysRate: 3 }],
        ["/keys", { partnerUserId: "" }],
        ["/reset", { now: true }]
      ] as const) {
        const answer = yield* control("POST", path, body)
        assert.strictEqual(answer.status, 400, `${path} ${JSON.stringify(body)} ${answer.text}`)
        assert.strictEqual(answer.json["error"], "bad-request")
      }
      assert.deepInclude((yield* control("GET", "/clock")).json, { offsetMillis: 0, skewMillis: 0 })
      assert.deepStrictEqual((yield* control("GET", "/faults")).json["faults"], [])
      assert.strictEqual((yield* control("GET", "/calls?endpoint=nope")).status, 400)
      assert.strictEqual((yield* control("GET", "/ledger?order=1")).status, 400)
    }).pipe(Effect.provide(simulator()))
  )

  it.live("answers 404 for unknown routes, keys, payments and rules", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* control("GET", "/nope")).status, 404)
      assert.strictEqual((yield* control("POST", "/ledger", {})).status, 404)
      assert.strictEqual((yield* control("POST", "/inactivate", { sid: "S0" })).status, 404)
      assert.strictEqual((yield* control("POST", "/customers/T0/approve")).status, 404)
      assert.strictEqual((yield* control("DELETE", "/faults/fault-9")).status, 404)
      assert.strictEqual((yield* control("GET", "/payments/T0")).status, 404)
      assert.strictEqual((yield* control("POST", "/customers/T0/steal")).status, 400)
    }).pipe(Effect.provide(simulator()))
  )

  it.live("plays the customer", () =>
    Effect.gen(function* () {
      const tid = yield* openWindow()
      const opened = yield* control("POST", `/customers/${tid}/open`)
      assert.isNull(opened.json["redirectUrl"])
      const approved = yield* control("POST", `/customers/${tid}/approve`, { method: "CARD" })
      assert.match(textAt(approved, "redirectUrl"), /^http:\/\/shop\.example\/approved\?order=1&pg_token=[0-9a-f]{20}$/)
      assert.strictEqual((yield* control("POST", `/customers/${tid}/cancel`)).status, 409)
      assert.deepInclude((yield* control("GET", `/payments/${tid}`)).json, {
        status: "AUTH_PASSWORD",
        totalAmount: 11_000
      })
    }).pipe(Effect.provide(simulator()))
  )

  it.live("tells the ledger and the calls, filtered", () =>
    Effect.gen(function* () {
      const sid = yield* issueKey()
      yield* charge(sid)
      yield* charge(sid, { partner_order_id: "cycle-2", total_amount: 1_000 })
      const ledger = yield* control("GET", "/ledger?partnerOrderId=cycle-2")
      assert.deepStrictEqual(ledger.json["totals"], {
        captureCount: 1,
        capturedAmount: 1_000,
        refundCount: 0,
        refundedAmount: 0,
        netAmount: 1_000
      })
      const all = yield* control("GET", `/ledger?sid=${sid}`)
      assert.strictEqual(all.json["entryCount"], 2)
      const calls = yield* control("GET", "/calls?endpoint=subscription&partnerOrderId=cycle-1")
      const [logged] = calls.json["calls"] as ReadonlyArray<object>
      assert.deepInclude(logged, {
        endpoint: "subscription",
        executed: true,
        answered: true,
        httpStatus: 200,
        errorCode: null
      })
      assert.notInclude(calls.text, "SECRET_KEY")
      assert.notInclude(calls.text, "DEVSIMULATOR")
    }).pipe(Effect.provide(simulator()))
  )

  it.live("sets faults, declines, switches, time and keys, and resets them all", () =>
    Effect.gen(function* () {
      const { json } = yield* control("POST", "/keys", { partnerUserId: "user-1", method: "CARD" })
      const sid = String(json["sid"])
      assert.strictEqual((yield* control("POST", "/declines", { sid, methodResultCode: "0002", times: 1 })).status, 201)
      refused(yield* charge(sid), -782, "0002")
      assert.strictEqual((yield* charge(sid)).status, 200)
      const added = yield* control("POST", "/faults", { kind: "maintenance", match: { sid } })
      assert.strictEqual((yield* charge(sid)).status, 503)
      assert.strictEqual((yield* control("DELETE", `/faults/${textAt(added, "id")}`)).status, 204)
      yield* control("POST", "/switches", { subscriptionMonthlyCap: 1 })
      refused(yield* charge(sid), -752)
      yield* control("POST", "/clock", { offsetMillis: 86_400_000, skewMillis: 5 })
      assert.deepInclude((yield* control("GET", "/clock")).json, { offsetMillis: 86_400_000, skewMillis: 5 })
      yield* control("POST", "/inactivate", { sid })
      assert.strictEqual((yield* call("status", { cid: recurring, sid })).json["status"], "INACTIVE")
      assert.strictEqual((yield* control("POST", "/reset")).status, 204)
      refused(yield* call("status", { cid: recurring, sid }), -750)
      assert.deepInclude((yield* control("GET", "/clock")).json, { offsetMillis: 0 })
      assert.isNull((yield* control("GET", "/switches")).json["subscriptionMonthlyCap"])
      assert.strictEqual((yield* control("GET", "/calls")).json["receivedCount"], 1)
    }).pipe(Effect.provide(simulator()))
  )
})

describe("a reset", () => {
  it.live("never brings old ids back", () =>
    Effect.gen(function* () {
      const before = yield* openWindow()
      yield* control("POST", "/reset")
      assert.notStrictEqual(yield* openWindow(), before)
    }).pipe(Effect.provide(simulator({ realNow: () => 1_772_413_200_000 })))
  )
})

describe("the bounds", () => {
  it.live("refuse a payment more instead of forgetting one", () =>
    Effect.gen(function* () {
      const sid = yield* issueKey()
      const full = yield* charge(sid)
      assert.strictEqual(full.status, 500)
      refused(full, -1)
    }).pipe(Effect.provide(simulator({ limits: { paymentCountMax: 1 } })))
  )

  it.live("keep only the newest calls", () =>
    Effect.gen(function* () {
      for (let index = 0; index < 5; index++) yield* call("order", { cid: recurring, tid: `T${index}` })
      const { json } = yield* control("GET", "/calls")
      assert.strictEqual(json["receivedCount"], 5)
      const calls = json["calls"] as ReadonlyArray<{ readonly sequence: number }>
      assert.deepStrictEqual(
        calls.map((logged) => logged.sequence),
        [3, 4, 5]
      )
    }).pipe(Effect.provide(simulator({ limits: { callsLoggedMax: 3 } })))
  )
})
