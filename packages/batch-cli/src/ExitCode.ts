/**
 * How the CLI tells cron what came of a command.
 *
 * @since 0.1.0
 */
import { Schema } from "effect"

/**
 * The exit codes.
 *
 * **Details**
 *
 * 0: everything due has a definite answer. 1: something is still owed. 2: usage, configuration, or it could not start or
 * go on. 3: unknown outcomes remain. 75: another date of this job is running. When several apply, 2 > 3 > 1.
 */
export const ExitCode = Schema.Literals([0, 1, 2, 3, 75])
export type ExitCode = typeof ExitCode.Type

/** The command ended, was reported, and asks for this exit code. */
export class Ended extends Schema.TaggedError<Ended>("@pillivery/batch-cli/Ended")("Ended", { code: ExitCode }) {
  override get message() {
    return `exit ${this.code}`
  }
}

/** What a finished run asks for. */
export const ofReport = (report: {
  readonly isMisconfigured: boolean
  readonly isStopped: boolean
  readonly owed: { readonly due: number; readonly inFlight: number; readonly inDoubt: number }
}): ExitCode => {
  if (report.isMisconfigured) return 2
  if (report.owed.inDoubt > 0) return 3
  return report.isStopped || report.owed.due + report.owed.inFlight > 0 ? 1 : 0
}
