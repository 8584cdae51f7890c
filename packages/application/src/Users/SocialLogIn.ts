/**
 * Logging in with an account elsewhere.
 *
 * A user is known by the service's own name for the account, never by an e-mail that both happen to have. Who comes for the
 * first time brings a registration token and either completes a profile or, logged in, links the account.
 *
 * @since 0.1.0
 */
import { UserId } from "@pillivery/domain/Ids"
import type { Address } from "@pillivery/domain/Receiver"
import * as User from "@pillivery/domain/User"
import { Effect, Option, type Redacted, Schema } from "effect"
import { BusinessClock } from "../ports/BusinessClock.ts"
import { IdGenerator } from "../ports/IdGenerator.ts"
import { RegistrationTokens } from "../ports/RegistrationTokens.ts"
import { SocialAccounts } from "../ports/SocialAccounts.ts"
import { SocialIdentity, SocialLogInRejected, type Visit } from "../ports/SocialIdentity.ts"
import { Transaction } from "../ports/Transaction.ts"
import { UserRepository } from "../ports/UserRepository.ts"
import { UserGone } from "./GetMe.ts"
import { beginSession, type Session } from "./Sessions.ts"
import { readTyped, SignUpInvalid } from "./SignUp.ts"

/** The registration took too long, or its token is none of ours. */
export class RegistrationRejected extends Schema.TaggedError<RegistrationRejected>(
  "@pillivery/application/Users/RegistrationRejected"
)("RegistrationRejected", {}) {
  override get message() {
    return "the registration is over; begin again"
  }
}

/** The account elsewhere logs in a user already. */
export class SocialAccountTaken extends Schema.TaggedError<SocialAccountTaken>(
  "@pillivery/application/Users/SocialAccountTaken"
)("SocialAccountTaken", {}) {
  override get message() {
    return "this account logs in a user already"
  }
}

/** What comes of a visit: a session, or a registration to complete. */
export type SocialLogIn =
  | { readonly _tag: "LoggedIn"; readonly session: Session }
  | {
      readonly _tag: "Unregistered"
      readonly registrationToken: Redacted.Redacted
      readonly expiresInSeconds: number
      readonly email: string | null
    }

/** Ends a visit to another service. */
export const socialLogIn = Effect.fn("socialLogIn")(function* (visit: Visit, answer: URLSearchParams) {
  const person = yield* (
    (yield* SocialIdentity)
      .finish(visit, answer)
      // It was set up when the visit began, and is not any more.
      .pipe(Effect.catchTag("SocialProviderUnknown", () => Effect.fail(new SocialLogInRejected({ reason: "noVisit" }))))
  )
  const linked = yield* (yield* SocialAccounts).findUser(person.account)
  const user = Option.isSome(linked) ? yield* (yield* UserRepository).findById(linked.value) : Option.none()
  if (Option.isSome(user) && user.value._tag === "Active") {
    return { _tag: "LoggedIn", session: yield* beginSession(user.value) } satisfies SocialLogIn
  }
  const { expiresInSeconds, token } = yield* (yield* RegistrationTokens).make(person)
  return {
    _tag: "Unregistered",
    registrationToken: token,
    expiresInSeconds,
    email: person.email
  } satisfies SocialLogIn
})

/** What a person types to complete a registration; the e-mail where the service told none. */
export interface CompleteRegistration {
  readonly registrationToken: Redacted.Redacted
  readonly email?: string
  readonly displayName: string
  readonly realName: string
  readonly phone: string
  readonly address: Address
}

/** Makes a user of an account elsewhere, who logs in with that account alone. */
export const completeRegistration = Effect.fn("completeRegistration")(function* (command: CompleteRegistration) {
  const users = yield* UserRepository
  const accounts = yield* SocialAccounts
  const transaction = yield* Transaction
  const { registrationToken, ...typed } = command
  const person = yield* readPerson(registrationToken)

  const email = person.email ?? typed.email
  if (email === undefined) {
    const english = "an e-mail is needed, since the other service told none"
    return yield* new SignUpInvalid({ failures: [{ field: "email", rule: "missing", english }] })
  }
  const read = yield* Effect.fromResult(readTyped({ ...typed, email }))
  const user = User.register({
    ...read,
    id: UserId.make(yield* (yield* IdGenerator).next),
    at: yield* (yield* BusinessClock).now
  })
  yield* transaction
    .run(Effect.andThen(users.insert(user, null), accounts.link(person.account, user.id)))
    .pipe(Effect.catchTag("AlreadyExists", () => Effect.fail(new SocialAccountTaken())))
  return yield* beginSession(user)
})

/** Lets an account elsewhere log in a user who is logged in. */
export const linkAccount = Effect.fn("linkAccount")(function* (userId: UserId, registrationToken: Redacted.Redacted) {
  const person = yield* readPerson(registrationToken)
  const user = yield* (yield* UserRepository).findById(userId)
  if (Option.isNone(user) || user.value._tag !== "Active") return yield* new UserGone({ userId })
  yield* (yield* SocialAccounts)
    .link(person.account, userId)
    .pipe(Effect.catchTag("AlreadyExists", () => Effect.fail(new SocialAccountTaken())))
})

const readPerson = Effect.fnUntraced(function* (token: Redacted.Redacted) {
  return (yield* (yield* RegistrationTokens).read(token)) ?? (yield* new RegistrationRejected())
})
