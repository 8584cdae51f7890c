/**
 * Telling every server that the catalogue changed.
 *
 * @since 0.1.0
 */
import { Context, type Effect, type Scope, type Stream } from "effect"

/**
 * Announcements, to all servers and to oneself. One may get lost: whoever keeps copies keeps them for a short time only.
 */
export class CatalogueChanges extends Context.Service<
  CatalogueChanges,
  {
    readonly announce: Effect.Effect<void>
    /** An element for each announcement from now on; one more where some before it may have been missed. */
    readonly subscribe: Effect.Effect<Stream.Stream<void>, never, Scope.Scope>
  }
>()("@pillivery/application/CatalogueChanges") {}
