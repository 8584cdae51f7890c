/**
 * Where payments and their attempts are kept.
 *
 * @since 0.1.0
 */
import type { Attempt } from "@pillivery/domain/Attempt"
import type { BillingKeyId, AttemptId, PaymentId } from "@pillivery/domain/Ids"
import type { Payment, Subject } from "@pillivery/domain/Payment"
import type { CustomerReference, ProviderName } from "@pillivery/domain/Provider"
import { Context, type DateTime, type Effect, type Option } from "effect"
import type { AlreadyExists, StaleWrite, StorageError } from "./StorageError.ts"

/** The most attempts one payment is ever listed with. */
export const attemptsListedMax = 100

/**
 * Payments, unique by subject, and attempts, by id.
 *
 * **Details**
 *
 * `updateAttempt` succeeds only at the version read and then stores the next one. The user slot is the one money call a
 * customer may have in flight at a provider: `takeUserSlot` answers false while another attempt holds it, true when this
 * attempt holds it now; only the holder's release changes anything.
 */
export class PaymentRepository extends Context.Service<
  PaymentRepository,
  {
    readonly insertPayment: (payment: Payment) => Effect.Effect<void, StorageError | AlreadyExists>
    readonly findPayment: (id: PaymentId) => Effect.Effect<Option.Option<Payment>, StorageError>
    readonly findPaymentBySubject: (subject: Subject) => Effect.Effect<Option.Option<Payment>, StorageError>
    readonly insertAttempt: (attempt: Attempt) => Effect.Effect<void, StorageError | AlreadyExists>
    readonly findAttempt: (id: AttemptId) => Effect.Effect<Option.Option<Attempt>, StorageError>
    readonly updateAttempt: (attempt: Attempt) => Effect.Effect<void, StorageError | StaleWrite>
    /** Oldest first, at most `attemptsListedMax`. */
    readonly listAttempts: (paymentId: PaymentId) => Effect.Effect<ReadonlyArray<Attempt>, StorageError>
    /** Prepared and sent attempts whose lease ended on the database's clock. */
    readonly listAbandonedBySender: (
      databaseNow: DateTime.Utc,
      limit: number
    ) => Effect.Effect<ReadonlyArray<AttemptId>, StorageError>
    /** Unknown attempts to be asked about at `at`, longest waiting first. */
    readonly listToAskAbout: (at: DateTime.Utc, limit: number) => Effect.Effect<ReadonlyArray<AttemptId>, StorageError>
    /** Waiting attempts whose transaction expired before `at`. */
    readonly listExpiredWaiting: (
      at: DateTime.Utc,
      limit: number
    ) => Effect.Effect<ReadonlyArray<AttemptId>, StorageError>
    readonly takeUserSlot: (
      provider: ProviderName,
      customer: CustomerReference,
      attemptId: AttemptId
    ) => Effect.Effect<boolean, StorageError>
    readonly releaseUserSlot: (
      provider: ProviderName,
      customer: CustomerReference,
      attemptId: AttemptId
    ) => Effect.Effect<void, StorageError>
    /** How many attempts made since then with a billing key moved money, or may have. */
    readonly countKeyUses: (key: {
      readonly billingKeyId: BillingKeyId
      readonly since: DateTime.Utc
    }) => Effect.Effect<number, StorageError>
    /** How many attempts stand in each state. */
    readonly countAttempts: Effect.Effect<Readonly<Record<Attempt["_tag"], number>>, StorageError>
  }
>()("@pillivery/application/PaymentRepository") {}
