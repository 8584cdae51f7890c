/** Histories that once charged twice, lost a charge or stranded a row: each stays as a test. */
import { assert, describe, it } from "@effect/vitest"
import * as ChargeDirectly from "@pillivery/application/Billing/ChargeDirectly"
import * as Mailer from "@pillivery/adapters-memory/Mailer"
import * as Memory from "@pillivery/adapters-memory/Memory"
import { findingOf, recordCharge } from "@pillivery/application/Billing/RecordCharge"
import { drain } from "@pillivery/application/Events/Relay"
import { approvePayment } from "@pillivery/application/Payments/ApprovePayment"
import * as MoneyCalls from "@pillivery/application/Payments/MoneyCalls"
import { reconcile } from "@pillivery/application/Payments/Reconcile"
import { requestPayment } from "@pillivery/application/Payments/RequestPayment"
import { BillingKeyRepository } from "@pillivery/application/ports/BillingKeyRepository"
import { OrderRepository } from "@pillivery/application/ports/OrderRepository"
import { PaymentRepository } from "@pillivery/application/ports/PaymentRepository"
import { RefundRepository } from "@pillivery/application/ports/RefundRepository"
import { StaleWrite, StorageError } from "@pillivery/application/ports/StorageError"
import { Transaction } from "@pillivery/application/ports/Transaction"
import { requestRefund } from "@pillivery/application/Refunds/RequestRefund"
import { cancelSubscription } from "@pillivery/application/Subscriptions/CancelSubscription"
import * as MemoryProvider from "@pillivery/application/testing/MemoryProvider"
import { Soft } from "@pillivery/domain/DeclineReason"
import { AttemptId, RefundId } from "@pillivery/domain/Ids"
import * as Strategy from "@pillivery/domain/PaymentStrategy"
import { ApprovalId, PaymentMethod, type TransactionId } from "@pillivery/domain/Provider"
import * as Answer from "@pillivery/domain/ProviderAnswer"
import { Won } from "@pillivery/domain/Won"
import { DateTime, Effect, Fiber, Layer, Option } from "effect"
import { TestClock } from "effect/testing"
import * as World from "./World.ts"

type Wrap = (strategy: Strategy.PaymentStrategy) => Partial<Strategy.PaymentStrategy>

/** The world with some of the provider's methods replaced, and commits that are lost while `isCommitLost` says so. */
const worldWith = (wrap: Wrap, isCommitLost: () => boolean = () => false) => {
  const strategies = Layer.effect(
    Strategy.PaymentStrategies,
    Effect.map(MemoryProvider.MemoryProvider, ({ strategy }) => {
      const wrapped = { ...strategy, ...wrap(strategy) }
      return { find: () => wrapped, preferred: wrapped }
    })
  ).pipe(Layer.provideMerge(MemoryProvider.layer))
  const transaction = Layer.effect(
    Transaction,
    Effect.map(Transaction, ({ run }) => {
      const runOrLose = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | StorageError, R> =>
        Effect.suspend((): Effect.Effect<A, E | StorageError, R> =>
          isCommitLost()
            ? Effect.fail(new StorageError({ operation: "commit", reason: "outcomeUnknown", cause: "told to" }))
            : run(effect)
        )
      return Transaction.of({ run: runOrLose, runShared: () => runOrLose })
    })
  ).pipe(Layer.provideMerge(Memory.layer))
  return ChargeDirectly.layer.pipe(
    Layer.provideMerge(MoneyCalls.layer),
    Layer.provideMerge(Layer.mergeAll(transaction, strategies, World.callbacks, Mailer.layerNone))
  )
}

/** Days of reconciling and delivering. */
const letDaysPass = Effect.fnUntraced(function* (days: number) {
  for (let half = 0; half < days * 2; half++) {
    yield* World.withTime(reconcile())
    yield* World.withTime(drain())
    yield* TestClock.adjust("12 hours")
  }
})

const approvalOf = (transactionId: TransactionId, amount: number, at: DateTime.Utc) =>
  findingOf(
    new Answer.Approved({
      transactionId,
      approvalId: ApprovalId.make("A-late"),
      amount: Won.make(amount),
      approvedAt: at,
      method: PaymentMethod.make("MONEY"),
      billingKey: null
    })
  )

