import { assert, describe, it } from "@effect/vitest"
import { drain } from "@pillivery/application/Events/Relay"
import { approvePayment, leavePayment } from "@pillivery/application/Payments/ApprovePayment"
import { reconcile } from "@pillivery/application/Payments/Reconcile"
import { requestPayment } from "@pillivery/application/Payments/RequestPayment"
import { OrderRepository } from "@pillivery/application/ports/OrderRepository"
import { PaymentRepository } from "@pillivery/application/ports/PaymentRepository"
import { SubscriptionRepository } from "@pillivery/application/ports/SubscriptionRepository"
import { requestBillingKey } from "@pillivery/application/Subscriptions/RegisterBillingKey"
import { MemoryProvider } from "@pillivery/application/testing/MemoryProvider"
import { Soft } from "@pillivery/domain/DeclineReason"
import { BillingKeyId, SubscriptionId, UserId } from "@pillivery/domain/Ids"
import type * as Order from "@pillivery/domain/Order"
import { RegistrationSubject } from "@pillivery/domain/Payment"
import { ApprovalToken } from "@pillivery/domain/Provider"
import { Won } from "@pillivery/domain/Won"
import { Effect, Fiber, Option } from "effect"
import { TestClock } from "effect/testing"
import * as World from "../World.ts"

const forged = ApprovalToken.make("forged")
const unsent = { _tag: "NotExecuted", why: "local" } as const

const orderNow = Effect.fnUntraced(function* (order: Order.Order) {
  return Option.getOrThrow(yield* (yield* OrderRepository).findById(order.id))
})

