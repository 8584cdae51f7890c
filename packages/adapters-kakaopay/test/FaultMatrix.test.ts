/**
 * Every fault of the simulator on every call of the port: what the adapter answers, what the provider's ledger holds, and
 * what a lookup says right after and once a late commit has landed.
 *
 * What is expected is written here by hand; what is observed must agree with it and with the page
 * `docs/reference/fault-matrix.md`, which this test writes when `PILLIVERY_WRITE_PAGES=1`.
 */
import { assert, describe, it } from "@effect/vitest"
import type * as Strategy from "@pillivery/domain/PaymentStrategy"
import { ApprovalToken, CustomerReference, ProviderBillingKey, type TransactionId } from "@pillivery/domain/Provider"
import * as Fixtures from "@pillivery/domain/testing/Fixtures"
import { Won } from "@pillivery/domain/Won"
import { Context, Effect, Layer, Option, Redacted } from "effect"
import { FaultKind, type FaultRule } from "kakaopay-simulator/Faults"
import type { Endpoint } from "kakaopay-simulator/Requests"
import { Simulator } from "kakaopay-simulator/Simulator"
import * as SimulatorServer from "kakaopay-simulator/SimulatorServer"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { type Call, calls } from "../src/ErrorCodes.ts"
import * as KakaoPay from "../src/KakaoPay.ts"
import { type AnyAnswer, everywhere, nameOf, type Names, notKnown, ours } from "./Calls.ts"
import * as Provider from "./Provider.ts"

const seed = Number(process.env["SEED"] ?? Math.floor(Math.random() * 1_000_000))
console.log(`fault matrix: SEED=${seed}`)

// -----------------------------------------------------------------------------
// what is expected
// -----------------------------------------------------------------------------

const headersMillisMax = 3_000
const quickMillis = 20
const tooSlowMillis = 3 * headersMillisMax
const lateMillis = 5 * 60_000
const laterMillis = lateMillis + 60_000

type Rule = Omit<FaultRule, "kind" | "endpoint" | "match" | "times">

interface FaultCase {
  readonly title: string
  readonly rule: Rule | ((call: Call) => Rule)
  readonly answers: Names
  /** Whether the provider does what it was asked, and when. */
  readonly executed: "never" | "at once" | "later"
}

const done: Names = {
  prepare: "Prepared",
  approve: "Approved",
  charge: "Approved",
  refund: "RefundDone",
  deactivate: "Deactivated",
  lookupPayment: "PaymentFound",
  lookupBillingKey: "BillingKeyFound"
}
const theirWord = everywhere("word", "LookupFailed")

/** The code above which a bank's or card's code stands, for the calls that have one. */
const failureCodes: Readonly<Partial<Record<Call, number>>> = { approve: -780, charge: -782, refund: -781 }
const unlisted = -12_345
const byMethod =
  (methodResultCode: string) =>
  (call: Call): Rule => ({ error: { code: failureCodes[call] ?? unlisted, methodResultCode } })
const lateAnd =
  (error: (call: Call) => Rule) =>
  (call: Call): Rule => ({ ...error(call), delayMillis: lateMillis, answer: "error" })

