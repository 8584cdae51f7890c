import { assert, describe, it } from "@effect/vitest"
import * as Attempt from "../src/Attempt.ts"
import * as Order from "../src/Order.ts"
import * as PaymentStrategy from "../src/PaymentStrategy.ts"
import * as ProviderAnswer from "../src/ProviderAnswer.ts"
import * as Refund from "../src/Refund.ts"
import * as Repayment from "../src/Repayment.ts"
import {
  anyItemId,
  anyOrderLineId,
  anyRefundId,
  anyTransactionId,
  approvedAttempt,
  awaitingReference,
  knownReference,
  later,
  orderLine,
  paidOrder,
  placedOrder,
  quantity,
  requestedRefund,
  sentApproval,
  won
} from "../src/testing/Fixtures.ts"
import { rejected, succeeded } from "./Laws.ts"

const first = anyOrderLineId(0)
const second = anyOrderLineId(1)
// Three units at 9,000 won and one at 5,000: 32,000 won.
const order = paidOrder({
  lines: [orderLine({ quantity: quantity(3) }), orderLine({ unitPrice: won(5_000), quantity: quantity(1) }, 1)]
})
const attempt = approvedAttempt({ amount: won(32_000) })
const at = later(40)

const ask = (
  lines: ReadonlyArray<Order.RefundLine> | "rest",
  account: Partial<Repayment.Account> = {},
  seed: number | string = 0
) =>
  Repayment.request(
    { order, attempt, refunds: [], ...account },
    { id: anyRefundId(seed), lines, reason: "단순 변심", at: later(30) }
  )

const trying = { dispatchesMax: 8, until: later(4_000) }
const dispatch = { at: later(31), leaseExpiresAt: later(33) }
const oneUnit = succeeded(ask([{ lineId: first, quantity: 1 }]))
const sent = succeeded(Repayment.send(succeeded(Repayment.ready(oneUnit, trying, at)), dispatch))
const books: Repayment.Books = { ...sent, order }
const lost = succeeded(Refund.loseAnswer(sent.refund, { at: later(32), nextAskAt: later(37), detail: "timeout" }))
const inDoubt: Repayment.Books = { ...books, refund: lost }

const tags = (entries: { readonly events: ReadonlyArray<{ readonly _tag: string }> }) =>
  entries.events.map((event) => event._tag)

describe("Repayment.request", () => {
  it("sets aside what the units cost, and tells", () => {
    const requested = succeeded(
      ask([
        { lineId: first, quantity: 2 },
        { lineId: second, quantity: 1 }
      ])
    )
    assert.deepStrictEqual([requested.refund.amount, requested.attempt.reserved], [won(23_000), won(23_000)])
    assert.strictEqual(requested.refund.attemptId, attempt.id)
    assert.deepStrictEqual(tags(requested), ["RefundRequested"])
  })

  it("counts units that refunds under way asked for, and not those of refunds that were refused", () => {
    const open = { attempt: oneUnit.attempt, refunds: [oneUnit.refund] }
    const rest = succeeded(ask("rest", open, 1))
    assert.deepStrictEqual([rest.refund.amount, rest.attempt.reserved], [won(23_000), won(32_000)])
    assert.strictEqual(rejected(ask([{ lineId: first, quantity: 3 }], open, 1), "RefundLinesInvalid").available, 2)
    const refusal = succeeded(Repayment.settle(books, { _tag: "Refused", detail: "" }, at))
    assert.strictEqual(succeeded(ask("rest", { attempt, refunds: [refusal.refund] }, 1)).refund.amount, 32_000)
  })

  it("is refused above the rest, for an order that is not paid, and for a payment that is not approved", () => {
    const drained = succeeded(Attempt.reserveRefund(attempt, won(30_000)))
    const denial = rejected(ask([{ lineId: first, quantity: 1 }], { attempt: drained }), "RefundNotAvailable")
    assert.deepStrictEqual([denial.asked, denial.available], [won(9_000), won(2_000)])
    rejected(ask("rest", { order: placedOrder() }), "OrderTransitionDenied")
    rejected(ask("rest", { attempt: sentApproval() }), "AttemptTransitionDenied")
    rejected(ask([]), "RefundLinesInvalid")
  })

  it("cuts a long reason to what a refund holds, between two characters", () => {
    const kept = (reason: string) =>
      succeeded(Repayment.request({ order, attempt, refunds: [] }, { id: anyRefundId(), lines: "rest", reason, at }))
        .refund.reason
    assert.strictEqual(kept("x".repeat(500)), "x".repeat(Refund.reasonLengthMax))
    assert.strictEqual(kept(`x${"🙂".repeat(150)}`), `x${"🙂".repeat(99)}`)
  })
})

