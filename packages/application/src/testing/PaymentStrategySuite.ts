/**
 * The conformance kit of the `PaymentStrategy` port.
 *
 * A new provider's adapter passes when every law holds in its world: the strategy under test, and a provider, real enough
 * to keep a ledger, that can be told what to do with the next call. What the strategy answers is always compared with
 * what the ledger says happened. All laws share one world and make ids of their own.
 *
 * @since 0.1.0
 */
import { assert } from "@effect/vitest"
import type { AttemptId } from "@pillivery/domain/Ids"
import type * as Strategy from "@pillivery/domain/PaymentStrategy"
import {
  ApprovalToken,
  CustomerReference,
  type ProviderBillingKey,
  type TransactionId
} from "@pillivery/domain/Provider"
import type * as Answer from "@pillivery/domain/ProviderAnswer"
import * as Fixtures from "@pillivery/domain/testing/Fixtures"
import { Won, zero } from "@pillivery/domain/Won"
import { Clock, Context, type DateTime, Effect, type Layer, Random } from "effect"
import { law, type Law, live, suiteOf } from "./Law.ts"

/**
 * What happens to the next call of one method.
 *
 * **Details**
 *
 * `answerLost`: it is executed and no answer comes. `requestLost`: it is never executed and no answer comes.
 * `answerGarbled`: it is executed and the answer cannot be understood. `cutAfter`: it is executed and the connection is
 * reset. `refusedSoftly`: the provider declines for lack of funds. `notTried`: the provider says that it did not try.
 * `misconfigured`: the provider says that we are at fault.
 */
export type Trouble =
  | "answerLost"
  | "requestLost"
  | "answerGarbled"
  | "cutAfter"
  | "refusedSoftly"
  | "notTried"
  | "misconfigured"

/** A method a trouble is made for; `refusedSoftly` only for approvals and charges. */
export type Method = "prepare" | "approve" | "charge" | "refund" | "deactivate" | "lookupPayment" | "lookupBillingKey"

/** What the provider's own ledger holds for one attempt; amounts are won. */
export interface LedgerTotals {
  readonly captures: number
  readonly captured: number
  readonly refunds: number
  readonly refunded: number
}

/** A strategy and the provider it talks to. Its timeouts should be short: several laws wait for one. */
export class PaymentStrategyWorld extends Context.Service<
  PaymentStrategyWorld,
  {
    readonly strategy: Strategy.PaymentStrategy
    /** The customer approves at the provider; answers the token that the browser carries back. */
    readonly approveAsCustomer: (transactionId: TransactionId) => Effect.Effect<ApprovalToken>
    /** The truth about one attempt. */
    readonly ledgerTotals: (attemptId: AttemptId) => Effect.Effect<LedgerTotals>
    /** What happens to the next call of a method; the calls after it are executed again. */
    readonly failNext: (method: Method, trouble: Trouble) => Effect.Effect<void>
    /** The customer ends a billing key at the provider, without telling us. */
    readonly revokeKey: (billingKey: ProviderBillingKey) => Effect.Effect<void>
  }
>()("@pillivery/application/testing/PaymentStrategyWorld") {}

type W = PaymentStrategyWorld

const price = Won.make(12_000)
const won = (amount: number) => Won.make(amount)
const minuteMillis = 60_000
const chargesAtOnce = 8
const nanosPerMilli = 1_000_000

const fresh = Effect.map(Random.nextInt, (number) => `suite/${number}`)

const soon: Effect.Effect<Strategy.DispatchDeadline> = Effect.map(Clock.Clock, (clock) => ({
  monotonicMillis: Number(clock.monotonicTimeNanosUnsafe()) / nanosPerMilli + minuteMillis,
  wallMillis: clock.currentTimeMillisUnsafe() + minuteMillis
}))

const answered = <Tag extends string, A extends { readonly _tag: string }>(
  answer: A,
  tag: Tag
): Extract<A, { readonly _tag: Tag }> => {
  assert.strictEqual(answer._tag, tag, JSON.stringify(answer))
  return answer as Extract<A, { readonly _tag: Tag }>
}

interface Opened {
  readonly attemptId: AttemptId
  readonly customerReference: CustomerReference
  readonly prepared: Strategy.Prepared
  readonly request: Omit<Strategy.ApproveRequest, "approvalToken" | "dispatchBefore">
}

