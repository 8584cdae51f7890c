import { assert, describe, it } from "@effect/vitest"
import type { DateTime } from "effect"
import * as fc from "fast-check"
import * as Attempt from "../src/Attempt.ts"
import * as BillingCycle from "../src/BillingCycle.ts"
import * as BillingKey from "../src/BillingKey.ts"
import * as BusinessDate from "../src/BusinessDate.ts"
import * as DeclineReason from "../src/DeclineReason.ts"
import { DunningPolicy, standard } from "../src/DunningPolicy.ts"
import * as Renewal from "../src/Renewal.ts"
import * as SubscriptionOrder from "../src/SubscriptionOrder.ts"
import * as Arbitraries from "../src/testing/Arbitraries.ts"
import {
  activeKey,
  anyAttemptId,
  awaitingReference,
  blockedDecline,
  day,
  dueCycle,
  hardDecline,
  inDoubtCycle,
  inFlightCycle,
  keylessCycle,
  keylessSubscription,
  knownReference,
  later,
  pastDueSubscription,
  preparedAttempt,
  lease,
  softDecline,
  subscription,
  timeOn,
  won,
  quantity
} from "../src/testing/Fixtures.ts"
import { law, rejected, succeeded } from "./Laws.ts"

const holder = anyAttemptId()
const sentOn = (date: string) =>
  succeeded(Attempt.send(preparedAttempt(), { at: timeOn(date), lease: lease(), baseline: null, approvalToken: null }))

/** The books of a charge that was sent on its due date, 2026-02-14. */
const books = (overrides: Partial<Renewal.Books> = {}): Renewal.Books => ({
  attempt: sentOn("2026-02-14"),
  cycle: inFlightCycle(),
  subscription: subscription(),
  key: activeKey({ inFlight: holder }),
  ...overrides
})

const context = (
  at: DateTime.Utc = timeOn("2026-02-14", 10, 1),
  finalAction: DunningPolicy["finalAction"] = "cancel"
) => ({
  at,
  policy: DunningPolicy.make({ ...standard, finalAction })
})

const approved = (at = timeOn("2026-02-14")): Renewal.Outcome => ({
  _tag: "Approved",
  reference: knownReference(at),
  amount: won(18_000)
})
const declined = (reason: Extract<Renewal.Outcome, { readonly _tag: "Declined" }>["reason"]): Renewal.Outcome => ({
  _tag: "Declined",
  reason
})
const notExecuted = (why: Attempt.NotExecuted["why"]): Renewal.Outcome => ({ _tag: "NotExecuted", why, detail: "" })
const lost: Renewal.Outcome = { _tag: "Lost", nextAskAt: timeOn("2026-02-14", 10, 6), detail: "timeout" }
const tags = (entries: Pick<Renewal.Entries, "events">) => entries.events.map((event) => event._tag)

const cancelled = succeeded(SubscriptionOrder.cancel(subscription(), "owner", timeOn("2026-02-14", 10, 1)))
const unknownAttempt = succeeded(
  Attempt.loseAnswer(sentOn("2026-02-14"), { at: timeOn("2026-02-14", 10, 1), nextAskAt: later(6), detail: "" })
)
const heldByOther = succeeded(BillingCycle.send(dueCycle(), anyAttemptId("other"), quantity(2)))
const closedByOther = succeeded(BillingCycle.charge(inFlightCycle(), anyAttemptId("other"), day("2026-02-14")))
const doubtful = books({ attempt: unknownAttempt, cycle: inDoubtCycle() })
const retries = (cycle: BillingCycle.BillingCycle | undefined) =>
  cycle?._tag === "RetryDue" ? [cycle.step, cycle.nextAttemptOn] : [cycle?._tag, null]

