/**
 * Access tokens as signed JWTs.
 *
 * HS256 with a key id, so that keys can be rotated: new tokens are signed with the first key, tokens of any listed key are
 * accepted. The algorithm, type, issuer and audience are checked against constants, never taken from the token.
 *
 * @since 0.1.0
 */
import { IdGenerator } from "@pillivery/application/ports/IdGenerator"
import { accessTokenMinutes, Identity, TokenRejected, TokenSigner } from "@pillivery/application/ports/TokenSigner"
import { Cache, Clock, Duration, Effect, Exit, Layer, Redacted, Schema } from "effect"
import { errors, jwtVerify, SignJWT } from "jose"

/** The shortest secret, in bytes: the output size of SHA-256. */
export const secretBytesMin = 32
/** Who issues our tokens, and for whom. */
export const issuer = "pillivery"
export const audience = "pillivery-api"

/** How many accepted tokens are recognised without checking their signature again. */
export const checkedMax = 10_000

const algorithm = "HS256"
const type = "at+jwt"
const millisPerSecond = 1_000
const secondsPerMinute = 60
const expiresInSeconds = accessTokenMinutes * secondsPerMinute

/** A key; `id` is public and says which key signed a token. */
export interface Key {
  readonly id: string
  readonly secret: Redacted.Redacted
}

/** There is no key, a secret is too short, or two keys have one id. */
export class KeysInvalid extends Schema.TaggedError<KeysInvalid>("@pillivery/adapters-http/TokenSigner/KeysInvalid")(
  "KeysInvalid",
  { reason: Schema.Literals(["none", "tooShort", "repeatedId"]) }
) {
  override get message() {
    return this.reason === "tooShort"
      ? `a token secret has at least ${secretBytesMin} bytes`
      : this.reason === "none"
        ? "there is no token secret"
        : "two token secrets have the same id"
  }
}

const Claims = Schema.Struct({
  sub: Identity.fields.userId,
  roles: Identity.fields.roles,
  sid: Identity.fields.sessionId,
  jti: Schema.String,
  exp: Schema.Int
})
const decodeClaims = Schema.decodeUnknownEffect(Claims)
const encoder = new TextEncoder()

/** Signs with the first key and accepts tokens of every key. */
export const layer = (keys: ReadonlyArray<Key>): Layer.Layer<TokenSigner, KeysInvalid, IdGenerator> =>
  Layer.effect(
    TokenSigner,
    Effect.gen(function* () {
      const ids = yield* IdGenerator
      const secrets = new Map(keys.map((key) => [key.id, encoder.encode(Redacted.value(key.secret))]))
      const first = keys[0]
      if (first === undefined) return yield* new KeysInvalid({ reason: "none" })
      if (secrets.size !== keys.length) return yield* new KeysInvalid({ reason: "repeatedId" })
      if ([...secrets.values()].some((secret) => secret.length < secretBytesMin)) {
        return yield* new KeysInvalid({ reason: "tooShort" })
      }
      const signingSecret = encoder.encode(Redacted.value(first.secret))

      const sign = Effect.fn("TokenSigner.sign")(function* (identity: Identity) {
        const jti = yield* ids.next
        const issuedAt = Math.floor((yield* Clock.currentTimeMillis) / millisPerSecond)
        const token = yield* Effect.promise(() =>
          new SignJWT({ roles: identity.roles, sid: identity.sessionId })
            .setProtectedHeader({ alg: algorithm, typ: type, kid: first.id })
            .setSubject(identity.userId)
            .setIssuer(issuer)
            .setAudience(audience)
            .setJti(jti)
            .setIssuedAt(issuedAt)
            .setExpirationTime(issuedAt + expiresInSeconds)
            .sign(signingSecret)
        )
        return { token, expiresInSeconds }
      })

      const check = Effect.fnUntraced(function* (token: string) {
        const nowMillis = yield* Clock.currentTimeMillis
        const verified = yield* Effect.tryPromise({
          try: () =>
            jwtVerify(
              token,
              ({ kid }) => {
                const secret = kid === undefined ? undefined : secrets.get(kid)
                if (secret === undefined) throw new errors.JWKSNoMatchingKey()
                return secret
              },
              {
                algorithms: [algorithm],
                typ: type,
                issuer,
                audience,
                currentDate: new Date(nowMillis),
                requiredClaims: ["sub", "jti", "exp", "iat"]
              }
            ),
          catch: (cause) => new TokenRejected({ reason: reasonOf(cause) })
        })
        const claims = yield* decodeClaims(verified.payload).pipe(
          Effect.mapError(() => new TokenRejected({ reason: "malformed" }))
        )
        return {
          identity: new Identity({ userId: claims.sub, roles: claims.roles, sessionId: claims.sid }),
          leftMillis: claims.exp * millisPerSecond - nowMillis
        }
      })

      // A token is sent with every request of half an hour, and what was found of it stays true until it expires.
      const checked = yield* Cache.makeWith(check, {
        capacity: checkedMax,
        timeToLive: (exit) => (Exit.isSuccess(exit) ? Duration.millis(exit.value.leftMillis) : Duration.zero)
      })
      const verify = (token: string) => Effect.map(Cache.get(checked, token), ({ identity }) => identity)

      return TokenSigner.of({ sign, verify })
    })
  )

const reasonOf = (cause: unknown): TokenRejected["reason"] => {
  if (cause instanceof errors.JWTExpired) return "expired"
  if (cause instanceof errors.JWSInvalid || cause instanceof errors.JWTInvalid) return "malformed"
  return "untrusted"
}
