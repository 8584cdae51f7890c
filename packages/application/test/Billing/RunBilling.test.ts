import { assert, describe, it } from "@effect/vitest"
import { jobName, runBilling } from "@pillivery/application/Billing/RunBilling"
import { recordCharge } from "@pillivery/application/Billing/RecordCharge"
import { chargeCycle } from "@pillivery/application/Billing/ChargeCycle"
import { drain } from "@pillivery/application/Events/Relay"
import { approvePayment } from "@pillivery/application/Payments/ApprovePayment"
import { ProtocolSettings, settingsDefault } from "@pillivery/application/Payments/ProtocolSettings"
import { reconcile } from "@pillivery/application/Payments/Reconcile"
import { BillingLedger } from "@pillivery/application/ports/BillingLedger"
import { BusinessClock } from "@pillivery/application/ports/BusinessClock"
import { NotificationRepository } from "@pillivery/application/ports/NotificationRepository"
import { cancelSubscription } from "@pillivery/application/Subscriptions/CancelSubscription"
import { MemoryProvider } from "@pillivery/application/testing/MemoryProvider"
import * as Attempt from "@pillivery/domain/Attempt"
import * as BusinessDate from "@pillivery/domain/BusinessDate"
import { SubscriptionId } from "@pillivery/domain/Ids"
import { Hard, Blocked, Soft } from "@pillivery/domain/DeclineReason"
import { ApprovalId, PaymentMethod, TransactionId } from "@pillivery/domain/Provider"
import { Won } from "@pillivery/domain/Won"
import { DateTime, Effect, Exit, Layer } from "effect"
import { TestClock } from "effect/testing"
import * as World from "../World.ts"

const softDecline = new Soft({ kind: "InsufficientFunds", code: "LACK_BALANCE", message: "잔액 부족" })
const hardDecline = new Hard({ kind: "BillingKeyRevoked", code: "-751", message: "inactive" })
const blockedDecline = new Blocked({ kind: "MonthlyUsesExceeded", code: "-752", message: "" })

const today = Effect.flatMap(BusinessClock, (clock) => Effect.map(clock.now, BusinessDate.fromInstant))

