import { assert, describe, it } from "@effect/vitest"
import { askForBaseline, planCycle, sendCharge } from "@pillivery/application/Billing/ChargeCycle"
import { drain } from "@pillivery/application/Events/Relay"
import { BusinessClock } from "@pillivery/application/ports/BusinessClock"
import { NotificationRepository } from "@pillivery/application/ports/NotificationRepository"
import {
  changeSubscription,
  pauseSubscription,
  postponeDelivery,
  resumeSubscription,
  skipDelivery
} from "@pillivery/application/Subscriptions/ChangeSubscription"
import { cancelSubscription } from "@pillivery/application/Subscriptions/CancelSubscription"
import { resumePaused } from "@pillivery/application/Subscriptions/ResumePaused"
import { failsWith } from "@pillivery/application/testing/Law"
import { MemoryProvider } from "@pillivery/application/testing/MemoryProvider"
import * as BusinessDate from "@pillivery/domain/BusinessDate"
import { DeliveryPeriod } from "@pillivery/domain/DeliveryPeriod"
import type { SubscriptionId } from "@pillivery/domain/Ids"
import { Quantity } from "@pillivery/domain/Quantity"
import * as Fixtures from "@pillivery/domain/testing/Fixtures"
import { Effect } from "effect"
import * as World from "../World.ts"

const today = Effect.flatMap(BusinessClock, (clock) => Effect.map(clock.now, BusinessDate.fromInstant))
const day = Fixtures.day

/** A subscription bought on 23 November whose first delivery is due on 23 December. */
const bought = Effect.gen(function* () {
  yield* World.begin
  const { subscription } = yield* World.subscribe({ price: 10_000, period: 30 })
  return { subscriptionId: subscription.id, userId: subscription.userId }
})

const cyclesOf = (id: SubscriptionId) =>
  Effect.map(World.read(id), ({ cycles }) => cycles.map((cycle) => [cycle.number, cycle._tag, cycle.dueDate]))

