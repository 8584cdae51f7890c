/**
 * Where rows and carts are kept: in memory with a sample catalogue, or in MySQL and Redis.
 *
 * @since 0.1.0
 */
import * as Memory from "@pillivery/adapters-memory/Memory"
import type * as Mysql from "@pillivery/adapters-mysql/Mysql"
import type { CatalogueChanges } from "@pillivery/application/ports/CatalogueChanges"
import type { ViewCounter } from "@pillivery/application/ports/ViewCounter"
import type { CartStore } from "@pillivery/application/ports/CartStore"
import type { DistributedLock } from "@pillivery/application/ports/DistributedLock"
import type { IdGenerator } from "@pillivery/application/ports/IdGenerator"
import type { TokenStore } from "@pillivery/application/ports/TokenStore"
import { ItemRepository } from "@pillivery/application/ports/ItemRepository"
import { Effect, Layer } from "effect"
import * as RateLimiter from "effect/persistence/RateLimiter"
import type { StoresError } from "./ExternalStores.ts"
import { sampleCatalogue } from "./SampleCatalogue.ts"
import type { Settings } from "./Settings.ts"

/** Every port that keeps something, and new ids. */
export type Ports =
  | Mysql.Ports
  | CartStore
  | CatalogueChanges
  | DistributedLock
  | IdGenerator
  | TokenStore
  | ViewCounter
  | RateLimiter.RateLimiter

/** Fills an empty catalogue with the sample. */
export const seed = Effect.fn("seed")(function* () {
  const items = yield* ItemRepository
  if ((yield* items.count) > 0) return
  // Another server that starts at the same moment may be first.
  yield* items.insert(sampleCatalogue).pipe(Effect.catchTag("AlreadyExists", () => Effect.void))
})

const layerMemory = Layer.effectDiscard(Effect.orDie(seed())).pipe(
  // memory does not fail
  Layer.provideMerge(Layer.merge(Memory.layer, RateLimiter.layer.pipe(Layer.provide(RateLimiter.layerStoreMemory))))
)

/** The stores that the settings name, ready to be used; in a sandbox an empty catalogue is filled with the sample. */
export const layer = ({ isSandbox, stores }: Settings): Layer.Layer<Ports, StoresError> =>
  stores._tag === "Memory"
    ? layerMemory
    : Layer.unwrap(
        Effect.map(
          Effect.promise(() => import("./ExternalStores.ts")),
          (external) => {
            const ports = external.layer({ ...stores, isClockMovable: isSandbox })
            return isSandbox ? Layer.provideMerge(Layer.effectDiscard(seed()), ports) : ports
          }
        )
      )
