/**
 * Write, then call, then write.
 *
 * Every call that moves money goes through `dispatch`: the breaker's permit is taken first, then the intent is committed,
 * then the provider is called once, then the answer is recorded. From the permit to the record nothing can interrupt it; a
 * caller that goes away only stops waiting, and closing the layer waits for the calls in flight. Lookups have a breaker
 * and places of their own, so that asking works while charging is cut off.
 *
 * **Details**
 *
 * A place at the provider is held only while it is called, so that reading and writing rows takes no call's place. What
 * is written down and has no place yet is bounded by {@link aheadMax}, is called by its deadline or not at all, and is
 * recorded as never sent when the path is cut off meanwhile.
 *
 * @since 0.1.0
 */
import type { DispatchDeadline } from "@pillivery/domain/PaymentStrategy"
import { Clock, Context, Effect, Exit, Fiber, FiberSet, Layer } from "effect"
import { StaleWrite, StorageError } from "../ports/StorageError.ts"
import * as Bulkhead from "../resilience/Bulkhead.ts"
import * as CircuitBreaker from "../resilience/CircuitBreaker.ts"
import * as Protection from "../resilience/Protection.ts"
import { ProtocolSettings } from "./ProtocolSettings.ts"

/** Nothing was sent: the provider's path is cut off or full. */
export type NotPermitted = CircuitBreaker.CircuitOpen | Bulkhead.BulkheadFull

/** What an answer tells the breaker: business refusals are successes, silence is a failure. */
export type CallHealth = "success" | "failure" | "ignored"

/** One money call. */
export interface MoneyCall<Claimed, Answer, A, EClaim, ERecord, R> {
  /** Commits the intent in one transaction. When it fails, nothing is called. */
  readonly claim: Effect.Effect<Claimed, EClaim, R>
  /** Calls the provider, once. */
  readonly call: (claimed: Claimed, dispatchBefore: DispatchDeadline) => Effect.Effect<Answer>
  readonly health: (answer: Answer) => CallHealth
  /** Records the answer; run again while the store fails, so it must be repeatable. */
  readonly record: (claimed: Claimed, answer: Answer) => Effect.Effect<A, ERecord, R>
  /** Nothing was called, though the intent may have been committed. Records that. */
  readonly recordUnsent: Effect.Effect<void, ERecord, R>
}

/** The gate to the provider. */
export class MoneyCalls extends Context.Service<
  MoneyCalls,
  {
    readonly dispatch: <Claimed, Answer, A, EClaim, ERecord, R>(
      call: MoneyCall<Claimed, Answer, A, EClaim, ERecord, R>
    ) => Effect.Effect<A, EClaim | ERecord | NotPermitted, R>
    readonly lookup: <A>(health: (answer: A) => CallHealth, call: Effect.Effect<A>) => Effect.Effect<A, NotPermitted>
    readonly breakers: ReadonlyArray<CircuitBreaker.CircuitBreaker>
    /** Waits until no money call is in flight. */
    readonly drain: Effect.Effect<void>
  }
>()("@pillivery/application/Payments/MoneyCalls") {}

/** Failures of recording that another try may overcome. */
const isPassing = (error: unknown): boolean => isStorageError(error) || error instanceof StaleWrite

const isStorageError = (error: unknown): error is StorageError => error instanceof StorageError

/** The most calls that may be written down beyond those that have a place at the provider. */
export const aheadMax = 200

/** The first pause before an answer is recorded again, in milliseconds; it doubles up to {@link recordPauseMillisMax}. */
export const recordPauseMillis = 100
/** The least tries to record an answer before it is given up: a process that was stopped finds its time over when it wakes. */
export const recordTriesMin = 8
/** The longest pause before an answer is recorded again, in milliseconds. */
export const recordPauseMillisMax = 5_000

