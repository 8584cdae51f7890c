import { assert, describe, it } from "@effect/vitest"
import { approvePayment } from "@pillivery/application/Payments/ApprovePayment"
import { reconcile } from "@pillivery/application/Payments/Reconcile"
import {
  InvalidLine,
  problemsMax,
  reconcileSettlement,
  type SettlementLine
} from "@pillivery/application/Payments/ReconcileSettlement"
import { Outbox } from "@pillivery/application/ports/Outbox"
import { type Behaviour, MemoryProvider } from "@pillivery/application/testing/MemoryProvider"
import { AttemptId } from "@pillivery/domain/Ids"
import { ApprovalId, TransactionId } from "@pillivery/domain/Provider"
import { Won } from "@pillivery/domain/Won"
import { DateTime, Effect, Stream } from "effect"
import { TestClock } from "effect/testing"
import * as World from "../World.ts"

/** The settlement of everything the provider captured. */
const settlement = Effect.gen(function* () {
  const movements = yield* (yield* MemoryProvider).movements
  return movements
    .filter(({ kind }) => kind === "capture")
    .map(({ amount, atMillis, cause, transactionId }, index): SettlementLine => ({
      line: index + 2,
      attemptId: AttemptId.make(cause),
      transactionId,
      approvalId: ApprovalId.make(`A${index}`),
      amount: Won.make(amount),
      approvedAt: DateTime.makeUnsafe(atMillis)
    }))
})

const read = (lines: ReadonlyArray<SettlementLine | InvalidLine>) => reconcileSettlement(Stream.fromIterable(lines))
const none = { named: 0, settled: 0, agreed: 0, mismatched: 0, unknown: 0, invalid: 0 }

/** A subscription whose first renewal did what it was told. */
const renewed = Effect.fnUntraced(function* (...behaviours: ReadonlyArray<Behaviour>) {
  const { subscription } = yield* World.subscribe()
  yield* World.passDays(30)
  yield* (yield* MemoryProvider).next(...behaviours)
  yield* World.run
  return subscription
})

