/**
 * Values to store; every one has ids of its own.
 *
 * @since 0.1.0
 */
import * as Attempt from "@pillivery/domain/Attempt"
import * as BillingCycle from "@pillivery/domain/BillingCycle"
import * as BillingKey from "@pillivery/domain/BillingKey"
import { BusinessDate } from "@pillivery/domain/BusinessDate"
import * as DeclineReason from "@pillivery/domain/DeclineReason"
import { DisplayName } from "@pillivery/domain/DisplayName"
import { Email } from "@pillivery/domain/Email"
import { DeliveryPeriod } from "@pillivery/domain/DeliveryPeriod"
import {
  AttemptId,
  BillingKeyId,
  ItemId,
  OrderId,
  OrderLineId,
  PaymentId,
  RefundId,
  ReviewId,
  SubscriptionId,
  UserId
} from "@pillivery/domain/Ids"
import * as Item from "@pillivery/domain/Item"
import * as Order from "@pillivery/domain/Order"
import * as Payment from "@pillivery/domain/Payment"
import { Phone } from "@pillivery/domain/Phone"
import {
  ApprovalId,
  ApprovalToken,
  CustomerReference,
  MerchantAccount,
  PaymentMethod,
  ProviderBillingKey,
  ProviderName,
  TransactionId
} from "@pillivery/domain/Provider"
import { Quantity } from "@pillivery/domain/Quantity"
import { Rate } from "@pillivery/domain/Rate"
import { Address, Receiver } from "@pillivery/domain/Receiver"
import * as Refund from "@pillivery/domain/Refund"
import { Rating } from "@pillivery/domain/Rating"
import * as Review from "@pillivery/domain/Review"
import { ReviewContent } from "@pillivery/domain/ReviewContent"
import * as Subscription from "@pillivery/domain/SubscriptionOrder"
import * as User from "@pillivery/domain/User"
import { Won } from "@pillivery/domain/Won"
import { DateTime } from "effect"
import { randomUUID } from "node:crypto"

export const anyUserId = () => UserId.make(randomUUID())
export const anyOrderId = () => OrderId.make(randomUUID())
export const anyAttemptId = () => AttemptId.make(randomUUID())
export const anySubscriptionId = () => SubscriptionId.make(randomUUID())
export const anyBillingKeyId = () => BillingKeyId.make(randomUUID())
export const anyRefundId = () => RefundId.make(randomUUID())
export const anyItemId = () => ItemId.make(randomUUID())

export const won = (amount: number) => Won.make(amount)
export const date = (text: string) => BusinessDate.make(text)
export const instant = (text: string) => DateTime.makeUnsafe(text)
export const at = instant("2026-03-01T01:02:03.004Z")
export const later = instant("2026-03-01T01:07:08.999Z")
export const provider = ProviderName.make("kakaopay")
export const merchantAccount = MerchantAccount.make("TCSUBSCRIP")

export const receiver = new Receiver({
  realName: "김민지",
  phone: Phone.make("010-1234-5678"),
  address: new Address({ city: "서울특별시 마포구", detail: "월드컵로 1 😀" })
})

const line = (options: Partial<Order.OrderLine> = {}) =>
  Order.OrderLine.make({
    id: OrderLineId.make(randomUUID()),
    itemId: anyItemId(),
    itemName: "비타민 C 1000",
    originPrice: won(12_000),
    unitPrice: won(10_000),
    quantity: Quantity.make(3),
    period: null,
    refundedQuantity: 0,
    ...options
  })

const orderFields = () => ({
  id: anyOrderId(),
  userId: anyUserId(),
  origin: new Order.FromLines(),
  lines: [line(), line({ period: DeliveryPeriod.make(30) })],
  receiver,
  total: won(60_000),
  discountTotal: won(12_000),
  placedAt: at,
  version: 0
})

const paidFields = () => ({ paidBy: anyAttemptId(), paidAt: later, refundedTotal: won(0) })

