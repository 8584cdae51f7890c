/**
 * The billing rules told a second time, as short and as slow as possible: what the subscription model expects.
 *
 * Days are plain numbers, dates are found by counting, and nothing of the domain is called but its limits. So where the
 * model and a system agree, two tellings agree that have nothing in common; where they do not, one of them is wrong.
 *
 * @since 0.1.0
 */
import * as BillingCycle from "../BillingCycle.ts"
import * as SubscriptionOrder from "../SubscriptionOrder.ts"
import type {
  Answer,
  ClosedCycle,
  OpenCycle,
  Outcome,
  Request,
  Start,
  SubscriptionSystem,
  View
} from "./SubscriptionSystem.ts"

// -----------------------------------------------------------------------------
// the model
// -----------------------------------------------------------------------------

/**
 * What is known of a charge: `unsent` is one that did not reach the provider, `inferred` one of which the provider's
 * evidence says that it was not executed.
 */
export type ChargeState = "sent" | "lost" | "unsent" | "inferred" | "settled"

/** A cycle as the model keeps it; days are numbers. */
interface ModelCycle {
  readonly number: number
  gridDate: number
  dueDate: number
  state: OpenCycle["state"]
  nextAttemptOn: number | null
  /** Units fixed by the first charge; null before it. */
  quantity: number | null
  /** The day of the first definite decline. */
  ladderStart: number | null
  /** The day of the last definite answer. */
  answeredOn: number | null
  /** The charge that holds it. */
  holder: ModelCharge | null
  closedAs: ClosedCycle["as"] | null
  chargedOn: number | null
}

interface ModelCharge {
  readonly cycle: ModelCycle
  readonly key: ModelKey
  readonly sentOn: number
  /** The day on which its cycle was due when it was sent. */
  readonly dueOn: number
  readonly amount: number
  state: ChargeState
}

interface ModelKey {
  isDead: boolean
  isHeld: boolean
}

/** What is expected of a system, and what was seen of it so far; commands change it. */
export class Model {
  readonly start: Start
  /** The day it is, in days since 2000-01-01. */
  today: number
  state: View["state"]
  resumeOn: number | null = null
  quantity: number
  periodDays: number
  lastPaidDueDate: number
  skipsInARow = 0
  readonly cycles: Array<ModelCycle> = []
  readonly charges: Array<ModelCharge> = []
  readonly keys: Array<ModelKey> = []
  /** The key the subscription charges. */
  key: ModelKey | null = null
  readonly captured: Array<number> = []
  readonly givenBack: Array<number> = []
  /** What was asked of the system so far, and how it answered. */
  readonly history: Array<{ readonly request: Request; readonly on: string; readonly answer: Answer }> = []
  /** The system as it was seen last. */
  seen: View
  /** What happened, for the invariants: the cycles that were tried, the days they were answered, and declined first. */
  readonly facts = { tried: new Set<number>(), answered: new Set<string>(), declinedFirst: new Map<number, number>() }

  constructor(start: Start) {
    this.start = start
    this.today = dayOf(start.firstPaidOn)
    this.state = start.hasBillingKey ? "Active" : "AwaitingBillingKey"
    this.quantity = start.quantity
    this.periodDays = start.periodDays
    this.lastPaidDueDate = this.today
    if (start.hasBillingKey) this.useAnotherKey()
    this.open(1, this.today + start.periodDays)
    this.seen = this.view()
  }

  /** Time passes: nothing may change by that alone. */
  async pass(days: number, real: SubscriptionSystem): Promise<void> {
    this.today += days
    await this.look(real)
  }

  /** Asks the system and the model the same, and compares. */
  async perform(request: Request, real: SubscriptionSystem): Promise<void> {
    const before = this.seen
    const on = dateOf(this.today)
    const answer = await real.perform(request, on)
    this.history.push({ request, on, answer })
    const after = await real.observe()
    if (answer === "accepted") this.note(request, after)
    for (const problem of checkInvariants(this, before, after)) this.fail(problem)
    const expected = this.decide(request)
    if (answer !== expected) this.fail(`the last answer should have been ${expected}`)
    this.compare(after)
  }

