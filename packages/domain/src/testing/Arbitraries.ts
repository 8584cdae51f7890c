/**
 * fast-check arbitraries for the domain's values and for every state its aggregates can reach.
 *
 * States are not built by filling in fields: an aggregate is begun and a sequence of commands is carried out on it, each
 * as the domain allows; refused ones change nothing. A failing case therefore shrinks to the shortest history that still
 * fails. The commands are exported too, so that a suite can ask what each does to any reachable state.
 *
 * @since 0.1.0
 */
import * as DateTime from "effect/DateTime"
import * as Result from "effect/Result"
import * as fc from "fast-check"
import * as Attempt from "../Attempt.ts"
import * as BillingCycle from "../BillingCycle.ts"
import * as BillingKey from "../BillingKey.ts"
import * as BusinessDate from "../BusinessDate.ts"
import * as Cart from "../Cart.ts"
import * as Category from "../Category.ts"
import * as DeclineReason from "../DeclineReason.ts"
import * as DeliveryPeriod from "../DeliveryPeriod.ts"
import * as DisplayName from "../DisplayName.ts"
import * as DunningPolicy from "../DunningPolicy.ts"
import { Email } from "../Email.ts"
import * as Ids from "../Ids.ts"
import type { ItemId } from "../Ids.ts"
import * as Item from "../Item.ts"
import * as Order from "../Order.ts"
import * as Password from "../Password.ts"
import { Phone } from "../Phone.ts"
import * as Provider from "../Provider.ts"
import * as Quantity from "../Quantity.ts"
import * as Rate from "../Rate.ts"
import * as Rating from "../Rating.ts"
import * as Receiver from "../Receiver.ts"
import * as Refund from "../Refund.ts"
import * as Review from "../Review.ts"
import * as ReviewContent from "../ReviewContent.ts"
import { fieldsOf } from "../State.ts"
import * as SubscriptionOrder from "../SubscriptionOrder.ts"
import * as Tax from "../Tax.ts"
import * as User from "../User.ts"
import * as Won from "../Won.ts"
import * as Fixtures from "./Fixtures.ts"

/**
 * One thing that may be done to an aggregate.
 *
 * **Details**
 *
 * `name` tells people what is done with which arguments, `command` is its name in the machine's table, and `run` answers
 * the next state or why it is refused.
 */
export interface Command<State, Failure = unknown> {
  readonly name: string
  readonly command: string
  readonly run: (self: State) => Result.Result<State, Failure>
}

/** The longest history of a generated aggregate, in commands. */
export const commandsMax = 12

// What a failing history prints.
const command = <State, Next extends State, Failure>(
  name: string,
  command: string,
  run: (self: State) => Result.Result<Next, Failure>
): Command<State, Failure> => Object.defineProperty({ name, command, run }, fc.toStringMethod, { value: () => name })

/** Carries out commands one after the other; refused ones change nothing. */
export const play = <State>(start: State, commands: ReadonlyArray<Command<State>>): State =>
  commands.reduce((state, { run }) => Result.getOrElse(run(state), () => state), start)

const reachable = <State>(start: fc.Arbitrary<State>, commands: fc.Arbitrary<Command<State>>): fc.Arbitrary<State> =>
  fc.tuple(start, fc.array(commands, { maxLength: commandsMax })).map(([state, history]) => play(state, history))

// -----------------------------------------------------------------------------
// values
// -----------------------------------------------------------------------------

/** Any amount of won; small ones and the bounds are frequent. */
export const won: fc.Arbitrary<Won.Won> = fc
  .oneof(
    fc.integer({ min: 0, max: 100_000 }),
    fc.integer({ min: 0, max: Won.wonMax }),
    fc.constantFrom(0, 1, Won.wonMax)
  )
  .map((amount) => Won.Won.make(amount))

/** What one unit of an item may plausibly cost. */
export const unitPrice: fc.Arbitrary<Won.Won> = fc
  .integer({ min: 1, max: 500_000 })
  .map((amount) => Won.Won.make(amount))

/** Any discount rate. */
export const rate: fc.Arbitrary<Rate.Rate> = fc
  .integer({ min: 0, max: Rate.rateMax })
  .map((value) => Rate.Rate.make(value))

/** Any number of units. */
export const quantity: fc.Arbitrary<Quantity.Quantity> = fc
  .integer({ min: 1, max: Quantity.quantityMax })
  .map((units) => Quantity.Quantity.make(units))

/** Any delivery period. */
export const period: fc.Arbitrary<DeliveryPeriod.DeliveryPeriod> = fc
  .integer({ min: DeliveryPeriod.periodDaysMin, max: DeliveryPeriod.periodDaysMax })
  .map((days) => DeliveryPeriod.DeliveryPeriod.make(days))

const epochDay = BusinessDate.BusinessDate.make(BusinessDate.dateMin)
const daysNamed = BusinessDate.daysUntil(epochDay, BusinessDate.BusinessDate.make(BusinessDate.dateMax))

/** Any date that can be named. */
export const businessDate: fc.Arbitrary<BusinessDate.BusinessDate> = fc
  .integer({ min: 0, max: daysNamed })
  .map((days) => BusinessDate.addDays(epochDay, days))

/** A date within two months of {@link Fixtures.now}, so that several of them meet. */
export const nearDate: fc.Arbitrary<BusinessDate.BusinessDate> = fc
  .integer({ min: 0, max: 60 })
  .map((days) => BusinessDate.addDays(Fixtures.day("2026-02-10"), days))

