import { assert, describe, it } from "@effect/vitest"
import { DateTime, Result, Schema } from "effect"
import * as Attempt from "../src/Attempt.ts"
import * as BusinessDate from "../src/BusinessDate.ts"
import * as Order from "../src/Order.ts"
import * as PaymentStrategy from "../src/PaymentStrategy.ts"
import { PaymentMethod, TransactionId } from "../src/Provider.ts"
import * as ProviderAnswer from "../src/ProviderAnswer.ts"
import * as Purchase from "../src/Purchase.ts"
import * as Refund from "../src/Refund.ts"
import * as Repayment from "../src/Repayment.ts"
import * as Fixtures from "../src/testing/Fixtures.ts"
import {
  type AttemptState,
  type OrderToPay,
  type PaymentAnswer,
  type PaymentCommand,
  PaymentLawBroken,
  type PaymentRun,
  type PaymentSystem,
  type PaymentTerms,
  type PaymentView,
  type RunOptions,
  runPaymentModel,
  termsDefault
} from "../src/testing/PaymentModel.ts"
import * as ScriptedProvider from "../src/testing/ScriptedProvider.ts"

const seed = process.env["PILLIVERY_SEED"]
const seeded: RunOptions = seed === undefined ? {} : { seed: Number(seed) }

// -----------------------------------------------------------------------------
// the domain as a system: rows, decisions and a provider
// -----------------------------------------------------------------------------

const Books = Schema.Struct({
  order: Order.Order,
  attempts: Schema.Array(Attempt.Attempt),
  refunds: Schema.Array(Refund.Refund)
})
type Books = typeof Books.Type

/** What keeps the rows between two commands. */
interface Store {
  readonly read: () => Books
  readonly write: (books: Books) => void
}

const variables = (): Store => {
  let books: Books | undefined
  return {
    read: () => books ?? assert.fail("nothing was written"),
    write: (next) => {
      books = next
    }
  }
}

const json = (): Store => {
  const codec = Schema.toCodecJson(Books)
  const [encode, decode] = [Schema.encodeSync(codec), Schema.decodeUnknownSync(codec)]
  let text = ""
  return {
    read: () => decode(JSON.parse(text)),
    write: (books) => {
      text = JSON.stringify(encode(books))
    }
  }
}

/** Every decision of a payment; a mutant replaces one. */
const ofDomain = {
  payable: Purchase.payable,
  offer: Purchase.offer,
  sendApproval: Purchase.sendApproval,
  approvalAnswered: Purchase.findingOf,
  approvalShown: Purchase.findingShown,
  settleApproval: Purchase.settle,
  leave: Purchase.leave,
  expire: Order.expire as (order: Order.Order, at: DateTime.Utc) => ReturnType<typeof Order.expire>,
  requestRefund: Repayment.request,
  ready: Repayment.ready,
  refundAnswered: Repayment.findingOf,
  refundShown: Repayment.findingShown,
  settleRefund: Repayment.settle
}
type Decisions = typeof ofDomain

const accepted: PaymentAnswer = { _tag: "Accepted" }
const refused = (reason: string): PaymentAnswer => ({ _tag: "Refused", reason })
const method = PaymentMethod.make("CARD")
const detail = "as scripted"

