/**
 * What a provider's answer to a money call means.
 *
 * An adapter turns every reply, and every failure to get one, into exactly one of these classes. The classes differ in
 * what may be done next, which is all the rest of the system needs to know. When in doubt an adapter answers `Unknown`:
 * unknown is not failed.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { DeclineReason } from "./DeclineReason.ts"
import { ApprovalId, PaymentMethod, ProviderBillingKey, TransactionId } from "./Provider.ts"
import { Won } from "./Won.ts"

const detail = Schema.String.check(Schema.isMaxLength(500))

/** Money moved: the provider named the payment and the amount. */
export class Approved extends Schema.TaggedClass<Approved>("@pillivery/domain/ProviderAnswer/Approved")("Approved", {
  transactionId: TransactionId,
  approvalId: ApprovalId,
  amount: Won,
  approvedAt: Schema.DateTimeUtc,
  method: PaymentMethod,
  billingKey: Schema.NullOr(ProviderBillingKey)
}) {}

/** No money moved, by the provider's definite word. */
export class Declined extends Schema.TaggedClass<Declined>("@pillivery/domain/ProviderAnswer/Declined")("Declined", {
  reason: DeclineReason
}) {}

/**
 * The call was not executed.
 *
 * **Details**
 *
 * `local`: provably nothing was sent. `word`: the provider says it did not try; its evidence is asked before a resend.
 * `ours`: configuration, quota or a bug of ours; people must act, the customer is not to blame.
 */
export class NotExecuted extends Schema.TaggedClass<NotExecuted>("@pillivery/domain/ProviderAnswer/NotExecuted")(
  "NotExecuted",
  { why: Schema.Literals(["local", "word", "ours"]), detail }
) {}

/** The customer has not finished at the provider, or the token is not the customer's: back to waiting. */
export class NotYet extends Schema.TaggedClass<NotYet>("@pillivery/domain/ProviderAnswer/NotYet")("NotYet", {
  detail
}) {}

/** This transaction can never be approved any more; a new one must be prepared. */
export class Expired extends Schema.TaggedClass<Expired>("@pillivery/domain/ProviderAnswer/Expired")("Expired", {
  detail
}) {}

/** The call may have moved money. It is never sent again before the provider was asked. */
export class Unknown extends Schema.TaggedClass<Unknown>("@pillivery/domain/ProviderAnswer/Unknown")("Unknown", {
  detail
}) {}

/** What the provider's answer to an approval or a charge means. */
export const ProviderAnswer = Schema.Union([Approved, Declined, NotExecuted, NotYet, Expired, Unknown]).pipe(
  Schema.toTaggedUnion("_tag")
)
export type ProviderAnswer = typeof ProviderAnswer.Type