/** Any instant of a date that can be named, to the millisecond. */
export const instant: fc.Arbitrary<DateTime.Utc> = fc
  .tuple(businessDate, fc.integer({ min: 0, max: 86_399_999 }))
  .map(([date, millis]) => DateTime.add(BusinessDate.instantAt(date), { milliseconds: millis }))

/** An instant up to a day after {@link Fixtures.now}, in minutes. */
export const soon: fc.Arbitrary<DateTime.Utc> = fc.integer({ min: 0, max: 1_440 }).map(Fixtures.later)

// Ids of fixtures first, so that a failing case shrinks to one that people know.
const idOf = <Id>(make: (uuid: string) => Id, fixture: (seed: number) => Id): fc.Arbitrary<Id> =>
  fc.oneof({ withCrossShrink: true }, fc.nat(9).map(fixture), fc.uuid({ version: 7 }).map(make))

type IdName = Exclude<keyof typeof Ids, "eventIdLengthMax">

/** Any id of each kind, by the name of its schema. */
export const ids: { readonly [Name in IdName]: fc.Arbitrary<(typeof Ids)[Name]["Type"]> } = {
  UserId: idOf((text) => Ids.UserId.make(text), Fixtures.anyUserId),
  ItemId: idOf((text) => Ids.ItemId.make(text), Fixtures.anyItemId),
  OrderId: idOf((text) => Ids.OrderId.make(text), Fixtures.anyOrderId),
  OrderLineId: idOf((text) => Ids.OrderLineId.make(text), Fixtures.anyOrderLineId),
  PaymentId: idOf((text) => Ids.PaymentId.make(text), Fixtures.anyPaymentId),
  AttemptId: idOf((text) => Ids.AttemptId.make(text), Fixtures.anyAttemptId),
  SubscriptionId: idOf((text) => Ids.SubscriptionId.make(text), Fixtures.anySubscriptionId),
  BillingKeyId: idOf((text) => Ids.BillingKeyId.make(text), Fixtures.anyBillingKeyId),
  RefundId: idOf((text) => Ids.RefundId.make(text), Fixtures.anyRefundId),
  ReviewId: idOf((text) => Ids.ReviewId.make(text), Fixtures.anyReviewId),
  EventId: fc
    .string({ minLength: 1, maxLength: Ids.eventIdLengthMax, unit: "grapheme-ascii" })
    .map((text) => Ids.EventId.make(text))
}

// What people write with: Latin, digits, Hangul, and characters of two units.
const letter = fc.oneof(
  fc.constantFrom(..."aZ09é漢🐟-,"),
  fc.integer({ min: 0xac00, max: 0xd7a3 }).map((point) => String.fromCodePoint(point))
)

const textOf = (lengthMax: number, ...others: ReadonlyArray<string>): fc.Arbitrary<string> =>
  fc
    .array(fc.oneof({ arbitrary: letter, weight: 6 }, { arbitrary: fc.constantFrom(" ", ...others), weight: 1 }), {
      minLength: 1,
      maxLength: lengthMax
    })
    .map((characters) => characters.join(""))

/** A well-formed e-mail address. */
export const email: fc.Arbitrary<Email> = fc
  .tuple(
    fc.stringMatching(/^[a-z0-9]{1,20}([.+_-][a-z0-9]{1,20})?$/),
    fc.constantFrom("example.com", "mail.example.co.kr", "a-b.example")
  )
  .map(([local, host]) => Email.make(`${local}@${host}`))

/** A Korean mobile number, with or without hyphens. */
export const phone: fc.Arbitrary<Phone> = fc
  .stringMatching(/^01[016789]-?\d{3,4}-?\d{4}$/)
  .map((text) => Phone.make(text))

/** The name under which a user is seen. */
export const displayName: fc.Arbitrary<DisplayName.DisplayName> = textOf(DisplayName.displayNameLengthMax)
  .map(DisplayName.normalize)
  .filter((text) => text !== "")
  .map((text) => DisplayName.DisplayName.make(text))

/** A password that keeps every rule, of the shortest to the longest length. */
export const password: fc.Arbitrary<Password.Password> = fc
  .tuple(
    fc.constantFrom(..."aZé가"),
    fc.constantFrom(..."09"),
    fc.constantFrom(..."!@#$%^+=-₩"),
    fc.string({ minLength: Password.passwordLengthMin - 3, maxLength: Password.passwordLengthMax - 3 }),
    fc.nat(Password.passwordLengthMax)
  )
  .map(([one, digit, special, rest, at]) =>
    Password.Password.make(rest.slice(0, at) + one + digit + special + rest.slice(at))
  )

const line = (lengthMax: number): fc.Arbitrary<string> =>
  fc.oneof(
    { withCrossShrink: true },
    { arbitrary: textOf(lengthMax / 2).map(Receiver.normalizeLine), weight: 20 },
    { arbitrary: fc.constant("가".repeat(lengthMax)), weight: 1 }
  )
const lineNotBlank = (lengthMax: number): fc.Arbitrary<string> => line(lengthMax).filter((text) => text !== "")

/** A real name as it is kept. */
export const realName: fc.Arbitrary<string> = lineNotBlank(Receiver.realNameLengthMax)

/** A postal address as it is kept. */
export const address: fc.Arbitrary<Receiver.Address> = fc
  .record({ city: lineNotBlank(Receiver.addressLengthMax), detail: lineNotBlank(Receiver.addressLengthMax) })
  .map((lines) => new Receiver.Address(lines))