export const placedOrder = (options: Partial<Omit<Order.Placed, "_tag">> = {}) =>
  new Order.Placed({ ...orderFields(), expiresAt: later, approvingAttempt: null, ...options })

/** One order in each state, from each origin. */
export const orders = (): ReadonlyArray<Order.Order> => [
  placedOrder(),
  placedOrder({ approvingAttempt: anyAttemptId(), origin: new Order.FromCart({ cart: "subscription" }) }),
  new Order.Paid({
    ...orderFields(),
    ...paidFields(),
    origin: new Order.FromRenewal({ subscriptionId: anySubscriptionId(), cycleNumber: 7 })
  }),
  new Order.PartiallyRefunded({
    ...orderFields(),
    ...paidFields(),
    lines: [line({ refundedQuantity: 2 }), line()],
    refundedTotal: won(20_000)
  }),
  new Order.Refunded({
    ...orderFields(),
    ...paidFields(),
    lines: [line({ refundedQuantity: 3 })],
    refundedTotal: won(60_000)
  }),
  new Order.Expired({ ...orderFields(), expiredAt: later }),
  new Order.PaymentFailed({ ...orderFields(), failedAt: later })
]

export const payments = (): ReadonlyArray<Payment.Payment> =>
  [
    new Payment.OrderSubject({ orderId: anyOrderId() }),
    new Payment.CycleSubject({ subscriptionId: anySubscriptionId(), cycleNumber: 2 }),
    new Payment.RegistrationSubject({ billingKeyId: anyBillingKeyId() })
  ].map(
    (subject) =>
      new Payment.Payment({
        id: PaymentId.make(randomUUID()),
        userId: anyUserId(),
        subject,
        amount: won(99_999_999_999),
        createdAt: at
      })
  )

export const forOrder = () =>
  new Attempt.ForOrder({ orderId: anyOrderId(), userId: anyUserId(), issuesBillingKey: true })
export const forRegistration = () =>
  new Attempt.ForRegistration({ billingKeyId: anyBillingKeyId(), userId: anyUserId() })
export const forCycle = () =>
  new Attempt.ForCycle({
    subscriptionId: anySubscriptionId(),
    cycleNumber: 3,
    userId: anyUserId(),
    billingKeyId: anyBillingKeyId(),
    billingKey: ProviderBillingKey.make(randomUUID()),
    step: 2
  })

export const lease = (expiresAt = later) => new Attempt.Lease({ owner: "worker-1", epoch: 4, expiresAt })
const redirectUrls = new Attempt.RedirectUrls({
  pc: "https://a.kr/pc?한글=1",
  mobile: "https://a.kr/m",
  app: "kakao://a"
})

const attemptFields = (purpose: Attempt.Purpose) => ({
  id: anyAttemptId(),
  paymentId: PaymentId.make(randomUUID()),
  purpose,
  provider,
  merchantAccount,
  customerReference: CustomerReference.make(randomUUID()),
  amount: won(10_000),
  itemName: "비타민 C 외 2건",
  quantity: 3,
  createdAt: at,
  version: 0
})

const dispatched = () => ({
  sentAt: later,
  lease: lease(),
  baseline: at,
  transactionId: TransactionId.make(randomUUID()),
  approvalToken: ApprovalToken.make("pg_token"),
  expiresAt: later,
  redirectUrls,
  dispatches: 2
})

const dispatchedBare = () => ({
  ...dispatched(),
  baseline: null,
  transactionId: null,
  approvalToken: null,
  expiresAt: null,
  redirectUrls: null
})

const settled = () => ({
  reference: new Attempt.Known({
    transactionId: TransactionId.make(randomUUID()),
    approvalId: ApprovalId.make(randomUUID()),
    approvedAt: later,
    method: PaymentMethod.make("CARD")
  }),
  approved: won(10_000),
  refunded: won(1_000),
  reserved: won(2_000),
  refundInFlight: anyRefundId(),
  settledAt: later
})

