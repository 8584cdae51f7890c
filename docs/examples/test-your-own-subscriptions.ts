/**
 * Holding an implementation of subscriptions to the rules: a shop that forgets what it skipped is found out.
 *
 * @since 0.1.0
 */
import { runSubscriptionModel } from "@pillivery/domain/testing/SubscriptionModel"
import type { Start, SubscriptionSystem, View } from "@pillivery/domain/testing/SubscriptionSystem"
import assert from "node:assert/strict"

// A shop that has thought of its first renewal and of nothing else.
const myShop = (start: Start): SubscriptionSystem => {
  const first = new Date(Date.parse(start.firstPaidOn) + start.periodDays * 86_400_000).toISOString().slice(0, 10)
  const view: View = {
    state: start.hasBillingKey ? "Active" : "AwaitingBillingKey",
    resumeOn: null,
    quantity: start.quantity,
    periodDays: start.periodDays,
    skipsInARow: 0,
    openCycles: [
      {
        number: 1,
        state: start.hasBillingKey ? "Due" : "AwaitingKey",
        gridDate: first,
        dueDate: first,
        nextAttemptOn: start.hasBillingKey ? first : null,
        quantity: start.quantity
      }
    ],
    closedCycles: [],
    money: [],
    billingKey: start.hasBillingKey ? "usable" : "none",
    keysHeld: 0,
    keysUnused: 0
  }
  return {
    perform: (request) => Promise.resolve(request.name === "bill" ? "NothingDue" : "accepted"),
    observe: () => Promise.resolve(view)
  }
}

const verdict = await runSubscriptionModel(myShop, { numRuns: 300, seed: 1 }).then(
  (report) => `${report.runs} runs of ${report.commands} requests held`,
  (error: Error) => error.message
)
console.log(verdict)

// It is refused with the shortest history that shows the mistake, and the seed that plays it again.
assert.match(verdict, /seed/)
assert.doesNotMatch(verdict, /held$/)
