/**
 * Other systems that want to be told of events, and where.
 *
 * @since 0.1.0
 */
import { Context, type Effect, type Option, Schema } from "effect"
import { consumersOf } from "./Outbox.ts"
import type { AlreadyExists, StaleWrite, StorageError } from "./StorageError.ts"

/** The most endpoints there may be: all of them are read at every event. */
export const endpointsMax = 20
/** The most endpoints that are listed; administrators at the same moment may make a few more than there may be. */
export const endpointsListedMax = 100
/** The longest address of an endpoint, in UTF-16 units. */
export const urlLengthMax = 2_000
/** The longest description of an endpoint, in UTF-16 units. */
export const descriptionLengthMax = 200

/** Identifies an endpoint. */
export const WebhookEndpointId = Schema.String.check(Schema.isUUID()).pipe(Schema.brand("WebhookEndpointId"))
export type WebhookEndpointId = typeof WebhookEndpointId.Type

type Consumers = typeof consumersOf

/** A kind of event that people and systems outside are told of. */
export type ToldTag = {
  [Tag in keyof Consumers]: "notification" extends Consumers[Tag][number] ? Tag : never
}[keyof Consumers]

const isTold = (tag: keyof Consumers): tag is ToldTag =>
  consumersOf[tag].some((consumer) => consumer === "notification")

/** Every kind of event that can be asked for. */
export const toldTags: ReadonlyArray<ToldTag> = (Object.keys(consumersOf) as Array<keyof Consumers>).filter(isTold)

/** A kind of event that can be asked for. */
export const ToldTag = Schema.Literals(toldTags)

/**
 * Somewhere events are sent to.
 *
 * While a new secret takes over, messages are signed with the former one too, until `formerSecretUntil`.
 */
export class WebhookEndpoint extends Schema.Class<WebhookEndpoint>("@pillivery/application/WebhookEndpoint")({
  id: WebhookEndpointId,
  url: Schema.String.check(Schema.isMaxLength(urlLengthMax)),
  description: Schema.String.check(Schema.isMaxLength(descriptionLengthMax)),
  tags: Schema.Array(ToldTag),
  isActive: Schema.Boolean,
  secret: Schema.Redacted(Schema.String),
  formerSecret: Schema.NullOr(Schema.Redacted(Schema.String)),
  formerSecretUntil: Schema.NullOr(Schema.DateTimeUtc),
  createdAt: Schema.DateTimeUtc,
  version: Schema.Int
}) {}

/** Endpoints, by id; `update` succeeds only at the version read and then stores the next one. */
export class WebhookEndpoints extends Context.Service<
  WebhookEndpoints,
  {
    readonly insert: (endpoint: WebhookEndpoint) => Effect.Effect<void, StorageError | AlreadyExists>
    readonly findById: (id: WebhookEndpointId) => Effect.Effect<Option.Option<WebhookEndpoint>, StorageError>
    readonly update: (endpoint: WebhookEndpoint) => Effect.Effect<void, StorageError | StaleWrite>
    /** Whether there was one. */
    readonly remove: (id: WebhookEndpointId) => Effect.Effect<boolean, StorageError>
    /** Oldest first; at most {@link endpointsListedMax}. */
    readonly list: Effect.Effect<ReadonlyArray<WebhookEndpoint>, StorageError>
  }
>()("@pillivery/application/WebhookEndpoints") {}
