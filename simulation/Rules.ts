/**
 * What must be true whatever befell the shop, told from the provider's ledger.
 *
 * This is the reference the shop is held against: it knows what was captured and given back, what was sold at which
 * price, and what a Korean calendar says; it does not know how the shop comes to its decisions.
 *
 * @since 0.1.0
 */
import * as BillingLedger from "@pillivery/adapters-memory/BillingLedger"
import * as BillingKeyRepository from "@pillivery/adapters-memory/BillingKeyRepository"
import * as NotificationRepository from "@pillivery/adapters-memory/NotificationRepository"
import * as OrderRepository from "@pillivery/adapters-memory/OrderRepository"
import * as Outbox from "@pillivery/adapters-memory/Outbox"
import * as PaymentRepository from "@pillivery/adapters-memory/PaymentRepository"
import * as RefundRepository from "@pillivery/adapters-memory/RefundRepository"
import type { Rows } from "@pillivery/adapters-memory/Store"
import * as SubscriptionRepository from "@pillivery/adapters-memory/SubscriptionRepository"
import type { MoneyCall, Movement } from "@pillivery/application/testing/MemoryProvider"
import type * as Attempt from "@pillivery/domain/Attempt"
import { bankCheckWindow, isBankCheck } from "@pillivery/domain/BillingCalendar"
import type * as BillingCycle from "@pillivery/domain/BillingCycle"
import type * as BillingKey from "@pillivery/domain/BillingKey"
import * as BusinessDate from "@pillivery/domain/BusinessDate"
import type { Approved, Declined } from "@pillivery/domain/ProviderAnswer"
import type * as Refund from "@pillivery/domain/Refund"
import type * as SubscriptionOrder from "@pillivery/domain/SubscriptionOrder"
import { periodDaysMin } from "@pillivery/domain/DeliveryPeriod"
import { DateTime } from "effect"

/** Every rule, by its name. */
export const sentences = {
  sentIsWritten: "Nothing is asked of the provider before it is committed that it will be.",
  bankCheckIsKept: "Nothing is charged while the banks check their books.",
  answeredOnceADay: "A cycle gets at most one definite answer on one day.",
  capturedOnce: "What is owed is captured at most once.",
  settledAsCaptured: "An attempt that is settled was captured if and only if it says so.",
  capturedWhenDue: "A renewal is captured on its due date or later, and not after its subscription was cancelled.",
  pricedAsAgreed: "A renewal is captured at the price agreed when it was subscribed to.",
  onTheGrid: "Every cycle lies on the grid of its subscription, each after the one before.",
  notBunched: "Two renewals of a subscription are half a period apart or more.",
  ladderIsKept: "A cycle is declined at most once for each rung of the ladder.",
  refundedOnce: "No more is given back than was captured, and no refund is made twice.",
  toldOnce: "Nobody is told of one event twice.",
  booksAreRight: "Every rule that the shop checks on its own rows holds.",
  nothingIsOwed: "When all is quiet, nothing is owed, in flight, in doubt, or waiting for a person.",
  everyCaptureIsKept: "When all is quiet, what was captured was bought, or is given back in full.",
  answersAreKept: "When all is quiet, every definite answer that reached a machine which lived is in the books.",
  everyoneIsTold: "When all is quiet, every event was delivered.",
  onlyKnownFailures: "Nothing fails that is not foreseen."
} as const

/** The name of a rule. */
export type Rule = keyof typeof sentences

/** A rule that was broken, and by what. */
export interface Violation {
  readonly rule: Rule
  readonly found: string
  /** The ids that the story is told of. */
  readonly about: ReadonlyArray<string>
}

/** A definite answer that the provider gave. */
export interface Definite {
  readonly cause: string
  readonly date: BusinessDate.BusinessDate
  readonly outcome: "approved" | "soft" | "other"
}

/** A definite answer that reached a machine. */
export interface Heard {
  readonly cause: string
  readonly answer: Approved | Declined
  readonly machine: { readonly isDead: boolean }
}

/** Everything the rules look at. */
export interface Evidence {
  readonly rows: Rows
  readonly movements: ReadonlyArray<Movement>
  readonly answers: ReadonlyArray<Definite>
  readonly heard: ReadonlyArray<Heard>
  readonly today: BusinessDate.BusinessDate
  readonly ladderDays: ReadonlyArray<number>
}

