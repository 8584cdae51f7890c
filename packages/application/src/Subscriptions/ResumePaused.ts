/**
 * Ending the pauses whose day has come.
 *
 * @since 0.1.0
 */
import * as BusinessDate from "@pillivery/domain/BusinessDate"
import type { SubscriptionId } from "@pillivery/domain/Ids"
import { Effect, Option } from "effect"
import { BusinessClock } from "../ports/BusinessClock.ts"
import { SubscriptionRepository } from "../ports/SubscriptionRepository.ts"
import { resumeSubscription } from "./ChangeSubscription.ts"

/** Subscriptions taken at a time. */
export const batchSize = 100
/** Batches of one pass at most; what is left waits for the next. */
export const batchesMax = 1_000

/** Ends every pause that ends today or before; answers how many. It may run on every server at once. */
export const resumePaused = Effect.fn("resumePaused")(function* () {
  const subscriptions = yield* SubscriptionRepository
  const on = BusinessDate.fromInstant(yield* (yield* BusinessClock).now)
  const seen = new Set<SubscriptionId>()
  let resumed = 0
  for (let batch = 0; batch < batchesMax; batch++) {
    const fresh = (yield* subscriptions.listToResume(on, batchSize)).filter((id) => !seen.has(id))
    if (fresh.length === 0) break
    for (const id of fresh) {
      seen.add(id)
      if (yield* resumeOne(id, on)) resumed++
    }
  }
  return resumed
})

// One that cannot be resumed keeps nobody else waiting; one whose pause was ended or moved meanwhile is left as it is.
const resumeOne = (id: SubscriptionId, on: BusinessDate.BusinessDate) =>
  Effect.gen(function* () {
    const found = Option.getOrNull(yield* (yield* SubscriptionRepository).findById(id))
    if (found === null) return false
    yield* resumeSubscription({ subscriptionId: id, userId: found.userId, endedBy: on })
    return true
  }).pipe(
    Effect.catchTag("SubscriptionTransitionDenied", () => Effect.succeed(false)),
    Effect.catchCause((cause) =>
      Effect.logError("A pause could not be ended", cause).pipe(
        Effect.annotateLogs({ subscriptionId: id }),
        Effect.as(false)
      )
    )
  )
