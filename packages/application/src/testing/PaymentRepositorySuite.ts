/**
 * The contract of `PaymentRepository`.
 *
 * @since 0.1.0
 */
import { assert } from "@effect/vitest"
import * as Attempt from "@pillivery/domain/Attempt"
import * as Payment from "@pillivery/domain/Payment"
import { CustomerReference } from "@pillivery/domain/Provider"
import * as Arbitraries from "@pillivery/domain/testing/Arbitraries"
import * as Fixtures from "@pillivery/domain/testing/Fixtures"
import { DateTime, Effect, Option, Result, Schema } from "effect"
import type { IdGenerator } from "../ports/IdGenerator.ts"
import { attemptsListedMax, PaymentRepository } from "../ports/PaymentRepository.ts"
import { Transaction } from "../ports/Transaction.ts"
import { aggregateLaws } from "./AggregateLaws.ts"
import { among, countOf, endsOf, failsWith, freshSeed, freshSeeds, law, type Law, sameBy, suiteOf } from "./Law.ts"
import { attemptStates, attemptVarieties } from "./Samples.ts"

/** What the laws of this port need. */
export type Requirements = PaymentRepository | Transaction | IdGenerator

const listedMax = 10_000
const rivalsCount = 8

const samePayment = sameBy(Schema.encodeSync(Schema.toCodecJson(Payment.Payment)))
const { getOrThrow } = Result

const subjects: Readonly<Record<Payment.Subject["_tag"], (seed: string) => Payment.Subject>> = {
  OrderSubject: (seed) => new Payment.OrderSubject({ orderId: Fixtures.anyOrderId(seed) }),
  CycleSubject: (seed) =>
    new Payment.CycleSubject({ subscriptionId: Fixtures.anySubscriptionId(seed), cycleNumber: 12 }),
  RegistrationSubject: (seed) => new Payment.RegistrationSubject({ billingKeyId: Fixtures.anyBillingKeyId(seed) })
}

const paymentLaws: ReadonlyArray<Law<Requirements>> = Object.entries(subjects).flatMap(([name, subjectOf]) => [
  law(
    `finds a payment by its id and by its subject: ${name}`,
    Effect.gen(function* () {
      const payments = yield* PaymentRepository
      const seed = yield* freshSeed
      const subject = subjectOf(seed)
      const payment = Fixtures.payment({ subject, userId: Fixtures.anyUserId(seed) }, seed)
      assert.isTrue(Option.isNone(yield* payments.findPayment(payment.id)))
      assert.isTrue(Option.isNone(yield* payments.findPaymentBySubject(subject)))
      yield* payments.insertPayment(payment)
      samePayment(Option.getOrThrow(yield* payments.findPayment(payment.id)), payment)
      samePayment(Option.getOrThrow(yield* payments.findPaymentBySubject(subjectOf(seed))), payment)
    })
  ),

  law(
    `takes one payment for each subject, whoever is first: ${name}`,
    Effect.gen(function* () {
      const payments = yield* PaymentRepository
      const seeds = yield* freshSeeds(rivalsCount)
      const subject = subjectOf(yield* freshSeed)
      const ends = yield* endsOf(seeds.map((seed) => payments.insertPayment(Fixtures.payment({ subject }, seed))))
      assert.strictEqual(countOf(ends, "success"), 1)
      assert.strictEqual(countOf(ends, "AlreadyExists"), rivalsCount - 1)
      const found = Option.getOrThrow(yield* payments.findPaymentBySubject(subject))
      assert.strictEqual(found.id, Fixtures.anyPaymentId(seeds[ends.indexOf("success")]))
    })
  )
])

const attemptOf = (seed: string, lease: Partial<typeof Attempt.Lease.Type>) =>
  Fixtures.preparedAttempt(
    { purpose: Fixtures.forOrder({}, seed), lease: new Attempt.Lease({ ...Fixtures.lease(), ...lease }) },
    seed
  )

const unknownAsked = (seed: string, nextAskAt: DateTime.Utc) =>
  getOrThrow(Attempt.askAgain(Fixtures.unknownAttempt({ purpose: Fixtures.forOrder({}, seed) }, seed), nextAskAt))

