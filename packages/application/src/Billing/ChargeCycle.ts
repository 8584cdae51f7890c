/**
 * Charging one billing cycle.
 *
 * The same path serves the billing run, the internal API and every retry. Two of them may try the same cycle at once: the
 * claim is a set of conditional updates that both must make, so one of them loses before anything is sent.
 *
 * @since 0.1.0
 */
import * as Attempt from "@pillivery/domain/Attempt"
import * as BillingCalendar from "@pillivery/domain/BillingCalendar"
import * as BillingCycle from "@pillivery/domain/BillingCycle"
import * as BillingKey from "@pillivery/domain/BillingKey"
import * as BusinessDate from "@pillivery/domain/BusinessDate"
import { AttemptId, PaymentId } from "@pillivery/domain/Ids"
import * as Payment from "@pillivery/domain/Payment"
import { PaymentStrategies, type PaymentStrategy } from "@pillivery/domain/PaymentStrategy"
import type { ProviderAnswer } from "@pillivery/domain/ProviderAnswer"
import * as Renewal from "@pillivery/domain/Renewal"
import * as SubscriptionOrder from "@pillivery/domain/SubscriptionOrder"
import { DateTime, Effect, Option } from "effect"
import { freezeKey } from "../Payments/CheckKeys.ts"
import * as Evidence from "../Payments/Evidence.ts"
import { type CallHealth, MoneyCalls } from "../Payments/MoneyCalls.ts"
import { ProtocolSettings } from "../Payments/ProtocolSettings.ts"
import { BillingKeyRepository } from "../ports/BillingKeyRepository.ts"
import { BillingLedger, type CycleKey } from "../ports/BillingLedger.ts"
import { BusinessClock } from "../ports/BusinessClock.ts"
import { IdGenerator } from "../ports/IdGenerator.ts"
import { LedgerMark } from "../ports/LedgerMark.ts"
import { PaymentRepository } from "../ports/PaymentRepository.ts"
import { type AlreadyExists, StaleWrite, type StorageError } from "../ports/StorageError.ts"
import { SubscriptionRepository } from "../ports/SubscriptionRepository.ts"
import { Transaction } from "../ports/Transaction.ts"
import { retryStale } from "../StaleRetry.ts"
import { aheadDaysMax, type ChargePlan, planCharge } from "./PlanCharge.ts"
import { findingOf, recordCharge } from "./RecordCharge.ts"
import { writeEntries } from "./WriteEntries.ts"

/** What came of trying to charge a cycle. */
export type ChargeOutcome =
  /** The attempt was sent; it says what became of it. */
  | { readonly _tag: "Sent"; readonly attempt: Attempt.Attempt }
  /** Nothing to charge now: done, not due, held by another attempt, or a rival was first. */
  | { readonly _tag: "NotDue"; readonly reason: string }
  /** Still owed; nothing was sent. `isOurs`: only people of ours can mend why. */
  | { readonly _tag: "Postponed"; readonly reason: string; readonly isOurs: boolean }
  /** The delivery cannot be made and was left out. */
  | { readonly _tag: "Skipped" }
  /** Its billing key is dead; the user was told and has until the ladder's last day to register another. */
  | { readonly _tag: "KeyLost" }
  /** Its billing key was used as often as it may be this month. */
  | { readonly _tag: "Blocked" }
  /** The ladder ended without a usable key and the final action was taken. */
  | { readonly _tag: "GivenUp" }

/** A cycle that is to be charged, as its books were read. */
export interface Planned extends Extract<ChargePlan, { readonly _tag: "Charge" }> {
  readonly cycleKey: CycleKey
  readonly strategy: PaymentStrategy
  readonly plannedAt: DateTime.Utc
}

/** A planned charge with the provider's last approval of its key, which the evidence of a lost answer is compared with. */
export interface Ready extends Planned {
  readonly baseline: DateTime.Utc | null
}

/**
 * Done first in the transaction that claims an attempt, so that both commit or neither; when it fails nothing is claimed.
 */
export type WithClaim = (attemptId: AttemptId) => Effect.Effect<void, StorageError | StaleWrite | AlreadyExists>

const claimAlone: WithClaim = () => Effect.void

/** The date a cycle is charged for, and whether it may be one that has not come. */
export interface When {
  readonly date: BusinessDate.BusinessDate
  readonly isAheadAllowed?: boolean
}