/** Every kind of fault in each way that matters. A kind that is missing here fails the test. */
const faultCases: Readonly<Record<string, ReadonlyArray<FaultCase>>> = {
  "timeout-after": [{ title: "executed, never answered", rule: {}, answers: notKnown, executed: "at once" }],
  "timeout-before": [{ title: "neither executed nor answered", rule: {}, answers: notKnown, executed: "never" }],
  slow: [
    { title: "answered late, but in time", rule: { delayMillis: quickMillis }, answers: done, executed: "at once" },
    {
      title: "answered after we stopped waiting",
      rule: { delayMillis: tooSlowMillis },
      answers: notKnown,
      executed: "at once"
    }
  ],
  "reset-after": [{ title: "executed, then reset", rule: {}, answers: notKnown, executed: "at once" }],
  "reset-before": [{ title: "reset, not executed", rule: {}, answers: notKnown, executed: "never" }],
  "gateway-502": [
    { title: "HTML page with 502, not executed", rule: {}, answers: notKnown, executed: "never" },
    { title: "HTML page with 502, executed", rule: { execute: true }, answers: notKnown, executed: "at once" }
  ],
  "gateway-504": [
    { title: "HTML page with 504, not executed", rule: {}, answers: notKnown, executed: "never" },
    { title: "HTML page with 504, executed", rule: { execute: true }, answers: notKnown, executed: "at once" }
  ],
  "truncated-json": [{ title: "200 with half a body", rule: {}, answers: notKnown, executed: "at once" }],
  "late-commit": [
    {
      title: "executed late, never answered",
      rule: { delayMillis: lateMillis },
      answers: notKnown,
      executed: "later"
    },
    {
      title: "executed late, reset",
      rule: { delayMillis: lateMillis, answer: "reset" },
      answers: notKnown,
      executed: "later"
    },
    {
      title: "executed late, HTML page with 504",
      rule: { delayMillis: lateMillis, answer: "gateway-504" },
      answers: notKnown,
      executed: "later"
    },
    {
      title: "executed late, -603",
      rule: { delayMillis: lateMillis, answer: "error" },
      answers: notKnown,
      executed: "later"
    },
    {
      title: "executed late, the bank's outcome is open (`BANK_FIRM_UNKNOWN`)",
      rule: lateAnd(byMethod("BANK_FIRM_UNKNOWN")),
      answers: notKnown,
      executed: "later"
    }
  ],
  "rate-limit": [{ title: "429 with -10", rule: {}, answers: ours, executed: "never" }],
  maintenance: [{ title: "503 with -9798", rule: {}, answers: theirWord, executed: "never" }],
  "internal-timeout": [
    { title: "-603, not executed", rule: {}, answers: notKnown, executed: "never" },
    { title: "-603, executed", rule: { execute: true }, answers: notKnown, executed: "at once" }
  ],
  error: [
    { title: "unlisted code, not executed", rule: { error: { code: unlisted } }, answers: notKnown, executed: "never" },
    {
      title: "unlisted code, executed",
      rule: { error: { code: unlisted }, execute: true },
      answers: notKnown,
      executed: "at once"
    },
    {
      title: "-1 with 500, executed",
      rule: { error: { code: -1, httpStatus: 500 }, execute: true },
      answers: notKnown,
      executed: "at once"
    },
    {
      title: "asked twice (-785), executed",
      rule: { error: { code: -785 }, execute: true },
      answers: notKnown,
      executed: "at once"
    },
    { title: "wrong contract (-731)", rule: { error: { code: -731 } }, answers: ours, executed: "never" },
    {
      title: "refused by the bank: `LACK_BALANCE`",
      rule: byMethod("LACK_BALANCE"),
      answers: {
        ...notKnown,
        approve: "Soft InsufficientFunds",
        charge: "Soft InsufficientFunds",
        refund: "RefundRefused"
      },
      executed: "never"
    },
    {
      title: "refused for a reason nobody listed",
      rule: byMethod("SOMETHING_NEW"),
      answers: { ...notKnown, approve: "Soft Refused", charge: "Soft Refused" },
      executed: "never"
    },
    {
      title: "not tried by the bank: `BANK_FIRM_UNAVAILABLE`",
      rule: byMethod("BANK_FIRM_UNAVAILABLE"),
      answers: { ...notKnown, approve: "word", charge: "word", refund: "word" },
      executed: "never"
    },
    {
      title: "the customer's other transaction is under way: `USER_LOCKED`",
      rule: byMethod("USER_LOCKED"),
      answers: { ...notKnown, approve: "word", charge: "word", refund: "word" },
      executed: "never"
    },
    {
      title: "the key is inactive (-751)",
      rule: { error: { code: -751 } },
      answers: { ...notKnown, charge: "Hard BillingKeyRevoked", deactivate: "Deactivated" },
      executed: "never"
    },
    {
      title: "the key was used as often as it may be (-752)",
      rule: { error: { code: -752 } },
      answers: { ...notKnown, charge: "Blocked MonthlyUsesExceeded" },
      executed: "never"
    },
    {
      title: "already paid (-702)",
      rule: { error: { code: -702 }, execute: true },
      answers: notKnown,
      executed: "at once"
    },
    {
      title: "more than can be given back (-710)",
      rule: { error: { code: -710 } },
      answers: { ...notKnown, refund: "RefundRefused" },
      executed: "never"
    },
    {
      title: "no such payment (-721)",
      rule: { error: { code: -721 } },
      answers: { ...notKnown, approve: "Expired", refund: "ours", lookupPayment: "PaymentMissing" },
      executed: "never"
    }
  ]
}

