/**
 * KakaoPay's amount object and its VAT rule, in whole won.
 *
 * @since 0.1.0
 */

/** The amount object of every answer. [D] */
export interface Amounts {
  readonly total: number
  readonly tax_free: number
  readonly vat: number
  readonly point: number
  readonly discount: number
  readonly green_deposit: number
}

/** Nothing. */
export const zero: Amounts = { total: 0, tax_free: 0, vat: 0, point: 0, discount: 0, green_deposit: 0 }

/** VAT when the merchant does not say: an eleventh of the taxed part, rounded. [C] */
export const defaultVat = (total: number, taxFree: number): number => Math.round((total - taxFree) / 11)

/** An amount with the documented VAT default. */
export const make = (input: {
  readonly total: number
  readonly taxFree: number
  readonly vat?: number | undefined
  readonly greenDeposit?: number | undefined
}): Amounts => ({
  total: input.total,
  tax_free: input.taxFree,
  vat: input.vat ?? defaultVat(input.total, input.taxFree),
  point: 0,
  discount: 0,
  green_deposit: input.greenDeposit ?? 0
})

/** Whether the parts fit into the total. */
export const isConsistent = (self: Amounts): boolean =>
  self.tax_free <= self.total && self.vat <= self.total - self.tax_free && self.green_deposit <= self.total

/** Field by field sum. */
export const add = (self: Amounts, that: Amounts): Amounts => ({
  total: self.total + that.total,
  tax_free: self.tax_free + that.tax_free,
  vat: self.vat + that.vat,
  point: self.point + that.point,
  discount: self.discount + that.discount,
  green_deposit: self.green_deposit + that.green_deposit
})

/** Field by field difference. */
export const subtract = (self: Amounts, that: Amounts): Amounts => ({
  total: self.total - that.total,
  tax_free: self.tax_free - that.tax_free,
  vat: self.vat - that.vat,
  point: self.point - that.point,
  discount: self.discount - that.discount,
  green_deposit: self.green_deposit - that.green_deposit
})
