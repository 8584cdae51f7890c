/**
 * The order in which the combinators of this folder go together.
 *
 * ```text
 *   retry ( breaker ( bulkhead ( time limit ( call ))))
 * ```
 *
 * - Retry is outermost, so that each try asks the breaker again, waits for no place between tries, and stops as soon
 *   as the circuit opens, unless the policy says otherwise.
 * - The breaker is outside the bulkhead, so that an open circuit rejects without taking or waiting for a place. A
 *   call the bulkhead turned away tells nothing about the dependency, so it is ignored.
 * - The bulkhead is outside the time limit, so that waiting for a place does not eat the time of the call, and a
 *   timeout counts as a failure of the dependency and frees the place.
 *
 * **Gotchas**
 *
 * The breaker's slow-call duration includes the wait for a place. Where slowness must mean the call alone, `acquire`
 * the permits and record the call's own duration, as the charging protocol does.
 *
 * @since 0.1.0
 */
import { Cause, type Effect, Exit, Option } from "effect"
import { type Bulkhead, BulkheadFull } from "./Bulkhead.ts"
import type { CircuitBreaker, CircuitOpen, Classify } from "./CircuitBreaker.ts"
import * as RetryPolicy from "./RetryPolicy.ts"
import * as TimeLimiter from "./TimeLimiter.ts"

/** The errors that the protection adds to those of a call. */
export type Rejection = CircuitOpen | BulkheadFull | TimeLimiter.TimedOut

/** What to protect a call with. Leave `retry` out for a call that must not be repeated here. */
export interface Protection<A, E> {
  readonly retry?: RetryPolicy.RetryPolicy<E | Rejection>
  readonly breaker: CircuitBreaker
  readonly classify: Classify<A, E | TimeLimiter.TimedOut>
  readonly bulkhead: Bulkhead
  readonly timeLimit: TimeLimiter.TimeLimit
}

/** Protects a call by retry, breaker, bulkhead and time limit, from the outside in. */
export const protect =
  <A, E>(protection: Protection<A, E>) =>
  <A2 extends A, E2 extends E, R>(self: Effect.Effect<A2, E2, R>): Effect.Effect<A2, E2 | Rejection, R> => {
    const { breaker, bulkhead, classify, retry, timeLimit } = protection
    const limited = TimeLimiter.withTimeLimit(timeLimit)(self)
    const guarded = breaker.withBreaker(ignoreBulkheadFull(classify))(bulkhead.withBulkhead(limited))
    return retry === undefined ? guarded : RetryPolicy.withRetry(retry)(guarded)
  }

/** Makes a classification ignore the calls that a bulkhead turned away. */
export const ignoreBulkheadFull =
  <A, E>(classify: Classify<A, E>): Classify<A, E | BulkheadFull> =>
  (exit) =>
    isWithoutBulkheadFull(exit) ? classify(exit) : "ignored"

const isWithoutBulkheadFull = <A, E>(exit: Exit.Exit<A, E | BulkheadFull>): exit is Exit.Exit<A, E> =>
  Exit.isSuccess(exit) ||
  Option.match(Cause.findErrorOption(exit.cause), {
    onNone: () => true,
    onSome: (error) => !(error instanceof BulkheadFull)
  })
