import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import { Simulator } from "../src/Simulator.ts"
import type { SimulatorServer } from "../src/SimulatorServer.ts"
import { Switches, defaults, type SwitchesPatch } from "../src/Switches.ts"
import {
  type Answer,
  approve,
  authenticate,
  call,
  charge,
  frozenAt,
  issueKey,
  type NoAnswer,
  oneTime,
  openWindow,
  pay,
  readyFields,
  recurring,
  secretKey,
  send,
  simulator,
  textAt,
  urlOf
} from "./support.ts"

const minuteMillis = 60_000

type Observation = Effect.Effect<unknown, NoAnswer | { readonly _tag: string }, Simulator | SimulatorServer>

/** One switch: what a client observes, and what it must be under each setting. */
interface Row<A> {
  readonly observe: Observation
  readonly under: ReadonlyArray<readonly [setting: A, observed: unknown]>
  /** Settings of other switches without which this one cannot be seen. */
  readonly given?: SwitchesPatch
}

/** 200, or the code of the refusal. */
const verdict = (answer: Answer): unknown => (answer.status === 200 ? 200 : answer.json["error_code"])

/** A field: its value, or "missing". */
const field = (answer: Answer, name: string): unknown => (name in answer.json ? answer.json[name] : "missing")

const cancel = (tid: string, amount: number, more: Record<string, unknown> = {}) =>
  call("cancel", { cid: oneTime, tid, cancel_amount: amount, cancel_tax_free_amount: 0, ...more })

const overlapping = Effect.gen(function* () {
  const { faults } = yield* Simulator
  const sid = yield* issueKey()
  yield* faults.add({ kind: "slow", delayMillis: 300, times: 1 })
  const first = yield* Effect.forkChild(charge(sid), { startImmediately: true })
  yield* Effect.sleep("100 millis")
  const second = yield* charge(sid)
  yield* Fiber.join(first)
  return verdict(second)
})

const wrongKey = call("ready", readyFields(), { key: "wrong" })

