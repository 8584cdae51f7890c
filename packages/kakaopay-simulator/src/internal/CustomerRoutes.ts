/**
 * The customer's browser: the checkout page at the redirect URLs and its four buttons.
 *
 * @since 0.1.0
 */
import * as ByteSize from "effect/ByteSize"
import * as Effect from "effect/Effect"
import * as HttpIncomingMessage from "effect/http/HttpIncomingMessage"
import * as HttpRouter from "effect/http/HttpRouter"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import type { CustomerRejection } from "../Customer.ts"
import * as CustomerPage from "./CustomerPage.ts"
import type { Engine } from "../Engine.ts"
import { Simulator } from "../Simulator.ts"
import type * as Store from "../Store.ts"

const headers = {
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff"
}

const html = (body: string, status = 200) =>
  HttpServerResponse.text(body, { status, contentType: "text/html; charset=utf-8", headers })

const rejections: Readonly<Record<CustomerRejection, () => HttpServerResponse.HttpServerResponse>> = {
  "unknown-payment": () => html(CustomerPage.notice("결제를 찾을 수 없습니다", "주소를 다시 확인해 주세요."), 404),
  expired: () => html(CustomerPage.notice("결제 시간이 지났습니다", "처음부터 다시 시도해 주세요."), 410),
  "not-open": () => html(CustomerPage.notice("이미 처리된 결제입니다", "이 창을 닫아 주세요."), 409)
}

const bodyBytesMax = ByteSize.bytes(4_096)

const buttons = ["approve", "cancel", "fail", "abandon"] as const
type Button = (typeof buttons)[number]
const isButton = (value: string): value is Button => buttons.some((button) => button === value)

const show = (engine: Engine, hash: string, path: string): HttpServerResponse.HttpServerResponse => {
  const opened = engine.customer({ hash }, "open")
  if (Result.isFailure(opened)) return rejections[opened.failure]()
  const payment = engine.store().paymentsByHash.get(hash)
  return payment === undefined ? rejections["unknown-payment"]() : html(CustomerPage.checkout(payment, path))
}

const press = (
  engine: Engine,
  hash: string,
  button: Button,
  method: Store.PaymentMethod | undefined
): HttpServerResponse.HttpServerResponse => {
  const moved = engine.customer({ hash }, button, method)
  if (Result.isFailure(moved)) return rejections[moved.failure]()
  const { redirectUrl } = moved.success
  return redirectUrl === null
    ? html(CustomerPage.notice("창을 닫았습니다", "결제는 진행되지 않았습니다."))
    : HttpServerResponse.redirect(redirectUrl, { status: 302, headers })
}

const methodOf = (form: string): Store.PaymentMethod | undefined => {
  const method = new URLSearchParams(form).get("method")
  return method === "CARD" || method === "MONEY" ? method : undefined
}

const pathOf = (request: HttpServerRequest.HttpServerRequest): string => request.url.split("?", 1)[0] ?? request.url

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
      yield* router.add("GET", path, (request) =>
        Effect.map(HttpRouter.params, ({ hash = "" }) => show(engine, hash, pathOf(request)))
      )
      yield* router.add("POST", `${path}/:action`, (request) =>
        Effect.gen(function* () {
          const { action = "", hash = "" } = yield* HttpRouter.params
          if (!isButton(action)) return rejections["unknown-payment"]()
          const form = yield* Effect.provideService(request.text, HttpIncomingMessage.MaxBodySize, bodyBytesMax)
          return press(engine, hash, action, methodOf(form))
        }).pipe(Effect.catch(() => Effect.succeed(html(CustomerPage.notice("잘못된 요청입니다", ""), 400))))
      )
    }
  })
)
