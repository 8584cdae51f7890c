/**
 * What buyers say of items, over HTTP.
 *
 * `PILLIVERY_SEED=<seed>` makes the same random reviews again.
 */
import { assert, describe, it } from "@effect/vitest"
import { handleEvent } from "@pillivery/application/Events/HandleEvent"
import { ItemRepository } from "@pillivery/application/ports/ItemRepository"
import { Consumer, Delivery, Outbox } from "@pillivery/application/ports/Outbox"
import { ReviewRepository } from "@pillivery/application/ports/ReviewRepository"
import { UserRepository } from "@pillivery/application/ports/UserRepository"
import { Email } from "@pillivery/domain/Email"
import type { ItemId } from "@pillivery/domain/Ids"
import * as Item from "@pillivery/domain/Item"
import * as Rating from "@pillivery/domain/Rating"
import * as Review from "@pillivery/domain/Review"
import * as Fixtures from "@pillivery/domain/testing/Fixtures"
import * as User from "@pillivery/domain/User"
import { Context, Effect, Layer, Option, Ref, Result } from "effect"
import * as fc from "fast-check"
import * as Shop from "./Shop.ts"

const items = [Shop.vitamin, Shop.omega]
const seed = Number(process.env["PILLIVERY_SEED"] ?? Date.now() % 2_147_483_647)

const ruleOf = (answer: Shop.Answer) => [
  ...Shop.codeOf(answer),
  Shop.field(answer, "errors", 0, "pointer"),
  Shop.field(answer, "errors", 0, "rule")
]
const idOf = (answer: Shop.Answer) => String(Shop.field(answer, "id"))

const order = Effect.fnUntraced(function* (token: string, itemIds: ReadonlyArray<ItemId>) {
  const lines = itemIds.map((itemId) => ({ itemId, quantity: 1 }))
  return idOf(yield* Shop.send("POST", "/api/orders", { token, body: { lines } }))
})

/** A logged-in customer who paid for both items. */
const buyer = Effect.fnUntraced(function* (number: number) {
  const token = yield* Shop.logIn(number)
  const orderId = yield* order(
    token,
    items.map(({ id }) => id)
  )
  const { path } = yield* Shop.approveAtProvider(token, orderId)
  yield* Shop.send("GET", path)
  const write = (words: object = {}, item: Item.Item = Shop.vitamin) =>
    Shop.send("POST", "/api/reviews", { token, body: { orderId, itemId: item.id, ...Shop.words, ...words } })
  return { token, orderId, write }
})

const edit = (token: string, id: string, body: unknown) => Shop.send("PATCH", `/api/reviews/${id}`, { token, body })
const remove = (token: string, id: string) => Shop.send("DELETE", `/api/reviews/${id}`, { token })
const listed = (item: Item.Item, query = "") => Shop.send("GET", `/api/items/${item.id}/reviews${query}`)
const totalOf = (page: Shop.Answer) => Shop.field(page, "pageInfo", "totalElements")

/** The stars of an item as they stand in the catalogue, which must be those of its active reviews. */
const ratingOf = Effect.fnUntraced(function* (item: Item.Item, told = "") {
  const found = Option.getOrThrow(yield* (yield* ItemRepository).findById(item.id))
  const reviews = yield* (yield* ReviewRepository).listByItem(item.id, "NEWEST", { page: 1, size: 100 })
  const active = Result.getOrThrow(Rating.sumOf(reviews.data.map(({ stars }) => stars)))
  assert.deepStrictEqual(Item.ratingOf(found), active, told)
  assert.strictEqual(reviews.totalElements, active.count, told)
  return [active.sum, active.count]
})

const shownRating = (item: Item.Item) =>
  Effect.map(Shop.send("GET", `/api/items/${item.id}`), (answer) => Shop.field(answer, "rating"))

