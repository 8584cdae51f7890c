/**
 * Handlers of users and notifications.
 *
 * @since 0.1.0
 */
import type { BusinessClock } from "@pillivery/application/ports/BusinessClock"
import type { IdGenerator } from "@pillivery/application/ports/IdGenerator"
import type { Notification, NotificationRepository } from "@pillivery/application/ports/NotificationRepository"
import type { PasswordHasher } from "@pillivery/application/ports/PasswordHasher"
import type { TokenSigner } from "@pillivery/application/ports/TokenSigner"
import type { UserRepository } from "@pillivery/application/ports/UserRepository"
import { getMe, listNotifications } from "@pillivery/application/Users/GetMe"
import { logIn } from "@pillivery/application/Users/LogIn"
import { signUp } from "@pillivery/application/Users/SignUp"
import { Address } from "@pillivery/domain/Receiver"
import type { Active } from "@pillivery/domain/User"
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { answer } from "../Answer.ts"
import { Api } from "../api/Api.ts"
import { CurrentIdentity } from "../api/Middleware.ts"
import { fromPage, toPageRequest } from "../api/Pages.ts"
import type { NotificationDto, UserDto } from "../api/Users.ts"
import { captured } from "../internal/Captured.ts"

const toUser = (user: Active): typeof UserDto.Type => ({
  id: user.id,
  email: user.email,
  displayName: user.displayName,
  realName: user.realName,
  phone: user.phone,
  address: { city: user.address.city, detail: user.address.detail },
  role: user.role,
  createdAt: user.createdAt
})

const toNotification = (notification: Notification): typeof NotificationDto.Type => ({
  id: notification.id,
  kind: notification.kind,
  text: { ko: notification.korean, en: notification.english },
  at: notification.at,
  readAt: notification.readAt
})

/** Signing up, logging in, and oneself. */
export const layerUsers = HttpApiBuilder.group(
  Api,
  "users",
  Effect.fnUntraced(function* (handlers) {
    const provide = yield* captured<BusinessClock | IdGenerator | PasswordHasher | TokenSigner | UserRepository>()
    return handlers.handleAll({
      signUp: ({ payload }) =>
        signUp({ ...payload, address: new Address(payload.address) }).pipe(Effect.map(toUser), answer, provide),
      logIn: ({ payload }) =>
        logIn(payload).pipe(
          Effect.map(({ expiresInSeconds, token, user }) => ({
            accessToken: token,
            tokenType: "Bearer" as const,
            expiresInSeconds,
            userId: user.id
          })),
          answer,
          provide
        ),
      me: () => Effect.flatMap(CurrentIdentity, ({ userId }) => getMe(userId)).pipe(Effect.map(toUser), answer, provide)
    })
  })
)

/** What users were told. */
export const layerNotifications = HttpApiBuilder.group(
  Api,
  "notifications",
  Effect.fnUntraced(function* (handlers) {
    const provide = yield* captured<NotificationRepository>()
    return handlers.handleAll({
      list: Effect.fnUntraced(function* ({ query }) {
        const { userId } = yield* CurrentIdentity
        const page = toPageRequest(query)
        return fromPage(yield* listNotifications(userId, page).pipe(answer, provide), page, toNotification)
      })
    })
  })
)
