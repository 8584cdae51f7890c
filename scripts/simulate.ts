/**
 * `npm run simulate -- [--seed S] [--days D] [--users N] [--without FAULT,…]`: the whole application in memory, for as many
 * days and customers as wanted, with everything going wrong that can, in virtual time.
 *
 * Customers are spread over shops of at most a hundred; shop number k has seed S + k. Every rule of simulation/Rules.ts is
 * checked each day. A broken one is shrunk and told as a story, and the exit code is 1. The last line is one JSON object:
 * `{"seed":…,"userYears":…,"seconds":…,"violations":…}`.
 *
 * `npm run simulate -- --mutants [--only NAME]` looks for a seed that finds each mistake of simulation/Mutants.ts and writes
 * simulation/caught.json.
 *
 * @since 0.1.0
 */
import { execFile } from "node:child_process"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { parseArgs, promisify } from "node:util"
import * as Mutants from "../simulation/Mutants.ts"
import { sentences } from "../simulation/Rules.ts"
import { shrink } from "../simulation/Shrink.ts"
import { type Fault, faultNames, type Outcome, quietDays, simulate } from "../simulation/Simulation.ts"
import { Failure, runMain } from "./internal/Failure.ts"
import { root } from "./internal/Workspace.ts"

const usersPerShop = 100
const usersMax = 100_000
const daysMax = 3_650
const seedMax = 2_000_000_000
const daysPerYear = 365
const storyLinesMax = 60
const searchMillisMax = 20 * 60_000

const { values } = parseArgs({
  options: {
    seed: { type: "string" },
    days: { type: "string", default: "120" },
    users: { type: "string", default: "100" },
    without: { type: "string", default: "" },
    mutants: { type: "boolean", default: false },
    only: { type: "string" }
  }
})

const whole = (name: string, text: string, min: number, max: number): number => {
  const number = Number(text)
  if (!Number.isInteger(number) || number < min || number > max) {
    throw new Failure(`--${name} is a whole number from ${min} to ${max}`)
  }
  return number
}

const faultsWithout = (names: string): ReadonlyArray<Fault> => {
  const left = names === "" ? [] : names.split(",")
  const unknown = left.filter((name) => !faultNames.some((fault) => fault === name))
  if (unknown.length > 0) throw new Failure(`--without takes some of ${faultNames.join(", ")}`)
  return faultNames.filter((fault) => !left.includes(fault))
}

const tell = (outcome: Outcome): void => {
  const { brokenOn, options, story, violations } = outcome
  console.log(`\nseed ${options.seed}, ${options.users} customers, ${options.days} days, on ${brokenOn}:`)
  for (const { found, rule } of violations) console.log(`  ${rule}: ${sentences[rule]}\n    ${found}`)
  console.log(`with ${options.faults.join(", ") || "no faults"}:`)
  for (const line of story.slice(-storyLinesMax)) console.log(`  ${line}`)
}

const simulateShops = (): number => {
  const seed = whole("seed", values.seed ?? String(Date.now() % seedMax), 0, seedMax)
  const days = whole("days", values.days, quietDays + 1, daysMax)
  const users = whole("users", values.users, 1, usersMax)
  const faults = faultsWithout(values.without)
  const startedAt = performance.now()
  const sums: Record<string, number> = {}
  let violations = 0
  let fingerprint = ""
  for (let shop = 0; shop * usersPerShop < users; shop++) {
    const inShop = Math.min(usersPerShop, users - shop * usersPerShop)
    const outcome = simulate({ seed: seed + shop, days, users: inShop, faults })
    for (const [name, count] of Object.entries(outcome.counts)) sums[name] = (sums[name] ?? 0) + count
    fingerprint += outcome.fingerprint
    if (outcome.violations.length > 0) {
      violations += outcome.violations.length
      tell(shrink(outcome))
    }
  }
  const seconds = (performance.now() - startedAt) / 1_000
  console.log(
    Object.entries(sums)
      .map(([name, count]) => `${count} ${name}`)
      .join(", ")
  )
  console.log(`fingerprint ${fingerprint}`)
  console.log(
    JSON.stringify({
      seed,
      userYears: Number(((users * days) / daysPerYear).toFixed(1)),
      seconds: Number(seconds.toFixed(1)),
      violations
    })
  )
  return violations === 0 ? 0 : 1
}

const searchMutants = async (): Promise<number> => {
  const file = join(root, "simulation/caught.json")
  const caught = JSON.parse(readFileSync(file, "utf8")) as Record<string, Mutants.Catch>
  const names = Object.keys(Mutants.mutants).filter((name) => values.only === undefined || name === values.only)
  if (names.length === 0) throw new Failure(`--only names one of ${Object.keys(Mutants.mutants).join(", ")}`)
  let missed = 0
  for (const name of names) {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [
        "--conditions=@pillivery/source",
        "--import",
        join(root, "simulation/mutate.ts"),
        join(root, "simulation/search.ts"),
        "1",
        String(Mutants.seedsMax)
      ],
      { env: { ...process.env, PILLIVERY_MUTANT: name }, timeout: searchMillisMax }
    )
    const found = JSON.parse(stdout) as (Mutants.Catch & { readonly found: string }) | null
    if (found === null) {
      missed++
      console.log(`missed  ${name}`)
      continue
    }
    caught[name] = { seed: found.seed, rule: found.rule }
    console.log(`caught  ${name} by seed ${found.seed}: ${found.rule}: ${found.found.slice(0, 160)}`)
    writeFileSync(file, `${JSON.stringify(caught, null, 2)}\n`)
  }
  console.log(JSON.stringify({ mutants: names.length, missed }))
  return missed === 0 ? 0 : 1
}

await runMain(async () => (values.mutants ? await searchMutants() : simulateShops()))
