/**
 * Letting somebody run the shop.
 *
 * @since 0.1.0
 */
import type { Email } from "@pillivery/domain/Email"
import * as User from "@pillivery/domain/User"
import { Effect, Option, Schema } from "effect"
import { UserRepository } from "../ports/UserRepository.ts"
import { retryStale } from "../StaleRetry.ts"

/** Nobody has signed up with this e-mail, or who had it has left. */
export class EmailUnknown extends Schema.TaggedError<EmailUnknown>("@pillivery/application/Users/EmailUnknown")(
  "EmailUnknown",
  { email: Schema.String }
) {
  override get message() {
    return `nobody has signed up with ${this.email}`
  }
}

/** Gives a user the role ADMIN; answers whether the user had not had it. Repeating it changes nothing. */
export const grantAdmin = Effect.fn("grantAdmin")((email: Email) =>
  retryStale(
    Effect.gen(function* () {
      const users = yield* UserRepository
      const found = yield* users.findByEmail(email)
      if (Option.isNone(found)) return yield* new EmailUnknown({ email })
      const { user } = found.value
      if (user.role === "ADMIN") return { userId: user.id, isNew: false }
      const granted = yield* Effect.fromResult(User.grant(user, "ADMIN")).pipe(
        Effect.mapError(() => new EmailUnknown({ email })) // who has left has no e-mail any more
      )
      yield* users.update(granted).pipe(Effect.catchTag("UserExists", Effect.die)) // its names do not change
      return { userId: user.id, isNew: true }
    })
  )
)
