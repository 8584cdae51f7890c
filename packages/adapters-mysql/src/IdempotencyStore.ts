/**
 * Requests with idempotency keys, on MySQL.
 *
 * @since 0.1.0
 */
import { type BoundRequest, IdempotencyStore, type RequestKey } from "@pillivery/application/ports/IdempotencyStore"
import { Effect, Layer, Option, Schema } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import { toBytes, Uuid } from "./internal/Columns.ts"
import { orExists, orStale } from "./internal/Rows.ts"
import { Statements } from "./Transaction.ts"

const decodeRows = Schema.decodeUnknownEffect(
  Schema.Array(Schema.Struct({ fingerprint: Schema.String, attempt_id: Uuid }))
)

/** Requests on MySQL. */
export const layer = Layer.effect(
  IdempotencyStore,
  Effect.gen(function* () {
    const sql = yield* SqlClient
    const { read, write } = yield* Statements

    // Compared as bytes: the server pads texts with spaces before it compares them.
    const named = ({ endpoint, key, principal }: RequestKey) =>
      sql`principal = ${ascii(principal)} AND endpoint = ${ascii(endpoint)} AND request_key = ${ascii(key)}`

    return IdempotencyStore.of({
      find: Effect.fn("IdempotencyStore.find")(function* (request: RequestKey) {
        const [row] = yield* read("IdempotencyStore.find")(
          Effect.flatMap(sql`SELECT fingerprint, attempt_id FROM idempotency_key WHERE ${named(request)}`, decodeRows)
        )
        return row === undefined
          ? Option.none()
          : Option.some({ fingerprint: row.fingerprint, resourceId: row.attempt_id })
      }),

      bind: Effect.fn("IdempotencyStore.bind")((request: RequestKey, { fingerprint, resourceId }: BoundRequest) =>
        write("IdempotencyStore.bind")(
          orExists(
            sql`INSERT INTO idempotency_key (principal, endpoint, request_key, fingerprint, attempt_id, bound_at)
              VALUES (${ascii(request.principal)}, ${ascii(request.endpoint)}, ${ascii(request.key)}, ${fingerprint},
                ${toBytes(resourceId)}, UTC_TIMESTAMP(3))`,
            "idempotencyKey",
            request.key
          )
        )
      ),

      rebind: Effect.fn("IdempotencyStore.rebind")(
        (request: RequestKey, { from, to }: { readonly from: string; readonly to: string }) =>
          write("IdempotencyStore.rebind")(
            orStale(
              sql`UPDATE idempotency_key SET attempt_id = ${toBytes(to)}, bound_at = UTC_TIMESTAMP(3)
                WHERE ${named(request)} AND attempt_id = ${toBytes(from)}`,
              "idempotencyKey",
              request.key
            )
          )
      )
    })
  })
)

const ascii = (text: string): Uint8Array => Buffer.from(text, "latin1")
