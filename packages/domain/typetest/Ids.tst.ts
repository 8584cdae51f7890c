import { describe, expect, test } from "tstyche"
import type { Email } from "../src/Email.ts"
import type {
  AttemptId,
  BillingKeyId,
  ItemId,
  OrderId,
  PaymentId,
  RefundId,
  ReviewId,
  SubscriptionId,
  UserId
} from "../src/Ids.ts"
import type { Password } from "../src/Password.ts"
import type { Quantity } from "../src/Quantity.ts"
import type { Rate } from "../src/Rate.ts"
import type { Rating } from "../src/Rating.ts"
import type { ReviewContent } from "../src/ReviewContent.ts"
import type { BusinessDate } from "../src/BusinessDate.ts"
import type { Won } from "../src/Won.ts"

describe("ids", () => {
  test("do not mix", () => {
    expect<OrderId>().type.not.toBeAssignableTo<ItemId>()
    expect<UserId>().type.not.toBeAssignableTo<OrderId>()
    expect<AttemptId>().type.not.toBeAssignableTo<PaymentId>()
    expect<SubscriptionId>().type.not.toBeAssignableTo<BillingKeyId>()
    expect<RefundId>().type.not.toBeAssignableTo<AttemptId>()
    expect<ReviewId>().type.not.toBeAssignableTo<ItemId>()
  })

  test("are text, but not any text is an id", () => {
    expect<OrderId>().type.toBeAssignableTo<string>()
    expect<string>().type.not.toBeAssignableTo<OrderId>()
  })
})

describe("values", () => {
  test("are not mere numbers or text", () => {
    expect<number>().type.not.toBeAssignableTo<Won>()
    expect<number>().type.not.toBeAssignableTo<Quantity>()
    expect<string>().type.not.toBeAssignableTo<BusinessDate>()
    expect<string>().type.not.toBeAssignableTo<Email>()
    expect<string>().type.not.toBeAssignableTo<Password>()
    expect<number>().type.not.toBeAssignableTo<Rating>()
    expect<string>().type.not.toBeAssignableTo<ReviewContent>()
  })

  test("do not mix", () => {
    expect<Rate>().type.not.toBeAssignableTo<Won>()
    expect<Quantity>().type.not.toBeAssignableTo<Won>()
    expect<Password>().type.not.toBeAssignableTo<Email>()
    expect<Rating>().type.not.toBeAssignableTo<Quantity>()
  })
})
