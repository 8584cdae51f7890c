/** The internal API over real sockets, and the gate that asks it, over a shop and a provider in memory. */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { assert, describe, it } from "@effect/vitest"
import * as Boundary from "@pillivery/adapters-http/Boundary"
import * as ChargeByServer from "@pillivery/adapters-http/ChargeByServer"
import { parseNetworks } from "@pillivery/adapters-http/ClientAddress"
import * as HttpShop from "@pillivery/adapters-http/HttpShop"
import { ServiceAccessSettings } from "@pillivery/adapters-http/ServiceAccess"
import * as Memory from "@pillivery/adapters-memory/Memory"
import * as ChargeDirectly from "@pillivery/application/Billing/ChargeDirectly"
import { CallbackUrls } from "@pillivery/application/Payments/CallbackUrls"
import * as MoneyCalls from "@pillivery/application/Payments/MoneyCalls"
import { BillingLedger } from "@pillivery/application/ports/BillingLedger"
import { BusinessClock } from "@pillivery/application/ports/BusinessClock"
import * as RetryPolicy from "@pillivery/application/resilience/RetryPolicy"
import { dueCycle, handOver, suite } from "@pillivery/application/testing/ChargeGateSuite"
import { live } from "@pillivery/application/testing/Law"
import * as MemoryProvider from "@pillivery/application/testing/MemoryProvider"
import * as BusinessDate from "@pillivery/domain/BusinessDate"
import { Context, Effect, Layer, Redacted, Result } from "effect"
import { HttpClient, HttpClientError, HttpRouter, HttpServer } from "effect/http"
import * as RateLimiter from "effect/persistence/RateLimiter"
import { createServer } from "node:http"

const token = "a service token of the tests, long enough"
const networks = (text: string) => Result.getOrThrow(parseNetworks(text))

/** Where the server under test listens. */
class Listening extends Context.Service<Listening, string>()("test/Listening") {}

const shop = MoneyCalls.layer.pipe(
  Layer.provideMerge(
    Layer.mergeAll(
      Memory.layer,
      MemoryProvider.layer,
      RateLimiter.layer.pipe(Layer.provide(RateLimiter.layerStoreMemory)),
      Layer.succeed(CallbackUrls, { of: (id, way) => `http://shop.test/api/payments/${id}/${way}` })
    )
  )
)

const served = (access: { readonly allowed?: string; readonly trustedProxies?: string } = {}) =>
  Layer.effect(
    Listening,
    Effect.gen(function* () {
      const app = yield* HttpRouter.toHttpEffect(
        Layer.merge(HttpShop.layerInternal, Boundary.layer).pipe(
          Layer.provide(ChargeDirectly.layer),
          Layer.provide(
            Layer.succeed(ServiceAccessSettings, {
              token: Redacted.make(token),
              allowed: networks(access.allowed ?? "127.0.0.1, ::1"),
              trustedProxies: networks(access.trustedProxies ?? "")
            })
          )
        )
      )
      const server = yield* NodeHttpServer.make(() => createServer(), { port: 0, host: "127.0.0.1" })
      yield* server.serve(app)
      return HttpServer.formatAddress(server.address)
    })
  ).pipe(Layer.provideMerge(shop), Layer.provide(NodeHttpServer.layerHttpServices))

const quickly = new RetryPolicy.Timing({
  triesMax: 3,
  backoff: { _tag: "Exponential", delayMillis: 1, factor: 2, delayMillisMax: 10 },
  jitterPercent: 0
})

const gateTo = (baseUrl: string, brought: string = token) =>
  ChargeByServer.layer({ baseUrl, token: Redacted.make(brought), retry: quickly })

/** The gate over the server, whose HTTP client may be told to lose answers. */
const gate = <E, R>(client: Layer.Layer<HttpClient.HttpClient, E, R>, brought?: string) =>
  Layer.unwrap(Effect.map(Listening, (url) => gateTo(url, brought))).pipe(
    Layer.provide(client),
    Layer.provideMerge(served())
  )

// Loses the first answers to charges after the server gave them.
const losing = (count: number) =>
  Layer.effect(
    HttpClient.HttpClient,
    Effect.map(HttpClient.HttpClient, (client) => {
      let left = count
      return HttpClient.transform(client, (sent, request) =>
        Effect.flatMap(sent, (response) =>
          request.url.endsWith("/charges") && left-- > 0
            ? Effect.fail(
                new HttpClientError.HttpClientError({
                  reason: new HttpClientError.TransportError({ request, description: "lost" })
                })
              )
            : Effect.succeed(response)
        )
      )
    })
  ).pipe(Layer.provide(NodeHttpClient.layerUndici))

