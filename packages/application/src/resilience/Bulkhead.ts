/**
 * A bulkhead: a bound on the calls that run at once and on those that wait for a place.
 *
 * A slow dependency then holds a bounded share of the process instead of all of it. Places are given in the order of
 * asking. A call that finds the queue full, or waits too long, fails with `BulkheadFull` and has not begun.
 *
 * As with `CircuitBreaker`, `withBulkhead` wraps an effect, and `acquire` gives a permit to release later.
 *
 * @since 0.1.0
 */
import { Effect, Exit, Schema, Scope } from "effect"

/** The largest number of calls a bulkhead may run at once, and the largest queue before it. */
export const placesMax = 100_000

/** The longest a call may be allowed to wait for a place: one hour. */
export const waitMillisMax = 3_600_000

/**
 * The settings of a bulkhead.
 *
 * **Details**
 *
 * `queueMax` bounds the calls that wait, and `waitMillisMax` how long each waits. Either 0 means that no call waits.
 */
export class Settings extends Schema.Class<Settings>("@pillivery/application/resilience/Bulkhead/Settings")({
  concurrentMax: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: placesMax })),
  queueMax: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: placesMax })),
  waitMillisMax: Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: waitMillisMax }))
}) {}

/**
 * The approve path: 50 at once, wait at most 10 s.
 *
 * **Details**
 *
 * Its queue is bounded only to bound memory. At 100 ms a call, 50 places serve half of it within the wait, so time
 * rejects first.
 */
export const approveSettings = new Settings({ concurrentMax: 50, queueMax: 10_000, waitMillisMax: 10_000 })

/**
 * The lookup path: 50 at once and 50 waiting, then reject.
 *
 * **Details**
 *
 * The wait is bounded by the longest a call ahead can take, 10 s to connect and 30 s and 25 s to be answered, so time
 * rejects only when the places are stuck.
 */
export const lookupSettings = new Settings({ concurrentMax: 50, queueMax: 50, waitMillisMax: 65_000 })

/** The call was not made, because too many run and wait already. Nothing was sent. */
export class BulkheadFull extends Schema.TaggedError<BulkheadFull>("@pillivery/application/resilience/BulkheadFull")(
  "BulkheadFull",
  {
    name: Schema.String,
    reason: Schema.Literals(["QueueFull", "WaitedTooLong"]),
    concurrentMax: Schema.Int
  }
) {
  override get message(): string {
    const why = this.reason === "QueueFull" ? "its queue is full" : "no place became free in time"
    return `Bulkhead ${this.name} runs ${this.concurrentMax} calls and ${why}`
  }
}

/** The calls that run and wait now, and counts since the bulkhead was made. */
export interface Metrics {
  readonly name: string
  readonly running: number
  readonly waiting: number
  readonly admittedTotal: number
  readonly queueFullTotal: number
  readonly waitedTooLongTotal: number
}

/** A place in a bulkhead. The first `release` gives it back, and later ones change nothing. */
export interface Permit {
  readonly release: Effect.Effect<void>
}

/** A bulkhead. */
export interface Bulkhead {
  readonly name: string
  readonly settings: Settings
  /**
   * Takes a place, waiting for it if need be.
   *
   * **Gotchas**
   *
   * The caller must release the permit, so acquire it in an uninterruptible region, where the wait is not
   * interruptible either. Prefer `acquireScoped`, or `withBulkhead`, whose wait is.
   */
  readonly acquire: Effect.Effect<Permit, BulkheadFull>
  /** Takes a place until the scope closes or the permit is released. The wait is interruptible. */
  readonly acquireScoped: Effect.Effect<Permit, BulkheadFull, Scope.Scope>
  /** Runs an effect in a place of this bulkhead. The wait is interruptible. */
  readonly withBulkhead: <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E | BulkheadFull, R>
  readonly metrics: Effect.Effect<Metrics>
}

/**
 * Creates an empty bulkhead.
 *
 * **Gotchas**
 *
 * Dies on settings out of their range.
 */
export const make = (options: { readonly name: string } & typeof Settings.Type): Effect.Effect<Bulkhead> =>
  Effect.sync(() => fromPlaces(new Places(options.name, new Settings(options))))

// -----------------------------------------------------------------------------
// The places
// -----------------------------------------------------------------------------

