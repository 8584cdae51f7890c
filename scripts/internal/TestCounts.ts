/**
 * How many tests passed and failed, read from what the runners say.
 *
 * @since 0.1.0
 */
import { existsSync, readFileSync } from "node:fs"

/** Tests that ran. A file that could not be loaded, and a runner that failed otherwise, count as one failure. */
export interface Counts {
  readonly passed: number
  readonly failed: number
}

export const noCounts: Counts = { passed: 0, failed: 0 }

export const addCounts = (self: Counts, that: Counts): Counts => ({
  passed: self.passed + that.passed,
  failed: self.failed + that.failed
})

/** The part of vitest's JSON report that is read here. */
interface VitestReport {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly testResults: ReadonlyArray<{
    readonly status: string
    readonly assertionResults: ReadonlyArray<{ readonly status: string }>
  }>
}

/** A runner's exit code other than 0 is a failure even when it names no failed test. */
const atLeastTheExitCode = (counts: Counts, exitCode: number): Counts =>
  exitCode !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts

export const countVitest = (path: string, exitCode: number): Counts => {
  if (!existsSync(path)) return atLeastTheExitCode(noCounts, exitCode === 0 ? 1 : exitCode)
  const report: VitestReport = JSON.parse(readFileSync(path, "utf8"))
  const brokenFiles = report.testResults.filter(
    ({ status, assertionResults }) =>
      status === "failed" && !assertionResults.some((result) => result.status === "failed")
  )
  return atLeastTheExitCode(
    { passed: report.numPassedTests, failed: report.numFailedTests + brokenFiles.length },
    exitCode
  )
}

/** Reads the last lines of TSTyche: `Tests: 1 failed, 4 passed, 5 total`, or without tests the same of `Assertions`. */
export const countTstyche = (output: string, exitCode: number): Counts => {
  const line = /^(?:Tests|Assertions):.*$/m.exec(output)?.[0] ?? ""
  const count = (word: string): number => Number(new RegExp(`(\\d+) ${word}`).exec(line)?.[1] ?? 0)
  return atLeastTheExitCode({ passed: count("passed"), failed: count("failed") }, exitCode)
}
