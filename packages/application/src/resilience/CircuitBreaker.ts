/**
 * A circuit breaker for effects, with Resilience4j's semantics.
 *
 * It stops calling a dependency that fails, and lets a few trial calls find out when it has recovered. The rules are
 * those of `CircuitState`, a pure machine. This module keeps one state per breaker, reads the time, and gives permits
 * back whatever ends a call.
 *
 * There are two ways to use it. `withBreaker` wraps an effect. `acquire` gives a permit to record the outcome on
 * later, for a protocol that must hold its permits before it writes down that it is about to send.
 *
 * Business refusals, such as a declined card, are successes to a breaker: the dependency answered.
 *
 * **Details**
 *
 * Time is the monotonic time of Effect's `Clock`, so a corrected wall clock neither opens nor closes a circuit.
 * The moves that time alone makes cost no fiber while nobody watches: the first `acquire`, `state` or `metrics` at or
 * after their time makes them, so that nobody can see a circuit that is open past its time. A subscriber of
 * `transitions` waits for that time itself and gets the transition then, calls or no calls.
 *
 * State is one per process. A breaker shared between processes is `effect/persistence` `CircuitBreaker`, whose
 * half-open state admits one call.
 *
 * @since 0.1.0
 */
import { Cause, Clock, Effect, Exit, type Fiber, Metric, Queue, Schema, Stream } from "effect"
import * as CircuitState from "./CircuitState.ts"

/** The transitions a subscriber of `transitions` may lag behind before it loses the oldest. */
export const transitionsBufferedMax = 128

/** The step `retryAfterMillis` is rounded up to, so that rejections can share one error. */
export const retryAfterStepMillis = 100

/**
 * The call was not made, because the circuit does not admit calls now. Nothing was sent.
 *
 * **Gotchas**
 *
 * Rejections of the same moment share one instance, which therefore carries no stack of a caller.
 */
export class CircuitOpen extends Schema.TaggedError<CircuitOpen>("@pillivery/application/resilience/CircuitOpen")(
  "CircuitOpen",
  {
    name: Schema.String,
    state: Schema.Literals(["Open", "HalfOpen", "ForcedOpen"]),
    retryAfterMillis: Schema.Int
  }
) {
  override get message(): string {
    return `Circuit ${this.name} is ${this.state}, try again in ${this.retryAfterMillis} ms`
  }
}

/** One change of state. The time is wall-clock time, for operators. */
export interface Transition {
  readonly name: string
  readonly from: CircuitState.Tag
  readonly to: CircuitState.Tag
  readonly atMillis: number
}

/** Counts since the breaker was made. A late outcome is one whose permit is of an older state. */
export interface Totals {
  readonly rejected: number
  readonly succeeded: number
  readonly failed: number
  readonly ignored: number
  readonly slow: number
  readonly late: number
}

/** The state, the window and the totals of a breaker. */
export interface Metrics extends CircuitState.Metrics {
  readonly name: string
  readonly state: CircuitState.Tag
  readonly totals: Totals
}

/**
 * The right to make one call.
 *
 * **Details**
 *
 * The first `record` or `release` settles the permit, and later ones change nothing. A `record` without
 * `durationMillis` counts the time since the permit was acquired.
 */
export interface Permit {
  readonly record: (outcome: CircuitState.Outcome, durationMillis?: number) => Effect.Effect<void>
  readonly release: Effect.Effect<void>
  /**
   * Asks again, after a wait between the permit and its call.
   *
   * **Details**
   *
   * A permit of the state of now stays as it is. One of an older state is exchanged for one of the state of now, or
   * settled when that state rejects. Either way the duration of the call is counted from here.
   *
   * **Gotchas**
   *
   * Dies when the permit is settled already.
   */
  readonly renew: Effect.Effect<void, CircuitOpen>
}

/** Maps how a call ended to what that says about the dependency. */
export type Classify<A, E> = (exit: Exit.Exit<A, E>) => CircuitState.Outcome

