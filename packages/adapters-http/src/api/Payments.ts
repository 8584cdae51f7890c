/**
 * The three ways back from the payment provider.
 *
 * The customer's browser opens these addresses; the payment id in them cannot be guessed, and only the provider's token
 * lets an approval through. Opening one again answers the same.
 *
 * @since 0.1.0
 */
import { AttemptId, OrderId } from "@pillivery/domain/Ids"
import { ApprovalToken } from "@pillivery/domain/Provider"
import { Context, Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { PaymentState } from "./Orders.ts"
import * as Problems from "./Problems.ts"

/** Marks a GET endpoint that does something: HEAD must not reach it. */
export class RefusesHead extends Context.Service<RefusesHead, boolean>()("@pillivery/adapters-http/api/RefusesHead") {}

/** A payment that was approved; `orderId` is null for a billing key registered without a charge. */
export const ApprovedPaymentDto = Schema.Struct({
  paymentId: AttemptId,
  orderId: Schema.NullOr(OrderId),
  state: Schema.Literal("approved"),
  amount: Schema.Int,
  approvedAt: Schema.DateTimeUtc
}).annotate({ identifier: "ApprovedPayment" })

/** A payment the customer turned away from. */
export const LeftPaymentDto = Schema.Struct({
  paymentId: AttemptId,
  orderId: Schema.NullOr(OrderId),
  state: PaymentState
}).annotate({ identifier: "LeftPayment" })

const params = { paymentId: AttemptId }

/** The ways back. */
export const PaymentsGroup = HttpApiGroup.make("payments")
  .add(
    HttpApiEndpoint.get("approve", "/api/payments/:paymentId/approve", {
      params,
      query: { pg_token: ApprovalToken },
      success: ApprovedPaymentDto,
      error: [Problems.notFound, Problems.conflict, Problems.unprocessable]
    }).annotate(OpenApi.Summary, "The customer approved: take the money, once"),
    HttpApiEndpoint.get("cancel", "/api/payments/:paymentId/cancel", {
      params,
      success: LeftPaymentDto,
      error: Problems.notFound
    }).annotate(OpenApi.Summary, "The customer turned back"),
    HttpApiEndpoint.get("fail", "/api/payments/:paymentId/fail", {
      params,
      success: LeftPaymentDto,
      error: Problems.notFound
    }).annotate(OpenApi.Summary, "The provider gave up")
  )
  .annotateEndpoints(RefusesHead, true)
  .annotate(OpenApi.Description, "Where the payment provider sends the customer's browser back to.")
