/**
 * Ready-made values and aggregates for tests, named by what they are.
 *
 * Every function answers the same value each time; a `seed` makes another of the same kind, and overrides say what a test
 * is about. `any…` means that the value does not matter. States are reached through the transition functions, so that a
 * fixture is never a state the domain could not produce. A fixture throws where an override makes no sense.
 *
 * @since 0.1.0
 */
import * as DateTime from "effect/DateTime"
import * as Result from "effect/Result"
import * as Attempt from "../Attempt.ts"
import * as BillingCycle from "../BillingCycle.ts"
import * as BillingKey from "../BillingKey.ts"
import * as BusinessDate from "../BusinessDate.ts"
import * as Cart from "../Cart.ts"
import * as DeclineReason from "../DeclineReason.ts"
import { DeliveryPeriod } from "../DeliveryPeriod.ts"
import { DisplayName } from "../DisplayName.ts"
import * as DunningPolicy from "../DunningPolicy.ts"
import { Email } from "../Email.ts"
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
} from "../Ids.ts"
import * as Item from "../Item.ts"
import * as Order from "../Order.ts"
import * as Payment from "../Payment.ts"
import { Phone } from "../Phone.ts"
import {
  ApprovalId,
  ApprovalToken,
  CustomerReference,
  MerchantAccount,
  PaymentMethod,
  ProviderBillingKey,
  ProviderName,
  TransactionId
} from "../Provider.ts"
import { Quantity } from "../Quantity.ts"
import { Rate } from "../Rate.ts"
import { Rating } from "../Rating.ts"
import { Address, Receiver } from "../Receiver.ts"
import * as Refund from "../Refund.ts"
import * as Review from "../Review.ts"
import { ReviewContent } from "../ReviewContent.ts"
import { type Fields, fieldsOf } from "../State.ts"
import * as SubscriptionOrder from "../SubscriptionOrder.ts"
import * as User from "../User.ts"
import { Won } from "../Won.ts"

/** Tells one value of a kind from another. */
export type Seed = number | string

// -----------------------------------------------------------------------------
// values
// -----------------------------------------------------------------------------

// FNV-1a: any small hash that spreads text over 32 bits does.
const hash32 = (text: string): string => {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  return (hash >>> 0).toString(16).padStart(8, "0")
}

/** A UUIDv7 that follows from `kind` and `seed`; its timestamp is fixed. */
export const uuid = (kind: string, seed: Seed = 0): string => {
  const [one, two] = [hash32(`${kind}/${seed}`), hash32(`${seed}\\${kind}`)]
  return `019b0000-0000-7${one.slice(0, 3)}-8${one.slice(3, 6)}-${one.slice(6)}${two}${hash32(kind).slice(0, 2)}`
}

/** Some user. */
export const anyUserId = (seed: Seed = 0): UserId => UserId.make(uuid("user", seed))
/** Some item. */
export const anyItemId = (seed: Seed = 0): ItemId => ItemId.make(uuid("item", seed))
/** Some order. */
export const anyOrderId = (seed: Seed = 0): OrderId => OrderId.make(uuid("order", seed))
/** Some line of an order. */
export const anyOrderLineId = (seed: Seed = 0): OrderLineId => OrderLineId.make(uuid("orderLine", seed))
/** Some payment. */
export const anyPaymentId = (seed: Seed = 0): PaymentId => PaymentId.make(uuid("payment", seed))
/** Some attempt. */
export const anyAttemptId = (seed: Seed = 0): AttemptId => AttemptId.make(uuid("attempt", seed))
/** Some subscription. */
export const anySubscriptionId = (seed: Seed = 0): SubscriptionId => SubscriptionId.make(uuid("subscription", seed))
/** Some billing key of ours. */
export const anyBillingKeyId = (seed: Seed = 0): BillingKeyId => BillingKeyId.make(uuid("billingKey", seed))
/** Some refund. */
export const anyRefundId = (seed: Seed = 0): RefundId => RefundId.make(uuid("refund", seed))
/** Some review. */
export const anyReviewId = (seed: Seed = 0): ReviewId => ReviewId.make(uuid("review", seed))

