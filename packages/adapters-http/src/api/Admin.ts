/**
 * What only those who run the shop may do.
 *
 * @since 0.1.0
 */
import { BillingRun, RunCounts } from "@pillivery/application/ports/BillingLedger"
import { subjects } from "@pillivery/application/ports/ManualReviews"
import { MessageRecord } from "@pillivery/application/ports/MessageQueue"
import {
  descriptionLengthMax,
  ToldTag,
  urlLengthMax,
  WebhookEndpointId
} from "@pillivery/application/ports/WebhookEndpoints"
import { BusinessDate } from "@pillivery/domain/BusinessDate"
import { EventId, ItemId, UserId } from "@pillivery/domain/Ids"
import { imageLengthMax, nameLengthMax, textLengthMax } from "@pillivery/domain/Item"
import { wonMax } from "@pillivery/domain/Won"
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { ItemDto } from "./Items.ts"
import { OrderDto } from "./Orders.ts"
import { pageOf, pageQuery } from "./Pages.ts"
import { Administration, Authentication } from "./Middleware.ts"
import * as Problems from "./Problems.ts"

/** Where a catalogue is sent to, whose body may be large. */
export const importPath = "/api/admin/items/import"

const Name = Schema.String.check(
  Schema.isMaxLength(nameLengthMax),
  Schema.isPattern(/\S/, { expected: "a name that is not blank" })
)
const Text = Schema.String.check(Schema.isMaxLength(textLengthMax))
const Image = Schema.String.check(Schema.isMaxLength(imageLengthMax))
const Amount = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: wonMax }))
const Percent = Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 100 }))

const texts = {
  statementNumber: Schema.optionalKey(Text),
  registeredDate: Schema.optionalKey(Text),
  distributionPeriod: Schema.optionalKey(Text),
  appearance: Schema.optionalKey(Text),
  servingUse: Schema.optionalKey(Text),
  preservePeriod: Schema.optionalKey(Text),
  intake: Schema.optionalKey(Text),
  mainFunction: Schema.optionalKey(Text),
  baseStandard: Schema.optionalKey(Text),
  thumbnail: Schema.optionalKey(Image),
  descriptionImage: Schema.optionalKey(Image)
}

/** A new item; its categories follow from its main function. */
export const CreateItemDto = Schema.Struct({
  name: Name,
  brand: Name,
  originPrice: Amount,
  discountPercent: Schema.optionalKey(Percent),
  ...texts
}).annotate({
  identifier: "CreateItem",
  examples: [
    {
      name: "루테인 지아잔틴 플러스",
      brand: "온결바이오",
      originPrice: 20_000,
      discountPercent: 12.5,
      mainFunction: "눈 건강에 도움을 줄 수 있음"
    }
  ]
})

/** What is to change of an item that was read at `version`; what is not named stays. */
export const ChangeItemDto = Schema.Struct({
  version: Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)),
  name: Schema.optionalKey(Name),
  brand: Schema.optionalKey(Name),
  originPrice: Schema.optionalKey(Amount),
  discountPercent: Schema.optionalKey(Percent),
  ...texts
}).annotate({ identifier: "ChangeItem" })

/** An item as those who run the shop see it. */
export const AdminItemDto = Schema.Struct({ ...ItemDto.fields, version: Schema.Int }).annotate({
  identifier: "AdminItem"
})

/** What an import did; bad lines beyond the first thousand are counted only. */
export const ImportReportDto = Schema.Struct({
  lines: Schema.Int,
  created: Schema.Int,
  updated: Schema.Int,
  unchanged: Schema.Int,
  refused: Schema.Int,
  reports: Schema.Array(
    Schema.Struct({ line: Schema.Int, field: Schema.String, reason: Schema.String }).annotate({
      identifier: "LineReport"
    })
  )
}).annotate({ identifier: "ImportReport" })

/** A run of the billing for one date; the newest date first. */
export const BillingRunDto = Schema.Struct({
  date: BusinessDate,
  status: BillingRun.fields.status,
  startedAt: Schema.DateTimeUtc,
  finishedAt: Schema.NullOr(Schema.DateTimeUtc),
  counts: RunCounts
}).annotate({ identifier: "BillingRun" })

/** An event that was given up for one of its consumers. */
export const FailedDeliveryDto = Schema.Struct({
  eventId: Schema.String,
  consumer: Schema.String,
  kind: Schema.String,
  tries: Schema.Int,
  error: Schema.String,
  failedAt: Schema.DateTimeUtc
}).annotate({ identifier: "FailedDelivery" })

