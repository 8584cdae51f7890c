/**
 * Users, unique by e-mail, display name and phone; who withdrew leaves all three free.
 *
 * @since 0.1.0
 */
import { UserExists, UserRepository } from "@pillivery/application/ports/UserRepository"
import { DisplayName } from "@pillivery/domain/DisplayName"
import type { Email } from "@pillivery/domain/Email"
import { UserId } from "@pillivery/domain/Ids"
import * as User from "@pillivery/domain/User"
import { Array as Arr, Effect, Layer, Redacted, Schema } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import { fieldOrNull, Instant, nullOr, toBytes, Uuid } from "./internal/Columns.ts"
import { duplicatedKeyOf, isDuplicateKey } from "./internal/Errors.ts"
import {
  columnsOf,
  entitiesFrom,
  findsOf,
  first,
  insertRows,
  orStale,
  preparedIfOne,
  whereIn
} from "./internal/Rows.ts"
import { Statements } from "./Transaction.ts"

const UserRow = Schema.Struct({
  id: Uuid,
  state: Schema.String,
  role: Schema.String,
  email: nullOr(Schema.String),
  display_name: nullOr(Schema.String),
  real_name: nullOr(Schema.String),
  phone: nullOr(Schema.String),
  city: nullOr(Schema.String),
  detail: nullOr(Schema.String),
  created_at: Instant,
  withdrawn_at: nullOr(Instant),
  version: Schema.Int
})

const CredentialsRow = Schema.Struct({ ...UserRow.fields, password_hash: nullOr(Schema.String) })
const Credentials = Schema.Struct({ user: User.User, passwordHash: nullOr(Schema.RedactedFromValue(Schema.String)) })

const decodeNames = Schema.decodeUnknownEffect(
  Schema.Array(Schema.Struct({ id: Uuid.pipe(Schema.decodeTo(UserId)), display_name: DisplayName }))
)

const encodeUserRow = Schema.encodeSync(UserRow)

/** What is written of a user; names that look the same are the same. */
const encodeRow = (user: User.User) => ({
  ...encodeUserRow(userToRow(user)),
  display_name_key: user._tag === "Active" ? user.displayName.normalize("NFKC").toLowerCase() : null
})

const userToRow = (user: User.User): typeof UserRow.Type => {
  const address = fieldOrNull(user, "address")
  return {
    id: user.id,
    state: user._tag,
    role: user.role,
    email: fieldOrNull(user, "email"),
    display_name: fieldOrNull(user, "displayName"),
    real_name: fieldOrNull(user, "realName"),
    phone: fieldOrNull(user, "phone"),
    city: address?.city ?? null,
    detail: address?.detail ?? null,
    created_at: user.createdAt,
    withdrawn_at: fieldOrNull(user, "withdrawnAt"),
    version: user.version
  }
}

/** All fields of all states; the union takes those of the row's state and refuses a row that lacks one. */
const rowToUser = (row: typeof UserRow.Type) => ({
  _tag: row.state,
  id: row.id,
  role: row.role,
  email: row.email,
  displayName: row.display_name,
  realName: row.real_name,
  phone: row.phone,
  address: { city: row.city, detail: row.detail },
  createdAt: row.created_at,
  withdrawnAt: row.withdrawn_at,
  version: row.version
})

const usersFrom = entitiesFrom(UserRow, User.User, rowToUser)
const credentialsFrom = entitiesFrom(CredentialsRow, Credentials, (row) => ({
  user: rowToUser(row),
  passwordHash: row.password_hash
}))

/** The field behind each unique key. */
const takenFields: Readonly<Record<string, UserExists["field"]>> = {
  app_user_email: "email",
  app_user_display_name: "displayName",
  app_user_phone: "phone"
}

const orTaken = <A, E>(statement: Effect.Effect<A, E>): Effect.Effect<A, E | UserExists> =>
  Effect.catch(statement, (error): Effect.Effect<never, E | UserExists> => {
    const field = isDuplicateKey(error) ? takenFields[duplicatedKeyOf(error) ?? ""] : undefined
    return Effect.fail(field === undefined ? error : new UserExists({ field }))
  })

/** Users on MySQL. */
export const layer = Layer.effect(
  UserRepository,
  Effect.gen(function* () {
    const sql = yield* SqlClient
    const { read, readTogether, write } = yield* Statements
    const userColumns = columnsOf(sql, UserRow)
    const credentialColumns = columnsOf(sql, CredentialsRow)

    return UserRepository.of({
      insert: Effect.fn("UserRepository.insert")((user: User.User, passwordHash: Redacted.Redacted | null) => {
        const row = {
          ...encodeRow(user),
          password_hash: passwordHash === null ? null : Redacted.value(passwordHash)
        }
        return write("UserRepository.insert")(orTaken(insertRows(sql, "app_user", [row])))
      }),

      findById: readTogether(
        "UserRepository.findById",
        findsOf({
          select: (ids: Arr.NonEmptyReadonlyArray<UserId>) => {
            const keys = Arr.map(Arr.dedupe(ids), toBytes)
            return usersFrom(
              preparedIfOne(keys, sql`SELECT ${userColumns} FROM app_user WHERE ${whereIn(sql, "id", keys)}`)
            )
          },
          keyOf: (id) => id,
          keyOfEntity: ({ id }) => id
        })
      ),

      findByEmail: Effect.fn("UserRepository.findByEmail")((email: Email) =>
        Effect.map(
          read("UserRepository.findByEmail")(
            credentialsFrom(sql`SELECT ${credentialColumns} FROM app_user WHERE email = ${email}`)
          ),
          first
        )
      ),

      findDisplayNames: Effect.fn("UserRepository.findDisplayNames")(function* (ids: ReadonlyArray<UserId>) {
        if (ids.length === 0) return new Map()
        const rows = yield* read("UserRepository.findDisplayNames")(
          Effect.flatMap(
            sql`SELECT id, display_name FROM app_user
              WHERE id IN ${sql.in(ids.map(toBytes))} AND display_name IS NOT NULL`,
            decodeNames
          )
        )
        return new Map(rows.map(({ display_name, id }) => [id, display_name]))
      }),

      update: Effect.fn("UserRepository.update")((user: User.User, passwordHash?: Redacted.Redacted) => {
        const { id, ...row } = encodeRow(user)
        const hash =
          user._tag === "Withdrawn"
            ? { password_hash: null }
            : passwordHash === undefined
              ? {}
              : { password_hash: Redacted.value(passwordHash) }
        return write("UserRepository.update")(
          orTaken(
            orStale(
              sql`UPDATE app_user SET ${sql.update({ ...row, ...hash, version: user.version + 1 })}
                WHERE id = ${id} AND version = ${user.version}`,
              "user",
              user.id
            )
          )
        )
      })
    })
  })
)
