import { assert, describe, it } from "@effect/vitest"
import { chargeCycle } from "@pillivery/application/Billing/ChargeCycle"
import { drain } from "@pillivery/application/Events/Relay"
import { approvePayment } from "@pillivery/application/Payments/ApprovePayment"
import { ProtocolSettings, settingsDefault } from "@pillivery/application/Payments/ProtocolSettings"
import { reconcile } from "@pillivery/application/Payments/Reconcile"
import { settleAttempt, settleBillingKey, settleRefund } from "@pillivery/application/Payments/SettleManually"
import { BusinessClock } from "@pillivery/application/ports/BusinessClock"
import { ManualReviews } from "@pillivery/application/ports/ManualReviews"
import { OrderRepository } from "@pillivery/application/ports/OrderRepository"
import { PaymentRepository } from "@pillivery/application/ports/PaymentRepository"
import { RefundRepository } from "@pillivery/application/ports/RefundRepository"
import { requestRefund } from "@pillivery/application/Refunds/RequestRefund"
import { type Behaviour, MemoryProvider } from "@pillivery/application/testing/MemoryProvider"
import * as BusinessDate from "@pillivery/domain/BusinessDate"
import { AttemptId, OrderId, RefundId } from "@pillivery/domain/Ids"
import { TransactionId } from "@pillivery/domain/Provider"
import { Won } from "@pillivery/domain/Won"
import { Effect, Option } from "effect"
import { TestClock } from "effect/testing"
import * as World from "../World.ts"

const responsible = { by: "운영자 김", why: "정산 자료에서 확인" }

const lastTransaction = Effect.gen(function* () {
  const last = (yield* (yield* MemoryProvider).movements).at(-1)
  return last === undefined ? yield* Effect.die("nothing was captured") : last.transactionId
})

/** A renewal that a person has to look at: the provider named another amount. */
const reviewed = Effect.gen(function* () {
  const { subscription } = yield* World.subscribe()
  yield* World.passDays(30)
  yield* (yield* MemoryProvider).next({ _tag: "WrongAmount", amount: Won.make(1_000) })
  yield* World.run
  const { cycle } = yield* World.read(subscription.id)
  if (cycle.openAttempt === null) return yield* Effect.die("nothing holds the cycle")
  return { subscription, attemptId: cycle.openAttempt }
})

/** A renewal whose approval was inferred, so that its name is not known. */
const nameless = Effect.gen(function* () {
  const { subscription } = yield* World.subscribe()
  yield* World.passDays(30)
  yield* (yield* MemoryProvider).next({ _tag: "LoseAnswer" })
  yield* World.run
  yield* TestClock.adjust("6 minutes")
  yield* World.withTime(reconcile())
  const [, charged] = (yield* World.read(subscription.id)).cycles
  if (charged?._tag !== "Charged") return yield* Effect.die("it was not charged")
  return { subscription, attemptId: charged.chargedBy }
})

/** A person refunds a payment in the provider's console. */
const giveBack = Effect.fnUntraced(function* (id: AttemptId) {
  const attempt = yield* World.attempt(id)
  const { strategy } = yield* MemoryProvider
  const far = Number.MAX_SAFE_INTEGER
  yield* strategy.refund({
    refundId: RefundId.make(id),
    merchantAccount: attempt.merchantAccount,
    transactionId: yield* lastTransaction,
    amount: attempt.amount,
    approved: attempt.amount,
    available: attempt.amount,
    dispatchBefore: { monotonicMillis: far, wallMillis: far }
  })
})

/** A renewal whose answer was lost, and about which nobody could be asked for days. */
const unasked = Effect.fnUntraced(function* (behaviour: Behaviour) {
  const { subscription } = yield* World.subscribe()
  yield* World.passDays(30)
  const provider = yield* MemoryProvider
  yield* provider.next(behaviour)
  yield* World.run
  yield* provider.failLookups(true)
  for (let day = 0; day < 6; day++) {
    yield* TestClock.adjust("6 hours")
    yield* World.withTime(reconcile())
    yield* TestClock.adjust("18 hours")
    yield* World.withTime(reconcile())
  }
  const { cycle } = yield* World.read(subscription.id)
  if (cycle.openAttempt === null) return yield* Effect.die("nothing holds the cycle")
  assert.strictEqual((yield* World.attempt(cycle.openAttempt))._tag, "ManualReview")
  return cycle.openAttempt
})

const decisions = (id: string) =>
  Effect.flatMap(ManualReviews, (reviews) =>
    Effect.map(reviews.decisionsOf(id), (all) =>
      all.map(({ by, decision, subject, why }) => ({ by, decision, subject, why }))
    )
  )

