import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Simulator } from "../src/Simulator.ts"
import {
  approve,
  authenticate,
  call,
  charge,
  frozenAt,
  issueKey,
  openWindow,
  recurring,
  refused,
  simulator,
  textAt
} from "./support.ts"

const dayMillis = 24 * 60 * 60_000

describe("a billing key", () => {
  it.live("comes from a first payment of 0 won without moving money", () =>
    Effect.gen(function* () {
      const { ledger } = yield* Simulator
      const tid = yield* openWindow({ cid: recurring, total_amount: 0 })
      const answer = yield* approve(tid, yield* authenticate(tid), { cid: recurring })
      assert.match(textAt(answer, "sid"), /^S[0-9a-f]{19}$/)
      const order = yield* call("order", { cid: recurring, tid })
      assert.strictEqual(order.json["status"], "ISSUED_SID")
      assert.strictEqual((yield* ledger.totals()).captureCount, 0)
      const status = yield* call("status", { cid: recurring, sid: textAt(answer, "sid") })
      assert.isNull(status.json["last_approved_at"])
      refused(yield* call("cancel", { cid: recurring, tid, cancel_amount: 1, cancel_tax_free_amount: 0 }), -784)
    }).pipe(Effect.provide(simulator()))
  )

  it.live("comes together with the money of a first payment", () =>
    Effect.gen(function* () {
      const { ledger } = yield* Simulator
      const tid = yield* openWindow({ cid: recurring })
      const answer = yield* approve(tid, yield* authenticate(tid), { cid: recurring })
      const sid = textAt(answer, "sid")
      assert.deepInclude(yield* ledger.totals({ sid }), { captureCount: 1, capturedAmount: 11_000 })
      const status = yield* call("status", { cid: recurring, sid })
      assert.isString(status.json["last_approved_at"])
    }).pipe(Effect.provide(simulator()))
  )

  it.live("is charged again for the same order id: nothing is deduplicated", () =>
    Effect.gen(function* () {
      const { ledger } = yield* Simulator
      const sid = yield* issueKey()
      const first = yield* charge(sid)
      const second = yield* charge(sid)
      assert.notStrictEqual(textAt(first, "tid"), textAt(second, "tid"))
      assert.notStrictEqual(textAt(first, "aid"), textAt(second, "aid"))
      assert.deepInclude(yield* ledger.totals({ partnerOrderId: "cycle-1" }), {
        captureCount: 2,
        capturedAmount: 25_800
      })
    }).pipe(Effect.provide(simulator()))
  )

  it.live("refuses unknown keys, other contracts, other customers and 0 won", () =>
    Effect.gen(function* () {
      const { ledger } = yield* Simulator
      const sid = yield* issueKey()
      refused(yield* charge("S0000000000000000000"), -750)
      refused(yield* charge(sid, { cid: "TC0ONETIME" }), -750)
      refused(yield* charge(sid, { partner_user_id: "user-2" }), -753)
      refused(yield* charge(sid, { total_amount: 0 }), -2)
      refused(yield* charge(sid, { vat_amount: 99_999 }), -722)
      assert.strictEqual((yield* ledger.totals()).captureCount, 0)
    }).pipe(Effect.provide(simulator()))
  )

  it.live("shared by several orders shows only the last of their charges", () =>
    Effect.gen(function* () {
      const { clock, faults, ledger } = yield* Simulator
      const sid = yield* issueKey()
      const lastApproval = Effect.map(call("status", { cid: recurring, sid }), ({ json }) => json["last_approved_at"])
      yield* faults.add({ kind: "timeout-after", match: { partnerOrderId: "line-1" }, times: 1 })
      yield* Effect.flip(charge(sid, { partner_order_id: "line-1" }, { timeoutMillis: 300 }))
      yield* clock.advance(400)
      yield* charge(sid, { partner_order_id: "line-2" })
      // Within one second the two cannot be told apart, so the first is no evidence for either.
      assert.strictEqual(yield* lastApproval, "2026-03-02T10:00:00")
      yield* clock.advance(5_000)
      yield* charge(sid, { partner_order_id: "line-3" })
      assert.strictEqual(yield* lastApproval, "2026-03-02T10:00:05")
      assert.deepStrictEqual(
        (yield* ledger.entries({ sid })).map((entry) => entry.partnerOrderId),
        ["line-1", "line-2", "line-3"]
      )
    }).pipe(
      Effect.provide(simulator({ realNow: frozenAt("2026-03-02T10:00:00"), switches: { approvedAtDriftRate: 0 } }))
    )
  )

  it.live("is capped per Korean calendar month", () =>
    Effect.gen(function* () {
      const { clock } = yield* Simulator
      const sid = yield* issueKey()
      assert.strictEqual((yield* charge(sid)).status, 200)
      assert.strictEqual((yield* charge(sid)).status, 200)
      refused(yield* charge(sid), -752)
      yield* clock.advance(60_000)
      assert.strictEqual((yield* charge(sid)).status, 200)
    }).pipe(
      Effect.provide(simulator({ realNow: frozenAt("2026-01-31T23:59:30"), switches: { subscriptionMonthlyCap: 2 } }))
    )
  )

  it.live("tells its last approval with the second of the charge or the one after", () =>
    Effect.gen(function* () {
      const { clock } = yield* Simulator
      const sid = yield* issueKey()
      yield* clock.advance(40 * dayMillis)
      yield* charge(sid)
      const status = yield* call("status", { cid: recurring, sid })
      assert.include(["2026-04-11T10:00:00", "2026-04-11T10:00:01"], status.json["last_approved_at"])
      assert.strictEqual(status.json["created_at"], "2026-03-02T10:00:00")
      assert.strictEqual(status.json["available"], true)
      assert.strictEqual(status.json["status"], "ACTIVE")
    }).pipe(Effect.provide(simulator({ realNow: frozenAt("2026-03-02T10:00:00") })))
  )

  it.live("does not change its last approval on a declined charge", () =>
    Effect.gen(function* () {
      const { declines } = yield* Simulator
      const sid = yield* issueKey()
      yield* declines.add({ sid, methodResultCode: "NOT_ENOUGH_BALANCE", times: 2 })
      refused(yield* charge(sid), -782, "NOT_ENOUGH_BALANCE")
      refused(yield* charge(sid), -782, "NOT_ENOUGH_BALANCE")
      assert.isNull((yield* call("status", { cid: recurring, sid })).json["last_approved_at"])
      assert.strictEqual((yield* charge(sid)).status, 200)
    }).pipe(Effect.provide(simulator()))
  )

  it.live("stays inactive for good", () =>
    Effect.gen(function* () {
      const { switches } = yield* Simulator
      const sid = yield* issueKey()
      const first = yield* call("inactive", { cid: recurring, sid })
      assert.strictEqual(first.json["status"], "INACTIVE")
      assert.isString(first.json["inactivated_at"])
      refused(yield* charge(sid), -751)
      const status = yield* call("status", { cid: recurring, sid })
      assert.strictEqual(status.json["available"], false)
      assert.strictEqual(status.json["status"], "INACTIVE")
      assert.strictEqual((yield* call("inactive", { cid: recurring, sid })).status, 200)
      yield* switches.set({ repeatedInactive: "error" })
      refused(yield* call("inactive", { cid: recurring, sid }), -751)
    }).pipe(Effect.provide(simulator()))
  )

  it.live("can be disconnected by the customer without a word to the merchant", () =>
    Effect.gen(function* () {
      const { billingKeys } = yield* Simulator
      const sid = yield* issueKey()
      yield* billingKeys.inactivate(sid)
      refused(yield* charge(sid), -751)
      const unknown = yield* Effect.flip(billingKeys.inactivate("S0"))
      assert.strictEqual(unknown._tag, "UnknownBillingKey")
    }).pipe(Effect.provide(simulator()))
  )
})
