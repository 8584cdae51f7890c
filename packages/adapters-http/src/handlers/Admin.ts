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
import { TokenStore } from "@pillivery/application/ports/TokenStore"
import * as Item from "@pillivery/domain/Item"
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { answer } from "../Answer.ts"
import type { AdminItemDto, ChangeItemDto } from "../api/Admin.ts"
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