/** Charges a cycle if it is due on the date, exactly once: plans, asks and sends. */
export const chargeCycle = Effect.fn("chargeCycle")(function* (
  cycleKey: CycleKey,
  when: When,
  withClaim: WithClaim = claimAlone
) {
  const planned = yield* planCycle(cycleKey, when)
  if (planned._tag !== "Charge") return planned
  const ready = yield* askForBaseline(planned)
  return ready._tag === "Charge" ? yield* sendCharge(ready, withClaim) : ready
})

/** Decides what to do with a cycle on the date, and does what needs no charge. */
export const planCycle = Effect.fnUntraced(function* (cycleKey: CycleKey, { date, isAheadAllowed = false }: When) {
  const clock = yield* BusinessClock
  const strategies = yield* PaymentStrategies
  const settings = yield* ProtocolSettings

  const now = yield* clock.now
  const today = BusinessDate.fromInstant(now)
  if (date > (isAheadAllowed ? BusinessDate.addDays(today, aheadDaysMax) : today)) {
    return postponed("its day has not come")
  }
  const plan = yield* planCharge(cycleKey, date, today)
  if (plan._tag === "NotDue") return notDue(plan.reason)
  if (plan._tag === "GiveUp")
    return yield* changeBooks(cycleKey, isGivenUpOn(date), Renewal.giveUp, { _tag: "GivenUp" })
  if (BillingCalendar.isBankCheck(now, settings.bankCheck)) return postponed("the bank check window")
  if (plan._tag === "Postpone") return postponed(plan.reason)
  if (plan._tag === "LoseKey") return yield* changeBooks(cycleKey, hasDeadKey, Renewal.loseKey, { _tag: "KeyLost" })
  if (plan._tag === "Block") return yield* changeBooks(cycleKey, isFree, Renewal.block, { _tag: "Blocked" })
  if (plan._tag === "Skip") return yield* changeBooks(cycleKey, isFree, skipGone, { _tag: "Skipped" })
  const strategy = strategies.find(plan.key.provider)
  if (strategy === null) return postponed(`the provider ${plan.key.provider} is not configured`)
  return { ...plan, cycleKey, strategy, plannedAt: now } satisfies Planned
})

/** Reads the evidence that a charge needs from the provider. */
export const askForBaseline = Effect.fnUntraced(function* (planned: Planned) {
  const baseline = yield* readBaseline(planned)
  return baseline._tag === "Postponed" ? baseline : ({ ...planned, baseline: baseline.at } satisfies Ready)
})

