/**
 * Rows in MySQL, carts and locks in Redis. Loaded only where they are used, since the drivers take time to load.
 *
 * @since 0.1.0
 */
import * as IdGenerator from "@pillivery/adapters-memory/IdGenerator"
import * as MysqlClient from "@pillivery/adapters-mysql/Client"
import { type MigrationMismatch, migrate } from "@pillivery/adapters-mysql/Migrations"
import * as Mysql from "@pillivery/adapters-mysql/Mysql"
import { keyPrefixDefault, type RedisUrlInvalid } from "@pillivery/adapters-redis/Client"
import * as LedgerMark from "@pillivery/adapters-redis/LedgerMark"
import * as Redis from "@pillivery/adapters-redis/Redis"
import type { StorageError } from "@pillivery/application/ports/StorageError"
import { Layer, Redacted } from "effect"
import * as RateLimiter from "effect/persistence/RateLimiter"

/** The stores cannot be used. */
export type StoresError = MysqlClient.MysqlUrlInvalid | MigrationMismatch | RedisUrlInvalid | StorageError

const databaseOf = (url: Redacted.Redacted): string => URL.parse(Redacted.value(url))?.pathname.slice(1) ?? ""

/** The stores at two addresses, their schema brought up to date. */
export const layer = (options: {
  readonly mysqlUrl: Redacted.Redacted
  readonly redisUrl: Redacted.Redacted
  readonly isClockMovable: boolean
}) =>
  Layer.mergeAll(
    Layer.effectDiscard(migrate).pipe(
      Layer.provideMerge(Mysql.layerWith({ isClockMovable: options.isClockMovable })),
      Layer.provideMerge(MysqlClient.layer({ url: options.mysqlUrl }))
    ),
    Layer.merge(
      LedgerMark.layer({ database: databaseOf(options.mysqlUrl) }),
      RateLimiter.layer.pipe(Layer.provide(RateLimiter.layerStoreRedis({ prefix: `${keyPrefixDefault}limit:` })))
    ).pipe(Layer.provideMerge(Redis.layer({ url: options.redisUrl }))),
    IdGenerator.layer
  )