suite("by the server", gate(NodeHttpClient.layerUndici), live)

const captures = Effect.flatMap(MemoryProvider.MemoryProvider, ({ movements }) =>
  Effect.map(movements, (all) => all.filter(({ kind }) => kind === "capture").length)
)

const dateOfToday = Effect.flatMap(BusinessClock, ({ now }) => Effect.map(now, (at) => BusinessDate.fromInstant(at)))

const post = Effect.fnUntraced(function* (
  path: string,
  sent: { readonly headers?: Record<string, string>; readonly body?: unknown; readonly method?: string }
) {
  const url = yield* Listening
  return yield* Effect.promise(async () => {
    const response = await fetch(`${url}${path}`, {
      method: sent.method ?? "POST",
      headers: { "content-type": "application/json", ...sent.headers },
      ...(sent.body === undefined ? {} : { body: JSON.stringify(sent.body) })
    })
    const text = await response.text()
    return { status: response.status, code: /"code":"([A-Z_]+)"/.exec(text)?.[1] ?? null, text }
  })
})

const charges = "/internal/billing/charges"
const authorization = `Bearer ${token}`

/** What charges a due cycle when everything else is right. */
const request = Effect.gen(function* () {
  const cycle = yield* dueCycle
  const date = yield* dateOfToday
  return { headers: { authorization, "idempotency-key": `k-${cycle.subscriptionId}` }, body: { ...cycle, date } }
})

describe("a charge by the server", () => {
  it.live("whose answer is lost is asked for again and made once", () =>
    Effect.gen(function* () {
      const cycle = yield* dueCycle
      const before = yield* captures
      assert.deepStrictEqual(yield* handOver([cycle]), [{ _tag: "Sent", result: "charged", isOurs: false }])
      assert.strictEqual((yield* captures) - before, 1)
    }).pipe(Effect.provide(gate(losing(2))))
  )

  it.live("whose answers are all lost stays owed to the run, and is found charged by the next", () =>
    Effect.gen(function* () {
      const cycle = yield* dueCycle
      const before = yield* captures
      const [first] = yield* handOver([cycle])
      assert.strictEqual(first?._tag, "Postponed")
      assert.deepStrictEqual(yield* handOver([cycle]), [{ _tag: "Sent", result: "charged", isOurs: false }])
      assert.strictEqual((yield* captures) - before, 1)
    }).pipe(Effect.provide(gate(losing(3))))
  )

  it.live("is not made with a wrong token, which only people of ours can mend", () =>
    Effect.gen(function* () {
      const cycle = yield* dueCycle
      const before = yield* captures
      const [outcome] = yield* handOver([cycle])
      assert.isTrue(outcome?._tag === "Postponed" && outcome.isOurs)
      assert.strictEqual((yield* captures) - before, 0)
    }).pipe(Effect.provide(gate(NodeHttpClient.layerUndici, "another token, of the same length as it..")))
  )

  it.live("of a server that is down stays owed, and after some tries the server is left alone", () =>
    Effect.gen(function* () {
      const cycle = yield* dueCycle
      const outcomes = yield* handOver(Array.from({ length: 40 }, () => cycle))
      assert.strictEqual(outcomes.length, 40)
      assert.isTrue(outcomes.every((outcome) => outcome._tag === "Postponed" && !outcome.isOurs))
      assert.isTrue(outcomes.some((outcome) => outcome._tag === "Postponed" && outcome.reason.includes("left alone")))
    }).pipe(
      Effect.provide(
        gateTo("http://127.0.0.1:1").pipe(Layer.provide(NodeHttpClient.layerUndici), Layer.provideMerge(shop))
      )
    )
  )
})

