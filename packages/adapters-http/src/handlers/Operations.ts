/**
 * Handlers of health, metrics and the sandbox.
 *
 * @since 0.1.0
 */
import { Duration, Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import * as PrometheusMetrics from "effect/observability/PrometheusMetrics"
import { answer, toProblem } from "../Answer.ts"
import { Api } from "../api/Api.ts"
import { Readiness, Sandbox } from "../Operations.ts"

const hoursPerDay = 24
const minutesPerHour = 60

const disabled = { _tag: "SandboxDisabledRequest", message: "the sandbox is off" } as const
const notReady = { _tag: "NotReadyRequest", message: "the server is not ready" } as const

/** Health and metrics. */
export const layerOperations = HttpApiBuilder.group(
  Api,
  "ops",
  Effect.fnUntraced(function* (handlers) {
    const readiness = yield* Readiness
    return handlers.handleAll({
      live: () => Effect.succeed({ status: "live" as const }),
      ready: Effect.fnUntraced(function* () {
        const { checks, isReady } = yield* readiness.check
        return isReady ? { status: "ready" as const, checks } : yield* Effect.flip(toProblem(notReady))
      }),
      metrics: () => PrometheusMetrics.format()
    })
  })
)

/** The sandbox. */
export const layerSandbox = HttpApiBuilder.group(
  Api,
  "sandbox",
  Effect.fnUntraced(function* (handlers) {
    const { controls } = yield* Sandbox
    const enabled = controls === null ? Effect.fail(disabled) : Effect.succeed(controls)
    return handlers.handleAll({
      advanceClock: ({ payload: { days = 0, hours = 0, minutes = 0 } }) =>
        Effect.flatMap(enabled, ({ advanceClock }) =>
          advanceClock(Duration.minutes(minutes + minutesPerHour * (hours + hoursPerDay * days)))
        ).pipe(
          Effect.map((now) => ({ now })),
          answer
        ),
      runBilling: () => Effect.flatMap(enabled, ({ runBilling }) => runBilling).pipe(answer),
      drain: () => Effect.flatMap(enabled, ({ drain }) => drain).pipe(answer)
    })
  })
)
