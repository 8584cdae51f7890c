/**
 * The outermost layer of the HTTP side: everything that holds for every request.
 *
 * A request gets its name, a bound on its body and security headers on its answer. Whatever no handler answered, an unknown
 * address, a method that an address does not take, a body that is too large or of the wrong kind, a bug, becomes a
 * problem here, so that no empty refusal and no stack trace ever leaves.
 *
 * @since 0.1.0
 */
import { ByteSize, Cause, Context, Effect, Layer, Metric, References, type Types } from "effect"
import {
  Headers,
  HttpIncomingMessage,
  HttpMiddleware,
  HttpRouter,
  HttpServerError,
  HttpServerRequest,
  HttpServerResponse
} from "effect/http"
import { HttpApi } from "effect/http-api"
import type * as RateLimiter from "effect/persistence/RateLimiter"
import { randomUUID } from "node:crypto"
import { retryAfterSecondsDefault, toResponse } from "./Answer.ts"
import { importPath } from "./api/Admin.ts"
import { Api } from "./api/Api.ts"
import { InternalApi } from "./api/Internal.ts"
import type { Tag } from "./api/ErrorCatalogue.ts"
import { RefusesHead } from "./api/Payments.ts"
import * as Problems from "./api/Problems.ts"
import { clientAddress, TrustedProxies } from "./ClientAddress.ts"
import * as RateLimits from "./RateLimits.ts"
import { header as requestIdHeader, isAcceptable, RequestId } from "./RequestId.ts"

/** Where the contract is served. */
export const openapiPath = "/openapi.json"
/** Where people read it. */
export const docsPath = "/docs"
/** The largest body that is read, in bytes. */
export const bodyBytesMax = 262_144
/** The largest catalogue that is read in, in bytes. */
export const importBytesMax = 268_435_456
/** How long a request may take, in milliseconds; reading a catalogue in is bounded by its size. */
export const requestMillisMax = 60_000

const securityHeaders = Headers.fromInput({
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "cache-control": "no-store",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY"
})

// The documentation is one page with its script and its style inside, and calls this server only.
const docsHeaders = Headers.fromInput({
  ...securityHeaders,
  "content-security-policy":
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; img-src 'self' data:; " +
    "font-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
})

/** The addresses of the contract, to tell a wrong method from a wrong address. */
interface Address {
  readonly pattern: RegExp
  readonly methods: ReadonlySet<string>
}

const patternOf = (path: string): RegExp =>
  new RegExp(`^${path.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&").replaceAll(/:[A-Za-z]+/g, "[^/]+")}/?$`)

const addresses: ReadonlyArray<Address> = (() => {
  const methodsByPath = new Map<string, Set<string>>([
    [openapiPath, new Set(["GET", "HEAD"])],
    [docsPath, new Set(["GET", "HEAD"])]
  ])
  const visit: Parameters<typeof HttpApi.reflect>[1] = {
    onGroup: () => undefined,
    onEndpoint: ({ endpoint, mergedAnnotations }) => {
      const methods = methodsByPath.get(endpoint.path) ?? new Set()
      methods.add(endpoint.method)
      if (endpoint.method === "GET" && Context.getOrUndefined(mergedAnnotations, RefusesHead) !== true) {
        methods.add("HEAD")
      }
      methodsByPath.set(endpoint.path, methods)
    }
  }
  HttpApi.reflect(Api, visit)
  HttpApi.reflect(InternalApi, visit)
  return [...methodsByPath].map(([path, methods]) => ({ pattern: patternOf(path), methods }))
})()