/** What the ledger and a lookup show after a call that was executed, and after one that was not. */
const traces: Readonly<Record<Call, Readonly<Record<"executed" | "not", Trace>>>> = {
  prepare: {
    executed: { ledger: "nothing taken", lookup: "another one: Prepared" },
    not: { ledger: "nothing taken", lookup: "another one: Prepared" }
  },
  approve: {
    executed: { ledger: "12000 taken", lookup: "approved" },
    not: { ledger: "nothing taken", lookup: "waiting" }
  },
  charge: {
    executed: { ledger: "12000 taken", lookup: "last approval moved" },
    not: { ledger: "nothing taken", lookup: "no approval yet" }
  },
  refund: {
    executed: { ledger: "5000 given back", lookup: "5000 given back" },
    not: { ledger: "nothing given back", lookup: "nothing given back" }
  },
  deactivate: {
    executed: { ledger: "key ended", lookup: "inactive" },
    not: { ledger: "key alive", lookup: "active" }
  },
  lookupPayment: {
    executed: { ledger: "nothing moved", lookup: "approved" },
    not: { ledger: "nothing moved", lookup: "approved" }
  },
  lookupBillingKey: {
    executed: { ledger: "nothing moved", lookup: "active" },
    not: { ledger: "nothing moved", lookup: "active" }
  }
}

// -----------------------------------------------------------------------------
// what is observed
// -----------------------------------------------------------------------------

interface Trace {
  readonly ledger: string
  readonly lookup: string
}

interface Cell {
  readonly call: Call
  readonly kind: string
  readonly title: string
  readonly answer: string
  readonly requests: number
  readonly now: Trace
  readonly later: Trace
}

const endpoints: Readonly<Record<Call, Endpoint>> = {
  prepare: "ready",
  approve: "approve",
  charge: "subscription",
  refund: "cancel",
  deactivate: "inactive",
  lookupPayment: "order",
  lookupBillingKey: "status"
}

const price = Won.make(12_000)
const part = Won.make(5_000)
const patienceMillis = 60_000
const refundText = (amount: number) => (amount === 0 ? "nothing given back" : `${amount} given back`)

/** A call that can be made, and the ways to see what came of it. */
interface Scene {
  readonly match: NonNullable<FaultRule["match"]>
  readonly make: Effect.Effect<AnyAnswer>
  readonly ledger: Effect.Effect<string>
  readonly lookup: Effect.Effect<string>
}

