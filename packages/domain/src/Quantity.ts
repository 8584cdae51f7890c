/**
 * How many of one item.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/** The most units of one item that one line may hold. */
export const quantityMax = 999

/** A whole number of units, 1 to {@link quantityMax}. */
export const Quantity = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: quantityMax })).pipe(
  Schema.brand("Quantity")
)
export type Quantity = typeof Quantity.Type
