/**
 * Counting who looks at items.
 *
 * Looks are gathered for a second, so that no request waits for them, then counted by visitor, and once a day added to the
 * items. What was gathered and not counted when a process dies is lost; what was counted is added exactly once.
 *
 * @since 0.1.0
 */
import * as BusinessDate from "@pillivery/domain/BusinessDate"
import type { ItemId } from "@pillivery/domain/Ids"
import { Context, Effect, Latch, Layer } from "effect"
import { BusinessClock } from "../ports/BusinessClock.ts"
import { type View, ViewCounter, ViewLedger } from "../ports/ViewCounter.ts"

/** How long looks are gathered. */
export const gatherFor = "1 second"
/** The most looks that are gathered; more are not counted. */
export const gatheredMax = 10_000
/** How many items get their views in one transaction. */
export const addedTogether = 500
/** The hour of the day in Korea from which the days before are added. */
export const hourOfFlush = 2

const millisPerHour = 60 * 60 * 1_000
const koreaOffsetHours = 9
const hoursPerDay = 24

/** Gathers looks. */
export class Views extends Context.Service<
  Views,
  { readonly note: (itemId: ItemId, visitor: string | null) => void }
>()("@pillivery/application/Catalogue/Views") {}

/** Gathers looks and counts them, until the scope closes. */
export const layer = Layer.effect(
  Views,
  Effect.gen(function* () {
    const counter = yield* ViewCounter
    const clock = yield* BusinessClock
    let gathered = new Map<string, View>()
    const isNoted = yield* Latch.make()
    const count = Effect.gen(function* () {
      yield* isNoted.close
      if (gathered.size === 0) return
      const views = [...gathered.values()]
      gathered = new Map()
      yield* counter.count(BusinessDate.fromInstant(yield* clock.now), views)
    }).pipe(Effect.catch((error) => Effect.logDebug("Views were not counted", error)))
    yield* Effect.addFinalizer(() => count)
    yield* isNoted.await.pipe(Effect.andThen(Effect.delay(count, gatherFor)), Effect.forever, Effect.forkScoped)
    return Views.of({
      note: (itemId, visitor) => {
        if (visitor === null || gathered.size >= gatheredMax) return
        gathered.set(`${itemId} ${visitor}`, { itemId, visitor })
        isNoted.openUnsafe()
      }
    })
  })
)

/** Adds the views of days that are over to the items, from two in the morning on; answers how many items were added to. */
export const flushViews = Effect.fn("flushViews")(function* () {
  const counter = yield* ViewCounter
  const ledger = yield* ViewLedger
  const now = yield* (yield* BusinessClock).now
  const today = BusinessDate.fromInstant(now)
  const hour = (Math.floor(now.epochMilliseconds / millisPerHour) + koreaOffsetHours) % hoursPerDay
  const over = hour < hourOfFlush ? BusinessDate.addDays(today, -1) : today
  let added = 0
  for (const day of yield* counter.days) {
    if (day >= over) continue
    const views = yield* counter.viewsOf(day)
    for (let start = 0; start < views.length; start += addedTogether) {
      yield* ledger.add(day, views.slice(start, start + addedTogether))
    }
    added += views.length
    yield* counter.forget(day)
  }
  return added
})
