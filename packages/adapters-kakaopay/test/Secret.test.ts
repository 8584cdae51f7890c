/**
 * The secret key is in the header it is for, and in nothing else: every call meets every failure, everything that people
 * could see is collected, and the key is searched in it.
 */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Logger, Redacted, References, Result, Tracer } from "effect"
import { inspect } from "node:util"
import { calls, errorCodes } from "../src/ErrorCodes.ts"
import * as KakaoPay from "../src/KakaoPay.ts"
import { afterRequest, broken, nothing } from "./Broken.ts"
import { ask, everywhere, nameOf } from "./Calls.ts"
import { certificate } from "./certificate.ts"
import * as Provider from "./Provider.ts"

const { secretKey } = Provider

const bigintAsText = (_key: string, value: unknown): unknown => (typeof value === "bigint" ? String(value) : value)

/** In every form in which something could show a value. */
const shownAs = (value: unknown): string =>
  [
    inspect(value, { depth: 12, showHidden: true, getters: true, maxStringLength: null, maxArrayLength: null }),
    Result.getOrElse(
      Result.try(() => JSON.stringify(value, bigintAsText)),
      () => "circular"
    ),
    String(value),
    value instanceof Error ? `${value.stack} ${inspect(value.cause)}` : ""
  ].join("\n")

const assertHidden = (text: string) => {
  const bytes = Buffer.from(secretKey)
  for (const form of [
    secretKey,
    secretKey.slice(3, 20),
    bytes.toString("base64").slice(0, 40),
    bytes.toString("hex")
  ]) {
    assert.isFalse(
      text.includes(form),
      `the secret key is shown: …${text.slice(text.indexOf(form) - 200).slice(0, 200)}`
    )
  }
}

/** Runs an effect and answers everything it logged and traced, and how it ended. */
const watched = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const shown: Array<string> = []
    const logger = Logger.make(
      (options) =>
        void shown.push(
          shownAs(options),
          Logger.formatLogFmt.log(options),
          Logger.formatJson.log(options),
          Logger.formatSimple.log(options)
        )
    )
    const spans: Array<Tracer.Span> = []
    const tracer = Tracer.make({
      span: (options) => {
        const span = new Tracer.NativeSpan(options)
        spans.push(span)
        return span
      }
    })
    const exit = yield* effect.pipe(
      Effect.provide(Logger.layer([logger])),
      Effect.provideService(References.MinimumLogLevel, "All"),
      Effect.withTracer(tracer),
      Effect.exit
    )
    shown.push(shownAs(exit), ...spans.map(shownAs))
    if (Exit.isFailure(exit)) shown.push(Cause.pretty(exit.cause))
    return { exit, text: shown.join("\n") }
  })

/** Every call to one base URL, and everything that can be seen of it. */
const exercise = (baseUrl: string) =>
  Effect.gen(function* () {
    const config = Provider.configOf(baseUrl)
    const strategy = yield* KakaoPay.make(config)
    const answers = yield* Effect.forEach(
      calls,
      (call) =>
        Effect.tap(ask(strategy, call), (answer) =>
          Effect.logTrace("answered", answer).pipe(Effect.annotateLogs({ answer, call }))
        ),
      { concurrency: "unbounded" }
    )
    return { config, strategy, answers }
  }).pipe(Effect.scoped)

/** Failures before anything is written, in addition to those of {@link broken}. */
const unsent = Effect.gen(function* () {
  const plain = yield* Provider.brokenServer((socket) => void socket.write("no"), { onText: nothing })
  const self = yield* Provider.brokenServer(nothing, { tls: certificate, onText: nothing })
  const silent = yield* Provider.brokenServer(nothing, { onText: nothing })
  return {
    "refuses the connection": `http://127.0.0.1:${yield* Provider.closedPort}`,
    "has an unknown name": "http://nobody.invalid",
    "does not speak TLS": `https://127.0.0.1:${plain.port}`,
    "has a certificate nobody vouches for": `https://127.0.0.1:${self.port}`,
    "does not answer the handshake": `https://127.0.0.1:${silent.port}`
  }
})

describe("the secret key", () => {
  it.live(
    "is in nothing that people can see when a server breaks",
    () =>
      Effect.gen(function* () {
        const urls: Array<readonly [stage: string, url: string]> = Object.entries(yield* unsent)
        for (const { onConnection, react, stage } of broken) {
          const server = yield* Provider.brokenServer(
            onConnection ?? nothing,
            react === undefined ? {} : afterRequest(react)
          )
          urls.push([stage, `http://127.0.0.1:${server.port}`])
        }
        yield* Effect.forEach(
          urls,
          ([stage, url]) =>
            Effect.gen(function* () {
              const { exit, text } = yield* watched(exercise(url))
              assert.isTrue(Exit.isSuccess(exit), stage)
              for (const call of calls) assert.include(text, `KakaoPay.${call}`, stage)
              assert.include(text, "answered")
              assertHidden(text)
            }),
          { concurrency: 8, discard: true }
        )
      }),
    90_000
  )

  it.live("FS6: is in nothing that people can see when the provider refuses, for whatever reason", () =>
    Effect.gen(function* () {
      const server = yield* Provider.scriptedServer
      for (const { code } of errorCodes) {
        server.answer(400, {
          error_code: code,
          error_message: "said so",
          extras: { method_result_code: "LACK_BALANCE" }
        })
        const { exit, text } = yield* watched(exercise(server.url))
        assert.isTrue(Exit.isSuccess(exit))
        assertHidden(text)
      }
      assert.isTrue(server.calls.every(({ headers }) => headers["authorization"] === `SECRET_KEY ${secretKey}`))
    })
  )

  it.live("is taken out of answers that quote it", () =>
    Effect.gen(function* () {
      const server = yield* Provider.scriptedServer
      const quoted = `you said "SECRET_KEY ${secretKey}"`
      for (const body of [
        { error_code: -401, error_message: quoted },
        { error_code: -12_345, error_message: quoted },
        { error_code: -782, extras: { method_result_code: secretKey, method_result_message: quoted } },
        { error_code: -781, extras: { method_result_code: "INVALID_CANCEL_AMOUNT", method_result_message: quoted } },
        Provider.order({ status: secretKey }),
        Provider.status({ status: quoted }),
        Provider.approval({ payment_method_type: secretKey }),
        quoted
      ]) {
        for (const status of [200, 400, 500]) {
          server.answer(status, body)
          const { exit, text } = yield* watched(exercise(server.url))
          assert.isTrue(Exit.isSuccess(exit))
          assertHidden(text)
        }
      }
    })
  )

  it.live("is not named when it cannot be sent", () =>
    Effect.gen(function* () {
      const server = yield* Provider.scriptedServer
      const strategy = yield* KakaoPay.make({
        ...Provider.configOf(server.url),
        secretKey: Redacted.make(`${secretKey}\n`)
      })
      for (const call of calls) {
        const answer = yield* ask(strategy, call)
        assert.strictEqual(nameOf(answer), everywhere("ours", "LookupFailed ours")[call])
        assertHidden(shownAs(answer))
      }
      assert.strictEqual(server.calls.length, 0)
    })
  )

  it("would be found", () => {
    for (const value of [{ a: [secretKey] }, new Error(secretKey), `x${secretKey}`, new Map([[secretKey, 1]])]) {
      assert.throws(() => assertHidden(shownAs(value)))
    }
  })
})
