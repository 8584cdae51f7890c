/**
 * A failure that the person who ran the script can act on: shown as one line, without a stack.
 *
 * @since 0.1.0
 */
export class Failure extends Error {
  override readonly name = "Failure"
}

/** Exit code for "could not start": usage, configuration, missing programs. */
export const exitCodeNotStarted = 2

/** Runs a script's `main` and turns a {@link Failure} into one line on stderr. */
export const runMain = async (main: () => Promise<number>): Promise<void> => {
  try {
    process.exitCode = await main()
  } catch (error) {
    process.exitCode = exitCodeNotStarted
    console.error(error instanceof Failure ? `error: ${error.message}` : error)
  }
}
