/**
 * A clock that stands still until it is told to move, for tests that drive effects from outside a fiber.
 *
 * @since 0.1.0
 */
import { type Clock, Duration, Effect } from "effect"

const nanosPerMilli = 1_000_000n

/** A clock whose wall time and monotonic time are the milliseconds it was moved by. Nothing may sleep on it. */
export class VirtualClock implements Clock.Clock {
  millis = 0

  currentTimeMillisUnsafe(): number {
    return this.millis
  }
  currentTimeNanosUnsafe(): bigint {
    return BigInt(this.millis) * nanosPerMilli
  }
  monotonicTimeNanosUnsafe(): bigint {
    return this.currentTimeNanosUnsafe()
  }
  readonly currentTimeMillis = Effect.sync(() => this.currentTimeMillisUnsafe())
  readonly currentTimeNanos = Effect.sync(() => this.currentTimeNanosUnsafe())
  readonly monotonicTimeNanos = Effect.sync(() => this.monotonicTimeNanosUnsafe())

  sleep(duration: Duration.Duration): Effect.Effect<void> {
    return Effect.die(new Error(`a sleep of ${Duration.toMillis(duration)} ms on a clock that nobody moves`))
  }
}