const systemOf =
  (store: () => Store, decisions: Partial<Decisions> = {}) =>
  (toPay: OrderToPay): PaymentSystem => {
    const decide = { ...ofDomain, ...decisions }
    const { read, write } = store()
    const provider = ScriptedProvider.make(toPay.terms)
    let now = 0
    let ids = 0
    const at = () => Fixtures.later(now)
    const dispatches = { dispatchesMax: Number.MAX_SAFE_INTEGER, until: Fixtures.later(0) }

    write({
      order: Fixtures.placedOrder({
        lines: toPay.lines.map(({ quantity, unitPriceWon }, index) =>
          Fixtures.orderLine(
            {
              originPrice: Fixtures.won(unitPriceWon),
              unitPrice: Fixtures.won(unitPriceWon),
              quantity: Fixtures.quantity(quantity)
            },
            index
          )
        ),
        expiresAt: Fixtures.later(toPay.terms.orderMinutes)
      }),
      attempts: [],
      refunds: []
    })

    // Rows are replaced by id; new ones come last.
    const save = (rows: {
      readonly order?: Order.Order | undefined
      readonly attempts?: ReadonlyArray<Attempt.Attempt>
      readonly refunds?: ReadonlyArray<Refund.Refund>
    }) => {
      const books = read()
      const put = <Row extends { readonly id: string }>(old: ReadonlyArray<Row>, changed: ReadonlyArray<Row> = []) => [
        ...old.map((row) => changed.find((other) => other.id === row.id) ?? row),
        ...changed.filter((other) => !old.some((row) => row.id === other.id))
      ]
      write({
        order: rows.order ?? books.order,
        attempts: put(books.attempts, rows.attempts),
        refunds: put(books.refunds, rows.refunds)
      })
    }

    // An attempt that never had a transaction is nobody's business but ours.
    const opened = () => read().attempts.filter((attempt) => "transactionId" in attempt)
    const attemptOf = (transaction: number) => opened()[transaction] ?? assert.fail("there is no such transaction")
    const refundOf = (index: number) => read().refunds[index] ?? assert.fail("there is no such refund")
    const numberOf = (attemptId: string) => opened().findIndex((attempt) => attempt.id === attemptId)

    const recordApproval = (attempt: Attempt.Attempt, finding: Purchase.Finding) => {
      const outcome: Purchase.Outcome =
        finding._tag === "StillUnknown"
          ? { _tag: "Lost", nextAskAt: Fixtures.later(now + 5), detail: finding.detail }
          : finding
      const entries = decide.settleApproval({ attempt, order: read().order }, outcome, at())
      if (Result.isFailure(entries)) return
      const { order, refund } = entries.success
      save({ order, attempts: [entries.success.attempt], refunds: refund === undefined ? [] : [refund] })
    }

    const recordRefund = (refund: Refund.Refund, finding: Repayment.Finding) => {
      const outcome: Repayment.Outcome =
        finding._tag === "StillUnknown"
          ? { _tag: "Lost", nextAskAt: Fixtures.later(now + 5), detail: finding.detail }
          : finding
      const attempt = attemptOf(numberOf(refund.attemptId))
      const order = refund.orderId === null ? null : read().order
      const entries = decide.settleRefund({ refund, attempt, order }, outcome, at())
      if (Result.isFailure(entries)) return
      const { success } = entries
      save({
        order: success.order,
        attempts: success.attempt === undefined ? [] : [success.attempt],
        refunds: [success.refund]
      })
    }

    const answerOf = (
      answer: ReturnType<ScriptedProvider.ScriptedProvider["approve"]>,
      attempt: Attempt.Sent | Attempt.Unknown
    ): ProviderAnswer.ProviderAnswer => {
      switch (answer) {
        case "approved":
          return new ProviderAnswer.Approved({
            transactionId: attempt.transactionId ?? assert.fail("it has a transaction"),
            approvalId: Fixtures.anyApprovalId(attempt.id),
            amount: attempt.amount,
            approvedAt: at(),
            method,
            billingKey: null
          })
        case "declined":
          return new ProviderAnswer.Declined({ reason: Fixtures.softDecline() })
        case "notYet":
          return new ProviderAnswer.NotYet({ detail })
        case "expired":
          return new ProviderAnswer.Expired({ detail })
        case "notExecuted":
          return new ProviderAnswer.NotExecuted({ why: "local", detail })
        case "maintenance":
          return new ProviderAnswer.NotExecuted({ why: "word", detail })
        case "lost":
          return new ProviderAnswer.Unknown({ detail })
      }
    }

    const refundAnswerOf = (
      answer: ReturnType<ScriptedProvider.ScriptedProvider["refund"]>
    ): PaymentStrategy.RefundAnswer => {
      switch (answer._tag) {
        case "done":
          return new PaymentStrategy.RefundDone({ refundedTotal: Fixtures.won(answer.refundedTotalWon), at: at() })
        case "refused":
          return new PaymentStrategy.RefundRefused({ code: "-781", detail })
        case "notExecuted":
          return new ProviderAnswer.NotExecuted({ why: "local", detail })
        case "maintenance":
          return new ProviderAnswer.NotExecuted({ why: "word", detail })
        case "lost":
          return new ProviderAnswer.Unknown({ detail })
      }
    }

    const shownTotal = (transaction: number) => {
      const found = provider.lookUp(transaction)
      return found === null ? null : Fixtures.won(found.refundedTotalWon)
    }

    const perform = (command: PaymentCommand): PaymentAnswer => {
      provider.obey(command)
      switch (command._tag) {
        case "RequestPayment": {
          const order = decide.payable(read().order, at())
          if (Result.isFailure(order)) return refused(order.failure._tag)
          const purpose = Fixtures.forOrder()
          const paymentId = Fixtures.anyPaymentId()
          const prepared = Fixtures.preparedAttempt({ purpose, paymentId, amount: order.success.total }, ids++)
          const transaction = provider.open()
          if (transaction === null) {
            save({ attempts: [Result.getOrThrow(Attempt.withdraw(prepared, at(), "not opened"))] })
            return refused("ProviderUnavailable")
          }
          const offer = decide.offer(
            { attempt: prepared, others: read().attempts, order: order.success },
            {
              transactionId: TransactionId.make(`T${transaction.transaction}`),
              redirectUrls: Fixtures.redirectUrls(),
              expiresAt: Fixtures.later(transaction.expiresAtMinute)
            },
            at()
          )
          if (Result.isFailure(offer)) return refused(offer.failure._tag)
          save({ order: order.success, attempts: [...offer.success.superseded, offer.success.attempt] })
          return accepted
        }
        case "ApproveTransaction": {
          const sending = decide.sendApproval(
            { attempt: attemptOf(command.transaction), order: read().order },
            { at: at(), lease: Fixtures.lease(), approvalToken: Fixtures.anyApprovalToken }
          )
          if (Result.isFailure(sending)) return refused(sending.failure._tag)
          save({ order: sending.success.order, attempts: [sending.success.attempt] })
          const answer = answerOf(
            provider.approve(command.transaction, sending.success.attempt.amount),
            sending.success.attempt
          )
          recordApproval(attemptOf(command.transaction), decide.approvalAnswered(answer))
          return accepted
        }
        case "ArriveLate": {
          const attempt = attemptOf(command.transaction)
          if (attempt._tag !== "Unknown") return refused(attempt._tag)
          recordApproval(attempt, decide.approvalAnswered(answerOf(provider.arrive(command.transaction), attempt)))
          return accepted
        }
        case "LookUpTransaction": {
          const attempt = attemptOf(command.transaction)
          if (attempt._tag !== "Unknown") return refused(attempt._tag)
          const found = provider.lookUp(command.transaction)
          if (found === null) {
            recordApproval(attempt, { _tag: "StillUnknown", detail })
            return accepted
          }
          const shown = {
            standing: found.standing,
            attemptId: attempt.id,
            amount: Fixtures.won(found.amountWon),
            refundedTotal: Fixtures.won(found.refundedTotalWon),
            approvedAt: found.standing === "approved" ? at() : null
          }
          const asked = { askedAt: at(), graceMinutes: toPay.terms.approvalGraceMinutes }
          recordApproval(attempt, decide.approvalShown(attempt, shown, asked))
          return accepted
        }
        case "TurnBack": {
          const found = provider.lookUp(command.transaction)
          const left = found === null ? null : decide.leave(attemptOf(command.transaction), found.standing, at())
          if (left === null) return refused("StillWaiting")
          save({ attempts: [left] })
          return accepted
        }
        case "PassTime": {
          now += command.minutes
          const lapsed = read().attempts.map((attempt) => Purchase.lapse(attempt, at()) ?? attempt)
          const expired = decide.expire(read().order, at())
          save({ attempts: lapsed, order: Result.isSuccess(expired) ? expired.success : undefined })
          return accepted
        }
        case "RequestRefund": {
          const { attempts, order, refunds } = read()
          const attempt = attempts.find((one) => "paidBy" in order && one.id === order.paidBy)
          if (attempt === undefined) return refused(order._tag)
          const lines =
            command.units === "rest"
              ? command.units
              : command.units.flatMap((quantity, index) =>
                  quantity === 0 ? [] : [{ lineId: Fixtures.anyOrderLineId(index), quantity }]
                )
          const requested = decide.requestRefund(
            { order, attempt, refunds },
            { id: Fixtures.anyRefundId(ids++), lines, reason: "단순 변심", at: at() }
          )
          if (Result.isFailure(requested)) return refused(requested.failure._tag)
          save({ attempts: [requested.success.attempt], refunds: [requested.success.refund] })
          return accepted
        }
        case "SendRefund": {
          const asked = refundOf(command.refund)
          const transaction = numberOf(asked.attemptId)
          const ready = decide.ready({ refund: asked, attempt: attemptOf(transaction) }, dispatches, at())
          if (Result.isFailure(ready)) return refused(ready.failure._tag)
          const sending = Result.getOrThrow(
            Repayment.send(ready.success, { at: at(), leaseExpiresAt: Fixtures.later(now + 2) })
          )
          save({ attempts: [sending.attempt], refunds: [sending.refund] })
          const answer = refundAnswerOf(
            provider.refund(transaction, { amountWon: sending.refund.amount, availableWon: ready.success.available })
          )
          const total = answer._tag === "RefundRefused" ? shownTotal(transaction) : null
          recordRefund(sending.refund, decide.refundAnswered(sending.refund, answer, total))
          return accepted
        }
        case "LookUpRefund": {
          const refund = refundOf(command.refund)
          if (refund._tag !== "Unknown") return refused(refund._tag)
          const asked = { askedAt: at(), believedFrom: believedFrom(toPay.terms, refund.sentAt) }
          recordRefund(refund, decide.refundShown(refund, shownTotal(numberOf(refund.attemptId)), asked))
          return accepted
        }
      }
    }

    const observe = (): PaymentView => ({
      order: read().order._tag,
      attempts: opened().map((attempt, transaction) => ({
        state: attempt._tag as AttemptState,
        approvedWon: "approved" in attempt ? attempt.approved : 0,
        refundedWon: "refunded" in attempt ? attempt.refunded : 0,
        reservedWon: "reserved" in attempt ? attempt.reserved : 0,
        ...provider.account(transaction)
      })),
      refunds: read().refunds.map((refund) => ({
        transaction: numberOf(refund.attemptId),
        state: refund._tag,
        amountWon: refund.amount
      }))
    })

    return {
      perform: async (command) => perform(command),
      observe: async () => observe()
    }
  }

