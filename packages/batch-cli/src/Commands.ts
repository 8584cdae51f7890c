/**
 * The verbs of the billing CLI.
 *
 * @since 0.1.0
 */
import { aheadDaysMax } from "@pillivery/application/Billing/PlanCharge"
import * as RunBilling from "@pillivery/application/Billing/RunBilling"
import { BillingLedger } from "@pillivery/application/ports/BillingLedger"
import { BusinessClock } from "@pillivery/application/ports/BusinessClock"
import { PaymentRepository } from "@pillivery/application/ports/PaymentRepository"
import * as BusinessDate from "@pillivery/domain/BusinessDate"
import { Console, Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import * as ExitCode from "./ExitCode.ts"
import { adminCommand } from "./internal/AdminVerbs.ts"
import { configCommand } from "./internal/ConfigVerb.ts"
import { configFlags, layer as layerConfiguration } from "./internal/Configuration.ts"
import { messageCommand } from "./internal/MessageVerbs.ts"
import { outboxCommand } from "./internal/OutboxVerbs.ts"
import { dryRunCommand, dueCommand } from "./internal/Preview.ts"
import { date, json, say } from "./internal/Output.ts"
import * as Progress from "./internal/Progress.ts"
import { reconcileCommand } from "./internal/ReconcileVerb.ts"
import { recoverCommand } from "./internal/RecoverVerb.ts"
import { reviewCommand } from "./internal/ReviewVerbs.ts"
import { restoredCommand } from "./internal/RestoredVerb.ts"
import * as Settings from "./internal/Settings.ts"
import { stopCommand } from "./internal/StopVerb.ts"
import { verifyCommand } from "./internal/Verify.ts"
import { databaseLayer, migrate, runLayer, workerName } from "./Root.ts"

/** Runs `status` shows, newest first. */
const runsShownMax = 10

const end = (code: ExitCode.ExitCode) => (code === 0 ? Effect.void : Effect.fail(new ExitCode.Ended({ code })))

const migrateCommand = Command.make(
  "migrate",
  { json },
  Effect.fnUntraced(function* ({ json }) {
    const applied = yield* migrate
    yield* say(json, applied.length === 0 ? "The schema is up to date." : `Applied ${applied.length} migrations.`, {
      applied
    })
  })
).pipe(Command.withDescription("Bring the database's schema up to date"), Command.provide(databaseLayer))

const exclusive = Flag.Boolean("exclusive").pipe(
  Flag.withDescription("End with 75 instead of sharing the run with another worker that lives"),
  Flag.withDefault(false)
)

const allowFuture = Flag.Boolean("allow-future").pipe(
  Flag.withDescription(
    `Take a date that has not come, at most ${aheadDaysMax} days ahead: what is due until then is tried today, for the first time only`
  ),
  Flag.withDefault(false)
)

const runCommand = Command.make(
  "run",
  { date, allowFuture, exclusive, json },
  Effect.fnUntraced(function* (flags) {
    const clock = yield* BusinessClock
    const ledger = yield* BillingLedger
    const today = BusinessDate.fromInstant(yield* clock.now)
    const runDate = Option.getOrElse(flags.date, () => today)
    const isAhead = runDate > today
    if (runDate > (flags.allowFuture ? BusinessDate.addDays(today, aheadDaysMax) : today)) {
      yield* Console.error(
        flags.allowFuture
          ? `${runDate} is more than ${aheadDaysMax} days after today, ${today}: that far ahead nothing is charged.`
          : `${runDate} is after today, ${today}: without --allow-future nothing is charged ahead of its day.`
      )
      return yield* new ExitCode.Ended({ code: 2 })
    }
    const before = yield* ledger.findRun(RunBilling.jobName, runDate)
    const owedBefore = yield* ledger.owed(runDate)
    if (
      !isAhead &&
      Option.isSome(before) &&
      before.value.status === "Completed" &&
      owedBefore.due + owedBefore.inFlight + owedBefore.inDoubt === 0
    ) {
      return yield* say(flags.json, `The run of ${runDate} is complete; nothing is owed.`, {
        date: runDate,
        counts: before.value.counts,
        owed: owedBefore
      })
    }
    const progress = yield* Progress.make(owedBefore.due, flags.json ? null : Progress.standardError())
    const report = yield* RunBilling.runBilling({
      date: runDate,
      worker: workerName,
      isAheadAllowed: flags.allowFuture,
      isExclusive: flags.exclusive,
      onOutcome: progress.note,
      onStep: (step) =>
        flags.json
          ? Effect.void
          : Effect.andThen(
              progress.erase,
              Console.log(`${runDate} step ${step.step} (${step.name}): ${countsText(step.counts)}`)
            )
    }).pipe(
      Effect.ensuring(progress.erase),
      Effect.catchTag("AnotherRunActive", (active) =>
        Effect.andThen(Console.error(`${active.message}; nothing was done.`), new ExitCode.Ended({ code: 75 }))
      )
    )
    if (report.isMisconfigured) {
      yield* Console.error(
        (yield* Settings.via) === "api"
          ? "The server, or the provider behind it, refuses us: check PILLIVERY_API_URL, PILLIVERY_SERVICE_TOKEN and the server's log."
          : "The provider refuses our calls, not our customers' money: check its URL, secret key and accounts."
      )
    }
    yield* say(
      flags.json,
      `${runDate}: ${countsText(report.counts)}; owed: ${report.owed.due} due, ${report.owed.inFlight} in flight, ${report.owed.inDoubt} in doubt`,
      { date: runDate, counts: report.counts, reconciled: report.reconciled, keys: report.keys, owed: report.owed }
    )
    yield* end(ExitCode.ofReport(report))
  })
).pipe(
  Command.withDescription("Charge everything that is due on or before a date"),
  Command.withExamples([{ command: "pillivery-billing run", description: "Charge what is due today" }]),
  Command.provide(runLayer)
)

const statusCommand = Command.make(
  "status",
  { json },
  Effect.fnUntraced(function* ({ json }) {
    const clock = yield* BusinessClock
    const ledger = yield* BillingLedger
    const payments = yield* PaymentRepository
    const today = BusinessDate.fromInstant(yield* clock.now)
    const runs = yield* ledger.listRuns(RunBilling.jobName, runsShownMax)
    const owed = yield* ledger.owed(today)
    const attempts = yield* payments.countAttempts
    if (json) return yield* Console.log(JSON.stringify({ today, owed, attempts, runs }))
    yield* Console.log(
      `Today is ${today}. Owed: ${owed.due} due, ${owed.inFlight} in flight, ${owed.inDoubt} in doubt.`
    )
    for (const run of runs) yield* Console.log(`${run.date} ${run.status}: ${countsText(run.counts)}`)
  })
).pipe(Command.withDescription("Show what is owed and the latest runs"), Command.provide(databaseLayer))

/** The whole command line. */
export const command = Command.make("pillivery-billing").pipe(
  Command.withDescription("Charges subscriptions, each billing cycle exactly once"),
  Command.withSharedFlags(configFlags),
  Command.withSubcommands([
    migrateCommand,
    runCommand,
    dueCommand,
    dryRunCommand,
    reconcileCommand,
    statusCommand,
    reviewCommand,
    messageCommand,
    outboxCommand,
    stopCommand,
    recoverCommand,
    restoredCommand,
    verifyCommand,
    adminCommand,
    configCommand
  ]),
  Command.provide(layerConfiguration)
)

const countsText = (counts: RunCounts): string =>
  `${counts.charged} charged, ${counts.declined} declined, ${counts.unknown} unknown, ${counts.notExecuted} not executed, ${counts.skipped} skipped, ${counts.cancelled} cancelled`

type RunCounts = Parameters<BillingLedger["Service"]["addCounts"]>[2]
