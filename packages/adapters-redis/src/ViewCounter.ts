/**
 * Visitors in Redis: a HyperLogLog for each item and day, and a set of the day's items.
 *
 * All keys of a day carry its hash tag and live on one node of a cluster.
 *
 * @since 0.1.0
 */
import { ViewCounter } from "@pillivery/application/ports/ViewCounter"
import { BusinessDate } from "@pillivery/domain/BusinessDate"
import { ItemId } from "@pillivery/domain/Ids"
import { Effect, Layer, Schema } from "effect"
import * as Redis from "effect/persistence/Redis"
import { keyPrefixDefault, toStorageError } from "./Client.ts"

/** What precedes the keys. */
export interface Options {
  readonly keyPrefix?: string
}

/** How long a day that nobody adds up is kept: 30 days. */
export const keptMillis = 30 * 24 * 60 * 60 * 1_000
/** Items whose visitors are asked for in one script. */
const askedTogether = 500
/** Looks that are counted in one script. */
const countedTogether = 500

/** Counts looks, given as pairs of item and visitor. */
const countViews = Redis.script(
  (days: string, items: string, day: string, ...views: ReadonlyArray<string>) => [
    days,
    items,
    day,
    keptMillis,
    ...views
  ],
  {
    numberOfKeys: 2,
    lua: `
redis.call("SADD", KEYS[1], ARGV[1])
for i = 3, #ARGV, 2 do
  local key = KEYS[2] .. ":" .. ARGV[i]
  redis.call("PFADD", key, ARGV[i + 1])
  redis.call("PEXPIRE", key, ARGV[2])
  redis.call("SADD", KEYS[2], ARGV[i])
end
redis.call("PEXPIRE", KEYS[2], ARGV[2])
return 1`
  }
).withReturnType<number>()

/** The visitors of each item, in their order. */
const askViews = Redis.script((items: string, ...ids: ReadonlyArray<string>) => [items, ...ids], {
  numberOfKeys: 1,
  lua: `
local counts = {}
for i, id in ipairs(ARGV) do counts[i] = redis.call("PFCOUNT", KEYS[1] .. ":" .. id) end
return counts`
}).withReturnType<ReadonlyArray<number>>()

const decodeDays = Schema.decodeUnknownEffect(Schema.Array(BusinessDate))
const decodeItems = Schema.decodeUnknownEffect(Schema.Array(ItemId))

const chunksOf = <A>(all: ReadonlyArray<A>, size: number): ReadonlyArray<ReadonlyArray<A>> =>
  Array.from({ length: Math.ceil(all.length / size) }, (_, index) => all.slice(index * size, (index + 1) * size))

const make = Effect.fnUntraced(function* ({ keyPrefix = keyPrefixDefault }: Options) {
  const redis = yield* Redis.Redis
  const evalCount = redis.eval(countViews)
  const evalAsk = redis.eval(askViews)
  const daysKey = `${keyPrefix}{views}:days`
  // The days share one tag with their items, since one script writes both.
  const itemsKey = (day: BusinessDate) => `${keyPrefix}{views}:${day}`
  const orStorageError = (operation: string, access: "read" | "write") =>
    Effect.mapError(toStorageError(`ViewCounter.${operation}`, access))

  const itemsOf = (day: BusinessDate) =>
    redis.send("SMEMBERS", itemsKey(day)).pipe(
      orStorageError("viewsOf", "read"),
      Effect.flatMap((ids) => Effect.orDie(decodeItems(ids))) // we wrote them
    )

  return ViewCounter.of({
    count: (day, views) =>
      Effect.forEach(
        chunksOf(views, countedTogether),
        (chunk) => evalCount(daysKey, itemsKey(day), day, ...chunk.flatMap(({ itemId, visitor }) => [itemId, visitor])),
        { discard: true }
      ).pipe(orStorageError("count", "write")),
    days: redis.send("SMEMBERS", daysKey).pipe(
      orStorageError("days", "read"),
      Effect.flatMap((days) => Effect.orDie(decodeDays(days))),
      Effect.map((days) => days.toSorted())
    ),
    viewsOf: Effect.fn("ViewCounter.viewsOf")(function* (day: BusinessDate) {
      const counted = yield* Effect.forEach(chunksOf(yield* itemsOf(day), askedTogether), (ids) =>
        Effect.map(evalAsk(itemsKey(day), ...ids).pipe(orStorageError("viewsOf", "read")), (counts) =>
          ids.map((itemId, index) => ({ itemId, views: counts[index] ?? 0 }))
        )
      )
      return counted.flat()
    }),
    forget: Effect.fn("ViewCounter.forget")(function* (day: BusinessDate) {
      for (const ids of chunksOf(yield* itemsOf(day), askedTogether)) {
        yield* redis.send("DEL", ...ids.map((id) => `${itemsKey(day)}:${id}`)).pipe(orStorageError("forget", "write"))
      }
      yield* redis.send("DEL", itemsKey(day)).pipe(orStorageError("forget", "write"))
      yield* redis.send("SREM", daysKey, day).pipe(orStorageError("forget", "write"))
    })
  })
})

/** `ViewCounter` on Redis with these options. */
export const layerWith = (options: Options): Layer.Layer<ViewCounter, never, Redis.Redis> =>
  Layer.effect(ViewCounter, make(options))
