/**
 * The bodies of the seven calls, in the provider's own spelling.
 *
 * Amounts are sent as numbers. The VAT is said in every call that has one: a cancel must repeat a VAT that was once sent,
 * and left to itself the provider would round the VAT of each cancel alone, so that the parts need not add up to the whole.
 * `cid_secret` belongs to contracts that have one; ours have none.
 *
 * @since 0.1.0
 */

/** Where each call lives below the base URL. */
export const paths = {
  ready: "/online/v1/payment/ready",
  approve: "/online/v1/payment/approve",
  subscription: "/online/v1/payment/subscription",
  cancel: "/online/v1/payment/cancel",
  order: "/online/v1/payment/order",
  inactive: "/online/v1/payment/manage/subscription/inactive",
  status: "/online/v1/payment/manage/subscription/status"
} as const

/** One of the seven. */
export type Endpoint = keyof typeof paths

/** The most UTF-16 units `item_name` may have; the provider says 100 without saying of what, so the narrowest is meant. */
export const itemNameLengthMax = 100

/** Opens a transaction. `total_amount` 0 on a subscription contract issues a billing key without charging. */
export interface Ready {
  readonly cid: string
  readonly partner_order_id: string
  readonly partner_user_id: string
  readonly item_name: string
  readonly quantity: number
  readonly total_amount: number
  readonly tax_free_amount: number
  readonly vat_amount: number
  readonly approval_url: string
  readonly cancel_url: string
  readonly fail_url: string
}

/** Takes the money of a transaction the customer approved; the provider refuses another `total_amount` than ready's. */
export interface Approve {
  readonly cid: string
  readonly tid: string
  readonly partner_order_id: string
  readonly partner_user_id: string
  readonly pg_token: string
  readonly total_amount: number
}

/** Takes money with a billing key. */
export interface Subscription {
  readonly cid: string
  readonly sid: string
  readonly partner_order_id: string
  readonly partner_user_id: string
  readonly item_name: string
  readonly quantity: number
  readonly total_amount: number
  readonly tax_free_amount: number
  readonly vat_amount: number
}

/** Gives money back; `cancel_available_amount` is what we believe is left, this cancel included. */
export interface Cancel {
  readonly cid: string
  readonly tid: string
  readonly cancel_amount: number
  readonly cancel_tax_free_amount: number
  readonly cancel_vat_amount: number
  readonly cancel_available_amount: number
  readonly payload: string
}

/** Asks about one transaction. */
export interface Order {
  readonly cid: string
  readonly tid: string
}

/** Ends a billing key, or asks about it. */
export interface Key {
  readonly cid: string
  readonly sid: string
}

/** The body each call is sent with. */
export interface Bodies {
  readonly ready: Ready
  readonly approve: Approve
  readonly subscription: Subscription
  readonly cancel: Cancel
  readonly order: Order
  readonly inactive: Key
  readonly status: Key
}
