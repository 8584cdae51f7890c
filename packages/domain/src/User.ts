/**
 * Somebody who buys, or who runs the shop.
 *
 * A user is active, then withdraws once and for good. A withdrawn user keeps nothing that tells who it was: orders and
 * payments, which the law wants kept, refer to the id alone. The password's hash is not part of the user.
 *
 * @since 0.1.0
 */
import type * as DateTime from "effect/DateTime"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { DisplayName } from "./DisplayName.ts"
import { Email } from "./Email.ts"
import { UserId } from "./Ids.ts"
import * as Phone from "./Phone.ts"
import { Address, realNameLengthMax } from "./Receiver.ts"
import * as State from "./State.ts"

/** What a user may do: `ADMIN` runs the shop, and may do what a `USER` may. */
export const Role = Schema.Literals(["USER", "ADMIN"])
export type Role = typeof Role.Type

const common = { id: UserId, role: Role, createdAt: Schema.DateTimeUtc, version: Schema.Int }

const profile = {
  displayName: DisplayName,
  realName: Schema.String.check(
    Schema.isMaxLength(realNameLengthMax),
    Schema.makeFilter((text: string) => /\S/.test(text) && text === text.normalize("NFC"), {
      expected: "a name in NFC that is not blank"
    })
  ),
  /** In its one spelling, with hyphens, because it is unique among users. */
  phone: Phone.Phone.check(
    Schema.makeFilter((phone: Phone.Phone) => phone === Phone.normalize(phone), { expected: "a number with hyphens" })
  ),
  address: Address
}

/** Can log in and buy. */
export class Active extends Schema.TaggedClass<Active>("@pillivery/domain/User/Active")("Active", {
  ...common,
  ...profile,
  email: Email
}) {}

/** Left; nothing personal is kept. */
export class Withdrawn extends Schema.TaggedClass<Withdrawn>("@pillivery/domain/User/Withdrawn")("Withdrawn", {
  ...common,
  withdrawnAt: Schema.DateTimeUtc
}) {}

/** A user in any state. */
export const User = Schema.Union([Active, Withdrawn]).pipe(Schema.toTaggedUnion("_tag"))
export type User = typeof User.Type
/** The name of a state of a user. */
export type Tag = User["_tag"]

/** Every allowed move: which commands each state knows, and where each leads. */
export const transitions = {
  Active: { changeProfile: ["Active"], grant: ["Active"], withdraw: ["Withdrawn"] },
  Withdrawn: {}
} as const satisfies State.Transitions<Tag>

/** The user is not in a state from which `command` leads anywhere. */
export class UserTransitionDenied extends Schema.TaggedError<UserTransitionDenied>(
  "@pillivery/domain/User/UserTransitionDenied"
)("UserTransitionDenied", { userId: UserId, from: Schema.String, command: Schema.String }) {
  override get message() {
    return `user ${this.userId} is ${this.from} and does not allow ${this.command}`
  }
}

type Command = State.CommandOf<typeof transitions>
type Move<C extends Command, Args extends ReadonlyArray<unknown>, To, E = never> = State.Move<
  User,
  typeof transitions,
  C,
  Args,
  Result.Result<To, UserTransitionDenied | E>
>

const denied = (self: User, command: Command) =>
  Result.fail(new UserTransitionDenied({ userId: self.id, from: self._tag, command }))

/** What a user may say and change about itself. */
export interface Profile {
  readonly displayName: DisplayName
  readonly realName: string
  readonly phone: Phone.Phone
  readonly address: Address
}

/** A new user. */
export const register = (
  options: Profile & { readonly id: UserId; readonly email: Email; readonly at: DateTime.Utc }
): Active =>
  new Active({
    id: options.id,
    email: options.email,
    ...spelled(options),
    role: "USER",
    createdAt: options.at,
    version: 0
  })

/** The user tells something new about itself. */
export const changeProfile: Move<"changeProfile", [changed: Partial<Profile>], Active> = (self: User, changed) =>
  self._tag === "Active"
    ? Result.succeed(State.next(Active, self, { ...spelled({ ...self, ...changed }) }))
    : denied(self, "changeProfile")

/** Gives or takes the right to run the shop. */
export const grant: Move<"grant", [role: Role], Active> = (self: User, role) =>
  self._tag === "Active" ? Result.succeed(State.next(Active, self, { role })) : denied(self, "grant")

/** Leaves: all that is personal is forgotten. */
export const withdraw: Move<"withdraw", [at: DateTime.Utc], Withdrawn> = (self: User, at) =>
  self._tag === "Active"
    ? Result.succeed(
        new Withdrawn({
          id: self.id,
          role: "USER",
          createdAt: self.createdAt,
          withdrawnAt: at,
          version: self.version
        })
      )
    : denied(self, "withdraw")

// Unique values have one spelling.
const spelled = (told: Profile): Profile => ({
  displayName: told.displayName,
  realName: told.realName.normalize("NFC").trim(),
  phone: Phone.normalize(told.phone),
  address: told.address
})