describe("a review", () => {
  it.live("is written by who bought the item, and seen by everybody without telling who that is", () =>
    Effect.gen(function* () {
      const { token, write } = yield* buyer(1)
      const written = yield* write({ content: "  좋아요.\r\n또 살게요. " })
      assert.strictEqual(written.status, 201)
      const id = idOf(written)
      const seen = yield* Shop.send("GET", `/api/reviews/${id}`)
      assert.deepStrictEqual([seen.status, seen.json], [200, written.json])
      const { changedAt, writtenAt, ...rest } = seen.json
      assert.strictEqual(changedAt, writtenAt)
      assert.deepStrictEqual(rest, {
        id,
        itemId: Shop.vitamin.id,
        author: { displayName: "사용자1", isWithdrawn: false },
        stars: 5,
        content: "좋아요.\n또 살게요."
      })
      for (const answer of [yield* listed(Shop.vitamin), yield* Shop.send("GET", "/api/users/me/reviews", { token })]) {
        assert.deepStrictEqual([Shop.field(answer, "data", 0), totalOf(answer)], [seen.json, 1])
      }
    }).pipe(Effect.provide(Shop.layer))
  )

  it.live("FC7: is there once for each user and item, however often and however fast it is sent", () =>
    Effect.gen(function* () {
      const { write } = yield* buyer(1)
      const answers = yield* Effect.all(
        Array.from({ length: 8 }, () => write()),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(
        answers.map((answer) => Shop.codeOf(answer).join(" ").trim()).sort(),
        ["201", ...Array.from({ length: 7 }, () => "409 REVIEW_EXISTS")].sort()
      )
      assert.deepStrictEqual(Shop.codeOf(yield* write({ stars: 1 })), [409, "REVIEW_EXISTS"])
      assert.deepStrictEqual(yield* ratingOf(Shop.vitamin), [5, 1])
      assert.strictEqual((yield* write({}, Shop.omega)).status, 201)
      const other = yield* buyer(2)
      assert.strictEqual((yield* other.write({ stars: 4 })).status, 201)
      assert.deepStrictEqual(yield* ratingOf(Shop.vitamin), [9, 2])
    }).pipe(Effect.provide(Shop.layer))
  )

  it.live("FC7: needs a paid order of one's own that has the item", () =>
    Effect.gen(function* () {
      const { token, orderId, write } = yield* buyer(1)
      const stranger = yield* Shop.logIn(2)
      const unpaid = yield* order(token, [Shop.vitamin.id])
      const other = yield* order(token, [Shop.omega.id])
      yield* Shop.send("GET", (yield* Shop.approveAtProvider(token, other)).path)
      const send = (token: string | null, body: object) =>
        Shop.send("POST", "/api/reviews", {
          ...(token === null ? {} : { token }),
          body: { itemId: Shop.vitamin.id, ...Shop.words, ...body }
        })
      assert.strictEqual((yield* send(null, { orderId })).status, 401)
      assert.deepStrictEqual(Shop.codeOf(yield* send(stranger, { orderId })), [404, "ORDER_NOT_FOUND"])
      const nobodys = yield* send(token, { orderId: Fixtures.anyOrderId("nobody's") })
      assert.deepStrictEqual(Shop.codeOf(nobodys), [404, "ORDER_NOT_FOUND"])
      const refused = [422, "REVIEW_NOT_PURCHASED", "/orderId"]
      assert.deepStrictEqual(ruleOf(yield* send(token, { orderId: unpaid })), [...refused, "notPaid"])
      assert.deepStrictEqual(ruleOf(yield* send(token, { orderId: other })), [...refused, "notInOrder"])
      const unknown = yield* send(token, { orderId, itemId: Fixtures.anyItemId("unknown") })
      assert.deepStrictEqual(ruleOf(unknown), [...refused, "notInOrder"])
      const body = { reason: "단순 변심" }
      assert.isBelow((yield* Shop.send("POST", `/api/orders/${orderId}/refunds`, { token, body })).status, 300)
      yield* Shop.deliver
      assert.deepStrictEqual(ruleOf(yield* write()), [...refused, "givenBack"])
      assert.strictEqual(totalOf(yield* listed(Shop.vitamin)), 0)
      assert.deepStrictEqual(yield* ratingOf(Shop.vitamin), [0, 0])
    }).pipe(Effect.provide(Shop.layer))
  )

  it.live("FC7: has one to five whole stars and a text that is not blank and not too long", () =>
    Effect.gen(function* () {
      const { token, write } = yield* buyer(1)
      const kept = yield* write({ stars: 3, content: "🐟".repeat(1_000) }, Shop.omega)
      assert.strictEqual(kept.status, 201)
      const tries = [
        (words: object) => write(words),
        (words: object) => edit(token, idOf(kept), words),
        (words: object) => edit(token, idOf(kept), { ...Shop.words, ...words })
      ]
      for (const send of tries) {
        for (const stars of [0, 6, 1.5, -1, 1e300]) {
          assert.deepStrictEqual(ruleOf(yield* send({ stars })), [422, "RATING_OUT_OF_RANGE", "/stars", undefined])
        }
        for (const [content, rule] of [
          ["", "blank"],
          [" \n\t ", "blank"],
          ["\u3164", "blank"],
          ["x".repeat(1_001), "tooLong"],
          ["🐟".repeat(1_001), "tooLong"],
          ["x".repeat(50_000), "tooLong"],
          ["좋\u0000아요", "unprintable"],
          ["좋\u202e아요", "unprintable"]
        ] as const) {
          const refused = yield* send({ content })
          assert.deepStrictEqual(ruleOf(refused), [422, "REVIEW_CONTENT_INVALID", "/content", rule])
        }
        for (const words of [{ stars: "5" }, { stars: null }, { content: 5 }, { userId: "me" }, { orderId: 1 }]) {
          assert.deepStrictEqual(Shop.codeOf(yield* send(words)), [400, "VALIDATION_FAILED"], JSON.stringify(words))
        }
      }
      assert.deepStrictEqual(Shop.codeOf(yield* edit(token, idOf(kept), {})), [400, "VALIDATION_FAILED"])
      assert.deepStrictEqual((yield* Shop.send("GET", `/api/reviews/${idOf(kept)}`)).json, kept.json)
      assert.deepStrictEqual(yield* ratingOf(Shop.vitamin), [0, 0])
      assert.deepStrictEqual(yield* ratingOf(Shop.omega), [3, 1])
    }).pipe(Effect.provide(Shop.layer))
  )

  it.live("FC6: moves the rating of its item when it is written, edited, removed and written again", () =>
    Effect.gen(function* () {
      const [one, two] = [yield* buyer(1), yield* buyer(2)]
      const id = idOf(yield* one.write({ stars: 5 }))
      yield* two.write({ stars: 2 })
      assert.deepStrictEqual(yield* shownRating(Shop.vitamin), { average: 3.5, count: 2 })
      const edited = yield* edit(one.token, id, { stars: 1 })
      assert.deepStrictEqual([edited.status, Shop.field(edited, "stars")], [200, 1])
      assert.strictEqual(Shop.field(edited, "content"), Shop.words.content)
      yield* edit(one.token, id, { stars: 1 })
      const reworded = yield* edit(one.token, id, { content: "다시 보니 별로예요." })
      assert.deepStrictEqual(
        [Shop.field(reworded, "stars"), Shop.field(reworded, "content")],
        [1, "다시 보니 별로예요."]
      )
      assert.deepStrictEqual(yield* shownRating(Shop.vitamin), { average: 1.5, count: 2 })

      const removed = yield* remove(one.token, id)
      assert.deepStrictEqual([removed.status, Shop.field(removed, "id")], [200, id])
      assert.isString(Shop.field(removed, "removedAt"))
      assert.deepStrictEqual(yield* ratingOf(Shop.vitamin), [2, 1])
      assert.deepStrictEqual(Shop.codeOf(yield* remove(one.token, id)), [404, "REVIEW_NOT_FOUND"])
      assert.deepStrictEqual(Shop.codeOf(yield* edit(one.token, id, { stars: 5 })), [404, "REVIEW_NOT_FOUND"])
      assert.deepStrictEqual(Shop.codeOf(yield* Shop.send("GET", `/api/reviews/${id}`)), [404, "REVIEW_NOT_FOUND"])
      assert.deepStrictEqual(yield* ratingOf(Shop.vitamin), [2, 1])
      assert.strictEqual(totalOf(yield* listed(Shop.vitamin)), 1)

      const again = yield* one.write({ stars: 4, content: "다시 샀어요." })
      assert.deepStrictEqual([again.status, idOf(again), Shop.field(again, "content")], [201, id, "다시 샀어요."])
      assert.deepStrictEqual(yield* ratingOf(Shop.vitamin), [6, 2])
      assert.deepStrictEqual(Shop.codeOf(yield* one.write()), [409, "REVIEW_EXISTS"])
      assert.deepStrictEqual(yield* ratingOf(Shop.vitamin), [6, 2])
    }).pipe(Effect.provide(Shop.layer))
  )

  it.live("FC6: is taken away once, however many take it away at once", () =>
    Effect.gen(function* () {
      const [one, two] = [yield* buyer(1), yield* buyer(2)]
      const id = idOf(yield* one.write({ stars: 5 }))
      yield* two.write({ stars: 3 })
      const answers = yield* Effect.all(
        Array.from({ length: 8 }, () => remove(one.token, id)),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(answers.map(({ status }) => status).sort(), [200, ...Array.from({ length: 7 }, () => 404)])
      assert.deepStrictEqual(yield* ratingOf(Shop.vitamin), [3, 1])
    }).pipe(Effect.provide(Shop.layer))
  )

  it.live("is its author's to change, and for others not there", () =>
    Effect.gen(function* () {
      const { write } = yield* buyer(1)
      const stranger = yield* buyer(2)
      const written = yield* write()
      const nobodys = Fixtures.anyReviewId("nobody's")
      for (const id of [idOf(written), nobodys]) {
        assert.deepStrictEqual(Shop.codeOf(yield* edit(stranger.token, id, { stars: 1 })), [404, "REVIEW_NOT_FOUND"])
        assert.deepStrictEqual(Shop.codeOf(yield* remove(stranger.token, id)), [404, "REVIEW_NOT_FOUND"])
        const body = { stars: 1 }
        assert.strictEqual((yield* Shop.send("PATCH", `/api/reviews/${id}`, { body })).status, 401)
        assert.strictEqual((yield* Shop.send("DELETE", `/api/reviews/${id}`)).status, 401)
      }
      assert.deepStrictEqual((yield* Shop.send("GET", `/api/reviews/${idOf(written)}`)).json, written.json)
      assert.deepStrictEqual(yield* ratingOf(Shop.vitamin), [5, 1])
      const theirs = yield* Shop.send("GET", "/api/users/me/reviews", { token: stranger.token })
      assert.strictEqual(totalOf(theirs), 0)
    }).pipe(Effect.provide(Shop.layer))
  )

  it.live("leaves nothing undelivered, and is nothing to any consumer of events", () =>
    Effect.gen(function* () {
      const { token, write } = yield* buyer(1)
      yield* Shop.deliver
      const id = idOf(yield* write())
      yield* edit(token, id, { stars: 1 })
      yield* remove(token, id)
      yield* Shop.deliver
      assert.deepStrictEqual(yield* (yield* Outbox).counts, { pending: 0, dead: 0 })
      const review = Fixtures.review()
      const { event } = Result.getOrThrow(Review.remove(review, review.userId, Fixtures.later(90)))
      for (const consumer of Consumer.literals) {
        yield* handleEvent(new Delivery({ eventId: event.eventId, consumer, event, tries: 1 }))
      }
      const told = yield* Shop.send("GET", "/api/users/me/notifications", { token })
      assert.notInclude(told.text, "Review")
    }).pipe(Effect.provide(Shop.layer))
  )
})

describe("a list of reviews", () => {
  it.live("is ordered as wanted, a page at a time", () =>
    Effect.gen(function* () {
      const stars = [3, 5, 1, 5]
      for (const [index, given] of stars.entries()) yield* (yield* buyer(index + 1)).write({ stars: given })
      const shown = (query: string) =>
        Effect.map(listed(Shop.vitamin, query), (page) =>
          stars.map((_, index) => Shop.field(page, "data", index, "stars")).filter((given) => given !== undefined)
        )
      assert.sameMembers(yield* shown(""), stars)
      assert.deepStrictEqual(yield* shown("?sort=STAR_H"), [5, 5, 3, 1])
      assert.deepStrictEqual(yield* shown("?sort=STAR_L"), [1, 3, 5, 5])
      assert.deepStrictEqual(yield* shown("?sort=STAR_L&page=2&size=3"), [5])
      const page = yield* listed(Shop.vitamin, "?sort=OLDEST&page=2&size=3")
      assert.deepStrictEqual(Shop.field(page, "pageInfo"), { page: 2, size: 3, totalElements: 4, totalPages: 2 })
    }).pipe(Effect.provide(Shop.layer))
  )

  it.live("is refused for an item that is not there, an unknown order and a page out of bounds", () =>
    Effect.gen(function* () {
      const path = `/api/items/${Fixtures.anyItemId("unknown")}/reviews`
      assert.deepStrictEqual(Shop.codeOf(yield* Shop.send("GET", path)), [404, "ITEM_NOT_FOUND"])
      for (const query of ["?sort=BEST", "?page=0", "?size=101", "?page=x"]) {
        assert.deepStrictEqual(Shop.codeOf(yield* listed(Shop.vitamin, query)), [400, "VALIDATION_FAILED"], query)
      }
      assert.strictEqual((yield* Shop.send("GET", "/api/users/me/reviews")).status, 401)
    }).pipe(Effect.provide(Shop.layer))
  )

  /** How often users were read. */
  class Reads extends Context.Service<Reads, Ref.Ref<number>>()("test/Reads") {}

  const counting = Layer.effect(
    UserRepository,
    Effect.gen(function* () {
      const users = yield* UserRepository
      const reads = yield* Reads
      const counted = <A, E>(read: Effect.Effect<A, E>) =>
        Effect.andThen(
          Ref.update(reads, (count) => count + 1),
          read
        )
      return UserRepository.of({
        ...users,
        findById: (id) => counted(users.findById(id)),
        findDisplayNames: (ids) => counted(users.findDisplayNames(ids))
      })
    })
  ).pipe(Layer.provideMerge(Layer.effect(Reads, Ref.make(0))))

  it.live("reads the names of all authors at once, as they are now, and tells who has withdrawn", () =>
    Effect.gen(function* () {
      const users = yield* UserRepository
      const reads = yield* Reads
      for (const number of [1, 2, 3, 4]) yield* (yield* buyer(number)).write()
      const userOf = (number: number) =>
        Effect.map(
          users.findByEmail(Email.make(Shop.signUpBody(number).email)),
          (found) => Option.getOrThrow(found).user
        )
      const [leaving, renamed] = [yield* userOf(1), yield* userOf(2)]
      yield* users.update(Result.getOrThrow(User.withdraw(leaving, Fixtures.later(1))))
      if (renamed._tag !== "Active") return assert.fail("nobody else withdrew")
      const displayName = Fixtures.user({}, "renamed").displayName
      yield* users.update(new User.Active({ ...renamed, displayName }))
      yield* Ref.set(reads, 0)
      const page = yield* listed(Shop.vitamin)
      assert.strictEqual(yield* Ref.get(reads), 1)
      const authors = [0, 1, 2, 3].map((index) => Shop.field(page, "data", index, "author"))
      assert.sameDeepMembers(authors, [
        { displayName: "탈퇴한 회원", isWithdrawn: true },
        { displayName, isWithdrawn: false },
        { displayName: "사용자3", isWithdrawn: false },
        { displayName: "사용자4", isWithdrawn: false }
      ])
      for (const number of [1, 2, 3, 4]) assert.notInclude(page.text, Shop.signUpBody(number).email)
    }).pipe(Effect.provide(Shop.layerWith(counting)))
  )
})

describe("the ratings of an item", () => {
  const buyersCount = 3
  const roundsCount = 60
  const step = fc.record({
    kind: fc.constantFrom("write", "edit", "reword", "remove"),
    buyer: fc.nat(buyersCount - 1),
    author: fc.nat(buyersCount - 1),
    item: fc.nat(items.length - 1),
    stars: fc.integer({ min: 0, max: 6 })
  })
  type Step = typeof step extends fc.Arbitrary<infer A> ? A : never
  // Those of one round are sent at the same moment.
  const rounds = fc.array(step, { minLength: 1, maxLength: 4 })

  it.live(
    "FC6: are those of its active reviews after whatever anybody sends",
    () =>
      Effect.gen(function* () {
        console.log(`reviews: SEED=${seed}`)
        const buyers = yield* Effect.forEach(
          Array.from({ length: buyersCount }, (_, index) => index + 1),
          buyer
        )
        const ids = new Map<string, string>()
        const send = Effect.fnUntraced(function* ({ author, buyer, item, kind, stars }: Step) {
          const [by, about] = [buyers[buyer], items[item]]
          if (by === undefined || about === undefined) return assert.fail("there are buyers and items")
          const id = ids.get(`${author} ${item}`) ?? Fixtures.anyReviewId("none yet")
          if (kind === "remove") return (yield* remove(by.token, id)).status
          if (kind === "edit") return (yield* edit(by.token, id, { stars })).status
          if (kind === "reword") return (yield* edit(by.token, id, { content: "음" })).status
          const written = yield* by.write({ stars }, about)
          if (written.status === 201) ids.set(`${buyer} ${item}`, idOf(written))
          return written.status
        })
        const seen = new Set<number>()
        for (const round of fc.sample(rounds, { numRuns: roundsCount, seed })) {
          const told = `seed ${seed}: ${JSON.stringify(round)}`
          for (const status of yield* Effect.forEach(round, send, { concurrency: "unbounded" })) {
            assert.include([200, 201, 404, 409, 422], status, told)
            seen.add(status)
          }
          for (const item of items) yield* ratingOf(item, told)
        }
        assert.isAtLeast(seen.size, 4)
      }).pipe(Effect.provide(Shop.layer)),
    60_000
  )
})
