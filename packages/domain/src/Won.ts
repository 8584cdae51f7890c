/**
 * Money: whole Korean won.
 *
 * Every amount in the system is a `Won`, an integer from 0 to 99,999,999,999. Arithmetic answers a `Result`, because a
 * sum can pass the upper bound and a difference can fall below zero.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

/** The largest amount one value may hold: 99,999,999,999 won. */
export const wonMax = 99_999_999_999

/** A whole amount of Korean won, 0 to {@link wonMax}. */
export const Won = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: wonMax })).pipe(Schema.brand("Won"))
export type Won = typeof Won.Type

/** An amount outside 0 to {@link wonMax} won; `amount` is the number that did not fit. */
export class WonOutOfRange extends Schema.TaggedError<WonOutOfRange>("@pillivery/domain/Won/WonOutOfRange")(
  "WonOutOfRange",
  { amount: Schema.Finite }
) {
  override get message() {
    return `${this.amount} won is not between 0 and ${wonMax}`
  }
}

/** No money. */
export const zero = 0 as Won

/** Takes a number of won, refusing what is not whole or not in range. */
export const fromNumber = (amount: number): Result.Result<Won, WonOutOfRange> =>
  Number.isInteger(amount) && amount >= 0 && amount <= wonMax
    ? Result.succeed(amount as Won)
    : Result.fail(new WonOutOfRange({ amount: Number.isFinite(amount) ? amount : 0 }))

/** Adds two amounts. */
export const add = (self: Won, that: Won): Result.Result<Won, WonOutOfRange> => fromNumber(self + that)

/** Takes `that` from `self`, refusing a result below zero. */
export const subtract = (self: Won, that: Won): Result.Result<Won, WonOutOfRange> => fromNumber(self - that)

/** Multiplies an amount by a whole number of units, refusing a number that is not whole or below zero. */
export const multiply = (self: Won, times: number): Result.Result<Won, WonOutOfRange> =>
  fromNumber(Number.isInteger(times) && times >= 0 ? self * times : Number.NaN)

/** Adds any number of amounts; the sum of none is zero. */
export const sum = (amounts: ReadonlyArray<Won>): Result.Result<Won, WonOutOfRange> =>
  fromNumber(amounts.reduce((total, amount) => total + amount, 0))

/** The value added tax contained in a taxable amount: one eleventh, rounded half up. */
export const vatOf = (taxable: Won): Won => Math.round(taxable / 11) as Won
