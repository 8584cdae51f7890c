/**
 * A subscription shop around the domain, with a store of its own: the program of docs/tutorial/embed-the-domain.md.
 *
 * @since 0.1.0
 */
import * as Attempt from "@pillivery/domain/Attempt"
import * as BillingCalendar from "@pillivery/domain/BillingCalendar"
import * as BillingCycle from "@pillivery/domain/BillingCycle"
import type { BillingKey } from "@pillivery/domain/BillingKey"
import * as BusinessDate from "@pillivery/domain/BusinessDate"
import * as Cart from "@pillivery/domain/Cart"
import * as DunningPolicy from "@pillivery/domain/DunningPolicy"
import * as Order from "@pillivery/domain/Order"
import * as Purchase from "@pillivery/domain/Purchase"
import * as Renewal from "@pillivery/domain/Renewal"
import { fieldsOf } from "@pillivery/domain/State"
import * as SubscriptionOrder from "@pillivery/domain/SubscriptionOrder"
import * as Fixtures from "@pillivery/domain/testing/Fixtures"
import { Context, Data, Effect, Layer, ManagedRuntime } from "effect"
import assert from "node:assert/strict"

/** The rows that one renewal touches. */
interface Billing {
  readonly subscription: SubscriptionOrder.SubscriptionOrder
  readonly cycle: BillingCycle.BillingCycle
  readonly key: BillingKey
}

/** A row was asked for that nobody wrote. */
class RowMissing extends Data.TaggedError("RowMissing")<{ readonly id: string }> {}

/** What this shop needs of a store; each write is one transaction. */
class Store extends Context.Service<
  Store,
  {
    readonly orderOf: (id: string) => Effect.Effect<Order.Order, RowMissing>
    readonly billingOf: (id: string) => Effect.Effect<Billing, RowMissing>
    readonly write: (rows: { readonly order?: Order.Order; readonly billing?: Billing }) => Effect.Effect<void>
  }
>()("shop/Store") {}

const memoryStore = Layer.sync(Store, () => {
  const orders = new Map<string, Order.Order>()
  const billings = new Map<string, Billing>()
  const read = <Row>(rows: ReadonlyMap<string, Row>, id: string) =>
    Effect.suspend(() => {
      const row = rows.get(id)
      return row === undefined ? Effect.fail(new RowMissing({ id })) : Effect.succeed(row)
    })
  return Store.of({
    orderOf: (id) => read(orders, id),
    billingOf: (id) => read(billings, id),
    write: ({ billing, order }) =>
      Effect.sync(() => {
        if (order !== undefined) orders.set(order.id, order)
        if (billing !== undefined) billings.set(billing.subscription.id, billing)
      })
  })
})

const runtime = ManagedRuntime.make(memoryStore)

const item = Fixtures.item({ productName: "루테인", origin: Fixtures.won(20_000), rate: Fixtures.percent(10) })
const cart = Fixtures.cart({ kind: "subscription", items: [item], quantity: Fixtures.quantity(2) })

const placeOrder = Effect.fn("placeOrder")(function* () {
  const store = yield* Store
  const priced = yield* Effect.fromResult(Cart.price(cart, new Map([[item.id, item]])))
  const lines = priced.lines
    .filter((line) => line.status === "available")
    .map(({ item: { id, information, price }, line: { period, quantity } }) =>
      Fixtures.orderLine({
        itemId: id,
        itemName: information.productName,
        originPrice: price.origin,
        unitPrice: price.real,
        quantity,
        period
      })
    )
  const order = yield* Effect.fromResult(
    Order.place({
      id: Fixtures.anyOrderId(),
      userId: cart.userId,
      origin: new Order.FromCart({ cart: cart.kind }),
      lines,
      receiver: Fixtures.receiver(),
      at: Fixtures.now
    })
  )
  yield* store.write({ order })
  return order
})

const placed = await runtime.runPromise(placeOrder())
assert.equal(placed.total, 36_000)
console.log(`placed: ${Order.nameOf(placed)}, ${placed.total} won`)

