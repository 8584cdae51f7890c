/**
 * A small seeded generator (mulberry32), so that a run with a printed seed can be repeated.
 *
 * @since 0.1.0
 */

/** Draws of one seeded sequence. */
export interface SeededRandom {
  /** A number in [0, 1). */
  readonly next: () => number
  /** True with the given probability. */
  readonly chance: (probability: number) => boolean
  /** An integer in [0, bound). */
  readonly below: (bound: number) => number
  /** Lowercase hex digits. */
  readonly hex: (length: number) => string
}

/** Starts the sequence of a seed. */
export const make = (seed: number): SeededRandom => {
  let state = seed >>> 0
  const next32 = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
  const next = () => next32() / 4_294_967_296
  return {
    next,
    chance: (probability) => next() < probability,
    below: (bound) => Math.floor(next() * bound),
    hex: (length) => {
      let digits = ""
      while (digits.length < length) digits += next32().toString(16).padStart(8, "0")
      return digits.slice(0, length)
    }
  }
}
