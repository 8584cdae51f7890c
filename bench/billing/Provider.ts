/**
 * The provider of `npm run bench -- billing`, in a process of its own: KakaoPay's simulator with billing keys issued.
 *
 * Arguments: keys to issue, milliseconds that each answer takes, offset of the clock, file to write the keys to. It says its address on
 * standard output and ends when it is told to.
 */
import "effect/schema/SchemaJITCompiler/enable"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Console, Effect, Layer } from "effect"
import { Simulator } from "kakaopay-simulator/Simulator"
import * as SimulatorServer from "kakaopay-simulator/SimulatorServer"
import { writeFileSync } from "node:fs"
import { customerOf } from "./Subscriptions.ts"

const [keys = "0", delay = "0", offset = "0", file = ""] = process.argv.slice(2)

const announce = Layer.effectDiscard(
  Effect.gen(function* () {
    const simulator = yield* Simulator
    yield* simulator.clock.set({ offsetMillis: Number(offset) })
    if (Number(delay) > 0) yield* simulator.faults.add({ kind: "slow", delayMillis: Number(delay) })
    const sids: Array<string> = []
    for (let n = 0; n < Number(keys); n++) {
      sids.push(yield* simulator.billingKeys.issue({ partnerUserId: customerOf(n) }))
    }
    writeFileSync(file, sids.join("\n"))
    const { url } = yield* SimulatorServer.SimulatorServer
    yield* Console.log(`listening on ${url}`)
  })
)

NodeRuntime.runMain(Layer.launch(Layer.provide(announce, SimulatorServer.layer({ limits: { callsLoggedMax: 1 } }))))
