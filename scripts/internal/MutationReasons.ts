/**
 * Why a mutant of the domain may survive, by what it is: `Module.declaration: from → to`.
 *
 * `npm run mutation` prints the keys of survivors that are missing here. Write the test that notices the mutant where one
 * can be written; a reason belongs here only where the change changes nothing that anybody could see.
 *
 * @since 0.1.0
 */
export const reasons: Readonly<Record<string, string>> = {
  'Attempt.send: case "AwaitingCustomer": return Result.succeed(new Sent({ ...fieldsOf(self), ...fields, sentAt: at, dispatches: self.dispatches + 1 })) → case "AwaitingCustomer":':
    "It falls through to the same answer: what waits for a customer is never a charge and always has a transaction.",
  'Attempt.abandon: case "AwaitingCustomer": return Result.succeed(new Abandoned({ ...fieldsOf(self), detail: why.slice(0, 500), endedAt: at })) → case "AwaitingCustomer":':
    "It falls through to the same answer: what waits for a customer is never a charge.",
  "BusinessDate.firstOfNextMonth: month === 12 → false":
    "The arithmetic of days takes month 13 for January of the next year.",
  "BusinessDate.max: self < that → self <= that": "Of two equal dates either is the later one.",
  "DunningPolicy.DunningPolicy: i === 0 → false":
    "The first day is at least 1 by its own schema, and so above the 0 it would be compared with.",
  "Item.Statistics: ratingCount * starsMin → ratingCount / starsMin": "The fewest stars are 1.",
  "Order.nameOf: self.lines[0]?.itemName → self.lines[0].itemName": "An order has at least one line by its schema.",
  'Order.beginApproval: self._tag === "Placed" → true':
    "Only a placed order has an approving attempt or a place for one; the comparison narrows the type.",
  'Order.expire: self._tag === "Placed" → true':
    "Only a placed order has a place for an approving attempt; the comparison narrows the type.",
  'Order.refundAmount: [] → ["Stryker was here"]':
    "Units promised already count for a line by its id, and that text is no id.",
  "Order.refundAmount: line === undefined → false":
    "Of a strange line no unit is available, so any number of units is refused; the comparison narrows the type.",
  'Purchase.ended: order._tag === "Placed" → true':
    "Only a placed order has an approving attempt; the comparison narrows the type.",
  "Purchase.approved: line.period === null → false":
    "Lines without a period were left out before; the comparison narrows the type.",
  'Renewal.approved: attempt._tag === "Approved" → attempt._tag !== "Approved"':
    "An approved attempt that learns its name stays what it is, whatever is owed.",
  'Renewal.approved: attempt._tag === "Approved" → true':
    "An approved attempt that learns its name stays what it is, whatever is owed.",
  'Renewal.approved: attempt._tag === "Approved" → false':
    "An approved attempt that learns its name stays what it is, whatever is owed.",
  "Renewal.approved: attempt.quantity === 0 → false":
    "No charge is for zero units; the price of one unit could not be written down.",
  'Renewal.surplus: denied._tag === "RefundNotAvailable" → true':
    "An attempt that was approved a moment ago is refused for no other cause; the comparison narrows the type.",
  'Renewal.declined: reason._tag === "Hard" → true': "Only a hard decline can be of that kind.",
  "Renewal.declined: waiting.nextAttemptOn !== null → true":
    "After a hard decline a ladder always runs, and null is later than no date; the comparison narrows the type.",
  'Renewal.wrongAmount: entries.attempt?._tag === "ManualReview" → true':
    "A review always leads to a manual review; the comparison narrows the type.",
  "Renewal.wrongAmount: entries.attempt?._tag → entries.attempt._tag":
    "A review always writes its attempt; the field is optional for other outcomes.",
  'Renewal.closeForCancelled: subscription._tag !== "Cancelled" || !BillingCycle.isOpen(cycle) → false':
    "Every caller has looked already: the subscription is cancelled and its cycle open.",
  'Renewal.closeForCancelled: subscription._tag !== "Cancelled" || !BillingCycle.isOpen(cycle) → subscription._tag !== "Cancelled" && !BillingCycle.isOpen(cycle)':
    "Every caller has looked already: the subscription is cancelled and its cycle open.",
  'Renewal.closeForCancelled: subscription._tag !== "Cancelled" → false':
    "Every caller has looked already: the subscription is cancelled.",
  "Renewal.openNext: chargedOn === null → true":
    "Half a period after a charge is later than the day after it, so that the charge itself need not count as today.",
  'Renewal.dateOf: cycle._tag === "InFlight" || cycle._tag === "InDoubt" → true':
    "A cycle in another state is not given back, whatever the date.",
  'SubscriptionOrder.settle: case "Active": return Result.succeed(new Active({ ...self, skipsInARow: 0 })) → case "Active":':
    "It falls through to the same answer, which a past due subscription gets too."
}
