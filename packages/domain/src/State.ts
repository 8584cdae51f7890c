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
  new (fields: Fields<State>): State
  readonly prototype: State
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
 * Every field that changes is validated. A field that is carried over was validated when the present state was made, and a
 * state never changes, so it is not validated again where both classes share its schema. That makes a transition several
 * times as fast as building the next state anew.
 *
 * **Gotchas**
 *
 * A field that breaks its schema is a programmer's error: like the class's own constructor this throws.
 */
export const next = <Self extends Tagged, State extends Tagged>(
  Next: StateClass<State>,
  self: Self,
  changes: Changes<Self, State>
): State => {
  const { blank, carried, isWide, own, shared } = planOf(Next, self)
  const present: Tagged & Readonly<Record<string, unknown>> = Object(self)
  const changed: Readonly<Record<string, unknown>> = changes
  // A copy has a place for each field at once. Beyond some number of fields it is faster than an object that grows.
  const state = isWide ? Object({ __proto__: Next.prototype, ...blank }) : Object.create(Next.prototype)
  state._tag = blank._tag
  for (const name of carried) state[name] = present[name]
  for (const name in changed) {
    const isValid = shared.get(name)
    if (isValid === undefined) continue
    if (!isValid(changed[name])) return refused(Next, present, changed)
    state[name] = changed[name]
  }
  for (const { isValid, name } of own) {
    const value = name in changed ? changed[name] : present[name]
    if (!isValid(value)) return refused(Next, present, changed)
    state[name] = value
  }
  return state
}

// The class's own constructor throws, saying what is wrong.
const refused = <State extends Tagged>(
  Next: StateClass<State>,
  { _tag, ...fields }: Tagged & Readonly<Record<string, unknown>>,
  changed: Readonly<Record<string, unknown>>
): State => new Next(Object({ ...fields, ...changed }))

/** How to enter one state from another. */
interface Plan {
  readonly isWide: boolean
  /** The next state with nothing in it but its tag. */
  readonly blank: Tagged
  /** The fields that both classes hold to the same schema. */
  readonly carried: ReadonlyArray<string>
  /** What each of those must be when it changes. */
  readonly shared: ReadonlyMap<string, IsValid>
  /** The other fields of the next state. */
  readonly own: ReadonlyArray<{ readonly name: string; readonly isValid: IsValid }>
}

/** Growing field by field is faster up to about this many fields, as measured by `npm run bench -- domain`. */
const narrowFieldsMax = 18

type IsValid = (value: unknown) => boolean

// One entry for each pair of state classes, made when it is first used: a fixed number, not a cache that grows.
const plansByClass = new WeakMap<object, WeakMap<object, Plan>>()

const planOf = (Next: Pick<StateClass<Tagged>, "fields">, self: Tagged): Plan => {
  const plansBySelf = plansByClass.get(Next) ?? new WeakMap<object, Plan>()
  const known = plansBySelf.get(self.constructor)
  if (known !== undefined) return known
  const { _tag, ...schemas } = Next.fields
  const present: Readonly<Record<string, unknown>> = "fields" in self.constructor ? Object(self.constructor.fields) : {}
  const fields = Object.entries(schemas).map(([name, schema]) => ({
    name,
    isValid: Schema.is(schema),
    isShared: present[name] === schema
  }))
  const carried = fields.filter(({ isShared }) => isShared)
  const nothing = Object.fromEntries(fields.map(({ name }) => [name, null]))
  const plan = {
    isWide: fields.length > narrowFieldsMax,
    // The engine lays out what it parses for copying, and what grows by computed names for looking up.
    blank: JSON.parse(JSON.stringify({ _tag: _tag.schema.literal, ...nothing })),
    carried: carried.map(({ name }) => name),
    shared: new Map(carried.map(({ isValid, name }) => [name, isValid])),
    own: fields.filter(({ isShared }) => !isShared)
  }
  plansByClass.set(Next, plansBySelf.set(self.constructor, plan))
  return plan
}
