/**
 * Who is calling, from the access token.
 *
 * A token is good while its session is: ending one works at once. When nobody can tell whether it has ended, what only
 * reads is answered on the token's own word, which lasts half an hour at most, and what changes something is not.
 *
 * @since 0.1.0
 */
import { type Identity, TokenRejected, TokenSigner } from "@pillivery/application/ports/TokenSigner"
import { TokenStore } from "@pillivery/application/ports/TokenStore"
import { Effect, Layer, Redacted } from "effect"
import { HttpEffect, HttpServerRequest, HttpServerResponse } from "effect/http"
import { toProblem } from "./Answer.ts"
import { Administration, Authentication, CurrentIdentity } from "./api/Middleware.ts"
import * as RateLimits from "./RateLimits.ts"

/** The longest token that is looked at, in characters. */
export const tokenLengthMax = 4_096

const missing = { _tag: "UnauthenticatedRequest", message: "there is no access token" } as const
const tooLong = { _tag: "TokenRejected", message: "the access token is too long" } as const

const tooMany = (retryAfterSeconds: number) => ({
  _tag: "RateLimitedRequest" as const,
  message: `the next request in ${retryAfterSeconds} seconds`,
  retryAfterSeconds
})

const challenge = HttpEffect.appendPreResponseHandler((_request, response) =>
  Effect.succeed(HttpServerResponse.setHeader(response, "www-authenticate", "Bearer"))
)

const reads: ReadonlySet<string> = new Set(["GET", "HEAD"])

/** Lets in who has a token that the signer takes, of a session that has not ended. */
export const layer = Layer.effect(
  Authentication,
  Effect.gen(function* () {
    const signer = yield* TokenSigner
    const sessions = yield* TokenStore
    const limits = yield* RateLimits.make

    const refuse = <E extends Parameters<typeof toProblem>[0]>(error: E) =>
      Effect.andThen(challenge, Effect.flatMap(toProblem(error), Effect.fail))

    const isAlive = (identity: Identity) =>
      Effect.catch(sessions.isAlive(identity), (error) =>
        Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) =>
          reads.has(request.method) ? Effect.succeed(true) : Effect.fail(error)
        )
      )

    const unlessTooMany = Effect.fnUntraced(function* (identity: Identity) {
      const standing = yield* limits.countUser(identity.userId)
      if (standing !== null) yield* RateLimits.tellLater(standing)
      return standing?.isExceeded === true ? yield* Effect.fail(tooMany(standing.retryAfterSeconds)) : identity
    })

    const identify = Effect.fnUntraced(function* (token: string) {
      const identity = yield* signer.verify(token)
      if (!(yield* isAlive(identity))) return yield* new TokenRejected({ reason: "ended" })
      return yield* unlessTooMany(identity)
    })

    return Authentication.of({
      bearer: (httpEffect, { credential }) => {
        const token = Redacted.value(credential)
        if (token === "") return refuse(missing)
        if (token.length > tokenLengthMax) return refuse(tooLong)
        return Effect.matchEffect(identify(token), {
          onFailure: (error) =>
            Effect.andThen(
              error._tag === "TokenRejected" ? challenge : Effect.void,
              Effect.flatMap(toProblem(error), Effect.fail)
            ),
          onSuccess: (identity) => Effect.provideService(httpEffect, CurrentIdentity, identity)
        })
      }
    })
  })
)

const notAdmin = { _tag: "AdminOnlyRequest", message: "only those who run the shop may do this" } as const

/** Lets in who has the role ADMIN. */
export const layerAdministration = Layer.succeed(
  Administration,
  Effect.fnUntraced(function* (httpEffect) {
    const { roles, userId } = yield* CurrentIdentity
    if (roles.includes("ADMIN")) return yield* httpEffect
    yield* Effect.logWarning("Somebody who does not run the shop asked for what only they may do").pipe(
      Effect.annotateLogs({ userId })
    )
    return yield* Effect.fail(yield* toProblem(notAdmin))
  })
)
