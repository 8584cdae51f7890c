/**
 * A model of the payment of one order, for testing any implementation of it: ours, yours, or ours over your store.
 *
 * Random histories are played against your {@link PaymentSystem} and against a model that is nothing but plain numbers:
 * the customer approves, leaves or comes twice, answers are lost or late, the provider refuses, time runs out, units go
 * back. After every command the laws of {@link laws} are checked and your books are compared with the model's. A history
 * that breaks one shrinks to the shortest that still does, and is told with its seed.
 *
 * The model shares no code with the domain. It knows what really happened at the provider, since each command carries the
 * script by which the provider behaves. `ScriptedProvider` is one that obeys it.
 *
 * @since 0.1.0
 */
import * as fc from "fast-check"

/** Histories of a run unless told otherwise. */
export const runsDefault = 300
/** The most commands a history is drawn from; those that would mean nothing where they stand are left out, two thirds. */
export const commandsMax = 90
/** The most lines of a generated order. */
export const linesMax = 3
/** The most units of a generated line. */
export const lineUnitsMax = 3
/** The highest unit price of a generated line, in won. */
export const unitPriceWonMax = 50_000

const minutesPerHour = 60
const minutesPerDay = 24 * minutesPerHour
const slowMinutesMax = 5

// -----------------------------------------------------------------------------
// the system under test
// -----------------------------------------------------------------------------

/** The durations by which a payment is judged; all in minutes. */
export interface PaymentTerms {
  /** The Korean minute of the day at which the order is placed; the model's minute 0. */
  readonly placedAtMinuteOfDay: number
  /** After this an unpaid order expires. */
  readonly orderMinutes: number
  /** How long the provider lets a customer approve one transaction. */
  readonly transactionMinutes: number
  /** How long after that an approval may still turn out done. */
  readonly approvalGraceMinutes: number
  /** How long a refund in doubt may still turn out done. */
  readonly refundGraceMinutes: number
  /** The Korean minute of the day that must also pass before that is believed. */
  readonly refundGracePastMinuteOfDay: number
}

/** The terms in force unless told otherwise: placed at 10:00, 30 minutes to pay, 15 to approve. */
export const termsDefault: PaymentTerms = {
  placedAtMinuteOfDay: 10 * minutesPerHour,
  orderMinutes: 30,
  transactionMinutes: 15,
  approvalGraceMinutes: 40,
  refundGraceMinutes: 12 * minutesPerHour,
  refundGracePastMinuteOfDay: minutesPerHour
}

/** The order to be paid; a line may be free of charge, the whole order is not. */
export interface OrderToPay {
  readonly lines: ReadonlyArray<{ readonly unitPriceWon: number; readonly quantity: number }>
  readonly terms: PaymentTerms
}

/**
 * What really happens to an approval that is sent, and what is answered.
 *
 * **Details**
 *
 * `approved`, `declined`, `notYet` (the customer has not finished), `expired` (it never can be approved) and `notExecuted`
 * (nothing left us) are answered and true. `maintenance` is the provider's word that it did not try. Of the lost answers
 * `lost` took the money, `lostLate` takes it `lateMinutes` later, and `lostNever` never does.
 */
export type ApprovalScript =
  | "approved"
  | "declined"
  | "notYet"
  | "expired"
  | "notExecuted"
  | "maintenance"
  | "lost"
  | "lostLate"
  | "lostNever"

/**
 * What really happens to a refund that is sent, and what is answered.
 *
 * **Details**
 *
 * `done`, `refused`, `notExecuted` and `maintenance` are answered and true; `refusedDone` is answered refused though the
 * money went back, `refusedUnseen` is a refusal after which the lookup tells nothing. Of the lost answers `lost` gave the
 * money back, `lostLate` gives it back `lateMinutes` later, and `lostNever` never does.
 */
export type RefundScript =
  | "done"
  | "refused"
  | "refusedDone"
  | "refusedUnseen"
  | "notExecuted"
  | "maintenance"
  | "lost"
  | "lostLate"
  | "lostNever"

/**
 * What is done to the system. Transactions are numbered from 0 in the order in which they were opened, refunds in the
 * order in which they came to be, those of a surplus included.
 *
 * **Details**
 *
 * - `RequestPayment`: the customer wants to pay; `isOpened` tells whether the provider opens a transaction.
 * - `ApproveTransaction`: the customer came back from the provider.
 * - `ArriveLate`: the answer of an approval, long taken for lost, arrives: approved if money moved, declined if not.
 * - `LookUpTransaction`: the provider is asked about an approval; unanswered if `isAnswered` is false.
 * - `TurnBack`: the customer came back by the cancel or fail address; `hasFailed` tells how the provider shows it.
 * - `PassTime`: minutes pass, then everything scheduled runs, but nothing is looked up or sent.
 * - `RequestRefund`: units of each line, in the order of the lines, or `rest`.
 * - `SendRefund`, `LookUpRefund`: as for transactions.
 */
export type PaymentCommand =
  | { readonly _tag: "RequestPayment"; readonly isOpened: boolean }
  | {
      readonly _tag: "ApproveTransaction"
      readonly transaction: number
      readonly script: ApprovalScript
      readonly lateMinutes: number
    }
  | { readonly _tag: "ArriveLate"; readonly transaction: number }
  | { readonly _tag: "LookUpTransaction"; readonly transaction: number; readonly isAnswered: boolean }
  | { readonly _tag: "TurnBack"; readonly transaction: number; readonly hasFailed: boolean }
  | { readonly _tag: "PassTime"; readonly minutes: number }
  | { readonly _tag: "RequestRefund"; readonly units: ReadonlyArray<number> | "rest" }
  | {
      readonly _tag: "SendRefund"
      readonly refund: number
      readonly script: RefundScript
      readonly lateMinutes: number
    }
  | { readonly _tag: "LookUpRefund"; readonly refund: number; readonly isAnswered: boolean }

