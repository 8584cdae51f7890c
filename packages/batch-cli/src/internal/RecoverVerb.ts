/**
 * The verb that takes what dead processes left, and charges nothing.
 *
 * @since 0.1.0
 */
import { recover } from "@pillivery/application/Payments/Reconcile"
import { BillingLedger } from "@pillivery/application/ports/BillingLedger"
import { BusinessClock } from "@pillivery/application/ports/BusinessClock"
import * as BusinessDate from "@pillivery/domain/BusinessDate"
import { Effect } from "effect"
import { Command } from "effect/cli"
import { recoverLayer } from "../Root.ts"
import { json, say } from "./Output.ts"

/** Takes the leases that ran out. */
export const recoverCommand = Command.make(
  "recover",
  { json },
  Effect.fnUntraced(function* ({ json }) {
    const lost = yield* recover()
    const now = yield* (yield* BusinessClock).now
    const owed = yield* (yield* BillingLedger).owed(BusinessDate.fromInstant(now))
    yield* say(
      json,
      `${lost} calls of dead processes taken over; owed: ${owed.due} due, ${owed.inFlight} in flight, ${owed.inDoubt} in doubt`,
      { lost, owed }
    )
  })
).pipe(
  Command.withDescription(
    "Take over the calls of processes whose lease ran out, without calling the provider; `run` and `reconcile` do it first"
  ),
  Command.provide(recoverLayer)
)