const table: { readonly [K in keyof Switches]: Row<Switches[K]> } = {
  failuresAre500: {
    observe: Effect.gen(function* () {
      const { declines } = yield* Simulator
      const sid = yield* issueKey()
      const paid = yield* pay({ green_deposit: 300 })
      yield* declines.add({ methodResultCode: "LACK_BALANCE" })
      const tid = yield* openWindow()
      const answers = [
        yield* approve(tid, yield* authenticate(tid)),
        yield* charge(sid),
        yield* cancel(paid, 1_000),
        yield* cancel(paid, 0)
      ]
      return answers.map((answer) => [answer.json["error_code"], answer.status])
    }),
    under: [
      [
        false,
        [
          [-780, 400],
          [-782, 400],
          [-781, 400],
          [-2, 400]
        ]
      ],
      [
        true,
        [
          [-780, 500],
          [-782, 500],
          [-781, 500],
          [-2, 400]
        ]
      ]
    ]
  },
  unauthorizedBody: {
    observe: Effect.map(wrongKey, (answer) => answer.text),
    under: [
      [defaults.unauthorizedBody, '{"error_code":-401,"error_message":"invalid secret key"}'],
      ["<h1>no</h1>", "<h1>no</h1>"]
    ]
  },
  unauthorizedStatus: {
    observe: Effect.map(wrongKey, (answer) => answer.status),
    under: [
      [401, 401],
      [403, 403]
    ]
  },
  acceptDevSecretKeyScheme: {
    observe: Effect.gen(function* () {
      const answer = yield* send("POST", yield* urlOf("ready"), {
        headers: { authorization: `DEV_SECRET_KEY ${secretKey}`, "content-type": "application/json" },
        body: JSON.stringify(readyFields())
      })
      return answer.status
    }),
    under: [
      [false, 401],
      [true, 200]
    ]
  },
  paymentWindowMillis: {
    observe: Effect.gen(function* () {
      const { clock } = yield* Simulator
      const tid = yield* openWindow()
      const token = yield* authenticate(tid)
      yield* clock.advance(10 * minuteMillis)
      return verdict(yield* approve(tid, token))
    }),
    under: [
      [15 * minuteMillis, 200],
      [10 * minuteMillis, -723]
    ]
  },
  totalMismatchCode: {
    observe: Effect.gen(function* () {
      const tid = yield* openWindow()
      return verdict(yield* approve(tid, yield* authenticate(tid), { total_amount: 1 }))
    }),
    under: [
      [-722, -722],
      [-725, -725]
    ]
  },
  subscriptionMonthlyCap: {
    observe: Effect.gen(function* () {
      const sid = yield* issueKey()
      return [verdict(yield* charge(sid)), verdict(yield* charge(sid))]
    }),
    under: [
      [null, [200, 200]],
      [1, [200, -752]],
      [0, [-752, -752]]
    ]
  },
  firstPaymentCountsAsUse: {
    given: { subscriptionMonthlyCap: 1 },
    observe: Effect.gen(function* () {
      const tid = yield* openWindow({ cid: recurring })
      const first = yield* approve(tid, yield* authenticate(tid), { cid: recurring })
      return verdict(yield* charge(textAt(first, "sid")))
    }),
    under: [
      [false, 200],
      [true, -752]
    ]
  },
  duplicateChargeMillis: {
    observe: Effect.gen(function* () {
      const { clock } = yield* Simulator
      const sid = yield* issueKey()
      const first = yield* charge(sid)
      const again = yield* charge(sid)
      const other = yield* charge(sid, { partner_order_id: "cycle-2" })
      yield* clock.advance(minuteMillis)
      return [first, again, other, yield* charge(sid)].map(verdict)
    }),
    under: [
      [0, [200, 200, 200, 200]],
      [minuteMillis, [200, -785, 200, 200]]
    ]
  },
  chargeNeedsItemName: {
    observe: Effect.gen(function* () {
      const sid = yield* issueKey()
      return [verdict(yield* charge(sid, { item_name: undefined })), verdict(yield* charge(sid))]
    }),
    under: [
      [false, [200, 200]],
      [true, [-2, 200]]
    ]
  },
  enforceCancelAvailableAmount: {
    observe: Effect.gen(function* () {
      const tid = yield* pay()
      const first = yield* cancel(tid, 1_000, { cancel_available_amount: 11_000 })
      return [first, yield* cancel(tid, 1_000, { cancel_available_amount: 11_000 })].map(verdict)
    }),
    under: [
      [true, [200, -710]],
      [false, [200, 200]]
    ]
  },
  cancelAvailableMismatchCode: {
    observe: Effect.gen(function* () {
      return verdict(yield* cancel(yield* pay(), 1_000, { cancel_available_amount: 1_000 }))
    }),
    under: [
      [-710, -710],
      [-722, -722]
    ]
  },
  lockUserOnOverlap: {
    observe: overlapping,
    under: [
      [true, -782],
      [false, 200]
    ]
  },
  lateCommitLocksUser: {
    observe: Effect.gen(function* () {
      const { clock, faults } = yield* Simulator
      const sid = yield* issueKey()
      yield* faults.add({ kind: "late-commit", times: 1, delayMillis: minuteMillis, answer: "gateway-504" })
      yield* charge(sid)
      const meanwhile = yield* charge(sid)
      yield* clock.advance(minuteMillis)
      return [meanwhile, yield* charge(sid)].map(verdict)
    }),
    under: [
      [false, [200, 200]],
      [true, [-782, 200]]
    ]
  },
  bankCheckWindow: {
    observe: Effect.gen(function* () {
      const { clock, switches } = yield* Simulator
      const window = yield* switches.get
      yield* switches.set({ bankCheckWindow: false })
      const [money, card] = [yield* issueKey({ method: "MONEY" }), yield* issueKey({ method: "CARD" })]
      const paid = yield* pay({}, { method: "MONEY" })
      yield* switches.set(window)
      const opened = yield* openWindow()
      const during = [
        yield* approve(opened, yield* authenticate(opened, { method: "MONEY" })),
        yield* charge(money),
        yield* charge(card),
        yield* cancel(paid, 1_000)
      ]
      yield* clock.advance(15 * minuteMillis)
      return [...during, yield* charge(money)].map(verdict)
    }),
    under: [
      [false, [200, 200, 200, 200, 200]],
      [true, [-780, -782, 200, -781, 200]]
    ]
  },
  declinedApproveEndsPayment: {
    observe: Effect.gen(function* () {
      const { declines, payments } = yield* Simulator
      yield* declines.add({ methodResultCode: "LACK_BALANCE", times: 1 })
      const tid = yield* openWindow()
      const token = yield* authenticate(tid)
      yield* approve(tid, token)
      const { status } = yield* Effect.flatMap(payments.find(tid), Effect.fromOption)
      return [status, verdict(yield* approve(tid, token))]
    }),
    under: [
      [true, ["FAIL_PAYMENT", -783]],
      [false, ["AUTH_PASSWORD", 200]]
    ]
  },
  repeatedInactive: {
    observe: Effect.gen(function* () {
      const sid = yield* issueKey()
      yield* call("inactive", { cid: recurring, sid })
      return verdict(yield* call("inactive", { cid: recurring, sid }))
    }),
    under: [
      ["answer", 200],
      ["error", -751]
    ]
  },
  keyOnlySetsLastApprovedAt: {
    observe: Effect.gen(function* () {
      return (yield* call("status", { cid: recurring, sid: yield* issueKey() })).json["last_approved_at"]
    }),
    given: { approvedAtDriftRate: 0 },
    under: [
      [false, null],
      [true, "2026-03-02T00:20:00"]
    ]
  },
  declinedChargeSetsLastApprovedAt: {
    observe: Effect.gen(function* () {
      const { declines } = yield* Simulator
      const sid = yield* issueKey()
      yield* declines.add({ sid, methodResultCode: "LACK_BALANCE" })
      yield* charge(sid)
      return (yield* call("status", { cid: recurring, sid })).json["last_approved_at"]
    }),
    under: [
      [false, null],
      [true, "2026-03-02T00:20:00"]
    ]
  },
  emptyLastApprovedAt: {
    observe: Effect.gen(function* () {
      const key = { cid: recurring, sid: yield* issueKey() }
      return [yield* call("status", key), yield* call("inactive", key)].map((it) => field(it, "last_approved_at"))
    }),
    under: [
      ["null", [null, null]],
      ["missing", ["missing", "missing"]],
      ["empty", ["", ""]]
    ]
  },
  chargeAbsentFields: {
    observe: Effect.gen(function* () {
      const answer = yield* charge(yield* issueKey({ method: "MONEY" }))
      return [field(answer, "item_code"), field(answer, "card_info"), field(answer, "payload")]
    }),
    under: [
      ["null", [null, null, null]],
      ["missing", ["missing", "missing", "missing"]]
    ]
  },
  statusAbsentFields: {
    observe: Effect.gen(function* () {
      const { billingKeys } = yield* Simulator
      const answer = yield* call("status", {
        cid: recurring,
        sid: yield* billingKeys.issue({ partnerUserId: "user-1" })
      })
      return [field(answer, "inactivated_at"), field(answer, "item_name"), field(answer, "last_approved_at")]
    }),
    under: [
      ["null", [null, null, null]],
      ["missing", ["missing", "missing", null]]
    ]
  },
  orderFieldsBeforeApproval: {
    observe: Effect.gen(function* () {
      const before = yield* call("order", { cid: oneTime, tid: yield* openWindow() })
      const after = yield* call("order", { cid: oneTime, tid: yield* pay() })
      return [field(before, "approved_at"), field(before, "payment_method_type"), field(after, "canceled_at")]
    }),
    under: [
      ["missing", ["missing", "missing", "missing"]],
      ["null", [null, null, "missing"]]
    ]
  },
  defaultPaymentMethod: {
    observe: Effect.gen(function* () {
      return (yield* call("order", { cid: oneTime, tid: yield* pay() })).json["payment_method_type"]
    }),
    under: [
      ["MONEY", "MONEY"],
      ["CARD", "CARD"]
    ]
  },
  shuffleKeys: {
    given: { extraKeysRate: 0 },
    observe: Effect.gen(function* () {
      const tid = yield* pay()
      const orders = new Set<string>()
      for (let index = 0; index < 5; index++) {
        orders.add(Object.keys((yield* call("order", { cid: oneTime, tid })).json).join())
      }
      return orders.size > 1
    }),
    under: [
      [true, true],
      [false, false]
    ]
  },
  extraKeysRate: {
    observe: Effect.gen(function* () {
      const tid = yield* pay()
      const { json } = yield* call("order", { cid: oneTime, tid })
      return ["tms_result", "trace_id", "payment_window", "notices"].filter((name) => name in json).length
    }),
    under: [
      [0, 0],
      [1, 1]
    ]
  },
  approvedAtDriftRate: {
    observe: Effect.gen(function* () {
      return (yield* call("order", { cid: oneTime, tid: yield* pay() })).json["approved_at"]
    }),
    under: [
      [0, "2026-03-02T00:20:00"],
      [1, "2026-03-02T00:20:01"]
    ]
  },
  sparseActionRate: {
    observe: Effect.gen(function* () {
      const order = yield* call("order", { cid: oneTime, tid: yield* pay() })
      const [action] = order.json["payment_action_details"] as ReadonlyArray<object>
      return ["aid", "amount", "payment_method_type"].map((name) => name in Object(action))
    }),
    under: [
      [0, [true, true, true]],
      [1, [true, false, false]]
    ]
  }
}

