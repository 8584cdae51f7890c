import { assert, describe, it } from "@effect/vitest"
import * as Attempt from "../src/Attempt.ts"
import * as Order from "../src/Order.ts"
import * as Purchase from "../src/Purchase.ts"
import * as Arbitraries from "../src/testing/Arbitraries.ts"
import {
  anyAttemptId,
  anyOrderLineId,
  anyProviderBillingKey,
  anyTransactionId,
  awaitingCustomerAttempt,
  day,
  expiredOrder,
  forOrder,
  knownReference,
  later,
  orderLine,
  paidOrder,
  placedOrder,
  period,
  sentApproval,
  softDecline,
  subscriptionLine,
  won
} from "../src/testing/Fixtures.ts"
import { law, rejected, succeeded } from "./Laws.ts"

const attemptId = anyAttemptId()
const begun = (lines = [orderLine()]) => succeeded(Order.beginApproval(placedOrder({ lines }), attemptId, later(2)))
const sent = sentApproval()
const at = later(3)

const approved = (overrides: { readonly billingKey?: boolean; readonly amount?: number } = {}): Purchase.Outcome => ({
  _tag: "Approved",
  reference: knownReference(later(2)),
  amount: won(overrides.amount ?? 18_000),
  billingKey: overrides.billingKey === true ? anyProviderBillingKey() : null
})
const tags = (entries: Purchase.Entries) => entries.events.map((event) => event._tag)

describe("Purchase.settle, approved", () => {
  it("pays the order once", () => {
    const entries = succeeded(Purchase.settle({ attempt: sent, order: begun() }, approved(), at))
    assert.isTrue(entries.isPaid && entries.attempt._tag === "Approved")
    assert.isTrue(entries.order?._tag === "Paid" && entries.order.paidBy === attemptId)
    assert.isUndefined(entries.key)
    assert.deepStrictEqual([...entries.subscriptions, ...entries.cycles], [])
    assert.deepStrictEqual(tags(entries), ["OrderPaid"])
    const again = { attempt: entries.attempt, order: entries.order ?? begun() }
    rejected(Purchase.settle(again, approved(), at), "AttemptTransitionDenied")
  })

  it("begins one subscription a line, all with the key the approval issued", () => {
    const lines = [orderLine(), subscriptionLine({}, 1), subscriptionLine({ period: period(60) }, 2)]
    const attempt = sentApproval({ amount: won(54_000), purpose: forOrder({ issuesBillingKey: true }) })
    const entries = succeeded(
      Purchase.settle({ attempt, order: begun(lines) }, approved({ billingKey: true, amount: 54_000 }), at)
    )
    assert.isTrue(entries.key?._tag === "Active" && entries.key.liveUses === 2)
    assert.deepStrictEqual(entries.key?.lastKnownApproval, later(2))
    assert.deepStrictEqual(
      entries.subscriptions.map((self) => [
        self._tag,
        self.orderLineId,
        self.anchor,
        "billingKeyId" in self ? self.billingKeyId : null
      ]),
      [1, 2].map((seed) => ["Active", anyOrderLineId(seed), day("2026-01-15"), entries.key?.id ?? null])
    )
    assert.deepStrictEqual(
      entries.cycles.map((cycle) => [cycle._tag, cycle.number, cycle.gridDate]),
      [
        ["Due", 1, day("2026-02-14")],
        ["Due", 1, day("2026-03-16")]
      ]
    )
    assert.deepStrictEqual(tags(entries), ["OrderPaid", "SubscriptionStarted", "SubscriptionStarted"])
  })

  it("asks for a key where the approval gave none", () => {
    const entries = succeeded(Purchase.settle({ attempt: sent, order: begun([subscriptionLine()]) }, approved(), at))
    assert.deepStrictEqual(
      entries.subscriptions.map((self) => self._tag),
      ["AwaitingBillingKey"]
    )
    assert.deepStrictEqual(
      entries.cycles.map((cycle) => cycle._tag),
      ["AwaitingKey"]
    )
    assert.deepStrictEqual(tags(entries), ["OrderPaid", "SubscriptionStarted", "BillingKeyRegistrationRequested"])
  })

  it("keeps no key that no line would use", () => {
    const entries = succeeded(Purchase.settle({ attempt: sent, order: begun() }, approved({ billingKey: true }), at))
    assert.isUndefined(entries.key)
  })

  it("gives everything back when the order is not open any more", () => {
    for (const order of [paidOrder({ paidBy: anyAttemptId("other") }), expiredOrder()]) {
      const entries = succeeded(Purchase.settle({ attempt: sent, order }, approved(), at))
      assert.isTrue(entries.attempt._tag === "ApprovedSurplus" && entries.attempt.reserved === 18_000)
      assert.isFalse(entries.isPaid)
      assert.isUndefined(entries.order)
      assert.deepStrictEqual([entries.refund?.amount, entries.refund?.lines.length], [won(18_000), 0])
      assert.deepStrictEqual(tags(entries), ["RefundRequested"])
    }
  })

  it("of another amount goes to a person, and the order stays held", () => {
    const entries = succeeded(Purchase.settle({ attempt: sent, order: begun() }, approved({ amount: 17_999 }), at))
    assert.strictEqual(entries.attempt._tag, "ManualReview")
    assert.isUndefined(entries.order)
    assert.deepStrictEqual(tags(entries), ["PaymentNeedsReview"])
  })
})

