/**
 * The port to a payment provider.
 *
 * Each method makes exactly one call and answers with a value: an answer class when the provider spoke, `Unknown` when
 * money may have moved and nobody can tell, `NotExecuted` when provably nothing happened. No method retries, and none
 * fails: a new provider is one new adapter that keeps these laws.
 *
 * 1. A reply that is not understood is `Unknown`, never a refusal.
 * 2. `NotExecuted` with `why: "local"` is answered only when not one byte of the request was written.
 * 3. A request whose `dispatchBefore` has passed is not written; the answer is `NotExecuted`, `why: "local"`.
 * 4. One call is one request: nothing below this port sends it again.
 * 5. Amounts are sent and compared as given; an approval of another amount is answered as it came.
 * 6. A second approval of a settled transaction is no refusal: it is `Unknown`, for it says that money moved some time, or
 *    the first approval again from a provider that repeats its answers.
 * 7. A refund's answer tells all that was given back of the payment so far.
 * 8. A lookup changes nothing; what is no answer is `LookupFailed`.
 * 9. The provider's times are told as it told them, never corrected by our clock.
 *
 * `docs/how-to/add-a-payment-provider.md` says how to write and prove one.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { RedirectUrls } from "./Attempt.ts"
import { AttemptId, RefundId } from "./Ids.ts"
import {
  ApprovalToken,
  CustomerReference,
  MerchantAccount,
  ProviderBillingKey,
  ProviderName,
  TransactionId
} from "./Provider.ts"
import { NotExecuted, type ProviderAnswer, Unknown } from "./ProviderAnswer.ts"
import { Won } from "./Won.ts"

/**
 * Until when a request may begin to be written: whichever of the two clocks is there first.
 *
 * **Details**
 *
 * Milliseconds of the process clock: `monotonicMillis` as Effect's `Clock.monotonicTimeNanos` tells it, `wallMillis` as
 * `Clock.currentTimeMillis` does.
 */
export interface DispatchDeadline {
  readonly monotonicMillis: number
  readonly wallMillis: number
}

/** Asks for a transaction the customer can approve; an amount of zero registers a billing key without charging. */
export interface PrepareRequest {
  readonly attemptId: AttemptId
  readonly merchantAccount: MerchantAccount
  readonly customerReference: CustomerReference
  readonly itemName: string
  readonly quantity: number
  readonly amount: Won
  readonly approvalUrl: string
  readonly cancelUrl: string
  readonly failUrl: string
}

/** The customer approved; takes the money. */
export interface ApproveRequest {
  readonly attemptId: AttemptId
  readonly merchantAccount: MerchantAccount
  readonly customerReference: CustomerReference
  readonly transactionId: TransactionId
  readonly approvalToken: ApprovalToken
  readonly amount: Won
  readonly dispatchBefore: DispatchDeadline
}

/** Takes money with a billing key. */
export interface ChargeRequest {
  readonly attemptId: AttemptId
  readonly merchantAccount: MerchantAccount
  readonly customerReference: CustomerReference
  readonly billingKey: ProviderBillingKey
  readonly itemName: string
  readonly quantity: number
  readonly amount: Won
  readonly dispatchBefore: DispatchDeadline
}

/** Gives money back; `available` guards against a refund we do not know of. */
export interface RefundRequest {
  readonly refundId: RefundId
  readonly merchantAccount: MerchantAccount
  readonly transactionId: TransactionId
  readonly amount: Won
  /** What the provider took by this payment; with `available` it tells which part of the tax is given back. */
  readonly approved: Won
  /** What can still be given back by our books, this refund included. */
  readonly available: Won
  readonly dispatchBefore: DispatchDeadline
}

/** Names a payment made under one merchant account. */
export interface PaymentLookup {
  readonly merchantAccount: MerchantAccount
  readonly transactionId: TransactionId
}

/** Names a billing key issued under one merchant account. */
export interface BillingKeyLookup {
  readonly merchantAccount: MerchantAccount
  readonly billingKey: ProviderBillingKey
}

/** The provider opened a transaction. */
export class Prepared extends Schema.TaggedClass<Prepared>("@pillivery/domain/PaymentStrategy/Prepared")("Prepared", {
  transactionId: TransactionId,
  redirectUrls: RedirectUrls,
  expiresAt: Schema.DateTimeUtc
}) {}

/** The answer to a request for a transaction; no money can move by it. */
export type PrepareAnswer = Prepared | NotExecuted | Unknown

const detail = Schema.String.check(Schema.isMaxLength(500))