export const preparedAttempt = (options: Partial<Omit<Attempt.Prepared, "_tag">> = {}) =>
  new Attempt.Prepared({ ...attemptFields(forOrder()), lease: lease(), ...options })
export const sentAttempt = (options: Partial<Omit<Attempt.Sent, "_tag">> = {}) =>
  new Attempt.Sent({ ...attemptFields(forCycle()), ...dispatchedBare(), ...options })
export const unknownAttempt = (options: Partial<Omit<Attempt.Unknown, "_tag">> = {}) =>
  new Attempt.Unknown({
    ...attemptFields(forCycle()),
    ...dispatchedBare(),
    unknownSince: later,
    asks: 3,
    nextAskAt: later,
    detail: "timeout",
    ...options
  })

/** Attempts in each state, for each purpose, with everything there and with everything absent. */
export const attempts = (): ReadonlyArray<Attempt.Attempt> =>
  [forOrder, forRegistration, forCycle].flatMap((purpose) => {
    const ended = { endedAt: later, detail: "이유" }
    return [
      preparedAttempt({ purpose: purpose() }),
      new Attempt.AwaitingCustomer({
        ...attemptFields(purpose()),
        transactionId: TransactionId.make("T1"),
        redirectUrls,
        expiresAt: later,
        dispatches: 0
      }),
      ...[dispatched, dispatchedBare].flatMap((sent) => [
        new Attempt.Sent({ ...attemptFields(purpose()), ...sent() }),
        unknownAttempt({ ...attemptFields(purpose()), ...sent() }),
        new Attempt.ManualReview({ ...attemptFields(purpose()), ...sent(), reviewSince: later, detail: "" }),
        new Attempt.Approved({ ...attemptFields(purpose()), ...sent(), ...settled() }),
        new Attempt.Approved({
          ...attemptFields(purpose()),
          ...sent(),
          ...settled(),
          reference: new Attempt.Awaiting({ approvedAt: later }),
          refundInFlight: null
        }),
        new Attempt.ApprovedSurplus({ ...attemptFields(purpose()), ...sent(), ...settled() }),
        new Attempt.Refunded({ ...attemptFields(purpose()), ...sent(), ...settled() }),
        ...[
          new DeclineReason.Soft({ kind: "InsufficientFunds", code: "-780/1", message: "잔액 부족" }),
          new DeclineReason.Hard({ kind: "BillingKeyRevoked", code: "-750", message: "" }),
          new DeclineReason.Blocked({ kind: "MonthlyUsesExceeded", code: "-752", message: "m" })
        ].map((reason) => new Attempt.Declined({ ...attemptFields(purpose()), ...sent(), reason, endedAt: later })),
        new Attempt.NotExecuted({ ...attemptFields(purpose()), ...sent(), why: "inferred", ...ended })
      ]),
      new Attempt.Withdrawn({ ...attemptFields(purpose()), ...ended }),
      new Attempt.Abandoned({ ...attemptFields(purpose()), transactionId: null, ...ended }),
      new Attempt.Abandoned({ ...attemptFields(purpose()), transactionId: TransactionId.make("T2"), ...ended }),
      new Attempt.Superseded({ ...attemptFields(purpose()), transactionId: TransactionId.make("T3"), endedAt: later })
    ]
  })

const subscriptionFields = () => ({
  id: anySubscriptionId(),
  userId: anyUserId(),
  orderId: anyOrderId(),
  orderLineId: OrderLineId.make(randomUUID()),
  itemId: anyItemId(),
  itemName: "오메가 3",
  unitPrice: won(30_000),
  quantity: Quantity.make(2),
  period: DeliveryPeriod.make(60),
  anchor: date("2024-02-29"),
  lastPaidDueDate: date("2024-04-29"),
  receiver,
  skipsInARow: 1,
  createdAt: at,
  version: 0
})

export const activeSubscription = (options: Partial<Omit<Subscription.Active, "_tag">> = {}) =>
  new Subscription.Active({ ...subscriptionFields(), billingKeyId: anyBillingKeyId(), ...options })