/** An amount of won. */
export const won = (amount: number): Won => Won.make(amount)
/** A number of units. */
export const quantity = (units: number): Quantity => Quantity.make(units)
/** Days between two deliveries. */
export const period = (days: number): DeliveryPeriod => DeliveryPeriod.make(days)
/** A discount rate in percent. */
export const percent = (value: number): Rate => Rate.make(value * 10)
/** A rating. */
export const stars = (count: number): Rating => Rating.make(count)
/** The text of a review. */
export const content = (text: string): ReviewContent => ReviewContent.make(text)
/** A Korean date, `yyyy-mm-dd`. */
export const day = (text: string): BusinessDate.BusinessDate => BusinessDate.BusinessDate.make(text)
/** A time of a Korean date; 10:00 unless told otherwise. */
export const timeOn = (date: string, hours = 10, minutes = 0): DateTime.Utc =>
  BusinessDate.instantAt(day(date), hours * 60 + minutes)
/** When fixtures happen: 2026-01-15, 10:00 in Korea. */
export const now: DateTime.Utc = timeOn("2026-01-15")
/** {@link now}, this many minutes later. */
export const later = (minutes: number): DateTime.Utc => DateTime.add(now, { minutes })

// -----------------------------------------------------------------------------
// people
// -----------------------------------------------------------------------------

/** Who gets a delivery. */
export const receiver = (overrides: Partial<typeof Receiver.Type> = {}): Receiver =>
  new Receiver({
    realName: "김민지",
    phone: Phone.make("010-1234-5678"),
    address: new Address({ city: "서울특별시 마포구 월드컵북로 1", detail: "101동 202호" }),
    ...overrides
  })

/** A user who can buy; e-mail, name and phone follow from the seed. */
export const user = (overrides: Partial<Fields<User.Active>> = {}, seed: Seed = 0): User.Active => {
  const digits = String(Number.parseInt(hash32(String(seed)), 16))
    .padStart(8, "0")
    .slice(-8)
  const registered = User.register({
    id: anyUserId(seed),
    email: Email.make(`minji.${digits}@example.com`),
    displayName: DisplayName.make(`민지${digits}`),
    realName: "김민지",
    phone: Phone.make(`010-${digits.slice(0, 4)}-${digits.slice(4)}`),
    address: receiver().address,
    at: now
  })
  return new User.Active({ ...registered, ...overrides })
}

/** A user who runs the shop. */
export const admin = (seed: Seed = "admin"): User.Active => user({ role: "ADMIN" }, seed)

/** A user who left. */
export const withdrawnUser = (seed: Seed = 0): User.Withdrawn =>
  Result.getOrThrow(User.withdraw(user({}, seed), later(60)))

// -----------------------------------------------------------------------------
// catalogue and carts
// -----------------------------------------------------------------------------

/** An item at 10,000 won before a discount of 10 %. */
export const item = (
  overrides: Partial<{
    readonly id: ItemId
    readonly productName: string
    readonly brand: string
    readonly mainFunction: string
    readonly origin: Won
    readonly rate: Rate
  }> = {},
  seed: Seed = 0
): Item.Item =>
  Item.create({
    id: overrides.id ?? anyItemId(seed),
    information: new Item.Information({
      productName: overrides.productName ?? `루테인 ${seed}`,
      brand: overrides.brand ?? "온결바이오",
      statementNumber: "20190017010001",
      registeredDate: "2019-03-12",
      distributionPeriod: "제조일로부터 24개월",
      appearance: "고유의 색택과 향미가 있는 연질캡슐",
      servingUse: "1일 1회, 1회 1캡슐을 물과 함께 섭취하십시오.",
      preservePeriod: "서늘하고 건조한 곳에 보관하십시오.",
      intake: "알레르기 체질의 경우 성분을 확인한 후 섭취하십시오.",
      mainFunction: overrides.mainFunction ?? "눈 건강에 도움을 줄 수 있음",
      baseStandard: "루테인: 표시량의 80~120 %"
    }),
    origin: overrides.origin ?? won(10_000),
    rate: overrides.rate ?? percent(10),
    images: new Item.Images({ thumbnail: "/images/thumbnail.webp", description: "/images/description.webp" })
  })

