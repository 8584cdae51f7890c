/**
 * Where requests that carry an idempotency key are remembered.
 *
 * @since 0.1.0
 */
import { Context, type Effect, type Option } from "effect"
import type { AlreadyExists, StaleWrite, StorageError } from "./StorageError.ts"

/** Names one request: who makes it, of what, under which key. */
export interface RequestKey {
  readonly principal: string
  readonly endpoint: string
  readonly key: string
}

/** The longest principal and endpoint, in ASCII characters. */
export const nameLengthMax = 64
/** The longest key, in ASCII characters. */
export const keyLengthMax = 200
/** The longest fingerprint, in ASCII characters. */
export const fingerprintLengthMax = 200

/** What a request asked for, and the id of what it made: an order, an attempt, a refund. */
export interface BoundRequest {
  readonly fingerprint: string
  readonly resourceId: string
}

/**
 * Requests, unique by key; they do not expire.
 *
 * **Details**
 *
 * `bind` and `rebind` are made in the transaction that makes the resource, so that a request is never bound to one that is
 * not there. `rebind` succeeds only while the request is bound to `from`.
 */
export class IdempotencyStore extends Context.Service<
  IdempotencyStore,
  {
    readonly find: (request: RequestKey) => Effect.Effect<Option.Option<BoundRequest>, StorageError>
    readonly bind: (request: RequestKey, bound: BoundRequest) => Effect.Effect<void, StorageError | AlreadyExists>
    readonly rebind: (
      request: RequestKey,
      resources: { readonly from: string; readonly to: string }
    ) => Effect.Effect<void, StorageError | StaleWrite>
  }
>()("@pillivery/application/IdempotencyStore") {}
