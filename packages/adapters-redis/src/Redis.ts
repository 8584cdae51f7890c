/**
 * Every port that Redis serves, over one shared connection.
 *
 * @since 0.1.0
 */
import type { CartStore as CartStorePort } from "@pillivery/application/ports/CartStore"
import type { CatalogueChanges as CatalogueChangesPort } from "@pillivery/application/ports/CatalogueChanges"
import type { DistributedLock as DistributedLockPort } from "@pillivery/application/ports/DistributedLock"
import { type Config, Layer } from "effect"
import type { TokenStore as TokenStorePort } from "@pillivery/application/ports/TokenStore"
import type { ViewCounter as ViewCounterPort } from "@pillivery/application/ports/ViewCounter"
import type * as Persistence from "effect/persistence/Redis"
import * as CartStore from "./CartStore.ts"
import * as CatalogueChanges from "./CatalogueChanges.ts"
import * as Client from "./Client.ts"
import * as DistributedLock from "./DistributedLock.ts"
import * as TokenStore from "./TokenStore.ts"
import * as ViewCounter from "./ViewCounter.ts"

/** What the layers here provide: the ports, and the connection for whoever keeps something of their own in Redis. */
export type Provided =
  | CartStorePort
  | CatalogueChangesPort
  | DistributedLockPort
  | TokenStorePort
  | ViewCounterPort
  | Persistence.Redis

/** Where Redis is, and what precedes every key in it. */
export interface Options extends Client.Options {
  readonly keyPrefix?: string
}

/** The ports on the Redis of the URL. */
export const layer = (options: Options): Layer.Layer<Provided, Client.RedisUrlInvalid> => {
  const { keyPrefix = Client.keyPrefixDefault, ...client } = options
  return Layer.provideMerge(
    Layer.mergeAll(
      CartStore.layerWith({ keyPrefix }),
      CatalogueChanges.layerWith({ keyPrefix }),
      DistributedLock.layerWith({ keyPrefix }),
      TokenStore.layerWith({ keyPrefix }),
      ViewCounter.layerWith({ keyPrefix })
    ),
    Client.layer(client)
  )
}

/** The ports on the Redis of `PILLIVERY_REDIS_URL`. */
export const layerConfig: Layer.Layer<Provided, Client.RedisUrlInvalid | Config.ConfigError> = Layer.provideMerge(
  Layer.mergeAll(
    CartStore.layer,
    CatalogueChanges.layerWith({}),
    DistributedLock.layer,
    TokenStore.layer,
    ViewCounter.layerWith({})
  ),
  Client.layerConfig
)
