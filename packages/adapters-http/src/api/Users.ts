/**
 * Users: signing up, logging in, and oneself.
 *
 * @since 0.1.0
 */
import { displayNameLengthMax } from "@pillivery/domain/DisplayName"
import { emailLengthMax } from "@pillivery/domain/Email"
import { UserId } from "@pillivery/domain/Ids"
import { passwordLengthMax } from "@pillivery/domain/Password"
import { addressLengthMax, realNameLengthMax } from "@pillivery/domain/Receiver"
import { Redacted, Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Authentication } from "./Middleware.ts"
import { pageOf, pageQuery } from "./Pages.ts"
import * as Problems from "./Problems.ts"

// What a person types may have white space around it and is measured in characters, not code units, by the domain; these
// bounds only keep nonsense out.
const slack = 4
/** The longest phone as it is typed, in characters. */
export const phoneLengthMax = 20
const refreshTokenLengthMax = 4_096
const notificationIdLengthMax = 190
/** What a person types, in a field of a length. */
export const typed = (lengthMax: number) => Schema.String.check(Schema.isMaxLength(lengthMax * slack))
const line = (lengthMax: number) =>
  Schema.String.check(Schema.isMaxLength(lengthMax), Schema.isPattern(/\S/, { expected: "text that is not blank" }))

// Redacted as soon as it is read, so that no log line and no error repeats it.
const Password = Schema.RedactedFromValue(typed(passwordLengthMax))

/** A postal address. */
export const AddressDto = Schema.Struct({ city: line(addressLengthMax), detail: line(addressLengthMax) }).annotate({
  identifier: "Address"
})

/** What a person types to become a user. */
export const SignUpDto = Schema.Struct({
  email: typed(emailLengthMax),
  password: Password,
  displayName: typed(displayNameLengthMax),
  realName: typed(realNameLengthMax),
  phone: typed(phoneLengthMax),
  address: AddressDto
}).annotate({
  identifier: "SignUp",
  examples: [
    {
      email: "minji@example.com",
      password: Redacted.make("correct-horse-7!"),
      displayName: "민지",
      realName: "김민지",
      phone: "010-1234-5678",
      address: { city: "서울특별시 마포구 월드컵로 1", detail: "101동 202호" }
    }
  ]
})

/** A user as the user sees it. */
export const UserDto = Schema.Struct({
  id: UserId,
  email: Schema.String,
  displayName: Schema.String,
  realName: Schema.String,
  phone: Schema.String,
  address: AddressDto,
  role: Schema.Literals(["USER", "ADMIN"]),
  createdAt: Schema.DateTimeUtc
}).annotate({ identifier: "User" })

/** The e-mail and password of a user. */
export const LogInDto = Schema.Struct({ email: typed(emailLengthMax), password: Password }).annotate({
  identifier: "LogIn",
  examples: [{ email: "minji@example.com", password: Redacted.make("correct-horse-7!") }]
})

/** A user who is logged in. The refresh token is good once: refreshing answers the next one. */
export const SessionDto = Schema.Struct({
  accessToken: Schema.String,
  tokenType: Schema.Literal("Bearer"),
  expiresInSeconds: Schema.Int,
  refreshToken: Schema.RedactedFromValue(Schema.String),
  refreshExpiresInSeconds: Schema.Int,
  userId: UserId
}).annotate({ identifier: "Session" })

/** The refresh token that was answered last. */
export const RefreshDto = Schema.Struct({
  refreshToken: Schema.RedactedFromValue(Schema.String.check(Schema.isMaxLength(refreshTokenLengthMax)))
}).annotate({ identifier: "Refresh" })

/** What is to change about oneself; what is not named stays. A new password ends every other session. */
export const ChangeProfileDto = Schema.Struct({
  displayName: Schema.optionalKey(typed(displayNameLengthMax)),
  realName: Schema.optionalKey(typed(realNameLengthMax)),
  phone: Schema.optionalKey(typed(phoneLengthMax)),
  address: Schema.optionalKey(AddressDto),
  password: Schema.optionalKey(Schema.Struct({ current: Password, next: Password }))
})
  .check(Schema.makeFilter((changed) => Object.keys(changed).length > 0, { expected: "something to change" }))
  .annotate({ identifier: "ChangeProfile", examples: [{ displayName: "민지" }] })

/** One thing the user was told. */
export const NotificationDto = Schema.Struct({
  id: Schema.String,
  kind: Schema.String,
  text: Problems.Text,
  at: Schema.DateTimeUtc,
  readAt: Schema.NullOr(Schema.DateTimeUtc)
}).annotate({ identifier: "Notification" })

/** Users. */
export const UsersGroup = HttpApiGroup.make("users")
  .add(
    HttpApiEndpoint.post("signUp", "/api/users", {
      payload: SignUpDto,
      success: UserDto.pipe(HttpApiSchema.status(201)),
      error: [Problems.conflict, Problems.unprocessable]
    }).annotate(OpenApi.Summary, "Sign up"),
    HttpApiEndpoint.post("logIn", "/api/users/auth", {
      payload: LogInDto,
      success: SessionDto,
      error: [Problems.unauthorized, Problems.tooManyRequests]
    }).annotate(OpenApi.Summary, "Log in"),
    HttpApiEndpoint.post("refresh", "/api/users/auth/refresh", {
      payload: RefreshDto,
      success: SessionDto,
      error: Problems.unauthorized
    }).annotate(OpenApi.Summary, "Stay logged in"),
    HttpApiEndpoint.post("logOut", "/api/users/logout", {
      query: { everywhere: Schema.optionalKey(Schema.Boolean) },
      success: HttpApiSchema.NoContent
    })
      .middleware(Authentication)
      .annotate(OpenApi.Summary, "Log out, here or everywhere"),
    HttpApiEndpoint.get("me", "/api/users/me", { success: UserDto })
      .middleware(Authentication)
      .annotate(OpenApi.Summary, "Read oneself"),
    HttpApiEndpoint.patch("changeMe", "/api/users/me", {
      payload: ChangeProfileDto,
      success: UserDto,
      error: [Problems.conflict, Problems.unprocessable]
    })
      .middleware(Authentication)
      .annotate(OpenApi.Summary, "Change one's profile or password"),
    HttpApiEndpoint.delete("withdraw", "/api/users/me", {
      success: HttpApiSchema.NoContent,
      error: Problems.conflict
    })
      .middleware(Authentication)
      .annotate(OpenApi.Summary, "Leave: subscriptions end and what is personal is forgotten")
  )
  .annotate(OpenApi.Description, "Signing up, logging in, and oneself.")

/** What users were told. */
export const NotificationsGroup = HttpApiGroup.make("notifications")
  .add(
    HttpApiEndpoint.get("list", "/api/users/me/notifications", {
      query: pageQuery,
      success: pageOf("NotificationPage", NotificationDto)
    }).annotate(OpenApi.Summary, "List one's notifications, newest first"),
    HttpApiEndpoint.post("read", "/api/users/me/notifications/:notificationId/read", {
      params: { notificationId: Schema.String.check(Schema.isMaxLength(notificationIdLengthMax)) },
      success: HttpApiSchema.NoContent,
      error: Problems.notFound
    }).annotate(OpenApi.Summary, "Note that a notification was read")
  )
  .middleware(Authentication)
  .annotate(OpenApi.Description, "What users were told of their orders and subscriptions.")
