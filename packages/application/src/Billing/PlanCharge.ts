/**
 * What a run would do with a billing cycle, decided from our books alone; nothing is written and nobody is asked.
 *
 * `chargeCycle` acts on the same decision, so that a preview of a run and the run cannot disagree about our books. What
 * the provider and the hour add is known only when it is acted upon.
 *
 * @since 0.1.0
 */
import * as BillingCycle from "@pillivery/domain/BillingCycle"
import type * as BillingKey from "@pillivery/domain/BillingKey"
import * as BusinessDate from "@pillivery/domain/BusinessDate"
import type { Quantity } from "@pillivery/domain/Quantity"
import * as SubscriptionOrder from "@pillivery/domain/SubscriptionOrder"
import type { Won } from "@pillivery/domain/Won"
import { Effect, Option, Stream } from "effect"
import { ProtocolSettings } from "../Payments/ProtocolSettings.ts"
import { BillingKeyRepository } from "../ports/BillingKeyRepository.ts"
import { BillingLedger, type CycleKey } from "../ports/BillingLedger.ts"
import { BusinessClock } from "../ports/BusinessClock.ts"
import { ItemRepository } from "../ports/ItemRepository.ts"
import { PaymentRepository } from "../ports/PaymentRepository.ts"
import type { StorageError } from "../ports/StorageError.ts"
import { SubscriptionRepository } from "../ports/SubscriptionRepository.ts"

/** Cycles read at a time. */
export const pageSize = 500
/** Pages read for one rung of the ladder at most. */
export const pagesMax = 100_000
/** Cycles planned at a time while a run is previewed. */
const plansAtOnce = 16

/** What to do with a cycle. */
export type ChargePlan =
  /** Nothing: done, not due, or held by another attempt. */
  | { readonly _tag: "NotDue"; readonly reason: string }
  /** Nothing now, though it is owed. */
  | { readonly _tag: "Postpone"; readonly reason: string }
  /** No key came until the ladder's last day: take the final action. */
  | { readonly _tag: "GiveUp" }
  /** Its billing key is dead: tell the user and wait for another. */
  | { readonly _tag: "LoseKey" }
  /** Its billing key was used as often as it may be this month: wait for the next. */
  | { readonly _tag: "Block" }
  /** Its item is gone: leave this delivery out. */
  | { readonly _tag: "Skip" }
  /** Charge `amount` won for `quantity` units. */
  | {
      readonly _tag: "Charge"
      readonly cycle: BillingCycle.Chargeable
      readonly subscription: SubscriptionOrder.Chargeable
      readonly key: BillingKey.Active
      readonly quantity: Quantity
      readonly amount: Won
    }

const notDue = (reason: string): ChargePlan => ({ _tag: "NotDue", reason })
const postpone = (reason: string): ChargePlan => ({ _tag: "Postpone", reason })

/**
 * How many days ahead a cycle may be charged when a run says so: less than half the shortest delivery period, so that
 * the delivery after it is never within the same run's reach.
 */
export const aheadDaysMax = 14

