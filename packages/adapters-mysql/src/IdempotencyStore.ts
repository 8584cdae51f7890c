/**
 * Requests with idempotency keys, on MySQL.
 *
 * @since 0.1.0
 */
import { type BoundRequest, IdempotencyStore, type RequestKey } from "@pillivery/application/ports/IdempotencyStore"
import { type Array as Arr, Effect, Layer, Option, Schema } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import { toBytes, Uuid } from "./internal/Columns.ts"
import { columnsOf, findsOf, orExists, orStale, preparedIfOne } from "./internal/Rows.ts"
import { Statements } from "./Transaction.ts"

const BoundRow = Schema.Struct({
  principal: Schema.Uint8Array,
  endpoint: Schema.Uint8Array,
  request_key: Schema.Uint8Array,
  fingerprint: Schema.String,
  attempt_id: Uuid
})
const decodeRows = Schema.decodeUnknownEffect(Schema.Array(BoundRow))

interface Binding {
  readonly request: RequestKey
  readonly bound: BoundRequest
}

/** Requests on MySQL. */
export const layer = Layer.effect(
  IdempotencyStore,
  Effect.gen(function* () {
    const sql = yield* SqlClient
    const { readTogether, write, writeTogether } = yield* Statements
    const columns = columnsOf(sql, BoundRow)

    // Compared as bytes: the server pads texts with spaces before it compares them.
    const named = ({ endpoint, key, principal }: RequestKey) =>
      sql`principal = ${ascii(principal)} AND endpoint = ${ascii(endpoint)} AND request_key = ${ascii(key)}`

    const findRow = readTogether(
      "IdempotencyStore.find",
      findsOf({
        select: (requests: Arr.NonEmptyReadonlyArray<RequestKey>) =>
          Effect.flatMap(
            preparedIfOne(
              requests,
              sql`SELECT ${columns} FROM idempotency_key
                WHERE ${sql.or(requests.map((request) => sql`(${named(request)})`))}`
            ),
            decodeRows
          ),
        keyOf: nameOf,
        keyOfEntity: (row) =>
          nameOf({ principal: text(row.principal), endpoint: text(row.endpoint), key: text(row.request_key) })
      })
    )

    const bindTogether = writeTogether("IdempotencyStore.bind", {
      one: ({ bound: { fingerprint, resourceId }, request }: Binding) =>
        orExists(
          sql`INSERT INTO idempotency_key (principal, endpoint, request_key, fingerprint, attempt_id, bound_at)
            VALUES (${ascii(request.principal)}, ${ascii(request.endpoint)}, ${ascii(request.key)}, ${fingerprint},
              ${toBytes(resourceId)}, UTC_TIMESTAMP(3))`,
          "idempotencyKey",
          request.key
        ),
      many: (bindings) => [
        {
          text: `INSERT INTO idempotency_key (principal, endpoint, request_key, fingerprint, attempt_id, bound_at)
            VALUES ${bindings.map(() => "(?, ?, ?, ?, ?, UTC_TIMESTAMP(3))").join(", ")}`,
          values: bindings.flatMap(({ bound, request }) => [
            ascii(request.principal),
            ascii(request.endpoint),
            ascii(request.key),
            bound.fingerprint,
            toBytes(bound.resourceId)
          ])
        }
      ],
      answer: undefined
    })

    return IdempotencyStore.of({
      find: (request) =>
        Effect.map(
          findRow(request),
          Option.map(({ attempt_id, fingerprint }) => ({ fingerprint, resourceId: attempt_id }))
        ),

      bind: Effect.fn("IdempotencyStore.bind")((request: RequestKey, bound: BoundRequest) =>
        bindTogether({ request, bound })
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
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1")
const nameOf = ({ endpoint, key, principal }: RequestKey): string => JSON.stringify([principal, endpoint, key])
