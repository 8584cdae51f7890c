/**
 * The thirteen statuses of a payment and every move between them.
 *
 * Terminal statuses are never left. A paid one moves only towards more refund.
 *
 * @since 0.1.0
 */

/** Every status KakaoPay documents. [D] */
export const statuses = [
  "READY",
  "SEND_TMS",
  "OPEN_PAYMENT",
  "SELECT_METHOD",
  "ARS_WAITING",
  "AUTH_PASSWORD",
  "ISSUED_SID",
  "SUCCESS_PAYMENT",
  "PART_CANCEL_PAYMENT",
  "CANCEL_PAYMENT",
  "FAIL_AUTH_PASSWORD",
  "QUIT_PAYMENT",
  "FAIL_PAYMENT"
] as const

/** One of the thirteen. */
export type PaymentStatus = (typeof statuses)[number]

const beforeAuthentication: ReadonlyArray<PaymentStatus> = ["AUTH_PASSWORD", "FAIL_AUTH_PASSWORD", "QUIT_PAYMENT"]

/** Every allowed move. The order of the steps before authentication is [I]; the statuses themselves are [D]. */
export const transitions: Readonly<Record<PaymentStatus, ReadonlyArray<PaymentStatus>>> = {
  READY: ["SEND_TMS", "OPEN_PAYMENT", "SELECT_METHOD", "ARS_WAITING", ...beforeAuthentication],
  SEND_TMS: ["OPEN_PAYMENT", "SELECT_METHOD", "ARS_WAITING", ...beforeAuthentication],
  OPEN_PAYMENT: ["SELECT_METHOD", "ARS_WAITING", ...beforeAuthentication],
  SELECT_METHOD: ["ARS_WAITING", ...beforeAuthentication],
  ARS_WAITING: beforeAuthentication,
  AUTH_PASSWORD: ["SUCCESS_PAYMENT", "ISSUED_SID", "FAIL_PAYMENT"],
  ISSUED_SID: [],
  SUCCESS_PAYMENT: ["PART_CANCEL_PAYMENT", "CANCEL_PAYMENT"],
  PART_CANCEL_PAYMENT: ["PART_CANCEL_PAYMENT", "CANCEL_PAYMENT"],
  CANCEL_PAYMENT: [],
  FAIL_AUTH_PASSWORD: [],
  QUIT_PAYMENT: [],
  FAIL_PAYMENT: []
}

/** Whether a move is in the table. */
export const canMove = (from: PaymentStatus, to: PaymentStatus): boolean => transitions[from].includes(to)

/** Makes a move, or throws: an illegal move is a bug of the simulator, never an answer to a client. */
export const move = (from: PaymentStatus, to: PaymentStatus): PaymentStatus => {
  if (!canMove(from, to)) throw new Error(`Illegal payment move ${from} -> ${to}`)
  return to
}

/** Waiting for the customer or for the merchant's approve. */
export const isOpen = (status: PaymentStatus): boolean =>
  status === "AUTH_PASSWORD" || transitions[status].includes("AUTH_PASSWORD")

/** Approve has succeeded once, whatever was refunded since. */
export const isApproved = (status: PaymentStatus): boolean =>
  status === "SUCCESS_PAYMENT" ||
  status === "PART_CANCEL_PAYMENT" ||
  status === "CANCEL_PAYMENT" ||
  status === "ISSUED_SID"