/** A circuit breaker. */
export interface CircuitBreaker {
  readonly name: string
  readonly settings: CircuitState.Settings
  /**
   * Asks for a permit, without waiting.
   *
   * **Gotchas**
   *
   * The caller must settle the permit, so acquire it in an uninterruptible region, or as the acquisition of
   * `Effect.acquireUseRelease`. A permit that is lost holds a slot of a half-open circuit.
   */
  readonly acquire: Effect.Effect<Permit, CircuitOpen>
  /**
   * Makes an effect one call of this circuit.
   *
   * **Details**
   *
   * A call that was only interrupted is always ignored. If `classify` throws, the call is ignored and dies.
   */
  readonly withBreaker: <A, E>(
    classify: Classify<A, E>
  ) => <A2 extends A, E2 extends E, R>(self: Effect.Effect<A2, E2, R>) => Effect.Effect<A2, E2 | CircuitOpen, R>
  readonly state: Effect.Effect<CircuitState.State>
  readonly metrics: Effect.Effect<Metrics>
  /** The transitions from the moment the stream runs. A slow subscriber loses its own oldest ones. */
  readonly transitions: Stream.Stream<Transition>
  readonly forceOpen: Effect.Effect<void>
  readonly disable: Effect.Effect<void>
  readonly metricsOnly: Effect.Effect<void>
  readonly reset: Effect.Effect<void>
}

/** Counts the transitions of all breakers, by name, from and to. */
export const transitionsTotal = Metric.counter("circuit_breaker_transitions_total", {
  description: "State changes of circuit breakers",
  incremental: true
})

/** Classifies a success as success, and any failure or defect as failure. */
export const classifyExit = (exit: Exit.Exit<unknown, unknown>): CircuitState.Outcome =>
  Exit.isSuccess(exit) ? "success" : "failure"

/** Options of a breaker: its name, and what differs from `CircuitState.settingsDefault`. */
export type Options = { readonly name: string } & Partial<typeof CircuitState.Settings.Type>

/**
 * Creates a closed circuit breaker.
 *
 * **Gotchas**
 *
 * Dies on settings out of their range.
 */
export const make = (options: Options): Effect.Effect<CircuitBreaker> =>
  Effect.sync(() => {
    const { name, ...overrides } = options
    return fromCell(new Cell(name, new CircuitState.Settings({ ...CircuitState.settingsDefault, ...overrides })))
  })

// -----------------------------------------------------------------------------
// The mutable cell
// -----------------------------------------------------------------------------

const nanosPerMilli = 1_000_000

type AnyFiber = Fiber.Fiber<unknown, unknown>

const millisOf = (clock: Clock.Clock): number => Number(clock.monotonicTimeNanosUnsafe()) / nanosPerMilli

const monotonicMillis = (fiber: AnyFiber): number => millisOf(fiber.getRef(Clock.Clock))

/** Everything here is synchronous, so that no fiber runs or is interrupted between reading a state and setting it. */
class Cell {
  readonly name: string
  readonly settings: CircuitState.Settings
  readonly subscribers = new Set<Queue.Enqueue<Transition>>()
  readonly totals = { rejected: 0, succeeded: 0, failed: 0, ignored: 0, slow: 0, late: 0 }
  state: CircuitState.State
  rejection: Exit.Exit<never, CircuitOpen> | undefined
  rejectionState: CircuitState.Tag = "Closed"
  rejectionRetryAfterMillis = 0

  constructor(name: string, settings: CircuitState.Settings) {
    this.name = name
    this.settings = settings
    this.state = CircuitState.make(settings)
  }

  /** Sets the state, and publishes a transition if it is another one. */
  move(next: CircuitState.State, fiber: AnyFiber): void {
    const from = this.state._tag
    this.state = next
    if (from === next._tag) return
    const to = next._tag
    const atMillis = fiber.getRef(Clock.Clock).currentTimeMillisUnsafe()
    for (const subscriber of this.subscribers) Queue.offerUnsafe(subscriber, { name: this.name, from, to, atMillis })
    Metric.withAttributes(transitionsTotal, { name: this.name, from, to }).updateUnsafe(1, fiber.context)
  }

  settle(fiber: AnyFiber, nowMillis: number): CircuitState.State {
    const next = CircuitState.settle(this.state, this.settings, nowMillis)
    if (next !== this.state) this.move(next, fiber)
    return next
  }

  admit(fiber: AnyFiber, nowMillis: number): CircuitState.Permit | Exit.Exit<never, CircuitOpen> {
    const admission = CircuitState.admit(this.state, this.settings, nowMillis)
    if (admission.state !== this.state) this.move(admission.state, fiber)
    return admission._tag === "Admitted" ? admission.permit : this.reject(admission.state, nowMillis)
  }