describe("Renewal.settle, approved", () => {
  it("charges the cycle, opens the next, frees the key and makes a paid order", () => {
    const entries = succeeded(Renewal.settle(books(), approved(), context()))
    assert.strictEqual(entries.attempt?._tag, "Approved")
    assert.isTrue(entries.cycle?._tag === "Charged" && entries.cycle.chargedOn === "2026-02-14")
    assert.isNull(entries.key?.inFlight)
    assert.deepStrictEqual(entries.key?.lastKnownApproval, timeOn("2026-02-14"))
    assert.deepStrictEqual(
      entries.opened.map((cycle) => [cycle._tag, cycle.number, cycle.gridDate]),
      [["Due", 2, day("2026-03-16")]]
    )
    assert.deepStrictEqual([entries.order?.total, entries.order?.paidBy], [won(18_000), holder])
    assert.isFalse(entries.order?.lines.some((line) => line.period !== null))
    assert.deepStrictEqual(
      entries.order?.lines.map((line) => [line.originPrice, line.unitPrice, line.quantity]),
      [[won(9_000), won(9_000), quantity(2)]]
    )
    assert.strictEqual(entries.order?.discountTotal, 0)
    assert.deepStrictEqual(tags(entries), ["CycleCharged"])
  })

  it("F26: makes a past due subscription active again", () => {
    const entries = succeeded(Renewal.settle(books({ subscription: pastDueSubscription() }), approved(), context()))
    assert.strictEqual(entries.subscription?._tag, "Active")
  })

  it("is dated by when it was sent, not by when it became known", () => {
    const entries = succeeded(Renewal.settle(doubtful, approved(), context(timeOn("2026-02-16"))))
    assert.isTrue(entries.cycle?._tag === "Charged" && entries.cycle.chargedOn === "2026-02-14")
  })

  it("records the deliveries that passed in an outage", () => {
    const late = books({ attempt: sentOn("2026-04-20") })
    const entries = succeeded(Renewal.settle(late, approved(), context(timeOn("2026-04-20", 10, 1))))
    assert.deepStrictEqual(
      entries.opened.map((cycle) => [cycle._tag, cycle.number, cycle.gridDate]),
      [
        ["Skipped", 2, day("2026-03-16")],
        ["Skipped", 3, day("2026-04-15")],
        ["Due", 4, day("2026-05-15")]
      ]
    )
  })

  it("of another amount goes to a person, and keeps the key held", () => {
    const entries = succeeded(
      Renewal.settle(books(), { ...approved(), amount: won(17_999) } as Renewal.Outcome, context())
    )
    assert.strictEqual(entries.attempt?._tag, "ManualReview")
    assert.strictEqual(entries.cycle?._tag, "InDoubt")
    assert.isNotNull(entries.key?.inFlight)
    assert.isTrue(entries.attempt?._tag === "ManualReview" && entries.attempt.transactionId !== null)
    assert.deepStrictEqual(tags(entries), ["PaymentNeedsReview"])
  })

  it("of another amount and without a name is known to a person by its time alone", () => {
    const outcome: Renewal.Outcome = { ...approved(), reference: awaitingReference(later(1)) } as Renewal.Outcome
    const entries = succeeded(Renewal.settle(books(), { ...outcome, amount: won(1) } as Renewal.Outcome, context()))
    assert.isTrue(entries.attempt?._tag === "ManualReview" && entries.attempt.transactionId === null)
    assert.deepStrictEqual(entries.key?.lastKnownApproval, later(1))
  })

  it("is refunded in full when the subscription was cancelled meanwhile", () => {
    const entries = succeeded(
      Renewal.settle(
        books({ subscription: cancelled, key: activeKey({ inFlight: holder, liveUses: 0 }) }),
        approved(),
        context()
      )
    )
    assert.isTrue(entries.attempt?._tag === "ApprovedSurplus" && entries.attempt.reserved === 18_000)
    assert.deepStrictEqual([entries.refund?.amount, entries.refund?.orderId], [won(18_000), null])
    assert.strictEqual(entries.cycle?._tag, "Abandoned")
    assert.deepStrictEqual([...entries.opened], [])
    assert.isUndefined(entries.order)
    assert.deepStrictEqual(tags(entries), ["RefundRequested", "BillingKeyUnused"])
  })

  it("is refunded in full when the cycle was paid by another attempt", () => {
    const paid = succeeded(BillingCycle.charge(inFlightCycle(), anyAttemptId("other"), day("2026-02-14")))
    const entries = succeeded(Renewal.settle(books({ cycle: paid }), approved(), context()))
    assert.strictEqual(entries.attempt?._tag, "ApprovedSurplus")
    assert.isTrue(entries.cycle?._tag === "Charged" && entries.cycle.openAttempt === null)
    assert.deepStrictEqual(tags(entries), ["RefundRequested"])
  })

  it("closes an open cycle when it comes late, and leaves the other attempt's slots alone", () => {
    const inferred = succeeded(Attempt.notExecuted(unknownAttempt, { at: later(900), why: "inferred", detail: "" }))
    const other = anyAttemptId("other")
    const again = succeeded(BillingCycle.send(dueCycle(), other, quantity(2)))
    const entries = succeeded(
      Renewal.settle(
        books({ attempt: inferred, cycle: again, key: activeKey({ inFlight: other }) }),
        approved(),
        context(timeOn("2026-02-16"))
      )
    )
    assert.isTrue(
      entries.cycle?._tag === "Charged" && entries.cycle.openAttempt === other && entries.cycle.chargedBy === holder
    )
    assert.strictEqual(entries.key?.inFlight, other)
    // Had the other attempt been approved too, its money would go back.
    const second = succeeded(
      Renewal.settle(
        books({ attempt: { ...sentOn("2026-02-15"), id: other } as Attempt.Sent, cycle: entries.cycle ?? again }),
        approved(),
        context(timeOn("2026-02-16"))
      )
    )
    assert.strictEqual(second.attempt?._tag, "ApprovedSurplus")
  })

  it("teaches an inferred approval its name without charging twice", () => {
    const entries = succeeded(
      Renewal.settle(
        doubtful,
        { ...approved(), reference: awaitingReference(timeOn("2026-02-14")) } as Renewal.Outcome,
        context(timeOn("2026-02-15"))
      )
    )
    assert.isTrue(entries.attempt?._tag === "Approved" && entries.attempt.reference._tag === "Awaiting")
    const named = succeeded(
      Renewal.settle(
        books({ attempt: entries.attempt ?? unknownAttempt, cycle: entries.cycle ?? inDoubtCycle() }),
        approved(),
        context(timeOn("2026-02-20"))
      )
    )
    assert.isTrue(named.attempt?._tag === "Approved" && named.attempt.reference._tag === "Known")
    assert.isUndefined(named.cycle)
    assert.isUndefined(named.order)
    assert.deepStrictEqual([...named.opened, ...named.events], [])
  })

  it("teaches an inferred surplus its name without giving it back twice", () => {
    const surplus = succeeded(
      Renewal.settle(
        { ...doubtful, subscription: cancelled },
        { ...approved(), reference: awaitingReference(timeOn("2026-02-14")) } as Renewal.Outcome,
        context()
      )
    )
    const named = succeeded(
      Renewal.settle(
        books({ attempt: surplus.attempt ?? unknownAttempt, cycle: surplus.cycle ?? inDoubtCycle() }),
        approved(),
        context(timeOn("2026-02-20"))
      )
    )
    assert.isTrue(named.attempt?._tag === "ApprovedSurplus" && named.attempt.reference._tag === "Known")
    assert.deepStrictEqual([named.refund, named.cycle], [undefined, undefined])
    assert.deepStrictEqual([...named.opened, ...named.events], [])
  })

  it("of a cancelled subscription leaves a cycle alone that another attempt holds", () => {
    const cycle = succeeded(BillingCycle.send(dueCycle(), anyAttemptId("other"), quantity(2)))
    const entries = succeeded(Renewal.settle(books({ cycle, subscription: cancelled }), approved(), context()))
    assert.strictEqual(entries.attempt?._tag, "ApprovedSurplus")
    assert.isUndefined(entries.cycle)
  })

  it("of nothing, where nothing is owed, has nothing to give back and is refused", () => {
    const attempt = succeeded(
      Attempt.send(preparedAttempt({ amount: won(0) }), {
        at: timeOn("2026-02-14"),
        lease: lease(),
        baseline: null,
        approvalToken: null
      })
    )
    const outcome = { ...approved(), amount: won(0) } as Renewal.Outcome
    rejected(Renewal.settle(books({ attempt, subscription: cancelled }), outcome, context()), "RefundNotAvailable")
  })

  it("recorded before is refused, so that nothing is booked twice", () => {
    const entries = succeeded(Renewal.settle(books(), approved(), context()))
    const again = books({ attempt: entries.attempt ?? unknownAttempt, cycle: entries.cycle ?? inFlightCycle() })
    rejected(Renewal.settle(again, approved(), context()), "AttemptTransitionDenied")
  })

  it("of a paused subscription keeps it paused", () => {
    const paused = succeeded(SubscriptionOrder.pause(subscription(), "owner", null))
    const entries = succeeded(Renewal.settle({ ...doubtful, subscription: paused }, approved(), context()))
    assert.strictEqual(entries.subscription?._tag, "Paused")
    assert.strictEqual(entries.opened.length, 1)
  })
})

