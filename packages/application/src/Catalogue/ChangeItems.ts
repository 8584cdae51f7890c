/**
 * Putting items into the catalogue, and changing them. Every server is told, so that no list shows what is not so any more.
 *
 * @since 0.1.0
 */
import { ItemId } from "@pillivery/domain/Ids"
import * as Item from "@pillivery/domain/Item"
import { Effect, Option, Result, Schema } from "effect"
import { CatalogueChanges } from "../ports/CatalogueChanges.ts"
import { IdGenerator } from "../ports/IdGenerator.ts"
import { ItemRepository } from "../ports/ItemRepository.ts"
import { StaleWrite } from "../ports/StorageError.ts"
import { ItemNotFound } from "./Items.ts"

/** What is said of an item: its label, its price before the discount with the discount in percent, and its pictures. */
export interface ItemDraft {
  readonly information: Item.Information
  readonly origin: number
  readonly discountPercent: number
  readonly images: Item.Images
}

/** What a label says that says nothing but the name and the brand. */
export const emptyLabel = {
  statementNumber: "",
  registeredDate: "",
  distributionPeriod: "",
  appearance: "",
  servingUse: "",
  preservePeriod: "",
  intake: "",
  mainFunction: "",
  baseStandard: ""
}

/** The price cannot be. */
export class ItemPriceInvalid extends Schema.TaggedError<ItemPriceInvalid>(
  "@pillivery/application/Catalogue/ItemPriceInvalid"
)("ItemPriceInvalid", { detail: Schema.String }) {
  override get message() {
    return this.detail
  }
}

/** The item of a draft, new, or in the place of another one. */
export const itemOf = (
  draft: ItemDraft,
  place: { readonly id: ItemId } | Item.Item
): Result.Result<Item.Item, ItemPriceInvalid> =>
  Result.mapBoth(Item.priceFromPercent(draft.origin, draft.discountPercent), {
    onFailure: ({ message }) => new ItemPriceInvalid({ detail: message }),
    onSuccess: ({ origin, rate }) => {
      const fresh = Item.create({ ...draft, id: place.id, origin, rate })
      return "version" in place
        ? new Item.Item({ ...fresh, statistics: place.statistics, version: place.version })
        : fresh
    }
  })

/** Puts a new item into the catalogue. */
export const createItem = Effect.fn("createItem")(function* (draft: ItemDraft) {
  const items = yield* ItemRepository
  const id = ItemId.make(yield* (yield* IdGenerator).next)
  const item = yield* Effect.fromResult(itemOf(draft, { id }))
  yield* items.insert([item]).pipe(Effect.catchTag("AlreadyExists", Effect.die)) // its id was made just now
  yield* (yield* CatalogueChanges).announce
  return item
})

/** Changes what is named of an item, if it is still as it was read at `version`. */
export const changeItem = Effect.fn("changeItem")(function* (
  itemId: ItemId,
  version: number,
  changed: Partial<Omit<ItemDraft, "information" | "images">> & {
    readonly information?: Partial<Item.Information>
    readonly images?: Partial<Item.Images>
  }
) {
  const items = yield* ItemRepository
  const found = yield* items.findById(itemId)
  if (Option.isNone(found)) return yield* new ItemNotFound({ itemId })
  const before = found.value
  if (before.version !== version) return yield* new StaleWrite({ entity: "item", id: itemId })
  const item = yield* Effect.fromResult(
    itemOf(
      {
        information: new Item.Information({ ...before.information, ...changed.information }),
        origin: changed.origin ?? before.price.origin,
        discountPercent: changed.discountPercent ?? percentOf(before),
        images: new Item.Images({ ...before.images, ...changed.images })
      },
      before
    )
  )
  yield* items.update([item])
  yield* (yield* CatalogueChanges).announce
  return new Item.Item({ ...item, version: version + 1 })
})

const perMillePerPercent = 10
const percentOf = ({ price }: Item.Item): number => price.rate / perMillePerPercent