  /** Creating an error costs more than the rest of a rejection, so one serves all of the same step of time. */
  reject(rejecting: CircuitState.Rejected["state"], nowMillis: number): Exit.Exit<never, CircuitOpen> {
    const state = rejecting._tag
    this.totals.rejected++
    const exactMillis = CircuitState.retryAfterMillis(rejecting, this.settings, nowMillis)
    const retryAfterMillis = Math.ceil(exactMillis / retryAfterStepMillis) * retryAfterStepMillis
    if (
      this.rejection === undefined ||
      this.rejectionState !== state ||
      this.rejectionRetryAfterMillis !== retryAfterMillis
    ) {
      const error = new CircuitOpen({ name: this.name, state, retryAfterMillis })
      Object.defineProperty(error, "stack", { value: `CircuitOpen: ${error.message}` })
      this.rejection = Exit.fail(error)
      this.rejectionState = state
      this.rejectionRetryAfterMillis = retryAfterMillis
    }
    return this.rejection
  }

  record(
    fiber: AnyFiber,
    permit: CircuitState.Permit,
    outcome: CircuitState.Outcome,
    durationMillis: number,
    nowMillis: number
  ): void {
    const { settings, totals } = this
    const state = this.settle(fiber, nowMillis)
    if (permit.generation !== state.generation) totals.late++
    if (outcome === "ignored") totals.ignored++
    else {
      if (outcome === "failure") totals.failed++
      else totals.succeeded++
      if (CircuitState.isSlow(settings, durationMillis)) totals.slow++
    }
    const next = CircuitState.record(state, settings, { permit, outcome, durationMillis }, nowMillis)
    if (next !== state) this.move(next, fiber)
  }
}

class CellPermit implements Permit {
  readonly cell: Cell
  permit: CircuitState.Permit
  acquiredAtMillis: number
  isSettled = false

  constructor(cell: Cell, permit: CircuitState.Permit, acquiredAtMillis: number) {
    this.cell = cell
    this.permit = permit
    this.acquiredAtMillis = acquiredAtMillis
  }

  record(outcome: CircuitState.Outcome, durationMillis?: number): Effect.Effect<void> {
    return Effect.withFiber((fiber) => {
      if (this.isSettled) return Effect.void
      this.isSettled = true
      const nowMillis = monotonicMillis(fiber)
      const millis = durationMillis ?? nowMillis - this.acquiredAtMillis
      this.cell.record(fiber, this.permit, outcome, millis, nowMillis)
      return Effect.void
    })
  }

  get release(): Effect.Effect<void> {
    return this.record("ignored")
  }

  // A permit of an older state holds nothing, so there is nothing to give back for it.
  get renew(): Effect.Effect<void, CircuitOpen> {
    return Effect.withFiber((fiber): Effect.Effect<void, CircuitOpen> => {
      if (this.isSettled) return Effect.die(new Error(`A settled permit of circuit ${this.cell.name} was renewed`))
      const nowMillis = monotonicMillis(fiber)
      const isOfNow = this.permit.generation === this.cell.settle(fiber, nowMillis).generation
      const admission = isOfNow ? this.permit : this.cell.admit(fiber, nowMillis)
      if (Exit.isExit(admission)) {
        this.isSettled = true
        return admission
      }
      this.permit = admission
      this.acquiredAtMillis = nowMillis
      return Effect.void
    })
  }
}

const fromCell = (cell: Cell): CircuitBreaker => {
  const read: Read = (f) =>
    Effect.withFiber((fiber) => {
      const nowMillis = monotonicMillis(fiber)
      return Effect.succeed(f(cell.settle(fiber, nowMillis), nowMillis))
    })

  const command = (f: (state: CircuitState.State) => CircuitState.State): Effect.Effect<void> =>
    Effect.withFiber((fiber) => {
      cell.move(f(cell.settle(fiber, monotonicMillis(fiber))), fiber)
      return Effect.void
    })

  return {
    name: cell.name,
    settings: cell.settings,
    acquire: Effect.withFiber((fiber) => {
      const nowMillis = monotonicMillis(fiber)
      const admission = cell.admit(fiber, nowMillis)
      return Exit.isExit(admission) ? admission : Effect.succeed(new CellPermit(cell, admission, nowMillis))
    }),
    withBreaker: (classify) => (self) => guard(cell, classify, self),
    state: read((state) => state),
    metrics: read((state, nowMillis) => ({
      name: cell.name,
      state: state._tag,
      ...CircuitState.metrics(state, cell.settings, nowMillis),
      totals: { ...cell.totals }
    })),
    transitions: Stream.callback<Transition>(
      (queue) =>
        Effect.andThen(subscribe(cell, queue), Effect.forkScoped(watch(cell, read), { startImmediately: true })),
      { bufferSize: transitionsBufferedMax, strategy: "sliding" }
    ),
    forceOpen: command(CircuitState.forceOpen),
    disable: command(CircuitState.disable),
    metricsOnly: command((state) => CircuitState.metricsOnly(state, cell.settings)),
    reset: command((state) => CircuitState.reset(state, cell.settings))
  }
}

