/**
 * Which dates a subscription is billed on.
 *
 * A subscription has a grid: its anchor date and every `period` days after it. A late charge never moves the grid, and
 * dates that passed while nothing could be charged are skipped, never bunched together.
 *
 * @since 0.1.0
 */
import * as BusinessDate from "./BusinessDate.ts"
import type { DeliveryPeriod } from "./DeliveryPeriod.ts"

/** The next grid date after a cycle, and the grid dates that passed before it. */
export interface NextGridDate {
  readonly gridDate: BusinessDate.BusinessDate
  readonly passed: ReadonlyArray<BusinessDate.BusinessDate>
}

/** The most passed grid dates recorded at once; older ones are left out. */
export const passedDatesMax = 400

/**
 * The first grid date after `after` that is later than `today` and leaves at least half a period since the last charge.
 */
export const nextGridDate = (options: {
  readonly gridDate: BusinessDate.BusinessDate
  readonly period: DeliveryPeriod
  /** The later of the run's date and today in Korea. */
  readonly today: BusinessDate.BusinessDate
  /** When this cycle was charged; null when it was not. */
  readonly chargedOn: BusinessDate.BusinessDate | null
}): NextGridDate => {
  const { gridDate, period } = options
  const earliest =
    options.chargedOn === null
      ? BusinessDate.addDays(options.today, 1)
      : BusinessDate.max(
          BusinessDate.addDays(options.today, 1),
          BusinessDate.addDays(options.chargedOn, Math.ceil(period / 2))
        )
  const steps = Math.max(1, Math.ceil(BusinessDate.daysUntil(gridDate, earliest) / period))
  const passed: Array<BusinessDate.BusinessDate> = []
  for (let step = Math.max(1, steps - passedDatesMax); step < steps; step++) {
    passed.push(BusinessDate.addDays(gridDate, step * period))
  }
  return { gridDate: BusinessDate.addDays(gridDate, steps * period), passed }
}
