/**
 * What each consumer does with an event.
 *
 * An event may come more than once: whoever writes rows marks it as consumed in the same transaction, whoever calls the
 * provider begins with a conditional update that works once.
 *
 * @since 0.1.0
 */
import * as Cart from "@pillivery/domain/Cart"
import type { DomainEvent, OrderPaid } from "@pillivery/domain/DomainEvent"
import { Effect, Option } from "effect"
import { BusinessClock } from "../ports/BusinessClock.ts"
import { CartStore } from "../ports/CartStore.ts"
import { Mailer } from "../ports/Mailer.ts"
import { MessageQueue, type Recipient } from "../ports/MessageQueue.ts"
import { Notification, NotificationRepository } from "../ports/NotificationRepository.ts"
import { OrderRepository } from "../ports/OrderRepository.ts"
import { type Delivery, Outbox } from "../ports/Outbox.ts"
import { Transaction } from "../ports/Transaction.ts"
import { WebhookEndpoints } from "../ports/WebhookEndpoints.ts"
import { dispatchRefund } from "../Refunds/DispatchRefund.ts"
import { retryStale } from "../StaleRetry.ts"
import { registerBillingKey } from "../Subscriptions/RegisterBillingKey.ts"
import { retireBillingKey } from "../Subscriptions/RetireBillingKey.ts"
import { forgetUser } from "../Users/Withdraw.ts"
import { textOf } from "./NotificationText.ts"

/** Does what the delivery's consumer does with its event. */
export const handleEvent = Effect.fn("handleEvent")(function* ({ consumer, event }: Delivery) {
  switch (consumer) {
    case "cart":
      return event._tag === "OrderPaid" ? yield* cleanCart(event) : undefined
    case "notification":
      return yield* notify(event)
    case "refund":
      return event._tag === "RefundRequested" ? yield* dispatchRefund(event.refundId) : undefined
    case "billingKey":
      if (event._tag === "BillingKeyUnused") return yield* retireBillingKey(event.billingKeyId)
      if (event._tag === "BillingKeyRegistrationRequested")
        return void (yield* registerBillingKey(event.subscriptionId))
      return undefined
    case "withdrawal":
      return event._tag === "UserWithdrawn" ? yield* forgetUser(event.userId) : undefined
  }
})

// Lines put into the cart after the order was placed stay. Taking out the same lines again changes nothing, so the cart,
// which lives outside the database, needs no mark.
const cleanCart = Effect.fnUntraced(function* (event: OrderPaid) {
  const orders = yield* OrderRepository
  const carts = yield* CartStore
  const order = yield* orders.findById(event.orderId)
  if (Option.isNone(order) || order.value.origin._tag !== "FromCart") return
  const { lines, origin, placedAt, userId } = order.value
  yield* retryStale(
    Effect.gen(function* () {
      const cart = yield* carts.get(userId, origin.cart)
      const cleaned = Cart.removeAddedBefore(
        cart,
        lines.map((line) => line.itemId),
        placedAt
      )
      if (cleaned.lines.length !== cart.lines.length) yield* carts.save(cleaned)
    })
  )
})

const notify = Effect.fnUntraced(function* (event: DomainEvent) {
  const outbox = yield* Outbox
  const messages = yield* MessageQueue
  const notifications = yield* NotificationRepository
  const transaction = yield* Transaction
  const clock = yield* BusinessClock
  if (event._tag === "PaymentNeedsReview") {
    yield* Effect.logError("A payment needs a person to look at it").pipe(
      Effect.annotateLogs({ attemptId: event.attemptId, detail: event.detail })
    )
  }
  if (event._tag === "BillingKeyFrozen") {
    yield* Effect.logError(
      "A billing key is frozen: its provider shows an approval that our books do not explain"
    ).pipe(Effect.annotateLogs({ billingKeyId: event.billingKeyId }))
  }
  const text = textOf(event)
  const recipients = yield* recipientsOf(event, text !== null)
  if (text === null && recipients.length === 0) return
  yield* transaction.run(
    Effect.gen(function* () {
      if (!(yield* outbox.consumeOnce(event.eventId, "notification", yield* clock.now))) return
      if (text !== null) {
        yield* notifications.insert(
          new Notification({
            id: event.eventId,
            userId: event.userId,
            kind: event._tag,
            ...text,
            at: event.at,
            readAt: null
          })
        )
      }
      yield* messages.queue(event, recipients)
    })
  )
})

/** Who is sent a message about an event: its customer by e-mail, and the endpoints that asked for its kind. */
const recipientsOf = Effect.fnUntraced(function* (event: DomainEvent, isForCustomer: boolean) {
  const { isOn } = yield* Mailer
  const endpoints = yield* (yield* WebhookEndpoints).list
  const recipients: Array<Recipient> = endpoints
    .filter(({ isActive, tags }) => isActive && tags.some((tag) => tag === event._tag))
    .map(({ id }) => id)
  if (isForCustomer && isOn) recipients.push("email")
  return recipients
})