/** The provider gave the money back; `refundedTotal` is all it gave back of this payment so far. */
export class RefundDone extends Schema.TaggedClass<RefundDone>("@pillivery/domain/PaymentStrategy/RefundDone")(
  "RefundDone",
  { refundedTotal: Won, at: Schema.DateTimeUtc }
) {}

/** The provider refuses the refund definitely; a lookup confirms it before it is believed. */
export class RefundRefused extends Schema.TaggedClass<RefundRefused>("@pillivery/domain/PaymentStrategy/RefundRefused")(
  "RefundRefused",
  { code: Schema.String, detail }
) {}

/** The answer to a refund. */
export type RefundAnswer = RefundDone | RefundRefused | NotExecuted | Unknown

/** The billing key is dead at the provider. */
export class Deactivated extends Schema.TaggedClass<Deactivated>("@pillivery/domain/PaymentStrategy/Deactivated")(
  "Deactivated",
  {}
) {}

/** The answer to a deactivation; repeating it is harmless. */
export type DeactivateAnswer = Deactivated | NotExecuted | Unknown

/** What the provider knows of one payment. */
export class PaymentFound extends Schema.TaggedClass<PaymentFound>("@pillivery/domain/PaymentStrategy/PaymentFound")(
  "PaymentFound",
  {
    /** `waiting`: the customer or we have not finished. `approved`: money moved. `failed`: it never will. */
    standing: Schema.Literals(["waiting", "approved", "failed"]),
    attemptId: Schema.NullOr(AttemptId),
    amount: Won,
    refundedTotal: Won,
    approvedAt: Schema.NullOr(Schema.DateTimeUtc)
  }
) {}

/** The provider does not know the payment. */
export class PaymentMissing extends Schema.TaggedClass<PaymentMissing>(
  "@pillivery/domain/PaymentStrategy/PaymentMissing"
)("PaymentMissing", { detail }) {}

/** The lookup told nothing: ask again later. `isOurFault` marks answers that people of ours must mend. */
export class LookupFailed extends Schema.TaggedClass<LookupFailed>("@pillivery/domain/PaymentStrategy/LookupFailed")(
  "LookupFailed",
  { isOurFault: Schema.Boolean, detail }
) {}

/** The answer to a lookup of a payment. */
export type PaymentLookupAnswer = PaymentFound | PaymentMissing | LookupFailed

/** What the provider knows of one billing key; `lastApprovedAt` has second precision. */
export class BillingKeyFound extends Schema.TaggedClass<BillingKeyFound>(
  "@pillivery/domain/PaymentStrategy/BillingKeyFound"
)("BillingKeyFound", { isActive: Schema.Boolean, lastApprovedAt: Schema.NullOr(Schema.DateTimeUtc) }) {}

/** The provider does not know the billing key. */
export class BillingKeyMissing extends Schema.TaggedClass<BillingKeyMissing>(
  "@pillivery/domain/PaymentStrategy/BillingKeyMissing"
)("BillingKeyMissing", { detail }) {}

/** The answer to a lookup of a billing key. */
export type BillingKeyLookupAnswer = BillingKeyFound | BillingKeyMissing | LookupFailed

/** One payment provider. */
export interface PaymentStrategy {
  readonly provider: ProviderName
  /** Under which account a payment is made: a plain one, or one that issues billing keys. */
  readonly merchantAccountFor: (kind: "oneTime" | "subscription") => MerchantAccount
  readonly prepare: (request: PrepareRequest) => Effect.Effect<PrepareAnswer>
  readonly approve: (request: ApproveRequest) => Effect.Effect<ProviderAnswer>
  readonly charge: (request: ChargeRequest) => Effect.Effect<ProviderAnswer>
  readonly refund: (request: RefundRequest) => Effect.Effect<RefundAnswer>
  readonly deactivate: (request: BillingKeyLookup) => Effect.Effect<DeactivateAnswer>
  readonly lookupPayment: (request: PaymentLookup) => Effect.Effect<PaymentLookupAnswer>
  readonly lookupBillingKey: (request: BillingKeyLookup) => Effect.Effect<BillingKeyLookupAnswer>
}

/** Every provider in use, by the name stored on each payment. */
export class PaymentStrategies extends Context.Service<
  PaymentStrategies,
  {
    /** The strategy of a stored payment; null when its provider is no longer configured. */
    readonly find: (provider: ProviderName) => PaymentStrategy | null
    /** The provider new payments are made with. */
    readonly preferred: PaymentStrategy
  }
>()("@pillivery/domain/PaymentStrategy/PaymentStrategies") {}
