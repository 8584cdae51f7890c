/**
 * `cancel`: full, partial, several partials.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import * as Amounts from "./Amounts.ts"
import * as KakaoError from "../KakaoError.ts"
import * as KoreanTime from "./KoreanTime.ts"
import * as PaymentStatus from "../PaymentStatus.ts"
import type * as Requests from "../Requests.ts"
import * as Store from "../Store.ts"
import * as Wire from "./Wire.ts"

type Outcome = Result.Result<Wire.Fields, KakaoError.KakaoError>

const refuse = (code: number, extras?: KakaoError.Extras): Outcome =>
  Result.fail(KakaoError.make(code, extras === undefined ? undefined : { extras }))

/** The amount of one cancel: the last one takes what VAT rounding left over, so that the parts add up. [D/C] */
const cancelAmounts = (request: Requests.Cancel, left: Amounts.Amounts): Amounts.Amounts => {
  const isLast = request.cancel_amount === left.total
  const byRule = Amounts.defaultVat(request.cancel_amount, request.cancel_tax_free_amount)
  const vat = request.cancel_vat_amount ?? (isLast ? left.vat : Math.min(byRule, left.vat))
  return {
    total: request.cancel_amount,
    tax_free: request.cancel_tax_free_amount,
    vat,
    point: 0,
    discount: 0,
    green_deposit: isLast ? left.green_deposit : 0
  }
}

/** Whether a cancel makes sense in itself, and leaves a rest that does. The code is [I]. */
const isPartOf = (amount: Amounts.Amounts, left: Amounts.Amounts): boolean =>
  amount.tax_free <= left.tax_free &&
  amount.vat <= left.vat &&
  Amounts.isConsistent(amount) &&
  Amounts.isConsistent(Amounts.subtract(left, amount))

/** Returns money. */
export const cancel = (
  store: Store.Store,
  request: Requests.Cancel,
  context: { readonly moment: Store.Moment }
): Outcome => {
  const { moment } = context
  const payment = store.payments.get(request.tid)
  if (payment === undefined || payment.cid !== request.cid) return refuse(-721)
  if (payment.status !== "SUCCESS_PAYMENT" && payment.status !== "PART_CANCEL_PAYMENT") return refuse(-784)
  if (request.cancel_amount === 0) {
    return Result.fail(KakaoError.make(-2, { message: "invalid parameter: cancel_amount" }))
  }
  const left = Store.remaining(payment)
  if (request.cancel_amount > payment.amount.total) return refuse(-711)
  if (request.cancel_amount > left.total) return refuse(-710)
  if (
    store.switches.enforceCancelAvailableAmount &&
    request.cancel_available_amount !== undefined &&
    request.cancel_available_amount !== left.total
  ) {
    return refuse(store.switches.cancelAvailableMismatchCode)
  }
  if (payment.amount.green_deposit > 0 && request.cancel_amount !== left.total) {
    return refuse(-781, KakaoError.extrasOf("INVALID_CANCEL_AMOUNT"))
  }
  const amount = cancelAmounts(request, left)
  if (!isPartOf(amount, left)) return refuse(-722)
  if (payment.method === "MONEY" && store.switches.bankCheckWindow && KoreanTime.isBankCheck(moment.atMillis)) {
    return refuse(-781, KakaoError.extrasOf("BANK_FIRM_UNAVAILABLE"))
  }
  if (payment.actions.length > store.limits.cancelsPerPaymentMax) return Result.fail(KakaoError.capacityReached)
  const aid = Store.freshAid(store, moment.stampMillis)
  const payload = request.payload ?? null
  payment.canceled = Amounts.add(payment.canceled, amount)
  payment.canceledStampMillis = moment.stampMillis
  payment.status = PaymentStatus.move(
    payment.status,
    payment.canceled.total === payment.amount.total ? "CANCEL_PAYMENT" : "PART_CANCEL_PAYMENT"
  )
  payment.actions.push({
    aid,
    type: "CANCEL",
    amount: amount.total,
    greenDeposit: amount.green_deposit,
    stampMillis: moment.stampMillis,
    payload
  })
  Store.record(store, payment, { kind: "refund", aid, amount: amount.total, atMillis: moment.atMillis })
  return Result.succeed(
    Wire.withoutNulls({
      aid,
      tid: payment.tid,
      cid: payment.cid,
      status: payment.status,
      partner_order_id: payment.partnerOrderId,
      partner_user_id: payment.partnerUserId,
      payment_method_type: payment.method,
      item_name: payment.itemName,
      item_code: payment.itemCode,
      quantity: payment.quantity,
      amount: payment.amount,
      approved_cancel_amount: amount,
      canceled_amount: payment.canceled,
      cancel_available_amount: Store.remaining(payment),
      created_at: KoreanTime.stamp(payment.createdStampMillis),
      approved_at: Wire.laterApprovedAt(payment),
      canceled_at: KoreanTime.stamp(moment.stampMillis),
      payload
    })
  )
}
