import * as Memory from "@pillivery/adapters-memory/Memory"
import { assert, describe, it } from "@effect/vitest"
import { grantAdmin } from "@pillivery/application/Users/GrantAdmin"
import { getMe } from "@pillivery/application/Users/GetMe"
import { changeProfile } from "@pillivery/application/Users/ChangeProfile"
import { logIn } from "@pillivery/application/Users/LogIn"
import { triesMax, triesOfAddressMax } from "@pillivery/application/Users/LogInThrottle"
import { refreshSession } from "@pillivery/application/Users/Sessions"
import { type SignUp, signUp } from "@pillivery/application/Users/SignUp"
import { IdGenerator } from "@pillivery/application/ports/IdGenerator"
import { Identity } from "@pillivery/application/ports/TokenSigner"
import { SessionId, successorWindowMillis, TokenStore } from "@pillivery/application/ports/TokenStore"
import { UserRepository } from "@pillivery/application/ports/UserRepository"
import * as Fixtures from "@pillivery/domain/testing/Fixtures"
import { Address } from "@pillivery/domain/Receiver"
import * as User from "@pillivery/domain/User"
import { DateTime, Effect, Layer, Redacted, Ref, Result } from "effect"
import { TestClock } from "effect/testing"
import * as Doubles from "./Doubles.ts"

const layer = Layer.merge(Memory.layer, Doubles.layer)

const minji: SignUp = {
  email: " Minji@Example.com ",
  password: Redacted.make("correct-horse-7!"),
  displayName: " 민지 ",
  realName: "김민지",
  phone: "01012345678",
  address: new Address({ city: "서울특별시 마포구", detail: "월드컵로 1" })
}

const minjisLogIn = { email: "minji@example.com", password: minji.password, address: "203.0.113.7" }
const wrong = { ...minjisLogIn, password: Redacted.make("wrong-horse-7!") }

describe("signUp", () => {
  it.effect("keeps one spelling of what was typed, and never the password", () =>
    Effect.gen(function* () {
      const user = yield* signUp(minji)
      assert.strictEqual(user.email, "minji@example.com")
      assert.strictEqual(user.displayName, "민지")
      assert.strictEqual(user.phone, "010-1234-5678")
      assert.strictEqual(user.role, "USER")
      assert.notInclude(JSON.stringify(user), "correct-horse")
      assert.deepStrictEqual(yield* getMe(user.id), user)
    }).pipe(Effect.provide(layer))
  )

  it.effect("tells everything that is wrong at once, and writes nothing", () =>
    Effect.gen(function* () {
      const failure = yield* Effect.flip(
        signUp({
          ...minji,
          email: "nobody",
          password: Redacted.make("short"),
          displayName: "\u3164",
          phone: "02-123-4567",
          realName: " "
        })
      )
      assert(failure._tag === "SignUpInvalid")
      assert.deepStrictEqual(
        failure.failures.map(({ field, rule }) => `${field}: ${rule}`),
        [
          "email: malformed",
          "password: lengthMin",
          "password: digit",
          "password: special",
          "displayName: blank",
          "realName: blank",
          "phone: malformed"
        ]
      )
      assert.notInclude(failure.message, "short")
      assert.strictEqual((yield* signUp(minji)).displayName, "민지")
    }).pipe(Effect.provide(layer))
  )

  it.effect("names the field somebody else has", () =>
    Effect.gen(function* () {
      yield* signUp(minji)
      const again = yield* Effect.flip(signUp({ ...minji, displayName: "다른 민지", phone: "010-9999-9999" }))
      assert(again._tag === "UserExists")
      assert.strictEqual(again.field, "email")
      const named = yield* Effect.flip(signUp({ ...minji, email: "b@example.com", phone: "010-9999-9999" }))
      assert(named._tag === "UserExists")
      assert.strictEqual(named.field, "displayName")
    }).pipe(Effect.provide(layer))
  )
})

