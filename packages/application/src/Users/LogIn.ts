/**
 * Proving who one is.
 *
 * An unknown e-mail and a wrong password get the same answer after the same time, so that nobody learns who is a user.
 *
 * @since 0.1.0
 */
import * as Email from "@pillivery/domain/Email"
import * as Password from "@pillivery/domain/Password"
import { Effect, Option, Redacted, Result, Schema } from "effect"
import { PasswordHasher } from "../ports/PasswordHasher.ts"
import { UserRepository } from "../ports/UserRepository.ts"
import { countTry } from "./LogInThrottle.ts"
import { beginSession } from "./Sessions.ts"

/** The e-mail or the password is wrong; it is not said which. */
export class LogInRejected extends Schema.TaggedError<LogInRejected>("@pillivery/application/Users/LogInRejected")(
  "LogInRejected",
  {}
) {
  override get message() {
    return "the e-mail or the password is wrong"
  }
}

/** Begins a session for an e-mail and its password; `address` is where the request came from. */
export const logIn = Effect.fn("logIn")(function* (command: {
  readonly email: string
  readonly password: Redacted.Redacted
  readonly address: string | null
}) {
  const users = yield* UserRepository
  const hasher = yield* PasswordHasher

  yield* countTry(command.email, command.address)
  const email = Email.parse(command.email)
  const found = Result.isSuccess(email) ? yield* users.findByEmail(email.success) : Option.none()
  const hash = Option.isSome(found) ? found.value.passwordHash : null
  const isVerified = yield* hasher.verify(Redacted.make(Password.normalize(Redacted.value(command.password))), hash)
  if (!isVerified || Option.isNone(found) || found.value.user._tag !== "Active") {
    yield* Effect.logInfo("A log-in was rejected").pipe(Effect.annotateLogs({ address: command.address }))
    return yield* new LogInRejected()
  }
  return yield* beginSession(found.value.user)
})
