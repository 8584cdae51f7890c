/**
 * The contract of `CartStore`.
 *
 * @since 0.1.0
 */
import { assert } from "@effect/vitest"
import * as Cart from "@pillivery/domain/Cart"
import * as Fixtures from "@pillivery/domain/testing/Fixtures"
import { Effect, Result, Schema } from "effect"
import { CartStore } from "../ports/CartStore.ts"
import type { IdGenerator } from "../ports/IdGenerator.ts"
import { retryStale } from "../StaleRetry.ts"
import { countOf, endsOf, failsWith, freshSeed, freshSeeds, law, type Law, sameBy, suiteOf } from "./Law.ts"
import { atVersion } from "./Samples.ts"

/** What the laws of this port need. */
export type Requirements = CartStore | IdGenerator

const rivalsCount = 8
const sameCart = sameBy(Schema.encodeSync(Schema.toCodecJson(Cart.Cart)))
const freshUser = Effect.map(freshSeed, (seed) => Fixtures.anyUserId(seed))

/** Everything a `CartStore` promises. */
export const laws = (): ReadonlyArray<Law<Requirements>> => [
  ...Cart.CartKind.literals.map((kind) =>
    law(
      `answers an empty cart at version 0, then what was saved: ${kind}`,
      Effect.gen(function* () {
        const carts = yield* CartStore
        const userId = yield* freshUser
        sameCart(yield* carts.get(userId, kind), Cart.empty(userId, kind))
        const items = (yield* freshSeeds(Cart.cartLinesMax)).map((seed) => Fixtures.item({}, seed))
        const cart = Fixtures.cart({ userId, kind, items, quantity: Fixtures.quantity(999) })
        yield* carts.save(cart)
        sameCart(yield* carts.get(userId, kind), atVersion(cart, 1))
        yield* carts.save(atVersion(Cart.empty(userId, kind), 1))
        sameCart(yield* carts.get(userId, kind), atVersion(Cart.empty(userId, kind), 2))
      })
    )
  ),

  law(
    "keeps the two carts of a user, and those of other users, apart",
    Effect.gen(function* () {
      const carts = yield* CartStore
      const [userId, other] = [yield* freshUser, yield* freshUser]
      const cart = Fixtures.cart({ userId })
      yield* carts.save(cart)
      sameCart(yield* carts.get(userId, "subscription"), Cart.empty(userId, "subscription"))
      sameCart(yield* carts.get(other, "normal"), Cart.empty(other, "normal"))
    })
  ),

  law(
    "refuses a save at any version but the stored one, and keeps what is there",
    Effect.gen(function* () {
      const carts = yield* CartStore
      const userId = yield* freshUser
      const [empty, cart] = [Cart.empty(userId, "normal"), Fixtures.cart({ userId })]
      yield* failsWith("StaleWrite", carts.save(atVersion(cart, 1)))
      yield* carts.save(cart)
      for (const version of [0, 2]) yield* failsWith("StaleWrite", carts.save(atVersion(empty, version)))
      sameCart(yield* carts.get(userId, "normal"), atVersion(cart, 1))
    })
  ),

  law(
    "lets one of many rivals save a version",
    Effect.gen(function* () {
      const carts = yield* CartStore
      const cart = Fixtures.cart({ userId: yield* freshUser })
      for (let version = 0; version < 3; version++) {
        const ends = yield* endsOf(Array.from({ length: rivalsCount }, () => carts.save(atVersion(cart, version))))
        assert.strictEqual(countOf(ends, "success"), 1)
        assert.strictEqual(countOf(ends, "StaleWrite"), rivalsCount - 1)
      }
    })
  ),

  law(
    "loses no change of writers that get, change and save again when they are stale",
    Effect.gen(function* () {
      const carts = yield* CartStore
      const userId = yield* freshUser
      const items = (yield* freshSeeds(5)).map((seed) => Fixtures.item({}, seed))
      const add = (item: (typeof items)[number]) =>
        retryStale(
          Effect.gen(function* () {
            const cart = yield* carts.get(userId, "normal")
            yield* carts.save(
              Result.getOrThrow(
                Cart.add(cart, {
                  itemId: item.id,
                  quantity: Fixtures.quantity(1),
                  period: null,
                  seenPrice: item.price.real,
                  at: Fixtures.now
                })
              )
            )
          })
        )
      yield* Effect.forEach(items, add)
      const cart = yield* carts.get(userId, "normal")
      assert.deepStrictEqual(
        cart.lines.map(({ itemId }) => itemId),
        items.map(({ id }) => id)
      )
      assert.strictEqual(cart.version, items.length)
    })
  ),

  law(
    "removes both carts of a user, and nobody else's, with or without carts",
    Effect.gen(function* () {
      const carts = yield* CartStore
      const [userId, other] = [yield* freshUser, yield* freshUser]
      for (const kind of Cart.CartKind.literals) yield* carts.save(Fixtures.cart({ userId, kind }))
      yield* carts.save(Fixtures.cart({ userId: other }))
      yield* carts.remove(userId)
      yield* carts.remove(userId)
      for (const kind of Cart.CartKind.literals) sameCart(yield* carts.get(userId, kind), Cart.empty(userId, kind))
      assert.strictEqual((yield* carts.get(other, "normal")).lines.length, 1)
      yield* failsWith("StaleWrite", carts.save(atVersion(Fixtures.cart({ userId }), 1)))
    })
  )
]

/** Runs the laws against a layer. */
export const suite = suiteOf<Requirements>("CartStore", laws)
