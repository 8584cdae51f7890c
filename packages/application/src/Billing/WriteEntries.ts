/**
 * Writing what a renewal's outcome does to the books.
 *
 * @since 0.1.0
 */
import type * as Order from "@pillivery/domain/Order"
import type { Entries } from "@pillivery/domain/Renewal"
import { Effect } from "effect"
import { BillingKeyRepository } from "../ports/BillingKeyRepository.ts"
import { BillingLedger } from "../ports/BillingLedger.ts"
import { OrderRepository } from "../ports/OrderRepository.ts"
import { Outbox } from "../ports/Outbox.ts"
import { PaymentRepository } from "../ports/PaymentRepository.ts"
import { RefundRepository } from "../ports/RefundRepository.ts"
import { SalesLedger } from "../ports/SalesLedger.ts"
import { SubscriptionRepository } from "../ports/SubscriptionRepository.ts"

/** Sales of an order's lines, caused by the attempt that paid it. */
export const salesOf = (order: Order.Order, cause: string) =>
  order.lines.map((line) => ({ cause: `${cause}/${line.id}`, itemId: line.itemId, quantity: line.quantity }))

/** Writes every changed and new row; the caller's transaction makes them one. */
export const writeEntries = Effect.fnUntraced(function* (entries: Entries) {
  const payments = yield* PaymentRepository
  const ledger = yield* BillingLedger
  const subscriptions = yield* SubscriptionRepository
  const keys = yield* BillingKeyRepository
  const orders = yield* OrderRepository
  const refunds = yield* RefundRepository
  if (entries.key !== undefined) yield* keys.update(entries.key)
  if (entries.cycle !== undefined) yield* ledger.updateCycle(entries.cycle)
  if (entries.subscription !== undefined) yield* subscriptions.update(entries.subscription)
  if (entries.attempt !== undefined) yield* payments.updateAttempt(entries.attempt)
  for (const cycle of entries.opened) yield* ledger.insertCycle(cycle)
  if (entries.order !== undefined) {
    yield* orders.insert(entries.order)
    yield* (yield* SalesLedger).record(salesOf(entries.order, entries.order.paidBy))
  }
  if (entries.refund !== undefined) yield* refunds.insert(entries.refund)
  if (entries.events.length > 0) yield* (yield* Outbox).publish(entries.events)
})
