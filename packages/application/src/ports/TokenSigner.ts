/**
 * Access tokens.
 *
 * @since 0.1.0
 */
import { UserId } from "@pillivery/domain/Ids"
import { Context, type Effect, Schema } from "effect"
import { SessionId } from "./TokenStore.ts"

/** How long an access token is good for, in minutes. */
export const accessTokenMinutes = 30

/** Who is calling, in which session. */
export class Identity extends Schema.Class<Identity>("@pillivery/application/TokenSigner/Identity")({
  userId: UserId,
  roles: Schema.Array(Schema.Literals(["USER", "ADMIN"])),
  sessionId: SessionId
}) {}

/** The token is not one of ours, or its time or its session is over. */
export class TokenRejected extends Schema.TaggedError<TokenRejected>("@pillivery/application/TokenRejected")(
  "TokenRejected",
  { reason: Schema.Literals(["malformed", "expired", "untrusted", "ended"]) }
) {}

/** Signs and checks access tokens. */
export class TokenSigner extends Context.Service<
  TokenSigner,
  {
    readonly sign: (identity: Identity) => Effect.Effect<{ readonly token: string; readonly expiresInSeconds: number }>
    readonly verify: (token: string) => Effect.Effect<Identity, TokenRejected>
  }
>()("@pillivery/application/TokenSigner") {}