/** Claims, sends and records the charge of a cycle that is ready; every row must be as it was read. */
export const sendCharge = Effect.fnUntraced(function* (ready: Ready, withClaim: WithClaim = claimAlone) {
  const { amount, baseline, cycle, cycleKey, key, quantity, strategy, subscription } = ready
  const ledger = yield* BillingLedger
  const subscriptions = yield* SubscriptionRepository
  const keys = yield* BillingKeyRepository
  const payments = yield* PaymentRepository
  const clock = yield* BusinessClock
  const calls = yield* MoneyCalls
  const ids = yield* IdGenerator
  const transaction = yield* Transaction
  const settings = yield* ProtocolSettings
  const mark = yield* LedgerMark

  const attemptId = AttemptId.make(yield* ids.next)
  const paymentId = PaymentId.make(yield* ids.next)
  const subject = new Payment.CycleSubject({ subscriptionId: subscription.id, cycleNumber: cycle.number })

  const claim = transaction
    .runShared("claim")(
      Effect.gen(function* () {
        const { databaseNow, now: sentAt } = yield* clock.times
        // Found out before anything is written, a rival who was first costs those who share the transaction nothing.
        const standing = Option.getOrNull(yield* keys.findById(key.id))
        if (standing?.version !== key.version) return null
        yield* withClaim(attemptId)
        // Permits and baselines take their time: the banks may have begun to check their books meanwhile.
        if (BillingCalendar.isBankCheck(sentAt, settings.bankCheck)) {
          return yield* new StaleWrite({ entity: "bankCheck", id: cycleKey.subscriptionId })
        }
        // Everything is read before anything is written: writes that nobody reads in between leave together.
        const existing = yield* payments.findPaymentBySubject(subject)
        const held = yield* Effect.fromResult(BillingKey.hold(key, attemptId))
        const inFlight = yield* Effect.fromResult(BillingCycle.send(cycle, attemptId, quantity))
        const touched = yield* Effect.fromResult(SubscriptionOrder.touch(subscription))
        yield* keys.update(held)
        yield* ledger.updateCycle(inFlight)
        yield* subscriptions.update(touched)
        if (!(yield* payments.takeUserSlot(key.provider, key.customerReference, attemptId))) {
          return yield* new StaleWrite({ entity: "userSlot", id: key.customerReference })
        }
        const payment = Option.getOrElse(
          existing,
          () =>
            new Payment.Payment({
              id: paymentId,
              userId: subscription.userId,
              subject,
              amount,
              createdAt: sentAt
            })
        )
        if (Option.isNone(existing)) yield* payments.insertPayment(payment)
        const lease = new Attempt.Lease({
          owner: settings.owner,
          epoch: 1,
          expiresAt: DateTime.add(databaseNow, { milliseconds: settings.leaseMillis })
        })
        const prepared = new Attempt.Prepared({
          id: attemptId,
          paymentId: payment.id,
          purpose: new Attempt.ForCycle({
            subscriptionId: subscription.id,
            cycleNumber: cycle.number,
            userId: subscription.userId,
            billingKeyId: key.id,
            billingKey: key.billingKey,
            step: cycle.step
          }),
          provider: key.provider,
          merchantAccount: key.merchantAccount,
          customerReference: key.customerReference,
          amount,
          itemName: [...subscription.itemName].slice(0, 100).join(""),
          quantity,
          createdAt: sentAt,
          version: 0,
          lease
        })
        const sent = yield* Effect.fromResult(
          Attempt.send(prepared, { at: sentAt, lease, baseline, approvalToken: null })
        )
        yield* payments.insertAttempt(sent)
        return { attempt: sent, cycle: stored(inFlight), subscription: stored(touched), key: stored(held) }
      })
    )
    .pipe(
      Effect.flatMap((claimed) =>
        claimed === null ? Effect.fail(new StaleWrite({ entity: "billing key", id: key.id })) : Effect.succeed(claimed)
      ),
      Effect.tap(() => Effect.sync(() => mark.note(attemptId)))
    )

  return yield* calls
    .dispatch({
      claim,
      call: ({ attempt: sent }, dispatchBefore) =>
        strategy.charge({
          attemptId,
          merchantAccount: sent.merchantAccount,
          customerReference: sent.customerReference,
          billingKey: key.billingKey,
          itemName: sent.itemName,
          quantity: sent.quantity,
          amount: sent.amount,
          dispatchBefore
        }),
      health: healthOf,
      record: (books, answer) => recordCharge(attemptId, findingOf(answer), books),
      recordUnsent: recordUnsent(attemptId)
    })
    .pipe(
      Effect.map((attempt): ChargeOutcome => ({ _tag: "Sent", attempt })),
      Effect.catchTags({
        CircuitOpen: () => Effect.succeed(postponed("the provider's path is cut off")),
        BulkheadFull: () => Effect.succeed(postponed("too many calls are waiting")),
        StaleWrite: () => Effect.succeed(postponed("another writer was first")),
        AlreadyExists: () => Effect.succeed(postponed("another writer was first")),
        AttemptTransitionDenied: Effect.die,
        BillingKeyTransitionDenied: Effect.die,
        CycleTransitionDenied: Effect.die,
        SubscriptionTransitionDenied: Effect.die
      })
    )
})

// The row as an update left it: a version further than it was read.
const stored = <A extends { readonly version: number }>(row: A): A =>
  Object.assign(Object.create(Object.getPrototypeOf(row)), row, { version: row.version + 1 })

/** What an answer to a money call tells the breaker: only silence and outages count against the provider. */
export const healthOf = (answer: ProviderAnswer): CallHealth => {
  switch (answer._tag) {
    case "Approved":
    case "Declined":
    case "NotYet":
    case "Expired":
      return "success"
    case "NotExecuted":
      return answer.why === "ours" ? "ignored" : "failure"
    case "Unknown":
      return "failure"
  }
}

const notDue = (reason: string): ChargeOutcome => ({ _tag: "NotDue", reason })
const postponed = (reason: string, isOurs = false) => ({ _tag: "Postponed" as const, reason, isOurs })

