/**
 * The verb that brings open payments to an end: by asking the provider, or by its settlement.
 *
 * @since 0.1.0
 */
import { checkKeys } from "@pillivery/application/Payments/CheckKeys"
import { reconcile } from "@pillivery/application/Payments/Reconcile"
import { reconcileSettlement, type SettlementReport } from "@pillivery/application/Payments/ReconcileSettlement"
import { awaitKeys } from "@pillivery/application/Subscriptions/AwaitKeys"
import { BillingLedger } from "@pillivery/application/ports/BillingLedger"
import { BusinessClock } from "@pillivery/application/ports/BusinessClock"
import * as BusinessDate from "@pillivery/domain/BusinessDate"
import { Console, Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import * as ExitCode from "../ExitCode.ts"
import { providerLayer } from "../Root.ts"
import { json, say } from "./Output.ts"
import { lines } from "./SettlementFile.ts"

const settlement = Flag.File("settlement", { mustExist: true }).pipe(
  Flag.withDescription(
    "A settlement of the provider's, as CSV with partner_order_id, tid, amount and approved_at: read it before anything is asked"
  ),
  Flag.optional
)

const inWords = ({ counts, lines }: SettlementReport): string =>
  `${lines} lines: ${counts.named} approvals named, ${counts.settled} settled, ${counts.agreed} agreed, ${counts.mismatched} mismatched, ${counts.unknown} unknown, ${counts.invalid} invalid`

const needsPerson = ({ counts }: SettlementReport): boolean => counts.mismatched + counts.unknown + counts.invalid > 0

/** Asks the provider about every lost answer, and reads its settlement where one is given. */
export const reconcileCommand = Command.make(
  "reconcile",
  { json, settlement },
  Effect.fnUntraced(function* (flags) {
    const clock = yield* BusinessClock
    const ledger = yield* BillingLedger
    const settled = Option.isNone(flags.settlement)
      ? null
      : yield* reconcileSettlement(lines(flags.settlement.value)).pipe(
          Effect.catchTag("SettlementUnreadable", ({ message }) =>
            Effect.andThen(Console.error(message), new ExitCode.Ended({ code: 2 }))
          )
        )
    if (settled !== null && !flags.json) yield* Console.log(inWords(settled))
    for (const { detail, line } of settled?.problems ?? []) yield* Console.error(`line ${line}: ${detail}`)
    const done = yield* reconcile()
    const keys = yield* checkKeys()
    yield* awaitKeys()
    const owed = yield* ledger.owed(BusinessDate.fromInstant(yield* clock.now))
    yield* say(
      flags.json,
      `${done.lost} calls found lost, ${done.asked} asked about, ${done.resolved} resolved; ${owed.inDoubt} still in doubt; ${keys.checked} keys compared, ${keys.frozen} frozen, ${keys.revoked} ended`,
      { ...done, keys, owed, settlement: settled }
    )
    if (settled !== null && needsPerson(settled)) return yield* new ExitCode.Ended({ code: 1 })
    if (owed.inDoubt > 0) return yield* new ExitCode.Ended({ code: 3 })
  })
).pipe(
  Command.withDescription("Ask the provider about every lost answer, and send what refunds wait"),
  Command.withExamples([
    { command: "pillivery-billing reconcile --settlement 2026-11-22.csv", description: "Read yesterday's settlement" }
  ]),
  Command.provide(providerLayer)
)
