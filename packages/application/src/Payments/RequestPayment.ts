/**
 * Asking the provider for a transaction that the customer can approve.
 *
 * No money moves here. The attempt is committed first, so that the address the customer comes back to names a row of ours;
 * a newer transaction of the same order takes the place of older ones that still wait.
 *
 * @since 0.1.0
 */
import * as Attempt from "@pillivery/domain/Attempt"
import { AttemptId, type OrderId, PaymentId, type UserId } from "@pillivery/domain/Ids"
import * as Order from "@pillivery/domain/Order"
import * as Payment from "@pillivery/domain/Payment"
import { PaymentStrategies } from "@pillivery/domain/PaymentStrategy"
import { CustomerReference } from "@pillivery/domain/Provider"
import * as Purchase from "@pillivery/domain/Purchase"
import { Clock, DateTime, Effect, Option, type Result } from "effect"
import { type Asked, bindNothing, type BindRequest, once } from "../Idempotency.ts"
import { BusinessClock } from "../ports/BusinessClock.ts"
import { IdGenerator } from "../ports/IdGenerator.ts"
import { OrderRepository } from "../ports/OrderRepository.ts"
import { PaymentRepository } from "../ports/PaymentRepository.ts"
import { Transaction } from "../ports/Transaction.ts"
import { retryStale } from "../StaleRetry.ts"
import { CallbackUrls } from "./CallbackUrls.ts"
import { MoneyCalls } from "./MoneyCalls.ts"
import { OrderNotFound, PaymentInProgress, PaymentOver, ProviderUnavailable } from "./PaymentErrors.ts"
import { ProtocolSettings } from "./ProtocolSettings.ts"

const retryAfterSeconds = 5
const pollMillis = 50

/** Requests the payment of an order; its owner is then to be sent to one of the redirect URLs. */
export const requestPayment = Effect.fn("requestPayment")(function* (request: {
  readonly orderId: OrderId
  readonly userId: UserId
  readonly bind?: BindRequest
}) {
  const payments = yield* PaymentRepository
  const transaction = yield* Transaction
  const clock = yield* BusinessClock
  const ids = yield* IdGenerator
  const { bind = bindNothing } = request
  const strategy = (yield* PaymentStrategies).preferred

  const attemptId = AttemptId.make(yield* ids.next)
  const newPaymentId = PaymentId.make(yield* ids.next)

  const prepared = yield* retryStale(
    transaction.runShared("request payment")(
      Effect.gen(function* () {
        const at = yield* clock.now
        const order = yield* accepted(Purchase.payable(yield* orderOf(request), at))
        const subject = new Payment.OrderSubject({ orderId: order.id })
        const found = yield* payments.findPaymentBySubject(subject)
        const paymentId = Option.match(found, { onNone: () => newPaymentId, onSome: (payment) => payment.id })
        if (Option.isNone(found)) {
          yield* payments.insertPayment(
            new Payment.Payment({ id: paymentId, userId: order.userId, subject, amount: order.total, createdAt: at })
          )
        }
        const issuesBillingKey = Order.hasSubscription(order)
        yield* bind(attemptId)
        return yield* insertPrepared({
          id: attemptId,
          paymentId,
          purpose: new Attempt.ForOrder({ orderId: order.id, userId: order.userId, issuesBillingKey }),
          provider: strategy.provider,
          merchantAccount: strategy.merchantAccountFor(issuesBillingKey ? "subscription" : "oneTime"),
          customerReference: CustomerReference.make(order.userId),
          amount: order.total,
          itemName: Order.nameOf(order),
          quantity: order.lines.reduce((units, line) => units + line.quantity, 0),
          createdAt: at,
          version: 0
        })
      })
    )
  ).pipe(
    // A twin inserted the payment first; it is ours all the same, so begin again.
    Effect.retry({ while: (error) => error._tag === "AlreadyExists", times: 1 }),
    Effect.catchTag("AlreadyExists", Effect.die)
  )

  return yield* openTransaction(prepared, orderOf(request))
})

/** Requests the payment of an order for a request that may be repeated. */
export const requestPaymentOnce = Effect.fn("requestPaymentOnce")(
  (asked: Asked, command: Parameters<typeof requestPayment>[0]) =>
    once(asked, { make: (bind) => requestPayment({ ...command, bind }), show: showOpened })
)

/**
 * The transaction that an earlier request opened for the customer; nothing where it was never shown to anybody. One that is
 * being opened is waited for a little.
 */
