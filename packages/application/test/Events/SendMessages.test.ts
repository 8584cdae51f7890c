import { assert, describe, it } from "@effect/vitest"
import * as MemoryMailer from "@pillivery/adapters-memory/Mailer"
import { handleEvent } from "@pillivery/application/Events/HandleEvent"
import { drain } from "@pillivery/application/Events/Relay"
import {
  claimSize,
  keptDays,
  leaseMillis,
  purgeMessages,
  retrySeconds,
  sendMessages
} from "@pillivery/application/Events/SendMessages"
import { Mailer, MailFailed } from "@pillivery/application/ports/Mailer"
import { MessageQueue } from "@pillivery/application/ports/MessageQueue"
import { Delivery, Outbox } from "@pillivery/application/ports/Outbox"
import { UserRepository } from "@pillivery/application/ports/UserRepository"
import type { ToldTag, WebhookEndpointId, WebhookEndpoints } from "@pillivery/application/ports/WebhookEndpoints"
import { type WebhookCall, WebhookFailed, WebhookSender } from "@pillivery/application/ports/WebhookSender"
import {
  changeEndpoint,
  formerSecretHours,
  registerEndpoint,
  removeEndpoint,
  rotateSecret
} from "@pillivery/application/Webhooks/Endpoints"
import * as DomainEvent from "@pillivery/domain/DomainEvent"
import * as User from "@pillivery/domain/User"
import * as Fixtures from "@pillivery/domain/testing/Fixtures"
import { Context, Effect, Layer, Option, Redacted, Result } from "effect"
import { TestClock } from "effect/testing"
import * as World from "../World.ts"

/** What was called, and what the endpoints answer from now on. */
class Calls extends Context.Service<
  Calls,
  { readonly made: Array<WebhookCall>; refusal: WebhookFailed | null; onCall: Effect.Effect<void> }
>()("Calls") {}

const sender = Layer.effect(
  WebhookSender,
  Effect.map(Calls, (calls) => {
    let secrets = 0
    return WebhookSender.of({
      check: () => Effect.void,
      newSecret: Effect.sync(() => Redacted.make(`secret ${++secrets}`)),
      send: (call) =>
        Effect.suspend(() => {
          calls.made.push(call)
          return Effect.andThen(calls.onCall, calls.refusal === null ? Effect.void : Effect.fail(calls.refusal))
        })
    })
  })
).pipe(Layer.provideMerge(Layer.sync(Calls, () => ({ made: [], refusal: null, onCall: Effect.void }))))

const layer = Layer.provideMerge(sender, World.layer)
/** Without e-mail, so that only webhooks are counted. */
const layerWithoutMail = Layer.merge(layer, MemoryMailer.layerNone)

const paid = (seed: number, userId = Fixtures.anyUserId(seed)) =>
  new DomainEvent.OrderPaid({
    eventId: DomainEvent.eventId(`test/${seed}`, "OrderPaid"),
    at: World.startedAt,
    orderId: Fixtures.anyOrderId(seed),
    userId,
    attemptId: Fixtures.anyAttemptId(seed),
    amount: Fixtures.won(18_000)
  })

const tell = Effect.fnUntraced(function* (event: DomainEvent.DomainEvent) {
  yield* (yield* Outbox).publish([event])
  yield* World.withTime(drain())
})

const endpointFor = (...tags: ReadonlyArray<ToldTag>) =>
  registerEndpoint({ url: "https://erp.example.com/hooks", description: "", tags })

const stateOf = Effect.fnUntraced(function* (recipient: "email" | WebhookEndpointId) {
  const { data } = yield* (yield* MessageQueue).list(recipient, { page: 1, size: 100 })
  return data.map(({ state, tries }) => [state, tries])
})

const customer = Effect.gen(function* () {
  yield* World.begin
  const user = Fixtures.user()
  yield* (yield* UserRepository).insert(user, null)
  return user
})

