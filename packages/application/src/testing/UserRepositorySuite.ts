/**
 * The contract of `UserRepository`.
 *
 * @since 0.1.0
 */
import { assert } from "@effect/vitest"
import * as Fixtures from "@pillivery/domain/testing/Fixtures"
import * as User from "@pillivery/domain/User"
import { Effect, Option, Redacted, Result } from "effect"
import type { IdGenerator } from "../ports/IdGenerator.ts"
import type { Transaction } from "../ports/Transaction.ts"
import { UserExists, UserRepository } from "../ports/UserRepository.ts"
import { aggregateLaws } from "./AggregateLaws.ts"
import { countOf, endsOf, failsWith, freshSeed, freshSeeds, law, type Law, suiteOf } from "./Law.ts"
import { atVersion, type States } from "./Samples.ts"

/** What the laws of this port need. */
export type Requirements = UserRepository | Transaction | IdGenerator

const rivalsCount = 8
const { getOrThrow } = Result
const hash = Redacted.make("$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA")

const states: States<User.User> = {
  Active: (seed) => Fixtures.user({}, seed),
  Withdrawn: (seed) => Fixtures.withdrawnUser(seed)
}

/** What makes a user unique, and another user who has the same. */
const twins: Readonly<Record<UserExists["field"], (user: User.Active, seed: string) => User.Active>> = {
  email: ({ email }, seed) => Fixtures.user({ email }, seed),
  displayName: ({ displayName }, seed) => Fixtures.user({ displayName }, seed),
  phone: ({ phone }, seed) => Fixtures.user({ phone }, seed)
}

const fieldTaken = <E, R>(effect: Effect.Effect<void, E, R>) =>
  Effect.map(Effect.result(effect), (result) =>
    Result.isFailure(result) && result.failure instanceof UserExists ? result.failure.field : null
  )

const uniqueLaws: ReadonlyArray<Law<Requirements>> = UserExists.fields.field.literals.flatMap((field) => [
  law(
    `refuses a second user with the same ${field}, and says which field it is`,
    Effect.gen(function* () {
      const users = yield* UserRepository
      const [one, two] = [Fixtures.user({}, yield* freshSeed), yield* freshSeed]
      const twin = twins[field](one, two)
      yield* users.insert(one, hash)
      assert.strictEqual(yield* fieldTaken(users.insert(twin, null)), field)
      assert.isTrue(Option.isNone(yield* users.findById(twin.id)))
      assert.strictEqual(Option.getOrThrow(yield* users.findById(one.id)).version, 0)
    })
  ),

  law(
    `refuses to change a user to the ${field} of another, and leaves it as it was`,
    Effect.gen(function* () {
      const users = yield* UserRepository
      const [one, two] = [Fixtures.user({}, yield* freshSeed), yield* freshSeed]
      yield* users.insert(one, hash)
      yield* users.insert(Fixtures.user({}, two), hash)
      assert.strictEqual(yield* fieldTaken(users.update(twins[field](one, two))), field)
      const found = Option.getOrThrow(yield* users.findById(Fixtures.anyUserId(two)))
      assert.deepStrictEqual(found._tag === "Active" ? [found[field], found.version] : found._tag, [
        Fixtures.user({}, two)[field],
        0
      ])
    })
  ),

  law(
    `takes the ${field} of a user who withdrew`,
    Effect.gen(function* () {
      const users = yield* UserRepository
      const [one, two] = [Fixtures.user({}, yield* freshSeed), yield* freshSeed]
      yield* users.insert(one, hash)
      yield* users.update(getOrThrow(User.withdraw(one, Fixtures.later(1))))
      yield* users.insert(twins[field](one, two), hash)
    })
  ),

  law(
    `takes the ${field} that a user gave up`,
    Effect.gen(function* () {
      const users = yield* UserRepository
      const [one, other, two] = [yield* freshSeed, yield* freshSeed, yield* freshSeed]
      const before = Fixtures.user({}, one)
      yield* users.insert(before, hash)
      yield* users.update(new User.Active({ ...before, [field]: Fixtures.user({}, other)[field] }))
      yield* users.insert(twins[field](before, two), hash)
      assert.strictEqual(
        yield* fieldTaken(users.insert(twins[field](Fixtures.user({}, other), `${two}/third`), hash)),
        field
      )
    })
  ),

  law(
    `lets one of many rivals have a ${field}`,
    Effect.gen(function* () {
      const users = yield* UserRepository
      const one = Fixtures.user({}, yield* freshSeed)
      const rivals = (yield* freshSeeds(rivalsCount)).map((seed) => twins[field](one, seed))
      const ends = yield* endsOf(rivals.map((user) => users.insert(user, hash)))
      assert.strictEqual(countOf(ends, "success"), 1)
      assert.strictEqual(countOf(ends, "UserExists"), rivalsCount - 1)
    })
  )
])

