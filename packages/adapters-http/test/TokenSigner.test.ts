import * as IdGenerator from "@pillivery/adapters-memory/IdGenerator"
import { audience, issuer, type Key, layer as signerOf } from "@pillivery/adapters-http/TokenSigner"
import { assert, describe, it } from "@effect/vitest"
import { Identity, TokenSigner } from "@pillivery/application/ports/TokenSigner"
import { SessionId } from "@pillivery/application/ports/TokenStore"
import * as Fixtures from "@pillivery/domain/testing/Fixtures"
import { Effect, Layer, Redacted } from "effect"
import { TestClock } from "effect/testing"
import { decodeJwt, decodeProtectedHeader, SignJWT, UnsecuredJWT } from "jose"

const text = "a secret of the tests, with more than thirty-two bytes"
const bytes = new TextEncoder().encode(text)
const key: Key = { id: "1", secret: Redacted.make(text) }
const layer = (...keys: ReadonlyArray<Key>) => signerOf(keys).pipe(Layer.provide(IdGenerator.layer))
const sessionId = SessionId.make("01890a5d-ac96-774b-bcce-b302099a8057")
const identity = new Identity({ userId: Fixtures.anyUserId(), roles: ["USER"], sessionId })
const claims = {
  roles: ["USER"],
  sid: sessionId,
  sub: identity.userId,
  iss: issuer,
  aud: audience,
  jti: "1",
  iat: 0,
  exp: 600
}
const header = { alg: "HS256", typ: "at+jwt", kid: "1" }

const reasonFor = (token: string) =>
  Effect.flatMap(TokenSigner, (signer) => signer.verify(token)).pipe(
    Effect.match({ onFailure: ({ reason }) => reason, onSuccess: () => "accepted" as const })
  )

describe("TokenSigner", () => {
  it.effect("accepts what it signed for thirty minutes, and puts nothing personal into it", () =>
    Effect.gen(function* () {
      const signer = yield* TokenSigner
      const { expiresInSeconds, token } = yield* signer.sign(identity)
      assert.strictEqual(expiresInSeconds, 1_800)
      assert.deepStrictEqual(yield* signer.verify(token), identity)
      assert.deepStrictEqual(decodeProtectedHeader(token), header)
      assert.sameMembers(Object.keys(decodeJwt(token)), ["roles", "sid", "sub", "iss", "aud", "jti", "iat", "exp"])
      yield* TestClock.adjust("29 minutes")
      assert.strictEqual(yield* reasonFor(token), "accepted")
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(yield* reasonFor(token), "expired")
    }).pipe(Effect.provide(layer(key)))
  )

  it.effect("refuses another algorithm, type, issuer, audience, key or signature, and missing claims", () =>
    Effect.gen(function* () {
      const sign = (changedHeader: object, changedClaims: object, secret = bytes) =>
        Effect.promise(() =>
          new SignJWT({ ...claims, ...changedClaims }).setProtectedHeader({ ...header, ...changedHeader }).sign(secret)
        )
      assert.strictEqual(yield* reasonFor(yield* sign({}, {})), "accepted")
      const forged = [
        yield* sign({ alg: "HS512" }, {}, new Uint8Array(64)),
        yield* sign({ typ: "JWT" }, {}),
        yield* sign({ kid: "2" }, {}),
        yield* sign({}, { iss: "somebody" }),
        yield* sign({}, { aud: "another-api" }),
        yield* sign({}, { sub: "root" }),
        yield* sign({}, { roles: ["OWNER"] }),
        yield* sign({}, {}, new TextEncoder().encode("another secret that is also more than 32 bytes")),
        new UnsecuredJWT(claims).encode(),
        "a.b.c",
        ""
      ]
      for (const token of forged) assert.notStrictEqual(yield* reasonFor(token), "accepted", token)
    }).pipe(Effect.provide(layer(key)))
  )

  it.effect("signs with the first key and accepts tokens of every key, so that keys can be rotated", () =>
    Effect.gen(function* () {
      const sign = Effect.flatMap(TokenSigner, (signer) => signer.sign(identity))
      const old = yield* sign.pipe(Effect.provide(layer(key)))
      const next: Key = { id: "2", secret: Redacted.make("another secret that is also more than 32 bytes") }
      assert.strictEqual(yield* reasonFor(old.token).pipe(Effect.provide(layer(next, key))), "accepted")
      assert.strictEqual(yield* reasonFor(old.token).pipe(Effect.provide(layer(next))), "untrusted")
      const fresh = yield* sign.pipe(Effect.provide(layer(next, key)))
      assert.strictEqual(decodeProtectedHeader(fresh.token).kid, "2")
    })
  )

  it.effect("does not start without keys, with a short one or with two of one name", () =>
    Effect.gen(function* () {
      const reason = (...keys: ReadonlyArray<Key>) =>
        Effect.flip(Effect.scoped(Layer.build(layer(...keys)))).pipe(Effect.map((error) => error.reason))
      assert.strictEqual(yield* reason(), "none")
      assert.strictEqual(yield* reason({ id: "1", secret: Redacted.make("short") }), "tooShort")
      assert.strictEqual(yield* reason(key, key), "repeatedId")
    })
  )
})
