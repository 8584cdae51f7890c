/**
 * What happened: a fingerprint of every step, and a story of what mattered.
 *
 * @since 0.1.0
 */

/** The last lines of a story that are kept. */
export const linesMax = 20_000

const offsetBasis = 0x811c9dc5
const prime = 0x01000193

/** The steps and the story of one simulation. */
export class Trace {
  readonly #now: () => number
  readonly #lines: Array<string> = []
  #hash = offsetBasis
  #steps = 0

  constructor(now: () => number) {
    this.#now = now
  }

  /** Steps so far. */
  get steps(): number {
    return this.#steps
  }

  /** Two histories with the same fingerprint were the same, step by step. */
  get fingerprint(): string {
    return (this.#hash >>> 0).toString(16).padStart(8, "0")
  }

  /** Notes one step of a machine. */
  step(atMillis: number, machine: string, point: string): void {
    this.#steps++
    this.#mix(atMillis | 0)
    for (let index = 0; index < point.length; index++) this.#mix(point.charCodeAt(index))
    for (let index = 0; index < machine.length; index++) this.#mix(machine.charCodeAt(index))
  }

  /** Adds a line to the story. */
  tell(line: string): void {
    this.#lines.push(`${new Date(this.#now()).toISOString()} ${line}`)
    if (this.#lines.length > linesMax) this.#lines.splice(0, linesMax / 2)
    for (let index = 0; index < line.length; index++) this.#mix(line.charCodeAt(index))
  }

  /** The lines that name one of these, or nobody in particular. */
  story(names: ReadonlyArray<string>): ReadonlyArray<string> {
    return this.#lines.filter((line) => names.some((name) => line.includes(name)))
  }

  #mix(value: number): void {
    this.#hash = Math.imul(this.#hash ^ value, prime)
  }
}