/** Makes the gate: one breaker and one bulkhead for money calls, one of each for lookups. */
export const layer: Layer.Layer<MoneyCalls> = Layer.effect(
  MoneyCalls,
  Effect.gen(function* () {
    const settings = yield* ProtocolSettings
    const money = {
      breaker: yield* CircuitBreaker.make({ name: "money" }),
      bulkhead: yield* Bulkhead.make({ name: "money", ...Bulkhead.approveSettings })
    }
    const claims = yield* Bulkhead.make({
      name: "claims",
      ...Bulkhead.approveSettings,
      concurrentMax: Bulkhead.approveSettings.concurrentMax + aheadMax
    })
    const lookups = {
      breaker: yield* CircuitBreaker.make({ name: "lookup" }),
      bulkhead: yield* Bulkhead.make({ name: "lookup", ...Bulkhead.lookupSettings })
    }
    const inFlight = yield* FiberSet.make<unknown, unknown>()
    const drain = FiberSet.awaitEmpty(inFlight)
    yield* Effect.addFinalizer(() => drain)

    // The answer is all we have: it is recorded again and again until the store takes it or the time is up. Then the
    // lease runs out and the provider's evidence decides.
    const recordUntilTaken = Effect.fnUntraced(function* <A, E, R>(record: Effect.Effect<A, E, R>) {
      const startedAt = yield* Clock.currentTimeMillis
      let pauseMillis = recordPauseMillis
      for (let tries = 1; ; tries++) {
        const exit = yield* Effect.exit(record)
        if (Exit.isSuccess(exit)) return exit.value
        const isOver =
          tries >= recordTriesMin && (yield* Clock.currentTimeMillis) - startedAt > settings.recordMillisMax
        const failure = exit.cause.reasons.find((reason) => reason._tag === "Fail")
        if (isOver || failure === undefined || !isPassing(failure.error)) return yield* exit
        yield* Effect.sleep(pauseMillis)
        pauseMillis = Math.min(pauseMillis * 2, recordPauseMillisMax)
      }
    })

    // Claims and calls. The breaker is asked before anything is written, since a call it refuses needs no row, and again
    // when the call has its place.
    const sent = Effect.fnUntraced(function* <Claimed, Answer, A, EClaim, ERecord, R>(
      options: MoneyCall<Claimed, Answer, A, EClaim, ERecord, R>
    ) {
      const permit = yield* Protection.acquire({ breaker: money.breaker, bulkhead: claims })
      const clock = yield* Clock.Clock
      const dispatchBefore: DispatchDeadline = {
        monotonicMillis: Number(clock.monotonicTimeNanosUnsafe()) / 1_000_000 + settings.dispatchMillisMax,
        wallMillis: clock.currentTimeMillisUnsafe() + settings.dispatchMillisMax
      }
      const recordUnsent = recordUntilTaken(options.recordUnsent).pipe(Effect.ignore({ log: true }))
      const claimed = yield* options.claim.pipe(
        Effect.tapError((error) =>
          isStorageError(error) && error.reason === "outcomeUnknown" ? recordUnsent : Effect.void
        )
      )
      yield* money.bulkhead.acquireScoped.pipe(
        Effect.andThen(permit.renew),
        Effect.tapError(() => recordUnsent)
      )
      const answer = yield* options
        .call(claimed, dispatchBefore)
        .pipe(
          Effect.onExit((exit) =>
            Exit.isSuccess(exit) ? permit.record(options.health(exit.value)) : permit.record("failure")
          )
        )
      return { answer, claimed }
    })

    const dispatch = <Claimed, Answer, A, EClaim, ERecord, R>(
      options: MoneyCall<Claimed, Answer, A, EClaim, ERecord, R>
    ): Effect.Effect<A, EClaim | ERecord | NotPermitted, R> =>
      detached(
        inFlight,
        Effect.flatMap(Effect.scoped(sent(options)), ({ answer, claimed }) =>
          recordUntilTaken(options.record(claimed, answer)).pipe(
            Effect.tapCause((cause) =>
              Effect.logError("An answer of the provider could not be recorded; its evidence will decide", cause).pipe(
                Effect.annotateLogs({ answer })
              )
            )
          )
        )
      )

    const lookup = <A>(health: (answer: A) => CallHealth, call: Effect.Effect<A>): Effect.Effect<A, NotPermitted> =>
      Protection.guard<A, never>(lookups, (exit) => (Exit.isSuccess(exit) ? health(exit.value) : "failure"))(call)

    return MoneyCalls.of({ dispatch, lookup, breakers: [money.breaker, lookups.breaker], drain })
  })
)

// Runs an effect that nobody can interrupt; an interrupted caller only stops waiting for it.
const detached = <A, E, R>(
  fibers: FiberSet.FiberSet<unknown, unknown>,
  effect: Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const fiber = yield* Effect.forkDetach(effect, { startImmediately: true })
      yield* FiberSet.add(fibers, fiber)
      return yield* restore(Fiber.join(fiber))
    })
  )
