/**
 * The work that every server does beside answering: deliver events, send messages, expire orders, announce renewals, bring open payments to an end, fold
 * sales, add views.
 *
 * Each is safe to run on every server at once. Where two would only do the same work twice, a lock is asked for: whoever
 * does not get it leaves the work to the holder, and a lock that cannot be had at all keeps nobody from working.
 *
 * @since 0.1.0
 */
import { expireOrders } from "@pillivery/application/Checkout/ExpireOrders"
import { flushViews } from "@pillivery/application/Catalogue/Views"
import { announceCharges } from "@pillivery/application/Billing/AnnounceCharges"
import { relayOnce } from "@pillivery/application/Events/Relay"
import { activeRecipients, purgeMessages, sendTo } from "@pillivery/application/Events/SendMessages"
import { checkKeys } from "@pillivery/application/Payments/CheckKeys"
import { awaitKeys } from "@pillivery/application/Subscriptions/AwaitKeys"
import { resumePaused } from "@pillivery/application/Subscriptions/ResumePaused"
import { reconcile } from "@pillivery/application/Payments/Reconcile"
import { DistributedLock } from "@pillivery/application/ports/DistributedLock"
import { SalesLedger } from "@pillivery/application/ports/SalesLedger"
import type { Recipient } from "@pillivery/application/ports/MessageQueue"
import { type Duration, Effect, FiberMap, Layer, Schedule } from "effect"

/** The pause between two looks for events to deliver. */
export const relayEvery: Duration.Input = "250 millis"
/** The pause between two looks for unpaid orders. */
export const expireEvery: Duration.Input = "30 seconds"
/** The pause between two passes over open payments. */
export const reconcileEvery: Duration.Input = "30 seconds"
/** The pause between two looks for customers to be reminded of a billing key, and for pauses that end. */
export const awaitKeysEvery: Duration.Input = "10 minutes"
/** The pause between two folds of sales. */
export const foldEvery: Duration.Input = "30 minutes"
/** The pause between two looks for views of days that are over. */
export const flushViewsEvery: Duration.Input = "10 minutes"
/** The pause between two looks for messages to send. */
export const sendEvery: Duration.Input = "1 second"
/** The pause between two looks for renewals to announce. */
export const announceEvery: Duration.Input = "1 hour"
/** The pause between two looks for messages to forget. */
export const purgeEvery: Duration.Input = "1 hour"
/** Rows folded in one transaction. */
export const foldSize = 1_000
/** Transactions of one fold. */
export const foldRoundsMax = 1_000
/** Deliveries of one look: what is more waits for the next one. */
export const relayRoundsMax = 100

/** Folds every sale there is into the items' statistics. */
export const foldSales = Effect.fn("foldSales")(function* () {
  const sales = yield* SalesLedger
  let folded = 0
  for (let round = 0; round < foldRoundsMax; round++) {
    const count = yield* sales.fold(foldSize)
    folded += count
    if (count < foldSize) break
  }
  return folded
})

const relay = Effect.gen(function* () {
  for (let round = 0; round < relayRoundsMax; round++) if ((yield* relayOnce()) === 0) return
})

const alone = <R>(key: string, work: Effect.Effect<void, never, R>) =>
  Effect.gen(function* () {
    const lock = yield* DistributedLock
    yield* lock
      .withLock(key, { waitMillis: 0 })(work)
      .pipe(Effect.catchTag("LockUnavailable", ({ reason }) => (reason === "held" ? Effect.void : work)))
  })

// A pass that fails is told of and is no reason not to make the next one.
const pass = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<void, never, R> =>
  Effect.matchCauseEffect(effect, {
    onFailure: (cause) => Effect.logError("Background work failed", cause),
    onSuccess: () => Effect.void
  })

const forever = <R>(name: string, every: Duration.Input, work: Effect.Effect<void, never, R>) =>
  work.pipe(Effect.repeat(Schedule.spaced(every)), Effect.annotateLogs({ work: name }), Effect.forkScoped)

// One who does not answer keeps nobody else waiting: each recipient has a fiber of its own, one at a time.
const send = Effect.gen(function* () {
  const senders = yield* FiberMap.make<Recipient>()
  const start = Effect.flatMap(
    activeRecipients,
    Effect.forEach((recipient) => FiberMap.run(senders, recipient, pass(sendTo(recipient)), { onlyIfMissing: true }))
  )
  yield* forever("sendMessages", sendEvery, pass(start))
})

/** Works until the scope closes. */
export const layer = Layer.effectDiscard(
  Effect.all([
    send,
    forever("relay", relayEvery, pass(relay)),
    forever("expireOrders", expireEvery, alone("expire-orders", pass(expireOrders()))),
    forever("reconcile", reconcileEvery, alone("reconcile", pass(Effect.andThen(reconcile(), checkKeys())))),
    forever("awaitKeys", awaitKeysEvery, alone("await-keys", pass(Effect.andThen(awaitKeys(), resumePaused())))),
    forever("announceCharges", announceEvery, alone("announce-charges", pass(announceCharges()))),
    forever("purgeMessages", purgeEvery, alone("purge-messages", pass(purgeMessages()))),
    forever("foldSales", foldEvery, alone("fold-sales", pass(foldSales()))),
    forever("flushViews", flushViewsEvery, alone("flush-views", pass(flushViews())))
  ])
)
