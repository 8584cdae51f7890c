/**
 * How many requests one address and one user may make, counted for all servers together.
 *
 * The limits keep one caller from taking what is meant for all; they protect nothing else. So a counter that cannot be
 * reached stops nobody. Every answer tells what is left, in the fields `RateLimit-Policy` and `RateLimit`.
 *
 * @since 0.1.0
 */
import type { UserId } from "@pillivery/domain/Ids"
import { Context, Duration, Effect, Record } from "effect"
import { HttpEffect, HttpServerResponse } from "effect/http"
import * as RateLimiter from "effect/persistence/RateLimiter"

/** The time in which requests are counted. */
export const window = Duration.minutes(1)
/** Requests of one address in {@link window}, unless told otherwise. */
export const ofAddressDefault = 1_200
/** Requests of one user in {@link window}, unless told otherwise. */
export const ofUserDefault = 600

/** Requests in {@link window}; null does not limit. */
export interface Limits {
  readonly ofAddress: number | null
  readonly ofUser: number | null
}

/** The limits in force; none unless set. */
export const RateLimits = Context.Reference<Limits>("@pillivery/adapters-http/RateLimits", {
  defaultValue: () => ({ ofAddress: null, ofUser: null })
})

/** Where a caller stands with one limit. */
export interface Standing {
  readonly isExceeded: boolean
  readonly retryAfterSeconds: number
  readonly headers: Readonly<Record<typeof policyHeader | typeof limitHeader, string>>
}

const policyHeader = "ratelimit-policy"
const limitHeader = "ratelimit"

const seconds = (duration: Duration.Duration): number => Math.ceil(Duration.toSeconds(duration))

const standing = (policy: string, limit: number, remaining: number, wait: Duration.Duration, isExceeded: boolean) => ({
  isExceeded,
  retryAfterSeconds: Math.max(1, seconds(wait)),
  headers: {
    [policyHeader]: `"${policy}";q=${limit};w=${seconds(window)}`,
    [limitHeader]: `"${policy}";r=${remaining};t=${seconds(wait)}`
  }
})

const count = (limiter: RateLimiter.RateLimiter, policy: string, who: string, limit: number) =>
  limiter.consume({ key: `{${policy}:${who}}`, limit, window, algorithm: "token-bucket", onExceeded: "fail" }).pipe(
    Effect.map(({ remaining, resetAfter }): Standing | null => standing(policy, limit, remaining, resetAfter, false)),
    Effect.catchTag("RateLimiterError", ({ reason }) =>
      Effect.succeed(reason._tag === "RateLimitExceeded" ? standing(policy, limit, 0, reason.retryAfter, true) : null)
    )
  )

/** Counts requests against the limits in force; answers null where there is none or nobody can count. */
export const make = Effect.gen(function* () {
  const limiter = yield* RateLimiter.RateLimiter
  const { ofAddress, ofUser } = yield* RateLimits
  return {
    countAddress: (address: string | null): Effect.Effect<Standing | null> =>
      ofAddress === null ? Effect.succeed(null) : count(limiter, "address", address ?? "unknown", ofAddress),
    countUser: (userId: UserId): Effect.Effect<Standing | null> =>
      ofUser === null ? Effect.succeed(null) : count(limiter, "user", userId, ofUser)
  }
})

/** Adds what a standing says to what another has said already. */
export const tell = (
  response: HttpServerResponse.HttpServerResponse,
  { headers }: Standing
): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.setHeaders(
    response,
    Record.map(headers, (value, name) => {
      const before = response.headers[name]
      return before === undefined ? value : `${before}, ${value}`
    })
  )

/** Adds what a standing says to the answer of this request. */
export const tellLater = (standing: Standing) =>
  HttpEffect.appendPreResponseHandler((_request, response) => Effect.succeed(tell(response, standing)))
