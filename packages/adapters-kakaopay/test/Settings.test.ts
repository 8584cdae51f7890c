/**
 * Every setting of the client by what it does, with values short enough to be waited for.
 */
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect } from "effect"
import type { Socket } from "node:net"
import * as Client from "../src/Client.ts"
import { afterRequest, approvalText, nothing } from "./Broken.ts"
import * as Provider from "./Provider.ts"

/** The driver's own timers tick about twice a second, so they may be early by one; and the machine may be busy. */
const earlyMillisMax = 500
const slackMillis = 2_500

const isAbout = (took: Duration.Duration, millis: number, what: string) => {
  assert.isAtLeast(Duration.toMillis(took), millis - earlyMillisMax, what)
  assert.isBelow(Duration.toMillis(took), millis + slackMillis, what)
}

const answer = (socket: Socket) => void socket.write(Provider.http("200 OK", approvalText, ["keep-alive: timeout=600"]))
const urlOf = (server: { readonly port: number }) => `http://127.0.0.1:${server.port}`
const isClosed = (socket: Socket) => socket.destroyed || socket.readableEnded

describe("the defaults", () => {
  it("are the ones that are documented", () => {
    assert.deepStrictEqual(Client.settingsDefault, {
      connectionsMax: 50,
      connectionWaitMillisMax: 3_000,
      connectMillisMax: 10_000,
      headersMillisMax: 30_000,
      bodyMillisMax: 25_000,
      moneyIdleMillisMax: 4_000,
      lookupIdleMillisMax: 30_000,
      responseBytesMax: 65_536
    })
  })
})

describe("connectionsMax", () => {
  it.live("bounds the connections, each of which carries one request at a time", () =>
    Effect.gen(function* () {
      let inFlight = 0
      let inFlightMax = 0
      const busy = new Set<Socket>()
      let isPipelined = false
      const server = yield* Provider.brokenServer(
        nothing,
        afterRequest((socket) => {
          if (busy.has(socket)) isPipelined = true
          busy.add(socket)
          inFlight += 1
          inFlightMax = Math.max(inFlightMax, inFlight)
          setTimeout(() => {
            inFlight -= 1
            busy.delete(socket)
            answer(socket)
          }, 30)
        })
      )
      const strategy = yield* Provider.makeStrategy(urlOf(server), { connectionsMax: 3, headersMillisMax: 5_000 })
      const answers = yield* Effect.all(
        Array.from({ length: 20 }, () => Provider.charge(strategy)),
        { concurrency: "unbounded" }
      )
      assert.isTrue(answers.every(({ _tag }) => _tag === "Approved"))
      assert.deepStrictEqual(
        { sockets: server.sockets.length, inFlightMax, isPipelined, requests: server.requests() },
        { sockets: 3, inFlightMax: 3, isPipelined: false, requests: 20 }
      )
    })
  )
})

describe("connectionWaitMillisMax", () => {
  it.live("bounds the wait for a connection, after which nothing was sent", () =>
    Effect.gen(function* () {
      const server = yield* Provider.brokenServer(nothing, afterRequest(nothing))
      const strategy = yield* Provider.makeStrategy(urlOf(server), {
        connectionsMax: 1,
        connectionWaitMillisMax: 1_000,
        headersMillisMax: 10_000
      })
      yield* Effect.forkScoped(Provider.charge(strategy), { startImmediately: true })
      const [took, second] = yield* Effect.timed(Provider.charge(strategy))
      assert.strictEqual(second._tag === "NotExecuted" ? second.why : second._tag, "local")
      isAbout(took, 1_000, "connection wait")
      assert.strictEqual(server.requests(), 1)
      for (const socket of server.sockets) answer(socket)
    })
  )
})

describe("connectMillisMax", () => {
  it.live("bounds connecting, the TLS handshake included", () =>
    Effect.gen(function* () {
      const server = yield* Provider.brokenServer(nothing, { onText: nothing })
      const strategy = yield* Provider.makeStrategy(`https://127.0.0.1:${server.port}`, {
        connectMillisMax: 1_500,
        headersMillisMax: 20_000,
        bodyMillisMax: 20_000
      })
      const [took, charged] = yield* Effect.timed(Provider.charge(strategy))
      assert.strictEqual(charged._tag === "NotExecuted" ? charged.why : charged._tag, "local")
      isAbout(took, 1_500, "connect")
    })
  )
})