const openingOf = Effect.fnUntraced(function* (
  kind: "oneTime" | "subscription" = "oneTime",
  amount: Won = price
): Effect.fn.Return<Strategy.PrepareRequest, never, W> {
  const { strategy } = yield* PaymentStrategyWorld
  const seed = yield* fresh
  return {
    attemptId: Fixtures.anyAttemptId(seed),
    merchantAccount: strategy.merchantAccountFor(kind),
    customerReference: CustomerReference.make(Fixtures.anyUserId(seed)),
    itemName: "비타민 D 🌞 1000 IU 외 2건",
    quantity: 3,
    amount,
    approvalUrl: "http://127.0.0.1/approve?attempt=1",
    cancelUrl: "http://127.0.0.1/cancel",
    failUrl: "http://127.0.0.1/fail"
  }
})

const open = Effect.fnUntraced(function* (
  kind: "oneTime" | "subscription" = "oneTime",
  amount: Won = price
): Effect.fn.Return<Opened, never, W> {
  const { strategy } = yield* PaymentStrategyWorld
  const opening = yield* openingOf(kind, amount)
  const { attemptId, customerReference, merchantAccount } = opening
  const prepared = answered(yield* strategy.prepare(opening), "Prepared")
  const { transactionId } = prepared
  return {
    attemptId,
    customerReference,
    prepared,
    request: { attemptId, merchantAccount, customerReference, transactionId, amount }
  }
})

const approveWith = Effect.fnUntraced(function* (opened: Opened, approvalToken: ApprovalToken) {
  const { strategy } = yield* PaymentStrategyWorld
  return yield* strategy.approve({ ...opened.request, approvalToken, dispatchBefore: yield* soon })
})

const pay = Effect.fnUntraced(function* (kind: "oneTime" | "subscription" = "oneTime", amount: Won = price) {
  const world = yield* PaymentStrategyWorld
  const opened = yield* open(kind, amount)
  const token = yield* world.approveAsCustomer(opened.prepared.transactionId)
  return { ...opened, token, approval: answered(yield* approveWith(opened, token), "Approved") }
})

interface KeyHolder {
  readonly billingKey: ProviderBillingKey
  readonly customerReference: CustomerReference
}

const registerKey = Effect.fnUntraced(function* (): Effect.fn.Return<KeyHolder, never, W> {
  const { approval, customerReference } = yield* pay("subscription", zero)
  if (approval.billingKey === null) return yield* Effect.die("a registration gave no billing key")
  return { billingKey: approval.billingKey, customerReference }
})

const charge = Effect.fnUntraced(function* (
  holder: KeyHolder,
  dispatchBefore?: Strategy.DispatchDeadline
): Effect.fn.Return<{ readonly attemptId: AttemptId; readonly answer: Answer.ProviderAnswer }, never, W> {
  const { strategy } = yield* PaymentStrategyWorld
  const attemptId = Fixtures.anyAttemptId(yield* fresh)
  const answer = yield* strategy.charge({
    attemptId,
    merchantAccount: strategy.merchantAccountFor("subscription"),
    customerReference: holder.customerReference,
    billingKey: holder.billingKey,
    itemName: "오메가-3",
    quantity: 1,
    amount: price,
    dispatchBefore: dispatchBefore ?? (yield* soon)
  })
  return { attemptId, answer }
})

const refund = Effect.fnUntraced(function* (
  paid: Opened,
  amount: Won,
  available: Won,
  deadline: Effect.Effect<Strategy.DispatchDeadline> = soon
) {
  const { strategy } = yield* PaymentStrategyWorld
  return yield* strategy.refund({
    refundId: Fixtures.anyRefundId(yield* fresh),
    merchantAccount: paid.request.merchantAccount,
    transactionId: paid.prepared.transactionId,
    amount,
    approved: price,
    available,
    dispatchBefore: yield* deadline
  })
})

const lookup = Effect.fnUntraced(function* (opened: Opened) {
  const { strategy } = yield* PaymentStrategyWorld
  const { merchantAccount, transactionId } = opened.request
  return yield* strategy.lookupPayment({ merchantAccount, transactionId })
})

