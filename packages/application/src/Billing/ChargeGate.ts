/**
 * The way from a billing run to the charges: straight through the protocol, or by asking the server that owns payments.
 *
 * A run lists what is due and hands it over; whoever stands behind the gate claims, sends and records. The same cycle may
 * be handed over any number of times.
 *
 * @since 0.1.0
 */
import type { BusinessDate } from "@pillivery/domain/BusinessDate"
import { Context, type Effect, Schema, type Stream } from "effect"
import type { CheckedKeys } from "../Payments/CheckKeys.ts"
import type { Reconciled } from "../Payments/Reconcile.ts"
import type { CycleKey } from "../ports/BillingLedger.ts"
import type { StorageError } from "../ports/StorageError.ts"

/**
 * What came of handing a cycle over.
 *
 * **Details**
 *
 * `isOurs` says that the provider, or the server, refused us and not the customer: only people of ours can mend why.
 */
export const CycleOutcome = Schema.TaggedUnion({
  /** A charge was sent, now or when the same was asked before. */
  Sent: { result: Schema.Literals(["charged", "declined", "notExecuted", "unknown"]), isOurs: Schema.Boolean },
  /** Nothing to charge now. */
  NotDue: { reason: Schema.String },
  /** Still owed; nothing was sent, as far as we know. */
  Postponed: { reason: Schema.String, isOurs: Schema.Boolean },
  /** The delivery cannot be made and was left out. */
  Skipped: {},
  /** Its billing key is dead; the user was told. */
  KeyLost: {},
  /** Its billing key was used as often as it may be this month. */
  Blocked: {},
  /** The ladder ended without a usable key and the final action was taken. */
  GivenUp: {}
}).annotate({ identifier: "CycleOutcome" })
export type CycleOutcome = typeof CycleOutcome.Type

/** What a run tells of itself to the gate. */
export interface Charging {
  readonly date: BusinessDate
  /** Whether the date may be one that has not come. */
  readonly isAheadAllowed: boolean
  /** Whether nothing more may be sent. */
  readonly isOver: Effect.Effect<boolean>
  /** Waits for a database that is away for a moment. */
  readonly patiently: <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  /** Told of each cycle's outcome, once for each time that the cycle was handed over. */
  readonly note: (outcome: CycleOutcome) => Effect.Effect<void>
}

/** The gate. */
export class ChargeGate extends Context.Service<
  ChargeGate,
  {
    /** Brings to an end what earlier runs left behind; the first step of a run. */
    readonly settle: Effect.Effect<Reconciled, StorageError>
    /** Charges cycles as they come. One broken subscription never stops another; a database that is gone stops them all. */
    readonly charge: (
      cycles: Stream.Stream<CycleKey, StorageError>,
      charging: Charging
    ) => Effect.Effect<void, StorageError>
    /** Compares the billing keys that were not charged with the provider's; the last step of a run. */
    readonly checkKeys: (isOver: Effect.Effect<boolean>) => Effect.Effect<CheckedKeys, StorageError>
  }
>()("@pillivery/application/Billing/ChargeGate") {}
