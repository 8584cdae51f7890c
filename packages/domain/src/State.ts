/**
 * Moving from one state class to the next.
 *
 * @since 0.1.0
 */

/** The fields of a state without its tag, for building the next state from them. */
export type Fields<State extends { readonly _tag: string }> = State extends unknown ? Omit<State, "_tag"> : never

/** Takes a state's fields without its tag; a state class refuses another state's tag. */
export const fieldsOf = <State extends { readonly _tag: string }>(self: State): Fields<State> => {
  const { _tag: _, ...fields } = self
  return fields as Fields<State>
}
