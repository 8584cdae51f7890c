import { assert, describe, it } from "@effect/vitest"
import { drain } from "@pillivery/application/Events/Relay"
import { approvePayment } from "@pillivery/application/Payments/ApprovePayment"
import { BillingKeyRepository } from "@pillivery/application/ports/BillingKeyRepository"
import { NotificationRepository } from "@pillivery/application/ports/NotificationRepository"
import { awaitKeys } from "@pillivery/application/Subscriptions/AwaitKeys"
import { cancelSubscription } from "@pillivery/application/Subscriptions/CancelSubscription"
import { requestBillingKey } from "@pillivery/application/Subscriptions/RegisterBillingKey"
import { MemoryProvider } from "@pillivery/application/testing/MemoryProvider"
import type { SubscriptionId, UserId } from "@pillivery/domain/Ids"
import { Effect, Option } from "effect"
import * as World from "../World.ts"

/** A subscription whose first payment was found by a lookup, which tells no billing key. */
const subscribeKeyless = Effect.gen(function* () {
  const order = yield* World.placeOrder([{ price: 30_000, period: 30 }])
  const { attemptId, token } = yield* World.prepareApproval(order)
  yield* (yield* MemoryProvider).next({ _tag: "LoseAnswer" })
  yield* Effect.flip(approvePayment(attemptId, token))
  yield* World.withTime(approvePayment(attemptId, token))
  const { subscription } = yield* World.subscriptionOf(order)
  yield* World.withTime(drain())
  return { subscriptionId: subscription.id, userId: subscription.userId }
})

const told = Effect.fnUntraced(function* (userId: UserId, kind: string) {
  yield* World.withTime(drain())
  const all = yield* (yield* NotificationRepository).listByUser(userId, { page: 1, size: 100 })
  return all.data.filter((one) => one.kind === kind).length
})

const pendingKeyOf = Effect.fnUntraced(function* (id: SubscriptionId) {
  const { subscription } = yield* World.read(id)
  if (subscription._tag !== "AwaitingBillingKey" || subscription.pendingBillingKeyId === null) {
    return yield* Effect.die("no registration was prepared")
  }
  return subscription.pendingBillingKeyId
})

describe("awaitKeys", () => {
  it.effect("reminds on the days of the policy, once each, and cancels after the last", () =>
    Effect.gen(function* () {
      yield* World.begin
      const { subscriptionId, userId } = yield* subscribeKeyless
      assert.strictEqual(yield* told(userId, "BillingKeyRegistrationRequested"), 1)
      const reminders: Array<number> = []
      for (let day = 1; day < 14; day++) {
        yield* World.passDays(1)
        yield* awaitKeys()
        yield* awaitKeys()
        const before = 1 + reminders.length
        if ((yield* told(userId, "BillingKeyRegistrationRequested")) > before) reminders.push(day)
      }
      assert.deepStrictEqual(reminders, [3, 7, 12])
      assert.strictEqual((yield* World.read(subscriptionId)).subscription._tag, "AwaitingBillingKey")
      const keyId = yield* pendingKeyOf(subscriptionId)
      yield* World.passDays(1)
      assert.deepStrictEqual(yield* awaitKeys(), { reminded: 0, cancelled: 1 })
      assert.deepStrictEqual(yield* awaitKeys(), { reminded: 0, cancelled: 0 })
      const after = yield* World.read(subscriptionId)
      assert.isTrue(after.subscription._tag === "Cancelled" && after.subscription.reason === "noBillingKey")
      assert.strictEqual(after.cycle._tag, "Abandoned")
      assert.strictEqual(Option.getOrThrow(yield* (yield* BillingKeyRepository).findById(keyId)).liveUses, 0)
      assert.strictEqual(yield* told(userId, "SubscriptionCancelled"), 1)
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("is part of a run", () =>
    Effect.gen(function* () {
      yield* World.begin
      const { subscriptionId } = yield* subscribeKeyless
      yield* World.passDays(14)
      yield* World.run
      assert.strictEqual((yield* World.read(subscriptionId)).subscription._tag, "Cancelled")
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("leaves a subscription alone whose customer registered a key", () =>
    Effect.gen(function* () {
      yield* World.begin
      const owner = yield* subscribeKeyless
      const waiting = yield* requestBillingKey(owner)
      yield* approvePayment(waiting.id, yield* (yield* MemoryProvider).approveAsCustomer(waiting.transactionId))
      yield* World.passDays(14)
      assert.deepStrictEqual(yield* awaitKeys(), { reminded: 0, cancelled: 0 })
      const kept = yield* cancelSubscription({ ...owner, reason: "noBillingKey", onlyFrom: "AwaitingBillingKey" })
      assert.strictEqual(kept.subscription._tag, "Active")
      assert.strictEqual((yield* World.read(owner.subscriptionId)).subscription._tag, "Active")
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("gives back a key that is registered after the subscription ended", () =>
    Effect.gen(function* () {
      yield* World.begin
      const owner = yield* subscribeKeyless
      const waiting = yield* requestBillingKey(owner)
      const keyId = yield* pendingKeyOf(owner.subscriptionId)
      yield* cancelSubscription({ ...owner, reason: "owner" })
      yield* approvePayment(waiting.id, yield* (yield* MemoryProvider).approveAsCustomer(waiting.transactionId))
      yield* World.withTime(drain())
      const key = Option.getOrThrow(yield* (yield* BillingKeyRepository).findById(keyId))
      assert.deepStrictEqual([key._tag, key.liveUses], ["Retired", 0])
    }).pipe(Effect.provide(World.layer))
  )
})
