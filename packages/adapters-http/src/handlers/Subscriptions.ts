/**
 * Handlers of subscriptions.
 *
 * @since 0.1.0
 */
import {
  changeSubscription,
  pauseSubscription,
  postponeDelivery,
  resumeSubscription,
  skipDelivery
} from "@pillivery/application/Subscriptions/ChangeSubscription"
import type { UserId } from "@pillivery/domain/Ids"
import { cancelSubscription } from "@pillivery/application/Subscriptions/CancelSubscription"
import {
  getSubscription,
  listCycles,
  listSubscriptions,
  listUpcomingCharges,
  orderOfCycle,
  type SubscriptionView,
  type UpcomingCharge
} from "@pillivery/application/Subscriptions/Queries"
import { requestBillingKeyOnce } from "@pillivery/application/Subscriptions/RegisterBillingKey"
import type { CallbackUrls } from "@pillivery/application/Payments/CallbackUrls"
import type { MoneyCalls } from "@pillivery/application/Payments/MoneyCalls"
import type { IdempotencyStore } from "@pillivery/application/ports/IdempotencyStore"
import type { IdGenerator } from "@pillivery/application/ports/IdGenerator"
import type { PaymentRepository } from "@pillivery/application/ports/PaymentRepository"
import type { PaymentStrategies } from "@pillivery/domain/PaymentStrategy"
import type { BillingKeyRepository } from "@pillivery/application/ports/BillingKeyRepository"
import type { BillingLedger } from "@pillivery/application/ports/BillingLedger"
import type { BusinessClock } from "@pillivery/application/ports/BusinessClock"
import type { OrderRepository } from "@pillivery/application/ports/OrderRepository"
import type { RefundRepository } from "@pillivery/application/ports/RefundRepository"
import type { Outbox } from "@pillivery/application/ports/Outbox"
import type { SubscriptionRepository } from "@pillivery/application/ports/SubscriptionRepository"
import type { Transaction } from "@pillivery/application/ports/Transaction"
import { requestRefundOnce } from "@pillivery/application/Refunds/RequestRefund"
import { type BillingCycle, quantityOf } from "@pillivery/domain/BillingCycle"
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { answer } from "../Answer.ts"
import { Api } from "../api/Api.ts"
import { CurrentIdentity } from "../api/Middleware.ts"
import { fromPage, toPageRequest } from "../api/Pages.ts"
import type { CycleDto, SubscriptionDto, UpcomingChargeDto } from "../api/Subscriptions.ts"
import { asked } from "../internal/Asked.ts"
import { toRefund } from "./Orders.ts"
import { captured } from "../internal/Captured.ts"

const toCycle = (cycle: BillingCycle): typeof CycleDto.Type => ({
  number: cycle.number,
  state: cycle._tag,
  gridDate: cycle.gridDate,
  dueDate: cycle.dueDate,
  nextAttemptOn: "nextAttemptOn" in cycle ? cycle.nextAttemptOn : null,
  step: cycle.step,
  chargedOn: cycle._tag === "Charged" ? cycle.chargedOn : null,
  paymentId: cycle._tag === "Charged" ? cycle.chargedBy : cycle.openAttempt,
  reason: "reason" in cycle ? cycle.reason : null
})

const toSubscription = ({ openCycle, subscription }: SubscriptionView): typeof SubscriptionDto.Type => ({
  id: subscription.id,
  state: subscription._tag,
  orderId: subscription.orderId,
  itemId: subscription.itemId,
  itemName: subscription.itemName,
  unitPrice: subscription.unitPrice,
  quantity: subscription.quantity,
  amount: subscription.unitPrice * subscription.quantity,
  period: subscription.period,
  anchor: subscription.anchor,
  nextDueDate: openCycle === null ? null : openCycle.dueDate,
  openCycle: openCycle === null ? null : toCycle(openCycle),
  createdAt: subscription.createdAt,
  cancelledAt: subscription._tag === "Cancelled" ? subscription.cancelledAt : null,
  cancelReason: subscription._tag === "Cancelled" ? subscription.reason : null
})

