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
 * The move from open to half-open costs no fiber: it is made by the first `acquire`, `state` or `metrics` at or after
 * its time, and its transition is published then. Nobody can observe a circuit that is open past its time.
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

const monotonicMillis = (fiber: AnyFiber): number =>
  Number(fiber.getRef(Clock.Clock).monotonicTimeNanosUnsafe()) / nanosPerMilli

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
    if (admission._tag === "Admitted") return admission.permit
    this.totals.rejected++
    return this.reject(admission.state._tag, admission.retryAfterMillis)
  }

  /** Creating an error costs more than the rest of a rejection, so one serves all of the same step of time. */
  reject(state: "Open" | "HalfOpen" | "ForcedOpen", exactMillis: number): Exit.Exit<never, CircuitOpen> {
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
    if (permit.generation !== this.state.generation) totals.late++
    if (outcome === "ignored") totals.ignored++
    else {
      if (outcome === "failure") totals.failed++
      else totals.succeeded++
      if (CircuitState.isSlow(settings, durationMillis)) totals.slow++
    }
    const next = CircuitState.record(this.state, settings, { permit, outcome, durationMillis }, nowMillis)
    if (next !== this.state) this.move(next, fiber)
  }
}

class CellPermit implements Permit {
  readonly cell: Cell
  readonly permit: CircuitState.Permit
  readonly acquiredAtMillis: number
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
}

const fromCell = (cell: Cell): CircuitBreaker => {
  const read = <A>(f: (state: CircuitState.State, nowMillis: number) => A): Effect.Effect<A> =>
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
        Effect.acquireRelease(
          Effect.sync(() => cell.subscribers.add(queue)),
          () => Effect.sync(() => cell.subscribers.delete(queue))
        ),
      { bufferSize: transitionsBufferedMax, strategy: "sliding" }
    ),
    forceOpen: command(CircuitState.forceOpen),
    disable: command(CircuitState.disable),
    metricsOnly: command((state) => CircuitState.metricsOnly(state, cell.settings)),
    reset: command((state) => CircuitState.reset(state, cell.settings))
  }
}

const guard = <A, E, R>(
  cell: Cell,
  classify: Classify<A, E>,
  self: Effect.Effect<A, E, R>
): Effect.Effect<A, E | CircuitOpen, R> =>
  Effect.withFiber((fiber): Effect.Effect<A, E | CircuitOpen, R> => {
    const startedAtMillis = monotonicMillis(fiber)
    const state = cell.settle(fiber, startedAtMillis)
    if (state._tag === "HalfOpen" && state.permitsFree > 0) return guardTrial(cell, classify, self)
    const admission = cell.admit(fiber, startedAtMillis)
    if (Exit.isExit(admission)) return admission
    return Effect.onExit(self, (exit) => finish(cell, fiber, admission, startedAtMillis, classify, exit))
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
    let permit: CircuitState.Permit | undefined
    let startedAtMillis = 0
    const isOfAdmitted = (_: Exit.Exit<A, E | CircuitOpen>): _ is Exit.Exit<A, E> => permit !== undefined
    const call = Effect.suspend((): Effect.Effect<A, E | CircuitOpen, R> => {
      startedAtMillis = monotonicMillis(fiber)
      const admission = cell.admit(fiber, startedAtMillis)
      if (Exit.isExit(admission)) return admission
      permit = admission
      return self
    })
    return Effect.onExit(call, (exit) =>
      permit !== undefined && isOfAdmitted(exit)
        ? finish(cell, fiber, permit, startedAtMillis, classify, exit)
        : Effect.void
    )
  })

/** Records how a call ended. Runs in a finalizer, on the fiber of the call, where a throw becomes a defect. */
const finish = <A, E>(
  cell: Cell,
  fiber: AnyFiber,
  permit: CircuitState.Permit,
  startedAtMillis: number,
  classify: Classify<A, E>,
  exit: Exit.Exit<A, E>
): Effect.Effect<void> => {
  let outcome: CircuitState.Outcome = "ignored"
  try {
    if (Exit.isSuccess(exit) || !Cause.hasInterruptsOnly(exit.cause)) outcome = classify(exit)
  } finally {
    const nowMillis = monotonicMillis(fiber)
    cell.record(fiber, permit, outcome, nowMillis - startedAtMillis, nowMillis)
  }
  return Effect.void
}