/** A cart that holds these items, one unit each unless told otherwise; every 30 days in a subscription cart. */
export const cart = (
  overrides: Partial<{
    readonly userId: UserId
    readonly kind: Cart.CartKind
    readonly items: ReadonlyArray<Item.Item>
    readonly quantity: Quantity
    readonly at: DateTime.Utc
  }> = {}
): Cart.Cart => {
  const kind = overrides.kind ?? "normal"
  return (overrides.items ?? [item()]).reduce(
    (filled, { id, price }) =>
      Result.getOrThrow(
        Cart.add(filled, {
          itemId: id,
          quantity: overrides.quantity ?? quantity(1),
          period: kind === "subscription" ? period(30) : null,
          seenPrice: price.real,
          at: overrides.at ?? now
        })
      ),
    Cart.empty(overrides.userId ?? anyUserId(), kind)
  )
}

// -----------------------------------------------------------------------------
// orders
// -----------------------------------------------------------------------------

/** Two units at 9,000 instead of 10,000 won; give it a period for a subscription. */
export const orderLine = (overrides: Partial<typeof Order.OrderLine.Type> = {}, seed: Seed = 0): Order.OrderLine =>
  Order.OrderLine.make({
    id: anyOrderLineId(seed),
    itemId: anyItemId(seed),
    itemName: `루테인 ${seed}`,
    originPrice: won(10_000),
    unitPrice: won(9_000),
    quantity: quantity(2),
    period: null,
    refundedQuantity: 0,
    ...overrides
  })

/** A line that is delivered every 30 days. */
export const subscriptionLine = (
  overrides: Partial<typeof Order.OrderLine.Type> = {},
  seed: Seed = 0
): Order.OrderLine => orderLine({ period: period(30), ...overrides }, seed)

/** An order of one line, waiting to be paid; totals follow from the lines. */
export const placedOrder = (overrides: Partial<Fields<Order.Placed>> = {}, seed: Seed = 0): Order.Placed => {
  const placed = Result.getOrThrow(
    Order.place({
      id: anyOrderId(seed),
      userId: anyUserId(),
      origin: new Order.FromLines(),
      lines: overrides.lines ?? [orderLine({}, seed)],
      receiver: receiver(),
      at: overrides.placedAt ?? now
    })
  )
  return new Order.Placed({ ...placed, ...overrides })
}

/** A paid order. */
export const paidOrder = (overrides: Partial<Fields<Order.Paid>> = {}, seed: Seed = 0): Order.Paid => {
  const placed = placedOrder(overrides.lines === undefined ? {} : { lines: overrides.lines }, seed)
  const paid = Result.getOrThrow(Order.pay(placed, overrides.paidBy ?? anyAttemptId(seed), later(5)))
  return new Order.Paid({ ...paid, ...overrides })
}

/** A paid order of which one unit of the first line was given back. */
export const partiallyRefundedOrder = (seed: Seed = 0): Order.PartiallyRefunded => {
  const order = paidOrder({}, seed)
  const { amount, lines } = Result.getOrThrow(
    Order.refundAmount(order, [{ lineId: anyOrderLineId(seed), quantity: 1 }])
  )
  const refunded = Result.getOrThrow(Order.refund(order, lines, amount))
  return new Order.PartiallyRefunded(fieldsOf(refunded))
}

/** An order that nobody paid in time. */
export const expiredOrder = (seed: Seed = 0): Order.Expired =>
  Result.getOrThrow(Order.expire(placedOrder({}, seed), later(Order.paymentWindowMinutes)))

// -----------------------------------------------------------------------------
// reviews
// -----------------------------------------------------------------------------

/** Five stars for the item of {@link paidOrder}, by its buyer. */
export const review = (overrides: Partial<Fields<Review.Active>> = {}, seed: Seed = 0): Review.Active => {
  const order = paidOrder({}, seed)
  const written = Result.getOrThrow(
    Review.write({
      id: anyReviewId(seed),
      userId: order.userId,
      itemId: anyItemId(seed),
      order,
      existing: null,
      stars: stars(5),
      content: content("눈이 한결 편해졌어요."),
      at: later(60)
    })
  )
  return new Review.Active({ ...written.review, ...overrides })
}

/** A review its author removed. */
export const deletedReview = (seed: Seed = 0): Review.Deleted => {
  const active = review({}, seed)
  return Result.getOrThrow(Review.remove(active, active.userId, later(120))).review
}

// -----------------------------------------------------------------------------
// the provider
// -----------------------------------------------------------------------------

