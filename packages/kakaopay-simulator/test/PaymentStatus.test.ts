import { assert, describe, it } from "@effect/vitest"
import * as PaymentStatus from "../src/PaymentStatus.ts"

describe("PaymentStatus", () => {
  it("knows the thirteen documented statuses", () => {
    assert.strictEqual(new Set(PaymentStatus.statuses).size, 13)
    assert.sameMembers(Object.keys(PaymentStatus.transitions), [...PaymentStatus.statuses])
  })

  it("never leaves a terminal status", () => {
    for (const status of [
      "CANCEL_PAYMENT",
      "ISSUED_SID",
      "FAIL_AUTH_PASSWORD",
      "QUIT_PAYMENT",
      "FAIL_PAYMENT"
    ] as const) {
      assert.isEmpty(PaymentStatus.transitions[status])
      for (const target of PaymentStatus.statuses) assert.throws(() => PaymentStatus.move(status, target))
    }
  })

  it("moves a paid payment only towards more refund", () => {
    assert.deepStrictEqual(PaymentStatus.transitions.SUCCESS_PAYMENT, ["PART_CANCEL_PAYMENT", "CANCEL_PAYMENT"])
    assert.deepStrictEqual(PaymentStatus.transitions.PART_CANCEL_PAYMENT, ["PART_CANCEL_PAYMENT", "CANCEL_PAYMENT"])
  })

  it("reaches money only from an authenticated payment", () => {
    const sources = PaymentStatus.statuses.filter((from) => PaymentStatus.canMove(from, "SUCCESS_PAYMENT"))
    assert.deepStrictEqual(sources, ["AUTH_PASSWORD"])
  })
})
