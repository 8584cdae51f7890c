/**
 * Which dates a subscription is billed on.
 *
 * A subscription has a grid: its anchor date and every `period` days after it. A late charge never moves the grid, and
 * dates that passed while nothing could be charged are skipped, never bunched together. Everything here is a date in
 * Korea and a plain function of dates: what a run takes, what comes next, and what a command of the owner moves.
 *
 * @since 0.1.0
 */
import type * as DateTime from "effect/DateTime"
import * as BusinessDate from "./BusinessDate.ts"
import type { DeliveryPeriod } from "./DeliveryPeriod.ts"

/** The most passed grid dates told at once; older ones are left out. */
export const passedDatesMax = 400

/** The n-th date of a grid: the anchor is the 0th, each next one is `period` days later. */
export const gridDateAt = (
  anchor: BusinessDate.BusinessDate,
  period: DeliveryPeriod,
  n: number
): BusinessDate.BusinessDate => BusinessDate.addDays(anchor, n * period)

/** Whether a run for `on` takes a cycle: its date has come, and it had no definite answer on that date. */
export const isDueOn = (
  cycle: {
    readonly nextAttemptOn: BusinessDate.BusinessDate
    readonly answeredOn: BusinessDate.BusinessDate | null
  },
  on: BusinessDate.BusinessDate
): boolean => cycle.nextAttemptOn <= on && cycle.answeredOn !== on

/** A date of the grid, and the dates of the grid that are left behind by going on there. */
export interface NextGridDate {
  readonly gridDate: BusinessDate.BusinessDate
  readonly passed: ReadonlyArray<BusinessDate.BusinessDate>
}

/** The first date of the grid after `gridDate` that is not before `earliest`, and the ones passed over. */
const firstFrom = (
  gridDate: BusinessDate.BusinessDate,
  period: DeliveryPeriod,
  earliest: BusinessDate.BusinessDate
): NextGridDate => {
  const steps = Math.max(1, Math.ceil(BusinessDate.daysUntil(gridDate, earliest) / period))
  const passed: Array<BusinessDate.BusinessDate> = []
  for (let step = Math.max(1, steps - passedDatesMax); step < steps; step++) {
    passed.push(BusinessDate.addDays(gridDate, step * period))
  }
  return { gridDate: BusinessDate.addDays(gridDate, steps * period), passed }
}

/**
 * Where the cycle after the one of `gridDate` lies: the first grid date that is later than `today` and leaves at least
 * half a period since the charge. The grid dates before it have passed and are never made up for.
 */
export const nextGridDate = (options: {
  readonly gridDate: BusinessDate.BusinessDate
  readonly period: DeliveryPeriod
  /** The later of the run's date and today in Korea. */
  readonly today: BusinessDate.BusinessDate
  /** When this cycle was charged; null when it was not. */
  readonly chargedOn: BusinessDate.BusinessDate | null
}): NextGridDate => {
  const tomorrow = BusinessDate.addDays(options.today, 1)
  return firstFrom(
    options.gridDate,
    options.period,
    options.chargedOn === null
      ? tomorrow
      : BusinessDate.max(tomorrow, BusinessDate.addDays(options.chargedOn, Math.ceil(options.period / 2)))
  )
}

/** The grid dates after `gridDate` up to and with `on`: what was missed when nothing could be charged until then. */
export const missedDates = (
  gridDate: BusinessDate.BusinessDate,
  period: DeliveryPeriod,
  on: BusinessDate.BusinessDate
): ReadonlyArray<BusinessDate.BusinessDate> => firstFrom(gridDate, period, BusinessDate.addDays(on, 1)).passed

/** Where the open cycle goes on when its subscription is resumed: its own date if that lies ahead, else the next one. */
export const resumedGridDate = (options: {
  readonly gridDate: BusinessDate.BusinessDate
  readonly period: DeliveryPeriod
  readonly today: BusinessDate.BusinessDate
}): NextGridDate =>
  options.gridDate > options.today
    ? { gridDate: options.gridDate, passed: [] }
    : nextGridDate({ ...options, chargedOn: null })

/**
 * Where the open cycle goes when the period changes: a new period after the last paid due date, but never before tomorrow,
 * and half a new period or more after the delivery before it, so that none are bunched and none comes back that was skipped.
 */
export const rescheduledGridDate = (options: {
  readonly lastPaidDueDate: BusinessDate.BusinessDate
  /** When the delivery before it was charged, or its grid date where it was left out; null where there was none. */
  readonly previousOn: BusinessDate.BusinessDate | null
  /** The new period. */
  readonly period: DeliveryPeriod
  readonly today: BusinessDate.BusinessDate
}): BusinessDate.BusinessDate =>
  [
    BusinessDate.addDays(options.today, 1),
    ...(options.previousOn === null ? [] : [BusinessDate.addDays(options.previousOn, Math.ceil(options.period / 2))])
  ].reduce(BusinessDate.max, BusinessDate.addDays(options.lastPaidDueDate, options.period))

/** Where the owner's postponing moves a due date, by a whole number of days from it, or from today where it has passed. */
export const postponedDueDate = (options: {
  readonly dueDate: BusinessDate.BusinessDate
  readonly days: number
  readonly today: BusinessDate.BusinessDate
}): BusinessDate.BusinessDate => BusinessDate.addDays(BusinessDate.max(options.dueDate, options.today), options.days)

/** When a cycle that waited is tried with a new billing key: today, or tomorrow when today had a definite answer. */
export const attemptWithNewKeyOn = (options: {
  readonly dueDate: BusinessDate.BusinessDate
  readonly answeredOn: BusinessDate.BusinessDate | null
  readonly today: BusinessDate.BusinessDate
}): BusinessDate.BusinessDate =>
  BusinessDate.max(
    options.answeredOn === options.today ? BusinessDate.addDays(options.today, 1) : options.today,
    options.dueDate
  )

/** When a key whose uses of the month are spent is tried again: on the first of the next month. */
export const blockedUntil = (declinedOn: BusinessDate.BusinessDate): BusinessDate.BusinessDate =>
  BusinessDate.firstOfNextMonth(declinedOn)

/** Minutes of the Korean day between which nothing is charged, since banks check their books; it may span midnight. */
export interface BankCheckWindow {
  /** The first minute of the day, 0 to 1439, at which it is closed. */
  readonly fromMinute: number
  /** The first minute of the day, 0 to 1439, at which it is open again. */
  readonly untilMinute: number
}

/** 23:20 to 00:45. */
export const bankCheckWindow: BankCheckWindow = { fromMinute: 23 * 60 + 20, untilMinute: 45 }

/** Whether an instant lies in the window, in which no charge is sent. */
export const isBankCheck = (at: DateTime.Utc, window: BankCheckWindow): boolean => {
  const minute = BusinessDate.minuteOfDay(at)
  return window.fromMinute <= window.untilMinute
    ? minute >= window.fromMinute && minute < window.untilMinute
    : minute >= window.fromMinute || minute < window.untilMinute
}