const subscribe = (cell: Cell, queue: Queue.Enqueue<Transition>) =>
  Effect.acquireRelease(
    Effect.sync(() => cell.subscribers.add(queue)),
    () => Effect.sync(() => cell.subscribers.delete(queue))
  )

type Read = <A>(f: (state: CircuitState.State, nowMillis: number) => A) => Effect.Effect<A>

/** Makes the moves of time when their time comes, until it is interrupted. */
const watch = (cell: Cell, read: Read) =>
  Effect.scoped(
    Effect.gen(function* () {
      const moved = yield* Queue.sliding<Transition>(1)
      yield* subscribe(cell, moved)
      while (true) {
        const waitMillis = yield* read((state, nowMillis) =>
          state._tag === "Open" || state._tag === "HalfOpen" ? state.untilMillis - nowMillis : Number.POSITIVE_INFINITY
        )
        yield* Effect.raceFirst(Effect.sleep(waitMillis), Queue.take(moved))
      }
    })
  )

const guard = <A, E, R>(
  cell: Cell,
  classify: Classify<A, E>,
  self: Effect.Effect<A, E, R>
): Effect.Effect<A, E | CircuitOpen, R> =>
  Effect.withFiber((fiber): Effect.Effect<A, E | CircuitOpen, R> => {
    const clock = fiber.getRef(Clock.Clock)
    const startedAtMillis = millisOf(clock)
    const state = cell.settle(fiber, startedAtMillis)
    if (state._tag === "HalfOpen" && state.permitsFree > 0) return guardTrial(cell, classify, self)
    if (state._tag === "HalfOpen" || state._tag === "Open" || state._tag === "ForcedOpen") {
      return cell.reject(state, startedAtMillis)
    }
    return Effect.onExitPrimitive(self, (exit) => finish(cell, fiber, clock, state, startedAtMillis, classify, exit))
  })

// A trial holds one of a few permits, so its finalizer is in place before the permit is taken: a fiber can be
// interrupted wherever it may yield, and it may yield between any two operations. Outside half-open a permit holds
// nothing, and the shorter way of `guard` loses nothing.
const guardTrial = <A, E, R>(
  cell: Cell,
  classify: Classify<A, E>,
  self: Effect.Effect<A, E, R>
): Effect.Effect<A, E | CircuitOpen, R> =>
  Effect.withFiber((fiber) => {
    const clock = fiber.getRef(Clock.Clock)
    let permit: CircuitState.Permit | undefined
    let startedAtMillis = 0
    const isOfAdmitted = (_: Exit.Exit<A, E | CircuitOpen>): _ is Exit.Exit<A, E> => permit !== undefined
    const call = Effect.suspend((): Effect.Effect<A, E | CircuitOpen, R> => {
      startedAtMillis = millisOf(clock)
      const admission = cell.admit(fiber, startedAtMillis)
      if (Exit.isExit(admission)) return admission
      permit = admission
      return self
    })
    return Effect.onExitPrimitive(call, (exit) =>
      permit !== undefined && isOfAdmitted(exit)
        ? finish(cell, fiber, clock, permit, startedAtMillis, classify, exit)
        : undefined
    )
  })

/** Records how a call ended. Runs in a finalizer, on the fiber of the call, where a throw becomes a defect. */
const finish = <A, E>(
  cell: Cell,
  fiber: AnyFiber,
  clock: Clock.Clock,
  permit: CircuitState.Permit,
  startedAtMillis: number,
  classify: Classify<A, E>,
  exit: Exit.Exit<A, E>
): undefined => {
  let outcome: CircuitState.Outcome = "ignored"
  try {
    if (Exit.isSuccess(exit) || !Cause.hasInterruptsOnly(exit.cause)) outcome = classify(exit)
  } finally {
    const nowMillis = millisOf(clock)
    cell.record(fiber, permit, outcome, nowMillis - startedAtMillis, nowMillis)
  }
}
