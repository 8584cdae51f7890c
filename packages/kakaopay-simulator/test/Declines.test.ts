import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Simulator } from "../src/Simulator.ts"
import { approve, authenticate, charge, control, issueKey, openWindow, refused, simulator, textAt } from "./support.ts"

/** The statuses of so many charges of one key. */
const statuses = (sid: string, count: number) =>
  Effect.forEach(Array.from({ length: count }), () => Effect.map(charge(sid), ({ status }) => status))

describe("a decline", () => {
  it.live("lasts for n attempts after those it skips, with a MONEY or a CARD code, and takes no money", () =>
    Effect.gen(function* () {
      const { declines, ledger } = yield* Simulator
      const [sid, other] = [yield* issueKey({ method: "MONEY" }), yield* issueKey({ method: "CARD" })]
      yield* declines.add({ sid, methodResultCode: "NOT_ENOUGH_BALANCE", skip: 1, times: 2 })
      assert.deepStrictEqual(yield* statuses(sid, 5), [200, 400, 400, 200, 200])
      yield* declines.add({ sid: other, methodResultCode: "0002", methodResultMessage: "한도 초과" })
      const declined = yield* charge(other)
      refused(declined, -782, "0002")
      assert.include(declined.text, "한도 초과")
      assert.strictEqual((yield* ledger.totals({ sid })).captureCount, 3)
      assert.strictEqual((yield* ledger.totals({ sid: other })).captureCount, 0)
    }).pipe(Effect.provide(simulator()))
  )

  it.live("by rate repeats under the same seed", () =>
    Effect.gen(function* () {
      const { declines } = yield* Simulator
      const sid = yield* issueKey()
      const pattern = Effect.gen(function* () {
        const id = yield* declines.add({ methodResultCode: "LACK_BALANCE", rate: 0.5, seed: 7 })
        const seen = yield* statuses(sid, 20)
        assert.isTrue(yield* declines.remove(id))
        return seen
      })
      const first = yield* pattern
      assert.deepStrictEqual(yield* pattern, first)
      assert.sameMembers([...new Set(first)], [200, 400])
    }).pipe(Effect.provide(simulator()))
  )

  it.live("matches by order and customer too, the rules of one key first", () =>
    Effect.gen(function* () {
      const { declines } = yield* Simulator
      const sid = yield* issueKey()
      yield* declines.add({ partnerUserId: "user-1", methodResultCode: "GENERAL" })
      yield* declines.add({ partnerOrderId: "nobody's", methodResultCode: "NEVER" })
      yield* declines.add({ sid, methodResultCode: "OF_THE_KEY", times: 1 })
      refused(yield* charge(sid), -782, "OF_THE_KEY")
      refused(yield* charge(sid), -782, "GENERAL")
      const tid = yield* openWindow()
      refused(yield* approve(tid, yield* authenticate(tid)), -780, "GENERAL")
    }).pipe(Effect.provide(simulator()))
  )

  it.live("can be listed with its counts, and taken back alone", () =>
    Effect.gen(function* () {
      const sid = yield* issueKey()
      const rule = { sid, methodResultCode: "LACK_BALANCE", skip: 1 }
      const id = textAt(yield* control("POST", "/declines", rule), "id")
      const kept = textAt(yield* control("POST", "/declines", { methodResultCode: "0002", rate: 0 }), "id")
      yield* statuses(sid, 2)
      assert.deepStrictEqual((yield* control("GET", "/declines")).json["declines"], [
        { id, rule, seen: 2, used: 1 },
        { id: kept, rule: { methodResultCode: "0002", rate: 0 }, seen: 1, used: 0 }
      ])
      assert.strictEqual((yield* control("DELETE", `/declines/${id}`)).status, 204)
      assert.strictEqual((yield* control("DELETE", `/declines/${id}`)).status, 404)
      assert.strictEqual((yield* charge(sid)).status, 200)
      assert.lengthOf((yield* control("GET", "/declines")).json["declines"] as ReadonlyArray<unknown>, 1)
    }).pipe(Effect.provide(simulator()))
  )

  it.live("counts towards a bound, and frees it when it is used up or removed", () =>
    Effect.gen(function* () {
      const { declines } = yield* Simulator
      const sid = yield* issueKey()
      yield* declines.add({ sid, methodResultCode: "A", times: 1 })
      const error = yield* Effect.flip(declines.add({ methodResultCode: "B" }))
      assert.strictEqual(error.limit, "declineRuleCountMax")
      yield* charge(sid)
      const id = yield* declines.add({ methodResultCode: "B" })
      yield* declines.remove(id)
      yield* declines.add({ methodResultCode: "C" })
    }).pipe(Effect.provide(simulator({ limits: { declineRuleCountMax: 1 } })))
  )
})