export const subscriptions = (): ReadonlyArray<Subscription.SubscriptionOrder> => [
  new Subscription.AwaitingBillingKey({ ...subscriptionFields(), pendingBillingKeyId: null }),
  new Subscription.AwaitingBillingKey({ ...subscriptionFields(), pendingBillingKeyId: anyBillingKeyId() }),
  activeSubscription(),
  new Subscription.PastDue({ ...subscriptionFields(), billingKeyId: anyBillingKeyId() }),
  new Subscription.Paused({ ...subscriptionFields(), billingKeyId: anyBillingKeyId(), by: "owner", resumeOn: null }),
  new Subscription.Paused({
    ...subscriptionFields(),
    billingKeyId: anyBillingKeyId(),
    by: "policy",
    resumeOn: date("2026-12-31")
  }),
  new Subscription.Cancelled({ ...subscriptionFields(), billingKeyId: null, reason: "dunning", cancelledAt: later }),
  new Subscription.Cancelled({
    ...subscriptionFields(),
    billingKeyId: anyBillingKeyId(),
    reason: "withdrawal",
    cancelledAt: later
  })
]

const keyFields = () => ({
  id: anyBillingKeyId(),
  userId: anyUserId(),
  provider,
  merchantAccount,
  customerReference: CustomerReference.make(randomUUID()),
  inFlight: null,
  lastKnownApproval: null,
  liveUses: 0,
  createdAt: at,
  version: 0
})

export const activeKey = (options: Partial<Omit<BillingKey.Active, "_tag">> = {}) =>
  new BillingKey.Active({ ...keyFields(), billingKey: ProviderBillingKey.make(randomUUID()), ...options })

export const billingKeys = (): ReadonlyArray<BillingKey.BillingKey> => {
  const issued = () => ({
    ...keyFields(),
    billingKey: ProviderBillingKey.make(randomUUID()),
    inFlight: anyAttemptId(),
    lastKnownApproval: later,
    liveUses: 3
  })
  return [
    new BillingKey.Pending(keyFields()),
    new BillingKey.Active(issued()),
    new BillingKey.Retiring(issued()),
    new BillingKey.Retired(issued()),
    new BillingKey.Revoked(issued()),
    new BillingKey.Frozen(issued()),
    new BillingKey.Abandoned(keyFields())
  ]
}

const cycleFields = () => ({
  subscriptionId: anySubscriptionId(),
  number: 1,
  gridDate: date("2026-03-01"),
  dueDate: date("2026-03-02"),
  ladderStart: null,
  step: 0,
  answeredOn: null,
  quantity: null,
  openAttempt: null,
  version: 0
})

export const dueCycle = (options: Partial<Omit<BillingCycle.Due, "_tag">> = {}) =>
  new BillingCycle.Due({ ...cycleFields(), nextAttemptOn: date("2026-03-02"), ...options })

export const cycles = (): ReadonlyArray<BillingCycle.BillingCycle> => {
  const scheduled = { nextAttemptOn: date("2026-03-05") }
  const climbing = () => ({
    ...cycleFields(),
    ladderStart: date("2026-03-02"),
    step: 2,
    answeredOn: date("2026-03-03"),
    quantity: Quantity.make(2),
    openAttempt: anyAttemptId()
  })
  return [
    dueCycle(),
    new BillingCycle.RetryDue({ ...climbing(), openAttempt: null, ...scheduled }),
    new BillingCycle.Blocked({ ...climbing(), ...scheduled }),
    new BillingCycle.AwaitingKey({ ...cycleFields(), nextAttemptOn: null }),
    new BillingCycle.AwaitingKey({ ...climbing(), ...scheduled }),
    new BillingCycle.InFlight({ ...climbing(), ...scheduled }),
    new BillingCycle.InDoubt({ ...climbing(), ...scheduled }),
    new BillingCycle.Charged({ ...climbing(), chargedBy: anyAttemptId(), chargedOn: date("2026-03-05") }),
    new BillingCycle.Skipped({ ...cycleFields(), reason: "outage" }),
    new BillingCycle.Abandoned({ ...cycleFields(), reason: "cancelled" })
  ]
}

