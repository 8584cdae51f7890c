/**
 * The HTTP server: it begins to listen when everything else stands, and stops before anything else falls.
 *
 * @since 0.1.0
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as HttpShop from "@pillivery/adapters-http/HttpShop"
import { ServiceAccessSettings } from "@pillivery/adapters-http/ServiceAccess"
import { Context, Effect, Layer, MutableRef, Schema } from "effect"
import { HttpRouter, HttpServer, HttpServerError } from "effect/http"
import { createServer } from "node:http"
import { Accepting } from "./Operations.ts"
import { PublicUrl } from "./PublicUrl.ts"
import type { Settings } from "./Settings.ts"

/** How long requests in flight may take once the server stops, in milliseconds. */
export const shutdownMillisMax = 20_000
/** How long a client may take to send its headers, in milliseconds. */
export const headersMillisMax = 10_000
/** How long a client may take to send a whole request, in milliseconds; a catalogue is read no faster than it is written. */
export const requestMillisMax = 300_000

/** The port is in use, or may not be listened on. */
export class PortUnavailable extends Schema.TaggedError<PortUnavailable>("@pillivery/api-server/PortUnavailable")(
  "PortUnavailable",
  { port: Schema.Int, reason: Schema.String }
) {
  override get message() {
    return this.reason === "EADDRINUSE"
      ? `port ${this.port} is taken: set PORT to another one`
      : `port ${this.port} cannot be listened on (${this.reason})`
  }
}

/** Where the server listens. */
export class Listening extends Context.Service<Listening, { readonly url: string }>()(
  "@pillivery/api-server/Listening"
) {}

const codeOf = (error: HttpServerError.ServeError): string => {
  const { cause } = error
  return typeof cause === "object" && cause !== null && "code" in cause ? String(cause.code) : "unknown"
}

const routes = ({ internal, trustedProxies }: Settings) =>
  internal === null
    ? HttpShop.layer
    : Layer.merge(
        HttpShop.layer,
        HttpShop.layerInternal.pipe(
          Layer.provide(Layer.succeed(ServiceAccessSettings, { ...internal, trustedProxies }))
        )
      )

/** Serves the shop until the scope closes. */
export const layer = (settings: Settings) =>
  Layer.effect(
    Listening,
    Effect.gen(function* () {
      const accepting = yield* Accepting
      const publicUrl = yield* PublicUrl
      const app = yield* HttpRouter.toHttpEffect(routes(settings))
      const server = yield* NodeHttpServer.make(
        () => createServer({ headersTimeout: headersMillisMax, requestTimeout: requestMillisMax }),
        { port: settings.port, host: settings.host, gracefulShutdownTimeout: shutdownMillisMax }
      ).pipe(Effect.mapError((error) => new PortUnavailable({ port: settings.port, reason: codeOf(error) })))
      const url = HttpServer.formatAddress(server.address)
      publicUrl.listensAt(url)
      yield* server.serve(app)
      // Released first: whoever asks is told before the port closes.
      yield* Effect.acquireRelease(
        Effect.sync(() => MutableRef.set(accepting, true)),
        () =>
          Effect.andThen(
            Effect.sync(() => MutableRef.set(accepting, false)),
            Effect.sleep(settings.drainMillis)
          )
      )
      return Listening.of({ url })
    })
  ).pipe(Layer.provide(NodeHttpServer.layerHttpServices))
