/**
 * The contract of `MessageQueue`.
 *
 * @since 0.1.0
 */
import { assert } from "@effect/vitest"
import * as DomainEvent from "@pillivery/domain/DomainEvent"
import * as Fixtures from "@pillivery/domain/testing/Fixtures"
import { DateTime, Effect, Schema } from "effect"
import { BusinessClock } from "../ports/BusinessClock.ts"
import type { IdGenerator } from "../ports/IdGenerator.ts"
import { errorLengthMax, type Message, MessageQueue, type Recipient } from "../ports/MessageQueue.ts"
import { Transaction } from "../ports/Transaction.ts"
import { WebhookEndpointId } from "../ports/WebhookEndpoints.ts"
import { failsWith, freshSeed, freshSeeds, law, type Law, sameBy, suiteOf, type Timing } from "./Law.ts"

/** What the laws of this port need. */
export type Requirements = MessageQueue | BusinessClock | Transaction | IdGenerator

const claimMax = 100
const rivalsCount = 8
const idLength = "00000000-0000-7000-8000-000000000000".length

const sameEvent = sameBy(Schema.encodeSync(Schema.toCodecJson(DomainEvent.DomainEvent)))

const paid = (seed: string) =>
  new DomainEvent.OrderPaid({
    eventId: DomainEvent.eventId(`queue/${seed}`, "OrderPaid"),
    at: Fixtures.now,
    orderId: Fixtures.anyOrderId(seed),
    userId: Fixtures.anyUserId(seed),
    attemptId: Fixtures.anyAttemptId(seed),
    amount: Fixtures.won(18_000)
  })

const freshEndpoint = Effect.map(freshSeed, (seed) => WebhookEndpointId.make(seed.slice(-idLength)))
const freshEvent = Effect.map(freshSeed, paid)
const noPage = { page: 1, size: 100 }

