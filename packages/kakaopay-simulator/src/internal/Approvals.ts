/**
 * `ready` and `approve`: the redirect payment, one-time or first of a subscription.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import * as Amounts from "./Amounts.ts"
import * as BillingKeys from "./BillingKeys.ts"
import type * as Declines from "../Declines.ts"
import * as KakaoError from "../KakaoError.ts"
import * as KoreanTime from "./KoreanTime.ts"
import * as PaymentStatus from "../PaymentStatus.ts"
import type * as Requests from "../Requests.ts"
import * as Store from "../Store.ts"
import * as Wire from "./Wire.ts"

/** Whether the window has closed. */
export const isExpired = (payment: Store.Payment, atMillis: number): boolean =>
  payment.window !== null && atMillis >= payment.window.expiresAt

type Outcome = Result.Result<Wire.Fields, KakaoError.KakaoError>

const refuse = (code: number, extras?: KakaoError.Extras): Outcome =>
  Result.fail(KakaoError.make(code, extras === undefined ? undefined : { extras }))

/** Opens a payment window. */
export const ready = (
  store: Store.Store,
  request: Requests.Ready,
  context: { readonly moment: Store.Moment; readonly isSubscription: boolean; readonly origin: string }
): Outcome => {
  const { moment, isSubscription, origin } = context
  if (store.payments.size >= store.limits.paymentCountMax) return Result.fail(KakaoError.capacityReached)
  if (request.total_amount === 0 && !isSubscription) {
    return Result.fail(KakaoError.make(-2, { message: "invalid parameter: total_amount" }))
  }
  for (const name of ["approval_url", "cancel_url", "fail_url"] as const) {
    const url = URL.parse(request[name])
    if (url === null || !["http:", "https:"].includes(url.protocol)) {
      return Result.fail(KakaoError.make(-2, { message: `invalid parameter: ${name}` }))
    }
  }
  const amount = Amounts.make({
    total: request.total_amount,
    taxFree: request.tax_free_amount,
    vat: request.vat_amount,
    greenDeposit: request.green_deposit
  })
  if (!Amounts.isConsistent(amount)) return refuse(-722)
  const tid = Store.freshTid(store, moment.stampMillis)
  const hash = store.random.hex(64)
  const payment: Store.Payment = {
    tid,
    cid: request.cid,
    partnerOrderId: request.partner_order_id,
    partnerUserId: request.partner_user_id,
    itemName: request.item_name,
    itemCode: request.item_code ?? null,
    quantity: request.quantity,
    amount,
    createdStampMillis: moment.stampMillis,
    installMonth: request.install_month ?? 0,
    window: {
      hash,
      kind: isSubscription ? "subscription" : "one-time",
      approvalUrl: request.approval_url,
      cancelUrl: request.cancel_url,
      failUrl: request.fail_url,
      expiresAt: moment.atMillis + store.switches.paymentWindowMillis,
      pgToken: null
    },
    status: "READY",
    method: request.payment_method_type ?? null,
    sid: null,
    canceled: Amounts.zero,
    approvedStampMillis: null,
    canceledStampMillis: null,
    driftMillis: 0,
    actions: []
  }
  store.payments.set(tid, payment)
  store.paymentsByHash.set(hash, payment)
  const kind = isSubscription ? "subscription/payment-issue" : "one-time/payment"
  const bridge = (device: string) => `${origin}/mockup/bridge/${device}/pg/${kind}/${hash}`
  return Result.succeed({
    tid,
    tms_result: false,
    next_redirect_app_url: bridge("mobile-app"),
    next_redirect_mobile_url: bridge("mobile-web"),
    next_redirect_pc_url: bridge("pc"),
    android_app_scheme: `kakaotalk://kakaopay/pg?url=${origin}/pay/mockup/${hash}`,
    ios_app_scheme: `kakaotalk://kakaopay/pg?url=${origin}/pay/mockup/${hash}`,
    created_at: KoreanTime.stamp(moment.stampMillis)
  })
}

