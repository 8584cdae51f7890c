/**
 * Locks of one process.
 *
 * The lock is given in the order of asking. It needs no lease: a holder that dies takes the lock with it.
 *
 * @since 0.1.0
 */
import { DistributedLock, LockUnavailable, lockWaitMillis } from "@pillivery/application/ports/DistributedLock"
import { Effect, Layer, Option } from "effect"

/** Locks of this process. */
export const layer: Layer.Layer<DistributedLock> = Layer.sync(DistributedLock, () => {
  // The first of a queue holds the lock; a queue that is empty is forgotten.
  const queues = new Map<string, Array<Ticket>>()

  const enter = (key: string): Ticket => {
    const queue = queues.get(key) ?? []
    queues.set(key, queue)
    const ticket = new Ticket()
    if (queue.push(ticket) === 1) ticket.grant()
    return ticket
  }

  const leave = (key: string, ticket: Ticket): void => {
    const queue = (queues.get(key) ?? []).filter((other) => other !== ticket)
    if (queue.length === 0) queues.delete(key)
    else queues.set(key, queue)
    if (ticket.isHeld) queue[0]?.grant()
  }

  return DistributedLock.of({
    withLock:
      (key, { waitMillis = lockWaitMillis } = {}) =>
      (effect) =>
        Effect.acquireUseRelease(
          Effect.sync(() => enter(key)),
          (ticket) =>
            Effect.flatMap(ticket.wait(waitMillis), (isHeld) =>
              isHeld ? widen(effect) : Effect.fail(new LockUnavailable({ key, reason: "held" }))
            ),
          (ticket) => Effect.sync(() => leave(key, ticket))
        )
  })
})

const widen = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | LockUnavailable, R> => effect

class Ticket {
  isHeld = false
  resume: ((effect: Effect.Effect<void>) => void) | null = null

  grant(): void {
    this.isHeld = true
    this.resume?.(Effect.void)
  }

  /** Waits for the lock, and answers whether it is held now. */
  wait(waitMillis: number): Effect.Effect<boolean> {
    if (this.isHeld || waitMillis <= 0) return Effect.sync(() => this.isHeld)
    const granted = Effect.callback<void>((resume) => {
      if (this.isHeld) resume(Effect.void)
      else this.resume = resume
    })
    return Effect.map(Effect.timeoutOption(granted, waitMillis), (inTime) => Option.isSome(inTime) || this.isHeld)
  }
}
