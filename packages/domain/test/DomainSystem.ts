/**
 * The domain's functions as a system of the subscription model: rows in, rows out, as a store would keep them.
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Attempt from "../src/Attempt.ts"
import * as BillingCycle from "../src/BillingCycle.ts"
import * as BillingKey from "../src/BillingKey.ts"
import * as BusinessDate from "../src/BusinessDate.ts"
import type * as DomainEvent from "../src/DomainEvent.ts"
import * as DeclineReason from "../src/DeclineReason.ts"
import { DunningPolicy } from "../src/DunningPolicy.ts"
import * as OwnerCommand from "../src/OwnerCommand.ts"
import * as Refund from "../src/Refund.ts"
import * as Renewal from "../src/Renewal.ts"
import * as SubscriptionOrder from "../src/SubscriptionOrder.ts"
import * as Fixtures from "../src/testing/Fixtures.ts"
import type {
  Answer,
  OpenCycle,
  Outcome,
  Request,
  Start,
  SubscriptionSystem,
  View
} from "../src/testing/SubscriptionSystem.ts"

/** Everything a store keeps of one subscription. */
export const Rows = Schema.Struct({
  policy: DunningPolicy,
  subscription: SubscriptionOrder.SubscriptionOrder,
  cycles: Schema.Array(BillingCycle.BillingCycle),
  keys: Schema.Array(BillingKey.BillingKey),
  attempts: Schema.Array(Attempt.Attempt),
  refunds: Schema.Array(Refund.Refund),
  /** The ids of keys of which an event told that nothing uses them any more. */
  unusedKeys: Schema.Array(Schema.String)
})
export type Rows = typeof Rows.Type

/** What a request makes of the rows. */
export type Perform = (rows: Rows, request: Request, on: string) => readonly [Rows, Answer]

/** The rows of a subscription that has just begun. */
export const begin = (start: Start): Rows => {
  const anchor = Fixtures.day(start.firstPaidOn)
  const period = Fixtures.period(start.periodDays)
  const fields = {
    period,
    anchor,
    lastPaidDueDate: anchor,
    quantity: Fixtures.quantity(start.quantity),
    unitPrice: Fixtures.won(start.unitPrice)
  }
  return {
    policy: DunningPolicy.make({ ladderDays: start.ladderDays, finalAction: start.finalAction }),
    subscription: start.hasBillingKey ? Fixtures.subscription(fields) : Fixtures.keylessSubscription(fields),
    cycles: [
      BillingCycle.open({
        subscriptionId: Fixtures.anySubscriptionId(),
        number: 1,
        gridDate: BusinessDate.addDays(anchor, period),
        hasKey: start.hasBillingKey
      })
    ],
    keys: start.hasBillingKey ? [Fixtures.activeKey()] : [],
    attempts: [],
    refunds: [],
    unusedKeys: []
  }
}

const openCycleOf = ({ cycles }: Rows): BillingCycle.Open | null => cycles.find(BillingCycle.isOpen) ?? null

const keyOf = ({ keys, subscription }: Rows): BillingKey.BillingKey | null =>
  ("billingKeyId" in subscription ? keys.find(({ id }) => id === subscription.billingKeyId) : undefined) ?? null

interface Entries {
  readonly subscription?: SubscriptionOrder.SubscriptionOrder
  readonly cycle?: BillingCycle.BillingCycle
  readonly opened: ReadonlyArray<BillingCycle.BillingCycle>
  readonly key?: BillingKey.BillingKey
  readonly oldKey?: BillingKey.BillingKey
  readonly attempt?: Attempt.Attempt
  readonly refund?: Refund.Refund
  readonly events: ReadonlyArray<DomainEvent.DomainEvent>
}

const put = <Row>(rows: ReadonlyArray<Row>, row: Row | undefined, isIt: (other: Row) => boolean): ReadonlyArray<Row> =>
  row === undefined ? rows : rows.some(isIt) ? rows.map((other) => (isIt(other) ? row : other)) : [...rows, row]

/** Writes what was decided. */
const write = (rows: Rows, entries: Entries): Rows => ({
  ...rows,
  subscription: entries.subscription ?? rows.subscription,
  cycles: [entries.cycle, ...entries.opened].reduce(
    (cycles, cycle) => put(cycles, cycle, ({ number }) => number === cycle?.number),
    rows.cycles
  ),
  keys: [entries.key, entries.oldKey].reduce((keys, key) => put(keys, key, ({ id }) => id === key?.id), rows.keys),
  attempts: put(rows.attempts, entries.attempt, ({ id }) => id === entries.attempt?.id),
  refunds: put(rows.refunds, entries.refund, ({ id }) => id === entries.refund?.id),
  unusedKeys: entries.events.reduce(
    (ids, event) =>
      event._tag === "BillingKeyUnused"
        ? put(ids, event.billingKeyId as string, (id) => id === event.billingKeyId)
        : ids,
    rows.unusedKeys
  )
})

