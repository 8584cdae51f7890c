/**
 * Where billing keys are kept.
 *
 * @since 0.1.0
 */
import type { BillingKey } from "@pillivery/domain/BillingKey"
import * as BusinessDate from "@pillivery/domain/BusinessDate"
import type { BillingKeyId } from "@pillivery/domain/Ids"
import { Context, type DateTime, type Effect, type Option } from "effect"
import type { AlreadyExists, StaleWrite, StorageError } from "./StorageError.ts"

/** A key that waits for its daily comparison with the provider, and the date of the one before. */
export interface Unchecked {
  readonly id: BillingKeyId
  /** {@link neverCheckedOn} where it was never compared. */
  readonly checkedOn: BusinessDate.BusinessDate
}

/** Before every day of business: the date on which a key counts as compared until it is. */
export const neverCheckedOn: BusinessDate.BusinessDate = BusinessDate.BusinessDate.make(BusinessDate.dateMin)

/** Billing keys, unique by the provider's own key; `update` succeeds only at the version read and stores the next one. */
export class BillingKeyRepository extends Context.Service<
  BillingKeyRepository,
  {
    readonly insert: (key: BillingKey) => Effect.Effect<void, StorageError | AlreadyExists>
    readonly findById: (id: BillingKeyId) => Effect.Effect<Option.Option<BillingKey>, StorageError>
    readonly update: (key: BillingKey) => Effect.Effect<void, StorageError | StaleWrite>
    /**
     * Active keys that no attempt holds, last compared before the date `on` and without a known approval since
     * `approvedBefore`; longest ago first, then by id, after `after`.
     */
    readonly listUnchecked: (options: {
      readonly on: BusinessDate.BusinessDate
      readonly approvedBefore: DateTime.Utc
      readonly after: Unchecked | null
      readonly limit: number
    }) => Effect.Effect<ReadonlyArray<Unchecked>, StorageError>
    /** Notes that a key was compared with the provider on a date; its version does not move, so no charge is disturbed. */
    readonly markChecked: (id: BillingKeyId, on: BusinessDate.BusinessDate) => Effect.Effect<void, StorageError>
    /** Takes every comparison back, so that the next sweep makes them all. */
    readonly uncheckAll: Effect.Effect<void, StorageError>
  }
>()("@pillivery/application/BillingKeyRepository") {}
