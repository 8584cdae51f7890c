/**
 * The contract of `NotificationRepository`.
 *
 * @since 0.1.0
 */
import { assert } from "@effect/vitest"
import type { UserId } from "@pillivery/domain/Ids"
import * as Fixtures from "@pillivery/domain/testing/Fixtures"
import { Effect, Schema } from "effect"
import type { IdGenerator } from "../ports/IdGenerator.ts"
import { Notification, NotificationRepository } from "../ports/NotificationRepository.ts"
import { Transaction } from "../ports/Transaction.ts"
import { failsWith, freshSeed, freshSeeds, law, type Law, sameBy, suiteOf } from "./Law.ts"

/** What the laws of this port need. */
export type Requirements = NotificationRepository | Transaction | IdGenerator

const sameNotification = sameBy(Schema.encodeSync(Schema.toCodecJson(Notification)))
const firstPage = { page: 1, size: 8 }
const rivalsCount = 8

const notification = (userId: UserId, seed: string, minutes = 0) =>
  new Notification({
    id: `${seed}:CycleCharged`,
    userId,
    kind: "CycleCharged",
    korean: "정기배송 18,000원이 결제되었습니다. 🐟",
    english: "Your renewal of 18,000 won was charged.",
    at: Fixtures.later(minutes),
    readAt: null
  })

/** Everything a `NotificationRepository` promises. */
export const laws = (): ReadonlyArray<Law<Requirements>> => [
  law(
    "lists what was inserted, read or not",
    Effect.gen(function* () {
      const notifications = yield* NotificationRepository
      const userId = Fixtures.anyUserId(yield* freshSeed)
      const unread = notification(userId, yield* freshSeed, 1)
      const read = new Notification({ ...notification(userId, yield* freshSeed), readAt: Fixtures.later(9) })
      yield* notifications.insert(unread)
      yield* notifications.insert(read)
      const { data, totalElements } = yield* notifications.listByUser(userId, firstPage)
      assert.strictEqual(totalElements, 2)
      const [first, second] = data
      if (first === undefined || second === undefined) return assert.fail("both are listed")
      sameNotification(first, unread)
      sameNotification(second, read)
    })
  ),

  law(
    "changes nothing when the same id is written again, by whomever at once",
    Effect.gen(function* () {
      const notifications = yield* NotificationRepository
      const userId = Fixtures.anyUserId(yield* freshSeed)
      const first = notification(userId, yield* freshSeed)
      yield* notifications.insert(first)
      yield* Effect.forEach(
        Array.from({ length: rivalsCount }, () =>
          notifications.insert(new Notification({ ...first, korean: "다른 말" }))
        ),
        (insert) => insert,
        { concurrency: "unbounded" }
      )
      const { data } = yield* notifications.listByUser(userId, firstPage)
      assert.deepStrictEqual(
        data.map(({ korean }) => korean),
        [first.korean]
      )
    })
  ),

  law(
    "lists newest first, in pages that neither overlap nor leave out, and no other user's",
    Effect.gen(function* () {
      const notifications = yield* NotificationRepository
      const userId = Fixtures.anyUserId(yield* freshSeed)
      const seeds = yield* freshSeeds(7)
      const all = seeds.map((seed, index) => notification(userId, seed, Math.min(index, 5)))
      yield* Effect.forEach(all, notifications.insert)
      yield* notifications.insert(notification(Fixtures.anyUserId(yield* freshSeed), yield* freshSeed))
      const pages = yield* Effect.forEach([1, 2, 3, 4], (page) => notifications.listByUser(userId, { page, size: 3 }))
      assert.deepStrictEqual(
        pages.map(({ data }) => data.length),
        [3, 3, 1, 0]
      )
      assert.deepStrictEqual(
        pages.map(({ totalElements }) => totalElements),
        [7, 7, 7, 7]
      )
      const listed = pages.flatMap(({ data }) => data)
      assert.deepStrictEqual(new Set(listed.map(({ id }) => id)), new Set(all.map(({ id }) => id)))
      const times = listed.map(({ at }) => at.epochMilliseconds)
      assert.deepStrictEqual(
        times,
        [...times].sort((self, that) => that - self)
      )
    })
  ),

  law(
    "notes when its user read it, the first time, and nobody else's word",
    Effect.gen(function* () {
      const notifications = yield* NotificationRepository
      const userId = Fixtures.anyUserId(yield* freshSeed)
      const one = notification(userId, yield* freshSeed)
      yield* notifications.insert(one)
      assert.isFalse(yield* notifications.markRead(Fixtures.anyUserId(yield* freshSeed), one.id, Fixtures.later(1)))
      assert.isFalse(yield* notifications.markRead(userId, `${one.id}?`, Fixtures.later(1)))
      const readAt = Effect.map(notifications.listByUser(userId, firstPage), ({ data }) =>
        data.map((each) => each.readAt)
      )
      assert.deepStrictEqual(yield* readAt, [null])
      assert.isTrue(yield* notifications.markRead(userId, one.id, Fixtures.later(2)))
      assert.isTrue(yield* notifications.markRead(userId, one.id, Fixtures.later(3)))
      assert.deepStrictEqual(yield* readAt, [Fixtures.later(2)])
    })
  ),

  law(
    "inserts in the transaction around it",
    Effect.gen(function* () {
      const notifications = yield* NotificationRepository
      const { run } = yield* Transaction
      const userId = Fixtures.anyUserId(yield* freshSeed)
      const insert = notifications.insert(notification(userId, yield* freshSeed))
      yield* failsWith("Unwanted", run(Effect.andThen(insert, Effect.fail({ _tag: "Unwanted" as const }))))
      assert.strictEqual((yield* notifications.listByUser(userId, firstPage)).totalElements, 0)
      yield* run(insert)
      assert.strictEqual((yield* notifications.listByUser(userId, firstPage)).totalElements, 1)
    })
  )
]

/** Runs the laws against a layer. */
export const suite = suiteOf<Requirements>("NotificationRepository", laws)
