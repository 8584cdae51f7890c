/**
 * Lists that many look at, kept for a short time in each server.
 *
 * A list is loaded once for all who ask at the same moment, renewed in the background before its time is over, and dropped
 * when the catalogue changes anywhere. Times differ a little, so that lists do not end together.
 *
 * @since 0.1.0
 */
import type { Item } from "@pillivery/domain/Item"
import { Cache, Clock, Context, Effect, Exit, Layer, Random, Stream } from "effect"
import { CatalogueChanges } from "../ports/CatalogueChanges.ts"
import { type ItemQuery, ItemRepository } from "../ports/ItemRepository.ts"
import type { Page, PageRequest } from "../ports/Page.ts"
import type { StorageError } from "../ports/StorageError.ts"
import { listMain, searchItems } from "./Items.ts"

/** How long a list is kept, in milliseconds, give or take {@link jitterPercent}. */
export const keptMillis = 60_000
/** By how much the time of a list differs from the others', in percent. */
export const jitterPercent = 20
/** After which part of its time a list that is asked for is loaded again, in percent. */
export const renewedAfterPercent = 80
/** The most lists that are kept; one more drops the one that was asked for longest ago. */
export const listsMax = 500
/** The last page that is kept of a list. */
export const pageKeptMax = 5

interface Key {
  readonly query: ItemQuery
  readonly page: PageRequest
}

interface Kept<A> {
  readonly value: A
  readonly renewAt: number
  readonly keptMillis: number
}

/** The lists; whether they are kept is the layer's choice. */
export class HotLists extends Context.Service<
  HotLists,
  {
    readonly search: (query: ItemQuery, page: PageRequest) => Effect.Effect<Page<Item>, StorageError>
    readonly main: Effect.Effect<
      { readonly best: ReadonlyArray<Item>; readonly onSale: ReadonlyArray<Item> },
      StorageError
    >
  }
>()("@pillivery/application/Catalogue/HotLists") {}

// What few ask for alike would only push out what many do.
const isHot = ({ page, query }: Key): boolean =>
  page.page <= pageKeptMax &&
  query.keyword === undefined &&
  query.brand === undefined &&
  query.priceMin === undefined &&
  query.priceMax === undefined

const percent = 100

/** Keeps what a lookup answers, until the time is over or `drop` is called. */
const keep = Effect.fnUntraced(function* <K, A>(lookup: (key: K) => Effect.Effect<A, StorageError>) {
  let changes = 0
  const renewing = new Set<string>()
  const cache = yield* Cache.makeWith(
    Effect.fnUntraced(function* (key: K) {
      const changesBefore = changes
      const value = yield* lookup(key)
      const jitter = ((yield* Random.next) * 2 - 1) * (jitterPercent / percent)
      // What was read before a change is answered once and not kept.
      const millis = changes === changesBefore ? keptMillis * (1 + jitter) : 0
      const renewAt = (yield* Clock.currentTimeMillis) + (millis * renewedAfterPercent) / percent
      return { value, renewAt, keptMillis: millis } satisfies Kept<A>
    }),
    {
      capacity: listsMax,
      timeToLive: (exit) => (Exit.isSuccess(exit) ? exit.value.keptMillis : 0)
    }
  )
  const renew = (key: K) => {
    const name = JSON.stringify(key)
    if (renewing.has(name)) return Effect.void
    renewing.add(name)
    return Cache.refresh(cache, key).pipe(
      Effect.ignore,
      Effect.ensuring(Effect.sync(() => renewing.delete(name))),
      Effect.forkDetach
    )
  }
  return {
    get: Effect.fnUntraced(function* (key: K) {
      const { renewAt, value } = yield* Cache.get(cache, key)
      if ((yield* Clock.currentTimeMillis) >= renewAt) yield* renew(key)
      return value
    }),
    drop: Effect.suspend(() => {
      changes++
      return Cache.invalidateAll(cache)
    })
  }
})

/** Keeps the lists. */
export const layer = Layer.effect(
  HotLists,
  Effect.gen(function* () {
    const services = yield* Effect.context<ItemRepository>()
    const lists = yield* keep(({ page, query }: Key) => Effect.provideContext(searchItems(query, page), services))
    const main = yield* keep((_: "main") => Effect.provideContext(listMain(), services))
    const announcements = yield* (yield* CatalogueChanges).subscribe
    yield* announcements.pipe(
      Stream.runForEach(() => Effect.andThen(lists.drop, main.drop)),
      Effect.forkScoped
    )
    return HotLists.of({
      search: (query, page) =>
        isHot({ query, page }) ? lists.get({ query, page }) : Effect.provideContext(searchItems(query, page), services),
      main: main.get("main")
    })
  })
)

/** Loads every list each time. */
export const layerNone = Layer.effect(
  HotLists,
  Effect.map(Effect.context<ItemRepository>(), (services) =>
    HotLists.of({
      search: (query, page) => Effect.provideContext(searchItems(query, page), services),
      main: Effect.provideContext(listMain(), services)
    })
  )
)
