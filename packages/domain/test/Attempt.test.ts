import { assert, describe, it } from "@effect/vitest"
import { DateTime, Result, Schema } from "effect"
import * as fc from "fast-check"
import * as Attempt from "../src/Attempt.ts"
import { targetsOf } from "../src/State.ts"
import * as Arbitraries from "../src/testing/Arbitraries.ts"
import {
  anyApprovalToken,
  anyRefundId,
  anyTransactionId,
  approvedAttempt,
  awaitingCustomerAttempt,
  awaitingReference,
  forOrder,
  forRegistration,
  hardDecline,
  knownReference,
  later,
  lease,
  preparedAttempt,
  redirectUrls,
  sentApproval,
  sentAttempt,
  softDecline,
  unknownAttempt,
  won
} from "../src/testing/Fixtures.ts"
import * as Won from "../src/Won.ts"
import { law, machineLaws, rejected, succeeded } from "./Laws.ts"

// Tests of refusals hide from the compiler which state they give: it would refuse first.
const wide = (self: Attempt.Attempt): Attempt.Attempt => self

const dispatch = { at: later(3), lease: lease(), baseline: null, approvalToken: null }
const approveWith = (reference: Attempt.Reference, isOwed = true) => ({
  at: later(4),
  reference,
  amount: won(18_000),
  isOwed
})
/** An attempt in any state, as a caller that read it has it. */
const any = (self: Attempt.Attempt): Attempt.Attempt => self
const inferred = (self: Attempt.Attempt) =>
  succeeded(Attempt.notExecuted(self, { at: later(900), why: "inferred", detail: "" }))

describe("Attempt", () => {
  machineLaws<Attempt.Attempt>({
    transitions: Attempt.transitions,
    state: Arbitraries.attempt,
    command: Arbitraries.attemptCommand,
    is: Schema.is(Attempt.Attempt)
  })

  law("never forgets what it was to send", [Arbitraries.attempt], (self) => {
    const { amount, id, paymentId, quantity } = preparedAttempt()
    assert.strictEqual(self.id, id)
    assert.strictEqual(self.paymentId, paymentId)
    assert.strictEqual(self.quantity, quantity)
    assert.strictEqual(self.amount, self.purpose._tag === "ForRegistration" ? 0 : amount)
  })

  law("survives being written and read", [Arbitraries.attempt], (self) => {
    const codec = Schema.toCodecJson(Attempt.Attempt)
    assert.deepStrictEqual(
      Schema.decodeUnknownSync(codec)(JSON.parse(JSON.stringify(Schema.encodeSync(codec)(self)))),
      self
    )
  })
})

describe("Attempt.send", () => {
  it("counts dispatches over the customer's waiting", () => {
    const first = sentApproval()
    assert.strictEqual(first.dispatches, 1)
    const second = succeeded(Attempt.send(succeeded(Attempt.waitAgain(first)), dispatch))
    assert.strictEqual(second.dispatches, 2)
    assert.strictEqual(second.transactionId, first.transactionId)
  })

  it("never sends a charge again once it may have moved money", () => {
    const denial = rejected(Attempt.send(unknownAttempt(), dispatch), "AttemptTransitionDenied")
    assert.strictEqual(denial.from, "Unknown")
    assert.include(denial.message, "is Unknown and does not allow send")
    rejected(Attempt.send(wide(sentAttempt()), dispatch), "AttemptTransitionDenied")
    rejected(
      Attempt.send(wide(succeeded(Attempt.review(unknownAttempt(), later(9), ""))), dispatch),
      "AttemptTransitionDenied"
    )
    rejected(Attempt.send(wide(inferred(unknownAttempt())), dispatch), "AttemptTransitionDenied")
  })

  it("repeats a customer's approval in doubt with its own transaction only", () => {
    const lost = succeeded(Attempt.loseAnswer(sentApproval(), { at: later(3), nextAskAt: later(8), detail: "timeout" }))
    const again = succeeded(Attempt.send(lost, { ...dispatch, approvalToken: anyApprovalToken }))
    assert.strictEqual(again.transactionId, anyTransactionId())
    assert.strictEqual(again.dispatches, 2)
    const nameless = succeeded(
      Attempt.loseAnswer(sentAttempt({ purpose: forOrder() }), { at: later(3), nextAskAt: later(8), detail: "" })
    )
    rejected(Attempt.send(nameless, dispatch), "AttemptTransitionDenied")
  })

  it("never sends a charge again, not even one that the provider knows by a transaction", () => {
    const known = new Attempt.Unknown({ ...unknownAttempt(), transactionId: anyTransactionId() })
    rejected(Attempt.send(any(known), dispatch), "AttemptTransitionDenied")
  })

  law(
    "of a charge happens at most once in any history",
    [fc.array(Arbitraries.attemptCommand, { maxLength: 30 })],
    (commands) => {
      const self = Arbitraries.play<Attempt.Attempt>(preparedAttempt(), commands)
      if ("dispatches" in self) assert.isAtMost(self.dispatches, self._tag === "AwaitingCustomer" ? 0 : 1)
    },
    500
  )
})

