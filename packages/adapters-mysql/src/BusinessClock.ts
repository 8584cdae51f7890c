/**
 * The time of business, from the database.
 *
 * Nothing is kept in memory: every server asks the one clock that all of them share.
 *
 * @since 0.1.0
 */
import { BusinessClock, ClockIsFixed } from "@pillivery/application/ports/BusinessClock"
import { DateTime, Duration, Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import { Instant } from "./internal/Columns.ts"
import { Statements } from "./Transaction.ts"

const clockId = 1

const ClockRows = Schema.Tuple([Schema.Struct({ utc: Instant, offset_millis: Schema.Int })])

const make = (isMovable: boolean) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient
    const { read, readTogether, write } = yield* Statements

    const select = Effect.map(
      Effect.flatMap(
        sql`SELECT UTC_TIMESTAMP(3) AS utc,
          COALESCE((SELECT offset_millis FROM business_clock WHERE id = ${clockId}), 0) AS offset_millis`,
        Schema.decodeUnknownEffect(ClockRows)
      ),
      ([{ offset_millis, utc }]) => ({
        now: DateTime.add(utc, { milliseconds: offset_millis }),
        databaseNow: utc,
        offset: Duration.millis(offset_millis)
      })
    )

    const look = readTogether("BusinessClock.times", {
      one: () => select,
      many: (lookers) => Effect.map(select, (times) => lookers.map(() => times))
    })
    const times = Effect.suspend(() => look(null))

    return BusinessClock.of({
      now: Effect.map(times, ({ now }) => now),
      databaseNow: Effect.map(times, ({ databaseNow }) => databaseNow),
      times,
      offset: Effect.map(read("BusinessClock.offset")(select), ({ offset }) => offset),
      advance: Effect.fn("BusinessClock.advance")(function* (by: Duration.Duration) {
        if (!isMovable) return yield* new ClockIsFixed()
        const millis = Math.trunc(Duration.toMillis(by))
        yield* write("BusinessClock.advance")(
          sql`INSERT INTO business_clock (id, offset_millis) VALUES (${clockId}, ${millis})
            ON DUPLICATE KEY UPDATE offset_millis = offset_millis + ${millis}`
        )
      })
    })
  })

/** The clock of a shop: it follows the database and cannot be moved. */
export const layer = Layer.effect(BusinessClock, make(false))

/** The clock of tests and demos against a provider on this machine: it can be moved forward, for everybody. */
export const layerMovable = Layer.effect(BusinessClock, make(true))
