/**
 * The answers of the seven calls, in the provider's own spelling.
 *
 * Only what we use is declared; everything else, known or not, is ignored, since fields come and go without notice. What
 * is declared as required is what an answer must have to be believed: an approval without its `tid` or amount is not an
 * approval. Unknown values of `status` are let through for the reader to judge.
 *
 * @since 0.1.0
 */
import { Schema } from "effect"
import { Amount, Id, maybe, Text } from "./Fields.ts"
import { KoreanTime } from "./KoreanTime.ts"

const total = Schema.Struct({ total: Amount })
const webUrlLengthMax = 2_000
const WebUrl = Schema.String.check(Schema.isPattern(/^https?:\/\//i), Schema.isMaxLength(webUrlLengthMax))

/** A transaction was opened. */
export const Ready = Schema.Struct({
  tid: Id,
  next_redirect_app_url: WebUrl,
  next_redirect_mobile_url: WebUrl,
  next_redirect_pc_url: WebUrl,
  created_at: KoreanTime
})
export type Ready = typeof Ready.Type

/** Money was taken, by `approve` or by `subscription`. */
export const Approval = Schema.Struct({
  aid: Id,
  tid: Id,
  sid: maybe(Id),
  partner_order_id: Text,
  payment_method_type: maybe(Text),
  amount: total,
  approved_at: KoreanTime
})
export type Approval = typeof Approval.Type

/** Money was given back; `canceled_amount` counts every cancel of the transaction so far. */
export const Cancel = Schema.Struct({
  tid: Id,
  canceled_amount: total,
  canceled_at: KoreanTime,
  payload: maybe(Schema.String)
})
export type Cancel = typeof Cancel.Type

/** One thing that happened to a transaction; captured answers lack its amount now and then. */
export const Action = Schema.Struct({
  payment_action_type: maybe(Schema.String),
  approved_at: maybe(KoreanTime)
})
export type Action = typeof Action.Type

/** What is known of a transaction. Which fields exist before its approval is not documented. */
export const Order = Schema.Struct({
  tid: Id,
  status: Text,
  partner_order_id: maybe(Text),
  amount: maybe(total),
  canceled_amount: maybe(total),
  approved_at: maybe(KoreanTime),
  payment_action_details: maybe(Schema.Array(Action))
})
export type Order = typeof Order.Type

/** A billing key was ended. */
export const Inactive = Schema.Struct({ sid: Id, status: Text })
export type Inactive = typeof Inactive.Type

/** What is known of a billing key. */
export const Status = Schema.Struct({ sid: Id, status: Text, last_approved_at: maybe(KoreanTime) })
export type Status = typeof Status.Type

const Code = Schema.Union([Schema.Int, Schema.String.check(Schema.isPattern(/^-?\d{1,6}$/))])

/** An error; the older host called the same fields `code` and `msg`. `extras` is absent more often than not. */
export const Failure = Schema.Union([
  Schema.Struct({
    error_code: Code,
    error_message: maybe(Schema.String),
    extras: Schema.optionalKey(Schema.Unknown)
  }),
  Schema.Struct({ code: Code, msg: Schema.String, extras: Schema.optionalKey(Schema.Unknown) })
])
export type Failure = typeof Failure.Type

/** What the bank or the card company said. */
export const Extras = Schema.Struct({
  method_result_code: Schema.Union([Schema.String.check(Schema.isMinLength(1)), Schema.Int]),
  method_result_message: maybe(Schema.String)
})
export type Extras = typeof Extras.Type