/** Whether a command was carried out; `reason` names why not. */
export type PaymentAnswer = { readonly _tag: "Accepted" } | { readonly _tag: "Refused"; readonly reason: string }

/** The states of an order. */
export type OrderState = "Placed" | "Paid" | "PartiallyRefunded" | "Refunded" | "Expired" | "PaymentFailed"

/** The states of an attempt that has, or had, a transaction at the provider. */
export type AttemptState =
  | "AwaitingCustomer"
  | "Sent"
  | "Unknown"
  | "ManualReview"
  | "Approved"
  | "ApprovedSurplus"
  | "Refunded"
  | "Declined"
  | "NotExecuted"
  | "Abandoned"
  | "Superseded"

/** The states of a refund. */
export type RefundState = "Requested" | "Parked" | "Sent" | "Unknown" | "Completed" | "Rejected" | "ManualReview"

/** One transaction: what the books say of it, and what the provider says really happened; amounts are won. */
export interface AttemptView extends ProviderAccount {
  readonly state: AttemptState
  readonly approvedWon: number
  readonly refundedWon: number
  readonly reservedWon: number
}

/** What the provider did for one transaction: won it took and gave back, and how often it was called for that. */
export interface ProviderAccount {
  readonly capturedWon: number
  readonly givenBackWon: number
  readonly approveCalls: number
  readonly refundCalls: number
}

/** One refund; `transaction` is the number of what it gives back. */
export interface RefundView {
  readonly transaction: number
  readonly state: RefundState
  readonly amountWon: number
}

/** Everything that can be seen of the payment. */
export interface PaymentView {
  readonly order: OrderState
  readonly attempts: ReadonlyArray<AttemptView>
  readonly refunds: ReadonlyArray<RefundView>
}

/** What is tested: it carries out a command against the scripted provider, and shows its books. */
export interface PaymentSystem {
  readonly perform: (command: PaymentCommand) => Promise<PaymentAnswer>
  readonly observe: () => Promise<PaymentView>
}

// -----------------------------------------------------------------------------
// the model
// -----------------------------------------------------------------------------

interface Transaction {
  state: AttemptState
  readonly expiresAt: number
  approved: number
  refunded: number
  reserved: number
  captured: number
  givenBack: number
  approveCalls: number
  refundCalls: number
  /** When the provider will take the money after all; null where it will not. */
  captureAt: number | null
  /** Whether an answer of the provider may still arrive. */
  isAnswerOut: boolean
}

interface RefundRow {
  state: RefundState
  readonly transaction: number
  readonly amount: number
  /** Units of each line; none for a surplus. */
  readonly units: ReadonlyArray<number>
  readonly isSurplus: boolean
  sentAt: number
  /** What the provider had given back when it was sent. */
  before: number
  giveBackAt: number | null
}

/** What the model knows: plain facts, changed by commands alone. */
export interface PaymentModel {
  readonly toPay: OrderToPay
  readonly total: number
  now: number
  order: OrderState
  readonly refundedUnits: Array<number>
  readonly transactions: Array<Transaction>
  readonly refunds: Array<RefundRow>
  /** What was last seen of the system. */
  seen: PaymentView
  /** What was done so far and what came of it, for people. */
  readonly history: Array<string>
  readonly tally: Tally
}

interface Tally {
  commands: number
  readonly counts: Map<string, number>
}

/** What must hold after every command, whatever the history. */
export const laws = {
  askedFirst: "nothing in doubt is sent again, and every call belongs to a command",
  moneyExplained: "the money the provider took is the money approved, once nothing is in doubt",
  owedOnce: "at most one approval is owed, and only one that found its order open",
  surplusReturned: "every other approval is given back in full",
  neverAboveApproved: "refunded and reserved together never exceed what was approved, and each is explained by refunds",
  refundsExplained: "the money the provider gave back is that of completed refunds, once none is in doubt",
  orderFollowsUnits: "an order is paid, partially refunded or refunded exactly as its units say",
  decided: "a command is accepted or refused as the protocol says",
  booksFollow: "the books follow from the history"
} as const

/** A law that a system broke, and the history that did it. */
export class PaymentLawBroken extends Error {
  readonly law: keyof typeof laws
  constructor(law: keyof typeof laws, detail: string, history: ReadonlyArray<string>) {
    super([`${laws[law]} (${law}): ${detail}`, ...history.map((line, index) => `  ${index + 1}. ${line}`)].join("\n"))
    this.name = "PaymentLawBroken"
    this.law = law
  }
}

const nothingSeen: PaymentView = { order: "Placed", attempts: [], refunds: [] }

const makeModel = (toPay: OrderToPay, tally: Tally): PaymentModel => ({
  toPay,
  total: toPay.lines.reduce((sum, line) => sum + line.unitPriceWon * line.quantity, 0),
  now: 0,
  order: "Placed",
  refundedUnits: toPay.lines.map(() => 0),
  transactions: [],
  refunds: [],
  seen: nothingSeen,
  history: [],
  tally
})

const isInDoubt = ({ state }: { readonly state: AttemptState | RefundState }): boolean =>
  state === "Sent" || state === "Unknown" || state === "ManualReview"
const isOpenRefund = ({ state }: { readonly state: RefundState }): boolean =>
  state !== "Completed" && state !== "Rejected"

