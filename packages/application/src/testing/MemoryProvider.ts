/**
 * A payment provider in memory, for tests of the protocol.
 *
 * It keeps a ledger of what it really captured and gave back, and does what it is told with the next call: refuse it, lose
 * its answer before or after executing it, or execute it late. Like the real one it knows no idempotency, reports times
 * to the second and tells of a lost charge only through the key's last approval.
 *
 * @since 0.1.0
 */
import * as Attempt from "@pillivery/domain/Attempt"
import * as DeclineReason from "@pillivery/domain/DeclineReason"
import * as Strategy from "@pillivery/domain/PaymentStrategy"
import {
  ApprovalId,
  ApprovalToken,
  MerchantAccount,
  PaymentMethod,
  ProviderBillingKey,
  ProviderName,
  TransactionId
} from "@pillivery/domain/Provider"
import * as Answer from "@pillivery/domain/ProviderAnswer"
import * as Won from "@pillivery/domain/Won"
import { Clock, Context, DateTime, Effect, Layer } from "effect"

const millisPerSecond = 1_000
const nanosPerMilli = 1_000_000
const windowMinutes = 15

/** What the provider does with the next call. */
export type Behaviour =
  | { readonly _tag: "Execute" }
  | { readonly _tag: "Decline"; readonly reason: DeclineReason.DeclineReason }
  | { readonly _tag: "NotExecuted"; readonly why: "local" | "word" | "ours" }
  /** Executes, but the answer never arrives. */
  | { readonly _tag: "LoseAnswer" }
  /** Never executes, and no answer arrives. */
  | { readonly _tag: "LoseRequest" }
  /** No answer arrives; executes `afterMillis` later. */
  | { readonly _tag: "CommitLate"; readonly afterMillis: number }
  /** Executes, and answers that it did not. */
  | { readonly _tag: "DenyExecuted" }
  /** Executes and names another amount. */
  | { readonly _tag: "WrongAmount"; readonly amount: Won.Won }

/** A call that moves money, and the attempt or refund that asks for it. */
export interface MoneyCall {
  readonly kind: "approve" | "charge" | "refund"
  readonly cause: string
}

/** What the provider does with a call that moves no money. */
export type AsideBehaviour = Extract<
  Behaviour,
  { readonly _tag: "Execute" | "NotExecuted" | "LoseAnswer" | "LoseRequest" }
>

/** One movement of money. */
export interface Movement {
  readonly kind: "capture" | "refund"
  /** The attempt or refund that asked for it. */
  readonly cause: string
  readonly transactionId: TransactionId
  readonly billingKey: ProviderBillingKey | null
  readonly amount: number
  readonly atMillis: number
}

interface Transaction {
  readonly transactionId: TransactionId
  readonly attemptId: Strategy.ApproveRequest["attemptId"]
  readonly amount: Won.Won
  readonly issuesBillingKey: boolean
  readonly expiresAtMillis: number
  token: ApprovalToken | null
  approved: Moment | null
  refunded: number
}

/** When something was committed; what has happened is told as the clock stood then, also when it is moved in the same moment. */
interface Moment {
  readonly millis: number
  readonly told: DateTime.Utc | null
}

/** The provider as tests see it. */
export class MemoryProvider extends Context.Service<
  MemoryProvider,
  {
    readonly strategy: Strategy.PaymentStrategy
    /** What the next money calls do, in order; afterwards every call does as it is decided, or executes. */
    readonly next: (...behaviours: ReadonlyArray<Behaviour>) => Effect.Effect<void>
    /** Decides what money calls do that `next` says nothing of. */
    readonly decide: (decision: (call: MoneyCall) => Behaviour) => Effect.Effect<void>
    /** How far the times it tells are ahead of ours from now on, in milliseconds. */
    readonly setClockOffset: (millis: number) => Effect.Effect<void>
    /** How far behind each lookup of a billing key is, in milliseconds. */
    readonly setEvidenceLag: (lagMillis: () => number) => Effect.Effect<void>
    /** What the next calls that move no money do, in order: those to `prepare` and `deactivate`, apart from money calls. */
    readonly nextAside: (...behaviours: ReadonlyArray<AsideBehaviour>) => Effect.Effect<void>
    /** Every movement of money that is committed by now. */
    readonly movements: Effect.Effect<ReadonlyArray<Movement>>
    /** Money calls that arrived. */
    readonly callsReceived: Effect.Effect<number>
    /** The customer approves; answers the token that the browser carries back. */
    readonly approveAsCustomer: (transactionId: TransactionId) => Effect.Effect<ApprovalToken>
    /** Lookups fail until told otherwise. */
    readonly failLookups: (isFailing: boolean) => Effect.Effect<void>
    /** The next lookup alone fails, by our fault or not. */
    readonly failNextLookup: (isOurFault: boolean) => Effect.Effect<void>
    /** The customer ends a billing key without telling us. */
    readonly revokeKey: (billingKey: ProviderBillingKey) => Effect.Effect<void>
    /** Charges with this key outside our books. */
    readonly chargeElsewhere: (billingKey: ProviderBillingKey) => Effect.Effect<void>
  }
