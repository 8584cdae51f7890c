import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { execFileSync } from "node:child_process"
import * as KoreanTime from "../src/internal/KoreanTime.ts"
import * as SeededRandom from "../src/internal/SeededRandom.ts"
import { Simulator } from "../src/Simulator.ts"
import {
  approve,
  authenticate,
  call,
  charge,
  frozenAt,
  issueKey,
  oneTime,
  openWindow,
  pay,
  recurring,
  simulator
} from "./support.ts"

describe("KoreanTime", () => {
  it("writes Korean wall time without zone or fraction", () => {
    assert.strictEqual(KoreanTime.stamp(Date.UTC(2026, 11, 31, 15, 0, 0, 999)), "2027-01-01T00:00:00")
    assert.strictEqual(KoreanTime.month(Date.UTC(2026, 0, 31, 15)), "2026-02")
  })

  it("knows the bank check to the minute", () => {
    const at = (time: string) => KoreanTime.isBankCheck(Date.parse(`2026-03-02T${time}+09:00`))
    assert.deepStrictEqual(["23:29:59", "23:30:00", "00:00:00", "00:34:59", "00:35:00", "12:00:00"].map(at), [
      false,
      true,
      true,
      true,
      false,
      false
    ])
  })

  it("does not depend on the zone of the process", () => {
    const module = new URL("../src/internal/KoreanTime.ts", import.meta.url).href
    for (const zone of ["America/New_York", "Asia/Seoul", "UTC"]) {
      const script = `import { stamp } from ${JSON.stringify(module)}; console.log(stamp(1772413200000), new Date(2026, 0).getTimezoneOffset())`
      const printed = execFileSync(process.execPath, ["--input-type=module", "-e", script], {
        env: { ...process.env, TZ: zone },
        encoding: "utf8"
      }).split(" ")
      assert.strictEqual(printed[0], "2026-03-02T10:00:00")
    }
  })
})

describe("SeededRandom", () => {
  it("repeats under the same seed and differs under another", () => {
    const draw = (seed: number) => SeededRandom.make(seed).hex(64)
    assert.strictEqual(draw(1), draw(1))
    assert.notStrictEqual(draw(1), draw(2))
  })
})

describe("the wire", () => {
  it.live("shuffles keys and adds unknown ones, reproducibly", () =>
    Effect.gen(function* () {
      const texts = Effect.gen(function* () {
        const { switches } = yield* Simulator
        yield* switches.set({ extraKeysRate: 1 })
        const tid = yield* openWindow()
        const answers = []
        for (let index = 0; index < 5; index++) answers.push((yield* call("order", { cid: oneTime, tid })).text)
        return answers
      })
      const options = { seed: 42, realNow: frozenAt("2026-03-02T10:00:00") }
      const first = yield* Effect.provide(texts, simulator(options))
      assert.deepStrictEqual(yield* Effect.provide(texts, simulator(options)), first)
      assert.isAbove(new Set(first).size, 1)
      const keys = new Set(first.flatMap((text) => Object.keys(JSON.parse(text) as object)))
      assert.isTrue(["tms_result", "trace_id", "payment_window", "notices"].some((name) => keys.has(name)))
    })
  )

  it.live("shows approved_at one second later in later answers when it drifts", () =>
    Effect.gen(function* () {
      const tid = yield* openWindow()
      const approved = yield* approve(tid, yield* authenticate(tid))
      assert.strictEqual(approved.json["approved_at"], "2026-03-02T10:00:00")
      const order = yield* call("order", { cid: oneTime, tid })
      assert.strictEqual(order.json["approved_at"], "2026-03-02T10:00:01")
      const sid = yield* issueKey()
      yield* charge(sid)
      const status = yield* call("status", { cid: recurring, sid })
      assert.strictEqual(status.json["last_approved_at"], "2026-03-02T10:00:01")
    }).pipe(
      Effect.provide(simulator({ realNow: frozenAt("2026-03-02T10:00:00"), switches: { approvedAtDriftRate: 1 } }))
    )
  )

  it.live("sometimes leaves amount and method out of order's actions", () =>
    Effect.gen(function* () {
      const tid = yield* pay()
      const order = yield* call("order", { cid: oneTime, tid })
      const [action] = order.json["payment_action_details"] as ReadonlyArray<object>
      assert.notProperty(action, "amount")
      assert.notProperty(action, "payment_method_type")
      assert.property(action, "aid")
    }).pipe(Effect.provide(simulator({ switches: { sparseActionRate: 1 } })))
  )

  for (const [skewMillis, stamp] of [
    [-30_000, "2026-03-02T09:59:30"],
    [30_000, "2026-03-02T10:00:30"]
  ] as const) {
    it.live(`reports a clock that is ${skewMillis / 1_000} s off while the ledger keeps the truth`, () =>
      Effect.gen(function* () {
        const { clock, ledger } = yield* Simulator
        const sid = yield* issueKey()
        yield* clock.set({ skewMillis })
        const charged = yield* charge(sid)
        assert.strictEqual(charged.json["approved_at"], stamp)
        const order = yield* call("order", { cid: recurring, tid: charged.json["tid"] })
        const status = yield* call("status", { cid: recurring, sid })
        assert.deepStrictEqual([order.json["approved_at"], status.json["last_approved_at"]], [stamp, stamp])
        const [entry] = yield* ledger.entries({ sid })
        assert.strictEqual(entry?.at, "2026-03-02T01:00:00.999Z")
      }).pipe(
        Effect.provide(
          simulator({ realNow: () => Date.UTC(2026, 2, 2, 1, 0, 0, 999), switches: { approvedAtDriftRate: 0 } })
        )
      )
    )
  }
})
