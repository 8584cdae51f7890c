/** What is logged of those who try what they may not, and what is not. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Logger } from "effect"
import * as Shop from "./Shop.ts"

/** Plays with a shop and answers the lines it logged. */
const logged = <A, E>(play: Effect.Effect<A, E, Shop.Shop>) =>
  Effect.gen(function* () {
    const lines: Array<string> = []
    const logger = Logger.map(Logger.formatJson, (line) => void lines.push(line))
    const answer = yield* play.pipe(Effect.provide(Shop.layer.pipe(Layer.provide(Logger.layer([logger])))))
    return { answer, lines }
  })

describe("tries and refusals", () => {
  it.live("are logged by whom and from where, and never with a password or a token", () =>
    Effect.gen(function* () {
      const { answer: secrets, lines } = yield* logged(
        Effect.gen(function* () {
          const token = yield* Shop.logIn(1)
          const session = yield* Shop.beginSession(1)
          const { email } = Shop.signUpBody(1)
          yield* Shop.send("POST", "/api/users/auth", { body: { email, password: "wrong-horse-7!" } })
          yield* Shop.send("POST", "/api/admin/items", { token, body: { name: "a", brand: "b", originPrice: 1 } })
          const refresh = Shop.send("POST", "/api/users/auth/refresh", { body: { refreshToken: session.refreshToken } })
          yield* Effect.replicateEffect(refresh, 3)
          return [
            token,
            session.refreshToken,
            session.accessToken,
            "wrong-horse-7!",
            Shop.signUpBody(1).password,
            email
          ]
        })
      )
      const all = lines.join("\n")
      assert.include(all, "A log-in was rejected")
      assert.include(all, "asked for what only they may do")
      for (const secret of secrets) assert.notInclude(all, secret)
      for (const line of lines) assert.match(line, /"timestamp":"\d{4}-\d{2}-\d{2}T[\d:.]+Z"/)
    })
  )

  it.live("are one line each, whatever a caller sends", () =>
    Effect.gen(function* () {
      const forged = 'x"}\n{"level":"INFO","message":"forged"}'
      const { lines } = yield* logged(
        Effect.forEach(["\u2028", "\r\n", "\n", forged], (text) =>
          Shop.send("POST", "/api/users/auth", {
            body: { email: `${text}@example.com`, password: text },
            headers: { "x-request-id": encodeURIComponent(text) }
          })
        )
      )
      for (const line of lines) {
        assert.notInclude(line, "\n")
        assert.notInclude(line, "forged")
        assert.doesNotThrow(() => JSON.parse(line))
      }
    })
  )
})
