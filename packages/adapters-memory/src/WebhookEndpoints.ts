/**
 * Webhook endpoints in memory.
 *
 * @since 0.1.0
 */
import {
  endpointsListedMax,
  type WebhookEndpoint,
  WebhookEndpoints
} from "@pillivery/application/ports/WebhookEndpoints"
import { Effect, Layer, Option, Result } from "effect"
import * as Table from "./internal/Table.ts"
import { Store } from "./Store.ts"

const endpoints = Table.define<WebhookEndpoint>()({
  name: "webhook endpoint",
  idOf: ({ id }) => id,
  indexes: { age: ({ createdAt }) => Table.timeKey(createdAt) }
})

/** Endpoints of one store. */
export const layer = Layer.effect(
  WebhookEndpoints,
  Effect.map(Store, (store) =>
    WebhookEndpoints.of({
      insert: (endpoint) => store.write("WebhookEndpoints.insert", (rows) => rows.insert(endpoints, endpoint)),
      findById: (id) =>
        store.read("WebhookEndpoints.findById", (rows) => Option.fromUndefinedOr(rows.get(endpoints, id))),
      update: (endpoint) => store.write("WebhookEndpoints.update", (rows) => rows.update(endpoints, endpoint)),
      remove: (id) =>
        store.write("WebhookEndpoints.remove", (rows) => {
          const isThere = rows.get(endpoints, id) !== undefined
          rows.remove(endpoints, id)
          return Result.succeed(isThere)
        }),
      list: store.read("WebhookEndpoints.list", (rows) => rows.list(endpoints, "age", { limit: endpointsListedMax }))
    })
  )
)
