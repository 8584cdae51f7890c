/**
 * What other systems are told: the event as it was published, the same bytes at every try.
 *
 * @since 0.1.0
 */
import { DomainEvent } from "@pillivery/domain/DomainEvent"
import { Schema } from "effect"

const encode = Schema.encodeSync(Schema.toCodecJson(DomainEvent))

/** The body of a webhook: `{"type","timestamp","data"}`; `data` holds ids, dates and amounts, and nothing about a person. */
export const bodyOf = (event: DomainEvent): string => {
  const { _tag, at, eventId, ...data } = Object(encode(event))
  return JSON.stringify({ type: _tag, timestamp: at, data: { eventId, ...data } })
}
