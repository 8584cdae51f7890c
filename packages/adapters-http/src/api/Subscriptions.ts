/**
 * Subscriptions: what is delivered again and again.
 *
 * @since 0.1.0
 */
import { BillingCycle, SkipReason } from "@pillivery/domain/BillingCycle"
import { BusinessDate } from "@pillivery/domain/BusinessDate"
import { AttemptId, ItemId, OrderId, SubscriptionId } from "@pillivery/domain/Ids"
import { CancelReason, SubscriptionOrder } from "@pillivery/domain/SubscriptionOrder"
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Authentication } from "./Middleware.ts"
import { RedirectUrlsDto } from "./Orders.ts"
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

const params = { subscriptionId: SubscriptionId }

/** Subscriptions. */
export const SubscriptionsGroup = HttpApiGroup.make("subscriptions")
  .add(
    HttpApiEndpoint.get("list", "/api/subscriptions", {
      query: pageQuery,
      success: pageOf("SubscriptionPage", SubscriptionDto)
    }).annotate(OpenApi.Summary, "List one's subscriptions, newest first"),
    HttpApiEndpoint.get("get", "/api/subscriptions/:subscriptionId", {
      params,
      success: SubscriptionDto,
      error: Problems.notFound
    }).annotate(OpenApi.Summary, "Read a subscription"),
    HttpApiEndpoint.delete("cancel", "/api/subscriptions/:subscriptionId", {
      params,
      success: CancelledSubscriptionDto,
      error: [Problems.notFound, Problems.conflict]
    }).annotate(OpenApi.Summary, "End a subscription"),
    HttpApiEndpoint.post("requestBillingKey", "/api/subscriptions/:subscriptionId/billing-key", {
      params,
      success: RequestedBillingKeyDto.pipe(HttpApiSchema.status(201)),
      error: [Problems.notFound, Problems.conflict]
    }).annotate(OpenApi.Summary, "Register a way to pay for a subscription that has none"),
    HttpApiEndpoint.get("cycles", "/api/subscriptions/:subscriptionId/cycles", {
      params,
      query: pageQuery,
      success: pageOf("CyclePage", CycleDto),
      error: Problems.notFound
    }).annotate(OpenApi.Summary, "What became of each delivery, newest first")
  )
  .middleware(Authentication)
  .annotate(OpenApi.Description, "What is delivered again and again.")
