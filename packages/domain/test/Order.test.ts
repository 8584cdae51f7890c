import { assert, describe, it } from "@effect/vitest"
import { DateTime, Result, Schema } from "effect"
import * as fc from "fast-check"
import * as Order from "../src/Order.ts"
import { fieldsOf } from "../src/State.ts"
import * as Arbitraries from "../src/testing/Arbitraries.ts"
import {
  anyAttemptId,
  anyOrderId,
  anyOrderLineId,
  anySubscriptionId,
  anyUserId,
  expiredOrder,
  later,
  now,
  orderLine,
  paidOrder,
  partiallyRefundedOrder,
  placedOrder,
  quantity,
  receiver,
  subscriptionLine,
  won
} from "../src/testing/Fixtures.ts"
import { wonMax } from "../src/Won.ts"
import { law, machineLaws, rejected, succeeded } from "./Laws.ts"

// Tests of refusals hide from the compiler which state they give: it would refuse first.
const wide = (self: Order.Order): Order.Order => self

const attemptId = anyAttemptId()
const other = anyAttemptId(1)
const placing = { id: anyOrderId(), userId: anyUserId(), origin: new Order.FromLines(), receiver: receiver(), at: now }

describe("Order", () => {
  machineLaws<Order.Order>({
    transitions: Order.transitions,
    state: Arbitraries.order,
    command: Arbitraries.orderCommand,
    is: Schema.is(Order.Order)
  })

  law(
    "never changes its total, its lines or their prices once placed",
    [Arbitraries.order, Arbitraries.orderCommand],
    (self, { run }) => {
      const next = Result.getOrElse(run(self), () => self)
      assert.strictEqual(next.total, self.total)
      assert.strictEqual(next.discountTotal, self.discountTotal)
      assert.deepStrictEqual(
        next.lines.map((line) => [line.id, line.unitPrice, line.quantity]),
        self.lines.map((line) => [line.id, line.unitPrice, line.quantity])
      )
    }
  )

  law(
    "never gives back more than was paid, nor more units than a line has",
    [Arbitraries.order],
    (self) => {
      if (!("refundedTotal" in self)) return
      const given = self.lines.reduce((sum, line) => sum + line.unitPrice * line.refundedQuantity, 0)
      assert.strictEqual(self.refundedTotal, given)
      assert.isAtMost(self.refundedTotal, self.total)
      for (const line of self.lines) assert.isAtMost(line.refundedQuantity, line.quantity)
      assert.strictEqual(
        self._tag === "Refunded",
        self.lines.every((line) => line.refundedQuantity === line.quantity)
      )
    },
    1_000
  )

  law("survives being written and read", [Arbitraries.order], (self) => {
    const codec = Schema.toCodecJson(Order.Order)
    assert.deepStrictEqual(
      Schema.decodeUnknownSync(codec)(JSON.parse(JSON.stringify(Schema.encodeSync(codec)(self)))),
      self
    )
  })

  it("carries in each state only what belongs to it", () => {
    assert.notProperty(paidOrder(), "expiresAt")
    assert.notProperty(paidOrder(), "approvingAttempt")
    assert.notProperty(expiredOrder(), "approvingAttempt")
  })

  it("is not read when a field of its state is missing", () => {
    const codec = Schema.toCodecJson(Order.Order)
    const { paidBy: _, ...row } = { ...(Schema.encodeSync(codec)(paidOrder()) as Record<string, unknown>) }
    assert.strictEqual(Schema.decodeUnknownResult(codec)(row)._tag, "Failure")
  })
})

