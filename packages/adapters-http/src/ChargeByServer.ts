/**
 * The gate that asks the server to charge: the server claims, sends and records, and this side only lists.
 *
 * Every request is named after the cycle and the date, so that asking again, because an answer was lost or the server
 * died, finds the charge of the first time. A server that fails is asked again a few times and then left alone for a
 * while; what it could not be asked for stays owed.
 *
 * @since 0.1.0
 */
import { ChargeGate, type Charging, type CycleOutcome } from "@pillivery/application/Billing/ChargeGate"
import type { CheckedKeys } from "@pillivery/application/Payments/CheckKeys"
import type { Reconciled } from "@pillivery/application/Payments/Reconcile"
import type { CycleKey } from "@pillivery/application/ports/BillingLedger"
import type { StorageError } from "@pillivery/application/ports/StorageError"
import * as CircuitBreaker from "@pillivery/application/resilience/CircuitBreaker"
import * as RetryPolicy from "@pillivery/application/resilience/RetryPolicy"
import { Effect, Exit, Layer, type Redacted, Schema, Stream } from "effect"
import { HttpClient, HttpClientError, HttpClientRequest } from "effect/http"
import { HttpApiClient, HttpApiMiddleware } from "effect/http-api"
import { idempotencyKeyHeader } from "./api/IdempotencyKey.ts"
import { InternalApi, ServiceAccess } from "./api/Internal.ts"

/** Charges asked for at once. */
export const chargesAtOnce = 75
/** How long one answer is waited for, in milliseconds: longer than the slowest charge of a server, its waits included. */
export const answerMillisMax = 330_000

/** Where the server is, and what it knows us by. */
export interface Options {
  readonly baseUrl: string | URL
  readonly token: Redacted.Redacted
  /** How often a server that fails is asked, and how far apart. */
  readonly retry?: RetryPolicy.Timing
}

/** The server did not do what was asked. `isOurs`: it refused us, and asking again is of no use. */
class NotAnswered extends Schema.TaggedError<NotAnswered>("@pillivery/adapters-http/NotAnswered")("NotAnswered", {
  detail: Schema.String,
  isOurs: Schema.Boolean
}) {
  override get message() {
    return this.detail
  }
}

const statusMin = 400
const statusServer = 500

// A refusal of ours or a proxy's; what is wrong with the request or with us stays wrong when it is sent again.
const toNotAnswered = (error: unknown): NotAnswered => {
  const status = statusOf(error)
  const isOurs = status !== null && status >= statusMin && status < statusServer && status !== 409 && status !== 429
  const detail = error instanceof Error ? error.message : String(error)
  return new NotAnswered({ detail: status === null ? detail : `${status}: ${detail}`, isOurs })
}

const statusOf = (error: unknown): number | null => {
  if (HttpClientError.isHttpClientError(error)) return error.response?.status ?? null
  return typeof error === "object" && error !== null && "status" in error && typeof error.status === "number"
    ? error.status
    : null
}

const nothingReconciled: Reconciled = { lost: 0, asked: 0, resolved: 0, abandoned: 0, refunded: 0 }
const nothingChecked: CheckedKeys = { checked: 0, frozen: 0, revoked: 0 }

// What the server's own protocol fails with is recorded there: here only its silence and its failures count.
const health = (exit: Exit.Exit<unknown, NotAnswered>) => {
  if (Exit.isSuccess(exit)) return "success" as const
  const failure = exit.cause.reasons.find((reason) => reason._tag === "Fail")
  return failure?.error.isOurs === true ? ("ignored" as const) : ("failure" as const)
}

/** Charges through a server. */
export const layer = ({
  baseUrl,
  retry = RetryPolicy.billingTiming,
  token
}: Options): Layer.Layer<ChargeGate, never, HttpClient.HttpClient> =>
  Layer.effect(
    ChargeGate,
    Effect.gen(function* () {
      const client = yield* HttpApiClient.make(InternalApi, { baseUrl }).pipe(
        Effect.provide(
          HttpApiMiddleware.layerClient(ServiceAccess, ({ next, request }) =>
            next(HttpClientRequest.bearerToken(request, token))
          )
        )
      )
      const breaker = yield* CircuitBreaker.make({ name: "billing server" })
      const policy = RetryPolicy.make<NotAnswered | CircuitBreaker.CircuitOpen>({
        name: "billing server",
        timing: retry,
        isRetryable: (error) => error._tag === "NotAnswered" && !error.isOurs
      })

      const asked = <A, E>(request: Effect.Effect<A, E>) =>
        request.pipe(Effect.timeout(answerMillisMax), Effect.mapError(toNotAnswered), breaker.withBreaker(health))

      // A charge ahead of a date is not the one of that date, which comes after it when it was declined.
      const nameOf = ({ number, subscriptionId }: CycleKey, { date, isAheadAllowed }: Charging): string =>
        `${subscriptionId}/${number}/${date}${isAheadAllowed ? "/ahead" : ""}`

      const charge = (cycle: CycleKey, charging: Charging): Effect.Effect<CycleOutcome> =>
        asked(
          client.billing.charge({
            headers: { [idempotencyKeyHeader]: nameOf(cycle, charging) },
            payload: {
              subscriptionId: cycle.subscriptionId,
              number: cycle.number,
              date: charging.date,
              ...(charging.isAheadAllowed ? { isAheadAllowed: true } : {})
            }
          })
        ).pipe(
          RetryPolicy.withRetry(policy),
          Effect.catchTags({
            NotAnswered: ({ detail, isOurs }) =>
              Effect.as(Effect.logWarning("The server did not charge a cycle", detail), {
                _tag: "Postponed" as const,
                reason: detail,
                isOurs
              }),
            CircuitOpen: () =>
              Effect.succeed({ _tag: "Postponed" as const, reason: "the server is left alone", isOurs: false })
          })
        )

      return ChargeGate.of({
        // Once: the server does it by itself every half minute.
        settle: asked(client.billing.reconcile()).pipe(
          Effect.catch((error) =>
            Effect.as(Effect.logWarning("The server did not reconcile", error.message), nothingReconciled)
          )
        ),
        charge: (cycles, charging): Effect.Effect<void, StorageError> =>
          cycles.pipe(
            Stream.mapEffect(
              Effect.fnUntraced(function* (key) {
                if (!(yield* charging.isOver)) yield* charging.note(yield* charge(key, charging))
              }),
              { concurrency: chargesAtOnce, unordered: true }
            ),
            Stream.runDrain
          ),
        // The server compares them itself, every day.
        checkKeys: () => Effect.succeed(nothingChecked)
      })
    })
  )
