import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { FaultRule } from "../src/Faults.ts"
import { FaultKind } from "../src/Faults.ts"
import { endpoints, type Endpoint } from "../src/Requests.ts"
import { Simulator } from "../src/Simulator.ts"
import { authenticate, call, issueKey, oneTime, openWindow, pay, readyFields, recurring, simulator } from "./support.ts"

const minuteMillis = 60_000
const silenceMillis = 50

/** What a client sees under a fault, and when the operation takes effect. */
interface Row {
  readonly rule: FaultRule
  readonly sees:
    | "nothing"
    | "a reset"
    | "success"
    | { readonly status: number; readonly code: number | "html" | "half a body" }
  readonly effect: "at once" | "never" | "late"
}

const declined = { code: -782, methodResultCode: "BANK_FIRM_UNKNOWN" }
const late = { kind: "late-commit", delayMillis: minuteMillis } as const

const rows: ReadonlyArray<Row> = [
  { rule: { kind: "timeout-after" }, sees: "nothing", effect: "at once" },
  { rule: { kind: "timeout-before" }, sees: "nothing", effect: "never" },
  { rule: { kind: "slow", delayMillis: 20 }, sees: "success", effect: "at once" },
  { rule: { kind: "slow", delayMillis: minuteMillis }, sees: "nothing", effect: "at once" },
  { rule: { kind: "reset-after" }, sees: "a reset", effect: "at once" },
  { rule: { kind: "reset-before" }, sees: "a reset", effect: "never" },
  { rule: { kind: "gateway-502" }, sees: { status: 502, code: "html" }, effect: "never" },
  { rule: { kind: "gateway-502", execute: true }, sees: { status: 502, code: "html" }, effect: "at once" },
  { rule: { kind: "gateway-504" }, sees: { status: 504, code: "html" }, effect: "never" },
  { rule: { kind: "gateway-504", execute: true }, sees: { status: 504, code: "html" }, effect: "at once" },
  { rule: { kind: "truncated-json" }, sees: { status: 200, code: "half a body" }, effect: "at once" },
  { rule: { kind: "rate-limit" }, sees: { status: 429, code: -10 }, effect: "never" },
  { rule: { kind: "maintenance" }, sees: { status: 503, code: -9798 }, effect: "never" },
  { rule: { kind: "internal-timeout" }, sees: { status: 500, code: -603 }, effect: "never" },
  { rule: { kind: "internal-timeout", execute: true }, sees: { status: 500, code: -603 }, effect: "at once" },
  { rule: { kind: "error", error: declined }, sees: { status: 400, code: -782 }, effect: "never" },
  { rule: { kind: "error", error: declined, execute: true }, sees: { status: 400, code: -782 }, effect: "at once" },
  { rule: late, sees: "nothing", effect: "late" },
  { rule: { ...late, answer: "reset" }, sees: "a reset", effect: "late" },
  { rule: { ...late, answer: "gateway-504" }, sees: { status: 504, code: "html" }, effect: "late" },
  { rule: { ...late, answer: "error", error: { code: -603 } }, sees: { status: 400, code: -603 }, effect: "late" }
]

const ledger = Effect.gen(function* () {
  const simulator = yield* Simulator
  const { capturedAmount, refundedAmount } = yield* simulator.ledger.totals()
  return { capturedAmount, refundedAmount }
})

/** Prepares one call, and tells how to see whether it took effect. `won` is the money it moves. */
const prepare = (endpoint: Endpoint) =>
  Effect.gen(function* () {
    const { billingKeys, engine, payments } = yield* Simulator
    const statusOf = (tid: string) =>
      Effect.map(Effect.flatMap(payments.find(tid), Effect.fromOption), ({ status }) => status)
    switch (endpoint) {
      case "ready": {
        const isDone = Effect.sync(() => engine.store().payments.size === 1)
        return { fields: readyFields(), won: {}, isDone }
      }
      case "approve": {
        const tid = yield* openWindow()
        const pgToken = yield* authenticate(tid)
        const fields = { cid: oneTime, tid, partner_order_id: "order-1", partner_user_id: "user-1", pg_token: pgToken }
        const isDone = Effect.map(statusOf(tid), (status) => status === "SUCCESS_PAYMENT")
        return { fields, won: { capturedAmount: 11_000 }, isDone }
      }
      case "subscription": {
        const fields = {
          cid: recurring,
          sid: yield* issueKey(),
          partner_order_id: "cycle-1",
          partner_user_id: "user-1",
          item_name: "비타민 C",
          quantity: 1,
          total_amount: 12_900,
          tax_free_amount: 0
        }
        const isDone = Effect.map(
          call("status", { cid: recurring, sid: fields.sid }),
          ({ json }) => json["last_approved_at"] !== null
        )
        return { fields, won: { capturedAmount: 12_900 }, isDone }
      }
      case "cancel": {
        const tid = yield* pay()
        const fields = { cid: oneTime, tid, cancel_amount: 1_000, cancel_tax_free_amount: 0 }
        const isDone = Effect.map(statusOf(tid), (status) => status === "PART_CANCEL_PAYMENT")
        return { fields, won: { refundedAmount: 1_000 }, isDone }
      }
      case "inactive": {
        const sid = yield* issueKey()
        const isDone = Effect.map(Effect.flatMap(billingKeys.find(sid), Effect.fromOption), (key) => !key.isActive)
        return { fields: { cid: recurring, sid }, won: {}, isDone }
      }
      // The two lookups change nothing; only the log of calls tells whether they ran.
      case "order":
        return { fields: { cid: oneTime, tid: yield* openWindow() }, won: {}, isDone: undefined }
      case "status":
        return { fields: { cid: recurring, sid: yield* issueKey() }, won: {}, isDone: undefined }
    }
  })

