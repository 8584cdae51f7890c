/**
 * Telling customers some days ahead that a renewal will be charged.
 *
 * @since 0.1.0
 */
import * as BusinessDate from "@pillivery/domain/BusinessDate"
import * as DomainEvent from "@pillivery/domain/DomainEvent"
import type { SubscriptionId } from "@pillivery/domain/Ids"
import { Effect } from "effect"
import { BillingLedger, type CycleKey } from "../ports/BillingLedger.ts"
import { BusinessClock } from "../ports/BusinessClock.ts"
import { Outbox } from "../ports/Outbox.ts"
import { planCharge } from "./PlanCharge.ts"

/** How many days before it is due a renewal is announced. */
export const announcedDays = 3
/** Cycles read at a time. */
export const pageSize = 200
/** Pages read in one pass. */
export const pagesMax = 10_000
/** Cycles planned at once. */
const plansAtOnce = 16

/**
 * Announces every renewal that will be charged from tomorrow to {@link announcedDays} days from now; answers how many there are.
 *
 * **Details**
 *
 * The cycle and its day make the event's id: repeating this says nothing twice, and a delivery that was moved is announced
 * again. A cycle that would not be charged, since its billing key or its item is gone, is not announced.
 */
export const announceCharges = Effect.fn("announceCharges")(function* () {
  const ledger = yield* BillingLedger
  const outbox = yield* Outbox
  const now = yield* (yield* BusinessClock).now
  const today = BusinessDate.fromInstant(now)
  const until = BusinessDate.addDays(today, announcedDays)

  const announcementOf = Effect.fnUntraced(function* (key: CycleKey) {
    const plan = yield* planCharge(key, until, today)
    if (plan._tag !== "Charge" || plan.cycle.nextAttemptOn <= today) return []
    const { amount, cycle, subscription } = plan
    return [
      new DomainEvent.ChargeUpcoming({
        eventId: DomainEvent.eventId(causeOf(subscription.id, cycle.number, cycle.nextAttemptOn), "ChargeUpcoming"),
        at: now,
        subscriptionId: subscription.id,
        cycleNumber: cycle.number,
        userId: subscription.userId,
        on: cycle.nextAttemptOn,
        amount
      })
    ]
  })

  const announcementOrNone = (key: CycleKey) =>
    announcementOf(key).pipe(
      Effect.catchCause((cause) =>
        Effect.logError("A renewal could not be announced", cause).pipe(
          Effect.annotateLogs({ subscriptionId: key.subscriptionId, number: key.number }),
          Effect.as([])
        )
      )
    )

  let announced = 0
  let after: CycleKey | null = null
  for (let page = 0; page < pagesMax; page++) {
    const keys: ReadonlyArray<CycleKey> = yield* ledger.listDue({ date: until, step: 0, after, limit: pageSize })
    const events = (yield* Effect.forEach(keys, announcementOrNone, { concurrency: plansAtOnce })).flat()
    yield* outbox.publish(events)
    announced += events.length
    if (keys.length < pageSize) break
    after = keys.at(-1) ?? null
  }
  return announced
})

const causeOf = (id: SubscriptionId, number: number, on: BusinessDate.BusinessDate) => `${id}/${number}/${on}`
