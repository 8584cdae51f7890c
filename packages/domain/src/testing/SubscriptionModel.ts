/**
 * A model of one subscription and its billing cycles, to be run against any implementation of them.
 *
 * fast-check generates histories: time passes, the owner commands, the billing run charges, the provider answers at once,
 * late or never. After each command the system must have accepted or refused what the rules do, must look as they say, and
 * must keep the invariants of `SubscriptionRules`. What a system has to answer is `SubscriptionSystem`.
 *
 * **Gotchas**
 *
 * A history has one subscription. What a person decides, an operator's review or a frozen key, is not in it.
 *
 * @since 0.1.0
 */
import * as fc from "fast-check"
import * as BillingCycle from "../BillingCycle.ts"
import * as DeliveryPeriod from "../DeliveryPeriod.ts"
import * as DunningPolicy from "../DunningPolicy.ts"
import * as SubscriptionOrder from "../SubscriptionOrder.ts"
import { type ChargeState, dateOf, dayOf, Model } from "./SubscriptionRules.ts"
import type { Outcome, Request, Start, SubscriptionSystem } from "./SubscriptionSystem.ts"

// -----------------------------------------------------------------------------
// running
// -----------------------------------------------------------------------------

/** Runs of the model unless told otherwise. */
export const runsDefault = 300
/** The most commands of one run; about half of them apply and are carried out. */
export const commandsMax = 80
/** The furthest time passes at once, in days. */
export const passDaysMax = 400
/** The latest billing run after the day a cycle is due, in days. */
const lateDaysMax = 100

/** How to run the model. */
export interface RunOptions {
  readonly seed?: number
  readonly numRuns?: number
  /** Runs one failed case again: the path that its report names. */
  readonly path?: string
  /** The path of commands that the report names beside it. */
  readonly replayPath?: string
  /** What every subscription is to have, where a system knows no other. */
  readonly start?: Partial<Start>
}

/** What was run: how many histories, how many requests in them, and how often each was answered how. */
export interface RunReport {
  readonly runs: number
  /** Requests that were carried out or refused; that time passes does not count. */
  readonly commands: number
  readonly seed: number
  /** By `<request>: <answer>`, as in `skip: PaymentInProgress`. */
  readonly answers: Readonly<Record<string, number>>
}

/** Any subscription: all final actions, ladders, periods that meet leap days and year ends. */
export const subscriptionStart = (fixed: Partial<Start> = {}): fc.Arbitrary<Start> =>
  fc
    .record({
      firstPaidOn: fc.integer({ min: dayOf("2023-11-01"), max: dayOf("2028-03-31") }).map(dateOf),
      periodDays,
      quantity: fc.integer({ min: 1, max: 9 }),
      unitPrice: fc.integer({ min: 1, max: 500 }).map((hundreds) => hundreds * 100),
      hasBillingKey: fc.integer({ min: 0, max: 9 }).map((tenth) => tenth > 0),
      ladderDays: fc.constantFrom(
        ...[DunningPolicy.standard.ladderDays, DunningPolicy.standard.ladderDays, [2], [1, 2, 4, 8]]
      ),
      finalAction: fc.constantFrom(...DunningPolicy.FinalAction.literals)
    })
    .map((start) => ({ ...start, ...fixed }))

/** Histories of at most {@link commandsMax} commands; each owner's command comes also while a charge is in flight. */
export const subscriptionCommands = (
  options: { readonly replayPath?: string; readonly commandsMax?: number } = {}
): fc.Arbitrary<Iterable<fc.AsyncCommand<Model, SubscriptionSystem>>> =>
  fc.commands([fc.oneof(...weightedCommands)], {
    maxCommands: options.commandsMax ?? commandsMax,
    size: "max",
    ...(options.replayPath === undefined ? {} : { replayPath: options.replayPath })
  })

/**
 * Runs the model against systems made by `begin`, one for each history; throws with seed, path and the shortest failing
 * history where one does not do as the model does.
 */
