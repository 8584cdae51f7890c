/**
 * Handlers of running the shop.
 *
 * @since 0.1.0
 */
import { changeItem, createItem, emptyLabel, ItemPriceInvalid } from "@pillivery/application/Catalogue/ChangeItems"
import { importItems } from "@pillivery/application/Catalogue/ImportItems"
import { getItem } from "@pillivery/application/Catalogue/Items"
import { listOrdersToDeliver } from "@pillivery/application/Checkout/GetOrder"
import { jobName } from "@pillivery/application/Billing/RunBilling"
import { BillingLedger } from "@pillivery/application/ports/BillingLedger"
import { ManualReviews, subjects } from "@pillivery/application/ports/ManualReviews"
import { Outbox } from "@pillivery/application/ports/Outbox"
import type { MessageRecord, Replayed } from "@pillivery/application/ports/MessageQueue"
import { TokenStore } from "@pillivery/application/ports/TokenStore"
import type { WebhookEndpoint } from "@pillivery/application/ports/WebhookEndpoints"
import * as Endpoints from "@pillivery/application/Webhooks/Endpoints"
import * as Item from "@pillivery/domain/Item"
import { Effect, Redacted } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { answer } from "../Answer.ts"
import type {
  AdminItemDto,
  ChangeItemDto,
  ReplayDto,
  WebhookDto,
  WebhookMessageDto,
  WebhookWithSecretDto
} from "../api/Admin.ts"
import { Api } from "../api/Api.ts"
import * as CatalogueFile from "../CatalogueFile.ts"
import { fromPage, toPageRequest } from "../api/Pages.ts"
import { captured } from "../internal/Captured.ts"
import { toItem } from "./Items.ts"
import { toOrder } from "./Orders.ts"

/** How many of each kind are listed. */
export const listedMax = 100

type Services =
  | Effect.Services<ReturnType<typeof getItem>>
  | Effect.Services<ReturnType<typeof createItem>>
  | Effect.Services<ReturnType<typeof changeItem>>
  | Effect.Services<ReturnType<typeof listOrdersToDeliver>>
  | Effect.Services<ReturnType<typeof Endpoints.registerEndpoint>>
  | Effect.Services<ReturnType<typeof Endpoints.replayMessages>>

const toAdminItem = (item: Item.Item): typeof AdminItemDto.Type => ({ ...toItem(item), version: item.version })

const nfc = (text: string | undefined) => (text === undefined ? {} : { text: text.normalize("NFC") })

/** What of a request is label, price and pictures; names are kept in one spelling. */
const changesOf = (dto: Omit<typeof ChangeItemDto.Type, "version">) => {
  const { brand, descriptionImage, discountPercent, name, originPrice, thumbnail, ...texts } = dto
  const { text: productName } = { text: undefined, ...nfc(name) }
  const { text: brandName } = { text: undefined, ...nfc(brand) }
  return {
    information: {
      ...texts,
      ...(productName === undefined ? {} : { productName }),
      ...(brandName === undefined ? {} : { brand: brandName })
    },
    images: {
      ...(thumbnail === undefined ? {} : { thumbnail }),
      ...(descriptionImage === undefined ? {} : { description: descriptionImage })
    },
    ...(originPrice === undefined ? {} : { origin: originPrice }),
    ...(discountPercent === undefined ? {} : { discountPercent })
  }
}

/** The contract lets through no price that cannot be. */
const withoutWrongPrice = <A, E, R>(self: Effect.Effect<A, E | ItemPriceInvalid, R>) =>
  Effect.catchIf(self, (error) => error instanceof ItemPriceInvalid, Effect.die)

const toWebhook = (endpoint: WebhookEndpoint): typeof WebhookDto.Type => {
  const { createdAt, description, id, isActive, tags, url } = endpoint
  return { id, url, events: tags, description, isActive, createdAt }
}

const withSecret = (endpoint: WebhookEndpoint): typeof WebhookWithSecretDto.Type => ({
  ...toWebhook(endpoint),
  secret: Redacted.value(endpoint.secret)
})

const toWebhookMessage = ({ tag, ...rest }: MessageRecord): typeof WebhookMessageDto.Type => ({ ...rest, event: tag })

const toReplayed = (dto: typeof ReplayDto.Type): Replayed => {
  if ("eventId" in dto) return { _tag: "One", eventId: dto.eventId }
  return "since" in dto ? { _tag: "Since", at: dto.since } : { _tag: "Failed" }
}