describe("Repayment.ready and send", () => {
  it("name the payment and what is left of it, so that the provider refuses what our books do not explain", () => {
    const done = succeeded(Repayment.settle(books, { _tag: "Done" }, at))
    const next = succeeded(
      ask("rest", { order: done.order ?? order, attempt: done.attempt ?? attempt, refunds: [done.refund] }, 1)
    )
    const ready = succeeded(Repayment.ready(next, trying, at))
    assert.deepStrictEqual([ready.transactionId, ready.available], [anyTransactionId(), won(23_000)])
    const { attempt: held, refund } = succeeded(Repayment.send(ready, dispatch))
    assert.deepStrictEqual([held.refundInFlight, refund.refundedBefore], [anyRefundId(1), won(9_000)])
  })

  it("send one refund of a payment at a time, one in doubt counted", () => {
    const next = succeeded(ask("rest", { attempt: sent.attempt, refunds: [lost] }, 1))
    const underWay = rejected(Repayment.ready(next, trying, at), "RefundUnderWay")
    assert.strictEqual(underWay.refundId, oneUnit.refund.id)
    assert.include(underWay.message, oneUnit.refund.id)
    rejected(Repayment.ready({ ...sent, refund: lost }, trying, at), "RefundTransitionDenied")
  })

  it("wait for the provider's name of the payment", () => {
    const inferred = new Attempt.Approved({ ...oneUnit.attempt, reference: awaitingReference() } as Attempt.Approved)
    const waiting = { refund: oneUnit.refund, attempt: inferred }
    assert.include(rejected(Repayment.ready(waiting, trying, at), "PaymentUnnamed").message, "is not known yet")
    assert.strictEqual(Repayment.park(waiting)?._tag, "Parked")
    assert.isNull(Repayment.park(oneUnit))
    assert.isNull(Repayment.park({ ...waiting, refund: lost }))
    assert.isNull(Repayment.park({ ...waiting, attempt: sentApproval() }))
  })

  it("give up when it was tried both often and for long", () => {
    const often = { ...oneUnit, refund: new Refund.Requested({ ...oneUnit.refund, dispatches: 8 }) }
    succeeded(Repayment.ready(often, trying, later(3_999)))
    succeeded(Repayment.ready(oneUnit, trying, later(4_000)))
    const vain = rejected(Repayment.ready(often, trying, later(4_000)), "SentInVain")
    assert.include(vain.message, "8 times")
    rejected(Repayment.ready({ ...oneUnit, attempt: sentApproval() }, trying, at), "AttemptTransitionDenied")
    const reviewed = succeeded(Repayment.review(often.refund, vain.message, at))
    assert.strictEqual(reviewed.refund._tag, "ManualReview")
    assert.deepStrictEqual(tags(reviewed), ["PaymentNeedsReview"])
  })
})