describe("an event that a customer should know", () => {
  it.effect("becomes one e-mail in both languages, whose id is the event's", () =>
    Effect.gen(function* () {
      const user = yield* customer
      const event = paid(1, user.id)
      yield* tell(event)
      yield* sendMessages()
      // Delivered twice, it is told once.
      yield* handleEvent(new Delivery({ eventId: event.eventId, consumer: "notification", event, tries: 2 }))
      yield* sendMessages()
      const mails = yield* (yield* MemoryMailer.SentMails).mails
      assert.deepStrictEqual(
        mails.map(({ id, subject, text, to }) => ({ id, subject, text, to })),
        [
          {
            id: event.eventId,
            to: user.email,
            subject: "[Pillivery] 주문이 결제되었습니다. 결제 금액 18,000원",
            text: "주문이 결제되었습니다. 결제 금액 18,000원\n\nYour order was paid: 18,000 won.\n\nPillivery\n"
          }
        ]
      )
      assert.deepStrictEqual(yield* stateOf("email"), [["sent", 1]])
    }).pipe(Effect.provide(layer))
  )

  it.effect("is not sent to a user who left, nor to one there never was", () =>
    Effect.gen(function* () {
      const user = yield* customer
      yield* tell(paid(1, user.id))
      yield* tell(paid(2))
      const users = yield* UserRepository
      const found = Option.getOrThrow(yield* users.findById(user.id))
      if (found._tag !== "Active") return assert.fail("the user is there")
      yield* users.update(Result.getOrThrow(User.withdraw(found, Fixtures.later(1))))
      yield* sendMessages()
      assert.deepStrictEqual(yield* (yield* MemoryMailer.SentMails).mails, [])
      assert.strictEqual(yield* sendMessages(), 0)
    }).pipe(Effect.provide(layer))
  )

  it.effect("queues no e-mail where none can be sent", () =>
    Effect.gen(function* () {
      const user = yield* customer
      yield* Effect.provide(tell(paid(1, user.id)), MemoryMailer.layerNone)
      assert.deepStrictEqual(yield* stateOf("email"), [])
    }).pipe(Effect.provide(layer))
  )

  it.effect("is given up at once when its e-mail can never be taken", () =>
    Effect.gen(function* () {
      const user = yield* customer
      yield* tell(paid(1, user.id))
      const refusing = Layer.succeed(Mailer, {
        isOn: true,
        send: () => Effect.fail(new MailFailed({ detail: "550 no such mailbox", isRetryable: false }))
      })
      yield* Effect.provide(sendMessages(), refusing)
      assert.deepStrictEqual(yield* stateOf("email"), [["failed", 1]])
    }).pipe(Effect.provide(layer))
  )
})

