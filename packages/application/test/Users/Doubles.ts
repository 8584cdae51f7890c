/** A hasher and a signer that do nothing hard, and count. */
import { PasswordHasher } from "@pillivery/application/ports/PasswordHasher"
import { TokenRejected, TokenSigner } from "@pillivery/application/ports/TokenSigner"
import { Context, Effect, Layer, Redacted, Ref } from "effect"

/** How often a password was verified, and against which hash. */
export class Verified extends Context.Service<Verified, Ref.Ref<ReadonlyArray<string | null>>>()("test/Verified") {}

const verified = Layer.effect(Verified, Ref.make<ReadonlyArray<string | null>>([]))

const hasher = Layer.effect(
  PasswordHasher,
  Effect.gen(function* () {
    const calls = yield* Verified
    const hashOf = (password: Redacted.Redacted) => `hash of ${Redacted.value(password)}`
    return PasswordHasher.of({
      hash: (password) => Effect.succeed(Redacted.make(hashOf(password))),
      verify: (password, hash) => {
        const text = hash === null ? null : Redacted.value(hash)
        return Effect.as(
          Ref.update(calls, (earlier) => [...earlier, text]),
          text === hashOf(password)
        )
      }
    })
  })
)

const signer = Layer.succeed(TokenSigner, {
  sign: (identity) =>
    Effect.succeed({ token: `${identity.userId} ${identity.roles.join("+")}`, expiresInSeconds: 1_800 }),
  verify: () => Effect.fail(new TokenRejected({ reason: "untrusted" }))
})

/** Both. */
export const layer = Layer.merge(hasher, signer).pipe(Layer.provideMerge(verified))