describe("headersMillisMax and bodyMillisMax", () => {
  it.live("bound the silence before the headers and within the body, each for itself", () =>
    Effect.gen(function* () {
      const silent = yield* Provider.brokenServer(nothing, afterRequest(nothing))
      const headersOnly = yield* Provider.brokenServer(
        nothing,
        afterRequest((socket) => void socket.write("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n"))
      )
      const long = 20_000
      const timed = (server: { readonly port: number }, settings: Partial<Client.Settings>) =>
        Effect.flatMap(Provider.makeStrategy(urlOf(server), settings), (strategy) =>
          Effect.timed(Provider.charge(strategy))
        )
      const [[headersTook, first], [bodyTook, second]] = yield* Effect.all(
        [
          timed(silent, { headersMillisMax: 1_500, bodyMillisMax: long }),
          timed(headersOnly, { headersMillisMax: long, bodyMillisMax: 1_500 })
        ],
        { concurrency: 2 }
      )
      assert.deepStrictEqual([first._tag, second._tag], ["Unknown", "Unknown"])
      isAbout(headersTook, 1_500, "headers")
      isAbout(bodyTook, 1_500, "body")
    })
  )

  it.live("end each lost answer on its own time, not all of a second together", () =>
    Effect.gen(function* () {
      const server = yield* Provider.brokenServer(nothing, afterRequest(nothing))
      const strategy = yield* Provider.makeStrategy(urlOf(server), { headersMillisMax: 300 })
      const timed = yield* Effect.all(
        Array.from({ length: 15 }, (_, call) =>
          Effect.delay(Effect.timed(Provider.charge(strategy)), Duration.millis(40 * call))
        ),
        { concurrency: "unbounded" }
      )
      const late = timed.map(([took]) => Duration.toMillis(took) - 300).sort((a, b) => a - b)
      assert.isAtLeast(late[0] ?? -1, -5)
      assert.isBelow(late[7] ?? Number.NaN, 120, `median of ${late.map(Math.round).join(", ")} ms late`)
    })
  )

  it.live("bound together the whole answer, however busily it arrives", () =>
    Effect.gen(function* () {
      const server = yield* Provider.brokenServer(
        nothing,
        afterRequest((socket) => {
          socket.write("HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")
          const timer = setInterval(() => socket.write(" "), 50)
          socket.on("close", () => clearInterval(timer))
        })
      )
      const strategy = yield* Provider.makeStrategy(urlOf(server), { headersMillisMax: 500, bodyMillisMax: 500 })
      const [took, charged] = yield* Effect.timed(Provider.charge(strategy))
      assert.strictEqual(charged._tag, "Unknown")
      isAbout(took, 1_000, "whole answer")
    })
  )

  it.live("leave an answer alone that comes in time", () =>
    Effect.gen(function* () {
      const server = yield* Provider.brokenServer(
        nothing,
        afterRequest((socket) => void setTimeout(() => answer(socket), 300))
      )
      const strategy = yield* Provider.makeStrategy(urlOf(server), { headersMillisMax: 5_000, bodyMillisMax: 300 })
      assert.strictEqual((yield* Provider.charge(strategy))._tag, "Approved")
    })
  )
})

describe("lookupIdleMillisMax and moneyIdleMillisMax", () => {
  it.live("close what was idle for so long, each in its own pool, whatever the server offers", () =>
    Effect.gen(function* () {
      const bodies = [approvalText, JSON.stringify(Provider.order())]
      const server = yield* Provider.brokenServer(nothing, {
        onText: (socket, text) => {
          const body = text.includes("/payment/order") ? bodies[1] : bodies[0]
          socket.write(Provider.http("200 OK", body ?? "", ["keep-alive: timeout=600"]))
        }
      })
      const strategy = yield* Provider.makeStrategy(urlOf(server), {
        headersMillisMax: 5_000,
        moneyIdleMillisMax: 200,
        lookupIdleMillisMax: 1_500
      })
      const look = strategy.lookupPayment(Provider.paymentRequest)
      assert.strictEqual((yield* Provider.charge(strategy))._tag, "Approved")
      assert.strictEqual((yield* look)._tag, "PaymentFound")
      const [money, lookups] = server.sockets
      assert.strictEqual(server.sockets.length, 2)
      yield* Effect.sleep("400 millis")
      // Money takes a new connection, the lookup does not.
      yield* Provider.charge(strategy)
      yield* look
      assert.strictEqual(server.sockets.length, 3)
      yield* Effect.sleep(1_500 + slackMillis)
      assert.isTrue(money !== undefined && isClosed(money))
      assert.isTrue(lookups !== undefined && isClosed(lookups))
      assert.isTrue(server.sockets.every(isClosed))
    })
  )
})

describe("responseBytesMax", () => {
  it.live("is the largest body that is read, announced or not", () =>
    Effect.gen(function* () {
      const padded = JSON.stringify(Provider.approval({ sid: Provider.sid, item_code: "x".repeat(5_000) }))
      const chunked = `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${Buffer.byteLength(padded).toString(16)}\r\n${padded}\r\n0\r\n\r\n`
      for (const message of [Provider.http("200 OK", padded), chunked]) {
        const server = yield* Provider.brokenServer(
          nothing,
          afterRequest((socket) => void socket.write(message))
        )
        for (const [responseBytesMax, expected] of [
          [10_000, "Approved"],
          [4_000, "Unknown"]
        ] as const) {
          const strategy = yield* Provider.makeStrategy(urlOf(server), { responseBytesMax, headersMillisMax: 5_000 })
          assert.strictEqual((yield* Provider.charge(strategy))._tag, expected)
        }
      }
    })
  )
})
