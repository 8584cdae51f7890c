/**
 * Handlers of the catalogue.
 *
 * @since 0.1.0
 */
import { HotLists } from "@pillivery/application/Catalogue/HotLists"
import { getItem, listBrands } from "@pillivery/application/Catalogue/Items"
import { Views } from "@pillivery/application/Catalogue/Views"
import type { ItemRepository } from "@pillivery/application/ports/ItemRepository"
import { CategoryName } from "@pillivery/domain/Category"
import * as Item from "@pillivery/domain/Item"
import * as Rate from "@pillivery/domain/Rate"
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { answer } from "../Answer.ts"
import { Api } from "../api/Api.ts"
import type { ItemDto, ItemSummaryDto } from "../api/Items.ts"
import { fromPage, toPageRequest } from "../api/Pages.ts"
import { clientAddress, TrustedProxies } from "../ClientAddress.ts"
import { captured } from "../internal/Captured.ts"

const tenths = 10

/** An item as lists show it. */
export const toItemSummary = (item: Item.Item): typeof ItemSummaryDto.Type => ({
  id: item.id,
  name: item.information.productName,
  brand: item.information.brand,
  price: {
    origin: item.price.origin,
    discountPercent: Rate.toPercent(item.price.rate),
    discount: item.price.discount,
    real: item.price.real
  },
  thumbnail: item.images.thumbnail,
  categories: item.categories,
  sales: item.statistics.sales,
  views: item.statistics.views,
  rating: { average: Math.round(Item.averageRating(item) * tenths) / tenths, count: item.statistics.ratingCount }
})

/** An item with everything about it. */
export const toItem = (item: Item.Item): typeof ItemDto.Type => {
  const { brand: _brand, productName: _productName, ...information } = item.information
  return { ...toItemSummary(item), descriptionImage: item.images.description, information }
}

/** The catalogue. */
export const layer = HttpApiBuilder.group(
  Api,
  "items",
  Effect.fnUntraced(function* (handlers) {
    const provide = yield* captured<ItemRepository>()
    const lists = yield* HotLists
    const views = yield* Views
    const trustedProxies = yield* TrustedProxies
    return handlers.handleAll({
      main: () =>
        lists.main.pipe(
          Effect.map(({ best, onSale }) => ({ best: best.map(toItemSummary), onSale: onSale.map(toItemSummary) })),
          answer
        ),
      search: ({ query }) => {
        const { page: _page, size: _size, sort = "SALES", ...filters } = query
        const page = toPageRequest(query)
        return lists.search({ ...filters, sort }, page).pipe(
          Effect.map((found) => fromPage(found, page, toItemSummary)),
          answer
        )
      },
      onSale: ({ query }) => {
        const { page: _page, size: _size, sort = "DISCOUNT_RATE_H", ...filters } = query
        const page = toPageRequest(query)
        return lists.search({ ...filters, onSale: true, sort }, page).pipe(
          Effect.map((found) => fromPage(found, page, toItemSummary)),
          answer
        )
      },
      brands: Effect.fnUntraced(function* ({ query }) {
        const page = toPageRequest(query)
        return fromPage(yield* listBrands(page).pipe(answer, provide), page, (brand) => brand)
      }),
      categories: () => Effect.succeed({ categories: CategoryName.literals }),
      get: ({ params, request }) =>
        getItem(params.itemId).pipe(
          Effect.map((item) => {
            views.note(item.id, clientAddress(request, trustedProxies))
            return toItem(item)
          }),
          answer,
          provide
        )
    })
  })
)