  private note(request: Request, after: View): void {
    const { answered, declinedFirst, tried } = this.facts
    const open = after.openCycles[0]
    if (request.name === "bill" && open?.state === "InFlight") tried.add(open.number)
    // A key found dead counts as a decline of the day.
    const isKeyLost = request.name === "bill" && open?.state === "AwaitingKey"
    if (isKeyLost && !declinedFirst.has(open.number)) declinedFirst.set(open.number, this.today)
    const charge = request.name === "answer" ? this.charges[request.charge - 1] : undefined
    if (request.name !== "answer" || charge === undefined || ["notExecuted", "lost"].includes(request.outcome)) return
    const { cycle, sentOn, state } = charge
    answered.add(`${cycle.number} ${dateOf(sentOn)}`)
    const isDecline = request.outcome !== "approved" && request.outcome !== "blocked" && state !== "inferred"
    if (isDecline && !declinedFirst.has(cycle.number)) declinedFirst.set(cycle.number, sentOn)
  }

  /** Compares what is seen of the system with what is expected. */
  async look(real: SubscriptionSystem): Promise<void> {
    this.compare(await real.observe())
  }

  private compare(seen: View): void {
    this.seen = seen
    const difference = differenceOf(this.view(), seen, "the view")
    if (difference !== null) this.fail(difference)
  }

  private fail(problem: string): never {
    const lines = this.history.map(({ answer, on, request }) => `  ${on} ${told(request)}: ${answer}`)
    throw new Error([problem, ...lines, `  it is ${dateOf(this.today)}`].join("\n"))
  }

  /** The one cycle that is open, if there is one. */
  openCycle(): ModelCycle | null {
    return this.cycles.find(({ closedAs }) => closedAs === null) ?? null
  }

  /** What the system should look like. */
  view(): View {
    const isEnded = this.state === "Cancelled"
    return {
      state: this.state,
      resumeOn: this.resumeOn === null ? null : dateOf(this.resumeOn),
      quantity: this.quantity,
      periodDays: this.periodDays,
      skipsInARow: this.skipsInARow,
      openCycles: this.cycles
        .filter(({ closedAs }) => closedAs === null)
        .map((cycle) => ({
          number: cycle.number,
          state: cycle.state,
          gridDate: dateOf(cycle.gridDate),
          dueDate: dateOf(cycle.dueDate),
          nextAttemptOn: cycle.nextAttemptOn === null ? null : dateOf(cycle.nextAttemptOn),
          quantity: cycle.quantity ?? this.quantity
        })),
      closedCycles: this.cycles.flatMap(({ closedAs, gridDate, number }) =>
        closedAs === null ? [] : [{ number, gridDate: dateOf(gridDate), as: closedAs }]
      ),
      money: this.cycles.flatMap(({ number }) => {
        const captured = this.captured[number] ?? 0
        return captured === 0 ? [] : [{ cycle: number, captured, givenBack: this.givenBack[number] ?? 0 }]
      }),
      billingKey: isEnded || this.key === null ? "none" : this.key.isDead ? "dead" : "usable",
      keysHeld: this.keys.filter(({ isHeld }) => isHeld).length,
      keysUnused: this.keys.filter((key) => (isEnded || key !== this.key) && !key.isDead && !key.isHeld).length
    }
  }

  /** What should be answered; where that is `accepted`, the model changes as the system should. */
  decide(request: Request): Answer {
    switch (request.name) {
      case "skip":
        return this.skip()
      case "postpone":
        return this.postpone(request.days)
      case "pause":
        return this.pause(request.until === null ? null : dayOf(request.until))
      case "resume":
        return this.resume()
      case "changeQuantity":
        return this.changeQuantity(request.quantity)
      case "changePeriod":
        return this.changePeriod(request.periodDays)
      case "replaceKey":
        return this.replaceKey(request.key === "same")
      case "cancel":
        return this.cancel()
      case "endPause":
        return this.resumeOn !== null && this.resumeOn <= this.today ? this.resume() : "NothingDue"
      case "bill":
        return this.bill()
      case "answer":
        return this.answer(request.charge, request.outcome)
    }
  }

  // The owner's commands. The subscription's state is asked first, then whether a charge is in flight or in doubt.

  private refusal(...known: ReadonlyArray<View["state"]>): Answer | null {
    if (!known.includes(this.state)) return "SubscriptionTransitionDenied"
    return (this.openCycle()?.holder ?? null) === null ? null : "PaymentInProgress"
  }

  private skip(): Answer {
    const refusal = this.refusal("Active", "PastDue")
    const cycle = this.openCycle()
    if (refusal !== null || cycle === null) return refusal ?? "CycleTransitionDenied"
    if (this.skipsInARow >= SubscriptionOrder.skipsInARowMax) return "SkipLimitReached"
    this.skipsInARow += 1
    this.state = "Active"
    this.close(cycle, "Skipped(owner)")
    this.openNext(cycle, "Skipped(outage)")
    return "accepted"
  }