describe("logIn", () => {
  it.effect("answers a token that names the user and its roles", () =>
    Effect.gen(function* () {
      const users = yield* UserRepository
      const user = yield* signUp(minji)
      const command = { ...minjisLogIn, email: "MINJI@example.com" }
      assert.strictEqual((yield* logIn(command)).accessToken, `${user.id} USER`)
      yield* users.update(Result.getOrThrow(User.grant(user, "ADMIN")))
      assert.strictEqual((yield* logIn(command)).accessToken, `${user.id} USER+ADMIN`)
    }).pipe(Effect.provide(layer))
  )

  it.effect("takes a password however the keyboard composed it", () =>
    Effect.gen(function* () {
      yield* signUp({ ...minji, password: Redacted.make("비밀번호-abc-7!".normalize("NFD")) })
      const session = yield* logIn({ ...minjisLogIn, password: Redacted.make("비밀번호-abc-7!") })
      assert.strictEqual(session.expiresInSeconds, 1_800)
    }).pipe(Effect.provide(layer))
  )

  it.effect(
    "says the same of an unknown e-mail, a wrong password and text that is no e-mail, after the same work",
    () =>
      Effect.gen(function* () {
        yield* signUp(minji)
        const attempts = [
          { ...minjisLogIn, email: "nobody@example.com" },
          { ...minjisLogIn, password: Redacted.make("wrong-horse-7!") },
          { ...minjisLogIn, email: "no e-mail" }
        ]
        const failures = yield* Effect.forEach(attempts, (command) => Effect.flip(logIn(command)))
        assert.deepStrictEqual(
          failures.map((failure) => JSON.stringify(failure)),
          failures.map(() => JSON.stringify(failures[0]))
        )
        assert.strictEqual((yield* Ref.get(yield* Doubles.Verified)).length, attempts.length)
      }).pipe(Effect.provide(layer))
  )

  it.effect("does not let in who has left", () =>
    Effect.gen(function* () {
      const users = yield* UserRepository
      const user = yield* signUp(minji)
      yield* users.update(Result.getOrThrow(User.withdraw(user, DateTime.makeUnsafe(0))))
      assert.strictEqual((yield* Effect.flip(logIn(minjisLogIn)))._tag, "LogInRejected")
      assert.strictEqual((yield* Effect.flip(getMe(user.id)))._tag, "UserGone")
    }).pipe(Effect.provide(layer))
  )
})

describe("getMe", () => {
  it.effect("knows nobody who never was", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* Effect.flip(getMe(Fixtures.anyUserId())))._tag, "UserGone")
    }).pipe(Effect.provide(layer))
  )
})

describe("grantAdmin", () => {
  it.effect("gives the role once, and refuses an e-mail that nobody has or no longer has", () =>
    Effect.gen(function* () {
      const users = yield* UserRepository
      const user = yield* signUp(minji)
      assert.deepStrictEqual(yield* grantAdmin(user.email), { userId: user.id, isNew: true })
      assert.deepStrictEqual(yield* grantAdmin(user.email), { userId: user.id, isNew: false })
      const admin = yield* getMe(user.id)
      assert.deepStrictEqual([admin.role, admin.version], ["ADMIN", 1])
      yield* users.update(Result.getOrThrow(User.withdraw(admin, Fixtures.now)))
      const refused = yield* Effect.flip(grantAdmin(user.email))
      assert.strictEqual(refused.message, "nobody has signed up with minji@example.com")
    }).pipe(Effect.provide(layer))
  )
})

