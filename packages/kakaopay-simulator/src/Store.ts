/**
 * What the simulated provider remembers: payments, billing keys, the ledger, and how ids are made.
 *
 * One mutable store, changed only by synchronous functions, so each call is atomic on Node's single thread. That keeps a
 * call to a few microseconds and makes the order of calls the order of their arrival.
 *
 * @since 0.1.0
 */
import * as Amounts from "./internal/Amounts.ts"
import * as Ledger from "./Ledger.ts"
import type { Limits } from "./Limits.ts"
import type { PaymentStatus } from "./PaymentStatus.ts"
import * as SeededRandom from "./internal/SeededRandom.ts"
import type { Switches } from "./Switches.ts"

/** How the customer pays. [D] */
export type PaymentMethod = "CARD" | "MONEY"

/** One entry of `payment_action_details`. */
export interface Action {
  readonly aid: string
  readonly type: "PAYMENT" | "CANCEL" | "ISSUED_SID"
  readonly amount: number
  readonly greenDeposit: number
  readonly stampMillis: number
  readonly payload: string | null
}

/** What only a redirect payment has: the window the customer sees. */
export interface Window {
  readonly hash: string
  readonly kind: "one-time" | "subscription"
  readonly approvalUrl: string
  readonly cancelUrl: string
  readonly failUrl: string
  /** True instant from which the customer can no longer act, nor the merchant approve. */
  readonly expiresAt: number
  pgToken: string | null
}

/**
 * One `tid`. Fields ending in `At` are true instants; fields ending in `StampMillis` are what the provider's own, possibly
 * skewed clock showed at that moment and are the only ones reported.
 */
export interface Payment {
  readonly tid: string
  readonly cid: string
  readonly partnerOrderId: string
  readonly partnerUserId: string
  readonly itemName: string | null
  readonly itemCode: string | null
  readonly quantity: number
  readonly amount: Amounts.Amounts
  readonly createdStampMillis: number
  /** Months a card payment is spread over, as the merchant fixed them. */
  readonly installMonth: number
  readonly window: Window | null
  status: PaymentStatus
  method: PaymentMethod | null
  sid: string | null
  canceled: Amounts.Amounts
  approvedStampMillis: number | null
  canceledStampMillis: number | null
  /** 0 or 1000: how much later `approved_at` looks in later answers. [C] */
  driftMillis: number
  readonly actions: Array<Action>
}

/** One `sid`. */
export interface BillingKey {
  readonly sid: string
  readonly cid: string
  readonly partnerUserId: string
  readonly method: PaymentMethod
  readonly itemName: string | null
  readonly createdStampMillis: number
  lastApprovedStampMillis: number | null
  inactivatedStampMillis: number | null
  /** Korean month that `usesInMonth` counts. */
  month: string
  usesInMonth: number
}

/** An instant: the truth, and what the provider's clock shows. */
export interface Moment {
  readonly atMillis: number
  readonly stampMillis: number
}

/** Everything remembered between calls. */
export interface Store {
  readonly payments: Map<string, Payment>
  readonly paymentsByHash: Map<string, Payment>
  readonly billingKeys: Map<string, BillingKey>
  readonly ledger: Ledger.Ledger
  readonly random: SeededRandom.SeededRandom
  readonly limits: Limits
  switches: Switches
}

/** An empty store. */
export const make = (options: {
  readonly seed: number
  readonly limits: Limits
  readonly switches: Switches
}): Store => ({
  payments: new Map(),
  paymentsByHash: new Map(),
  billingKeys: new Map(),
  ledger: Ledger.make(),
  random: SeededRandom.make(options.seed),
  limits: options.limits,
  switches: options.switches
})

/** `T|A|S` + 19 hex digits, the first seven being epoch seconds without their leading digit. [C] */
const identifier = (self: Store, letter: "T" | "A" | "S", stampMillis: number): string => {
  const seconds = Math.max(0, Math.floor(stampMillis / 1000))
  return letter + seconds.toString(16).padStart(8, "0").slice(-7) + self.random.hex(12)
}

/** A `tid` nobody has. */
export const freshTid = (self: Store, stampMillis: number): string => {
  let tid = identifier(self, "T", stampMillis)
  while (self.payments.has(tid)) tid = identifier(self, "T", stampMillis)
  return tid
}

/** A `sid` nobody has. */
export const freshSid = (self: Store, stampMillis: number): string => {
  let sid = identifier(self, "S", stampMillis)
  while (self.billingKeys.has(sid)) sid = identifier(self, "S", stampMillis)
  return sid
}

/** A new request id. */
export const freshAid = (self: Store, stampMillis: number): string => identifier(self, "A", stampMillis)

/** What can still be refunded. */
export const remaining = (payment: Payment): Amounts.Amounts => Amounts.subtract(payment.amount, payment.canceled)

/** Writes moved money into the ledger. */
export const record = (
  self: Store,
  payment: Payment,
  move: {
    readonly kind: "capture" | "refund"
    readonly aid: string
    readonly amount: number
    readonly atMillis: number
  }
): void =>
  self.ledger.append({
    kind: move.kind,
    tid: payment.tid,
    aid: move.aid,
    sid: payment.sid,
    cid: payment.cid,
    partnerOrderId: payment.partnerOrderId,
    partnerUserId: payment.partnerUserId,
    amount: move.amount,
    atMillis: move.atMillis
  })