describe("Renewal.settle, declined", () => {
  it("softly climbs the ladder and falls behind", () => {
    const entries = succeeded(Renewal.settle(books(), declined(softDecline()), context()))
    assert.deepStrictEqual(retries(entries.cycle), [1, day("2026-02-15")])
    assert.strictEqual(entries.subscription?._tag, "PastDue")
    assert.isNull(entries.key?.inFlight)
    const [event] = entries.events
    assert.isTrue(event?._tag === "CycleDeclined" && event.nextAttemptOn === "2026-02-15" && event.severity === "Soft")
    assert.deepStrictEqual(tags(entries), ["CycleDeclined"])
    assert.deepStrictEqual([...entries.opened], [])
  })

  it("softly on the last day cancels, lets go of the key and tells", () => {
    const cycle = inFlightCycle({ ladderStart: day("2026-02-14"), step: 3 })
    const entries = succeeded(
      Renewal.settle(
        books({ attempt: sentOn("2026-02-19"), cycle, subscription: pastDueSubscription() }),
        declined(softDecline()),
        context(timeOn("2026-02-19", 10, 1))
      )
    )
    assert.isTrue(entries.cycle?._tag === "Abandoned" && entries.cycle.reason === "dunning")
    assert.isTrue(entries.subscription?._tag === "Cancelled" && entries.subscription.reason === "dunning")
    assert.deepStrictEqual([entries.key?.liveUses, entries.key?.inFlight], [0, null])
    assert.strictEqual(entries.attempt?._tag, "Declined")
    assert.deepStrictEqual([...entries.opened], [])
    assert.deepStrictEqual(tags(entries), ["CycleDeclined", "SubscriptionCancelled", "BillingKeyUnused"])
  })

  it("softly on the last day keeps a key that another subscription charges", () => {
    const cycle = inFlightCycle({ ladderStart: day("2026-02-14"), step: 3 })
    const key = activeKey({ inFlight: holder, liveUses: 2 })
    const entries = succeeded(
      Renewal.settle(
        books({ attempt: sentOn("2026-02-19"), cycle, key }),
        declined(softDecline()),
        context(timeOn("2026-02-19"))
      )
    )
    assert.deepStrictEqual(tags(entries), ["CycleDeclined", "SubscriptionCancelled"])
  })

  it("softly on the last day pauses or skips where the policy says so, and opens the next cycle", () => {
    const cycle = inFlightCycle({ ladderStart: day("2026-02-14"), step: 3 })
    const exhausted = books({ attempt: sentOn("2026-02-19"), cycle, subscription: pastDueSubscription() })
    const paused = succeeded(Renewal.settle(exhausted, declined(softDecline()), context(timeOn("2026-02-19"), "pause")))
    assert.isTrue(paused.subscription?._tag === "Paused" && paused.subscription.by === "policy")
    assert.deepStrictEqual([paused.cycle?._tag, paused.opened.length], ["Abandoned", 1])
    assert.deepStrictEqual(tags(paused), ["CycleDeclined", "SubscriptionPaused"])
    const skipped = succeeded(Renewal.settle(exhausted, declined(softDecline()), context(timeOn("2026-02-19"), "skip")))
    assert.deepStrictEqual([skipped.subscription?._tag, skipped.cycle?._tag], ["Active", "Skipped"])
    assert.deepStrictEqual(
      skipped.opened.map((next) => next.gridDate),
      [day("2026-03-16")]
    )
    assert.deepStrictEqual(tags(skipped), ["CycleDeclined", "CycleSkipped"])
  })

  it("hard waits for another key, revokes the dead one and tells at once", () => {
    const entries = succeeded(Renewal.settle(books(), declined(hardDecline()), context()))
    assert.isTrue(entries.cycle?._tag === "AwaitingKey" && entries.cycle.nextAttemptOn === "2026-02-19")
    assert.strictEqual(entries.key?._tag, "Revoked")
    assert.deepStrictEqual(tags(entries), ["BillingKeyRevoked", "CycleDeclined"])
  })

  it("hard for a reason of the customer's keeps the key, which may be charged again", () => {
    const entries = succeeded(
      Renewal.settle(books(), declined(new DeclineReason.Hard({ ...hardDecline(), kind: "CardUnusable" })), context())
    )
    assert.deepStrictEqual([entries.key?._tag, entries.key?.inFlight], ["Active", null])
    assert.strictEqual(entries.cycle?._tag, "AwaitingKey")
    assert.deepStrictEqual(tags(entries), ["CycleDeclined"])
  })

  it("hard leaves a key as it is that is dead or frozen already, and tells of no second death", () => {
    const revoked = succeeded(BillingKey.revoke(activeKey({ inFlight: holder })))
    const frozen = succeeded(BillingKey.freeze(activeKey({ inFlight: holder })))
    for (const key of [revoked, frozen]) {
      const entries = succeeded(Renewal.settle(books({ key }), declined(hardDecline()), context()))
      assert.deepStrictEqual([entries.key?._tag, entries.key?.inFlight], [key._tag, null])
      assert.deepStrictEqual(tags(entries), ["CycleDeclined"])
    }
  })

  it("hard that became known after the ladder leaves its days from then on", () => {
    const entries = succeeded(Renewal.settle(books(), declined(hardDecline()), context(timeOn("2026-02-22"))))
    assert.isTrue(entries.cycle?._tag === "AwaitingKey" && entries.cycle.nextAttemptOn === "2026-02-27")
    assert.strictEqual(entries.subscription?._tag, "PastDue")
  })

  it("hard on the last day is final", () => {
    const cycle = inFlightCycle({ ladderStart: day("2026-02-14"), step: 3 })
    const entries = succeeded(
      Renewal.settle(
        books({ attempt: sentOn("2026-02-19"), cycle }),
        declined(hardDecline()),
        context(timeOn("2026-02-19"))
      )
    )
    assert.strictEqual(entries.subscription?._tag, "Cancelled")
    assert.strictEqual(entries.key?._tag, "Revoked")
    assert.notInclude(tags(entries), "BillingKeyUnused")
  })

  it("for a used-up key waits for the next month and is no fault of the customer", () => {
    const entries = succeeded(Renewal.settle(books(), declined(blockedDecline()), context()))
    assert.isTrue(entries.cycle?._tag === "Blocked" && entries.cycle.nextAttemptOn === "2026-03-01")
    assert.isUndefined(entries.subscription)
    const [event] = entries.events
    assert.isTrue(event?._tag === "CycleDeclined" && event.nextAttemptOn === "2026-03-01")
  })

  it("of a cancelled subscription closes the cycle and lets the key go", () => {
    const key = activeKey({ inFlight: holder, liveUses: 0 })
    const entries = succeeded(
      Renewal.settle(books({ subscription: cancelled, key }), declined(softDecline()), context())
    )
    assert.strictEqual(entries.cycle?._tag, "Abandoned")
    assert.deepStrictEqual(tags(entries), ["BillingKeyUnused"])
    assert.isUndefined(entries.subscription)
  })

  it("of a paused subscription climbs the ladder and keeps it paused", () => {
    const paused = succeeded(SubscriptionOrder.pause(subscription(), "owner", null))
    const entries = succeeded(Renewal.settle(books({ subscription: paused }), declined(softDecline()), context()))
    assert.deepStrictEqual(retries(entries.cycle), [1, day("2026-02-15")])
    assert.isUndefined(entries.subscription)
  })

  it("by an attempt whose cycle another one holds leaves the cycle alone", () => {
    const entries = succeeded(Renewal.settle(books({ cycle: heldByOther }), declined(softDecline()), context()))
    assert.strictEqual(entries.attempt?._tag, "Declined")
    assert.isUndefined(entries.cycle)
    assert.isUndefined(entries.subscription)
  })

  it("by an attempt whose cycle another one closed gives the slot back, and the key where nothing uses it", () => {
    const key = activeKey({ inFlight: holder, liveUses: 0 })
    const entries = succeeded(Renewal.settle(books({ cycle: closedByOther, key }), declined(softDecline()), context()))
    assert.strictEqual(entries.attempt?._tag, "Declined")
    assert.isTrue(entries.cycle?._tag === "Charged" && entries.cycle.openAttempt === null)
    assert.isUndefined(entries.subscription)
    assert.deepStrictEqual(tags(entries), ["BillingKeyUnused"])
  })

  it("by an attempt that holds a closed cycle no more has nothing to give back", () => {
    const cycle = BillingCycle.release(closedByOther, holder)
    assert.isUndefined(succeeded(Renewal.settle(books({ cycle }), declined(softDecline()), context())).cycle)
  })

  const contradicted = (key: BillingKey.BillingKey) => {
    const inferred = succeeded(
      Attempt.approve(unknownAttempt, {
        at: later(900),
        reference: awaitingReference(),
        amount: won(18_000),
        isOwed: true
      })
    )
    const charged = succeeded(BillingCycle.charge(inDoubtCycle(), holder, day("2026-02-14")))
    return Renewal.settle(
      books({ attempt: inferred, cycle: charged, key }),
      declined(softDecline()),
      context(timeOn("2026-02-16"))
    )
  }

  it("after an inferred approval freezes the key for a person", () => {
    const entries = succeeded(contradicted(activeKey()))
    assert.deepStrictEqual([entries.attempt?._tag, entries.key?._tag], ["ManualReview", "Frozen"])
    assert.deepStrictEqual([...entries.opened], [])
    assert.deepStrictEqual(tags(entries), ["PaymentNeedsReview", "BillingKeyFrozen"])
  })

  it("after an inferred approval is recorded whatever became of the key", () => {
    const frozen = succeeded(BillingKey.freeze(activeKey()))
    const revoked = succeeded(BillingKey.revoke(activeKey()))
    for (const key of [frozen, revoked]) {
      const entries = succeeded(contradicted(key))
      assert.deepStrictEqual([entries.attempt?._tag, entries.key?._tag ?? key._tag], ["ManualReview", key._tag])
      assert.deepStrictEqual(tags(entries), ["PaymentNeedsReview"])
    }
  })
})

