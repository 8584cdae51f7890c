/**
 * Asking the provider what became of a lost answer.
 *
 * @since 0.1.0
 */
import * as Attempt from "@pillivery/domain/Attempt"
import type { BillingKey } from "@pillivery/domain/BillingKey"
import {
  type BillingKeyLookupAnswer,
  PaymentStrategies,
  type PaymentLookupAnswer
} from "@pillivery/domain/PaymentStrategy"
import * as Purchase from "@pillivery/domain/Purchase"
import { type DateTime, Effect, Option } from "effect"
import { type Finding as ChargeFinding, recordCharge } from "../Billing/RecordCharge.ts"
import { BillingKeyRepository } from "../ports/BillingKeyRepository.ts"
import { BusinessClock } from "../ports/BusinessClock.ts"
import * as Evidence from "./Evidence.ts"
import { type CallHealth, MoneyCalls } from "./MoneyCalls.ts"
import { ProtocolSettings, type Settings } from "./ProtocolSettings.ts"
import { recordApproval } from "./RecordApproval.ts"

const millisPerDay = 86_400_000

/** Asks about one unknown attempt, records what the provider shows, and answers the attempt as it is then. */
export const askAbout = Effect.fn("askAbout")(function* (attempt: Attempt.Unknown) {
  return attempt.purpose._tag === "ForCycle" ? yield* askAboutCharge(attempt) : yield* askAboutApproval(attempt)
})

/** Asks about a customer's approval by the provider's name of the transaction. */
export const askAboutApproval = Effect.fn("askAboutApproval")(function* (attempt: Attempt.Unknown) {
  const clock = yield* BusinessClock
  const strategy = (yield* PaymentStrategies).find(attempt.provider)
  const calls = yield* MoneyCalls
  const settings = yield* ProtocolSettings
  const now = yield* clock.now
  const { transactionId } = attempt
  if (strategy === null || transactionId === null) {
    return yield* recordApproval(
      attempt.id,
      { _tag: "NeedsReview", detail: "nobody can be asked about it" },
      attempt.sentAt
    )
  }
  const answer = yield* calls
    .lookup(lookupHealth, strategy.lookupPayment({ merchantAccount: attempt.merchantAccount, transactionId }))
    .pipe(Effect.catch((refused) => Effect.succeed({ _tag: "Refused" as const, detail: refused.message })))
  return yield* recordApproval(attempt.id, approvalFinding(answer), attempt.sentAt)

  function approvalFinding(answer: PaymentLookupAnswer | Refused): Purchase.Finding {
    switch (answer._tag) {
      case "PaymentFound":
        return Purchase.findingShown(attempt, answer, { askedAt: now, graceMinutes: settings.approvalGraceMinutes })
      case "PaymentMissing":
        return wasAskedInVain(attempt, now, settings)
          ? { _tag: "NeedsReview", detail: "the provider does not know the transaction" }
          : { _tag: "StillUnknown", detail: answer.detail }
      case "LookupFailed":
      case "Refused":
        return isFailingTooLong(answer, attempt, now, settings)
          ? { _tag: "NeedsReview", detail: "lookups have failed for days" }
          : { _tag: "StillUnknown", detail: answer.detail }
    }
  }
})

const askAboutCharge = Effect.fnUntraced(function* (attempt: Attempt.Unknown) {
  const clock = yield* BusinessClock
  const keys = yield* BillingKeyRepository
  const strategy = (yield* PaymentStrategies).find(attempt.provider)
  const calls = yield* MoneyCalls
  const settings = yield* ProtocolSettings
  if (attempt.purpose._tag !== "ForCycle") return attempt
  const { billingKey, billingKeyId } = attempt.purpose
  const nobody = { _tag: "NeedsReview", detail: "nobody can be asked about it" } as const
  if (strategy === null) return yield* recordCharge(attempt.id, nobody)
  // Read before the lookup: what the provider showed may be believed only if the grace was over when it was asked.
  const now = yield* clock.now
  const answer = yield* calls
    .lookup(lookupHealth, strategy.lookupBillingKey({ merchantAccount: attempt.merchantAccount, billingKey }))
    .pipe(Effect.catch((refused) => Effect.succeed({ _tag: "Refused" as const, detail: refused.message })))
  // Read after it: an approval that somebody explained meanwhile is not taken for this one.
  const key = Option.getOrNull(yield* keys.findById(billingKeyId))
  return yield* recordCharge(attempt.id, key === null ? nobody : chargeFinding(answer, key))

  function chargeFinding(answer: BillingKeyLookupAnswer | Refused, known: BillingKey): ChargeFinding {
    switch (answer._tag) {
      case "BillingKeyFound": {
        if (answer.lastApprovedAt !== null && Evidence.wasExecuted(settings, attempt, known, answer.lastApprovedAt)) {
          return {
            _tag: "Approved",
            amount: attempt.amount,
            reference: new Attempt.Awaiting({ approvedAt: answer.lastApprovedAt })
          }
        }
        if (now.epochMilliseconds < Evidence.believedFrom(settings, attempt.sentAt).epochMilliseconds) {
          return { _tag: "StillUnknown", detail: "the billing key's last approval has not moved" }
        }
        return Evidence.mayBeHidden(settings, attempt, known)
          ? { _tag: "NeedsReview", detail: "a later approval of the billing key may hide what became of it" }
          : {
              _tag: "NotExecuted",
              why: "inferred",
              detail: "the billing key's last approval did not move past the grace time"
            }
      }
      case "BillingKeyMissing":
        return { _tag: "NeedsReview", detail: "the provider does not know the billing key" }
      case "LookupFailed":
      case "Refused":
        return isFailingTooLong(answer, attempt, now, settings)
          ? { _tag: "NeedsReview", detail: "lookups have failed for days" }
          : { _tag: "StillUnknown", detail: answer.detail }
    }
  }
})

interface Refused {
  readonly _tag: "Refused"
  readonly detail: string
}

const lookupHealth = (answer: PaymentLookupAnswer | BillingKeyLookupAnswer): CallHealth =>
  answer._tag === "LookupFailed" && !answer.isOurFault ? "failure" : "success"

const failingFor = (attempt: Attempt.Unknown, now: DateTime.Utc): number =>
  (now.epochMilliseconds - attempt.unknownSince.epochMilliseconds) / millisPerDay

// It was asked about as often as it should be in those days: after an outage of ours the first question may fail as well.
// What people of ours must mend does not count: the attempt waits until lookups work again.
const isFailingTooLong = (
  answer: { readonly _tag: "LookupFailed"; readonly isOurFault: boolean } | Refused,
  attempt: Attempt.Unknown,
  now: DateTime.Utc,
  settings: Settings
): boolean => answer._tag === "LookupFailed" && !answer.isOurFault && wasAskedInVain(attempt, now, settings)

const wasAskedInVain = (attempt: Attempt.Unknown, now: DateTime.Utc, settings: Settings): boolean =>
  failingFor(attempt, now) > settings.lookupFailingDaysMax &&
  attempt.asks >= Evidence.asksWithin(settings, settings.lookupFailingDaysMax)