/** Decides what a run for `date` does with a cycle on the day `today`; ahead of its day it only tries for the first time. */
export const planCharge = Effect.fnUntraced(function* (
  cycleKey: CycleKey,
  date: BusinessDate.BusinessDate,
  today: BusinessDate.BusinessDate
): Effect.fn.Return<
  ChargePlan,
  StorageError,
  BillingLedger | SubscriptionRepository | BillingKeyRepository | ItemRepository | PaymentRepository
> {
  const foundCycle = yield* (yield* BillingLedger).findCycle(cycleKey)
  const foundSubscription = yield* (yield* SubscriptionRepository).findById(cycleKey.subscriptionId)
  if (Option.isNone(foundCycle) || Option.isNone(foundSubscription)) return notDue("there is no such cycle")
  const cycle = foundCycle.value
  const subscription = foundSubscription.value
  if (!SubscriptionOrder.isChargeable(subscription)) return notDue(`its subscription is ${subscription._tag}`)
  // What was sent before waits for its own day, also when it was not executed.
  if (date > today && (cycle._tag !== "Due" || !BillingCycle.isMovable(cycle))) {
    return notDue("only first attempts are made ahead of their day")
  }
  if (cycle._tag === "AwaitingKey") {
    return cycle.nextAttemptOn !== null && cycle.nextAttemptOn <= date ? { _tag: "GiveUp" } : notDue("no key")
  }
  if (!BillingCycle.isDue(cycle, date) || cycle.answeredOn === today) return notDue(`it is ${cycle._tag}`)

  const foundKey = yield* (yield* BillingKeyRepository).findById(subscription.billingKeyId)
  if (Option.isNone(foundKey)) return notDue("its billing key is missing")
  const key = foundKey.value
  if (key._tag === "Frozen" || key._tag === "Pending") return postpone(`its billing key is ${key._tag}`)
  if (key._tag !== "Active") return { _tag: "LoseKey" }
  if (key.inFlight !== null) return postpone("its billing key is held by another attempt")
  const quantity = BillingCycle.quantityOf(cycle, subscription)
  const amount = SubscriptionOrder.amountOf(subscription, quantity)
  if (amount._tag === "Failure") return postpone(amount.failure.message)
  if (Option.isNone(yield* (yield* ItemRepository).findById(subscription.itemId))) return { _tag: "Skip" }
  const { keyUsesPerMonthMax } = yield* ProtocolSettings
  if (keyUsesPerMonthMax !== null) {
    const since = BusinessDate.instantAt(BusinessDate.firstOfMonth(today))
    const uses = yield* (yield* PaymentRepository).countKeyUses({ billingKeyId: key.id, since })
    if (uses >= keyUsesPerMonthMax) {
      // Ahead of its day it only waits for that day: the uses of this month are not the next one's.
      return date > today ? notDue("its billing key was used as often as it may be this month") : { _tag: "Block" }
    }
  }
  return { _tag: "Charge", cycle, subscription, key, quantity, amount: amount.success }
})

/** One cycle that a run would take, with the ladder's rung it stands on (0 is the first try). */
export interface DueCycle extends CycleKey {
  readonly step: number
}

/** A cycle that a run would take, and what it would do with it. */
export interface PlannedCycle extends DueCycle {
  readonly plan: ChargePlan
}

/**
 * The cycles a run for `date` would take if it began now, in its order.
 *
 * **Details**
 *
 * Memory stays flat: a page is read when the one before it was consumed, at most {@link pagesMax} for each rung.
 */
export const dueCycles = (date: BusinessDate.BusinessDate): Stream.Stream<DueCycle, StorageError, BillingLedger> =>
  Stream.unwrap(
    Effect.gen(function* () {
      const ledger = yield* BillingLedger
      const { dunningPolicy } = yield* ProtocolSettings
      return Stream.range(0, dunningPolicy.ladderDays.length).pipe(
        Stream.flatMap((step) => {
          const first: Reading = { after: null, page: 1 }
          return Stream.paginate(first, ({ after, page }) =>
            Effect.map(ledger.listDue({ date, step, after, limit: pageSize }), (keys) => {
              const isLast = keys.length < pageSize || page === pagesMax
              const next: Reading = { after: keys.at(-1) ?? null, page: page + 1 }
              return [keys.map((key) => ({ ...key, step })), isLast ? Option.none() : Option.some(next)]
            })
          )
        })
      )
    })
  )

interface Reading {
  readonly after: CycleKey | null
  readonly page: number
}

/**
 * What a run for `date` would do with each cycle as our books stand, on that date or today, whichever is later.
 *
 * **Details**
 *
 * Cycles of one billing key are charged one after the other in a run, and each is planned here as if it were the first.
 */
export const previewRun = (
  date: BusinessDate.BusinessDate
): Stream.Stream<
  PlannedCycle,
  StorageError,
  BillingLedger | SubscriptionRepository | BillingKeyRepository | ItemRepository | PaymentRepository | BusinessClock
> =>
  Stream.unwrap(
    Effect.gen(function* () {
      const clock = yield* BusinessClock
      const today = BusinessDate.max(date, BusinessDate.fromInstant(yield* clock.now))
      return Stream.mapEffect(
        dueCycles(date),
        (due) => Effect.map(planCharge(due, date, today), (plan) => ({ ...due, plan })),
        { concurrency: plansAtOnce }
      )
    })
  )
