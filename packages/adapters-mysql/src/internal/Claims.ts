/**
 * Events that wait in a table until somebody takes them: what the outbox and the messages share.
 *
 * @since 0.1.0
 */
import { DomainEvent } from "@pillivery/domain/DomainEvent"
import { Effect, Schema } from "effect"
import type { SqlClient } from "effect/sql/SqlClient"
import { randomBytes } from "node:crypto"

/** The most rows one claim may hold. */
export const claimedMax = 1_000
const claimBytes = 16
const microsPerMilli = 1_000

/** An event in a column of text. */
export const EventText = Schema.fromJsonString(Schema.toCodecJson(DomainEvent))

/** The text of an event. */
export const encodeEvent = Schema.encodeSync(EventText)

/** Names the rows of one claim. */
export const newClaim: Effect.Effect<Uint8Array> = Effect.sync(() => randomBytes(claimBytes))

/** So many milliseconds from now on the database's clock, at least none. */
export const inMillis = (sql: SqlClient, millis: number) =>
  sql`UTC_TIMESTAMP(3) + INTERVAL ${Math.max(0, Math.trunc(millis)) * microsPerMilli} MICROSECOND`

/** The beginning of a text, in whole characters. */
export const clip = (text: string, lengthMax: number): string => [...text].slice(0, lengthMax).join("")