describe("Attempt.mayHaveMovedMoney", () => {
  it("holds from the moment it is sent until it is known that nothing moved", () => {
    for (const self of [sentAttempt(), unknownAttempt(), approvedAttempt()]) {
      assert.isTrue(Attempt.mayHaveMovedMoney(self), self._tag)
    }
    const declined = succeeded(Attempt.decline(sentAttempt(), later(4), softDecline()))
    for (const self of [preparedAttempt(), awaitingCustomerAttempt(), declined, inferred(unknownAttempt())]) {
      assert.isFalse(Attempt.mayHaveMovedMoney(self), self._tag)
    }
  })
})

describe("Attempt.awaitCustomer", () => {
  it("never makes a charge wait for a customer, who could then approve it a second time", () => {
    const prepared = { transactionId: anyTransactionId(), redirectUrls: redirectUrls(), expiresAt: later(15) }
    rejected(Attempt.awaitCustomer(preparedAttempt(), prepared), "AttemptTransitionDenied")
    const waiting = succeeded(Attempt.awaitCustomer(preparedAttempt({ purpose: forOrder() }), prepared))
    assert.deepStrictEqual([waiting.transactionId, waiting.dispatches], [anyTransactionId(), 0])
  })
})

describe("Attempt.abandon", () => {
  it("never abandons a charge, which no customer approves", () => {
    rejected(Attempt.abandon(sentAttempt(), later(3), ""), "AttemptTransitionDenied")
    rejected(Attempt.abandon(unknownAttempt(), later(3), ""), "AttemptTransitionDenied")
  })

  it("ends a transaction the customer left", () => {
    assert.strictEqual(succeeded(Attempt.abandon(awaitingCustomerAttempt(), later(3), "left")).detail, "left")
    assert.strictEqual(succeeded(Attempt.abandon(sentApproval(), later(3), "x".repeat(900))).detail.length, 500)
  })
})

describe("Attempt.withdraw", () => {
  it("takes back only what was never sent", () => {
    assert.strictEqual(
      succeeded(Attempt.withdraw(preparedAttempt(), later(1), "over capacity")).detail,
      "over capacity"
    )
    rejected(Attempt.withdraw(wide(sentAttempt()), later(1), ""), "AttemptTransitionDenied")
    rejected(Attempt.withdraw(wide(awaitingCustomerAttempt()), later(1), ""), "AttemptTransitionDenied")
  })
})

describe("Attempt.askAgain", () => {
  it("counts how often the provider was asked", () => {
    const once = succeeded(Attempt.askAgain(unknownAttempt(), later(60)))
    const twice = succeeded(Attempt.askAgain(once, later(360)))
    assert.strictEqual(twice.asks, 2)
    assert.deepStrictEqual(twice.nextAskAt, later(360))
    assert.deepStrictEqual(twice.unknownSince, unknownAttempt().unknownSince)
  })
})

