/**
 * Payments, attempts and the slots of customers in memory.
 *
 * @since 0.1.0
 */
import { attemptsListedMax, PaymentRepository } from "@pillivery/application/ports/PaymentRepository"
import * as Attempt from "@pillivery/domain/Attempt"
import type { AttemptId } from "@pillivery/domain/Ids"
import * as Payment from "@pillivery/domain/Payment"
import type { CustomerReference, ProviderName } from "@pillivery/domain/Provider"
import { Effect, Layer, Option, Result } from "effect"
import * as Table from "./internal/Table.ts"
import { type Rows, Store } from "./Store.ts"

const subjectKey = (subject: Payment.Subject): string =>
  Payment.Subject.match(subject, {
    OrderSubject: ({ orderId }) => `order/${orderId}`,
    CycleSubject: ({ cycleNumber, subscriptionId }) => `cycle/${subscriptionId}/${cycleNumber}`,
    RegistrationSubject: ({ billingKeyId }) => `registration/${billingKeyId}`
  })

/** The table of payments. */
export const payments = Table.define<Payment.Payment>()({
  name: "payment",
  idOf: (payment) => payment.id,
  unique: { subject: (payment) => subjectKey(payment.subject) }
})

const isUnsettled = (attempt: Attempt.Attempt): boolean =>
  attempt._tag === "Prepared" || attempt._tag === "Sent" || attempt._tag === "Unknown"

/** The table of attempts. */
export const attempts = Table.define<Attempt.Attempt>()({
  name: "attempt",
  idOf: (attempt) => attempt.id,
  unique: {
    // Whatever a caller forgets, a cycle has one attempt at a time that may move money.
    openCycle: (attempt) =>
      isUnsettled(attempt) && attempt.purpose._tag === "ForCycle"
        ? `${attempt.purpose.subscriptionId}/${attempt.purpose.cycleNumber}`
        : null
  },
  indexes: {
    state: (attempt) => attempt._tag,
    payment: (attempt) => `${attempt.paymentId}/${Table.timeKey(attempt.createdAt)}`,
    lease: (attempt) =>
      attempt._tag === "Prepared" || attempt._tag === "Sent" ? Table.timeKey(attempt.lease.expiresAt) : null,
    nextAsk: (attempt) => (attempt._tag === "Unknown" ? Table.timeKey(attempt.nextAskAt) : null),
    billingKey: (attempt) =>
      attempt.purpose._tag === "ForCycle"
        ? `${attempt.purpose.billingKeyId}/${Table.timeKey(attempt.createdAt)}`
        : null,
    waiting: (attempt) => (attempt._tag === "AwaitingCustomer" ? Table.timeKey(attempt.expiresAt) : null),
    transaction: (attempt) =>
      "transactionId" in attempt && attempt.transactionId !== null
        ? JSON.stringify([attempt.provider, attempt.transactionId])
        : null
  }
})

interface UserSlot {
  readonly provider: ProviderName
  readonly customer: CustomerReference
  readonly holder: AttemptId | null
}

/** The id of a slot. */
export const slotKey = (provider: ProviderName, customer: CustomerReference): string =>
  JSON.stringify([provider, customer])

/** The table of customers' slots. */
export const userSlots = Table.define<UserSlot>()({
  name: "user slot",
  idOf: (slot) => slotKey(slot.provider, slot.customer)
})

/** Payments of one store. */
export const layer = Layer.effect(
  PaymentRepository,
  Effect.map(Store, (store) =>
    PaymentRepository.of({
      insertPayment: (payment) =>
        store.write("PaymentRepository.insertPayment", (rows) => rows.insert(payments, payment)),
      findPayment: (id) =>
        store.read("PaymentRepository.findPayment", (rows) => Option.fromUndefinedOr(rows.get(payments, id))),
      findPaymentBySubject: (subject) =>
        store.read("PaymentRepository.findPaymentBySubject", (rows) =>
          Option.fromUndefinedOr(rows.getBy(payments, "subject", subjectKey(subject)))
        ),
      insertAttempt: (attempt) =>
        store.write("PaymentRepository.insertAttempt", (rows) => rows.insert(attempts, attempt)),
      findAttempt: (id) =>
        store.read("PaymentRepository.findAttempt", (rows) => Option.fromUndefinedOr(rows.get(attempts, id))),
      updateAttempt: (attempt) =>
        store.write("PaymentRepository.updateAttempt", (rows) => rows.update(attempts, attempt)),
      listAttempts: (paymentId) =>
        store.read("PaymentRepository.listAttempts", (rows) =>
          rows.list(attempts, "payment", { prefix: `${paymentId}/`, limit: attemptsListedMax })
        ),
      listAbandonedBySender: (databaseNow, limit) =>
        store.read("PaymentRepository.listAbandonedBySender", (rows) =>
          ids(rows, "lease", Table.after(Table.timeKey(databaseNow)), limit)
        ),
      listToAskAbout: (at, limit) =>
        store.read("PaymentRepository.listToAskAbout", (rows) =>
          ids(rows, "nextAsk", Table.after(Table.timeKey(at)), limit)
        ),
      listExpiredWaiting: (at, limit) =>
        store.read("PaymentRepository.listExpiredWaiting", (rows) => ids(rows, "waiting", Table.timeKey(at), limit)),
      takeUserSlot: (provider, customer, attemptId) =>
        store.write("PaymentRepository.takeUserSlot", (rows) => {
          const holder = rows.get(userSlots, slotKey(provider, customer))?.holder ?? null
          if (holder !== null && holder !== attemptId) return Result.succeed(false)
          rows.put(userSlots, { provider, customer, holder: attemptId })
          return Result.succeed(true)
        }),
      releaseUserSlot: (provider, customer, attemptId) =>
        store.write("PaymentRepository.releaseUserSlot", (rows) => {
          const isHolder = rows.get(userSlots, slotKey(provider, customer))?.holder === attemptId
          return Result.succeed(isHolder ? rows.put(userSlots, { provider, customer, holder: null }) : undefined)
        }),
      countKeyUses: ({ billingKeyId, since }) =>
        store.read("PaymentRepository.countKeyUses", (rows) => {
          const prefix = `${billingKeyId}/`
          let uses = 0
          rows.forEachFrom(attempts, "billingKey", `${prefix}${Table.timeKey(since)}`, (attempt, entry) => {
            if (entry >= Table.after(prefix)) return false
            if (Attempt.mayHaveMovedMoney(attempt)) uses++
            return true
          })
          return uses
        }),
      countAttempts: store.read("PaymentRepository.countAttempts", (rows) => {
        const count = (tag: Attempt.Tag): number => rows.count(attempts, "state", `${tag}/`)
        return {
          Prepared: count("Prepared"),
          AwaitingCustomer: count("AwaitingCustomer"),
          Sent: count("Sent"),
          Unknown: count("Unknown"),
          ManualReview: count("ManualReview"),
          Approved: count("Approved"),
          ApprovedSurplus: count("ApprovedSurplus"),
          Refunded: count("Refunded"),
          Declined: count("Declined"),
          NotExecuted: count("NotExecuted"),
          Withdrawn: count("Withdrawn"),
          Abandoned: count("Abandoned"),
          Superseded: count("Superseded")
        }
      })
    })
  )
)

const ids = (rows: Rows, index: "lease" | "nextAsk" | "waiting", until: string, limit: number) =>
  rows.list(attempts, index, { until, limit }).map((attempt) => attempt.id)