type Decided = Result.Result<Entries, { readonly _tag: string }>

const answered = (rows: Rows, decided: Decided): readonly [Rows, Answer] =>
  Result.isSuccess(decided) ? [write(rows, decided.success), "accepted"] : [rows, decided.failure._tag as Answer]

/** Decides with the functions of the domain. */
export const perform: Perform = (rows, request, on) => {
  const today = Fixtures.day(on)
  const at = Fixtures.timeOn(on)
  const { subscription } = rows
  const cycle = openCycleOf(rows)
  const key = keyOf(rows)
  if (request.name === "cancel") {
    return answered(rows, OwnerCommand.cancel({ subscription, cycle, key }, "owner", at))
  }
  if (request.name === "answer") return answerCharge(rows, request.charge, request.outcome, on)
  if (request.name === "bill") return bill(rows, on)
  if (request.name === "endPause" && !SubscriptionOrder.isResumeDue(subscription, today)) return [rows, "NothingDue"]
  // Only a subscription that has ended has no open cycle; it knows no command.
  if (cycle === null) return answered(rows, ended(subscription))
  const books = { subscription, cycle }
  switch (request.name) {
    case "skip":
      return answered(rows, OwnerCommand.skip(books, at))
    case "postpone":
      return answered(rows, OwnerCommand.postpone(books, request.days, at))
    case "pause":
      return answered(rows, OwnerCommand.pause(books, request.until === null ? null : Fixtures.day(request.until), at))
    case "endPause":
    case "resume":
      return answered(rows, OwnerCommand.resume(books, at))
    case "changeQuantity":
      return answered(rows, OwnerCommand.changeQuantity(books, Fixtures.quantity(request.quantity), at))
    case "changePeriod": {
      const previous = rows.cycles.find(({ number }) => number === cycle.number - 1) ?? null
      return answered(rows, OwnerCommand.changePeriod({ ...books, previous }, Fixtures.period(request.periodDays), at))
    }
    case "replaceKey": {
      const another = Fixtures.activeKey({ liveUses: 0 }, rows.keys.length + 1)
      const newKey = request.key === "same" && key !== null ? key : another
      return answered(rows, OwnerCommand.replaceKey({ ...books, oldKey: key, newKey }, at))
    }
  }
}

const ended = (subscription: SubscriptionOrder.SubscriptionOrder): Decided =>
  Result.map(SubscriptionOrder.change(subscription, {}), () => ({ opened: [], events: [] }))

/** The billing run of a date, as the use case does it: what the cycle, the subscription and the key allow. */
const bill = (rows: Rows, on: string): readonly [Rows, Answer] => {
  const today = Fixtures.day(on)
  const at = Fixtures.timeOn(on)
  const { policy, subscription } = rows
  const cycle = openCycleOf(rows)
  const key = keyOf(rows)
  if (cycle === null || key === null || !SubscriptionOrder.isChargeable(subscription)) return [rows, "NothingDue"]
  const books = { cycle, subscription, key }
  if (cycle._tag === "AwaitingKey") {
    return cycle.nextAttemptOn !== null && cycle.nextAttemptOn <= today
      ? answered(rows, Renewal.giveUp(books, { at, policy }))
      : [rows, "NothingDue"]
  }
  if (!BillingCycle.isDue(cycle, today)) return [rows, "NothingDue"]
  if (key._tag === "Revoked") return answered(rows, Renewal.loseKey(books, { at, policy }))
  if (key._tag !== "Active" || key.inFlight !== null) return [rows, "NothingDue"]
  return answered(
    rows,
    Result.gen(function* () {
      const number = rows.attempts.length + 1
      const quantity = BillingCycle.quantityOf(cycle, subscription)
      const prepared = Fixtures.preparedAttempt(
        {
          purpose: Fixtures.forCycle({ cycleNumber: cycle.number, billingKeyId: key.id, step: cycle.step }),
          quantity,
          amount: yield* SubscriptionOrder.amountOf(subscription, quantity)
        },
        number
      )
      const dispatch = { at, lease: Fixtures.lease(), baseline: null, approvalToken: null }
      return {
        attempt: yield* Attempt.send(prepared, dispatch),
        cycle: yield* BillingCycle.send(cycle, prepared.id, quantity),
        subscription: yield* SubscriptionOrder.touch(subscription),
        key: yield* BillingKey.hold(key, prepared.id),
        opened: [],
        events: []
      }
    })
  )
}