describe("Repayment.findingOf", () => {
  const detail = "as told"
  const doneTotal = (total: number) => new PaymentStrategy.RefundDone({ refundedTotal: won(total), at })
  const refusal = new PaymentStrategy.RefundRefused({ code: "-781", detail })

  it("believes done only together with the total", () => {
    assert.strictEqual(Repayment.findingOf(sent.refund, doneTotal(9_000), null)._tag, "Done")
    assert.strictEqual(Repayment.findingOf(sent.refund, doneTotal(18_000), null)._tag, "StillUnknown")
  })

  it("believes a refusal only when nothing was given back, and never of a surplus", () => {
    assert.strictEqual(Repayment.findingOf(sent.refund, refusal, won(0))._tag, "Refused")
    assert.strictEqual(Repayment.findingOf(sent.refund, refusal, won(9_000))._tag, "Done")
    assert.strictEqual(Repayment.findingOf(sent.refund, refusal, won(1))._tag, "StillUnknown")
    assert.strictEqual(Repayment.findingOf(sent.refund, refusal, null)._tag, "StillUnknown")
    const surplus = new Refund.Sent({ ...sent.refund, orderId: null })
    assert.strictEqual(Repayment.findingOf(surplus, refusal, won(0))._tag, "StillUnknown")
  })

  it("sends again what provably was not sent, and asks about the rest", () => {
    const tagOf = (answer: PaymentStrategy.RefundAnswer) => Repayment.findingOf(sent.refund, answer, null)._tag
    assert.strictEqual(tagOf(new ProviderAnswer.NotExecuted({ why: "local", detail })), "NotExecuted")
    assert.strictEqual(tagOf(new ProviderAnswer.NotExecuted({ why: "ours", detail })), "NotExecuted")
    assert.strictEqual(tagOf(new ProviderAnswer.NotExecuted({ why: "word", detail })), "StillUnknown")
    assert.strictEqual(tagOf(new ProviderAnswer.Unknown({ detail })), "StillUnknown")
  })
})

describe("Repayment.findingShown", () => {
  const shown = (total: number | null, minutes = 800) =>
    Repayment.findingShown(lost, total === null ? null : won(total), {
      askedAt: later(minutes),
      believedFrom: later(900)
    })._tag

  it("decides by what the provider gave back in all", () => {
    assert.strictEqual(shown(9_000), "Done")
    assert.strictEqual(shown(0), "StillUnknown")
    assert.strictEqual(shown(0, 900), "NotExecuted")
    assert.strictEqual(shown(null, 900), "StillUnknown")
    assert.strictEqual(shown(8_999), "NeedsReview")
    assert.strictEqual(shown(18_000, 900), "NeedsReview")
  })
})

