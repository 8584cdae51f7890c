/**
 * Comparing every billing key with its provider, once a day.
 *
 * A charge compares its key just before it is sent. A key that is not charged for weeks may still have been: by a commit
 * that came hours after its answer was lost, by a backup that was restored, by a hand. The sweep finds that within a day,
 * and freezes the key before money moves on a wrong picture.
 *
 * @since 0.1.0
 */
import * as BillingKey from "@pillivery/domain/BillingKey"
import * as BusinessDate from "@pillivery/domain/BusinessDate"
import * as DomainEvent from "@pillivery/domain/DomainEvent"
import type { BillingKeyId } from "@pillivery/domain/Ids"
import { PaymentStrategies } from "@pillivery/domain/PaymentStrategy"
import { Clock, Effect, Option } from "effect"
import { BillingKeyRepository, type Unchecked } from "../ports/BillingKeyRepository.ts"
import { BusinessClock } from "../ports/BusinessClock.ts"
import { Outbox } from "../ports/Outbox.ts"
import { Transaction } from "../ports/Transaction.ts"
import * as Evidence from "./Evidence.ts"
import { MoneyCalls } from "./MoneyCalls.ts"
import { ProtocolSettings } from "./ProtocolSettings.ts"

/** Keys taken at a time. */
export const keysPerBatch = 200
/** Batches of one sweep at most; what is left waits for the next. */
export const batchesMax = 500
/** How long one sweep goes on; what is left waits for the next, those longest without a comparison first. */
export const sweepMillisMax = 600_000
/** Lookups of a sweep at once: they leave most places to the charges. */
export const concurrency = 8

/** What a sweep found. */
export interface CheckedKeys {
  /** Keys the provider answered for. */
  readonly checked: number
  /** Of those, how many show an approval that our books do not explain. */
  readonly frozen: number
  /** Of those, how many the provider has ended. */
  readonly revoked: number
}

type Check = "asIs" | "frozen" | "revoked" | "unanswered" | "refused"

/**
 * Compares the keys whose day has come, until none is left, {@link sweepMillisMax} have passed, lookups are cut off or
 * `isOver` says so.
 *
 * **Details**
 *
 * A key that was approved today was compared by that charge. One that cannot be looked up waits for the next sweep.
 */
export const checkKeys = Effect.fn("checkKeys")(function* (isOver: Effect.Effect<boolean> = Effect.succeed(false)) {
  const keys = yield* BillingKeyRepository
  const on = BusinessDate.fromInstant(yield* (yield* BusinessClock).now)
  const approvedBefore = BusinessDate.instantAt(on)
  const found = { asIs: 0, frozen: 0, revoked: 0, unanswered: 0, refused: 0 }
  const startedAt = yield* Clock.currentTimeMillis
  const isEnough = Effect.gen(function* () {
    return (yield* isOver) || (yield* Clock.currentTimeMillis) - startedAt >= sweepMillisMax
  })
  let after: Unchecked | null = null
  for (let batch = 0; batch < batchesMax && found.refused === 0 && !(yield* isEnough); batch++) {
    const page: ReadonlyArray<Unchecked> = yield* keys.listUnchecked({ on, approvedBefore, after, limit: keysPerBatch })
    yield* Effect.forEach(
      page,
      ({ id }) =>
        Effect.flatMap(isEnough, (is) => (is ? Effect.succeed<Check>("unanswered") : checkKey(id, on))).pipe(
          Effect.tap((check) => Effect.sync(() => found[check]++)),
          Effect.catchCause((cause) =>
            Effect.logError("A billing key could not be compared", cause).pipe(
              Effect.annotateLogs({ billingKeyId: id })
            )
          )
        ),
      { concurrency, discard: true }
    )
    if (page.length < keysPerBatch) break
    after = page.at(-1) ?? null
  }
  const { asIs, frozen, revoked } = found
  return { checked: asIs + frozen + revoked, frozen, revoked } satisfies CheckedKeys
})

