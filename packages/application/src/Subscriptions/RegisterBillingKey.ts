/**
 * Asking a customer to register a billing key, without a charge.
 *
 * @since 0.1.0
 */
import * as Attempt from "@pillivery/domain/Attempt"
import * as BillingKey from "@pillivery/domain/BillingKey"
import { AttemptId, BillingKeyId, PaymentId, type SubscriptionId, type UserId } from "@pillivery/domain/Ids"
import * as Payment from "@pillivery/domain/Payment"
import { PaymentStrategies } from "@pillivery/domain/PaymentStrategy"
import { CustomerReference } from "@pillivery/domain/Provider"
import * as SubscriptionOrder from "@pillivery/domain/SubscriptionOrder"
import * as Won from "@pillivery/domain/Won"
import { Effect, Option, Schema } from "effect"
import { type Asked, bindNothing, type BindRequest, once } from "../Idempotency.ts"
import { insertPrepared, openTransaction, showOpened } from "../Payments/RequestPayment.ts"
import { BillingKeyRepository } from "../ports/BillingKeyRepository.ts"
import { BusinessClock } from "../ports/BusinessClock.ts"
import { IdGenerator } from "../ports/IdGenerator.ts"
import { PaymentRepository } from "../ports/PaymentRepository.ts"
import { SubscriptionRepository } from "../ports/SubscriptionRepository.ts"
import { Transaction } from "../ports/Transaction.ts"
import { retryStale } from "../StaleRetry.ts"
import { SubscriptionNotFound } from "./CancelSubscription.ts"

/**
 * Prepares the registration of a key for a subscription that has none; answers null when it needs none any more. The
 * customer finds the redirect URL on the subscription.
 */
export const registerBillingKey = Effect.fn("registerBillingKey")(function* (
  subscriptionId: SubscriptionId,
  bind: BindRequest = bindNothing
) {
  const subscriptions = yield* SubscriptionRepository
  const keys = yield* BillingKeyRepository
  const payments = yield* PaymentRepository
  const clock = yield* BusinessClock
  const transaction = yield* Transaction
  const ids = yield* IdGenerator
  const strategy = (yield* PaymentStrategies).preferred
  const attemptId = AttemptId.make(yield* ids.next)
  const paymentId = PaymentId.make(yield* ids.next)
  const newKeyId = BillingKeyId.make(yield* ids.next)

  const prepared = yield* retryStale(
    transaction.run(
      Effect.gen(function* () {
        const found = yield* subscriptions.findById(subscriptionId)
        if (Option.isNone(found) || found.value._tag !== "AwaitingBillingKey") return null
        const subscription = found.value
        const at = yield* clock.now
        const pending =
          subscription.pendingBillingKeyId === null
            ? Option.none()
            : yield* keys.findById(subscription.pendingBillingKeyId)
        const customerReference = CustomerReference.make(subscription.userId)
        const merchantAccount = strategy.merchantAccountFor("subscription")
        const keyId = Option.isSome(pending) && pending.value._tag === "Pending" ? pending.value.id : newKeyId
        if (keyId === newKeyId) {
          yield* keys.insert(
            new BillingKey.Pending({
              id: keyId,
              userId: subscription.userId,
              provider: strategy.provider,
              merchantAccount,
              customerReference,
              inFlight: null,
              lastKnownApproval: null,
              liveUses: 1,
              createdAt: at,
              version: 0
            })
          )
          yield* subscriptions.update(
            yield* Effect.fromResult(SubscriptionOrder.expectKey(subscription, keyId)).pipe(Effect.orDie) // it awaits one
          )
        }
        yield* bind(attemptId)
        const subject = new Payment.RegistrationSubject({ billingKeyId: keyId })
        const payment = yield* payments.findPaymentBySubject(subject)
        if (Option.isNone(payment)) {
          yield* payments.insertPayment(
            new Payment.Payment({
              id: paymentId,
              userId: subscription.userId,
              subject,
              amount: Won.zero,
              createdAt: at
            })
          )
        }
        return yield* insertPrepared({
          id: attemptId,
          paymentId: Option.match(payment, { onNone: () => paymentId, onSome: (existing) => existing.id }),
          purpose: new Attempt.ForRegistration({ billingKeyId: keyId, userId: subscription.userId }),
          provider: strategy.provider,
          merchantAccount,
          customerReference,
          amount: Won.zero,
          itemName: [...subscription.itemName].slice(0, 100).join(""),
          quantity: 1,
          createdAt: at,
          version: 0
        })
      })
    )
  ).pipe(
    // A twin asked for the same registration first; begin again with what it wrote.
    Effect.retry({ while: (error) => error._tag === "AlreadyExists", times: 1 }),
    Effect.catchTag("AlreadyExists", Effect.die)
  )
  return prepared === null ? null : yield* openTransaction(prepared, Effect.succeed(null))
})

/** The subscription has a billing key, or has ended: there is none to register. */
export class BillingKeyNotWanted extends Schema.TaggedError<BillingKeyNotWanted>(
  "@pillivery/application/Subscriptions/BillingKeyNotWanted"
)("BillingKeyNotWanted", { subscriptionId: Schema.String, state: Schema.String }) {
  override get message() {
    return `subscription ${this.subscriptionId} is ${this.state} and waits for no billing key`
  }
}

/**
 * The owner registers a key now. The provider's pages are open for minutes only, so each visit asks for a new one; it
 * takes the place of those before.
 */
export const requestBillingKey = Effect.fn("requestBillingKey")(function* (request: {
  readonly subscriptionId: SubscriptionId
  readonly userId: UserId
  readonly bind?: BindRequest
}) {
  const { subscriptionId } = request
  const subscriptions = yield* SubscriptionRepository
  const found = yield* subscriptions.findById(subscriptionId)
  if (Option.isNone(found) || found.value.userId !== request.userId) {
    return yield* new SubscriptionNotFound({ subscriptionId })
  }
  const waiting = yield* registerBillingKey(subscriptionId, request.bind)
  return waiting ?? (yield* new BillingKeyNotWanted({ subscriptionId, state: found.value._tag }))
})

/** The owner registers a key, for a request that may be repeated. */
export const requestBillingKeyOnce = Effect.fn("requestBillingKeyOnce")(
  (asked: Asked, command: Parameters<typeof requestBillingKey>[0]) =>
    once(asked, { make: (bind) => requestBillingKey({ ...command, bind }), show: showOpened })
)
