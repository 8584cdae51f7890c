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
import { Effect, Option, Result } from "effect"
import { BillingKeyRepository } from "../ports/BillingKeyRepository.ts"
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