const recordUnsent = (attemptId: AttemptId) =>
  Effect.gen(function* () {
    const found = yield* (yield* PaymentRepository).findAttempt(attemptId)
    if (Option.isNone(found)) return
    yield* recordCharge(attemptId, {
      _tag: "NotExecuted",
      why: "local",
      detail: "nothing was sent"
    })
  })

// The baseline the evidence will be compared with, read from the provider just before sending: an approval that our books
// do not explain would otherwise be taken for this charge. The provider's times have second precision and its clock is
// not ours, so a key that was approved a moment ago is left alone for some seconds first.
const readBaseline = Effect.fnUntraced(function* ({ key, plannedAt, strategy }: Planned) {
  const calls = yield* MoneyCalls
  const settings = yield* ProtocolSettings
  if (Evidence.mayBeJustApproved(settings, key.lastKnownApproval, plannedAt)) {
    yield* Effect.sleep(settings.baselineGapSeconds * 1_000)
  }
  const answer = yield* calls
    .lookup(
      (found) => (found._tag === "LookupFailed" && !found.isOurFault ? "failure" : "success"),
      strategy.lookupBillingKey({ merchantAccount: key.merchantAccount, billingKey: key.billingKey })
    )
    .pipe(Effect.catch((refused) => Effect.succeed({ _tag: "Refused" as const, detail: refused.message })))
  switch (answer._tag) {
    case "BillingKeyFound": {
      if (Evidence.isUnexplained(settings, key, answer.lastApprovedAt)) {
        yield* freezeKey(key)
        return postponed("the provider shows an approval we cannot explain; its billing key is frozen")
      }
      // A lookup may be behind what we know.
      return { _tag: "Baseline" as const, at: Evidence.laterOf(answer.lastApprovedAt, key.lastKnownApproval) }
    }
    // A key the provider denies is charged all the same: the charge's own answer is the definite one.
    case "BillingKeyMissing":
      return { _tag: "Baseline" as const, at: key.lastKnownApproval }
    case "LookupFailed":
      return postponed(`its baseline could not be read: ${answer.detail}`, answer.isOurFault)
    case "Refused":
      return postponed(`its baseline could not be read: ${answer.detail}`)
  }
})

const readBooks = Effect.fnUntraced(function* (cycleKey: CycleKey) {
  const ledger = yield* BillingLedger
  const subscriptions = yield* SubscriptionRepository
  const keys = yield* BillingKeyRepository
  const cycle = yield* ledger.findCycle(cycleKey)
  const subscription = yield* subscriptions.findById(cycleKey.subscriptionId)
  if (Option.isNone(cycle) || Option.isNone(subscription) || !SubscriptionOrder.isChargeable(subscription.value)) {
    return null
  }
  const key = yield* keys.findById(subscription.value.billingKeyId)
  return Option.isNone(key) ? null : { cycle: cycle.value, subscription: subscription.value, key: key.value }
})

// What needs no provider: decided anew on fresh rows, in one transaction.
const changeBooks = Effect.fnUntraced(function* (
  cycleKey: CycleKey,
  holds: (books: ReadBooks) => boolean,
  decide: typeof Renewal.giveUp,
  outcome: ChargeOutcome
) {
  const transaction = yield* Transaction
  const clock = yield* BusinessClock
  const settings = yield* ProtocolSettings
  return yield* retryStale(
    transaction.run(
      Effect.gen(function* () {
        const at = yield* clock.now
        const books = yield* readBooks(cycleKey)
        if (books === null || !holds(books)) return notDue("its books changed")
        const entries = decide(books, { at, policy: settings.dunningPolicy })
        if (entries._tag === "Failure") return notDue(entries.failure.message)
        yield* writeEntries(entries.success)
        return outcome
      })
    )
  )
})

const skipGone: typeof Renewal.giveUp = (books, context) => Renewal.skip(books, "itemGone", context)

type ReadBooks = Parameters<typeof Renewal.giveUp>[0]

const isGivenUpOn =
  (date: BusinessDate.BusinessDate) =>
  ({ cycle }: ReadBooks): boolean =>
    cycle._tag === "AwaitingKey" && cycle.nextAttemptOn !== null && cycle.nextAttemptOn <= date

const isFree = ({ cycle }: ReadBooks): boolean => BillingCycle.isChargeable(cycle) && cycle.openAttempt === null

const hasDeadKey = (books: ReadBooks): boolean =>
  isFree(books) && (books.key._tag === "Revoked" || books.key._tag === "Retiring" || books.key._tag === "Retired")
