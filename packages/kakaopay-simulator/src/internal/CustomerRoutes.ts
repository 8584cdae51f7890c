/**
 * The customer's browser: the checkout page at the redirect URLs and its four buttons.
 *
 * @since 0.1.0
 */
import * as ByteSize from "effect/ByteSize"
import * as Effect from "effect/Effect"
import * as HttpIncomingMessage from "effect/http/HttpIncomingMessage"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import type { CustomerRejection } from "../Customer.ts"
import * as CustomerPage from "./CustomerPage.ts"
import type { Engine } from "../Engine.ts"
import { Simulator } from "../Simulator.ts"
import type * as Store from "../Store.ts"

type Response = HttpServerResponse.HttpServerResponse

const headers = {
  "cache-control": "no-store",
  "content-security-policy": CustomerPage.contentSecurityPolicy,
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff"
}

const html = (body: string, status = 200): Response =>
  HttpServerResponse.text(body, { status, contentType: "text/html; charset=utf-8", headers })

/** Spelled as a browser would: a merchant's URL may hold characters that a header may not, Korean ones among them. */
const seeOther = (location: string): Response =>
  HttpServerResponse.redirect(new URL(location).href, { status: 303, headers })

const notFound = (): Response => html(CustomerPage.notice(CustomerPage.unknownPayment), 404)

const reject = (rejection: CustomerRejection, payment: Store.Payment | undefined): Response => {
  if (payment === undefined || rejection === "unknown-payment") return notFound()
  return rejection === "expired"
    ? html(CustomerPage.notice(CustomerPage.expired), 410)
    : html(CustomerPage.notice(CustomerPage.decided(payment)), 409)
}

const bodyBytesMax = ByteSize.bytes(4_096)

const buttons = ["approve", "cancel", "fail", "abandon"] as const
type Button = (typeof buttons)[number]
const isButton = (value: string): value is Button => buttons.some((button) => button === value)

const show = (engine: Engine, hash: string): Response => {
  const opened = engine.customer({ hash }, "open")
  const { paymentsByHash, switches } = engine.store()
  const payment = paymentsByHash.get(hash)
  if (Result.isFailure(opened)) return reject(opened.failure, payment)
  return payment === undefined || payment.window === null
    ? notFound()
    : html(CustomerPage.checkout(payment, payment.window, switches.defaultPaymentMethod))
}

const press = (engine: Engine, hash: string, button: Button, method: Store.PaymentMethod | undefined): Response => {
  const moved = engine.customer({ hash }, button, method)
  const payment = engine.store().paymentsByHash.get(hash)
  if (Result.isFailure(moved)) return reject(moved.failure, payment)
  if (moved.success.redirectUrl !== null) return seeOther(moved.success.redirectUrl)
  return payment === undefined ? notFound() : html(CustomerPage.notice(CustomerPage.abandoned(payment)))
}

const methodOf = (form: string): Store.PaymentMethod | undefined => {
  const method = new URLSearchParams(form).get("method")
  return method === "CARD" || method === "MONEY" ? method : undefined
}

/** Adds the pages to the router: one per device and kind of payment, and the one behind the app schemes. */
export const layer: Layer.Layer<never, never, HttpRouter.HttpRouter | Simulator> = Layer.effectDiscard(
  Effect.gen(function* () {
    const { engine } = yield* Simulator
    const router = yield* HttpRouter.HttpRouter
    const devices = ["pc", "mobile-web", "mobile-app"] as const
    const kinds = ["one-time/payment", "subscription/payment-issue"] as const
    const pages: ReadonlyArray<`/${string}`> = [
      ...devices.flatMap((device) => kinds.map((kind) => `/mockup/bridge/${device}/pg/${kind}/:hash` as const)),
      "/pay/mockup/:hash"
    ]
    for (const path of pages) {
      yield* router.add("GET", path, () => Effect.map(HttpRouter.params, ({ hash = "" }) => show(engine, hash)))
      // What a browser asks for when somebody opens again the address that a button left behind.
      yield* router.add("GET", `${path}/:action`, () =>
        Effect.map(HttpRouter.params, ({ action = "", hash = "" }) => {
          if (!isButton(action) || !engine.store().paymentsByHash.has(hash)) return notFound()
          return HttpServerResponse.redirect(`../${hash}`, { status: 303, headers })
        })
      )
      yield* router.add("POST", `${path}/:action`, (request) =>
        Effect.gen(function* () {
          const { action = "", hash = "" } = yield* HttpRouter.params
          if (!isButton(action)) return notFound()
          const form = yield* Effect.provideService(request.text, HttpIncomingMessage.MaxBodySize, bodyBytesMax)
          return press(engine, hash, action, methodOf(form))
        }).pipe(Effect.catch(() => Effect.succeed(html(CustomerPage.notice(CustomerPage.unreadable), 400))))
      )
    }
  })
)