// The grace hours, and past the next bank check night.
const believedFrom = (terms: PaymentTerms, sentAt: DateTime.Utc): DateTime.Utc => {
  const on = BusinessDate.fromInstant(sentAt)
  const night = [0, 1]
    .map((days) => BusinessDate.instantAt(BusinessDate.addDays(on, days), terms.refundGracePastMinuteOfDay))
    .find((instant) => instant.epochMilliseconds > sentAt.epochMilliseconds)
  return DateTime.max(
    DateTime.add(sentAt, { minutes: terms.refundGraceMinutes }),
    night ?? assert.fail("a night comes")
  )
}

// -----------------------------------------------------------------------------
// the domain
// -----------------------------------------------------------------------------

const timeoutMillis = 60_000

const report = (name: string, { commands, counts, runs, seed }: PaymentRun) => {
  console.log(`${name}: ${runs} histories, ${commands} commands, seed ${seed}`)
  if (process.env["PILLIVERY_VERBOSE"] !== undefined) console.log([...counts].sort())
}

/** Everything a run must have come by, lest its laws held for want of cases. */
const seen = (run: PaymentRun, ...names: ReadonlyArray<string>) => {
  for (const name of names) assert.isAbove(run.counts.get(name) ?? 0, 0, `${name} was never seen`)
}

