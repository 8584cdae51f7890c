/**
 * The catalogue.
 *
 * @since 0.1.0
 */
import { ItemSort } from "@pillivery/application/ports/ItemRepository"
import { CategoryName } from "@pillivery/domain/Category"
import { ItemId } from "@pillivery/domain/Ids"
import { nameLengthMax } from "@pillivery/domain/Item"
import { wonMax } from "@pillivery/domain/Won"
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { pageOf, pageQuery } from "./Pages.ts"
import * as Problems from "./Problems.ts"

/** The shortest keyword that can be searched for, in characters. */
export const keywordLengthMin = 2
/** The longest keyword that can be searched for, in characters. */
export const keywordLengthMax = 50

/** What an item costs, in won; `discountPercent` has at most one decimal. */
export const PriceDto = Schema.Struct({
  origin: Schema.Int,
  discountPercent: Schema.Finite,
  discount: Schema.Int,
  real: Schema.Int
}).annotate({ identifier: "Price" })

const summary = {
  id: ItemId,
  name: Schema.String,
  brand: Schema.String,
  price: PriceDto,
  thumbnail: Schema.String,
  categories: Schema.Array(CategoryName),
  sales: Schema.Int,
  views: Schema.Int,
  rating: Schema.Struct({ average: Schema.Finite, count: Schema.Int })
}

/** An item in a list. */
export const ItemSummaryDto = Schema.Struct(summary).annotate({ identifier: "ItemSummary" })

/** Everything about an item. */
export const ItemDto = Schema.Struct({
  ...summary,
  descriptionImage: Schema.String,
  information: Schema.Struct({
    statementNumber: Schema.String,
    registeredDate: Schema.String,
    distributionPeriod: Schema.String,
    appearance: Schema.String,
    servingUse: Schema.String,
    preservePeriod: Schema.String,
    intake: Schema.String,
    mainFunction: Schema.String,
    baseStandard: Schema.String
  })
}).annotate({ identifier: "Item" })

/** A page of items. */
export const ItemPageDto = pageOf("ItemPage", ItemSummaryDto)

/** What the main page shows. */
export const MainDto = Schema.Struct({
  best: Schema.Array(ItemSummaryDto),
  onSale: Schema.Array(ItemSummaryDto)
}).annotate({ identifier: "MainPage" })

/** A brand and how many items it has. */
export const BrandDto = Schema.Struct({ name: Schema.String, items: Schema.Int }).annotate({ identifier: "Brand" })

const Amount = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: wonMax }))

/** The catalogue. */
export const ItemsGroup = HttpApiGroup.make("items")
  .add(
    HttpApiEndpoint.get("main", "/api/items/main", { success: MainDto }).annotate(
      OpenApi.Summary,
      "What sells best and what is most reduced"
    ),
    HttpApiEndpoint.get("search", "/api/items/search", {
      query: {
        keyword: Schema.optionalKey(
          Schema.String.check(Schema.isMinLength(keywordLengthMin), Schema.isMaxLength(keywordLengthMax))
        ),
        category: Schema.optionalKey(CategoryName),
        brand: Schema.optionalKey(Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(nameLengthMax))),
        onSale: Schema.optionalKey(Schema.Boolean),
        priceMin: Schema.optionalKey(Amount),
        priceMax: Schema.optionalKey(Amount),
        sort: Schema.optionalKey(ItemSort),
        ...pageQuery
      },
      success: ItemPageDto
    }).annotate(OpenApi.Summary, "Search the catalogue"),
    HttpApiEndpoint.get("onSale", "/api/items/on-sale", {
      query: {
        category: Schema.optionalKey(CategoryName),
        brand: Schema.optionalKey(Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(nameLengthMax))),
        sort: Schema.optionalKey(ItemSort),
        ...pageQuery
      },
      success: ItemPageDto
    }).annotate(OpenApi.Summary, "What is sold at a discount, the most reduced first"),
    HttpApiEndpoint.get("brands", "/api/items/brands", {
      query: pageQuery,
      success: pageOf("BrandPage", BrandDto)
    }).annotate(OpenApi.Summary, "The brands, by name"),
    HttpApiEndpoint.get("categories", "/api/items/categories", {
      success: Schema.Struct({ categories: Schema.Array(CategoryName) }).annotate({ identifier: "Categories" })
    }).annotate(OpenApi.Summary, "The categories"),
    HttpApiEndpoint.get("get", "/api/items/:itemId", {
      params: { itemId: ItemId },
      success: ItemDto,
      error: Problems.notFound
    }).annotate(OpenApi.Summary, "Read an item")
  )
  .annotate(OpenApi.Description, "The catalogue.")
