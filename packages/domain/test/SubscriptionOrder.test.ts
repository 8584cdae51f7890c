import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import * as fc from "fast-check"
import * as SubscriptionOrder from "../src/SubscriptionOrder.ts"
import * as Arbitraries from "../src/testing/Arbitraries.ts"
import {
  anyBillingKeyId,
  cancelledSubscription,
  day,
  keylessSubscription,
  later,
  pastDueSubscription,
  pausedSubscription,
  period,
  quantity,
  subscription,
  won
} from "../src/testing/Fixtures.ts"
import { wonMax } from "../src/Won.ts"
import { law, machineLaws, rejected, succeeded } from "./Laws.ts"

// Tests of refusals hide from the compiler which state they give: it would refuse first.
const wide = (self: SubscriptionOrder.SubscriptionOrder): SubscriptionOrder.SubscriptionOrder => self

describe("SubscriptionOrder", () => {
  machineLaws<SubscriptionOrder.SubscriptionOrder>({
    transitions: SubscriptionOrder.transitions,
    state: Arbitraries.subscription,
    command: Arbitraries.subscriptionCommand,
    is: Schema.is(SubscriptionOrder.SubscriptionOrder)
  })

  law(
    "keeps the price and the anchor the customer agreed to",
    [Arbitraries.subscription, Arbitraries.subscriptionCommand],
    (self, { run }) => {
      const next = Result.getOrElse(run(self), () => self)
      assert.strictEqual(next.unitPrice, self.unitPrice)
      assert.strictEqual(next.anchor, self.anchor)
    }
  )

  law("is never skipped more often in a row than allowed", [Arbitraries.subscription], (self) => {
    assert.isAtMost(self.skipsInARow, SubscriptionOrder.skipsInARowMax)
  })

  law("can be cancelled from any state but the end", [Arbitraries.subscription], (self) => {
    const cancelled = SubscriptionOrder.cancel(self, "owner", later(60))
    assert.strictEqual(Result.isSuccess(cancelled), self._tag !== "Cancelled")
  })

  law("is charged only while active or past due", [Arbitraries.subscription], (self) => {
    assert.strictEqual(Result.isSuccess(SubscriptionOrder.touch(self)), SubscriptionOrder.isChargeable(self))
    assert.strictEqual(SubscriptionOrder.isChargeable(self), self._tag === "Active" || self._tag === "PastDue")
  })

  law("survives being written and read", [Arbitraries.subscription], (self) => {
    const codec = Schema.toCodecJson(SubscriptionOrder.SubscriptionOrder)
    assert.deepStrictEqual(
      Schema.decodeUnknownSync(codec)(JSON.parse(JSON.stringify(Schema.encodeSync(codec)(self)))),
      self
    )
  })
})

describe("SubscriptionOrder.begin", () => {
  it("is active with a key and waits without one", () => {
    assert.strictEqual(subscription()._tag, "Active")
    assert.isNull(keylessSubscription().pendingBillingKeyId)
    const { unitPrice, quantity: units, period: days, anchor } = subscription()
    assert.deepStrictEqual([unitPrice, units, days, anchor], [won(9_000), quantity(2), period(30), day("2026-01-15")])
  })
})

describe("SubscriptionOrder.amountOf", () => {
  it("is the price agreed × quantity", () => {
    assert.strictEqual(succeeded(SubscriptionOrder.amountOf(subscription())), 18_000)
    rejected(SubscriptionOrder.amountOf(subscription({ unitPrice: won(wonMax) })), "WonOutOfRange")
  })
})

describe("SubscriptionOrder.skip", () => {
  it("allows two skips in a row, and two more after a charge", () => {
    const once = succeeded(SubscriptionOrder.skip(subscription()))
    const twice = succeeded(SubscriptionOrder.skip(once))
    const limit = rejected(SubscriptionOrder.skip(twice), "SkipLimitReached")
    assert.strictEqual(limit.message, "2 deliveries in a row were skipped; at most 2 may be")
    assert.strictEqual(
      succeeded(SubscriptionOrder.skip(succeeded(SubscriptionOrder.settle(twice, day("2026-02-14"))))).skipsInARow,
      1
    )
  })

  it("makes a past due subscription active: the delivery that was declined is left out", () => {
    assert.strictEqual(succeeded(SubscriptionOrder.skip(pastDueSubscription()))._tag, "Active")
  })

  it("is refused while paused, cancelled or without a key", () => {
    for (const self of [pausedSubscription(), cancelledSubscription(), keylessSubscription()]) {
      rejected(SubscriptionOrder.skip(wide(self)), "SubscriptionTransitionDenied")
    }
  })
})

