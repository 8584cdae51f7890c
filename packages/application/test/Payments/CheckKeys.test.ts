import { assert, describe, it } from "@effect/vitest"
import { drain } from "@pillivery/application/Events/Relay"
import { checkKeys } from "@pillivery/application/Payments/CheckKeys"
import { BillingKeyRepository } from "@pillivery/application/ports/BillingKeyRepository"
import { BusinessClock } from "@pillivery/application/ports/BusinessClock"
import { NotificationRepository } from "@pillivery/application/ports/NotificationRepository"
import { MemoryProvider } from "@pillivery/application/testing/MemoryProvider"
import * as BillingKey from "@pillivery/domain/BillingKey"
import * as BusinessDate from "@pillivery/domain/BusinessDate"
import { BillingKeyMissing, PaymentStrategies } from "@pillivery/domain/PaymentStrategy"
import { Effect } from "effect"
import * as World from "../World.ts"

/** Days after the purchase on which nothing is due. */
const idleDays = 10

const activeKey = Effect.fnUntraced(function* () {
  const { key, subscription } = yield* World.subscribe()
  return key?._tag === "Active" ? { key, subscription } : yield* Effect.die("there is no key")
})

const stateOf = (id: Parameters<typeof World.read>[0]) => Effect.map(World.read(id), ({ key }) => key?._tag)

describe("checkKeys", () => {
  it.effect("freezes a key within a day though none of its cycles is due, and tells of it once", () =>
    Effect.gen(function* () {
      yield* World.begin
      const { key, subscription } = yield* activeKey()
      const calm = yield* activeKey()
      yield* World.passDays(idleDays)
      yield* (yield* MemoryProvider).chargeElsewhere(key.billingKey)
      const report = yield* World.run
      assert.deepStrictEqual(report.keys, { checked: 2, frozen: 1, revoked: 0 })
      assert.strictEqual(yield* stateOf(subscription.id), "Frozen")
      assert.strictEqual(yield* stateOf(calm.subscription.id), "Active")
      yield* World.passDays(1)
      assert.deepStrictEqual((yield* World.run).keys, { checked: 1, frozen: 0, revoked: 0 })
      yield* World.passDays(30 - idleDays)
      assert.strictEqual((yield* World.run).counts.charged, 1)
      assert.strictEqual((yield* World.ledger).captures, 4)
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("compares a key once a day, and not when a charge compared it", () =>
    Effect.gen(function* () {
      yield* World.begin
      yield* activeKey()
      assert.strictEqual((yield* World.withTime(checkKeys())).checked, 0)
      yield* World.passDays(1)
      assert.strictEqual((yield* World.withTime(checkKeys())).checked, 1)
      assert.strictEqual((yield* World.withTime(checkKeys())).checked, 0)
      yield* (yield* BillingKeyRepository).uncheckAll
      assert.strictEqual((yield* World.withTime(checkKeys())).checked, 1)
      yield* World.passDays(29)
      const report = yield* World.run
      assert.deepStrictEqual([report.counts.charged, report.keys.checked], [1, 0])
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("takes a key the provider does not know for revoked, so that its cycle waits for another", () =>
    Effect.gen(function* () {
      yield* World.begin
      const { subscription } = yield* activeKey()
      yield* World.passDays(idleDays)
      const strategies = yield* PaymentStrategies
      const missing = PaymentStrategies.of({
        ...strategies,
        find: (name) => {
          const found = strategies.find(name)
          return found === null
            ? null
            : { ...found, lookupBillingKey: () => Effect.succeed(new BillingKeyMissing({ detail: "no such key" })) }
        }
      })
      const checked = yield* World.withTime(checkKeys()).pipe(Effect.provideService(PaymentStrategies, missing))
      assert.deepStrictEqual(checked, { checked: 1, frozen: 0, revoked: 1 })
      assert.strictEqual(yield* stateOf(subscription.id), "Revoked")
      yield* World.passDays(30 - idleDays)
      yield* World.run
      const after = yield* World.read(subscription.id)
      assert.strictEqual(after.cycle._tag, "AwaitingKey")
      assert.strictEqual((yield* World.ledger).captures, 1)
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("takes a key its owner ended at the provider for revoked", () =>
    Effect.gen(function* () {
      yield* World.begin
      const { key, subscription } = yield* activeKey()
      yield* World.passDays(idleDays)
      yield* (yield* MemoryProvider).revokeKey(key.billingKey)
      assert.deepStrictEqual(yield* World.withTime(checkKeys()), { checked: 1, frozen: 0, revoked: 1 })
      assert.strictEqual(yield* stateOf(subscription.id), "Revoked")
      yield* World.withTime(drain())
      const told = yield* (yield* NotificationRepository).listByUser(subscription.userId, { page: 1, size: 100 })
      assert.strictEqual(told.data.filter(({ kind }) => kind === "BillingKeyRevoked").length, 1)
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("begins to compare a key of which nothing is known with the first approval it is shown", () =>
    Effect.gen(function* () {
      yield* World.begin
      const keys = yield* BillingKeyRepository
      const provider = yield* MemoryProvider
      const { key, subscription } = yield* activeKey()
      yield* keys.update(new BillingKey.Active({ ...key, lastKnownApproval: null }))
      yield* World.passDays(1)
      assert.strictEqual((yield* World.withTime(checkKeys())).checked, 1)
      assert.deepStrictEqual((yield* World.read(subscription.id)).key?.lastKnownApproval, key.lastKnownApproval)
      yield* provider.chargeElsewhere(key.billingKey)
      yield* World.passDays(1)
      assert.strictEqual((yield* World.withTime(checkKeys())).frozen, 1)
    }).pipe(Effect.provide(World.layer))
  )

  it.effect("asks again after a lookup that failed, and leaves the key's version to the charges", () =>
    Effect.gen(function* () {
      yield* World.begin
      const keys = yield* BillingKeyRepository
      const { key, subscription } = yield* activeKey()
      yield* World.passDays(idleDays)
      yield* (yield* MemoryProvider).failNextLookup(false)
      assert.strictEqual((yield* World.withTime(checkKeys())).checked, 0)
      const on = BusinessDate.fromInstant(yield* (yield* BusinessClock).now)
      assert.strictEqual((yield* World.withTime(checkKeys())).checked, 1)
      const approvedBefore = BusinessDate.instantAt(on)
      assert.deepStrictEqual(yield* keys.listUnchecked({ on, approvedBefore, after: null, limit: 1 }), [])
      assert.strictEqual((yield* World.read(subscription.id)).key?.version, key.version)
    }).pipe(Effect.provide(World.layer))
  )
})