const attemptOf = (rows: Rows, cause: string): Attempt.Attempt | undefined =>
  rows.get(PaymentRepository.attempts, cause)

const addTo = <A>(map: Map<string, Array<A>>, key: string, value: A): void => {
  const list = map.get(key)
  if (list === undefined) map.set(key, [value])
  else list.push(value)
}

/** Rules that hold when the provider is asked to move money. */
export const checkCall = (rows: Rows, { cause, kind }: MoneyCall): ReadonlyArray<Violation> => {
  const row = kind === "refund" ? rows.get(RefundRepository.refunds, cause) : attemptOf(rows, cause)
  if (row?._tag !== "Sent") {
    return [{ rule: "sentIsWritten", found: `${kind} ${cause} was sent while it was ${row?._tag}`, about: [cause] }]
  }
  return kind === "charge" && isBankCheck(row.sentAt, bankCheckWindow)
    ? [{ rule: "bankCheckIsKept", found: `${cause} was sent at ${DateTime.formatIso(row.sentAt)}`, about: [cause] }]
    : []
}

/** Rules that hold at any moment. */
export const checkAlways = ({ answers, ladderDays, movements, rows }: Evidence): ReadonlyArray<Violation> => {
  const broken: Array<Violation> = []
  const breaks = (rule: Rule, found: string, ...about: ReadonlyArray<string>) => broken.push({ rule, found, about })
  const captured = new Map<string, Movement>()
  const capturesOfPayment = new Map<string, Array<Movement>>()
  const refunded = new Map<string, Array<Movement>>()

  for (const movement of movements) {
    if (movement.kind === "refund") {
      addTo(refunded, movement.transactionId, movement)
      continue
    }
    captured.set(movement.cause, movement)
    const attempt = attemptOf(rows, movement.cause)
    if (attempt === undefined) {
      breaks("capturedOnce", `${movement.cause} was captured and is not in the books`, movement.cause)
      continue
    }
    addTo(capturesOfPayment, attempt.paymentId, movement)
    if (attempt.purpose._tag === "ForCycle") checkRenewal(rows, attempt, attempt.purpose, movement, breaks)
  }

  for (const [paymentId, captures] of capturesOfPayment) {
    if (captures.length > 1) {
      const causes = captures.map(({ cause }) => cause)
      const attempt = attemptOf(rows, causes[0] ?? "")
      breaks(
        "capturedOnce",
        `payment ${paymentId} was captured by ${causes.join(" and ")}`,
        ...subjectsOf(attempt),
        ...causes
      )
    }
  }

  for (const attempt of rows.all(PaymentRepository.attempts)) {
    if (attempt.amount === 0) continue
    const isCaptured = captured.has(attempt.id)
    if (isSettledWithout(attempt) && isCaptured) {
      breaks(
        "settledAsCaptured",
        `${attempt.id} is ${attempt._tag} and was captured`,
        attempt.id,
        ...subjectsOf(attempt)
      )
    }
    if ((attempt._tag === "Approved" || attempt._tag === "ApprovedSurplus") && !isCaptured) {
      breaks(
        "settledAsCaptured",
        `${attempt.id} is ${attempt._tag} and was not captured`,
        attempt.id,
        ...subjectsOf(attempt)
      )
    }
  }

  for (const [transactionId, refunds] of refunded) {
    const given = refunds.reduce((sum, { amount }) => sum + amount, 0)
    const taken = movements.find((each) => each.kind === "capture" && each.transactionId === transactionId)
    const causes = refunds.map(({ cause }) => cause)
    if (given > (taken?.amount ?? 0) || new Set(causes).size < causes.length) {
      breaks("refundedOnce", `${given} won of ${taken?.amount ?? 0} were given back`, ...causes, taken?.cause ?? "")
    }
  }

  const deliveries = rows.all(Outbox.deliveries).filter(({ consumer }) => consumer === "notification")
  const events = deliveries.length
  // Another period moves the grid, also when the first one comes back.
  const periods = new Map<string, Set<number>>()
  for (const { event } of deliveries) {
    if (event._tag !== "SubscriptionChanged") continue
    periods.set(event.subscriptionId, (periods.get(event.subscriptionId) ?? new Set()).add(event.period))
  }
  const told = rows.size(NotificationRepository.notifications)
  if (told > events) breaks("toldOnce", `${told} notifications were made of ${events} events`)

  checkAnswers(rows, answers, ladderDays, breaks)
  for (const subscription of rows.all(SubscriptionRepository.subscriptions)) {
    const line = rows
      .get(OrderRepository.orders, subscription.orderId)
      ?.lines.find(({ id }) => id === subscription.orderLineId)
    const isMoved = [...(periods.get(subscription.id) ?? [])].some((period) => period !== line?.period)
    checkGrid(rows, subscription, isMoved, breaks)
  }
  return broken
}