describe("logging in again and again", () => {
  it.effect("is slowed down for one e-mail from one address, also with the right password, and nowhere else", () =>
    Effect.gen(function* () {
      yield* signUp(minji)
      const ends = yield* Effect.replicateEffect(Effect.flip(logIn(wrong)), triesMax + 1)
      assert.deepStrictEqual(
        ends.map(({ _tag }) => _tag),
        [...ends.slice(1).map(() => "LogInRejected"), "LogInThrottled"]
      )
      const throttled = yield* Effect.flip(logIn(minjisLogIn))
      assert(throttled._tag === "LogInThrottled")
      assert.isAtLeast(throttled.retryAfterSeconds, 1)
      assert.strictEqual((yield* logIn({ ...minjisLogIn, address: "203.0.113.8" })).user.email, "minji@example.com")
      yield* TestClock.adjust(`${throttled.retryAfterSeconds} seconds`)
      assert.strictEqual((yield* logIn(minjisLogIn)).user.email, "minji@example.com")
    }).pipe(Effect.provide(layer))
  )

  it.effect("is slowed down as much for an e-mail that nobody has", () =>
    Effect.gen(function* () {
      const nobody = { ...wrong, email: "nobody@example.com" }
      const ends = yield* Effect.replicateEffect(Effect.flip(logIn(nobody)), triesMax + 1)
      assert.strictEqual(ends.filter(({ _tag }) => _tag === "LogInThrottled").length, 1)
    }).pipe(Effect.provide(layer))
  )

  it.effect("is slowed down for one address that tries many e-mails", () =>
    Effect.gen(function* () {
      const ends = yield* Effect.forEach(Array.from({ length: triesOfAddressMax + 1 }).keys(), (number) =>
        Effect.flip(logIn({ ...wrong, email: `user${number}@example.com` }))
      )
      assert.strictEqual(ends.filter(({ _tag }) => _tag === "LogInThrottled").length, 1)
    }).pipe(Effect.provide(layer))
  )
})

describe("a session", () => {
  const begun = Effect.gen(function* () {
    const user = yield* signUp(minji)
    return { user, session: yield* logIn(minjisLogIn) }
  })

  it.effect("goes on with each refresh token once, and with today's role", () =>
    Effect.gen(function* () {
      const users = yield* UserRepository
      const { session, user } = yield* begun
      const second = yield* refreshSession(session.refreshToken)
      yield* users.update(Result.getOrThrow(User.grant(user, "ADMIN")))
      const third = yield* refreshSession(second.refreshToken)
      assert.strictEqual(third.accessToken, `${user.id} USER+ADMIN`)
      const tokens = [session, second, third].map(({ refreshToken }) => Redacted.value(refreshToken))
      assert.strictEqual(new Set(tokens).size, 3)
    }).pipe(Effect.provide(layer))
  )

  it.effect("answers two tabs that refresh at once the same token", () =>
    Effect.gen(function* () {
      const { session } = yield* begun
      const one = yield* refreshSession(session.refreshToken)
      yield* TestClock.adjust(successorWindowMillis)
      const two = yield* refreshSession(session.refreshToken)
      assert.strictEqual(Redacted.value(one.refreshToken), Redacted.value(two.refreshToken))
      yield* refreshSession(two.refreshToken)
    }).pipe(Effect.provide(layer))
  )

  it.effect("ends when a token is used again later, for the thief and for the user", () =>
    Effect.gen(function* () {
      const { session } = yield* begun
      const next = yield* refreshSession(session.refreshToken)
      yield* TestClock.adjust(successorWindowMillis + 1)
      const reused = yield* Effect.flip(refreshSession(session.refreshToken))
      assert.deepStrictEqual(reused._tag === "RefreshRejected" && reused.reason, "reused")
      const ended = yield* Effect.flip(refreshSession(next.refreshToken))
      assert.deepStrictEqual(ended._tag === "RefreshRejected" && ended.reason, "ended")
    }).pipe(Effect.provide(layer))
  )

  it.effect("ends with its user, and when nobody used it for seven hours", () =>
    Effect.gen(function* () {
      const users = yield* UserRepository
      const { session, user } = yield* begun
      const other = yield* logIn(minjisLogIn)
      yield* TestClock.adjust("7 hours")
      assert.strictEqual((yield* Effect.flip(refreshSession(other.refreshToken)))._tag, "RefreshRejected")
      const late = yield* logIn(minjisLogIn)
      yield* users.update(Result.getOrThrow(User.withdraw(user, DateTime.makeUnsafe(0))))
      const gone = yield* Effect.flip(refreshSession(late.refreshToken))
      assert.deepStrictEqual(gone._tag === "RefreshRejected" && gone.reason, "userGone")
      assert.strictEqual((yield* Effect.flip(refreshSession(session.refreshToken)))._tag, "RefreshRejected")
    }).pipe(Effect.provide(layer))
  )

  it.effect("is not begun by text that is no token of ours", () =>
    Effect.gen(function* () {
      const refused = yield* Effect.flip(refreshSession(Redacted.make("nonsense")))
      assert.deepStrictEqual(refused._tag === "RefreshRejected" && refused.reason, "malformed")
    }).pipe(Effect.provide(layer))
  )
})

