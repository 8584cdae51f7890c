/**
 * What stands for an account elsewhere until its user has a profile here.
 *
 * @since 0.1.0
 */
import { Context, type Effect, type Redacted } from "effect"
import type { SocialPerson } from "./SocialIdentity.ts"

/** How long a registration may take, in minutes. */
export const registrationMinutes = 15

/** Makes and reads tokens that nobody else can make. */
export class RegistrationTokens extends Context.Service<
  RegistrationTokens,
  {
    readonly make: (
      person: SocialPerson
    ) => Effect.Effect<{ readonly token: Redacted.Redacted; readonly expiresInSeconds: number }>
    /** Null where the token is none of ours, or its time is over. */
    readonly read: (token: Redacted.Redacted) => Effect.Effect<SocialPerson | null>
  }
>()("@pillivery/application/RegistrationTokens") {}