/** Who gets a delivery. */
export const receiver: fc.Arbitrary<Receiver.Receiver> = fc
  .record({ realName, phone, address })
  .map((fields) => new Receiver.Receiver(fields))

/** The name of a category. */
export const category: fc.Arbitrary<Category.CategoryName> = fc.constantFrom(...Category.CategoryName.literals)

/** A rating of one buyer. */
export const rating: fc.Arbitrary<Rating.Rating> = fc
  .integer({ min: Rating.starsMin, max: Rating.starsMax })
  .map((stars) => Rating.Rating.make(stars))

/** The ratings of one item: none, few or a million. */
export const ratingSum: fc.Arbitrary<Rating.RatingSum> = fc.oneof(
  { withCrossShrink: true },
  fc.array(rating, { maxLength: 5 }).map((ratings) => Result.getOrThrow(Rating.sumOf(ratings))),
  fc
    .nat(1_000_000)
    .chain((count) => fc.record({ count: fc.constant(count), sum: fc.integer({ min: count, max: count * 5 }) }))
    .map((fields) => Rating.RatingSum.make(fields))
)

/** What may become of the ratings of an item. */
export const ratingChange: fc.Arbitrary<Rating.RatingChange> = fc.oneof(
  rating.map((stars) => new Rating.Added({ stars })),
  fc.tuple(rating, rating).map(([before, stars]) => new Rating.Replaced({ before, stars })),
  rating.map((stars) => new Rating.TakenAway({ stars }))
)

/** The text of a review, of one line or more. */
export const reviewContent: fc.Arbitrary<ReviewContent.ReviewContent> = fc
  .oneof(
    { withCrossShrink: true },
    { arbitrary: textOf(60, "\n", "👨‍👩‍👧"), weight: 20 },
    { arbitrary: fc.constant("🐟".repeat(ReviewContent.contentLengthMax)), weight: 1 }
  )
  .map(ReviewContent.normalize)
  .filter((text) => text !== "")
  .map((text) => ReviewContent.ReviewContent.make(text))

/** Amounts of which a part, none or all is free of tax. */
export const taxAmounts: fc.Arbitrary<Tax.Amounts> = fc
  .tuple(won, fc.oneof(fc.constant(Won.zero), won))
  .map(([one, other]) => (one < other ? { total: other, taxFree: one } : { total: one, taxFree: other }))

/** An amount in its taxable part, its tax and what is free of tax. */
export const taxSplit: fc.Arbitrary<Tax.Split> = taxAmounts.map((amounts) => Result.getOrThrow(Tax.split(amounts)))

/** Any dunning policy. */
export const dunningPolicy: fc.Arbitrary<DunningPolicy.DunningPolicy> = fc
  .tuple(
    fc.uniqueArray(fc.integer({ min: 1, max: DunningPolicy.ladderDayMax }), {
      minLength: 1,
      maxLength: DunningPolicy.ladderLengthMax
    }),
    fc.constantFrom(...DunningPolicy.FinalAction.literals)
  )
  .map(([days, finalAction]) =>
    DunningPolicy.DunningPolicy.make({ ladderDays: days.toSorted((one, other) => one - other), finalAction })
  )

const word = (lengthMax: number): fc.Arbitrary<string> =>
  fc.oneof(
    { withCrossShrink: true },
    { arbitrary: fc.string({ minLength: 1, maxLength: lengthMax }), weight: 20 },
    { arbitrary: fc.constant("x".repeat(lengthMax)), weight: 1 }
  )

/** Any word of a provider's, by the name of its schema. */
export const providerWords = {
  ProviderName: word(Provider.providerNameLengthMax).map((text) => Provider.ProviderName.make(text)),
  MerchantAccount: word(Provider.merchantAccountLengthMax).map((text) => Provider.MerchantAccount.make(text)),
  CustomerReference: word(Provider.customerReferenceLengthMax).map((text) => Provider.CustomerReference.make(text)),
  TransactionId: word(Provider.transactionIdLengthMax).map((text) => Provider.TransactionId.make(text)),
  ApprovalId: word(Provider.approvalIdLengthMax).map((text) => Provider.ApprovalId.make(text)),
  ProviderBillingKey: word(Provider.providerBillingKeyLengthMax).map((text) => Provider.ProviderBillingKey.make(text)),
  ApprovalToken: word(Provider.approvalTokenLengthMax).map((text) => Provider.ApprovalToken.make(text)),
  PaymentMethod: word(Provider.paymentMethodLengthMax).map((text) => Provider.PaymentMethod.make(text))
}

// Whatever a provider says, down to nothing: no rule may read it.
const said = (lengthMax: number): fc.Arbitrary<string> =>
  fc.oneof(
    { withCrossShrink: true },
    { arbitrary: fc.string({ unit: "binary", maxLength: lengthMax / 2 }), weight: 20 },
    { arbitrary: fc.constant("-".repeat(lengthMax)), weight: 1 }
  )
const raw = { code: said(DeclineReason.codeLengthMax), message: said(DeclineReason.messageLengthMax) }

/** Why a provider may refuse: every kind, with any code and message. */
export const declineReason: fc.Arbitrary<DeclineReason.DeclineReason> = fc.oneof(
  fc
    .record({ kind: fc.constantFrom(...DeclineReason.Soft.fields.kind.literals), ...raw })
    .map((fields) => new DeclineReason.Soft(fields)),
  fc
    .record({ kind: fc.constantFrom(...DeclineReason.Hard.fields.kind.literals), ...raw })
    .map((fields) => new DeclineReason.Hard(fields)),
  fc
    .record({ kind: fc.constant(DeclineReason.Blocked.fields.kind.literal), ...raw })
    .map((fields) => new DeclineReason.Blocked(fields))
)

