/**
 * Slowing down who guesses passwords.
 *
 * Tries are counted for an e-mail from one address, and for an address whatever the e-mail: nobody elsewhere can lock a
 * user out by failing in its name. An e-mail that nobody has counts the same, so that nothing is told by it.
 *
 * @since 0.1.0
 */
import * as Email from "@pillivery/domain/Email"
import { Duration, Effect, Result, Schema } from "effect"
import * as RateLimiter from "effect/persistence/RateLimiter"
import { StorageError } from "../ports/StorageError.ts"

/** Tries for one e-mail from one address in {@link triesWindow}. */
export const triesMax = 20
/** Tries from one address in {@link triesWindow}. */
export const triesOfAddressMax = 300
/** How long tries are counted. */
export const triesWindow = Duration.minutes(15)

/** Too many tries; a while later the next one is heard. */
export class LogInThrottled extends Schema.TaggedError<LogInThrottled>("@pillivery/application/Users/LogInThrottled")(
  "LogInThrottled",
  { retryAfterSeconds: Schema.Int }
) {
  override get message() {
    return `too many tries to log in: the next one in ${this.retryAfterSeconds} seconds`
  }
}

/** Counts a try; `address` is null where it cannot be told. */
export const countTry = Effect.fn("countTry")(function* (email: string, address: string | null) {
  const limiter = yield* RateLimiter.RateLimiter
  const from = address ?? "unknown"
  const count = (key: string, limit: number) =>
    limiter
      .consume({ key, limit, window: triesWindow, algorithm: "token-bucket", onExceeded: "fail" })
      .pipe(Effect.catchTag("RateLimiterError", ({ reason }) => Effect.fail(toError(reason))))
  yield* count(`{log-in:${from}}`, triesOfAddressMax)
  const parsed = Email.parse(email)
  if (Result.isSuccess(parsed)) yield* count(`{log-in:${from}:${parsed.success}}`, triesMax)
})

const toError = (reason: RateLimiter.RateLimiterErrorReason): LogInThrottled | StorageError =>
  reason._tag === "RateLimitExceeded"
    ? new LogInThrottled({ retryAfterSeconds: Math.max(1, Math.ceil(Duration.toSeconds(reason.retryAfter))) })
    : new StorageError({ operation: "countTry", reason: "unavailable", cause: reason })
