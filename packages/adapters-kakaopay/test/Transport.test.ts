import { assert, describe, it } from "@effect/vitest"
import type * as Strategy from "@pillivery/domain/PaymentStrategy"
import type { ProviderAnswer } from "@pillivery/domain/ProviderAnswer"
import { Clock, Effect, Exit, Fiber, Logger, Redacted, References, Tracer } from "effect"
import type { Socket } from "node:net"
import { inspect } from "node:util"
import { fromTransportError, unsentCauses } from "../src/Client.ts"
import * as KakaoPay from "../src/KakaoPay.ts"
import * as Provider from "./Provider.ts"

const isLocal = (answer: ProviderAnswer | Strategy.PaymentLookupAnswer) =>
  assert.strictEqual(answer._tag === "NotExecuted" ? answer.why : answer._tag, "local", JSON.stringify(answer))
const isUnknown = (answer: ProviderAnswer) => assert.strictEqual(answer._tag, "Unknown", JSON.stringify(answer))

const isWhole = (text: string) => {
  const length = /content-length: (\d+)/i.exec(text)?.[1]
  const body = text.split("\r\n\r\n")[1]
  return length !== undefined && body !== undefined && Buffer.byteLength(body) >= Number(length)
}

/** Does something once a whole request was read. */
const afterRequest = (react: (socket: Socket) => void) => ({
  onText: (socket: Socket, text: string) => {
    if (isWhole(text)) react(socket)
  }
})

const nothing = () => {}
const approvalText = JSON.stringify(Provider.approval({ sid: Provider.sid }))

/** Servers that break at one stage after the request was begun. The answer is always Unknown, and there is one request. */
const broken: ReadonlyArray<{
  readonly stage: string
  readonly onConnection?: (socket: Socket) => void
  readonly react?: (socket: Socket) => void
}> = [
  { stage: "accepts and closes before reading", onConnection: (socket) => socket.end() },
  {
    stage: "accepts and resets without reading",
    onConnection: (socket) => void setTimeout(() => socket.resetAndDestroy(), 50)
  },
  { stage: "reads the request and closes", react: (socket) => socket.end() },
  { stage: "reads the request and resets", react: (socket) => socket.resetAndDestroy() },
  {
    stage: "resets in the middle of the request",
    onConnection: (socket) => socket.once("data", () => socket.resetAndDestroy())
  },
  { stage: "never answers", react: nothing },
  { stage: "answers something that is not HTTP", react: (socket) => socket.end("hello\r\n\r\n") },
  {
    stage: "answers half of the headers",
    react: (socket) => socket.end("HTTP/1.1 200 OK\r\ncontent-type: appl")
  },
  {
    stage: "answers half of the body and closes",
    react: (socket) => socket.end(Provider.http("200 OK", approvalText).slice(0, -20))
  },
  {
    stage: "answers half of the body and hangs",
    react: (socket) => void socket.write(Provider.http("200 OK", approvalText).slice(0, -20))
  },
  {
    stage: "answers half of a chunked body and closes",
    react: (socket) =>
      socket.end(`HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${(400).toString(16)}\r\n{"aid":"A1"`)
  },
  {
    stage: "answers truncated JSON in a complete message",
    react: (socket) => void socket.write(Provider.http("200 OK", approvalText.slice(0, -20)))
  },
  { stage: "answers an empty 200", react: (socket) => void socket.write(Provider.http("200 OK", "")) },
  { stage: "answers JSON that is no approval", react: (socket) => void socket.write(Provider.http("200 OK", "[1]")) },
  {
    stage: "answers an approval without an amount",
    react: (socket) =>
      void socket.write(Provider.http("200 OK", JSON.stringify(Provider.approval({ amount: null, sid: Provider.sid }))))
  },
  {
    stage: "answers somebody else's approval",
    react: (socket) =>
      void socket.write(Provider.http("200 OK", JSON.stringify(Provider.approval({ partner_order_id: "1" }))))
  },
  {
    stage: "answers an approval with an error in it",
    react: (socket) =>
      void socket.write(Provider.http("200 OK", JSON.stringify(Provider.approval({ error_code: -751 }))))
  },
  {
    stage: "answers an approval with a failing status",
    react: (socket) => void socket.write(Provider.http("500 Oops", approvalText))
  },
  {
    stage: "answers an HTML 502",
    react: (socket) => void socket.write(Provider.http("502 Bad Gateway", "<html>bad gateway</html>"))
  },
  {
    stage: "answers an HTML 400",
    react: (socket) => void socket.write(Provider.http("400 Bad Request", "<html>bad request</html>"))
  },
  {
    stage: "answers another system's JSON error",
    react: (socket) => void socket.write(Provider.http("400 Bad Request", '{"error":"bad","status":400}'))
  },
  {
    stage: "redirects",
    react: (socket) =>
      void socket.write(Provider.http("307 Temporary Redirect", "", ["location: http://127.0.0.1:9/elsewhere"]))
  },
  {
    stage: "answers more than anyone needs",
    react: (socket) => void socket.write(Provider.http("200 OK", `{"padding":"${"x".repeat(200_000)}"}`))
  },
  {
    stage: "answers one byte at a time without end",
    react: (socket) => {
      socket.write("HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")
      const timer = setInterval(() => socket.write(" "), 50)
      socket.on("close", () => clearInterval(timer))
    }
  }
]

