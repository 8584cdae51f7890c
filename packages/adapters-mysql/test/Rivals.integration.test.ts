/**
 * Rivals on one row: exactly one of them wins, at either isolation level.
 *
 * @since 0.1.0
 */
import { assert, describe, it } from "@effect/vitest"
import { BillingKeyRepository } from "@pillivery/application/ports/BillingKeyRepository"
import { BillingLedger } from "@pillivery/application/ports/BillingLedger"
import { OrderRepository } from "@pillivery/application/ports/OrderRepository"
import { Outbox } from "@pillivery/application/ports/Outbox"
import { PaymentRepository } from "@pillivery/application/ports/PaymentRepository"
import { RefundRepository } from "@pillivery/application/ports/RefundRepository"
import { ItemRepository } from "@pillivery/application/ports/ItemRepository"
import { ReviewRepository } from "@pillivery/application/ports/ReviewRepository"
import { SubscriptionRepository } from "@pillivery/application/ports/SubscriptionRepository"
import { UserRepository } from "@pillivery/application/ports/UserRepository"
import { editReview, removeReview, writeReview } from "@pillivery/application/Reviews/WriteReview"
import { Transaction } from "@pillivery/application/ports/Transaction"
import * as Attempt from "@pillivery/domain/Attempt"
import * as BillingCycle from "@pillivery/domain/BillingCycle"
import * as BillingKey from "@pillivery/domain/BillingKey"
import { BillingKeyUnused, eventId } from "@pillivery/domain/DomainEvent"
import * as Item from "@pillivery/domain/Item"
import * as Order from "@pillivery/domain/Order"
import { CustomerReference } from "@pillivery/domain/Provider"
import * as Rating from "@pillivery/domain/Rating"
import { Quantity } from "@pillivery/domain/Quantity"
import * as Refund from "@pillivery/domain/Refund"
import * as DomainFixtures from "@pillivery/domain/testing/Fixtures"
import { Effect, Exit, Option, Result } from "effect"
import { randomUUID } from "node:crypto"
import * as Fixtures from "./Fixtures.ts"
import { layerContractWith } from "./TestDatabase.ts"

const rivalsCount = 8
const authorsCount = 3
const roundsCount = 24

/** Runs rivals together and answers their exits. */
const rivals = <A, E, R>(make: (index: number) => Effect.Effect<A, E, R>) =>
  Effect.forEach(
    Array.from({ length: rivalsCount }, (_, index) => index),
    (index) => Effect.exit(make(index)),
    { concurrency: rivalsCount }
  )

const failureTags = <A, E extends { readonly _tag: string }>(exits: ReadonlyArray<Exit.Exit<A, E>>) =>
  exits.filter(Exit.isFailure).map((exit) => {
    const [reason] = exit.cause.reasons
    return reason?._tag === "Fail" ? reason.error._tag : reason?._tag
  })

const assertOneWon = <A, E extends { readonly _tag: string }>(exits: ReadonlyArray<Exit.Exit<A, E>>, tag: string) => {
  assert.strictEqual(exits.filter(Exit.isSuccess).length, 1)
  assert.deepStrictEqual(
    failureTags(exits),
    Array.from({ length: rivalsCount - 1 }, () => tag)
  )
}

