/**
 * Links to accounts elsewhere. A service's name for an account means what its bytes are.
 *
 * @since 0.1.0
 */
import { SocialAccounts } from "@pillivery/application/ports/SocialAccounts"
import type { SocialAccount } from "@pillivery/application/ports/SocialIdentity"
import { UserId } from "@pillivery/domain/Ids"
import { Effect, Layer, Option, Schema } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import { toBytes, Uuid } from "./internal/Columns.ts"
import { orExists } from "./internal/Rows.ts"
import { Statements } from "./Transaction.ts"

const decodeRows = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ user_id: Uuid })))

const bytesOf = ({ subject }: SocialAccount): Uint8Array => Buffer.from(subject, "utf8")

/** Links on MySQL. */
export const layer = Layer.effect(
  SocialAccounts,
  Effect.gen(function* () {
    const sql = yield* SqlClient
    const { read, write } = yield* Statements

    return SocialAccounts.of({
      link: Effect.fn("SocialAccounts.link")((account: SocialAccount, userId: UserId) =>
        write("SocialAccounts.link")(
          orExists(
            sql`INSERT INTO social_account (provider, subject, user_id, linked_at)
              VALUES (${account.provider}, ${bytesOf(account)}, ${toBytes(userId)}, UTC_TIMESTAMP(3))`,
            "social account",
            account.provider
          )
        )
      ),

      findUser: Effect.fn("SocialAccounts.findUser")(function* (account: SocialAccount) {
        const [row] = yield* read("SocialAccounts.findUser")(
          Effect.flatMap(
            sql`SELECT user_id FROM social_account
              WHERE provider = ${account.provider} AND subject = ${bytesOf(account)}`,
            decodeRows
          )
        )
        return row === undefined ? Option.none() : Option.some(UserId.make(row.user_id))
      }),

      unlinkAll: Effect.fn("SocialAccounts.unlinkAll")((userId: UserId) =>
        Effect.asVoid(
          write("SocialAccounts.unlinkAll")(sql`DELETE FROM social_account WHERE user_id = ${toBytes(userId)}`)
        )
      )
    })
  })
)
