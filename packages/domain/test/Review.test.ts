import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import * as fc from "fast-check"
import { DomainEvent } from "../src/DomainEvent.ts"
import type { ItemId, UserId } from "../src/Ids.ts"
import * as Item from "../src/Item.ts"
import * as Order from "../src/Order.ts"
import * as Rating from "../src/Rating.ts"
import * as Review from "../src/Review.ts"
import * as ReviewContent from "../src/ReviewContent.ts"
import * as Arbitraries from "../src/testing/Arbitraries.ts"
import {
  anyItemId,
  anyOrderId,
  anyOrderLineId,
  anyReviewId,
  anyUserId,
  content,
  deletedReview,
  expiredOrder,
  item,
  later,
  orderLine,
  paidOrder,
  partiallyRefundedOrder,
  placedOrder,
  quantity,
  review,
  stars
} from "../src/testing/Fixtures.ts"
import { law, machineLaws, rejected, succeeded } from "./Laws.ts"

// Tests of refusals hide from the compiler which state they give: it would refuse first.
const wide = (self: Review.Review): Review.Review => self

const author = anyUserId()
const stranger = anyUserId("stranger")
const words = { stars: stars(3), content: content("무난해요.") }

const refundedOrder = (): Order.Order => {
  const { amount, lines } = succeeded(Order.refundAmount(paidOrder(), "rest"))
  return succeeded(Order.refund(paidOrder(), lines, amount))
}

describe("Review", () => {
  machineLaws<Review.Review>({
    transitions: Review.transitions,
    state: Arbitraries.review,
    command: Arbitraries.reviewCommand,
    is: Schema.is(Review.Review)
  })

  law("never changes its author or its item", [Arbitraries.review], (self) => {
    assert.deepStrictEqual([self.id, self.userId, self.itemId], [anyReviewId(), author, anyItemId()])
  })

  law("survives being written and read", [Arbitraries.review], (self) => {
    const codec = Schema.toCodecJson(Review.Review)
    assert.deepStrictEqual(
      Schema.decodeUnknownSync(codec)(JSON.parse(JSON.stringify(Schema.encodeSync(codec)(self)))),
      self
    )
  })
})

describe("Review.mayReview", () => {
  const ask = (asked: Partial<Parameters<typeof Review.mayReview>[0]> = {}) =>
    Review.mayReview({ userId: author, itemId: anyItemId(), order: paidOrder(), existing: null, ...asked })
  const because = (asked: Partial<Parameters<typeof Review.mayReview>[0]>) =>
    rejected(ask(asked), "ReviewNotPurchased").reason

  it("is granted to whoever paid for the item and kept some of it", () => {
    assert.isNull(succeeded(ask()))
    assert.isNull(succeeded(ask({ order: partiallyRefundedOrder() })))
  })

  it("needs the user's own order", () => {
    assert.strictEqual(because({ userId: stranger }), "notTheirOrder")
  })

  it("needs a paid order", () => {
    const failed = succeeded(Order.failPayment(placedOrder(), later(3)))
    for (const order of [placedOrder(), expiredOrder(), failed]) assert.strictEqual(because({ order }), "notPaid")
  })

  it("needs an order of the item", () => {
    assert.strictEqual(because({ itemId: anyItemId("another") }), "notInOrder")
  })

  it("needs a unit that was not given back", () => {
    assert.strictEqual(because({ order: refundedOrder() }), "givenBack")
    const lines = [orderLine({ quantity: quantity(1) }), orderLine({ quantity: quantity(1) }, 1)]
    const paid = paidOrder({ lines })
    const { amount, lines: asked } = succeeded(Order.refundAmount(paid, [{ lineId: anyOrderLineId(0), quantity: 1 }]))
    const order = succeeded(Order.refund(paid, asked, amount))
    assert.strictEqual(because({ order, itemId: anyItemId(0) }), "givenBack")
    assert.isNull(succeeded(ask({ order, itemId: anyItemId(1) })))
  })

  it("counts the units of every line of the item", () => {
    const lines = [orderLine({ refundedQuantity: 2 }), orderLine({ itemId: anyItemId(0), quantity: quantity(1) }, 1)]
    const order = new Order.PartiallyRefunded({ ...paidOrder({ lines }), _tag: "PartiallyRefunded" })
    assert.isNull(succeeded(ask({ order })))
  })

  it("says in a sentence why not", () => {
    const denial = rejected(ask({ order: placedOrder() }), "ReviewNotPurchased")
    assert.strictEqual(denial.message, `item ${anyItemId()} cannot be reviewed: order ${anyOrderId()} is not paid`)
  })

  it("is granted once, and again after the review was removed", () => {
    const denial = rejected(ask({ existing: review() }), "DuplicateReview")
    assert.deepStrictEqual([denial.reviewId, denial.itemId], [anyReviewId(), anyItemId()])
    assert.include(denial.message, "is there already")
    assert.deepStrictEqual(succeeded(ask({ existing: deletedReview() })), deletedReview())
  })

  it("looks at the purchase before it tells of a review", () => {
    assert.strictEqual(because({ existing: review(), order: placedOrder() }), "notPaid")
  })

  it("is not hindered by somebody else's review or one of another item, and does not bring it back", () => {
    for (const existing of [
      review({ userId: stranger }),
      review({ itemId: anyItemId("another") }),
      new Review.Deleted({ ...deletedReview(), userId: stranger })
    ]) {
      assert.isNull(succeeded(ask({ existing })))
    }
  })
})

