/**
 * Why a mutant of the domain may survive, by what it is: `Module.declaration: from → to`, or `Module.declaration` for
 * all mutants of one declaration.
 *
 * `npm run mutation` prints the keys of survivors that are missing here. Write the test that notices the mutant where one
 * can be written; a reason belongs here only where the change changes nothing that anybody could see.
 *
 * @since 0.1.0
 */
export const reasons: Readonly<Record<string, string>> = {
  "BusinessDate.firstOfNextMonth: month === 12 → false":
    "The arithmetic of days takes month 13 for January of the next year.",
  "BusinessDate.max: self < that → self <= that": "Of two equal dates either is the later one.",
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
  'Renewal.approved: attempt._tag === "Approved" → attempt._tag !== "Approved"':
    "An approved attempt that learns its name stays what it is, whatever is owed.",
  'Renewal.approved: attempt._tag === "Approved" → true':
    "An approved attempt that learns its name stays what it is, whatever is owed.",
  'Renewal.approved: attempt._tag === "Approved" → false':
    "An approved attempt that learns its name stays what it is, whatever is owed.",
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
  'Attempt.send: case "AwaitingCustomer": return Result.succeed(State.next(Sent, self, { ...fields, sentAt: at, dispatches: self.dispatches + 1 })) → case "AwaitingCustomer":':
    "It falls through to the same answer: what waits for a customer is never a charge and always has a transaction.",
  'Attempt.abandon: case "AwaitingCustomer": return Result.succeed(State.next(Abandoned, self, { detail: why.slice(0, 500), endedAt: at })) → case "AwaitingCustomer":':
    "It falls through to the same answer: what waits for a customer is never a charge.",
  "Attempt.waitAgain: { transactionId: self.transactionId, redirectUrls: self.redirectUrls, expiresAt: self.expiresAt } → {}":
    "The three are carried over anyway; naming them tells the compiler that they are not null.",
  "OwnerCommand.pause: resumeOn !== null → true":
    "Null is neither before nor after a date; the comparison narrows the type.",
  'OwnerCommand.followingOf: subscription._tag !== "AwaitingBillingKey" → true':
    "What can be skipped or resumed has a billing key.",
  "Purchase.offer: other.id !== attempt.id → true": "The new attempt is prepared and does not wait for a customer yet.",
  "Rating.isPossible: count >= 0 → true": "A sum cannot lie between the stars of a negative number of ratings.",
  "Rating.isPossible: count * starsMin → count / starsMin": "The fewest stars are 1.",
  "Remembered.remembered: 16 * text.charCodeAt(last - 1) → 16 / text.charCodeAt(last - 1)":
    "Where a text is remembered decides only how soon it is forgotten.",
  "Remembered.remembered: last >= 0 → last > 0":
    "A text of one character is asked about each time, with the same answer.",
  "Remembered.remembered: { length: rememberedMax } → {}": "A list that begins empty remembers the same texts.",
  "Remembered.remembered: last - 1 → last + 1": "Where a text is remembered decides only how soon it is forgotten.",
  "Remembered.remembered: rememberedMax - 1 → rememberedMax + 1":
    "Where a text is remembered decides only how soon it is forgotten.",
  "Repayment.done: order === null → false": "A refund without an order has no lines to take back.",
  "State.next: !isValid(changed[name]) → true":
    "The class's own constructor is taken instead, which makes the same state or throws the same, only more slowly.",
  "State.next: !isValid(value) → true":
    "The class's own constructor is taken instead, which makes the same state or throws the same, only more slowly.",
  "State.planOf":
    "The plan for a pair of classes is made once, before a mutant is switched on; the laws of every machine stand on all of them.",
  "State.refused: { ...fields, ...changed } → {}":
    "The class's constructor throws for no fields as it does for a wrong one.",
  'SubscriptionOrder.isResumeDue: self._tag === "Paused" && self.resumeOn !== null → self._tag === "Paused" || self.resumeOn !== null':
    "Neither null nor a missing date is before a day; the comparison narrows the type.",
  'SubscriptionOrder.isResumeDue: self._tag === "Paused" && self.resumeOn !== null → true':
    "Neither null nor a missing date is before a day; the comparison narrows the type.",
  'SubscriptionOrder.isResumeDue: self._tag === "Paused" → true':
    "A missing date is not before a day; the comparison narrows the type.",
  "SubscriptionOrder.isResumeDue: self.resumeOn !== null → true":
    "Null is not before a day; the comparison narrows the type.",
  'SubscriptionOrder.replaceKey: case "AwaitingBillingKey": return Result.succeed(State.next(Active, self, { billingKeyId })) → case "AwaitingBillingKey":':
    "It falls through to the same answer."
}