const unitsLeft = (model: PaymentModel): ReadonlyArray<number> =>
  model.toPay.lines.map((line, index) =>
    model.refunds
      .filter(isOpenRefund)
      .reduce((left, refund) => left - (refund.units[index] ?? 0), line.quantity - (model.refundedUnits[index] ?? 0))
  )

/** From when an approval that is not shown done never will be. */
const overFrom = (model: PaymentModel, transaction: Transaction): number =>
  transaction.expiresAt + model.toPay.terms.approvalGraceMinutes

/** From when a refund that is not shown done is believed not to be. */
const believedFrom = ({ terms }: OrderToPay, sentAt: number): number => {
  const minuteOfDay = (terms.placedAtMinuteOfDay + sentAt) % minutesPerDay
  const untilThen = terms.refundGracePastMinuteOfDay - minuteOfDay
  return Math.max(sentAt + terms.refundGraceMinutes, sentAt + (untilThen > 0 ? untilThen : untilThen + minutesPerDay))
}

type Verdict = "accept" | "refuse" | "either"

/** Whether a transaction in doubt keeps another from being opened or approved. */
const heldBy = (model: PaymentModel, except: Transaction | null): Verdict => {
  const inDoubt = model.transactions.filter((other) => other !== except && isInDoubt(other))
  if (inDoubt.some((other) => model.now < overFrom(model, other))) return "refuse"
  return inDoubt.length > 0 ? "either" : "accept"
}

const isPayable = (model: PaymentModel): boolean =>
  model.order === "Placed" && model.now < model.toPay.terms.orderMinutes

/** Money moved and we know it: owed by an open order, else to be given back. */
const approve = (model: PaymentModel, index: number, transaction: Transaction): void => {
  transaction.approved = model.total
  if (model.order === "Placed") {
    transaction.state = "Approved"
    model.order = "Paid"
    return
  }
  transaction.state = "ApprovedSurplus"
  transaction.reserved = model.total
  model.refunds.push({
    state: "Requested",
    transaction: index,
    amount: model.total,
    units: [],
    isSurplus: true,
    sentAt: 0,
    before: 0,
    giveBackAt: null
  })
}

const complete = (model: PaymentModel, refund: RefundRow, transaction: Transaction): void => {
  refund.state = "Completed"
  transaction.refunded += refund.amount
  transaction.reserved -= refund.amount
  if (refund.isSurplus) {
    if (transaction.refunded === transaction.approved) transaction.state = "Refunded"
    return
  }
  refund.units.forEach((units, line) => {
    model.refundedUnits[line] = (model.refundedUnits[line] ?? 0) + units
  })
  const isAllBack = model.toPay.lines.every((line, index) => line.quantity === model.refundedUnits[index])
  model.order = isAllBack ? "Refunded" : "PartiallyRefunded"
}

// -----------------------------------------------------------------------------
// commands
// -----------------------------------------------------------------------------

/** One command of a history: what it does to the system, and what the model says must come of it. */
abstract class PaymentStep<C extends PaymentCommand> implements fc.AsyncCommand<PaymentModel, PaymentSystem> {
  /** The command as it fits the present state; null where it fits none. */
  abstract resolve(model: Readonly<PaymentModel>): C | null
  /** Whether it must be accepted; null where nobody asks. */
  abstract verdict(model: Readonly<PaymentModel>, command: C): Verdict | null
  /** Changes the model as an accepted command does; `seen` decides where the protocol leaves a choice. */
  abstract follow(model: PaymentModel, command: C, seen: PaymentView): void
  abstract toString(): string

  check(model: Readonly<PaymentModel>): boolean {
    return this.resolve(model) !== null
  }

  async run(model: PaymentModel, system: PaymentSystem): Promise<void> {
    const command = this.resolve(model)
    if (command === null) return
    const before = model.seen
    const verdict = this.verdict(model, command)
    const answer = await system.perform(command)
    const seen = await system.observe()
    model.history.push(`${told(command)}: ${answer._tag === "Accepted" ? "accepted" : `refused (${answer.reason})`}`)
    count(model.tally, command, answer, seen)
    checkCalls(model, command, answer, before, seen)
    checkMoney(model, before, seen)
    if (verdict !== null && verdict !== "either" && (verdict === "accept") !== (answer._tag === "Accepted")) {
      throw new PaymentLawBroken("decided", `the last command must be ${verdict}ed`, model.history)
    }
    if (verdict === null || answer._tag === "Accepted") this.follow(model, command, seen)
    followWaiting(model, seen)
    compare(model, seen)
    model.seen = seen
  }
}

/** The customer wants to pay: the provider opens a transaction, in place of older ones that wait. */
class RequestPayment extends PaymentStep<Extract<PaymentCommand, { _tag: "RequestPayment" }>> {
  readonly isOpened: boolean
  readonly isAnyTime: boolean
  constructor(isOpened: boolean, isAnyTime: boolean) {
    super()
    this.isOpened = isOpened
    this.isAnyTime = isAnyTime
  }
  resolve(model: Readonly<PaymentModel>) {
    return this.isAnyTime || isPayable(model) ? ({ _tag: "RequestPayment", isOpened: this.isOpened } as const) : null
  }
  verdict(model: Readonly<PaymentModel>): Verdict {
    return this.isOpened && isPayable(model) ? heldBy(model, null) : "refuse"
  }
  follow(model: PaymentModel) {
    for (const other of model.transactions) if (other.state === "AwaitingCustomer") other.state = "Superseded"
    model.transactions.push({
      state: "AwaitingCustomer",
      expiresAt: model.now + model.toPay.terms.transactionMinutes,
      approved: 0,
      refunded: 0,
      reserved: 0,
      captured: 0,
      givenBack: 0,
      approveCalls: 0,
      refundCalls: 0,
      captureAt: null,
      isAnswerOut: false
    })
  }
  toString() {
    return this.isOpened ? "request a payment" : "request a payment, unanswered"
  }
}

