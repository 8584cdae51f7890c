import * as Memory from "@pillivery/adapters-memory/Memory"
import { assert, describe, it } from "@effect/vitest"
import { grantAdmin } from "@pillivery/application/Users/GrantAdmin"
import { getMe } from "@pillivery/application/Users/GetMe"
import { logIn } from "@pillivery/application/Users/LogIn"
import { type SignUp, signUp } from "@pillivery/application/Users/SignUp"
import { UserRepository } from "@pillivery/application/ports/UserRepository"
import * as Fixtures from "@pillivery/domain/testing/Fixtures"
import { Address } from "@pillivery/domain/Receiver"
import * as User from "@pillivery/domain/User"
import { DateTime, Effect, Layer, Redacted, Ref, Result } from "effect"
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
      const command = { email: "MINJI@example.com", password: minji.password }
      assert.strictEqual((yield* logIn(command)).token, `${user.id} USER`)
      yield* users.update(Result.getOrThrow(User.grant(user, "ADMIN")))
      assert.strictEqual((yield* logIn(command)).token, `${user.id} USER+ADMIN`)
    }).pipe(Effect.provide(layer))
  )

  it.effect("takes a password however the keyboard composed it", () =>
    Effect.gen(function* () {
      yield* signUp({ ...minji, password: Redacted.make("비밀번호-abc-7!".normalize("NFD")) })
      const session = yield* logIn({ email: "minji@example.com", password: Redacted.make("비밀번호-abc-7!") })
      assert.strictEqual(session.expiresInSeconds, 1_800)
    }).pipe(Effect.provide(layer))
  )

  it.effect(
    "says the same of an unknown e-mail, a wrong password and text that is no e-mail, after the same work",
    () =>
      Effect.gen(function* () {
        yield* signUp(minji)
        const attempts = [
          { email: "nobody@example.com", password: minji.password },
          { email: "minji@example.com", password: Redacted.make("wrong-horse-7!") },
          { email: "no e-mail", password: minji.password }
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
      const command = { email: "minji@example.com", password: minji.password }
      assert.strictEqual((yield* Effect.flip(logIn(command)))._tag, "LogInRejected")
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