describe("Order.place", () => {
  it("adds up what is to be paid and what is saved", () => {
    const lines = [orderLine(), orderLine({ quantity: quantity(3), originPrice: won(5_000), unitPrice: won(5_000) }, 1)]
    const placed = succeeded(Order.place({ ...placing, lines }))
    assert.deepStrictEqual([placed.total, placed.discountTotal], [won(33_000), won(2_000)])
  })

  it("must be paid within half an hour", () => {
    assert.deepStrictEqual(placedOrder().expiresAt, DateTime.add(now, { minutes: 30 }))
  })

  it("refuses no lines, too many lines, and what costs nothing", () => {
    const empty = rejected(Order.place({ ...placing, lines: [] }), "OrderLinesInvalid")
    assert.strictEqual(empty.message, "an order needs at least one line")
    const many = Array.from({ length: Order.linesMax + 1 }, (_, index) => orderLine({}, index))
    assert.strictEqual(
      rejected(Order.place({ ...placing, lines: many }), "OrderLinesInvalid").message,
      "an order has at most 50 lines, not 51"
    )
    assert.strictEqual(succeeded(Order.place({ ...placing, lines: many.slice(1) })).lines.length, Order.linesMax)
    const free = [orderLine({ unitPrice: won(0) })]
    assert.strictEqual(
      rejected(Order.place({ ...placing, lines: free }), "OrderLinesInvalid").message,
      "an order costs at least one won"
    )
  })

  it("refuses a total that no amount can hold", () => {
    const dear = { originPrice: won(wonMax), unitPrice: won(wonMax) }
    rejected(Order.place({ ...placing, lines: [orderLine({ ...dear, quantity: quantity(2) })] }), "WonOutOfRange")
    rejected(
      Order.place({ ...placing, lines: [orderLine({ ...dear, quantity: quantity(1) }), orderLine({}, 1)] }),
      "WonOutOfRange"
    )
  })

  it("refuses a unit price above the price before the discount", () => {
    rejected(Order.place({ ...placing, lines: [orderLine({ unitPrice: won(10_001) })] }), "WonOutOfRange")
  })

  law(
    "costs Σ unit price × quantity, and saves the rest of Σ origin price × quantity",
    [Arbitraries.placedOrder],
    (placed) => {
      const sum = (price: (line: Order.OrderLine) => number) =>
        placed.lines.reduce((total, line) => total + price(line) * line.quantity, 0)
      assert.strictEqual(
        placed.total,
        sum((line) => line.unitPrice)
      )
      assert.strictEqual(
        placed.total + placed.discountTotal,
        sum((line) => line.originPrice)
      )
    }
  )
})

describe("Order.beginApproval", () => {
  it("lets one attempt approve at a time", () => {
    const begun = succeeded(Order.beginApproval(placedOrder(), attemptId, later(1)))
    assert.strictEqual(begun.approvingAttempt, attemptId)
    assert.strictEqual(succeeded(Order.beginApproval(begun, attemptId, later(2))).approvingAttempt, attemptId)
    rejected(Order.beginApproval(begun, other, later(2)), "OrderTransitionDenied")
  })

  it("is too late once the order's time is over, except for the attempt that began in time", () => {
    rejected(Order.beginApproval(placedOrder(), attemptId, later(30)), "OrderTransitionDenied")
    assert.strictEqual(succeeded(Order.beginApproval(placedOrder(), attemptId, later(29)))._tag, "Placed")
    const begun = succeeded(Order.beginApproval(placedOrder(), attemptId, later(29)))
    assert.strictEqual(succeeded(Order.beginApproval(begun, attemptId, later(45)))._tag, "Placed")
  })

  it("is ended by its own attempt alone", () => {
    const begun = succeeded(Order.beginApproval(placedOrder(), attemptId, later(1)))
    assert.strictEqual(Order.endApproval(begun, other), begun)
    assert.isNull(Order.endApproval(begun, attemptId).approvingAttempt)
  })

  it("is refused for a paid order", () => {
    const denial = rejected(Order.beginApproval(wide(paidOrder()), other, later(6)), "OrderTransitionDenied")
    assert.include(denial.message, "is Paid and does not allow beginApproval")
  })
})

describe("Order.expire", () => {
  it("waits until the time is over", () => {
    rejected(Order.expire(placedOrder(), later(29)), "OrderTransitionDenied")
    assert.deepStrictEqual(succeeded(Order.expire(placedOrder(), later(30))).expiredAt, later(30))
  })

  it("never expires while an approval may be moving money", () => {
    const begun = succeeded(Order.beginApproval(placedOrder(), attemptId, later(29)))
    rejected(Order.expire(begun, later(600)), "OrderTransitionDenied")
    assert.strictEqual(succeeded(Order.expire(Order.endApproval(begun, attemptId), later(600)))._tag, "Expired")
  })
})

describe("Order.pay", () => {
  it("pays once", () => {
    const paid = succeeded(Order.pay(placedOrder(), attemptId, later(5)))
    assert.deepStrictEqual([paid.paidBy, paid.paidAt, paid.refundedTotal], [attemptId, later(5), won(0)])
    rejected(Order.pay(wide(paid), other, later(6)), "OrderTransitionDenied")
    rejected(Order.pay(wide(expiredOrder()), other, later(60)), "OrderTransitionDenied")
    rejected(
      Order.pay(wide(succeeded(Order.failPayment(placedOrder(), later(2)))), other, later(6)),
      "OrderTransitionDenied"
    )
  })
})

