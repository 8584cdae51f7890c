/**
 * Every bound of the simulator, by name. Each can be lowered or raised through `Simulator.Options["limits"]`.
 *
 * @since 0.1.0
 */

/** Bounds that keep an in-memory server from growing without end. */
export interface Limits {
  /** Payments (`tid`) kept. The next one is refused with an explicit capacity error instead of forgetting an old one. */
  readonly paymentCountMax: number
  /** Billing keys (`sid`) kept. */
  readonly billingKeyCountMax: number
  /** Cancels accepted for one payment. */
  readonly cancelsPerPaymentMax: number
  /** Calls kept in the log; the oldest are dropped and counted. */
  readonly callsLoggedMax: number
  /** Largest request body read. */
  readonly bodyBytesMax: number
  /** Fault rules in force at one time. */
  readonly faultRuleCountMax: number
  /** Decline rules in force at one time. */
  readonly declineRuleCountMax: number
  /** Executions waiting for their late commit. */
  readonly lateCommitCountMax: number
  /** Longest time a call without an answer is left open before its socket is reset. */
  readonly unansweredMillisMax: number
  /** Rows one control answer returns at most. */
  readonly controlRowsMax: number
}

/** The bounds used unless an option says otherwise. */
export const defaultLimits: Limits = {
  paymentCountMax: 500_000,
  billingKeyCountMax: 500_000,
  cancelsPerPaymentMax: 100,
  callsLoggedMax: 50_000,
  bodyBytesMax: 64 * 1024,
  faultRuleCountMax: 1_000,
  declineRuleCountMax: 100_000,
  lateCommitCountMax: 100_000,
  unansweredMillisMax: 10 * 60_000,
  controlRowsMax: 100_000
}
