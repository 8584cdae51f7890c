/**
 * Handlers of the internal API.
 *
 * @since 0.1.0
 */
import * as ChargeDirectly from "@pillivery/application/Billing/ChargeDirectly"
import { ChargeGate, type CycleOutcome } from "@pillivery/application/Billing/ChargeGate"
import { chargeOnRequest } from "@pillivery/application/Billing/ChargeOnRequest"
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { answer } from "../Answer.ts"
import { idempotencyKeyHeader } from "../api/IdempotencyKey.ts"
import { InternalApi } from "../api/Internal.ts"
import { captured } from "../internal/Captured.ts"

const principal = "billing"
const endpoint = "internal/billing/charges"

const overtaken = () =>
  Effect.succeed<CycleOutcome>({ _tag: "Postponed", reason: "another writer was first", isOurs: false })

/** What the billing CLI asks. */
export const layer = HttpApiBuilder.group(
  InternalApi,
  "billing",
  Effect.fnUntraced(function* (handlers) {
    const gate = yield* ChargeGate
    const provide = yield* captured<Effect.Services<ReturnType<typeof chargeOnRequest>>>()
    return handlers.handleAll({
      charge: ({ headers, payload }) =>
        chargeOnRequest({ ...payload, request: { principal, endpoint, key: headers[idempotencyKeyHeader] } }).pipe(
          Effect.map(ChargeDirectly.outcomeOf),
          Effect.catchTags({
            StaleWrite: overtaken,
            AlreadyExists: overtaken,
            BooksContradict: Effect.die // a bug of ours: told of as one
          }),
          provide,
          answer
        ),
      reconcile: () => answer(gate.settle)
    })
  })
)
