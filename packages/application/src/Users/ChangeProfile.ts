/**
 * Telling the shop something new about oneself.
 *
 * What is typed follows the rules of signing up. A new password needs the old one, and ends every other session.
 *
 * @since 0.1.0
 */
import * as Password from "@pillivery/domain/Password"
import type { Address } from "@pillivery/domain/Receiver"
import * as User from "@pillivery/domain/User"
import { Effect, Option, Redacted, Schema } from "effect"
import { PasswordHasher } from "../ports/PasswordHasher.ts"
import type { Identity } from "../ports/TokenSigner.ts"
import { TokenStore } from "../ports/TokenStore.ts"
import { UserRepository } from "../ports/UserRepository.ts"
import { retryStale } from "../StaleRetry.ts"
import { UserGone } from "./GetMe.ts"
import { readTyped } from "./SignUp.ts"

/** What is to change; what is not named stays. */
export interface ChangeProfile {
  readonly displayName?: string
  readonly realName?: string
  readonly phone?: string
  readonly address?: Address
  readonly password?: { readonly current: Redacted.Redacted; readonly next: Redacted.Redacted }
}

/** The password that was to be proved is wrong. */
export class PasswordRejected extends Schema.TaggedError<PasswordRejected>(
  "@pillivery/application/Users/PasswordRejected"
)("PasswordRejected", {}) {
  override get message() {
    return "the current password is wrong"
  }
}

/** Changes the user who is calling; nothing is changed when one of the fields breaks a rule. */
export const changeProfile = Effect.fn("changeProfile")(function* (identity: Identity, command: ChangeProfile) {
  const users = yield* UserRepository
  const hasher = yield* PasswordHasher
  const { password, ...typed } = command
  const { password: next, ...profile } = yield* Effect.fromResult(
    readTyped({ ...typed, ...(password === undefined ? {} : { password: password.next }) })
  )
  const passwordHash = next === undefined ? undefined : yield* hasher.hash(Redacted.make(next))

  const changed = yield* retryStale(
    Effect.gen(function* () {
      const user = yield* activeUser(identity)
      if (password !== undefined) yield* prove(user, password.current)
      const changed = yield* Effect.fromResult(User.changeProfile(user, profile)).pipe(
        Effect.mapError(() => new UserGone({ userId: user.id }))
      )
      yield* users.update(changed, passwordHash)
      return changed
    })
  )
  if (password !== undefined) yield* (yield* TokenStore).endAll(identity.userId, identity.sessionId)
  return new User.Active({ ...changed, version: changed.version + 1 })
})

const activeUser = Effect.fnUntraced(function* ({ userId }: Identity) {
  const found = yield* (yield* UserRepository).findById(userId)
  return Option.isSome(found) && found.value._tag === "Active" ? found.value : yield* new UserGone({ userId })
})

const prove = Effect.fnUntraced(function* (user: User.Active, password: Redacted.Redacted) {
  const found = yield* (yield* UserRepository).findByEmail(user.email)
  const hash = Option.isSome(found) ? found.value.passwordHash : null
  const typed = Redacted.make(Password.normalize(Redacted.value(password)))
  if (!(yield* (yield* PasswordHasher).verify(typed, hash))) return yield* new PasswordRejected()
})
