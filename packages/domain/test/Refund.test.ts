import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import * as Refund from "../src/Refund.ts"
import * as Arbitraries from "../src/testing/Arbitraries.ts"
import { later, requestedRefund, won } from "../src/testing/Fixtures.ts"
import { law, machineLaws, rejected, succeeded } from "./Laws.ts"

// Tests of refusals hide from the compiler which state they give: it would refuse first.
const wide = (self: Refund.Refund): Refund.Refund => self

const dispatch = { at: later(31), leaseExpiresAt: later(32), refundedBefore: won(0) }
const sent = succeeded(Refund.send(requestedRefund(), dispatch))
const lost = succeeded(Refund.loseAnswer(sent, { at: later(32), nextAskAt: later(37), detail: "timeout" }))

describe("Refund", () => {
  machineLaws<Refund.Refund>({
    transitions: Refund.transitions,
    state: Arbitraries.refund,
    command: Arbitraries.refundCommand,
    is: Schema.is(Refund.Refund)
  })

  law("never changes its amount or its lines", [Arbitraries.refund], (self) => {
    assert.strictEqual(self.amount, requestedRefund().amount)
    assert.deepStrictEqual(self.lines, requestedRefund().lines)
  })

  law("survives being written and read", [Arbitraries.refund], (self) => {
    const codec = Schema.toCodecJson(Refund.Refund)
    assert.deepStrictEqual(
      Schema.decodeUnknownSync(codec)(JSON.parse(JSON.stringify(Schema.encodeSync(codec)(self)))),
      self
    )
  })
})

describe("Refund.send", () => {
  it("counts dispatches", () => {
    assert.strictEqual(sent.dispatches, 1)
    const again = succeeded(Refund.send(succeeded(Refund.requestAgain(sent)), dispatch))
    assert.strictEqual(again.dispatches, 2)
  })

  it("is refused while the answer is awaited or unknown", () => {
    const denial = rejected(Refund.send(wide(sent), dispatch), "RefundTransitionDenied")
    assert.include(denial.message, "is Sent and does not allow send")
    rejected(Refund.send(wide(lost), dispatch), "RefundTransitionDenied")
    rejected(Refund.send(wide(succeeded(Refund.park(requestedRefund()))), dispatch), "RefundTransitionDenied")
  })
})

describe("Refund.complete and reject", () => {
  it("take a definite answer while one is awaited", () => {
    const review = succeeded(Refund.review(lost, later(60), "unclear"))
    for (const self of [sent, lost, review]) {
      assert.deepStrictEqual(succeeded(Refund.complete(self, later(61))).completedAt, later(61))
      assert.strictEqual(succeeded(Refund.reject(self, later(61), "x".repeat(600))).detail.length, 500)
    }
  })

  it("are refused before it was sent and after the end", () => {
    const completed = succeeded(Refund.complete(sent, later(33)))
    for (const self of [requestedRefund(), completed, succeeded(Refund.reject(sent, later(33), ""))]) {
      rejected(Refund.complete(wide(self), later(40)), "RefundTransitionDenied")
      rejected(Refund.reject(wide(self), later(40), ""), "RefundTransitionDenied")
    }
    rejected(Refund.requestAgain(wide(completed)), "RefundTransitionDenied")
  })
})

describe("what is written down about a refund", () => {
  it("has a bounded length, whoever says it", () => {
    const long = "x".repeat(900)
    const kept = [
      succeeded(Refund.loseAnswer(sent, { at: later(32), nextAskAt: later(37), detail: long })),
      succeeded(Refund.review(lost, later(60), long)),
      succeeded(Refund.reject(sent, later(33), long))
    ]
    for (const { detail } of kept) assert.strictEqual(detail, long.slice(0, 500))
  })
})

describe("Refund.askAgain", () => {
  it("counts how often the provider was asked", () => {
    const twice = succeeded(Refund.askAgain(succeeded(Refund.askAgain(lost, later(60))), later(360)))
    assert.deepStrictEqual([twice.asks, twice.nextAskAt], [2, later(360)])
    rejected(Refund.askAgain(wide(sent), later(60)), "RefundTransitionDenied")
  })
})

describe("Refund.park and review", () => {
  it("wait for the payment's name, or a person", () => {
    const parked = succeeded(Refund.park(requestedRefund()))
    assert.strictEqual(succeeded(Refund.requestAgain(parked))._tag, "Requested")
    assert.strictEqual(succeeded(Refund.review(parked, later(60), ""))._tag, "ManualReview")
    rejected(Refund.park(wide(sent)), "RefundTransitionDenied")
    rejected(Refund.review(wide(sent), later(60), ""), "RefundTransitionDenied")
    rejected(
      Refund.loseAnswer(wide(lost), { at: later(60), nextAskAt: later(61), detail: "" }),
      "RefundTransitionDenied"
    )
  })
})
