/**
 * Where users are kept.
 *
 * @since 0.1.0
 */
import type { DisplayName } from "@pillivery/domain/DisplayName"
import type { Email } from "@pillivery/domain/Email"
import type { UserId } from "@pillivery/domain/Ids"
import type { User } from "@pillivery/domain/User"
import { Context, type Effect, type Option, type Redacted, Schema } from "effect"
import type { StaleWrite, StorageError } from "./StorageError.ts"

/** Somebody else has this e-mail, display name or phone. */
export class UserExists extends Schema.TaggedError<UserExists>("@pillivery/application/UserExists")("UserExists", {
  field: Schema.Literals(["email", "displayName", "phone"])
}) {
  override get message() {
    return `this ${this.field} is taken`
  }
}

/** Users, unique by e-mail, display name and phone; `update` succeeds only at the version read and stores the next one. */
export class UserRepository extends Context.Service<
  UserRepository,
  {
    readonly insert: (
      user: User,
      passwordHash: Redacted.Redacted | null
    ) => Effect.Effect<void, StorageError | UserExists>
    readonly findById: (id: UserId) => Effect.Effect<Option.Option<User>, StorageError>
    readonly findByEmail: (
      email: Email
    ) => Effect.Effect<
      Option.Option<{ readonly user: User; readonly passwordHash: Redacted.Redacted | null }>,
      StorageError
    >
    /** The present names of those who have one, at most as many as were asked for; who withdrew has none. */
    readonly findDisplayNames: (
      ids: ReadonlyArray<UserId>
    ) => Effect.Effect<ReadonlyMap<UserId, DisplayName>, StorageError>
    /** The hash of the password stays unless a new one is given; who withdrew has none. */
    readonly update: (
      user: User,
      passwordHash?: Redacted.Redacted
    ) => Effect.Effect<void, StorageError | StaleWrite | UserExists>
  }
>()("@pillivery/application/UserRepository") {}
