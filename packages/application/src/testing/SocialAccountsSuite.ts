/**
 * The contract of `SocialAccounts`.
 *
 * @since 0.1.0
 */
import { assert } from "@effect/vitest"
import * as Fixtures from "@pillivery/domain/testing/Fixtures"
import { Effect, Option } from "effect"
import type { IdGenerator } from "../ports/IdGenerator.ts"
import { SocialAccounts } from "../ports/SocialAccounts.ts"
import { SocialAccount, type SocialProvider } from "../ports/SocialIdentity.ts"
import { Transaction } from "../ports/Transaction.ts"
import { countOf, endsOf, failsWith, freshSeed, law, type Law, suiteOf } from "./Law.ts"

/** What the laws of this port need. */
export type Requirements = SocialAccounts | Transaction | IdGenerator

const rivalsCount = 8

const freshAccount = (provider: SocialProvider = "google") =>
  Effect.map(freshSeed, (seed) => new SocialAccount({ provider, subject: `Sub-${seed}` }))
const freshUser = Effect.map(freshSeed, (seed) => Fixtures.anyUserId(seed))

/** Everything `SocialAccounts` promise. */
export const laws = (): ReadonlyArray<Law<Requirements>> => [
  law(
    "find the user of an account, by service and by each letter of its name there",
    Effect.gen(function* () {
      const accounts = yield* SocialAccounts
      const [account, userId] = [yield* freshAccount(), yield* freshUser]
      assert.isTrue(Option.isNone(yield* accounts.findUser(account)))
      yield* accounts.link(account, userId)
      assert.deepStrictEqual(yield* accounts.findUser(account), Option.some(userId))
      for (const other of [
        new SocialAccount({ ...account, provider: "kakao" }),
        new SocialAccount({ ...account, subject: account.subject.toLowerCase() }),
        new SocialAccount({ ...account, subject: `${account.subject} ` })
      ]) {
        assert.isTrue(Option.isNone(yield* accounts.findUser(other)), other.subject)
      }
    })
  ),

  law(
    "link an account once, and as many accounts as wanted to one user",
    Effect.gen(function* () {
      const accounts = yield* SocialAccounts
      const [one, two, userId] = [yield* freshAccount("google"), yield* freshAccount("kakao"), yield* freshUser]
      yield* accounts.link(one, userId)
      yield* accounts.link(two, userId)
      yield* failsWith("AlreadyExists", accounts.link(one, yield* freshUser))
      yield* failsWith("AlreadyExists", accounts.link(one, userId))
      assert.deepStrictEqual(yield* accounts.findUser(one), Option.some(userId))
    })
  ),

  law(
    "let one of many rivals link an account",
    Effect.gen(function* () {
      const accounts = yield* SocialAccounts
      const account = yield* freshAccount()
      const users = yield* Effect.replicateEffect(freshUser, rivalsCount)
      const ends = yield* endsOf(users.map((userId) => accounts.link(account, userId)))
      assert.deepStrictEqual([countOf(ends, "success"), countOf(ends, "AlreadyExists")], [1, rivalsCount - 1])
    })
  ),

  law(
    "take all links of a user away, and nobody else's",
    Effect.gen(function* () {
      const accounts = yield* SocialAccounts
      const [one, two, theirs] = [yield* freshAccount(), yield* freshAccount("kakao"), yield* freshAccount()]
      const [userId, stranger] = [yield* freshUser, yield* freshUser]
      yield* accounts.link(one, userId)
      yield* accounts.link(two, userId)
      yield* accounts.link(theirs, stranger)
      yield* accounts.unlinkAll(userId)
      yield* accounts.unlinkAll(userId)
      assert.isTrue(Option.isNone(yield* accounts.findUser(one)))
      assert.isTrue(Option.isNone(yield* accounts.findUser(two)))
      assert.deepStrictEqual(yield* accounts.findUser(theirs), Option.some(stranger))
      yield* accounts.link(one, stranger)
    })
  ),

  law(
    "link in the transaction around them",
    Effect.gen(function* () {
      const accounts = yield* SocialAccounts
      const { run } = yield* Transaction
      const [account, userId] = [yield* freshAccount(), yield* freshUser]
      const link = accounts.link(account, userId)
      yield* failsWith("Unwanted", run(Effect.andThen(link, Effect.fail({ _tag: "Unwanted" as const }))))
      assert.isTrue(Option.isNone(yield* accounts.findUser(account)))
      yield* run(link)
      assert.deepStrictEqual(yield* accounts.findUser(account), Option.some(userId))
    })
  )
]

/** Runs the laws against a layer. */
export const suite = suiteOf<Requirements>("SocialAccounts", laws)
