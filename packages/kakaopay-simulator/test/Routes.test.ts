import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServer from "effect/http/HttpServer"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import { createServer } from "node:http"
import * as Simulator from "../src/Simulator.ts"
import * as SimulatorRoutes from "../src/SimulatorRoutes.ts"
import { SimulatorServer } from "../src/SimulatorServer.ts"
import { call, charge, control, issueKey, paths, readyFields, refused, seed, send, textAt } from "./support.ts"

/** The simulator's routes on a router that has others too. */
const mounted = Layer.effect(
  SimulatorServer,
  Effect.map(HttpServer.HttpServer, ({ address }) => SimulatorServer.of({ url: HttpServer.formatAddress(address) }))
).pipe(
  Layer.merge(
    HttpRouter.serve(
      Layer.merge(SimulatorRoutes.layer, HttpRouter.add("GET", "/mine", HttpServerResponse.text("mine"))),
      { disableLogger: true, disableListenLog: true }
    )
  ),
  Layer.provide(
    NodeHttpServer.layer(createServer, { port: 0, host: "127.0.0.1", gracefulShutdownTimeout: "1 second" })
  ),
  Layer.provideMerge(Simulator.layer({ seed }))
)

describe("the routes on another router", () => {
  it.live("serve the calls, the control API and the pages beside its own", () =>
    Effect.gen(function* () {
      const { url } = yield* SimulatorServer
      const ready = yield* call("ready", readyFields())
      assert.strictEqual(ready.contentType, "application/json;charset=UTF-8")
      // Nobody told this simulator its origin, so it is the one that the client used.
      const page = textAt(ready, "next_redirect_pc_url")
      assert.isTrue(page.startsWith(`${url}/mockup/`))
      assert.strictEqual((yield* send("GET", page)).status, 200)
      assert.strictEqual((yield* send("GET", `${url}/mine`)).text, "mine")
      assert.strictEqual((yield* send("GET", url + paths.ready)).status, 405)
      assert.strictEqual((yield* call("order", { cid: "TC0ONETIME", tid: "x".repeat(70_000) })).status, 413)
      assert.strictEqual((yield* control("GET", "/calls")).json["receivedCount"], 1)
    }).pipe(Effect.provide(mounted))
  )

  it.live("break the connection as the faults say", () =>
    Effect.gen(function* () {
      const { calls, faults, ledger } = yield* Simulator.Simulator
      const sid = yield* issueKey()
      yield* faults.add({ kind: "reset-after", endpoint: "subscription", times: 1 })
      yield* faults.add({ kind: "timeout-after", endpoint: "subscription", times: 1 })
      yield* faults.add({ kind: "slow", endpoint: "subscription", delayMillis: 20, times: 1 })
      const reset = yield* Effect.flip(charge(sid))
      assert.include(reset.reason, "fetch failed")
      const silent = yield* Effect.flip(charge(sid, {}, { timeoutMillis: 300 }))
      assert.include(silent.reason, "Timeout")
      assert.strictEqual((yield* charge(sid)).status, 200)
      assert.strictEqual((yield* ledger.totals({ sid })).captureCount, 3)
      const logged = yield* calls.list({ endpoint: "subscription" })
      assert.deepStrictEqual(
        logged.map(({ answered }) => answered),
        [false, false, true]
      )
      refused(yield* charge("S0"), -750)
    }).pipe(Effect.provide(mounted))
  )
})