describe("a charge whose request was begun", () => {
  for (const { onConnection, react, stage } of broken) {
    it.live(`is Unknown and sent once when the server ${stage}`, () =>
      Effect.gen(function* () {
        const server = yield* Provider.brokenServer(
          onConnection ?? nothing,
          react === undefined ? {} : afterRequest(react)
        )
        const strategy = yield* Provider.makeStrategy(`http://127.0.0.1:${server.port}`)
        isUnknown(yield* Provider.charge(strategy))
        yield* Effect.sleep("50 millis")
        assert.strictEqual(server.sockets.length, 1)
        assert.strictEqual(server.requests(), react === undefined ? 0 : 1)
      })
    )
  }

  it.live("never reuses a connection that failed", () =>
    Effect.gen(function* () {
      const server = yield* Provider.brokenServer(
        nothing,
        afterRequest((socket) => {
          if (server.sockets.length > 1) socket.write(Provider.http("200 OK", approvalText))
        })
      )
      const strategy = yield* Provider.makeStrategy(`http://127.0.0.1:${server.port}`)
      const [, second] = yield* Effect.all([Provider.charge(strategy), Provider.charge(strategy)])
      assert.strictEqual(second._tag, "Approved")
      assert.strictEqual(server.sockets.length, 2)
      assert.isTrue(server.sockets[0]?.destroyed)
    })
  )
})