/** Money or a billing key that waits for a person. */
export const WaitingReviewDto = Schema.Struct({
  subject: Schema.Literals(subjects),
  id: Schema.String,
  userId: UserId,
  amount: Schema.NullOr(Schema.Int),
  since: Schema.NullOr(Schema.DateTimeUtc),
  detail: Schema.String
}).annotate({ identifier: "WaitingReview" })

const WebhookTags = Schema.NonEmptyArray(ToldTag).check(Schema.isMaxLength(ToldTag.literals.length))
const Url = Schema.String.check(Schema.isMaxLength(urlLengthMax), Schema.isPattern(/^https?:/))
const Description = Schema.String.check(Schema.isMaxLength(descriptionLengthMax))

/** Somewhere to send events to; `events` are the kinds it is told of. */
export const CreateWebhookDto = Schema.Struct({
  url: Url,
  events: WebhookTags,
  description: Schema.optionalKey(Description)
}).annotate({
  identifier: "CreateWebhook",
  examples: [
    {
      url: "https://erp.example.com/pillivery",
      events: ["OrderPaid", "CycleCharged", "RefundCompleted"],
      description: "창고"
    }
  ]
})

/** What is to change of an endpoint; what is not named stays. */
export const ChangeWebhookDto = Schema.Struct({
  url: Schema.optionalKey(Url),
  events: Schema.optionalKey(WebhookTags),
  description: Schema.optionalKey(Description),
  isActive: Schema.optionalKey(Schema.Boolean)
}).annotate({ identifier: "ChangeWebhook" })

/** An endpoint that is told of events. */
export const WebhookDto = Schema.Struct({
  id: WebhookEndpointId,
  url: Schema.String,
  events: Schema.Array(ToldTag),
  description: Schema.String,
  isActive: Schema.Boolean,
  createdAt: Schema.DateTimeUtc
}).annotate({ identifier: "Webhook" })

/** An endpoint with the secret its messages are signed with, which is shown here and never again. */
export const WebhookWithSecretDto = Schema.Struct({ ...WebhookDto.fields, secret: Schema.String }).annotate({
  identifier: "WebhookWithSecret"
})

/** What became of a message to an endpoint. */
export const WebhookMessageDto = Schema.Struct({
  eventId: Schema.String,
  event: Schema.String,
  state: MessageRecord.fields.state,
  tries: Schema.Int,
  error: Schema.NullOr(Schema.String),
  queuedAt: Schema.DateTimeUtc,
  endedAt: Schema.NullOr(Schema.DateTimeUtc)
}).annotate({ identifier: "WebhookMessage" })

/** Which messages are to be sent once more: one, those that were given up, or all since an instant. */
export const ReplayDto = Schema.Union([
  Schema.Struct({ eventId: EventId }),
  Schema.Struct({ failed: Schema.Literal(true) }),
  Schema.Struct({ since: Schema.DateTimeUtc })
]).annotate({ identifier: "Replay" })

const params = { itemId: ItemId }
const webhook = { webhookId: WebhookEndpointId }