  private postpone(days: number): Answer {
    const refusal = this.refusal("Active", "PastDue")
    const cycle = this.openCycle()
    if (refusal !== null || cycle === null) return refusal ?? "CycleTransitionDenied"
    if (!isUntried(cycle) || cycle.state !== "Due") return "CycleTransitionDenied"
    const dueDate = Math.max(cycle.dueDate, this.today) + days
    const latest = Math.max(cycle.gridDate, this.today) + BillingCycle.postponeDaysMax
    if (!Number.isInteger(days) || days < 1 || dueDate > latest) return "PostponeInvalid"
    cycle.dueDate = dueDate
    cycle.nextAttemptOn = dueDate
    return "accepted"
  }

  private pause(until: number | null): Answer {
    const refusal = this.refusal("Active", "PastDue", "Paused")
    if (refusal !== null) return refusal
    if (until !== null && (until <= this.today || until > this.today + SubscriptionOrder.pauseDaysMax)) {
      return "PauseInvalid"
    }
    this.state = "Paused"
    this.resumeOn = until
    return "accepted"
  }

  private resume(): Answer {
    const refusal = this.refusal("Paused")
    const cycle = this.openCycle()
    if (refusal !== null || cycle === null) return refusal ?? "CycleTransitionDenied"
    this.state = "Active"
    this.resumeOn = null
    if (isUntried(cycle) && cycle.gridDate > this.today) return "accepted"
    this.close(cycle, "Skipped(paused)")
    this.openNext(cycle, "Skipped(paused)")
    return "accepted"
  }

  private changeQuantity(quantity: number): Answer {
    const refusal = this.refusal("AwaitingBillingKey", "Active", "PastDue", "Paused")
    if (refusal !== null) return refusal
    this.quantity = quantity
    return "accepted"
  }

  private changePeriod(days: number): Answer {
    const refusal = this.refusal("AwaitingBillingKey", "Active", "PastDue", "Paused")
    const cycle = this.openCycle()
    if (refusal !== null || cycle === null) return refusal ?? "CycleTransitionDenied"
    const isSame = days === this.periodDays
    this.periodDays = days
    if (isSame || !isUntried(cycle)) return "accepted"
    cycle.gridDate = Math.max(this.lastPaidDueDate + days, this.today + 1)
    const before = this.cycles.find(({ number }) => number === cycle.number - 1)
    if (before !== undefined) {
      // Half a period of quiet after the delivery before, or after the day on which one was left out.
      const quietFrom = before.chargedOn ?? before.gridDate
      while (2 * (cycle.gridDate - quietFrom) < days) cycle.gridDate += 1
    }
    cycle.dueDate = cycle.gridDate
    if (cycle.nextAttemptOn !== null) cycle.nextAttemptOn = cycle.gridDate
    return "accepted"
  }

  private replaceKey(isSame: boolean): Answer {
    const refusal = this.refusal("AwaitingBillingKey", "Active", "PastDue", "Paused")
    const cycle = this.openCycle()
    if (refusal !== null || cycle === null) return refusal ?? "CycleTransitionDenied"
    if (isSame) return "BillingKeyUnusable"
    if (this.state === "AwaitingBillingKey") this.state = "Active"
    this.useAnotherKey()
    if (cycle.state !== "AwaitingKey") return "accepted"
    const day = cycle.answeredOn === this.today ? this.today + 1 : this.today
    cycle.nextAttemptOn = Math.max(day, cycle.dueDate)
    cycle.state = cycle.ladderStart === null ? "Due" : "RetryDue"
    return "accepted"
  }

  private cancel(): Answer {
    if (this.state === "Cancelled") return "SubscriptionTransitionDenied"
    const cycle = this.openCycle()
    this.end()
    if (cycle !== null && cycle.holder === null) this.close(cycle, "Abandoned(cancelled)")
    return "accepted"
  }

  // The billing run and the provider's answers.

