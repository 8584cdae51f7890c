/**
 * Value added tax: how much of an amount it is, and how much of each refund.
 *
 * An amount has a taxable part, which contains one eleventh of tax, and a part free of tax. The tax of a refund is the tax
 * of everything given back up to and with it, less the tax of what was given back before. Rounding each refund for itself
 * would let the taxes of many small ones drift from the tax of the payment; these differences always add up to it.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Won from "./Won.ts"

/** An amount in won, and how much of it is free of tax. */
export interface Amounts {
  readonly total: Won.Won
  readonly taxFree: Won.Won
}

/** An amount in its parts: `total` = `taxable` + `taxFree`, and the tax `vat` is contained in `taxable`. All in won. */
export class Split extends Schema.Class<Split>("@pillivery/domain/Tax/Split")(
  Schema.Struct({ total: Won.Won, taxable: Won.Won, vat: Won.Won, taxFree: Won.Won }).check(
    Schema.makeFilter(({ taxable, taxFree, total, vat }) => total === taxable + taxFree && vat <= taxable, {
      expected: "total = taxable + taxFree, and a tax of at most what is taxable"
    })
  )
) {}

/** More is said to be free of tax than there is; both in won. */
export class TaxFreeExceedsTotal extends Schema.TaggedError<TaxFreeExceedsTotal>(
  "@pillivery/domain/Tax/TaxFreeExceedsTotal"
)("TaxFreeExceedsTotal", { total: Won.Won, taxFree: Won.Won }) {
  override get message() {
    return `${this.taxFree} won of ${this.total} won cannot be free of tax`
  }
}

/** More is asked back than is left of one part of a payment; both in won. */
export class TaxRestExceeded extends Schema.TaggedError<TaxRestExceeded>("@pillivery/domain/Tax/TaxRestExceeded")(
  "TaxRestExceeded",
  { part: Schema.Literals(["total", "taxable", "taxFree"]), asked: Won.Won, rest: Won.Won }
) {
  override get message() {
    return `${this.asked} won were asked back of the ${this.part} part, of which ${this.rest} won are left`
  }
}

/** Splits an amount: one eleventh of what is taxable, rounded half up to whole won, is tax. */
export const split = (amounts: Amounts): Result.Result<Split, TaxFreeExceedsTotal> =>
  Result.map(taxableOf(amounts), (taxable) => splitOf(amounts, taxable, Won.vatOf(taxable)))

/** Splits an amount of which nothing is free of tax. */
export const allTaxable = (total: Won.Won): Split => splitOf({ total, taxFree: Won.zero }, total, Won.vatOf(total))

/** What is taxable without its tax, in won (공급가액). */
export const supplyOf = (self: Split): Won.Won => (self.taxable - self.vat) as Won.Won

/**
 * Splits the next refund of a payment, given what was approved and what was given back so far.
 *
 * **Details**
 *
 * With V(x) the tax in x won, the tax of a refund of r taxable won after b won is V(b + r) − V(b). So it is never negative
 * and never above r, and when all is given back the taxes of all refunds add up to the tax of the approval, in whichever
 * order and sizes they came.
 */
export const refundOf = (
  approved: Amounts,
  refunded: Amounts,
  next: Amounts
): Result.Result<Split, TaxFreeExceedsTotal | TaxRestExceeded> =>
  Result.gen(function* () {
    const taxable = yield* taxableOf(next)
    const taxableBefore = yield* taxableOf(refunded)
    const taxableApproved = yield* taxableOf(approved)
    yield* within("total", next.total, approved.total - refunded.total)
    yield* within("taxFree", next.taxFree, approved.taxFree - refunded.taxFree)
    yield* within("taxable", taxable, taxableApproved - taxableBefore)
    const vat = Won.vatOf((taxableBefore + taxable) as Won.Won) - Won.vatOf(taxableBefore)
    return splitOf(next, taxable, vat as Won.Won)
  })

const taxableOf = ({ taxFree, total }: Amounts): Result.Result<Won.Won, TaxFreeExceedsTotal> =>
  taxFree <= total
    ? Result.succeed((total - taxFree) as Won.Won)
    : Result.fail(new TaxFreeExceedsTotal({ total, taxFree }))

const within = (part: TaxRestExceeded["part"], asked: Won.Won, rest: number): Result.Result<void, TaxRestExceeded> =>
  asked <= rest ? Result.void : Result.fail(new TaxRestExceeded({ part, asked, rest: Math.max(0, rest) as Won.Won }))

const splitOf = ({ taxFree, total }: Amounts, taxable: Won.Won, vat: Won.Won): Split =>
  new Split({ total, taxable, vat, taxFree })