/** The customer approved a transaction; most often one that waits. */
class ApproveTransaction extends PaymentStep<Extract<PaymentCommand, { _tag: "ApproveTransaction" }>> {
  readonly pick: Pick
  readonly script: ApprovalScript
  readonly late: number
  constructor(pick: Pick, script: ApprovalScript, late: number) {
    super()
    this.pick = pick
    this.script = script
    this.late = late
  }
  resolve(model: Readonly<PaymentModel>) {
    const { transactions } = model
    const index = picked(transactions, (one) => one.state === "AwaitingCustomer", this.pick)
    const transaction = index === null ? undefined : transactions[index]
    if (index === null || transaction === undefined) return null
    // Past its time no provider approves.
    const script = model.now >= transaction.expiresAt ? "expired" : this.script
    const lateMinutes = lateWithin(this.late, model.toPay.terms.approvalGraceMinutes)
    return { _tag: "ApproveTransaction", transaction: index, script, lateMinutes } as const
  }
  verdict(model: Readonly<PaymentModel>, command: { readonly transaction: number }): Verdict {
    const transaction = transactionOf(model, command.transaction)
    if (transaction.state !== "AwaitingCustomer" || !isPayable(model)) return "refuse"
    const held = heldBy(model, transaction)
    return held === "accept" && model.now >= transaction.expiresAt ? "either" : held
  }
  follow(
    model: PaymentModel,
    command: Extract<PaymentCommand, { _tag: "ApproveTransaction" }>,
    seen: PaymentView
  ): void {
    const transaction = transactionOf(model, command.transaction)
    transaction.approveCalls++
    switch (command.script) {
      case "approved":
        transaction.captured = model.total
        return approve(model, command.transaction, transaction)
      case "declined":
        transaction.state = "Declined"
        return
      case "notYet":
        return
      case "expired":
        transaction.state = "Abandoned"
        return
      case "notExecuted":
        transaction.state = chosen(seen.attempts[command.transaction]?.state, "AwaitingCustomer", "NotExecuted")
        return
      case "maintenance":
        transaction.state = "Unknown"
        return
      case "lost":
        transaction.captured = model.total
        break
      case "lostLate":
        transaction.captureAt = model.now + command.lateMinutes
        break
      case "lostNever":
        break
    }
    transaction.state = "Unknown"
    transaction.isAnswerOut = true
  }
  toString() {
    return `approve ${this.pick.text("transaction")}: ${this.script}`
  }
}

/** An answer that was taken for lost arrives. */
class ArriveLate extends PaymentStep<Extract<PaymentCommand, { _tag: "ArriveLate" }>> {
  readonly pick: Pick
  constructor(pick: Pick) {
    super()
    this.pick = pick
  }
  resolve(model: Readonly<PaymentModel>) {
    const isOut = (one: Transaction) => one.isAnswerOut && one.captureAt === null
    const index = picked(model.transactions, isOut, { ...this.pick, isAny: false })
    return index === null || !isOut(transactionOf(model, index))
      ? null
      : ({ _tag: "ArriveLate", transaction: index } as const)
  }
  verdict() {
    return null
  }
  follow(model: PaymentModel, command: { readonly transaction: number }) {
    const transaction = transactionOf(model, command.transaction)
    transaction.isAnswerOut = false
    if (transaction.state !== "Unknown") return
    if (transaction.captured > 0) approve(model, command.transaction, transaction)
    else transaction.state = "Declined"
  }
  toString() {
    return `the answer of ${this.pick.text("transaction")} arrives late`
  }
}

/** The provider is asked about a transaction; most often one in doubt. */
class LookUpTransaction extends PaymentStep<Extract<PaymentCommand, { _tag: "LookUpTransaction" }>> {
  readonly pick: Pick
  readonly isAnswered: boolean
  constructor(pick: Pick, isAnswered: boolean) {
    super()
    this.pick = pick
    this.isAnswered = isAnswered
  }
  resolve(model: Readonly<PaymentModel>) {
    const index = picked(model.transactions, isInDoubt, this.pick)
    return index === null
      ? null
      : ({ _tag: "LookUpTransaction", transaction: index, isAnswered: this.isAnswered } as const)
  }
  verdict() {
    return null
  }
  follow(model: PaymentModel, command: { readonly transaction: number }, seen: PaymentView) {
    const transaction = transactionOf(model, command.transaction)
    if (transaction.state !== "Unknown" || !this.isAnswered) return
    if (transaction.captured > 0) return approve(model, command.transaction, transaction)
    if (model.now < overFrom(model, transaction)) return
    transaction.state = chosen(seen.attempts[command.transaction]?.state, "Abandoned", "NotExecuted")
  }
  toString() {
    return `look up ${this.pick.text("transaction")}${this.isAnswered ? "" : ", unanswered"}`
  }
}

/** The customer came back by the cancel or fail address; most often of a transaction that waits. */
class TurnBack extends PaymentStep<Extract<PaymentCommand, { _tag: "TurnBack" }>> {
  readonly pick: Pick
  readonly hasFailed: boolean
  constructor(pick: Pick, hasFailed: boolean) {
    super()
    this.pick = pick
    this.hasFailed = hasFailed
  }
  resolve(model: Readonly<PaymentModel>) {
    const index = picked(model.transactions, (one) => one.state === "AwaitingCustomer", this.pick)
    if (index === null) return null
    const { captureAt, captured } = transactionOf(model, index)
    // What took money, or is about to, has not failed.
    const hasFailed = this.hasFailed && captured === 0 && captureAt === null
    return { _tag: "TurnBack", transaction: index, hasFailed } as const
  }
  verdict() {
    return null
  }
  follow(model: PaymentModel, command: { readonly transaction: number; readonly hasFailed: boolean }) {
    const transaction = transactionOf(model, command.transaction)
    if (transaction.state === "AwaitingCustomer" && command.hasFailed) transaction.state = "Abandoned"
  }
  toString() {
    return `turn back from ${this.pick.text("transaction")}, ${this.hasFailed ? "failed" : "still waiting"}`
  }
}