// -----------------------------------------------------------------------------
// catalogue, carts and users
// -----------------------------------------------------------------------------

/** Any price of an item. */
export const price: fc.Arbitrary<Item.Price> = fc.tuple(won, rate).map(([origin, off]) => Item.priceOf(origin, off))

/** An item of the catalogue; few different ids, so that several of them meet. */
export const item: fc.Arbitrary<Item.Item> = fc
  .tuple(fc.integer({ min: 0, max: 9 }), unitPrice, rate)
  .map(([seed, origin, off]) => Fixtures.item({ origin, rate: off }, seed))

const itemId: fc.Arbitrary<ItemId> = fc.integer({ min: 0, max: 60 }).map(Fixtures.anyItemId)

/** Something a customer may do to a cart. */
export const cartCommand: fc.Arbitrary<Command<Cart.Cart>> = fc.oneof(
  fc
    .record({ itemId, quantity, period: fc.option(period), seenPrice: unitPrice, at: soon })
    .map((added) => command(`add ${added.quantity}`, "add", (self: Cart.Cart) => Cart.add(self, added))),
  fc
    .record({ itemId, quantity, period, seenPrice: unitPrice, at: soon })
    .map((added) =>
      command("add what the cart takes", "add", (self: Cart.Cart) =>
        Cart.add(self, { ...added, period: self.kind === "normal" ? null : added.period })
      )
    ),
  fc
    .tuple(itemId, quantity)
    .map(([id, units]) =>
      command(`change to ${units}`, "changeQuantity", (self: Cart.Cart) => Cart.changeQuantity(self, id, units))
    ),
  fc
    .tuple(itemId, period)
    .map(([id, days]) =>
      command(`every ${days} days`, "changePeriod", (self: Cart.Cart) => Cart.changePeriod(self, id, days))
    ),
  itemId.map((id) => command("remove", "remove", (self: Cart.Cart) => Cart.remove(self, id))),
  fc
    .tuple(fc.array(itemId, { maxLength: 10 }), soon)
    .map(([ids, at]) =>
      command("order paid", "removeAddedBefore", (self: Cart.Cart) =>
        Result.succeed(Cart.removeAddedBefore(self, ids, at))
      )
    )
)

/** A cart in any reachable state. */
export const cart: fc.Arbitrary<Cart.Cart> = reachable(
  fc.constantFrom(...Cart.CartKind.literals).map((kind) => Cart.empty(Fixtures.anyUserId(), kind)),
  cartCommand
)

/** Something that may be done to a user. */
export const userCommand: fc.Arbitrary<Command<User.User, User.UserTransitionDenied>> = fc.oneof(
  {
    arbitrary: phone.map((number) =>
      command("change", "changeProfile", (self: User.User) => User.changeProfile(self, { phone: number }))
    ),
    weight: 3
  },
  {
    arbitrary: fc
      .constantFrom(...User.Role.literals)
      .map((role) => command(`grant ${role}`, "grant", (self: User.User) => User.grant(self, role))),
    weight: 3
  },
  {
    arbitrary: soon.map((at) => command("withdraw", "withdraw", (self: User.User) => User.withdraw(self, at))),
    weight: 1
  }
)

/** A user in any reachable state. */
export const user: fc.Arbitrary<User.User> = reachable(
  fc.nat(99).map((seed): User.User => Fixtures.user({}, seed)),
  userCommand
)

// -----------------------------------------------------------------------------
// orders
// -----------------------------------------------------------------------------

const orderLine = (seed: number): fc.Arbitrary<Order.OrderLine> =>
  fc.tuple(unitPrice, rate, fc.integer({ min: 1, max: 9 }), fc.option(period)).map(([origin, off, units, days]) =>
    Fixtures.orderLine(
      {
        originPrice: origin,
        unitPrice: Item.priceOf(origin, off).real,
        quantity: Quantity.Quantity.make(units),
        period: days
      },
      seed
    )
  )

/** Order lines that cost something together. */
export const orderLines: fc.Arbitrary<ReadonlyArray<Order.OrderLine>> = fc
  .integer({ min: 1, max: 4 })
  .chain((count) => fc.tuple(...Array.from({ length: count }, (_, index) => orderLine(index))))
  .filter((lines) => lines.some((line) => line.unitPrice > 0))

/** An order that waits to be paid. */
export const placedOrder: fc.Arbitrary<Order.Placed> = orderLines.map((lines) => Fixtures.placedOrder({ lines }))

const attemptId = fc.constantFrom(Fixtures.anyAttemptId(0), Fixtures.anyAttemptId(1))