describe("SubscriptionOrder.settle", () => {
  it("makes a past due subscription active again, and leaves others where they are", () => {
    assert.strictEqual(succeeded(SubscriptionOrder.settle(pastDueSubscription(), day("2026-02-14")))._tag, "Active")
    for (const self of [subscription(), pausedSubscription(), keylessSubscription()]) {
      assert.strictEqual(succeeded(SubscriptionOrder.settle(self, day("2026-02-14")))._tag, self._tag)
    }
    rejected(SubscriptionOrder.settle(wide(cancelledSubscription()), day("2026-02-14")), "SubscriptionTransitionDenied")
  })
})

describe("SubscriptionOrder.pause and resume", () => {
  it("remember who paused and until when", () => {
    const paused = succeeded(SubscriptionOrder.pause(pastDueSubscription(), "policy", day("2026-05-01")))
    assert.deepStrictEqual([paused.by, paused.resumeOn], ["policy", day("2026-05-01")])
    const resumed = succeeded(SubscriptionOrder.resume(paused))
    assert.strictEqual(resumed._tag, "Active")
    assert.notProperty(resumed, "resumeOn")
  })

  it("are refused where there is nothing to pause or resume", () => {
    rejected(SubscriptionOrder.pause(pausedSubscription(), "policy", null), "SubscriptionTransitionDenied")
    rejected(SubscriptionOrder.pause(wide(keylessSubscription()), "owner", null), "SubscriptionTransitionDenied")
    const denial = rejected(SubscriptionOrder.resume(wide(subscription())), "SubscriptionTransitionDenied")
    assert.include(denial.message, "is Active and does not allow resume")
  })
})

describe("SubscriptionOrder.cancel", () => {
  it("remembers the key it used, or was to use", () => {
    assert.strictEqual(cancelledSubscription().billingKeyId, anyBillingKeyId())
    const expecting = succeeded(SubscriptionOrder.expectKey(keylessSubscription(), anyBillingKeyId(7)))
    assert.strictEqual(
      succeeded(SubscriptionOrder.cancel(expecting, "noBillingKey", later(1))).billingKeyId,
      anyBillingKeyId(7)
    )
  })
})

describe("SubscriptionOrder.change", () => {
  it("changes what is asked and nothing else, in every state but the end", () => {
    const wanted = { quantity: quantity(5) }
    for (const self of [subscription(), pastDueSubscription(), pausedSubscription(), keylessSubscription()]) {
      const changed = succeeded(SubscriptionOrder.change(self, wanted))
      assert.deepStrictEqual([changed._tag, changed.quantity, changed.period], [self._tag, quantity(5), self.period])
    }
    rejected(SubscriptionOrder.change(wide(cancelledSubscription()), wanted), "SubscriptionTransitionDenied")
  })

  law("takes any period", [Arbitraries.period, fc.constant(subscription())], (days, self) => {
    assert.strictEqual(succeeded(SubscriptionOrder.change(self, { period: days })).period, days)
  })
})

describe("SubscriptionOrder.replaceKey and expectKey", () => {
  it("replace the key in place, and activate what waited for one", () => {
    const key = anyBillingKeyId(7)
    for (const self of [subscription(), pastDueSubscription(), pausedSubscription()]) {
      const replaced = succeeded(SubscriptionOrder.replaceKey(self, key))
      assert.deepStrictEqual([replaced._tag, replaced.billingKeyId], [self._tag, key])
    }
    const activated = succeeded(SubscriptionOrder.replaceKey(keylessSubscription(), key))
    assert.strictEqual(activated._tag, "Active")
    assert.notProperty(activated, "pendingBillingKeyId")
    rejected(SubscriptionOrder.replaceKey(wide(cancelledSubscription()), key), "SubscriptionTransitionDenied")
    rejected(SubscriptionOrder.expectKey(wide(subscription()), key), "SubscriptionTransitionDenied")
  })
})

describe("SubscriptionOrder.fallBehind and recover", () => {
  it("go back and forth between active and past due", () => {
    assert.strictEqual(succeeded(SubscriptionOrder.fallBehind(pastDueSubscription()))._tag, "PastDue")
    assert.strictEqual(succeeded(SubscriptionOrder.recover(pastDueSubscription()))._tag, "Active")
    rejected(SubscriptionOrder.recover(wide(pausedSubscription())), "SubscriptionTransitionDenied")
    rejected(SubscriptionOrder.fallBehind(wide(pausedSubscription())), "SubscriptionTransitionDenied")
  })
})