const setTheScene = Effect.fnUntraced(function* (strategy: Strategy.PaymentStrategy, call: Call, name: string) {
  const simulator = yield* Simulator
  const attemptId = Fixtures.anyAttemptId(name)
  const customerReference = CustomerReference.make(Fixtures.anyUserId(name))
  const subscription = strategy.merchantAccountFor("subscription")
  const dispatchBefore = yield* Provider.deadlineIn(patienceMillis)
  const common = { attemptId, customerReference, amount: price, dispatchBefore }
  const goods = { itemName: "비타민 D", quantity: 1 }
  const prepareRequest = { ...Provider.prepareRequest, ...common }
  const totals = simulator.ledger.totals({ partnerOrderId: attemptId })
  const taken = Effect.map(totals, ({ capturedAmount }) =>
    capturedAmount === 0 ? "nothing taken" : `${capturedAmount} taken`
  )
  const lookup = (merchantAccount: typeof subscription, transactionId: TransactionId) =>
    strategy.lookupPayment({ merchantAccount, transactionId })
  const issueKey = Effect.map(Effect.orDie(simulator.billingKeys.issue({ partnerUserId: customerReference })), (sid) =>
    ProviderBillingKey.make(sid)
  )
  const keyRequest = (billingKey: ProviderBillingKey) => ({ merchantAccount: subscription, billingKey })
  const charge = (billingKey: ProviderBillingKey) =>
    strategy.charge({ ...common, ...goods, merchantAccount: subscription, billingKey })
  const paid = Effect.gen(function* () {
    const answer = yield* charge(yield* issueKey)
    return answer._tag === "Approved" ? answer.transactionId : yield* Effect.die(answer)
  })
  const isActive = (billingKey: ProviderBillingKey) =>
    Effect.map(strategy.lookupBillingKey(keyRequest(billingKey)), (found) =>
      found._tag === "BillingKeyFound" ? (found.isActive ? "active" : "inactive") : found._tag
    )
  const standing = (merchantAccount: typeof subscription, transactionId: TransactionId) =>
    Effect.map(lookup(merchantAccount, transactionId), (found) =>
      found._tag === "PaymentFound" ? found.standing : found._tag
    )

  switch (call) {
    case "prepare":
      return {
        match: { partnerOrderId: attemptId },
        make: strategy.prepare(prepareRequest),
        ledger: taken,
        lookup: Effect.map(
          strategy.prepare({ ...prepareRequest, attemptId: Fixtures.anyAttemptId(`${name} again`) }),
          (answer) => `another one: ${nameOf(answer)}`
        )
      } satisfies Scene
    case "approve": {
      const prepared = yield* strategy.prepare(prepareRequest)
      if (prepared._tag !== "Prepared") return yield* Effect.die(prepared)
      const { transactionId } = prepared
      const { redirectUrl } = yield* Effect.orDie(simulator.customers.approve(transactionId))
      const approvalToken = ApprovalToken.make(new URL(redirectUrl ?? "").searchParams.get("pg_token") ?? "")
      return {
        match: { tid: transactionId },
        make: strategy.approve({ ...common, merchantAccount: Provider.oneTime, transactionId, approvalToken }),
        ledger: taken,
        lookup: standing(Provider.oneTime, transactionId)
      } satisfies Scene
    }
    case "charge": {
      const billingKey = yield* issueKey
      return {
        match: { sid: billingKey },
        make: charge(billingKey),
        ledger: taken,
        lookup: Effect.map(strategy.lookupBillingKey(keyRequest(billingKey)), (found) =>
          found._tag !== "BillingKeyFound"
            ? found._tag
            : found.lastApprovedAt === null
              ? "no approval yet"
              : "last approval moved"
        )
      } satisfies Scene
    }
    case "refund": {
      const transactionId = yield* paid
      return {
        match: { tid: transactionId },
        make: strategy.refund({
          refundId: Fixtures.anyRefundId(name),
          merchantAccount: subscription,
          transactionId,
          amount: part,
          approved: price,
          available: price,
          dispatchBefore
        }),
        ledger: Effect.map(totals, ({ refundedAmount }) => refundText(refundedAmount)),
        lookup: Effect.map(lookup(subscription, transactionId), (found) =>
          found._tag === "PaymentFound" ? refundText(found.refundedTotal) : found._tag
        )
      } satisfies Scene
    }
    case "deactivate": {
      const billingKey = yield* issueKey
      return {
        match: { sid: billingKey },
        make: strategy.deactivate(keyRequest(billingKey)),
        ledger: Effect.map(simulator.billingKeys.find(billingKey), (key) =>
          Option.isSome(key) && key.value.isActive ? "key alive" : "key ended"
        ),
        lookup: isActive(billingKey)
      } satisfies Scene
    }
    case "lookupPayment": {
      const transactionId = yield* paid
      const before = yield* totals
      return {
        match: { tid: transactionId },
        make: lookup(subscription, transactionId),
        ledger: Effect.map(totals, (after) =>
          after.netAmount === before.netAmount ? "nothing moved" : "something moved"
        ),
        lookup: standing(subscription, transactionId)
      } satisfies Scene
    }
    case "lookupBillingKey": {
      const billingKey = yield* issueKey
      return {
        match: { sid: billingKey },
        make: strategy.lookupBillingKey(keyRequest(billingKey)),
        ledger: Effect.map(simulator.ledger.totals({ sid: billingKey }), ({ captureCount, refundCount }) =>
          captureCount + refundCount === 0 ? "nothing moved" : "something moved"
        ),
        lookup: isActive(billingKey)
      } satisfies Scene
    }
  }
})

