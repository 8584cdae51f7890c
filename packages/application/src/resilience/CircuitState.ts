/**
 * The state machine of a circuit breaker, as pure functions from value to value.
 *
 * ```text
 *            rate at or above a threshold            openMillis passed
 *   Closed ───────────────────────────────▶ Open ───────────────────────▶ HalfOpen
 *     ▲                                      ▲                               │
 *     │                                      └── rate at or above, or stuck ─┤
 *     └────────────────────────── rate below after halfOpenCalls outcomes ───┘
 *
 *   any state ── forceOpen ──▶ ForcedOpen     any state ── disable ──▶ Disabled
 *   any state ── metricsOnly ─▶ MetricsOnly   any state ── reset ────▶ Closed
 * ```
 *
 * The semantics are Resilience4j's. Every state entered has a new generation and an empty window, and an admitted
 * call holds a permit of the generation that admitted it. An outcome that comes back under an older generation
 * changes nothing, so a call sent before the circuit opened cannot close or reopen it later.
 *
 * Times are milliseconds of any clock that does not go back. Only their differences matter.
 *
 * @since 0.1.0
 */
import { Option, Schema } from "effect"
import * as SlidingWindow from "./SlidingWindow.ts"

// -----------------------------------------------------------------------------
// Settings
// -----------------------------------------------------------------------------

/** The longest any duration of a circuit breaker may be: one day. */
export const durationMillisMax = 86_400_000

/** The most calls a half-open circuit may admit. */
export const halfOpenCallsMax = 10_000

/** The most calls that may be required before a rate is judged. */
export const callsMinMax = 1_000_000

/** What a caller is told to wait when a half-open circuit has no permit left, since its decision has no known time. */
export const halfOpenRetryAfterMillis = 1_000

const Percent = Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 100, exclusiveMinimum: true }))
const Millis = Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: durationMillisMax }))

/**
 * The settings of a circuit breaker.
 *
 * **Details**
 *
 * - `callsMin` is the number of calls below which no rate is judged. It is capped to the length of a count window,
 *   but not to that of a time window, which may hold any number of calls.
 * - A call is slow when it took longer than `slowCallMillis`, whatever its outcome.
 * - `halfOpenMillisMax` bounds a half-open state whose permits never come back: the circuit then opens again. 0
 *   means no bound.
 */
export class Settings extends Schema.Class<Settings>("@pillivery/application/resilience/CircuitState/Settings")({
  window: SlidingWindow.Spec,
  callsMin: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: callsMinMax })),
  failureRatePercent: Percent,
  slowCallRatePercent: Percent,
  slowCallMillis: Millis,
  openMillis: Millis,
  halfOpenCalls: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: halfOpenCallsMax })),
  halfOpenMillisMax: Millis
}) {}

/** The settings of the payment path: 40 calls, at least 20, opens at 60 % for 10 s, then 10 trial calls. */
export const settingsDefault = new Settings({
  window: { _tag: "Count", calls: 40 },
  callsMin: 20,
  failureRatePercent: 60,
  slowCallRatePercent: 100,
  slowCallMillis: 60_000,
  openMillis: 10_000,
  halfOpenCalls: 10,
  halfOpenMillisMax: 0
})

/** The calls that must be recorded before a closed circuit judges its rates. */
export const callsMinEffective = (settings: Settings): number =>
  settings.window._tag === "Count" ? Math.min(settings.callsMin, settings.window.calls) : settings.callsMin

// -----------------------------------------------------------------------------
// States
// -----------------------------------------------------------------------------

/** Admits every call and judges the rates after each outcome. */
export interface Closed {
  readonly _tag: "Closed"
  readonly generation: number
  readonly window: SlidingWindow.SlidingWindow
}

/** Rejects every call until a time, then lets the circuit become half-open. */
export interface Open {
  readonly _tag: "Open"
  readonly generation: number
  readonly untilMillis: number
}

/** Admits exactly as many calls as it needs outcomes, then decides. */
export interface HalfOpen {
  readonly _tag: "HalfOpen"
  readonly generation: number
  readonly untilMillis: number
  readonly permitsFree: number
  readonly window: SlidingWindow.SlidingWindow
}

/** Admits every call and records nothing. */
export interface Disabled {
  readonly _tag: "Disabled"
  readonly generation: number
}

/** Rejects every call until an operator says otherwise. */
export interface ForcedOpen {
  readonly _tag: "ForcedOpen"
  readonly generation: number
}

/** Admits every call, records it, and never opens. */
export interface MetricsOnly {
  readonly _tag: "MetricsOnly"
  readonly generation: number
  readonly window: SlidingWindow.SlidingWindow
}

/** The state of a circuit. */
export type State = Closed | Open | HalfOpen | Disabled | ForcedOpen | MetricsOnly