/** Time passes: late money moves, orders expire. It passes slowly while an order waits to be paid, unless hasty. */
class PassTime extends PaymentStep<Extract<PaymentCommand, { _tag: "PassTime" }>> {
  readonly minutes: number
  readonly isHasty: boolean
  constructor(minutes: number, isHasty: boolean) {
    super()
    this.minutes = minutes
    this.isHasty = isHasty
  }
  resolve(model: Readonly<PaymentModel>) {
    const isSlow = !this.isHasty && model.order === "Placed" && !model.transactions.some(isInDoubt)
    return { _tag: "PassTime", minutes: isSlow ? Math.min(this.minutes, slowMinutesMax) : this.minutes } as const
  }
  verdict() {
    return null
  }
  follow(model: PaymentModel, command: { readonly minutes: number }, seen: PaymentView) {
    model.now += command.minutes
    for (const transaction of model.transactions) {
      if (transaction.captureAt === null || transaction.captureAt > model.now) continue
      transaction.captured = model.total
      transaction.captureAt = null
    }
    for (const refund of model.refunds) {
      if (refund.giveBackAt === null || refund.giveBackAt > model.now) continue
      transactionOf(model, refund.transaction).givenBack += refund.amount
      refund.giveBackAt = null
    }
    if (model.order !== "Placed" || model.now < model.toPay.terms.orderMinutes) return
    const held = heldBy(model, null)
    if (held === "accept") model.order = "Expired"
    // Past every grace the protocol lets an order in doubt go, and lets it stay.
    if (held === "either") model.order = chosen(seen.order, "Placed", "Expired")
  }
  toString() {
    return `${this.minutes} minutes pass${this.isHasty ? "" : ", fewer while an order waits"}`
  }
}

/** Units of each line, or the rest, are asked back: mostly some that are left, now and then any. */
class RequestRefund extends PaymentStep<Extract<PaymentCommand, { _tag: "RequestRefund" }>> {
  readonly units: ReadonlyArray<number> | "rest"
  readonly isAny: boolean
  constructor(units: ReadonlyArray<number> | "rest", isAny: boolean) {
    super()
    this.units = units
    this.isAny = isAny
  }
  resolve(model: Readonly<PaymentModel>) {
    const asked = this.units
    const left = unitsLeft(model)
    if (!this.isAny && ((model.order !== "Paid" && model.order !== "PartiallyRefunded") || sum(left) === 0)) return null
    const units =
      asked === "rest"
        ? asked
        : left.map((available, line) => (this.isAny ? (asked[line] ?? 0) : (asked[line] ?? 0) % (available + 1)))
    return { _tag: "RequestRefund", units } as const
  }
  verdict(model: Readonly<PaymentModel>, command: { readonly units: ReadonlyArray<number> | "rest" }): Verdict {
    if (model.order !== "Paid" && model.order !== "PartiallyRefunded") return "refuse"
    const left = unitsLeft(model)
    const units = asUnits(model, command.units)
    const isWithin = units.every((asked, line) => asked <= (left[line] ?? 0))
    return isWithin && costOf(model, units) > 0 ? "accept" : "refuse"
  }
  follow(model: PaymentModel, command: { readonly units: ReadonlyArray<number> | "rest" }) {
    const units = asUnits(model, command.units)
    const transaction = model.transactions.findIndex(({ state }) => state === "Approved")
    const amount = costOf(model, units)
    transactionOf(model, transaction).reserved += amount
    model.refunds.push({
      state: "Requested",
      transaction,
      amount,
      units,
      isSurplus: false,
      sentAt: 0,
      before: 0,
      giveBackAt: null
    })
  }
  toString() {
    return `request a refund of ${this.units === "rest" ? "the rest" : this.units.join(" + ")}`
  }
}

/** A refund is sent; most often one that waits for it. */
class SendRefund extends PaymentStep<Extract<PaymentCommand, { _tag: "SendRefund" }>> {
  readonly pick: Pick
  readonly script: RefundScript
  readonly late: number
  constructor(pick: Pick, script: RefundScript, late: number) {
    super()
    this.pick = pick
    this.script = script
    this.late = late
  }
  resolve(model: Readonly<PaymentModel>) {
    const index = picked(model.refunds, (refund) => refund.state === "Requested", this.pick)
    const lateMinutes = lateWithin(this.late, model.toPay.terms.refundGraceMinutes)
    return index === null ? null : ({ _tag: "SendRefund", refund: index, script: this.script, lateMinutes } as const)
  }
  verdict(model: Readonly<PaymentModel>, command: { readonly refund: number }): Verdict {
    const refund = refundOf(model, command.refund)
    const isBusy = model.refunds.some((other) => other.transaction === refund.transaction && isInDoubt(other))
    return refund.state === "Requested" && !isBusy ? "accept" : "refuse"
  }
  follow(model: PaymentModel, command: Extract<PaymentCommand, { _tag: "SendRefund" }>, seen: PaymentView): void {
    const refund = refundOf(model, command.refund)
    const transaction = transactionOf(model, refund.transaction)
    transaction.refundCalls++
    refund.sentAt = model.now
    refund.before = transaction.givenBack
    switch (command.script) {
      case "done":
      case "refusedDone":
        transaction.givenBack += refund.amount
        return complete(model, refund, transaction)
      case "refused":
        // What is owed without an order is never given up.
        if (refund.isSurplus) {
          refund.state = chosen(seen.refunds[command.refund]?.state, "Unknown", "Requested")
          return
        }
        refund.state = "Rejected"
        transaction.reserved -= refund.amount
        return
      case "notExecuted":
        return
      case "lost":
        transaction.givenBack += refund.amount
        break
      case "lostLate":
        refund.giveBackAt = model.now + command.lateMinutes
        break
      case "lostNever":
      case "refusedUnseen":
      case "maintenance":
        break
    }
    refund.state = "Unknown"
  }
  toString() {
    return `send ${this.pick.text("refund")}: ${this.script}`
  }
}

