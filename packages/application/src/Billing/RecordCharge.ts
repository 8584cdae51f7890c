/**
 * Recording what became of a renewal's charge.
 *
 * @since 0.1.0
 */
import * as Attempt from "@pillivery/domain/Attempt"
import * as DomainEvent from "@pillivery/domain/DomainEvent"
import type { AttemptId } from "@pillivery/domain/Ids"
import type { ProviderAnswer } from "@pillivery/domain/ProviderAnswer"
import * as Refund from "@pillivery/domain/Refund"
import * as Renewal from "@pillivery/domain/Renewal"
import { type DateTime, Effect, Option, Result, Schema } from "effect"
import * as Evidence from "../Payments/Evidence.ts"
import { ProtocolSettings } from "../Payments/ProtocolSettings.ts"
import { BillingKeyRepository } from "../ports/BillingKeyRepository.ts"
import { BillingLedger } from "../ports/BillingLedger.ts"
import { BusinessClock } from "../ports/BusinessClock.ts"
import { Outbox } from "../ports/Outbox.ts"
import { PaymentRepository } from "../ports/PaymentRepository.ts"
import { RefundRepository } from "../ports/RefundRepository.ts"
import { SubscriptionRepository } from "../ports/SubscriptionRepository.ts"
import { Transaction } from "../ports/Transaction.ts"
import { retryStale } from "../StaleRetry.ts"
import { writeEntries } from "./WriteEntries.ts"

/** What is known of a charge, before the books were asked. */
export type Finding = Renewal.Outcome | { readonly _tag: "StillUnknown"; readonly detail: string }

/** The books do not allow what the provider says, or a row they need is missing. */
export class BooksContradict extends Schema.TaggedError<BooksContradict>(
  "@pillivery/application/Billing/BooksContradict"
)("BooksContradict", { attemptId: Schema.String, detail: Schema.String }) {
  override get message() {
    return `attempt ${this.attemptId}: ${this.detail}`
  }
}

/** What a provider's answer to a charge means for the books. */
export const findingOf = (answer: ProviderAnswer): Finding => {
  switch (answer._tag) {
    case "Approved":
      return {
        _tag: "Approved",
        amount: answer.amount,
        reference: new Attempt.Known({
          transactionId: answer.transactionId,
          approvalId: answer.approvalId,
          approvedAt: answer.approvedAt,
          method: answer.method
        })
      }
    case "Declined":
      return { _tag: "Declined", reason: answer.reason }
    case "NotExecuted":
      // The provider's word that it did not try is checked against its own evidence before anything is sent again.
      return answer.why === "word"
        ? { _tag: "StillUnknown", detail: `not executed, by their word: ${answer.detail}` }
        : { _tag: "NotExecuted", why: answer.why, detail: answer.detail }
    case "NotYet":
    case "Expired":
    case "Unknown":
      return { _tag: "StillUnknown", detail: answer.detail }
  }
}

/**
 * Records a finding in one transaction and answers the attempt as it is then; a settled attempt stays as it is.
 *
 * **Details**
 *
 * `known` are the books as the caller wrote them a moment ago. What they decide stands only if each of the four rows is
 * written, so that a version tells of a writer who came in between; else, and then, they are read like anybody's.
 */