type Breaks = (rule: Rule, found: string, ...about: ReadonlyArray<string>) => void

const isSettledWithout = (attempt: Attempt.Attempt): boolean =>
  attempt._tag === "Declined" ||
  attempt._tag === "NotExecuted" ||
  attempt._tag === "Withdrawn" ||
  attempt._tag === "Abandoned" ||
  attempt._tag === "Superseded"

const subjectsOf = (attempt: Attempt.Attempt | undefined): ReadonlyArray<string> => {
  if (attempt === undefined) return []
  switch (attempt.purpose._tag) {
    case "ForCycle":
      return [attempt.purpose.subscriptionId]
    case "ForOrder":
      return [attempt.purpose.orderId]
    case "ForRegistration":
      return [attempt.purpose.billingKeyId]
  }
}

const checkRenewal = (
  rows: Rows,
  attempt: Attempt.Attempt,
  purpose: Attempt.ForCycle,
  movement: Movement,
  breaks: Breaks
): void => {
  const { cycleNumber, subscriptionId } = purpose
  const subscription = rows.get(SubscriptionRepository.subscriptions, subscriptionId)
  const cycle = rows.get(BillingLedger.cycles, BillingLedger.cycleId({ subscriptionId, number: cycleNumber }))
  if (subscription === undefined || cycle === undefined || !("sentAt" in attempt)) return
  const sentOn = BusinessDate.fromInstant(attempt.sentAt)
  if (sentOn < cycle.dueDate) {
    breaks(
      "capturedWhenDue",
      `cycle ${cycleNumber}, due ${cycle.dueDate}, was sent on ${sentOn}`,
      subscriptionId,
      attempt.id
    )
  }
  if (
    subscription._tag === "Cancelled" &&
    subscription.cancelledAt.epochMilliseconds < attempt.sentAt.epochMilliseconds
  ) {
    breaks(
      "capturedWhenDue",
      `cycle ${cycleNumber} was sent after the subscription was cancelled`,
      subscriptionId,
      attempt.id
    )
  }
  const agreed = subscription.unitPrice * attempt.quantity
  if (movement.amount !== agreed) {
    breaks("pricedAsAgreed", `${movement.amount} won were captured instead of ${agreed}`, subscriptionId, attempt.id)
  }
}

const checkAnswers = (
  rows: Rows,
  answers: ReadonlyArray<Definite>,
  ladderDays: ReadonlyArray<number>,
  breaks: Breaks
): void => {
  const days = new Map<string, string>()
  const softs = new Map<string, Array<BusinessDate.BusinessDate>>()
  for (const { cause, date, outcome } of answers) {
    const attempt = attemptOf(rows, cause)
    if (attempt?.purpose._tag !== "ForCycle") continue
    const cycle = `${attempt.purpose.subscriptionId}/${attempt.purpose.cycleNumber}`
    const before = days.get(`${cycle} ${date}`)
    if (before !== undefined) {
      breaks(
        "answeredOnceADay",
        `cycle ${cycle} was answered twice on ${date}`,
        attempt.purpose.subscriptionId,
        cause,
        before
      )
    }
    days.set(`${cycle} ${date}`, cause)
    if (outcome === "soft") addTo(softs, cycle, date)
  }
  for (const [cycle, dates] of softs) {
    if (dates.length > ladderDays.length + 1) {
      breaks("ladderIsKept", `cycle ${cycle} was declined on ${dates.join(", ")}`, cycle.split("/")[0] ?? "")
    }
  }
}

