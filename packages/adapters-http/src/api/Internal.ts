/**
 * The contract between our own processes: what the billing CLI asks of the server that owns payments.
 *
 * It is an API of its own, so that nothing of it shows in the shop's contract or its documentation.
 *
 * @since 0.1.0
 */
import { CycleOutcome } from "@pillivery/application/Billing/ChargeGate"
import { BusinessDate } from "@pillivery/domain/BusinessDate"
import { SubscriptionId } from "@pillivery/domain/Ids"
import { Schema } from "effect"
import { HttpApi, HttpApiEndpoint, HttpApiGroup, HttpApiMiddleware, HttpApiSecurity, OpenApi } from "effect/http-api"
import { IdempotencyKey, idempotencyKeyHeader } from "./IdempotencyKey.ts"
import { Refusals } from "./Middleware.ts"
import * as Problems from "./Problems.ts"

/** Lets in a process of ours: by its address, and by the token that both sides know. */
export class ServiceAccess extends HttpApiMiddleware.Service<ServiceAccess>()(
  "@pillivery/adapters-http/api/ServiceAccess",
  {
    error: [Problems.unauthorized, Problems.forbidden],
    requiredForClient: true,
    security: { bearer: HttpApiSecurity.bearer }
  }
) {}

/** The highest number of a cycle that is looked for. */
export const cycleNumberMax = 1_000_000

/** The cycle to charge, as if by the run of a date. */
export const ChargeCycleDto = Schema.Struct({
  subscriptionId: SubscriptionId,
  number: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: cycleNumberMax })),
  date: BusinessDate,
  /** Whether the date may be one that has not come. */
  isAheadAllowed: Schema.optionalKey(Schema.Boolean)
}).annotate({ identifier: "ChargeCycle" })

const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

/** What one pass over what is open did. */
export const ReconciledDto = Schema.Struct({
  lost: Count,
  asked: Count,
  resolved: Count,
  abandoned: Count,
  refunded: Count
}).annotate({ identifier: "Reconciled" })

/** What the billing CLI asks. */
export const BillingGroup = HttpApiGroup.make("billing")
  .add(
    HttpApiEndpoint.post("charge", "/internal/billing/charges", {
      headers: { [idempotencyKeyHeader]: IdempotencyKey },
      payload: ChargeCycleDto,
      success: CycleOutcome,
      error: [Problems.conflict, Problems.unprocessable]
    }).annotate(OpenApi.Summary, "Charge a cycle, once whatever is repeated"),
    HttpApiEndpoint.post("reconcile", "/internal/billing/reconciliations", { success: ReconciledDto }).annotate(
      OpenApi.Summary,
      "Bring to an end what was left behind"
    )
  )
  .middleware(ServiceAccess)

/** The API. */
export const InternalApi = HttpApi.make("pillivery-internal")
  .add(BillingGroup)
  .middleware(Refusals)
  .annotate(HttpApi.ParseOptions, { errors: "all" })
  .annotate(HttpApi.PayloadParseOptions, { errors: "all", onExcessProperty: "error" })