const recordApproval = Effect.fn("recordApproval")(function* (orderId: string) {
  const store = yield* Store
  const order = yield* store.orderOf(orderId)
  const attempt = Fixtures.sentApproval({
    purpose: Fixtures.forOrder({ orderId: order.id, userId: order.userId, issuesBillingKey: true }),
    amount: order.total
  })
  const entries = yield* Effect.fromResult(
    Purchase.settle(
      { attempt, order },
      {
        _tag: "Approved",
        reference: Fixtures.knownReference(),
        amount: order.total,
        billingKey: Fixtures.anyProviderBillingKey()
      },
      Fixtures.later(3)
    )
  )
  const [subscription] = entries.subscriptions
  const [cycle] = entries.cycles
  if (entries.order === undefined || subscription === undefined || cycle === undefined || entries.key === undefined) {
    return yield* new RowMissing({ id: orderId })
  }
  yield* store.write({ order: entries.order, billing: { subscription, cycle, key: entries.key } })
  return { order: entries.order, subscription, cycle, events: entries.events }
})

const bought = await runtime.runPromise(recordApproval(placed.id))
assert.equal(bought.order._tag, "Paid")
assert.equal(bought.subscription._tag, "Active")
assert.deepEqual(
  bought.events.map((event) => event._tag),
  ["OrderPaid", "SubscriptionStarted"]
)
console.log(`paid; every ${bought.subscription.period} days from now on`)

const nextAfter = (gridDate: BusinessDate.BusinessDate) =>
  BillingCalendar.nextGridDate({
    gridDate,
    period: bought.subscription.period,
    today: gridDate,
    chargedOn: gridDate
  }).gridDate

const first = bought.cycle.gridDate
const second = nextAfter(first)
const third = nextAfter(second)
assert.deepEqual([first, second, third], ["2026-02-14", "2026-03-16", "2026-04-15"])
console.log(`due on ${first}, ${second}, ${third}`)

const policy = DunningPolicy.DunningPolicy.make({ ladderDays: [1, 3, 5], finalAction: "pause" })

/** Nothing is to be charged that day. */
class NotDue extends Data.TaggedError("NotDue")<{ readonly on: BusinessDate.BusinessDate }> {}

const recordDecline = Effect.fn("recordDecline")(function* (subscriptionId: string, on: BusinessDate.BusinessDate) {
  const store = yield* Store
  const { cycle, key, subscription } = yield* store.billingOf(subscriptionId)
  if (!BillingCycle.isDue(cycle, on)) return yield* new NotDue({ on })
  const amount = yield* Effect.fromResult(SubscriptionOrder.amountOf(subscription))
  const tenOClock = BusinessDate.instantAt(on, 10 * 60)
  const purpose = Fixtures.forCycle({
    subscriptionId: subscription.id,
    cycleNumber: cycle.number,
    userId: subscription.userId,
    billingKeyId: key.id,
    step: cycle.step
  })
  const attempt = new Attempt.Sent({ ...Fixtures.sentAttempt({ purpose, amount }, on), sentAt: tenOClock })
  const entries = yield* Effect.fromResult(
    Renewal.settle(
      { attempt, cycle: Fixtures.inFlightCycle(fieldsOf(cycle), on), subscription, key },
      { _tag: "Declined", reason: Fixtures.softDecline() },
      { at: tenOClock, policy }
    )
  )
  const billing = {
    subscription: entries.subscription ?? subscription,
    cycle: entries.opened[0] ?? entries.cycle ?? cycle,
    key: entries.key ?? key
  }
  yield* store.write({ billing })
  return billing
})

const { id } = bought.subscription
const declined = await runtime.runPromise(recordDecline(id, first))
assert.equal(declined.subscription._tag, "PastDue")
assert.equal(declined.cycle._tag, "RetryDue")

const again = await runtime.runPromise(Effect.flip(recordDecline(id, first)))
assert.equal(again._tag, "NotDue")
console.log(`declined on ${first}, and not tried twice that day`)

const retriedOn: Array<BusinessDate.BusinessDate> = []
let billing = declined
while (billing.cycle._tag === "RetryDue") {
  retriedOn.push(billing.cycle.nextAttemptOn)
  billing = await runtime.runPromise(recordDecline(id, billing.cycle.nextAttemptOn))
}
assert.deepEqual(retriedOn, ["2026-02-15", "2026-02-17", "2026-02-19"])
assert.equal(billing.subscription._tag, "Paused")
assert.equal(billing.cycle.gridDate, "2026-03-16")
console.log(`retried on ${retriedOn.join(", ")}, then ${billing.subscription._tag}`)

await runtime.dispose()