// The key is read before it is asked about, and written only as it was read; else it waits for the next sweep.
const checkKey = Effect.fnUntraced(function* (id: BillingKeyId, on: BusinessDate.BusinessDate) {
  const keys = yield* BillingKeyRepository
  const calls = yield* MoneyCalls
  const settings = yield* ProtocolSettings
  const key = Option.getOrNull(yield* keys.findById(id))
  if (key?._tag !== "Active" || key.inFlight !== null) return "unanswered" satisfies Check
  const strategy = (yield* PaymentStrategies).find(key.provider)
  if (strategy === null) return "unanswered" satisfies Check
  const answer = yield* calls
    .lookup(
      (found) => (found._tag === "LookupFailed" && !found.isOurFault ? "failure" : "success"),
      strategy.lookupBillingKey({ merchantAccount: key.merchantAccount, billingKey: key.billingKey })
    )
    .pipe(Effect.catch(() => Effect.succeed({ _tag: "Refused" as const })))
  const check = yield* Effect.gen(function* () {
    switch (answer._tag) {
      case "Refused":
        return "refused" satisfies Check
      case "LookupFailed":
        return "unanswered" satisfies Check
      case "BillingKeyMissing":
        return (yield* revokeKey(key)) ? ("revoked" satisfies Check) : ("unanswered" satisfies Check)
      case "BillingKeyFound":
        if (Evidence.isUnexplained(settings, key, answer.lastApprovedAt)) {
          return (yield* freezeKey(key)) ? ("frozen" satisfies Check) : ("unanswered" satisfies Check)
        }
        if (!answer.isActive) {
          return (yield* revokeKey(key)) ? ("revoked" satisfies Check) : ("unanswered" satisfies Check)
        }
        if (key.lastKnownApproval === null && answer.lastApprovedAt !== null) {
          const begun = BillingKey.rememberApproval(key, answer.lastApprovedAt)
          const isWritten = yield* Effect.as(keys.update(begun), true).pipe(
            Effect.catchTag("StaleWrite", () => Effect.succeed(false))
          )
          if (!isWritten) return "unanswered" satisfies Check
        }
        return "asIs" satisfies Check
    }
  })
  if (check !== "refused" && check !== "unanswered") yield* keys.markChecked(id, on)
  return check
})

/** Stops all charging of a key and calls a person; answers false where the key was changed since it was read. */
export const freezeKey = Effect.fnUntraced(function* (key: BillingKey.Active) {
  const frozen = yield* Effect.fromResult(BillingKey.freeze(key)).pipe(Effect.orDie) // an active key can be frozen
  return yield* writeWith(frozen, "BillingKeyFrozen")
})

// Its cycles wait for another key from the run that comes to them; its owner is told now.
const revokeKey = Effect.fnUntraced(function* (key: BillingKey.Active) {
  const revoked = yield* Effect.fromResult(BillingKey.revoke(key)).pipe(Effect.orDie) // an active key can be revoked
  return yield* writeWith(revoked, "BillingKeyRevoked")
})

const writeWith = Effect.fnUntraced(function* (
  key: BillingKey.Frozen | BillingKey.Revoked,
  event: "BillingKeyFrozen" | "BillingKeyRevoked"
) {
  const keys = yield* BillingKeyRepository
  const outbox = yield* Outbox
  const clock = yield* BusinessClock
  const transaction = yield* Transaction
  return yield* transaction
    .run(
      Effect.gen(function* () {
        yield* keys.update(key)
        yield* outbox.publish([
          new DomainEvent[event]({
            eventId: DomainEvent.eventId(`${key.id}@${key.version}`, event),
            at: yield* clock.now,
            billingKeyId: key.id,
            userId: key.userId
          })
        ])
        return true
      })
    )
    .pipe(Effect.catchTag("StaleWrite", () => Effect.succeed(false)))
})