/** The provider is asked about a refund; most often one in doubt. */
class LookUpRefund extends PaymentStep<Extract<PaymentCommand, { _tag: "LookUpRefund" }>> {
  readonly pick: Pick
  readonly isAnswered: boolean
  constructor(pick: Pick, isAnswered: boolean) {
    super()
    this.pick = pick
    this.isAnswered = isAnswered
  }
  resolve(model: Readonly<PaymentModel>) {
    const index = picked(model.refunds, isInDoubt, this.pick)
    return index === null ? null : ({ _tag: "LookUpRefund", refund: index, isAnswered: this.isAnswered } as const)
  }
  verdict() {
    return null
  }
  follow(model: PaymentModel, command: { readonly refund: number }) {
    const refund = refundOf(model, command.refund)
    const transaction = transactionOf(model, refund.transaction)
    if (refund.state !== "Unknown" || !this.isAnswered) return
    if (transaction.givenBack === refund.before + refund.amount) complete(model, refund, transaction)
    else if (model.now >= believedFrom(model.toPay, refund.sentAt)) refund.state = "Requested"
  }
  toString() {
    return `look up ${this.pick.text("refund")}${this.isAnswered ? "" : ", unanswered"}`
  }
}

// -----------------------------------------------------------------------------
// what the model says of what is seen
// -----------------------------------------------------------------------------

const checkCalls = (
  model: PaymentModel,
  command: PaymentCommand,
  answer: PaymentAnswer,
  before: PaymentView,
  seen: PaymentView
): void => {
  const isDone = answer._tag === "Accepted"
  seen.attempts.forEach((attempt, index) => {
    const was = before.attempts[index]
    const mayApprove =
      isDone &&
      command._tag === "ApproveTransaction" &&
      command.transaction === index &&
      was?.state === "AwaitingCustomer"
    const refund = command._tag === "SendRefund" ? before.refunds[command.refund] : undefined
    const mayRefund =
      isDone &&
      refund?.transaction === index &&
      refund.state === "Requested" &&
      !before.refunds.some((other) => other.transaction === index && isInDoubt(other))
    const approvals = attempt.approveCalls - (was?.approveCalls ?? 0)
    const refunds = attempt.refundCalls - (was?.refundCalls ?? 0)
    if (approvals > (mayApprove ? 1 : 0)) {
      throw new PaymentLawBroken("askedFirst", `transaction ${index} was sent while ${was?.state}`, model.history)
    }
    if (refunds > (mayRefund ? 1 : 0)) {
      throw new PaymentLawBroken("askedFirst", `a refund of transaction ${index} was sent unasked`, model.history)
    }
  })
}

const sum = (amounts: ReadonlyArray<number>): number => amounts.reduce((total, amount) => total + amount, 0)

const checkMoney = (model: PaymentModel, before: PaymentView, seen: PaymentView): void => {
  const broken = (law: keyof typeof laws, detail: string) => new PaymentLawBroken(law, detail, model.history)
  seen.attempts.forEach((attempt, index) => {
    const { approvedWon, capturedWon, givenBackWon, refundedWon, reservedWon, state } = attempt
    const name = `transaction ${index}, ${state},`
    if (approvedWon !== (isInDoubt(attempt) ? 0 : capturedWon)) {
      throw broken("moneyExplained", `${name} approved ${approvedWon} won, the provider took ${capturedWon}`)
    }
    if (state === "Approved" && before.attempts[index]?.state !== "Approved" && before.order !== "Placed") {
      throw broken("owedOnce", `${name} was approved for an order that was ${before.order}`)
    }
    if (state === "ApprovedSurplus" && refundedWon + reservedWon !== approvedWon) {
      throw broken("surplusReturned", `${name} gives back ${refundedWon + reservedWon} of ${approvedWon} won`)
    }
    if (state === "Refunded" && refundedWon !== approvedWon) {
      throw broken("surplusReturned", `${name} gave back ${refundedWon} of ${approvedWon} won`)
    }
    const refunds = seen.refunds.filter((refund) => refund.transaction === index)
    const open = sum(refunds.filter(isOpenRefund).map((refund) => refund.amountWon))
    if (refundedWon + reservedWon > approvedWon || reservedWon !== open) {
      const detail = `${name} reserved ${reservedWon} and refunded ${refundedWon} of ${approvedWon} won; ${open} are open`
      throw broken("neverAboveApproved", detail)
    }
    const completed = sum(refunds.filter(({ state }) => state === "Completed").map((refund) => refund.amountWon))
    if (refundedWon !== completed || (!refunds.some(isInDoubt) && givenBackWon !== completed)) {
      const detail = `${name} refunded ${refundedWon} won, completed refunds ${completed}, the provider ${givenBackWon}`
      throw broken("refundsExplained", detail)
    }
  })
  const owed = seen.attempts.filter(({ state }) => state === "Approved").length
  if (owed > 1) throw broken("owedOnce", `${owed} approvals are owed`)
  const isPaid = seen.order === "Paid" || seen.order === "PartiallyRefunded" || seen.order === "Refunded"
  if (isPaid !== (owed === 1)) throw broken("orderFollowsUnits", `the order is ${seen.order}, ${owed} are owed`)
}

