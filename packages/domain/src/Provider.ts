/**
 * The words shared with every payment provider.
 *
 * A provider names things in its own way; these are our names for what it gives us. They are opaque text: stored, sent
 * back, never parsed.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

const opaque = (lengthMax: number) => Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(lengthMax))

/** The stable name under which a provider's strategy is registered, such as `kakaopay`. */
export const ProviderName = opaque(32).pipe(Schema.brand("ProviderName"))
export type ProviderName = typeof ProviderName.Type

/** The merchant's account at the provider under which a payment was made; kept with it, since lookups need it. */
export const MerchantAccount = opaque(32).pipe(Schema.brand("MerchantAccount"))
export type MerchantAccount = typeof MerchantAccount.Type

/** How the provider knows our customer; carries no personal data. */
export const CustomerReference = opaque(100).pipe(Schema.brand("CustomerReference"))
export type CustomerReference = typeof CustomerReference.Type

/** The provider's id of one payment; the same for its approval, its refunds and its lookups. */
export const TransactionId = opaque(64).pipe(Schema.brand("TransactionId"))
export type TransactionId = typeof TransactionId.Type

/** The provider's id of one request that moved money. */
export const ApprovalId = opaque(64).pipe(Schema.brand("ApprovalId"))
export type ApprovalId = typeof ApprovalId.Type

/** The provider's token with which a customer can be charged again without being asked. */
export const ProviderBillingKey = opaque(64).pipe(Schema.brand("ProviderBillingKey"))
export type ProviderBillingKey = typeof ProviderBillingKey.Type

/** The proof, carried by the customer's browser, that the customer approved one payment. */
export const ApprovalToken = opaque(200).pipe(Schema.brand("ApprovalToken"))
export type ApprovalToken = typeof ApprovalToken.Type

/** How the customer pays, in the provider's words, such as `CARD`. */
export const PaymentMethod = opaque(32).pipe(Schema.brand("PaymentMethod"))
export type PaymentMethod = typeof PaymentMethod.Type
