/**
 * Doing once what is asked for again.
 *
 * The key of a request is bound to what it made, in the transaction that makes it. Whoever asks again under the same key,
 * because an answer was lost or a finger was quick, is shown that; another thing is made only after what was made provably
 * came to nothing.
 *
 * @since 0.1.0
 */
import { Effect, Option, Schema } from "effect"
import { IdempotencyStore, type RequestKey } from "./ports/IdempotencyStore.ts"
import { StaleWrite, type StorageError } from "./ports/StorageError.ts"

/** The key was used for another request. */
export class RequestKeyReused extends Schema.TaggedError<RequestKeyReused>("@pillivery/application/RequestKeyReused")(
  "RequestKeyReused",
  { key: Schema.String }
) {
  override get message() {
    return `the key ${this.key} was used for something else`
  }
}

/** A twin of the request was first; nothing of this one was written. */
export class TwinWasFirst extends Schema.TaggedError<TwinWasFirst>("@pillivery/application/TwinWasFirst")(
  "TwinWasFirst",
  {}
) {}

/** Binds the request to what it makes, in the transaction that makes it, or fails and nothing is made. */
export type BindRequest = (id: string) => Effect.Effect<void, TwinWasFirst | StorageError>

/** For requests without a key. */
export const bindNothing: BindRequest = () => Effect.void

/** A request that may be repeated. */
export interface Asked {
  readonly request: RequestKey
  /** Tells requests with different contents apart. */
  readonly fingerprint: string
}

/** How often a request begins again since its twin was first, and came to nothing. */
const beginningsMax = 3

/** Makes something for a request once. `show` answers what came of it, or nothing where it came to nothing. */
export const once = Effect.fn("once")(function* <A, Made, E1, R1, E2, R2>(
  { fingerprint, request }: Asked,
  how: {
    readonly make: (bind: BindRequest) => Effect.Effect<Made, E1 | TwinWasFirst, R1>
    readonly show: (id: string) => Effect.Effect<Option.Option<A>, E2, R2>
  }
) {
  const store = yield* IdempotencyStore
  const twinWasFirst = () => Effect.fail(new TwinWasFirst())

  const begin = Effect.gen(function* () {
    const known = yield* store.find(request)
    if (Option.isNone(known)) {
      return yield* how.make((resourceId) =>
        store.bind(request, { fingerprint, resourceId }).pipe(Effect.catchTag("AlreadyExists", twinWasFirst))
      )
    }
    const { resourceId: from } = known.value
    if (known.value.fingerprint !== fingerprint) return yield* new RequestKeyReused({ key: request.key })
    const shown = yield* how.show(from)
    if (Option.isSome(shown)) return shown.value
    return yield* how.make((to) =>
      store.rebind(request, { from, to }).pipe(Effect.catchTag("StaleWrite", twinWasFirst))
    )
  })

  return yield* Effect.retry(begin, { while: isTwin, times: beginningsMax }).pipe(
    Effect.catchIf(isTwin, () => Effect.fail(new StaleWrite({ entity: "idempotencyKey", id: request.key })))
  )
})

const isTwin = (error: unknown): error is TwinWasFirst => error instanceof TwinWasFirst