describe("the internal API", () => {
  it.live("charges once under one key, and tells a repeat the same", () =>
    Effect.gen(function* () {
      const asked = yield* request
      const before = yield* captures
      const first = yield* post(charges, asked)
      assert.deepStrictEqual([first.status, first.text], [200, '{"_tag":"Sent","result":"charged","isOurs":false}'])
      assert.deepStrictEqual(yield* post(charges, asked), first)
      assert.strictEqual((yield* captures) - before, 1)
    }).pipe(Effect.provide(served()))
  )

  it.live("gives many at once under one key one charge and the same answer", () =>
    Effect.gen(function* () {
      const asked = yield* request
      const before = yield* captures
      const answers = yield* Effect.all(
        Array.from({ length: 16 }, () => post(charges, asked)),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(
        [...new Set(answers.map(({ status, text }) => `${status} ${text}`))],
        ['200 {"_tag":"Sent","result":"charged","isOurs":false}']
      )
      assert.strictEqual((yield* captures) - before, 1)
    }).pipe(Effect.provide(served()))
  )

  it.live("refuses a key that was used for something else", () =>
    Effect.gen(function* () {
      const asked = yield* request
      yield* post(charges, asked)
      const other = { ...asked, body: { ...asked.body, number: asked.body.number + 1 } }
      const { code, status } = yield* post(charges, other)
      assert.deepStrictEqual([status, code], [422, "IDEMPOTENCY_KEY_REUSED"])
    }).pipe(Effect.provide(served()))
  )

  it.live("refuses what is malformed, and charges nothing", () =>
    Effect.gen(function* () {
      const asked = yield* request
      const before = yield* captures
      const { "idempotency-key": _, ...unnamed } = asked.headers
      const wrong = [
        { ...asked, headers: unnamed },
        { ...asked, headers: { ...asked.headers, "idempotency-key": "two words" } },
        { ...asked, headers: { ...asked.headers, "idempotency-key": "x".repeat(201) } },
        { ...asked, body: { ...asked.body, number: 0 } },
        { ...asked, body: { ...asked.body, number: 1.5 } },
        { ...asked, body: { ...asked.body, date: "2026-02-30" } },
        { ...asked, body: { ...asked.body, subscriptionId: "one" } },
        { ...asked, body: { ...asked.body, amount: 1 } }
      ]
      for (const sent of wrong) {
        const { code, status } = yield* post(charges, sent)
        assert.deepStrictEqual([status, code], [400, "VALIDATION_FAILED"], JSON.stringify(sent))
      }
      assert.strictEqual((yield* captures) - before, 0)
    }).pipe(Effect.provide(served()))
  )

  it.live("lets in nobody without the token", () =>
    Effect.gen(function* () {
      const { body, headers } = yield* request
      const before = yield* captures
      for (const wrong of [
        undefined,
        "",
        "Bearer ",
        `Bearer ${token}x`,
        `Bearer ${token.slice(1)}`,
        `Basic ${token}`
      ]) {
        const { authorization: _, ...others } = headers
        const { code, status } = yield* post(charges, {
          body,
          headers: wrong === undefined ? others : { ...others, authorization: wrong }
        })
        assert.deepStrictEqual([status, code], [401, "SERVICE_TOKEN_REJECTED"], wrong)
      }
      const reconciled = yield* post("/internal/billing/reconciliations", {})
      assert.strictEqual(reconciled.status, 401)
      assert.strictEqual((yield* captures) - before, 0)
    }).pipe(Effect.provide(served()))
  )

  it.live("lets in nobody from elsewhere, whatever a header says", () =>
    Effect.gen(function* () {
      const { body, headers } = yield* request
      const sent = { body, headers: { ...headers, "x-forwarded-for": "10.1.2.3" } }
      const { code, status } = yield* post(charges, sent)
      assert.deepStrictEqual([status, code], [403, "ADDRESS_NOT_ALLOWED"])
    }).pipe(Effect.provide(served({ allowed: "10.0.0.0/8" })))
  )

  it.live("believes the proxies that were named, and only what they added themselves", () =>
    Effect.gen(function* () {
      const { body, headers } = yield* request
      const through = (forwarded: string) =>
        Effect.map(
          post(charges, { body, headers: { ...headers, "x-forwarded-for": forwarded } }),
          ({ status }) => status
        )
      assert.strictEqual(yield* through("10.1.2.3, 192.0.2.9"), 403)
      assert.strictEqual(yield* through("nonsense"), 403)
      assert.strictEqual(yield* through("192.0.2.9, 10.1.2.3"), 200)
    }).pipe(Effect.provide(served({ allowed: "10.0.0.0/8", trustedProxies: "127.0.0.1" })))
  )

  it.live("answers other methods with 405", () =>
    Effect.gen(function* () {
      const { status } = yield* post(charges, { method: "PUT", body: {}, headers: { authorization } })
      assert.strictEqual(status, 405)
    }).pipe(Effect.provide(served()))
  )

  it.live("charges nothing for a cycle that is not due", () =>
    Effect.gen(function* () {
      const asked = yield* request
      const tomorrow = BusinessDate.addDays(asked.body.date, 1)
      const { status, text } = yield* post(charges, { ...asked, body: { ...asked.body, date: tomorrow } })
      assert.deepStrictEqual([status, /"_tag":"(\w+)"/.exec(text)?.[1]], [200, "Postponed"])
      const found = yield* (yield* BillingLedger).findCycle(asked.body)
      assert.isTrue(found._tag === "Some" && found.value.openAttempt === null)
    }).pipe(Effect.provide(served()))
  )
})
