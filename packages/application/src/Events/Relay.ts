/**
 * Delivering events: every server takes what is due, hands it to its consumer, and notes how it went.
 *
 * @since 0.1.0
 */
import { Cause, Effect } from "effect"
import { ProtocolSettings } from "../Payments/ProtocolSettings.ts"
import { type Delivery, Outbox } from "../ports/Outbox.ts"
import { handleEvent } from "./HandleEvent.ts"

/** Deliveries taken at once. */
export const claimSize = 50
/** Deliveries handled at once. */
export const concurrency = 8
/** How long a claimed delivery is kept from others, in milliseconds. */
export const leaseMillis = 120_000
/** The first pause before another try, in milliseconds; it doubles up to {@link retryMillisMax}. */
export const retryMillis = 1_000
/** The longest pause before another try, in milliseconds. */
export const retryMillisMax = 300_000
/** Tries after which a delivery waits for a person. */
export const triesMax = 12
/** Rounds after which one drain gives up. */
export const drainRoundsMax = 10_000

/** Delivers what is due now, once; answers how many deliveries were handled. */
export const relayOnce = Effect.fn("relayOnce")(function* () {
  const outbox = yield* Outbox
  const settings = yield* ProtocolSettings
  const deliveries = yield* outbox.claim({ owner: settings.owner, limit: claimSize, leaseMillis })
  yield* Effect.forEach(deliveries, deliver, { concurrency, discard: true })
  return deliveries.length
})

/** Delivers until nothing is due; what waits for another try is left. */
export const drain = Effect.fn("drain")(function* () {
  let handled = 0
  for (let round = 0; round < drainRoundsMax; round++) {
    const count = yield* relayOnce()
    if (count === 0) break
    handled += count
  }
  return handled
})

const deliver = Effect.fnUntraced(function* (delivery: Delivery) {
  const outbox = yield* Outbox
  yield* handleEvent(delivery).pipe(
    Effect.matchCauseEffect({
      onSuccess: () => outbox.complete(delivery),
      onFailure: (cause) => fail(delivery, Cause.pretty(cause))
    }),
    Effect.catchTag("StorageError", (error) =>
      // The lease runs out and the delivery is handed out again.
      Effect.logWarning("A delivery could not be noted", error)
    )
  )
})

const fail = Effect.fnUntraced(function* (delivery: Delivery, error: string) {
  const outbox = yield* Outbox
  const annotated = Effect.annotateLogs({
    eventId: delivery.eventId,
    consumer: delivery.consumer,
    tries: delivery.tries,
    error
  })
  if (delivery.tries >= triesMax) {
    yield* Effect.logError("A delivery was given up and waits for a person").pipe(annotated)
    return yield* outbox.giveUp(delivery, error.slice(0, 2_000))
  }
  yield* Effect.logWarning("A delivery failed and is tried again").pipe(annotated)
  const delayMillis = Math.min(retryMillis * 2 ** (delivery.tries - 1), retryMillisMax)
  yield* outbox.retryLater(delivery, { delayMillis, error: error.slice(0, 2_000) })
})