const toUpcoming = ({ cycle, on, subscription }: UpcomingCharge): typeof UpcomingChargeDto.Type => {
  const quantity = quantityOf(cycle, subscription)
  return {
    subscriptionId: subscription.id,
    itemName: subscription.itemName,
    cycleNumber: cycle.number,
    on,
    quantity,
    amount: subscription.unitPrice * quantity
  }
}

/** Subscriptions. */
export const layer = HttpApiBuilder.group(
  Api,
  "subscriptions",
  Effect.fnUntraced(function* (handlers) {
    const provide = yield* captured<
      | BillingKeyRepository
      | BillingLedger
      | BusinessClock
      | CallbackUrls
      | IdempotencyStore
      | OrderRepository
      | RefundRepository
      | IdGenerator
      | MoneyCalls
      | Outbox
      | PaymentRepository
      | PaymentStrategies
      | SubscriptionRepository
      | Transaction
    >()
    const asOwner = <E, R>(command: (userId: UserId) => Effect.Effect<SubscriptionView, E, R>) =>
      Effect.flatMap(CurrentIdentity, ({ userId }) => Effect.map(provide(command(userId)), toSubscription))
    return handlers.handleAll({
      list: Effect.fnUntraced(function* ({ query }) {
        const { userId } = yield* CurrentIdentity
        const page = toPageRequest(query)
        return fromPage(yield* listSubscriptions(userId, page).pipe(answer, provide), page, toSubscription)
      }),
      upcomingCharges: Effect.fnUntraced(function* () {
        const { userId } = yield* CurrentIdentity
        return { data: (yield* listUpcomingCharges(userId).pipe(answer, provide)).map(toUpcoming) }
      }),
      get: Effect.fnUntraced(function* ({ params }) {
        const { userId } = yield* CurrentIdentity
        return toSubscription(yield* getSubscription(params.subscriptionId, userId).pipe(answer, provide))
      }),
      change: ({ params, payload }) =>
        asOwner((userId) => answer(changeSubscription({ ...params, ...payload, userId }))),
      skip: ({ params }) => asOwner((userId) => answer(skipDelivery({ ...params, userId }))),
      postpone: ({ params, payload }) =>
        asOwner((userId) => answer(postponeDelivery({ ...params, ...payload, userId }))),
      pause: ({ params, payload }) => asOwner((userId) => answer(pauseSubscription({ ...params, ...payload, userId }))),
      resume: ({ params }) => asOwner((userId) => answer(resumeSubscription({ ...params, userId }))),
      cancel: Effect.fnUntraced(function* ({ params }) {
        const { userId } = yield* CurrentIdentity
        const cancelled = yield* cancelSubscription({ ...params, userId, reason: "owner" }).pipe(answer, provide)
        return {
          subscription: toSubscription({ subscription: cancelled.subscription, openCycle: null }),
          isPaymentInProgress: cancelled.isPaymentInProgress
        }
      }),
      requestBillingKey: Effect.fnUntraced(function* ({ headers, params }) {
        const { userId } = yield* CurrentIdentity
        const waiting = yield* requestBillingKeyOnce(asked(userId, "billing-keys", { headers, params }), {
          ...params,
          userId
        }).pipe(answer, provide)
        return { paymentId: waiting.id, redirectUrls: waiting.redirectUrls, expiresAt: waiting.expiresAt }
      }),
      cycles: Effect.fnUntraced(function* ({ params, query }) {
        const { userId } = yield* CurrentIdentity
        const page = toPageRequest(query)
        return fromPage(yield* listCycles(params.subscriptionId, userId, page).pipe(answer, provide), page, toCycle)
      }),
      requestRefund: Effect.fnUntraced(function* ({ headers, params, payload }) {
        const { userId } = yield* CurrentIdentity
        const { lines = "rest", reason } = payload
        const orderId = yield* orderOfCycle(params, userId).pipe(answer, provide)
        const requested = yield* requestRefundOnce(asked(userId, "refunds", { headers, params, payload }), {
          orderId,
          userId,
          lines,
          reason
        }).pipe(
          Effect.catchTag("AlreadyExists", Effect.die), // its id was made just now
          answer,
          provide
        )
        return toRefund(requested)
      })
    })
  })
)
