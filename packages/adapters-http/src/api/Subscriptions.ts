/**
 * Subscriptions: what is delivered again and again.
 *
 * @since 0.1.0
 */
import { BillingCycle, postponeDaysMax, SkipReason } from "@pillivery/domain/BillingCycle"
import { BusinessDate } from "@pillivery/domain/BusinessDate"
import { DeliveryPeriod } from "@pillivery/domain/DeliveryPeriod"
import { AttemptId, ItemId, OrderId, SubscriptionId } from "@pillivery/domain/Ids"
import { Quantity } from "@pillivery/domain/Quantity"
import { CancelReason, SubscriptionOrder } from "@pillivery/domain/SubscriptionOrder"
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { idempotencyHeaders } from "./IdempotencyKey.ts"
import { Authentication } from "./Middleware.ts"
import { RedirectUrlsDto, RefundDto, RequestRefundDto } from "./Orders.ts"
import { pageOf, pageQuery } from "./Pages.ts"
import * as Problems from "./Problems.ts"

const CycleState = Schema.Literals(BillingCycle.discriminants).annotate({ identifier: "CycleState" })

/** One delivery of a subscription. */
export const CycleDto = Schema.Struct({
  number: Schema.Int,
  state: CycleState,
  gridDate: BusinessDate,
  dueDate: BusinessDate,
  nextAttemptOn: Schema.NullOr(BusinessDate),
  /** 0 before the first decline, then the rung of the ladder. */
  step: Schema.Int,
  chargedOn: Schema.NullOr(BusinessDate),
  paymentId: Schema.NullOr(AttemptId),
  reason: Schema.NullOr(Schema.Union([SkipReason, Schema.Literal("cancelled")]))
}).annotate({ identifier: "Cycle" })

/** A subscription and the delivery that comes next. */
export const SubscriptionDto = Schema.Struct({
  id: SubscriptionId,
  state: Schema.Literals(SubscriptionOrder.discriminants).annotate({ identifier: "SubscriptionState" }),
  orderId: OrderId,
  itemId: ItemId,
  itemName: Schema.String,
  unitPrice: Schema.Int,
  quantity: Schema.Int,
  amount: Schema.Int,
  period: Schema.Int,
  anchor: BusinessDate,
  nextDueDate: Schema.NullOr(BusinessDate),
  openCycle: Schema.NullOr(CycleDto),
  createdAt: Schema.DateTimeUtc,
  cancelledAt: Schema.NullOr(Schema.DateTimeUtc),
  cancelReason: Schema.NullOr(CancelReason)
}).annotate({ identifier: "Subscription" })

/** A delivery that will be charged. */
export const UpcomingChargeDto = Schema.Struct({
  subscriptionId: SubscriptionId,
  itemName: Schema.String,
  cycleNumber: Schema.Int,
  on: BusinessDate,
  quantity: Schema.Int,
  amount: Schema.Int
}).annotate({ identifier: "UpcomingCharge" })

/** A subscription that has ended; a charge may still be on its way, and goes back if it went through. */
export const CancelledSubscriptionDto = Schema.Struct({
  subscription: SubscriptionDto,
  isPaymentInProgress: Schema.Boolean
}).annotate({ identifier: "CancelledSubscription" })

/** Where the customer registers a billing key; open until `expiresAt`. */
export const RequestedBillingKeyDto = Schema.Struct({
  paymentId: AttemptId,
  redirectUrls: RedirectUrlsDto,
  expiresAt: Schema.DateTimeUtc
}).annotate({ identifier: "RequestedBillingKey" })

/** How far the next delivery is moved. */
export const PostponeDto = Schema.Struct({
  days: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: postponeDaysMax }))
}).annotate({ identifier: "Postpone", examples: [{ days: 7 }] })

/** Until when nothing is delivered; without a date until it is resumed. */
export const PauseDto = Schema.Struct({ resumeOn: Schema.NullOr(BusinessDate) }).annotate({ identifier: "Pause" })

/** What is changed from the next delivery on that was not tried yet; what is not named stays. */
export const ChangeSubscriptionDto = Schema.Struct({
  quantity: Schema.optionalKey(Quantity),
  period: Schema.optionalKey(DeliveryPeriod)
})
  .check(
    Schema.makeFilter(({ period, quantity }) => period !== undefined || quantity !== undefined, {
      expected: "a quantity or a period"
    })
  )
  .annotate({ identifier: "ChangeSubscription" })