describe("Renewal.settle, not executed", () => {
  it("gives the cycle back for the same day, and nobody is behind", () => {
    const entries = succeeded(Renewal.settle(books(), notExecuted("local"), context()))
    assert.isTrue(entries.cycle?._tag === "Due" && entries.cycle.nextAttemptOn === "2026-02-14")
    assert.isUndefined(entries.subscription)
    assert.isNull(entries.key?.inFlight)
    assert.deepStrictEqual([...entries.events], [])
  })

  it("leaves the cycle as due as it was, however late it was sent", () => {
    for (const [attempt, cycle] of [
      [sentOn("2026-02-16"), inFlightCycle()],
      [
        succeeded(
          Attempt.loseAnswer(sentOn("2026-02-16"), { at: timeOn("2026-02-16"), nextAskAt: later(6), detail: "" })
        ),
        inDoubtCycle()
      ]
    ] as const) {
      const entries = succeeded(
        Renewal.settle(books({ attempt, cycle }), notExecuted("word"), context(timeOn("2026-02-16")))
      )
      assert.isTrue(entries.cycle?._tag === "Due" && entries.cycle.nextAttemptOn === "2026-02-14")
    }
  })

  it("is refused for a cycle that was never sent", () => {
    const cycle = dueCycle({ openAttempt: holder })
    rejected(Renewal.settle(books({ cycle }), notExecuted("word"), context()), "CycleTransitionDenied")
  })

  it("by an attempt whose cycle another one holds leaves the cycle alone", () => {
    const entries = succeeded(Renewal.settle(books({ cycle: heldByOther }), notExecuted("word"), context()))
    assert.strictEqual(entries.attempt?._tag, "NotExecuted")
    assert.isUndefined(entries.cycle)
    assert.deepStrictEqual([...entries.opened, ...entries.events], [])
  })

  it("by the provider's evidence waits for a later day's run", () => {
    const entries = succeeded(Renewal.settle(doubtful, notExecuted("inferred"), context(timeOn("2026-02-15", 2))))
    assert.isTrue(entries.cycle?._tag === "Due" && entries.cycle.nextAttemptOn === "2026-02-15")
  })

  it("ends a cancelled subscription's cycle", () => {
    const key = activeKey({ inFlight: holder, liveUses: 0 })
    const entries = succeeded(
      Renewal.settle({ ...doubtful, subscription: cancelled, key }, notExecuted("inferred"), context())
    )
    assert.strictEqual(entries.cycle?._tag, "Abandoned")
    assert.deepStrictEqual(tags(entries), ["BillingKeyUnused"])
  })

  it("by an attempt whose cycle another one closed gives the slot back", () => {
    const cycle = succeeded(BillingCycle.charge(inDoubtCycle(), anyAttemptId("other"), day("2026-02-14")))
    const key = activeKey({ inFlight: holder, liveUses: 0 })
    const entries = succeeded(Renewal.settle({ ...doubtful, cycle, key }, notExecuted("inferred"), context()))
    assert.isTrue(entries.cycle?._tag === "Charged" && entries.cycle.openAttempt === null)
    assert.deepStrictEqual(tags(entries), ["BillingKeyUnused"])
  })
})

