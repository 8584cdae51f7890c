/**
 * The answers that follow from the provider's own state, not from a fault: calls out of order, twice, by the wrong name,
 * with the wrong amount, or while another call is still open. Each is compared with the provider's ledger.
 */
import { assert, describe, it } from "@effect/vitest"
import type * as Strategy from "@pillivery/domain/PaymentStrategy"
import {
  ApprovalToken,
  CustomerReference,
  MerchantAccount,
  ProviderBillingKey,
  TransactionId
} from "@pillivery/domain/Provider"
import * as Fixtures from "@pillivery/domain/testing/Fixtures"
import { Won } from "@pillivery/domain/Won"
import { DateTime, Effect, Redacted } from "effect"
import { Simulator } from "kakaopay-simulator/Simulator"
import * as SimulatorServer from "kakaopay-simulator/SimulatorServer"
import * as KakaoPay from "../src/KakaoPay.ts"
import { type AnyAnswer, nameOf } from "./Calls.ts"
import * as Provider from "./Provider.ts"

const seed = Number(process.env["SEED"] ?? Math.floor(Math.random() * 1_000_000))
console.log(`adapters-kakaopay states: SEED=${seed}`)

const newServer = () => SimulatorServer.layer({ seed, secretKey: Provider.secretKey })
const minuteMillis = 60_000
const priceOf = Won.make(12_000)

/** One customer at a provider of its own. */
const setUp = Effect.gen(function* () {
  const { url } = yield* SimulatorServer.SimulatorServer
  const simulator = yield* Simulator
  const strategyWith = (secretKey: string) =>
    KakaoPay.make({ ...Provider.configOf(url, { headersMillisMax: 1_500 }), secretKey: Redacted.make(secretKey) })
  const strategy = yield* strategyWith(Provider.secretKey)
  const dispatchBefore = yield* Provider.deadlineIn(minuteMillis)

  const prepare = Effect.fnUntraced(function* (changes: Partial<Strategy.PrepareRequest> = {}) {
    const answer = yield* strategy.prepare({ ...Provider.prepareRequest, ...changes })
    return answer._tag === "Prepared" ? answer.transactionId : yield* Effect.die(answer)
  })
  const agree = (transactionId: TransactionId) =>
    Effect.map(Effect.orDie(simulator.customers.approve(transactionId)), ({ redirectUrl }) =>
      ApprovalToken.make(new URL(redirectUrl ?? "").searchParams.get("pg_token") ?? "")
    )
  const approve = (
    transactionId: TransactionId,
    approvalToken: ApprovalToken,
    changes: Partial<Strategy.ApproveRequest> = {}
  ) => strategy.approve({ ...Provider.approveRequest(dispatchBefore), transactionId, approvalToken, ...changes })
  const issueKey = Effect.map(
    Effect.orDie(simulator.billingKeys.issue({ partnerUserId: Provider.customerReference })),
    (sid) => ProviderBillingKey.make(sid)
  )
  const charge = (billingKey: ProviderBillingKey, changes: Partial<Strategy.ChargeRequest> = {}) =>
    strategy.charge({ ...Provider.chargeRequest(dispatchBefore), billingKey, ...changes })
  const pay = Effect.gen(function* () {
    const transactionId = yield* prepare()
    const answer = yield* approve(transactionId, yield* agree(transactionId))
    return answer._tag === "Approved" ? transactionId : yield* Effect.die(answer)
  })
  const refund = (transactionId: TransactionId, changes: Partial<Strategy.RefundRequest> = {}) =>
    strategy.refund({ ...Provider.refundRequest(dispatchBefore), transactionId, ...changes })
  return { agree, approve, charge, issueKey, pay, prepare, refund, simulator, strategy, strategyWith }
})

type World = Effect.Success<typeof setUp>

/** What was captured and given back in all, in won. */
const moved = ({ simulator }: World) =>
  Effect.map(simulator.ledger.totals(), ({ capturedAmount, refundedAmount }) => [capturedAmount, refundedAmount])

interface Scenario {
  readonly what: string
  readonly play: (world: World) => Effect.Effect<AnyAnswer>
  readonly expected: string
  /** Captured and given back at its end, in won. */
  readonly moved: readonly [captured: number, refunded: number]
}

const token = ApprovalToken.make("a-token-of-nobody")
const unknownTid = TransactionId.make("T0000000000000000000")
const unknownSid = ProviderBillingKey.make("S0000000000000000000")
const otherCustomer = CustomerReference.make("customer-2")
const otherAttempt = Fixtures.anyAttemptId("another")

const agreed = (world: World) =>
  Effect.gen(function* () {
    const transactionId = yield* world.prepare()
    return { transactionId, token: yield* world.agree(transactionId) }
  })

