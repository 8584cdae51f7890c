/**
 * The rules that hold between the rows at any moment, whatever crashed, timed out or ran twice.
 *
 * Each transaction of the charging protocol leaves every one of them true, so a row that breaks one was written by
 * something else: a bug, a hand, a half restored backup. A rule is a sentence about one kind of row and what it points
 * at; the stores say how it is checked.
 *
 * @since 0.1.0
 */

/** The kinds of rows that rules are about. */
export const subjects = ["subscription", "cycle", "attempt", "order", "billingKey", "refund"] as const
/** One kind of rows. */
export type Subject = (typeof subjects)[number]

/** One rule: which rows it is about, and what is true of each of them. */
export interface Rule {
  readonly over: Subject
  readonly sentence: string
}

/** Events, sales and the like are looked for only this many days back, so that they may be archived later. */
export const lookBackDays = 7
/** How long an undecided call may lie without anybody asking about it, in days. */
export const neglectedDays = 2
/** How far the database's clock may be behind the one that wrote a row, in minutes. */
export const aheadMinutesMax = 1

const write = <const Rules extends Readonly<Record<string, Rule>>>(rules: Rules): Rules => rules

/** Every rule that is checked on our own rows. */
export const rules = write({
  liveSubscriptionHasOneOpenCycle: {
    over: "subscription",
    sentence: "A subscription that has not ended has exactly one open cycle."
  },
  endedSubscriptionHasNoFreeCycle: {
    over: "subscription",
    sentence: "A subscription that has ended has an open cycle only while an attempt holds it."
  },
  liveSubscriptionHasItsKey: {
    over: "subscription",
    sentence: "The billing key that a subscription charges was issued and is not retired."
  },
  subscriptionWasPaidFor: {
    over: "subscription",
    sentence: "The order that began a subscription is paid."
  },
  cyclesAreNumberedWithoutGap: {
    over: "cycle",
    sentence: "The cycles of a subscription are numbered from 1 without a gap."
  },
  openCycleIsTheLast: {
    over: "cycle",
    sentence: "No cycle follows one that is open."
  },
  cycleIsHeldByAnUndecidedAttempt: {
    over: "cycle",
    sentence: "The attempt that holds a cycle charges that cycle and is not decided."
  },
  cycleSaysWhatItsHolderSays: {
    over: "cycle",
    sentence: "An open cycle is in flight while its attempt is, in doubt while that is, and otherwise held by none."
  },
  chargedCycleHasItsApproval: {
    over: "cycle",
    sentence: "The attempt that charged a cycle is an approved charge of it, or a person is looking at it."
  },
  chargedCycleHasItsOrder: {
    over: "cycle",
    sentence: "A charged cycle has an order of its own."
  },
  attemptDispatchesWhatIsOwed: {
    over: "attempt",
    sentence: "An attempt asks for the amount and the thing that its payment is for."
  },
  approvedChargeIsNamedByItsCycle: {
    over: "attempt",
    sentence: "An approved charge is the one its cycle was charged by; a second one would be a double charge."
  },
  approvedPaymentIsNamedByItsOrder: {
    over: "attempt",
    sentence: "An approved payment is the one its order was paid by; a second one would be a double payment."
  },
  undecidedChargeHoldsItsCycle: {
    over: "attempt",
    sentence: "A charge that was sent or is in doubt holds its cycle."
  },
  undecidedChargeHoldsItsKey: {
    over: "attempt",
    sentence: "A charge that was sent or is in doubt holds its billing key."
  },
  unsentAndReviewedChargesHoldBothOrNone: {
    over: "attempt",
    sentence:
      "A charge that is not sent yet, or that a person looks at, holds both its cycle and its billing key or none."
  },
  undecidedApprovalHoldsItsOrder: {
    over: "attempt",
    sentence: "A customer's approval that was sent or is in doubt holds its order."
  },
  customerIsHeldWhileSent: {
    over: "attempt",
    sentence: "An attempt holds its customer's one place for a money call while it is sent, and not after."
  },
  approvalIsRememberedByItsKey: {
    over: "attempt",
    sentence: "No approved charge is later than the last approval its billing key remembers."
  },
  transactionNamesOneAttempt: {
    over: "attempt",
    sentence: "The provider's name of a payment stands on one attempt."
  },
  refundsAddUp: {
    over: "attempt",
    sentence: "What an approved attempt counts as refunded and set aside is the sum of its refunds."
  },
  surplusIsGivenBack: {
    over: "attempt",
    sentence: "Money that was not owed is refunded or set aside for it, all of it."
  },
  refundInFlightIsUndecided: {
    over: "attempt",
    sentence: "The refund that holds a payment is one of it and is not decided."
  },
  settlementIsTold: {
    over: "attempt",
    sentence: `An approval of the last ${lookBackDays} days has its event in the outbox.`
  },
  nothingIsAheadOfTime: {
    over: "attempt",
    sentence: "Nothing was sent or settled later than now."
  },
  undecidedAttemptIsFollowedUp: {
    over: "attempt",
    sentence: `No attempt lies undecided for ${neglectedDays} days after its lease ended or its next question was due.`
  },
  totalIsTheSumOfItsLines: {
    over: "order",
    sentence: "The total of an order is the sum of its lines."
  },
  paidOrderHasItsApproval: {
    over: "order",
    sentence: "The attempt that paid an order is an approved payment of its total, or a person is looking at it."
  },
  renewalOrderHasItsCycle: {
    over: "order",
    sentence: "The order of a renewal belongs to a cycle that was charged."
  },
  orderRefundsAddUp: {
    over: "order",
    sentence:
      "What an order counts as refunded is the sum of its completed refunds and the worth of the units given back."
  },
  orderIsHeldByAnUndecidedAttempt: {
    over: "order",
    sentence: "The attempt that holds an order pays for it and is not decided."
  },
  subscriptionLinesBegan: {
    over: "order",
    sentence: "Each line of a paid order that is a subscription began one."
  },
  salesAreRecorded: {
    over: "order",
    sentence: `Each line of an order paid in the last ${lookBackDays} days is counted once among the sales.`
  },
  keyIsHeldByAnUndecidedAttempt: {
    over: "billingKey",
    sentence: "The attempt that holds a billing key charges it and is not decided."
  },
  keyCountsItsSubscriptions: {
    over: "billingKey",
    sentence: "An issued billing key counts the subscriptions that would charge it."
  },
  sentRefundHoldsItsPayment: {
    over: "refund",
    sentence: "A refund that was sent or is in doubt holds its payment."
  },
  refundIsOfItsOrdersPayment: {
    over: "refund",
    sentence: "A refund of an order gives back money of the attempt that paid it."
  },
  refundHoldsItsCustomerWhileSent: {
    over: "refund",
    sentence: "A refund holds its customer's one place for a money call while it is sent, and not after."
  },
  undecidedRefundIsFollowedUp: {
    over: "refund",
    sentence: `No refund lies undecided for ${neglectedDays} days after its lease ended or its next question was due.`
  }
})

/** The name of a rule. */
export type RuleName = keyof typeof rules

/** The rules that are checked against the provider, on a sample: they need a lookup for each row. */
export const providerRules = {
  providerShowsTheApproval: {
    over: "attempt",
    sentence: "The provider shows an approved payment as approved, under our id, with our amount and our refunds."
  },
  providerShowsNoOtherCharge: {
    over: "billingKey",
    sentence: "The provider shows no approval of a billing key that is later than the last one our rows know."
  }
} as const satisfies Readonly<Record<string, Rule>>

/** The name of a rule that is checked against the provider. */
export type ProviderRuleName = keyof typeof providerRules

/** The rules about one kind of row. */
export const rulesOver = (subject: Subject): ReadonlyArray<RuleName> =>
  (Object.keys(rules) as Array<RuleName>).filter((name) => rules[name].over === subject)