const trace = ({ ledger, lookup }: Scene): Effect.Effect<Trace> => Effect.all({ ledger, lookup })

const concurrency = 25

/** All cells, in the order of the page. */
class Matrix extends Context.Service<Matrix, ReadonlyArray<Cell>>()("test/FaultMatrix") {}

const matrix = Layer.effect(
  Matrix,
  Effect.gen(function* () {
    const { url } = yield* SimulatorServer.SimulatorServer
    const simulator = yield* Simulator
    const strategy = yield* KakaoPay.make({
      ...Provider.configOf(url, { headersMillisMax }),
      secretKey: Redacted.make(Provider.secretKey)
    })
    const wanted = calls.flatMap((call) =>
      FaultKind.literals.flatMap((kind) => (faultCases[kind] ?? []).map((faultCase) => ({ call, kind, faultCase })))
    )
    const first = yield* Effect.forEach(
      wanted,
      Effect.fnUntraced(function* ({ call, faultCase, kind }) {
        const { rule, title } = faultCase
        const scene = yield* setTheScene(strategy, call, `${kind}/${title}/${call}/${seed}`)
        const endpoint = endpoints[call]
        const change = typeof rule === "function" ? rule(call) : rule
        yield* Effect.orDie(simulator.faults.add({ kind, endpoint, match: scene.match, times: 1, ...change }))
        const answer = nameOf(yield* scene.make)
        const received = yield* simulator.calls.list({ endpoint, ...scene.match })
        return { call, kind, title, scene, answer, requests: received.length, now: yield* trace(scene) }
      }),
      { concurrency }
    )
    yield* simulator.clock.advance(laterMillis)
    return yield* Effect.forEach(
      first,
      ({ scene, ...cell }) => Effect.map(trace(scene), (later): Cell => ({ ...cell, later })),
      { concurrency }
    )
  })
).pipe(Layer.provide(SimulatorServer.layer({ seed, secretKey: Provider.secretKey })))

// -----------------------------------------------------------------------------
// the page
// -----------------------------------------------------------------------------

const page = fileURLToPath(new URL("../../../docs/reference/fault-matrix.md", import.meta.url))
const command = "PILLIVERY_WRITE_PAGES=1 npm test -- packages/adapters-kakaopay/test/FaultMatrix.test.ts"

const wordsOf: Readonly<Record<string, string>> = {
  local: "NotExecuted, local",
  word: "NotExecuted, word",
  ours: "NotExecuted, ours",
  "LookupFailed ours": "LookupFailed, our fault"
}

const titles: Readonly<Record<Call, string>> = {
  prepare: "prepare (`ready`)",
  approve: "approve (`approve`)",
  charge: "charge (`subscription`)",
  refund: "refund (`cancel`)",
  deactivate: "deactivate (`inactive`)",
  lookupPayment: "lookupPayment (`order`)",
  lookupBillingKey: "lookupBillingKey (`status`)"
}

const notes: Readonly<Record<Call, string>> = {
  prepare:
    "No money can move, and the transaction of a lost answer is never shown to anybody: the lookup column shows that another one can be opened at once.",
  approve: "12,000 won that the customer approved. The lookup is `lookupPayment` by the transaction's id.",
  charge:
    "12,000 won with a key that was never charged. The transaction's id of a lost answer is lost too: the lookup is `lookupBillingKey`, and only the key's last approval tells.",
  refund: "5,000 of 12,000 won. The lookup is `lookupPayment`, which tells what was given back in all.",
  deactivate: "The ledger column shows the key at the provider. The lookup is `lookupBillingKey`.",
  lookupPayment: "A paid payment. The lookup column shows the same lookup, asked again.",
  lookupBillingKey: "A live key. The lookup column shows the same lookup, asked again."
}