const cycleNumberMax = 1_000_000
const CycleNumber = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: cycleNumberMax }))

const refusals = [Problems.notFound, Problems.conflict, Problems.unprocessable] as const

const params = { subscriptionId: SubscriptionId }

/** Subscriptions. */
export const SubscriptionsGroup = HttpApiGroup.make("subscriptions")
  .add(
    HttpApiEndpoint.get("list", "/api/subscriptions", {
      query: pageQuery,
      success: pageOf("SubscriptionPage", SubscriptionDto)
    }).annotate(OpenApi.Summary, "List one's subscriptions, newest first"),
    HttpApiEndpoint.get("upcomingCharges", "/api/subscriptions/upcoming-charges", {
      success: Schema.Struct({ data: Schema.Array(UpcomingChargeDto) }).annotate({ identifier: "UpcomingCharges" })
    }).annotate(OpenApi.Summary, "What will be charged next, the earliest first"),
    HttpApiEndpoint.get("get", "/api/subscriptions/:subscriptionId", {
      params,
      success: SubscriptionDto,
      error: Problems.notFound
    }).annotate(OpenApi.Summary, "Read a subscription"),
    HttpApiEndpoint.patch("change", "/api/subscriptions/:subscriptionId", {
      params,
      payload: ChangeSubscriptionDto,
      success: SubscriptionDto,
      error: refusals
    }).annotate(OpenApi.Summary, "Change how many are delivered, and how often"),
    HttpApiEndpoint.post("skip", "/api/subscriptions/:subscriptionId/skip", {
      params,
      success: SubscriptionDto,
      error: refusals
    }).annotate(OpenApi.Summary, "Leave out the next delivery"),
    HttpApiEndpoint.post("postpone", "/api/subscriptions/:subscriptionId/postpone", {
      params,
      payload: PostponeDto,
      success: SubscriptionDto,
      error: refusals
    }).annotate(OpenApi.Summary, "Move the next delivery, and none after it"),
    HttpApiEndpoint.post("pause", "/api/subscriptions/:subscriptionId/pause", {
      params,
      payload: PauseDto,
      success: SubscriptionDto,
      error: refusals
    }).annotate(OpenApi.Summary, "Deliver and charge nothing for a while"),
    HttpApiEndpoint.post("resume", "/api/subscriptions/:subscriptionId/resume", {
      params,
      success: SubscriptionDto,
      error: [Problems.notFound, Problems.conflict]
    }).annotate(OpenApi.Summary, "End a pause"),
    HttpApiEndpoint.delete("cancel", "/api/subscriptions/:subscriptionId", {
      params,
      success: CancelledSubscriptionDto,
      error: [Problems.notFound, Problems.conflict]
    }).annotate(OpenApi.Summary, "End a subscription"),
    HttpApiEndpoint.post("requestBillingKey", "/api/subscriptions/:subscriptionId/billing-key", {
      headers: idempotencyHeaders,
      params,
      success: RequestedBillingKeyDto.pipe(HttpApiSchema.status(201)),
      error: [Problems.notFound, Problems.conflict, Problems.unprocessable]
    }).annotate(OpenApi.Summary, "Register a way to pay for a subscription that has none"),
    HttpApiEndpoint.get("cycles", "/api/subscriptions/:subscriptionId/cycles", {
      params,
      query: pageQuery,
      success: pageOf("CyclePage", CycleDto),
      error: Problems.notFound
    }).annotate(OpenApi.Summary, "What became of each delivery, newest first"),
    HttpApiEndpoint.post("requestRefund", "/api/subscriptions/:subscriptionId/cycles/:number/refunds", {
      headers: idempotencyHeaders,
      params: { ...params, number: CycleNumber },
      payload: RequestRefundDto,
      success: RefundDto.pipe(HttpApiSchema.status(201)),
      error: refusals
    }).annotate(OpenApi.Summary, "Request a refund of a delivery that was charged")
  )
  .middleware(Authentication)
  .annotate(OpenApi.Description, "What is delivered again and again.")