/** A transaction that waits may be let go once it can bring nothing any more. */
const followWaiting = (model: PaymentModel, seen: PaymentView): void =>
  model.transactions.forEach((transaction, index) => {
    if (transaction.state !== "AwaitingCustomer") return
    const state = seen.attempts[index]?.state
    const isOver = model.now >= transaction.expiresAt
    if (isOver || model.order !== "Placed") transaction.state = chosen(state, "AwaitingCustomer", "Abandoned")
  })

const compare = (model: PaymentModel, seen: PaymentView): void => {
  const units = model.refundedUnits.join(" + ")
  if (seen.order !== model.order) {
    const detail = `the order is ${seen.order}, not ${model.order}; units given back are ${units}`
    throw new PaymentLawBroken("orderFollowsUnits", detail, model.history)
  }
  const expected: PaymentView = {
    order: model.order,
    attempts: model.transactions.map((transaction) => ({
      state: transaction.state,
      approvedWon: transaction.approved,
      refundedWon: transaction.refunded,
      reservedWon: transaction.reserved,
      capturedWon: transaction.captured,
      givenBackWon: transaction.givenBack,
      approveCalls: transaction.approveCalls,
      refundCalls: transaction.refundCalls
    })),
    refunds: model.refunds.map(({ amount, state, transaction }) => ({ transaction, state, amountWon: amount }))
  }
  const differing = difference(expected, seen)
  if (differing !== null) throw new PaymentLawBroken("booksFollow", differing, model.history)
}

const difference = (expected: PaymentView, seen: PaymentView): string | null => {
  for (const kind of ["attempts", "refunds"] as const) {
    const [wanted, got]: ReadonlyArray<ReadonlyArray<object>> = [expected[kind], seen[kind]]
    if (wanted === undefined || got === undefined) continue
    if (wanted.length !== got.length) return `${got.length} ${kind} are seen instead of ${wanted.length}`
    for (const [index, one] of wanted.entries()) {
      const other = new Map(Object.entries(got[index] ?? {}))
      for (const [field, value] of Object.entries(one)) {
        if (other.get(field) !== value) {
          return `${field} of ${kind}[${index}] is ${String(other.get(field))} instead of ${String(value)}`
        }
      }
    }
  }
  return null
}

const count = (tally: Tally, command: PaymentCommand, answer: PaymentAnswer, seen: PaymentView): void => {
  tally.commands++
  const names = new Set([
    `${command._tag} ${answer._tag}`,
    ...("script" in command && answer._tag === "Accepted" ? [`${command._tag} ${command.script}`] : []),
    `Order ${seen.order}`,
    ...seen.attempts.map(({ state }) => `Attempt ${state}`),
    ...seen.refunds.map(({ state }) => `Refund ${state}`)
  ])
  for (const name of names) tally.counts.set(name, (tally.counts.get(name) ?? 0) + 1)
}

/** Where the protocol leaves a choice: what is seen if it is allowed, else the first. */
const chosen = <State extends string>(seen: string | undefined, first: State, ...others: ReadonlyArray<State>): State =>
  others.find((state) => state === seen) ?? first

const asUnits = (model: Readonly<PaymentModel>, units: ReadonlyArray<number> | "rest"): ReadonlyArray<number> =>
  units === "rest" ? unitsLeft(model) : units

const costOf = (model: Readonly<PaymentModel>, units: ReadonlyArray<number>): number =>
  sum(model.toPay.lines.map((line, index) => line.unitPriceWon * (units[index] ?? 0)))

const transactionOf = (model: Readonly<PaymentModel>, index: number): Transaction => {
  const transaction = model.transactions[index]
  if (transaction === undefined) throw new Error(`there is no transaction ${index}`)
  return transaction
}

const refundOf = (model: Readonly<PaymentModel>, index: number): RefundRow => {
  const refund = model.refunds[index]
  if (refund === undefined) throw new Error(`there is no refund ${index}`)
  return refund
}

const lateWithin = (late: number, graceMinutes: number): number => 1 + (late % Math.max(1, graceMinutes - 1))

const told = (command: PaymentCommand): string => {
  const { _tag, ...fields } = command
  return `${_tag}(${Object.entries(fields)
    .map(([name, value]) => `${name} ${String(value)}`)
    .join(", ")})`
}

// -----------------------------------------------------------------------------
// histories
// -----------------------------------------------------------------------------

/** Which of several rows a command is about: mostly one that it can change, now and then any. */
interface Pick {
  readonly index: number
  readonly isAny: boolean
  readonly text: (kind: string) => string
}

const picked = <Row>(rows: ReadonlyArray<Row>, isPreferred: (row: Row) => boolean, pick: Pick): number | null => {
  const all = rows.map((_, index) => index)
  const preferred = rows.flatMap((row, index) => (isPreferred(row) ? [index] : []))
  const pool = pick.isAny ? all : preferred
  return pool.length === 0 ? null : (pool[pick.index % pool.length] ?? null)
}

const rarely = fc.nat({ max: 9 }).map((one) => one === 9)

const pick: fc.Arbitrary<Pick> = fc.record({ index: fc.nat({ max: 3 }), isAny: rarely }).map(({ index, isAny }) => ({
  index,
  isAny,
  text: (kind) => (isAny ? `any ${kind} (${index})` : `a fitting ${kind} (${index})`)
}))

