/**
 * The server's entry: reads the environment, runs until it is told to stop, and turns its end into an exit code.
 *
 * Exit codes: 0 it was told to stop and did · 2 it could not start, with one line that says why · 1 a bug.
 *
 * @since 0.1.0
 */
// Before anything that makes a schema: from here on schemas are compiled at their first use.
import "effect/schema/SchemaJITCompiler/enable"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { StorageError } from "@pillivery/application/ports/StorageError"
import { Cause, Console, Effect, Exit, Layer, Logger } from "effect"
import "effect/schema/SchemaJITCompiler/enable"
import * as App from "./App.ts"
import { ProviderClock } from "./Provider.ts"
import { Listening } from "./Server.ts"
import { read } from "./Settings.ts"
import { linesOf } from "./Welcome.ts"

const exitOk = 0
const exitBug = 1
const exitCannotStart = 2

const program = Effect.gen(function* () {
  const settings = yield* read
  const welcome = Layer.effectDiscard(
    Effect.gen(function* () {
      const { url } = yield* Listening
      const { simulatorUrl } = yield* ProviderClock
      yield* Console.log(linesOf(settings, { url, simulatorUrl, startMillis: performance.now() }).join("\n"))
    })
  )
  const logger = settings.stores._tag === "Memory" ? Logger.consolePretty() : Logger.consoleJson
  return yield* Layer.launch(welcome.pipe(Layer.provide(App.layer(settings)))).pipe(
    Effect.provide(Logger.layer([logger]))
  )
})

const failureOf = (cause: Cause.Cause<unknown>) => cause.reasons.find((reason) => reason._tag === "Fail")

const tell = (cause: Cause.Cause<unknown>) => {
  if (Cause.hasInterruptsOnly(cause)) return Effect.void
  const error = failureOf(cause)?.error
  const message =
    error instanceof StorageError
      ? `the database of PILLIVERY_MYSQL_URL cannot be used (${error.message})`
      : error instanceof Error
        ? error.message
        : Cause.pretty(cause)
  return Console.error(`pillivery: ${message.replaceAll(/\s*\n\s*/g, " ")}`)
}

NodeRuntime.runMain(Effect.tapCause(program, tell), {
  disableErrorReporting: true,
  teardown: (exit, onExit) => {
    if (Exit.isSuccess(exit) || Cause.hasInterruptsOnly(exit.cause)) return onExit(exitOk)
    onExit(failureOf(exit.cause) === undefined ? exitBug : exitCannotStart)
  }
})
