/**
 * Where refunds are kept.
 *
 * @since 0.1.0
 */
import type { AttemptId, OrderId, RefundId } from "@pillivery/domain/Ids"
import type { Refund } from "@pillivery/domain/Refund"
import { Context, type DateTime, type Effect, type Option } from "effect"
import type { AlreadyExists, StaleWrite, StorageError } from "./StorageError.ts"

/** The most refunds of one order or payment that are listed. */
export const refundsListedMax = 200

/** Refunds, by id; `update` succeeds only at the version read and then stores the next one. */
export class RefundRepository extends Context.Service<
  RefundRepository,
  {
    readonly insert: (refund: Refund) => Effect.Effect<void, StorageError | AlreadyExists>
    readonly findById: (id: RefundId) => Effect.Effect<Option.Option<Refund>, StorageError>
    readonly update: (refund: Refund) => Effect.Effect<void, StorageError | StaleWrite>
    /** Oldest first, at most `refundsListedMax`. */
    readonly listByOrder: (id: OrderId) => Effect.Effect<ReadonlyArray<Refund>, StorageError>
    /** Oldest first, at most `refundsListedMax`. */
    readonly listByAttempt: (id: AttemptId) => Effect.Effect<ReadonlyArray<Refund>, StorageError>
    /** Requested refunds, oldest first. */
    readonly listRequested: (limit: number) => Effect.Effect<ReadonlyArray<RefundId>, StorageError>
    /** Sent refunds whose lease ended on the database's clock. */
    readonly listAbandonedBySender: (
      databaseNow: DateTime.Utc,
      limit: number
    ) => Effect.Effect<ReadonlyArray<RefundId>, StorageError>
    /** Unknown refunds to be asked about at `at`. */
    readonly listToAskAbout: (at: DateTime.Utc, limit: number) => Effect.Effect<ReadonlyArray<RefundId>, StorageError>
  }
>()("@pillivery/application/RefundRepository") {}
