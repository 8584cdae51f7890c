/**
 * Where sessions are kept.
 *
 * A session is what one log-in began: a chain of refresh tokens, of which the last one is good. The store sees hashes of
 * tokens alone. Losing it loses no more than sessions: everybody logs in again.
 *
 * @since 0.1.0
 */
import type { UserId } from "@pillivery/domain/Ids"
import { Context, type Effect, Schema } from "effect"
import type { StorageError } from "./StorageError.ts"

const millisPerHour = 60 * 60 * 1_000

/** How long a refresh token is good for, in milliseconds: 7 hours. */
export const refreshTokenMillis = 7 * millisPerHour
/** How long a session lasts however often it is refreshed, in milliseconds: 30 days. */
export const sessionMillisMax = 30 * 24 * millisPerHour
/** How long after a rotation the token before it is answered with the same successor, in milliseconds. */
export const successorWindowMillis = 10_000
/** The most sessions of one user: one more ends the one that was used longest ago. */
export const sessionsMax = 20

/** Identifies a session. */
export const SessionId = Schema.String.check(Schema.isUUID()).pipe(Schema.brand("SessionId"))
export type SessionId = typeof SessionId.Type

/** Names a session. */
export interface SessionKey {
  readonly userId: UserId
  readonly sessionId: SessionId
}

/** What a token is known by. */
export type TokenHash = string

/** A token that takes the place of another, sealed so that only who has the other can read it. */
export interface Successor {
  readonly hash: TokenHash
  readonly sealed: string
}

/**
 * What came of presenting a refresh token.
 *
 * `Rotated`: the successor is good now. `Repeated`: it was rotated a moment ago, to the one that is answered. `Reused`: it
 * was rotated before that, so somebody has a copy; the session is over. `Ended`: there is no such session any more.
 */
export type Rotation =
  | { readonly _tag: "Rotated" }
  | { readonly _tag: "Repeated"; readonly sealed: string }
  | { readonly _tag: "Reused" }
  | { readonly _tag: "Ended" }

/**
 * Sessions.
 *
 * **Details**
 *
 * `at` is the caller's time, in milliseconds since 1970. `rotate` is one step: of several at once with the same token one
 * is `Rotated` and the others are `Repeated`. What ends a session works at once, for every server.
 */
export class TokenStore extends Context.Service<
  TokenStore,
  {
    readonly begin: (session: SessionKey, hash: TokenHash, at: number) => Effect.Effect<void, StorageError>
    readonly rotate: (
      session: SessionKey,
      tokens: { readonly presented: TokenHash; readonly successor: Successor },
      at: number
    ) => Effect.Effect<Rotation, StorageError>
    readonly isAlive: (session: SessionKey) => Effect.Effect<boolean, StorageError>
    readonly end: (session: SessionKey) => Effect.Effect<void, StorageError>
    /** Ends every session of a user, but for one that may be named. */
    readonly endAll: (userId: UserId, except?: SessionId) => Effect.Effect<void, StorageError>
  }
>()("@pillivery/application/TokenStore") {}
