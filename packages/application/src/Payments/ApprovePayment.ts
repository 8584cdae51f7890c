/**
 * The customer came back from the provider: take the money, once.
 *
 * The same address may be opened many times, at once or after a crash. Every visitor gets the answer of the one approval
 * that was sent: a settled payment answers as it was settled, a sent one is waited for, a lost one is asked about.
 *
 * An approval that provably was not sent is tried again while the visitor waits, as `approveRetry` of the settings says.
 * Each try is a dispatch of its own: it takes its own permits, commits its own intent, and is counted on the row.
 *
 * @since 0.1.0
 */
import * as Attempt from "@pillivery/domain/Attempt"
import type { AttemptId, OrderId } from "@pillivery/domain/Ids"
import { PaymentStrategies } from "@pillivery/domain/PaymentStrategy"
import type { ApprovalToken } from "@pillivery/domain/Provider"
import * as Purchase from "@pillivery/domain/Purchase"
import type { Won } from "@pillivery/domain/Won"
import { Clock, Data, DateTime, Effect, Option, Result } from "effect"
import { healthOf } from "../Billing/ChargeCycle.ts"
import { BusinessClock } from "../ports/BusinessClock.ts"
import { OrderRepository } from "../ports/OrderRepository.ts"
import { PaymentRepository } from "../ports/PaymentRepository.ts"
import { StaleWrite } from "../ports/StorageError.ts"
import { Transaction } from "../ports/Transaction.ts"
import * as RetryPolicy from "../resilience/RetryPolicy.ts"
import { askAboutApproval } from "./AskProvider.ts"
import { MoneyCalls } from "./MoneyCalls.ts"
import {
  ApprovalNotAccepted,
  PaymentDeclined,
  PaymentInProgress,
  PaymentNotFound,
  PaymentOver,
  ProviderUnavailable
} from "./PaymentErrors.ts"
import { ProtocolSettings } from "./ProtocolSettings.ts"
import { recordApproval } from "./RecordApproval.ts"

const retryAfterSeconds = 5
const pollMillis = 100
const millisPerSecond = 1_000

/** A payment that was approved; `orderId` is null for a registered billing key. */
export interface ApprovedPayment {
  readonly attemptId: AttemptId
  readonly orderId: OrderId | null
  readonly amount: Won
  readonly approvedAt: DateTime.Utc
}

/** The provider did not take the approval, and the transaction waits again. `isUnsent`: not one byte was written. */
class ApprovalNotExecuted extends Data.TaggedError("ApprovalNotExecuted")<{ readonly isUnsent: boolean }> {}

/** Approves a payment with the token the customer's browser brought, or answers what became of it. */
export const approvePayment = Effect.fn("approvePayment")(function* (
  attemptId: AttemptId,
  approvalToken: ApprovalToken
) {
  const { approveRetry } = yield* ProtocolSettings
  const policy = RetryPolicy.make<unknown>({
    name: "approve",
    timing: approveRetry,
    isRetryable: (error) => error instanceof ApprovalNotExecuted && error.isUnsent
  })
  return yield* approveOnce(attemptId, approvalToken).pipe(
    RetryPolicy.withRetry(policy),
    Effect.catchTag("ApprovalNotExecuted", () =>
      Effect.fail(new ProviderUnavailable({ retryAfterSeconds, detail: "the approval was not executed" }))
    )
  )
})

const approveOnce = Effect.fnUntraced(function* (attemptId: AttemptId, approvalToken: ApprovalToken) {
  const payments = yield* PaymentRepository
  const settings = yield* ProtocolSettings
  const startedAt = yield* Clock.currentTimeMillis
  while (true) {
    const found = yield* payments.findAttempt(attemptId)
    if (Option.isNone(found)) return yield* new PaymentNotFound({ attemptId })
    const attempt = found.value
    if (attempt._tag === "AwaitingCustomer") {
      const sent = yield* sendApproval(attempt, approvalToken)
      if (sent !== "raced") return yield* conclude(sent)
    } else if (attempt._tag === "Unknown") {
      // A lost approval is never sent again, not even while the provider shows it waiting: an answer to the second call
      // would say nothing about the first.
      return yield* conclude(yield* askAboutApproval(attempt))
    } else if (attempt._tag !== "Sent") {
      return yield* conclude(attempt)
    }
    if ((yield* Clock.currentTimeMillis) - startedAt > settings.twinWaitMillisMax) {
      return yield* new PaymentInProgress({ attemptId, retryAfterSeconds })
    }
    yield* Effect.sleep(pollMillis)
  }
})