describe("Review.write", () => {
  const write = (existing: Review.Review | null) =>
    Review.write({
      ...words,
      id: anyReviewId("new"),
      userId: author,
      itemId: anyItemId(),
      order: paidOrder(),
      existing,
      at: later(200)
    })

  it("makes an active review that names the order, and adds its stars", () => {
    const { event, rating, review: made } = succeeded(write(null))
    assert.deepStrictEqual(
      made,
      new Review.Active({
        ...words,
        id: anyReviewId("new"),
        userId: author,
        itemId: anyItemId(),
        orderId: anyOrderId(),
        writtenAt: later(200),
        changedAt: later(200),
        version: 0
      })
    )
    assert.deepStrictEqual(rating, new Rating.Added({ stars: stars(3) }))
    assert.deepStrictEqual(
      { ...event },
      {
        _tag: "ReviewWritten",
        eventId: event.eventId,
        at: later(200),
        reviewId: made.id,
        itemId: made.itemId,
        userId: author,
        orderId: anyOrderId(),
        stars: stars(3)
      }
    )
  })

  it("keeps no name of the author", () => {
    assert.notProperty(succeeded(write(null)).review, "displayName")
  })

  it("brings a removed review back with new words, under its own id", () => {
    const { event, rating, review: again } = succeeded(write(deletedReview()))
    assert.deepStrictEqual(
      [again._tag, again.id, again.stars, again.content, again.writtenAt, again.changedAt],
      ["Active", anyReviewId(), words.stars, words.content, later(200), later(200)]
    )
    assert.notProperty(again, "removedAt")
    assert.deepStrictEqual([rating, event._tag], [new Rating.Added({ stars: stars(3) }), "ReviewWritten"])
  })

  it("is refused as long as there is an active one, and without a purchase", () => {
    rejected(write(review()), "DuplicateReview")
    rejected(
      Review.write({
        ...words,
        id: anyReviewId("new"),
        userId: stranger,
        itemId: anyItemId(),
        order: paidOrder(),
        existing: null,
        at: later(200)
      }),
      "ReviewNotPurchased"
    )
  })
})

describe("Review.edit", () => {
  it("changes words, stars or both, and when they were changed", () => {
    const { event, rating, review: edited } = succeeded(Review.edit(review(), author, words, later(90)))
    assert.deepStrictEqual(edited, review({ ...words, changedAt: later(90) }))
    assert.deepStrictEqual(rating, new Rating.Replaced({ before: stars(5), stars: stars(3) }))
    assert.deepStrictEqual([event.starsBefore, event.stars, event.at], [stars(5), stars(3), later(90)])
    const onlyStars = succeeded(Review.edit(review(), author, { stars: stars(1) }, later(90)))
    assert.deepStrictEqual(onlyStars.review, review({ stars: stars(1), changedAt: later(90) }))
    const onlyWords = succeeded(Review.edit(review(), author, { content: words.content }, later(90)))
    assert.deepStrictEqual(onlyWords.review, review({ content: words.content, changedAt: later(90) }))
    assert.deepStrictEqual(Rating.deltaOf(onlyWords.rating), { sum: 0, count: 0 })
  })

  it("is the author's alone", () => {
    const denial = rejected(Review.edit(review(), stranger, words, later(90)), "NotReviewAuthor")
    assert.deepStrictEqual([denial.reviewId, denial.userId], [anyReviewId(), stranger])
    assert.strictEqual(denial.message, `user ${stranger} did not write review ${anyReviewId()}`)
  })

  it("is refused after it was removed, and a stranger is not told so", () => {
    const denial = rejected(Review.edit(wide(deletedReview()), author, words, later(90)), "ReviewTransitionDenied")
    assert.strictEqual(denial.message, `review ${anyReviewId()} is Deleted and does not allow edit`)
    rejected(Review.edit(wide(deletedReview()), stranger, words, later(90)), "NotReviewAuthor")
  })
})

