/**
 * The contract of `TokenStore`.
 *
 * @since 0.1.0
 */
import { assert } from "@effect/vitest"
import { UserId } from "@pillivery/domain/Ids"
import { Effect } from "effect"
import type { IdGenerator } from "../ports/IdGenerator.ts"
import {
  refreshTokenMillis,
  SessionId,
  type SessionKey,
  sessionMillisMax,
  sessionsMax,
  successorWindowMillis,
  TokenStore
} from "../ports/TokenStore.ts"
import { freshSeed, freshSeeds, law, type Law, suiteOf } from "./Law.ts"

const rivalsCount = 16
// Redis counts its own time for how long it keeps a key at most; what is asked here is told by the caller.
const start = 1_700_000_000_000

const freshSession = Effect.map(freshSeeds(2), ([user = "", session = ""]): SessionKey => ({
  userId: UserId.make(user),
  sessionId: SessionId.make(session)
}))

const anotherOf = ({ userId }: SessionKey) =>
  Effect.map(freshSeed, (seed): SessionKey => ({ userId, sessionId: SessionId.make(seed) }))

const to = (presented: string, next: string) => ({ presented, successor: { hash: next, sealed: `sealed ${next}` } })

/** Everything a `TokenStore` promises. */
export const laws = (): ReadonlyArray<Law<TokenStore | IdGenerator>> => [
  law(
    "knows a session that began, and no other",
    Effect.gen(function* () {
      const store = yield* TokenStore
      const session = yield* freshSession
      assert.isFalse(yield* store.isAlive(session))
      yield* store.begin(session, "one", start)
      assert.isTrue(yield* store.isAlive(session))
      assert.isFalse(yield* store.isAlive(yield* anotherOf(session)))
      assert.isFalse(yield* store.isAlive({ ...session, userId: (yield* freshSession).userId }))
    })
  ),

  law(
    "rotates the token that is good, again and again",
    Effect.gen(function* () {
      const store = yield* TokenStore
      const session = yield* freshSession
      yield* store.begin(session, "one", start)
      assert.deepStrictEqual(yield* store.rotate(session, to("one", "two"), start + 1), { _tag: "Rotated" })
      assert.deepStrictEqual(yield* store.rotate(session, to("two", "three"), start + 2), { _tag: "Rotated" })
      assert.isTrue(yield* store.isAlive(session))
    })
  ),

  law(
    "answers the same successor to who comes again within the window, and moves nothing",
    Effect.gen(function* () {
      const store = yield* TokenStore
      const session = yield* freshSession
      yield* store.begin(session, "one", start)
      yield* store.rotate(session, to("one", "two"), start)
      for (const at of [start, start + successorWindowMillis]) {
        assert.deepStrictEqual(yield* store.rotate(session, to("one", "other"), at), {
          _tag: "Repeated",
          sealed: "sealed two"
        })
      }
      assert.deepStrictEqual(yield* store.rotate(session, to("two", "three"), start + 2), { _tag: "Rotated" })
    })
  ),

  law(
    "ends the session of a token that comes again later, or that two others followed, or that it never gave",
    Effect.gen(function* () {
      const store = yield* TokenStore
      const late = yield* freshSession
      yield* store.begin(late, "one", start)
      yield* store.rotate(late, to("one", "two"), start)
      const after = start + successorWindowMillis + 1
      assert.deepStrictEqual(yield* store.rotate(late, to("one", "other"), after), { _tag: "Reused" })
      assert.isFalse(yield* store.isAlive(late))
      assert.deepStrictEqual(yield* store.rotate(late, to("two", "three"), after), { _tag: "Ended" })

      const old = yield* freshSession
      yield* store.begin(old, "one", start)
      yield* store.rotate(old, to("one", "two"), start)
      yield* store.rotate(old, to("two", "three"), start)
      assert.deepStrictEqual(yield* store.rotate(old, to("one", "other"), start), { _tag: "Reused" })
      assert.deepStrictEqual(yield* store.rotate(old, to("three", "four"), start), { _tag: "Ended" })

      const guessed = yield* freshSession
      yield* store.begin(guessed, "one", start)
      assert.deepStrictEqual(yield* store.rotate(guessed, to("nonsense", "two"), start), { _tag: "Reused" })
    })
  ),

  law(
    "refuses a token that nobody used for its time, and a session at its end however often it was used",
    Effect.gen(function* () {
      const store = yield* TokenStore
      const idle = yield* freshSession
      yield* store.begin(idle, "one", start)
      assert.deepStrictEqual(yield* store.rotate(idle, to("one", "two"), start + refreshTokenMillis), { _tag: "Ended" })
      assert.isFalse(yield* store.isAlive(idle))

      const busy = yield* freshSession
      yield* store.begin(busy, "0", start)
      let [token, at] = [0, start]
      for (; at + refreshTokenMillis - 1 < start + sessionMillisMax; token++) {
        at += refreshTokenMillis - 1
        const rotation = yield* store.rotate(busy, to(String(token), String(token + 1)), at)
        assert.deepStrictEqual(rotation, { _tag: "Rotated" })
      }
      const end = start + sessionMillisMax
      assert.deepStrictEqual(yield* store.rotate(busy, to(String(token), "next"), end), { _tag: "Ended" })
    })
  ),

  law(
    "lets one of many who come at once rotate, and answers its successor to the others",
    Effect.gen(function* () {
      const store = yield* TokenStore
      const session = yield* freshSession
      yield* store.begin(session, "one", start)
      const rotations = yield* Effect.forEach(
        Array.from({ length: rivalsCount }, (_, index) => String(index)),
        (next) => Effect.map(store.rotate(session, to("one", next), start), (rotation) => ({ next, rotation })),
        { concurrency: "unbounded" }
      )
      const winners = rotations.filter(({ rotation }) => rotation._tag === "Rotated")
      assert.strictEqual(winners.length, 1)
      const sealed = `sealed ${winners[0]?.next}`
      assert.strictEqual(
        rotations.filter(({ rotation }) => rotation._tag === "Repeated" && rotation.sealed === sealed).length,
        rivalsCount - 1
      )
    })
  ),

  law(
    "ends one session, or all of a user, or all but one, and no other user's",
    Effect.gen(function* () {
      const store = yield* TokenStore
      const one = yield* freshSession
      const two = yield* anotherOf(one)
      const three = yield* anotherOf(one)
      const stranger = yield* freshSession
      const all = [one, two, three, stranger]
      const alive = Effect.forEach(all, store.isAlive)
      yield* Effect.forEach(all, (session) => store.begin(session, "token", start))
      yield* store.end(one)
      yield* store.end(one)
      assert.deepStrictEqual(yield* alive, [false, true, true, true])
      yield* store.endAll(two.userId, two.sessionId)
      assert.deepStrictEqual(yield* alive, [false, true, false, true])
      yield* store.endAll(two.userId)
      assert.deepStrictEqual(yield* alive, [false, false, false, true])
      assert.deepStrictEqual(yield* store.rotate(two, to("token", "next"), start), { _tag: "Ended" })
    })
  ),

  law(
    `keeps ${sessionsMax} sessions of a user, and ends the one that was used longest ago for one more`,
    Effect.gen(function* () {
      const store = yield* TokenStore
      const first = yield* freshSession
      yield* store.begin(first, "token", start)
      const others = yield* Effect.replicateEffect(anotherOf(first), sessionsMax)
      yield* Effect.forEach(others.slice(1), (session, index) => store.begin(session, "token", start + index + 1))
      yield* store.rotate(first, to("token", "next"), start + sessionsMax)
      for (const session of others.slice(0, 1)) yield* store.begin(session, "token", start + sessionsMax)
      const alive = yield* Effect.forEach([first, ...others], store.isAlive)
      assert.deepStrictEqual(alive, [true, true, false, ...others.slice(2).map(() => true)])
    })
  ),

  law(
    "makes room with sessions whose time is over before it ends others",
    Effect.gen(function* () {
      const store = yield* TokenStore
      const over = yield* freshSession
      const living = yield* anotherOf(over)
      const late = start + refreshTokenMillis
      yield* store.begin(over, "token", start)
      yield* store.begin(living, "token", start + 1)
      yield* store.begin(yield* anotherOf(over), "token", late)
      assert.deepStrictEqual([yield* store.isAlive(over), yield* store.isAlive(living)], [false, true])
    })
  )
]

/** Runs the laws against a layer. */
export const suite = suiteOf<TokenStore | IdGenerator>("TokenStore", laws)
