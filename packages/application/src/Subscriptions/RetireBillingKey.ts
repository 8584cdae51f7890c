/**
 * Telling the provider that a billing key is not used any more.
 *
 * @since 0.1.0
 */
import * as BillingKey from "@pillivery/domain/BillingKey"
import type { BillingKeyId } from "@pillivery/domain/Ids"
import { PaymentStrategies } from "@pillivery/domain/PaymentStrategy"
import { Effect, Option, Schema } from "effect"
import { MoneyCalls } from "../Payments/MoneyCalls.ts"
import { BillingKeyRepository } from "../ports/BillingKeyRepository.ts"
import { Transaction } from "../ports/Transaction.ts"
import { retryStale } from "../StaleRetry.ts"

/** The provider did not confirm that the key is dead: to be tried again. */
export class DeactivationUnconfirmed extends Schema.TaggedError<DeactivationUnconfirmed>(
  "@pillivery/application/Subscriptions/DeactivationUnconfirmed"
)("DeactivationUnconfirmed", { billingKeyId: Schema.String, detail: Schema.String }) {
  override get message() {
    return `billing key ${this.billingKeyId} may still be alive at the provider: ${this.detail}`
  }
}

/** Retires a key that nothing uses; does nothing when something uses or holds it again. */
export const retireBillingKey = Effect.fn("retireBillingKey")(function* (id: BillingKeyId) {
  const keys = yield* BillingKeyRepository
  const transaction = yield* Transaction
  const calls = yield* MoneyCalls
  const strategies = yield* PaymentStrategies
  // Read where it is written, since an old row would tell that the key is in use and this event comes only once. Nothing
  // attaches to a retiring key, so from here on nobody can begin to use it.
  const key = yield* retryStale(
    transaction.run(
      Effect.gen(function* () {
        const found = Option.getOrNull(yield* keys.findById(id))
        if (found?._tag !== "Active") return found
        const retiring = BillingKey.retire(found)
        if (retiring._tag === "Failure") return found
        yield* keys.update(retiring.success)
        return Option.getOrNull(yield* keys.findById(id))
      })
    )
  )
  if (key?._tag !== "Retiring") return
  const strategy = strategies.find(key.provider)
  if (strategy === null) {
    return yield* new DeactivationUnconfirmed({ billingKeyId: id, detail: `${key.provider} is not configured` })
  }
  const answer = yield* calls.lookup(
    (result) => (result._tag === "Unknown" ? "failure" : "success"),
    strategy.deactivate({ merchantAccount: key.merchantAccount, billingKey: key.billingKey })
  )
  if (answer._tag !== "Deactivated") {
    return yield* new DeactivationUnconfirmed({ billingKeyId: id, detail: answer.detail })
  }
  const retired = BillingKey.confirmRetired(key)
  if (retired._tag === "Success") yield* keys.update(retired.success)
})
