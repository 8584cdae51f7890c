/**
 * The days between two deliveries of a subscription.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/** The shortest period, in days. */
export const periodDaysMin = 30
/** The longest period, in days. */
export const periodDaysMax = 365
/** The periods the shop offers, in days. */
export const periodsOffered = [30, 60, 90, 120] as const

/** A whole number of days, {@link periodDaysMin} to {@link periodDaysMax}. */
export const DeliveryPeriod = Schema.Int.check(
  Schema.isBetween({ minimum: periodDaysMin, maximum: periodDaysMax })
).pipe(Schema.brand("DeliveryPeriod"))
export type DeliveryPeriod = typeof DeliveryPeriod.Type
