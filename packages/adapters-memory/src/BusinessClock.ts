/**
 * The time of business, from the clock of the process.
 *
 * The process stands for the database: `databaseNow` is the effect clock, so that a test clock moves both.
 *
 * @since 0.1.0
 */
import { BusinessClock, ClockIsFixed } from "@pillivery/application/ports/BusinessClock"
import { DateTime, Duration, Effect, Layer, Result } from "effect"
import * as Table from "./internal/Table.ts"
import { type Rows, Store } from "./Store.ts"

interface Offset {
  readonly millis: number
}

const id = "offset"
const offsets = Table.define<Offset>()({ name: "clock offset", idOf: () => id })

const make = (isMovable: boolean) =>
  Effect.map(Store, (store) => {
    const offsetMillis = (rows: Rows): number => rows.get(offsets, id)?.millis ?? 0
    return BusinessClock.of({
      now: store.read("BusinessClock.now", (rows, databaseNow) =>
        DateTime.makeUnsafe(databaseNow + offsetMillis(rows))
      ),
      databaseNow: store.read("BusinessClock.databaseNow", (_rows, databaseNow) => DateTime.makeUnsafe(databaseNow)),
      times: store.read("BusinessClock.times", (rows, databaseNow) => ({
        now: DateTime.makeUnsafe(databaseNow + offsetMillis(rows)),
        databaseNow: DateTime.makeUnsafe(databaseNow)
      })),
      offset: store.read("BusinessClock.offset", (rows) => Duration.millis(offsetMillis(rows))),
      advance: (by) =>
        isMovable
          ? store.write("BusinessClock.advance", (rows) =>
              Result.succeed(rows.put(offsets, { millis: offsetMillis(rows) + Math.trunc(Duration.toMillis(by)) }))
            )
          : Effect.fail(new ClockIsFixed())
    })
  })

/** The clock of a shop: it cannot be moved. */
export const layer = Layer.effect(BusinessClock, make(false))

/** The clock of tests, demos and the embedded default: it can be moved forward. */
export const layerMovable = Layer.effect(BusinessClock, make(true))
