/**
 * Noticing that the database was put back to an earlier state.
 *
 * Charges may be missing from it that the provider executed. Every billing key is in question then, until it was compared
 * with the provider.
 *
 * @since 0.1.0
 */
import { Effect, Option } from "effect"
import { BillingKeyRepository } from "../ports/BillingKeyRepository.ts"
import { LedgerMark } from "../ports/LedgerMark.ts"
import { PaymentRepository } from "../ports/PaymentRepository.ts"

/** Has every billing key compared again when a charge that is remembered elsewhere is missing; answers whether it was. */
export const detectRestore = Effect.fn("detectRestore")(function* () {
  const mark = yield* LedgerMark
  const remembered = yield* mark.find.pipe(
    Effect.catch((error) => Effect.as(Effect.logWarning(error.message, error), Option.none()))
  )
  if (Option.isNone(remembered)) return false
  if (Option.isSome(yield* (yield* PaymentRepository).findAttempt(remembered.value))) return false
  yield* Effect.logError(
    "The database lost charges that were written down in it: every billing key is compared with the provider again"
  ).pipe(Effect.annotateLogs({ attemptId: remembered.value }))
  yield* (yield* BillingKeyRepository).uncheckAll
  yield* mark.forget.pipe(Effect.catch((error) => Effect.logWarning(error.message, error)))
  return true
})
