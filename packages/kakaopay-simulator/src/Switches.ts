/**
 * Behaviours that are unknown, inferred or optional, each as a switch so that a client can be tested with both settings.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as Struct from "effect/Struct"

const dayMillis = 24 * 60 * 60_000

const Milliseconds = (minimum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum: dayMillis }))
const Percentage = Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1 }))

const AbsentFields = Schema.Literals(["null", "missing"])

/** Every switch. The letter says how sure we are that the real provider behaves as the default does. */
export const Switches = Schema.Struct({
  /** [D-old] -780, -781 and -782 answer with status 500 instead of 400. */
  failuresAre500: Schema.Boolean,
  /** [U] Body of the 401 answer to a bad or missing key, as sent. */
  unauthorizedBody: Schema.String,
  /** [U] Status of the answer to a bad or missing key. */
  unauthorizedStatus: Schema.Literals([401, 403]),
  /** [C] Accept `DEV_SECRET_KEY <key>` beside `SECRET_KEY <key>`. */
  acceptDevSecretKeyScheme: Schema.Boolean,
  /** [C] How long after `ready` a payment can be authenticated and approved. */
  paymentWindowMillis: Milliseconds(1),
  /** [I] Code for an approve whose total differs from ready's. */
  totalMismatchCode: Schema.Literals([-722, -725]),
  /** [U] Charges of one key allowed in one Korean calendar month (-752); null means no cap. */
  subscriptionMonthlyCap: Schema.NullOr(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1_000_000 }))),
  /** [U] A first payment that took money counts as one of those charges. */
  firstPaymentCountsAsUse: Schema.Boolean,
  /** [U] How long a charge with the order id of an earlier one answers -785; 0 means that order ids are never compared. */
  duplicateChargeMillis: Milliseconds(0),
  /** [D for true, older pages for false] A recurring charge needs `item_name`. */
  chargeNeedsItemName: Schema.Boolean,
  /** [I] Enforce `cancel_available_amount` when the client sends it. */
  enforceCancelAvailableAmount: Schema.Boolean,
  /** [U] Code for a `cancel_available_amount` that does not agree. */
  cancelAvailableMismatchCode: Schema.Literals([-710, -722]),
  /** [D] Two overlapping money calls of one partner_user_id: the second fails with USER_LOCKED. */
  lockUserOnOverlap: Schema.Boolean,
  /** [I] A late commit that has not landed yet also locks its user. */
  lateCommitLocksUser: Schema.Boolean,
  /** [D] MONEY fails with BANK_FIRM_UNAVAILABLE from 23:30 to 00:35 KST. Off, so that tests pass at any hour. */
  bankCheckWindow: Schema.Boolean,
  /** [I] A declined approve ends the payment with FAIL_PAYMENT; otherwise it can be approved again. */
  declinedApproveEndsPayment: Schema.Boolean,
  /** [U] Inactivating an inactive key: repeat the first answer, or -751. */
  repeatedInactive: Schema.Literals(["answer", "error"]),
  /** [U] Whether issuing a key without a charge counts as its last approval. */
  keyOnlySetsLastApprovedAt: Schema.Boolean,
  /** [U] Whether a declined charge counts as the key's last approval. */
  declinedChargeSetsLastApprovedAt: Schema.Boolean,
  /** [C] How an empty last_approved_at is written. */
  emptyLastApprovedAt: Schema.Literals(["null", "missing", "empty"]),
  /** [U] How absent fields of a recurring charge's answer are written. */
  chargeAbsentFields: AbsentFields,
  /** [U] How absent fields of `status`, other than last_approved_at, are written. */
  statusAbsentFields: AbsentFields,
  /** [U] How `order` writes what is not known before approval. */
  orderFieldsBeforeApproval: AbsentFields,
  /** [U] Method used when neither ready nor the customer chose one. */
  defaultPaymentMethod: Schema.Literals(["CARD", "MONEY"]),
  /** [C] Keys of every answer come in random order. */
  shuffleKeys: Schema.Boolean,
  /** [C] Probability that an answer carries unknown extra keys. */
  extraKeysRate: Percentage,
  /** [C] Probability that later answers show approved_at one second later than approve did. */
  approvedAtDriftRate: Percentage,
  /** [C] Probability that an action of `order` lacks amount and payment_method_type. */
  sparseActionRate: Percentage
})

/** The settings in force. */
export type Switches = typeof Switches.Type

/** A partial change of the settings. */
export const SwitchesPatch = Switches.mapFields(Struct.map(Schema.optionalKey))

/** Some of the settings. */
export type SwitchesPatch = typeof SwitchesPatch.Type

/** The settings a new simulator starts with. */
export const defaults: Switches = {
  failuresAre500: false,
  unauthorizedBody: '{"error_code":-401,"error_message":"invalid secret key"}',
  unauthorizedStatus: 401,
  acceptDevSecretKeyScheme: false,
  paymentWindowMillis: 15 * 60_000,
  totalMismatchCode: -725,
  subscriptionMonthlyCap: null,
  firstPaymentCountsAsUse: false,
  duplicateChargeMillis: 0,
  chargeNeedsItemName: false,
  enforceCancelAvailableAmount: true,
  cancelAvailableMismatchCode: -710,
  lockUserOnOverlap: true,
  lateCommitLocksUser: false,
  bankCheckWindow: false,
  declinedApproveEndsPayment: true,
  repeatedInactive: "answer",
  keyOnlySetsLastApprovedAt: false,
  declinedChargeSetsLastApprovedAt: false,
  emptyLastApprovedAt: "null",
  chargeAbsentFields: "null",
  statusAbsentFields: "null",
  orderFieldsBeforeApproval: "missing",
  defaultPaymentMethod: "MONEY",
  shuffleKeys: true,
  extraKeysRate: 0.3,
  approvedAtDriftRate: 0.5,
  sparseActionRate: 0.25
}
