import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import * as fc from "fast-check"
import * as BillingKey from "../src/BillingKey.ts"
import * as Arbitraries from "../src/testing/Arbitraries.ts"
import { activeKey, anyAttemptId, anyProviderBillingKey, later, now, pendingKey } from "../src/testing/Fixtures.ts"
import { law, machineLaws, rejected, succeeded } from "./Laws.ts"

// Tests of refusals hide from the compiler which state they give: it would refuse first.
const wide = (self: BillingKey.BillingKey): BillingKey.BillingKey => self

const holder = anyAttemptId()
const unused = activeKey({ liveUses: 0 })

describe("BillingKey", () => {
  machineLaws<BillingKey.BillingKey>({
    transitions: BillingKey.transitions,
    state: Arbitraries.billingKey,
    command: Arbitraries.billingKeyCommand,
    is: Schema.is(BillingKey.BillingKey)
  })

  law("counts its uses from zero", [Arbitraries.billingKey], (self) => assert.isAtLeast(self.liveUses, 0))

  law("survives being written and read", [Arbitraries.billingKey], (self) => {
    const codec = Schema.toCodecJson(BillingKey.BillingKey)
    assert.deepStrictEqual(
      Schema.decodeUnknownSync(codec)(JSON.parse(JSON.stringify(Schema.encodeSync(codec)(self)))),
      self
    )
  })
})

describe("BillingKey.activate", () => {
  it("remembers the first charge as evidence, or that there was none", () => {
    assert.deepStrictEqual(activeKey().lastKnownApproval, now)
    const registered = succeeded(BillingKey.activate(pendingKey(), anyProviderBillingKey(), null))
    assert.isNull(registered.lastKnownApproval)
    assert.strictEqual(registered.billingKey, anyProviderBillingKey())
  })

  it("happens once", () => {
    const denial = rejected(
      BillingKey.activate(wide(activeKey()), anyProviderBillingKey(1), null),
      "BillingKeyTransitionDenied"
    )
    assert.include(denial.message, "is Active and does not allow activate")
  })
})

describe("BillingKey.hold and release", () => {
  it("let one attempt hold the key", () => {
    const held = succeeded(BillingKey.hold(activeKey(), holder))
    assert.strictEqual(held.inFlight, holder)
    assert.strictEqual(rejected(BillingKey.hold(held, anyAttemptId(1)), "BillingKeyTransitionDenied").command, "hold")
    assert.strictEqual(
      rejected(BillingKey.hold(wide(pendingKey()), holder), "BillingKeyTransitionDenied").command,
      "hold"
    )
  })

  it("let nobody but the holder give the key back", () => {
    const held = succeeded(BillingKey.hold(activeKey(), holder))
    assert.strictEqual(BillingKey.release(held, anyAttemptId(1)), held)
    assert.isNull(BillingKey.release(held, holder).inFlight)
  })

  law("change nothing else in any state", [Arbitraries.billingKey], (self) => {
    const released = BillingKey.release(self, holder)
    assert.strictEqual(released._tag, self._tag)
    assert.strictEqual(released.inFlight, self.inFlight === holder ? null : self.inFlight)
    assert.deepStrictEqual(released.lastKnownApproval, self.lastKnownApproval)
  })
})

describe("BillingKey.rememberApproval", () => {
  it("changes nothing for the approval it knows, or for an earlier one", () => {
    const key = BillingKey.rememberApproval(activeKey(), later(5))
    assert.strictEqual(BillingKey.rememberApproval(key, later(5)), key)
    assert.strictEqual(BillingKey.rememberApproval(key, later(4)), key)
  })

  law(
    "keeps the latest of all approvals, in any order",
    [fc.array(fc.nat(1_000), { minLength: 1, maxLength: 8 })],
    (minutes) => {
      const key = minutes.reduce<BillingKey.BillingKey>(
        (self, minute) => BillingKey.rememberApproval(self, later(minute)),
        pendingKey()
      )
      assert.deepStrictEqual(key.lastKnownApproval, later(Math.max(...minutes)))
    }
  )
})

describe("BillingKey.attach and detach", () => {
  it("count the subscriptions that use the key", () => {
    const twice = succeeded(BillingKey.attach(activeKey()))
    assert.strictEqual(twice.liveUses, 2)
    assert.strictEqual(BillingKey.detach(BillingKey.detach(BillingKey.detach(twice))).liveUses, 0)
    assert.strictEqual(succeeded(BillingKey.attach(pendingKey())).liveUses, 2)
  })

  it("attach nothing to a key on its way out", () => {
    const retiring = succeeded(BillingKey.retire(unused))
    const ways = [
      retiring,
      succeeded(BillingKey.confirmRetired(retiring)),
      succeeded(BillingKey.revoke(activeKey())),
      succeeded(BillingKey.freeze(activeKey()))
    ]
    for (const key of ways) rejected(BillingKey.attach(wide(key)), "BillingKeyTransitionDenied")
  })
})

describe("BillingKey.retire", () => {
  it("needs a key that nothing uses and nothing holds", () => {
    assert.strictEqual(succeeded(BillingKey.retire(unused))._tag, "Retiring")
    rejected(BillingKey.retire(activeKey()), "BillingKeyTransitionDenied")
    rejected(BillingKey.retire(activeKey({ liveUses: 0, inFlight: holder })), "BillingKeyTransitionDenied")
    rejected(BillingKey.confirmRetired(wide(unused)), "BillingKeyTransitionDenied")
  })

  law("is possible exactly when isRetirable says so", [Arbitraries.billingKey], (self) => {
    assert.strictEqual(BillingKey.retire(self)._tag === "Success", BillingKey.isRetirable(self))
  })
})

describe("BillingKey.freeze", () => {
  it("stops charging until an operator decided", () => {
    const frozen = succeeded(BillingKey.freeze(activeKey()))
    rejected(BillingKey.hold(wide(frozen), holder), "BillingKeyTransitionDenied")
    assert.strictEqual(succeeded(BillingKey.unfreeze(frozen))._tag, "Active")
    assert.strictEqual(succeeded(BillingKey.revoke(frozen))._tag, "Revoked")
    rejected(BillingKey.freeze(wide(frozen)), "BillingKeyTransitionDenied")
    rejected(BillingKey.unfreeze(wide(activeKey())), "BillingKeyTransitionDenied")
  })
})

describe("BillingKey.abandon", () => {
  it("ends a key that was never registered", () => {
    assert.isFalse("billingKey" in succeeded(BillingKey.abandon(pendingKey())))
    rejected(BillingKey.abandon(wide(activeKey())), "BillingKeyTransitionDenied")
    rejected(BillingKey.revoke(wide(pendingKey())), "BillingKeyTransitionDenied")
  })
})
