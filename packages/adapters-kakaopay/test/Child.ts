/**
 * The adapter in a process of its own: time zones and trusted certificates are read when a process starts.
 */
import { Effect } from "effect"
import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"

const program = fileURLToPath(new URL("./childProgram.ts", import.meta.url))
const timeoutMillis = 20_000

/** What `childProgram.ts` prints for one base URL: each answer as it is written down. */
export type Answers = Readonly<Record<string, Readonly<Record<string, unknown>>>>

/** Asks every base URL in turn, in a process with these variables. */
export const answersOf = (
  baseUrls: ReadonlyArray<string>,
  variables: Readonly<Record<string, string>>
): Effect.Effect<ReadonlyArray<Answers>> =>
  Effect.callback((resume) => {
    const child = execFile(
      process.execPath,
      ["--conditions=@pillivery/source", program, ...baseUrls],
      { env: { ...process.env, ...variables }, timeout: timeoutMillis },
      (error, stdout, stderr) =>
        resume(error === null ? Effect.sync(() => JSON.parse(stdout)) : Effect.die(new Error(stderr, { cause: error })))
    )
    return Effect.sync(() => void child.kill("SIGKILL"))
  })