  private bill(): Answer {
    const cycle = this.openCycle()
    if (cycle === null || cycle.nextAttemptOn === null || this.key === null) return "NothingDue"
    if (this.state !== "Active" && this.state !== "PastDue") return "NothingDue"
    if (cycle.nextAttemptOn > this.today || cycle.answeredOn === this.today) return "NothingDue"
    if (cycle.state === "AwaitingKey") {
      this.takeFinalAction(cycle)
      return "accepted"
    }
    if (this.key.isDead) {
      cycle.ladderStart ??= this.today
      this.awaitKey(cycle, cycle.ladderStart)
      return "accepted"
    }
    if (this.key.isHeld) return "NothingDue"
    this.key.isHeld = true
    cycle.quantity ??= this.quantity
    const amount = cycle.quantity * this.start.unitPrice
    cycle.holder = { cycle, key: this.key, sentOn: this.today, dueOn: cycle.nextAttemptOn, amount, state: "sent" }
    cycle.state = "InFlight"
    cycle.nextAttemptOn = null
    this.charges.push(cycle.holder)
    return "accepted"
  }

  private answer(number: number, outcome: Outcome): Answer {
    const charge = this.charges[number - 1]
    if (charge === undefined || charge.state === "settled" || charge.state === "unsent")
      return "AttemptTransitionDenied"
    if (outcome === "lost") return this.lose(charge)
    const isLate = charge.state !== "sent"
    charge.state = outcome !== "notExecuted" ? "settled" : isLate ? "inferred" : "unsent"
    const { cycle } = charge
    const isHolder = cycle.holder === charge
    if (isHolder) {
      cycle.holder = null
      charge.key.isHeld = false
    }
    if (outcome === "keyRevoked") charge.key.isDead = true
    if (outcome === "approved") this.approve(charge, isHolder)
    else if (isHolder && cycle.closedAs === null) {
      if (this.state === "Cancelled") this.close(cycle, "Abandoned(cancelled)")
      else if (outcome === "notExecuted") this.giveBack(charge, isLate)
      else this.decline(charge, outcome)
    }
    return "accepted"
  }

  private lose(charge: ModelCharge): Answer {
    if (charge.state === "inferred") return "AttemptTransitionDenied"
    charge.state = "lost"
    charge.cycle.state = "InDoubt"
    return "accepted"
  }

  private approve({ amount, cycle, sentOn }: ModelCharge, isHolder: boolean): void {
    this.captured[cycle.number] = (this.captured[cycle.number] ?? 0) + amount
    if (cycle.closedAs !== null || this.state === "Cancelled") {
      this.givenBack[cycle.number] = (this.givenBack[cycle.number] ?? 0) + amount
      if (isHolder && cycle.closedAs === null) this.close(cycle, "Abandoned(cancelled)")
      return
    }
    cycle.chargedOn = sentOn
    this.lastPaidDueDate = cycle.dueDate
    this.skipsInARow = 0
    if (this.state === "PastDue") this.state = "Active"
    this.close(cycle, "Charged")
    this.openNext(cycle, "Skipped(outage)", sentOn)
  }

  private giveBack({ cycle, dueOn, sentOn }: ModelCharge, isInferred: boolean): void {
    cycle.state = cycle.ladderStart === null ? "Due" : "RetryDue"
    // What the evidence says is tried in the run of a later day; what was never sent is as due as it was.
    cycle.nextAttemptOn = isInferred ? sentOn + 1 : dueOn
  }

  private decline({ cycle, sentOn }: ModelCharge, outcome: Outcome): void {
    cycle.answeredOn = sentOn
    if (outcome === "blocked") {
      let day = sentOn + 1
      while (!dateOf(day).endsWith("-01")) day += 1
      cycle.state = "Blocked"
      cycle.nextAttemptOn = day
      return
    }
    const ladderStart = (cycle.ladderStart ??= sentOn)
    const next = this.start.ladderDays.map((days) => ladderStart + days).find((day) => day > sentOn)
    if (next === undefined) this.takeFinalAction(cycle)
    else if (outcome === "declinedSoftly") {
      this.state = "PastDue"
      cycle.state = "RetryDue"
      cycle.nextAttemptOn = next
    } else this.awaitKey(cycle, ladderStart, Math.max(0, this.today - sentOn))
  }

  private awaitKey(cycle: ModelCycle, ladderStart: number, daysLate = 0): void {
    this.state = "PastDue"
    cycle.state = "AwaitingKey"
    cycle.nextAttemptOn = ladderStart + Math.max(...this.start.ladderDays) + daysLate
  }

