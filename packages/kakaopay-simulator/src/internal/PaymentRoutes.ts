/**
 * The seven calls on a router. `SimulatorServer` calls the handler without one.
 *
 * @since 0.1.0
 */
import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import type { IncomingMessage, ServerResponse } from "node:http"
import { endpoints, paths } from "../Requests.ts"
import { Simulator } from "../Simulator.ts"
import * as PaymentHandler from "./PaymentHandler.ts"

/** Adds the seven calls to the router; other methods on them answer 405. */
export const layer: Layer.Layer<never, never, HttpRouter.HttpRouter | Simulator> = Layer.effectDiscard(
  Effect.gen(function* () {
    const handle = PaymentHandler.make(yield* Simulator)
    const router = yield* HttpRouter.HttpRouter
    for (const endpoint of endpoints) {
      yield* router.add("*", paths[endpoint], (request) =>
        // The handler writes the answer itself, so the one given here is never sent.
        Effect.callback<HttpServerResponse.HttpServerResponse>((resume) => {
          const response = NodeHttpServerRequest.toServerResponse(request) as ServerResponse
          response.once("close", () => resume(Effect.succeed(HttpServerResponse.empty())))
          handle(endpoint, NodeHttpServerRequest.toIncomingMessage(request) as IncomingMessage, response)
        })
      )
    }
  })
)