describe("a charge of which nothing was written", () => {
  it.live("is NotExecuted when the connection is refused", () =>
    Effect.gen(function* () {
      const port = yield* Provider.closedPort
      const strategy = yield* Provider.makeStrategy(`http://127.0.0.1:${port}`)
      isLocal(yield* Provider.charge(strategy))
      const named = yield* Provider.makeStrategy(`http://localhost:${port}`)
      isLocal(yield* Provider.charge(named))
    })
  )

  it.live("is NotExecuted when the name is not known", () =>
    Effect.gen(function* () {
      const strategy = yield* Provider.makeStrategy("http://nobody.invalid", { connectMillisMax: 10_000 })
      isLocal(yield* Provider.charge(strategy))
    })
  )

  it.live("is NotExecuted when the connection is reset before we know that it is made", () =>
    Effect.gen(function* () {
      const server = yield* Provider.brokenServer((socket) => socket.resetAndDestroy(), { onText: nothing })
      const strategy = yield* Provider.makeStrategy(`http://127.0.0.1:${server.port}`)
      const answer = yield* Provider.charge(strategy)
      // On a slow machine the request may win the race.
      if (answer._tag !== "Unknown") isLocal(answer)
      assert.strictEqual(server.text, "")
    })
  )

  for (const { begin, what } of [
    { what: "answers plain text", begin: (socket: Socket) => void socket.write("HTTP/1.1 400 Bad Request\r\n\r\n") },
    { what: "closes", begin: (socket: Socket) => void socket.once("data", () => socket.end()) },
    { what: "resets", begin: (socket: Socket) => void socket.once("data", () => socket.resetAndDestroy()) },
    { what: "is silent beyond the connect timeout", begin: nothing }
  ]) {
    it.live(`is NotExecuted when the server ${what} instead of a TLS handshake`, () =>
      Effect.gen(function* () {
        const server = yield* Provider.brokenServer(begin, { onText: nothing })
        const strategy = yield* Provider.makeStrategy(`https://127.0.0.1:${server.port}`)
        isLocal(yield* Provider.charge(strategy))
        assert.notInclude(server.text, "POST")
        assert.notInclude(server.text, "SECRET_KEY")
      })
    )
  }

  it.live("is NotExecuted when the driver itself never gives up connecting", () =>
    Effect.gen(function* () {
      const server = yield* Provider.brokenServer(nothing, { onText: nothing })
      const strategy = yield* Provider.makeStrategy(`https://127.0.0.1:${server.port}`, { connectMillisMax: 0 })
      isLocal(yield* Provider.charge(strategy))
      assert.notInclude(server.text, "POST")
    })
  )

  it.live("is NotExecuted when no TLS handshake can succeed", () =>
    Effect.gen(function* () {
      const server = yield* Provider.brokenServer(nothing, { isTls: true, onText: nothing })
      const strategy = yield* Provider.makeStrategy(`https://127.0.0.1:${server.port}`)
      isLocal(yield* Provider.charge(strategy))
      assert.strictEqual(server.text, "")
    })
  )

  it.live("is NotExecuted when no connection becomes free in time", () =>
    Effect.gen(function* () {
      const server = yield* Provider.brokenServer(nothing, afterRequest(nothing))
      const strategy = yield* Provider.makeStrategy(`http://127.0.0.1:${server.port}`, {
        connectionsMax: 1,
        connectionWaitMillisMax: 100
      })
      const [first, second] = yield* Effect.all([Provider.charge(strategy), Provider.charge(strategy)], {
        concurrency: 2
      })
      isUnknown(first)
      isLocal(second)
      assert.strictEqual(server.requests(), 1)
    })
  )

  it.live("waits for a connection that becomes free in time, and lookups have their own", () =>
    Effect.gen(function* () {
      const server = yield* Provider.brokenServer(
        nothing,
        afterRequest((socket) => setTimeout(() => socket.write(Provider.http("200 OK", approvalText)), 100))
      )
      const strategy = yield* Provider.makeStrategy(`http://127.0.0.1:${server.port}`, { connectionsMax: 1 })
      const [first, second, looked] = yield* Effect.all(
        [Provider.charge(strategy), Provider.charge(strategy), strategy.lookupPayment(Provider.paymentRequest)],
        { concurrency: 3 }
      )
      assert.deepStrictEqual([first._tag, second._tag, looked._tag], ["Approved", "Approved", "LookupFailed"])
      assert.strictEqual(server.sockets.length, 2)
    })
  )
})

