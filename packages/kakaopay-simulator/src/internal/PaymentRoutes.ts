/**
 * The seven calls over HTTP: reads the body, asks the engine, and carries out its delivery.
 *
 * @since 0.1.0
 */
import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import * as ByteSize from "effect/ByteSize"
import * as Effect from "effect/Effect"
import * as HttpIncomingMessage from "effect/http/HttpIncomingMessage"
import * as HttpRouter from "effect/http/HttpRouter"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Delivery from "../Delivery.ts"
import { type Endpoint, endpoints, paths } from "../Requests.ts"
import { Simulator } from "../Simulator.ts"

/** Waits in real time, also under a test clock: a client's own timeout is real. */
const sleepMillis = (millis: number): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    const timer = setTimeout(() => resume(Effect.void), millis)
    return Effect.sync(() => clearTimeout(timer))
  })

/** Cuts the connection with a TCP reset. */
const reset = (request: HttpServerRequest.HttpServerRequest): Effect.Effect<never> =>
  Effect.andThen(
    Effect.sync(() => {
      NodeHttpServerRequest.toIncomingMessage(request).socket.resetAndDestroy()
    }),
    Effect.never
  )

const carryOut = (
  delivery: Delivery.Delivery,
  request: HttpServerRequest.HttpServerRequest,
  unansweredMillisMax: number
): Effect.Effect<HttpServerResponse.HttpServerResponse> => {
  switch (delivery.kind) {
    case "reset":
      return reset(request)
    case "hang":
      return Effect.andThen(sleepMillis(unansweredMillisMax), reset(request))
    case "answer": {
      const response = HttpServerResponse.text(delivery.body, {
        status: delivery.status,
        contentType: delivery.contentType
      })
      if (delivery.delayMillis === 0) {
        delivery.finished(true)
        return Effect.succeed(response)
      }
      return sleepMillis(delivery.delayMillis).pipe(
        Effect.onExit((exit) => Effect.sync(() => delivery.finished(exit._tag === "Success"))),
        Effect.as(response)
      )
    }
  }
}

/** The origin a client used, for a simulator that was not told its own. */
const originOf = (request: HttpServerRequest.HttpServerRequest): string =>
  `http://${request.headers["host"] ?? "localhost"}`

const isTooLarge = (request: HttpServerRequest.HttpServerRequest, bytesMax: number): boolean =>
  Number(request.headers["content-length"] ?? 0) > bytesMax

const payloadTooLarge = HttpServerResponse.jsonUnsafe(
  { error_code: -2, error_message: "invalid parameter: the body is too large" },
  { status: 413 }
)
const methodNotAllowed = HttpServerResponse.jsonUnsafe(
  { error_code: -2, error_message: "method not allowed" },
  { status: 405, headers: { allow: "POST" } }
)

/** Adds the seven calls to the router; other methods on them answer 405. */
export const layer: Layer.Layer<never, never, HttpRouter.HttpRouter | Simulator> = Layer.effectDiscard(
  Effect.gen(function* () {
    const simulator = yield* Simulator
    const router = yield* HttpRouter.HttpRouter
    const { bodyBytesMax, unansweredMillisMax } = simulator.limits
    const handle = (endpoint: Endpoint) => (request: HttpServerRequest.HttpServerRequest) => {
      if (isTooLarge(request, bodyBytesMax)) return Effect.succeed(payloadTooLarge)
      return Effect.flatMap(simulator.publicOrigin, (origin) =>
        request.text.pipe(
          Effect.provideService(HttpIncomingMessage.MaxBodySize, ByteSize.bytes(bodyBytesMax)),
          Effect.matchEffect({
            onFailure: () => Effect.succeed(payloadTooLarge),
            onSuccess: (body) =>
              carryOut(
                simulator.engine.receive({
                  endpoint,
                  authorization: request.headers["authorization"],
                  contentType: request.headers["content-type"],
                  body,
                  origin: Option.getOrElse(origin, () => originOf(request))
                }),
                request,
                unansweredMillisMax
              )
          })
        )
      )
    }
    for (const endpoint of endpoints) {
      yield* router.add("POST", paths[endpoint], handle(endpoint))
      for (const method of ["GET", "PUT", "PATCH", "DELETE"] as const) {
        yield* router.add(method, paths[endpoint], methodNotAllowed)
      }
    }
  })
)