>()("@pillivery/application/testing/MemoryProvider") {}

/** The account for plain payments. */
export const oneTimeAccount = MerchantAccount.make("ONETIME")
/** The account for payments that issue billing keys. */
export const subscriptionAccount = MerchantAccount.make("SUBSCRIPTION")

const make = Effect.sync(() => {
  const transactions = new Map<string, Transaction>()
  const keys = new Map<string, { isActive: boolean }>()
  const committed: Array<Movement> = []
  const capturesOfKey = new Map<ProviderBillingKey, Array<Moment>>()
  const refundsOf = new Map<TransactionId, Array<Movement>>()
  const behaviours: Array<Behaviour> = []
  let decide = (_call: MoneyCall): Behaviour => ({ _tag: "Execute" })
  const clockOffsets: Array<{ readonly sinceMillis: number; readonly offsetMillis: number }> = []
  let evidenceLagMillis = () => 0
  const behavioursAside: Array<AsideBehaviour> = []
  let serial = 0
  let calls = 0
  let areLookupsFailing = false
  let nextLookupFault: { readonly isOurFault: boolean } | null = null

  const name = (letter: string) => `${letter}${String(++serial).padStart(19, "0")}`
  const now = Clock.currentTimeMillis
  /** A time as the provider tells it: by its own clock as it stood then, to the second. */
  const told = (millis: number): DateTime.Utc => {
    const offsetMillis = clockOffsets.findLast(({ sinceMillis }) => sinceMillis <= millis)?.offsetMillis ?? 0
    return DateTime.makeUnsafe(Math.floor((millis + offsetMillis) / millisPerSecond) * millisPerSecond)
  }
  const happened = (millis: number): Moment => ({ millis, told: told(millis) })
  const toldOf = (moment: Moment): DateTime.Utc => moment.told ?? told(moment.millis)
  const visible = (atMillis: number) => committed.filter((movement) => movement.atMillis <= atMillis)
  const lastApprovedAt = (billingKey: ProviderBillingKey, atMillis: number): DateTime.Utc | null => {
    const last = (capturesOfKey.get(billingKey) ?? [])
      .filter(({ millis }) => millis <= atMillis)
      .reduce<Moment | null>((last, moment) => (last === null || moment.millis >= last.millis ? moment : last), null)
    return last === null ? null : toldOf(last)
  }

  const lookupFault = () => {
    const fault = areLookupsFailing ? { isOurFault: false } : nextLookupFault
    nextLookupFault = null
    return fault === null ? null : new Strategy.LookupFailed({ ...fault, detail: "told to" })
  }

  // Nothing is written after the deadline, whichever of its clocks is there first.
  const tooLate = Effect.fnUntraced(function* ({ monotonicMillis, wallMillis }: Strategy.DispatchDeadline) {
    const clock = yield* Clock.Clock
    const monotonic = Number(clock.monotonicTimeNanosUnsafe()) / nanosPerMilli
    return monotonic >= monotonicMillis || clock.currentTimeMillisUnsafe() >= wallMillis
      ? new Answer.NotExecuted({ why: "local", detail: "its deadline has passed" })
      : null
  })

  // Takes the next behaviour; `execute` commits at a time and answers as if it had just happened.
  const perform = Effect.fnUntraced(function* <Executed>(
    call: MoneyCall,
    execute: (at: Moment) => Executed,
    amended: (executed: Executed, amount: Won.Won) => Executed
  ) {
    calls++
    const at = happened(yield* now)
    const behaviour = behaviours.shift() ?? decide(call)
    const unknown = (detail: string) => new Answer.Unknown({ detail })
    switch (behaviour._tag) {
      case "Execute":
        return execute(at)
      case "WrongAmount":
        return amended(execute(at), behaviour.amount)
      case "Decline":
        return new Answer.Declined({ reason: behaviour.reason })
      case "NotExecuted":
        return new Answer.NotExecuted({ why: behaviour.why, detail: "told to" })
      case "LoseAnswer":
        execute(at)
        return unknown("the answer was lost")
      case "LoseRequest":
        return unknown("the request was lost")
      case "DenyExecuted":
        execute(at)
        return new Answer.NotExecuted({ why: "word", detail: "told to" })
      case "CommitLate":
        execute({ millis: at.millis + behaviour.afterMillis, told: null })
        return unknown("the provider is slow")
    }
  })

  // The same for a call that moves no money.
  const performAside = <Executed>(execute: () => Executed): Executed | Answer.NotExecuted | Answer.Unknown => {
    const behaviour = behavioursAside.shift() ?? { _tag: "Execute" }
    switch (behaviour._tag) {
      case "Execute":
        return execute()
      case "NotExecuted":
        return new Answer.NotExecuted({ why: behaviour.why, detail: "told to" })
      case "LoseAnswer":
        execute()
        return new Answer.Unknown({ detail: "the answer was lost" })
      case "LoseRequest":
        return new Answer.Unknown({ detail: "the request was lost" })
    }
  }

  const capture = (
    cause: string,
    transactionId: TransactionId,
    billingKey: ProviderBillingKey | null,
    amount: Won.Won,
    at: Moment
  ) => {
    if (amount > 0) {
      committed.push({ kind: "capture", cause, transactionId, billingKey, amount, atMillis: at.millis })
      if (billingKey !== null) capturesOfKey.set(billingKey, [...(capturesOfKey.get(billingKey) ?? []), at])
    }
    return new Answer.Approved({
      transactionId,
      approvalId: ApprovalId.make(name("A")),
      amount,
      approvedAt: toldOf(at),
      method: PaymentMethod.make("MONEY"),
      billingKey
    })
  }
  const withAmount = (answer: Answer.ProviderAnswer, amount: Won.Won): Answer.ProviderAnswer =>
    answer._tag === "Approved" ? new Answer.Approved({ ...answer, amount }) : answer

  const strategy: Strategy.PaymentStrategy = {
    provider: ProviderName.make("memory"),
    merchantAccountFor: (kind) => (kind === "oneTime" ? oneTimeAccount : subscriptionAccount),
    prepare: Effect.fnUntraced(function* (request) {
      const at = yield* now
      return performAside(() => {
        const transactionId = TransactionId.make(name("T"))
        const expiresAtMillis = at + windowMinutes * 60 * millisPerSecond
        transactions.set(transactionId, {
          transactionId,
          attemptId: request.attemptId,
          amount: request.amount,
          issuesBillingKey: request.merchantAccount === subscriptionAccount,
          expiresAtMillis,
          token: null,
          approved: null,
          refunded: 0
        })
        const url = `memory:${transactionId}`
        return new Strategy.Prepared({
          transactionId,
          redirectUrls: new Attempt.RedirectUrls({ pc: url, mobile: url, app: url }),
          expiresAt: told(expiresAtMillis)
        })
      })
    }),
    approve: Effect.fnUntraced(function* (request) {
      const late = yield* tooLate(request.dispatchBefore)
      if (late !== null) return late
      const transaction = transactions.get(request.transactionId)
      const at = yield* now
      if (transaction === undefined) return new Answer.Expired({ detail: "no such transaction" })
      if (transaction.approved !== null) return new Answer.Unknown({ detail: "already approved" })
      if (at > transaction.expiresAtMillis) return new Answer.Expired({ detail: "its time is over" })
      if (transaction.token !== request.approvalToken) return new Answer.NotYet({ detail: "not the customer's token" })
      return yield* perform<Answer.ProviderAnswer>(
        { kind: "approve", cause: request.attemptId },
        (at) => {
          transaction.approved = at
          const billingKey = transaction.issuesBillingKey ? ProviderBillingKey.make(name("S")) : null
          if (billingKey !== null) keys.set(billingKey, { isActive: true })
          return capture(request.attemptId, request.transactionId, billingKey, request.amount, at)
        },
        withAmount
      )
    }),
    charge: Effect.fnUntraced(function* (request) {
      const late = yield* tooLate(request.dispatchBefore)
      if (late !== null) return late
      // A key that is not known was issued before this provider began: it is in order.
      if (keys.get(request.billingKey)?.isActive === false) {
        return new Answer.Declined({
          reason: new DeclineReason.Hard({ kind: "BillingKeyRevoked", code: "ended", message: "the key is not active" })
        })
      }
      return yield* perform<Answer.ProviderAnswer>(
        { kind: "charge", cause: request.attemptId },
        (at) => {
          const transactionId = TransactionId.make(name("T"))
          transactions.set(transactionId, {
            transactionId,
            attemptId: request.attemptId,
            amount: request.amount,
            issuesBillingKey: false,
            expiresAtMillis: at.millis,
            token: null,
            approved: at,
            refunded: 0
          })
          return capture(request.attemptId, transactionId, request.billingKey, request.amount, at)
        },
        withAmount
      )
    }),
    refund: Effect.fnUntraced(function* (request) {
      const late = yield* tooLate(request.dispatchBefore)
      if (late !== null) return late
      const transaction = transactions.get(request.transactionId)
      if (transaction === undefined) return new Strategy.RefundRefused({ code: "missing", detail: "" })
      if (transaction.refunded + request.amount > transaction.amount) {
        return new Strategy.RefundRefused({ code: "tooMuch", detail: "" })
      }
      const answer = yield* perform<Strategy.RefundDone>(
        { kind: "refund", cause: request.refundId },
        (at) => {
          transaction.refunded += request.amount
          const movement: Movement = {
            kind: "refund",
            cause: request.refundId,
            transactionId: request.transactionId,
            billingKey: null,
            amount: request.amount,
            atMillis: at.millis
          }
          committed.push(movement)
          refundsOf.set(request.transactionId, [...(refundsOf.get(request.transactionId) ?? []), movement])
          return new Strategy.RefundDone({
            refundedTotal: Won.Won.make(transaction.refunded),
            at: toldOf(at)
          })
        },
        (done, refundedTotal) => new Strategy.RefundDone({ ...done, refundedTotal })
      )
      return answer._tag === "Declined"
        ? new Strategy.RefundRefused({ code: answer.reason.code, detail: answer.reason.message })
        : answer
    }),
    deactivate: (request) =>
      Effect.sync(() =>
        performAside(() => {
          keys.set(request.billingKey, { isActive: false })
          return new Strategy.Deactivated({})
        })
      ),
    lookupPayment: Effect.fnUntraced(function* (request) {
      const fault = lookupFault()
      if (fault !== null) return fault
      const transaction = transactions.get(request.transactionId)
      if (transaction === undefined) return new Strategy.PaymentMissing({ detail: "no such transaction" })
      const at = yield* now
      const approved = transaction.approved !== null && transaction.approved.millis <= at ? transaction.approved : null
      const refunded = (refundsOf.get(request.transactionId) ?? [])
        .filter((movement) => movement.atMillis <= at)
        .reduce((total, movement) => total + movement.amount, 0)
      return new Strategy.PaymentFound({
        standing: approved !== null ? "approved" : "waiting",
        attemptId: transaction.attemptId,
        amount: transaction.amount,
        refundedTotal: Won.Won.make(refunded),
        approvedAt: approved === null ? null : toldOf(approved)
      })
    }),
    lookupBillingKey: Effect.fnUntraced(function* (request) {
      const fault = lookupFault()
      if (fault !== null) return fault
      const key = keys.get(request.billingKey)
      if (key === undefined) return new Strategy.BillingKeyMissing({ detail: "no such key" })
      return new Strategy.BillingKeyFound({
        isActive: key.isActive,
        lastApprovedAt: lastApprovedAt(request.billingKey, (yield* now) - evidenceLagMillis())
      })
    })
  }

  return MemoryProvider.of({
    strategy,
    next: (...planned) => Effect.sync(() => void behaviours.push(...planned)),
    decide: (decision) => Effect.sync(() => void (decide = decision)),
    setClockOffset: (offsetMillis) =>
      Effect.map(now, (sinceMillis) => void clockOffsets.push({ sinceMillis, offsetMillis })),
    setEvidenceLag: (lagMillis) => Effect.sync(() => void (evidenceLagMillis = lagMillis)),
    nextAside: (...planned) => Effect.sync(() => void behavioursAside.push(...planned)),
    movements: Effect.map(now, (at) => visible(at)),
    callsReceived: Effect.sync(() => calls),
    approveAsCustomer: (transactionId) =>
      Effect.sync(() => {
        const token = ApprovalToken.make(name("G"))
        const transaction = transactions.get(transactionId)
        if (transaction !== undefined) transaction.token = token
        return token
      }),
    failLookups: (isFailing) => Effect.sync(() => void (areLookupsFailing = isFailing)),
    failNextLookup: (isOurFault) => Effect.sync(() => void (nextLookupFault = { isOurFault })),
    revokeKey: (billingKey) => Effect.sync(() => void keys.set(billingKey, { isActive: false })),
    chargeElsewhere: (billingKey) =>
      Effect.map(now, (at) => {
        capture("elsewhere", TransactionId.make(name("T")), billingKey, Won.Won.make(1), happened(at))
      })
  })
})

/** A fresh provider, also as the only payment strategy. */
export const layer: Layer.Layer<MemoryProvider | Strategy.PaymentStrategies> = Layer.effectContext(
  Effect.map(make, (provider) =>
    Context.make(MemoryProvider, provider).pipe(
      Context.add(Strategy.PaymentStrategies, {
        find: (name) => (name === provider.strategy.provider ? provider.strategy : null),
        preferred: provider.strategy
      })
    )
  )
)
