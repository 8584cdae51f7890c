/**
 * The right to charge a customer again without asking.
 *
 * A key belongs to one customer at one provider; several subscriptions may use it. Its `inFlight` slot is the one place
 * a charge holds the key from before it is sent until its outcome is certain, so that the provider's only evidence, the
 * key's last approval, always speaks about one charge.
 *
 * @since 0.1.0
 */
import type * as DateTime from "effect/DateTime"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { AttemptId, BillingKeyId, UserId } from "./Ids.ts"
import { CustomerReference, MerchantAccount, ProviderBillingKey, ProviderName } from "./Provider.ts"
import * as State from "./State.ts"

const common = {
  id: BillingKeyId,
  userId: UserId,
  provider: ProviderName,
  merchantAccount: MerchantAccount,
  customerReference: CustomerReference,
  /** The attempt that holds the key. */
  inFlight: Schema.NullOr(AttemptId),
  /** The greatest approval time the provider reported for this key; null where none is known. */
  lastKnownApproval: Schema.NullOr(Schema.DateTimeUtc),
  /** Subscriptions that would charge it. */
  liveUses: Schema.Int,
  createdAt: Schema.DateTimeUtc,
  version: Schema.Int
}

const issued = { billingKey: ProviderBillingKey }

/** The customer has been asked to register it at the provider. */
export class Pending extends Schema.TaggedClass<Pending>("@pillivery/domain/BillingKey/Pending")("Pending", common) {}

/** Can be charged. */
export class Active extends Schema.TaggedClass<Active>("@pillivery/domain/BillingKey/Active")("Active", {
  ...common,
  ...issued
}) {}

/** Nothing uses it; the provider is being told. */
export class Retiring extends Schema.TaggedClass<Retiring>("@pillivery/domain/BillingKey/Retiring")("Retiring", {
  ...common,
  ...issued
}) {}

/** The provider has deactivated it at our word. */
export class Retired extends Schema.TaggedClass<Retired>("@pillivery/domain/BillingKey/Retired")("Retired", {
  ...common,
  ...issued
}) {}

/** The customer or the provider took it back. */
export class Revoked extends Schema.TaggedClass<Revoked>("@pillivery/domain/BillingKey/Revoked")("Revoked", {
  ...common,
  ...issued
}) {}

/** The provider's evidence contradicts our books; nothing is charged until a person decided. */
export class Frozen extends Schema.TaggedClass<Frozen>("@pillivery/domain/BillingKey/Frozen")("Frozen", {
  ...common,
  ...issued
}) {}

/** The customer never registered it. */
export class Abandoned extends Schema.TaggedClass<Abandoned>("@pillivery/domain/BillingKey/Abandoned")(
  "Abandoned",
  common
) {}

/** A billing key in any of its states. */
export const BillingKey = Schema.Union([Pending, Active, Retiring, Retired, Revoked, Frozen, Abandoned]).pipe(
  Schema.toTaggedUnion("_tag")
)
export type BillingKey = typeof BillingKey.Type
/** The name of a state of a billing key. */
export type Tag = BillingKey["_tag"]

/** Every allowed move: which commands each state knows, and where each leads. */
export const transitions = {
  Pending: { activate: ["Active"], attach: ["Pending"], abandon: ["Abandoned"] },
  Active: { hold: ["Active"], attach: ["Active"], retire: ["Retiring"], revoke: ["Revoked"], freeze: ["Frozen"] },
  Retiring: { confirmRetired: ["Retired"] },
  Retired: {},
  Revoked: {},
  Frozen: { unfreeze: ["Active"], revoke: ["Revoked"] },
  Abandoned: {}
} as const satisfies State.Transitions<Tag>

/** The key is not in a state from which `command` leads anywhere. */
export class BillingKeyTransitionDenied extends Schema.TaggedError<BillingKeyTransitionDenied>(
  "@pillivery/domain/BillingKey/BillingKeyTransitionDenied"
)("BillingKeyTransitionDenied", { billingKeyId: BillingKeyId, from: Schema.String, command: Schema.String }) {
  override get message() {
    return `billing key ${this.billingKeyId} is ${this.from} and does not allow ${this.command}`
  }
}

type Command = State.CommandOf<typeof transitions>
type Move<C extends Command, Args extends ReadonlyArray<unknown>, To, E = never> = State.Move<
  BillingKey,
  typeof transitions,
  C,
  Args,
  Result.Result<To, BillingKeyTransitionDenied | E>
>

const denied = (self: BillingKey, command: Command) =>
  Result.fail(new BillingKeyTransitionDenied({ billingKeyId: self.id, from: self._tag, command }))

