/**
 * A clock that others can move: the real one plus an offset, and a skew that only reported timestamps show.
 *
 * @since 0.1.0
 */
import type { Moment } from "./Store.ts"

/** Where the clock stands. */
export interface ClockSettings {
  /** Added to the real clock: the simulator's true time. */
  readonly offsetMillis: number
  /** Added on top in reported timestamps only: a provider whose clock is wrong. */
  readonly skewMillis: number
}

/** The clock. */
export interface SimulatorClock {
  readonly nowMillis: () => number
  readonly settings: () => ClockSettings
  readonly set: (settings: Partial<ClockSettings>) => void
  /** The instant `atMillis` as truth and as reported under the skew in force. */
  readonly moment: (atMillis: number) => Moment
}

/** Starts a clock. */
export const make = (options: ClockSettings & { readonly realNow: () => number }): SimulatorClock => {
  let { offsetMillis, skewMillis } = options
  return {
    nowMillis: () => options.realNow() + offsetMillis,
    settings: () => ({ offsetMillis, skewMillis }),
    set: (settings) => {
      offsetMillis = settings.offsetMillis ?? offsetMillis
      skewMillis = settings.skewMillis ?? skewMillis
    },
    moment: (atMillis) => ({ atMillis, stampMillis: atMillis + skewMillis })
  }
}