/** Some provider. */
export const anyProvider: ProviderName = ProviderName.make("kakaopay")
/** Some merchant account. */
export const anyMerchantAccount: MerchantAccount = MerchantAccount.make("TCSUBSCRIP")
/** Some customer, as a provider knows it. */
export const anyCustomerReference: CustomerReference = CustomerReference.make("customer-1")
/** Some transaction, as a provider names it. */
export const anyTransactionId = (seed: Seed = 0): TransactionId => TransactionId.make(`T${hash32(`t/${seed}`)}`)
/** Some approval, as a provider names it. */
export const anyApprovalId = (seed: Seed = 0): ApprovalId => ApprovalId.make(`A${hash32(`a/${seed}`)}`)
/** Some proof that a customer approved. */
export const anyApprovalToken: ApprovalToken = ApprovalToken.make("approval-token")
/** Some billing key, as a provider names it. */
export const anyProviderBillingKey = (seed: Seed = 0): ProviderBillingKey =>
  ProviderBillingKey.make(`S${hash32(`s/${seed}`)}`)

/** May succeed on another day. */
export const softDecline = (): DeclineReason.Soft =>
  new DeclineReason.Soft({ kind: "InsufficientFunds", code: "-782", message: "잔액이 부족합니다." })
/** The customer must act. */
export const hardDecline = (): DeclineReason.Hard =>
  new DeclineReason.Hard({ kind: "BillingKeyRevoked", code: "-750", message: "정기결제가 해지되었습니다." })
/** The key is used up for this month. */
export const blockedDecline = (): DeclineReason.Blocked =>
  new DeclineReason.Blocked({ kind: "MonthlyUsesExceeded", code: "-752", message: "이번 달 한도를 넘었습니다." })

/** A payment the provider named. */
export const knownReference = (at: DateTime.Utc = later(1), seed: Seed = 0): Attempt.Known =>
  new Attempt.Known({
    transactionId: anyTransactionId(seed),
    approvalId: anyApprovalId(seed),
    approvedAt: at,
    method: PaymentMethod.make("CARD")
  })

/** A payment known by the key's evidence alone. */
export const awaitingReference = (at: DateTime.Utc = later(1)): Attempt.Awaiting =>
  new Attempt.Awaiting({ approvedAt: at })

// -----------------------------------------------------------------------------
// billing keys
// -----------------------------------------------------------------------------

/** A key the customer has yet to register. */
export const pendingKey = (overrides: Partial<Fields<BillingKey.Pending>> = {}, seed: Seed = 0): BillingKey.Pending =>
  new BillingKey.Pending({
    id: anyBillingKeyId(seed),
    userId: anyUserId(),
    provider: anyProvider,
    merchantAccount: anyMerchantAccount,
    customerReference: anyCustomerReference,
    inFlight: null,
    lastKnownApproval: null,
    liveUses: 1,
    createdAt: now,
    version: 0,
    ...overrides
  })

/** A key that one subscription charges, last approved at {@link now}. */
export const activeKey = (overrides: Partial<Fields<BillingKey.Active>> = {}, seed: Seed = 0): BillingKey.Active => {
  const key = Result.getOrThrow(BillingKey.activate(pendingKey({}, seed), anyProviderBillingKey(seed), now))
  return new BillingKey.Active({ ...key, ...overrides })
}

// -----------------------------------------------------------------------------
// subscriptions and cycles
// -----------------------------------------------------------------------------

/** An active subscription: 2 units at 9,000 won every 30 days, anchored on 2026-01-15. */
export const subscription = (
  overrides: Partial<Fields<SubscriptionOrder.Active>> = {},
  seed: Seed = 0
): SubscriptionOrder.Active => {
  const { billingKeyId = anyBillingKeyId(seed), ...rest } = overrides
  const begun = SubscriptionOrder.begin({
    id: anySubscriptionId(seed),
    userId: anyUserId(),
    orderId: anyOrderId(seed),
    line: orderLine({}, seed),
    period: period(30),
    anchor: day("2026-01-15"),
    receiver: receiver(),
    billingKeyId,
    at: now
  })
  return new SubscriptionOrder.Active({ ...fieldsOf(begun), billingKeyId, ...rest })
}