const lastCapture = Effect.gen(function* () {
  const movements = yield* (yield* MemoryProvider.MemoryProvider).movements
  const last = movements.findLast(({ kind }) => kind === "capture")
  return last ?? (yield* Effect.die("nothing was captured"))
})

const declined = new Soft({ kind: "Refused", code: "-781", message: "" })
const lateMillis = 20 * 60_000
const farAway = { monotonicMillis: Number.MAX_SAFE_INTEGER, wallMillis: Number.MAX_SAFE_INTEGER }

/** A renewal whose answer was lost, though it was executed, and the attempt that holds it. */
const lostRenewal = Effect.gen(function* () {
  const { subscription } = yield* World.subscribe()
  yield* World.passDays(30)
  const provider = yield* MemoryProvider.MemoryProvider
  yield* provider.next({ _tag: "LoseAnswer" })
  yield* World.run
  const { openAttempt } = (yield* World.read(subscription.id)).cycle
  return openAttempt === null ? yield* Effect.die("nothing holds the cycle") : { openAttempt, provider }
})

/**
 * A charge that was taken for not executed, and the next one of the same key, which does as it is told. `executeLate`
 * executes the first after all, far beyond every grace, and whoever sent it wakes up with its answer.
 */
const lateAndNext = Effect.fnUntraced(function* (next: MemoryProvider.Behaviour) {
  const provider = yield* MemoryProvider.MemoryProvider
  const order = yield* World.placeOrder([
    { price: 10_000, period: 30 },
    { price: 20_000, period: 30 }
  ])
  const approval = yield* World.prepareApproval(order)
  yield* approvePayment(approval.attemptId, approval.token)
  const { key } = yield* World.subscriptionOf(order)
  if (key?._tag !== "Active") return yield* Effect.die("there is no key")
  const holderOf = Effect.gen(function* () {
    const found = yield* (yield* BillingKeyRepository).findById(key.id)
    return Option.getOrThrow(found).inFlight ?? (yield* Effect.die("nothing holds the key"))
  })
  yield* World.passDays(30)
  yield* provider.next({ _tag: "LoseRequest" })
  yield* World.run
  const late = yield* holderOf
  yield* World.passDays(1)
  yield* World.withTime(reconcile())
  assert.strictEqual((yield* World.attempt(late))._tag, "NotExecuted")
  yield* provider.next(next)
  yield* World.run
  const hidden = yield* holderOf
  const executeLate = Effect.gen(function* () {
    yield* provider.chargeElsewhere(key.billingKey)
    const { atMillis, transactionId } = yield* lastCapture
    const { amount } = yield* World.attempt(late)
    yield* recordCharge(late, approvalOf(transactionId, amount, DateTime.makeUnsafe(atMillis)))
  })
  return { executeLate, hidden }
})

