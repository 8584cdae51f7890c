/**
 * Bounded retry policies, as values.
 *
 * A policy is a timing, which says how often and how far apart, and a predicate, which says after which errors. The
 * predicate has no default: whether a call may be made again is the caller's knowledge.
 *
 * **Gotchas**
 *
 * A call that moves money may be made again only after an error that proves it was not executed, and each resend
 * must be a new attempt of the charging protocol. Wrap the attempt, never the provider's client below it.
 *
 * @since 0.1.0
 */
import { Duration, Effect, Metric, Random, Schedule, Schema } from "effect"

/** The most tries a policy may allow, the first included. */
export const triesMaxMax = 100

/** The longest delay a policy may set: one day. */
export const delayMillisMax = 86_400_000

const Millis = Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: delayMillisMax }))

/** The same delay before each retry. */
export const Fixed = Schema.TaggedStruct("Fixed", { delayMillis: Millis })

/** A delay that grows by a factor with each retry, up to a cap. */
export const Exponential = Schema.TaggedStruct("Exponential", {
  delayMillis: Millis,
  factor: Schema.Finite.check(Schema.isBetween({ minimum: 1, maximum: 10 })),
  delayMillisMax: Millis
})

/**
 * How often to try, and how far apart.
 *
 * **Details**
 *
 * Jitter moves each delay by up to `jitterPercent` either way, at random and never above the cap of an exponential
 * backoff.
 */
export class Timing extends Schema.Class<Timing>("@pillivery/application/resilience/RetryPolicy/Timing")({
  triesMax: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: triesMaxMax })),
  backoff: Schema.Union([Fixed, Exponential]),
  jitterPercent: Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 100 }))
}) {}

/** Interactive calls to a provider: 3 tries, 3 s apart. */
export const providerTiming = new Timing({
  triesMax: 3,
  backoff: { _tag: "Fixed", delayMillis: 3_000 },
  jitterPercent: 0
})

/** The billing batch: 3 tries, from 1 s and doubling, at most 5 min apart. */
export const billingTiming = new Timing({
  triesMax: 3,
  backoff: { _tag: "Exponential", delayMillis: 1_000, factor: 2, delayMillisMax: 300_000 },
  jitterPercent: 0
})

/** A timing, and the errors after which to try again. */
export interface RetryPolicy<in E> {
  readonly name: string
  readonly timing: Timing
  readonly isRetryable: (error: E) => boolean
}

/** Creates a policy. */
export const make = <E>(policy: RetryPolicy<E>): RetryPolicy<E> => policy

/** Computes the delay before a retry, counted from 1. The random number is in [0, 1), and 0.5 means no jitter. */
export const delayMillisBefore = (timing: Timing, retry: number, random: number): number => {
  const { backoff, jitterPercent } = timing
  const spread = 1 + ((2 * random - 1) * jitterPercent) / 100
  return backoff._tag === "Fixed"
    ? backoff.delayMillis * spread
    : Math.min(backoff.delayMillis * backoff.factor ** (retry - 1) * spread, backoff.delayMillisMax)
}

/** Counts the retries made, by the name of the policy. */
export const retriesTotal = Metric.counter("retries_total", {
  description: "Calls made again after a retryable error",
  incremental: true
})

/** Converts a policy to a schedule whose inputs are the errors and whose outputs count the retries. */
export const toSchedule = <E>(policy: RetryPolicy<E>): Schedule.Schedule<number, E> =>
  Schedule.recurs(policy.timing.triesMax - 1).pipe(
    Schedule.setInputType<E>(),
    Schedule.while(({ input }) => policy.isRetryable(input)),
    Schedule.modifyDelay(({ attempt }) =>
      Effect.map(Random.next, (random) => Duration.millis(delayMillisBefore(policy.timing, attempt, random)))
    )
  )

/** Tries an effect again as the policy says, and fails with its last error. */
export const withRetry = <E>(policy: RetryPolicy<E>) => {
  const retries = Metric.withAttributes(retriesTotal, { name: policy.name })
  const schedule = Schedule.tap(toSchedule(policy), () => Metric.update(retries, 1))
  return <A, E2 extends E, R>(self: Effect.Effect<A, E2, R>): Effect.Effect<A, E2, R> => Effect.retry(self, schedule)
}