const lookupKey = Effect.fnUntraced(function* (billingKey: ProviderBillingKey) {
  const { strategy } = yield* PaymentStrategyWorld
  return yield* strategy.lookupBillingKey({ merchantAccount: strategy.merchantAccountFor("subscription"), billingKey })
})

const capturesAre = Effect.fnUntraced(function* (attemptId: AttemptId, captures: number) {
  const totals = yield* Effect.flatMap(PaymentStrategyWorld, (world) => world.ledgerTotals(attemptId))
  assert.deepStrictEqual(
    { captures: totals.captures, captured: totals.captured },
    { captures, captured: captures * price }
  )
})

const closeMillis = 5_000
const isClose = (self: DateTime.Utc | null, that: DateTime.Utc): boolean =>
  self !== null && Math.abs(self.epochMilliseconds - that.epochMilliseconds) <= closeMillis

const silences: ReadonlyArray<{ readonly trouble: Trouble; readonly captures: number; readonly when: string }> = [
  { trouble: "answerLost", captures: 1, when: "its answer is lost" },
  { trouble: "requestLost", captures: 0, when: "it is lost itself" },
  { trouble: "answerGarbled", captures: 1, when: "its answer cannot be understood" },
  { trouble: "cutAfter", captures: 1, when: "the connection is cut after it was executed" }
]

/** What a provider says that did nothing, and why. */
const refusals = [
  { trouble: "notTried", why: "word", isOurFault: false, when: "says that it did not try" },
  { trouble: "misconfigured", why: "ours", isOurFault: true, when: "says that we are at fault" }
] as const satisfies ReadonlyArray<{
  readonly trouble: Trouble
  readonly why: string
  readonly [more: string]: unknown
}>

const deadlines: ReadonlyArray<{
  readonly clock: string
  readonly pass: (deadline: Strategy.DispatchDeadline) => Strategy.DispatchDeadline
}> = [
  {
    clock: "monotonic",
    pass: (deadline) => ({ ...deadline, monotonicMillis: deadline.monotonicMillis - 2 * minuteMillis })
  },
  { clock: "wall", pass: (deadline) => ({ ...deadline, wallMillis: deadline.wallMillis - 2 * minuteMillis }) }
]

const preparationLaws: ReadonlyArray<Law<W>> = [
  ...silences.map(({ trouble, when }) =>
    law(
      `knows nothing of a transaction it asked for when ${when}, and can ask for another`,
      Effect.gen(function* () {
        const world = yield* PaymentStrategyWorld
        const opening = yield* openingOf()
        yield* world.failNext("prepare", trouble)
        answered(yield* world.strategy.prepare(opening), "Unknown")
        yield* capturesAre(opening.attemptId, 0)
        yield* pay()
      })
    )
  ),
  ...refusals.map(({ trouble, when, why }) =>
    law(
      `opens no transaction when the provider ${when}`,
      Effect.gen(function* () {
        const world = yield* PaymentStrategyWorld
        yield* world.failNext("prepare", trouble)
        const answer = yield* world.strategy.prepare(yield* openingOf())
        assert.strictEqual(answered(answer, "NotExecuted").why, why)
      })
    )
  )
]

