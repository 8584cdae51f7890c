import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
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
import * as Receiver from "../src/Receiver.ts"
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
  period,
  receiver,
  won
} from "../src/testing/Fixtures.ts"
import { law, rejected, succeeded } from "./Laws.ts"

const { Address } = Receiver

const anyNumber = fc.oneof(fc.double(), fc.integer({ min: -10, max: 1_010 }))

describe("Quantity", () => {
  it("is 1 to 999 whole units", () => {
    for (const units of [1, Quantity.quantityMax]) assert.isTrue(Schema.is(Quantity.Quantity)(units))
    for (const units of [0, -1, 1_000, 1.5, Number.NaN]) assert.isFalse(Schema.is(Quantity.Quantity)(units))
  })
})

describe("Quantity.fromNumber", () => {
  it("refuses what is not whole or not 1 to 999, and says what it was", () => {
    for (const units of [1, Quantity.quantityMax]) assert.strictEqual(succeeded(Quantity.fromNumber(units)), units)
    for (const units of [0, -1, 1_000, 1.5]) {
      assert.strictEqual(rejected(Quantity.fromNumber(units), "QuantityOutOfRange").units, units)
    }
    assert.strictEqual(rejected(Quantity.fromNumber(Number.NaN), "QuantityOutOfRange").units, 0)
    assert.strictEqual(
      rejected(Quantity.fromNumber(0), "QuantityOutOfRange").message,
      "0 is not a whole number of 1 to 999 units"
    )
  })

  law("accepts exactly what the schema accepts", [anyNumber], (units) => {
    assert.strictEqual(Result.isSuccess(Quantity.fromNumber(units)), Schema.is(Quantity.Quantity)(units))
  })
})

describe("DeliveryPeriod.fromDays", () => {
  it("refuses what is not whole or not 30 to 365, and says what it was", () => {
    for (const days of [30, 45, 365]) assert.strictEqual(succeeded(DeliveryPeriod.fromDays(days)), days)
    for (const days of [29, 366, 0, -30, 30.5]) {
      assert.strictEqual(rejected(DeliveryPeriod.fromDays(days), "DeliveryPeriodOutOfRange").days, days)
    }
    const denial = rejected(DeliveryPeriod.fromDays(Number.POSITIVE_INFINITY), "DeliveryPeriodOutOfRange")
    assert.deepStrictEqual([denial.days, denial.message], [0, "0 is not a whole number of 30 to 365 days"])
  })

  law("accepts exactly what the schema accepts", [anyNumber], (days) => {
    assert.strictEqual(Result.isSuccess(DeliveryPeriod.fromDays(days)), Schema.is(DeliveryPeriod.DeliveryPeriod)(days))
  })
})