describe("Repayment.settle", () => {
  it("done, moves the amount, gives the units back and takes the sales back", () => {
    for (const read of [books, inDoubt]) {
      const entries = succeeded(Repayment.settle(read, { _tag: "Done" }, at))
      assert.strictEqual(entries.refund._tag, "Completed")
      assert.isTrue(
        entries.attempt?._tag === "Approved" &&
          entries.attempt.refunded === 9_000 &&
          entries.attempt.reserved === 0 &&
          entries.attempt.refundInFlight === null
      )
      assert.isTrue(entries.order?._tag === "PartiallyRefunded" && entries.order.refundedTotal === 9_000)
      assert.deepStrictEqual(entries.returned, [{ lineId: first, itemId: anyItemId(), quantity: 1 }])
      assert.deepStrictEqual(tags(entries), ["RefundCompleted"])
      const again = { refund: entries.refund, attempt: entries.attempt ?? attempt, order: entries.order ?? order }
      rejected(Repayment.settle(again, { _tag: "Done" }, at), "RefundTransitionDenied")
    }
  })

  it("makes an order refunded only when every unit is back", () => {
    let account: Repayment.Account = { order, attempt, refunds: [] }
    const states: Array<string> = []
    for (const [index, lineId] of [first, second, first, first].entries()) {
      const requested = succeeded(ask([{ lineId, quantity: 1 }], account, index))
      const sending = succeeded(Repayment.send(succeeded(Repayment.ready(requested, trying, at)), dispatch))
      const entries = succeeded(Repayment.settle({ ...sending, order: account.order }, { _tag: "Done" }, at))
      assert.isDefined(entries.order)
      account = {
        order: entries.order ?? order,
        attempt: entries.attempt ?? attempt,
        refunds: [...account.refunds, entries.refund]
      }
      states.push(account.order._tag)
    }
    assert.deepStrictEqual(states, ["PartiallyRefunded", "PartiallyRefunded", "PartiallyRefunded", "Refunded"])
    assert.isTrue(account.attempt._tag === "Approved" && Attempt.refundable(account.attempt) === 0)
    rejected(ask("rest", account, 9), "OrderTransitionDenied")
  })

  it("refused, frees the amount and tells the user", () => {
    const entries = succeeded(Repayment.settle(inDoubt, { _tag: "Refused", detail: "-781" }, at))
    assert.isTrue(entries.attempt?._tag === "Approved" && Attempt.refundable(entries.attempt) === 32_000)
    assert.isUndefined(entries.order)
    assert.deepStrictEqual(tags(entries), ["RefundRejected"])
  })

  it("not executed, keeps the amount aside and may be sent again", () => {
    const entries = succeeded(Repayment.settle(books, { _tag: "NotExecuted", detail: "" }, at))
    assert.isTrue(entries.attempt?._tag === "Approved" && entries.attempt.reserved === 9_000)
    assert.strictEqual(entries.refund._tag, "Requested")
    succeeded(Repayment.ready({ refund: entries.refund, attempt: entries.attempt ?? attempt }, trying, at))
    const review = succeeded(Repayment.settle(inDoubt, { _tag: "NeedsReview", detail: "" }, at)).refund
    rejected(
      Repayment.settle({ ...books, refund: review }, { _tag: "NotExecuted", detail: "" }, at),
      "RefundTransitionDenied"
    )
  })

  it("lost, is asked about again and again, and holds its place meanwhile", () => {
    const outcome: Repayment.Outcome = { _tag: "Lost", nextAskAt: later(60), detail: "timeout" }
    const once = succeeded(Repayment.settle(books, outcome, at))
    assert.isTrue(once.refund._tag === "Unknown" && once.refund.asks === 0)
    assert.isUndefined(once.attempt)
    const twice = succeeded(Repayment.settle({ ...books, refund: once.refund }, outcome, at))
    assert.isTrue(twice.refund._tag === "Unknown" && twice.refund.asks === 1)
    rejected(Repayment.settle({ ...books, refund: oneUnit.refund }, outcome, at), "RefundTransitionDenied")
  })

  it("unclear, goes to a person once it is in doubt", () => {
    const entries = succeeded(Repayment.settle(inDoubt, { _tag: "NeedsReview", detail: "18000 in all" }, at))
    assert.strictEqual(entries.refund._tag, "ManualReview")
    assert.deepStrictEqual(tags(entries), ["PaymentNeedsReview"])
    rejected(Repayment.settle(books, { _tag: "NeedsReview", detail: "" }, at), "RefundTransitionDenied")
    rejected(
      Repayment.settle({ ...books, refund: oneUnit.refund }, { _tag: "NeedsReview", detail: "" }, at),
      "RefundTransitionDenied"
    )
  })

  it("sends a refund again that was not executed, also when its answer had been lost", () => {
    const entries = succeeded(Repayment.settle(inDoubt, { _tag: "NotExecuted", detail: "" }, at))
    assert.strictEqual(entries.refund._tag, "Requested")
  })

  it("of a surplus touches no order, and ends the attempt", () => {
    const approved = succeeded(
      Attempt.approve(sentApproval({ amount: won(32_000) }), {
        at,
        reference: knownReference(),
        amount: won(32_000),
        isOwed: false
      })
    )
    const reserved = succeeded(Attempt.reserveRefund(approved, won(32_000)))
    const refund = requestedRefund({ orderId: null, lines: [], amount: won(32_000) })
    const sending = succeeded(
      Repayment.send(succeeded(Repayment.ready({ refund, attempt: reserved }, trying, at)), dispatch)
    )
    const entries = succeeded(Repayment.settle({ ...sending, order: null }, { _tag: "Done" }, at))
    assert.deepStrictEqual([entries.attempt?._tag, entries.order, entries.returned], ["Refunded", undefined, []])
  })

  it("contradicts books whose payment holds another refund, and tells sales of lines that exist alone", () => {
    const other = { ...books, attempt: succeeded(Attempt.beginRefund(oneUnit.attempt, anyRefundId("other"))) }
    rejected(Repayment.settle(other, { _tag: "Done" }, at), "AttemptTransitionDenied")
    rejected(Repayment.settle({ ...books, order: placedOrder() }, { _tag: "Done" }, at), "OrderTransitionDenied")
    const foreign = new Refund.Sent({ ...sent.refund, lines: [{ lineId: anyOrderLineId("none"), quantity: 1 }] })
    assert.deepStrictEqual(
      succeeded(Repayment.settle({ ...books, refund: foreign }, { _tag: "Done" }, at)).returned,
      []
    )
  })
})

