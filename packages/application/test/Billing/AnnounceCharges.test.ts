import { assert, describe, it } from "@effect/vitest"
import { announceCharges, announcedDays } from "@pillivery/application/Billing/AnnounceCharges"
import { drain } from "@pillivery/application/Events/Relay"
import { ItemRepository } from "@pillivery/application/ports/ItemRepository"
import { NotificationRepository } from "@pillivery/application/ports/NotificationRepository"
import { postponeDelivery, skipDelivery } from "@pillivery/application/Subscriptions/ChangeSubscription"
import type { UserId } from "@pillivery/domain/Ids"
import { Effect } from "effect"
import * as World from "../World.ts"

const announcements = Effect.fnUntraced(function* (userId: UserId) {
  yield* World.withTime(drain())
  const all = yield* (yield* NotificationRepository).listByUser(userId, { page: 1, size: 100 })
  return all.data.filter(({ kind }) => kind === "ChargeUpcoming").map(({ english }) => english)
})

const bought = Effect.gen(function* () {
  yield* World.begin
  const { subscription } = yield* World.subscribe({ period: 30, price: 12_000 })
  return { subscriptionId: subscription.id, userId: subscription.userId }
})

const sentence = (on: string) =>
  `Your renewal of 12,000 won will be charged on ${on}. Until then you can change or skip it.`

describe("announceCharges", () => {
  it.effect("tells a customer once, some days before, what will be charged and when", () =>
    Effect.gen(function* () {
      const { userId } = yield* bought
      yield* World.passDays(30 - announcedDays - 1)
      assert.strictEqual(yield* announceCharges(), 0)
      for (let day = announcedDays; day > 0; day--) {
        yield* World.passDays(1)
        assert.strictEqual(yield* announceCharges(), 1, `${day} days before`)
        yield* announceCharges()
        assert.deepStrictEqual(yield* announcements(userId), [sentence("2026-12-23")])
      }
      yield* World.passDays(1)
      assert.strictEqual(yield* announceCharges(), 0)
      assert.strictEqual((yield* World.run).counts.charged, 1)
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("tells everybody else when one cycle cannot be read", () =>
    Effect.gen(function* () {
      yield* World.begin
      const { subscription: broken } = yield* World.subscribe({ period: 30, price: 12_000 })
      const { subscription: whole } = yield* World.subscribe({ period: 30, price: 12_000 })
      yield* World.passDays(28)
      const items = yield* ItemRepository
      const announced = yield* announceCharges().pipe(
        Effect.provideService(ItemRepository, {
          ...items,
          findById: (id) => (id === broken.itemId ? Effect.die(new Error("it does not decode")) : items.findById(id))
        })
      )
      assert.strictEqual(announced, 1)
      assert.deepStrictEqual(yield* announcements(whole.userId), [sentence("2026-12-23")])
      assert.deepStrictEqual(yield* announcements(broken.userId), [])
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("tells again of a delivery that was moved, and nothing of one that was skipped", () =>
    Effect.gen(function* () {
      const mine = yield* bought
      yield* World.passDays(28)
      yield* announceCharges()
      yield* postponeDelivery({ ...mine, days: 10 })
      assert.strictEqual(yield* announceCharges(), 0)
      yield* World.passDays(10)
      yield* announceCharges()
      assert.deepStrictEqual(yield* announcements(mine.userId), [sentence("2027-01-02"), sentence("2026-12-23")])
      yield* skipDelivery(mine)
      assert.strictEqual(yield* announceCharges(), 0)
    }).pipe(Effect.provide(World.layer))
  )
})
