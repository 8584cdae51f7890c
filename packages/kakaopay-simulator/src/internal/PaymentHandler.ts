/**
 * The seven calls over Node's own HTTP: reads the body, asks the engine, and carries out its delivery.
 *
 * Written against `node:http`, because a framework's request costs more than the engine's whole answer, and a load test
 * should measure its client and not this server.
 *
 * @since 0.1.0
 */
import type { IncomingMessage, ServerResponse } from "node:http"
import type * as Delivery from "../Delivery.ts"
import { type Endpoint, endpoints, paths } from "../Requests.ts"
import type { Simulator } from "../Simulator.ts"

/** Answers one request, or leaves it unanswered on purpose. */
export type PaymentHandler = (endpoint: Endpoint, request: IncomingMessage, response: ServerResponse) => void

const endpointsByPath = new Map<string, Endpoint>(endpoints.map((endpoint) => [paths[endpoint], endpoint]))

/** The call a URL names, whatever its method and query. */
export const endpointOf = (url: string | undefined): Endpoint | undefined => {
  if (url === undefined) return undefined
  const queryAt = url.indexOf("?")
  return endpointsByPath.get(queryAt === -1 ? url : url.slice(0, queryAt))
}

const jsonType = "application/json;charset=UTF-8"
const payloadTooLarge = '{"error_code":-2,"error_message":"invalid parameter: the body is too large"}'
const methodNotAllowed = '{"error_code":-2,"error_message":"method not allowed"}'

const send = (response: ServerResponse, status: number, contentType: string, body: string): void => {
  response.writeHead(status, { "content-type": contentType, "content-length": Buffer.byteLength(body) })
  response.end(body)
}

/** Runs after some real time, also under a test clock, since a client's own timeout is real; or when the client has gone. */
const later = (response: ServerResponse, millis: number, run: (isClientThere: boolean) => void): void => {
  const gone = (): void => {
    clearTimeout(timer)
    run(false)
  }
  const timer = setTimeout(() => {
    response.off("close", gone)
    run(true)
  }, millis)
  response.once("close", gone)
}

/** Cuts the connection with a TCP reset. */
const reset = (request: IncomingMessage): void => {
  request.socket.resetAndDestroy()
}

const carryOut = (
  delivery: Delivery.Delivery,
  request: IncomingMessage,
  response: ServerResponse,
  unansweredMillisMax: number
): void => {
  switch (delivery.kind) {
    case "reset":
      return reset(request)
    case "hang":
      return later(response, unansweredMillisMax, (isClientThere) => {
        if (isClientThere) reset(request)
      })
    case "answer": {
      const { body, contentType, delayMillis, finished, status } = delivery
      if (delayMillis === 0) {
        finished(true)
        return send(response, status, contentType, body)
      }
      return later(response, delayMillis, (isClientThere) => {
        finished(isClientThere)
        if (isClientThere) send(response, status, contentType, body)
      })
    }
  }
}

/** Reads the body as text; undefined when it is longer than the bound. Never calls back for a client that went away. */
const read = (request: IncomingMessage, bytesMax: number, done: (body: string | undefined) => void): void => {
  if (Number(request.headers["content-length"] ?? 0) > bytesMax) return done(undefined)
  const chunks: Array<Buffer> = []
  let bytes = 0
  request.on("data", (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes <= bytesMax) chunks.push(chunk)
  })
  request.on("end", () => {
    const [only] = chunks
    done(bytes > bytesMax ? undefined : (chunks.length === 1 ? only : Buffer.concat(chunks))?.toString("utf8"))
  })
}

/** Makes the handler of a simulator. */
export const make = (simulator: Simulator["Service"]): PaymentHandler => {
  const { engine, limits } = simulator
  return (endpoint, request, response) => {
    if (request.method !== "POST") {
      response.setHeader("allow", "POST")
      return send(response, 405, jsonType, methodNotAllowed)
    }
    read(request, limits.bodyBytesMax, (body) => {
      if (body === undefined) return send(response, 413, jsonType, payloadTooLarge)
      const delivery = engine.receive({
        endpoint,
        authorization: request.headers.authorization,
        contentType: request.headers["content-type"],
        body,
        host: request.headers.host
      })
      carryOut(delivery, request, response, limits.unansweredMillisMax)
    })
  }
}
