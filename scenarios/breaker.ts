/**
 * `npm run scenario -- breaker [--factor N] [--seed N]`: a provider that fails under load, and the circuit breaker.
 *
 * `factor` is how many times as fast as published it runs.
 */
import "effect/schema/SchemaJITCompiler/enable"
import { parseArgs } from "node:util"
import * as Breaker from "./internal/Breaker.ts"
import * as Report from "./internal/Report.ts"

const { values } = parseArgs({ options: { factor: { type: "string" }, seed: { type: "string" } } })
const options: Breaker.Options = {
  ...Breaker.optionsDefault,
  factor: Number(values.factor ?? Breaker.optionsDefault.factor),
  seed: Number(values.seed ?? Breaker.optionsDefault.seed)
}
console.log(
  `${options.users} users; provider's delay ${options.providerDelayMillis} ms, pause ${options.pauseMillis} ms, all divided ` +
    `by the clock's factor ${options.factor}; seed ${options.seed}`
)
const result = await Breaker.run(options)
for (const [what, value] of result.rows) console.log(`  ${what}: ${value}`)
Report.write("breaker", result.rows, result.timeline)
if (!Report.judge(result.claims)) process.exitCode = 1
console.log(
  JSON.stringify({
    scenario: "breaker",
    states: result.states,
    openP99Millis: Number(result.openP99Millis.toFixed(3)),
    sentWhileOpen: result.sentWhileOpen
  })
)