describe("Renewal.settle, of a subscription that was cancelled meanwhile", () => {
  it("closes the cycle as cancelled whatever the outcome, for dunning had no part in it", () => {
    const key = activeKey({ inFlight: holder, liveUses: 0 })
    for (const outcome of [approved(), declined(softDecline()), declined(hardDecline()), notExecuted("local")]) {
      const { cycle } = succeeded(Renewal.settle(books({ subscription: cancelled, key }), outcome, context()))
      assert.isTrue(cycle?._tag === "Abandoned" && cycle.reason === "cancelled")
      assert.isNull(cycle?.openAttempt)
      assert.isNull(cycle?.ladderStart)
    }
  })
})

describe("Renewal.settle, lost", () => {
  it("is in doubt and keeps every slot", () => {
    const entries = succeeded(Renewal.settle(books(), lost, context()))
    assert.deepStrictEqual([entries.attempt?._tag, entries.cycle?._tag], ["Unknown", "InDoubt"])
    assert.isUndefined(entries.key)
    assert.deepStrictEqual([...entries.opened, ...entries.events], [])
  })

  it("again only counts the asking", () => {
    const entries = succeeded(Renewal.settle(doubtful, lost, context()))
    assert.isTrue(entries.attempt?._tag === "Unknown" && entries.attempt.asks === 1)
    assert.isUndefined(entries.cycle)
    assert.deepStrictEqual([...entries.opened, ...entries.events], [])
  })

  it("leaves a cycle alone that another attempt closed or holds", () => {
    for (const cycle of [closedByOther, heldByOther]) {
      const unanswered = succeeded(Renewal.settle(books({ cycle }), lost, context()))
      assert.deepStrictEqual([unanswered.attempt?._tag, unanswered.cycle], ["Unknown", undefined])
      assert.deepStrictEqual([...unanswered.opened, ...unanswered.events], [])
      const unclear = succeeded(Renewal.settle(books({ cycle }), { _tag: "NeedsReview", detail: "" }, context()))
      assert.deepStrictEqual([unclear.attempt?._tag, unclear.cycle], ["ManualReview", undefined])
      assert.deepStrictEqual([[...unclear.opened], tags(unclear)], [[], ["PaymentNeedsReview"]])
    }
  })
})

