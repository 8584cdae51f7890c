import type { DateTime, Result } from "effect"
import { describe, expect, test } from "tstyche"
import * as Attempt from "../src/Attempt.ts"
import type * as BillingCycle from "../src/BillingCycle.ts"
import * as BillingKey from "../src/BillingKey.ts"
import type { AttemptId, BillingKeyId } from "../src/Ids.ts"
import * as Order from "../src/Order.ts"
import type * as SubscriptionOrder from "../src/SubscriptionOrder.ts"
import * as User from "../src/User.ts"

declare const at: DateTime.Utc
declare const attemptId: AttemptId
declare const placed: Order.Placed
declare const paid: Order.Paid
declare const order: Order.Order
declare const attempt: Attempt.Attempt
declare const sent: Attempt.Sent
declare const approved: Attempt.Approved
declare const pendingKey: BillingKey.Pending

describe("a state", () => {
  test("is not another state", () => {
    expect<Order.Paid>().type.not.toBeAssignableTo<Order.Placed>()
    expect<Order.Refunded>().type.not.toBeAssignableTo<Order.Paid>()
    expect<BillingCycle.Due>().type.not.toBeAssignableTo<BillingCycle.InFlight>()
    expect<SubscriptionOrder.Paused>().type.not.toBeAssignableTo<SubscriptionOrder.Active>()
    expect<Attempt.Unknown>().type.not.toBeAssignableTo<Attempt.Declined>()
  })

  test("has only the fields that mean something in it", () => {
    expect<Order.Placed>().type.not.toHaveProperty("paidAt")
    expect<Order.Paid>().type.toHaveProperty("paidAt")
    expect<Order.Paid>().type.not.toHaveProperty("approvingAttempt")
    expect<Attempt.Sent>().type.not.toHaveProperty("approved")
    expect<BillingKey.Pending>().type.not.toHaveProperty("billingKey")
    expect<SubscriptionOrder.AwaitingBillingKey>().type.not.toHaveProperty("billingKeyId")
    expect<User.Withdrawn>().type.not.toHaveProperty("email")
  })
})

describe("a transition", () => {
  test("takes the wide type and answers the state it leads to", () => {
    expect(Order.pay(order, attemptId, at)).type.toBe<Result.Result<Order.Paid, Order.OrderTransitionDenied>>()
    expect(Order.expire(order, at)).type.toBe<Result.Result<Order.Expired, Order.OrderTransitionDenied>>()
    expect(Attempt.withdraw(attempt, at, "")).type.toBe<
      Result.Result<Attempt.Withdrawn, Attempt.AttemptTransitionDenied>
    >()
  })

  test("that only one state knows does not compile for another", () => {
    expect(Order.endApproval).type.toBeCallableWith(placed, attemptId)
    expect(Order.endApproval).type.not.toBeCallableWith(paid, attemptId)
    expect(Attempt.refundable).type.toBeCallableWith(approved)
    expect(Attempt.refundable).type.not.toBeCallableWith(sent)
  })

  test("keeps the state where it changes a field alone", () => {
    expect(BillingKey.release(pendingKey, attemptId)).type.toBe<BillingKey.Pending>()
    expect(BillingKey.detach(pendingKey)).type.toBe<BillingKey.Pending>()
  })

  test("does not take another aggregate's id", () => {
    expect(Order.pay).type.not.toBeCallableWith(order, "" as BillingKeyId, at)
  })
})

describe("a match", () => {
  test("needs every state", () => {
    expect(User.User.match).type.toBeCallableWith({ Active: () => 1, Withdrawn: () => 2 })
    expect(User.User.match).type.not.toBeCallableWith({ Active: () => 1 })
  })

  test("of tags is exhaustive without a default", () => {
    const nameOf = (tag: User.Tag): string => {
      switch (tag) {
        case "Active":
          return "활동 중"
        case "Withdrawn":
          return "회원 탈퇴"
      }
    }
    expect(nameOf).type.toBe<(tag: User.Tag) => string>()
  })
})

describe("a transition table", () => {
  test("knows at compile time where a state leads", () => {
    expect(Order.transitions.Refunded).type.toBe<readonly []>()
    expect<(typeof Order.transitions.Placed)[number]>().type.toBe<"Paid" | "Expired" | "PaymentFailed">()
  })
})