const everyState = [
  ...["Placed", "Paid", "PartiallyRefunded", "Refunded", "Expired"].map((state) => `Order ${state}`),
  ...["AwaitingCustomer", "Unknown", "Approved", "Declined", "Abandoned", "Superseded"].map(
    (state) => `Attempt ${state}`
  ),
  ...["Requested", "Unknown", "Completed", "Rejected"].map((state) => `Refund ${state}`),
  ...["RequestPayment", "ApproveTransaction", "RequestRefund", "SendRefund"].flatMap((command) => [
    `${command} Accepted`,
    `${command} Refused`
  ])
]

/** An order that stays open longer than an approval may be in doubt. */
const patient: PaymentTerms = { ...termsDefault, orderMinutes: 4 * 60 }

/** After a transaction's time and grace the protocol lets a new one take the place of an approval still in doubt. */
const handsOn = (attempts: () => ReadonlyArray<Attempt.Attempt>): Partial<Decisions> => ({
  payable: (order, at) => {
    if (order._tag !== "Placed" || order.approvingAttempt === null) return Purchase.payable(order, at)
    const holder = attempts().find((attempt) => attempt.id === order.approvingAttempt)
    return holder?._tag === "Unknown" &&
      Purchase.overFrom(holder, patient.approvalGraceMinutes).epochMilliseconds <= at.epochMilliseconds
      ? Purchase.payable(Order.endApproval(order, holder.id), at)
      : Purchase.payable(order, at)
  }
})

