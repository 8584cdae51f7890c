/**
 * Requests with idempotency keys in memory.
 *
 * @since 0.1.0
 */
import { type BoundRequest, IdempotencyStore, type RequestKey } from "@pillivery/application/ports/IdempotencyStore"
import { AlreadyExists, StaleWrite } from "@pillivery/application/ports/StorageError"
import { Effect, Layer, Option, Result } from "effect"
import * as Table from "./internal/Table.ts"
import { Store } from "./Store.ts"

interface Row extends RequestKey, BoundRequest {}

const rowId = ({ endpoint, key, principal }: RequestKey): string => JSON.stringify([principal, endpoint, key])

const requests = Table.define<Row>()({ name: "idempotency key", idOf: rowId, indexes: {} })

/** Requests of one store. */
export const layer = Layer.effect(
  IdempotencyStore,
  Effect.map(Store, (store) =>
    IdempotencyStore.of({
      find: (request) =>
        store.read("IdempotencyStore.find", (rows) => {
          const row = rows.get(requests, rowId(request))
          return row === undefined
            ? Option.none()
            : Option.some({ fingerprint: row.fingerprint, resourceId: row.resourceId })
        }),
      bind: ({ endpoint, key, principal }, { resourceId, fingerprint }) =>
        store.write("IdempotencyStore.bind", (rows): Result.Result<void, AlreadyExists> => {
          const row = { principal, endpoint, key, fingerprint, resourceId }
          if (rows.get(requests, rowId(row)) !== undefined) {
            return Result.fail(new AlreadyExists({ entity: "idempotencyKey", key }))
          }
          rows.put(requests, row)
          return Result.succeed(undefined)
        }),
      rebind: (request, { from, to }) =>
        store.write("IdempotencyStore.rebind", (rows): Result.Result<void, StaleWrite> => {
          const row = rows.get(requests, rowId(request))
          if (row === undefined || row.resourceId !== from) {
            return Result.fail(new StaleWrite({ entity: "idempotencyKey", id: request.key }))
          }
          rows.put(requests, { ...row, resourceId: to })
          return Result.succeed(undefined)
        })
    })
  )
)
