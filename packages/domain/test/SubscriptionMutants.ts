/**
 * The domain with one rule broken at a time, each as somebody might write it by mistake; the model must catch them all.
 */
import * as BillingCycle from "../src/BillingCycle.ts"
import * as BusinessDate from "../src/BusinessDate.ts"
import * as DunningPolicy from "../src/DunningPolicy.ts"
import * as State from "../src/State.ts"
import * as Fixtures from "../src/testing/Fixtures.ts"
import { type Perform, perform, type Rows } from "./DomainSystem.ts"

const changed = <Row extends object>(row: Row, fields: object): Row =>
  Object.assign(Object.create(Object.getPrototypeOf(row) as object) as Row, row, fields)

const openOf = ({ cycles }: Rows): BillingCycle.Open | undefined => cycles.find(BillingCycle.isOpen)

const withOpen = (rows: Rows, fieldsOf: (open: BillingCycle.Open) => object): Rows => ({
  ...rows,
  cycles: rows.cycles.map((cycle) => (BillingCycle.isOpen(cycle) ? changed(cycle, fieldsOf(cycle)) : cycle))
})

const withSubscription = (rows: Rows, fields: object): Rows => ({
  ...rows,
  subscription: changed(rows.subscription, fields)
})

/** Changes what the domain decided, where it accepted. */
const after =
  (change: (next: Rows, rows: Rows, request: Parameters<Perform>[1], on: string) => Rows): Perform =>
  (rows, request, on) => {
    const [next, answer] = perform(rows, request, on)
    return answer === "accepted" ? [change(next, rows, request, on), answer] : [next, answer]
  }

const dropOpened = (next: Rows, rows: Rows): Rows => ({ ...next, cycles: next.cycles.slice(0, rows.cycles.length) })

