/**
 * Subscriptions whose first payment gave no billing key: their customers are reminded to register one, and in the end they
 * are cancelled.
 *
 * @since 0.1.0
 */
import * as BusinessDate from "@pillivery/domain/BusinessDate"
import * as DomainEvent from "@pillivery/domain/DomainEvent"
import { DateTime, Effect, Option } from "effect"
import { ProtocolSettings } from "../Payments/ProtocolSettings.ts"
import { BusinessClock } from "../ports/BusinessClock.ts"
import { Outbox } from "../ports/Outbox.ts"
import { SubscriptionRepository, type Waiting } from "../ports/SubscriptionRepository.ts"
import { cancelSubscription } from "./CancelSubscription.ts"

/** Subscriptions taken at a time. */
export const batchSize = 100
/** Batches of one pass at most; what is left waits for the next. */
export const batchesMax = 1_000

/** What a pass did. */
export interface AwaitedKeys {
  /** Subscriptions whose latest reminder is due or out. */
  readonly reminded: number
  readonly cancelled: number
}

/** Reminds and ends what is due today; it may run on every server at once, and again at any time. */
export const awaitKeys = Effect.fn("awaitKeys")(function* () {
  const subscriptions = yield* SubscriptionRepository
  const settings = yield* ProtocolSettings
  const now = yield* (yield* BusinessClock).now
  const [firstDay = settings.keyWaitDaysMax] = settings.keyReminderDays
  const today = BusinessDate.fromInstant(now)
  // Whoever began before the end of that day has waited for as many calendar days.
  const until = DateTime.subtract(
    BusinessDate.instantAt(BusinessDate.addDays(today, 1 - Math.min(firstDay, settings.keyWaitDaysMax))),
    { milliseconds: 1 }
  )
  const counts = { reminded: 0, cancelled: 0, none: 0 }
  let after: Waiting | null = null
  for (let batch = 0; batch < batchesMax; batch++) {
    const page: ReadonlyArray<Waiting> = yield* subscriptions.listAwaitingKey({ until, after, limit: batchSize })
    for (const waiting of page) {
      yield* attend(waiting, today, now).pipe(
        Effect.tap((done) => Effect.sync(() => counts[done]++)),
        Effect.catchCause((cause) =>
          Effect.logError("A subscription without a billing key could not be attended to", cause).pipe(
            Effect.annotateLogs({ subscriptionId: waiting.id })
          )
        )
      )
    }
    if (page.length < batchSize) break
    after = page.at(-1) ?? null
  }
  const { cancelled, reminded } = counts
  return { reminded, cancelled } satisfies AwaitedKeys
})

const attend = Effect.fnUntraced(function* (waiting: Waiting, today: BusinessDate.BusinessDate, now: DateTime.Utc) {
  const { keyReminderDays, keyWaitDaysMax } = yield* ProtocolSettings
  const found = Option.getOrNull(yield* (yield* SubscriptionRepository).findById(waiting.id))
  if (found?._tag !== "AwaitingBillingKey") return "none" as const
  const began = BusinessDate.fromInstant(waiting.createdAt)
  const isOver = (days: number): boolean => BusinessDate.addDays(began, days) <= today
  if (isOver(keyWaitDaysMax)) {
    const ended = yield* cancelSubscription({
      subscriptionId: found.id,
      userId: found.userId,
      reason: "noBillingKey",
      onlyFrom: "AwaitingBillingKey"
    })
    return ended.subscription._tag === "Cancelled" ? ("cancelled" as const) : ("none" as const)
  }
  const day = keyReminderDays.findLast(isOver)
  if (day === undefined) return "none" as const
  // Its day is in the event's id: it is published once, however often this runs.
  yield* (yield* Outbox).publish([
    new DomainEvent.BillingKeyRegistrationRequested({
      eventId: DomainEvent.eventId(`${found.id}/${day}`, "BillingKeyRegistrationRequested"),
      at: now,
      subscriptionId: found.id,
      userId: found.userId
    })
  ])
  return "reminded" as const
})
