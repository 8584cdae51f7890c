/**
 * Ending orders that were not paid in time.
 *
 * An order whose approval is under way does not expire. Every change is conditional on the version read, so that it may
 * run on every server at once.
 *
 * @since 0.1.0
 */
import type { OrderId } from "@pillivery/domain/Ids"
import * as DomainEvent from "@pillivery/domain/DomainEvent"
import * as Order from "@pillivery/domain/Order"
import { Effect, Option, Result } from "effect"
import { BusinessClock } from "../ports/BusinessClock.ts"
import { OrderRepository } from "../ports/OrderRepository.ts"
import { Outbox } from "../ports/Outbox.ts"
import { Transaction } from "../ports/Transaction.ts"

/** How many orders are taken at a time. */
export const batchSize = 100
/** How many batches one pass takes. */
export const batchesMax = 1_000

/** Expires what is due now; answers how many orders. */
export const expireOrders = Effect.fn("expireOrders")(function* () {
  const orders = yield* OrderRepository
  const outbox = yield* Outbox
  const transaction = yield* Transaction
  const clock = yield* BusinessClock
  const at = yield* clock.now

  const expire = Effect.fnUntraced(function* (id: OrderId) {
    const found = yield* orders.findById(id)
    if (Option.isNone(found)) return 0
    const expired = Order.expire(found.value, at)
    if (Result.isFailure(expired)) return 0
    const { id: orderId, userId } = expired.success
    const event = new DomainEvent.OrderExpired({
      eventId: DomainEvent.eventId(orderId, "OrderExpired"),
      at,
      orderId,
      userId
    })
    return yield* transaction.run(Effect.andThen(orders.update(expired.success), outbox.publish([event]))).pipe(
      Effect.as(1),
      Effect.catchTag("StaleWrite", () => Effect.succeed(0))
    )
  })

  let count = 0
  for (let batch = 0; batch < batchesMax; batch++) {
    const ids = yield* orders.listExpirable(at, batchSize)
    const expired = (yield* Effect.forEach(ids, expire)).reduce((sum, one) => sum + one, 0)
    count += expired
    if (ids.length < batchSize || expired === 0) break
  }
  return count
})