/** The name of a state. */
export type Tag = State["_tag"]

/** The moves between two different states that the machine can make. */
export const transitions = {
  Closed: ["Open", "ForcedOpen", "Disabled", "MetricsOnly"],
  Open: ["HalfOpen", "Closed", "ForcedOpen", "Disabled", "MetricsOnly"],
  HalfOpen: ["Open", "Closed", "ForcedOpen", "Disabled", "MetricsOnly"],
  ForcedOpen: ["Closed", "Disabled", "MetricsOnly"],
  Disabled: ["Closed", "ForcedOpen", "MetricsOnly"],
  MetricsOnly: ["Closed", "ForcedOpen", "Disabled"]
} as const satisfies Record<Tag, ReadonlyArray<Tag>>

/** Creates the closed circuit a breaker starts with. */
export const make = (settings: Settings): Closed => closed(0, settings)

const closed = (generation: number, settings: Settings): Closed => ({
  _tag: "Closed",
  generation,
  window: SlidingWindow.make(settings.window)
})

const open = (generation: number, settings: Settings, nowMillis: number): Open => ({
  _tag: "Open",
  generation,
  untilMillis: nowMillis + settings.openMillis
})

const halfOpen = (generation: number, settings: Settings, nowMillis: number): HalfOpen => ({
  _tag: "HalfOpen",
  generation,
  untilMillis: settings.halfOpenMillisMax === 0 ? Number.POSITIVE_INFINITY : nowMillis + settings.halfOpenMillisMax,
  permitsFree: settings.halfOpenCalls,
  window: SlidingWindow.makeCount(settings.halfOpenCalls)
})

// -----------------------------------------------------------------------------
// Calls
// -----------------------------------------------------------------------------

/** What a finished call says about the dependency: it is healthy, it is not, or nothing. */
export type Outcome = "success" | "failure" | "ignored"

/** The right to make one call, under the generation that gave it. */
export interface Permit {
  readonly generation: number
}

/** The call may be made. */
export interface Admitted {
  readonly _tag: "Admitted"
  readonly state: State
  readonly permit: Permit
}

/** The call must not be made. */
export interface Rejected {
  readonly _tag: "Rejected"
  readonly state: Open | HalfOpen | ForcedOpen
  readonly retryAfterMillis: number
}

/** The answer to a call that asks to be made. */
export type Admission = Admitted | Rejected

/** A finished call: its permit, its outcome, and how long it took. */
export interface Recorded {
  readonly permit: Permit
  readonly outcome: Outcome
  readonly durationMillis: number
}

/**
 * Makes the moves that time alone makes: an open circuit becomes half-open, a stuck half-open one opens again.
 *
 * **Details**
 *
 * The moves are those that timers would have made, each at its own time, so that a state does not depend on how often
 * it was looked at. Rounds that nobody looked at are skipped under one generation.
 */
export const settle = (self: State, settings: Settings, nowMillis: number): State => {
  if (self._tag !== "Open" && self._tag !== "HalfOpen") return self
  if (nowMillis < self.untilMillis) return self
  const { halfOpenMillisMax, openMillis } = settings
  const roundMillis = halfOpenMillisMax === 0 ? Number.POSITIVE_INFINITY : openMillis + halfOpenMillisMax
  const rounds = Math.floor((nowMillis - self.untilMillis) / roundMillis)
  const movedAtMillis = rounds === 0 ? self.untilMillis : self.untilMillis + rounds * roundMillis
  const enter = self._tag === "Open" ? halfOpen : open
  return settle(enter(self.generation + 1, settings, movedAtMillis), settings, nowMillis)
}

/** Asks for a permit to make one call. */
export const admit = (self: State, settings: Settings, nowMillis: number): Admission => {
  const state = settle(self, settings, nowMillis)
  switch (state._tag) {
    case "Open":
    case "ForcedOpen":
      return rejectedBy(state, settings, nowMillis)
    case "HalfOpen": {
      if (state.permitsFree === 0) return rejectedBy(state, settings, nowMillis)
      return { _tag: "Admitted", state: { ...state, permitsFree: state.permitsFree - 1 }, permit: permitOf(state) }
    }
    default:
      return { _tag: "Admitted", state, permit: permitOf(state) }
  }
}

const rejectedBy = (state: Rejected["state"], settings: Settings, nowMillis: number): Rejected => ({
  _tag: "Rejected",
  state,
  retryAfterMillis: retryAfterMillis(state, settings, nowMillis)
})

/** What a rejected call is told to wait. */
export const retryAfterMillis = (state: Rejected["state"], settings: Settings, nowMillis: number): number => {
  switch (state._tag) {
    case "Open":
      return state.untilMillis - nowMillis
    case "ForcedOpen":
      return settings.openMillis
    case "HalfOpen":
      return halfOpenRetryAfterMillis
  }
}