const change = (now: string, later: string): string => (now === later ? "the same" : later)

const render = (cells: ReadonlyArray<Cell>): string =>
  [
    `<!-- Generated by \`${command}\`. Do not edit. -->`,
    "",
    "# Fault matrix",
    "",
    "Every way in which `kakaopay-simulator` can fail, on every call of the port: what the KakaoPay adapter answers, what the provider's",
    "own ledger holds then, and what asking says. Each row was run; each call was received by the provider exactly once. *Later* is six",
    "minutes later, after the late commits have landed.",
    "",
    "How to read it: where the ledger column differs between two rows with the same answer, the answer could not tell them apart, and must",
    "be `Unknown` (or `LookupFailed`). Where *later* differs, an early lookup was wrong, which is why an unchanged lookup is believed only",
    "after a grace time. See [charging](../explanation/charging.md).",
    "",
    calls
      .map(
        (call) =>
          `[${call}](#${titles[call]
            .toLowerCase()
            .replaceAll(/[^a-z ]/g, "")
            .replaceAll(" ", "-")})`
      )
      .join(" · "),
    "",
    ...calls.flatMap((call) => [
      `## ${titles[call]}`,
      "",
      notes[call],
      "",
      "| Fault | What happens | Answer | Ledger | Lookup | Ledger later | Lookup later |",
      "| --- | --- | --- | --- | --- | --- | --- |",
      ...cells
        .filter((cell) => cell.call === call)
        .map(({ answer, kind, later, now, title }) =>
          [
            "",
            ` \`${kind}\` `,
            ` ${title} `,
            ` ${wordsOf[answer] ?? answer} `,
            ` ${now.ledger} `,
            ` ${now.lookup} `,
            ` ${change(now.ledger, later.ledger)} `,
            ` ${change(now.lookup, later.lookup)} `,
            ""
          ].join("|")
        ),
      ""
    ])
  ].join("\n")

// -----------------------------------------------------------------------------
// the tests
// -----------------------------------------------------------------------------

describe("the faults of the simulator", () => {
  it("are all expected here", () => {
    assert.deepStrictEqual(
      FaultKind.literals.filter((kind) => !Object.hasOwn(faultCases, kind)),
      [],
      "the simulator has a new kind of fault: write what is expected of it into `faultCases` of this file"
    )
    assert.deepStrictEqual(
      Object.keys(faultCases).filter((kind) => !FaultKind.literals.some((literal) => literal === kind)),
      [],
      "`faultCases` of this file expects a kind of fault that the simulator does not have"
    )
  })
})

const expectedOf = ({ answers, executed }: FaultCase, call: Call) => {
  const { executed: after, not } = traces[call]
  return {
    answer: answers[call],
    requests: 1,
    now: executed === "at once" ? after : not,
    later: executed === "never" ? not : after
  }
}

it.layer(matrix, { excludeTestServices: true, timeout: "60 seconds" })("the fault matrix", (it) => {
  for (const [kind, cases] of Object.entries(faultCases)) {
    for (const faultCase of cases) {
      it.effect(`${kind}: ${faultCase.title}`, () =>
        Effect.gen(function* () {
          const cells = (yield* Matrix).filter((cell) => cell.kind === kind && cell.title === faultCase.title)
          assert.deepStrictEqual(
            Object.fromEntries(
              cells.map(({ answer, call, later, now, requests }) => [call, { answer, requests, now, later }])
            ),
            Object.fromEntries(calls.map((call) => [call, expectedOf(faultCase, call)]))
          )
        })
      )
    }
  }

  it.effect("is what the page says", () =>
    Effect.gen(function* () {
      const observed = render(yield* Matrix)
      if (process.env["PILLIVERY_WRITE_PAGES"] === "1") writeFileSync(page, observed)
      assert.strictEqual(
        existsSync(page) ? readFileSync(page, "utf8") : "",
        observed,
        `docs/reference/fault-matrix.md is stale: run \`${command}\``
      )
    })
  )
})