describe("Order.renew", () => {
  it("is born paid", () => {
    const renewed = succeeded(
      Order.renew({
        id: anyOrderId(),
        userId: anyUserId(),
        origin: new Order.FromRenewal({ subscriptionId: anySubscriptionId(), cycleNumber: 3 }),
        line: orderLine(),
        receiver: receiver(),
        attemptId,
        at: later(5)
      })
    )
    assert.deepStrictEqual([renewed._tag, renewed.total, renewed.paidBy], ["Paid", won(18_000), attemptId])
    assert.isFalse(Order.hasSubscription(renewed))
    assert.deepStrictEqual([renewed.discountTotal, renewed.refundedTotal], [won(2_000), won(0)])
  })

  it("refuses a total that no amount can hold", () => {
    const line = orderLine({ originPrice: won(wonMax), unitPrice: won(wonMax) })
    const origin = new Order.FromRenewal({ subscriptionId: anySubscriptionId(), cycleNumber: 1 })
    rejected(
      Order.renew({ id: anyOrderId(), userId: anyUserId(), origin, line, receiver: receiver(), attemptId, at: now }),
      "WonOutOfRange"
    )
  })
})

describe("Order.hasSubscription", () => {
  it("is true when any line has a period", () => {
    assert.isTrue(Order.hasSubscription(placedOrder({ lines: [orderLine(), subscriptionLine({}, 1)] })))
    assert.isFalse(Order.hasSubscription(placedOrder()))
  })
})

describe("Order.nameOf", () => {
  it("names the first line and counts the others", () => {
    assert.strictEqual(Order.nameOf(placedOrder()), "루테인 0")
    assert.strictEqual(
      Order.nameOf(placedOrder({ lines: [orderLine(), orderLine({}, 1), orderLine({}, 2)] })),
      "루테인 0 외 2건"
    )
  })

  law(
    "fits an attempt's item name",
    [fc.string({ unit: "grapheme", minLength: 1, maxLength: 60 }), fc.integer({ min: 1, max: 4 })],
    (text, count) => {
      const itemName = text
        .repeat(8)
        .slice(0, 200)
        .replace(/[\uD800-\uDBFF]$/, "")
      const lines = Array.from({ length: count }, (_, index) => orderLine({ itemName }, index))
      const name = Order.nameOf(placedOrder({ lines }))
      assert.isAtMost(name.length, Order.nameLengthMax)
      assert.strictEqual(name, name.toWellFormed())
    }
  )
})

describe("Order.taxOf", () => {
  it("is one eleventh of the total, since all of it is taxable", () => {
    assert.deepStrictEqual(
      { ...Order.taxOf(paidOrder()) },
      { total: won(18_000), taxable: won(18_000), vat: won(1_636), taxFree: won(0) }
    )
  })
})

