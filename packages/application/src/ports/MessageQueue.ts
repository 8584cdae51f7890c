/**
 * Messages on their way out of the shop: e-mails to its customers and webhooks to other systems.
 *
 * @since 0.1.0
 */
import { DomainEvent } from "@pillivery/domain/DomainEvent"
import { EventId } from "@pillivery/domain/Ids"
import { Context, type DateTime, type Effect, Schema } from "effect"
import type { Page, PageRequest } from "./Page.ts"
import type { StorageError } from "./StorageError.ts"
import { WebhookEndpointId } from "./WebhookEndpoints.ts"

/** The most messages that one replay makes due again. */
export const replayedMax = 10_000
/** The longest account of a failure that is kept, in characters. */
export const errorLengthMax = 500

/** Who gets a message: the customer by e-mail, or an endpoint. */
export const Recipient = Schema.Union([Schema.Literal("email"), WebhookEndpointId])
export type Recipient = typeof Recipient.Type

/** An event on its way to one recipient. */
export class Message extends Schema.Class<Message>("@pillivery/application/MessageQueue/Message")({
  recipient: Recipient,
  event: DomainEvent,
  /** Which try this is, from 1. */
  tries: Schema.Int
}) {}

/** What became of a message. */
export const MessageState = Schema.Literals(["pending", "sent", "failed"])

/** A message as those who run the shop see it; `error` is what the latest try met with. */
export class MessageRecord extends Schema.Class<MessageRecord>("@pillivery/application/MessageQueue/MessageRecord")({
  eventId: EventId,
  tag: Schema.String,
  state: MessageState,
  tries: Schema.Int,
  error: Schema.NullOr(Schema.String),
  queuedAt: Schema.DateTimeUtc,
  endedAt: Schema.NullOr(Schema.DateTimeUtc)
}) {}

/** How many messages of a recipient stand where. */
export interface MessageCounts {
  readonly recipient: Recipient
  readonly pending: number
  readonly failed: number
}

/** Which messages are to be sent again. */
export type Replayed =
  | { readonly _tag: "One"; readonly eventId: EventId }
  | { readonly _tag: "Failed" }
  /** Those queued then or later, sent or not. */
  | { readonly _tag: "Since"; readonly at: DateTime.Utc }

/**
 * Messages, unique by recipient and event, each recipient's apart from the others'.
 *
 * **Details**
 *
 * `queue` joins the transaction around it and changes nothing about a message that is there. `claim` hands out messages
 * of one recipient that are due on the database's clock and held by nobody, for `leaseMillis`; a claim that is not ended
 * in time is handed out again. Only the newest claim may say when to try again or to give up.
 */
export class MessageQueue extends Context.Service<
  MessageQueue,
  {
    readonly queue: (event: DomainEvent, recipients: ReadonlyArray<Recipient>) => Effect.Effect<void, StorageError>
    readonly claim: (options: {
      readonly recipient: Recipient
      readonly owner: string
      readonly limit: number
      readonly leaseMillis: number
    }) => Effect.Effect<ReadonlyArray<Message>, StorageError>
    readonly complete: (message: Message) => Effect.Effect<void, StorageError>
    /** Due again `delayMillis` from now. */
    readonly retryLater: (
      message: Message,
      options: { readonly delayMillis: number; readonly error: string }
    ) => Effect.Effect<void, StorageError>
    readonly giveUp: (message: Message, error: string) => Effect.Effect<void, StorageError>
    /** Newest first. */
    readonly list: (recipient: Recipient, page: PageRequest) => Effect.Effect<Page<MessageRecord>, StorageError>
    /** Recipients with messages that wait or were given up. */
    readonly counts: Effect.Effect<ReadonlyArray<MessageCounts>, StorageError>
    /** Makes messages that have ended due once more, at most {@link replayedMax}; answers how many. */
    readonly replay: (recipient: Recipient, which: Replayed) => Effect.Effect<number, StorageError>
    /** Forgets messages queued before an instant, at most `limit`; answers how many. */
    readonly purge: (before: DateTime.Utc, limit: number) => Effect.Effect<number, StorageError>
  }
>()("@pillivery/application/MessageQueue") {}
