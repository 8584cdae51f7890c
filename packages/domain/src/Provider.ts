/**
 * The words shared with every payment provider.
 *
 * A provider names things in its own way; these are our names for what it gives us. They are opaque text: stored, sent
 * back, never parsed, and never empty. Each has its own longest length.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/** The longest name of a provider, in UTF-16 units. */
export const providerNameLengthMax = 32
/** The longest name of a merchant's account, in UTF-16 units. */
export const merchantAccountLengthMax = 32
/** The longest reference to a customer, in UTF-16 units. */
export const customerReferenceLengthMax = 100
/** The longest id of a payment, in UTF-16 units. */
export const transactionIdLengthMax = 64
/** The longest id of a request that moved money, in UTF-16 units. */
export const approvalIdLengthMax = 64
/** The longest billing key, in UTF-16 units. */
export const providerBillingKeyLengthMax = 64
/** The longest proof of an approval, in UTF-16 units. */
export const approvalTokenLengthMax = 200
/** The longest name of a way to pay, in UTF-16 units. */
export const paymentMethodLengthMax = 32

const opaque = (lengthMax: number) => Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(lengthMax))

/** The stable name under which a provider's strategy is registered, such as `kakaopay`. */
export const ProviderName = opaque(providerNameLengthMax).pipe(Schema.brand("ProviderName"))
export type ProviderName = typeof ProviderName.Type

/** The merchant's account at the provider under which a payment was made; kept with it, since lookups need it. */
export const MerchantAccount = opaque(merchantAccountLengthMax).pipe(Schema.brand("MerchantAccount"))
export type MerchantAccount = typeof MerchantAccount.Type

/** How the provider knows our customer; carries no personal data. */
export const CustomerReference = opaque(customerReferenceLengthMax).pipe(Schema.brand("CustomerReference"))
export type CustomerReference = typeof CustomerReference.Type

/** The provider's id of one payment; the same for its approval, its refunds and its lookups. */
export const TransactionId = opaque(transactionIdLengthMax).pipe(Schema.brand("TransactionId"))
export type TransactionId = typeof TransactionId.Type

/** The provider's id of one request that moved money. */
export const ApprovalId = opaque(approvalIdLengthMax).pipe(Schema.brand("ApprovalId"))
export type ApprovalId = typeof ApprovalId.Type

/** The provider's token with which a customer can be charged again without being asked. */
export const ProviderBillingKey = opaque(providerBillingKeyLengthMax).pipe(Schema.brand("ProviderBillingKey"))
export type ProviderBillingKey = typeof ProviderBillingKey.Type

/** The proof, carried by the customer's browser, that the customer approved one payment. */
export const ApprovalToken = opaque(approvalTokenLengthMax).pipe(Schema.brand("ApprovalToken"))
export type ApprovalToken = typeof ApprovalToken.Type

/** How the customer pays, in the provider's words, such as `CARD`. */
export const PaymentMethod = opaque(paymentMethodLengthMax).pipe(Schema.brand("PaymentMethod"))
export type PaymentMethod = typeof PaymentMethod.Type
