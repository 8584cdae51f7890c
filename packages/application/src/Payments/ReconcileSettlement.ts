/**
 * Reading the provider's settlement, line by line, against our books.
 *
 * A settlement names every payment that moved money, by the id of the attempt that asked for it. It gives approvals that
 * were inferred their names, decides what is in doubt, and shows what our books do not explain. Reading the same lines
 * again changes nothing.
 *
 * @since 0.1.0
 */
import * as Attempt from "@pillivery/domain/Attempt"
import * as BillingKey from "@pillivery/domain/BillingKey"
import * as DomainEvent from "@pillivery/domain/DomainEvent"
import type { AttemptId } from "@pillivery/domain/Ids"
import type { ApprovalId, TransactionId } from "@pillivery/domain/Provider"
import type { Won } from "@pillivery/domain/Won"
import { type DateTime, Effect, Option, Result, Schema, Stream } from "effect"
import { recordCharge } from "../Billing/RecordCharge.ts"
import { BillingKeyRepository } from "../ports/BillingKeyRepository.ts"
import { BusinessClock } from "../ports/BusinessClock.ts"
import { Outbox } from "../ports/Outbox.ts"
import { PaymentRepository } from "../ports/PaymentRepository.ts"
import { Transaction } from "../ports/Transaction.ts"
import { retryStale } from "../StaleRetry.ts"
import { recordApproval } from "./RecordApproval.ts"

const detailLengthMax = 500

/** The most problems that are told one by one. */
export const problemsMax = 100

/** One payment of a settlement; `amount` in won. */
export interface SettlementLine {
  /** Where it stands in its file, the first line being 1. */
  readonly line: number
  readonly attemptId: AttemptId
  readonly transactionId: TransactionId
  readonly approvalId: ApprovalId | null
  readonly amount: Won
  readonly approvedAt: DateTime.Utc
}

/** A line that could not be read. */
export class InvalidLine extends Schema.TaggedClass<InvalidLine>("@pillivery/application/Payments/InvalidLine")(
  "InvalidLine",
  { line: Schema.Int, detail: Schema.String }
) {}

/** What a line did. */
export type LineOutcome =
  /** An inferred approval has its name now. */
  | "named"
  /** What was in doubt, or taken for not executed, is approved now. */
  | "settled"
  /** The books say the same. */
  | "agreed"
  /** The books contradict it: a person must look, and nothing more is charged with the billing key. */
  | "mismatched"
  /** There is no such attempt. */
  | "unknown"
  /** It could not be read. */
  | "invalid"

/** How many lines did what, and what a person should look at. */
export interface SettlementReport {
  readonly lines: number
  readonly counts: Readonly<Record<LineOutcome, number>>
  /** The first of them, at most {@link problemsMax}. */
  readonly problems: ReadonlyArray<{ readonly line: number; readonly detail: string }>
}

/** Compares every line with the books and writes what it decides, one transaction each. */
export const reconcileSettlement = Effect.fn("reconcileSettlement")(function* <E, R>(
  lines: Stream.Stream<SettlementLine | InvalidLine, E, R>
) {
  const counts: Record<LineOutcome, number> = {
    named: 0,
    settled: 0,
    agreed: 0,
    mismatched: 0,
    unknown: 0,
    invalid: 0
  }
  const problems: Array<{ readonly line: number; readonly detail: string }> = []
  let count = 0
  yield* Stream.runForEach(lines, (line) =>
    Effect.gen(function* () {
      const { detail, outcome } =
        line instanceof InvalidLine ? { outcome: "invalid" as const, detail: line.detail } : yield* settleLine(line)
      count++
      counts[outcome]++
      if (detail !== null && problems.length < problemsMax) problems.push({ line: line.line, detail })
    })
  )
  return { lines: count, counts, problems } satisfies SettlementReport
})

interface Judged {
  readonly outcome: LineOutcome
  readonly detail: string | null
}

