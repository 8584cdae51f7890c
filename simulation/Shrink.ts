/**
 * The least that still breaks a rule.
 *
 * @since 0.1.0
 */
import type { Rule } from "./Rules.ts"
import { type Options, type Outcome, quietDays, simulate } from "./Simulation.ts"
import * as BusinessDate from "@pillivery/domain/BusinessDate"

/** Simulations that may be spent on one story. */
export const simulationsMax = 40

/** Other seeds that are tried for a smaller shop, which has another history under the same one. */
export const seedsTried = 3

/** Leaves out faults, customers and days as long as the same rule still breaks, with this seed or another. */
export const shrink = (outcome: Outcome): Outcome => {
  const rule = outcome.violations[0]?.rule
  if (rule === undefined) return outcome
  let least = outcome
  let spent = 0
  const fails = (options: Options): boolean => {
    for (let other = 0; other <= seedsTried && spent < simulationsMax; other++) {
      spent++
      const next = simulate({ ...options, seed: options.seed + other })
      if (!breaks(next, rule)) continue
      least = next
      return true
    }
    return false
  }

  for (const fault of least.options.faults) {
    fails({ ...least.options, faults: least.options.faults.filter((other) => other !== fault) })
  }
  for (const part of [0.1, 0.25, 0.5, 0.75, 0.9]) {
    if (fails({ ...least.options, users: Math.max(1, Math.floor(outcome.options.users * part)) })) break
  }
  if (least.brokenOn !== null) {
    const days = BusinessDate.daysUntil(least.firstDate, least.brokenOn) + 1
    fails({ ...least.options, days: Math.min(least.options.days, days + quietDays) })
  }
  return least
}

const breaks = ({ violations }: Outcome, rule: Rule): boolean => violations.some((violation) => violation.rule === rule)