const approving =
  (changes: Partial<Strategy.ApproveRequest>) =>
  (world: World): Effect.Effect<AnyAnswer> =>
    Effect.flatMap(agreed(world), ({ token, transactionId }) => world.approve(transactionId, token, changes))

const charging =
  (changes: Partial<Strategy.ChargeRequest>) =>
  (world: World): Effect.Effect<AnyAnswer> =>
    Effect.flatMap(world.issueKey, (billingKey) => world.charge(billingKey, changes))

const refunding =
  (changes: Partial<Strategy.RefundRequest>) =>
  (world: World): Effect.Effect<AnyAnswer> =>
    Effect.flatMap(world.pay, (transactionId) => world.refund(transactionId, changes))

const scenarios: ReadonlyArray<Scenario> = [
  {
    what: "an approval before the customer finished (-701)",
    play: (world) => Effect.flatMap(world.prepare(), (transactionId) => world.approve(transactionId, token)),
    expected: "NotYet",
    moved: [0, 0]
  },
  {
    what: "an approval with a token of nobody (-708)",
    play: approving({ approvalToken: token }),
    expected: "NotYet",
    moved: [0, 0]
  },
  {
    what: "an approval after the window (-723)",
    play: (world) =>
      Effect.gen(function* () {
        const { token, transactionId } = yield* agreed(world)
        yield* world.simulator.clock.advance(16 * minuteMillis)
        return yield* world.approve(transactionId, token)
      }),
    expected: "Expired",
    moved: [0, 0]
  },
  {
    what: "an approval of a transaction nobody opened (-721)",
    play: (world) => world.approve(unknownTid, token),
    expected: "Expired",
    moved: [0, 0]
  },
  {
    what: "an approval under the other contract (-721)",
    play: approving({ merchantAccount: Provider.recurring }),
    expected: "Expired",
    moved: [0, 0]
  },
  {
    what: "an approval for another attempt (-706)",
    play: approving({ attemptId: otherAttempt }),
    expected: "ours",
    moved: [0, 0]
  },
  {
    what: "an approval for another customer (-707)",
    play: approving({ customerReference: otherCustomer }),
    expected: "ours",
    moved: [0, 0]
  },
  {
    what: "an approval of another amount (-725)",
    play: approving({ amount: Won.make(11_999) }),
    expected: "ours",
    moved: [0, 0]
  },
  {
    what: "an approval of another amount, by the other code (-722)",
    play: (world) =>
      Effect.andThen(
        world.simulator.switches.set({ totalMismatchCode: -722 }),
        approving({ amount: Won.make(11_999) })(world)
      ),
    expected: "ours",
    moved: [0, 0]
  },
  {
    what: "an approval after the customer quit (-783)",
    play: (world) =>
      Effect.gen(function* () {
        const transactionId = yield* world.prepare()
        yield* Effect.orDie(world.simulator.customers.cancel(transactionId))
        return yield* world.approve(transactionId, token)
      }),
    expected: "Unknown",
    moved: [0, 0]
  },
  {
    what: "an approval a second time (-702)",
    play: (world) =>
      Effect.gen(function* () {
        const { token, transactionId } = yield* agreed(world)
        yield* world.approve(transactionId, token)
        return yield* world.approve(transactionId, token)
      }),
    expected: "Unknown",
    moved: [12_000, 0]
  },
  {
    what: "an approval while the first one is still open (-785)",
    play: (world) =>
      Effect.gen(function* () {
        const { token, transactionId } = yield* agreed(world)
        yield* Effect.orDie(
          world.simulator.faults.add({ kind: "slow", endpoint: "approve", delayMillis: 1_000, times: 1 })
        )
        const first = yield* Effect.forkChild(world.approve(transactionId, token), { startImmediately: true })
        yield* Effect.sleep("300 millis")
        const second = yield* world.approve(transactionId, token)
        assert.isUndefined(first.pollUnsafe())
        return second
      }),
    expected: "Unknown",
    moved: [12_000, 0]
  },
  {
    what: "an approval by a bank under maintenance, which answers 500 (-780)",
    play: (world) =>
      Effect.gen(function* () {
        yield* world.simulator.switches.set({ failuresAre500: true })
        yield* Effect.orDie(world.simulator.declines.add({ methodResultCode: "BANK_FIRM_UNAVAILABLE" }))
        return yield* approving({})(world)
      }),
    expected: "word",
    moved: [0, 0]
  },
  {
    what: "a charge of a key nobody issued (-750)",
    play: (world) => world.charge(unknownSid),
    expected: "Hard BillingKeyRevoked",
    moved: [0, 0]
  },
  {
    what: "a charge of a key the customer ended (-751)",
    play: (world) =>
      Effect.gen(function* () {
        const billingKey = yield* world.issueKey
        yield* Effect.orDie(world.simulator.billingKeys.inactivate(billingKey))
        return yield* world.charge(billingKey)
      }),
    expected: "Hard BillingKeyRevoked",
    moved: [0, 0]
  },
  {
    what: "a second charge in a month of one (-752)",
    play: (world) =>
      Effect.gen(function* () {
        yield* world.simulator.switches.set({ subscriptionMonthlyCap: 1 })
        const billingKey = yield* world.issueKey
        yield* world.charge(billingKey)
        return yield* world.charge(billingKey)
      }),
    expected: "Blocked MonthlyUsesExceeded",
    moved: [12_000, 0]
  },
  {
    what: "a charge for another customer (-753)",
    play: charging({ customerReference: otherCustomer }),
    expected: "ours",
    moved: [0, 0]
  },
  {
    what: "a charge under a contract that is not ours (-731)",
    play: charging({ merchantAccount: MerchantAccount.make("C000000000") }),
    expected: "ours",
    moved: [0, 0]
  },
  {
    what: "a charge of nothing (-2)",
    play: charging({ amount: Won.make(0) }),
    expected: "ours",
    moved: [0, 0]
  },
  {
    what: "a charge while a late one of the same customer has not landed (`USER_LOCKED`)",
    play: (world) =>
      Effect.gen(function* () {
        yield* world.simulator.switches.set({ lateCommitLocksUser: true })
        yield* Effect.orDie(
          world.simulator.faults.add({ kind: "late-commit", endpoint: "subscription", answer: "reset", times: 1 })
        )
        const first = yield* charging({})(world)
        assert.strictEqual(first._tag, "Unknown")
        const second = yield* charging({})(world)
        // Only now does the first one take its money: had the second been a refusal, nobody would have looked.
        yield* world.simulator.clock.advance(21 * minuteMillis)
        return second
      }),
    expected: "word",
    moved: [12_000, 0]
  },
  {
    what: "a charge declined for each of two tries, then not (-782)",
    play: (world) =>
      Effect.gen(function* () {
        const billingKey = yield* world.issueKey
        yield* Effect.orDie(world.simulator.declines.add({ sid: billingKey, methodResultCode: "0174", times: 2 }))
        for (const answer of [yield* world.charge(billingKey), yield* world.charge(billingKey)]) {
          assert.strictEqual(nameOf(answer), "Soft InsufficientFunds")
        }
        return yield* world.charge(billingKey)
      }),
    expected: "Approved",
    moved: [12_000, 0]
  },
  {
    what: "a refund of more than was paid (-711)",
    play: refunding({ amount: Won.make(12_001), available: Won.make(12_001) }),
    expected: "RefundRefused",
    moved: [12_000, 0]
  },
  {
    what: "a refund of more than is left (-710)",
    play: (world) =>
      Effect.gen(function* () {
        const transactionId = yield* world.pay
        yield* world.refund(transactionId)
        return yield* world.refund(transactionId, { amount: Won.make(8_000), available: Won.make(8_000) })
      }),
    expected: "RefundRefused",
    moved: [12_000, 5_000]
  },
  {
    what: "a refund when our books say that another amount is left (-710)",
    play: refunding({ available: Won.make(11_000) }),
    expected: "RefundRefused",
    moved: [12_000, 0]
  },
  {
    what: "a refund when our books say that another amount is left, by the other code (-722)",
    play: (world) =>
      Effect.andThen(
        world.simulator.switches.set({ cancelAvailableMismatchCode: -722 }),
        refunding({ available: Won.make(11_000) })(world)
      ),
    expected: "ours",
    moved: [12_000, 0]
  },
  {
    what: "a refund when everything was given back (-784)",
    play: (world) =>
      Effect.gen(function* () {
        const transactionId = yield* world.pay
        yield* world.refund(transactionId, { amount: priceOf })
        return yield* world.refund(transactionId, { amount: priceOf })
      }),
    expected: "Unknown",
    moved: [12_000, 12_000]
  },
  {
    what: "a refund of what was not paid yet (-784)",
    play: (world) => Effect.flatMap(world.prepare(), (transactionId) => world.refund(transactionId)),
    expected: "Unknown",
    moved: [0, 0]
  },
  {
    what: "a refund under the other contract (-721)",
    play: refunding({ merchantAccount: Provider.recurring }),
    expected: "ours",
    moved: [12_000, 0]
  },
  {
    what: "a refund while another one of the same payment is still open (-785)",
    play: (world) =>
      Effect.gen(function* () {
        const transactionId = yield* world.pay
        yield* Effect.orDie(
          world.simulator.faults.add({ kind: "slow", endpoint: "cancel", delayMillis: 1_000, times: 1 })
        )
        const first = yield* Effect.forkChild(world.refund(transactionId), { startImmediately: true })
        yield* Effect.sleep("300 millis")
        const second = yield* world.refund(transactionId)
        assert.isUndefined(first.pollUnsafe())
        return second
      }),
    expected: "Unknown",
    moved: [12_000, 5_000]
  },
  {
    what: "a payment given back in parts whose taxes do not round alike",
    play: (world) =>
      Effect.gen(function* () {
        const transactionId = yield* world.pay
        const part = Won.make(4_000)
        yield* world.refund(transactionId, { amount: part })
        yield* world.refund(transactionId, { amount: part, available: Won.make(8_000) })
        return yield* world.refund(transactionId, { amount: part, available: part })
      }),
    expected: "RefundDone",
    moved: [12_000, 12_000]
  },
  {
    what: "an ending of a key nobody issued (-750)",
    play: ({ strategy }) => strategy.deactivate({ merchantAccount: Provider.recurring, billingKey: unknownSid }),
    expected: "Unknown",
    moved: [0, 0]
  },
  {
    what: "an ending of an ended key, which the provider refuses (-751)",
    play: (world) =>
      Effect.gen(function* () {
        yield* world.simulator.switches.set({ repeatedInactive: "error" })
        const request = { merchantAccount: Provider.recurring, billingKey: yield* world.issueKey }
        yield* world.strategy.deactivate(request)
        return yield* world.strategy.deactivate(request)
      }),
    expected: "Deactivated",
    moved: [0, 0]
  },
  {
    what: "a lookup under the other contract (-721)",
    play: (world) =>
      Effect.flatMap(world.pay, (transactionId) =>
        world.strategy.lookupPayment({ merchantAccount: Provider.recurring, transactionId })
      ),
    expected: "PaymentMissing",
    moved: [12_000, 0]
  },
  {
    what: "a charge with a key of another merchant (401)",
    play: (world) =>
      Effect.scoped(
        Effect.gen(function* () {
          const stranger = yield* world.strategyWith("DEVnotthekey")
          return yield* stranger.charge({
            ...Provider.chargeRequest(yield* Provider.deadlineIn(minuteMillis)),
            billingKey: yield* world.issueKey
          })
        })
      ),
    expected: "ours",
    moved: [0, 0]
  },
  {
    what: "a charge with a key of another merchant, answered by a page",
    play: (world) =>
      Effect.scoped(
        Effect.gen(function* () {
          yield* world.simulator.switches.set({ unauthorizedBody: "<html>who are you?</html>" })
          const stranger = yield* world.strategyWith("DEVnotthekey")
          return yield* stranger.charge({
            ...Provider.chargeRequest(yield* Provider.deadlineIn(minuteMillis)),
            billingKey: yield* world.issueKey
          })
        })
      ),
    expected: "ours",
    moved: [0, 0]
  }
]

