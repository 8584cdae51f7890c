/**
 * The simulator on a port of its own.
 *
 * @since 0.1.0
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServer from "effect/http/HttpServer"
import type * as HttpServerError from "effect/http/HttpServerError"
import * as Layer from "effect/Layer"
import { createServer } from "node:http"
import * as Simulator from "./Simulator.ts"
import * as SimulatorRoutes from "./SimulatorRoutes.ts"

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

const serverRoutes = (publicOrigin: string | undefined) =>
  Layer.effect(
    SimulatorServer,
    Effect.gen(function* () {
      const simulator = yield* Simulator.Simulator
      const url = HttpServer.formatAddress((yield* HttpServer.HttpServer).address)
      yield* simulator.setPublicOrigin(publicOrigin ?? url)
      return SimulatorServer.of({ url })
    })
  ).pipe(Layer.merge(HttpRouter.serve(SimulatorRoutes.layer, { disableLogger: true, disableListenLog: true })))

/** Listens until its scope closes, then cuts every connection, hanging ones included. */
export const layer = (
  options: Options = {}
): Layer.Layer<SimulatorServer | Simulator.Simulator, HttpServerError.ServeError> => {
  const server = createServer()
  const http = NodeHttpServer.layer(() => server, {
    port: options.port ?? 0,
    host: options.host ?? "127.0.0.1",
    disablePreemptiveShutdown: true
  })
  // Built after the listener and released before it, so that no connection can hold the listener's own shutdown back.
  const closeConnections = Layer.effectDiscard(
    Effect.addFinalizer(() => Effect.sync(() => server.closeAllConnections()))
  )
  return serverRoutes(options.publicOrigin).pipe(
    Layer.merge(closeConnections),
    Layer.provide(http),
    Layer.provideMerge(Simulator.layer(options))
  )
}