const names = Object.keys(Switches.fields) as ReadonlyArray<keyof Switches>

/** Every setting that must be in the table; undefined when there are too many to list. */
const everySetting = (name: keyof Switches): ReadonlyArray<unknown> | undefined => {
  const schema: unknown = Switches.fields[name]
  if (schema === Schema.Boolean) return [true, false]
  const literals: unknown = Reflect.get(Object(schema), "literals")
  return Array.isArray(literals) ? literals : undefined
}

describe("the switches", () => {
  it("are all in the table, each with every setting, and no two settings look alike", () => {
    assert.sameMembers(Object.keys(table), [...names])
    for (const name of names) {
      const settings = table[name].under.map(([setting]) => setting)
      const observed = table[name].under.map(([, value]) => JSON.stringify(value))
      const every = everySetting(name)
      if (every !== undefined) assert.sameMembers(settings, [...every], name)
      assert.isAtLeast(settings.length, 2, name)
      assert.strictEqual(new Set(observed).size, observed.length, name)
      if (typeof defaults[name] !== "number" || every !== undefined) assert.include(settings, defaults[name], name)
    }
  })

  const rows = names.flatMap((name) => {
    const { given, observe, under } = table[name]
    return under.map(([setting, observed]) => ({ name, given, observe, setting, observed }))
  })
  for (const { given, name, observe, observed, setting } of rows) {
    it.live(`${name} = ${JSON.stringify(setting)} shows`, () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* observe, observed)
      }).pipe(
        Effect.provide(simulator({ realNow: frozenAt("2026-03-02T00:20:00"), switches: { ...given, [name]: setting } }))
      )
    )
  }
})
