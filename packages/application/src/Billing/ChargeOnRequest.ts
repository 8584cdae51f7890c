/**
 * Charging one billing cycle because somebody asked for it under an idempotency key.
 *
 * The key is bound to the attempt in the transaction that claims it. Whoever asks again, because an answer was lost or a
 * server died, observes that attempt; a new one is made only after the last provably did not happen.
 *
 * @since 0.1.0
 */
import type * as Attempt from "@pillivery/domain/Attempt"
import type { BusinessDate } from "@pillivery/domain/BusinessDate"
import { AttemptId } from "@pillivery/domain/Ids"
import { Clock, Effect, Option, Schema } from "effect"
import { RequestKeyReused } from "../Idempotency.ts"
import { ProtocolSettings } from "../Payments/ProtocolSettings.ts"
import type { CycleKey } from "../ports/BillingLedger.ts"
import { IdempotencyStore, type RequestKey } from "../ports/IdempotencyStore.ts"
import { PaymentRepository } from "../ports/PaymentRepository.ts"
import { chargeCycle } from "./ChargeCycle.ts"

/** The charge that was asked for before is still being made. */
export class ChargeInFlight extends Schema.TaggedError<ChargeInFlight>("@pillivery/application/Billing/ChargeInFlight")(
  "ChargeInFlight",
  { retryAfterSeconds: Schema.Int }
) {
  override get message() {
    return "this charge is being made"
  }
}

/** After how many seconds to ask again about a charge in flight. */
export const retryAfterSeconds = 2

const pollMillis = 50

/** Who charges what, under which key. */
export interface ChargeRequest extends CycleKey {
  readonly request: RequestKey
  readonly date: BusinessDate
  /** Whether the date may be one that has not come. */
  readonly isAheadAllowed?: boolean
}

/** Charges a cycle for a request, or observes what came of the same request before. */
export const chargeOnRequest = Effect.fn("chargeOnRequest")(function* (asked: ChargeRequest) {
  const store = yield* IdempotencyStore
  const { request } = asked
  const cycle: CycleKey = { subscriptionId: asked.subscriptionId, number: asked.number }
  const fingerprint = `${cycle.subscriptionId}/${cycle.number}/${asked.date}`

  const known = yield* store.find(request)
  if (Option.isSome(known)) {
    if (known.value.fingerprint !== fingerprint) return yield* new RequestKeyReused({ key: request.key })
    const before = yield* observe(AttemptId.make(known.value.resourceId))
    if (!isUndone(before)) return { _tag: "Sent" as const, attempt: before }
  }
  const charged = yield* chargeCycle(cycle, asked, (attemptId) =>
    Option.isNone(known)
      ? store.bind(request, { fingerprint, resourceId: attemptId })
      : store.rebind(request, { from: known.value.resourceId, to: attemptId })
  )
  if (charged._tag === "Sent") return charged
  // A twin may have been first: then its attempt is the one that was asked for.
  const twin = yield* store.find(request)
  if (Option.isNone(twin) || (Option.isSome(known) && twin.value.resourceId === known.value.resourceId)) return charged
  if (twin.value.fingerprint !== fingerprint) return yield* new RequestKeyReused({ key: request.key })
  return { _tag: "Sent" as const, attempt: yield* observe(AttemptId.make(twin.value.resourceId)) }
})

const isUndone = (attempt: Attempt.Attempt): boolean => attempt._tag === "NotExecuted" || attempt._tag === "Withdrawn"

// The attempt once it has an outcome; a twin in flight is waited for a little.
const observe = Effect.fnUntraced(function* (attemptId: AttemptId) {
  const payments = yield* PaymentRepository
  const { twinWaitMillisMax } = yield* ProtocolSettings
  const startedAt = yield* Clock.currentTimeMillis
  while (true) {
    const found = yield* payments.findAttempt(attemptId)
    if (Option.isNone(found)) return yield* Effect.die(new Error(`attempt ${attemptId} of a request is missing`))
    if (found.value._tag !== "Prepared" && found.value._tag !== "Sent") return found.value
    if ((yield* Clock.currentTimeMillis) - startedAt > twinWaitMillisMax) {
      return yield* new ChargeInFlight({ retryAfterSeconds })
    }
    yield* Effect.sleep(pollMillis)
  }
})