describe("a transport error", () => {
  const failure = (code: string, syscall?: string) =>
    Object.assign(new Error("x"), syscall === undefined ? { code } : { code, syscall })

  it("is Lost once the request was begun, whatever it is", () => {
    for (const { code, syscall } of unsentCauses) {
      if (typeof code === "string") {
        assert.strictEqual(fromTransportError(failure(code, syscall ?? undefined), true)._tag, "Lost")
      }
    }
  })

  it("is NotSent before that only when its code and system call are listed", () => {
    for (const [code, syscall] of [
      ["CERT_HAS_EXPIRED", undefined],
      ["DEPTH_ZERO_SELF_SIGNED_CERT", undefined],
      ["SELF_SIGNED_CERT_IN_CHAIN", undefined],
      ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", undefined],
      ["ERR_TLS_CERT_ALTNAME_INVALID", undefined],
      ["ERR_SSL_WRONG_VERSION_NUMBER", undefined],
      ["UND_ERR_CONNECT_TIMEOUT", undefined],
      ["EAI_AGAIN", "getaddrinfo"],
      ["ECONNREFUSED", "connect"]
    ] as const) {
      assert.strictEqual(fromTransportError(failure(code, syscall), false)._tag, "NotSent", code)
    }
    for (const [code, syscall] of [
      ["ECONNREFUSED", "read"],
      ["ECONNREFUSED", undefined],
      ["EPIPE", "write"],
      ["ETIMEDOUT", "read"],
      ["UND_ERR_SOCKET", undefined],
      ["UND_ERR_HEADERS_TIMEOUT", undefined],
      ["UND_ERR_ABORTED", undefined],
      ["SOMETHING_NEW", "connect"]
    ] as const) {
      assert.strictEqual(fromTransportError(failure(code, syscall), false)._tag, "Lost", code)
    }
    for (const error of [new Error("ECONNREFUSED"), "ECONNREFUSED", null, { code: 7 }]) {
      assert.strictEqual(fromTransportError(error, false)._tag, "Lost")
    }
  })

  it("of several addresses is NotSent only if every one is", () => {
    const refused = failure("ECONNREFUSED", "connect")
    assert.strictEqual(fromTransportError(new AggregateError([refused, refused]), false)._tag, "NotSent")
    assert.strictEqual(fromTransportError(new AggregateError([refused, failure("EPIPE", "write")]), false)._tag, "Lost")
    assert.strictEqual(fromTransportError(new AggregateError([]), false)._tag, "Lost")
  })
})

/** A real clock that jumps on one of its two hands after it was read a few times. */
const jumping = (hand: "monotonic" | "wall", readsBefore: number): Effect.Effect<Clock.Clock> =>
  Effect.map(Clock.Clock, (clock) => {
    let reads = 0
    const hourMillis = 3_600_000
    const isPast = (of: "monotonic" | "wall") => hand === of && ++reads > readsBefore
    return {
      currentTimeMillis: clock.currentTimeMillis,
      currentTimeNanos: clock.currentTimeNanos,
      currentTimeNanosUnsafe: () => clock.currentTimeNanosUnsafe(),
      currentTimeMillisUnsafe: () => clock.currentTimeMillisUnsafe() + (isPast("wall") ? hourMillis : 0),
      monotonicTimeNanos: clock.monotonicTimeNanos,
      monotonicTimeNanosUnsafe: () =>
        clock.monotonicTimeNanosUnsafe() + (isPast("monotonic") ? BigInt(hourMillis) * 1_000_000n : 0n),
      sleep: (duration) => clock.sleep(duration)
    }
  })

describe("the dispatch deadline", () => {
  for (const hand of ["monotonic", "wall"] as const) {
    it.live(`stops a request when it passed before the call on the ${hand} clock, without connecting`, () =>
      Effect.gen(function* () {
        const server = yield* Provider.brokenServer(nothing, { onText: nothing })
        const strategy = yield* Provider.makeStrategy(`http://127.0.0.1:${server.port}`)
        const soon = yield* Provider.deadlineIn(60_000)
        const deadline =
          hand === "wall"
            ? { ...soon, wallMillis: soon.wallMillis - 60_000 }
            : { ...soon, monotonicMillis: soon.monotonicMillis - 60_000 }
        isLocal(yield* strategy.charge(Provider.chargeRequest(deadline)))
        isLocal(yield* strategy.approve(Provider.approveRequest(deadline)))
        const refund = yield* strategy.refund(Provider.refundRequest(deadline))
        assert.strictEqual(refund._tag === "NotExecuted" ? refund.why : refund._tag, "local")
        assert.strictEqual(server.sockets.length, 0)
      })
    )

    it.live(`stops a request when it passes while connecting on the ${hand} clock: nothing arrives`, () =>
      Effect.gen(function* () {
        const server = yield* Provider.brokenServer(nothing, { onText: nothing })
        const strategy = yield* Provider.makeStrategy(`http://127.0.0.1:${server.port}`)
        const deadline = yield* Provider.deadlineIn(60_000)
        const clock = yield* jumping(hand, 1)
        isLocal(
          yield* strategy.charge(Provider.chargeRequest(deadline)).pipe(Effect.provideService(Clock.Clock, clock))
        )
        yield* Effect.sleep("50 millis")
        assert.strictEqual(server.text, "")
        assert.strictEqual(server.sockets.length, 1)
      })
    )
  }

  it.live("stops a request that waited too long for a connection", () =>
    Effect.gen(function* () {
      const server = yield* Provider.brokenServer(nothing, afterRequest(nothing))
      const strategy = yield* Provider.makeStrategy(`http://127.0.0.1:${server.port}`, { connectionsMax: 1 })
      const first = yield* Effect.forkChild(Provider.charge(strategy), { startImmediately: true })
      isLocal(yield* strategy.charge(Provider.chargeRequest(yield* Provider.deadlineIn(200))))
      isUnknown(yield* Fiber.join(first))
      yield* Effect.sleep("50 millis")
      assert.strictEqual(server.requests(), 1)
    })
  )
})

