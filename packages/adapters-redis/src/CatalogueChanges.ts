/**
 * Announcements over a channel of Redis.
 *
 * @since 0.1.0
 */
import { CatalogueChanges } from "@pillivery/application/ports/CatalogueChanges"
import { Effect, Layer, Schedule, Stream } from "effect"
import * as Redis from "effect/persistence/Redis"
import { keyPrefixDefault } from "./Client.ts"

/** What precedes the channel. */
export interface Options {
  readonly keyPrefix?: string
}

/** How long after a subscription broke another one is tried. */
const subscribeAgainAfter = "1 second"

const make = Effect.fnUntraced(function* ({ keyPrefix = keyPrefixDefault }: Options) {
  const redis = yield* Redis.Redis
  const channel = `${keyPrefix}catalogue-changed`
  // What was announced while nobody listened is made up for by one announcement at the start.
  const subscribed = Stream.unwrap(
    Effect.map(redis.subscribe(channel), (messages) =>
      Stream.concat(
        Stream.make(undefined),
        Stream.map(Stream.fromQueue(messages), () => undefined)
      )
    )
  )
  return CatalogueChanges.of({
    announce: redis
      .send("PUBLISH", channel, "")
      .pipe(Effect.catch((error) => Effect.logWarning("A change of the catalogue was not announced", error))),
    subscribe: Effect.succeed(subscribed.pipe(Stream.retry(Schedule.spaced(subscribeAgainAfter)), Stream.orDie))
  })
})

/** Announcements on Redis with these options. */
export const layerWith = (options: Options): Layer.Layer<CatalogueChanges, never, Redis.Redis> =>
  Layer.effect(CatalogueChanges, make(options))
