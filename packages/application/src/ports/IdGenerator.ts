/**
 * New identifiers.
 *
 * @since 0.1.0
 */
import { Context, type Effect } from "effect"

/** Makes UUIDv7 texts; the caller brands them. */
export class IdGenerator extends Context.Service<IdGenerator, { readonly next: Effect.Effect<string> }>()(
  "@pillivery/application/IdGenerator"
) {}
