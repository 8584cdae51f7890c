import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as PaymentStatus from "../src/PaymentStatus.ts"
import { Simulator } from "../src/Simulator.ts"
import { SimulatorServer } from "../src/SimulatorServer.ts"
import {
  amountAt,
  approve,
  authenticate,
  call,
  frozenAt,
  oneTime,
  openWindow,
  pay,
  readyFields,
  recurring,
  refused,
  secretKey,
  send,
  paths,
  simulator,
  textAt
} from "./support.ts"

const quarterHourMillis = 15 * 60_000

describe("ready", () => {
  it.live("answers a tid and redirect URLs on its own origin", () =>
    Effect.gen(function* () {
      const { url } = yield* SimulatorServer
      const answer = yield* call("ready", readyFields())
      assert.match(textAt(answer, "tid"), /^T[0-9a-f]{19}$/)
      const hash = textAt(answer, "next_redirect_pc_url").split("/").at(-1) ?? ""
      assert.match(hash, /^[0-9a-f]{64}$/)
      for (const [name, device] of [
        ["next_redirect_pc_url", "pc"],
        ["next_redirect_mobile_url", "mobile-web"],
        ["next_redirect_app_url", "mobile-app"]
      ] as const) {
        assert.strictEqual(textAt(answer, name), `${url}/mockup/bridge/${device}/pg/one-time/payment/${hash}`)
      }
      const recurringAnswer = yield* call("ready", readyFields({ cid: recurring }))
      assert.include(textAt(recurringAnswer, "next_redirect_pc_url"), "/pg/subscription/payment-issue/")
    }).pipe(Effect.provide(simulator()))
  )

  it.live("accepts numbers as text", () =>
    Effect.gen(function* () {
      const answer = yield* call("ready", readyFields({ quantity: "1", total_amount: "2200", tax_free_amount: "0" }))
      assert.strictEqual(answer.status, 200)
    }).pipe(Effect.provide(simulator()))
  )

  it.live("refuses missing, malformed and inconsistent parameters", () =>
    Effect.gen(function* () {
      refused(yield* call("ready", readyFields({ partner_order_id: undefined })), -2)
      refused(yield* call("ready", readyFields({ total_amount: "12.5" })), -2)
      refused(yield* call("ready", readyFields({ total_amount: -1 })), -2)
      refused(yield* call("ready", readyFields({ total_amount: 0 })), -2)
      refused(yield* call("ready", readyFields({ approval_url: "javascript:alert(1)" })), -2)
      refused(yield* call("ready", readyFields({ item_name: "x".repeat(101) })), -2)
      refused(yield* call("ready", readyFields({ tax_free_amount: 12_000 })), -722)
    }).pipe(Effect.provide(simulator()))
  )

  it.live("knows the optional fields and their limits", () =>
    Effect.gen(function* () {
      const optional = {
        item_code: "VC-1",
        vat_amount: 500,
        green_deposit: 0,
        available_cards: ["SHINHAN", "KB"],
        payment_method_type: "CARD",
        install_month: "3",
        use_share_installment: "Y",
        custom_json: { return_custom_url: "kakaotalk://web/open?url=" }
      }
      const tid = yield* openWindow(optional)
      const approved = yield* approve(tid, yield* authenticate(tid))
      assert.strictEqual(amountAt(approved, "amount", "vat"), 500)
      assert.strictEqual(Reflect.get(Object(approved.json["card_info"]), "install_month"), "03")
      const order = yield* call("order", { cid: oneTime, tid })
      assert.strictEqual(Reflect.get(Object(order.json["selected_card_info"]), "install_month"), 3)
      assert.strictEqual(order.json["item_code"], "VC-1")
      for (const wrong of [
        { available_cards: ["NONESUCH"] },
        { available_cards: "SHINHAN" },
        { payment_method_type: "CASH" },
        { install_month: 13 },
        { use_share_installment: true },
        { custom_json: { nested: {} } },
        { cid: "TC0ONETIME0" },
        { cid_secret: "x".repeat(25) },
        { partner_order_id: "x".repeat(101) },
        { partner_user_id: "" },
        { item_code: "x".repeat(101) },
        { fail_url: `http://shop.example/${"x".repeat(240)}` }
      ]) {
        refused(yield* call("ready", readyFields(wrong)), -2)
      }
    }).pipe(Effect.provide(simulator()))
  )

  it.live("checks key, contract and contract secret", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* call("ready", readyFields(), { key: "wrong" })).status, 401)
      refused(yield* call("ready", readyFields({ cid: "C000000000" })), -731)
      refused(yield* call("ready", readyFields({ cid: recurring, cid_secret: "no" })), -733)
      const { url } = yield* SimulatorServer
      const body = JSON.stringify(readyFields())
      for (const authorization of ["", secretKey, `KakaoAK ${secretKey}`, `Bearer ${secretKey}`]) {
        const headers = { authorization, "content-type": "application/json" }
        assert.strictEqual((yield* send("POST", url + paths.ready, { headers, body })).status, 401, authorization)
      }
      refused(yield* call("ready", readyFields({ cid: recurring })), -733)
      assert.strictEqual((yield* call("ready", readyFields({ cid: recurring, cid_secret: "secret" }))).status, 200)
    }).pipe(Effect.provide(simulator({ cidSecrets: { [recurring]: "secret" } })))
  )

  it.live("speaks JSON over POST on the documented paths only", () =>
    Effect.gen(function* () {
      const { url } = yield* SimulatorServer
      const authorization = `SECRET_KEY ${secretKey}`
      const form = yield* send("POST", url + paths.ready, {
        headers: { authorization, "content-type": "application/x-www-form-urlencoded" },
        body: "cid=TC0ONETIME"
      })
      assert.strictEqual(form.status, 415)
      const headers = { authorization, "content-type": "application/json" }
      refused(yield* send("POST", url + paths.ready, { headers, body: "{" }), -2)
      refused(yield* send("POST", url + paths.ready, { headers, body: "[]" }), -2)
      for (const path of Object.values(paths)) {
        for (const method of ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"]) {
          const answer = yield* send(method, url + path, { headers })
          assert.deepStrictEqual([answer.status, answer.allow], [405, "POST"], `${method} ${path}`)
        }
      }
      // Wrong paths of real clients, and lists, reports and lookups that the provider does not have.
      for (const path of [
        "/online/v11/payment/subscription",
        "/online/v1/payment/subscription/",
        "/online/v1/payment/subscription/status",
        "/online/v1/payment/manage/inactive",
        "/online/v1/payment/orders",
        "/online/v1/payment/manage/report",
        "/online/v1/payment/status",
        "/v1/payment/ready"
      ]) {
        assert.strictEqual((yield* send("POST", url + path, { headers, body: "{}" })).status, 404, path)
      }
      // `order` looks up by tid only.
      refused(yield* call("order", { cid: oneTime, partner_order_id: "order-1" }), -2)
      const large = JSON.stringify({ x: "x".repeat(70_000) })
      assert.strictEqual((yield* send("POST", url + paths.ready, { headers, body: large })).status, 413)
    }).pipe(Effect.provide(simulator()))
  )
})

