/**
 * The contract of `ManualReviews`.
 *
 * @since 0.1.0
 */
import { assert } from "@effect/vitest"
import * as Fixtures from "@pillivery/domain/testing/Fixtures"
import { Effect } from "effect"
import { BillingKeyRepository } from "../ports/BillingKeyRepository.ts"
import type { IdGenerator } from "../ports/IdGenerator.ts"
import { type Decision, ManualReviews, subjects, type Waiting } from "../ports/ManualReviews.ts"
import { PaymentRepository } from "../ports/PaymentRepository.ts"
import { RefundRepository } from "../ports/RefundRepository.ts"
import { Transaction } from "../ports/Transaction.ts"
import { failsWith, freshSeed, freshSeeds, law, type Law, suiteOf } from "./Law.ts"
import * as Samples from "./Samples.ts"

/** What the laws of this port need. */
export type Requirements =
  | ManualReviews
  | BillingKeyRepository
  | PaymentRepository
  | RefundRepository
  | Transaction
  | IdGenerator

const pageSize = 2

/** Everything an operator's list of one kind shows, read page by page. */
const listAll = Effect.fnUntraced(function* (subject: (typeof subjects)[number]) {
  const reviews = yield* ManualReviews
  const ids: Array<string> = []
  for (;;) {
    const page = yield* reviews.list(subject, { after: ids.at(-1) ?? null, limit: pageSize })
    ids.push(...page.map(({ id }) => id))
    if (page.length < pageSize) return ids
  }
})

const decisionOf = (id: string, subjectId: string, change: Partial<Decision> = {}): Decision => ({
  id,
  subject: "attempt",
  subjectId,
  decision: "declined",
  by: "운영자 김",
  why: "고객 확인",
  transactionId: null,
  at: Fixtures.later(1),
  ...change
})

/** Everything a `ManualReviews` promises. */
export const laws = (): ReadonlyArray<Law<Requirements>> => [
  law(
    "lists what waits and nothing else, page by page in the order of ids",
    Effect.gen(function* () {
      const payments = yield* PaymentRepository
      const refunds = yield* RefundRepository
      const keys = yield* BillingKeyRepository
      const [seed = "", other = "", third = ""] = yield* freshSeeds(3)
      const attempts = [
        Samples.attemptStates.ManualReview(seed),
        Samples.attemptStates.ManualReview(other),
        Samples.attemptStates.ManualReview(third)
      ]
      const settled = Samples.attemptStates.Approved(yield* freshSeed)
      const nameless = yield* Effect.map(freshSeed, (fresh) => {
        const sample = Samples.attemptVarieties["Approved with a reference to come"]
        return sample === undefined ? assert.fail("there is no such sample") : sample(fresh)
      })
      for (const attempt of [...attempts, settled, nameless]) yield* payments.insertAttempt(attempt)
      const refund = Samples.refundStates.ManualReview(yield* freshSeed)
      const requested = Samples.refundStates.Requested(yield* freshSeed)
      yield* refunds.insert(refund)
      yield* refunds.insert(requested)
      const frozen = Samples.billingKeyStates.Frozen(yield* freshSeed)
      const active = Samples.billingKeyStates.Active(yield* freshSeed)
      yield* keys.insert(frozen)
      yield* keys.insert(active)

      const listed = yield* listAll("attempt")
      assert.deepStrictEqual(listed, listed.toSorted())
      assert.strictEqual(new Set(listed).size, listed.length)
      for (const { id } of attempts) assert.include(listed, id)
      for (const { id } of [settled, nameless]) assert.notInclude(listed, id)
      assert.include(yield* listAll("reference"), nameless.id)
      assert.notInclude(yield* listAll("reference"), settled.id)
      assert.include(yield* listAll("refund"), refund.id)
      assert.notInclude(yield* listAll("refund"), requested.id)
      assert.include(yield* listAll("billingKey"), frozen.id)
      assert.notInclude(yield* listAll("billingKey"), active.id)
    })
  ),

  law(
    "tells of each what a person needs to know of it",
    Effect.gen(function* () {
      const reviews = yield* ManualReviews
      const payments = yield* PaymentRepository
      const attempt = Samples.attemptStates.ManualReview(yield* freshSeed)
      if (attempt._tag !== "ManualReview") return assert.fail()
      yield* payments.insertAttempt(attempt)
      let after: string | null = null
      for (;;) {
        const page: ReadonlyArray<Waiting> = yield* reviews.list("attempt", { after, limit: pageSize })
        const found = page.find(({ id }) => id === attempt.id)
        if (found !== undefined) {
          const { amount, detail, purpose, reviewSince: since } = attempt
          const { id, userId } = { id: attempt.id, userId: purpose.userId }
          return assert.deepStrictEqual(found, { subject: "attempt", id, userId, amount, since, detail })
        }
        after = page.at(-1)?.id ?? assert.fail("it is not listed")
      }
    })
  ),

  law(
    "keeps every decision, oldest first",
    Effect.gen(function* () {
      const reviews = yield* ManualReviews
      const [one = "", two = "", subject = "", other = ""] = yield* freshSeeds(4)
      const later = decisionOf(one, subject, { at: Fixtures.later(9), transactionId: "T1234", subject: "reference" })
      const earlier = decisionOf(two, subject)
      yield* reviews.record(later)
      yield* reviews.record(earlier)
      assert.deepStrictEqual(yield* reviews.decisionsOf(subject), [earlier, later])
      assert.deepStrictEqual(yield* reviews.decisionsOf(other), [])
    })
  ),

  law(
    "forgets a decision whose transaction failed",
    Effect.gen(function* () {
      const reviews = yield* ManualReviews
      const { run } = yield* Transaction
      const [id = "", subject = ""] = yield* freshSeeds(2)
      const record = reviews.record(decisionOf(id, subject))
      yield* failsWith("Unwanted", run(Effect.andThen(record, Effect.fail({ _tag: "Unwanted" as const }))))
      assert.deepStrictEqual(yield* reviews.decisionsOf(subject), [])
    })
  )
]

/** Runs the laws against a layer. */
export const suite = suiteOf<Requirements>("ManualReviews", laws)
