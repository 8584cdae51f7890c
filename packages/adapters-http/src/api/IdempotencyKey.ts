/**
 * Naming a request, so that it can be repeated (draft-ietf-httpapi-idempotency-key-header).
 *
 * @since 0.1.0
 */
import { keyLengthMax } from "@pillivery/application/ports/IdempotencyStore"
import { Schema } from "effect"

/** The header that names a request; a repeat under the same name is the same request. */
export const idempotencyKeyHeader = "idempotency-key"

/** A name of printable ASCII without spaces, of the client's choice: a UUID does well. */
export const IdempotencyKey = Schema.String.check(
  Schema.isPattern(/^[!-~]+$/, { expected: "printable ASCII without spaces" }),
  Schema.isMaxLength(keyLengthMax)
)

/** The headers of an endpoint whose requests must be named. */
export const idempotencyHeaders = { [idempotencyKeyHeader]: IdempotencyKey }
