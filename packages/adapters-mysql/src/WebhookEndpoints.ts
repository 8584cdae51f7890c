/**
 * Webhook endpoints. Their secrets stand here as they are: whoever reads the database reads billing keys too.
 *
 * @since 0.1.0
 */
import {
  endpointsListedMax,
  WebhookEndpoint,
  type WebhookEndpointId,
  WebhookEndpoints
} from "@pillivery/application/ports/WebhookEndpoints"
import { Effect, Layer, Option, Redacted, Schema } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import { Flag, Instant, nullOr, rowWriter, toBytes, Uuid } from "./internal/Columns.ts"
import { affectedRows, columnsOf, entitiesFrom, insertsOf, updatesOf } from "./internal/Rows.ts"
import { Statements } from "./Transaction.ts"

const EndpointRow = Schema.Struct({
  id: Uuid,
  url: Schema.String,
  description: Schema.String,
  tags: Schema.fromJsonString(Schema.Array(Schema.String)),
  is_active: Flag,
  secret: Schema.String,
  former_secret: nullOr(Schema.String),
  former_secret_until: nullOr(Instant),
  created_at: Instant,
  version: Schema.Int
})

const encodeRow = rowWriter(EndpointRow)

const endpointToRow = (endpoint: WebhookEndpoint): typeof EndpointRow.Type => ({
  id: endpoint.id,
  url: endpoint.url,
  description: endpoint.description,
  tags: endpoint.tags,
  is_active: endpoint.isActive,
  secret: Redacted.value(endpoint.secret),
  former_secret: endpoint.formerSecret === null ? null : Redacted.value(endpoint.formerSecret),
  former_secret_until: endpoint.formerSecretUntil,
  created_at: endpoint.createdAt,
  version: endpoint.version
})

const endpointsFrom = entitiesFrom(EndpointRow, WebhookEndpoint, (row) => ({
  id: row.id,
  url: row.url,
  description: row.description,
  tags: row.tags,
  isActive: row.is_active,
  secret: Redacted.make(row.secret),
  formerSecret: row.former_secret === null ? null : Redacted.make(row.former_secret),
  formerSecretUntil: row.former_secret_until,
  createdAt: row.created_at,
  version: row.version
}))

/** Endpoints on MySQL. */
export const layer = Layer.effect(
  WebhookEndpoints,
  Effect.gen(function* () {
    const sql = yield* SqlClient
    const { read, write } = yield* Statements
    const columns = columnsOf(sql, EndpointRow)
    const table = {
      sql,
      table: "webhook_endpoint",
      entity: "webhook endpoint",
      idOf: ({ id }: WebhookEndpoint) => id,
      toRow: (endpoint: WebhookEndpoint) => encodeRow(endpointToRow(endpoint))
    }

    return WebhookEndpoints.of({
      insert: Effect.fn("WebhookEndpoints.insert")((endpoint: WebhookEndpoint) =>
        write("WebhookEndpoints.insert")(insertsOf(table).one(endpoint))
      ),

      findById: Effect.fn("WebhookEndpoints.findById")((id: WebhookEndpointId) =>
        Effect.map(
          read("WebhookEndpoints.findById")(
            endpointsFrom(sql`SELECT ${columns} FROM webhook_endpoint WHERE id = ${toBytes(id)}`)
          ),
          ([endpoint]) => Option.fromUndefinedOr(endpoint)
        )
      ),

      update: Effect.fn("WebhookEndpoints.update")((endpoint: WebhookEndpoint) =>
        write("WebhookEndpoints.update")(updatesOf(table, { keys: ["id"], fixed: ["created_at"] }).one(endpoint))
      ),

      remove: Effect.fn("WebhookEndpoints.remove")((id: WebhookEndpointId) =>
        Effect.map(
          write("WebhookEndpoints.remove")(affectedRows(sql`DELETE FROM webhook_endpoint WHERE id = ${toBytes(id)}`)),
          (rows) => rows > 0
        )
      ),

      list: read("WebhookEndpoints.list")(
        endpointsFrom(sql`SELECT ${columns} FROM webhook_endpoint ORDER BY created_at, id LIMIT ${endpointsListedMax}`)
      )
    })
  })
)
