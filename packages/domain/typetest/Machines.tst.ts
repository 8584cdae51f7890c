import type { DateTime, Result } from "effect"
import { describe, expect, test } from "tstyche"
import * as Attempt from "../src/Attempt.ts"
import * as BillingCycle from "../src/BillingCycle.ts"
import * as BillingKey from "../src/BillingKey.ts"
import type * as DomainEvent from "../src/DomainEvent.ts"
import type { AttemptId, BillingKeyId, UserId } from "../src/Ids.ts"
import * as Order from "../src/Order.ts"
import * as Review from "../src/Review.ts"
import * as SubscriptionOrder from "../src/SubscriptionOrder.ts"
import type * as State from "../src/State.ts"
import * as User from "../src/User.ts"
import type { Won } from "../src/Won.ts"

declare const at: DateTime.Utc
declare const attemptId: AttemptId
declare const placed: Order.Placed
declare const paid: Order.Paid
declare const order: Order.Order
declare const attempt: Attempt.Attempt
declare const sent: Attempt.Sent
declare const approved: Attempt.Approved
declare const pendingKey: BillingKey.Pending
declare const charged: BillingCycle.Charged
declare const inFlight: BillingCycle.InFlight
declare const active: SubscriptionOrder.Active
declare const withdrawn: User.Withdrawn
declare const activeReview: Review.Active
declare const deletedReview: Review.Deleted
declare const userId: UserId
declare const words: Review.Words
declare const won: Won
declare const dispatch: {
  readonly at: DateTime.Utc
  readonly lease: Attempt.Lease
  readonly baseline: null
  readonly approvalToken: null
}

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
    expect<Review.Active>().type.not.toHaveProperty("removedAt")
    expect<Review.Active>().type.not.toHaveProperty("displayName")
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

  test("of a review answers the state, what becomes of the ratings, and the event", () => {
    expect(Review.remove(activeReview, userId, at)).type.toBe<
      Result.Result<
        Review.Decision<Review.Deleted, DomainEvent.ReviewRemoved>,
        Review.ReviewTransitionDenied | Review.NotReviewAuthor
      >
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

describe("an illegal transition", () => {
  test("does not compile where the state is known", () => {
    expect(Order.pay).type.toBeCallableWith(placed, attemptId, at)
    expect(Order.pay).type.not.toBeCallableWith(paid, attemptId, at)
    expect(Order.refund).type.not.toBeCallableWith(placed, [], won)
    expect(Attempt.send).type.not.toBeCallableWith(sent, dispatch)
    expect(Attempt.send).type.not.toBeCallableWith(approved, dispatch)
    expect(BillingKey.hold).type.not.toBeCallableWith(pendingKey, attemptId)
    expect(BillingCycle.send).type.not.toBeCallableWith(charged, attemptId)
    expect(BillingCycle.send).type.not.toBeCallableWith(inFlight, attemptId)
    expect(SubscriptionOrder.resume).type.not.toBeCallableWith(active)
    expect(User.withdraw).type.not.toBeCallableWith(withdrawn, at)
    expect(Review.edit).type.not.toBeCallableWith(deletedReview, userId, words, at)
    expect(Review.writeAgain).type.not.toBeCallableWith(activeReview, userId, paid, words, at)
  })

  test("compiles, and is refused at run time, where the state may be a legal one", () => {
    expect(Order.pay).type.toBeCallableWith(order, attemptId, at)
    expect(Attempt.send).type.toBeCallableWith(attempt, dispatch)
    expect(Order.refund).type.toBeCallableWith(placed as Order.Placed | Order.Paid, [], won)
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
    expect<(typeof Order.transitions.Placed)["pay"][number]>().type.toBe<"Paid">()
    expect<State.CommandOf<typeof Order.transitions>>().type.toBe<
      "beginApproval" | "pay" | "expire" | "failPayment" | "refund"
    >()
    expect<State.Knowing<typeof Order.transitions, "refund">>().type.toBe<"Paid" | "PartiallyRefunded">()
  })
})