const nameOf = ({ effect, rule, sees }: Row): string => {
  const { delayMillis: _, kind, ...more } = rule
  const details = Object.keys(more).length === 0 ? "" : ` ${JSON.stringify(more)}`
  const seen = typeof sees === "string" ? sees : `${sees.status} ${sees.code}`
  return `${kind}${details}: the client sees ${seen}, the operation takes effect ${effect}`
}

/** Ends a while after the call has arrived: nothing was said until then. */
const silence = (endpoint: Endpoint) =>
  Effect.gen(function* () {
    const { calls } = yield* Simulator
    const arrived = Effect.map(calls.list({ endpoint }), (list) => list.some(({ fault }) => fault !== null))
    while (!(yield* arrived)) yield* Effect.sleep("5 millis")
    yield* Effect.sleep(silenceMillis)
    return "nothing" as const
  })

const hit = (row: Row, endpoint: Endpoint) =>
  Effect.gen(function* () {
    const { calls, clock, faults } = yield* Simulator
    const { fields, isDone, won } = yield* prepare(endpoint)
    const before = yield* ledger
    const after = {
      capturedAmount: before.capturedAmount + (won.capturedAmount ?? 0),
      refundedAmount: before.refundedAmount + (won.refundedAmount ?? 0)
    }
    yield* faults.add({ endpoint, times: 1, ...row.rule })
    const answer = call(endpoint, fields).pipe(
      Effect.catch(({ reason }) => Effect.succeed(reason.includes("fetch failed") ? "a reset" : reason))
    )
    const seen = row.sees === "nothing" ? yield* Effect.raceFirst(answer, silence(endpoint)) : yield* answer

    if (typeof seen === "string" || row.sees === "nothing" || row.sees === "a reset") {
      assert.strictEqual<unknown>(seen, row.sees, endpoint)
    } else {
      const { contentType, json, status, text } = seen
      const expected = row.sees === "success" ? { status: 200, code: undefined } : row.sees
      assert.strictEqual(status, expected.status, endpoint)
      if (expected.code === "html") assert.include(contentType, "text/html")
      else assert.include(contentType, "application/json")
      if (expected.code === "half a body") assert.throws(() => JSON.parse(text) as unknown)
      if (typeof expected.code === "number") assert.strictEqual(json["error_code"], expected.code, endpoint)
    }

    const executedOf = Effect.gen(function* () {
      const logged = (yield* calls.list({ endpoint })).find((record) => record.fault !== null)
      if (logged === undefined) return assert.fail(`${endpoint} was not hit`)
      assert.strictEqual(logged.fault, row.rule.kind, endpoint)
      assert.strictEqual(logged.answered, row.sees !== "nothing" && row.sees !== "a reset", endpoint)
      return logged.executed
    })
    const assertState = (executed: boolean, when: string) =>
      Effect.gen(function* () {
        const where = `${endpoint} ${when}`
        assert.strictEqual(yield* executedOf, executed, where)
        assert.deepStrictEqual(yield* ledger, executed ? after : before, where)
        if (isDone !== undefined) assert.strictEqual(yield* isDone, executed, where)
      })
    yield* assertState(row.effect === "at once", "at once")
    yield* clock.advance(minuteMillis)
    yield* assertState(row.effect !== "never", "a minute later")
  })

describe("every fault on every call", () => {
  it("is in the table", () => {
    assert.sameMembers([...new Set(rows.map(({ rule }) => rule.kind))], [...FaultKind.literals])
  })

  for (const row of rows) {
    it.live(nameOf(row), () =>
      Effect.forEach(endpoints, (endpoint) => Effect.provide(hit(row, endpoint), simulator()), { concurrency: 4 })
    )
  }

  it.live("comes before any check: an unknown key meets it too, and executes nothing", () =>
    Effect.gen(function* () {
      const { calls, faults, ledger } = yield* Simulator
      const sid = yield* issueKey()
      yield* faults.add({ kind: "gateway-502", execute: true })
      assert.strictEqual((yield* call("inactive", { cid: recurring, sid }, { key: "wrong" })).status, 502)
      const [logged] = yield* calls.list({ endpoint: "inactive" })
      assert.deepInclude(logged, { executed: false, errorCode: -401 })
      assert.strictEqual((yield* ledger.totals()).captureCount, 0)
    }).pipe(Effect.provide(simulator()))
  )
})
