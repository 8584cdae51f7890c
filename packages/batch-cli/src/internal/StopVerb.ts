/**
 * The verb that asks the run that goes on to stop, on whatever machine its workers are.
 *
 * @since 0.1.0
 */
import { jobName } from "@pillivery/application/Billing/RunBilling"
import { ProtocolSettings } from "@pillivery/application/Payments/ProtocolSettings"
import { BillingLedger } from "@pillivery/application/ports/BillingLedger"
import { Effect } from "effect"
import { Command } from "effect/cli"
import { previewLayer } from "../Root.ts"
import { json, say } from "./Output.ts"

const millisPerSecond = 1_000

/** Asks the workers of the run that goes on to stop. */
export const stopCommand = Command.make(
  "stop",
  { json },
  Effect.fnUntraced(function* ({ json }) {
    const ledger = yield* BillingLedger
    const { workerLeaseMillis } = yield* ProtocolSettings
    const asked = yield* ledger.askToStop(jobName)
    const [first] = asked
    // A worker hears of it with its next sign of life.
    const withinSeconds = Math.ceil(workerLeaseMillis / 3 / millisPerSecond)
    yield* say(
      json,
      first === undefined
        ? "No run is going on."
        : `Asked ${asked.length} workers of the run of ${first.date} to stop: ${asked.map(({ worker }) => worker).join(", ")}. ` +
            `Within ${withinSeconds} s they begin nothing new; what is in flight is finished. A later run goes on.`,
      { date: first?.date ?? null, workers: asked.map(({ worker }) => worker) }
    )
  })
).pipe(
  Command.withDescription("Ask the run that goes on to stop; what is in flight is finished, a later run goes on"),
  Command.provide(previewLayer)
)