describe("Review.remove", () => {
  it("hides the review, keeps what it said, and takes its stars away", () => {
    const { event, rating, review: deleted } = succeeded(Review.remove(review(), author, later(90)))
    assert.deepStrictEqual({ ...deleted }, { ...review(), _tag: "Deleted", removedAt: later(90) })
    assert.deepStrictEqual(rating, new Rating.TakenAway({ stars: stars(5) }))
    assert.deepStrictEqual([event._tag, event.stars], ["ReviewRemoved", stars(5)])
  })

  it("is the author's alone, and done once", () => {
    rejected(Review.remove(review(), stranger, later(90)), "NotReviewAuthor")
    rejected(Review.remove(wide(deletedReview()), author, later(90)), "ReviewTransitionDenied")
  })
})

describe("Review.writeAgain", () => {
  it("needs a purchase, the author, and a removed review", () => {
    const again = (self: Review.Review, by: UserId, order: Order.Order) =>
      Review.writeAgain(self, by, order, words, later(200))
    assert.strictEqual(succeeded(again(deletedReview(), author, paidOrder())).review._tag, "Active")
    assert.strictEqual(rejected(again(deletedReview(), author, placedOrder()), "ReviewNotPurchased").reason, "notPaid")
    rejected(again(deletedReview(), stranger, paidOrder()), "NotReviewAuthor")
    rejected(again(review(), author, paidOrder()), "ReviewTransitionDenied")
  })

  it("takes the order that proves the purchase this time", () => {
    const order = paidOrder({ lines: [orderLine()] }, "second")
    const again = succeeded(Review.writeAgain(deletedReview(), author, order, words, later(200)))
    assert.strictEqual(again.review.orderId, anyOrderId("second"))
  })
})

describe("an event of a review", () => {
  it("survives being written and read", () => {
    const codec = Schema.toCodecJson(DomainEvent)
    const edited = succeeded(Review.edit(review(), author, words, later(90)))
    const removed = succeeded(Review.remove(edited.review, author, later(91)))
    const again = succeeded(Review.writeAgain(removed.review, author, paidOrder(), words, later(92)))
    for (const { event } of [edited, removed, again]) {
      const text = JSON.stringify(Schema.encodeSync(codec)(event))
      assert.deepStrictEqual<unknown>(Schema.decodeUnknownSync(codec)(JSON.parse(text)), event)
    }
  })

  it("has the same id for the same command on the same stored version, and another for the next", () => {
    const edit = (version: number) => succeeded(Review.edit(review({ version }), author, words, later(90))).event
    assert.strictEqual(edit(1).eventId, edit(1).eventId)
    assert.notStrictEqual(edit(1).eventId, edit(2).eventId)
    assert.notStrictEqual(
      edit(1).eventId,
      succeeded(Review.remove(review({ version: 1 }), author, later(90))).event.eventId
    )
  })
})

