/**
 * What the owner of a subscription does with it: skip, postpone, pause, resume, change.
 *
 * What each command may do is decided by the domain on the rows as they are; somebody else's subscription is not there.
 * While a charge is sent or in doubt nothing changes that it depends on.
 *
 * @since 0.1.0
 */
import * as BillingCycle from "@pillivery/domain/BillingCycle"
import type { BusinessDate } from "@pillivery/domain/BusinessDate"
import type { DeliveryPeriod } from "@pillivery/domain/DeliveryPeriod"
import type { SubscriptionId, UserId } from "@pillivery/domain/Ids"
import * as OwnerCommand from "@pillivery/domain/OwnerCommand"
import type { Quantity } from "@pillivery/domain/Quantity"
import { type SubscriptionOrder, SubscriptionTransitionDenied } from "@pillivery/domain/SubscriptionOrder"
import { type DateTime, Effect, Option, Result } from "effect"
import { BillingLedger } from "../ports/BillingLedger.ts"
import { BusinessClock } from "../ports/BusinessClock.ts"
import { Outbox } from "../ports/Outbox.ts"
import { AlreadyExists, StaleWrite } from "../ports/StorageError.ts"
import { SubscriptionRepository } from "../ports/SubscriptionRepository.ts"
import { Transaction } from "../ports/Transaction.ts"
import { retryStale } from "../StaleRetry.ts"
import { SubscriptionNotFound } from "./CancelSubscription.ts"
import type { SubscriptionView } from "./Queries.ts"

/** Whose subscription. */
export interface Owned {
  readonly subscriptionId: SubscriptionId
  readonly userId: UserId
}

/** The books of a command, with the cycle before the open one. */
interface Books extends OwnerCommand.Books {
  readonly previous: BillingCycle.BillingCycle | null
}

// Whoever opened the same cycle was first.
const orStale = <A, E, R>(insert: Effect.Effect<A, E | AlreadyExists, R>) =>
  Effect.catchIf(
    insert,
    (error) => error instanceof AlreadyExists,
    ({ entity, key }) => Effect.fail(new StaleWrite({ entity, id: key }))
  )

const denied = ({ _tag, id }: SubscriptionOrder, command: string) =>
  new SubscriptionTransitionDenied({ subscriptionId: id, from: _tag, command })

// One transaction: reads the rows, has the domain decide, and writes them as they were read; a rival who was first has the
// decision made again.
const obey = <E>(
  { subscriptionId, userId }: Owned,
  name: string,
  decide: (books: Books, at: DateTime.Utc) => Result.Result<OwnerCommand.Entries, E>
) =>
  Effect.gen(function* () {
    const subscriptions = yield* SubscriptionRepository
    const ledger = yield* BillingLedger
    const clock = yield* BusinessClock
    const outbox = yield* Outbox
    const transaction = yield* Transaction
    return yield* retryStale(
      transaction.run(
        Effect.gen(function* () {
          const found = Option.getOrNull(yield* subscriptions.findById(subscriptionId))
          if (found === null || found.userId !== userId) return yield* new SubscriptionNotFound({ subscriptionId })
          const cycle = Option.getOrNull(yield* ledger.findOpenCycle(subscriptionId))
          // Only one that has ended has no open cycle.
          if (cycle === null || !BillingCycle.isOpen(cycle)) {
            return yield* denied(found, name)
          }
          const previous = Option.getOrNull(yield* ledger.findCycle({ subscriptionId, number: cycle.number - 1 }))
          const entries = yield* Effect.fromResult(decide({ subscription: found, cycle, previous }, yield* clock.now))
          // The cycle's version moves with every command, so that a charge that was planned before it is not sent.
          yield* ledger.updateCycle(entries.cycle ?? cycle)
          yield* subscriptions.update(entries.subscription)
          for (const opened of entries.opened) yield* orStale(ledger.insertCycle(opened))
          yield* outbox.publish(entries.events)
          const openCycle = [...entries.opened, entries.cycle ?? cycle].find(BillingCycle.isOpen) ?? null
          return { subscription: entries.subscription, openCycle } satisfies SubscriptionView
        })
      )
    )
  })

/** Leaves out the delivery that comes next. */
export const skipDelivery = Effect.fn("skipDelivery")((request: Owned) =>
  obey(request, "skip", (books, at) => OwnerCommand.skip(books, at))
)

/** Moves the delivery that comes next, and none after it, by whole days. */
export const postponeDelivery = Effect.fn("postponeDelivery")((request: Owned & { readonly days: number }) =>
  obey(request, "postpone", (books, at) => OwnerCommand.postpone(books, request.days, at))
)

/** Charges and delivers nothing until resumed: by hand, or on `resumeOn` where one is given. */
export const pauseSubscription = Effect.fn("pauseSubscription")(
  (request: Owned & { readonly resumeOn: BusinessDate | null }) =>
    obey(request, "pause", (books, at) => OwnerCommand.pause(books, request.resumeOn, at))
)

/** Ends a pause; with `endedBy` only one whose own day has come by then, as the rows say when it is ended. */
export const resumeSubscription = Effect.fn("resumeSubscription")(
  (request: Owned & { readonly endedBy?: BusinessDate }) =>
    obey(request, "resume", (books, at) => {
      const { subscription } = books
      const resumeOn = subscription._tag === "Paused" ? subscription.resumeOn : null
      const { endedBy } = request
      return endedBy === undefined || (resumeOn !== null && resumeOn <= endedBy)
        ? OwnerCommand.resume(books, at)
        : Result.fail(denied(subscription, "resume"))
    })
)

/** Changes how many units are delivered, how often, or both at once; what is not named stays. */
export const changeSubscription = Effect.fn("changeSubscription")(
  (request: Owned & { readonly quantity?: Quantity | undefined; readonly period?: DeliveryPeriod | undefined }) =>
    obey(request, "change", (books, at) => {
      const { period, quantity = books.subscription.quantity } = request
      return Result.flatMap(OwnerCommand.changeQuantity(books, quantity, at), (changed) =>
        period === undefined
          ? Result.succeed(changed)
          : OwnerCommand.changePeriod({ ...books, subscription: changed.subscription }, period, at)
      )
    })
)