const handingOn = (decisions: Partial<Decisions> = {}) => {
  let store = variables()
  return systemOf(
    () => {
      store = variables()
      return store
    },
    { ...handsOn(() => store.read().attempts), ...decisions }
  )
}

describe("a payment decided by the domain", () => {
  it(
    "keeps every law over variables",
    async () => {
      const run = await runPaymentModel(systemOf(variables), { ...seeded, numRuns: 1_000 })
      report("variables", run)
      seen(run, ...everyState)
    },
    timeoutMillis
  )

  it(
    "keeps every law over a store that keeps only JSON",
    async () => {
      const run = await runPaymentModel(systemOf(json), { ...seeded, numRuns: 300 })
      report("JSON", run)
      seen(run, ...everyState)
    },
    timeoutMillis
  )

  it(
    "gives a surplus back in full where an order in doubt is handed on after the grace",
    async () => {
      const run = await runPaymentModel(handingOn(), { ...seeded, numRuns: 1_200, terms: patient })
      report("handed on", run)
      seen(run, "Attempt ApprovedSurplus")
    },
    timeoutMillis
  )
})

// -----------------------------------------------------------------------------
// mutants: what the model must catch
// -----------------------------------------------------------------------------

const runsToCatchMax = 4_000

/** Expects the model to catch a mutant by one of these laws. */
const caught = (
  name: string,
  factory: (toPay: OrderToPay) => PaymentSystem,
  laws: ReadonlyArray<PaymentLawBroken["law"]>,
  terms?: PaymentTerms
) =>
  it(
    name,
    async () => {
      const options = { ...seeded, numRuns: runsToCatchMax, ...(terms === undefined ? {} : { terms }) }
      const failure = await runPaymentModel(factory, options).then(
        () => assert.fail("the model caught nothing"),
        (error: unknown) => error
      )
      assert.instanceOf(failure, Error)
      if (!(failure instanceof Error)) return
      assert.match(failure.message, /seed: -?\d+/)
      const broken = failure.cause
      assert.instanceOf(broken, PaymentLawBroken)
      if (!(broken instanceof PaymentLawBroken)) return
      if (process.env["PILLIVERY_VERBOSE"] !== undefined) console.log(`${name}\n${broken.message}`)
      assert.include(laws, broken.law)
    },
    timeoutMillis
  )

const mutant = (decisions: Partial<Decisions>) => systemOf(variables, decisions)

const denial = (attempt: Attempt.Attempt) =>
  Result.fail(new Attempt.AttemptTransitionDenied({ attemptId: attempt.id, from: attempt._tag, command: "mutant" }))

const notPayable = ({ _tag, id }: Order.Order) => new Purchase.OrderNotPayable({ orderId: id, state: _tag })

