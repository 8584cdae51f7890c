/**
 * `node --import simulation/mutate.ts simulation/search.ts FIRST LAST`: tries seeds in turn until a rule breaks, and
 * prints the seed and the rule as one JSON object, or null.
 */
import { shop } from "./Mutants.ts"
import { faultNames, simulate } from "./Simulation.ts"

const [first = 1, last = first] = process.argv.slice(2).map(Number)
let found = null
for (let seed = first; seed <= last && found === null; seed++) {
  const { violations } = simulate({ ...shop, seed, faults: faultNames })
  const [violation] = violations
  if (violation !== undefined) found = { seed, rule: violation.rule, found: violation.found }
}
console.log(JSON.stringify(found))