/** The checks of approve, in the order the simulator applies them; the real order is [U]. */
const check = (
  store: Store.Store,
  payment: Store.Payment,
  request: Requests.Approve,
  atMillis: number
): KakaoError.KakaoError | undefined => {
  if (PaymentStatus.isApproved(payment.status)) return KakaoError.make(-702)
  if (!PaymentStatus.isOpen(payment.status)) return KakaoError.make(-783)
  if (isExpired(payment, atMillis)) return KakaoError.make(-723)
  if (payment.partnerOrderId !== request.partner_order_id) return KakaoError.make(-706)
  if (payment.partnerUserId !== request.partner_user_id) return KakaoError.make(-707)
  if (payment.status !== "AUTH_PASSWORD") {
    // A captured -701 carried extras with a generic code. [C]
    return KakaoError.make(-701, { extras: KakaoError.extrasOf("9999") })
  }
  if (payment.window?.pgToken !== request.pg_token) return KakaoError.make(-708)
  if (request.total_amount !== undefined && request.total_amount !== payment.amount.total) {
    return KakaoError.make(store.switches.totalMismatchCode)
  }
  return undefined
}

/** Takes the money, or issues the key, or both. The only step of this flow that moves money. [D] */
export const approve = (
  store: Store.Store,
  request: Requests.Approve,
  context: { readonly moment: Store.Moment; readonly isSubscription: boolean; readonly declines: Declines.Declines }
): Outcome => {
  const { moment, isSubscription, declines } = context
  const payment = store.payments.get(request.tid)
  if (payment === undefined || payment.cid !== request.cid) return refuse(-721)
  const problem = check(store, payment, request, moment.atMillis)
  if (problem !== undefined) return Result.fail(problem)
  if (payment.method === "MONEY" && store.switches.bankCheckWindow && KoreanTime.isBankCheck(moment.atMillis)) {
    return refuse(-780, KakaoError.extrasOf("BANK_FIRM_UNAVAILABLE"))
  }
  const declined = declines.take({
    sid: null,
    partnerOrderId: payment.partnerOrderId,
    partnerUserId: payment.partnerUserId
  })
  if (declined !== undefined) {
    if (store.switches.declinedApproveEndsPayment) payment.status = PaymentStatus.move(payment.status, "FAIL_PAYMENT")
    return refuse(-780, declined)
  }
  const total = payment.amount.total
  if (isSubscription) {
    const issued = BillingKeys.issue(store, {
      cid: payment.cid,
      partnerUserId: payment.partnerUserId,
      method: payment.method ?? store.switches.defaultPaymentMethod,
      itemName: payment.itemName,
      moment
    })
    if (issued === undefined) return Result.fail(KakaoError.capacityReached)
    payment.sid = issued.sid
    payment.driftMillis = BillingKeys.drift(store)
    if (total > 0 || store.switches.keyOnlySetsLastApprovedAt) {
      issued.lastApprovedStampMillis = moment.stampMillis + payment.driftMillis
    }
    if (total > 0 && store.switches.firstPaymentCountsAsUse) BillingKeys.countUse(issued, moment)
  } else {
    payment.driftMillis = BillingKeys.drift(store)
  }
  const aid = Store.freshAid(store, moment.stampMillis)
  const payload = request.payload ?? null
  payment.status = PaymentStatus.move(payment.status, total === 0 ? "ISSUED_SID" : "SUCCESS_PAYMENT")
  payment.approvedStampMillis = moment.stampMillis
  payment.actions.push({
    aid,
    type: total === 0 ? "ISSUED_SID" : "PAYMENT",
    amount: total,
    greenDeposit: payment.amount.green_deposit,
    stampMillis: moment.stampMillis,
    payload
  })
  if (total > 0) Store.record(store, payment, { kind: "capture", aid, amount: total, atMillis: moment.atMillis })
  return Result.succeed(Wire.approval(payment, aid, payload))
}
