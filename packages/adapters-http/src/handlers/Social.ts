/**
 * Handlers of logging in elsewhere.
 *
 * What must be remembered while the browser is away travels with it, sealed, in a cookie that pages cannot read. It is
 * good for one way back.
 *
 * @since 0.1.0
 */
import { SocialIdentity, SocialLogInRejected } from "@pillivery/application/ports/SocialIdentity"
import { completeRegistration, linkAccount, socialLogIn } from "@pillivery/application/Users/SocialLogIn"
import { Address } from "@pillivery/domain/Receiver"
import { Effect } from "effect"
import { HttpEffect, HttpServerRequest, HttpServerResponse } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import { answer } from "../Answer.ts"
import { Api } from "../api/Api.ts"
import { CurrentIdentity } from "../api/Middleware.ts"
import { captured } from "../internal/Captured.ts"
import { VisitSealer, visitMinutes } from "../Sealer.ts"
import { toSession } from "./Users.ts"

/** The cookie that carries a visit. */
export const cookieName = "pillivery-visit"

const cookie = {
  path: "/api/oauth2",
  httpOnly: true,
  sameSite: "lax" as const,
  // Browsers take this machine's own addresses for secure.
  secure: true
}

const forgetVisit = HttpEffect.appendPreResponseHandler((_request, response) =>
  Effect.succeed(HttpServerResponse.setCookieUnsafe(response, cookieName, "", { ...cookie, maxAge: 0 }))
)

type Services =
  | Effect.Services<ReturnType<typeof socialLogIn>>
  | Effect.Services<ReturnType<typeof completeRegistration>>
  | Effect.Services<ReturnType<typeof linkAccount>>

/** Logging in elsewhere. */
export const layer = HttpApiBuilder.group(
  Api,
  "social",
  Effect.fnUntraced(function* (handlers) {
    const social = yield* SocialIdentity
    const sealer = yield* VisitSealer
    const provide = yield* captured<Services>()
    return handlers.handleAll({
      authorize: Effect.fnUntraced(function* ({ params }) {
        const { url, visit } = yield* answer(social.begin(params.provider))
        return HttpServerResponse.setCookieUnsafe(
          HttpServerResponse.redirect(url, { status: 302 }),
          cookieName,
          yield* sealer.seal(visit),
          { ...cookie, maxAge: `${visitMinutes} minutes` }
        )
      }),
      callback: Effect.fnUntraced(function* ({ params, request }) {
        yield* forgetVisit
        const { searchParams } = new URL(request.url, "http://shop")
        const text = (yield* HttpServerRequest.HttpServerRequest).cookies[cookieName]
        const visit = text === undefined ? null : yield* sealer.open(text)
        const logIn =
          visit === null || visit.provider !== params.provider
            ? Effect.fail(new SocialLogInRejected({ reason: "noVisit" }))
            : socialLogIn(visit, searchParams)
        const made = yield* logIn.pipe(answer, provide)
        return made._tag === "LoggedIn"
          ? toSession(made.session)
          : {
              registrationToken: made.registrationToken,
              registrationExpiresInSeconds: made.expiresInSeconds,
              email: made.email
            }
      }),
      moreInfo: ({ payload }) =>
        completeRegistration({ ...payload, address: new Address(payload.address) }).pipe(
          Effect.map(toSession),
          answer,
          provide
        ),
      link: ({ payload }) =>
        Effect.flatMap(CurrentIdentity, ({ userId }) => linkAccount(userId, payload.registrationToken)).pipe(
          answer,
          provide
        )
    })
  })
)