describe("approve", () => {
  it.live("captures once, and says -702 afterwards", () =>
    Effect.gen(function* () {
      const { ledger } = yield* Simulator
      const tid = yield* openWindow()
      assert.strictEqual((yield* ledger.totals()).captureCount, 0)
      const token = yield* authenticate(tid, { method: "CARD" })
      const answer = yield* approve(tid, token, { payload: "note" })
      assert.strictEqual(answer.status, 200)
      assert.match(textAt(answer, "aid"), /^A[0-9a-f]{19}$/)
      assert.isNull(answer.json["sid"])
      assert.isNull(answer.json["item_code"])
      assert.strictEqual(answer.json["payload"], "note")
      assert.strictEqual(amountAt(answer, "amount", "vat"), 1_000)
      assert.strictEqual(Reflect.get(Object(answer.json["card_info"]), "install_month"), "00")
      const second = yield* approve(tid, token)
      assert.strictEqual(second.status, 400)
      refused(second, -702)
      assert.deepInclude(yield* ledger.totals({ partnerOrderId: "order-1" }), {
        captureCount: 1,
        capturedAmount: 11_000
      })
    }).pipe(Effect.provide(simulator()))
  )

  it.live("names every mismatch with its own code and takes no money", () =>
    Effect.gen(function* () {
      const { ledger, switches } = yield* Simulator
      const tid = yield* openWindow()
      refused(yield* approve("T0000000000000000000", "x"), -721)
      refused(yield* approve(tid, "x"), -701)
      const token = yield* authenticate(tid)
      refused(yield* approve(tid, token, { cid: recurring }), -721)
      refused(yield* approve(tid, token, { partner_order_id: "order-2" }), -706)
      refused(yield* approve(tid, token, { partner_user_id: "user-2" }), -707)
      refused(yield* approve(tid, "wrong"), -708)
      refused(yield* approve(tid, token, { total_amount: 1 }), -725)
      yield* switches.set({ totalMismatchCode: -722 })
      refused(yield* approve(tid, token, { total_amount: 1 }), -722)
      assert.strictEqual((yield* ledger.totals()).captureCount, 0)
      assert.strictEqual((yield* approve(tid, token, { total_amount: "11000" })).status, 200)
    }).pipe(Effect.provide(simulator()))
  )

  it.live("refuses after 15 minutes, while order still answers", () =>
    Effect.gen(function* () {
      const { clock } = yield* Simulator
      const tid = yield* openWindow()
      const token = yield* authenticate(tid)
      yield* clock.advance(quarterHourMillis)
      refused(yield* approve(tid, token), -723)
      const order = yield* call("order", { cid: oneTime, tid })
      assert.strictEqual(order.json["status"], "AUTH_PASSWORD")
      assert.isUndefined(order.json["approved_at"])
    }).pipe(Effect.provide(simulator()))
  )

  it.live("still approves one millisecond before the window closes", () =>
    Effect.gen(function* () {
      const { clock } = yield* Simulator
      const tid = yield* openWindow()
      const token = yield* authenticate(tid)
      yield* clock.advance(quarterHourMillis - 1)
      assert.strictEqual((yield* approve(tid, token)).status, 200)
    }).pipe(Effect.provide(simulator({ realNow: frozenAt("2026-03-02T10:00:00") })))
  )

  it.live("refuses what the customer quit or failed with -783", () =>
    Effect.gen(function* () {
      const { customers, payments } = yield* Simulator
      const quit = yield* openWindow()
      yield* customers.cancel(quit)
      refused(yield* approve(quit, "x"), -783)
      const failed = yield* openWindow()
      yield* customers.fail(failed)
      refused(yield* approve(failed, "x"), -783)
      const view = yield* Effect.flatMap(payments.find(failed), Effect.fromOption)
      assert.strictEqual(view.status, "FAIL_AUTH_PASSWORD")
    }).pipe(Effect.provide(simulator()))
  )

  it.live("declines with -780 and ends the payment, unless switched", () =>
    Effect.gen(function* () {
      const { declines, switches } = yield* Simulator
      yield* declines.add({ partnerOrderId: "order-1", methodResultCode: "NOT_ENOUGH_BALANCE", times: 1 })
      const tid = yield* openWindow()
      const token = yield* authenticate(tid)
      refused(yield* approve(tid, token), -780, "NOT_ENOUGH_BALANCE")
      refused(yield* approve(tid, token), -783)
      yield* switches.set({ declinedApproveEndsPayment: false })
      yield* declines.add({ partnerOrderId: "order-1", methodResultCode: "LACK_BALANCE", times: 1 })
      const again = yield* openWindow()
      const nextToken = yield* authenticate(again)
      refused(yield* approve(again, nextToken), -780, "LACK_BALANCE")
      assert.strictEqual((yield* approve(again, nextToken)).status, 200)
    }).pipe(Effect.provide(simulator()))
  )
})

