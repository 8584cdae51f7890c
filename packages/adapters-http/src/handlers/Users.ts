/**
 * Handlers of users and notifications.
 *
 * @since 0.1.0
 */
import type { BusinessClock } from "@pillivery/application/ports/BusinessClock"
import type { Notification, NotificationRepository } from "@pillivery/application/ports/NotificationRepository"
import { changeProfile } from "@pillivery/application/Users/ChangeProfile"
import { getMe, listNotifications, readNotification } from "@pillivery/application/Users/GetMe"
import { logIn } from "@pillivery/application/Users/LogIn"
import { logOut, refreshSession, type Session } from "@pillivery/application/Users/Sessions"
import { signUp } from "@pillivery/application/Users/SignUp"
import { withdraw } from "@pillivery/application/Users/Withdraw"
import { Address } from "@pillivery/domain/Receiver"
import type { Active } from "@pillivery/domain/User"
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { answer } from "../Answer.ts"
import { Api } from "../api/Api.ts"
import { CurrentIdentity } from "../api/Middleware.ts"
import { fromPage, toPageRequest } from "../api/Pages.ts"
import type { NotificationDto, SessionDto, UserDto } from "../api/Users.ts"
import { clientAddress, TrustedProxies } from "../ClientAddress.ts"
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

/** A session as its user sees it. */
export const toSession = (session: Session): typeof SessionDto.Type => ({
  accessToken: session.accessToken,
  tokenType: "Bearer",
  expiresInSeconds: session.expiresInSeconds,
  refreshToken: session.refreshToken,
  refreshExpiresInSeconds: session.refreshExpiresInSeconds,
  userId: session.user.id
})

type Services =
  | Effect.Services<ReturnType<typeof signUp>>
  | Effect.Services<ReturnType<typeof logIn>>
  | Effect.Services<ReturnType<typeof refreshSession>>
  | Effect.Services<ReturnType<typeof logOut>>
  | Effect.Services<ReturnType<typeof changeProfile>>
  | Effect.Services<ReturnType<typeof withdraw>>

/** Signing up, logging in, and oneself. */
export const layerUsers = HttpApiBuilder.group(
  Api,
  "users",
  Effect.fnUntraced(function* (handlers) {
    const provide = yield* captured<Services>()
    const trustedProxies = yield* TrustedProxies
    return handlers.handleAll({
      signUp: ({ payload }) =>
        signUp({ ...payload, address: new Address(payload.address) }).pipe(Effect.map(toUser), answer, provide),
      logIn: ({ payload, request }) =>
        logIn({ ...payload, address: clientAddress(request, trustedProxies) }).pipe(
          Effect.map(toSession),
          answer,
          provide
        ),
      refresh: ({ payload }) => refreshSession(payload.refreshToken).pipe(Effect.map(toSession), answer, provide),
      logOut: ({ query }) =>
        Effect.flatMap(CurrentIdentity, (identity) =>
          logOut(identity, { isEverywhere: query.everywhere === true })
        ).pipe(answer, provide),
      me: () =>
        Effect.flatMap(CurrentIdentity, ({ userId }) => getMe(userId)).pipe(Effect.map(toUser), answer, provide),
      changeMe: ({ payload: { address, ...payload } }) =>
        Effect.flatMap(CurrentIdentity, (identity) =>
          changeProfile(identity, { ...payload, ...(address === undefined ? {} : { address: new Address(address) }) })
        ).pipe(Effect.map(toUser), answer, provide),
      withdraw: () => Effect.flatMap(CurrentIdentity, ({ userId }) => withdraw(userId)).pipe(answer, provide)
    })
  })
)

/** What users were told. */
export const layerNotifications = HttpApiBuilder.group(
  Api,
  "notifications",
  Effect.fnUntraced(function* (handlers) {
    const provide = yield* captured<NotificationRepository | BusinessClock>()
    return handlers.handleAll({
      list: Effect.fnUntraced(function* ({ query }) {
        const { userId } = yield* CurrentIdentity
        const page = toPageRequest(query)
        return fromPage(yield* listNotifications(userId, page).pipe(answer, provide), page, toNotification)
      }),
      read: ({ params }) =>
        Effect.flatMap(CurrentIdentity, ({ userId }) => readNotification(userId, params.notificationId)).pipe(
          answer,
          provide
        )
    })
  })
)
