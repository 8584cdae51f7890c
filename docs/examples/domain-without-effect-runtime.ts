/**
 * The domain in plain synchronous TypeScript: no runtime, no promise, no generator, only functions that answer values.
 *
 * A cart is priced, ordered, paid and given back in part. What the rules forbid comes back as a failure with fields, and
 * the compiler knows which failures there can be.
 *
 * @since 0.1.0
 */
import * as BusinessDate from "@pillivery/domain/BusinessDate"
import * as Cart from "@pillivery/domain/Cart"
import { AttemptId, ItemId, OrderId, OrderLineId, UserId } from "@pillivery/domain/Ids"
import * as Item from "@pillivery/domain/Item"
import * as Order from "@pillivery/domain/Order"
import { Phone } from "@pillivery/domain/Phone"
import { Quantity } from "@pillivery/domain/Quantity"
import * as Rate from "@pillivery/domain/Rate"
import { Address, Receiver } from "@pillivery/domain/Receiver"
import * as Won from "@pillivery/domain/Won"
import * as Result from "effect/Result"
import assert from "node:assert/strict"

// Ids and times come from you: the domain makes none. Fixed ones here, UUIDv7 and a clock in a shop.
const idOf = (serial: number): string => `019b0000-0000-7000-8000-${String(serial).padStart(12, "0")}`
const today = BusinessDate.BusinessDate.make("2026-11-23")
const tenOClock = BusinessDate.instantAt(today, 10 * 60)

const lutein = Item.create({
  id: ItemId.make(idOf(1)),
  information: new Item.Information({
    productName: "루테인",
    brand: "온결바이오",
    statementNumber: "20190017010001",
    registeredDate: "2019-03-12",
    distributionPeriod: "제조일로부터 24개월",
    appearance: "연질캡슐",
    servingUse: "1일 1회, 1회 1캡슐",
    preservePeriod: "서늘하고 건조한 곳",
    intake: "알레르기 체질은 성분 확인",
    mainFunction: "눈 건강에 도움을 줄 수 있음",
    baseStandard: "표시량의 80~120 %"
  }),
  origin: Won.Won.make(20_000),
  rate: Rate.Rate.make(100), // per mille
  images: new Item.Images({ thumbnail: "/images/thumbnail.webp", description: "/images/description.webp" })
})

// A cart keeps no prices: what it costs follows from the catalogue of the moment.
const cart = Result.getOrThrow(
  Cart.add(Cart.empty(UserId.make(idOf(2)), "normal"), {
    itemId: lutein.id,
    quantity: Quantity.make(3),
    period: null,
    seenPrice: lutein.price.real,
    at: tenOClock
  })
)
const priced = Result.getOrThrow(Cart.price(cart, new Map([[lutein.id, lutein]])))
assert.equal(priced.total, 54_000)
assert.equal(priced.discountTotal, 6_000)

// An order does: these are the prices that the customer agreed to.
const lines = priced.lines.flatMap((line) =>
  line.status === "vanished"
    ? []
    : [
        Order.OrderLine.make({
          id: OrderLineId.make(idOf(3)),
          itemId: line.item.id,
          itemName: line.item.information.productName,
          originPrice: line.item.price.origin,
          unitPrice: line.item.price.real,
          quantity: line.line.quantity,
          period: line.line.period,
          refundedQuantity: 0
        })
      ]
)
const placed = Result.getOrThrow(
  Order.place({
    id: OrderId.make(idOf(4)),
    userId: cart.userId,
    origin: new Order.FromCart({ cart: cart.kind }),
    lines,
    receiver: new Receiver({
      realName: "김민지",
      phone: Phone.make("010-1234-5678"),
      address: new Address({ city: "서울특별시 마포구 월드컵북로 1", detail: "101동 202호" })
    }),
    at: tenOClock
  })
)
const paid = Result.getOrThrow(Order.pay(placed, AttemptId.make(idOf(5)), tenOClock))
assert.equal(placed._tag, "Placed") // nothing is changed in place
assert.equal(paid._tag, "Paid")

/** Gives units of the order's only line back, or says in words why not. */
const giveBack = (order: Order.Paid | Order.PartiallyRefunded, units: number): string => {
  const asked = Order.refundAmount(order, [{ lineId: OrderLineId.make(idOf(3)), quantity: units }])
  if (Result.isFailure(asked)) {
    switch (asked.failure._tag) {
      case "RefundLinesInvalid":
        return `${asked.failure.asked} cannot be given back, ${asked.failure.available} are left`
      case "OrderTransitionDenied":
      case "WonOutOfRange":
        return asked.failure.message
    }
  }
  const { amount } = asked.success
  return Result.match(Order.refund(order, asked.success.lines, amount), {
    onSuccess: (refunded) => `${amount} won back, the order is ${refunded._tag}`,
    onFailure: (denied) => denied.message
  })
}
assert.equal(giveBack(paid, 1), "18000 won back, the order is PartiallyRefunded")
assert.equal(giveBack(paid, 3), "54000 won back, the order is Refunded")
assert.equal(giveBack(paid, 4), "4 cannot be given back, 3 are left")

console.log(`${Order.nameOf(paid)}, ${paid.total} won, paid; ${giveBack(paid, 1)}`)