describe("Attempt.approve", () => {
  it("takes a definite approval from every state in which money may have moved", () => {
    const review = succeeded(Attempt.review(unknownAttempt(), later(9), ""))
    for (const self of [sentAttempt(), unknownAttempt(), review, inferred(unknownAttempt())]) {
      const approved = succeeded(Attempt.approve(self, approveWith(knownReference())))
      assert.strictEqual(approved._tag, "Approved")
      assert.strictEqual(Attempt.refundable(approved), 18_000)
    }
  })

  it("is a surplus when nothing is owed any more", () => {
    assert.strictEqual(
      succeeded(Attempt.approve(unknownAttempt(), approveWith(knownReference(), false)))._tag,
      "ApprovedSurplus"
    )
  })

  it("gives an inferred approval its name, once", () => {
    for (const isOwed of [true, false]) {
      const nameless = succeeded(Attempt.approve(unknownAttempt(), approveWith(awaitingReference(), isOwed)))
      rejected(Attempt.approve(nameless, approveWith(awaitingReference(), isOwed)), "AttemptTransitionDenied")
      const named = succeeded(Attempt.approve(nameless, approveWith(knownReference(later(7)), isOwed)))
      assert.strictEqual(named._tag, nameless._tag)
      assert.strictEqual(named.reference._tag, "Known")
      rejected(Attempt.approve(named, approveWith(knownReference(), isOwed)), "AttemptTransitionDenied")
    }
  })

  it("is refused before the call was sent and after a definite end", () => {
    const ended: ReadonlyArray<Attempt.Attempt> = [
      preparedAttempt(),
      awaitingCustomerAttempt(),
      succeeded(Attempt.decline(sentAttempt(), later(2), softDecline())),
      succeeded(Attempt.supersede(awaitingCustomerAttempt(), later(2)))
    ]
    for (const self of ended) rejected(Attempt.approve(self, approveWith(knownReference())), "AttemptTransitionDenied")
  })
})

describe("Attempt.decline", () => {
  it("keeps the provider's reason", () => {
    const declined = succeeded(Attempt.decline(sentAttempt(), later(2), hardDecline()))
    assert.isTrue(declined._tag === "Declined" && declined.reason._tag === "Hard")
  })

  it("hands a contradicted inferred approval to a person", () => {
    const nameless = succeeded(Attempt.approve(unknownAttempt(), approveWith(awaitingReference())))
    const contradicted = succeeded(Attempt.decline(nameless, later(60), softDecline()))
    assert.strictEqual(contradicted._tag, "ManualReview")
  })

  it("never undoes an approval that the provider named", () => {
    const denial = rejected(
      Attempt.decline(any(approvedAttempt()), later(60), softDecline()),
      "AttemptTransitionDenied"
    )
    assert.strictEqual(denial.command, "decline")
  })
})

describe("Attempt.review", () => {
  it("never hands over an approval that the provider named: its money is ours and may be refunded", () => {
    const reserved = succeeded(Attempt.reserveRefund(approvedAttempt(), won(9_000)))
    rejected(Attempt.review(approvedAttempt(), later(60), ""), "AttemptTransitionDenied")
    rejected(Attempt.review(reserved, later(60), ""), "AttemptTransitionDenied")
  })

  it("is refused where nothing was sent", () => {
    rejected(Attempt.review(wide(preparedAttempt()), later(1), ""), "AttemptTransitionDenied")
  })

  it("keeps a bounded detail", () => {
    assert.strictEqual(succeeded(Attempt.review(unknownAttempt(), later(9), "x".repeat(900))).detail.length, 500)
  })
})

describe("what is written down about an attempt", () => {
  it("has a bounded length, whoever says it", () => {
    const long = "x".repeat(900)
    const nameless = succeeded(Attempt.approve(unknownAttempt(), approveWith(awaitingReference())))
    const kept = [
      succeeded(Attempt.withdraw(preparedAttempt(), later(1), long)),
      succeeded(Attempt.abandon(awaitingCustomerAttempt(), later(3), long)),
      succeeded(Attempt.loseAnswer(sentAttempt(), { at: later(1), nextAskAt: later(6), detail: long })),
      succeeded(Attempt.review(nameless, later(9), long)),
      succeeded(Attempt.notExecuted(sentAttempt(), { at: later(1), why: "word", detail: long }))
    ]
    for (const { detail } of kept) assert.strictEqual(detail, long.slice(0, 500))
  })
})