describe("Repayment.decide", () => {
  const held: Repayment.Books = {
    ...books,
    refund: succeeded(Repayment.settle(inDoubt, { _tag: "NeedsReview", detail: "" }, at)).refund
  }
  // Handed over before it was ever sent: nothing of it is in flight.
  const unsent: Repayment.Books = {
    refund: succeeded(Repayment.review(oneUnit.refund, "sent in vain", at)).refund,
    attempt: oneUnit.attempt,
    order
  }

  it("gives the money back in the books, whether it was in flight or not", () => {
    for (const each of [held, unsent]) {
      const entries = succeeded(Repayment.decide(each, "completed", "통화", at))
      assert.strictEqual(entries.refund._tag, "Completed")
      assert.isTrue(
        entries.attempt?._tag === "Approved" &&
          entries.attempt.refunded === 9_000 &&
          entries.attempt.reserved === 0 &&
          entries.attempt.refundInFlight === null
      )
      assert.strictEqual(entries.order?._tag, "PartiallyRefunded")
      assert.deepStrictEqual(tags(entries), ["RefundCompleted"])
    }
  })

  it("frees what was set aside, and says why", () => {
    for (const each of [held, unsent]) {
      const entries = succeeded(Repayment.decide(each, "rejected", "통화", at))
      assert.isTrue(entries.refund._tag === "Rejected" && entries.refund.detail === "통화")
      assert.isTrue(entries.attempt?._tag === "Approved" && entries.attempt.reserved === 0)
      assert.deepStrictEqual(tags(entries), ["RefundRejected"])
    }
  })

  it("has it sent again with its tries counted anew", () => {
    for (const each of [held, unsent]) {
      const entries = succeeded(Repayment.decide(each, "requested", "통화", at))
      assert.isTrue(entries.refund._tag === "Requested" && entries.refund.dispatches === 0)
      assert.isTrue(
        entries.attempt?._tag === "Approved" &&
          entries.attempt.reserved === 9_000 &&
          entries.attempt.refundInFlight === null
      )
    }
  })

  it("decides nothing that is not in review, or while another refund is in flight", () => {
    rejected(Repayment.decide(books, "completed", "통화", at), "RefundTransitionDenied")
    const busy = succeeded(Attempt.beginRefund(oneUnit.attempt, anyRefundId("other")))
    rejected(Repayment.decide({ ...unsent, attempt: busy }, "completed", "통화", at), "AttemptTransitionDenied")
    const unknown = { ...unsent, attempt: sentApproval() }
    rejected(Repayment.decide(unknown, "completed", "통화", at), "AttemptTransitionDenied")
  })
})