describe("a connection", () => {
  const answering = Effect.gen(function* () {
    const server = yield* Provider.brokenServer(
      nothing,
      afterRequest((socket) => void socket.write(Provider.http("200 OK", approvalText, ["keep-alive: timeout=600"])))
    )
    const strategy = yield* Provider.makeStrategy(`http://127.0.0.1:${server.port}`, { moneyIdleMillisMax: 300 })
    return { server, strategy }
  })

  it.live("is reused for money while it was idle for a short time only", () =>
    Effect.gen(function* () {
      const { server, strategy } = yield* answering
      yield* Provider.charge(strategy)
      yield* Provider.charge(strategy)
      assert.strictEqual(server.sockets.length, 1)
      yield* Effect.sleep("400 millis")
      assert.strictEqual((yield* Provider.charge(strategy))._tag, "Approved")
      assert.strictEqual(server.sockets.length, 2)
    })
  )

  it.live("is not reused for money after the process stood still, though its timer did not run", () =>
    Effect.gen(function* () {
      const { server, strategy } = yield* answering
      yield* Provider.charge(strategy)
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 400)
      assert.strictEqual((yield* Provider.charge(strategy))._tag, "Approved")
      assert.strictEqual(server.sockets.length, 2)
    })
  )

  it.live("is closed with the scope, after the calls in flight have ended", () =>
    Effect.gen(function* () {
      const server = yield* Provider.brokenServer(
        nothing,
        afterRequest((socket) => setTimeout(() => socket.write(Provider.http("200 OK", approvalText)), 200))
      )
      const fiber = yield* Effect.scoped(
        Effect.gen(function* () {
          const strategy = yield* Provider.makeStrategy(`http://127.0.0.1:${server.port}`)
          const fiber = yield* Effect.forkDetach(Provider.charge(strategy), { startImmediately: true })
          yield* Effect.sleep("50 millis")
          return fiber
        })
      )
      assert.strictEqual((yield* Fiber.join(fiber))._tag, "Approved")
      yield* Effect.sleep("50 millis")
      assert.isTrue(server.sockets.every((socket) => socket.destroyed || socket.readableEnded))
    })
  )

  it.live("is not opened any more once the scope is closed", () =>
    Effect.gen(function* () {
      const server = yield* Provider.brokenServer(nothing, { onText: nothing })
      const strategy = yield* Effect.scoped(Provider.makeStrategy(`http://127.0.0.1:${server.port}`))
      isLocal(yield* Provider.charge(strategy))
      assert.strictEqual(server.sockets.length, 0)
    })
  )
})