describe("approvePayment", () => {
  it.effect("F1: pays the order and begins one subscription for each subscription line", () =>
    Effect.gen(function* () {
      yield* World.begin
      const order = yield* World.placeOrder([
        { price: 12_000, quantity: 2 },
        { price: 30_000, period: 60 }
      ])
      const { attemptId, token } = yield* World.prepareApproval(order)
      const approved = yield* approvePayment(attemptId, token)
      assert.strictEqual(approved.amount, 54_000)
      assert.strictEqual((yield* orderNow(order))._tag, "Paid")
      const found = yield* (yield* SubscriptionRepository).listByUser(order.userId, { page: 1, size: 10 })
      assert.strictEqual(found.totalElements, 1)
      const line = order.lines[1]
      if (line === undefined) return assert.fail("the order has two lines")
      const { cycle, key, subscription } = yield* World.read(SubscriptionId.make(line.id))
      assert.strictEqual(subscription._tag, "Active")
      assert.strictEqual(cycle.gridDate, "2027-01-22")
      assert.strictEqual(key?.liveUses, 1)
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("F6: answers every visitor of one approval the same, and takes the money once", () =>
    Effect.gen(function* () {
      yield* World.begin
      const order = yield* World.placeOrder([{ price: 12_000 }])
      const { attemptId, token } = yield* World.prepareApproval(order)
      const answers = yield* World.withTime(
        Effect.all(
          Array.from({ length: 32 }, () => approvePayment(attemptId, token)),
          { concurrency: "unbounded" }
        )
      )
      assert.strictEqual(new Set(answers.map((answer) => JSON.stringify(answer))).size, 1)
      assert.deepStrictEqual(yield* approvePayment(attemptId, token), answers[0])
      assert.deepStrictEqual(yield* World.ledger, { captures: 1, captured: 12_000, refunds: 0, refunded: 0 })
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("refuses a forged token and still takes the customer's own afterwards", () =>
    Effect.gen(function* () {
      yield* World.begin
      const order = yield* World.placeOrder([{ price: 12_000 }])
      const { attemptId, token } = yield* World.prepareApproval(order)
      const refused = yield* Effect.flip(approvePayment(attemptId, forged))
      assert.strictEqual(refused._tag, "ApprovalNotAccepted")
      const placed = yield* orderNow(order)
      assert.isTrue(placed._tag === "Placed" && placed.approvingAttempt === null)
      yield* approvePayment(attemptId, token)
      assert.strictEqual((yield* orderNow(order))._tag, "Paid")
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("lets the customer try again after a decline", () =>
    Effect.gen(function* () {
      yield* World.begin
      const order = yield* World.placeOrder([{ price: 12_000 }])
      const first = yield* World.prepareApproval(order)
      yield* (yield* MemoryProvider).next({
        _tag: "Decline",
        reason: new Soft({ kind: "InsufficientFunds", code: "LACK_BALANCE", message: "" })
      })
      const declined = yield* Effect.flip(approvePayment(first.attemptId, first.token))
      assert.strictEqual(declined._tag, "PaymentDeclined")
      const second = yield* World.prepareApproval(order)
      yield* approvePayment(second.attemptId, second.token)
      assert.strictEqual((yield* World.ledger).captures, 1)
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("tries again when the provider provably was not reached, each time as a dispatch of its own", () =>
    Effect.gen(function* () {
      yield* World.begin
      const order = yield* World.placeOrder([{ price: 12_000 }])
      const { attemptId, token } = yield* World.prepareApproval(order)
      yield* (yield* MemoryProvider).next(unsent, unsent)
      const fiber = yield* Effect.forkChild(approvePayment(attemptId, token), { startImmediately: true })
      yield* TestClock.adjust("2999 millis")
      const waiting = yield* World.attempt(attemptId)
      assert.isTrue(waiting._tag === "AwaitingCustomer" && waiting.dispatches === 1)
      yield* TestClock.adjust("3001 millis")
      assert.strictEqual((yield* Fiber.join(fiber)).amount, 12_000)
      const approved = yield* World.attempt(attemptId)
      assert.isTrue(approved._tag === "Approved" && approved.dispatches === 3)
      assert.strictEqual((yield* World.ledger).captures, 1)
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("gives up after three tries that reached nobody, and takes the same transaction later", () =>
    Effect.gen(function* () {
      yield* World.begin
      const order = yield* World.placeOrder([{ price: 12_000 }])
      const { attemptId, token } = yield* World.prepareApproval(order)
      yield* (yield* MemoryProvider).next(unsent, unsent, unsent)
      const refused = yield* World.withTime(Effect.flip(approvePayment(attemptId, token)))
      assert.strictEqual(refused._tag, "ProviderUnavailable")
      const waiting = yield* World.attempt(attemptId)
      assert.isTrue(waiting._tag === "AwaitingCustomer" && waiting.dispatches === 3)
      assert.strictEqual((yield* World.ledger).captures, 0)
      yield* approvePayment(attemptId, token)
      assert.strictEqual((yield* World.ledger).captures, 1)
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("does not try again what is ours to fix", () =>
    Effect.gen(function* () {
      yield* World.begin
      const order = yield* World.placeOrder([{ price: 12_000 }])
      const { attemptId, token } = yield* World.prepareApproval(order)
      yield* (yield* MemoryProvider).next({ _tag: "NotExecuted", why: "ours" })
      assert.strictEqual((yield* Effect.flip(approvePayment(attemptId, token)))._tag, "ProviderUnavailable")
      const waiting = yield* World.attempt(attemptId)
      assert.isTrue(waiting._tag === "AwaitingCustomer" && waiting.dispatches === 1)
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("asks the provider about a lost answer instead of sending it again", () =>
    Effect.gen(function* () {
      yield* World.begin
      const order = yield* World.placeOrder([{ price: 12_000 }])
      const { attemptId, token } = yield* World.prepareApproval(order)
      yield* (yield* MemoryProvider).next({ _tag: "LoseAnswer" })
      assert.strictEqual((yield* Effect.flip(approvePayment(attemptId, token)))._tag, "PaymentInProgress")
      assert.strictEqual((yield* orderNow(order))._tag, "Placed")
      const approved = yield* World.withTime(approvePayment(attemptId, token))
      assert.strictEqual(approved.amount, 12_000)
      assert.strictEqual((yield* orderNow(order))._tag, "Paid")
      assert.strictEqual((yield* World.ledger).captures, 1)
    }).pipe(Effect.provide(World.layer))
  )

  it.effect(
    "opens no second transaction while an approval is unknown, and gives the order up only after the grace",
    () =>
      Effect.gen(function* () {
        yield* World.begin
        const order = yield* World.placeOrder([{ price: 12_000 }])
        const { attemptId, token } = yield* World.prepareApproval(order)
        yield* (yield* MemoryProvider).next({ _tag: "LoseRequest" })
        yield* Effect.flip(approvePayment(attemptId, token))
        const refused = yield* Effect.flip(requestPayment({ orderId: order.id, userId: order.userId }))
        assert.strictEqual(refused._tag, "PaymentInProgress")
        yield* TestClock.adjust("20 minutes")
        yield* World.withTime(reconcile())
        assert.strictEqual((yield* World.attempt(attemptId))._tag, "Unknown")
        yield* TestClock.adjust("60 minutes")
        yield* World.withTime(reconcile())
        assert.strictEqual((yield* World.attempt(attemptId))._tag, "Abandoned")
        const placed = yield* orderNow(order)
        assert.isTrue(placed._tag === "Placed" && placed.approvingAttempt === null)
      }).pipe(Effect.provide(World.layer))
  )

  it.effect("F4: lets the owner ask for a new registration when the provider's page has closed", () =>
    Effect.gen(function* () {
      yield* World.begin
      const order = yield* World.placeOrder([{ price: 30_000, period: 30 }])
      const { attemptId, token } = yield* World.prepareApproval(order)
      const provider = yield* MemoryProvider
      yield* provider.next({ _tag: "LoseAnswer" })
      yield* Effect.flip(approvePayment(attemptId, token))
      yield* World.withTime(approvePayment(attemptId, token))
      yield* World.withTime(drain())
      yield* TestClock.adjust("20 minutes")
      const { subscription } = yield* World.subscriptionOf(order)
      const owner = { subscriptionId: subscription.id, userId: subscription.userId }
      const stranger = UserId.make("01900000-0000-7000-8000-00000000beef")
      const refused = yield* Effect.flip(requestBillingKey({ ...owner, userId: stranger }))
      assert.strictEqual(refused._tag, "SubscriptionNotFound")
      const waiting = yield* requestBillingKey(owner)
      yield* approvePayment(waiting.id, yield* provider.approveAsCustomer(waiting.transactionId))
      assert.strictEqual((yield* World.subscriptionOf(order)).subscription._tag, "Active")
      assert.strictEqual((yield* Effect.flip(requestBillingKey(owner)))._tag, "BillingKeyNotWanted")
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("F2: registers a key without a charge when the first payment told none", () =>
    Effect.gen(function* () {
      yield* World.begin
      const order = yield* World.placeOrder([{ price: 30_000, period: 30 }])
      const { attemptId, token } = yield* World.prepareApproval(order)
      const provider = yield* MemoryProvider
      yield* provider.next({ _tag: "LoseAnswer" })
      yield* Effect.flip(approvePayment(attemptId, token))
      yield* World.withTime(approvePayment(attemptId, token))
      const waiting = yield* World.subscriptionOf(order)
      assert.strictEqual(waiting.subscription._tag, "AwaitingBillingKey")
      assert.isTrue(waiting.cycle._tag === "AwaitingKey" && waiting.cycle.nextAttemptOn === null)
      yield* World.withTime(drain())
      const pending = (yield* World.subscriptionOf(order)).subscription
      if (pending._tag !== "AwaitingBillingKey" || pending.pendingBillingKeyId === null) {
        return assert.fail("no registration was prepared")
      }
      const registration = yield* registrationOf(pending.pendingBillingKeyId)
      const registrationToken = yield* provider.approveAsCustomer(registration.transactionId)
      yield* approvePayment(registration.id, registrationToken)
      const ready = yield* World.subscriptionOf(order)
      assert.strictEqual(ready.subscription._tag, "Active")
      assert.isTrue(ready.cycle._tag === "Due" && ready.cycle.nextAttemptOn === "2026-12-23")
      yield* World.passDays(30)
      assert.strictEqual((yield* World.run).counts.charged, 1)
      assert.strictEqual((yield* World.ledger).captured, 60_000)
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("lets a newer transaction take the place of an older one that still waits", () =>
    Effect.gen(function* () {
      yield* World.begin
      const order = yield* World.placeOrder([{ price: 12_000 }])
      const first = yield* World.prepareApproval(order)
      const second = yield* World.prepareApproval(order)
      assert.strictEqual((yield* Effect.flip(approvePayment(first.attemptId, first.token)))._tag, "PaymentOver")
      yield* approvePayment(second.attemptId, second.token)
      assert.strictEqual((yield* World.ledger).captures, 1)
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("hands an approval of another amount to a person and leaves the order unpaid", () =>
    Effect.gen(function* () {
      yield* World.begin
      const order = yield* World.placeOrder([{ price: 12_000 }])
      const { attemptId, token } = yield* World.prepareApproval(order)
      yield* (yield* MemoryProvider).next({ _tag: "WrongAmount", amount: Won.make(1) })
      assert.strictEqual((yield* Effect.flip(approvePayment(attemptId, token)))._tag, "PaymentInProgress")
      assert.strictEqual((yield* World.attempt(attemptId))._tag, "ManualReview")
      assert.strictEqual((yield* orderNow(order))._tag, "Placed")
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("takes nothing for an order whose time is over", () =>
    Effect.gen(function* () {
      yield* World.begin
      const order = yield* World.placeOrder([{ price: 12_000 }])
      const { attemptId, token } = yield* World.prepareApproval(order)
      yield* TestClock.adjust("31 minutes")
      assert.strictEqual((yield* Effect.flip(approvePayment(attemptId, token)))._tag, "PaymentOver")
      assert.strictEqual((yield* World.ledger).captures, 0)
    }).pipe(Effect.provide(World.layer))
  )
})

describe("requestPayment", () => {
  it.effect("tells nobody about another user's order", () =>
    Effect.gen(function* () {
      yield* World.begin
      const order = yield* World.placeOrder([{ price: 12_000 }])
      const stranger = UserId.make("01900000-0000-7000-8000-00000000beef")
      const refused = yield* Effect.flip(requestPayment({ orderId: order.id, userId: stranger }))
      assert.strictEqual(refused._tag, "OrderNotFound")
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("F20: requests no payment of a paid order", () =>
    Effect.gen(function* () {
      yield* World.begin
      const order = yield* World.placeOrder([{ price: 12_000 }])
      const { attemptId, token } = yield* World.prepareApproval(order)
      yield* approvePayment(attemptId, token)
      const refused = yield* Effect.flip(requestPayment({ orderId: order.id, userId: order.userId }))
      assert.strictEqual(refused._tag, "OrderNotPayable")
    }).pipe(Effect.provide(World.layer))
  )
})

describe("leavePayment", () => {
  it.effect("believes the provider, not the visit", () =>
    Effect.gen(function* () {
      yield* World.begin
      const order = yield* World.placeOrder([{ price: 12_000 }])
      const { attemptId, token } = yield* World.prepareApproval(order)
      assert.strictEqual((yield* leavePayment(attemptId))._tag, "AwaitingCustomer")
      yield* approvePayment(attemptId, token)
      assert.strictEqual((yield* leavePayment(attemptId))._tag, "Approved")
    }).pipe(Effect.provide(World.layer))
  )
})

const registrationOf = Effect.fnUntraced(function* (billingKeyId: string) {
  const payments = yield* PaymentRepository
  const payment = Option.getOrThrow(
    yield* payments.findPaymentBySubject(new RegistrationSubject({ billingKeyId: BillingKeyId.make(billingKeyId) }))
  )
  const attempt = (yield* payments.listAttempts(payment.id))[0]
  if (attempt?._tag !== "AwaitingCustomer") return yield* Effect.die("no registration waits for the customer")
  return attempt
})
