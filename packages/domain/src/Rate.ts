/**
 * Discount rates: whole per-mille, which is percent with one decimal.
 *
 * Integers, so that a rate is stored, compared and sorted exactly; 105 is 10.5 %.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { Won } from "./Won.ts"

/** The whole of something, in per-mille: 100 %. */
export const rateMax = 1_000

/** A part of something in per-mille, 0 to {@link rateMax}. */
export const Rate = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: rateMax })).pipe(Schema.brand("Rate"))
export type Rate = typeof Rate.Type

/** A percentage outside 0 to 100; `percent` is the number that did not fit, 0 where it was no number at all. */
export class RateOutOfRange extends Schema.TaggedError<RateOutOfRange>("@pillivery/domain/Rate/RateOutOfRange")(
  "RateOutOfRange",
  { percent: Schema.Finite }
) {
  override get message() {
    return `${this.percent} % is not between 0 and 100 %`
  }
}

/** Nothing off. */
export const zero = 0 as Rate

/** Takes a percentage, rounded half up to one decimal, refusing what is not between 0 and 100. */
export const fromPercent = (percent: number): Result.Result<Rate, RateOutOfRange> => {
  // Twelve digits take off what binary fractions add: 1.005 × 10 must not depend on the machine's last bit.
  const perMille = Math.floor(Number((percent * 10).toPrecision(12)) + 0.5)
  return percent >= 0 && perMille <= rateMax
    ? Result.succeed(perMille as Rate)
    : Result.fail(new RateOutOfRange({ percent: Number.isFinite(percent) ? percent : 0 }))
}

/** The rate in percent, with at most one decimal. */
export const toPercent = (self: Rate): number => self / 10

/** This part of an amount, rounded half up to whole won; never more than the amount. */
export const of = (self: Rate, amount: Won): Won => Math.floor((amount * self + rateMax / 2) / rateMax) as Won