describe("Renewal.settle, unclear", () => {
  it("puts the cycle in doubt, and tells a person within limits what is unclear", () => {
    const entries = succeeded(Renewal.settle(books(), { _tag: "NeedsReview", detail: "x".repeat(900) }, context()))
    assert.deepStrictEqual([entries.attempt?._tag, entries.cycle?._tag], ["ManualReview", "InDoubt"])
    assert.deepStrictEqual([...entries.opened], [])
    const [event] = entries.events
    assert.isTrue(event?._tag === "PaymentNeedsReview" && event.detail === "x".repeat(500))
  })

  it("is refused for what was decided while somebody asked about it", () => {
    const inferred = succeeded(
      Attempt.approve(unknownAttempt, { at: later(900), reference: awaitingReference(), amount: won(1), isOwed: true })
    )
    const notExecuted = succeeded(Attempt.notExecuted(unknownAttempt, { at: later(900), why: "inferred", detail: "" }))
    for (const attempt of [inferred, notExecuted]) {
      const settled = Renewal.settle(books({ attempt }), { _tag: "NeedsReview", detail: "" }, context())
      assert.strictEqual(rejected(settled, "AttemptTransitionDenied").command, "review")
    }
  })
})

describe("Renewal.settle, whatever the outcome", () => {
  const outcome: fc.Arbitrary<Renewal.Outcome> = fc.oneof(
    fc.constant<Renewal.Outcome>({ _tag: "Approved", reference: knownReference(), amount: won(0) }),
    fc.constantFrom(softDecline(), hardDecline(), blockedDecline()).map(declined),
    fc.constantFrom<Attempt.NotExecuted["why"]>("local", "word", "ours", "inferred").map(notExecuted),
    fc.constant(lost),
    fc.constant<Renewal.Outcome>({ _tag: "NeedsReview", detail: "unclear" })
  )

  law(
    "keeps exactly one open cycle for a subscription that lives, and none for one that ended",
    [Arbitraries.sentCharge, outcome, Arbitraries.dunningPolicy],
    (sent, given, policy) => {
      const known = given._tag === "Approved" ? { ...given, amount: sent.attempt.amount } : given
      const entries = succeeded(Renewal.settle(sent, known, { at: sent.attempt.sentAt, policy }))
      const cycles = [entries.cycle ?? sent.cycle, ...entries.opened]
      const isLive = (entries.subscription ?? sent.subscription)._tag !== "Cancelled"
      assert.strictEqual(cycles.filter(BillingCycle.isOpen).length, isLive ? 1 : 0)
      assert.strictEqual(new Set(cycles.map((cycle) => cycle.number)).size, cycles.length)
    },
    1_000
  )

  law(
    "holds the key exactly while the outcome is open",
    [Arbitraries.sentCharge, outcome, Arbitraries.dunningPolicy],
    (sent, given, policy) => {
      const known = given._tag === "Approved" ? { ...given, amount: sent.attempt.amount } : given
      const entries = succeeded(Renewal.settle(sent, known, { at: sent.attempt.sentAt, policy }))
      assert.strictEqual((entries.key ?? sent.key).inFlight !== null, Attempt.isOpen(entries.attempt ?? sent.attempt))
    },
    500
  )

  law(
    "never moves the grid, and charges the cycle exactly when money moved",
    [Arbitraries.sentCharge, outcome, Arbitraries.dunningPolicy],
    (sent, given, policy) => {
      const known = given._tag === "Approved" ? { ...given, amount: sent.attempt.amount } : given
      const entries = succeeded(Renewal.settle(sent, known, { at: sent.attempt.sentAt, policy }))
      for (const cycle of [entries.cycle ?? sent.cycle, ...entries.opened]) {
        assert.strictEqual(
          BusinessDate.daysUntil(sent.subscription.anchor, cycle.gridDate) % sent.subscription.period,
          0
        )
      }
      assert.strictEqual(entries.cycle?._tag === "Charged", given._tag === "Approved")
      assert.strictEqual(entries.order !== undefined, given._tag === "Approved")
      if (entries.order !== undefined) assert.strictEqual(entries.order.total, sent.attempt.amount)
    },
    500
  )

  law(
    "is the same for the same books",
    [Arbitraries.sentCharge, outcome],
    (sent, given) => {
      const settled = () => Renewal.settle(sent, given, { at: sent.attempt.sentAt, policy: standard })
      assert.deepStrictEqual(settled(), settled())
    },
    100
  )

  it("is refused for an attempt that was never sent", () => {
    for (const given of [approved(), declined(softDecline()), notExecuted("local"), lost]) {
      rejected(Renewal.settle(books({ attempt: preparedAttempt() }), given, context()), "AttemptTransitionDenied")
    }
  })
})