/** Something that may be done to an order. A refund is asked for as a customer would, and carried out when it is right. */
export const orderCommand: fc.Arbitrary<Command<Order.Order>> = fc.oneof(
  fc
    .tuple(attemptId, soon)
    .map(([id, at]) =>
      command("begin approval", "beginApproval", (self: Order.Order) => Order.beginApproval(self, id, at))
    ),
  attemptId.map((id) =>
    command("end approval", "endApproval", (self: Order.Order) =>
      Result.succeed(self._tag === "Placed" ? Order.endApproval(self, id) : self)
    )
  ),
  fc.tuple(attemptId, soon).map(([id, at]) => command("pay", "pay", (self: Order.Order) => Order.pay(self, id, at))),
  soon.map((at) => command("expire", "expire", (self: Order.Order) => Order.expire(self, at))),
  soon.map((at) => command("fail payment", "failPayment", (self: Order.Order) => Order.failPayment(self, at))),
  fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 4 }).map((units) =>
    command(`refund ${units}`, "refund", (self: Order.Order) => {
      const lines = self.lines
        .map((line, index) => ({ lineId: line.id, quantity: units[index] ?? 0 }))
        .filter((line) => line.quantity > 0)
      return Result.flatMap(Order.refundAmount(self, lines), (asked) => Order.refund(self, asked.lines, asked.amount))
    })
  ),
  fc.constant(
    command("refund the rest", "refund", (self: Order.Order) =>
      Result.flatMap(Order.refundAmount(self, "rest"), (asked) => Order.refund(self, asked.lines, asked.amount))
    )
  )
)

/** An order in any reachable state. */
export const order: fc.Arbitrary<Order.Order> = reachable(
  placedOrder.map((placed): Order.Order => placed),
  orderCommand
)

// -----------------------------------------------------------------------------
// reviews
// -----------------------------------------------------------------------------

// The author of the fixture and a stranger; orders that prove its purchase and one that does not.
const reviewer = fc.constantFrom(Fixtures.anyUserId(), Fixtures.anyUserId("stranger"))
const proof = fc.constantFrom<Order.Order>(
  Fixtures.paidOrder(),
  Fixtures.partiallyRefundedOrder(),
  Fixtures.placedOrder()
)
const words: fc.Arbitrary<Review.Words> = fc.record({ stars: rating, content: reviewContent })

/** Something that an author or a stranger may do to a review. */
export const reviewCommand: fc.Arbitrary<Command<Review.Review>> = fc.oneof(
  fc
    .tuple(reviewer, words, soon)
    .map(([by, changed, at]) =>
      command(`edit to ${changed.stars} stars`, "edit", (self: Review.Review) =>
        Result.map(Review.edit(self, by, changed, at), ({ review }) => review)
      )
    ),
  fc
    .tuple(reviewer, soon)
    .map(([by, at]) =>
      command("remove", "remove", (self: Review.Review) =>
        Result.map(Review.remove(self, by, at), ({ review }) => review)
      )
    ),
  fc
    .tuple(reviewer, proof, words, soon)
    .map(([by, order, again, at]) =>
      command(`write again with ${again.stars} stars`, "writeAgain", (self: Review.Review) =>
        Result.map(Review.writeAgain(self, by, order, again, at), ({ review }) => review)
      )
    )
)

/** A review in any reachable state. */
export const review: fc.Arbitrary<Review.Review> = reachable(
  words.map((first): Review.Review => Fixtures.review(first)),
  reviewCommand
)

// -----------------------------------------------------------------------------
// attempts
// -----------------------------------------------------------------------------

const amountUpTo = (most: number) => fc.integer({ min: 1, max: most }).map((amount) => Won.Won.make(amount))
const reference = soon.chain((at) =>
  fc.constantFrom<Attempt.Reference>(Fixtures.knownReference(at), Fixtures.awaitingReference(at))
)

