/**
 * The contract of `SubscriptionRepository`.
 *
 * @since 0.1.0
 */
import { assert } from "@effect/vitest"
import * as SubscriptionOrder from "@pillivery/domain/SubscriptionOrder"
import * as Arbitraries from "@pillivery/domain/testing/Arbitraries"
import * as Fixtures from "@pillivery/domain/testing/Fixtures"
import { DateTime, Effect, Result } from "effect"
import type { IdGenerator } from "../ports/IdGenerator.ts"
import { SubscriptionRepository, subscriptionsOfKeyMax, type Waiting } from "../ports/SubscriptionRepository.ts"
import type { Transaction } from "../ports/Transaction.ts"
import { aggregateLaws } from "./AggregateLaws.ts"
import { countOf, endsOf, freshSeed, freshSeeds, law, type Law, suiteOf } from "./Law.ts"
import { atVersion, subscriptionStates, subscriptionVarieties } from "./Samples.ts"

/** What the laws of this port need. */
export type Requirements = SubscriptionRepository | Transaction | IdGenerator

const rivalsCount = 8
const { getOrThrow } = Result

/** Everything a `SubscriptionRepository` promises. */
export const laws = (): ReadonlyArray<Law<Requirements>> => [
  ...aggregateLaws({
    schema: SubscriptionOrder.SubscriptionOrder,
    states: subscriptionStates,
    varieties: subscriptionVarieties,
    transitions: SubscriptionOrder.transitions,
    histories: {
      begin: [subscriptionStates.AwaitingBillingKey, subscriptionStates.Active],
      commands: Arbitraries.subscriptionCommand
    },
    idOf: (subscription) => subscription.id,
    insert: (subscription) => Effect.flatMap(SubscriptionRepository, (all) => all.insert(subscription)),
    find: (id) => Effect.flatMap(SubscriptionRepository, (all) => all.findById(id)),
    update: (subscription) => Effect.flatMap(SubscriptionRepository, (all) => all.update(subscription))
  }),

  law(
    "takes one subscription for each order line",
    Effect.gen(function* () {
      const subscriptions = yield* SubscriptionRepository
      const orderLineId = Fixtures.anyOrderLineId(yield* freshSeed)
      const seeds = yield* freshSeeds(rivalsCount)
      const ends = yield* endsOf(
        seeds.map((seed) => subscriptions.insert(Fixtures.subscription({ orderLineId }, seed)))
      )
      assert.strictEqual(countOf(ends, "success"), 1)
      assert.strictEqual(countOf(ends, "AlreadyExists"), rivalsCount - 1)
    })
  ),

  law(
    "lists a user's subscriptions newest first, in pages that neither overlap nor leave out",
    Effect.gen(function* () {
      const subscriptions = yield* SubscriptionRepository
      const userId = Fixtures.anyUserId(yield* freshSeed)
      const seeds = yield* freshSeeds(5)
      const all = seeds.map((seed, index) =>
        Fixtures.subscription({ userId, createdAt: Fixtures.later(Math.min(index, 3)) }, seed)
      )
      yield* Effect.forEach(all, subscriptions.insert)
      yield* subscriptions.insert(
        Fixtures.subscription({ userId: Fixtures.anyUserId(yield* freshSeed) }, yield* freshSeed)
      )
      const pages = yield* Effect.forEach([1, 2, 3, 4], (page) => subscriptions.listByUser(userId, { page, size: 2 }))
      assert.deepStrictEqual(
        pages.map(({ data }) => data.length),
        [2, 2, 1, 0]
      )
      assert.deepStrictEqual(
        pages.map(({ totalElements }) => totalElements),
        [5, 5, 5, 5]
      )
      const listed = pages.flatMap(({ data }) => data)
      assert.deepStrictEqual(new Set(listed.map(({ id }) => id)), new Set(all.map(({ id }) => id)))
      const times = listed.map(({ createdAt }) => createdAt.epochMilliseconds)
      assert.deepStrictEqual(
        times,
        [...times].sort((self, that) => that - self)
      )
    })
  ),

  law(
    "lists the live subscriptions that use a billing key or wait for it",
    Effect.gen(function* () {
      const subscriptions = yield* SubscriptionRepository
      const [active, pastDue, paused, waiting, cancelled, waitingElsewhere, elsewhere, keyless] = yield* freshSeeds(8)
      const billingKeyId = Fixtures.anyBillingKeyId(yield* freshSeed)
      const using = (seed: string | undefined) => Fixtures.subscription({ billingKeyId }, seed)
      yield* Effect.forEach(
        [
          using(active),
          getOrThrow(SubscriptionOrder.fallBehind(using(pastDue))),
          getOrThrow(SubscriptionOrder.pause(using(paused), "owner", null)),
          Fixtures.keylessSubscription({ pendingBillingKeyId: billingKeyId }, waiting),
          getOrThrow(SubscriptionOrder.cancel(using(cancelled), "owner", Fixtures.now)),
          Fixtures.keylessSubscription({ pendingBillingKeyId: Fixtures.anyBillingKeyId(elsewhere) }, waitingElsewhere),
          Fixtures.subscription({}, elsewhere),
          Fixtures.keylessSubscription({}, keyless)
        ],
        (subscription) => subscriptions.insert(subscription)
      )
      const ids = Effect.map(subscriptions.listLiveByBillingKey(billingKeyId), (all) => all.map(({ id }) => id))
      const idsOf = (...seeds: ReadonlyArray<string | undefined>) =>
        seeds.map((seed) => Fixtures.anySubscriptionId(seed))
      assert.sameMembers([...(yield* ids)], idsOf(active, pastDue, paused, waiting))
      yield* subscriptions.update(getOrThrow(SubscriptionOrder.cancel(using(active), "owner", Fixtures.now)))
      yield* subscriptions.update(
        getOrThrow(SubscriptionOrder.replaceKey(Fixtures.subscription({}, elsewhere), billingKeyId))
      )
      assert.sameMembers([...(yield* ids)], idsOf(elsewhere, pastDue, paused, waiting))
      yield* subscriptions.update(
        atVersion(getOrThrow(SubscriptionOrder.replaceKey(using(elsewhere), Fixtures.anyBillingKeyId(active))), 1)
      )
      assert.sameMembers([...(yield* ids)], idsOf(pastDue, paused, waiting))
    })
  ),

  law(
    "lists those that wait for their first billing key, oldest first, page by page",
    Effect.gen(function* () {
      const subscriptions = yield* SubscriptionRepository
      const at = (text: string) => DateTime.makeUnsafe(text)
      const made = Effect.fnUntraced(function* (createdAt: string) {
        const waiting = Fixtures.keylessSubscription({ createdAt: at(createdAt) }, yield* freshSeed)
        yield* subscriptions.insert(waiting)
        return waiting
      })
      const late = yield* made("2026-03-02T00:00:00.001Z")
      const second = yield* made("2026-03-02T00:00:00Z")
      const first = yield* made("2026-03-01T23:59:59.999Z")
      const keyed = yield* made("2026-03-01T00:00:00Z")
      const seed = yield* freshSeed
      yield* subscriptions.update(getOrThrow(SubscriptionOrder.replaceKey(keyed, Fixtures.anyBillingKeyId(seed))))
      const ended = yield* made("2026-03-01T00:00:00Z")
      yield* subscriptions.update(getOrThrow(SubscriptionOrder.cancel(ended, "noBillingKey", Fixtures.now)))
      const ours = new Set<string>([late, second, first, keyed, ended].map(({ id }) => id))
      const listed: Array<Waiting> = []
      for (let after: Waiting | null = null, isDone = false; !isDone;) {
        const page: ReadonlyArray<Waiting> = yield* subscriptions.listAwaitingKey({
          until: at("2026-03-02T00:00:00Z"),
          after,
          limit: 1
        })
        listed.push(...page.filter(({ id }) => ours.has(id)))
        after = page.at(-1) ?? after
        isDone = page.length < 1
      }
      assert.deepStrictEqual(
        listed,
        [first, second].map(({ createdAt, id }) => ({ id, createdAt }))
      )
    })
  ),

  law(
    "lists the paused ones whose day has come, in the order of their days, and no others",
    Effect.gen(function* () {
      const subscriptions = yield* SubscriptionRepository
      const paused = (resumeOn: string | null) =>
        Effect.gen(function* () {
          const seed = yield* freshSeed
          const active = Fixtures.subscription({}, seed)
          yield* subscriptions.insert(active)
          const made = getOrThrow(
            SubscriptionOrder.pause(active, "owner", resumeOn === null ? null : Fixtures.day(resumeOn))
          )
          yield* subscriptions.update(made)
          return made.id
        })
      const late = yield* paused("2026-03-05")
      const early = yield* paused("2026-03-01")
      const others = [yield* paused("2026-03-06"), yield* paused(null)]
      const ours = new Set([late, early, ...others])
      const listed = (yield* subscriptions.listToResume(Fixtures.day("2026-03-05"), 1_000)).filter((id) => ours.has(id))
      assert.deepStrictEqual(listed, [early, late])
      assert.strictEqual((yield* subscriptions.listToResume(Fixtures.day("2026-03-05"), 1)).length, 1)
    })
  ),

  law(
    `lists at most ${subscriptionsOfKeyMax} subscriptions of a billing key`,
    Effect.gen(function* () {
      const subscriptions = yield* SubscriptionRepository
      const billingKeyId = Fixtures.anyBillingKeyId(yield* freshSeed)
      yield* Effect.forEach(
        yield* freshSeeds(subscriptionsOfKeyMax + 1),
        (seed) => subscriptions.insert(Fixtures.subscription({ billingKeyId }, seed)),
        { concurrency: rivalsCount }
      )
      assert.strictEqual((yield* subscriptions.listLiveByBillingKey(billingKeyId)).length, subscriptionsOfKeyMax)
    })
  )
]

/** Runs the laws against a layer. */
export const suite = suiteOf<Requirements>("SubscriptionRepository", laws)
