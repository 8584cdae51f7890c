/**
 * Messages on their way out, in memory.
 *
 * @since 0.1.0
 */
import {
  errorLengthMax,
  Message,
  MessageQueue,
  MessageRecord,
  type MessageState,
  type Recipient,
  replayedMax
} from "@pillivery/application/ports/MessageQueue"
import type { DomainEvent } from "@pillivery/domain/DomainEvent"
import type { EventId } from "@pillivery/domain/Ids"
import { DateTime, Effect, Layer, Result } from "effect"
import * as Table from "./internal/Table.ts"
import { Store } from "./Store.ts"

interface Row {
  readonly recipient: Recipient
  readonly event: DomainEvent
  readonly state: typeof MessageState.Type
  /** When it may be claimed; the end of the lease while it is claimed. */
  readonly dueAtMillis: number
  readonly tries: number
  readonly error: string | null
  readonly queuedAtMillis: number
  readonly endedAtMillis: number | null
}

const rowId = (recipient: Recipient, eventId: EventId): string => `${recipient}/${eventId}`

const messages = Table.define<Row>()({
  name: "message",
  idOf: ({ event, recipient }) => rowId(recipient, event.eventId),
  indexes: {
    due: ({ dueAtMillis, recipient, state }) =>
      state === "pending" ? `${recipient}/${Table.millisKey(dueAtMillis)}` : null,
    state: ({ recipient, state }) => (state === "sent" ? null : `${state}/${recipient}`),
    recipient: ({ queuedAtMillis, recipient }) => `${recipient}/${Table.millisKey(queuedAtMillis)}`,
    age: ({ queuedAtMillis }) => Table.millisKey(queuedAtMillis)
  }
})

const clip = (error: string): string => [...error].slice(0, errorLengthMax).join("")

const toRecord = ({ endedAtMillis, error, event, queuedAtMillis, state, tries }: Row): MessageRecord =>
  new MessageRecord({
    eventId: event.eventId,
    tag: event._tag,
    state,
    tries,
    error,
    queuedAt: DateTime.makeUnsafe(queuedAtMillis),
    endedAt: endedAtMillis === null ? null : DateTime.makeUnsafe(endedAtMillis)
  })

/** Messages of one store. */
export const layer = Layer.effect(
  MessageQueue,
  Effect.map(Store, (store) => {
    // Only the claim that is still the last one may say when to try again or to give up.
    const endClaim = (operation: string, message: Message, end: (row: Row, databaseNow: number) => Row) =>
      store.write(operation, (rows, databaseNow) => {
        const row = rows.get(messages, rowId(message.recipient, message.event.eventId))
        if (row?.state === "pending" && row.tries === message.tries) rows.put(messages, end(row, databaseNow))
        return Result.succeed(undefined)
      })

    return MessageQueue.of({
      queue: (event, recipients) =>
        store.write("MessageQueue.queue", (rows, databaseNow) => {
          for (const recipient of recipients) {
            if (rows.get(messages, rowId(recipient, event.eventId)) !== undefined) continue
            rows.put(messages, {
              recipient,
              event,
              state: "pending",
              dueAtMillis: databaseNow,
              tries: 0,
              error: null,
              queuedAtMillis: databaseNow,
              endedAtMillis: null
            })
          }
          return Result.succeed(undefined)
        }),

      claim: ({ leaseMillis, limit, recipient }) =>
        store.write("MessageQueue.claim", (rows, databaseNow) => {
          const prefix = `${recipient}/`
          const until = Table.after(`${prefix}${Table.millisKey(databaseNow)}`)
          return Result.succeed(
            rows.list(messages, "due", { prefix, until, limit }).map((row) => {
              const tries = row.tries + 1
              rows.put(messages, { ...row, tries, dueAtMillis: databaseNow + leaseMillis })
              return new Message({ recipient, event: row.event, tries })
            })
          )
        }),

      // Sent is sent, even when the claim was lost meanwhile: another one is not wanted.
      complete: ({ event, recipient }) =>
        store.write("MessageQueue.complete", (rows, databaseNow) => {
          const row = rows.get(messages, rowId(recipient, event.eventId))
          if (row?.state === "pending") rows.put(messages, { ...row, state: "sent", endedAtMillis: databaseNow })
          return Result.succeed(undefined)
        }),

      retryLater: (message, { delayMillis, error }) =>
        endClaim("MessageQueue.retryLater", message, (row, databaseNow) => ({
          ...row,
          dueAtMillis: databaseNow + delayMillis,
          error: clip(error)
        })),

      giveUp: (message, error) =>
        endClaim("MessageQueue.giveUp", message, (row, databaseNow) => ({
          ...row,
          state: "failed",
          error: clip(error),
          endedAtMillis: databaseNow
        })),

      list: (recipient, page) =>
        store.read("MessageQueue.list", (rows) => {
          const { data, totalElements } = rows.pageBackwards(messages, "recipient", `${recipient}/`, page)
          return { data: data.map(toRecord), totalElements }
        }),

      counts: store.read("MessageQueue.counts", (rows) => {
        const counts = new Map<Recipient, { pending: number; failed: number }>()
        rows.forEachFrom(messages, "state", "", ({ recipient, state }) => {
          const count = counts.get(recipient) ?? { pending: 0, failed: 0 }
          counts.set(
            recipient,
            state === "failed" ? { ...count, failed: count.failed + 1 } : { ...count, pending: count.pending + 1 }
          )
          return true
        })
        return [...counts].map(([recipient, count]) => ({ recipient, ...count }))
      }),

      replay: (recipient, which) =>
        store.write("MessageQueue.replay", (rows, databaseNow) => {
          const due: Array<Row> = []
          const prefix = `${recipient}/`
          const from = which._tag === "Since" ? `${prefix}${Table.timeKey(which.at)}` : prefix
          rows.forEachFrom(messages, "recipient", from, (row) => {
            if (row.recipient !== recipient || due.length >= replayedMax) return false
            const isMeant =
              which._tag === "One"
                ? row.event.eventId === which.eventId
                : which._tag === "Since" || row.state === "failed"
            if (isMeant && row.state !== "pending") due.push(row)
            return true
          })
          for (const row of due) {
            rows.put(messages, { ...row, state: "pending", dueAtMillis: databaseNow, endedAtMillis: null })
          }
          return Result.succeed(due.length)
        }),

      purge: (before, limit) =>
        store.write("MessageQueue.purge", (rows) => {
          const old = rows.list(messages, "age", { until: Table.timeKey(before), limit })
          for (const { event, recipient } of old) rows.remove(messages, rowId(recipient, event.eventId))
          return Result.succeed(old.length)
        })
    })
  })
)
