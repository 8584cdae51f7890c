/**
 * Calls endpoints of other systems, signed as Standard Webhooks says.
 *
 * Administrators say where to, so that an address is never trusted: it must be `https`, and no connection is opened into a
 * private network, whatever its name resolves to. Redirects are not followed, and of an answer only its status is looked at.
 *
 * @since 0.1.0
 */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { WebhookFailed, WebhookSender, WebhookUrlRefused } from "@pillivery/application/ports/WebhookSender"
import { Clock, Effect, Layer, Redacted } from "effect"
import { HttpClient, HttpClientRequest } from "effect/http"
import { randomBytes } from "node:crypto"
import { BlockList, isIP } from "node:net"
import { RequestFilteringHttpAgent, RequestFilteringHttpsAgent } from "request-filtering-agent"
import { Webhook } from "standardwebhooks"

/** How long an endpoint may take to answer, in milliseconds. */
export const answerMillisMax = 10_000
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
const millisPerSecond = 1_000

const messageOf = (cause: unknown): string => (cause instanceof Error ? cause.message : "unknown")

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

/** Connections that are opened to nobody inside. */
const makeAgent = ({ isLoopbackAllowed }: Options) => {
  const allowed = { allowIPAddressList: isLoopbackAllowed ? ["127.0.0.0/8", "::1"] : [] }
  return Effect.acquireRelease(
    Effect.sync(() => ({
      http: new RequestFilteringHttpAgent(allowed),
      https: new RequestFilteringHttpsAgent(allowed)
    })),
    ({ http, https }) =>
      Effect.sync(() => {
        http.destroy()
        https.destroy()
      })
  )
}

/** Calls endpoints on the internet, and on this machine if that is allowed. */
export const layer = (options: Options) =>
  Layer.effect(
    WebhookSender,
    Effect.gen(function* () {
      // Made here and not by a layer: a layer may be shared with somebody whose connections lead anywhere.
      const made = yield* Effect.provideServiceEffect(
        NodeHttpClient.makeNodeHttp,
        NodeHttpClient.HttpAgent,
        makeAgent(options)
      )
      // Of an answer the status is enough: the connection is closed with the scope, whatever else is still to come.
      const client = HttpClient.withScope(made)

      /** The status of the answer. */
      const post = (url: string, headers: Readonly<Record<string, string>>, body: string) =>
        HttpClientRequest.post(url, { headers }).pipe(
          HttpClientRequest.bodyText(body, "application/json"),
          client.execute,
          Effect.map(({ status }) => status),
          Effect.provideService(HttpClient.TracerPropagationEnabled, false),
          Effect.mapError(({ reason }) => failed(`it could not be called: ${messageOf(reason.cause)}`)),
          Effect.scoped
        )

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
          const signatures = secrets.map((secret) => new Webhook(Redacted.value(secret)).sign(id, at, body))
          const status = yield* post(
            url,
            {
              "user-agent": "Pillivery",
              "webhook-id": id,
              "webhook-timestamp": String(Math.floor(at.getTime() / millisPerSecond)),
              "webhook-signature": signatures.join(" ")
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
