import { assert, describe, it } from "@effect/vitest"
import { dueCycles, pageSize, planCharge, previewRun } from "@pillivery/application/Billing/PlanCharge"
import { BillingKeyRepository } from "@pillivery/application/ports/BillingKeyRepository"
import { BillingLedger } from "@pillivery/application/ports/BillingLedger"
import { ItemRepository } from "@pillivery/application/ports/ItemRepository"
import { SubscriptionRepository } from "@pillivery/application/ports/SubscriptionRepository"
import { MemoryProvider } from "@pillivery/application/testing/MemoryProvider"
import * as BillingCycle from "@pillivery/domain/BillingCycle"
import * as BillingKey from "@pillivery/domain/BillingKey"
import type { BusinessDate } from "@pillivery/domain/BusinessDate"
import { Hard } from "@pillivery/domain/DeclineReason"
import * as Fixtures from "@pillivery/domain/testing/Fixtures"
import { Effect, Option, Result, Stream } from "effect"
import * as World from "../World.ts"

const preview = (date: BusinessDate) => Stream.runCollect(previewRun(date))
const dueOn = Fixtures.day("2026-12-23")

const plansOn = (date: BusinessDate) =>
  Effect.map(preview(date), (planned) => planned.map(({ number, plan, step }) => [number, step, plan._tag]))

describe("previewRun", () => {
  it.effect("tells what a run charges, for how much, and nothing before its day or after it is done", () =>
    Effect.gen(function* () {
      yield* World.begin
      yield* World.subscribe({ price: 12_000 })
      assert.deepStrictEqual(yield* preview(Fixtures.day("2026-12-22")), [])
      const [planned, ...others] = yield* preview(dueOn)
      assert.isEmpty(others)
      assert.isTrue(planned?.plan._tag === "Charge" && planned.plan.amount === 12_000 && planned.plan.quantity === 1)
      yield* World.passDays(30)
      const before = yield* World.ledger
      assert.strictEqual((yield* World.run).counts.charged, 1)
      assert.strictEqual((yield* World.ledger).captured - before.captured, 12_000)
      assert.deepStrictEqual(yield* preview(dueOn), [])
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("changes nothing and asks nobody", () =>
    Effect.gen(function* () {
      yield* World.begin
      const { subscription } = yield* World.subscribe()
      yield* World.passDays(30)
      const provider = yield* MemoryProvider
      const before = [yield* World.read(subscription.id), yield* provider.callsReceived, yield* World.ledger]
      yield* preview(dueOn)
      yield* preview(Fixtures.day("2027-12-23"))
      const after = [yield* World.read(subscription.id), yield* provider.callsReceived, yield* World.ledger]
      assert.deepStrictEqual(after, before)
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("tells a retry from a first try, and a cycle that is given up on the ladder's last day", () =>
    Effect.gen(function* () {
      yield* World.begin
      yield* World.subscribe()
      yield* World.passDays(30)
      const reason = new Hard({ kind: "BillingKeyRevoked", code: "-751", message: "inactive" })
      yield* (yield* MemoryProvider).next({ _tag: "Decline", reason })
      yield* World.run
      assert.deepStrictEqual(yield* plansOn(Fixtures.day("2026-12-27")), [])
      const lastDay = yield* plansOn(Fixtures.day("2026-12-28"))
      assert.deepStrictEqual(
        lastDay.map(([number, , plan]) => [number, plan]),
        [[1, "GiveUp"]]
      )
      yield* World.passDays(5)
      assert.strictEqual((yield* World.run).counts.cancelled, lastDay.length)
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("tells that an item is gone, and that a billing key is frozen, dead or held", () =>
    Effect.gen(function* () {
      yield* World.begin
      const { key } = yield* World.subscribe()
      if (key?._tag !== "Active") return assert.fail("there is no active key")
      const items = yield* ItemRepository
      const gone = ItemRepository.of({ ...items, findById: () => Effect.succeedNone })
      assert.deepStrictEqual(yield* plansOn(dueOn).pipe(Effect.provideService(ItemRepository, gone)), [[1, 0, "Skip"]])
      const keys = yield* BillingKeyRepository
      const plansWith = (other: BillingKey.BillingKey) =>
        plansOn(dueOn).pipe(
          Effect.provideService(BillingKeyRepository, { ...keys, findById: () => Effect.succeed(Option.some(other)) })
        )
      const frozen = Result.getOrThrow(BillingKey.freeze(key))
      const held = Result.getOrThrow(BillingKey.hold(key, Fixtures.anyAttemptId()))
      assert.deepStrictEqual(yield* plansWith(frozen), [[1, 0, "Postpone"]])
      assert.deepStrictEqual(yield* plansWith(held), [[1, 0, "Postpone"]])
      assert.deepStrictEqual(yield* plansWith(Result.getOrThrow(BillingKey.revoke(key))), [[1, 0, "LoseKey"]])
      assert.deepStrictEqual(yield* plansWith(key), [[1, 0, "Charge"]])
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("goes on behind the end of a page, and takes each cycle once", () =>
    Effect.gen(function* () {
      yield* World.begin
      const ledger = yield* BillingLedger
      const subscriptions = yield* SubscriptionRepository
      const count = pageSize + 1
      for (let seed = 0; seed < count; seed++) {
        yield* subscriptions.insert(Fixtures.subscription({}, seed))
        yield* ledger.insertCycle(Fixtures.dueCycle({}, seed))
      }
      assert.strictEqual((yield* Stream.runCollect(dueCycles(dueOn))).length, count)
      const planned = yield* preview(dueOn)
      assert.strictEqual(planned.length, count)
      assert.strictEqual(new Set(planned.map(({ subscriptionId }) => subscriptionId)).size, count)
      // Nobody has registered their billing keys.
      assert.isTrue(planned.every(({ plan }) => plan._tag === "NotDue"))
    }).pipe(Effect.provide(World.layer))
  )
})

describe("planCharge", () => {
  it.effect("leaves a cycle alone on the day of its definite answer, whatever the run's date", () =>
    Effect.gen(function* () {
      yield* World.begin
      const { cycle, subscription } = yield* World.subscribe()
      if (cycle._tag !== "Due") return assert.fail(`the cycle is ${cycle._tag}`)
      const ledger = yield* BillingLedger
      const answered = new BillingCycle.Due({ ...cycle, answeredOn: Fixtures.day("2026-12-25") })
      const plan = (today: string) =>
        planCharge({ subscriptionId: subscription.id, number: cycle.number }, dueOn, Fixtures.day(today)).pipe(
          Effect.provideService(BillingLedger, { ...ledger, findCycle: () => Effect.succeed(Option.some(answered)) })
        )
      assert.strictEqual((yield* plan("2026-12-25"))._tag, "NotDue")
      assert.strictEqual((yield* plan("2026-12-26"))._tag, "Charge")
    }).pipe(Effect.provide(World.layer))
  )
})
