/**
 * Draws from a seed.
 *
 * @since 0.1.0
 */

const twoTo32 = 4_294_967_296
const goldenRatio = 0x9e3779b9

/** One row of draws (mulberry32); another name gives another row of the same seed. */
export class Chance {
  #state: number

  constructor(seed: number, name: string) {
    let state = seed | 0
    for (let index = 0; index < name.length; index++) state = Math.imul(state ^ name.charCodeAt(index), 0x01000193)
    this.#state = Math.imul(state ^ goldenRatio, 0x85ebca6b)
  }

  /** From 0 to 1, without 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / twoTo32
  }

  /** A whole number from 0 to `bound`, without `bound`. */
  below(bound: number): number {
    return bound <= 1 ? 0 : Math.floor(this.next() * bound)
  }

  /** A whole number from `from` to `to`, with both. */
  between(from: number, to: number): number {
    return from + this.below(to - from + 1)
  }

  /** Whether something of this probability happens. */
  happens(probability: number): boolean {
    return this.next() < probability
  }

  /** One of several, by their weights. */
  weighed<A>(choices: ReadonlyArray<readonly [weight: number, choice: A]>): A {
    let rest = this.next() * choices.reduce((sum, [weight]) => sum + weight, 0)
    for (const [weight, choice] of choices) {
      rest -= weight
      if (rest < 0) return choice
    }
    const last = choices.at(-1)
    if (last === undefined) throw new Error("there is nothing to choose from")
    return last[1]
  }

  /** One of several, each as likely. */
  pick<A>(choices: ReadonlyArray<A>): A {
    return this.weighed(choices.map((choice) => [1, choice] as const))
  }
}
