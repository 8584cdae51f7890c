/**
 * The contract of `RefundRepository`.
 *
 * @since 0.1.0
 */
import { assert } from "@effect/vitest"
import * as Refund from "@pillivery/domain/Refund"
import * as Arbitraries from "@pillivery/domain/testing/Arbitraries"
import * as Fixtures from "@pillivery/domain/testing/Fixtures"
import { DateTime, Effect, Result } from "effect"
import type { IdGenerator } from "../ports/IdGenerator.ts"
import { RefundRepository, refundsListedMax } from "../ports/RefundRepository.ts"
import type { Transaction } from "../ports/Transaction.ts"
import { aggregateLaws } from "./AggregateLaws.ts"
import { among, countOf, endsOf, freshSeed, freshSeeds, law, type Law, suiteOf } from "./Law.ts"
import { refundStates, refundVarieties } from "./Samples.ts"

/** What the laws of this port need. */
export type Requirements = RefundRepository | Transaction | IdGenerator

const listedMax = 10_000
const rivalsCount = 8
const { getOrThrow } = Result

const requested = (seed: string | undefined, overrides: Parameters<typeof Fixtures.requestedRefund>[0] = {}) =>
  Fixtures.requestedRefund(overrides, seed)

const sent = (refund: Refund.Requested, leaseExpiresAt: DateTime.Utc = Fixtures.later(32)) =>
  getOrThrow(Refund.send(refund, { at: Fixtures.later(31), leaseExpiresAt, refundedBefore: Fixtures.won(0) }))

const unknown = (refund: Refund.Requested, nextAskAt: DateTime.Utc) =>
  getOrThrow(Refund.loseAnswer(sent(refund), { at: Fixtures.later(33), nextAskAt, detail: "" }))

const refundId = (seed: string | undefined) => Fixtures.anyRefundId(seed)