/** Everything a `MessageQueue` promises. */
export const laws = ({ leaseMillis, waitFor }: Timing): ReadonlyArray<Law<Requirements>> => {
  const overLease = leaseMillis * 2

  const claim = Effect.fnUntraced(function* (
    recipient: Recipient,
    options: { readonly limit?: number; readonly leaseMillis?: number } = {}
  ) {
    return yield* (yield* MessageQueue).claim({
      recipient,
      owner: "one",
      limit: options.limit ?? claimMax,
      leaseMillis: options.leaseMillis ?? 60_000
    })
  })

  /** One message that was queued and claimed. */
  const claimed = Effect.fnUntraced(function* (options: { readonly leaseMillis?: number } = {}) {
    const [recipient, event] = [yield* freshEndpoint, yield* freshEvent]
    yield* (yield* MessageQueue).queue(event, [recipient])
    const [message] = yield* claim(recipient, options)
    assert.isDefined(message)
    return message
  })

  const recordOf = Effect.fnUntraced(function* ({ event, recipient }: Message) {
    const { data } = yield* (yield* MessageQueue).list(recipient, noPage)
    const record = data.find(({ eventId }) => eventId === event.eventId)
    assert.isDefined(record)
    return record
  })

  return [
    law(
      "hands a message out to whoever asks for its recipient, and to nobody else while it is held",
      Effect.gen(function* () {
        const queue = yield* MessageQueue
        const [one, two, event] = [yield* freshEndpoint, yield* freshEndpoint, yield* freshEvent]
        yield* queue.queue(event, [one, two])
        const [message, ...others] = yield* claim(one)
        assert.deepStrictEqual(others, [])
        assert.deepStrictEqual([message?.recipient, message?.tries], [one, 1])
        sameEvent(message?.event ?? paid(""), event)
        assert.deepStrictEqual(yield* claim(one), [])
        assert.strictEqual((yield* claim(two)).length, 1)
      })
    ),

    law(
      "keeps the e-mail of an event apart from its webhooks",
      Effect.gen(function* () {
        const queue = yield* MessageQueue
        const [endpoint, event] = [yield* freshEndpoint, yield* freshEvent]
        yield* queue.queue(event, ["email", endpoint])
        yield* Effect.flatMap(claim(endpoint), Effect.forEach(queue.complete))
        const mails = yield* queue.list("email", noPage)
        assert.isTrue(mails.data.some(({ eventId, state }) => eventId === event.eventId && state === "pending"))
        yield* queue.replay("email", { _tag: "Failed" })
        yield* Effect.flatMap(claim("email", { leaseMillis }), Effect.forEach(queue.complete))
      })
    ),

    law(
      "changes nothing about a message that is there",
      Effect.gen(function* () {
        const queue = yield* MessageQueue
        const message = yield* claimed()
        yield* queue.complete(message)
        yield* queue.queue(message.event, [message.recipient])
        yield* queue.queue(message.event, [])
        assert.deepStrictEqual(yield* claim(message.recipient), [])
        assert.deepStrictEqual((yield* recordOf(message)).state, "sent")
      })
    ),

    law(
      "queues in the transaction around it",
      Effect.gen(function* () {
        const queue = yield* MessageQueue
        const { run } = yield* Transaction
        const [recipient, event] = [yield* freshEndpoint, yield* freshEvent]
        const unwanted = Effect.andThen(queue.queue(event, [recipient]), Effect.fail({ _tag: "Unwanted" as const }))
        yield* failsWith("Unwanted", run(unwanted))
        assert.deepStrictEqual(yield* claim(recipient), [])
        yield* run(queue.queue(event, [recipient]))
        assert.strictEqual((yield* claim(recipient)).length, 1)
      })
    ),

    law(
      "gives each message to one of many rivals",
      Effect.gen(function* () {
        const queue = yield* MessageQueue
        const recipient = yield* freshEndpoint
        const events = (yield* freshSeeds(rivalsCount * 2)).map(paid)
        yield* Effect.forEach(events, (event) => queue.queue(event, [recipient]))
        const claims = yield* Effect.replicateEffect(claim(recipient, { limit: 3 }), rivalsCount, {
          concurrency: "unbounded"
        })
        const ids = claims.flat().map(({ event }) => event.eventId)
        assert.strictEqual(new Set(ids).size, ids.length)
        assert.isTrue(claims.every((claim) => claim.length <= 3))
        const rest = yield* claim(recipient)
        assert.sameMembers(
          [...ids, ...rest.map(({ event }) => event.eventId)],
          events.map(({ eventId }) => eventId)
        )
      })
    ),

    law(
      "hands out again what was not ended in time, and then takes no word of the claim before",
      Effect.gen(function* () {
        const queue = yield* MessageQueue
        const lost = yield* claimed({ leaseMillis })
        yield* waitFor(overLease)
        const [held] = yield* claim(lost.recipient)
        assert.strictEqual(held?.tries, 2)
        yield* queue.giveUp(lost, "too late")
        yield* queue.retryLater(lost, { delayMillis: 0, error: "too late" })
        assert.deepStrictEqual(yield* claim(lost.recipient), [])
        assert.deepStrictEqual((yield* recordOf(lost)).state, "pending")
      })
    ),

    law(
      "believes a claim that was lost when it says that the message was sent",
      Effect.gen(function* () {
        const queue = yield* MessageQueue
        const lost = yield* claimed({ leaseMillis })
        yield* waitFor(overLease)
        yield* queue.complete(lost)
        assert.deepStrictEqual(yield* claim(lost.recipient), [])
        assert.deepStrictEqual((yield* recordOf(lost)).state, "sent")
      })
    ),

    law(
      "hands out again after the pause that was asked for, and keeps what went wrong",
      Effect.gen(function* () {
        const queue = yield* MessageQueue
        const message = yield* claimed()
        yield* queue.retryLater(message, { delayMillis: leaseMillis, error: `${"가".repeat(errorLengthMax)}나` })
        assert.deepStrictEqual(yield* claim(message.recipient), [])
        const { endedAt, error, state, tries } = yield* recordOf(message)
        assert.deepStrictEqual(
          { endedAt, error, state, tries },
          { endedAt: null, error: "가".repeat(errorLengthMax), state: "pending", tries: 1 }
        )
        yield* waitFor(overLease)
        const [again] = yield* claim(message.recipient)
        assert.strictEqual(again?.tries, 2)
      })
    ),

    law(
      "lists what became of a recipient's messages, newest first",
      Effect.gen(function* () {
        const queue = yield* MessageQueue
        const recipient = yield* freshEndpoint
        const events = (yield* freshSeeds(3)).map(paid)
        for (const event of events) {
          yield* queue.queue(event, [recipient])
          yield* waitFor(10)
        }
        const newestFirst = events.map(({ eventId }) => eventId).toReversed()
        const first = yield* queue.list(recipient, { page: 1, size: 2 })
        const second = yield* queue.list(recipient, { page: 2, size: 2 })
        assert.deepStrictEqual(
          [...first.data, ...second.data].map(({ eventId }) => eventId),
          newestFirst
        )
        assert.deepStrictEqual([first.totalElements, second.totalElements], [3, 3])
        assert.deepStrictEqual(
          first.data.map(({ state, tag, tries }) => ({ state, tag, tries })),
          [
            { state: "pending", tag: "OrderPaid", tries: 0 },
            { state: "pending", tag: "OrderPaid", tries: 0 }
          ]
        )
      })
    ),

    law(
      "counts what waits and what was given up",
      Effect.gen(function* () {
        const queue = yield* MessageQueue
        const message = yield* claimed()
        const countsOf = Effect.map(queue.counts, (counts) =>
          counts.filter(({ recipient }) => recipient === message.recipient)
        )
        assert.deepStrictEqual(yield* countsOf, [{ recipient: message.recipient, pending: 1, failed: 0 }])
        yield* queue.giveUp(message, "gone")
        assert.deepStrictEqual(yield* countsOf, [{ recipient: message.recipient, pending: 0, failed: 1 }])
        yield* queue.replay(message.recipient, { _tag: "Failed" })
        yield* Effect.flatMap(claim(message.recipient), Effect.forEach(queue.complete))
        assert.deepStrictEqual(yield* countsOf, [])
      })
    ),

    law(
      "hands out no more what was given up, until it is replayed",
      Effect.gen(function* () {
        const queue = yield* MessageQueue
        const message = yield* claimed()
        yield* queue.giveUp(message, "410")
        assert.deepStrictEqual(yield* claim(message.recipient), [])
        const record = yield* recordOf(message)
        assert.deepStrictEqual([record.state, record.error], ["failed", "410"])
        assert.isNotNull(record.endedAt)
        assert.strictEqual(yield* queue.replay(message.recipient, { _tag: "Failed" }), 1)
        assert.strictEqual(yield* queue.replay(message.recipient, { _tag: "Failed" }), 0)
        const [again] = yield* claim(message.recipient)
        assert.deepStrictEqual([again?.tries, (yield* recordOf(message)).endedAt], [2, null])
      })
    ),

    law(
      "replays one message, whatever became of it, and leaves alone what waits",
      Effect.gen(function* () {
        const queue = yield* MessageQueue
        const message = yield* claimed()
        const one = { _tag: "One" as const, eventId: message.event.eventId }
        assert.strictEqual(yield* queue.replay(message.recipient, one), 0)
        yield* queue.complete(message)
        assert.strictEqual(yield* queue.replay(yield* freshEndpoint, one), 0)
        assert.strictEqual(yield* queue.replay(message.recipient, one), 1)
        assert.strictEqual((yield* claim(message.recipient)).length, 1)
      })
    ),

    law(
      "replays what was queued since an instant, sent or not",
      Effect.gen(function* () {
        const queue = yield* MessageQueue
        const { databaseNow } = yield* BusinessClock
        const before = yield* claimed()
        yield* queue.complete(before)
        yield* waitFor(20)
        const at = yield* databaseNow
        const after = (yield* freshSeeds(2)).map(paid)
        for (const event of after) yield* queue.queue(event, [before.recipient])
        const [sent, lost] = yield* claim(before.recipient)
        assert.isDefined(sent)
        assert.isDefined(lost)
        yield* queue.complete(sent)
        yield* queue.giveUp(lost, "503")
        assert.strictEqual(yield* queue.replay(before.recipient, { _tag: "Since", at }), 2)
        const again = yield* claim(before.recipient)
        assert.sameMembers(
          again.map(({ event }) => event.eventId),
          after.map(({ eventId }) => eventId)
        )
      })
    ),

    law(
      "forgets what was queued before an instant, in bounded steps",
      Effect.gen(function* () {
        const queue = yield* MessageQueue
        const { databaseNow } = yield* BusinessClock
        const recipient = yield* freshEndpoint
        const events = (yield* freshSeeds(3)).map(paid)
        for (const event of events) yield* queue.queue(event, [recipient])
        yield* waitFor(20)
        const before = DateTime.subtract(yield* databaseNow, { milliseconds: 1 })
        const kept = yield* freshEvent
        yield* queue.queue(kept, [recipient])
        assert.strictEqual(yield* queue.purge(before, 2), 2)
        let purged = 2
        for (let count = purged; count > 0; purged += count) count = yield* queue.purge(before, 2)
        assert.isAtLeast(purged, events.length)
        const { data } = yield* queue.list(recipient, noPage)
        assert.deepStrictEqual(
          data.map(({ eventId }) => eventId),
          [kept.eventId]
        )
      })
    )
  ]
}

/** Runs the laws against a layer. */
export const suite = suiteOf<Requirements>("MessageQueue", laws)