const late = fc.nat({ max: minutesPerDay })
const mostly = fc.nat({ max: 4 }).map((one) => one < 4)

const approvalScript = fc.oneof(
  { weight: 4, arbitrary: fc.constant<ApprovalScript>("approved") },
  {
    weight: 8,
    arbitrary: fc.constantFrom<ApprovalScript>(
      "declined",
      "notYet",
      "expired",
      "notExecuted",
      "maintenance",
      "lost",
      "lostLate",
      "lostNever"
    )
  }
)

const refundScript = fc.constantFrom<RefundScript>(
  "done",
  "refused",
  "refusedDone",
  "refusedUnseen",
  "notExecuted",
  "maintenance",
  "lost",
  "lostLate",
  "lostNever"
)

const minutes = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 1, max: 8 }) },
  { weight: 4, arbitrary: fc.integer({ min: 9, max: 2 * minutesPerHour }) },
  { weight: 2, arbitrary: fc.integer({ min: minutesPerHour, max: minutesPerDay }) }
)

const units = fc.oneof(
  fc.constant<"rest">("rest"),
  fc.array(fc.nat({ max: lineUnitsMax }), { minLength: linesMax, maxLength: linesMax })
)

const step: fc.Arbitrary<fc.AsyncCommand<PaymentModel, PaymentSystem>> = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(mostly, rarely).map((fields) => new RequestPayment(...fields)) },
  {
    weight: 6,
    arbitrary: fc.tuple(pick, approvalScript, late).map((fields) => new ApproveTransaction(...fields))
  },
  { weight: 1, arbitrary: pick.map((one) => new ArriveLate(one)) },
  { weight: 3, arbitrary: fc.tuple(pick, mostly).map((fields) => new LookUpTransaction(...fields)) },
  { weight: 1, arbitrary: fc.tuple(pick, mostly).map((fields) => new TurnBack(...fields)) },
  { weight: 4, arbitrary: fc.tuple(minutes, rarely).map((fields) => new PassTime(...fields)) },
  { weight: 4, arbitrary: fc.tuple(units, rarely).map((fields) => new RequestRefund(...fields)) },
  { weight: 6, arbitrary: fc.tuple(pick, refundScript, late).map((fields) => new SendRefund(...fields)) },
  { weight: 3, arbitrary: fc.tuple(pick, mostly).map((fields) => new LookUpRefund(...fields)) }
)

/** Histories drawn from at most {@link commandsMax} commands; `replayPath` repeats one that fast-check printed. */
export const paymentCommands = (
  options: { readonly replayPath?: string } = {}
): fc.Arbitrary<Iterable<fc.AsyncCommand<PaymentModel, PaymentSystem>>> =>
  fc.commands<PaymentModel, PaymentSystem, boolean>([step], { maxCommands: commandsMax, size: "max", ...options })

/** Orders of 1 to {@link linesMax} lines; one line in some may be free of charge. */
export const orderToPay = (terms: PaymentTerms = termsDefault): fc.Arbitrary<OrderToPay> =>
  fc
    .array(
      fc.record({
        unitPriceWon: fc.oneof(
          { weight: 9, arbitrary: fc.integer({ min: 1, max: unitPriceWonMax }) },
          { weight: 1, arbitrary: fc.constant(0) }
        ),
        quantity: fc.integer({ min: 1, max: lineUnitsMax })
      }),
      { minLength: 1, maxLength: linesMax }
    )
    .filter((lines) => lines.some((line) => line.unitPriceWon > 0))
    .map((lines) => ({ lines, terms }))

/** How histories are played; a seed of one's own, and the paths that a failure printed to repeat it alone. */
export interface RunOptions {
  readonly seed?: number
  readonly numRuns?: number
  readonly path?: string
  readonly replayPath?: string
  readonly terms?: PaymentTerms
}

/** What was played: `counts` says how often each command, script and state was seen. */
export interface PaymentRun {
  readonly seed: number
  readonly runs: number
  readonly commands: number
  readonly counts: ReadonlyMap<string, number>
}

/**
 * Plays random histories against new systems made by `factory`, one for each; rejects with the seed and the shortest
 * history that breaks a law, whose {@link PaymentLawBroken} is the cause.
 *
 * **Example** (Testing a system of your own)
 *
 * ```ts
 * import { runPaymentModel } from "@pillivery/domain/testing/PaymentModel"
 * import * as ScriptedProvider from "@pillivery/domain/testing/ScriptedProvider"
 *
 * await runPaymentModel((toPay) => mySystem(toPay, ScriptedProvider.make(toPay.terms)))
 * ```
 */
export const runPaymentModel = async (
  factory: (toPay: OrderToPay) => PaymentSystem | Promise<PaymentSystem>,
  options: RunOptions = {}
): Promise<PaymentRun> => {
  const { numRuns = runsDefault, replayPath, terms, ...parameters } = options
  const tally: Tally = { commands: 0, counts: new Map() }
  const property = fc.asyncProperty(
    orderToPay(terms),
    paymentCommands(replayPath === undefined ? {} : { replayPath }),
    (toPay, commands) =>
      fc.asyncModelRun(async () => ({ model: makeModel(toPay, tally), real: await factory(toPay) }), commands)
  )
  // Unbiased, since fast-check would prefer short histories, and most of what can go wrong needs long ones.
  const details = await fc.check(property, { numRuns, unbiased: true, ...parameters })
  if (details.failed) {
    const message = fc.defaultReportMessage(details) ?? "a law of payments does not hold"
    throw new Error(message, { cause: details.errorInstance })
  }
  return { seed: details.seed, runs: details.numRuns, commands: tally.commands, counts: tally.counts }
}