  private takeFinalAction(cycle: ModelCycle): void {
    switch (this.start.finalAction) {
      case "cancel":
        this.close(cycle, "Abandoned(dunning)")
        this.end()
        return
      case "pause":
        this.state = "Paused"
        this.close(cycle, "Abandoned(dunning)")
        this.openNext(cycle, "Skipped(outage)")
        return
      case "skip":
        this.state = "Active"
        this.close(cycle, "Skipped(dunning)")
        this.openNext(cycle, "Skipped(outage)")
        return
    }
  }

  // What several of them do.

  private end(): void {
    this.state = "Cancelled"
    this.resumeOn = null
  }

  private useAnotherKey(): void {
    this.key = { isDead: false, isHeld: false }
    this.keys.push(this.key)
  }

  private open(number: number, gridDate: number): void {
    const isKeyless = this.state === "AwaitingBillingKey"
    this.cycles.push({
      number,
      gridDate,
      dueDate: gridDate,
      state: isKeyless ? "AwaitingKey" : "Due",
      nextAttemptOn: isKeyless ? null : gridDate,
      quantity: null,
      ladderStart: null,
      answeredOn: null,
      holder: null,
      closedAs: null,
      chargedOn: null
    })
  }

  private close(cycle: ModelCycle, as: ClosedCycle["as"]): void {
    cycle.closedAs = as
  }

  // Dates that have passed, or that come less than half a period after the charge, are recorded and left out.
  private openNext(after: ModelCycle, passedAs: ClosedCycle["as"], chargedOn: number | null = null): void {
    let number = after.number + 1
    let day = after.gridDate + this.periodDays
    const isTooSoon = () => day <= this.today || (chargedOn !== null && 2 * (day - chargedOn) < this.periodDays)
    while (isTooSoon()) {
      this.open(number, day)
      const passed = this.openCycle()
      if (passed !== null) this.close(passed, passedAs)
      number += 1
      day += this.periodDays
    }
    this.open(number, day)
  }
}

/** Whether its date may still be moved. */
const isUntried = (cycle: ModelCycle): boolean =>
  (cycle.state === "Due" || cycle.state === "AwaitingKey") && cycle.quantity === null && cycle.ladderStart === null

// -----------------------------------------------------------------------------
// the invariants
// -----------------------------------------------------------------------------

/**
 * What holds between two looks at any system, whatever the model expects; answers what does not. The last request and its
 * answer are the end of the model's history.
 */
