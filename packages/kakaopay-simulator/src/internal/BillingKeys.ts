/**
 * Billing keys (`sid`): issue, charge, inactivate, ask.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import * as Amounts from "./Amounts.ts"
import type * as Declines from "../Declines.ts"
import * as KakaoError from "../KakaoError.ts"
import * as KoreanTime from "./KoreanTime.ts"
import type * as Requests from "../Requests.ts"
import * as Store from "../Store.ts"
import * as Wire from "./Wire.ts"

type Outcome = Result.Result<Wire.Fields, KakaoError.KakaoError>

const refuse = (code: number, extras?: KakaoError.Extras): Outcome =>
  Result.fail(KakaoError.make(code, extras === undefined ? undefined : { extras }))

/** 0 or one second: how much later `approved_at` looks from now on. [C] */
export const drift = (store: Store.Store): number =>
  store.random.chance(store.switches.approvedAtDriftRate) ? 1_000 : 0

/** Issues a key, or undefined when the store is full. */
export const issue = (
  store: Store.Store,
  options: {
    readonly cid: string
    readonly partnerUserId: string
    readonly method: Store.PaymentMethod
    readonly itemName: string | null
    readonly moment: Store.Moment
  }
): Store.BillingKey | undefined => {
  if (store.billingKeys.size >= store.limits.billingKeyCountMax) return undefined
  const key: Store.BillingKey = {
    sid: Store.freshSid(store, options.moment.stampMillis),
    cid: options.cid,
    partnerUserId: options.partnerUserId,
    method: options.method,
    itemName: options.itemName,
    createdStampMillis: options.moment.stampMillis,
    lastApprovedStampMillis: null,
    inactivatedStampMillis: null,
    month: "",
    usesInMonth: 0
  }
  store.billingKeys.set(key.sid, key)
  return key
}

const find = (store: Store.Store, request: Requests.Key): Store.BillingKey | undefined => {
  const key = store.billingKeys.get(request.sid)
  return key !== undefined && key.cid === request.cid ? key : undefined
}

const usesIn = (key: Store.BillingKey, month: string): number => (key.month === month ? key.usesInMonth : 0)

/** Counts a charge towards the cap of its Korean month. */
export const countUse = (key: Store.BillingKey, moment: Store.Moment): void => {
  const month = KoreanTime.month(moment.atMillis)
  key.usesInMonth = usesIn(key, month) + 1
  key.month = month
}

/** Whether the order id was charged within the time that the switch says. */
const isDuplicate = (store: Store.Store, request: Requests.Subscription, moment: Store.Moment): boolean => {
  const { duplicateChargeMillis } = store.switches
  return (
    duplicateChargeMillis > 0 &&
    store.ledger
      .select({ sid: request.sid, partnerOrderId: request.partner_order_id })
      .some((entry) => entry.kind === "capture" && entry.atMillis > moment.atMillis - duplicateChargeMillis)
  )
}

