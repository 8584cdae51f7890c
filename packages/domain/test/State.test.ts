import { assert, describe, it } from "@effect/vitest"
import type * as DateTime from "effect/DateTime"
import * as Schema from "effect/Schema"
import * as State from "../src/State.ts"
import * as SubscriptionOrder from "../src/SubscriptionOrder.ts"
import type { Won } from "../src/Won.ts"
import * as Arbitraries from "../src/testing/Arbitraries.ts"
import { later, preparedAttempt, subscription } from "../src/testing/Fixtures.ts"
import * as Attempt from "../src/Attempt.ts"
import { law } from "./Laws.ts"

const { Active, Cancelled, PastDue, Paused } = SubscriptionOrder

describe("State.next", () => {
  it("carries fields over, takes what changes, and leaves behind what the next state has not", () => {
    const withdrawn = State.next(Attempt.Withdrawn, preparedAttempt(), { detail: "over capacity", endedAt: later(1) })
    assert.instanceOf(withdrawn, Attempt.Withdrawn)
    assert.strictEqual(withdrawn._tag, "Withdrawn")
    assert.notProperty(withdrawn, "lease")
    assert.strictEqual(withdrawn.id, preparedAttempt().id)
    assert.strictEqual(withdrawn.detail, "over capacity")
  })

  law("builds what the class itself builds", [Arbitraries.subscription], (self) => {
    if (self._tag !== "Active") return
    assert.deepStrictEqual(State.next(PastDue, self, {}), new PastDue(State.fieldsOf(self)))
    assert.deepStrictEqual(
      State.next(Paused, self, { by: "owner", resumeOn: null }),
      new Paused({ ...State.fieldsOf(self), by: "owner", resumeOn: null })
    )
  })

  it("validates every field that changes, as the class does", () => {
    const fraction = 0.5 as Won
    assert.throws(() => State.next(Active, subscription(), { unitPrice: fraction }))
    assert.throws(() => new Active({ ...subscription(), unitPrice: fraction }))
    const tooLong = "x".repeat(501)
    assert.throws(() => State.next(Attempt.Withdrawn, preparedAttempt(), { detail: tooLong, endedAt: later(1) }))
    const noInstant: DateTime.Utc = JSON.parse("null")
    assert.throws(() => State.next(Attempt.Withdrawn, preparedAttempt(), { detail: tooLong, endedAt: noInstant }))
  })

  it("checks the types of what is carried over", () => {
    // What a cast or plain JavaScript may hand in; the branded compiler types are switched off on purpose.
    const broken: SubscriptionOrder.Active = JSON.parse(JSON.stringify({ ...subscription(), id: 7 }))
    assert.throws(() => State.next(Cancelled, broken, { reason: "owner", cancelledAt: later(1) }))
  })
})

describe("State.targetsOf", () => {
  it("names each state a state may lead to once, and none for an end", () => {
    assert.sameMembers(
      [...State.targetsOf<SubscriptionOrder.Tag>(SubscriptionOrder.transitions, "Active")],
      ["Active", "PastDue", "Paused", "Cancelled"]
    )
    assert.isEmpty(State.targetsOf<SubscriptionOrder.Tag>(SubscriptionOrder.transitions, "Cancelled"))
  })
})

describe("State.fieldsOf", () => {
  it("takes off the tag and nothing else", () => {
    const fields = State.fieldsOf(subscription())
    assert.notProperty(fields, "_tag")
    assert.deepStrictEqual(new Active(fields), subscription())
    assert.isFalse(Schema.is(Active)(fields))
  })
})