export const checkInvariants = (model: Model, before: View, after: View): ReadonlyArray<string> => {
  const { answer, request } = model.history.at(-1) ?? { answer: "NothingDue", request: { name: "bill" } as const }
  if (answer !== "accepted") {
    const difference = differenceOf(before, after, "the view")
    return difference === null ? [] : [`a request was refused and changed something: ${difference}`]
  }
  const open = after.openCycles[0]
  const openBefore = before.openCycles[0]
  const isSame = open !== undefined && openBefore?.number === open.number
  const today = dateOf(model.today)
  const { facts } = model
  const all = [...after.closedCycles, ...after.openCycles]
  const numberBefore = before.closedCycles.length + before.openCycles.length
  const sinceCharge = after.closedCycles.slice(after.closedCycles.findLastIndex(({ as }) => as === "Charged") + 1)
  const isSettling = open?.state === "InFlight" || open?.state === "InDoubt"
  const holds: ReadonlyArray<readonly [string, boolean]> = [
    [
      "a subscription has exactly one open cycle, and one that has ended only while its last charge is being settled",
      after.state === "Cancelled"
        ? after.openCycles.length === 0 || (after.openCycles.length === 1 && isSettling)
        : after.openCycles.length === 1
    ],
    ["cycles are numbered from 1 without a gap", all.every(({ number }, index) => number === index + 1)],
    [
      "a closed cycle stays as it was closed",
      before.closedCycles.every((cycle, index) => differenceOf(cycle, after.closedCycles[index], "") === null)
    ],
    [
      "no lateness, retry or postponing moves the grid",
      !isSame ||
        open.gridDate === openBefore.gridDate ||
        (request.name === "changePeriod" && !facts.tried.has(open.number))
    ],
    [
      "cycles that are opened lie one period after the one before",
      all.every(
        ({ gridDate, number }, index) =>
          number <= numberBefore || dayOf(gridDate) === dayOf(all[index - 1]?.gridDate ?? gridDate) + after.periodDays
      )
    ],
    ["a cycle that is opened lies ahead", isSame || open === undefined || open.gridDate > today],
    [
      "a cycle that is opened leaves half a period since the charge",
      isSame ||
        open === undefined ||
        request.name !== "answer" ||
        request.outcome !== "approved" ||
        2 * (dayOf(open.gridDate) - (model.charges[request.charge - 1]?.sentOn ?? 0)) >= after.periodDays
    ],
    [
      "the owner skips at most twice in a row",
      sinceCharge.filter(({ as }) => as === "Skipped(owner)").length <= SubscriptionOrder.skipsInARowMax
    ],
    [
      "each cycle is paid once where it was charged, and not at all where it was not",
      after.closedCycles.every(({ as, number }) => {
        const { captured = 0, givenBack = 0 } = after.money.find(({ cycle }) => cycle === number) ?? {}
        const amounts = model.charges.filter(({ cycle }) => cycle.number === number).map(({ amount }) => amount)
        return as === "Charged" ? amounts.includes(captured - givenBack) : captured === givenBack
      }) && after.money.every(({ captured, cycle, givenBack }) => cycle !== open?.number || captured === givenBack)
    ],
    [
      "no charge is sent while the one before is unsettled",
      request.name !== "bill" || openBefore === undefined || !["InFlight", "InDoubt"].includes(openBefore.state)
    ],
    [
      "a charge is sent on or after the day its cycle is due, for a subscription that is active or past due",
      request.name !== "bill" ||
        open?.state !== "InFlight" ||
        ((before.state === "Active" || before.state === "PastDue") &&
          (openBefore?.nextAttemptOn ?? "9999-12-31") <= today)
    ],
    [
      "no charge is sent on a day on which one of its cycle was answered definitely",
      request.name !== "bill" || open?.state !== "InFlight" || !facts.answered.has(`${open.number} ${today}`)
    ],
    [
      "units and due date are fixed once a charge was sent",
      !isSame ||
        !facts.tried.has(open.number) ||
        (open.quantity === openBefore.quantity && open.dueDate === openBefore.dueDate)
    ],
    [
      "a cycle that was declined is tried again on a day of its ladder",
      !isSame ||
        request.name !== "answer" ||
        request.outcome !== "declinedSoftly" ||
        // What comes after the evidence changes an open cycle only by an approval.
        model.charges[request.charge - 1]?.state === "inferred" ||
        open.state !== "RetryDue" ||
        model.start.ladderDays.some(
          (days) => dateOf((facts.declinedFirst.get(open.number) ?? model.today) + days) === open.nextAttemptOn
        )
    ]
  ]
  return holds.flatMap(([sentence, isTrue]) => (isTrue ? [] : [`broken: ${sentence}`]))
}

/** Where two plain values differ first; null where they do not. */
const differenceOf = (expected: unknown, actual: unknown, at: string): string | null => {
  if (typeof expected !== "object" || expected === null || typeof actual !== "object" || actual === null) {
    return expected === actual ? null : `${at} is ${JSON.stringify(actual)} instead of ${JSON.stringify(expected)}`
  }
  const one = new Map<string, unknown>(Object.entries(expected))
  const other = new Map<string, unknown>(Object.entries(actual))
  for (const key of new Set([...one.keys(), ...other.keys()])) {
    const difference = differenceOf(one.get(key), other.get(key), `${at}.${key}`)
    if (difference !== null) return difference
  }
  return null
}

/** A request in words, for the history of a failure. */
const told = ({ name, ...details }: Request): string => [name, ...Object.values(details)].join(" ")

// -----------------------------------------------------------------------------
// the calendar, by counting
// -----------------------------------------------------------------------------

const daysOfYear = (year: number): number => ((year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 366 : 365)

const daysOfMonth = (year: number, month: number): number =>
  [31, daysOfYear(year) - 337, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] ?? 0

/** The date so many days after 2000-01-01. */
export const dateOf = (day: number): string => {
  let year = 2000
  let month = 1
  let left = day
  while (left >= daysOfYear(year)) left -= daysOfYear(year++)
  while (left >= daysOfMonth(year, month)) left -= daysOfMonth(year, month++)
  return `${year}-${String(month).padStart(2, "0")}-${String(left + 1).padStart(2, "0")}`
}

/** The days from 2000-01-01 to a date. */
export const dayOf = (date: string): number => {
  const [year = 0, month = 0, day = 0] = date.split("-").map(Number)
  let days = day - 1
  for (let before = 2000; before < year; before++) days += daysOfYear(before)
  for (let before = 1; before < month; before++) days += daysOfMonth(year, before)
  return days
}