describe("an owner's command", () => {
  it.effect("skips the next delivery, twice in a row at most", () =>
    Effect.gen(function* () {
      const mine = yield* bought
      const { openCycle } = yield* skipDelivery(mine)
      assert.deepStrictEqual([openCycle?.number, openCycle?.dueDate], [2, day("2027-01-22")])
      yield* skipDelivery(mine)
      yield* failsWith("SkipLimitReached", skipDelivery(mine))
      assert.deepStrictEqual(yield* cyclesOf(mine.subscriptionId), [
        [3, "Due", day("2027-02-21")],
        [2, "Skipped", day("2027-01-22")],
        [1, "Skipped", day("2026-12-23")]
      ])
      yield* World.passDays(30)
      assert.strictEqual((yield* World.run).counts.charged, 0)
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("postpones the next delivery and none after it", () =>
    Effect.gen(function* () {
      const mine = yield* bought
      yield* postponeDelivery({ ...mine, days: 5 })
      yield* World.passDays(30)
      assert.strictEqual((yield* World.run).counts.charged, 0)
      yield* World.passDays(5)
      assert.strictEqual((yield* World.run).counts.charged, 1)
      assert.deepStrictEqual((yield* cyclesOf(mine.subscriptionId))[0], [2, "Due", day("2027-01-22")])
      yield* failsWith("PostponeInvalid", postponeDelivery({ ...mine, days: 61 }))
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("pauses until it is resumed by hand", () =>
    Effect.gen(function* () {
      const mine = yield* bought
      yield* pauseSubscription({ ...mine, resumeOn: null })
      yield* World.passDays(40)
      assert.strictEqual((yield* World.run).counts.charged, 0)
      assert.strictEqual(yield* resumePaused(), 0)
      const { openCycle, subscription } = yield* resumeSubscription(mine)
      assert.deepStrictEqual([subscription._tag, openCycle?.dueDate], ["Active", day("2027-01-22")])
      yield* failsWith("SubscriptionTransitionDenied", resumeSubscription(mine))
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("pauses until a day, and on that day it goes on by itself", () =>
    Effect.gen(function* () {
      const mine = yield* bought
      const stateNow = Effect.map(World.read(mine.subscriptionId), ({ subscription }) => subscription._tag)
      yield* failsWith("PauseInvalid", pauseSubscription({ ...mine, resumeOn: yield* today }))
      yield* pauseSubscription({ ...mine, resumeOn: BusinessDate.addDays(yield* today, 10) })
      yield* World.passDays(9)
      assert.strictEqual(yield* resumePaused(), 0)
      assert.strictEqual(yield* stateNow, "Paused")
      yield* World.passDays(1)
      yield* World.run
      assert.strictEqual(yield* stateNow, "Active")
      assert.strictEqual(yield* resumePaused(), 0)
      yield* World.passDays(20)
      assert.strictEqual((yield* World.run).counts.charged, 1)
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("is not overruled by the end of a pause that the owner has moved meanwhile", () =>
    Effect.gen(function* () {
      const mine = yield* bought
      const first = BusinessDate.addDays(yield* today, 10)
      yield* pauseSubscription({ ...mine, resumeOn: first })
      // Somebody found the pause over; before it is ended the owner resumes and pauses anew.
      yield* resumeSubscription(mine)
      yield* pauseSubscription({ ...mine, resumeOn: BusinessDate.addDays(first, 20) })
      yield* failsWith("SubscriptionTransitionDenied", resumeSubscription({ ...mine, endedBy: first }))
      assert.strictEqual((yield* World.read(mine.subscriptionId)).subscription._tag, "Paused")
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("F25: changes quantity and period at once, tells it once, and the next charge follows", () =>
    Effect.gen(function* () {
      const mine = yield* bought
      const { openCycle, subscription } = yield* changeSubscription({
        ...mine,
        quantity: Quantity.make(3),
        period: DeliveryPeriod.make(45)
      })
      assert.deepStrictEqual(
        [subscription.quantity, subscription.period, openCycle?.dueDate],
        [Quantity.make(3), DeliveryPeriod.make(45), day("2027-01-07")]
      )
      yield* drain()
      const told = yield* (yield* NotificationRepository).listByUser(mine.userId, { page: 1, size: 100 })
      assert.strictEqual(told.data.filter(({ kind }) => kind === "SubscriptionChanged").length, 1)
      yield* World.passDays(45)
      yield* World.run
      assert.strictEqual((yield* World.ledger).captured, 10_000 + 30_000)
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("changes the period alone, and the quantity stays", () =>
    Effect.gen(function* () {
      const mine = yield* bought
      const { openCycle, subscription } = yield* changeSubscription({ ...mine, period: DeliveryPeriod.make(60) })
      assert.deepStrictEqual(
        [subscription.quantity, subscription.period, openCycle?.dueDate],
        [Quantity.make(1), DeliveryPeriod.make(60), day("2027-01-22")]
      )
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("is refused while a charge has no answer, and cancelling alone is not", () =>
    Effect.gen(function* () {
      const mine = yield* bought
      yield* World.passDays(30)
      yield* (yield* MemoryProvider).next({ _tag: "LoseAnswer" })
      yield* World.run
      yield* failsWith("PaymentInProgress", skipDelivery(mine))
      yield* failsWith("PaymentInProgress", postponeDelivery({ ...mine, days: 1 }))
      yield* failsWith("PaymentInProgress", pauseSubscription({ ...mine, resumeOn: null }))
      yield* failsWith("PaymentInProgress", changeSubscription({ ...mine, quantity: Quantity.make(2) }))
      assert.deepStrictEqual((yield* cyclesOf(mine.subscriptionId))[0], [1, "InDoubt", day("2026-12-23")])
      assert.isTrue((yield* cancelSubscription({ ...mine, reason: "owner" })).isPaymentInProgress)
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("is not heard from anybody else, nor after the end", () =>
    Effect.gen(function* () {
      const mine = yield* bought
      const theirs = { ...mine, userId: Fixtures.anyUserId("somebody else") }
      yield* failsWith("SubscriptionNotFound", skipDelivery(theirs))
      yield* failsWith("SubscriptionNotFound", changeSubscription({ ...theirs, quantity: Quantity.make(2) }))
      yield* cancelSubscription({ ...mine, reason: "owner" })
      yield* failsWith("SubscriptionTransitionDenied", skipDelivery(mine))
      yield* failsWith("SubscriptionTransitionDenied", resumeSubscription(mine))
      const { subscription } = yield* World.read(mine.subscriptionId)
      assert.strictEqual(subscription._tag, "Cancelled")
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("given many times at once counts as often as it is answered with success", () =>
    Effect.gen(function* () {
      const mine = yield* bought
      const results = yield* World.withTime(
        Effect.forEach(Array.from({ length: 8 }), () => Effect.result(skipDelivery(mine)), { concurrency: "unbounded" })
      )
      const done = results.filter(({ _tag }) => _tag === "Success").length
      const cycles = yield* cyclesOf(mine.subscriptionId)
      assert.deepStrictEqual([done, cycles.filter(([, state]) => state === "Skipped").length], [2, 2])
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("between the plan of a charge and its claim keeps the charge from being sent", () =>
    Effect.gen(function* () {
      const mine = yield* bought
      yield* World.passDays(30)
      const planned = yield* planCycle({ subscriptionId: mine.subscriptionId, number: 1 }, { date: yield* today })
      if (planned._tag !== "Charge") return assert.fail(planned._tag)
      const ready = yield* askForBaseline(planned)
      if (ready._tag !== "Charge") return assert.fail(ready._tag)
      yield* pauseSubscription({ ...mine, resumeOn: null })
      assert.strictEqual((yield* sendCharge(ready))._tag, "Postponed")
      assert.strictEqual((yield* World.ledger).captures, 1)
    }).pipe(Effect.provide(World.layer))
  )
})