describe("an event that an endpoint asked for", () => {
  it.effect("is sent to those who asked for its kind, and holds nothing about a person", () =>
    Effect.gen(function* () {
      yield* World.begin
      yield* endpointFor("OrderPaid", "CycleCharged")
      const other = yield* endpointFor("RefundCompleted")
      const event = paid(1)
      yield* tell(event)
      yield* sendMessages()
      const { made } = yield* Calls
      assert.deepStrictEqual(
        made.map(({ body, id, url }) => ({ body: JSON.parse(body), id, url })),
        [
          {
            id: event.eventId,
            url: "https://erp.example.com/hooks",
            body: {
              type: "OrderPaid",
              timestamp: "2026-11-23T01:00:00.000Z",
              data: {
                eventId: event.eventId,
                orderId: event.orderId,
                userId: event.userId,
                attemptId: event.attemptId,
                amount: 18_000
              }
            }
          }
        ]
      )
      assert.deepStrictEqual(yield* stateOf(other.id), [])
    }).pipe(Effect.provide(layerWithoutMail))
  )

  it.effect("is tried again along the ladder, and in the end waits for a person", () =>
    Effect.gen(function* () {
      yield* World.begin
      const { id } = yield* endpointFor("OrderPaid")
      const calls = yield* Calls
      calls.refusal = new WebhookFailed({ detail: "503", isRetryable: true })
      yield* tell(paid(1))
      yield* sendMessages()
      for (const seconds of retrySeconds) {
        yield* TestClock.adjust(`${seconds - 1} seconds`)
        assert.strictEqual(yield* sendMessages(), 0)
        yield* TestClock.adjust("1 second")
        assert.strictEqual(yield* sendMessages(), 1)
      }
      assert.deepStrictEqual(yield* stateOf(id), [["failed", retrySeconds.length + 1]])
      yield* TestClock.adjust("2 days")
      assert.strictEqual(yield* sendMessages(), 0)
      assert.strictEqual(new Set(calls.made.map(({ body }) => body)).size, 1)
    }).pipe(Effect.provide(layerWithoutMail))
  )

  it.effect("comes at last when the server that had it died", () =>
    Effect.gen(function* () {
      yield* World.begin
      const { id } = yield* endpointFor("OrderPaid")
      yield* tell(paid(1))
      yield* (yield* MessageQueue).claim({ recipient: id, owner: "dead", limit: claimSize, leaseMillis })
      assert.strictEqual(yield* sendMessages(), 0)
      yield* TestClock.adjust(leaseMillis)
      assert.strictEqual(yield* sendMessages(), 1)
    }).pipe(Effect.provide(layerWithoutMail))
  )

  it.effect("waits while the endpoint is paused, and is not sent to one that was removed", () =>
    Effect.gen(function* () {
      yield* World.begin
      const paused = yield* endpointFor("OrderPaid")
      const removed = yield* endpointFor("OrderPaid")
      yield* tell(paid(1))
      yield* changeEndpoint(paused.id, { isActive: false })
      yield* removeEndpoint(removed.id)
      // What happens during a pause is not told afterwards.
      yield* tell(paid(2))
      assert.strictEqual(yield* sendMessages(), 0)
      yield* changeEndpoint(paused.id, { isActive: true, url: "https://other.example.com/" })
      assert.strictEqual(yield* sendMessages(), 1)
      const { made } = yield* Calls
      assert.deepStrictEqual(
        made.map(({ id, url }) => [id, url]),
        [[paid(1).eventId, "https://other.example.com/"]]
      )
    }).pipe(Effect.provide(layerWithoutMail))
  )

  it.effect("stops at an endpoint that is paused while many messages are sent to it", () =>
    Effect.gen(function* () {
      yield* World.begin
      const { id } = yield* endpointFor("OrderPaid")
      const count = claimSize * 3
      for (let seed = 0; seed < count; seed++) yield* (yield* MessageQueue).queue(paid(seed), [id])
      const services = yield* Effect.context<WebhookEndpoints | WebhookSender>()
      const calls = yield* Calls
      calls.onCall = changeEndpoint(id, { isActive: false }).pipe(Effect.orDie, Effect.provideContext(services))
      assert.strictEqual(yield* sendMessages(), claimSize)
      assert.strictEqual((yield* stateOf(id)).filter(([state]) => state === "pending").length, count - claimSize)
      calls.onCall = Effect.void
      yield* changeEndpoint(id, { isActive: true })
      assert.strictEqual(yield* sendMessages(), count - claimSize)
    }).pipe(Effect.provide(layerWithoutMail))
  )

  it.effect("is signed with the former secret too for a day after a new one was made", () =>
    Effect.gen(function* () {
      yield* World.begin
      const { id } = yield* endpointFor("OrderPaid")
      yield* rotateSecret(id)
      const { made } = yield* Calls
      const secrets = () => made.map((call) => call.secrets.map(Redacted.value))
      yield* tell(paid(1))
      yield* sendMessages()
      yield* TestClock.adjust(`${formerSecretHours} hours`)
      yield* tell(paid(2))
      yield* sendMessages()
      assert.deepStrictEqual(secrets(), [["secret 2", "secret 1"], ["secret 2"]])
    }).pipe(Effect.provide(layerWithoutMail))
  )

  it.effect("is forgotten after a month", () =>
    Effect.gen(function* () {
      yield* World.begin
      const { id } = yield* endpointFor("OrderPaid")
      yield* tell(paid(1))
      yield* sendMessages()
      yield* World.passDays(keptDays)
      assert.strictEqual(yield* purgeMessages(), 0)
      yield* World.passDays(1)
      assert.strictEqual(yield* purgeMessages(), 1)
      assert.deepStrictEqual(yield* stateOf(id), [])
    }).pipe(Effect.provide(layerWithoutMail))
  )
})
