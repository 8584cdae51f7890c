/**
 * `order`: the lookup by tid, the only one there is.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import * as KakaoError from "../KakaoError.ts"
import * as KoreanTime from "./KoreanTime.ts"
import * as PaymentStatus from "../PaymentStatus.ts"
import type * as Requests from "../Requests.ts"
import * as Store from "../Store.ts"
import * as Wire from "./Wire.ts"

const action = (store: Store.Store, payment: Store.Payment, entry: Store.Action): Wire.Fields => {
  const isSparse = store.random.chance(store.switches.sparseActionRate)
  const stampMillis = entry.type === "CANCEL" ? entry.stampMillis : entry.stampMillis + payment.driftMillis
  return Wire.withoutNulls({
    aid: entry.aid,
    approved_at: KoreanTime.stamp(stampMillis),
    amount: isSparse ? null : entry.amount,
    point_amount: 0,
    discount_amount: 0,
    green_deposit: entry.greenDeposit,
    payment_action_type: entry.type,
    payment_method_type: isSparse ? null : payment.method,
    payload: entry.payload
  })
}

/** Tells the state of a payment. What is present before approval is [U]. */
export const order = (
  store: Store.Store,
  request: Requests.Order
): Result.Result<Wire.Fields, KakaoError.KakaoError> => {
  const payment = store.payments.get(request.tid)
  if (payment === undefined || payment.cid !== request.cid) return Result.fail(KakaoError.make(-721))
  const approved = PaymentStatus.isApproved(payment.status)
  const fields: Wire.Fields = {
    tid: payment.tid,
    cid: payment.cid,
    status: payment.status,
    partner_order_id: payment.partnerOrderId,
    partner_user_id: payment.partnerUserId,
    payment_method_type: approved ? payment.method : null,
    item_name: payment.itemName,
    item_code: payment.itemCode,
    quantity: payment.quantity,
    amount: payment.amount,
    canceled_amount: payment.canceled,
    cancel_available_amount: approved ? Store.remaining(payment) : null,
    created_at: KoreanTime.stamp(payment.createdStampMillis),
    approved_at: Wire.laterApprovedAt(payment),
    canceled_at: Wire.stampOrNull(payment.canceledStampMillis),
    selected_card_info: approved && payment.method === "CARD" ? Wire.selectedCardInfo(payment) : null,
    payment_action_details: payment.actions.map((entry) => action(store, payment, entry))
  }
  const keepsNulls = !approved && store.switches.orderFieldsBeforeApproval === "null"
  return Result.succeed(keepsNulls ? fields : Wire.withoutNulls(fields))
}
