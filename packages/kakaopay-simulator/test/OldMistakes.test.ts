/**
 * Mistakes that real clients of KakaoPay have made, each played as it was made, and each seen to fail.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { execFileSync } from "node:child_process"
import { Simulator } from "../src/Simulator.ts"
import { SimulatorServer } from "../src/SimulatorServer.ts"
import {
  type Answer,
  approve,
  authenticate,
  call,
  charge,
  frozenAt,
  issueKey,
  oneTime,
  openWindow,
  recurring,
  refused,
  secretKey,
  send,
  simulator,
  textAt
} from "./support.ts"

const attemptsMax = 3

/** Sends a call again when its time is over, as often as the old client did. */
const withBlindRetry = <A, E, R>(send: Effect.Effect<A, E, R>) => Effect.retry(send, { times: attemptsMax - 1 })

describe("a client that makes an old mistake", () => {
  it.live("1. misspells the subscription path: 404, and no charge", () =>
    Effect.gen(function* () {
      const { calls, ledger } = yield* Simulator
      const { url } = yield* SimulatorServer
      const answer = yield* send("POST", `${url}/online/v11/payment/subscription`, {
        headers: { authorization: `SECRET_KEY ${secretKey}`, "content-type": "application/json" },
        body: JSON.stringify({ cid: recurring, sid: yield* issueKey(), total_amount: 12_900 })
      })
      assert.strictEqual(answer.status, 404)
      assert.isEmpty(yield* calls.list({ endpoint: "subscription" }))
      assert.strictEqual((yield* ledger.totals()).captureCount, 0)
    }).pipe(Effect.provide(simulator()))
  )

  it.live("2a. sends a recurring charge again after a read timeout: the ledger holds two captures of one cycle", () =>
    Effect.gen(function* () {
      const { faults, ledger } = yield* Simulator
      const sid = yield* issueKey()
      yield* faults.add({ kind: "timeout-after", endpoint: "subscription", times: 1 })
      const answer = yield* withBlindRetry(charge(sid, {}, { timeoutMillis: 300 }))
      assert.strictEqual(answer.status, 200)
      assert.deepInclude(yield* ledger.totals({ partnerOrderId: "cycle-1" }), {
        captureCount: 2,
        capturedAmount: 25_800
      })
    }).pipe(Effect.provide(simulator()))
  )

  it.live("2b. sends approve again after a read timeout: the customer has paid, and the client reads a failure", () =>
    Effect.gen(function* () {
      const { faults, ledger } = yield* Simulator
      const tid = yield* openWindow()
      const token = yield* authenticate(tid)
      yield* faults.add({ kind: "timeout-after", endpoint: "approve", times: 1 })
      refused(yield* withBlindRetry(approve(tid, token, {}, { timeoutMillis: 300 })), -702)
      assert.strictEqual((yield* ledger.totals({ tid })).captureCount, 1)
    }).pipe(Effect.provide(simulator()))
  )

  it.live(
    "3. reads the code of an error from its extras only: it learns nothing of keys that must not be charged",
    () =>
      Effect.gen(function* () {
        const { billingKeys, switches } = yield* Simulator
        const codeInExtras = ({ json }: Answer): number => {
          const code = Reflect.get(Object(json["extras"]), "method_result_code") as unknown
          return code === undefined ? 0 : Number(json["error_code"])
        }
        const [sid, inactive] = [yield* issueKey(), yield* issueKey()]
        yield* billingKeys.inactivate(inactive)
        const unknown = yield* charge("S0000000000000000000")
        const disconnected = yield* charge(inactive)
        const other = yield* charge(sid, { partner_user_id: "user-2" })
        yield* switches.set({ subscriptionMonthlyCap: 0 })
        const capped = yield* charge(sid)
        const answers = [unknown, disconnected, capped, other]
        assert.deepStrictEqual(
          answers.map(({ json }) => json["error_code"]),
          [-750, -751, -752, -753]
        )
        assert.deepStrictEqual(answers.map(codeInExtras), [0, 0, 0, 0])
      }).pipe(Effect.provide(simulator()))
  )

  it.live("4. looks up and refunds under the one-time contract what was paid under the recurring one: -721", () =>
    Effect.gen(function* () {
      const { ledger } = yield* Simulator
      const tid = textAt(yield* charge(yield* issueKey()), "tid")
      refused(yield* call("order", { cid: oneTime, tid }), -721)
      refused(yield* call("cancel", { cid: oneTime, tid, cancel_amount: 12_900, cancel_tax_free_amount: 0 }), -721)
      assert.strictEqual((yield* ledger.totals({ tid })).netAmount, 12_900)
    }).pipe(Effect.provide(simulator()))
  )

  it.live("5a. reads a date without a zone on a server in UTC: it is nine hours off", () =>
    Effect.gen(function* () {
      const { clock } = yield* Simulator
      const sid = yield* issueKey()
      const approvedAt = textAt(yield* charge(sid), "approved_at")
      assert.notMatch(approvedAt, /Z|[+-]\d\d:?\d\d$/)
      const parse = `console.log(new Date(${JSON.stringify(approvedAt)}).getTime())`
      const parsed = Number(execFileSync(process.execPath, ["-e", parse], { env: { TZ: "UTC" }, encoding: "utf8" }))
      assert.strictEqual(parsed - (yield* clock.nowMillis), 9 * 60 * 60_000)
    }).pipe(Effect.provide(simulator({ realNow: frozenAt("2026-03-02T10:00:00") })))
  )

  it.live("5b. knows half of the amount object: the cup deposit and the points it drops are on the wire", () =>
    Effect.gen(function* () {
      const tid = yield* openWindow({ green_deposit: 300 })
      const approved = yield* approve(tid, yield* authenticate(tid))
      const looked = yield* call("order", { cid: oneTime, tid })
      const amount = { total: 11_000, tax_free: 0, vat: 1_000, point: 0, discount: 0, green_deposit: 300 }
      assert.deepStrictEqual([approved.json["amount"], looked.json["amount"]], [amount, amount])
    }).pipe(Effect.provide(simulator()))
  )

  it.live("6. sends one customer id for everybody: customers lock each other out, and mixed up orders pass", () =>
    Effect.gen(function* () {
      const { faults, ledger } = yield* Simulator
      const [one, another] = [yield* issueKey(), yield* issueKey()]
      yield* faults.add({ kind: "late-commit", match: { sid: one }, times: 1, answer: "gateway-504" })
      yield* charge(one)
      refused(yield* charge(another), -782, "USER_LOCKED")
      // With an id per customer, one customer's key for another's order would not pass as it does here.
      refused(yield* charge(another, { partner_user_id: "user-2" }), -753)
      assert.strictEqual((yield* ledger.totals()).captureCount, 0)
    }).pipe(Effect.provide(simulator({ switches: { lateCommitLocksUser: true } })))
  )

  it.live("7. carries a key in its source: the key of another server opens nothing", () =>
    Effect.gen(function* () {
      const { ledger } = yield* Simulator
      const tid = yield* openWindow(undefined, "a-key-from-the-configuration")
      const answer = yield* call("order", { cid: oneTime, tid }, { key: "DEV0123456789012345678901234567890123456" })
      assert.strictEqual(answer.status, 401)
      assert.strictEqual((yield* ledger.totals()).captureCount, 0)
    }).pipe(Effect.provide(simulator({ secretKey: "a-key-from-the-configuration" })))
  )

  it.live("8. makes the order id anew from the clock at approve: -706, and no money", () =>
    Effect.gen(function* () {
      const { clock, ledger } = yield* Simulator
      const orderId = Effect.map(clock.nowMillis, (millis) => `order-${millis}`)
      const tid = yield* openWindow({ partner_order_id: yield* orderId })
      const token = yield* authenticate(tid)
      yield* clock.advance(1_000)
      refused(yield* approve(tid, token, { partner_order_id: yield* orderId }), -706)
      assert.strictEqual((yield* ledger.totals()).captureCount, 0)
    }).pipe(Effect.provide(simulator()))
  )
})