const refundFields = () => ({
  id: anyRefundId(),
  attemptId: anyAttemptId(),
  orderId: anyOrderId(),
  userId: anyUserId(),
  lines: [{ lineId: OrderLineId.make(randomUUID()), quantity: 2 }],
  amount: won(20_000),
  reason: "변심",
  requestedAt: at,
  dispatches: 1,
  version: 0
})

const refundSent = () => ({ sentAt: later, leaseExpiresAt: later, refundedBefore: won(5) })

export const requestedRefund = (options: Partial<Omit<Refund.Requested, "_tag">> = {}) =>
  new Refund.Requested({ ...refundFields(), ...options })

export const refunds = (): ReadonlyArray<Refund.Refund> => [
  requestedRefund(),
  requestedRefund({ orderId: null, lines: [] }),
  new Refund.Parked(refundFields()),
  new Refund.Sent({ ...refundFields(), ...refundSent() }),
  new Refund.Unknown({
    ...refundFields(),
    ...refundSent(),
    unknownSince: later,
    asks: 0,
    nextAskAt: later,
    detail: "reset"
  }),
  new Refund.Completed({ ...refundFields(), completedAt: later }),
  new Refund.Rejected({ ...refundFields(), rejectedAt: later, detail: "no" }),
  new Refund.ManualReview({ ...refundFields(), reviewSince: later, detail: "" })
]

/** An item of the category EYE, unless said otherwise. */
export const item = (
  options: {
    readonly productName?: string
    readonly brand?: string
    readonly mainFunction?: string
    readonly origin?: number
    readonly rate?: number
    readonly statistics?: typeof Item.Statistics.Type
  } = {}
) => {
  const {
    brand = "종근당건강",
    mainFunction = "눈 건강에 도움",
    origin = 20_000,
    productName = "비타민 C",
    rate = 105
  } = options
  const made = Item.create({
    id: anyItemId(),
    information: new Item.Information({
      productName,
      brand,
      statementNumber: "2004001",
      registeredDate: "20240101",
      distributionPeriod: "24개월",
      appearance: "노란 정제",
      servingUse: "1일 1회",
      preservePeriod: "서늘한 곳",
      intake: "임산부는 의사와 상담",
      mainFunction,
      baseStandard: "규격"
    }),
    origin: won(origin),
    rate: Rate.make(rate),
    images: new Item.Images({ thumbnail: "https://a.kr/t.png", description: "https://a.kr/d.png" })
  })
  return options.statistics === undefined ? made : new Item.Item({ ...made, statistics: options.statistics })
}

/** A user with an e-mail, a name and a phone of its own. */
export const activeUser = (options: { readonly displayName?: string } = {}) => {
  const digits = String(Math.floor(Math.random() * 100_000_000)).padStart(8, "0")
  return User.register({
    id: anyUserId(),
    email: Email.make(`${randomUUID()}@example.com`),
    displayName: DisplayName.make(options.displayName ?? randomUUID().slice(0, 18)),
    realName: "김민지",
    phone: Phone.make(`010-${digits.slice(0, 4)}-${digits.slice(4)}`),
    address: receiver.address,
    at
  })
}

export const review = () =>
  new Review.Active({
    id: ReviewId.make(randomUUID()),
    userId: anyUserId(),
    itemId: anyItemId(),
    orderId: anyOrderId(),
    stars: Rating.make(4),
    content: ReviewContent.make("눈이 한결 편해졌어요. 😀\n\"'`\\ % _"),
    writtenAt: at,
    changedAt: later,
    version: 0
  })

export const reviews = (): ReadonlyArray<Review.Review> => [
  review(),
  new Review.Deleted({ ...review(), _tag: "Deleted", removedAt: later })
]