/** The provider issued the key; `approvedAt` is the time of the first charge, null when none was made. */
export const activate: Move<"activate", [billingKey: ProviderBillingKey, approvedAt: DateTime.Utc | null], Active> = (
  self: BillingKey,
  billingKey,
  approvedAt
) =>
  self._tag === "Pending"
    ? Result.succeed(State.next(Active, self, { billingKey, lastKnownApproval: approvedAt }))
    : denied(self, "activate")

/** The key that a payment issued beside taking the money; `approvedAt` is the time of that payment. */
export const issuedWithPayment = (
  payment: Pick<Active, "userId" | "provider" | "merchantAccount" | "customerReference" | "billingKey" | "liveUses"> & {
    readonly id: BillingKeyId
    readonly approvedAt: DateTime.Utc
    readonly at: DateTime.Utc
  }
): Active => {
  const { approvedAt, at, ...fields } = payment
  return new Active({ ...fields, inFlight: null, lastKnownApproval: approvedAt, createdAt: at, version: 0 })
}

/** The customer never registered it. */
export const abandon: Move<"abandon", [], Abandoned> = (self: BillingKey) =>
  self._tag === "Pending" ? Result.succeed(State.next(Abandoned, self, {})) : denied(self, "abandon")

/** Takes the slot for one charge. */
export const hold: Move<"hold", [attemptId: AttemptId], Active> = (self: BillingKey, attemptId) =>
  self._tag === "Active" && self.inFlight === null
    ? Result.succeed(State.next(Active, self, { inFlight: attemptId }))
    : denied(self, "hold")

/** Gives the slot back; only its holder can, another attempt changes nothing. */
export const release = <Key extends BillingKey>(self: Key, attemptId: AttemptId): Key =>
  self.inFlight === attemptId ? withFields(self, { inFlight: null }) : self

/** Remembers an approval of the key; never goes back in time. */
export const rememberApproval = <Key extends BillingKey>(self: Key, at: DateTime.Utc): Key =>
  self.lastKnownApproval === null || self.lastKnownApproval.epochMilliseconds < at.epochMilliseconds
    ? withFields(self, { lastKnownApproval: at })
    : self

/** One more subscription charges it. */
export const attach: Move<"attach", [], BillingKey> = (self: BillingKey) =>
  self._tag === "Active" || self._tag === "Pending"
    ? Result.succeed(withFields(self, { liveUses: self.liveUses + 1 }))
    : denied(self, "attach")

/** One subscription fewer charges it. */
export const detach = <Key extends BillingKey>(self: Key): Key =>
  withFields(self, { liveUses: Math.max(0, self.liveUses - 1) })

/** Whether nothing uses it any more, so that the provider should be told. */
export const isRetirable = (self: BillingKey): self is Active =>
  self._tag === "Active" && self.liveUses === 0 && self.inFlight === null

/** Begins to retire a key that nothing uses and nothing holds. */
export const retire: Move<"retire", [], Retiring> = (self: BillingKey) =>
  isRetirable(self) ? Result.succeed(State.next(Retiring, self, {})) : denied(self, "retire")

/** The provider confirmed that the key is dead. */
export const confirmRetired: Move<"confirmRetired", [], Retired> = (self: BillingKey) =>
  self._tag === "Retiring" ? Result.succeed(State.next(Retired, self, {})) : denied(self, "confirmRetired")

/** The provider says that the customer took the key back. */
export const revoke: Move<"revoke", [], Revoked> = (self: BillingKey) =>
  self._tag === "Active" || self._tag === "Frozen"
    ? Result.succeed(State.next(Revoked, self, {}))
    : denied(self, "revoke")

/** Stops all charging: evidence and books disagree. */
export const freeze: Move<"freeze", [], Frozen> = (self: BillingKey) =>
  self._tag === "Active" ? Result.succeed(State.next(Frozen, self, {})) : denied(self, "freeze")

/** An operator found the key in order. */
export const unfreeze: Move<"unfreeze", [], Active> = (self: BillingKey) =>
  self._tag === "Frozen" ? Result.succeed(State.next(Active, self, {})) : denied(self, "unfreeze")

const withFields = <Key extends BillingKey>(
  self: Key,
  fields: Partial<Pick<Pending, "inFlight" | "lastKnownApproval" | "liveUses">>
): Key =>
  BillingKey.match(self as BillingKey, {
    Pending: (key) => new Pending({ ...key, ...fields }),
    Active: (key) => new Active({ ...key, ...fields }),
    Retiring: (key) => new Retiring({ ...key, ...fields }),
    Retired: (key) => new Retired({ ...key, ...fields }),
    Revoked: (key) => new Revoked({ ...key, ...fields }),
    Frozen: (key) => new Frozen({ ...key, ...fields }),
    Abandoned: (key) => new Abandoned({ ...key, ...fields })
  }) as BillingKey as Key
