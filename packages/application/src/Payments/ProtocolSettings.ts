/**
 * The charging protocol's durations and counts.
 *
 * @since 0.1.0
 */
import * as BillingCalendar from "@pillivery/domain/BillingCalendar"
import * as DunningPolicy from "@pillivery/domain/DunningPolicy"
import { Context } from "effect"
import * as RetryPolicy from "../resilience/RetryPolicy.ts"

/** Every duration and count of the protocol; tests shorten them. */
export interface Settings {
  /** Who this process is, in leases; at most 64 characters. */
  readonly owner: string
  /** How long after the start of the Sent transaction a request may begin to be written. */
  readonly dispatchMillisMax: number
  /** How long a sent call may stay unanswered before others take its outcome for lost, on the database's clock. */
  readonly leaseMillis: number
  /** How long a worker of a billing run counts as alive without a sign, on the database's clock. */
  readonly workerLeaseMillis: number
  /** How long the recording of an answer is tried while the database fails. */
  readonly recordMillisMax: number
  /** When the provider is asked after a lost answer: minutes since it was lost, then again every last value. */
  readonly askAfterMinutes: ReadonlyArray<number>
  /** How long an unchanged evidence is not believed. */
  readonly graceHours: number
  /** The minute of the Korean day that must also have passed before unchanged evidence is believed. */
  readonly gracePastMinuteOfDay: number
  /** How far an approval must exceed everything known before to be another one: their times have second precision. */
  readonly marginSeconds: number
  /** The least time between the previous approval and a fresh baseline. */
  readonly baselineGapSeconds: number
  /** How far the provider's clock may differ from ours. */
  readonly clockSkewSecondsMax: number
  /** How long lookups may fail before a person must decide. */
  readonly lookupFailingDaysMax: number
  /** After a transaction's window is over, how long a customer's approval may still turn out done. */
  readonly approvalGraceMinutes: number
  /** When nothing is charged, since banks check their books. */
  readonly bankCheck: BillingCalendar.BankCheckWindow
  /** How an approval that provably was not sent is tried again while the customer waits; each try is a dispatch. */
  readonly approveRetry: RetryPolicy.Timing
  /** How long a second request waits for the outcome of the first. */
  readonly twinWaitMillisMax: number
  /** How long a refund is tried before a person must decide. */
  readonly refundTryingDays: number
  /** Dispatches of one refund, over that time, after which a person must decide. */
  readonly refundDispatchesMax: number
  readonly dunningPolicy: DunningPolicy.DunningPolicy
  /** Charges of one billing key in one Korean month, after which its cycles wait for the next; null leaves it to the provider. */
  readonly keyUsesPerMonthMax: number | null
  /** Days after the first payment on which a customer who registered no billing key is reminded; rising. */
  readonly keyReminderDays: ReadonlyArray<number>
  /** Days after the first payment on which a subscription that still has no billing key ends. */
  readonly keyWaitDaysMax: number
}

const minutesPerHour = 60

/** The defaults. */
export const settingsDefault: Settings = {
  owner: "pillivery",
  dispatchMillisMax: 15_000,
  leaseMillis: 120_000,
  workerLeaseMillis: 30_000,
  recordMillisMax: 60_000,
  askAfterMinutes: [5, minutesPerHour, 6 * minutesPerHour, 24 * minutesPerHour],
  graceHours: 12,
  gracePastMinuteOfDay: minutesPerHour,
  marginSeconds: 2,
  baselineGapSeconds: 3,
  clockSkewSecondsMax: 60,
  lookupFailingDaysMax: 3,
  approvalGraceMinutes: 40,
  bankCheck: BillingCalendar.bankCheckWindow,
  approveRetry: RetryPolicy.providerTiming,
  twinWaitMillisMax: 5_000,
  refundTryingDays: 3,
  refundDispatchesMax: 8,
  dunningPolicy: DunningPolicy.standard,
  keyUsesPerMonthMax: null,
  keyReminderDays: [3, 7, 12],
  keyWaitDaysMax: 14
}

/** The settings in force; the defaults unless a composition root provides others. */
export const ProtocolSettings = Context.Reference<Settings>("@pillivery/application/Payments/ProtocolSettings", {
  defaultValue: () => settingsDefault
})