describe("runBilling", () => {
  it.effect("charges a subscription on its due date, once, and opens the next cycle on the grid", () =>
    Effect.gen(function* () {
      yield* World.begin
      const { cycle, subscription } = yield* World.subscribe()
      assert.strictEqual(cycle.gridDate, "2026-12-23")
      yield* World.passDays(29)
      yield* World.run
      assert.strictEqual((yield* World.ledger).captures, 1)
      yield* World.passDays(1)
      const report = yield* World.run
      assert.strictEqual(report.counts.charged, 1)
      assert.deepStrictEqual(report.owed, { due: 0, inFlight: 0, inDoubt: 0 })
      yield* World.run
      assert.deepStrictEqual(yield* World.ledger, { captures: 2, captured: 60_000, refunds: 0, refunded: 0 })
      const after = yield* World.read(subscription.id)
      assert.deepStrictEqual(
        after.cycles.map((one) => [one.number, one._tag, one.gridDate]),
        [
          [2, "Due", "2027-01-22"],
          [1, "Charged", "2026-12-23"]
        ]
      )
      assert.strictEqual(after.key?.inFlight, null)
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("F34: charges once when several workers take the same cycle at the same moment", () =>
    Effect.gen(function* () {
      yield* World.begin
      const { cycle, subscription } = yield* World.subscribe()
      yield* World.passDays(30)
      const date = yield* today
      const outcomes = yield* World.withTime(
        Effect.all(
          Array.from({ length: 16 }, () =>
            chargeCycle({ subscriptionId: subscription.id, number: cycle.number }, { date })
          ),
          { concurrency: "unbounded" }
        )
      )
      assert.strictEqual(outcomes.filter((outcome) => outcome._tag === "Sent").length, 1)
      assert.strictEqual((yield* World.ledger).captures, 2)
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("F17: does not send a lost charge again, and finds by the key's last approval that it was executed", () =>
    Effect.gen(function* () {
      yield* World.begin
      const { subscription } = yield* World.subscribe()
      yield* World.passDays(30)
      yield* (yield* MemoryProvider).next({ _tag: "LoseAnswer" })
      const report = yield* World.run
      assert.strictEqual(report.counts.unknown, 1)
      assert.strictEqual(report.owed.inDoubt, 1)
      yield* World.run
      assert.strictEqual((yield* World.ledger).captures, 2)
      assert.strictEqual((yield* World.read(subscription.id)).cycle._tag, "InDoubt")
      yield* TestClock.adjust("6 minutes")
      const reconciled = yield* World.withTime(reconcile())
      assert.strictEqual(reconciled.resolved, 1)
      const after = yield* World.read(subscription.id)
      assert.deepStrictEqual(
        after.cycles.map((one) => one._tag),
        ["Due", "Charged"]
      )
      const charged = after.cycles[1]
      assert.isTrue(charged?._tag === "Charged")
      if (charged?._tag !== "Charged") return
      const settled = yield* World.attempt(charged.chargedBy)
      assert.isTrue(settled._tag === "Approved" && settled.reference._tag === "Awaiting")
      assert.strictEqual(after.key?.inFlight, null)
      assert.strictEqual((yield* World.ledger).captures, 2)
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("believes that a lost charge was not executed only after the grace time, and sends it on a later day", () =>
    Effect.gen(function* () {
      yield* World.begin
      const { subscription } = yield* World.subscribe()
      yield* World.passDays(30)
      yield* (yield* MemoryProvider).next({ _tag: "LoseRequest" })
      yield* World.run
      yield* TestClock.adjust("11 hours")
      yield* World.withTime(reconcile())
      assert.strictEqual((yield* World.read(subscription.id)).cycle._tag, "InDoubt")
      yield* TestClock.adjust("13 hours")
      const report = yield* World.run
      assert.strictEqual(report.counts.charged, 1)
      assert.strictEqual((yield* World.ledger).captures, 2)
      const after = yield* World.read(subscription.id)
      assert.deepStrictEqual(
        after.cycles.map((one) => [one._tag, one.gridDate]),
        [
          ["Due", "2027-01-22"],
          ["Charged", "2026-12-23"]
        ]
      )
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("waits for a charge that the provider commits twenty minutes late", () =>
    Effect.gen(function* () {
      yield* World.begin
      const { subscription } = yield* World.subscribe()
      yield* World.passDays(30)
      yield* (yield* MemoryProvider).next({ _tag: "CommitLate", afterMillis: 20 * 60_000 })
      yield* World.run
      yield* TestClock.adjust("6 minutes")
      yield* World.withTime(reconcile())
      assert.strictEqual((yield* World.read(subscription.id)).cycle._tag, "InDoubt")
      yield* TestClock.adjust("60 minutes")
      yield* World.withTime(reconcile())
      assert.strictEqual((yield* World.read(subscription.id)).cycles[1]?._tag, "Charged")
      yield* World.passDays(1)
      yield* World.run
      assert.strictEqual((yield* World.ledger).captures, 2)
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("F37: retries a soft decline on the ladder's first day and keeps the grid", () =>
    Effect.gen(function* () {
      yield* World.begin
      const { subscription } = yield* World.subscribe()
      yield* World.passDays(30)
      yield* (yield* MemoryProvider).next({ _tag: "Decline", reason: softDecline })
      assert.strictEqual((yield* World.run).counts.declined, 1)
      assert.strictEqual((yield* World.run).counts.declined, 0)
      const behind = yield* World.read(subscription.id)
      assert.strictEqual(behind.subscription._tag, "PastDue")
      assert.isTrue(behind.cycle._tag === "RetryDue" && behind.cycle.nextAttemptOn === "2026-12-24")
      yield* World.passDays(1)
      assert.strictEqual((yield* World.run).counts.charged, 1)
      const after = yield* World.read(subscription.id)
      assert.strictEqual(after.subscription._tag, "Active")
      assert.strictEqual(after.cycle.gridDate, "2027-01-22")
      assert.strictEqual((yield* World.ledger).captures, 2)
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("F22: cancels after the last day of the ladder, tells the user each time and retires the key", () =>
    Effect.gen(function* () {
      yield* World.begin
      const { subscription } = yield* World.subscribe()
      const decline = { _tag: "Decline", reason: softDecline } as const
      yield* (yield* MemoryProvider).next(decline, decline, decline, decline)
      yield* World.passDays(30)
      for (const days of [1, 2, 2, 0]) {
        assert.strictEqual((yield* World.run).counts.declined, 1)
        yield* World.passDays(days)
      }
      const after = yield* World.read(subscription.id)
      assert.strictEqual(after.subscription._tag, "Cancelled")
      assert.strictEqual(after.cycle._tag, "Abandoned")
      yield* World.withTime(drain())
      assert.strictEqual((yield* World.read(subscription.id)).key?._tag, "Retired")
      const told = yield* (yield* NotificationRepository).listByUser(subscription.userId, { page: 1, size: 100 })
      const kinds = told.data.map((one) => one.kind)
      assert.strictEqual(kinds.filter((kind) => kind === "CycleDeclined").length, 4)
      assert.strictEqual(kinds.filter((kind) => kind === "SubscriptionCancelled").length, 1)
      yield* World.passDays(60)
      yield* World.run
      assert.strictEqual((yield* World.ledger).captures, 1)
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("F31: never charges a revoked key again and gives the cycle up on the fifth day", () =>
    Effect.gen(function* () {
      yield* World.begin
      const { subscription } = yield* World.subscribe()
      yield* World.passDays(30)
      yield* (yield* MemoryProvider).next({ _tag: "Decline", reason: hardDecline })
      yield* World.run
      const waiting = yield* World.read(subscription.id)
      assert.isTrue(waiting.cycle._tag === "AwaitingKey" && waiting.cycle.nextAttemptOn === "2026-12-28")
      assert.strictEqual(waiting.key?._tag, "Revoked")
      for (let day = 0; day < 4; day++) {
        yield* World.passDays(1)
        yield* World.run
      }
      assert.strictEqual((yield* World.read(subscription.id)).subscription._tag, "PastDue")
      yield* World.passDays(1)
      assert.strictEqual((yield* World.run).counts.cancelled, 1)
      assert.strictEqual((yield* World.read(subscription.id)).subscription._tag, "Cancelled")
      assert.strictEqual((yield* World.ledger).captures, 1)
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("makes every subscription of a revoked key wait for another key, without charging again", () =>
    Effect.gen(function* () {
      yield* World.begin
      const order = yield* World.placeOrder([
        { price: 10_000, period: 30 },
        { price: 20_000, period: 30 }
      ])
      const { attemptId, token } = yield* World.prepareApproval(order)
      yield* approvePayment(attemptId, token)
      yield* World.passDays(30)
      yield* (yield* MemoryProvider).next({ _tag: "Decline", reason: hardDecline })
      yield* World.run
      const both = yield* Effect.forEach(order.lines, (line) => World.read(SubscriptionId.make(line.id)))
      for (const { cycle, subscription } of both) {
        assert.strictEqual(subscription._tag, "PastDue")
        assert.isTrue(cycle._tag === "AwaitingKey" && cycle.nextAttemptOn === "2026-12-28")
      }
      yield* World.passDays(5)
      assert.strictEqual((yield* World.run).counts.cancelled, 2)
      assert.strictEqual((yield* World.ledger).captures, 1)
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("waits for the first of the next month when the key's monthly uses are spent", () =>
    Effect.gen(function* () {
      yield* World.begin
      const { subscription } = yield* World.subscribe()
      yield* World.passDays(30)
      yield* (yield* MemoryProvider).next({ _tag: "Decline", reason: blockedDecline })
      yield* World.run
      const blocked = yield* World.read(subscription.id)
      assert.strictEqual(blocked.subscription._tag, "Active")
      assert.isTrue(blocked.cycle._tag === "Blocked" && blocked.cycle.nextAttemptOn === "2027-01-01")
      yield* World.passDays(9)
      assert.strictEqual((yield* World.run).counts.charged, 1)
      assert.strictEqual((yield* World.read(subscription.id)).cycle.gridDate, "2027-01-22")
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("hands an approval of another amount to a person and keeps the key held", () =>
    Effect.gen(function* () {
      yield* World.begin
      const { subscription } = yield* World.subscribe()
      yield* World.passDays(30)
      yield* (yield* MemoryProvider).next({ _tag: "WrongAmount", amount: Won.make(29_999) })
      const report = yield* World.run
      assert.strictEqual(report.owed.inDoubt, 1)
      const after = yield* World.read(subscription.id)
      assert.strictEqual(after.cycle._tag, "InDoubt")
      assert.isNotNull(after.key?.inFlight)
      yield* World.passDays(3)
      yield* World.run
      assert.strictEqual((yield* World.ledger).captures, 2)
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("charges every subscription of one key on the same day, one after the other, each once", () =>
    Effect.gen(function* () {
      yield* World.begin
      const order = yield* World.placeOrder([
        { price: 10_000, period: 30 },
        { price: 20_000, period: 30 },
        { price: 40_000, period: 30 }
      ])
      const { attemptId, token } = yield* World.prepareApproval(order)
      yield* approvePayment(attemptId, token)
      yield* World.passDays(30)
      const report = yield* World.run
      assert.strictEqual(report.counts.charged, 3)
      assert.deepStrictEqual(yield* World.ledger, { captures: 4, captured: 140_000, refunds: 0, refunded: 0 })
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("takes a lost charge for executed only by an approval that no other charge of the key explains", () =>
    Effect.gen(function* () {
      yield* World.begin
      const { subscription } = yield* World.subscribe()
      yield* World.passDays(30)
      yield* (yield* MemoryProvider).next({ _tag: "LoseRequest" })
      yield* World.run
      const held = yield* World.read(subscription.id)
      assert.isNotNull(held.key?.inFlight)
      // While the outcome is unknown nothing else is charged with this key, so its last approval keeps its meaning.
      yield* TestClock.adjust("1 hour")
      yield* World.run
      assert.strictEqual((yield* World.ledger).captures, 1)
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("records an approval that arrives after the books took the charge for not executed", () =>
    Effect.gen(function* () {
      yield* World.begin
      const { subscription } = yield* World.subscribe()
      yield* World.passDays(30)
      yield* (yield* MemoryProvider).next({ _tag: "LoseRequest" })
      yield* World.run
      const attemptId = (yield* World.read(subscription.id)).key?.inFlight
      assert.isTrue(typeof attemptId === "string")
      if (typeof attemptId !== "string") return
      yield* TestClock.adjust("20 hours")
      yield* World.withTime(reconcile())
      assert.strictEqual((yield* World.attempt(attemptId))._tag, "NotExecuted")
      const reference = new Attempt.Known({
        transactionId: TransactionId.make("T-late"),
        approvalId: ApprovalId.make("A-late"),
        approvedAt: DateTime.makeUnsafe("2026-12-23T01:00:01Z"),
        method: PaymentMethod.make("CARD")
      })
      yield* recordCharge(attemptId, { _tag: "Approved", reference, amount: Won.make(30_000) })
      const after = yield* World.read(subscription.id)
      assert.deepStrictEqual(
        after.cycles.map((one) => one._tag),
        ["Due", "Charged"]
      )
      yield* World.passDays(1)
      assert.strictEqual((yield* World.run).counts.charged, 0)
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("gives a late approval back in full when the cycle was charged by another attempt meanwhile", () =>
    Effect.gen(function* () {
      yield* World.begin
      const { subscription } = yield* World.subscribe()
      yield* World.passDays(30)
      // The provider commits two days late, past every grace time.
      yield* (yield* MemoryProvider).next({ _tag: "CommitLate", afterMillis: 2 * 24 * 3_600_000 })
      yield* World.run
      const lostId = (yield* World.read(subscription.id)).key?.inFlight
      if (typeof lostId !== "string") return assert.fail("the key is not held")
      yield* World.passDays(1)
      assert.strictEqual((yield* World.run).counts.charged, 1)
      yield* World.passDays(2)
      const movement = (yield* (yield* MemoryProvider).movements).find((one) => one.cause === lostId)
      if (movement === undefined) return assert.fail("the late charge did not happen")
      const reference = new Attempt.Known({
        transactionId: movement.transactionId,
        approvalId: null,
        approvedAt: DateTime.makeUnsafe(movement.atMillis),
        method: null
      })
      const settled = yield* recordCharge(lostId, { _tag: "Approved", reference, amount: Won.make(30_000) })
      assert.strictEqual(settled._tag, "ApprovedSurplus")
      yield* World.withTime(drain())
      assert.strictEqual((yield* World.attempt(lostId))._tag, "Refunded")
      assert.deepStrictEqual(yield* World.ledger, { captures: 3, captured: 90_000, refunds: 1, refunded: 30_000 })
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("gives back what was charged when the owner cancels while the outcome is unknown", () =>
    Effect.gen(function* () {
      yield* World.begin
      const { subscription } = yield* World.subscribe()
      yield* World.passDays(30)
      yield* (yield* MemoryProvider).next({ _tag: "LoseAnswer" })
      yield* World.run
      const cancelled = yield* cancelSubscription({
        subscriptionId: subscription.id,
        userId: subscription.userId,
        reason: "owner"
      })
      assert.isTrue(cancelled.isPaymentInProgress)
      yield* TestClock.adjust("6 minutes")
      yield* World.withTime(reconcile())
      const after = yield* World.read(subscription.id)
      assert.strictEqual(after.cycle._tag, "Abandoned")
      // Its name at the provider is not known yet, so the refund waits for it.
      const attemptId = after.cycles[0]?.openAttempt
      assert.isNull(attemptId)
      yield* World.withTime(drain())
      assert.strictEqual((yield* World.read(subscription.id)).key?._tag, "Retired")
      assert.strictEqual((yield* World.ledger).captures, 2)
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("F30: skips dates that passed while nothing ran, and charges once", () =>
    Effect.gen(function* () {
      yield* World.begin
      const { subscription } = yield* World.subscribe()
      yield* World.passDays(100)
      assert.strictEqual((yield* World.run).counts.charged, 1)
      const after = yield* World.read(subscription.id)
      assert.deepStrictEqual(
        after.cycles.map((one) => [one.number, one._tag, one.gridDate]),
        [
          [4, "Due", "2027-03-23"],
          [3, "Skipped", "2027-02-21"],
          [2, "Skipped", "2027-01-22"],
          [1, "Charged", "2026-12-23"]
        ]
      )
      assert.strictEqual((yield* World.ledger).captures, 2)
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("charges nothing while the banks check their books", () =>
    Effect.gen(function* () {
      yield* World.begin
      yield* World.subscribe()
      yield* World.passDays(30)
      yield* TestClock.adjust("805 minutes")
      const report = yield* World.run
      assert.strictEqual(report.owed.due, 1)
      assert.strictEqual((yield* World.ledger).captures, 1)
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("F29: stops after five answers in a row that only we can mend", () =>
    Effect.gen(function* () {
      yield* World.begin
      for (let n = 0; n < 8; n++) yield* World.subscribe()
      yield* World.passDays(30)
      yield* (yield* MemoryProvider).next(
        ...Array.from({ length: 5 }, () => ({ _tag: "NotExecuted", why: "ours" }) as const)
      )
      const report = yield* World.run
      assert.isTrue(report.isMisconfigured)
      assert.strictEqual(report.counts.declined, 0)
      assert.isAtLeast(report.owed.due, 5)
      yield* World.run
      assert.strictEqual((yield* World.ledger).captures, 16)
    }).pipe(Effect.provide(World.layer))
  )

  it.effect(
    "leaves the run when it breaks, so that the run of another date need not wait for a worker that is gone",
    () =>
      Effect.gen(function* () {
        yield* World.begin
        const date = yield* today
        const ledger = yield* BillingLedger
        const broken = BillingLedger.of({ ...ledger, owed: () => Effect.die("told to") })
        const exit = yield* Effect.exit(Effect.provideService(World.run, BillingLedger, broken))
        assert.isTrue(Exit.isFailure(exit))
        const next = { job: jobName, date: BusinessDate.addDays(date, 1), worker: "next" }
        const run = yield* ledger.joinRun({ ...next, at: yield* (yield* BusinessClock).now, leaseMillis: 1_000 })
        assert.strictEqual(run.date, next.date)
      }).pipe(Effect.provide(World.layer))
  )

  it.effect("freezes a key whose provider shows an approval that the books do not explain", () =>
    Effect.gen(function* () {
      yield* World.begin
      const order = yield* World.placeOrder([
        { price: 10_000, period: 30 },
        { price: 20_000, period: 30 }
      ])
      const { attemptId, token } = yield* World.prepareApproval(order)
      yield* approvePayment(attemptId, token)
      yield* World.passDays(30)
      const [first, second] = yield* Effect.forEach(order.lines, (line) => World.read(SubscriptionId.make(line.id)))
      if (first?.key?._tag !== "Active" || second === undefined) return assert.fail("there is no key")
      const date = yield* today
      const charge = (books: typeof first) =>
        World.withTime(chargeCycle({ subscriptionId: books.subscription.id, number: books.cycle.number }, { date }))
      assert.strictEqual((yield* charge(first))._tag, "Sent")
      yield* TestClock.adjust("2 minutes")
      yield* (yield* MemoryProvider).chargeElsewhere(first.key.billingKey)
      yield* TestClock.adjust("2 minutes")
      assert.strictEqual((yield* charge(second))._tag, "Postponed")
      assert.strictEqual((yield* World.read(second.subscription.id)).key?._tag, "Frozen")
      assert.strictEqual((yield* World.run).counts.charged, 0)
    }).pipe(Effect.provide(World.layer))
  )
})

describe("a run of a date that has not come", () => {
  const runFor = (daysAhead: number, isAheadAllowed = true) =>
    Effect.gen(function* () {
      const date = BusinessDate.addDays(yield* today, daysAhead)
      return yield* World.withTime(runBilling({ date, worker: "test", isAheadAllowed }))
    })
  const states = (id: SubscriptionId) =>
    Effect.map(World.read(id), ({ cycles }) => cycles.map((one) => [one.number, one._tag, one.gridDate]))

  it.effect("charges first attempts up to two weeks ahead, once, and keeps the grid", () =>
    Effect.gen(function* () {
      yield* World.begin
      const { subscription } = yield* World.subscribe()
      yield* World.passDays(16)
      const report = yield* runFor(14)
      assert.deepStrictEqual([report.counts.charged, report.owed], [1, { due: 0, inFlight: 0, inDoubt: 0 }])
      yield* runFor(14)
      yield* World.passDays(14)
      yield* World.run
      assert.strictEqual((yield* World.ledger).captures, 2)
      assert.deepStrictEqual(yield* states(subscription.id), [
        [2, "Due", "2027-01-22"],
        [1, "Charged", "2026-12-23"]
      ])
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("charges nothing further ahead, and nothing ahead without leave", () =>
    Effect.gen(function* () {
      yield* World.begin
      yield* World.subscribe()
      yield* World.passDays(15)
      yield* runFor(15)
      yield* World.passDays(14)
      yield* runFor(1, false)
      assert.strictEqual((yield* World.ledger).captures, 1)
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("owes nothing of what was declined ahead, and tries it again when its day comes and not before", () =>
    Effect.gen(function* () {
      yield* World.begin
      const { subscription } = yield* World.subscribe()
      yield* World.passDays(20)
      yield* (yield* MemoryProvider).next({ _tag: "Decline", reason: softDecline })
      const report = yield* runFor(14)
      assert.deepStrictEqual([report.counts.declined, report.owed.due], [1, 0])
      const { cycle } = yield* World.read(subscription.id)
      assert.strictEqual(cycle._tag === "RetryDue" ? cycle.nextAttemptOn : null, BusinessDate.addDays(yield* today, 1))
      yield* World.passDays(2)
      yield* (yield* MemoryProvider).next({ _tag: "Decline", reason: softDecline })
      yield* World.run
      const calls = yield* (yield* MemoryProvider).callsReceived
      // Its next try is tomorrow: a run for tomorrow leaves it alone today.
      yield* runFor(1)
      assert.strictEqual(yield* (yield* MemoryProvider).callsReceived, calls)
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("sends nothing again that was not executed today", () =>
    Effect.gen(function* () {
      yield* World.begin
      const { subscription } = yield* World.subscribe()
      yield* World.passDays(30)
      yield* (yield* MemoryProvider).next({ _tag: "NotExecuted", why: "word" })
      yield* World.run
      // Its answer is believed after the grace time, and it is sent again in a later day's run.
      yield* TestClock.adjust("20 hours")
      yield* World.withTime(reconcile())
      assert.strictEqual((yield* World.read(subscription.id)).cycle._tag, "Due")
      const calls = yield* (yield* MemoryProvider).callsReceived
      yield* runFor(14)
      assert.strictEqual(yield* (yield* MemoryProvider).callsReceived, calls)
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("gives up nobody ahead of the day", () =>
    Effect.gen(function* () {
      yield* World.begin
      const { subscription } = yield* World.subscribe()
      yield* World.passDays(30)
      yield* (yield* MemoryProvider).next({ _tag: "Decline", reason: hardDecline })
      yield* World.run
      yield* World.passDays(1)
      yield* runFor(14)
      assert.strictEqual((yield* World.read(subscription.id)).cycle._tag, "AwaitingKey")
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("tells that a charge ahead has no answer", () =>
    Effect.gen(function* () {
      yield* World.begin
      yield* World.subscribe()
      yield* World.passDays(25)
      yield* (yield* MemoryProvider).next({ _tag: "LoseAnswer" })
      assert.deepStrictEqual((yield* runFor(14)).owed, { due: 0, inFlight: 0, inDoubt: 1 })
    }).pipe(Effect.provide(World.layer))
  )
})

describe("the monthly uses of a billing key", () => {
  const atMost = (uses: number | null) =>
    World.layer.pipe(
      Layer.provideMerge(Layer.succeed(ProtocolSettings, { ...settingsDefault, keyUsesPerMonthMax: uses }))
    )
  // Two lines of one order share a key; both are due on 23 December.
  const twoOnOneKey = Effect.gen(function* () {
    yield* World.begin
    const order = yield* World.placeOrder([
      { price: 10_000, period: 30 },
      { price: 20_000, period: 30 }
    ])
    const { attemptId, token } = yield* World.prepareApproval(order)
    yield* approvePayment(attemptId, token)
    yield* World.passDays(30)
    return order.lines.map((line) => SubscriptionId.make(line.id))
  })
  const states = (ids: ReadonlyArray<SubscriptionId>) =>
    Effect.forEach(ids, (id) => Effect.map(World.read(id), ({ cycle }) => cycle._tag))

  it.effect("end its charges for the month, which nobody owes then, and begin anew on the first", () =>
    Effect.gen(function* () {
      const ids = yield* twoOnOneKey
      const report = yield* World.run
      assert.deepStrictEqual([report.counts.charged, report.owed.due], [1, 0])
      const calls = yield* (yield* MemoryProvider).callsReceived
      assert.sameMembers(yield* states(ids), ["Due", "Blocked"])
      yield* World.passDays(8)
      yield* World.run
      assert.strictEqual(yield* (yield* MemoryProvider).callsReceived, calls)
      yield* World.passDays(1)
      assert.strictEqual(yield* today, "2027-01-01")
      assert.strictEqual((yield* World.run).counts.charged, 1)
      assert.strictEqual((yield* World.ledger).captures, 3)
    }).pipe(Effect.provide(atMost(1)))
  )

  it.effect("are no declines", () =>
    Effect.gen(function* () {
      const ids = yield* twoOnOneKey
      const decline = { _tag: "Decline", reason: softDecline } as const
      yield* (yield* MemoryProvider).next(decline, decline)
      assert.strictEqual((yield* World.run).counts.declined, 2)
      yield* World.passDays(1)
      assert.strictEqual((yield* World.run).counts.charged, 1)
      assert.sameMembers(yield* states(ids), ["Due", "Blocked"])
    }).pipe(Effect.provide(atMost(1)))
  )

  it.effect("of this month move no delivery of the next", () =>
    Effect.gen(function* () {
      yield* World.begin
      const order = yield* World.placeOrder([
        { price: 10_000, period: 30 },
        { price: 20_000, period: 45 }
      ])
      const { attemptId, token } = yield* World.prepareApproval(order)
      yield* approvePayment(attemptId, token)
      yield* World.passDays(30)
      assert.strictEqual((yield* World.run).counts.charged, 1)
      // The other one is due on 7 January; the first use of the key in January is free.
      yield* World.passDays(7)
      const later = order.lines.map((line) => SubscriptionId.make(line.id))[1]
      if (later === undefined) return assert.fail("there is no second line")
      const before = (yield* World.read(later)).cycle
      const date = BusinessDate.addDays(yield* today, 14)
      yield* World.withTime(runBilling({ date, worker: "test", isAheadAllowed: true }))
      assert.deepStrictEqual((yield* World.read(later)).cycle, before)
    }).pipe(Effect.provide(atMost(1)))
  )

  it.effect("are the provider's to count when nothing is said", () =>
    Effect.gen(function* () {
      yield* twoOnOneKey
      assert.strictEqual((yield* World.run).counts.charged, 2)
    }).pipe(Effect.provide(atMost(null)))
  )
})