const checkGrid = (
  rows: Rows,
  subscription: SubscriptionOrder.SubscriptionOrder,
  isMoved: boolean,
  breaks: Breaks
): void => {
  let before: BillingCycle.BillingCycle | null = null
  let chargedOn: BusinessDate.BusinessDate | null = null
  // A period that was changed says nothing of deliveries that were dated before.
  const period = isMoved ? periodDaysMin : subscription.period
  for (const cycle of cyclesOf(rows, subscription)) {
    const days = BusinessDate.daysUntil(subscription.anchor, cycle.gridDate)
    const isAfter = before === null || before.gridDate < cycle.gridDate
    if (days <= 0 || (!isMoved && days % subscription.period !== 0) || !isAfter) {
      breaks(
        "onTheGrid",
        `cycle ${cycle.number} lies on ${cycle.gridDate}, ${days} days after the anchor`,
        subscription.id
      )
    }
    if (
      cycle._tag !== "Skipped" &&
      chargedOn !== null &&
      BusinessDate.daysUntil(chargedOn, cycle.dueDate) < Math.ceil(period / 2)
    ) {
      breaks(
        "notBunched",
        `cycle ${cycle.number} is due ${cycle.dueDate}, after a charge on ${chargedOn}`,
        subscription.id
      )
    }
    if (cycle._tag === "Charged") chargedOn = cycle.chargedOn
    before = cycle
  }
}

const cyclesOf = (
  rows: Rows,
  subscription: SubscriptionOrder.SubscriptionOrder
): ReadonlyArray<BillingCycle.BillingCycle> => {
  const cycles: Array<BillingCycle.BillingCycle> = []
  for (let number = 1; ; number++) {
    const cycle = rows.get(BillingLedger.cycles, BillingLedger.cycleId({ subscriptionId: subscription.id, number }))
    if (cycle === undefined) return cycles
    cycles.push(cycle)
  }
}