/** Something that may be done to an attempt. */
export const attemptCommand: fc.Arbitrary<Command<Attempt.Attempt>> = fc.oneof(
  fc.constant(
    command("await the customer", "awaitCustomer", (self: Attempt.Attempt) =>
      Attempt.awaitCustomer(self, {
        transactionId: Fixtures.anyTransactionId(),
        redirectUrls: Fixtures.redirectUrls(),
        expiresAt: Fixtures.later(15)
      })
    )
  ),
  soon.map((at) =>
    command("withdraw", "withdraw", (self: Attempt.Attempt) => Attempt.withdraw(self, at, "over capacity"))
  ),
  {
    arbitrary: soon.map((at) =>
      command("send", "send", (self: Attempt.Attempt) =>
        Attempt.send(self, { at, lease: Fixtures.lease(2), baseline: null, approvalToken: Fixtures.anyApprovalToken })
      )
    ),
    weight: 4
  },
  soon.map((at) =>
    command("abandon", "abandon", (self: Attempt.Attempt) => Attempt.abandon(self, at, "the customer left"))
  ),
  soon.map((at) => command("supersede", "supersede", (self: Attempt.Attempt) => Attempt.supersede(self, at))),
  {
    arbitrary: soon.map((at) =>
      command("lose the answer", "loseAnswer", (self: Attempt.Attempt) =>
        Attempt.loseAnswer(self, { at, nextAskAt: at, detail: "timeout" })
      )
    ),
    weight: 3
  },
  soon.map((at) => command("ask again", "askAgain", (self: Attempt.Attempt) => Attempt.askAgain(self, at))),
  {
    arbitrary: soon.map((at) =>
      command("review", "review", (self: Attempt.Attempt) => Attempt.review(self, at, "unclear"))
    ),
    weight: 2
  },
  {
    arbitrary: fc
      .tuple(soon, reference, fc.boolean())
      .map(([at, known, isOwed]) =>
        command(`approve ${known._tag}${isOwed ? "" : ", nothing owed"}`, "approve", (self: Attempt.Attempt) =>
          Attempt.approve(self, { at, reference: known, amount: self.amount, isOwed })
        )
      ),
    weight: 4
  },
  fc
    .tuple(soon, declineReason)
    .map(([at, reason]) =>
      command(`decline ${reason._tag}`, "decline", (self: Attempt.Attempt) => Attempt.decline(self, at, reason))
    ),
  {
    arbitrary: fc
      .tuple(soon, fc.constantFrom<Attempt.NotExecuted["why"]>("local", "word", "ours", "inferred"))
      .map(([at, why]) =>
        command(`not executed, ${why}`, "notExecuted", (self: Attempt.Attempt) =>
          Attempt.notExecuted(self, { at, why, detail: "" })
        )
      ),
    weight: 2
  },
  fc.constant(command("wait again", "waitAgain", (self: Attempt.Attempt) => Attempt.waitAgain(self))),
  amountUpTo(18_000).map((amount) =>
    command(`reserve ${amount}`, "reserveRefund", (self: Attempt.Attempt) => Attempt.reserveRefund(self, amount))
  ),
  fc.constant(
    command("reserve the rest", "reserveRefund", (self: Attempt.Attempt) =>
      Attempt.reserveRefund(
        self,
        self._tag === "Approved" || self._tag === "ApprovedSurplus" ? Attempt.refundable(self) : Won.zero
      )
    )
  ),
  fc.constant(
    command("begin a refund", "beginRefund", (self: Attempt.Attempt) =>
      Attempt.beginRefund(self, Fixtures.anyRefundId())
    )
  ),
  {
    arbitrary: fc
      .tuple(amountUpTo(20_000), fc.constantFrom<"completed" | "rejected" | "retry">("completed", "rejected", "retry"))
      .map(([amount, outcome]) =>
        command(`refund of ${amount} ${outcome}`, "endRefund", (self: Attempt.Attempt) =>
          Attempt.endRefund(self, Fixtures.anyRefundId(), amount, outcome)
        )
      ),
    weight: 2
  },
  fc
    .constantFrom<"completed" | "rejected" | "retry">("completed", "rejected", "retry")
    .map((outcome) =>
      command(`refund of all that is reserved ${outcome}`, "endRefund", (self: Attempt.Attempt) =>
        Attempt.endRefund(self, Fixtures.anyRefundId(), "reserved" in self ? self.reserved : Won.zero, outcome)
      )
    )
)

/** An attempt that was just committed, for each purpose. */
export const preparedAttempt: fc.Arbitrary<Attempt.Prepared> = fc
  .constantFrom<Attempt.Purpose>(Fixtures.forCycle(), Fixtures.forOrder(), Fixtures.forRegistration())
  .map((purpose) =>
    Fixtures.preparedAttempt({ purpose, amount: purpose._tag === "ForRegistration" ? Won.zero : Fixtures.won(18_000) })
  )

/** An attempt in any reachable state. */
export const attempt: fc.Arbitrary<Attempt.Attempt> = reachable(
  preparedAttempt.map((prepared): Attempt.Attempt => prepared),
  attemptCommand
)

// -----------------------------------------------------------------------------
// refunds and billing keys
// -----------------------------------------------------------------------------

/** Something that may be done to a refund. */
export const refundCommand: fc.Arbitrary<Command<Refund.Refund, Refund.RefundTransitionDenied>> = fc.oneof(
  fc.constant(command("park", "park", (self: Refund.Refund) => Refund.park(self))),
  {
    arbitrary: soon.map((at) =>
      command("send", "send", (self: Refund.Refund) =>
        Refund.send(self, { at, leaseExpiresAt: at, refundedBefore: Won.zero })
      )
    ),
    weight: 3
  },
  {
    arbitrary: soon.map((at) =>
      command("lose the answer", "loseAnswer", (self: Refund.Refund) =>
        Refund.loseAnswer(self, { at, nextAskAt: at, detail: "timeout" })
      )
    ),
    weight: 3
  },
  soon.map((at) => command("ask again", "askAgain", (self: Refund.Refund) => Refund.askAgain(self, at))),
  soon.map((at) => command("complete", "complete", (self: Refund.Refund) => Refund.complete(self, at))),
  soon.map((at) => command("reject", "reject", (self: Refund.Refund) => Refund.reject(self, at, "not refundable"))),
  fc.constant(command("request again", "requestAgain", (self: Refund.Refund) => Refund.requestAgain(self))),
  soon.map((at) => command("review", "review", (self: Refund.Refund) => Refund.review(self, at, "unclear")))
)

/** A refund in any reachable state. */
export const refund: fc.Arbitrary<Refund.Refund> = reachable(
  fc.constant<Refund.Refund>(Fixtures.requestedRefund()),
  refundCommand
)