/** Charges a key. A new tid every time [D], and by default no deduplication on partner_order_id [I]. */
export const charge = (
  store: Store.Store,
  request: Requests.Subscription,
  context: { readonly moment: Store.Moment; readonly declines: Declines.Declines }
): Outcome => {
  const { moment, declines } = context
  const key = find(store, request)
  if (key === undefined) return refuse(-750)
  if (key.inactivatedStampMillis !== null) return refuse(-751)
  if (key.partnerUserId !== request.partner_user_id) return refuse(-753)
  if (request.total_amount === 0) {
    return Result.fail(KakaoError.make(-2, { message: "invalid parameter: total_amount" }))
  }
  if (store.switches.chargeNeedsItemName && (request.item_name ?? "") === "") {
    return Result.fail(KakaoError.make(-2, { message: "invalid parameter: item_name" }))
  }
  const amount = Amounts.make({
    total: request.total_amount,
    taxFree: request.tax_free_amount,
    vat: request.vat_amount
  })
  if (!Amounts.isConsistent(amount)) return refuse(-722)
  const cap = store.switches.subscriptionMonthlyCap
  if (cap !== null && usesIn(key, KoreanTime.month(moment.atMillis)) >= cap) return refuse(-752)
  if (isDuplicate(store, request, moment)) return refuse(-785)
  if (key.method === "MONEY" && store.switches.bankCheckWindow && KoreanTime.isBankCheck(moment.atMillis)) {
    return refuse(-782, KakaoError.extrasOf("BANK_FIRM_UNAVAILABLE"))
  }
  const declined = declines.take({
    sid: key.sid,
    partnerOrderId: request.partner_order_id,
    partnerUserId: request.partner_user_id
  })
  if (declined !== undefined) {
    if (store.switches.declinedChargeSetsLastApprovedAt) key.lastApprovedStampMillis = moment.stampMillis
    return refuse(-782, declined)
  }
  if (store.payments.size >= store.limits.paymentCountMax) return Result.fail(KakaoError.capacityReached)
  const aid = Store.freshAid(store, moment.stampMillis)
  const payload = request.payload ?? null
  const payment: Store.Payment = {
    tid: Store.freshTid(store, moment.stampMillis),
    cid: key.cid,
    partnerOrderId: request.partner_order_id,
    partnerUserId: request.partner_user_id,
    itemName: request.item_name ?? null,
    itemCode: request.item_code ?? null,
    quantity: request.quantity,
    amount,
    createdStampMillis: moment.stampMillis,
    installMonth: 0,
    window: null,
    status: "SUCCESS_PAYMENT",
    method: key.method,
    sid: key.sid,
    canceled: Amounts.zero,
    approvedStampMillis: moment.stampMillis,
    canceledStampMillis: null,
    driftMillis: drift(store),
    actions: [{ aid, type: "PAYMENT", amount: amount.total, greenDeposit: 0, stampMillis: moment.stampMillis, payload }]
  }
  store.payments.set(payment.tid, payment)
  countUse(key, moment)
  key.lastApprovedStampMillis = moment.stampMillis + payment.driftMillis
  Store.record(store, payment, { kind: "capture", aid, amount: amount.total, atMillis: moment.atMillis })
  const fields = Wire.approval(payment, aid, payload)
  return Result.succeed(store.switches.chargeAbsentFields === "missing" ? Wire.withoutNulls(fields) : fields)
}

/** Inactivates a key. There is no way back. [I] */
export const inactivate = (store: Store.Store, request: Requests.Key, moment: Store.Moment): Outcome => {
  const key = find(store, request)
  if (key === undefined) return refuse(-750)
  if (key.inactivatedStampMillis !== null && store.switches.repeatedInactive === "error") return refuse(-751)
  key.inactivatedStampMillis ??= moment.stampMillis
  return Result.succeed({
    cid: key.cid,
    sid: key.sid,
    status: "INACTIVE",
    created_at: KoreanTime.stamp(key.createdStampMillis),
    ...lastApproval(store, key),
    inactivated_at: KoreanTime.stamp(key.inactivatedStampMillis)
  })
}

const lastApproval = (store: Store.Store, key: Store.BillingKey): Wire.Fields => {
  if (key.lastApprovedStampMillis !== null) return { last_approved_at: KoreanTime.stamp(key.lastApprovedStampMillis) }
  switch (store.switches.emptyLastApprovedAt) {
    case "null":
      return { last_approved_at: null }
    case "empty":
      return { last_approved_at: "" }
    case "missing":
      return {}
  }
}

/** Tells the state of a key: the only evidence of a charge whose answer was lost. [D] */
export const status = (store: Store.Store, request: Requests.Key): Outcome => {
  const key = find(store, request)
  if (key === undefined) return refuse(-750)
  const active = key.inactivatedStampMillis === null
  const fields: Wire.Fields = {
    available: active,
    cid: key.cid,
    sid: key.sid,
    status: active ? "ACTIVE" : "INACTIVE",
    payment_method_type: key.method,
    item_name: key.itemName,
    created_at: KoreanTime.stamp(key.createdStampMillis),
    inactivated_at: Wire.stampOrNull(key.inactivatedStampMillis),
    use_point_status: "NOT_USED"
  }
  const written = store.switches.statusAbsentFields === "missing" ? Wire.withoutNulls(fields) : fields
  return Result.succeed({ ...written, ...lastApproval(store, key) })
}
