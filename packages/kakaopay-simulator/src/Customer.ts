/**
 * The customer in the payment window: what they do, and where their browser goes next.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import { isExpired } from "./internal/Approvals.ts"
import * as PaymentStatus from "./PaymentStatus.ts"
import type * as Store from "./Store.ts"

/** What a customer can do. The first four are steps before a decision; `abandon` closes the window without a redirect. */
export const actions = [
  "send-tms",
  "open",
  "select-method",
  "wait-for-ars",
  "approve",
  "cancel",
  "fail",
  "abandon"
] as const

/** One of them. */
export type CustomerAction = (typeof actions)[number]

/** Why an action is impossible. */
export type CustomerRejection = "unknown-payment" | "expired" | "not-open"

const pgTokenLength = 20

const nextStatus: Readonly<Record<Exclude<CustomerAction, "abandon">, PaymentStatus.PaymentStatus>> = {
  "send-tms": "SEND_TMS",
  open: "OPEN_PAYMENT",
  "select-method": "SELECT_METHOD",
  "wait-for-ars": "ARS_WAITING",
  approve: "AUTH_PASSWORD",
  cancel: "QUIT_PAYMENT",
  fail: "FAIL_AUTH_PASSWORD"
}

/** Adds `pg_token`, keeping the query that is already there. [C] */
export const withPgToken = (approvalUrl: string, pgToken: string): string => {
  const fragmentAt = approvalUrl.indexOf("#")
  const base = fragmentAt === -1 ? approvalUrl : approvalUrl.slice(0, fragmentAt)
  const fragment = fragmentAt === -1 ? "" : approvalUrl.slice(fragmentAt)
  return `${base}${base.includes("?") ? "&" : "?"}pg_token=${pgToken}${fragment}`
}

/** Where the browser goes now; null when it stays or the window was closed. */
export interface CustomerMoved {
  readonly redirectUrl: string | null
  readonly pgToken: string | null
  readonly status: PaymentStatus.PaymentStatus
}

const moved = (payment: Store.Payment, redirectUrl: string | null): Result.Result<CustomerMoved, CustomerRejection> =>
  Result.succeed({ redirectUrl, pgToken: payment.window?.pgToken ?? null, status: payment.status })

/** Lets the customer act. */
export const act = (
  store: Store.Store,
  payment: Store.Payment | undefined,
  action: CustomerAction,
  options: { readonly atMillis: number; readonly method?: Store.PaymentMethod | undefined }
): Result.Result<CustomerMoved, CustomerRejection> => {
  if (payment === undefined || payment.window === null) return Result.fail("unknown-payment")
  if (!PaymentStatus.isOpen(payment.status)) return Result.fail("not-open")
  if (isExpired(payment, options.atMillis)) return Result.fail("expired")
  if (action === "abandon") return moved(payment, null)
  if (payment.status === "AUTH_PASSWORD") {
    // Pressing the button twice leads to the same place; everything else is too late.
    return action === "approve" && payment.window.pgToken !== null
      ? moved(payment, withPgToken(payment.window.approvalUrl, payment.window.pgToken))
      : Result.fail("not-open")
  }
  const target = nextStatus[action]
  if (!PaymentStatus.canMove(payment.status, target)) {
    return action === "open" ? moved(payment, null) : Result.fail("not-open")
  }
  payment.status = PaymentStatus.move(payment.status, target)
  switch (action) {
    case "approve": {
      // What the merchant fixed in `ready` is not the customer's to change.
      payment.method = payment.method ?? options.method ?? store.switches.defaultPaymentMethod
      const pgToken = store.random.hex(pgTokenLength)
      payment.window.pgToken = pgToken
      return moved(payment, withPgToken(payment.window.approvalUrl, pgToken))
    }
    case "cancel":
      return moved(payment, payment.window.cancelUrl)
    case "fail":
      return moved(payment, payment.window.failUrl)
    default:
      return moved(payment, null)
  }
}
