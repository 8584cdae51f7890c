/**
 * How many of one item.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

/** The fewest units of one item that one line may hold. */
export const quantityMin = 1
/** The most units of one item that one line may hold. */
export const quantityMax = 999

/** A whole number of units, {@link quantityMin} to {@link quantityMax}. */
export const Quantity = Schema.Int.check(Schema.isBetween({ minimum: quantityMin, maximum: quantityMax })).pipe(
  Schema.brand("Quantity")
)
export type Quantity = typeof Quantity.Type

/** Units that are not whole or not in range; `units` is the number that did not fit, 0 where it was no number at all. */
export class QuantityOutOfRange extends Schema.TaggedError<QuantityOutOfRange>(
  "@pillivery/domain/Quantity/QuantityOutOfRange"
)("QuantityOutOfRange", { units: Schema.Finite }) {
  override get message() {
    return `${this.units} is not a whole number of ${quantityMin} to ${quantityMax} units`
  }
}

/** Takes a number of units, refusing what is not whole or not between {@link quantityMin} and {@link quantityMax}. */
export const fromNumber = (units: number): Result.Result<Quantity, QuantityOutOfRange> =>
  Number.isInteger(units) && units >= quantityMin && units <= quantityMax
    ? Result.succeed(units as Quantity)
    : Result.fail(new QuantityOutOfRange({ units: Number.isFinite(units) ? units : 0 }))