describe("the model catches a system that", () => {
  caught("refuses everything", mutant({ payable: (order) => Result.fail(notPayable(order)) }), ["decided"])

  caught(
    "sends an approval in doubt again",
    mutant({
      sendApproval: (books, dispatch) =>
        books.attempt._tag === "Unknown" && books.order._tag === "Placed"
          ? Result.map(Attempt.send(books.attempt, { ...dispatch, baseline: null }), (attempt) => ({
              attempt,
              order: books.order as Order.Placed
            }))
          : Purchase.sendApproval(books, dispatch)
    }),
    ["askedFirst"]
  )

  caught(
    "lets two transactions of an order be approved as owed",
    mutant({
      payable: (order, at) =>
        order._tag === "Placed"
          ? Purchase.payable(Order.endApproval(order, order.approvingAttempt ?? Fixtures.anyAttemptId()), at)
          : Purchase.payable(order, at),
      offer: (books, opened, at) => Purchase.offer({ ...books, others: [] }, opened, at),
      settleApproval: (books, outcome, at) =>
        outcome._tag === "Approved" && books.order._tag !== "Placed"
          ? Result.map(
              Attempt.approve(books.attempt, {
                at,
                reference: outcome.reference,
                amount: outcome.amount,
                isOwed: true
              }),
              (attempt) => ({ attempt, isPaid: false, subscriptions: [], cycles: [], events: [] })
            )
          : Purchase.settle(books, outcome, at)
    }),
    ["decided", "owedOnce", "booksFollow"]
  )

  caught(
    "takes the money of a second approval for owed",
    handingOn({
      settleApproval: (books, outcome, at) =>
        outcome._tag === "Approved" && books.order._tag !== "Placed"
          ? Result.map(
              Attempt.approve(books.attempt, {
                at,
                reference: outcome.reference,
                amount: outcome.amount,
                isOwed: true
              }),
              (attempt) => ({ attempt, isPaid: false, subscriptions: [], cycles: [], events: [] })
            )
          : Purchase.settle(books, outcome, at)
    }),
    ["owedOnce"],
    patient
  )

  caught(
    "keeps the money of a second approval",
    handingOn({
      settleApproval: (books, outcome, at) =>
        Result.map(Purchase.settle(books, outcome, at), (entries) => {
          if (entries.attempt._tag !== "ApprovedSurplus") return entries
          const { refund: _, ...kept } = entries
          return { ...kept, attempt: new Attempt.ApprovedSurplus({ ...entries.attempt, reserved: Fixtures.won(0) }) }
        })
    }),
    ["surplusReturned"],
    patient
  )

  caught(
    "drops an approval that is found late",
    mutant({
      settleApproval: (books, outcome, at) =>
        outcome._tag === "Approved" && books.attempt._tag === "Unknown"
          ? Result.map(Attempt.abandon(books.attempt, at, "too late"), (attempt) => ({
              attempt,
              isPaid: false,
              subscriptions: [],
              cycles: [],
              events: []
            }))
          : Purchase.settle(books, outcome, at)
    }),
    ["moneyExplained"]
  )

  caught(
    "takes no notice of an approval that answers late",
    mutant({
      settleApproval: (books, outcome, at) =>
        outcome._tag === "Approved" && books.attempt._tag === "Unknown"
          ? denial(books.attempt)
          : Purchase.settle(books, outcome, at)
    }),
    ["booksFollow", "orderFollowsUnits"]
  )

  caught(
    "takes an answer in doubt for a decline",
    mutant({
      approvalAnswered: (answer) =>
        answer._tag === "Unknown" ? { _tag: "Declined", reason: Fixtures.softDecline() } : Purchase.findingOf(answer)
    }),
    ["moneyExplained", "booksFollow"]
  )

  caught(
    "takes the provider's word that it did not try",
    mutant({
      approvalAnswered: (answer) => (answer._tag === "NotExecuted" ? { _tag: "NotYet" } : Purchase.findingOf(answer))
    }),
    ["booksFollow"]
  )

  caught(
    "believes before the grace is over that an approval was not done",
    mutant({
      approvalShown: (attempt, found, asked) =>
        Purchase.findingShown(attempt, found, { ...asked, graceMinutes: asked.graceMinutes - 10 })
    }),
    ["booksFollow"]
  )

  caught(
    "lets an order expire while its approval is in doubt",
    mutant({
      expire: (order, at) =>
        Order.expire(
          order._tag === "Placed" && order.approvingAttempt !== null
            ? Order.endApproval(order, order.approvingAttempt)
            : order,
          at
        )
    }),
    ["orderFollowsUnits"]
  )

  caught(
    "abandons a transaction because its customer turned back",
    mutant({ leave: (attempt, _, at) => Purchase.leave(attempt, "failed", at) }),
    ["booksFollow"]
  )

  caught(
    "sets nothing aside for a refund",
    mutant({
      requestRefund: (account, asked) =>
        Result.gen(function* () {
          const free = new Attempt.Approved({ ...account.attempt, reserved: Fixtures.won(0) } as Attempt.Approved)
          const requested = yield* Repayment.request({ ...account, attempt: free, refunds: [] }, asked)
          return { ...requested, attempt: account.attempt as Attempt.Approved }
        })
    }),
    ["neverAboveApproved"]
  )

  caught(
    "promises the same units twice",
    mutant({ requestRefund: (account, asked) => Repayment.request({ ...account, refunds: [] }, asked) }),
    ["decided", "booksFollow"]
  )

  caught(
    "keeps the amount of a refused refund set aside",
    mutant({
      settleRefund: (books, outcome, at) =>
        Result.map(Repayment.settle(books, outcome, at), (entries) =>
          entries.refund._tag === "Rejected" && entries.attempt?._tag === "Approved"
            ? {
                ...entries,
                attempt: new Attempt.Approved({
                  ...entries.attempt,
                  reserved: Fixtures.won(entries.attempt.reserved + entries.refund.amount)
                })
              }
            : entries
        )
    }),
    ["neverAboveApproved"]
  )

  caught(
    "sends a refund in doubt again before it is looked up",
    mutant({
      ready: ({ attempt, refund }, trying, at) =>
        refund._tag === "Unknown" && attempt._tag === "Approved"
          ? Repayment.ready(
              {
                refund: Result.getOrThrow(Refund.requestAgain(refund)),
                attempt: new Attempt.Approved({ ...attempt, refundInFlight: null })
              },
              trying,
              at
            )
          : Repayment.ready({ attempt, refund }, trying, at)
    }),
    ["askedFirst"]
  )

  caught(
    "sends two refunds of a payment at once",
    mutant({
      ready: ({ attempt, refund }, trying, at) =>
        Repayment.ready(
          {
            refund,
            attempt: attempt._tag === "Approved" ? new Attempt.Approved({ ...attempt, refundInFlight: null }) : attempt
          },
          trying,
          at
        )
    }),
    ["askedFirst", "decided"]
  )

  caught(
    "believes a refusal without a lookup",
    mutant({
      refundAnswered: (sent, answer) => Repayment.findingOf(sent, answer, sent.refundedBefore)
    }),
    ["refundsExplained", "booksFollow"]
  )

  caught(
    "believes before the grace is over that a refund was not done",
    mutant({
      refundShown: (refund, total, asked) =>
        Repayment.findingShown(refund, total, { ...asked, believedFrom: refund.sentAt })
    }),
    ["refundsExplained", "booksFollow"]
  )

  caught(
    "takes a refund for undone that the provider shows done",
    mutant({ refundShown: () => ({ _tag: "NotExecuted", detail: "mutant" }) }),
    ["refundsExplained", "booksFollow"]
  )

  caught(
    "takes an order for refunded with its first unit",
    mutant({
      settleRefund: (books, outcome, at) =>
        Result.map(Repayment.settle(books, outcome, at), (entries) =>
          entries.order?._tag === "PartiallyRefunded"
            ? { ...entries, order: new Order.Refunded({ ...entries.order, _tag: "Refunded" }) }
            : entries
        )
    }),
    ["orderFollowsUnits"]
  )
})