/** A subscription whose first payment gave no billing key. */
export const keylessSubscription = (
  overrides: Partial<Fields<SubscriptionOrder.AwaitingBillingKey>> = {},
  seed: Seed = 0
): SubscriptionOrder.AwaitingBillingKey => {
  const { billingKeyId: _, ...fields } = fieldsOf(subscription({}, seed))
  return new SubscriptionOrder.AwaitingBillingKey({ ...fields, pendingBillingKeyId: null, ...overrides })
}

/** A subscription with a declined renewal. */
export const pastDueSubscription = (seed: Seed = 0): SubscriptionOrder.PastDue =>
  Result.getOrThrow(SubscriptionOrder.fallBehind(subscription({}, seed)))

/** A subscription its owner paused. */
export const pausedSubscription = (seed: Seed = 0): SubscriptionOrder.Paused =>
  Result.getOrThrow(SubscriptionOrder.pause(subscription({}, seed), "owner", null))

/** A subscription its owner cancelled. */
export const cancelledSubscription = (seed: Seed = 0): SubscriptionOrder.Cancelled =>
  Result.getOrThrow(SubscriptionOrder.cancel(subscription({}, seed), "owner", later(60)))

/** The first renewal of {@link subscription}, due on 2026-02-14. */
export const dueCycle = (overrides: Partial<Fields<BillingCycle.Due>> = {}, seed: Seed = 0): BillingCycle.Due => {
  const opened = BillingCycle.open({
    subscriptionId: anySubscriptionId(seed),
    number: 1,
    gridDate: overrides.gridDate ?? day("2026-02-14"),
    hasKey: true
  })
  return new BillingCycle.Due({ ...fieldsOf(opened), nextAttemptOn: opened.gridDate, ...overrides })
}

/** A cycle that waits for a first billing key, without a ladder. */
export const keylessCycle = (seed: Seed = 0): BillingCycle.AwaitingKey =>
  new BillingCycle.AwaitingKey({ ...fieldsOf(dueCycle({}, seed)), nextAttemptOn: null })

/** A cycle held by {@link anyAttemptId}, whose charge was sent. */
export const inFlightCycle = (
  overrides: Partial<Fields<BillingCycle.Due>> = {},
  seed: Seed = 0
): BillingCycle.InFlight =>
  Result.getOrThrow(BillingCycle.send(dueCycle(overrides, seed), anyAttemptId(seed), quantity(2)))

/** A cycle held by {@link anyAttemptId}, whose outcome is unknown. */
export const inDoubtCycle = (overrides: Partial<Fields<BillingCycle.Due>> = {}, seed: Seed = 0): BillingCycle.InDoubt =>
  Result.getOrThrow(BillingCycle.doubt(inFlightCycle(overrides, seed), anyAttemptId(seed)))

/** A cycle that was declined softly once, on its due date, and is tried again the day after. */
export const retryDueCycle = (seed: Seed = 0): BillingCycle.RetryDue => {
  const declined = Result.getOrThrow(
    BillingCycle.declineSoftly(inFlightCycle({}, seed), anyAttemptId(seed), day("2026-02-14"), DunningPolicy.standard)
  )
  if (declined === "exhausted") throw new Error("the standard ladder has a first day")
  return declined
}

// -----------------------------------------------------------------------------
// payments, attempts and refunds
// -----------------------------------------------------------------------------

/** 18,000 won, owed for an order. */
export const payment = (overrides: Partial<typeof Payment.Payment.Type> = {}, seed: Seed = 0): Payment.Payment =>
  new Payment.Payment({
    id: anyPaymentId(seed),
    userId: anyUserId(),
    subject: new Payment.OrderSubject({ orderId: anyOrderId(seed) }),
    amount: won(18_000),
    createdAt: now,
    ...overrides
  })

/** Pays {@link placedOrder}. */
export const forOrder = (overrides: Partial<Fields<Attempt.ForOrder>> = {}, seed: Seed = 0): Attempt.ForOrder =>
  new Attempt.ForOrder({ orderId: anyOrderId(seed), userId: anyUserId(), issuesBillingKey: false, ...overrides })

/** Charges {@link dueCycle} with {@link activeKey}. */
export const forCycle = (overrides: Partial<Fields<Attempt.ForCycle>> = {}, seed: Seed = 0): Attempt.ForCycle =>
  new Attempt.ForCycle({
    subscriptionId: anySubscriptionId(seed),
    cycleNumber: 1,
    userId: anyUserId(),
    billingKeyId: anyBillingKeyId(seed),
    billingKey: anyProviderBillingKey(seed),
    step: 0,
    ...overrides
  })

