/**
 * Sessions in memory.
 *
 * @since 0.1.0
 */
import {
  refreshTokenMillis,
  type Rotation,
  type SessionId,
  sessionMillisMax,
  sessionsMax,
  type Successor,
  successorWindowMillis,
  type TokenHash,
  TokenStore
} from "@pillivery/application/ports/TokenStore"
import type { UserId } from "@pillivery/domain/Ids"
import { Effect, Layer } from "effect"

interface Session {
  readonly current: TokenHash
  /** The token that was rotated last, and to what. */
  readonly before: { readonly hash: TokenHash; readonly sealed: string } | null
  readonly usedAt: number
  readonly endsAt: number
}

const isOver = ({ endsAt, usedAt }: Session, at: number): boolean => at >= endsAt || at >= usedAt + refreshTokenMillis

/** Sessions of this process. */
export const layer: Layer.Layer<TokenStore> = Layer.sync(TokenStore, () => {
  const users = new Map<UserId, Map<SessionId, Session>>()
  const of = (userId: UserId) => users.get(userId) ?? new Map<SessionId, Session>()
  const end = (userId: UserId, ids: ReadonlyArray<SessionId>) => {
    const sessions = of(userId)
    for (const id of ids) sessions.delete(id)
    if (sessions.size === 0) users.delete(userId)
  }

  const begin = (userId: UserId, sessionId: SessionId, hash: TokenHash, at: number) => {
    const sessions = of(userId)
    for (const [id, session] of sessions) if (isOver(session, at)) sessions.delete(id)
    const byUse = [...sessions].toSorted(([, one], [, two]) => one.usedAt - two.usedAt)
    for (const [id] of byUse.slice(0, Math.max(0, sessions.size + 1 - sessionsMax))) sessions.delete(id)
    users.set(
      userId,
      sessions.set(sessionId, { current: hash, before: null, usedAt: at, endsAt: at + sessionMillisMax })
    )
  }

  const rotate = (
    userId: UserId,
    sessionId: SessionId,
    { presented, successor }: { readonly presented: TokenHash; readonly successor: Successor },
    at: number
  ): Rotation => {
    const session = of(userId).get(sessionId)
    if (session === undefined || isOver(session, at)) {
      end(userId, [sessionId])
      return { _tag: "Ended" }
    }
    if (session.current === presented) {
      const before = { hash: presented, sealed: successor.sealed }
      of(userId).set(sessionId, { ...session, current: successor.hash, before, usedAt: at })
      return { _tag: "Rotated" }
    }
    if (session.before?.hash === presented && at <= session.usedAt + successorWindowMillis) {
      return { _tag: "Repeated", sealed: session.before.sealed }
    }
    end(userId, [sessionId])
    return { _tag: "Reused" }
  }

  return TokenStore.of({
    begin: ({ sessionId, userId }, hash, at) => Effect.sync(() => begin(userId, sessionId, hash, at)),
    rotate: ({ sessionId, userId }, tokens, at) => Effect.sync(() => rotate(userId, sessionId, tokens, at)),
    isAlive: ({ sessionId, userId }) => Effect.sync(() => of(userId).has(sessionId)),
    end: ({ sessionId, userId }) => Effect.sync(() => end(userId, [sessionId])),
    endAll: (userId, except) =>
      Effect.sync(() =>
        end(
          userId,
          [...of(userId).keys()].filter((id) => id !== except)
        )
      )
  })
})
