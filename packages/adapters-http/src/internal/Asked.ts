/** What a request asked for, so that a repeat of it is known. */
import type { Asked } from "@pillivery/application/Idempotency"
import type { UserId } from "@pillivery/domain/Ids"
import { createHash } from "node:crypto"
import { idempotencyKeyHeader } from "../api/IdempotencyKey.ts"

/** What a user asked of an endpoint under a key; `contents` are all that the request says. */
export const asked = (
  userId: UserId,
  endpoint: string,
  {
    headers,
    ...contents
  }: { readonly headers: { readonly [idempotencyKeyHeader]: string }; readonly [part: string]: unknown }
): Asked => ({
  request: { principal: `user:${userId}`, endpoint, key: headers[idempotencyKeyHeader] },
  fingerprint: createHash("sha256").update(JSON.stringify(contents)).digest("base64url")
})
