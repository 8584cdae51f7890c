/**
 * Time and the order of things, both from a seed.
 *
 * Every fiber of a simulation runs on one scheduler, which draws the next of the tasks that are ready, and sleeps on one
 * clock, which goes to the next sleeper when nothing is ready. Nothing waits for the real world, so that a year takes
 * seconds and the same seed gives the same history, task by task.
 *
 * @since 0.1.0
 */
import { type Clock, Duration, Effect, type Fiber, Scheduler } from "effect"
import type { Chance } from "./Chance.ts"

/** Tasks that may run between two moments; more are taken for a loop that never ends. */
export const tasksPerMomentMax = 20_000_000

const nanosPerMilli = 1_000_000n

interface Sleeper {
  readonly atMillis: number
  readonly order: number
  readonly wake: () => void
  isGone: boolean
}

/** A clock and a scheduler in one. */
export class VirtualTime implements Clock.Clock, Scheduler.Scheduler {
  readonly executionMode = "async"
  readonly #chance: Chance
  readonly #ready: Array<() => void> = []
  readonly #sleepers: Array<Sleeper> = []
  #order = 0
  #nowMillis: number
  /** How far the wall clock was moved; the monotonic one does not follow. */
  #movedMillis = 0

  constructor(startMillis: number, chance: Chance) {
    this.#nowMillis = startMillis
    this.#chance = chance
  }

  // The scheduler.

  shouldYield(fiber: Fiber.Fiber<unknown, unknown>): boolean {
    return fiber.currentOpCount >= fiber.cache.maxOpsBeforeYield
  }

  makeDispatcher(): Scheduler.SchedulerDispatcher {
    return {
      scheduleTask: (task) => void this.#ready.push(task),
      flush: () => this.#runReady()
    }
  }

  // The clock.

  currentTimeMillisUnsafe(): number {
    return this.#nowMillis
  }

  currentTimeNanosUnsafe(): bigint {
    return BigInt(this.#nowMillis) * nanosPerMilli
  }

  monotonicTimeNanosUnsafe(): bigint {
    return BigInt(this.#nowMillis - this.#movedMillis) * nanosPerMilli
  }

  readonly currentTimeMillis = Effect.sync(() => this.currentTimeMillisUnsafe())
  readonly currentTimeNanos = Effect.sync(() => this.currentTimeNanosUnsafe())
  readonly monotonicTimeNanos = Effect.sync(() => this.monotonicTimeNanosUnsafe())

  sleep(duration: Duration.Duration): Effect.Effect<void> {
    const millis = Math.max(0, Duration.toMillis(duration))
    if (millis === Number.POSITIVE_INFINITY) return Effect.never
    return Effect.callback<void>((resume) => {
      const sleeper: Sleeper = {
        atMillis: this.#nowMillis + Math.ceil(millis),
        order: this.#order++,
        wake: () => resume(Effect.void),
        isGone: false
      }
      this.#push(sleeper)
      return Effect.sync(() => {
        sleeper.isGone = true
      })
    })
  }

  /** Moves the wall clock forward while everybody sleeps, as a suspended machine finds it when it is woken. */
  move(millis: number): void {
    this.#nowMillis += millis
    this.#movedMillis += millis
  }

  /** Runs everything up to an instant, and what is ready then. */
  runUntil(atMillis: number): void {
    for (;;) {
      this.#runReady()
      const next = this.#sleepers[0]
      if (next === undefined || next.atMillis > atMillis) break
      this.#pop()
      if (next.isGone) continue
      this.#nowMillis = Math.max(this.#nowMillis, next.atMillis)
      next.wake()
    }
    this.#nowMillis = Math.max(this.#nowMillis, atMillis)
  }

  #runReady(): void {
    for (let count = 0; this.#ready.length > 0; count++) {
      if (count > tasksPerMomentMax) throw new Error("a loop never ends")
      const index = this.#chance.below(this.#ready.length)
      const task = this.#ready[index]
      const last = this.#ready.pop()
      if (last !== undefined && index < this.#ready.length) this.#ready[index] = last
      task?.()
    }
  }

  // A binary heap: the earliest first, and of those the first to fall asleep.

  #push(sleeper: Sleeper): void {
    const heap = this.#sleepers
    let index = heap.push(sleeper) - 1
    while (index > 0) {
      const parent = (index - 1) >> 1
      const above = heap[parent]
      if (above === undefined || isBefore(above, sleeper)) break
      heap[index] = above
      index = parent
    }
    heap[index] = sleeper
  }

  #pop(): void {
    const heap = this.#sleepers
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    let index = 0
    for (;;) {
      const left = 2 * index + 1
      const [a, b] = [heap[left], heap[left + 1]]
      const child = a !== undefined && b !== undefined && isBefore(b, a) ? left + 1 : left
      const below = heap[child]
      if (below === undefined || isBefore(last, below)) break
      heap[index] = below
      index = child
    }
    heap[index] = last
  }
}

const isBefore = (a: Sleeper, b: Sleeper): boolean =>
  a.atMillis < b.atMillis || (a.atMillis === b.atMillis && a.order < b.order)
