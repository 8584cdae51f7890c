/**
 * The days between two deliveries of a subscription.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

/** The shortest period, in days. */
export const periodDaysMin = 30
/** The longest period, in days. */
export const periodDaysMax = 365
/** The periods the shop offers, in days; agreements from before may have others. */
export const periodsOffered = [30, 60, 90, 120] as const

/** A whole number of days, {@link periodDaysMin} to {@link periodDaysMax}. */
export const DeliveryPeriod = Schema.Int.check(
  Schema.isBetween({ minimum: periodDaysMin, maximum: periodDaysMax })
).pipe(Schema.brand("DeliveryPeriod"))
export type DeliveryPeriod = typeof DeliveryPeriod.Type

/** Days that are not whole or not in range; `days` is the number that did not fit, 0 where it was no number at all. */
export class DeliveryPeriodOutOfRange extends Schema.TaggedError<DeliveryPeriodOutOfRange>(
  "@pillivery/domain/DeliveryPeriod/DeliveryPeriodOutOfRange"
)("DeliveryPeriodOutOfRange", { days: Schema.Finite }) {
  override get message() {
    return `${this.days} is not a whole number of ${periodDaysMin} to ${periodDaysMax} days`
  }
}

/** Takes a number of days, refusing what is not whole or not between {@link periodDaysMin} and {@link periodDaysMax}. */
export const fromDays = (days: number): Result.Result<DeliveryPeriod, DeliveryPeriodOutOfRange> =>
  Number.isInteger(days) && days >= periodDaysMin && days <= periodDaysMax
    ? Result.succeed(days as DeliveryPeriod)
    : Result.fail(new DeliveryPeriodOutOfRange({ days: Number.isFinite(days) ? days : 0 }))

/** Whether it is one of {@link periodsOffered}. */
export const isOffered = (self: DeliveryPeriod): boolean => periodsOffered.some((days) => days === self)
