/**
 * Asking for money back.
 *
 * The amount is computed from the order's lines and set aside on the approved attempt in the same transaction, so that no
 * two requests can promise the same won. The provider is called later, through the outbox.
 *
 * @since 0.1.0
 */
import { type OrderId, RefundId, type UserId } from "@pillivery/domain/Ids"
import * as Order from "@pillivery/domain/Order"
import * as Repayment from "@pillivery/domain/Repayment"
import { Effect, Option, Schema } from "effect"
import { OrderNotFound } from "../Payments/PaymentErrors.ts"
import { type Asked, bindNothing, type BindRequest, once } from "../Idempotency.ts"
import { BusinessClock } from "../ports/BusinessClock.ts"
import { IdGenerator } from "../ports/IdGenerator.ts"
import { OrderRepository } from "../ports/OrderRepository.ts"
import { Outbox } from "../ports/Outbox.ts"
import { PaymentRepository } from "../ports/PaymentRepository.ts"
import { RefundRepository } from "../ports/RefundRepository.ts"
import { Transaction } from "../ports/Transaction.ts"
import { retryStale } from "../StaleRetry.ts"

/** The payment behind the order is not in a state that can be refunded. */
export class PaymentNotRefundable extends Schema.TaggedError<PaymentNotRefundable>(
  "@pillivery/application/Refunds/PaymentNotRefundable"
)("PaymentNotRefundable", { orderId: Schema.String, state: Schema.String }) {
  override get message() {
    return `the payment of order ${this.orderId} is ${this.state} and cannot be refunded`
  }
}

/** Requests a refund of some units of an order's lines, or of all that is left. */
export const requestRefund = Effect.fn("requestRefund")(function* (request: {
  readonly orderId: OrderId
  readonly userId: UserId
  readonly lines: ReadonlyArray<Order.RefundLine> | "rest"
  readonly reason: string
  readonly bind?: BindRequest
}) {
  const orders = yield* OrderRepository
  const payments = yield* PaymentRepository
  const refunds = yield* RefundRepository
  const outbox = yield* Outbox
  const clock = yield* BusinessClock
  const transaction = yield* Transaction
  const { bind = bindNothing } = request
  const refundId = RefundId.make(yield* (yield* IdGenerator).next)

  return yield* retryStale(
    transaction.run(
      Effect.gen(function* () {
        const found = yield* orders.findById(request.orderId)
        if (Option.isNone(found) || found.value.userId !== request.userId) {
          return yield* new OrderNotFound({ orderId: request.orderId })
        }
        const order = found.value
        if (!("paidBy" in order)) {
          const denied = { orderId: order.id, from: order._tag, command: "refund" }
          return yield* new Order.OrderTransitionDenied(denied)
        }
        const attempt = yield* payments.findAttempt(order.paidBy)
        if (Option.isNone(attempt)) return yield* new PaymentNotRefundable({ orderId: order.id, state: "missing" })
        const account = { order, attempt: attempt.value, refunds: yield* refunds.listByOrder(order.id) }
        const { lines, reason } = request
        const requested = yield* Effect.fromResult(
          Repayment.request(account, { id: refundId, lines, reason, at: yield* clock.now })
        ).pipe(
          Effect.catchTag("AttemptTransitionDenied", ({ from }) =>
            Effect.fail(new PaymentNotRefundable({ orderId: order.id, state: from }))
          )
        )
        yield* bind(refundId)
        // The order's version moves, so that two requests for the same units cannot both count them as left.
        yield* orders.update(order)
        yield* payments.updateAttempt(requested.attempt)
        yield* refunds.insert(requested.refund)
        yield* outbox.publish(requested.events)
        return requested.refund
      })
    )
  )
})

/** Requests a refund for a request that may be repeated. */
export const requestRefundOnce = Effect.fn("requestRefundOnce")(
  (asked: Asked, command: Parameters<typeof requestRefund>[0]) =>
    once(asked, {
      make: (bind) => requestRefund({ ...command, bind }),
      show: (id) => Effect.flatMap(RefundRepository, (refunds) => refunds.findById(RefundId.make(id)))
    })
)