export const showOpened = Effect.fnUntraced(function* (id: string) {
  const payments = yield* PaymentRepository
  const { twinWaitMillisMax } = yield* ProtocolSettings
  const attemptId = AttemptId.make(id)
  const startedAt = yield* Clock.currentTimeMillis
  while (true) {
    const found = yield* payments.findAttempt(attemptId)
    if (Option.isNone(found)) return yield* Effect.die(new Error(`attempt ${attemptId} of a request is missing`))
    const attempt = found.value
    if (attempt._tag === "AwaitingCustomer") return Option.some(attempt)
    if (attempt._tag === "Withdrawn" || attempt._tag === "NotExecuted") return Option.none()
    if (attempt._tag !== "Prepared") return yield* new PaymentOver({ attemptId, state: attempt._tag })
    if ((yield* Clock.currentTimeMillis) - startedAt > twinWaitMillisMax) {
      return yield* new PaymentInProgress({ attemptId, retryAfterSeconds })
    }
    yield* Effect.sleep(pollMillis)
  }
})

/** Commits an attempt that the provider has not seen yet. */
export const insertPrepared = Effect.fnUntraced(function* (
  fields: Omit<ConstructorParameters<typeof Attempt.Prepared>[0], "lease">
) {
  const payments = yield* PaymentRepository
  const clock = yield* BusinessClock
  const settings = yield* ProtocolSettings
  const lease = new Attempt.Lease({
    owner: settings.owner,
    epoch: 1,
    expiresAt: DateTime.add(yield* clock.databaseNow, { milliseconds: settings.leaseMillis })
  })
  const prepared = new Attempt.Prepared({ ...fields, lease })
  yield* payments.insertAttempt(prepared)
  return prepared
})

/**
 * Opens the transaction of a committed attempt at the provider, and lets older waiting ones of the payment go. `order`
 * reads what it would pay; null where it pays for none.
 */
export const openTransaction = Effect.fnUntraced(function* <E, R>(
  prepared: Attempt.Prepared,
  order: Effect.Effect<Order.Order | null, E, R>
) {
  const payments = yield* PaymentRepository
  const transaction = yield* Transaction
  const clock = yield* BusinessClock
  const strategies = yield* PaymentStrategies
  const callbacks = yield* CallbackUrls
  const calls = yield* MoneyCalls

  const strategy = strategies.find(prepared.provider) ?? strategies.preferred
  const answer = yield* calls
    .lookup(
      (result) =>
        result._tag === "Prepared" || (result._tag === "NotExecuted" && result.why === "ours") ? "success" : "failure",
      strategy.prepare({
        attemptId: prepared.id,
        merchantAccount: prepared.merchantAccount,
        customerReference: prepared.customerReference,
        itemName: prepared.itemName,
        quantity: prepared.quantity,
        amount: prepared.amount,
        approvalUrl: callbacks.of(prepared.id, "approve"),
        cancelUrl: callbacks.of(prepared.id, "cancel"),
        failUrl: callbacks.of(prepared.id, "fail")
      })
    )
    .pipe(Effect.catch((refused) => Effect.succeed({ _tag: "Refused" as const, detail: refused.message })))

  if (answer._tag !== "Prepared") {
    // No transaction was shown to anybody, so none can be approved.
    const at = yield* clock.now
    yield* Effect.fromResult(Attempt.withdraw(prepared, at, answer.detail)).pipe(
      Effect.flatMap(payments.updateAttempt),
      Effect.ignore
    )
    return yield* new ProviderUnavailable({ retryAfterSeconds, detail: answer._tag })
  }

  return yield* retryStale(
    transaction.runShared("offer payment")(
      Effect.gen(function* () {
        const books = {
          attempt: prepared,
          others: yield* payments.listAttempts(prepared.paymentId),
          order: yield* order
        }
        const offer = yield* accepted(Purchase.offer(books, answer, yield* clock.now))
        for (const superseded of offer.superseded) yield* payments.updateAttempt(superseded)
        yield* payments.updateAttempt(offer.attempt)
        return offer.attempt
      })
    )
  )
})

const orderOf = Effect.fnUntraced(function* (request: { readonly orderId: OrderId; readonly userId: UserId }) {
  const found = yield* (yield* OrderRepository).findById(request.orderId)
  if (Option.isNone(found) || found.value.userId !== request.userId) {
    return yield* new OrderNotFound({ orderId: request.orderId })
  }
  return found.value
})

// A rejection of the domain, as it is told here: when to come back, while an approval is under way.
const accepted = <A>(
  decided: Result.Result<A, Purchase.ApprovalUnderWay | Purchase.OrderNotPayable | Attempt.AttemptTransitionDenied>
): Effect.Effect<A, PaymentInProgress | Purchase.OrderNotPayable> =>
  Effect.fromResult(decided).pipe(
    Effect.catchTags({
      ApprovalUnderWay: ({ attemptId }) => Effect.fail(new PaymentInProgress({ attemptId, retryAfterSeconds })),
      AttemptTransitionDenied: Effect.die // it is prepared, and the others wait
    })
  )