describe("order", () => {
  it.live("tells each of the thirteen statuses", () =>
    Effect.gen(function* () {
      const { customers, declines } = yield* Simulator
      const seen = new Set<unknown>()
      const look = (tid: string, cid = oneTime) =>
        Effect.map(call("order", { cid, tid }), ({ json }) => seen.add(json["status"]))
      const tid = yield* openWindow()
      yield* look(tid)
      for (const action of ["send-tms", "open", "select-method", "wait-for-ars"] as const) {
        yield* customers.act(tid, action)
        yield* look(tid)
      }
      const token = yield* authenticate(tid)
      yield* look(tid)
      yield* approve(tid, token)
      yield* look(tid)
      for (const cancel_amount of [1_000, 10_000]) {
        yield* call("cancel", { cid: oneTime, tid, cancel_amount, cancel_tax_free_amount: 0 })
        yield* look(tid)
      }
      const [quit, failed, declined] = [yield* openWindow(), yield* openWindow(), yield* openWindow()]
      yield* customers.cancel(quit)
      yield* customers.fail(failed)
      yield* declines.add({ methodResultCode: "0002", times: 1 })
      yield* approve(declined, yield* authenticate(declined))
      const registered = yield* openWindow({ cid: recurring, total_amount: 0 })
      yield* approve(registered, yield* authenticate(registered), { cid: recurring })
      for (const other of [quit, failed, declined]) yield* look(other)
      yield* look(registered, recurring)
      assert.sameMembers([...seen], [...PaymentStatus.statuses])
    }).pipe(Effect.provide(simulator()))
  )

  it.live("omits absent fields and lists the actions", () =>
    Effect.gen(function* () {
      const tid = yield* pay()
      const order = yield* call("order", { cid: oneTime, tid })
      assert.strictEqual(order.json["status"], "SUCCESS_PAYMENT")
      assert.notProperty(order.json, "canceled_at")
      assert.notProperty(order.json, "item_code")
      assert.notProperty(order.json, "aid")
      assert.notProperty(order.json, "sid")
      assert.strictEqual(amountAt(order, "cancel_available_amount"), 11_000)
      assert.lengthOf(order.json["payment_action_details"] as ReadonlyArray<unknown>, 1)
      refused(yield* call("order", { cid: recurring, tid }), -721)
    }).pipe(Effect.provide(simulator()))
  )
})
