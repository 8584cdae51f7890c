/**
 * The contract of `BillingKeyRepository`.
 *
 * @since 0.1.0
 */
import { assert } from "@effect/vitest"
import * as BillingKey from "@pillivery/domain/BillingKey"
import { MerchantAccount, ProviderBillingKey, ProviderName } from "@pillivery/domain/Provider"
import * as Arbitraries from "@pillivery/domain/testing/Arbitraries"
import * as Fixtures from "@pillivery/domain/testing/Fixtures"
import { DateTime, Effect, Option, Result } from "effect"
import { BillingKeyRepository, neverCheckedOn, type Unchecked } from "../ports/BillingKeyRepository.ts"
import type { IdGenerator } from "../ports/IdGenerator.ts"
import type { Transaction } from "../ports/Transaction.ts"
import { aggregateLaws } from "./AggregateLaws.ts"
import { countOf, endsOf, freshSeed, freshSeeds, law, type Law, suiteOf } from "./Law.ts"
import { billingKeyStates, billingKeyVarieties } from "./Samples.ts"

/** What the laws of this port need. */
export type Requirements = BillingKeyRepository | Transaction | IdGenerator

const rivalsCount = 8

/** Everything a `BillingKeyRepository` promises. */
export const laws = (): ReadonlyArray<Law<Requirements>> => [
  ...aggregateLaws({
    schema: BillingKey.BillingKey,
    states: billingKeyStates,
    varieties: billingKeyVarieties,
    transitions: BillingKey.transitions,
    // All would be activated with the same key.
    histories: { begin: [billingKeyStates.Active], commands: Arbitraries.billingKeyCommand },
    idOf: (key) => key.id,
    insert: (key) => Effect.flatMap(BillingKeyRepository, (keys) => keys.insert(key)),
    find: (id) => Effect.flatMap(BillingKeyRepository, (keys) => keys.findById(id)),
    update: (key) => Effect.flatMap(BillingKeyRepository, (keys) => keys.update(key))
  }),

  law(
    "lists the active keys that wait for their daily comparison, longest ago first, page by page",
    Effect.gen(function* () {
      const keys = yield* BillingKeyRepository
      const fresh = Effect.map(freshSeed, (seed) => Fixtures.activeKey({}, seed))
      const [never, older, newer, today] = [yield* fresh, yield* fresh, yield* fresh, yield* fresh]
      const [charged, held, retiring] = [yield* fresh, yield* fresh, yield* fresh]
      const attemptId = Fixtures.anyAttemptId(yield* freshSeed)
      const at = (text: string) => DateTime.makeUnsafe(text)
      const rows = [
        // Nothing is known of it.
        new BillingKey.Active({ ...never, lastKnownApproval: null }),
        new BillingKey.Active({ ...older, lastKnownApproval: at("2026-03-02T14:59:59.999Z") }),
        newer,
        today,
        new BillingKey.Active({ ...charged, lastKnownApproval: at("2026-03-02T15:00:00Z") }),
        new BillingKey.Active({ ...held, inFlight: attemptId }),
        Result.getOrThrow(BillingKey.retire(new BillingKey.Active({ ...retiring, liveUses: 0 })))
      ]
      for (const key of rows) yield* keys.insert(key)
      yield* keys.markChecked(older.id, Fixtures.day("2026-03-01"))
      yield* keys.markChecked(newer.id, Fixtures.day("2026-03-01"))
      yield* keys.markChecked(newer.id, Fixtures.day("2026-03-02"))
      yield* keys.markChecked(today.id, Fixtures.day("2026-03-03"))
      const ours = new Set<string>(rows.map(({ id }) => id))
      const listed: Array<Unchecked> = []
      for (let after: Unchecked | null = null, isDone = false; !isDone;) {
        const page: ReadonlyArray<Unchecked> = yield* keys.listUnchecked({
          on: Fixtures.day("2026-03-03"),
          approvedBefore: at("2026-03-02T15:00:00Z"),
          after,
          limit: 2
        })
        assert.isAtMost(page.length, 2)
        listed.push(...page.filter(({ id }) => ours.has(id)))
        after = page.at(-1) ?? after
        isDone = page.length < 2
      }
      assert.deepStrictEqual(listed, [
        { id: never.id, checkedOn: neverCheckedOn },
        { id: older.id, checkedOn: Fixtures.day("2026-03-01") },
        { id: newer.id, checkedOn: Fixtures.day("2026-03-02") }
      ])
      // A comparison is no change of the key.
      assert.strictEqual(Option.getOrThrow(yield* keys.findById(newer.id)).version, 0)
    })
  ),

  law(
    "waits for every comparison again once all were taken back",
    Effect.gen(function* () {
      const keys = yield* BillingKeyRepository
      const key = Fixtures.activeKey({}, yield* freshSeed)
      const on = Fixtures.day("2026-03-03")
      const isWaiting = Effect.gen(function* () {
        let after: Unchecked | null = null
        while (true) {
          const page: ReadonlyArray<Unchecked> = yield* keys.listUnchecked({
            on,
            approvedBefore: DateTime.makeUnsafe("2200-01-01T00:00:00Z"),
            after,
            limit: 100
          })
          if (page.some(({ id }) => id === key.id)) return true
          if (page.length < 100) return false
          after = page.at(-1) ?? null
        }
      })
      yield* keys.insert(key)
      yield* keys.markChecked(key.id, on)
      assert.isFalse(yield* isWaiting)
      yield* keys.uncheckAll
      assert.isTrue(yield* isWaiting)
    })
  ),

  law(
    "takes each key of a provider once",
    Effect.gen(function* () {
      const keys = yield* BillingKeyRepository
      const billingKey = ProviderBillingKey.make(yield* freshSeed)
      const rivals = (yield* freshSeeds(rivalsCount)).map((seed) => Fixtures.activeKey({ billingKey }, seed))
      const ends = yield* endsOf(rivals.map(keys.insert))
      assert.strictEqual(countOf(ends, "success"), 1)
      assert.strictEqual(countOf(ends, "AlreadyExists"), rivalsCount - 1)
    })
  ),

  law(
    "takes the same text from another provider or another account",
    Effect.gen(function* () {
      const keys = yield* BillingKeyRepository
      const billingKey = ProviderBillingKey.make(yield* freshSeed)
      const [one, two, three] = yield* freshSeeds(3)
      yield* keys.insert(Fixtures.activeKey({ billingKey }, one))
      yield* keys.insert(Fixtures.activeKey({ billingKey, provider: ProviderName.make("another") }, two))
      yield* keys.insert(Fixtures.activeKey({ billingKey, merchantAccount: MerchantAccount.make("ANOTHER") }, three))
    })
  ),

  law(
    "tells the provider's keys apart by their very letters",
    Effect.gen(function* () {
      const keys = yield* BillingKeyRepository
      const text = yield* freshSeed
      const [one, two] = [yield* freshSeed, yield* freshSeed]
      yield* keys.insert(Fixtures.activeKey({ billingKey: ProviderBillingKey.make(`s${text}`) }, one))
      yield* keys.insert(Fixtures.activeKey({ billingKey: ProviderBillingKey.make(`S${text}`) }, two))
    })
  ),

  law(
    "refuses to activate with a key that another row has, and leaves both as they were",
    Effect.gen(function* () {
      const keys = yield* BillingKeyRepository
      const billingKey = ProviderBillingKey.make(yield* freshSeed)
      const [one, two] = [yield* freshSeed, yield* freshSeed]
      const pending = Fixtures.pendingKey({}, two)
      yield* keys.insert(Fixtures.activeKey({ billingKey }, one))
      yield* keys.insert(pending)
      const activated = Result.getOrThrow(BillingKey.activate(pending, billingKey, null))
      assert.isTrue(Result.isFailure(yield* Effect.result(keys.update(activated))))
      const [first, second] = [yield* keys.findById(Fixtures.anyBillingKeyId(one)), yield* keys.findById(pending.id)]
      assert.deepStrictEqual(
        [first, second].map(Option.getOrThrow).map(({ _tag, version }) => [_tag, version]),
        [
          ["Active", 0],
          ["Pending", 0]
        ]
      )
    })
  )
]

/** Runs the laws against a layer. */
export const suite = suiteOf<Requirements>("BillingKeyRepository", laws)
