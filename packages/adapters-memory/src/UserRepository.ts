/**
 * Users in memory.
 *
 * @since 0.1.0
 */
import { StaleWrite, StorageError } from "@pillivery/application/ports/StorageError"
import { UserExists, UserRepository } from "@pillivery/application/ports/UserRepository"
import type { User } from "@pillivery/domain/User"
import { Effect, Layer, Option, type Redacted, Result } from "effect"
import * as Table from "./internal/Table.ts"
import { nextVersion, Store } from "./Store.ts"

interface Row {
  readonly user: User
  readonly passwordHash: Redacted.Redacted | null
}

const users = Table.define<Row>()({
  name: "user",
  idOf: ({ user }) => user.id,
  unique: {
    email: ({ user }) => (user._tag === "Active" ? user.email : null),
    // Names that look the same are the same.
    displayName: ({ user }) => (user._tag === "Active" ? user.displayName.normalize("NFKC").toLowerCase() : null),
    phone: ({ user }) => (user._tag === "Active" ? user.phone : null)
  }
})

/** Users of one store. */
export const layer = Layer.effect(
  UserRepository,
  Effect.map(Store, (store) =>
    UserRepository.of({
      insert: (user, passwordHash) =>
        store.write("UserRepository.insert", (rows): Result.Result<void, UserExists | StorageError> => {
          const row = { user, passwordHash }
          const field = rows.conflictOf(users, row)
          if (field !== null) return Result.fail(new UserExists({ field }))
          return rows.get(users, user.id) === undefined
            ? Result.succeed(rows.put(users, row))
            : Result.fail(
                new StorageError({
                  operation: "UserRepository.insert",
                  reason: "failed",
                  cause: new Error(`user ${user.id} exists already`)
                })
              )
        }),
      findById: (id) =>
        store.read("UserRepository.findById", (rows) => Option.fromUndefinedOr(rows.get(users, id)?.user)),
      findByEmail: (email) =>
        store.read("UserRepository.findByEmail", (rows) => Option.fromUndefinedOr(rows.getBy(users, "email", email))),
      findDisplayNames: (ids) =>
        store.read("UserRepository.findDisplayNames", (rows) => {
          const found = ids.flatMap((id) => rows.get(users, id)?.user ?? [])
          return new Map(found.flatMap((user) => (user._tag === "Active" ? [[user.id, user.displayName]] : [])))
        }),
      update: (user, passwordHash) =>
        store.write("UserRepository.update", (rows): Result.Result<void, StaleWrite | UserExists> => {
          const before = rows.get(users, user.id)
          if (before?.user.version !== user.version) {
            return Result.fail(new StaleWrite({ entity: users.name, id: user.id }))
          }
          const field = rows.conflictOf(users, { ...before, user })
          if (field !== null) return Result.fail(new UserExists({ field }))
          return Result.succeed(
            rows.put(users, {
              user: nextVersion(user),
              // Who left cannot log in.
              passwordHash: user._tag === "Active" ? (passwordHash ?? before.passwordHash) : null
            })
          )
        })
    })
  )
)