describe("settleAttempt", () => {
  it.effect("takes an approval whose name the provider shows for it, and writes down who said so", () =>
    Effect.gen(function* () {
      yield* World.begin
      const { attemptId, subscription } = yield* reviewed
      const transactionId = yield* lastTransaction
      const settled = yield* settleAttempt(attemptId, { _tag: "approved", transactionId }, responsible)
      assert.isTrue(settled._tag === "Approved" && settled.reference._tag === "Known")
      const { cycles, key } = yield* World.read(subscription.id)
      assert.deepStrictEqual(
        cycles.map(({ _tag }) => _tag),
        ["Due", "Charged"]
      )
      assert.strictEqual(key?.inFlight, null)
      assert.deepStrictEqual(yield* decisions(attemptId), [
        { ...responsible, subject: "attempt", decision: "approved" }
      ])
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("refuses a name that the provider shows for something else, and changes nothing", () =>
    Effect.gen(function* () {
      yield* World.begin
      const { attemptId: other } = yield* World.prepareApproval(yield* World.placeOrder([{ price: 5_000 }]))
      const first = yield* World.attempt(other)
      const { attemptId } = yield* reviewed
      const before = yield* World.attempt(attemptId)
      const foreign = first._tag === "AwaitingCustomer" ? first.transactionId : assert.fail()
      for (const transactionId of [foreign, TransactionId.make("T-nobody-knows")]) {
        const failed = yield* Effect.flip(settleAttempt(attemptId, { _tag: "approved", transactionId }, responsible))
        assert.strictEqual(failed._tag, "EvidenceMissing")
      }
      yield* (yield* MemoryProvider).failLookups(true)
      const transactionId = yield* lastTransaction
      const failed = yield* Effect.flip(settleAttempt(attemptId, { _tag: "approved", transactionId }, responsible))
      assert.strictEqual(failed._tag, "EvidenceMissing")
      assert.deepStrictEqual(yield* World.attempt(attemptId), before)
      assert.deepStrictEqual(yield* decisions(attemptId), [])
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("takes a decline, and the ladder begins on the day it was sent", () =>
    Effect.gen(function* () {
      yield* World.begin
      const { attemptId, subscription } = yield* reviewed
      yield* giveBack(attemptId)
      assert.strictEqual((yield* settleAttempt(attemptId, { _tag: "declined" }, responsible))._tag, "Declined")
      const { cycle } = yield* World.read(subscription.id)
      assert.isTrue(cycle._tag === "RetryDue" && cycle.nextAttemptOn === "2026-12-24")
      const again = yield* Effect.flip(settleAttempt(attemptId, { _tag: "declined" }, responsible))
      assert.isTrue(again._tag === "NothingToDecide" && again.state === "Declined")
      assert.lengthOf(yield* decisions(attemptId), 1)
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("takes it for not executed, and it is charged on a later day", () =>
    Effect.gen(function* () {
      yield* World.begin
      const { attemptId, subscription } = yield* reviewed
      yield* giveBack(attemptId)
      yield* settleAttempt(attemptId, { _tag: "notExecuted" }, responsible)
      const { cycle, key } = yield* World.read(subscription.id)
      assert.isTrue(cycle._tag === "Due" && cycle.nextAttemptOn === "2026-12-24")
      assert.strictEqual(key?.inFlight, null)
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("takes nothing for declined or not executed that the provider shows executed", () =>
    Effect.gen(function* () {
      yield* World.begin
      const { attemptId: named } = yield* reviewed
      const nameless = yield* unasked({ _tag: "LoseAnswer" })
      yield* (yield* MemoryProvider).failLookups(false)
      for (const id of [named, nameless]) {
        for (const verdict of ["declined", "notExecuted"] as const) {
          const refused = yield* Effect.flip(settleAttempt(id, { _tag: verdict }, responsible))
          assert.strictEqual(refused._tag, "EvidenceMissing")
          assert.strictEqual((yield* World.attempt(id))._tag, "ManualReview")
        }
      }
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("takes a lost charge for not executed when the provider shows nothing of it, once it can be asked", () =>
    Effect.gen(function* () {
      yield* World.begin
      const id = yield* unasked({ _tag: "LoseRequest" })
      const unanswered = yield* Effect.flip(settleAttempt(id, { _tag: "notExecuted" }, responsible))
      assert.strictEqual(unanswered._tag, "EvidenceMissing")
      yield* (yield* MemoryProvider).failLookups(false)
      assert.strictEqual((yield* settleAttempt(id, { _tag: "notExecuted" }, responsible))._tag, "NotExecuted")
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("frees an order whose approval was in review for another try", () =>
    Effect.gen(function* () {
      yield* World.begin
      const order = yield* World.placeOrder([{ price: 10_000 }])
      const { attemptId, token } = yield* World.prepareApproval(order)
      yield* (yield* MemoryProvider).next({ _tag: "WrongAmount", amount: Won.make(1) })
      yield* Effect.exit(approvePayment(attemptId, token))
      assert.strictEqual((yield* World.attempt(attemptId))._tag, "ManualReview")
      const refused = yield* Effect.flip(settleAttempt(attemptId, { _tag: "notExecuted" }, responsible))
      assert.strictEqual(refused._tag, "EvidenceMissing")
      yield* giveBack(attemptId)
      yield* settleAttempt(attemptId, { _tag: "notExecuted" }, responsible)
      const after = Option.getOrThrow(yield* (yield* OrderRepository).findById(order.id))
      assert.isTrue(after._tag === "Placed" && after.approvingAttempt === null)
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("gives an inferred approval its name, and sends the refund that waited for it", () =>
    Effect.gen(function* () {
      yield* World.begin
      const { attemptId } = yield* nameless
      const attempt = yield* World.attempt(attemptId)
      const refund = yield* requestRefund({
        orderId: OrderId.make(attemptId),
        userId: attempt.purpose.userId,
        lines: "rest",
        reason: "변심"
      })
      yield* World.withTime(drain())
      const refundNow = Effect.flatMap(RefundRepository, ({ findById }) => findById(refund.id)).pipe(
        Effect.map((found) => Option.getOrThrow(found)._tag)
      )
      assert.strictEqual(yield* refundNow, "Parked")
      const reviews = yield* ManualReviews
      const waiting = yield* reviews.list("reference", { after: null, limit: 10 })
      assert.deepStrictEqual(
        waiting.map(({ id }) => id),
        [attemptId]
      )
      const transactionId = yield* lastTransaction
      const named = yield* settleAttempt(attemptId, { _tag: "approved", transactionId }, responsible)
      assert.isTrue(named._tag === "Approved" && named.reference._tag === "Known")
      assert.strictEqual(yield* refundNow, "Requested")
      assert.deepStrictEqual(yield* reviews.list("reference", { after: null, limit: 10 }), [])
      assert.deepStrictEqual(
        (yield* decisions(attemptId)).map(({ subject }) => subject),
        ["reference"]
      )
      const denied = yield* Effect.flip(settleAttempt(attemptId, { _tag: "declined" }, responsible))
      assert.strictEqual(denied._tag, "NothingToDecide")
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("knows no attempt that is not there", () =>
    Effect.gen(function* () {
      const id = AttemptId.make("0192a000-0000-7000-8000-000000000001")
      const failed = yield* Effect.flip(settleAttempt(id, { _tag: "declined" }, responsible))
      assert.isTrue(failed._tag === "NothingToDecide" && failed.state === null)
    }).pipe(Effect.provide(World.layer))
  )
})

describe("settleRefund", () => {
  /** A refund that was sent in vain until a person was asked. */
  const reviewedRefund = Effect.gen(function* () {
    const order = yield* World.placeOrder([{ price: 10_000 }])
    const { attemptId, token } = yield* World.prepareApproval(order)
    yield* approvePayment(attemptId, token)
    const refund = yield* requestRefund({ orderId: order.id, userId: order.userId, lines: "rest", reason: "변심" })
    yield* (yield* MemoryProvider).next({ _tag: "NotExecuted", why: "local" })
    yield* World.withTime(drain())
    yield* World.withTime(reconcile())
    return { attemptId, refundId: refund.id, order }
  })
  const impatient = Effect.provideService(ProtocolSettings, {
    ...settingsDefault,
    refundDispatchesMax: 1,
    refundTryingDays: 0
  })
  const stateOf = (id: RefundId) =>
    Effect.flatMap(RefundRepository, (refunds) => Effect.map(refunds.findById(id), Option.getOrThrow))

  it.effect("takes it for rejected and frees the amount", () =>
    Effect.gen(function* () {
      yield* World.begin
      const { attemptId, refundId } = yield* reviewedRefund
      assert.strictEqual((yield* stateOf(refundId))._tag, "ManualReview")
      yield* settleRefund(refundId, "rejected", responsible)
      const attempt = yield* World.attempt(attemptId)
      assert.isTrue(attempt._tag === "Approved" && attempt.reserved === 0 && attempt.refundInFlight === null)
      assert.deepStrictEqual(yield* decisions(refundId), [{ ...responsible, subject: "refund", decision: "rejected" }])
    }).pipe(impatient, Effect.provide(World.layer))
  )

  it.effect("takes it for completed only if the provider shows that it gave the money back", () =>
    Effect.gen(function* () {
      yield* World.begin
      const { attemptId, order, refundId } = yield* reviewedRefund
      const failed = yield* Effect.flip(settleRefund(refundId, "completed", responsible))
      assert.strictEqual(failed._tag, "EvidenceMissing")
      yield* giveBack(attemptId)
      assert.strictEqual((yield* Effect.flip(settleRefund(refundId, "rejected", responsible)))._tag, "EvidenceMissing")
      assert.strictEqual((yield* Effect.flip(settleRefund(refundId, "requested", responsible)))._tag, "EvidenceMissing")
      yield* settleRefund(refundId, "completed", responsible)
      const found = Option.getOrThrow(yield* (yield* OrderRepository).findById(order.id))
      assert.strictEqual(found._tag, "Refunded")
      const again = yield* Effect.flip(settleRefund(refundId, "completed", responsible))
      assert.isTrue(again._tag === "NothingToDecide" && again.state === "Completed")
    }).pipe(impatient, Effect.provide(World.layer))
  )

  it.effect("has it sent once more, with its tries counted anew", () =>
    Effect.gen(function* () {
      yield* World.begin
      const { refundId } = yield* reviewedRefund
      yield* settleRefund(refundId, "requested", responsible)
      yield* World.withTime(reconcile())
      assert.strictEqual((yield* stateOf(refundId))._tag, "Completed")
      assert.strictEqual((yield* World.ledger).refunds, 1)
    }).pipe(impatient, Effect.provide(World.layer))
  )
})

describe("settleBillingKey", () => {
  const frozen = Effect.gen(function* () {
    const { cycle, key, subscription } = yield* World.subscribe()
    if (key?._tag !== "Active") return yield* Effect.die("there is no key")
    yield* World.passDays(30)
    yield* (yield* MemoryProvider).chargeElsewhere(key.billingKey)
    yield* TestClock.adjust("2 minutes")
    const date = BusinessDate.fromInstant(yield* (yield* BusinessClock).now)
    yield* World.withTime(chargeCycle({ subscriptionId: subscription.id, number: cycle.number }, { date }))
    assert.strictEqual((yield* World.read(subscription.id)).key?._tag, "Frozen")
    return { keyId: key.id, subscription }
  })

  it.effect("takes a key for in order, and it is charged and not frozen again", () =>
    Effect.gen(function* () {
      yield* World.begin
      const { keyId, subscription } = yield* frozen
      yield* settleBillingKey(keyId, "unfreeze", responsible)
      assert.strictEqual((yield* World.run).counts.charged, 1)
      const { key } = yield* World.read(subscription.id)
      assert.strictEqual(key?._tag, "Active")
      assert.deepStrictEqual(yield* decisions(keyId), [{ ...responsible, subject: "billingKey", decision: "unfreeze" }])
      assert.strictEqual((yield* Effect.flip(settleBillingKey(keyId, "revoke", responsible)))._tag, "NothingToDecide")
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("takes it for dead, and its subscriptions wait for another", () =>
    Effect.gen(function* () {
      yield* World.begin
      const { keyId, subscription } = yield* frozen
      yield* settleBillingKey(keyId, "revoke", responsible)
      yield* World.run
      const { cycle, key } = yield* World.read(subscription.id)
      assert.deepStrictEqual([key?._tag, cycle._tag], ["Revoked", "AwaitingKey"])
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("does not unfreeze what the provider cannot be asked about", () =>
    Effect.gen(function* () {
      yield* World.begin
      const { keyId } = yield* frozen
      yield* (yield* MemoryProvider).failLookups(true)
      assert.strictEqual((yield* Effect.flip(settleBillingKey(keyId, "unfreeze", responsible)))._tag, "EvidenceMissing")
    }).pipe(Effect.provide(World.layer))
  )
})

describe("a decision", () => {
  it.effect("is not made when it cannot be written down", () =>
    Effect.gen(function* () {
      yield* World.begin
      const { attemptId } = yield* reviewed
      yield* giveBack(attemptId)
      const reviews = yield* ManualReviews
      const broken = ManualReviews.of({ ...reviews, record: () => Effect.die("the disk is full") })
      yield* Effect.exit(
        Effect.provideService(settleAttempt(attemptId, { _tag: "declined" }, responsible), ManualReviews, broken)
      )
      const found = Option.getOrThrow(yield* (yield* PaymentRepository).findAttempt(attemptId))
      assert.strictEqual(found._tag, "ManualReview")
    }).pipe(Effect.provide(World.layer))
  )
})
