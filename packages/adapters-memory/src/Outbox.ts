/**
 * The outbox in memory: one row for each event and consumer.
 *
 * @since 0.1.0
 */
import { type Consumer, consumersOf, DeadDelivery, Delivery, Outbox } from "@pillivery/application/ports/Outbox"
import type { DomainEvent } from "@pillivery/domain/DomainEvent"
import type { EventId } from "@pillivery/domain/Ids"
import { DateTime, Effect, Layer, Result } from "effect"
import * as Table from "./internal/Table.ts"
import { Store } from "./Store.ts"

interface Row {
  readonly event: DomainEvent
  readonly consumer: Consumer
  readonly state: "pending" | "done" | "dead"
  /** When it may be claimed; the end of the lease while it is claimed. */
  readonly dueAtMillis: number
  readonly tries: number
  readonly error: string
  readonly diedAtMillis: number
}

/** The id of a delivery. */
export const rowId = (eventId: EventId, consumer: Consumer): string => `${consumer}/${eventId}`

/** The table of deliveries. */
export const deliveries = Table.define<Row>()({
  name: "delivery",
  idOf: ({ consumer, event }) => rowId(event.eventId, consumer),
  indexes: {
    due: (row) => (row.state === "pending" ? Table.millisKey(row.dueAtMillis) : null),
    dead: (row) => (row.state === "dead" ? Table.millisKey(row.diedAtMillis) : null)
  }
})

interface Consumed {
  readonly eventId: EventId
  readonly consumer: Consumer
  readonly at: DateTime.Utc
}

const inbox = Table.define<Consumed>()({
  name: "consumed event",
  idOf: ({ consumer, eventId }) => rowId(eventId, consumer)
})

/** Events of one store. */
export const layer = Layer.effect(
  Outbox,
  Effect.map(Store, (store) => {
    // Only the claim that is still the last one may say when to try again or to give up.
    const endClaim = (operation: string, delivery: Delivery, end: (row: Row, databaseNow: number) => Row) =>
      store.write(operation, (rows, databaseNow) => {
        const row = rows.get(deliveries, rowId(delivery.eventId, delivery.consumer))
        return Result.succeed(
          row?.state === "pending" && row.tries === delivery.tries
            ? rows.put(deliveries, end(row, databaseNow))
            : undefined
        )
      })

    return Outbox.of({
      publish: (events) =>
        store.write("Outbox.publish", (rows, databaseNow) => {
          for (const event of events) {
            for (const consumer of consumersOf[event._tag]) {
              if (rows.get(deliveries, rowId(event.eventId, consumer)) !== undefined) continue
              rows.put(deliveries, {
                event,
                consumer,
                state: "pending",
                dueAtMillis: databaseNow,
                tries: 0,
                error: "",
                diedAtMillis: 0
              })
            }
          }
          return Result.succeed(undefined)
        }),

      claim: ({ leaseMillis, limit }) =>
        store.write("Outbox.claim", (rows, databaseNow) => {
          const due = rows.list(deliveries, "due", { until: Table.after(Table.millisKey(databaseNow)), limit })
          return Result.succeed(
            due.map((row) => {
              const tries = row.tries + 1
              rows.put(deliveries, { ...row, tries, dueAtMillis: databaseNow + leaseMillis })
              return new Delivery({ eventId: row.event.eventId, consumer: row.consumer, event: row.event, tries })
            })
          )
        }),

      // Done is done, even when the claim was lost meanwhile: another delivery of it is not wanted.
      complete: ({ consumer, eventId }) =>
        store.write("Outbox.complete", (rows) => {
          const row = rows.get(deliveries, rowId(eventId, consumer))
          return Result.succeed(row?.state === "pending" ? rows.put(deliveries, { ...row, state: "done" }) : undefined)
        }),

      retryLater: (delivery, { delayMillis, error }) =>
        endClaim("Outbox.retryLater", delivery, (row, databaseNow) => ({
          ...row,
          dueAtMillis: databaseNow + delayMillis,
          error
        })),

      giveUp: (delivery, error) =>
        endClaim("Outbox.giveUp", delivery, (row, databaseNow) => ({
          ...row,
          state: "dead",
          diedAtMillis: databaseNow,
          error
        })),

      counts: store.read("Outbox.counts", (rows) => ({
        pending: rows.count(deliveries, "due"),
        dead: rows.count(deliveries, "dead")
      })),

      listDead: (limit) =>
        store.read("Outbox.listDead", (rows) =>
          rows.list(deliveries, "dead", { limit }).map(
            (row) =>
              new DeadDelivery({
                eventId: row.event.eventId,
                consumer: row.consumer,
                tag: row.event._tag,
                tries: row.tries,
                error: row.error,
                diedAt: DateTime.makeUnsafe(row.diedAtMillis)
              })
          )
        ),

      revive: (eventId, consumer) =>
        store.write("Outbox.revive", (rows, databaseNow) => {
          const row = rows.get(deliveries, rowId(eventId, consumer))
          if (row?.state !== "dead") return Result.succeed(false)
          rows.put(deliveries, { ...row, state: "pending", dueAtMillis: databaseNow })
          return Result.succeed(true)
        }),

      consumeOnce: (eventId, consumer, at) =>
        store.write("Outbox.consumeOnce", (rows) => {
          if (rows.get(inbox, rowId(eventId, consumer)) !== undefined) return Result.succeed(false)
          rows.put(inbox, { eventId, consumer, at })
          return Result.succeed(true)
        })
    })
  })
)
