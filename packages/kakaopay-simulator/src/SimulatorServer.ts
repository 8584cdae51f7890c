/**
 * The simulator on a port of its own.
 *
 * @since 0.1.0
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerError from "effect/http/HttpServerError"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { createServer, type RequestListener, type Server } from "node:http"
import { isIPv6 } from "node:net"
import * as ControlRoutes from "./internal/ControlRoutes.ts"
import * as CustomerRoutes from "./internal/CustomerRoutes.ts"
import * as PaymentHandler from "./internal/PaymentHandler.ts"
import * as Simulator from "./Simulator.ts"

/** Where the simulator listens. */
export class SimulatorServer extends Context.Service<
  SimulatorServer,
  {
    /** Base URL of the API, without a slash at the end. */
    readonly url: string
  }
>()("kakaopay-simulator/SimulatorServer") {}

/** A port, and everything `Simulator` takes. */
export interface Options extends Simulator.Options {
  /** 0, the default, picks a free one. */
  readonly port?: number
  /** Loopback unless told otherwise: the control API has no authentication. */
  readonly host?: string
}

/** The seven calls go straight to their handler, everything else to the router. */
const requestListener: Effect.Effect<RequestListener, never, Simulator.Simulator | Scope.Scope> = Effect.gen(
  function* () {
    const pay = PaymentHandler.make(yield* Simulator.Simulator)
    const routes = yield* HttpRouter.toHttpEffect(Layer.mergeAll(CustomerRoutes.layer, ControlRoutes.layer))
    const route = yield* NodeHttpServer.makeHandler(routes, { scope: yield* Effect.scope })
    return (request, response) => {
      const endpoint = PaymentHandler.endpointOf(request.url)
      if (endpoint === undefined) route(request, response)
      else pay(endpoint, request, response)
    }
  }
)

const listen = (server: Server, options: Options): Effect.Effect<string, HttpServerError.ServeError> =>
  Effect.callback((resume) => {
    const failed = (cause: Error): void => resume(Effect.fail(new HttpServerError.ServeError({ cause })))
    server.once("error", failed)
    server.listen(options.port ?? 0, options.host ?? "127.0.0.1", () => {
      server.off("error", failed)
      const bound = server.address()
      if (bound === null || typeof bound === "string") return resume(Effect.die(new Error("the server has no port")))
      const host = isIPv6(bound.address) ? `[${bound.address}]` : bound.address
      resume(Effect.succeed(`http://${host}:${bound.port}`))
    })
  })

/** Stops listening and cuts every connection, hanging ones included. */
const close = (server: Server): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    server.close(() => resume(Effect.void))
    server.closeAllConnections()
  })

/** Listens until its scope closes. */
export const layer = (
  options: Options = {}
): Layer.Layer<SimulatorServer | Simulator.Simulator, HttpServerError.ServeError> =>
  Layer.effect(
    SimulatorServer,
    Effect.gen(function* () {
      const simulator = yield* Simulator.Simulator
      const listener = yield* requestListener
      const server = yield* Effect.acquireRelease(
        Effect.sync(() => createServer(listener)),
        close
      )
      const url = yield* listen(server, options)
      yield* simulator.setPublicOrigin(options.publicOrigin ?? url)
      return SimulatorServer.of({ url })
    })
  ).pipe(Layer.provideMerge(Simulator.layer(options)))