const permitOf = (state: State): Permit => ({ generation: state.generation })

/**
 * Records the outcome of an admitted call, once the moves of time are made.
 *
 * **Gotchas**
 *
 * A permit is good for one record. The machine is a value and cannot see a second one.
 */
export const record = (state: State, settings: Settings, call: Recorded, nowMillis: number): State => {
  const self = settle(state, settings, nowMillis)
  if (call.permit.generation !== self.generation) return self
  switch (self._tag) {
    case "Closed": {
      if (call.outcome === "ignored") return self
      const window = SlidingWindow.record(self.window, toCall(call, settings), nowMillis)
      return window.calls >= callsMinEffective(settings) && isAtThreshold(window, settings)
        ? open(self.generation + 1, settings, nowMillis)
        : { _tag: "Closed", generation: self.generation, window }
    }
    case "HalfOpen": {
      if (call.outcome === "ignored") return { ...self, permitsFree: self.permitsFree + 1 }
      const window = SlidingWindow.record(self.window, toCall(call, settings), nowMillis)
      if (window.calls < settings.halfOpenCalls) return { ...self, window }
      return isAtThreshold(window, settings)
        ? open(self.generation + 1, settings, nowMillis)
        : closed(self.generation + 1, settings)
    }
    case "MetricsOnly": {
      if (call.outcome === "ignored") return self
      return { ...self, window: SlidingWindow.record(self.window, toCall(call, settings), nowMillis) }
    }
    default:
      return self
  }
}

/** Gives a permit back unused, as an ignored outcome does. */
export const release = (self: State, settings: Settings, permit: Permit, nowMillis: number): State =>
  record(self, settings, { permit, outcome: "ignored", durationMillis: 0 }, nowMillis)

/** Decides whether a call of that length counts as slow. */
export const isSlow = (settings: Settings, durationMillis: number): boolean => durationMillis > settings.slowCallMillis

const toCall = (call: Recorded, settings: Settings): SlidingWindow.Call => ({
  isFailed: call.outcome === "failure",
  isSlow: isSlow(settings, call.durationMillis)
})

const isAtThreshold = (counts: SlidingWindow.Counts, settings: Settings): boolean =>
  counts.failed * 100 >= settings.failureRatePercent * counts.calls ||
  counts.slow * 100 >= settings.slowCallRatePercent * counts.calls

// -----------------------------------------------------------------------------
// Commands
// -----------------------------------------------------------------------------

/** Rejects every call until another command. */
export const forceOpen = (self: State): ForcedOpen =>
  self._tag === "ForcedOpen" ? self : { _tag: "ForcedOpen", generation: self.generation + 1 }

/** Admits every call and stops recording, until another command. */
export const disable = (self: State): Disabled =>
  self._tag === "Disabled" ? self : { _tag: "Disabled", generation: self.generation + 1 }

/** Admits and records every call without ever opening, until another command. */
export const metricsOnly = (self: State, settings: Settings): MetricsOnly =>
  self._tag === "MetricsOnly"
    ? self
    : { _tag: "MetricsOnly", generation: self.generation + 1, window: SlidingWindow.make(settings.window) }

/** Closes the circuit and forgets every outcome, also those of calls still running. */
export const reset = (self: State, settings: Settings): Closed => closed(self.generation + 1, settings)

// -----------------------------------------------------------------------------
// Metrics
// -----------------------------------------------------------------------------

/** What the window of a state holds. The rates are none below the minimum number of calls. */
export interface Metrics {
  readonly calls: number
  readonly failedCalls: number
  readonly slowCalls: number
  readonly failureRatePercent: Option.Option<number>
  readonly slowCallRatePercent: Option.Option<number>
}

const metricsEmpty: Metrics = {
  calls: 0,
  failedCalls: 0,
  slowCalls: 0,
  failureRatePercent: Option.none(),
  slowCallRatePercent: Option.none()
}

/** Reads the counts and rates of the current window. */
export const metrics = (self: State, settings: Settings, nowMillis: number): Metrics => {
  if (self._tag === "Open" || self._tag === "ForcedOpen" || self._tag === "Disabled") return metricsEmpty
  const counts = SlidingWindow.countsAt(self.window, nowMillis)
  const callsMin = self._tag === "HalfOpen" ? settings.halfOpenCalls : callsMinEffective(settings)
  const rate = (count: number) => (counts.calls >= callsMin ? Option.some((count * 100) / counts.calls) : Option.none())
  return {
    calls: counts.calls,
    failedCalls: counts.failed,
    slowCalls: counts.slow,
    failureRatePercent: rate(counts.failed),
    slowCallRatePercent: rate(counts.slow)
  }
}
