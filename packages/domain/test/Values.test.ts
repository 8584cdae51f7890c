import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import * as fc from "fast-check"
import { DeclineReason } from "../src/DeclineReason.ts"
import * as DeliveryPeriod from "../src/DeliveryPeriod.ts"
import * as DomainEvent from "../src/DomainEvent.ts"
import * as Ids from "../src/Ids.ts"
import * as Payment from "../src/Payment.ts"
import * as PaymentStrategy from "../src/PaymentStrategy.ts"
import * as Phone from "../src/Phone.ts"
import * as Provider from "../src/Provider.ts"
import * as ProviderAnswer from "../src/ProviderAnswer.ts"
import * as Quantity from "../src/Quantity.ts"
import { Address, Receiver } from "../src/Receiver.ts"
import { fieldsOf } from "../src/State.ts"
import * as Arbitraries from "../src/testing/Arbitraries.ts"
import {
  anyAttemptId,
  anyOrderId,
  anyUserId,
  hardDecline,
  now,
  paidOrder,
  payment,
  receiver,
  won
} from "../src/testing/Fixtures.ts"
import { law } from "./Laws.ts"

describe("Quantity", () => {
  it("is 1 to 999 whole units", () => {
    for (const units of [1, Quantity.quantityMax]) assert.isTrue(Schema.is(Quantity.Quantity)(units))
    for (const units of [0, -1, 1_000, 1.5, Number.NaN]) assert.isFalse(Schema.is(Quantity.Quantity)(units))
  })
})

describe("DeliveryPeriod", () => {
  it("is 30 to 365 whole days, and the shop offers some of them", () => {
    for (const days of [30, 365, ...DeliveryPeriod.periodsOffered])
      assert.isTrue(Schema.is(DeliveryPeriod.DeliveryPeriod)(days))
    for (const days of [29, 366, 0, -30, 30.5]) assert.isFalse(Schema.is(DeliveryPeriod.DeliveryPeriod)(days))
  })
})

describe("Ids", () => {
  const { EventId: _, ...uuids } = { ...Ids }

  it("are UUIDs", () => {
    for (const [name, id] of Object.entries(uuids)) {
      assert.isTrue(Schema.is(id)(anyOrderId()), name)
      for (const text of ["", "1", "not-a-uuid", `${anyOrderId()}0`]) assert.isFalse(Schema.is(id)(text), name)
    }
  })

  it("of events are short and not empty", () => {
    assert.isTrue(Schema.is(Ids.EventId)("a".repeat(190)))
    for (const text of ["", "a".repeat(191)]) assert.isFalse(Schema.is(Ids.EventId)(text))
  })
})

describe("Phone", () => {
  it("is a Korean mobile number, hyphens or not", () => {
    for (const text of ["010-1234-5678", "01012345678", "011-123-4567", "0191234567"])
      assert.isTrue(Schema.is(Phone.Phone)(text), text)
    for (const text of [
      "",
      "02-123-4567",
      "012-1234-5678",
      "010-12-5678",
      "010-1234-56789",
      "+82-10-1234-5678",
      "01|-1234-5678",
      " 010-1234-5678"
    ]) {
      assert.isFalse(Schema.is(Phone.Phone)(text), text)
    }
  })

  law("has one spelling, which is a phone again", [Arbitraries.phone], (phone) => {
    const spelled = Phone.normalize(phone)
    assert.isTrue(Schema.is(Phone.Phone)(spelled))
    assert.match(spelled, /^01\d-\d{3,4}-\d{4}$/)
    assert.strictEqual(Phone.normalize(spelled), spelled)
    assert.strictEqual(spelled.replaceAll("-", ""), phone.replaceAll("-", ""))
  })
})

describe("Receiver", () => {
  it("needs a name and an address that are not blank", () => {
    assert.throws(() => receiver({ realName: " " }))
    assert.throws(() => receiver({ realName: "x".repeat(51) }))
    assert.throws(() => new Address({ city: "", detail: "1" }))
    assert.throws(() => new Address({ city: "서울", detail: "\t" }))
    assert.throws(() => new Address({ city: "x".repeat(201), detail: "1" }))
  })

  it("survives being written and read", () => {
    assert.deepStrictEqual(Schema.decodeUnknownSync(Receiver)(JSON.parse(JSON.stringify(receiver()))), receiver())
  })
})

