/**
 * The contract of `Outbox`.
 *
 * @since 0.1.0
 */
import { assert } from "@effect/vitest"
import * as DomainEvent from "@pillivery/domain/DomainEvent"
import type { EventId } from "@pillivery/domain/Ids"
import * as Fixtures from "@pillivery/domain/testing/Fixtures"
import { Deferred, Effect, Fiber, Schema } from "effect"
import type { IdGenerator } from "../ports/IdGenerator.ts"
import { type Consumer, consumersOf, type Delivery, Outbox } from "../ports/Outbox.ts"
import { Transaction } from "../ports/Transaction.ts"
import { failsWith, freshSeed, freshSeeds, law, type Law, sameBy, suiteOf, type Timing } from "./Law.ts"

/** What the laws of this port need. */
export type Requirements = Outbox | Transaction | IdGenerator

const claimMax = 1_000
const deadMax = 10_000
const rivalsCount = 8

const sameEvent = sameBy(Schema.encodeSync(Schema.toCodecJson(DomainEvent.DomainEvent)))

const eventsOf: {
  readonly [Tag in DomainEvent.Tag]: (seed: string) => Extract<DomainEvent.DomainEvent, { readonly _tag: Tag }>
} = {
  OrderPaid: (seed) =>
    new DomainEvent.OrderPaid({
      ...about("OrderPaid", seed),
      orderId: Fixtures.anyOrderId(seed),
      attemptId: Fixtures.anyAttemptId(seed),
      amount: Fixtures.won(99_999_999_999)
    }),
  OrderExpired: (seed) =>
    new DomainEvent.OrderExpired({ ...about("OrderExpired", seed), orderId: Fixtures.anyOrderId(seed) }),
  SubscriptionStarted: (seed) =>
    new DomainEvent.SubscriptionStarted({
      ...about("SubscriptionStarted", seed),
      subscriptionId: Fixtures.anySubscriptionId(seed),
      nextDueDate: Fixtures.day("2026-02-14")
    }),
  ChargeUpcoming: (seed) =>
    new DomainEvent.ChargeUpcoming({
      ...about("ChargeUpcoming", seed),
      ...cycleOf(seed),
      on: Fixtures.day("2026-02-14"),
      amount: Fixtures.won(18_000)
    }),
  CycleCharged: (seed) =>
    new DomainEvent.CycleCharged({
      ...about("CycleCharged", seed),
      ...cycleOf(seed),
      attemptId: Fixtures.anyAttemptId(seed),
      orderId: Fixtures.anyOrderId(seed),
      amount: Fixtures.won(18_000),
      chargedOn: Fixtures.day("2026-02-14")
    }),
  CycleDeclined: (seed) =>
    new DomainEvent.CycleDeclined({
      ...about("CycleDeclined", seed),
      ...cycleOf(seed),
      attemptId: Fixtures.anyAttemptId(seed),
      severity: "Soft",
      kind: "InsufficientFunds",
      nextAttemptOn: null
    }),
  CycleSkipped: (seed) =>
    new DomainEvent.CycleSkipped({ ...about("CycleSkipped", seed), ...cycleOf(seed), reason: "itemGone" }),
  DeliveryPostponed: (seed) =>
    new DomainEvent.DeliveryPostponed({
      ...about("DeliveryPostponed", seed),
      ...cycleOf(seed),
      from: Fixtures.day("2026-02-14"),
      to: Fixtures.day("2026-02-20")
    }),
  SubscriptionPaused: (seed) =>
    new DomainEvent.SubscriptionPaused({
      ...about("SubscriptionPaused", seed),
      ...subscriptionOf(seed),
      by: "owner",
      resumeOn: Fixtures.day("2026-03-01")
    }),
  SubscriptionResumed: (seed) =>
    new DomainEvent.SubscriptionResumed({
      ...about("SubscriptionResumed", seed),
      ...subscriptionOf(seed),
      nextDueDate: Fixtures.day("2026-03-16")
    }),
  SubscriptionChanged: (seed) =>
    new DomainEvent.SubscriptionChanged({
      ...about("SubscriptionChanged", seed),
      ...subscriptionOf(seed),
      quantity: Fixtures.quantity(999),
      period: Fixtures.period(365),
      nextDueDate: Fixtures.day("2027-01-15")
    }),
  SubscriptionCancelled: (seed) =>
    new DomainEvent.SubscriptionCancelled({
      ...about("SubscriptionCancelled", seed),
      subscriptionId: Fixtures.anySubscriptionId(seed),
      reason: "dunning"
    }),
  BillingKeyRegistrationRequested: (seed) =>
    new DomainEvent.BillingKeyRegistrationRequested({
      ...about("BillingKeyRegistrationRequested", seed),
      subscriptionId: Fixtures.anySubscriptionId(seed)
    }),
  BillingKeyActivated: (seed) =>
    new DomainEvent.BillingKeyActivated({ ...about("BillingKeyActivated", seed), ...keyOf(seed) }),
  BillingKeyReplaced: (seed) =>
    new DomainEvent.BillingKeyReplaced({
      ...about("BillingKeyReplaced", seed),
      ...subscriptionOf(seed),
      ...keyOf(seed)
    }),
  BillingKeyFrozen: (seed) => new DomainEvent.BillingKeyFrozen({ ...about("BillingKeyFrozen", seed), ...keyOf(seed) }),
  BillingKeyUnused: (seed) => new DomainEvent.BillingKeyUnused({ ...about("BillingKeyUnused", seed), ...keyOf(seed) }),
  BillingKeyRevoked: (seed) =>
    new DomainEvent.BillingKeyRevoked({ ...about("BillingKeyRevoked", seed), ...keyOf(seed) }),
  RefundRequested: (seed) =>
    new DomainEvent.RefundRequested({ ...about("RefundRequested", seed), ...refundOf(seed), orderId: null }),
  RefundCompleted: (seed) => new DomainEvent.RefundCompleted({ ...about("RefundCompleted", seed), ...refundOf(seed) }),
  RefundRejected: (seed) =>
    new DomainEvent.RefundRejected({
      ...about("RefundRejected", seed),
      ...refundOf(seed),
      detail: '"기간" 초과 \\ 🐟'
    }),
  PaymentNeedsReview: (seed) =>
    new DomainEvent.PaymentNeedsReview({
      ...about("PaymentNeedsReview", seed),
      attemptId: Fixtures.anyAttemptId(seed),
      detail: ""
    }),
  ReviewWritten: (seed) =>
    new DomainEvent.ReviewWritten({
      ...about("ReviewWritten", seed),
      ...reviewOf(seed),
      orderId: Fixtures.anyOrderId(seed),
      stars: Fixtures.stars(5)
    }),
  ReviewEdited: (seed) =>
    new DomainEvent.ReviewEdited({
      ...about("ReviewEdited", seed),
      ...reviewOf(seed),
      starsBefore: Fixtures.stars(5),
      stars: Fixtures.stars(1)
    }),
  ReviewRemoved: (seed) =>
    new DomainEvent.ReviewRemoved({ ...about("ReviewRemoved", seed), ...reviewOf(seed), stars: Fixtures.stars(1) }),
  UserWithdrawn: (seed) => new DomainEvent.UserWithdrawn(about("UserWithdrawn", seed))
}

