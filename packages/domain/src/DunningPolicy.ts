/**
 * What happens when a renewal is declined: a value, not code.
 *
 * Day 0 is the date of the first definite decline; the ladder names the days after it on which the charge is tried
 * again. When no day is left the final action ends the cycle.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as BusinessDate from "./BusinessDate.ts"

/** The most rungs a ladder may have. */
export const ladderLengthMax = 10

/** The latest day a ladder may name, in days after the first decline; every period is longer. */
export const ladderDayMax = 28

/** What ends a cycle that could not be charged. */
export const FinalAction = Schema.Literals(["cancel", "pause", "skip"])
export type FinalAction = typeof FinalAction.Type

/** The days after the first decline on which to try again, rising, and what to do when all failed. */
export const DunningPolicy = Schema.Struct({
  ladderDays: Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: ladderDayMax }))).check(
    Schema.isMinLength(1),
    Schema.isMaxLength(ladderLengthMax),
    Schema.makeFilter((days: ReadonlyArray<number>) => days.every((day, i) => day > (days[i - 1] ?? 0)), {
      expected: "rising days"
    })
  ),
  finalAction: FinalAction
})
export type DunningPolicy = typeof DunningPolicy.Type

/** Days 1, 3 and 5, then cancel. */
export const standard: DunningPolicy = { ladderDays: [1, 3, 5], finalAction: "cancel" }

/** The next day of the ladder after `on`, and which rung it is (1 is the first retry); null when none is left. */
export const nextRetry = (
  self: DunningPolicy,
  ladderStart: BusinessDate.BusinessDate,
  on: BusinessDate.BusinessDate
): { readonly on: BusinessDate.BusinessDate; readonly step: number } | null => {
  for (const [index, days] of self.ladderDays.entries()) {
    const date = BusinessDate.addDays(ladderStart, days)
    if (date > on) return { on: date, step: index + 1 }
  }
  return null
}

/** The ladder's last day, on which a cycle that waits for a new billing key is given up. */
export const lastDay = (self: DunningPolicy, ladderStart: BusinessDate.BusinessDate): BusinessDate.BusinessDate =>
  BusinessDate.addDays(ladderStart, Math.max(...self.ladderDays))
