/**
 * The simulation itself: clean seeds stay clean, the same seed is the same history, and every known mistake is found by
 * the seed that is recorded for it.
 */
import { assert, describe, it } from "vitest"
import { execFile } from "node:child_process"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { promisify } from "node:util"
import { root } from "../../scripts/internal/Workspace.ts"
import { type Catch, mutants } from "../Mutants.ts"
import { type Options, faultNames, simulate } from "../Simulation.ts"

const run = promisify(execFile)
const childMillisMax = 150_000
const caught = JSON.parse(readFileSync(join(root, "simulation/caught.json"), "utf8")) as Record<string, Catch>

const shop = (seed: number, change: Partial<Options> = {}): Options => ({
  seed,
  days: 100,
  users: 15,
  faults: faultNames,
  ...change
})

const assertClean = (options: Options): void => {
  const { story, violations } = simulate(options)
  assert.deepStrictEqual(violations, [], `seed ${options.seed}: ${story.slice(-20).join("\n")}`)
}

const child = (name: string, args: ReadonlyArray<string>) =>
  run(process.execPath, ["--conditions=@pillivery/source", "--import", join(root, "simulation/mutate.ts"), ...args], {
    cwd: root,
    env: { ...process.env, PILLIVERY_MUTANT: name, NODE_OPTIONS: "" },
    timeout: childMillisMax
  })

describe("the simulation", () => {
  it("gives the same history for the same seed, and another for another", () => {
    const [first, again, other] = [simulate(shop(1)), simulate(shop(1)), simulate(shop(2))]
    assert.strictEqual(first.fingerprint, again.fingerprint)
    assert.deepStrictEqual(first.counts, again.counts)
    assert.notStrictEqual(first.fingerprint, other.fingerprint)
  })

  it("does all the harm it is said to do", () => {
    const outcomes = [1, 2, 3, 4].map((seed) => simulate(shop(seed)))
    for (const name of ["captures", "refunds", "unknown", "deaths", "sleeps"] as const) {
      assert.isAbove(Math.max(...outcomes.map(({ counts }) => counts[name])), 0, name)
    }
  })

  it.each([11, 12, 13, 14, 15, 16, 17, 18])("breaks no rule with seed %i", (seed) => assertClean(shop(seed)))

  it("breaks no rule over a leap year", () => assertClean(shop(19, { days: 430, users: 6 })))

  it("breaks no rule with fresh seeds", () => {
    const fresh = Array.from({ length: 4 }, () => Math.floor(Math.random() * 2_000_000_000))
    console.log(`fresh seeds: ${fresh.join(", ")}`)
    for (const seed of fresh) assertClean(shop(seed))
  })
})

describe("mistakes", () => {
  it("are all known, with a seed that finds each", () => {
    assert.deepStrictEqual(Object.keys(caught).sort(), Object.keys(mutants).sort())
  })

  it.each(Object.entries(mutants))("%s change a text that is once where it should be", (_name, { edits }) => {
    for (const { file, from, to } of edits) {
      assert.strictEqual(readFileSync(join(root, file), "utf8").split(from).length, 2, `${file}: ${from}`)
      assert.notStrictEqual(from, to)
    }
  })

  it.each(Object.keys(mutants))("%s is found", { timeout: childMillisMax }, async (name) => {
    const { rule, seed } = caught[name] ?? assert.fail(`no seed finds ${name}`)
    const { stdout } = await child(name, ["simulation/search.ts", `${seed}`])
    // Any change of what a run does is another history of the same seed.
    const hint = `a change moved the seeds: npm run simulate -- --mutants --only ${name}`
    assert.strictEqual((JSON.parse(stdout) as Catch | null)?.rule, rule, hint)
  })

  it("are told as a short story, and fail the command", { timeout: childMillisMax }, async () => {
    const args = [
      "scripts/simulate.ts",
      "--seed",
      `${caught["resendOnUnknown"]?.seed ?? 1}`,
      "--days",
      "150",
      "--users",
      "20"
    ]
    const failed: unknown = await child("resendOnUnknown", args).catch((error: unknown) => error)
    assert.isTrue(failed instanceof Error && "code" in failed && failed.code === 1, String(failed))
    const output = failed instanceof Error && "stdout" in failed ? String(failed.stdout) : ""
    assert.match(output, /settledAsCaptured: An attempt that is settled was captured if and only if it says so\./)
    assert.match(output, /the provider: (LoseAnswer|commits \d+ s late) for charge/)
    const needed = /^with (.*):$/m.exec(output)?.[1]?.split(", ") ?? []
    assert.isBelow(needed.length, faultNames.length / 2)
    assert.isTrue(needed.includes("lostAnswers") || needed.includes("lateCommits"), needed.join(", "))
    assert.match(
      output.trim().split("\n").at(-1) ?? "",
      /^\{"seed":\d+,"userYears":8.2,"seconds":[\d.]+,"violations":\d+\}$/
    )
  })
})
