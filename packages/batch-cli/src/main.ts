/**
 * The billing CLI's entry: runs the command and turns its end into an exit code.
 *
 * @since 0.1.0
 */
import "effect/schema/SchemaJITCompiler/enable"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { StorageError } from "@pillivery/application/ports/StorageError"
import { Cause, Console, Effect, Exit, Logger } from "effect"
import { CliError, Command } from "effect/cli"
import { command } from "./Commands.ts"
import { Ended, type ExitCode } from "./ExitCode.ts"

const version = "0.1.0"

const exitCodeOf = (cause: Cause.Cause<unknown>): ExitCode => {
  if (Cause.hasInterruptsOnly(cause)) return 1
  for (const reason of cause.reasons) {
    if (reason._tag !== "Fail") continue
    const { error } = reason
    if (error instanceof Ended) return error.code
    if (CliError.isCliError(error) && error._tag === "ShowHelp" && error.errors.length === 0) return 0
  }
  return 2
}

const isReported = (error: unknown): boolean => error instanceof Ended || CliError.isCliError(error)

const messageOf = (error: unknown): string | null => {
  if (error instanceof StorageError && error.reason === "unavailable") {
    return `the database cannot be reached (${error.operation}); see PILLIVERY_MYSQL_URL`
  }
  return error instanceof Error ? error.message : null
}

const tell = (cause: Cause.Cause<unknown>) => {
  if (Cause.hasInterruptsOnly(cause)) return Console.error("Stopped; what was in flight is finished.")
  const failure = cause.reasons.find((reason) => reason._tag === "Fail")
  if (failure !== undefined && isReported(failure.error)) return Effect.void
  const message = messageOf(failure?.error) ?? Cause.pretty(cause)
  return Console.error(`pillivery-billing: ${message.replaceAll(/\s*\n\s*/g, " ")}`)
}

const program = Command.run(command, { version }).pipe(
  // Also when a signal interrupted it: an interrupted fiber runs nothing but finalizers.
  Effect.onExit((exit) => (Exit.isSuccess(exit) ? Effect.void : tell(exit.cause))),
  // Standard output is for what was asked; a program that reads it must not find warnings there.
  Effect.provideService(Logger.LogToStderr, true),
  // Nobody collects spans here, and making them takes a tenth of a run's time.
  Effect.withTracerEnabled(false),
  Effect.provide(NodeServices.layer)
)

NodeRuntime.runMain(program, {
  disableErrorReporting: true,
  teardown: (exit, onExit) => onExit(Exit.isSuccess(exit) ? 0 : exitCodeOf(exit.cause))
})