const settleLine = Effect.fnUntraced(function* (line: SettlementLine) {
  const payments = yield* PaymentRepository
  const { attemptId } = line
  const attempt = Option.getOrNull(yield* payments.findAttempt(attemptId))
  if (attempt === null) return { outcome: "unknown", detail: `there is no attempt ${attemptId}` } satisfies Judged
  const isKnown = "reference" in attempt && attempt.reference._tag === "Known"
  if (isKnown && attempt.reference.transactionId === line.transactionId && attempt.approved === line.amount) {
    return { outcome: "agreed", detail: null } satisfies Judged
  }
  const found = { attemptId, state: attempt._tag, amount: attempt.amount }
  if (line.amount !== attempt.amount || isKnown || !mayBeApproved(attempt)) {
    const detail = `${found.state} with ${found.amount} won in the books, settled as ${line.transactionId} with ${line.amount} won`
    yield* reportMismatch(attempt, line, detail)
    return { outcome: "mismatched", detail: `${attemptId} is ${detail}` } satisfies Judged
  }
  const reference = new Attempt.Known({
    transactionId: line.transactionId,
    approvalId: line.approvalId,
    approvedAt: line.approvedAt,
    method: null
  })
  const finding = { _tag: "Approved", amount: line.amount, reference } as const
  if (attempt.purpose._tag === "ForCycle") yield* recordCharge(attemptId, finding)
  else {
    yield* recordApproval(attemptId, { ...finding, billingKey: null }, "sentAt" in attempt ? attempt.sentAt : null)
  }
  return { outcome: "reference" in attempt ? "named" : "settled", detail: null } satisfies Judged
})

// A customer's payment that was never sent cannot have been approved; a charge that was not may have been later.
const mayBeApproved = (attempt: Attempt.Attempt): boolean =>
  attempt._tag === "Sent" ||
  attempt._tag === "Unknown" ||
  attempt._tag === "ManualReview" ||
  attempt._tag === "NotExecuted" ||
  ("reference" in attempt && attempt.reference._tag === "Awaiting")

// A person is told, once for each thing that was found; a billing key that our books do not explain is not charged, and an
// approval that was only inferred is not believed any more.
const reportMismatch = Effect.fnUntraced(function* (attempt: Attempt.Attempt, line: SettlementLine, detail: string) {
  const { run } = yield* Transaction
  const payments = yield* PaymentRepository
  const keys = yield* BillingKeyRepository
  const outbox = yield* Outbox
  const clock = yield* BusinessClock
  const told = detail.slice(0, detailLengthMax)
  yield* retryStale(
    run(
      Effect.gen(function* () {
        const at = yield* clock.now
        const { purpose } = attempt
        const current = Option.getOrNull(yield* payments.findAttempt(attempt.id))
        const isInferred = current !== null && "reference" in current && current.reference._tag === "Awaiting"
        const reviewed = isInferred ? Result.getOrNull(Attempt.review(current, at, told)) : null
        if (reviewed !== null) yield* payments.updateAttempt(reviewed)
        const key = purpose._tag === "ForCycle" ? Option.getOrNull(yield* keys.findById(purpose.billingKeyId)) : null
        const frozen = key === null ? null : Result.getOrNull(BillingKey.freeze(key))
        if (frozen !== null) yield* keys.update(frozen)
        yield* outbox.publish([
          new DomainEvent.PaymentNeedsReview({
            eventId: DomainEvent.eventId(
              `settlement/${attempt.id}/${line.transactionId}/${line.amount}`,
              "PaymentNeedsReview"
            ),
            at,
            attemptId: attempt.id,
            userId: purpose.userId,
            detail: told
          }),
          ...(frozen === null
            ? []
            : [
                new DomainEvent.BillingKeyFrozen({
                  eventId: DomainEvent.eventId(`${frozen.id}@${frozen.version}`, "BillingKeyFrozen"),
                  at,
                  billingKeyId: frozen.id,
                  userId: frozen.userId
                })
              ])
        ])
      })
    )
  )
})