/** Rules that hold when nothing has gone wrong for a while and nobody asked for anything. */
export const checkQuiet = ({ heard, movements, rows, today }: Evidence): ReadonlyArray<Violation> => {
  const broken: Array<Violation> = []
  const breaks = (rule: Rule, found: string, ...about: ReadonlyArray<string>) => broken.push({ rule, found, about })

  for (const attempt of rows.all(PaymentRepository.attempts)) {
    if (
      attempt._tag === "Prepared" ||
      attempt._tag === "Sent" ||
      attempt._tag === "Unknown" ||
      attempt._tag === "ManualReview"
    ) {
      breaks("nothingIsOwed", `${attempt.id} is ${attempt._tag}`, attempt.id, ...subjectsOf(attempt))
    }
  }
  for (const cycle of rows.all(BillingLedger.cycles)) {
    const isWaiting = cycle._tag === "InFlight" || cycle._tag === "InDoubt"
    const nextAttemptOn = "nextAttemptOn" in cycle ? cycle.nextAttemptOn : null
    const subscription = rows.get(SubscriptionRepository.subscriptions, cycle.subscriptionId)
    const isLive = subscription?._tag === "Active" || subscription?._tag === "PastDue"
    if (isWaiting || (isLive && nextAttemptOn !== null && nextAttemptOn <= today)) {
      breaks(
        "nothingIsOwed",
        `cycle ${cycle.number}, due ${cycle.dueDate}, is ${cycle._tag} on ${today}`,
        cycle.subscriptionId
      )
    }
  }
  for (const subscription of rows.all(SubscriptionRepository.subscriptions)) {
    const open = cyclesOf(rows, subscription).at(-1)
    const isLive = subscription._tag === "Active" || subscription._tag === "PastDue"
    // Two skips and a postponement lie within.
    const latest = BusinessDate.addDays(today, 4 * subscription.period)
    if (isLive && (open === undefined || !("nextAttemptOn" in open) || open.gridDate > latest)) {
      breaks(
        "nothingIsOwed",
        `it is ${subscription._tag} and its last cycle is ${open?._tag} for ${open?.gridDate}`,
        subscription.id
      )
    }
  }
  for (const key of rows.all<BillingKey.BillingKey>(BillingKeyRepository.billingKeys)) {
    const isIdle = key.liveUses === 0 && (key._tag === "Active" || key._tag === "Retiring")
    if (key._tag === "Frozen" || key.inFlight !== null || isIdle) {
      breaks("nothingIsOwed", `key ${key.id} is ${key._tag}, ${key.liveUses} in use, held by ${key.inFlight}`, key.id)
    }
  }
  for (const refund of rows.all<Refund.Refund>(RefundRepository.refunds)) {
    if (refund._tag !== "Completed" && refund._tag !== "Rejected" && refund._tag !== "Parked") {
      breaks("nothingIsOwed", `refund ${refund.id} is ${refund._tag}`, refund.id, refund.attemptId)
    }
  }

  for (const { answer, cause, machine } of heard) {
    const attempt = attemptOf(rows, cause)
    const isKept =
      answer._tag === "Declined"
        ? attempt?._tag === "Declined"
        : attempt !== undefined &&
          "reference" in attempt &&
          attempt.reference._tag === "Known" &&
          attempt.reference.transactionId === answer.transactionId
    if (!machine.isDead && !isKept) {
      breaks("answersAreKept", `${cause} was ${answer._tag} and is ${attempt?._tag}`, cause, ...subjectsOf(attempt))
    }
  }

  const given = new Map<string, number>()
  for (const { amount, kind, transactionId } of movements) {
    if (kind === "refund") given.set(transactionId, (given.get(transactionId) ?? 0) + amount)
  }
  for (const movement of movements) {
    const attempt = attemptOf(rows, movement.cause)
    if (movement.kind !== "capture" || attempt === undefined) continue
    const isOver = attempt._tag === "ApprovedSurplus" && given.get(movement.transactionId) !== movement.amount
    const isParked = "reference" in attempt && attempt.reference._tag === "Awaiting"
    if ((isOver && !isParked) || !("reference" in attempt)) {
      breaks(
        "everyCaptureIsKept",
        `${attempt.id} was captured and is ${attempt._tag}`,
        attempt.id,
        ...subjectsOf(attempt)
      )
    }
    if (attempt._tag === "Approved" && attempt.purpose._tag === "ForCycle") {
      const { cycleNumber, subscriptionId } = attempt.purpose
      const cycle = rows.get(BillingLedger.cycles, BillingLedger.cycleId({ subscriptionId, number: cycleNumber }))
      if (cycle?._tag !== "Charged" || cycle.chargedBy !== attempt.id) {
        breaks(
          "everyCaptureIsKept",
          `cycle ${cycleNumber} was captured and is ${cycle?._tag}`,
          subscriptionId,
          attempt.id
        )
      }
    }
  }
  return broken
}

/** The rows that a story is about, one line each. */
export const describe = (rows: Rows, ids: ReadonlyArray<string>): ReadonlyArray<string> => {
  const lines: Array<string> = []
  for (const subscription of rows.all(SubscriptionRepository.subscriptions)) {
    if (!ids.includes(subscription.id)) continue
    lines.push(
      `subscription ${subscription.id}: ${subscription._tag}, every ${subscription.period} days from ${subscription.anchor}`
    )
    for (const cycle of cyclesOf(rows, subscription)) {
      const charged = cycle._tag === "Charged" ? ` on ${cycle.chargedOn} by ${cycle.chargedBy}` : ""
      const next = "nextAttemptOn" in cycle ? `, next attempt ${cycle.nextAttemptOn}` : ""
      lines.push(`  cycle ${cycle.number} of ${cycle.gridDate}, due ${cycle.dueDate}: ${cycle._tag}${charged}${next}`)
    }
  }
  for (const attempt of rows.all(PaymentRepository.attempts)) {
    if (!ids.includes(attempt.id) && !subjectsOf(attempt).some((id) => ids.includes(id))) continue
    const cycle = attempt.purpose._tag === "ForCycle" ? `cycle ${attempt.purpose.cycleNumber}` : attempt.purpose._tag
    const sent = "sentAt" in attempt ? `sent ${DateTime.formatIso(attempt.sentAt)}` : "not sent"
    lines.push(`  attempt ${attempt.id} for ${cycle}: ${attempt._tag}, ${sent}`)
  }
  return lines
}