describe("Attempt.waitAgain", () => {
  it("needs to know the transaction, where it is approved and until when", () => {
    for (const forgotten of [{ transactionId: null }, { redirectUrls: null }, { expiresAt: null }]) {
      const sent = new Attempt.Sent({ ...sentApproval(), ...forgotten })
      rejected(Attempt.waitAgain(any(sent)), "AttemptTransitionDenied")
    }
  })

  it("needs a transaction to wait for", () => {
    rejected(Attempt.waitAgain(sentAttempt()), "AttemptTransitionDenied")
    assert.deepStrictEqual(succeeded(Attempt.waitAgain(sentApproval())).expiresAt, awaitingCustomerAttempt().expiresAt)
  })
})

describe("Attempt.isOpen and isInDoubt", () => {
  it("are true exactly while money may still move, or moved and nobody knows", () => {
    const review = succeeded(Attempt.review(unknownAttempt(), later(9), ""))
    for (const self of [preparedAttempt(), awaitingCustomerAttempt(), sentAttempt()]) {
      assert.deepStrictEqual([Attempt.isOpen(any(self)), Attempt.isInDoubt(any(self))], [true, false], self._tag)
    }
    for (const self of [unknownAttempt(), review]) {
      assert.deepStrictEqual([Attempt.isOpen(any(self)), Attempt.isInDoubt(any(self))], [true, true], self._tag)
    }
    const settled = [
      approvedAttempt(),
      succeeded(Attempt.approve(sentAttempt(), approveWith(knownReference(), false))),
      succeeded(Attempt.decline(sentAttempt(), later(2), softDecline())),
      inferred(unknownAttempt()),
      succeeded(Attempt.withdraw(preparedAttempt(), later(1), "")),
      succeeded(Attempt.abandon(awaitingCustomerAttempt(), later(3), "")),
      succeeded(Attempt.supersede(awaitingCustomerAttempt(), later(2)))
    ]
    for (const self of settled) {
      assert.deepStrictEqual([Attempt.isOpen(self), Attempt.isInDoubt(self)], [false, false], self._tag)
    }
  })

  law("tell what the table allows", [Arbitraries.attempt], (self) => {
    if (Attempt.isInDoubt(self)) assert.isTrue(Attempt.isOpen(self))
    if (targetsOf<Attempt.Tag>(Attempt.transitions, self._tag).length === 0) assert.isFalse(Attempt.isOpen(self))
  })
})

describe("Attempt.reserveRefund", () => {
  it("refuses nothing, and more than is left", () => {
    const approved = approvedAttempt()
    const tooMuch = rejected(Attempt.reserveRefund(approved, won(18_001)), "RefundNotAvailable")
    assert.strictEqual(tooMuch.available, 18_000)
    assert.include(tooMuch.message, "18001 won cannot be refunded: 18000 won are left")
    rejected(Attempt.reserveRefund(approved, Won.zero), "RefundNotAvailable")
    const half = succeeded(Attempt.reserveRefund(approved, won(10_000)))
    assert.strictEqual(rejected(Attempt.reserveRefund(half, won(8_001)), "RefundNotAvailable").available, 8_000)
  })

  it("is refused where no money moved", () => {
    rejected(Attempt.reserveRefund(wide(sentAttempt()), won(1)), "AttemptTransitionDenied")
  })

  law(
    "and its end keep approved ≥ refunded + reserved in any history",
    [fc.array(Arbitraries.attemptCommand, { maxLength: 40 })],
    (commands) => {
      const start: Attempt.Attempt = sentAttempt()
      const self = Arbitraries.play<Attempt.Attempt>(
        commands.length % 2 === 0
          ? succeeded(Attempt.approve(start, approveWith(knownReference(), false)))
          : approvedAttempt(),
        commands
      )
      if (!("approved" in self)) return
      assert.isAtLeast(self.refunded, 0)
      assert.isAtLeast(self.reserved, 0)
      assert.isAtMost(self.refunded + self.reserved, self.approved)
    },
    1_000
  )
})