describe("DeliveryPeriod.isOffered", () => {
  it("is true of the periods the shop offers, and of no other", () => {
    for (const days of DeliveryPeriod.periodsOffered) assert.isTrue(DeliveryPeriod.isOffered(period(days)))
    for (const days of [31, 45, 121, 365]) assert.isFalse(DeliveryPeriod.isOffered(period(days)))
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
  const { EventId: _, eventIdLengthMax, ...uuids } = { ...Ids }

  it("are UUIDs", () => {
    for (const [name, id] of Object.entries(uuids)) {
      assert.isTrue(Schema.is(id)(anyOrderId()), name)
      for (const text of ["", "1", "not-a-uuid", `${anyOrderId()}0`]) assert.isFalse(Schema.is(id)(text), name)
    }
  })

  it("of events are short and not empty", () => {
    assert.isTrue(Schema.is(Ids.EventId)("a".repeat(eventIdLengthMax)))
    for (const text of ["", "a".repeat(eventIdLengthMax + 1)]) assert.isFalse(Schema.is(Ids.EventId)(text))
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

describe("Phone.parse", () => {
  it("answers one spelling for every way to type a number", () => {
    for (const text of [
      "010-1234-5678",
      "01012345678",
      " 010 1234 5678 ",
      "010.1234.5678",
      "(010) 1234-5678",
      "010–1234—5678",
      "０１０－１２３４－５６７８",
      "+82 10-1234-5678",
      "+821012345678",
      "+82 (0)10 1234 5678",
      "+82-010-1234-5678",
      "\u202D010-1234-5678\u202C"
    ]) {
      assert.strictEqual(succeeded(Phone.parse(text)), "010-1234-5678", text)
    }
    assert.strictEqual(succeeded(Phone.parse("0111234567")), "011-123-4567")
  })

  it("refuses what is no Korean mobile number, and does not repeat it", () => {
    for (const text of [
      "",
      "02-123-4567",
      "012-1234-5678",
      "010-12-5678",
      "010-1234-56789",
      "+1 10-1234-5678",
      "82 10-1234-5678",
      "+82 2-123-4567",
      "010-1234-567a",
      "010/1234/5678"
    ]) {
      const denial = rejected(Phone.parse(text), "PhoneInvalid")
      assert.strictEqual(denial.length, text.length)
      assert.strictEqual(denial.message, "a phone is a Korean mobile number such as 010-1234-5678")
    }
  })

  law("reads every phone as its one spelling", [Arbitraries.phone], (phone) => {
    assert.strictEqual(succeeded(Phone.parse(phone)), Phone.normalize(phone))
    const digits = phone.replaceAll("-", "")
    assert.strictEqual(succeeded(Phone.parse(`+82 ${digits.slice(1)}`)), Phone.normalize(phone))
    assert.isTrue(digits.length >= Phone.phoneDigitsMin && digits.length <= Phone.phoneDigitsMax)
  })

  law("answers a phone or a rejection for any text", [fc.string({ unit: "binary" })], (text) => {
    const parsed = Phone.parse(text)
    if (Result.isSuccess(parsed)) assert.isTrue(Schema.is(Phone.Phone)(parsed.success))
  })
})

describe("Receiver.parse", () => {
  const typed = {
    realName: "  김  민지 ",
    phone: "+82 10 1234 5678",
    address: { city: "서울특별시\t마포구".normalize("NFD"), detail: "101동\r\n202호" }
  }
  const parse = (changed: Partial<typeof typed>) => Receiver.parse({ ...typed, ...changed })

  it("answers one spelling: composed, trimmed, on one line", () => {
    assert.deepStrictEqual(
      succeeded(Receiver.parse(typed)),
      receiver({
        realName: "김 민지",
        address: new Address({ city: "서울특별시 마포구", detail: "101동 202호" })
      })
    )
  })

  it("refuses what is blank, too long or invisible, and says which line", () => {
    const blank = rejected(parse({ realName: " \n" }), "ReceiverInvalid")
    assert.deepStrictEqual([blank.field, blank.reason, blank.message], ["realName", "blank", "realName is not blank"])
    assert.strictEqual(rejected(parse({ realName: "\u3164" }), "ReceiverInvalid").reason, "blank")
    const long = rejected(parse({ realName: "가".repeat(51) }), "ReceiverInvalid")
    assert.deepStrictEqual(
      [long.reason, long.length, long.message],
      ["tooLong", 51, "realName has at most 50 characters, not 51"]
    )
    const city = rejected(parse({ address: { city: "가".repeat(201), detail: "1" } }), "ReceiverInvalid")
    assert.deepStrictEqual([city.field, city.message], ["city", "city has at most 200 characters, not 201"])
    for (const code of [0x00, 0x1b, 0x200b, 0x202e, 0xd83d]) {
      const detail = `1${String.fromCharCode(code)}2`
      const denial = rejected(parse({ address: { city: "서울", detail } }), "ReceiverInvalid")
      assert.deepStrictEqual(
        [denial.field, denial.reason, denial.message],
        ["detail", "unprintable", "detail has no invisible characters"]
      )
    }
    rejected(parse({ phone: "02-123-4567" }), "PhoneInvalid")
  })

  it("takes a line of exactly the longest length", () => {
    assert.strictEqual(succeeded(Receiver.parseRealName("가".repeat(50))).length, Receiver.realNameLengthMax)
  })

  law("reads every receiver as itself, but for the hyphens of its phone", [Arbitraries.receiver], (self) => {
    const spelled = new Receiver.Receiver({ ...self, phone: Phone.normalize(self.phone) })
    assert.deepStrictEqual(succeeded(Receiver.parse(self)), spelled)
  })

  law(
    "answers a receiver or a rejection for any text",
    [fc.string({ unit: "binary" }), fc.string({ unit: "grapheme" })],
    (realName, city) => {
      const parsed = Receiver.parse({ ...typed, realName, address: { city, detail: "1" } })
      if (Result.isSuccess(parsed)) assert.isTrue(Schema.is(Receiver.Receiver)(parsed.success))
    }
  )
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
    assert.deepStrictEqual(
      Schema.decodeUnknownSync(Receiver.Receiver)(JSON.parse(JSON.stringify(receiver()))),
      receiver()
    )
  })
})

describe("Provider", () => {
  it("keeps the provider's words as they are, within limits", () => {
    const limits = [
      [Provider.ProviderName, Provider.providerNameLengthMax, 32],
      [Provider.MerchantAccount, Provider.merchantAccountLengthMax, 32],
      [Provider.CustomerReference, Provider.customerReferenceLengthMax, 100],
      [Provider.TransactionId, Provider.transactionIdLengthMax, 64],
      [Provider.ApprovalId, Provider.approvalIdLengthMax, 64],
      [Provider.ProviderBillingKey, Provider.providerBillingKeyLengthMax, 64],
      [Provider.ApprovalToken, Provider.approvalTokenLengthMax, 200],
      [Provider.PaymentMethod, Provider.paymentMethodLengthMax, 32]
    ] as const
    for (const [schema, lengthMax, told] of limits) {
      assert.strictEqual(lengthMax, told)
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
