/**
 * Why a provider refused to move money.
 *
 * Only answers that say definitely that no money moved are declines. `Soft` may succeed on another day and climbs the
 * dunning ladder; `Hard` needs the customer to act; `Blocked` waits for the next month. The provider's raw code and
 * message are kept for people; no rule reads them.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/** The longest code of a provider that is kept, in UTF-16 units. */
export const codeLengthMax = 100
/** The longest message of a provider that is kept, in UTF-16 units. */
export const messageLengthMax = 500

const raw = {
  code: Schema.String.check(Schema.isMaxLength(codeLengthMax)),
  message: Schema.String.check(Schema.isMaxLength(messageLengthMax))
}

/** The provider may accept the same charge on another day. */
export class Soft extends Schema.TaggedClass<Soft>("@pillivery/domain/DeclineReason/Soft")("Soft", {
  kind: Schema.Literals(["InsufficientFunds", "LimitExceeded", "Refused"]),
  ...raw
}) {}

/** The provider will not accept a charge until the customer acts. */
export class Hard extends Schema.TaggedClass<Hard>("@pillivery/domain/DeclineReason/Hard")("Hard", {
  kind: Schema.Literals(["CardUnusable", "AccountUnusable", "BillingKeyRevoked"]),
  ...raw
}) {}

/** The billing key has been used as often as it may be this month. */
export class Blocked extends Schema.TaggedClass<Blocked>("@pillivery/domain/DeclineReason/Blocked")("Blocked", {
  kind: Schema.Literal("MonthlyUsesExceeded"),
  ...raw
}) {}

/** Why a provider refused. */
export const DeclineReason = Schema.Union([Soft, Hard, Blocked]).pipe(Schema.toTaggedUnion("_tag"))
export type DeclineReason = typeof DeclineReason.Type
