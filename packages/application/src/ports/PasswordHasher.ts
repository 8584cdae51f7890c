/**
 * Password hashes.
 *
 * @since 0.1.0
 */
import { Context, type Effect, type Redacted } from "effect"

/** Argon2id hashes in PHC text. */
export class PasswordHasher extends Context.Service<
  PasswordHasher,
  {
    readonly hash: (password: Redacted.Redacted) => Effect.Effect<Redacted.Redacted>
    /** With no hash it takes as long and answers false, so that an unknown user cannot be told by the clock. */
    readonly verify: (password: Redacted.Redacted, hash: Redacted.Redacted | null) => Effect.Effect<boolean>
  }
>()("@pillivery/application/PasswordHasher") {}