export const recordCharge = Effect.fnUntraced(function* (
  attemptId: AttemptId,
  finding: Finding,
  known: Renewal.Books | null = null
) {
  const payments = yield* PaymentRepository
  const clock = yield* BusinessClock
  const transaction = yield* Transaction
  const settings = yield* ProtocolSettings
  let unread = known

  return yield* retryStale(
    transaction.runShared("record")(
      Effect.gen(function* () {
        const at = yield* clock.now
        const settle = (books: Renewal.Books) =>
          Renewal.settle(
            books,
            finding._tag === "StillUnknown" ? Evidence.lost(settings, books.attempt, at, finding.detail) : finding,
            { at, policy: settings.dunningPolicy }
          )
        const tried = unread === null ? null : { attempt: unread.attempt, entries: settle(unread) }
        unread = null
        const { attempt, entries } =
          tried !== null && Result.isSuccess(tried.entries) && writesAll(tried.entries.success)
            ? tried
            : yield* Effect.map(readBooks(attemptId), (books) => ({ attempt: books.attempt, entries: settle(books) }))
        yield* payments.releaseUserSlot(attempt.provider, attempt.customerReference, attempt.id)
        if (Result.isFailure(entries)) {
          if (entries.failure._tag !== "AttemptTransitionDenied") {
            return yield* new BooksContradict({ attemptId, detail: entries.failure.message })
          }
          // Somebody recorded it before us. A late answer that says the same changes nothing.
          if (finding._tag === "Approved") yield* reportContradiction(attempt, at)
          return attempt
        }
        yield* writeEntries(entries.success)
        if (learnsName(attempt, entries.success.attempt)) yield* unpark(attempt.id)
        return entries.success.attempt ?? attempt
      })
    )
  )
})

const writesAll = ({ attempt, cycle, key, subscription }: Renewal.Entries): boolean =>
  attempt !== undefined && cycle !== undefined && key !== undefined && subscription !== undefined

const readBooks = Effect.fnUntraced(function* (attemptId: AttemptId) {
  const payments = yield* PaymentRepository
  const ledger = yield* BillingLedger
  const subscriptions = yield* SubscriptionRepository
  const keys = yield* BillingKeyRepository
  const orMissing = <A>(option: Option.Option<A>, what: string): Effect.Effect<A, BooksContradict> =>
    Option.isSome(option)
      ? Effect.succeed(option.value)
      : Effect.fail(new BooksContradict({ attemptId, detail: `${what} is missing` }))

  const attempt = yield* orMissing(yield* payments.findAttempt(attemptId), "the attempt")
  if (attempt.purpose._tag !== "ForCycle") {
    return yield* new BooksContradict({ attemptId, detail: "a cycle to charge is missing" })
  }
  const { billingKeyId, cycleNumber, subscriptionId } = attempt.purpose
  const key = yield* orMissing(yield* keys.findById(billingKeyId), "the billing key")
  const cycle = yield* orMissing(yield* ledger.findCycle({ subscriptionId, number: cycleNumber }), "the cycle")
  const subscription = yield* orMissing(yield* subscriptions.findById(subscriptionId), "the subscription")
  return { attempt, cycle, subscription, key } satisfies Renewal.Books
})

// An approval that was inferred has its name at the provider now.
const learnsName = (before: Attempt.Attempt, after: Attempt.Attempt | undefined): boolean =>
  "reference" in before &&
  before.reference._tag === "Awaiting" &&
  after !== undefined &&
  "reference" in after &&
  after.reference._tag === "Known"

// Refunds that waited for the name can be sent.
const unpark = Effect.fnUntraced(function* (attemptId: AttemptId) {
  const refunds = yield* RefundRepository
  for (const refund of yield* refunds.listByAttempt(attemptId)) {
    const requested = refund._tag === "Parked" ? Refund.requestAgain(refund) : null
    if (requested?._tag === "Success") yield* refunds.update(requested.success)
  }
})

/** Money moved by the provider's word, and a settled attempt says otherwise: that is a person's to explain. */
export const reportContradiction = Effect.fnUntraced(function* (attempt: Attempt.Attempt, at: DateTime.Utc) {
  if ("reference" in attempt) return
  const detail = `approved by the provider after it was ${attempt._tag}`
  yield* Effect.logError("The provider's answer contradicts our books").pipe(
    Effect.annotateLogs({ attemptId: attempt.id, detail })
  )
  yield* (yield* Outbox).publish([
    new DomainEvent.PaymentNeedsReview({
      eventId: DomainEvent.eventId(attempt.id, "PaymentNeedsReview"),
      at,
      attemptId: attempt.id,
      userId: attempt.purpose.userId,
      detail
    })
  ])
})