const unsupported = {
  _tag: "MediaTypeUnsupportedRequest" as const,
  message: "send application/x-ndjson, or text/csv with a header line"
}

/** Running the shop. */
export const layer = HttpApiBuilder.group(
  Api,
  "admin",
  Effect.fnUntraced(function* (handlers) {
    const provide = yield* captured<Services>()
    const sessions = yield* TokenStore
    const ledger = yield* BillingLedger
    const outbox = yield* Outbox
    const manual = yield* ManualReviews
    return handlers.handleAll({
      billingRuns: () =>
        ledger.listRuns(jobName, listedMax).pipe(
          Effect.map((runs) => ({ data: runs.map(({ job: _job, ...run }) => run) })),
          answer
        ),
      failedDeliveries: () =>
        outbox.listDead(listedMax).pipe(
          Effect.map((dead) => ({
            data: dead.map(({ consumer, diedAt, error, eventId, tag, tries }) => ({
              eventId,
              consumer,
              kind: tag,
              tries,
              error,
              failedAt: diedAt
            }))
          })),
          answer
        ),
      reviews: () =>
        Effect.forEach(subjects, (subject) => manual.list(subject, { after: null, limit: listedMax })).pipe(
          Effect.map((waiting) => ({ data: waiting.flat() })),
          answer
        ),
      ordersToDeliver: ({ query }) => {
        const page = toPageRequest(query)
        return listOrdersToDeliver(query.paidAfter, page).pipe(
          Effect.map((found) => fromPage(found, page, toOrder)),
          answer,
          provide
        )
      },
      createWebhook: ({ payload: { description = "", events, url } }) =>
        Endpoints.registerEndpoint({ url, description, tags: events }).pipe(Effect.map(withSecret), answer, provide),
      webhooks: () =>
        Endpoints.listEndpoints.pipe(
          Effect.map((endpoints) => ({ data: endpoints.map(toWebhook) })),
          answer,
          provide
        ),
      changeWebhook: ({ params, payload: { events, ...changes } }) =>
        Endpoints.changeEndpoint(params.webhookId, {
          ...changes,
          ...(events === undefined ? {} : { tags: events })
        }).pipe(Effect.map(toWebhook), answer, provide),
      removeWebhook: ({ params }) => Endpoints.removeEndpoint(params.webhookId).pipe(answer, provide),
      rotateWebhookSecret: ({ params }) =>
        Endpoints.rotateSecret(params.webhookId).pipe(Effect.map(withSecret), answer, provide),
      webhookMessages: ({ params, query }) => {
        const page = toPageRequest(query)
        return Endpoints.listMessages(params.webhookId, page).pipe(
          Effect.map((found) => fromPage(found, page, toWebhookMessage)),
          answer,
          provide
        )
      },
      replayWebhook: ({ params, payload }) =>
        Endpoints.replayMessages(params.webhookId, toReplayed(payload)).pipe(
          Effect.map((replayed) => ({ replayed })),
          answer,
          provide
        ),
      endSessions: ({ params }) => answer(sessions.endAll(params.userId)),
      getItem: ({ params }) => getItem(params.itemId).pipe(Effect.map(toAdminItem), answer, provide),
      createItem: ({ payload }) => {
        const { brand, name, originPrice, ...rest } = payload
        const { images, information } = changesOf(rest)
        return createItem({
          information: new Item.Information({
            ...emptyLabel,
            ...information,
            productName: name.normalize("NFC"),
            brand: brand.normalize("NFC")
          }),
          origin: originPrice,
          discountPercent: rest.discountPercent ?? 0,
          images: new Item.Images({ thumbnail: "", description: "", ...images })
        }).pipe(Effect.map(toAdminItem), withoutWrongPrice, answer, provide)
      },
      changeItem: ({ params, payload: { version, ...changed } }) =>
        changeItem(params.itemId, version, changesOf(changed)).pipe(
          Effect.map(toAdminItem),
          withoutWrongPrice,
          answer,
          provide
        ),
      importItems: Effect.fnUntraced(function* ({ request }) {
        const kind = CatalogueFile.kindOf(request.headers["content-type"])
        if (kind === null) return yield* answer(Effect.fail(unsupported))
        return yield* importItems(CatalogueFile.linesOf(kind, request.stream), CatalogueFile.idOf).pipe(
          Effect.catchTag("HttpServerError", ({ message }) =>
            Effect.fail(new CatalogueFile.FileUnreadable({ detail: message }))
          ),
          answer,
          provide
        )
      })
    })
  })
)