describe("the provider's state", () => {
  for (const { expected, moved: movedExpected, play, what } of scenarios) {
    it.live(`answers ${what} with ${expected}`, () =>
      Effect.gen(function* () {
        const world = yield* setUp
        assert.strictEqual(nameOf(yield* play(world)), expected)
        assert.deepStrictEqual(yield* moved(world), [...movedExpected])
      }).pipe(Effect.provide(newServer()))
    )
  }
})

describe("the provider's clock", () => {
  for (const skewMillis of [-30_000, 30_000]) {
    it.live(`is told as it runs when it is ${skewMillis / 1_000} s from ours`, () =>
      Effect.gen(function* () {
        const world = yield* setUp
        yield* world.simulator.switches.set({ approvedAtDriftRate: 0 })
        yield* world.simulator.clock.set({ skewMillis })
        const billingKey = yield* world.issueKey
        const before = Math.floor(Date.now() / 1_000) * 1_000 + skewMillis
        const charged = yield* world.charge(billingKey)
        const after = Date.now() + skewMillis
        const found = yield* world.strategy.lookupBillingKey({ merchantAccount: Provider.recurring, billingKey })
        if (charged._tag !== "Approved" || found._tag !== "BillingKeyFound") return assert.fail(charged._tag)
        const at = charged.approvedAt.epochMilliseconds
        assert.isTrue(before <= at && at <= after)
        assert.strictEqual(at % 1_000, 0)
        assert.strictEqual(
          found.lastApprovedAt === null ? "" : DateTime.formatIso(found.lastApprovedAt),
          DateTime.formatIso(charged.approvedAt)
        )
      }).pipe(Effect.provide(newServer()))
    )
  }
})
