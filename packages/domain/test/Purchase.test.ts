import { assert, describe, it } from "@effect/vitest"
import * as Attempt from "../src/Attempt.ts"
import * as Order from "../src/Order.ts"
import type { PaymentFound } from "../src/PaymentStrategy.ts"
import { PaymentMethod } from "../src/Provider.ts"
import * as ProviderAnswer from "../src/ProviderAnswer.ts"
import * as Purchase from "../src/Purchase.ts"
import * as Arbitraries from "../src/testing/Arbitraries.ts"
import {
  anyApprovalId,
  anyApprovalToken,
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
  lease,
  orderLine,
  paidOrder,
  placedOrder,
  period,
  preparedAttempt,
  redirectUrls,
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

describe("Purchase.payable", () => {
  it("takes a placed order until its time is over", () => {
    const order = placedOrder()
    assert.strictEqual(succeeded(Purchase.payable(order, later(29))), order)
    const over = rejected(Purchase.payable(order, later(30)), "OrderNotPayable")
    assert.include(over.message, "is Expired and cannot be paid")
  })

  it("refuses an order that is paid or over, and one that an approval holds", () => {
    assert.strictEqual(rejected(Purchase.payable(paidOrder(), at), "OrderNotPayable").state, "Paid")
    assert.strictEqual(rejected(Purchase.payable(expiredOrder(), at), "OrderNotPayable").state, "Expired")
    const underWay = rejected(Purchase.payable(begun(), later(40)), "ApprovalUnderWay")
    assert.strictEqual(underWay.attemptId, attemptId)
    assert.include(underWay.message, attemptId)
  })
})

describe("Purchase.offer", () => {
  const prepared = preparedAttempt({ purpose: forOrder() })
  const opened = { transactionId: anyTransactionId("new"), redirectUrls: redirectUrls(), expiresAt: later(18) }

  it("lets the customer approve it in place of every older transaction that waits", () => {
    const others = [
      prepared,
      awaitingCustomerAttempt({}, 1),
      sentApproval({}, 2),
      awaitingCustomerAttempt({}, 3),
      preparedAttempt({ purpose: forOrder() }, 4)
    ]
    const offer = succeeded(Purchase.offer({ attempt: prepared, others, order: placedOrder() }, opened, at))
    assert.strictEqual(offer.attempt.transactionId, anyTransactionId("new"))
    assert.deepStrictEqual(
      offer.superseded.map((other) => [other._tag, other.id]),
      [1, 3].map((seed) => ["Superseded", anyAttemptId(seed)])
    )
  })

  it("is refused when the order was paid, expired or is being approved meanwhile", () => {
    const offerFor = (order: Order.Order | null, when = at) =>
      Purchase.offer({ attempt: prepared, others: [], order }, opened, when)
    rejected(offerFor(paidOrder()), "OrderNotPayable")
    rejected(offerFor(placedOrder(), later(30)), "OrderNotPayable")
    rejected(offerFor(begun()), "ApprovalUnderWay")
    assert.strictEqual(succeeded(offerFor(null, later(500))).attempt._tag, "AwaitingCustomer")
    rejected(Purchase.offer({ attempt: sent, others: [], order: null }, opened, at), "AttemptTransitionDenied")
  })
})

describe("Purchase.leave and lapse", () => {
  const waiting = awaitingCustomerAttempt()

  it("abandon a waiting transaction that failed at the provider, or whose time is over", () => {
    assert.strictEqual(Purchase.leave(waiting, "failed", at)?.detail, "the customer turned back at the provider")
    assert.strictEqual(Purchase.lapse(waiting, later(15))?.detail, "its time is over")
  })

  it("change nothing else", () => {
    assert.isNull(Purchase.leave(waiting, "waiting", at))
    assert.isNull(Purchase.leave(waiting, "approved", at))
    assert.isNull(Purchase.leave(sent, "failed", at))
    assert.isNull(Purchase.lapse(waiting, later(14)))
    assert.isNull(Purchase.lapse(sent, later(500)))
  })
})

describe("Purchase.sendApproval", () => {
  const dispatch = { at: later(2), lease: lease(), approvalToken: anyApprovalToken }
  const waiting = awaitingCustomerAttempt()

  it("takes the order's place for an approval with the intent of the call", () => {
    const sending = succeeded(Purchase.sendApproval({ attempt: waiting, order: placedOrder() }, dispatch))
    assert.strictEqual(sending.order.approvingAttempt, attemptId)
    assert.deepStrictEqual([sending.attempt.dispatches, sending.attempt.approvalToken], [1, anyApprovalToken])
  })

  it("is refused while another approval holds the order, and when the order is over", () => {
    const held = succeeded(Order.beginApproval(placedOrder(), anyAttemptId("other"), later(1)))
    for (const order of [held, paidOrder(), expiredOrder()]) {
      rejected(Purchase.sendApproval({ attempt: waiting, order }, dispatch), "OrderTransitionDenied")
    }
    const late = { ...dispatch, at: later(30) }
    rejected(Purchase.sendApproval({ attempt: waiting, order: placedOrder() }, late), "OrderTransitionDenied")
  })

  it("sends nothing that is in doubt, superseded or over", () => {
    const order = begun()
    const lost = succeeded(Attempt.loseAnswer(sent, { at, nextAskAt: later(8), detail: "" }))
    for (const attempt of [sent, lost, succeeded(Attempt.supersede(waiting, at))]) {
      rejected(Purchase.sendApproval({ attempt, order }, dispatch), "AttemptTransitionDenied")
    }
  })
})

describe("Purchase.findingOf", () => {
  it("says of each answer what it means for the books", () => {
    const detail = "as told"
    const answers: ReadonlyArray<readonly [ProviderAnswer.ProviderAnswer, Purchase.Finding["_tag"]]> = [
      [
        new ProviderAnswer.Approved({
          transactionId: anyTransactionId(),
          approvalId: anyApprovalId(),
          amount: won(18_000),
          approvedAt: at,
          method: PaymentMethod.make("CARD"),
          billingKey: null
        }),
        "Approved"
      ],
      [new ProviderAnswer.Declined({ reason: softDecline() }), "Declined"],
      [new ProviderAnswer.NotYet({ detail }), "NotYet"],
      [new ProviderAnswer.Expired({ detail }), "Over"],
      [new ProviderAnswer.NotExecuted({ why: "local", detail }), "NotYet"],
      [new ProviderAnswer.NotExecuted({ why: "ours", detail }), "NotYet"],
      [new ProviderAnswer.NotExecuted({ why: "word", detail }), "StillUnknown"],
      [new ProviderAnswer.Unknown({ detail }), "StillUnknown"]
    ]
    for (const [answer, tag] of answers) assert.strictEqual(Purchase.findingOf(answer)._tag, tag, answer._tag)
  })
})

describe("Purchase.findingShown", () => {
  const lost = succeeded(Attempt.loseAnswer(sent, { at, nextAskAt: later(8), detail: "" }))
  const found = {
    standing: "waiting" as PaymentFound["standing"],
    attemptId: attemptId as typeof attemptId | null,
    amount: won(18_000),
    refundedTotal: won(0),
    approvedAt: later(2) as typeof at | null
  }
  const shown = (
    overrides: Partial<typeof found>,
    minutes = 3,
    attempt: Attempt.Unknown = lost
  ): Purchase.Finding["_tag"] =>
    Purchase.findingShown(attempt, { ...found, ...overrides }, { askedAt: later(minutes), graceMinutes: 40 })._tag

  it("takes what is shown approved for approved, and never for over", () => {
    assert.strictEqual(shown({ standing: "approved" }), "Approved")
    assert.strictEqual(shown({ standing: "approved", attemptId: null }), "Approved")
    assert.strictEqual(shown({ standing: "approved", approvedAt: null }, 500), "StillUnknown")
    const unnamed = new Attempt.Unknown({ ...lost, transactionId: null })
    assert.strictEqual(shown({ standing: "approved" }, 500, unnamed), "StillUnknown")
  })

  it("believes that it was not approved only after its time and the grace", () => {
    for (const standing of ["waiting", "failed"] as const) {
      assert.strictEqual(shown({ standing }, 54), "StillUnknown")
      assert.strictEqual(shown({ standing }, 55), "Over")
    }
    // Without a time of its own it counts from when it was sent.
    const timeless = new Attempt.Unknown({ ...lost, expiresAt: null })
    assert.strictEqual(shown({}, 41, timeless), "StillUnknown")
    assert.strictEqual(shown({}, 42, timeless), "Over")
  })

  it("hands what does not fit our books to a person", () => {
    assert.strictEqual(shown({ standing: "approved", attemptId: anyAttemptId("other") }), "NeedsReview")
    assert.strictEqual(shown({ standing: "approved", refundedTotal: won(1) }), "NeedsReview")
  })
})

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

  it("F5, F8: begins one subscription a line, all with the key the approval issued", () => {
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

  it("frees the order when a person found that no money moved", () => {
    const review = succeeded(Purchase.settle(books, { _tag: "NeedsReview", detail: "unclear" }, at)).attempt
    const settled = Purchase.settle({ ...books, attempt: review }, { _tag: "NotExecuted", detail: "통화" }, at)
    const entries = succeeded(settled)
    assert.isTrue(entries.attempt._tag === "NotExecuted" && entries.attempt.why === "inferred")
    assert.isTrue(entries.order?._tag === "Placed" && entries.order.approvingAttempt === null)
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