/** One call's claim on a place. Leaving is allowed at any time and any number of times. */
class Ticket {
  readonly places: Places
  isHeld = false
  resume: ((effect: Effect.Effect<void>) => void) | undefined

  constructor(places: Places) {
    this.places = places
  }

  grant(): void {
    this.isHeld = true
    this.resume?.(Effect.void)
  }

  leave(): void {
    this.places.waiting.delete(this)
    if (!this.isHeld) return
    this.isHeld = false
    this.places.passOn()
  }
}

class Places {
  readonly name: string
  readonly settings: Settings
  readonly waiting = new Set<Ticket>()
  running = 0
  admittedTotal = 0
  queueFullTotal = 0
  waitedTooLongTotal = 0

  constructor(name: string, settings: Settings) {
    this.name = name
    this.settings = settings
  }

  /** Gives a place that became free to the ticket that waited longest. */
  passOn(): void {
    for (const next of this.waiting) {
      this.waiting.delete(next)
      this.admittedTotal++
      return next.grant()
    }
    this.running--
  }

  /** Takes a place at once, or waits for one to be passed on. Whoever runs this lets the ticket leave if it fails. */
  enter(ticket: Ticket): Effect.Effect<void, BulkheadFull> {
    return Effect.suspend(() => {
      const { concurrentMax, queueMax, waitMillisMax } = this.settings
      if (this.running < concurrentMax) {
        this.running++
        this.admittedTotal++
        ticket.isHeld = true
        return Effect.void
      }
      if (waitMillisMax === 0 || this.waiting.size >= queueMax) {
        this.queueFullTotal++
        return this.full("QueueFull")
      }
      this.waiting.add(ticket)
      return Effect.timeoutOrElse(granted(ticket), {
        duration: waitMillisMax,
        orElse: () => {
          if (ticket.isHeld) return Effect.void
          this.waiting.delete(ticket)
          this.waitedTooLongTotal++
          return this.full("WaitedTooLong")
        }
      })
    })
  }

  full(reason: "QueueFull" | "WaitedTooLong"): Effect.Effect<never, BulkheadFull> {
    return Effect.fail(new BulkheadFull({ name: this.name, reason, concurrentMax: this.settings.concurrentMax }))
  }
}

const granted = (ticket: Ticket): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    if (ticket.isHeld) resume(Effect.void)
    else ticket.resume = resume
  })

// Unlike an effect's own finalizer, it keeps no services.
const releasedWithScope = (permit: Permit): Effect.Effect<void, never, Scope.Scope> =>
  Effect.flatMap(Effect.scope, (scope) => Scope.addFinalizer(scope, permit.release))

const permitOf = (ticket: Ticket): Permit => ({ release: Effect.sync(() => ticket.leave()) })

// A ticket can be granted while its fiber is being interrupted. Each way in therefore lets the ticket leave from a
// finalizer that was in place before the ticket entered, instead of from one added when the wait succeeds.
const fromPlaces = (places: Places): Bulkhead => {
  const acquireWith = (
    restore: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  ): Effect.Effect<Ticket, BulkheadFull> =>
    Effect.suspend(() => {
      const ticket = new Ticket(places)
      return Effect.as(
        Effect.onExit(restore(places.enter(ticket)), (exit) => {
          if (Exit.isFailure(exit)) ticket.leave()
          return Effect.void
        }),
        ticket
      )
    })

  return {
    name: places.name,
    settings: places.settings,
    acquire: Effect.uninterruptibleMask((restore) => Effect.map(acquireWith(restore), permitOf)),
    acquireScoped: Effect.uninterruptibleMask((restore) =>
      Effect.flatMap(acquireWith(restore), (ticket) => {
        const permit = permitOf(ticket)
        return Effect.as(releasedWithScope(permit), permit)
      })
    ),
    withBulkhead: (self) =>
      Effect.suspend(() => {
        const ticket = new Ticket(places)
        return Effect.onExit(Effect.andThen(places.enter(ticket), self), () => {
          ticket.leave()
          return Effect.void
        })
      }),
    metrics: Effect.sync(() => ({
      name: places.name,
      running: places.running,
      waiting: places.waiting.size,
      admittedTotal: places.admittedTotal,
      queueFullTotal: places.queueFullTotal,
      waitedTooLongTotal: places.waitedTooLongTotal
    }))
  }
}
