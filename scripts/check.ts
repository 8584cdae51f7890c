/**
 * `npm run check`: everything that judges the code without running it, in under a minute.
 *
 * Independent steps run side by side. Each prints one line when it ends; what the failed ones had to say comes last. A
 * step that looked at nothing has failed: several of these tools are silently content when misconfigured.
 *
 * @since 0.1.0
 */
import { availableParallelism } from "node:os"
import { Failure, runMain } from "./internal/Failure.ts"
import { type Finished, run } from "./internal/Process.ts"
import { root, tool } from "./internal/Workspace.ts"

const stepTimeoutMillis = 3 * 60_000
const concurrencyMax = 4

interface Step {
  readonly name: string
  /** A tool's entry point and its arguments, run by this Node. */
  readonly command: ReadonlyArray<string>
  /** Finds in the output how many files the tool looked at; there must be some. */
  readonly looked?: RegExp
}

/** The slowest first, so that the end is not spent waiting for one. */
const steps: ReadonlyArray<Step> = [
  // One program for everything; `npm run build` checks each package with no more types than it declares.
  { name: "types", command: [tool("@typescript/native/bin/tsc"), "-p", "tsconfig.lint.json", "--pretty", "false"] },
  {
    name: "effect",
    command: [
      tool("@effect/tsgo/dist/effect-tsgo.cjs"),
      "diagnostics",
      "--project",
      "tsconfig.lint.json",
      "--strict",
      "--severity",
      "error,warning",
      "--format",
      "text"
    ],
    looked: /Checked (\d+) files/
  },
  { name: "docs", command: ["scripts/docs.ts", "--check"], looked: /(\d+) modules described/ },
  { name: "unused", command: [tool("knip/bin/knip.js"), "--no-config-hints"] },
  {
    name: "boundaries",
    command: [
      tool("dependency-cruiser/bin/dependency-cruiser.mjs"),
      "--config",
      ".dependency-cruiser.mjs",
      "--output-type",
      "err-long",
      "packages"
    ],
    looked: /(\d+) modules/
  },
  { name: "lint", command: [tool("oxlint/bin/oxlint")], looked: /on (\d+) files/ },
  { name: "format", command: [tool("oxfmt/bin/oxfmt"), "--check"], looked: /on (\d+) files/ },
  { name: "generated", command: ["--conditions=@pillivery/source", "scripts/codegen.ts", "--check"] }
]

interface Outcome {
  readonly step: Step
  readonly problem: string | undefined
}

/** Why a finished step did not pass. */
const problemOf = (step: Step, finished: Finished): string | undefined => {
  if (finished.code !== 0) return finished.output.trim()
  if (step.looked === undefined) return undefined
  const count = Number(step.looked.exec(finished.output)?.[1] ?? 0)
  return count > 0 ? undefined : `${step.name} looked at no file at all:\n${finished.output.trim()}`
}

const seconds = (millis: number): string => `${(millis / 1000).toFixed(1)} s`

const runStep = async (step: Step): Promise<Outcome> => {
  const started = performance.now()
  const finished = await run(process.execPath, step.command, {
    cwd: root,
    env: { ...process.env, NO_COLOR: "1" },
    timeoutMillis: stepTimeoutMillis
  })
  const problem = problemOf(step, finished)
  const verdict = problem === undefined ? "ok    " : "FAILED"
  console.log(`${verdict} ${step.name.padEnd(12)} ${seconds(performance.now() - started).padStart(7)}`)
  return { step, problem }
}

const selectSteps = (names: ReadonlyArray<string>): ReadonlyArray<Step> => {
  const unknown = names.find((name) => !steps.some((step) => step.name === name))
  if (unknown !== undefined) {
    throw new Failure(`no step is called ${unknown}; the steps are ${steps.map((step) => step.name).join(", ")}`)
  }
  return names.length === 0 ? steps : steps.filter((step) => names.includes(step.name))
}

const main = async (): Promise<number> => {
  const started = performance.now()
  const waiting = [...selectSteps(process.argv.slice(2))]
  const outcomes: Array<Outcome> = []
  const work = async (): Promise<void> => {
    for (let step = waiting.shift(); step !== undefined; step = waiting.shift()) outcomes.push(await runStep(step))
  }
  const workers = Math.min(concurrencyMax, Math.max(1, availableParallelism()))
  await Promise.all(Array.from({ length: workers }, work))
  const failed = outcomes.filter(({ problem }) => problem !== undefined)
  for (const { step, problem } of failed) console.error(`\n--- ${step.name} ---\n${problem}`)
  const names = failed.map(({ step }) => step.name).join(", ")
  const total = seconds(performance.now() - started)
  console.log(failed.length === 0 ? `check passed in ${total}` : `\ncheck FAILED (${names}) in ${total}`)
  return failed.length === 0 ? 0 : 1
}

await runMain(main)
