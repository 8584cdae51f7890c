/**
 * A clock that runs faster than the real one.
 *
 * Every wait, timeout and window that is measured by Effect's clock is divided by the factor, with no setting changed.
 * What other code measures, such as the timers of the HTTP client, is not.
 */
import { type Clock, Duration, Effect } from "effect"

const nanosPerMilli = 1_000_000
const timerMillisMax = 2_147_483_647

/** The clock, and the way back from its wall time to the real one. */
export interface ScaledClock extends Clock.Clock {
  readonly toRealMillis: (wallMillis: number) => number
}

/** A clock that shows the real time now, and runs `factor` times as fast from now on. */
export const make = (factor: number): ScaledClock => {
  const wallStartMillis = Date.now()
  const startMillis = performance.now()
  const elapsedMillis = () => (performance.now() - startMillis) * factor
  const wallMillis = () => Math.floor(wallStartMillis + elapsedMillis())
  const wallNanos = () => BigInt(Math.floor(elapsedMillis() * nanosPerMilli)) + BigInt(wallStartMillis * nanosPerMilli)
  const monotonicNanos = () => BigInt(Math.floor(elapsedMillis() * nanosPerMilli))
  return {
    currentTimeMillisUnsafe: wallMillis,
    currentTimeMillis: Effect.sync(wallMillis),
    currentTimeNanosUnsafe: wallNanos,
    currentTimeNanos: Effect.sync(wallNanos),
    monotonicTimeNanosUnsafe: monotonicNanos,
    monotonicTimeNanos: Effect.sync(monotonicNanos),
    sleep: (duration) =>
      Effect.callback<void>((resume) => {
        const millis = Math.min(Duration.toMillis(duration) / factor, timerMillisMax)
        const timer = setTimeout(() => resume(Effect.void), millis)
        return Effect.sync(() => clearTimeout(timer))
      }),
    toRealMillis: (wall) => wallStartMillis + (wall - wallStartMillis) / factor
  }
}
