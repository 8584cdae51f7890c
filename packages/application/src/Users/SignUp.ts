/**
 * Becoming a user.
 *
 * Everything that is wrong with what a person typed is told at once. That an e-mail, name or phone is taken is decided by
 * the store's unique keys, so that two people at once cannot have the same.
 *
 * @since 0.1.0
 */
import * as DisplayName from "@pillivery/domain/DisplayName"
import * as Email from "@pillivery/domain/Email"
import { UserId } from "@pillivery/domain/Ids"
import * as Password from "@pillivery/domain/Password"
import { Phone } from "@pillivery/domain/Phone"
import { type Address, realNameLengthMax } from "@pillivery/domain/Receiver"
import * as User from "@pillivery/domain/User"
import { Effect, Redacted, Result, Schema } from "effect"
import { BusinessClock } from "../ports/BusinessClock.ts"
import { IdGenerator } from "../ports/IdGenerator.ts"
import { PasswordHasher } from "../ports/PasswordHasher.ts"
import { UserRepository } from "../ports/UserRepository.ts"

/** What a person types to become a user. */
export interface SignUp {
  readonly email: string
  readonly password: Redacted.Redacted
  readonly displayName: string
  readonly realName: string
  readonly phone: string
  readonly address: Address
}

/** One field that breaks a rule; `rule` is a stable name, `english` a sentence. */
export const FieldFailure = Schema.Struct({
  field: Schema.Literals(["email", "password", "displayName", "realName", "phone"]),
  rule: Schema.String,
  english: Schema.String
})
export type FieldFailure = typeof FieldFailure.Type

/** Some of the fields break a rule; nothing was written. */
export class SignUpInvalid extends Schema.TaggedError<SignUpInvalid>("@pillivery/application/Users/SignUpInvalid")(
  "SignUpInvalid",
  { failures: Schema.Array(FieldFailure) }
) {
  override get message() {
    return this.failures.map((failure) => failure.english).join("; ")
  }
}

/** Makes a user who can log in at once. */
export const signUp = Effect.fn("signUp")(function* (command: SignUp) {
  const users = yield* UserRepository
  const hasher = yield* PasswordHasher
  const clock = yield* BusinessClock
  const ids = yield* IdGenerator

  const { password, ...told } = yield* Effect.fromResult(validate(command))
  const user = User.register({ ...told, id: UserId.make(yield* ids.next), at: yield* clock.now })
  yield* users.insert(user, yield* hasher.hash(Redacted.make(password)))
  return user
})

const isPhone = Schema.is(Phone)

const validate = (command: SignUp) => {
  const failures: Array<FieldFailure> = []
  const email = Email.parse(command.email)
  if (Result.isFailure(email)) {
    failures.push({ field: "email", rule: email.failure.reason, english: email.failure.message })
  }
  const password = Password.check(Redacted.value(command.password))
  if (Result.isFailure(password)) {
    for (const { name, sentence } of Password.rules.filter((rule) => password.failure.failed.includes(rule.name))) {
      failures.push({ field: "password", rule: name, english: `a password ${sentence}` })
    }
  }
  const displayName = DisplayName.parse(command.displayName)
  if (Result.isFailure(displayName)) {
    failures.push({ field: "displayName", rule: displayName.failure.reason, english: displayName.failure.message })
  }
  const realName = command.realName.normalize("NFC").trim()
  if (realName === "") failures.push({ field: "realName", rule: "blank", english: "a real name is not blank" })
  if (realName.length > realNameLengthMax) {
    failures.push({
      field: "realName",
      rule: "tooLong",
      english: `a real name has at most ${realNameLengthMax} characters`
    })
  }
  const phone = command.phone.trim()
  if (!isPhone(phone)) {
    failures.push({
      field: "phone",
      rule: "malformed",
      english: "a phone is a Korean mobile number such as 010-1234-5678"
    })
  }
  return Result.isSuccess(email) && Result.isSuccess(password) && Result.isSuccess(displayName) && failures.length === 0
    ? Result.succeed({
        email: email.success,
        password: password.success,
        displayName: displayName.success,
        realName,
        phone: Phone.make(phone),
        address: command.address
      })
    : Result.fail(new SignUpInvalid({ failures }))
}
