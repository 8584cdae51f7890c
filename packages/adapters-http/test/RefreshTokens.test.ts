import { layer, tokenLength } from "@pillivery/adapters-http/RefreshTokens"
import { assert, describe, it } from "@effect/vitest"
import { RefreshTokens } from "@pillivery/application/ports/RefreshTokens"
import { SessionId } from "@pillivery/application/ports/TokenStore"
import * as Fixtures from "@pillivery/domain/testing/Fixtures"
import { Effect, Redacted } from "effect"

const session = {
  userId: Fixtures.anyUserId(),
  sessionId: SessionId.make("01890a5d-ac96-774b-bcce-b302099a8057")
}

describe("RefreshTokens", () => {
  it.effect("reads what it made, and makes no two alike", () =>
    Effect.gen(function* () {
      const tokens = yield* RefreshTokens
      const made = yield* Effect.replicateEffect(tokens.make(session), 100)
      assert.strictEqual(new Set(made.map(({ hash }) => hash)).size, 100)
      for (const token of made) {
        const read = tokens.read(token.token)
        assert.deepStrictEqual(
          [read?.userId, read?.sessionId, read?.hash],
          [session.userId, session.sessionId, token.hash]
        )
        assert.strictEqual(Redacted.value(token.token).length, tokenLength)
        assert.notInclude(token.hash, Redacted.value(token.token).slice(-43))
      }
    }).pipe(Effect.provide(layer))
  )

  it.effect("reads nothing else, nor another spelling of a token", () =>
    Effect.gen(function* () {
      const tokens = yield* RefreshTokens
      const text = Redacted.value((yield* tokens.make(session)).token)
      // The last character of each part has bits that no byte uses.
      const others = ["A", "B", "C", "D"].map((last) => text.slice(0, -1) + last).filter((other) => other !== text)
      const read = [
        "",
        "nonsense",
        `${text} `,
        ` ${text}`,
        text.replaceAll(".", "-"),
        text.slice(1),
        `${text}=`,
        ...others
      ]
        .map((each) => tokens.read(Redacted.make(each)))
        .filter((token) => token !== null)
      // One of four last characters at most is another token, of another secret.
      assert.isAtMost(read.length, 1)
      for (const { hash } of read) assert.notStrictEqual(hash, tokens.read(Redacted.make(text))?.hash)
    }).pipe(Effect.provide(layer))
  )

  it.effect("seals a token so that only who has the one before it can read it", () =>
    Effect.gen(function* () {
      const tokens = yield* RefreshTokens
      const [before, next, other] = [
        yield* tokens.make(session),
        yield* tokens.make(session),
        yield* tokens.make(session)
      ]
      const { hash, sealed } = tokens.seal(next, before)
      assert.strictEqual(hash, next.hash)
      assert.notInclude(Redacted.value(next.token), sealed)
      assert.strictEqual(Redacted.value(tokens.unseal(sealed, before)), Redacted.value(next.token))
      assert.notStrictEqual(Redacted.value(tokens.unseal(sealed, other)), Redacted.value(next.token))
    }).pipe(Effect.provide(layer))
  )
})
