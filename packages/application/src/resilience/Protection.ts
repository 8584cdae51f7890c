/**
 * The order in which the combinators of this folder go together.
 *
 * ```text
 *   retry ( breaker ( bulkhead ( time limit ( call ))))
 * ```
 *
 * - Retry is outermost, so that each try asks the breaker again and is recorded there, no place is held between two
 *   tries, and the tries end as soon as the circuit opens, unless the policy says otherwise.
 * - The breaker is outside the bulkhead, so that an open circuit rejects without taking or waiting for a place. A
 *   call the bulkhead turned away tells nothing about the dependency, so it is ignored.
 * - The bulkhead is outside the time limit, so that waiting for a place does not eat the time of the call, and a
 *   timeout counts as a failure of the dependency and frees the place.
 *
 * The breaker is asked a second time when a call gets its place. The circuit may have opened while the call waited,
 * and calls that waited would otherwise all be sent to a dependency known to be down. The duration that the breaker
 * records begins there too, so that a wait does not make a call slow.
 *
 * `protect` puts all four around an effect, and `guard` only breaker and bulkhead. `acquire` gives the permits of these
 * two in the same order, for a protocol that must hold them before it writes down that it is about to send.
 *
 * @since 0.1.0
 */
import { Cause, Effect, Exit, Scope } from "effect"
import type { Bulkhead, BulkheadFull } from "./Bulkhead.ts"
import type { CircuitBreaker, CircuitOpen, Classify, Permit } from "./CircuitBreaker.ts"
import * as RetryPolicy from "./RetryPolicy.ts"
import * as TimeLimiter from "./TimeLimiter.ts"

/** The errors that the protection adds to those of a call. */
export type Rejection = CircuitOpen | BulkheadFull | TimeLimiter.TimedOut

/** A breaker, and the places of the calls it admits. */
export interface Gate {
  readonly breaker: CircuitBreaker
  readonly bulkhead: Bulkhead
}

/** What to protect a call with. Leave `retry` out for a call that must not be repeated here. */
export interface Protection<A, E> extends Gate {
  readonly retry?: RetryPolicy.RetryPolicy<E | Rejection>
  readonly classify: Classify<A, E | TimeLimiter.TimedOut>
  readonly timeLimit: TimeLimiter.TimeLimit
}

/** Protects a call by retry, breaker, bulkhead and time limit, from the outside in. */
export const protect =
  <A, E>(protection: Protection<A, E>) =>
  <A2 extends A, E2 extends E, R>(self: Effect.Effect<A2, E2, R>): Effect.Effect<A2, E2 | Rejection, R> => {
    const { classify, retry, timeLimit } = protection
    const guarded = guard(protection, classify)(TimeLimiter.withTimeLimit(timeLimit)(self))
    return retry === undefined ? guarded : RetryPolicy.withRetry(retry)(guarded)
  }

/**
 * Protects a call by breaker and bulkhead.
 *
 * **Details**
 *
 * A call that never began, or that was only interrupted, is ignored by the breaker. If `classify` throws, the call is
 * ignored and dies. The wait for a place is interruptible.
 */
export const guard =
  <A, E>({ breaker, bulkhead }: Gate, classify: Classify<A, E>) =>
  <A2 extends A, E2 extends E, R>(
    self: Effect.Effect<A2, E2, R>
  ): Effect.Effect<A2, E2 | CircuitOpen | BulkheadFull, R> =>
    Effect.uninterruptibleMask((restore) =>
      Effect.flatMap(breaker.acquire, (permit) => {
        let hasBegun = false
        const call = Effect.suspend(() => {
          hasBegun = true
          return self
        })
        const isOfCall = (_: Exit.Exit<A2, E2 | CircuitOpen | BulkheadFull>): _ is Exit.Exit<A2, E2> => hasBegun
        return Effect.onExit(restore(bulkhead.withBulkhead(Effect.andThen(permit.renew, call))), (exit) =>
          isOfCall(exit) && !wasOnlyInterrupted(exit)
            ? Effect.ensuring(
                Effect.suspend(() => permit.record(classify(exit))),
                permit.release
              )
            : permit.release
        )
      })
    )

const wasOnlyInterrupted = (exit: Exit.Exit<unknown, unknown>): boolean =>
  Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause)

/**
 * Takes the permits of breaker and bulkhead for one call, until the scope closes.
 *
 * **Details**
 *
 * Record the outcome on the permit given. A permit that was not settled when the scope closes is released. The wait for
 * a place is interruptible.
 */
export const acquire = ({ breaker, bulkhead }: Gate): Effect.Effect<Permit, CircuitOpen | BulkheadFull, Scope.Scope> =>
  Effect.gen(function* () {
    const scope = yield* Effect.scope
    const permit = yield* Effect.uninterruptible(
      Effect.tap(breaker.acquire, (permit) => Scope.addFinalizer(scope, permit.release))
    )
    yield* bulkhead.acquireScoped
    yield* permit.renew
    return permit
  })
