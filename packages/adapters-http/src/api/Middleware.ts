/**
 * What stands between a request and its handler, as far as the contract shows it.
 *
 * @since 0.1.0
 */
import type { Identity } from "@pillivery/application/ports/TokenSigner"
import { Context } from "effect"
import { HttpApiMiddleware, HttpApiSecurity, OpenApi } from "effect/http-api"
import * as Problems from "./Problems.ts"

/** Who is calling: from the access token, never from the body or the path. */
export class CurrentIdentity extends Context.Service<CurrentIdentity, Identity>()(
  "@pillivery/adapters-http/api/CurrentIdentity"
) {}

/** Lets in who has an access token of ours. */
export class Authentication extends HttpApiMiddleware.Service<Authentication, { provides: CurrentIdentity }>()(
  "@pillivery/adapters-http/api/Authentication",
  {
    error: [Problems.unauthorized, Problems.tooManyRequests, Problems.unavailable],
    requiredForClient: true,
    security: {
      bearer: HttpApiSecurity.bearer.pipe(
        HttpApiSecurity.annotate(OpenApi.Format, "JWT"),
        HttpApiSecurity.annotate(OpenApi.Description, "The access token that `POST /api/users/auth` answers.")
      )
    }
  }
) {}

/** Turns what does not decode into a problem, and names the problems that any endpoint may answer. */
export class Refusals extends HttpApiMiddleware.Service<Refusals>()("@pillivery/adapters-http/api/Refusals", {
  error: [Problems.badRequest, Problems.tooManyRequests, Problems.internalError, Problems.unavailable]
}) {}

/** Lets in who runs the shop; whoever is calling is known by then. */
export class Administration extends HttpApiMiddleware.Service<Administration, { requires: CurrentIdentity }>()(
  "@pillivery/adapters-http/api/Administration",
  { error: Problems.forbidden }
) {}
