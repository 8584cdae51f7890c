/**
 * The verb for after a restore: rows of charges that were sent since the backup are missing, and every key is in question.
 *
 * @since 0.1.0
 */
import { BillingKeyRepository } from "@pillivery/application/ports/BillingKeyRepository"
import { Effect } from "effect"
import { Command } from "effect/cli"
import { previewLayer } from "../Root.ts"
import { json, say } from "./Output.ts"

/** Has every billing key compared with the provider again. */
export const restoredCommand = Command.make(
  "restored",
  { json },
  Effect.fnUntraced(function* ({ json }) {
    yield* (yield* BillingKeyRepository).uncheckAll
    yield* say(
      json,
      "Every billing key will be compared with the provider by the next reconcile; those that show unknown approvals are frozen.",
      {}
    )
  })
).pipe(
  Command.withDescription("After a restore of the database: have every billing key compared with the provider again"),
  Command.provide(previewLayer)
)
