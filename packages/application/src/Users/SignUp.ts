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

  const { password, ...person } = yield* Effect.fromResult(readTyped(command))
  const user = User.register({ ...person, id: UserId.make(yield* ids.next), at: yield* clock.now })
  yield* users.insert(user, yield* hasher.hash(Redacted.make(password)))
  return user
})

const isPhone = Schema.is(Phone)

/** What a person types, in its one spelling. */
interface Spelled {
  readonly email: Email.Email
  readonly password: Password.Password
  readonly displayName: DisplayName.DisplayName
  readonly realName: string
  readonly phone: Phone
  readonly address: Address
}

/** The fields that were typed, in their one spelling. */
type Told<Typed> = { readonly [Name in keyof Typed]: Name extends keyof Spelled ? Spelled[Name] : never }

type Field<Name extends keyof Spelled> = Pick<Spelled, Name>

/** Reads what was typed, and tells everything that is wrong with it at once. */
export const readTyped = <Typed extends Partial<SignUp>>(typed: Typed): Result.Result<Told<Typed>, SignUpInvalid> => {
  const failures: Array<FieldFailure> = []
  const fail = (field: FieldFailure["field"], rule: string, english: string) => {
    failures.push({ field, rule, english })
    return {}
  }

  const readEmail = (text: string): Field<"email"> | object => {
    const email = Email.parse(text)
    return Result.isSuccess(email)
      ? { email: email.success }
      : fail("email", email.failure.reason, email.failure.message)
  }
  const readPassword = (text: Redacted.Redacted): Field<"password"> | object => {
    const password = Password.check(Redacted.value(text))
    if (Result.isSuccess(password)) return { password: password.success }
    for (const { name, sentence } of Password.rules.filter((rule) => password.failure.failed.includes(rule.name))) {
      fail("password", name, `a password ${sentence}`)
    }
    return {}
  }
  const readDisplayName = (text: string): Field<"displayName"> | object => {
    const name = DisplayName.parse(text)
    return Result.isSuccess(name)
      ? { displayName: name.success }
      : fail("displayName", name.failure.reason, name.failure.message)
  }
  const readRealName = (text: string): Field<"realName"> | object => {
    const realName = text.normalize("NFC").trim()
    if (realName === "") return fail("realName", "blank", "a real name is not blank")
    return realName.length > realNameLengthMax
      ? fail("realName", "tooLong", `a real name has at most ${realNameLengthMax} characters`)
      : { realName }
  }
  const readPhone = (text: string): Field<"phone"> | object => {
    const phone = text.trim()
    return isPhone(phone)
      ? { phone: Phone.make(phone) }
      : fail("phone", "malformed", "a phone is a Korean mobile number such as 010-1234-5678")
  }

  const told: Partial<Spelled> = {
    ...(typed.email === undefined ? {} : readEmail(typed.email)),
    ...(typed.password === undefined ? {} : readPassword(typed.password)),
    ...(typed.displayName === undefined ? {} : readDisplayName(typed.displayName)),
    ...(typed.realName === undefined ? {} : readRealName(typed.realName)),
    ...(typed.phone === undefined ? {} : readPhone(typed.phone)),
    ...(typed.address === undefined ? {} : { address: typed.address })
  }
  // Where nothing failed, each field that was typed was read.
  return failures.length === 0 ? Result.succeed(told as Told<Typed>) : Result.fail(new SignUpInvalid({ failures }))
}
