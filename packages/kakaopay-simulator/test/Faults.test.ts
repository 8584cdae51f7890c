import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import { Simulator } from "../src/Simulator.ts"
import {
  approve,
  authenticate,
  call,
  charge,
  issueKey,
  oneTime,
  openWindow,
  pay,
  recurring,
  refused,
  simulator,
  textAt
} from "./support.ts"

const minuteMillis = 60_000

describe("a fault", () => {
  const answered = ["gateway-502", "gateway-504", "internal-timeout", "error", "rate-limit", "maintenance"] as const
  for (const kind of answered) {
    it.live(`${kind} is answered after its delay, and at once without one`, () =>
      Effect.gen(function* () {
        const { faults } = yield* Simulator
        const sid = yield* issueKey()
        const chargedAfter = Effect.fnUntraced(function* (delayMillis: number | undefined, timeoutMillis: number) {
          yield* faults.add({ kind, times: 1, ...(delayMillis === undefined ? {} : { delayMillis }) })
          const [took, answer] = yield* Effect.timed(Effect.option(charge(sid, {}, { timeoutMillis })))
          return { isAnswered: Option.isSome(answer), tookMillis: Duration.toMillis(took) }
        })
        const delayed = yield* chargedAfter(100, 5_000)
        assert.isTrue(delayed.isAnswered)
        assert.isAtLeast(delayed.tookMillis, 95)
        assert.isFalse((yield* chargedAfter(minuteMillis, 200)).isAnswered)
        assert.isTrue((yield* chargedAfter(undefined, 5_000)).isAnswered)
      }).pipe(Effect.provide(simulator()))
    )
  }

  it.live("hits only what it matches, after what it skips, as often as it says", () =>
    Effect.gen(function* () {
      const { faults } = yield* Simulator
      const sid = yield* issueKey()
      yield* faults.add({ kind: "maintenance", match: { partnerOrderId: "cycle-2" }, skip: 1, times: 2 })
      const statuses: Array<number> = []
      for (const order of ["cycle-1", "cycle-2", "cycle-2", "cycle-1", "cycle-2", "cycle-2"]) {
        statuses.push((yield* charge(sid, { partner_order_id: order })).status)
      }
      assert.deepStrictEqual(statuses, [200, 200, 503, 200, 503, 200])
      yield* faults.add({ kind: "maintenance", match: { partnerUserId: "user-1" } })
      assert.strictEqual((yield* call("status", { cid: recurring, sid })).status, 503)
      yield* faults.clear
      assert.strictEqual((yield* call("status", { cid: recurring, sid })).status, 200)
    }).pipe(Effect.provide(simulator()))
  )

  it.live("with a rate repeats under the same seed", () =>
    Effect.gen(function* () {
      const pattern = Effect.gen(function* () {
        const { faults } = yield* Simulator
        const sid = yield* issueKey()
        const id = yield* faults.add({ kind: "rate-limit", endpoint: "status", rate: 0.5, seed: 7 })
        const statuses: Array<number> = []
        for (let index = 0; index < 20; index++) statuses.push((yield* call("status", { cid: recurring, sid })).status)
        yield* faults.remove(id)
        return statuses
      })
      const first = yield* pattern
      assert.deepStrictEqual(yield* pattern, first)
      assert.sameMembers([...new Set(first)], [200, 429])
    }).pipe(Effect.provide(simulator()))
  )

  it.live("leaves a bounded number of rules", () =>
    Effect.gen(function* () {
      const { faults } = yield* Simulator
      yield* faults.add({ kind: "maintenance", endpoint: "ready" })
      const error = yield* Effect.flip(faults.add({ kind: "maintenance" }))
      assert.strictEqual(error.limit, "faultRuleCountMax")
    }).pipe(Effect.provide(simulator({ limits: { faultRuleCountMax: 1 } })))
  )
})

