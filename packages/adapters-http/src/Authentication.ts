/**
 * Who is calling, from the access token.
 *
 * @since 0.1.0
 */
import { TokenSigner } from "@pillivery/application/ports/TokenSigner"
import { Effect, Layer, Redacted } from "effect"
import { HttpEffect, HttpServerResponse } from "effect/http"
import { toProblem } from "./Answer.ts"
import { Authentication, CurrentIdentity } from "./api/Middleware.ts"

/** The longest token that is looked at, in characters. */
export const tokenLengthMax = 4_096

const missing = { _tag: "UnauthenticatedRequest", message: "there is no access token" } as const
const tooLong = { _tag: "TokenRejected", message: "the access token is too long" } as const

const challenge = HttpEffect.appendPreResponseHandler((_request, response) =>
  Effect.succeed(HttpServerResponse.setHeader(response, "www-authenticate", "Bearer"))
)

/** Lets in who has a token that the signer takes. */
export const layer = Layer.effect(
  Authentication,
  Effect.gen(function* () {
    const signer = yield* TokenSigner
    const refuse = <E extends Parameters<typeof toProblem>[0]>(error: E) =>
      Effect.andThen(challenge, Effect.flatMap(toProblem(error), Effect.fail))
    return Authentication.of({
      bearer: (httpEffect, { credential }) => {
        const token = Redacted.value(credential)
        if (token === "") return refuse(missing)
        if (token.length > tokenLengthMax) return refuse(tooLong)
        return Effect.matchEffect(signer.verify(token), {
          onFailure: refuse,
          onSuccess: (identity) => Effect.provideService(httpEffect, CurrentIdentity, identity)
        })
      }
    })
  })
)
