/**
 * How answers look on the wire: null or missing, key order, unknown keys, Korean timestamps.
 *
 * @since 0.1.0
 */
import * as KoreanTime from "./KoreanTime.ts"
import type { SeededRandom } from "./SeededRandom.ts"
import type { Payment } from "../Store.ts"
import type { Switches } from "../Switches.ts"

/** The fields of an answer. */
export type Fields = Record<string, unknown>

/** A Korean timestamp, or null. */
export const stampOrNull = (millis: number | null): string | null => (millis === null ? null : KoreanTime.stamp(millis))

/** `card_info` of approve and subscription, for a payment at once. [C] */
const cardInfo: Fields = {
  kakaopay_purchase_corp: "신한",
  kakaopay_purchase_corp_code: "701",
  kakaopay_issuer_corp: "신한",
  kakaopay_issuer_corp_code: "101",
  bin: "111111",
  card_type: "신용",
  install_month: "00",
  approved_id: "11111111",
  card_mid: "111111",
  interest_free_install: "N",
  card_item_code: "111111",
  installment_type: "CARD_INSTALLMENT"
}

/** `card_info` when a key is issued without a charge: some fields are missing. [D] */
const cardInfoOfKeyOnly: Fields = {
  kakaopay_issuer_corp: "신한",
  kakaopay_issuer_corp_code: "101",
  bin: "111111",
  card_type: "신용"
}

/** `selected_card_info` of order. [D] */
export const selectedCardInfo = (payment: Payment): Fields => ({
  card_bin: "111111",
  install_month: payment.installMonth,
  card_corp_name: "신한",
  interest_free_install: "N"
})

const cardInfoOf = (payment: Payment): Fields | null => {
  if (payment.method !== "CARD") return null
  if (payment.status === "ISSUED_SID") return cardInfoOfKeyOnly
  return payment.installMonth === 0
    ? cardInfo
    : { ...cardInfo, install_month: String(payment.installMonth).padStart(2, "0") }
}

/** The answer of approve and subscription: absent values are explicit nulls. [C] for approve */
export const approval = (payment: Payment, aid: string, payload: string | null): Fields => ({
  aid,
  tid: payment.tid,
  cid: payment.cid,
  sid: payment.sid,
  partner_order_id: payment.partnerOrderId,
  partner_user_id: payment.partnerUserId,
  payment_method_type: payment.method,
  item_name: payment.itemName,
  item_code: payment.itemCode,
  quantity: payment.quantity,
  payload,
  amount: payment.amount,
  card_info: cardInfoOf(payment),
  sequential_payment_methods:
    payment.sid === null
      ? null
      : [
          {
            payment_priority: 1,
            sid: payment.sid,
            payment_method_type: payment.method,
            card_info: cardInfoOf(payment)
          }
        ],
  created_at: KoreanTime.stamp(payment.createdStampMillis),
  approved_at: stampOrNull(payment.approvedStampMillis)
})

/** Removes null and undefined fields, as cancel and order do. [C] */
export const withoutNulls = (fields: Fields): Fields => {
  const kept: Fields = {}
  for (const name in fields) {
    const value = fields[name]
    if (value !== null && value !== undefined) kept[name] = value
  }
  return kept
}

/** `approved_at` as later answers show it. */
export const laterApprovedAt = (payment: Payment): string | null =>
  payment.approvedStampMillis === null ? null : KoreanTime.stamp(payment.approvedStampMillis + payment.driftMillis)

const extraKeys: ReadonlyArray<readonly [string, unknown]> = [
  ["tms_result", false],
  ["trace_id", "b7f0c1"],
  ["payment_window", { channel: "WEB", version: 3 }],
  ["notices", []]
]

const plainText = /^[\w:.-]*$/

/** JSON of one value. Ids and timestamps need no escaping, so a test decides for them. */
const valueText = (value: unknown): string | undefined =>
  typeof value === "string" && plainText.test(value) ? `"${value}"` : JSON.stringify(value)

/** The members of an object as text: shuffling these costs a fraction of building an object anew in random key order. */
const membersOf = (fields: Fields): Array<string> => {
  const members: Array<string> = []
  for (const name in fields) {
    const text = valueText(fields[name])
    if (text !== undefined) members.push(`"${name}":${text}`)
  }
  return members
}

/** The text of an answer, with unknown keys and a random key order where the switches ask for them. */
export const encode = (fields: Fields, switches: Switches, random: SeededRandom): string => {
  const members = membersOf(fields)
  if (switches.extraKeysRate > 0 && random.chance(switches.extraKeysRate)) {
    const extra = extraKeys[random.below(extraKeys.length)]
    if (extra !== undefined && !(extra[0] in fields)) members.push(`"${extra[0]}":${JSON.stringify(extra[1])}`)
  }
  if (switches.shuffleKeys) shuffle(members, random)
  return `{${members.join(",")}}`
}

const shuffle = (members: Array<string>, random: SeededRandom): void => {
  for (let last = members.length - 1; last > 0; last--) {
    const other = random.below(last + 1)
    const a = members[last]
    const b = members[other]
    if (a !== undefined && b !== undefined) {
      members[last] = b
      members[other] = a
    }
  }
}