const laws = (isolation: "READ COMMITTED" | "REPEATABLE READ") =>
  it.layer(layerContractWith({ isolation, poolSize: rivalsCount }), { excludeTestServices: true })(isolation, (it) => {
    it.effect("one rival holds a cycle and its key, whole transaction against whole transaction", () =>
      Effect.gen(function* () {
        const { run } = yield* Transaction
        const ledger = yield* BillingLedger
        const keys = yield* BillingKeyRepository
        const payments = yield* PaymentRepository
        const cycle = Fixtures.dueCycle()
        const key = Fixtures.activeKey()
        yield* ledger.insertCycle(cycle)
        yield* keys.insert(key)
        const exits = yield* rivals(() =>
          run(
            Effect.gen(function* () {
              const attempt = Fixtures.sentAttempt()
              const held = Result.getOrThrow(
                BillingKey.hold(Option.getOrThrow(yield* keys.findById(key.id)), attempt.id)
              )
              yield* keys.update(held)
              const found = Option.getOrThrow(yield* ledger.findCycle(cycle))
              yield* ledger.updateCycle(Result.getOrThrow(BillingCycle.send(found, attempt.id, Quantity.make(2))))
              yield* payments.insertAttempt(attempt)
              return attempt.id
            })
          )
        )
        // Late rivals read the held key and are refused by the domain; early ones lose the update.
        const winners = exits.filter(Exit.isSuccess)
        assert.strictEqual(winners.length, 1)
        const holder = Option.getOrThrow(yield* keys.findById(key.id)).inFlight
        assert.strictEqual(holder, winners[0]?.value)
        assert.strictEqual(Option.getOrThrow(yield* ledger.findCycle(cycle)).openAttempt, holder)
        assert.strictEqual((yield* payments.countAttempts).Sent, 1)
      })
    )

    it.effect("one of several updates of one version wins", () =>
      Effect.gen(function* () {
        const orders = yield* OrderRepository
        const order = Fixtures.placedOrder()
        yield* orders.insert(order)
        const exits = yield* rivals(() =>
          orders.update(new Order.Placed({ ...order, approvingAttempt: Fixtures.anyAttemptId() }))
        )
        assertOneWon(exits, "StaleWrite")
        const subscriptions = yield* SubscriptionRepository
        const subscription = Fixtures.activeSubscription()
        yield* subscriptions.insert(subscription)
        assertOneWon(yield* rivals(() => subscriptions.update(subscription)), "StaleWrite")
      })
    )

    it.effect("one row with one key", () =>
      Effect.gen(function* () {
        const orders = yield* OrderRepository
        const order = Fixtures.placedOrder()
        assertOneWon(yield* rivals(() => orders.insert(order)), "AlreadyExists")
        assert.deepStrictEqual(yield* orders.findById(order.id), Option.some(order))
      })
    )

    it.effect("one attempt that may still move money for a cycle", () =>
      Effect.gen(function* () {
        const payments = yield* PaymentRepository
        const purpose = Fixtures.forCycle()
        assertOneWon(
          yield* rivals(() => payments.insertAttempt(Fixtures.preparedAttempt({ purpose }))),
          "AlreadyExists"
        )
        // What was settled claims nothing.
        const settled = Result.getOrThrow(Attempt.withdraw(Fixtures.preparedAttempt({ purpose }), Fixtures.at, "why"))
        yield* payments.insertAttempt(settled)
      })
    )

    it.effect("one open cycle of a subscription", () =>
      Effect.gen(function* () {
        const ledger = yield* BillingLedger
        const subscriptionId = Fixtures.anySubscriptionId()
        assertOneWon(
          yield* rivals((index) => ledger.insertCycle(Fixtures.dueCycle({ subscriptionId, number: index + 1 }))),
          "AlreadyExists"
        )
      })
    )

    it.effect("one refund of a payment at the provider", () =>
      Effect.gen(function* () {
        const refunds = yield* RefundRepository
        const attemptId = Fixtures.anyAttemptId()
        const requested = Array.from({ length: rivalsCount }, () => Fixtures.requestedRefund({ attemptId }))
        yield* Effect.forEach(requested, (refund) => refunds.insert(refund))
        const exits = yield* Effect.forEach(
          requested,
          (refund) =>
            Effect.exit(
              refunds.update(
                Result.getOrThrow(
                  Refund.send(refund, {
                    at: Fixtures.at,
                    leaseExpiresAt: Fixtures.later,
                    refundedBefore: Fixtures.won(0)
                  })
                )
              )
            ),
          { concurrency: rivalsCount }
        )
        assertOneWon(exits, "StorageError")
      })
    )

    it.effect("one attempt takes a customer's slot, on first use and after", () =>
      Effect.gen(function* () {
        const payments = yield* PaymentRepository
        const customer = CustomerReference.make(randomUUID())
        const attemptIds = Array.from({ length: rivalsCount }, Fixtures.anyAttemptId)
        for (let round = 0; round < 2; round++) {
          const taken = yield* Effect.forEach(
            attemptIds,
            (attemptId) =>
              Effect.map(payments.takeUserSlot(Fixtures.provider, customer, attemptId), (isMine) =>
                isMine ? [attemptId] : []
              ),
            { concurrency: rivalsCount }
          )
          const [holder, ...others] = taken.flat()
          assert.strictEqual(others.length, 0)
          if (holder === undefined) return assert.fail("nobody took the slot")
          assert.isTrue(yield* payments.takeUserSlot(Fixtures.provider, customer, holder))
          yield* Effect.forEach(
            attemptIds.filter((id) => id !== holder),
            (attemptId) => payments.releaseUserSlot(Fixtures.provider, customer, attemptId)
          )
          assert.isFalse(yield* payments.takeUserSlot(Fixtures.provider, customer, Fixtures.anyAttemptId()))
          yield* payments.releaseUserSlot(Fixtures.provider, customer, holder)
        }
      })
    )

    it.effect("each delivery is claimed by one worker, and one consumes each event", () =>
      Effect.gen(function* () {
        const outbox = yield* Outbox
        const events = Array.from({ length: 40 }, () => {
          const billingKeyId = Fixtures.anyBillingKeyId()
          return new BillingKeyUnused({
            eventId: eventId(billingKeyId, "BillingKeyUnused"),
            at: Fixtures.at,
            billingKeyId,
            userId: Fixtures.anyUserId()
          })
        })
        yield* outbox.publish(events)
        yield* outbox.publish(events)
        const exits = yield* rivals((index) => outbox.claim({ owner: `w${index}`, limit: 10, leaseMillis: 60_000 }))
        const claimed = exits.flatMap((exit) => (Exit.isSuccess(exit) ? exit.value : []))
        assert.deepStrictEqual(failureTags(exits), [])
        assert.deepStrictEqual(
          claimed.map((delivery) => delivery.eventId).toSorted(),
          events.map((event) => event.eventId).toSorted()
        )
        const [event] = events
        if (event === undefined) return
        const consumed = yield* rivals(() => outbox.consumeOnce(event.eventId, "billingKey", Fixtures.at))
        assert.strictEqual(consumed.filter((exit) => Exit.isSuccess(exit) && exit.value).length, 1)
      })
    )

    it.effect(
      "FC6: the ratings of an item are those of its active reviews, whoever writes, edits and removes at once",
      () =>
        Effect.gen(function* () {
          const orders = yield* OrderRepository
          const items = yield* ItemRepository
          const users = yield* UserRepository
          const reviews = yield* ReviewRepository
          const item = Fixtures.item()
          yield* items.insert([item])
          const buyers = yield* Effect.forEach(Array.from({ length: authorsCount }), () =>
            Effect.gen(function* () {
              const seed = randomUUID()
              const user = DomainFixtures.user({}, seed)
              const lines = [DomainFixtures.orderLine({ itemId: item.id }, seed)]
              const order = DomainFixtures.paidOrder({ userId: user.id, lines }, seed)
              yield* users.insert(user, null)
              yield* orders.insert(order)
              return { userId: user.id, orderId: order.id, itemId: item.id }
            })
          )
          const act = Effect.fnUntraced(function* (buyer: (typeof buyers)[number], turn: number) {
            const stars = 1 + (turn % Rating.starsMax)
            const own = Option.getOrNull(yield* reviews.findByUserAndItem(buyer.userId, item.id))
            const key = { reviewId: own?.id ?? DomainFixtures.anyReviewId(), userId: buyer.userId }
            if (turn % 4 === 1) return void (yield* editReview({ ...key, stars }))
            if (turn % 4 === 3) return void (yield* removeReview(key))
            yield* writeReview({ ...buyer, stars, content: "좋아요" })
          })
          // Several devices of each author do different things to the same review at the same time.
          const exits = yield* rivals(
            Effect.fnUntraced(function* (index) {
              const buyer = buyers[index % authorsCount]
              if (buyer === undefined) return assert.fail("there are buyers")
              for (let round = 0; round < roundsCount; round++) {
                yield* act(buyer, index + round).pipe(
                  Effect.catchTag(["DuplicateReview", "ReviewNotFound", "StaleWrite"], () => Effect.void)
                )
              }
            })
          )
          assert.deepStrictEqual(failureTags(exits), [])
          const { data, totalElements } = yield* reviews.listByItem(item.id, "NEWEST", { page: 1, size: 100 })
          assert.isAtMost(totalElements, authorsCount)
          assert.deepStrictEqual(
            Item.ratingOf(Option.getOrThrow(yield* items.findById(item.id))),
            Result.getOrThrow(Rating.sumOf(data.map(({ stars }) => stars)))
          )
        })
    )

    it.effect("one date of a job runs", () =>
      Effect.gen(function* () {
        const ledger = yield* BillingLedger
        const job = randomUUID()
        const exits = yield* rivals((index) =>
          ledger.joinRun({
            job,
            date: Fixtures.date(`2026-03-0${index + 1}`),
            worker: `w${index}`,
            at: Fixtures.at,
            leaseMillis: 60_000
          })
        )
        assertOneWon(exits, "AnotherRunActive")
      })
    )
  })

describe("rivals", () => {
  laws("READ COMMITTED")
  laws("REPEATABLE READ")
})