/** Something that may be done to a billing key. */
export const billingKeyCommand: fc.Arbitrary<Command<BillingKey.BillingKey, BillingKey.BillingKeyTransitionDenied>> =
  fc.oneof(
    {
      arbitrary: fc
        .option(soon)
        .map((at) =>
          command("activate", "activate", (self: BillingKey.BillingKey) =>
            BillingKey.activate(self, Fixtures.anyProviderBillingKey(), at)
          )
        ),
      weight: 6
    },
    fc.constant(command("abandon", "abandon", (self: BillingKey.BillingKey) => BillingKey.abandon(self))),
    attemptId.map((id) => command("hold", "hold", (self: BillingKey.BillingKey) => BillingKey.hold(self, id))),
    attemptId.map((id) =>
      command("release", "release", (self: BillingKey.BillingKey) => Result.succeed(BillingKey.release(self, id)))
    ),
    soon.map((at) =>
      command("remember", "rememberApproval", (self: BillingKey.BillingKey) =>
        Result.succeed(BillingKey.rememberApproval(self, at))
      )
    ),
    fc.constant(command("attach", "attach", (self: BillingKey.BillingKey) => BillingKey.attach(self))),
    {
      arbitrary: fc.constant(
        command("detach", "detach", (self: BillingKey.BillingKey) => Result.succeed(BillingKey.detach(self)))
      ),
      weight: 3
    },
    {
      arbitrary: fc.constant(command("retire", "retire", (self: BillingKey.BillingKey) => BillingKey.retire(self))),
      weight: 3
    },
    fc.constant(
      command("confirm retired", "confirmRetired", (self: BillingKey.BillingKey) => BillingKey.confirmRetired(self))
    ),
    fc.constant(command("revoke", "revoke", (self: BillingKey.BillingKey) => BillingKey.revoke(self))),
    fc.constant(command("freeze", "freeze", (self: BillingKey.BillingKey) => BillingKey.freeze(self))),
    fc.constant(command("unfreeze", "unfreeze", (self: BillingKey.BillingKey) => BillingKey.unfreeze(self)))
  )

/** A billing key in any reachable state. */
export const billingKey: fc.Arbitrary<BillingKey.BillingKey> = reachable(
  fc.constant<BillingKey.BillingKey>(Fixtures.pendingKey()),
  billingKeyCommand
)

// -----------------------------------------------------------------------------
// subscriptions and cycles
// -----------------------------------------------------------------------------

/** Something that may be done to a subscription, by its owner or by the billing run. */
export const subscriptionCommand: fc.Arbitrary<Command<SubscriptionOrder.SubscriptionOrder>> = fc.oneof(
  fc.constant(command("touch", "touch", (self: SubscriptionOrder.SubscriptionOrder) => SubscriptionOrder.touch(self))),
  nearDate.map((paid) =>
    command(`settle the one due on ${paid}`, "settle", (self: SubscriptionOrder.SubscriptionOrder) =>
      SubscriptionOrder.settle(self, paid)
    )
  ),
  {
    arbitrary: fc.constant(
      command("fall behind", "fallBehind", (self: SubscriptionOrder.SubscriptionOrder) =>
        SubscriptionOrder.fallBehind(self)
      )
    ),
    weight: 2
  },
  fc.constant(
    command("recover", "recover", (self: SubscriptionOrder.SubscriptionOrder) => SubscriptionOrder.recover(self))
  ),
  fc
    .tuple(fc.constantFrom<SubscriptionOrder.Paused["by"]>("owner", "policy"), fc.option(nearDate))
    .map(([by, resumeOn]) =>
      command(`pause by ${by}`, "pause", (self: SubscriptionOrder.SubscriptionOrder) =>
        SubscriptionOrder.pause(self, by, resumeOn)
      )
    ),
  fc.constant(
    command("resume", "resume", (self: SubscriptionOrder.SubscriptionOrder) => SubscriptionOrder.resume(self))
  ),
  fc
    .tuple(fc.constantFrom(...SubscriptionOrder.CancelReason.literals), soon)
    .map(([reason, at]) =>
      command(`cancel, ${reason}`, "cancel", (self: SubscriptionOrder.SubscriptionOrder) =>
        SubscriptionOrder.cancel(self, reason, at)
      )
    ),
  {
    arbitrary: fc.constant(
      command("skip", "skip", (self: SubscriptionOrder.SubscriptionOrder) => SubscriptionOrder.skip(self))
    ),
    weight: 2
  },
  fc
    .tuple(quantity, period)
    .map(([units, days]) =>
      command("change", "change", (self: SubscriptionOrder.SubscriptionOrder) =>
        SubscriptionOrder.change(self, { quantity: units, period: days })
      )
    ),
  fc.constant(
    command("expect a key", "expectKey", (self: SubscriptionOrder.SubscriptionOrder) =>
      SubscriptionOrder.expectKey(self, Fixtures.anyBillingKeyId(1))
    )
  ),
  fc.constant(
    command("replace the key", "replaceKey", (self: SubscriptionOrder.SubscriptionOrder) =>
      SubscriptionOrder.replaceKey(self, Fixtures.anyBillingKeyId(1))
    )
  )
)

/** A subscription in any reachable state. */
export const subscription: fc.Arbitrary<SubscriptionOrder.SubscriptionOrder> = reachable(
  fc
    .tuple(fc.boolean(), period, unitPrice, quantity)
    .map(([hasKey, days, price, units]): SubscriptionOrder.SubscriptionOrder => {
      const begun = { period: days, unitPrice: price, quantity: units }
      return hasKey ? Fixtures.subscription(begun) : Fixtures.keylessSubscription(begun)
    }),
  subscriptionCommand
)

type Cycle = BillingCycle.BillingCycle

// Most commands that name an attempt name the holder, as real ones do; the others must be refused or change nothing.
const holder = fc.oneof(
  { arbitrary: fc.constant((self: Cycle) => self.openAttempt ?? Fixtures.anyAttemptId(0)), weight: 4 },
  { arbitrary: attemptId.map((id) => () => id), weight: 1 }
)