/** Each broken rule, and what the model says to it. */
export const mutants: ReadonlyArray<{ readonly name: string; readonly perform: Perform; readonly says: RegExp }> = [
  {
    name: "a retry shifts the grid",
    says: /moves the grid/,
    perform: after((next) =>
      withOpen(next, (open) => (open._tag === "RetryDue" ? { gridDate: open.nextAttemptOn } : {}))
    )
  },
  {
    name: "a postponement shifts the grid",
    says: /moves the grid/,
    perform: after((next, _, { name }) =>
      name === "postpone" ? withOpen(next, ({ dueDate }) => ({ gridDate: dueDate })) : next
    )
  },
  {
    name: "a late charge shifts the grid",
    says: /one period after the one before/,
    perform: after((next, _, request, on) =>
      request.name === "answer" && request.outcome === "approved"
        ? withOpen(next, () => ({ gridDate: BusinessDate.addDays(Fixtures.day(on), next.subscription.period) }))
        : next
    )
  },
  {
    name: "no cycle follows one that was skipped",
    says: /exactly one open cycle/,
    perform: after((next, rows, { name }) => (name === "skip" ? dropOpened(next, rows) : next))
  },
  {
    name: "no cycle follows one that was given up",
    says: /exactly one open cycle/,
    perform: after((next, rows) => (next.subscription._tag === "Paused" ? dropOpened(next, rows) : next))
  },
  {
    name: "the limit of skips is ignored",
    says: /SkipLimitReached|at most twice in a row/,
    perform: (rows, request, on) => {
      if (request.name !== "skip") return perform(rows, request, on)
      const { skipsInARow } = rows.subscription
      const [next, answer] = perform(withSubscription(rows, { skipsInARow: 0 }), request, on)
      return answer === "accepted" ? [withSubscription(next, { skipsInARow: skipsInARow + 1 }), answer] : [rows, answer]
    }
  },
  {
    name: "a change of quantity reaches a cycle that was tried",
    says: /fixed once a charge was sent/,
    perform: after((next, _, request) =>
      request.name === "changeQuantity"
        ? withOpen(next, ({ quantity }) => ({ quantity: quantity === null ? null : request.quantity }))
        : next
    )
  },
  {
    name: "a change of period reaches a cycle that was tried",
    says: /moves the grid/,
    perform: after((next, _, request, on) =>
      request.name === "changePeriod"
        ? withOpen(next, ({ quantity }) =>
            quantity === null ? {} : { gridDate: BusinessDate.addDays(Fixtures.day(on), request.periodDays) }
          )
        : next
    )
  },
  {
    name: "a command is accepted while a charge is in flight",
    says: /PaymentInProgress/,
    perform: (rows, request, on) => {
      const [next, answer] = perform(rows, request, on)
      return answer === "PaymentInProgress" && request.name === "changeQuantity"
        ? [withSubscription(rows, { quantity: request.quantity }), "accepted"]
        : [next, answer]
    }
  },
  {
    name: "a charge is sent before its day, or twice a day",
    says: /a day on which|on or after the day/,
    perform: (rows, request, on) =>
      request.name === "bill"
        ? perform(
            withOpen(rows, (open) =>
              BillingCycle.isChargeable(open) ? { nextAttemptOn: Fixtures.day(on), answeredOn: null } : {}
            ),
            request,
            on
          )
        : perform(rows, request, on)
  },
  {
    name: "two definite answers on one day are allowed",
    says: /one of its cycle was answered|instead of|should have been/,
    perform: after((next) => withOpen(next, () => ({ answeredOn: null })))
  },
  {
    name: "a charge in doubt is sent again",
    says: /unsettled/,
    perform: (rows, request, on) => {
      const open = openOf(rows)
      if (request.name !== "bill" || open?._tag !== "InDoubt") return perform(rows, request, on)
      const free = State.next(BillingCycle.Due, open, { openAttempt: null, nextAttemptOn: Fixtures.day(on) })
      return perform(
        {
          ...rows,
          cycles: rows.cycles.map((cycle) => (cycle === open ? free : cycle)),
          keys: rows.keys.map((key) => changed(key, { inFlight: null }))
        },
        request,
        on
      )
    }
  },
  {
    name: "money that moved for a cancelled subscription is kept",
    says: /paid once where it was charged/,
    perform: after((next) => ({
      ...next,
      attempts: next.attempts.map((attempt) =>
        attempt._tag === "ApprovedSurplus" ? changed(attempt, { reserved: 0 }) : attempt
      )
    }))
  },
  {
    name: "resuming makes up for the dates that passed",
    says: /openCycles|closedCycles/,
    perform: after((next, rows, { name }) =>
      name === "resume" || name === "endPause" ? { ...next, cycles: rows.cycles } : next
    )
  },
  {
    name: "dates that passed are not recorded",
    says: /without a gap|one period after/,
    perform: after((next, rows) => ({
      ...next,
      cycles: next.cycles.filter(
        (cycle, index) => index < rows.cycles.length || cycle._tag !== "Skipped" || cycle.reason !== "outage"
      )
    }))
  },
  {
    name: "what was not executed uses up a step of the ladder",
    says: /nextAttemptOn/,
    perform: after((next, _, request) =>
      request.name === "answer" && request.outcome === "notExecuted"
        ? withOpen(next, (open) => {
            if (open._tag !== "RetryDue" || open.ladderStart === null) return {}
            const later = DunningPolicy.nextRetry(next.policy, open.ladderStart, open.nextAttemptOn)
            return later === null ? {} : { nextAttemptOn: later.on }
          })
        : next
    )
  },
  {
    name: "the ladder begins anew with each decline",
    says: /day of its ladder/,
    perform: (rows, request, on) =>
      perform(request.name === "answer" ? withOpen(rows, () => ({ ladderStart: null })) : rows, request, on)
  },
  {
    name: "a lost answer is taken for a decline",
    says: /InDoubt|state/,
    perform: (rows, request, on) =>
      perform(
        rows,
        request.name === "answer" && request.outcome === "lost" ? { ...request, outcome: "declinedSoftly" } : request,
        on
      )
  },
  {
    name: "an approval that comes after the evidence is dropped",
    says: /money|closedCycles|openCycles/,
    perform: (rows, request, on) =>
      request.name === "answer" && rows.attempts[request.charge - 1]?._tag === "NotExecuted"
        ? [rows, "accepted"]
        : perform(rows, request, on)
  },
  {
    name: "cancelling lets go of a key that a charge holds",
    says: /keysHeld/,
    perform: after((next, _, { name }) =>
      name === "cancel" ? { ...next, keys: next.keys.map((key) => changed(key, { inFlight: null })) } : next
    )
  },
  {
    name: "nobody is told of a key that nothing uses any more",
    says: /keysUnused/,
    perform: after((next, rows) => ({ ...next, unusedKeys: rows.unusedKeys }))
  }
]
