import { assert, describe, it } from "@effect/vitest"
import type * as Strategy from "@pillivery/domain/PaymentStrategy"
import type { ProviderAnswer } from "@pillivery/domain/ProviderAnswer"
import { Clock, Duration, Effect, Exit, Fiber } from "effect"
import { type ChildProcess, spawn } from "node:child_process"
import { createConnection, type Socket } from "node:net"
import * as Client from "../src/Client.ts"
import { afterRequest, approvalText, broken, nothing } from "./Broken.ts"
import * as Provider from "./Provider.ts"

const isLocal = (answer: ProviderAnswer | Strategy.PaymentLookupAnswer) =>
  assert.strictEqual(answer._tag === "NotExecuted" ? answer.why : answer._tag, "local", JSON.stringify(answer))
const isUnknown = (answer: ProviderAnswer) => assert.strictEqual(answer._tag, "Unknown", JSON.stringify(answer))

const megabyte = 1_024 * 1_024

/** A request that fills every buffer on the way, so that it is written for as long as nobody reads it. */
const sendLarge = (port: number) =>
  Effect.gen(function* () {
    const { client, ...access } = Provider.configOf(`http://127.0.0.1:${port}`)
    const { send } = yield* Client.make(access, client)
    const large = {
      cid: Provider.recurring,
      sid: Provider.sid,
      partner_order_id: Provider.attemptId,
      partner_user_id: Provider.customerReference,
      item_name: "x".repeat(32 * megabyte),
      quantity: 1,
      total_amount: 1,
      tax_free_amount: 0,
      vat_amount: 0
    }
    return yield* send("subscription", large, { dispatchBefore: yield* Provider.deadlineIn(60_000) })
  })

// Listens, and never turns to its connections again.
const deafProgram = `
  const server = require("node:net").createServer()
  server.listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => {
    require("node:fs").writeSync(1, String(server.address().port))
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
  })
`

/** A process that listens and accepts nothing. */
const deafServer = Effect.acquireRelease(
  Effect.callback<{ readonly child: ChildProcess; readonly port: number }>((resume) => {
    const child = spawn(process.execPath, ["-e", deafProgram], { stdio: ["ignore", "pipe", "inherit"] })
    child.stdout.once("data", (chunk: Buffer) => resume(Effect.succeed({ child, port: Number(chunk.toString()) })))
  }),
  ({ child }) => Effect.sync(() => void child.kill("SIGKILL"))
).pipe(Effect.map(({ child, port }) => ({ port, waiting: () => child.exitCode === null })))

const fillingMax = 16
const noRoomMillis = 300

