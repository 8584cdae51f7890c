/**
 * The seven calls as data: how each is made with the fixtures of {@link Provider}, and one word for each answer.
 */
import type * as Strategy from "@pillivery/domain/PaymentStrategy"
import type { ProviderAnswer } from "@pillivery/domain/ProviderAnswer"
import { Effect } from "effect"
import type { Call } from "../src/ErrorCodes.ts"
import * as Provider from "./Provider.ts"

/** What any call answers. */
export type AnyAnswer =
  | Strategy.PrepareAnswer
  | ProviderAnswer
  | Strategy.RefundAnswer
  | Strategy.DeactivateAnswer
  | Strategy.PaymentLookupAnswer
  | Strategy.BillingKeyLookupAnswer

/** One word for what an answer lets us do next. */
export const nameOf = (answer: AnyAnswer): string => {
  switch (answer._tag) {
    case "NotExecuted":
      return answer.why
    case "Declined":
      return `${answer.reason._tag} ${answer.reason.kind}`
    case "LookupFailed":
      return answer.isOurFault ? "LookupFailed ours" : "LookupFailed"
    default:
      return answer._tag
  }
}

const patienceMillis = 60_000

/** Makes one call with plenty of time. */
export const ask = (strategy: Strategy.PaymentStrategy, call: Call): Effect.Effect<AnyAnswer> =>
  Effect.flatMap(Provider.deadlineIn(patienceMillis), (deadline): Effect.Effect<AnyAnswer> => {
    switch (call) {
      case "prepare":
        return strategy.prepare(Provider.prepareRequest)
      case "approve":
        return strategy.approve(Provider.approveRequest(deadline))
      case "charge":
        return strategy.charge(Provider.chargeRequest(deadline))
      case "refund":
        return strategy.refund(Provider.refundRequest(deadline))
      case "deactivate":
        return strategy.deactivate(Provider.keyRequest)
      case "lookupPayment":
        return strategy.lookupPayment(Provider.paymentRequest)
      case "lookupBillingKey":
        return strategy.lookupBillingKey(Provider.keyRequest)
    }
  })

/** A word for each call. */
export type Names = Readonly<Record<Call, string>>

/** One word for the two lookups and another for all other calls. */
export const everywhere = (others: string, lookups: string): Names => ({
  prepare: others,
  approve: others,
  charge: others,
  refund: others,
  deactivate: others,
  lookupPayment: lookups,
  lookupBillingKey: lookups
})

/** What every call answers when nobody can tell what happened. */
export const notKnown: Names = everywhere("Unknown", "LookupFailed")
/** What every call answers when people of ours must mend something. */
export const ours: Names = everywhere("ours", "LookupFailed ours")
