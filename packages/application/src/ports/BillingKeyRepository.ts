/**
 * Where billing keys are kept.
 *
 * @since 0.1.0
 */
import type { BillingKey } from "@pillivery/domain/BillingKey"
import type { BillingKeyId } from "@pillivery/domain/Ids"
import { Context, type Effect, type Option } from "effect"
import type { AlreadyExists, StaleWrite, StorageError } from "./StorageError.ts"

/** Billing keys, unique by the provider's own key; `update` succeeds only at the version read and stores the next one. */
export class BillingKeyRepository extends Context.Service<
  BillingKeyRepository,
  {
    readonly insert: (key: BillingKey) => Effect.Effect<void, StorageError | AlreadyExists>
    readonly findById: (id: BillingKeyId) => Effect.Effect<Option.Option<BillingKey>, StorageError>
    readonly update: (key: BillingKey) => Effect.Effect<void, StorageError | StaleWrite>
  }
>()("@pillivery/application/BillingKeyRepository") {}