const sendApproval = Effect.fnUntraced(function* (attempt: Attempt.AwaitingCustomer, approvalToken: ApprovalToken) {
  const payments = yield* PaymentRepository
  const orders = yield* OrderRepository
  const clock = yield* BusinessClock
  const transaction = yield* Transaction
  const calls = yield* MoneyCalls
  const strategies = yield* PaymentStrategies
  const settings = yield* ProtocolSettings
  const strategy = strategies.find(attempt.provider)
  if (strategy === null) {
    return yield* new ProviderUnavailable({ retryAfterSeconds, detail: `${attempt.provider} is not configured` })
  }
  const { id: attemptId, purpose } = attempt
  // Known also when the commit of the claim was in doubt: then it tells our dispatch from a rival's.
  let claimedAt: DateTime.Utc | null = null

  const claim = transaction.run(
    Effect.gen(function* () {
      const at = yield* clock.now
      claimedAt = at
      const lease = new Attempt.Lease({
        owner: settings.owner,
        epoch: attempt.dispatches + 1,
        expiresAt: DateTime.add(yield* clock.databaseNow, { milliseconds: settings.leaseMillis })
      })
      const dispatch = { at, lease, approvalToken }
      const order = purpose._tag === "ForOrder" ? yield* orders.findById(purpose.orderId) : null
      if (order !== null && Option.isNone(order)) return yield* new PaymentNotFound({ attemptId })
      const sending =
        order === null
          ? Result.map(Attempt.send(attempt, { ...dispatch, baseline: null }), (sent) => ({ attempt: sent }))
          : Purchase.sendApproval({ attempt, order: order.value }, dispatch)
      const entries: Partial<Purchase.Sending> & Pick<Purchase.Sending, "attempt"> = yield* Effect.fromResult(
        sending
      ).pipe(
        Effect.catchTags({
          OrderTransitionDenied: ({ from }) => Effect.fail(new PaymentOver({ attemptId, state: from })),
          AttemptTransitionDenied: Effect.die // a waiting attempt can be sent
        })
      )
      if (entries.order !== undefined) yield* orders.update(entries.order)
      if (!(yield* payments.takeUserSlot(attempt.provider, attempt.customerReference, attemptId))) {
        return yield* new PaymentInProgress({ attemptId, retryAfterSeconds })
      }
      yield* payments.updateAttempt(entries.attempt)
      return entries.attempt
    })
  )

  return yield* calls
    .dispatch({
      claim,
      call: (sent, dispatchBefore) =>
        strategy.approve({
          attemptId,
          merchantAccount: sent.merchantAccount,
          customerReference: sent.customerReference,
          transactionId: attempt.transactionId,
          approvalToken,
          amount: sent.amount,
          dispatchBefore
        }),
      health: healthOf,
      record: (sent, answer) =>
        recordApproval(attemptId, Purchase.findingOf(answer), sent.sentAt).pipe(
          Effect.map((recorded) => ({ recorded, answer }))
        ),
      recordUnsent: Effect.suspend(() => recordApproval(attemptId, { _tag: "NotYet" }, claimedAt))
    })
    .pipe(
      Effect.flatMap(({ answer, recorded }) =>
        recorded._tag === "AwaitingCustomer" && answer._tag === "NotExecuted"
          ? Effect.fail(new ApprovalNotExecuted({ isUnsent: answer.why === "local" }))
          : Effect.succeed(recorded)
      ),
      Effect.catchTags({
        StaleWrite: () => Effect.succeed("raced" as const),
        CircuitOpen: (open) =>
          Effect.fail(
            new ProviderUnavailable({
              retryAfterSeconds: Math.max(1, Math.ceil(open.retryAfterMillis / millisPerSecond)),
              detail: "its path is cut off"
            })
          ),
        BulkheadFull: () =>
          Effect.fail(new ProviderUnavailable({ retryAfterSeconds, detail: "too many calls are waiting" }))
      })
    )
})

const conclude = (
  attempt: Attempt.Attempt
): Effect.Effect<ApprovedPayment, ApprovalNotAccepted | PaymentDeclined | PaymentInProgress | PaymentOver> => {
  const attemptId = attempt.id
  switch (attempt._tag) {
    case "Approved":
      return Effect.succeed({
        attemptId,
        orderId: attempt.purpose._tag === "ForOrder" ? attempt.purpose.orderId : null,
        amount: attempt.approved,
        approvedAt: attempt.reference.approvedAt
      })
    case "AwaitingCustomer":
      return Effect.fail(new ApprovalNotAccepted({ attemptId }))
    case "Declined":
      return Effect.fail(new PaymentDeclined({ attemptId, severity: attempt.reason._tag, kind: attempt.reason.kind }))
    case "Prepared":
    case "Sent":
    case "Unknown":
    case "ManualReview":
      return Effect.fail(new PaymentInProgress({ attemptId, retryAfterSeconds }))
    case "ApprovedSurplus":
    case "Refunded":
    case "NotExecuted":
    case "Withdrawn":
    case "Abandoned":
    case "Superseded":
      return Effect.fail(new PaymentOver({ attemptId, state: attempt._tag }))
  }
}

/** The customer turned back at the provider. Nothing is decided by the visit: the provider is asked first. */
export const leavePayment = Effect.fn("leavePayment")(function* (attemptId: AttemptId) {
  const payments = yield* PaymentRepository
  const clock = yield* BusinessClock
  const strategies = yield* PaymentStrategies
  const calls = yield* MoneyCalls
  const found = yield* payments.findAttempt(attemptId)
  if (Option.isNone(found)) return yield* new PaymentNotFound({ attemptId })
  const attempt = found.value
  if (attempt._tag !== "AwaitingCustomer") return attempt
  const strategy = strategies.find(attempt.provider)
  if (strategy === null) return attempt
  const answer = yield* calls
    .lookup(
      (result) => (result._tag === "LookupFailed" && !result.isOurFault ? "failure" : "success"),
      strategy.lookupPayment({ merchantAccount: attempt.merchantAccount, transactionId: attempt.transactionId })
    )
    .pipe(Effect.catch(() => Effect.succeed(null)))
  if (answer?._tag !== "PaymentFound") return attempt
  const left = Purchase.leave(attempt, answer.standing, yield* clock.now)
  if (left === null) return attempt
  return yield* payments.updateAttempt(left).pipe(
    Effect.as<Attempt.Attempt>(left),
    Effect.catchTag("StaleWrite", (_: StaleWrite) => Effect.succeed(attempt))
  )
})