const pathOf = (url: string): string => {
  const end = url.search(/[?#]/)
  return end === -1 ? url : url.slice(0, end)
}

// The methods of an address; null when there is nothing at it.
const methodsAt = (url: string): ReadonlySet<string> | null => {
  const path = pathOf(url)
  const methods = new Set<string>()
  for (const address of addresses) {
    if (address.pattern.test(path)) for (const method of address.methods) methods.add(method)
  }
  return methods.size === 0 ? null : methods
}

const requests = Metric.counter("http_requests_total", {
  description: "Requests answered, by status",
  incremental: true
})

const requestsByStatus = new Map<number, typeof requests>()

const requestsOf = (status: number): typeof requests => {
  const known = requestsByStatus.get(status)
  if (known !== undefined) return known
  const made = Metric.withAttributes(requests, { status: String(status) })
  requestsByStatus.set(status, made)
  return made
}

const tagOfStatus = (status: number): Tag => {
  switch (status) {
    case 400:
      return "InvalidRequest"
    case 404:
      return "RouteNotFoundRequest"
    case 405:
      return "MethodNotAllowedRequest"
    case 413:
      return "BodyTooLargeRequest"
    case 415:
      return "MediaTypeUnsupportedRequest"
    case 429:
      return "RateLimitedRequest"
    case 503:
      return "NotReadyRequest"
    default:
      return status < 500 ? "InvalidRequest" : "InternalErrorRequest"
  }
}

const isProblem = (response: HttpServerResponse.HttpServerResponse): boolean =>
  response.body._tag !== "Empty" && response.body.contentType?.startsWith(Problems.contentType) === true

// The billing CLI waits for as long as the slowest charge may take.
const isTimed = (request: HttpServerRequest.HttpServerRequest): boolean =>
  request.url.startsWith("/api/") && pathOf(request.url) !== importPath

const inTime = <E, R>(handler: Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>, requestId: string) =>
  Effect.timeoutOrElse(handler, {
    duration: requestMillisMax,
    orElse: () =>
      Effect.succeed(
        toResponse("TookTooLongRequest", requestId, { headers: { "retry-after": String(retryAfterSecondsDefault) } })
      )
  })

// What is watched by our own machines is not counted.
const isLimited = (request: HttpServerRequest.HttpServerRequest): boolean => request.url.startsWith("/api/")

/** What holds for every request. */
export const layer: Layer.Layer<never, never, HttpRouter.HttpRouter | RateLimiter.RateLimiter> = HttpRouter.use(
  Effect.fnUntraced(function* (router) {
    const limits = yield* RateLimits.make
    const trustedProxies = yield* TrustedProxies
    const bodyMax = ByteSize.bytes(bodyBytesMax)
    const importMax = ByteSize.bytes(importBytesMax)

    const refused = (
      request: HttpServerRequest.HttpServerRequest,
      status: number,
      requestId: string
    ): HttpServerResponse.HttpServerResponse => {
      const methods = status === 404 ? methodsAt(request.url) : null
      if (methods !== null && !methods.has(request.method)) {
        return toResponse("MethodNotAllowedRequest", requestId, { headers: { allow: [...methods].sort().join(", ") } })
      }
      // What is left of a body that is too large is not read.
      return toResponse(tagOfStatus(status), requestId, status === 413 ? { headers: { connection: "close" } } : {})
    }

    const finish = (
      request: HttpServerRequest.HttpServerRequest,
      response: HttpServerResponse.HttpServerResponse,
      requestId: string
    ) => {
      const shaped =
        response.status >= 400 && !isProblem(response) ? refused(request, response.status, requestId) : response
      const common = pathOf(request.url) === docsPath ? docsHeaders : securityHeaders
      return HttpServerResponse.setHeaders(shaped, { ...common, [requestIdHeader]: requestId })
    }

    const serve = (handler: Effect.Effect<HttpServerResponse.HttpServerResponse, Types.unhandled>) =>
      Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) => {
        const brought = request.headers[requestIdHeader]
        const requestId = brought !== undefined && isAcceptable(brought) ? brought : randomUUID()
        const answered = (response: HttpServerResponse.HttpServerResponse) => {
          const finished = finish(request, response, requestId)
          return Effect.as(Metric.update(requestsOf(finished.status), 1), finished)
        }
        if (!isLimited(request)) return Effect.flatMap(answerOf(request, handler, requestId), answered)
        return Effect.flatMap(limits.countAddress(clientAddress(request, trustedProxies)), (standing) => {
          if (standing === null) return Effect.flatMap(answerOf(request, handler, requestId), answered)
          const response = standing.isExceeded
            ? Effect.succeed(
                toResponse("RateLimitedRequest", requestId, {
                  headers: { "retry-after": String(standing.retryAfterSeconds) }
                })
              )
            : answerOf(request, handler, requestId)
          return Effect.flatMap(response, (response) => answered(RateLimits.tell(response, standing)))
        })
      })

    const answerOf = (
      request: HttpServerRequest.HttpServerRequest,
      handler: Effect.Effect<HttpServerResponse.HttpServerResponse, Types.unhandled>,
      requestId: string
    ) => {
      // The router would let HEAD reach a GET handler.
      if (request.method === "HEAD") {
        const methods = methodsAt(request.url)
        if (methods !== null && !methods.has("HEAD")) {
          return Effect.succeed(
            toResponse("MethodNotAllowedRequest", requestId, { headers: { allow: [...methods].sort().join(", ") } })
          )
        }
      }
      const isImport = pathOf(request.url) === importPath
      if (Number(request.headers["content-length"] ?? 0) > (isImport ? importBytesMax : bodyBytesMax)) {
        return Effect.succeed(refused(request, 413, requestId))
      }
      return (isTimed(request) ? inTime(handler, requestId) : handler).pipe(
        Effect.catchCause((cause) => {
          if (Cause.hasInterruptsOnly(cause)) return Effect.failCause(cause)
          return Effect.flatMap(HttpServerError.causeResponse(cause), ([response]) =>
            response.status >= 500
              ? Effect.logError("A request failed", cause).pipe(
                  Effect.annotateLogs({ method: request.method, path: pathOf(request.url) }),
                  Effect.as(toResponse("InternalErrorRequest", requestId))
                )
              : Effect.succeed(response)
          )
        }),
        // One merge of contexts instead of four: this is on the way of every request.
        Effect.provideContext(
          Context.make(RequestId, requestId).pipe(
            Context.add(HttpIncomingMessage.MaxBodySize, isImport ? importMax : bodyMax),
            Context.add(References.CurrentLogAnnotations, { requestId }),
            Context.add(References.TracerSpanAnnotations, { requestId })
          )
        )
      )
    }

    yield* router.addGlobalMiddleware(serve)
  })
)

/** Spans are named by method and path, not by the whole address. */
export const layerSpanNames = Layer.succeed(
  HttpMiddleware.SpanNameGenerator,
  (request) => `${request.method} ${pathOf(request.url)}`
)