const paymentLaws: ReadonlyArray<Law<W>> = [
  law(
    "takes an approved payment once and names it",
    Effect.gen(function* () {
      const paid = yield* pay()
      assert.strictEqual(paid.approval.transactionId, paid.prepared.transactionId)
      assert.strictEqual(paid.approval.amount, price)
      assert.isNull(paid.approval.billingKey)
      assert.isTrue(paid.prepared.expiresAt.epochMilliseconds > paid.approval.approvedAt.epochMilliseconds)
      yield* capturesAre(paid.attemptId, 1)
    })
  ),
  law(
    "shows an approved payment to who asks, with the attempt it was made for",
    Effect.gen(function* () {
      const paid = yield* pay()
      const found = answered(yield* lookup(paid), "PaymentFound")
      assert.strictEqual(found.standing, "approved")
      assert.strictEqual(found.attemptId, paid.attemptId)
      assert.strictEqual(found.amount, price)
      assert.strictEqual(found.refundedTotal, 0)
      assert.isTrue(isClose(found.approvedAt, paid.approval.approvedAt))
    })
  ),
  law(
    "waits while the customer has not approved, whatever token is brought",
    Effect.gen(function* () {
      const opened = yield* open()
      answered(yield* approveWith(opened, ApprovalToken.make("guessed")), "NotYet")
      assert.strictEqual(answered(yield* lookup(opened), "PaymentFound").standing, "waiting")
      yield* capturesAre(opened.attemptId, 0)
    })
  ),
  law(
    "goes on waiting after a wrong token and takes the right one",
    Effect.gen(function* () {
      const world = yield* PaymentStrategyWorld
      const opened = yield* open()
      const token = yield* world.approveAsCustomer(opened.prepared.transactionId)
      answered(yield* approveWith(opened, ApprovalToken.make("guessed")), "NotYet")
      answered(yield* approveWith(opened, token), "Approved")
      yield* capturesAre(opened.attemptId, 1)
    })
  ),
  law(
    "does not call a second approval of one payment a refusal, and takes nothing by it",
    Effect.gen(function* () {
      const paid = yield* pay()
      const again = yield* approveWith(paid, paid.token)
      // A provider that repeats its answers may repeat this one; it is the first approval then, and no other.
      if (again._tag !== "Unknown") {
        assert.strictEqual(answered(again, "Approved").approvalId, paid.approval.approvalId)
      }
      yield* capturesAre(paid.attemptId, 1)
    })
  ),
  law(
    "moves nothing when the provider declines an approval",
    Effect.gen(function* () {
      const world = yield* PaymentStrategyWorld
      const opened = yield* open()
      const token = yield* world.approveAsCustomer(opened.prepared.transactionId)
      yield* world.failNext("approve", "refusedSoftly")
      const { reason } = answered(yield* approveWith(opened, token), "Declined")
      assert.strictEqual(reason._tag, "Soft")
      assert.isAbove(reason.code.length, 0)
      yield* capturesAre(opened.attemptId, 0)
    })
  ),
  ...silences.map(({ captures, trouble, when }) =>
    law(
      `knows nothing of an approval when ${when}, and learns it by asking`,
      Effect.gen(function* () {
        const world = yield* PaymentStrategyWorld
        const opened = yield* open()
        const token = yield* world.approveAsCustomer(opened.prepared.transactionId)
        yield* world.failNext("approve", trouble)
        answered(yield* approveWith(opened, token), "Unknown")
        yield* capturesAre(opened.attemptId, captures)
        const found = answered(yield* lookup(opened), "PaymentFound")
        assert.strictEqual(found.standing, captures === 0 ? "waiting" : "approved")
      })
    )
  ),
  ...refusals.map(({ trouble, when, why }) =>
    law(
      `does not call it a refusal when the provider ${when} of an approval`,
      Effect.gen(function* () {
        const world = yield* PaymentStrategyWorld
        const opened = yield* open()
        const token = yield* world.approveAsCustomer(opened.prepared.transactionId)
        yield* world.failNext("approve", trouble)
        assert.strictEqual(answered(yield* approveWith(opened, token), "NotExecuted").why, why)
        yield* capturesAre(opened.attemptId, 0)
        answered(yield* approveWith(opened, token), "Approved")
      })
    )
  ),
  ...deadlines.map(({ clock, pass }) =>
    law(
      `does not begin an approval whose deadline has passed on the ${clock} clock`,
      Effect.gen(function* () {
        const world = yield* PaymentStrategyWorld
        const opened = yield* open()
        const approvalToken = yield* world.approveAsCustomer(opened.prepared.transactionId)
        const answer = yield* world.strategy.approve({
          ...opened.request,
          approvalToken,
          dispatchBefore: pass(yield* soon)
        })
        assert.strictEqual(answered(answer, "NotExecuted").why, "local")
        yield* capturesAre(opened.attemptId, 0)
      })
    )
  ),
  law(
    "says that it does not know a payment nobody made",
    Effect.gen(function* () {
      const { strategy } = yield* PaymentStrategyWorld
      const transactionId = Fixtures.anyTransactionId(yield* fresh).slice(0, 20) as TransactionId
      const merchantAccount = strategy.merchantAccountFor("oneTime")
      answered(yield* strategy.lookupPayment({ merchantAccount, transactionId }), "PaymentMissing")
    })
  ),
  law(
    "tells nothing when a lookup fails",
    Effect.gen(function* () {
      const world = yield* PaymentStrategyWorld
      const paid = yield* pay()
      for (const trouble of ["answerLost", "requestLost", "answerGarbled", "cutAfter", "notTried"] as const) {
        yield* world.failNext("lookupPayment", trouble)
        assert.isFalse(answered(yield* lookup(paid), "LookupFailed").isOurFault)
      }
      yield* world.failNext("lookupPayment", "misconfigured")
      assert.isTrue(answered(yield* lookup(paid), "LookupFailed").isOurFault)
    })
  )
]

