/**
 * Visitors of items, in this process, and what is added of them to the items.
 *
 * @since 0.1.0
 */
import { ViewCounter, ViewLedger } from "@pillivery/application/ports/ViewCounter"
import type { BusinessDate } from "@pillivery/domain/BusinessDate"
import type { ItemId } from "@pillivery/domain/Ids"
import * as Item from "@pillivery/domain/Item"
import { Effect, Layer, Result } from "effect"
import * as Table from "./internal/Table.ts"
import { items } from "./ItemRepository.ts"
import { Store } from "./Store.ts"

const layerCounter = Layer.sync(ViewCounter, () => {
  const days = new Map<BusinessDate, Map<ItemId, Set<string>>>()
  return ViewCounter.of({
    count: (day, views) =>
      Effect.sync(() => {
        if (views.length === 0) return
        const seen = days.get(day) ?? new Map<ItemId, Set<string>>()
        days.set(day, seen)
        for (const { itemId, visitor } of views) seen.set(itemId, (seen.get(itemId) ?? new Set()).add(visitor))
      }),
    days: Effect.sync(() => [...days.keys()].toSorted()),
    viewsOf: (day) =>
      Effect.sync(() => [...(days.get(day) ?? [])].map(([itemId, visitors]) => ({ itemId, views: visitors.size }))),
    forget: (day) => Effect.sync(() => void days.delete(day))
  })
})

interface Added {
  readonly day: BusinessDate
  readonly itemId: ItemId
}

const added = Table.define<Added>()({ name: "item view", idOf: ({ day, itemId }) => `${day} ${itemId}`, indexes: {} })

const layerLedger = Layer.effect(
  ViewLedger,
  Effect.map(Store, (store) =>
    ViewLedger.of({
      add: (day, views) =>
        store.write("ViewLedger.add", (rows) => {
          for (const { itemId, views: count } of views) {
            if (Result.isFailure(rows.insert(added, { day, itemId }))) continue
            const item = rows.get(items, itemId)
            if (item !== undefined) rows.put(items, withViews(item, count))
          }
          return Result.succeed(undefined)
        })
    })
  )
)

const withViews = (item: Item.Item, count: number): Item.Item =>
  new Item.Item({
    ...item,
    statistics: new Item.Statistics({ ...item.statistics, views: item.statistics.views + count })
  })

/** Visitors of this process, and the items of one store. */
export const layer = Layer.merge(layerCounter, layerLedger)