describe("an interrupted caller", () => {
  it.live("does not stop a money call", () =>
    Effect.gen(function* () {
      let closedEarly: boolean | null = null
      const server = yield* Provider.brokenServer(
        nothing,
        afterRequest((socket) =>
          setTimeout(() => {
            closedEarly = socket.destroyed || socket.readableEnded
            socket.write(Provider.http("200 OK", approvalText))
          }, 200)
        )
      )
      const strategy = yield* Provider.makeStrategy(`http://127.0.0.1:${server.port}`)
      let answer: ProviderAnswer | null = null
      const fiber = yield* Effect.forkChild(
        Effect.uninterruptible(
          Effect.tap(Provider.charge(strategy), (came) => Effect.sync(() => void (answer = came)))
        ),
        { startImmediately: true }
      )
      yield* Effect.sleep("50 millis")
      yield* Fiber.interrupt(fiber)
      assert.isFalse(closedEarly)
      assert.strictEqual((answer as ProviderAnswer | null)?._tag, "Approved")
    })
  )

  it.live("cuts a lookup", () =>
    Effect.gen(function* () {
      const server = yield* Provider.brokenServer(nothing, afterRequest(nothing))
      const strategy = yield* Provider.makeStrategy(`http://127.0.0.1:${server.port}`, { headersMillisMax: 10_000 })
      const fiber = yield* Effect.forkChild(strategy.lookupPayment(Provider.paymentRequest), {
        startImmediately: true
      })
      yield* Effect.sleep("100 millis")
      yield* Fiber.interrupt(fiber)
      assert.isTrue(Exit.hasInterrupts(yield* Fiber.await(fiber)))
      yield* Effect.sleep("100 millis")
      assert.isTrue(server.sockets.every((socket) => socket.destroyed || socket.readableEnded))
    })
  )
})

describe("the secret key", () => {
  it.live("appears in the header it is for and in nothing that people can see", () =>
    Effect.gen(function* () {
      const shown: Array<unknown> = []
      const logger = Logger.make((options) => void shown.push(options))
      const tracer = Tracer.make({
        span: (options) => {
          const span = new Tracer.NativeSpan(options)
          shown.push(span)
          return span
        }
      })
      const exercise = Effect.gen(function* () {
        const tls = yield* Provider.brokenServer((socket) => void socket.write("no"), { onText: nothing })
        const urls = [`http://127.0.0.1:${yield* Provider.closedPort}`, `https://127.0.0.1:${tls.port}`]
        for (const { onConnection, react } of broken) {
          const server = yield* Provider.brokenServer(
            onConnection ?? nothing,
            react === undefined ? {} : afterRequest(react)
          )
          urls.push(`http://127.0.0.1:${server.port}`)
        }
        for (const url of urls) {
          const config = Provider.configOf(url)
          const strategy = yield* Provider.makeStrategy(url)
          const answers = yield* Effect.all(
            [
              strategy.prepare(Provider.prepareRequest),
              Provider.charge(strategy),
              strategy.deactivate(Provider.keyRequest),
              strategy.lookupPayment(Provider.paymentRequest)
            ],
            { concurrency: "unbounded" }
          )
          for (const answer of answers) yield* Effect.logError("answered", answer)
          shown.push(config, strategy, answers, JSON.stringify([config, answers]))
        }
      })
      yield* exercise.pipe(
        Effect.provide(Logger.layer([logger])),
        Effect.provideService(References.MinimumLogLevel, "All"),
        Effect.withTracer(tracer)
      )
      const text = shown.map((each) => inspect(each, { depth: 12, showHidden: true, getters: true })).join("\n")
      assert.include(text, "KakaoPay.charge")
      assert.include(text, "answered")
      assert.notInclude(text, Provider.secretKey)
      assert.notInclude(text, Provider.secretKey.slice(3, 20))
    })
  )

  it.live("is not named when it cannot be sent", () =>
    Effect.gen(function* () {
      const server = yield* Provider.scriptedServer
      const strategy = yield* KakaoPay.make({
        ...Provider.configOf(server.url),
        secretKey: Redacted.make(`${Provider.secretKey}\n`)
      })
      const answer = yield* Provider.charge(strategy)
      assert.strictEqual(answer._tag === "NotExecuted" ? answer.why : answer._tag, "ours")
      assert.notInclude(inspect(answer), Provider.secretKey)
      assert.strictEqual(server.calls.length, 0)
    })
  )
})
