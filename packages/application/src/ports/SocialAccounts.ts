/**
 * Which accounts elsewhere belong to which user.
 *
 * @since 0.1.0
 */
import type { UserId } from "@pillivery/domain/Ids"
import { Context, type Effect, type Option } from "effect"
import type { SocialAccount } from "./SocialIdentity.ts"
import type { AlreadyExists, StorageError } from "./StorageError.ts"

/** Links, unique by account: an account elsewhere logs in one user. */
export class SocialAccounts extends Context.Service<
  SocialAccounts,
  {
    readonly link: (account: SocialAccount, userId: UserId) => Effect.Effect<void, StorageError | AlreadyExists>
    readonly findUser: (account: SocialAccount) => Effect.Effect<Option.Option<UserId>, StorageError>
    /** Takes all links of a user away. */
    readonly unlinkAll: (userId: UserId) => Effect.Effect<void, StorageError>
  }
>()("@pillivery/application/SocialAccounts") {}