describe("changeProfile", () => {
  const asMinji = Effect.gen(function* () {
    const user = yield* signUp(minji)
    const store = yield* TokenStore
    const sessions = [yield* freshSession(user), yield* freshSession(user)] as const
    for (const session of sessions) yield* store.begin(session, "token", 0)
    const identity = new Identity({ userId: user.id, roles: ["USER"], sessionId: sessions[0].sessionId })
    return { user, identity, alive: Effect.forEach(sessions, store.isAlive) }
  })
  const freshSession = (user: User.Active) =>
    Effect.map(
      IdGenerator.use((ids) => ids.next),
      (id) => ({ userId: user.id, sessionId: SessionId.make(id) })
    )

  it.effect("changes what is named and keeps the rest, in one spelling", () =>
    Effect.gen(function* () {
      const { identity, user } = yield* asMinji
      const changed = yield* changeProfile(identity, { displayName: " 새 민지 ", phone: "01087654321" })
      assert.deepStrictEqual(
        [changed.displayName, changed.phone, changed.realName, changed.email],
        ["새 민지", "010-8765-4321", user.realName, user.email]
      )
      assert.deepStrictEqual(yield* getMe(user.id), changed)
    }).pipe(Effect.provide(layer))
  )

  it.effect("changes nothing when one of the fields breaks a rule", () =>
    Effect.gen(function* () {
      const { identity, user } = yield* asMinji
      const refused = yield* Effect.flip(changeProfile(identity, { displayName: "새 민지", phone: "1" }))
      assert.strictEqual(refused._tag, "SignUpInvalid")
      assert.strictEqual((yield* getMe(user.id)).displayName, "민지")
    }).pipe(Effect.provide(layer))
  )

  it.effect("takes a new password for the old one, and ends every other session", () =>
    Effect.gen(function* () {
      const { alive, identity } = yield* asMinji
      const next = Redacted.make("battery-staple-8!")
      yield* changeProfile(identity, { password: { current: minji.password, next } })
      assert.deepStrictEqual(yield* alive, [true, false])
      assert.strictEqual((yield* Effect.flip(logIn(minjisLogIn)))._tag, "LogInRejected")
      yield* logIn({ ...minjisLogIn, password: next })
    }).pipe(Effect.provide(layer))
  )

  it.effect("keeps the password, the profile and the sessions when the old password is wrong", () =>
    Effect.gen(function* () {
      const { alive, identity, user } = yield* asMinji
      const password = { current: wrong.password, next: Redacted.make("battery-staple-8!") }
      const refused = yield* Effect.flip(changeProfile(identity, { displayName: "새 민지", password }))
      assert.strictEqual(refused._tag, "PasswordRejected")
      assert.deepStrictEqual(yield* alive, [true, true])
      assert.strictEqual((yield* getMe(user.id)).displayName, "민지")
      yield* logIn(minjisLogIn)
    }).pipe(Effect.provide(layer))
  )
})