describe("a renewal is charged once", () => {
  it.effect("when a lookup made before the grace ended is acted on after it", () => {
    let isStopped = false
    return Effect.gen(function* () {
      yield* World.begin
      yield* World.subscribe()
      yield* World.passDays(30)
      yield* (yield* MemoryProvider.MemoryProvider).next({ _tag: "CommitLate", afterMillis: lateMillis })
      yield* World.run
      yield* TestClock.adjust("6 minutes")
      isStopped = true
      const stopped = yield* Effect.forkChild(reconcile(), { startImmediately: true })
      yield* TestClock.adjust("1 second")
      isStopped = false
      yield* TestClock.adjust("24 hours")
      yield* Fiber.join(stopped)
      yield* World.run
      assert.strictEqual((yield* World.ledger).captures, 2)
    }).pipe(
      Effect.provide(
        worldWith((strategy) => ({
          lookupBillingKey: (request) =>
            Effect.tap(strategy.lookupBillingKey(request), () => (isStopped ? Effect.sleep("24 hours") : Effect.void))
        }))
      )
    )
  })

  it.effect("on each of two lines of one key, by a provider whose clock is half a minute behind", () => {
    const behind = (at: DateTime.Utc) => DateTime.subtract(at, { seconds: 30 })
    const shift = (answer: Answer.ProviderAnswer) =>
      answer._tag === "Approved" ? new Answer.Approved({ ...answer, approvedAt: behind(answer.approvedAt) }) : answer
    return Effect.gen(function* () {
      yield* World.begin
      const order = yield* World.placeOrder([
        { price: 10_000, period: 30 },
        { price: 20_000, period: 30 }
      ])
      const { attemptId, token } = yield* World.prepareApproval(order)
      yield* approvePayment(attemptId, token)
      yield* World.passDays(30)
      yield* (yield* MemoryProvider.MemoryProvider).next({ _tag: "Execute" }, { _tag: "LoseAnswer" })
      for (let day = 0; day < 3; day++) {
        yield* World.run
        yield* World.passDays(1)
      }
      assert.strictEqual((yield* World.ledger).captures, 3)
    }).pipe(
      Effect.provide(
        worldWith((strategy) => ({
          charge: (request) => Effect.map(strategy.charge(request), shift),
          approve: (request) => Effect.map(strategy.approve(request), shift),
          lookupBillingKey: (request) =>
            Effect.map(strategy.lookupBillingKey(request), (answer) =>
              answer._tag === "BillingKeyFound" && answer.lastApprovedAt !== null
                ? new Strategy.BillingKeyFound({ ...answer, lastApprovedAt: behind(answer.lastApprovedAt) })
                : answer
            )
        }))
      )
    )
  })

  it.effect("and not taken for charged by an approval that was there before", () =>
    Effect.gen(function* () {
      yield* World.begin
      const { key, subscription } = yield* World.subscribe()
      if (key?._tag !== "Active") return assert.fail("there is no key")
      yield* World.passDays(10)
      yield* (yield* MemoryProvider.MemoryProvider).chargeElsewhere(key.billingKey)
      yield* World.passDays(20)
      yield* (yield* MemoryProvider.MemoryProvider).next({ _tag: "LoseRequest" })
      yield* World.run
      const after = yield* World.read(subscription.id)
      assert.strictEqual(after.key?._tag, "Frozen")
      assert.strictEqual(after.cycle._tag, "Due")
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("and left to a person where a later approval of its key may hide it", () =>
    Effect.gen(function* () {
      yield* World.begin
      const { executeLate, hidden } = yield* lateAndNext({ _tag: "LoseAnswer" })
      yield* TestClock.adjust("1 hour")
      yield* executeLate
      yield* World.passDays(1)
      yield* World.withTime(reconcile())
      assert.strictEqual((yield* World.attempt(hidden))._tag, "ManualReview")
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("and not taken for executed by an approval that was explained while it was asked about", () =>
    Effect.gen(function* () {
      yield* World.begin
      const { executeLate, hidden } = yield* lateAndNext({ _tag: "LoseRequest" })
      yield* TestClock.adjust("1 hour")
      const context = yield* Effect.context<Effect.Services<typeof executeLate>>()
      const strategies = yield* Strategy.PaymentStrategies
      const { preferred } = strategies
      const strategy = {
        ...preferred,
        lookupBillingKey: (request: Parameters<typeof preferred.lookupBillingKey>[0]) =>
          Effect.andThen(Effect.orDie(Effect.provideContext(executeLate, context)), preferred.lookupBillingKey(request))
      }
      yield* World.withTime(reconcile()).pipe(
        Effect.provideService(Strategy.PaymentStrategies, { find: () => strategy, preferred: strategy })
      )
      assert.strictEqual((yield* World.attempt(hidden))._tag, "Unknown")
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("and not left to a person for one lookup that fails after days without any", () =>
    Effect.gen(function* () {
      yield* World.begin
      const { openAttempt, provider } = yield* lostRenewal
      yield* World.passDays(10)
      yield* provider.failNextLookup(false)
      yield* World.withTime(reconcile())
      assert.strictEqual((yield* World.attempt(openAttempt))._tag, "Unknown")
      yield* World.passDays(1)
      yield* World.withTime(reconcile())
      assert.strictEqual((yield* World.attempt(openAttempt))._tag, "Approved")
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("and left to a person when every question of some days failed", () =>
    Effect.gen(function* () {
      yield* World.begin
      const { openAttempt, provider } = yield* lostRenewal
      yield* provider.failLookups(true)
      for (let hour = 0; hour < 3 * 24; hour++) {
        yield* World.withTime(reconcile())
        yield* TestClock.adjust("1 hour")
        assert.strictEqual((yield* World.attempt(openAttempt))._tag, "Unknown")
      }
      yield* World.passDays(2)
      yield* World.withTime(reconcile())
      assert.strictEqual((yield* World.attempt(openAttempt))._tag, "ManualReview")
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("F18: though rivals keep changing the row while its answer is recorded", () =>
    Effect.gen(function* () {
      yield* World.begin
      const { subscription } = yield* World.subscribe()
      yield* World.passDays(30)
      const payments = yield* PaymentRepository
      let storms = 0
      const racing = PaymentRepository.of({
        ...payments,
        updateAttempt: (attempt) =>
          attempt._tag === "Approved" && storms++ < 12
            ? Effect.fail(new StaleWrite({ entity: "attempt", id: attempt.id }))
            : payments.updateAttempt(attempt)
      })
      yield* World.run.pipe(Effect.provideService(PaymentRepository, racing))
      const charged = (yield* World.read(subscription.id)).cycles[1]
      if (charged?._tag !== "Charged") return assert.fail("the cycle is not charged")
      const attempt = yield* World.attempt(charged.chargedBy)
      assert.isTrue(attempt._tag === "Approved" && attempt.reference._tag === "Known")
    }).pipe(Effect.provide(World.layer))
  )
})

describe("an order is paid once", () => {
  it.effect("when its lost approval is committed late and the customer comes back meanwhile", () => {
    let calls = 0
    return Effect.gen(function* () {
      yield* World.begin
      const order = yield* World.placeOrder([{ price: 10_000 }])
      const { attemptId, token } = yield* World.prepareApproval(order)
      yield* (yield* MemoryProvider.MemoryProvider).next({ _tag: "CommitLate", afterMillis: lateMillis })
      yield* Effect.exit(World.withTime(approvePayment(attemptId, token)))
      yield* Effect.exit(World.withTime(approvePayment(attemptId, token)))
      const refused = yield* Effect.flip(requestPayment({ orderId: order.id, userId: order.userId }))
      assert.strictEqual(refused._tag, "PaymentInProgress")
      yield* letDaysPass(1)
      assert.strictEqual(calls, 1)
      assert.strictEqual((yield* World.attempt(attemptId))._tag, "Approved")
      assert.strictEqual((yield* World.ledger).captured, 10_000)
    }).pipe(
      Effect.provide(
        worldWith((strategy) => ({
          approve: (request) => Effect.suspend(() => (calls++, strategy.approve(request)))
        }))
      )
    )
  })

  it.effect("when one visitor's commit was in doubt and another visitor's call is in flight", () => {
    let isLost = false
    let isSlow = false
    return Effect.gen(function* () {
      yield* World.begin
      const order = yield* World.placeOrder([{ price: 10_000 }])
      const { attemptId, token } = yield* World.prepareApproval(order)
      isLost = true
      const first = yield* Effect.forkChild(approvePayment(attemptId, token), { startImmediately: true })
      yield* TestClock.adjust("10 millis")
      isLost = false
      isSlow = true
      const second = yield* Effect.forkChild(approvePayment(attemptId, token), { startImmediately: true })
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* World.attempt(attemptId))._tag, "Sent")
      const refused = yield* Effect.flip(requestPayment({ orderId: order.id, userId: order.userId }))
      assert.strictEqual(refused._tag, "PaymentInProgress")
      yield* TestClock.adjust("60 seconds")
      yield* Fiber.await(first)
      yield* Fiber.await(second)
      assert.strictEqual((yield* World.attempt(attemptId))._tag, "Approved")
      assert.strictEqual((yield* World.ledger).captures, 1)
    }).pipe(
      Effect.provide(
        worldWith(
          (strategy) => ({
            approve: (request) =>
              Effect.suspend(() =>
                isSlow
                  ? Effect.tap(strategy.approve(request), () => Effect.sleep("20 seconds"))
                  : strategy.approve(request)
              )
          }),
          () => isLost
        )
      )
    )
  })

  it.effect("and its subscription gets the key that came after a lookup had told of the payment", () => {
    let isStopped = false
    return Effect.gen(function* () {
      yield* World.begin
      const order = yield* World.placeOrder([{ price: 10_000, period: 30 }])
      const { attemptId, token } = yield* World.prepareApproval(order)
      isStopped = true
      const stopped = yield* Effect.forkChild(approvePayment(attemptId, token), { startImmediately: true })
      yield* TestClock.adjust("130 seconds")
      yield* World.withTime(reconcile())
      yield* TestClock.adjust("6 minutes")
      yield* World.withTime(reconcile())
      assert.strictEqual((yield* World.subscriptionOf(order)).subscription._tag, "AwaitingBillingKey")
      isStopped = false
      yield* TestClock.adjust("30 minutes")
      yield* Fiber.await(stopped)
      const after = yield* World.subscriptionOf(order)
      assert.strictEqual(after.subscription._tag, "Active")
      assert.isTrue(after.key?._tag === "Active" && after.key.liveUses === 1)
      yield* World.passDays(30)
      assert.strictEqual((yield* World.run).counts.charged, 1)
    }).pipe(
      Effect.provide(
        worldWith((strategy) => ({
          approve: (request) =>
            Effect.tap(strategy.approve(request), () => (isStopped ? Effect.sleep("20 minutes") : Effect.void))
        }))
      )
    )
  })

  it.effect("and not taken for paid when the provider shows that the money went back", () =>
    Effect.gen(function* () {
      yield* World.begin
      const provider = yield* MemoryProvider.MemoryProvider
      const order = yield* World.placeOrder([{ price: 10_000 }])
      const { attemptId, token, transactionId } = yield* World.prepareApproval(order)
      yield* provider.next({ _tag: "LoseAnswer" })
      yield* Effect.exit(World.withTime(approvePayment(attemptId, token)))
      yield* provider.strategy.refund({
        refundId: RefundId.make(attemptId),
        merchantAccount: MemoryProvider.oneTimeAccount,
        transactionId,
        amount: Won.make(10_000),
        approved: Won.make(10_000),
        available: Won.make(10_000),
        dispatchBefore: farAway
      })
      yield* TestClock.adjust("6 minutes")
      yield* World.withTime(reconcile())
      assert.strictEqual((yield* World.attempt(attemptId))._tag, "ManualReview")
      const found = Option.getOrThrow(yield* (yield* OrderRepository).findById(order.id))
      assert.strictEqual(found._tag, "Placed")
    }).pipe(Effect.provide(World.layer))
  )
})

describe("money that moved is explained", () => {
  it.effect("by its name at the provider, also when it was another amount", () =>
    Effect.gen(function* () {
      yield* World.begin
      const { subscription } = yield* World.subscribe()
      yield* World.passDays(30)
      yield* (yield* MemoryProvider.MemoryProvider).next({ _tag: "WrongAmount", amount: Won.make(1_000) })
      yield* World.run
      const { cycle } = yield* World.read(subscription.id)
      if (cycle.openAttempt === null) return assert.fail("nothing holds the cycle")
      const attempt = yield* World.attempt(cycle.openAttempt)
      assert.isTrue(attempt._tag === "ManualReview" && attempt.transactionId === (yield* lastCapture).transactionId)
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("and given back, once the name that its refund waited for is known", () =>
    Effect.gen(function* () {
      yield* World.begin
      const { subscription } = yield* World.subscribe()
      yield* World.passDays(30)
      yield* (yield* MemoryProvider.MemoryProvider).next({ _tag: "LoseAnswer" })
      yield* World.run
      yield* cancelSubscription({
        subscriptionId: subscription.id,
        userId: subscription.userId,
        reason: "owner"
      })
      yield* TestClock.adjust("6 minutes")
      yield* letDaysPass(1)
      const capture = yield* lastCapture
      const attemptId = AttemptId.make(capture.cause)
      assert.strictEqual((yield* (yield* RefundRepository).listByAttempt(attemptId))[0]?._tag, "Parked")
      yield* recordCharge(
        attemptId,
        approvalOf(capture.transactionId, capture.amount, DateTime.makeUnsafe(capture.atMillis))
      )
      yield* letDaysPass(1)
      assert.strictEqual((yield* World.attempt(attemptId))._tag, "Refunded")
      assert.strictEqual((yield* World.ledger).refunded, 30_000)
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("and given back though the provider refused at first, when nothing was owed for it", () => {
    let isSlow = false
    return Effect.gen(function* () {
      yield* World.begin
      const { subscription } = yield* World.subscribe()
      yield* World.passDays(30)
      isSlow = true
      const running = yield* Effect.forkChild(World.run, { startImmediately: true })
      yield* TestClock.adjust("5 seconds")
      yield* cancelSubscription({
        subscriptionId: subscription.id,
        userId: subscription.userId,
        reason: "owner"
      })
      yield* TestClock.adjust("60 seconds")
      yield* Fiber.await(running)
      yield* (yield* MemoryProvider.MemoryProvider).next({ _tag: "Decline", reason: declined })
      yield* letDaysPass(4)
      assert.strictEqual((yield* World.ledger).refunded, 30_000)
    }).pipe(
      Effect.provide(
        worldWith((strategy) => ({
          charge: (request) =>
            Effect.suspend(() =>
              isSlow ? Effect.andThen(Effect.sleep("8 seconds"), strategy.charge(request)) : strategy.charge(request)
            )
        }))
      )
    )
  })

  it.effect("and a key is retired though the last attempt that held it settled after its cycle was closed", () =>
    Effect.gen(function* () {
      yield* World.begin
      const provider = yield* MemoryProvider.MemoryProvider
      const { subscription } = yield* World.subscribe()
      yield* World.passDays(30)
      yield* provider.next({ _tag: "LoseRequest" })
      yield* World.run
      const first = (yield* World.read(subscription.id)).cycle.openAttempt
      yield* World.passDays(1)
      yield* provider.next({ _tag: "LoseRequest" })
      yield* World.run
      if (first === null) return assert.fail("nothing held the cycle")
      const { transactionId } = yield* lastCapture
      // Not later than what the key showed before the second was sent, so that it hides nothing of it.
      yield* recordCharge(first, approvalOf(transactionId, 30_000, World.startedAt))
      yield* cancelSubscription({
        subscriptionId: subscription.id,
        userId: subscription.userId,
        reason: "owner"
      })
      yield* letDaysPass(4)
      const after = yield* World.read(subscription.id)
      assert.strictEqual(after.key?._tag, "Retired")
      assert.deepStrictEqual(
        after.cycles.map(({ openAttempt }) => openAttempt),
        [null, null]
      )
    }).pipe(Effect.provide(World.layer))
  )
})

describe("a refund", () => {
  it.effect("outlives an outage of the provider", () =>
    Effect.gen(function* () {
      yield* World.begin
      const order = yield* World.placeOrder([{ price: 10_000 }])
      const { attemptId, token } = yield* World.prepareApproval(order)
      yield* approvePayment(attemptId, token)
      yield* (yield* MemoryProvider.MemoryProvider).next(
        ...Array.from({ length: 12 }, () => ({ _tag: "NotExecuted", why: "local" }) as const)
      )
      const refund = yield* requestRefund({
        orderId: order.id,
        userId: order.userId,
        lines: "rest",
        reason: "changed my mind"
      })
      for (let pass = 0; pass < 40; pass++) {
        yield* World.withTime(reconcile())
        yield* TestClock.adjust("30 seconds")
      }
      const found = Option.getOrThrow(yield* (yield* RefundRepository).findById(refund.id))
      assert.strictEqual(found._tag, "Completed")
      assert.strictEqual((yield* World.ledger).refunds, 1)
    }).pipe(Effect.provide(World.layer))
  )
})