/** Registers {@link pendingKey} without a charge. */
export const forRegistration = (seed: Seed = 0): Attempt.ForRegistration =>
  new Attempt.ForRegistration({ billingKeyId: anyBillingKeyId(seed), userId: anyUserId() })

/** A lease of one minute. */
export const lease = (epoch = 1): Attempt.Lease => new Attempt.Lease({ owner: "server-1", epoch, expiresAt: later(1) })

/** Where a customer's browser is sent. */
export const redirectUrls = (): Attempt.RedirectUrls =>
  new Attempt.RedirectUrls({
    pc: "https://pay.example.com/pc",
    mobile: "https://pay.example.com/mobile",
    app: "https://pay.example.com/app"
  })

/** 18,000 won for 2 units, committed and not sent; charges a cycle unless told otherwise. */
export const preparedAttempt = (overrides: Partial<Fields<Attempt.Prepared>> = {}, seed: Seed = 0): Attempt.Prepared =>
  new Attempt.Prepared({
    id: anyAttemptId(seed),
    paymentId: anyPaymentId(seed),
    purpose: forCycle({}, seed),
    provider: anyProvider,
    merchantAccount: anyMerchantAccount,
    customerReference: anyCustomerReference,
    amount: won(18_000),
    itemName: `루테인 ${seed}`,
    quantity: 2,
    createdAt: now,
    version: 0,
    lease: lease(),
    ...overrides
  })

/** The charge of a cycle, sent. */
export const sentAttempt = (overrides: Partial<Fields<Attempt.Prepared>> = {}, seed: Seed = 0): Attempt.Sent =>
  Result.getOrThrow(
    Attempt.send(preparedAttempt(overrides, seed), { at: now, lease: lease(), baseline: null, approvalToken: null })
  )

/** The payment of an order, which the customer has yet to approve. */
export const awaitingCustomerAttempt = (
  overrides: Partial<Fields<Attempt.Prepared>> = {},
  seed: Seed = 0
): Attempt.AwaitingCustomer =>
  Result.getOrThrow(
    Attempt.awaitCustomer(preparedAttempt({ purpose: forOrder({}, seed), ...overrides }, seed), {
      transactionId: anyTransactionId(seed),
      redirectUrls: redirectUrls(),
      expiresAt: later(15)
    })
  )

/** The approval of an order's payment, sent. */
export const sentApproval = (overrides: Partial<Fields<Attempt.Prepared>> = {}, seed: Seed = 0): Attempt.Sent =>
  Result.getOrThrow(
    Attempt.send(awaitingCustomerAttempt(overrides, seed), {
      at: later(2),
      lease: lease(),
      baseline: null,
      approvalToken: anyApprovalToken
    })
  )

/** A charge whose answer was lost. */
export const unknownAttempt = (overrides: Partial<Fields<Attempt.Prepared>> = {}, seed: Seed = 0): Attempt.Unknown =>
  Result.getOrThrow(
    Attempt.loseAnswer(sentAttempt(overrides, seed), { at: later(1), nextAskAt: later(6), detail: "timeout" })
  )

/** A charge that moved money. */
export const approvedAttempt = (
  overrides: Partial<Fields<Attempt.Prepared>> = {},
  seed: Seed = 0
): Attempt.Approved => {
  const sent = sentAttempt(overrides, seed)
  const approved = Result.getOrThrow(
    Attempt.approve(sent, { at: later(1), reference: knownReference(), amount: sent.amount, isOwed: true })
  )
  return new Attempt.Approved(fieldsOf(approved))
}

/** A refund of one unit of {@link paidOrder}, to be sent. */
export const requestedRefund = (overrides: Partial<Fields<Refund.Requested>> = {}, seed: Seed = 0): Refund.Requested =>
  new Refund.Requested({
    id: anyRefundId(seed),
    attemptId: anyAttemptId(seed),
    orderId: anyOrderId(seed),
    userId: anyUserId(),
    lines: [{ lineId: anyOrderLineId(seed), quantity: 1 }],
    amount: won(9_000),
    reason: "단순 변심",
    requestedAt: later(30),
    dispatches: 0,
    version: 0,
    ...overrides
  })
