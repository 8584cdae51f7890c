/**
 * How Stryker runs the domain's tests: loaded once into each of its processes, and called as functions.
 *
 * Every mutant is in the code already and one is switched on at a time, so a pure test needs no fresh process, no worker
 * and no module loaded anew. A mutant takes milliseconds this way; Stryker's runner for vitest takes a second for each,
 * nearly all of it to load `effect` again. Node takes the types off the sources by itself.
 *
 * @since 0.1.0
 */
import { globSync } from "node:fs"
import { registerHooks } from "node:module"
import { resolve } from "node:path"
import { pathToFileURL } from "node:url"
import { collect, type CollectedTest } from "./MutationTests.ts"

// Stryker's own types need compiler settings other than ours, so the few that matter are written down here.

/** Stryker's numbers for the outcome of a test. */
const testStatus = { success: 0, failed: 1 } as const

/** What Stryker is told about a test. */
interface TestResult {
  readonly id: string
  readonly name: string
  readonly timeSpentMs: number
  readonly status: 0 | 1
  readonly failureMessage?: string
}

/** The first run, without a mutant: which test reaches which mutant, how often, and how long it takes. */
interface DryRunResult {
  readonly status: "complete"
  readonly tests: ReadonlyArray<TestResult>
  readonly mutantCoverage: NonNullable<Instrumentation["mutantCoverage"]>
}

/** A run with a mutant that is to be told from the original by these tests. */
interface MutantRunOptions {
  readonly activeMutant: { readonly id: string }
  /** All tests, where absent. */
  readonly testFilter?: ReadonlyArray<string>
  /** How often the mutant may be reached before it counts as a loop without end. */
  readonly hitLimit?: number
}

type MutantRunResult =
  | { readonly status: "timeout"; readonly reason: string }
  | { readonly status: "survived"; readonly nrOfTests: number }
  | {
      readonly status: "killed"
      readonly nrOfTests: number
      readonly killedBy: ReadonlyArray<string>
      readonly failureMessage: string
    }

/** What Stryker asks of a test runner. */
interface TestRunner {
  readonly capabilities: () => { readonly reloadEnvironment: boolean }
  readonly init: () => Promise<void>
  readonly dryRun: () => Promise<DryRunResult>
  readonly mutantRun: (options: MutantRunOptions) => Promise<MutantRunResult>
}

/** What the instrumented sources and this runner share. */
interface Instrumentation {
  activeMutant?: string | undefined
  currentTestId?: string | undefined
  hitCount?: number | undefined
  hitLimit?: number | undefined
  mutantCoverage?: {
    readonly static: Record<string, number>
    readonly perTest: Record<string, Record<string, number>>
  }
}

declare global {
  // oxlint-disable-next-line no-var -- a property of the global object cannot be declared otherwise
  var __stryker__: Instrumentation | undefined
}

const testsPattern = "packages/domain/test/*.test.ts"
const instrumentation: Instrumentation = (globalThis.__stryker__ ??= {})
const tests = new Map<string, CollectedTest>()
/** How long each test took last; the quick ones go first, because one failing test is enough. */
const millisById = new Map<string, number>()

/** Loads the tests of the sandbox, which is the current folder. */
const load = async (): Promise<void> => {
  const replacement = new URL("./MutationTests.ts", import.meta.url).href
  registerHooks({
    resolve: (specifier, context, next) =>
      specifier === "@effect/vitest" ? { url: replacement, shortCircuit: true } : next(specifier, context)
  })
  for (const file of globSync(testsPattern).sort()) {
    const found = await collect(file, () => import(pathToFileURL(resolve(file)).href))
    for (const test of found) tests.set(test.id, test)
  }
}

const runTest = async ({ id, run }: CollectedTest): Promise<TestResult> => {
  const started = performance.now()
  try {
    await run()
    const timeSpentMs = performance.now() - started
    millisById.set(id, timeSpentMs)
    return { id, name: id, timeSpentMs, status: testStatus.success }
  } catch (error) {
    const timeSpentMs = performance.now() - started
    return { id, name: id, timeSpentMs, status: testStatus.failed, failureMessage: String(error) }
  }
}

const dryRun = async (): Promise<DryRunResult> => {
  const results: Array<TestResult> = []
  for (const test of tests.values()) {
    instrumentation.currentTestId = test.id
    results.push(await runTest(test))
  }
  instrumentation.currentTestId = undefined
  return {
    status: "complete",
    tests: results,
    mutantCoverage: instrumentation.mutantCoverage ?? { static: {}, perTest: {} }
  }
}

const mutantRun = async ({ activeMutant, hitLimit, testFilter }: MutantRunOptions): Promise<MutantRunResult> => {
  const chosen = (testFilter ?? [...tests.keys()])
    .flatMap((id) => tests.get(id) ?? [])
    .sort((one, other) => (millisById.get(one.id) ?? 0) - (millisById.get(other.id) ?? 0))
  let failed: TestResult | undefined
  let nrOfTests = 0
  Object.assign(instrumentation, { activeMutant: activeMutant.id, hitCount: 0, hitLimit })
  try {
    for (const test of chosen) {
      nrOfTests++
      const result = await runTest(test)
      if (result.status === testStatus.success) continue
      failed = result
      break
    }
  } finally {
    instrumentation.activeMutant = undefined
  }
  if (hitLimit !== undefined && (instrumentation.hitCount ?? 0) > hitLimit) {
    return { status: "timeout", reason: `reached more than ${hitLimit} times` }
  }
  return failed === undefined
    ? { status: "survived", nrOfTests }
    : { status: "killed", nrOfTests, killedBy: [failed.id], failureMessage: failed.failureMessage ?? "" }
}

const runner: TestRunner = {
  // Nothing has to be loaded again: mutants that take effect only while a module loads are not run.
  capabilities: () => ({ reloadEnvironment: true }),
  init: load,
  dryRun,
  mutantRun
}

/** What Stryker looks for in a plugin. */
export const strykerPlugins = [{ kind: "TestRunner", name: "domain", value: runner }]