describe("Order.refundAmount", () => {
  const lineId = anyOrderLineId()

  it("is units × the price agreed", () => {
    const { amount, lines } = succeeded(Order.refundAmount(paidOrder(), [{ lineId, quantity: 1 }]))
    assert.deepStrictEqual([amount, lines], [won(9_000), [{ lineId, quantity: 1 }]])
  })

  it("of the rest is everything that is left", () => {
    assert.strictEqual(succeeded(Order.refundAmount(paidOrder(), "rest")).amount, 18_000)
    assert.strictEqual(succeeded(Order.refundAmount(partiallyRefundedOrder(), "rest")).amount, 9_000)
    assert.strictEqual(succeeded(Order.refundAmount(paidOrder(), "rest", [{ lineId, quantity: 1 }])).amount, 9_000)
  })

  it("refuses more units than are left, none, parts of one, and strange lines", () => {
    const ask = (asked: ReadonlyArray<Order.RefundLine>) =>
      rejected(Order.refundAmount(paidOrder(), asked), "RefundLinesInvalid")
    assert.deepStrictEqual([ask([{ lineId, quantity: 3 }]).available, ask([{ lineId, quantity: 3 }]).asked], [2, 3])
    assert.include(ask([{ lineId, quantity: 3 }]).message, "2 are left")
    assert.strictEqual(ask([{ lineId: anyOrderLineId("strange"), quantity: 1 }]).available, 0)
    ask([{ lineId, quantity: 0 }])
    ask([{ lineId, quantity: -1 }])
    assert.strictEqual(ask([]).message, "nothing is left to refund")
  })

  it("refuses a number of units that is not whole, as a rejection and not by throwing", () => {
    for (const units of [0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      rejected(Order.refundAmount(paidOrder(), [{ lineId, quantity: units }]), "RefundLinesInvalid")
    }
  })

  it("refuses the same line twice", () => {
    rejected(
      Order.refundAmount(paidOrder(), [
        { lineId, quantity: 1 },
        { lineId, quantity: 1 }
      ]),
      "RefundLinesInvalid"
    )
  })

  it("does not promise the same units to two refunds", () => {
    rejected(
      Order.refundAmount(paidOrder(), [{ lineId, quantity: 1 }], [{ lineId, quantity: 2 }]),
      "RefundLinesInvalid"
    )
    rejected(Order.refundAmount(paidOrder(), "rest", [{ lineId, quantity: 2 }]), "RefundLinesInvalid")
  })

  it("comes with the tax of this refund, after what was given back and what is pending", () => {
    // 18,000 won contain 1,636 won of tax; 9,000 won, 818.
    const half = succeeded(Order.refundAmount(paidOrder(), [{ lineId, quantity: 1 }])).tax
    assert.deepStrictEqual({ ...half }, { total: won(9_000), taxable: won(9_000), vat: won(818), taxFree: won(0) })
    assert.deepStrictEqual(succeeded(Order.refundAmount(paidOrder(), "rest")).tax, Order.taxOf(paidOrder()))
    const lines = [orderLine({ originPrice: won(16), unitPrice: won(16) })]
    const one = [{ lineId, quantity: 1 }]
    const first = succeeded(Order.refundAmount(paidOrder({ lines }), one))
    const whilePending = succeeded(Order.refundAmount(paidOrder({ lines }), one, one))
    const refunded = succeeded(Order.refund(paidOrder({ lines }), first.lines, first.amount))
    const second = succeeded(Order.refundAmount(refunded, one))
    assert.deepStrictEqual([first.tax.vat, whilePending.tax.vat, second.tax.vat], [won(1), won(2), won(2)])
  })

  it("counts what is pending at the price of its own line", () => {
    const lines = [orderLine({ originPrice: won(3), unitPrice: won(3) }), orderLine({}, 1)]
    const pending = [{ lineId: anyOrderLineId(1), quantity: 1 }]
    // 9,000 won and 9,003 won contain the same tax; had 3 won been promised, that of 6 won would be 1 won more.
    const { tax } = succeeded(Order.refundAmount(paidOrder({ lines }), [{ lineId, quantity: 1 }], pending))
    assert.strictEqual(tax.vat, 0)
  })

  it("does not count what is pending of another order", () => {
    const pending = [{ lineId: anyOrderLineId("strange"), quantity: 1 }]
    assert.deepStrictEqual(
      Order.refundAmount(paidOrder(), [{ lineId, quantity: 1 }], pending),
      Order.refundAmount(paidOrder(), [{ lineId, quantity: 1 }])
    )
  })

  it("refuses to give back more than is left of the total, should the books say so", () => {
    const order = new Order.PartiallyRefunded({ ...fieldsOf(paidOrder()), refundedTotal: won(10_000) })
    assert.strictEqual(rejected(Order.refundAmount(order, "rest"), "WonOutOfRange").amount, -10_000)
  })

  it("takes units that are promised already from their own line alone", () => {
    const order = paidOrder({ lines: [orderLine(), orderLine({ quantity: quantity(3) }, 1)], total: won(45_000) })
    const pending = [
      { lineId: anyOrderLineId(1), quantity: 1 },
      { lineId: anyOrderLineId(1), quantity: 1 }
    ]
    const rest = succeeded(Order.refundAmount(order, "rest", pending))
    assert.deepStrictEqual(rest.lines, [
      { lineId, quantity: 2 },
      { lineId: anyOrderLineId(1), quantity: 1 }
    ])
    assert.strictEqual(rest.amount, 27_000)
  })

  it("is refused unless the order is paid and not all given back", () => {
    rejected(Order.refundAmount(placedOrder(), "rest"), "OrderTransitionDenied")
    const rest = succeeded(Order.refundAmount(paidOrder(), "rest"))
    const refunded = succeeded(Order.refund(paidOrder(), rest.lines, rest.amount))
    rejected(Order.refundAmount(refunded, "rest"), "OrderTransitionDenied")
    rejected(Order.refund(refunded, rest.lines, rest.amount), "OrderTransitionDenied")
  })

  law(
    "of several refunds and then the rest is exactly the total, and so is its tax",
    [Arbitraries.placedOrder, fc.array(fc.nat(3), { maxLength: 6 })],
    (placed, picks) => {
      let order: Order.Order = succeeded(Order.pay(placed, attemptId, later(5)))
      let given = 0
      let vat = 0
      for (const pick of picks) {
        const line = order.lines[pick % order.lines.length]
        if (line === undefined) continue
        const asked = Order.refundAmount(order, [{ lineId: line.id, quantity: 1 }])
        if (Result.isFailure(asked)) continue
        order = succeeded(Order.refund(order, asked.success.lines, asked.success.amount))
        given += asked.success.amount
        vat += asked.success.tax.vat
      }
      const rest = Order.refundAmount(order, "rest")
      if (Result.isSuccess(rest)) {
        order = succeeded(Order.refund(order, rest.success.lines, rest.success.amount))
        given += rest.success.amount
        vat += rest.success.tax.vat
      }
      assert.strictEqual(order._tag, "Refunded")
      assert.strictEqual(given, placed.total)
      assert.strictEqual(vat, Order.taxOf(placed).vat)
    },
    500
  )
})
