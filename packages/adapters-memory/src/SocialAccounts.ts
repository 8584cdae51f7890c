/**
 * Links to accounts elsewhere in memory.
 *
 * @since 0.1.0
 */
import { SocialAccounts } from "@pillivery/application/ports/SocialAccounts"
import type { SocialAccount } from "@pillivery/application/ports/SocialIdentity"
import type { UserId } from "@pillivery/domain/Ids"
import { Effect, Layer, Option, Result } from "effect"
import * as Table from "./internal/Table.ts"
import { Store } from "./Store.ts"

interface Row {
  readonly account: SocialAccount
  readonly userId: UserId
}

const rowId = ({ provider, subject }: SocialAccount): string => `${provider} ${subject}`

const links = Table.define<Row>()({
  name: "social account",
  idOf: ({ account }) => rowId(account),
  indexes: { user: ({ userId }) => userId }
})

/** The most links of one user that are taken away. */
const linksMax = 1_000

/** Links of one store. */
export const layer = Layer.effect(
  SocialAccounts,
  Effect.map(Store, (store) =>
    SocialAccounts.of({
      link: (account, userId) => store.write("SocialAccounts.link", (rows) => rows.insert(links, { account, userId })),
      findUser: (account) =>
        store.read("SocialAccounts.findUser", (rows) =>
          Option.fromUndefinedOr(rows.get(links, rowId(account))?.userId)
        ),
      unlinkAll: (userId) =>
        store.write("SocialAccounts.unlinkAll", (rows) => {
          const own = rows.list(links, "user", { prefix: userId, limit: linksMax })
          for (const { account } of own) rows.remove(links, rowId(account))
          return Result.succeed(undefined)
        })
    })
  )
)
