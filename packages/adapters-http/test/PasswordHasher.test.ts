import * as Hasher from "@pillivery/adapters-http/PasswordHasher"
import { assert, describe, it } from "@effect/vitest"
import { PasswordHasher } from "@pillivery/application/ports/PasswordHasher"
import { Effect, Redacted } from "effect"

const password = Redacted.make("correct-horse-7!")

describe("PasswordHasher", () => {
  it.live("hashes with a salt of its own, and verifies only the same password", () =>
    Effect.gen(function* () {
      const hasher = yield* PasswordHasher
      const [one, two] = [yield* hasher.hash(password), yield* hasher.hash(password)]
      assert.notStrictEqual(Redacted.value(one), Redacted.value(two))
      assert.match(Redacted.value(one), /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
      assert.isTrue(yield* hasher.verify(password, one))
      assert.isFalse(yield* hasher.verify(Redacted.make("correct-horse-7?"), one))
    }).pipe(Effect.provide(Hasher.layer))
  )

  it.live("verifies a hash of another program and of other parameters", () =>
    Effect.gen(function* () {
      const hasher = yield* PasswordHasher
      // Made with the reference implementation: echo -n password | argon2 somesalt -id -t 2 -m 16 -p 1 -l 32
      const reference = Redacted.make(
        "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
      )
      assert.isTrue(yield* hasher.verify(Redacted.make("password"), reference))
      assert.isFalse(yield* hasher.verify(Redacted.make("passwort"), reference))
    }).pipe(Effect.provide(Hasher.layer))
  )

  it.live("says no to a hash that is missing, damaged or greedy, and works as long for it", () =>
    Effect.gen(function* () {
      const hasher = yield* PasswordHasher
      const greedy = "$argon2id$v=19$m=9999999,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
      for (const hash of [null, "", "$2b$10$abcdefghijklmnopqrstuv", greedy]) {
        const startedAt = performance.now()
        assert.isFalse(yield* hasher.verify(password, hash === null ? null : Redacted.make(hash)))
        assert.isAbove(performance.now() - startedAt, 5)
      }
    }).pipe(Effect.provide(Hasher.layer))
  )
})