const answerCharge = (rows: Rows, charge: number, outcome: Outcome, on: string): readonly [Rows, Answer] => {
  const attempt = rows.attempts[charge - 1]
  if (attempt?.purpose._tag !== "ForCycle") throw new Error(`there is no charge ${charge}`)
  const { billingKeyId, cycleNumber } = attempt.purpose
  const cycle = rows.cycles.find(({ number }) => number === cycleNumber)
  const key = rows.keys.find(({ id }) => id === billingKeyId)
  if (cycle === undefined || key === undefined) throw new Error(`charge ${charge} has no cycle or key`)
  return answered(
    rows,
    Renewal.settle({ attempt, cycle, subscription: rows.subscription, key }, told(attempt, outcome, charge), {
      at: Fixtures.timeOn(on, 10, 1),
      policy: rows.policy
    })
  )
}

const told = (attempt: Attempt.Attempt, outcome: Outcome, charge: number): Renewal.Outcome => {
  const sentAt = "sentAt" in attempt ? attempt.sentAt : Fixtures.now
  switch (outcome) {
    case "approved":
      return { _tag: "Approved", reference: Fixtures.knownReference(sentAt, charge), amount: attempt.amount }
    case "declinedSoftly":
      return { _tag: "Declined", reason: Fixtures.softDecline() }
    case "declinedHard":
      return {
        _tag: "Declined",
        reason: new DeclineReason.Hard({ kind: "CardUnusable", code: "-782", message: "카드를 사용할 수 없습니다." })
      }
    case "keyRevoked":
      return { _tag: "Declined", reason: Fixtures.hardDecline() }
    case "blocked":
      return { _tag: "Declined", reason: Fixtures.blockedDecline() }
    case "notExecuted":
      return { _tag: "NotExecuted", why: attempt._tag === "Sent" ? "local" : "inferred", detail: "" }
    case "lost":
      return { _tag: "Lost", nextAskAt: sentAt, detail: "timeout" }
  }
}

/** What can be seen of the rows. */
export const viewOf = (rows: Rows): View => {
  const { attempts, cycles, keys, subscription } = rows
  const key = keyOf(rows)
  return {
    state: subscription._tag,
    resumeOn: subscription._tag === "Paused" ? subscription.resumeOn : null,
    quantity: subscription.quantity,
    periodDays: subscription.period,
    skipsInARow: subscription.skipsInARow,
    openCycles: cycles.filter(BillingCycle.isOpen).map((cycle): OpenCycle => ({
      number: cycle.number,
      state: cycle._tag,
      gridDate: cycle.gridDate,
      dueDate: cycle.dueDate,
      nextAttemptOn: cycle._tag === "InFlight" || cycle._tag === "InDoubt" ? null : cycle.nextAttemptOn,
      quantity: BillingCycle.quantityOf(cycle, subscription)
    })),
    closedCycles: cycles.flatMap((cycle) =>
      BillingCycle.isOpen(cycle)
        ? []
        : [
            {
              number: cycle.number,
              gridDate: cycle.gridDate,
              as: (cycle._tag === "Charged"
                ? "Charged"
                : `${cycle._tag}(${cycle.reason})`) as View["closedCycles"][number]["as"]
            }
          ]
    ),
    money: cycles.flatMap(({ number }) => {
      const paid = attempts.filter(
        (attempt) =>
          attempt.purpose._tag === "ForCycle" && attempt.purpose.cycleNumber === number && "approved" in attempt
      )
      const sum = (of: (attempt: Attempt.Approved | Attempt.ApprovedSurplus | Attempt.Refunded) => number) =>
        paid.reduce((total, attempt) => total + ("approved" in attempt ? of(attempt) : 0), 0)
      return paid.length === 0
        ? []
        : [
            {
              cycle: number,
              captured: sum(({ approved }) => approved),
              givenBack: sum(({ refunded, reserved }) => refunded + reserved)
            }
          ]
    }),
    billingKey: subscription._tag === "Cancelled" || key === null ? "none" : key._tag === "Revoked" ? "dead" : "usable",
    keysHeld: keys.filter(({ inFlight }) => inFlight !== null).length,
    keysUnused: keys.filter(({ _tag, id }) => _tag !== "Revoked" && rows.unusedKeys.includes(id)).length
  }
}

/** Keeps the rows in a variable. */
export const inMemory =
  (decide: Perform = perform) =>
  (start: Start): SubscriptionSystem => {
    let rows = begin(start)
    return {
      perform: async (request, on) => {
        const [next, answer] = decide(rows, request, on)
        rows = next
        return answer
      },
      observe: async () => viewOf(rows)
    }
  }

const RowsText = Schema.fromJsonString(Schema.toCodecJson(Rows))
const encode = Schema.encodeSync(RowsText)
const decode = Schema.decodeUnknownSync(RowsText)

/** Keeps nothing but the text of the rows in JSON: each command begins from what can be read of it. */
export const inJson = (start: Start): SubscriptionSystem => {
  let text = encode(begin(start))
  return {
    perform: async (request, on) => {
      const [next, answer] = perform(decode(text), request, on)
      text = encode(next)
      return answer
    },
    observe: async () => viewOf(decode(text))
  }
}
