/**
 * The verbs that look ahead: what a run of a date would take, and what it would do. Both only read.
 *
 * @since 0.1.0
 */
import { type DueCycle, dueCycles, type PlannedCycle, previewRun } from "@pillivery/application/Billing/PlanCharge"
import { BusinessClock } from "@pillivery/application/ports/BusinessClock"
import * as BusinessDate from "@pillivery/domain/BusinessDate"
import { Console, Effect, Option, Schema, Stream } from "effect"
import { Command, Flag } from "effect/cli"
import { date, json, say } from "./Output.ts"
import { previewLayer } from "../Root.ts"

/** Cycles listed when nothing else is asked for. */
const listedDefault = 100
/** The most cycles that are listed; all of them are counted. */
const listedMax = 100_000

const limit = Flag.Int("limit").pipe(
  Flag.withDescription(`Cycles to list, 0 to ${listedMax}; all of them are counted`),
  Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: listedMax }))),
  Flag.withDefault(listedDefault)
)

type Counts = Record<PlannedCycle["plan"]["_tag"], number>

interface Seen {
  readonly counts: Counts
  /** What would be charged, in won; beyond what a price may be, but exact. */
  readonly amount: number
  readonly seen: number
}

const nothing: Seen = {
  counts: { Charge: 0, Postpone: 0, LoseKey: 0, Block: 0, GiveUp: 0, Skip: 0, NotDue: 0 },
  amount: 0,
  seen: 0
}

const count = (self: Seen, { plan }: PlannedCycle): Seen => ({
  counts: { ...self.counts, [plan._tag]: self.counts[plan._tag] + 1 },
  amount: self.amount + (plan._tag === "Charge" ? plan.amount : 0),
  seen: self.seen + 1
})

const won = (amount: number): string => `${amount.toLocaleString("en-US")} won`

const inWords = ({ plan }: PlannedCycle): string => {
  switch (plan._tag) {
    case "Charge":
      return `charge ${won(plan.amount)}`
    case "Postpone":
      return `wait: ${plan.reason}`
    case "NotDue":
      return `nothing: ${plan.reason}`
    case "LoseKey":
      return "ask the customer for another billing key: this one is dead"
    case "Block":
      return "wait for the next month: its billing key was used as often as it may be"
    case "GiveUp":
      return "take the final action: no billing key came in time"
    case "Skip":
      return "skip this delivery: its item is gone"
  }
}

const tryInWords = (step: number): string => (step === 0 ? "first try" : `retry ${step}`)

const planOf = ({ plan }: PlannedCycle) => ({
  plan: plan._tag,
  ...(plan._tag === "Charge" ? { amount: plan.amount, quantity: plan.quantity } : {}),
  ...("reason" in plan ? { reason: plan.reason } : {})
})

const dueInWords = ({ number, step, subscriptionId }: DueCycle): string =>
  `${subscriptionId} cycle ${number}, ${tryInWords(step)}`

const dueOf = ({ number, step, subscriptionId }: DueCycle) => ({ subscriptionId, cycle: number, step })

interface Flags {
  readonly date: Option.Option<BusinessDate.BusinessDate>
  readonly json: boolean
  readonly limit: number
}

const runDateOf = Effect.fnUntraced(function* ({ date }: Flags) {
  const clock = yield* BusinessClock
  return Option.isSome(date) ? date.value : BusinessDate.fromInstant(yield* clock.now)
})

/** Prints the first cycles, or keeps them for `--json`, and counts all. */
const list = <Cycle, Total extends { readonly seen: number }, E, R>(
  flags: Flags,
  cycles: Stream.Stream<Cycle, E, R>,
  options: {
    readonly start: Total
    readonly count: (total: Total, cycle: Cycle) => Total
    readonly line: (cycle: Cycle) => string
    readonly json: (cycle: Cycle) => object
  }
) =>
  Effect.gen(function* () {
    const listed: Array<object> = []
    const seen = yield* Stream.runFoldEffect(
      cycles,
      () => options.start,
      (before, cycle) =>
        Effect.gen(function* () {
          if (before.seen < flags.limit) {
            if (flags.json) listed.push(options.json(cycle))
            else yield* Console.log(options.line(cycle))
          }
          return options.count(before, cycle)
        })
    )
    const left = seen.seen - flags.limit
    if (left > 0 && !flags.json) yield* Console.log(`and ${left} more; list them with --limit`)
    return { seen, listed }
  })

/** Lists what a run of a date would take. */
export const dueCommand = Command.make(
  "due",
  { date, json, limit },
  Effect.fnUntraced(function* (flags) {
    const runDate = yield* runDateOf(flags)
    const { listed, seen } = yield* list(flags, dueCycles(runDate), {
      start: { seen: 0 },
      count: (before) => ({ seen: before.seen + 1 }),
      line: dueInWords,
      json: dueOf
    })
    yield* say(flags.json, `${runDate}: ${seen.seen} due`, { date: runDate, due: seen.seen, cycles: listed })
  })
).pipe(
  Command.withDescription("List the billing cycles a run of a date would take; a date to come is allowed"),
  Command.provide(previewLayer)
)

/** Says what a run of a date would do, and does nothing. */
export const dryRunCommand = Command.make(
  "dry-run",
  { date, json, limit },
  Effect.fnUntraced(function* (flags) {
    const runDate = yield* runDateOf(flags)
    const { listed, seen } = yield* list(flags, previewRun(runDate), {
      start: nothing,
      count,
      line: (planned) => `${dueInWords(planned)}: ${inWords(planned)}`,
      json: (planned) => ({ ...dueOf(planned), ...planOf(planned) })
    })
    const { amount, counts } = seen
    yield* say(
      flags.json,
      `${runDate} would charge ${counts.Charge} cycles, ${won(amount)}; ${counts.Postpone} would wait, ` +
        `${counts.LoseKey} need another billing key, ${counts.Block} wait for the next month, ${counts.GiveUp} would be given up, ${counts.Skip} skipped`,
      { date: runDate, due: seen.seen, amount, plans: counts, cycles: listed }
    )
  })
).pipe(
  Command.withDescription(
    "Say what a run of a date would do, as our books stand; amounts are won, nothing is written and nobody is asked"
  ),
  Command.provide(previewLayer)
)