const billingKeyLaws: ReadonlyArray<Law<W>> = [
  law(
    "registers a billing key without taking money",
    Effect.gen(function* () {
      const { approval, attemptId } = yield* pay("subscription", zero)
      assert.strictEqual(approval.amount, 0)
      assert.isNotNull(approval.billingKey)
      yield* capturesAre(attemptId, 0)
    })
  ),
  law(
    "gives a billing key with a first payment that issues one",
    Effect.gen(function* () {
      const { approval, attemptId } = yield* pay("subscription")
      assert.isNotNull(approval.billingKey)
      yield* capturesAre(attemptId, 1)
    })
  ),
  law(
    "charges a billing key once and shows it as the key's last approval",
    Effect.gen(function* () {
      const holder = yield* registerKey()
      const { answer, attemptId } = yield* charge(holder)
      const approval = answered(answer, "Approved")
      assert.strictEqual(approval.amount, price)
      yield* capturesAre(attemptId, 1)
      const key = answered(yield* lookupKey(holder.billingKey), "BillingKeyFound")
      assert.isTrue(key.isActive)
      assert.isTrue(isClose(key.lastApprovedAt, approval.approvedAt))
    })
  ),
  law(
    "moves nothing when the provider declines a charge",
    Effect.gen(function* () {
      const world = yield* PaymentStrategyWorld
      const holder = yield* registerKey()
      yield* world.failNext("charge", "refusedSoftly")
      const { answer, attemptId } = yield* charge(holder)
      assert.strictEqual(answered(answer, "Declined").reason._tag, "Soft")
      yield* capturesAre(attemptId, 0)
    })
  ),
  ...refusals.map(({ trouble, when, why }) =>
    law(
      `does not call it a refusal when the provider ${when} of a charge`,
      Effect.gen(function* () {
        const world = yield* PaymentStrategyWorld
        const holder = yield* registerKey()
        yield* world.failNext("charge", trouble)
        const { answer, attemptId } = yield* charge(holder)
        assert.strictEqual(answered(answer, "NotExecuted").why, why)
        yield* capturesAre(attemptId, 0)
      })
    )
  ),
  law(
    "gives each of several charges at once its own answer, also while one of them is lost",
    Effect.gen(function* () {
      const world = yield* PaymentStrategyWorld
      const holders = yield* Effect.replicateEffect(registerKey(), chargesAtOnce)
      yield* world.failNext("charge", "answerLost")
      const charges = yield* Effect.forEach(holders, (holder) => charge(holder), { concurrency: "unbounded" })
      const approvals = charges.flatMap(({ answer }) => (answer._tag === "Approved" ? [answer] : []))
      assert.strictEqual(new Set(approvals.map(({ transactionId }) => transactionId)).size, chargesAtOnce - 1)
      for (const { answer, attemptId } of charges) {
        yield* capturesAre(attemptId, 1)
        if (answer._tag === "Approved") {
          const merchantAccount = world.strategy.merchantAccountFor("subscription")
          const { transactionId } = answer
          const found = answered(
            yield* world.strategy.lookupPayment({ merchantAccount, transactionId }),
            "PaymentFound"
          )
          assert.strictEqual(found.attemptId, attemptId)
        } else {
          answered(answer, "Unknown")
        }
      }
      // Whoever comes next does not get the lost answer.
      for (const holder of holders) {
        const { answer, attemptId } = yield* charge(holder)
        answered(answer, "Approved")
        yield* capturesAre(attemptId, 1)
      }
    })
  ),
  ...silences.map(({ captures, trouble, when }) =>
    law(
      `knows nothing of a charge when ${when}`,
      Effect.gen(function* () {
        const world = yield* PaymentStrategyWorld
        const holder = yield* registerKey()
        yield* world.failNext("charge", trouble)
        const { answer, attemptId } = yield* charge(holder)
        answered(answer, "Unknown")
        yield* capturesAre(attemptId, captures)
        const key = answered(yield* lookupKey(holder.billingKey), "BillingKeyFound")
        assert.strictEqual(key.lastApprovedAt !== null, captures === 1)
      })
    )
  ),
  ...deadlines.map(({ clock, pass }) =>
    law(
      `does not begin a charge whose deadline has passed on the ${clock} clock`,
      Effect.gen(function* () {
        const holder = yield* registerKey()
        const { answer, attemptId } = yield* charge(holder, pass(yield* soon))
        assert.strictEqual(answered(answer, "NotExecuted").why, "local")
        yield* capturesAre(attemptId, 0)
      })
    )
  ),
  law(
    "declines a charge of a key the customer ended, until the customer acts",
    Effect.gen(function* () {
      const world = yield* PaymentStrategyWorld
      const holder = yield* registerKey()
      yield* world.revokeKey(holder.billingKey)
      const { answer, attemptId } = yield* charge(holder)
      assert.strictEqual(answered(answer, "Declined").reason._tag, "Hard")
      yield* capturesAre(attemptId, 0)
      assert.isFalse(answered(yield* lookupKey(holder.billingKey), "BillingKeyFound").isActive)
    })
  ),
  law(
    "ends a billing key, harmlessly also twice",
    Effect.gen(function* () {
      const { strategy } = yield* PaymentStrategyWorld
      const holder = yield* registerKey()
      const request = {
        merchantAccount: strategy.merchantAccountFor("subscription"),
        billingKey: holder.billingKey
      }
      answered(yield* strategy.deactivate(request), "Deactivated")
      assert.include(["Deactivated", "Unknown"], (yield* strategy.deactivate(request))._tag)
      assert.isFalse(answered(yield* lookupKey(holder.billingKey), "BillingKeyFound").isActive)
      assert.strictEqual(answered((yield* charge(holder)).answer, "Declined").reason._tag, "Hard")
    })
  ),
  ...silences.map(({ captures, trouble, when }) =>
    law(
      `knows nothing of an ending of a billing key when ${when}, learns it by asking, and can repeat it`,
      Effect.gen(function* () {
        const world = yield* PaymentStrategyWorld
        const { billingKey } = yield* registerKey()
        const merchantAccount = world.strategy.merchantAccountFor("subscription")
        yield* world.failNext("deactivate", trouble)
        answered(yield* world.strategy.deactivate({ merchantAccount, billingKey }), "Unknown")
        const isActive = captures === 0
        assert.strictEqual(answered(yield* lookupKey(billingKey), "BillingKeyFound").isActive, isActive)
        const again = yield* world.strategy.deactivate({ merchantAccount, billingKey })
        assert.include(["Deactivated", "Unknown"], again._tag)
        assert.isFalse(answered(yield* lookupKey(billingKey), "BillingKeyFound").isActive)
      })
    )
  ),
  law(
    "says that it does not know a billing key nobody issued",
    Effect.gen(function* () {
      const unknown = Fixtures.anyProviderBillingKey(yield* fresh).slice(0, 20) as ProviderBillingKey
      answered(yield* lookupKey(unknown), "BillingKeyMissing")
    })
  ),
  law(
    "tells nothing of a billing key when the lookup fails",
    Effect.gen(function* () {
      const world = yield* PaymentStrategyWorld
      const holder = yield* registerKey()
      for (const trouble of ["answerLost", "requestLost", "answerGarbled", "cutAfter", "notTried"] as const) {
        yield* world.failNext("lookupBillingKey", trouble)
        assert.isFalse(answered(yield* lookupKey(holder.billingKey), "LookupFailed").isOurFault, trouble)
      }
      yield* world.failNext("lookupBillingKey", "misconfigured")
      assert.isTrue(answered(yield* lookupKey(holder.billingKey), "LookupFailed").isOurFault)
      answered(yield* lookupKey(holder.billingKey), "BillingKeyFound")
    })
  )
]

