/**
 * Who somebody is to another service.
 *
 * @since 0.1.0
 */
import { Context, type Effect, Schema } from "effect"

/** The services whose word is taken. */
export const SocialProvider = Schema.Literals(["google", "kakao"])
export type SocialProvider = typeof SocialProvider.Type

/** An account elsewhere: the service, and its own name for the account, which never changes. */
export class SocialAccount extends Schema.Class<SocialAccount>("@pillivery/application/SocialAccount")({
  provider: SocialProvider,
  subject: Schema.String
}) {}

/** What a service tells of an account; the e-mail only where the service has verified it. */
export interface SocialPerson {
  readonly account: SocialAccount
  readonly email: string | null
}

/** What is remembered between sending a browser away and its coming back; the browser must not read it. */
export const Visit = Schema.Struct({ provider: SocialProvider, state: Schema.String, verifier: Schema.String })
export type Visit = typeof Visit.Type

/** This service was not set up. */
export class SocialProviderUnknown extends Schema.TaggedError<SocialProviderUnknown>(
  "@pillivery/application/SocialProviderUnknown"
)("SocialProviderUnknown", { provider: SocialProvider }) {
  override get message() {
    return `logging in with ${this.provider} is not set up`
  }
}

/** The browser did not come back from the visit it was sent on, or the service did not confirm it. */
export class SocialLogInRejected extends Schema.TaggedError<SocialLogInRejected>(
  "@pillivery/application/SocialLogInRejected"
)("SocialLogInRejected", { reason: Schema.Literals(["noVisit", "denied", "notConfirmed"]) }) {
  override get message() {
    return this.reason === "denied" ? "the log-in was turned down" : "the log-in was not confirmed; begin again"
  }
}

/** The service does not answer. */
export class SocialUnavailable extends Schema.TaggedError<SocialUnavailable>(
  "@pillivery/application/SocialUnavailable"
)("SocialUnavailable", { provider: SocialProvider, cause: Schema.Defect() }) {
  override get message() {
    return `${this.provider} does not answer`
  }
}

/** Authorization code flow with PKCE and state. */
export class SocialIdentity extends Context.Service<
  SocialIdentity,
  {
    /** Where to send the browser, and what to remember until it is back. */
    readonly begin: (
      provider: SocialProvider
    ) => Effect.Effect<{ readonly url: string; readonly visit: Visit }, SocialProviderUnknown>
    /** Who came back; `answer` are the parameters that the browser brought. */
    readonly finish: (
      visit: Visit,
      answer: URLSearchParams
    ) => Effect.Effect<SocialPerson, SocialProviderUnknown | SocialLogInRejected | SocialUnavailable>
  }
>()("@pillivery/application/SocialIdentity") {}