/** Everything a `PaymentRepository` promises. */
export const laws = (): ReadonlyArray<Law<Requirements>> => [
  ...aggregateLaws({
    schema: Attempt.Attempt,
    states: attemptStates,
    varieties: attemptVarieties,
    transitions: Attempt.transitions,
    histories: {
      begin: Object.entries(attemptVarieties).flatMap(([name, make]) => (name.startsWith("Prepared") ? [make] : [])),
      commands: Arbitraries.attemptCommand
    },
    idOf: (attempt) => attempt.id,
    insert: (attempt) => Effect.flatMap(PaymentRepository, (payments) => payments.insertAttempt(attempt)),
    find: (id) => Effect.flatMap(PaymentRepository, (payments) => payments.findAttempt(id)),
    update: (attempt) => Effect.flatMap(PaymentRepository, (payments) => payments.updateAttempt(attempt))
  }),

  ...paymentLaws,

  law(
    "refuses a second payment with the same id",
    Effect.gen(function* () {
      const payments = yield* PaymentRepository
      const [one, two] = [yield* freshSeed, yield* freshSeed]
      yield* payments.insertPayment(Fixtures.payment({}, one))
      const twin = Fixtures.payment({ id: Fixtures.anyPaymentId(one) }, two)
      yield* failsWith("AlreadyExists", payments.insertPayment(twin))
      assert.isTrue(Option.isNone(yield* payments.findPaymentBySubject(twin.subject)))
    })
  ),

  law(
    "inserts a payment in the transaction around it",
    Effect.gen(function* () {
      const payments = yield* PaymentRepository
      const { run } = yield* Transaction
      const payment = Fixtures.payment({}, yield* freshSeed)
      yield* failsWith(
        "Unwanted",
        run(Effect.andThen(payments.insertPayment(payment), Effect.fail({ _tag: "Unwanted" as const })))
      )
      assert.isTrue(Option.isNone(yield* payments.findPayment(payment.id)))
      yield* run(payments.insertPayment(payment))
      assert.isTrue(Option.isSome(yield* payments.findPaymentBySubject(payment.subject)))
    })
  ),

  law(
    "lists the attempts of a payment oldest first, and no other's",
    Effect.gen(function* () {
      const payments = yield* PaymentRepository
      const [paymentId, other] = [Fixtures.anyPaymentId(yield* freshSeed), Fixtures.anyPaymentId(yield* freshSeed)]
      const seeds = yield* freshSeeds(4)
      const attempt = (seed: string, minutes: number) =>
        Fixtures.preparedAttempt(
          { paymentId, purpose: Fixtures.forOrder({}, seed), createdAt: Fixtures.later(minutes) },
          seed
        )
      for (const [index, seed] of seeds.entries()) yield* payments.insertAttempt(attempt(seed, -index))
      const [first] = seeds
      if (first === undefined) return assert.fail("no seeds")
      yield* payments.updateAttempt(getOrThrow(Attempt.withdraw(attempt(first, 0), Fixtures.later(1), "")))
      const listed = yield* payments.listAttempts(paymentId)
      assert.deepStrictEqual(
        listed.map(({ id }) => id),
        seeds.map((seed) => Fixtures.anyAttemptId(seed)).reverse()
      )
      assert.deepStrictEqual(
        listed.map(({ _tag }) => _tag),
        ["Prepared", "Prepared", "Prepared", "Withdrawn"]
      )
      assert.deepStrictEqual(yield* payments.listAttempts(other), [])
    })
  ),

  law(
    `lists at most ${attemptsListedMax} attempts of a payment`,
    Effect.gen(function* () {
      const payments = yield* PaymentRepository
      const paymentId = Fixtures.anyPaymentId(yield* freshSeed)
      const seeds = yield* freshSeeds(attemptsListedMax + 1)
      yield* Effect.forEach(
        seeds,
        (seed) =>
          payments.insertAttempt(Fixtures.preparedAttempt({ paymentId, purpose: Fixtures.forOrder({}, seed) }, seed)),
        { concurrency: rivalsCount }
      )
      assert.strictEqual((yield* payments.listAttempts(paymentId)).length, attemptsListedMax)
    })
  ),

  law(
    "takes one unsettled attempt at a time for each cycle",
    Effect.gen(function* () {
      const payments = yield* PaymentRepository
      const seeds = yield* freshSeeds(rivalsCount)
      const purpose = Fixtures.forCycle({}, yield* freshSeed)
      const rivals = seeds.map((seed) => Fixtures.preparedAttempt({ purpose }, seed))
      const ends = yield* endsOf(rivals.map(payments.insertAttempt))
      assert.strictEqual(countOf(ends, "success"), 1)
      assert.strictEqual(countOf(ends, "AlreadyExists"), rivalsCount - 1)
      const [winner, loser] = [rivals[ends.indexOf("success")], rivals[ends.indexOf("AlreadyExists")]]
      if (winner === undefined || loser === undefined) return assert.fail("nobody won")
      yield* payments.updateAttempt(getOrThrow(Attempt.withdraw(winner, Fixtures.later(1), "")))
      yield* payments.insertAttempt(loser)
    })
  ),

  law(
    "lists prepared and sent attempts whose lease ended on the database's clock",
    Effect.gen(function* () {
      const payments = yield* PaymentRepository
      const [ended, exact, alive, sent, lost, waiting] = yield* freshSeeds(6)
      const at = Fixtures.later(10)
      const insert = (seed: string | undefined, expiresAt: DateTime.Utc) =>
        payments.insertAttempt(attemptOf(seed ?? "", { expiresAt }))
      yield* insert(ended, DateTime.subtract(at, { milliseconds: 1 }))
      yield* insert(exact, at)
      yield* insert(alive, DateTime.add(at, { milliseconds: 1 }))
      yield* payments.insertAttempt(Fixtures.sentApproval({}, sent))
      yield* payments.insertAttempt(Fixtures.unknownAttempt({}, lost))
      yield* payments.insertAttempt(Fixtures.awaitingCustomerAttempt({}, waiting))
      const own = [ended, exact, alive, sent, lost, waiting].map((seed) => Fixtures.anyAttemptId(seed))
      const listed = yield* payments.listAbandonedBySender(at, listedMax)
      assert.sameMembers(
        among(listed, own),
        [ended, exact, sent].map((seed) => Fixtures.anyAttemptId(seed))
      )
      assert.strictEqual((yield* payments.listAbandonedBySender(at, 1)).length, 1)
    })
  ),

  law(
    "lists unknown attempts whose time to ask has come, longest waiting first",
    Effect.gen(function* () {
      const payments = yield* PaymentRepository
      const [second, first, exact, later, settled] = yield* freshSeeds(5)
      const at = Fixtures.later(10)
      yield* payments.insertAttempt(unknownAsked(second ?? "", Fixtures.later(9)))
      yield* payments.insertAttempt(unknownAsked(first ?? "", Fixtures.later(8)))
      yield* payments.insertAttempt(unknownAsked(exact ?? "", at))
      yield* payments.insertAttempt(unknownAsked(later ?? "", DateTime.add(at, { milliseconds: 1 })))
      const unknown = unknownAsked(settled ?? "", Fixtures.later(7))
      yield* payments.insertAttempt(unknown)
      yield* payments.updateAttempt(getOrThrow(Attempt.review(unknown, Fixtures.later(9), "")))
      const own = [first, second, exact, later, settled].map((seed) => Fixtures.anyAttemptId(seed))
      const listed = yield* payments.listToAskAbout(at, listedMax)
      assert.deepStrictEqual(among(listed, own), own.slice(0, 3))
      assert.strictEqual((yield* payments.listToAskAbout(at, 1)).length, 1)
    })
  ),

  law(
    "lists waiting attempts whose transaction expired before an instant",
    Effect.gen(function* () {
      const payments = yield* PaymentRepository
      const [waiting, abandoned, sent] = yield* freshSeeds(3)
      const attempt = Fixtures.awaitingCustomerAttempt({}, waiting)
      const over = Fixtures.awaitingCustomerAttempt({}, abandoned)
      yield* payments.insertAttempt(attempt)
      yield* payments.insertAttempt(over)
      yield* payments.updateAttempt(getOrThrow(Attempt.abandon(over, Fixtures.later(20), "")))
      yield* payments.insertAttempt(Fixtures.sentApproval({}, sent))
      const own = [waiting, abandoned, sent].map((seed) => Fixtures.anyAttemptId(seed))
      const listed = (at: DateTime.Utc) =>
        Effect.map(payments.listExpiredWaiting(at, listedMax), (ids) => among(ids, own))
      assert.deepStrictEqual(yield* listed(attempt.expiresAt), [])
      assert.deepStrictEqual(yield* listed(DateTime.add(attempt.expiresAt, { milliseconds: 1 })), [attempt.id])
    })
  ),

  law(
    "gives a customer's slot to one attempt until it releases it",
    Effect.gen(function* () {
      const payments = yield* PaymentRepository
      const [one, two] = [Fixtures.anyAttemptId(yield* freshSeed), Fixtures.anyAttemptId(yield* freshSeed)]
      const [customer, other] = [CustomerReference.make(yield* freshSeed), CustomerReference.make(yield* freshSeed)]
      const take = (who: CustomerReference, id: typeof one) => payments.takeUserSlot(Fixtures.anyProvider, who, id)
      const release = (who: CustomerReference, id: typeof one) =>
        payments.releaseUserSlot(Fixtures.anyProvider, who, id)
      assert.isTrue(yield* take(customer, one))
      assert.isTrue(yield* take(customer, one))
      assert.isFalse(yield* take(customer, two))
      assert.isTrue(yield* take(other, two))
      yield* release(customer, two)
      assert.isFalse(yield* take(customer, two))
      yield* release(customer, one)
      assert.isTrue(yield* take(customer, two))
      yield* release(customer, one)
      assert.isFalse(yield* take(customer, one))
      yield* release(CustomerReference.make(yield* freshSeed), one)
    })
  ),

  law(
    "gives a slot to one of many rivals, again and again",
    Effect.gen(function* () {
      const payments = yield* PaymentRepository
      const customer = CustomerReference.make(yield* freshSeed)
      const rivals = (yield* freshSeeds(rivalsCount)).map((seed) => Fixtures.anyAttemptId(seed))
      for (let round = 0; round < 3; round++) {
        const taken = yield* Effect.forEach(rivals, (id) => payments.takeUserSlot(Fixtures.anyProvider, customer, id), {
          concurrency: "unbounded"
        })
        assert.strictEqual(taken.filter((isTaken) => isTaken).length, 1)
        yield* Effect.forEach(rivals, (id) => payments.releaseUserSlot(Fixtures.anyProvider, customer, id))
      }
    })
  ),

  law(
    "takes and releases slots in the transaction around it",
    Effect.gen(function* () {
      const payments = yield* PaymentRepository
      const { run } = yield* Transaction
      const customer = CustomerReference.make(yield* freshSeed)
      const [one, two] = [Fixtures.anyAttemptId(yield* freshSeed), Fixtures.anyAttemptId(yield* freshSeed)]
      const unwanted = Effect.fail({ _tag: "Unwanted" as const })
      const take = (id: typeof one) => payments.takeUserSlot(Fixtures.anyProvider, customer, id)
      yield* failsWith("Unwanted", run(Effect.andThen(take(one), unwanted)))
      assert.isTrue(yield* run(take(two)))
      yield* failsWith(
        "Unwanted",
        run(Effect.andThen(payments.releaseUserSlot(Fixtures.anyProvider, customer, two), unwanted))
      )
      assert.isFalse(yield* take(one))
    })
  ),

  law(
    "counts the uses of a billing key since a moment: what moved money, or may have",
    Effect.gen(function* () {
      const payments = yield* PaymentRepository
      const [keySeed, otherSeed] = [yield* freshSeed, yield* freshSeed]
      const uses = (since: DateTime.Utc) =>
        payments.countKeyUses({ billingKeyId: Fixtures.anyBillingKeyId(keySeed), since })
      const attempts = yield* Effect.forEach(["early", "declined", "other", "approved", "sent"], (name) =>
        Effect.map(freshSeed, (seed) => [name, seed] as const)
      )
      const seedOf = new Map(attempts)
      const made = (name: string, minutes: number, key = keySeed) =>
        Fixtures.sentAttempt(
          {
            createdAt: Fixtures.later(minutes),
            purpose: Fixtures.forCycle({ billingKeyId: Fixtures.anyBillingKeyId(key) }, seedOf.get(name) ?? "")
          },
          seedOf.get(name) ?? ""
        )
      const early = made("early", 0)
      const declined = getOrThrow(Attempt.decline(made("declined", 10), Fixtures.later(11), Fixtures.softDecline()))
      const approved = getOrThrow(
        Attempt.approve(made("approved", 10), {
          at: Fixtures.later(11),
          reference: Fixtures.knownReference(Fixtures.later(11), seedOf.get("approved") ?? ""),
          amount: early.amount,
          isOwed: true
        })
      )
      yield* Effect.forEach([early, declined, approved, made("other", 10, otherSeed), made("sent", 20)], (attempt) =>
        payments.insertAttempt(attempt)
      )
      assert.strictEqual(yield* uses(Fixtures.later(0)), 3)
      assert.strictEqual(yield* uses(Fixtures.later(10)), 2)
      assert.strictEqual(yield* uses(Fixtures.later(11)), 1)
      assert.strictEqual(yield* uses(Fixtures.later(21)), 0)
    })
  ),

  law(
    "counts attempts by state",
    Effect.gen(function* () {
      const payments = yield* PaymentRepository
      const before = yield* payments.countAttempts
      const [one, two] = [yield* freshSeed, yield* freshSeed]
      const waiting = Fixtures.awaitingCustomerAttempt({}, two)
      yield* payments.insertAttempt(Fixtures.unknownAttempt({}, one))
      yield* payments.insertAttempt(waiting)
      yield* payments.updateAttempt(getOrThrow(Attempt.supersede(waiting, Fixtures.later(1))))
      const after = yield* payments.countAttempts
      assert.deepStrictEqual(
        { ...after },
        { ...before, Unknown: before.Unknown + 1, Superseded: before.Superseded + 1 }
      )
      assert.sameMembers(Object.keys(after), Object.keys(Attempt.transitions))
    })
  )
]

/** Runs the laws against a layer. */
export const suite = suiteOf<Requirements>("PaymentRepository", laws)
