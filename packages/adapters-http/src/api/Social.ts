/**
 * Logging in with Google or Kakao.
 *
 * @since 0.1.0
 */
import { SocialProvider } from "@pillivery/application/ports/SocialIdentity"
import { displayNameLengthMax } from "@pillivery/domain/DisplayName"
import { emailLengthMax } from "@pillivery/domain/Email"
import { realNameLengthMax } from "@pillivery/domain/Receiver"
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Authentication } from "./Middleware.ts"
import { RefusesHead } from "./Payments.ts"
import * as Problems from "./Problems.ts"
import { AddressDto, phoneLengthMax, SessionDto, typed } from "./Users.ts"

const tokenLengthMax = 4_096
const RegistrationToken = Schema.RedactedFromValue(Schema.String.check(Schema.isMaxLength(tokenLengthMax)))

/** Nobody here is known by this account yet: complete a profile, or log in and link it. */
export const UnregisteredDto = Schema.Struct({
  registrationToken: RegistrationToken,
  registrationExpiresInSeconds: Schema.Int,
  /** The e-mail as the other service knows it; null where one must be typed. */
  email: Schema.NullOr(Schema.String)
}).annotate({ identifier: "Unregistered" })

/** What a person types to become a user who logs in elsewhere. */
export const MoreInfoDto = Schema.Struct({
  registrationToken: RegistrationToken,
  email: Schema.optionalKey(typed(emailLengthMax)),
  displayName: typed(displayNameLengthMax),
  realName: typed(realNameLengthMax),
  phone: typed(phoneLengthMax),
  address: AddressDto
}).annotate({ identifier: "MoreInfo" })

/** The account elsewhere that is to log in this user too. */
export const LinkAccountDto = Schema.Struct({ registrationToken: RegistrationToken }).annotate({
  identifier: "LinkAccount"
})

const answered = Schema.optionalKey(Schema.String.check(Schema.isMaxLength(tokenLengthMax)))
const params = { provider: SocialProvider }

/** Logging in elsewhere. */
export const SocialGroup = HttpApiGroup.make("social")
  .add(
    HttpApiEndpoint.get("authorize", "/api/oauth2/:provider/authorize", {
      params,
      success: HttpApiSchema.Empty(302),
      error: Problems.notFound
    })
      .annotate(RefusesHead, true)
      .annotate(OpenApi.Summary, "Send the browser to log in elsewhere"),
    HttpApiEndpoint.get("callback", "/api/oauth2/:provider/callback", {
      params,
      query: { code: answered, state: answered, error: answered },
      success: [SessionDto, UnregisteredDto.pipe(HttpApiSchema.status(202))],
      error: Problems.unauthorized
    })
      .annotate(RefusesHead, true)
      .annotate(OpenApi.Summary, "Where the browser comes back to"),
    HttpApiEndpoint.post("moreInfo", "/api/users/me/more-info", {
      payload: MoreInfoDto,
      success: SessionDto.pipe(HttpApiSchema.status(201)),
      error: [Problems.unauthorized, Problems.conflict, Problems.unprocessable]
    }).annotate(OpenApi.Summary, "Complete the profile of an account elsewhere"),
    HttpApiEndpoint.post("link", "/api/users/me/social-accounts", {
      payload: LinkAccountDto,
      success: HttpApiSchema.NoContent,
      error: [Problems.unauthorized, Problems.conflict]
    })
      .middleware(Authentication)
      .annotate(OpenApi.Summary, "Let an account elsewhere log in this user")
  )
  .annotate(OpenApi.Description, "Logging in with an account of Google or Kakao.")