/** Everything a `UserRepository` promises. */
export const laws = (): ReadonlyArray<Law<Requirements>> => [
  ...aggregateLaws({
    schema: User.User,
    states,
    varieties: { "Active ADMIN": (seed) => Fixtures.user({ role: "ADMIN" }, seed) },
    transitions: User.transitions,
    idOf: (user) => user.id,
    insert: (user) => Effect.flatMap(UserRepository, (users) => users.insert(user, hash)),
    find: (id) => Effect.flatMap(UserRepository, (users) => users.findById(id)),
    update: (user) => Effect.flatMap(UserRepository, (users) => users.update(user)),
    // Nobody makes an id twice, so the port does not say what then.
    duplicate: ["UserExists", "StorageError"]
  }),

  ...uniqueLaws,

  law(
    "finds a user by e-mail with the hash of the password, or with none",
    Effect.gen(function* () {
      const users = yield* UserRepository
      const [one, two] = [Fixtures.user({}, yield* freshSeed), Fixtures.user({}, yield* freshSeed)]
      assert.isTrue(Option.isNone(yield* users.findByEmail(one.email)))
      yield* users.insert(one, hash)
      yield* users.insert(two, null)
      const [first, second] = [yield* users.findByEmail(one.email), yield* users.findByEmail(two.email)]
      const { passwordHash, user } = Option.getOrThrow(first)
      assert.strictEqual(user.id, one.id)
      assert.strictEqual(passwordHash === null ? null : Redacted.value(passwordHash), Redacted.value(hash))
      assert.isNull(Option.getOrThrow(second).passwordHash)
    })
  ),

  law(
    "keeps the hash of the password when the user changes",
    Effect.gen(function* () {
      const users = yield* UserRepository
      const user = Fixtures.user({}, yield* freshSeed)
      yield* users.insert(user, hash)
      yield* users.update(getOrThrow(User.grant(user, "ADMIN")))
      const found = Option.getOrThrow(yield* users.findByEmail(user.email))
      assert.deepStrictEqual([found.user.role, found.user.version], ["ADMIN", 1])
      assert.strictEqual(found.passwordHash === null ? null : Redacted.value(found.passwordHash), Redacted.value(hash))
    })
  ),

  law(
    "takes a new hash of the password with a change, and none from who withdraws",
    Effect.gen(function* () {
      const users = yield* UserRepository
      const user = Fixtures.user({}, yield* freshSeed)
      const next = Redacted.make("$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$bmV4dA")
      yield* users.insert(user, hash)
      yield* users.update(user, next)
      const { passwordHash } = Option.getOrThrow(yield* users.findByEmail(user.email))
      assert.strictEqual(passwordHash === null ? null : Redacted.value(passwordHash), Redacted.value(next))
      yield* failsWith("StaleWrite", users.update(user, hash))
      yield* users.update(getOrThrow(User.withdraw(atVersion(user, 1), Fixtures.later(1))), next)
      assert.isTrue(Option.isNone(yield* users.findByEmail(user.email)))
    })
  ),

  law(
    "finds a user by the new e-mail alone after it changed",
    Effect.gen(function* () {
      const users = yield* UserRepository
      const [before, other] = [Fixtures.user({}, yield* freshSeed), Fixtures.user({}, yield* freshSeed)]
      yield* users.insert(before, hash)
      yield* users.update(new User.Active({ ...before, email: other.email }))
      assert.isTrue(Option.isNone(yield* users.findByEmail(before.email)))
      assert.strictEqual(Option.getOrThrow(yield* users.findByEmail(other.email)).user.id, before.id)
    })
  ),

  law(
    "finds a user who withdrew by id, and no longer by e-mail",
    Effect.gen(function* () {
      const users = yield* UserRepository
      const user = Fixtures.user({}, yield* freshSeed)
      yield* users.insert(user, hash)
      yield* users.update(getOrThrow(User.withdraw(user, Fixtures.later(1))))
      assert.isTrue(Option.isNone(yield* users.findByEmail(user.email)))
      assert.strictEqual(Option.getOrThrow(yield* users.findById(user.id))._tag, "Withdrawn")
    })
  ),

  law(
    "finds the present display names of many users at once, and none of who withdrew or never was",
    Effect.gen(function* () {
      const users = yield* UserRepository
      const [one, two, gone] = (yield* freshSeeds(3)).map((seed) => Fixtures.user({}, seed))
      if (one === undefined || two === undefined || gone === undefined) return assert.fail("three users")
      for (const user of [one, two, gone]) yield* users.insert(user, hash)
      yield* users.update(getOrThrow(User.withdraw(gone, Fixtures.later(1))))
      const renamed = Fixtures.user({}, yield* freshSeed).displayName
      yield* users.update(new User.Active({ ...two, displayName: renamed }))
      const asked = [one.id, two.id, gone.id, one.id, Fixtures.anyUserId(yield* freshSeed)]
      assert.deepStrictEqual(
        yield* users.findDisplayNames(asked),
        new Map([
          [one.id, one.displayName],
          [two.id, renamed]
        ])
      )
      assert.strictEqual((yield* users.findDisplayNames([])).size, 0)
    })
  ),

  law(
    "lets a user keep its own e-mail, name and phone in an update",
    Effect.gen(function* () {
      const users = yield* UserRepository
      const user = Fixtures.user({}, yield* freshSeed)
      yield* users.insert(user, hash)
      yield* users.update(new User.Active({ ...user, realName: "박서준" }))
      yield* users.update(atVersion(user, 1))
      assert.strictEqual(Option.getOrThrow(yield* users.findById(user.id)).version, 2)
    })
  )
]

/** Runs the laws against a layer. */
export const suite = suiteOf<Requirements>("UserRepository", laws)