/** Something that may be done to a billing cycle. */
export const billingCycleCommand: fc.Arbitrary<Command<Cycle>> = fc.oneof(
  {
    arbitrary: fc
      .tuple(attemptId, quantity)
      .map(([id, units]) => command("send", "send", (self: Cycle) => BillingCycle.send(self, id, units))),
    weight: 6
  },
  {
    arbitrary: holder.map((who) => command("doubt", "doubt", (self: Cycle) => BillingCycle.doubt(self, who(self)))),
    weight: 2
  },
  fc
    .tuple(holder, nearDate)
    .map(([who, on]) =>
      command(`charge on ${on}`, "charge", (self: Cycle) => BillingCycle.charge(self, who(self), on))
    ),
  {
    arbitrary: fc
      .tuple(holder, nearDate)
      .map(([who, on]) =>
        command(`give back until ${on}`, "giveBack", (self: Cycle) => BillingCycle.giveBack(self, who(self), on))
      ),
    weight: 2
  },
  {
    arbitrary: fc
      .tuple(fc.option(holder), nearDate)
      .map(([who, on]) =>
        command(`block on ${on}`, "block", (self: Cycle) =>
          BillingCycle.block(self, who === null ? null : who(self), on)
        )
      ),
    weight: 2
  },
  {
    arbitrary: fc
      .tuple(holder, nearDate, dunningPolicy)
      .map(([who, on, policy]) =>
        command(`decline softly on ${on}`, "declineSoftly", (self: Cycle) =>
          Result.flatMap(BillingCycle.declineSoftly(self, who(self), on, policy), (next) =>
            next === "exhausted" ? Result.fail(next) : Result.succeed(next)
          )
        )
      ),
    weight: 3
  },
  {
    arbitrary: fc
      .tuple(holder, nearDate, dunningPolicy)
      .map(([who, on, policy]) =>
        command(`decline hard on ${on}`, "declineHard", (self: Cycle) =>
          BillingCycle.declineHard(self, who(self), on, policy, on)
        )
      ),
    weight: 2
  },
  {
    arbitrary: nearDate.map((today) =>
      command(`receive a key on ${today}`, "receiveKey", (self: Cycle) => BillingCycle.receiveKey(self, today))
    ),
    weight: 2
  },
  fc
    .tuple(nearDate, dunningPolicy)
    .map(([on, policy]) =>
      command(`lose its key on ${on}`, "loseKey", (self: Cycle) => BillingCycle.loseKey(self, on, policy))
    ),
  fc
    .constantFrom(...BillingCycle.SkipReason.literals)
    .map((reason) => command(`skip, ${reason}`, "skip", (self: Cycle) => BillingCycle.skip(self, reason))),
  fc
    .constantFrom<BillingCycle.Abandoned["reason"]>("dunning", "cancelled")
    .map((reason) => command(`abandon, ${reason}`, "abandon", (self: Cycle) => BillingCycle.abandon(self, reason))),
  fc
    .tuple(fc.boolean(), nearDate, fc.constantFrom<"Abandoned" | "Skipped">("Abandoned", "Skipped"))
    .map(([held, on, outcome]) =>
      command(`exhaust, ${outcome}`, "exhaust", (self: Cycle) =>
        BillingCycle.exhaust(self, held ? self.openAttempt : null, on, outcome)
      )
    ),
  fc
    .tuple(fc.integer({ min: 1, max: BillingCycle.postponeDaysMax }), nearDate)
    .map(([days, today]) =>
      command(`postpone ${days}`, "postpone", (self: Cycle) => BillingCycle.postpone(self, days, today))
    ),
  nearDate.map((date) =>
    command(`reschedule to ${date}`, "reschedule", (self: Cycle) => BillingCycle.reschedule(self, date))
  )
)

/** A billing cycle in any reachable state. */
export const billingCycle: fc.Arbitrary<Cycle> = reachable(
  fc
    .tuple(fc.boolean(), nearDate)
    .map(([hasKey, gridDate]): Cycle =>
      BillingCycle.open({ subscriptionId: Fixtures.anySubscriptionId(), number: 1, gridDate, hasKey })
    ),
  billingCycleCommand
)

// -----------------------------------------------------------------------------
// the books of a renewal
// -----------------------------------------------------------------------------

/** A charge that was sent: its attempt, the cycle it holds, the subscription and the key it holds. */
export const sentCharge: fc.Arbitrary<{
  readonly attempt: Attempt.Sent
  readonly cycle: BillingCycle.InFlight
  readonly subscription: SubscriptionOrder.Chargeable
  readonly key: BillingKey.Active
}> = fc
  .tuple(fc.integer({ min: 1, max: 9 }), unitPrice, period, fc.boolean(), fc.integer({ min: 0, max: 400 }))
  .map(([units, price, days, isBehind, lateDays]) => {
    const active = Fixtures.subscription({ quantity: Quantity.Quantity.make(units), unitPrice: price, period: days })
    const gridDate = BusinessDate.addDays(active.anchor, days)
    const sentAt = BusinessDate.instantAt(BusinessDate.addDays(gridDate, lateDays), 600)
    const prepared = Fixtures.preparedAttempt({ amount: Won.Won.make(units * price), quantity: units })
    const sent = Attempt.send(prepared, { at: sentAt, lease: Fixtures.lease(), baseline: null, approvalToken: null })
    return {
      attempt: Result.getOrThrow(sent),
      cycle: Fixtures.inFlightCycle({ gridDate, dueDate: gridDate, nextAttemptOn: gridDate }),
      subscription: isBehind ? new SubscriptionOrder.PastDue(fieldsOf(active)) : active,
      key: Fixtures.activeKey({ inFlight: prepared.id })
    }
  })