describe("Renewal.giveUp", () => {
  it("ends a cycle that found no key by the last day", () => {
    const waiting = succeeded(
      BillingCycle.declineHard(inFlightCycle(), holder, day("2026-02-14"), standard, day("2026-02-14"))
    )
    const key = succeeded(BillingKey.revoke(activeKey()))
    const entries = succeeded(
      Renewal.giveUp({ cycle: waiting, subscription: pastDueSubscription(), key }, context(timeOn("2026-02-19")))
    )
    assert.deepStrictEqual([entries.cycle?._tag, entries.subscription?._tag], ["Abandoned", "Cancelled"])
    assert.deepStrictEqual(tags(entries), ["SubscriptionCancelled"])
  })

  it("waits for an attempt that holds the cycle", () => {
    rejected(Renewal.giveUp(books(), context()), "CycleTransitionDenied")
  })
})

describe("Renewal.skip", () => {
  it("leaves out a delivery whose item is gone and opens the next", () => {
    const entries = succeeded(
      Renewal.skip({ cycle: dueCycle(), subscription: subscription(), key: activeKey() }, "itemGone", context())
    )
    assert.isTrue(entries.cycle?._tag === "Skipped" && entries.cycle.reason === "itemGone")
    assert.deepStrictEqual(
      entries.opened.map((cycle) => cycle.gridDate),
      [day("2026-03-16")]
    )
    assert.deepStrictEqual(tags(entries), ["CycleSkipped"])
  })

  it("opens a cycle that waits for a key where the subscription has none", () => {
    const books = { cycle: keylessCycle(), subscription: keylessSubscription(), key: activeKey() }
    assert.deepStrictEqual(
      succeeded(Renewal.skip(books, "itemGone", context())).opened.map((cycle) => cycle._tag),
      ["AwaitingKey"]
    )
  })
})