/** Running the shop. */
export const AdminGroup = HttpApiGroup.make("admin")
  .add(
    HttpApiEndpoint.get("getItem", "/api/admin/items/:itemId", {
      params,
      success: AdminItemDto,
      error: Problems.notFound
    }).annotate(OpenApi.Summary, "Read an item with its version"),
    HttpApiEndpoint.post("createItem", "/api/admin/items", {
      payload: CreateItemDto,
      success: AdminItemDto.pipe(HttpApiSchema.status(201))
    }).annotate(OpenApi.Summary, "Put an item into the catalogue"),
    HttpApiEndpoint.patch("changeItem", "/api/admin/items/:itemId", {
      params,
      payload: ChangeItemDto,
      success: AdminItemDto,
      error: [Problems.notFound, Problems.conflict]
    }).annotate(OpenApi.Summary, "Change an item"),
    HttpApiEndpoint.post("importItems", importPath, {
      success: ImportReportDto,
      error: [Problems.conflict, Problems.mediaTypeUnsupported, Problems.unprocessable]
    })
      .annotate(OpenApi.Summary, "Read a catalogue in")
      .annotate(
        OpenApi.Description,
        "The body is `application/x-ndjson`, an item a line, or `text/csv` with a header line. Each item has a `key` of " +
          "your choice; sending the same lines again changes nothing."
      )
  )
  .add(
    HttpApiEndpoint.get("ordersToDeliver", "/api/admin/orders", {
      query: { ...pageQuery, paidAfter: Schema.DateTimeUtcFromString },
      success: pageOf("OrdersToDeliver", OrderDto)
    })
      .annotate(OpenApi.Summary, "Orders to deliver, those paid first before the others")
      .annotate(
        OpenApi.Description,
        "Orders paid after `paidAfter` that were not given back whole. An order is to be seen a moment after it is paid: ask again " +
          "from some minutes before the newest you know, and know them by their `id`."
      ),
    HttpApiEndpoint.delete("endSessions", "/api/admin/users/:userId/sessions", {
      params: { userId: UserId },
      success: HttpApiSchema.NoContent
    }).annotate(OpenApi.Summary, "End every session of a user"),
    HttpApiEndpoint.get("billingRuns", "/api/admin/billing/runs", {
      success: Schema.Struct({ data: Schema.Array(BillingRunDto) }).annotate({ identifier: "BillingRuns" })
    }).annotate(OpenApi.Summary, "The latest billing runs, newest date first"),
    HttpApiEndpoint.get("failedDeliveries", "/api/admin/outbox/failures", {
      success: Schema.Struct({ data: Schema.Array(FailedDeliveryDto) }).annotate({ identifier: "FailedDeliveries" })
    }).annotate(OpenApi.Summary, "Events that were given up"),
    HttpApiEndpoint.get("reviews", "/api/admin/payments/reviews", {
      success: Schema.Struct({ data: Schema.Array(WaitingReviewDto) }).annotate({ identifier: "WaitingReviews" })
    }).annotate(OpenApi.Summary, "Attempts, refunds and billing keys that wait for a person")
  )
  .add(
    HttpApiEndpoint.post("createWebhook", "/api/admin/webhooks", {
      payload: CreateWebhookDto,
      success: WebhookWithSecretDto.pipe(HttpApiSchema.status(201)),
      error: Problems.unprocessable
    })
      .annotate(OpenApi.Summary, "Have another system told of events")
      .annotate(
        OpenApi.Description,
        "Each event is posted as JSON, signed as [Standard Webhooks](https://www.standardwebhooks.com) says, and posted again " +
          "for about three days until an answer with a status of 2xx comes. `webhook-id` is the same at each try. Events may come " +
          "more than once and in any order: read the resource they name."
      ),
    HttpApiEndpoint.get("webhooks", "/api/admin/webhooks", {
      success: Schema.Struct({ data: Schema.Array(WebhookDto) }).annotate({ identifier: "Webhooks" })
    }).annotate(OpenApi.Summary, "The endpoints that are told of events, oldest first"),
    HttpApiEndpoint.patch("changeWebhook", "/api/admin/webhooks/:webhookId", {
      params: webhook,
      payload: ChangeWebhookDto,
      success: WebhookDto,
      error: [Problems.notFound, Problems.unprocessable]
    }).annotate(OpenApi.Summary, "Change an endpoint, or pause it"),
    HttpApiEndpoint.post("rotateWebhookSecret", "/api/admin/webhooks/:webhookId/secret", {
      params: webhook,
      success: WebhookWithSecretDto,
      error: Problems.notFound
    }).annotate(OpenApi.Summary, "Make a new secret; the one before signs along for 24 hours"),
    HttpApiEndpoint.get("webhookMessages", "/api/admin/webhooks/:webhookId/messages", {
      params: webhook,
      query: pageQuery,
      success: pageOf("WebhookMessages", WebhookMessageDto),
      error: Problems.notFound
    }).annotate(OpenApi.Summary, "What became of the messages to an endpoint, newest first"),
    HttpApiEndpoint.post("replayWebhook", "/api/admin/webhooks/:webhookId/replay", {
      params: webhook,
      payload: ReplayDto,
      success: Schema.Struct({ replayed: Schema.Int }).annotate({ identifier: "Replayed" }),
      error: Problems.notFound
    }).annotate(OpenApi.Summary, "Send messages once more"),
    HttpApiEndpoint.delete("removeWebhook", "/api/admin/webhooks/:webhookId", {
      params: webhook,
      success: HttpApiSchema.NoContent,
      error: Problems.notFound
    }).annotate(OpenApi.Summary, "Remove an endpoint; what is on its way is sent no more")
  )
  .middleware(Administration)
  .middleware(Authentication)
  .annotate(OpenApi.Description, "Running the shop, for those with the role ADMIN.")
