/**
 * Sending messages: every server takes what is due to a recipient, sends it, and notes how it went.
 *
 * Each recipient is served apart from the others, so that one who does not answer keeps nobody waiting.
 *
 * @since 0.1.0
 */
import { Cause, DateTime, Effect, Option } from "effect"
import { ProtocolSettings } from "../Payments/ProtocolSettings.ts"
import { BusinessClock } from "../ports/BusinessClock.ts"
import { Mail, Mailer, MailFailed } from "../ports/Mailer.ts"
import { type Message, MessageQueue, type Recipient } from "../ports/MessageQueue.ts"
import { UserRepository } from "../ports/UserRepository.ts"
import { type WebhookEndpoint, type WebhookEndpointId, WebhookEndpoints } from "../ports/WebhookEndpoints.ts"
import { WebhookFailed, WebhookSender } from "../ports/WebhookSender.ts"
import { bodyOf } from "../Webhooks/Payload.ts"
import { mailOf, textOf } from "./NotificationText.ts"

/** Messages of one recipient taken at once. */
export const claimSize = 20
/** Messages of one recipient sent at once. */
export const concurrency = 4
/** How long a claimed message is kept from others, in milliseconds: longer than all of them take to fail. */
export const leaseMillis = 600_000
/** Claims of one recipient after which the next pass goes on. */
export const roundsMax = 500
/** The pauses before the second and every further try, in seconds; after the last one a message is given up. */
export const retrySeconds = [5, 60, 300, 1_800, 7_200, 21_600, 43_200, 86_400, 86_400] as const
/** How long messages are kept, in days: longer than the last try takes to come. */
export const keptDays = 30
/** Messages forgotten in one statement. */
export const purgeSize = 1_000
/** Statements of one pass that forgets. */
export const purgeRoundsMax = 1_000

const secondMillis = 1_000

/** Everybody to whom messages are sent now. */
export const activeRecipients = Effect.gen(function* () {
  const endpoints = yield* (yield* WebhookEndpoints).list
  const { isOn } = yield* Mailer
  const active: ReadonlyArray<Recipient> = endpoints.filter(({ isActive }) => isActive).map(({ id }) => id)
  return isOn ? (["email", ...active] satisfies ReadonlyArray<Recipient>) : active
})

/** Sends what is due to a recipient until nothing is; answers how many messages were tried. */
export const sendTo = Effect.fn("sendTo")(function* (recipient: Recipient) {
  const queue = yield* MessageQueue
  const { owner } = yield* ProtocolSettings
  let tried = 0
  for (let round = 0; round < roundsMax; round++) {
    // Read before each claim: who was paused, moved or removed meanwhile is told nothing more there.
    const endpoint = recipient === "email" ? null : yield* activeEndpoint(recipient)
    if (recipient !== "email" && endpoint === null) break
    const messages = yield* queue.claim({ recipient, owner, limit: claimSize, leaseMillis })
    yield* Effect.forEach(messages, (message) => attempt(message, endpoint), { concurrency, discard: true })
    tried += messages.length
    if (messages.length < claimSize) break
  }
  return tried
})

/** Sends what is due to everybody; answers how many messages were tried. */
export const sendMessages = Effect.fn("sendMessages")(function* () {
  const tried = yield* Effect.forEach(yield* activeRecipients, sendTo, { concurrency: "unbounded" })
  return tried.reduce((total, count) => total + count, 0)
})

/** Forgets messages that are older than {@link keptDays}. */
export const purgeMessages = Effect.fn("purgeMessages")(function* () {
  const queue = yield* MessageQueue
  const before = DateTime.subtract(yield* (yield* BusinessClock).databaseNow, { days: keptDays })
  let purged = 0
  for (let round = 0; round < purgeRoundsMax; round++) {
    const count = yield* queue.purge(before, purgeSize)
    purged += count
    if (count < purgeSize) break
  }
  return purged
})

const activeEndpoint = Effect.fnUntraced(function* (id: WebhookEndpointId) {
  const endpoint = Option.getOrNull(yield* (yield* WebhookEndpoints).findById(id))
  return endpoint?.isActive === true ? endpoint : null
})

const send = Effect.fnUntraced(function* (message: Message, endpoint: WebhookEndpoint | null) {
  if (endpoint === null) yield* sendMail(message)
  else yield* callEndpoint(message, endpoint)
})

const attempt = Effect.fnUntraced(function* (message: Message, endpoint: WebhookEndpoint | null) {
  const queue = yield* MessageQueue
  yield* send(message, endpoint).pipe(
    Effect.matchCauseEffect({
      onSuccess: () => queue.complete(message),
      onFailure: (cause) => fail(message, cause)
    }),
    Effect.catchTag("StorageError", (error) =>
      // The lease runs out and the message is handed out again.
      Effect.logWarning("What became of a message could not be noted", error)
    )
  )
})

// Whoever left meanwhile is told nothing more.
const sendMail = Effect.fnUntraced(function* ({ event }: Message) {
  const text = textOf(event)
  const user = Option.getOrNull(yield* (yield* UserRepository).findById(event.userId))
  if (text === null || user?._tag !== "Active") return
  yield* (yield* Mailer).send(new Mail({ id: event.eventId, to: user.email, ...mailOf(text) }))
})

const callEndpoint = Effect.fnUntraced(function* ({ event }: Message, endpoint: WebhookEndpoint) {
  const now = yield* (yield* BusinessClock).now
  yield* (yield* WebhookSender).send({
    url: endpoint.url,
    id: event.eventId,
    body: bodyOf(event),
    secrets: secretsOf(endpoint, now)
  })
})

const secretsOf = ({ formerSecret, formerSecretUntil, secret }: WebhookEndpoint, now: DateTime.Utc) =>
  formerSecret !== null && formerSecretUntil !== null && DateTime.isGreaterThan(formerSecretUntil, now)
    ? [secret, formerSecret]
    : [secret]

const fail = Effect.fnUntraced(function* (message: Message, cause: Cause.Cause<unknown>) {
  const queue = yield* MessageQueue
  const error = Cause.squash(cause)
  const isKnown = error instanceof MailFailed || error instanceof WebhookFailed
  const detail = isKnown ? error.detail : Cause.pretty(cause)
  const annotated = Effect.annotateLogs({
    recipient: message.recipient,
    eventId: message.event.eventId,
    tries: message.tries,
    error: detail
  })
  const delaySeconds = isKnown && !error.isRetryable ? undefined : retrySeconds[message.tries - 1]
  if (delaySeconds === undefined) {
    yield* Effect.logError("A message was given up").pipe(annotated)
    return yield* queue.giveUp(message, detail)
  }
  yield* Effect.logWarning("A message was not taken and is sent again later").pipe(annotated)
  yield* queue.retryLater(message, { delayMillis: delaySeconds * secondMillis, error: detail })
})