describe("reconcileSettlement", () => {
  it.effect("gives inferred approvals their names, and changes nothing when it is read again", () =>
    Effect.gen(function* () {
      yield* World.begin
      yield* renewed({ _tag: "LoseAnswer" })
      yield* TestClock.adjust("6 minutes")
      yield* World.withTime(reconcile())
      const lines = yield* settlement
      assert.lengthOf(lines, 2)
      const report = yield* read(lines)
      assert.deepStrictEqual(report, { lines: 2, counts: { ...none, named: 1, agreed: 1 }, problems: [] })
      const attempt = yield* World.attempt(lines[1]?.attemptId ?? assert.fail())
      assert.isTrue(
        attempt._tag === "Approved" &&
          attempt.reference._tag === "Known" &&
          attempt.reference.transactionId === lines[1]?.transactionId &&
          attempt.reference.approvalId === "A1"
      )
      assert.deepStrictEqual((yield* read(lines)).counts, { ...none, agreed: 2 })
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("settles what is in doubt, without waiting for the evidence", () =>
    Effect.gen(function* () {
      yield* World.begin
      const subscription = yield* renewed({ _tag: "LoseAnswer" })
      assert.strictEqual((yield* World.read(subscription.id)).cycle._tag, "InDoubt")
      assert.deepStrictEqual((yield* read(yield* settlement)).counts, { ...none, settled: 1, agreed: 1 })
      const { cycles, key } = yield* World.read(subscription.id)
      assert.deepStrictEqual(
        cycles.map(({ _tag }) => _tag),
        ["Due", "Charged"]
      )
      assert.strictEqual(key?.inFlight, null)
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("settles a customer's payment that is in doubt", () =>
    Effect.gen(function* () {
      yield* World.begin
      const { attemptId, token } = yield* World.prepareApproval(yield* World.placeOrder([{ price: 9_000 }]))
      yield* (yield* MemoryProvider).next({ _tag: "LoseAnswer" })
      yield* Effect.exit(approvePayment(attemptId, token))
      assert.deepStrictEqual((yield* read(yield* settlement)).counts, { ...none, settled: 1 })
      assert.strictEqual((yield* World.attempt(attemptId))._tag, "Approved")
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("freezes the key and calls a person where the books contradict it", () =>
    Effect.gen(function* () {
      yield* World.begin
      const subscription = yield* renewed()
      const outbox = yield* Outbox
      const [, line] = yield* settlement
      if (line === undefined) return assert.fail("nothing was settled")
      const before = (yield* outbox.counts).pending
      const other = TransactionId.make("T-another")
      const report = yield* read([
        { ...line, transactionId: other },
        { ...line, amount: Won.make(1) }
      ])
      assert.deepStrictEqual(report.counts, { ...none, mismatched: 2 })
      assert.deepStrictEqual(
        report.problems.map((problem) => problem.line),
        [line.line, line.line]
      )
      assert.include(report.problems[0]?.detail ?? "", "T-another")
      const { cycles, key } = yield* World.read(subscription.id)
      assert.strictEqual(key?._tag, "Frozen")
      assert.strictEqual(cycles[1]?._tag, "Charged")
      assert.isAbove((yield* outbox.counts).pending, before)
      const attempt = yield* World.attempt(line.attemptId)
      assert.isTrue(attempt._tag === "Approved" && attempt.reference._tag === "Known")
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("does not believe an inferred approval any more that was settled with another amount", () =>
    Effect.gen(function* () {
      yield* World.begin
      yield* renewed({ _tag: "LoseAnswer" })
      yield* TestClock.adjust("6 minutes")
      yield* World.withTime(reconcile())
      const [, line] = yield* settlement
      if (line === undefined) return assert.fail("nothing was settled")
      assert.strictEqual((yield* World.attempt(line.attemptId))._tag, "Approved")
      assert.deepStrictEqual((yield* read([{ ...line, amount: Won.make(1) }])).counts, { ...none, mismatched: 1 })
      assert.strictEqual((yield* World.attempt(line.attemptId))._tag, "ManualReview")
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("freezes a key also while another charge holds it", () =>
    Effect.gen(function* () {
      yield* World.begin
      const subscription = yield* renewed()
      const [, line] = yield* settlement
      yield* World.passDays(30)
      yield* (yield* MemoryProvider).next({ _tag: "LoseAnswer" })
      yield* World.run
      if (line === undefined) return assert.fail("nothing was settled")
      yield* read([{ ...line, transactionId: TransactionId.make("T-another") }])
      const { cycle, key } = yield* World.read(subscription.id)
      assert.deepStrictEqual([key?._tag, cycle._tag], ["Frozen", "InDoubt"])
      yield* TestClock.adjust("6 minutes")
      yield* World.withTime(reconcile())
      const after = yield* World.read(subscription.id)
      assert.deepStrictEqual([after.key?._tag, after.key?.inFlight, after.cycles[1]?._tag], ["Frozen", null, "Charged"])
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("tells of lines that it cannot read and of attempts that are not there, and goes on", () =>
    Effect.gen(function* () {
      yield* World.begin
      yield* renewed()
      const [line] = yield* settlement
      if (line === undefined) return assert.fail("nothing was settled")
      const foreign = { ...line, attemptId: AttemptId.make("0192a000-0000-7000-8000-000000000001") }
      const report = yield* read([new InvalidLine({ line: 7, detail: "amount is not a number" }), foreign, line])
      assert.deepStrictEqual(report.counts, { ...none, invalid: 1, unknown: 1, agreed: 1 })
      assert.deepStrictEqual(report.problems[0], { line: 7, detail: "amount is not a number" })
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("tells a bounded number of problems, and counts all", () =>
    Effect.gen(function* () {
      const lines = Array.from({ length: problemsMax + 5 }, (_, line) => new InvalidLine({ line, detail: "?" }))
      const report = yield* read(lines)
      assert.strictEqual(report.counts.invalid, problemsMax + 5)
      assert.lengthOf(report.problems, problemsMax)
    }).pipe(Effect.provide(World.layer))
  )
})