describe("ratings of an item", () => {
  interface Shop {
    readonly reviews: ReadonlyMap<string, Review.Review>
    readonly items: ReadonlyMap<ItemId, Item.Item>
  }

  const users = [0, 1, 2]
  const items = [0, 1]
  const keyOf = (userId: UserId, itemId: ItemId) => `${userId} ${itemId}`

  const orderOf = (user: number, kind: "paid" | "placed"): Order.Order => {
    const lines = items.map((seed) => orderLine({ itemId: anyItemId(seed) }, seed))
    return kind === "paid"
      ? paidOrder({ lines, userId: anyUserId(user) })
      : placedOrder({ lines, userId: anyUserId(user) })
  }

  const empty: Shop = {
    reviews: new Map(),
    items: new Map(items.map((seed) => [anyItemId(seed), item({}, seed)]))
  }

  const decide = (
    shop: Shop,
    { by, content, item, kind, order, stars, user }: Step
  ): Result.Result<Review.Decision<Review.Review, DomainEvent>, unknown> => {
    const existing = shop.reviews.get(keyOf(anyUserId(user), anyItemId(item))) ?? null
    const at = later(200)
    if (kind === "write") {
      return Review.write({
        id: anyReviewId(`${user}/${item}`),
        userId: anyUserId(user),
        itemId: anyItemId(item),
        order: orderOf(user, order),
        existing,
        stars,
        content,
        at
      })
    }
    if (existing === null) return Result.fail("nothing there")
    return kind === "edit"
      ? Review.edit(existing, anyUserId(by), { stars, content }, at)
      : kind === "remove"
        ? Review.remove(existing, anyUserId(by), at)
        : Review.writeAgain(existing, anyUserId(by), orderOf(user, order), { stars, content }, at)
  }

  const step = fc.record({
    kind: fc.constantFrom<"write" | "edit" | "remove" | "writeAgain">("write", "edit", "remove", "writeAgain"),
    user: fc.constantFrom(...users),
    by: fc.constantFrom(...users),
    item: fc.constantFrom(...items),
    order: fc.oneof(
      { arbitrary: fc.constant<"paid">("paid"), weight: 4 },
      { arbitrary: fc.constant<"placed">("placed"), weight: 1 }
    ),
    stars: Arbitraries.rating,
    content: Arbitraries.reviewContent
  })
  type Step = typeof step extends fc.Arbitrary<infer A> ? A : never

  const recounted = (shop: Shop, itemId: ItemId): Rating.RatingSum =>
    succeeded(
      Rating.sumOf(
        [...shop.reviews.values()]
          .filter((self) => self._tag === "Active" && self.itemId === itemId)
          .map((self) => self.stars)
      )
    )

  law(
    "always equal its active reviews, whatever was written, edited, removed and written again",
    [fc.array(step, { maxLength: 40 })],
    (steps) => {
      let shop = empty
      for (const next of steps) {
        const decided = decide(shop, next)
        if (Result.isFailure(decided)) continue
        const { rating, review } = decided.success
        const rated = succeeded(Item.rate(shop.items.get(review.itemId) ?? assert.fail("an item"), rating))
        shop = {
          reviews: new Map(shop.reviews).set(keyOf(review.userId, review.itemId), review),
          items: new Map(shop.items).set(review.itemId, rated)
        }
        for (const [itemId, self] of shop.items) assert.deepStrictEqual(Item.ratingOf(self), recounted(shop, itemId))
      }
    },
    500
  )

  it("move when a review is written, edited, removed and written again", () => {
    const author = anyUserId()
    const first = review({ stars: stars(5) })
    const edited = succeeded(Review.edit(first, author, { stars: stars(2) }, later(70)))
    const removed = succeeded(Review.remove(edited.review, author, later(80)))
    const again = succeeded(Review.writeAgain(removed.review, author, paidOrder(), words, later(90)))
    const changes = [new Rating.Added({ stars: first.stars }), edited.rating, removed.rating, again.rating]
    let self = item()
    const averages = changes.map((change) => Item.averageRating((self = succeeded(Item.rate(self, change)))))
    assert.deepStrictEqual(averages, [5, 2, 0, 3])
  })
})

describe("ReviewContent.parse", () => {
  it("composes, trims, and spells every line break as a line feed", () => {
    assert.strictEqual(
      succeeded(ReviewContent.parse(`  ${"눈이".normalize("NFD")}\r\n편해요.\r\t또\u2028삽니다.\n `)),
      "눈이\n편해요.\n 또\n삽니다."
    )
  })

  it("takes 1 to 1,000 characters, an emoji being one", () => {
    const longest = "🐟".repeat(ReviewContent.contentLengthMax)
    assert.strictEqual(succeeded(ReviewContent.parse(longest)), longest)
    assert.strictEqual(succeeded(ReviewContent.parse("굿")), "굿")
    const denial = rejected(ReviewContent.parse(`${longest}!`), "ReviewContentInvalid")
    assert.deepStrictEqual([denial.reason, denial.length], ["tooLong", 1_001])
    assert.strictEqual(denial.message, "a review has at most 1000 characters, not 1001")
  })

  it("refuses what shows nothing", () => {
    for (const text of ["", " ", "\n\r\n", "\u200B\u200B", "\u3164", "\u2800 "]) {
      const denial = rejected(ReviewContent.parse(text), "ReviewContentInvalid")
      assert.deepStrictEqual([denial.reason, denial.message], ["blank", "a review is not blank"], JSON.stringify(text))
    }
  })

  it("refuses control characters, marks of direction and halves of characters", () => {
    for (const code of [0x00, 0x07, 0x1b, 0x7f, 0x85, 0x202e, 0x2066, 0xd83d]) {
      const denial = rejected(ReviewContent.parse(`좋아요${String.fromCharCode(code)}!`), "ReviewContentInvalid")
      assert.deepStrictEqual([denial.reason, denial.message], ["unprintable", "a review has no control characters"])
    }
  })

  it("keeps emoji that are joined", () => {
    assert.strictEqual(succeeded(ReviewContent.parse("👨‍👩‍👧 추천")), "👨‍👩‍👧 추천")
  })

  law("answers what the schema accepts, or a rejection", [fc.string({ unit: "binary" })], (text) => {
    const parsed = ReviewContent.parse(text)
    if (Result.isFailure(parsed)) return
    assert.isTrue(Schema.is(ReviewContent.ReviewContent)(parsed.success))
    assert.deepStrictEqual(ReviewContent.parse(parsed.success), parsed)
  })

  law("reads every content as itself", [Arbitraries.reviewContent], (text) => {
    assert.strictEqual(succeeded(ReviewContent.parse(text)), text)
  })
})
