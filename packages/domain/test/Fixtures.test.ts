import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import * as fc from "fast-check"
import * as Attempt from "../src/Attempt.ts"
import * as BillingCycle from "../src/BillingCycle.ts"
import { BillingKey } from "../src/BillingKey.ts"
import { ItemId } from "../src/Ids.ts"
import * as Order from "../src/Order.ts"
import { Review } from "../src/Review.ts"
import { SubscriptionOrder } from "../src/SubscriptionOrder.ts"
import * as Fixtures from "../src/testing/Fixtures.ts"
import { User } from "../src/User.ts"
import { law } from "./Laws.ts"

describe("Fixtures", () => {
  it("answer the same value each time, and another for another seed", () => {
    assert.deepStrictEqual(Fixtures.placedOrder(), Fixtures.placedOrder())
    assert.deepStrictEqual(Fixtures.user({}, "a"), Fixtures.user({}, "a"))
    assert.notDeepEqual(Fixtures.user({}, "a"), Fixtures.user({}, "b"))
    assert.notStrictEqual<string>(Fixtures.anyOrderId(), Fixtures.anyItemId())
  })

  it("are states their schemas accept", () => {
    const groups = [
      [
        Order.Order,
        [Fixtures.placedOrder(), Fixtures.paidOrder(), Fixtures.partiallyRefundedOrder(), Fixtures.expiredOrder()]
      ],
      [
        Attempt.Attempt,
        [
          Fixtures.preparedAttempt(),
          Fixtures.sentAttempt(),
          Fixtures.awaitingCustomerAttempt(),
          Fixtures.sentApproval(),
          Fixtures.unknownAttempt(),
          Fixtures.approvedAttempt()
        ]
      ],
      [
        BillingCycle.BillingCycle,
        [
          Fixtures.dueCycle(),
          Fixtures.keylessCycle(),
          Fixtures.inFlightCycle(),
          Fixtures.inDoubtCycle(),
          Fixtures.retryDueCycle()
        ]
      ],
      [
        SubscriptionOrder,
        [
          Fixtures.subscription(),
          Fixtures.keylessSubscription(),
          Fixtures.pastDueSubscription(),
          Fixtures.pausedSubscription(),
          Fixtures.cancelledSubscription()
        ]
      ],
      [BillingKey, [Fixtures.pendingKey(), Fixtures.activeKey()]],
      [User, [Fixtures.user(), Fixtures.admin(), Fixtures.withdrawnUser()]],
      [Review, [Fixtures.review(), Fixtures.deletedReview()]]
    ] as const
    for (const [schema, states] of groups) {
      for (const state of states) assert.isTrue(Schema.is(schema)(state), state._tag)
    }
  })

  it("carry overrides", () => {
    assert.strictEqual(Fixtures.paidOrder({ userId: Fixtures.anyUserId("b") }).userId, Fixtures.anyUserId("b"))
    assert.strictEqual(
      Fixtures.paidOrder({ lines: [Fixtures.orderLine({ quantity: Fixtures.quantity(3) })] }).total,
      27_000
    )
    assert.strictEqual(Fixtures.dueCycle({ gridDate: Fixtures.day("2026-05-01") }).nextAttemptOn, "2026-05-01")
    assert.strictEqual(Fixtures.review({ stars: Fixtures.stars(1) }).stars, 1)
    assert.strictEqual(Fixtures.subscription({ period: Fixtures.period(90) }).period, 90)
  })

  law("make UUIDs that differ with the seed", [fc.nat(), fc.nat()], (one, other) => {
    assert.isTrue(Schema.is(ItemId)(Fixtures.anyItemId(one)))
    assert.strictEqual(Fixtures.anyItemId(one) === Fixtures.anyItemId(other), one === other)
  })

  it("make no id twice among ten thousand", () => {
    const ids = Array.from({ length: 10_000 }, (_, index) => Fixtures.anyAttemptId(index))
    assert.strictEqual(new Set(ids).size, ids.length)
  })
})
