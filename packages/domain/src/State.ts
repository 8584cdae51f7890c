/**
 * What every state machine of the domain is made of: a table of its moves, and one way to build the next state.
 *
 * A machine is a union of state classes and a table that says which commands each state knows and where each may lead.
 * The table is data, so the documentation and the tests are made from it, and it is also a type: calling a transition on
 * a state that is known not to have it does not compile.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/** A value that knows which state it is in. */
export interface Tagged {
  readonly _tag: string
}

/** The commands each state knows, and the states each command may lead to; a command not listed is refused there. */
export type Transitions<Tag extends string> = Readonly<
  Record<Tag, Readonly<Record<string, readonly [Tag, ...ReadonlyArray<Tag>]>>>
>

/** The names of all commands of a table. */
export type CommandOf<Table> = { [Tag in keyof Table]: keyof Table[Tag] }[keyof Table]

/** The tags of the states that know a command. */
export type Knowing<Table, Command> = {
  [Tag in keyof Table]: Command extends keyof Table[Tag] ? Tag : never
}[keyof Table]

/** `Self` if it may be in a state that knows the command, `never` if it is known not to be. */
export type Able<Self, Table, Command> = [Extract<Self, { readonly _tag: Knowing<Table, Command> }>] extends [never]
  ? never
  : Self

/**
 * A transition: takes the machine in any state, or narrowed to states of which at least one knows the command.
 *
 * **Details**
 *
 * `State` is the union of all states, `Args` what the command needs beside the state, `Answer` a `Result`.
 */
export type Move<
  State extends Tagged,
  Table,
  Command extends CommandOf<Table>,
  Args extends ReadonlyArray<unknown>,
  Answer
> = <Self extends State>(self: Self & Able<Self, Table, Command>, ...args: Args) => Answer

/** The states a state may lead to by any command, each once; none for an end. */
export const targetsOf = <Tag extends string>(table: Transitions<Tag>, from: Tag): ReadonlyArray<Tag> => [
  ...new Set(Object.values(table[from]).flat())
]

/** The fields of a state without its tag, for building another state from them. */
export type Fields<State extends Tagged> = State extends unknown ? Omit<State, "_tag"> : never

/** Takes a state's fields without its tag; a state class refuses another state's tag. */
export const fieldsOf = <State extends Tagged>(self: State): Fields<State> => {
  const { _tag: _, ...fields } = self
  return fields as Fields<State>
}

/** A class of states, as `Schema.TaggedClass` makes it. */
export interface StateClass<State extends Tagged> {
  new (fields: Fields<State>, options?: { readonly disableChecks?: boolean }): State
  readonly fields: { readonly _tag: Schema.tag<State["_tag"]>; readonly [name: string]: Schema.Top }
}

type CarriedKey<Self, State extends Tagged> = {
  [Key in keyof Fields<State>]: Key extends keyof Self ? (Self[Key] extends Fields<State>[Key] ? Key : never) : never
}[keyof Fields<State>]

/** What the next state needs to be told: fields the present state lacks or has of another type, and any that change. */
export type Changes<Self, State extends Tagged> = Omit<Fields<State>, CarriedKey<Self, State>> &
  Partial<Pick<Fields<State>, CarriedKey<Self, State>>>

/**
 * Builds the next state from the present one and what changes; fields the next state does not have are left behind.
 *
 * **Details**
 *
 * Every field that changes is validated in full. A field that is carried over was validated when the present state was
 * made, and a state never changes; of it only the type is checked again. That halves the cost of a transition.
 *
 * **Gotchas**
 *
 * A changed field that breaks its schema is a programmer's error: like the class's own constructor this throws.
 */
export const next = <Self extends Tagged, State extends Tagged>(
  Next: StateClass<State>,
  self: Self,
  changes: Changes<Self, State>
): State => {
  const { isValid, tag } = planOf(Next)
  let areValid = true
  const changed: Readonly<Record<string, unknown>> = changes
  for (const name in changed) areValid &&= isValid[name]?.(changed[name]) ?? true
  // Much faster than spreading both. The fields are all there by the type of `changes`, which TypeScript cannot add up.
  const fields: object = Object.assign({}, self, changed, { _tag: tag })
  return new Next(fields as Fields<State>, { disableChecks: areValid })
}

interface Plan {
  readonly tag: string
  readonly isValid: Readonly<Record<string, (value: unknown) => boolean>>
}

// One entry a state class, made when it is first entered: a fixed number of classes, not a cache that grows.
const planByClass = new WeakMap<object, Plan>()

const planOf = (Next: Pick<StateClass<Tagged>, "fields">): Plan => {
  const known = planByClass.get(Next)
  if (known !== undefined) return known
  const { _tag, ...fields } = Next.fields
  const isValid = Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, Schema.is(field)]))
  const plan = { tag: _tag.schema.literal, isValid }
  planByClass.set(Next, plan)
  return plan
}