describe("Renewal.loseKey", () => {
  it("makes the subscription wait for a key and tells its user", () => {
    const key = succeeded(BillingKey.revoke(activeKey()))
    const entries = succeeded(Renewal.loseKey({ cycle: dueCycle(), subscription: subscription(), key }, context()))
    assert.isTrue(entries.cycle?._tag === "AwaitingKey" && entries.cycle.nextAttemptOn === "2026-02-19")
    assert.strictEqual(entries.subscription?._tag, "PastDue")
    assert.deepStrictEqual([...entries.opened], [])
    assert.deepStrictEqual(tags(entries), ["BillingKeyRevoked"])
  })

  it("is refused while an attempt holds the cycle", () => {
    rejected(Renewal.loseKey(books(), context()), "CycleTransitionDenied")
  })
})

describe("Renewal.block", () => {
  it("lets the cycle wait for the next month and changes nothing else", () => {
    const entries = succeeded(
      Renewal.block({ cycle: dueCycle(), subscription: subscription(), key: activeKey() }, context())
    )
    assert.isTrue(entries.cycle?._tag === "Blocked" && entries.cycle.nextAttemptOn === "2026-03-01")
    assert.deepStrictEqual(Object.keys(entries).toSorted(), ["cycle", "events", "opened"])
    assert.deepStrictEqual([entries.opened.length, tags(entries).length], [0, 0])
  })

  it("is refused while an attempt holds the cycle", () => {
    rejected(Renewal.block(books(), context()), "CycleTransitionDenied")
  })
})

describe("a history of renewals", () => {
  type Story = {
    readonly cycle: BillingCycle.BillingCycle
    readonly subscription: SubscriptionOrder.SubscriptionOrder
    readonly key: BillingKey.BillingKey
  }

  law(
    "charges each cycle at most once, and never two within half a period",
    [
      fc.array(
        fc.tuple(
          fc.constantFrom("approved", "soft", "lost-approved", "lost-not", "local"),
          fc.integer({ min: 0, max: 80 })
        ),
        { minLength: 1, maxLength: 25 }
      )
    ],
    (days) => {
      let story: Story = { cycle: dueCycle(), subscription: subscription(), key: activeKey() }
      let today = day("2026-02-14")
      const charges: Array<readonly [number, BusinessDate.BusinessDate]> = []
      for (const [index, [what, wait]] of days.entries()) {
        today = BusinessDate.addDays(today, index === 0 ? 0 : wait)
        const { cycle, key, subscription: self } = story
        if (self._tag === "Cancelled" || !BillingCycle.isDue(cycle, today)) continue
        const id = anyAttemptId(index)
        const at = BusinessDate.instantAt(today, 600)
        const attempt = succeeded(
          Attempt.send(preparedAttempt({ id }), { at, lease: lease(), baseline: null, approvalToken: null })
        )
        let current: Renewal.Books = {
          attempt,
          cycle: succeeded(BillingCycle.send(cycle, id, quantity(2))),
          subscription: self,
          key: succeeded(BillingKey.hold(key, id))
        }
        const outcomes = {
          approved: [approved(at)],
          soft: [declined(softDecline())],
          "lost-approved": [lost, approved(at)],
          "lost-not": [lost, notExecuted("inferred")],
          local: [notExecuted("local")]
        }[what]
        let next: BillingCycle.BillingCycle | undefined
        for (const given of outcomes ?? []) {
          const entries = succeeded(Renewal.settle(current, given, { at, policy: standard }))
          current = {
            attempt: entries.attempt ?? current.attempt,
            cycle: entries.cycle ?? current.cycle,
            subscription: entries.subscription ?? current.subscription,
            key: entries.key ?? current.key
          }
          if (entries.order !== undefined) charges.push([current.cycle.number, today])
          next = entries.opened.find(BillingCycle.isOpen) ?? next
        }
        assert.isNull(current.key.inFlight)
        story = { ...current, cycle: next ?? current.cycle }
      }
      assert.strictEqual(new Set(charges.map(([number]) => number)).size, charges.length)
      charges.forEach(([, date], index) => {
        const before = charges[index - 1]
        if (before !== undefined) assert.isAtLeast(BusinessDate.daysUntil(before[1], date) * 2, 30)
      })
    },
    500
  )
})
