/**
 * Refresh tokens: secrets that nobody can guess, and that name the session they belong to.
 *
 * @since 0.1.0
 */
import { Context, type Effect, type Redacted } from "effect"
import type { SessionKey, Successor, TokenHash } from "./TokenStore.ts"

/** A refresh token, read. */
export interface ReadToken extends SessionKey {
  readonly token: Redacted.Redacted
  readonly hash: TokenHash
}

/** Makes and reads refresh tokens. */
export class RefreshTokens extends Context.Service<
  RefreshTokens,
  {
    /** A new token of a session. */
    readonly make: (session: SessionKey) => Effect.Effect<ReadToken>
    /** Reads a text; null when no token of ours looks like that. */
    readonly read: (text: Redacted.Redacted) => ReadToken | null
    /** A token so that only who has `under` can read it. Seal one token at most under another. */
    readonly seal: (token: ReadToken, under: ReadToken) => Successor
    /** The token that was sealed under another of its session. */
    readonly unseal: (sealed: string, under: ReadToken) => Redacted.Redacted
  }
>()("@pillivery/application/RefreshTokens") {}