export const runSubscriptionModel = async (
  begin: (start: Start) => SubscriptionSystem | Promise<SubscriptionSystem>,
  options: RunOptions = {}
): Promise<RunReport> => {
  const { numRuns = runsDefault, replayPath, start, ...parameters } = options
  const answers: Record<string, number> = {}
  let commands = 0
  const property = fc.asyncProperty(
    subscriptionStart(start),
    subscriptionCommands(replayPath === undefined ? {} : { replayPath }),
    async (start, history) => {
      const model = new Model(start)
      const real = await begin(start)
      await model.look(real)
      await fc.asyncModelRun(() => ({ model, real }), history)
      commands += model.history.length
      for (const { answer, request } of model.history) {
        const key = `${request.name}: ${answer}`
        answers[key] = (answers[key] ?? 0) + 1
      }
    }
  )
  const details = await fc.check(property, { numRuns, ...parameters })
  if (details.failed) {
    const why = details.errorInstance instanceof Error ? details.errorInstance.message : ""
    throw new Error(`${why}\n${(await fc.asyncDefaultReportMessage(details)) ?? "the model does not hold"}`)
  }
  return { runs: details.numRuns, commands, seed: details.seed, answers }
}

// -----------------------------------------------------------------------------
// commands
// -----------------------------------------------------------------------------

/** Time passes, and nothing else happens. */
export class PassDays implements fc.AsyncCommand<Model, SubscriptionSystem> {
  readonly days: number
  constructor(days: number) {
    this.days = days
  }
  check() {
    return true
  }
  async run(model: Model, real: SubscriptionSystem) {
    await model.pass(this.days, real)
  }
  toString() {
    return `${this.days} days pass`
  }
}

/** Time passes until the billing run should act on the open cycle, or until so many days after, and it does. */
export class BillWhenDue implements fc.AsyncCommand<Model, SubscriptionSystem> {
  readonly lateDays: number
  constructor(lateDays: number) {
    this.lateDays = lateDays
  }
  check(model: Readonly<Model>) {
    const next = model.openCycle()?.nextAttemptOn ?? null
    const isCharging = model.state === "Active" || model.state === "PastDue"
    return isCharging && next !== null && next + this.lateDays >= model.today
  }
  async run(model: Model, real: SubscriptionSystem) {
    const next = model.openCycle()?.nextAttemptOn ?? model.today
    await model.pass(next + this.lateDays - model.today, real)
    await model.perform({ name: "bill" }, real)
  }
  toString() {
    return this.lateDays === 0 ? "bill on the day" : `bill ${this.lateDays} days late`
  }
}

/** The owner or the billing run does something on the day it is. */
export class Perform implements fc.AsyncCommand<Model, SubscriptionSystem> {
  readonly label: string
  /** The request, given the day it is as a number of days. */
  readonly requestOn: (today: number) => Request
  constructor(label: string, requestOn: (today: number) => Request) {
    this.label = label
    this.requestOn = requestOn
  }
  check(model: Readonly<Model>) {
    const request = this.requestOn(model.today)
    return request.name !== "replaceKey" || request.key !== "same" || model.key !== null
  }
  async run(model: Model, real: SubscriptionSystem) {
    await model.perform(this.requestOn(model.today), real)
  }
  toString() {
    return this.label
  }
}

/** Time passes until a pause ends by itself, or until so many days after, and it does. */
export class EndPauseWhenDue implements fc.AsyncCommand<Model, SubscriptionSystem> {
  readonly lateDays: number
  constructor(lateDays: number) {
    this.lateDays = lateDays
  }
  check(model: Readonly<Model>) {
    return model.resumeOn !== null && model.resumeOn + this.lateDays >= model.today
  }
  async run(model: Model, real: SubscriptionSystem) {
    await model.pass((model.resumeOn ?? model.today) + this.lateDays - model.today, real)
    await model.perform({ name: "endPause" }, real)
  }
  toString() {
    return `the pause ends${this.lateDays === 0 ? "" : ` ${this.lateDays} days late`}`
  }
}

/** The provider says, at last or once more, what became of the earliest charge that is in some state. */
export class AnswerCharge implements fc.AsyncCommand<Model, SubscriptionSystem> {
  readonly of: ChargeState
  readonly outcome: Outcome
  constructor(of: ChargeState, outcome: Outcome) {
    this.of = of
    this.outcome = outcome
  }
  check(model: Readonly<Model>) {
    return model.charges.some(({ state }) => state === this.of)
  }
  async run(model: Model, real: SubscriptionSystem) {
    const charge = model.charges.findIndex(({ state }) => state === this.of) + 1
    await model.perform({ name: "answer", charge, outcome: this.outcome }, real)
  }
  toString() {
    return `the ${this.of} charge: ${this.outcome}`
  }
}