describe("Attempt.endRefund", () => {
  const begun = (amount: number) =>
    succeeded(Attempt.beginRefund(succeeded(Attempt.reserveRefund(approvedAttempt(), won(amount))), anyRefundId()))

  it("lets one refund be under way at a time", () => {
    rejected(Attempt.beginRefund(begun(9_000), anyRefundId(1)), "AttemptTransitionDenied")
    rejected(Attempt.endRefund(begun(9_000), anyRefundId(1), won(9_000), "completed"), "AttemptTransitionDenied")
  })

  it("moves a completed amount from reserved to refunded", () => {
    const ended = succeeded(Attempt.endRefund(begun(9_000), anyRefundId(), won(9_000), "completed"))
    assert.isTrue("approved" in ended)
    assert.deepStrictEqual([ended.refunded, ended.reserved, ended.refundInFlight], [won(9_000), won(0), null])
  })

  it("frees a rejected amount", () => {
    const ended = succeeded(Attempt.endRefund(begun(9_000), anyRefundId(), won(9_000), "rejected"))
    assert.deepStrictEqual([ended.refunded, ended.reserved, ended.refundInFlight], [won(0), won(0), null])
  })

  it("keeps an amount reserved that is to be tried again", () => {
    const ended = succeeded(Attempt.endRefund(begun(9_000), anyRefundId(), won(9_000), "retry"))
    assert.deepStrictEqual([ended.refunded, ended.reserved, ended.refundInFlight], [won(0), won(9_000), null])
  })

  it("refuses an amount that was not reserved", () => {
    for (const outcome of ["completed", "rejected"] as const) {
      rejected(Attempt.endRefund(begun(9_000), anyRefundId(), won(9_001), outcome), "AttemptTransitionDenied")
    }
  })

  it("leaves what was owed an approval, and what was not a surplus, on every step", () => {
    for (const isOwed of [true, false]) {
      const approved = succeeded(Attempt.approve(sentAttempt(), approveWith(knownReference(), isOwed)))
      const reserved = succeeded(Attempt.reserveRefund(approved, won(9_000)))
      const sent = succeeded(Attempt.beginRefund(reserved, anyRefundId()))
      const ended = succeeded(Attempt.endRefund(sent, anyRefundId(), won(9_000), "completed"))
      const tag = isOwed ? "Approved" : "ApprovedSurplus"
      assert.deepStrictEqual([reserved._tag, sent._tag, ended._tag], [tag, tag, tag])
    }
    const all = succeeded(Attempt.endRefund(begun(18_000), anyRefundId(), won(18_000), "completed"))
    assert.strictEqual(all._tag, "Approved")
  })

  it("ends a surplus only when all of it went back, and then gives nothing back any more", () => {
    const surplus = succeeded(Attempt.approve(sentAttempt(), approveWith(knownReference(), false)))
    const step = (self: Attempt.Attempt, amount: number) =>
      Result.flatMap(Attempt.reserveRefund(self, won(amount)), (reserved) =>
        Result.flatMap(Attempt.beginRefund(reserved, anyRefundId()), (sent) =>
          Attempt.endRefund(sent, anyRefundId(), won(amount), "completed")
        )
      )
    const part = succeeded(step(surplus, 8_000))
    assert.strictEqual(part._tag, "ApprovedSurplus")
    const refunded = succeeded(step(part, 10_000))
    assert.strictEqual(refunded._tag, "Refunded")
    if (refunded._tag !== "Refunded") return
    rejected(Attempt.beginRefund(any(refunded), anyRefundId()), "AttemptTransitionDenied")
    const held = new Attempt.Refunded({ ...refunded, refundInFlight: anyRefundId() })
    rejected(Attempt.endRefund(any(held), anyRefundId(), won(0), "retry"), "AttemptTransitionDenied")
  })
})

describe("Attempt.answerName", () => {
  it("tells kinds of not executed apart", () => {
    assert.strictEqual(Attempt.answerName({ _tag: "NotExecuted", why: "word", detail: "" }), "NotExecuted(word)")
    assert.strictEqual(Attempt.answerName({ _tag: "Unknown", detail: "" }), "Unknown")
  })
})

describe("a registration", () => {
  it("is approved without money", () => {
    const sent = sentApproval({ purpose: forRegistration(), amount: Won.zero })
    const approved = succeeded(Attempt.approve(sent, { ...approveWith(knownReference()), amount: Won.zero }))
    assert.isTrue(approved._tag === "Approved" && Attempt.refundable(approved) === 0)
    assert.isTrue(DateTime.isUtc(approved.settledAt))
  })
})
