/**
 * Announcements within this process.
 *
 * @since 0.1.0
 */
import { CatalogueChanges } from "@pillivery/application/ports/CatalogueChanges"
import { Effect, Layer, PubSub, Stream } from "effect"

/** Announcements of this process. */
export const layer = Layer.effect(
  CatalogueChanges,
  Effect.map(PubSub.sliding<void>(1), (announced) =>
    CatalogueChanges.of({
      announce: Effect.asVoid(PubSub.publish(announced, undefined)),
      subscribe: Effect.map(PubSub.subscribe(announced), (messages) => Stream.fromSubscription(messages))
    })
  )
)
