/**
 * Calls endpoints of other systems, signed as Standard Webhooks says.
 *
 * Administrators say where to, so that an address is never trusted: it must be `https`, and no connection is opened into a
 * private network, whatever its name resolves to. Redirects are not followed, and of an answer only its status is looked at.
 *
 * @since 0.1.0
 */
import { WebhookFailed, WebhookSender, WebhookUrlRefused } from "@pillivery/application/ports/WebhookSender"
import { Clock, Effect, Layer, Redacted } from "effect"
import { randomBytes } from "node:crypto"
import { type ClientRequest, request as requestHttp } from "node:http"
import { request as requestHttps } from "node:https"
import { BlockList, isIP } from "node:net"
import { RequestFilteringHttpAgent, RequestFilteringHttpsAgent } from "request-filtering-agent"
import { Webhook } from "standardwebhooks"

/** How long an endpoint may take to answer, in milliseconds. */
export const answerMillisMax = 10_000
/** The most connections to one endpoint at once. */
export const connectionsMax = 10
/** The random bytes of a secret. */
export const secretBytes = 32

/** What is allowed beyond addresses of the internet. */
export interface Options {
  /** Whether endpoints on this machine may be called, without TLS too: for client developers and tests. */
  readonly isLoopbackAllowed: boolean
  readonly answerMillisMax?: number
}

const loopback = new BlockList()
loopback.addSubnet("127.0.0.0", 8, "ipv4")
loopback.addAddress("::1", "ipv6")

const goneStatus = 410

const isLoopback = (hostname: string): boolean => {
  const host = hostname.replaceAll(/[[\]]/g, "")
  const family = isIP(host)
  return host === "localhost" || (family !== 0 && loopback.check(host, family === 6 ? "ipv6" : "ipv4"))
}

const refusalOf = (text: string, { isLoopbackAllowed }: Options): string | null => {
  const url = URL.parse(text)
  if (url === null) return "it is not an address"
  if (url.username !== "" || url.password !== "") return "an address with a name or password is not taken"
  if (isLoopbackAllowed && isLoopback(url.hostname) && url.protocol === "http:") return null
  if (url.protocol !== "https:") return "an address begins with https://"
  return !isLoopbackAllowed && isLoopback(url.hostname) ? "an address does not lead to this machine" : null
}

const failed = (detail: string, isRetryable = true) => new WebhookFailed({ detail, isRetryable })

/** Calls endpoints on the internet, and on this machine if that is allowed. */
export const layer = (options: Options) =>
  Layer.effect(
    WebhookSender,
    Effect.gen(function* () {
      const allowIPAddressList = options.isLoopbackAllowed ? ["127.0.0.0/8", "::1"] : []
      const settings = { allowIPAddressList, keepAlive: true, maxSockets: connectionsMax }
      const agents = yield* Effect.acquireRelease(
        Effect.sync(() => ({
          http: new RequestFilteringHttpAgent(settings),
          https: new RequestFilteringHttpsAgent(settings)
        })),
        ({ http, https }) =>
          Effect.sync(() => {
            http.destroy()
            https.destroy()
          })
      )

      /** The status of the answer; what else it says is dropped unread. */
      const post = (url: URL, headers: Readonly<Record<string, string>>, body: string) =>
        Effect.callback<number, WebhookFailed>((resume) => {
          const isTls = url.protocol === "https:"
          const request: ClientRequest = (isTls ? requestHttps : requestHttp)(url, {
            method: "POST",
            headers,
            agent: isTls ? agents.https : agents.http
          })
          request.on("error", (error) => resume(Effect.fail(failed(`it could not be called: ${error.message}`))))
          request.on("response", (response) => {
            resume(Effect.succeed(response.statusCode ?? 0))
            response.destroy()
          })
          request.end(body)
          return Effect.sync(() => request.destroy())
        })

      return WebhookSender.of({
        check: (url) => {
          const detail = refusalOf(url, options)
          return detail === null ? Effect.void : Effect.fail(new WebhookUrlRefused({ detail }))
        },

        newSecret: Effect.sync(() => Redacted.make(`whsec_${randomBytes(secretBytes).toString("base64")}`)),

        send: Effect.fn("WebhookSender.send")(function* ({ body, id, secrets, url }) {
          const refusal = refusalOf(url, options)
          if (refusal !== null) return yield* failed(refusal, false)
          const at = new Date(yield* Clock.currentTimeMillis)
          const status = yield* post(
            new URL(url),
            {
              "content-type": "application/json",
              "content-length": String(Buffer.byteLength(body)),
              "user-agent": "Pillivery",
              "webhook-id": id,
              "webhook-timestamp": String(Math.floor(at.getTime() / 1_000)),
              "webhook-signature": secrets
                .map((secret) => new Webhook(Redacted.value(secret)).sign(id, at, body))
                .join(" ")
            },
            body
          ).pipe(
            Effect.timeoutOrElse({
              duration: options.answerMillisMax ?? answerMillisMax,
              orElse: () => Effect.fail(failed("it did not answer in time"))
            })
          )
          if (status < 200 || status > 299) {
            return yield* failed(`it answered with status ${status}`, status !== goneStatus)
          }
        })
      })
    })
  )
