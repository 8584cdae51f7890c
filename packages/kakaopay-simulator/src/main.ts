/**
 * The command `kakaopay-simulator`.
 *
 * @since 0.1.0
 */
import "effect/schema/SchemaJITCompiler/enable"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Cause from "effect/Cause"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Runtime from "effect/Runtime"
import * as Merchants from "./Merchants.ts"
import { SimulatorServer, layer } from "./SimulatorServer.ts"

const version = "0.1.0"

const flags = {
  port: Flag.Int("port").pipe(Flag.withDescription("Port to listen on; 0 picks a free one"), Flag.withDefault(9090)),
  host: Flag.String("host").pipe(Flag.withDescription("Address to listen on"), Flag.withDefault("127.0.0.1")),
  key: Flag.String("key").pipe(
    Flag.withDescription("Secret key that clients must send"),
    Flag.withDefault(Merchants.defaultSecretKey)
  ),
  publicOrigin: Flag.String("public-origin").pipe(
    Flag.withDescription("Origin of redirect URLs, when browsers reach the simulator under another address"),
    Flag.optional
  ),
  seed: Flag.Int("seed").pipe(Flag.withDescription("Seed of ids and wire quirks"), Flag.optional)
}

const command = Command.make("kakaopay-simulator", flags, ({ host, key, port, publicOrigin, seed }) => {
  const announce = Layer.effectDiscard(
    Effect.gen(function* () {
      const { url } = yield* SimulatorServer
      yield* Console.log(`kakaopay-simulator listening on ${url}`)
    })
  )
  const server = layer({
    host,
    port,
    secretKey: key,
    ...Option.match(publicOrigin, { onNone: () => ({}), onSome: (origin) => ({ publicOrigin: origin }) }),
    ...Option.match(seed, { onNone: () => ({}), onSome: (chosen) => ({ seed: chosen }) })
  })
  return Layer.launch(Layer.provide(announce, server))
}).pipe(Command.withDescription("An honest KakaoPay payment server in memory, for tests and demos"))

/** Being told to stop is how this command ends normally. */
const teardown: Runtime.Teardown = (exit, onExit) =>
  Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause) ? onExit(0) : Runtime.defaultTeardown(exit, onExit)

Command.run(command, { version }).pipe(Effect.provide(NodeServices.layer), NodeRuntime.runMain({ teardown }))
