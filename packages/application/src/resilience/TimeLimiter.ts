/**
 * A time limit on an effect, as a typed failure.
 *
 * **Gotchas**
 *
 * A limit interrupts the effect and waits until it has ended, so an effect that is uninterruptible, or whose
 * finalizers hang, is not cut short. For a call that moves money `TimedOut` says nothing about whether it happened:
 * the outcome is unknown.
 *
 * @since 0.1.0
 */
import { Effect, Metric, Schema } from "effect"

/** The longest a time limit may be: one hour. */
export const limitMillisMax = 3_600_000

/** How long a call may take, and the name its failure carries. */
export class TimeLimit extends Schema.Class<TimeLimit>("@pillivery/application/resilience/TimeLimit")({
  name: Schema.String,
  millisMax: Schema.Finite.check(Schema.isBetween({ minimum: 1, maximum: limitMillisMax }))
}) {}

/** To open a connection: 10 s. */
export const connectLimit = new TimeLimit({ name: "connect", millisMax: 10_000 })

/** To the first byte of the response: 30 s. */
export const responseLimit = new TimeLimit({ name: "response", millisMax: 30_000 })

/** To read the response's body: 25 s. */
export const bodyLimit = new TimeLimit({ name: "body", millisMax: 25_000 })

/** To get a connection from the pool: 3 s. */
export const connectionAcquireLimit = new TimeLimit({ name: "connectionAcquire", millisMax: 3_000 })

/** The call was interrupted because it took longer than its limit. It may have had its effect. */
export class TimedOut extends Schema.TaggedError<TimedOut>("@pillivery/application/resilience/TimedOut")("TimedOut", {
  name: Schema.String,
  millisMax: Schema.Finite
}) {
  override get message(): string {
    return `${this.name} took longer than ${this.millisMax} ms`
  }
}

/** Counts the calls cut short, by the name of the limit. */
export const timedOutTotal = Metric.counter("time_limit_exceeded_total", {
  description: "Calls interrupted by a time limit",
  incremental: true
})

/** Fails with `TimedOut` when the effect takes longer than the limit. */
export const withTimeLimit =
  (limit: TimeLimit) =>
  <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E | TimedOut, R> =>
    Effect.timeoutOrElse(self, {
      duration: limit.millisMax,
      orElse: () =>
        Effect.andThen(
          Metric.update(Metric.withAttributes(timedOutTotal, { name: limit.name }), 1),
          Effect.fail(new TimedOut({ name: limit.name, millisMax: limit.millisMax }))
        )
    })