describe("Purchase.settle, not approved", () => {
  const books = { attempt: sent, order: begun() }

  it("frees the order for another try", () => {
    const outcomes: ReadonlyArray<readonly [Purchase.Outcome, Attempt.Tag]> = [
      [{ _tag: "Declined", reason: softDecline() }, "Declined"],
      [{ _tag: "NotYet" }, "AwaitingCustomer"],
      [{ _tag: "Over", detail: "expired" }, "Abandoned"]
    ]
    for (const [outcome, tag] of outcomes) {
      const entries = succeeded(Purchase.settle(books, outcome, at))
      assert.strictEqual(entries.attempt._tag, tag)
      assert.isTrue(entries.order?._tag === "Placed" && entries.order.approvingAttempt === null)
      assert.isFalse(entries.isPaid)
    }
  })

  it("leaves an order alone that another attempt holds", () => {
    const order = succeeded(Order.beginApproval(placedOrder(), anyAttemptId("other"), later(2)))
    const entries = succeeded(Purchase.settle({ attempt: sent, order }, { _tag: "NotYet" }, at))
    assert.isUndefined(entries.order)
    assert.deepStrictEqual([entries.attempt._tag, entries.isPaid], ["AwaitingCustomer", false])
    assert.deepStrictEqual([...entries.subscriptions, ...entries.cycles, ...entries.events], [])
  })

  it("tells a person what is unclear, within limits", () => {
    const entries = succeeded(Purchase.settle(books, { _tag: "NeedsReview", detail: "x".repeat(900) }, at))
    const [event] = entries.events
    assert.isTrue(event?._tag === "PaymentNeedsReview" && event.detail === "x".repeat(500))
  })

  it("keeps the order held while nobody knows", () => {
    const lost: Purchase.Outcome = { _tag: "Lost", nextAskAt: later(8), detail: "timeout" }
    const entries = succeeded(Purchase.settle(books, lost, at))
    assert.strictEqual(entries.attempt._tag, "Unknown")
    assert.isUndefined(entries.order)
    const again = succeeded(Purchase.settle({ ...books, attempt: entries.attempt }, lost, at))
    assert.isTrue(again.attempt._tag === "Unknown" && again.attempt.asks === 1)
    const review = succeeded(Purchase.settle(books, { _tag: "NeedsReview", detail: "unclear" }, at))
    assert.isUndefined(review.order)
  })

  it("is refused before the approval was sent", () => {
    rejected(
      Purchase.settle({ ...books, attempt: awaitingCustomerAttempt() }, approved(), at),
      "AttemptTransitionDenied"
    )
    rejected(
      Purchase.settle({ ...books, attempt: awaitingCustomerAttempt() }, { _tag: "NotYet" }, at),
      "AttemptTransitionDenied"
    )
  })

  it("loses a lost approval no more than once: found later, it pays the order", () => {
    const lost = succeeded(Purchase.settle(books, { _tag: "Lost", nextAskAt: later(8), detail: "" }, at))
    const entries = succeeded(
      Purchase.settle({ ...books, attempt: lost.attempt }, approved({ billingKey: true }), later(60))
    )
    assert.isTrue(entries.isPaid)
    assert.isTrue("transactionId" in entries.attempt && entries.attempt.transactionId === anyTransactionId())
  })
})

describe("Purchase.settle, whatever the order", () => {
  law(
    "explains every won: it pays the order or goes back in full",
    [Arbitraries.order],
    (order) => {
      const attempt = sentApproval({ amount: order.total })
      const entries = succeeded(
        Purchase.settle({ attempt, order }, { ...approved(), amount: order.total } as Purchase.Outcome, at)
      )
      assert.isTrue("approved" in entries.attempt)
      if (!("approved" in entries.attempt)) return
      assert.strictEqual(entries.attempt.approved, order.total)
      if (entries.isPaid) assert.strictEqual(entries.attempt.reserved, 0)
      else assert.strictEqual(entries.refund?.amount, order.total)
      assert.strictEqual(entries.isPaid, order._tag === "Placed")
    },
    500
  )

  law(
    "begins a subscription for each line that is one, and a cycle for each subscription",
    [Arbitraries.placedOrder],
    (order) => {
      const attempt = sentApproval({ amount: order.total })
      const outcome = { ...approved({ billingKey: true }), amount: order.total } as Purchase.Outcome
      const entries = succeeded(Purchase.settle({ attempt, order }, outcome, at))
      const lines = order.lines.filter((line) => line.period !== null)
      assert.deepStrictEqual(
        entries.subscriptions.map((self) => self.orderLineId),
        lines.map((line) => line.id)
      )
      assert.deepStrictEqual(
        entries.cycles.map((cycle) => cycle.subscriptionId),
        entries.subscriptions.map((self) => self.id)
      )
      assert.strictEqual(entries.key?.liveUses ?? 0, lines.length)
    }
  )
})
