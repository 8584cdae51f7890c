/**
 * What the provider's evidence says about a lost answer, and when to ask for it.
 *
 * Evidence compares the provider with itself, never with our clock: a charge with a billing key happened exactly when the
 * key's last approval moved past everything we knew when we sent it.
 *
 * @since 0.1.0
 */
import type * as Attempt from "@pillivery/domain/Attempt"
import type * as BillingKey from "@pillivery/domain/BillingKey"
import * as BusinessDate from "@pillivery/domain/BusinessDate"
import type * as Refund from "@pillivery/domain/Refund"
import { DateTime } from "effect"
import type { Settings } from "./ProtocolSettings.ts"

const minutesPerDay = 1_440
const millisPerMinute = 60_000
const millisPerSecond = 1_000

/** When to ask after the answer was lost, given how often it was asked. */
export const nextAskAt = (settings: Settings, lostAt: DateTime.Utc, asks: number, now: DateTime.Utc): DateTime.Utc => {
  const steps = settings.askAfterMinutes
  const last = steps[steps.length - 1] ?? 0
  const minutes = asks < steps.length ? (steps[asks] ?? last) : last * (asks - steps.length + 2)
  const scheduled = DateTime.add(lostAt, { minutes })
  return scheduled.epochMilliseconds > now.epochMilliseconds
    ? scheduled
    : DateTime.add(now, { minutes: Math.min(last, steps[0] ?? last) })
}

/** An answer that is lost, or still unknown after it was asked about `at`, and when to ask for it next. */
export const lost = (
  settings: Settings,
  self: Attempt.Attempt | Refund.Refund,
  at: DateTime.Utc,
  detail: string
): { readonly _tag: "Lost"; readonly nextAskAt: DateTime.Utc; readonly detail: string } => {
  const [lostAt, asks] = self._tag === "Unknown" ? [self.unknownSince, self.asks + 1] : [at, 0]
  return { _tag: "Lost", detail, nextAskAt: nextAskAt(settings, lostAt, asks, at) }
}

/** From when unchanged evidence is believed: the grace hours, and past the next bank check night. */
export const believedFrom = (settings: Settings, sentAt: DateTime.Utc): DateTime.Utc => {
  const graceEnd = sentAt.epochMilliseconds + settings.graceHours * 60 * millisPerMinute
  const sentOn = BusinessDate.fromInstant(sentAt)
  const sameDay = BusinessDate.instantAt(sentOn, settings.gracePastMinuteOfDay)
  const night =
    sameDay.epochMilliseconds > sentAt.epochMilliseconds
      ? sameDay
      : BusinessDate.instantAt(BusinessDate.addDays(sentOn, 1), settings.gracePastMinuteOfDay)
  return DateTime.makeUnsafe(Math.max(graceEnd, night.epochMilliseconds))
}

/** Whether the key's last approval proves that this attempt was executed. */
export const wasExecuted = (
  settings: Settings,
  attempt: Pick<Attempt.Sent, "baseline">,
  key: Pick<BillingKey.BillingKey, "lastKnownApproval">,
  lastApprovedAt: DateTime.Utc | null
): boolean => {
  if (lastApprovedAt === null) return false
  const baseline = attempt.baseline?.epochMilliseconds ?? null
  const others = key.lastKnownApproval?.epochMilliseconds ?? null
  if (baseline === null && others === null) return true
  const known = Math.max(baseline ?? 0, others ?? 0)
  return lastApprovedAt.epochMilliseconds - known >= settings.marginSeconds * millisPerSecond
}

/**
 * Whether the provider shows an approval of the key that our books do not explain. Where they know none, the first one
 * shown is where comparing begins.
 */
export const isUnexplained = (
  settings: Settings,
  key: Pick<BillingKey.BillingKey, "lastKnownApproval">,
  lastApprovedAt: DateTime.Utc | null
): boolean =>
  lastApprovedAt !== null &&
  key.lastKnownApproval !== null &&
  lastApprovedAt.epochMilliseconds - key.lastKnownApproval.epochMilliseconds >= settings.marginSeconds * millisPerSecond

/**
 * Whether an approval of another attempt, later than everything that was known when this one was sent, may hide what became
 * of it: the provider tells only of a key's last approval.
 */
export const mayBeHidden = (
  settings: Settings,
  attempt: Pick<Attempt.Sent, "baseline">,
  key: Pick<BillingKey.BillingKey, "lastKnownApproval">
): boolean =>
  key.lastKnownApproval !== null &&
  (attempt.baseline === null ||
    key.lastKnownApproval.epochMilliseconds - attempt.baseline.epochMilliseconds >=
      settings.marginSeconds * millisPerSecond)

/** The later of two approvals; null where neither is known. */
export const laterOf = (one: DateTime.Utc | null, other: DateTime.Utc | null): DateTime.Utc | null => {
  if (one === null || other === null) return one ?? other
  return one.epochMilliseconds < other.epochMilliseconds ? other : one
}

/** How often the provider is asked about a lost answer within some days. */
export const asksWithin = (settings: Settings, days: number): number => {
  const steps = settings.askAfterMinutes
  const last = Math.max(1, steps[steps.length - 1] ?? 1)
  const minutes = days * minutesPerDay
  const later = Math.ceil(Math.max(0, minutes - last) / last) - 1
  return steps.filter((step) => step < minutes).length + Math.max(0, later)
}

/**
 * Whether the key may have been approved so lately that a charge now could bear the same second; the provider's clock
 * may differ from ours by `clockSkewSecondsMax`.
 */
export const mayBeJustApproved = (
  settings: Settings,
  lastKnownApproval: DateTime.Utc | null,
  now: DateTime.Utc
): boolean =>
  lastKnownApproval !== null &&
  now.epochMilliseconds - lastKnownApproval.epochMilliseconds <
    (settings.baselineGapSeconds + settings.clockSkewSecondsMax) * millisPerSecond
