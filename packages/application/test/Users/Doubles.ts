/** A hasher, a signer and refresh tokens that do nothing hard, and count. */
import { PasswordHasher } from "@pillivery/application/ports/PasswordHasher"
import { type ReadToken, RefreshTokens } from "@pillivery/application/ports/RefreshTokens"
import { TokenRejected, TokenSigner } from "@pillivery/application/ports/TokenSigner"
import { SessionId, type SessionKey } from "@pillivery/application/ports/TokenStore"
import { UserId } from "@pillivery/domain/Ids"
import { Context, Effect, Layer, Redacted, Ref } from "effect"
import * as RateLimiter from "effect/persistence/RateLimiter"

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

const tokenOf = (session: SessionKey, secret: string): ReadToken => {
  const text = `${session.userId} ${session.sessionId} ${secret}`
  return { ...session, token: Redacted.make(text), hash: `hash of ${text}` }
}

const refreshTokens = Layer.sync(RefreshTokens, () => {
  let made = 0
  return RefreshTokens.of({
    make: ({ sessionId, userId }) => Effect.sync(() => tokenOf({ sessionId, userId }, String(made++))),
    read: (text) => {
      const [userId, sessionId, secret] = Redacted.value(text).split(" ")
      return userId === undefined || sessionId === undefined || secret === undefined
        ? null
        : tokenOf({ userId: UserId.make(userId), sessionId: SessionId.make(sessionId) }, secret)
    },
    seal: (token) => ({ hash: token.hash, sealed: Redacted.value(token.token) }),
    unseal: (sealed) => Redacted.make(sealed)
  })
})

/** All of them, and a counter of tries. */
export const layer = Layer.mergeAll(
  hasher,
  signer,
  refreshTokens,
  RateLimiter.layer.pipe(Layer.provide(RateLimiter.layerStoreMemory))
).pipe(Layer.provideMerge(verified))