/** Connects to a server that accepts nothing until the system makes no more connections. */
const fillUp = (port: number): Effect.Effect<ReadonlyArray<Socket>> =>
  Effect.gen(function* () {
    const sockets: Array<Socket> = []
    while (sockets.length < fillingMax) {
      const socket = createConnection({ port, host: "127.0.0.1" })
      socket.on("error", nothing)
      sockets.push(socket)
      const isMade = Effect.callback<boolean>(
        (resume) => void socket.once("connect", () => resume(Effect.succeed(true)))
      )
      if ((yield* Effect.timeoutOption(isMade, noRoomMillis))._tag === "None") return sockets
    }
    return yield* Effect.die(`${fillingMax} connections were not enough to fill the queue`)
  })

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

  it.live("is Approved when hints come before the answer", () =>
    Effect.gen(function* () {
      const server = yield* Provider.brokenServer(
        nothing,
        afterRequest(
          (socket) => void socket.write(`HTTP/1.1 103 Early Hints\r\n\r\n${Provider.http("200 OK", approvalText)}`)
        )
      )
      const strategy = yield* Provider.makeStrategy(`http://127.0.0.1:${server.port}`)
      assert.strictEqual((yield* Provider.charge(strategy))._tag, "Approved")
    })
  )

  it.live("never gets an answer that came before it was asked", () =>
    Effect.gen(function* () {
      const surplus = Provider.http("200 OK", approvalText)
      const server = yield* Provider.brokenServer(
        nothing,
        // The first answer is followed at once by another one; later requests are never answered.
        afterRequest((socket) => {
          if (server.requests() === 1) socket.write(surplus + surplus)
        })
      )
      const strategy = yield* Provider.makeStrategy(`http://127.0.0.1:${server.port}`)
      assert.strictEqual((yield* Provider.charge(strategy))._tag, "Approved")
      isUnknown(yield* Provider.charge(strategy))
      assert.strictEqual(server.requests(), 2)
    })
  )

  it.live("is Lost when the connection is reset while it is still being written", () =>
    Effect.gen(function* () {
      const server = yield* Provider.brokenServer((socket) => {
        socket.once("data", () => socket.resetAndDestroy())
      })
      const reply = yield* sendLarge(server.port)
      assert.strictEqual(reply._tag, "Lost", JSON.stringify(reply))
      assert.strictEqual(server.sockets.length, 1)
    })
  )

  it.live("is Lost in bounded time when the server stops reading in the middle of it", () =>
    Effect.gen(function* () {
      const server = yield* Provider.brokenServer((socket) => {
        socket.once("data", () => socket.pause())
      })
      const [took, reply] = yield* Effect.timed(sendLarge(server.port))
      assert.strictEqual(reply._tag, "Lost", JSON.stringify(reply))
      assert.isBelow(Duration.toMillis(took), 5_000)
      assert.strictEqual(server.sockets.length, 1)
    })
  )

  it.live("is Unknown when the server never accepts the connection that the system made for it", () =>
    Effect.gen(function* () {
      const { port } = yield* deafServer
      const strategy = yield* Provider.makeStrategy(`http://127.0.0.1:${port}`)
      isUnknown(yield* Provider.charge(strategy))
    })
  )

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

  it.live("is NotExecuted when no connection is made in time: not one byte could be sent", () =>
    Effect.gen(function* () {
      const { port, waiting } = yield* deafServer
      // The system holds a few connections for a server that accepts none, and drops what comes then.
      yield* Effect.acquireRelease(fillUp(port), (sockets) =>
        Effect.sync(() => sockets.forEach((socket) => socket.destroy()))
      )
      const strategy = yield* Provider.makeStrategy(`http://127.0.0.1:${port}`)
      const [took, answer] = yield* Effect.timed(Provider.charge(strategy))
      isLocal(answer)
      assert.include(answer._tag === "NotExecuted" ? answer.detail : "", "UND_ERR_CONNECT_TIMEOUT")
      // The driver's timers tick twice a second.
      assert.isAtLeast(Duration.toMillis(took), Provider.settings.connectMillisMax - 500)
      assert.isTrue(waiting())
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

  it.live("is NotExecuted when the server has no certificate at all", () =>
    Effect.gen(function* () {
      const server = yield* Provider.brokenServer(nothing, { tls: {}, onText: nothing })
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
    for (const { code, syscall } of Client.unsentCauses) {
      if (typeof code === "string") {
        assert.strictEqual(Client.fromTransportError(failure(code, syscall ?? undefined), true)._tag, "Lost")
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
      assert.strictEqual(Client.fromTransportError(failure(code, syscall), false)._tag, "NotSent", code)
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
      assert.strictEqual(Client.fromTransportError(failure(code, syscall), false)._tag, "Lost", code)
    }
    for (const error of [new Error("ECONNREFUSED"), "ECONNREFUSED", null, { code: 7 }]) {
      assert.strictEqual(Client.fromTransportError(error, false)._tag, "Lost")
    }
  })

  it("of several addresses is NotSent only if every one is", () => {
    const refused = failure("ECONNREFUSED", "connect")
    assert.strictEqual(Client.fromTransportError(new AggregateError([refused, refused]), false)._tag, "NotSent")
    assert.strictEqual(
      Client.fromTransportError(new AggregateError([refused, failure("EPIPE", "write")]), false)._tag,
      "Lost"
    )
    assert.strictEqual(Client.fromTransportError(new AggregateError([]), false)._tag, "Lost")
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

  for (const { end, how } of [
    { how: "closes", end: (socket: Socket) => void socket.end() },
    { how: "resets", end: (socket: Socket) => void socket.resetAndDestroy() }
  ]) {
    it.live(`that the server ${how} just as it is reused leaves us in doubt, and is used no more`, () =>
      Effect.gen(function* () {
        const { server, strategy } = yield* answering
        assert.strictEqual((yield* Provider.charge(strategy))._tag, "Approved")
        for (const socket of server.sockets) end(socket)
        // In the same turn of the event loop: nobody can have told us yet.
        isUnknown(yield* Provider.charge(strategy))
        yield* Effect.sleep("50 millis")
        assert.isAtMost(server.requests(), 2)
        assert.strictEqual(server.sockets.length, 1)
        assert.strictEqual((yield* Provider.charge(strategy))._tag, "Approved")
        assert.strictEqual(server.sockets.length, 2)
      })
    )

    it.live(`that the server ${how} while it is idle is replaced, and the next charge is sent once`, () =>
      Effect.gen(function* () {
        const { server, strategy } = yield* answering
        assert.strictEqual((yield* Provider.charge(strategy))._tag, "Approved")
        for (const socket of server.sockets) end(socket)
        yield* Effect.sleep("50 millis")
        assert.strictEqual((yield* Provider.charge(strategy))._tag, "Approved")
        assert.strictEqual(server.requests(), 2)
        assert.strictEqual(server.sockets.length, 2)
      })
    )
  }

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