const refundLaws: ReadonlyArray<Law<W>> = [
  law(
    "gives back in parts and answers all that was given back so far",
    Effect.gen(function* () {
      const world = yield* PaymentStrategyWorld
      const paid = yield* pay()
      const first = answered(yield* refund(paid, won(5_000), price), "RefundDone")
      assert.strictEqual(first.refundedTotal, 5_000)
      assert.strictEqual(answered(yield* lookup(paid), "PaymentFound").refundedTotal, 5_000)
      const rest = answered(yield* refund(paid, won(7_000), won(7_000)), "RefundDone")
      assert.strictEqual(rest.refundedTotal, price)
      const found = answered(yield* lookup(paid), "PaymentFound")
      assert.deepStrictEqual([found.standing, found.amount, found.refundedTotal], ["approved", price, price])
      assert.deepStrictEqual(yield* world.ledgerTotals(paid.attemptId), {
        captures: 1,
        captured: price,
        refunds: 2,
        refunded: price
      })
    })
  ),
  law(
    "gives back a payment that was made with a billing key",
    Effect.gen(function* () {
      const { strategy } = yield* PaymentStrategyWorld
      const { answer, attemptId } = yield* charge(yield* registerKey())
      const done = yield* strategy.refund({
        refundId: Fixtures.anyRefundId(yield* fresh),
        merchantAccount: strategy.merchantAccountFor("subscription"),
        transactionId: answered(answer, "Approved").transactionId,
        amount: price,
        approved: price,
        available: price,
        dispatchBefore: yield* soon
      })
      assert.strictEqual(answered(done, "RefundDone").refundedTotal, price)
      const totals = yield* Effect.flatMap(PaymentStrategyWorld, (world) => world.ledgerTotals(attemptId))
      assert.strictEqual(totals.refunded, price)
    })
  ),
  law(
    "never gives back more than was paid",
    Effect.gen(function* () {
      const world = yield* PaymentStrategyWorld
      const paid = yield* pay()
      answered(yield* refund(paid, won(price + 1), won(price + 1)), "RefundRefused")
      answered(yield* refund(paid, won(price - 1), price), "RefundDone")
      answered(yield* refund(paid, won(2), won(2)), "RefundRefused")
      assert.strictEqual((yield* world.ledgerTotals(paid.attemptId)).refunded, price - 1)
    })
  ),
  ...refusals.map(({ trouble, when, why }) =>
    law(
      `does not call it a refusal when the provider ${when} of a refund`,
      Effect.gen(function* () {
        const world = yield* PaymentStrategyWorld
        const paid = yield* pay()
        yield* world.failNext("refund", trouble)
        assert.strictEqual(answered(yield* refund(paid, won(5_000), price), "NotExecuted").why, why)
        assert.strictEqual((yield* world.ledgerTotals(paid.attemptId)).refunds, 0)
      })
    )
  ),
  ...deadlines.map(({ clock, pass }) =>
    law(
      `does not begin a refund whose deadline has passed on the ${clock} clock`,
      Effect.gen(function* () {
        const world = yield* PaymentStrategyWorld
        const paid = yield* pay()
        const answer = yield* refund(paid, won(5_000), price, Effect.map(soon, pass))
        assert.strictEqual(answered(answer, "NotExecuted").why, "local")
        assert.strictEqual((yield* world.ledgerTotals(paid.attemptId)).refunds, 0)
      })
    )
  ),
  ...silences.map(({ captures, trouble, when }) =>
    law(
      `knows nothing of a refund when ${when}, and learns it by asking`,
      Effect.gen(function* () {
        const world = yield* PaymentStrategyWorld
        const paid = yield* pay()
        yield* world.failNext("refund", trouble)
        answered(yield* refund(paid, won(5_000), price), "Unknown")
        assert.strictEqual((yield* world.ledgerTotals(paid.attemptId)).refunds, captures)
        assert.strictEqual(answered(yield* lookup(paid), "PaymentFound").refundedTotal, captures * 5_000)
      })
    )
  )
]

/** Everything a `PaymentStrategy` promises. */
export const laws = (): ReadonlyArray<Law<W>> => [...preparationLaws, ...paymentLaws, ...billingKeyLaws, ...refundLaws]

const bind = suiteOf("PaymentStrategy", laws)

/** Runs every law as one test against one world, in real time. */
export const suite = <E>(name: string, layer: Layer.Layer<PaymentStrategyWorld, E>): void => bind(name, layer, live)
