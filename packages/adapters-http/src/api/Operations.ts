/**
 * What operators and client developers need: health, metrics, and the sandbox of the embedded mode.
 *
 * @since 0.1.0
 */
import { RunCounts } from "@pillivery/application/ports/BillingLedger"
import { BusinessDate } from "@pillivery/domain/BusinessDate"
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import * as Problems from "./Problems.ts"

/** The most days the sandbox's clock moves at once. */
export const advanceDaysMax = 400

const hoursPerDay = 24
const minutesPerDay = hoursPerDay * 60
const span = (maximum: number) => Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum })))

/** How far the clock is moved: the sum of what is named. */
export const AdvanceDto = Schema.Struct({
  days: span(advanceDaysMax),
  hours: span(advanceDaysMax * hoursPerDay),
  minutes: span(advanceDaysMax * minutesPerDay)
}).annotate({ identifier: "AdvanceClock", examples: [{ days: 30 }] })

/** What a billing run did, and what is still owed after it. */
export const BillingReportDto = Schema.Struct({
  date: BusinessDate,
  counts: RunCounts.annotate({ identifier: "RunCounts" }),
  owed: Schema.Struct({ due: Schema.Int, inFlight: Schema.Int, inDoubt: Schema.Int }).annotate({ identifier: "Owed" })
}).annotate({ identifier: "BillingReport" })

/** The sandbox of client developers; only in embedded mode. */
export const SandboxGroup = HttpApiGroup.make("sandbox")
  .add(
    HttpApiEndpoint.post("advanceClock", "/embedded/clock/advance", {
      payload: AdvanceDto,
      success: Schema.Struct({ now: Schema.DateTimeUtc }).annotate({ identifier: "Clock" }),
      error: [Problems.notFound, Problems.conflict]
    }).annotate(OpenApi.Summary, "Let time pass"),
    HttpApiEndpoint.post("runBilling", "/embedded/billing/run", {
      success: BillingReportDto,
      error: [Problems.notFound, Problems.conflict]
    }).annotate(OpenApi.Summary, "Charge what is due today"),
    HttpApiEndpoint.post("drain", "/embedded/drain", {
      success: Schema.Struct({ delivered: Schema.Int, pending: Schema.Int, dead: Schema.Int }).annotate({
        identifier: "Drained"
      }),
      error: Problems.notFound
    }).annotate(OpenApi.Summary, "Wait until every event is delivered")
  )
  .annotate(OpenApi.Description, "For client developers: embedded mode only, otherwise 404.")

/** One part the server stands on. */
export const CheckDto = Schema.Struct({ name: Schema.String, isUp: Schema.Boolean }).annotate({ identifier: "Check" })

/** Health and metrics. */
export const OperationsGroup = HttpApiGroup.make("ops")
  .add(
    HttpApiEndpoint.get("live", "/health/live", {
      success: Schema.Struct({ status: Schema.Literal("live") }).annotate({ identifier: "Live" })
    }).annotate(OpenApi.Summary, "Whether the process runs"),
    HttpApiEndpoint.get("ready", "/health/ready", {
      success: Schema.Struct({ status: Schema.Literal("ready"), checks: Schema.Array(CheckDto) }).annotate({
        identifier: "Ready"
      })
    }).annotate(OpenApi.Summary, "Whether requests can be served"),
    HttpApiEndpoint.get("metrics", "/metrics", {
      success: Schema.String.pipe(HttpApiSchema.asText({ contentType: "text/plain; version=0.0.4; charset=utf-8" }))
    }).annotate(OpenApi.Summary, "Metrics for Prometheus")
  )
  .annotate(OpenApi.Description, "Health and metrics.")
