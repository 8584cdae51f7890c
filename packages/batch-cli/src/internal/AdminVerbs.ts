/**
 * The verb that makes the first administrator: over HTTP only an administrator could.
 *
 * @since 0.1.0
 */
import { grantAdmin } from "@pillivery/application/Users/GrantAdmin"
import * as Email from "@pillivery/domain/Email"
import { Effect } from "effect"
import { Argument, Command } from "effect/cli"
import { databaseLayer } from "../Root.ts"
import { json, say } from "./Output.ts"

const email = Argument.String("email").pipe(Argument.withDescription("The e-mail the user signed up with"))

const grantCommand = Command.make(
  "grant",
  { email, json },
  Effect.fnUntraced(function* (flags) {
    const email = yield* Effect.fromResult(Email.parse(flags.email))
    const { isNew, userId } = yield* grantAdmin(email)
    yield* say(
      flags.json,
      isNew ? `${email} is ADMIN now, from the next log-in or refresh on.` : `${email} was ADMIN already.`,
      { userId, email, role: "ADMIN", isNew }
    )
  })
).pipe(
  Command.withDescription("Give a user who has signed up the role ADMIN; repeating it is safe"),
  Command.provide(databaseLayer)
)

/** Looks after who may run the shop. */
export const adminCommand = Command.make("admin").pipe(
  Command.withDescription("Look after who may run the shop"),
  Command.withSubcommands([grantCommand])
)
