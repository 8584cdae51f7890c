/**
 * Staying logged in, and ending it.
 *
 * A log-in begins a session. Its refresh token is good once: presenting it answers the next one. Whoever presents it again
 * within `successorWindowMillis` gets that same one, since two tabs of one browser do that; later it must be a copy,
 * and the session ends for whoever has which.
 *
 * @since 0.1.0
 */
import type { Active } from "@pillivery/domain/User"
import { Clock, Effect, Option, type Redacted, Schema } from "effect"
import { IdGenerator } from "../ports/IdGenerator.ts"
import { RefreshTokens } from "../ports/RefreshTokens.ts"
import { Identity, TokenSigner } from "../ports/TokenSigner.ts"
import { refreshTokenMillis, SessionId, type SessionKey, TokenStore } from "../ports/TokenStore.ts"
import { UserRepository } from "../ports/UserRepository.ts"

const millisPerSecond = 1_000

/** What a user who is logged in holds. */
export interface Session {
  readonly user: Active
  readonly accessToken: string
  readonly expiresInSeconds: number
  readonly refreshToken: Redacted.Redacted
  readonly refreshExpiresInSeconds: number
}

/** The refresh token is not good, or not any more: the user logs in again. */
export class RefreshRejected extends Schema.TaggedError<RefreshRejected>(
  "@pillivery/application/Users/RefreshRejected"
)("RefreshRejected", { reason: Schema.Literals(["malformed", "ended", "reused", "userGone"]) }) {
  override get message() {
    return this.reason === "reused" ? "the refresh token was used before: its session is over" : "log in again"
  }
}

const sessionOf = Effect.fnUntraced(function* (user: Active, session: SessionKey, refreshToken: Redacted.Redacted) {
  const { expiresInSeconds, token } = yield* (yield* TokenSigner).sign(
    new Identity({
      userId: user.id,
      roles: user.role === "ADMIN" ? ["USER", "ADMIN"] : ["USER"],
      sessionId: session.sessionId
    })
  )
  return {
    user,
    accessToken: token,
    expiresInSeconds,
    refreshToken,
    refreshExpiresInSeconds: refreshTokenMillis / millisPerSecond
  } satisfies Session
})

/** Begins a session for a user who has proved who it is. */
export const beginSession = Effect.fn("beginSession")(function* (user: Active) {
  const tokens = yield* TokenStore
  const session = { userId: user.id, sessionId: SessionId.make(yield* (yield* IdGenerator).next) }
  const first = yield* (yield* RefreshTokens).make(session)
  yield* tokens.begin(session, first.hash, yield* Clock.currentTimeMillis)
  return yield* sessionOf(user, session, first.token)
})

/** Answers a new access token and the next refresh token for a refresh token. */
export const refreshSession = Effect.fn("refreshSession")(function* (text: Redacted.Redacted) {
  const refreshTokens = yield* RefreshTokens
  const store = yield* TokenStore
  const users = yield* UserRepository

  const presented = refreshTokens.read(text)
  if (presented === null) return yield* new RefreshRejected({ reason: "malformed" })
  const next = yield* refreshTokens.make(presented)
  const rotation = yield* store.rotate(
    presented,
    { presented: presented.hash, successor: refreshTokens.seal(next, presented) },
    yield* Clock.currentTimeMillis
  )
  if (rotation._tag === "Reused") {
    yield* Effect.logWarning("A refresh token was used again: its session is over").pipe(
      Effect.annotateLogs({ userId: presented.userId, sessionId: presented.sessionId })
    )
    return yield* new RefreshRejected({ reason: "reused" })
  }
  if (rotation._tag === "Ended") return yield* new RefreshRejected({ reason: "ended" })
  const found = yield* users.findById(presented.userId)
  if (Option.isNone(found) || found.value._tag !== "Active") {
    yield* store.endAll(presented.userId)
    return yield* new RefreshRejected({ reason: "userGone" })
  }
  const token = rotation._tag === "Rotated" ? next.token : refreshTokens.unseal(rotation.sealed, presented)
  return yield* sessionOf(found.value, presented, token)
})

/** Ends the session of an access token, or every session of its user. */
export const logOut = Effect.fn("logOut")(function* (
  identity: Identity,
  { isEverywhere = false }: { readonly isEverywhere?: boolean } = {}
) {
  const store = yield* TokenStore
  yield* isEverywhere ? store.endAll(identity.userId) : store.end(identity)
})
