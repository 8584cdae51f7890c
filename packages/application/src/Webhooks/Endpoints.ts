/**
 * Where other systems are told of events: registering, changing and removing endpoints, and sending messages again.
 *
 * @since 0.1.0
 */
import { DateTime, Effect, Option, type Redacted, Schema } from "effect"
import { BusinessClock } from "../ports/BusinessClock.ts"
import { IdGenerator } from "../ports/IdGenerator.ts"
import { MessageQueue, type Replayed } from "../ports/MessageQueue.ts"
import type { PageRequest } from "../ports/Page.ts"
import {
  endpointsMax,
  type ToldTag,
  WebhookEndpoint,
  WebhookEndpointId,
  WebhookEndpoints
} from "../ports/WebhookEndpoints.ts"
import { WebhookSender } from "../ports/WebhookSender.ts"
import { retryStale } from "../StaleRetry.ts"

/** How long messages are signed with the former secret too, in hours. */
export const formerSecretHours = 24

/** There is no such endpoint. */
export class WebhookEndpointNotFound extends Schema.TaggedError<WebhookEndpointNotFound>(
  "@pillivery/application/Webhooks/WebhookEndpointNotFound"
)("WebhookEndpointNotFound", { endpointId: WebhookEndpointId }) {
  override get message() {
    return `there is no webhook endpoint ${this.endpointId}`
  }
}

/** There are as many endpoints as there may be. */
export class TooManyEndpoints extends Schema.TaggedError<TooManyEndpoints>(
  "@pillivery/application/Webhooks/TooManyEndpoints"
)("TooManyEndpoints", { max: Schema.Int }) {
  override get message() {
    return `there are ${this.max} webhook endpoints already`
  }
}

/** What an endpoint is to be told, and where. */
export interface EndpointChanges {
  readonly url?: string
  readonly description?: string
  readonly tags?: ReadonlyArray<ToldTag>
  readonly isActive?: boolean
}

/** Registers an endpoint; the secret in the answer is shown here and nowhere else. */
export const registerEndpoint = Effect.fn("registerEndpoint")(function* (
  wanted: Required<Pick<EndpointChanges, "url" | "description" | "tags">>
) {
  const endpoints = yield* WebhookEndpoints
  const sender = yield* WebhookSender
  yield* sender.check(wanted.url)
  if ((yield* endpoints.list).length >= endpointsMax) return yield* new TooManyEndpoints({ max: endpointsMax })
  const endpoint = new WebhookEndpoint({
    ...wanted,
    tags: [...new Set(wanted.tags)],
    id: WebhookEndpointId.make(yield* (yield* IdGenerator).next),
    isActive: true,
    secret: yield* sender.newSecret,
    formerSecret: null,
    formerSecretUntil: null,
    createdAt: yield* (yield* BusinessClock).now,
    version: 0
  })
  // The id is new.
  yield* endpoints.insert(endpoint).pipe(Effect.catchTag("AlreadyExists", Effect.die))
  return endpoint
})

/** All endpoints, oldest first. */
export const listEndpoints = Effect.flatMap(WebhookEndpoints, ({ list }) => list)

/** One endpoint. */
export const getEndpoint = Effect.fn("getEndpoint")(function* (endpointId: WebhookEndpointId) {
  const found = yield* (yield* WebhookEndpoints).findById(endpointId)
  return Option.isSome(found) ? found.value : yield* new WebhookEndpointNotFound({ endpointId })
})

const change = Effect.fnUntraced(function* (
  endpointId: WebhookEndpointId,
  f: (endpoint: WebhookEndpoint) => Partial<WebhookEndpoint>
) {
  const endpoints = yield* WebhookEndpoints
  return yield* retryStale(
    Effect.gen(function* () {
      const endpoint = yield* getEndpoint(endpointId)
      const changed = new WebhookEndpoint({ ...endpoint, ...f(endpoint) })
      yield* endpoints.update(changed)
      return changed
    })
    // Administrators do not race each other that often.
  ).pipe(Effect.catchTag("StaleWrite", Effect.die))
})

/** Changes what is named of an endpoint. Messages that wait go to its new address. */
export const changeEndpoint = Effect.fn("changeEndpoint")(function* (
  endpointId: WebhookEndpointId,
  { tags, ...changes }: EndpointChanges
) {
  if (changes.url !== undefined) yield* (yield* WebhookSender).check(changes.url)
  return yield* change(endpointId, () => ({ ...changes, ...(tags === undefined ? {} : { tags: [...new Set(tags)] }) }))
})

/** Gives an endpoint a new secret; the one before it still signs along for {@link formerSecretHours}. */
export const rotateSecret = Effect.fn("rotateSecret")(function* (endpointId: WebhookEndpointId) {
  const now = yield* (yield* BusinessClock).now
  const secret: Redacted.Redacted = yield* (yield* WebhookSender).newSecret
  return yield* change(endpointId, (endpoint) => ({
    secret,
    formerSecret: endpoint.secret,
    formerSecretUntil: DateTime.add(now, { hours: formerSecretHours })
  }))
})

/** Removes an endpoint; what was on its way to it is sent no more. */
export const removeEndpoint = Effect.fn("removeEndpoint")(function* (endpointId: WebhookEndpointId) {
  const isRemoved = yield* (yield* WebhookEndpoints).remove(endpointId)
  if (!isRemoved) return yield* new WebhookEndpointNotFound({ endpointId })
})

/** What became of the messages to an endpoint, newest first. */
export const listMessages = Effect.fn("listMessages")(function* (endpointId: WebhookEndpointId, page: PageRequest) {
  yield* getEndpoint(endpointId)
  return yield* (yield* MessageQueue).list(endpointId, page)
})

/** Has messages to an endpoint sent once more; answers how many. */
export const replayMessages = Effect.fn("replayMessages")(function* (endpointId: WebhookEndpointId, which: Replayed) {
  yield* getEndpoint(endpointId)
  return yield* (yield* MessageQueue).replay(endpointId, which)
})
