import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Amounts from "../src/internal/Amounts.ts"
import { Simulator } from "../src/Simulator.ts"
import {
  amountAt,
  call,
  charge,
  issueKey,
  oneTime,
  openWindow,
  pay,
  recurring,
  refused,
  simulator,
  textAt
} from "./support.ts"

const cancel = (tid: string, amount: number, more: Record<string, unknown> = {}) =>
  call("cancel", { cid: oneTime, tid, cancel_amount: amount, cancel_tax_free_amount: 0, ...more })

describe("cancel", () => {
  it.live("refunds everything at once", () =>
    Effect.gen(function* () {
      const { ledger } = yield* Simulator
      const tid = yield* pay()
      const answer = yield* cancel(tid, 11_000)
      assert.strictEqual(answer.json["status"], "CANCEL_PAYMENT")
      assert.strictEqual(amountAt(answer, "approved_cancel_amount"), 11_000)
      assert.strictEqual(amountAt(answer, "approved_cancel_amount", "vat"), 1_000)
      assert.strictEqual(amountAt(answer, "cancel_available_amount"), 0)
      assert.notProperty(answer.json, "item_code")
      refused(yield* cancel(tid, 1), -784)
      assert.strictEqual((yield* ledger.totals({ tid })).netAmount, 0)
    }).pipe(Effect.provide(simulator()))
  )

  it.live("refunds in parts whose VAT adds up to the payment's", () =>
    Effect.gen(function* () {
      const { ledger } = yield* Simulator
      const tid = yield* pay({ total_amount: 10_000 })
      let vat = 0
      for (const part of [3_333, 3_333, 3_334]) {
        const answer = yield* cancel(tid, part)
        vat += amountAt(answer, "approved_cancel_amount", "vat")
        assert.strictEqual(amountAt(answer, "amount"), 10_000)
        assert.strictEqual(amountAt(answer, "canceled_amount") + amountAt(answer, "cancel_available_amount"), 10_000)
        assert.strictEqual(
          answer.json["status"],
          amountAt(answer, "cancel_available_amount") === 0 ? "CANCEL_PAYMENT" : "PART_CANCEL_PAYMENT"
        )
      }
      assert.strictEqual(vat, Amounts.defaultVat(10_000, 0))
      assert.deepInclude(yield* ledger.totals({ tid }), { refundCount: 3, refundedAmount: 10_000 })
    }).pipe(Effect.provide(simulator()))
  )

  it.live("refuses more than is left, and more than was paid, with different codes", () =>
    Effect.gen(function* () {
      const { ledger } = yield* Simulator
      const tid = yield* pay()
      yield* cancel(tid, 1_000)
      refused(yield* cancel(tid, 10_500), -710)
      refused(yield* cancel(tid, 11_001), -711)
      refused(yield* cancel(tid, 1_000, { cancel_tax_free_amount: 500 }), -722)
      refused(yield* cancel(tid, 1_000, { cancel_vat_amount: 5_000 }), -722)
      refused(yield* cancel(tid, 0), -2)
      refused(yield* cancel("T0000000000000000000", 1), -721)
      refused(yield* cancel(tid, 1, { cid: recurring }), -721)
      assert.strictEqual((yield* ledger.totals({ tid })).refundedAmount, 1_000)
    }).pipe(Effect.provide(simulator()))
  )

  it.live("keeps the tax-free part consistent: no rest may be more tax-free than it is large", () =>
    Effect.gen(function* () {
      const tid = yield* pay({ total_amount: 10_000, tax_free_amount: 4_000 })
      refused(yield* cancel(tid, 7_000), -722)
      refused(yield* cancel(tid, 10_000), -722)
      refused(yield* cancel(tid, 10_000, { cancel_tax_free_amount: 4_000, cancel_vat_amount: 1 }), -722)
      const part = yield* cancel(tid, 3_000, { cancel_tax_free_amount: 1_000 })
      assert.strictEqual(amountAt(part, "approved_cancel_amount", "vat"), Math.round(2_000 / 11))
      assert.strictEqual(amountAt(part, "cancel_available_amount", "tax_free"), 3_000)
      const rest = yield* cancel(tid, 7_000, { cancel_tax_free_amount: 3_000 })
      assert.deepStrictEqual(rest.json["canceled_amount"], rest.json["amount"])
    }).pipe(Effect.provide(simulator()))
  )

  it.live("guards with cancel_available_amount unless that is switched off", () =>
    Effect.gen(function* () {
      const { switches } = yield* Simulator
      const tid = yield* pay()
      yield* cancel(tid, 1_000, { cancel_available_amount: 11_000 })
      refused(yield* cancel(tid, 1_000, { cancel_available_amount: 11_000 }), -710)
      yield* switches.set({ cancelAvailableMismatchCode: -722 })
      refused(yield* cancel(tid, 1_000, { cancel_available_amount: 11_000 }), -722)
      yield* switches.set({ enforceCancelAvailableAmount: false })
      assert.strictEqual((yield* cancel(tid, 1_000, { cancel_available_amount: 11_000 })).status, 200)
    }).pipe(Effect.provide(simulator()))
  )

  it.live("never refunds a cup deposit in part", () =>
    Effect.gen(function* () {
      const tid = yield* pay({ green_deposit: 300 })
      refused(yield* cancel(tid, 1_000), -781, "INVALID_CANCEL_AMOUNT")
      const answer = yield* cancel(tid, 11_000)
      assert.strictEqual(amountAt(answer, "approved_cancel_amount", "green_deposit"), 300)
    }).pipe(Effect.provide(simulator()))
  )

  it.live("refuses what was never paid with -784", () =>
    Effect.gen(function* () {
      const tid = yield* openWindow()
      refused(yield* cancel(tid, 11_000), -784)
    }).pipe(Effect.provide(simulator()))
  )

  it.live("refunds a recurring charge and shows its payload in the actions", () =>
    Effect.gen(function* () {
      const sid = yield* issueKey()
      const tid = textAt(yield* charge(sid), "tid")
      yield* cancel(tid, 2_900, { cid: recurring, payload: "refund-1" })
      const order = yield* call("order", { cid: recurring, tid })
      const actions = order.json["payment_action_details"] as ReadonlyArray<Record<string, unknown>>
      assert.deepStrictEqual(
        actions.map((action) => action["payment_action_type"]),
        ["PAYMENT", "CANCEL"]
      )
      assert.strictEqual(actions[1]?.["payload"], "refund-1")
      assert.strictEqual(actions[1]?.["amount"], 2_900)
      assert.isString(order.json["canceled_at"])
    }).pipe(Effect.provide(simulator({ switches: { sparseActionRate: 0 } })))
  )
})
