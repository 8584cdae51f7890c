/**
 * `npm run scenario -- retry [--seed N] [--approvals N]`: refused connections and lost answers, without a double charge.
 */
import "effect/schema/SchemaJITCompiler/enable"
import { parseArgs } from "node:util"
import * as Report from "./internal/Report.ts"
import * as Retry from "./internal/Retry.ts"

const { values } = parseArgs({ options: { approvals: { type: "string" }, seed: { type: "string" } } })
const options: Retry.Options = {
  ...Retry.optionsDefault,
  approvals: Number(values.approvals ?? Retry.optionsDefault.approvals),
  seed: Number(values.seed ?? Retry.optionsDefault.seed)
}
console.log(
  `${options.approvals} approvals by ${options.users} users, twice; ${100 * options.failureRate} % of calls go wrong; ` +
    `seed ${options.seed}`
)
const result = await Retry.run(options)
for (const [what, value] of result.rows) console.log(`  ${what}: ${value}`)
Report.write("retry", result.rows, result.timeline)
if (!Report.judge(result.claims)) process.exitCode = 1
console.log(
  JSON.stringify({
    scenario: "retry",
    attempts: result.attempts,
    finalFailureRate: Number(result.finalFailureRate.toFixed(5)),
    doubleCharges: result.doubleCharges,
    unresolvedUnknown: result.unresolvedUnknown
  })
)