const periodDays = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...DeliveryPeriod.periodsOffered) },
  { weight: 2, arbitrary: fc.integer({ min: DeliveryPeriod.periodDaysMin, max: 45 }) },
  { weight: 1, arbitrary: fc.integer({ min: DeliveryPeriod.periodDaysMin, max: DeliveryPeriod.periodDaysMax }) }
)

const perform = (request: Request) => fc.constant(new Perform(request.name, () => request))

const answers = (of: ChargeState, ...outcomes: ReadonlyArray<Outcome>) =>
  fc.constantFrom(...outcomes).map((outcome) => new AnswerCharge(of, outcome))

const weightedCommands: ReadonlyArray<fc.WeightedArbitrary<fc.AsyncCommand<Model, SubscriptionSystem>>> = [
  { weight: 4, arbitrary: fc.integer({ min: 1, max: 6 }).map((days) => new PassDays(days)) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: passDaysMax }).map((days) => new PassDays(days)) },
  { weight: 22, arbitrary: fc.constant(new BillWhenDue(0)) },
  { weight: 6, arbitrary: fc.integer({ min: 1, max: lateDaysMax }).map((days) => new BillWhenDue(days)) },
  { weight: 4, arbitrary: perform({ name: "bill" }) },
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 40 }).map((days) => new EndPauseWhenDue(Math.max(0, days - 20))) },
  { weight: 1, arbitrary: perform({ name: "endPause" }) },
  // Only the charges there are can be answered: what does not apply is left out of a history.
  {
    weight: 36,
    arbitrary: answers(
      "sent",
      ...(["approved", "approved", "approved", "declinedSoftly", "declinedSoftly", "declinedSoftly"] as const),
      ...(["declinedHard", "keyRevoked", "blocked", "notExecuted", "lost", "lost", "lost"] as const)
    )
  },
  {
    weight: 10,
    arbitrary: answers(
      "lost",
      ...(["approved", "notExecuted", "notExecuted", "notExecuted", "lost"] as const),
      ...(["declinedSoftly", "declinedHard", "keyRevoked", "blocked"] as const)
    )
  },
  { weight: 5, arbitrary: answers("inferred", "approved", "approved", "declinedSoftly", "keyRevoked") },
  { weight: 1, arbitrary: answers("settled", "approved", "declinedSoftly", "notExecuted", "lost") },
  { weight: 3, arbitrary: perform({ name: "skip" }) },
  {
    weight: 3,
    arbitrary: fc
      .oneof(fc.integer({ min: 1, max: BillingCycle.postponeDaysMax + 2 }), fc.constantFrom(-1, 0, 1.5))
      .map((days) => new Perform(`postpone by ${days} days`, () => ({ name: "postpone", days })))
  },
  {
    weight: 2,
    arbitrary: fc
      .oneof(
        fc.integer({ min: 1, max: 90 }),
        fc.constantFrom(-1, 0, SubscriptionOrder.pauseDaysMax, SubscriptionOrder.pauseDaysMax + 1),
        fc.constant(null)
      )
      .map((days) =>
        days === null
          ? new Perform("pause", () => ({ name: "pause", until: null }))
          : new Perform(`pause for ${days} days`, (today) => ({ name: "pause", until: dateOf(today + days) }))
      )
  },
  { weight: 4, arbitrary: perform({ name: "resume" }) },
  {
    weight: 2,
    arbitrary: fc
      .integer({ min: 1, max: 9 })
      .map((quantity) => new Perform(`change to ${quantity} units`, () => ({ name: "changeQuantity", quantity })))
  },
  {
    weight: 2,
    arbitrary: periodDays.map(
      (days) => new Perform(`change to every ${days} days`, () => ({ name: "changePeriod", periodDays: days }))
    )
  },
  { weight: 3, arbitrary: perform({ name: "replaceKey", key: "another" }) },
  { weight: 1, arbitrary: perform({ name: "replaceKey", key: "same" }) },
  { weight: 1, arbitrary: perform({ name: "cancel" }) }
]