/** Everything a `RefundRepository` promises. */
export const laws = (): ReadonlyArray<Law<Requirements>> => [
  ...aggregateLaws({
    schema: Refund.Refund,
    states: refundStates,
    varieties: refundVarieties,
    transitions: Refund.transitions,
    histories: { begin: [refundStates.Requested], commands: Arbitraries.refundCommand },
    idOf: (refund) => refund.id,
    insert: (refund) => Effect.flatMap(RefundRepository, (refunds) => refunds.insert(refund)),
    find: (id) => Effect.flatMap(RefundRepository, (refunds) => refunds.findById(id)),
    update: (refund) => Effect.flatMap(RefundRepository, (refunds) => refunds.update(refund))
  }),

  law(
    "lists the refunds of an order and of an attempt oldest first, and no other's",
    Effect.gen(function* () {
      const refunds = yield* RefundRepository
      const [third, second, first, surplus] = yield* freshSeeds(4)
      const [orderId, attemptId] = [Fixtures.anyOrderId(yield* freshSeed), Fixtures.anyAttemptId(yield* freshSeed)]
      yield* refunds.insert(requested(third, { orderId, attemptId, requestedAt: Fixtures.later(3) }))
      yield* refunds.insert(requested(second, { orderId, requestedAt: Fixtures.later(2) }))
      yield* refunds.insert(requested(first, { orderId, attemptId, requestedAt: Fixtures.later(1) }))
      yield* refunds.insert(requested(surplus, { orderId: null, attemptId, requestedAt: Fixtures.later(4) }))
      const idsOf = (all: ReadonlyArray<Refund.Refund>) => all.map(({ id }) => id)
      assert.deepStrictEqual(idsOf(yield* refunds.listByOrder(orderId)), [first, second, third].map(refundId))
      assert.deepStrictEqual(idsOf(yield* refunds.listByAttempt(attemptId)), [first, third, surplus].map(refundId))
      assert.deepStrictEqual(yield* refunds.listByOrder(Fixtures.anyOrderId(yield* freshSeed)), [])
      assert.deepStrictEqual(yield* refunds.listByAttempt(Fixtures.anyAttemptId(yield* freshSeed)), [])
    })
  ),

  law(
    `lists at most ${refundsListedMax} refunds of an order and of an attempt`,
    Effect.gen(function* () {
      const refunds = yield* RefundRepository
      const [orderId, attemptId] = [Fixtures.anyOrderId(yield* freshSeed), Fixtures.anyAttemptId(yield* freshSeed)]
      yield* Effect.forEach(
        yield* freshSeeds(refundsListedMax + 1),
        (seed) => refunds.insert(requested(seed, { orderId, attemptId })),
        { concurrency: rivalsCount }
      )
      assert.strictEqual((yield* refunds.listByOrder(orderId)).length, refundsListedMax)
      assert.strictEqual((yield* refunds.listByAttempt(attemptId)).length, refundsListedMax)
    })
  ),

  law(
    "takes one refund in flight at a time for each attempt",
    Effect.gen(function* () {
      const refunds = yield* RefundRepository
      const attemptId = Fixtures.anyAttemptId(yield* freshSeed)
      const rivals = (yield* freshSeeds(rivalsCount)).map((seed) => requested(seed, { attemptId }))
      yield* Effect.forEach(rivals, refunds.insert)
      const ends = yield* endsOf(rivals.map((refund) => refunds.update(sent(refund))))
      assert.strictEqual(countOf(ends, "success"), 1)
    })
  ),

  law(
    "lists requested refunds oldest first",
    Effect.gen(function* () {
      const refunds = yield* RefundRepository
      const [second, first, parked, done] = yield* freshSeeds(4)
      yield* refunds.insert(requested(second, { requestedAt: Fixtures.later(2) }))
      yield* refunds.insert(requested(first, { requestedAt: Fixtures.later(1) }))
      yield* refunds.insert(getOrThrow(Refund.park(requested(parked))))
      yield* refunds.insert(requested(done))
      yield* refunds.update(sent(requested(done)))
      const own = [first, second, parked, done].map(refundId)
      const listed = yield* refunds.listRequested(listedMax)
      assert.deepStrictEqual(among(listed, own), own.slice(0, 2))
      assert.strictEqual((yield* refunds.listRequested(1)).length, 1)
    })
  ),

  law(
    "lists sent refunds whose lease ended on the database's clock",
    Effect.gen(function* () {
      const refunds = yield* RefundRepository
      const [ended, exact, alive, lost] = yield* freshSeeds(4)
      const at = Fixtures.later(60)
      yield* refunds.insert(sent(requested(ended), DateTime.subtract(at, { milliseconds: 1 })))
      yield* refunds.insert(sent(requested(exact), at))
      yield* refunds.insert(sent(requested(alive), DateTime.add(at, { milliseconds: 1 })))
      yield* refunds.insert(unknown(requested(lost), Fixtures.later(40)))
      const own = [ended, exact, alive, lost].map(refundId)
      const listed = yield* refunds.listAbandonedBySender(at, listedMax)
      assert.sameMembers(among(listed, own), own.slice(0, 2))
      assert.strictEqual((yield* refunds.listAbandonedBySender(at, 1)).length, 1)
    })
  ),

  law(
    "lists unknown refunds whose time to ask has come",
    Effect.gen(function* () {
      const refunds = yield* RefundRepository
      const [due, exact, later, done] = yield* freshSeeds(4)
      const at = Fixtures.later(60)
      yield* refunds.insert(unknown(requested(due), Fixtures.later(59)))
      yield* refunds.insert(unknown(requested(exact), at))
      yield* refunds.insert(unknown(requested(later), DateTime.add(at, { milliseconds: 1 })))
      const resolved = unknown(requested(done), Fixtures.later(58))
      yield* refunds.insert(resolved)
      yield* refunds.update(getOrThrow(Refund.complete(resolved, at)))
      const own = [due, exact, later, done].map(refundId)
      const listed = yield* refunds.listToAskAbout(at, listedMax)
      assert.sameMembers(among(listed, own), own.slice(0, 2))
      assert.strictEqual((yield* refunds.listToAskAbout(at, 1)).length, 1)
    })
  )
]

/** Runs the laws against a layer. */
export const suite = suiteOf<Requirements>("RefundRepository", laws)