describe("a late commit", () => {
  it.live("of a charge: an immediate status says no, a later one says yes", () =>
    Effect.gen(function* () {
      const { calls, clock, faults, ledger } = yield* Simulator
      const sid = yield* issueKey()
      yield* faults.add({ kind: "late-commit", endpoint: "subscription", times: 1, delayMillis: 20 * minuteMillis })
      yield* Effect.flip(charge(sid, {}, { timeoutMillis: 100 }))
      assert.isNull((yield* call("status", { cid: recurring, sid })).json["last_approved_at"])
      yield* clock.advance(19 * minuteMillis)
      assert.isNull((yield* call("status", { cid: recurring, sid })).json["last_approved_at"])
      assert.strictEqual((yield* ledger.totals()).captureCount, 0)
      yield* clock.advance(minuteMillis)
      assert.isString((yield* call("status", { cid: recurring, sid })).json["last_approved_at"])
      assert.deepInclude(yield* ledger.totals({ partnerOrderId: "cycle-1" }), { captureCount: 1 })
      const [late] = yield* calls.list({ endpoint: "subscription" })
      assert.deepInclude(late, { executed: true, answered: false })
    }).pipe(Effect.provide(simulator()))
  )

  it.live("carries the instant it landed, not the one it was noticed", () =>
    Effect.gen(function* () {
      const { clock, faults, ledger } = yield* Simulator
      const sid = yield* issueKey()
      yield* faults.add({
        kind: "late-commit",
        endpoint: "subscription",
        delayMillis: minuteMillis,
        answer: "gateway-504"
      })
      const before = yield* clock.nowMillis
      assert.strictEqual((yield* charge(sid)).status, 504)
      yield* clock.advance(60 * minuteMillis)
      const [entry] = yield* ledger.entries({ sid })
      assert.strictEqual(entry?.atMillis, before + minuteMillis)
    }).pipe(Effect.provide(simulator({ realNow: () => 1_772_413_200_000 })))
  )

  it.live("of an approve leaves the payment open until it lands", () =>
    Effect.gen(function* () {
      const { clock, faults } = yield* Simulator
      const tid = yield* openWindow()
      const token = yield* authenticate(tid)
      yield* faults.add({
        kind: "late-commit",
        endpoint: "approve",
        times: 1,
        delayMillis: minuteMillis,
        answer: "error",
        error: { code: -780, methodResultCode: "BANK_FIRM_UNKNOWN" }
      })
      refused(yield* approve(tid, token), -780, "BANK_FIRM_UNKNOWN")
      assert.strictEqual((yield* call("order", { cid: oneTime, tid })).json["status"], "AUTH_PASSWORD")
      yield* clock.advance(minuteMillis)
      assert.strictEqual((yield* call("order", { cid: oneTime, tid })).json["status"], "SUCCESS_PAYMENT")
      refused(yield* approve(tid, token), -702)
    }).pipe(Effect.provide(simulator()))
  )

  it.live("of a refund can refund twice when the client sends it again", () =>
    Effect.gen(function* () {
      const { clock, faults, ledger } = yield* Simulator
      const tid = yield* pay()
      yield* faults.add({
        kind: "late-commit",
        endpoint: "cancel",
        times: 1,
        delayMillis: minuteMillis,
        answer: "reset"
      })
      const fields = { cid: oneTime, tid, cancel_amount: 1_000, cancel_tax_free_amount: 0 }
      yield* Effect.flip(call("cancel", fields))
      assert.strictEqual((yield* call("cancel", fields)).status, 200)
      assert.strictEqual((yield* ledger.totals({ tid })).refundedAmount, 1_000)
      yield* clock.advance(minuteMillis)
      assert.strictEqual((yield* ledger.totals({ tid })).refundedAmount, 2_000)
    }).pipe(Effect.provide(simulator()))
  )

  it.live("that became illegal meanwhile moves no money", () =>
    Effect.gen(function* () {
      const { billingKeys, calls, clock, faults, ledger } = yield* Simulator
      const sid = yield* issueKey()
      yield* faults.add({
        kind: "late-commit",
        endpoint: "subscription",
        delayMillis: minuteMillis,
        answer: "gateway-504"
      })
      yield* charge(sid)
      yield* billingKeys.inactivate(sid)
      yield* clock.advance(minuteMillis)
      assert.strictEqual((yield* ledger.totals()).captureCount, 0)
      const [late] = yield* calls.list({ endpoint: "subscription" })
      assert.deepInclude(late, { executed: false, errorCode: -751 })
    }).pipe(Effect.provide(simulator()))
  )
})

describe("overlapping money calls", () => {
  const overlap = <A, E, R>(first: Effect.Effect<unknown, E, R>, second: Effect.Effect<A, E, R>) =>
    Effect.gen(function* () {
      const { faults } = yield* Simulator
      yield* faults.add({ kind: "slow", delayMillis: 300, times: 1 })
      const running = yield* Effect.forkChild(first, { startImmediately: true })
      yield* Effect.sleep("100 millis")
      const answer = yield* second
      yield* Fiber.join(running)
      return answer
    })

  it.live("of one customer fail with USER_LOCKED", () =>
    Effect.gen(function* () {
      const { ledger, switches } = yield* Simulator
      const sid = yield* issueKey()
      refused(yield* overlap(charge(sid), charge(sid)), -782, "USER_LOCKED")
      assert.strictEqual((yield* ledger.totals()).captureCount, 1)
      yield* switches.set({ lockUserOnOverlap: false })
      assert.strictEqual((yield* overlap(charge(sid), charge(sid))).status, 200)
      assert.strictEqual((yield* ledger.totals()).captureCount, 3)
    }).pipe(Effect.provide(simulator()))
  )

  it.live("on one tid fail with -785", () =>
    Effect.gen(function* () {
      const tid = yield* pay()
      const cancel = call("cancel", { cid: oneTime, tid, cancel_amount: 1_000, cancel_tax_free_amount: 0 })
      refused(yield* overlap(cancel, cancel), -785)
      assert.strictEqual((yield* cancel).status, 200)
    }).pipe(Effect.provide(simulator()))
  )

  it.live("of a client that went away free their customer again", () =>
    Effect.gen(function* () {
      const { faults } = yield* Simulator
      const sid = yield* issueKey()
      yield* faults.add({ kind: "slow", delayMillis: 60_000, times: 1 })
      yield* Effect.flip(charge(sid, {}, { timeoutMillis: 100 }))
      yield* Effect.sleep("100 millis")
      assert.isString(textAt(yield* charge(sid), "tid"))
    }).pipe(Effect.provide(simulator()))
  )
})