function about(tag: DomainEvent.Tag, seed: string) {
  return { eventId: DomainEvent.eventId(seed, tag), at: Fixtures.now, userId: Fixtures.anyUserId(seed) }
}
function cycleOf(seed: string) {
  return { subscriptionId: Fixtures.anySubscriptionId(seed), cycleNumber: 2 }
}
function subscriptionOf(seed: string) {
  return { subscriptionId: Fixtures.anySubscriptionId(seed) }
}
function keyOf(seed: string) {
  return { billingKeyId: Fixtures.anyBillingKeyId(seed) }
}
function reviewOf(seed: string) {
  return { reviewId: Fixtures.anyReviewId(seed), itemId: Fixtures.anyItemId(seed) }
}
function refundOf(seed: string) {
  return {
    refundId: Fixtures.anyRefundId(seed),
    attemptId: Fixtures.anyAttemptId(seed),
    orderId: Fixtures.anyOrderId(seed),
    amount: Fixtures.won(9_000)
  }
}

/** An event with the one consumer `notification`. */
const notice = (seed: string) => eventsOf.SubscriptionPaused(seed)
/** An event with the consumers `cart` and `notification`. */
const paid = (seed: string) => eventsOf.OrderPaid(seed)

/** Everything an `Outbox` promises. */
export const laws = ({ leaseMillis, waitFor }: Timing): ReadonlyArray<Law<Requirements>> => {
  const longLease = leaseMillis * 100
  const overLease = leaseMillis * 1.25

  /** Claims whatever is due and answers what is of these events. */
  const claim = Effect.fnUntraced(function* (
    events: ReadonlyArray<{ readonly eventId: EventId }>,
    options: { readonly owner?: string; readonly leaseMillis?: number } = {}
  ) {
    const outbox = yield* Outbox
    const claimed = yield* outbox.claim({ owner: "one", leaseMillis: longLease, ...options, limit: claimMax })
    return claimed.filter(({ eventId }) => events.some((event) => event.eventId === eventId))
  })

  /** Publishes an event for one consumer and claims it. */
  const claimed = Effect.fnUntraced(function* (options: { readonly leaseMillis?: number } = {}) {
    const event = notice(yield* freshSeed)
    yield* (yield* Outbox).publish([event])
    const [delivery] = yield* claim([event], options)
    return delivery ?? assert.fail("what was published can be claimed")
  })

  const deadOf = Effect.fnUntraced(function* (eventId: EventId) {
    return (yield* (yield* Outbox).listDead(deadMax)).filter((dead) => dead.eventId === eventId)
  })

  const consumersClaimed = (deliveries: ReadonlyArray<Delivery>): ReadonlyArray<Consumer> =>
    deliveries.map(({ consumer }) => consumer)

  return [
    ...Object.entries(eventsOf).map(([name, eventOf]) =>
      law(
        `delivers to each of its consumers what was published: ${name}`,
        Effect.gen(function* () {
          const outbox = yield* Outbox
          const event = eventOf(yield* freshSeed)
          yield* outbox.publish([event])
          const deliveries = yield* claim([event])
          assert.sameMembers([...consumersClaimed(deliveries)], [...consumersOf[event._tag]])
          for (const delivery of deliveries) {
            sameEvent(delivery.event, event)
            assert.strictEqual(delivery.tries, 1)
            yield* outbox.complete(delivery)
          }
        })
      )
    ),

    law(
      "publishes nothing of a transaction that is rolled back",
      Effect.gen(function* () {
        const outbox = yield* Outbox
        const { run } = yield* Transaction
        const [lost, kept] = [paid(yield* freshSeed), paid(yield* freshSeed)]
        yield* failsWith(
          "Unwanted",
          run(Effect.andThen(outbox.publish([lost]), Effect.fail({ _tag: "Unwanted" as const })))
        )
        yield* run(outbox.publish([kept]))
        const deliveries = yield* claim([lost, kept])
        assert.deepStrictEqual(new Set(deliveries.map(({ eventId }) => eventId)), new Set([kept.eventId]))
      })
    ),

    law(
      "offers an event when its transaction has committed, not before",
      Effect.gen(function* () {
        const outbox = yield* Outbox
        const { run } = yield* Transaction
        const event = notice(yield* freshSeed)
        const [published, looked] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
        const publishing = yield* Effect.forkChild(
          run(
            Effect.gen(function* () {
              yield* outbox.publish([event])
              yield* Deferred.succeed(published, undefined)
              yield* Deferred.await(looked)
            })
          )
        )
        yield* Deferred.await(published)
        const pending = (yield* outbox.counts).pending
        yield* Deferred.succeed(looked, undefined)
        yield* Fiber.join(publishing)
        assert.strictEqual((yield* outbox.counts).pending, pending + 1)
        assert.strictEqual((yield* claim([event])).length, 1)
      })
    ),

    law(
      "stores an event once, however often and wherever it is published",
      Effect.gen(function* () {
        const outbox = yield* Outbox
        const { run } = yield* Transaction
        const event = notice(yield* freshSeed)
        yield* outbox.publish([event, event])
        yield* run(outbox.publish([event]))
        const [first, ...others] = yield* claim([event])
        assert.deepStrictEqual(others, [])
        yield* outbox.publish([event])
        if (first === undefined) return assert.fail("nothing was stored")
        yield* outbox.complete(first)
        yield* outbox.publish([event])
        assert.deepStrictEqual(yield* claim([event]), [])
      })
    ),

    law(
      "publishes no events without complaint",
      Effect.gen(function* () {
        yield* (yield* Outbox).publish([])
      })
    ),

    law(
      "hands a delivery to one of many claimers",
      Effect.gen(function* () {
        const outbox = yield* Outbox
        const events = (yield* freshSeeds(20)).map(paid)
        yield* outbox.publish(events)
        const owners = Array.from({ length: rivalsCount }, (_, index) => `owner-${index}`)
        const claims = yield* Effect.forEach(owners, (owner) => claim(events, { owner }), { concurrency: "unbounded" })
        // A claimer may skip what a rival is just taking, so what is left is taken now.
        const all = [...claims.flat(), ...(yield* claim(events))].map(
          ({ consumer, eventId }) => `${consumer}/${eventId}`
        )
        assert.strictEqual(all.length, 2 * events.length)
        assert.strictEqual(new Set(all).size, all.length)
      })
    ),

    law(
      "hands out at most as many as were asked for",
      Effect.gen(function* () {
        const outbox = yield* Outbox
        yield* outbox.publish((yield* freshSeeds(3)).map(notice))
        const deliveries = yield* outbox.claim({ owner: "one", limit: 2, leaseMillis: longLease })
        assert.strictEqual(deliveries.length, 2)
      })
    ),

    law(
      "offers a delivery again when its lease ended, as another try",
      Effect.gen(function* () {
        const delivery = yield* claimed({ leaseMillis })
        assert.deepStrictEqual(yield* claim([delivery]), [])
        yield* waitFor(overLease)
        const again = yield* claim([delivery])
        assert.deepStrictEqual(
          again.map(({ tries }) => tries),
          [2]
        )
      })
    ),

    law(
      "never offers a completed delivery again, nor keeps its other consumers waiting",
      Effect.gen(function* () {
        const outbox = yield* Outbox
        const event = paid(yield* freshSeed)
        yield* outbox.publish([event])
        const deliveries = yield* claim([event], { leaseMillis })
        const cart = deliveries.find(({ consumer }) => consumer === "cart")
        if (cart === undefined) return assert.fail("the cart is told of a paid order")
        yield* outbox.complete(cart)
        yield* outbox.complete(cart)
        yield* waitFor(overLease)
        assert.deepStrictEqual(consumersClaimed(yield* claim([event])), ["notification"])
      })
    ),

    law(
      "waits as long as was asked for before another try",
      Effect.gen(function* () {
        const outbox = yield* Outbox
        const delivery = yield* claimed()
        yield* outbox.retryLater(delivery, { delayMillis: leaseMillis, error: "not yet" })
        assert.deepStrictEqual(yield* claim([delivery]), [])
        yield* waitFor(overLease)
        const [again] = yield* claim([delivery])
        assert.strictEqual(again?.tries, 2)
      })
    ),

    law(
      "gives up, lists what was given up, and revives it once",
      Effect.gen(function* () {
        const outbox = yield* Outbox
        const before = yield* outbox.counts
        const delivery = yield* claimed({ leaseMillis })
        assert.deepStrictEqual(yield* outbox.counts, { ...before, pending: before.pending + 1 })
        assert.isFalse(yield* outbox.revive(delivery.eventId, delivery.consumer))
        yield* outbox.giveUp(delivery, "사람이 볼 것")
        assert.deepStrictEqual(yield* outbox.counts, { ...before, dead: before.dead + 1 })
        yield* waitFor(overLease)
        assert.deepStrictEqual(yield* claim([delivery]), [])
        const [dead] = yield* deadOf(delivery.eventId)
        assert.deepStrictEqual(
          [dead?.consumer, dead?.tag, dead?.tries, dead?.error],
          ["notification", "SubscriptionPaused", 1, "사람이 볼 것"]
        )
        assert.isTrue(yield* outbox.revive(delivery.eventId, delivery.consumer))
        assert.isFalse(yield* outbox.revive(delivery.eventId, delivery.consumer))
        assert.deepStrictEqual(yield* deadOf(delivery.eventId), [])
        const [revived] = yield* claim([delivery])
        if (revived === undefined) return assert.fail("what was revived can be claimed")
        sameEvent(revived.event, delivery.event)
        yield* outbox.complete(revived)
        assert.deepStrictEqual(yield* outbox.counts, before)
      })
    ),

    law(
      "revives one consumer's delivery, and none that there never was",
      Effect.gen(function* () {
        const outbox = yield* Outbox
        const event = paid(yield* freshSeed)
        yield* outbox.publish([event])
        yield* Effect.forEach(yield* claim([event]), (delivery) => outbox.giveUp(delivery, "lost"))
        assert.isTrue(yield* outbox.revive(event.eventId, "cart"))
        assert.isFalse(yield* outbox.revive(event.eventId, "refund"))
        assert.isFalse(yield* outbox.revive(notice(yield* freshSeed).eventId, "notification"))
        assert.deepStrictEqual(consumersClaimed(yield* claim([event])), ["cart"])
        assert.deepStrictEqual(
          (yield* deadOf(event.eventId)).map(({ consumer }) => consumer),
          ["notification"]
        )
      })
    ),

    law(
      "lists at most as many dead deliveries as were asked for",
      Effect.gen(function* () {
        const outbox = yield* Outbox
        for (let count = 0; count < 2; count++) yield* outbox.giveUp(yield* claimed(), "lost")
        assert.strictEqual((yield* outbox.listDead(1)).length, 1)
      })
    ),

    law(
      "lets a claim that was lost neither put off nor give up what another holds",
      Effect.gen(function* () {
        const outbox = yield* Outbox
        const lost = yield* claimed({ leaseMillis })
        yield* waitFor(overLease)
        const [held] = yield* claim([lost], { owner: "two" })
        if (held === undefined) return assert.fail("a lease that ended frees the delivery")
        yield* outbox.giveUp(lost, "too late")
        yield* outbox.retryLater(lost, { delayMillis: 0, error: "too late" })
        assert.deepStrictEqual(yield* deadOf(lost.eventId), [])
        assert.deepStrictEqual(yield* claim([lost]), [])
        yield* outbox.complete(held)
        yield* outbox.retryLater(held, { delayMillis: 0, error: "too late" })
        yield* outbox.giveUp(held, "too late")
        assert.deepStrictEqual(yield* claim([lost]), [])
        assert.deepStrictEqual(yield* deadOf(lost.eventId), [])
      })
    ),

    law(
      "marks an event as consumed once for each consumer",
      Effect.gen(function* () {
        const outbox = yield* Outbox
        const { eventId } = paid(yield* freshSeed)
        assert.isTrue(yield* outbox.consumeOnce(eventId, "cart", Fixtures.now))
        assert.isFalse(yield* outbox.consumeOnce(eventId, "cart", Fixtures.later(1)))
        assert.isTrue(yield* outbox.consumeOnce(eventId, "notification", Fixtures.now))
      })
    ),

    law(
      "forgets the mark of a transaction that is rolled back",
      Effect.gen(function* () {
        const outbox = yield* Outbox
        const { run } = yield* Transaction
        const { eventId } = paid(yield* freshSeed)
        const consume = outbox.consumeOnce(eventId, "notification", Fixtures.now)
        yield* failsWith(
          "Unwanted",
          run(
            Effect.gen(function* () {
              assert.isTrue(yield* consume)
              assert.isFalse(yield* consume)
              return yield* Effect.fail({ _tag: "Unwanted" as const })
            })
          )
        )
        assert.isTrue(yield* run(consume))
        assert.isFalse(yield* run(consume))
      })
    ),

    law(
      "lets one of many transactions consume an event",
      Effect.gen(function* () {
        const outbox = yield* Outbox
        const { run } = yield* Transaction
        const { eventId } = paid(yield* freshSeed)
        const consumed = yield* Effect.forEach(
          Array.from({ length: rivalsCount }, () => run(outbox.consumeOnce(eventId, "notification", Fixtures.now))),
          (consume) => consume,
          { concurrency: "unbounded" }
        )
        assert.strictEqual(consumed.filter((isFirst) => isFirst).length, 1)
      })
    )
  ]
}

/** Runs the laws against a layer. */
export const suite = suiteOf<Requirements>("Outbox", laws)