describe("Provider", () => {
  it("keeps the provider's words as they are, within limits", () => {
    const limits = [
      [Provider.ProviderName, 32],
      [Provider.MerchantAccount, 32],
      [Provider.CustomerReference, 100],
      [Provider.TransactionId, 64],
      [Provider.ApprovalId, 64],
      [Provider.ProviderBillingKey, 64],
      [Provider.ApprovalToken, 200],
      [Provider.PaymentMethod, 32]
    ] as const
    for (const [schema, lengthMax] of limits) {
      assert.isTrue(Schema.is(schema)("x".repeat(lengthMax)))
      for (const text of ["", "x".repeat(lengthMax + 1)]) assert.isFalse(Schema.is(schema)(text))
    }
  })
})

describe("DeclineReason", () => {
  it("keeps the provider's code and message, and knows no other kind", () => {
    const codec = Schema.toCodecJson(DeclineReason)
    const encoded = Schema.encodeSync(codec)(hardDecline())
    assert.deepStrictEqual(Schema.decodeUnknownSync(codec)(encoded), hardDecline())
    assert.strictEqual(Schema.decodeUnknownResult(codec)({ ...Object(encoded), kind: "Other" })._tag, "Failure")
  })
})

describe("ProviderAnswer", () => {
  it("is matched to the last class", () => {
    const name = ProviderAnswer.ProviderAnswer.match({
      Approved: () => "approved",
      Declined: () => "declined",
      NotExecuted: ({ why }) => why,
      NotYet: () => "not yet",
      Expired: () => "expired",
      Unknown: () => "unknown"
    })
    assert.strictEqual(name(new ProviderAnswer.NotExecuted({ why: "word", detail: "" })), "word")
    assert.strictEqual(name(new ProviderAnswer.Unknown({ detail: "timeout" })), "unknown")
  })
})

describe("Payment", () => {
  it("survives being written and read", () => {
    const codec = Schema.toCodecJson(Payment.Payment)
    assert.deepStrictEqual(
      Schema.decodeUnknownSync(codec)(JSON.parse(JSON.stringify(Schema.encodeSync(codec)(payment())))),
      payment()
    )
  })
})

describe("PaymentStrategy", () => {
  it("answers are values that can be written down", () => {
    const answer = new PaymentStrategy.RefundDone({ refundedTotal: won(9_000), at: now })
    const codec = Schema.toCodecJson(PaymentStrategy.RefundDone)
    assert.deepStrictEqual(
      Schema.decodeUnknownSync(codec)(JSON.parse(JSON.stringify(Schema.encodeSync(codec)(answer)))),
      answer
    )
  })
})

describe("DomainEvent", () => {
  it("has the same id for the same cause", () => {
    assert.strictEqual(
      DomainEvent.eventId(anyAttemptId(), "OrderPaid"),
      DomainEvent.eventId(anyAttemptId(), "OrderPaid")
    )
    assert.notStrictEqual(
      DomainEvent.eventId(anyAttemptId(), "OrderPaid"),
      DomainEvent.eventId(anyAttemptId(), "CycleCharged")
    )
    assert.notStrictEqual(
      DomainEvent.eventId(anyAttemptId(), "OrderPaid"),
      DomainEvent.eventId(anyAttemptId(1), "OrderPaid")
    )
  })

  it("survives being written and read", () => {
    const codec = Schema.toCodecJson(DomainEvent.DomainEvent)
    const event = new DomainEvent.OrderPaid({
      eventId: DomainEvent.eventId(anyAttemptId(), "OrderPaid"),
      at: now,
      orderId: anyOrderId(),
      userId: anyUserId(),
      attemptId: anyAttemptId(),
      amount: won(18_000)
    })
    assert.deepStrictEqual(
      Schema.decodeUnknownSync(codec)(JSON.parse(JSON.stringify(Schema.encodeSync(codec)(event)))),
      event
    )
  })
})

describe("State.fieldsOf", () => {
  law(
    "takes everything but the tag",
    [fc.constant(paidOrder())],
    (order) => {
      const fields = fieldsOf(order)
      assert.notProperty(fields, "_tag")
      assert.deepStrictEqual({ ...fields, _tag: "Paid" }, { ...order })
    },
    1
  )
})
